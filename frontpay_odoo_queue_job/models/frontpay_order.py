import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.frontpay_odoo.models.frontpay_order import IN_DOUBT_STATES
from odoo.addons.frontpay_odoo.models.frontpay_order_queue import (
    LOST_IN_A_ROW,
    QUEUE_PAUSE,
)
from odoo.addons.frontpay_odoo.tools import transaction
from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.jobrunner.runner import PG_ADVISORY_LOCK_ID

# After that, a job leaves the other orders to the next one, as a cron does.
POLL_SECONDS = 10
# From an order that has gone to the look whether its batch has.
TELL_PAUSE = timedelta(seconds=5)


class FrontpayOrder(models.Model):
    """Sending, polling and recovery by jobs."""

    _inherit = "frontpay.order"

    # === SENDING === #

    @api.model
    def _send_queue(self):
        """Have a job for each invoice that is due."""
        queue = self.search(self._queued_domain(), order="tries, id")
        for company, orders in queue.grouped("company_id").items():
            orders._make_jobs_for(company)

    def _make_jobs_for(self, company):
        """Have a job for each of a company's orders; while nothing can be sent, for
        one, which tries whether that is over."""
        outage = self.env["frontpay.outage"]._current(company, "send")
        if not outage._may_be_over(False):
            return
        here = self.filtered(lambda order: order._is_queued_for(company))
        if here != self:
            transaction.run(self.env, (self - here)._tell_elsewhere)
        (here[:1] if outage else here)._make_missing_jobs("cron_send")

    def _job_send(self):
        """Send a queued invoice.

        :raises RetryableJobError: it has no turn yet
        """
        if not self.exists().filtered_domain(self._queued_domain()):
            return
        company = self.company_id
        self.env["frontpay.rate.limit"]._require_turn(company)
        outage = self.env["frontpay.outage"]._current(company, "send")
        if not outage and self._loses_answers(company):
            raise RetryableJobError("The last answers were lost.", ignore_retry=True)
        for _done in self._send_in_order(company):
            pass
        if outage and not outage.exists():
            self._send_queue()
        sender = self.exists().sender_id
        if sender:
            self.browse()._delay("_job_tell", sender.id, eta=TELL_PAUSE)

    @api.model
    def _loses_answers(self, company):
        """Whether the last answers were lost, so many that those who wait are spared
        the same for a while."""
        own = Domain("company_id", "=", company.id)
        unknown = self.search(own & Domain("state", "=", "unknown"))
        times = [(order.state_times or {}).get("unknown", "") for order in unknown]
        lost_at = sorted(times)[-LOST_IN_A_ROW:]
        since = fields.Datetime.to_string(fields.Datetime.now() - QUEUE_PAUSE)
        if len(lost_at) < LOST_IN_A_ROW or lost_at[-1] < since:
            return False
        answered = Domain("order_uuid", "!=", False) & Domain(
            "sent_at", ">=", lost_at[0]
        )
        return not self.search_count(own & answered, limit=1)

    @api.model
    def _job_tell(self, sender_id):
        """Tell who queued a batch what became of it."""
        sender = self.env["res.users"].browse(sender_id)
        orders = self.search([("sender_id", "=", sender.id)])
        if orders:
            orders._tell_sender(sender)

    @api.model
    def _scheduler_warning(self):
        return super()._scheduler_warning() or self._job_runner_warning()

    @api.model
    def _job_runner_warning(self):
        """The job runner holds a lock of the database as long as it runs."""
        lock = divmod(PG_ADVISORY_LOCK_ID, 2**32)
        runners = self.env.execute_query(
            SQL(
                """
                SELECT 1
                  FROM pg_locks
                  JOIN pg_database ON pg_database.oid = pg_locks.database
                 WHERE datname = current_database()
                   AND locktype = 'advisory'
                   AND (classid, objid, objsubid) = (%s, %s, 1)
                """,
                *lock,
            )
        )
        if runners:
            return ""
        return self.env._(
            "Odoo's job runner isn't running: nothing goes out until it does. Ask your"
            " administrator."
        )

    # === POLLING AND RECOVERY === #

    @api.model
    def _cron_poll(self):
        if self.env["frontpay.callback"]._due() or self.search_count(
            self._due_domain(), limit=1
        ):
            self._make_jobs("cron_poll")

    @api.model
    def _job_poll(self):
        """Update the status of orders."""
        limited = self.with_context(job_ends_at=time.monotonic() + POLL_SECONDS)
        # pylint: disable-next=super-method-mismatch
        return super(FrontpayOrder, limited)._cron_poll()

    @api.model
    def _has_time(self, done, left):
        ends_at = self.env.context.get("job_ends_at")
        has_time = super()._has_time(done, left)
        return has_time and not (ends_at and time.monotonic() > ends_at)

    @api.model
    def _cron_recover(self):
        if self.search_count([("state", "in", tuple(IN_DOUBT_STATES))], limit=1):
            self._make_jobs("cron_recover")

    @api.model
    def _job_recover(self):
        """Recover unknown outcomes."""
        return super()._cron_recover()  # pylint: disable=super-method-mismatch
