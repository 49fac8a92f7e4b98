import itertools
from datetime import date, datetime
from decimal import Decimal
from unittest.mock import patch

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, Command
from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import html2plaintext, mute_logger

from odoo.addons.account.models.account_move import AccountMove
from odoo.addons.account.wizard.account_payment_register import AccountPaymentRegister
from odoo.addons.frontpay_odoo.connect.responses import OrderStatus

from .common import PATH_TOKEN, FrontpayCommon

NBSP = "\N{NO-BREAK SPACE}"
OTHER_AMOUNTS = ("40", "0", "125.01", "124.99", "999999999999")
# Moments, the company's time zone, and the day it is there.
DAYS = (
    (datetime(2025, 12, 31, 23, 30), False, date(2026, 1, 1)),
    (datetime(2025, 12, 31, 22, 30), False, date(2025, 12, 31)),
    (datetime(2025, 12, 31, 23, 30), "America/New_York", date(2025, 12, 31)),
    (datetime(2025, 6, 30, 22, 30), "Europe/Oslo", date(2025, 7, 1)),
)


class PaymentCase(FrontpayCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.move = cls.invoice(invoice_date="2025-08-01")
        cls.sent = cls.order(cls.move)
        cls.journal = cls.company.frontpay_journal_id
        cls.bank = cls.company_data["default_journal_bank"]

    def told(self, status="PAID", day=date(2025, 8, 21)):
        """Front Payment says a status, and the order follows, as the cron's user."""
        cron = self.env(user=SUPERUSER_ID, context={})
        self.sent.with_env(cron)._apply_status(status, day)

    def payments(self):
        """All payments of the customer."""
        return self.env["account.payment"].search(
            [("partner_id", "=", self.private.id)], order="id"
        )

    def pay_by_hand(self, amount, journal=None, move=None):
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=(move or self.move).ids
        )
        values = {
            "amount": amount,
            "journal_id": (journal or self.bank).id,
            "payment_date": date(2025, 8, 20),
        }
        return wizard.create(values)._create_payments()

    def credit(self, move=None):
        """A credit note for the whole invoice."""
        note = (move or self.move)._reverse_moves(cancel=True)
        self.assertEqual(note.state, "posted")
        return note

    def _have_no_outstanding_account(self, journal):
        """Payments have no entry then, where all of Odoo's accounting is installed."""
        name = "_get_invoice_in_payment_state"
        self.patch(AccountMove, name, lambda move: "in_payment")
        journal.inbound_payment_method_line_ids.payment_account_id = False

    def attention(self):
        return self.move.activity_search(["frontpay_odoo.activity_attention"])

    def assertTold(self, *words):
        """The invoice's error says so, and somebody is to act; each once."""
        text = self.move.frontpay_error.replace(NBSP, " ")
        for word in words:
            self.assertIn(word, text)
        [activity] = self.attention()
        self.assertTrue(activity.user_id)
        bodies = " ".join(map(html2plaintext, self.move.message_ids.mapped("body")))
        bodies = bodies.replace(NBSP, " ")
        self.assertEqual(bodies.count(words[0]), 1)

    def assertSettled(self):
        self.assertFalse(self.move.frontpay_error)
        self.assertFalse(self.attention())

    def amounts(self):
        return self.payments().mapped("amount")

    def assertNotRegistered(self, *words):
        """The order is paid, no payment was made, and the bookkeeper is told why."""
        self.assertEqual(self.sent.state, "paid")
        self.assertFalse(self.sent.payment_id)
        for word in ("couldn't be registered", *words):
            self.assertIn(word, self.move.frontpay_error)
            self.assertIn(word, self.move.message_ids[0].body)


