"""Every documented rule of every endpoint, broken.

That the table itself is right shows in the project's ``tests/test_rules.py``, which
holds it against the addon's.
"""

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.app import create_app
from sandbox.payload import read
from sandbox.rules import (
    APPROVAL,
    CANCEL,
    CUSTOMER_UPDATES,
    REFUND,
    RESEND,
    RULES,
    STATUS,
    check,
)
from sandbox.settings import Settings

from . import conftest
from .conftest import BODIES, COMPANY, EXAMPLE, MISSING, changed, order_with, uuid_of

REFUNDED = {"type": "regular", "grandTotal": 10, "products": [{"id": 7, "amount": 10}]}
ENDPOINTS = {
    **{f"connect/orders/{channel}": body for channel, body in BODIES.items()},
    CANCEL: {"cancellationNote": "Wrong"},
    RESEND: {"countryCode": "+47", "msisdn": "46567468", "email": "kari@example.com"},
    REFUND: REFUNDED,
    APPROVAL: REFUNDED | {"message": "refundRejectionForWeeklyThresholdExceed"},
    STATUS: {"type": "PAID"},
    **{
        path: conftest.CUSTOMER_UPDATES[customer_type]
        for customer_type, path in CUSTOMER_UPDATES.items()
    },
}
AN_ORDER = "ODR1234567890"  # the only one there is

# For each rule the values that break it, and what is said then. The first value breaks
# no other rule of the field, as far as that can be.
EMPTY = (MISSING, None, "", "  ")
BROKEN = {
    "required": (EMPTY, "The {field} field is required."),
    "required_if": (EMPTY, "The {field} field is required when {other} is {value}."),
    "required_with": (EMPTY, "The {field} field is required when {other} is present."),
    "required_without": (
        EMPTY,
        "The {field} field is required when {other} is not present.",
    ),
    "sometimes": ((None,), "The {field}"),
    "string": ((7, True, ["x"]), "The {field} must be a string."),
    "numeric": (
        ("x", True, "one", "1_0", "40 kr", [40], 1e300),
        "The {field} must be a number.",
    ),
    "boolean": (("yes", 2), "The {field} field must be true or false."),
    "array": (("x",), "The {field} must be an array."),
    "in": (("9", "25.00", 1e300), "The selected {field} is invalid."),
    "exists": (("ODR1",), "The selected {field} is invalid."),
    "max": (
        ("x" * 26,),
        "The {field} must not be greater than {argument} characters.",
    ),
    "digits": (
        ("018190 2345", "0181901234", 1819012345),
        "The {field} must be {argument} digits.",
    ),
    "regex": (("999 999 999",), "The {field} format is invalid."),
    "email": (("kari@", "kari"), "The {field} must be a valid email address."),
    "url": (
        (
            *("/frontpay/callback", "ftp://x.no/", "http://[::1"),
            *("http://x.no:x/", "https://"),
        ),
        "The {field} must be a valid URL.",
    ),
    "timestamp": (
        ("02 Aug, 2023", "1755150488000"),
        "The {field} must be a Unix timestamp in seconds.",
    ),
    "date_format": (
        (
            *("2 Aug, 2023", "31 Feb, 2023", "02 aug, 2023", "02 Aug 2023"),
            *("1755150488", "x"),
        ),
        "The {field} does not match the format {argument}.",
    ),
    "iso_country": (
        ("Norway", "no", "XK", "NOR"),
        "The {field} must be a valid ISO Alpha-2 country code.",
    ),
}


def words(path: str) -> str:
    return re.sub(r"([A-Z])", lambda letter: f" {letter[1].lower()}", path)


def breaking(path: str, rule: str) -> Iterator[dict]:
    """Changes to a body, each of which breaks a field's rule."""
    name, _colon, argument = rule.partition(":")
    other, _comma, value = argument.partition(",")
    condition = {}
    if name == "required_if":
        condition = {other: int(value) if value.isdecimal() else value}
    elif name == "required_with":
        condition = {other: AN_ORDER}
    elif name == "required_without":
        condition = {other: None}
    for wrong in BROKEN[name][0]:
        yield {**condition, path.replace("*", "0"): wrong}


def sentence(path: str, rule: str) -> str:
    name, _colon, argument = rule.partition(":")
    other, _comma, value = argument.partition(",")
    return BROKEN[name][1].format(
        field=words(path.replace("*", "0")),
        argument=argument,
        other=words(other),
        value=value,
    )


def errors_of(endpoint: str, changes: dict) -> list[str]:
    """What is said of an endpoint's body after these changes."""
    payload = read(json.dumps(changed(ENDPOINTS[endpoint], changes)))
    return check(endpoint, payload, lambda uuid: uuid == AN_ORDER)


