"""What happened to an order, and whose turn it is, in words."""

from markupsafe import Markup

from odoo import fields
from odoo.tools.translate import LazyTranslate

from ..connect.channels import CHANNELS
from ..mapping.problem import localized
from .local_time import local_day, local_time

_lt = LazyTranslate(__name__)

# What is told of each state that an order came to, and of the link's last e-mail; what
# happened at one moment, in this order. Without a place here, it isn't.
EVENTS = {
    "sent": _lt("handed over %(time)s"),
    "emailed": _lt("link e-mailed %(time)s"),
    "invoiced": _lt("invoiced %(time)s %(number)s"),
    "reminded": _lt("reminded %(time)s"),
    "collection": _lt("debt collection %(time)s"),
    "paid": _lt("paid %(day)s"),
    "partially_refunded": _lt("%(refunded)s refunded %(time)s"),
    "refunded": _lt("refunded %(time)s"),
    "failed": _lt("not sent %(time)s"),
    "cancelled": _lt("cancelled %(time)s"),
    "expired": _lt("expired %(time)s"),
}
# Whose turn it is, and to do what; of an order that is ``sent``, see
# :func:`_turn_while_sent`.
UNDECIDED = _lt("Check the outcome: you have to say what became of the invoice.")
NEXT_STEPS = {
    "queued": _lt("Odoo hands the invoice to Front Payment automatically."),
    "sending": _lt("The invoice is just being handed to Front Payment."),
    "unknown": _lt(
        "Front Payment may have the invoice or not. Odoo looks for it there, and asks"
        " you if that doesn't tell."
    ),
    "failed": _lt("Send the invoice again once the cause is corrected."),
    "invoiced": _lt("The customer pays Front Payment's invoice."),
    "reminded": _lt(
        "The customer pays Front Payment, which has sent a reminder. Don't remind from"
        " Odoo as well."
    ),
    "collection": _lt(
        "Front Payment collects the debt. Don't remind from Odoo as well."
    ),
    "cancelled": _lt("You may send the invoice again: its order was cancelled."),
    "expired": _lt(
        "You may send the invoice again: its order expired before the customer had"
        " confirmed it."
    ),
}
SENT_STEPS = {
    "link": _lt("The customer confirms with BankID. Give them the link."),
    "changing": _lt("Confirm the invoice again: that sends the change."),
    "lost": _lt("Fetch a new link for the customer: the first one was lost."),
    "emailing": _lt("Odoo e-mails the customer the BankID link in a moment."),
    "emailed": _lt("The customer confirms with BankID and has the link by e-mail."),
    "unreached": _lt("E-mail the link again: the customer didn't get it."),
    "confirms": _lt("The customer confirms with BankID."),
    "pays": _lt("The customer pays by the link that Front Payment has sent."),
    "invoices": _lt("Front Payment invoices the customer."),
}
# The same of a credit note that was handed over, by its refund's state.
REFUND_STEPS = {
    "queued": _lt("Odoo hands the credit note to Front Payment automatically."),
    "sending": _lt("The credit note is just being handed to Front Payment."),
    "unknown": _lt(
        "Check the outcome: Front Payment may make the refund or not. Don't pay it"
        " back yourself meanwhile."
    ),
    "failed": _lt(
        "Send the credit note again once the cause is corrected, or reset it to draft."
    ),
    "pending": _lt(
        "Front Payment decides about the refund, and is asked automatically. Don't pay"
        " it back yourself meanwhile."
    ),
    "needs_approval": _lt(
        "Ask Front Payment for approval, or give the refund up: “Don't Refund”."
    ),
    "rejected": _lt(
        "Send the credit note again, reset it to draft, or pay it back yourself."
    ),
}
BY_HAND_STEP = _lt(
    "Refund it in Front Payment's own pages, then choose “Check Outcome”."
)
# What sending a credit note does, by the refund's effect, and what it has done.
REFUND_PLANS = {
    "refund": _lt(
        "Sent to Front Payment, it is refunded there: taken off what the customer owes,"
        " or paid back."
    ),
    "cancel": _lt(
        "Sent to Front Payment, it cancels the order: the customer hasn't confirmed it."
    ),
    "update": _lt(
        "Sent to Front Payment, it lowers the order: the customer hasn't confirmed it."
    ),
}
ORDER_ENDED = _lt("The order has ended: the customer hadn't confirmed it.")
ORDER_LOWERED = _lt("The order was lowered: the customer hadn't confirmed it.")