@tagged("post_install", "-at_install", "frontpay")
class TestPayment(PaymentCase):
    def test_a_paid_order_pays_the_invoice(self):
        self.told()
        payment = self.sent.payment_id
        self.assertEqual(self.payments(), payment)
        opened = payment.action_frontpay_open()
        self.assertEqual(
            (opened["res_model"], opened["res_id"]), ("frontpay.order", self.sent.id)
        )
        self.assertEqual(payment.journal_id, self.company.frontpay_journal_id)
        self.assertEqual((payment.amount, payment.date), (125.00, date(2025, 8, 21)))
        self.assertEqual(
            (payment.payment_type, payment.partner_type), ("inbound", "customer")
        )
        self.assertTrue(payment.is_reconciled)
        self.assertEqual(payment.reconciled_invoice_ids, self.move)
        self.assertIn(
            self.move.payment_state,
            ("paid", self.move._get_invoice_in_payment_state()),
        )
        self.assertEqual(self.move.amount_residual, 0)
        self.assertFalse(self.move.frontpay_error)

    def test_the_payment_names_invoice_and_order(self):
        self.told()
        self.assertIn(self.move.name, self.sent.payment_id.memo)
        self.assertIn("ODR1", self.sent.payment_id.memo)

    def test_the_payment_belongs_to_the_invoices_company(self):
        cron_user = self.env["res.users"].browse(SUPERUSER_ID)
        self.assertNotEqual(cron_user.company_id, self.company)
        self.told()
        payment = self.sent.payment_id
        self.assertEqual(payment.company_id, self.company)
        self.assertEqual(payment.move_id.company_id, self.company)
        self.assertEqual(payment.partner_id, self.private)

    def test_the_money_stands_on_the_journals_own_account(self):
        self.told()
        account = self.company.frontpay_journal_id.default_account_id
        lines = self.sent.payment_id.move_id.line_ids
        line = lines.filtered(lambda line: line.account_id == account)
        self.assertEqual(line.balance, 125.00)

    @freeze_time("2025-09-03 12:00:00")
    def test_without_a_callback_it_is_today(self):
        self.sent._apply_status("PAID")
        self.assertEqual(self.sent.payment_id.date, date(2025, 9, 3))

    def test_an_invoiced_order_pays_nothing_as_a_rule(self):
        for status in ("INVOICED", "Purring", "Inkasso"):
            self.told(status)
            self.assertFalse(self.payments())
        self.told("PAID")
        self.assertEqual(len(self.payments()), 1)

    def test_an_invoiced_order_pays_where_front_payment_takes_over_the_claim(self):
        self.company.frontpay_settle_on = "invoiced"
        for status in ("INVOICED", "Purring", "Inkasso"):
            with self.subTest(status), self.undone():
                self.told(status)
                payment = self.sent.payment_id
                self.assertEqual(payment.amount, 125.00)
                self.assertEqual(self.move.amount_residual, 0)
                self.told("PAID", date(2025, 8, 24))
                self.assertEqual(self.sent.state, "paid")
                self.assertEqual(self.payments(), payment)
                self.assertFalse(self.move.frontpay_error)

    def test_what_does_not_pay(self):
        for status in ("SENT", "CANCELLED", "EXPIRED"):
            for settle_on in ("paid", "invoiced"):
                with self.subTest(status, settle_on=settle_on), self.undone():
                    self.company.frontpay_settle_on = settle_on
                    self.told(status)
                    self.assertFalse(self.payments())
                    self.assertEqual(self.move.payment_state, "not_paid")

    def test_without_a_journal_the_bookkeeper_is_told(self):
        self.company.frontpay_journal_id = False
        self.told()
        self.assertFalse(self.payments())
        self.assertNotRegistered("journal")

    def test_without_an_outstanding_account_it_is_registered_once(self):
        """Such a payment has no entry, and leaves the invoice open for now."""
        self._have_no_outstanding_account(self.journal)
        self.told()
        payment = self.sent.payment_id
        self.assertEqual((payment.amount, payment.move_id.ids), (125.00, []))
        self.sent._settle_payment()
        self.assertEqual(self.payments(), payment)
        self.assertFalse(self.move.frontpay_error)

    def test_in_a_locked_period_the_payment_is_entered_on_the_first_open_day(self):
        self.company.fiscalyear_lock_date = "2025-12-31"
        self.told()
        payment = self.sent.payment_id
        self.assertGreater(payment.move_id.date, date(2025, 12, 31))
        self.assertEqual(self.move.amount_residual, 0)

    def test_a_payment_that_could_not_be_made_is_made_when_asked_again(self):
        journal = self.company.frontpay_journal_id
        self.company.frontpay_journal_id = False
        self.told()
        self.assertFalse(self.payments())
        self.company.frontpay_journal_id = journal
        self.sent._settle_payment()
        self.assertEqual(self.payments(), self.sent.payment_id)
        self.assertEqual(self.move.amount_residual, 0)
        self.assertFalse(self.sent.error)

    def test_an_invoicing_user_who_asks_may_register_payments(self):
        user = new_test_user(
            self.env,
            "invoicing",
            groups="account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.sent.with_user(user).sudo()._apply_status("PAID")
        self.assertEqual(self.move.amount_residual, 0)

    def test_the_chatter_tells_what_front_payment_reported(self):
        self.told("INVOICED")
        self.assertIn("Front Payment: Invoiced", self.move.message_ids[0].body)
        self.told("PAID")
        bodies = "\n".join(self.move.message_ids.mapped("body"))
        self.assertIn("Front Payment: Paid", bodies)
        self.assertNotIn(PATH_TOKEN, bodies)

    def test_it_is_booked_on_the_companys_day(self):
        for moment, zone, day in DAYS:
            with self.subTest(moment, zone=zone), self.undone(), freeze_time(moment):
                self.company.partner_id.tz = zone
                self.sent.with_context(tz="Pacific/Auckland")._apply_status("PAID")
                self.assertEqual(self.sent.payment_id.date, day)

    def test_what_is_registered_later_has_the_day_of_the_payment(self):
        self.company.frontpay_journal_id = False
        self.told()
        self.company.frontpay_journal_id = self.journal
        self.sent._settle_payment()
        self.assertEqual(self.sent.payment_id.date, date(2025, 8, 21))

    def test_what_is_not_settled_stays_to_do_as_the_order_moves_on(self):
        self.company.write(
            {"frontpay_settle_on": "invoiced", "frontpay_journal_id": False}
        )
        for status in ("INVOICED", "Purring", "PAID"):
            with self.subTest(status):
                self.told(status)
                self.assertIn("couldn't be registered", self.sent.error)
                self.assertEqual(len(self.attention()), 1)

    def test_what_was_refunded_was_paid_before(self):
        for settle_on in ("paid", "invoiced"):
            for status in ("PARTIAL REFUNDED", "REFUNDED"):
                with self.subTest(status, settle_on=settle_on), self.undone():
                    self.company.frontpay_settle_on = settle_on
                    self.told(status)
                    self.assertEqual(self.sent.payment_id.amount, 125.00)
                    self.assertEqual(self.move.amount_residual, 0)
                    self.assertTold("refunded", "credit note")

    def test_an_early_payment_discount_takes_nothing_off(self):
        for computation in ("included", "excluded", "mixed"):
            with self.subTest(computation), self.undone():
                self._pay_early(computation)

    def _pay_early(self, computation):
        term = self.env["account.payment.term"].create(
            {
                "name": "2/10",
                "early_discount": True,
                "discount_percentage": 2,
                "discount_days": 10,
                "early_pay_discount_computation": computation,
                "line_ids": [Command.create({"value": "percent", "value_amount": 100})],
            }
        )
        self.move = self.invoice(
            invoice_date="2025-08-01", invoice_payment_term_id=term.id
        )
        self.sent = self.order(self.move, token="early", order_uuid="ODR2")
        self.told(day=date(2025, 8, 3))
        self.assertEqual(self.sent.payment_id.amount, self.move.amount_total)
        self.assertEqual(len(self.sent.payment_id.move_id.line_ids), 2)
        self.assertSettled()

    def test_an_invoice_in_instalments_has_one_payment(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "Halves",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50}),
                    Command.create(
                        {"value": "percent", "value_amount": 50, "nb_days": 60}
                    ),
                ],
            }
        )
        self.move = self.invoice(
            invoice_date="2025-08-01", invoice_payment_term_id=term.id
        )
        self.sent = self.order(self.move, token="halves", order_uuid="ODR2")
        self.told()
        self.assertEqual(self.amounts(), [125.00])
        self.assertEqual(self.move.amount_residual, 0)

    def test_a_journal_in_another_currency_books_nothing(self):
        self.journal.currency_id = self.env.ref("base.EUR")
        self.told()
        self.assertFalse(self.payments())
        self.assertTold("couldn't be registered", "journal in NOK")

    def test_what_odoo_would_register_wrongly_is_taken_back(self):
        values_of = AccountPaymentRegister._create_payment_vals_from_wizard
        euro = self.env.ref("base.EUR")
        euro.active = True
        for wrong, account in itertools.product(
            ({"amount": 12.50}, {"currency_id": euro.id}),
            (True, False),
        ):
            with self.subTest(wrong, account=account), self.undone():
                if not account:
                    self._have_no_outstanding_account(self.journal)

                def create_wrong(wizard, batch, wrong=wrong):
                    return values_of(wizard, batch) | wrong

                name = "_create_payment_vals_from_wizard"
                with patch.object(AccountPaymentRegister, name, create_wrong):
                    self.told()
                self.assertFalse(self.payments())
                self.assertEqual(self.move.amount_residual, 125.00)
                self.assertTold("couldn't be registered", "something else")

    @mute_logger("odoo.addons.frontpay_odoo.models.frontpay_order_payment")
    def test_an_error_while_registering_is_told(self):
        name = "_create_payments"
        with patch.object(AccountPaymentRegister, name, side_effect=KeyError("x")):
            self.told()
        self.assertEqual(self.sent.state, "paid")
        self.assertTold("couldn't be registered", "server's log")

    def test_a_conflict_with_another_transaction_is_tried_again(self):
        conflict = OperationalError("could not serialize access")
        name = "_create_payments"
        with (
            patch.object(AccountPaymentRegister, name, side_effect=conflict),
            self.assertRaises(OperationalError),
        ):
            self.told()


