from odoo import models


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    def action_frontpay_payout(self):
        """Match the line with the pay-out that was booked for it, or begin one.

        :return: an action that shows the pay-out
        :raises UserError: the line is reconciled with something else
        """
        self.ensure_one()
        payouts = self.env["frontpay.payout"].with_company(self.company_id)
        payouts._refuse_others()
        payout = payouts._of_statement_line(self)
        if payout.state == "posted" and not payout.is_matched:
            payout.statement_line_id = self
            payout.action_match()
        return (payout or payouts._begin(self))._get_records_action()
