"""A long batch uses the calls that Front Payment allows, and never more than that.

The sandbox counts in the strictest way: the limit holds for any 60 seconds. Odoo's own
scheduler does the work, in real time: nothing here wakes it.
"""

import os
from collections import Counter
from dataclasses import dataclass

import pytest

from .actors import Customers
from .helpers import IS_LONG, happens

SUBMIT = "invoice/submit"
LATENCY = 0.1  # seconds that Front Payment takes for an answer


@dataclass(frozen=True)
class Plan:
    """``limit`` in calls a minute, ``patience`` in seconds; ``used``, the share of the
    limit that a batch uses which has it for itself."""

    invoices: int
    limit: int
    patience: float
    used: float = 0


ALONE = [Plan(240, limit=240, patience=300, used=0.8)]  # in 75 seconds
if IS_LONG:
    ALONE = [Plan(500, 240, 200, used=0.9), Plan(2_400, 240, 800, used=0.95)]
WITH_CUSTOMERS = Plan(40, limit=150, patience=240)
# Beside the other tests, the machine is as slow as they make it.
IS_SHARED = "PYTEST_XDIST_WORKER" in os.environ
USED_BESIDE_OTHERS = 0.25


@pytest.fixture
def limited(busy_office, sandbox):
    """Set the limit on both sides."""

    def set_limit(limit: int):
        busy_office.set_parameter("calls_per_minute", limit)
        sandbox.set(rate_limit=limit, rate_window="sliding")
        sandbox.fail_next("delay", seconds=LATENCY, count=10_000)
        return busy_office

    yield set_limit
    busy_office.set_parameter("calls_per_minute", 240)


def most_within(seconds: float, times: list[float]) -> int:
    """The most calls that came within any span of so many seconds."""
    most = first = 0
    for last, time in enumerate(times):
        while times[first] <= time - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def by_minute(times: list[float]) -> str:
    minutes = [int((time - times[0]) // 60) for time in times]
    counts = [minutes.count(minute) for minute in range(minutes[-1] + 1)]
    return " ".join(map(str, counts))


def queue(office, count: int) -> list[int]:
    """Queue so many new invoices by clicks on a hundred each."""
    customer = office.company.private
    invoices = []
    for start in range(0, count, 20):
        prices = range(start, min(start + 20, count))
        invoices += office.invoices([(customer, 100.0 + price) for price in prices])
    for start in range(0, count, 100):
        batch = invoices[start : start + 100]
        office.bookkeeper.click("account.move", "action_frontpay_send", *batch)
    return invoices


def check(plan: Plan, office, sandbox, invoices, show) -> float:
    """Nothing is lost or sent twice, and the limit is kept.

    :return: calls a minute while there was something to send
    """
    calls = sandbox.requests()
    served = sorted(call["at"] for call in calls if call["status"] != 429)
    refused = len(calls) - len(served)
    sent = sorted(call["at"] for call in calls if call["path"].endswith(SUBMIT))
    during = [at for at in served if sent[0] <= at <= sent[-1]]
    pace = (len(during) - 1) / (during[-1] - during[0]) * 60
    made = Counter(sandbox.invoice_names())
    read = office.bookkeeper.call("account.move", "read", invoices, ["name"])
    orders = [made[invoice["name"]] for invoice in read]
    show(
        f"Limit of {plan.limit} calls a minute",
        {
            "invoices": plan.invoices,
            "calls": len(calls),
            "of them sending": len(sent),
            "seconds from first to last sending": round(sent[-1] - sent[0], 1),
            "answered 429": refused,
            "most within any minute": most_within(60, served),
            "calls by minute": by_minute(served),
            "a minute while sending": f"{pace:.1f} ({pace / plan.limit:.0%})",
            "lost": orders.count(0),
            "sent twice": sum(count > 1 for count in orders),
        },
    )
    assert orders == [1] * plan.invoices
    assert not refused
    assert most_within(60, served) <= plan.limit
    # Neither in a rush after which everybody has to wait.
    assert most_within(20, served) <= plan.limit / 3 + plan.limit / 20
    return pace


@pytest.mark.parametrize("plan", ALONE, ids=lambda plan: plan.invoices)
def test_a_batch_uses_the_limit(plan, limited, sandbox, show):
    """From the first invoice to the last, over many runs of the scheduled action."""
    office = limited(plan.limit)
    invoices = queue(office, plan.invoices)
    happens(lambda: len(sandbox.orders()) >= plan.invoices, plan.patience, 5)
    used = USED_BESIDE_OTHERS if IS_SHARED else plan.used
    assert check(plan, office, sandbox, invoices, show) >= used * plan.limit


def test_sending_and_polling_keep_to_one_limit(limited, sandbox, show):
    """While one scheduled action sends, customers confirm and pay, and another one asks
    what became of their orders."""
    plan = WITH_CUSTOMERS
    office = limited(plan.limit)
    with Customers(1, sandbox):
        invoices = queue(office, plan.invoices)
        happens(lambda: len(sandbox.orders()) >= plan.invoices, plan.patience, 1)
    check(plan, office, sandbox, invoices, show)
    polls = [call for call in sandbox.requests() if "/status" in call["path"]]
    assert polls


def test_all_wait_as_long_as_front_payment_asks_for(busy_office, sandbox):
    """One call is told to wait, and no other one goes out meanwhile, from whichever
    worker."""
    office, pause = busy_office, 6
    invoices = office.batch(8)
    sandbox.fail_next("limited", retry_after=pause)
    office.bookkeeper.click("account.move", "action_frontpay_send", *invoices)
    # The one that was refused goes out a minute later.
    happens(lambda: len(sandbox.orders()) == len(invoices) - 1, 60, 1)

    calls = sorted(sandbox.requests(), key=lambda call: call["at"])
    [told] = [call["at"] for call in calls if call["status"] == 429]
    after = [call["at"] for call in calls if call["at"] > told]
    assert len(sandbox.orders()) == len(invoices) - 1
    assert after[0] - told >= pause
