from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus

from odoo import fields, models
from odoo.tools import float_repr

from ..connect import statuses
from ..connect.checksum import is_signed
from .frontpay_order import SOURCES

TIME_ZONE = "Europe/Oslo"  # Front Payment's, for companies that have none
WINDOW = 15  # minutes, where the system parameter says nothing sensible
LONGEST_WINDOW = 7 * 24 * 60
# How long after a question another one can be brought about by a callback that moves
# nothing by itself, and by one that isn't signed.
PAUSE = timedelta(seconds=30)
PAUSE_UNSIGNED = timedelta(minutes=10)


class FrontpayOrder(models.Model):
    """Callbacks: what comes in becomes a hint, and changes nothing by itself."""

    _inherit = "frontpay.order"

    hint_ids = fields.One2many(
        "frontpay.hint", "order_id", readonly=True, groups="base.group_system"
    )

    def _receive(self, report):
        """Take a well-formed callback.

        Rows are inserted here and none is changed: no callback waits for a lock, or is
        lost to another one that comes at the same time. What it says is followed by
        the cron that asks Front Payment.

        :param connect.callback.Callback report: what was received
        :return: (HTTP status to answer, why it isn't believed, the ``frontpay.hint``
            that it left or none)
        """
        secret = self.company_id.frontpay_callback_secret
        if not is_signed(report.pairs, report.checksum, secret):
            reason = "wrong checksum" if secret else "no secret set"
            return HTTPStatus.FORBIDDEN, reason, self._hear_unsigned()
        if not self._may_have_number(report.order_uuid):
            return (
                HTTPStatus.BAD_REQUEST,
                "another order's number",
                self.hint_ids.browse(),
            )
        doubt = self._doubt(report)
        return HTTPStatus.OK, doubt, self._hear(report, doubt)

    def _doubt(self, report):
        """Why a signed callback isn't followed on its own word.

        :return: a few words, or an empty string
        """
        state = statuses.state_of(report.status)
        if not self._is_own_amount(report.amount):
            return "another amount"
        if not self._is_timely(report):
            return "not of this time"
        if not report.is_unambiguous:
            return "borders that may have been moved"
        if not state:
            return "a status that says nothing about an invoice"
        if self.state not in SOURCES[state]:
            return "nothing new"
        return ""

    def _hear(self, report, doubt):
        """Leave a hint of what a signed callback says."""
        is_timely = self._is_timely(report)
        number = self.order_uuid
        if is_timely and self._is_own_amount(report.amount):
            # It may come before the answer to the submission (question 22).
            number = number or report.order_uuid
        values = {
            "order_uuid": number,
            "status": report.status,
            "day": is_timely and self._day_of(report),
            "believed": not doubt,
        }
        return self._add_hint(values, doubt and self._time_to_ask(PAUSE))

    def _hear_unsigned(self):
        """Anybody may have sent it: at most, see whether there is something new."""
        values = {"order_uuid": self.order_uuid, "status": False, "believed": False}
        return self._add_hint(values, self._time_to_ask(PAUSE_UNSIGNED))

    def _add_hint(self, values, delay):
        hints = self.env["frontpay.hint"]
        if not values["order_uuid"] or not self._is_of_this_environment():
            return hints
        return hints._add(values | {"order_id": self.id}, delay or timedelta())

    def _time_to_ask(self, pause):
        """How long it is until the order may be asked for once more."""
        if not self.asked_at:
            return timedelta()
        return max(self.asked_at + pause - fields.Datetime.now(), timedelta())

    def _may_have_number(self, order_uuid):
        """Whether a number is this order's, or may be while it knows none."""
        if self.order_uuid:
            return self.order_uuid == order_uuid
        return not self.search_count([("order_uuid", "=", order_uuid)], limit=1)

    def _is_own_amount(self, amount):
        """Whether a callback's amount is this order's, in NOK or øre (question 14).

        :param Decimal amount: as received
        """
        own = Decimal(float_repr(self.amount, 2))
        return amount in (own, own * 100)

    def _is_timely(self, report):
        """Whether a callback was sent just now, as far as clocks agree."""
        age = datetime.now(UTC) - report.sent_at
        return abs(age) <= timedelta(minutes=self._callback_window())

    def _callback_window(self):
        """How old a callback may be, in minutes."""
        return self.env["ir.config_parameter"]._frontpay_number(
            "callback_window_minutes", WINDOW, most=LONGEST_WINDOW
        )

    def _day_of(self, report):
        """On which day a callback was sent, where the company is."""
        zone = self.company_id.partner_id.tz or TIME_ZONE
        moment = report.sent_at.replace(tzinfo=None)
        return fields.Datetime.context_timestamp(
            self.with_context(tz=zone), moment
        ).date()
