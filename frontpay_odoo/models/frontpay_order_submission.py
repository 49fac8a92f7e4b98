import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

from ..connect import errors, rules
from ..connect.channels import CHANNELS, Channel, due_date, fingerprint, updating
from ..connect.order import CallbackAddresses
from ..mapping import Problem, channel_of, order_of
from ..mapping.problem import localized
from ..mapping.remedy import settings_remedy
from ..tools import error_messages, retry, transaction
from ..tools.sentence import in_each_language, joined, keep
from .frontpay_order import IN_DOUBT_STATES

_lt = LazyTranslate(__name__)
_logger = logging.getLogger(__name__)

# The parts of an invoice that may change after Front Payment got it.
PART_LABELS = {
    "lines": _lt("lines"),
    "customer": _lt("customer"),
    "references": _lt("references"),
    "due_date": _lt("due date"),
    "terms": _lt("invoice terms"),
    "callback": _lt("address for callbacks"),
}

MAX_TRIES = 8  # about two hours
# Until it is looked for after a lost answer.
RECOVERY_DELAY = timedelta(minutes=1)
# The connection may be to blame, or something between here and Front Payment that
# minds this one request.
DOUBTFUL = (errors.Unauthorized, errors.NotFrontPayment)


class NothingToUpdate(UserError):
    """Front Payment has the invoice as it is, so there is nothing to send."""


class SendingPaused(UserError):
    """Nothing of the company's can be sent now, whatever the invoice.

    :param sentence: what is the matter
    :param error: the :class:`connect.errors.FrontPaymentError`, if there was a call
    """

    def __init__(self, sentence, error=None):
        super().__init__(sentence)
        self.error = error


class Plan(NamedTuple):
    """How an invoice is to go: as a new order, or as an update of the one it has.

    :param current: the ``frontpay.order`` that the invoice has, or none
    :param channel_name: a key of :const:`CHANNELS`
    """

    current: models.BaseModel
    is_update: bool
    channel_name: str
    token: str
    reference: str


@dataclass(frozen=True)
class Submission:
    """What was reserved, and goes out next.

    :param dict document: the order's JSON
    """

    order: models.BaseModel
    channel: Channel
    document: dict
    is_update: bool


