import logging
import re
import secrets
from decimal import Decimal
from functools import partial
from http import HTTPStatus

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import LockError, RedirectWarning, UserError
from odoo.service.model import retrying
from odoo.tools import float_repr

from ..connect import errors, rules, statuses
from ..connect.channels import CHANNELS, fingerprint, updating
from ..connect.checksum import is_signed
from ..connect.order import CallbackAddresses
from ..mapping import Problem, channel_of, order_of
from . import frontpay_outcome

_logger = logging.getLogger(__name__)

########################################################################################
# STATE DIAGRAM
#
#   queued ──> sending ──┬──> failed
#                        ├──> unknown ──┐         (settled by a callback or a question)
#                        └──> sent <────┤
#                              │        │
#            ┌─────────────────┼────────┼──────> cancelled
#            │                 v        v
#            ├──────────────> invoiced ──> reminded ──> collection
#            │                 │            │            │
#            v                 v            v            v
#         expired             paid <─────────────────────┘
#                              │
#                              └──> partially_refunded ──> refunded
#
# What Front Payment reports moves an order forward, over skipped states too, and never
# back: SOURCES names the states from which each state can be reached.
########################################################################################
STATES = [
    ("queued", "Queued"),
    ("sending", "Being Sent"),
    ("unknown", "Outcome Unknown"),
    ("failed", "Not Sent"),
    ("sent", "Sent"),
    ("invoiced", "Invoiced"),
    ("reminded", "Reminded"),
    ("collection", "Debt Collection"),
    ("paid", "Paid"),
    ("partially_refunded", "Partially Refunded"),
    ("refunded", "Refunded"),
    ("cancelled", "Cancelled"),
    ("expired", "Expired"),
]
_SUBMITTED = {"sending", "unknown"}
_CLAIMED = {"invoiced", "reminded", "collection"}
SOURCES = {
    "sending": {"queued"},
    "unknown": {"sending"},
    "failed": {"queued", "sending", "unknown"},
    "sent": _SUBMITTED,
    "invoiced": _SUBMITTED | {"sent"},
    "reminded": _SUBMITTED | {"sent", "invoiced"},
    "collection": _SUBMITTED | {"sent", "invoiced", "reminded"},
    "paid": _SUBMITTED | {"sent"} | _CLAIMED,
    "partially_refunded": _SUBMITTED | {"sent", "paid"} | _CLAIMED,
    "refunded": _SUBMITTED | {"sent", "paid", "partially_refunded"} | _CLAIMED,
    "cancelled": _SUBMITTED | {"sent"} | _CLAIMED,
    "expired": _SUBMITTED | {"sent"} | _CLAIMED,
}
# States in which Front Payment's invoice has a number (section 15b).
INVOICED_STATES = _CLAIMED | {"paid", "partially_refunded", "refunded"}
TOKEN = re.compile(r"[\w-]{32}", re.ASCII)
TIME_ZONE = "Europe/Oslo"  # Front Payment's, for companies that have none
# After these, the invoice may be sent anew; in all others it has its one order.
ENDED_STATES = ("failed", "cancelled", "expired")
# The states on which the payment is registered, by ``frontpay_settle_on``.
SETTLING_STATES = {
    "paid": {"paid"},
    "invoiced": _CLAIMED | {"paid"},
}


