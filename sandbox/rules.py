"""The documented rules of each endpoint as a table, and the checker that reads it.

The rules are written as the vendor's older specification writes them (Laravel's rule
lists), the sentences as recorded from the demo system: all failures at once, one flat
list, field paths with camelCase spelled in words. Recorded are the sentences for
``required``, ``required_if`` and ``email``; the others are Laravel's own of the same
generation. Nobody has recorded what the vendor's own rules ``timestamp`` and
``iso_country`` say, those two sentences are ours.

Fields without ``required`` may be absent, null or empty. Fields that no rule names are
ignored, as the real server does.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

import pycountry

from .payload import number, rows

PRODUCTS = {
    "products": "required|array",
    "products.*.name": "required|string",
    "products.*.productId": "string|max:25",
    "products.*.quantity": "required|numeric",
    "products.*.rate": "required|numeric",
    "products.*.discount": "numeric",
    "products.*.tax": "required|numeric|in:0,12,15,25",
    "products.*.amount": "required|numeric",
}
SUMMARY = {
    "orderSummary.subTotal": "required|numeric",
    "orderSummary.totalTax": "required|numeric",
    "orderSummary.totalDiscount": "required|numeric",
    "orderSummary.grandTotal": "required|numeric",
}
REFERENCES = {
    "orderDate": "required|string|timestamp",
    "referenceNo": "string",
    "customerReference": "string",
}
UPDATE = {
    "orderFrom": "required_with:fpgoUuid|string|in:PARTNER",
    "fpgoUuid": "string|exists",
}
INVOICE = {
    "invoiceInterval": "numeric|in:0,1,2",
    "separateInvoices": "boolean",
    "invoiceFeeApplicable": "required|boolean",
    "invoiceMaturity": "numeric",
}
CUSTOMER = {
    "customerDetails.type": "required|string|in:private,corporate",
    "customerDetails.countryCode": "required|string",
    "customerDetails.msisdn": "required|string",
    "customerDetails.email": "required|email",
    "customerDetails.name": "required|string",
    "customerDetails.personalNumber": (
        "required_if:customerDetails.type,private|string|digits:11"
    ),
    "customerDetails.organizationId": (
        "required_if:customerDetails.type,corporate|string|regex:/^[a-zA-Z0-9]+$/"
    ),
    "customerDetails.preferredLanguage": "string|in:en,no,sv,da,de",
    "customerDetails.address.street": "required|string",
    "customerDetails.address.zip": "required|string",
    "customerDetails.address.city": "required|string",
    "customerDetails.address.country": "required|string|iso_country",
}
CALLBACK = {
    "callback.callbackUrl": "required|url",
    "callback.success": "required|url",
    "callback.failure": "required|url",
}

INVOICE_SUBMIT = "connect/orders/invoice/submit"
CANCEL = "connect/orders/cancel"
STATUS = "connect/orders/status"

RULES: dict[str, dict[str, str]] = {
    # Section 4, by the newer of the two specification pages.
    INVOICE_SUBMIT: {
        **PRODUCTS,
        **SUMMARY,
        **REFERENCES,
        **UPDATE,
        **INVOICE,
        "settings.secureDetails": "boolean",
        **CUSTOMER,
        **CALLBACK,
    },
    # Section 11.
    CANCEL: {"cancellationNote": "required|string"},
    # Section 13; upper-cased before it gets here.
    STATUS: {
        "type": "in:SENT,PAID,CANCELLED,EXPIRED,INVOICED,REFUNDED,PARTIAL REFUNDED"
    },
}

SENTENCES = {
    "required": "The {field} field is required.",
    "required_if": "The {field} field is required when {other} is {value}.",
    "required_with": "The {field} field is required when {other} is present.",
    "string": "The {field} must be a string.",
    "numeric": "The {field} must be a number.",
    "boolean": "The {field} field must be true or false.",
    "array": "The {field} must be an array.",
    "in": "The selected {field} is invalid.",
    "exists": "The selected {field} is invalid.",
    "max": "The {field} must not be greater than {argument} characters.",
    "digits": "The {field} must be {argument} digits.",
    "regex": "The {field} format is invalid.",
    "email": "The {field} must be a valid email address.",
    "url": "The {field} must be a valid URL.",
    "timestamp": "The {field} must be a Unix timestamp in seconds.",
    "iso_country": "The {field} must be a valid ISO Alpha-2 country code.",
}

EMAIL = re.compile(r"[^@\s.]+(\.[^@\s.]+)*@[^@\s.]+(\.[^@\s.]+)+")


@dataclass(frozen=True)
class Rule:
    name: str
    argument: str

    @classmethod
    def read(cls, text: str) -> "Rule":
        name, _colon, argument = text.partition(":")
        return cls(name, argument)


def check(
    endpoint: str, payload: object, order_exists: Callable[[str], bool]
) -> list[str]:
    """The sentences for everything in ``payload`` that breaks the endpoint's rules.

    :param payload: received data, cleaned
    :param order_exists: answers whether an order has that id
    """
    sentences = []
    for field, value, rules in _fields(RULES[endpoint], payload):
        sentences += _check_field(field, value, rules, payload, order_exists)
    return sentences


def field_words(path: str) -> str:
    """``orderSummary.subTotal`` as Laravel words it: ``order summary.sub total``."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", path).lower()


