from contextlib import suppress
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.frontpay_odoo.connect import errors
from odoo.addons.frontpay_odoo.connect.client import Client
from odoo.addons.frontpay_odoo.tools.deadline import Deadline

from .common import SandboxCase

NOTE = "Ordered by mistake"
CANCEL = "POST connect/orders/cancel/"
RESEND = "POST connect/orders/resend/"


class DialogCase(SandboxCase):
    def setUp(self):
        super().setUp()
        self.move = self.invoice()
        self.move.action_frontpay_send()
        self.sent = self.move.frontpay_order_id.sudo()
        self.sandbox.control("DELETE", "requests")

    def open(self, moves, name, **values):
        """Open one of the dialogs, and fill it in."""
        action = getattr(moves, f"action_frontpay_{name}")()
        dialogs = self.env[action["res_model"]].with_context(**action["context"])
        return dialogs.create(values)

    def confirm(self, moves, name, **values):
        """The same, and confirm it."""
        return self.open(moves, name, **values).action_confirm()

    def calls(self, path):
        return [call for call in self.sandbox.requests() if call.startswith(path)]


@tagged("post_install", "-at_install")
class TestCancelling(DialogCase):
    def cancel(self, moves=None, note=NOTE):
        return self.confirm(moves or self.move, "cancel", note=note)

    def test_an_order_that_waits_is_cancelled(self):
        told = self.cancel()
        self.assertEqual(told["params"]["type"], "success")
        self.assertEqual(self.move.frontpay_state, "cancelled")
        self.assertEqual(self.sandbox.orders()[0]["status"], "CANCELLED")
        self.assertFalse(self.move.frontpay_verification_url)
        self.assertIn(NOTE, self.move.message_ids[0].body)

    def test_afterwards_the_invoice_is_changed_and_sent_anew(self):
        self.cancel()
        self.move.button_draft()
        self.move.invoice_line_ids.price_unit = 200
        self.move.action_post()
        self.move.action_frontpay_send()
        self.assertEqual(self.move.frontpay_state, "sent")
        self.assertEqual(len(self.sandbox.orders()), 2)

    def test_what_the_customer_has_confirmed_is_not_cancelled(self):
        self.sandbox.act(self.sent.order_uuid, "confirm")
        with self.assertRaisesRegex(UserError, "Make a credit note"):
            self.cancel()
        self.assertEqual(self.move.frontpay_state, "invoiced")
        with self.assertRaisesRegex(UserError, "Make a credit note"):
            self.move.action_frontpay_cancel()

    def test_what_is_paid_meanwhile_is_not_cancelled_but_paid(self):
        self.sandbox.act(self.sent.order_uuid, "pay")
        with self.assertRaisesRegex(UserError, "Paid"):
            self.cancel()
        self.assertEqual(self.move.payment_state, "paid")

    def test_what_moved_on_while_the_dialog_was_open_is_not_cancelled(self):
        for change in (
            {"state": "invoiced"},
            {"state": "paid"},
            {"base_url": "https://elsewhere.example.com/api/v1/"},
        ):
            with self.subTest(change), self.undone():
                dialog = self.open(self.move, "cancel", note=NOTE)
                self.sent.write(change)
                with self.assertRaises(UserError):
                    dialog.action_confirm()
        self.assertFalse(self.calls(CANCEL))

    def test_a_lost_answer_is_settled_by_asking(self):
        for when in ("before", "after"):
            with self.subTest(when=when):
                self.setUp()
                self.sandbox.fault("drop", when=when, path="cancel")
                if when == "after":
                    self.cancel()
                    self.assertEqual(self.move.frontpay_state, "cancelled")
                else:
                    with self.assertRaisesRegex(UserError, "hasn't confirmed yet"):
                        self.cancel()
                    self.assertEqual(self.move.frontpay_state, "sent")
                    self.cancel()
                    self.assertEqual(self.move.frontpay_state, "cancelled")

    def test_without_any_answer_it_is_asked_for_later(self):
        later = self.sent.next_poll_at
        with (
            patch.object(Client, "status", side_effect=errors.UnknownOutcome("drop")),
            self.assertRaisesRegex(UserError, "updated automatically"),
        ):
            self.cancel()
        self.assertEqual(self.move.frontpay_state, "sent")
        self.assertLess(self.sent.next_poll_at, later)

    def test_what_was_wanted_surprises_nobody_after_a_lost_answer_either(self):
        self.sandbox.fault("drop", when="before", path="cancel")
        with suppress(UserError):  # assertRaises would roll back
            self.cancel()
        self.assertEqual(self.move.frontpay_state, "sent")
        self.sandbox.act(self.sent.order_uuid, "cancel")
        self.move.action_frontpay_refresh()
        self.assertEqual(self.move.frontpay_state, "cancelled")
        self.assertFalse(self.move.activity_ids)

    def test_without_a_connection_nothing_is_cancelled(self):
        nobody = errors.Unreachable("nobody")
        with (
            patch.object(Client, "_send", side_effect=nobody) as call,
            self.assertRaisesRegex(UserError, "Nobody answers"),
        ):
            self.cancel()
        call.assert_called_once()
        self.assertEqual(self.move.frontpay_state, "sent")
        # What Front Payment does later wasn't wanted here.
        self.assertFalse(self.move.sudo().frontpay_order_id.cancel_reason)

    def test_a_refusal_is_told_in_front_payments_words(self):
        self.sandbox.fault("status", status=400, path="cancel")
        with self.assertRaisesRegex(UserError, "doesn't cancel"):
            self.cancel()

    def test_several_are_cancelled_each_on_its_own(self):
        other = self.invoice()
        other.action_frontpay_send()
        uuid = other.frontpay_order_id.sudo().order_uuid
        self.sandbox.act(uuid, "confirm")
        told = self.cancel(self.move + other)
        self.assertEqual(told["params"]["type"], "warning")
        self.assertIn("1 order cancelled", told["params"]["message"])
        self.assertIn(other.name, told["params"]["message"])
        self.assertEqual(self.move.frontpay_state, "cancelled")
        self.assertEqual(other.frontpay_state, "invoiced")

    def test_it_happens_in_the_invoices_company_whichever_is_chosen(self):
        other = self.other_company()
        self.env.user.company_ids |= other
        chosen = (other | self.company).ids
        moves = self.move.with_context(allowed_company_ids=chosen)
        self.assertEqual(moves.env.company, other)
        seen = []

        def step(order, _client):
            seen.append(order.env.company)
            return ""

        moves._frontpay_each_order(step, "cancelled", "frontpay.cancel")
        self.assertEqual(seen, [self.company])

    def test_without_time_nothing_is_cancelled_and_that_is_told(self):
        late = patch.object(Deadline, "allows_submission", return_value=False)
        with late, self.assertRaisesRegex(UserError, "slow to answer"):
            self.cancel()
        self.assertFalse(self.calls(CANCEL))

    def test_it_needs_a_reason(self):
        with self.assertRaisesRegex(UserError, "why"):
            self.cancel(note="   ")
        self.assertFalse(self.calls(CANCEL))

    def test_what_has_no_order_is_not_offered(self):
        fresh = self.invoice()
        self.assertFalse(fresh.frontpay_can_cancel)
        self.assertTrue(self.move.frontpay_can_cancel)
        with self.assertRaises(UserError):
            fresh.action_frontpay_cancel()

    def test_another_environments_order_is_left_alone(self):
        self.sent.base_url = "https://elsewhere.example.com/api/v1/"
        with self.assertRaisesRegex(UserError, "another environment"):
            self.move.action_frontpay_cancel()

    def test_only_who_may_invoice_cancels(self):
        reader = new_test_user(
            self.env,
            "frontpay_cancel_reader",
            groups="account.group_account_readonly",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        with self.assertRaises(AccessError):
            self.move.with_user(reader).action_frontpay_cancel()
        with self.assertRaises(AccessError):
            self.env["frontpay.cancel"].with_user(reader).create(
                {"move_ids": self.move.ids, "note": NOTE}
            )

    def test_whoever_may_not_change_the_invoice_any_more_cancels_nothing(self):
        clerk = new_test_user(
            self.env,
            "frontpay_cancel_clerk",
            groups="account.group_account_invoice",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        dialogs = self.env["frontpay.cancel"].with_user(clerk)
        dialog = dialogs.create({"move_ids": self.move.ids, "note": NOTE})
        self.env["ir.rule"].create(
            {
                "name": "Somebody else's invoice",
                "model_id": self.env["ir.model"]._get_id("account.move"),
                "domain_force": [("id", "!=", self.move.id)],
                "perm_read": False,
            }
        )
        with self.assertRaises(AccessError):
            dialog.action_confirm()
        self.assertFalse(self.calls(CANCEL))


@tagged("post_install", "-at_install")
class TestResending(DialogCase):
    def resend(self, moves=None, **values):
        return self.confirm(moves or self.move, "resend", **values)

    def body(self):
        [exchange] = self.env["frontpay.exchange"].search(
            [("path", "like", "orders/resend")]
        )
        return exchange.request

    def test_the_link_goes_to_the_customers_own_address_and_number(self):
        told = self.resend()
        self.assertEqual(told["params"]["type"], "success")
        self.assertEqual(len(self.calls(RESEND)), 1)
        self.assertIn('"msisdn"', self.body())

    def test_or_to_another_one(self):
        self.resend(email="other@example.com", phone="")
        self.assertNotIn("46567468", self.body())

    def test_or_to_another_number_alone(self):
        self.resend(email="", phone="+47 46567469")
        self.assertIn("46567469", self.body())
        self.assertNotIn("@example.com", self.body())

    def test_what_was_paid_since_the_dialog_was_opened_is_not_sent_again(self):
        action = self.move.action_frontpay_resend()
        dialogs = self.env["frontpay.resend"].with_context(**action["context"])
        dialog = dialogs.create({})
        self.sent._apply_status("PAID")
        with self.assertRaisesRegex(UserError, "isn't possible"):
            dialog.action_confirm()
        self.assertFalse(self.calls(RESEND))

    def test_what_cannot_be_right_does_not_go_out(self):
        for values in ({"email": "kari@", "phone": ""}, {"phone": "12", "email": ""}):
            with (
                self.subTest(values),
                self.assertRaisesRegex(UserError, "can't be right"),
            ):
                self.resend(**values)
        self.assertFalse(self.calls(RESEND))

    def test_a_single_one_needs_somewhere_to_go(self):
        with self.assertRaisesRegex(UserError, "Enter an e-mail address"):
            self.resend(email="", phone="")

    def test_what_was_refused_or_lost_is_told(self):
        for fault, words in (
            ({"kind": "drop", "when": "after"}, "may have got the link"),
            ({"kind": "status", "status": 400}, self.move.name),
        ):
            with self.subTest(fault):
                self.sandbox.fault(**fault, path="resend")
                with self.assertRaisesRegex(UserError, words):
                    self.resend()
                told = " ".join(self.move.message_ids.mapped("body"))
                self.assertNotIn("has sent its link again", told)

    def test_a_paid_order_has_no_link(self):
        self.sent.state = "paid"
        with self.assertRaises(UserError):
            self.move.action_frontpay_resend()
