from contextlib import suppress
from unittest.mock import patch

from odoo.sql_db import db_connect
from odoo.tests import BaseCase, get_db_name, tagged

from odoo.addons.frontpay_odoo.connect import errors
from odoo.addons.frontpay_odoo.models import frontpay_rate_limit
from odoo.addons.frontpay_odoo.models.frontpay_rate_limit import RateLimiter

LIMIT = 240


@tagged("post_install", "-at_install", "frontpay")
class TestRateLimit(BaseCase):
    """The limiter has transactions of its own, so what it leaves is deleted here."""

    def setUp(self):
        super().setUp()
        self.query("DELETE FROM frontpay_rate_limit")
        self.addCleanup(self.query, "DELETE FROM frontpay_rate_limit")
        [[self.company_id]] = self.query("SELECT min(id) FROM res_company")

    def query(self, query):
        with db_connect(get_db_name()).cursor() as cr:
            cr.execute(query)
            return cr.fetchall() if cr.description else []

    def limiter(self, max_wait=0):
        return RateLimiter(get_db_name(), self.company_id, LIMIT, max_wait)

    def free_in(self, interval):
        """The next slot is free after that interval, whatever the clock said."""
        self.query(
            "UPDATE frontpay_rate_limit SET free_at ="
            f" clock_timestamp() AT TIME ZONE 'UTC' + interval '{interval}'"
        )

    def test_nobody_calls_before_the_block_is_over(self):
        self.limiter().acquire()
        self.limiter().block(3600)
        with self.assertRaises(errors.RateLimited) as caught:
            self.limiter(max_wait=3000).acquire()
        self.assertTrue(caught.exception.is_own)

    def test_a_short_block_ends_no_longer_one(self):
        self.limiter().block(3600)
        self.limiter().block(1)
        with self.assertRaises(errors.RateLimited):
            self.limiter(max_wait=3000).acquire()

    def test_a_clock_that_jumped_ahead_blocks_nobody(self):
        for interval in ("2 hours", "10 years"):
            with self.subTest(interval):
                self.limiter().acquire()
                self.free_in(interval)
                self.limiter().acquire()
                self.limiter().acquire()

    def test_a_block_counts_after_such_a_jump(self):
        self.limiter().acquire()
        self.free_in("1 day")
        self.limiter().block(60)
        with self.assertRaises(errors.RateLimited):
            self.limiter(max_wait=50).acquire()

    def test_a_slot_that_is_not_yet_there_is_waited_for(self):
        self.limiter().acquire()
        self.free_in("3 seconds")
        with patch.object(frontpay_rate_limit, "time") as time:
            self.limiter(max_wait=10).acquire()
        [seconds] = time.sleep.call_args.args
        self.assertGreater(seconds, 0)

    def test_a_burst_is_short(self):
        limiter = self.limiter()
        taken = 0
        with suppress(errors.RateLimited):
            while taken < LIMIT:
                limiter.acquire()
                taken += 1
        self.assertLess(taken, LIMIT / 20)