def _fields(table: dict[str, str], payload: object) -> Iterator[tuple]:
    """Each field with its value and rules; rows of products last, as recorded."""
    for path, text in sorted(table.items(), key=lambda item: ".*." in item[0]):
        rules = [Rule.read(rule) for rule in text.split("|")]
        parent, star, name = path.partition(".*.")
        if not star:
            yield path, _value(payload, path), rules
            continue
        for key, row in rows(_value(payload, parent)):
            yield f"{parent}.{key}.{name}", _value(row, name), rules


def _value(payload: object, path: str) -> object:
    for name in path.split("."):
        payload = payload.get(name) if isinstance(payload, dict) else None
    return payload


def _check_field(field, value, rules, payload, order_exists) -> Iterator[str]:
    is_empty = value in (None, "", [], {})
    for rule in rules:
        if rule.name in REQUIRES:
            if is_empty and REQUIRES[rule.name](rule.argument, payload):
                yield _sentence(field, rule)
        elif is_empty:
            return
        elif rule.name == "exists":
            if not (isinstance(value, str) and order_exists(value)):
                yield _sentence(field, rule)
        elif not FITS[rule.name](value, rule.argument):
            yield _sentence(field, rule)


def _sentence(field: str, rule: Rule) -> str:
    other, _comma, value = rule.argument.partition(",")
    return SENTENCES[rule.name].format(
        field=field_words(field),
        other=field_words(other),
        value=value,
        argument=rule.argument,
    )


def _is_required_if(argument: str, payload: object) -> bool:
    other, _comma, wanted = argument.partition(",")
    return _value(payload, other) == wanted


REQUIRES: dict[str, Callable[[str, object], bool]] = {
    "required": lambda _argument, _payload: True,
    "required_if": _is_required_if,
    "required_with": lambda other, payload: _value(payload, other) is not None,
}


def _is_in(value: object, allowed: str) -> bool:
    """PHP compares texts here: 25 and 25.0 are "25", the text "25.00" is not."""
    if isinstance(value, Decimal):
        value = format(value.normalize(), "f")
    return value in allowed.split(",")


def _is_url(value: object, _argument: str) -> bool:
    if not isinstance(value, str) or re.search(r"[\s\x00-\x1f]", value):
        return False
    try:
        parts = urlsplit(value)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        return False


def _is_timestamp(value: object, _argument: str) -> bool:
    """Nine or ten digits: seconds from 1973 to 2286, so no milliseconds."""
    return isinstance(value, str) and bool(re.fullmatch(r"[1-9][0-9]{8,9}", value))


def _is_country(value: object, _argument: str) -> bool:
    # pycountry finds "no" as well, the specification's example is upper case.
    return (
        isinstance(value, str)
        and bool(re.fullmatch("[A-Z]{2}", value))
        and pycountry.countries.get(alpha_2=value) is not None
    )


def _matches(pattern: str, value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(pattern, value))


FITS: dict[str, Callable[[object, str], bool]] = {
    "string": lambda value, _: isinstance(value, str),
    "numeric": lambda value, _: number(value) is not None,
    "boolean": lambda value, _: value in (True, False, "0", "1"),
    "array": lambda value, _: isinstance(value, (list, dict)),
    "in": _is_in,
    "max": lambda value, longest: len(str(value)) <= int(longest),
    "digits": lambda value, count: _matches(f"[0-9]{{{count}}}", value),
    "regex": lambda value, pattern: _matches(pattern.strip("/^$"), value),
    "email": lambda value, _: _matches(EMAIL.pattern, value),
    "url": _is_url,
    "timestamp": _is_timestamp,
    "iso_country": _is_country,
}
