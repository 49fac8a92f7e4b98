"""How fast Front Payment may be called, kept for all workers of a database.

The API allows 240 calls a minute for everything together (section 2 of the API
reference; question 44 of section 24). Each call takes a place in one row of the
database, however many workers there are. The places lie evenly apart, but for a few
that may be taken at once, so that no 60 seconds hold more than the limit.
"""

import time

from odoo import api, fields, models, sql_db
from odoo.tools import SQL

from ..connect import errors

CALLS_PER_MINUTE = 240
# Even places for 95 % of the limit and 3 % at once; the rest is for calls that take
# longer to leave than the one before them.
EVENLY = 0.95
AT_ONCE = 0.03
WINDOW = 60  # seconds; not stated, but usual
PATIENCE = 5  # seconds that a person waits for a free place
CRON_PATIENCE = 60  # seconds that a cron does


class FrontpayPace(models.Model):
    _name = "frontpay.pace"
    _description = "Front Payment Call Rate"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    free_at = fields.Datetime(required=True)

    _one_per_company = models.UniqueIndex("(company_id)")

    @api.model
    def _of(self, company, patience=PATIENCE):
        """The pace of a company's calls, for a :class:`connect.client.Client`.

        :param patience: seconds that a call may wait for its place
        :return: None in Odoo's tests, which have one transaction for everything
        """
        if not self.env["account.move"]._can_commit():
            return None
        limit = self.env["ir.config_parameter"]._frontpay_number(
            "calls_per_minute", CALLS_PER_MINUTE
        )
        return Pace(self.env.cr.dbname, company.id, limit, patience)


class Pace:
    """Places for one company's calls.

    Kept in transactions of its own: a place is taken, whatever becomes of the caller's.
    Read committed, because in Odoo's isolation level two workers that take a place at
    the same time would be a conflict.
    """

    def __init__(self, database, company_id, limit, patience):
        self._database = database
        self._company_id = company_id
        self._step = 60 / (limit * EVENLY)
        self._lead = self._step * int(limit * AT_ONCE)
        self._patience = patience

    def take(self):
        """Wait for a place.

        :raises errors.Limited: it would take too long; then no place was taken
        """
        wait = self._taken(
            SQL(
                """
                INSERT INTO frontpay_pace AS pace (company_id, free_at)
                VALUES (%(company)s, %(now)s + %(step)s)
                ON CONFLICT (company_id) DO UPDATE
                SET free_at = GREATEST(pace.free_at, %(now)s) + %(step)s
                WHERE pace.free_at <= %(now)s + %(lead)s + %(patience)s
                RETURNING EXTRACT(EPOCH FROM free_at - %(step)s - %(lead)s - %(now)s)
                """,
                company=self._company_id,
                now=SQL("(clock_timestamp() AT TIME ZONE 'UTC')"),
                step=_interval(self._step),
                lead=_interval(self._lead),
                patience=_interval(self._patience),
            )
        )
        if wait is None:
            raise errors.Limited("too many calls", retry_after=self._patience)
        if wait > 0:
            time.sleep(wait)

    def hold(self, seconds):
        """Let nobody call for a while, because Front Payment said so."""
        self._taken(
            SQL(
                """
                INSERT INTO frontpay_pace AS pace (company_id, free_at)
                VALUES (%(company)s, %(until)s)
                ON CONFLICT (company_id) DO UPDATE
                SET free_at = GREATEST(pace.free_at, %(until)s)
                RETURNING 0
                """,
                company=self._company_id,
                until=SQL(
                    "(clock_timestamp() AT TIME ZONE 'UTC') + %s",
                    _interval(seconds + self._lead),
                ),
            )
        )

    def _taken(self, query):
        with sql_db.db_connect(self._database).cursor() as cr:
            cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cr.execute(query)
            row = cr.fetchone()
        return float(row[0]) if row else None


def _interval(seconds):
    return SQL("make_interval(secs => %s)", seconds)
