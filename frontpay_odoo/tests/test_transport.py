"""The client's connections against sockets that do everything wrong: whether a byte of
a request was written, and that every call ends in time."""

import os
import socket
import ssl
import struct
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from odoo.tests import tagged

from odoo.addons.frontpay_odoo.connect import callback_check, errors
from odoo.addons.frontpay_odoo.connect import client as client_module
from odoo.addons.frontpay_odoo.connect.channels import CHANNELS
from odoo.addons.frontpay_odoo.connect.client import Client

from .common import API_TOKEN, LoopbackCase

TIMEOUT = (1, 0.3)  # seconds
PAUSE = 0.02  # seconds between two drops
NOBODY = "127.0.0.1:9"  # the discard port: nobody listens there
BODY = b'{"data":{"orderId":"ODR1"}}'
ACCEPTED = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Peer:
    """A server that takes the same steps with every connection."""

    def __init__(self, *steps, certificate=None):
        self.steps = steps
        self.certificate = certificate
        self.received = b""
        self.connections = 0
        self.has_ended = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.has_ended.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self):
        with suppress(OSError):
            while True:
                connection = self.listener.accept()[0]
                self.connections += 1
                threading.Thread(
                    target=self.talk, args=(connection,), daemon=True
                ).start()

    def talk(self, connection):
        with suppress(OSError), connection:
            for step in self.steps:
                connection = step(self, connection) or connection
        connection.close()

    def read_until(self, connection, is_complete):
        text = b""
        while not is_complete(text):
            piece = connection.recv(1024)
            if not piece:
                raise ConnectionError
            text += piece
            self.received += piece


def reads(peer, connection):
    peer.read_until(connection, lambda text: text.endswith(b"]}"))


def reads_connect(peer, connection):
    peer.read_until(connection, lambda text: text.endswith(b"\r\n\r\n"))


def grants_tunnel(peer, connection):
    reads_connect(peer, connection)
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")


def tls(peer, connection):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(peer.certificate)
    return context.wrap_socket(connection, server_side=True)


def sends(data):
    return lambda _peer, connection: connection.sendall(data)


def drips(drop):
    """Never silent for long, and never done."""

    def drip(peer, connection):
        while not peer.has_ended.wait(PAUSE):
            connection.sendall(drop)

    return drip


def is_silent(peer, _connection):
    peer.has_ended.wait()


def resets(_peer, connection):
    linger_not = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
    connection.close()


START = b"HTTP/1.1 200 OK\r\n"
TLS_RECORD = b"\x16\x03\x03\x40\x00"  # announces 16,384 bytes of a handshake
# By the way the peer is reached, the steps that it takes before a request can go out.
UNREACHABLE = {
    "https": {
        "hangs up": [],
        "resets": [resets],
        "is silent": [is_silent],
        "drips a handshake": [sends(TLS_RECORD), drips(b"\0")],
        "speaks no TLS": [sends(ACCEPTED)],
    },
    "tunnel": {
        "hangs up": [reads_connect],
        "is silent": [reads_connect, is_silent],
        "wants a password": [reads_connect, sends(b"HTTP/1.1 407 Who\r\n\r\n")],
        "doesn't get through": [reads_connect, sends(b"HTTP/1.1 502 No\r\n\r\n")],
        "drips a status line": [reads_connect, drips(b"H")],
        "drips headers": [reads_connect, sends(START), drips(b"X: Y\r\n")],
        "leads nowhere": [grants_tunnel],
        "drips a handshake": [grants_tunnel, sends(TLS_RECORD), drips(b"\0")],
    },
}
# The same once a byte of the request may have gone out, on every route.
UNKNOWN = {
    "hangs up": [reads],
    "hangs up unread": [],
    "resets": [reads, resets],
    "is silent": [reads, is_silent],
    "breaks off": [reads, sends(ACCEPTED[:-1])],
    "answers something else": [reads, sends(b"SSH-2.0\r\n\r\n")],
    "drips a status line": [reads, drips(b"H")],
    "drips headers": [reads, sends(START), drips(b"X-Y: Z\r\n")],
    "drips one header": [reads, sends(START + b"X: "), drips(b"Y")],
    "never comes to the answer": [reads, drips(b"HTTP/1.1 100 Continue\r\n\r\n")],
    "drips a body": [
        reads,
        sends(START + b"Content-Length: 9999\r\n\r\n"),
        drips(b" "),
    ],
    "drips chunks": [
        reads,
        sends(START + b"Transfer-Encoding: chunked\r\n\r\n"),
        drips(b"1\r\n \r\n"),
    ],
    "drips until it closes": [reads, sends(START + b"\r\n"), drips(b" ")],
}
# What comes before those steps on each route.
ROUTES = {"http": [], "https": [tls], "proxy": [], "tunnel": [grants_tunnel, tls]}


