"""The client against servers on this machine that answer in every way they can."""

import base64
import gzip
import json
import os
import socket
import ssl
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from odoo.tests import tagged

from odoo.addons.frontpay_odoo.connect import answers, errors
from odoo.addons.frontpay_odoo.connect import client as client_module
from odoo.addons.frontpay_odoo.connect.channels import CHANNELS
from odoo.addons.frontpay_odoo.connect.client import MAX_ANSWER, Client

from .common import API_TOKEN, LoopbackCase

SESSION = CHANNELS["session"]
DOCUMENT = {"customerDetails": {"personalNumber": "17858410193"}}
ACCEPTED = {"data": {"orderId": "ODR1", "customerUuid": "CSRT1", "bankIdUrl": ""}}
PATIENCE = 0.4  # seconds


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

    do_POST = do_GET

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


def refusal(status, errors):
    return answer(status, {"message": "payloadValidationErrors", "errors": errors})


def dropped(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)


def broken_off(handler):
    answer(200, ACCEPTED)(handler, missing=1)
    dropped(handler)


def silent(_handler):
    time.sleep(3 * PATIENCE)


def dripping(handler):
    """Never silent for long, and done a hundred times too late."""
    answer(200)(handler, missing=1000)
    _drip(handler, b" ")


def dripping_chunks(handler):
    """The same without telling how long the answer will be."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    _drip(handler, b"1\r\n \r\n")


def _drip(handler, drop):
    for _drop in range(1000):
        handler.wfile.write(drop)
        time.sleep(PATIENCE / 10)


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
    "a list of sentences": (refusal(417, ["One.", "Two."]), errors.Refused),
    "422": (refusal(422, {"name": ["One."]}), errors.Refused),
    "400": (answer(400, {"message": "orderStatusAlreadyPaid"}), errors.Refused),
    "409": (answer(409, {"message": "conflict"}), errors.Refused),
    "401": (answer(401, {"message": "unauthenticated"}), errors.NotAuthorised),
    "401 in HTML": (answer(401, HTML), errors.NotAuthorised),
    "403": (answer(403, {}), errors.NotAuthorised),
    "404": (answer(404, {"message": "orderNotFound"}), errors.NotFound),
    "404 in HTML": (answer(404, HTML), errors.WrongAddress),
    "400 in HTML": (answer(400, HTML), errors.WrongAddress),
    "405": (answer(405, {"message": "methodNotAllowed"}), errors.WrongAddress),
    "408": (answer(408, {}), errors.UnknownOutcome),
    "429": (answer(429, {}, Retry_After="7"), errors.Limited),
    "429 in HTML": (answer(429, HTML), errors.Limited),
    "500": (answer(500, {"errors": {"happenedAt": "now"}}), errors.UnknownOutcome),
    "502 in HTML": (answer(502, HTML), errors.UnknownOutcome),
    "503": (answer(503, {}), errors.UnknownOutcome),
    "510": (answer(510, {"errors": "Array"}), errors.UnknownOutcome),
    "a redirection": (answer(302, Location="/elsewhere"), errors.WrongAddress),
    "a lasting redirection": (answer(308, Location="/x"), errors.WrongAddress),
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
    "an answer that drips": (dripping, errors.UnknownOutcome),
    "an answer that drips in chunks": (dripping_chunks, errors.UnknownOutcome),
    "an answer that unpacks to too much": (unpacking, errors.UnknownOutcome),
}
# The same for a question, where nothing can have been stored.
QUESTION_OUTCOMES = {
    "HTML instead of JSON": (answer(200, HTML), errors.WrongAddress),
    "data without a status": (answer(200, {"data": {}}), errors.UnknownOutcome),
    "404": (answer(404, {"message": "Order Not Found"}), errors.NotFound),
    "404 in HTML": (answer(404, HTML), errors.WrongAddress),
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
)
# Retry-After as it may come, and the seconds to wait.
PAUSES = (("7", 7), ("0", 0), ("", None), ("soon", None), ("-1", None), ("1.5", None))
ADDRESSES_OF_NOBODY = (
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
    *(
        ({"orderId": "ODR1", "bankIdUrl": url}, "ODR1", url)
        for url in ("http://127.0.0.1:8700/bankid", "http://localhost/bankid")
    ),
)
STATUSES = (
    ({"uuid": "ODR1", "status": "SENT"}, "SENT", None),
    ({"status": " PAID ", "refundedAmount": 0}, "PAID", Decimal(0)),
    ({"status": "REFUNDED", "refundedAmount": "50.00"}, "REFUNDED", Decimal("50.00")),
    ({"status": "PAID", "refundedAmount": "much"}, "PAID", None),
    ({"status": "PAID", "refundedAmount": "NaN"}, "PAID", None),
    ({"status": "PAID", "refundedAmount": None}, "PAID", None),
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
    ({"orderSummary": {}}, "amount", None),
    ({"orderSummary": None}, "amount", None),
    ({"orderDate": "1755150488"}, "ordered_at", ORDERED_AT),
    ({"orderDate": 1755150488}, "ordered_at", ORDERED_AT),
    ({"orderDate": "2025-08-14T07:48:08+02:00"}, "ordered_at", ORDERED_AT),
    ({"orderDate": "2025-08-14T05:48:08Z"}, "ordered_at", ORDERED_AT),
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


class Pace:
    """Counts the places that are taken, and keeps what calls are held for."""

    def __init__(self, is_free=True):
        self.is_free = is_free
        self.taken = 0
        self.held = []

    def take(self):
        if not self.is_free:
            raise errors.Limited("too many calls", retry_after=5)
        self.taken += 1

    def hold(self, seconds):
        self.held.append(seconds)


@tagged("post_install", "-at_install", "frontpay")
class TestClient(LoopbackCase):
    def setUp(self):
        super().setUp()
        self.exchanges = []

    def client(self, url, token=API_TOKEN):
        return Client(
            url,
            token,
            "frontpay_odoo/19.0",
            self.exchanges.append,
            (PATIENCE, PATIENCE),
        )

    @contextmanager
    def serving(self, *answers):
        """A server with these answers, and a client that talks to it."""
        with Server(*answers) as server, self.client(server.url) as client:
            yield server, client

    def test_each_outcome_of_a_submission_is_told_apart(self):
        for what, (answer_, kind) in OUTCOMES.items():
            with self.subTest(what), self.serving(answer_) as (server, client):
                with self.assertRaises(errors.FrontPaymentError) as caught:
                    client.submit(SESSION, DOCUMENT)
                self.assertIs(type(caught.exception), kind)
                self.assertEqual(len(server.requests), 1)
                self.assertTrue(self.exchanges.pop().error)

    def test_an_answer_that_drips_is_cut_off_in_time(self):
        for reads_pieces in {client_module.TELLS_WHAT_IS_THERE, False}:
            for answer_ in (dripping, dripping_chunks):
                with (
                    self.subTest(answer_.__name__, reads_pieces=reads_pieces),
                    patch.object(client_module, "TELLS_WHAT_IS_THERE", reads_pieces),
                    self.serving(answer_) as (_server, client),
                ):
                    with self.assertRaises(errors.UnknownOutcome) as caught:
                        client.submit(SESSION, DOCUMENT)
                    self.assertEqual(str(caught.exception), "the answer takes too long")
                    self.assertLess(self.exchanges.pop().duration, 3 * PATIENCE * 1000)

    def test_a_question_cannot_have_changed_anything(self):
        for what, (answer_, kind) in QUESTION_OUTCOMES.items():
            with self.subTest(what), self.serving(answer_) as (_server, client):
                with self.assertRaises(errors.FrontPaymentError) as caught:
                    client.status("ODR1")
                self.assertIs(type(caught.exception), kind)

    def test_front_payments_own_sentences(self):
        for document, sentences in SENTENCES:
            with self.subTest(document):
                self.assertEqual(answers.sentences_of(document), sentences)

    def test_a_refusal_carries_its_sentences_and_its_code(self):
        with (
            self.serving(refusal(417, ["One.", "Two."])) as (_server, client),
            self.assertRaises(errors.Refused) as caught,
        ):
            client.submit(SESSION, DOCUMENT)
        self.assertEqual(caught.exception.sentences, ["One.", "Two."])
        self.assertEqual(caught.exception.http_status, 417)

    def test_the_pause_that_is_asked_for(self):
        for text, seconds in PAUSES:
            limited = answer(429, {}, Retry_After=text)
            with self.subTest(text), self.serving(limited) as (_server, client):
                with self.assertRaises(errors.Limited) as caught:
                    client.submit(SESSION, DOCUMENT)
                self.assertEqual(caught.exception.retry_after, seconds)

    def test_all_calls_are_held_when_there_were_too_many(self):
        left = {"x-ratelimit-limit": "240"}
        for given, held in (
            (answer(201, ACCEPTED, **left), []),
            (answer(201, ACCEPTED, **left | {"x-ratelimit-remaining": "1"}), []),
            (answer(201, ACCEPTED, **left | {"x-ratelimit-remaining": "0"}), [60]),
            (answer(429, {}, Retry_After="7"), [7]),
            (answer(429, {}), [10]),
            (answer(500, {}), []),
        ):
            pace = Pace()
            with self.subTest(held=held), self.serving(given) as (_server, client):
                client._pace = pace
                with suppress(errors.FrontPaymentError):
                    client.submit(SESSION, DOCUMENT)
                self.assertEqual((pace.taken, pace.held), (1, held))

    def test_a_place_that_was_waited_for_serves_the_next_call(self):
        given = [answer(201, ACCEPTED)] * 2
        with self.serving(*given) as (_server, client):
            client._pace = pace = Pace()
            client.await_place()
            client.await_place()
            self.assertEqual(pace.taken, 1)
            client.submit(SESSION, DOCUMENT)
            self.assertEqual(pace.taken, 1)
            client.submit(SESSION, DOCUMENT)
            self.assertEqual(pace.taken, 2)

    def test_without_a_place_nothing_goes_out(self):
        with self.serving() as (server, client):
            client._pace = Pace(is_free=False)
            with self.assertRaises(errors.Limited):
                client.submit(SESSION, DOCUMENT)
            self.assertFalse(server.requests)

    def test_where_nobody_listens_nothing_was_sent(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # and doesn't listen
            url = f"http://127.0.0.1:{taken.getsockname()[1]}/api/v1/"
            with self.client(url) as client, self.assertRaises(errors.Unreachable):
                client.submit(SESSION, DOCUMENT)
        self.assertIsNone(self.exchanges[0].http_status)

    def test_a_certificate_that_nobody_vouches_for(self):
        with Server() as server, tempfile.TemporaryDirectory() as folder:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(_own_certificate(folder))
            server.socket = context.wrap_socket(server.socket, server_side=True)
            url = server.url.replace("http:", "https:")
            with self.client(url) as client, self.assertRaises(errors.Unreachable):
                client.submit(SESSION, DOCUMENT)
        self.assertFalse(server.requests)

    def test_addresses_that_are_none(self):
        for url in ADDRESSES_OF_NOBODY:
            with (
                self.subTest(url),
                self.client(url) as client,
                self.assertRaises(errors.WrongAddress),
            ):
                client.submit(SESSION, DOCUMENT)

    def test_tokens_that_no_header_can_carry(self):
        for token in ("two\nlines", "a\r\nHost: example.com", "tøken€"):
            with (
                self.subTest(token),
                Server() as server,
                self.client(server.url, token) as client,
            ):
                with self.assertRaises(errors.NotAuthorised) as caught:
                    client.submit(SESSION, DOCUMENT)
                self.assertNotIn(token, str(caught.exception))
                self.assertFalse(server.requests)

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
            refusal(417, ["One."]),
            answer(200, {"data": {"status": "SENT"}}),
        ]
        with self.serving(*answers_) as (server, client):
            client.submit(SESSION, DOCUMENT)
            with self.assertRaises(errors.Refused):
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
                submitted = answers.submitted_order(data)
                self.assertEqual(submitted.order_uuid, order_uuid)
                self.assertEqual(submitted.verification_url, url)

    def test_what_an_orders_status_is(self):
        for data, status, refunded_amount in STATUSES:
            answer_ = answer(200, {"data": data})
            with self.subTest(data), self.serving(answer_) as (_server, client):
                report = client.status("ODR1")
                self.assertEqual(report.status, status)
                self.assertEqual(report.refunded_amount, refunded_amount)

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

    def test_no_orders_at_all_are_told_as_not_found(self):
        not_found = answer(404, {"message": "Order Not Found"})
        with self.serving(not_found) as (_server, client):
            self.assertEqual(client.statuses(), {})
        with (
            self.serving(answer(404, HTML)) as (_server, client),
            self.assertRaises(errors.WrongAddress),
        ):
            client.statuses()

    def test_what_an_order_is_recognised_by(self):
        for changes, name, value in DETAILS:
            answer_ = answer(200, {"data": {"orderUuid": "ODR1"} | changes})
            with self.subTest(changes), self.serving(answer_) as (_server, client):
                self.assertEqual(getattr(client.details("ODR1"), name), value)

    def test_details_that_are_none(self):
        for data in (None, [], "ODR1", {}, {"status": "SENT"}):
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
                exchange = self.exchanges.pop()
                self.assertEqual(exchange.path, "connect/orders/details/ODR1")
                self.assertIn(kept, exchange.answer)
                self.assertNotIn("example.com", exchange.answer)

    def test_the_log_keeps_the_beginning_of_a_long_answer(self):
        rows = [{"uuid": f"ODR{number}", "status": "SENT"} for number in range(5000)]
        with self.serving(answer(200, {"data": rows})) as (_server, client):
            self.assertEqual(len(client.statuses()), 5000)
        kept = self.exchanges[0].answer
        self.assertIn("ODR1", kept)
        self.assertLess(len(kept), 30_000)

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
        exchange = self.exchanges[0]
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
        exchange = self.exchanges[0]
        self.assertEqual(exchange.answer, "<p>***** 178584*****</p>")
        self.assertNothingSecret(exchange)

    def test_the_log_tells_how_long_it_took(self):
        with (
            self.serving(silent) as (_server, client),
            self.assertRaises(errors.UnknownOutcome),
        ):
            client.submit(SESSION, DOCUMENT)
        self.assertGreaterEqual(self.exchanges[0].duration, PATIENCE * 1000)
        self.assertEqual(self.exchanges[0].error, "ReadTimeout")

    def assertNothingSecret(self, exchange):
        for secret in (API_TOKEN, "17858410193", "10193", "state=secret"):
            self.assertNotIn(secret, repr(exchange))


def _own_certificate(folder):
    """A file with a key and a certificate for 127.0.0.1 that is signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = Path(folder) / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(pem)
    )
    return path
