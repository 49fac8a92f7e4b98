from datetime import date

from odoo import SUPERUSER_ID, Command
from odoo.tests import freeze_time, new_test_user, tagged

from .common import PATH_TOKEN, FrontpayCommon


@tagged("post_install", "-at_install", "frontpay")
class TestPayment(FrontpayCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.move = cls.invoice(invoice_date="2025-08-01")
        cls.sent = cls.order(cls.move)

    def told(self, status="PAID", day=date(2025, 8, 21)):
        """Front Payment says a status, and the order follows, as the cron's user."""
        cron = self.env(user=SUPERUSER_ID, context={})
        self.sent.with_env(cron)._apply_status(status, day)

    def payments(self):
        """All payments of the customer."""
        return self.env["account.payment"].search(
            [("partner_id", "=", self.private.id)], order="id"
        )

    def pay_by_hand(self, amount):
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.move.ids
        )
        return wizard.create({"amount": amount})._create_payments()

    def assertNotRegistered(self, *words):
        """The order is paid, no payment was made, and the bookkeeper is told why."""
        self.assertEqual(self.sent.state, "paid")
        self.assertFalse(self.sent.payment_id)
        for word in ("couldn't be registered", *words):
            self.assertIn(word, self.move.frontpay_error)
            self.assertIn(word, self.move.message_ids[0].body)

    def test_a_paid_order_pays_the_invoice(self):
        self.told()
        payment = self.sent.payment_id
        self.assertEqual(self.payments(), payment)
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

    def test_an_invoice_that_was_partly_paid_by_hand(self):
        self.pay_by_hand(25.00)
        self.assertEqual(self.move.amount_residual, 100.00)
        self.told()
        self.assertEqual(self.payments().mapped("amount"), [25.00, 125.00])
        self.assertEqual(self.move.amount_residual, 0)
        # What Front Payment got too much stays open as the customer's credit.
        receivable = self.sent.payment_id.move_id.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        self.assertEqual(receivable.amount_residual, -25.00)

    def test_an_invoice_that_was_wholly_paid_by_hand(self):
        by_hand = self.pay_by_hand(125.00)
        self.told()
        self.assertEqual(self.payments(), by_hand)
        self.assertNotRegistered("nothing left to pay")
        messages = self.move.message_ids
        self.sent._register_due_payment()
        self.assertEqual(self.move.message_ids, messages)

    def test_without_a_journal_the_bookkeeper_is_told(self):
        self.company.frontpay_journal_id = False
        self.told()
        self.assertFalse(self.payments())
        self.assertNotRegistered("journal")

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
        self.sent._register_due_payment()
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
