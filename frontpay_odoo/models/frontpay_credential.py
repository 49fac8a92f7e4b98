from odoo import fields, models


class FrontpayCredential(models.Model):
    """A company's token and callback secret, in a table of their own.

    PostgreSQL quotes the whole row of a company in its complaint when a change is
    refused, and Odoo shows that to whoever tried, and to the log. Nobody has rights
    here: ``frontpay_api_token`` and ``frontpay_callback_secret`` are the way.
    """

    _name = "frontpay.credential"
    _description = "Front Payment Credential"

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    api_token = fields.Char(string="API Token")
    callback_secret = fields.Char()
    database_uuid = fields.Char(
        string="Database",
        help="The database in which the token was entered. A copy of it has another"
        " one, and calls nobody until an administrator confirms.",
    )

    _unique_company = models.Constraint("UNIQUE (company_id)")
