from odoo import api, fields, models

from ..tools.notification import notification


class FrontpaySetup(models.Model):
    """The form that leads from the keys to the first invoice.

    Everything in it is a setting of the company, so it is kept as it is entered and
    goes on where somebody left it. It has a model of its own because the web client
    loads its page anew whenever a company is saved.
    """

    _name = "frontpay.setup"
    _description = "Front Payment: Set-up"
    _rec_name = "company_id"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    frontpay_environment = fields.Selection(
        related="company_id.frontpay_environment", readonly=False, required=True
    )
    frontpay_custom_url = fields.Char(
        related="company_id.frontpay_custom_url", readonly=False
    )
    frontpay_api_token = fields.Char(
        related="company_id.frontpay_api_token", readonly=False
    )
    frontpay_callback_secret = fields.Char(
        related="company_id.frontpay_callback_secret", readonly=False
    )
    frontpay_journal_id = fields.Many2one(
        related="company_id.frontpay_journal_id", readonly=False, check_company=True
    )
    frontpay_public_url = fields.Char(
        related="company_id.frontpay_public_url", readonly=False
    )
    frontpay_callback_url = fields.Char(related="company_id.frontpay_callback_url")
    frontpay_check_ids = fields.One2many(related="company_id.frontpay_check_ids")
    frontpay_setup_step = fields.Selection(related="company_id.frontpay_setup_step")

    _unique_company = models.Constraint("UNIQUE (company_id)")

    @api.model
    def action_open(self):
        """Open the set-up of the current company.

        :raises AccessError: for others than system administrators
        """
        company = self.env.company
        company._frontpay_check_administrator()
        self.env["frontpay.check"].sudo()._of_company(company)
        own = self.sudo().search([("company_id", "=", company.id)])
        setup = own or self.sudo().create({"company_id": company.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Set Up Front Payment"),
            "res_model": self._name,
            "res_id": setup.id,
            "views": [(False, "form")],
        }

    def action_create_journal(self):
        """Give the company a journal for Front Payment."""
        self.company_id.action_frontpay_create_journal()

    def action_check(self):
        """Try everything that can be tried, with what is saved.

        :return: a notification that tells how it went; the list is at the form's end
        """
        self.company_id.action_frontpay_check_setup()
        states = self.frontpay_check_ids.mapped("state")
        open_count = len(states) - states.count("good")
        sentence = self.env._(
            "%(good)s of %(all)s checks are good. See “4. Test” below.",
            good=states.count("good"),
            all=len(states),
        )
        kind = "warning" if open_count else "success"
        return notification(kind, sentence, close=True)

    def action_begin(self):
        """Open the customers' invoices, to send the first one."""
        return self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice_type"
        )
