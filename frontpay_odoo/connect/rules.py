"""The documented rules of every channel, as one table.

They are checked right before an order's JSON is sent. The pre-flight has told the
bookkeeper by then what is to be corrected, so a violation is a fault of the addon.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from . import validation
from .channels import CURRENCY, MONTHS, PRODUCT_ID_LENGTH

TAX_RATES = frozenset(map(Decimal, (0, 12, 15, 25)))
LANGUAGES = ("en", "no", "sv", "da", "de")
CUSTOMER_TYPES = ("private", "corporate")


class RequiredIf(NamedTuple):
    """A field is required if another one has that value or, without one, any."""

    path: str
    value: Any = None

    def holds(self, document):
        values = [value for _path, value in values_at(document, self.path)]
        if self.value is None:
            return not all(map(is_empty, values))
        return self.value in values


class Rule(NamedTuple):
    """What the documentation says of one field.

    :param str path: with ``*`` for every item of a list
    :param str kind: a key of :const:`KINDS`, or ``tax``: one of the agreement's rates
    :param str source: section of the API reference
    :param required: True, False or :class:`RequiredIf`
    :param tuple allowed: the only values taken
    :param str pattern: a regular expression that the whole value matches
    :param int length: the most characters
    """

    path: str
    kind: str
    source: str
    required: bool | RequiredIf = False
    allowed: tuple = ()
    pattern: str = ""
    length: int = 0


class Sum(NamedTuple):
    """An amount that follows from others.

    :param str path: with ``*`` as in :class:`Rule`
    :param expected: called with the amount's object and with the document
    """

    path: str
    name: str
    source: str
    expected: Callable[[dict, dict], Decimal]


PERSONAL_NUMBER = r"\d{11}"
UNIX_SECONDS = r"\d{10}"
PRINTED_DAY = rf"\d{{2}} ({'|'.join(MONTHS)}), \d{{4}}"
PRODUCTS = (
    Rule("products", "list", "3.1", True),
    Rule("products.*.name", "string", "3.1", True),
    Rule("products.*.productId", "string", "3.1, 24.25", length=PRODUCT_ID_LENGTH),
    Rule("products.*.quantity", "positive_integer", "3.1, 24.30", True),
    Rule("products.*.rate", "amount", "3.1, 24.29", True),
    Rule("products.*.discount", "amount", "3.1, 24.29"),
    Rule("products.*.tax", "tax", "3.1, 24.27", True),
    Rule("products.*.amount", "amount", "3.1, 24.29", True),
    Rule("orderSummary", "object", "3.2", True),
    Rule("orderSummary.subTotal", "amount", "3.2", True),
    Rule("orderSummary.totalTax", "amount", "3.2", True),
    Rule("orderSummary.totalDiscount", "amount", "3.2", True),
    Rule("orderSummary.grandTotal", "amount", "3.2", True),
)
UNIX_DATE = (Rule("orderDate", "string", "3.7, 24.26", True, pattern=UNIX_SECONDS),)
CUSTOMER = (
    Rule("customerDetails", "object", "3.5", True),
    Rule(
        "customerDetails.countryCode", "string", "3.5", True, pattern=r"\+[1-9]\d{0,2}"
    ),
    Rule("customerDetails.msisdn", "string", "3.5", True, pattern=r"\d{2,15}"),
    Rule("customerDetails.email", "email", "3.5", True),
    Rule("customerDetails.name", "string", "3.5", True),
    Rule("customerDetails.address", "object", "3.5", True),
    Rule("customerDetails.address.street", "string", "3.5", True),
    Rule("customerDetails.address.zip", "string", "3.5", True),
    Rule("customerDetails.address.city", "string", "3.5", True),
    Rule("customerDetails.address.country", "country", "3.5", True),
)


def _language(source, required=False):
    path = "customerDetails.preferredLanguage"
    return (Rule(path, "string", source, required, allowed=LANGUAGES),)


def _type(source):
    path = "customerDetails.type"
    return (Rule(path, "string", source, True, allowed=CUSTOMER_TYPES),)


def _personal_number(source, required):
    path = "customerDetails.personalNumber"
    return (Rule(path, "string", source, required, pattern=PERSONAL_NUMBER),)


def _organization_id(source, required):
    path = "customerDetails.organizationId"
    return (Rule(path, "string", source, required, pattern=r"[a-zA-Z0-9]+"),)


PRIVATE = RequiredIf("customerDetails.type", "private")
CORPORATE = RequiredIf("customerDetails.type", "corporate")
IDENTITY = (
    *_type("3.5"),
    *_personal_number("3.5, 24.33", PRIVATE),
    *_organization_id("3.5, 24.34", CORPORATE),
)
REFERENCES = (
    Rule("referenceNo", "string", "3.8"),
    Rule("customerReference", "string", "3.8"),
)
COLLECTION = (
    Rule("invoiceInterval", "number", "3.8", allowed=(0, 1, 2)),
    Rule("separateInvoices", "boolean", "3.8"),
)
INVOICING = (
    *COLLECTION,
    Rule("invoiceFeeApplicable", "boolean", "3.8, 4.1", True),
    Rule("invoiceMaturity", "number", "3.8"),
)
CALLBACK = (
    Rule("callback", "object", "4.1", True),
    Rule("callback.callbackUrl", "url", "4.1, 24.24", True),
)
RETURN_PAGES = (
    Rule("callback.success", "url", "4.1, 24.24", True),
    Rule("callback.failure", "url", "4.1, 24.24", True),
)
EVERY_PAGE = (*PRODUCTS, *CUSTOMER, *CALLBACK)
CURRENT_PAGES = (*EVERY_PAGE, *UNIX_DATE, *REFERENCES)
RULES = {
    "session": (
        *CURRENT_PAGES,
        *_language("3.5"),
        *IDENTITY,
        *INVOICING,
        *RETURN_PAGES,
        Rule("settings", "object", "4.1"),
        Rule("settings.secureDetails", "boolean", "4.1"),
        Rule("fpgoUuid", "string", "4.1, 24.1"),
        Rule(
            *("orderFrom", "string", "4.1, 24.2", RequiredIf("fpgoUuid")),
            allowed=("PARTNER",),
        ),
    ),
    "regular": (
        *EVERY_PAGE,
        *_language("5", True),
        *_type("5"),
        *_personal_number("5", RequiredIf("submitPayment.via", "invoice")),
        *_organization_id("5", CORPORATE),
        *COLLECTION,
        *RETURN_PAGES,
        Rule("orderSummary.shippingCost", "amount", "5, 24.31", True),
        Rule("orderDate", "string", "3.7, 5", True, pattern=PRINTED_DAY),
        Rule(
            *("dueDateForPaymentLink", "string", "5", RequiredIf("invoiceInterval", 0)),
            pattern=UNIX_SECONDS,
        ),
        Rule("sendOrderBy", "object", "5", True),
        Rule("sendOrderBy.sms", "boolean", "5", True),
        Rule("sendOrderBy.email", "boolean", "5", True),
        Rule("sendOrderBy.invoice", "boolean", "5", True),
        Rule("isCreditCheckAvailable", "boolean", "5", True),
        Rule("invoiceAsPaymentOption", "boolean", "5", True),
        Rule("invoiceReferences", "object", "5"),
        Rule("invoiceReferences.referenceNo", "string", "3.8, 5"),
        Rule("invoiceReferences.customerReference", "string", "3.8, 5"),
        Rule("internalReferences", "object", "5"),
        Rule("internalReferences.referenceNo", "string", "3.8, 5"),
        Rule("submitPayment", "object", "5", True),
        Rule("submitPayment.via", "string", "5", True, allowed=("invoice",)),
        Rule("submitPayment.currency", "string", "3.3", allowed=(CURRENCY,)),
    ),
    "invoice": (*CURRENT_PAGES, *_language("3.5"), *IDENTITY, *INVOICING),
    "efaktura": (
        *CURRENT_PAGES,
        *_language("7"),
        *_personal_number("7", True),
        *INVOICING,
    ),
    "ehf": (*CURRENT_PAGES, *_language("8"), *_organization_id("8", True), *INVOICING),
    "payment_link": (
        *CURRENT_PAGES,
        *_language("9"),
        *_type("9"),
        *_organization_id("3.5, 9", CORPORATE),
        Rule("sendOrderBy", "object", "9", True),
        Rule("sendOrderBy.sms", "boolean", "9", True),
        Rule("sendOrderBy.email", "boolean", "9", True),
        Rule("invoiceAsPaymentOption", "boolean", "9"),
        Rule("secureDetails", "boolean", "9"),
    ),
}
SUMS = (
    Sum(
        "products.*.amount",
        "quantity × rate − discount",
        "3.4",
        lambda product, _document: (
            _number(product["quantity"]) * _number(product["rate"])
            - _number(product.get("discount") or 0)
        ),
    ),
    Sum(
        "orderSummary.grandTotal",
        "sum of the amounts",
        "3.4, 24.29",
        lambda _summary, document: sum(
            _number(product["amount"]) for product in document["products"]
        ),
    ),
    Sum(
        "orderSummary.subTotal",
        "subTotal + totalTax − totalDiscount = grandTotal",
        "3.4",
        lambda summary, _document: (
            _number(summary["grandTotal"])
            - _number(summary["totalTax"])
            + _number(summary["totalDiscount"])
        ),
    ),
)


def violations(channel_name, document, tax_rates=TAX_RATES):
    """Check an order's JSON against the rules of its channel.

    :param str channel_name: a key of :const:`RULES`
    :param dict document: what is about to be posted
    :param tax_rates: VAT in percent that the company's agreement allows, as Decimals
    :return: list of (path, what is asked for there), none of which holds a value of
        the document; empty when it may be sent
    """
    found = [
        (path, violation)
        for rule in RULES[channel_name]
        for path, value in values_at(document, rule.path)
        if (violation := _violation(rule, value, document, tax_rates))
    ]
    return found or _wrong_sums(document)


def values_at(document, path):
    """Every value of a document that a path names.

    :return: iterator of (path with numbers for its ``*``, value or None)
    """
    return _values_at(document, path.split("."), ())


def is_empty(value):
    """Whether the API takes it for a field left out."""
    return value in (None, {}, []) or (isinstance(value, str) and not value.strip())


def _violation(rule, value, document, tax_rates):
    """What the rule asks for instead of the value, or an empty string."""
    if is_empty(value):
        return "required" if _is_required(rule, document) else ""
    if rule.kind == "tax":
        return "" if _is_one_of(value, tax_rates) else "in the agreement's rates"
    if not KINDS[rule.kind](value):
        return rule.kind
    if rule.allowed and value not in rule.allowed:
        return f"one of {', '.join(map(str, rule.allowed))}"
    if rule.pattern and not re.fullmatch(rule.pattern, value, re.ASCII):
        return f"like {rule.pattern}"
    if rule.length and len(value) > rule.length:
        return f"at most {rule.length} characters"
    return ""


def _wrong_sums(document):
    """Only for a document whose amounts are amounts."""
    return [
        (f"{path}.{name}", total.name)
        for total in SUMS
        for parent, _dot, name in [total.path.rpartition(".")]
        for path, value in values_at(document, parent)
        if _number(value[name]) != total.expected(value, document)
    ]


def _is_required(rule, document):
    if isinstance(rule.required, RequiredIf):
        return rule.required.holds(document)
    return rule.required


def _values_at(value, names, path):
    if not names:
        yield ".".join(path), value
        return
    name, *rest = names
    if name != "*":
        child = value.get(name) if isinstance(value, dict) else None
        yield from _values_at(child, rest, (*path, name))
        return
    for index, item in enumerate(value if isinstance(value, list) else ()):
        yield from _values_at(item, rest, (*path, str(index)))


def _number(value):
    return Decimal(str(value))


def _decimals(number):
    return max(0, -number.normalize().as_tuple().exponent)


def _is_number(value):
    """A JSON number, or a text that is one (section 24, question 32)."""
    if isinstance(value, str):
        return bool(re.fullmatch(r"-?\d+(\.\d+)?", value, re.ASCII))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return _number(value).is_finite()


def _is_amount(value):
    """NOK with two decimals at most; a negative one is documented nowhere."""
    if not _is_number(value):
        return False
    number = _number(value)
    return number >= 0 and _decimals(number) <= 2


def _is_positive_integer(value):
    return _is_number(value) and _number(value) > 0 and not _decimals(_number(value))


def _is_one_of(value, tax_rates):
    return _is_number(value) and _number(value) in tax_rates


def _is_unchanged_by(check, value):
    try:
        return isinstance(value, str) and check(value) == value
    except validation.InvalidValue:
        return False


def _is_url(value):
    """Complete, without a query, and safe on its way (section 24, question 17)."""
    return (
        isinstance(value, str)
        and validation.is_complete_url(value)
        and validation.is_safe_url(value)
    )


KINDS = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "number": _is_number,
    "amount": _is_amount,
    "positive_integer": _is_positive_integer,
    "email": partial(_is_unchanged_by, validation.email),
    "country": partial(_is_unchanged_by, validation.country),
    "url": _is_url,
}
