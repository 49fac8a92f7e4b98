from datetime import timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, fields
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.frontpay_odoo.models.frontpay_order_queue import LOST_IN_A_ROW
from odoo.addons.frontpay_odoo.tests.test_refund import RefundCase
from odoo.addons.frontpay_odoo_queue_job.hooks import uninstall_hook
from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.job import DONE, Job

BATCH = 6  # one more than is sent while somebody waits


class JobCase(RefundCase):
    def setUp(self):
        super(RefundCase, self).setUp()  # without an invoice that is sent
        self.usual_settings()

    def sell(self):
        """Have an invoice sent, and no job for it."""
        self.move, self.sent = self.sold()
        self.jobs().unlink()

    def jobs(self, method=""):
        """The jobs that wait to begin, in the order in which they would."""
        return (
            self.env["queue.job"]
            .sudo()
            .search(
                [
                    ("method_name", "=like", f"_job_{method}%"),
                    ("state", "=", "pending"),
                ],
                order="priority, date_created, id",
            )
        )

    def run_job(self, record):
        """As the job runner's controller does.

        :raises RetryableJobError: it is to come again
        """
        job = Job.load(self.env(user=SUPERUSER_ID), record.uuid)
        with self.enter_registry_test_mode():
            job.perform()
        job.set_done()
        job.store()
        self.env.invalidate_all()

    def run_jobs(self, method=""):
        for record in self.jobs(method):
            self.run_job(record)

    def run_cron(self, name="send"):
        with self.enter_registry_test_mode():
            self.env.ref(f"frontpay_odoo.cron_{name}").method_direct_trigger()
        self.env.invalidate_all()

    def batch(self, count=BATCH):
        """Invoices that are queued, and none of them called for."""
        moves = self.env["account.move"].union(
            *(self.invoice() for _number in range(count))
        )
        moves.action_frontpay_send()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"queued"})
        return moves

    def note(self):
        """A queued credit note."""
        self.sell()
        self.happens(self.sent, "confirm", "pay")
        note = self.credit(10)
        self.env["frontpay.refund"]._enqueue_notes(note)
        self.assertEqual(note.frontpay_refund_state, "queued")
        return note

    def outage(self):
        return self.env["frontpay.outage"].sudo()._current(self.company, "send")

    def references(self):
        """The sent invoices' names, in the order in which they were sent."""
        return [
            order["payload"]["referenceNo"].rpartition("-")[0]
            for order in self.sandbox.orders()
        ]

    def next_slot_in(self, seconds):
        """Let the company's next call wait so long."""
        self.env["frontpay.rate.limit"].sudo().search([]).unlink()
        self.env.cr.execute(
            SQL(
                "INSERT INTO frontpay_rate_limit (company_id, free_at)"
                " VALUES (%s, clock_timestamp() AT TIME ZONE 'UTC' + %s)",
                self.company.id,
                timedelta(seconds=seconds),
            )
        )


