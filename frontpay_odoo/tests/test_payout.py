import json
import random
import time
from contextlib import contextmanager
from datetime import date
from types import SimpleNamespace

from lxml import etree
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, LockError, UserError
from odoo.tests import BaseCase, Form, freeze_time, new_test_user, tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from odoo.addons.account.models.account_move import AccountMove
from odoo.addons.frontpay_odoo.tools.payout_items import proposed

from .common import FrontpayCommon, SandboxCase

DAY = date(2026, 11, 20)
# Open items in øre, the oldest first, what they should come to, and what is chosen.
CHOICES = {
    "nothing is open": ([], 100, []),
    "all": ([100, 250, -50], 300, [0, 1, 2]),
    "the oldest ones": ([100, 250, 400], 350, [0, 1]),
    "with a payment and its refund, rather than without": (
        [100, 250, -250, 400],
        100,
        [0, 1, 2],
    ),
    "some that follow each other": ([100, 250, 400, 999], 650, [1, 2]),
    "neighbours rather than older ones here and there": (
        [100, 777, 550, 333, 317],
        650,
        [3, 4],
    ),
    "some here and there": ([100, 250, 400, 999], 1099, [0, 3]),
    "of equal ones the oldest": ([100, 77, 100, 40, 100], 200, [0, 2]),
    "refunds only": ([100, -40, 300, -60], -100, [1, 3]),
    "what cancels out": ([70, 100, -100], 0, [1, 2]),
    "no sum fits: the oldest that fit in": ([100, 250, 400], 505, [0, 1]),
    "less than any": ([100, 250], 50, []),
    "a sum of one øre less": ([10000, 9999], 9999, [1]),
}


class TestChoice(BaseCase):
    def test_exact_sums_come_first(self):
        for name, (amounts, target, chosen) in CHOICES.items():
            with self.subTest(name):
                self.assertEqual(proposed(amounts, target), chosen)

    def test_an_exact_sum_is_found_wherever_few_items_have_one(self):
        chance = random.Random(11)
        for _case in range(300):
            amounts = [chance.randint(-5000, 20000) or 1 for _item in range(12)]
            some = chance.sample(range(12), chance.randint(1, 12))
            target = sum(amounts[each] for each in some)
            chosen = proposed(amounts, target)
            self.assertEqual(sum(amounts[each] for each in chosen), target)
            self.assertEqual(chosen, sorted(set(chosen)))

    def test_the_search_ends_however_many_items_there_are(self):
        chance = random.Random(12)
        amounts = [chance.randint(1, 10**7) * 2 for _item in range(5000)]
        began = time.process_time()
        chosen = proposed(amounts, sum(amounts) // 2 * 2 - 1)
        self.assertLess(time.process_time() - began, 2)
        self.assertLess(sum(amounts[each] for each in chosen), sum(amounts))


class PayoutCase(FrontpayCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.journal = cls.company.frontpay_journal_id
        cls.bank = cls.company_data["default_journal_bank"]
        cls.expense = cls.company_data["default_account_expense"]
        cls.transit = cls.company.transfer_account_id
        cls.fee_tax = cls.env["account.tax"].create(
            {"name": "25 % in", "amount": 25, "type_tax_use": "purchase"}
        )

    def paid(self, amount, day="2026-11-01", company=None, **values):
        """A customer's payment to Front Payment, or below 0 a refund.

        :return: its item in the clearing account
        """
        company = company or self.company
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound" if amount > 0 else "outbound",
                "partner_type": "customer",
                "partner_id": self.private.id,
                "journal_id": company.frontpay_journal_id.id,
                "amount": abs(amount),
                "date": day,
                "memo": "INV/1 ODR1",
                **values,
            }
        )
        payment.action_post()
        return payment.move_id.line_ids.filtered(
            lambda line: (
                line.account_id == company.frontpay_journal_id.default_account_id
            )
        )

    def payout(self, amount, fee=0, *items, **values):
        payout = self.env["frontpay.payout"].create(
            {
                "journal_id": self.journal.id,
                "bank_journal_id": self.bank.id,
                "date": DAY,
                "amount": amount,
                "fee": fee,
                "fee_account_id": self.expense.id,
                "line_ids": [
                    Command.create({"move_line_id": item.id}) for item in items
                ],
                **values,
            }
        )
        if not items:
            payout.action_propose()
        return payout

    def statement_line(self, amount, day=DAY, label="FRONT PAYMENT AS", **values):
        return self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.bank.id,
                "amount": amount,
                "date": day,
                "payment_ref": label,
                **values,
            }
        )

    def items_of(self, payout):
        return payout.line_ids.move_line_id

    def entry(self, payout):
        """What is booked: (account, balance) by their order."""
        return sorted(
            (line.account_id.id, line.balance) for line in payout.move_id.line_ids
        )

    def balance(self, account=None):
        account = account or self.journal.default_account_id
        lines = self.env["account.move.line"].search(
            [("account_id", "=", account.id), ("parent_state", "=", "posted")]
        )
        return self.company.currency_id.round(sum(lines.mapped("balance")))

    def assertRefused(self, payout, *words):
        with self.assertRaises(UserError) as caught, self.env.cr.savepoint():
            payout.action_post()
        for word in words:
            self.assertIn(
                word, str(caught.exception).replace("\N{NO-BREAK SPACE}", " ")
            )
        self.assertEqual(payout.state, "draft")


