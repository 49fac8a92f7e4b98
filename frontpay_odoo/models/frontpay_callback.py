from datetime import timedelta
from http import HTTPStatus

from odoo import api, fields, models
from odoo.fields import Domain

from ..connect import statuses
from ..connect.callback import is_signed
from .frontpay_order import SOURCES

# How long after a poll another one can be brought about by a callback that says
# nothing new, and by one that isn't signed.
REPEATED_PAUSE = timedelta(seconds=30)
UNSIGNED_PAUSE = timedelta(minutes=10)
# What the customer was asked for, and may have done now.
ASKED_STEPS = ("confirm", "pay", "wait")
# So long a signed callback has an outage tried every minute; then with growing pauses.
URGENT = timedelta(days=1)


class FrontpayCallback(models.Model):
    """The inbox: callbacks that wait until polling has asked Front Payment.

    A callback only wakes polling and moves nothing by itself. Rows are inserted here
    and none is changed, so no callback waits for a lock or gets lost to another one;
    polling takes them away.
    """

    _name = "frontpay.callback"
    _description = "Front Payment Callback"
    _order = "id"

    order_id = fields.Many2one(
        "frontpay.order", required=True, index=True, ondelete="cascade"
    )
    order_uuid = fields.Char(
        string="Order Number", required=True, help="The number to poll."
    )
    status = fields.Char(
        help="As Front Payment sent it. Empty if the callback isn't signed."
    )
    sent_at = fields.Datetime(help="When Front Payment sent the callback.")
    is_signed = fields.Boolean(string="Signed")
    poll_at = fields.Datetime(
        string="Next Poll", required=True, index=True, default=fields.Datetime.now
    )

    @api.model
    def _receive(self, order, callback):
        """Take a well-formed callback.

        :param order: the ``frontpay.order`` whose address was called
        :param connect.callback.Callback callback: what was received
        :return: (HTTP status to answer, why it is refused or an empty string, the row
            that it left or none)
        """
        secret = order.company_id._frontpay_callback_secret()
        if not is_signed(callback.pairs, callback.checksum, secret):
            reason = "wrong checksum" if secret else "no secret set"
            return HTTPStatus.FORBIDDEN, reason, self._store_unsigned(order)
        if not order._may_have_number(callback.order_uuid):
            return HTTPStatus.BAD_REQUEST, "another order's number", self.browse()
        return HTTPStatus.OK, "", self._store_signed(order, callback)

    @api.model
    def _store_signed(self, order, callback):
        state = statuses.state_of(callback.status)
        is_news = state and order.state in SOURCES[state]
        values = {
            # It may come before the answer to the submission (question 22).
            "order_uuid": callback.order_uuid,
            "status": callback.status,
            "sent_at": callback.sent_at.replace(tzinfo=None),
            "is_signed": True,
        }
        return self._store(order, values, timedelta() if is_news else REPEATED_PAUSE)

    @api.model
    def _store_unsigned(self, order, pause=UNSIGNED_PAUSE):
        """Anybody may have sent it: at most, see whether there is something new
        (question 20)."""
        values = {"order_uuid": order.order_uuid, "status": False, "is_signed": False}
        return self._store(order, values, pause)

    @api.model
    def _receive_customer(self, order):
        """Whoever comes back from Front Payment's pages may be quicker than its
        callback, which may be lost as well."""
        if order.customer_step in ASKED_STEPS:
            self._store_unsigned(order, REPEATED_PAUSE)

    @api.model
    def _store(self, order, values, pause):
        """Have the order polled, unless a callback like this one waits already.

        :param timedelta pause: least time since the last poll
        :return: the row, or none
        """
        if not values["order_uuid"] or order._is_left_in_demo():
            return self.browse()
        values["order_id"] = order.id
        same = ("order_id", "order_uuid", "status", "is_signed")
        if self.search_count([(name, "=", values[name]) for name in same], limit=1):
            return self.browse()
        now = fields.Datetime.now()
        poll_at = max((order.last_poll_at or now - pause) + pause, now)
        order._trigger_cron("cron_poll", poll_at - now)
        return self.create(values | {"poll_at": poll_at})

    @api.model
    def _due(self):
        """The callbacks whose orders are polled now.

        While Front Payment can't be polled, those that are signed are due at any time:
        how often one of them is tried is for the outage to say.
        """
        now = fields.Datetime.now()
        companies = self.env["frontpay.outage"]._companies()
        waits_for_end = (
            Domain("is_signed", "=", True)
            & Domain("create_date", ">", now - URGENT)
            & Domain("order_id.company_id", "in", companies.ids)
        )
        return self.search(Domain("poll_at", "<=", now) | waits_for_end)

    def _is_confirmed_by(self, status):
        """Whether what was called back is so, or was so before it went on."""
        heard, told = statuses.state_of(self.status or ""), statuses.state_of(status)
        return not self.is_signed or heard == told or heard in SOURCES.get(told, ())
