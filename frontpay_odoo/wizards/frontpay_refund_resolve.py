from odoo import api, fields, models

from ..tools.notification import notification


class FrontpayRefundResolve(models.TransientModel):
    """What became of a refund, decided by a person."""

    _name = "frontpay.refund.resolve"
    _description = "Front Payment: Outcome of a Refund"

    move_id = fields.Many2one(
        "account.move", string="Credit Note", required=True, readonly=True
    )
    sentence = fields.Text(readonly=True)

    @api.model
    def _open_dialog(self, refund):
        """Have a person decide about a refund.

        :param refund: one ``frontpay.refund`` whose end isn't known
        :return: the action that opens the dialog
        """
        sentence = refund.error or self.env._(
            "Front Payment took the refund and hasn't confirmed it yet."
        )
        if not refund.needs_decision:
            wait = self.env._(
                "Front Payment is asked automatically. Decide now only if you have seen"
                " in its own pages what became of the refund."
            )
            sentence = f"{sentence}\n{wait}"
        wizard = self.create({"move_id": refund.move_id.id, "sentence": sentence})
        name = self.env._("Outcome of %s", refund.move_id.name)
        return wizard._get_records_action(name=name, target="new")

    def action_refunded(self):
        """Somebody knows that Front Payment has refunded it."""
        return self._carry_out(is_refunded=True)

    def action_not_refunded(self):
        """Somebody knows that Front Payment hasn't, and won't.

        :raises UserError: it may have
        """
        return self._carry_out(is_refunded=False)

    def _carry_out(self, *, is_refunded):
        self.ensure_one()
        self.move_id._frontpay_check_rights()
        refund = self.move_id.sudo().frontpay_refund_id
        refund._decide_refund(is_refunded)
        message = f"{refund.move_id.display_name}: {refund._state_label(refund.state)}"
        return notification("success", message, reload=True)
