from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..mapping.invoice import journal_problems, public_url_problems, setting_problems
from ..mapping.remedy import ADMINISTRATORS, administrator_of, may_set_up
from ..tools import error_messages, transaction
from ..tools.notification import notification
from ..tools.sentence import said_in
from .res_company import SETTINGS_READERS

STEPS = [
    ("keys", "Keys"),
    ("journal", "Journal"),
    ("address", "Address"),
    ("test", "Test"),
    ("done", "Ready"),
]
SETUP_ACTIVITY = "frontpay_odoo.activity_setup"
SETUP_LINK = '<a href="/odoo/frontpay-setup">%s</a>'
# Those that a test of the connection is made with, and who may test it.
CONNECTION_FIELDS = (
    "frontpay_environment",
    "frontpay_custom_url",
    "frontpay_api_token",
)
MANAGER_GROUPS = ("base.group_system", "account.group_account_manager")
# In which block of the settings a field stands; all others are in the first one.
SETTING_PLACES = {
    "frontpay_public_url": "frontpay_callbacks",
    "frontpay_journal_id": "frontpay_payments",
    "frontpay_tax_rates": "frontpay_orders",
}


class ResCompany(models.Model):
    """What the set-up shows of a company, and what it tries."""

    _inherit = "res.company"  # pylint: disable=consider-merging-classes-inherited

    frontpay_check_ids = fields.One2many(
        "frontpay.check",
        "company_id",
        string="Set-up Checks",
        groups=ADMINISTRATORS,
    )
    frontpay_setup_step = fields.Selection(
        STEPS,
        string="Set-up Step",
        compute="_compute_frontpay_setup_step",
        groups=ADMINISTRATORS,
        help="The first step of the set-up that isn't done.",
    )
    frontpay_connection_state = fields.Selection(
        [
            ("none", "Not Connected"),
            ("untested", "Not Tested"),
            ("good", "Connected"),
            ("bad", "Connection Fails"),
        ],
        string="Connection",
        compute="_compute_frontpay_connection_state",
        groups=SETTINGS_READERS,
        help="Whether Front Payment answers and accepts the token.",
    )
    frontpay_callback_url = fields.Char(
        string="Callback URL",
        compute="_compute_frontpay_callback_url",
        groups=ADMINISTRATORS,
        help="Front Payment must be able to reach this address from the internet. Each "
        "order has its own token at the end.",
    )

    @api.depends(
        *("frontpay_environment", "frontpay_custom_url", "frontpay_api_token"),
        *("frontpay_callback_secret", "frontpay_journal_id", "frontpay_public_url"),
        "frontpay_check_ids.state",
    )
    def _compute_frontpay_setup_step(self):
        for company in self:
            company.frontpay_setup_step = company.sudo()._frontpay_next_step()

    def _frontpay_next_step(self):
        if any(not self[name] for name in self._frontpay_keys()):
            return "keys"
        if setting_problems(self) or journal_problems(self):
            return "journal"
        if public_url_problems(self):
            return "address"
        open_states = {"bad", "waiting"} & set(self.frontpay_check_ids.mapped("state"))
        return "test" if open_states or not self.frontpay_check_ids else "done"

    def _frontpay_keys(self):
        """What Front Payment issues, by the names of the fields."""
        keys = ["frontpay_api_token", "frontpay_callback_secret"]
        is_custom = self.frontpay_environment == "custom"
        return ["frontpay_custom_url", *keys] if is_custom else keys

    @api.depends("frontpay_api_token", "frontpay_check_ids.facts")
    def _compute_frontpay_connection_state(self):
        for company in self:
            company.frontpay_connection_state = company.sudo()._frontpay_connection()

    def _frontpay_connection(self):
        """The state of the connection: an outage, else what the last test found."""
        if not self.frontpay_api_token:
            return "none"
        own = [("company_id", "=", self.id)]
        if self.env["frontpay.outage"].search_count(own, limit=1):
            return "bad"
        token = self.frontpay_check_ids._of_kind("token")
        if not token.tested_at:
            return "untested"
        return "bad" if token.facts.get("error") else "good"

    @api.depends("frontpay_public_url")
    def _compute_frontpay_callback_url(self):
        for company in self:
            company.frontpay_callback_url = company._frontpay_callback_url()

    def action_frontpay_test_connection(self):
        """Ask Front Payment whether address and token are right.

        Changes nothing there.

        :return: a notification that says what was found, and what to do
        :raises AccessError: for others than system administrators and accounting
            managers
        """
        self.ensure_one()
        return self._frontpay_test_connection(self.sudo())

    def _frontpay_test_connection(self, settings):
        """Test the connection with settings that are saved or not; see above.

        :param settings: the company itself, or the form with what is typed
        """
        if not any(map(self.env.user.has_group, MANAGER_GROUPS)):
            raise AccessError(
                self.env._(
                    "Only system administrators and accounting managers can test the "
                    "connection to Front Payment."
                )
            )
        error, _ahead = self._frontpay_try_connection(settings)
        saved = self.sudo()
        if all(settings[name] == saved[name] for name in CONNECTION_FIELDS):
            self._frontpay_keep_test(error)
        if error:
            message = error_messages.connection_message(self, error)
            return notification("danger", message)
        return notification(
            "success", self.env._("Front Payment answers and accepts the token.")
        )

    def _frontpay_keep_test(self, error):
        """Keep what a test of the saved settings found.

        :param error: as :meth:`_frontpay_try_connection` returns it
        """
        checks = self.env["frontpay.check"].sudo()._of_company(self)
        checks._of_kind("token")._keep(error=error and type(error).__name__)

    def action_frontpay_check_setup(self):
        """Try everything that can be tried, with what is saved: Front Payment at once,
        the way to this Odoo by a cron.

        :raises AccessError: for others than system administrators
        """
        self.ensure_one()
        self._frontpay_check_administrator()
        checks = self.env["frontpay.check"].sudo()._of_company(self)
        company = self.sudo()
        if company._frontpay_access_url():
            error, ahead = company._frontpay_try_connection(company)
            self._frontpay_keep_test(error)
            checks._of_kind("clock")._keep(ahead=ahead)
        checks._of_kind("callback")._request_callback()

    def _frontpay_settings_action(self, name=""):
        """What opens the settings where a field stands, and highlights that place.

        :param str name: of the field
        """
        place = SETTING_PLACES.get(name, "frontpay_connection")
        return {
            "type": "ir.actions.act_url",
            "url": f"/odoo/settings#{place}",
            "target": "self",
        }

    def _frontpay_ask_administrator(self, sentence):
        """Give an administrator something to do, if the reader can't do it; who has it
        already is given the news.

        :param str sentence: what is wrong with the settings
        """
        administrator = administrator_of(self)
        if may_set_up(self.env) or not administrator:
            return
        code = administrator.sudo().lang
        link = Markup(SETUP_LINK) % self.with_context(lang=code).env._(
            "Open the set-up"
        )
        lines = said_in(sentence, code).splitlines()
        note = Markup("<br/>").join([*lines, link])
        partner = self.sudo().partner_id
        known = partner.activity_search([SETUP_ACTIVITY])
        if known:
            known.note = note
            return
        partner.activity_schedule(SETUP_ACTIVITY, note=note, user_id=administrator.id)

    def _frontpay_failure_sentence(self, error):
        """Why a call failed, for whoever waits for it; where the settings are to blame,
        an administrator is asked as well, whatever becomes of this transaction.

        :param error: as of :func:`error_messages.connection_message`
        """
        sentence = error_messages.connection_message(self, error)
        if error_messages.blames_settings(error):
            transaction.run_apart(self, "_frontpay_ask_administrator", sentence)
        return sentence

    def _frontpay_check_administrator(self):
        if not self.env.user.has_group(ADMINISTRATORS):
            raise AccessError(
                self.env._("Only system administrators can set up Front Payment.")
            )