class FrontpayOrder(models.Model):
    """An invoice is submitted, and its order brought up to date."""

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _preflight(self, move):
        """Everything that keeps an invoice from being sent, without sending it.

        :return: list of :class:`mapping.Problem`
        """
        _order, problems = self._prepare(move, self._plan(move))
        return problems

    @api.model
    @in_each_language
    def _preflight_sentence(self, move, record=None):
        """:param record: of whose problems alone; all without it"""
        problems = self._preflight(move)
        return "\n".join(
            problem.message for problem in problems if record in (None, problem.record)
        )

    @api.model
    def _send(self, move, client, *, interactive):
        """Submit one invoice: reserve and commit, call, record and commit.

        The order with its token is committed before the request goes out, the outcome
        right after the answer: whatever breaks in between, the invoice isn't sent
        twice and the order isn't forgotten.

        :param move: an invoice that :meth:`_preflight` found nothing wrong with
        :param client: an open :class:`connect.client.Client`
        :param bool interactive: whether somebody waits for it; else it must still be
            in the queue
        :return: (the order, the :class:`connect.errors.FrontPaymentError` that kept it
            from being sent or None)
        :raises LockError: somebody else is sending it
        :raises SendingPaused: nothing can be sent now, so it stays in the queue
        :raises UserError: it can't be sent as it is now
        """
        with transaction.sender_lock(move):
            reserve = partial(
                self._reserve, move, client.base_url, interactive=interactive
            )
            submission = transaction.run(self.env, reserve)
            order = submission.order
            error = order._submit(submission, client, interactive=interactive)
            order._email_new_link(at_once=interactive)
            return order, error

    def _submit(self, submission, client, *, interactive):
        """Send what was reserved, and store the outcome.

        :return: the error that kept it from being sent, or None
        :raises SendingPaused: nothing can be sent now, so it stays in the queue
        """
        # Nothing is read before the answer: a transaction would begin, and not see what
        # a callback brings meanwhile.
        try:
            answer = client.submit(submission.channel, submission.document)
        except errors.FrontPaymentError as failure:
            error, is_general = _diagnosis(client, failure)
            if is_general and not interactive:
                self._save_exchanges(client, self._set_state, "queued")
                sentence = error_messages.connection_message(self.company_id, error)
                raise SendingPaused(sentence, error) from None
            is_update = submission.is_update
            record = self._record_failed_update if is_update else self._record_failure
            self._save_exchanges(client, record, error)
            return error
        if submission.is_update:
            document = submission.document
            self._save_exchanges(client, self._record_update, document, answer)
            return None
        if not self._save_exchanges(client, self._record_submitted, answer):
            return errors.UnknownOutcome("the answer names another order")
        if interactive and not answer.verification_url:
            self._follow_initial_status(client, answer)
        return None

    # === BEFORE THE REQUEST === #

    @api.model
    def _plan(self, move):
        current = move.sudo().frontpay_order_id
        is_update = current._can_be_updated()
        goes_on = is_update or current.state == "queued"
        return Plan(
            current,
            is_update,
            current.channel if is_update else channel_of(move),
            current.token if goes_on else self._new_token(),
            self._reference_of(move),
        )

    @api.model
    def _prepare(self, move, plan):
        """Read an invoice that is to be sent, or sent once more.

        :return: (the order as plain data or None, list of :class:`mapping.Problem`)
        """
        current = plan.current
        waits = current.state == "queued" and not current.order_uuid
        if current._keeps_invoice() and not (waits or plan.is_update):
            brief = self.env._("handed over already")
            return None, [Problem(move, current._not_again_message(), brief=brief)]
        order, problems = order_of(
            move,
            plan.channel_name,
            self._callback_addresses(move.company_id, plan.token),
            plan.reference,
        )
        if order and plan.is_update and current._is_up_to_date(order):
            brief = self.env._("unchanged since it was handed over")
            problems = [Problem(move, current._unchanged_message(), brief=brief)]
        return order, problems

    @api.model
    def _reserve(self, move, base_url, *, interactive):
        """Make the invoice's one order, as ``sending``, under the invoice's lock.

        An order that waits for its customer stays the one it is.

        :param base_url: where it is about to be sent
        :rtype: Submission
        """
        transaction.lock(move)
        if base_url != move.company_id._frontpay_api_url():
            raise SendingPaused(self._just_changed_sentence())
        plan = self._plan(move)
        current = plan.current
        if not interactive and not current._is_queued():
            # Somebody sent it meanwhile, or took it out of the queue.
            raise transaction.busy(move)
        if not plan.is_update and current._may_be_there():
            raise transaction.busy(move)
        if not plan.is_update:
            # What its credit notes did to an order that has ended, they do to the new
            # one when they are sent.
            refunds = move.reversal_move_ids.sudo().frontpay_refund_id
            refunds.filtered(lambda refund: refund._is_of_ended_order()).unlink()
        order, problems = self._prepare(move, plan)
        if problems:
            if not interactive and problems[0].record == move.company_id:
                raise SendingPaused(self._preflight_sentence(move, move.company_id))
            # The order was read, so what speaks against sending is that it was sent.
            refusal = NothingToUpdate if order else UserError
            raise refusal(self._preflight_sentence(move))
        channel = CHANNELS[plan.channel_name]
        document = channel.to_json(order)
        if plan.is_update:
            document = updating(document, current.order_uuid)
        self._check_rules(move, plan.channel_name, document)
        known = (current.note or "").splitlines()
        for note in order.notes:
            if note not in known:
                move._message_log(body=note)
        if not plan.is_update:
            current = self._reserved_order(move, plan, order, document)
        return Submission(current, channel, document, plan.is_update)

    @api.model
    def _reserved_order(self, move, plan, order, document):
        """The order as ``sending``: the one that was queued, or a new one."""
        values = {
            "state": "sending",
            "channel": plan.channel_name,
            **move.company_id._frontpay_destination(),
            **self._document_values(move, document),
            "sending_at": fields.Datetime.now(),
            "note": "\n".join(order.notes),
        }
        if plan.current.state == "queued":
            plan.current.write(values)
            return plan.current
        if plan.current._is_left_in_demo():
            plan.current._close_test()
        values |= {
            "move_id": move.id,
            "reference": plan.reference,
            "token": plan.token,
        }
        return self.sudo().create(values)

    @api.model
    def _document_values(self, move, document):
        """What Front Payment has of an invoice, once it took a document."""
        return {
            "amount": float(document["orderSummary"]["grandTotal"]),
            "due_date": due_date(document),
            "sent_parts": fingerprint(document, move.invoice_date_due),
        }

    @api.model
    def _check_rules(self, move, channel_name, document):
        """Hold what is about to be sent against the documented rules.

        The pre-flight has passed, so whatever is found is a fault of ours.

        :raises UserError: with the rules that are broken, and no value of the document
        """
        rates = move.company_id._frontpay_tax_rates()
        violations = rules.violations(channel_name, document, rates)
        if not violations:
            return
        lines = [f"{path}: {rule}" for path, rule in violations]
        _logger.error(
            "Invoice %s breaks rules of channel %s: %s",
            move.id,
            channel_name,
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
    def _callback_addresses(self, company, token):
        base = f"{company._frontpay_public_url()}/frontpay"
        return CallbackAddresses(
            callback=company._frontpay_callback_url(token),
            success=f"{base}/return/{token}/success",
            failure=f"{base}/return/{token}/failure",
        )

    def _is_up_to_date(self, order):
        """Whether Front Payment has the invoice as it stands now."""
        return not self._changed_parts(order)

    def _changed_parts(self, order):
        """What of the invoice Front Payment has otherwise.

        :param connect.order.Order order: the invoice as it stands now
        :return: list of keys of :const:`PART_LABELS`; all, if nobody knows what it has
        """
        document = CHANNELS[self.channel].to_json(order)
        now = fingerprint(document, self.move_id.invoice_date_due)
        sent = self.sent_parts or {}
        return [part for part in PART_LABELS if now.get(part) != sent.get(part)]

    def _difference(self):
        """What Front Payment has otherwise than the invoice says now, whatever the
        order's state.

        :return: (whether there is anything, a sentence about it; empty where nobody
            knows what Front Payment has, or the invoice can't be sent as it is)
        """
        order, problems = order_of(
            self.move_id,
            self.channel,
            self._callback_addresses(self.company_id, self.token),
            self.reference,
        )
        changed = [] if problems else self._changed_parts(order)
        if not changed or not self.sent_parts:
            return bool(problems or changed), ""
        labels = (localized(self.env, PART_LABELS[part]) for part in changed)
        return True, self.env._(
            "Changed since Front Payment got it: %s.", ", ".join(labels)
        )

    def _has_invoice_as_it_is(self):
        is_changed, _sentence = self._difference()
        return not is_changed

    def _not_again_message(self):
        """Why it isn't sent a second time."""
        if self.state not in IN_DOUBT_STATES or not self._is_of_this_environment():
            return self._sent_already_message()
        return self.env._(
            "%s may be at Front Payment already, so it isn't sent. Check its outcome"
            " first.",
            self.move_id.display_name,
        )

    def _sent_already_message(self):
        if not self._is_of_this_environment():
            return self.env._(
                "%(invoice)s has been handed to Front Payment already (%(state)s), at"
                " %(url)s. The settings lead to another environment now. To go on with"
                " this order, the former one has to be chosen: %(remedy)s",
                remedy=settings_remedy(self.company_id, "frontpay_environment"),
                invoice=self.move_id.display_name,
                state=self._state_label(self.state),
                url=self.base_url,
            )
        return self.env._(
            "%(invoice)s has been handed to Front Payment already (%(state)s).",
            invoice=self.move_id.display_name,
            state=self._state_label(self.state),
        )

    def _unchanged_message(self):
        return self.env._(
            "%(invoice)s hasn't changed since it was handed to Front Payment, so it"
            " isn't sent again.",
            invoice=self.move_id.display_name,
        )

    # === AFTER THE ANSWER === #

    def _follow_initial_status(self, client, answer):
        """What Front Payment says of an order that needs no confirmation (question 5).

        A lost answer does no harm here: polling brings it later.
        """
        record, report = None, None
        with suppress(errors.FrontPaymentError):
            report = client.status(answer.order_uuid)
            record = self._apply_response
        self._save_exchanges(client, record, report)

    def _record_submitted(self, answer):
        """Keep what must not be lost, and nothing that could fail.

        :return: whether the answer is about this order
        """
        # A callback may have come first and told the number and a later state.
        if not self._assign_order_uuid(answer.order_uuid):
            self._record_wrong_number(answer)
            return False
        if self.state == "sent":
            self._keep_link(answer.verification_url)
        self.write(
            {"customer_uuid": answer.customer_uuid, "sent_at": fields.Datetime.now()}
        )
        self._schedule_next_poll()
        self._tell_submitted(answer)
        return True

    def _record_wrong_number(self, answer):
        """Front Payment answered with the number of another order."""
        if self.order_uuid:
            sentence = self._two_numbers_sentence(answer.order_uuid)
        else:
            self._set_state("unknown")
            # It was taken, so it is there under some number.
            self.write({"sent_at": fields.Datetime.now(), "needs_decision": True})
            self._trigger_cron("cron_recover", RECOVERY_DELAY)
            known = self._with_number(self.company_id, self.base_url, answer.order_uuid)
            sentence = self._others_number_sentence(known)
        self._report_problem(sentence)

    @in_each_language
    def _just_changed_sentence(self):
        return self.env._("The Front Payment settings were just changed. Try again.")

    @in_each_language
    def _two_numbers_sentence(self, other):
        return self.env._(
            "Front Payment has called back about this invoice as order %(order)s,"
            " but answered with order %(other)s when it was sent. Ask Front Payment"
            " which one is valid, and cancel the other.",
            order=self.order_uuid,
            other=other,
        )

    @in_each_language
    def _others_number_sentence(self, known):
        return self.env._(
            "Front Payment answered with order %(order)s, which belongs to"
            " %(invoice)s. Nobody knows yet what became of this invoice; it isn't"
            " sent again before that is settled.",
            order=known.order_uuid,
            invoice=known.move_id.display_name,
        )

    def _tell_submitted(self, answer):
        """What the invoice and the customer should tell; whatever goes wrong with it,
        the order is there."""
        try:
            with self.env.cr.savepoint():
                self._log_submission(answer)
        except OperationalError:  # for the transaction to be tried again
            raise
        except Exception:
            _logger.exception("Order %s couldn't be noted on its invoice", self.id)

    def _log_submission(self, answer):
        customer = self.partner_id.with_company(self.company_id)
        if answer.customer_uuid != customer.frontpay_customer_uuid:
            customer.frontpay_customer_uuid = answer.customer_uuid
        self.move_id._message_log(
            body=self.env._("Handed to Front Payment as order %s.", self.order_uuid)
        )

    def _record_failure(self, error):
        """The invoice wasn't sent, or nobody knows whether it was.

        :param connect.errors.FrontPaymentError error: what became of the call
        """
        sentence = error_messages.outcome_message(self.company_id, error)
        is_unknown = isinstance(error, errors.UnknownOutcome)
        state = "unknown" if is_unknown else "failed"
        if error.retryable and self.tries + 1 < MAX_TRIES:
            state = "queued"
            sentence = joined([sentence, self._schedule_retry(error)])
        # After a lost answer, a callback may have told already that it went well.
        if not self._set_state(state):
            return
        if is_unknown:
            self._trigger_cron("cron_recover", RECOVERY_DELAY)
        if error_messages.blames_settings(error):
            self.company_id._frontpay_ask_administrator(sentence)
        self._record_error(sentence)

    def _schedule_retry(self, error):
        """Have an invoice sent later that Front Payment has not got.

        :return: a sentence about when
        """
        self.tries += 1
        pause = retry.pause(self.tries, error)
        self.retry_at = fields.Datetime.now() + pause
        self._trigger_cron("cron_send", pause)
        return self._retry_sentence()

    def _record_update(self, document, answer):
        """Keep what Front Payment has now.

        An update names its order, so it may be repeated: an answer that got lost makes
        no second order.
        """
        self.write({"update_queued": False, "tries": 0, "retry_at": False})
        if answer.order_uuid != self.order_uuid:
            self._report_problem(self._wrong_update_sentence(answer.order_uuid))
            return
        self._keep_change(self._document_values(self.move_id, document))
        self._clear_problem()
        if self.state == "sent":
            self._keep_link(answer.verification_url)
        self.move_id.message_post(
            body=self.env._("Updated order %s at Front Payment.", self.order_uuid)
        )

    def _record_failed_update(self, error):
        if self.update_queued and error.retryable and self.tries + 1 < MAX_TRIES:
            self._schedule_retry(error)
            return
        reason = error_messages.update_message(self.company_id, error)
        self.write({"update_queued": False, "tries": 0, "retry_at": False})
        keep(self, "change_refusal", reason if self.is_changing else "")
        self._record_error(
            self._change_problem() or self._failed_update_sentence(error, reason)
        )

    @in_each_language
    def _failed_update_sentence(self, error, reason):
        if isinstance(error, errors.UnknownOutcome):
            return f"{self.order_uuid}: {reason}"
        return self.env._(
            "Order %(order)s was not brought up to date: %(reason)s",
            order=self.order_uuid,
            reason=reason,
        )

    @in_each_language
    def _wrong_update_sentence(self, other):
        return self.env._(
            "Front Payment was asked to update order %(order)s, but answered"
            " with order %(other)s. Ask Front Payment which one is valid.",
            order=self.order_uuid,
            other=other,
        )


def _diagnosis(client, error):
    """Tell what concerns the connection from what concerns one call.

    :param connect.errors.FrontPaymentError error: how a submission failed
    :return: (the error as it is to be told, whether every other call would fail)
    """
    if isinstance(error, errors.Unreachable):
        return error, True
    if not isinstance(error, DOUBTFUL):
        return error, False
    try:
        client.check_connection()
    except errors.FrontPaymentError:
        return error, True
    return errors.Rejected(str(error), error.sentences, error.http_status), False
