"""Front Payment lies about one credit note's refund, or about cancelling one order and
sending its link again; see :mod:`test_lies`.

Whatever the lie was, afterwards

* Front Payment was asked at most once to pay a credit note back, and a second time only
  after it had refused;
* what was paid back is booked out once, with the credit note's amount, and nothing else
  is;
* the other credit note that went through the same call in the same run is refunded;
* the credit note is refunded, or tells of an error and somebody has an activity.
"""

import re
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.frontpay_odoo.tools import transaction

from .common import run_cron
from .test_lies import ANSWERS, ATTENTION, SentCase, data

STATUS = data("uuid", "status", "orderAmount", "refundedAmount")
LINE = ("id", "name", "productId", "quantity", "tax", "amount")
DETAILS = data(
    *("orderUuid", "status", "productList", "productList.0"),
    *(f"productList.0.{name}" for name in LINE),
)
NOTHING = data()
PRODUCT_LISTS = {
    "no lines": "[]",
    "lines that are none": "[1, null]",
    "two lines of one id": (
        '[{"id": 1, "name": "Router", "tax": 25, "amount": 125},'
        ' {"id": 1, "name": "Router", "tax": 25, "amount": 125}]'
    ),
    "a line of the other order": (
        '[{"id": 7, "name": "Router", "tax": 25, "amount": 250}]'
    ),
}
AMOUNT = 25  # NOK of each credit note, VAT included


def product_list_lie(rows):
    def lie(answer):
        answer.document["data"]["productList"] = answer.put(rows)

    return lie


class AfterSaleCase(SentCase):
    """What was sent goes on living. The truth is how Front Payment behaves."""

    def _run_crons(self):
        self._send_refunds()
        for name in ("poll", "recover"):
            run_cron(self.env, name)
        self._send_refunds()
        run_cron(self.env, "poll")

    def _send_refunds(self):
        self.env["frontpay.refund"].sudo()._cron_refund()

    def _of_liar(self, move):
        """Front Payment's order of an invoice."""
        [number] = self.liar.orders_of(move.name)
        return self.liar.orders[number]

    def _confirm(self, dialog, moves, **values):
        """Do what a dialog does; what it tells a person is no fault."""
        self.is_watched = True
        model = self.env[dialog].with_context(default_move_ids=moves.ids)
        try:
            model.create(values).action_confirm()
        except UserError as error:
            self.assertTrue(str(error))


