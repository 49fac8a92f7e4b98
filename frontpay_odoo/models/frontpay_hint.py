from datetime import timedelta

from odoo import api, fields, models

from ..connect import backoff, statuses
from .frontpay_order import SOURCES

TRIES = 8  # about two hours
# Front Payment's answer may lag behind its report.
LAG_TRIES = 3


class FrontpayHint(models.Model):
    """What was heard about an order, until Front Payment confirms it.

    Whoever hears something only adds a hint, so nobody waits for a lock and nothing
    gets lost; the cron that asks Front Payment takes them away.
    """

    _name = "frontpay.hint"
    _description = "Front Payment Hint"
    _order = "id"
    _rec_name = "status"

    order_id = fields.Many2one(
        "frontpay.order", required=True, index=True, ondelete="cascade"
    )
    order_uuid = fields.Char(required=True, help="The number to ask for.")
    status = fields.Char(
        help="As it was reported. Empty where nobody can be believed at all."
    )
    day = fields.Date(help="On which day the status came about.")
    believed = fields.Boolean(
        help="If Front Payment can't be asked, the order follows it all the same."
    )
    followed = fields.Boolean(help="The order did so, and it isn't confirmed yet.")
    contradicted = fields.Boolean(
        help="Front Payment said something else when it was asked."
    )
    tries = fields.Integer(help="How often asking brought no confirmation.")
    retry_at = fields.Datetime(help="Not asked for again before that.")

    @api.model
    def _due(self):
        now = fields.Datetime.now()
        return self.search(["|", ("retry_at", "=", False), ("retry_at", "<=", now)])

    @api.model
    def _add(self, values, delay=timedelta()):
        """Have an order asked for, unless that waits to be done already.

        It inserts and changes nothing, so callers can't get in each other's way.

        :param dict values: of the hint
        :param timedelta delay: until then it isn't asked for
        :return: the hint; none if one like it waits
        """
        same = ("order_id", "order_uuid", "status", "believed")
        if self.search_count([(name, "=", values[name]) for name in same], limit=1):
            return self.browse()
        if delay:
            values = values | {"retry_at": fields.Datetime.now() + delay}
        self.env["frontpay.order"]._trigger_cron("cron_ask", delay)
        return self.create(values)

    def _is_confirmed_by(self, status):
        """Whether what was heard is so, or was so before it went on."""
        heard, told = statuses.state_of(self.status or ""), statuses.state_of(status)
        return heard == told or heard in SOURCES.get(told, ())

    def _compare(self, status):
        """Front Payment has answered: drop what is settled by that.

        :param str status: what it says; empty if it doesn't know the order
        """
        for hint in self:
            counts = hint.believed or hint.followed
            if counts and not hint._is_confirmed_by(status):
                if hint.tries < LAG_TRIES:
                    hint.contradicted = True
                    hint._put_off()
                    continue
                hint.order_id._record_difference(hint.status, status)
            hint.unlink()

    def _go_unasked(self, at_least=0):
        """Front Payment couldn't be asked: try again later, in the end give up.

        :param at_least: seconds that Front Payment wants to be left alone
        """
        for hint in self:
            if hint.believed and hint.tries and not hint.contradicted:
                hint.order_id._follow_unconfirmed(hint)
                hint.write({"believed": False, "followed": True})
            hint._try_again(at_least)

    def _try_again(self, at_least=0):
        for hint in self:
            if hint.tries < TRIES:
                hint._put_off(at_least)
            else:
                hint.unlink()

    def _put_off(self, at_least=0):
        self.tries += 1
        pause = timedelta(seconds=round(backoff.delay(self.tries, at_least)))
        self.retry_at = fields.Datetime.now() + pause
        self.env["frontpay.order"]._trigger_cron("cron_ask", pause)
