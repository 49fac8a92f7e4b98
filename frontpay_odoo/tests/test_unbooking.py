import random
from datetime import date, datetime, timedelta
from decimal import Decimal

from odoo import SUPERUSER_ID
from odoo.tests import freeze_time, tagged
from odoo.tools import html2plaintext

from odoo.addons.frontpay_odoo.connect.responses import OrderStatus
from odoo.addons.frontpay_odoo.models.frontpay_order import PAYMENT_STATES

from .test_payment import NBSP, PaymentCase
from .test_refund import RefundCase

START = datetime(2025, 8, 21, 10)
BACK = datetime(2025, 9, 3, 10)
# How the claim comes back: what is said, and how long after the first word.
RETURNS = (
    ("CANCELLED", "cancelled", [("CANCELLED", 0)]),
    ("EXPIRED", "expired", [("EXPIRED", 0)]),
    ("SENT", "sent", [("SENT", 0), ("SENT", 15)]),
)
# What Front Payment says, in any order.
WORDS = ("SENT", "INVOICED", "Purring", "Inkasso", "PAID", "CANCELLED", "EXPIRED")
SEEDS = 12
# What doesn't bring it back.
LATE_ANSWERS = {
    "said once": [("SENT", 0)],
    "said twice at once": [("SENT", 0), ("SENT", 1)],
    "something else between": [("SENT", 0), ("INVOICED", 5), ("SENT", 16)],
    "it moved on between": [("SENT", 0), ("Purring", 5), ("SENT", 16)],
    "only repeated": [("INVOICED", 0), ("INVOICED", 60)],
    "unheard of": [("RESERVED", 0), ("", 60)],
}


