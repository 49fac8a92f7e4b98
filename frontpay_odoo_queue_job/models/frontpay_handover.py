from datetime import timedelta
from typing import NamedTuple

from odoo import SUPERUSER_ID, models

from odoo.addons.queue_job.job import ENQUEUED, PENDING, STARTED


class Kind(NamedTuple):
    """A kind of job.

    :param str method: what it calls
    :param int priority: less comes first in the channel
    :param bool is_for_each: whether each record has one; else there is one for all
    """

    method: str
    priority: int
    is_for_each: bool = False


# By the cron whose work they do. However long the queue, it keeps nobody from learning
# what was paid.
KINDS = {
    "cron_send": Kind("_job_send", 10, is_for_each=True),
    "cron_refund": Kind("_job_send", 5, is_for_each=True),
    "cron_poll": Kind("_job_poll", 5),
    "cron_recover": Kind("_job_recover", 5),
}
# A job may be cancelled or deleted, or have begun a moment before there was something
# for it to do: then the cron makes another one.
LOOK_AFTER = timedelta(minutes=1)


class FrontpayHandover(models.AbstractModel):
    """What a cron would do, jobs do. The cron makes those that are missing.

    A job is but the occasion: what there is to do stands in the records, as it does
    without jobs. One that comes twice, late or for nothing does nothing.
    """

    _inherit = "frontpay.handover"

    def _trigger_cron(self, name, delay=timedelta()):
        """What is due has its job with this transaction; what waits gets it from the
        cron when it is time."""
        if name in KINDS and not delay:
            self._make_jobs(name)
            delay = LOOK_AFTER
        return super()._trigger_cron(name, delay)

    def _make_jobs(self, name):
        """Have a job for each of these, or one for all, where none waits to begin.

        :param str name: of the cron whose work they do
        """
        kind = KINDS[name]
        for records in self if kind.is_for_each else [self.browse()]:
            records._delay(kind.method, priority=kind.priority)

    def _make_missing_jobs(self, name):
        """Have a job for each of these that has none, not even one that has begun."""
        by_key = {each._job_key(KINDS[name].method): each for each in self}
        jobs = self.env["queue.job"].search(
            [
                ("identity_key", "in", list(by_key)),
                ("state", "in", (PENDING, ENQUEUED, STARTED)),
            ]
        )
        served = set(jobs.mapped("identity_key"))
        missing = [each.id for key, each in by_key.items() if key not in served]
        self.browse(missing)._make_jobs(name)

    def _delay(self, method, *arguments, **options):
        """Have a method called by a job, as a cron would call it.

        :param options: of the job, see ``with_delay``
        """
        root = self.with_env(self.env(user=SUPERUSER_ID, context={}))
        root = root.with_company(root.company_id)
        number = root.move_id.name
        job = root.with_delay(
            description=number and f"Front Payment: {number}",
            identity_key=self._job_key(method, *arguments),
            max_retries=0,  # the records know when it is enough
            **options,
        )
        getattr(job, method)(*arguments)

    def _job_key(self, method, *arguments):
        return f"{self._name}.{method}:{[*self.ids, *arguments]}"
