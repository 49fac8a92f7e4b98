from odoo import models

from .account_move import MAX_SENT_AT_ONCE


class AccountMove(models.Model):
    """Many are sent together, from a list."""

    # In a file of its own, above those that hand each one over.
    _inherit = "account.move"  # pylint: disable=consider-merging-classes-inherited

    def action_frontpay_send_batch(self):
        """Send invoices and credit notes that were chosen in a list.

        A few that can all go are sent at once; else a dialog tells first what can't go
        and how long it takes. :meth:`action_frontpay_send` asks nothing.

        :return: an action
        """
        ready, problems = self._frontpay_check_batch()
        is_few = len(ready) <= MAX_SENT_AT_ONCE
        if len(self) == 1 or (is_few and not problems):
            return self.action_frontpay_send()
        batch = self.env["frontpay.batch"]._prepared(self, ready, problems)
        return batch._batch_dialog()
