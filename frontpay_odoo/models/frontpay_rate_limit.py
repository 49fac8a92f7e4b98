"""The rate limit of Front Payment's API, kept for all workers of a database.

The API allows 240 calls a minute for everything together (section 2 of docs/api.rst;
question 44). This is a generic cell rate algorithm: a row of the database holds the
time of a company's next slot. The slots lie evenly apart, but for a few that may be
taken in a burst, so that no 60 seconds hold more than the limit.
"""

import time

from odoo import api, fields, models, sql_db
from odoo.tools import SQL

from ..connect import errors
from ..connect.client import LONGEST_RETRY_AFTER
from ..tools import system_parameters, transaction

CALLS_PER_MINUTE = 240
# Parts of the limit for even slots and for a burst; the rest is for calls that take
# longer to leave than the one before them.
SUSTAINED = 0.965
BURST = 0.02
MAX_WAIT = 5  # seconds that a person waits for a slot
CRON_MAX_WAIT = 60  # seconds that a cron does
NOW = SQL("(clock_timestamp() AT TIME ZONE 'UTC')")


class FrontpayRateLimit(models.Model):
    _name = "frontpay.rate.limit"
    _description = "Front Payment Rate Limit"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    free_at = fields.Datetime(string="Next Slot", required=True)

    _one_per_company = models.UniqueIndex("(company_id)")

    @api.model
    def _limiter_of(self, company, max_wait=MAX_WAIT):
        """The limiter of a company's calls, for a :class:`connect.client.Client`.

        :param max_wait: seconds that a call may wait for its slot
        :return: None in Odoo's tests, which have one transaction for everything
        """
        if not transaction.can_commit(self.env):
            return None
        return RateLimiter(self.env.cr.dbname, company.id, self._limit(), max_wait)

    @api.model
    def _limit(self):
        """Calls that a company may make in a minute."""
        return system_parameters.whole_number(
            self.env, "calls_per_minute", CALLS_PER_MINUTE
        )

    @api.model
    def _pace(self):
        """Calls that a company makes in a minute while it has many to make."""
        return self._limit() * SUSTAINED


class RateLimiter:
    """Slots for one company's calls.

    Kept in transactions of its own: a slot is taken, whatever becomes of the caller's.
    Read committed, because in Odoo's isolation level two workers that take a slot at
    the same time would be a conflict.
    """

    def __init__(self, database, company_id, limit, max_wait):
        self._database = database
        self._company_id = company_id
        self._step = 60 / (limit * SUSTAINED)
        self._lead = self._step * int(limit * BURST)
        # No block is longer: a later time was written while the clock was wrong.
        self._free_at = SQL(
            "CASE WHEN slot.free_at <= %s + %s THEN slot.free_at ELSE %s END",
            NOW,
            _interval(LONGEST_RETRY_AFTER + self._lead),
            NOW,
        )
        self._max_wait = max_wait

    def acquire(self):
        """Wait for a slot.

        :raises errors.RateLimited: it would take too long; then no slot was taken
        """
        wait = self._update(
            SQL(
                """
                INSERT INTO frontpay_rate_limit AS slot (company_id, free_at)
                VALUES (%(company)s, %(now)s + %(step)s)
                ON CONFLICT (company_id) DO UPDATE
                SET free_at = GREATEST(%(free_at)s, %(now)s) + %(step)s
                WHERE %(free_at)s <= %(now)s + %(lead)s + %(max_wait)s
                RETURNING EXTRACT(EPOCH FROM free_at - %(step)s - %(lead)s - %(now)s)
                """,
                company=self._company_id,
                free_at=self._free_at,
                now=NOW,
                step=_interval(self._step),
                lead=_interval(self._lead),
                max_wait=_interval(self._max_wait),
            )
        )
        if wait is None:
            raise errors.RateLimited("too many calls", retry_after=self._max_wait)
        if wait > 0:
            time.sleep(wait)

    def block(self, seconds):
        """Let nobody call for a while, because Front Payment said so."""
        self._update(
            SQL(
                """
                INSERT INTO frontpay_rate_limit AS slot (company_id, free_at)
                VALUES (%(company)s, %(until)s)
                ON CONFLICT (company_id) DO UPDATE
                SET free_at = GREATEST(%(free_at)s, %(until)s)
                RETURNING 0
                """,
                company=self._company_id,
                free_at=self._free_at,
                until=SQL("%s + %s", NOW, _interval(seconds + self._lead)),
            )
        )

    def _update(self, query):
        with sql_db.db_connect(self._database).cursor() as cr:
            cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cr.execute(query)
            row = cr.fetchone()
        return float(row[0]) if row else None


def _interval(seconds):
    return SQL("make_interval(secs => %s)", seconds)