@tagged("post_install", "-at_install", "frontpay")
class TestSendingJobs(JobCase):
    def test_each_queued_invoice_has_a_job_of_its_own(self):
        moves = self.batch()
        jobs = self.jobs("send")
        self.assertEqual(
            jobs.mapped("name"), [f"Front Payment: {move.name}" for move in moves]
        )
        for job, move in zip(jobs, moves, strict=True):
            self.assertEqual(job.channel, "root.frontpay")
            self.assertEqual(job.records, move.frontpay_order_id)
            self.assertEqual(job.user_id.id, SUPERUSER_ID)
            self.assertEqual(job.company_id, self.company)
            self.assertEqual(job.max_retries, 0)
            self.assertTrue(job.job_function_id.allow_commit)
        self.assertEqual(len(set(jobs.mapped("identity_key"))), BATCH)
        self.assertFalse(self.sandbox.requests())

    def test_the_jobs_send_in_the_order_in_which_invoices_were_queued(self):
        moves = self.batch()
        self.run_jobs()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"sent"})
        self.assertEqual(self.references(), moves.mapped("name"))

    def test_an_invoice_has_one_job_however_often_it_is_queued(self):
        moves = self.batch()
        moves.action_frontpay_send()
        self.run_cron()
        self.assertEqual(len(self.jobs("send")), BATCH)

    def test_the_cron_makes_the_jobs_that_are_missing_and_sends_nothing(self):
        self.batch()
        self.jobs()[:2].unlink()
        self.run_cron()
        self.assertEqual(len(self.jobs("send")), BATCH)
        self.assertFalse(self.sandbox.requests())

    def test_a_job_that_has_begun_needs_no_second_one(self):
        self.batch()
        self.jobs()[0].state = "started"
        self.run_cron()
        self.assertEqual(len(self.jobs("send")), BATCH - 1)

    def test_a_job_whose_work_is_done_does_nothing(self):
        sent, withdrawn, deleted, later = self.batch()[:4]
        sent.action_frontpay_send()
        withdrawn._frontpay_withdraw_invoices()
        deleted.frontpay_order_id.sudo().unlink()
        later.frontpay_order_id.sudo().retry_at = fields.Datetime.now() + timedelta(1)
        before = self.references()
        jobs = {job.name: job for job in self.jobs("send")}
        for move in (sent, withdrawn, deleted, later):
            with self.subTest(move=move.name):
                self.run_job(jobs[f"Front Payment: {move.name}"])
                self.assertEqual(self.references(), before)
        self.assertEqual(later.frontpay_state, "queued")

    def test_a_job_that_comes_twice_sends_once(self):
        self.batch()
        first = self.jobs("send")[0]
        self.run_job(first)
        self.run_job(first)
        self.assertEqual(len(self.sandbox.orders()), 1)

    def test_without_a_turn_a_job_comes_back_when_there_is_one(self):
        self.note()
        self.batch()
        self.sandbox.control("DELETE", "requests")
        self.next_slot_in(600)
        for record in self.jobs("send"):
            with self.subTest(model=record.model_name):
                job = Job.load(self.env(user=SUPERUSER_ID), record.uuid)
                with (
                    self.enter_registry_test_mode(),
                    self.assertRaises(RetryableJobError) as raised,
                ):
                    job.perform()
                self.assertIn(raised.exception.seconds, range(590, 602))
                self.assertEqual(job.retry, 0)
        self.assertFalse(self.sandbox.requests())
        self.next_slot_in(3)
        self.run_jobs("send")
        self.assertTrue(self.sandbox.requests())

    def test_at_a_low_limit_a_job_waits_for_its_turn(self):
        """Else a long queue would come back as a whole at each turn."""
        self.env["ir.config_parameter"].set_param("frontpay_odoo.calls_per_minute", "6")
        self.next_slot_in(20)
        self.env["frontpay.rate.limit"]._require_turn(self.company)
        self.next_slot_in(40)
        with self.assertRaises(RetryableJobError):
            self.env["frontpay.rate.limit"]._require_turn(self.company)

    def test_while_nothing_can_be_sent_one_job_tries(self):
        moves = self.batch()
        self.go_away()
        self.run_jobs()
        self.assertEqual(self.outage().failures, 1)
        self.assertEqual(set(moves.mapped("frontpay_state")), {"queued"})
        self.run_cron()
        self.assertFalse(self.jobs("send"))

        self.outage().retry_at = fields.Datetime.now()
        self.run_cron()
        self.assertEqual(len(self.jobs("send")), 1)
        self.come_back()
        self.run_jobs("send")
        self.assertFalse(self.outage())
        self.assertEqual(len(self.jobs("send")), BATCH - 1)
        self.run_jobs("send")
        self.assertEqual(set(moves.mapped("frontpay_state")), {"sent"})

    def test_after_lost_answers_those_who_wait_are_spared(self):
        self.batch(LOST_IN_A_ROW + 1)
        self.sandbox.fault("drop", when="after", count=LOST_IN_A_ROW)
        *lost, last = self.jobs("send")
        for record in lost:
            self.run_job(record)
        before = len(self.sandbox.requests())
        with self.assertRaises(RetryableJobError):
            self.run_job(last)
        self.assertEqual(len(self.sandbox.requests()), before)
        orders = self.env["frontpay.order"].sudo()
        later = fields.Datetime.now() + timedelta(minutes=2)
        with patch.object(fields.Datetime, "now", return_value=later):
            self.assertFalse(orders._loses_answers(self.company))
        lost = orders.search([("state", "=", "unknown")])
        lost[0]._set_state("sent")
        self.assertFalse(orders._loses_answers(self.company))

    def test_whoever_queued_a_batch_is_told_when_it_is_done(self):
        moves = self.batch()
        sender = self.env.user
        self.assertEqual(moves.frontpay_order_ids.sender_id, sender)
        self.run_jobs("send")
        self.assertEqual(len(self.jobs("tell")), 1)
        with patch.object(type(self.env["res.partner"]), "_bus_send") as bus:
            self.run_jobs("tell")
        self.assertIn("account_notification", [call.args[0] for call in bus.mock_calls])
        self.assertFalse(moves.frontpay_order_ids.sender_id)

    def test_the_first_who_sends_is_warned_that_no_job_runner_runs(self):
        # The database may have been made an hour ago.
        cron = self.env.ref("frontpay_odoo.cron_send")
        cron.nextcall = fields.Datetime.now()
        orders = self.env["frontpay.order"]
        self.assertIn("job runner isn't running", orders._scheduler_warning())

    def test_uninstalling_leaves_no_job_that_waits(self):
        self.batch()
        self.run_job(self.jobs("send")[0])
        uninstall_hook(self.env(su=True))
        self.assertFalse(self.jobs())
        done = [("method_name", "=", "_job_send"), ("state", "=", DONE)]
        self.assertTrue(self.env["queue.job"].sudo().search(done))


