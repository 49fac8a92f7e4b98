from decimal import Decimal
from functools import partial
from http import HTTPStatus

from odoo import fields, models
from odoo.exceptions import RedirectWarning, UserError
from odoo.tools import float_repr

from ..connect import errors, statuses
from ..connect.checksum import is_signed
from . import frontpay_outcome
from .frontpay_order import CLAIMED_STATES, ENDED_STATES, INVOICED_STATES

TIME_ZONE = "Europe/Oslo"  # Front Payment's, for companies that have none
# The states on which the payment is registered, by ``frontpay_settle_on``.
SETTLING_STATES = {
    "paid": {"paid"},
    "invoiced": CLAIMED_STATES | {"paid"},
}


class FrontpayOrder(models.Model):
    """What Front Payment reports of an order, called back or asked, and the payment."""

    _inherit = "frontpay.order"

    # === CALLBACKS === #

    def _receive(self, report):
        """Take a well-formed callback.

        :param connect.callback.Callback report: what was received
        :return: (HTTP status to answer, why it moved nothing)
        """
        secret = self.company_id.frontpay_callback_secret
        if not is_signed(report.pairs, report.checksum, secret):
            return HTTPStatus.FORBIDDEN, "wrong checksum" if secret else "no secret set"
        if self.order_uuid and self.order_uuid != report.order_uuid:
            return HTTPStatus.BAD_REQUEST, "another order's number"
        if not self._is_own_amount(report.amount):
            return HTTPStatus.OK, "another amount"
        if not self._accept(report):
            return HTTPStatus.OK, "moved nothing"
        return HTTPStatus.OK, ""

    def _accept(self, report):
        """Follow a callback that proved to be Front Payment's.

        :return: whether the order moved
        """
        if not self.order_uuid and statuses.state_of(report.status):
            # It came before the answer to the submission was stored (question 22).
            self.order_uuid = report.order_uuid
        day = fields.Datetime.context_timestamp(
            self.with_context(tz=self.company_id.partner_id.tz or TIME_ZONE),
            report.sent_at.replace(tzinfo=None),
        )
        return self._report(report.status, day.date())

    # === FOLLOWING A STATUS === #

    def _report(self, status, date=None):
        """Follow a status that Front Payment reported, in a callback or when asked.

        Repeated and late reports, and statuses that say nothing about an invoice,
        move nothing (section 17.4, questions 12 and 13 of section 24).

        :param str status: as Front Payment spells it
        :param date: on which day it came about; today without it
        :return: whether the order moved
        """
        state = statuses.state_of(status)
        if not state or state == self.state:
            return False
        if not self._move_to(state):
            self._record_contradiction(state)
            return False
        self.error = False
        if state != "sent":
            self.verification_url = False
            self.move_id.message_post(
                body=self.env._(
                    "Front Payment: %(state)s", state=self._state_label(state)
                )
            )
        self._settle(date)
        return True

    def _settle(self, date=None):
        """Register the payment once the order is in a state that settles the claim.

        The payment goes through Odoo's own register-payment wizard. Where it can't be
        made (no journal, an invoice paid by hand), the order keeps its state and tells
        what is left to do.
        """
        settling = SETTLING_STATES[self.company_id.frontpay_settle_on]
        if self.state not in settling or self.payment_id:
            return
        try:
            with self.env.cr.savepoint():
                self.payment_id = self._register_payment(date)
        except (UserError, RedirectWarning) as error:
            self._record_unsettled(error.args[0])
        else:
            self.error = False

    def _record_contradiction(self, state):
        """Tell of a claim or payment for an order that counts as ended here."""
        if self.state not in ENDED_STATES or state not in INVOICED_STATES:
            return
        self._record_error(
            self.env._(
                "Front Payment reports “%(reported)s” for order %(order)s, which is"
                " “%(state)s” here. Look it up at Front Payment before you send the"
                " invoice again or register a payment.",
                reported=self._state_label(state),
                order=self.order_uuid or self.reference,
                state=self._state_label(self.state),
            )
        )

    def _record_unsettled(self, reason):
        self._record_error(
            self.env._(
                "Front Payment has settled this invoice, but the payment couldn't be"
                " registered: %s Register it by hand in the Front Payment journal.",
                reason,
            )
        )

    def _register_payment(self, date=None):
        journal = self.company_id.frontpay_journal_id
        if not journal:
            raise UserError(
                self.env._("The settings name no Front Payment journal any more.")
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

    def _is_own_amount(self, amount):
        """Whether a callback's amount is this order's, in NOK or øre (question 14).

        :param Decimal amount: as received
        """
        own = Decimal(float_repr(self.amount, 2))
        return amount in (own, own * 100)

    # === ASKING FRONT PAYMENT === #

    def _refresh(self):
        """Ask for the current status of orders that Front Payment knows.

        :return: {order: sentence} of those that couldn't be asked for
        """
        failures = {}
        for company, orders in self.grouped("company_id").items():
            exchanges = []
            with company._frontpay_client(exchanges.append) as client:
                for order in orders.filtered("order_uuid"):
                    try:
                        report = client.status(order.order_uuid)
                        number = order._asked_invoice_number(client, report)
                    except errors.FrontPaymentError as error:
                        _state, failures[order] = frontpay_outcome.of(error, self.env)
                        order._keep(exchanges)
                        continue
                    order._keep(exchanges, partial(order._catch_up, report, number))
        return failures

    def _asked_invoice_number(self, client, report):
        """The number of Front Payment's invoice, once there is one (section 15b)."""
        state = statuses.state_of(report.status)
        if self.invoice_number or state not in INVOICED_STATES:
            return self.invoice_number
        try:
            return client.invoice_number(self.order_uuid)
        except errors.NotFound:
            return False

    def _catch_up(self, report, invoice_number):
        self.invoice_number = invoice_number
        if report.refunded_amount is not None:
            self.refunded_amount = float(report.refunded_amount)
        self._report(report.status)
        # A payment that couldn't be registered before may go now.
        self._settle()
