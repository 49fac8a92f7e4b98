"""The orders the sandbox has taken, and the statuses they go through.

::

              confirm             remind           collection
    SENT ---------------> INVOICED ------> Purring ----------> Inkasso
     |  \\                    |               |                   |
     |   \\ pay               | pay           | pay               | pay
     |    \\                  v               v                   v
     |     +---------------------------> PAID <------------------+
     |                                    |
     | expire / cancel                    | refund
     v                                    v
    EXPIRED / CANCELLED        PARTIAL REFUNDED ---> REFUNDED

An order's channel says whether it waits in SENT or is INVOICED at once; ``confirm`` is
there only where the customer confirms with BankID (channels.py). Stored in SQLite; one
connection, guarded by a lock.
"""

import random
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from .channels import CHANNELS, Channel
from .masking import json_text
from .payload import ABSENT, number, products, read, value_at
from .rules import INVOICE_SUBMIT
from .totals import money

SENT = "SENT"
INVOICED = "INVOICED"
PURRING = "Purring"
INKASSO = "Inkasso"
PAID = "PAID"
PARTIAL_REFUNDED = "PARTIAL REFUNDED"
REFUNDED = "REFUNDED"
CANCELLED = "CANCELLED"
EXPIRED = "EXPIRED"

# status -> action -> next status; a refund of less than the rest is PARTIAL REFUNDED
TRANSITIONS: dict[str, dict[str, str]] = {
    SENT: {"confirm": INVOICED, "pay": PAID, "expire": EXPIRED, "cancel": CANCELLED},
    INVOICED: {"pay": PAID, "remind": PURRING},
    PURRING: {"pay": PAID, "collection": INKASSO},
    INKASSO: {"pay": PAID},
    PAID: {"refund": REFUNDED},
    PARTIAL_REFUNDED: {"refund": REFUNDED},
    REFUNDED: {},
    CANCELLED: {},
    EXPIRED: {},
}

# What the API answers (400) when an order is past being updated or cancelled.
CONFLICTS = {
    INVOICED: "orderStatusAlreadyInvoiced",
    PURRING: "orderStatusAlreadyInvoiced",
    INKASSO: "orderStatusAlreadyInvoiced",
    PAID: "orderStatusAlreadyPaid",
    PARTIAL_REFUNDED: "orderStatusAlreadyPaid",
    REFUNDED: "orderStatusAlreadyPaid",
    CANCELLED: "orderStatusAlreadyCancelled",
    EXPIRED: "orderUpdateFailed",
}

CARD = "Visa"  # how whoever never got an invoice pays
FIRST_INVOICE_NUMBER = 99900000

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,
    status TEXT NOT NULL,
    customer_uuid TEXT NOT NULL,
    invoice_number TEXT,
    payment_method TEXT NOT NULL,
    refunded TEXT NOT NULL DEFAULT '0.00',
    created_at INTEGER NOT NULL,
    received TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_status ON orders (status);
