"""Customers: made by their first order, and changed by the merchant (section 18)."""

import sqlite3
from dataclasses import dataclass
from functools import cached_property

from .masking import json_text
from .orders import Orders, identity_of
from .payload import read

# What an order tells of a customer and an update may change, beside the addresses.
NAMES = (
    *("name", "email", "countryCode", "msisdn", "preferredLanguage"),
    *("personalNumber", "organizationId"),
)


class CustomerNotFound(LookupError):
    """No customer of that type has that id."""


class Ambiguous(Exception):
    """Another customer has that personal number or organization number."""


@dataclass(frozen=True)
class Customer:
    """One customer; ``type`` is ``private`` or ``corporate``, ``details`` the JSON text
    of an order's ``customerDetails``."""

    identity: str
    uuid: str
    type: str
    details: str

    @cached_property
    def known(self) -> dict:
        return read(self.details)


class Customers:
    """The customers of the orders in the same store."""

    def __init__(self, orders: Orders):
        self._orders = orders

    def all(self) -> list[Customer]:
        rows = self._orders.query("SELECT * FROM customers ORDER BY rowid")
        return [Customer(**row) for row in rows]

    def get(self, uuid: str) -> Customer:
        """:raises CustomerNotFound: when no customer has that id"""
        rows = self._orders.query("SELECT * FROM customers WHERE uuid = ?", uuid)
        if not rows:
            raise CustomerNotFound(uuid)
        return Customer(**rows[0])

    def update(self, uuid: str, customer_type: str, changes: dict) -> None:
        """Take a checked update. What it leaves out stays.

        Which answer a customer of the other type gets is not said: here none is found.

        :raises CustomerNotFound: when no customer of that type has that id
        :raises Ambiguous: when it would become another customer
        """
        with self._orders.transaction() as db:
            customer = self.get(uuid)
            if customer.type != customer_type:
                raise CustomerNotFound(uuid)
            addresses = changes["addresses"]
            told = {name: changes.get(name) for name in NAMES}
            told |= {
                "address": addresses["billing"],
                "shipping": addresses.get("shipping"),
            }
            known = customer.known | {
                name: value for name, value in told.items() if value is not None
            }
            try:
                db.execute(
                    "UPDATE customers SET identity = ?, details = ? WHERE uuid = ?",
                    (identity_of(customer_type, known), json_text(known), uuid),
                )
            except sqlite3.IntegrityError as error:
                raise Ambiguous from error
