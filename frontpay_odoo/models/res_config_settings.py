from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    frontpay_environment = fields.Selection(
        related="company_id.frontpay_environment", readonly=False, required=True
    )
    frontpay_custom_url = fields.Char(
        related="company_id.frontpay_custom_url", readonly=False
    )
    frontpay_api_token = fields.Char(
        related="company_id.frontpay_api_token",
        readonly=False,
        groups="base.group_system",
    )
    frontpay_callback_secret = fields.Char(
        related="company_id.frontpay_callback_secret",
        readonly=False,
        groups="base.group_system",
    )
    frontpay_journal_id = fields.Many2one(
        related="company_id.frontpay_journal_id",
        readonly=False,
        check_company=True,
        domain="[('type', 'in', ('bank', 'cash'))]",
    )
    frontpay_settle_on = fields.Selection(
        related="company_id.frontpay_settle_on", readonly=False, required=True
    )
    frontpay_channel = fields.Selection(
        related="company_id.frontpay_channel", readonly=False, required=True
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
    frontpay_tax_rates = fields.Char(
        related="company_id.frontpay_tax_rates", readonly=False, required=True
    )
    frontpay_discount_mode = fields.Selection(
        related="company_id.frontpay_discount_mode", readonly=False, required=True
    )
    frontpay_public_url = fields.Char(
        related="company_id.frontpay_public_url", readonly=False
    )
    frontpay_callback_url = fields.Char(
        string="Status Reports Arrive At",
        compute="_compute_frontpay_callback_url",
        help="Front Payment must be able to reach this address from the internet. Each "
        "order adds a part of its own at the end.",
    )

    frontpay_keys_warning = fields.Char(
        compute="_compute_frontpay_keys_warning", groups="base.group_system"
    )

    @api.depends("company_id", "frontpay_public_url")
    def _compute_frontpay_callback_url(self):
        for settings in self:
            public_url = settings.company_id._frontpay_public_url()
            settings.frontpay_callback_url = f"{public_url}/frontpay/callback/"

    @api.depends(
        "frontpay_environment",
        "frontpay_custom_url",
        "frontpay_api_token",
        "frontpay_callback_secret",
    )
    def _compute_frontpay_keys_warning(self):
        for settings in self:
            settings.frontpay_keys_warning = settings._frontpay_keys_sentence()

    def _frontpay_keys_sentence(self):
        """Say which keys are still the old ones, and why that may be wrong.

        Address, token and callback secret belong together: Front Payment gives them
        out for one account in one environment.

        :return: a sentence, or False while all of them fit
        """
        saved = self.company_id._origin
        has_new_address = self._frontpay_place(self) != self._frontpay_place(saved)
        has_new_token, has_old_token = self._frontpay_key("frontpay_api_token")
        has_new_secret, has_old_secret = self._frontpay_key("frontpay_callback_secret")
        if has_new_address and has_old_token and has_old_secret:
            return self.env._(
                "Each environment has a token and a callback secret of its own. Enter "
                "those that Front Payment gave you for this one."
            )
        if has_old_token and (has_new_address or has_new_secret):
            return self.env._(
                "The token is still the old one. Enter the one that belongs to this "
                "environment and callback secret, or nothing can be sent."
            )
        if has_old_secret and (has_new_address or has_new_token):
            return self.env._(
                "The callback secret is still the old one. Enter the one that belongs "
                "to this environment and token, or no status report is believed."
            )
        return False

    def _frontpay_place(self, settings):
        """Where orders go: the environment, and an own address if it is in use."""
        environment = settings.frontpay_environment
        return environment, environment == "custom" and settings.frontpay_custom_url

    def _frontpay_key(self, name):
        """Compare a key on the screen with the saved one.

        :return: (whether it is another one, whether it is still the saved one)
        """
        saved = self.company_id._origin[name]
        return bool(saved) and self[name] != saved, bool(saved) and self[name] == saved

    def action_frontpay_create_journal(self):
        """Give the company a journal for Front Payment."""
        self.company_id.action_frontpay_create_journal()
        return {"type": "ir.actions.client", "tag": "reload"}

    def action_frontpay_test_connection(self):
        """Test the connection with the values on the screen, which are saved first."""
        return self.company_id.action_frontpay_test_connection()
