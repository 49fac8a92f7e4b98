"""Everything goes wrong at once, and still no invoice is sent or paid twice, or lost.

The sandbox fails at random, Odoo and PostgreSQL are killed, callbacks get lost, and all
the while a bookkeeper sends, customers confirm and pay. Time runs faster: what waits
for its next try or its next run doesn't wait for hours. All that is random follows from
one seed, but the moments at which programs meet each other.
"""

import random
import time
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import pytest
from stdnum.no import fodselsnummer

from .actors import Actor, Customers, Time
from .databases import rows
from .helpers import IS_LONG, happens
from .processes import PostgresServer

SEED = 7
RATE = 0.05  # of the requests, for each kind of fault
LOST_CALLBACKS = 0.2
PRIVATE_CUSTOMERS = 7


@dataclass(frozen=True)
class Plan:
    """Everything in seconds; ``pause`` and ``minute``: see ``Time``.

    An order is stored before its minute is over, however late it is answered.
    """

    invoices: int
    batch: int
    kills: int
    outages: int
    delay: float
    pause: float
    minute: float
    patience: float


SHORT = Plan(60, 20, kills=2, outages=1, delay=2, pause=2, minute=6, patience=240)
LONG = Plan(1000, 100, kills=10, outages=2, delay=10, pause=5, minute=60, patience=3600)

# What the sandbox says of an order, and how Odoo says it.
STATES = {"SENT": "sent", "INVOICED": "invoiced", "PAID": "paid"}
# Those that the bookkeeper sends, or sends again.
TO_SEND = (False, "failed")


class Bookkeeper(Actor):
    """Sends the invoices in batches, then whatever Odoo says wasn't sent, each time in
    another way, and decides where Odoo can't by looking at Front Payment's pages."""

    def __init__(self, plan: Plan, office, sandbox, invoices: list[int]):
        super().__init__(plan.pause)
        self._sandbox = sandbox
        self._person = office.person("bookkeeper")
        self._chance = random.Random(SEED)
        self._invoices = invoices
        self._batches = [
            invoices[start : start + plan.batch]
            for start in range(0, len(invoices), plan.batch)
        ]
        self.ways = Counter()
        self.decisions = Counter()

    def round(self) -> None:
        if self._batches:
            self._send(self._batches.pop(0))
            return
        fields = ["name", "frontpay_state"]
        invoices = self.attempt(
            self._person.call, "account.move", "read", self._invoices, fields
        )
        to_send = []
        for invoice in invoices or []:
            if invoice["frontpay_state"] in TO_SEND:
                to_send.append(invoice["id"])
            elif invoice["frontpay_state"] == "unknown":
                self.attempt(self._resolve, invoice["id"], invoice["name"])
        self._send(to_send)

    def _send(self, invoices: list[int]) -> None:
        if not invoices:
            return
        ways = {
            "list": self._send_from_list,
            "Send for one": self._send_one,
            "Send for many": self._send_many,
        }
        way = self._chance.choice(list(ways))
        self.ways[way] += 1
        ways[way](invoices)

    def _send_from_list(self, invoices: list[int]) -> None:
        self._click("action_frontpay_send", *invoices)

    def _send_one(self, invoices: list[int]) -> None:
        """By Odoo's *Send* of one invoice; the others are left for another round."""
        values = {"move_id": invoices[0], "sending_methods": ["frontpay"]}
        self._send_by("account.move.send.wizard", values)

    def _send_many(self, invoices: list[int]) -> None:
        """By Odoo's *Send* of a selection, which leaves them to Odoo's own cron."""
        values = {"move_ids": [[6, 0, invoices]]}
        self._send_by("account.move.send.batch.wizard", values)

    def _send_by(self, wizards: str, values: dict) -> None:
        wizard = self.attempt(self._person.call, wizards, "create", values)
        if wizard:
            send = "action_send_and_print"
            self.attempt(self._person.click, wizards, send, wizard)

    def _click(self, method: str, *invoices: int) -> dict | None:
        if not invoices:
            return None
        return self.attempt(self._person.click, "account.move", method, *invoices)

    def _resolve(self, invoice: int, name: str) -> None:
        action = self._click("action_frontpay_resolve", invoice)
        if not action or action.get("res_model") != "frontpay.resolve":
            return
        wizard = action["res_id"]
        own = [order["orderUuid"] for order in self._sandbox.orders_of(name)]
        if not own:
            self._decide("frontpay.resolve", "action_not_received", wizard)
        for candidate in self._person.call(
            "frontpay.resolve.candidate",
            "search",
            [["resolve_id", "=", wizard], ["order_uuid", "in", own]],
        ):
            self._decide("frontpay.resolve.candidate", "action_link", candidate)

    def _decide(self, model: str, method: str, record: int) -> None:
        self._person.click(model, method, record)
        self.decisions[method.removeprefix("action_")] += 1


