import json
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from itertools import product
from urllib.parse import quote, urlencode

from odoo import fields
from odoo.tests import HttpCase, freeze_time, tagged
from odoo.tools import mute_logger

from odoo.addons.frontpay_odoo.connect import callback
from odoo.addons.frontpay_odoo.connect.endpoints import ENVIRONMENTS
from odoo.addons.frontpay_odoo.connect.masking import Exchange
from odoo.addons.frontpay_odoo.models.frontpay_exchange import KEPT_CALLBACKS

from .common import PATH_TOKEN, PERSONAL_NUMBER, FrontpayCommon, callback_pairs

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

    A callback moves nothing: it waits until polling has asked Front Payment, which is
    the matter of ``test_polling``. Odoo's public user, as whom callbacks come, belongs
    to another company.
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

    def waiting(self):
        return self.env["frontpay.callback"].sudo().search([])

    def assertWaits(self, answer, code=OK, **values):
        """One callback waits, the order is what it was, and the cron comes soon."""
        self.assertEqual((answer.status_code, self.sent.state), (code, "sent"))
        callback = self.waiting()
        expected = {"order_id": self.sent} | values
        self.assertEqual({name: callback[name] for name in expected}, expected)
        cron = self.env.ref("frontpay_odoo.cron_poll")
        self.assertTrue(
            self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])
        )

    def assertIgnored(self, answer, code=OK):
        self.assertEqual((answer.status_code, self.sent.state), (code, "sent"))
        self.assertFalse(self.waiting())


