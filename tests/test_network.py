"""A network that breaks at any byte, in either direction: cut, reset, stalled, delayed.

Between the addon's client and the sandbox there is a wire that breaks once so many
bytes went through, on each of the routes by which an order goes out. Whatever breaks,

* an order that the sandbox stored is told as sent, with its number, or as unknown: told
  as not sent, it would be sent a second time;
* an order that the sandbox didn't store is never told as sent;
* no order is there twice, and nothing else is raised.

The same holds for what happens to an order later: a refund, asking for approval of one,
cancelling, sending its link again.

A short run breaks each route at some bytes, ``./dev test --long`` cuts it at every one.
"""

import json
import random
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .databases import rows
from .helpers import IS_LONG
from .network import BACK, OUT, Address, Break, Tls, Tunnel, Wire
from .processes import ROOT, Sandbox

ORDER = json.loads(
    (ROOT / "frontpay_odoo/tests/golden/session_private.json").read_text()
)
# How a wire breaks: at every so many bytes in a long run, and how patient the client is
# meanwhile, in seconds for the connection and for the answer.
KINDS = {
    "cut": (1, (5, 5)),
    "reset": (1, (5, 5)),
    "stalled": (4, (0.15, 0.25)),
    "delayed": (4, (5, 5)),
}
ROUTES = ("http", "https", "proxy", "tunnel", "behind the tunnel")
SHORT = 14  # bytes of each direction in a short run
AT_ONCE = 24


@dataclass
class Network:
    """What stands between a client and the sandbox."""

    sandbox: Sandbox
    tls: Tls
    tunnel: Tunnel
    connect: object = field(repr=False)

    @property
    def server(self) -> Address:
        url = urlsplit(self.sandbox.url)
        return url.hostname, url.port

    def target_of_wire(self, route: str) -> Address:
        return {
            "http": self.server,
            "https": self.tls.address,
            "proxy": self.server,  # takes a proxy's requests as well
            "tunnel": self.tunnel.address,
            "behind the tunnel": self.tls.address,
        }[route]

    def client(self, route: str, wire: Wire, timeout: tuple):
        """A client whose requests go over the wire."""
        url, proxy = {
            "http": (f"http://{at(wire.address)}", None),
            "https": (f"https://{at(wire.address)}", None),
            "proxy": (f"http://{at(self.server)}", wire.address),
            "tunnel": (f"https://{at(self.tls.address)}", wire.address),
            "behind the tunnel": (f"https://{at(wire.address)}", self.tunnel.address),
        }[route]
        client = self.connect("connect.client").Client(
            f"{url}/api/v1/", self.sandbox.token, "frontpay_odoo/19.0", timeout
        )
        if proxy:
            proxies = dict.fromkeys(("http", "https"), f"http://{at(proxy)}")
            client._session.proxies = proxies
        return client

    def submit(self, route: str, broken: Break | None, reference: str) -> tuple:
        """Submit an order over a wire.

        :return: what the client tells, the wire
        """
        channel = self.connect("connect.channels").CHANNELS["session"]
        order = ORDER | {"referenceNo": reference}
        told, wire = self.call(
            route, broken, lambda client: client.submit(channel, order)
        )
        return getattr(told, "order_uuid", told), wire

    def call(self, route: str, broken: Break | None, call: Callable) -> tuple:
        """Have a client call over a wire.

        :return: what the call returns, or what the client tells instead; the wire
        """
        errors = self.connect("connect.errors")
        timeout = KINDS[broken.kind][1] if broken else (5, 5)
        with (
            Wire(self.target_of_wire(route), broken) as wire,
            self.client(route, wire, timeout) as client,
        ):
            try:
                return call(client), wire
            except errors.UnknownOutcome:
                return "unknown", wire
            except errors.FrontPaymentError:
                return "not sent", wire
            except Exception as error:  # noqa: BLE001
                return repr(error), wire