@tagged("post_install", "-at_install", "frontpay")
class TestPayout(PayoutCase):
    def test_it_books_payments_refunds_and_fee_gross(self):
        items = self.paid(1000) + self.paid(500.50) + self.paid(-200.25)
        payout = self.payout(1287.75, 10, tax_id=self.fee_tax.id)
        self.assertEqual(self.items_of(payout), items)
        self.assertEqual((payout.fee_tax, payout.difference), (2.5, 0))
        payout.action_post()
        clearing = self.journal.default_account_id.id
        vat = payout.move_id.line_ids.filtered("tax_line_id")
        self.assertEqual(vat.balance, 2.5)
        self.assertEqual(
            self.entry(payout),
            sorted(
                [
                    (clearing, -1500.5),
                    (clearing, 200.25),
                    (self.transit.id, 1287.75),
                    (self.expense.id, 10),
                    (vat.account_id.id, 2.5),
                ]
            ),
        )
        self.assertEqual(payout.state, "posted")
        self.assertEqual(payout.move_id.date, DAY)
        self.assertEqual(payout.move_id.journal_id, self.journal)
        self.assertEqual(items.mapped("reconciled"), [True] * 3)
        self.assertEqual(self.balance(), 0)
        self.assertEqual(payout.left_over, 0)

    def test_the_journals_card_says_what_front_payment_owes_now(self):
        self.paid(1000)
        self.payout(990, 10).action_post()
        self.paid(250.50)
        self.env.flush_all()
        self.journal.invalidate_recordset()
        card = json.loads(self.journal.kanban_dashboard)
        owed = self.company.currency_id.format(250.50)
        self.assertEqual(card["account_balance"], owed)

    def test_the_fee_goes_to_the_settings_account_else_to_the_last_ones(self):
        def default():
            payouts = self.env["frontpay.payout"].with_company(self.company)
            return payouts.default_get(["fee_account_id"]).get("fee_account_id")

        self.company.frontpay_fee_account_id = False
        self.assertFalse(default())
        self.payout(90, 10)
        self.assertEqual(default(), self.expense.id)
        other = self.expense.copy()
        self.company.frontpay_fee_account_id = other
        self.assertEqual(default(), other.id)

    def test_another_companys_fee_account_is_nobodys_default(self):
        self.payout(90, 10)
        another = self.env["res.company"].create({"name": "Another"})
        payouts = self.env["frontpay.payout"].sudo().with_company(another)
        self.assertFalse(payouts._default_fee_account())

    def test_without_a_tax_nobody_guesses_one(self):
        self.paid(100)
        payout = self.payout(90, 10)
        self.assertFalse(payout.tax_id)
        payout.action_post()
        self.assertEqual(len(payout.move_id.line_ids), 3)

    def test_taxes_of_any_kind_are_as_odoo_computes_them(self):
        """A tax on the fee is Odoo's, rounded as Odoo does, included in prices or
        not, and where the buyer owes it, none is paid."""
        reverse = self.fee_tax.copy({"name": "Reverse charge"})
        for lines in (
            reverse.invoice_repartition_line_ids,
            reverse.refund_repartition_line_ids,
        ):
            tax_line = lines.filtered(lambda line: line.repartition_type == "tax")
            tax_line.copy({"factor_percent": -100})
        included = self.fee_tax.copy(
            {"name": "Included", "price_include_override": "tax_included"}
        )
        for tax, fee, expected in (
            (self.fee_tax, 33.33, 8.33),
            (self.fee_tax, 0.02, 0.01),
            (self.fee_tax, -10, -2.5),  # it is credited
            (included, 10, 2.5),
            (reverse, 10, 0),
        ):
            with self.subTest(tax.name, fee=fee):
                self.paid(1000)
                amount = self.company.currency_id.round(1000 - fee - expected)
                payout = self.payout(amount, fee, tax_id=tax.id)
                self.assertEqual(payout.fee_tax, expected)
                payout.action_post()
                self.assertEqual(self.balance(), 0)

    def test_it_proposes_what_was_paid_until_then(self):
        early = self.paid(100, "2026-11-01") + self.paid(50, "2026-11-20")
        self.paid(100, "2026-11-21")
        for amount in (150, 250):
            payout = self.payout(amount)
            self.assertEqual(self.items_of(payout), early)
            self.assertEqual(payout.left_over, 100)
            payout.unlink()

    def test_its_day_is_the_companys_as_that_of_the_payments_is(self):
        """At night a person without a time zone is a day behind Norway."""
        self.env.user.tz = False
        with freeze_time("2026-11-22 23:30:00"):
            payout = self.env["frontpay.payout"].new({})
            self.assertEqual(payout.date, date(2026, 11, 23))
            self.assertEqual(payout.date, self.company._frontpay_day())

    def test_the_rest_is_shown(self):
        self.paid(100)
        second = self.paid(70)
        payout = self.payout(70)
        self.assertEqual(self.items_of(payout), second)
        self.assertEqual(payout.left_over, 100)
        payout.action_post()
        self.assertEqual((payout.left_over, self.balance()), (100, 100))
        listed = self.env["account.move.line"].search(
            payout.action_open_left_over()["domain"]
        )
        self.assertEqual(sum(listed.mapped("amount_residual")), 100)

    def test_an_item_reconciled_in_part_counts_with_what_is_open(self):
        item, refund = self.paid(100), self.paid(-30)
        (item + refund).reconcile()
        payout = self.payout(70)
        self.assertEqual((payout.line_ids.amount, payout.left_over), (70, 0))
        payout.action_post()
        self.assertTrue(item.reconciled)

    def test_refunds_only_are_taken_from_the_bank(self):
        items = self.paid(-100) + self.paid(-20)
        payout = self.payout(-130, 10)
        self.assertEqual(self.items_of(payout), items)
        payout.action_post()
        self.assertEqual(self.balance(), 0)
        self.assertEqual(self.balance(self.transit), -130)

    def test_a_fee_may_be_more_than_what_was_collected(self):
        self.paid(10)
        payout = self.payout(-40, 50)
        payout.action_post()
        self.assertEqual((self.balance(), self.balance(self.transit)), (0, -40))

    def test_nothing_may_be_paid_out_at_all(self):
        items = self.paid(100) + self.paid(-100)
        payout = self.payout(0)
        payout.action_post()
        self.assertEqual(items.mapped("reconciled"), [True, True])
        self.assertEqual(payout.state, "posted")
        self.assertFalse(payout._transit_line())

    def test_two_drafts_propose_no_item_twice(self):
        first, second = self.paid(100), self.paid(100)
        self.assertEqual(self.items_of(self.payout(100)), first)
        self.assertEqual(self.items_of(self.payout(100)), second)

    def test_what_does_not_fit_is_refused(self):
        item = self.paid(100)
        for amount, fee, words in (
            (100.01, 0, ("kr 100.00", "kr 100.01 on the bank")),
            (90, 9.99, ("are kr 99.99",)),
            (0, 0, ("are kr 0.00",)),
        ):
            with self.subTest(amount=amount):
                payout = self.payout(amount, fee, item)
                self.assertRefused(payout, "items come to", *words)
        self.assertRefused(self.payout(1), "no items")
        self.assertRefused(self.payout(90, 10, item, fee_account_id=False), "fee acc")

    def test_what_is_open_in_its_journal_is_offered_to_choose_from(self):
        settled, refund, is_open = self.paid(100), self.paid(-100), self.paid(30)
        (settled + refund).reconcile()
        payout = self.payout(30, 0, is_open)
        form = etree.fromstring(payout.get_view(view_type="form")["arch"])
        [field] = form.xpath("//field[@name='line_ids']//field[@name='move_line_id']")
        chosen = {"journal_id": self.journal.id, "company_id": self.company.id}
        offered = self.env["account.move.line"].search(
            safe_eval(field.get("domain"), {"parent": SimpleNamespace(**chosen)})
        )
        self.assertEqual(offered, is_open)

    def test_an_item_settled_meanwhile_is_refused(self):
        item = self.paid(100)
        first, second = self.payout(100, 0, item), self.payout(100, 0, item)
        first.action_post()
        self.assertRefused(second, "isn't open", "Propose")

    def test_an_item_settled_in_part_meanwhile_is_refused(self):
        item, refund = self.paid(100), self.paid(-30)
        payout = self.payout(100, 0, item)
        (item + refund).reconcile()
        self.assertRefused(payout, "kr 70.00 is open now, not kr 100.00")

    def test_an_item_of_another_company_is_refused(self):
        other = self.setup_other_company(name="Elvenett Prøve AS")["company"]
        other.action_frontpay_create_journal()
        theirs = self.paid(100, company=other)
        payout = self.payout(100, 0, theirs)
        self.assertRefused(payout, "another company")
        self.assertFalse(self.payout(100).line_ids)

    def test_an_item_of_another_account_is_refused(self):
        invoice = self.invoice()
        receivable = invoice.line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        self.assertRefused(self.payout(125, 0, receivable), "isn't open in the journal")

    def test_another_currency_is_refused(self):
        euro = self.setup_other_currency("EUR")
        item = self.paid(100, currency_id=euro.id)
        self.assertFalse(self.payout(item.amount_residual).line_ids)
        payout = self.payout(item.amount_residual, 0, item)
        self.assertRefused(payout, "another currency")
        self.paid(10)
        payout = self.payout(10)
        self.bank.currency_id = euro
        self.assertRefused(payout, "NOK only")

    def test_an_archived_journal_is_refused(self):
        self.paid(100)
        payout = self.payout(100)
        self.bank.action_archive()
        self.assertRefused(payout, "archived", self.bank.name)

    def test_a_closed_period_is_refused_rather_than_booked_on_another_day(self):
        self.paid(100)
        payout = self.payout(100)
        self.company.fiscalyear_lock_date = "2026-11-20"
        self.assertRefused(payout, "11/20/2026", "closed period", "Global Lock Date")
        payout.date = "2026-11-21"
        payout.action_post()
        self.assertEqual(payout.move_id.date, date(2026, 11, 21))

    def test_a_period_closed_for_taxes_matters_only_with_a_tax(self):
        self.company.tax_lock_date = "2026-11-20"
        self.paid(100)
        payout = self.payout(87.5, 10, tax_id=self.fee_tax.id)
        self.assertRefused(payout, "Tax Return Lock Date")
        payout.write({"tax_id": False, "fee": 12.5})
        payout.action_post()

    def test_a_reset_opens_the_items_and_it_is_booked_anew(self):
        items = self.paid(100) + self.paid(30)
        payout = self.payout(90, 10, items[0])
        payout.action_post()
        entry = payout.move_id
        with self.assertRaisesRegex(UserError, "reset it to draft"):
            payout.amount = 5
        with self.assertRaisesRegex(UserError, "reset it to draft"):
            payout.line_ids.unlink()
        payout.action_draft()
        self.assertEqual((payout.state, entry.state), ("draft", "draft"))
        self.assertFalse(items[0].reconciled)
        self.assertEqual(items[0].amount_residual, 100)
        payout.amount = 120
        payout.action_propose()
        payout.action_post()
        self.assertEqual(payout.move_id, entry)
        self.assertEqual((self.balance(), self.balance(self.transit)), (0, 120))

    def test_it_is_cancelled_and_its_items_are_open_again(self):
        item = self.paid(100)
        payout = self.payout(100)
        payout.action_post()
        payout.action_cancel()
        self.assertEqual((payout.state, payout.move_id.state), ("cancelled", "cancel"))
        self.assertFalse(item.reconciled)
        with self.assertRaisesRegex(UserError, "not deleted"):
            payout.unlink()
        self.payout(100).action_post()
        self.assertEqual(self.balance(), 0)

    def test_whose_entry_is_hashed_it_is_reversed(self):
        self.journal.restrict_mode_hash_table = True
        self.paid(100)
        payout = self.payout(100)
        payout.action_post()
        self.assertTrue(payout.move_id.inalterable_hash)
        payout.action_cancel()
        self.assertEqual(payout.state, "cancelled")
        self.assertEqual((self.balance(), self.balance(self.transit)), (100, 0))

    def test_in_a_closed_period_it_is_reversed_today(self):
        item = self.paid(100)
        payout = self.payout(90, 10)
        payout.action_post()
        self.company.fiscalyear_lock_date = "2026-11-20"
        with self.assertRaises(UserError), self.env.cr.savepoint():
            payout.action_draft()
        payout.action_cancel()
        self.assertEqual(payout.state, "cancelled")
        self.assertEqual(payout.move_id.state, "posted")
        self.assertEqual(
            payout.move_id.reversal_move_ids.date, self.company._frontpay_day()
        )
        self.assertFalse(item.reconciled)
        self.assertEqual((self.balance(), self.balance(self.transit)), (100, 0))
        self.assertEqual(self.payout(100).left_over, 0)
        for again in (payout.action_draft, payout.action_cancel):
            with self.assertRaisesRegex(UserError, "new pay-out"):
                again()

    @contextmanager
    def refuses(self, pattern):
        """Refused, nothing stays changed."""
        with self.assertRaisesRegex(UserError, pattern), self.undone():
            yield
        self.env.invalidate_all(flush=False)

    def test_what_its_entry_was_made_of_stays(self):
        payout = self.payout(90, 10, self.paid(100), tax_id=False)
        payout.action_post()
        for name, value in {
            "amount": 80,
            "fee": 20,
            "fee_account_id": self.expense.copy().id,
            "tax_id": self.fee_tax.id,
            "date": "2026-11-19",
            "line_ids": [Command.clear()],
        }.items():
            with self.subTest(name), self.refuses("isn't a draft"):
                payout.write({name: value})

    def test_its_entry_moves_with_it_only(self):
        payout = self.payout(100, 0, self.paid(100))
        payout.action_post()
        entry = payout.move_id
        by_rpc = entry.with_context(frontpay_payout=True)
        for step in (entry.button_draft, entry.button_cancel, by_rpc.button_draft):
            with self.refuses("use the buttons there"):
                step()
        payout.action_draft()
        with self.refuses("use the buttons there"):
            payout.move_id.action_post()
        self.assertEqual(payout.state, "draft")

    def test_what_it_has_settled_stays(self):
        item = self.paid(100)
        payment = item.move_id.origin_payment_id
        payout = self.payout(100, 0, item)
        payout.action_post()
        for step in (payment.action_draft, payment.action_cancel):
            with self.refuses("remove the item there"):
                step()
        payout.action_draft()
        with self.refuses("remove the item there"):
            item.move_id.with_context(force_delete=True).unlink()
        self.assertEqual(item.move_id.state, "posted")

    def test_what_is_deleted_leaves_a_draft(self):
        item = self.paid(100)
        payment = item.move_id.origin_payment_id
        payout = self.payout(100, 0, item)
        payment.action_draft()
        payment.action_cancel()
        self.assertFalse(payout.line_ids)
        self.assertFalse(item.exists())

    def test_nobody_reads_another_companys_items_by_a_payout(self):
        other = self.setup_other_company(name="Elvenett Prøve AS")["company"]
        other.action_frontpay_create_journal()
        item = self.paid(100, company=other)
        user = new_test_user(
            self.env, "payouts", groups="account.group_account_user,base.group_user"
        )
        payout = self.payout(100).with_user(user)
        with self.assertRaises(AccessError):
            payout.line_ids = [Command.create({"move_line_id": item.id})]

    def test_an_item_is_not_moved_into_another_payout(self):
        draft, posted = self.payout(100, 0, self.paid(100)), self.payout(40)
        posted.line_ids = [Command.create({"move_line_id": self.paid(40).id})]
        posted.action_post()
        user = new_test_user(
            self.env, "payouts", groups="account.group_account_user,base.group_user"
        )
        with self.assertRaises(AccessError):
            draft.line_ids.with_user(user).payout_id = posted

    def test_an_outstanding_account_may_be_shared_with_other_journals(self):
        """Whoever uses an old journal has its payments where Odoo puts them."""
        outstanding = self.env["account.account"].create(
            {
                "name": "Outstanding",
                "code": "109999",
                "account_type": "asset_current",
                "reconcile": True,
            }
        )
        for journal in (self.journal, self.bank):
            journal.inbound_payment_method_line_ids.payment_account_id = outstanding
        self.paid(100)
        self.paid(40, journal_id=self.bank.id)
        self.paid(-25)
        payout = self.payout(75)
        self.assertEqual(payout.total, 75)
        payout.action_post()
        self.assertEqual(self.balance(outstanding), 40)
        self.assertEqual(self.balance(), 0)
        domain = self.journal._frontpay_owed_domain(self.company)
        owed = self.env["account.move.line"].search(domain)
        self.assertNotIn(self.bank, owed.journal_id)

    def test_a_payment_without_an_entry_is_told_and_booked(self):
        name = "_get_invoice_in_payment_state"
        self.patch(AccountMove, name, lambda move: "in_payment")
        self.journal.inbound_payment_method_line_ids.payment_account_id = False
        invoice = self.invoice()
        order = self.order(invoice)
        order._apply_status("PAID", DAY)
        self.assertFalse(order.payment_id.move_id)
        payout = self.payout(125)
        self.assertEqual(payout.unbooked_count, 1)
        self.assertFalse(payout.line_ids)
        payout.action_book_payments()
        payout.invalidate_recordset()
        self.assertEqual(payout.unbooked_count, 0)
        self.assertEqual(invoice.amount_residual, 0)
        self.assertEqual(order.payment_id.state, "paid")
        payout.action_propose()
        payout.action_post()
        self.assertEqual(self.balance(), 0)

    def test_a_branchs_payment_without_an_entry_is_the_branchs(self):
        name = "_get_invoice_in_payment_state"
        self.patch(AccountMove, name, lambda move: "in_payment")
        self.journal.inbound_payment_method_line_ids.payment_account_id = False
        branch = self.env["res.company"].create(
            {"name": "Fjordlys Avdeling", "parent_id": self.company.id}
        )
        self.env.user.company_ids += branch
        payments = self.env["account.payment"]
        for company in (self.company, branch):
            payments += payments.with_company(company).create(
                {
                    "partner_id": self.private.id,
                    "journal_id": self.journal.id,
                    "company_id": company.id,
                    "amount": 100,
                }
            )
        payments.action_post()
        self.assertEqual(payments.company_id, self.company | branch)
        self.assertFalse(payments.move_id)
        self.assertEqual(self.payout(100)._unbooked_payments(), payments[0])

    def test_the_form_has_the_settings_of_the_company(self):
        self.company.frontpay_fee_account_id = self.expense
        self.company.frontpay_fee_tax_id = self.fee_tax
        self.paid(100)
        with Form(self.env["frontpay.payout"]) as form:
            form.date = DAY
            form.amount = 87.5
            form.fee = 10
        payout = form.record
        self.assertEqual(payout.journal_id, self.journal)
        self.assertEqual(payout.bank_journal_id, self.bank)
        self.assertEqual(payout.fee_account_id, self.expense)
        self.assertEqual(payout.fee_tax, 2.5)
        payout.action_propose()
        payout.action_post()
        self.assertEqual(self.balance(), 0)

    def test_who_is_at_an_item_goes_first(self):
        item = self.paid(100)
        payout = self.payout(100, 0, item)

        def locked(records, **_options):
            if records._name == "account.move.line":
                raise LockError("somebody else")

        self.patch(self.env.registry["base"], "lock_for_update", locked)
        self.assertRefused(payout, "somebody else")


