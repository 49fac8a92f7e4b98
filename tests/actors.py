"""What goes on beside a test: people who act, and time that runs faster."""

import random
import threading
from abc import ABC, abstractmethod
from collections import Counter

import psycopg2
import requests

from .databases import rows
from .rpc import Refusal

# The states of what the bookkeeper sends, or sends again.
TO_SEND = (False, "failed")
# What waits in Odoo's database for its next try, by table.
WAITING = {
    "frontpay_order": ("retry_at", "next_poll_at"),
    "frontpay_refund": ("retry_at",),
    "frontpay_callback": ("poll_at",),
    "frontpay_outage": ("retry_at",),
}
# When what has an unknown outcome was sent, by table.
SENT_AT = {"frontpay_order": "sending_at", "frontpay_refund": "requested_at"}
NOW = "(now() AT TIME ZONE 'UTC')"


class Actor(threading.Thread, ABC):
    """Somebody who does something over and over, a context manager.

    Odoo may be away, or refuse: that is counted, and tried again.
    """

    def __init__(self, pause: float):
        """:param pause: seconds between two rounds"""
        super().__init__(daemon=True)
        self.pause = pause
        self.troubles = Counter()
        self._fault = None
        self._over = threading.Event()

    @abstractmethod
    def round(self) -> None:
        """What is done over and over."""

    def run(self) -> None:
        while not self._over.wait(self.pause):
            try:
                self.round()
            except Exception as fault:  # noqa: BLE001 for the test's own thread
                self._fault = fault
                return

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception) -> None:
        """Wait for the end of the last round, and raise what went wrong in any."""
        self._over.set()
        self.join()
        if self._fault:
            raise self._fault

    def attempt(self, action, *arguments):
        """What an action returns, None if it fails."""
        try:
            return action(*arguments)
        except Refusal as refusal:
            self.troubles[refusal.kind] += 1
        except requests.RequestException as error:
            self.troubles[type(error).__name__] += 1
        return None


class Bookkeeper(Actor):
    """Sends the invoices in batches, then whatever Odoo says wasn't sent, each time in
    another way, and decides where Odoo can't by looking at Front Payment's pages."""

    def __init__(self, plan, seed: int, office, sandbox, invoices: list[int]):
        """:param plan: its ``pause`` in seconds, its ``batch`` of so many invoices"""
        super().__init__(plan.pause)
        self._sandbox = sandbox
        self._person = office.person("bookkeeper")
        self._chance = random.Random(seed)
        self._invoices = invoices
        self._batches = [
            invoices[start : start + plan.batch]
            for start in range(0, len(invoices), plan.batch)
        ]
        self.ways = Counter()
        self.decisions = Counter()

    def round(self) -> None:
        if self._batches:
            self._send(self._batches.pop(0))
            return
        fields = ["name", "frontpay_state"]
        invoices = self.attempt(
            self._person.call, "account.move", "read", self._invoices, fields
        )
        to_send = []
        for invoice in invoices or []:
            if invoice["frontpay_state"] in TO_SEND:
                to_send.append(invoice["id"])
            elif invoice["frontpay_state"] == "unknown":
                self.attempt(self._resolve, invoice["id"], invoice["name"])
        self._send(to_send)

    def _send(self, invoices: list[int]) -> None:
        if not invoices:
            return
        ways = {
            "list": self._send_from_list,
            "Send for one": self._send_one,
            "Send for many": self._send_many,
        }
        way = self._chance.choice(list(ways))
        self.ways[way] += 1
        ways[way](invoices)

    def _send_from_list(self, invoices: list[int]) -> None:
        self._click("action_frontpay_send", *invoices)

    def _send_one(self, invoices: list[int]) -> None:
        """By Odoo's *Send* of one invoice; the others are left for another round."""
        values = {"move_id": invoices[0], "sending_methods": ["frontpay"]}
        self._send_by("account.move.send.wizard", values)

    def _send_many(self, invoices: list[int]) -> None:
        """By Odoo's *Send* of a selection, which leaves them to Odoo's own cron."""
        values = {"move_ids": [[6, 0, invoices]]}
        self._send_by("account.move.send.batch.wizard", values)

    def _send_by(self, wizards: str, values: dict) -> None:
        wizard = self.attempt(self._person.call, wizards, "create", values)
        if wizard:
            send = "action_send_and_print"
            self.attempt(self._person.click, wizards, send, wizard)

    def _click(self, method: str, *invoices: int) -> dict | None:
        if not invoices:
            return None
        return self.attempt(self._person.click, "account.move", method, *invoices)

    def _resolve(self, invoice: int, name: str) -> None:
        action = self._click("action_frontpay_resolve", invoice)
        if not action or action.get("res_model") != "frontpay.resolve":
            return
        wizard = action["res_id"]
        own = [order["orderUuid"] for order in self._sandbox.orders_of(name)]
        if not own:
            self._decide("frontpay.resolve", "action_not_received", wizard)
        for candidate in self._person.call(
            "frontpay.resolve.candidate",
            "search",
            [["resolve_id", "=", wizard], ["order_uuid", "in", own]],
        ):
            self._decide("frontpay.resolve.candidate", "action_link", candidate)

    def _decide(self, model: str, method: str, record: int) -> None:
        self._person.click(model, method, record)
        self.decisions[method.removeprefix("action_")] += 1


class Customers(Actor):
    """Confirm and pay their orders, or only confirm, or do nothing, by the amount."""

    WAYS = (("confirm", "pay"), ("pay",), ("confirm",), ())

    def __init__(self, pause: float, sandbox):
        super().__init__(pause)
        self._sandbox = sandbox
        self._plans = {}

    def round(self) -> None:
        for order in self._sandbox.orders():
            uuid = order["orderUuid"]
            if uuid not in self._plans:
                self._plans[uuid] = self._decide(order)
            elif self._plans[uuid]:
                # Companies are invoiced at once and can't confirm.
                action = self._plans[uuid].pop(0)
                if action in order["actions"]:
                    self.attempt(self._sandbox.act, uuid, action)

    def _decide(self, order: dict) -> list[str]:
        chance = random.Random(order["orderAmount"])
        return list(chance.choices(self.WAYS, weights=(5, 2, 1, 2))[0])


class Time(Actor):
    """Lets what waits in Odoo's database wait for seconds instead of hours.

    Every round, all is due that was put off, and the addon's scheduled actions are.

    :param port: of the PostgreSQL server, if it isn't the usual one
    :param minute: after how many seconds an unknown order's sending is a minute ago
    """

    def __init__(self, pause: float, database: str, port: int | None, minute: float):
        super().__init__(pause)
        self._saved = f"interval '{60 - minute} seconds'"
        self._database = database
        self._port = port

    def round(self) -> None:
        for table, columns in WAITING.items():
            for column in columns:
                self._do(f"UPDATE {table} SET {column} = {NOW} WHERE {column} > {NOW}")
        for table, column in SENT_AT.items():
            self._do(
                f"UPDATE {table} SET {column} = {column} - {self._saved}"
                f" WHERE state = 'unknown' AND {column} > {NOW} - {self._saved}"
            )
        self._do(
            "INSERT INTO ir_cron_trigger (cron_id, call_at)"
            f" SELECT res_id, {NOW} FROM ir_model_data"
            " WHERE module = 'frontpay_odoo' AND model = 'ir.cron'"
        )
        self._do(f"SELECT pg_notify('cron_trigger', '{self._database}')", "postgres")

    def _do(self, query: str, database: str = "") -> None:
        try:
            rows(database or self._database, query, self._port)
        except psycopg2.Error as error:
            self.troubles[type(error).__name__] += 1
