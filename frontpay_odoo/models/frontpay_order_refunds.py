from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import combinations

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import float_repr

from ..connect import statuses
from ..tools import system_parameters, transaction
from ..tools.sentence import in_each_language
from .frontpay_order import (
    ENDED_STATES,
    GRACE_MINUTES,
    INVOICED_STATES,
    PAYMENT_STATES,
    REFUNDED_STATES,
)
from .frontpay_order_unbooking import (
    LIVE_PAYMENT_STATES,
    is_open_receivable,
    is_receivable,
)
from .frontpay_refund import UNSETTLED_STATES

# A person is asked about a refund that Front Payment took, and hasn't confirmed since.
PENDING_FOR = timedelta(days=5)
# What a refund is when somebody says that it wasn't made.
UNDECIDED_STATES = {"unknown": "failed", "pending": "rejected"}
# Of more refunds, only one alone or all together are looked for in a figure.
MAX_COMBINED = 8


class FrontpayOrder(models.Model):
    """What Front Payment has refunded is held against what it was asked for, and the
    books follow."""

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    def _waiting_refunds(self):
        """Those that a figure of Front Payment's may settle, the oldest first."""
        return self.refund_ids.sorted("id").filtered(
            lambda refund: refund._waits_for_figures()
        )

    def _has_unsettled_refunds(self):
        """Whether the list of all orders, which has no figures, says too little."""
        return any(
            refund.state in UNSETTLED_STATES or refund._is_unbooked()
            for refund in self.refund_ids
        )

    def _has_to_give_back(self, amount):
        """Whether the journal has too much by an amount that was refunded, once what
        came in is registered."""
        received = self._received()
        if self.currency_id.is_zero(received):
            return True
        paid_out = self._amount_paid(self.refund_ids.payment_id)
        rest = received - paid_out - self._amount_kept()
        return self.currency_id.compare_amounts(rest, amount) >= 0

    def _received(self):
        """What Front Payment's journal got for the invoice: what settles it there, and
        what is left of these payments."""
        in_journal, _elsewhere = self._settlements()
        payments = self._registered_payments()
        lines = payments.move_id.line_ids.filtered(is_receivable)
        own = lines.matched_debit_ids.filtered(
            lambda partial: partial.debit_move_id.move_id == self.move_id
        )
        return self.currency_id.round(
            sum(own.mapped("debit_amount_currency"))
            - sum(lines.mapped("amount_residual_currency"))
            + self._amount_paid(payments.filtered(lambda each: not each.move_id))
            + self._sum_of([each for each in in_journal if not each.payment])
        )

    def _registered_payments(self):
        """The payments for the invoice in Front Payment's journal."""
        in_journal, _elsewhere = self._settlements()
        payments = self.payment_id.union(*(each.payment for each in in_journal))
        return payments | self._payments_in_memo()

    def _pay_by_registered(self):
        """Set what was registered off against what is open on the invoice again."""
        moves = self._registered_payments().move_id | self.move_id
        lines = moves.line_ids.filtered(is_open_receivable)
        for account, some in lines.grouped("account_id").items():
            if account in self.move_id.line_ids.account_id:
                some.reconcile()

    def _amount_paid(self, payments):
        return self.currency_id.round(sum(payments.mapped("amount")))

    def _left_to_refund(self, refund):
        """How much can be refunded, or taken off the claim.

        :param refund: one that is about to be sent, and doesn't count itself
        """
        if self.state == "sent":
            return self.amount
        under_way = (self._waiting_refunds() - refund).filtered(
            lambda each: each.state in UNSETTLED_STATES
        )
        left = self._amount_kept() - sum(under_way.mapped("amount"))
        return self.currency_id.round(left)

    def _unaccounted_refund(self, note, refund):
        """What Front Payment has refunded by itself, less what other credit notes that
        were never sent account for: a person has made and booked them by hand.

        :param note: the credit note that is about to be sent
        :param refund: its own, or none
        """
        by_hand = (self._unsent_credit_notes() - note).filtered(
            lambda each: (
                not each.frontpay_refund_state
                and each.currency_id.is_zero(each.amount_residual)
            )
        )
        amount = self._amount_refunded_unasked(refund) - sum(
            by_hand.mapped("amount_total")
        )
        return self.currency_id.round(amount)

    def _refunded_rest(self):
        """What Front Payment has refunded by itself, and nothing accounts for yet."""
        return self._unaccounted_refund(self.move_id.browse(), self.refund_ids.browse())

    def _why_not_credited(self):
        """Why no credit note is made over what Front Payment has refunded by itself.

        :return: a sentence, or an empty string
        """
        rest = self and self._refund_problem() and self._refunded_rest()
        if not rest or self.currency_id.compare_amounts(rest, 0) <= 0:
            return self.env._(
                "Front Payment has refunded nothing that isn't credited, or hasn't told"
                " yet how much."
            )
        if self._note_to_send(rest):
            return self._refund_problem()
        left = self.move_id.amount_total - self._amount_of(self._credit_notes())
        details = {
            "rest": self.currency_id.format(rest),
            "left": self.currency_id.format(left),
            "invoice": self.move_id.display_name,
        }
        if self.currency_id.compare_amounts(rest, left) > 0:
            return self.env._(
                "Front Payment has refunded %(rest)s of %(invoice)s, but only %(left)s"
                " of it isn't credited. Ask Front Payment what it has refunded.",
                **details,
            )
        return ""

    # === WHAT FRONT PAYMENT TELLS === #

    def _follow_refunds(self, report):
        """Settle refunds by what Front Payment says of the order (question 39).

        :param connect.responses.OrderStatus report: its status, and what was refunded
            in all where that is told
        """
        waiting = self._waiting_refunds()
        if not waiting:
            return
        told = self._refunded_since(report)
        fitting = self._matched_refunds(waiting, report, told)
        for refund in fitting:
            self._settle_refund(refund)
        others = waiting - fitting
        if others:
            self._check_unmatched(others, report, 0 if fitting else told)

    def _follow_lost_update(self, status, amount):
        """An update whose answer was lost was carried out all the same: what the
        customer confirmed tells so.

        :param str status: as Front Payment spells it
        :param Decimal amount: the order's, NOK; None if Front Payment doesn't tell it
        """
        if amount is None or statuses.state_of(status) not in INVOICED_STATES:
            return
        self._follow_lost_change(float(amount))
        for refund in self.refund_ids.filtered(lambda each: each._changes_order()):
            lowered = self.currency_id.round(self.amount - refund.amount)
            if refund.effect == "update" and self._is_equal(lowered, float(amount)):
                self.amount = lowered
                refund._record_done()

    def _end_refunds(self):
        """Nothing is claimed any more, so what waited to take a claim back is done."""
        if self.state in ENDED_STATES:
            for refund in self.refund_ids.filtered(lambda each: each._changes_order()):
                refund._record_over()

    def _settle_refund(self, refund):
        """It was paid back, or taken off the claim."""
        if refund._record_refunded():
            self.accounted_amount += refund.amount
            self._settle_payment(moved=True)

    def _refunded_since(self, report):
        """What was refunded beyond what is accounted for.

        :return: Decimal, or None if Front Payment tells no figure
        """
        amount = report.refunded_amount
        if amount is None and statuses.state_of(report.status) == "refunded":
            amount = _decimal(self.reported_amount)
        return None if amount is None else amount - _decimal(self.accounted_amount)

    def _matched_refunds(self, waiting, report, told):
        """The refunds that Front Payment has made since it was last asked."""
        if told is not None:
            return waiting._matching(told)
        state = statuses.state_of(report.status)
        is_first = len(waiting) == 1 and waiting.order_state not in REFUNDED_STATES
        is_told = is_first and state == "partially_refunded"
        return waiting if is_told else waiting.browse()

    def _check_unmatched(self, waiting, report, told):
        """None of them is settled: some may be rejected, or a person has to look."""
        asked = waiting.filtered(lambda refund: refund.state in UNDECIDED_STATES)
        rejected = asked.filtered(lambda refund: not refund.was_rejected)
        if told and told > 0:  # an answer that is late tells less than before
            for refund in asked:
                refund._request_refund_decision(self._unfitting_sentence(refund, told))
            for refund in waiting - asked:
                refund._tell_other_amount(told)
        elif report.is_refund_rejected and len(rejected) == 1:
            rejected._record_rejected()
        elif report.is_refund_rejected and rejected:
            for refund in rejected:
                refund._request_refund_decision(refund._one_rejected_sentence())
        else:
            for refund in asked.filtered(lambda refund: refund._is_overdue()):
                refund._request_refund_decision(refund._overdue_sentence())

    @in_each_language
    def _unfitting_sentence(self, refund, told):
        return self.env._(
            "Front Payment has refunded %(told)s of order %(order)s since, which"
            " doesn't tell what became of %(note)s (%(amount)s). Look at the order in"
            " Front Payment's own pages, then choose “Check Outcome” and say what it"
            " is.",
            told=self.currency_id.format(float(told)),
            order=self.order_uuid,
            note=refund.move_id.display_name,
            amount=self.currency_id.format(refund.amount),
        )

    # === THE BOOKS === #

    def _book_refunds(self):
        """Book out what was paid back, once for each refund."""
        for refund in self.refund_ids.filtered(lambda refund: refund._is_unbooked()):
            if refund._tell_paid_back_twice():
                continue
            book = partial(refund.order_id._book_out, refund)
            refund._record_booking(self._why_not_booked(book))

    def _book_out(self, refund):
        """Pay a credit note out of the journal that had received the money, whatever
        the settings say now.

        Source: gross, on the credit note's own date.

        :raises UserError: it isn't open as it was
        """
        note = refund.move_id
        if refund._is_paid_out():
            refund.is_booked = True
            return
        if not self._is_equal(note.amount_residual, refund.amount):
            raise UserError(refund._other_open_sentence())
        if not self._counts_as_received():
            raise UserError(self._nothing_received_sentence())
        journal = self.journal_id.filtered("active")
        memo = f"{note.name} {self.reference}"
        refund.payment_id = self._pay(
            note, refund.amount, note.invoice_date, memo, journal
        )
        refund.is_booked = True

    @in_each_language
    def _nothing_received_sentence(self):
        return self.env._(
            "Nothing was received for %s: add the credit note to it.",
            self.move_id.display_name,
        )


