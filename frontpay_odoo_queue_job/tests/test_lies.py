"""Front Payment lies while jobs do what the crons would: the same lies, and the same
must hold of what comes of them."""

from unittest.mock import patch

from odoo import SUPERUSER_ID, fields
from odoo.fields import Domain
from odoo.tests import tagged

from odoo.addons.frontpay_odoo.tests import test_lies, test_lies_after_sale
from odoo.addons.frontpay_odoo.tests.common import run_cron
from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.job import Job


def run_due_jobs(env):
    """What the job runner would have done now; there is one transaction for all."""
    root = env(user=SUPERUSER_ID)
    root.flush_all()
    is_due = Domain("eta", "=", False) | Domain("eta", "<=", fields.Datetime.now())
    jobs = root["queue.job"].search(
        is_due & Domain("state", "=", "pending"),
        order="priority, date_created, id",
    )
    for record in jobs:
        job = Job.load(root, record.uuid)
        try:
            job.func(*job.args, **job.kwargs)
        except RetryableJobError:
            continue
        job.set_done()
        job.store()
    root.invalidate_all()


def run_cron_and_jobs(env, name):
    run_cron(env, name)
    run_due_jobs(env)


class ByJobs:
    """Mixed into the cases of the addon itself."""

    allow_inherited_tests_method = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for module in (test_lies, test_lies_after_sale):
            cls.startClassPatcher(patch.object(module, "run_cron", run_cron_and_jobs))

    def _send_refunds(self):
        sent = super()._send_refunds()
        run_due_jobs(self.env)
        return sent


@tagged("post_install", "-at_install", "frontpay")
class TestLiesAboutSubmissions(ByJobs, test_lies.TestLiesAboutSubmissions):
    pass


@tagged("post_install", "-at_install", "frontpay")
class TestLiesAboutOrders(ByJobs, test_lies.TestLiesAboutOrders):
    pass


@tagged("post_install", "-at_install", "frontpay")
class TestLiesAboutTheUnknown(ByJobs, test_lies.TestLiesAboutTheUnknown):
    pass


@tagged("post_install", "-at_install", "frontpay")
class TestLiesAboutRefunds(ByJobs, test_lies_after_sale.TestLiesAboutRefunds):
    pass
