from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.overview import TO_SEND
from .account_move import READERS
from .frontpay_order import CLAIMED_STATES
from .frontpay_refund import RUNNING_STATES

# What the journal's card counts. A row's link opens the list with the filter of the
# row's name.
HAS_NUMBER = Domain("order_uuid", "!=", False)  # as the index of open orders has it
CARD_ROWS = {
    "to_send": ("frontpay.order", TO_SEND),
    "waiting": ("frontpay.order", HAS_NUMBER & Domain("state", "=", "sent")),
    "claimed": ("frontpay.order", HAS_NUMBER & Domain("state", "in", CLAIMED_STATES)),
    "needs_you": ("frontpay.order", Domain("needs_you", "=", True)),
    "refunds": ("frontpay.refund", Domain("state", "in", RUNNING_STATES)),
}


class AccountJournal(models.Model):
    _inherit = "account.journal"

    frontpay_company_ids = fields.One2many(
        "res.company",
        "frontpay_journal_id",
        string="Front Payment Companies",
        groups=READERS,
        help="The companies whose payments from Front Payment are registered here.",
    )
    frontpay_send_on_posting = fields.Boolean(
        string="Send to Front Payment When Confirmed",
        help="Every customer invoice of this journal is queued as soon as it is"
        " confirmed, unless the customer's own setting says no. What can't be sent"
        " gets an activity. Credit notes are sent by hand.",
    )

    def _frontpay_clearing_domain(self):
        """The journal items that tell what Front Payment owes.

        They lie in the journal's own account, or where somebody has given its payment
        methods outstanding accounts, now or formerly, there: other journals may use
        those, too.
        """
        methods = self.inbound_payment_method_line_ids
        methods |= self.outbound_payment_method_line_ids
        used = self.env["account.payment"]._read_group(
            [("journal_id", "in", self.ids)], ["outstanding_account_id"]
        )
        outstanding = methods.payment_account_id.union(*(account for [account] in used))
        outstanding -= self.default_account_id
        return Domain("account_id", "in", self.default_account_id.ids) | Domain(
            [("account_id", "in", outstanding.ids), ("journal_id", "in", self.ids)]
        )

    def _frontpay_card_companies(self):
        return self.frontpay_company_ids & self.env.companies

    def _frontpay_owed_domain(self, companies):
        """The journal items that make up what Front Payment owes companies, or they owe
        Front Payment."""
        return self._frontpay_clearing_domain() & Domain(
            [
                ("company_id", "in", companies.ids),
                ("parent_state", "=", "posted"),
                ("amount_residual", "!=", 0),
            ]
        )

    def _frontpay_owed(self, companies):
        """What Front Payment owes companies, in their currency.

        :return: float; negative if they owe it
        """
        if not self:
            return 0.0
        [(amount,)] = self.env["account.move.line"]._read_group(
            self._frontpay_owed_domain(companies), aggregates=["amount_residual:sum"]
        )
        return amount or 0.0

    def _fill_bank_cash_dashboard_data(self, dashboard_data):
        """Add what Front Payment has to the card of the journal that gets its money."""
        super()._fill_bank_cash_dashboard_data(dashboard_data)
        if not self.env.user.has_groups(READERS):
            return
        journals = self.filtered("frontpay_company_ids")
        rows = self._frontpay_card_rows(journals.frontpay_company_ids)
        for journal in journals:
            card = dashboard_data[journal.id]
            card["frontpay"] = journal._frontpay_card(rows)
            # Odoo counts statements and payments, and no pay-outs.
            currency = journal.currency_id or journal.company_id.currency_id
            owed = journal._frontpay_owed(journal._frontpay_card_companies())
            card["account_balance"] = currency.format(owed)

    @api.model
    def _frontpay_card_rows(self, companies):
        """Count what the card shows, with one query for each row.

        :return: {row: {company: (number, sum)}}
        """
        own = Domain("company_id", "in", companies.ids)
        return {
            name: {
                company: (count, amount)
                for company, count, amount in self.env[model]._read_group(
                    own & domain, ["company_id"], ["__count", "amount:sum"]
                )
            }
            for name, (model, domain) in CARD_ROWS.items()
        }

    def _frontpay_card(self, rows):
        """What the journal's card shows: each row's number and sum.

        :param dict rows: of :meth:`_frontpay_card_rows`
        """
        companies = self._frontpay_card_companies()
        card = {
            "environment": companies[:1].frontpay_environment,
            "connection": companies[:1].frontpay_connection_state,
        }
        currency = self.currency_id or self.company_id.currency_id
        for name, found in rows.items():
            own = [found[company] for company in companies if company in found]
            card[name] = {
                "count": sum(count for count, _amount in own),
                "amount": currency.format(sum(amount for _count, amount in own)),
            }
        return card

    def action_frontpay_refresh(self):
        """Ask Front Payment for all open orders of the companies that use the journal.

        :return: a notification that tells how it went
        """
        self.env["account.move"]._frontpay_check_rights()
        orders = self.env["frontpay.order"].sudo()
        companies = self._frontpay_card_companies()
        found = orders.search(
            orders._open_domain() & Domain("company_id", "in", companies.ids)
        )
        return found._refresh_or_schedule()
