"""Many are sent from a list: what is told before anything goes."""

from datetime import timedelta

from lxml import etree

from odoo import Command, fields
from odoo.exceptions import AccessError, RedirectWarning
from odoo.tests import Form, new_test_user, tagged
from odoo.tools.safe_eval import safe_eval

from odoo.addons.frontpay_odoo.mapping import Problem
from odoo.addons.frontpay_odoo.models.account_move import MAX_SENT_AT_ONCE
from odoo.addons.frontpay_odoo.models.frontpay_order_queue import LATE_AFTER

from .test_queue import QueueCase


class BatchCase(QueueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bookkeeper = new_test_user(
            cls.env,
            "frontpay_bookkeeper",
            groups="account.group_account_invoice,base.group_partner_manager",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def click_send(self, moves, user=None):
        """The list's button."""
        return moves.with_user(user or self.bookkeeper).action_frontpay_send_batch()

    def dialog(self, moves):
        """The dialog that the list's button opens."""
        action = self.click_send(moves)
        self.assertEqual(
            (action["res_model"], action["target"]), ("frontpay.batch", "new")
        )
        batches = self.env[action["res_model"]].with_user(self.bookkeeper)
        return batches.browse(action["res_id"])

    def lines(self, dialog):
        """{reason: (what is to be corrected, how many invoices)}"""
        return {line.reason: (line.names, line.move_count) for line in dialog.line_ids}

    def incomplete(self, name):
        return self._customer(
            name,
            email=False,
            frontpay_customer_type="corporate",
            frontpay_organization_id="313131319",
        )


@tagged("post_install", "-at_install", "frontpay")
class TestBatchDialog(BatchCase):
    def test_a_few_go_at_once_without_a_dialog(self):
        moves = self.batch(2)
        told = self.click_send(moves)
        self.assertEqual(told["tag"], "display_notification")
        self.assertEqual(set(moves.mapped("frontpay_state")), {"sent"})

    def test_many_ask_first_and_are_queued_then(self):
        moves = self.batch(MAX_SENT_AT_ONCE + 1)
        dialog = self.dialog(moves)
        self.assertFalse(any(moves.mapped("frontpay_state")))
        self.assertEqual((dialog.ready_count, dialog.left_count), (len(moves), 0))
        self.assertFalse(dialog.line_ids)

        told = dialog.action_confirm()
        self.assertEqual(told["params"]["type"], "success")
        self.assertEqual(set(moves.mapped("frontpay_state")), {"queued"})

    def test_one_that_cannot_go_is_told_as_on_its_form(self):
        with self.assertRaisesRegex(RedirectWarning, "has no e-mail address"):
            self.click_send(self.invoice(customer=self.incomplete("Nobody")))

    def test_reasons_are_grouped_and_lead_to_what_is_to_be_corrected(self):
        first, second = self.incomplete("Astrid"), self.incomplete("Birger")
        lacking = (
            self.invoice(customer=first)
            + self.invoice(customer=first)
            + self.invoice(customer=second)
        )
        drafts = self.invoice(post=False) + self.invoice(post=False)
        good = self.invoice()
        dialog = self.dialog(lacking + drafts + good)
        self.assertEqual((dialog.ready_ids, dialog.left_count), (good, 5))
        draft = f"{drafts[0].display_name} ({self.private.name})"
        self.assertEqual(
            self.lines(dialog),
            {
                "No e-mail address": ("Astrid, Birger", 3),
                "Not posted": (f"{draft}, {draft}", 2),
            },
        )
        for line, records in zip(
            dialog.line_ids, (first + second, drafts), strict=True
        ):
            action = line.action_open_records()
            self.assertEqual(action["res_model"], records._name)
            self.assertEqual(
                self.env[records._name].search(action["domain"]), records.sorted()
            )

        deleted, left = drafts
        deleted.unlink()
        self.assertEqual(dialog.line_ids[1].action_open_records()["res_id"], left.id)

        dialog.action_confirm()
        self.assertEqual(good.frontpay_state, "sent")
        self.assertFalse(any((lacking + left).mapped("frontpay_state")))

    def test_one_sentence_about_several_invoices_is_one_reason(self):
        moves = self.batch(2)
        dialog = self.env["frontpay.batch"].create({})
        told = [(move, Problem(move, f"{move.display_name} is odd.")) for move in moves]
        dialog._fill_in(moves.browse(), told)
        self.assertEqual(dialog.line_ids.mapped("move_count"), [2])

    def test_one_record_is_told_with_its_remedy(self):
        lacking = self.invoice(customer=self.incomplete("Astrid"))
        [line] = self.dialog(lacking + self.invoice()).line_ids
        self.assertIn("fill it in on the customer", line.reason)
        self.assertEqual(line.action_open_records()["res_id"], lacking.partner_id.id)

    def test_of_many_records_some_are_named(self):
        moves = self.env["account.move"].union(
            *(self.invoice(post=False) for _number in range(7))
        )
        [line] = self.dialog(moves).line_ids
        self.assertTrue(line.names.endswith(" and 2 more"))
        self.assertEqual(line.move_count, 7)

    def test_a_mixed_bag(self):
        """What a list may hold: nothing raises, and only what can go goes."""
        sent = self.invoice()
        sent.action_frontpay_send()
        bill = self.invoice(move_type="in_invoice", customer=self.corporate)
        note = self.invoice()._reverse_moves()
        note.action_post()
        good = self.invoice()
        again = self.order(
            self.invoice(), "paid", token="paid", order_uuid="ODR9"
        ).move_id
        dialog = self.dialog(sent + bill + note + good + again)
        self.assertEqual(dialog.ready_ids, good)
        reasons = " ".join(dialog.line_ids.mapped("reason"))
        for text in (
            "hasn't changed since",
            "is no customer invoice",
            "isn't at Front Payment",
            "handed to Front Payment already",
        ):
            with self.subTest(text):
                self.assertIn(text, reasons)
        dialog.action_confirm()
        self.assertEqual(good.frontpay_state, "sent")

    def test_settings_are_opened_by_who_may_change_them(self):
        moves = self.batch(2)
        self.company.frontpay_callback_secret = False
        [line] = self.dialog(moves).line_ids
        self.assertFalse(line.can_open)
        self.assertEqual(line.move_count, 2)
        self.bookkeeper.group_ids += self.env.ref("base.group_system")
        line.invalidate_recordset()
        self.assertTrue(line.can_open)
        self.assertIn("/odoo/settings#", line.action_open_records()["url"])

    def test_the_dialog_works_when_it_is_made_by_create(self):
        moves = self.batch() + self.invoice(post=False)
        context = self.click_send(moves)["context"]
        batches = self.env["frontpay.batch"].with_user(self.bookkeeper)
        dialog = batches.with_context(**context).create({})
        self.assertEqual((dialog.ready_count, dialog.left_count), (len(moves) - 1, 1))
        dialog.action_confirm()
        self.assertEqual(set(dialog.ready_ids.mapped("frontpay_state")), {"queued"})

    def test_what_changed_since_the_dialog_opened_is_looked_at_again(self):
        moves = self.batch()
        dialog = self.dialog(moves)
        moves[0].button_draft()
        told = dialog.action_confirm()["params"]
        self.assertEqual(told["type"], "danger")
        self.assertIn("isn't posted yet", told["message"])
        self.assertFalse(moves[0].frontpay_state)

    def test_how_long_it_takes(self):
        limit = self.env["ir.config_parameter"].sudo()
        moves = self.batch()
        for calls, text in (
            (240, "in about a minute"),
            (3, "in about 3 minutes"),
            (1, "in about 7 minutes"),
        ):
            limit.set_param("frontpay_odoo.calls_per_minute", calls)
            with self.subTest(calls):
                self.assertIn(text, self.dialog(moves).duration)
        limit.set_param("frontpay_odoo.calls_per_minute", 1)
        self.env["frontpay.order"]._enqueue(self.batch(3))
        self.assertIn("in about 10 minutes", self.dialog(moves).duration)

    def test_a_stopped_scheduler_is_told(self):
        cron = self.env.ref("frontpay_odoo.cron_send").sudo()
        now = fields.Datetime.now()
        moves = self.batch()
        for values, text in (
            ({"nextcall": now + timedelta(minutes=1)}, ""),
            ({"nextcall": now - LATE_AFTER + timedelta(minutes=1)}, ""),
            ({"nextcall": now - LATE_AFTER - timedelta(minutes=1)}, "hasn't run since"),
            ({"active": False}, "switched off"),
        ):
            with self.subTest(**values):
                cron.write(values)
                warning = self.dialog(moves).scheduler_warning or ""
                self.assertEqual(text in warning, True)
                self.assertEqual(bool(warning), bool(text))
        cron.unlink()
        self.assertIn("switched off", self.dialog(moves).scheduler_warning)

    def test_it_offers_to_send_what_can_go(self):
        view = self.env["frontpay.batch"].get_view(view_type="form")
        buttons = etree.fromstring(view["arch"]).xpath("//footer/button[@string]")
        for ready, left, offered in (
            (2, 0, ["Send", "Close"]),
            (2, 1, ["Send Those That Can Go", "Close"]),
            (0, 1, ["Close"]),
        ):
            with self.subTest(ready=ready, left=left):
                counts = {"ready_count": ready, "left_count": left}
                shown = [
                    button.get("string")
                    for button in buttons
                    if not safe_eval(button.get("invisible", "False"), counts)
                ]
                self.assertEqual(shown, offered)

    def test_the_dialog_opens(self):
        with Form(self.dialog(self.batch() + self.invoice(post=False))) as form:
            self.assertEqual(form.left_count, 1)

    def test_nobody_else_sends_a_batch(self):
        moves = self.batch()
        groups = {
            "reader": "account.group_account_readonly",
            "employee": "base.group_user",
            "portal": "base.group_portal",
        }
        for login, group in groups.items():
            user = new_test_user(self.env, f"frontpay_batch_{login}", groups=group)
            with self.subTest(login):
                with self.assertRaises(AccessError):
                    self.click_send(moves, user)
                with self.assertRaises(AccessError):
                    self.env["frontpay.batch"].with_user(user).create(
                        {"move_ids": moves.ids}
                    )
        stranger = new_test_user(
            self.env,
            "frontpay_batch_stranger",
            groups="account.group_account_invoice",
            company_id=self.other_company().id,
        )
        with self.assertRaises(AccessError):
            self.click_send(moves, stranger)