CREATE TABLE IF NOT EXISTS products (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    order_uuid TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS products_order ON products (order_uuid);
CREATE TABLE IF NOT EXISTS refunds (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    order_uuid TEXT NOT NULL,
    status TEXT NOT NULL,
    is_request INTEGER NOT NULL,
    at REAL NOT NULL,
    received TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS refunds_order ON refunds (order_uuid);
CREATE TABLE IF NOT EXISTS payouts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    fee TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS payout_items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    payout_id INTEGER NOT NULL,
    order_uuid TEXT NOT NULL,
    amount TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS customers (
    identity TEXT PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    details TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS statuses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    order_uuid TEXT NOT NULL,
    status TEXT NOT NULL,
    at REAL NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS statuses_order ON statuses (order_uuid);
CREATE TABLE IF NOT EXISTS callbacks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    order_uuid TEXT NOT NULL,
    status TEXT NOT NULL,
    at REAL NOT NULL,
    url TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    answer INTEGER,
    error TEXT
);
CREATE INDEX IF NOT EXISTS callbacks_order ON callbacks (order_uuid);
"""
# Of the tables; SQLite keeps 31 bits of it.
VERSION = zlib.crc32(SCHEMA.encode()) >> 1
TABLES = (
    "orders",
    "products",
    "refunds",
    "payouts",
    "payout_items",
    "customers",
    "statuses",
    "callbacks",
)


class OrderNotFound(LookupError):
    """No order has that id."""


class Conflict(Exception):
    """The order's status does not allow it; ``code`` is the API's message for that."""

    def __init__(self, order: "Order", sentence: str):
        super().__init__(sentence)
        self.code = CONFLICTS.get(order.status, "orderUpdateFailed")


class BadAmount(ValueError):
    """The amount to refund cannot be refunded."""


@dataclass(frozen=True)
class Order:
    """One stored order; ``created_at`` in Unix seconds, ``received`` the JSON text."""

    number: int
    uuid: str
    endpoint: str
    status: str
    customer_uuid: str
    invoice_number: str | None
    payment_method: str
    refunded: Decimal
    created_at: int
    received: str

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Order":
        return cls(**{**row, "refunded": Decimal(row["refunded"])})

    @cached_property
    def payload(self) -> dict:
        return read(self.received)

    @property
    def channel(self) -> Channel:
        return CHANNELS[self.endpoint]

    @property
    def customer(self) -> dict:
        return self.payload["customerDetails"]

    @property
    def customer_type(self) -> str:
        return self.channel.customer_type(self.customer)

    @property
    def products(self) -> list[dict]:
        return products(self.payload)

    @property
    def total(self) -> Decimal:
        """The order's grand total in NOK."""
        return money(self.payload["orderSummary"]["grandTotal"])

    @property
    def callback(self) -> dict:
        """The URLs ``callbackUrl``, ``success`` and ``failure``, those given."""
        return self.payload["callback"]

    @property
    def known_by(self) -> list[str]:
        """What people call the order by."""
        channel = self.channel
        references = (channel.reference, channel.customer_reference)
        values = (value_at(self.payload, path) for path in references)
        names = [self.customer["name"], self.uuid, self.invoice_number, *values]
        return [str(name) for name in names if name not in (None, ABSENT)]

    @property
    def waits_for_bankid(self) -> bool:
        return self.status == SENT and self.channel.has_bankid

    @property
    def transitions(self) -> dict[str, str]:
        """What can happen to the order, and the status it then has."""
        return {
            action: status
            for action, status in TRANSITIONS[self.status].items()
            if action != "confirm" or self.channel.has_bankid
        }

    @property
    def actions(self) -> list[str]:
        """What can happen to the order next; ``callback`` sends the last one again."""
        has_callback = self.status != SENT and self.callback.get("callbackUrl")
        return [*self.transitions, *(["callback"] if has_callback else [])]


class Orders:
    """The store. ``on_status(order)`` is called after each status but SENT."""

    def __init__(self, path: str = ":memory:"):
        self.on_status: Callable[[Order], None] = lambda order: None
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._prepare()

    def _prepare(self) -> None:
        """:raises sqlite3.DatabaseError: a sandbox with other tables has made it"""
        [version] = self._connection.execute("PRAGMA user_version").fetchone()
        has_tables = self._connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        if has_tables and version != VERSION:
            raise sqlite3.DatabaseError("another version of the sandbox has made it")
        self._connection.executescript(SCHEMA)
        self._connection.execute(f"PRAGMA user_version = {VERSION}")

    # Reading

    def get(self, uuid: str) -> Order:
        """:raises OrderNotFound: when no order has that id"""
        found = self.query("SELECT * FROM orders WHERE uuid = ?", uuid)
        if not found:
            raise OrderNotFound(uuid)
        return Order.from_row(found[0])

    def exists(self, uuid: str) -> bool:
        return bool(self.query("SELECT 1 FROM orders WHERE uuid = ?", uuid))

    def all(self) -> list[Order]:
        """Every order, oldest first."""
        return list(
            map(Order.from_row, self.query("SELECT * FROM orders ORDER BY number"))
        )

    def newest(self, limit: int) -> list[Order]:
        query = "SELECT * FROM orders ORDER BY number DESC LIMIT ?"
        return list(map(Order.from_row, self.query(query, limit)))

    def found(self, text: str) -> list[Order]:
        """The orders that name a customer, a number or a reference so, newest first."""
        wanted = text.casefold()
        return [
            order
            for order in reversed(self.all())
            if any(wanted in known.casefold() for known in order.known_by)
        ]

    def count(self) -> dict[str, int]:
        """How many orders there are in each status, in the order of the statuses."""
        found = dict(self.query("SELECT status, count(*) FROM orders GROUP BY status"))
        return {status: found[status] for status in TRANSITIONS if status in found}

    def uuids(self, status: str | None = None) -> list[tuple[str, str]]:
        """Id and status of the orders in a status (any case), or of all."""
        query = "SELECT uuid, status FROM orders WHERE ? IN ('', upper(status))"
        return list(map(tuple, self.query(f"{query} ORDER BY number", status or "")))

    def product_ids(self, uuid: str) -> list[int]:
        """The ids of the order's lines, in their order."""
        query = "SELECT id FROM products WHERE order_uuid = ? ORDER BY id"
        return [row["id"] for row in self.query(query, uuid)]

    def statuses(self, uuid: str) -> list[dict]:
        query = "SELECT status, at, note FROM statuses WHERE order_uuid = ? ORDER BY id"
        return list(map(dict, self.query(query, uuid)))

    def callbacks(self, uuid: str) -> list[dict]:
        """Each attempt to call back: status, at, url, attempt, answer, error."""
        query = (
            "SELECT status, at, url, attempt, answer, error"
            " FROM callbacks WHERE order_uuid = ? ORDER BY id"
        )
        return list(map(dict, self.query(query, uuid)))

    # Writing

    def submit(self, endpoint: str, received: str) -> Order:
        """Store a checked order, or update the one that ``fpgoUuid`` names.

        Only ``invoice/submit`` knows ``fpgoUuid``; elsewhere it is ignored.

        :param received: the JSON text as it came
        :raises OrderNotFound: when the order to update is gone
        :raises Conflict: when the order to update is no longer SENT
        """
        channel = CHANNELS[endpoint]
        payload = read(received)
        customer = payload["customerDetails"]
        customer_type = channel.customer_type(customer)
        earlier = payload.get("fpgoUuid") if endpoint == INVOICE_SUBMIT else None
        method = "Invoice" if channel.is_invoice else CARD
        now = int(time.time())
        with self.transaction() as db:
            customer_uuid = self._customer_uuid(db, customer_type, customer)
            if earlier:
                uuid = earlier
                order = self.get(uuid)
                if order.status != SENT:
                    raise Conflict(order, f"The order is {order.status} already.")
                db.execute(
                    "UPDATE orders SET endpoint = ?, customer_uuid = ?,"
                    " payment_method = ?, received = ? WHERE uuid = ?",
                    (endpoint, customer_uuid, method, received, uuid),
                )
                db.execute("DELETE FROM products WHERE order_uuid = ?", (uuid,))
            else:
                uuid = _new_id("ODR", self.exists)
                db.execute(
                    "INSERT INTO orders"
                    " (uuid, endpoint, status, customer_uuid, payment_method,"
                    " created_at, received) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (uuid, endpoint, SENT, customer_uuid, method, now, received),
                )
            db.executemany(
                "INSERT INTO products (order_uuid) VALUES (?)",
                [(uuid,) for _product in products(payload)],
            )
            self._record_status(db, uuid, SENT, "Updated" if earlier else "Received")
            if customer_type not in channel.waiting:
                self._set_status(db, self.get(uuid), INVOICED, channel.at_once)
            order = self.get(uuid)
        if order.status != SENT:
            self.on_status(order)
        return order

    def apply(
        self, uuid: str, action: str, amount: object = None, note: str = ""
    ) -> Order:
        """Let ``action`` happen to an order (the table above).

        :param amount: NOK, for ``refund`` only; without it all that is left
        :raises OrderNotFound: when no order has that id
        :raises Conflict: when the order's status does not allow the action
        :raises BadAmount: when that amount cannot be refunded
        """
        with self.transaction() as db:
            order = self.get(uuid)
            status = order.transitions.get(action)
            if not status:
                raise Conflict(
                    order,
                    f"{action!r} is not possible while the order is {order.status}; "
                    f"possible are: {', '.join(order.actions) or 'nothing'}.",
                )
            if action == "refund":
                status, note = self._refund(db, order, amount)
            if action == "pay" and order.status == SENT:
                db.execute(
                    "UPDATE orders SET payment_method = ? WHERE uuid = ?", (CARD, uuid)
                )
            self._set_status(db, order, status, note or NOTES[action])
            order = self.get(uuid)
        self.on_status(order)
        return order

    def resend(self, uuid: str, way: str) -> None:
        """Send the customer the link once more.

        :raises Conflict: the order's status does not allow it
        """
        with self.transaction() as db:
            order = self.get(uuid)
            if order.status in (PAID, CANCELLED):
                raise Conflict(order, f"The order is {order.status} already.")
            self._record_status(db, uuid, order.status, f"Link sent again by {way}")

    def pay_back(self, db: sqlite3.Connection, uuid: str, amount: Decimal) -> Order:
        """A refund that was asked for goes through, inside a transaction.

        A claim that nobody has paid is lowered, and gone once nothing is left of it.
        """
        order = self.get(uuid)
        is_paid = order.status in (PAID, PARTIAL_REFUNDED)
        status, note = self._refund(db, order, amount)
        if status == PARTIAL_REFUNDED and not is_paid:
            status, note = order.status, f"Claim lowered by NOK {amount:.2f}"
        self._set_status(db, order, status, note)
        return self.get(uuid)

    def note(self, db: sqlite3.Connection, order: Order, note: str) -> None:
        """Keep what happened to an order without changing its status."""
        self._record_status(db, order.uuid, order.status, note)

    def record_callback(self, uuid: str, **attempt: object) -> None:
        """Keep one attempt to call back: status, at, url, attempt, answer, error."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO callbacks"
                " (order_uuid, status, at, url, attempt, answer, error)"
                " VALUES (:uuid, :status, :at, :url, :attempt, :answer, :error)",
                {"uuid": uuid, **attempt},
            )

    def delete_all(self) -> None:
        """Forget every order and customer; numbers go on where they were."""
        with self.transaction() as db:
            for table in TABLES:
                db.execute(f"DELETE FROM {table}")

    # Inner steps, inside a transaction

    def _refund(
        self, db: sqlite3.Connection, order: Order, amount: object
    ) -> tuple[str, str]:
        left = order.total - order.refunded
        wanted = left if amount in (None, "") else number(str(amount))
        if wanted is None or wanted <= 0 or wanted != round(wanted, 2):
            raise BadAmount("The amount must be above 0, with at most two decimals.")
        if wanted > left:
            raise BadAmount(f"Only NOK {left:.2f} of this order can be refunded.")
        db.execute(
            "UPDATE orders SET refunded = ? WHERE uuid = ?",
            (f"{order.refunded + wanted:.2f}", order.uuid),
        )
        status = REFUNDED if wanted == left else PARTIAL_REFUNDED
        return status, f"NOK {wanted:.2f} paid back"

    def _set_status(
        self, db: sqlite3.Connection, order: Order, status: str, note: str
    ) -> None:
        """Put the order in ``status``; the first claim gives it an invoice number.

        Only invoice orders have one (section 15b).
        """
        invoice_number = order.invoice_number
        is_claim = order.channel.is_invoice and status in (INVOICED, PAID)
        if is_claim and not invoice_number:
            invoice_number = str(FIRST_INVOICE_NUMBER + order.number)
        db.execute(
            "UPDATE orders SET status = ?, invoice_number = ? WHERE uuid = ?",
            (status, invoice_number, order.uuid),
        )
        self._record_status(db, order.uuid, status, note)

    def _record_status(
        self, db: sqlite3.Connection, uuid: str, status: str, note: str
    ) -> None:
        db.execute(
            "INSERT INTO statuses (order_uuid, status, at, note) VALUES (?, ?, ?, ?)",
            (uuid, status, time.time(), note),
        )

    def _customer_uuid(
        self, db: sqlite3.Connection, customer_type: str, customer: dict
    ) -> str:
        """The same person or organization keeps its id, and what the first order told
        of it: whether later ones change that, nobody has said."""
        identity = identity_of(customer_type, customer)
        query = "SELECT uuid FROM customers WHERE identity = ?"
        if found := self.query(query, identity):
            return found[0]["uuid"]
        uuid = _new_id("CSRT", self._customer_exists)
        db.execute(
            "INSERT INTO customers VALUES (?, ?, ?, ?)",
            (identity, uuid, customer_type, json_text(customer)),
        )
        return uuid

    def _customer_exists(self, uuid: str) -> bool:
        return bool(self.query("SELECT 1 FROM customers WHERE uuid = ?", uuid))

    def query(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is kept, or on an error nothing."""
        with self._lock, self._connection:
            yield self._connection


NOTES = {
    "confirm": "Confirmed with BankID",
    "pay": "Paid by the customer",
    "remind": "Reminder sent",
    "collection": "Sent to debt collection",
    "expire": "Nobody answered in time",
    "cancel": "Cancelled by the merchant",
}


def identity_of(customer_type: str, customer: dict) -> str:
    """What a customer is told apart by. A payment link needs no personal number: people
    are known by their e-mail address then."""
    field = "personalNumber" if customer_type == "private" else "organizationId"
    return f"{customer_type} {customer.get(field) or customer['email']}"


def _new_id(prefix: str, is_taken: Callable[[str], bool]) -> str:
    """A prefix and ten digits, as in ``ODR4286244937``."""
    while True:
        candidate = f"{prefix}{random.randint(10**9, 10**10 - 1)}"
        if not is_taken(candidate):
            return candidate
