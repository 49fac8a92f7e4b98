"""What goes wrong in earnest, all at once: faults of Front Payment at random, programs
that are killed; and a company with customers enough for it."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle, islice

from stdnum.no import fodselsnummer

from .actors import Bookkeeper, Customers, Time
from .databases import rows
from .helpers import happens

RATE = 0.05  # of the requests, for each kind of fault
LOST_CALLBACKS = 0.2
PRIVATE_CUSTOMERS = 7

# What the sandbox says of an order, and how Odoo says it.
STATES = {"SENT": "sent", "INVOICED": "invoiced", "PAID": "paid"}


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


def personal_numbers() -> Iterator[str]:
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


def faults(delay: float) -> dict[str, dict]:
    """What the sandbox does to requests at random, by a name for people.

    :param delay: seconds
    """
    return {
        "dropped before storing": {"kind": "drop"},
        "dropped after storing": {"kind": "drop", "when": "after"},
        "answered 500": {"kind": "status", "status": 500},
        "answered 510": {"kind": "status", "status": 510},
        "answered 429": {"kind": "limited"},
        "answered garbage": {"kind": "garbage"},
        f"answered {delay} s late": {"kind": "delay", "seconds": delay},
    }


def break_things(plan, seed: int, servers: list, sandbox, postgres) -> None:
    """Kill programs, each after some request, and start them again.

    :param plan: has numbers of ``invoices``, ``kills`` and ``outages``, and how many
        seconds of ``patience``
    :param servers: of Odoo, on one database; they are killed in turn
    :param postgres: the server that is restarted; without it, connections are cut
    """
    victims = cycle(servers)

    def kill() -> None:
        server = next(victims)
        server.kill()
        server.start()

    def outage() -> None:
        if postgres:
            postgres.restart()
            return
        rows(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{servers[0].database}'",
        )

    chance = random.Random(seed)
    blows = [kill] * plan.kills + [outage] * plan.outages
    chance.shuffle(blows)
    requests = sorted(chance.sample(range(plan.invoices * 3 // 2), len(blows)))
    for blow, after in zip(blows, requests, strict=True):
        happens(lambda after=after: sandbox.chaos()["requests"] > after, plan.patience)
        time.sleep(chance.random())
        blow()


def hurry(office) -> None:
    """Odoo's own pauses are as short as the sandbox's delays allow."""
    office.set_parameter("grace_minutes", 1)
    office.set_parameter("calls_per_minute", 100_000)
    # Each alone: where the machine can't print, what prints them is one page for all.
    one = ("account.pdf_generation_batch", "0")
    office.admin.call("ir.config_parameter", "set_param", *one)


def told(counts: Counter) -> str:
    """Counts by name, as a line."""
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def endure(
    plan: Plan, seed: int, office, sandbox, show, *, postgres=None, others=()
) -> None:
    """Send, confirm and pay while everything goes wrong; then no invoice was sent or
    paid twice, or lost.

    :param show: called with what happened, a table
    :param postgres: the server that is restarted; without it, connections are cut
    :param others: further servers of the office's database, which are killed too
    """
    hurry(office)
    invoices = make_invoices(office, plan.invoices)
    bookkeeper = Bookkeeper(plan, seed, office, sandbox, invoices)
    customers = Customers(plan.pause, sandbox)
    port = postgres and postgres.port
    hours = Time(plan.pause, office.server.database, port, plan.minute)
    rates = [fault | {"rate": RATE} for fault in faults(plan.delay).values()]
    sandbox.begin_chaos(seed, rates, LOST_CALLBACKS)
    started = time.monotonic()
    with bookkeeper, customers, hours:
        break_things(plan, seed, [office.server, *others], sandbox, postgres)
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
        }
    )
    assert not books.unsettled, books.stories(office)
    assert not duplicates, duplicates
    assert not lost, lost
    assert not foreign, foreign
    assert books.payments == Counter(paid), books.payments
    assert books.open_amounts == {
        invoice: 0 if invoice in paid else row["amount_total"]
        for invoice, row in books.invoices.items()
    }
