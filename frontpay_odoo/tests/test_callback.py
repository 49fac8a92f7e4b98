import json
from http import HTTPStatus
from urllib.parse import quote, urlencode

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import (
    PATH_TOKEN,
    PERSONAL_NUMBER,
    FrontpayCommon,
    callback_pairs,
    signature,
)

OK, BAD, FORBIDDEN = (
    HTTPStatus.OK,
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
)
UNKNOWN_TOKENS = (
    "A" * 32,
    PATH_TOKEN[:-1],
    PATH_TOKEN + "0",
    PATH_TOKEN.upper(),
    "1",
    "%",
    "' OR ''='",
    "ø" * 32,
)
# Query strings that are no callback at all.
STRANGE_QUERIES = (
    "",
    "orderUuid",
    "=&=&=",
    "%FF%FE=%00",
    "orderUuid=%FF&status=PAID",
    "orderUuid[]=ODR1&status[]=PAID",
    "a=" + "1" * 5000,
    "&" * 3000,
)
# Content type and body.
STRANGE_BODIES = (
    ("application/json", b""),
    ("application/json", b"{"),
    ("application/json", b'{"orderUuid": {"$ne": ""}}'),
    ("application/json", b"[" * 4000),
    ("application/json", b'{"a": "' + b"1" * 5000 + b'"}'),
    ("application/x-www-form-urlencoded", b"\xff\xfe\x00"),
    ("application/x-www-form-urlencoded", b"a=" + b"1" * 5000),
    ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
    ("text/xml", b"<orderUuid>ODR1</orderUuid>"),
    ("", b"orderUuid=ODR1"),
)


