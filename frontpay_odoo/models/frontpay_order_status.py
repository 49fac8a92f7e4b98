from odoo import api, fields, models
from odoo.tools import format_date
from odoo.tools.translate import LazyTranslate

from ..connect import statuses
from ..mapping.problem import localized
from ..tools.sentence import in_each_language
from .frontpay_order import ENDED_STATES, INVOICED_STATES, REFUNDED_STATES

_lt = LazyTranslate(__name__)

# Payment states of an invoice of which something is to be collected.
OPEN_HERE = ("not_paid", "partial")
PAID_STATES = ("paid", "partially_refunded")
# What somebody does about an invoice that nobody collects any more.
TO_DO = {
    "cancelled": _lt(
        "Front Payment has cancelled order %(order)s, which nobody here asked for."
        " %(open)s of %(invoice)s is open, and nobody collects it: send the invoice"
        " again, collect it yourself, or make a credit note."
    ),
    "expired": _lt(
        "Order %(order)s has expired at Front Payment. %(open)s of %(invoice)s is open,"
        " and nobody collects it: send the invoice again, collect it yourself, or make"
        " a credit note."
    ),
}


class FrontpayOrder(models.Model):
    """A status that Front Payment told is applied."""

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    to_do = fields.Text(
        compute="_compute_to_do",
        compute_sudo=True,
        help="What went wrong, else the next step.",
    )

    @api.depends(
        *("error", "link_error", "difference_remedy", "next_step"),
        *("state", "is_collected_elsewhere", "cancel_reason", "payment_id"),
        *("move_id.state", "move_id.payment_state"),
    )
    @api.depends_context("lang", "tz")
    def _compute_to_do(self):
        for order in self:
            told = order.error or order.link_error or order.difference_remedy
            told = told or order._nobody_collects_sentence()
            order.to_do = told or order.next_step

    def _apply_response(self, report, invoice_number="", date=None):
        """Apply what Front Payment said when it was asked.

        :param connect.responses.OrderStatus report: the status and what came with it
        :param str invoice_number: of Front Payment's invoice, if there is one
        :param date: on which day the status came about; today without it
        """
        self.invoice_number = invoice_number
        refunded = self.refunded_amount
        if report.refunded_amount is not None:
            self.refunded_amount = float(report.refunded_amount)
        if report.amount is not None:
            self.reported_amount = float(report.amount)
        self._follow_lost_update(report.status, report.amount)
        self._follow_refunds(report)
        moved = self._apply_status(report.status, date)
        is_more = not self._is_equal(self.refunded_amount, refunded)
        if is_more and not moved and self.state in REFUNDED_STATES:
            self._tell_state(date)
        self._book_refunds()
        self._end_refunds()

    def _apply_status(self, status, date=None):
        """Follow a status of Front Payment's, and settle what it means for the books.

        What is repeated or late, and statuses that say nothing about an invoice, move
        nothing (section 17.4, questions 12 and 13).

        :param str status: as Front Payment spells it
        :param date: on which day it came about; today without it
        :return: whether the order moved
        """
        state = statuses.state_of(status)
        is_news = bool(state) and state != self.state
        moved = self._follow_return(state) or (is_news and self._set_state(state))
        contradiction = ""
        if moved:
            self._record_state(date)
        elif is_news:
            contradiction = self._contradiction(state)
        self._settle_payment(date, contradiction, moved=moved)
        return moved

    def _record_state(self, date):
        self.error = False
        self._schedule_next_poll()
        if self.state == "sent":
            return
        self.verification_url = False
        self._tell_state(date)
        self._ask_who_collects()

    def _tell_state(self, date):
        """:param date: on which day it came about; today without it"""
        amount = self.reported_amount
        if self.state in REFUNDED_STATES:
            amount = self._amount_refunded()
        number = self.invoice_number
        details = (
            amount and self.currency_id.format(amount),
            format_date(self.env, date or self.company_id._frontpay_day()),
            number and self.env._("invoice no. %s", number),
        )
        self.move_id.message_post(
            body=self.env._(
                "Front Payment: %(state)s (%(details)s)",
                state=self._state_label(self.state),
                details=", ".join(filter(None, details)),
            )
        )

    def _ask_who_collects(self):
        """Front Payment doesn't collect the invoice any more: somebody has to."""
        sentence = self._nobody_collects_sentence()
        if sentence:
            self._notify_responsible(sentence)

    @in_each_language
    def _nobody_collects_sentence(self):
        """What to do about an invoice that nobody collects, though nobody here wanted
        that; empty for all others."""
        move, sentence = self.move_id, TO_DO.get(self.state)
        is_open = move.state == "posted" and move.payment_state in OPEN_HERE
        is_wanted = self.state == "cancelled" and self.cancel_reason
        is_settled = self.payment_id or self.is_collected_elsewhere
        if not sentence or not is_open or is_settled or is_wanted:
            return ""
        return localized(self.env, sentence) % {
            "order": self.order_uuid or self.reference,
            "open": self.currency_id.format(move.amount_residual),
            "invoice": move.display_name,
        }

    @in_each_language
    def _contradiction(self, state):
        """Tell of a claim or payment for an order that counts as ended here, or of the
        end of one that was paid.

        :return: a sentence, or an empty string if there is nothing to tell
        """
        is_there = (state, self.state) == ("sent", "failed")
        is_revived = self.state in ENDED_STATES and (
            is_there or state in INVOICED_STATES
        )
        is_given_up = state in ENDED_STATES and self.state in PAID_STATES
        if not is_revived and not is_given_up:
            return ""
        return self.env._(
            "Front Payment reports “%(reported)s” for order %(order)s, which is"
            " “%(state)s” in Odoo. Check it at Front Payment before you send the"
            " invoice again or register a payment.",
            reported=self._state_label(state),
            order=self.order_uuid or self.reference,
            state=self._state_label(self.state),
        )
