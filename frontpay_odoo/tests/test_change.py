from contextlib import contextmanager
from decimal import Decimal

from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError, LockError, RedirectWarning, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools.safe_eval import safe_eval
from odoo.tools.view_validation import get_expression_field_names

from odoo.addons.frontpay_odoo.connect.responses import OrderStatus
from odoo.addons.frontpay_odoo.tools import transaction

from .test_refund import RefundCase

# What happened to the order, and what whoever wants to change the invoice reads.
REFUSALS = (
    (("confirm",), "Credit it"),
    (("confirm", "remind"), "Credit it"),
    (("confirm", "pay"), "Credit it"),
    (("confirm", "pay", "refund"), "Credit it"),
    (("expire",), "reset the invoice to draft"),
)
# What is said while the invoice is a draft, and what becomes of the change.
MEANWHILE = ("INVOICED", "Purring", "PAID")


@tagged("post_install", "-at_install", "frontpay")
class TestChange(RefundCase):
    """An invoice that waits for its customer is reset, changed and sent as an update
    of the same order."""

    def change(self, move=None):
        (move or self.move).action_frontpay_change()

    def make_dearer(self, price=500):
        self.move.invoice_line_ids[0].price_unit = price

    def shown(self, *methods):
        """Which of these methods have a button on the invoice's form."""
        arch = etree.fromstring(self.move.get_view(view_type="form")["arch"])
        buttons = [each for each in arch.iter("button") if each.get("name") in methods]
        names = set().union(
            *(get_expression_field_names(each.get("invisible")) for each in buttons)
        )
        values = self.move.read(names)[0]
        return {
            each.get("name")
            for each in buttons
            if not safe_eval(each.get("invisible"), values)
        }

    def run_queue(self):
        queued = self.sent.search(self.sent._queued_domain())
        list(queued._send_in_order(self.company))

    def says(self, status, refunded=None):
        report = OrderStatus(status, refunded and Decimal(refunded))
        self.sent._apply_response(report, "99900753")

    @contextmanager
    def offers_cancelling(self):
        """Odoo refuses, and has the button that cancels the order."""
        with self.assertRaises(RedirectWarning) as caught, self.undone():
            yield
        action = caught.exception.args[1]
        self.assertEqual(action["res_model"], "frontpay.cancel")
        self.assertEqual(action["context"], {"default_move_ids": self.move.ids})
        self.assertIn("Front Payment", caught.exception.args[0])

    def test_it_goes_out_as_an_update_of_the_same_order(self):
        name = self.move.name
        self.change()
        self.assertEqual(self.move.state, "draft")
        self.make_dearer()
        self.move.action_post()
        self.assertEqual(self.move.name, name)
        self.assertTrue(self.sent.update_queued)
        self.run_queue()
        [order] = self.sandbox.orders()
        self.assertEqual(order["orderUuid"], self.sent.order_uuid)
        self.assertEqual(float(order["orderAmount"]), 875)
        self.assertEqual(len(self.move.frontpay_order_ids), 1)
        self.assertEqual((self.sent.state, self.sent.amount), ("sent", 875))
        self.assertFalse(self.sent.is_changing)
        self.assertQuiet(self.move)

    def test_the_changed_invoice_is_not_reminded_of_by_odoo_either(self):
        self.assertTrue(self.move.no_followup)
        self.change()
        self.move.invoice_payment_term_id = self.env.ref(
            "account.account_payment_term_advance_60days"
        )
        self.make_dearer()
        self.move.action_post()
        self.assertTrue(self.move.no_followup)
        self.says("EXPIRED")
        self.assertFalse(self.move.no_followup)

    def test_unchanged_it_is_not_sent_again_where_confirming_sends(self):
        self.move.journal_id.frontpay_send_on_posting = True
        self.change()
        self.move.action_post()
        self.assertFalse(self.sent.update_queued)
        self.assertFalse(self.sent.is_changing)

    def test_the_changed_amount_is_paid(self):
        self.change()
        self.make_dearer()
        self.move.action_post()
        self.run_queue()
        self.happens(self.sent, "confirm", "pay")
        self.assertEqual(self.sent.payment_id.amount, 875)
        self.assertEqual(self.move.amount_residual, 0)
        self.assertQuiet(self.move)

    def test_by_rpc_the_contexts_of_the_button_does_the_same(self):
        with self.offers_cancelling():
            self.move.button_draft()
        self.assertEqual(self.move.state, "posted")
        self.move.with_context(frontpay_change=True).button_draft()
        self.assertEqual(self.move.state, "draft")
        self.assertTrue(self.sent.is_changing)

    def test_the_button_asks_first(self):
        view = self.move.get_view(view_type="form")["arch"]
        self.assertIn('name="action_frontpay_change"', view)
        self.assertIn("confirm=", view[view.index("action_frontpay_change") :][:400])

    def test_what_was_not_changed_is_not_sent_again(self):
        self.change()
        self.move.action_post()
        self.assertFalse(self.sent.is_changing)
        self.assertFalse(self.sent.update_queued)
        self.run_queue()
        self.assertFalse(self.sandbox.requests())
        self.assertQuiet(self.move)

    def test_what_the_customer_has_confirmed_is_credited(self):
        for actions, words in REFUSALS:
            with self.subTest(actions):
                move, _order = self.sold(*actions)
                with self.assertRaisesRegex(UserError, words):
                    self.change(move)
                self.assertEqual(move.state, "posted")
                if words == "Credit it":
                    with self.assertRaisesRegex(UserError, words):
                        move.with_context(frontpay_change=True).button_draft()
                    with self.assertRaisesRegex(UserError, words):
                        move.button_draft()

    def test_a_channel_without_updates_is_cancelled_first(self):
        self.private.with_company(self.company).frontpay_channel = "payment_link"
        move, _order = self.sold()
        with self.assertRaisesRegex(UserError, "Cancel it"):
            self.change(move)

    def test_what_is_confirmed_meanwhile_keeps_its_state_and_is_for_somebody(self):
        for settle_on in ("paid", "invoiced"):
            for status in MEANWHILE:
                with self.subTest(status, settle_on=settle_on), self.undone():
                    self.company.frontpay_settle_on = settle_on
                    self.change()
                    self.make_dearer()
                    self.says(status)
                    self.says(status)
                    self.assertNotIn(self.sent.state, ("sent", "cancelled"))
                    self.assertEqual(self.move.state, "draft")
                    self.assertIn("while", self.sent.error)
                    self.assertIn("was being changed", self.sent.error)
                    [activity] = self.attention(self.move)
                    self.assertTrue(activity.user_id)
                    self.move.action_post()
                    self.assertFalse(self.sent.update_queued)
                    self.assertFalse(self.payments(self.move))
                    self.assertIn("was being changed", self.sent.error)
                    self.sandbox.control("DELETE", "requests")
                    with self.assertRaisesRegex(UserError, "already"):
                        self.move.action_frontpay_send()
                    self.assertFalse(self.sandbox.requests())

    def test_made_what_it_was_it_is_as_if_it_had_never_been_changed(self):
        self.change()
        self.make_dearer()
        self.says("PAID")
        self.make_dearer(100)
        self.move.action_post()
        self.assertEqual(self.sent.payment_id.amount, 375)
        self.assertEqual(self.move.amount_residual, 0)
        self.assertQuiet(self.move)

    def test_a_change_whose_answer_was_lost_is_what_the_customer_confirmed(self):
        self.change()
        self.make_dearer()
        self.move.action_post()
        self.sandbox.fault("drop", when="after", path="invoice/submit")
        self.run_queue()
        self.assertTrue(self.sent.is_changing)
        self.sent.update_queued = True  # for another attempt
        self.happens(self.sent, "confirm")
        self.assertFalse(self.sent.is_changing)
        self.run_queue()
        self.assertQuiet(self.move)
        self.happens(self.sent, "pay")
        self.assertEqual(self.sent.payment_id.amount, 875)
        self.assertQuiet(self.move)

    def test_what_credit_notes_took_off_before_stays_off_in_a_lost_change(self):
        self.credit(20).action_frontpay_send()
        self.assertEqual(self.sent.amount, 350)
        self.change()
        self.make_dearer()
        self.move.action_post()
        self.sandbox.fault("drop", when="after", path="invoice/submit")
        self.run_queue()
        self.happens(self.sent, "confirm")
        self.assertFalse(self.sent.is_changing)
        self.assertEqual(self.sent.amount, 850)
        self.assertQuiet(self.move)

    def test_changed_too_late_it_can_be_made_what_it_was(self):
        self.change()
        self.make_dearer()
        self.move.action_post()
        self.says("PAID")
        self.assertIn("Choose “Change”", self.sent.error)
        self.assertFalse(self.move.frontpay_can_update)
        self.assertTrue(self.move.frontpay_can_change)
        with self.assertRaisesRegex(UserError, "“Change” resets it"):
            self.move.button_draft()
        self.change()
        self.make_dearer(100)
        self.move.action_post()
        self.assertEqual(self.sent.payment_id.amount, 375)
        self.assertQuiet(self.move)
        self.assertFalse(self.move.frontpay_can_change)

    def test_what_ends_meanwhile_is_free(self):
        for status in ("EXPIRED", "CANCELLED"):
            with self.subTest(status), self.undone():
                self.change()
                self.make_dearer()
                self.says(status)
                self.assertNotIn("frontpay_change", self.move._get_alerts())
                self.move.action_post()
                self.assertFalse(self.sent.is_changing)
                self.assertTrue(self.move.frontpay_can_send)
                self.assertTrue(self.attention(self.move))

    def test_the_draft_is_neither_cancelled_nor_deleted(self):
        self.change()
        for step in (
            self.move.button_cancel,
            lambda: self.move.write({"state": "cancel"}),
            self.move.unlink,
            self.move.with_context(force_delete=True).unlink,
        ):
            with self.offers_cancelling():
                step()
        self.assertEqual(self.move.state, "draft")

    def test_the_button_cancels_the_order_and_the_draft_is_free(self):
        self.change()
        action = self.move.action_frontpay_cancel()
        dialogs = self.env[action["res_model"]].with_context(**action["context"])
        dialogs.create({"note": "Given up"}).action_confirm()
        self.assertEqual(self.sent.state, "cancelled")
        self.move.button_cancel()
        self.assertEqual(self.move.state, "cancel")

    def test_a_change_that_cannot_be_sent_is_told(self):
        self.change()
        self.make_dearer()
        self.private.phone = False
        self.move.action_post()
        self.assertFalse(self.sent.update_queued)
        self.assertIn("has no phone number", self.sent.error)
        self.assertTrue(self.attention(self.move))
        self.sent._settle_payment(moved=True)
        self.assertIn("has no phone number", self.sent.error)
        self.private.phone = "+47 46567468"
        self.move.action_frontpay_send()
        self.assertFalse(self.sent.is_changing)
        self.assertEqual(self.sent.amount, 875)
        self.assertQuiet(self.move)

    def test_a_change_of_what_somebody_else_is_handling_is_told(self):
        self.change()
        self.make_dearer()
        self.patch(type(self.move), "try_lock_for_update", lambda move: move.browse())
        self.move.action_post()
        self.assertFalse(self.sent.update_queued)
        self.assertIn("handled by somebody else", self.sent.error)
        self.assertTrue(self.attention(self.move))

    def test_a_change_that_front_payment_refuses_is_told_to_somebody(self):
        self.change()
        self.make_dearer()
        self.move.action_post()
        self.sandbox.fault("status", status=417, path="invoice/submit")
        self.run_queue()
        self.assertTrue(self.sent.is_changing)
        self.sent._settle_payment(moved=True)
        self.assertIn("was changed", self.sent.error)
        self.assertTrue(self.attention(self.move))

    def test_an_update_that_is_just_going_out_is_waited_for(self):
        with transaction.sender_lock(self.move), self.assertRaises(LockError):
            self.change()
        self.assertEqual(self.move.state, "posted")

    def test_an_update_that_is_queued_waits_for_the_change(self):
        self.sent.update_queued = True
        self.change()
        self.assertFalse(self.sent.update_queued)
        self.run_queue()
        self.assertFalse(self.sandbox.requests())

    def test_while_it_is_changed_an_alert_says_what_front_payment_has(self):
        self.assertNotIn("frontpay_change", self.move._get_alerts())
        self.change()
        message = self.move._get_alerts()["frontpay_change"]["message"]
        self.assertIn(self.sent.order_uuid, message)
        self.assertIn("375", message)

    def test_nobody_is_sent_a_link_to_what_is_being_changed(self):
        buttons = ("action_frontpay_email_link", "action_frontpay_resend")
        self.assertEqual(self.shown(*buttons), set(buttons))
        self.change()
        self.assertFalse(self.shown(*buttons))
        self.assertIn("Confirm the invoice again", self.move.frontpay_next_step)
        with self.assertRaisesRegex(UserError, "is being changed"):
            self.move.action_frontpay_email_link()

    def test_the_customer_is_not_reminded_of_what_is_being_changed(self):
        self.company.write({"frontpay_reminder_days": 1, "frontpay_reminder_count": 3})
        self.sent.write(
            {"link_emailed_at": "2026-01-01", "verification_url": "https://x"}
        )
        domain = self.sent._reminder_domain(self.company)
        self.assertTrue(self.sent.filtered_domain(domain))
        self.change()
        self.assertFalse(self.sent.filtered_domain(domain))

    def test_of_several_all_are_reset_or_none(self):
        other, _order = self.sold("confirm")
        with self.assertRaisesRegex(UserError, "Credit it"):
            (self.move | other).action_frontpay_change()
        self.assertEqual(self.move.state, "posted")

    def test_only_who_may_invoice_changes(self):
        reader = new_test_user(
            self.env,
            "frontpay_reader",
            groups="account.group_account_readonly",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        with self.assertRaises(AccessError):
            self.move.with_user(reader).action_frontpay_change()
        clerk = self.move.with_user(reader).sudo().with_user(reader)
        with self.assertRaises(AccessError):
            clerk.with_context(frontpay_change=True)._frontpay_guard("draft")
        user = new_test_user(
            self.env,
            "frontpay_invoicing",
            groups="account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.move.with_user(user).action_frontpay_change()
        self.make_dearer()
        self.move.with_user(user).action_post()
        self.assertTrue(self.sent.update_queued)
