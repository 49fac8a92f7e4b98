"""What goes wrong in earnest, all at once: faults of Front Payment at random, programs
that are killed; and a company with customers enough for it."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from stdnum.no import fodselsnummer

from .databases import rows
from .helpers import happens

RATE = 0.05  # of the requests, for each kind of fault
LOST_CALLBACKS = 0.2
PRIVATE_CUSTOMERS = 7


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


def break_things(plan, seed: int, office, sandbox, postgres) -> None:
    """Kill programs, each after some request, and start them again.

    :param plan: has numbers of ``invoices``, ``kills`` and ``outages``, and how many
        seconds of ``patience``
    :param postgres: the server that is restarted; without it, connections are cut
    """

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
