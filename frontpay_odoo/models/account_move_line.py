from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _reconcile_post_hook(self, data):
        """Whoever pays or credits an invoice here learns that it is claimed there."""
        result = super()._reconcile_post_hook(data)
        self.move_id._frontpay_follow_books()
        return result

    def unlink(self):
        """What is in drafts of pay-outs leaves them."""
        items = self.env["frontpay.payout.line"].sudo()
        items = items.search([("move_line_id", "in", self.ids)])
        items._refuse_booked()
        items.unlink()
        return super().unlink()

    def _frontpay_refuse_settled(self):
        """
        :raises UserError: one of them is in a posted pay-out
        """
        domain = [("move_line_id", "in", self.ids), ("payout_id.state", "=", "posted")]
        if self.ids:
            items = self.env["frontpay.payout.line"].sudo()
            items.search(domain, limit=1)._refuse_booked()
