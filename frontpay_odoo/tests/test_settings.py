import socket
import threading
from ast import literal_eval
from contextlib import closing, contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer

from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, TransactionCase, new_test_user, tagged
from odoo.tools.safe_eval import safe_eval

from odoo.addons.frontpay_odoo.connect.errors import Unauthorized

from .common import FrontpayCommon, LoopbackCase, neutralize

SECRETS = ("frontpay_api_token", "frontpay_callback_secret")
NOT_FOUND = (
    404,
    '{"status_code": 404, "status_message": "Not Found",'
    ' "message": "Order Not Found", "is_data": false, "data": null}',
)
UNAUTHORIZED = (401, '{"status_code": 401, "message": "unauthenticated"}')
# What goes by itself, and how often where nothing wakes it earlier.
CRONS = {
    "cron_send": (10, "minutes"),
    "cron_poll": (5, "minutes"),
    "cron_recover": (5, "minutes"),
    "cron_refund": (10, "minutes"),
    "cron_compare": (1, "days"),
    "cron_email_links": (10, "minutes"),
    "cron_remind": (1, "days"),
    "cron_erase": (1, "days"),
    "cron_test_callbacks": (1, "days"),
}
# What the server answers to a good token, by the first part of the path.
ANSWERS = {
    "api": NOT_FOUND,
    "page": (200, "<html>Welcome!</html>"),
    "nothing": (404, "<html>Not found</html>"),
    "busy": (429, '{"message": "Too Many Attempts."}'),
    "broken": (500, "<html>Oops</html>"),
}
CONNECTIONS = (
    ("api", "good-token", "success", "accepts the token"),
    ("api", "wrong-token", "danger", "doesn't accept the token"),
    ("api", False, "danger", "No usable token is entered"),
    ("page", "good-token", "danger", "it isn't Front Payment"),
    ("nothing", "good-token", "danger", "it isn't Front Payment"),
    ("busy", "good-token", "danger", "Too many calls"),
    ("broken", "good-token", "danger", "didn't give a usable answer"),
)
GOOD_URLS = (
    "https://api.example.com/api/v1/",
    "https://api.example.com:8443/api/v1",
    "http://127.0.0.1:8700/api/v1/",
    "http://127.8.9.10/",
    "http://[::1]:8700/api/v1/",
    "http://localhost:8700/api/v1/",
)
WRONG_URLS = (
    ("api.example.com/api/v1/", "must be complete"),
    ("https:///api/v1/", "must be complete"),
    ("ftp://api.example.com/", "must be complete"),
    ("https://api.example.com/api/v1/?key=1", "must be complete"),
    ("https://api.example.com/api/v1/#top", "must be complete"),
    ("https://kari:secret@api.example.com/", "must be complete"),
    ("https://api.example.com:port/", "must be complete"),
    ("https://api.example.com:99999/", "must be complete"),
    ("https://api .example.com/", "must be complete"),
    ("https://[::1/", "must be complete"),
    ("http://api.example.com/api/v1/", "must begin with https://"),
    ("http://10.0.0.1/api/v1/", "must begin with https://"),
    ("http://127.0.0.1.example.com/", "must begin with https://"),
)
WRONG_PUBLIC_URLS = (
    ("odoo.example.com", "must be complete"),
    ("ftp://odoo.example.com", "must be complete"),
    ("https://odoo.example.com/?db=production", "must be complete"),
    ("https://odoo.example.com/#home", "must be complete"),
    ("http://odoo.example.com", "must begin with https://"),
)
TAX_RATES = (
    ("0,12,15,25", {"0", "12", "15", "25"}),
    (" 25 , 0 ", {"0", "25"}),
    ("0,11.11,25,25.00", {"0", "11.11", "25"}),
    ("100", {"100"}),
)
SAVED_CREDENTIALS = {
    "frontpay_environment": "demo",
    "frontpay_api_token": "old-token",
    "frontpay_callback_secret": "old-s3cret",
}
BOTH_OLD = "Not changed: API Token, Callback Secret."
OLD_TOKEN = "Not changed: API Token."
OLD_SECRET = "Not changed: Callback Secret."
# What is changed on the screen, and what the warning says; empty: there is none.
CREDENTIAL_CHANGES = (
    ({}, ""),
    ({"channel": "ehf"}, ""),
    ({"environment": "production"}, BOTH_OLD),
    ({"environment": "custom", "custom_url": "https://a.example.com/"}, BOTH_OLD),
    ({"environment": "production", "api_token": "new"}, OLD_SECRET),
    ({"environment": "production", "callback_secret": "new"}, OLD_TOKEN),
    (
        {"environment": "production", "api_token": "new", "callback_secret": "new"},
        "",
    ),
    ({"api_token": "new"}, OLD_SECRET),
    ({"callback_secret": "new"}, OLD_TOKEN),
    ({"api_token": "new", "callback_secret": "new"}, ""),
    ({"api_token": False}, OLD_SECRET),
)
WRONG_TAX_RATES = ("25%", "25;15", "0,,25", ",", " ", "-5", "101", "1e2", "NaN", "٢٥")


