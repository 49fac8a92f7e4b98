from odoo import models
from odoo.exceptions import AccessError, RedirectWarning, UserError

from .frontpay_order import INVOICED_STATES


class AccountMove(models.Model):
    """What Front Payment claims from a customer, or is refunding, stays as it is."""

    # In a file of its own, below the one that hands invoices over.
    _inherit = "account.move"  # pylint: disable=consider-merging-classes-inherited

    def _frontpay_check_rights(self):
        """Whoever may write invoices for other reasons has no say at Front Payment.

        :raises AccessError: for users without invoicing rights
        """
        may_invoice = self.env.user.has_group("account.group_account_invoice")
        if not self.env.su and not may_invoice:
            raise AccessError(
                self.env._("Only users with invoicing rights can do this.")
            )
        self.check_access("write")

    def _frontpay_guard(self, state):
        """Keep an invoice from being reset, cancelled or deleted behind Front Payment's
        back.

        :param state: that it is about to take; ``deleted`` is none of Odoo's
        :raises AccessError: it would be changed, by somebody without invoicing rights
        :raises UserError: it stays as it is
        :raises RedirectWarning: it stays until its order is cancelled
        """
        order = self.sudo().frontpay_order_id
        is_change = state == "draft" and self.env.context.get("frontpay_change")
        if is_change and order._keeps_invoice():
            self._frontpay_check_rights()
            order._begin_change()
            return
        refusal = self._frontpay_refusal()
        if refusal:
            raise refusal

    def _frontpay_refusal(self):
        """Why it can't be reset, cancelled or deleted, with the button that helps.

        :return: the exception, or None
        """
        sentence = self._frontpay_why_kept()
        if not sentence:
            return None
        order = self.sudo().frontpay_order_id
        if order._why_not_waiting():
            return UserError(sentence)
        name = self.env._("Cancel at Front Payment")
        action = {
            "type": "ir.actions.act_window",
            "res_model": "frontpay.cancel",
            "views": [(False, "form")],
            "target": "new",
            "name": name,
            "context": {"default_move_ids": self.ids},
        }
        return RedirectWarning(sentence, action, name)

    def _frontpay_why_kept(self):
        """Why it can't be reset, cancelled or deleted.

        :return: a sentence, or an empty string
        """
        order = self.sudo().frontpay_order_id
        if order._keeps_invoice():
            said = order._sent_already_message()
            return " ".join(filter(None, [said, self._frontpay_way_to_change(order)]))
        refund = self.sudo().frontpay_refund_id
        if refund.state == "refunded" and not refund._is_of_ended_order():
            return refund._handed_over_message()
        return refund._running_message() if refund._is_running() else ""

    def _frontpay_way_to_change(self, order):
        if order._can_be_updated() and self.state == "draft":
            return self.env._("Confirm it again, or cancel it at Front Payment first.")
        if order._can_be_updated():
            return self.env._(
                "“Change” resets it, to be sent as an update of the same order. To give"
                " it up, cancel it at Front Payment."
            )
        if order._is_changed_too_late():
            return self.env._("“Change” resets it, to be made what it was.")
        if order.state in INVOICED_STATES:
            return self.env._("Credit it: make a credit note.")
        return ""

    def _frontpay_change_alert(self, order):
        """What to mind while an invoice is changed, or None."""
        if not order._is_being_changed():
            return None
        return {
            "level": "warning",
            "message": self.env._(
                "Front Payment still has order %(order)s over %(amount)s, and the"
                " customer may confirm it. Confirm the invoice to send the change.",
                order=order.order_uuid,
                amount=order.currency_id.format(order.amount),
            ),
        }
