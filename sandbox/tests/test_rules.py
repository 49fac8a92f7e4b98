"""Every documented rule of invoice/submit, broken once."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.app import create_app
from sandbox.settings import Settings

from .conftest import COMPANY, EXAMPLE, MISSING, order_with

REQUIRED = {
    "products": "products",
    "products.0.name": "products.0.name",
    "products.0.quantity": "products.0.quantity",
    "products.0.rate": "products.0.rate",
    "products.0.tax": "products.0.tax",
    "products.0.amount": "products.0.amount",
    "orderSummary.subTotal": "order summary.sub total",
    "orderSummary.totalTax": "order summary.total tax",
    "orderSummary.totalDiscount": "order summary.total discount",
    "orderSummary.grandTotal": "order summary.grand total",
    "orderDate": "order date",
    "invoiceFeeApplicable": "invoice fee applicable",
    "customerDetails.type": "customer details.type",
    "customerDetails.countryCode": "customer details.country code",
    "customerDetails.msisdn": "customer details.msisdn",
    "customerDetails.email": "customer details.email",
    "customerDetails.name": "customer details.name",
    "customerDetails.address.street": "customer details.address.street",
    "customerDetails.address.zip": "customer details.address.zip",
    "customerDetails.address.city": "customer details.address.city",
    "customerDetails.address.country": "customer details.address.country",
    "callback.callbackUrl": "callback.callback url",
    "callback.success": "callback.success",
    "callback.failure": "callback.failure",
}


@pytest.mark.parametrize("value", [MISSING, None, "", "  "], ids=repr)
def test_every_required_field_is_asked_for(sandbox, value):
    for path, words in REQUIRED.items():
        assert sandbox.errors({path: value}) == [f"The {words} field is required."]


BROKEN = [
    ("products", "Router", "The products must be an array."),
    ("products", [], "The products field is required."),
    ("products.0.name", 7, "The products.0.name must be a string."),
    ("products.0.productId", 7, "The products.0.product id must be a string."),
    (
        "products.0.productId",
        "x" * 26,
        "The products.0.product id must not be greater than 25 characters.",
    ),
    ("products.0.quantity", "one", "The products.0.quantity must be a number."),
    ("products.0.quantity", True, "The products.0.quantity must be a number."),
    ("products.0.quantity", "1_0", "The products.0.quantity must be a number."),
    ("products.0.rate", [40], "The products.0.rate must be a number."),
    ("products.0.rate", 1e300, "The products.0.rate must be a number."),
    ("products.0.discount", "none", "The products.0.discount must be a number."),
    ("products.0.tax", 20, "The selected products.0.tax is invalid."),
    ("products.0.amount", "40 kr", "The products.0.amount must be a number."),
    ("orderSummary.subTotal", "x", "The order summary.sub total must be a number."),
    ("orderSummary.totalTax", "x", "The order summary.total tax must be a number."),
    (
        "orderSummary.totalDiscount",
        "x",
        "The order summary.total discount must be a number.",
    ),
    ("orderSummary.grandTotal", "x", "The order summary.grand total must be a number."),
    (
        "orderDate",
        "02 Aug, 2023",
        "The order date must be a Unix timestamp in seconds.",
    ),
    (
        "orderDate",
        "1755150488000",
        "The order date must be a Unix timestamp in seconds.",
    ),
    ("referenceNo", 12, "The reference no must be a string."),
    ("customerReference", 12, "The customer reference must be a string."),
    ("invoiceInterval", 3, "The selected invoice interval is invalid."),
    ("separateInvoices", "yes", "The separate invoices field must be true or false."),
    (
        "invoiceFeeApplicable",
        2,
        "The invoice fee applicable field must be true or false.",
    ),
    ("invoiceMaturity", "soon", "The invoice maturity must be a number."),
    (
        "settings",
        {"secureDetails": "x"},
        "The settings.secure details field must be true or false.",
    ),
    ("orderFrom", "DAMP", "The selected order from is invalid."),
    (
        "customerDetails.type",
        "person",
        "The selected customer details.type is invalid.",
    ),
    (
        "customerDetails.countryCode",
        47,
        "The customer details.country code must be a string.",
    ),
    (
        "customerDetails.msisdn",
        46567468,
        "The customer details.msisdn must be a string.",
    ),
    (
        "customerDetails.email",
        "kari@",
        "The customer details.email must be a valid email address.",
    ),
    ("customerDetails.name", 7, "The customer details.name must be a string."),
    (
        "customerDetails.preferredLanguage",
        "nb",
        "The selected customer details.preferred language is invalid.",
    ),
    (
        "customerDetails.personalNumber",
        MISSING,
        "The customer details.personal number field is required"
        " when customer details.type is private.",
    ),
    (
        "customerDetails.personalNumber",
        "0181901234",
        "The customer details.personal number must be 11 digits.",
    ),
    (
        "customerDetails.personalNumber",
        "018190 2345",
        "The customer details.personal number must be 11 digits.",
    ),
    (
        "customerDetails.organizationId",
        "999 999 999",
        "The customer details.organization id format is invalid.",
    ),
    (
        "customerDetails.address.street",
        14,
        "The customer details.address.street must be a string.",
    ),
    (
        "customerDetails.address.zip",
        7030,
        "The customer details.address.zip must be a string.",
    ),
    (
        "customerDetails.address.city",
        1,
        "The customer details.address.city must be a string.",
    ),
    (
        "customerDetails.address.country",
        "Norway",
        "The customer details.address.country"
        " must be a valid ISO Alpha-2 country code.",
    ),
    (
        "customerDetails.address.country",
        "XK",
        "The customer details.address.country"
        " must be a valid ISO Alpha-2 country code.",
    ),
    (
        "callback.callbackUrl",
        "/frontpay/callback",
        "The callback.callback url must be a valid URL.",
    ),
    ("callback.success", "ftp://x.no/", "The callback.success must be a valid URL."),
    ("callback.failure", "http://x.no:x/", "The callback.failure must be a valid URL."),
]


@pytest.mark.parametrize(
    ("path", "value", "sentence"), BROKEN, ids=[f"{p}={v!r}" for p, v, _s in BROKEN]
)
def test_a_broken_rule_is_named(sandbox, path, value, sentence):
    assert sandbox.errors({path: value}) == [sentence]
    assert sandbox.door("GET", "orders").json() == []


def test_a_field_of_the_wrong_type_fails_each_of_its_rules(sandbox):
    assert sandbox.errors({"products.0.tax": "abc"}) == [
        "The products.0.tax must be a number.",
        "The selected products.0.tax is invalid.",
    ]


def test_a_company_needs_its_organisation_number(sandbox):
    assert sandbox.errors({**COMPANY, "customerDetails.organizationId": ""}) == [
        "The customer details.organization id field is required"
        " when customer details.type is corporate."
    ]


def test_an_update_must_name_an_order_and_the_partner(sandbox):
    uuid = sandbox.new_order()
    assert sandbox.errors({"fpgoUuid": uuid}) == [
        "The order from field is required when fpgo uuid is present."
    ]
    assert sandbox.errors({"fpgoUuid": "ODR1", "orderFrom": "PARTNER"}) == [
        "The selected fpgo uuid is invalid."
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


FITTING = {
    "numbers as texts": {"products.0.rate": "40.00", "products.0.amount": "4e1"},
    "numbers as numbers": {"products.0.tax": 0, "orderSummary.grandTotal": 40.0},
    "no optional field": {
        "products.0.productId": MISSING,
        "products.0.discount": MISSING,
        "referenceNo": MISSING,
        "customerReference": MISSING,
        "invoiceInterval": MISSING,
        "separateInvoices": MISSING,
        "invoiceMaturity": MISSING,
        "customerDetails.preferredLanguage": MISSING,
        "customerDetails.organizationId": MISSING,
    },
    "an id of 25 characters": {"products.0.productId": "x" * 25},
    "products as an object": {"products": {"0": EXAMPLE["products"][0]}},
    "fields nobody knows": {"color": "blue"},
    "booleans as digits": {"separateInvoices": 0, "invoiceFeeApplicable": "1"},
    "a foreign customer": {**COMPANY, "customerDetails.address.country": "SE"},
}


@pytest.mark.parametrize("changes", FITTING.values(), ids=FITTING)
def test_what_the_rules_allow_is_taken(sandbox, changes):
    assert sandbox.submit(changes).status_code == 201


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'"x"', b"NaN", b"\xff", b"[" * 5000 + b"]" * 5000]
)
def test_a_body_that_is_no_order_lacks_every_field(sandbox, body):
    answer = sandbox.api("POST", "invoice/submit", data=body)
    assert answer.status_code == 417
    assert answer.json()["errors"][0] == "The products field is required."


def test_nothing_is_nested_deeper_than_an_order_can_be(sandbox):
    assert sandbox.submit({"color": json.loads("[" * 10 + "]" * 10)}).status_code == 201
    assert sandbox.submit({"color": json.loads("[" * 50 + "]" * 50)}).status_code == 417


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
PATHS = [*REQUIRED, "settings", "fpgoUuid", "orderFrom", "customerDetails", "callback"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted(PATHS)), JSON, min_size=1, max_size=1))
def test_whatever_stands_in_a_field_the_answer_is_an_order_or_a_list(changes):
    client = create_app(Settings(callbacks=False, rate_limit=10**6)).test_client()
    answer = client.post(
        "/api/v1/connect/orders/invoice/submit",
        data=json.dumps(order_with(changes)),
        headers={"Authorization": "Bearer sandbox-token"},
    )
    assert answer.status_code in (201, 417)
    if answer.status_code == 201:
        page = client.get(f"/orders/{answer.json['data']['orderId']}")
        assert page.status_code == 200
