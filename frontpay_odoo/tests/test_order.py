from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2.errors import ForeignKeyViolation, UniqueViolation

from odoo import Command, fields
from odoo.exceptions import RedirectWarning, UserError
from odoo.sql_db import db_connect
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.frontpay_odoo.connect import callback, errors
from odoo.addons.frontpay_odoo.connect.client import Client
from odoo.addons.frontpay_odoo.connect.responses import SubmittedOrder
from odoo.addons.frontpay_odoo.tools.transaction import SENDER_LOCK

from .common import (
    API_TOKEN,
    PERSONAL_NUMBER,
    FrontpayCommon,
    SandboxCase,
    callback_pairs,
)

STATUSES = (
    "SENT",
    "INVOICED",
    "Purring",
    "Inkasso",
    "PAID",
    "PARTIAL REFUNDED",
    "REFUNDED",
    "CANCELLED",
    "EXPIRED",
    "success",
)
# Where an order in a state goes when Front Payment reports one of the statuses: the
# state by its first letters, or a dot where it stays what it is.
MOVES = """
    queued              sent inv rem col paid part ref can exp .
    sending             sent inv rem col paid part ref can exp .
    unknown             sent inv rem col paid part ref can exp .
    failed              sent inv rem col paid part ref can exp .
    sent                .    inv rem col paid part ref can exp .
    invoiced            .    .   rem col paid part ref can exp .
    reminded            .    .   .   col paid part ref can exp .
    collection          .    .   .   .   paid part ref can exp .
    paid                .    .   .   .   .    part ref .   .   .
    partially_refunded  .    .   .   .   .    .    ref .   .   .
    refunded            .    .   .   .   .    .    .   .   .   .
    cancelled           .    .   .   .   .    .    .   .   .   .
    expired             .    .   .   .   .    .    .   .   .   .
"""
REFUSALS = (UserError, RedirectWarning)
ENDED = ("failed", "cancelled", "expired")
SUBMIT = "POST connect/orders/invoice/submit"


