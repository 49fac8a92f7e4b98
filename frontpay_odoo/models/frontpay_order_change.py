from odoo import models
from odoo.exceptions import UserError

from ..mapping.lines import lowering_notes
from ..tools import transaction
from ..tools.sentence import in_each_language
from .frontpay_order import ENDED_STATES, INVOICED_STATES


class FrontpayOrder(models.Model):
    """An invoice is reset and changed while its order waits for the customer."""

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    def _is_changeable(self):
        """Whether its invoice can be reset and changed."""
        return self._can_be_updated() or self._is_changed_too_late()

    def _why_not_changeable(self):
        """Why the invoice can't be changed, and the order with it.

        :return: a sentence, or an empty string
        """
        if self._is_changeable():
            return ""
        if not self or self.state in ENDED_STATES:
            return self.env._(
                "There is no order at Front Payment to change: reset the invoice to"
                " draft."
            )
        details = {
            "invoice": self.move_id.display_name,
            "state": self._state_label(self.state),
        }
        if self.state in INVOICED_STATES:
            return self.env._(
                "%(invoice)s is “%(state)s” at Front Payment, so it can't be changed"
                " any more. Credit it: make a credit note.",
                **details,
            )
        if self.state == "sent":
            return self.env._(
                "%(invoice)s is at Front Payment, and can't be changed there from here."
                " Cancel it at Front Payment first; then change it and send it anew.",
                **details,
            )
        return self.env._(
            "%(invoice)s is “%(state)s”: it can be changed once that has ended.",
            **details,
        )

    def _begin_change(self):
        """Keep that Front Payment won't have the invoice as it will be.

        :raises LockError: somebody else is at it
        :raises UserError: it can't be changed
        """
        # Whoever sends an update now would take it for the changed one.
        with transaction.sender_lock(self.move_id):
            transaction.lock(self.move_id)
            refusal = self._why_not_changeable()
            if refusal:
                raise UserError(refusal)
            self.write(
                {"is_changing": True, "update_queued": False, "change_refusal": False}
            )

    def _follow_lost_change(self, amount):
        """The customer confirmed the change, whose answer was lost.

        :param float amount: what Front Payment claims
        """
        move, compare = self.move_id, self.currency_id.compare_amounts
        credited = sum(lowering_notes(move).mapped("amount_total"))
        changed = self.currency_id.round(move.amount_total - credited)
        waits = self.is_changing and move.state == "posted"
        if waits and compare(amount, changed) == 0 and compare(amount, self.amount):
            self.write(
                {"amount": changed, "is_changing": False, "update_queued": False}
            )

    def _is_changed_too_late(self):
        """Whether the customer confirmed before Front Payment had the change."""
        return self.is_changing and self.state not in ("sent", *ENDED_STATES)

    @in_each_language
    def _change_problem(self):
        """What to do about a change that Front Payment doesn't have.

        :return: a sentence, or an empty string
        """
        details = {"invoice": self.move_id.display_name, "order": self.order_uuid}
        if self._is_changed_too_late():
            return self.env._(
                "The customer confirmed order %(order)s over %(amount)s while"
                " %(invoice)s was being changed, so the change can't be sent any more."
                " Choose “Change”, make the invoice what it was, confirm it, and credit"
                " what you wanted to change.",
                amount=self.currency_id.format(self.amount),
                **details,
            )
        waits = self.is_changing and self.move_id.state == "posted"
        if not waits or self.state != "sent" or not self.change_refusal:
            return ""
        return self.env._(
            "%(invoice)s was changed, and Front Payment doesn't have that yet:"
            " %(reasons)s",
            reasons=self.change_refusal,
            **details,
        )
