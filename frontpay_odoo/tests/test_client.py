"""The client against servers on this machine that answer in every way they can."""

import base64
import gzip
import json
import os
import socket
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.frontpay_odoo.connect import client as client_module
from odoo.addons.frontpay_odoo.connect import errors, responses
from odoo.addons.frontpay_odoo.connect.channels import CHANNELS
from odoo.addons.frontpay_odoo.connect.client import MAX_ANSWER, PIECE, Client

from .common import API_TOKEN, LoopbackCase

SESSION = CHANNELS["session"]
DOCUMENT = {"customerDetails": {"personalNumber": "17858410193"}}
ACCEPTED = {"data": {"orderId": "ODR1", "customerUuid": "CSRT1", "bankIdUrl": ""}}
TIMEOUT = (0.4, 0.4)  # seconds


class Server(ThreadingHTTPServer):
    """Answers one request after the other with ``answers``, keeps the requests."""

    daemon_threads = True

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = list(answers)
        self.requests = []
        self.connections = 0
        self.url = f"http://127.0.0.1:{self.server_port}/api/v1/"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.shutdown()
        self.server_close()

    def get_request(self):
        self.connections += 1
        return super().get_request()

    def handle_error(self, request, client_address):
        """The client hangs up on some answers: that is what is tested."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.command, self.path, self.headers, body))
        self.server.answers.pop(0)(self)

    do_POST = do_PUT = do_GET

    def log_message(self, *_arguments):
        pass


def answer(status, content=b"", **headers):
    """An answer with that status; a dict is written as JSON."""
    body = json.dumps(content).encode() if isinstance(content, dict) else content

    def send(handler, missing=0):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body) + missing))
        handler.end_headers()
        handler.wfile.write(body)

    return send


def rejection(status, errors):
    return answer(status, {"message": "payloadValidationErrors", "errors": errors})


def dropped(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)


def broken_off(handler):
    answer(201, json.dumps(ACCEPTED).encode()[:-1])(handler, missing=1)
    dropped(handler)


def silent(_handler):
    time.sleep(3 * sum(TIMEOUT))


def unpacking(handler):
    """A small answer that grows when it is unpacked."""
    answer(200, gzip.compress(b" " * 10 * MAX_ANSWER), Content_Encoding="gzip")(handler)


def endless(handler):
    answer(200)(handler, missing=10 * MAX_ANSWER)
    for _block in range(10):
        handler.wfile.write(b" " * MAX_ANSWER)


HTML = b"<html><body>Bad Gateway</body></html>"
# What the server does, and what that means for an order that was being submitted.
OUTCOMES = {
    "a list of sentences": (rejection(417, ["One.", "Two."]), errors.Rejected),
    "422": (rejection(422, {"name": ["One."]}), errors.Rejected),
    "400": (answer(400, {"message": "orderStatusAlreadyPaid"}), errors.Rejected),
    "409": (answer(409, {"message": "conflict"}), errors.Rejected),
    "401": (answer(401, {"message": "unauthenticated"}), errors.Unauthorized),
    "401 in HTML": (answer(401, HTML), errors.Unauthorized),
    "403": (answer(403, {}), errors.Unauthorized),
    "404": (answer(404, {"message": "orderNotFound"}), errors.NotFound),
    "404 in HTML": (answer(404, HTML), errors.NotFrontPayment),
    "400 in HTML": (answer(400, HTML), errors.NotFrontPayment),
    "405": (answer(405, {"message": "methodNotAllowed"}), errors.NotFrontPayment),
    "408": (answer(408, {}), errors.UnknownOutcome),
    "429": (answer(429, {}, Retry_After="7"), errors.RateLimited),
    "429 in HTML": (answer(429, HTML), errors.RateLimited),
    "500": (answer(500, {"errors": {"happenedAt": "now"}}), errors.UnknownOutcome),
    "502 in HTML": (answer(502, HTML), errors.UnknownOutcome),
    "503": (answer(503, {}), errors.UnknownOutcome),
    "510": (answer(510, {"errors": "Array"}), errors.UnknownOutcome),
    "a code of no kind": (answer(600, {}), errors.UnknownOutcome),
    "a redirection": (answer(302, Location="/elsewhere"), errors.NotFrontPayment),
    "a lasting redirection": (answer(308, Location="/x"), errors.NotFrontPayment),
    "HTML instead of JSON": (answer(200, HTML), errors.UnknownOutcome),
    "nothing at all": (answer(200), errors.UnknownOutcome),
    "no content": (answer(204), errors.UnknownOutcome),
    "a JSON list": (answer(201, b"[]"), errors.UnknownOutcome),
    "half a JSON object": (answer(201, b'{"data": {'), errors.UnknownOutcome),
    "no data": (answer(201, {"data": None}), errors.UnknownOutcome),
    "data without an order": (answer(201, {"data": {}}), errors.UnknownOutcome),
    "an order without a number": (
        answer(201, {"data": {"orderId": ""}}),
        errors.UnknownOutcome,
    ),
    "an impossible order number": (
        answer(201, {"data": {"orderId": "../ODR1"}}),
        errors.UnknownOutcome,
    ),
    "too long an answer": (endless, errors.UnknownOutcome),
    "a dropped connection": (dropped, errors.UnknownOutcome),
    "an answer that breaks off": (broken_off, errors.UnknownOutcome),
    "no answer in time": (silent, errors.UnknownOutcome),
    "two lengths of an answer": (
        answer(201, ACCEPTED, Content_Length="1, 2"),
        errors.UnknownOutcome,
    ),
    "an answer nested without end": (
        answer(201, b'{"data":' + b"[" * 50_000),
        errors.UnknownOutcome,
    ),
    "an answer that unpacks to too much": (unpacking, errors.UnknownOutcome),
}
# The same for a call that changes nothing.
READING_OUTCOMES = {
    "HTML instead of JSON": (answer(200, HTML), errors.NotFrontPayment),
    "data without a status": (answer(200, {"data": {}}), errors.UnknownOutcome),
    "404": (answer(404, {"message": "Order Not Found"}), errors.NotFound),
    "404 in HTML": (answer(404, HTML), errors.NotFrontPayment),
}
# What ``errors`` may be, and the sentences in it.
SENTENCES = (
    ({"errors": ["One.", "Two."]}, ["One.", "Two."]),
    ({"errors": {"a": ["One."], "b": ["Two.", "Three."]}}, ["One.", "Two.", "Three."]),
    ({"errors": {"happenedAt": "now", "details": []}}, ["now"]),
    ({"errors": "One."}, ["One."]),
    ({"errors": None, "message": "orderNotFound"}, ["orderNotFound"]),
    ({"errors": [], "message": "orderNotFound"}, ["orderNotFound"]),
    ({"message": "orderNotFound"}, ["orderNotFound"]),
    ({}, [""]),
    # Whatever comes can be stored.
    ({"errors": ["A\0B\ud800"]}, ["AB?"]),
    ({"message": "A" * 301}, ["A" * 300]),
    ({"errors": ["One."] * 21}, ["One."] * 20),
    ({"errors": [1e400, {"a": None}]}, ["inf", "{'a': None}"]),
)
IN_A_WHILE = datetime.now(UTC) + timedelta(days=1)
# Retry-After as it may come, and the seconds to wait.
RETRY_AFTER = (
    ("7", 7),
    ("0", 0),
    ("3601", 3600),
    ("9" * 5000, 3600),
    (format_datetime(IN_A_WHILE, usegmt=True), 3600),
    ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
    ("Wed, 21 Oct 2015 07:28:00 -0000", 0),
    ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ("Wed, 01 Jan 0001 00:00:00 +2359", 0),
    ("Fri, 31 Dec 9999 23:59:59 -2359", 3600),
    ("", None),
    ("soon", None),
    ("-1", None),
    ("1.5", None),
)
BAD_URLS = (
    "api.example.com",
    "ftp://127.0.0.1/",
    "http://[::1/",
    "http://127.0.0.1:99999/",
)
STATE = base64.b64encode(b'{"orderUuid":"ODR7","connect":"yes"}').decode()
BANK_ID = f"https://bankid.example.com/auth?scope=openid&state={STATE}"
# The data of an accepted order: its number and the customer's address at BankID.
SUBMITTED = (
    ({"orderUuid": "ODR1"}, "ODR1", ""),
    ({"orderId": "ODR1"}, "ODR1", ""),
    ({"uuid": "ODR1"}, "ODR1", ""),
    ({"orderUuid": "ODR1", "orderId": "ODR2", "uuid": "ODR3"}, "ODR1", ""),
    ({"orderUuid": "", "orderId": " ODR2 "}, "ODR2", ""),
    ({"orderUuid": None, "uuid": "ODR3"}, "ODR3", ""),
    ({"bankIdUrl": BANK_ID}, "ODR7", BANK_ID),
    ({"paymentUrl": BANK_ID.rstrip("=")}, "ODR7", BANK_ID.rstrip("=")),
    ({"orderId": "ODR1", "bankIdUrl": BANK_ID}, "ODR1", BANK_ID),
    ({"orderId": "ODR1", "paymentUrl": BANK_ID}, "ODR1", BANK_ID),
    ({"orderId": "ODR1", "url": BANK_ID}, "ODR1", BANK_ID),
    ({"orderId": "ODR1", "bankIdUrl": "", "paymentUrl": BANK_ID}, "ODR1", BANK_ID),
    ({"orderId": "ODR1", "bankIdUrl": None}, "ODR1", ""),
    # An address that a customer mustn't be sent to is none.
    ({"orderId": "ODR1", "bankIdUrl": "http://bankid.example.com/"}, "ODR1", ""),
    ({"orderId": "ODR1", "bankIdUrl": "javascript:alert(1)"}, "ODR1", ""),
    ({"orderId": "ODR1", "bankIdUrl": "https://"}, "ODR1", ""),
    ({"orderId": "ODR1", "bankIdUrl": "https://[::1"}, "ODR1", ""),
    ({"orderId": "ODR1", "bankIdUrl": "//bankid.example.com/"}, "ODR1", ""),
    ({"orderId": "ODR1", "bankIdUrl": f"{BANK_ID}&a={'A' * 4096}"}, "ODR1", ""),
    *(
        ({"orderId": "ODR1", "bankIdUrl": url}, "ODR1", url)
        for url in ("http://127.0.0.1:8700/bankid", "http://localhost/bankid")
    ),
)
# What an order's status may hold besides, and what is read of it.
STATUSES = (
    ({}, "status", "PAID"),
    ({"status": " SENT "}, "status", "SENT"),
    ({"status": "SE\0NT\udfff"}, "status", "SENT?"),
    ({}, "amount", None),
    ({"orderAmount": 40}, "amount", Decimal(40)),
    ({"orderAmount": "40.50"}, "amount", Decimal("40.50")),
    *(
        ({"orderAmount": value}, "amount", Decimal("9" * 12))
        for value in (10**12, 10**400, 1e300, float("inf"), "1e13", -(10**12))
    ),
    ({"orderAmount": "much"}, "amount", None),
    ({"orderAmount": "NaN"}, "amount", None),
    ({}, "refunded_amount", None),
    ({"refundedAmount": 0}, "refunded_amount", Decimal(0)),
    ({"refundedAmount": "50.00"}, "refunded_amount", Decimal("50.00")),
    ({"refundedAmount": -0.5}, "refunded_amount", Decimal("-0.5")),
    ({"refundedAmount": "9" * 12}, "refunded_amount", Decimal("9" * 12)),
    *(
        ({"refundedAmount": value}, "refunded_amount", None)
        for value in (
            *("much", "NaN", "", None, True, [], "1e3", "9" * 13, 10**12),
            *(float("inf"), 1e300, "1E-999999", "²"),
        )
    ),
)
# The data of a list of all orders, and the statuses in it; None: it can't be used.
LISTS = (
    ([], {}),
    ([{"uuid": "ODR1", "status": "SENT"}], {"ODR1": "SENT"}),
    (
        [{"orderUuid": "ODR1", "status": " Purring "}, {"orderId": "ODR2"}],
        {"ODR1": "Purring", "ODR2": ""},
    ),
    ([{"uuid": "ODR1", "status": None}], {"ODR1": ""}),
    ([{"uuid": "ODR1", "status": "S" * 256}], {"ODR1": ""}),
    ([{"uuid": "ODR1", "status": "SENT"}, {"status": "SENT"}], None),
    ([{"uuid": "", "status": "SENT"}], None),
    ([{"uuid": "../ODR1", "status": "SENT"}], None),
    (["ODR1"], None),
    ([None], None),
    ({"ODR1": "SENT"}, None),
    ("ODR1", None),
    (None, None),
)
ORDERED_AT = datetime(2025, 8, 14, 5, 48, 8, tzinfo=UTC)
CUSTOMER = {
    "uuid": "CSRT1",
    "email": " Kari@Example.com",
    "countryCode": "+47",
    "msisdn": "465 67 468",
    "organizationId": "310000019",
}
# What an order's details may hold, and what is read of it.
DETAILS = (
    ({}, "status", ""),
    ({"orderUuid": None, "status": "SENT"}, "status", "SENT"),
    ({"status": " SENT "}, "status", "SENT"),
    ({}, "references", ()),
    ({"referenceNo": "A"}, "references", ("A",)),
    ({"invoiceReferences": {"referenceNo": " A "}}, "references", ("A",)),
    ({"internalReferences": {"referenceNo": 7}}, "references", ("7",)),
    (
        {
            "referenceNo": "A",
            "invoiceReferences": {"referenceNo": "B", "receiptNo": "C"},
            "internalReferences": {"referenceNo": "A"},
        },
        "references",
        ("A", "B"),
    ),
    (
        {"referenceNo": None, "invoiceReferences": [], "internalReferences": "A"},
        "references",
        (),
    ),
    ({"orderSummary": {"grandTotal": 40}}, "amount", Decimal(40)),
    ({"orderSummary": {"grandTotal": "40.50"}}, "amount", Decimal("40.50")),
    ({"orderSummary": {"grandTotal": "much"}}, "amount", None),
    ({"orderSummary": {"grandTotal": "NaN"}}, "amount", None),
    ({"orderSummary": {"grandTotal": float("inf")}}, "amount", None),
    ({"orderSummary": {}}, "amount", None),
    ({"orderSummary": None}, "amount", None),
    ({"orderDate": "1755150488"}, "ordered_at", ORDERED_AT),
    ({"orderDate": 1755150488}, "ordered_at", ORDERED_AT),
    ({"orderDate": "2025-08-14T07:48:08+02:00"}, "ordered_at", ORDERED_AT),
    ({"orderDate": "2025-08-14T05:48:08Z"}, "ordered_at", ORDERED_AT),
    ({"orderDate": "0001-01-01T00:00:00+01:00"}, "ordered_at", None),
    # The zone, or the time of the day, isn't told.
    ({"orderDate": "2025-08-14T05:48:08"}, "ordered_at", None),
    ({"orderDate": "14 Aug, 2025"}, "ordered_at", None),
    ({"orderDate": "2025-08-14"}, "ordered_at", None),
    ({"orderDate": "9" * 30}, "ordered_at", None),
    ({"orderDate": "²"}, "ordered_at", None),
    ({"orderDate": ["1755150488"]}, "ordered_at", None),
    ({"orderDate": None}, "ordered_at", None),
    ({"customerDetails": CUSTOMER}, "customer_uuid", "CSRT1"),
    (
        {"customerDetails": CUSTOMER},
        "contacts",
        ("email kari@example.com", "phone 4746567468", "organization 310000019"),
    ),
    ({"customerDetails": {"email": None, "msisdn": ""}}, "contacts", ()),
    ({"customerDetails": "Kari"}, "contacts", ()),
    ({}, "contacts", ()),
)


# Data about another order than ODR1, which was asked for.
OTHER_ORDERS = (
    *(
        {"uuid": value}
        for value in (["ODR1"], {"uuid": "ODR1"}, 10**400, "ODR1" * 100, False)
    ),
    {"uuid": "ODR2"},
    {"orderUuid": "ODR2", "orderId": 1},
    {"orderId": "odr1"},
    {"uuid": "ODR11"},
)


class RateLimiter:
    """Counts the slots that are taken, and keeps for how long calls are blocked."""

    def __init__(self, is_free=True):
        self.is_free = is_free
        self.acquired = 0
        self.blocked = []

    def acquire(self):
        if not self.is_free:
            raise errors.RateLimited("too many calls", retry_after=5)
        self.acquired += 1

    def block(self, seconds):
        self.blocked.append(seconds)


@tagged("post_install", "-at_install", "frontpay")
class TestClient(LoopbackCase):
    @contextmanager
    def serving(self, *answers, token=API_TOKEN, **options):
        """A server with these answers, and a client that talks to it."""
        with (
            Server(*answers) as server,
            Client(
                server.url, token, "frontpay_odoo/19.0", TIMEOUT, **options
            ) as client,
        ):
            yield server, client

    def test_each_outcome_of_a_submission_is_told_apart(self):
        for what, (answer_, kind) in OUTCOMES.items():
            with self.subTest(what), self.serving(answer_) as (server, client):
                with self.assertRaises(errors.FrontPaymentError) as caught:
                    client.submit(SESSION, DOCUMENT)
                self.assertIs(type(caught.exception), kind)
                self.assertEqual(len(server.requests), 1)
                self.assertTrue(client.exchanges.pop().error)

    def test_a_call_that_reads_cannot_have_changed_anything(self):
        for what, (answer_, kind) in READING_OUTCOMES.items():
            with self.subTest(what), self.serving(answer_) as (_server, client):
                with self.assertRaises(errors.FrontPaymentError) as caught:
                    client.status("ODR1")
                self.assertIs(type(caught.exception), kind)

    def test_front_payments_own_sentences(self):
        for document, sentences in SENTENCES:
            with self.subTest(document):
                self.assertEqual(responses.sentences_of(document), sentences)

    def test_a_rejection_carries_its_sentences_and_its_code(self):
        with (
            self.serving(rejection(417, ["One.", "Two."])) as (_server, client),
            self.assertRaises(errors.Rejected) as caught,
        ):
            client.submit(SESSION, DOCUMENT)
        self.assertEqual(caught.exception.sentences, ["One.", "Two."])
        self.assertEqual(caught.exception.http_status, 417)

    def test_the_pause_that_is_asked_for(self):
        for text, seconds in RETRY_AFTER:
            limited = answer(429, {}, Retry_After=text)
            with self.subTest(text[:40]), self.serving(limited) as (_server, client):
                with self.assertRaises(errors.RateLimited) as caught:
                    client.submit(SESSION, DOCUMENT)
                self.assertEqual(caught.exception.retry_after, seconds)
                self.assertFalse(caught.exception.is_own)

    def test_all_calls_are_blocked_when_there_were_too_many(self):
        left = {"x-ratelimit-limit": "240"}
        for given, blocked in (
            (answer(201, ACCEPTED, **left), []),
            (answer(201, ACCEPTED, **left | {"x-ratelimit-remaining": "1"}), []),
            (answer(201, ACCEPTED, **left | {"x-ratelimit-remaining": "0"}), [60]),
            (answer(429, {}, Retry_After="7"), [7]),
            (answer(429, {}), [10]),
            (answer(500, {}), []),
        ):
            limiter = RateLimiter()
            with (
                self.subTest(blocked=blocked),
                self.serving(given, rate_limiter=limiter) as (_server, client),
            ):
                with suppress(errors.FrontPaymentError):
                    client.submit(SESSION, DOCUMENT)
                self.assertEqual((limiter.acquired, limiter.blocked), (1, blocked))

    def test_a_slot_that_was_waited_for_serves_the_next_call(self):
        limiter, given = RateLimiter(), [answer(201, ACCEPTED)] * 2
        with self.serving(*given, rate_limiter=limiter) as (_server, client):
            client.wait_for_slot()
            client.wait_for_slot()
            self.assertEqual(limiter.acquired, 1)
            client.submit(SESSION, DOCUMENT)
            self.assertEqual(limiter.acquired, 1)
            client.submit(SESSION, DOCUMENT)
            self.assertEqual(limiter.acquired, 2)

    def test_without_a_slot_nothing_goes_out(self):
        limiter = RateLimiter(is_free=False)
        with self.serving(rate_limiter=limiter) as (server, client):
            with self.assertRaises(errors.RateLimited) as caught:
                client.submit(SESSION, DOCUMENT)
            self.assertTrue(caught.exception.is_own)
            self.assertFalse(server.requests)

    def test_urls_that_are_none(self):
        for url in BAD_URLS:
            with (
                self.subTest(url),
                Client(url, API_TOKEN, "frontpay_odoo/19.0") as client,
                self.assertRaises(errors.NotFrontPayment),
            ):
                client.submit(SESSION, DOCUMENT)

    def test_tokens_that_no_header_can_carry(self):
        for token in ("", "two\nlines", "a\r\nHost: example.com", "tøken€"):
            with self.subTest(token), self.serving(token=token) as (server, client):
                with self.assertRaises(errors.Unauthorized) as caught:
                    client.submit(SESSION, DOCUMENT)
                self.assertFalse(token and token in str(caught.exception))
                self.assertFalse(server.requests)

    def test_what_failed_before_says_nothing_of_the_next_call(self):
        with self.serving(answer(201, ACCEPTED)) as (_server, client):
            client.submit(SESSION, DOCUMENT)
            client.base_url = BAD_URLS[0]
            with self.assertRaises(errors.NotFrontPayment):
                client.submit(SESSION, DOCUMENT)

    def test_what_is_sent(self):
        with self.serving(answer(201, ACCEPTED)) as (server, client):
            submitted = client.submit(SESSION, DOCUMENT)
        method, path, headers, body = server.requests[0]
        self.assertEqual(
            (method, path), ("POST", "/api/v1/connect/orders/invoice/submit")
        )
        self.assertEqual(headers["Authorization"], f"Bearer {API_TOKEN}")
        self.assertEqual(headers["Accept"], "application/json")
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual(headers["User-Agent"], "frontpay_odoo/19.0")
        self.assertEqual(json.loads(body), DOCUMENT)
        self.assertEqual(
            (submitted.order_uuid, submitted.customer_uuid), ("ODR1", "CSRT1")
        )

    def test_passwords_of_the_server_do_not_replace_the_token(self):
        with (
            tempfile.NamedTemporaryFile("w") as netrc,
            patch.dict(os.environ, {"NETRC": netrc.name}),
            self.serving(answer(201, ACCEPTED)) as (server, client),
        ):
            netrc.write("machine 127.0.0.1 login kari password s3cret\n")
            netrc.flush()
            client.submit(SESSION, DOCUMENT)
        headers = server.requests[0][2]
        self.assertEqual(headers["Authorization"], f"Bearer {API_TOKEN}")

    def test_all_calls_go_over_one_connection(self):
        answers_ = [
            answer(201, ACCEPTED),
            rejection(417, ["One."]),
            answer(200, {"data": {"status": "SENT"}}),
        ]
        with self.serving(*answers_) as (server, client):
            client.submit(SESSION, DOCUMENT)
            with self.assertRaises(errors.Rejected):
                client.submit(SESSION, DOCUMENT)
            client.status("ODR1")
        self.assertEqual((len(server.requests), server.connections), (3, 1))

    def test_an_orders_number_cannot_lead_elsewhere(self):
        status = answer(200, {"data": {"status": "SENT"}})
        with self.serving(status) as (server, client):
            client.status("../cancel/ODR1?a=b#c")
        self.assertEqual(
            server.requests[0][1],
            "/api/v1/connect/orders/status/..%2Fcancel%2FODR1%3Fa%3Db%23c",
        )

    def test_what_a_submitted_order_is_called(self):
        for data, order_uuid, url in SUBMITTED:
            with self.subTest(data):
                submitted = responses.submitted_order(data)
                self.assertEqual(submitted.order_uuid, order_uuid)
                self.assertEqual(submitted.verification_url, url)

    def test_what_an_orders_status_is(self):
        for changes, name, value in STATUSES:
            answer_ = answer(200, {"data": {"status": "PAID"} | changes})
            with self.subTest(changes), self.serving(answer_) as (_server, client):
                self.assertEqual(getattr(client.status("ODR1"), name), value)

    def test_an_answer_about_another_order_is_none(self):
        for other in OTHER_ORDERS:
            for method in ("status", "details", "invoice_number"):
                answer_ = answer(200, {"data": other | {"status": "PAID"}})
                with (
                    self.subTest(method, data=other),
                    self.serving(answer_) as (_server, client),
                ):
                    with self.assertRaises(errors.UnknownOutcome) as caught:
                        getattr(client, method)("ODR1")
                    told = "the answer is about another number"
                    self.assertEqual(str(caught.exception), told)
                    self.assertEqual(client.exchanges[0].error, told)

    def test_an_answer_names_its_order_under_any_of_the_keys(self):
        for named in ({"uuid": "ODR1"}, {"orderUuid": 7, "uuid": "ODR1"}):
            answer_ = answer(200, {"data": named | {"status": "PAID"}})
            with (
                self.subTest(data=named),
                self.serving(answer_) as (_server, client),
            ):
                self.assertEqual(client.status("ODR1").status, "PAID")

    def test_what_the_list_of_all_orders_says(self):
        for data, statuses in LISTS:
            answer_ = answer(200, {"data": data})
            with self.subTest(data), self.serving(answer_) as (server, client):
                if statuses is None:
                    with self.assertRaises(errors.UnknownOutcome):
                        client.statuses()
                    continue
                self.assertEqual(client.statuses(), statuses)
                self.assertEqual(server.requests[0][1], "/api/v1/connect/orders/status")

    def test_a_list_of_any_length_is_read(self):
        rows = [{"uuid": f"ODR{number}", "status": "SENT"} for number in range(70_000)]
        body = json.dumps({"data": rows}).encode()
        self.assertGreater(len(body), MAX_ANSWER)
        for order_uuids, count in ((None, 70_000), ({"ODR1", "ODR5", "ODRX"}, 2)):
            with self.subTest(count), self.serving(answer(200, body)) as (_, client):
                self.assertEqual(len(client.statuses(order_uuids)), count)
                kept = json.loads(client.exchanges[0].answer)
                self.assertEqual(kept, {"data": "a list of 70000"})

    def test_a_part_of_the_list_is_none(self):
        """What isn't in it may be in the rest."""
        rows = [{"uuid": "ODR1", "status": "SENT"}]
        body = json.dumps({"data": rows}).encode()
        for outcome, error in (
            (answer(200, body[:-2]), errors.NotFrontPayment),
            (answer(200, b"<html>Bad Gateway"), errors.NotFrontPayment),
            (
                lambda handler: answer(200, body)(handler, missing=1),
                errors.UnknownOutcome,
            ),
            (endless, errors.UnknownOutcome),
        ):
            with (
                self.subTest(error=error),
                self.serving(outcome) as (_server, client),
                patch.object(client_module, "MAX_LIST", MAX_ANSWER),
                patch.object(client_module, "LIST_TIMEOUT", TIMEOUT),
                self.assertRaises(error),
            ):
                client.statuses()

    def test_no_orders_at_all_are_told_as_not_found(self):
        not_found = answer(404, {"message": "Order Not Found"})
        with self.serving(not_found) as (_server, client):
            self.assertEqual(client.statuses(), {})
        with (
            self.serving(answer(404, HTML)) as (_server, client),
            self.assertRaises(errors.NotFrontPayment),
        ):
            client.statuses()

    def test_what_an_order_is_recognised_by(self):
        for changes, name, value in DETAILS:
            answer_ = answer(200, {"data": {"orderUuid": "ODR1"} | changes})
            with self.subTest(changes), self.serving(answer_) as (_server, client):
                self.assertEqual(getattr(client.details("ODR1"), name), value)

    def test_another_customer_is_none(self):
        for call in (
            lambda client: client.customer("CSRT1"),
            lambda client: client.update_customer("CSRT1", "private", {}),
        ):
            for changes in ({"uuid": "CSRT2"}, {"customerUuid": "csrt1"}):
                data = {"name": "Kari"} | changes
                with (
                    self.subTest(changes),
                    self.serving(answer(200, {"data": data})) as (_server, client),
                    self.assertRaises(errors.UnknownOutcome),
                ):
                    call(client)

    def test_what_a_customer_is_asked_and_told_by(self):
        told = answer(200, {"data": {"uuid": "CSRT1", "name": "Kari"}})
        with self.serving(told, told, answer(202, {})) as (server, client):
            self.assertEqual(client.customer("CSRT1").name, "Kari")
            client.update_customer("CSRT1", "private", {"name": "Kari"})
            client.update_customer("../CSRT1", "corporate", {})
        self.assertEqual(
            [request[:2] for request in server.requests],
            [
                ("GET", "/api/v1/connect/customers/details/CSRT1"),
                ("PUT", "/api/v1/connect/customers/update/private/CSRT1"),
                ("PUT", "/api/v1/connect/customers/update/corporate/..%2FCSRT1"),
            ],
        )
        self.assertEqual(json.loads(server.requests[1][3]), {"name": "Kari"})
        self.assertEqual([each.answer for each in client.exchanges], ["", "", ""])

    def test_details_that_are_none(self):
        for data in (None, [], "ODR1", {}, {"orderDate": "1755150488"}):
            answer_ = answer(200, {"data": data})
            with (
                self.subTest(data),
                self.serving(answer_) as (_server, client),
                self.assertRaises(errors.UnknownOutcome),
            ):
                client.details("ODR1")

    def test_the_log_does_not_keep_whose_order_it_is(self):
        data = {"orderUuid": "ODR1", "customerDetails": CUSTOMER}
        for answer_, kept in (
            (answer(200, {"data": data}), ""),
            (answer(404, {"message": "orderNotFound"}), "orderNotFound"),
        ):
            with self.subTest(kept), self.serving(answer_) as (_server, client):
                with suppress(errors.NotFound):
                    client.details("ODR1")
                exchange = client.exchanges.pop()
                self.assertEqual(exchange.path, "connect/orders/details/ODR1")
                self.assertIn(kept, exchange.answer)
                self.assertNotIn("example.com", exchange.answer.lower())

    def test_the_log_does_not_keep_lists(self):
        rows = [{"uuid": f"ODR{number}", "status": "SENT"} for number in range(5000)]
        with self.serving(answer(200, {"data": rows})) as (_server, client):
            self.assertEqual(len(client.statuses()), 5000)
        kept = client.exchanges[0].answer
        self.assertEqual(json.loads(kept), {"data": "a list of 5000"})

    def test_the_log_keeps_the_beginning_of_a_long_answer(self):
        for body, length in (
            ({"data": {"orderId": "ODR1", "more": "A" * 30_000}}, 20_000),
            (b"A" * 30_000, 2_000),
        ):
            with (
                self.subTest(length),
                self.serving(answer(201, body)) as (_server, client),
            ):
                with suppress(errors.UnknownOutcome):
                    client.submit(SESSION, DOCUMENT)
                self.assertEqual(len(client.exchanges[0].answer), length)

    def test_the_log_can_be_stored(self):
        for body in (
            rb'{"data":{"orderId":"ODR1"},"a":"\u0000\ud800","b":1e400}',
            b"\0\xff",
        ):
            with (
                self.subTest(body),
                self.serving(answer(201, body)) as (_server, client),
            ):
                with suppress(errors.UnknownOutcome):
                    client.submit(SESSION, DOCUMENT)
                kept = client.exchanges[0].answer
                self.assertTrue(kept.encode())
                self.assertNotIn("\0", kept)

    def test_a_byte_order_mark_is_no_fault(self):
        body = b"\xef\xbb\xbf" + json.dumps(ACCEPTED).encode()
        with self.serving(answer(201, body)) as (_server, client):
            self.assertEqual(client.submit(SESSION, DOCUMENT).order_uuid, "ODR1")

    def test_a_letter_may_come_in_two_pieces(self):
        for shift in range(2):
            filling = "x" * (PIECE - 60 - shift)
            body = {"filling": filling, "message": "ø" * 100}
            refusal = answer(417, json.dumps(body, ensure_ascii=False).encode())
            with (
                self.subTest(shift),
                self.serving(refusal) as (_server, client),
                self.assertRaises(errors.Rejected) as caught,
            ):
                client.submit(SESSION, DOCUMENT)
            self.assertEqual(caught.exception.sentences, ["ø" * 100])

    def test_the_rest_of_a_long_answer_is_not_waited_for(self):
        def long(handler):
            answer(200, b"x" * 2 * MAX_ANSWER)(handler, missing=MAX_ANSWER)
            silent(handler)

        with (
            self.serving(long) as (_server, client),
            self.assertRaisesRegex(errors.UnknownOutcome, "too long"),
        ):
            client.status("ODR1")

    def test_the_invoice_number_may_be_missing(self):
        for number, told in (("99900753", "99900753"), (None, ""), ("", "")):
            answer_ = answer(200, {"data": {"invoiceNumber": number}})
            with self.subTest(number), self.serving(answer_) as (_server, client):
                self.assertEqual(client.invoice_number("ODR1"), told)

    def test_the_connection_is_fine_when_the_order_asked_for_is_unknown(self):
        not_found = answer(404, {"message": "Order Not Found"})
        with self.serving(not_found) as (server, client):
            client.check_connection()
        self.assertEqual(server.requests[0][0], "GET")

    def test_the_log_keeps_what_happened_without_secrets(self):
        url = "https://bankid.example.com/auth"
        data = {"orderId": "ODR1", "bankIdUrl": f"{url}?state=secret"}
        echo = {"data": data, "message": f"{API_TOKEN} of 17858410193"}
        with self.serving(answer(201, echo)) as (_server, client):
            client.submit(SESSION, DOCUMENT)
        exchange = client.exchanges[0]
        self.assertEqual(
            (exchange.method, exchange.path, exchange.http_status, exchange.error),
            ("POST", "connect/orders/invoice/submit", 201, ""),
        )
        self.assertIn("178584*****", exchange.request)
        self.assertIn(url, exchange.answer)
        self.assertNothingSecret(exchange)

    def test_the_log_masks_answers_that_are_no_json(self):
        page = f"<p>{API_TOKEN} 178584 10193</p>".encode()
        with (
            self.serving(answer(200, page)) as (_server, client),
            self.assertRaises(errors.UnknownOutcome),
        ):
            client.submit(SESSION, DOCUMENT)
        exchange = client.exchanges[0]
        self.assertEqual(exchange.answer, "<p>***** 178584*****</p>")
        self.assertNothingSecret(exchange)

    def test_the_log_tells_how_long_it_took(self):
        with (
            self.serving(silent) as (_server, client),
            self.assertRaises(errors.UnknownOutcome),
        ):
            client.submit(SESSION, DOCUMENT)
        self.assertGreaterEqual(client.exchanges[0].duration, TIMEOUT[1] * 1000)
        self.assertEqual(client.exchanges[0].error, "ReadTimeout")

    def assertNothingSecret(self, exchange):
        for secret in (API_TOKEN, "17858410193", "10193", "state=secret"):
            self.assertNotIn(secret, repr(exchange))