@tagged("post_install", "-at_install", "frontpay")
class TestOtherJobs(JobCase):
    def test_a_queued_credit_note_goes_before_queued_invoices(self):
        note = self.note()
        self.batch()
        first = self.jobs("send")[0]
        self.assertEqual(first.records, note.frontpay_refund_id)
        self.run_job(first)
        self.assertEqual(note.frontpay_refund_state, "pending")
        self.run_job(first)
        self.assertEqual(len(self.refund_calls()), 1)

    def test_the_cron_makes_the_job_of_a_credit_note(self):
        self.note()
        self.jobs().unlink()
        self.run_cron("refund")
        self.assertEqual(len(self.jobs("send")), 1)
        self.assertFalse(self.refund_calls())

    def test_one_job_polls_whatever_is_due(self):
        self.sell()
        self.sandbox.act(self.sent.order_uuid, "confirm")
        self.sandbox.act(self.sent.order_uuid, "pay")
        self.sent._poll_soon()
        self.sent._poll_soon()
        self.run_cron("poll")
        self.assertEqual(len(self.jobs()), 1)
        self.run_jobs("poll")
        self.assertEqual(self.sent.state, "paid")

    def test_a_job_that_polls_leaves_the_rest_to_the_next_one(self):
        orders = self.env["frontpay.order"]
        over = orders.with_context(job_ends_at=1)
        self.assertFalse(over._has_time(1, 1))
        self.assertTrue(orders._has_time(1, 1))

    def test_one_job_recovers_what_has_no_outcome(self):
        self.sell()
        self.sent.write({"state": "sending", "order_uuid": False})
        self.run_cron("recover")
        self.run_cron("recover")
        self.assertEqual(len(self.jobs()), 1)
        self.run_jobs("recover")
        self.assertEqual(self.sent.state, "sent")

    def test_where_there_is_nothing_to_do_no_job_is_made(self):
        self.sell()
        self.sent.next_poll_at = fields.Datetime.now() + timedelta(1)
        for name in ("send", "refund", "poll", "recover"):
            with self.subTest(cron=name):
                self.run_cron(name)
                self.assertFalse(self.jobs())
