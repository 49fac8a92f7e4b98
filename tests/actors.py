"""What goes on beside a test: people who act, and time that runs faster."""

import random
import threading
from abc import ABC, abstractmethod
from collections import Counter

import psycopg2
import requests

from .databases import rows
from .rpc import Refusal

# What waits in Odoo's database for its next try, by table.
WAITING = {
    "frontpay_order": ("retry_at", "next_poll_at"),
    "frontpay_callback": ("poll_at",),
    "frontpay_outage": ("retry_at",),
}
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
                    self._sandbox.act(uuid, action)

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
        self._do(
            f"UPDATE frontpay_order SET sending_at = sending_at - {self._saved}"
            f" WHERE state = 'unknown' AND sending_at > {NOW} - {self._saved}"
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
