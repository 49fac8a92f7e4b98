"""What Front Payment answers, read defensively (sections 2, 4.4, 18 and 24).

Whatever is read here can be stored: texts without zero bytes and lone surrogates,
none of them, nor an amount, of any length.
"""

import base64
import json
import re
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qs, urlsplit

from .errors import UnknownOutcome
from .order import Address, Customer
from .refund import OrderLine
from .validation import is_safe_url

ORDER_UUID_KEYS = ("orderUuid", "orderId", "uuid")  # question 3
CUSTOMER_UUID_KEYS = ("uuid", "customerUuid")
VERIFICATION_URL_KEYS = ("bankIdUrl", "paymentUrl", "url")  # question 4
ORDER_UUID = re.compile(r"[A-Za-z0-9-]{1,64}")
LINE_ID = re.compile(r"[0-9]{1,18}")
AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,20})?")
MAX_AMOUNT = Decimal("999999999999")
# Where an order's details may name the sender's reference (sections 3.8 and 15).
REFERENCE_BLOCKS = ("invoiceReferences", "internalReferences")
# Beside or in the data of an order's status (section 25).
REFUND_OUTCOME = "refundStatus"
# Characters: a text that is longer isn't what it should be.
MAX_LENGTH = 255
MAX_URL_LENGTH = 4096
MAX_SENTENCES = 20
MAX_SENTENCE_LENGTH = 300


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
    """What Front Payment says of an order. What it doesn't tell is empty or None.

    :param status: as it spells it, for :func:`statuses.state_of`
    :param refunded_amount: NOK
    :param amount: of the order, NOK
    :param is_refund_rejected: whether the last refund that was asked for was rejected
    """

    status: str
    refunded_amount: Decimal | None = None
    amount: Decimal | None = None
    is_refund_rejected: bool = False


@dataclass(frozen=True)
class OrderDetails:
    """What an order is recognized by. What the answer doesn't tell is empty or None.

    :param references: every ``referenceNo`` in it; the current documentation has none
    :param amount: NOK
    :param ordered_at: in UTC
    :param contacts: the customer's e-mail address, telephone and organization number,
        as :func:`contacts_of` writes them
    :param lines: the products; none, if any of them can't be read
    :param invoice_number: as :func:`invoice_number` reads it
    """

    status: str
    references: tuple[str, ...]
    amount: Decimal | None
    ordered_at: datetime | None
    customer_uuid: str
    contacts: tuple[str, ...] = field(repr=False)
    lines: tuple[OrderLine, ...] = ()
    invoice_number: str = ""


def parse_json(text):
    """The JSON object in an answer's text, or None if it is anything else."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def data_of(answer):
    """What an answer is about. How a refund ended stands beside it (section 25)."""
    data = answer.get("data")
    if isinstance(data, dict) and REFUND_OUTCOME in answer:
        return {REFUND_OUTCOME: answer[REFUND_OUTCOME], **data}
    return data


def storable(text):
    """A text as any database takes it, and UTF-8 can write it."""
    return text.replace("\0", "").encode(errors="replace").decode()


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
    sentences = list(filter(None, sentences)) or [document.get("message") or ""]
    return [
        storable(str(sentence))[:MAX_SENTENCE_LENGTH]
        for sentence in sentences[:MAX_SENTENCES]
    ]


def submitted_order(data):
    """Read the answer to an order's submission.

    :param data: the envelope's ``data``
    :rtype: SubmittedOrder
    :raises UnknownOutcome: the answer names no order; it may exist all the same
    """
    url = _first(data, VERIFICATION_URL_KEYS, MAX_URL_LENGTH)
    order_uuid = _first(data, ORDER_UUID_KEYS) or _order_uuid_in_state(url)
    if not ORDER_UUID.fullmatch(order_uuid):
        raise UnknownOutcome("the answer names no order")
    return SubmittedOrder(
        order_uuid, _first(data, ("customerUuid",)), url if is_safe_url(url) else ""
    )


def order_status(data):
    """Read an order's status (section 14).

    :param data: the envelope's ``data``
    :rtype: OrderStatus
    :raises UnknownOutcome: the answer names no status
    """
    status = _first(data, ("status",))
    if not status:
        raise UnknownOutcome("the answer names no status")
    return OrderStatus(
        status,
        refunded_amount=_amount(data.get("refundedAmount")),
        # Too large is another amount than the invoice's, too.
        amount=_amount(data.get("orderAmount"), too_large=MAX_AMOUNT),
        is_refund_rejected=_first(data, (REFUND_OUTCOME,)).upper() == "REJECTED",
    )


def nothing(_data):
    """Read an answer that says nothing but that it was done (sections 10 and 11)."""


def order_statuses(rows, order_uuids=None):
    """Read the list of all orders' statuses (section 13).

    An order without a status is one all the same. A row without a number makes the
    list useless: nobody could say any more which orders aren't in it.

    :param rows: the list's rows, one after the other
    :param order_uuids: a set of the numbers that are wanted; all without it
    :return: {order number: status}
    :raises UnknownOutcome: a row names no order
    """
    statuses = {}
    for row in rows:
        order_uuid = _first(row, ORDER_UUID_KEYS)
        if not ORDER_UUID.fullmatch(order_uuid):
            raise UnknownOutcome("a row of the list names no order")
        if order_uuids is None or order_uuid in order_uuids:
            # A million orders have a few statuses.
            statuses[order_uuid] = sys.intern(_first(row, ("status",)))
    return statuses


def order_details(data):
    """Read an order's details (section 15).

    :param data: the envelope's ``data``
    :rtype: OrderDetails
    :raises UnknownOutcome: the answer tells nothing of an order
    """
    status = _first(data, ("status",))
    if not status and not _first(data, ORDER_UUID_KEYS):
        raise UnknownOutcome("the answer tells nothing of an order")
    blocks = [data, *map(data.get, REFERENCE_BLOCKS)]
    references = filter(None, (_first(block, ("referenceNo",)) for block in blocks))
    summary, customer = data.get("orderSummary"), data.get("customerDetails")
    return OrderDetails(
        status=status,
        references=tuple(dict.fromkeys(references)),
        amount=_amount(summary.get("grandTotal") if isinstance(summary, dict) else ""),
        ordered_at=_time(data.get("orderDate")),
        customer_uuid=_first(customer, CUSTOMER_UUID_KEYS),
        contacts=contacts_of(customer),
        lines=_order_lines(data.get("productList")),
        invoice_number=invoice_number(data),
    )


def _order_lines(rows):
    """The lines of an order's details (question 38): all of them or none."""
    lines = [_order_line(row) for row in rows] if isinstance(rows, list) else []
    return tuple(lines) if all(lines) else ()


