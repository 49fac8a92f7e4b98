from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.overview import IS_LEFT, NOT_CLAIMED, TO_SEND
from .frontpay_order import CLAIMED_STATES


class FrontpayOrder(models.Model):
    """What the lists of orders show, and their buttons."""

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    current_move_ids = fields.One2many(
        "account.move",
        "frontpay_order_id",
        string="Current Order Of",
        help="Its invoice, unless that has been sent anew since.",
    )
    is_to_send = fields.Boolean(
        string="To Send", compute="_compute_is_to_send", search="_search_is_to_send"
    )
    days_late = fields.Integer(
        compute="_compute_days_late",
        help="Since the due date, while Front Payment claims it.",
    )
    refund_count = fields.Integer(compute="_compute_refund_count")
    can_be_left = fields.Boolean(
        string="Can Be Collected Otherwise",
        compute="_compute_can_be_left",
        help="Front Payment doesn't claim it, and the invoice is still open.",
    )

    def _compute_is_to_send(self):
        found = self.filtered_domain(TO_SEND)
        for order in self:
            order.is_to_send = order in found

    @api.model
    def _search_is_to_send(self, operator, _value):
        return TO_SEND if operator == "in" else NotImplemented

    @api.depends("state", "due_date")
    def _compute_days_late(self):
        for order in self:
            is_claimed = order.due_date and order.state in CLAIMED_STATES
            late = is_claimed and order.company_id._frontpay_day() - order.due_date
            order.days_late = late and max(late.days, 0)

    @api.depends("refund_ids")
    def _compute_refund_count(self):
        for order in self:
            order.refund_count = len(order.refund_ids)

    @api.depends("state", "order_uuid", "is_collected_elsewhere")
    def _compute_can_be_left(self):
        found = self.filtered_domain(IS_LEFT & NOT_CLAIMED)
        for order in self:
            order.can_be_left = order in found

    # === BUTTONS === #

    def action_collect_elsewhere(self):
        """See :meth:`action_frontpay_collect_elsewhere` of the invoices."""
        return self._current_moves().action_frontpay_collect_elsewhere()

    def action_send(self):
        """See :meth:`action_frontpay_send_batch` of the invoices."""
        return self._current_moves().action_frontpay_send_batch()

    def action_refresh(self):
        """See :meth:`action_frontpay_refresh` of the invoices."""
        return self._current_moves().action_frontpay_refresh()

    def action_resolve(self):
        """See :meth:`action_frontpay_resolve` of the invoices."""
        return self._current_moves().action_frontpay_resolve()

    def action_cancel(self):
        """See :meth:`action_frontpay_cancel` of the invoices."""
        return self._current_moves().action_frontpay_cancel()

    def action_withdraw(self):
        """See :meth:`action_frontpay_withdraw` of the invoices."""
        return self._current_moves().action_frontpay_withdraw()

    def _current_moves(self):
        """Their invoices; of those that were sent anew, another order is meant.

        :raises UserError: all of them were
        """
        current = self.filtered(
            lambda order: order == order.move_id.sudo().frontpay_order_id
        )
        if not current:
            raise UserError(
                self.env._("These invoices were sent anew: choose their newer orders.")
            )
        return current.move_id

    def action_open_refunds(self):
        return self.refund_ids._get_records_action(name=self.env._("Refunds"))

    def action_open_log(self):
        """Open what was exchanged with Front Payment about the order."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "frontpay_odoo.frontpay_exchange_action"
        )
        return action | {
            "domain": [("order_id", "in", self.ids)],
            "context": {"search_default_group_by_order": len(self) > 1},
        }
