import logging
from datetime import timedelta
from itertools import chain, zip_longest

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import split_every

from ..connect import errors, statuses
from ..connect.responses import OrderStatus
from ..tools import retry, transaction
from ..tools.counted import counted
from ..tools.deadline import Deadline
from ..tools.notification import notification
from ..tools.sentence import in_each_language
from .frontpay_handover import ATTENTION
from .frontpay_order import INVOICED_STATES, PAYMENT_STATES
from .frontpay_rate_limit import CRON_MAX_WAIT, MAX_WAIT
from .frontpay_refund import UNSETTLED_STATES

_logger = logging.getLogger(__name__)

# More orders than that are polled together, with the list of all orders.
LIST_THRESHOLD = 3
# So many are polled on their own when the list can't be had; the others follow.
WITHOUT_LIST = 20
# Those that couldn't be polled come last: the time until their next try grows.
POLL_ORDER = "next_poll_at, id"
# Of an order in these, the list doesn't say all.
UNLISTED_STATES = ("partially_refunded",)
RECORDED_AT_ONCE = 1000  # orders between two commits
# So many failures in a row mean that Front Payment is in trouble, not an order.
FAILURES_IN_A_ROW = 3
# In these, Front Payment said nothing about the order.
NO_ANSWER = (errors.UnknownOutcome, errors.NotFrontPayment)
# The longest time after which an order is polled again that Front Payment didn't know.
MAX_MISSING_PAUSE = timedelta(days=30)
# Until orders are polled again that weren't now, or whose callback isn't confirmed yet.
POLL_AGAIN = timedelta(minutes=1)


