"""Pay-outs: what was collected since the last one, less what was paid back and the fee.

No call of the API tells of them (section 25): a merchant sees them on the bank, in
Front Payment's own pages, and as lines of a VAT report.
"""

import csv
import io
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from .orders import PAID, Order, Orders
from .payload import products
from .settings import Settings
from .totals import CENT, money

# The columns of the vendor's own report (section 25); what it calls them is not known.
VAT_COLUMNS = (
    "Status",
    "Order id",
    "Order date",
    "Due date",
    "Customer",
    "Customer id",
    "Account",
    "Amount with VAT",
    "VAT %",
    "VAT code",
    "Payment type",
    "Description",
    "Product number",
    "Credit check",
)
DAY = "%d.%m.%Y"


class NothingToPayOut(Exception):
    """Nothing was collected or paid back since the last pay-out."""


@dataclass(frozen=True)
class Payout:
    """One pay-out; ``at`` in Unix seconds, money in NOK.

    ``items`` are (order's uuid, what it adds); a refund takes off.
    """

    id: int
    at: float
    fee: Decimal
    items: list[tuple[str, Decimal]]

    @property
    def total(self) -> Decimal:
        """What was collected, less what was paid back."""
        return sum((amount for _uuid, amount in self.items), Decimal(0))

    @property
    def amount(self) -> Decimal:
        """What comes on the bank."""
        return self.total - self.fee


class Payouts:
    """The pay-outs of the orders in the same store."""

    def __init__(self, orders: Orders, settings: Settings):
        self._orders = orders
        self._settings = settings

    # Reading

    def all(self) -> list[Payout]:
        """Every pay-out, oldest first."""
        items: dict[int, list] = {}
        for row in self._orders.query("SELECT * FROM payout_items ORDER BY id"):
            item = (row["order_uuid"], Decimal(row["amount"]))
            items.setdefault(row["payout_id"], []).append(item)
        return [
            Payout(row["id"], row["at"], Decimal(row["fee"]), items[row["id"]])
            for row in self._orders.query("SELECT * FROM payouts ORDER BY id")
        ]

    def owed(self) -> Decimal:
        """What was collected and neither paid back nor out."""
        return sum((amount for _uuid, amount in self.open_items()), Decimal(0))

    def open_items(self) -> list[tuple[str, Decimal]]:
        """What the next pay-out consists of: each order's change since the last one."""
        settled = self._settled()
        changes = (
            (order.uuid, self._held(order) - settled.get(order.uuid, Decimal(0)))
            for order in self._orders.all()
        )
        return [(uuid, amount) for uuid, amount in changes if amount]

    def fee_of(self, items: list[tuple[str, Decimal]]) -> Decimal:
        """What Front Payment keeps: for each order that was collected, and of it."""
        collected = [amount for _uuid, amount in items if amount > 0]
        percent = Decimal(str(self._settings.payout_fee_percent))
        each = Decimal(str(self._settings.payout_fee_per_order))
        share = sum(collected, Decimal(0)) * percent / 100
        return (len(collected) * each + share).quantize(CENT, ROUND_HALF_UP)

    def _held(self, order: Order) -> Decimal:
        """What the customer has paid and not got back.

        A claim that was lowered before it was paid, was paid less what it was lowered.
        """
        statuses = {row["status"] for row in self._orders.statuses(order.uuid)}
        return order.total - order.refunded if PAID in statuses else Decimal(0)

    def _settled(self) -> dict[str, Decimal]:
        settled: dict[str, Decimal] = {}
        for payout in self.all():
            for uuid, amount in payout.items:
                settled[uuid] = settled.get(uuid, Decimal(0)) + amount
        return settled

    # Writing

    def pay_out(self) -> Payout:
        """Pay out what is owed, less the fee; below 0, it is taken from the merchant.

        :raises NothingToPayOut: nothing has changed since the last one
        """
        with self._orders.transaction() as db:
            items = self.open_items()
            if not items:
                raise NothingToPayOut("Nothing was collected or paid back since.")
            self._insert(db, items)
            return self.all()[-1]

    def _insert(self, db: sqlite3.Connection, items: list[tuple[str, Decimal]]) -> None:
        fee = self.fee_of(items)
        cursor = db.execute(
            "INSERT INTO payouts (at, fee) VALUES (?, ?)", (time.time(), f"{fee:.2f}")
        )
        db.executemany(
            "INSERT INTO payout_items (payout_id, order_uuid, amount) VALUES (?, ?, ?)",
            [(cursor.lastrowid, uuid, f"{amount:.2f}") for uuid, amount in items],
        )

    # The VAT report

    def vat_report(self) -> str:
        """All claims and payments as CSV, one line for each product, and one below 0
        for what was paid back of an order."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
        writer.writerow(VAT_COLUMNS)
        for order in self._orders.all():
            if order.invoice_number or self._held(order) or order.refunded:
                writer.writerows(self._vat_lines(order))
        return text.getvalue()

    def _vat_lines(self, order: Order) -> Iterator[list[str]]:
        for product in products(order.payload):
            yield self._vat_line(
                order,
                money(product["amount"]),
                str(money(product["tax"])),
                str(product["name"]),
                str(product.get("productId") or ""),
            )
        shipping = money(order.payload["orderSummary"].get("shippingCost"))
        if shipping:
            yield self._vat_line(order, shipping, "", "Shipping", "")
        if order.refunded:
            yield self._vat_line(order, -order.refunded, "", "Refund", "")

    def _vat_line(
        self, order: Order, amount: Decimal, rate: str, name: str, number: str
    ) -> list[str]:
        day = datetime.fromtimestamp(order.created_at, UTC).strftime(DAY)
        return [
            order.status,
            order.uuid,
            day,
            day,
            str(order.customer["name"]),
            order.customer_uuid,
            "3000",
            f"{amount:.2f}".replace(".", ","),
            rate,
            "",
            order.payment_method,
            name,
            number,
            "No",
        ]
