from odoo import api, fields, models

from .frontpay_order import IN_DOUBT_STATES, OPEN_STATES, PAID_IN_ODOO

STEPS = [
    ("wait", "Waits for Front Payment"),
    ("confirm", "Confirms"),
    ("pay", "Pays by the link"),
    ("invoice", "Pays the invoice from Front Payment"),
    ("reminder", "Was reminded by Front Payment"),
    ("collection", "Is in debt collection"),
    ("nothing", "Has nothing to pay any more"),
    ("done", "Has paid"),
    ("refund", "Gets money back"),
]
STEP_OF_STATE = {
    **dict.fromkeys(("queued", *IN_DOUBT_STATES, "sent"), "wait"),
    "invoiced": "invoice",
    "reminded": "reminder",
    "collection": "collection",
    "paid": "done",
    "partially_refunded": "refund",
    "refunded": "refund",
}


class FrontpayOrder(models.Model):
    """What the customer is told: in the portal, on the printed invoice, on the page
    after Front Payment's own, by e-mail."""

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    customer_step = fields.Selection(
        STEPS,
        string="Customer's Step",
        compute="_compute_customer_step",
        help="What the customer does next. Empty: nothing, the order has ended.",
    )

    refund_under_way = fields.Monetary(
        string="Being Refunded",
        compute="_compute_refund_under_way",
        help="What was credited, and Front Payment is asked to refund.",
    )

    @api.depends(
        *("state", "verification_url", "channel", "callback_ids"),
        "move_id.payment_state",
    )
    def _compute_customer_step(self):
        for order in self:
            is_open = order._keeps_invoice()
            order.customer_step = is_open and order._customer_step()

    @api.depends("refund_ids.state", "refund_ids.amount")
    def _compute_refund_under_way(self):
        for order in self:
            order.refund_under_way = sum(order._running_refunds().mapped("amount"))

    def _running_refunds(self):
        """Those whose credit notes Front Payment has, or is just getting."""
        return self.refund_ids.filtered(
            lambda refund: refund._is_running() and refund.move_id.state == "posted"
        )

    def _customer_step(self):
        is_paid = self.move_id.payment_state in PAID_IN_ODOO
        if is_paid and self.state in OPEN_STATES:
            return "nothing"
        # After a callback, the customer has used the address: it isn't offered again.
        is_usable = self.verification_url and not self.sudo()._may_be_there()
        if self.state == "sent" and is_usable:
            return "pay" if self.channel == "payment_link" else "confirm"
        return STEP_OF_STATE[self.state]
