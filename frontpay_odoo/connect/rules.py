"""The documented rules of every channel and of a customer's update, as tables.

They are checked right before the JSON is sent. The pre-flight has told the
bookkeeper by then what is to be corrected, so a violation is a fault of the addon.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from . import validation
from .channels import CURRENCY, MONTHS, PRODUCT_ID_LENGTH

TAX_RATES = frozenset(map(Decimal, (0, 12, 15, 25)))

# Path of a field, with * for every item of a list: its rules, each a key of REQUIRES or
# CHECKS, some with arguments after a colon.
Table = dict[str, str]

PRIVATE = "required_if:customerDetails.type,private"
CORPORATE = "required_if:customerDetails.type,corporate"
LANGUAGE = "string|in:en,no,sv,da,de"
TYPE = "required|string|in:private,corporate"
# Section 3.1; section 24, questions 25, 27, 29 and 30
PRODUCTS: Table = {
    "products": "required|list",
    "products.*.name": "required|string",
    "products.*.productId": f"string|max:{PRODUCT_ID_LENGTH}",
    "products.*.quantity": "required|positive_integer",
    "products.*.rate": "required|amount",
    "products.*.discount": "amount",
    "products.*.tax": "required|number|agreed_rate",
    "products.*.amount": "required|amount",
}
# Section 3.2
SUMMARY: Table = {
    "orderSummary": "required|object",
    "orderSummary.subTotal": "required|amount",
    "orderSummary.totalTax": "required|amount",
    "orderSummary.totalDiscount": "required|amount",
    "orderSummary.grandTotal": "required|amount",
}
CONTACT: Table = {
    "countryCode": "required|string|calling_code",
    "msisdn": "required|string|msisdn",
    "email": "required|email",
    "name": "required|string",
}
ADDRESS: Table = {
    "street": "required|string",
    "zip": "required|string",
    "city": "required|string",
    "country": "required|country",
}


def _object(path, table):
    """A table's fields in a required object at that path."""
    fields = {f"{path}.{name}": rules for name, rules in table.items()}
    return {path: "required|object"} | fields


# Section 3.5
CUSTOMER: Table = (
    _object("customerDetails", CONTACT)
    | {"customerDetails.preferredLanguage": LANGUAGE}
    | _object("customerDetails.address", ADDRESS)
)
# Section 3.5; section 24, questions 33 and 34
IDENTITY: Table = {
    "customerDetails.type": TYPE,
    "customerDetails.personalNumber": f"{PRIVATE}|string|personal_number",
    "customerDetails.organizationId": f"{CORPORATE}|string|organization_id",
}
# Section 3.7; section 24, question 26
ORDER_DATE: Table = {"orderDate": "required|string|unix_seconds"}
# Section 3.8
REFERENCES: Table = {"referenceNo": "string", "customerReference": "string"}
COLLECTION: Table = {
    "invoiceInterval": "number|in:0,1,2",
    "separateInvoices": "boolean",
}
# Sections 3.8 and 4.1
INVOICE: Table = COLLECTION | {
    "invoiceFeeApplicable": "required|boolean",
    "invoiceMaturity": "number",
}
# Section 4.1; section 24, question 24
CALLBACK: Table = {
    "callback": "required|object",
    "callback.callbackUrl": "required|url",
}
RETURN_PAGES: Table = {
    "callback.success": "required|url",
    "callback.failure": "required|url",
}
EVERY_PAGE = PRODUCTS | SUMMARY | CUSTOMER | CALLBACK
CURRENT_PAGES = EVERY_PAGE | ORDER_DATE | REFERENCES

RULES: dict[str, Table] = {
    # Section 4.1; section 24, questions 1 and 2
    "session": CURRENT_PAGES
    | IDENTITY
    | INVOICE
    | RETURN_PAGES
    | {
        "settings": "object",
        "settings.secureDetails": "boolean",
        "fpgoUuid": "string",
        "orderFrom": "required_with:fpgoUuid|string|in:PARTNER",
    },
    # Section 5, with sections 3.3, 3.7 and 3.8; section 24, question 31
    "regular": EVERY_PAGE
    | COLLECTION
    | RETURN_PAGES
    | {
        "customerDetails.preferredLanguage": f"required|{LANGUAGE}",
        "customerDetails.type": TYPE,
        "customerDetails.personalNumber": (
            "required_if:submitPayment.via,invoice|string|personal_number"
        ),
        "customerDetails.organizationId": f"{CORPORATE}|string|organization_id",
        "orderSummary.shippingCost": "required|amount",
        "orderDate": "required|string|printed_day",
        "dueDateForPaymentLink": "required_if:invoiceInterval,0|string|unix_seconds",
        "sendOrderBy": "required|object",
        "sendOrderBy.sms": "required|boolean",
        "sendOrderBy.email": "required|boolean",
        "sendOrderBy.invoice": "required|boolean",
        "isCreditCheckAvailable": "required|boolean",
        "invoiceAsPaymentOption": "required|boolean",
        "invoiceReferences": "object",
        "invoiceReferences.referenceNo": "string",
        "invoiceReferences.customerReference": "string",
        "internalReferences": "object",
        "internalReferences.referenceNo": "string",
        "submitPayment": "required|object",
        "submitPayment.via": "required|string|in:invoice",
        "submitPayment.currency": f"string|in:{CURRENCY}",
    },
    "invoice": CURRENT_PAGES | IDENTITY | INVOICE,
    # Section 7
    "efaktura": CURRENT_PAGES
    | INVOICE
    | {"customerDetails.personalNumber": "required|string|personal_number"},
    # Section 8
    "ehf": CURRENT_PAGES
    | INVOICE
    | {"customerDetails.organizationId": "required|string|organization_id"},
    # Section 9
    "payment_link": CURRENT_PAGES
    | {
        "customerDetails.type": TYPE,
        "customerDetails.organizationId": f"{CORPORATE}|string|organization_id",
        "sendOrderBy": "required|object",
        "sendOrderBy.sms": "required|boolean",
        "sendOrderBy.email": "required|boolean",
        "invoiceAsPaymentOption": "boolean",
        "secureDetails": "boolean",
    },
}

