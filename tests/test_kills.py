"""A server that dies half-way forgets nothing, and nothing is sent twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from .helpers import TIMEOUT, call_back, wait_until
from .rpc import Refusal


@pytest.fixture(scope="module")
def mortal_office(open_office):
    with open_office("mortal") as office:
        yield office


@pytest.fixture
def office(mortal_office, sandbox):
    mortal_office.reset()
    return mortal_office


def kill_sender(office, invoice: int, is_time, what: str) -> None:
    """Send an invoice, kill the server when it is time, and start it again."""
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(office.send, invoice)
        wait_until(is_time, what)
        office.server.kill()
        assert isinstance(sending.exception(TIMEOUT), requests.ConnectionError)
    office.server.start()


def test_a_server_killed_while_sending_forgets_nothing(office, sandbox):
    invoice = office.invoice()
    name = office.name(invoice)
    sandbox.fail_next("delay", when="after", seconds=30)

    kill_sender(
        office,
        invoice,
        lambda: sandbox.orders_of(name),
        "the sandbox has the order",
    )

    assert office.state(invoice) == "sending"
    with pytest.raises(Refusal, match="Check its outcome first"):
        office.send(invoice)
    assert len(sandbox.orders_of(name)) == 1

    sandbox.set_callbacks(False)
    order = sandbox.order(name)
    sandbox.act(order["orderUuid"], "pay")
    assert call_back(sandbox, order, "PAID") == 200
    office.run_cron("cron_poll")
    assert office.state(invoice) == "paid"
    assert office.orders(invoice)[0]["order_uuid"] == order["orderUuid"]
    assert len(office.payments(invoice)) == 1


@pytest.mark.parametrize("tells_references", [True, False])
def test_a_killed_senders_order_is_found(office, sandbox, tells_references):
    sandbox.set(details_references=tells_references)
    invoice = office.invoice()
    name = office.name(invoice)
    sandbox.fail_next("delay", when="after", seconds=30)
    kill_sender(
        office,
        invoice,
        lambda: sandbox.orders_of(name),
        "the sandbox has the order",
    )
    assert office.state(invoice) == "sending"

    office.run_cron("cron_recover")

    [order] = office.orders(invoice)
    assert order["state"] == "sent"
    assert order["order_uuid"] == sandbox.order(name)["orderUuid"]


def test_an_order_that_appears_late_is_not_sent_twice(office, sandbox):
    invoice = office.invoice()
    # Longer than another server takes to start.
    sandbox.fail_next("delay", when="before", seconds=45)
    kill_sender(
        office,
        invoice,
        sandbox.has_failed,
        "its request has gone out",
    )
    office.run_cron("cron_recover")
    assert office.state(invoice) == "unknown"
    assert not sandbox.orders()
    with pytest.raises(Refusal, match="Check its outcome first"):
        office.send(invoice)

    wait_until(sandbox.orders, "the request that was under way arrives", 60)
    office.run_cron("cron_recover")

    assert office.state(invoice) == "sent"
    assert len(sandbox.orders()) == 1
