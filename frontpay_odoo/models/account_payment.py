from odoo import fields, models

from .frontpay_handover import READERS


class AccountPayment(models.Model):
    _inherit = "account.payment"

    frontpay_order_ids = fields.One2many(
        "frontpay.order",
        "payment_id",
        string="Front Payment Orders",
        readonly=True,
        groups=READERS,
    )
    frontpay_refund_ids = fields.One2many(
        "frontpay.refund",
        "payment_id",
        string="Front Payment Refunds",
        readonly=True,
        groups=READERS,
    )

    def write(self, vals):
        """A payment without an entry pays its invoices by its state alone."""
        result = super().write(vals)
        if vals.keys() & {"state", "invoice_ids"}:
            self.filtered(
                lambda payment: not payment.move_id
            ).invoice_ids._frontpay_follow_books()
        return result

    def action_frontpay_open(self):
        """Open the order that was paid, or the refund that was paid back."""
        handed = self.frontpay_order_ids or self.frontpay_refund_ids
        return handed._get_records_action(name=self.env._("Front Payment"))
