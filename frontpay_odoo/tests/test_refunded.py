from decimal import Decimal

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.frontpay_odoo.connect.responses import OrderStatus

from .test_refund import PAID, RefundCase

# Net price and VAT of each line of the invoice; what Front Payment refunds of it.
PARTS = (
    (((100, 25), (200, 25)), "125.00"),
    (((100, 25), (200, 25)), "0.01"),
    # 25 % of no amount in whole øre gives these totals.
    (((100, 25),), "0.02"),
    (((100, 25),), "0.07"),
    (((100, 25),), "99.99"),
    (((100, 25), (100, 15), (100, 12), (100, 0)), "0.03"),
    (((100, 25), (100, 15), (100, 12), (100, 0)), "77.77"),
    (((99.99, 25), (33.33, 15), (0.01, 12)), "0.02"),
    (((99.99, 25), (33.33, 15), (0.01, 12)), "100.01"),
    (((500, 25), (-100, 25), (10, 0)), "333.33"),
    (((100, 0),), "33.33"),
)


class UnaskedCase(RefundCase):
    def refund_there(self, amount, order=None):
        """Somebody refunds in Front Payment's own pages."""
        order = order or self.sent
        self.sandbox.control(
            "POST", f"orders/{order.order_uuid}/refund", {"amount": amount}
        )
        self.ask(order)

    def make(self, move=None):
        action = (move or self.move).action_frontpay_make_credit_note()
        self.assertEqual(action["res_model"], "account.move")
        return self.env["account.move"].browse(action["res_id"])

    def offered(self, move=None):
        """The action that the invoice's alert offers, or None."""
        return (move or self.move)._get_alerts().get("frontpay", {}).get("action")


