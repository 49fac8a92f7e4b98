"""The documented rules stand twice: in the addon for what it sends, in the sandbox for
what it receives. Written apart from each other, they must refuse the same."""

import json
import re

import pytest

from sandbox import rules as received
from sandbox.payload import read
from sandbox.tests.conftest import CUSTOMER_UPDATES, MISSING, changed
from sandbox.tests.test_rules import AN_ORDER, breaking
from sandbox.totals import check_totals

from .processes import ROOT

ADDON = ROOT / "frontpay_odoo"
# Documents that both take.
DOCUMENTS = {
    "session": ("session_private", "session_corporate"),
    "regular": ("regular_private",),
    "invoice": ("invoice_private", "invoice_corporate"),
    "efaktura": ("efaktura_private",),
    "ehf": ("ehf_corporate",),
    "payment_link": ("payment_link_private", "payment_link_corporate"),
}
# For each of the addon's rules a value that breaks it, and what the sandbox says then.
WRONG = {
    "string": (7, "must be a string"),
    "boolean": ("yes", "must be true or false"),
    "object": ("x", ""),
    "list": ("x", "must be an array"),
    "number": ("x", "must be a number"),
    "amount": ("x", "must be a number"),
    "positive_integer": ("x", "must be a number"),
    "agreed_rate": ("9", "is invalid"),
    "in": ("9", "is invalid"),
    "max": ("x" * 26, "than 25 char"),
    "calling_code": ("!", ""),
    "msisdn": ("!", ""),
    "personal_number": ("!", "must be 11 digits"),
    "organization_id": ("!", "format is invalid"),
    "digits": ("12 34", "format is invalid"),
    "unix_seconds": ("!", "must be a Unix timestamp"),
    "printed_day": ("!", "does not match the format"),
    "email": ("kari@", "must be a valid email"),
    "country": ("Norway", "must be a valid ISO"),
    "url": ("/frontpay/callback", "must be a valid URL"),
    "required": (MISSING, "is required"),
    "required_if": (MISSING, "is required when"),
    "required_with": (MISSING, "is required when"),
}
# What only one of them refuses, (field, value), and why: in every channel, in one.
STRICTER = {
    ("customerDetails.countryCode", "!"): "The pages only show what it looks like.",
    ("customerDetails.msisdn", "!"): "The pages only show what it looks like.",
}
DIFFERENCES = {
    "session": {
        ("settings", "x"): "The page has no rule but for the field in it.",
        ("fpgoUuid", "ODR1"): "Only Front Payment knows its orders.",
    },
    "regular": {
        ("callback.callbackUrl", MISSING): (
            "The page knows no such URL, the addon always sends one (question 24)."
        ),
        ("callback.success", "/frontpay/callback"): "The page takes any text.",
        ("callback.failure", "/frontpay/callback"): "The page takes any text.",
        ("submitPayment.currency", 7): (
            "In the page's example, in none of its rules; we send NOK (section 3.3)."
        ),
        ("submitPayment.currency", "9"): "As above.",
        ("invoiceInterval", None): (
            "The page takes no null, to the addon that is a field left out."
        ),
        ("separateInvoices", None): "As above.",
    },
}
# Of earlier pages and of the demo system (sections 5 and 7 to 9). The addon doesn't
# send these fields, the sandbox checks them where somebody does.
BOOLEAN_OPTIONS = {
    "sendOrderBy.sms": "boolean",
    "sendOrderBy.email": "boolean",
    "sendOrderBy.invoice": "boolean",
    "isCreditCheckAvailable": "boolean",
    "invoiceAsPaymentOption": "boolean",
}
NOT_SENT = {
    "regular": {
        "invoiceReferences.receiptNo": "string",
        "invoiceReferences.customerNotes": "string",
        "invoiceReferences.tnc": "string",
        "internalReferences.notes": "string",
    },
    "efaktura": {
        "customerDetails.type": "string|in:private",
        "customerDetails.organizationId": "string|regex:/^[a-zA-Z0-9]+$/",
    },
    "ehf": {
        "customerDetails.type": "string|in:corporate",
        "customerDetails.personalNumber": "string|digits:11",
        **BOOLEAN_OPTIONS,
    },
    "payment_link": {
        "customerDetails.firstName": "string",
        "customerDetails.personalNumber": "string|digits:11",
        "dueDateForPaymentLink": "string|timestamp",
        "isCreditCheckAvailable": "boolean",
    },
}
# The amount that doesn't fit the others, and the change that made it so.
WRONG_AMOUNTS = {
    "products.*.amount": {"products.0.rate": 1123.74},
    "orderSummary.grandTotal": {
        "products.0.rate": 1123.74,
        "products.0.amount": 1123.74,
    },
    "orderSummary.subTotal": {"orderSummary.totalTax": "269.44"},
}