@tagged("post_install", "-at_install", "frontpay")
class TestStatement(PayoutCase):
    def test_one_click_matches_the_bank_statement(self):
        self.paid(100)
        line = self.statement_line(90)
        self.statement_line(91)
        payout = self.payout(90, 10)
        payout.action_post()
        self.assertFalse(payout.is_matched)
        self.assertEqual(self.balance(self.transit), 90)
        groups = "account.group_account_user,base.group_user"
        bookkeeper = new_test_user(self.env, "payouts", groups=groups)
        payout.with_user(bookkeeper).action_match()
        self.assertEqual(payout.statement_line_id, line)
        self.assertTrue(payout.is_matched)
        self.assertTrue(line.is_reconciled)
        self.assertEqual(self.balance(self.transit), 0)
        self.assertEqual(self.balance(self.bank.default_account_id), 181)
        with self.assertRaisesRegex(UserError, "is matched"):
            payout.statement_line_id = False

    def test_a_line_that_was_chosen_is_matched_when_it_is_posted(self):
        self.paid(100)
        lines = self.statement_line(100) + self.statement_line(100)
        payout = self.payout(100, statement_line_id=lines[1].id)
        payout.action_post()
        self.assertEqual(lines.mapped("is_reconciled"), [False, True])

    def test_it_is_asked_which_of_several_lines_it_is(self):
        self.paid(100)
        payout = self.payout(100)
        payout.action_post()
        with self.assertRaisesRegex(UserError, "0 open lines"):
            payout.action_match()
        lines = self.statement_line(100) + self.statement_line(100)
        with self.assertRaisesRegex(UserError, "2 open lines"):
            payout.action_match()
        payout.statement_line_id = lines[0]
        payout.action_match()
        self.assertEqual(lines.mapped("is_reconciled"), [True, False])

    def test_of_two_payouts_a_line_is_that_ones_which_has_none(self):
        self.paid(100)
        self.paid(100)
        lines = self.statement_line(100) + self.statement_line(100)
        first, second = self.payout(100), self.payout(100)
        (first + second).action_post()
        first.statement_line_id = lines[0]
        self.assertEqual(lines[1].action_frontpay_payout()["res_id"], second.id)

    def test_a_line_far_away_in_time_is_another_payout(self):
        self.paid(100)
        for day in ("2026-10-01", "2027-01-15"):
            self.statement_line(100, day)
        payout = self.payout(100)
        payout.action_post()
        with self.assertRaisesRegex(UserError, "0 open lines"):
            payout.action_match()

    def test_what_was_taken_from_the_bank_is_matched(self):
        self.paid(-100)
        line = self.statement_line(-100)
        payout = self.payout(-100)
        payout.action_post()
        payout.action_match()
        self.assertTrue(line.is_reconciled)

    def test_a_line_of_another_amount_or_reconciled_is_refused(self):
        self.paid(100)
        line = self.statement_line(99)
        payout = self.payout(100, statement_line_id=line.id)
        self.assertRefused(payout, "another amount")

    def test_an_undone_payout_leaves_the_line_open(self):
        for undo in ("action_draft", "action_cancel"):
            with self.subTest(undo):
                item, line = self.paid(100), self.statement_line(100)
                payout = self.payout(100, 0, item, statement_line_id=line.id)
                payout.action_post()
                getattr(payout, undo)()
                self.assertFalse(line.is_reconciled)
                self.assertFalse(item.reconciled)
                self.assertEqual(self.balance(self.transit), 0)
                self.assertFalse(payout.is_matched)

    def test_a_reversed_payout_leaves_the_line_to_the_next_one(self):
        self.paid(100)
        line = self.statement_line(90)
        payout = self.payout(90, 10, statement_line_id=line.id)
        payout.action_post()
        self.company.fiscalyear_lock_date = "2026-11-20"
        payout.action_cancel()
        self.assertEqual((self.balance(), self.balance(self.transit)), (100, -90))
        again = self.payout(90, 10, date="2026-11-22")
        again.action_post()
        again.action_match()
        self.assertEqual((self.balance(), self.balance(self.transit)), (0, 0))
        self.assertEqual((payout.is_matched, again.is_matched), (False, True))

    def test_a_line_that_lies_on_the_transfer_account_already_is_matched(self):
        """As Odoo's reconciliation models leave it."""
        self.paid(100)
        line = self.statement_line(100)
        _liquidity, suspense, _others = line._seek_for_lines()
        suspense.account_id = self.transit
        payout = self.payout(100)
        payout.action_post()
        payout.action_match()
        self.assertTrue(payout.is_matched)

    def test_a_statement_line_finds_its_payout_and_is_matched(self):
        self.paid(100)
        line = self.statement_line(90)
        payout = self.payout(90, 10)
        payout.action_post()
        shown = line.action_frontpay_payout()
        self.assertEqual(shown["res_id"], payout.id)
        self.assertTrue(payout.is_matched)
        self.assertEqual(line.action_frontpay_payout()["res_id"], payout.id)

    def test_a_statement_line_begins_a_payout(self):
        """With its items, unless a fee is missing."""
        for amount, count in ((100, 1), (90, 0)):
            with self.subTest(amount=amount), self.undone():
                self.paid(100)
                line = self.statement_line(amount)
                shown = line.action_frontpay_payout()
                payout = self.env["frontpay.payout"].browse(shown["res_id"])
                self.assertEqual((payout.date, payout.amount), (DAY, amount))
                self.assertEqual(payout.bank_journal_id, self.bank)
                self.assertEqual(len(payout.line_ids), count)
                payout.write({"fee": 100 - amount, "fee_account_id": self.expense.id})
                payout.action_propose()
                payout.action_post()
                self.assertTrue(line.is_reconciled)

    def test_a_statement_line_on_the_transfer_account_begins_a_payout(self):
        """Odoo's reconciliation model was quicker."""
        self.paid(100)
        line = self.statement_line(100)
        _liquidity, suspense, _others = line._seek_for_lines()
        suspense.account_id = self.transit
        self.assertTrue(line.is_reconciled)
        shown = line.action_frontpay_payout()
        payout = self.env["frontpay.payout"].browse(shown["res_id"])
        self.assertEqual((payout.state, len(payout.line_ids)), ("draft", 1))
        payout.action_post()
        self.assertTrue(payout.is_matched)
        self.assertEqual((self.balance(), self.balance(self.transit)), (0, 0))

    def test_a_transfer_that_is_settled_already_begins_none(self):
        line = self.statement_line(100)
        _liquidity, suspense, _others = line._seek_for_lines()
        suspense.account_id = self.transit
        back = self.statement_line(-100)
        _liquidity, counterpart, _others = back._seek_for_lines()
        counterpart.account_id = self.transit
        (suspense + counterpart).reconcile()
        with self.assertRaisesRegex(UserError, "reconciled already"):
            line.action_frontpay_payout()
        self.assertFalse(self.env["frontpay.payout"].search([]))

    @mute_logger("odoo.sql_db")
    def test_a_statement_line_has_one_payout(self):
        line = self.statement_line(100)
        first = self.payout(100, 0, self.paid(100), statement_line_id=line.id)
        with self.undone(), self.assertRaises(IntegrityError):
            self.payout(100, 0, self.paid(100), statement_line_id=line.id)
        second = self.payout(100, 0, self.paid(100))
        with self.undone(), self.assertRaises(IntegrityError):
            second.statement_line_id = line
            second.flush_recordset()
        self.assertEqual(line.action_frontpay_payout()["res_id"], first.id)
        first.action_post()
        first.action_cancel()
        second.statement_line_id = line
        second.flush_recordset()
        with self.undone(), self.assertRaises(IntegrityError):
            first.action_draft()
            first.flush_recordset()

    def test_a_statement_line_takes_no_items_that_add_up_by_chance(self):
        for amount in (70, 100, 30):
            self.paid(amount)
        shown = self.statement_line(100).action_frontpay_payout()
        self.assertFalse(self.env["frontpay.payout"].browse(shown["res_id"]).line_ids)

    def test_a_statement_line_takes_no_payout_by_guess(self):
        for _twice in range(2):
            self.payout(100, 0, self.paid(100)).action_post()
        line = self.statement_line(100)
        shown = line.action_frontpay_payout()
        payout = self.env["frontpay.payout"].browse(shown["res_id"])
        self.assertEqual(payout.state, "draft")
        payout.unlink()
        line.line_ids.filtered(
            lambda item: item.account_id == self.bank.suspense_account_id
        ).account_id = self.expense
        with self.assertRaisesRegex(UserError, "reconciled already"):
            line.action_frontpay_payout()

    def test_a_reconciliation_model_comes_with_the_journal(self):
        model = self.company.frontpay_reconcile_model_id
        self.assertEqual(model.company_id, self.company)
        self.assertEqual(model.line_ids.account_id, self.transit)
        self.assertTrue(model.can_be_proposed)
        self.assertIn(model.match_label_param.upper(), "FRONT PAYMENT AS")
        self.company.action_frontpay_create_journal()
        self.assertEqual(self.company.frontpay_reconcile_model_id, model)

    def test_odoos_own_matching_finds_the_payout(self):
        self.paid(100)
        line = self.statement_line(100)
        payout = self.payout(100)
        payout.action_post()
        found = self.env["account.move.line"].search(
            line._get_default_amls_matching_domain()
        )
        self.assertIn(payout._transit_line(), found)