@tagged("post_install", "-at_install", "frontpay")
class TestSettings(LoopbackCase, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create({"name": "Fjordlys Test"})
        cls.env.user.write(
            {
                "company_ids": [Command.link(cls.company.id)],
                "company_id": cls.company.id,
            }
        )
        cls.env = cls.env(
            context=dict(cls.env.context, allowed_company_ids=cls.company.ids)
        )
        cls.company = cls.company.with_env(cls.env)
        cls.accountant = cls._user(
            "accountant", "account.group_account_manager,base.group_allow_export"
        )

    def test_a_new_company_starts_with_careful_settings(self):
        for name, value in {
            "frontpay_environment": "demo",
            "frontpay_settle_on": "paid",
            "frontpay_channel": "session",
            "frontpay_invoice_interval": "0",
            "frontpay_separate_invoices": True,
            "frontpay_invoice_fee": False,
            "frontpay_secure_details": False,
            "frontpay_email_link": True,
            "frontpay_min_maturity": 10,
            "frontpay_tax_rates": "0,12,15,25",
            "frontpay_discount_mode": "net",
            "frontpay_api_token": False,
            "frontpay_callback_secret": False,
        }.items():
            with self.subTest(field=name):
                self.assertEqual(self.company[name], value)

    def test_what_goes_by_itself_goes_as_often_as_it_should(self):
        found = self.env["ir.model.data"].search(
            [("module", "=", "frontpay_odoo"), ("model", "=", "ir.cron")]
        )
        self.assertEqual(set(found.mapped("name")), set(CRONS))
        for name, interval in CRONS.items():
            with self.subTest(name):
                cron = self.env.ref(f"frontpay_odoo.{name}")
                self.assertTrue(cron.active)
                self.assertEqual((cron.interval_number, cron.interval_type), interval)

    def test_each_setting_is_the_companys_of_the_same_name(self):
        own = {
            name: field.related
            for name, field in self.env["res.config.settings"]._fields.items()
            if name.startswith("frontpay_") and field.related
        }
        self.assertGreater(len(own), 20)
        for name, related in own.items():
            with self.subTest(name):
                self.assertEqual(related, f"company_id.{name}")

    def test_they_choose_among_people_and_make_none(self):
        view = self.env["res.config.settings"].get_view(view_type="form")
        [field] = etree.fromstring(view["arch"]).xpath(
            "//field[@name='frontpay_responsible_id']"
        )
        self.assertTrue(literal_eval(field.get("options"))["no_create"])

    def test_what_is_secret_is_shown_by_nobodys_form(self):
        set_up = self.env.ref("frontpay_odoo.frontpay_setup_view_form")
        views = {"res.config.settings": None, "frontpay.setup": set_up.id}
        for model, view in views.items():
            arch = etree.fromstring(self.env[model].get_view(view)["arch"])
            for name in SECRETS:
                shown = arch.findall(f".//field[@name='{name}']")
                with self.subTest(name, model=model):
                    hidden = {field.get("password") for field in shown}
                    self.assertEqual(hidden, {"True"})

    def test_how_often_is_said_by_front_payments_numbers(self):
        """Section 3."""
        field = self.company._fields["frontpay_invoice_interval"]
        labels = {"0": "Daily", "1": "Once a month", "2": "Twice a month"}
        self.assertEqual(dict(field.selection), labels)

    def test_what_waited_for_a_journal_goes_on_once_it_is_chosen(self):
        outages = self.env["frontpay.outage"].sudo()
        outages.create({"company_id": self.company.id, "operation": "send"})
        journal = self.env["account.journal"].create(
            {"name": "Front Payment", "code": "FPGO", "type": "bank"}
        )
        self.company.frontpay_journal_id = journal
        self.assertFalse(outages.search([("company_id", "=", self.company.id)]))

    def test_each_environment_has_its_address(self):
        for environment, custom_url, expected in (
            ("demo", False, "https://demo-api.frontpayment.no/api/v1/"),
            (
                "demo",
                "https://a.example.com",
                "https://demo-api.frontpayment.no/api/v1/",
            ),
            ("production", False, "https://apigo.frontpayment.no/api/v1/"),
            ("custom", "https://a.example.com/api/v1", "https://a.example.com/api/v1/"),
            (
                "custom",
                "https://a.example.com/api/v1/",
                "https://a.example.com/api/v1/",
            ),
        ):
            with self.subTest(environment=environment, custom_url=custom_url):
                self.company.frontpay_environment = environment
                self.company.frontpay_custom_url = custom_url
                self.assertEqual(self.company._frontpay_base_url(), expected)

    def test_a_custom_environment_needs_its_url(self):
        self.company.frontpay_environment = "custom"
        with self.assertRaises(UserError) as caught:
            self.company._frontpay_base_url()
        self.assertIn("there is no API base URL", str(caught.exception))

    def test_a_custom_url_is_safe_or_refused(self):
        for url in GOOD_URLS:
            with self.subTest(url=url):
                self.company.frontpay_custom_url = url
        for url, words in WRONG_URLS:
            with self.subTest(url=url):
                self._assert_refused({"frontpay_custom_url": url}, words)

    def test_callbacks_go_to_odoos_own_url_or_the_one_entered(self):
        self.assertEqual(
            self.company._frontpay_public_url(), self.company.get_base_url().rstrip("/")
        )
        self.company.frontpay_public_url = "https://odoo.example.com/"
        self.assertEqual(
            self.company._frontpay_public_url(), "https://odoo.example.com"
        )
        for url, words in WRONG_PUBLIC_URLS:
            with self.subTest(url=url):
                self._assert_refused({"frontpay_public_url": url}, words)

    def test_vat_rates_are_exact_numbers_or_refused(self):
        for text, expected in TAX_RATES:
            with self.subTest(text=text):
                self.company.frontpay_tax_rates = text
                self.assertEqual(
                    self.company._frontpay_tax_rates(), set(map(Decimal, expected))
                )
        for text in WRONG_TAX_RATES:
            with self.subTest(text=text):
                self._assert_refused({"frontpay_tax_rates": text}, "write numbers")

    def test_the_minimum_days_to_pay_arent_negative(self):
        self.company.frontpay_min_maturity = 0
        self._assert_refused({"frontpay_min_maturity": -1}, "less than 0 days")

    def test_synthetic_numbers_are_allowed_outside_production(self):
        for environment, allowed in (("demo", 1), ("custom", 1), ("production", 0)):
            with self.subTest(environment=environment):
                self.company.frontpay_environment = environment
                self.assertEqual(self.company._frontpay_synthetic_allowed(), allowed)

    def test_only_system_administrators_read_the_secrets(self):
        company = self.company.with_user(self.accountant)
        settings = self.env["res.config.settings"].with_user(self.accountant)
        for name in SECRETS:
            with self.subTest(field=name):
                self.company[name] = "s3cret"
                self.assertEqual(self.company[name], "s3cret")
                with self.assertRaises(AccessError):
                    company.read([name])
                with self.assertRaises(AccessError):
                    company.search([(name, "=like", "s%")])
                with self.assertRaises(AccessError):
                    company._read_group([], [name])
                with self.assertRaises(AccessError):
                    company.export_data([name])
                self.assertNotIn(name, company.fields_get())
                self.assertNotIn(name, settings.fields_get())
        with self.assertRaises(AccessError):
            settings.create({})

    def test_the_settings_save_address_and_environment_together(self):
        with Form(self.env["res.config.settings"]) as form:
            form.frontpay_environment = "custom"
            form.frontpay_custom_url = "http://127.0.0.1:8700/api/v1/"
            form.frontpay_api_token = "good-token"
        form.record.execute()
        self.assertEqual(self.company.frontpay_environment, "custom")
        self.assertEqual(
            self.company._frontpay_base_url(), "http://127.0.0.1:8700/api/v1/"
        )
        self.assertEqual(self.company.frontpay_api_token, "good-token")
        with Form(self.env["res.config.settings"]) as form:
            form.frontpay_api_token = "demo-token"
            form.frontpay_environment = "demo"
        self.assertEqual(self.company.frontpay_environment, "demo")

    def test_the_settings_warn_of_credentials_that_may_not_belong_together(self):
        self.company.write(SAVED_CREDENTIALS)
        for changes, words in CREDENTIAL_CHANGES:
            with self.subTest(**changes):
                form = Form(self.env["res.config.settings"])
                for name, value in changes.items():
                    form[f"frontpay_{name}"] = value
                warning = form.frontpay_credential_warning or ""
                self.assertIn(words, warning)
                self.assertEqual(bool(words), bool(warning))
                for secret in ("old-token", "old-s3cret"):
                    self.assertNotIn(secret, warning)

    def test_the_first_credentials_are_entered_without_a_warning(self):
        form = Form(self.env["res.config.settings"])
        for name, value in (
            ("environment", "production"),
            ("api_token", "token"),
            ("callback_secret", "s3cret"),
        ):
            form[f"frontpay_{name}"] = value
            self.assertFalse(form.frontpay_credential_warning)

    def test_the_settings_tell_the_callback_url(self):
        form = Form(self.env["res.config.settings"])
        form.frontpay_public_url = "https://odoo.example.com"
        form.save()
        self.assertEqual(
            form.frontpay_callback_url, "https://odoo.example.com/frontpay/callback/"
        )

    def test_the_connection_test_tells_what_is_wrong(self):
        with _server() as address:
            self.company.frontpay_environment = "custom"
            for path, token, kind, words in CONNECTIONS:
                with self.subTest(path=path, token=token):
                    self.company.write(
                        {
                            "frontpay_custom_url": f"{address}/{path}/v1/",
                            "frontpay_api_token": token,
                        }
                    )
                    self._assert_connection(kind, words)
                    state = "good" if kind == "success" else "bad"
                    if token:
                        self.assertEqual(self.company.frontpay_connection_state, state)

    def test_the_connection_test_tells_when_nobody_answers(self):
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            port = listener.getsockname()[1]
        self.company.write(
            {
                "frontpay_environment": "custom",
                "frontpay_custom_url": f"http://127.0.0.1:{port}/api/v1/",
                "frontpay_api_token": "good-token",
            }
        )
        self._assert_connection("danger", "Nobody answers at that address")
        [call] = self.env["frontpay.exchange"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertTrue(call.error)

    def test_the_settings_test_what_is_on_the_screen(self):
        """And nothing of it is saved."""
        self.company.write(SAVED_CREDENTIALS)
        settings = self.env["res.config.settings"]
        with _server() as address:
            for path, token, kind, words in CONNECTIONS:
                with self.subTest(path=path, token=token):
                    notification = settings.frontpay_test_connection(
                        {
                            "frontpay_environment": "custom",
                            "frontpay_custom_url": f"{address}/{path}/v1/",
                            "frontpay_api_token": token,
                        }
                    )
                    self.assertEqual(notification["params"]["type"], kind)
                    self.assertIn(words, notification["params"]["message"])
                    for name, value in SAVED_CREDENTIALS.items():
                        self.assertEqual(self.company[name], value)
                    # What is saved wasn't tested.
                    self.assertEqual(self.company.frontpay_connection_state, "untested")

    def test_a_typed_token_goes_to_no_unsafe_url(self):
        for url, words in (*WRONG_URLS, (False, "there is no API base URL")):
            typed = {
                "frontpay_environment": "custom",
                "frontpay_custom_url": url,
                "frontpay_api_token": "good-token",
            }
            with self.subTest(url), self.assertRaises(UserError) as caught:
                self.env["res.config.settings"].frontpay_test_connection(typed)
            self.assertIn(words, str(caught.exception))

    def test_only_who_may_change_the_settings_tests_typed_ones(self):
        settings = self.env["res.config.settings"].with_user(self.accountant)
        with self.assertRaises(AccessError):
            settings.frontpay_test_connection({})

    def test_accounting_managers_test_the_connection_and_others_dont(self):
        bookkeeper = self._user("bookkeeper", "account.group_account_invoice")
        with _server() as address:
            self.company.write(
                {
                    "frontpay_environment": "custom",
                    "frontpay_custom_url": f"{address}/api/v1/",
                    "frontpay_api_token": "good-token",
                }
            )
            company = self.company.with_user(self.accountant)
            notification = company.action_frontpay_test_connection()
            self.assertEqual(notification["params"]["type"], "success")
            with self.assertRaises(AccessError):
                self.company.with_user(bookkeeper).action_frontpay_test_connection()

    def test_a_copied_database_can_send_nothing(self):
        self.company.write(
            {
                "frontpay_environment": "custom",
                "frontpay_custom_url": "https://api.example.com/",
                "frontpay_public_url": "https://odoo.example.com/",
                "frontpay_api_token": "good-token",
                "frontpay_callback_secret": "s3cret",
            }
        )
        neutralize(self.env)
        self.assertEqual(self.company.frontpay_environment, "demo")
        for name in (*SECRETS, "frontpay_custom_url", "frontpay_public_url"):
            with self.subTest(field=name):
                self.assertFalse(self.company[name])
        with (
            self.company._frontpay_client() as client,
            self.assertRaises(Unauthorized),
        ):
            client.check_connection()
        [exchange] = client.exchanges
        self.assertEqual(exchange.error, "InvalidHeader")  # nothing went out

    def test_each_credential_is_stored_without_the_other(self):
        token, secret = SECRETS
        for values, stored in (
            ({token: "token"}, ("token", False)),
            ({secret: "s3cret"}, ("token", "s3cret")),
            ({token: "new", secret: "n3w"}, ("new", "n3w")),
            ({token: False}, (False, "n3w")),
        ):
            with self.subTest(**values):
                self.company.write(values)
                self.env.invalidate_all()
                self.assertEqual((self.company[token], self.company[secret]), stored)

    def test_a_copied_company_has_no_credentials(self):
        self.company.write(SAVED_CREDENTIALS)
        [values] = self.company.copy_data()
        for name in SECRETS:
            with self.subTest(field=name):
                self.assertNotIn(name, values)

    def test_a_journal_needs_a_chart_of_accounts(self):
        with self.assertRaises(UserError) as caught:
            self.company.action_frontpay_create_journal()
        self.assertIn("has no chart of accounts", str(caught.exception))

    @classmethod
    def _user(cls, login, groups):
        return new_test_user(
            cls.env, f"frontpay_{login}", groups, company_id=cls.company.id
        )

    def _assert_refused(self, values, words):
        with self.assertRaises(ValidationError) as caught:
            self.company.write(values)
        self.assertIn(words, str(caught.exception))
        self.assertIn("Fjordlys Test", str(caught.exception))

    def _assert_connection(self, kind, words):
        notification = self.company.action_frontpay_test_connection()
        self.assertEqual(notification["tag"], "display_notification")
        self.assertEqual(notification["params"]["type"], kind)
        self.assertEqual(notification["params"]["sticky"], kind == "danger")
        self.assertIn(words, notification["params"]["message"])
        self.assertNotIn("good-token", str(notification))


@tagged("post_install", "-at_install", "frontpay")
class TestJournal(FrontpayCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.journal = cls.company.frontpay_journal_id

    def test_the_button_makes_one_bank_journal(self):
        self.assertEqual(self.journal.name, "Front Payment")
        self.assertEqual(self.journal.code, "FPGO")
        self.assertEqual(self.journal.type, "bank")
        self.assertEqual(self.journal.company_id, self.company)
        self.company.action_frontpay_create_journal()
        self.assertEqual(self.company.frontpay_journal_id, self.journal)
        self.company.frontpay_journal_id = False
        self.company.action_frontpay_create_journal()
        self.assertEqual(self.company.frontpay_journal_id, self.journal)

    def test_the_button_is_there_while_no_journal_is_chosen(self):
        view = self.env["res.config.settings"].get_view(view_type="form")
        [button] = etree.fromstring(view["arch"]).xpath(
            "//button[@name='action_frontpay_create_journal']"
        )
        hidden = button.get("invisible")
        for journal, chart, is_shown in ((0, 1, True), (1, 1, False), (0, 0, False)):
            with self.subTest(journal=journal, chart=chart):
                values = {
                    "frontpay_journal_id": journal,
                    "has_chart_of_accounts": chart,
                }
                self.assertEqual(not safe_eval(hidden, values), is_shown)

    def test_a_payment_in_it_marks_the_invoice_as_paid(self):
        invoice = self.init_invoice("out_invoice", amounts=[1000], post=True)
        register = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        payment = register.create({"journal_id": self.journal.id})._create_payments()
        self.assertEqual(invoice.payment_state, "paid")
        self.assertEqual(payment.state, "paid")
        self.assertIn(
            self.journal.default_account_id, payment.move_id.line_ids.account_id
        )

    def test_only_an_own_bank_or_cash_journal_can_be_chosen(self):
        sale = self.company_data["default_journal_sale"]
        others = self.setup_other_company()["default_journal_bank"]
        for journal in (sale, others):
            with self.subTest(journal=journal.display_name):
                with self.assertRaises(ValidationError) as caught:
                    self.company.frontpay_journal_id = journal
                self.assertIn("bank or cash journal of this", str(caught.exception))
        cash = self.company_data["default_journal_cash"]
        self.company.frontpay_journal_id = cash
        self.assertEqual(self.company.frontpay_journal_id, cash)
        for model in ("res.config.settings", "frontpay.setup"):
            offered = self.env[model].fields_get(["frontpay_journal_id"])
            domain = offered["frontpay_journal_id"]["domain"]
            self.assertIn("('type', 'in', ('bank', 'cash'))", domain)

    def test_only_a_journal_in_nok_can_be_chosen(self):
        cash = self.company_data["default_journal_cash"]
        for currency, is_good in (("EUR", False), ("NOK", True), (None, True)):
            with self.subTest(currency):
                self.company.frontpay_journal_id = False
                cash.currency_id = currency and self.env.ref(f"base.{currency}")
                if is_good:
                    self.company.frontpay_journal_id = cash
                    continue
                with self.assertRaisesRegex(ValidationError, "a journal in NOK"):
                    self.company.frontpay_journal_id = cash


@contextmanager
def _server():
    """Serve ANSWERS on a free port of this machine, and give its address."""
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        is_good = self.headers["Authorization"] == "Bearer good-token"
        status, body = ANSWERS[self.path.split("/")[1]] if is_good else UNAUTHORIZED
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_arguments):
        """Stay quiet."""
