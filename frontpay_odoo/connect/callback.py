"""A callback: its parameters, checked before anything else looks at them, and the
checksum by which it proves that it comes from Front Payment.

Section 17 of the API reference. The parameters come from outside: every field has a
strict form, and none of them is echoed.
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl

MAX_LENGTH = 4096  # bytes; a callback as documented has about 250

# Unix seconds have ten digits from 2001 to 2286.
FORMATS = {
    "orderUuid": re.compile(r"ODR[0-9]{1,20}"),
    "status": re.compile(r"[A-Za-z][A-Za-z _]{0,31}"),
    "paymentMethod": re.compile(r"[A-Za-z0-9 ._&/+-]{0,64}"),
    "amount": re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?"),
    "createdAt": re.compile(r"[0-9]{10}"),
    "timestamp": re.compile(r"[0-9]{10}"),
    "checksum": re.compile(r"[\x21-\x7e]{1,128}"),
}


class Malformed(ValueError):
    """The request isn't a callback; the text names the parameter, not its value."""


@dataclass(frozen=True)
class Callback:
    """What Front Payment reports about an order.

    :param pairs: all parameters in the order received, for the checksum
    """

    order_uuid: str
    status: str
    sent_at: datetime
    checksum: str
    pairs: tuple[tuple[str, str], ...]


def parse_pairs(raw):
    """Split a query string or form body into its parameters, in order.

    :param bytes raw: as received
    :return: list of (name, value), decoded
    :raises Malformed: too long, or not UTF-8
    """
    if len(raw) > MAX_LENGTH:
        raise Malformed("too long")
    try:
        return parse_qsl(raw.decode(), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise Malformed("not a query string") from error


def parse_json(raw):
    """Read a JSON body's parameters, in order.

    :param bytes raw: as received
    :return: list of (name, value)
    :raises Malformed: too long, or no flat object of strings and numbers
    """
    if len(raw) > MAX_LENGTH:
        raise Malformed("too long")
    try:
        # Numbers keep their text: the checksum is over what was written.
        document = json.loads(raw, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if not isinstance(document, dict):
        raise Malformed("no JSON object")
    if not all(isinstance(value, str) for value in document.values()):
        raise Malformed("a parameter is no text")
    return list(document.items())


def parse(pairs):
    """Read a callback.

    :param pairs: (name, value) in the order received
    :rtype: Callback
    :raises Malformed: a parameter is missing, doubled or not of its form
    """
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Malformed("a parameter comes twice")
    # Nothing that can't be hashed, stored or shown, in parameters unknown to us either.
    if not all(text.isprintable() for pair in pairs for text in pair):
        raise Malformed("a parameter is no plain text")
    for name, form in FORMATS.items():
        if not form.fullmatch(values.get(name, "")):
            raise Malformed(name)
    return Callback(
        order_uuid=values["orderUuid"],
        status=values["status"],
        sent_at=datetime.fromtimestamp(int(values["timestamp"]), UTC),
        checksum=values["checksum"],
        pairs=tuple(pairs),
    )


def checksum(parameters, secret):
    """Compute the checksum of a callback.

    SHA-256 over all values but the checksum's, followed by the secret (section 17.3,
    current formula).

    :param parameters: (name, value) pairs in the order received, values URL-decoded
    :param str secret: the callback secret
    :return: 64 lower-case hexadecimal digits
    """
    values = [value for name, value in parameters if name != "checksum"]
    return hashlib.sha256("".join([*values, secret]).encode()).hexdigest()


def is_signed(parameters, received, secret):
    """Whether ``received`` is the right checksum; compared in constant time.

    An empty secret never fits: it would make the checksum something anybody can
    compute.
    """
    if not secret:
        return False
    computed = checksum(parameters, secret)
    return hmac.compare_digest(computed.encode(), received.lower().encode())
