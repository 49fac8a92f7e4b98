import random
from datetime import date, timedelta

from lxml import etree

from odoo import Command
from odoo.tests import tagged

from .test_payout import PayoutCase

MEASURES = (
    *("collected", "refunded", "fee", "fee_tax", "paid_out", "other", "balance_change"),
)


@tagged("post_install", "-at_install", "frontpay")
class TestSettlementReport(PayoutCase):
    def told(self, *domain):
        """The sums of the report, by the names of the measures."""
        aggregates = [f"{name}:sum" for name in MEASURES]
        [sums] = self.env["frontpay.settlement.report"]._read_group(
            [("company_id", "=", self.company.id), *domain], aggregates=aggregates
        )
        rounded = [self.company.currency_id.round(each or 0) for each in sums]
        return dict(zip(MEASURES, rounded, strict=True))

    def enter(self, amount, journal=None, day="2026-11-05"):
        """Somebody enters something on the clearing account by hand."""
        accounts = (self.journal.default_account_id, self.expense)
        entry = self.env["account.move"].create(
            {
                "journal_id": (journal or self.company_data["default_journal_misc"]).id,
                "date": day,
                "line_ids": [
                    Command.create({"account_id": account.id, "balance": balance})
                    for account, balance in zip(
                        accounts, (amount, -amount), strict=True
                    )
                ],
            }
        )
        entry.action_post()
        return entry

    def assertTold(self, expected, *domain):
        self.assertEqual(self.told(*domain), dict.fromkeys(MEASURES, 0) | expected)

    def test_each_amount_has_its_column(self):
        self.paid(1000)
        self.paid(-200)
        self.assertTold({"collected": 1000, "refunded": 200, "balance_change": 800})
        payout = self.payout(790, 8, tax_id=self.fee_tax.id)
        self.assertTold({"collected": 1000, "refunded": 200, "balance_change": 800})
        payout.action_post()
        booked = {"fee": 8, "fee_tax": 2, "paid_out": 790}
        self.assertTold({"collected": 1000, "refunded": 200} | booked)
        self.assertTold(
            booked | {"balance_change": -800}, ("payout_id", "=", payout.id)
        )
        self.enter(25)
        self.assertTold(
            {"collected": 1000, "refunded": 200, "other": 25, "balance_change": 25}
            | booked
        )
        self.assertEqual(self.balance(), 25)

    def test_it_opens_with_a_row_for_each_journal(self):
        action = self.env.ref("frontpay_odoo.frontpay_settlement_report_action")
        self.assertEqual(action.view_mode.split(",")[0], "pivot")
        view = self.env["frontpay.settlement.report"].get_view(view_type="pivot")
        rows = etree.fromstring(view["arch"]).xpath("//field[@type='row']/@name")
        self.assertEqual(rows, ["journal_id", "date"])

    def test_of_a_month_it_is_the_change_and_the_graph_adds_them_up(self):
        report = self.env["frontpay.settlement.report"]
        label = report.fields_get(["balance_change"])["balance_change"]["string"]
        self.assertEqual(label, "Change in Balance")
        arch = report.get_view(view_type="graph")["arch"]
        self.assertIn('cumulated="1"', arch)
        self.assertIn('string="Balance"', arch)

    def test_what_is_taken_back_is_taken_off(self):
        item = self.paid(1000)
        payout = self.payout(990, 10)
        payout.action_post()
        payout.action_draft()
        self.assertTold({"collected": 1000, "balance_change": 1000})
        payout.action_post()
        self.company.fiscalyear_lock_date = "2026-11-20"
        payout.action_cancel()
        self.assertTold({"collected": 1000, "balance_change": 1000})
        item.move_id._reverse_moves([{"date": date(2026, 11, 21)}], cancel=True)
        self.assertTold({})

    def test_what_is_a_draft_or_cancelled_does_not_count(self):
        payment = self.paid(1000).move_id.origin_payment_id
        payment.action_draft()
        self.assertTold({})
        payment.action_cancel()
        self.assertTold({})

    def test_a_journal_of_old_stays_in_it(self):
        self.paid(1000)
        self.payout(300, 0, self.paid(300)).action_post()
        self.company.frontpay_journal_id = False
        self.assertEqual(self.told()["balance_change"], 1000)

    def test_only_what_is_front_payments_in_a_shared_account(self):
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
        self.assertTold({"collected": 100, "balance_change": 100})
        payout = self.payout(90, 10)
        payout.action_post()
        self.assertTold({"collected": 100, "fee": 10, "paid_out": 90})

    def test_what_two_journals_share_counts_once(self):
        """In the journal it was entered in; what was entered elsewhere, in one."""
        self.paid(100)
        self.payout(30, 0, self.paid(30)).action_post()  # the journal stays known
        second = self.journal.copy({"name": "Second", "code": "FPG2"})
        account = self.journal.default_account_id
        second.default_account_id = account
        methods = second.inbound_payment_method_line_ids
        methods |= second.outbound_payment_method_line_ids
        methods.payment_account_id = account
        self.company.frontpay_journal_id = second
        self.paid(40)
        self.enter(25)
        self.assertTold(
            {"collected": 170, "paid_out": 30, "other": 25, "balance_change": 165}
        )
        self.assertEqual(self.balance(), 165)
        own = self.told(("journal_id", "=", second.id), ("collected", "!=", 0))
        self.assertEqual(own["collected"], 40)

    def test_what_lay_in_an_outstanding_account_of_old_stays(self):
        outstanding = self.env["account.account"].create(
            {
                "name": "Outstanding",
                "code": "109999",
                "account_type": "asset_current",
                "reconcile": True,
            }
        )
        methods = self.journal.inbound_payment_method_line_ids
        methods.payment_account_id = outstanding
        self.paid(100)
        self.payout(90, 10).action_post()
        self.paid(60)
        methods.payment_account_id = self.journal.default_account_id
        self.paid(40)
        self.assertTold(
            {"collected": 200, "fee": 10, "paid_out": 90, "balance_change": 100}
        )
        self.assertEqual(self.balance() + self.balance(outstanding), 100)
        both = self.payout(100, 0)
        both.action_post()
        self.assertEqual(both.state, "posted")
        self.assertEqual(self.balance() + self.balance(outstanding), 0)

    def test_companies_are_told_apart(self):
        other = self.setup_other_company(name="Elvenett Prøve AS")["company"]
        other.action_frontpay_create_journal()
        self.paid(100, company=other)
        self.paid(30)
        self.assertTold({"collected": 30, "balance_change": 30})

    def test_the_outstanding_sum_is_the_balance_of_the_clearing_account(self):
        """A quarter of random trade, with pay-outs, some of them undone; at every end
        of a month as well."""
        chance = random.Random(11)
        first = date(2026, 8, 1)
        for day in (first + timedelta(days=each) for each in range(0, 92, 3)):
            for _each in range(chance.randint(0, 3)):
                self.paid(chance.randint(100, 99999) / 100, day)
            if chance.random() < 0.4:
                self.paid(-chance.randint(100, 9999) / 100, day)
            if chance.random() < 0.1:
                self.enter(chance.randint(-9999, 9999) / 100, day=day)
            if chance.random() < 0.3:
                self._pay_out_all(chance, day)
        for end in (date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31)):
            lines = self.env["account.move.line"].search(
                [
                    ("account_id", "=", self.journal.default_account_id.id),
                    ("parent_state", "=", "posted"),
                    ("date", "<=", end),
                ]
            )
            balance = self.company.currency_id.round(sum(lines.mapped("balance")))
            told = self.told(("date", "<=", end))
            self.assertEqual(told["balance_change"], balance)
            signs = (1, -1, -1, -1, -1, 1)
            parts = sum(
                sign * told[name]
                for sign, name in zip(signs, MEASURES[:-1], strict=True)
            )
            self.assertEqual(self.company.currency_id.round(parts), balance)
        self.assertTrue(all(self.told()[name] for name in MEASURES))

    def _pay_out_all(self, chance, day):
        """All that is open, less a fee."""
        payout = self.payout(0, 0, date=day, tax_id=self.fee_tax.id)
        items = payout._open_items()
        if not items:
            return
        payout.line_ids.unlink()
        payout.line_ids = [Command.create({"move_line_id": item.id}) for item in items]
        payout.fee = chance.randint(1, 999) / 100
        payout.amount = payout.total - payout.fee - payout.fee_tax
        payout.action_post()
        if chance.random() < 0.3:
            payout.action_cancel()
