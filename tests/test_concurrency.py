"""Many at once, and a server that dies half-way: nothing is sent or booked twice."""

import contextlib
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
import requests

from .people import Refusal

CROWD = 8  # people, or callbacks, at once
PATIENCE = 20  # seconds

KNOWN_REFUSALS = (
    "is just being handled by somebody else",
    "has been handed to Front Payment already",
    "hasn't changed since it was handed to Front Payment",
)


def wait_until(is_so, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"{what} within {PATIENCE} seconds"
        time.sleep(0.1)


def at_once(actions: list) -> list:
    """The results of functions that are called at the same time, errors included."""

    def attempt(action):
        try:
            return action()
        except (Refusal, requests.RequestException) as error:
            return error

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(attempt, actions))


def callback_parameters(sandbox, order: dict, status: str) -> dict:
    """A report as Front Payment signs it: the values in this order, then the secret."""
    parameters = {
        "orderUuid": order["orderUuid"],
        "status": status,
        "paymentMethod": "invoice",
        "amount": order["orderAmount"],
        "createdAt": str(int(order["createdAt"])),
        "timestamp": str(int(time.time())),
    }
    signed = "".join([*parameters.values(), sandbox.secret])
    return parameters | {"checksum": hashlib.sha256(signed.encode()).hexdigest()}


def report(sandbox, order: dict, status: str) -> int:
    """Call an order's callback address.

    :return: the HTTP status of the answer
    """
    return requests.get(
        order["payload"]["callback"]["callbackUrl"],
        params=callback_parameters(sandbox, order, status),
        timeout=60,
    ).status_code


def paid_in_silence(office, sandbox) -> tuple[int, dict]:
    """An invoice whose customer has paid without a callback, and its order there."""
    sandbox.set_callbacks(False)
    invoice = office.invoice()
    office.send(invoice)
    order = sandbox.order(office.name(invoice))
    sandbox.act(order["orderUuid"], "pay")
    return invoice, order


def kill_sender(office, invoice: int, is_time, what: str) -> None:
    """Send an invoice, kill the server when it is time, and start it again."""
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(office.send, invoice)
        wait_until(is_time, what)
        office.server.kill()
        assert isinstance(sending.exception(PATIENCE), requests.ConnectionError)
    office.server.start()


