from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..connect import errors
from ..connect.refund import (
    ALREADY_THERE,
    NEEDS_APPROVAL,
    approval_json,
    code_of,
    refund_json,
)
from ..mapping import Problem, has_line_ids, note_problems, refund_of
from ..mapping.lines import lowering_notes
from ..tools import error_messages, retry, transaction
from ..tools.sentence import in_each_language, joined
from .frontpay_order import ENDED_STATES
from .frontpay_order_payment import HANDED
from .frontpay_order_submission import MAX_TRIES, NothingToUpdate
from .frontpay_refund import WAITING_STATES

MAX_NOTE = 200  # characters; section 11


@dataclass(frozen=True)
class Reservation:
    """What was reserved, and goes out next.

    :param dict document: the refund's JSON; without it there is nothing to send: Front
        Payment has refunded it already, or it has to be done by hand
    """

    refund: models.BaseModel
    order: models.BaseModel
    order_uuid: str
    document: dict | None = None
    is_request: bool = False


class FrontpayRefund(models.Model):
    """A credit note is handed over: as a refund, or by cancelling or lowering an order
    that still waits for its customer."""

    # Each part of a refund's life has a file; calls run downwards only.
    _inherit = "frontpay.refund"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _note_preflight(self, note):
        """Everything that keeps a credit note from being handed over, by what is known
        without asking Front Payment.

        :return: list of :class:`mapping.Problem`
        """
        refund, order = note.sudo().frontpay_refund_id, self._order_to_refund(note)
        if refund and refund.state not in WAITING_STATES:
            return [Problem(note, refund._handed_over_message())]
        problems = note_problems(note, order)
        if problems:
            return problems
        sentence = self._why_too_much(note, order, refund)
        return [Problem(note, sentence)] if sentence else []

    @api.model
    def _order_to_refund(self, note):
        order = note.reversed_entry_id.sudo().frontpay_order_id
        return order.with_company(note.company_id)

    @api.model
    def _hand_over(self, note, client, *, interactive, is_request=False):
        """Hand over one credit note: reserve and commit, call, record and commit.

        As with an order, whatever breaks in between: the refund is known before its
        request goes out, so it isn't sent twice, nor forgotten.

        :param note: a credit note that :meth:`_note_preflight` has nothing against
        :param client: an open :class:`connect.client.Client`
        :param bool interactive: whether somebody waits for it; else it must still be
            in the queue
        :param bool is_request: whether approval is asked for
        :return: (the refund, the :class:`connect.errors.FrontPaymentError` that kept it
            from being sent or None)
        :raises LockError: somebody else is at the invoice
        :raises FrontPaymentError: Front Payment couldn't be asked about the order, so
            nothing was sent
        :raises UserError: it can't be handed over as it is now
        """
        order = self._order_to_refund(note)
        if order.state == "sent":
            reserve = partial(self._reserve_change, note, order, interactive)
            refund = transaction.run(self.env, reserve)
            return refund, refund._change_order(client)
        with transaction.sender_lock(order.move_id):
            report, details = self._fetch_order(order, client)
            reserve = partial(self._reserve_refund, note, order, report, details.lines)
            reservation = transaction.run(self.env, reserve, interactive, is_request)
            refund = reservation.refund
            return refund, refund._send_refund(client, reservation)

    # === AN ORDER THAT WAITS FOR ITS CUSTOMER === #

    @api.model
    def _reserve_change(self, note, order, interactive):
        """Keep that an order is about to be cancelled or lowered."""
        refund = self._reserve_note(note, order, interactive)
        effect = self._effect_on(order, note.amount_total)
        if effect == "refund":  # the customer was quicker
            raise transaction.busy(note)
        refusal = order._why_not_waiting()
        if effect == "update" and not order._can_be_updated():
            refusal = self.env._(
                "%(invoice)s waits for its customer, and its channel knows no changes."
                " Credit the whole invoice, and make a new one for what is left.",
                invoice=order.move_id.display_name,
            )
        if refusal:
            raise UserError(refusal)
        refund = self._reserved(refund, note, order, {"effect": effect})
        order._settle_payment(moved=True)
        return refund

    def _change_order(self, client):
        """Cancel or lower the order. Both do no harm when they are done twice, so what
        isn't known to be done can be sent once more.

        :return: None; what went wrong stands in the refund's error
        """
        order = self.order_id
        cancelling = self.effect == "cancel"
        change = self._cancel_order if cancelling else self._lower_order
        try:
            problem = change(order, client)
        except UserError as refusal:
            problem = refusal.args[0]
        transaction.run(self.env, self._record_changed, problem)

    def _cancel_order(self, order, client):
        """:return: a sentence if it isn't cancelled, else an empty string"""
        text = ": ".join(filter(None, [self.move_id.name, self.move_id.ref]))
        return order._cancel(client, text[:MAX_NOTE])

    def _lower_order(self, order, client):
        """Update the order: what is read of the invoice is less by this credit note.

        :return: a sentence if it isn't lowered, else an empty string
        """
        with suppress(NothingToUpdate):
            order._send(order.move_id, client, interactive=True)
        if self._has_lowered(order):
            return ""
        return self._unlowered_sentence(order)

    @in_each_language
    def _unlowered_sentence(self, order):
        return order.error or self.env._(
            "Front Payment hasn't lowered the order of %s.", order.move_id.display_name
        )

    def _has_lowered(self, order):
        """Whether Front Payment's order is the invoice less its credit notes."""
        move = order.move_id
        credited = sum(lowering_notes(move).mapped("amount_total"))
        return order._is_equal(order.amount, move.amount_total - credited)

    def _record_changed(self, problem):
        if problem and self.order_id.state in ENDED_STATES:
            self._record_over()
        elif problem:
            self._set_refund_state("failed")
            self._report_problem(problem)
        else:
            self._record_done()
        self.order_id._settle_payment(moved=True)

    # === BEFORE THE REQUEST === #

    @api.model
    def _fetch_order(self, order, client):
        """Follow what Front Payment says of the order now, and read its lines.

        :return: (:class:`connect.responses.OrderStatus`,
            :class:`connect.responses.OrderDetails`)
        """
        try:
            report = client.status(order.order_uuid)
            details = client.details(order.order_uuid)
        except errors.FrontPaymentError:
            order._save_exchanges(client)
            raise
        # Who paid before polling saw the invoice has a number that Odoo may not know;
        # an invoiced order takes no regular refund.
        number = order.invoice_number or details.invoice_number

        def record():
            order._follow_lost_update(report.status, details.amount)
            order._apply_response(report, number)

        order._save_exchanges(client, record)
        return report, details

    @api.model
    def _reserve_refund(self, note, order, report, lines, interactive, is_request):
        """Make the credit note's one refund, as ``sending``, under the invoice's lock.

        :param report: what Front Payment has just said of the order's status
        :param lines: and of its lines
        :rtype: Reservation
        """
        transaction.lock(order.move_id)
        refund = self._reserve_note(note, order, interactive)
        if self._effect_on(order, note.amount_total) != "refund":
            raise transaction.busy(note)
        if is_request and refund.state != "needs_approval":
            raise UserError(refund._handed_over_message())
        self._check_figures(note, order, refund)
        values = self._values_for(order)
        values["was_rejected"] = report.is_refund_rejected
        if order._unaccounted_refund(note, refund) > 0:
            return self._record_made_already(note, order, refund, values)
        if not has_line_ids(lines):
            return self._reserve_by_hand(note, order, refund, values)
        kind, used = values["refund_type"], self._used(order)
        read, problems = refund_of(note, kind, lines, used)
        if problems:
            raise UserError("\n".join(problem.message for problem in problems))
        parts = {str(key): f"{part:.2f}" for key, part in read.lines.items()}
        values |= {"lines": parts, "requested_at": fields.Datetime.now()}
        refund = self._reserved(refund, note, order, values)
        document = refund_json(read)
        if is_request:
            document = approval_json(read, refund.refusal_code)
        return Reservation(refund, order, order.order_uuid, document, is_request)

    @api.model
    def _values_for(self, order):
        return {
            "effect": "refund",
            "refund_type": self._type_for(order),
            "order_state": order.state,
            "is_by_hand": False,
        }

    @api.model
    def _reserve_note(self, note, order, interactive):
        """Lock a credit note and read it anew.

        :return: its ``frontpay.refund``, or none yet
        :raises UserError: it can't be handed over any more
        """
        transaction.lock(note)
        refund = note.sudo().frontpay_refund_id
        if not interactive and refund.state != "queued":
            raise transaction.busy(note)
        problems = self._note_preflight(note)
        if problems:
            raise UserError("\n".join(problem.message for problem in problems))
        if order != self._order_to_refund(note):
            raise transaction.busy(note)
        return refund

    @api.model
    def _reserved(self, refund, note, order, values):
        """The refund as ``sending``: the one that there is, or a new one."""
        company = note.company_id
        values |= {
            "amount": note.amount_total,
            "order_id": order.id,
            "database_uuid": company._frontpay_database_uuid(),
        }
        if not refund:
            return self.sudo().create(values | {"move_id": note.id, "state": "sending"})
        refund._set_refund_state("sending")
        refund.write(values)
        return refund

    @api.model
    def _why_too_much(self, note, order, refund):
        """Why not so much can be refunded, by what is known.

        :param refund: the credit note's own, or none
        :return: a sentence, or an empty string
        """
        unasked = order._unaccounted_refund(note, refund)
        if order._is_equal(unasked, note.amount_total):
            return ""  # this is what Front Payment has refunded by itself
        left = order._left_to_refund(refund)
        if note.currency_id.compare_amounts(note.amount_total, left) <= 0:
            return ""
        return self.env._(
            "%(note)s credits %(amount)s, but only %(left)s of %(invoice)s is left at"
            " Front Payment: the rest is refunded, or about to be.",
            note=note.display_name,
            amount=note.currency_id.format(note.amount_total),
            left=note.currency_id.format(left),
            invoice=order.move_id.display_name,
        )

    @api.model
    def _check_figures(self, note, order, refund):
        """Whether the figures will tell what becomes of one refund more.

        :raises UserError: they wouldn't
        """
        others = order._waiting_refunds() - refund
        told, known = order.refunded_amount, order.accounted_amount
        # A figure that is late tells less than before: that would be told anew.
        if not others and order.currency_id.compare_amounts(told, known) > 0:
            order.accounted_amount = told
        in_doubt = others.filtered(lambda each: each.state in ("sending", "unknown"))
        if in_doubt:
            raise UserError(
                self.env._(
                    "Nobody knows yet what became of %(others)s, which credits the same"
                    " invoice. Choose “Check Outcome” there first.",
                    others=", ".join(in_doubt.move_id.mapped("display_name")),
                )
            )
        is_told = order._is_equal(order.accounted_amount, order.refunded_amount)
        if others and not is_told:
            raise UserError(
                self.env._(
                    "Front Payment has refunded %(told)s of %(invoice)s, which doesn't"
                    " tell what became of %(others)s. Choose “Check Outcome” there"
                    " first.",
                    told=order.currency_id.format(order.refunded_amount),
                    invoice=order.move_id.display_name,
                    others=", ".join(others.move_id.mapped("display_name")),
                )
            )

    @api.model
    def _record_unasked(self, note):
        """Book a credit note that was made for what Front Payment had refunded.

        :raises UserError: it isn't over that, any more
        """
        order = self._order_to_refund(note)
        if not order:
            raise UserError(
                self.env._(
                    "%s is for what Front Payment has refunded by itself, and names no"
                    " invoice that Front Payment has. Delete it, and make it anew.",
                    note.display_name,
                )
            )
        transaction.lock(order.move_id)
        rest = order._unaccounted_refund(note, self.browse())
        if not order._is_equal(rest, note.amount_total):
            raise UserError(
                self.env._(
                    "%(note)s is for what Front Payment has refunded by itself, which"
                    " is %(rest)s, but it credits %(amount)s. Correct it, or delete it"
                    " and make it anew.",
                    note=note.display_name,
                    rest=order.currency_id.format(rest),
                    amount=order.currency_id.format(note.amount_total),
                )
            )
        refund = self._reserve_note(note, order, interactive=True)
        self._record_made_already(note, order, refund, self._values_for(order))

    @api.model
    def _record_made_already(self, note, order, refund, values):
        """Front Payment has refunded something that nobody here asked for: this is the
        credit note for it, or that one comes first.

        :rtype: Reservation
        """
        unasked = order._unaccounted_refund(note, refund)
        if not order._is_equal(unasked, note.amount_total):
            raise UserError(
                self.env._(
                    "Front Payment has refunded %(amount)s of %(invoice)s without being"
                    " asked from here. Make a credit note for that first, and send it:"
                    " nothing is refunded twice.",
                    amount=order.currency_id.format(unasked),
                    invoice=order.move_id.display_name,
                )
            )
        refund = self._reserved(refund, note, order, values)
        refund._record_refunded()
        note.message_post(
            body=self.env._(
                "Front Payment had refunded that already, so nothing was sent."
            )
        )
        order._settle_payment(moved=True)
        order._book_refunds()
        return Reservation(refund, order, order.order_uuid)

    @api.model
    def _reserve_by_hand(self, note, order, refund, values):
        """Front Payment doesn't tell the ids of the order's lines, without which it
        takes no refund (section 24, question 38).

        :rtype: Reservation
        """
        refund = self._reserved(refund, note, order, values | {"is_by_hand": True})
        refund._set_refund_state("failed")
        refund._report_problem(refund._by_hand_sentence())
        return Reservation(refund, order, order.order_uuid)

    @in_each_language
    def _by_hand_sentence(self):
        return self.env._(
            "Front Payment doesn't tell the numbers of the lines of order %(order)s, so"
            " nothing can be refunded from here. Refund %(amount)s in Front Payment's"
            " own pages, then choose “Check Outcome”: it is booked once Front Payment"
            " confirms it.",
            order=self.order_id.order_uuid,
            amount=self.currency_id.format(self.move_id.amount_total),
        )

    @api.model
    def _used(self, order):
        """What was refunded of each line, or is about to be.

        :return: {line's id: Decimal}
        """
        used = {}
        for refund in order.refund_ids:
            if refund.state in ("unknown", "pending", "refunded") and refund.lines:
                for key, amount in refund.lines.items():
                    used[int(key)] = used.get(int(key), Decimal(0)) + Decimal(amount)
        return used

    def _handed_over_message(self):
        return self.env._(
            "%(note)s has been handed to Front Payment already (%(state)s).",
            note=self.move_id.display_name,
            state=self._state_label(self.state),
        )

    # === THE REQUEST === #

    def _send_refund(self, client, reservation):
        """Send what was reserved, store the outcome, and look what came of it.

        :return: the error that kept it from being sent, or None
        """
        if not reservation.document:
            return None
        order = reservation.order
        call = client.request_approval if reservation.is_request else client.refund
        # Nothing is read before the answer: a transaction would begin, and not see what
        # polling finds out meanwhile.
        failure = None
        try:
            call(reservation.order_uuid, reservation.document)
            record = self._record_accepted
        except errors.FrontPaymentError as error:
            failure = error
            record = partial(self._record_refusal, error)
        order._save_exchanges(client, record)
        transaction.run(self.env, self._follow_refund)
        if self.state in ("pending", "unknown"):
            self._fetch_outcome(client)
        return failure

    def _fetch_outcome(self, client):
        """Front Payment may have refunded it by now; if it can't be asked, polling
        asks."""
        order = self.order_id
        try:
            report = client.status(order.order_uuid)
        except errors.FrontPaymentError:
            order._save_exchanges(client, order._poll_soon)
            return
        number = order.invoice_number
        order._save_exchanges(client, order._apply_response, report, number)
        transaction.run(self.env, order._schedule_next_poll)

    def _record_accepted(self):
        """Front Payment took it, which isn't the end (question 39): keep that, and
        nothing that could fail."""
        if self._set_refund_state("pending"):
            self.write({"tries": 0, "refusal_code": False})

    def _follow_refund(self):
        """What is told, once nothing that must not be lost depends on it."""
        if self.state == "pending":
            self.move_id.message_post(
                body=self.env._(
                    "Front Payment took the refund of %s and hasn't confirmed it yet.",
                    self.currency_id.format(self.amount),
                )
            )
        self.order_id._settle_payment(moved=True)

    def _record_refusal(self, error):
        """It wasn't taken, or nobody knows whether it was.

        :param connect.errors.FrontPaymentError error: what became of the call
        """
        is_refused = isinstance(error, errors.Rejected)
        code = code_of(error.sentences) if is_refused else ""
        if code in ALREADY_THERE:
            self._record_accepted()
            self._ask_which_is_meant()
            return
        state = "needs_approval" if code in NEEDS_APPROVAL else "failed"
        sentence = error_messages.refund_message(self.company_id, error, code)
        if error_messages.blames_settings(error):
            self.company_id._frontpay_ask_administrator(sentence)
        if isinstance(error, errors.UnknownOutcome):
            state = "unknown"
        elif error.retryable and self.tries + 1 < MAX_TRIES:
            state = "queued"
        if not self._set_refund_state(state):
            return
        self.refusal_code = code
        if state == "unknown":
            self.order_id._poll_soon()
        if state == "queued":
            sentence = joined([sentence, self._schedule_refund_retry(error)])
        if state in ("failed", "needs_approval"):
            self._report_problem(sentence)
        else:
            self._record_error(sentence)

    def _ask_which_is_meant(self):
        """Front Payment has one like this already: this one, if it came twice, or
        another credit note's over the same amount."""
        order = self.order_id
        others = (order.refund_ids - self).filtered(
            lambda each: (
                each.effect == "refund"
                and each.state in HANDED
                and order._is_equal(each.amount, self.amount)
            )
        )
        if others and self.state == "pending":
            self._request_refund_decision(self._ambiguous_sentence(others))

    @in_each_language
    def _ambiguous_sentence(self, others):
        return self.env._(
            "Front Payment says that it has a refund like %(note)s already, which may"
            " be %(others)s. Look at order %(order)s in Front Payment's own pages, then"
            " choose “Check Outcome” and say whether it has both.",
            note=self.move_id.display_name,
            others=", ".join(others.move_id.mapped("display_name")),
            order=self.order_id.order_uuid,
        )

    def _schedule_refund_retry(self, error):
        """Have a refund sent later that Front Payment has not got.

        :return: a sentence about when
        """
        self.tries += 1
        pause = retry.pause(self.tries, error)
        self.retry_at = fields.Datetime.now() + pause
        self._trigger_cron("cron_refund", pause)
        return self._retry_sentence()
