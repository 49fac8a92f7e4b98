from odoo import fields, models
from odoo.exceptions import UserError

MAX_NOTE = 200  # characters; section 11


class FrontpayCancel(models.TransientModel):
    """Cancel orders at Front Payment."""

    _name = "frontpay.cancel"
    _description = "Front Payment: Cancel Orders"

    move_ids = fields.Many2many("account.move", string="Invoices", readonly=True)
    note = fields.Char(string="Reason", size=MAX_NOTE, help="Front Payment wants one.")

    def action_confirm(self):
        """Cancel each order on its own; what can't be cancelled is told.

        :return: a notification
        :raises UserError: none was cancelled
        """
        self.ensure_one()
        note = (self.note or "").strip()
        if not note:
            raise UserError(self.env._("Write why the order is cancelled."))
        return self.move_ids._frontpay_each_order(
            lambda order, client: order._cancel(client, note),
            "cancelled",
            self._name,
        )