def test_many_who_click_at_once_make_one_order(office, sandbox):
    invoice = office.invoice()
    logins = ["bookkeeper", "colleague"] * (CROWD // 2)
    people = [office.person(login) for login in logins]
    for person in people:  # looks at it first
        person.read("account.move", invoice, "name")
    sandbox.fail_next("delay", seconds=1.5)

    results = at_once(
        [
            lambda person=person: person.click(
                "account.move", "action_frontpay_send", invoice
            )
            for person in people
        ]
    )

    refusals = [str(result) for result in results if isinstance(result, Refusal)]
    done = [result for result in results if isinstance(result, dict)]
    assert [action["params"]["type"] for action in done] == ["success"], results
    assert len(refusals) == CROWD - 1
    for refusal in refusals:
        assert office.name(invoice) in refusal
        assert any(known in refusal for known in KNOWN_REFUSALS), refusal
    assert len(sandbox.orders_of(office.name(invoice))) == 1
    assert [order["state"] for order in office.orders(invoice)] == ["sent"]


def test_the_same_callback_many_times_at_once_is_paid_once(office, sandbox):
    invoice, order = paid_in_silence(office, sandbox)

    answers = at_once([lambda: report(sandbox, order, "PAID")] * CROWD)

    assert answers == [200] * CROWD
    office.run_cron("cron_ask")
    assert office.state(invoice) == "paid"
    assert len(office.payments(invoice)) == 1
    assert office.money(invoice)["amount_residual"] == 0


def test_callbacks_that_overtake_each_other_end_as_paid(office, sandbox):
    invoice, order = paid_in_silence(office, sandbox)
    statuses = ["INVOICED", "PAID", "Purring", "SENT"] * 2

    answers = at_once(
        [lambda status=status: report(sandbox, order, status) for status in statuses]
    )

    assert answers == [200] * len(statuses)
    assert [report(sandbox, order, status) for status in ("SENT", "Purring")] == [
        200
    ] * 2
    office.run_cron("cron_ask")
    assert office.state(invoice) == "paid"
    assert len(office.payments(invoice)) == 1


def test_callbacks_while_the_order_is_locked_are_answered_at_once(office, sandbox):
    """Somebody changes the order at the same time, and takes long."""
    invoice, order = paid_in_silence(office, sandbox)

    with locked(office.server.database, "frontpay_order") as changed:
        started = time.monotonic()
        answers = at_once(
            [
                lambda status=status: report(sandbox, order, status)
                for status in ("INVOICED", "PAID", "success")
            ]
        )
        assert time.monotonic() - started < 5
        changed()

    assert answers == [200] * 3
    office.run_cron("cron_ask")
    assert office.state(invoice) == "paid"
    assert len(office.payments(invoice)) == 1


def test_an_answer_that_meets_another_change_is_followed_once(office, sandbox):
    """PostgreSQL refuses the first attempt; the second one pays no second time."""
    invoice, order = paid_in_silence(office, sandbox)
    assert report(sandbox, order, "PAID") == 200
    sandbox.fail_next("delay", path="orders/status", seconds=3)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(office.run_cron, "cron_ask")
        time.sleep(1.5)  # the question is on its way
        with locked(office.server.database, "frontpay_order") as changed:
            changed()
        asking.result(PATIENCE)

    assert "could not serialize access" in office.server.log
    assert office.state(invoice) == "paid"
    assert len(office.payments(invoice)) == 1


def test_many_who_ask_at_once_while_the_cron_does_pay_once(office, sandbox):
    invoice, order = paid_in_silence(office, sandbox)
    assert report(sandbox, order, "PAID") == 200
    people = [office.person(login) for login in ("bookkeeper", "colleague") * 3]
    asking = [
        lambda person=person: person.click(
            "account.move", "action_frontpay_refresh", invoice
        )
        for person in people
    ]

    at_once([*asking, lambda: office.run_cron("cron_ask")])

    office.run_cron("cron_ask")
    assert office.state(invoice) == "paid"
    assert len(office.payments(invoice)) == 1
    assert office.money(invoice)["amount_residual"] == 0


@contextlib.contextmanager
def locked(database: str, table: str):
    """Change every row of a table, and hold the locks until ``changed()`` commits."""
    with contextlib.closing(psycopg2.connect(dbname=database)) as connection:
        connection.cursor().execute(f"UPDATE {table} SET write_date = now()")
        yield connection.commit


def test_callbacks_before_the_answer_lose_nothing(office, sandbox):
    """The customer is quicker than the answer to the sender (question 22)."""
    invoice = office.invoice()
    name = office.name(invoice)
    sandbox.fail_next("delay", when="after", seconds=4)

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(office.send, invoice)
        wait_until(lambda: sandbox.orders_of(name), "the sandbox has the order")
        order = sandbox.order(name)
        sandbox.act(order["orderUuid"], "confirm")
        sandbox.act(order["orderUuid"], "pay")
        wait_until(
            lambda: sandbox.order(name)["callbacks"][1:], "both callbacks are sent"
        )
        office.run_cron("cron_ask")
        assert not sending.done()
        assert office.state(invoice) == "paid"
        result = sending.result(PATIENCE)

    assert result["params"]["type"] == "success"
    answers = [callback["answer"] for callback in sandbox.order(name)["callbacks"]]
    assert answers == [200, 200]
    [stored] = office.orders(invoice)
    assert stored["state"] == "paid"
    assert stored["order_uuid"] == order["orderUuid"]
    assert stored["customer_uuid"] == order["customerUuid"]
    assert len(office.payments(invoice)) == 1


def test_a_server_killed_while_sending_forgets_nothing(open_office, sandbox):
    with open_office("killed") as office:
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
        with pytest.raises(Refusal, match="has been handed to Front Payment already"):
            office.send(invoice)
        assert len(sandbox.orders_of(name)) == 1

        sandbox.set_callbacks(False)
        order = sandbox.order(name)
        sandbox.act(order["orderUuid"], "pay")
        assert report(sandbox, order, "PAID") == 200
        office.run_cron("cron_ask")
        assert office.state(invoice) == "paid"
        assert office.orders(invoice)[0]["order_uuid"] == order["orderUuid"]
        assert len(office.payments(invoice)) == 1
