from contextlib import closing
from datetime import date, datetime, time, timedelta
from time import monotonic
from unittest.mock import patch

from odoo import fields
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_cron import IrCron
from odoo.addons.frontpay_odoo.connect import callback, errors, responses
from odoo.addons.frontpay_odoo.connect.client import Client
from odoo.addons.frontpay_odoo.connect.endpoints import ENVIRONMENTS
from odoo.addons.frontpay_odoo.models import frontpay_order_polling
from odoo.addons.frontpay_odoo.models.frontpay_order_polling import (
    FAILURES_IN_A_ROW,
    LIST_THRESHOLD,
    POLL_AGAIN,
)

from .common import API_TOKEN, SandboxCase, callback_pairs, run_cron

STATUS = "GET connect/orders/status"
NOON = time(12)
# Why Front Payment can't be asked: faults of the next call.
FAULTS = (
    {"kind": "drop"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 510},
    {"kind": "status", "status": 401},
    {"kind": "limited", "retry_after": 1},
    {"kind": "garbage"},
)
# How old what is waited for is, and when Front Payment is asked again.
PAUSES = (
    (timedelta(), timedelta(minutes=5)),
    (timedelta(minutes=59), timedelta(minutes=5)),
    (timedelta(hours=2), timedelta(minutes=30)),
    (timedelta(hours=23), timedelta(minutes=30)),
    (timedelta(days=2), timedelta(hours=6)),
    (timedelta(days=15), timedelta(days=1)),
    (timedelta(days=2000), timedelta(days=1)),
)


class PollingCase(SandboxCase):
    def setUp(self):
        super().setUp()
        self.moves = self._sent(1)
        self.move = self.moves
        self.sent = self.move.sudo().frontpay_order_id
        self.uuid = self.sent.order_uuid
        self.sandbox.control("DELETE", "requests")

    def _sent(self, count):
        """Invoices that were handed over, and wait for their customers."""
        moves = self.env["account.move"]
        for _number in range(count):
            move = self.invoice()
            move.action_frontpay_send()
            moves += move
        return moves

    def _call_back(self, status="PAID", order=None, **changes):
        """A signed callback arrives.

        :return: the row that it left
        """
        order = order or self.sent
        values = {"orderUuid": order.order_uuid, "status": status} | changes
        received = callback.parse(callback_pairs(**values))
        return self._inbox()._receive(order, received)[2]

    def _poll(self):
        """The cron runs, and it is time for all that was put off."""
        now = fields.Datetime.now()
        self._callbacks().poll_at = now
        self._outage().write({"retry_at": now, "failed_at": now - POLL_AGAIN})
        run_cron(self.env, "poll")

    def _poll_later(self, **age):
        """The cron runs after a while."""
        with freeze_time(fields.Datetime.now() + timedelta(**age)):
            run_cron(self.env, "poll")

    def _inbox(self):
        return self.env["frontpay.callback"].sudo()

    def _callbacks(self):
        return self._inbox().search([])

    def _outage(self):
        return self.env["frontpay.outage"].sudo().search([])

    def _calls(self):
        """How many calls were made or tried so far."""
        return self.env["frontpay.exchange"].search_count([("direction", "=", "out")])

    def _next_run(self):
        """When the cron runs again because somebody wants it to."""
        cron = self.env.ref("frontpay_odoo.cron_poll")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        return min(triggers.mapped("call_at"))

    def _payments(self):
        return self.env["account.payment"].search(
            [("journal_id", "=", self.company.frontpay_journal_id.id)]
        )

    def assertPaidOnce(self):
        self.assertEqual(self.sent.state, "paid")
        self.assertEqual(self._payments(), self.sent.payment_id)
        self.assertEqual(len(self._payments()), 1)
        self.assertEqual(self.move.amount_residual, 0)

    def assertUnpaid(self, state="sent"):
        self.assertEqual(self.sent.state, state)
        self.assertFalse(self._payments())


