from odoo import fields, models
from odoo.exceptions import UserError

from ..tools import transaction
from ..tools.deadline import Deadline


class FrontpayApproval(models.TransientModel):
    """Ask Front Payment to approve refunds that are beyond its limits."""

    _name = "frontpay.approval"
    _description = "Front Payment: Ask for Approval"

    move_ids = fields.Many2many("account.move", string="Credit Notes", readonly=True)
    note = fields.Char(
        string="Reason",
        help="For your own records: Front Payment gets the reason of its refusal.",
    )

    def action_confirm(self):
        """Ask for each refund on its own; what can't be asked for is told.

        :return: a notification
        :raises UserError: none was asked for
        """
        self.ensure_one()
        notes = self.move_ids
        notes._frontpay_check_rights()
        if not transaction.is_untouched(self.env, self._name):
            raise UserError(
                self.env._(
                    "Front Payment can't be called in the middle of other changes. Save"
                    " them first."
                )
            )
        reason = (self.note or "").strip()
        refunds, problems = notes._frontpay_refund_now(Deadline(), is_request=True)
        if not refunds:
            raise notes._frontpay_warning(problems)
        for refund in refunds.filtered(lambda refund: reason and not refund.error):
            refund.move_id.message_post(
                body=self.env._("Approval was asked for: %s", reason)
            )
        return notes._frontpay_refund_notification(refunds, problems)