class Books:
    """What Odoo and the sandbox know of the invoices at one moment."""

    def __init__(self, office, sandbox, invoices: list[int]):
        call = office.admin.call
        fields = ["name", "frontpay_state", "frontpay_order_uuid"]
        amounts = ["amount_total", "amount_residual"]
        self.orders = sandbox.orders()
        self.invoices = {
            row["id"]: row
            for row in call("account.move", "read", invoices, fields + amounts)
        }
        submissions = call(
            "frontpay.order",
            "search_read",
            [["move_id", "in", invoices]],
            ["reference", "move_id"],
            load=None,
        )
        self._invoice_of = {row["reference"]: row["move_id"] for row in submissions}
        payments = call(
            "account.payment",
            "search_read",
            [["journal_id", "=", office.company.journal]],
            ["reconciled_invoice_ids"],
        )
        self.payments = Counter(
            invoice
            for payment in payments
            for invoice in payment["reconciled_invoice_ids"] or [None]
        )

    def invoice_of(self, order: dict) -> int | None:
        return self._invoice_of.get(order["payload"]["referenceNo"])

    def stories(self, office) -> str:
        """What happened to the invoices that aren't settled, for whoever looks why."""
        stories = []
        for invoice, row in self.invoices.items():
            if row["name"] not in self.unsettled:
                continue
            story = office.admin.call(
                "mail.message",
                "search_read",
                [["model", "=", "account.move"], ["res_id", "=", invoice]],
                ["date", "body"],
                order="id",
            )
            stories += [f"{row['name']}: {self.unsettled[row['name']]}"]
            stories += [f"  {told['date']} {told['body']}" for told in story]
            stories += [f"  {order}" for order in office.orders(invoice)]
            stories += [
                f"  {order['orderUuid']}: {order['statuses']}"
                for order in self.orders_of[invoice]
            ]
        return "\n".join(stories)

    @cached_property
    def orders_of(self) -> dict[int, list[dict]]:
        found = {invoice: [] for invoice in self.invoices}
        for order in self.orders:
            if self.invoice_of(order):
                found[self.invoice_of(order)].append(order)
        return found

    @property
    def open_amounts(self) -> dict[int, float]:
        return {
            invoice: row["amount_residual"] for invoice, row in self.invoices.items()
        }

    @property
    def unsettled(self) -> dict[str, tuple]:
        """Invoices that Odoo sees otherwise than Front Payment: name, both views."""
        views = {
            row["name"]: (
                [(row["frontpay_state"], row["frontpay_order_uuid"])],
                [
                    (STATES[order["status"]], order["orderUuid"])
                    for order in self.orders_of[invoice]
                ],
            )
            for invoice, row in self.invoices.items()
        }
        return {name: view for name, view in views.items() if view[0] != view[1]}


def told(counts: Counter) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


@pytest.fixture
def plan():
    return LONG if IS_LONG else SHORT


@pytest.fixture
def postgres(plan):
    """A PostgreSQL that may be restarted; in the short form there is none."""
    if plan is SHORT:
        yield None
        return
    server = PostgresServer("postgres-chaos")
    server.create()
    yield server
    server.remove()


@pytest.fixture
def office(open_office, postgres, sandbox):
    """An office that works at full speed, so that much of it is broken at once."""
    port = postgres.port if postgres else None
    with open_office("chaos", crons=2, database_port=port) as office:
        sandbox.set(rate_limit=100_000)
        yield office


def personal_numbers():
    """Synthetic ones (80 added to the month) of people born in 1990."""
    for individual in range(500):
        number = f"018190{individual:03}"
        number += fodselsnummer.calc_check_digit1(number)
        number += fodselsnummer.calc_check_digit2(number)
        if len(number) == 11:  # else a check digit would be 10
            yield number


def make_invoices(office, count: int) -> list[int]:
    """Invoices of several customers. Each tenth can't be told from the one before it
    by customer and amount."""
    customers = [
        office.customer(
            f"Kunde Nummer {place}",
            email=f"kunde{place}@example.com",
            frontpay_personal_number=number,
            invoice_sending_method="frontpay",
        )
        for place, number in enumerate(islice(personal_numbers(), PRIVATE_CUSTOMERS))
    ]
    corporate = office.company.corporate
    by_us = {"invoice_sending_method": "frontpay"}
    office.admin.call("res.partner", "write", [corporate], by_us)
    customers.append(corporate)
    kinds = [place - (place % 10 == 9) for place in range(count)]
    wanted = [(customers[kind % len(customers)], 100.0 + kind) for kind in kinds]
    return [
        invoice
        for start in range(0, count, 50)
        for invoice in office.invoices(wanted[start : start + 50])
    ]