@tagged("post_install", "-at_install", "frontpay")
class TestCallbacks(PollingCase):
    """A callback wakes polling; what counts is what Front Payment says then."""

    def test_what_front_payment_confirms_is_followed_with_its_day(self):
        self.sandbox.act(self.uuid, "pay")
        yesterday = self.company._frontpay_day() - timedelta(days=1)
        self._call_back().sent_at = datetime.combine(yesterday, NOON)
        self.assertUnpaid()
        self._poll()
        self.assertPaidOnce()
        self.assertEqual(self.sent.payment_id.date, yesterday)
        self.assertFalse(self._callbacks())
        self.assertTrue(self.sent.last_poll_at)
        self.assertIn(f"{STATUS}/{self.uuid}", self.sandbox.requests())

    def test_a_day_that_can_not_be_is_not_taken(self):
        self.sandbox.act(self.uuid, "pay")
        today = self.company._frontpay_day()
        for day in (date(2001, 9, 9), today - timedelta(3), today + timedelta(3)):
            with self.subTest(day), closing(self.env.cr.savepoint()):
                self._call_back().sent_at = datetime.combine(day, NOON)
                self._poll()
                self.assertEqual(self.sent.payment_id.date, today)

    def test_the_day_is_that_of_the_callback_with_the_same_status(self):
        self.sandbox.act(self.uuid, "confirm")
        self.sandbox.act(self.uuid, "pay")
        today = self.company._frontpay_day()
        noon = datetime.combine(today, NOON)
        self._call_back("INVOICED").sent_at = noon - timedelta(days=1)
        self._call_back("PAID").sent_at = noon
        self._poll()
        self.assertEqual(self.sent.payment_id.date, today)

    def test_a_callback_wakes_the_cron(self):
        self.env["ir.cron.trigger"].search([]).unlink()
        self._call_back()
        self.assertLessEqual(self._next_run(), fields.Datetime.now())

    def test_an_answer_that_went_further_is_followed(self):
        self.sandbox.act(self.uuid, "confirm")
        self._call_back("INVOICED")
        self.sandbox.act(self.uuid, "pay")
        self._poll()
        self.assertPaidOnce()
        self.assertFalse(self._callbacks())

    def test_several_callbacks_of_an_order_are_one_call(self):
        self.sandbox.act(self.uuid, "confirm")
        self.sandbox.act(self.uuid, "pay")
        for status in ("INVOICED", "PAID", "SENT", "success"):
            self._call_back(status)
        self.assertEqual(len(self._callbacks()), 4)
        self._poll()
        self.assertPaidOnce()
        self.assertFalse(self._callbacks())
        self.assertEqual(self.sandbox.requests().count(f"{STATUS}/{self.uuid}"), 1)

    def test_paid_that_front_payment_does_not_confirm_moves_nothing(self):
        self._call_back()
        for _time in range(3):
            self._poll()
            self.assertUnpaid()
            self.assertFalse(self._callbacks())
            self.assertFalse(self.sent.error)

    def test_an_answer_that_lags_behind_is_polled_once_more_soon(self):
        self._call_back()
        self._poll()
        self.assertUnpaid()
        self.sandbox.act(self.uuid, "pay")
        self._poll_later(seconds=61)
        self.assertPaidOnce()

    def test_after_that_it_is_polled_as_usual(self):
        self._call_back()
        self._poll()
        self.assertLess(self.sent.next_poll_at, fields.Datetime.now() + 2 * POLL_AGAIN)
        self._poll_later(seconds=61)
        self.assertGreater(
            self.sent.next_poll_at, fields.Datetime.now() + 3 * POLL_AGAIN
        )

    def test_whatever_a_callback_says_moves_nothing_while_nobody_can_be_asked(self):
        for fault in FAULTS:
            with self.subTest(**fault), closing(self.env.cr.savepoint()):
                self._call_back()
                for _time in range(4):
                    self.sandbox.fault(**fault)
                    self._poll()
                    self.assertUnpaid()
                    self.assertTrue(self._callbacks())
                self.sandbox.control("DELETE", "faults")
                self.sandbox.act(self.uuid, "pay")
                self._poll()
                self.assertPaidOnce()
                self.assertFalse(self._callbacks() or self._outage())
            self.sandbox.control("DELETE", "faults")
            self.sandbox.control("DELETE", "orders")
            self.setUp()

    def test_a_limit_of_our_own_is_no_failure(self):
        self._call_back()
        limited = errors.RateLimited("too many calls", retry_after=60)
        with patch.object(Client, "status", side_effect=limited):
            for _time in range(3):
                self._poll()
        self.assertUnpaid()
        self.assertFalse(self._outage() or self.sent.poll_failures)
        self.assertTrue(self._callbacks())

    def test_a_limit_of_our_own_ends_the_companys_polling(self):
        self._call_back(order=self.sent)
        self._call_back(order=self._sent(1).sudo().frontpay_order_id)
        limited = errors.RateLimited("too many calls", retry_after=60)
        with patch.object(Client, "status", side_effect=limited) as status:
            self._poll()
        self.assertEqual(status.call_count, 1)

    def test_an_order_that_can_not_be_polled_is_tried_with_growing_pauses(self):
        paid = self._sent(1).sudo().frontpay_order_id
        pauses = []
        for _time in range(3):
            self._call_back()
            self._call_back("INVOICED", order=paid)
            self.sandbox.fault("status", status=510)
            self._poll()
            pauses.append(self._callbacks().poll_at - fields.Datetime.now())
        self.assertEqual(pauses, sorted(pauses))
        self.assertLess(pauses[0], timedelta(minutes=2))
        self.assertGreater(pauses[2], timedelta(minutes=2))
        self.assertFalse(self._outage())

    def test_a_callback_that_was_put_off_waits(self):
        self.sandbox.act(self.uuid, "pay")
        self._call_back().poll_at = fields.Datetime.now() + timedelta(minutes=1)
        run_cron(self.env, "poll")
        self.assertUnpaid()
        self._poll_later(seconds=61)
        self.assertPaidOnce()

    def test_an_order_without_a_number_takes_the_one_that_is_confirmed(self):
        for state in ("sending", "unknown"):
            with self.subTest(state), closing(self.env.cr.savepoint()):
                self.sandbox.act(self.uuid, "confirm")
                before = fields.Datetime.now() - timedelta(hours=2)
                self.sent.write(
                    {
                        "order_uuid": False,
                        "state": state,
                        "sending_at": before,
                        "sent_at": False,
                    }
                )
                self._call_back("INVOICED", orderUuid=self.uuid)
                self._poll()
                self.assertUnpaid("invoiced")
                self.assertEqual(self.sent.order_uuid, self.uuid)
                self.assertEqual(self.sent.sent_at, before)
            self.sandbox.control("DELETE", "orders")
            self.setUp()

    def test_a_number_that_front_payment_does_not_know_is_not_taken(self):
        self.sent.write({"order_uuid": False, "state": "unknown"})
        self._call_back("PAID", orderUuid="ODR404")
        self._poll()
        self.assertUnpaid("unknown")
        self.assertFalse(self.sent.order_uuid or self._callbacks())

    def test_a_number_of_another_amount_or_reference_is_not_taken(self):
        for references, changes in (
            (False, {"amount": 25.00}),
            (True, {"reference": "another"}),
        ):
            with self.subTest(**changes), closing(self.env.cr.savepoint()):
                settings = {"details_references": references}
                self.sandbox.control("POST", "settings", settings)
                self.sent.write({"order_uuid": False, "state": "unknown"} | changes)
                self._call_back("PAID", orderUuid=self.uuid)
                self._poll()
                self.assertUnpaid("unknown")
                self.assertFalse(self.sent.order_uuid)
        self.sandbox.control("POST", "settings", {"details_references": False})

    def test_a_number_whose_details_tell_nothing_is_not_taken(self):
        self.sent.write({"order_uuid": False, "state": "unknown"})
        self._call_back("PAID", orderUuid=self.uuid)
        nothing = responses.order_details({"status": "PAID"})
        with patch.object(Client, "details", return_value=nothing):
            self._poll()
        self.assertUnpaid("unknown")
        self.assertFalse(self.sent.order_uuid)

    def test_a_number_that_another_order_took_meanwhile_is_not_taken(self):
        self.sent.write({"order_uuid": False, "state": "unknown"})
        self._call_back("PAID", orderUuid=self.uuid)
        self.order(self.invoice(), order_uuid=self.uuid)
        self._poll()
        self.assertUnpaid("unknown")
        self.assertFalse(self._callbacks())

    def test_one_order_that_fails_keeps_no_other_back(self):
        other = self._sent(1).sudo().frontpay_order_id
        for order in (self.sent, other):
            self.sandbox.act(order.order_uuid, "pay")
            self._call_back(order=order)
        follow = type(self.sent)._apply_response

        def apply_response(order, *arguments):
            if order == self.sent:
                raise ZeroDivisionError
            follow(order, *arguments)

        polling = "odoo.addons.frontpay_odoo.models.frontpay_order_polling"
        with (
            patch.object(type(self.sent), "_apply_response", apply_response),
            mute_logger(polling),
        ):
            self._poll()
        self.assertEqual((self.sent.state, other.state), ("sent", "paid"))
        self.assertEqual(self._callbacks().order_id, self.sent)
        self._poll()
        self.assertEqual(self.sent.state, "paid")

    def test_an_invoice_number_that_can_not_be_had_keeps_no_payment_back(self):
        self.sandbox.act(self.uuid, "pay")
        for error in (
            errors.NotFound("404", http_status=404),
            errors.Rejected("400", http_status=400),
            errors.UnknownOutcome("510", http_status=510),
            errors.NotFrontPayment("HTML"),
        ):
            with self.subTest(error), closing(self.env.cr.savepoint()):
                self._call_back()
                with patch.object(Client, "invoice_number", side_effect=error):
                    self._poll()
                self.assertPaidOnce()

    def test_the_chatter_speaks_the_language_of_whoever_sent_it(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        addon = self.env["ir.module.module"]._get("frontpay_odoo")
        addon._update_translations(["nb_NO"])
        self.sent.create_uid.lang = "nb_NO"
        self.sandbox.act(self.uuid, "pay")
        self._call_back()
        self._poll()
        bodies = "".join(self.move.message_ids.mapped("body"))
        self.assertIn("Front Payment: Betalt", bodies)

    def test_each_company_is_polled_with_its_own_credential(self):
        self.sandbox.act(self.uuid, "pay")
        self._call_back()
        other = self.setup_other_company(name="Annen Prøve AS")["company"]
        other.write(
            {
                "frontpay_environment": "custom",
                "frontpay_custom_url": self.company.frontpay_custom_url,
                "frontpay_api_token": "wrong",
            }
        )
        move = self.env["account.move"].with_company(other)
        theirs = self.order(
            move.create({"move_type": "out_invoice", "partner_id": self.private.id}),
            token="another",
            reference="2",
            order_uuid="ODR2",
        )
        self.assertEqual(theirs.company_id, other)
        self._call_back(order=theirs, orderUuid="ODR2", amount="0")
        self._poll()
        self.assertPaidOnce()
        self.assertEqual(theirs.state, "sent")
        self.assertEqual(theirs.exchange_ids.mapped("http_status"), [401])

    def test_without_a_token_nobody_is_polled(self):
        self._call_back()
        self.company.frontpay_api_token = False
        self._poll()
        self.assertUnpaid()
        self.assertFalse(self.sandbox.requests())

        self.sandbox.act(self.uuid, "pay")
        self.company.frontpay_api_token = API_TOKEN
        self._poll()
        self.assertPaidOnce()

    def test_without_a_token_a_number_is_kept(self):
        """The callback is the only place where it stands."""
        self.sent.write({"order_uuid": False, "state": "unknown"})
        self.sent.flush_recordset()
        self._call_back(orderUuid=self.uuid)
        self.sandbox.act(self.uuid, "pay")
        self.company.frontpay_api_token = False
        for _time in range(3):
            self._poll()
        self.company.frontpay_api_token = API_TOKEN
        self._poll()
        self.assertPaidOnce()


@tagged("post_install", "-at_install", "frontpay")
class TestOutage(PollingCase):
    """Front Payment can't be asked: one call at a time tries whether it is over."""

    def test_one_call_a_minute_while_a_signed_callback_waits(self):
        for order in self.sent | self._sent(2).sudo().frontpay_order_id:
            self._call_back(order=order)
        self.go_away()
        before, start = self._calls(), fields.Datetime.now()
        for seconds in range(0, 600, 20):
            with freeze_time(start + timedelta(seconds=seconds)):
                run_cron(self.env, "poll")
        self.assertEqual(self._calls() - before, 10)
        self.assertEqual(self._outage().since, start)

    def test_it_is_followed_within_a_minute_after_it_can(self):
        self._call_back()
        self.go_away()
        for _time in range(8):
            self.env["ir.cron.trigger"].search([]).unlink()
            self._poll()
            self.assertLessEqual(self._next_run(), fields.Datetime.now() + POLL_AGAIN)
        self.come_back()
        self.sandbox.act(self.uuid, "pay")
        self._poll_later(seconds=60)
        self.assertPaidOnce()
        self.assertFalse(self._outage())

    def test_without_a_callback_the_pauses_grow(self):
        self.sent.next_poll_at = fields.Datetime.now()
        self.go_away()
        pauses = []
        for _time in range(4):
            self.sent.next_poll_at = fields.Datetime.now()
            self._poll()
            pauses.append(self._outage().retry_at - fields.Datetime.now())
        self.assertEqual(pauses, sorted(pauses))
        self.assertGreater(pauses[-1], timedelta(minutes=4))

    def test_what_is_not_signed_does_not_hurry(self):
        pairs = callback_pairs("another", orderUuid=self.uuid)
        self._inbox()._receive(self.sent, callback.parse(pairs))
        self.go_away()
        for _time in range(3):
            self._poll()
        before = self._calls()
        self._poll_later(seconds=61)
        self.assertEqual(self._calls(), before)

    def test_what_is_not_signed_does_not_hurry_when_it_is_due_either(self):
        pairs = callback_pairs("another", orderUuid=self.uuid)
        self._inbox()._receive(self.sent, callback.parse(pairs))
        self.go_away()
        for _time in range(6):
            self._poll()
        self._callbacks().poll_at = fields.Datetime.now()
        before = self._calls()
        self._poll_later(seconds=61)
        self.assertEqual(self._calls(), before)

    def test_a_callback_hurries_for_a_day(self):
        self._call_back()
        self.go_away()
        for _time in range(6):
            self._poll()
        before = self._calls()
        self._poll_later(days=1, seconds=1)
        self._poll_later(days=1, seconds=62)
        self.assertEqual(self._calls() - before, 1)

    def test_while_nothing_can_be_sent_orders_are_polled(self):
        self.env["frontpay.outage"].sudo()._record(
            self.company, errors.Unreachable("nobody"), operation="send"
        )
        self.sandbox.act(self.uuid, "pay")
        self._call_back()
        run_cron(self.env, "poll")
        self.assertPaidOnce()

    def test_the_invoice_says_since_when(self):
        self.go_away()
        self.sent.next_poll_at = fields.Datetime.now()
        self._poll()
        self.assertTrue(self._outage())
        self.assertNotIn("frontpay_outage", self.move._get_alerts())
        self._call_back()
        self._poll()
        alert = self.move._get_alerts()["frontpay_outage"]
        self.assertIn("can't be updated since", alert["message"])
        self.come_back()
        self._poll()
        self.assertNotIn("frontpay_outage", self.move._get_alerts())

    def test_failures_in_a_row_are_an_outage_and_one_among_others_is_none(self):
        orders = self.sent | self._sent(LIST_THRESHOLD - 1).sudo().frontpay_order_id
        for failing, is_out in ((1, False), (FAILURES_IN_A_ROW, True)):
            with self.subTest(failing), closing(self.env.cr.savepoint()):
                orders.next_poll_at = fields.Datetime.now()
                for _order in range(failing):
                    self.sandbox.fault("status", status=510)
                self._poll()
                self.assertEqual(bool(self._outage()), is_out)
            self.sandbox.control("DELETE", "faults")

    def test_in_an_outage_one_failure_is_enough(self):
        orders = self.sent | self._sent(FAILURES_IN_A_ROW - 1).sudo().frontpay_order_id
        for failures in (FAILURES_IN_A_ROW, 1):
            orders.next_poll_at = fields.Datetime.now()
            for _call in range(failures):
                self.sandbox.fault("status", status=510)
            before = self._calls()
            self._poll()
            self.assertEqual(self._calls() - before, failures)
            self.assertTrue(self._outage())

    def test_a_list_that_can_not_be_had_is_an_outage_and_told(self):
        moves = self.move + self._sent(LIST_THRESHOLD)
        moves.sudo().frontpay_order_id.next_poll_at = fields.Datetime.now()
        self.go_away()
        params = moves.action_frontpay_refresh()["params"]
        self.assertEqual(params["type"], "danger")
        self.assertIn("Nobody answers", params["message"])
        self._poll()
        self.assertTrue(self._outage())

    def test_the_next_try_is_another_order(self):
        """One that fails for ever keeps no other from being polled."""
        other = self._sent(1).sudo().frontpay_order_id
        self.sandbox.act(other.order_uuid, "pay")
        self.sent.next_poll_at = fields.Datetime.now()
        self.sandbox.fault("status", status=401)
        self._poll()
        self.assertTrue(self._outage())
        other.next_poll_at = fields.Datetime.now()
        self._poll()
        self.assertEqual(other.state, "paid")
        self.assertFalse(self._outage())

    def test_another_company_is_polled_all_the_same(self):
        other = self.setup_other_company(name="Annen Prøve AS")["company"]
        self.env["frontpay.outage"].sudo()._record(
            other, errors.Unreachable("nobody"), has_callback=False
        )
        self.sandbox.act(self.uuid, "pay")
        self._call_back()
        self._poll()
        self.assertPaidOnce()


@tagged("post_install", "-at_install", "frontpay")
class TestPolling(PollingCase):
    """A lost callback costs minutes."""

    def _due(self, orders=None):
        """It is time to ask for these orders."""
        (orders or self.sent).next_poll_at = fields.Datetime.now() - timedelta(
            minutes=1
        )

    def test_fresh_orders_are_polled_often_and_old_ones_rarely(self):
        now = fields.Datetime.now()
        for age, pause in PAUSES:
            with self.subTest(age), freeze_time(now):
                self.sent.sent_at = now - age
                self.sent._schedule_next_poll()
                self.assertEqual(self.sent.next_poll_at, now + pause)

    def test_an_order_is_polled_as_often_for_its_newest_refund(self):
        now = fields.Datetime.now()
        self.sent.write({"state": "paid", "sent_at": now - timedelta(days=20)})
        refund = self.refund(self.sent)
        for age, pause in PAUSES:
            with self.subTest(age), freeze_time(now):
                refund.requested_at = now - age
                self.sent._schedule_next_poll()
                self.assertEqual(self.sent.next_poll_at, now + pause)

    def test_what_front_payment_has_is_polled_until_it_was_refunded(self):
        self.assertTrue(self.sent.next_poll_at)
        never = {"queued", "sending", "unknown", "refunded"}
        for state in self.sent._fields["state"].get_values(self.env):
            with self.subTest(state):
                self.sent.state = state
                self.sent._schedule_next_poll()
                self.assertEqual(bool(self.sent.next_poll_at), state not in never)

    def test_what_ended_is_polled_daily_at_the_companys_time_for_90_days(self):
        now = fields.Datetime.now()
        time = self.company.create_date.time()
        for state in ("failed", "cancelled", "expired", "paid", "partially_refunded"):
            with self.subTest(state), freeze_time(now):
                self.sent.state = state
                self.sent.closed_at = now - timedelta(days=89)
                self.sent._schedule_next_poll()
                day = now.date() + timedelta(days=1)
                self.assertEqual(self.sent.next_poll_at.date(), day)
                self.assertEqual(self.sent.next_poll_at.time(), time)
                self.sent.closed_at = now - timedelta(days=90)
                self.sent._schedule_next_poll()
                self.assertFalse(self.sent.next_poll_at)

    def test_a_refund_is_seen_without_a_callback(self):
        for orders in (1, LIST_THRESHOLD + 1):
            moves = self._sent(orders)
            with self.subTest(orders), closing(self.env.cr.savepoint()):
                paid = moves.sudo().frontpay_order_id
                for order in paid:
                    self.sandbox.act(order.order_uuid, "pay")
                    self._due(order)
                self._poll()
                self.assertEqual(set(paid.mapped("state")), {"paid"})
                self.sandbox.act(paid[0].order_uuid, "refund")
                self._poll_later(days=2)
                self.assertEqual(paid[0].state, "refunded")
                self.assertIn("Front Payment refunded", paid[0].error)
                others = paid - paid[0]
                self.assertTrue(all(order.state == "paid" for order in others))

    def test_a_callback_that_waits_keeps_no_update(self):
        self._call_back(status="SENT")
        self.move.ref = "3501"
        self.move.action_frontpay_send()
        payload = self.sandbox.orders()[0]["payload"]
        self.assertEqual(payload["customerReference"], "3501")

    def test_a_lost_callback_is_made_good(self):
        for action, state in (
            ("confirm", "invoiced"),
            ("remind", "reminded"),
            ("collection", "collection"),
            ("pay", "paid"),
        ):
            with self.subTest(state):
                self.sandbox.act(self.uuid, action)
                self._due()
                self._poll()
                self.assertEqual(self.sent.state, state)
        self.assertPaidOnce()
        self.assertTrue(self.sent.invoice_number)
        self.assertFalse(self.sent.verification_url)

    def test_the_invoices_number_is_asked_for_once(self):
        for action in ("confirm", "remind"):
            self.sandbox.act(self.uuid, action)
            self._due()
            self._poll()
        number = f"GET connect/orders/invoice-number/{self.uuid}"
        self.assertEqual(self.sandbox.requests().count(number), 1)
        self.assertTrue(self.sent.invoice_number)

    def test_the_list_says_nothing_of_another_environments_orders(self):
        orders = self._sent(LIST_THRESHOLD + 1).sudo().frontpay_order_id
        self.sent.base_url = ENVIRONMENTS["production"]
        self.sandbox.act(self.uuid, "pay")
        self._due(orders)
        self._poll()
        self.assertUnpaid()

    def test_an_order_whose_turn_it_is_not_is_left_alone(self):
        self._poll()
        self.assertFalse(self.sandbox.requests())

    def test_a_poll_schedules_the_next_one(self):
        self._due()
        self._poll()
        self.assertGreater(self.sent.next_poll_at, fields.Datetime.now())
        self.assertTrue(self.sent.last_poll_at)

    def test_many_callbacks_keep_no_order_waiting_whose_turn_it_is(self):
        """They are polled in turn."""
        moves = self._sent(2)
        called = moves.sudo().frontpay_order_id
        self.sent.next_poll_at = fields.Datetime.now() - timedelta(minutes=1)
        for order in called:
            order.next_poll_at += timedelta(hours=1)
            self._call_back(order=order)
        self.sandbox.control("DELETE", "requests")
        run_cron(self.env, "poll")
        numbers = [called[0].order_uuid, self.uuid, called[1].order_uuid]
        self.assertEqual(
            self.sandbox.requests(), [f"{STATUS}/{number}" for number in numbers]
        )

    def test_a_run_whose_time_is_over_begins_nothing(self):
        """Odoo calls ten times what its ten seconds weren't enough for: none of these
        asks for all orders again."""
        self.sent.next_poll_at = fields.Datetime.now() - timedelta(minutes=1)
        over = {"cron_end_time": monotonic() - 1}
        for model, name in (
            ("frontpay.order", "_cron_poll"),
            ("frontpay.order", "_cron_send"),
            ("frontpay.order", "_cron_compare"),
            ("frontpay.refund", "_cron_refund"),
        ):
            with self.subTest(name), patch.object(IrCron, "_commit_progress") as tell:
                getattr(self.env[model].sudo().with_context(**over), name)()
                tell.assert_called_once_with(remaining=1)
        self.assertFalse(self.sandbox.requests())

    def test_few_are_polled_one_by_one(self):
        orders = self.sent + self._sent(LIST_THRESHOLD - 1).sudo().frontpay_order_id
        self.sandbox.control("DELETE", "requests")
        self._due(orders)
        self._poll()
        self.assertEqual(
            sorted(self.sandbox.requests()),
            sorted(f"{STATUS}/{order.order_uuid}" for order in orders),
        )

    def test_many_are_polled_with_one_list_that_serves_all(self):
        more = self._sent(LIST_THRESHOLD + 2).sudo().frontpay_order_id
        due, paid, not_due = self.sent + more[:-2], more[-2], more[-1]
        self.sandbox.act(paid.order_uuid, "pay")
        self.sandbox.control("DELETE", "requests")
        self._due(due)
        asked = fields.Datetime.now() - timedelta(hours=3)
        (due + paid + not_due).last_poll_at = asked
        self._poll()
        number = f"GET connect/orders/invoice-number/{paid.order_uuid}"
        # Before anything is booked, the order's own status tells the amount.
        amount = f"{STATUS}/{paid.order_uuid}"
        self.assertEqual(self.sandbox.requests(), [STATUS, amount, number])
        self.assertEqual(paid.state, "paid")
        self.assertTrue(paid.payment_id)
        for order in due + paid + not_due:
            self.assertGreater(order.last_poll_at, asked)
        self.assertGreater(min(due.mapped("next_poll_at")), fields.Datetime.now())

    def test_with_a_list_what_was_called_back_is_compared_all_the_same(self):
        orders = self.sent + self._sent(LIST_THRESHOLD).sudo().frontpay_order_id
        self._call_back("PAID")
        self._due(orders)
        self._poll()
        self.assertFalse(self._callbacks())
        soon = fields.Datetime.now() + POLL_AGAIN
        self.assertLessEqual(self.sent.next_poll_at, soon)
        self.assertGreater(orders[1].next_poll_at, soon)

    def test_an_order_that_is_not_in_the_list_is_polled_alone(self):
        orders = self.sent + self._sent(LIST_THRESHOLD).sudo().frontpay_order_id
        orders[0].order_uuid = "ODR404"
        self.sandbox.control("DELETE", "requests")
        self._due(orders)
        self._poll()
        self.assertEqual(self.sandbox.requests(), [STATUS, f"{STATUS}/ODR404"])
        self.assertEqual(orders[0].state, "sent")
        self.assertGreater(orders[0].next_poll_at, fields.Datetime.now())

    def test_an_order_that_is_gone_is_told_once_and_polled_ever_rarer(self):
        self.sandbox.control("DELETE", "orders")
        pauses = []
        for _time in range(12):
            self._due()
            self._poll()
            pauses.append(self.sent.next_poll_at - fields.Datetime.now())
        self.assertEqual(pauses, sorted(pauses))
        self.assertLess(pauses[0], timedelta(minutes=6))
        self.assertGreater(pauses[-1], timedelta(days=7))
        self.assertLessEqual(pauses[-1], timedelta(days=30))
        sentence = f"doesn't know order {self.uuid}"
        self.assertIn(sentence, self.sent.error)
        self.assertEqual(len(self.move.activity_ids), 1)
        told = self.move.message_ids.filtered(lambda each: self.uuid in each.body)
        self.assertEqual(len(told), 2)  # that it was sent, and that it is gone

    def test_an_old_order_that_is_gone_is_polled_once_a_month_at_least(self):
        self.sent.sent_at -= timedelta(days=60)
        self.sandbox.control("DELETE", "orders")
        for _time in range(8):
            self._due()
            self._poll()
        pause = self.sent.next_poll_at - fields.Datetime.now()
        self.assertAlmostEqual(pause / timedelta(days=1), 30, places=2)

    def test_an_order_that_is_back_is_no_trouble_any_more(self):
        for status, state in (("SENT", "sent"), ("INVOICED", "invoiced")):
            with self.subTest(status), closing(self.env.cr.savepoint()):
                self.sandbox.fault("status", status=404)
                self._due()
                self._poll()
                self.assertTrue(self.move.activity_ids)
                if status == "INVOICED":
                    self.sandbox.act(self.uuid, "confirm")
                self._due()
                self._poll()
                self.assertEqual((self.sent.state, self.sent.error), (state, False))
                self.assertFalse(self.move.activity_ids)
                self.assertLess(
                    self.sent.next_poll_at,
                    fields.Datetime.now() + timedelta(minutes=6),
                )

    def test_without_a_list_each_is_polled_alone(self):
        orders = self.sent + self._sent(LIST_THRESHOLD).sudo().frontpay_order_id
        self.sandbox.act(orders[-1].order_uuid, "pay")
        self.sandbox.control("DELETE", "requests")
        for fault in ({"kind": "status", "status": 510}, {"kind": "garbage"}):
            with self.subTest(**fault), closing(self.env.cr.savepoint()):
                self._due(orders)
                self.sandbox.fault(**fault)
                self._poll()
                self.assertEqual(orders[-1].state, "paid")

    def test_without_a_list_some_are_polled_and_the_others_soon(self):
        orders = self.sent + self._sent(LIST_THRESHOLD + 1).sudo().frontpay_order_id
        self.sandbox.control("DELETE", "requests")
        self._due(orders)
        self.env["ir.cron.trigger"].search([]).unlink()
        self.sandbox.fault("garbage")
        with patch.object(frontpay_order_polling, "WITHOUT_LIST", 2):
            self._poll()
        self.assertEqual(len(self.sandbox.requests()), 1 + 2)
        now = fields.Datetime.now()
        self.assertEqual(
            len(orders.filtered(lambda order: order.next_poll_at <= now)), 3
        )
        self.assertLessEqual(self._next_run(), now + POLL_AGAIN)

    def test_when_nobody_listens_one_call_for_the_list_is_enough(self):
        moves = self.move + self._sent(LIST_THRESHOLD + 1)
        before = self._calls()
        self.go_away()
        moves.action_frontpay_refresh()
        self.assertEqual(self._calls() - before, 1)

    def test_what_was_refunded_is_told_with_its_amount(self):
        orders = self.sent + self._sent(LIST_THRESHOLD).sudo().frontpay_order_id
        self.sandbox.act(self.uuid, "pay")
        self.sandbox.control("POST", f"orders/{self.uuid}/refund", {"amount": 20})
        self._due(orders)
        self._poll()
        self.assertEqual(self.sent.state, "partially_refunded")
        self.assertEqual(self.sent.refunded_amount, 20.00)
        # The list says the same when there is more.
        self.sandbox.control("POST", f"orders/{self.uuid}/refund", {"amount": 30})
        self._due(orders)
        self._poll()
        self.assertEqual(self.sent.refunded_amount, 50.00)

    def test_one_fault_keeps_no_other_from_being_polled(self):
        other = self._sent(1).sudo().frontpay_order_id
        self.sandbox.act(other.order_uuid, "pay")
        self._due(self.sent + other)
        self.sandbox.fault("status", status=510)
        self._poll()
        self.assertEqual((self.sent.state, other.state), ("sent", "paid"))
        self.assertGreater(self.sent.next_poll_at, fields.Datetime.now())

    def test_an_order_of_another_environment_is_not_polled(self):
        self.sent.base_url = ENVIRONMENTS["production"]
        self._due()
        self._poll()
        self.assertFalse(self.sandbox.requests())
        self.assertGreater(self.sent.next_poll_at, fields.Datetime.now())
        params = self.move.action_frontpay_refresh()["params"]
        self.assertEqual(params["type"], "danger")
        self.assertFalse(self.sandbox.requests())


@tagged("post_install", "-at_install", "frontpay")
class TestRefresh(PollingCase):
    """Somebody asks."""

    def test_many_invoices_are_polled_with_one_list(self):
        moves = self.move + self._sent(LIST_THRESHOLD)
        for move in moves:
            self.sandbox.act(move.frontpay_order_uuid, "cancel")
        self.sandbox.control("DELETE", "requests")
        params = moves.action_frontpay_refresh()["params"]
        self.assertEqual(params["type"], "success")
        self.assertEqual(set(moves.mapped("frontpay_state")), {"cancelled"})
        self.assertEqual(self.sandbox.requests(), [STATUS])

    def test_the_list_of_orders_has_the_button(self):
        self.sandbox.act(self.uuid, "pay")
        self.move.frontpay_order_id.action_refresh()
        self.assertPaidOnce()

    def test_the_journal_asks_for_all_open_orders(self):
        journal = self.company.frontpay_journal_id
        self.assertEqual(journal.frontpay_company_ids, self.company)
        self.sandbox.act(self.uuid, "pay")
        params = journal.action_frontpay_refresh()["params"]
        self.assertEqual(params["type"], "success")
        self.assertPaidOnce()
        self.go_away()
        self.order(self.invoice(), order_uuid="ODR2")
        params = journal.action_frontpay_refresh()["params"]
        self.assertEqual(params["type"], "danger")
        self.assertIn("Nobody answers", params["message"])

    def test_asking_settles_the_callback(self):
        self.sandbox.act(self.uuid, "pay")
        self._call_back()
        self.move.action_frontpay_refresh()
        self.assertPaidOnce()
        self.assertFalse(self._callbacks())

    def test_a_payment_that_could_not_be_registered_goes_when_asked_again(self):
        moves = self.move + self._sent(LIST_THRESHOLD)
        journal = self.company.frontpay_journal_id
        self.company.frontpay_journal_id = False
        self.sandbox.act(self.uuid, "pay")
        moves.action_frontpay_refresh()
        self.assertIn("couldn't be registered", self.sent.error)
        self.company.frontpay_journal_id = journal
        moves.action_frontpay_refresh()
        self.assertPaidOnce()
        self.assertFalse(self.sent.error)
