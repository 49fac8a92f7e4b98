"""What became of a batch is told to whoever sent it."""

from unittest.mock import patch

from odoo import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.frontpay_odoo.models.frontpay_order_queue import QUEUE_CHANNEL

from .test_batch import BatchCase

SUMMARY = "account_notification"


@tagged("post_install", "-at_install", "frontpay")
class TestSummary(BatchCase):
    def setUp(self):
        super().setUp()
        self.told = []
        bus = type(self.env["bus.bus"])

        def keep(_bus, target, kind, message):
            self.told.append((target, kind, message))

        self.startPatcher(patch.object(bus, "_sendone", keep))

    def summaries(self):
        """[(whom, message, the orders that *Open* opens)] so far."""
        return [
            (
                target,
                message["message"],
                self.env[message["action_button"]["model"]].browse(
                    message["action_button"]["res_ids"]
                ),
            )
            for target, kind, message in self.told
            if kind == SUMMARY
        ]

    def written(self):
        """What the sender finds in Odoo's chat."""
        chats = (
            self.env["discuss.channel"]
            .sudo()
            .search(
                [("channel_member_ids.partner_id", "=", self.bookkeeper.partner_id.id)]
            )
        )
        return chats.message_ids.filtered(
            lambda message: "Front Payment" in message.body
        )

    def send_all(self, moves):
        moves.with_user(self.bookkeeper).action_frontpay_send()

    def test_the_sender_is_told_once_when_all_have_gone(self):
        moves = self.batch()
        self.send_all(moves)
        self.assertFalse(self.summaries())
        self.run_queue()
        [(target, message, orders)] = self.summaries()
        self.assertEqual(target, self.bookkeeper.partner_id)
        self.assertEqual(message, "6 handed over")
        self.assertEqual(orders, moves.frontpay_order_ids)
        self.run_queue()
        self.assertEqual(len(self.summaries()), 1)

    def test_what_needs_somebody_is_counted_and_opened(self):
        moves = self.batch()
        self.send_all(moves)
        self.sandbox.fault("status", status=417)
        self.run_queue()
        [(_target, message, orders)] = self.summaries()
        self.assertEqual(message, "5 handed over, 1 needs you")
        self.assertEqual(orders.state, "failed")

    def test_a_later_attempt_is_not_waited_for(self):
        self.send_all(self.batch())
        self.sandbox.fault("limited", retry_after=60)
        self.run_queue()
        [(_target, message, _orders)] = self.summaries()
        self.assertEqual(message, "5 handed over, 1 tried again automatically")

    def test_what_waits_for_a_person_is_not_waited_for(self):
        """Queued for another Front Payment than the settings lead to now."""
        moves = self.batch(7)
        self.send_all(moves)
        moves[0].frontpay_order_id.sudo().base_url = "https://elsewhere.example.com/"
        self.run_queue()
        [(_target, message, orders)] = self.summaries()
        self.assertEqual(message, "6 handed over, 1 needs you")
        self.assertEqual(orders.move_id, moves[0])

    def test_nothing_is_told_while_the_queue_stands_still(self):
        self.send_all(self.batch())
        self.go_away()
        self.run_queue()
        self.assertFalse(self.summaries())
        self.come_back()
        self.run_queue_later()
        self.assertEqual(
            [message for _to, message, _orders in self.summaries()], ["6 handed over"]
        )

    def test_open_lists_hear_once_in_a_run(self):
        self.send_all(self.batch())
        self.run_queue()
        heard = [
            target for target, kind, _message in self.told if kind == QUEUE_CHANNEL
        ]
        self.assertEqual(heard, [self.bookkeeper.partner_id])

    def test_each_sender_hears_of_their_own(self):
        other = new_test_user(
            self.env,
            "frontpay_colleague",
            groups="account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.send_all(self.batch())
        self.batch(7).with_user(other).action_frontpay_send()
        self.run_queue()
        self.assertEqual(
            {(target, message) for target, message, _orders in self.summaries()},
            {
                (self.bookkeeper.partner_id, "6 handed over"),
                (other.partner_id, "7 handed over"),
            },
        )

    def test_whoever_can_not_be_told_keeps_nobody_from_sending(self):
        moves = self.batch()
        self.send_all(moves)
        Order = type(self.env["frontpay.order"])
        with (
            patch.object(Order, "_summary", side_effect=ZeroDivisionError),
            mute_logger("odoo.addons.frontpay_odoo.models.frontpay_order_queue"),
        ):
            self.run_queue()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"sent"})
        self.assertFalse(moves.frontpay_order_id.sudo().sender_id)

    def test_what_was_not_sent_is_not_counted_as_handed_over(self):
        moves = self.batch()
        self.send_all(moves)
        bank = self.company_data["default_journal_bank"]
        register = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=moves[0].ids
        )
        register.create({"journal_id": bank.id}).action_create_payments()
        self.run_queue()
        [(_sender, message, _orders)] = self.summaries()
        self.assertEqual(message, f"{len(moves) - 1} handed over, 1 not sent")

    def test_what_was_taken_out_of_the_queue_is_not_told(self):
        moves = self.batch(7)
        self.send_all(moves)
        moves[0].with_user(self.bookkeeper).action_frontpay_withdraw()
        self.run_queue()
        [(_target, message, _orders)] = self.summaries()
        self.assertEqual(message, "6 handed over")

    def test_nobody_is_told_of_what_a_program_queued(self):
        self.env["frontpay.order"].with_user(1)._enqueue(self.batch())
        self.run_queue()
        self.assertFalse(self.summaries())

    def test_whoever_is_away_gets_it_written(self):
        """Not by e-mail; and whoever is there has seen it."""
        before = self.env["mail.mail"].sudo().search([])
        for status, is_written in (("online", False), ("offline", True)):
            with self.subTest(status):
                presence = {"user_id": self.bookkeeper.id, "status": status}
                self.env["mail.presence"].search([]).unlink()
                self.env["mail.presence"].create(presence)
                self.send_all(self.batch())
                self.run_queue()
                self.assertEqual(bool(self.written()), is_written)
        [message] = self.written()
        self.assertIn("6 handed over", message.body)
        self.assertIn("/odoo/frontpay-orders", message.body)
        self.assertFalse(self.env["mail.mail"].sudo().search([]) - before)
