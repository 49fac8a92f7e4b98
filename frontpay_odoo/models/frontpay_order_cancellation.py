from functools import partial

from odoo import models
from odoo.exceptions import UserError

from ..connect import errors
from ..tools import error_messages, transaction
from .frontpay_order import CLAIMED_STATES, ENDED_STATES


class FrontpayOrder(models.Model):
    """An order is cancelled at Front Payment, or its link sent once more, while it
    waits for its customer."""

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    def _why_not_waiting(self):
        """Why the order can't be cancelled, nor its link be sent again.

        Front Payment takes both only before it has invoiced the customer (sections 10
        and 11; question 41).

        :return: a sentence, or an empty string
        """
        details = {
            "invoice": self.move_id.display_name,
            "state": self._state_label(self.state) if self else "",
        }
        if not self or self.state in ENDED_STATES:
            return self.env._("There is no order at Front Payment to do that with.")
        if self.state == "queued":
            return self.env._(
                "%(invoice)s is queued and hasn't gone out: remove it from the queue.",
                **details,
            )
        if not self._is_of_this_environment():
            return self._sent_already_message()
        if self.state in CLAIMED_STATES:
            return self.env._(
                "%(invoice)s is “%(state)s”: Front Payment has invoiced the customer,"
                " so that can't be taken back. Make a credit note.",
                **details,
            )
        if self.state != "sent" or not self.order_uuid:
            return self.env._(
                "%(invoice)s is “%(state)s” at Front Payment, so that isn't possible.",
                **details,
            )
        return ""

    # === CANCELLING === #

    def _cancel(self, client, note):
        """Cancel the order, and follow what Front Payment then says of it.

        Cancelling twice does no harm, so a lost answer is settled by asking.

        :param client: an open :class:`connect.client.Client`
        :param str note: why
        :return: a sentence if it isn't cancelled, else an empty string
        :raises LockError: somebody else has the invoice
        :raises UserError: it can't be cancelled
        """
        with transaction.sender_lock(self.move_id):
            transaction.run(self.env, self._reserve_cancellation, note)
            failure = None
            try:
                client.cancel(self.order_uuid, note)
            except errors.FrontPaymentError as error:
                failure = error
            report = self._fetch_status_after(client, failure)
            record = partial(self._record_cancellation, note, report, failure)
            self._save_exchanges(client, record)
        if self.state == "cancelled":
            return ""
        return self._uncancelled_sentence(failure, report)

    def _reserve_cancellation(self, note):
        """Keep that it is wanted: however it is found out, nobody is asked about it."""
        transaction.lock(self.move_id)
        refusal = self._why_not_waiting()
        if refusal:
            raise UserError(refusal)
        self.cancel_reason = note

    def _fetch_status_after(self, client, failure):
        """:return: the :class:`connect.responses.OrderStatus` now, or None"""
        if failure and failure.affects_all:
            return None
        try:
            return client.status(self.order_uuid)
        except errors.FrontPaymentError:
            return None

    def _record_cancellation(self, note, report, failure):
        if report:
            self._apply_response(report, self.invoice_number)
        if self.state == "cancelled":
            self.move_id.message_post(
                body=self.env._("The order was cancelled: %s", note)
            )
            return
        self._poll_soon()
        if failure and not isinstance(failure, errors.UnknownOutcome):
            self.cancel_reason = False  # what happens later wasn't wanted here

    def _uncancelled_sentence(self, failure, report):
        invoice = self.move_id.display_name
        if report and self.state != "sent":
            return self._why_not_waiting()
        if isinstance(failure, errors.Rejected):
            return self.env._(
                "Front Payment doesn't cancel %(invoice)s: %(reason)s",
                invoice=invoice,
                reason=error_messages.quoted(failure),
            )
        if failure and not isinstance(failure, errors.UnknownOutcome):
            reason = self.company_id._frontpay_failure_sentence(failure)
            return f"{invoice}: {reason}"
        return self.env._(
            "Front Payment hasn't confirmed yet that %s is cancelled. Its status is"
            " updated automatically.",
            invoice,
        )

    # === SENDING THE LINK AGAIN === #

    def _resend(self, client, email, phone):
        """Have Front Payment send its link to the customer again.

        :param email: where to, or an empty string
        :param connect.validation.Phone phone: where to by SMS, or None
        :return: a sentence if it may not have gone out, else an empty string
        :raises UserError: there is nothing to send
        """
        refusal = self._why_not_waiting()
        if refusal:
            raise UserError(refusal)
        failure = None
        try:
            client.resend(self.order_uuid, email, phone)
        except errors.FrontPaymentError as error:
            failure = error
        self._save_exchanges(client, partial(self._record_resent, failure))
        if not failure:
            return ""
        invoice = self.move_id.display_name
        if isinstance(failure, errors.UnknownOutcome):
            return self.env._(
                "No clear answer came back for %s: the customer may have got the link"
                " or not.",
                invoice,
            )
        if isinstance(failure, errors.Rejected):
            return f"{invoice}: {error_messages.quoted(failure)}"
        reason = self.company_id._frontpay_failure_sentence(failure)
        return f"{invoice}: {reason}"

    def _record_resent(self, failure):
        if failure:
            self._poll_soon()
        else:
            self.move_id.message_post(
                body=self.env._("Front Payment has sent its link again.")
            )