@tagged("post_install", "-at_install", "frontpay")
class TestStateMachine(FrontpayCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.move = cls.invoice()
        cls.states = cls.env["frontpay.order"]._fields["state"].get_values(cls.env)

    def _moves(self):
        """(state, status, state afterwards) of each field of the table."""
        for row in MOVES.strip().splitlines():
            state, *targets = row.split()
            for status, target in zip(STATUSES, targets, strict=True):
                names = [name for name in self.states if name.startswith(target)]
                yield state, status, names[0] if target != "." else state

    def test_each_status_in_each_state(self):
        self.assertEqual({state for state, *_rest in self._moves()}, set(self.states))
        order = self.order(self.move)
        for state, status, target in self._moves():
            with self.subTest(state=state, status=status), self.undone():
                order.state = state
                self.assertEqual(order._apply_status(status), state != target)
                self.assertEqual(order.state, target)
                self.assertEqual(self.move.frontpay_state, target)

    def test_a_payment_reported_for_an_ended_order_is_told_once(self):
        for state in ("cancelled", "expired"):
            with self.subTest(state), self.undone():
                self.assertToldOnce(self.order(self.move, state), "PAID", "Paid")
                self.assertEqual(self.move.payment_state, "not_paid")

    def test_its_amounts_are_in_the_invoices_currency(self):
        euro = self.setup_other_currency("EUR")
        order = self.order(self.invoice(currency_id=euro.id))
        self.assertEqual(order.currency_id, euro)

    def test_that_an_ended_order_was_sent_once_is_no_news(self):
        for state in ("cancelled", "expired"):
            with self.subTest(state), self.undone():
                order = self.order(self.move, state)
                order._apply_status("SENT")
                self.assertEqual((order.state, order.error), (state, False))

    def test_an_order_that_reappears_after_its_invoice_was_sent_anew_is_told(self):
        for status, label in (
            ("SENT", "Waiting for Customer"),
            ("INVOICED", "Invoiced"),
        ):
            with self.subTest(status), self.undone():
                lost = self.order(self.move, "failed", token="first")
                self.order(self.move, order_uuid="ODR2")
                self.assertToldOnce(lost, status, label)
                self.assertEqual(self.move.frontpay_state, "sent")

    def test_an_order_that_reappears_is_the_invoices_order(self):
        lost = self.order(self.move, "failed", token="first")
        self.order(self.move, "failed", order_uuid=False)
        self.assertTrue(self.move.frontpay_can_send)
        lost._apply_status("SENT")
        self.assertEqual(self.move.frontpay_order_id, lost)
        self.assertEqual(self.move.frontpay_state, "sent")
        self.assertFalse(self.move.frontpay_can_send)
        self.assertFalse(lost.closed_at)

    def test_an_order_that_front_payment_never_knew_stays_failed(self):
        order = self.order(self.move, "failed", order_uuid=False)
        self.assertFalse(order._apply_status("SENT"))

    def assertToldOnce(self, order, status, label):
        state = order.state
        order._apply_status(status)
        order._apply_status(status)
        self.assertEqual(order.state, state)
        self.assertIn(f"reports “{label}” for order ODR1", order.error)
        told = self.move.message_ids.filtered(
            lambda message: f"reports “{label}”" in message.body
        )
        self.assertEqual(len(told), 1)

    def test_an_invoice_has_one_order_that_lives(self):
        for state in self.states:
            with self.subTest(state), self.undone():
                second = {"token": "second", "order_uuid": "ODR2"}
                self.order(self.move, state, token="first")
                if state in ENDED:
                    self.order(self.move, **second)
                    continue
                with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
                    self.order(self.move, **second)

    def test_a_number_belongs_to_one_order_of_a_company_and_environment(self):
        self.order(self.move)
        second = self.invoice()
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
            self.order(second, token="second")
        self.order(second, token="second", base_url="https://other.example.com/")

    def test_another_companys_number_keeps_nobody_from_having_it(self):
        other = self.setup_other_company(name="Elvenett Prøve AS")["company"]
        theirs = self.order(self.move)
        theirs.company_id = other
        own = self.order(self.invoice(), "sending", order_uuid=False, token="own")
        self.assertEqual(theirs.base_url, own.base_url)
        self.assertTrue(own._assign_order_uuid(theirs.order_uuid))

    def test_a_token_belongs_to_one_order(self):
        self.order(self.move)
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
            self.order(self.invoice(), order_uuid="ODR2")

    def test_the_invoice_shows_its_newest_order(self):
        self.order(self.move, "failed", token="first", error="Refused")
        second = self.order(self.move, "paid", token="second", order_uuid="ODR2")
        self.assertEqual(self.move.frontpay_order_id, second)
        self.assertEqual(self.move.frontpay_state, "paid")
        self.assertFalse(self.move.frontpay_error)

    def test_an_invoice_goes_back_to_draft_only_while_nobody_claims_it(self):
        for state in self.states:
            with self.subTest(state), self.undone():
                self.order(self.move, state)
                self.assertEqual(self.move.show_reset_to_draft_button, state in ENDED)
                if state in ENDED:
                    self.move.button_draft()
                    self.assertEqual(self.move.state, "draft")
                    continue
                # Only what waits for its customer can be cancelled from here.
                refusal = RedirectWarning if state == "sent" else UserError
                with self.assertRaisesRegex(refusal, "handed to Front Payment"):
                    self.move.button_draft()

    def test_whoever_may_not_reset_it_is_told_the_way(self):
        for state, is_changing, sentence in (
            ("sent", False, "“Change” resets it, to be sent as an update"),
            ("invoiced", True, "“Change” resets it, to be made what it was"),
            ("invoiced", False, "make a credit note"),
            ("paid", False, "make a credit note"),
        ):
            with self.subTest(state, is_changing=is_changing), self.undone():
                self.order(self.move, state, is_changing=is_changing)
                with self.assertRaisesRegex(REFUSALS, sentence):
                    self.move.button_draft()

    def test_an_order_that_front_payment_knows_stays(self):
        for state in self.states:
            with self.subTest(state), self.undone():
                order = self.order(self.move, state, sending_at=fields.Datetime.now())
                with self.assertRaisesRegex(UserError, "can't be deleted"):
                    order.unlink()

    def test_an_order_that_never_went_out_goes_with_its_invoice(self):
        for state in ("queued", "failed"):
            with self.subTest(state), self.undone():
                order = self.order(self.move, state)
                order.state = "failed"
                self.move.button_draft()
                order.state = state
                self.move.unlink()
                self.assertFalse(order.exists())

    def test_an_invoice_that_went_out_stays_with_order_and_log(self):
        exchange = self.env["frontpay.exchange"].sudo()
        for state in ENDED:
            with self.subTest(state), self.undone():
                order = self.order(self.move, state, sending_at=fields.Datetime.now())
                values = {"order_id": order.id, "company_id": self.company.id}
                log = exchange.create(values | {"direction": "out", "path": "x"})
                self.move.button_draft()
                for move in (self.move, self.move.with_context(force_delete=True)):
                    with self.assertRaisesRegex(UserError, "can't be deleted"):
                        move.unlink()
                for record in (order, self.move):
                    with (
                        mute_logger("odoo.sql_db"),
                        self.assertRaises(ForeignKeyViolation),
                        self.env.cr.savepoint(),
                    ):
                        self.env.cr.execute(
                            SQL(
                                "DELETE FROM %s WHERE id = %s",
                                SQL.identifier(record._table),
                                record.id,
                            )
                        )
                self.assertTrue(log.exists())

    def test_no_state_is_written_past_an_open_order(self):
        for state in self.states:
            for written in ("draft", "cancel"):
                with self.subTest(state, written=written), self.undone():
                    self.order(self.move, state)
                    if state in ENDED:
                        self.move.write({"state": written})
                        continue
                    with self.assertRaisesRegex(REFUSALS, "handed to Front Payment"):
                        self.move.write({"state": written})

    def test_a_copied_invoice_was_not_sent(self):
        self.order(self.move)
        copy = self.move.copy()
        self.assertFalse(copy.frontpay_state)
        self.assertFalse(copy.frontpay_order_ids)

    def test_a_callback_may_come_before_the_answer(self):
        order = self.order(self.move, "sending", order_uuid=False)
        order._assign_order_uuid("ODR1")
        order._apply_status("INVOICED")
        self.assertEqual((order.state, order.order_uuid), ("invoiced", "ODR1"))
        order._record_submitted(SubmittedOrder("ODR1", "CSRT1", "https://bank.id/"))
        self.assertEqual((order.state, order.customer_uuid), ("invoiced", "CSRT1"))
        self.assertFalse(order.verification_url)

    def test_an_answer_that_comes_after_a_payment_wipes_no_error(self):
        self.company.frontpay_journal_id = False
        order = self.order(self.move, "sending", order_uuid=False)
        order._assign_order_uuid("ODR1")
        order._apply_status("PAID")
        order._record_submitted(SubmittedOrder("ODR1", "CSRT1", ""))
        self.assertIn("couldn't be registered", order.error)

    def test_a_callback_outweighs_a_lost_answer(self):
        order = self.order(self.move, "sending", order_uuid=False)
        order._assign_order_uuid("ODR1")
        order._apply_status("INVOICED")
        order._record_failure(errors.UnknownOutcome("ReadTimeout"))
        self.assertEqual((order.state, order.error), ("invoiced", False))


@tagged("post_install", "-at_install", "frontpay")
class TestSending(SandboxCase):
    def setUp(self):
        super().setUp()
        self.move = self.invoice()

    def _send(self, moves=None):
        """Click the button, and return the kind and text of the notification."""
        params = (moves or self.move).action_frontpay_send()["params"]
        return params["type"], params["message"]

    def _chatter(self):
        return "\n".join(self.move.message_ids.mapped("body"))

    def assertCanBeSentAgain(self, before=("failed",)):
        self.come_back()
        self.company.frontpay_api_token = API_TOKEN
        self.company.frontpay_custom_url = f"{self.sandbox.url}/api/v1/"
        self.assertTrue(self.move.frontpay_can_send)
        self.assertEqual(self._send()[0], "success")
        self.assertEqual(
            self.move.frontpay_order_ids.sorted("id").mapped("state"),
            [*before, "sent"],
        )

    def assertWaitsForItsNextTry(self):
        [order] = self.move.frontpay_order_ids
        self.assertEqual((order.state, order.tries), ("queued", 1))
        self.assertGreater(order.retry_at, fields.Datetime.now())
        self.assertIn("sent again automatically", order.error)
        self.assertCanBeSentAgain(before=())

    def test_a_private_customers_invoice_waits_for_bank_id(self):
        self.assertEqual(self._send()[0], "success")
        [stored] = self.sandbox.orders()
        self.assertEqual(self.move.frontpay_state, "sent")
        self.assertEqual(self.move.frontpay_order_uuid, stored["orderUuid"])
        self.assertEqual(self.move.frontpay_customer_uuid, stored["customerUuid"])
        self.assertEqual(self.move.frontpay_verification_url, stored["bankIdUrl"])
        self.assertTrue(self.move.frontpay_sent_at)
        self.assertFalse(self.move.frontpay_error)
        self.assertEqual(self.sandbox.requests(), [SUBMIT])
        self.assertIn(stored["orderUuid"], self._chatter())

    def test_a_companys_invoice_is_invoiced_at_once(self):
        self.move = self.invoice(customer=self.corporate)
        self._send()
        self.assertEqual(self.move.frontpay_state, "invoiced")
        self.assertFalse(self.move.frontpay_verification_url)
        self.assertEqual(
            self.sandbox.requests(),
            [SUBMIT, f"GET connect/orders/status/{self.move.frontpay_order_uuid}"],
        )

    def test_a_companys_invoice_is_sent_even_if_its_status_cannot_be_asked(self):
        self.move = self.invoice(customer=self.corporate)
        self.sandbox.fault("drop", path="status")
        self.assertEqual(self._send()[0], "success")
        self.assertEqual(self.move.frontpay_state, "sent")

    def test_what_cannot_be_noted_on_the_invoice_keeps_the_order(self):
        """Another addon's fault, after Front Payment took the invoice."""
        orders = type(self.env["frontpay.order"])
        with (
            patch.object(orders, "_log_submission", side_effect=ValueError),
            mute_logger("odoo.addons.frontpay_odoo.models.frontpay_order_submission"),
        ):
            self.move.action_frontpay_send()
        [order] = self.sandbox.orders()
        self.assertEqual(self.move.frontpay_order_uuid, order["orderUuid"])
        self.assertEqual(self.move.frontpay_state, "sent")
        self.assertFalse(self.move.frontpay_error)

    def test_the_customers_number_is_kept(self):
        self._send()
        [stored] = self.sandbox.orders()
        self.assertEqual(self.private.frontpay_customer_uuid, stored["customerUuid"])

    def test_the_customers_number_is_kept_with_the_invoices_company(self):
        """Whichever company the sender works in."""
        other = self.setup_other_company(name="Elvenett Prøve AS")["company"]
        companies = (other + self.company).ids  # the first is the one worked in
        self._send(self.move.with_context(allowed_company_ids=companies))
        [stored] = self.sandbox.orders()
        for company, number in ((self.company, stored["customerUuid"]), (other, False)):
            customer = self.private.with_company(company)
            self.assertEqual(customer.frontpay_customer_uuid, number)

    def test_front_payment_gets_the_orders_own_addresses(self):
        self._send()
        [stored] = self.sandbox.orders()
        token = self.move.frontpay_order_id.sudo().token
        self.assertGreaterEqual(len(token), 32)
        self.assertEqual(
            stored["payload"]["callback"],
            {
                "callbackUrl": f"https://odoo.example.com/frontpay/callback/{token}",
                "success": f"https://odoo.example.com/frontpay/return/{token}/success",
                "failure": f"https://odoo.example.com/frontpay/return/{token}/failure",
            },
        )

    def test_what_is_logged_holds_no_secret(self):
        self._send()
        order = self.move.frontpay_order_id
        [exchange] = order.exchange_ids
        self.assertEqual(
            (exchange.direction, exchange.method, exchange.http_status),
            ("out", "POST", 201),
        )
        kept = "\n".join(
            (exchange.path, exchange.request, exchange.answer, self._chatter())
        )
        self.assertIn(self.private.name, kept)
        for secret in (PERSONAL_NUMBER, API_TOKEN, order.sudo().token, "state="):
            self.assertNotIn(secret, kept)

    def test_a_refused_invoice_is_told_in_odoos_words_and_can_be_repaired(self):
        self.company.frontpay_tax_rates = "0,12,15,20,25"
        tax_20 = self.env["account.tax"].create({"name": "20 %", "amount": 20})
        self.move = self.invoice(
            self.line(), self.line(tax_ids=[Command.set(tax_20.ids)])
        )
        kind, message = self._send()
        self.assertEqual(kind, "danger")
        sentence = "“Taxes” of line 2 has a value that isn't accepted."
        self.assertIn(sentence, message)
        self.assertEqual(self.move.frontpay_state, "failed")
        self.assertIn(sentence, self.move.frontpay_error)
        self.assertIn(sentence, self._chatter())
        robot = self.env.ref("base.partner_root")
        self.assertEqual(self.move.message_ids[0].author_id, robot)
        self.assertFalse(self.sandbox.orders())
        self.move.button_draft()
        self.move.invoice_line_ids[1].tax_ids = self.tax(25)
        self.move.action_post()
        self.assertCanBeSentAgain()

    def test_a_token_that_is_not_accepted(self):
        self.company.frontpay_api_token = "another"
        kind, message = self._send()
        self.assertEqual(kind, "danger")
        self.assertIn("doesn't accept the token", message)
        self.assertEqual(self.move.frontpay_state, "failed")
        self.assertFalse(self.sandbox.orders())
        self.assertCanBeSentAgain()

    def test_one_invoices_failure_stays_on_its_form_alone(self):
        self.company.frontpay_api_token = "another"
        told = self.move.action_frontpay_send()["params"]
        self.assertEqual((told["type"], told["sticky"]), ("danger", False))
        self.assertIn("doesn't accept the token", self.move.frontpay_error)

    def test_nobody_listens(self):
        self.go_away()
        kind, message = self._send()
        self.assertEqual(kind, "warning")
        self.assertIn("can't be reached", message)
        self.assertWaitsForItsNextTry()

    def test_what_is_sent_again_by_itself_is_a_warning_that_goes_away(self):
        broken = self.invoice(customer=self._customer("Nobody", email=False))
        for moves, kind, stays in (
            (self.invoice(), "warning", False),
            (self.invoice() + broken, "danger", True),
        ):
            with self.subTest(kind), self.undone():
                self.go_away()
                told = moves.action_frontpay_send()["params"]
                self.assertEqual((told["type"], told["sticky"]), (kind, stays))
                self.come_back()

    def test_another_server_answers(self):
        self.company.frontpay_custom_url = f"{self.sandbox.url}/elsewhere/"
        _kind, message = self._send()
        self.assertIn("isn't Front Payment", message)
        self.assertCanBeSentAgain()

    def test_too_many_calls(self):
        self.sandbox.fault("limited", retry_after=30)
        _kind, message = self._send()
        self.assertIn("Too many calls to Front Payment", message)
        self.assertWaitsForItsNextTry()

    def test_an_unknown_outcome_is_not_sent_again(self):
        for fault, stored in (
            ({"kind": "drop", "when": "after"}, 1),
            ({"kind": "drop", "when": "before"}, 0),
            ({"kind": "garbage", "when": "after"}, 1),
            ({"kind": "status", "status": 500}, 0),
            ({"kind": "status", "status": 510, "when": "after"}, 1),
            ({"kind": "status", "status": 503}, 0),
        ):
            with self.subTest(**fault), self.undone():
                self.sandbox.fault(**fault)
                kind, message = self._send()
                self.assertEqual(kind, "danger")
                self.assertIn("no clear answer", message)
                self.assertEqual(self.move.frontpay_state, "unknown")
                self.assertFalse(self.move.frontpay_can_send)
                with self.assertRaisesRegex(UserError, "Check its outcome first"):
                    self.move.action_frontpay_send()
                self.assertEqual(len(self.sandbox.orders()), stored)
                self.sandbox.control("DELETE", "orders")

    def test_a_number_that_another_order_has_leaves_the_outcome_open(self):
        other = self.invoice()
        self._send(other)
        answer = SubmittedOrder(other.frontpay_order_uuid, "CSRT1", "")
        with patch.object(Client, "submit", return_value=answer):
            kind, message = self._send()
        self.assertEqual(kind, "danger")
        sentence = f"{answer.order_uuid}, which belongs to {other.name}"
        self.assertIn(sentence, message)
        self.assertEqual(self.move.frontpay_state, "unknown")
        self.assertFalse(self.move.frontpay_order_uuid)
        self.assertNotIn("Handed to Front Payment", self._chatter())
        self.assertIn(sentence, self.move.activity_ids.note)
        order = self.move.sudo().frontpay_order_id
        self.assertTrue(order.sent_at)
        self.assertTrue(order.needs_decision)
        self.sandbox.act(answer.order_uuid, "pay")
        (self.move + other).action_frontpay_refresh()
        self.assertEqual(other.frontpay_state, "paid")
        self.assertEqual(self.move.payment_state, "not_paid")

    def test_another_number_than_the_one_that_was_called_back_is_told(self):
        submit = Client.submit

        def called_back(client, *arguments):
            answer = submit(client, *arguments)
            self.move.sudo().frontpay_order_id._assign_order_uuid("ODR1")
            return answer

        with patch.object(Client, "submit", called_back):
            kind, _message = self._send()
        [stored] = self.sandbox.orders()
        self.assertEqual(kind, "danger")
        self.assertEqual(self.move.frontpay_order_uuid, "ODR1")
        self.assertFalse(self.move.frontpay_verification_url)
        self.assertNotIn("Handed to Front Payment", self._chatter())
        for number in ("ODR1", stored["orderUuid"]):
            self.assertIn(number, self.move.frontpay_error)
            self.assertIn(number, self.move.activity_ids.note)

    def test_a_callback_settles_an_unknown_outcome(self):
        self.sandbox.fault("drop", when="after")
        self._send()
        [stored] = self.sandbox.orders()
        self.sandbox.act(stored["orderUuid"], "confirm")
        order = self.move.frontpay_order_id.sudo()
        pairs = callback_pairs(orderUuid=stored["orderUuid"], status="INVOICED")
        self.env["frontpay.callback"].sudo()._receive(order, callback.parse(pairs))
        order._cron_poll()
        self.assertEqual(self.move.frontpay_state, "invoiced")
        self.assertEqual(self.move.frontpay_order_uuid, stored["orderUuid"])
        self.assertFalse(self.move.frontpay_error)

    def test_a_callback_that_says_no_more_than_sent_settles_it_as_well(self):
        self.sandbox.fault("drop", when="after")
        self._send()
        [stored] = self.sandbox.orders()
        self.assertTrue(self.move.frontpay_error)
        pairs = callback_pairs(orderUuid=stored["orderUuid"], status="SENT")
        order = self.move.frontpay_order_id.sudo()
        self.env["frontpay.callback"].sudo()._receive(order, callback.parse(pairs))
        order._cron_poll()
        self.assertEqual(self.move.frontpay_state, "sent")
        self.assertFalse(self.move.frontpay_error)

    def test_one_refused_invoice_keeps_no_other_from_being_sent(self):
        moves = self.move + self.invoice() + self.invoice(customer=self.corporate)
        self.sandbox.fault("status", status=417)
        kind, message = self._send(moves)
        self.assertEqual(moves.mapped("frontpay_state"), ["failed", "sent", "invoiced"])
        self.assertEqual(kind, "danger")
        self.assertIn("2 invoices handed to Front Payment", message)
        self.assertIn(f"{moves[0].name}: Front Payment rejected", message)

    def test_what_cannot_be_sent_is_told_and_the_rest_is_sent(self):
        sent = self.invoice()
        self._send(sent)
        draft = self.invoice(post=False)
        kind, message = self._send(self.move + sent + draft)
        self.assertEqual(self.move.frontpay_state, "sent")
        self.assertEqual(len(sent.frontpay_order_ids), 1)
        self.assertEqual(kind, "danger")
        self.assertIn("1 invoice handed to Front Payment", message)
        self.assertIn(f"{sent.name} hasn't changed since", message)
        self.assertIn("isn't posted yet", message)
        self.assertEqual(self.sandbox.requests(), [SUBMIT] * 2)

    def test_what_somebody_else_has_is_told_and_the_rest_is_sent(self):
        other = self.invoice()
        with db_connect(self.env.cr.dbname).cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s, %s)", [SENDER_LOCK, self.move.id]
            )
            kind, message = self._send(self.move + other)
        self.assertFalse(self.move.frontpay_state)
        self.assertEqual(other.frontpay_state, "sent")
        self.assertEqual(kind, "danger")
        self.assertIn(f"{self.move.name} is just being handled", message)

    def test_polling_brings_the_state_and_the_invoices_number(self):
        self._send()
        uuid = self.move.frontpay_order_uuid
        self.sandbox.act(uuid, "confirm")
        self.assertEqual(self.move.frontpay_state, "sent")
        self.move.action_frontpay_refresh()
        [stored] = self.sandbox.orders()
        self.assertEqual(self.move.frontpay_state, "invoiced")
        self.assertEqual(self.move.frontpay_invoice_number, stored["invoiceNumber"])
        self.assertFalse(self.move.frontpay_verification_url)
        for action, state in (("remind", "reminded"), ("pay", "paid")):
            self.sandbox.act(uuid, action)
            self.move.action_frontpay_refresh()
            self.assertEqual(self.move.frontpay_state, state)
        self.sandbox.act(uuid, "refund")
        self.move.action_frontpay_refresh()
        self.assertEqual(self.move.frontpay_state, "refunded")
        self.assertEqual(self.move.frontpay_refunded_amount, self.move.amount_total)

    def test_polling_in_vain_changes_nothing(self):
        self._send()
        self.sandbox.act(self.move.frontpay_order_uuid, "pay")
        self.sandbox.fault("drop")
        params = self.move.action_frontpay_refresh()["params"]
        self.assertEqual(params["type"], "danger")
        self.assertEqual(self.move.frontpay_state, "sent")

    def test_nobody_who_is_not_signed_keeps_an_invoice_from_being_sent_anew(self):
        self._send()
        order = self.move.frontpay_order_id.sudo()
        self.sandbox.act(order.order_uuid, "cancel")
        self.move.action_frontpay_refresh()
        pairs = callback_pairs("another", orderUuid=order.order_uuid)
        received = callback.parse(pairs)
        inbox = self.env["frontpay.callback"].sudo()
        self.assertTrue(inbox._receive(order, received)[2])
        self.assertEqual(self._send()[0], "success")

    def test_an_order_that_ended_makes_room_for_another(self):
        for action, state in (("cancel", "cancelled"), ("expire", "expired")):
            with self.subTest(state), self.undone():
                self._send()
                self.sandbox.act(self.move.frontpay_order_uuid, action)
                self.move.action_frontpay_refresh()
                self.assertEqual(self.move.frontpay_state, state)
                self.assertTrue(self.move.frontpay_can_send)
                self.assertEqual(self._send()[0], "success")
                self.assertEqual(self.move.frontpay_state, "sent")
                self.assertEqual(len(self.move.frontpay_order_ids), 2)


