from datetime import timedelta

from odoo import api, fields, models

from ..tools import retry

# Between two calls while a signed callback waits.
CALLBACK_PAUSE = timedelta(minutes=1)


class FrontpayOutage(models.Model):
    """A company's Front Payment can't be polled: since when, and when it's tried again.

    The row is there as long as the outage lasts. One call at a time tries whether it
    is over, however many orders and callbacks wait.
    """

    _name = "frontpay.outage"
    _description = "Front Payment Outage"
    _rec_name = "company_id"

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    since = fields.Datetime(required=True, default=fields.Datetime.now)
    failures = fields.Integer(help="How many calls in a row failed.")
    failed_at = fields.Datetime(
        string="Last Failure", required=True, default=fields.Datetime.now
    )
    retry_at = fields.Datetime(
        string="Next Attempt", required=True, default=fields.Datetime.now
    )

    _unique_company = models.Constraint("UNIQUE (company_id)")

    @api.model
    def _current(self, company):
        return self.search([("company_id", "=", company.id)])

    @api.model
    def _companies(self):
        """Those whose Front Payment can't be polled now."""
        return self.search([("since", "!=", False)]).company_id

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
    def _record(self, company, error, has_callback):
        """A call failed in a way in which others would fail as well.

        :param connect.errors.FrontPaymentError error: how it failed
        :return: how long it is until the next try
        :rtype: timedelta
        """
        now = fields.Datetime.now()
        outage = self._current(company)
        failures = outage.failures + 1
        pause = retry.pause(failures, error)
        values = {"failures": failures, "failed_at": now, "retry_at": now + pause}
        if outage:
            outage.write(values)
        else:
            self.create(values | {"company_id": company.id, "since": now})
        return min(pause, CALLBACK_PAUSE) if has_callback else pause
