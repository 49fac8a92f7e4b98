from datetime import timedelta
from unittest.mock import patch
from urllib.parse import urlencode

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import Form, HttpCase, new_test_user, tagged
from odoo.tools import config, mute_logger

from odoo.addons.frontpay_odoo.connect import callback_check, errors
from odoo.addons.frontpay_odoo.connect.client import Client
from odoo.addons.frontpay_odoo.models.frontpay_check import TEST_WINDOW
from odoo.addons.frontpay_odoo.tools import credit_control, setup_checks

from .common import API_TOKEN, SECRET, FrontpayCommon, callback_pairs, signature

LATE = timedelta(hours=2)
# What a test callback ended with: HTTP status, failure, whether it arrived; what is
# said.
OUTCOMES = (
    (200, "", True, "good", "came in at"),
    (200, "", False, "bad", "Something else than this database"),
    (303, "", False, "bad", "doesn't know which of its databases"),
    (404, "", False, "bad", "Something else than this database"),
    (403, "", False, "bad", "changed on its way"),
    (502, "", False, "bad", "doesn't reach Odoo"),
    (None, callback_check.BAD_CERTIFICATE, False, "bad", "certificate"),
    (None, callback_check.NO_ANSWER, False, "bad", "Nobody answers"),
)


class SetUpCase(FrontpayCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.checks = cls.env["frontpay.check"].sudo()._of_company(cls.company)
        cls.administrator = cls._member("administrator", "base.group_system")
        cls.bookkeeper = cls._member("bookkeeper", "account.group_account_invoice")

    @classmethod
    def _member(cls, login, groups):
        return new_test_user(
            cls.env,
            f"frontpay_{login}",
            groups,
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def assert_finding(self, kind, state, words="", remedy=""):
        self.env.invalidate_all()
        check = self.checks._of_kind(kind)
        self.assertEqual((kind, check.state), (kind, state), check.found)
        self.assertIn(words, check.found)
        self.assertIn(remedy, check.remedy or "")


@tagged("post_install", "-at_install", "frontpay")
class TestSetUp(SetUpCase):
    def test_each_setting_that_lacks_is_told_with_what_to_do(self):
        for name, kind, words in (
            ("frontpay_api_token", "token", "No token"),
            ("frontpay_callback_secret", "secret", "No callback secret"),
            ("frontpay_journal_id", "journal", "No journal"),
        ):
            with self.subTest(name), self.undone():
                self.company[name] = False
                self.assert_finding(kind, "bad", words)
                self.assertTrue(self.checks._of_kind(kind).remedy)

    def test_all_kinds_have_a_row_once(self):
        again = self.env["frontpay.check"].sudo()._of_company(self.company)
        self.assertEqual(again, self.checks)
        self.assertEqual(self.checks.mapped("kind"), list(setup_checks.CHECKS))

    def test_credit_control_needs_a_policy_of_doing_nothing(self):
        """OCA's addon isn't there: who installed it is pretended."""
        self.assert_finding("reminders", "good")
        with patch.object(credit_control, "is_installed", return_value=True):
            for policy, state in ((True, "good"), (False, "warning")):
                with patch.object(
                    credit_control, "policy_of_doing_nothing", return_value=policy
                ):
                    self.assert_finding("reminders", state)

    def test_the_token_is_as_good_as_front_payments_last_answer(self):
        self.assert_finding("token", "waiting")
        token = self.checks._of_kind("token")
        token._keep(error="Unauthorized")
        self.assert_finding("token", "bad", "doesn't accept the token")
        token._keep(error=None)
        self.assert_finding("token", "good", "accepted it")
        self.company.frontpay_api_token = "another"
        self.assert_finding("token", "waiting")

    def test_every_error_of_the_connection_can_be_told(self):
        for kind in errors.FrontPaymentError.__subclasses__():
            with self.subTest(kind.__name__):
                self.checks._of_kind("token")._keep(error=kind.__name__)
                self.assert_finding("token", "bad")

    def test_checking_asks_front_payment_and_compares_the_clocks(self):
        def answer(client):
            client.clock_ahead = 75

        with patch.object(Client, "check_connection", answer):
            self.company.with_user(self.administrator).action_frontpay_check_setup()
        self.assert_finding("token", "good")
        self.assert_finding("clock", "warning", "75 seconds", "NTP")
        self.checks._of_kind("clock")._keep(ahead=-60)
        self.assert_finding("clock", "good")

    def test_checking_tells_what_is_wrong_with_the_connection(self):
        self.company.with_user(
            self.administrator
        ).action_frontpay_check_setup()  # nobody listens there
        self.assert_finding("token", "bad", "Nobody answers")
        self.assert_finding("clock", "waiting")

    def test_the_last_callback_tells_that_the_secret_is_another_one(self):
        order = self.order(self.invoice())
        log = {"company_id": self.company.id, "order_id": order.id, "direction": "in"}
        for status, state in ((200, "good"), (403, "warning"), (200, "good")):
            self.env["frontpay.exchange"].sudo().create(log | {"http_status": status})
            self.assert_finding("secret", state)

    def test_an_address_that_front_payment_cant_reach_is_told(self):
        self.assert_finding("address", "good", "https://odoo.example.com")
        self.env["ir.config_parameter"].sudo().set_param(
            "web.base.url", "http://odoo.example.com"
        )
        self.company.frontpay_public_url = False
        self.assert_finding("address", "bad", "doesn't begin with https://")

    def test_several_databases_at_one_host_are_told_but_not_named(self):
        name = self.env.cr.dbname
        for served, state, words in (
            ([name], "good", "Only this database"),
            ([name, "payroll"], "bad", "2 databases are served"),
            (["payroll"], "bad", "isn't served"),
        ):
            with (
                self.subTest(served=served),
                patch.object(setup_checks, "list_dbs", lambda force: []),
                patch.object(
                    setup_checks.http,
                    "db_filter",
                    lambda _dbs, host, s=served: (
                        s if host == "odoo.example.com" else []
                    ),
                ),
            ):
                self.assert_finding("database", state, words)
                found = self.checks._of_kind("database")
                self.assertNotIn("payroll", f"{found.found} {found.remedy}")

    def test_a_proxy_that_odoo_doesnt_know_of_is_told(self):
        for proxy_mode, state in ((True, "good"), (False, "warning")):
            with patch.dict(config.options, {"proxy_mode": proxy_mode}):
                self.assert_finding("proxy", state)
        self.company.frontpay_public_url = "http://127.0.0.1:8069"
        with patch.dict(config.options, {"proxy_mode": False}):
            self.assert_finding("proxy", "good")

    def test_the_scheduler_is_told_when_it_stands_still(self):
        crons = setup_checks._crons(self.env(su=True))
        self.assertGreater(len(crons), 5)
        now = fields.Datetime.now()
        crons._write({"nextcall": now})
        self.assert_finding("scheduler", "good")
        crons[0]._write({"nextcall": now - LATE})
        for threads, remedy in ((2, "Restart Odoo"), (0, "max_cron_threads")):
            with patch.dict(config.options, {"max_cron_threads": threads}):
                self.assert_finding("scheduler", "bad", "Nothing ran since", remedy)
        crons[0]._write({"nextcall": now, "active": False})
        self.assert_finding("scheduler", "bad", crons[0].name)

    def test_taxes_that_front_payment_doesnt_take_are_told_and_opened(self):
        others = self.env["account.tax"].search(
            [("company_id", "=", self.company.id), ("id", "not in", self.taxes.ids)]
        )
        others.active = False
        self.assert_finding("taxes", "good")
        self.company.frontpay_tax_rates = "0,15,25"
        self.assert_finding("taxes", "warning", "12 %")
        action = self.checks._of_kind("taxes").action_open_records()
        taxes = self.env[action["res_model"]].sudo().search(action["domain"])
        self.assertEqual(taxes, self.tax(12))
        self.assertEqual([kind for _view, kind in action["views"]], ["list", "form"])

    def test_no_mail_server_matters_only_where_links_are_e_mailed(self):
        self.env["ir.mail_server"].sudo().search([]).active = False
        with patch.dict(config.options, {"smtp_server": "localhost"}):
            self.assert_finding("mail", "warning")
            with self.undone():
                self.company.frontpay_email_link = False
                self.assert_finding("mail", "good")
        with patch.dict(config.options, {"smtp_server": "smtp.example.com"}):
            self.assert_finding("mail", "good")

    def test_a_check_that_fails_breaks_no_other_one(self):
        def fail(_check):
            self.env.cr.execute("SELECT FROM no_such_table")

        broken = setup_checks.CHECKS["clock"]._replace(examine=fail)
        with (
            patch.dict(setup_checks.CHECKS, {"clock": broken}),
            mute_logger(
                "odoo.sql_db", "odoo.addons.frontpay_odoo.models.frontpay_check"
            ),
        ):
            self.assert_finding("clock", "warning", "couldn't be checked")
            self.assert_finding("journal", "good")

    def test_no_check_shows_a_secret(self):
        self.checks._of_kind("token")._keep(error="Unauthorized")
        self.env.invalidate_all()
        told = str(self.checks.read())
        for secret in (API_TOKEN, SECRET):
            self.assertNotIn(secret, told)

    def test_the_steps_follow_each_other_and_go_on_where_somebody_left(self):
        self.company.write(
            {
                "frontpay_api_token": False,
                "frontpay_callback_secret": False,
                "frontpay_journal_id": False,
                "frontpay_public_url": False,
            }
        )
        parameters = self.env["ir.config_parameter"].sudo()
        parameters.set_param("web.base.url", "http://odoo.example.com")
        for name, value, step in (
            ("frontpay_api_token", API_TOKEN, "keys"),
            ("frontpay_callback_secret", SECRET, "journal"),
            ("frontpay_journal_id", self.journal_of_ours(), "address"),
            ("frontpay_public_url", "https://odoo.example.com", "test"),
        ):
            self.company[name] = value
            with self.subTest(name):
                self.assertEqual(self.company.sudo().frontpay_setup_step, step)
        good = setup_checks.Finding("good", "")
        with patch.object(type(self.checks), "_examine", lambda _check: good):
            self.env.invalidate_all()
            self.assertEqual(self.company.sudo().frontpay_setup_step, "done")
        self.checks.unlink()
        self.assertEqual(self.company.sudo().frontpay_setup_step, "test")

    def journal_of_ours(self):
        return self.env["account.journal"].search(
            [("code", "=", "FPGO"), ("company_id", "=", self.company.id)]
        )

    def test_only_administrators_set_up(self):
        setups = self.env["frontpay.setup"]
        for act in (
            setups.with_user(self.bookkeeper).action_open,
            self.company.with_user(self.bookkeeper).action_frontpay_check_setup,
            self.checks.with_user(self.bookkeeper)[0].action_open_records,
        ):
            with self.assertRaises(AccessError):
                act()
        for _time in range(2):  # it is made once
            action = setups.with_user(self.administrator).action_open()
            setup = setups.with_user(self.administrator).browse(action["res_id"])
            self.assertEqual(setup.company_id, self.company)

    def test_what_is_entered_in_the_set_up_is_a_setting(self):
        action = self.env["frontpay.setup"].with_user(self.administrator).action_open()
        setup = self.env["frontpay.setup"].browse(action["res_id"])
        with Form(setup.with_user(self.administrator)) as form:
            form.frontpay_api_token = "another"
            form.frontpay_public_url = "https://elsewhere.example.com"
        self.assertEqual(self.company.sudo().frontpay_api_token, "another")
        self.assertEqual(
            self.company.frontpay_public_url, "https://elsewhere.example.com"
        )

    def test_a_copy_forgets_what_was_found(self):
        [values] = self.company.copy_data()
        self.assertNotIn("frontpay_check_ids", values)


@tagged("post_install", "-at_install", "frontpay")
class TestCallbackToOurselves(SetUpCase, HttpCase):
    """The test callback, from the request for it to what is told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.callback = cls.checks._of_kind("callback")

    def request(self):
        self.callback.with_user(self.administrator).sudo()._request_callback()

    def deliver(self, url, secret, _user_agent):
        pairs = callback_check.signed_pairs(secret)
        path = url.removeprefix("https://odoo.example.com")
        return self.url_open(f"{path}?{urlencode(pairs)}").status_code, ""

    def run_cron(self, call):
        with patch.object(callback_check, "call", call):
            self.callback._cron_test_callbacks()

    def test_it_takes_the_verified_path_and_is_told_when_it_came(self):
        self.request()
        self.assert_finding("callback", "waiting", "just being tested")
        self.run_cron(self.deliver)
        self.assert_finding("callback", "good", "came in at")
        self.assertFalse(self.callback.callback_token)
        self.assertFalse(self.callback.requester_id)

    def test_what_isnt_requested_isnt_sent(self):
        def call(*_arguments):
            self.fail("Nobody asked for it.")

        self.run_cron(call)
        self.request()
        self.company.frontpay_callback_secret = False
        self.run_cron(call)
        self.assertFalse(self.callback.requester_id)

    def test_each_way_in_which_it_fails_has_its_sentence(self):
        for status, failure, arrived, state, words in OUTCOMES:
            with self.subTest(status=status, failure=failure, arrived=arrived):
                self.callback._keep(status=status, failure=failure, arrived=arrived)
                self.assert_finding("callback", state, words)

    def test_an_answer_from_elsewhere_proves_nothing(self):
        self.request()
        self.run_cron(lambda *_arguments: (200, ""))
        self.assert_finding("callback", "bad", "Something else than this database")

    def test_a_scheduler_that_doesnt_run_is_told(self):
        self.request()
        self.callback.tested_at -= LATE
        self.assert_finding("callback", "bad", "scheduler doesn't run")

    def test_whoever_requested_it_hears_of_the_end(self):
        self.request()
        with patch.object(type(self.env["res.partner"]), "_bus_send") as send:
            self.run_cron(self.deliver)
        send.assert_called_once_with("frontpay_odoo.setup", self.company.id)

    def test_nobody_else_gets_anything_by_it(self):
        token = "T" * 32
        self.callback.write(
            {"callback_token": token, "tested_at": fields.Datetime.now()}
        )
        pairs = callback_check.signed_pairs(SECRET)
        unsigned = [*pairs[:-1], ("checksum", "0" * 64)]
        wrong = [*pairs[:-1], ("checksum", signature(pairs[:-1], "another secret"))]
        for told, status in (
            (unsigned, 403),
            (wrong, 403),
            (pairs[1:], 400),
            (callback_pairs(status="PAID"), 200),
            (pairs, 200),
            (pairs, 200),
        ):
            url = f"/frontpay/callback/{token}?{urlencode(told)}"
            self.assertEqual(self.url_open(url).status_code, status)
        self.assertEqual(len(self.arrived()), 1)
        self.assertFalse(self.env["frontpay.callback"].sudo().search([]))
        self.callback.tested_at -= TEST_WINDOW
        for other in (token, "T" * 31 + "U", "T"):
            url = f"/frontpay/callback/{other}?{urlencode(pairs)}"
            self.assertEqual(self.url_open(url).status_code, 404)
        self.assertEqual(len(self.arrived()), 1)

    def arrived(self):
        return (
            self.env["frontpay.exchange"]
            .sudo()
            .search([("company_id", "=", self.company.id), ("direction", "=", "in")])
        )
