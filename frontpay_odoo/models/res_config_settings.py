from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..tools.counted import counted
from .res_company_setup import CONNECTION_FIELDS

CREDENTIAL_FIELDS = ("frontpay_api_token", "frontpay_callback_secret")


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

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
    frontpay_responsible_id = fields.Many2one(
        related="company_id.frontpay_responsible_id",
        readonly=False,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    frontpay_settle_on = fields.Selection(
        related="company_id.frontpay_settle_on", readonly=False, required=True
    )
    frontpay_fee_account_id = fields.Many2one(
        related="company_id.frontpay_fee_account_id",
        readonly=False,
        check_company=True,
    )
    frontpay_fee_tax_id = fields.Many2one(
        related="company_id.frontpay_fee_tax_id", readonly=False, check_company=True
    )
    frontpay_channel = fields.Selection(
        related="company_id.frontpay_channel", readonly=False, required=True
    )
    frontpay_corporate_channel = fields.Selection(
        related="company_id.frontpay_corporate_channel", readonly=False
    )
    frontpay_invoice_interval = fields.Selection(
        related="company_id.frontpay_invoice_interval", readonly=False, required=True
    )
    frontpay_separate_invoices = fields.Boolean(
        related="company_id.frontpay_separate_invoices", readonly=False
    )
    frontpay_invoice_fee = fields.Boolean(
        related="company_id.frontpay_invoice_fee", readonly=False
    )
    frontpay_secure_details = fields.Boolean(
        related="company_id.frontpay_secure_details", readonly=False
    )
    frontpay_min_maturity = fields.Integer(
        related="company_id.frontpay_min_maturity", readonly=False
    )
    frontpay_erase_after_days = fields.Integer(
        related="company_id.frontpay_erase_after_days", readonly=False
    )
    frontpay_log_days = fields.Integer(
        related="company_id.frontpay_log_days", readonly=False
    )
    frontpay_tax_rates = fields.Char(
        related="company_id.frontpay_tax_rates", readonly=False, required=True
    )
    frontpay_discount_mode = fields.Selection(
        related="company_id.frontpay_discount_mode", readonly=False, required=True
    )
    frontpay_email_link = fields.Boolean(
        related="company_id.frontpay_email_link", readonly=False
    )
    frontpay_sms_link = fields.Boolean(
        related="company_id.frontpay_sms_link", readonly=False
    )
    frontpay_has_sms = fields.Boolean(
        string="Can Send SMS", compute="_compute_frontpay_has_sms"
    )
    frontpay_reminder_days = fields.Integer(
        related="company_id.frontpay_reminder_days", readonly=False
    )
    frontpay_reminder_count = fields.Integer(
        related="company_id.frontpay_reminder_count", readonly=False
    )
    frontpay_public_url = fields.Char(
        related="company_id.frontpay_public_url", readonly=False
    )
    frontpay_callback_url = fields.Char(related="company_id.frontpay_callback_url")
    frontpay_credential_warning = fields.Char(
        string="Credential Warning",
        compute="_compute_frontpay_credential_warning",
        groups="base.group_system",
    )

    frontpay_left_behind = fields.Char(
        string="Open Orders",
        compute="_compute_frontpay_left_behind",
        groups="base.group_system",
        help="Of which the settings, as they are typed, know nothing any more.",
    )
    frontpay_connection_state = fields.Selection(
        related="company_id.frontpay_connection_state"
    )
    frontpay_is_copy = fields.Boolean(
        string="Copied Database",
        compute="_compute_frontpay_is_copy",
        groups="base.group_system",
    )

    @api.depends("company_id")
    def _compute_frontpay_is_copy(self):
        for settings in self:
            settings.frontpay_is_copy = settings.company_id._frontpay_is_copy()

    @api.depends("company_id")
    def _compute_frontpay_has_sms(self):
        self.frontpay_has_sms = "sms.sms" in self.env

    @api.depends(*CREDENTIAL_FIELDS, "frontpay_environment", "frontpay_custom_url")
    def _compute_frontpay_credential_warning(self):
        """Say which credentials are still the old ones: Front Payment gives out token
        and callback secret together, for one account in one environment."""
        for settings in self:
            saved = settings.company_id._origin
            names = {*CREDENTIAL_FIELDS, "frontpay_environment"}
            if settings.frontpay_environment == "custom":
                names.add("frontpay_custom_url")
            changed = {name for name in names if settings[name] != saved[name]}
            labels = [
                settings._fields[name]._description_string(self.env)
                for name in CREDENTIAL_FIELDS
                if changed and saved[name] and name not in changed
            ]
            settings.frontpay_credential_warning = bool(labels) and self.env._(
                "Not changed: %s. Environment, API token and callback secret belong"
                " together: enter those that Front Payment issued for this one.",
                ", ".join(labels),
            )

    @api.depends(*CONNECTION_FIELDS)
    def _compute_frontpay_left_behind(self):
        """Say how many orders nobody asks about once this is saved."""
        for settings in self:
            company = settings.company_id._origin.sudo()
            url = company._frontpay_api_url()
            is_left = (
                not settings.frontpay_api_token
                or company._frontpay_api_url(settings) != url
            )
            orders = self.env["frontpay.order"].sudo()
            there = [("company_id", "=", company.id), ("base_url", "=", url)]
            count = is_left and orders.search_count(
                orders._open_domain() & Domain(there)
            )
            settings.frontpay_left_behind = bool(count) and counted(
                self.env, "left_behind", count
            )

    def action_frontpay_create_journal(self):
        """Give the company a journal for Front Payment. The form stays where it is."""
        self.company_id.action_frontpay_create_journal()

    def action_frontpay_set_up(self):
        """Open the set-up."""
        return self.env["frontpay.setup"].action_open()

    def action_frontpay_edit_email(self):
        """Show the template of the e-mail with the link."""
        template = self.env.ref("frontpay_odoo.mail_template_link")
        return template._get_records_action()

    def action_frontpay_confirm_database(self):
        """Let this copy of a database work with Front Payment."""
        self.company_id.action_frontpay_confirm_database()
        return {"type": "ir.actions.client", "tag": "reload"}

    def action_frontpay_test_connection(self):
        """Test the connection with these values, whether they are saved or not.

        :return: a notification that says what was found, and what to do
        :raises AccessError: for users who can't change the settings
        :raises ValidationError: the URL can't be used
        """
        self.check_access("create")
        company = self.company_id._origin
        for sentence in company._frontpay_setting_problems(
            ["frontpay_custom_url"], self
        ):
            raise ValidationError(sentence)
        return company._frontpay_test_connection(self)

    @api.model
    def frontpay_test_connection(self, typed):
        """Test the connection with what is typed in the form, and save none of it.

        :param dict typed: the values of environment, URL and token
        :return: as :meth:`action_frontpay_test_connection`
        """
        values = {name: typed.get(name) for name in CONNECTION_FIELDS}
        settings = self.new(values | {"company_id": self.env.company.id})
        return settings.action_frontpay_test_connection()