class RefundCase(AfterSaleCase):
    """Both customers have paid, and each has a credit note."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for order in cls.liar.orders.values():
            order["status"] = "PAID"
        moves = cls.victim | cls.innocent
        moves.action_frontpay_refresh()
        cls.notes = {move: cls._note_of(move) for move in moves}

    @classmethod
    def _note_of(cls, move):
        note = move._reverse_moves([{"invoice_date": move.invoice_date}])
        note.invoice_line_ids.write({"price_unit": AMOUNT / 1.25, "quantity": 1})
        note.action_post()
        return note

    def _both(self):
        return self.notes[self.victim] | self.notes[self.innocent]

    def _make_true(self, truth):
        self.liar.is_slow = truth == "later"
        self.liar.is_strict = truth == "after approval"

    def _let_days_pass(self):
        self.liar.is_slow = False
        self.liar.pay_back()
        return super()._let_days_pass()

    def send_now(self):
        self.is_watched = True
        try:
            self._both().action_frontpay_send()
        except UserError as error:
            self.assertTrue(str(error))

    def send_from_queue(self):
        self.is_watched = False
        with patch.object(transaction, "is_untouched", return_value=False):
            self._both().action_frontpay_send()
        self._send_refunds()

    def poll(self):
        """Both were handed over, and polling asks what became of them."""
        self.is_watched = False
        lies, self.liar.lies = self.liar.lies, {}
        self._both().action_frontpay_send()
        self.liar.lies = lies
        self._has_come(self.victim, self.innocent)
        run_cron(self.env, "poll")

    # --- what must hold

    def _problems_now(self, _case):
        for move in (self.victim, self.innocent):
            yield from self._problems_of_refund(move)
        is_paid_back = self._of_liar(self.victim)["refunded"]
        is_told = is_paid_back or self._is_refund_believed()
        if self._paid_out(self.victim) and not is_told:
            yield "booked out, and Front Payment has paid nothing back"

    def _problems_in_the_end(self, _case):
        for move in (self.victim, self.innocent):
            yield from self._problems_of_refund(move)
            if not self._is_right(move) and not self._is_told(move):
                note = self.notes[move]
                yield (
                    f"{move.ref} is {note.frontpay_refund_state}, error"
                    f" {note.frontpay_error}, and nobody is told"
                )
        if not self._is_right(self.innocent):
            note = self.notes[self.innocent]
            yield f"Innocent is {note.frontpay_refund_state}: {note.frontpay_error}"
        yield from self._problems_of_sending_again()

    def _problems_of_refund(self, move):
        taken = self._of_liar(move)["refunds"]
        if taken not in ([], [AMOUNT]):
            yield f"Front Payment was asked for {taken} for {move.ref}"
        paid = self._paid_out(move).mapped("amount")
        if paid not in ([], [AMOUNT]):
            yield f"{paid} booked out for {move.ref}"
        inbound = self._payments(move) - self._paid_out(move)
        received = inbound.mapped("amount")
        if received != [move.amount_total]:
            yield f"{received} received for {move.ref}"

    def _problems_of_sending_again(self):
        """Somebody clicks on whatever was not refunded."""
        note = self.notes[self.victim]
        refund = note.sudo().frontpay_refund_id
        if refund.state != "failed" or refund.is_by_hand:
            return
        try:
            note.action_frontpay_send()
        except UserError as error:
            if not self._orders(self.victim).error and not self._is_refund_believed():
                yield f"it can't be sent again: {error}"
        yield from self._problems_of_refund(self.victim)

    def _paid_out(self, move):
        memo = [("memo", "like", f"{self.notes[move].name} ")]
        return self.env["account.payment"].search(memo)

    def _is_right(self, move):
        is_refunded = self.notes[move].frontpay_refund_state == "refunded"
        is_taken = self._of_liar(move)["refunds"] == [AMOUNT]
        return is_refunded and is_taken and len(self._paid_out(move)) == 1

    def _is_told(self, move):
        note, order = self.notes[move], self._orders(move)[:1]
        has_activity = (note | move).activity_search([ATTENTION])
        is_seen = self.is_watched or has_activity
        return bool((note.frontpay_error or order.error) and is_seen)

    def _is_refund_believed(self):
        """Whether a lie was that something was refunded."""
        word = re.compile(rb"REFUNDED|refundedAmount\W+(?!0\.00\b)")
        return any(word.search(each.content().upper()) for each in self.liar.told)


@tagged("post_install", "-at_install", "frontpay")
class TestLiesAboutRefunds(RefundCase):
    def test_refunding_while_somebody_waits(self):
        self.check("refund", NOTHING, ("at once", "later"), self.send_now)

    def test_refunding_from_the_queue(self):
        self.check("refund", NOTHING, ("at once", "later"), self.send_from_queue)

    def test_the_status_around_a_refund(self):
        self.check("status", STATUS, ("at once", "later"), self.send_from_queue)

    def test_the_details_before_a_refund(self):
        answers = ANSWERS | {
            name: product_list_lie(rows) for name, rows in PRODUCT_LISTS.items()
        }
        self.check("details", DETAILS, ("at once",), self.send_from_queue, answers)

    def test_the_status_when_a_refund_is_polled(self):
        self.check("status", STATUS, ("later",), self.poll)


@tagged("post_install", "-at_install", "frontpay")
class TestLiesAboutApprovals(RefundCase):
    def ask(self):
        """Both are refused as too large, and approval is asked for."""
        lies, self.liar.lies = self.liar.lies, {}
        self._both().action_frontpay_send()
        self.liar.lies = lies
        self._has_come()
        for note in self._both():
            self.ask_for(note)

    def ask_for(self, note):
        self.is_watched = True
        action = note.action_frontpay_request_approval()
        dialog = self.env["frontpay.approval"].with_context(**action["context"])
        try:
            dialog.create({"note": "Returned goods"}).action_confirm()
        except UserError as error:
            self.assertTrue(str(error))

    def _let_days_pass(self):
        self.liar.is_strict = False
        return super()._let_days_pass()

    def test_asking_for_approval(self):
        self.check("approval", NOTHING, ("after approval",), self.ask)

    def test_the_status_around_asking_for_approval(self):
        self.check("status", STATUS, ("after approval",), self.ask)


@tagged("post_install", "-at_install", "frontpay")
class TestLiesAboutWaitingOrders(AfterSaleCase):
    """Both customers have been told, and have done nothing yet."""

    def cancel(self):
        self._confirm("frontpay.cancel", self.victim | self.innocent, note="Mistake")

    def resend(self):
        self._confirm("frontpay.resend", self.victim | self.innocent)

    def _make_true(self, _truth):
        """They wait."""

    def _is_right(self, move):
        status = self._of_liar(move)["status"]
        state = self._orders(move)[:1].state
        is_so = state == {"SENT": "sent", "CANCELLED": "cancelled"}[status]
        return is_so or (move == self.victim and self._is_believed(state))

    def _problems_of_resending(self):
        for move in (self.victim, self.innocent):
            if self._of_liar(move)["links"] > 2:
                yield f"the link of {move.ref} was sent again more than once"
            if self._of_liar(move)["status"] != "SENT":
                yield f"{move.ref} isn't open any more"

    def _problems_in_the_end(self, case):
        yield from super()._problems_in_the_end(case)
        if case.truth == "resend":
            yield from self._problems_of_resending()

    def test_cancelling(self):
        self.check("cancel", NOTHING, ("cancel",), self.cancel)

    def test_the_status_after_cancelling(self):
        self.check("status", STATUS, ("cancel",), self.cancel)

    def test_sending_the_link_again(self):
        self.check("resend", NOTHING, ("resend",), self.resend)
