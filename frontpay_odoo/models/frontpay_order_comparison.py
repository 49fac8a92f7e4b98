import logging
from datetime import timedelta

from markupsafe import Markup
from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import split_every
from odoo.tools.translate import LazyTranslate

from ..connect import errors
from ..connect.statuses import state_of
from ..mapping.problem import localized
from ..tools import transaction
from ..tools.local_time import local_time
from ..tools.sentence import kept
from .frontpay_order import (
    ENDED_STATES,
    OPEN_STATES,
    PAYMENT_STATES,
    REFUNDED_STATES,
)
from .frontpay_order_status import OPEN_HERE
from .frontpay_order_unbooking import LIVE_PAYMENT_STATES
from .frontpay_rate_limit import CRON_MAX_WAIT

_lt = LazyTranslate(__name__)
_logger = logging.getLogger(__name__)

# Orders that ended longer ago aren't compared with Front Payment's list any more.
COMPARED_FOR = timedelta(days=400)
# So many orders that the list lacks are asked for on their own, those first that were
# asked for longest ago; the others follow the next night.
ABSENT_A_NIGHT = 200
COMPARED_AT_ONCE = 200  # orders between two commits
# What was compared within it isn't compared again, so a run goes on where one stopped.
NIGHT = timedelta(hours=12)
AGREED = _lt("Odoo and Front Payment agree. Last compared: %s.")
NEVER_COMPARED = _lt(
    "Odoo and Front Payment weren't compared yet: it is done at night."
)