@tagged("post_install", "-at_install", "frontpay")
class TestRefundedUnasked(UnaskedCase):
    """Front Payment has refunded by itself; the credit note is one click away."""

    def test_the_alert_offers_it_and_one_click_fills_it_in(self):
        self.happens(self.sent, *PAID)
        self.assertFalse(self.offered())
        self.refund_there("125.00")
        self.assertTrue(self.attention(self.move))
        action = self.offered()
        server = self.env["ir.actions.server"].browse(action["id"])
        opened = server.with_context(**action["context"]).run()
        note = self.env["account.move"].browse(opened["res_id"])
        self.assertEqual((note.state, note.move_type), ("draft", "out_refund"))
        self.assertEqual(note.amount_total, 125)
        self.assertEqual(note.reversed_entry_id, self.move)
        self.assertEqual(note.partner_id, self.move.partner_id)
        self.assertIn("ODR", note.ref)

    def test_posting_it_books_the_refund_once_and_sends_nothing(self):
        self.happens(self.sent, *PAID)
        self.refund_there("125.00")
        note = self.make()
        note.action_post()
        self.assertEqual(note.frontpay_refund_state, "refunded")
        self.assertFalse(note.frontpay_can_refund)
        self.assertBooked(note)
        self.ask()
        self.ask()
        self.assertEqual(len(self.payments(self.move)), 2)
        self.assertQuiet(self.move, note)
        self.assertFalse(self.offered())
        self.assertFalse(self.refund_calls())
        with self.assertRaisesRegex(UserError, "already"):
            note.action_frontpay_send()

    def test_a_whole_refund_is_the_whole_invoice(self):
        self.happens(self.sent, *PAID, "refund")
        note = self.make()
        self.assertEqual(
            note.invoice_line_ids.mapped("price_subtotal"),
            self.move.invoice_line_ids.mapped("price_subtotal"),
        )
        note.action_post()
        self.assertBooked(note)
        self.assertEqual(self.clearing(), 0)
        self.assertQuiet(self.move, note)

    def test_a_part_is_right_to_the_oere_with_a_line_for_each_vat_rate(self):
        for lines, amount in PARTS:
            with self.subTest(lines=lines, amount=amount):
                move, order = self.sold(
                    *PAID, lines=[self.line(price, rate) for price, rate in lines]
                )
                self.refund_there(amount, order)
                note = self.make(move)
                self.assertEqual(f"{note.amount_total:.2f}", amount)
                taxes = note.invoice_line_ids.mapped("tax_ids")
                self.assertLessEqual(taxes, move.invoice_line_ids.tax_ids)
                self.assertLessEqual(
                    len(note.invoice_line_ids), len({rate for _price, rate in lines})
                )
                note.action_post()
                self.assertEqual(f"{note.amount_total:.2f}", amount)
                self.assertBooked(note)
                self.assertQuiet(move, note)

    def test_prices_with_vat_give_the_part_as_it_is(self):
        included = {"name": "incl.", "price_include_override": "tax_included"}
        tax = self.tax(25).copy(included)
        line = {"name": "Router", "price_unit": 125, "tax_ids": [Command.set(tax.ids)]}
        move, order = self.sold(*PAID, lines=[line])
        self.refund_there("0.07", order)
        note = self.make(move)
        self.assertEqual(f"{note.amount_total:.2f}", "0.07")
        note.action_post()
        self.assertBooked(note)

    def test_a_claim_that_was_lowered_there_is_lowered_here(self):
        self.happens(self.sent, "confirm")
        self.sent._apply_response(OrderStatus("INVOICED", Decimal("125")))
        note = self.make()
        before = len(self.move.message_ids)
        note.action_post()
        self.assertEqual(self.move.amount_residual, 250)
        self.assertEqual(note.amount_residual, 0)
        self.assertFalse(self.payments(self.move))
        self.assertQuiet(self.move, note)
        bodies = self.move.message_ids[: len(self.move.message_ids) - before]
        self.assertNotIn("still claimed", " ".join(bodies.mapped("body")))
        self.sent._apply_response(OrderStatus("PAID", Decimal("125")))
        self.assertEqual(self.sent.payment_id.amount, 250)
        self.assertEqual(self.move.amount_residual, 0)

    def test_a_second_click_opens_the_same_draft(self):
        self.happens(self.sent, *PAID)
        self.refund_there("125.00")
        note = self.make()
        self.assertEqual(self.make(), note)
        note.unlink()
        self.assertNotEqual(self.make(), note)

    def test_each_refund_of_theirs_is_a_credit_note(self):
        self.happens(self.sent, *PAID)
        for amount in ("125.00", "50.00", "200.00"):
            self.refund_there(amount)
            note = self.make()
            self.assertEqual(f"{note.amount_total:.2f}", amount)
            note.action_post()
            self.assertBooked(note)
        self.assertEqual(self.sent.state, "refunded")
        self.assertQuiet(self.move)

    def test_beside_a_refund_of_ours_only_theirs_is_credited(self):
        self.happens(self.sent, *PAID)
        own = self.credit(100)
        own.action_frontpay_send()
        self.decide("confirm")
        self.refund_there("50.00")
        self.assertIn("50.00", self.move.frontpay_error)
        note = self.make()
        self.assertEqual(note.amount_total, 50)
        note.action_post()
        self.assertBooked(note)
        self.assertQuiet(self.move, own, note)

    def test_a_credit_note_that_lowered_the_order_accounts_for_no_refund(self):
        own = self.credit(100)
        own.action_frontpay_send()
        self.assertEqual(self.sent.amount, 250)
        self.happens(self.sent, *PAID)
        self.refund_there("50.00")
        self.assertIn("50.00", self.move.frontpay_error)
        note = self.make()
        self.assertEqual(note.amount_total, 50)
        note.action_post()
        self.assertBooked(note)
        self.assertQuiet(self.move, own, note)

    def test_what_does_not_fit_any_more_is_not_posted(self):
        self.happens(self.sent, *PAID)
        self.refund_there("125.00")
        changed, late = self.make(), self.make()
        changed.invoice_line_ids[0].price_unit = 40
        with self.assertRaisesRegex(UserError, "credits"), self.undone():
            changed.action_post()
        self.refund_there("50.00")
        with self.assertRaisesRegex(UserError, "credits"), self.undone():
            late.action_post()
        self.assertFalse(late.frontpay_refund_ids)

    def test_a_draft_that_names_no_invoice_any_more_is_not_posted(self):
        self.happens(self.sent, *PAID)
        self.refund_there("125.00")
        draft = self.make()
        draft.reversed_entry_id = False
        with self.assertRaisesRegex(UserError, "names no invoice"), self.undone():
            draft.action_post()
        self.assertFalse(self.refund_calls())

    def test_a_draft_of_what_another_credit_note_accounts_for_is_not_posted(self):
        self.happens(self.sent, *PAID)
        self.refund_there("125.00")
        draft = self.make()
        own = self.credit(100)
        own.action_frontpay_send()
        self.assertEqual(own.frontpay_refund_state, "refunded")
        with self.assertRaisesRegex(UserError, "credits"), self.undone():
            draft.action_post()

    def test_what_cannot_be_credited_is_told(self):
        self.happens(self.sent, *PAID)
        cases = (
            ("nothing that isn't credited", lambda: None),
            ("only", lambda: self.sent.write({"refunded_amount": 400})),
            ("hasn't told", lambda: self.sent._apply_status("PARTIAL REFUNDED")),
        )
        for pattern, happens in cases:
            with self.subTest(pattern), self.undone():
                happens()
                with self.assertRaisesRegex(UserError, pattern):
                    self.make()
                self.assertFalse(self.offered())
                self.assertFalse(self.move.reversal_move_ids)

    def test_a_credit_note_that_waits_to_be_sent_is_the_one(self):
        self.happens(self.sent, *PAID)
        own = self.credit(100)
        self.refund_there("125.00")
        self.assertIn(f"Send {own.name}", self.move.frontpay_error)
        with self.assertRaisesRegex(UserError, f"Send {own.name}"):
            self.make()
        self.assertEqual(self.offered()["res_id"], own.id)
        own.action_frontpay_send()
        self.assertQuiet(self.move, own)

    def test_a_credit_note_that_came_back_is_the_one(self):
        """A second one would be credited, and paid back, beside it."""
        for state in ("failed", "rejected", "needs_approval", "queued"):
            with self.subTest(state):
                self.setUp()
                self.happens(self.sent, *PAID)
                own = self.credit(100)
                refund = self.env["frontpay.refund"]._enqueue_notes(own)
                refund.state = state
                self.refund_there("125.00")
                self.assertIn(f"Send {own.name}", self.move.frontpay_error)
                with self.assertRaisesRegex(UserError, f"Send {own.name}"):
                    self.make()
                own.action_frontpay_send()
                self.assertFalse(self.refund_calls())
                self.assertEqual(own.frontpay_refund_state, "refunded")
                self.assertEqual(own.amount_residual, 0)
                self.assertQuiet(self.move, own)

    def test_while_a_refund_of_ours_runs_nobody_knows_whose_it_is(self):
        self.happens(self.sent, *PAID)
        self.credit(40).action_frontpay_send()
        self.refund_there("125.00")
        with self.assertRaisesRegex(UserError, "hasn't told"):
            self.make()

    def test_only_who_may_invoice_makes_one(self):
        self.happens(self.sent, *PAID)
        self.refund_there("125.00")
        reader = new_test_user(
            self.env,
            "frontpay_reader",
            groups="account.group_account_readonly",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        with self.assertRaises(AccessError):
            self.move.with_user(reader).action_frontpay_make_credit_note()
        self.assertFalse(self.offered(self.move.with_user(reader)))

    def test_an_invoicing_user_makes_and_posts_it(self):
        self.happens(self.sent, *PAID)
        self.refund_there("125.00")
        user = new_test_user(
            self.env,
            "frontpay_invoicing",
            groups="account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        note = self.make(self.move.with_user(user)).with_user(user)
        note.action_post()
        self.assertBooked(note)

    def test_in_a_closed_period_it_is_booked_on_the_first_open_day(self):
        self.happens(self.sent, *PAID)
        self.refund_there("125.00")
        note = self.make()
        note.invoice_date = "2026-01-15"
        self.company.fiscalyear_lock_date = "2026-06-30"
        note.action_post()
        self.assertEqual(note.amount_residual, 0)
        payment = note.frontpay_refund_id.sudo().payment_id
        for entry in (note, payment.move_id):
            self.assertGreater(entry.date, self.company.fiscalyear_lock_date)
