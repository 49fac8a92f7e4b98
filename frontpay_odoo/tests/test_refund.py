from contextlib import nullcontext, suppress
from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

from lxml import etree

from odoo import Command, fields
from odoo.exceptions import LockError, UserError
from odoo.tests import BaseCase, Form, new_test_user, tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval
from odoo.tools.view_validation import get_expression_field_names

from odoo.addons.frontpay_odoo.connect import errors
from odoo.addons.frontpay_odoo.connect.client import Client
from odoo.addons.frontpay_odoo.connect.order import Product
from odoo.addons.frontpay_odoo.connect.refund import (
    DoesNotFit,
    OrderLine,
    allocated,
    code_of,
)
from odoo.addons.frontpay_odoo.connect.responses import (
    OrderStatus,
    data_of,
    order_details,
    order_status,
)
from odoo.addons.frontpay_odoo.mapping import has_line_ids
from odoo.addons.frontpay_odoo.models.frontpay_order_refunds import PENDING_FOR
from odoo.addons.frontpay_odoo.tools import transaction
from odoo.addons.frontpay_odoo.tools.error_messages import (
    REFUND_REFUSED_BY_STATUS,
    refund_message,
)

from .common import SandboxCase, run_cron

NBSP = "\N{NO-BREAK SPACE}"
ATTENTION = "frontpay_odoo.activity_attention"
REFUND = "POST connect/orders/refund/"
APPROVAL = "POST orders/refund/request/approval/"
PAID = ("confirm", "pay")
# The buttons of a credit note in each state of its refund.
NOW, WITHDRAW = "Send to Front Payment Now", "Don't Refund"
BUTTONS = {
    "queued": [NOW, WITHDRAW],
    "sending": ["Check Outcome"],
    "unknown": ["Check Outcome"],
    "failed": ["Send to Front Payment"],
    "pending": ["Check Outcome"],
    "needs_approval": ["Ask for Approval", NOW, WITHDRAW],
    "refunded": [],
    "rejected": ["Send to Front Payment"],
}
# What the credit note says is to be done then, and whether who pays it in Odoo is
# warned.
STEPS = {
    "queued": ("automatically", True),
    "sending": ("just being handed", True),
    "unknown": ("Don't pay it back yourself", True),
    "failed": ("once the cause is corrected", False),
    "pending": ("Front Payment decides", True),
    "needs_approval": ("Ask Front Payment for approval", True),
    "rejected": ("pay it back yourself", False),
}
OUT_OF_RUNWAY = "refundRejectionForOutOfRunwayParam"
# For which of Front Payment's codes a bookkeeper reads what to do.
TOLD_CODES = (
    "refundRejectionForWeeklyThresholdExceed",
    "refundRejectionForRequestAmountThresholdExceed",
    OUT_OF_RUNWAY,
    "refundRejectionForRefundRequestGreaterThanOrderAmount",
    "refundRejectionForProductAmountExceed",
    "requestProductIdNotAvailable",
    "orderProductsNotFound",
    f"{REFUND_REFUSED_BY_STATUS}Cancelled",
)


class RefundCase(SandboxCase):
    """An invoice of two lines, 125.00 and 250.00, and its order at the sandbox."""

    def setUp(self):
        super().setUp()
        self.usual_settings()
        self.move, self.sent = self.sold()

    def usual_settings(self):
        self.sandbox.control(
            "POST",
            "settings",
            {
                "line_ids": True,
                "refund_outcome": True,
                "refund_amount_limit": 5000,
                "refund_week_limit": 3,
            },
        )

    def sold(self, *actions, lines=(), **values):
        """A sent invoice, and what its customer did."""
        lines = lines or (self.line(), self.line(price=200, name="Cable"))
        move = self.invoice(*lines, **values)
        move.action_frontpay_send()
        order = move.frontpay_order_id.sudo()
        self.happens(order, *actions)
        self.sandbox.control("DELETE", "requests")
        return move, order

    def happens(self, order, *actions):
        for action in actions:
            self.sandbox.act(order.order_uuid, action)
        self.ask(order)

    def ask(self, order=None):
        """Polling asks what became of the order."""
        order = order or self.sent
        list(order._poll(order.company_id, 5))

    def credit(self, *amounts, move=None, post=True, **values):
        """A credit note: whole, or of these net amounts of the first lines."""
        move = move or self.move
        note = move._reverse_moves([{"invoice_date": "2026-02-03", **values}])
        if amounts:
            lines = note.invoice_line_ids
            lines[len(amounts) :].unlink()
            for line, amount in zip(lines, amounts, strict=False):
                line.write({"price_unit": amount, "quantity": 1})
        if post:
            note.action_post()
        return note

    def refunds(self):
        """(status, amount) of the sandbox's refunds, oldest first."""
        found = self.sandbox.control("GET", "refunds")
        return [(refund["status"], refund["amount"]) for refund in found]

    def decide(self, *decisions, order=None):
        """Front Payment decides about its pending refunds, oldest first."""
        found = self.sandbox.control("GET", "refunds")
        pending = [each["id"] for each in found if each["status"] == "PENDING"]
        for refund_id, decision in zip(pending, decisions, strict=False):
            self.sandbox.control("POST", f"refunds/{refund_id}/{decision}")
        self.ask(order)

    def refund_calls(self):
        return [call for call in self.sandbox.requests() if "refund" in call]

    def payments(self, move):
        return self.env["account.payment"].search(
            [("partner_id", "=", move.partner_id.id)], order="id"
        )

    def attention(self, move):
        return move.activity_search([ATTENTION])

    def clearing(self):
        """The balance of Front Payment's own account: what it owes the company."""
        account = self.company.frontpay_journal_id.default_account_id
        lines = self.env["account.move.line"].search(
            [("account_id", "=", account.id), ("parent_state", "=", "posted")]
        )
        return round(sum(lines.mapped("balance")), 2)

    def owed(self):
        """What the sandbox has got from customers, less what it paid back."""
        owed = 0
        for order in self.sandbox.orders():
            was_paid = any(step["status"] == "PAID" for step in order["statuses"])
            if was_paid:
                owed += float(order["orderAmount"]) - float(order["refundedAmount"])
        return round(owed, 2)

    def assertBooked(self, note):
        """Paid back once, on the credit note's own day, out of the same journal."""
        payment = note.frontpay_refund_id.sudo().payment_id
        self.assertEqual(payment.payment_type, "outbound")
        self.assertEqual(payment.journal_id, self.company.frontpay_journal_id)
        self.assertEqual(payment.date, note.invoice_date)
        self.assertEqual(payment.amount, note.amount_total)
        self.assertIn(note.name, payment.memo)
        self.assertIn(note.reversed_entry_id.frontpay_order_uuid, payment.memo)
        self.assertEqual(payment.reconciled_invoice_ids, note)
        self.assertEqual(note.amount_residual, 0)
        self.assertEqual(self.clearing(), self.owed())

    def assertQuiet(self, *moves):
        """Nothing is told, and nobody has anything to do."""
        for move in moves:
            self.assertFalse(move.frontpay_error)
            self.assertFalse(self.attention(move))

    def assertRefused(self, note, pattern):
        """A sentence says why; nothing went out, and no refund is left behind."""
        before = note.frontpay_refund_state
        with self.assertRaisesRegex(UserError, pattern):
            note.action_frontpay_send()
        self.assertEqual(note.frontpay_refund_state, before)
        self.assertFalse(self.refund_calls())


