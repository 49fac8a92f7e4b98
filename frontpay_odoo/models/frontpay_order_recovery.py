from datetime import datetime, timedelta
from operator import methodcaller
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain

from ..connect import errors
from ..connect.responses import OrderStatus, SubmittedOrder
from ..connect.statuses import state_of
from ..mapping.remedy import settings_remedy
from ..tools import error_messages, system_parameters, transaction
from ..tools.deadline import Deadline
from ..tools.sentence import in_each_language
from .frontpay_order import GRACE_MINUTES, IN_DOUBT_STATES

# After that, a person is asked also while Front Payment's answers may yet get better.
ESCALATED_AFTER = timedelta(hours=1)
DETAILS_A_RUN = 200  # so a run takes about a minute
DETAILS_SECONDS = 45  # and a slow Front Payment doesn't outlast Odoo's time limit
DETAILS_A_CLICK = 20
# How long before an order another one may have been sent that proves what the list
# shows, and how many of those that came later are looked at.
NEARBY = timedelta(minutes=10)
MAX_NEIGHBOURS = 500


class OrderList(NamedTuple):
    """What Front Payment's list of orders says.

    :param asked_at: when it was asked for, UTC without a zone
    :param statuses: {order number: status}
    :param unfetched: how many orders that nobody here knows couldn't be read yet
    """

    asked_at: datetime
    statuses: dict
    unfetched: int = 0


