"""Signed callbacks to the merchant (section 17 of the API reference).

A GET to the order's ``callbackUrl`` with the parameters in the order of the documented
example; the checksum is SHA-256 over their decoded values in that order and the secret.
Only the sandbox's own parameters are signed, not those the URL may already have:
what Front Payment does with those is unknown (section 24, question 17).

The documentation promises no retries. The sandbox tries again a few times, so that a
merchant that is just starting gets its callback, and gives up after that.
"""

import contextlib
import hashlib
import heapq
import ipaddress
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit

import requests

from .orders import Order, OrderNotFound, Orders
from .rules import is_url
from .settings import Settings

TIMEOUT = 5  # seconds
RETRY_AFTER = (1, 4, 10)  # seconds after the first, second, third failure
NOT_LOOPBACK = "Not sent: the sandbox calls only URLs of this machine."


def checksum(values: Iterable[str], secret: str) -> str:
    """Lower-case SHA-256 hex of the values one after the other and the secret."""
    return hashlib.sha256("".join([*values, secret]).encode()).hexdigest()


def signed_url(order: Order, status: str, secret: str, timestamp: int) -> str:
    """The order's callback URL with the signed parameters.

    :param status: the one to send, the order itself may have moved on since
    :param timestamp: when the callback is sent, Unix seconds
    """
    parameters = {
        "orderUuid": order.uuid,
        "status": status,
        "paymentMethod": order.payment_method,
        "amount": f"{order.total:.2f}",
        "createdAt": str(order.created_at),
        "timestamp": str(timestamp),
    }
    parameters["checksum"] = checksum(parameters.values(), secret)
    url, _hash, _fragment = order.callback["callbackUrl"].partition("#")
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def is_loopback(url: str | None) -> bool:
    """Whether the URL is one of this machine, found out without a name server.

    Anything that is no http or https URL is not.
    """
    if not is_url(url):
        return False
    host = urlsplit(url).hostname
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, order=True)
class Delivery:
    """A callback to send; the first one due goes first (``due`` as time.monotonic)."""

    due: float
    order_uuid: str
    status: str
    attempt: int = 1


class Callbacks:
    """Sends callbacks one at a time from a thread of its own, never from a request."""

    def __init__(self, orders: Orders, settings: Settings):
        self._orders = orders
        self._settings = settings
        self._waiting: list[Delivery] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name="callbacks", daemon=True).start()

    def send(self, order: Order) -> None:
        """Send the merchant the order's status, soon, if a URL was given."""
        if self._settings.callbacks and order.callback.get("callbackUrl"):
            self._schedule(Delivery(time.monotonic(), order.uuid, order.status))

    def _schedule(self, delivery: Delivery) -> None:
        with self._changed:
            heapq.heappush(self._waiting, delivery)
            self._changed.notify()

    def _next(self) -> Delivery:
        """Waits until a delivery is due."""
        with self._changed:
            while not self._waiting or self._waiting[0].due > time.monotonic():
                self._changed.wait(self._pause())
            return heapq.heappop(self._waiting)

    def _pause(self) -> float | None:
        """Seconds to the next delivery; None, so without end, if there is none."""
        return self._waiting[0].due - time.monotonic() if self._waiting else None

    def _work(self) -> None:
        while True:
            delivery = self._next()
            # An order that is gone was deleted by a test meanwhile.
            with contextlib.suppress(OrderNotFound):
                self._deliver(delivery)

    def _deliver(self, delivery: Delivery) -> None:
        order = self._orders.get(delivery.order_uuid)
        now = time.time()
        url = signed_url(order, delivery.status, self._settings.secret, int(now))
        may_send = is_loopback(url)
        answer, error = self._get(url) if may_send else (None, NOT_LOOPBACK)
        self._orders.record_callback(
            order.uuid,
            status=delivery.status,
            at=now,
            url=url,
            attempt=delivery.attempt,
            answer=answer,
            error=error,
        )
        is_accepted = answer is not None and 200 <= answer < 300
        if may_send and not is_accepted:
            self._retry(delivery)

    def _get(self, url: str) -> tuple[int | None, str | None]:
        """The answer's code, or why there is none."""
        try:
            with requests.Session() as session:  # a new one: no cookies are kept
                session.trust_env = False  # no proxy between us and ourselves
                answer = session.get(
                    url, timeout=TIMEOUT, allow_redirects=False, stream=True
                )
                return answer.status_code, None
        except requests.Timeout:
            return None, f"No answer within {TIMEOUT} seconds."
        except requests.ConnectionError:
            return None, "Nobody answers at this URL."
        except (requests.RequestException, ValueError) as error:
            return None, f"Not sent: {type(error).__name__}."

    def _retry(self, delivery: Delivery) -> None:
        if delivery.attempt > len(RETRY_AFTER):
            return
        due = time.monotonic() + RETRY_AFTER[delivery.attempt - 1]
        self._schedule(replace(delivery, due=due, attempt=delivery.attempt + 1))