def faults(plan: Plan) -> dict[str, dict]:
    return {
        "dropped before storing": {"kind": "drop"},
        "dropped after storing": {"kind": "drop", "when": "after"},
        "answered 500": {"kind": "status", "status": 500},
        "answered 510": {"kind": "status", "status": 510},
        "answered 429": {"kind": "limited"},
        "answered garbage": {"kind": "garbage"},
        f"answered {plan.delay} s late": {"kind": "delay", "seconds": plan.delay},
    }


def break_things(plan: Plan, office, sandbox, postgres) -> None:
    """Kill programs, each after some request, and start them again."""

    def kill() -> None:
        office.server.kill()
        office.server.start()

    def outage() -> None:
        if postgres:
            postgres.restart()
            return
        rows(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{office.server.database}'",
        )

    chance = random.Random(SEED)
    blows = [kill] * plan.kills + [outage] * plan.outages
    chance.shuffle(blows)
    requests = sorted(chance.sample(range(plan.invoices * 3 // 2), len(blows)))
    for blow, after in zip(blows, requests, strict=True):
        happens(lambda after=after: sandbox.chaos()["requests"] > after, plan.patience)
        time.sleep(chance.random())
        blow()


@pytest.fixture
def hurried(office):
    """Odoo's own pauses are as short as the sandbox's delays allow."""
    office.set_parameter("grace_minutes", 1)
    office.set_parameter("calls_per_minute", 100_000)
    # Each alone: where the machine can't print, what prints them is one page for all.
    one = ("account.pdf_generation_batch", "0")
    office.admin.call("ir.config_parameter", "set_param", *one)


@pytest.mark.usefixtures("hurried")
def test_every_invoice_has_one_order_and_is_paid_once(
    plan, office, postgres, sandbox, show
):
    invoices = make_invoices(office, plan.invoices)
    bookkeeper = Bookkeeper(plan, office, sandbox, invoices)
    customers = Customers(plan.pause, sandbox)
    port = postgres and postgres.port
    hours = Time(plan.pause, office.server.database, port, plan.minute)
    rates = [fault | {"rate": RATE} for fault in faults(plan).values()]
    sandbox.begin_chaos(SEED, rates, LOST_CALLBACKS)
    started = time.monotonic()
    with bookkeeper, customers, hours:
        break_things(plan, office, sandbox, postgres)
        happens(
            lambda: not Books(office, sandbox, invoices).unsettled,
            plan.patience,
            plan.pause,
        )
    seconds = time.monotonic() - started

    books = Books(office, sandbox, invoices)
    chaos = sandbox.chaos()
    orders_of = books.orders_of
    paid = [
        invoice
        for invoice, orders in orders_of.items()
        if any(order["status"] == "PAID" for order in orders)
    ]
    duplicates = [invoice for invoice, orders in orders_of.items() if len(orders) > 1]
    lost = [invoice for invoice, orders in orders_of.items() if not orders]
    foreign = [order for order in books.orders if not books.invoice_of(order)]
    show(
        "Chaos",
        {
            "invoices": plan.invoices,
            "requests": chaos["requests"],
            **{
                name: rate["struck"]
                for name, rate in zip(faults(plan), chaos["rates"], strict=True)
            },
            "callbacks lost": chaos["lost_callbacks"],
            "Odoo killed": plan.kills,
            "PostgreSQL restarted" if postgres else "connections cut": plan.outages,
            "orders made": len(books.orders),
            "orders without invoice": len(foreign),
            "duplicates": len(duplicates),
            "lost": len(lost),
            "sent by": told(bookkeeper.ways),
            "paid at Front Payment": len(paid),
            "payments in Odoo": books.payments.total(),
            "decisions of the bookkeeper": told(bookkeeper.decisions),
            "clicks that failed": told(bookkeeper.troubles),
            "seconds": round(seconds),
        },
    )
    assert not books.unsettled, books.stories(office)
    assert not duplicates
    assert not lost
    assert not foreign
    assert books.payments == Counter(paid)
    assert books.open_amounts == {
        invoice: 0 if invoice in paid else row["amount_total"]
        for invoice, row in books.invoices.items()
    }
