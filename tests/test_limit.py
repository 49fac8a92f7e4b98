"""A long batch uses the calls that Front Payment allows, and never more than that.

The sandbox counts in the strictest way: the limit holds for any 60 seconds. While one
scheduled action sends, customers confirm and pay, and another one asks what became of
their orders.
"""

from collections import Counter
from dataclasses import dataclass

import pytest

from .actors import Customers, Time
from .helpers import IS_LONG, happens

SUBMIT = "invoice/submit"


@dataclass(frozen=True)
class Plan:
    """``limit`` in calls a minute, ``patience`` in seconds."""

    invoices: int
    limit: int
    patience: float


SHORT = Plan(40, limit=150, patience=90)
LONG = Plan(500, limit=240, patience=900)


@pytest.fixture
def plan():
    return LONG if IS_LONG else SHORT


@pytest.fixture
def office(busy_office, sandbox, plan):
    busy_office.set_parameter("calls_per_minute", plan.limit)
    sandbox.set(rate_limit=plan.limit, rate_window="sliding")
    yield busy_office
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


def test_a_batch_keeps_to_the_limit_and_uses_it(plan, office, sandbox, show):
    customer = office.company.private
    invoices = []
    for start in range(0, plan.invoices, 20):
        prices = range(start, min(start + 20, plan.invoices))
        invoices += office.invoices([(customer, 100.0 + price) for price in prices])
    time = Time(5, office.server.database, port=None, minute=60)
    with Customers(1, sandbox), time:
        for start in range(0, plan.invoices, 100):
            batch = invoices[start : start + 100]
            office.bookkeeper.click("account.move", "action_frontpay_send", *batch)
        happens(lambda: len(sandbox.orders()) >= plan.invoices, plan.patience, 1)

    calls = sandbox.requests()
    served = sorted(call["at"] for call in calls if call["status"] != 429)
    refused = len(calls) - len(served)
    sent = [call["at"] for call in calls if call["path"].endswith(SUBMIT)]
    during = [at for at in served if min(sent) <= at <= max(sent)]
    pace = (len(during) - 1) / (during[-1] - during[0]) * 60
    made = Counter(sandbox.invoice_names())
    read = office.bookkeeper.call("account.move", "read", invoices, ["name"])
    orders = [made[invoice["name"]] for invoice in read]
    show(
        "Limit",
        {
            "invoices": plan.invoices,
            "limit, calls a minute": plan.limit,
            "calls": len(calls),
            "of them sending": len(sent),
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
    if plan is LONG:
        assert pace >= 0.9 * plan.limit


def test_all_wait_as_long_as_front_payment_asks_for(busy_office, sandbox):
    """One call is told to wait, and no other one goes out meanwhile, from whichever
    worker."""
    office, pause = busy_office, 6
    invoices = office.batch(8)
    sandbox.fail_next("limited", retry_after=pause)
    with Time(1, office.server.database, port=None, minute=60):
        office.bookkeeper.click("account.move", "action_frontpay_send", *invoices)
        happens(lambda: len(sandbox.orders()) == len(invoices), 60, 1)

    calls = sorted(sandbox.requests(), key=lambda call: call["at"])
    [told] = [call["at"] for call in calls if call["status"] == 429]
    after = [call["at"] for call in calls if call["at"] > told]
    assert len(sandbox.orders()) == len(invoices)
    assert after[0] - told >= pause
