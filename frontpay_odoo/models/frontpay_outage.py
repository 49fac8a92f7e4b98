from datetime import timedelta

from odoo import api, fields, models

from ..tools import error_messages, retry

# Between two calls while a signed callback waits.
CALLBACK_PAUSE = timedelta(minutes=1)


# So many short failures in a row aren't short any more: somebody is told.
TOLD_AFTER = 5


class FrontpayOutage(models.Model):
    """A company's Front Payment can't be polled, or nothing can be sent there: since
    when, and when it is tried again.

    The row is there as long as the outage lasts. One call at a time tries whether it
    is over, however many orders and callbacks wait.
    """

    _name = "frontpay.outage"
    _description = "Front Payment Outage"

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    operation = fields.Selection(
        [("poll", "Status Updates"), ("send", "Sending")],
        required=True,
        default="poll",
    )
    order_id = fields.Many2one(
        "frontpay.order", index="btree_not_null", help="The one that tells of it."
    )
    since = fields.Datetime(required=True, default=fields.Datetime.now)
    failures = fields.Integer(help="How many calls in a row failed.")
    failed_at = fields.Datetime(
        string="Last Failure", required=True, default=fields.Datetime.now
    )
    retry_at = fields.Datetime(
        string="Next Attempt", required=True, default=fields.Datetime.now
    )

    _unique_operation = models.Constraint("UNIQUE (company_id, operation)")

    @api.model
    def _current(self, company, operation="poll"):
        return self.search(
            [("company_id", "=", company.id), ("operation", "=", operation)]
        )

    @api.model
    def _companies(self):
        """Those whose Front Payment can't be polled now."""
        return self.search([("operation", "=", "poll")]).company_id

    def _may_be_over(self, has_callback):
        """Whether it is time to try, or there is no outage.

        :param bool has_callback: whether a signed callback of the company waits
        """
        if not self:
            return True
        now = fields.Datetime.now()
        is_soon = has_callback and self.failed_at + CALLBACK_PAUSE <= now
        return is_soon or self.retry_at <= now

    @api.model
    def _record(self, company, error=None, has_callback=False, operation="poll"):
        """A call failed in a way in which others would fail as well.

        :param connect.errors.FrontPaymentError error: how it failed; None if there was
            no call
        :return: how long it is until the next try
        :rtype: timedelta
        """
        now = fields.Datetime.now()
        outage = self._current(company, operation) or self.create(
            {"company_id": company.id, "operation": operation}
        )
        failures = outage.failures + 1
        pause = retry.pause(failures, error)
        outage.write({"failures": failures, "failed_at": now, "retry_at": now + pause})
        if error_messages.blames_settings(error):
            sentence = error_messages.connection_message(company, error)
            company._frontpay_ask_administrator(sentence)
        return min(pause, CALLBACK_PAUSE) if has_callback else pause

    @api.model
    def _record_and_tell(self, order, operation, sentence, error=None):
        """Nothing of a company's goes on: one person is told, and another one when
        that order doesn't wait any more.

        What may be over in a moment is told when it isn't.

        :param order: the ``frontpay.order`` that met it
        :param sentence: what is the matter, and what to do
        :param error: as of :meth:`_record`
        :return: how long it is until the next try
        :rtype: timedelta
        """
        company = order.company_id
        pause = self._record(company, error, operation=operation)
        outage = self._current(company, operation)
        is_short = error and error.retryable and outage.failures < TOLD_AFTER
        if not is_short and not outage.order_id._waits():
            outage.order_id = order
            order._report_problem(sentence)
            if not error:
                order.company_id._frontpay_ask_administrator(sentence)
        return pause
