from odoo import fields, models
from odoo.fields import Command

from .res_company import SETTINGS_READERS

EXPENSES = "[('account_type', 'in', ('expense', 'expense_direct_cost'))]"


class ResCompany(models.Model):
    """How Front Payment's pay-outs are booked."""

    # In a file of its own, as what an order's life has.
    _inherit = "res.company"  # pylint: disable=consider-merging-classes-inherited

    frontpay_fee_account_id = fields.Many2one(
        "account.account",
        string="Fee Account",
        check_company=True,
        domain=EXPENSES,
        groups=SETTINGS_READERS,
        help="What Front Payment keeps of a pay-out as its fee is booked here.",
    )
    frontpay_fee_tax_id = fields.Many2one(
        "account.tax",
        string="Tax on the Fee",
        check_company=True,
        domain="[('type_tax_use', '=', 'purchase')]",
        groups=SETTINGS_READERS,
        help="Whether Front Payment's fee bears VAT depends on the service: ask your"
        " accountant. Empty: none.",
    )
    frontpay_reconcile_model_id = fields.Many2one(
        "account.reconcile.model",
        string="Reconciliation Model",
        copy=False,
        groups=SETTINGS_READERS,
        help="Offered on bank statement lines from Front Payment: it puts them on the"
        " account for internal transfers, where their pay-out is.",
    )

    def action_frontpay_create_journal(self):
        """Give the company a journal for Front Payment, and the bank's statements a
        reconciliation model for pay-outs."""
        result = super().action_frontpay_create_journal()
        self._frontpay_create_reconcile_model()
        return result

    def _frontpay_create_reconcile_model(self):
        account = self.transfer_account_id or self.root_id.transfer_account_id
        if self.frontpay_reconcile_model_id or not account:
            return
        label = self.env._("Front Payment pay-out")
        line = {"account_id": account.id, "label": label, "amount_string": "100"}
        self.frontpay_reconcile_model_id = self.env["account.reconcile.model"].create(
            {
                "name": label,
                "company_id": self.id,
                "match_label": "contains",
                "match_label_param": "Front Payment",
                "line_ids": [Command.create(line)],
            }
        )
