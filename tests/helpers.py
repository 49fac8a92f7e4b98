"""What several tests do: wait, do things at once, call Odoo as Front Payment does."""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import requests

from .office import Office
from .processes import Sandbox
from .rpc import Refusal

# ./dev test --long: many more of what is made up, and of what goes wrong.
IS_LONG = bool(os.environ.get("FRONTPAY_LONG"))
NOBODY = "http://127.0.0.1:9/api/v1/"  # the discard port: nobody listens there
TIMEOUT = 20  # seconds


def happens(is_so: Callable, seconds: float, pause: float = 0.1) -> bool:
    """Whether something becomes so within that many seconds."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def wait_until(is_so: Callable, what: str, seconds: float = TIMEOUT) -> None:
    assert happens(is_so, seconds), f"{what} within {seconds} seconds"


def at_once(actions: list[Callable]) -> list:
    """The results of functions that are called at the same time, errors included."""

    def attempt(action):
        try:
            return action()
        except (Refusal, requests.RequestException) as error:
            return error

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(attempt, actions))


@contextlib.contextmanager
def held(database: str, query: str):
    """Do something in a transaction, and hold its locks until ``commit()`` is called
    or the block ends."""
    with contextlib.closing(psycopg2.connect(dbname=database)) as connection:
        connection.cursor().execute(query)
        yield connection.commit


def invoice_held(office: Office, invoice: int):
    """Somebody changes an invoice until the block ends."""
    query = f"SELECT FROM account_move WHERE id = {invoice} FOR UPDATE"
    return held(office.server.database, query)


def signed_callback(
    sandbox: Sandbox, order: dict, status: str, sent_at: float | None = None
) -> dict:
    """A callback's parameters as Front Payment signs them: the values in this order,
    then the secret.

    :param sent_at: Unix time, now if left out
    """
    parameters = {
        "orderUuid": order["orderUuid"],
        "status": status,
        "paymentMethod": "invoice",
        "amount": order["orderAmount"],
        "createdAt": str(int(order["createdAt"])),
        "timestamp": str(int(sent_at or time.time())),
    }
    signed = "".join([*parameters.values(), sandbox.secret])
    return parameters | {"checksum": hashlib.sha256(signed.encode()).hexdigest()}


def call_back(sandbox: Sandbox, order: dict, status: str) -> int:
    """Call an order's callback address.

    :return: the HTTP status of the answer
    """
    return requests.get(
        order["payload"]["callback"]["callbackUrl"],
        params=signed_callback(sandbox, order, status),
        timeout=60,
    ).status_code


def send_in_silence(office: Office, sandbox: Sandbox) -> tuple[int, dict]:
    """Send an invoice of which no callback will come.

    :return: the invoice, and its order as the sandbox has it
    """
    sandbox.set_callbacks(False)
    invoice = office.invoice()
    office.send(invoice)
    return invoice, sandbox.order(office.name(invoice))


def pay_in_silence(office: Office, sandbox: Sandbox) -> tuple[int, dict]:
    """An invoice whose customer has paid without a callback; see above."""
    invoice, order = send_in_silence(office, sandbox)
    sandbox.act(order["orderUuid"], "pay")
    return invoice, order


def is_untouched(office: Office, invoice: int) -> bool:
    """Whether the invoice is as it was sent, and nothing is booked."""
    return office.state(invoice) == "sent" and not office.payments(invoice)
