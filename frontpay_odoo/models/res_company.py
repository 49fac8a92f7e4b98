import re
from datetime import UTC
from decimal import Decimal
from zoneinfo import ZoneInfo

from odoo import api, fields, models, modules
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools.translate import LazyTranslate

from ..connect import errors
from ..connect.channels import CHANNELS, CURRENCY, NORWAY
from ..connect.client import Client
from ..connect.endpoints import ENVIRONMENTS as API_URLS
from ..connect.validation import is_complete_url, is_safe_url
from ..mapping.problem import field_label, localized
from ..mapping.remedy import administrator_name, settings_remedy
from ..tools.deadline import Deadline
from ..tools.sentence import in_each_language
from .frontpay_order import ENVIRONMENTS
from .frontpay_rate_limit import MAX_WAIT
from .res_partner import INTERVALS

_lt = LazyTranslate(__name__)

TAX_RATE = re.compile(r"[0-9]{1,2}(\.[0-9]{1,2})?|100")
JOURNAL_CODE = "FPGO"
# Portal users may read their company, and an employee has no use for this.
SETTINGS_READERS = (
    "account.group_account_readonly,account.group_account_invoice,base.group_system"
)
# Without one of these, or with a wrong one, nothing can be sent or polled.
ACCESS_SETTINGS = {
    "frontpay_environment",
    "frontpay_custom_url",
    "frontpay_api_token",
    "frontpay_callback_secret",
    "frontpay_public_url",
    "frontpay_journal_id",
}


URL_RULES = (
    (
        lambda _company, url: not url or is_complete_url(url),
        _lt(
            "the URL must be complete, such as https://odoo.example.com/, with"
            " nothing after the path."
        ),
    ),
    (
        lambda _company, url: not url or is_safe_url(url),
        _lt("the URL must begin with https://, or it could be read on its way."),
    ),
)
# What each setting must be, in the order in which it is told.
SETTING_RULES = {
    "frontpay_custom_url": URL_RULES,
    "frontpay_public_url": URL_RULES,
    "frontpay_tax_rates": (
        (
            lambda _company, text: all(map(TAX_RATE.fullmatch, _parts(text))),
            _lt(
                "write numbers from 0 to 100 with commas between them, and a point for"
                " decimals: 0,12,15,25 or 0,11.11,25."
            ),
        ),
    ),
    "frontpay_min_maturity": (
        (lambda _company, days: days >= 0, _lt("it can't be less than 0 days.")),
    ),
    "frontpay_erase_after_days": (
        (
            lambda _company, days: days >= 0,
            _lt("it can't be less than 0 days. Enter 0 to keep the numbers."),
        ),
    ),
    "frontpay_reminder_days": (
        (
            lambda _company, days: days >= 0,
            _lt("it can't be less than 0 days. Enter 0 to remind nobody."),
        ),
    ),
    "frontpay_reminder_count": (
        (
            lambda _company, count: count >= 0,
            _lt("it can't be less than 0."),
        ),
    ),
    "frontpay_log_days": (
        (
            lambda _company, days: days >= 0,
            _lt("it can't be less than 0 days. Enter 0 to keep the whole log."),
        ),
    ),
    "frontpay_journal_id": (
        (
            lambda company, journal: not journal or company._frontpay_owns(journal),
            _lt("choose a bank or cash journal of this company."),
        ),
        (
            lambda _company, journal: journal.currency_id.name in (False, CURRENCY),
            _lt(
                "choose a journal in NOK, or one without a currency. Front Payment is"
                " paid in NOK only."
            ),
        ),
        (
            lambda _company, journal: not journal or journal.active,
            _lt("the journal is archived. Unarchive it, or choose another one."),
        ),
        (
            lambda _company, journal: not journal or _can_receive(journal),
            _lt(
                "the journal has no payment method for incoming payments. Add one to"
                " the journal, or choose another one."
            ),
        ),
    ),
}


def _parts(text):
    return [part.strip() for part in (text or "").split(",")]


def _can_receive(journal):
    return journal._get_available_payment_method_lines("inbound")