def at(address: Address) -> str:
    return "{}:{}".format(*address)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A file with a key and a certificate for 127.0.0.1 that is signed by itself."""
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    command = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"),
        *("ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj"),
        *("/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-keyout", "-", "-out", "-"),
    ]
    path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    return path


@pytest.fixture
def network(sandbox, certificate, connect, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("no_proxy", "")
    sandbox.set(callbacks=False, rate_limit=10_000_000)
    with Tunnel() as tunnel:
        address = urlsplit(sandbox.url)
        with Tls((address.hostname, address.port), certificate) as tls:
            yield Network(sandbox, tls, tunnel, connect)


def breaks(length: dict, kind: str, direction: str) -> Iterator[Break]:
    """Where a wire breaks.

    :param length: how many bytes go through it in each direction when it is whole
    """
    step = KINDS[kind][0]
    places = range(length[direction] + 1)
    if IS_LONG:
        places = places[random.randrange(step) :: step]
    else:
        chosen = random.Random(f"{kind} {direction}")
        # The last bytes are where it is decided what became of an order.
        places = {*chosen.sample(places, SHORT - 3), *places[-2:], 0}
    for position in sorted(places):
        yield Break(kind, direction, position)


def breach(told: str, numbers: list[str], broken: Break) -> str:
    """What is wrong about what the client tells of an order, or an empty string.

    :param numbers: of the orders that the sandbox stored
    """
    if len(numbers) > 1:
        return f"stored {len(numbers)} times"
    if told == "not sent" and numbers:
        return "told as not sent, but stored"
    if told not in ("not sent", "unknown", *numbers):
        return f"told {told}, stored {numbers}"
    if broken.kind == "delayed" and told not in numbers:
        return f"told {told} after a short delay"
    return ""


def submitted(network: Network, route: str, broken: list[Break]) -> Iterator[tuple]:
    """Submit an order over each of the wires, many at a time.

    :return: yields the break, what the client told, and the numbers of the orders that
        the sandbox stored
    """
    network.sandbox.reset()
    network.sandbox.set(callbacks=False, rate_limit=10_000_000)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = pool.map(lambda each: network.submit(route, each, str(each))[0], broken)
        told = list(told)
    time.sleep(0.2)  # what is on its way arrives
    stored = defaultdict(list)
    for order in network.sandbox.orders():
        stored[order["payload"]["referenceNo"]].append(order["orderUuid"])
    for each, outcome in zip(broken, told, strict=True):
        yield each, outcome, stored[str(each)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("route", ROUTES)
def test_what_may_have_been_stored_is_never_told_as_not_sent(
    network, route, kind, show
):
    told, wire = network.submit(route, None, "whole")
    [order] = network.sandbox.orders()
    assert told == order["orderUuid"]
    started, counts, breaches = time.monotonic(), Counter(), []
    for direction in (OUT, BACK):
        broken = list(breaks(wire.passed, kind, direction))
        for each, told, numbers in submitted(network, route, broken):
            counts["cases"] += 1
            name = "sent" if told in numbers else told
            counts[f"stored, told as {name}" if numbers else f"told as {name}"] += 1
            problem = breach(told, numbers, each)
            breaches += [f"{each}: {problem}"] if problem else []
    seconds = round(time.monotonic() - started)
    table = {**counts, "breaches": len(breaches), "seconds": seconds}
    show(f"network: {route}, {kind}", table)
    assert breaches == []


# === WHAT HAPPENS TO AN ORDER LATER === #

AMOUNT = 100  # NOK of a refund


@dataclass(frozen=True)
class Change:
    """A call that changes an order.

    :param actions: what its customer did before
    :param call: of a client, the order's number and its lines
    :param count: how often it was done, by the order as the sandbox tells it and the
        numbers of the orders of its refunds
    """

    actions: tuple
    call: Callable
    count: Callable


def part_of(lines: tuple, **more) -> dict:
    """A refund of a part of the first line."""
    product = {"id": lines[0].id, "amount": AMOUNT}
    return {"type": "invoiced", "grandTotal": AMOUNT, "products": [product]} | more


CHANGES = {
    "refund": Change(
        ("confirm", "pay"),
        lambda client, uuid, lines: client.refund(uuid, part_of(lines)),
        lambda order, refunded: refunded.count(order["orderUuid"]),
    ),
    "approval": Change(
        ("confirm", "pay"),
        lambda client, uuid, lines: client.request_approval(
            uuid, part_of(lines, message="refundRejectionForWeeklyThresholdExceed")
        ),
        lambda order, refunded: refunded.count(order["orderUuid"]),
    ),
    "cancel": Change(
        (),
        lambda client, uuid, _lines: client.cancel(uuid, "A mistake"),
        lambda order, _refunded: int(order["status"] == "CANCELLED"),
    ),
    "resend": Change(
        (),
        lambda client, uuid, _lines: client.resend(uuid, "post@example.com"),
        lambda order, _refunded: str(order["statuses"]).count("Link sent again"),
    ),
}


def sold(network: Network, count: int, actions: tuple) -> list[tuple]:
    """Orders as they are before the change: (number, lines) of each."""
    network.sandbox.reset()
    network.sandbox.set(callbacks=False, rate_limit=10_000_000, line_ids=True)
    orders = []
    for position in range(count):
        number, _wire = network.submit("http", None, str(position))
        for action in actions:
            network.sandbox.act(number, action)
        details, _wire = network.call(
            "http", None, lambda client, number=number: client.details(number)
        )
        orders.append((number, details.lines))
    return orders


@pytest.mark.parametrize("kind", ["cut", "reset"])
@pytest.mark.parametrize("route", ["http", "behind the tunnel"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_may_have_been_made_is_never_told_as_not_sent(
    network, name, route, kind, show
):
    change = CHANGES[name]
    [(number, lines)] = sold(network, 1, change.actions)
    told, wire = network.call(
        route, None, lambda client: change.call(client, number, lines)
    )
    assert told is None
    cases, counts, breaches = [], Counter(), []
    for direction in (OUT, BACK):
        cases += breaks(wire.passed, kind, direction)
    orders = sold(network, len(cases), change.actions)

    def do(broken, order):
        return network.call(route, broken, lambda client: change.call(client, *order))[
            0
        ]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(do, cases, orders))
    time.sleep(0.2)  # what is on its way arrives
    stored = {order["orderUuid"]: order for order in network.sandbox.orders()}
    refunded = [each["orderUuid"] for each in network.sandbox.refunds()]
    for broken, told, (number, _lines) in zip(cases, outcomes, orders, strict=True):
        times = change.count(stored[number], refunded)
        # A call without a result returns nothing.
        problem = breach(told or number, [number] * times, broken)
        counts[f"made {times} times, told as {told or 'made'}"] += 1
        breaches += [f"{broken}: {problem}"] if problem else []
    show(f"network: {name}, {route}, {kind}", {**counts, "breaches": len(breaches)})
    assert breaches == []


# What breaks under a whole Odoo, and what the invoice is then.
IN_ODOO = {
    "before the first byte of the request": (Break("reset", OUT, 0), "unknown"),
    "in the middle of the request": (Break("cut", OUT, 700), "unknown"),
    "before the answer": (Break("cut", BACK, 0), "unknown"),
    "in the middle of the answer": (Break("reset", BACK, 200), "unknown"),
    "a moment of silence": (Break("delayed", OUT, 300), "sent"),
}


@pytest.fixture
def office(office, sandbox):
    yield office
    office.use(sandbox)


@pytest.mark.parametrize("what", IN_ODOO)
def test_an_invoice_over_a_broken_wire_is_one_order(office, sandbox, what):
    sandbox.set(callbacks=False, details_references=True)
    broken, state = IN_ODOO[what]
    url = urlsplit(sandbox.url)
    with Wire((url.hostname, url.port)) as wire:
        office.configure(frontpay_custom_url=f"http://{at(wire.address)}/api/v1/")
        others = office.invoice()
        office.send(others)
        wire.passed, wire.at = {OUT: 0, BACK: 0}, broken
        invoice = office.invoice()
        office.send(invoice)
        assert office.state(invoice) == state

        wire.at = None
        age = "sending_at = sending_at - interval '1 hour', retry_at = NULL"
        rows(office.server.database, f"UPDATE frontpay_order SET {age}")
        for name in ("cron_recover", "cron_send", "cron_poll"):
            office.run_cron(name)
        orders = sandbox.orders_of(office.name(invoice))
        if orders:
            assert office.state(invoice) == "sent"
            assert [order["orderUuid"] for order in orders] == [
                order["order_uuid"] for order in office.orders(invoice)
            ]
        else:
            assert office.state(invoice) in ("unknown", "failed")
        assert office.state(others) == "sent"
