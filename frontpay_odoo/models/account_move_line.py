from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _reconcile_post_hook(self, data):
        """Whoever pays or credits an invoice here learns that it is claimed there."""
        result = super()._reconcile_post_hook(data)
        self.move_id._frontpay_follow_books()
        return result
