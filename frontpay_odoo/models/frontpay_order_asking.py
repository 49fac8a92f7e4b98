import logging
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.fields import Domain

from ..connect import backoff, errors, statuses
from ..connect.answers import OrderStatus
from ..connect.endpoints import ENVIRONMENTS
from .frontpay_order import CLAIMED_STATES, INVOICED_STATES
from .frontpay_pace import CRON_PATIENCE, PATIENCE

_logger = logging.getLogger(__name__)

OPEN_STATES = {"sent"} | CLAIMED_STATES
# In these, the list of all orders tells less than an order's own status.
REFUNDED_STATES = {"partially_refunded", "refunded"}
# How long after a question an order is asked for again, by how long ago it was sent.
PAUSES = (
    (timedelta(hours=1), timedelta(minutes=5)),
    (timedelta(days=1), timedelta(minutes=30)),
    (timedelta(days=14), timedelta(hours=6)),
    (timedelta.max, timedelta(days=1)),
)
# More questions than that go together, as one for all orders.
SINGLE_QUESTIONS = 3
# So many are asked for on their own when the list can't be had; for the others it is
# tried again.
WITHOUT_LIST = 20
AGAIN = timedelta(minutes=1)
# After these, every other question of the company would fail in the same way.
FAILS_FOR_ALL = (errors.Unreachable, errors.NotAuthorised, errors.Limited)


