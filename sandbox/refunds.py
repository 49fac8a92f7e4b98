"""Refunds: asked for by the merchant, pending until a person at Front Payment decides.

::

    PENDING ---> REFUNDED
       |
       +-------> REJECTED

Nothing tells a merchant that a refund is pending; what was paid back shows in the
order's ``refundedAmount``. A refund of a claim that nobody has paid yet lowers it: the
order keeps its status, until the whole claim is gone. What the real server does there
is not known.
"""

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from .orders import (
    INKASSO,
    INVOICED,
    PAID,
    PARTIAL_REFUNDED,
    PURRING,
    REFUNDED,
    Order,
    Orders,
)
from .payload import number, products, read
from .settings import Settings
from .totals import money

PENDING = "PENDING"
REJECTED = "REJECTED"
DECISIONS = {"confirm": REFUNDED, "reject": REJECTED}
WEEK = 7 * 24 * 60 * 60  # seconds
REFUNDABLE = (INVOICED, PURRING, INKASSO, PAID, PARTIAL_REFUNDED)
# What asking for approval can help against.
LIMITS = {
    "week": "refundRejectionForWeeklyThresholdExceed",
    "amount": "refundRejectionForRequestAmountThresholdExceed",
}


class Refused(Exception):
    """The refund is not taken; the text is the API's code for that."""


class NotPending(Exception):
    """Somebody has decided already."""


class RefundNotFound(LookupError):
    """No refund has that number."""


@dataclass(frozen=True)
class Refund:
    """One refund; ``received`` is the JSON text as it came, ``at`` in Unix seconds.

    ``is_request`` tells those that came as a request for approval.
    """

    id: int
    order_uuid: str
    status: str
    is_request: int
    at: float
    received: str

    @cached_property
    def payload(self) -> dict:
        return read(self.received)

    @property
    def amount(self) -> Decimal:
        return money(self.payload["grandTotal"])

    @property
    def lines(self) -> dict[int, Decimal]:
        """What each of the order's lines gets of it, by the line's id."""
        amounts: dict[int, Decimal] = {}
        for line in products(self.payload):
            line_id = int(number(line["id"]))
            amounts[line_id] = amounts.get(line_id, Decimal(0)) + money(line["amount"])
        return amounts


class Refunds:
    """The refunds of the orders in the same store."""

    def __init__(self, orders: Orders, settings: Settings):
        self._orders = orders
        self._settings = settings

    # Reading

    def of(self, order_uuid: str) -> list[Refund]:
        """An order's refunds, oldest first."""
        return self._found("WHERE order_uuid = ? ORDER BY id", order_uuid)

    def all(self) -> list[Refund]:
        return self._found("ORDER BY id")

    def get(self, refund_id: int) -> Refund:
        """:raises RefundNotFound: when no refund has that number"""
        found = self._found("WHERE id = ?", refund_id)
        if not found:
            raise RefundNotFound(refund_id)
        return found[0]

    def outcome(self, order_uuid: str) -> str | None:
        """How the order's newest refund ended; None while it is pending."""
        newest = [refund.status for refund in self.of(order_uuid)][-1:]
        return next((status for status in newest if status != PENDING), None)

    def _found(self, condition: str, *values: object) -> list[Refund]:
        rows = self._orders.query(f"SELECT * FROM refunds {condition}", *values)
        return [Refund(**row) for row in rows]

    # Writing

    def request(self, order_uuid: str, received: str, *, is_request: bool) -> None:
        """Take a checked refund; it is pending then.

        :param received: the JSON text as it came
        :param is_request: whether approval is asked for, so that no limit counts
        :raises OrderNotFound: when no order has that id
        :raises Refused: it is not taken
        """
        with self._orders.transaction() as db:
            order = self._orders.get(order_uuid)
            refund = Refund(0, order_uuid, PENDING, is_request, time.time(), received)
            for code in self._refusals(order, refund):
                raise Refused(code)
            self._insert(db, refund)

    def decide(self, refund_id: int, decision: str) -> Order:
        """Front Payment pays a refund back, or does not.

        :param decision: a key of :const:`DECISIONS`
        :raises RefundNotFound: when no refund has that number
        :raises NotPending: when it was decided before
        """
        with self._orders.transaction() as db:
            refund = self.get(refund_id)
            if refund.status != PENDING:
                raise NotPending(f"This refund is {refund.status} already.")
            status = DECISIONS[decision]
            db.execute(
                "UPDATE refunds SET status = ? WHERE id = ?", (status, refund_id)
            )
            if status == REJECTED:
                order = self._orders.get(refund.order_uuid)
                note = f"Refund of NOK {refund.amount:.2f} rejected"
                self._orders.note(db, order, note)
                return order
            return self._orders.pay_back(db, refund.order_uuid, refund.amount)

    def _insert(self, db: sqlite3.Connection, refund: Refund) -> None:
        db.execute(
            "INSERT INTO refunds (order_uuid, status, is_request, at, received)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                refund.order_uuid,
                refund.status,
                refund.is_request,
                refund.at,
                refund.received,
            ),
        )

    # Why a refund is not taken (section 2; section 25)

    def _refusals(self, order: Order, refund: Refund) -> Iterator[str]:
        others = self.of(order.uuid)
        pending = [other for other in others if other.status == PENDING]
        if refund.is_request and any(
            other.is_request and other.payload == refund.payload for other in pending
        ):
            yield "orderRefundRequestAlreadySubmitted"
        yield from self._refusals_by_status(order, refund)
        if refund.amount > order.total:
            yield "refundRejectionForRefundRequestGreaterThanOrderAmount"
        left = order.total - order.refunded - sum(other.amount for other in pending)
        if refund.amount > left:
            yield f"refundRejectionForOutOfRunwayParam:{left:.2f}"
        yield from self._refusals_by_line(order, refund, others)
        if refund.is_request:
            return
        if refund.amount > self._settings.refund_amount_limit:
            yield LIMITS["amount"]
        counted = [
            other
            for other in others
            if other.status != REJECTED and other.at > refund.at - WEEK
        ]
        if len(counted) >= self._settings.refund_week_limit:
            yield LIMITS["week"]

    def _refusals_by_status(self, order: Order, refund: Refund) -> Iterator[str]:
        code = "refundRejectionForRefundedCancelledInvoicedOrderParam"
        if order.status not in REFUNDABLE:
            yield f"{code}{order.status.title()}"
        elif (refund.payload["type"] == "invoiced") != bool(order.invoice_number):
            # A regular refund of an invoice, or the other way round.
            yield f"{code}{'Invoiced' if order.invoice_number else 'Regular'}"

    def _refusals_by_line(
        self, order: Order, refund: Refund, others: list[Refund]
    ) -> Iterator[str]:
        ids = self._orders.product_ids(order.uuid)
        left = {
            line_id: money(product["amount"])
            for line_id, product in zip(ids, order.products, strict=True)
        }
        for other in others:
            if other.status != REJECTED:
                for line_id, amount in other.lines.items():
                    left[line_id] -= amount
        for line_id, amount in refund.lines.items():
            if line_id not in left:
                yield "requestProductIdNotAvailable"
            elif amount > left[line_id]:
                yield "refundRejectionForProductAmountExceed"
