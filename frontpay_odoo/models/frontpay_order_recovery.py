import logging
from datetime import datetime, timedelta
from functools import partial
from operator import methodcaller
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain

from ..connect import errors
from ..connect.answers import OrderStatus, SubmittedOrder, contacts_of
from ..connect.channels import CHANNELS
from ..mapping.customer import customer_of

_logger = logging.getLogger(__name__)

UNSETTLED = ("sending", "unknown")
GRACE_MINUTES = 15
# After that, a person is asked also while Front Payment's answers may yet get better.
PATIENCE = timedelta(hours=1)
DETAILS_A_RUN = 200  # so a run takes about a minute
DETAILS_A_CLICK = 20  # and a person waits some seconds


class Listing(NamedTuple):
    """What Front Payment's list of orders says.

    :param asked_at: when it was asked for, UTC without a zone
    :param statuses: {order number: status}
    :param unread: how many orders that nobody here knows couldn't be looked at yet
    :param missing: the number of an order of ours that must be in the list and isn't,
        so that what else isn't in it proves nothing; or an empty string
    """

    asked_at: datetime
    statuses: dict
    unread: int = 0
    missing: str = ""


class FrontpayOrder(models.Model):
    """What became of orders whose sending had no clear outcome.

    A callback settles such an order at any time. Without one, Front Payment's list of
    orders does where it gives a clear answer, and a person where it doesn't.
    """

    _inherit = "frontpay.order"

    asks_person = fields.Boolean(
        readonly=True, help="Somebody has to say what became of the order."
    )

    def _move_to(self, state):
        """Whoever was asked to do something need not do it any more."""
        is_moved = super()._move_to(state)
        if is_moved and state not in (*UNSETTLED, "queued"):
            self.asks_person = False
            self._settle_activities()
        return is_moved

    # === ASKING FRONT PAYMENT === #

    @api.model
    def _cron_resolve(self):
        self.search([("state", "in", UNSETTLED)])._resolve(DETAILS_A_RUN)

    def _resolve(self, details=DETAILS_A_CLICK):
        """Find out what became of orders, each in transactions of its own.

        :param details: how many orders that nobody here knows may be looked at
        :return: {company: sentence} of those whose Front Payment couldn't be asked
        """
        failures = {}
        sending = self.filtered(lambda order: order.state == "sending")
        sending._each_alone(methodcaller("_give_up_sender"))
        unknown = self.filtered(lambda order: order.state == "unknown")
        for company, orders in unknown.grouped("company_id").items():
            here = orders.filtered(lambda order: order._is_of_this_environment())
            (orders - here)._each_alone(methodcaller("_ask_about_environment"))
            if not here:
                continue
            try:
                listing = self._listing(company, details)
            except (errors.FrontPaymentError, UserError) as error:
                failures[company] = self._unanswered_sentence(company, error)
                here._each_alone(methodcaller("_go_without", error))
            else:
                here._each_alone(methodcaller("_follow", listing))
        return failures

    def _each_alone(self, step):
        """Run a step for each of the orders; one that fails stops no other."""
        for order in self:
            try:
                order._alone(step)
            except Exception:
                _logger.exception("Order %s couldn't be settled", order.id)
                self._start_over()

    def _alone(self, step):
        """Run a step in a transaction of its own while nobody else has the invoice.

        :param step: called with the order, in the words of whoever sent it
        :return: whether it was run
        """
        order = self._for_its_creator()
        try:
            with self._sender_lock(self.move_id):
                # What was read before the lock was had may be out of date.
                self._in_transaction(self.env.invalidate_all)
                self._in_transaction(partial(step, order))
        except LockError:
            return False
        return True

    def _give_up_sender(self):
        """Nobody sends this order any more: whoever did would hold the lock."""
        if self.state == "sending":
            self._record_failure(errors.UnknownOutcome("the sender died"))

    @api.model
    def _listing(self, company, details):
        """Ask for the list of orders, and look at those that nobody here knows.

        :param details: how many of them may be looked at
        :rtype: Listing
        :raises FrontPaymentError: there is no list to be had
        """
        sightings = self.env["frontpay.sighting"]
        asked_at = fields.Datetime.now()
        landmark = self._landmark(company, asked_at - self._grace())
        exchanges = []
        with company._frontpay_client(exchanges.append) as client:
            try:
                statuses = client.statuses()
            finally:
                # What was sent meanwhile is no stranger: a new transaction sees it.
                self._keep_for(company, exchanges)
            strangers = sightings._strangers(company, statuses)
            seen, failed = sightings._look_at(company, client, strangers[:details])
            self._keep_for(company, exchanges)
        unread = len(strangers) - seen
        if unread and not failed:
            self._trigger_cron("cron_resolve")
        missing = landmark if landmark not in statuses else ""
        return Listing(asked_at, statuses, unread, missing)

    @api.model
    def _keep_for(self, company, exchanges):
        """Store what was exchanged about no order in particular, at once."""
        log = self.env["frontpay.exchange"]._log
        self._in_transaction(partial(log, company, exchanges))
        exchanges.clear()

    @api.model
    def _landmark(self, company, before):
        """The number of the company's last order before that time.

        Front Payment doesn't say whether its list has pages or an end, nor does it
        tell accounts apart: this order must be in it.
        """
        return (
            self.search(
                [
                    ("company_id", "=", company.id),
                    ("environment", "=", company.frontpay_environment),
                    ("order_uuid", "!=", False),
                    ("sent_at", "<=", before),
                ],
                order="sent_at desc, id desc",
                limit=1,
            ).order_uuid
            or ""
        )

    @api.model
    def _unanswered_sentence(self, company, error):
        if isinstance(error, errors.FrontPaymentError):
            return company._frontpay_connection_sentence(error)
        return str(error)

    # === GOING BY THE ANSWER === #

    def _follow(self, listing):
        """Settle the order by Front Payment's list, or ask a person."""
        if self.state != "unknown":
            return
        if self.order_uuid:  # a callback told it, with a status that says nothing
            self._record_there(listing.statuses.get(self.order_uuid, ""))
            return
        candidates = self._candidates().filtered(
            lambda sighting: sighting.order_uuid in listing.statuses
        )
        named = candidates.filtered(lambda sighting: sighting._names(self))
        if len(named) == 1:
            self._record_found(named, listing.statuses[named.order_uuid])
        elif named:
            self._put_question(self._several_sentence(named))
        elif listing.unread:
            self._wait(self._unread_sentence(listing))
        elif len(candidates) == 1 and self._is_only_one_like(candidates):
            self._record_found(candidates, listing.statuses[candidates.order_uuid])
        elif self._is_in_grace(listing.asked_at):
            return
        elif candidates:
            self._put_question(self._several_sentence(candidates))
        elif listing.missing:
            self._put_question(self._incomplete_sentence(listing))
        else:
            self._record_absent(self._absent_sentence())

    def _candidates(self):
        """The orders seen at Front Payment that may be this one.

        :return: ``frontpay.sighting``
        """
        sightings = self.env["frontpay.sighting"].search(
            Domain("company_id", "=", self.company_id.id)
            & Domain("environment", "=", self.company_id.frontpay_environment)
            & Domain("order_id", "=", False)
            & (
                Domain("references", "like", self.reference)
                | Domain("references", "=", False)
                & Domain("amount", "in", [0, self.amount])
            )
        )
        candidates = sightings.filtered(
            lambda sighting: sighting._names(self) or sighting._may_be(self)
        )
        return candidates.filtered(lambda sighting: not sighting._is_known())

    def _is_only_one_like(self, sighting):
        """Whether it tells enough, and no other order without an outcome fits it."""
        others = self.search(
            [
                ("company_id", "=", self.company_id.id),
                ("state", "in", UNSETTLED),
                ("id", "!=", self.id),
            ]
        )
        return sighting._is_told() and not any(map(sighting._may_be, others))

    def _contact_digests(self):
        """How the customer can be recognised; see :class:`frontpay.sighting`."""
        customer = customer_of(self.move_id, CHANNELS[self.channel], [], [])
        contacts = contacts_of(
            {
                "email": customer.email,
                "countryCode": customer.country_code,
                "msisdn": customer.msisdn,
                "organizationId": customer.organization_id,
            }
        )
        return self.env["frontpay.sighting"]._digests(contacts)

    def _went_out_at(self):
        return self.sending_at or self.create_date

    @api.model
    def _grace(self):
        """How long an order may take to appear in Front Payment's list."""
        minutes = self.env["ir.config_parameter"]._frontpay_number(
            "grace_minutes", GRACE_MINUTES, least=0
        )
        return timedelta(minutes=minutes)

    def _grace_ends_at(self):
        return self._went_out_at() + self._grace()

    def _is_in_grace(self, moment=None):
        """Whether the order may still appear.

        :param moment: when that is asked, UTC without a zone; now without it
        """
        return (moment or fields.Datetime.now()) < self._grace_ends_at()

    # === WHAT IS RECORDED === #

    def _record_found(self, sighting, status):
        """It is this order: go on as after an answer.

        :param status: what Front Payment says of it now, or an empty string
        """
        # Whoever else takes the same one at this moment conflicts here.
        sighting.order_id = self
        customer = self.partner_id.with_company(self.company_id)
        submitted = SubmittedOrder(
            sighting.order_uuid,
            sighting.customer_uuid or customer.frontpay_customer_uuid or "",
            "",
        )
        went_out_at = self._went_out_at()
        self._record_submitted(submitted)
        # Without a fingerprint the invoice can be sent once more, unchanged.
        self.write({"sent_at": went_out_at, "fingerprint": False})
        self._follow_submission(submitted, OrderStatus(status) if status else None)
        if self._can_be_updated():
            self.move_id.message_post(body=self._lost_address_sentence())

    def _record_there(self, status):
        """Front Payment has it; its number is known already."""
        self._move_to("sent")
        self.error = False
        self._report(status)
        self._plan_question()

    def _record_absent(self, sentence):
        if self._move_to("failed"):
            self._record_error(sentence)
            self._ask_responsible(sentence)

    def _go_without(self, error):
        """There is no list: Front Payment can't be asked."""
        self._wait(
            self.env._(
                "No clear answer came back when %(invoice)s was sent, and Front"
                " Payment can't be asked since: %(reason)s Look for the invoice in"
                " Front Payment's own pages, or ask its support.",
                invoice=self.move_id.name,
                reason=self._unanswered_sentence(self.company_id, error),
            )
        )

    def _wait(self, sentence):
        """Ask again later, and a person as well after a while."""
        if self.state != "unknown":
            return
        if fields.Datetime.now() >= self._went_out_at() + PATIENCE:
            self._put_question(sentence)

    def _ask_about_environment(self):
        if self.state == "unknown":
            self._put_question(self._environment_sentence())

    def _put_question(self, sentence):
        """Let a person say what became of the order."""
        self.asks_person = True
        if sentence != self.error:
            self._record_error(sentence)
            self._ask_responsible(sentence)

    # === WHAT IS TOLD === #

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

    def _unread_sentence(self, listing):
        return self.env._(
            "No clear answer came back when %(invoice)s was sent, and Front Payment"
            " doesn't tell what %(count)s of its orders are about. Look for the"
            " invoice in Front Payment's own pages, or ask its support.",
            invoice=self.move_id.name,
            count=listing.unread,
        )

    def _incomplete_sentence(self, listing):
        return self.env._(
            "No clear answer came back when %(invoice)s was sent. Front Payment's list"
            " of orders doesn't have it, but it lacks order %(order)s as well, which"
            " Front Payment had taken on. Look for the invoice in Front Payment's own"
            " pages, or ask its support.",
            invoice=self.move_id.name,
            order=listing.missing,
        )

    def _environment_sentence(self):
        return self.env._(
            "No clear answer came back when %s was sent, and the settings have another"
            " Front Payment environment since. Choose the former one until this is"
            " settled, or look for the invoice in its pages.",
            self.move_id.name,
        )

    def _absent_sentence(self):
        return self.env._(
            "Front Payment never got %s: it isn't among its orders. The invoice can be"
            " sent again.",
            self.move_id.name,
        )

    def _lost_address_sentence(self):
        return self.env._(
            "The customer's BankID address was lost with Front Payment's answer."
            " “Update at Front Payment” brings a new one."
        )
