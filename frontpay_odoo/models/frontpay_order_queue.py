import logging
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain
from odoo.service import server
from odoo.tools import format_datetime

from ..connect import backoff, errors
from ..mapping import channel_of
from .frontpay_pace import CRON_PATIENCE

_logger = logging.getLogger(__name__)

TRIES = 8  # about three hours
# So many lost answers in a row mean that Front Payment is in trouble: those who wait
# are spared the same.
LOST_IN_A_ROW = 5
PAUSE = timedelta(minutes=1)  # until the queue is tried again after that
BUSY = timedelta(minutes=1)  # until an invoice that somebody works on is tried again
# After these, every other invoice of the company would fail in the same way.
SAME_FOR_ALL = (errors.NotAuthorised, errors.WrongAddress)
MAY_BE_RETRIED = (errors.Unreachable, errors.Limited)


class Unchanged(UserError):
    """Front Payment has the invoice as it is, so there is nothing to send."""


class FrontpayOrder(models.Model):
    """The queue: many invoices, or invoices of a transaction that isn't over yet."""

    _inherit = "frontpay.order"

    @api.model
    def _queue(self, moves):
        """Have invoices sent by the cron once this transaction is committed.

        Rolled back, they were never queued.

        :param moves: invoices that :meth:`_check` found nothing wrong with
        :return: their orders; none for those that somebody else is handling
        """
        moves = moves.try_lock_for_update()
        moves.invalidate_recordset(["frontpay_order_ids", "frontpay_order_id"])
        orders = self.browse()
        for move in moves:
            current = move.sudo().frontpay_order_id
            if current._can_be_updated():
                current.update_queued = True
            if current._is_queued():
                orders += current
            elif not move._frontpay_has_order():
                orders += self._create_queued(move)
        if orders:
            self._trigger_cron("cron_send")
        return orders

    @api.model
    def _create_queued(self, move):
        return self.sudo().create(
            {
                "move_id": move.id,
                "state": "queued",
                "channel": channel_of(move),
                "reference": self._reference_of(move),
                "token": self._new_token(),
                "amount": move.amount_total,
            }
        )

    @api.model
    def _withdraw(self, move):
        """Take an invoice out of the queue.

        :raises LockError: it is being sent just now
        """
        self._lock_invoice(move)
        order = move.sudo().frontpay_order_id
        if order.state != "queued":
            raise LockError(self._busy_message(move))
        order._move_to("failed")
        order.error = False
        move.message_post(body=self.env._("Taken out of Front Payment's queue."))

    @api.model
    def _trigger_cron(self, name, delay=timedelta()):
        """Let one of the addon's crons run, soon or after a while."""
        cron = self.env.ref(f"frontpay_odoo.{name}", raise_if_not_found=False)
        if cron:  # an administrator may have deleted it
            cron.sudo()._trigger(at=fields.Datetime.now() + delay)

    @api.model
    def _cron_send(self):
        """Send what is queued, each invoice in transactions of its own.

        Those tried least come first, so none waits behind one that keeps failing.
        """
        queue = self.search(self._queued_domain(), order="tries, id")
        left = len(queue)
        progress = self.env["ir.cron"]._commit_progress
        progress(remaining=left)
        for company, orders in queue.grouped("company_id").items():
            for done in orders._send_in_order(company):
                left -= done
                if not progress(done, remaining=left) or _is_stopping():
                    return

    def _send_in_order(self, company):
        """Send a company's orders over one connection, until one fails in a way in
        which the others would fail too.

        :return: yields how many are done for now
        """
        exchanges, lost = [], 0
        try:
            client = company._frontpay_client(exchanges.append, CRON_PATIENCE)
        except UserError as error:
            self._fail_queue(company, str(error))
            self[0]._ask_responsible(str(error))
            yield len(self)
            return
        with client:
            for place, order in enumerate(self):
                error = order._send_queued(client, exchanges)
                lost = lost + 1 if isinstance(error, errors.UnknownOutcome) else 0
                if lost == LOST_IN_A_ROW or _fails_for_all(error):
                    self._trigger_cron("cron_send", PAUSE)
                    yield len(self) - place
                    return
                yield 1

    @api.model
    def _queued_domain(self):
        is_queued = Domain("state", "=", "queued") | Domain("update_queued", "=", True)
        is_due = Domain("retry_at", "=", False) | Domain(
            "retry_at", "<=", fields.Datetime.now()
        )
        return is_queued & is_due

    def _send_queued(self, client, exchanges):
        """Send one invoice of the queue.

        :return: the :class:`connect.errors.FrontPaymentError` that kept it from being
            sent, or None
        """
        try:
            client.await_place()
        except errors.Limited as error:
            return error
        order = self._for_its_creator()
        try:
            error = order._send(order.move_id, client, exchanges)[1]
        except LockError:
            order._in_transaction(order._wait_for_others)
            return None
        except Unchanged:
            order._in_transaction(order._drop_update)
            return None
        except UserError as refusal:
            order._in_transaction(partial(order._record_unsendable, str(refusal)))
            return None
        except Exception:
            _logger.exception("Invoice %s couldn't be sent", order.move_id.id)
            self._start_over()
            order._in_transaction(order._record_fault)
            return None
        if order.state == "failed":
            order._in_transaction(partial(order._ask_responsible, order.error))
        return error

    def _is_queued(self):
        return self.state == "queued" or self.update_queued

    def _for_its_creator(self):
        """The order as the cron handles it, in the words of the person who sent it."""
        person = self.create_uid
        return self.with_company(self.company_id).with_context(
            lang=person.lang, tz=person.tz
        )

    def _start_over(self):
        """Forget what a step left half-written."""
        if self.env["account.move"]._can_commit():
            self.env.cr.rollback()
        self.env.invalidate_all(flush=False)

    def _wait_for_others(self):
        self.retry_at = fields.Datetime.now() + BUSY
        self._trigger_cron("cron_send", BUSY)

    def _drop_update(self):
        """Front Payment has what the invoice says now."""
        self.update_queued = False

    def _record_unsendable(self, reason):
        """What was queued can't be sent any more: the invoice changed meanwhile."""
        self.update_queued = False
        self._move_to("failed")
        self._record_error(reason)
        self._ask_responsible(reason)

    def _record_fault(self):
        """An error of ours, before the request went out or after it."""
        if self.state == "sending":
            self._record_failure(errors.UnknownOutcome("fault of the addon"))
            return
        self._record_unsendable(
            self.env._(
                "The invoice wasn't sent because of an error in the Front Payment"
                " addon. Tell whoever maintains it to look into the server's log, then"
                " send the invoice again."
            )
        )

    def _put_off(self, error):
        """Have an invoice sent later that Front Payment has not got.

        :param error: one of :const:`MAY_BE_RETRIED`
        :return: a sentence about when, or an empty one if this was the last try
        """
        if not isinstance(error, MAY_BE_RETRIED) or self.tries + 1 >= TRIES:
            return ""
        self.tries += 1
        seconds = backoff.delay(self.tries, getattr(error, "retry_after", None) or 0)
        pause = timedelta(seconds=round(seconds))
        self.retry_at = fields.Datetime.now() + pause
        self._trigger_cron("cron_send", pause)
        moment = format_datetime(self.env, self.retry_at)
        return self.env._("It is sent again by itself at %s.", moment)

    @api.model
    def _fail_queue(self, company, sentence):
        """Take out what would fail for the same reason as an invoice just did."""
        for order in self.search(
            [("state", "=", "queued"), ("company_id", "=", company.id)]
        ):
            order._move_to("failed")
            order.error = sentence


def _fails_for_all(error):
    """Whether the company's other invoices would fail in the same way."""
    if isinstance(error, errors.Limited):
        return error.http_status is None  # after a 429, the pace lets them wait
    return isinstance(error, (errors.Unreachable, *SAME_FOR_ALL))


def _is_stopping():
    """Whether this server was told to stop: what is queued waits for the next one."""
    return bool(getattr(server.server, "quit_signals_received", 0))
