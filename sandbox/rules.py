"""The documented rules of each endpoint as a table, and the checker that reads it.

The rules are written as the vendor's older specification writes them (Laravel's rule
lists), the sentences as recorded from the demo system: all failures at once, one flat
list, field paths with camelCase spelled in words. Recorded are the sentences for
``required``, ``required_if``, ``date_format`` and ``email``; the others are Laravel's
own of the same generation. Nobody has recorded what the vendor's own rules
``timestamp`` and ``iso_country`` say, those two sentences are ours.

Fields without ``required`` may be absent, null or empty; those with ``sometimes`` may
only be absent. Fields that no rule names are ignored, as the real server does. Of two
rule lists for one field of an endpoint the later one counts.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

import pycountry

from .payload import ABSENT, number, rows, value_at

Table = dict[str, str]  # path of a field: its rules

# Objects that the order-creating endpoints share

# Section 3.1
PRODUCTS: Table = {
    "products": "required|array",
    "products.*.name": "required|string",
    "products.*.productId": "string|max:25",
    "products.*.quantity": "required|numeric",
    "products.*.rate": "required|numeric",
    "products.*.discount": "numeric",
    "products.*.tax": "required|numeric|in:0,12,15,25",
    "products.*.amount": "required|numeric",
}
# Section 3.2
SUMMARY: Table = {
    "orderSummary.subTotal": "required|numeric",
    "orderSummary.totalTax": "required|numeric",
    "orderSummary.totalDiscount": "required|numeric",
    "orderSummary.grandTotal": "required|numeric",
}
# Section 3.7
ORDER_DATE: Table = {"orderDate": "required|string|timestamp"}
# Section 3.8
REFERENCES: Table = {"referenceNo": "string", "customerReference": "string"}
INVOICE: Table = {
    "invoiceInterval": "numeric|in:0,1,2",
    "separateInvoices": "boolean",
    "invoiceFeeApplicable": "required|boolean",
    "invoiceMaturity": "numeric",
}
# Section 3.5
LANGUAGE = "string|in:en,no,sv,da,de"
PERSONAL_NUMBER = "string|digits:11"
ORGANIZATION_ID = "string|regex:/^[a-zA-Z0-9]+$/"
ADDRESS: Table = {
    "street": "required|string",
    "zip": "required|string",
    "city": "required|string",
    "country": "required|string|iso_country",
}


def _below(path: str, table: Table) -> Table:
    return {f"{path}.{name}": rules for name, rules in table.items()}


CUSTOMER: Table = {
    "customerDetails.type": "required|string|in:private,corporate",
    "customerDetails.countryCode": "required|string",
    "customerDetails.msisdn": "required|string",
    "customerDetails.email": "required|email",
    "customerDetails.name": "required|string",
    "customerDetails.personalNumber": (
        f"required_if:customerDetails.type,private|{PERSONAL_NUMBER}"
    ),
    "customerDetails.organizationId": (
        f"required_if:customerDetails.type,corporate|{ORGANIZATION_ID}"
    ),
    "customerDetails.preferredLanguage": LANGUAGE,
    **_below("customerDetails.address", ADDRESS),
}
# Section 4.1. Sections 6 to 9 show this URL and don't say whether it must be there:
# since section 4's current page demands it, it is demanded there too.
CALLBACK: Table = {"callback.callbackUrl": "required|url"}
# What sections 4 and 6 to 8 have in common.
INVOICE_ORDER: Table = (
    PRODUCTS | SUMMARY | ORDER_DATE | REFERENCES | INVOICE | CUSTOMER | CALLBACK
)

# Section 12
REFUND_ORDER: Table = {
    "type": "required|string|in:regular,invoiced",
    "grandTotal": "required|numeric",
    "products": "required|array",
    "products.*.id": "required|numeric",
    "products.*.amount": "required|numeric",
}

# Section 18
CUSTOMER_UPDATE: Table = {
    "name": "required|string",
    "email": "required|email",
    "countryCode": "required|string",
    "msisdn": "required|string",
    "preferredLanguage": f"required|{LANGUAGE}",
    "addresses": "required|array",
    "addresses.billing": "required|array",
    **_below("addresses.billing", ADDRESS),
    "addresses.shipping": "array",
}

# Endpoints

INVOICE_SUBMIT = "connect/orders/invoice/submit"
REGULAR_SUBMIT = "connect/orders/regular/submit"
INVOICE_CREATE = "connect/orders/invoice/create"
FAKTURA_CREATE = "connect/orders/faktura/create"
EHF_CREATE = "connect/orders/ehf/create"
PAYMENT_LINK_CREATE = "connect/orders/payment-link/create"
CANCEL = "connect/orders/cancel"
RESEND = "connect/orders/resend"
REFUND = "connect/orders/refund"
APPROVAL = "orders/refund/request/approval"
STATUS = "connect/orders/status"
CUSTOMER_UPDATES = {
    customer_type: f"connect/customers/update/{customer_type}"
    for customer_type in ("private", "corporate")
}

RULES: dict[str, Table] = {
    # Section 4.1, the newer of the two specification pages.
    INVOICE_SUBMIT: INVOICE_ORDER
    | {
        "orderFrom": "required_with:fpgoUuid|string|in:PARTNER",
        "fpgoUuid": "string|exists",
        "settings.secureDetails": "boolean",
        "callback.success": "required|url",
        "callback.failure": "required|url",
    },
    # Section 5, the older specification page, and what the demo system demanded beyond
    # it in July 2025 (sections 3.2, 3.7). The page knows no fpgoUuid, so here that is a
    # field like any unknown.
    REGULAR_SUBMIT: PRODUCTS
    | SUMMARY
    | {
        "orderSummary.shippingCost": "required|numeric",
        "orderDate": "required|string|date_format:d M, Y",
        "dueDateForPaymentLink": "required_if:invoiceInterval,0|string|timestamp",
        "sendOrderBy.sms": "required|boolean",
        "sendOrderBy.email": "required|boolean",
        "sendOrderBy.invoice": "required|boolean",
        "isCreditCheckAvailable": "required|boolean",
        "invoiceAsPaymentOption": "required|boolean",
    }
    | CUSTOMER
    | {
        "customerDetails.preferredLanguage": f"required|{LANGUAGE}",
        # Of companies too, since via is always invoice: so the page says.
        "customerDetails.personalNumber": (
            f"required_if:submitPayment.via,invoice|{PERSONAL_NUMBER}"
        ),
        "customerDetails.address": "required|array",
        "invoiceReferences": "array",
        "invoiceReferences.referenceNo": "string",
        "invoiceReferences.customerReference": "string",
        "invoiceReferences.receiptNo": "string",
        "invoiceReferences.customerNotes": "string",
        "invoiceReferences.tnc": "string",
        "internalReferences": "array",
        "internalReferences.referenceNo": "string",
        "internalReferences.notes": "string",
        "submitPayment": "required|array",
        "submitPayment.via": "required|string|in:invoice",
        "invoiceInterval": "sometimes|numeric|in:0,1,2",
        "separateInvoices": "sometimes|boolean",
        "callback": "required|array",
        "callback.success": "required|string",
        "callback.failure": "required|string",
        # Not in the rule list, but accepted.
        "callback.callbackUrl": "url",
    },
    # Section 6: "Like section 4 without callback.success and callback.failure".
    INVOICE_CREATE: INVOICE_ORDER,
    # Section 7: for private customers only; the newer example has no type.
    FAKTURA_CREATE: INVOICE_ORDER
    | {
        "customerDetails.type": "string|in:private",
        "customerDetails.personalNumber": f"required|{PERSONAL_NUMBER}",
        "customerDetails.organizationId": ORGANIZATION_ID,
    },
    # Section 8: for companies only; the newer example has no type. In July 2025 the
    # demo system also demanded the last five fields and a language. The current page
    # lists none of them as required, so they are checked where they are sent, and not
    # required.
    EHF_CREATE: INVOICE_ORDER
    | {
        "customerDetails.type": "string|in:corporate",
        "customerDetails.personalNumber": PERSONAL_NUMBER,
        "customerDetails.organizationId": f"required|{ORGANIZATION_ID}",
        "sendOrderBy.sms": "boolean",
        "sendOrderBy.email": "boolean",
        "sendOrderBy.invoice": "boolean",
        "isCreditCheckAvailable": "boolean",
        "invoiceAsPaymentOption": "boolean",
    },
    # Section 9. No invoice: the demo system took a private customer without a personal
    # number. What only earlier pages list is checked where it is sent, and not
    # required.
    PAYMENT_LINK_CREATE: PRODUCTS
    | SUMMARY
    | ORDER_DATE
    | REFERENCES
    | CUSTOMER
    | CALLBACK
    | {
        "sendOrderBy.sms": "required|boolean",
        "sendOrderBy.email": "required|boolean",
        "invoiceAsPaymentOption": "boolean",
        "isCreditCheckAvailable": "boolean",
        "secureDetails": "boolean",
        "dueDateForPaymentLink": "string|timestamp",
        "customerDetails.firstName": "string",
        "customerDetails.personalNumber": PERSONAL_NUMBER,
    },
    # Section 11
    CANCEL: {"cancellationNote": "required|string"},
    # Section 10: a number, an address or both.
    RESEND: {
        "countryCode": "required_with:msisdn|string",
        "msisdn": "required_without:email|string",
        "email": "required_without:msisdn|email",
    },
    REFUND: REFUND_ORDER,
    # Section 12b: the same, with the code of the refusal.
    APPROVAL: REFUND_ORDER | {"message": "required|string"},
    # Section 13; upper-cased before it gets here.
    STATUS: {
        "type": "in:SENT,PAID,CANCELLED,EXPIRED,INVOICED,REFUNDED,PARTIAL REFUNDED",
    },
    # Section 18; of an organization the current page, whose number is digits.
    CUSTOMER_UPDATES["private"]: CUSTOMER_UPDATE | {"personalNumber": PERSONAL_NUMBER},
    CUSTOMER_UPDATES["corporate"]: CUSTOMER_UPDATE
    | {
        "organizationId": "string|regex:/^[0-9]+$/",
        "additionalContact": "array",
        "additionalContact.*.name": "string",
        "additionalContact.*.designation": "string",
        "additionalContact.*.countryCode": "string",
        "additionalContact.*.msisdn": "string",
        "additionalContact.*.email": "email",
        "additionalContact.*.note": "string",
    },
}

SENTENCES = {
    "required": "The {field} field is required.",
    "required_if": "The {field} field is required when {other} is {value}.",
    "required_with": "The {field} field is required when {other} is present.",
    "required_without": "The {field} field is required when {other} is not present.",
    "string": "The {field} must be a string.",
    "numeric": "The {field} must be a number.",
    "boolean": "The {field} field must be true or false.",
    "array": "The {field} must be an array.",
    "in": "The selected {field} is invalid.",
    "exists": "The selected {field} is invalid.",
    "max": "The {field} must not be greater than {argument} characters.",
    "digits": "The {field} must be {argument} digits.",
    "date_format": "The {field} does not match the format {argument}.",
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


def _fields(table: Table, payload: object) -> Iterator[tuple]:
    """Each field with its value and rules; rows of products last, as recorded."""
    for path, text in sorted(table.items(), key=lambda it: ".*." in it[0]):
        rules = [Rule.read(rule) for rule in text.split("|")]
        parent, star, name = path.partition(".*.")
        if not star:
            yield path, value_at(payload, path), rules
            continue
        for key, row in rows(value_at(payload, parent)):
            yield f"{parent}.{key}.{name}", value_at(row, name), rules


def _check_field(field, value, rules, payload, order_exists) -> Iterator[str]:
    is_empty = value in (ABSENT, None, "", [], {})
    for rule in rules:
        if rule.name == "sometimes":
            is_empty = value is ABSENT
            continue
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
    return _is_in(value_at(payload, other), wanted)


REQUIRES: dict[str, Callable[[str, object], bool]] = {
    "required": lambda _argument, _payload: True,
    "required_if": _is_required_if,
    "required_with": lambda other, payload: (
        value_at(payload, other) not in (ABSENT, None)
    ),
    "required_without": lambda other, payload: (
        value_at(payload, other) in (ABSENT, None)
    ),
}


def _is_in(value: object, allowed: str) -> bool:
    """PHP compares texts here: 25 and 25.0 are "25", the text "25.00" is not."""
    if isinstance(value, Decimal) and number(value) is not None:
        value = format(value.normalize(), "f")
    return value in allowed.split(",")


def is_url(value: object, _argument: str = "") -> bool:
    """Whether it is an absolute http or https URL."""
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


def _is_date(value: object, _argument: str) -> bool:
    """PHP's ``d M, Y``, with a day of two digits: ``02 Aug, 2023``."""
    try:
        return datetime.strptime(value, "%d %b, %Y").strftime("%d %b, %Y") == value
    except (TypeError, ValueError):
        return False


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
    "url": is_url,
    "timestamp": _is_timestamp,
    "date_format": _is_date,
    "iso_country": _is_country,
}
