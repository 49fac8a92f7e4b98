import logging
from datetime import timedelta
from functools import partial

from markupsafe import Markup

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain
from odoo.service import server

from ..connect import errors
from ..mapping import channel_of
from ..mapping.remedy import administrator_name, settings_remedy
from ..tools import transaction
from ..tools.counted import counted
from ..tools.local_time import local_time
from ..tools.sentence import in_each_language, keep, kept
from .frontpay_order import ENDED_STATES, IN_DOUBT_STATES
from .frontpay_order_submission import NothingToUpdate, SendingPaused
from .frontpay_rate_limit import CRON_MAX_WAIT

_logger = logging.getLogger(__name__)

# So many lost answers in a row mean that Front Payment is in trouble: those who wait
# are spared the same.
LOST_IN_A_ROW = 5
NOT_GONE_STATES = ("queued", "failed")
# Until the queue is tried again after that, or an invoice that somebody works on.
QUEUE_PAUSE = timedelta(minutes=1)
# The cron runs every ten minutes; so much later, Odoo's scheduler stands still.
LATE_AFTER = timedelta(minutes=10)
# Who queued invoices hears on it that some have gone, see static/src/live_lists.js.
QUEUE_CHANNEL = "frontpay_odoo.queue"
# Of ``mail.presence``, while a browser of the person's is open.
PRESENT = ("online", "away")


