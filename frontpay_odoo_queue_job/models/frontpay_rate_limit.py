from odoo import api, models
from odoo.tools import SQL

from odoo.addons.frontpay_odoo.models.frontpay_rate_limit import NOW
from odoo.addons.queue_job.exception import RetryableJobError

# So many calls at the limit's pace, or so many seconds, a job waits in its place of the
# channel; for more it gives the place to others.
MAX_CALLS = 3
MAX_SECONDS = 5


class FrontpayRateLimit(models.Model):
    _inherit = "frontpay.rate.limit"

    @api.model
    def _require_turn(self, company):
        """Let a job go on only if a call of the company's may go out soon.

        :raises RetryableJobError: it comes again when one may
        """
        seconds = self._seconds_until_turn(company)
        if seconds > max(MAX_SECONDS, MAX_CALLS * 60 / self._pace()):
            raise RetryableJobError(
                "The rate limit lets no call out yet.",
                seconds=seconds,
                ignore_retry=True,
            )

    @api.model
    def _seconds_until_turn(self, company):
        """By the database's clock, as the limit itself."""
        free_at = SQL("SELECT max(free_at) FROM frontpay_rate_limit")
        [[seconds]] = self.env.execute_query(
            SQL(
                "SELECT CEIL(EXTRACT(EPOCH FROM (%s WHERE company_id = %s) - %s))",
                free_at,
                company.id,
                NOW,
            )
        )
        return max(int(seconds or 0), 0)
