"""A call that brought no usable answer: the order's state, and what to tell.

The bookkeeper reads what happened and what to do; the technical detail stands in the
exchange log.
"""

from odoo.tools.translate import LazyTranslate

from ..connect import errors
from ..mapping.refusal import translated
from ..mapping.words import in_words

_lt = LazyTranslate(__name__)

OUTCOMES = {
    errors.Unreachable: (
        "failed",
        _lt(
            "Front Payment can't be reached, so nothing was sent. Check the server's"
            " network, then send the invoice again."
        ),
    ),
    errors.NotAuthorised: (
        "failed",
        _lt(
            "Front Payment doesn't accept the token, so nothing was sent. Look at Token"
            " and Environment under Invoicing / Configuration / Settings / Front"
            " Payment."
        ),
    ),
    errors.WrongAddress: (
        "failed",
        _lt(
            "What answers at the address isn't Front Payment, so nothing was sent. Look"
            " at Environment and Address under Invoicing / Configuration / Settings /"
            " Front Payment."
        ),
    ),
    errors.NotFound: (
        "failed",
        _lt("Front Payment doesn't know this order."),
    ),
    errors.Limited: (
        "failed",
        _lt(
            "Front Payment takes no more calls for the moment, so nothing was sent."
            " Wait a minute, then send the invoice again."
        ),
    ),
    errors.Refused: (
        "failed",
        _lt("Front Payment refused the invoice. Mend this, then send it again:"),
    ),
    errors.UnknownOutcome: (
        "unknown",
        _lt(
            "The invoice went out, but no clear answer came back. Front Payment may"
            " have it, so it isn't sent again until that is settled."
        ),
    ),
}


def of(error, env):
    """What an error means for an order that was being sent.

    :param connect.errors.FrontPaymentError error: what the client raised
    :return: (state, text for the bookkeeper)
    """
    state, sentence = OUTCOMES[type(error)]
    text = in_words(env, sentence)
    if isinstance(error, errors.Refused):
        text = "\n".join([text, *(translated(line, env) for line in error.sentences)])
    return state, text
