from datetime import timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, Command, fields
from odoo.exceptions import LockError, UserError
from odoo.models import BaseModel
from odoo.service import server
from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.frontpay_odoo.connect import errors
from odoo.addons.frontpay_odoo.connect.client import Client
from odoo.addons.frontpay_odoo.models.frontpay_order_queue import QUEUE_PAUSE
from odoo.addons.frontpay_odoo.models.frontpay_order_submission import MAX_TRIES
from odoo.addons.frontpay_odoo.models.frontpay_outage import TOLD_AFTER
from odoo.addons.frontpay_odoo.tools import retry, transaction

from .common import API_TOKEN, SECRET, SandboxCase

SUBMIT = "POST connect/orders/invoice/submit"
BATCH = 6  # one more than is sent while somebody waits


class QueueCase(SandboxCase):
    def send(self, moves):
        """Click the button, and return the kind and text of the notification."""
        params = moves.action_frontpay_send()["params"]
        return params["type"], params["message"]

    def batch(self, count=BATCH, **values):
        return self.env["account.move"].union(
            *(self.invoice(**values) for _number in range(count))
        )

    def run_queue(self):
        with self.enter_registry_test_mode():
            self.env.ref("frontpay_odoo.cron_send").method_direct_trigger()
        self.env.invalidate_all()

    def run_queue_later(self):
        """The cron runs when a pause is over."""
        self.outage().write({"retry_at": fields.Datetime.now()})
        self.run_queue()

    def outage(self):
        """Why nothing is sent."""
        return self.env["frontpay.outage"].sudo()._current(self.company, "send")

    def calls(self):
        """How many calls were made or tried so far."""
        return self.env["frontpay.exchange"].search_count([("direction", "=", "out")])

    def first_submission(self, error):
        """A context in which it fails, and the others don't."""
        submit, failures = Client.submit, [error]

        def first_fails(client, *arguments):
            if failures:
                raise failures.pop()
            return submit(client, *arguments)

        return patch.object(Client, "submit", first_fails)

    def references(self):
        """The sent invoices' names, in the order in which they were sent."""
        return [
            order["payload"]["referenceNo"].rpartition("-")[0]
            for order in self.sandbox.orders()
        ]

    def attention(self, move):
        """What the invoice's responsible is asked to do."""
        return move.activity_search(["frontpay_odoo.activity_attention"])

    def triggers(self):
        """When the queue's cron is to run."""
        return (
            self.env["ir.cron.trigger"]
            .search([("cron_id", "=", self.env.ref("frontpay_odoo.cron_send").id)])
            .mapped("call_at")
        )