class FrontpayOrder(models.Model):
    """The queue: many invoices, or invoices of a transaction that isn't over yet."""

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _enqueue(self, moves):
        """Have invoices sent by the cron once this transaction is committed.

        Rolled back, they were never queued.

        :param moves: invoices that :meth:`_preflight` found nothing wrong with
        :return: their orders; none for those that somebody else is handling
        """
        moves = moves.try_lock_for_update()
        moves.invalidate_recordset(["frontpay_order_ids", "frontpay_order_id"])
        orders = self.browse()
        for move in moves:
            current = move.sudo().frontpay_order_id
            if current._is_left_in_demo():
                current._close_test()
            company = move.company_id
            destination = company._frontpay_destination()
            if current.state == "queued" and not current._is_queued_for(company):
                # Whoever sends it now, sends it to where the settings lead now.
                current.write(destination | {"error": False})
            if current._can_be_updated():
                database = destination["database_uuid"]
                current.write({"update_queued": True, "database_uuid": database})
            if current._is_queued():
                orders += current
            elif not self._living_order(move):
                orders += self._create_queued(move)
        if orders:
            orders.sudo().sender_id = self.env.user if _is_person(self.env) else False
            orders._trigger_cron("cron_send")
        return orders

    def _follow_change(self):
        """A changed invoice is posted again: have Front Payment get the change, or tell
        why it can't."""
        if self.state in ENDED_STATES or self._has_invoice_as_it_is():
            self.is_changing = False
        if self.state in ENDED_STATES:
            self._ask_who_collects()
        self._follow_dunning()  # its lines are new
        if self.is_changing and self.state == "sent":
            keep(self, "change_refusal", self._enqueue_change())
        self._settle_payment(moved=True)

    def _enqueue_change(self):
        """:return: what keeps it from being queued, or an empty string"""
        problems = self._preflight(self.move_id)
        if problems:
            return self._preflight_sentence(self.move_id)
        is_queued = self._enqueue(self.move_id)
        return "" if is_queued else str(transaction.busy(self.move_id))

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
                **move.company_id._frontpay_destination(),
            }
        )

    @api.model
    def _cancel_queued(self, move):
        """Take an invoice out of the queue.

        :raises LockError: it is being sent just now
        """
        transaction.lock(move)
        order = move.sudo().frontpay_order_id
        if order.state != "queued":
            raise transaction.busy(move)
        order._set_state("failed")
        order.write({"error": False, "sender_id": False})
        move.message_post(body=self.env._("Removed from the queue."))

    @api.model
    def _queue_length(self, company):
        """How many of a company's invoices wait to be sent."""
        return self.sudo().search_count(
            self._queued_domain() & Domain("company_id", "=", company.id)
        )

    @api.model
    def _scheduler_warning(self):
        """Why nothing of what is queued may go out.

        :return: a sentence, or an empty string
        """
        cron = self.env.ref("frontpay_odoo.cron_send", raise_if_not_found=False)
        cron = cron and cron.sudo()
        if not cron or not cron.active:
            return self.env._(
                "The scheduled action that sends them is switched off: nothing goes out"
                " until %s switches it on.",
                administrator_name(self.env.company),
            )
        if cron.nextcall > fields.Datetime.now() - LATE_AFTER:
            return ""
        return self.env._(
            "Odoo's scheduler hasn't run since %(time)s: nothing goes out until it"
            " does. Ask %(administrator)s.",
            time=local_time(self.env, cron.lastcall or cron.nextcall),
            administrator=administrator_name(self.env.company),
        )

    @api.model
    def _cron_send(self):
        """Send what is queued, and tell those who queued it."""
        self._send_queue()
        senders = self.search([("sender_id", "!=", False)]).grouped("sender_id")
        for sender, orders in senders.items():
            try:
                transaction.run(self.env, orders._tell_sender, sender)
            except Exception:
                # Odoo switches off what fails again and again, and this sends invoices.
                _logger.exception("User %s couldn't be told of a batch", sender.id)
                transaction.rollback(self.env)
                transaction.run(self.env, orders.write, {"sender_id": False})

    @api.model
    def _send_queue(self):
        """Send what is queued, each invoice in transactions of its own.

        Those tried least come first, so none waits behind one that keeps failing.
        """
        if self._is_run_over():
            return
        # Of ten thousand, no more is read than it takes to sort them.
        names = ["company_id", "base_url", "database_uuid"]
        queue = self.search_fetch(self._queued_domain(), names, order="tries, id")
        left = len(queue)
        progress = self.env["ir.cron"]._commit_progress
        progress(remaining=left)
        for company, orders in queue.grouped("company_id").items():
            for done in orders._send_in_order(company):
                left -= done
                if not progress(done, remaining=left) or _is_stopping():
                    # Odoo ends a run after ten seconds; the next one follows at once.
                    self._trigger_cron("cron_send")
                    return

    def _tell_sender(self, sender):
        """Open lists of the person who queued these orders are read anew; once all have
        gone, failed or wait for another attempt, that person gets a summary.

        :param sender: ``res.users``
        """
        sender.partner_id._bus_send(QUEUE_CHANNEL, {})
        if any(order._is_under_way() for order in self):
            return
        told = self.with_context(lang=sender.lang, tz=sender.tz)
        self.sender_id = False
        attention = self.filtered("needs_you")
        message = told._summary()
        sender.partner_id._bus_send(
            "account_notification",
            {
                "type": "warning" if attention else "success",
                "title": told.env._("Sent to Front Payment"),
                "message": message,
                "sticky": bool(attention),
                "action_button": {
                    "name": told.env._("Open"),
                    "action_name": told.env._("Sent to Front Payment"),
                    "model": self._name,
                    "res_ids": (attention or self).ids,
                },
            },
        )
        if sender.presence_ids.status not in PRESENT:
            told._write_to_sender(sender, message, bool(attention))

    def _is_under_way(self):
        """Whether it goes on in a moment: a later attempt isn't waited for, nor a
        person."""
        is_next = self._is_queued() and not self.retry_at and not self.error
        return self.state == "sending" or is_next

    def _summary(self):
        """What became of a batch, in a line."""
        attention = self.filtered("needs_you")
        later = self.filtered(lambda order: order._is_queued()) - attention
        others = self - attention - later
        gone = others.filtered(lambda order: order.state not in NOT_GONE_STATES)
        counts = (
            (gone, self.env._("%s handed over", len(gone))),
            (others - gone, self.env._("%s not sent", len(others - gone))),
            (attention, counted(self.env, "needs_you", len(attention))),
            (later, self.env._("%s tried again automatically", len(later))),
        )
        return ", ".join(text for orders, text in counts if orders)

    def _write_to_sender(self, sender, message, needs_you):
        """The summary for somebody whose browser is closed, in Odoo's own chat: it
        isn't worth an e-mail."""
        page = "frontpay-needs-you" if needs_you else "frontpay-orders"
        link = Markup('<a href="/odoo/%s">%s</a>') % (page, self.env._("Open"))
        robot = self.env.ref("base.partner_root")
        chats = self.env["discuss.channel"].with_user(sender).sudo()
        chats._get_or_create_chat([robot.id]).message_post(
            author_id=robot.id,
            body=Markup("%s: %s. %s")
            % (self.env._("Sent to Front Payment"), message, link),
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )

    @api.model
    def _queued_domain(self):
        is_queued = Domain("state", "=", "queued") | Domain("update_queued", "=", True)
        is_due = Domain("retry_at", "=", False) | Domain(
            "retry_at", "<=", fields.Datetime.now()
        )
        return is_queued & is_due

    def _send_in_order(self, company):
        """Send a company's orders over one connection, until one fails in a way in
        which the others would fail too.

        :return: yields how many are done for now
        """
        outage = self.env["frontpay.outage"]._current(company, "send")
        if not outage._may_be_over(False):
            yield len(self)
            return
        try:
            client = company._frontpay_client(CRON_MAX_WAIT)
        except UserError as refusal:
            self[0]._pause_queue(refusal)
            yield len(self)
            return
        orders = self.filtered(lambda order: order._is_queued_for(company))
        elsewhere = self - orders
        if elsewhere:
            with transaction.contained(elsewhere):
                transaction.run(self.env, elsewhere._tell_elsewhere)
            yield len(elsewhere)
        lost = 0
        with client:
            for position, order in enumerate(orders):
                try:
                    error = order._alone()._send_queued(client)
                except SendingPaused as refusal:
                    order._pause_queue(refusal)
                    yield len(orders) - position
                    return
                lost = lost + 1 if isinstance(error, errors.UnknownOutcome) else 0
                if lost == LOST_IN_A_ROW or getattr(error, "is_own", False):
                    self._trigger_cron("cron_send", QUEUE_PAUSE)
                    yield len(orders) - position
                    return
                if outage and (error or order._has_gone()):
                    transaction.run(self.env, outage.unlink)
                    outage = outage.browse()
                yield 1

    def _send_queued(self, client):
        """Send one invoice of the queue.

        :return: the :class:`connect.errors.FrontPaymentError` that kept it from being
            sent, or None
        :raises SendingPaused: it stays in the queue, and so do the others
        """
        try:
            client.wait_for_slot()
        except errors.RateLimited as error:
            return error
        if not self.exists():
            return None  # deleted with its invoice since the queue was read
        order = self._with_creator_env()
        error, record = None, None
        try:
            _order, error = order._send(order.move_id, client, interactive=False)
        except LockError:
            record = order._wait_for_others
        except NothingToUpdate:
            record = order._drop_update
        except SendingPaused:
            raise
        except UserError as refusal:
            record = partial(order._record_unsendable, refusal.args[0])
        except Exception:
            _logger.exception("Invoice %s couldn't be sent", order.move_id.id)
            transaction.rollback(self.env)
            client.exchanges.clear()
            record = order._record_fault
        is_over = (
            error and not order._is_queued() and order.state not in IN_DOUBT_STATES
        )
        if is_over and not record:
            record = partial(order._notify_responsible, kept(order, "error"))
        if record:
            with transaction.contained(order):
                transaction.run(self.env, record)
        return error

    def _has_gone(self):
        return bool(self.exists()) and self.state not in NOT_GONE_STATES

    def _pause_queue(self, refusal):
        """Nothing of the company's can be sent, because of its settings or of the
        connection: all wait, and one person is told.

        :param UserError refusal: why
        """
        pause = QUEUE_PAUSE
        with transaction.contained(self):
            pause = transaction.run(self.env, self._record_pause, refusal)
        self._trigger_cron("cron_send", pause)

    def _record_pause(self, refusal):
        order = self._with_creator_env()
        sentence = order._pause_sentence(refusal.args[0])
        error = getattr(refusal, "error", None)
        outages = order.env["frontpay.outage"]
        return outages._record_and_tell(order, "send", sentence, error)

    @in_each_language
    def _pause_sentence(self, reason):
        return self.env._(
            "%(reason)s\nUntil then, %(invoice)s and whatever else is queued for Front"
            " Payment waits. It goes out automatically afterwards.",
            reason=reason,
            invoice=self.move_id.display_name,
        )

    def _is_queued_for(self, company):
        """Whether it was queued in this database, for where the settings lead now."""
        destination = company._frontpay_destination()
        names = ("base_url", "database_uuid")
        return all(self[name] == destination[name] for name in names)

    def _tell_elsewhere(self):
        """Tell what doesn't go out by itself because it was queued elsewhere; one
        person is asked to do something about it."""
        is_asked = False
        for order in self:
            order = order._with_creator_env()
            sentence = order._elsewhere_sentence()
            if sentence == order.error:
                continue
            order._record_error(sentence)
            if not is_asked:
                order._notify_responsible(sentence)
                is_asked = True

    @in_each_language
    def _elsewhere_sentence(self):
        if self.database_uuid != self.company_id._frontpay_database_uuid():
            return self.env._(
                "%s was queued in another database, of which this one is a copy, and"
                " may have been sent from there. Look for it in Front Payment's own"
                " pages. If it isn't there, send it again.",
                self.move_id.display_name,
            )
        return self.env._(
            "%(invoice)s was queued for Front Payment at %(url)s, and the settings lead"
            " to another environment now, so it isn't sent. Send it again if it is to"
            " go there. If not: %(remedy)s",
            invoice=self.move_id.display_name,
            url=self.base_url,
            remedy=settings_remedy(self.company_id, "frontpay_environment"),
        )

    def _wait_for_others(self):
        self.retry_at = fields.Datetime.now() + QUEUE_PAUSE
        self._trigger_cron("cron_send", QUEUE_PAUSE)

    def _drop_update(self):
        """Front Payment has what the invoice says now."""
        self.update_queued = False

    def _record_unsendable(self, reason):
        """What was queued can't be sent any more: the invoice changed meanwhile."""
        self.update_queued = False
        if self.state == "queued" and self.order_uuid:
            self._assign_order_uuid(self.order_uuid)  # it is there already
            return
        self._set_state("failed")
        self._report_problem(reason)

    def _record_fault(self):
        """An error of ours, before the request went out or after it."""
        if self.state == "sending":
            self._record_failure(errors.UnknownOutcome("fault of the addon"))
            return
        self._record_unsendable(self._invoice_fault_sentence())

    @in_each_language
    def _invoice_fault_sentence(self):
        return self.env._(
            "The invoice wasn't sent because of an error in the Front Payment addon."
            " Tell whoever maintains it to look into the server's log, then send the"
            " invoice again."
        )


def _is_person(env):
    """Whether somebody of the company is behind this, who can be told of it."""
    return env.uid != SUPERUSER_ID and env.user._is_internal()


def _is_stopping():
    """Whether this server was told to stop: what is queued waits for the next one."""
    return bool(getattr(server.server, "quit_signals_received", 0))
