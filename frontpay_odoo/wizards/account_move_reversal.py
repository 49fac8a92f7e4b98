from odoo import api, fields, models


class AccountMoveReversal(models.TransientModel):
    _inherit = "account.move.reversal"

    frontpay_alerts = fields.Json(
        string="Front Payment Alerts", compute="_compute_frontpay_alerts"
    )

    @api.depends("move_ids")
    def _compute_frontpay_alerts(self):
        """Whoever credits an invoice knows that Front Payment has to have that too."""
        for wizard in self:
            collected = wizard.move_ids.filtered(
                lambda move: move.sudo().frontpay_order_id._collects()
            )
            wizard.frontpay_alerts = collected and {
                "frontpay_collects": collected._frontpay_collected_alert(
                    self.env._(
                        "Front Payment collects %s and goes on claiming the whole"
                        " amount until the credit note is sent there."
                    )
                )
            }
