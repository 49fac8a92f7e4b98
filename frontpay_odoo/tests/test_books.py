from lxml import etree

from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from odoo.addons.frontpay_odoo.models.frontpay_order_unbooking import (
    is_open_receivable,
)

from .test_refund import PAID, RefundCase

# What was credited (net), what somebody registered, and all that is booked at the end.
REGISTERED_BY_HAND = (
    ((100,), 375, [("inbound", 375), ("outbound", 125)]),
    ((100,), 250, [("inbound", 250)]),
    ((), 375, [("inbound", 375), ("outbound", 375)]),
)


@tagged("post_install", "-at_install", "frontpay")
class TestNumbers(RefundCase):
    """Payments are found by Odoo's numbers and by Front Payment's."""

    def found(self, model, view, number):
        """What the search box of a list finds, by its first field that has it."""
        arch = etree.fromstring(
            self.env[model].get_view(self.env.ref(view).id, "search")["arch"]
        )
        domains = [
            safe_eval(field.get("filter_domain"), {"self": number, "raw_value": 0})
            for field in arch.iter("field")
            if field.get("filter_domain")
        ]
        records = self.env[model].browse()
        for domain in domains:
            records |= records.search(domain)
        return records

    def numbers(self):
        return (
            self.move.name,
            self.sent.order_uuid,
            self.sent.invoice_number,
        )

    def test_a_payment_and_its_lines_have_all_numbers(self):
        self.happens(self.sent, *PAID)
        payment = self.sent.payment_id
        for number in self.numbers():
            self.assertTrue(number)
            self.assertIn(number, payment.memo)
            for line in payment.move_id.line_ids:
                self.assertIn(number, line.name)

    def test_a_refund_has_the_credit_notes_number_as_well(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        note.action_frontpay_send()
        self.decide("confirm")
        payment = note.frontpay_refund_id.sudo().payment_id
        for number in (*self.numbers(), note.name):
            self.assertIn(number, payment.memo)

    def test_each_number_finds_invoice_payment_and_journal_items(self):
        self.happens(self.sent, *PAID)
        payment = self.sent.payment_id
        places = (
            ("account.payment", "account.view_account_payment_search", payment),
            (
                "account.move.line",
                "account.view_account_move_line_filter",
                payment.move_id.line_ids,
            ),
            ("account.move", "account.view_account_invoice_filter", self.move),
        )
        for number in self.numbers():
            for model, view, records in places:
                with self.subTest(number, model=model):
                    self.assertLessEqual(records, self.found(model, view, number))

    def test_without_a_number_of_its_invoice_the_memo_has_the_others(self):
        self.sent.order_uuid = "ODR7"
        self.assertEqual(self.sent._memo("INV/1"), "INV/1 ODR7")


@tagged("post_install", "-at_install", "frontpay")
class TestGross(RefundCase):
    """What came in and what went back stand in the books each on its own."""

    def amounts(self, earlier=()):
        """(direction, amount) of the payments, in their order."""
        return [
            (payment.payment_type, payment.amount)
            for payment in self.payments(self.move).sorted("id")
            if payment not in earlier
        ]

    def test_a_credit_note_that_is_sent_after_the_claim_was_paid_is_booked_gross(self):
        self.happens(self.sent, "confirm")
        note = self.credit(100)
        self.assertEqual(self.move.amount_residual, 250)
        self.happens(self.sent, "pay")
        note.action_frontpay_send()
        self.decide("confirm")
        self.assertEqual(note.frontpay_refund_state, "refunded")
        self.assertEqual(self.amounts(), [("inbound", 375), ("outbound", 125)])
        self.assertEqual(self.sent.payment_id.amount, 375)
        self.assertBooked(note)
        self.assertEqual(self.move.amount_residual, 0)
        self.assertQuiet(self.move, note)
        self.ask()
        self.assertEqual(len(self.amounts()), 2)

    def test_the_whole_as_well(self):
        self.happens(self.sent, "confirm")
        note = self.credit()
        self.happens(self.sent, "pay")
        note.action_frontpay_send()
        self.decide("confirm")
        self.assertEqual(self.amounts(), [("inbound", 375), ("outbound", 375)])
        self.assertBooked(note)
        self.assertEqual(self.move.amount_residual, 0)
        self.assertQuiet(self.move, note)

    def test_what_was_sent_before_it_was_paid_only_lowers_the_claim(self):
        self.happens(self.sent, "confirm")
        note = self.credit(100)
        note.action_frontpay_send()
        self.decide("confirm")
        self.happens(self.sent, "pay")
        self.assertEqual(self.amounts(), [("inbound", 250)])
        self.assertEqual(note.amount_residual, 0)

    def test_registered_by_hand_before_the_credit_note_was_sent(self):
        """Whatever somebody registered, the journal has what Front Payment owes."""
        for credited, registered, booked in REGISTERED_BY_HAND:
            with self.subTest(registered, credited=credited):
                self.move, self.sent = self.sold("confirm")
                earlier = self.payments(self.move)
                note = self.credit(*credited)
                self.sandbox.act(self.sent.order_uuid, "pay")
                self.ask()
                self.register_by_hand(registered)
                note.action_frontpay_send()
                self.decide("confirm")
                self.assertEqual(self.amounts(earlier), booked)
                self.assertEqual(self.clearing(), self.owed())
                self.assertEqual(self.move.amount_residual, 0)
                self.assertEqual(note.amount_residual, 0)
                self.assertQuiet(self.move, note)

    def register_by_hand(self, amount):
        """A payment that names the order, set off against what is open."""
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.private.id,
                "amount": amount,
                "journal_id": self.company.frontpay_journal_id.id,
                "memo": self.sent.order_uuid,
            }
        )
        payment.action_post()
        lines = (payment.move_id | self.move).line_ids
        lines.filtered(is_open_receivable).reconcile()

    def test_rejected_after_the_payment_it_stays_set_off_and_is_told(self):
        self.happens(self.sent, "confirm")
        note = self.credit(100)
        self.happens(self.sent, "pay")
        note.action_frontpay_send()
        self.decide("reject")
        self.assertEqual(self.move.amount_residual, 250)
        self.assertTrue(self.attention(self.move) | self.attention(note))
        note.action_frontpay_send()
        self.decide("confirm")
        self.assertEqual(self.amounts(), [("inbound", 375), ("outbound", 125)])
        self.assertBooked(note)