@tagged("post_install", "-at_install", "frontpay")
class TestMoneyAndBooks(PaymentCase):
    """Where Front Payment's money and Odoo's books part, somebody is told."""

    def test_a_double_payment_is_told_with_amounts_and_days(self):
        for amount in (125.00, 25.00):
            with self.subTest(amount), self.undone():
                by_hand = self.pay_by_hand(amount)
                self.told()
                self.sent._settle_payment()
                self.assertEqual(self.payments(), by_hand)
                self.assertTold(
                    "Paid twice: kr 125.00 at Front Payment on 08/21/2025",
                    f"kr {amount:.2f} in Odoo on 08/20/2025",
                    f"The customer gets kr {amount:.2f} back",
                    "with ODR1 as memo",
                )

    def test_a_payment_without_an_entry_is_one_all_the_same(self):
        self._have_no_outstanding_account(self.bank)
        by_hand = self.pay_by_hand(125.00)
        self.assertFalse(by_hand.move_id)
        self.told()
        self.assertEqual(self.payments(), by_hand)
        self.assertTold("Paid twice")

    def test_a_payment_of_a_credited_invoice_is_told(self):
        self.credit()
        self.told()
        self.assertFalse(self.payments())
        self.assertTold("Paid and credited: kr 125.00", "back")

    def test_a_double_payment_that_front_payment_refunds_is_settled(self):
        self.pay_by_hand(125.00)
        self.told()
        self.told("REFUNDED")
        self.assertEqual(self.amounts(), [125.00])
        self.assertSettled()

    def test_a_double_payment_goes_on_being_told_after_a_part_was_refunded(self):
        self.pay_by_hand(125.00)
        self.told()
        report = OrderStatus("PARTIAL REFUNDED", refunded_amount=Decimal(25))
        self.sent._apply_response(report)
        self.assertIn("Paid twice", self.sent.error)
        self.assertIn("refunded", self.sent.error)
        self.assertEqual(len(self.attention()), 1)

    def test_a_double_payment_registered_with_the_orders_number_is_settled(self):
        self.pay_by_hand(125.00)
        self.told()
        credit = self._register_credit("double ODR1")
        self.sent._settle_payment()
        self.assertEqual(self.sent.payment_id, credit)
        self.assertSettled()

    def test_a_payment_with_another_orders_number_or_of_another_order_isnt_taken(self):
        other = self.order(self.invoice(), "paid", token="x", order_uuid="ODR12")
        self.pay_by_hand(125.00)
        for memo in ("ODR12", "ODR1 ODR12"):
            with self.subTest(memo), self.undone():
                other.payment_id = self._register_credit(memo)
                self.told()
                self.assertFalse(self.sent.payment_id)
                self.assertTold("Paid twice")

    def test_what_else_has_the_orders_number_is_not_its_payment(self):
        for name, values in (
            ("of another customer", {"partner_id": self.corporate.id}),
            ("in another journal", {"journal_id": self.bank.id}),
            ("paid back", {"payment_type": "outbound"}),
            ("cancelled", {}),
            ("reversed", {}),
        ):
            with self.subTest(name), self.undone():
                other = self._register_credit("for ODR1", **values)
                if name == "cancelled":
                    other.action_draft()
                    other.action_cancel()
                elif name == "reversed":
                    other.move_id._reverse_moves(cancel=True)
                self.told()
                self.assertTrue(self.sent.payment_id)
                self.assertNotEqual(self.sent.payment_id, other)

    def _register_credit(self, memo, **values):
        """The customer's money, of no invoice."""
        credit = self.env["account.payment"].create(
            {
                "journal_id": self.journal.id,
                "partner_id": self.private.id,
                "amount": 125.00,
                "payment_type": "inbound",
                "memo": memo,
            }
            | values
        )
        credit.action_post()
        return credit

    def test_a_customer_who_was_merged_with_another_pays_all_the_same(self):
        known = self._customer("Kari Prøvebruker")
        merging = self.env["base.partner.merge.automatic.wizard"]
        merging._merge((known + self.private).ids, known)
        self.assertEqual(self.sent.partner_id, known)
        self.told()
        self.assertEqual(self.sent.payment_id.partner_id, known)
        self.assertEqual(self.move.amount_residual, 0)
        self.assertSettled()

    def test_what_was_registered_by_hand_as_told_is_linked_at_once(self):
        self.company.frontpay_journal_id = False
        self.told()
        self.assertTold("couldn't be registered")
        self.company.frontpay_journal_id = self.journal
        by_hand = self.pay_by_hand(125.00, self.journal)
        self.assertEqual(self.sent.payment_id, by_hand)
        self.assertSettled()
        self.sent._settle_payment()
        self.assertEqual(self.payments(), by_hand)

    def test_what_was_registered_in_parts_is_settled(self):
        self.company.frontpay_journal_id = False
        self.told()
        self.company.frontpay_journal_id = self.journal
        for amount in (100.00, 25.00):
            self.pay_by_hand(amount, self.journal)
        self.assertSettled()
        self.sent._settle_payment()
        self.assertEqual(self.amounts(), [100.00, 25.00])

    def test_one_payment_for_two_invoices_settles_both(self):
        second = self.invoice(invoice_date="2025-08-01")
        other = self.order(second, token="second", order_uuid="ODR2")
        self.company.frontpay_journal_id = False
        for order in self.sent + other:
            order._apply_status("PAID")
        self.company.frontpay_journal_id = self.journal
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=(self.move + second).ids
        )
        wizard.create(
            {"journal_id": self.journal.id, "group_payment": True}
        )._create_payments()
        for order in self.sent + other:
            order._settle_payment()
            self.assertFalse(order.error)
        self.assertEqual(self.amounts(), [250.00])

    def test_what_was_registered_without_a_fee_is_not_booked_again(self):
        self.company.frontpay_journal_id = False
        self.told()
        self.company.frontpay_journal_id = self.journal
        self.pay_by_hand(120.00, self.journal)
        self.sent._settle_payment()
        self.assertEqual(self.amounts(), [120.00])
        self.assertTold("is registered in journal", "but kr 120.00", "difference")

    def test_another_orders_payment_is_not_this_ones(self):
        payment = self.pay_by_hand(125.00, self.journal)
        self.order(
            self.invoice(), "paid", token="x", order_uuid="X", payment_id=payment.id
        )
        self.told()
        self.assertFalse(self.sent.payment_id)
        self.assertTold("Paid twice")

    def test_another_amount_is_told_and_nothing_is_booked(self):
        for amount in OTHER_AMOUNTS:
            with self.subTest(amount), self.undone():
                self.sent._apply_response(OrderStatus("PAID", amount=Decimal(amount)))
                self.sent._apply_status("PAID")
                self.assertFalse(self.payments())
                self.assertTold("reports", "was sent with kr 125.00")

    def test_an_invoice_that_is_open_with_another_amount_is_not_paid(self):
        self.sent.amount = 100.00
        self.told()
        self.assertFalse(self.payments())
        self.assertTold("couldn't be registered", "kr 125.00 is open", "not kr 100.00")

    def test_another_amount_is_told_before_anybody_pays(self):
        self.sent._apply_response(OrderStatus("SENT", amount=Decimal(40)))
        self.assertTold("reports", "reports kr 40.00")

    def test_the_right_amount_is_booked_and_settles_the_wrong_one(self):
        self.sent._apply_response(OrderStatus("PAID", amount=Decimal(40)))
        self.sent._apply_response(OrderStatus("PAID", amount=Decimal("125.0")))
        self.assertEqual(self.amounts(), [125.00])
        self.assertSettled()

    def test_another_amount_that_was_registered_by_hand_is_settled(self):
        self.sent._apply_response(OrderStatus("PAID", amount=Decimal(40)))
        by_hand = self.pay_by_hand(40.00, self.journal)
        self.sent._settle_payment()
        self.assertEqual(self.sent.payment_id, by_hand)
        self.assertSettled()

    def test_another_amount_after_the_booking_is_told(self):
        self.told()
        self.sent._apply_response(OrderStatus("PAID", amount=Decimal(40)))
        self.assertTold("reports")

    def test_a_refund_is_told_until_it_is_credited(self):
        self.told()
        self.assertSettled()
        report = OrderStatus("PARTIAL REFUNDED", refunded_amount=Decimal("25.00"))
        self.sent._apply_response(report)
        self.assertTold(
            "Front Payment refunded", "kr 25.00 of kr 125.00 for order ODR1"
        )
        self.sent._apply_response(OrderStatus("REFUNDED"))
        self.assertIn("125.00", self.sent.error)
        note = self.move._reverse_moves()
        note.invoice_line_ids.price_unit = 1
        note.action_post()
        self.sent._settle_payment()
        self.assertIn("125.00", self.sent.error)
        self.credit()
        self.sent._settle_payment()
        self.assertSettled()

    def test_a_refund_that_is_credited_to_the_øre_is_settled(self):
        self.told()
        self.told("REFUNDED")
        self.credit()
        self.sent._settle_payment()
        self.assertSettled()

    def test_a_refund_that_comes_without_its_status_is_told(self):
        report = OrderStatus("PAID", refunded_amount=Decimal("25.00"))
        self.sent._apply_response(report)
        self.assertEqual(self.amounts(), [125.00])
        self.assertTold("Front Payment refunded")

    def test_an_order_that_ends_with_a_part_refunded_tells_that_part(self):
        self.told()
        report = OrderStatus("REFUNDED", refunded_amount=Decimal(100))
        self.sent._apply_response(report)
        self.assertTold("Front Payment refunded kr 100.00 of kr 125.00")

    def test_what_is_left_after_a_refund_may_be_registered_alone(self):
        self.company.frontpay_journal_id = False
        self.told()
        report = OrderStatus("PARTIAL REFUNDED", refunded_amount=Decimal(25))
        self.sent._apply_response(report)
        self.company.frontpay_journal_id = self.journal
        by_hand = self.pay_by_hand(100.00, self.journal)
        self.sent._settle_payment()
        self.assertEqual(self.sent.payment_id, by_hand)
        self.assertSettled()

    def test_a_refund_wipes_no_earlier_error(self):
        self.company.frontpay_journal_id = False
        self.told()
        self.told("PARTIAL REFUNDED")
        self.assertIn("couldn't be registered", self.sent.error)
        self.assertIn("refunded a part", self.sent.error)
        self.assertEqual(len(self.attention()), 1)

    def test_a_paid_order_that_is_said_to_be_cancelled_is_told(self):
        for status in ("PAID", "PARTIAL REFUNDED"):
            with self.subTest(status), self.undone():
                self.told(status)
                state = self.sent.state
                self.told("CANCELLED")
                self.told("CANCELLED")
                self.assertEqual(self.sent.state, state)
                self.assertTold("“Cancelled” for order ODR1")

    def test_an_error_that_is_not_about_the_books_stays(self):
        self.sent.error = "Order ODR1 was not brought up to date."
        self.told("SENT")
        self.sent._settle_payment()
        self.assertEqual(self.sent.error, "Order ODR1 was not brought up to date.")

    def test_nothing_is_registered_for_an_order_that_waits(self):
        for status in ("SENT", "INVOICED"):
            self.told(status)
            self.sent._settle_payment()
            self.assertFalse(self.payments())
            self.assertSettled()


