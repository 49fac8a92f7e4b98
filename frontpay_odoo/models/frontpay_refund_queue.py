import logging
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain

from ..connect import errors
from ..tools import error_messages, transaction
from ..tools.sentence import in_each_language, joined
from .frontpay_order_refunds import UNDECIDED_STATES
from .frontpay_order_submission import MAX_TRIES
from .frontpay_rate_limit import CRON_MAX_WAIT

_logger = logging.getLogger(__name__)

# Until a credit note is tried again that somebody works on.
WAIT_FOR_OTHERS = timedelta(minutes=1)


class FrontpayRefund(models.Model):
    """The queue: many credit notes, or credit notes of a transaction that isn't over
    yet; and refunds whose sender has died."""

    # Each part of a refund's life has a file; calls run downwards only.
    _inherit = "frontpay.refund"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _enqueue_notes(self, notes):
        """Have credit notes sent by the cron once this transaction is committed.

        :param notes: credit notes that :meth:`_note_preflight` found nothing wrong with
        :return: their refunds; none for those that somebody else is handling
        """
        refunds = self.sudo().browse()
        for note in notes.try_lock_for_update():
            order = self._order_to_refund(note)
            values = {
                "order_id": order.id,
                "effect": self._effect_on(order, note.amount_total),
                "amount": note.amount_total,
                "database_uuid": note.company_id._frontpay_database_uuid(),
            }
            refund = note.sudo().frontpay_refund_id
            if not refund:
                refund = self.sudo().create(values | {"move_id": note.id})
            elif refund.state == "queued" or refund._set_refund_state("queued"):
                refund.write(values | {"error": False, "retry_at": False})
            else:
                continue
            refunds += refund
        if refunds:
            refunds._trigger_cron("cron_refund")
        return refunds

    def _withdraw(self):
        """Take a credit note out of the queue, or don't ask for approval.

        :raises LockError: it is being sent just now
        """
        transaction.lock(self.move_id)
        if not self._set_refund_state("failed"):
            raise transaction.busy(self.move_id)
        self.move_id.message_post(body=self.env._("Nothing is refunded."))

    @api.model
    def _cron_refund(self):
        """Look after refunds whose sender has died, or whose outcome can't be asked
        for, and send what is queued."""
        if self._is_run_over():
            return
        for refund in self.search([("state", "=", "sending")]):
            with transaction.contained(refund):
                refund._recover_sending()
        undecided = Domain("state", "in", [*UNDECIDED_STATES])
        for refund in self.search(undecided & Domain("needs_decision", "=", False)):
            with transaction.contained(refund):
                refund._with_creator_env()._ask_if_out_of_reach()
        self._send_note_queue()

    def _ask_if_out_of_reach(self):
        if self._is_out_of_reach() and self._is_overdue():
            sentence = self._out_of_reach_sentence()
            transaction.run(self.env, self._request_refund_decision, sentence)

    @api.model
    def _send_note_queue(self):
        """Send what is queued, those tried least first."""
        queue = self.search(self._queue_domain(), order="tries, id")
        left = len(queue)
        for company, refunds in queue.grouped("company_id").items():
            for done in refunds._send_for(company):
                left -= done
                if not self.env["frontpay.order"]._has_time(done, left):
                    self._trigger_cron("cron_refund")
                    return

    @api.model
    def _queue_domain(self):
        is_due = Domain("retry_at", "=", False) | Domain(
            "retry_at", "<=", fields.Datetime.now()
        )
        return Domain("state", "=", "queued") & is_due

    def _is_out_of_reach(self):
        """Whether Front Payment can't be asked: the settings lead elsewhere now. What
        was a test is nobody's money."""
        order = self.order_id
        is_here = order._is_of_this_environment() or order._is_left_in_demo()
        return self.effect == "refund" and not is_here

    @in_each_language
    def _out_of_reach_sentence(self):
        return self.env._(
            "What became of the refund of %(note)s can't be asked for at %(url)s: the"
            " settings lead to another environment since. Look at order %(order)s in"
            " the pages of the former one, then choose “Check Outcome” and say what"
            " became of it.",
            note=self.move_id.display_name,
            url=self.order_id.base_url,
            order=self.order_id.order_uuid,
        )

    def _recover_sending(self):
        """Whoever sent it would hold the lock if they were alive."""
        try:
            with transaction.sender_lock(self.order_id.move_id):
                transaction.run(self.env, self.env.invalidate_all)
                transaction.run(self.env, self._with_creator_env()._record_dead)
        except LockError:
            return

    def _record_dead(self):
        if self.state != "sending":
            return
        if self.effect == "refund":
            self._record_refusal(errors.UnknownOutcome("the sender died"))
            return
        if self.effect == "update" and self._has_lowered(self.order_id):
            self._record_changed("")
            return
        self._record_changed(self._stopped_sentence())

    @in_each_language
    def _stopped_sentence(self):
        return self.env._(
            "Odoo was stopped while it handed %s to Front Payment. Send it again.",
            self.move_id.display_name,
        )

    def _send_for(self, company):
        """Send a company's refunds over one connection, until one fails in a way in
        which the others would fail too.

        :return: yields how many are done for now
        """
        database = company._frontpay_database_uuid()
        here = self.filtered(lambda refund: refund.database_uuid == database)
        for refund in self - here:
            with transaction.contained(refund):
                transaction.run(self.env, refund._with_creator_env()._record_elsewhere)
            yield 1
        try:
            client = company._frontpay_client(CRON_MAX_WAIT)
        except UserError as refusal:
            for refund in here:
                with transaction.contained(refund):
                    transaction.run(
                        self.env, refund._record_unsendable_note, refusal.args[0]
                    )
            yield len(here)
            return
        with client:
            for position, refund in enumerate(here):
                error = refund._alone()._send_from_queue(client)
                if error and error.affects_all:
                    yield len(here) - position
                    return
                yield 1

    def _send_from_queue(self, client):
        """Send one credit note of the queue.

        :return: the :class:`connect.errors.FrontPaymentError` that kept it from being
            sent, or None
        """
        if not self.exists():
            return None  # deleted with its credit note since the queue was read
        refund = self._with_creator_env()
        error, record = None, None
        try:
            _refund, error = refund._hand_over(
                refund.move_id, client, interactive=False
            )
        except LockError:
            record = refund._wait_for_turn
        except errors.FrontPaymentError as failure:
            error, record = failure, partial(refund._postpone, failure)
        except UserError as refusal:
            record = partial(refund._record_unsendable_note, refusal.args[0])
        except Exception:
            _logger.exception("Credit note %s couldn't be sent", refund.move_id.id)
            transaction.rollback(self.env)
            client.exchanges.clear()
            record = refund._record_fault_of_ours
        if record:
            with transaction.contained(refund):
                transaction.run(self.env, record)
        return error

    def _wait_for_turn(self):
        self.retry_at = fields.Datetime.now() + WAIT_FOR_OTHERS
        self._trigger_cron("cron_refund", WAIT_FOR_OTHERS)

    def _postpone(self, error):
        """Front Payment couldn't be asked about the order, so nothing was sent."""
        sentence = error_messages.connection_message(self.company_id, error)
        if self.tries + 1 < MAX_TRIES:
            retry_sentence = self._schedule_refund_retry(error)
            self._record_error(joined([sentence, retry_sentence]))
        else:
            self._record_unsendable_note(sentence)

    def _record_elsewhere(self):
        self._record_unsendable_note(self._elsewhere_refund_sentence())

    @in_each_language
    def _elsewhere_refund_sentence(self):
        return self.env._(
            "%s was queued in another database, of which this one is a copy, and may"
            " have been refunded from there. Look at its order in Front Payment's own"
            " pages. If the refund isn't there, send it again.",
            self.move_id.display_name,
        )

    def _record_unsendable_note(self, reason):
        """What was queued can't be sent any more."""
        if self._set_refund_state("failed"):
            self._report_problem(reason)

    def _record_fault_of_ours(self):
        """An error of ours, before the request went out or after it."""
        if self.state == "sending":
            self._record_refusal(errors.UnknownOutcome("fault of the addon"))
            return
        self._record_unsendable_note(self._refund_fault_sentence())

    @in_each_language
    def _refund_fault_sentence(self):
        return self.env._(
            "The credit note wasn't sent because of an error in the Front Payment"
            " addon. Tell whoever maintains it to look into the server's log, then send"
            " the credit note again."
        )