@tagged("post_install", "-at_install", "frontpay")
class TestUpdating(SandboxCase):
    """An invoice that is sent again while its customer hasn't confirmed."""

    def setUp(self):
        super().setUp()
        self.move = self.invoice(ref="3500")
        self.move.action_frontpay_send()
        self.order = self.move.sudo().frontpay_order_id

    def _send(self):
        params = self.move.action_frontpay_send()["params"]
        return params["type"], params["message"]

    def test_an_unchanged_invoice_is_not_sent_again(self):
        self.assertFalse(self.move.frontpay_can_update)
        self.assertNotIn("frontpay_update", self.move._get_alerts())
        with self.assertRaisesRegex(UserError, "hasn't changed since"):
            self.move.action_frontpay_send()
        later = fields.Datetime.now() + timedelta(days=3)
        with (
            freeze_time(later),
            self.assertRaisesRegex(UserError, "hasn't changed since"),
        ):
            self.move.action_frontpay_send()
        self.assertEqual(len(self.sandbox.requests()), 1)

    def test_a_changed_invoice_changes_its_order(self):
        changes = (
            ("reference", lambda: self.move.write({"ref": "3501"})),
            ("address", lambda: self.private.write({"street": "Ny vei 1"})),
            (
                "due date",
                lambda: self.move.write(
                    {"invoice_date_due": fields.Date.today() + timedelta(days=40)}
                ),
            ),
        )
        for name, change in changes:
            with self.subTest(name):
                change()
                updated = ("success", "1 order updated at Front Payment.")
                self.assertEqual(self._send(), updated)
                self.assertEqual(self.move.frontpay_order_ids, self.order)
                self.assertEqual(self.order.state, "sent")
                (stored,) = self.sandbox.orders()
                self.assertEqual(stored["orderUuid"], self.order.order_uuid)
                payload = stored["payload"]
                self.assertEqual(payload["fpgoUuid"], self.order.order_uuid)
                self.assertEqual(payload["orderFrom"], "PARTNER")
                self.assertEqual(payload["customerReference"], self.move.ref)
                callback_url = payload["callback"]["callbackUrl"]
                self.assertTrue(callback_url.endswith(f"/{self.order.token}"))
                with self.assertRaisesRegex(UserError, "hasn't changed since"):
                    self.move.action_frontpay_send()

    def test_an_update_goes_the_way_that_its_order_went(self):
        self.private.frontpay_channel = "invoice"
        self.move.ref = "3501"
        self._send()
        self.assertEqual(self.sandbox.requests(), [SUBMIT, SUBMIT])
        self.assertEqual(len(self.sandbox.orders()), 1)

    def test_what_was_changed_is_told_with_the_button_that_sends_it(self):
        due, customer = fields.Date.to_date("2026-12-24"), self.move.partner_id
        changes = {
            "references": lambda: self.move.write({"ref": "3501"}),
            "references, due date": lambda: self.move.write({"invoice_date_due": due}),
            "customer, references, due date": lambda: customer.write({"zip": "0150"}),
        }
        for told, change in changes.items():
            with self.subTest(told):
                change()
                self.env.invalidate_all()
                alert = self.move._get_alerts()["frontpay_update"]
                sentence = f"Changed since Front Payment got it: {told}."
                self.assertEqual(alert["message"], sentence)
                self.assertEqual(alert["action_text"], "Update at Front Payment")
                self.assertTrue(self.move.frontpay_can_update)
        self.assertEqual(self._send()[0], "success")
        self.env.invalidate_all()
        self.assertFalse(self.move.frontpay_can_update)
        self.assertFalse(self.move.frontpay_changes)

    def test_who_may_only_read_is_told_what_was_changed_without_the_button(self):
        self.move.ref = "3501"
        reader = new_test_user(self.env, "looks", "account.group_account_readonly")
        alert = self.move.with_user(reader)._get_alerts()["frontpay_update"]
        self.assertNotIn("action", alert)

    def test_what_cannot_be_sent_as_it_is_says_why_when_it_is_updated(self):
        self.move.partner_id.zip = False
        self.assertTrue(self.move.frontpay_can_update)
        self.assertFalse(self.move.frontpay_changes)
        with self.assertRaisesRegex(RedirectWarning, "ZIP code"):
            self.move.action_frontpay_send()

    def test_a_lost_answer_to_an_update_makes_no_second_order(self):
        self.move.ref = "3501"
        self.sandbox.fault(kind="drop", when="after")
        kind, message = self._send()
        self.assertEqual(kind, "danger")
        self.assertIn("The update went out, but no clear answer", message)
        self.assertEqual(self.order.state, "sent")
        self.assertEqual(self._send()[0], "success")
        self.assertFalse(self.order.error)
        self.assertEqual(len(self.sandbox.orders()), 1)

    def test_an_order_that_was_paid_meanwhile_is_not_changed(self):
        self.move.ref = "3501"
        self.sandbox.act(self.order.order_uuid, "pay")
        kind, message = self._send()
        self.assertEqual(kind, "danger")
        self.assertIn("The customer has paid the order already.", message)
        self.assertEqual(
            self.sandbox.orders()[0]["payload"]["customerReference"], "3500"
        )

    def test_a_confirmed_order_is_not_updated(self):
        self.order._apply_status("INVOICED")
        self.move.ref = "3501"
        self.assertFalse(self.move.frontpay_can_update)
        with self.assertRaisesRegex(UserError, "handed to Front Payment already"):
            self.move.action_frontpay_send()
        self.assertEqual(len(self.sandbox.requests()), 1)

    def test_another_orders_number_in_the_answer_is_told(self):
        self.order._record_update({}, SubmittedOrder("ODR2", "CSRT1", ""))
        self.assertIn("answered with order ODR2", self.order.error)
        self.assertIn("answered with order ODR2", self.move.activity_ids.note)
        self.assertNotEqual(self.order.order_uuid, "ODR2")