def _order_line(row):
    """One line, or None if it tells no amount."""
    line_id = _first(row, ("id",))
    amount = _amount(row.get("amount")) if isinstance(row, dict) else None
    if amount is None:
        return None
    return OrderLine(
        int(line_id) if LINE_ID.fullmatch(line_id) else None,
        _first(row, ("name",)),
        _first(row, ("productId",)),
        _amount(row.get("tax")) or Decimal(0),
        amount,
    )


def check_uuid(data, uuid, keys):
    """Check that an answer is about what was asked for, if it names anything.

    :param str uuid: the order's or customer's number; empty where none was asked for
    :param keys: what the answer may call it
    :raises UnknownOutcome: it is about another
    """
    keys = keys if isinstance(data, dict) else ()
    # What is no number isn't this one.
    named = [_first(data, (key,)) for key in keys if data.get(key) not in (None, "")]
    if uuid and named and uuid not in named:
        raise UnknownOutcome("the answer is about another number")


def customer_details(data):
    """Read a customer (section 18). What the answer doesn't tell is empty.

    :param data: the envelope's ``data``
    :rtype: order.Customer
    :raises UnknownOutcome: the answer tells nothing of a customer
    """
    if not _first(data, ("name", "email", "msisdn")):
        raise UnknownOutcome("the answer tells nothing of a customer")
    addresses = data.get("addresses")
    address = addresses.get("billing") if isinstance(addresses, dict) else None
    return Customer(
        type=_first(data, ("type",)).lower(),
        name=_first(data, ("name",)),
        email=_first(data, ("email",)),
        country_code=_first(data, ("countryCode",)),
        msisdn=_first(data, ("msisdn",)),
        language=_first(data, ("preferredLanguage",)),
        address=Address(
            *(_first(address, (name,)) for name in ("street", "zip", "city", "country"))
        ),
        personal_number=_first(data, ("personalNumber",)),
        organization_id=_first(data, ("organizationId",)),
    )


def contacts_of(customer):
    """How a customer can be recognized, in one spelling for all.

    :param customer: ``customerDetails`` of a request or an answer (section 3.5)
    :return: tuple of e-mail address, telephone and organization number, those given
    """
    phone = _first(customer, ("countryCode",)) + _first(customer, ("msisdn",))
    contacts = {
        "email": _first(customer, ("email",)).lower(),
        "phone": "".join(filter(str.isdigit, phone)),
        "organization": _first(customer, ("organizationId",)).upper(),
    }
    return tuple(f"{kind} {text}" for kind, text in contacts.items() if text)


def invoice_number(data):
    """Read an invoice's number (section 15b).

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
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError, OSError):
        return None


def _amount(value, too_large=None):
    """An amount, or None if it is no number.

    :param too_large: what stands for one that is larger than can be stored
    """
    text = str(value).strip()
    if AMOUNT.fullmatch(text):
        return Decimal(text)
    try:
        return too_large if abs(Decimal(text)) > MAX_AMOUNT else None
    except InvalidOperation:  # a text, or NaN
        return None


def _first(data, keys, max_length=MAX_LENGTH):
    """The first of the keys that has a text; numbers count as their digits."""
    for key in keys if isinstance(data, dict) else ():
        value = data.get(key)
        text = storable(str(value)).strip() if isinstance(value, str | int) else ""
        if 0 < len(text) <= max_length:
            return text
    return ""


def _order_uuid_in_state(url):
    """The BankID address carries the order's number in its ``state`` (section 4.4)."""
    try:
        state = "".join(parse_qs(urlsplit(url).query).get("state", []))
        decoded = json.loads(base64.b64decode(state + "=" * (-len(state) % 4)))
    except (ValueError, RecursionError):
        return ""
    return _first(decoded, ORDER_UUID_KEYS)
