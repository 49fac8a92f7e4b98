"""Two Odoo servers on one database, without queue_job: they share the queue and Front
Payment's limit. One of them is killed while it sends, and the other one's clock is off.
"""

import os
import time
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import pytest

from .helpers import IS_LONG, happens, wait_until
from .office import Office
from .processes import odoo_server
from .test_limit import SUBMIT, by_minute, most_within

LIMIT = 240  # calls a minute
LATENCY = 0.1  # seconds that Front Payment takes for an answer
INVOICES = 500 if IS_LONG else 80
PATIENCE = 400 if IS_LONG else 240
# Of the limit, by a machine that does nothing else; beside the other tests it is as
# slow as they make it.
IS_SHARED = "PYTEST_XDIST_WORKER" in os.environ
USED = 0 if IS_SHARED else 0.9 if IS_LONG else 0.6
CLOCK = Path(__file__).with_name("clock")
OFFSET = 60  # seconds by which the second server's clock is fast
SENDING = "Job 'Front Payment: send queued invoices'"


def start(server, offset: int = 0) -> None:
    """Start a server whose clock is fast by so many seconds; see ``clock``."""
    path = os.pathsep.join([str(CLOCK), os.environ["PYTHONPATH"]])
    with patch.dict(os.environ, PYTHONPATH=path, CLOCK_OFFSET=str(offset)):
        server.start()


@pytest.fixture
def offices(open_office, data_dir, sandbox):
    """The same office at two servers, each with workers for requests and for scheduled
    actions."""
    with open_office("pair", crons=2) as first:
        server = odoo_server("pair-fast", first.server.database, data_dir, crons=2)
        try:
            start(server, OFFSET)
            second = Office(first.company, server, sandbox)
            first.set_parameter("calls_per_minute", LIMIT)
            sandbox.set(rate_limit=LIMIT, rate_window="sliding")
            yield first, second
        finally:
            server.stop()


def is_sending(office) -> bool:
    """Whether one of its server's workers sends the queue just now."""
    told = [line for line in office.server.log.splitlines() if SENDING in line]
    return bool(told) and told[-1].rstrip().endswith("starting")


def pace(times: list[float]) -> float:
    """Calls a minute."""
    return (len(times) - 1) / (times[-1] - times[0]) * 60


def test_two_servers_share_the_queue_and_the_limit(offices, sandbox, show):
    invoices = offices[0].batch(INVOICES)
    sandbox.fail_next("delay", seconds=LATENCY, count=10_000)
    for number, office in enumerate(offices):  # at each server, half of them
        half = invoices[number::2]
        office.bookkeeper.click("account.move", "action_frontpay_send", *half)
    wait_until(lambda: len(sandbox.orders()) > INVOICES // 3, "some are sent", PATIENCE)
    wait_until(lambda: any(map(is_sending, offices)), "one of them sends")
    victim, survivor = sorted(offices, key=is_sending, reverse=True)
    victim.server.kill()
    killed_at = time.time()
    start(victim.server, OFFSET if victim is offices[1] else 0)
    happens(lambda: not survivor.states(invoices)["queued"], PATIENCE, 1)
    survivor.run_cron("cron_recover")  # it looks for what was under way
    happens(lambda: survivor.states(invoices) == {"sent": INVOICES}, 30, 1)
    states = survivor.states(invoices)

    calls = sandbox.requests()
    served = sorted(call["at"] for call in calls if call["status"] != 429)
    sent = sorted(call["at"] for call in calls if call["path"].endswith(SUBMIT))
    before = [at for at in sent if at < killed_at]
    after = [at for at in sent if at > killed_at]
    made = Counter(sandbox.invoice_names())
    show(
        f"Two servers at {LIMIT} calls a minute",
        {
            "invoices": INVOICES,
            "killed": victim.server.name,
            "states": dict(states),
            "orders": made.total(),
            "sent twice": sum(count > 1 for count in made.values()),
            "answered 429": len(calls) - len(served),
            "most within any minute": most_within(60, served),
            "calls by minute": by_minute(served),
            "a minute before the kill": f"{pace(before):.0f}",
            "a minute after it": f"{pace(after):.0f}",
            "seconds between": round(after[0] - before[-1], 1),
        },
    )
    assert states == {"sent": INVOICES}
    assert len(made) == made.total() == INVOICES
    assert len(calls) == len(served)
    assert most_within(60, served) <= LIMIT
    assert most_within(20, served) <= LIMIT / 3 + LIMIT / 20
    assert min(pace(before), pace(after)) >= USED * LIMIT
