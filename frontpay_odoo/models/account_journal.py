from odoo import fields, models
from odoo.fields import Domain

from .account_move import READERS


class AccountJournal(models.Model):
    _inherit = "account.journal"

    frontpay_company_ids = fields.One2many(
        "res.company",
        "frontpay_journal_id",
        string="Front Payment Companies",
        groups=READERS,
        help="The companies whose payments from Front Payment are registered here.",
    )

    def _frontpay_clearing_domain(self):
        """The journal items that tell what Front Payment owes.

        They lie in the journal's own account, or where somebody has given its payment
        methods outstanding accounts, there: other journals may use those, too.
        """
        methods = self.inbound_payment_method_line_ids
        methods |= self.outbound_payment_method_line_ids
        outstanding = methods.payment_account_id - self.default_account_id
        return Domain("account_id", "in", self.default_account_id.ids) | Domain(
            [("account_id", "in", outstanding.ids), ("journal_id", "in", self.ids)]
        )

    def action_frontpay_refresh(self):
        """Ask Front Payment for all open orders of the companies that use the journal.

        :return: a notification that tells how it went
        """
        self.env["account.move"]._frontpay_check_rights()
        orders = self.env["frontpay.order"].sudo()
        companies = self.frontpay_company_ids & self.env.companies
        found = orders.search(
            orders._open_domain() & Domain("company_id", "in", companies.ids)
        )
        return found._refresh_or_schedule()
