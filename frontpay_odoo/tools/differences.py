"""What to do where Odoo's books and Front Payment part, in words."""

from odoo.tools.translate import LazyTranslate

from ..mapping.problem import localized

_lt = LazyTranslate(__name__)

REMEDIES = {
    "paid_there": _lt(
        "The customer has paid at Front Payment, and the invoice is open in Odoo."
        " Update its status; if the payment can't be registered, the invoice says why."
        " If somebody has undone it, reconcile or register it once more."
    ),
    "paid_here": _lt(
        "The invoice is paid in Odoo, and Front Payment still claims it. Have the"
        " order cancelled at Front Payment, or nobody stops the customer from paying"
        " twice."
    ),
    "credited_here": _lt(
        "The invoice is credited in Odoo, and Front Payment still claims it. Have the"
        " order cancelled or credited at Front Payment."
    ),
    "paid_twice": _lt(
        "The customer has paid at Front Payment and in Odoo. Pay back what is too much."
    ),
    "refunded_there": _lt(
        "Front Payment has paid money back that Odoo's books still have. Make a credit"
        " note for it, unless there is one, and register its payment."
    ),
    "ended_there": _lt(
        "The order has ended at Front Payment without money, and is paid in Odoo. The"
        " invoice says why that couldn't be taken back: cancel the payment, so that"
        " the invoice is open again."
    ),
    "other_amount": _lt(
        "Front Payment claims another amount than the invoice's. Ask Front Payment what"
        " the customer owes."
    ),
    "unknown_there": _lt(
        "Front Payment doesn't know the order any more. Ask its support before you do"
        " anything else with the invoice."
    ),
}


def remedy(order):
    """What to do about an order's difference.

    :param order: one ``frontpay.order``
    :return: a sentence or two; empty without a difference
    """
    return localized(order.env, REMEDIES[order.difference]) if order.difference else ""
