from odoo import api, models
from odoo.exceptions import ValidationError


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    @api.model_create_multi
    def create(self, vals_list):
        """No payment begins for an invoice that Front Payment collects, whichever page,
        link or call asks for it.

        :raises ValidationError: with the sentence that the customer reads
        """
        transactions = super().create(vals_list)
        paying = transactions.filtered(lambda each: each.operation != "refund")
        claimed = paying.sudo().invoice_ids._frontpay_claimed()
        if claimed:
            raise ValidationError(claimed._frontpay_claimed_sentence())
        return transactions