class FrontpayOrder(models.Model):
    _name = "frontpay.order"
    _description = "Front Payment Order"
    _order = "id desc"
    _rec_name = "reference"

    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(
        related="move_id.company_id", store=True, index=True, precompute=True
    )
    currency_id = fields.Many2one(related="move_id.currency_id")
    partner_id = fields.Many2one(
        related="move_id.commercial_partner_id", string="Customer"
    )
    state = fields.Selection(STATES, required=True, readonly=True, default="queued")
    channel = fields.Selection(
        [(name, channel.label) for name, channel in CHANNELS.items()],
        required=True,
        readonly=True,
    )
    reference = fields.Char(required=True, readonly=True)
    token = fields.Char(
        string="Address Token",
        required=True,
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="The part of the callback address that only Front Payment knows.",
    )
    amount = fields.Monetary(readonly=True)
    fingerprint = fields.Char(
        readonly=True, groups="base.group_system", help="What was handed over, hashed."
    )
    order_uuid = fields.Char(string="Order Number", readonly=True, index=True)
    customer_uuid = fields.Char(string="Customer Number", readonly=True)
    verification_url = fields.Char(
        string="BankID Address",
        readonly=True,
        help="Where the customer confirms the order. It is of no use afterwards.",
    )
    invoice_number = fields.Char(readonly=True)
    refunded_amount = fields.Monetary(readonly=True)
    error = fields.Text(readonly=True)
    note = fields.Text(
        readonly=True, help="What was worth knowing when the order was made."
    )
    sent_at = fields.Datetime(readonly=True)
    payment_id = fields.Many2one(
        "account.payment", readonly=True, index="btree_not_null"
    )
    exchange_ids = fields.One2many("frontpay.exchange", "order_id", readonly=True)

    _unique_token = models.UniqueIndex("(token)")
    # The last wall against sending twice, whatever the code above it does.
    _one_order_per_invoice = models.UniqueIndex(
        "(move_id) WHERE state NOT IN ('failed', 'cancelled', 'expired')",
        "This invoice has been handed to Front Payment already.",
    )

    @api.ondelete(at_uninstall=False)
    def _unlink_if_never_stored(self):
        if any(order.state != "failed" for order in self):
            raise UserError(
                self.env._("An order that Front Payment knows can't be deleted.")
            )

    # === SENDING === #

    @api.model
    def _check(self, move):
        """Everything that keeps an invoice from being sent, without sending it.

        :return: list of :class:`mapping.Problem`
        """
        _order, _token, problems = self._mapped(move)
        return problems

    @api.model
    def _mapped(self, move):
        """Read an invoice that is to be sent, or sent once more.

        :return: (the order as plain data, its path token, list of problems)
        """
        current = move.sudo().frontpay_order_id
        if move._frontpay_has_order() and not current._can_be_updated():
            return None, "", [Problem(move, move._frontpay_has_order_message())]
        is_update = current._can_be_updated()
        token = current.token if is_update else secrets.token_urlsafe(24)
        order, problems = order_of(move, self._callbacks(move.company_id, token))
        if order and is_update and current._is_up_to_date(order):
            problems = [Problem(move, move._frontpay_unchanged_message())]
        return order, token, problems

    @api.model
    def _send(self, move, client, exchanges):
        """Hand one invoice to Front Payment.

        The order with its token is committed before the request goes out, the outcome
        right after the answer: whatever breaks in between, the invoice isn't sent
        twice and the order isn't forgotten.

        :param move: an invoice that :meth:`_check` found nothing wrong with
        :param client: an open :class:`connect.client.Client`
        :param list exchanges: where that client logs
        :return: the order, in state ``sent`` or later, ``failed`` or ``unknown``
        :raises UserError: somebody else is sending it, or has just sent it
        """
        order, document = self._in_transaction(partial(self._reserve, move))
        if order.order_uuid:
            return order._update(client, document, exchanges)
        try:
            submitted = client.submit(CHANNELS[order.channel], document)
        except errors.FrontPaymentError as error:
            order._keep(exchanges, partial(order._record_failure, error))
            return order
        order._keep(exchanges, partial(order._record_submitted, submitted))
        report = order._report_at_once(client, submitted)
        order._keep(exchanges, partial(order._follow_submission, submitted, report))
        return order

    @api.model
    def _reserve(self, move):
        """Make the invoice's one order, as ``sending``, under the invoice's lock.

        An order that waits for its customer stays the one it is.

        :return: (order, its JSON)
        """
        try:
            move.lock_for_update()
        except LockError:
            raise UserError(
                self.env._(
                    "%s is just being handled by somebody else. Try again in a moment.",
                    move.display_name,
                )
            ) from None
        # An earlier order's end goes to the database before the next one begins.
        self.flush_model(["state"])
        move.invalidate_recordset()
        order, token, problems = self._mapped(move)
        if problems:
            raise UserError("\n".join(problem.message for problem in problems))
        current = move.sudo().frontpay_order_id
        is_update = current._can_be_updated()
        channel = current.channel if is_update else channel_of(move)
        document = CHANNELS[channel].to_json(order)
        if is_update:
            document = updating(document, current.order_uuid)
        self._check_rules(move, channel, document)
        for note in order.notes:
            move.message_post(body=note)
        if is_update:
            return current, document
        record = self.sudo().create(
            {
                "move_id": move.id,
                "state": "sending",
                "channel": channel,
                "reference": order.reference,
                "token": token,
                "amount": float(order.summary.grand_total),
                "fingerprint": fingerprint(document, move.invoice_date_due),
                "note": "\n".join(order.notes),
            }
        )
        return record, document

    @api.model
    def _check_rules(self, move, channel, document):
        """Hold what is about to be sent against the documented rules.

        The pre-flight has passed, so whatever is found is a fault of ours.

        :raises UserError: with the rules that are broken, and no value of the document
        """
        rates = move.company_id._frontpay_tax_rates()
        broken = rules.broken(channel, document, rates)
        if not broken:
            return
        lines = [f"{path}: {rule}" for path, rule in broken]
        _logger.error(
            "Invoice %s breaks rules of channel %s: %s",
            move.id,
            channel,
            "; ".join(lines),
        )
        raise UserError(
            self.env._(
                "%(invoice)s wasn't sent because of an error in the Front Payment"
                " addon, not in your invoice. Tell whoever maintains the addon what it"
                " got wrong:\n%(rules)s",
                invoice=move.display_name,
                rules="\n".join(lines),
            )
        )

    @api.model
    def _callbacks(self, company, token):
        base = f"{company._frontpay_public_url()}/frontpay"
        return CallbackAddresses(
            callback=f"{base}/callback/{token}",
            success=f"{base}/return/{token}/success",
            failure=f"{base}/return/{token}/failure",
        )

    def _report_at_once(self, client, submitted):
        """What Front Payment says of an order that asks for no confirmation
        (question 5).

        A lost answer does no harm here: a callback or a refresh brings it later.

        :return: :class:`connect.answers.OrderStatus`, or None
        """
        if submitted.verification_url:
            return None
        try:
            return client.status(submitted.order_uuid)
        except errors.FrontPaymentError:
            return None

    def _record_submitted(self, submitted):
        """Keep what must not be lost, and nothing that could fail."""
        # A callback may have come first and told the number and a later state.
        self._move_to("sent")
        waiting = self.state == "sent"
        self.write(
            {
                "order_uuid": self.order_uuid or submitted.order_uuid,
                "customer_uuid": submitted.customer_uuid,
                "verification_url": waiting and submitted.verification_url,
                "sent_at": fields.Datetime.now(),
                "error": False,
            }
        )

    def _follow_submission(self, submitted, report):
        customer = self.partner_id.with_company(self.company_id)
        if submitted.customer_uuid != customer.frontpay_customer_uuid:
            customer.frontpay_customer_uuid = submitted.customer_uuid
        self.move_id.message_post(
            body=self.env._("Handed to Front Payment as order %s.", self.order_uuid)
        )
        if report:
            self._report(report.status)

    def _record_failure(self, error):
        state, sentence = frontpay_outcome.of(error, self.env)
        # After a lost answer, a callback may have told already that it went well.
        if not self._move_to(state):
            return
        self.error = sentence
        self.move_id.message_post(body=sentence)

    def _keep(self, exchanges, record=None):
        """Store what was exchanged and what follows from it, at once.

        :param list exchanges: what the client logged since the last time; emptied
        :param record: writes the outcome, if there is one
        """

        def outcome():
            self.env["frontpay.exchange"]._log(self.company_id, exchanges, self)
            if record:
                record()

        self._in_transaction(outcome)
        exchanges.clear()

    def _in_transaction(self, step):
        """Run a step in a transaction of its own, committed when this returns.

        A serialisation failure runs the step again, as Odoo does with a request, so
        the step calls nothing outside. In Odoo's tests it runs in the test's own
        transaction.
        """
        if self.env["account.move"]._can_commit():
            return retrying(step, self.env)
        return step()

    # === UPDATING === #

    def _can_be_updated(self):
        """Whether sending the invoice again changes this order.

        It does while the customer hasn't confirmed, on the channels whose page knows
        ``fpgoUuid`` (section 4.1).
        """
        return bool(
            self.state == "sent" and self.order_uuid and CHANNELS[self.channel].updates
        )

    def _is_up_to_date(self, order):
        """Whether Front Payment has the invoice as it stands now."""
        document = CHANNELS[self.channel].to_json(order)
        due_date = self.move_id.invoice_date_due
        return self.fingerprint == fingerprint(document, due_date)

    def _update(self, client, document, exchanges):
        """Bring the order at Front Payment up to date.

        It names the order, so it may be repeated: an answer that got lost makes no
        second order.

        :return: the order, with an error where it couldn't be updated
        """
        try:
            submitted = client.submit(CHANNELS[self.channel], document)
        except errors.FrontPaymentError as error:
            self._keep(exchanges, partial(self._record_failed_update, error))
        else:
            self._keep(exchanges, partial(self._record_update, document, submitted))
        return self

    def _record_update(self, document, submitted):
        if submitted.order_uuid != self.order_uuid:
            self._record_error(
                self.env._(
                    "Front Payment was asked to update order %(order)s, but answered"
                    " with order %(other)s. Ask Front Payment which one is valid.",
                    order=self.order_uuid,
                    other=submitted.order_uuid,
                )
            )
            return
        self.write(
            {
                "amount": float(document["orderSummary"]["grandTotal"]),
                "fingerprint": fingerprint(document, self.move_id.invoice_date_due),
                "error": False,
            }
        )
        if self.state == "sent":
            self.verification_url = submitted.verification_url
        self.move_id.message_post(
            body=self.env._("Updated order %s at Front Payment.", self.order_uuid)
        )

    def _record_failed_update(self, error):
        _state, sentence = frontpay_outcome.of(error, self.env)
        self._record_error(
            self.env._(
                "Order %(order)s was not brought up to date: %(reason)s",
                order=self.order_uuid,
                reason=sentence,
            )
        )

    # === CALLBACK === #

    @api.model
    def _by_token(self, token):
        """The order whose callback and return addresses carry this token.

        :param str token: from the address, whatever somebody typed there
        :return: one ``frontpay.order`` as system user with its company, or none
        """
        if not TOKEN.fullmatch(token):
            return self.browse()
        order = self.search([("token", "=", token)])
        return order.with_user(SUPERUSER_ID).with_company(order.company_id)

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

    # === WHAT FRONT PAYMENT REPORTS === #

    def _move_to(self, state):
        """Take a state if it lies ahead.

        :return: whether the state was taken
        """
        self.ensure_one()
        if self.state not in SOURCES[state]:
            return False
        self.state = state
        return True

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

    def _state_label(self, state):
        return dict(self._fields["state"]._description_selection(self.env))[state]

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

    def _record_error(self, sentence):
        """Tell what a person has to look at, once."""
        if sentence != self.error:
            self.error = sentence
            self.move_id.message_post(body=sentence)

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
