import logging
import secrets
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError

from ..connect import errors, rules
from ..connect.channels import CHANNELS, fingerprint, updating
from ..connect.order import CallbackAddresses
from ..mapping import Problem, channel_of, order_of
from . import frontpay_outcome
from .frontpay_order_queue import SAME_FOR_ALL, Unchanged

_logger = logging.getLogger(__name__)

SENDER_LOCK = 0x46504753  # "FPGS": keeps our advisory locks apart from others'
FIRST_LOOK = timedelta(minutes=1)  # until it is looked for after a lost answer
ATTENTION = "frontpay_odoo.activity_attention"


class FrontpayOrder(models.Model):
    """How an invoice is handed over, and how its order is brought up to date."""

    _inherit = "frontpay.order"

    @api.model
    @contextmanager
    def _sender_lock(self, move):
        """Be the only one who sends this invoice, or looks what became of it.

        The lock lies on a connection of its own, so it outlasts the commits of the
        sending; PostgreSQL drops it when the process dies, however that happens. So
        whoever gets it knows that no living sender has the invoice.

        :raises LockError: somebody else has it
        """
        with self.env.registry.cursor() as cr:
            cr.execute(
                "SELECT pg_try_advisory_xact_lock(%s, %s)", [SENDER_LOCK, move.id]
            )
            if not cr.fetchone()[0]:
                raise LockError(self._busy_message(move))
            try:
                yield
            finally:
                # A connection of its own, on which nothing was changed.
                cr.commit()  # pylint: disable=invalid-commit

    @api.model
    def _busy_message(self, move):
        return self.env._(
            "%s is just being handled by somebody else. Try again in a moment.",
            move.display_name,
        )

    def _ask_responsible(self, sentence):
        """Give the invoice's responsible something to do, unless they have it already.

        :param str sentence: what happened and what to do about it
        """
        move = self.move_id
        person = move.invoice_user_id or self.create_uid
        if not move.activity_search([ATTENTION]):
            move.activity_schedule(ATTENTION, note=sentence, user_id=person.id)

    def _settle_activities(self):
        """What the responsible was asked to do is done."""
        self.move_id.activity_unlink([ATTENTION])

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
        is_update = current._can_be_updated()
        is_queued = current.state == "queued"
        if move._frontpay_has_order() and not is_update and not is_queued:
            return None, "", [Problem(move, move._frontpay_has_order_message())]
        token = current.token if is_update or is_queued else self._new_token()
        order, problems = order_of(
            move,
            self._callbacks(move.company_id, token),
            self._reference_of(move),
        )
        if order and is_update and current._is_up_to_date(order):
            problems = [Problem(move, move._frontpay_unchanged_message())]
        return order, token, problems

    @api.model
    def _new_token(self):
        return secrets.token_urlsafe(24)

    @api.model
    def _reference_of(self, move):
        """What Front Payment knows the invoice by, over all attempts to send it.

        Readable for people, and different from what another database or a copy of
        this one could make of an invoice of the same name: an order that is found by
        it is this invoice's.
        """
        known = move.sudo().frontpay_order_id.reference
        return known or f"{move.name}-{secrets.token_hex(4)}"

    def _send(self, move, client, exchanges):
        """Hand one invoice to Front Payment.

        The order with its token is committed before the request goes out, the outcome
        right after the answer: whatever breaks in between, the invoice isn't sent
        twice and the order isn't forgotten. Called on an order of the queue, it sends
        that one, else what the invoice needs.

        :param move: an invoice that :meth:`_check` found nothing wrong with
        :param client: an open :class:`connect.client.Client`
        :param list exchanges: where that client logs
        :return: (the order, the :class:`connect.errors.FrontPaymentError` that kept it
            from being sent or None)
        :raises LockError: somebody else is sending it
        :raises UserError: it can't be sent as it is now
        """
        with self._sender_lock(move):
            order, channel, document = self._in_transaction(
                partial(self._reserve, move)
            )
            error = order._submit(client, channel, document, exchanges, waits=not self)
        return order, error

    def _submit(self, client, channel, document, exchanges, waits):
        """Send what was reserved, and store the outcome.

        :param bool waits: whether somebody waits to see what becomes of it
        :return: the error that kept it from being sent, or None
        """
        is_update = "fpgoUuid" in document
        # Nothing is read before the answer: a transaction would begin, and not see what
        # a callback writes meanwhile.
        try:
            submitted = client.submit(channel, document)
        except errors.FrontPaymentError as error:
            record = self._record_failed_update if is_update else self._record_failure
            self._keep(exchanges, partial(record, error))
            return error
        if is_update:
            self._keep(exchanges, partial(self._record_update, document, submitted))
            return None
        self._keep(exchanges, partial(self._record_submitted, submitted))
        report = self._report_at_once(client, submitted) if waits else None
        self._keep(exchanges, partial(self._follow_submission, submitted, report))
        return None

    def _reserve(self, move):
        """Make the invoice's one order, as ``sending``, under the invoice's lock.

        An order that waits for its customer stays the one it is. Called on an order of
        the queue, it must still be there.

        :return: (order, its channel, its JSON)
        """
        self._lock_invoice(move)
        if self and not self._is_queued():
            # Somebody sent it meanwhile, or took it out of the queue.
            raise LockError(self._busy_message(move))
        order, token, problems = self._mapped(move)
        if problems:
            # The order was read, so what speaks against sending is that it was sent.
            refusal = Unchanged if order else UserError
            raise refusal("\n".join(problem.message for problem in problems))
        current = move.sudo().frontpay_order_id
        is_update = current._can_be_updated()
        name = current.channel if is_update else channel_of(move)
        channel = CHANNELS[name]
        document = channel.to_json(order)
        if is_update:
            document = updating(document, current.order_uuid)
        self._check_rules(move, name, document)
        for note in order.notes:
            move.message_post(body=note)
        if is_update:
            return current, channel, document
        values = {
            "state": "sending",
            "channel": name,
            "environment": move.company_id.frontpay_environment,
            "amount": float(order.summary.grand_total),
            "fingerprint": fingerprint(document, move.invoice_date_due),
            "sending_at": fields.Datetime.now(),
            "note": "\n".join(order.notes),
            "error": False,
        }
        if current.state == "queued":
            current.write(values)
            return current, channel, document
        values |= {"move_id": move.id, "reference": order.reference, "token": token}
        return self.sudo().create(values), channel, document

    @api.model
    def _lock_invoice(self, move):
        """Keep everybody else from the invoice until the transaction ends.

        :raises LockError: somebody else has it
        """
        try:
            move.lock_for_update()
        except LockError:
            raise LockError(self._busy_message(move)) from None
        # An earlier order's end goes to the database before the next one begins.
        self.flush_model(["state"])
        move.invalidate_recordset()
        self.invalidate_model()

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
                "retry_at": False,
                "error": False,
            }
        )
        self._plan_question()
        self._plan_question()

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
        if isinstance(error, SAME_FOR_ALL):
            self._fail_queue(self.company_id, sentence)
        next_try = self._put_off(error)
        if next_try:
            state, sentence = "queued", f"{sentence}\n{next_try}"
        # After a lost answer, a callback may have told already that it went well.
        if not self._move_to(state):
            return
        if state == "unknown":
            self._trigger_cron("cron_resolve", FIRST_LOOK)
        self._record_error(sentence)

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

    def _record_update(self, document, submitted):
        """Keep what Front Payment has now.

        An update names its order, so it may be repeated: an answer that got lost makes
        no second order.
        """
        self.update_queued = False
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
        self.update_queued = False
        self._record_error(
            self.env._(
                "Order %(order)s was not brought up to date: %(reason)s",
                order=self.order_uuid,
                reason=sentence,
            )
        )