@tagged("post_install", "-at_install", "frontpay")
class TestResponsible(PaymentCase):
    """Who is given something to do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.setup_other_company(name="Elvenett Prøve AS")["company"]
        cls.sender = cls._user("sender", "account.group_account_invoice")
        cls.responsible = cls._user("responsible", "account.group_account_readonly")
        cls.employee = cls._user("employee", "base.group_user")
        cls.stranger = cls._user(
            "stranger", "account.group_account_manager", cls.other_company
        )
        cls.accountant = cls.env["res.users"]

    @classmethod
    def _user(cls, login, groups, company=None):
        company = company or cls.company
        return new_test_user(
            cls.env,
            f"frontpay_{login}",
            groups=groups,
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )

    def _given_to(self, sender, responsible=None):
        self.env.cr.execute(
            "UPDATE frontpay_order SET create_uid = %s WHERE id = %s",
            [sender.id, self.sent.id],
        )
        self.sent.invalidate_recordset()
        self.company.frontpay_responsible_id = responsible
        # Whoever polls it may work in another company just then.
        elsewhere = self.sent.with_context(allowed_company_ids=self.other_company.ids)
        elsewhere._notify_responsible("Look at it.")
        return self.attention().user_id

    def test_whoever_sent_it_else_the_responsible_else_a_bookkeeper(self):
        archived = self._user("archived", "account.group_account_invoice")
        archived.active = False
        customer = self._user("customer", "base.group_portal")
        customer.partner_id = self.move.partner_id
        self.move.invoice_user_id = self.employee
        for sender, responsible, person in (
            (self.sender, self.responsible, self.sender),
            (self.employee, self.responsible, self.responsible),
            (archived, self.responsible, self.responsible),
            (customer, self.responsible, self.responsible),
            (self.stranger, self.responsible, self.responsible),
        ):
            with self.subTest(sender.login), self.undone():
                self.assertEqual(self._given_to(sender, responsible), person)
        for responsible in (None, self.employee, self.stranger):
            with self.subTest(responsible and responsible.login), self.undone():
                person = self._given_to(self.employee, responsible)
                self.assertTrue(person.has_group("account.group_account_invoice"))
                self.assertIn(self.company, person.company_ids)
                self.assertTrue(person.active)

    def test_what_stands_in_it_is_text(self):
        self.sent._notify_responsible("<a href='http://x.example'>Kari</a> & <b>\nOla")
        note = self.attention().note
        self.assertNotIn("<a", note)
        self.assertNotIn("<b>", note)
        self.assertIn("&lt;a href", note)
        self.assertIn("<br", note)
        self.sent._record_error("<b>Kari</b>")
        self.assertIn("&lt;b&gt;", self.move.message_ids[0].body)

    def test_the_news_replace_what_was_to_do(self):
        for sentence in ("First.", "Second.", "Second."):
            self.sent._notify_responsible(sentence)
        self.assertIn("Second.", self.attention().note)
        self.assertEqual(len(self.attention()), 1)