@tagged("post_install", "-at_install", "frontpay")
class TestUnbooking(PaymentCase):
    """A claim that counted as paid when it was invoiced comes back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.frontpay_settle_on = "invoiced"

    def says(self, status, moment=START, refunded=None):
        with freeze_time(moment):
            cron = self.env(user=SUPERUSER_ID, context={})
            report = OrderStatus(status, refunded and Decimal(refunded))
            self.sent.with_env(cron)._apply_response(report, "99900753")

    def come_back(self, words):
        for status, minutes in words:
            self.says(status, BACK + timedelta(minutes=minutes))

    def balance(self, account):
        lines = self.env["account.move.line"].search(
            [
                ("account_id", "=", account.id),
                ("parent_state", "=", "posted"),
                ("company_id", "=", self.company.id),
            ]
        )
        return sum(lines.mapped("balance"))

    def test_it_is_reversed_once_in_the_same_journal_on_the_companys_day(self):
        for status, state, words in RETURNS:
            with self.subTest(status), self.undone():
                self.says("INVOICED")
                payment = self.sent.payment_id
                entry = payment.move_id
                self.assertEqual(self.move.amount_residual, 0)
                self.come_back([*words, words[-1]])
                self.assertEqual(self.sent.state, state)
                self.assertEqual(self.move.amount_residual, 125.00)
                self.assertEqual(self.move.payment_state, "not_paid")
                [reversal] = entry.reversal_move_ids
                self.assertEqual((entry.state, reversal.state), ("posted", "posted"))
                self.assertEqual(reversal.journal_id, self.journal)
                self.assertEqual(reversal.date, date(2025, 9, 3))
                self.assertIn("ODR1", reversal.ref)
                self.assertEqual(self.balance(self.journal.default_account_id), 0)
                self.assertEqual(payment.exists().amount, 125.00)
                self.assertFalse(self.sent.payment_id)
                self.assertEqual(
                    self.balance(self.move.line_ids.account_id.filtered("reconcile")),
                    125.00,
                )

    def test_it_is_told_once_and_somebody_is_to_act(self):
        for status, _state, words in RETURNS:
            with self.subTest(status), self.undone():
                self.says("INVOICED")
                entry = self.sent.payment_id.move_id
                self.come_back([*words, words[-1]])
                [activity] = self.attention()
                self.assertTrue(activity.user_id)
                sentence = html2plaintext(activity.note).replace(NBSP, " ")
                bodies = [
                    html2plaintext(body).replace(NBSP, " ").strip()
                    for body in self.move.message_ids.mapped("body")
                ]
                self.assertEqual(bodies.count(sentence.strip()), 1)
                for word in ("ODR1", "kr 125.00", "08/21/2025", "open again"):
                    self.assertIn(word, sentence)
                self.assertIn(entry.reversal_move_ids.name, sentence)
                self.assertNotIn("Front Payment: Waiting", " ".join(bodies))
                self.assertFalse(self.move.frontpay_error)

    def test_a_late_answer_takes_nothing_back(self):
        for reason, words in LATE_ANSWERS.items():
            with self.subTest(reason), self.undone():
                self.says("INVOICED")
                payment = self.sent.payment_id
                self.come_back(words)
                self.assertEqual(self.sent.payment_id, payment)
                self.assertEqual(self.move.amount_residual, 0)
                self.assertFalse(payment.move_id.reversal_move_ids)

    def test_unchanged_by_the_list_is_an_answer_in_between(self):
        self.says("INVOICED")
        self.says("SENT", BACK)
        self.assertTrue(self.sent.returned_at)
        self.sent._record_unchanged()
        self.says("SENT", BACK + timedelta(minutes=20))
        self.assertTrue(self.sent.payment_id)

    def test_it_is_asked_again_soon(self):
        self.says("INVOICED")
        with freeze_time(BACK):
            self.sent.returned_at = BACK
            self.sent._schedule_next_poll()
        self.assertEqual(self.sent.next_poll_at, BACK + timedelta(minutes=15))

    def test_what_comes_back_can_be_claimed_once_more(self):
        for _status, _state, words in RETURNS[2:]:
            self.says("INVOICED")
            first = self.sent.payment_id
            self.come_back(words)
            self.says("INVOICED", BACK + timedelta(days=1))
            again = self.sent.payment_id
            self.assertNotEqual(again, first)
            self.assertEqual(again.date, date(2025, 9, 4))
            self.assertEqual(self.move.amount_residual, 0)
            self.come_back([("CANCELLED", 24 * 60 * 2)])
            self.assertEqual(self.move.amount_residual, 125.00)
            self.assertEqual(self.balance(self.journal.default_account_id), 0)

    def test_where_payment_is_what_counts_an_order_never_goes_back(self):
        self.company.frontpay_settle_on = "paid"
        self.says("INVOICED")
        self.come_back([("SENT", 0), ("SENT", 60)])
        self.assertEqual(self.sent.state, "invoiced")

    def test_what_the_customer_has_paid_stays(self):
        self.says("PAID")
        self.come_back([("SENT", 0), ("SENT", 60), ("EXPIRED", 70)])
        self.assertEqual(self.move.amount_residual, 0)
        self.assertTrue(self.sent.payment_id)

    def test_in_a_locked_period_it_is_reversed_on_the_first_open_day(self):
        self.says("INVOICED")
        entry = self.sent.payment_id.move_id
        self.company.fiscalyear_lock_date = "2025-12-31"
        self.come_back([("EXPIRED", 0)])
        self.assertGreater(entry.reversal_move_ids.date, date(2025, 12, 31))
        self.assertEqual(entry.date, date(2025, 8, 21))
        self.assertEqual(self.move.amount_residual, 125.00)

    def test_a_payment_without_an_entry_is_rejected(self):
        self._have_no_outstanding_account(self.journal)
        self.says("INVOICED")
        payment = self.sent.payment_id
        self.assertFalse(payment.move_id)
        self.come_back([("EXPIRED", 0), ("EXPIRED", 1)])
        self.assertEqual(payment.state, "rejected")
        self.assertEqual(self.move.payment_state, "not_paid")
        [activity] = self.attention()
        self.assertIn(payment.display_name, html2plaintext(activity.note))

    def test_a_payment_that_is_matched_with_the_bank_is_for_a_person(self):
        self._have_no_outstanding_account(self.journal)
        self.says("INVOICED")
        payment = self.sent.payment_id
        payment.state = "paid"
        self.come_back([("EXPIRED", 0), ("EXPIRED", 1)])
        self.assertEqual(payment.state, "paid")
        self.assertEqual(self.sent.payment_id, payment)
        self.assertIn("matched with a bank statement", self.sent.error)
        self.assertTrue(self.attention())

    def test_a_payment_that_pays_another_invoice_as_well_is_for_a_person(self):
        other = self.invoice()
        payment = self.pay_by_hand(250, self.journal)
        lines = (payment.move_id | other).line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        lines.reconcile()
        self.assertEqual(payment.reconciled_invoice_ids, self.move | other)
        self.says("INVOICED")
        self.sent.payment_id = payment
        self.come_back([("EXPIRED", 0)])
        self.assertTold("“Expired” at Front Payment", "other invoices", "cancel")
        self.assertEqual(self.sent.payment_id, payment)
        self.assertEqual(self.move.amount_residual, 0)

    def test_in_every_order_of_the_statuses_the_books_say_what_the_order_says(self):
        """Each said twice, at random times: one payment at most that counts, and the
        journal has what is paid."""
        account = self.journal.default_account_id
        receivable = self.move.line_ids.account_id.filtered("reconcile")
        for seed in range(SEEDS):
            chance = random.Random(seed)
            words = chance.choices(WORDS, k=6)
            with self.subTest(seed=seed, words=words), self.undone():
                moment = START
                for word in words:
                    for _twice in range(2):
                        moment += timedelta(minutes=chance.choice((1, 16)))
                        self.says(word, moment)
                    booked = 125 if self.sent.payment_id else 0
                    self.assertEqual(self.balance(account), booked)
                    self.assertEqual(self.balance(receivable), 125 - booked)
                    self.assertEqual(self.move.amount_residual, 125 - booked)
                    is_due = self.sent.state in PAYMENT_STATES["invoiced"]
                    self.assertEqual(bool(booked), is_due)

    def test_whoever_cancelled_the_payment_already_is_not_asked_again(self):
        self.says("INVOICED")
        payment = self.sent.payment_id
        payment.action_draft()
        payment.action_cancel()
        self.come_back([("EXPIRED", 0)])
        self.assertFalse(payment.move_id.reversal_move_ids)
        self.assertEqual(self.move.amount_residual, 125.00)
        self.assertFalse(self.move.frontpay_error)

    def test_another_company_books_in_its_own_journal(self):
        stranger = self.setup_other_company(name="Elvenett Prøve AS")["company"]
        self.says("INVOICED")
        entry = self.sent.payment_id.move_id
        self.sent = self.sent.with_company(stranger)
        self.come_back([("CANCELLED", 0)])
        self.assertEqual(entry.reversal_move_ids.company_id, self.company)


@tagged("post_install", "-at_install", "frontpay")
class TestUnbookingAfterRefunds(RefundCase):
    def test_what_was_credited_lowers_what_is_open_again(self):
        self.company.frontpay_settle_on = "invoiced"
        self.happens(self.sent, "confirm")
        note = self.credit(100)
        note.action_frontpay_send()
        self.decide("confirm")
        self.assertEqual(self.clearing(), 250)
        self.sent._apply_status("EXPIRED")
        self.assertEqual(self.clearing(), 0)
        self.assertEqual(self.move.amount_residual, 250)
        self.assertEqual(note.amount_residual, 0)
        self.assertEqual(note.frontpay_refund_state, "refunded")
        self.sent._apply_status("EXPIRED")
        self.sent._book_refunds()
        self.assertEqual(self.clearing(), 0)
