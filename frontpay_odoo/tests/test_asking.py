from contextlib import closing
from datetime import date, timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, fields
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from odoo.addons.frontpay_odoo.connect import callback, errors
from odoo.addons.frontpay_odoo.connect.client import Client
from odoo.addons.frontpay_odoo.models import frontpay_order_asking
from odoo.addons.frontpay_odoo.models.frontpay_hint import LAG_TRIES, TRIES
from odoo.addons.frontpay_odoo.models.frontpay_order_asking import (
    AGAIN,
    SINGLE_QUESTIONS,
)

from .common import NOBODY, SandboxCase, callback_pairs

STATUS = "GET connect/orders/status"
# Why Front Payment can't be asked: faults of the next question.
FAULTS = (
    {"kind": "drop"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 510},
    {"kind": "status", "status": 401},
    {"kind": "limited", "retry_after": 1},
    {"kind": "garbage"},
)


class AskingCase(SandboxCase):
    def setUp(self):
        super().setUp()
        self.moves = self._sent(1)
        self.move = self.moves
        self.sent = self.move.sudo().frontpay_order_id
        self.uuid = self.sent.order_uuid
        self.sandbox.door("DELETE", "requests")

    def _sent(self, count):
        """Invoices that were handed over, and wait for their customers."""
        moves = self.env["account.move"]
        for _number in range(count):
            move = self.invoice()
            move.action_frontpay_send()
            moves += move
        return moves

    def _hear(self, status="PAID", order=None, **changes):
        """A callback arrives, and is Front Payment's."""
        order = order or self.sent
        values = {"orderUuid": order.order_uuid, "status": status} | changes
        return order._receive(callback.parse(callback_pairs(**values)))[2]

    def _ask(self):
        """The cron runs, and it is time for all that was put off."""
        self._hints().retry_at = False
        self._run_cron()

    def _run_cron(self):
        self.env(user=SUPERUSER_ID)["frontpay.order"]._cron_ask()

    def _hints(self):
        return self.env["frontpay.hint"].sudo().search([])

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
class TestHints(AskingCase):
    """What was heard is followed once Front Payment confirms it."""

    def test_what_is_confirmed_is_followed_with_its_day(self):
        self.sandbox.act(self.uuid, "pay")
        hint = self._hear()
        hint.day = date(2025, 8, 21)
        self.assertUnpaid()
        self._ask()
        self.assertPaidOnce()
        self.assertEqual(self.sent.payment_id.date, date(2025, 8, 21))
        self.assertFalse(self._hints())
        self.assertTrue(self.sent.asked_at)
        self.assertIn(f"{STATUS}/{self.uuid}", self.sandbox.requests())

    def test_an_answer_that_went_further_is_followed(self):
        self.sandbox.act(self.uuid, "confirm")
        self._hear("INVOICED")
        self.sandbox.act(self.uuid, "pay")
        self._ask()
        self.assertPaidOnce()
        self.assertFalse(self._hints())

    def test_several_reports_of_an_order_are_one_question(self):
        self.sandbox.act(self.uuid, "confirm")
        self.sandbox.act(self.uuid, "pay")
        for status in ("INVOICED", "PAID", "SENT", "success"):
            self._hear(status)
        self.assertEqual(len(self._hints()), 4)
        self._ask()
        self.assertPaidOnce()
        self.assertFalse(self._hints())
        self.assertEqual(self.sandbox.requests().count(f"{STATUS}/{self.uuid}"), 1)

    def test_a_report_that_front_payment_contradicts_is_never_booked(self):
        self._hear()
        for _time in range(LAG_TRIES):
            self._ask()
            self.assertUnpaid()
            self.assertFalse(self.sent.error)
            self.assertTrue(self._hints())
        self._ask()
        self.assertUnpaid()
        self.assertFalse(self._hints())
        self.assertIn("A report said “PAID”", self.sent.error)
        self.assertIn("says “SENT” when asked", self.sent.error)

    def test_what_was_contradicted_once_is_never_booked_unconfirmed(self):
        self._hear()
        self._ask()
        self.assertTrue(self._hints().contradicted)
        self.company.frontpay_custom_url = NOBODY
        while self._hints():
            self._ask()
            self.assertUnpaid()

    def test_a_limit_of_our_own_is_no_try(self):
        self._hear()
        limited = errors.Limited("too many calls", retry_after=60)
        with patch.object(Client, "status", side_effect=limited):
            for _time in range(3):
                self._ask()
        self.assertUnpaid()
        self.assertEqual(self._hints().tries, 0)

    def test_an_answer_that_lags_behind_is_waited_for(self):
        self._hear()
        self._ask()
        self.assertUnpaid()
        self.sandbox.act(self.uuid, "pay")
        self._ask()
        self.assertPaidOnce()
        self.assertFalse(self._hints())

    def test_without_an_answer_it_is_booked_at_the_second_try_and_once(self):
        for fault in FAULTS:
            with self.subTest(**fault), closing(self.env.cr.savepoint()):
                self._hear()
                self.sandbox.fault(**fault)
                self._ask()
                self.assertUnpaid()
                self.assertGreater(self._hints().retry_at, fields.Datetime.now())
                for _time in range(3):
                    self.sandbox.fault(**fault)
                    self._ask()
                    self.assertPaidOnce()
                self.assertTrue(self._hints().followed)
            self.sandbox.door("DELETE", "faults")

    def test_what_was_booked_unconfirmed_is_confirmed_later(self):
        self._hear()
        self.company.frontpay_custom_url = NOBODY
        self._ask()
        self._ask()
        self.assertPaidOnce()
        self.company.frontpay_custom_url = f"{self.sandbox.url}/api/v1/"
        self.sandbox.act(self.uuid, "pay")
        self._ask()
        self.assertPaidOnce()
        self.assertFalse(self._hints())
        self.assertFalse(self.sent.error)

    def test_what_was_booked_unconfirmed_and_is_wrong_is_told(self):
        self._hear()
        self.company.frontpay_custom_url = NOBODY
        self._ask()
        self._ask()
        self.company.frontpay_custom_url = f"{self.sandbox.url}/api/v1/"
        for _time in range(TRIES):
            self._ask()
        self.assertPaidOnce()
        self.assertFalse(self._hints())
        self.assertIn("A report said “PAID”", self.sent.error)

    def test_what_is_not_believed_only_has_the_order_asked_for(self):
        for status, changes in (
            ("success", {}),
            ("PAID", {"amount": "1.00"}),
            ("PAID", {"timestamp": "1755764131"}),
            ("PAID", {"terminal": "7"}),
        ):
            with self.subTest(status, **changes), closing(self.env.cr.savepoint()):
                self._hear(status, **changes)
                self._ask()
                self.assertUnpaid()
                self.assertFalse(self._hints())
        self._hear("success")
        self.sandbox.act(self.uuid, "pay")
        self._ask()
        self.assertPaidOnce()

    def test_what_is_not_believed_is_given_up(self):
        self._hear("PAID", amount="1.00")
        self.company.frontpay_custom_url = NOBODY
        for _time in range(TRIES):
            self._ask()
            self.assertUnpaid()
            self.assertTrue(self._hints())
        self._ask()
        self.assertUnpaid()
        self.assertFalse(self._hints())

    def test_each_try_waits_longer(self):
        self._hear()
        self.company.frontpay_custom_url = NOBODY
        pauses = []
        for _time in range(3):
            self._ask()
            pauses.append(self._hints().retry_at - fields.Datetime.now())
        self.assertEqual(pauses, sorted(pauses))
        self.assertLess(pauses[0], timedelta(minutes=2))
        self.assertGreater(pauses[2], timedelta(minutes=2))

    def test_what_was_put_off_waits(self):
        self.sandbox.act(self.uuid, "pay")
        self._hear().retry_at = fields.Datetime.now() + timedelta(minutes=1)
        self._run_cron()
        self.assertUnpaid()
        self._hints().retry_at = fields.Datetime.now()
        self._run_cron()
        self.assertPaidOnce()

    def test_an_order_without_a_number_takes_the_one_that_is_confirmed(self):
        for state in ("sending", "unknown"):
            with self.subTest(state), closing(self.env.cr.savepoint()):
                self.sandbox.act(self.uuid, "confirm")
                self.sent.write({"order_uuid": False, "state": state})
                self._hear("INVOICED", orderUuid=self.uuid)
                self._ask()
                self.assertUnpaid("invoiced")
                self.assertEqual(self.sent.order_uuid, self.uuid)
            self.sandbox.door("DELETE", "orders")
            self.setUp()

    def test_a_number_that_front_payment_does_not_know_is_not_taken(self):
        self.sent.write({"order_uuid": False, "state": "unknown"})
        self._hear("PAID", orderUuid="ODR404")
        for _time in range(LAG_TRIES + 1):
            self._ask()
            self.assertUnpaid("unknown")
            self.assertFalse(self.sent.order_uuid)
        self.assertFalse(self._hints())
        self.assertIn("unknown order", self.sent.error)

    def test_a_number_of_another_amount_or_reference_is_not_taken(self):
        for references, changes in (
            (False, {"amount": 25.00}),
            (True, {"reference": "another"}),
        ):
            with self.subTest(**changes), closing(self.env.cr.savepoint()):
                settings = {"details_references": references}
                self.sandbox.door("POST", "settings", settings)
                self.sent.write({"order_uuid": False, "state": "unknown"} | changes)
                amount = str(self.sent.amount)
                hint = self._hear("PAID", orderUuid=self.uuid, amount=amount)
                self.assertTrue(hint.believed)
                self._ask()
                self.assertUnpaid("unknown")
                self.assertFalse(self.sent.order_uuid)
        self.sandbox.door("POST", "settings", {"details_references": False})

    def test_a_number_that_another_order_took_meanwhile_is_not_taken(self):
        self.sent.write({"order_uuid": False, "state": "unknown"})
        self._hear("PAID", orderUuid=self.uuid)
        self.order(self.invoice(), order_uuid=self.uuid)
        self._ask()
        self.assertUnpaid("unknown")
        self.assertFalse(self._hints())

    def test_one_order_that_fails_keeps_no_other_back(self):
        other = self._sent(1).sudo().frontpay_order_id
        for order in (self.sent, other):
            self.sandbox.act(order.order_uuid, "pay")
            self._hear(order=order)
        follow = type(self.sent)._catch_up

        def catch_up(order, *arguments):
            if order == self.sent:
                raise ZeroDivisionError
            follow(order, *arguments)

        asking = "odoo.addons.frontpay_odoo.models.frontpay_order_asking"
        with (
            patch.object(type(self.sent), "_catch_up", catch_up),
            mute_logger(asking),
        ):
            self._ask()
        self.assertEqual((self.sent.state, other.state), ("sent", "paid"))
        self.assertEqual(self._hints().order_id, self.sent)
        self._ask()
        self.assertEqual(self.sent.state, "paid")

    def test_the_chatter_speaks_the_language_of_whoever_sent_it(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        addon = self.env["ir.module.module"]._get("frontpay_odoo")
        addon._update_translations(["nb_NO"])
        self.sent.create_uid.lang = "nb_NO"
        self.sandbox.act(self.uuid, "pay")
        self._hear()
        self._ask()
        bodies = "".join(self.move.message_ids.mapped("body"))
        self.assertIn("Front Payment: Betalt", bodies)

    def test_a_server_that_is_away_is_called_once(self):
        other = self._sent(1).sudo().frontpay_order_id
        self._hear()
        self._hear(order=other)
        self.company.frontpay_custom_url = NOBODY
        exchanges = self.env["frontpay.exchange"]
        before = exchanges.search_count([])
        self._ask()
        self.assertEqual(exchanges.search_count([]) - before, 1)
        self.assertEqual(self._hints().mapped("tries"), [1, 1])

    def test_each_company_is_asked_with_its_own_keys(self):
        self.sandbox.act(self.uuid, "pay")
        self._hear()
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
        self._hear(order=theirs, orderUuid="ODR2", amount="0")
        self._ask()
        self.assertPaidOnce()
        self.assertEqual(theirs.state, "sent")
        self.assertEqual(theirs.exchange_ids.mapped("http_status"), [401])

    def test_without_a_token_nobody_is_asked(self):
        self._hear()
        self.company.frontpay_api_token = False
        self._ask()
        self.assertUnpaid()
        self.assertFalse(self._hints())
        self.assertFalse(self.sandbox.requests())


@tagged("post_install", "-at_install", "frontpay")
class TestPolling(AskingCase):
    """A lost callback costs minutes."""

    def _due(self, orders=None):
        """It is time to ask for these orders."""
        (orders or self.sent).ask_at = fields.Datetime.now() - timedelta(minutes=1)

    def test_fresh_orders_are_asked_for_often_and_old_ones_rarely(self):
        now = fields.Datetime.now()
        for age, pause in (
            (timedelta(), timedelta(minutes=5)),
            (timedelta(minutes=59), timedelta(minutes=5)),
            (timedelta(hours=2), timedelta(minutes=30)),
            (timedelta(hours=23), timedelta(minutes=30)),
            (timedelta(days=2), timedelta(hours=6)),
            (timedelta(days=15), timedelta(days=1)),
            (timedelta(days=2000), timedelta(days=1)),
        ):
            with self.subTest(age), freeze_time(now):
                self.sent.sent_at = now - age
                self.sent._plan_question()
                self.assertEqual(self.sent.ask_at, now + pause)

    def test_an_order_that_was_sent_is_asked_for_and_one_that_ended_is_not(self):
        self.assertTrue(self.sent.ask_at)
        open_states = {"sent", "invoiced", "reminded", "collection"}
        for state in self.sent._fields["state"].get_values(self.env):
            with self.subTest(state):
                self.sent.state = state
                self.sent._plan_question()
                self.assertEqual(bool(self.sent.ask_at), state in open_states)

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
                self._ask()
                self.assertEqual(self.sent.state, state)
        self.assertPaidOnce()
        self.assertFalse(self.sent.ask_at)
        self.assertTrue(self.sent.invoice_number)
        self.assertFalse(self.sent.verification_url)

    def test_an_order_whose_turn_it_is_not_is_left_alone(self):
        self._ask()
        self.assertFalse(self.sandbox.requests())

    def test_a_question_plans_the_next_one(self):
        self._due()
        self._ask()
        self.assertGreater(self.sent.ask_at, fields.Datetime.now())
        self.assertTrue(self.sent.asked_at)

    def test_few_are_asked_for_one_by_one(self):
        orders = self.sent + self._sent(SINGLE_QUESTIONS - 1).sudo().frontpay_order_id
        self.sandbox.door("DELETE", "requests")
        self._due(orders)
        self._ask()
        self.assertEqual(
            sorted(self.sandbox.requests()),
            sorted(f"{STATUS}/{order.order_uuid}" for order in orders),
        )

    def test_many_are_asked_for_with_one_list_that_serves_all(self):
        more = self._sent(SINGLE_QUESTIONS + 2).sudo().frontpay_order_id
        due, paid, not_due = self.sent + more[:-2], more[-2], more[-1]
        self.sandbox.act(paid.order_uuid, "pay")
        self.sandbox.door("DELETE", "requests")
        self._due(due)
        asked = fields.Datetime.now() - timedelta(hours=3)
        (due + paid + not_due).asked_at = asked
        self._ask()
        number = f"GET connect/orders/invoice-number/{paid.order_uuid}"
        self.assertEqual(self.sandbox.requests(), [STATUS, number])
        self.assertEqual(paid.state, "paid")
        self.assertTrue(paid.payment_id)
        for order in due + paid + not_due:
            self.assertGreater(order.asked_at, asked)
        self.assertGreater(min(due.mapped("ask_at")), fields.Datetime.now())

    def test_an_order_that_is_not_in_the_list_is_asked_for_alone(self):
        orders = self.sent + self._sent(SINGLE_QUESTIONS).sudo().frontpay_order_id
        orders[0].order_uuid = "ODR404"
        self.sandbox.door("DELETE", "requests")
        self._due(orders)
        self._ask()
        self.assertEqual(self.sandbox.requests(), [STATUS, f"{STATUS}/ODR404"])
        self.assertEqual(orders[0].state, "sent")
        self.assertGreater(orders[0].ask_at, fields.Datetime.now())

    def test_without_a_list_each_is_asked_for_alone(self):
        orders = self.sent + self._sent(SINGLE_QUESTIONS).sudo().frontpay_order_id
        self.sandbox.act(orders[-1].order_uuid, "pay")
        self.sandbox.door("DELETE", "requests")
        for fault in ({"kind": "status", "status": 510}, {"kind": "garbage"}):
            with self.subTest(**fault), closing(self.env.cr.savepoint()):
                self._due(orders)
                self.sandbox.fault(**fault)
                self._ask()
                self.assertEqual(orders[-1].state, "paid")

    def test_without_a_list_some_are_asked_for_and_the_others_soon(self):
        orders = self.sent + self._sent(SINGLE_QUESTIONS + 1).sudo().frontpay_order_id
        self.sandbox.door("DELETE", "requests")
        self._due(orders)
        self.sandbox.fault("garbage")
        with patch.object(frontpay_order_asking, "WITHOUT_LIST", 2):
            self._ask()
        self.assertEqual(len(self.sandbox.requests()), 1 + 2)
        now = fields.Datetime.now()
        self.assertEqual(len(orders.filtered(lambda order: order.ask_at <= now)), 3)
        self.assertLessEqual(self._next_run(), now + AGAIN)

    def test_after_too_many_calls_it_goes_on_when_front_payment_allows(self):
        orders = self.sent + self._sent(SINGLE_QUESTIONS).sudo().frontpay_order_id
        self._due(orders)
        self.sandbox.fault("limited", retry_after=90)
        before = fields.Datetime.now()
        self._ask()
        self.assertGreaterEqual(self._next_run(), before + timedelta(seconds=90))
        self.assertLess(self._next_run(), before + timedelta(minutes=3))

    def _next_run(self):
        """When the cron runs again because somebody wants it to."""
        cron = self.env.ref("frontpay_odoo.cron_ask")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        return min(triggers.mapped("call_at"))

    def test_what_was_refunded_is_told_with_its_amount(self):
        orders = self.sent + self._sent(SINGLE_QUESTIONS).sudo().frontpay_order_id
        self.sandbox.act(self.uuid, "pay")
        self.sandbox.door("POST", f"orders/{self.uuid}/refund", {"amount": 20})
        self._due(orders)
        self._ask()
        self.assertEqual(self.sent.state, "partially_refunded")
        self.assertEqual(self.sent.refunded_amount, 20.00)

    def test_a_server_that_is_away_is_called_once_and_tried_soon_again(self):
        orders = self.sent + self._sent(SINGLE_QUESTIONS).sudo().frontpay_order_id
        exchanges = self.env["frontpay.exchange"]
        for due in (orders, orders[:2]):
            with self.subTest(len(due)):
                self._due(due)
                self.company.frontpay_custom_url = NOBODY
                before = exchanges.search_count([])
                self._ask()
                self.assertEqual(exchanges.search_count([]) - before, 1)
                self.assertLess(max(due.mapped("ask_at")), fields.Datetime.now())

    def test_one_fault_keeps_no_other_from_being_asked_for(self):
        other = self._sent(1).sudo().frontpay_order_id
        self.sandbox.act(other.order_uuid, "pay")
        self._due(self.sent + other)
        self.sandbox.fault("status", status=510)
        self._ask()
        self.assertEqual((self.sent.state, other.state), ("sent", "paid"))
        self.assertGreater(self.sent.ask_at, fields.Datetime.now())

    def test_an_order_of_another_environment_is_not_asked_for(self):
        self.assertEqual(self.sent.environment, "custom")
        self.sent.environment = "production"
        self._due()
        self._ask()
        self.assertFalse(self.sandbox.requests())
        self.assertGreater(self.sent.ask_at, fields.Datetime.now())
        params = self.move.action_frontpay_refresh()["params"]
        self.assertEqual(params["type"], "danger")
        self.assertFalse(self.sandbox.requests())

    def test_an_order_from_before_environments_were_kept_is_asked_for(self):
        self.sent.environment = False
        self._due()
        self._ask()
        self.assertEqual(self.sandbox.requests(), [f"{STATUS}/{self.uuid}"])


@tagged("post_install", "-at_install", "frontpay")
class TestRefresh(AskingCase):
    """Somebody asks."""

    def test_many_invoices_are_asked_for_with_one_list(self):
        moves = self.move + self._sent(SINGLE_QUESTIONS)
        for move in moves:
            self.sandbox.act(move.frontpay_order_uuid, "cancel")
        self.sandbox.door("DELETE", "requests")
        params = moves.action_frontpay_refresh()["params"]
        self.assertEqual(params["type"], "success")
        self.assertEqual(set(moves.mapped("frontpay_state")), {"cancelled"})
        self.assertEqual(self.sandbox.requests(), [STATUS])

    def test_the_list_of_invoices_has_the_action(self):
        action = self.env.ref("frontpay_odoo.account_move_action_refresh")
        self.sandbox.act(self.uuid, "pay")
        action.with_context(active_model="account.move", active_ids=self.move.ids).run()
        self.assertPaidOnce()

    def test_the_journal_asks_for_all_open_orders(self):
        journal = self.company.frontpay_journal_id
        self.assertEqual(journal.frontpay_company_ids, self.company)
        self.sandbox.act(self.uuid, "pay")
        params = journal.action_frontpay_ask()["params"]
        self.assertEqual(params["type"], "success")
        self.assertPaidOnce()
        self.company.frontpay_custom_url = NOBODY
        self.order(self.invoice(), order_uuid="ODR2")
        params = journal.action_frontpay_ask()["params"]
        self.assertEqual(params["type"], "danger")
        self.assertIn("Nobody answers", params["message"])

    def test_asking_drops_what_was_heard(self):
        self.sandbox.act(self.uuid, "pay")
        self._hear()
        self.move.action_frontpay_refresh()
        self.assertPaidOnce()
        self.assertFalse(self._hints())

    def test_a_payment_that_could_not_be_registered_goes_when_asked_again(self):
        moves = self.move + self._sent(SINGLE_QUESTIONS)
        journal = self.company.frontpay_journal_id
        self.company.frontpay_journal_id = False
        self.sandbox.act(self.uuid, "pay")
        moves.action_frontpay_refresh()
        self.assertIn("couldn't be registered", self.sent.error)
        self.company.frontpay_journal_id = journal
        moves.action_frontpay_refresh()
        self.assertPaidOnce()
        self.assertFalse(self.sent.error)