@pytest.fixture
def sent(connect):
    return connect("connect.rules")


@pytest.fixture(params=DOCUMENTS)
def channel(request):
    return request.param


@pytest.fixture
def endpoint(connect, channel):
    return connect("connect.channels").CHANNELS[channel].endpoint.path


def documents(channel: str) -> list[dict]:
    golden = ADDON / "tests" / "golden"
    return [
        json.loads((golden / f"{name}.json").read_text()) for name in DOCUMENTS[channel]
    ]


def errors_of(endpoint: str, document: dict) -> list[str]:
    """What the sandbox says of a document's fields."""
    payload = read(json.dumps(document))
    return received.check(endpoint, payload, lambda uuid: uuid == AN_ORDER)


def ways_to_break(table: dict, endpoint: str, not_sent: dict):
    """Field, changes that break one of its rules, and what the sandbox says of it, for
    the rules of both: the addon's table, and the sandbox's but for what isn't sent."""
    for path, rules in table.items():
        for name, *arguments in (re.split("[:,]", rule) for rule in rules.split("|")):
            value, sentence = WRONG[name]
            because = {}
            if name in ("required_if", "required_with"):
                other, wanted = [*arguments, AN_ORDER][:2]
                because = {other: int(wanted) if wanted.isdecimal() else wanted}
            path = path.replace("*", "0")
            yield path, because | {path: value}, sentence
    for path, rules in received.RULES[endpoint].items():
        if path not in not_sent:
            for rule in rules.split("|"):
                yield path.replace("*", "0"), next(breaking(path, rule)), ""


def test_addon_and_sandbox_refuse_the_same(sent, channel, endpoint):
    disagreed = set()
    for document in documents(channel):
        assert sent.violations(channel, document) == []
        assert errors_of(endpoint, document) == []
        not_sent = NOT_SENT.get(channel, {})
        table = sent.RULES[channel]
        for path, changes, sentence in ways_to_break(table, endpoint, not_sent):
            wrong = changed(document, changes)
            words = received.field_words(path)
            is_refused_here = path in dict(sent.violations(channel, wrong))
            is_refused_there = any(
                words in error and sentence in error
                for error in errors_of(endpoint, wrong)
            )
            if not (is_refused_here and is_refused_there):
                disagreed.add((path, changes[path]))
    assert disagreed == {*STRICTER, *DIFFERENCES.get(channel, {})}


def test_the_sandbox_checks_what_the_addon_doesnt_send(sent, channel, endpoint):
    paths = sent.RULES[channel]
    table = received.RULES[endpoint]
    not_sent = {path: rules for path, rules in table.items() if path not in paths}
    assert not_sent == NOT_SENT.get(channel, {})


def test_addon_and_sandbox_refuse_amounts_that_dont_belong_together(
    sent, channel, endpoint
):
    for document in documents(channel):
        for path, changes in WRONG_AMOUNTS.items():
            wrong = changed(document, changes)
            found = dict(sent.violations(channel, wrong))
            assert path.replace("*", "0") in found
            assert errors_of(endpoint, wrong) == []
            assert check_totals(endpoint, read(json.dumps(wrong)))


@pytest.mark.parametrize("customer_type", CUSTOMER_UPDATES)
def test_addon_and_sandbox_refuse_the_same_customers(sent, connect, customer_type):
    endpoint = received.CUSTOMER_UPDATES[customer_type]
    path = connect("connect.endpoints").CUSTOMER_UPDATES[customer_type].path
    assert path == f"{endpoint}/{{uuid}}"
    document = CUSTOMER_UPDATES[customer_type]
    table = sent.UPDATES[customer_type]
    not_sent = dict.fromkeys(
        path
        for path in received.RULES[endpoint]
        if path.startswith(("additionalContact", "addresses.shipping"))
    )
    assert sent.customer_violations(customer_type, document) == []
    assert errors_of(endpoint, document) == []
    disagreed = set()
    for path, changes, sentence in ways_to_break(table, endpoint, not_sent):
        wrong = changed(document, changes)
        words = received.field_words(path)
        is_refused_here = path in dict(sent.customer_violations(customer_type, wrong))
        is_refused_there = any(
            words in error and sentence in error for error in errors_of(endpoint, wrong)
        )
        if not (is_refused_here and is_refused_there):
            disagreed.add((path, changes[path]))
    stricter = {(path.rpartition(".")[2], value) for path, value in STRICTER}
    assert disagreed == stricter
