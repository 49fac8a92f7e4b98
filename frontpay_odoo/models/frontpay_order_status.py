from odoo import fields, models
from odoo.exceptions import RedirectWarning, UserError

from ..connect import statuses
from .frontpay_order import ENDED_STATES, INVOICED_STATES, PAYMENT_STATES


class FrontpayOrder(models.Model):
    """A status that Front Payment told is applied, and the payment registered."""

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    def _apply_response(self, report, invoice_number, date=None):
        """Apply what Front Payment said when it was asked.

        :param connect.responses.OrderStatus report: the status and what came with it
        :param str invoice_number: of Front Payment's invoice, if there is one
        :param date: on which day the status came about; today without it
        """
        self.invoice_number = invoice_number
        if report.refunded_amount is not None:
            self.refunded_amount = float(report.refunded_amount)
        if not self._apply_status(report.status, date):
            # A payment that couldn't be registered before may go now.
            self._register_due_payment(date)

    def _apply_status(self, status, date=None):
        """Follow a status of Front Payment's.

        What is repeated or late, and statuses that say nothing about an invoice, move
        nothing (section 17.4, questions 12 and 13).

        :param str status: as Front Payment spells it
        :param date: on which day it came about; today without it
        :return: whether the order moved
        """
        state = statuses.state_of(status)
        if not state or state == self.state:
            return False
        if not self._set_state(state):
            self._record_unexpected_claim(state)
            return False
        self.error = False
        self._schedule_next_poll()
        if state != "sent":
            self.verification_url = False
            self.move_id.message_post(
                body=self.env._(
                    "Front Payment: %(state)s", state=self._state_label(state)
                )
            )
        self._register_due_payment(date)
        return True

    def _register_due_payment(self, date=None):
        """Register the payment once the order is in a state that asks for it.

        The payment goes through Odoo's own register-payment wizard. Where it can't be
        made (no journal, an invoice paid by hand), the order keeps its state and tells
        what is left to do.

        :param date: of the payment; today without it
        """
        states = PAYMENT_STATES[self.company_id.frontpay_settle_on]
        if self.state not in states or self.payment_id:
            return
        try:
            with self.env.cr.savepoint():
                self.payment_id = self._register_payment(date)
        except (UserError, RedirectWarning) as error:
            self._record_unregistered_payment(error.args[0])
        else:
            self.error = False

    def _record_unexpected_claim(self, state):
        """Tell of a claim or payment for an order that counts as ended here."""
        is_claimed = state in INVOICED_STATES or (state, self.state) == (
            "sent",
            "failed",
        )
        if self.state not in ENDED_STATES or not is_claimed:
            return
        sentence = self.env._(
            "Front Payment reports “%(reported)s” for order %(order)s, which is"
            " “%(state)s” in Odoo. Check it at Front Payment before you send the"
            " invoice again or register a payment.",
            reported=self._state_label(state),
            order=self.order_uuid or self.reference,
            state=self._state_label(self.state),
        )
        self._record_error(sentence)
        self._notify_responsible(sentence)

    def _record_unregistered_payment(self, reason):
        sentence = self.env._(
            "The payment from Front Payment couldn't be registered: %s Register it"
            " manually in the payment journal of the Front Payment settings.",
            reason,
        )
        self._record_error(sentence)
        self._notify_responsible(sentence)

    def _register_payment(self, date):
        journal = self.company_id.frontpay_journal_id
        if not journal:
            raise UserError(
                self.env._("The Front Payment settings have no payment journal.")
            )
        wizard = (
            self.env["account.payment.register"]
            .with_company(self.company_id)
            .with_context(active_model="account.move", active_ids=self.move_id.ids)
            .create(
                {
                    "journal_id": journal.id,
                    "amount": self.amount,
                    "payment_date": date or fields.Date.context_today(self),
                    "communication": f"{self.reference} {self.order_uuid or ''}",
                }
            )
        )
        return wizard._create_payments()