def events(order):
    """What happened to an order, the oldest first.

    :param order: one ``frontpay.order``
    :rtype: Markup
    """
    times = dict(order.state_times or {})
    if order.link_emailed_at:
        times["emailed"] = fields.Datetime.to_string(order.link_emailed_at)
    happened = sorted((name for name in EVENTS if name in times), key=times.get)
    return Markup(" · ").join(_event(order, name, times[name]) for name in happened)


def _event(order, state, time):
    moment = fields.Datetime.to_datetime(time)
    there = fields.Datetime.context_timestamp(order, moment)
    words = localized(order.env, EVENTS[state]) % {
        "time": local_time(order.env, moment),
        "day": local_day(order.env, order.settled_on or there.date()),
        "number": _number(order),
        "refunded": order.currency_id.format(order.refunded_amount),
    }
    return " ".join(words.split())


def _number(order):
    """:return: of Front Payment's invoice, if it is known"""
    number = order.invoice_number
    return order.env._("(no. %s)", number) if number else ""


def next_step(order):
    """Whose turn it is, and to do what.

    :param order: one ``frontpay.order``
    :return: a sentence, or an empty string if nothing is to be done
    """
    step = UNDECIDED if order.needs_decision else NEXT_STEPS.get(order.state)
    if order.state == "sent":
        step = SENT_STEPS[_turn_while_sent(order)]
    refunds = order._running_refunds()
    is_credited = refunds and order.customer_step == "nothing"
    own = [localized(order.env, step)] if step and not is_credited else []
    return " ".join(own + [_step_of_credit_note(refund) for refund in refunds])


def _step_of_credit_note(refund):
    """The same as seen from its invoice."""
    return refund.env._(
        "%(note)s over %(amount)s: %(step)s",
        note=refund.move_id.name,
        amount=refund.currency_id.format(refund.amount),
        step=refund.next_step,
    )


def _turn_while_sent(order):
    """:return: a key of :const:`SENT_STEPS`"""
    if order._is_being_changed():
        return "changing"
    if order.channel == "payment_link":
        return "pays"
    customer_type = order.partner_id.frontpay_customer_type
    if not CHANNELS[order.channel].is_confirmed_by(customer_type):
        return "invoices"
    if order.link_error:
        return "unreached"
    if not order.verification_url:
        return "lost" if order.is_link_lost else "confirms"
    if order.is_link_due:
        return "emailing"
    return "emailed" if order.link_emailed_at else "link"


def refund_step(refund):
    """Whose turn it is with a credit note that was handed over, and to do what.

    :param refund: one ``frontpay.refund``
    :return: a sentence, or an empty string if nothing is to be done
    """
    if refund.move_id.state != "posted":
        return ""
    step = REFUND_STEPS.get(refund.state)
    if refund.state == "refunded" and refund.effect != "refund":
        is_open = refund.effect == "update" and refund.order_id._keeps_invoice()
        step = ORDER_LOWERED if is_open else ORDER_ENDED
    elif refund.state == "failed" and refund._waits_for_figures():
        step = BY_HAND_STEP
    return localized(refund.env, step) if step else ""


def refund_plan(order, amount):
    """What sending a credit note will do.

    :param order: its invoice's ``frontpay.order``
    :param float amount: its total
    """
    effect = order.env["frontpay.refund"]._effect_on(order, amount)
    return localized(order.env, REFUND_PLANS[effect])
