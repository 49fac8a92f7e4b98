"""A click ends in time, however slow Front Payment is; the crons do the rest."""

import re
import time
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.frontpay_odoo.tools import deadline

from .common import SandboxCase

CLICK = 2  # seconds
SLOW = {"seconds": 1.2}  # one answer is in time, the next one isn't
TOO_SLOW = {"seconds": 4}


@tagged("post_install", "-at_install", "frontpay")
class TestDeadline(SandboxCase):
    def setUp(self):
        super().setUp()
        self.moves = self.env["account.move"].union(
            *(self.invoice() for _number in range(5))
        )
        for name, seconds in (("CLICK_SECONDS", CLICK), ("SUBMISSION_SECONDS", 1)):
            self.startPatcher(patch.object(deadline, name, seconds))

    def click(self, moves, action, slowness):
        """Click while Front Payment is slow, and return what the screen says."""
        self.sandbox.fault("delay", count=5, **slowness)
        started = time.monotonic()
        params = getattr(moves, action)()["params"]
        self.assertLess(time.monotonic() - started, CLICK + 1)
        self.sandbox.control("DELETE", "faults")
        return params["type"], params["message"]

    def triggered(self, cron):
        domain = [("cron_id", "=", self.env.ref(f"frontpay_odoo.{cron}").id)]
        return self.env["ir.cron.trigger"].search_count(domain)

    def test_what_there_is_no_time_for_is_queued(self):
        kind, message = self.click(self.moves, "action_frontpay_send", SLOW)
        self.assertEqual(kind, "success")
        self.assertIn("4 invoice(s) are queued", message)
        self.assertIn("1 invoice(s) handed to Front Payment", message)
        states = self.moves.mapped("frontpay_state")
        self.assertEqual(sorted(states), ["queued"] * 4 + ["sent"])
        self.assertTrue(self.triggered("cron_send"))

    def test_an_answer_that_is_not_waited_for_is_looked_for(self):
        kind, message = self.click(self.moves, "action_frontpay_send", TOO_SLOW)
        self.assertEqual(kind, "danger")
        self.assertIn("4 invoice(s) are queued", message)
        states = self.moves.mapped("frontpay_state")
        self.assertEqual(sorted(states), ["queued"] * 4 + ["unknown"])
        self.assertTrue(self.triggered("cron_recover"))

    def test_the_rest_is_polled_by_the_cron(self):
        self.moves.action_frontpay_send()
        orders = self.moves.sudo().frontpay_order_id
        # One by one, and with the list of all orders.
        for moves, late in ((self.moves[:3], 2), (self.moves, 5)):
            orders.next_poll_at = fields.Datetime.add(fields.Datetime.now(), days=1)
            slowness = SLOW if late == 2 else TOO_SLOW
            with self.subTest(late=late):
                told = self.click(moves, "action_frontpay_refresh", slowness)
                self.assertEqual(told[0], "warning")
                left = int(re.search(r"status of (\d) order", told[1])[1])
                # On a busy machine, one may be given up just before the end.
                self.assertIn(left, (late - 1, late))
                now = fields.Datetime.now()
                due = orders.filtered(lambda order, now=now: order.next_poll_at <= now)
                self.assertEqual(len(due), left)
                self.assertTrue(self.triggered("cron_poll"))

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
