"""What a call of the API log was for and what came of it, in one sentence or two."""

import json
from contextlib import suppress
from http import HTTPStatus

from odoo.tools.translate import LazyTranslate

from ..connect import endpoints, responses
from ..connect.client import NO_ORDER
from ..connect.errors import FrontPaymentError
from ..connect.statuses import state_of
from ..mapping.problem import localized

_lt = LazyTranslate(__name__)

UPDATES = '"fpgoUuid"'  # such a request changes an order, see channels.updating
SENT = _lt("The invoice was handed to Front Payment.")
UPDATED = _lt("An update of the order was handed to Front Payment.")
# By where it was asked; whatever else is below "connect/orders" takes an invoice.
CALLS = {
    endpoints.STATUSES.path: _lt("Front Payment was asked for all orders' statuses."),
    endpoints.STATUS.path: _lt("Front Payment was asked for the order's status."),
    endpoints.STATUS.path.format(uuid=NO_ORDER): _lt("The connection was tested."),
    endpoints.DETAILS.path: _lt("Front Payment was asked for the order's details."),
    endpoints.CANCEL.path: _lt("Front Payment was asked to cancel the order."),
    endpoints.RESEND.path: _lt(
        "Front Payment was asked to send the customer the link again."
    ),
    endpoints.REFUND.path: _lt("Front Payment was asked to refund the customer."),
    endpoints.APPROVAL.path: _lt("Front Payment was asked to approve a refund."),
    endpoints.INVOICE_NUMBER.path: _lt(
        "Front Payment was asked for the number of its invoice."
    ),
    endpoints.CUSTOMER.path: _lt(
        "Front Payment was asked what it knows of the customer."
    ),
    **{
        update.path: _lt("The customer's data were sent to Front Payment.")
        for update in endpoints.CUSTOMER_UPDATES.values()
    },
}
ANSWERS = {
    HTTPStatus.UNAUTHORIZED: _lt("It doesn't accept the token."),
    HTTPStatus.FORBIDDEN: _lt("It doesn't allow that."),
    HTTPStatus.NOT_FOUND: _lt("It doesn't know it."),
    HTTPStatus.TOO_MANY_REQUESTS: _lt("There were too many calls, so Odoo waits."),
}
NO_ANSWER = _lt("No answer came.")
NOT_UNDERSTOOD = _lt("Its answer can't be used.")
REFUSED = _lt("It refused.")
FAILED = _lt("It had an error.")
ANSWERED = _lt("It answered.")
TOLD = _lt("It says: %s.")
TESTED = _lt("It works.")
# By what was answered to Front Payment.
CALLBACKS = {
    HTTPStatus.OK: _lt(
        "Front Payment called back: %s. Odoo asks for the order's status before it"
        " follows."
    ),
    HTTPStatus.BAD_REQUEST: _lt(
        "A callback came that can't be read. Nothing follows from it."
    ),
    HTTPStatus.FORBIDDEN: _lt(
        "A callback came without Front Payment's signature. At most, Odoo asks for the"
        " order's status."
    ),
}
CALLBACK_TEST = _lt("The test of the callbacks' address arrived.")


def explanation(exchange):
    """Explain a call to somebody who reads no JSON.

    :param exchange: a ``frontpay.exchange``
    :return: in the reader's language, without anything that the call carried but the
        order's state
    """
    if exchange.direction == "in":
        return _callback(exchange)
    call, is_test = _call(exchange)
    return f"{localized(exchange.env, call)} {_answer(exchange, is_test)}"


def is_good_test(exchange):
    """Whether the connection was tested, and works: nobody has that order."""
    _sentence, is_test = _call(exchange)
    return (
        is_test and exchange.http_status == HTTPStatus.NOT_FOUND and _is_json(exchange)
    )


def _is_json(exchange):
    """Front Payment answers in JSON; something between it and Odoo may not."""
    return not exchange.answer or exchange.answer.startswith("{")


def _callback(exchange):
    if not exchange.order_id:
        return localized(exchange.env, CALLBACK_TEST)
    text = CALLBACKS.get(exchange.http_status, CALLBACKS[HTTPStatus.BAD_REQUEST])
    sentence = localized(exchange.env, text)
    if exchange.http_status != HTTPStatus.OK:
        return sentence
    pairs = dict(
        line.split(": ", 1)
        for line in (exchange.request or "").splitlines()
        if ": " in line
    )
    return sentence % _state(exchange.env, pairs.get("status", ""))


def _call(exchange):
    """:return: (what was asked, whether only to see if Front Payment answers)"""
    path = exchange.path or ""
    if path == endpoints.STATUS.path.format(uuid=NO_ORDER):
        return CALLS[path], True
    if path not in CALLS:
        path = f"{path.rpartition('/')[0]}/{{uuid}}"
    updates = UPDATES in (exchange.request or "")
    return CALLS.get(path, UPDATED if updates else SENT), False


def _answer(exchange, is_test):
    env, code = exchange.env, exchange.http_status
    if not code:
        return localized(env, NO_ANSWER)
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return localized(env, FAILED)
    if not _is_json(exchange):
        return localized(env, NOT_UNDERSTOOD)
    if is_test and code == HTTPStatus.NOT_FOUND:
        return localized(env, TESTED)
    if code >= HTTPStatus.MULTIPLE_CHOICES:
        return localized(env, ANSWERS.get(code, REFUSED))
    if exchange.error:
        return localized(env, NOT_UNDERSTOOD)
    # A number has an answer of its own, whatever state comes with it.
    place = endpoints.INVOICE_NUMBER.path.rpartition("/")[0]
    is_number = (exchange.path or "").startswith(place)
    told = "" if is_number else _told_status(exchange)
    return localized(env, TOLD) % told if told else localized(env, ANSWERED)


def _told_status(exchange):
    with suppress(ValueError, TypeError, KeyError, AttributeError, FrontPaymentError):
        data = json.loads(exchange.answer)["data"]
        return _state(exchange.env, responses.order_status(data).status)
    return ""


def _state(env, status):
    """An order's status in our words where there are any, else in Front Payment's."""
    labels = dict(env["frontpay.order"]._fields["state"]._description_selection(env))
    return labels.get(state_of(status)) or status