@tagged("post_install", "-at_install", "frontpay")
class TestQueue(QueueCase):
    def test_however_long_the_queue_each_order_is_read_alone(self):
        """With each commit Odoo forgets what was read: the others aren't read again."""
        moves = self.batch()
        self.send(moves)
        self.env.flush_all()
        fetch, counts = BaseModel.fetch, []

        def counted(records, names=None):
            if records._name == "frontpay.order":
                counts.append(len(records))
            return fetch(records, names)

        with patch.object(BaseModel, "fetch", counted):
            self.run_queue()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"sent"})
        # All are read when the run begins, and when it is told who is through.
        self.assertEqual([count for count in counts if count > 1], [BATCH, BATCH])

    def test_many_invoices_are_queued_and_sent_in_order(self):
        moves = self.batch()
        kind, message = self.send(moves)
        self.assertEqual(kind, "success")
        self.assertIn("6 invoices are queued", message)
        self.assertEqual(set(moves.mapped("frontpay_state")), {"queued"})
        self.assertFalse(self.sandbox.requests())
        self.assertTrue(self.triggers())

        self.run_queue()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"sent"})
        self.assertEqual(self.references(), moves.mapped("name"))
        self.assertEqual(len(moves.frontpay_order_ids), BATCH)

        self.run_queue()
        self.assertEqual(len(self.sandbox.orders()), BATCH)

    def test_what_cannot_be_sent_is_told_and_not_queued(self):
        nobody = self.invoice(customer=self._customer("Nobody", email=False))
        moves = self.batch()
        kind, message = self.send(nobody + moves)
        self.assertEqual(kind, "danger")
        self.assertIn("Nobody has no e-mail address", message)
        self.assertFalse(nobody.frontpay_state)
        self.assertEqual(set(moves.mapped("frontpay_state")), {"queued"})

    def test_a_queued_invoice_is_not_queued_twice(self):
        moves = self.batch()
        self.send(moves)
        self.send(moves)
        self.assertEqual(len(moves.frontpay_order_ids), BATCH)

    def test_an_invoice_that_was_sent_since_it_was_checked_is_not_queued(self):
        sent, waiting = self.invoice(customer=self.corporate), self.invoice()
        sent.action_frontpay_send()
        orders = self.env["frontpay.order"]._enqueue(sent + waiting)
        self.assertEqual(orders.move_id, waiting)
        self.assertEqual(sent.frontpay_state, "invoiced")

    def test_a_refused_invoice_touches_no_other(self):
        moves = self.batch()
        sender = new_test_user(
            self.env,
            "frontpay_sender",
            groups="account.group_account_invoice",
            company_id=self.company.id,
        )
        self.send(moves.with_user(sender))
        self.sandbox.fault("status", status=417)
        self.run_queue()
        self.assertEqual(
            moves.mapped("frontpay_state"), ["failed", *["sent"] * (BATCH - 1)]
        )
        [activity] = self.attention(moves)
        self.assertEqual(activity.res_id, moves[0].id)
        self.assertEqual(activity.user_id, sender)
        self.assertIn("Front Payment rejected the invoice", activity.note)
        self.assertEqual(self.references(), moves[1:].mapped("name"))

    def test_a_note_is_posted_once_however_often_it_is_tried(self):
        moves = self.batch()
        self.private.phone = "+47 22123456"
        self.send(moves)
        move, order = moves[0], moves[0].sudo().frontpay_order_id
        (moves - move).action_frontpay_withdraw()
        self.sandbox.fault("limited", retry_after=1, count=2)
        for tries in range(1, 3):
            self.run_queue()
            self.assertEqual((order.state, order.tries), ("queued", tries))
            order.retry_at = False
        self.run_queue()
        self.assertEqual(order.state, "sent")
        move.ref = "3501"
        self.queued_updates(move)
        self.run_queue()
        self.assertEqual(self.sandbox.requests(), [SUBMIT] * 4)
        notes = [body for body in move.message_ids.mapped("body") if "no SMS" in body]
        self.assertEqual(len(notes), 1)

    def test_nobody_listens_so_all_wait(self):
        moves = self.batch()
        self.send(moves)
        self.go_away()
        self.run_queue()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"queued"})
        self.assertFalse(any(moves.frontpay_order_ids.mapped("tries")))
        self.assertFalse(self.attention(moves))
        self.assertIn(self.outage().retry_at, self.triggers())

        self.run_queue()
        self.assertEqual(self.calls(), 1)
        self.come_back()
        self.run_queue_later()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"sent"})
        self.assertFalse(self.outage())

    def test_that_nobody_listens_is_told_when_it_lasts(self):
        moves = self.batch()
        self.send(moves)
        self.go_away()
        for failures in range(1, TOLD_AFTER + 3):
            self.run_queue_later()
            told = self.attention(moves)
            self.assertEqual(bool(told), failures >= TOLD_AFTER)
        self.assertEqual(len(told), 1)
        self.assertIn("Nobody answers at that address", told.note)
        self.assertEqual(set(moves.mapped("frontpay_state")), {"queued"})

    def test_the_least_tried_go_first(self):
        moves = self.batch()
        self.send(moves)
        self.go_away()
        orders = moves.frontpay_order_ids.sorted("id").sudo()
        orders[:2].tries = 1
        self.come_back()
        orders.retry_at = fields.Datetime.now() - timedelta(seconds=1)
        self.run_queue()
        names = moves.mapped("name")
        self.assertEqual(self.references(), names[2:] + names[:2])
        self.assertFalse(any(orders.mapped("error")))

    def test_too_many_calls_put_off_one_and_the_others_go_on(self):
        moves = self.batch()
        self.send(moves)
        self.env["ir.cron.trigger"].search([]).unlink()
        self.sandbox.fault("limited", retry_after=600)
        before = fields.Datetime.now()
        self.run_queue()
        self.assertEqual(
            moves.mapped("frontpay_state"), ["queued", *["sent"] * (BATCH - 1)]
        )
        retry_at = moves[0].frontpay_order_id.retry_at
        self.assertGreaterEqual(retry_at, before + timedelta(seconds=600))
        self.assertGreaterEqual(max(self.triggers()), retry_at)

    def test_the_next_attempt_is_told_in_the_readers_time_zone(self):
        [move] = self.batch(1)
        order = self.order(move, "queued", retry_at="2026-01-05 10:00:00")
        for zone, hour in (("Europe/Oslo", "11:00"), ("Europe/Helsinki", "12:00")):
            self.assertIn(hour, str(order.with_context(tz=zone)._retry_sentence()))

    def test_an_invoice_that_was_put_off_is_left_alone_until_its_time(self):
        moves = self.batch()
        self.send(moves)
        self.sandbox.fault("limited", retry_after=1)
        self.run_queue()
        order = moves[0].frontpay_order_id.sudo()
        self.run_queue()
        self.assertEqual((order.state, order.tries), ("queued", 1))
        self.assertEqual(set(moves[1:].mapped("frontpay_state")), {"sent"})
        order.retry_at = fields.Datetime.now() - timedelta(seconds=1)
        self.run_queue()
        self.assertEqual(order.state, "sent")

    def test_an_invoice_that_somebody_works_on_is_tried_again_in_a_minute(self):
        moves = self.batch()
        self.send(moves)
        order = moves[0].sudo().frontpay_order_id
        lock = transaction.lock

        def lock_others(move):
            if move == moves[0]:
                raise transaction.busy(move)
            lock(move)

        with patch.object(transaction, "lock", lock_others):
            self.run_queue()
        for _time in range(2):
            self.assertEqual(
                moves.mapped("frontpay_state"), ["queued", *["sent"] * (BATCH - 1)]
            )
            self.assertFalse(order.tries)
            self.run_queue()
        self.assertLessEqual(order.retry_at, fields.Datetime.now() + QUEUE_PAUSE)
        order.retry_at = fields.Datetime.now()
        self.run_queue()
        self.assertEqual(order.state, "sent")

    def test_when_our_own_limit_is_reached_the_queue_goes_on_in_a_minute(self):
        moves = self.batch()
        self.send(moves)
        self.env["ir.cron.trigger"].search([]).unlink()
        limited = errors.RateLimited("too many calls", retry_after=60)
        before = fields.Datetime.now()
        with patch.object(Client, "wait_for_slot", side_effect=limited) as wait:
            self.run_queue()
        self.assertEqual(wait.call_count, 1)
        self.assertEqual(set(moves.mapped("frontpay_state")), {"queued"})
        self.assertGreaterEqual(min(self.triggers()), before + QUEUE_PAUSE)

    def test_a_server_that_is_told_to_stop_takes_no_further_invoice(self):
        moves = self.batch()
        self.send(moves)
        Order = type(self.env["frontpay.order"])
        runs, send = [], Order._send_in_order

        def counted(orders, company):
            runs.append(len(orders))
            return send(orders, company)

        with (
            patch.object(server, "server") as stopping,
            patch.object(Order, "_send_in_order", counted),
        ):
            stopping.quit_signals_received = 1
            self.run_queue()
        self.assertEqual(runs, [6, 5, 4, 3, 2, 1])

    def test_lost_answers_that_are_not_in_a_row_stop_nobody(self):
        moves = self.batch(9)
        self.send(moves)
        for status in (503, 503, 503, 503, 417, 503, 503, 503):
            self.sandbox.fault("status", status=status)
        self.run_queue()
        self.assertEqual(
            moves.mapped("frontpay_state"),
            [*["unknown"] * 4, "failed", *["unknown"] * 3, "sent"],
        )

    def test_a_cron_waits_for_a_slot_longer_than_a_person(self):
        moves = self.batch()
        RateLimit = type(self.env["frontpay.rate.limit"])
        with patch.object(RateLimit, "_limiter_of", return_value=None) as limiter:
            self.send(moves[0])
            self.send(moves - moves[0] + self.invoice())
            self.run_queue()
        person, cron = (call.args[1] for call in limiter.call_args_list)
        self.assertGreater(cron, 10 * person)

    def test_the_last_try_fails_and_asks_somebody(self):
        moves = self.batch()
        self.send(moves)
        order = moves[0].frontpay_order_id.sudo()
        (moves - moves[0]).action_frontpay_withdraw()
        self.sandbox.fault("limited", retry_after=1, count=MAX_TRIES)
        for tries in range(1, MAX_TRIES):
            self.run_queue()
            self.assertEqual((order.state, order.tries), ("queued", tries))
            self.assertFalse(self.attention(moves))
            order.retry_at = False
        self.run_queue()
        self.assertEqual(order.state, "failed")
        self.assertIn("Too many calls", self.attention(moves).note)

    def test_somebody_is_asked_after_about_two_hours(self):
        self.send(self.batch())
        order = self.env["frontpay.order"].sudo().search([], limit=1)
        now, waited = fields.Datetime.now(), timedelta()
        with freeze_time(now):
            for tries in range(MAX_TRIES - 1):
                order.tries = tries
                order._record_failure(errors.Unreachable("nobody"))
                waited += order.retry_at - now
        self.assertEqual(order.state, "queued")
        self.assertTrue(timedelta(minutes=90) < waited < timedelta(minutes=155), waited)

    def test_what_is_wrong_with_the_connection_pauses_all_and_is_told_once(self):
        url = self.company.frontpay_custom_url
        for setting, wrong, right, sentence in (
            ("frontpay_api_token", "another", API_TOKEN, "doesn't accept the token"),
            ("frontpay_api_token", False, API_TOKEN, "lacks these"),
            ("frontpay_callback_secret", False, SECRET, "lacks these"),
            ("frontpay_journal_id", False, self.company.frontpay_journal_id, "lacks"),
            ("frontpay_custom_url", False, url, "there is no API base URL"),
        ):
            with self.subTest(setting, wrong=wrong):
                moves = self.batch()
                self.send(moves)
                self.company[setting] = wrong
                for _time in range(3):
                    self.run_queue_later()
                self.assertEqual(set(moves.mapped("frontpay_state")), {"queued"})
                self.assertFalse(any(moves.frontpay_order_ids.mapped("tries")))
                [activity] = self.attention(moves)
                self.assertEqual(activity.res_id, moves[0].id)
                self.assertIn(sentence, activity.note)
                self.assertIn(sentence, moves[0].frontpay_error)
                told = " ".join(moves[0].message_ids.mapped("body"))
                self.assertEqual(told.count(sentence), 1)

                self.env["ir.cron.trigger"].search([]).unlink()
                self.company[setting] = right
                self.assertLessEqual(min(self.triggers()), fields.Datetime.now())
                self.run_queue()
                self.assertEqual(set(moves.mapped("frontpay_state")), {"sent"})
                self.assertFalse(any(moves.mapped("frontpay_error")))
                self.assertFalse(self.attention(moves))

    def test_when_the_one_that_told_it_is_taken_out_another_one_tells(self):
        moves = self.batch()
        self.send(moves)
        self.company.frontpay_api_token = "another"
        self.run_queue()
        moves[0].action_frontpay_withdraw()
        self.assertFalse(self.attention(moves))
        self.run_queue_later()
        self.assertEqual(self.attention(moves).res_id, moves[1].id)

    def test_whoever_meets_the_pause_next_is_not_told_as_well(self):
        moves = self.batch()
        self.send(moves)
        self.company.frontpay_api_token = "another"
        self.run_queue()
        later = fields.Datetime.now() + timedelta(hours=1)
        moves[0].sudo().frontpay_order_id.retry_at = later
        self.run_queue_later()
        self.assertEqual(self.attention(moves).res_id, moves[0].id)
        self.assertFalse(moves[1].frontpay_error)

    def test_an_address_where_somebody_else_answers_pauses_all(self):
        moves = self.batch()
        self.send(moves)
        elsewhere = f"{self.sandbox.url}/elsewhere/"
        with patch.object(
            type(self.company), "_frontpay_api_url", return_value=elsewhere
        ):
            moves.frontpay_order_ids.sudo().base_url = elsewhere
            self.run_queue()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"queued"})
        self.assertIn("isn't Front Payment", self.attention(moves).note)

    def test_the_pauses_grow(self):
        self.send(self.batch())
        self.company.frontpay_api_token = "another"
        pauses = []
        for _time in range(5):
            self.run_queue_later()
            pauses.append(self.outage().retry_at - self.outage().failed_at)
        self.assertEqual(pauses, sorted(pauses))
        self.assertGreater(pauses[-1], timedelta(minutes=10))

    def test_a_pause_is_over_once_front_payment_answers_even_if_it_says_no(self):
        moves = self.batch()
        self.send(moves)
        self.go_away()
        self.run_queue()
        self.assertTrue(self.outage())
        self.come_back()
        rejection = errors.Rejected("HTTP 417", http_status=417)
        with patch.object(Client, "submit", side_effect=rejection):
            self.run_queue_later()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"failed"})
        self.assertFalse(self.outage())

    def test_one_that_something_on_the_way_minds_fails_alone(self):
        """A firewall's page about one invoice says nothing of the others."""
        for error in (
            errors.Unauthorized("HTTP 403", http_status=403),
            errors.NotFrontPayment("HTTP 413", http_status=413),
        ):
            with self.subTest(error):
                moves = self.batch()
                self.send(moves)
                with self.first_submission(error):
                    self.run_queue()
                self.assertEqual(
                    moves.mapped("frontpay_state"), ["failed", *["sent"] * (BATCH - 1)]
                )
                self.assertEqual(len(self.attention(moves)), 1)
                self.assertIn("rejected the invoice", moves[0].frontpay_error)
                self.assertFalse(self.outage())

    def test_what_keeps_all_waiting_is_told_alone(self):
        moves = self.batch()
        self.send(moves)
        self.company.frontpay_callback_secret = False
        self.private.phone = False
        self.run_queue()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"queued"})
        self.assertIn("lacks these", moves[0].frontpay_error)
        self.assertNotIn("phone number", moves[0].frontpay_error)

    def test_an_update_that_is_rejected_asks_somebody(self):
        moves = self.batch()
        self.send(moves)
        self.run_queue()
        moves[0].ref = "3501"
        self.queued_updates(moves[0])
        self.sandbox.fault("status", status=417)
        self.run_queue()
        order = moves[0].frontpay_order_id
        self.assertEqual((order.state, order.update_queued), ("sent", False))
        self.assertIn("was not brought up to date", order.error)
        self.assertIn("was not brought up to date", self.attention(moves).note)

    def test_an_update_is_tried_again_after_too_many_calls(self):
        moves = self.batch()
        self.send(moves)
        self.run_queue()
        moves[0].ref = "3501"
        self.queued_updates(moves[0])
        order = moves[0].frontpay_order_id.sudo()
        self.sandbox.fault("limited", retry_after=1, count=MAX_TRIES)
        for tries in range(1, MAX_TRIES):
            self.run_queue()
            self.assertEqual((order.update_queued, order.tries), (True, tries))
            self.run_queue()
            self.assertEqual(order.tries, tries)
            order.retry_at = False
        self.run_queue()
        self.assertFalse(order.update_queued or order.tries)
        self.assertIn("was not brought up to date", self.attention(moves).note)

    def test_an_update_that_can_not_be_sent_any_more_is_told_once(self):
        moves = self.batch()
        self.send(moves)
        self.run_queue()
        moves[0].ref = "3501"
        self.queued_updates(moves[0])
        self.private.phone = False
        self.run_queue()
        order = moves[0].frontpay_order_id
        self.assertEqual((order.state, order.update_queued), ("sent", False))
        self.assertIn("no phone number", self.attention(moves).note)
        self.assertEqual(len(self.sandbox.requests()), BATCH)

    def test_an_update_waits_as_well(self):
        moves = self.batch()
        self.send(moves)
        self.run_queue()
        moves[0].ref = "3501"
        self.queued_updates(moves[0])
        self.company.frontpay_api_token = "another"
        self.run_queue()
        order = moves[0].frontpay_order_id
        self.assertTrue(order.update_queued)
        self.assertEqual(order.state, "sent")
        self.company.frontpay_api_token = API_TOKEN
        self.run_queue()
        self.assertFalse(order.update_queued or order.error)
        self.assertEqual(
            self.sandbox.orders()[0]["payload"]["customerReference"], "3501"
        )

    def test_an_unknown_outcome_is_not_sent_again(self):
        moves = self.batch()
        self.send(moves)
        self.sandbox.fault("drop", when="after")
        self.run_queue()
        self.run_queue()
        self.assertEqual(
            moves.mapped("frontpay_state"), ["unknown", *["sent"] * (BATCH - 1)]
        )
        self.assertEqual(len(self.sandbox.orders()), BATCH)
        self.assertFalse(moves.activity_ids)  # it is looked for first

    def test_lost_answers_in_a_row_spare_those_who_wait(self):
        moves = self.batch(BATCH + 1)
        self.send(moves)
        self.sandbox.fault("status", status=503, count=BATCH)
        self.run_queue()
        self.assertEqual(
            moves.mapped("frontpay_state"), [*["unknown"] * 5, *["queued"] * 2]
        )
        self.run_queue()
        self.assertEqual(moves.mapped("frontpay_state"), [*["unknown"] * 6, "sent"])

    def test_an_invoice_that_was_paid_meanwhile_is_not_sent(self):
        moves = self.batch()
        self.send(moves)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=moves[0].ids
        ).create({})._create_payments()
        self.run_queue()
        self.assertEqual(
            moves.mapped("frontpay_state"), ["failed", *["sent"] * (BATCH - 1)]
        )
        self.assertIn("is paid already", moves[0].frontpay_error)
        self.assertTrue(self.attention(moves[0]))

    def test_a_fault_of_ours_stops_at_its_invoice(self):
        moves = self.batch()
        self.send(moves)
        Order = type(self.env["frontpay.order"])
        reserve = Order._reserve

        def failing(order, move, base_url, **options):
            if move == moves[0]:
                raise ZeroDivisionError
            return reserve(order, move, base_url, **options)

        with (
            patch.object(Order, "_reserve", failing),
            mute_logger("odoo.addons.frontpay_odoo.models.frontpay_order_queue"),
        ):
            self.run_queue()
        self.assertEqual(
            moves.mapped("frontpay_state"), ["failed", *["sent"] * (BATCH - 1)]
        )
        self.assertIn("an error in the Front Payment addon", moves[0].frontpay_error)

    def test_a_fault_that_cannot_be_recorded_either_stops_no_other(self):
        moves = self.batch()
        self.send(moves)
        Order = type(self.env["frontpay.order"])
        reserve, record = Order._reserve, Order._record_unsendable

        def refusing(order, move, base_url, **options):
            if move == moves[0]:
                raise UserError(move.name)
            return reserve(order, move, base_url, **options)

        def failing(order, reason):
            if order.move_id == moves[0]:
                raise ZeroDivisionError
            record(order, reason)

        with (
            patch.object(Order, "_reserve", refusing),
            patch.object(Order, "_record_unsendable", failing),
            mute_logger("odoo.addons.frontpay_odoo.tools.transaction"),
        ):
            self.run_queue()
        self.assertEqual(
            moves.mapped("frontpay_state"), ["queued", *["sent"] * (BATCH - 1)]
        )

    def test_a_fault_of_ours_after_the_request_leaves_the_outcome_open(self):
        moves = self.batch()
        self.send(moves)
        Order = type(self.env["frontpay.order"])
        with (
            patch.object(Order, "_record_submitted", side_effect=ZeroDivisionError),
            mute_logger("odoo.addons.frontpay_odoo.models.frontpay_order_queue"),
        ):
            self.run_queue()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"unknown"})

    def test_a_queued_invoice_can_be_sent_now(self):
        moves = self.batch()
        self.send(moves)
        self.assertTrue(moves[0].frontpay_can_send)
        self.assertEqual(self.send(moves[0])[0], "success")
        self.assertEqual(moves[0].frontpay_state, "sent")
        self.run_queue()
        self.assertEqual(len(self.sandbox.orders()), BATCH)

    def test_a_queued_invoice_can_be_taken_out(self):
        moves = self.batch()
        self.send(moves)
        moves[:2].action_frontpay_withdraw()
        self.assertEqual(set(moves[:2].mapped("frontpay_state")), {"failed"})
        self.assertFalse(any(moves.mapped("frontpay_error")))
        self.run_queue()
        self.assertEqual(self.references(), moves[2:].mapped("name"))
        with self.assertRaisesRegex(UserError, "None of these invoices"):
            moves.action_frontpay_withdraw()
        self.assertEqual(self.send(moves[0])[0], "success")

    def test_one_that_is_deleted_meanwhile_keeps_no_other_waiting(self):
        moves = self.batch()
        self.send(moves)
        names = moves[1:].mapped("name")
        self.env["frontpay.outage"].sudo().create(
            {"company_id": self.company.id, "operation": "send"}
        )

        Order = type(self.env["frontpay.order"])
        send = Order._send_queued

        def deletes_first(order, client):
            if moves[0].exists():
                moves[0].action_frontpay_withdraw()
                moves[0].button_draft()
                moves[0].with_context(force_delete=True).unlink()
                order.env.invalidate_all()  # as the commits of others before it do
            return send(order, client)

        with patch.object(Order, "_send_queued", deletes_first):
            self.run_queue()
        self.assertEqual(self.references(), names)
        self.assertFalse(self.outage())

    def test_what_was_sent_meanwhile_is_not_taken_out(self):
        moves = self.batch()
        self.send(moves)
        self.run_queue()
        with self.assertRaisesRegex(LockError, "by somebody else"):
            self.env["frontpay.order"]._cancel_queued(moves[0])
        self.assertNotIn("Removed", str(moves[0].message_ids.mapped("body")))

    def test_an_order_whose_number_is_known_is_not_sent(self):
        moves = self.batch()
        self.send(moves)
        order = moves[0].frontpay_order_id.sudo()
        order.order_uuid = "ODR1"
        self.run_queue()
        self.assertEqual(self.references(), moves[1:].mapped("name"))
        self.assertEqual((order.state, order.order_uuid), ("sent", "ODR1"))

    def test_an_order_that_was_called_back_waits_for_what_becomes_of_it(self):
        moves = self.batch()
        self.send(moves)
        order = moves[0].frontpay_order_id.sudo()
        waiting = (
            self.env["frontpay.callback"]
            .sudo()
            .create(
                {
                    "order_id": order.id,
                    "order_uuid": "ODR1",
                    "is_signed": True,
                    "poll_at": fields.Datetime.now(),
                }
            )
        )
        with self.assertRaisesRegex(UserError, "by somebody else"):
            moves[0].action_frontpay_send()
        self.run_queue()
        self.assertEqual(self.references(), moves[1:].mapped("name"))
        self.assertEqual(order.state, "queued")

        waiting.unlink()  # Front Payment doesn't know that number
        order.retry_at = False
        self.run_queue()
        self.assertEqual(order.state, "sent")

    def test_a_number_that_becomes_known_takes_an_order_out_of_the_queue(self):
        moves = self.batch()
        self.send(moves)
        order = moves[0].frontpay_order_id.sudo()
        order._assign_order_uuid("ODR1")
        self.assertEqual(order.state, "sent")
        order._apply_status("PAID")
        self.assertEqual(order.state, "paid")

    def test_an_invoice_taken_out_since_the_queue_was_read_is_not_sent(self):
        moves = self.batch()
        self.send(moves)
        order = moves[0].frontpay_order_id.sudo()
        moves[0].action_frontpay_withdraw()
        with self.company._frontpay_client() as client:
            order._send_queued(client)
        self.assertEqual(moves[0].frontpay_order_ids, order)
        self.assertFalse(self.sandbox.orders())

    def test_a_batch_makes_one_call_for_each_invoice(self):
        moves = self.batch(customer=self.corporate)
        self.send(moves)
        self.run_queue()
        self.assertEqual(self.sandbox.requests(), [SUBMIT] * BATCH)
        self.assertTrue(all(moves.frontpay_order_ids.mapped("next_poll_at")))

    def test_changed_orders_are_updated_through_the_queue(self):
        moves = self.batch()
        self.send(moves)
        self.run_queue()
        for move in moves:
            move.ref = "3501"
        _kind, message = self.send(moves)
        self.assertIn("6 invoices are queued", message)
        self.assertEqual(set(moves.mapped("frontpay_state")), {"sent"})
        self.run_queue()
        self.run_queue()
        self.assertEqual(
            {o["payload"]["customerReference"] for o in self.sandbox.orders()}, {"3501"}
        )
        self.assertEqual(len(self.sandbox.orders()), BATCH)
        self.assertEqual(len(self.sandbox.requests()), 2 * BATCH)

    def test_an_update_that_was_taken_back_meanwhile_is_no_trouble(self):
        moves = self.batch()
        self.send(moves)
        self.run_queue()
        moves[0].ref = "3501"
        self.queued_updates(moves[0])
        moves[0].ref = False
        self.run_queue()
        self.assertEqual(len(self.sandbox.requests()), BATCH)
        self.assertFalse(moves[0].frontpay_error)
        self.assertFalse(self.attention(moves[0]))
        self.assertFalse(moves[0].frontpay_order_id.update_queued)

    def queued_updates(self, moves):
        self.env["frontpay.order"].sudo()._enqueue(moves)
        self.assertTrue(all(moves.frontpay_order_id.mapped("update_queued")))

    def test_the_words_are_those_of_the_sender(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        self.env.user.lang = "nb_NO"
        moves = self.batch()
        self.send(moves)
        cron = self.env(user=SUPERUSER_ID, context={})
        self.assertNotEqual(cron.company, self.company)
        order = moves[0].frontpay_order_id.with_env(cron)._with_creator_env()
        self.assertEqual(order.env.lang, "nb_NO")
        self.assertEqual(order.env.company, self.company)

    def test_each_company_uses_its_own_credential(self):
        other = self.other_company()
        moves = self.batch()
        strangers = self.batch_of(other)
        self.send(moves)
        self.queued(strangers)
        other.frontpay_api_token = "another"
        self.run_queue()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"sent"})
        self.assertEqual(set(strangers.mapped("frontpay_state")), {"queued"})
        self.assertIn("doesn't accept the token", strangers[0].frontpay_error)

    def test_a_company_without_an_address_holds_up_no_other(self):
        other = self.other_company()
        strangers = self.batch_of(other)
        self.queued(strangers)
        moves = self.batch()
        self.send(moves)
        other.frontpay_custom_url = False
        self.run_queue()
        self.assertEqual(set(strangers.mapped("frontpay_state")), {"queued"})
        self.assertIn("there is no API base URL", strangers[0].frontpay_error)
        self.assertEqual(len(self.attention(strangers)), 1)
        self.assertEqual(set(moves.mapped("frontpay_state")), {"sent"})

    def batch_of(self, company):
        line = self.line(tax_ids=[Command.clear()])
        return self.env["account.move"].union(
            *(self.invoice(line, company_id=company.id) for _number in range(BATCH))
        )

    def queued(self, moves):
        """Have invoices in the queue, whatever speaks against sending them."""
        self.env["frontpay.order"].sudo()._enqueue(moves)
        self.assertEqual(set(moves.mapped("frontpay_state")), {"queued"})

    def test_inside_a_transaction_that_is_not_over_even_one_is_queued(self):
        move = self.invoice()
        Move = type(move)
        with (
            patch.object(Move, "_can_commit", return_value=True),
            patch.object(
                type(self.env["frontpay.rate.limit"]), "_limiter_of", return_value=None
            ),
        ):
            self.assertFalse(transaction.is_untouched(self.env))
            self.assertEqual(self.send(move)[0], "success")
        self.assertEqual(move.frontpay_state, "queued")
        self.assertFalse(self.sandbox.requests())


