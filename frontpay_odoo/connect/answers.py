"""What Front Payment answers, read defensively (sections 2, 4.4 and 24)."""

import base64
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qs, urlsplit

from .addresses import is_safe
from .errors import UnknownOutcome

ORDER_UUID_KEYS = ("orderUuid", "orderId", "uuid")  # question 3
VERIFICATION_URL_KEYS = ("bankIdUrl", "paymentUrl", "url")  # question 4
ORDER_UUID = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class SubmittedOrder:
    """What a submitted order is called at Front Payment.

    :param verification_url: where the customer confirms with BankID, or an empty
        string when Front Payment asks for no confirmation (question 5)
    """

    order_uuid: str
    customer_uuid: str
    verification_url: str = field(repr=False)


@dataclass(frozen=True)
class OrderStatus:
    """What Front Payment says of an order.

    :param status: as it spells it, for :func:`statuses.state_of`
    :param refunded_amount: NOK, or None when the answer doesn't tell
    """

    status: str
    refunded_amount: Decimal | None = None


def document_of(text):
    """The JSON object in an answer's text, or None if it is anything else."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def sentences_of(document):
    """Front Payment's own words for what is wrong (question 10).

    ``errors`` may be a list, a dict of lists, a string or null; without it, the
    ``message`` serves.

    :return: list of strings
    """
    errors = document.get("errors")
    if isinstance(errors, dict):
        errors = errors.values()
    elif not isinstance(errors, list):
        errors = [errors]
    sentences = []
    for error in errors:
        sentences += error if isinstance(error, list) else [error]
    sentences = [str(sentence) for sentence in sentences if sentence]
    return sentences or [str(document.get("message") or "")]


def submitted_order(data):
    """Read the answer to an order's submission.

    :param data: the envelope's ``data``
    :rtype: SubmittedOrder
    :raises UnknownOutcome: the answer names no order; it may exist all the same
    """
    url = _first(data, VERIFICATION_URL_KEYS)
    order_uuid = _first(data, ORDER_UUID_KEYS) or _order_uuid_in_state(url)
    if not ORDER_UUID.fullmatch(order_uuid):
        raise UnknownOutcome("the answer names no order")
    return SubmittedOrder(
        order_uuid, _first(data, ("customerUuid",)), url if is_safe(url) else ""
    )


def order_status(data):
    """Read the answer to a question for an order's status (section 14).

    :param data: the envelope's ``data``
    :rtype: OrderStatus
    :raises UnknownOutcome: the answer names no status
    """
    status = _first(data, ("status",))
    if not status:
        raise UnknownOutcome("the answer names no status")
    return OrderStatus(status, _decimal(data.get("refundedAmount")))


def invoice_number(data):
    """Read the answer to a question for an invoice's number (section 15b).

    :return: the number, or an empty string while there is none
    """
    return _first(data, ("invoiceNumber",))


def _decimal(value):
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _first(data, keys):
    """The first of the keys that has a text; numbers count as their digits."""
    for key in keys if isinstance(data, dict) else ():
        value = data.get(key)
        text = str(value).strip() if isinstance(value, str | int) else ""
        if text:
            return text
    return ""


def _order_uuid_in_state(url):
    """The BankID address carries the order's number in its ``state`` (section 4.4)."""
    try:
        state = "".join(parse_qs(urlsplit(url).query).get("state", []))
        decoded = json.loads(base64.b64decode(state + "=" * (-len(state) % 4)))
    except ValueError:
        return ""
    return _first(decoded, ORDER_UUID_KEYS)
