"""Sentences that tell how many: "1 invoice", "2 invoices"."""

from odoo.tools.translate import LazyTranslate

from ..mapping.problem import localized

_lt = LazyTranslate(__name__)

# Of one, and of several.
SENTENCES = {
    "needs_you": (_lt("1 needs you"), _lt("%s need you")),
    "left_behind": (
        _lt(
            "1 order is still open at Front Payment. With these settings Odoo doesn't"
            " hear any more whether it is paid."
        ),
        _lt(
            "%s orders are still open at Front Payment. With these settings Odoo"
            " doesn't hear any more whether they are paid."
        ),
    ),
    "ready": (
        _lt("1 invoice can be sent to Front Payment."),
        _lt("%s invoices can be sent to Front Payment."),
    ),
    "queued": (
        _lt("1 invoice is queued and goes out automatically."),
        _lt("%s invoices are queued and go out automatically, one after the other."),
    ),
    "sent": (
        _lt("1 invoice handed to Front Payment."),
        _lt("%s invoices handed to Front Payment."),
    ),
    "updated": (
        _lt("1 order updated at Front Payment."),
        _lt("%s orders updated at Front Payment."),
    ),
    "cancelled": (
        _lt("1 order cancelled at Front Payment."),
        _lt("%s orders cancelled at Front Payment."),
    ),
    "resent": (
        _lt("Front Payment has sent the link again."),
        _lt("Front Payment has sent %s links again."),
    ),
    "late": (
        _lt(
            "Front Payment is slow to answer. The status of 1 order will be updated"
            " automatically in a moment."
        ),
        _lt(
            "Front Payment is slow to answer. The status of %s orders will be updated"
            " automatically in a moment."
        ),
    ),
    "notes_queued": (
        _lt("1 credit note is queued and goes out automatically."),
        _lt("%s credit notes are queued and go out automatically."),
    ),
    "notes_sent": (
        _lt("1 credit note handed to Front Payment."),
        _lt("%s credit notes handed to Front Payment."),
    ),
    # What sending them would do, by the refund's effect.
    "notes_refund": (
        _lt("1 credit note can be sent, for Front Payment to refund."),
        _lt("%s credit notes can be sent, for Front Payment to refund."),
    ),
    "notes_cancel": (
        _lt("1 credit note can be sent, and cancels an order."),
        _lt("%s credit notes can be sent, and cancel an order each."),
    ),
    "notes_update": (
        _lt("1 credit note can be sent, and lowers an order."),
        _lt("%s credit notes can be sent, and lower an order each."),
    ),
}


def counted(env, name, number):
    """Tell how many.

    :param str name: a key of :const:`SENTENCES`
    :param int number: of what it is about
    :return: a sentence in the environment's language; an empty string for none
    """
    one, several = SENTENCES[name]
    if number > 1:
        return localized(env, several) % number
    return localized(env, one) if number else ""
