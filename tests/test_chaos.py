"""Everything goes wrong at once, and still no invoice is sent or paid twice, or lost.

The sandbox fails at random, Odoo and PostgreSQL are killed, callbacks get lost, and all
the while a bookkeeper sends, customers confirm and pay. Time runs faster: what waits
for its next try or its next run doesn't wait for hours. All that is random follows from
one seed, but the moments at which programs meet each other.
"""

import time
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import pytest

from .actors import Bookkeeper, Customers, Time
from .chaos import (
    LOST_CALLBACKS,
    RATE,
    break_things,
    faults,
    hurry,
    make_invoices,
    told,
)
from .helpers import IS_LONG, happens
from .processes import PostgresServer

SEED = 7


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


def test_every_invoice_has_one_order_and_is_paid_once(
    plan, office, postgres, sandbox, show
):
    hurry(office)
    invoices = make_invoices(office, plan.invoices)
    bookkeeper = Bookkeeper(plan, SEED, office, sandbox, invoices)
    customers = Customers(plan.pause, sandbox)
    port = postgres and postgres.port
    hours = Time(plan.pause, office.server.database, port, plan.minute)
    rates = [fault | {"rate": RATE} for fault in faults(plan.delay).values()]
    sandbox.begin_chaos(SEED, rates, LOST_CALLBACKS)
    started = time.monotonic()
    with bookkeeper, customers, hours:
        break_things(plan, SEED, office, sandbox, postgres)
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
                for name, rate in zip(faults(plan.delay), chaos["rates"], strict=True)
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
