from odoo import api, models
from odoo.exceptions import UserError

from .frontpay_payout import OF_PAYOUT


class AccountMove(models.Model):
    """A pay-out's entry moves with its pay-out only, and what a posted pay-out has
    settled stays as it is."""

    # In a file of its own: it knows nothing of orders.
    _inherit = "account.move"  # pylint: disable=consider-merging-classes-inherited

    @api.constrains("state")
    def _check_frontpay_payout(self):
        """However somebody posts, resets or cancels an entry.

        :raises UserError: its pay-out would part from it
        """
        self._frontpay_refuse_without_payout()
        left = self.filtered(lambda move: move.state != "posted")
        left.line_ids._frontpay_refuse_settled()

    def _frontpay_refuse_without_payout(self):
        entries = self.filtered(lambda move: move.move_type == "entry")
        if not entries or self.env.context.get("frontpay_payout") is OF_PAYOUT:
            return
        payouts = self.env["frontpay.payout"].sudo()
        for payout in payouts.search([("move_id", "in", entries.ids)], limit=1):
            raise UserError(
                self.env._(
                    "%(entry)s is the entry of %(payout)s: use the buttons there.",
                    entry=payout.move_id.display_name,
                    payout=payout.display_name,
                )
            )
