from odoo import api, models


class AccountPaymentRegister(models.TransientModel):
    _inherit = "account.payment.register"

    @api.depends("line_ids")
    def _compute_actionable_errors(self):
        """Whoever registers a payment knows that Front Payment collects as well, or
        pays back."""
        result = super()._compute_actionable_errors()
        for wizard in self:
            alerts = wizard._frontpay_alerts()
            if alerts:
                wizard.actionable_errors = (wizard.actionable_errors or {}) | alerts
        return result

    def _frontpay_alerts(self):
        moves = self.line_ids.move_id
        collected = moves.filtered(
            lambda move: move.sudo().frontpay_order_id._collects()
        )
        refunded = moves.filtered(
            lambda move: move.sudo().frontpay_refund_id._may_pay_back()
        )
        alerts = {}
        if collected:
            alerts["frontpay_collects"] = collected._frontpay_collected_alert(
                self.env._(
                    "Front Payment collects %s and goes on claiming the whole amount,"
                    " so the customer may pay twice. First cancel it at Front Payment"
                    " while it waits for the customer; afterwards, send a credit note."
                )
            )
        if refunded:
            alerts["frontpay_pays_back"] = refunded._frontpay_collected_alert(
                self.env._(
                    "%s is at Front Payment, to be refunded there. If you pay it here"
                    " as well, the customer may get the money twice."
                )
            )
        return alerts