@tagged("post_install", "-at_install", "frontpay")
class TestCallback(CallbackCase):
    def test_what_is_signed_waits_for_polling(self):
        for changes in (
            *({"status": status} for status in ("INVOICED", "Purring", "Inkasso")),
            *({"status": status} for status in ("PAID", "REFUNDED", "EXPIRED")),
            *({"status": status} for status in ("success", "RESERVED", "SENT")),
            {"amount": "124.99"},
            {"amount": "12500"},
            {"timestamp": "1755764131"},
            {"terminal": "blåbær & co."},
        ):
            with self.subTest(**changes), self.undone():
                status = changes.get("status", "PAID")
                answer = self.call(callback_pairs(**changes))
                self.assertWaits(
                    answer, status=status, order_uuid="ODR1", is_signed=True
                )
                self.assertFalse(self.exchanges()[0].error)

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
                self.assertWaits(self.call(**options))

    def test_the_day_is_norways(self):
        for zone, day in ((False, date(2025, 8, 22)), ("UTC", date(2025, 8, 21))):
            moment = datetime(2025, 8, 21, 22, 30, tzinfo=UTC)
            with self.subTest(zone), self.undone(), freeze_time(moment):
                self.company.partner_id.tz = zone
                received = callback.parse(callback_pairs())
                [*_answer, waiting] = self.waiting()._receive(self.sent, received)
                self.assertEqual(self.company._frontpay_day(waiting.sent_at), day)

    def test_taking_one_costs_few_queries(self):
        """The order, the secret, whether one waits already, the cron, and three rows;
        beside those, the time, and a savepoint for the log."""
        self._take("INVOICED")  # the first one fills Odoo's caches
        with self.assertQueryCount(10):
            self._take("PAID")

    def _take(self, status):
        """As the controller does."""
        self.env.flush_all()
        self.env.transaction.reset()  # it begins with an environment of its own
        public = self.env(user=self.env.ref("base.public_user"))
        order = public["frontpay.order"].sudo()._by_token(PATH_TOKEN)
        received = callback.parse(callback_pairs(status=status))
        order.env["frontpay.callback"]._receive(order, received)
        exchange = Exchange("GET", "frontpay/callback")
        order.env["frontpay.exchange"]._log(order.company_id, [exchange], order, "in")
        self.env.flush_all()

    def test_what_is_not_signed_at_most_has_the_order_polled(self):
        pairs = callback_pairs()
        for reason, unsigned in (
            ("another secret", callback_pairs("another")),
            ("no secret", callback_pairs("")),
            ("a wrong checksum", callback_pairs(checksum="f" * 64)),
            ("no checksum to speak of", callback_pairs(checksum="0")),
            ("another status", callback_pairs(status="REFUNDED")[:-1] + pairs[-1:]),
            ("another number", callback_pairs(orderUuid="ODR2")[:-1] + pairs[-1:]),
            ("another order of parameters", pairs[::-1]),
            ("a parameter more", [*pairs, ("terminal", "7")]),
            ("a parameter less", [pair for pair in pairs if "Visa" not in pair]),
        ):
            with self.subTest(reason), self.undone():
                answer = self.call(unsigned)
                self.assertWaits(
                    answer,
                    code=FORBIDDEN,
                    order_uuid="ODR1",
                    is_signed=False,
                    status=False,
                    sent_at=False,
                )
                self.assertEqual(self.exchanges()[0].error, "wrong checksum")

    def test_without_a_secret_nothing_is_signed(self):
        self.company.frontpay_callback_secret = False
        for secret in ("", "SECRET"):
            with self.subTest(secret=secret), self.undone():
                answer = self.call(callback_pairs(secret))
                self.assertWaits(answer, code=FORBIDDEN, is_signed=False)
                self.assertEqual(self.exchanges()[0].error, "no secret set")

    def test_an_address_that_is_nobodys(self):
        before = self.env["frontpay.exchange"].search_count([])
        for token in (*UNKNOWN_TOKENS, "\x00" * 32):
            with self.subTest(token):
                answer = self.call(callback_pairs(), token=quote(token))
                self.assertIgnored(answer, HTTPStatus.NOT_FOUND)
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
                self.assertIgnored(self.call(callback_pairs(**changes)), BAD)
        self.assertIgnored(self.call([*callback_pairs(), ("status", "PAID")]), BAD)

    def test_strange_queries(self):
        for query in STRANGE_QUERIES:
            with self.subTest(query[:40]):
                answer = self.url_open(f"/frontpay/callback/{PATH_TOKEN}?{query}")
                self.assertIgnored(answer, BAD)

    def test_strange_bodies(self):
        for content_type, body in STRANGE_BODIES:
            with self.subTest(content_type, body=body[:30]):
                headers = {"Content-Type": content_type}
                answer = self.call(method="POST", data=body, headers=headers)
                self.assertIgnored(answer, BAD)

    def test_an_overlong_body_is_refused_however_well_formed_the_rest_is(self):
        pairs = callback_pairs(unknown="1" * 5000)
        files = [(name, (None, value)) for name, value in pairs]
        for options in ({"data": pairs}, {"files": files}):
            with self.subTest(*options):
                self.assertIgnored(self.call(method="POST", **options), BAD)

    def test_after_an_hour_there_is_room_for_more_in_the_log(self):
        pairs = callback_pairs("another")
        for _time in range(KEPT_CALLBACKS + 1):
            self.call(pairs)
        kept = len(self.exchanges())
        other = self.order(self.invoice(), token="another", order_uuid="ODR2")
        self.assertFalse(self.exchanges()._has_room_for_callback(self.sent))
        self.assertTrue(self.exchanges()._has_room_for_callback(other))
        with freeze_time(fields.Datetime.now() + timedelta(minutes=61)):
            self.assertTrue(self.exchanges()._has_room_for_callback(self.sent))
        self.assertEqual(kept, KEPT_CALLBACKS)

    def test_other_methods_are_not_taken(self):
        for method in ("PUT", "DELETE", "PATCH"):
            with self.subTest(method), mute_logger("odoo.http"):
                answer = self.call(callback_pairs(), method=method)
                self.assertIgnored(answer, HTTPStatus.METHOD_NOT_ALLOWED)

    def test_names_that_odoo_uses_itself(self):
        for name in ("self", "token", "controller", "debug", "lang", "db"):
            with self.subTest(name), self.undone():
                self.assertWaits(self.call(callback_pairs(**{name: "x"})))

    def test_addresses_that_odoo_itself_fails_at(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        paths = ("%00", f"%00/{PATH_TOKEN}", "a/%00/success", "%0A", "%0A%00/b", "%0D")
        for page, path in product(("callback", "return", "elsewhere"), paths):
            with self.subTest(page, path=path):
                answer = self.url_open(
                    f"/frontpay/{page}/{path}",
                    headers={"Accept-Language": "nb-NO"},
                    allow_redirects=False,
                )
                self.assertEqual(answer.status_code, HTTPStatus.NOT_FOUND)

    def test_another_orders_number(self):
        self.assertIgnored(self.call(callback_pairs(orderUuid="ODR2")), BAD)
        self.assertEqual(self.exchanges()[0].error, "another order's number")

    def test_an_order_that_knows_no_number_yet_may_be_told_it(self):
        self.sent.write({"order_uuid": False})
        self.assertWaits(self.call(callback_pairs()), order_uuid="ODR1")
        self.assertFalse(self.sent.order_uuid)

    def test_an_order_that_knows_no_number_is_not_told_anothers(self):
        self.sent.order_uuid = False
        self.sent.flush_recordset()
        self.order(self.invoice(), token="another", order_uuid="ODR1")
        self.assertIgnored(self.call(callback_pairs()), BAD)

    def test_nobody_who_is_not_signed_tells_a_number(self):
        self.sent.write({"order_uuid": False})
        self.assertIgnored(self.call(callback_pairs("another")), FORBIDDEN)

    def test_an_order_of_another_environment_is_not_polled(self):
        self.sent.base_url = ENVIRONMENTS["demo"]
        for secret, status in (("SECRET", OK), ("another", FORBIDDEN)):
            with self.subTest(secret):
                self.assertIgnored(self.call(callback_pairs(secret)), status)

    def test_the_same_many_times_waits_once(self):
        pairs = callback_pairs()
        for _time in range(60):
            self.assertWaits(self.call(pairs))
        self.assertEqual(len(self.exchanges()), KEPT_CALLBACKS)
        # What tells something new is kept all the same.
        self.call(callback_pairs(status="REFUNDED"))
        self.assertEqual(len(self.waiting()), 2)
        self.assertEqual(len(self.exchanges()), KEPT_CALLBACKS + 1)

    def test_without_the_cron_callbacks_are_taken_all_the_same(self):
        self.env.ref("frontpay_odoo.cron_poll").unlink()
        answer = self.call(callback_pairs())
        self.assertEqual(answer.status_code, OK)
        self.assertTrue(self.waiting())

    def test_what_proves_nothing_waits_after_a_poll(self):
        now = fields.Datetime.now()
        with freeze_time(now):
            for pairs, minutes in (
                (callback_pairs("another"), 10),
                (callback_pairs(status="success"), 0.5),
                (callback_pairs(status="SENT"), 0.5),
                (callback_pairs(), 0),
            ):
                with self.subTest(pairs=pairs), self.undone():
                    self.sent.last_poll_at = now
                    self.waiting()._receive(self.sent, callback.parse(pairs))
                    due = now + timedelta(minutes=minutes)
                    self.assertEqual(self.waiting().poll_at, due)

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

    def test_the_page_says_nothing_about_the_customer(self):
        page = self.open("success")
        for value in (self.private.name, self.private.email, PERSONAL_NUMBER):
            self.assertNotIn(value, page.text)
        self.assertEqual(page.headers["Cache-Control"], "no-store")

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

    def test_the_page_moves_nothing_and_believes_nothing(self):
        query = f"?{urlencode(callback_pairs(orderUuid='ODR9', status='PAID'))}"
        self.assertIgnored(self.open("failure", query=query))
        self.assertEqual(self.open("success", query=query).status_code, OK)
        self.assertEqual(self.sent.state, "sent")
        [waiting] = self.waiting()
        self.assertEqual(waiting.order_uuid, self.sent.order_uuid)
        self.assertFalse(waiting.is_signed or waiting.status)
        self.assertFalse(self.exchanges())
