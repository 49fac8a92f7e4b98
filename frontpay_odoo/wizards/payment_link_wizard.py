from odoo import models


class PaymentLinkWizard(models.TransientModel):
    _inherit = "payment.link.wizard"

    def _compute_warning_message(self):
        """No link to pay here for an invoice that is paid at Front Payment: Odoo lets
        nobody copy one that has a warning."""
        result = super()._compute_warning_message()
        for wizard in self.filtered(lambda wizard: wizard.res_model == "account.move"):
            move = self.env["account.move"].browse(wizard.res_id)
            if move._frontpay_claimed():
                wizard.warning_message = move._frontpay_claimed_sentence()
        return result
