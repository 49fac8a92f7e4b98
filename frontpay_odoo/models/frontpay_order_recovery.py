from datetime import datetime, timedelta
from functools import partial
from operator import methodcaller
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain
from odoo.tools import format_time

from ..connect import errors
from ..connect.answers import OrderStatus, SubmittedOrder, contacts_of
from ..connect.channels import CHANNELS
from ..mapping.customer import customer_of

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
        for order in self.filtered(lambda order: order.state == "sending"):
            order._alone(methodcaller("_give_up_sender"))
        unknown = self.filtered(lambda order: order.state == "unknown")
        for company, orders in unknown.grouped("company_id").items():
            here = orders.filtered(lambda order: order._is_of_this_environment())
            for order in orders - here:
                order._alone(methodcaller("_ask_about_environment"))
            if not here:
                continue
            try:
                listing = self._listing(company, details)
            except (errors.FrontPaymentError, UserError) as error:
                failures[company] = self._unanswered_sentence(company, error)
                step = methodcaller("_go_without", error)
            else:
                step = methodcaller("_follow", listing)
            for order in here:
                order._alone(step)
        return failures

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
                strangers = sightings._strangers(company, statuses)
                seen, failed = sightings._look_at(company, client, strangers[:details])
            finally:
                self._in_transaction(
                    partial(self.env["frontpay.exchange"]._log, company, exchanges)
                )
        unread = len(strangers) - seen
        if unread and not failed:
            self._trigger_cron("cron_resolve")
        missing = landmark if landmark not in statuses else ""
        return Listing(asked_at, statuses, unread, missing)

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
        parameters = self.env["ir.config_parameter"].sudo()
        text = parameters.get_param("frontpay_odoo.grace_minutes") or ""
        is_number = text.isascii() and text.isdigit() and len(text) < 6
        return timedelta(minutes=int(text) if is_number else GRACE_MINUTES)

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

    # === A PERSON'S ANSWER === #

    def _take(self, order_uuid):
        """Somebody says that it is this order of Front Payment's.

        :raises UserError: it can't be, or nobody can tell now
        """
        self._refuse_known(order_uuid)
        sighting, status = self._looked_up(order_uuid)
        refusal = self._refusal_of(sighting)
        if refusal:
            raise UserError(refusal)
        self._answered(methodcaller("_record_taken", sighting, status))

    def _take_for_absent(self):
        """Somebody says that Front Payment doesn't have it.

        :raises UserError: it may still appear there
        """
        if self._is_in_grace():
            raise UserError(self._grace_sentence())
        self._answered(methodcaller("_record_denied"))

    def _answered(self, step):
        if not self._alone(step):
            raise UserError(self._busy_message(self.move_id))

    def _looked_up(self, order_uuid):
        """What Front Payment says of an order that a person named.

        :return: (``frontpay.sighting``, the status now or an empty string)
        :raises UserError: nothing is known of it, and it can't be asked for
        """
        company = self.company_id
        sightings = self.env["frontpay.sighting"]
        sighting = sightings._seen(company, order_uuid)
        exchanges = []
        with company._frontpay_client(exchanges.append) as client:
            try:
                details = None if sighting else client.details(order_uuid)
                status = client.status(order_uuid).status
            except errors.FrontPaymentError as error:
                if not sighting:
                    raise UserError(self._untold_sentence(order_uuid, error)) from None
                status = ""  # it is asked for again by itself
            finally:
                self._keep(exchanges)
        if not sighting:
            keep = partial(sightings._keep_sight, company, order_uuid, details)
            sighting = self._in_transaction(keep)
        return sighting, status

    def _refuse_known(self, order_uuid):
        known = self.search([("order_uuid", "=", order_uuid)], limit=1)
        if known:
            raise UserError(
                self.env._(
                    "Order %(order)s belongs to %(invoice)s already.",
                    order=order_uuid,
                    invoice=known.move_id.display_name,
                )
            )

    def _refusal_of(self, sighting):
        """Why an order can't be this invoice, whatever anybody says."""
        if sighting.references and not sighting._names(self):
            return self.env._(
                "Order %(order)s carries the reference %(other)s. The one of this"
                " invoice would be %(reference)s.",
                order=sighting.order_uuid,
                other=", ".join(sighting.references.splitlines()),
                reference=self.reference,
            )
        if not sighting._is_of_amount(self):
            return self.env._(
                "Order %(order)s is over %(other)s, but this invoice over %(amount)s.",
                order=sighting.order_uuid,
                other=self.currency_id.format(sighting.amount),
                amount=self.currency_id.format(self.amount),
            )
        return ""

    def _record_taken(self, sighting, status):
        if self.state != "unknown":
            return
        self._refuse_known(sighting.order_uuid)
        self.move_id.message_post(
            body=self.env._(
                "%(person)s said that this invoice is Front Payment's order %(order)s.",
                person=self.env.user.name,
                order=sighting.order_uuid,
            )
        )
        self._record_found(sighting, status)

    def _record_denied(self):
        if not self._move_to("failed"):
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

    def _untold_sentence(self, order_uuid, error):
        if isinstance(error, errors.NotFound):
            return self.env._("Front Payment doesn't know order %s.", order_uuid)
        return self.env._(
            "Front Payment doesn't tell what order %(order)s is. %(reason)s",
            order=order_uuid,
            reason=self._unanswered_sentence(self.company_id, error),
        )

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
            "No clear answer came back when %(invoice)s was sent, and the settings"
            " have another Front Payment environment since. Look for the invoice in"
            " the pages of the former one.",
            invoice=self.move_id.name,
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

    def _question_sentence(self, candidates, failure):
        """What a person has to know who says now what became of the order.

        :param candidates: the ``frontpay.sighting`` that may be it
        :param str failure: why Front Payment couldn't be asked, if it couldn't
        """
        if self.asks_person:
            return self.error
        if failure:
            return failure
        if not self._is_in_grace():
            return self._reading_sentence()
        return (
            self._early_sentence(candidates) if candidates else self._grace_sentence()
        )

    def _reading_sentence(self):
        return self.env._(
            "Front Payment has orders that nobody here knows. They are looked at by"
            " themselves, one after the other. Come back in some minutes."
        )

    def _early_sentence(self, candidates):
        return self.env._(
            "Front Payment has %(count)s order(s) that may be %(invoice)s, and another"
            " one may still appear until %(time)s. It is looked at again by itself."
            " Take one now only if you know that it is this invoice.",
            count=len(candidates),
            invoice=self.move_id.name,
            time=self._printed_grace_end(),
        )

    def _grace_sentence(self):
        return self.env._(
            "Front Payment doesn't show %(invoice)s so far, but it may still appear."
            " It is looked for by itself; if it isn't there by %(time)s, it can be"
            " sent again.",
            invoice=self.move_id.name,
            time=self._printed_grace_end(),
        )

    def _printed_grace_end(self):
        return format_time(self.env, self._grace_ends_at(), time_format="short")
