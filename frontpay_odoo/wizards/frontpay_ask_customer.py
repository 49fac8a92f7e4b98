from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.notification import notification


class FrontpayAskCustomer(models.TransientModel):
    """Ask a customer for what an invoice lacks."""

    _name = "frontpay.ask.customer"
    _description = "Front Payment: Ask a Customer for Details"

    move_id = fields.Many2one(
        "account.move", string="Invoice", required=True, readonly=True
    )
    partner_id = fields.Many2one(related="move_id.partner_id", string="Customer")
    missing = fields.Char(readonly=True)
    email = fields.Char(related="partner_id.email", string="E-mail")
    is_sent_when_complete = fields.Boolean(
        string="Send the invoice when nothing is missing any more", default=True
    )
    url = fields.Char(string="Link to the Form", readonly=True)

    @api.model
    def _open_for(self, move):
        """:raises UserError: there is nothing that the customer could fill in"""
        form = self.env["frontpay.customer.form"]
        missing = form._missing_of(move)
        if not missing:
            raise UserError(
                self.env._("%s lacks nothing of its customer.", move.display_name)
            )
        labels = ", ".join(form._labels(missing).values())
        wizard = self.create({"move_id": move.id, "missing": labels})
        return wizard._ask_dialog()

    def _ask_dialog(self):
        name = self.env._("Ask %s", self.partner_id.name)
        return self._get_records_action(name=name, target="new")

    def action_confirm(self):
        """E-mail the form, or show its address where there is no e-mail address."""
        self.ensure_one()
        self.move_id.check_access("write")
        form = (
            self.env["frontpay.customer.form"]
            .sudo()
            .create(
                {
                    "move_id": self.move_id.id,
                    "is_sent_when_complete": self.is_sent_when_complete,
                }
            )
        )
        self.move_id.message_post(
            body=self.env._("The customer is asked for: %s.", self.missing)
        )
        if self.email:
            form._email_form()
            sentence = self.env._("The form was e-mailed to %s.", self.email)
            return notification("success", sentence, close=True)
        self.url = form._form_url()
        return self._ask_dialog()