class CallbackCase(FrontpayCommon, HttpCase):
    """An invoice that was sent, and real HTTP to Odoo.

    Odoo's public user, as whom callbacks come, belongs to another company.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.move = cls.invoice()
        cls.sent = cls.order(cls.move)

    def call(self, pairs=(), token=PATH_TOKEN, method="GET", **options):
        """Call back with these parameters in the query string."""
        query = f"?{urlencode(pairs)}" if pairs else ""
        return self.url_open(
            f"/frontpay/callback/{token}{query}", method=method, **options
        )

    def exchanges(self):
        """What was logged of the callbacks, the last one first."""
        return self.env["frontpay.exchange"].search([("order_id", "=", self.sent.id)])

    def assertMoved(self, answer, state="paid"):
        self.assertEqual((answer.status_code, self.sent.state), (OK, state))

    def assertStays(self, answer, status=OK, state="sent"):
        self.assertEqual((answer.status_code, self.sent.state), (status, state))
        self.assertFalse(self.sent.payment_id)


@tagged("post_install", "-at_install", "frontpay")
class TestCallback(CallbackCase):
    def test_a_callback_moves_the_order(self):
        for status, state in (
            ("INVOICED", "invoiced"),
            ("Purring", "reminded"),
            ("Inkasso", "collection"),
            ("PAID", "paid"),
            ("PARTIAL REFUNDED", "partially_refunded"),
            ("REFUNDED", "refunded"),
        ):
            with self.subTest(status):
                self.assertMoved(self.call(callback_pairs(status=status)), state)

    def test_every_way_to_send_the_parameters(self):
        pairs = callback_pairs()
        written = json.dumps(dict(pairs)).replace('"125.00"', "125.00")
        json_type = {"Content-Type": "application/json"}
        for way, options in (
            ("GET", {"pairs": pairs}),
            ("POST with a query", {"pairs": pairs, "method": "POST"}),
            ("POST with a query and a body", {"pairs": pairs, "data": {"a": "1"}}),
            ("POST with a form", {"data": pairs}),
            ("POST with files", {"files": [(name, (None, v)) for name, v in pairs]}),
            ("POST with JSON", {"json": dict(pairs)}),
            ("POST with numbers", {"data": written, "headers": json_type}),
        ):
            options.setdefault("method", "GET" if way == "GET" else "POST")
            with self.subTest(way), self.undone():
                self.assertMoved(self.call(**options))

    def test_whatever_is_not_signed_moves_nothing(self):
        pairs = callback_pairs()
        for reason, unsigned in (
            ("another secret", callback_pairs("another")),
            ("no secret", callback_pairs("")),
            ("a wrong checksum", callback_pairs(checksum="f" * 64)),
            ("no checksum to speak of", callback_pairs(checksum="0")),
            ("another status", callback_pairs(status="REFUNDED")[:-1] + pairs[-1:]),
            ("another order of parameters", pairs[::-1]),
            ("a parameter more", [*pairs, ("terminal", "7")]),
            ("a parameter less", [pair for pair in pairs if "Visa" not in pair]),
        ):
            with self.subTest(reason):
                self.assertStays(self.call(unsigned), FORBIDDEN)
                self.assertEqual(self.exchanges()[0].error, "wrong checksum")

    def test_without_a_secret_nobody_is_believed(self):
        for secret in ("", "SECRET"):
            with self.subTest(secret=secret):
                self.company.frontpay_callback_secret = False
                self.assertStays(self.call(callback_pairs(secret)), FORBIDDEN)
                self.assertEqual(self.exchanges()[0].error, "no secret set")

    def test_an_address_that_is_nobodys(self):
        before = self.env["frontpay.exchange"].search_count([])
        for token in (*UNKNOWN_TOKENS, "\x00" * 32):
            with self.subTest(token):
                answer = self.call(callback_pairs(), token=quote(token))
                self.assertStays(answer, HTTPStatus.NOT_FOUND)
        self.assertEqual(self.env["frontpay.exchange"].search_count([]), before)

    def test_what_is_malformed(self):
        for changes in (
            {"orderUuid": None},
            {"orderUuid": "1"},
            {"status": None},
            {"status": "<b>PAID</b>"},
            {"amount": None},
            {"amount": "-125.00"},
            {"amount": "1e3"},
            {"createdAt": "now"},
            {"timestamp": None},
            {"timestamp": "99999999999"},
            {"checksum": None},
            {"terminal": "\x00"},
        ):
            with self.subTest(**changes):
                self.assertStays(self.call(callback_pairs(**changes)), BAD)
        self.assertStays(self.call([*callback_pairs(), ("status", "PAID")]), BAD)

    def test_strange_queries(self):
        for query in STRANGE_QUERIES:
            with self.subTest(query[:40]):
                answer = self.url_open(f"/frontpay/callback/{PATH_TOKEN}?{query}")
                self.assertStays(answer, BAD)

    def test_strange_bodies(self):
        for content_type, body in STRANGE_BODIES:
            with self.subTest(content_type, body=body[:30]):
                headers = {"Content-Type": content_type}
                answer = self.call(method="POST", data=body, headers=headers)
                self.assertStays(answer, BAD)

    def test_other_methods_are_not_taken(self):
        for method in ("PUT", "DELETE", "PATCH"):
            with self.subTest(method), mute_logger("odoo.http"):
                answer = self.call(callback_pairs(), method=method)
                self.assertStays(answer, HTTPStatus.METHOD_NOT_ALLOWED)

    def test_another_orders_number(self):
        self.assertStays(self.call(callback_pairs(orderUuid="ODR2")), BAD)
        self.assertEqual(self.exchanges()[0].error, "another order's number")

    def test_the_amount_may_be_in_kroner_or_oere(self):
        for amount in ("125.00", "125", "125.0", "12500"):
            with self.subTest(amount), self.undone():
                self.assertMoved(self.call(callback_pairs(amount=amount)))

    def test_another_amount_moves_nothing(self):
        for amount in ("0", "1.25", "124.99", "125.01", "1250", "1250000"):
            with self.subTest(amount):
                self.assertStays(self.call(callback_pairs(amount=amount)))
                self.assertEqual(self.exchanges()[0].error, "another amount")

    def test_a_repeated_callback_pays_once(self):
        for _time in range(3):
            self.assertMoved(self.call(callback_pairs()))
        self.assertMoved(self.call(callback_pairs(timestamp="1755764999")))
        paid = self.env["account.payment"].search(
            [("journal_id", "=", self.company.frontpay_journal_id.id)]
        )
        self.assertEqual(paid, self.sent.payment_id)
        self.assertEqual(len(self.exchanges()), 4)

    def test_a_late_callback_moves_nothing_back(self):
        self.call(callback_pairs())
        payment = self.sent.payment_id
        for status in ("SENT", "INVOICED", "Purring", "EXPIRED", "CANCELLED"):
            with self.subTest(status):
                self.assertMoved(self.call(callback_pairs(status=status)), "paid")
                self.assertEqual(self.exchanges()[0].error, "moved nothing")
        self.assertEqual(self.sent.payment_id, payment)

    def test_a_status_that_says_nothing_moves_nothing(self):
        for status in ("success", "failed", "RESERVED", "CHARGED", "Anything new"):
            with self.subTest(status):
                self.assertStays(self.call(callback_pairs(status=status)))

    def test_parameters_in_another_order_when_they_were_signed_so(self):
        pairs = callback_pairs()[-2::-1]
        self.assertMoved(self.call([*pairs, ("checksum", signature(pairs))]))

    def test_a_parameter_more_when_it_was_signed_too(self):
        self.assertMoved(self.call(callback_pairs(terminal="blåbær & co.")))

    def test_a_callback_without_payment_method(self):
        self.assertMoved(self.call(callback_pairs(paymentMethod=None)))

    def test_nothing_is_echoed(self):
        answers = {
            OK: self.call(callback_pairs()),
            FORBIDDEN: self.call(callback_pairs(checksum="deadbeef")),
            BAD: self.call(callback_pairs(status="<script>")),
            HTTPStatus.NOT_FOUND: self.call(callback_pairs(), token="A" * 32),
        }
        for status, answer in answers.items():
            with self.subTest(status):
                self.assertEqual(answer.status_code, status)
                self.assertEqual(answer.json(), {"status": status.phrase})
                self.assertEqual(answer.headers["Content-Type"], "application/json")
                self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def test_each_callback_is_logged_without_secrets(self):
        self.call(callback_pairs(note=f"of {PERSONAL_NUMBER}"))
        [exchange] = self.exchanges()
        self.assertEqual(
            (exchange.direction, exchange.method, exchange.http_status),
            ("in", "GET", OK),
        )
        self.assertEqual(exchange.company_id, self.company)
        self.assertIn("status: PAID", exchange.request)
        self.assertIn("note: of 178584*****", exchange.request)
        kept = f"{exchange.path} {exchange.request} {exchange.answer}"
        pairs = dict(callback_pairs(note=f"of {PERSONAL_NUMBER}"))
        for secret in (PERSONAL_NUMBER, PATH_TOKEN, pairs["checksum"]):
            self.assertNotIn(secret, kept)

    def test_what_is_malformed_is_logged_without_its_content(self):
        self.call(callback_pairs(status=f"<{PERSONAL_NUMBER}>"))
        [exchange] = self.exchanges()
        self.assertEqual((exchange.http_status, exchange.error), (BAD, "status"))
        self.assertFalse(exchange.request)


@tagged("post_install", "-at_install", "frontpay")
class TestReturnPage(CallbackCase):
    def open(self, outcome, token=PATH_TOKEN, query=""):
        return self.url_open(f"/frontpay/return/{token}/{outcome}{query}")

    def test_each_outcome_has_its_page(self):
        for outcome, sentence in (
            ("success", "is confirmed"),
            ("failure", "isn't confirmed"),
        ):
            with self.subTest(outcome):
                page = self.open(outcome)
                self.assertEqual(page.status_code, OK)
                self.assertIn(sentence, page.text.replace("&#39;", "'"))
                self.assertIn(self.move.name, page.text)
                self.assertIn(self.company.name, page.text)

    def test_the_page_says_nothing_about_the_customer(self):
        page = self.open("success").text
        for value in (self.private.name, self.private.email, PERSONAL_NUMBER):
            self.assertNotIn(value, page)

    def test_the_page_is_in_the_customers_language(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        for lang, tag in (("nb_NO", "nb-NO"), ("en_US", "en-US")):
            with self.subTest(lang):
                self.private.lang = lang
                self.assertIn(f'<html lang="{tag}"', self.open("success").text)

    def test_what_is_no_return_address(self):
        for address in (
            f"{PATH_TOKEN}/other",
            PATH_TOKEN,
            *(f"{quote(token)}/success" for token in UNKNOWN_TOKENS),
        ):
            with self.subTest(address), mute_logger("odoo.http"):
                page = self.url_open(f"/frontpay/return/{address}")
                self.assertEqual(page.status_code, HTTPStatus.NOT_FOUND)

    def test_the_page_changes_nothing(self):
        query = f"?{urlencode(callback_pairs())}"
        for outcome in ("success", "failure"):
            with self.subTest(outcome):
                self.assertStays(self.open(outcome, query=query))
        self.assertFalse(self.exchanges())