class FrontpayOrder(models.Model):
    """What Odoo's books say is compared with what Front Payment says, each night."""

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _cron_compare(self):
        """Have those orders polled that Front Payment's list says something else of,
        then compare the books.

        The calls keep to the rate limit, as they are polling's own; a run that ends
        early goes on where it stopped. A company that can't be compared keeps no other
        from it.
        """
        if self._is_run_over():
            return
        companies = self.env["res.company"].search(
            self._not_tonight("frontpay_compared_at")
        )
        for company in companies.filtered(lambda each: each._frontpay_access_url()):
            with transaction.contained(company):
                self._ask_or_warn(company)
        self._compare_books()

    @api.model
    def _ask_or_warn(self, company):
        try:
            self._ask_for_differences(company)
        except (errors.FrontPaymentError, UserError) as error:
            # The page goes on saying when it was last compared; polling tells of an
            # outage.
            kind = type(error).__name__
            _logger.warning("Company %s couldn't be compared: %s", company.id, kind)

    @api.model
    def _not_tonight(self, name):
        """What wasn't compared since the night began.

        :param name: of the field that says when it was compared
        """
        began = fields.Datetime.now() - NIGHT
        return Domain(name, "=", False) | Domain(name, "<", began)

    @api.model
    def _ask_for_differences(self, company):
        """Have polling ask for every order that Front Payment's list contradicts."""
        orders = self._compared_with_list(company)
        with company._frontpay_client(CRON_MAX_WAIT) as client:
            try:
                listed = client.statuses(set(orders.mapped("order_uuid")))
            finally:
                self.env["frontpay.exchange"]._save(company, client)
        absent = orders.filtered(lambda order: order.order_uuid not in listed)
        asked = absent.sorted("last_poll_at, id")[:ABSENT_A_NIGHT] | orders.filtered(
            lambda order: order._is_contradicted_by(listed.get(order.order_uuid, ""))
        )
        transaction.run(self.env, asked._ask_tonight, company)

    def _is_contradicted_by(self, status):
        return state_of(status) not in (None, self.state)

    def _ask_tonight(self, company):
        if self:
            self._poll_soon()
        company.frontpay_compared_at = fields.Datetime.now()

    @api.model
    def _compared_with_list(self, company):
        recently = fields.Datetime.now() - COMPARED_FOR
        is_recent = Domain("closed_at", "=", False) | Domain("closed_at", ">", recently)
        return self.search_fetch(
            Domain("company_id", "=", company.id)
            & Domain("base_url", "=", company._frontpay_api_url())
            & Domain("order_uuid", "!=", False)
            & is_recent,
            ["order_uuid", "state", "last_poll_at"],
        )

    @api.model
    def _compare_books(self):
        """Say of each order in which Odoo and Front Payment could part whether they
        do."""
        orders = self.search(
            self._may_differ_domain() & self._not_tonight("compared_at")
        )
        left = len(orders)
        for ids in split_every(COMPARED_AT_ONCE, orders.ids):
            some = self.browse(ids)
            transaction.run(self.env, some._record_differences)
            some.invalidate_recordset()
            left -= len(ids)
            if not self._has_time(len(ids), left):
                self._trigger_cron("cron_compare")
                return

    @api.model
    def _may_differ_domain(self):
        """Orders that the books may contradict; all others agree by their state."""
        is_open = Domain("state", "in", OPEN_STATES)
        is_settled_here = Domain("move_id.payment_state", "!=", "not_paid") | Domain(
            "move_id.reversal_move_ids.state", "=", "posted"
        )
        is_settled = Domain("state", "in", PAYMENT_STATES["paid"]) | (
            Domain("state", "in", PAYMENT_STATES["invoiced"])
            & Domain("company_id.frontpay_settle_on", "=", "invoiced")
        )
        is_unbooked = Domain("payment_id", "=", False) | Domain(
            "payment_id.state", "not in", LIVE_PAYMENT_STATES
        )
        is_open_here = Domain("move_id.payment_state", "in", OPEN_HERE)
        return Domain.OR(
            [
                Domain("difference", "!=", False),
                Domain("is_missing", "=", True),
                is_open & is_settled_here,
                is_settled & (is_unbooked | is_open_here),
                Domain("state", "in", REFUNDED_STATES),
                Domain("state", "in", ENDED_STATES) & Domain("payment_id", "!=", False),
            ]
        )

    def _record_differences(self):
        """One order whose books can't be read keeps no other from being compared."""
        for order in self:
            try:
                with self.env.cr.savepoint():
                    order._with_creator_env()._record_difference()
            except OperationalError:  # for the transaction to be tried again
                raise
            except Exception:
                _logger.exception("Order %s couldn't be compared", order.id)

    def _record_difference(self):
        """Whoever is responsible is told of a difference that is new."""
        kind, amount = self._find_difference()
        is_new = kind and kind != self.difference
        self.write(
            {
                "difference": kind,
                "difference_amount": amount,
                "compared_at": fields.Datetime.now(),
            }
        )
        if is_new:
            sentence = kept(self, "error") or kept(self, "difference_remedy")
            self._notify_responsible(sentence)

    def _find_difference(self):
        """:return: (a key of :const:`DIFFERENCES` or False, its amount)"""
        currency = self.currency_id
        residual = self.move_id.amount_residual
        in_journal, elsewhere = self._settlements()
        paid, credited = self._paid_and_credited(elsewhere)
        is_claimed = self.state in OPEN_STATES and not self.payment_id
        is_unbooked = (
            self._is_due() and self.payment_id.state not in LIVE_PAYMENT_STATES
        )
        is_kept = not self._is_equal(self._amount_kept(), 0)
        # Somebody may have undone what was registered.
        is_open_here = self._is_due() and self.move_id.payment_state in OPEN_HERE
        is_twice = is_unbooked and is_kept and elsewhere and not in_journal
        kinds = (
            ("unknown_there", self.is_missing, self.amount),
            (
                "other_amount",
                self._other_amount_problem(),
                currency.round(self.reported_amount - self.amount),
            ),
            ("paid_here", is_claimed and not currency.is_zero(paid), paid),
            ("credited_here", is_claimed and not currency.is_zero(credited), credited),
            (
                "refunded_there",
                self._refund_problem() or self._has_undone_refund(),
                self._amount_refunded(),
            ),
            ("ended_there", self._is_claim_lost(), self.payment_id.amount),
            ("paid_twice", is_twice, self._sum_of(elsewhere)),
            (
                "paid_there",
                (is_unbooked or is_open_here)
                and currency.compare_amounts(residual, 0) > 0,
                residual,
            ),
        )
        return next(
            ((kind, amount) for kind, is_so, amount in kinds if is_so), (False, 0)
        )

    def _has_undone_refund(self):
        """Whether a credit note is open again whose refund was booked."""
        booked = self.refund_ids.filtered(
            lambda refund: refund.effect == "refund" and refund.is_booked
        )
        return any(note.payment_state in OPEN_HERE for note in booked.move_id)

    # === THE PAGE === #

    def action_compare(self):
        """Ask Front Payment for these orders now, and compare the books.

        :return: a notification that tells how it went
        """
        self.move_id.check_access("write")
        orders = self.sudo()
        told = orders._refresh_or_schedule()
        orders._record_differences()
        return told

    def action_open_invoice(self):
        return self.move_id._get_records_action()

    @api.model
    def action_differences(self):
        """Open the page of all differences; empty, it says when that was found."""
        self.check_access("read")
        compared = self.env.companies.sudo().mapped("frontpay_compared_at")
        moment = min(filter(None, compared), default=None) if all(compared) else None
        sentence = localized(self.env, AGREED if moment else NEVER_COMPARED)
        if moment:
            sentence %= local_time(self.env, moment)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "frontpay_odoo.frontpay_difference_action"
        )
        return action | {
            "help": Markup('<p class="o_view_nocontent_smiling_face">%s</p>') % sentence
        }
