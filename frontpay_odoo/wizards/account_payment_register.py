from odoo import api, models


class AccountPaymentRegister(models.TransientModel):
    _inherit = "account.payment.register"

    @api.depends("line_ids")
    def _compute_actionable_errors(self):
        """Whoever registers a payment knows that Front Payment collects as well."""
        result = super()._compute_actionable_errors()
        for wizard in self:
            moves = wizard.line_ids.move_id
            collected = moves.filtered(
                lambda move: move.sudo().frontpay_order_id._collects()
            )
            if collected:
                wizard.actionable_errors = (wizard.actionable_errors or {}) | {
                    "frontpay_collects": collected._frontpay_collected_alert(
                        self.env._(
                            "Front Payment collects %s and goes on claiming the whole"
                            " amount. Cancel that at Front Payment first, or the"
                            " customer may pay twice."
                        )
                    )
                }
        return result
