"""What Front Payment answers, read defensively (sections 2, 4.4 and 24)."""

import base64
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qs, urlsplit

from .errors import UnknownOutcome

ORDER_UUID_KEYS = ("orderUuid", "orderId", "uuid")  # question 3
VERIFICATION_URL_KEYS = ("bankIdUrl", "paymentUrl", "url")  # question 4
ORDER_UUID = re.compile(r"[A-Za-z0-9-]{1,64}")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


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
    data = data if isinstance(data, dict) else {}
    url = verification_url(_first(data, VERIFICATION_URL_KEYS))
    order_uuid = _first(data, ORDER_UUID_KEYS) or _order_uuid_in_state(url)
    if not ORDER_UUID.fullmatch(order_uuid):
        raise UnknownOutcome("the answer names no order")
    return SubmittedOrder(order_uuid, _first(data, ("customerUuid",)), url)


def order_status(data):
    """Read the answer to a question for an order's status (section 14).

    :param data: the envelope's ``data``
    :rtype: OrderStatus
    :raises UnknownOutcome: the answer names no status
    """
    data = data if isinstance(data, dict) else {}
    status = _first(data, ("status",))
    if not status:
        raise UnknownOutcome("the answer names no status")
    return OrderStatus(status, _decimal(data.get("refundedAmount")))


def invoice_number(data):
    """Read the answer to a question for an invoice's number (section 15b).

    :return: the number, or an empty string while there is none
    """
    data = data if isinstance(data, dict) else {}
    return _first(data, ("invoiceNumber",))


def verification_url(url):
    """The address if a customer may be sent there (https, or loopback), else ``""``."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return url
    return ""


def _decimal(value):
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _first(data, keys):
    for key in keys:
        value = data.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def _order_uuid_in_state(url):
    """The BankID address carries the order's number in its ``state`` (section 4.4)."""
    state = "".join(parse_qs(urlsplit(url).query).get("state", []))
    try:
        decoded = json.loads(base64.b64decode(state + "=" * (-len(state) % 4)))
    except ValueError:
        return ""
    return _first(decoded, ORDER_UUID_KEYS) if isinstance(decoded, dict) else ""