class FrontpayRefund(models.Model):
    """How a refund ends."""

    # In the file of what ends it; calls run downwards only.
    _inherit = "frontpay.refund"  # pylint: disable=consider-merging-classes-inherited

    def _matching(self, amount):
        """Those of the refunds that add up to an amount, if it is clear which.

        Of several pending ones of the same amount, the oldest comes first: Front
        Payment has them all. Where one without an outcome may be meant, nobody guesses.

        :param Decimal amount: NOK
        """
        amounts = {refund: refund._decimal_amount() for refund in self}
        sizes = range(1, len(self) + 1)
        if len(self) > MAX_COMBINED:
            sizes = (1, len(self))
        found = {}
        for size in sizes:
            for refunds in combinations(self, size):
                if sum(amounts[refund] for refund in refunds) == amount:
                    kind = sorted((amounts[each], each.state) for each in refunds)
                    found.setdefault(tuple(kind), refunds)
        if len(found) != 1:
            return self.browse()
        [refunds] = found.values()
        return self.browse([refund.id for refund in refunds])

    def _changes_order(self):
        """Whether it waits to cancel or lower an order."""
        return self.effect != "refund" and self.state in ("queued", "failed")

    def _record_done(self):
        """Its order is cancelled or lowered."""
        if not self._set_refund_state("refunded"):
            return
        self.closed_at = fields.Datetime.now()
        told = {
            "cancel": self.env._("Front Payment has cancelled the order."),
            "update": self.env._("Front Payment has lowered the order."),
        }
        self.move_id.message_post(body=told[self.effect])

    def _record_over(self):
        """Its order has ended without a claim: there is nothing to take back."""
        if self._set_refund_state("refunded"):
            self.closed_at = fields.Datetime.now()
            self.move_id.message_post(
                body=self.env._(
                    "Order %s has ended at Front Payment: nothing is claimed any more.",
                    self.order_id.order_uuid,
                )
            )

    def _record_refunded(self):
        """:return: whether that is news"""
        if not self._set_refund_state("refunded"):
            return False
        self.closed_at = fields.Datetime.now()
        self.move_id.message_post(
            body=self.env._(
                "Front Payment has refunded %s.", self.currency_id.format(self.amount)
            )
        )
        self._undo_set_off()
        return True

    def _undo_set_off(self):
        """A credit note that was set off against a claim, and sent only after that was
        paid, gives back what came in: the books have both, gross.

        Unless somebody registered only what was left: then they have both already.
        """
        order = self.order_id
        set_off = self.move_id.line_ids.matched_debit_ids.filtered(
            lambda partial: partial.debit_move_id.move_id == order.move_id
        )
        was_paid = self.order_state in PAYMENT_STATES["paid"]
        if not was_paid or not set_off or not order._has_to_give_back(self.amount):
            return
        set_off.unlink()
        order._pay_by_registered()

    def _record_rejected(self):
        self._set_refund_state("rejected")
        self._report_problem(self._rejected_sentence())

    @in_each_language
    def _rejected_sentence(self):
        return self.env._(
            "Front Payment rejected the refund of %s. Ask Front Payment why; then send"
            " the credit note again, or reset it to draft.",
            self.move_id.display_name,
        )

    def _request_refund_decision(self, sentence):
        """Have a person say what became of the refund."""
        self.needs_decision = True
        if sentence != self.error:
            self._report_problem(sentence)

    def _tell_other_amount(self, told):
        """Somebody refunded something else by hand than the credit note says.

        :param Decimal told: NOK, what was refunded since
        """
        sentence = self._other_refund_sentence(told)
        if sentence != self.error:
            self._report_problem(sentence)

    @in_each_language
    def _other_refund_sentence(self, told):
        return self.env._(
            "Front Payment has refunded %(told)s of order %(order)s, not the %(amount)s"
            " of %(note)s. Refund the rest in Front Payment's own pages, or reset the"
            " credit note and make it over what was refunded.",
            told=self.currency_id.format(float(told)),
            order=self.order_id.order_uuid,
            amount=self.currency_id.format(self.amount),
            note=self.move_id.display_name,
        )

    def _is_overdue(self):
        """Whether it takes too long for anybody to go on waiting."""
        if self.state == "pending":
            return self.requested_at + PENDING_FOR < fields.Datetime.now()
        minutes = system_parameters.whole_number(
            self.env, "grace_minutes", GRACE_MINUTES, least=0
        )
        return self.requested_at + timedelta(minutes=minutes) <= fields.Datetime.now()

    @in_each_language
    def _overdue_sentence(self):
        details = {
            "note": self.move_id.display_name,
            "order": self.order_id.order_uuid,
        }
        if self.state == "pending":
            return self.env._(
                "Front Payment took the refund of %(note)s days ago and hasn't"
                " confirmed it since. Look at order %(order)s in Front Payment's own"
                " pages, then choose “Check Outcome” and say what became of it.",
                **details,
            )
        return self.env._(
            "No clear answer came back when %(note)s was sent, and Front Payment hasn't"
            " refunded anything since. Look at order %(order)s in Front Payment's own"
            " pages, then choose “Check Outcome” and say whether the refund is there."
            " It isn't sent again before that.",
            **details,
        )

    @in_each_language
    def _one_rejected_sentence(self):
        return self.env._(
            "Front Payment rejected one of several refunds of order %(order)s, and"
            " doesn't say which. Look at it in Front Payment's own pages, then choose"
            " “Check Outcome” and say what became of %(note)s.",
            order=self.order_id.order_uuid,
            note=self.move_id.display_name,
        )

    # === A PERSON'S DECISION === #

    def _why_not_deniable(self):
        """Why nobody can say that it wasn't refunded.

        :return: a sentence, or an empty string
        """
        order = self.order_id
        since = order.refunded_amount - order.accounted_amount
        if order.currency_id.compare_amounts(since, self.amount) >= 0:
            return self.env._(
                "Front Payment has refunded %(told)s of order %(order)s since"
                " %(note)s was sent, so it may well be that.",
                told=order.currency_id.format(since),
                order=order.order_uuid,
                note=self.move_id.display_name,
            )
        if self.state == "unknown" and not self._is_overdue():
            return self.env._(
                "%s may still appear at Front Payment. Look again in some minutes.",
                self.move_id.display_name,
            )
        return ""

    def _decide_refund(self, is_refunded):
        """Somebody says what became of the refund.

        :raises LockError: somebody else is at the invoice
        :raises UserError: it can't be so
        """
        with transaction.sender_lock(self.order_id.move_id):
            transaction.run(self.env, self._record_decision, is_refunded)

    def _record_decision(self, is_refunded):
        order, note = self.order_id, self.move_id
        transaction.lock(note)
        if self.state == "sending" or not self._waits_for_figures():
            return
        refusal = "" if is_refunded else self._why_not_deniable()
        if refusal:
            raise UserError(refusal)
        said = {
            True: self.env._(
                "%s said that Front Payment has refunded this.", self.env.user.name
            ),
            False: self.env._(
                "%s said that Front Payment hasn't refunded this.", self.env.user.name
            ),
        }
        note.message_post(body=said[is_refunded])
        if is_refunded:
            order._settle_refund(self)
        elif self.state in UNDECIDED_STATES:
            self._set_refund_state(UNDECIDED_STATES[self.state])
            # What Front Payment tells of a rejected refund is about this one.
            order._waiting_refunds().was_rejected = self.state == "rejected"
        order._settle_payment(moved=True)
        order._book_refunds()

    # === THE BOOKS === #

    def _is_unbooked(self):
        """Whether the books don't have yet what was paid back."""
        is_refund = self.effect == "refund" and self.state == "refunded"
        return is_refund and not self.is_booked

    def _is_paid_out(self):
        """Whether the credit note lowers what was open on its invoice, or somebody has
        booked already that it was paid back."""
        note = self.move_id
        if note.currency_id.is_zero(note.amount_residual):
            return True
        paid = sum(self._waiting_payments().mapped("amount"))
        return note.currency_id.compare_amounts(paid, note.amount_residual) == 0

    def _waiting_payments(self):
        """Those that wait for the bank, where there is no outstanding account."""
        return self.move_id.matched_payment_ids.filtered(
            lambda payment: not payment.move_id and payment.state in LIVE_PAYMENT_STATES
        )

    def _paid_back_elsewhere(self):
        """What else than Front Payment gave the customer the credit note's money: a
        payment in another journal, or another invoice that it is set off against.

        :return: list of names
        """
        order = self.order_id
        journals = order._frontpay_journals()
        reconciled = self.move_id._get_all_reconciled_invoice_partials()
        moves = self.env["account.move"].union(
            *(each["aml"].move_id for each in reconciled if not each["is_exchange"])
        )
        others = moves.filtered(
            lambda move: (
                move != order.move_id
                and move.journal_id not in journals
                and not move.line_ids.account_id & journals.default_account_id
            )
        )
        payments = self._waiting_payments().filtered(
            lambda payment: payment.journal_id not in journals
        )
        return [*others.mapped("display_name"), *payments.mapped("display_name")]

    def _tell_paid_back_twice(self):
        """:return: whether it was, so that the books can't follow"""
        others = self._paid_back_elsewhere()
        if not others:
            return False
        sentence = self._paid_back_twice_sentence(others)
        if sentence != self.error:
            self._report_problem(sentence)
        return True

    @in_each_language
    def _paid_back_twice_sentence(self, others):
        return self.env._(
            "Paid back twice: Front Payment has refunded %(amount)s of %(note)s, which"
            " is settled by %(others)s as well. Undo that reconciliation: the refund is"
            " booked then, and what the customer got too much is open.",
            amount=self.currency_id.format(self.amount),
            note=self.move_id.display_name,
            others=", ".join(others),
        )

    def _record_booking(self, reason):
        """:param str reason: why it couldn't be booked, or an empty string"""
        if not reason:
            self._clear_problem()
            return
        sentence = self._unbooked_sentence(reason)
        if sentence != self.error:
            self._report_problem(sentence)

    @in_each_language
    def _other_open_sentence(self):
        return self.env._(
            "%(open)s is open on the credit note, not %(amount)s.",
            open=self.currency_id.format(self.move_id.amount_residual),
            amount=self.currency_id.format(self.amount),
        )

    @in_each_language
    def _unbooked_sentence(self, reason):
        return self.env._(
            "Front Payment has refunded %(note)s, but that couldn't be booked:"
            " %(reason)s Register the payment manually in the payment journal of the"
            " Front Payment settings.",
            note=self.move_id.display_name,
            reason=reason,
        )


def _decimal(amount):
    return Decimal(float_repr(amount, 2))
