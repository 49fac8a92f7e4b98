from odoo import fields, models

from .res_company import SETTINGS_READERS


class ResCompany(models.Model):
    """How Front Payment's pay-outs are booked."""

    # In a file of its own, as what an order's life has.
    _inherit = "res.company"  # pylint: disable=consider-merging-classes-inherited

    frontpay_fee_account_id = fields.Many2one(
        "account.account",
        string="Fee Account",
        check_company=True,
        domain="[('account_type', 'in', ('expense', 'expense_direct_cost'))]",
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
