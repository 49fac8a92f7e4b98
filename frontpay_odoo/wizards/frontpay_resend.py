from odoo import api, fields, models
from odoo.exceptions import UserError

from ..connect import validation
from ..connect.validation import InvalidValue


class FrontpayResend(models.TransientModel):
    """Have Front Payment send its link to customers again."""

    _name = "frontpay.resend"
    _description = "Front Payment: Send the Link Again"

    move_ids = fields.Many2many("account.move", string="Invoices", readonly=True)
    email = fields.Char(string="E-mail to")
    phone = fields.Char(string="SMS to")
    is_for_several = fields.Boolean(compute="_compute_is_for_several")

    @api.depends("move_ids")
    def _compute_is_for_several(self):
        for dialog in self:
            dialog.is_for_several = len(dialog.move_ids) > 1

    @api.model
    def default_get(self, fields):
        """Of a single invoice, the customer's own address and number."""
        values = super().default_get(fields)
        moves = self.env["account.move"].browse(
            self.env.context.get("default_move_ids", [])
        )
        if len(moves) == 1:
            customer = moves.partner_id
            values = {"email": customer.email, "phone": customer.phone} | values
        return values

    def action_confirm(self):
        """Send each link on its own; what couldn't be sent is told.

        :return: a notification
        :raises UserError: none was sent
        """
        self.ensure_one()
        if len(self.move_ids) == 1 and not (self.email or self.phone):
            raise UserError(self.env._("Enter an e-mail address, a number, or both."))
        return self.move_ids._frontpay_each_order(
            self._resend_one,
            "resent",
            self._name,
        )

    def _resend_one(self, order, client):
        customer = order.move_id.partner_id
        email, phone = self.email, self.phone
        if not email and not phone:
            email, phone = customer.email, customer.phone
        try:
            email = validation.email(email) if email else ""
            country = customer.country_id.code or ""
            phone = validation.phone(phone, country) if phone else None
        except InvalidValue as invalid:
            name = {"email": self.env._("e-mail address")}.get(
                invalid.reason, self.env._("phone number")
            )
            raise UserError(
                self.env._(
                    "%(invoice)s: the %(field)s can't be right.",
                    invoice=order.move_id.display_name,
                    field=name,
                )
            ) from None
        return order._resend(client, email, phone)