# Section 18
UPDATE: Table = (
    CONTACT
    | {"preferredLanguage": f"required|{LANGUAGE}", "addresses": "required|object"}
    | _object("addresses.billing", ADDRESS)
)
UPDATES: dict[str, Table] = {
    "private": UPDATE | {"personalNumber": "string|personal_number"},
    "corporate": UPDATE | {"organizationId": "string|digits"},
}


def violations(channel_name, document, tax_rates=TAX_RATES):
    """Check an order's JSON against the rules of its channel.

    :param str channel_name: a key of :const:`RULES`
    :param dict document: what is about to be posted
    :param tax_rates: VAT in percent that the company's agreement allows, as Decimals
    :return: list of (path, what is asked for there), none of which holds a value of
        the document; empty when it may be sent
    """
    checks = CHECKS | {"agreed_rate": lambda value: _number(value) in tax_rates}
    found = _broken(RULES[channel_name], document, checks)
    return found or list(_wrong_sums(document))


def customer_violations(customer_type, document):
    """Check a customer's update against the rules of section 18.

    :param str customer_type: a key of :const:`UPDATES`
    :param dict document: what is about to be put
    :return: as of :func:`violations`
    """
    return _broken(UPDATES[customer_type], document, CHECKS)


def _broken(table, document, checks):
    return [
        (path, violation)
        for general_path, rules in table.items()
        for path, value in _values_at(document, general_path.split("."))
        if (violation := _violation(rules, value, document, checks))
    ]


def _violation(rules, value, document, checks):
    """The first of a field's rules that its value breaks; None if it breaks none."""
    for rule in rules.split("|"):
        name, *arguments = re.split("[:,]", rule)
        if name in REQUIRES:
            if _is_empty(value) and REQUIRES[name](document, *arguments):
                return "required"
        elif not _is_empty(value) and not checks[name](value, *arguments):
            return rule
    return None


def _wrong_sums(document):
    """Amounts that don't follow from the others (section 3.4; section 24, question 29).

    Only for a document whose amounts are amounts.
    """
    total = Decimal(0)
    for index, product in enumerate(document["products"]):
        amount = _number(product["amount"])
        full = _number(product["quantity"]) * _number(product["rate"])
        if amount != full - _number(product.get("discount") or 0):
            yield f"products.{index}.amount", "quantity × rate − discount"
        total += amount
    summary = {name: _number(value) for name, value in document["orderSummary"].items()}
    grand_total = summary["grandTotal"]
    if grand_total != total:
        yield "orderSummary.grandTotal", "sum of the amounts"
    gross = summary["subTotal"] + summary["totalTax"]
    if grand_total != gross - summary["totalDiscount"]:
        yield (
            "orderSummary.subTotal",
            "subTotal + totalTax − totalDiscount = grandTotal",
        )


def _values_at(value, names, path=""):
    """Each (path with numbers for its ``*``, value or None) that a path names."""
    if not names:
        yield path.removeprefix("."), value
        return
    name, *rest = names
    if name != "*":
        child = value.get(name) if isinstance(value, dict) else None
        yield from _values_at(child, rest, f"{path}.{name}")
        return
    for index, item in enumerate(value if isinstance(value, list) else ()):
        yield from _values_at(item, rest, f"{path}.{index}")


def _is_empty(value):
    """Whether the API takes it for a field left out."""
    return value in (None, {}, []) or (isinstance(value, str) and not value.strip())


def _is_there(document, path, value=None):
    """Whether a field has that value or, without one, any."""
    [(_path, found)] = _values_at(document, path.split("."))
    return not _is_empty(found) if value is None else str(found) == value


def _number(value):
    return Decimal(str(value))


def _is_like(pattern, value):
    return bool(re.fullmatch(pattern, str(value), re.ASCII))


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


# Called with the document and the rule's arguments.
REQUIRES: dict[str, Callable[..., bool]] = {
    "required": lambda _document: True,
    "required_if": _is_there,
    "required_with": _is_there,
}
# Called with a value that isn't empty and the rule's arguments. A number is one of
# JSON, or a text that is one (section 24, question 32); an amount has two decimals at
# most, and a negative one is documented nowhere.
CHECKS: dict[str, Callable[..., bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "number": partial(_is_like, r"-?\d+(\.\d+)?"),
    "amount": partial(_is_like, r"\d+(\.\d{1,2})?"),
    "positive_integer": partial(_is_like, r"0*[1-9]\d*(\.0+)?"),
    "in": lambda value, *allowed: str(value) in allowed,
    "max": lambda value, longest: len(value) <= int(longest),
    "calling_code": partial(_is_like, r"\+[1-9]\d{0,2}"),
    "msisdn": partial(_is_like, r"\d{2,15}"),
    "personal_number": partial(_is_like, r"\d{11}"),
    "organization_id": partial(_is_like, r"[a-zA-Z0-9]+"),
    "digits": partial(_is_like, r"\d+"),
    "unix_seconds": partial(_is_like, r"\d{10}"),
    "printed_day": partial(_is_like, rf"\d{{2}} ({'|'.join(MONTHS)}), \d{{4}}"),
    "email": partial(_is_unchanged_by, validation.email),
    "country": partial(_is_unchanged_by, validation.country),
    "url": _is_url,
}
