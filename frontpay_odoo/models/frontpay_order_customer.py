from odoo import api, fields, models

from .frontpay_order import IN_DOUBT_STATES

STEPS = [
    ("wait", "Waits for Front Payment"),
    ("confirm", "Confirms"),
    ("pay", "Pays by the link"),
    ("invoice", "Pays the invoice from Front Payment"),
    ("reminder", "Was reminded by Front Payment"),
    ("collection", "Is in debt collection"),
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

    @api.depends("state", "verification_url", "channel", "callback_ids")
    def _compute_customer_step(self):
        for order in self:
            is_open = order._keeps_invoice()
            order.customer_step = is_open and order._customer_step()

    def _customer_step(self):
        # After a callback, the customer has used the address: it isn't offered again.
        is_usable = self.verification_url and not self.sudo()._may_be_there()
        if self.state == "sent" and is_usable:
            return "pay" if self.channel == "payment_link" else "confirm"
        return STEP_OF_STATE[self.state]