class FrontpayOrder(models.Model):
    """What became of orders whose sending had no clear outcome.

    A callback settles such an order at any time. Without one, Front Payment's list of
    orders does where it gives a clear answer, and a person where it doesn't.
    """

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _cron_recover(self):
        in_doubt = [("state", "in", tuple(IN_DOUBT_STATES))]
        self.search(in_doubt)._recover(DETAILS_A_RUN)

    def _recover(self, details=DETAILS_A_CLICK, deadline=None):
        """Find out what became of orders, each in transactions of its own.

        :param details: how many orders that nobody here knows may be read
        :param tools.deadline.Deadline deadline: then the cron goes on
        :return: {company: sentence} of those whose Front Payment couldn't be asked
        """
        failures = {}
        sending = self.filtered(lambda order: order.state == "sending")
        sending._each_locked(methodcaller("_record_dead_sender"))
        unknown = self.filtered(lambda order: order.state == "unknown")
        for company, orders in unknown.grouped("company_id").items():
            if company._frontpay_is_copy():
                failures[company] = company._frontpay_copy_message()
                continue
            here = orders.filtered(lambda order: order._is_of_this_environment())
            (orders - here)._each_locked(methodcaller("_request_environment"))
            if not here:
                continue
            try:
                order_list = self._fetch_order_list(company, details, deadline)
            except (errors.FrontPaymentError, UserError) as error:
                if deadline and not deadline.left():  # it may be fine, but it is slow
                    continue
                failures[company] = company._frontpay_failure_sentence(error)
                here._each_locked(methodcaller("_continue_without_list", error))
            else:
                here._each_locked(methodcaller("_settle_by", order_list))
        if deadline and not deadline.left():
            self._trigger_cron("cron_recover")
        return failures

    def _each_locked(self, step):
        """Run a step for each of the orders; one that fails stops no other."""
        for order in self:
            with transaction.contained(order):
                order._alone()._run_locked(step)

    def _run_locked(self, step):
        """Run a step in a transaction of its own while nobody else has the invoice.

        :param step: called with the order, in the words of whoever sent it
        :return: whether it was run
        """
        order = self._with_creator_env()
        try:
            with transaction.sender_lock(self.move_id):
                # What was read before the lock was had may be out of date.
                transaction.run(self.env, self.env.invalidate_all)
                transaction.run(self.env, step, order)
        except LockError:
            return False
        return True

    def _record_dead_sender(self):
        """Nobody sends this order any more: whoever did would hold the lock."""
        if self.state == "sending":
            self._record_failure(errors.UnknownOutcome("the sender died"))

    # === THE LIST === #

    @api.model
    def _fetch_order_list(self, company, details, deadline=None):
        """Ask for the list of orders, and read those that nobody here knows.

        :param details: how many of them may be read
        :param deadline: when it has to be over
        :rtype: OrderList
        :raises FrontPaymentError: there is no list to be had
        """
        remote_orders = self.env["frontpay.remote.order"]
        exchanges = self.env["frontpay.exchange"]
        asked_at = fields.Datetime.now()
        with company._frontpay_client(deadline=deadline) as client:
            try:
                statuses = client.statuses()
            finally:
                # What was sent meanwhile is known: a new transaction sees it.
                exchanges._save(company, client)
            unknown = remote_orders._unknown_uuids(company, client.base_url, statuses)
            fetched, failed = remote_orders._fetch_details(
                company,
                client,
                unknown[:details],
                deadline or Deadline(DETAILS_SECONDS),
            )
            exchanges._save(company, client)
        unfetched = len(unknown) - fetched
        if unfetched and not failed:
            self._trigger_cron("cron_recover")
        return OrderList(asked_at, statuses, unfetched)

    def _would_be_in(self, order_list):
        """Whether the list proves that an order that isn't in it doesn't exist.

        Front Payment doesn't say whether its list has pages or an end, nor does it
        tell accounts apart, and some versions of it leave out what is SENT (section
        13). So it has to show an order of the same kind: still SENT, and sent about
        the same time or later. And it may lack none of those.
        """
        neighbours = self.search(
            [
                ("company_id", "=", self.company_id.id),
                ("base_url", "=", self.base_url),
                ("order_uuid", "!=", False),
                ("sent_at", ">=", self._request_sent_at() - NEARBY),
            ],
            order="sent_at, id",
            limit=MAX_NEIGHBOURS,
        )
        listed = order_list.statuses
        is_due = order_list.asked_at - self._grace()
        is_complete = all(
            order.order_uuid in listed or order.sent_at > is_due for order in neighbours
        )
        return is_complete and any(
            state_of(listed.get(order.order_uuid, "")) == "sent" for order in neighbours
        )

    def _settle_by(self, order_list):
        """Settle the order by Front Payment's list, or have a person decide."""
        if self.state != "unknown":
            return
        if self.order_uuid:  # a callback told it, with a status that says nothing
            self._record_there(order_list.statuses.get(self.order_uuid, ""))
            return
        seen = self._candidates()
        named = seen.filtered(lambda each: each._has_reference_of(self))
        candidates = seen.filtered(
            lambda candidate: candidate.order_uuid in order_list.statuses
        )
        if len(named) == 1 and named in candidates:
            self._record_found(named, order_list.statuses[named.order_uuid])
        elif named:
            self._request_decision(self._several_sentence(named))
        elif order_list.unfetched:
            self._escalate_if_overdue(self._unfetched_sentence(order_list))
        elif len(candidates) == 1 and self._is_only_match(candidates):
            self._record_found(candidates, order_list.statuses[candidates.order_uuid])
        elif self._is_in_grace(order_list.asked_at):
            return
        elif candidates:
            self._request_decision(self._several_sentence(candidates))
        elif self.sent_at:
            return  # Front Payment took it, whatever its list says
        elif self._would_be_in(order_list):
            self._record_absent()
        else:
            self._request_decision(self._unproved_sentence())

    def _candidates(self):
        """The orders at Front Payment that may be this one.

        :return: ``frontpay.remote.order``
        """
        remote_orders = self.env["frontpay.remote.order"].search(
            Domain("company_id", "=", self.company_id.id)
            & Domain("base_url", "=", self.base_url)
            & Domain("order_id", "=", False)
            & (
                Domain("references", "like", self.reference)
                | Domain("references", "=", False)
                & Domain("amount", "in", [0, self.amount])
            )
        )
        return remote_orders.filtered(
            lambda each: (
                (each._has_reference_of(self) or each._matches(self))
                and not each._is_known()
            )
        )

    def _is_only_match(self, remote_order):
        """Whether it tells enough, and no other order without an outcome fits it."""
        others = self.search(
            [
                ("company_id", "=", self.company_id.id),
                ("base_url", "=", self.base_url),
                ("state", "in", tuple(IN_DOUBT_STATES)),
                ("id", "!=", self.id),
            ]
        )
        is_conclusive = remote_order._is_conclusive()
        return is_conclusive and not any(map(remote_order._matches, others))

    @api.model
    def _grace(self):
        """How long an order may take to appear in Front Payment's list."""
        minutes = system_parameters.whole_number(
            self.env, "grace_minutes", GRACE_MINUTES, least=0
        )
        return timedelta(minutes=minutes)

    def _grace_ends_at(self):
        return self._request_sent_at() + self._grace()

    def _is_in_grace(self, moment=None):
        """Whether the order may still appear.

        :param moment: when that is asked, UTC without a zone; now without it
        """
        return (moment or fields.Datetime.now()) < self._grace_ends_at()

    # === WHAT IS RECORDED === #

    def _record_found(self, remote_order, status):
        """It is this order: go on as after an answer.

        :param status: what Front Payment says of it now, or an empty string
        """
        # Whoever else takes the same one at this moment conflicts here.
        remote_order.order_id = self
        customer = self.partner_id.with_company(self.company_id)
        customer_uuid = remote_order.customer_uuid or customer.frontpay_customer_uuid
        answer = SubmittedOrder(remote_order.order_uuid, customer_uuid or "", "")
        sent_at = self._request_sent_at()
        if not self._record_submitted(answer):
            return
        # Without what was sent, the invoice can be sent once more, unchanged.
        self.write({"sent_at": sent_at, "sent_parts": False})
        if status:
            self._apply_response(OrderStatus(status))
        if self._can_be_updated():
            self._enqueue(self.move_id)
            self.move_id.message_post(
                body=self.env._(
                    "The customer's BankID link was lost with Front Payment's answer."
                    " A new one is fetched automatically."
                )
            )

    def _record_there(self, status):
        """Front Payment has it; its number is known already."""
        self._set_state("sent")
        self.error = False
        self._apply_status(status)
        self._schedule_next_poll()

    def _record_absent(self):
        if self._set_state("failed"):
            self._report_problem(self._absent_sentence())

    @in_each_language
    def _absent_sentence(self):
        return self.env._(
            "Front Payment never got %s: it isn't among its orders. The invoice can be"
            " sent again.",
            self.move_id.name,
        )

    def _continue_without_list(self, error):
        """There is no list: Front Payment can't be asked."""
        self._escalate_if_overdue(self._unlisted_sentence(error))

    @in_each_language
    def _unlisted_sentence(self, error):
        return self.env._(
            "No clear answer came back when %(invoice)s was sent, and its status can't"
            " be updated since: %(reason)s Look for the invoice in Front Payment's own"
            " pages, or ask its support.",
            invoice=self.move_id.name,
            reason=error_messages.connection_message(self.company_id, error),
        )

    def _escalate_if_overdue(self, sentence):
        """Ask again later, and a person as well after a while."""
        if self.state != "unknown":
            return
        if fields.Datetime.now() >= self._request_sent_at() + ESCALATED_AFTER:
            self._request_decision(sentence)

    def _request_environment(self):
        if self.state == "unknown" and not self._is_left_in_demo():
            self._request_decision(self._environment_sentence())

    def _request_decision(self, sentence):
        """Have a person say what became of the order."""
        self.needs_decision = True
        if sentence != self.error:
            self._report_problem(sentence)

    # === A PERSON'S DECISION === #

    def _link_manually(self, order_uuid):
        """Somebody says that it is this order of Front Payment's.

        :raises UserError: it can't be, or nobody can tell now
        """
        self._refuse_known(order_uuid)
        remote_order, status = self._look_up(order_uuid)
        refusal = self._refusal_of(remote_order)
        if refusal:
            raise UserError(refusal)
        self._run_decision(methodcaller("_record_link", remote_order, status))

    def _mark_not_received(self):
        """Somebody says that Front Payment doesn't have it.

        :raises UserError: it may still appear there
        """
        if self.order_uuid:
            raise UserError(
                self.env._("Front Payment has it as order %s.", self.order_uuid)
            )
        if self._is_in_grace():
            raise UserError(
                self.env._("%s may still appear at Front Payment.", self.move_id.name)
            )
        named = self._candidates().filtered(lambda each: each._has_reference_of(self))
        if named:
            raise UserError(
                self.env._(
                    "Front Payment has it: order %(orders)s carries the reference"
                    " %(reference)s of this invoice. Link that order.",
                    orders=", ".join(named.mapped("order_uuid")),
                    reference=self.reference,
                )
            )
        self._run_decision(methodcaller("_record_not_received"))

    def _run_decision(self, step):
        if not self._run_locked(step):
            raise transaction.busy(self.move_id)

    def _look_up(self, order_uuid):
        """What Front Payment says of an order that a person named.

        :return: (``frontpay.remote.order``, the status now or an empty string)
        :raises UserError: nothing is known of it, and it can't be asked for
        """
        company = self.company_id
        remote_orders = self.env["frontpay.remote.order"]
        remote_order = remote_orders._stored(company, self.base_url, order_uuid)
        if not self._is_of_this_environment():
            if not remote_order:
                raise UserError(self._environment_sentence())
            return remote_order, ""
        with company._frontpay_client(deadline=Deadline()) as client:
            try:
                details = None if remote_order else client.details(order_uuid)
                status = client.status(order_uuid).status
            except errors.FrontPaymentError as error:
                if not remote_order or isinstance(error, errors.NotFound):
                    raise UserError(self._untold_sentence(order_uuid, error)) from None
                status = ""  # it is polled by itself
            finally:
                self._save_exchanges(client)
        if not remote_order:
            store = remote_orders._store_details
            remote_order = store(company, self.base_url, order_uuid, details)
        return remote_order, status

    def _refuse_known(self, order_uuid):
        known = self._with_number(self.company_id, self.base_url, order_uuid)
        if known:
            raise UserError(
                self.env._(
                    "Order %(order)s belongs to %(invoice)s already.",
                    order=order_uuid,
                    invoice=known.move_id.display_name,
                )
            )

    def _refusal_of(self, remote_order):
        """Why an order can't be this invoice, whatever anybody says."""
        if remote_order.references and not remote_order._has_reference_of(self):
            return self.env._(
                "Order %(order)s carries the reference %(other)s. The one of this"
                " invoice would be %(reference)s.",
                order=remote_order.order_uuid,
                other=", ".join(remote_order.references.splitlines()),
                reference=self.reference,
            )
        if not remote_order._matches_amount(self):
            return self.env._(
                "Order %(order)s amounts to %(other)s, but this invoice to %(amount)s.",
                order=remote_order.order_uuid,
                other=self.currency_id.format(remote_order.amount),
                amount=self.currency_id.format(self.amount),
            )
        return ""

    def _record_link(self, remote_order, status):
        if self.state != "unknown":
            return
        self._refuse_known(remote_order.order_uuid)
        self.move_id.message_post(
            body=self.env._(
                "%(person)s said that this invoice is Front Payment's order %(order)s.",
                person=self.env.user.name,
                order=remote_order.order_uuid,
            )
        )
        self._record_found(remote_order, status)

    def _record_not_received(self):
        if not self._set_state("failed"):
            return
        self.error = False
        self.move_id.message_post(
            body=self.env._(
                "%s said that Front Payment doesn't have this invoice. It can be sent"
                " again.",
                self.env.user.name,
            )
        )

    # === WHAT IS TOLD === #

    def _outcome_lines(self):
        """What states the orders have now, a line for each."""
        return [
            f"{order.move_id.display_name}: {order._state_label(order.state)}"
            for order in self
        ]

    @in_each_language
    def _several_sentence(self, candidates):
        if len(candidates) == 1:
            return self.env._(
                "No clear answer came back when %(invoice)s was sent. Front Payment"
                " has order %(orders)s, which may be this invoice. Look at it and say"
                " whether it is.",
                invoice=self.move_id.name,
                orders=candidates.order_uuid,
            )
        return self.env._(
            "No clear answer came back when %(invoice)s was sent. Front Payment has"
            " %(count)s orders that may be this invoice: %(orders)s. Look at them and"
            " say which one it is.",
            invoice=self.move_id.name,
            count=len(candidates),
            orders=", ".join(candidates.mapped("order_uuid")),
        )

    @in_each_language
    def _unfetched_sentence(self, order_list):
        return self.env._(
            "No clear answer came back when %(invoice)s was sent, and Front Payment"
            " doesn't tell what %(count)s of its orders are about. Look for the"
            " invoice in Front Payment's own pages, or ask its support.",
            invoice=self.move_id.name,
            count=order_list.unfetched,
        )

    @in_each_language
    def _unproved_sentence(self):
        return self.env._(
            "No clear answer came back when %s was sent. Front Payment's list of orders"
            " doesn't have it, but proves nothing: it doesn't show all orders that were"
            " sent about that time. Look for the invoice in Front Payment's own pages,"
            " or ask its support.",
            self.move_id.name,
        )

    @in_each_language
    def _environment_sentence(self):
        return self.env._(
            "No clear answer came back when %(invoice)s was sent to Front Payment at"
            " %(url)s. Its status can't be updated: the settings lead to another"
            " environment since. Look for the invoice in the pages of the former one,"
            " or have that one chosen again until this is settled: %(remedy)s",
            invoice=self.move_id.name,
            url=self.base_url,
            remedy=settings_remedy(self.company_id, "frontpay_environment"),
        )

    def _untold_sentence(self, order_uuid, error):
        if isinstance(error, errors.NotFound):
            return self.env._("Front Payment doesn't know order %s.", order_uuid)
        return self.env._(
            "Front Payment doesn't tell what order %(order)s is. %(reason)s",
            order=order_uuid,
            reason=error_messages.connection_message(self.company_id, error),
        )
