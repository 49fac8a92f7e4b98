"""A click ends in time, however slow Front Payment is; the crons do the rest."""

import re
import time
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.frontpay_odoo.connect import errors
from odoo.addons.frontpay_odoo.connect.client import Client
from odoo.addons.frontpay_odoo.tools import deadline

from .common import SandboxCase

# Seconds that an answer takes.
SLOW = 12  # one is in time, the next one isn't
TOO_SLOW = 60


class Clock:
    """Time passes only while Front Payment answers, however busy this machine is."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@tagged("post_install", "-at_install", "frontpay")
class TestDeadline(SandboxCase):
    def setUp(self):
        super().setUp()
        self.clock = Clock()
        self.startPatcher(patch.object(deadline, "time", self.clock))
        self.moves = self.env["account.move"].union(
            *(self.invoice() for _number in range(5))
        )

    def click(self, moves, action, seconds):
        """Click while each answer takes so long, and return what the screen says."""
        send = Client._send
        ends_at = self.clock.now + deadline.CLICK_SECONDS

        def send_slowly(client, *arguments):
            left = ends_at - self.clock.now
            self.assertGreater(left, 0, "A call begins after the end.")
            self.clock.now += min(seconds, left)
            if seconds > left:
                raise errors.UnknownOutcome("cut off")
            return send(client, *arguments)

        with patch.object(Client, "_send", send_slowly):
            params = getattr(moves, action)()["params"]
        return params["type"], params["message"]

    def triggered(self, cron):
        domain = [("cron_id", "=", self.env.ref(f"frontpay_odoo.{cron}").id)]
        return self.env["ir.cron.trigger"].search_count(domain)

    def test_what_there_is_no_time_for_is_queued(self):
        kind, message = self.click(self.moves, "action_frontpay_send", SLOW)
        self.assertEqual(kind, "success")
        self.assertIn("4 invoices are queued", message)
        self.assertIn("1 invoice handed to Front Payment", message)
        states = self.moves.mapped("frontpay_state")
        self.assertEqual(sorted(states), ["queued"] * 4 + ["sent"])
        self.assertTrue(self.triggered("cron_send"))

    def test_an_answer_that_is_not_waited_for_is_looked_for(self):
        kind, message = self.click(self.moves, "action_frontpay_send", TOO_SLOW)
        self.assertEqual(kind, "danger")
        self.assertIn("4 invoices are queued", message)
        states = self.moves.mapped("frontpay_state")
        self.assertEqual(sorted(states), ["queued"] * 4 + ["unknown"])
        self.assertTrue(self.triggered("cron_recover"))

    def test_the_rest_is_polled_by_the_cron(self):
        self.moves.action_frontpay_send()
        orders = self.moves.sudo().frontpay_order_id
        # One by one, and with the list of all orders.
        for moves, seconds, late in (
            (self.moves[:3], SLOW, 2),
            (self.moves, SLOW, 0),
            (self.moves, TOO_SLOW, 5),
        ):
            orders.next_poll_at = fields.Datetime.add(fields.Datetime.now(), days=1)
            self.env["ir.cron.trigger"].search([]).unlink()
            with self.subTest(late=late):
                kind, message = self.click(moves, "action_frontpay_refresh", seconds)
                self.assertEqual(kind, "warning" if late else "success")
                told = re.findall(r"status of (\d) order", message)
                self.assertEqual(told, [str(late)] if late else [])
                now = fields.Datetime.now()
                due = orders.filtered(lambda order, now=now: order.next_poll_at <= now)
                self.assertEqual(len(due), late)
                self.assertEqual(bool(self.triggered("cron_poll")), bool(late))

    def test_the_rest_is_checked_by_the_cron(self):
        moves = self.moves[:2]
        for move in moves:
            self.sandbox.fault("drop", when="after")
            move.action_frontpay_send()
        orders = moves.sudo().frontpay_order_id
        orders.sending_at = fields.Datetime.subtract(fields.Datetime.now(), hours=2)
        kind, message = self.click(moves, "action_frontpay_resolve", TOO_SLOW)
        self.assertEqual(kind, "warning")
        self.assertIn("is slow to answer", message)
        self.assertEqual(set(orders.mapped("state")), {"unknown"})
        # Front Payment may be fine.
        self.assertFalse(any(orders.mapped("needs_decision")))
        self.assertTrue(self.triggered("cron_recover"))


@tagged("post_install", "-at_install", "frontpay")
class TestCutOff(SandboxCase):
    """In real time: a call is cut off in its midst."""

    def test_an_answer_that_does_not_come_is_not_waited_for(self):
        move = self.invoice()
        move.action_frontpay_send()
        self.sandbox.fault("delay", seconds=TOO_SLOW)
        self.startPatcher(patch.object(deadline, "CLICK_SECONDS", 1))
        started = time.monotonic()
        params = move.action_frontpay_refresh()["params"]
        self.assertLess(time.monotonic() - started, TOO_SLOW / 2)
        self.assertEqual(params["type"], "warning")
        self.assertIn("status of 1 order", params["message"])