@pytest.mark.parametrize("endpoint", RULES)
def test_each_rule_of_an_endpoint_can_be_broken_and_is_named(endpoint):
    unnoticed = []
    for path, rules in RULES[endpoint].items():
        field = words(path.replace("*", "0"))
        for rule in rules.split("|"):
            expected = sentence(path, rule)
            for changes in breaking(path, rule):
                errors = errors_of(endpoint, changes)
                is_named = any(error.startswith(expected) for error in errors)
                if not is_named or not all(field in error for error in errors):
                    unnoticed.append(f"{path} {rule} by {changes}: {errors}")
    assert not unnoticed, "\n".join(unnoticed)


# What the demo system said in July 2025 to the older page's own example.
RECORDED = {
    "orderSummary.shippingCost": MISSING,
    "orderDate": "2 Aug, 2023",
    "customerDetails.personalNumber": None,
    "customerDetails.organizationId": None,
    "invoiceReferences": None,
    "internalReferences": None,
    "callback.callbackUrl": MISSING,
}


def test_the_recorded_refusal_of_a_regular_order_is_given_word_for_word(sandbox):
    assert sandbox.errors(RECORDED, "regular/submit") == [
        "The order summary.shipping cost field is required.",
        "The order date does not match the format d M, Y.",
        "The customer details.personal number field is required"
        " when submit payment.via is invoice.",
    ]
    assert sandbox.control("GET", "orders").json() == []


def test_a_regular_orders_objects_are_named_beside_the_fields_in_them(sandbox):
    texts = {
        "customerDetails.address": "x",
        "invoiceReferences": "x",
        "internalReferences": "x",
        "submitPayment": "x",
        "callback": "x",
    }
    errors = sandbox.errors(texts, "regular/submit")
    arrays = [error for error in errors if error.endswith("must be an array.")]
    assert arrays == [f"The {words(path)} must be an array." for path in texts]
    errors = sandbox.errors(dict.fromkeys(texts, MISSING), "regular/submit")
    for path in ("customerDetails.address", "submitPayment", "callback"):
        assert f"The {words(path)} field is required." in errors


def test_a_field_of_the_wrong_type_fails_each_of_its_rules(sandbox):
    assert sandbox.errors({"products.0.tax": "abc"}) == [
        "The products.0.tax must be a number.",
        "The selected products.0.tax is invalid.",
    ]


def test_all_failures_are_told_at_once_those_of_products_last(sandbox):
    errors = sandbox.errors(
        {
            "products.0.rate": MISSING,
            "orderSummary.grandTotal": MISSING,
            "customerDetails.email": "kari",
        }
    )
    assert errors == [
        "The order summary.grand total field is required.",
        "The customer details.email must be a valid email address.",
        "The products.0.rate field is required.",
    ]


FITTING = [
    # Numbers as texts, and texts as numbers
    {"products.0.rate": "40.00", "products.0.amount": "4e1"},
    {"products.0.tax": 0, "orderSummary.grandTotal": 40.0},
    {"products.0.productId": "x" * 25},
    {"products": {"0": EXAMPLE["products"][0]}},
    {"color": "blue"},
    {"color": json.loads("[" * 10 + "]" * 10)},
    {"separateInvoices": 0, "invoiceFeeApplicable": "1"},
    {**COMPANY, "customerDetails.address.country": "SE"},
]


def test_what_the_rules_allow_is_taken(sandbox):
    answers = [sandbox.submit(changes) for changes in FITTING]
    refused = [answer.text for answer in answers if answer.status_code != 201]
    assert not refused, "\n".join(refused)


NO_ORDERS = (b"", b"[]", b"{", b'"x"', b"NaN", b"\xff", b"[" * 5000 + b"]" * 5000)


def test_a_body_that_is_no_order_lacks_every_field(sandbox):
    for body in NO_ORDERS:
        answer = sandbox.api("POST", "invoice/submit", data=body)
        assert answer.status_code == 417, body[:9]
        assert answer.json()["errors"][0] == "The products field is required."


def test_nothing_is_nested_deeper_than_an_order_can_be(sandbox):
    deep = json.loads("[" * 50 + "]" * 50)
    assert sandbox.submit({"color": deep}).status_code == 417


@pytest.fixture(scope="module")
def client():
    settings = Settings(callbacks=False, rate_limit=10**6)
    return create_app(settings).test_client()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
PATHS = [
    (channel, path.replace("*", "0"))
    for channel in BODIES
    for path in [
        *RULES[f"connect/orders/{channel}"],
        *("customerDetails", "callback", "orderSummary", "settings"),
    ]
]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PATHS), JSON)
def test_whatever_stands_in_a_field_the_answer_is_an_order_or_a_list(
    client, field, value
):
    channel, path = field
    client.delete("/sandbox/orders")
    answer = client.post(
        f"/api/v1/connect/orders/{channel}",
        data=json.dumps(order_with({path: value}, channel)),
        headers={"Authorization": "Bearer sandbox-token"},
    )
    assert answer.status_code in (201, 417)
    if answer.status_code == 201:
        uuid = uuid_of(answer.json["data"])
        for page in ("/", f"/orders/{uuid}", "/sandbox/orders"):
            assert client.get(page).status_code == 200
