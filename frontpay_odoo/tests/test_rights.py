import re

from psycopg2.errors import ForeignKeyViolation

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common import RightsCase

USERS = {
    "portal": "base.group_portal",  # the customer
    "employee": "base.group_user",
    "reader": "account.group_account_readonly",
    "invoicing": "account.group_account_invoice",
    "adviser": "account.group_account_manager",
    "system": "base.group_system",
    "stranger": "account.group_account_manager",  # of another company
}
ACTIONS = (
    "action_frontpay_send",
    "action_frontpay_check",
    "action_frontpay_refresh",
    "action_frontpay_resolve",
    "action_frontpay_withdraw",
    "action_frontpay_ask_customer",
    "action_frontpay_email_link",
    "action_frontpay_remind",
    "action_frontpay_cancel",
    "action_frontpay_resend",
)
PAYOUT_ACTIONS = (
    "action_propose",
    "action_book_payments",
    "action_post",
    "action_match",
    "action_draft",
    "action_cancel",
)


@tagged("post_install", "-at_install", "frontpay")
class TestRights(RightsCase):
    groups = USERS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.move = cls.invoice()
        cls.sent = cls.order(cls.move, verification_url="https://bankid.example.com/")
        cls.exchange = (
            cls.env["frontpay.exchange"]
            .sudo()
            .create(
                {
                    "order_id": cls.sent.id,
                    "company_id": cls.company.id,
                    "direction": "out",
                    "path": "connect/orders/invoice/submit",
                }
            )
        )

    def _as(self, record, login):
        """The record as that user meets it, after logging in."""
        self.env.invalidate_all()
        return record.with_user(self.users[login]).with_context(
            allowed_company_ids=self.users[login].company_ids.ids
        )

    def _may(self, read):
        try:
            read()
        except AccessError:
            return False
        return True

    def test_nobody_writes_by_hand_what_became_of_an_invoice(self):
        for values in (
            {"frontpay_state": False},
            {"frontpay_order_id": False},
            {"frontpay_order_ids": [Command.clear()]},
        ):
            for login in USERS:
                with self.subTest(login, **values), self.assertRaises(AccessError):
                    self._as(self.move, login).write(values)

    def test_a_token_is_for_administrators_who_keep_the_books(self):
        self.users["system"].group_ids += self.env.ref("account.group_account_manager")
        order = self._as(self.sent, "system")
        self.assertEqual(order.read(["token"])[0]["token"], order.sudo().token)

    def test_who_may_send(self):
        for login in ("portal", "employee", "reader", "system", "stranger"):
            for action in ACTIONS:
                with self.subTest(login, action=action):
                    move = self._as(self.move, login)
                    self.assertFalse(self._may(getattr(move, action)))
        for login in ("invoicing", "adviser"):
            with self.subTest(login):
                told = self._as(self.move, login).action_frontpay_send()["params"]
                self.assertIn("Front Payment can't be reached", told["message"])

    def test_whoever_writes_invoices_for_other_reasons_has_no_say(self):
        self.env["ir.model.access"].create(
            {
                "name": "Employees write entries",
                "model_id": self.env["ir.model"]._get_id("account.move"),
                "group_id": self.env.ref("base.group_user").id,
                "perm_read": True,
                "perm_write": True,
            }
        )
        move = self._as(self.move, "employee")
        self.assertTrue(move.has_access("write"))
        for action in ACTIONS:
            with self.subTest(action):
                self.assertFalse(self._may(getattr(move, action)))

    def test_who_may_update_the_status_from_the_journal(self):
        for login in USERS:
            with self.subTest(login):
                journal = self._as(self.company.frontpay_journal_id, login)
                may = self._may(journal.action_frontpay_refresh)
                self.assertEqual(may, login in ("invoicing", "adviser"))

    def test_who_may_book_a_payout(self):
        payout = self.env["frontpay.payout"].create(
            {
                "journal_id": self.company.frontpay_journal_id.id,
                "bank_journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        for login in USERS:
            for action in PAYOUT_ACTIONS:
                with self.subTest(login, action=action), self.undone():
                    try:
                        may = self._may(getattr(self._as(payout, login), action))
                    except UserError:
                        may = True  # the pay-out is empty
                    self.assertEqual(may, login == "adviser")
        for login in USERS:
            with self.subTest(login):
                may = self._may(self._as(payout, login).read)
                self.assertEqual(may, login in ("reader", "invoicing", "adviser"))

    def test_who_may_not_book_payouts_reads_whom_to_ask(self):
        bank = self.company_data["default_journal_bank"]
        line = self.env["account.bank.statement.line"].create(
            {"journal_id": bank.id, "amount": 125, "payment_ref": "Front Payment"}
        )
        payout = self.env["frontpay.payout"].create({"bank_journal_id": bank.id})
        adviser = self.users["adviser"]
        self.company.frontpay_responsible_id = adviser
        sentence = f"Pay-outs are booked by accountants. Ask {adviser.name}."
        for login in ("reader", "invoicing"):
            own = self._as(payout, login)
            with self.subTest(login):
                self.assertEqual(own.whom_to_ask, sentence)
                told = own.browse().action_tell_whom_to_ask()["params"]
                self.assertEqual(told["message"], sentence)
                with self.assertRaisesRegex(AccessError, re.escape(sentence)):
                    self._as(line, login).action_frontpay_payout()
        self.assertFalse(self._as(payout, "adviser").whom_to_ask)
        for login, is_shown in (("invoicing", True), ("adviser", False)):
            arch = self._as(payout, login).get_view(view_type="list")["arch"]
            self.assertEqual("action_tell_whom_to_ask" in arch, is_shown)

    def test_an_adviser_books_matches_and_undoes_a_payout(self):
        bank = self.company_data["default_journal_bank"]
        self.sent._apply_status("PAID", fields.Date.today())
        line = self.env["account.bank.statement.line"].create(
            {"journal_id": bank.id, "amount": 125, "payment_ref": "Front Payment"}
        )
        payout = self._as(self.env["frontpay.payout"], "adviser").create(
            {"bank_journal_id": bank.id, "amount": 125}
        )
        for action, state, is_matched in (
            ("action_propose", "draft", False),
            ("action_post", "posted", False),
            ("action_match", "posted", True),
            ("action_draft", "draft", False),
            ("action_post", "posted", True),
            ("action_cancel", "cancelled", False),
        ):
            with self.subTest(action):
                getattr(payout, action)()
                self.assertEqual((payout.state, payout.is_matched), (state, is_matched))
                self.assertEqual(line.is_reconciled, is_matched)

    def test_nobody_enters_what_a_payout_comes_to(self):
        own = self._as(self.env["frontpay.payout"], "adviser")
        values = {"bank_journal_id": self.company_data["default_journal_bank"].id}
        payout = own.create(values)
        for forged in ({"state": "posted"}, {"difference": 1}, {"fee_tax": 1}):
            with self.subTest(**forged):
                with self.assertRaises(AccessError):
                    payout.write(forged)
                with self.assertRaises(AccessError):
                    own.create(values | forged)

    def test_an_invoicing_user_sends_without_seeing_the_token(self):
        move = self._as(self.invoice(), "invoicing")
        # Nobody listens there: the request is made, fails, and is put off.
        self.assertEqual(move.action_frontpay_send()["params"]["type"], "warning")
        self.assertEqual(move.frontpay_state, "queued")

    def test_nobody_writes_orders_by_hand(self):
        for login in USERS:
            order = self._as(self.sent, login)
            for operation in ("create", "write", "unlink"):
                with self.subTest(login, operation=operation):
                    self.assertFalse(order.has_access(operation))

    def test_nobody_changes_the_exchange_log(self):
        for login in USERS:
            exchange = self._as(self.exchange, login)
            for operation in ("create", "write", "unlink"):
                with self.subTest(login, operation=operation):
                    self.assertFalse(exchange.has_access(operation))

    def test_the_exchange_log_outlives_its_company(self):
        company = self.env["res.company"].create({"name": "Kort Prøve AS"})
        values = {"company_id": company.id, "direction": "out", "path": "x"}
        exchange = self.env["frontpay.exchange"].sudo().create(values)
        delete = SQL("DELETE FROM res_company WHERE id = %s", company.id)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaisesRegex(ForeignKeyViolation, "frontpay_exchange"),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(delete)
        self.assertTrue(exchange.exists())

    def test_not_even_odoo_itself_changes_the_exchange_log(self):
        with self.assertRaisesRegex(UserError, "can't be changed"):
            self.exchange.sudo().write({"request": "nothing"})
        with self.assertRaisesRegex(UserError, "can't be deleted"):
            self.exchange.sudo().unlink()

    def test_each_company_sees_its_own(self):
        for model in ("frontpay.order", "frontpay.exchange"):
            with self.subTest(model):
                self.assertTrue(self._as(self.env[model], "adviser").search([]))
                self.assertFalse(self._as(self.env[model], "stranger").search([]))

    def test_a_number_at_front_payment_belongs_to_one_company(self):
        self.private.with_company(self.company).frontpay_customer_uuid = "CSRT1"
        own = self._as(self.private, "adviser").frontpay_customer_uuid
        others = self._as(self.private, "stranger").frontpay_customer_uuid
        self.assertEqual((own, others), ("CSRT1", False))
