"""What Front Payment answers, read defensively (sections 2, 4.4 and 24)."""

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qs, urlsplit

from .addresses import is_safe
from .errors import UnknownOutcome

ORDER_UUID_KEYS = ("orderUuid", "orderId", "uuid")  # question 3
VERIFICATION_URL_KEYS = ("bankIdUrl", "paymentUrl", "url")  # question 4
ORDER_UUID = re.compile(r"[A-Za-z0-9-]{1,64}")
# Where an order's details may name the sender's reference (sections 3.8 and 15).
REFERENCE_BLOCKS = ("invoiceReferences", "internalReferences")


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


@dataclass(frozen=True)
class OrderDetails:
    """What an order is recognised by. What the answer doesn't tell is empty or None.

    :param references: every ``referenceNo`` in it; the current documentation has none
    :param amount: NOK
    :param ordered_at: with its time zone
    :param contacts: the customer's e-mail address, telephone and organisation number,
        as :func:`contacts_of` writes them
    """

    status: str
    references: tuple[str, ...]
    amount: Decimal | None
    ordered_at: datetime | None
    customer_uuid: str
    contacts: tuple[str, ...] = field(repr=False)


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


def order_statuses(data):
    """Read the answer to a question for all orders' statuses (section 13).

    An order without a status is one all the same. A row without a number makes the
    list useless: nobody could say any more which orders aren't in it.

    :param data: the envelope's ``data``
    :return: {order number: status}
    :raises UnknownOutcome: the answer isn't such a list
    """
    if not isinstance(data, list):
        raise UnknownOutcome("the answer is no list of orders")
    statuses = {_first(row, ORDER_UUID_KEYS): _first(row, ("status",)) for row in data}
    if not all(map(ORDER_UUID.fullmatch, statuses)):
        raise UnknownOutcome("a row of the list names no order")
    return statuses


def order_details(data):
    """Read the answer to a question for an order's details (section 15).

    :param data: the envelope's ``data``
    :rtype: OrderDetails
    :raises UnknownOutcome: the answer tells nothing of an order
    """
    if not isinstance(data, dict) or not _first(data, ORDER_UUID_KEYS):
        raise UnknownOutcome("the answer tells nothing of an order")
    blocks = [data, *map(data.get, REFERENCE_BLOCKS)]
    references = filter(None, (_first(block, ("referenceNo",)) for block in blocks))
    summary, customer = data.get("orderSummary"), data.get("customerDetails")
    return OrderDetails(
        status=_first(data, ("status",)),
        references=tuple(dict.fromkeys(references)),
        amount=_decimal(summary.get("grandTotal") if isinstance(summary, dict) else ""),
        ordered_at=_time(data.get("orderDate")),
        customer_uuid=_first(customer, ("uuid", "customerUuid")),
        contacts=contacts_of(customer),
    )


def contacts_of(customer):
    """How a customer can be recognised, in one spelling for all.

    :param customer: ``customerDetails`` of a request or an answer (section 3.5)
    :return: tuple of e-mail address, telephone and organisation number, those given
    """
    phone = _first(customer, ("countryCode",)) + _first(customer, ("msisdn",))
    contacts = {
        "email": _first(customer, ("email",)).lower(),
        "phone": "".join(filter(str.isdigit, phone)),
        "organization": _first(customer, ("organizationId",)).upper(),
    }
    return tuple(f"{kind} {text}" for kind, text in contacts.items() if text)


def invoice_number(data):
    """Read the answer to a question for an invoice's number (section 15b).

    :return: the number, or an empty string while there is none
    """
    return _first(data, ("invoiceNumber",))


def _time(value):
    """Unix seconds or ISO 8601 with a time zone; anything else is no time to rely on.

    A day alone, or a time of nobody knows which zone, could be hours off.
    """
    text = str(value)
    try:
        if text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        time = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return time if time.tzinfo else None


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
