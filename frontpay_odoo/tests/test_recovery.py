"""What becomes of orders whose sending had no clear outcome."""

from datetime import timedelta
from unittest.mock import patch

import requests

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.sql_db import db_connect
from odoo.tests import new_test_user, tagged

from odoo.addons.frontpay_odoo.connect.client import Client
from odoo.addons.frontpay_odoo.connect.responses import OrderStatus
from odoo.addons.frontpay_odoo.models import frontpay_order_recovery
from odoo.addons.frontpay_odoo.models.frontpay_order_recovery import OrderList
from odoo.addons.frontpay_odoo.tools.deadline import Deadline
from odoo.addons.frontpay_odoo.tools.transaction import SENDER_LOCK

from .common import API_TOKEN, FrontpayCommon, SandboxCase

DETAILS = "GET connect/orders/details/"
LIST = "GET connect/orders/status"
REFERENCE = "INV/1-a3f0"
MINUTES = timedelta(minutes=1)
GRACE = 15 * MINUTES

OURS = {"references": REFERENCE}
ALIKE = {"references": False}  # of the invoice's customer, total and time
# What was seen at Front Payment, how many minutes after the invoice went out it was
# asked, and what becomes of the order: where it is found, a decision, or nothing yet.
MATCHES = (
    ("nothing there, and it may still come", [], 14, "wait"),
    ("nothing there, and it would be by now", [], 15, "absent"),
    ("its reference", [OURS], 0, "ODR1"),
    ("its reference, late", [OURS], 600, "ODR1"),
    ("its reference among others", [{"references": f"X\n{REFERENCE}"}], 0, "ODR1"),
    ("its reference over another total", [OURS | {"amount": 1}], 0, "ODR1"),
    ("its reference at another time", [OURS | {"minutes": 600}], 0, "ODR1"),
    ("its reference and one alike", [ALIKE, OURS], 0, "ODR2"),
    ("its reference twice", [OURS, OURS], 0, "decision"),
    ("a reference that begins like it", [{"references": REFERENCE[:-1]}], 15, "absent"),
    ("a reference that goes on", [{"references": f"{REFERENCE}1"}], 15, "absent"),
    ("another's reference", [ALIKE | {"references": "SHOP-1"}], 15, "absent"),
    ("one alike", [ALIKE], 0, "ODR1"),
    ("two alike", [ALIKE, ALIKE], 14, "wait"),
    ("two alike, late", [ALIKE, ALIKE], 15, "decision"),
    ("another total", [ALIKE | {"amount": 100}], 15, "absent"),
    ("another customer", [ALIKE | {"contacts": "other"}], 15, "absent"),
    ("another time", [ALIKE | {"minutes": 11}], 15, "absent"),
    ("an earlier time", [ALIKE | {"minutes": -11}], 15, "absent"),
    ("a time nearby", [ALIKE | {"minutes": -9}], 0, "ODR1"),
    ("no time that can be read", [ALIKE | {"minutes": None}], 0, "ODR1"),
    ("no customer told", [ALIKE | {"contacts": False}], 15, "decision"),
    ("no total told", [ALIKE | {"amount": 0}], 15, "decision"),
    ("nothing told", [{"contacts": False, "amount": 0}], 14, "wait"),
    ("it was there before", [ALIKE | {"seen": -11}], 15, "absent"),
    ("not in the list any more", [ALIKE | {"listed": False}], 15, "absent"),
    ("its reference, not in the list", [OURS | {"listed": False}], 15, "decision"),
)