class ResCompany(models.Model):
    _inherit = "res.company"

    frontpay_environment = fields.Selection(
        ENVIRONMENTS,
        string="Environment",
        default="demo",
        required=True,
        groups=SETTINGS_READERS,
        help="Demo is for testing: no customer gets a real invoice. Demo and "
        "production have their own API token and callback secret.",
    )
    frontpay_custom_url = fields.Char(
        string="API Base URL",
        groups=SETTINGS_READERS,
        help="The URL of Front Payment's API, including /api/v1/. It must begin with "
        "https://; http:// is for a test system on this machine.",
    )
    frontpay_credential_ids = fields.One2many(
        "frontpay.credential",
        "company_id",
        string="Front Payment Credential",
        groups=fields.NO_ACCESS,
    )
    frontpay_api_token = fields.Char(
        string="API Token",
        compute="_compute_frontpay_credential",
        inverse=lambda self: self._frontpay_store_credential("api_token"),
        compute_sudo=True,
        groups="base.group_system",
        help="The key to your account, issued by Front Payment. Only system "
        "administrators can see it.",
    )
    frontpay_callback_secret = fields.Char(
        string="Callback Secret",
        compute="_compute_frontpay_credential",
        inverse=lambda self: self._frontpay_store_credential("callback_secret"),
        compute_sudo=True,
        groups="base.group_system",
        help="The secret key, issued by Front Payment, with which callbacks are "
        "verified. Without it, every callback is refused. Only system administrators "
        "can see it.",
    )
    frontpay_journal_id = fields.Many2one(
        "account.journal",
        string="Payment Journal",
        check_company=True,
        # Not as text, which the related field of the settings wouldn't take over.
        domain=[("type", "in", ("bank", "cash"))],
        groups=SETTINGS_READERS,
        help="Customers' payments to Front Payment are registered in this journal. Its "
        "balance is what Front Payment has received and not yet paid out to you.",
    )
    frontpay_responsible_id = fields.Many2one(
        "res.users",
        string="Responsible",
        domain="[('share', '=', False), ('company_ids', 'in', id)]",
        groups=SETTINGS_READERS,
        help="Gets an activity when something has to be settled by a person and whoever"
        " sent the invoice can't open it any more.",
    )
    frontpay_settle_on = fields.Selection(
        [
            ("paid", "The customer has paid"),
            ("invoiced", "The claim is assigned to Front Payment"),
        ],
        string="Register Payment When",
        default="paid",
        required=True,
        groups=SETTINGS_READERS,
        help="Choose the second only if your agreement says that the claim is assigned "
        "to Front Payment: the invoice then counts as paid once they have invoiced it.",
    )
    frontpay_channel = fields.Selection(
        [(name, channel.label) for name, channel in CHANNELS.items()],
        string="Channel",
        default="session",
        required=True,
        groups=SETTINGS_READERS,
        help="How invoices reach your customers, unless a customer has a channel of "
        "its own. A session lets private customers confirm with BankID; an invoice "
        "without confirmation goes as EHF or eFaktura, by e-mail or by post.",
    )
    frontpay_corporate_channel = fields.Selection(
        [(name, channel.label) for name, channel in CHANNELS.items()],
        string="Channel for Companies",
        groups=SETTINGS_READERS,
        help="How invoices reach companies, if not as everybody else. From 1 January "
        "2027, businesses in Norway send each other structured e-invoices: EHF is one.",
    )
    frontpay_invoice_interval = fields.Selection(
        INTERVALS,
        string="Invoice Interval",
        default="0",
        required=True,
        groups=SETTINGS_READERS,
        help="How often Front Payment sends invoices to a customer.",
    )
    frontpay_separate_invoices = fields.Boolean(
        string="One Invoice per Order",
        default=True,
        groups=SETTINGS_READERS,
        help="Each invoice in Odoo becomes an invoice of its own at Front Payment. "
        "Without it, Front Payment may collect several on one.",
    )
    frontpay_invoice_fee = fields.Boolean(
        string="Invoice Fee",
        groups=SETTINGS_READERS,
        help="Front Payment adds its invoice fee to what the customer pays.",
    )
    frontpay_secure_details = fields.Boolean(
        string="Secure Details",
        groups=SETTINGS_READERS,
        help="Asks Front Payment to treat the customer's details as secured. Ask them "
        "what it means in your agreement before you switch it on.",
    )
    frontpay_min_maturity = fields.Integer(
        string="Minimum Days to Pay",
        default=10,
        groups=SETTINGS_READERS,
        help="A customer has at least this number of days to pay, counted from the day "
        "the invoice is sent, also when its due date in Odoo is earlier.",
    )
    frontpay_tax_rates = fields.Char(
        string="VAT Rates",
        default="0,12,15,25",
        required=True,
        groups=SETTINGS_READERS,
        help="The VAT rates, in percent, that Front Payment has set up for you, with "
        "commas between them. Invoices with any other rate aren't sent.",
    )
    frontpay_discount_mode = fields.Selection(
        [("net", "Prices after discount"), ("line", "Discount on each line")],
        string="Show Discounts As",
        default="net",
        required=True,
        groups=SETTINGS_READERS,
        help="With prices after discount, Front Payment shows the VAT that stands in "
        "Odoo. With a discount on each line, it shows the VAT before the discount.",
    )
    frontpay_email_link = fields.Boolean(
        string="E-mail the Link",
        default=True,
        groups=SETTINGS_READERS,
        help="The customer gets the link by e-mail as soon as the invoice was sent to"
        " Front Payment.",
    )
    frontpay_sms_link = fields.Boolean(
        string="Send the Link by SMS",
        groups=SETTINGS_READERS,
        help="Together with the e-mail, to customers with a mobile number. Odoo charges"
        " for SMS.",
    )
    frontpay_reminder_days = fields.Integer(
        string="Remind After (Days)",
        groups=SETTINGS_READERS,
        help="A customer who hasn't confirmed gets the link once more this number of"
        " days after the last e-mail. 0: never.",
    )
    frontpay_reminder_count = fields.Integer(
        string="Reminders at Most",
        default=2,
        groups=SETTINGS_READERS,
        help="So many reminders a customer gets of one invoice.",
    )
    frontpay_public_url = fields.Char(
        string="Public URL",
        groups=SETTINGS_READERS,
        help="The address at which Front Payment reaches this Odoo, if it isn't the "
        "one that your users open. Leave it empty to use Odoo's own.",
    )
    frontpay_erase_after_days = fields.Integer(
        string="Erase After (Days)",
        groups=SETTINGS_READERS,
        help="Number of days after which a customer's personal number is erased, "
        "counted from the end of the customer's last order. 0: never. A customer of "
        "several companies keeps the number until the days of each of them are over.",
    )
    frontpay_log_days = fields.Integer(
        string="Keep API Log (Days)",
        default=400,
        groups=SETTINGS_READERS,
        help="Number of days after which calls to and from Front Payment are deleted "
        "from the API log. Orders, payments and messages stay. 0: never. Customers' "
        "names and addresses stand in the log, so keep it no longer than you need it.",
    )

    frontpay_compared_at = fields.Datetime(
        string="Compared with Front Payment",
        copy=False,
        readonly=True,
        groups=SETTINGS_READERS,
        help="When Odoo's books were last compared with Front Payment.",
    )

    @api.depends(
        "frontpay_credential_ids.api_token", "frontpay_credential_ids.callback_secret"
    )
    def _compute_frontpay_credential(self):
        for company in self:
            credential = company.frontpay_credential_ids
            company.frontpay_api_token = credential.api_token
            company.frontpay_callback_secret = credential.callback_secret

    def _frontpay_callback_secret(self):
        """The same for who needs nothing else of the company: each callback asks."""
        credentials = self.env["frontpay.credential"].sudo()
        is_own = [("company_id", "=", self.id)]
        return credentials.search_fetch(is_own, ["callback_secret"]).callback_secret

    def _frontpay_store_credential(self, name):
        """Keep what was entered; saved unchanged, it says nothing of a copy."""
        for company in self.sudo():
            value = company[f"frontpay_{name}"]
            credential = company.frontpay_credential_ids
            if (credential[name] or False) == (value or False):
                continue
            if not credential:
                credential = credential.create({"company_id": company.id})
            credential[name] = value
            if name == "api_token":
                credential.database_uuid = company._frontpay_database_uuid()

    def write(self, vals):
        names = ACCESS_SETTINGS & vals.keys()
        before = [[company[name] for name in names] for company in self.sudo()]
        result = super().write(vals)
        if before != [[company[name] for name in names] for company in self.sudo()]:
            self._frontpay_resume()
        return result

    def _frontpay_resume(self):
        """What waits because of the settings is tried with the new ones at once."""
        own = [("company_id", "in", self.ids)]
        self.env["frontpay.outage"].sudo().search(own).unlink()
        self.sudo().partner_id.activity_unlink(["frontpay_odoo.activity_setup"])
        # What was tried with the former settings says nothing of these.
        self.env["frontpay.check"].sudo().search(own).write(
            {"tested_at": False, "facts": False}
        )
        for name in ("cron_send", "cron_poll", "cron_recover"):
            cron = self.env.ref(f"frontpay_odoo.{name}", raise_if_not_found=False)
            if cron:
                cron.sudo()._trigger()

    @api.constrains(*SETTING_RULES)
    def _check_frontpay_settings(self):
        for company in self.sudo():
            for sentence in company._frontpay_setting_problems(SETTING_RULES):
                raise ValidationError(sentence)

    def _frontpay_setting_problems(self, names, settings=None):
        """What is wrong with settings, as they are entered.

        :param names: of the fields, keys of :const:`SETTING_RULES`
        :param settings: the form with what is typed; the company's own without it
        :return: yields sentences
        """
        for name in names:
            value = (settings or self)[name]
            for is_good, sentence in SETTING_RULES[name]:
                if not is_good(self, value):
                    rule = localized(self.env, sentence)
                    yield f"{self.name}: {field_label(self, name)}: {rule}"

    def _frontpay_owns(self, journal):
        """Whether it is a journal in which payments can be registered."""
        is_own = journal.company_id in self.parent_ids
        return is_own and journal.type in ("bank", "cash")

    def _frontpay_day(self, moment=None):
        """Which day it is where the company is.

        :param datetime moment: in UTC; now without it
        :rtype: date
        """
        moment = (moment or fields.Datetime.now()).replace(tzinfo=UTC)
        zone = self.partner_id.tz
        return moment.astimezone(ZoneInfo(zone) if zone else NORWAY).date()

    def action_frontpay_create_journal(self):
        """Give the company a bank journal for Front Payment, unless it has chosen one.

        A payment goes straight to the journal's own account instead of an outstanding
        account: no bank statement will ever confirm it one by one, so it counts as
        paid at once, and the account shows what Front Payment owes.

        :raises UserError: the company has no chart of accounts
        """
        self.ensure_one()
        if self.frontpay_journal_id:
            return
        if not self.root_id.sudo().chart_template:
            raise UserError(
                self.env._(
                    "%s has no chart of accounts. Choose one under Fiscal Localization "
                    "first.",
                    self.name,
                )
            )
        Journal = self.env["account.journal"].with_company(self)
        journal = Journal.search(
            [
                ("company_id", "=", self.id),
                ("code", "=", JOURNAL_CODE),
                ("type", "in", ("bank", "cash")),
            ],
            limit=1,
        ) or Journal.create(
            {
                "name": "Front Payment",
                "code": JOURNAL_CODE,
                "type": "bank",
                "company_id": self.id,
            }
        )
        lines = journal.inbound_payment_method_line_ids
        lines |= journal.outbound_payment_method_line_ids
        lines.payment_account_id = journal.default_account_id
        self.frontpay_journal_id = journal

    def _frontpay_try_connection(self, settings):
        """Ask Front Payment whether address and token are right.

        :param settings: as of :meth:`_frontpay_test_connection`
        :return: (the :class:`connect.errors.FrontPaymentError` that it failed with or
            None, by how many seconds this server's clock is ahead or None)
        :raises UserError: as of :meth:`_frontpay_client`
        """
        failure = None
        with self._frontpay_client(settings=settings, deadline=Deadline()) as client:
            try:
                client.check_connection()
            except errors.FrontPaymentError as error:
                failure = error
            self.env["frontpay.exchange"]._log(self, client.exchanges)
        return failure, client.clock_ahead

    @api.model
    def _frontpay_database_uuid(self):
        return self.env["ir.config_parameter"].sudo().get_param("database.uuid")

    def _frontpay_is_copy(self):
        """Whether the token was entered in another database, of which this is a copy.

        Odoo gives a copy an identity of its own. What the original sends and registers
        would be sent and registered here once more.
        """
        credential = self.sudo().frontpay_credential_ids
        return bool(
            credential.api_token
            and credential.database_uuid != self._frontpay_database_uuid()
        )

    @in_each_language
    def _frontpay_copy_message(self):
        return self.env._(
            "%(company)s: this database is a copy, so nothing goes out to Front Payment"
            " and nothing is polled. If it is the one that you work in from now on,"
            " %(administrator)s confirms that in the Front Payment settings.",
            company=self.name,
            administrator=administrator_name(self),
        )

    def action_frontpay_confirm_database(self):
        """Somebody says that this copy is the database that works with Front Payment.

        What waited when it was copied stays unsent: the original may have sent it.

        :raises AccessError: for others than system administrators
        """
        if not self.env.user.has_group("base.group_system"):
            raise AccessError(
                self.env._(
                    "Only system administrators can confirm that a copied database"
                    " works with Front Payment."
                )
            )
        credentials = self.sudo().frontpay_credential_ids
        credentials.database_uuid = self._frontpay_database_uuid()
        self._frontpay_resume()

    def _frontpay_api_url(self, settings=None):
        """Return the address of Front Payment's API, with a slash at its end; empty
        if the environment is an own address, and none is entered.

        :param settings: the form with what is typed; the company's own without it
        """
        settings = settings or self
        environment = settings.frontpay_environment
        url = API_URLS.get(environment) or settings.frontpay_custom_url or ""
        return url and url.rstrip("/") + "/"

    def _frontpay_access_url(self):
        """The same if Front Payment may be called there, else empty."""
        is_open = self.sudo().frontpay_api_token and not self._frontpay_is_copy()
        return self._frontpay_api_url() if is_open else ""

    def _frontpay_destination(self):
        """What an order keeps of where it goes, and from which database."""
        return {
            "environment": self.frontpay_environment,
            "base_url": self._frontpay_api_url(),
            "database_uuid": self._frontpay_database_uuid(),
        }

    def _frontpay_base_url(self, settings=None):
        """Return the address of Front Payment's API, with a slash at its end.

        :param settings: the form with what is typed; the company's own without it
        :raises UserError: the environment is an own address, and none is entered
        """
        url = self._frontpay_api_url(settings)
        if not url:
            raise UserError(self._frontpay_no_url_sentence())
        return url

    @in_each_language
    def _frontpay_no_url_sentence(self):
        sentence = self.env._("%s: there is no API base URL.", self.name)
        names = ("frontpay_custom_url", "frontpay_environment")
        return " ".join([sentence, settings_remedy(self, *names)])

    def _frontpay_client(self, max_wait=MAX_WAIT, deadline=None, settings=None):
        """Open a client with this company's credential, as a context manager.

        Whoever calls with it stores its ``exchanges``.

        :param max_wait: seconds that a call may wait until the rate limit lets it go
        :param tools.deadline.Deadline deadline: when all calls have to be over
        :param settings: the form with what is typed; the company's own without it
        :rtype: connect.client.Client
        :raises UserError: the environment is a custom URL, and none is entered; or
            this database is a copy
        """
        if self._frontpay_is_copy():
            raise UserError(self._frontpay_copy_message())
        version = modules.Manifest.for_addon("frontpay_odoo").version
        return Client(
            self._frontpay_base_url(settings),
            (settings or self.sudo()).frontpay_api_token or "",
            f"frontpay_odoo/{version}",
            rate_limiter=self.env["frontpay.rate.limit"]._limiter_of(self, max_wait),
            deadline=deadline,
        )

    def _frontpay_public_url(self):
        """Return the address at which Front Payment reaches us, without a slash."""
        return (self.frontpay_public_url or self.get_base_url()).rstrip("/")

    def _frontpay_callback_url(self, token=""):
        """Return the address that Front Payment calls.

        :param str token: of the order that it calls about
        """
        return f"{self._frontpay_public_url()}/frontpay/callback/{token}"

    def _frontpay_tax_rates(self):
        """Return the VAT rates, in percent, that Front Payment takes from us.

        :rtype: frozenset[Decimal]
        """
        return frozenset(map(Decimal, _parts(self.frontpay_tax_rates)))

    def _frontpay_synthetic_allowed(self):
        """Whether personal numbers made for test systems may be used."""
        return self.frontpay_environment != "production"