class FrontpayOrder(models.Model):
    """Polling: Front Payment is asked what became of its orders."""

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _cron_poll(self):
        """Poll the orders that a callback came for, and those whose turn it is.

        An order that can't be polled keeps no other from it, nor does a company.
        """
        if self._is_run_over():
            return
        called = self.env["frontpay.callback"]._due()
        signed = called.filtered("is_signed").order_id
        # Of a hundred thousand, no more is read than it takes to sort them.
        others = self.search_fetch(
            self._due_domain(), ["company_id", "base_url"], order=POLL_ORDER
        )
        due = called.order_id._alternating(others)
        left = len(due)
        for company, orders in due.grouped("company_id").items():
            others = left - len(orders)
            for done in orders._poll_for_cron(company, bool(signed & orders)):
                left = max(left - done, others)
                if not self._has_time(done, left):
                    # Odoo ends a run after ten seconds; the next one follows at once.
                    self._trigger_cron("cron_poll")
                    return
            left = others

    def _alternating(self, others):
        """These and the others in turn: however many of one kind there are, they keep
        none of the other kind waiting."""
        pairs = chain.from_iterable(zip_longest(self.ids, others.ids))
        return self.browse(dict.fromkeys(filter(None, pairs)))

    @api.model
    def _has_time(self, done, left):
        """Tell how many orders are done and left, and whether there is time."""
        if not transaction.can_commit(self.env):
            return True
        return self.env["ir.cron"]._commit_progress(done, remaining=left) > 0

    def _poll_for_cron(self, company, has_callback):
        """Poll a company's orders until a call fails in a way in which the others
        would fail too; in an outage, one call tries whether it is over.

        :param bool has_callback: whether a signed callback waits for one of them
        :return: yields how many are done for now
        """
        outage = self.env["frontpay.outage"]._current(company)
        if not outage._may_be_over(has_callback):
            return
        if company._frontpay_is_copy():
            self[:1]._stand_still()
            return
        orders, absent = self._by_access()
        if absent:
            # There is nobody to ask: the settings lead elsewhere now. Callbacks stay:
            # they may hold the only number of an order.
            transaction.run(self.env, absent._schedule_next_poll)
            yield len(absent)
        in_a_row, has_answer, is_out = 0, False, False
        for some, error in orders._poll(company, CRON_MAX_WAIT):
            if _is_own_limit(error):
                self._trigger_cron("cron_poll", POLL_AGAIN)
                return
            if _is_failure(error):
                in_a_row += 1
                is_out = error.affects_all or outage or in_a_row == FAILURES_IN_A_ROW
                if is_out:
                    break
            else:
                in_a_row, has_answer = 0, True
                if outage:
                    transaction.run(self.env, outage.unlink)
                    outage = outage.browse()
            yield len(some)
        if is_out or (in_a_row and not has_answer):
            arguments = (company, error, has_callback)
            pause = transaction.run(self.env, outage._record, *arguments)
            self._trigger_cron("cron_poll", pause)

    def _stand_still(self):
        """Nothing is polled in a copy of the database; one person is told."""
        order = self._with_creator_env()
        sentence = order.company_id._frontpay_copy_message()
        outages = order.env["frontpay.outage"]
        transaction.run(self.env, outages._record_and_tell, order, "poll", sentence)

    def _refresh(self, deadline):
        """Poll orders while somebody waits for it.

        :return: ({order: sentence} of those that couldn't be polled, the orders that
            there was no time for: the cron polls them)
        """
        orders, absent = self.filtered("order_uuid")._by_access()
        sentence = self.env._(
            "The order belongs to another Front Payment environment than the one in the"
            " settings."
        )
        failures = dict.fromkeys(absent, sentence)
        for company, polled in orders.grouped("company_id").items():
            if not deadline.left():
                break
            for some, error in polled._poll(company, MAX_WAIT, deadline):
                is_over = not deadline.left()
                if not (is_over and error):
                    orders -= some
                if is_over:
                    break
                if error:
                    sentence = company._frontpay_failure_sentence(error)
                    failures |= dict.fromkeys(some, sentence)
        if orders:
            orders._poll_soon()
        return failures, orders

    def _refresh_or_schedule(self):
        """Poll orders now, or once this transaction is committed.

        :return: a notification that tells how it went
        """
        deadline = Deadline()
        if not transaction.is_untouched(self.env):
            self._poll_soon()
            message = self.env._("The status will be updated in a moment.")
            return notification("success", message, reload=True)
        failures, late = self._refresh(deadline)
        lines = list(dict.fromkeys(failures.values()))
        if late:
            lines.append(counted(self.env, "late", len(late)))
        kind = "danger" if failures else "warning" if late else "success"
        message = "\n".join(lines) or self.env._("The status is up to date.")
        return notification(kind, message, reload=True)

    def _waited_for_outage(self):
        """The outage that keeps polling from following a callback that came in.

        :return: ``frontpay.outage``, or none
        """
        if not any(callback.is_signed for callback in self.callback_ids):
            return self.env["frontpay.outage"]
        return self.env["frontpay.outage"]._current(self.company_id)

    def _poll_soon(self):
        """Have the cron poll, once this transaction is committed."""
        self.filtered("order_uuid").next_poll_at = fields.Datetime.now()
        self._trigger_cron("cron_poll")

    @api.model
    def _due_domain(self):
        is_due = Domain("next_poll_at", "<=", fields.Datetime.now())
        return Domain("order_uuid", "!=", False) & is_due

    def _by_access(self):
        """Tell those that can be polled from those that the settings don't lead to."""
        urls = {each: each._frontpay_access_url() for each in self.company_id.sudo()}
        polled = self.filtered(
            lambda order: order.base_url and order.base_url == urls[order.company_id]
        )
        return polled, self - polled

    # === THE CALLS === #

    def _poll(self, company, max_wait, deadline=None):
        """Poll orders of one company, and follow each answer in a transaction of its
        own.

        Many are polled with one list of all orders. It serves the company's other open
        orders as well.

        :param max_wait: seconds that a call may wait for its slot
        :param tools.deadline.Deadline deadline: when the calls have to be over
        :return: yields (orders that are done, the
            :class:`connect.errors.FrontPaymentError` that kept them from being polled
            or None); after an error that affects all, nothing more
        """
        orders = self.with_company(company)
        if not orders:
            return
        with company._frontpay_client(max_wait, deadline) as client:
            listed = {}
            if len(orders) > LIST_THRESHOLD:
                listed, failure = orders._fetch_list(client, company)
                if failure:
                    kept = 0 if failure.affects_all else WITHOUT_LIST
                    orders, rest = orders[:kept], orders[kept:]
                    if rest:
                        self._trigger_cron("cron_poll", POLL_AGAIN)
                    yield rest, failure
            yield from orders._poll_each(client, company, listed)

    def _poll_each(self, client, company, listed):
        """Follow the list for those that it says all about, and poll the others.

        :param dict listed: {order number: status}; empty without a list
        :return: as :meth:`_poll`
        """
        unchanged, left = self._compare(listed, company)
        for ids in split_every(RECORDED_AT_ONCE, unchanged.ids):
            some = self.browse(ids)
            transaction.run(self.env, some._record_unchanged)
            yield some, None
            some.invalidate_recordset()  # there may be a hundred thousand
        for position, order in enumerate(left):
            error = order._alone()._with_creator_env()._poll_one(client, listed)
            if error and error.affects_all:
                yield left[position:], error
                return
            yield order, error

    def _fetch_list(self, client, company):
        """Get what the list of all orders says of these and the company's open ones.

        :return: ({order number: status}, the error because of which there is no list
            or None)
        """
        listed, failure = {}, None
        order_uuids = {
            order_uuid for _id, order_uuid, _state in self._comparable(company)
        }
        try:
            listed = client.statuses(order_uuids)
        except errors.FrontPaymentError as error:
            failure = error
        self.env["frontpay.exchange"]._save(company, client)
        return listed, failure

    def _compare(self, listed, company):
        """Compare these orders, and the company's open ones, with the list of all.

        :return: (those of which the list says all, and nothing new; the orders that
            are left, and others of which it says something new)
        """
        if not listed:
            return self.browse(), self
        unchanged, changed = [], []
        for order_id, order_uuid, state in self._comparable(company):
            if order_uuid in listed and state not in UNLISTED_STATES:
                is_same = statuses.state_of(listed[order_uuid]) == state
                (unchanged if is_same else changed).append(order_id)
        called = [("order_id.company_id", "=", company.id)]
        called_back = self.env["frontpay.callback"].search(called).order_id
        unchanged = self.browse(unchanged) - called_back - self._with_refunds(company)
        return unchanged, (self | self.browse(changed)) - unchanged

    @api.model
    def _with_refunds(self, company):
        """The company's orders with refunds of which the list says too little."""
        refunds = self.env["frontpay.refund"].search(
            Domain("company_id", "=", company.id)
            & (
                Domain("state", "in", UNSETTLED_STATES)
                | Domain("state", "=", "refunded") & Domain("is_booked", "=", False)
            )
        )
        return refunds.order_id

    def _comparable(self, company):
        """Read these orders and the company's open ones: of many rows a few values.

        :return: list of (id, order number, state)
        """
        orders = self._search(
            Domain("company_id", "=", company.id)
            & Domain("base_url", "=", company._frontpay_api_url())
            & (self._open_domain() | Domain("id", "in", self.ids))
        )
        columns = [
            self._field_to_sql(self._table, name, orders)
            for name in ("id", "order_uuid", "state")
        ]
        return self.env.execute_query(orders.select(*columns))

    def _poll_one(self, client, listed):
        """Poll one order, and keep what follows from the answer.

        :param dict listed: what the list of all orders said
        :return: the :class:`connect.errors.FrontPaymentError`, or None
        """
        callbacks = self.callback_ids
        number = self.order_uuid or callbacks[:1].order_uuid
        if not number:
            return None  # what was called back is settled by now
        failure = None
        try:
            report = self._fetch_status(client, number, listed)
            invoice_number = self._fetch_invoice_number(client, number, report)
            outcome = (self._record_status, callbacks, number, report, invoice_number)
        except errors.FrontPaymentError as error:
            failure = error
            outcome = (self._record_poll_failure, callbacks, failure)
        try:
            self._save_exchanges(client, *outcome)
        except Exception:
            _logger.exception("Order %s couldn't follow what it was told", self.id)
            transaction.rollback(self.env)
            client.exchanges.clear()
            with transaction.contained(self):
                transaction.run(self.env, self._record_poll_failure, callbacks)
        return failure

    def _fetch_status(self, client, number, listed):
        """What Front Payment says of the order.

        :rtype: connect.responses.OrderStatus
        """
        if not self.order_uuid and not self._is_told_by(client.details(number)):
            raise errors.NotFound("the details are another order's")
        # Where money moved, the order's own status tells its amounts as well.
        state = statuses.state_of(listed.get(number, ""))
        is_paid = state in PAYMENT_STATES[self.company_id.frontpay_settle_on]
        if state and not is_paid and not self._has_unsettled_refunds():
            return OrderStatus(listed[number])
        return client.status(number)

    def _is_told_by(self, details):
        """Whether what Front Payment tells of an order is this one.

        :param connect.responses.OrderDetails details: it may lack any of them
        """
        if details.references:
            return self.reference in details.references
        return details.amount is not None and self._is_own_amount(details.amount)

    def _fetch_invoice_number(self, client, number, report):
        """The number of Front Payment's invoice, once there is one (section 15b).

        It is an extra: without it, the status counts all the same.
        """
        state = statuses.state_of(report.status)
        if self.invoice_number or state not in INVOICED_STATES:
            return self.invoice_number
        try:
            return client.invoice_number(number)
        except errors.FrontPaymentError:
            return False

    # === WHAT FOLLOWS === #

    def _record_unchanged(self):
        self._record_poll()
        self._forget_return()
        self._schedule_next_poll()
        for order in self.filtered("error"):
            # A payment that couldn't be registered before may go now.
            order._settle_payment()

    def _record_status(self, callbacks, number, report, invoice_number):
        """Follow what Front Payment says, whatever was called back."""
        self._record_poll()
        callbacks = callbacks.exists()
        if self._assign_order_uuid(number):
            day = self._day_told(callbacks, report)
            self._apply_response(report, invoice_number, day)
        self._schedule_next_poll()
        if not all(callback._is_confirmed_by(report.status) for callback in callbacks):
            self._poll_again()
        callbacks.unlink()

    def _record_poll(self):
        """Front Payment told what it knows of the orders."""
        self.write({"last_poll_at": fields.Datetime.now(), "poll_failures": 0})
        for order in self.filtered("is_missing"):
            order.write({"is_missing": False, "error": False})
            order.move_id.activity_unlink([ATTENTION])

    def _record_missing(self):
        """Front Payment doesn't know the order: it is asked for ever rarer, and one
        person is told."""
        self._schedule_next_poll()
        if not self.next_poll_at:
            return
        now = fields.Datetime.now()
        pause = (self.next_poll_at - now) * 2 ** min(self.poll_failures - 1, 12)
        self.next_poll_at = now + min(pause, MAX_MISSING_PAUSE)
        if self.is_missing:
            return
        self.is_missing = True
        self._report_problem(self._missing_sentence())

    @in_each_language
    def _missing_sentence(self):
        return self.env._(
            "Front Payment doesn't know order %(order)s of %(invoice)s any more. Look"
            " for it in Front Payment's own pages, or ask its support, before you do"
            " anything else with the invoice.",
            order=self.order_uuid,
            invoice=self.move_id.display_name,
        )

    def _poll_again(self):
        """Front Payment's answer may lag behind its callback: look once more."""
        if self.next_poll_at:
            self.next_poll_at = fields.Datetime.now() + POLL_AGAIN
            self._trigger_cron("cron_poll", POLL_AGAIN)

    def _record_poll_failure(self, callbacks, error=None):
        """The order couldn't be polled, or isn't there.

        :param error: how the call failed; None if the answer couldn't be followed
        """
        if _is_own_limit(error):
            return
        now = fields.Datetime.now()
        self.last_poll_at = now
        callbacks = callbacks.exists()
        self.poll_failures += 1
        if isinstance(error, errors.NotFound):
            callbacks.unlink()
            self._record_missing()
            return
        pause = retry.pause(self.poll_failures, error)
        callbacks.poll_at = now + pause
        if self.next_poll_at:
            self.next_poll_at = now + pause
        if callbacks:
            self._trigger_cron("cron_poll", pause)

    def _day_told(self, callbacks, report):
        """On which day a status came about, if a callback told a day that can be."""
        state = statuses.state_of(report.status)
        first = (self._request_sent_at() - timedelta(days=1)).date()
        last = (fields.Datetime.now() + timedelta(days=1)).date()
        days = (
            self.company_id._frontpay_day(callback.sent_at)
            for callback in callbacks.filtered("sent_at")
            if statuses.state_of(callback.status) == state
        )
        return next((day for day in days if first <= day <= last), None)


def _is_failure(error):
    """Whether Front Payment gave no answer, as opposed to one that says no."""
    return isinstance(error, NO_ANSWER) or bool(error and error.affects_all)


def _is_own_limit(error):
    """Whether it was we who let no more calls out, and not Front Payment."""
    return isinstance(error, errors.RateLimited) and error.is_own
