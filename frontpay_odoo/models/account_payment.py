from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def write(self, vals):
        """A payment without an entry pays its invoices by its state alone."""
        result = super().write(vals)
        if vals.keys() & {"state", "invoice_ids"}:
            self.filtered(
                lambda payment: not payment.move_id
            ).invoice_ids._frontpay_follow_books()
        return result