@tagged("post_install", "-at_install", "frontpay")
class TestTransport(LoopbackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.certificate = _own_certificate(folder)
        environment = {"REQUESTS_CA_BUNDLE": str(cls.certificate), "no_proxy": ""}
        cls.enterClassContext(patch.dict(os.environ, environment))

    def client(self, route, address, timeout=TIMEOUT):
        """A client that reaches that address directly, or as a proxy."""
        scheme = "https" if route in ("https", "tunnel") else "http"
        is_proxy = route in ("proxy", "tunnel")
        url = f"{scheme}://{NOBODY if is_proxy else address}/api/v1/"
        client = Client(url, API_TOKEN, "frontpay_odoo/19.0", timeout)
        if is_proxy:
            client._session.proxies = dict.fromkeys(
                ("http", "https"), f"http://{address}"
            )
        return client

    def outcome(self, client, name=""):
        """What submitting an order raises, if it ends in time."""
        start = time.monotonic()
        try:
            client.submit(CHANNELS["session"], {"products": [{"name": name}]})
            return None
        except errors.FrontPaymentError as error:
            return type(error)
        finally:
            self.assertLess(time.monotonic() - start, sum(TIMEOUT) + 0.5)

    def outcome_and_peer(self, route, steps):
        """What submitting an order comes to with a peer that takes those steps."""
        with (
            Peer(*steps, certificate=self.certificate) as peer,
            self.client(route, peer.address) as client,
        ):
            return self.outcome(client), peer

    def outcomes(self, route, rows):
        """The same for many at a time, as most of them wait."""
        with ThreadPoolExecutor(len(rows)) as pool:
            found = [pool.submit(self.outcome_and_peer, route, row) for row in rows]
            return [future.result() for future in found]

    def test_an_order_goes_out_on_every_route(self):
        for route, first_steps in ROUTES.items():
            steps = [*first_steps, reads, sends(ACCEPTED)]
            with self.subTest(route):
                outcome, peer = self.outcome_and_peer(route, steps)
                self.assertIsNone(outcome)
                self.assertIn(b"POST ", peer.received)

    def test_the_servers_proxies_are_used(self):
        for scheme, route in (("http", "proxy"), ("https", "tunnel")):
            steps = [*ROUTES[route], reads, sends(ACCEPTED)]
            with (
                self.subTest(scheme),
                Peer(*steps, certificate=self.certificate) as peer,
                patch.dict(os.environ, {f"{scheme}_proxy": f"http://{peer.address}"}),
                self.client(scheme, NOBODY) as client,
            ):
                self.assertIsNone(self.outcome(client))

    def test_before_the_requests_first_byte_nothing_was_sent(self):
        for route, rows in UNREACHABLE.items():
            found = self.outcomes(route, rows.values())
            for what, (outcome, peer) in zip(rows, found, strict=True):
                with self.subTest(what, route=route):
                    self.assertIs(outcome, errors.Unreachable)
                    self.assertTrue(peer.connections)
                    self.assertNotIn(b"POST ", peer.received)

    def test_after_the_requests_first_byte_nobody_knows(self):
        for route, first_steps in ROUTES.items():
            rows = [[*first_steps, *steps] for steps in UNKNOWN.values()]
            found = self.outcomes(route, rows)
            for what, (outcome, peer) in zip(UNKNOWN, found, strict=True):
                with self.subTest(what, route=route):
                    self.assertIs(outcome, errors.UnknownOutcome)
                    self.assertEqual(b"POST " in peer.received, reads in UNKNOWN[what])

    def test_where_nobody_listens_nothing_was_sent(self):
        for route in ROUTES:
            with self.subTest(route), self.client(route, NOBODY) as client:
                self.assertIs(self.outcome(client), errors.Unreachable)

    def test_a_certificate_that_nobody_vouches_for(self):
        other = self.enterContext(tempfile.TemporaryDirectory())
        environment = {"REQUESTS_CA_BUNDLE": str(_own_certificate(other))}
        with patch.dict(os.environ, environment):
            for route in ("https", "tunnel"):
                with self.subTest(route):
                    outcome, peer = self.outcome_and_peer(route, ROUTES[route])
                    self.assertIs(outcome, errors.Unreachable)
                    self.assertTrue(peer.connections)

    def test_the_set_ups_test_callback_tells_such_a_certificate(self):
        other = self.enterContext(tempfile.TemporaryDirectory())
        environment = {"REQUESTS_CA_BUNDLE": str(_own_certificate(other))}
        with (
            patch.dict(os.environ, environment),
            Peer(*ROUTES["https"], certificate=self.certificate) as peer,
        ):
            url = f"https://{peer.address}/frontpay/callback/1"
            told = callback_check.call(url, "secret", "frontpay_odoo/19.0")
        self.assertEqual(told, (None, callback_check.BAD_CERTIFICATE))

    def test_certificates_that_are_missing_here(self):
        with patch.dict(os.environ, REQUESTS_CA_BUNDLE="/nowhere"):
            outcome, peer = self.outcome_and_peer("https", [])
        self.assertIs(outcome, errors.Unreachable)
        self.assertFalse(peer.connections)

    def test_a_connection_that_was_closed_meanwhile_is_replaced(self):
        for route, first_steps in ROUTES.items():
            steps = [*first_steps, reads, sends(ACCEPTED)]
            with (
                self.subTest(route),
                Peer(*steps, certificate=self.certificate) as peer,
                self.client(route, peer.address) as client,
            ):
                for _call in range(2):
                    self.assertIsNone(self.outcome(client))
                    time.sleep(PAUSE)
                self.assertEqual(peer.connections, 2)

    def test_a_connection_that_is_closed_at_that_very_moment(self):
        for last_steps, outcome in (
            ([], errors.UnknownOutcome),  # half closed: our byte can still be written
            ([resets], errors.Unreachable),
        ):
            with (
                self.subTest(outcome.__name__),
                Peer(reads, sends(ACCEPTED), *last_steps) as peer,
                self.client("http", peer.address) as client,
                patch("urllib3.connectionpool.is_connection_dropped", return_value=0),
            ):
                self.assertIsNone(self.outcome(client))
                time.sleep(PAUSE)
                self.assertIs(self.outcome(client), outcome)
                self.assertEqual(peer.received.count(b"POST "), 1)

    def test_a_request_that_is_read_in_drips(self):
        def reads_in_drips(peer, connection):
            while not peer.has_ended.wait(PAUSE):
                connection.recv(64 * 1024)

        with (
            Peer(reads_in_drips) as peer,
            self.client("http", peer.address) as client,
            patch.object(client_module, "masked_json", return_value=""),  # is slow
        ):
            outcome = self.outcome(client, name="A" * 32 * 1024 * 1024)
            self.assertIs(outcome, errors.UnknownOutcome)

    def test_a_silence_ends_before_the_whole_time(self):
        with (
            Peer(reads, is_silent) as peer,
            self.client("http", peer.address) as client,
        ):
            self.assertIs(self.outcome(client), errors.UnknownOutcome)
            self.assertLess(client.exchanges[0].duration, TIMEOUT[0] * 1000)

    def test_what_comes_shortly_before_the_end_gives_no_more_time(self):
        def takes_a_while(_peer, _connection):
            time.sleep(1)

        with (
            Peer(reads, takes_a_while, sends(b"H"), is_silent) as peer,
            self.client("http", peer.address, timeout=(0.2, 1.2)) as client,
        ):
            with self.assertRaises(errors.UnknownOutcome):
                client.submit(CHANNELS["session"], {"products": []})
            self.assertLess(client.exchanges[0].duration, 2000)

    def test_each_call_has_the_whole_time(self):
        def takes_a_while(_peer, _connection):
            time.sleep(TIMEOUT[1] / 2)

        calls = 3 * int(sum(TIMEOUT) / TIMEOUT[1])
        steps = [reads, takes_a_while, sends(ACCEPTED)] * calls
        with Peer(*steps) as peer, self.client("http", peer.address) as client:
            for _call in range(calls):
                self.assertIsNone(self.outcome(client))
            self.assertEqual(peer.connections, 1)


def _own_certificate(folder):
    """A file with a key and a certificate for 127.0.0.1 that is signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    public_key = key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
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