@tagged("post_install", "-at_install", "frontpay")
class TestPayoutsOfTheSandbox(SandboxCase):
    def test_what_is_paid_out_there_settles_the_journal_here(self):
        """Sold, paid and paid out, then paid back and taken from the bank."""
        self.sandbox.control(
            "POST", "settings", {"payout_fee_per_order": 4.5, "payout_fee_percent": 2}
        )
        invoices = self.invoice() + self.invoice(self.line(33.33)) + self.invoice()
        invoices.action_frontpay_send()
        for invoice in invoices[:2]:
            self.sandbox.act(invoice.frontpay_order_uuid, "pay")
        invoices.action_frontpay_refresh()
        self._settle(2)
        self.sandbox.act(invoices[2].frontpay_order_uuid, "pay")
        invoices.action_frontpay_refresh()
        note = invoices[0]._reverse_moves()
        note.action_post()
        note.action_frontpay_send()
        refund = self.sandbox.control("GET", "refunds")[-1]
        self.sandbox.control("POST", f"refunds/{refund['id']}/confirm")
        invoices.action_frontpay_refresh()
        self.assertEqual(self._balance(), 0)
        self._settle(2)

    def _balance(self):
        lines = self.env["account.move.line"].search(
            [
                (
                    "account_id",
                    "=",
                    self.company.frontpay_journal_id.default_account_id.id,
                ),
                ("parent_state", "=", "posted"),
            ]
        )
        return self.company.currency_id.round(sum(lines.mapped("balance")))

    def _settle(self, count):
        owed = self.sandbox.control("GET", "payouts")["owed"]
        self.assertEqual(self._balance(), float(owed))
        told = self.sandbox.control("POST", "payouts")
        payout = self.env["frontpay.payout"].create(
            {
                "bank_journal_id": self.company_data["default_journal_bank"].id,
                "amount": float(told["amount"]),
                "fee": float(told["fee"]),
                "fee_account_id": self.company_data["default_account_expense"].id,
            }
        )
        payout.action_propose()
        self.assertEqual(len(payout.line_ids), count)
        payout.action_post()
        self.assertEqual(self._balance(), 0)
