from odoo import api, models


class FrontpayRefund(models.Model):
    """Refunds by jobs."""

    _inherit = "frontpay.refund"

    @api.model
    def _send_note_queue(self):
        """Have a job for each credit note that is due."""
        queue = self.search(self._queue_domain(), order="tries, id")
        queue._make_missing_jobs("cron_refund")

    def _job_send(self):
        """Send a queued credit note.

        :raises RetryableJobError: it has no turn yet
        """
        if not self.exists().filtered_domain(self._queue_domain()):
            return
        company = self.company_id
        self.env["frontpay.rate.limit"]._require_turn(company)
        for _done in self._send_for(company):
            pass