@tagged("post_install", "-at_install", "frontpay")
class TestRefund(RefundCase):
    def test_a_credit_note_of_a_paid_invoice_is_refunded_and_booked_out(self):
        self.happens(self.sent, *PAID)
        self.assertEqual(self.clearing(), 375)
        note = self.credit()
        told = note.action_frontpay_send()
        self.assertEqual(told["params"]["type"], "success")
        self.assertEqual(note.frontpay_refund_state, "pending")
        self.assertEqual(self.refunds(), [("PENDING", "375.00")])
        self.assertEqual(note.amount_residual, 375)
        self.decide("confirm")
        self.assertEqual(note.frontpay_refund_state, "refunded")
        self.assertEqual(self.sent.state, "refunded")
        self.assertBooked(note)
        refund = note.frontpay_refund_id.sudo()
        opened = refund.payment_id.action_frontpay_open()
        self.assertEqual(opened["res_model"], "frontpay.refund")
        self.assertEqual(self.clearing(), 0)
        self.assertQuiet(self.move, note)

    def test_what_goes_out_names_type_lines_and_total(self):
        self.happens(self.sent, *PAID)
        self.credit(100, 20).action_frontpay_send()
        [refund] = self.sandbox.control("GET", "refunds")
        payload = refund["payload"]
        self.assertEqual(payload["type"], "invoiced")
        self.assertEqual(payload["grandTotal"], 150)
        amounts = [line["amount"] for line in payload["products"]]
        self.assertEqual(amounts, [125, 25])
        ids = [line["id"] for line in payload["products"]]
        self.assertEqual(ids, sorted(set(ids)))

    def test_an_order_that_was_never_invoiced_is_refunded_as_regular(self):
        self.private.with_company(self.company).frontpay_channel = "payment_link"
        move, order = self.sold("pay")
        note = self.credit(move=move)
        note.action_frontpay_send()
        [refund] = self.sandbox.control("GET", "refunds")
        self.assertEqual(refund["payload"]["type"], "regular")
        self.decide("confirm", order=order)
        self.assertBooked(note)

    def test_an_invoice_whose_number_never_came_is_refunded_as_invoiced(self):
        self.sandbox.fault("status", status=500, path="invoice-number")
        self.happens(self.sent, *PAID)
        self.assertFalse(self.sent.invoice_number)
        note = self.credit(100)
        note.action_frontpay_send()
        [refund] = self.sandbox.control("GET", "refunds")
        self.assertEqual(refund["payload"]["type"], "invoiced")
        self.assertTrue(self.sent.invoice_number)

    def test_each_line_gives_what_is_left_of_it(self):
        self.happens(self.sent, *PAID)
        for price, part in ((40, "50.00"), (60, "75.00")):
            note = self.credit(price)
            note.action_frontpay_send()
            refund = note.frontpay_refund_id.sudo()
            self.assertEqual(list(refund.lines.values()), [part])

    def test_what_was_registered_by_hand_and_not_matched_yet_was_received(self):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.private.id,
                "journal_id": self.company.frontpay_journal_id.id,
                "amount": 375,
                "memo": f"From Front Payment, {self.sent.order_uuid}",
            }
        )
        payment.action_post()
        self.assertEqual(self.sent._received(), 375)

    def test_of_two_credit_notes_the_first_one_is_refunded_first(self):
        self._end_apart(0)

    def test_of_two_credit_notes_the_second_one_is_refunded_first(self):
        self._end_apart(1)

    def _end_apart(self, first):
        self.happens(self.sent, *PAID)
        notes = [self.credit(40), self.credit(60)]
        for note in notes:
            note.action_frontpay_send()
        ids = [each["id"] for each in self.sandbox.control("GET", "refunds")]
        for position, left in ((first, "pending"), (1 - first, "refunded")):
            self.sandbox.control("POST", f"refunds/{ids[position]}/confirm")
            self.ask()
            self.assertEqual(notes[position].frontpay_refund_state, "refunded")
            self.assertEqual(notes[1 - position].frontpay_refund_state, left)
            self.assertBooked(notes[position])
        self.assertQuiet(self.move, *notes)
        self.assertEqual(self.sent.state, "partially_refunded")

    def test_two_that_are_confirmed_between_two_questions_are_both_refunded(self):
        self.happens(self.sent, *PAID)
        notes = [self.credit(40), self.credit(40), self.credit(60)]
        for note in notes:
            note.action_frontpay_send()
        self.decide("confirm", "confirm")
        self.assertEqual(
            [note.frontpay_refund_state for note in notes],
            ["refunded", "refunded", "pending"],
        )
        self.decide("confirm")
        for note in notes:
            self.assertBooked(note)
        self.assertEqual(len(self.payments(self.move)), 4)

    def test_of_many_one_alone_or_all_together_are_found_in_a_figure(self):
        """To try every sum of some of them would take for ever."""
        refunds = self.env["frontpay.refund"].sudo()
        for number in range(9):
            refunds += refunds.new({"amount": 2**number, "state": "pending"})
        for some, amount, count in (
            (refunds, 4, 1),
            (refunds, 511, 9),
            (refunds, 3, 0),
            (refunds[:8], 3, 2),
        ):
            with self.subTest(amount=amount, of=len(some)):
                self.assertEqual(len(some._matching(Decimal(amount))), count)

    def test_the_company_that_books_at_the_invoice_books_it_out_as_well(self):
        self.company.frontpay_settle_on = "invoiced"
        self.happens(self.sent, "confirm")
        note = self.credit(100)
        note.action_frontpay_send()
        self.decide("confirm")
        self.assertEqual(note.frontpay_refund_state, "refunded")
        payment = note.frontpay_refund_id.sudo().payment_id
        self.assertEqual((payment.amount, note.amount_residual), (125, 0))
        self.assertEqual(self.clearing(), 250)
        self.assertQuiet(self.move, note)

    def test_what_counted_as_received_is_booked_out_however_it_counts_now(self):
        for is_sent_before in (True, False):
            with self.subTest(is_sent_before=is_sent_before):
                self.setUp()
                self.company.frontpay_settle_on = "invoiced"
                self.happens(self.sent, "confirm")
                note = self.credit(100)
                if is_sent_before:
                    note.action_frontpay_send()
                self.company.frontpay_settle_on = "paid"
                self.ask()
                if not is_sent_before:
                    note.action_frontpay_send()
                self.decide("confirm")
                payment = note.frontpay_refund_id.sudo().payment_id
                self.assertEqual((payment.amount, note.amount_residual), (125, 0))
                self.assertQuiet(self.move, note)
                self.happens(self.sent, "pay")
                self.assertQuiet(self.move, note)

    def test_a_claim_is_lowered_and_the_rest_is_paid(self):
        self.happens(self.sent, "confirm")
        note = self.credit(100)
        self.assertEqual(self.move.amount_residual, 250)
        note.action_frontpay_send()
        self.decide("confirm")
        self.assertEqual(note.frontpay_refund_state, "refunded")
        self.assertEqual(self.sent.state, "invoiced")
        self.assertQuiet(self.move, note)
        self.happens(self.sent, "pay")
        self.assertEqual(self.sent.payment_id.amount, 250)
        self.assertEqual(self.move.amount_residual, 0)
        self.assertEqual(self.clearing(), self.owed())
        self.assertQuiet(self.move, note)
        with self.assertRaisesRegex(UserError, "only"):
            self.credit().action_frontpay_send()

    def test_a_lowered_claim_is_right_while_it_is_being_lowered_once_more(self):
        self.happens(self.sent, "confirm")
        notes = [self.credit(100), self.credit(0, 40)]
        notes[0].action_frontpay_send()
        self.decide("confirm")
        notes[1].action_frontpay_send()
        report = OrderStatus("INVOICED", Decimal(125), amount=Decimal(250))
        self.sent._apply_response(report)
        self.assertEqual(notes[1].frontpay_refund_state, "pending")
        self.assertQuiet(self.move, *notes)

    def test_a_claim_that_is_credited_wholly_is_gone(self):
        self.happens(self.sent, "confirm")
        note = self.credit()
        note.action_frontpay_send()
        self.decide("confirm")
        self.assertEqual(self.sent.state, "refunded")
        self.assertEqual(note.frontpay_refund_state, "refunded")
        self.assertFalse(self.payments(self.move))
        self.assertQuiet(self.move, note)

    def test_what_is_paid_while_the_claim_is_being_lowered_waits_for_that(self):
        self.happens(self.sent, "confirm")
        note = self.credit(100)
        note.action_frontpay_send()
        self.happens(self.sent, "pay")
        self.assertFalse(self.sent.payment_id)
        self.assertQuiet(self.move, note)
        self.decide("confirm")
        self.assertEqual(self.sent.payment_id.amount, 250)
        self.assertEqual(self.clearing(), self.owed())
        self.assertQuiet(self.move, note)

    def test_a_status_that_does_not_tell_a_payment_books_none(self):
        self.happens(self.sent, "confirm")
        note = self.credit(100)
        note.action_frontpay_send()
        self.decide("confirm")
        self.sent._apply_status("PARTIAL REFUNDED")
        self.assertFalse(self.sent.payment_id)
        self.assertIn("doesn't tell whether the customer has paid", self.sent.error)
        self.assertTrue(self.attention(self.move))

    def test_a_rejected_refund_is_told_and_can_be_sent_again(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        note.action_frontpay_send()
        self.decide("reject")
        self.assertEqual(note.frontpay_refund_state, "rejected")
        self.assertIn("rejected", note.frontpay_error)
        self.assertTrue(self.attention(note))
        self.assertEqual(note.amount_residual, 125)
        with (
            self.undone(),
            patch.object(transaction, "is_untouched", return_value=False),
        ):
            note.action_frontpay_send()
            self.assertEqual(note.frontpay_refund_state, "queued")
        note.action_frontpay_send()
        self.assertEqual(note.frontpay_refund_state, "pending")
        self.assertQuiet(note)
        # What Front Payment still says of the first one isn't about this one.
        self.ask()
        self.assertEqual(note.frontpay_refund_state, "pending")
        self.decide("confirm")
        self.assertBooked(note)

    def test_a_rejection_after_another_one_is_for_a_person_to_see(self):
        """An answer that tells of none proves nothing: what comes next may still be
        about the first one, and what isn't rejected must not be sent again."""
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        note.action_frontpay_send()
        self.decide("reject")
        note.action_frontpay_send()
        refund = note.frontpay_refund_id.sudo()
        self.ask()
        refund.requested_at -= timedelta(days=1)
        self.ask()
        self.decide("reject")
        self.assertEqual(note.frontpay_refund_state, "pending")
        self.assertFalse(self.attention(note))
        refund.requested_at -= PENDING_FOR
        self.ask()
        self.assertEqual(note.frontpay_refund_state, "pending")
        self.assertTrue(self.attention(note))
        self.say(note, "not_refunded")
        self.assertEqual(note.frontpay_refund_state, "rejected")

    def test_which_of_several_was_rejected_is_for_a_person_to_say(self):
        self.happens(self.sent, *PAID)
        notes = [self.credit(40), self.credit(60)]
        for note in notes:
            note.action_frontpay_send()
        self.sandbox.control("POST", "settings", {"refund_outcome": True})
        self.decide("reject", "reject")
        for note in notes:
            self.assertEqual(note.frontpay_refund_state, "pending")
            self.assertIn("doesn't say which", note.frontpay_error)
            self.say(note, "not_refunded")
            self.assertEqual(note.frontpay_refund_state, "rejected")

    def test_without_figures_the_status_confirms(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        note.action_frontpay_send()
        self.sent._apply_response(OrderStatus("PAID"))
        self.assertEqual(note.frontpay_refund_state, "pending")
        self.sent._apply_response(OrderStatus("PARTIAL REFUNDED"))
        self.assertEqual(note.frontpay_refund_state, "refunded")

    def test_a_figure_that_fits_none_is_for_a_person_to_explain(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        note.action_frontpay_send()
        self.sandbox.control(
            "POST", f"orders/{self.sent.order_uuid}/refund", {"amount": "10.00"}
        )
        self.ask()
        self.assertEqual(note.frontpay_refund_state, "pending")
        self.assertIn("10.00", note.frontpay_error.replace(NBSP, " "))
        self.assertTrue(self.attention(note))
        with self.assertRaisesRegex(UserError, "Check Outcome"):
            self.credit(20).action_frontpay_send()
        self.say(note, "refunded")
        self.assertEqual(note.frontpay_refund_state, "refunded")

    def test_errors_are_searched_of_orders_and_refunds(self):
        moves = self.env["account.move"]
        self.happens(self.sent, *PAID)
        note, other = self.credit(100), self.credit(20)
        note.action_frontpay_send()
        mine = [("id", "in", (self.move + note + other).ids)]
        cases = (
            (self.sent, self.move),
            (note.sudo().frontpay_refund_id, note),
        )
        for record, move in cases:
            with self.subTest(record):
                record.error = "Something is wrong"
                has_error = [("frontpay_error", "!=", False)]
                told = [("frontpay_error", "ilike", "is wrong")]
                quiet = [("frontpay_error", "=", False)]
                self.assertIn(move, moves.search(mine + has_error))
                self.assertNotIn(other, moves.search(mine + has_error))
                self.assertEqual(moves.search(mine + told), move)
                self.assertNotIn(move, moves.search(mine + quiet))
                self.assertIn(other, moves.search(mine + quiet))
                record.error = False

    def say(self, note, decision):
        """A person decides in the dialog."""
        action = note.action_frontpay_resolve()
        self.assertEqual(action["res_model"], "frontpay.refund.resolve")
        dialog = self.env[action["res_model"]].browse(action["res_id"])
        getattr(dialog, f"action_{decision}")()

    def test_a_list_of_credit_notes_is_handed_over_each_on_its_own(self):
        self.happens(self.sent, *PAID)
        other, order = self.sold(*PAID)
        notes = self.credit(100) + self.credit(move=other)
        draft = self.credit(50, post=False)
        told = (notes + draft).action_frontpay_send()
        self.assertEqual(told["params"]["type"], "danger")
        self.assertIn("2 credit notes handed", told["params"]["message"])
        self.assertIn("isn't posted yet", told["params"]["message"])
        self.assertEqual(len(self.refunds()), 2)
        self.assertEqual(order.refund_ids.state, "pending")

    def test_invoices_and_credit_notes_go_together(self):
        self.happens(self.sent, *PAID)
        invoice, note = self.invoice(), self.credit(100)
        told = (invoice + note).action_frontpay_send()
        self.assertEqual(told["params"]["type"], "success")
        self.assertEqual(invoice.frontpay_state, "sent")
        self.assertEqual(note.frontpay_refund_state, "pending")

    def test_what_can_not_go_of_both_keeps_nothing_else(self):
        self.happens(self.sent, *PAID)
        nobody = self._customer("Nobody", email=False)
        drafts = self.credit(10, post=False) + self.credit(20, post=False)
        for good, bad, sentence in (
            (self.invoice(), drafts[0], "isn't posted yet"),
            (self.invoice(), drafts, "isn't posted yet"),
            (self.credit(100), self.invoice(customer=nobody), "has no e-mail address"),
        ):
            with self.subTest(sentence, bad=len(bad)):
                told = (good + bad).action_frontpay_send()["params"]
                self.assertIn(sentence, told["message"])
                state = good.frontpay_refund_state or good.frontpay_state
                self.assertIn(state, ("sent", "pending"))
                self.assertFalse(any(bad.mapped("frontpay_state")))

    def test_in_the_middle_of_other_changes_it_is_queued_and_goes_out_later(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        with patch.object(transaction, "is_untouched", return_value=False):
            note.action_frontpay_send()
        self.assertEqual(note.frontpay_refund_state, "queued")
        self.assertFalse(self.refunds())
        self.send_queue()
        self.assertEqual(note.frontpay_refund_state, "pending")

    def send_queue(self):
        self.env["frontpay.refund"].sudo()._cron_refund()

    def test_a_queued_one_that_cannot_be_refunded_any_more_is_told(self):
        self.happens(self.sent, "confirm")
        note = self.credit(100)
        with patch.object(transaction, "is_untouched", return_value=False):
            note.action_frontpay_send()
        note.line_ids.remove_move_reconcile()
        self.send_queue()
        self.assertEqual(note.frontpay_refund_state, "failed")
        self.assertTrue(self.attention(note))
        self.assertFalse(self.refunds())

    def test_a_queued_one_can_be_taken_out_again(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        with patch.object(transaction, "is_untouched", return_value=False):
            note.action_frontpay_send()
        note.action_frontpay_withdraw()
        self.assertEqual(note.frontpay_refund_state, "failed")
        self.send_queue()
        self.assertFalse(self.refunds())
        note.button_draft()
        note.unlink()

    def test_one_that_is_deleted_meanwhile_keeps_no_other_waiting(self):
        self.happens(self.sent, *PAID)
        notes = self.credit(10) + self.credit(20) + self.credit(30)
        with patch.object(transaction, "is_untouched", return_value=False):
            notes.action_frontpay_send()
        sending = notes.frontpay_refund_id.sudo()._send_for(self.company)
        next(sending)
        notes[1].action_frontpay_withdraw()
        notes[1].button_draft()
        notes[1].unlink()
        list(sending)
        self.assertEqual(
            (notes[0] + notes[2]).mapped("frontpay_refund_state"), ["pending"] * 2
        )

    def test_what_is_wrong_for_all_is_tried_with_the_first_one_only(self):
        self.happens(self.sent, *PAID)
        notes = self.credit(10) + self.credit(20)
        with patch.object(transaction, "is_untouched", return_value=False):
            notes.action_frontpay_send()
        for error in (errors.Unreachable("nobody"), errors.Unauthorized("no")):
            with (
                self.subTest(type(error).__name__),
                self.undone(),
                patch.object(Client, "refund", side_effect=error) as refund,
            ):
                self.send_queue()
                self.assertEqual(refund.call_count, 1)
                self.assertEqual(notes[1].frontpay_refund_state, "queued")

    def test_a_copy_of_the_database_sends_no_queued_refund(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        with patch.object(transaction, "is_untouched", return_value=False):
            note.action_frontpay_send()
        refund = note.frontpay_refund_id.sudo()
        refund.database_uuid = "another"
        done = sum(refund._send_for(self.company))
        self.assertEqual(done, 1)  # or Odoo would start the cron over and over
        self.assertEqual(note.frontpay_refund_state, "failed")
        self.assertIn("copy", note.frontpay_error)
        self.assertFalse(self.refunds())


@tagged("post_install", "-at_install", "frontpay")
class TestOpenOrder(RefundCase):
    """The customer hasn't confirmed: nothing is paid back."""

    def test_a_whole_credit_note_cancels_the_order(self):
        note = self.credit(ref="Ordered by mistake")
        note.action_frontpay_send()
        self.assertEqual(self.sent.state, "cancelled")
        self.assertEqual(note.frontpay_refund_state, "refunded")
        [order] = self.sandbox.orders()
        self.assertEqual(order["status"], "CANCELLED")
        self.assertIn("Ordered by mistake", order["statuses"][-1]["note"])
        self.assertFalse(self.refund_calls())
        self.assertFalse(self.payments(self.move))
        self.assertQuiet(self.move, note)

    def test_a_partial_one_updates_it_with_what_is_left(self):
        note = self.credit(40)
        note.action_frontpay_send()
        self.assertEqual(note.frontpay_refund_state, "refunded")
        [order] = self.sandbox.orders()
        self.assertEqual(order["orderAmount"], "325.00")
        names = [line["name"] for line in order["payload"]["products"]]
        self.assertEqual(names, ["Router", "Cable"])
        self.assertEqual(self.sent.amount, 325)
        self.assertQuiet(self.move, note)
        self.happens(self.sent, *PAID)
        self.assertEqual(self.sent.payment_id.amount, 325)
        self.assertEqual(self.move.amount_residual, 0)
        self.assertEqual(self.clearing(), self.owed())
        self.assertQuiet(self.move, note)

    def test_whole_lines_and_pieces_are_taken_off(self):
        lines = (
            self.line(price=33.33, quantity=3),
            self.line(price=10, rate=15, name="Bun"),
            self.line(price=10, rate=0, name="Book", discount=10),
        )
        for mode in ("net", "line"):
            with self.subTest(mode):
                self.company.frontpay_discount_mode = mode
                move, order = self.sold(lines=lines)
                note = move._reverse_moves([{"invoice_date": "2026-02-03"}])
                note.invoice_line_ids[1:].unlink()
                note.invoice_line_ids.quantity = 2
                note.action_post()
                note.action_frontpay_send()
                self.assertEqual(note.frontpay_refund_state, "refunded")
                self.assertEqual(order.amount, move.amount_residual)

    def test_afterwards_it_is_credited_again_and_then_cancelled(self):
        for amount, total in ((40, "325.00"), (60, "250.00")):
            self.credit(amount).action_frontpay_send()
            self.assertEqual(self.sandbox.orders()[0]["orderAmount"], total)
        rest = self.credit(0, 200)
        self.assertEqual(rest.amount_total, self.move.amount_total - 125)
        rest.action_frontpay_send()
        self.assertEqual(self.sent.state, "cancelled")
        self.assertQuiet(self.move, rest)

    def test_a_customer_who_confirms_meanwhile_is_refunded_at_the_next_click(self):
        for amounts in ((), (40,)):
            with self.subTest(amounts):
                self.setUp()
                self.sandbox.act(self.sent.order_uuid, "confirm")
                note = self.credit(*amounts)
                told = note.action_frontpay_send()
                self.assertEqual(told["params"]["type"], "danger")
                self.assertEqual(note.frontpay_refund_state, "failed")
                self.ask()
                note.action_frontpay_send()
                self.assertEqual(note.frontpay_refund_state, "pending")

    def test_an_order_that_ends_meanwhile_leaves_nothing_to_take_back(self):
        for amounts in ((), (40,)):
            for ending in ("expire", "cancel"):
                with self.subTest(ending, amounts=amounts):
                    self.setUp()
                    self.sandbox.act(self.sent.order_uuid, ending)
                    note = self.credit(*amounts)
                    note.action_frontpay_send()
                    if amounts:  # a refused update doesn't tell the order's status
                        self.ask()
                    self.assertEqual(note.frontpay_refund_state, "refunded")
                    self.assertFalse(note.frontpay_error)
                    self.assertFalse(self.attention(note))

    def test_what_is_queued_or_failed_is_over_when_its_order_is(self):
        for state in ("queued", "failed"):
            with self.subTest(state):
                self.setUp()
                note = self.credit()
                refund = self.env["frontpay.refund"]._enqueue_notes(note)
                if state == "failed":
                    refund._withdraw()
                self.assertEqual(note.frontpay_refund_state, state)
                self.happens(self.sent, "expire")
                self.assertEqual(note.frontpay_refund_state, "refunded")
                self.assertFalse(self.attention(note))
                self.assertFalse(self.payments(self.move))

    def test_a_lost_answer_is_settled_by_sending_once_more(self):
        for amounts, path in (((), "cancel"), ((40,), "invoice/submit")):
            for when in ("before", "after"):
                with self.subTest(path, when=when):
                    self.setUp()
                    note = self.credit(*amounts)
                    self.sandbox.fault("drop", when=when, path=path)
                    note.action_frontpay_send()
                    if note.frontpay_refund_state != "refunded":
                        self.assertEqual(note.frontpay_refund_state, "failed")
                        note.action_frontpay_send()
                    self.assertEqual(note.frontpay_refund_state, "refunded")
                    self.assertEqual(len(self.sandbox.orders()), 1)

    def test_what_lowered_the_order_is_not_refunded_once_more(self):
        """The answer was lost or its reader died, and the customer has confirmed."""
        for is_lost, is_told in ((True, True), (True, False), (False, True)):
            with self.subTest(is_lost=is_lost, is_told=is_told):
                self.setUp()
                note = self.credit(100)
                (self.lose_answer if is_lost else self.die)(note)
                self.sandbox.act(self.sent.order_uuid, "confirm")
                if is_told:
                    self.ask()
                else:
                    self.sent._apply_response(OrderStatus("INVOICED"))
                with suppress(UserError), self.without_amount(not is_told):
                    note.action_frontpay_send()
                self.assertEqual(note.frontpay_refund_state, "refunded")
                self.assertFalse(self.refund_calls())
                self.happens(self.sent, "pay")
                self.assertEqual(self.sent.payment_id.amount, 250)
                self.assertEqual(self.move.amount_residual, 0)
                self.assertQuiet(self.move, note)

    def lose_answer(self, note):
        self.sandbox.fault("drop", when="after", path="invoice/submit")
        note.action_frontpay_send()
        self.assertEqual(note.frontpay_refund_state, "failed")

    def die(self, note):
        refunds = self.env["frontpay.refund"].sudo()
        death = patch.object(type(refunds), "_record_changed", side_effect=SystemExit)
        with death, suppress(SystemExit):
            note.action_frontpay_send()
        self.assertEqual(note.frontpay_refund_state, "sending")
        refunds._cron_refund()

    def without_amount(self, is_so):
        """Front Payment's status may lack the order's amount (section 14)."""
        report = OrderStatus("INVOICED")
        told = patch.object(Client, "status", return_value=report)
        return told if is_so else nullcontext()

    def test_a_credit_note_that_lowered_a_living_order_stays(self):
        note = self.credit(100)
        note.action_frontpay_send()
        for action in ((), ("confirm",), ("pay",)):
            self.happens(self.sent, *action)
            for change in (note.button_draft, note.button_cancel):
                with self.assertRaisesRegex(UserError, "Refunded"), self.undone():
                    change()
        self.assertQuiet(self.move, note)

    def test_what_cancelled_an_order_is_told_of_the_next_one_and_cancels_it(self):
        for is_reset in (True, False):
            with self.subTest(is_reset=is_reset):
                self.setUp()
                note = self.credit()
                note.action_frontpay_send()
                note.line_ids.remove_move_reconcile()
                if is_reset:
                    note.button_draft()
                self.move.action_frontpay_send()
                order = self.move.frontpay_order_id.sudo()
                self.assertNotEqual(order, self.sent)
                if is_reset:
                    note.action_post()
                self.ask(order)
                self.assertIn("Send the credit note", self.move.frontpay_error)
                if not is_reset:
                    lines = (note + self.move).line_ids
                    lines.filtered(
                        lambda line: line.account_id.account_type == "asset_receivable"
                    ).reconcile()
                note.action_frontpay_send()
                self.assertEqual(order.state, "cancelled")
                self.assertQuiet(self.move, note)

    def test_what_was_lowered_and_then_paid_in_part_is_not_sent_again(self):
        self.credit(40).action_frontpay_send()
        self.move.ref = "3501"
        self.assertFalse(self.env["frontpay.order"]._preflight(self.move))
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.move.ids
        )
        wizard.create({"amount": 10})._create_payments()
        [problem] = self.env["frontpay.order"]._preflight(self.move)
        self.assertIn("paid", problem.message)

    def test_a_channel_without_updates_says_what_to_do(self):
        self.private.with_company(self.company).frontpay_channel = "payment_link"
        move, order = self.sold()
        self.assertRefused(self.credit(40, move=move), "Credit the whole invoice")
        self.assertEqual(order.state, "sent")

    def test_on_a_channel_without_updates_a_whole_one_cancels_the_order(self):
        self.private.with_company(self.company).frontpay_channel = "payment_link"
        move, order = self.sold()
        self.credit(move=move).action_frontpay_send()
        self.assertEqual(order.state, "cancelled")


@tagged("post_install", "-at_install", "frontpay")
class TestPreflight(RefundCase):
    def test_what_can_not_be_refunded(self):
        """A sentence for each; nothing goes out, and nothing is half-done."""
        self.happens(self.sent, *PAID)
        unsent = self.invoice()
        stray = self.credit(100)
        stray.reversed_entry_id = False
        foreign = self.credit(100, post=False)
        euro = self.env.ref("base.EUR")
        euro.active = True
        foreign.currency_id = euro
        foreign.action_post()
        customer = self.credit(100, post=False)
        customer.partner_id = self.corporate
        customer.action_post()
        nothing = self.credit(0)
        paid_out = self.credit(100)
        self._pay_by_hand(paid_out, 125)
        in_part = self.credit(100)
        self._pay_by_hand(in_part, 25)
        larger = self.credit()
        larger.button_draft()
        larger.invoice_line_ids[0].price_unit = 101
        larger.action_post()
        without_entry = self.credit(100)
        self._have_no_entries()
        self.assertFalse(self._pay_by_hand(without_entry, 125).move_id)
        for note, pattern in (
            (self.credit(100, post=False), "isn't posted yet"),
            (stray, "names no invoice"),
            (foreign, "NOK only"),
            (customer, "another customer"),
            (nothing, "nothing to refund"),
            (self.credit(100, move=unsent), "isn't at Front Payment"),
            (paid_out, "paid back already"),
            (in_part, "paid back already"),
            (without_entry, "paid back already"),
            (larger, "only"),
        ):
            with self.subTest(pattern):
                self.assertRefused(note, pattern)
        self.assertFalse(self.refunds())

    def _have_no_entries(self):
        """Payments have none, where all of Odoo's accounting is installed."""
        name = "_get_invoice_in_payment_state"
        self.patch(type(self.env["account.move"]), name, lambda _move: "in_payment")
        bank = self.company_data["default_journal_bank"]
        bank.outbound_payment_method_line_ids.payment_account_id = False

    def _pay_by_hand(self, note, amount):
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=note.ids
        )
        journal = self.company_data["default_journal_bank"]
        values = {"amount": amount, "journal_id": journal.id}
        return wizard.create(values)._create_payments()

    def test_set_off_against_another_invoice(self):
        self.happens(self.sent, *PAID)
        note, other = self.credit(100), self.invoice()
        lines = (note + other).line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        lines.reconcile()
        self.assertRefused(note, "other invoices")

    def test_an_order_of_which_nobody_knows(self):
        note = self.credit(100)
        self.sent.state = "unknown"
        self.assertRefused(note, "Nobody knows yet")

    def test_another_environment(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        self.company.frontpay_custom_url = "https://elsewhere.example.com/api/v1/"
        self.assertRefused(note, "another environment")

    def test_a_vat_that_front_payment_does_not_know(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100, post=False)
        tax = self.env["account.tax"].create({"name": "20 %", "amount": 20})
        note.invoice_line_ids.tax_ids = tax
        note.action_post()
        self.assertRefused(note, "has 20 % VAT")

    def test_a_claim_whose_credit_note_is_not_set_off(self):
        self.happens(self.sent, "confirm")
        note = self.credit(100)
        note.line_ids.remove_move_reconcile()
        self.assertRefused(note, "outstanding credits")

    def test_never_more_than_is_left(self):
        self.happens(self.sent, *PAID)
        first, second, third = self.credit(0, 200), self.credit(80), self.credit(40)
        for note in (first, second):
            note.action_frontpay_send()
        self.assertRefusedNow(third, "only")
        self.decide("confirm", "reject")
        third.action_frontpay_send()
        self.assertEqual(third.frontpay_refund_state, "pending")

    def assertRefusedNow(self, note, pattern):
        calls = self.refund_calls()
        with self.assertRaisesRegex(UserError, pattern):
            note.action_frontpay_send()
        self.assertFalse(note.frontpay_refund_state)
        self.assertEqual(self.refund_calls(), calls)

    def test_a_second_click_sends_nothing_again(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        note.action_frontpay_send()
        with self.assertRaisesRegex(UserError, "handed to Front Payment already"):
            note.action_frontpay_send()
        self.decide("confirm")
        with self.assertRaisesRegex(UserError, "handed to Front Payment already"):
            note.action_frontpay_send()
        self.assertEqual(len(self.refunds()), 1)

    def test_somebody_who_is_at_the_invoice_keeps_others_from_it(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        with transaction.sender_lock(self.move):
            self.assertRefused(note, "handled by somebody else")
        with transaction.sender_lock(self.move):
            refunds = self.env["frontpay.refund"].sudo()
            with (
                self.company._frontpay_client() as client,
                self.assertRaises(LockError),
            ):
                refunds._hand_over(note, client, interactive=True)

    def test_without_line_ids_a_person_refunds_and_the_figure_confirms(self):
        self.happens(self.sent, *PAID)
        self.sandbox.control("POST", "settings", {"line_ids": False})
        note = self.credit(100)
        told = note.action_frontpay_send()
        self.assertEqual(told["params"]["type"], "danger")
        self.assertIn("own pages", told["params"]["message"])
        self.assertFalse(self.refund_calls())
        self.assertEqual(note.frontpay_refund_state, "failed")
        self.assertTrue(self.attention(note))
        self.sandbox.control(
            "POST", f"orders/{self.sent.order_uuid}/refund", {"amount": "125.00"}
        )
        note.action_frontpay_resolve()
        self.assertEqual(note.frontpay_refund_state, "refunded")
        self.assertBooked(note)
        self.assertQuiet(self.move, note)

    def test_without_line_ids_and_figures_a_person_says_what_was_refunded(self):
        self.happens(self.sent, *PAID)
        self.sandbox.control("POST", "settings", {"line_ids": False})
        note = self.credit(100)
        note.action_frontpay_send()
        opened = note.action_frontpay_resolve()
        self.assertEqual(opened["res_model"], "frontpay.refund.resolve")
        dialog = self.env["frontpay.refund.resolve"].browse(opened["res_id"])
        self.assertIn("own pages", dialog.sentence)
        with self.subTest("it wasn't"), self.undone():
            dialog.action_not_refunded()
            self.assertEqual(note.frontpay_refund_state, "failed")
            self.assertTrue(self.attention(note))
        told = dialog.action_refunded()
        self.assertEqual(told["params"]["next"]["tag"], "soft_reload")
        self.assertEqual(note.frontpay_refund_state, "refunded")
        self.assertFalse(self.attention(note))
        self.refund_by_hand("125.00")  # told at last
        self.assertBooked(note)
        self.assertQuiet(self.move, note)

    def test_something_else_than_the_credit_note_refunded_by_hand_is_told(self):
        self.happens(self.sent, *PAID)
        self.sandbox.control("POST", "settings", {"line_ids": False})
        note = self.credit(100)
        note.action_frontpay_send()
        self.refund_by_hand("100.00")
        self.assertEqual(note.frontpay_refund_state, "failed")
        error = note.frontpay_error.replace(NBSP, " ")
        self.assertIn("has refunded kr 100.00", error)
        self.assertIn("not the kr 125.00", error)
        [activity] = self.attention(note)
        self.assertIn("100.00", activity.note)
        with self.subTest("the rest as well"), self.undone():
            self.refund_by_hand("25.00")
            self.assertBooked(note)
            self.assertQuiet(self.move, note)
        note.button_draft()
        self.ask()
        self.assertIn("Make the Credit Note", self.move.frontpay_error)

    def refund_by_hand(self, amount):
        path = f"orders/{self.sent.order_uuid}/refund"
        self.sandbox.control("POST", path, {"amount": amount})
        self.ask()

    def test_what_front_payment_refunded_by_itself_and_a_person_booked_is_over(self):
        """It doesn't keep the figure from telling what becomes of the next refund."""
        self.happens(self.sent, *PAID)
        self._pay_by_hand(self.credit(40), 50)
        self.refund_by_hand("50.00")
        note = self.credit(0, 100)
        note.action_frontpay_send()
        self.decide("confirm")
        self.assertEqual(note.frontpay_refund_state, "refunded")

    def test_what_a_person_was_to_refund_does_not_stand_in_its_own_way(self):
        self.happens(self.sent, *PAID)
        self.sandbox.control("POST", "settings", {"line_ids": False})
        note = self.credit(100)
        note.action_frontpay_send()
        self.refund_by_hand("10.00")
        with self.assertRaisesRegex(UserError, "credit note for that first"):
            note.action_frontpay_send()

    def test_what_front_payment_refunded_by_itself_is_not_refunded_again(self):
        self.happens(self.sent, *PAID)
        self.sandbox.control(
            "POST", f"orders/{self.sent.order_uuid}/refund", {"amount": "125.00"}
        )
        self.ask()
        self.assertIn("Make the Credit Note", self.move.frontpay_error)
        wrong = self.credit(40)
        self.assertRefused(wrong, "without being asked")
        wrong.button_draft()
        note = self.credit(100)
        note.action_frontpay_send()
        self.assertFalse(self.refund_calls())
        self.assertEqual(note.frontpay_refund_state, "refunded")
        self.assertBooked(note)
        self.assertQuiet(self.move, note)

    def test_all_that_front_payment_refunded_by_itself(self):
        self.happens(self.sent, *PAID, "refund")
        note = self.credit()
        note.action_frontpay_send()
        self.assertFalse(self.refund_calls())
        self.assertBooked(note)
        self.assertQuiet(self.move, note)


@tagged("post_install", "-at_install", "frontpay")
class TestGuards(RefundCase):
    def test_a_credit_note_stays_while_its_refund_runs(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        note.action_frontpay_send()
        refund = note.frontpay_refund_id.sudo()
        for state in ("queued", "sending", "unknown", "pending", "needs_approval"):
            refund.state = state
            for change in (
                note.button_draft,
                note.button_cancel,
                lambda: note.write({"state": "draft"}),
                note.with_context(force_delete=True).unlink,
            ):
                with self.subTest(state), self.assertRaises(UserError):
                    change()
            self.assertFalse(note.show_reset_to_draft_button)
        self.assertEqual(note.state, "posted")

    def test_a_credit_note_that_was_refunded_stays(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        note.action_frontpay_send()
        self.decide("confirm")
        self.assertEqual(note.frontpay_refund_state, "refunded")
        for change in (
            note.button_draft,
            note.button_cancel,
            lambda: note.write({"state": "draft"}),
        ):
            with self.assertRaisesRegex(UserError, "Refunded"):
                change()
        self.assertFalse(note.show_reset_to_draft_button)

    def test_afterwards_it_is_free_but_what_went_out_stays_known(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        note.action_frontpay_send()
        self.decide("reject")
        note.button_draft()
        with self.assertRaisesRegex(UserError, "can't be deleted"):
            note.unlink()
        note.action_post()
        note.action_frontpay_send()
        self.assertEqual(note.frontpay_refund_state, "pending")

    def test_whoever_may_not_invoice_has_no_say(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        reader = new_test_user(
            self.env,
            "refund_reader",
            groups="account.group_account_readonly",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        for action in ("send", "request_approval", "resolve", "withdraw"):
            with self.subTest(action), self.assertRaises(UserError):
                getattr(note.with_user(reader), f"action_frontpay_{action}")()
        self.assertFalse(self.refunds())

    def test_an_invoicing_user_hands_over_and_books(self):
        self.happens(self.sent, *PAID)
        user = new_test_user(
            self.env,
            "refund_invoicing",
            groups="account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        note = self.credit(100).with_user(user)
        note.action_frontpay_send()
        self.decide("confirm")
        self.assertBooked(note.sudo())

    def test_one_button_of_ours_at_a_time_but_where_there_is_a_choice(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        note.action_frontpay_send()
        refund = note.frontpay_refund_id.sudo()
        for state, labels in BUTTONS.items():
            refund.state = state
            ours = self.shown(note, "//button[starts-with(@id, 'frontpay_refund')]")
            shown = [each.get("string") for each in ours]
            with self.subTest(state):
                self.assertEqual(shown, labels)

    def shown(self, note, path):
        """The buttons on a credit note's form that are at a path."""
        arch = etree.fromstring(note.get_view(view_type="form")["arch"])
        buttons = arch.xpath(path)
        names = set().union(
            *(get_expression_field_names(each.get("invisible")) for each in buttons)
        )
        [values] = note.read(names)
        return [
            each for each in buttons if not safe_eval(each.get("invisible"), values)
        ]

    def test_paying_it_in_odoo_is_the_exception(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        path = "//header/button[@name='action_register_payment']"
        for send in (False, True):
            with self.subTest(sent=send):
                if send:
                    note.action_frontpay_send()
                [pay] = self.shown(note, path)
                self.assertNotIn("oe_highlight", pay.get("class", ""))
                self.assertFalse(note.highlight_send_button)

    def test_a_credit_note_says_whose_turn_it_is(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        self.assertIn("it is refunded there", note.frontpay_next_step)
        self.assertFalse(self.register(note).actionable_errors)
        note.action_frontpay_send()
        for state, (words, is_warned) in STEPS.items():
            with self.subTest(state):
                note.frontpay_refund_id.sudo().state = state
                self.assertIn(words, note.frontpay_next_step)
                errors = self.register(note).actionable_errors or {}
                self.assertEqual("frontpay_pays_back" in errors, is_warned)

    def test_what_is_refunded_by_hand_is_checked_afterwards(self):
        self.happens(self.sent, *PAID)
        self.sandbox.control("POST", "settings", {"line_ids": False})
        note = self.credit(100)
        note.action_frontpay_send()
        ours = self.shown(note, "//button[starts-with(@id, 'frontpay_refund')]")
        labels = [each.get("string") for each in ours]
        self.assertEqual(labels, ["Check Outcome", "Send to Front Payment Again"])
        self.assertIn("choose “Check Outcome”", note.frontpay_next_step)
        self.assertIn("frontpay_pays_back", self.register(note).actionable_errors)

    def test_what_becomes_of_an_order_that_was_not_confirmed_is_told(self):
        for amounts, plan, end in (
            ((), "cancels the order", "has ended"),
            ((40,), "lowers the order", "was lowered"),
        ):
            with self.subTest(plan):
                move, order = self.sold()
                note = self.credit(*amounts, move=move)
                self.assertIn(plan, note.frontpay_next_step)
                note.action_frontpay_send()
                self.assertIn(end, note.frontpay_next_step)
        self.happens(order, "expire")
        self.assertIn("has ended", note.frontpay_next_step)

    def register(self, note):
        """The dialog that registers a credit note's payment in Odoo."""
        context = {"active_model": "account.move", "active_ids": note.ids}
        return self.env["account.payment.register"].with_context(**context).create({})

    def test_the_form_shows_state_and_buttons(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        self.assertTrue(note.frontpay_can_refund)
        note.action_frontpay_send()
        form = Form(note)
        self.assertEqual(form.frontpay_refund_state, "pending")
        self.assertFalse(note.frontpay_can_refund)
        self.assertTrue(note.frontpay_refund_open)


@tagged("post_install", "-at_install", "frontpay")
class TestLostAnswers(RefundCase):
    """A refund repeated is money gone."""

    def setUp(self):
        super().setUp()
        self.happens(self.sent, *PAID)
        self.note = self.credit(100)

    def lose(self, kind, **details):
        self.sandbox.fault(kind, path="refund", **details)
        self.note.action_frontpay_send()
        return self.note.frontpay_refund_id.sudo()

    def test_an_answer_that_is_lost_leaves_it_unknown_and_is_never_repeated(self):
        faults = [
            ("drop", {"when": "before"}),
            ("drop", {"when": "after"}),
            ("garbage", {"when": "after"}),
            ("status", {"when": "after", "status": 500}),
            ("status", {"when": "after", "status": 510}),
        ]
        for kind, details in faults:
            with self.subTest(kind, **details):
                self.setUp()
                refund = self.lose(kind, **details)
                self.assertEqual(refund.state, "unknown")
                self.assertIn("no clear answer", self.note.frontpay_error)
                with self.assertRaisesRegex(UserError, "already"):
                    self.note.action_frontpay_send()
                self.env["frontpay.refund"].sudo()._cron_refund()
                self.ask()
                self.assertEqual(refund.state, "unknown")
                self.assertEqual(len(self.refund_calls()), 1)
                with self.assertRaisesRegex(UserError, "Nobody knows yet"):
                    self.credit(20).action_frontpay_send()

    def test_the_figure_tells_that_it_had_arrived(self):
        self.lose("drop", when="after")
        self.decide("confirm")
        self.assertEqual(self.note.frontpay_refund_state, "refunded")
        self.assertBooked(self.note)
        self.assertQuiet(self.move, self.note)
        self.assertEqual(self.refunds(), [("REFUNDED", "125.00")])

    def test_beside_another_of_the_same_amount_nobody_guesses(self):
        other = self.credit(100)
        other.action_frontpay_send()
        self.lose("drop", when="after")
        self.decide("confirm")
        self.assertEqual(other.frontpay_refund_state, "pending")
        self.assertEqual(self.note.frontpay_refund_state, "unknown")
        for note in (other, self.note):
            self.assertTrue(note.frontpay_refund_id.sudo().needs_decision)

    def test_what_front_payment_tells_after_all_is_no_question_any_more(self):
        refund = self.lose("drop", when="after")
        refund._request_refund_decision("Say what became of it.")
        self.assertTrue(refund.needs_decision)
        self.decide("confirm")
        self.assertEqual((refund.state, refund.needs_decision), ("refunded", False))

    def test_while_one_is_open_no_other_goes_out(self):
        refund = self.lose("drop", when="after")
        other = self.credit(20)
        for state, told, sentence in (
            ("unknown", 0, "Nobody knows yet what became of"),
            ("sending", 0, "Nobody knows yet what became of"),
            ("pending", 50, "doesn't tell what became of"),
        ):
            with self.subTest(state), self.undone():
                refund.state = state
                self.sent.refunded_amount = told
                with self.assertRaisesRegex(UserError, sentence):
                    refund._check_figures(other, self.sent, refund.browse())

    def test_whose_outcome_cannot_be_asked_for_is_polled_soon(self):
        self.sent.next_poll_at = fields.Datetime.now() + timedelta(days=1)
        is_lost = iter((False, True))  # asked before the refund, and after it
        status = Client.status

        def first_only(client, number):
            if next(is_lost):
                raise errors.UnknownOutcome("drop")
            return status(client, number)

        with patch.object(Client, "status", first_only):
            self.note.action_frontpay_send()
        self.assertEqual(self.note.frontpay_refund_state, "pending")
        self.assertLessEqual(self.sent.next_poll_at, fields.Datetime.now())

    def test_after_a_while_a_person_is_asked_and_says_that_it_never_arrived(self):
        refund = self.lose("drop", when="before")
        with self.assertRaisesRegex(UserError, "may still appear"):
            self._say("not_refunded")
        refund.requested_at = fields.Datetime.subtract(refund.requested_at, hours=1)
        self.ask()
        self.assertTrue(refund.needs_decision)
        self.assertTrue(self.attention(self.note))
        self._say("not_refunded")
        self.assertEqual(refund.state, "failed")
        self.assertFalse(self.attention(self.note))
        self.note.action_frontpay_send()
        self.assertEqual(refund.state, "pending")
        self.assertEqual(len(self.refunds()), 1)

    def _say(self, decision):
        getattr(self._dialog(), f"action_{decision}")()

    def test_the_dialog_says_where_to_look_before_deciding(self):
        refund = self.lose("drop", when="after")
        sentence = self._dialog().sentence
        self.assertIn("no clear answer", sentence)
        self.assertIn("Decide now only if you have seen in its own pages", sentence)
        refund._request_refund_decision("Say what became of it.")
        self.assertEqual(self._dialog().sentence, "Say what became of it.")

    def _dialog(self):
        action = self.note.action_frontpay_resolve()
        return self.env[action["res_model"]].browse(action["res_id"])

    def test_nobody_can_deny_what_the_figure_shows(self):
        refund = self.lose("drop", when="after")
        self.sandbox.control(
            "POST", f"orders/{self.sent.order_uuid}/refund", {"amount": "130.00"}
        )
        refund.requested_at = fields.Datetime.subtract(refund.requested_at, hours=1)
        with self.assertRaisesRegex(UserError, "may well be that"):
            self._say("not_refunded")

    def test_one_that_is_there_but_was_denied_is_not_booked_twice(self):
        """Front Payment refuses what it has, and that counts as taken."""
        refund = self.lose("drop", when="after")
        refund.requested_at = fields.Datetime.subtract(refund.requested_at, hours=1)
        self._say("not_refunded")
        self.decide("confirm")
        self.assertEqual(refund.state, "failed")
        self.note.action_frontpay_send()
        self.assertEqual(refund.state, "refunded")
        self.assertEqual(self.refunds(), [("REFUNDED", "125.00")])
        self.assertBooked(self.note)

    def test_a_request_that_front_payment_has_already_counts_as_taken(self):
        refusal = errors.Rejected(
            "HTTP 400", ["orderRefundRequestAlreadySubmitted"], http_status=400
        )
        with patch.object(Client, "refund", side_effect=refusal):
            self.note.action_frontpay_send()
        self.assertEqual(self.note.frontpay_refund_state, "pending")

    def test_which_of_two_like_each_other_front_payment_has_is_for_a_person(self):
        self.note.action_frontpay_send()
        other = self.credit(100)
        refusal = errors.Rejected(
            "HTTP 400", ["ambiguousRequestExistsWithSameParameters"], http_status=400
        )
        with patch.object(Client, "refund", side_effect=refusal):
            other.action_frontpay_send()
        refund = other.frontpay_refund_id.sudo()
        self.assertEqual((refund.state, refund.needs_decision), ("pending", True))
        self.assertIn(self.note.name, refund.error)
        self.assertTrue(self.attention(other))
        self.decide("confirm")
        self.assertEqual(self.note.frontpay_refund_state, "refunded")
        self.assertEqual((refund.state, refund.needs_decision), ("pending", True))

    def test_what_can_not_be_asked_for_any_more_is_for_a_person(self):
        self.note.action_frontpay_send()
        refund = self.note.frontpay_refund_id.sudo()
        here = self.company.frontpay_custom_url
        elsewhere = "https://elsewhere.example.com/api/v1/"
        late = PENDING_FOR + timedelta(hours=1)
        cron = self.env["frontpay.refund"].sudo()._cron_refund
        for url, passed, is_asked in (
            (elsewhere, timedelta(), False),
            (here, late, False),
            (elsewhere, late, True),
        ):
            with self.subTest(url, passed=passed), self.undone():
                self.company.frontpay_custom_url = url
                refund.requested_at -= passed
                cron()
                self.assertEqual(refund.needs_decision, is_asked)
                self.assertEqual(
                    "another environment" in (refund.error or ""), is_asked
                )
                self.assertEqual(len(self.attention(self.note)), int(is_asked))
                cron()  # once
                self.assertEqual(len(self.attention(self.note)), int(is_asked))

    def test_a_decision_about_what_was_settled_meanwhile_changes_nothing(self):
        refund = self.lose("drop", when="after")
        dialog = self._dialog()
        self.decide("confirm")
        for decision in (dialog.action_refunded, dialog.action_not_refunded):
            self.assertIn("Refunded", decision()["params"]["message"])
            self.assertEqual(refund.state, "refunded")
        told = " ".join(self.note.message_ids.mapped("body"))
        self.assertNotIn("said that Front Payment", told)

    def fail_to_send(self):
        """Nobody listens, so it is queued.

        :return: the refund
        """
        unreachable = errors.Unreachable("nobody")
        with patch.object(Client, "refund", side_effect=unreachable):
            self.note.action_frontpay_send()
        refund = self.note.frontpay_refund_id.sudo()
        self.assertEqual(refund.state, "queued")
        return refund

    def test_what_never_left_is_sent_again_by_itself(self):
        refund = self.fail_to_send()
        self.assertIn("sent again automatically", self.note.frontpay_error)
        for retry_at, state in ((refund.retry_at, "queued"), (False, "pending")):
            refund.retry_at = retry_at
            self.env["frontpay.refund"].sudo()._cron_refund()
            self.assertEqual(refund.state, state)
        self.assertQuiet(self.note)

    def test_what_never_left_goes_out_at_once_when_it_is_queued_anew(self):
        refund = self.fail_to_send()
        with patch.object(transaction, "is_untouched", return_value=False):
            self.note.action_frontpay_send()
        self.assertEqual((refund.state, refund.retry_at), ("queued", False))
        self.env["frontpay.refund"].sudo()._cron_refund()
        self.assertEqual(refund.state, "pending")

    def test_without_an_answer_about_the_order_nothing_is_sent(self):
        for path in ("status", "details"):
            with self.subTest(path):
                self.sandbox.fault("drop", path=f"orders/{path}")
                with self.assertRaises(UserError):
                    self.note.action_frontpay_send()
                self.assertFalse(self.note.frontpay_refund_state)
                self.assertFalse(self.refund_calls())

    def test_a_sender_that_died_leaves_it_unknown(self):
        # assertRaises would roll back.
        with (
            patch.object(Client, "refund", side_effect=SystemExit),
            suppress(SystemExit),
        ):
            self.note.action_frontpay_send()
        refund = self.note.frontpay_refund_id.sudo()
        self.assertEqual(refund.state, "sending")
        with self.assertRaisesRegex(UserError, "already"):
            self.note.action_frontpay_send()
        self.env["frontpay.refund"].sudo()._cron_refund()
        self.assertEqual(refund.state, "unknown")

    def test_one_that_fails_in_the_cron_stops_no_other(self):
        for step, values in {
            "_record_dead": {"state": "sending"},
            "_is_out_of_reach": {"state": "unknown"},
            "_record_elsewhere": {"database_uuid": "another"},
        }.items():
            with self.subTest(step):
                self.setUp()
                other, _order = self.sold(*PAID)
                notes = self.note + self.credit(move=other)
                with patch.object(transaction, "is_untouched", return_value=False):
                    notes.action_frontpay_send()
                failing, queued = notes.frontpay_refund_id.sudo()
                failing.write(values)
                self.env.flush_all()
                with (
                    patch.object(type(failing), step, side_effect=ZeroDivisionError),
                    self.assertLogs("odoo.addons.frontpay_odoo.tools.transaction"),
                ):
                    self.env["frontpay.refund"].sudo()._cron_refund()
                self.assertEqual(queued.state, "pending")

    def test_a_live_sender_is_left_alone(self):
        self.lose("drop", when="after")
        refund = self.note.frontpay_refund_id.sudo()
        refund.state = "sending"
        with transaction.sender_lock(self.move):
            self.env["frontpay.refund"].sudo()._cron_refund()
        self.assertEqual(refund.state, "sending")

    @mute_logger("odoo.addons.frontpay_odoo.models.frontpay_refund_queue")
    def test_a_fault_of_ours_in_the_queue_is_told_and_repeats_nothing(self):
        for place, state in (("refund", "unknown"), ("status", "failed")):
            with self.subTest(place):
                self.setUp()
                with patch.object(transaction, "is_untouched", return_value=False):
                    self.note.action_frontpay_send()
                with patch.object(Client, place, side_effect=KeyError("x")):
                    self.env["frontpay.refund"].sudo()._cron_refund()
                self.assertEqual(self.note.frontpay_refund_state, state)
                self.assertTrue(self.note.frontpay_error)
                self.assertFalse(self.refunds())


@tagged("post_install", "-at_install", "frontpay")
class TestApproval(RefundCase):
    def setUp(self):
        super().setUp()
        self.happens(self.sent, *PAID)
        self.sandbox.control("POST", "settings", {"refund_amount_limit": 100})
        self.note = self.credit(100)
        self.note.action_frontpay_send()

    def ask_for_approval(self, note="Returned goods"):
        action = self.note.action_frontpay_request_approval()
        self.assertEqual(action["res_model"], "frontpay.approval")
        dialog = self.env["frontpay.approval"].with_context(**action["context"])
        return dialog.create({"note": note}).action_confirm()

    def test_beyond_a_limit_it_needs_approval(self):
        self.assertEqual(self.note.frontpay_refund_state, "needs_approval")
        self.assertIn("Ask for approval", self.note.frontpay_error)
        self.assertTrue(self.attention(self.note))
        self.assertFalse(self.refunds())

    def test_approval_is_asked_for_with_the_code_and_then_given(self):
        told = self.ask_for_approval()
        self.assertEqual(told["params"]["type"], "success")
        self.assertEqual(self.note.frontpay_refund_state, "pending")
        self.assertQuiet(self.note)
        [refund] = self.sandbox.control("GET", "refunds")
        self.assertTrue(refund["isRequest"])
        self.assertEqual(
            refund["payload"]["message"],
            "refundRejectionForRequestAmountThresholdExceed",
        )
        self.assertEqual(self.refund_calls()[-1], APPROVAL + self.sent.order_uuid)
        self.assertIn("Returned goods", self.note.message_ids[0].body)
        self.decide("confirm")
        self.assertBooked(self.note)

    def test_a_lost_answer_is_not_repeated_either(self):
        self.sandbox.fault("drop", when="after", path="approval")
        self.ask_for_approval()
        self.assertEqual(self.note.frontpay_refund_state, "unknown")
        with self.assertRaises(UserError):
            self.ask_for_approval()
        self.decide("confirm")
        self.assertBooked(self.note)
        self.assertEqual(len(self.refunds()), 1)

    def test_whoever_does_not_want_it_any_more_is_free_again(self):
        self.note.action_frontpay_withdraw()
        self.assertEqual(self.note.frontpay_refund_state, "failed")
        self.assertFalse(self.attention(self.note))
        self.note.button_draft()

    def test_it_can_be_sent_once_more_without_approval(self):
        self.usual_settings()
        self.note.action_frontpay_send()
        self.assertEqual(self.note.frontpay_refund_state, "pending")

    def test_what_needs_none_is_not_asked_for(self):
        with self.assertRaisesRegex(UserError, "None of these"):
            self.move.action_frontpay_request_approval()


@tagged("post_install", "-at_install", "frontpay")
class TestBooks(RefundCase):
    def setUp(self):
        super().setUp()
        self.happens(self.sent, *PAID)
        self.note = self.credit(100)
        self.note.action_frontpay_send()

    def _pay_by_hand(self, amount, journal=None):
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.note.ids
        )
        journal = journal or self.company.frontpay_journal_id
        values = {"amount": amount, "journal_id": journal.id}
        return wizard.create(values)._create_payments()

    def test_a_company_may_reverse_by_storno_or_owe_its_tax_on_payment(self):
        self.decide("confirm")
        for books in (self._storno, self._tax_on_payment):
            with self.subTest(books.__name__):
                books()
                move, order = self.sold(*PAID)
                note = self.credit(100, move=move)
                note.action_frontpay_send()
                self.decide("confirm", order=order)
                self.assertEqual(note.frontpay_refund_state, "refunded")
                self.assertBooked(note)
                self.assertEqual(move.amount_residual, 0)
                self.assertQuiet(move, note)
                is_on_payment = books == self._tax_on_payment
                moved = move.tax_cash_basis_created_move_ids
                self.assertEqual(bool(moved), is_on_payment)
                self.assertEqual(note.is_storno, not is_on_payment)

    def _storno(self):
        self.company.account_storno = True

    def _tax_on_payment(self):
        self.company.write({"account_storno": False, "tax_exigibility": True})
        account = self.company_data["default_account_tax_sale"]
        account = account.copy({"reconcile": True})
        values = {"tax_exigibility": "on_payment"}
        self.tax(25).write(values | {"cash_basis_transition_account_id": account.id})

    def test_what_somebody_booked_meanwhile_is_not_booked_again(self):
        self._pay_by_hand(125)
        self.decide("confirm")
        self.assertEqual(len(self.payments(self.note)), 2)
        self.assertEqual(self.clearing(), self.owed())
        self.assertQuiet(self.move, self.note)

    def test_what_was_paid_back_here_as_well_is_told_until_that_is_undone(self):
        bank = self.company_data["default_journal_bank"]
        for settle in (lambda: self._pay_by_hand(125, bank), self._set_off):
            with self.subTest(settle):
                self.setUp()
                settle()
                self.assertEqual(self.note.amount_residual, 0)
                self.decide("confirm")
                self.assertEqual(self.note.frontpay_refund_state, "refunded")
                self.assertIn("Paid back twice", self.note.frontpay_error)
                self.assertTrue(self.attention(self.note))
                self.ask()
                self.assertIn("Paid back twice", self.note.frontpay_error)
                self.note.line_ids.remove_move_reconcile()
                self.ask()
                payment = self.note.frontpay_refund_id.sudo().payment_id
                self.assertEqual(payment.reconciled_invoice_ids, self.note)
                self.assertEqual(self.note.amount_residual, 0)
                self.assertQuiet(self.note)

    def _set_off(self):
        lines = (self.note + self.invoice()).line_ids
        lines.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        ).reconcile()

    def test_a_part_that_somebody_booked_is_told(self):
        self._pay_by_hand(25)
        self.decide("confirm")
        self.assertEqual(self.note.frontpay_refund_state, "refunded")
        self.assertIn("couldn't be booked", self.note.frontpay_error)
        self.assertTrue(self.attention(self.note))
        self._pay_by_hand(100)
        self.assertQuiet(self.note)  # at once
        self.ask()
        self.assertQuiet(self.note)
        self.assertEqual(self.clearing(), self.owed())

    def test_the_journal_that_received_the_money_pays_it_back(self):
        journal = self.company.frontpay_journal_id
        another = journal.copy({"code": "FPNEW"})
        for chosen in (another, another.browse()):
            with self.subTest(chosen.code), self.undone():
                self.company.frontpay_journal_id = chosen
                self.decide("confirm")
                payment = self.note.frontpay_refund_id.sudo().payment_id
                self.assertEqual(payment.journal_id, journal)
                self.assertQuiet(self.note)

    def test_without_a_journal_it_is_booked_once_there_is_one(self):
        journal = self.company.frontpay_journal_id
        self.company.frontpay_journal_id = False
        journal.active = False
        self.decide("confirm")
        self.assertIn("journal", self.note.frontpay_error)
        self.attention(self.note).action_done()
        self.ask()
        self.assertFalse(self.attention(self.note))  # it was told once
        journal.active = True
        self.company.frontpay_journal_id = journal
        self.ask()
        self.assertBooked(self.note)
        self.assertQuiet(self.note)

    def test_a_figure_that_is_late_confirms_no_other_refund(self):
        self.decide("confirm")
        another = self.credit(post=False)
        another.invoice_line_ids[0].unlink()
        another.invoice_line_ids.price_unit = 100
        another.action_post()
        late = OrderStatus("PARTIAL REFUNDED", Decimal(0))
        with patch.object(Client, "status", lambda *_: late):
            another.action_frontpay_send()
        self.assertEqual(another.frontpay_refund_state, "pending")
        self.ask()
        self.assertEqual(another.frontpay_refund_state, "pending")
        self.decide("confirm")
        self.assertBooked(another)

    def test_asking_again_books_nothing_more(self):
        self.decide("confirm")
        for _time in range(3):
            self.ask()
        self.assertEqual(len(self.payments(self.note)), 2)
        self.assertBooked(self.note)

    def test_entries_stand_on_receivable_and_clearing_account(self):
        self.decide("confirm")
        payment = self.note.frontpay_refund_id.sudo().payment_id
        lines = payment.move_id.line_ids
        account = self.company.frontpay_journal_id.default_account_id
        balances = {
            line.account_id.account_type: line.balance
            for line in lines
            if line.account_id != account
        }
        self.assertEqual(balances, {"asset_receivable": 125})
        on_clearing = lines.filtered(lambda line: line.account_id == account)
        self.assertEqual(on_clearing.balance, -125)

    def test_polling_asks_for_each_order_with_a_refund_under_way(self):
        others = [self.sold(*PAID)[1] for _number in range(4)]
        self.sandbox.control("DELETE", "requests")
        orders = self.sent.union(*others)
        list(orders._poll(self.company, 5))
        asked = self.sandbox.requests()
        self.assertIn(f"GET connect/orders/status/{self.sent.order_uuid}", asked)
        self.assertTrue(self.sent.next_poll_at)

    def test_the_log_has_the_calls_without_the_token(self):
        log = self.sent.exchange_ids.filtered(lambda call: "refund" in call.path)
        self.assertEqual(len(log), 1)
        self.assertIn("grandTotal", log.request)
        self.assertEqual(log.http_status, 202)

    def test_it_is_polled_until_it_ends(self):
        self.sent.next_poll_at = fields.Datetime.now()
        found = self.sandbox.control("GET", "refunds")
        self.sandbox.control("POST", f"refunds/{found[0]['id']}/confirm")
        run_cron(self.env, "poll")
        self.assertEqual(self.note.frontpay_refund_state, "refunded")


def order_line(line_id, name, product_id, tax, amount):
    return OrderLine(line_id, name, product_id, Decimal(tax), Decimal(amount))


def product(name, product_id, tax, amount):
    number = Decimal(amount)
    one = Decimal(1)
    return Product(name, one, number, Decimal(tax), number, product_id=product_id)


LINES = [
    order_line(1, "Router", "R", 25, "125.00"),
    order_line(2, "Cable", "", 25, "250.00"),
    order_line(3, "Cable", "", 15, "115.00"),
]
# What is credited, what was refunded before, and what each line gets of it.
ALLOCATIONS = (
    ([product("Router", "R", 25, "25.00")], {}, {1: "25.00"}),
    ([product("Cable", "", 15, "15.00")], {}, {3: "15.00"}),
    ([product("Another name", "R", 25, "25.00")], {}, {1: "25.00"}),
    ([product("Goodwill", "", 25, "300.00")], {}, {2: "250.00", 1: "50.00"}),
    ([product("Router", "R", 25, "50.00")], {1: "100.00"}, {1: "25.00", 2: "25.00"}),
    (
        [product("Goodwill", "", 25, "250.00"), product("Router", "R", 25, "125.00")],
        {},
        {1: "125.00", 2: "250.00"},
    ),
    # All that is left, whatever it is called.
    ([product("All", "", 0, "490.00")], {}, {1: "125.00", 2: "250.00", 3: "115.00"}),
    ([product("Cable", "", 15, "115.01")], {}, None),
    ([product("Cable", "", 0, "10.00")], {}, None),
)
# Details of an order: its rows, and the ids that are read; none if nothing is certain.
ROWS = (
    ([{"id": 7, "name": "Router", "tax": 25, "amount": 125.0}], [7]),
    ([{"id": "7", "amount": "125.00"}], [7]),
    ([{"name": "Router", "amount": 125.0}], [None]),
    ([{"id": True, "amount": 125.0}], [None]),
    ([{"id": "line-7", "amount": 125.0}], [None]),
    ([{"id": 7}], []),
    ([{"id": 7, "amount": 125.0}, "x"], []),
    ("x", []),
    (None, []),
)


@tagged("post_install", "-at_install", "frontpay")
class TestData(BaseCase):
    def test_what_each_line_gets(self):
        for products, used, expected in ALLOCATIONS:
            before = {line_id: Decimal(amount) for line_id, amount in used.items()}
            with self.subTest(products=products, used=used):
                if expected is None:
                    with self.assertRaises(DoesNotFit):
                        allocated(products, LINES, before)
                    continue
                found = allocated(products, LINES, before)
                texts = {line_id: str(amount) for line_id, amount in found.items()}
                self.assertEqual(texts, expected)

    def test_lines_of_an_orders_details(self):
        for rows, ids in ROWS:
            with self.subTest(rows):
                details = order_details({"status": "PAID", "productList": rows})
                self.assertEqual([line.id for line in details.lines], ids)

    def test_lines_that_cannot_be_told_apart_have_no_ids(self):
        twice = [LINES[0], LINES[1], order_line(1, "Router", "R", 25, "125.00")]
        for lines, expected in ((LINES, True), (twice, False), ([], False)):
            with self.subTest(lines):
                self.assertEqual(has_line_ids(lines), expected)

    def test_how_a_refund_ended_is_read_beside_the_data(self):
        for answer, expected in (
            ({"refundStatus": "REJECTED"}, True),
            ({"refundStatus": "Rejected"}, True),
            ({"refundStatus": "REFUNDED"}, False),
            ({"refundStatus": None}, False),
            ({"refundStatus": ["REJECTED"]}, False),
            ({}, False),
        ):
            with self.subTest(answer):
                report = order_status(data_of({"data": {"status": "PAID"}, **answer}))
                self.assertEqual(report.is_refund_rejected, expected)
        self.assertIsNone(data_of({"refundStatus": "REJECTED", "data": None}))

    def test_a_code_is_told_from_its_parameter(self):
        for sentences, code in (
            (["orderStatusAlreadyPaid"], "orderStatusAlreadyPaid"),
            (["refundRejectionForOutOfRunwayParam:50.00"], OUT_OF_RUNWAY),
            (["refundRejectionForOutOfRunwayParam#50.00"], OUT_OF_RUNWAY),
            (["The type field is required."], ""),
            ([], ""),
        ):
            with self.subTest(sentences):
                self.assertEqual(code_of(sentences), code)


@tagged("post_install", "-at_install", "frontpay")
class TestRefusals(RefundCase):
    def test_each_documented_code_has_its_sentence(self):
        for code in TOLD_CODES:
            with self.subTest(code):
                error = errors.Rejected("HTTP 400", [code], http_status=400)
                self.assertNotIn(code, refund_message(self.company, error, code))
        unknown = errors.Rejected("HTTP 400", ["somethingNew"], http_status=400)
        told = refund_message(self.company, unknown, "somethingNew")
        self.assertIn("“somethingNew”", told)

    def test_a_refusal_leaves_nothing_half_done(self):
        self.happens(self.sent, *PAID)
        self.sandbox.control("POST", "settings", {"refund_week_limit": 100})
        for code, state in (
            ("refundRejectionForWeeklyThresholdExceed", "needs_approval"),
            ("refundRejectionForRequestAmountThresholdExceed", "needs_approval"),
            ("refundRejectionForProductAmountExceed", "failed"),
            (f"{REFUND_REFUSED_BY_STATUS}Refunded", "failed"),
            ("somethingNew", "failed"),
        ):
            with self.subTest(code), self.undone():
                note = self.credit(10)
                refusal = errors.Rejected("HTTP 400", [code], http_status=400)
                with patch.object(Client, "refund", side_effect=refusal):
                    told = note.action_frontpay_send()
                self.assertEqual(told["params"]["type"], "danger")
                self.assertEqual(note.frontpay_refund_state, state)
                self.assertIn(note.frontpay_error, told["params"]["message"])
                self.assertTrue(self.attention(note))
                note.action_frontpay_send()
                self.assertEqual(note.frontpay_refund_state, "pending")
                self.assertQuiet(note)