@tagged("post_install", "-at_install", "frontpay")
class TestMatching(FrontpayCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.move = cls.invoice()
        cls.sent_at = fields.Datetime.now()
        cls.unknown = cls._unknown(cls.move, reference=REFERENCE)
        cls.neighbour = cls.order(
            cls.invoice(), order_uuid="ODR99", token="neighbour", sent_at=cls.sent_at
        )

    @classmethod
    def _unknown(cls, move, **values):
        """An order whose answer got lost."""
        values = {"order_uuid": False, "sending_at": cls.sent_at} | values
        order = cls.order(move, "sending", **values)
        order.state = "unknown"
        return order

    @property
    def remote_orders(self):
        return self.env["frontpay.remote.order"].sudo()

    def _remote(self, *seen):
        """Remote orders ``ODR1`` and so on, like the unknown one, but for the
        values given.

        :return: Front Payment's list with them
        """
        statuses = {"ODR99": "SENT"}
        for number, changes in enumerate(seen, 1):
            values = {
                "amount": self.unknown.amount,
                "contacts": next(
                    iter(self.remote_orders._contact_digests(self.unknown))
                ),
                "minutes": 0,
                "seen": 0,
                "listed": True,
            } | changes
            minutes = values.pop("minutes")
            age = values.pop("seen")
            if values.pop("listed"):
                statuses[f"ODR{number}"] = "INVOICED"
            remote_order = self.remote_orders.create(
                {
                    "company_id": self.company.id,
                    "base_url": self.unknown.base_url,
                    "order_uuid": f"ODR{number}",
                    "ordered_at": (
                        minutes is not None and self.sent_at + minutes * MINUTES
                    ),
                    **values,
                }
            )
            self.env.cr.execute(
                "UPDATE frontpay_remote_order SET create_date = %s WHERE id = %s",
                [self.sent_at + age * MINUTES, remote_order.id],
            )
        self.remote_orders.invalidate_model(["create_date"])
        return statuses

    def _order_list(self, minutes, statuses, **details):
        return OrderList(self.sent_at + minutes * MINUTES, statuses, **details)

    def _becomes(self, order=None):
        order = order or self.unknown
        if order.order_uuid:
            self.assertEqual(order.state, "invoiced")
            return order.order_uuid
        if order.needs_decision:
            self.assertEqual(order.state, "unknown")
            return "decision"
        return {"unknown": "wait", "failed": "absent"}[order.state]

    def test_which_order_it_is(self):
        for what, seen, minutes, outcome in MATCHES:
            with self.subTest(what), self.undone():
                statuses = self._remote(*seen)
                self.unknown._settle_by(self._order_list(minutes, statuses))
                self.assertEqual(self._becomes(), outcome)

    def test_what_front_payment_took_is_never_absent(self):
        """It answered, but with another invoice's number."""
        self.unknown.sent_at = self.sent_at
        self.unknown._settle_by(self._order_list(600, {"ODR99": "SENT"}))
        self.assertEqual(self.unknown.state, "unknown")

    def test_nothing_is_concluded_while_orders_are_unread(self):
        for what, seen, outcome in (
            ("its reference", [OURS], "ODR1"),
            ("one alike", [ALIKE], "wait"),
            ("nothing", [], "wait"),
        ):
            with self.subTest(what), self.undone():
                statuses = self._remote(*seen)
                self.unknown._settle_by(self._order_list(59, statuses, unfetched=1))
                self.assertEqual(self._becomes(), outcome)

    def test_one_order_cannot_be_two_invoices(self):
        other = self._unknown(self.invoice(), reference="INV/2", token="other")
        order_list = self._order_list(15, self._remote(ALIKE))
        for order in (self.unknown, other):
            order._settle_by(order_list)
            self.assertEqual(self._becomes(order), "decision")
        other._record_not_received()
        self.unknown._settle_by(order_list)
        self.assertEqual(self._becomes(), "ODR1")

    def test_it_may_be_that_of_an_invoice_that_is_just_being_sent(self):
        values = {"order_uuid": False, "reference": "INV/2", "token": "other"}
        self.order(self.invoice(), "sending", sending_at=self.sent_at, **values)
        self.unknown._settle_by(self._order_list(15, self._remote(ALIKE)))
        self.assertEqual(self._becomes(), "decision")

    def test_an_order_of_another_invoice_is_no_match(self):
        url = "https://other.example.com/"
        for what, claim in (
            ("elsewhere", lambda remote, _other: remote.write({"base_url": url})),
            ("taken", lambda remote, other: remote.write({"order_id": other.id})),
            (
                "called back",
                lambda _remote, other: other.write({"order_uuid": "ODR1"}),
            ),
        ):
            with self.subTest(what), self.undone():
                statuses = self._remote(ALIKE)
                other = self.order(self.invoice(), order_uuid="ODR7", token="other")
                claim(self.env["frontpay.remote.order"].sudo().search([]), other)
                self.unknown._settle_by(self._order_list(15, statuses))
                self.assertEqual(self._becomes(), "absent")

    def test_a_number_that_another_invoice_took_at_that_moment_is_not_taken(self):
        self._remote(ALIKE)
        self.order(self.invoice(), order_uuid="ODR1", token="other")
        self.unknown._record_found(self.remote_orders.search([]), "SENT")
        self.assertEqual(self._becomes(), "decision")

    def test_which_list_proves_that_an_order_is_not_there(self):
        """It shows one of the same kind: still SENT, and sent about then or later."""
        now = self.sent_at + 60 * MINUTES
        for what, minutes, statuses, outcome in (
            ("it is listed", 0, {"ODR99": "SENT"}, "absent"),
            ("it was sent shortly before", -10, {"ODR99": "SENT"}, "absent"),
            ("it was sent long before", -11, {"ODR99": "SENT"}, "decision"),
            ("it was sent later", 55, {"ODR99": "SENT"}, "absent"),
            ("an empty list", 0, {}, "decision"),
            ("a list without what is SENT", 0, {"ODR98": "PAID"}, "decision"),
            ("it isn't SENT any more", 0, {"ODR99": "INVOICED"}, "decision"),
        ):
            with self.subTest(what), self.undone():
                self.neighbour.sent_at = self.sent_at + minutes * MINUTES
                self.unknown._settle_by(OrderList(now, statuses))
                self.assertEqual(self._becomes(), outcome)

    def test_an_order_of_another_environment_proves_nothing(self):
        self.neighbour.base_url = "https://other.example.com/"
        self.unknown._settle_by(self._order_list(15, {"ODR99": "SENT"}))
        self.assertEqual(self._becomes(), "decision")

    def test_what_was_seen_with_its_reference_is_received(self):
        self._remote(OURS)
        self.unknown.sending_at -= GRACE
        with self.assertRaisesRegex(UserError, "ODR1 carries the reference"):
            self.unknown._mark_not_received()
        self.assertEqual(self.unknown.state, "unknown")

    def test_an_order_whose_number_is_known_is_there(self):
        """A callback told it, with a status that says nothing about an invoice."""
        self.unknown.order_uuid = "ODR5"
        for statuses, state in (({"ODR5": "PAID"}, "paid"), ({}, "sent")):
            with self.subTest(state), self.undone():
                self.unknown._settle_by(self._order_list(60, statuses))
                self.assertEqual(self.unknown.state, state)
        with self.assertRaisesRegex(UserError, "has it as order ODR5"):
            self.unknown._mark_not_received()

    def test_an_order_sent_within_the_grace_need_not_be_in_the_list_yet(self):
        now = self.sent_at + 60 * MINUTES
        for minutes, outcome in ((44, "decision"), (46, "absent")):
            with self.subTest(minutes), self.undone():
                sent_at = self.sent_at + minutes * MINUTES
                own = {"order_uuid": "ODR98", "token": "own", "sent_at": sent_at}
                self.order(self.invoice(), **own)
                self.unknown._settle_by(OrderList(now, {"ODR99": "SENT"}))
                self.assertEqual(self._becomes(), outcome)

    def test_what_is_settled_stays_as_it_is(self):
        order_list = self._order_list(15, {})
        for state in ("sent", "paid", "failed", "sending"):
            with self.subTest(state), self.undone():
                self.unknown.state = state
                self.unknown._settle_by(order_list)
                self.assertEqual(self.unknown.state, state)

    def test_the_grace_is_a_number_of_minutes(self):
        for text, minutes in (
            ("0", 0),
            ("30", 30),
            ("", 15),
            ("-1", 15),
            ("soon", 15),
            ("1.5", 15),
            ("²", 15),
            ("9999999999", 15),
        ):
            with self.subTest(text):
                self.env["ir.config_parameter"].sudo().set_param(
                    "frontpay_odoo.grace_minutes", text
                )
                self.assertEqual(self.unknown._grace(), minutes * MINUTES)

    def test_a_decision_is_asked_for_once_and_goes_away(self):
        statuses = self._remote(OURS, OURS)
        for _run in range(3):
            self.unknown._settle_by(self._order_list(20, statuses))
        self.assertEqual(len(self.move.activity_ids), 1)
        told = self.move.message_ids.filtered(
            lambda message: "2 orders that may be this invoice" in message.body
        )
        self.assertEqual(len(told), 1)
        self.unknown._apply_status("PAID")
        self.assertFalse(self.unknown.needs_decision)
        self.assertFalse(self.unknown.error)
        self.assertFalse(self.move.activity_ids)

    def test_a_decision_that_somebody_has_put_aside_is_not_asked_for_again(self):
        statuses = self._remote(OURS, OURS)
        self.unknown._settle_by(self._order_list(20, statuses))
        self.move.activity_ids.unlink()
        self.unknown._settle_by(self._order_list(21, statuses))
        self.assertFalse(self.move.activity_ids)
        self.assertTrue(self.unknown.needs_decision)

    def test_the_invoice_links_to_the_dialog_for_those_who_may_decide(self):
        self.unknown._settle_by(self._order_list(20, self._remote(OURS, OURS)))
        for groups, may_answer in (
            ("account.group_account_invoice", True),
            ("account.group_account_readonly", False),
        ):
            user = new_test_user(self.env, groups, groups=groups)
            user.company_ids = self.company
            user.company_id = self.company
            with self.subTest(groups):
                alert = self.move.with_user(user)._get_alerts()["frontpay"]
                self.assertIn("2 orders", alert["message"])
                self.assertEqual("action" in alert, may_answer)


class RecoveryCase(SandboxCase):
    def setUp(self):
        super().setUp()
        self._tell_references(True)
        self.move = self.invoice()

    def _tell_references(self, on):
        self.sandbox.control("POST", "settings", {"details_references": on})

    def _lose_answer(self, move=None, when="after"):
        """Send an invoice whose answer gets lost.

        :return: its order
        """
        move = move or self.move
        self.sandbox.fault("drop", when=when, path="submit")
        move.action_frontpay_send()
        order = move.sudo().frontpay_order_id
        self.assertEqual(order.state, "unknown")
        return order

    def _chatter(self):
        return " ".join(self.move.message_ids.mapped("body"))

    def _neighbour(self):
        """An order that was sent at about the same time, and waits for its customer:
        a list that shows it is to be believed."""
        self.invoice().action_frontpay_send()

    def _age(self, order, minutes):
        order.sending_at -= minutes * MINUTES

    def _strangers(self, count=1, price=50.0):
        """Orders that others than this database have made."""
        numbers = []
        for _number in range(count):
            move = self.invoice(self.line(price), customer=self.corporate)
            move.action_frontpay_send()
            order = move.sudo().frontpay_order_id
            numbers.append(order.order_uuid)
            order.order_uuid = False
            order.sent_at = False
            order.state = "failed"
        return numbers

    def _details(self):
        """The orders whose details were asked for."""
        return [
            request.removeprefix(DETAILS)
            for request in self.sandbox.requests()
            if request.startswith(DETAILS)
        ]


@tagged("post_install", "-at_install", "frontpay")
class TestRecovery(RecoveryCase):
    def test_an_order_that_is_there_is_found_and_goes_on(self):
        for tells_references in (True, False):
            with self.subTest(tells_references=tells_references), self.undone():
                self._tell_references(tells_references)
                self._strangers(2)
                order = self._lose_answer()
                self._age(order, 5)
                order._recover()
                stored = self.sandbox.orders()[-1]
                self.assertEqual(order.state, "sent")
                self.assertEqual(order.order_uuid, stored["orderUuid"])
                self.assertEqual(order.customer_uuid, stored["customerUuid"])
                self.assertEqual(order.sent_at, order.sending_at)
                self.assertTrue(order.next_poll_at)
                self.assertFalse(order.error)
                self.assertIn(f"as order {order.order_uuid}", self._chatter())
                self.assertIn("BankID link was lost", self._chatter())
                self.assertEqual(self.move.frontpay_state, "sent")
                self.sandbox.control("DELETE", "orders")

    def test_an_order_that_went_on_meanwhile_is_followed(self):
        for action, state in (
            ("confirm", "invoiced"),
            ("pay", "paid"),
            ("cancel", "cancelled"),
        ):
            with self.subTest(action), self.undone():
                order = self._lose_answer()
                self.sandbox.act(self.sandbox.orders()[0]["orderUuid"], action)
                order._recover()
                self.assertEqual(order.state, state)
                is_paid = self.move.payment_state != "not_paid"
                self.assertEqual(is_paid, state == "paid")
                self.sandbox.control("DELETE", "orders")

    def test_a_found_order_can_be_sent_once_more_for_a_bankid_address(self):
        order = self._lose_answer()
        order._recover()
        self.assertFalse(order.verification_url)
        self.move.action_frontpay_send()
        self.assertTrue(order.verification_url)
        self.assertEqual(len(self.sandbox.orders()), 1)

    def test_an_order_that_never_came_may_be_sent_again_after_the_grace(self):
        self._neighbour()
        order = self._lose_answer(when="before")
        order._recover()
        self.assertEqual(order.state, "unknown")
        self.assertFalse(order.needs_decision)
        self._age(order, 15)
        order._recover()
        self.assertEqual(order.state, "failed")
        self.assertIn("never got", order.error)
        self.assertEqual(len(self.move.activity_ids), 1)
        self.move.action_frontpay_send()
        self.assertEqual(self.move.frontpay_state, "sent")
        _neighbour, stored = self.sandbox.orders()
        self.assertEqual(stored["payload"]["referenceNo"], order.reference)

    def test_an_order_may_come_late(self):
        order = self._lose_answer()
        self.sandbox.fault("status", status=404, path="orders/status")
        order._recover()
        self.assertEqual(order.state, "unknown")
        order._recover()
        self.assertEqual(order.state, "sent")

    def test_nobody_is_asked_once_the_click_has_taken_its_time(self):
        order = self._lose_answer()
        self.sandbox.control("DELETE", "requests")
        over = Deadline(-1)
        self.assertFalse(order._recover(deadline=over))
        self.assertFalse(self.sandbox.requests())
        self.assertEqual(order.state, "unknown")

    def test_the_details_of_each_order_are_read_once(self):
        strangers = self._strangers(3)
        order = self._lose_answer(when="before")
        for _run in range(3):
            order._recover()
        self.assertCountEqual(self._details(), strangers)

    def test_our_own_orders_are_not_read(self):
        self.invoice().action_frontpay_send()
        self._lose_answer(when="before")._recover()
        self.assertFalse(self._details())

    def test_many_strangers_are_read_over_several_runs(self):
        self._neighbour()
        strangers = self._strangers(5)
        order = self._lose_answer(when="before")
        self._age(order, 15)
        for read in (2, 4):
            order._recover(details=2)
            self.assertEqual(order.state, "unknown")
            self.assertEqual(len(self._details()), read)
        order._recover(details=2)
        self.assertCountEqual(self._details(), strangers)
        self.assertEqual(order.state, "failed")

    def test_a_slow_front_payment_is_read_over_several_runs(self):
        self._neighbour()
        strangers = self._strangers(2)
        order = self._lose_answer(when="before")
        self._age(order, 15)
        with patch.object(frontpay_order_recovery, "DETAILS_SECONDS", 0.3):
            self.sandbox.fault("delay", seconds=0.4, path="details")
            order._recover()
            self.assertEqual(len(self._details()), 1)
            self.assertEqual(order.state, "unknown")
            order._recover()
        self.assertCountEqual(self._details(), strangers)
        self.assertEqual(order.state, "failed")

    def test_what_cannot_be_read_settles_nothing(self):
        """And is tried again, and a person is asked after an hour."""
        self._neighbour()
        [stranger] = self._strangers()
        for fault in (
            {"kind": "status", "status": 500},
            {"kind": "status", "status": 404},
            {"kind": "garbage"},
            {"kind": "drop"},
        ):
            with self.subTest(**fault), self.undone():
                order = self._lose_answer(when="before")
                self._age(order, 59)
                self.sandbox.fault(**fault, path="details")
                order._recover()
                self.assertEqual(
                    (order.state, order.needs_decision), ("unknown", False)
                )
                self._age(order, 1)
                self.sandbox.fault(**fault, path="details")
                order._recover()
                self.assertEqual((order.state, order.needs_decision), ("unknown", True))
                order._recover()
                self.assertEqual(order.state, "failed")
                self.assertEqual(set(self._details()), {stranger})

    def test_an_order_that_cannot_be_read_keeps_no_other_from_being_read(self):
        strangers = self._strangers(2)
        order = self._lose_answer(when="before")
        self.sandbox.fault("status", status=500, path="details")
        order._recover()
        self.assertCountEqual(self._details(), strangers)

    def test_without_a_list_nothing_is_settled(self):
        for fault in (
            {"kind": "status", "status": 500},
            {"kind": "status", "status": 401},
            {"kind": "garbage"},
            {"kind": "limited", "retry_after": 1},
            {"kind": "drop"},
        ):
            with self.subTest(**fault), self.undone():
                order = self._lose_answer(when="before")
                self._age(order, 59)
                self.sandbox.fault(**fault, path="orders/status")
                self.assertIn(self.company, order._recover())
                asked = [("path", "like", "orders/status")]
                log = self.env["frontpay.exchange"].sudo().search(asked, limit=1)
                self.assertEqual(log.mapped("is_fine"), [False])
                self.assertEqual(
                    (order.state, order.needs_decision), ("unknown", False)
                )
                self._age(order, 1)
                self.sandbox.fault(**fault, path="orders/status")
                order._recover()
                self.assertEqual((order.state, order.needs_decision), ("unknown", True))
                self.assertIn("can't be updated", order.error)

    def test_an_empty_list_proves_nothing(self):
        order = self._lose_answer(when="before")
        self._age(order, 15)
        order._recover()
        self.assertTrue(order.needs_decision)
        self.assertIn("proves nothing", order.error)

    def test_another_environment_is_not_asked(self):
        order = self._lose_answer()
        order.base_url = "https://other.example.com/"
        requests = self.sandbox.requests()
        order._recover()
        self.assertEqual(self.sandbox.requests(), requests)
        self.assertTrue(order.needs_decision)
        self.assertIn("lead to another environment", order.error)

    def test_nor_is_it_asked_about_a_number_that_a_person_saw(self):
        order = self._lose_answer()
        [stored] = self.sandbox.orders()
        order.base_url = "https://other.example.com/"
        requests = self.sandbox.requests()
        with self.assertRaisesRegex(UserError, "lead to another environment"):
            order._link_manually(stored["orderUuid"])
        self.assertEqual(self.sandbox.requests(), requests)
        self.assertFalse(order.order_uuid)

    def test_what_another_company_has_read_is_read_all_the_same(self):
        remote_orders = self.env["frontpay.remote.order"].sudo()
        other = self.setup_other_company(name="Elvenett Prøve AS")["company"]
        url = self.company._frontpay_api_url()
        values = {"base_url": url, "order_uuid": "ODR1"}
        remote_orders.create(values | {"company_id": other.id})
        listed = {"ODR1": "SENT"}
        unknown = remote_orders._unknown_uuids(self.company, url, listed)
        self.assertEqual(unknown, ["ODR1"])
        self.assertFalse(remote_orders._unknown_uuids(other, url, listed))

    def test_a_dead_sender_is_told_from_a_living_one(self):
        order = self.order(self.move, "sending", order_uuid=False)
        with db_connect(self.env.cr.dbname).cursor() as sender:
            sender.execute(
                "SELECT pg_advisory_xact_lock(%s, %s)", [SENDER_LOCK, self.move.id]
            )
            order._recover()
            self.assertEqual(order.state, "sending")
            self.assertFalse(self.sandbox.requests())
        order._recover()
        self.assertEqual(order.state, "unknown")
        self.assertIn("no clear answer", order.error)
        self.assertEqual(self.sandbox.requests(), [LIST])

    def test_nobody_learns_from_our_records_whose_orders_they_are(self):
        self._strangers()
        self._lose_answer()._recover()
        self.env.flush_all()
        self.env.cr.execute("SELECT s::text FROM frontpay_remote_order s")
        stored = " ".join(row[0] for row in self.env.cr.fetchall())
        log = self.env["frontpay.exchange"].search([("path", "like", "details/")])
        self.assertEqual(len(log), 2)
        kept = f"{stored} {log.mapped('answer')}"
        for known in (
            *(self.private.email, self.private.name, "46567468"),
            *(self.private.frontpay_personal_number, self.corporate.company_registry),
        ):
            self.assertNotIn(known, kept)

    def test_the_cron_settles_what_it_finds(self):
        order = self._lose_answer()
        self.env["frontpay.order"].sudo()._cron_recover()
        self.assertEqual(order.state, "sent")

    def test_an_order_that_fails_here_keeps_no_other_waiting(self):
        broken = self._lose_answer()
        order = self._lose_answer(self.invoice(customer=self.corporate))
        record = type(broken)._record_found

        def fail_once(self, remote_order, status):
            if self == broken:
                raise KeyError("a fault of ours")
            return record(self, remote_order, status)

        with (
            patch.object(type(broken), "_record_found", fail_once),
            self.assertLogs("odoo.addons.frontpay_odoo", "ERROR"),
        ):
            (broken + order)._recover()
        self.assertEqual((broken.state, order.state), ("unknown", "invoiced"))
        broken._recover()
        self.assertEqual(broken.state, "sent")

    def test_a_company_that_cannot_be_asked_keeps_no_other_waiting(self):
        other = self.setup_other_company()["company"]
        other.write({"frontpay_environment": "custom", "frontpay_custom_url": False})
        stuck = self.init_invoice(
            "out_invoice", amounts=[100.0], post=True, company=other
        )
        unknown = self.order(stuck, "sending", order_uuid=False)
        unknown.state = "unknown"
        order = self._lose_answer()
        (unknown + order)._recover()
        self.assertEqual((unknown.state, order.state), ("unknown", "sent"))


@tagged("post_install", "-at_install", "frontpay")
class TestDecisions(RecoveryCase):
    """A person says what became of an invoice."""

    def setUp(self):
        super().setUp()
        self.order = self._lose_answer()
        [stored] = self.sandbox.orders()
        self.number = stored["orderUuid"]
        self.payload = stored["payload"]

    def _submit(self, **changes):
        """Somebody hands over an order like the invoice's.

        :return: its number
        """
        answer = requests.post(
            f"{self.sandbox.url}/api/v1/connect/orders/invoice/submit",
            json=self.payload | changes,
            headers={"Authorization": f"Bearer {API_TOKEN}"},
            timeout=10,
        )
        return answer.json()["data"]["orderId"]

    def _check_outcome(self, minutes=20):
        """Press Check Outcome, some time after the invoice went out.

        :return: the dialog
        """
        self._age(self.order, minutes)
        action = self.move.action_frontpay_resolve()
        self.assertEqual(action["res_model"], "frontpay.resolve")
        return self.env["frontpay.resolve"].browse(action["res_id"])

    def test_each_candidate_is_shown_with_what_is_known_of_it(self):
        other = self._submit()
        self.sandbox.act(other, "pay")
        dialog = self._check_outcome()
        self.assertIn("2 orders that may be this invoice", dialog.sentence)
        shown = {
            candidate.order_uuid: (
                candidate.status,
                candidate.amount,
                bool(candidate.ordered_at),
            )
            for candidate in dialog.candidate_ids
        }
        details = (self.move.amount_total, True)
        self.assertEqual(
            shown,
            {
                self.number: ("Waiting for Customer", *details),
                other: ("Paid", *details),
            },
        )

    def test_what_tells_equal_candidates_apart_is_shown(self):
        product = self.payload["products"][0] | {"name": "Antenna"}
        other = self._submit(products=[product])
        dialog = self._check_outcome()
        self.assertIn(self.order.reference, dialog.invoice_details)
        self.assertIn(self.private.name, dialog.invoice_details)
        mine, another = dialog.candidate_ids.sorted(
            lambda each: each.order_uuid == other
        )
        amount = self.order.currency_id.format(125)
        self.assertEqual(
            (mine.lines, another.lines), (f"Router: {amount}", f"Antenna: {amount}")
        )
        self.assertEqual(another.customer, self.private.name)
        self.assertEqual(another.reference, self.order.reference)

    def test_who_looks_for_it_elsewhere_is_told_what_to_look_for(self):
        self.go_away()
        dialog = self._check_outcome()
        self.assertFalse(dialog.candidate_ids)
        for known in (self.move.name, self.private.name, self.order.reference):
            self.assertIn(known, dialog.invoice_details)

    def test_a_candidates_customer_and_reference_are_told_as_far_as_known(self):
        Candidate = self.env["frontpay.resolve.candidate"].sudo()
        remote_orders = self.env["frontpay.remote.order"].sudo()
        own = next(iter(remote_orders._contact_digests(self.order)))
        for values, reference, customer in (
            ({"contacts": own}, "", self.private.name),
            ({"contacts": "another"}, "", f"Not {self.private.name}"),
            ({"references": "INV/1\nINV/2"}, "INV/1, INV/2", ""),
        ):
            with self.subTest(values):
                shown = Candidate._values(self.order, remote_orders.new(values))
                self.assertEqual(shown["reference"], reference)
                self.assertEqual(shown["customer"], customer)

    def test_one_of_the_candidates_is_taken(self):
        other = self._submit()
        candidates = self._check_outcome().candidate_ids
        self.sandbox.act(other, "confirm")
        candidates.filtered(lambda line: line.order_uuid == other).action_link()
        self.assertEqual(self.move.frontpay_state, "invoiced")
        self.assertEqual(self.move.frontpay_order_uuid, other)
        self.assertFalse(self.order.needs_decision)
        self.assertFalse(self.move.activity_ids)
        self.assertIn(
            f"{self.env.user.name} said that this invoice is Front Payment's order"
            f" {other}",
            self._chatter(),
        )

    def test_a_candidate_is_taken_while_front_payment_is_down(self):
        self._submit()
        dialog = self._check_outcome()
        self.go_away()
        dialog.candidate_ids[0].action_link()
        self.assertEqual(self.move.frontpay_state, "sent")
        self.assertTrue(self.order.next_poll_at)

    def test_a_candidate_that_is_gone_is_not_taken(self):
        self._submit()
        dialog = self._check_outcome()
        self.sandbox.control("DELETE", "orders")
        with self.assertRaisesRegex(UserError, "doesn't know order"):
            dialog.candidate_ids[0].action_link()

    def test_a_number_that_a_person_saw_is_looked_up(self):
        self.sandbox.fault("status", status=404, path="orders/status")
        dialog = self._check_outcome(minutes=1)
        self.assertFalse(dialog.candidate_ids)
        dialog.order_uuid = f" {self.number.lower()} "
        dialog.action_check_and_link()
        self.assertEqual(self.move.frontpay_order_uuid, self.number)
        self.assertEqual(self.move.frontpay_state, "sent")

    def test_a_number_that_cannot_be_the_invoices_is_not_taken(self):
        mine = self.invoice()
        mine.action_frontpay_send()
        summary = {"subTotal": "8.00", "totalTax": "2.00", "totalDiscount": "0.00"}
        products = [self.payload["products"][0] | {"rate": 10, "amount": 10}]
        small = self._submit(
            products=products, orderSummary=summary | {"grandTotal": "10.00"}
        )
        for number, reason in (
            ("", "Type the order's number"),
            ("ODR 1", "Type the order's number"),
            ("ODR1", "doesn't know order ODR1"),
            (self._submit(referenceNo="SHOP-1"), "carries the reference SHOP-1"),
            (small, "but this invoice to"),
            (mine.frontpay_order_uuid, f"belongs to {mine.name}"),
        ):
            with self.subTest(number):
                self.sandbox.fault("status", status=404, path="orders/status")
                dialog = self._check_outcome(minutes=0)
                dialog.order_uuid = number
                with self.assertRaisesRegex(UserError, reason), self.undone():
                    dialog.action_check_and_link()
                self.assertEqual(self.order.state, "unknown")

    def test_a_number_is_not_believed_while_nobody_can_tell(self):
        self.go_away()
        dialog = self._check_outcome()
        self.assertIn("Nobody answers", dialog.sentence)
        dialog.order_uuid = self.number
        with self.assertRaisesRegex(UserError, "doesn't tell what order"):
            dialog.action_check_and_link()

    def test_front_payment_does_not_have_it(self):
        """Says somebody whom its support told so, also while it can't be asked."""
        self.go_away()
        dialog = self._check_outcome(minutes=15)
        self.assertTrue(dialog.may_be_absent)
        dialog.action_not_received()
        self.assertEqual(self.move.frontpay_state, "failed")
        self.assertTrue(self.move.frontpay_can_send)
        self.assertFalse(self.move.activity_ids)
        self.assertIn(
            f"{self.env.user.name} said that Front Payment doesn't have this invoice",
            self._chatter(),
        )

    def test_nobody_can_say_so_while_it_may_still_appear(self):
        self.sandbox.fault("status", status=404, path="orders/status")
        dialog = self._check_outcome(minutes=10)
        self.assertFalse(dialog.may_be_absent)
        self.assertIn("may still appear", dialog.sentence)
        with self.assertRaisesRegex(UserError, "may still appear"):
            dialog.action_not_received()
        self.assertEqual(self.order.state, "unknown")

    def test_an_answer_after_a_callback_changes_nothing(self):
        self._submit()
        dialog = self._check_outcome()
        self.order.order_uuid = self.number
        self.order._apply_status("PAID")
        for answer in (dialog.action_not_received, dialog.candidate_ids[1].action_link):
            self.assertIn("Paid", answer()["params"]["message"])
            self.assertEqual(self.move.frontpay_order_uuid, self.number)
            self.assertEqual(self.move.frontpay_state, "paid")

    def test_a_callback_that_comes_while_the_number_is_looked_up_counts(self):
        other = self._submit()
        candidates = self._check_outcome().candidate_ids
        candidate = candidates.filtered(lambda each: each.order_uuid == other)

        def called_back(_client, order_uuid):
            self.order._assign_order_uuid(order_uuid)
            self.order._apply_status("PAID")
            return OrderStatus("SENT")

        with patch.object(Client, "status", called_back):
            told = candidate.action_link()["params"]["message"]
        self.assertIn("Paid", told)
        self.assertNotIn("said that this invoice is", self._chatter())

    def test_an_answer_waits_for_whoever_has_the_invoice(self):
        self.go_away()
        dialog = self._check_outcome()
        with db_connect(self.env.cr.dbname).cursor() as other:
            other.execute(
                "SELECT pg_advisory_xact_lock(%s, %s)", [SENDER_LOCK, self.move.id]
            )
            with self.assertRaisesRegex(UserError, "by somebody else"):
                dialog.action_not_received()
        self.assertEqual(self.order.state, "unknown")

    def test_only_who_may_send_may_answer(self):
        self._submit()
        dialog = self._check_outcome()
        user = new_test_user(
            self.env, "reader", groups="account.group_account_readonly"
        )
        user.write({"company_ids": self.company.ids, "company_id": self.company.id})
        for step in (
            self.move.with_user(user).action_frontpay_resolve,
            dialog.with_user(user).action_not_received,
            dialog.candidate_ids[0].with_user(user).action_link,
        ):
            with self.subTest(step.__name__), self.assertRaises(AccessError):
                step()
        self.assertEqual(self.order.state, "unknown")

    def test_several_invoices_are_found_out_about_at_once(self):
        other = self.invoice(customer=self.corporate)
        self._lose_answer(other)
        params = (self.move + other).action_frontpay_resolve()["params"]
        self.assertEqual(params["type"], "success")
        for move, state in ((self.move, "Waiting for Customer"), (other, "Invoiced")):
            self.assertIn(f"{move.display_name}: {state}", params["message"])

    def test_several_invoices_that_nobody_can_be_asked_about(self):
        other = self.invoice(customer=self.corporate)
        self._lose_answer(other)
        self.go_away()
        params = (self.move + other).action_frontpay_resolve()["params"]
        self.assertEqual(params["type"], "warning")
        self.assertIn("Nobody answers", params["message"])
        self.assertEqual(params["message"].count("Outcome Unknown"), 2)