class FrontpayOrder(models.Model):
    """Asking Front Payment what became of its orders."""

    _inherit = "frontpay.order"

    @api.model
    def _cron_ask(self):
        """Ask for the orders of which something was heard, then for those whose turn
        it is. An order that can't be asked for keeps no other from it."""
        hinted = self.env["frontpay.hint"]._due().order_id
        due = hinted | self.search(self._due_domain(), order="ask_at, id")
        left = len(due)
        for company, orders in due.grouped("company_id").items():
            others = left - len(orders)
            for some, error in orders._ask(company, CRON_PATIENCE):
                left = max(left - len(some), others)
                if not self._has_time(len(some), left):
                    return
                if _is_own_pace(error):
                    break
                if isinstance(error, FAILS_FOR_ALL) and not some & hinted:
                    self._trigger_cron("cron_ask", _pause_after(error))
                    break
            left = others

    @api.model
    def _has_time(self, done, left):
        """Tell how many orders are done and left, and whether there is time."""
        if not self.env["account.move"]._can_commit():
            return True
        return self.env["ir.cron"]._commit_progress(done, remaining=left) > 0

    def _refresh(self):
        """Ask for the current state of orders that Front Payment knows.

        :return: {order: sentence} of those that couldn't be asked for
        """
        failures = {}
        known = self.filtered("order_uuid")
        for company, orders in known.grouped("company_id").items():
            for some, error in orders._ask(company):
                if error:
                    sentence = company._frontpay_connection_sentence(error)
                    failures |= dict.fromkeys(some, sentence)
        return failures

    def _ask_soon(self):
        """Have the cron ask, once this transaction is committed."""
        self.filtered("order_uuid").ask_at = fields.Datetime.now()
        self._trigger_cron("cron_ask")

    @api.model
    def _open_domain(self):
        """Orders that may still change and can be asked for."""
        return Domain("order_uuid", "!=", False) & Domain("state", "in", OPEN_STATES)

    @api.model
    def _due_domain(self):
        return self._open_domain() & Domain("ask_at", "<=", fields.Datetime.now())

    def _is_of_this_environment(self):
        """Whether the order is at the Front Payment that the company uses now."""
        return self.environment in (False, self.company_id.frontpay_environment)

    def _can_be_asked_for(self):
        """Whether the company's settings lead to the order."""
        company = self.company_id.sudo()
        address = ENVIRONMENTS.get(
            company.frontpay_environment, company.frontpay_custom_url
        )
        has_keys = address and company.frontpay_api_token
        return bool(has_keys and self._is_of_this_environment())

    def _plan_question(self):
        """Say when the order is asked for again, without anybody asking for it."""
        now = fields.Datetime.now()
        for order in self:
            age = now - (order.sent_at or order.create_date)
            pause = next(pause for limit, pause in PAUSES if age <= limit)
            is_open = order.order_uuid and order.state in OPEN_STATES
            order.ask_at = is_open and now + pause

    # === THE QUESTIONS === #

    def _ask(self, company, patience=PATIENCE):
        """Ask for orders of one company, and follow each answer in a transaction of
        its own.

        Many are asked for with one list of all orders. It serves the company's other
        open orders as well.

        :param patience: seconds that a call may wait until the rate limit lets it go
        :return: yields (orders that are done, the
            :class:`connect.errors.FrontPaymentError` that kept them from being asked
            for or None)
        """
        asked = self.with_company(company)
        orders = asked.filtered(lambda order: order._can_be_asked_for())
        if asked != orders:
            left_out = asked - orders
            left_out._in_transaction(left_out._pass_over)
            yield left_out, errors.NotFound("not at the Front Payment of the settings")
        if not orders:
            return
        exchanges = []
        with company._frontpay_client(exchanges.append, patience) as client:
            listed, failure = orders._ask_for_all(client, company, exchanges)
            if failure and not isinstance(failure, FAILS_FOR_ALL):
                rest, orders = orders[WITHOUT_LIST:], orders[:WITHOUT_LIST]
                if rest:
                    self._trigger_cron("cron_ask", AGAIN)
                    yield rest, failure
                failure = None
            if listed:
                orders |= asked._others_in(listed, company)
            same = orders.filtered(lambda order: order._stays(listed))
            if same:
                same._in_transaction(same._record_unchanged)
                yield same, None
            for order in orders - same:
                alone = order._for_its_creator()
                error = alone._ask_alone(client, listed, exchanges, failure)
                failure = error if isinstance(error, FAILS_FOR_ALL) else None
                yield order, error

    def _ask_for_all(self, client, company, exchanges):
        """Get the list of all orders if there is much to ask.

        :return: ({order number: status}, the error because of which there is no list
            or None)
        """
        if len(self) <= SINGLE_QUESTIONS:
            return {}, None
        listed, failure = {}, None
        try:
            listed = client.statuses()
        except errors.FrontPaymentError as error:
            failure = error
        log = self.env["frontpay.exchange"]._log
        self._in_transaction(partial(log, company, exchanges))
        exchanges.clear()
        return listed, failure

    def _others_in(self, listed, company):
        """The company's open orders that nobody asked for, but the list tells."""
        others = self.search(
            self._open_domain() & Domain("company_id", "=", company.id)
        )
        return others.filtered(
            lambda order: order.order_uuid in listed and order._can_be_asked_for()
        )

    def _stays(self, listed):
        """Whether the list says all about the order, and nothing new."""
        if self.hint_ids or self.state == "partially_refunded":
            return False
        return statuses.state_of(listed.get(self.order_uuid, "")) == self.state

    def _ask_alone(self, client, listed, exchanges, failure=None):
        """Ask for one order, and keep what follows from the answer.

        :param dict listed: what the list of all orders said
        :param failure: the error by which a question is known to fail
        :return: the :class:`connect.errors.FrontPaymentError`, or None
        """
        hints = self.hint_ids
        number = self.order_uuid or hints[:1].order_uuid
        if not number:
            return None  # what was heard is settled by now
        try:
            if failure:
                raise failure
            report = self._asked_status(client, number, listed)
            told = self._asked_invoice_number(client, number, report)
            record = partial(self._record_answer, hints, number, report, told)
        except errors.FrontPaymentError as error:
            failure = error
            record = partial(self._record_unasked, hints, failure)
        try:
            self._keep(exchanges, record)
        except Exception:
            _logger.exception("Order %s couldn't follow what was told", self.id)
            self._start_over()
            self._keep(exchanges, partial(self._record_own_fault, hints))
        return failure

    def _asked_status(self, client, number, listed):
        """What Front Payment says of the order.

        :rtype: connect.answers.OrderStatus
        """
        if not self.order_uuid and not self._is_told_by(client.details(number)):
            raise errors.NotFound("the details are another order's")
        state = statuses.state_of(listed.get(number, ""))
        if state and state not in REFUNDED_STATES:
            return OrderStatus(listed[number])
        return client.status(number)

    def _is_told_by(self, details):
        """Whether what Front Payment tells of an order can be this one.

        :param connect.answers.OrderDetails details: it may lack any of them
        """
        is_named = not details.references or self.reference in details.references
        return is_named and (
            details.amount is None or self._is_own_amount(details.amount)
        )

    def _asked_invoice_number(self, client, number, report):
        """The number of Front Payment's invoice, once there is one (section 15b)."""
        state = statuses.state_of(report.status)
        if self.invoice_number or state not in INVOICED_STATES:
            return self.invoice_number
        try:
            return client.invoice_number(number)
        except errors.NotFound:
            return False

    # === WHAT FOLLOWS === #

    def _pass_over(self):
        """There is nobody to ask: the settings lead elsewhere now."""
        self.hint_ids.unlink()
        self._plan_question()

    def _record_unchanged(self):
        self.write({"asked_at": fields.Datetime.now()})
        self._plan_question()
        for order in self:
            # A payment that couldn't be registered before may go now.
            order._settle()

    def _record_answer(self, hints, number, report, invoice_number):
        """Follow what Front Payment says, whatever was heard before."""
        self.asked_at = fields.Datetime.now()
        if self._take_number(number):
            self._catch_up(report, invoice_number, self._day_told(hints, report))
            hints.exists()._compare(report.status)
        else:
            hints.exists().unlink()
        self._plan_question()

    def _record_unasked(self, hints, error):
        """Front Payment couldn't be asked, or doesn't know the order."""
        if _is_own_pace(error):
            self._trigger_cron("cron_ask", timedelta(seconds=error.retry_after))
            return
        self.asked_at = fields.Datetime.now()
        if isinstance(error, errors.NotFound):
            hints.exists()._compare("")
        else:
            hints.exists()._go_unasked(getattr(error, "retry_after", None) or 0)
        if not isinstance(error, FAILS_FOR_ALL):
            self._plan_question()

    def _record_own_fault(self, hints):
        """An error of ours: the next question may have better luck."""
        self.asked_at = fields.Datetime.now()
        self._plan_question()
        hints.exists()._try_again()

    def _day_told(self, hints, report):
        """On which day a status came about, if a callback told."""
        state = statuses.state_of(report.status)
        days = (
            hint.day for hint in hints if statuses.state_of(hint.status or "") == state
        )
        return next(filter(None, days), None)

    def _take_number(self, number):
        """Keep the number by which Front Payment knows the order.

        :return: whether it is this order's
        """
        if not self._may_have_number(number):
            return False
        if not self.order_uuid:
            sent_at = self.sent_at or self.sending_at or fields.Datetime.now()
            self.write({"order_uuid": number, "sent_at": sent_at})
        return True

    def _follow_unconfirmed(self, hint):
        """Follow a callback on its own word: Front Payment can't be asked."""
        if self._take_number(hint.order_uuid):
            self._report(hint.status, hint.day)

    def _catch_up(self, report, invoice_number, day=None):
        self.invoice_number = invoice_number
        if report.refunded_amount is not None:
            self.refunded_amount = float(report.refunded_amount)
        if not self._report(report.status, day):
            # A payment that couldn't be registered before may go now.
            self._settle(day)

    def _record_difference(self, heard, told):
        """Tell that a callback said something else than Front Payment when asked.

        :param str heard: the callback's status
        :param str told: the answer's; empty if Front Payment doesn't know the order
        """
        self._record_error(
            self.env._(
                "A report said “%(heard)s” for order %(order)s, but Front Payment says"
                " “%(told)s” when asked. Look the order up at Front Payment before you"
                " do anything about this invoice.",
                heard=heard,
                order=self.order_uuid or self.reference,
                told=told or self.env._("unknown order"),
            )
        )


def _pause_after(error):
    """How long to leave Front Payment alone after one of :const:`FAILS_FOR_ALL`."""
    at_least = getattr(error, "retry_after", None) or 0
    return timedelta(seconds=round(backoff.delay(1, at_least)))


def _is_own_pace(error):
    """Whether it was we who let no more calls out, and not Front Payment."""
    return isinstance(error, errors.Limited) and error.http_status is None
