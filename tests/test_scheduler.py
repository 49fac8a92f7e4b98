"""What goes on by itself: Odoo's own scheduler, which no test wakes, in real time."""

import time

import pytest

from .databases import rows
from .helpers import call_back, happens, is_untouched, send_in_silence, wait_until
from .processes import Sandbox, free_port

BATCH = 8
# Seconds in which a callback is followed once Front Payment is back: the minute
# between two calls, and the minute in which Odoo's scheduler looks for work that
# nobody woke it for (it begins anew with each other work).
BACK = 125
AWAY = 150  # seconds after which nobody waits for that any more


@pytest.fixture
def office(busy_office):
    return busy_office


def test_a_batch_is_sent_by_itself(office, sandbox):
    """With Odoo's own crons, which are woken up at once."""
    invoices = office.batch(BATCH)

    told = office.bookkeeper.click("account.move", "action_frontpay_send", *invoices)

    assert told["params"]["type"] == "success"
    assert f"{BATCH} invoices are queued" in told["params"]["message"]
    wait_until(
        lambda: {office.state(invoice) for invoice in invoices} == {"sent"},
        "the batch is sent",
    )
    sent = [order["orderAmount"] for order in sandbox.orders()]
    assert sent == [f"{(100 + n) * 1.25:.2f}" for n in range(BATCH)]


@pytest.fixture
def fading_sandbox(tmp_path):
    """A sandbox that keeps its orders and its address when it is started again."""
    server = Sandbox("fading", free_port(), tmp_path / "sandbox.sqlite")
    server.start()
    yield server
    server.stop()


def test_what_a_callback_told_is_followed_soon_after_front_payment_is_back(
    office, sandbox, fading_sandbox, show
):
    """With Odoo's own scheduler, which nobody wakes, and at its own time."""
    office.use(fading_sandbox)
    try:
        invoice, order = send_in_silence(office, fading_sandbox)
        fading_sandbox.act(order["orderUuid"], "pay")
        fading_sandbox.stop()
        assert call_back(fading_sandbox, order, "PAID") == 200
        wait_until(lambda: has_asked_in_vain(office), "Odoo asks Front Payment")
        time.sleep(2)
        assert is_untouched(office, invoice)

        fading_sandbox.start()
        started = time.monotonic()
        happens(lambda: office.state(invoice) == "paid", AWAY)
    finally:
        office.use(sandbox)
    seconds = time.monotonic() - started
    show("Front Payment is back", {"followed after seconds": round(seconds)})
    assert office.state(invoice) == "paid"
    assert seconds <= BACK
    assert len(office.payments(invoice)) == 1


def has_asked_in_vain(office) -> bool:
    return bool(
        rows(
            office.server.database,
            "SELECT 1 FROM frontpay_exchange"
            " WHERE path LIKE '%status%' AND error IS NOT NULL",
        )
    )


def test_odoo_starts_its_evented_process_once(office):
    assert office.server.log.count("Evented Service") == 1