@tagged("post_install", "-at_install", "frontpay")
class TestReferences(QueueCase):
    def test_a_reference_stays_over_all_attempts(self):
        move = self.invoice()
        self.sandbox.fault("status", status=417)
        self.send(move)
        self.send(move)
        first, second = move.frontpay_order_ids.sorted("id")
        self.assertEqual((first.state, second.state), ("failed", "sent"))
        self.assertEqual(first.reference, second.reference)
        [stored] = self.sandbox.orders()
        self.assertEqual(stored["payload"]["referenceNo"], first.reference)

    def test_a_reference_is_not_made_twice(self):
        Order = self.env["frontpay.order"]
        move = self.invoice()
        references = {Order._reference_of(move) for _time in range(100)}
        self.assertEqual(len(references), 100)
        for reference in references:
            self.assertRegex(reference, rf"^{move.name}-[0-9a-f]{{8}}$")


@tagged("post_install", "-at_install", "frontpay")
class TestRetry(QueueCase):
    def test_the_pause_doubles_up_to_an_hour(self):
        for tries, seconds in (
            (1, 60),
            (2, 120),
            (3, 240),
            (6, 1920),
            (7, 3600),
            (20, 3600),
        ):
            with self.subTest(tries):
                pauses = [retry.pause(tries) for _time in range(200)]
                usual = timedelta(seconds=seconds)
                self.assertGreaterEqual(min(pauses), usual * 0.75)
                self.assertLessEqual(max(pauses), usual * 1.25)
                self.assertGreater(max(pauses) - min(pauses), usual * 0.2)

    def test_front_payments_own_pause_counts_when_it_is_longer(self):
        error = errors.RateLimited("429", retry_after=900)
        self.assertEqual(retry.pause(1, error), timedelta(seconds=900))
        error = errors.RateLimited("429", retry_after=5)
        self.assertLess(retry.pause(1, error), timedelta(seconds=76))
