"""What Odoo's own loggers say of addresses and of queries that hold a secret."""

import logging

import psycopg2

from odoo.service.model import call_kw
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import API_TOKEN, PATH_TOKEN, PERSONAL_NUMBER, SECRET, FrontpayCommon

NAME = "frontpay_personal_number"
CUSTOMER = {"name": "Ola", NAME: PERSONAL_NUMBER}
ADDRESSES = (
    ("GET /frontpay/callback/{}?orderUuid=ODR1 HTTP/1.1", "/frontpay/callback/*****?o"),
    ("GET /frontpay/return/{}/success HTTP/1.1", "/frontpay/return/*****/success"),
    ("GET /frontpay/customer/{} HTTP/1.1", "/frontpay/customer/***** HTTP"),
    ("POST //frontpay/callback/{} HTTP/1.1", "//frontpay/callback/***** HTTP"),
    ("GET /frontpay/callback/{}%20%s HTTP/1.1", "/frontpay/callback/***** HTTP"),
)


@tagged("post_install", "-at_install", "frontpay")
class TestLogMasking(FrontpayCommon):
    def test_the_access_log_has_our_addresses_without_their_token(self):
        for line, masked in ADDRESSES:
            with self.subTest(line), self._log("werkzeug") as log:
                line = line.format(PATH_TOKEN)
                logging.getLogger("werkzeug").info('"%s" %s %s', line, 200, "-")
            self.assertIn(masked, log.output[0])
            self.assertNotIn(PATH_TOKEN, log.output[0])

    def test_other_logs_of_our_addresses_are_masked_as_well(self):
        routing = "odoo.addons.http_routing.models.ir_http"
        with self._log(routing) as log:
            address = f"/frontpay/return/{PATH_TOKEN}/success"
            logging.getLogger(routing).debug("%r (lang: %r)", address, "en")
        self.assertIn("'/frontpay/return/*****/success' (lang: 'en')", log.output[0])

    def test_the_access_log_leaves_other_addresses_alone(self):
        with self._log("werkzeug") as log:
            logging.getLogger("werkzeug").info("GET /web/login?a=%s", "100%")
        self.assertIn("GET /web/login?a=100%", log.output[0])

    def test_a_log_that_is_called_wrongly_breaks_nothing(self):
        logger = logging.getLogger("werkzeug")
        record = logger.makeRecord(
            "werkzeug", logging.INFO, "", 0, "%s %s", ("a",), None
        )
        self.assertTrue(logger.filter(record))

    def test_the_sql_log_has_none_of_our_secrets(self):
        move = self.invoice()
        with self._log("odoo.sql_db") as log:
            self.private.frontpay_personal_number = "17458410100"
            self._customer("Ola", frontpay_personal_number="17458410100")
            self.env["res.partner"].search([("frontpay_personal_number", "=", "17458")])
            self.company.frontpay_api_token = "new-token"
            self.company.write({"frontpay_callback_secret": "it's new"})
            self.order(move)
            self.env["frontpay.order"]._by_token(PATH_TOKEN)
            self.env.flush_all()
        told = "\n".join(log.output)
        for secret in ("17458", "new-token", "it's new", "it''s new", PATH_TOKEN):
            with self.subTest(secret):
                self.assertNotIn(secret, told)
        for table in (
            "frontpay_personal_number",
            "frontpay_credential",
            "frontpay_order",
        ):
            self.assertRegex(told, rf'(INSERT INTO|UPDATE) "{table}"')
        self.assertIn("'Ola'", told)  # other values are told

    @mute_logger("odoo.sql_db")  # Odoo loads a customer without a name row by row
    def test_a_calls_secret_arguments_are_not_logged(self):
        for model, method, arguments, logged in (
            ("res.partner", "name_search", (PERSONAL_NUMBER,), "178584*****"),
            ("res.partner", "create", ([CUSTOMER],), "create(*****)"),
            ("res.partner", "search", ([(NAME, "=", "178584")],), "search(*****)"),
            ("res.partner", "load", ([NAME], [[PERSONAL_NUMBER]]), "load(*****)"),
            ("res.partner", "name_search", ("Kari",), "name_search('Kari')"),
        ):
            record = self.env[model]
            with self.subTest(method, logged=logged), self.undone():
                with self._log("odoo.service.model") as log:
                    call_kw(record, method, arguments, {})
                self.assertIn(logged, log.output[0])
                self.assertNotIn(PERSONAL_NUMBER, log.output[0])

    def test_a_query_that_fails_tells_none_of_our_secrets(self):
        self.order(self.invoice())
        for query in (
            "UPDATE frontpay_credential SET company_id = NULL, api_token = 'new-token'",
            "UPDATE res_company SET currency_id = NULL",
            "UPDATE frontpay_personal_number SET number = '17458410100', id = 'x'",
            "UPDATE frontpay_personal_number SET numbr = '17458410100'",
            "UPDATE frontpay_order SET token = 'new-token', state = NULL",
        ):
            with (
                self.subTest(query),
                self._log("odoo.sql_db") as log,
                self.assertRaises(psycopg2.Error),
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(query)
            told = "\n".join(log.output)
            self.assertIn("bad query", told)
            for secret in (
                *("new-token", "17458", PERSONAL_NUMBER[:9]),
                *(API_TOKEN, SECRET, PATH_TOKEN),
            ):
                self.assertNotIn(secret, told)

    def _log(self, name):
        return self.assertLogs(name, logging.DEBUG)


@tagged("post_install", "-at_install", "frontpay")
class TestAccessLog(FrontpayCommon, HttpCase):
    def test_a_callback_leaves_no_token_in_the_access_log(self):
        self.order(self.invoice())
        with self.assertLogs("werkzeug", logging.INFO) as log:
            self.url_open(f"/frontpay/callback/{PATH_TOKEN}?orderUuid=ODR1")
            self.url_open(f"/frontpay/return/{PATH_TOKEN}/success")
        self.assertEqual(len(log.output), 2)
        for line in log.output:
            self.assertIn("/*****", line)
            self.assertNotIn(PATH_TOKEN, line)
