"""Sandbox strictness: totals that are not right are refused, and said how."""

# Two lines, 25 % and 15 %, one with a discount: all the sums are right.
RIGHT = {
    "products": [
        {
            "name": "Consulting",
            "quantity": 12,
            "rate": 1250,
            "discount": 0,
            "tax": 25,
            "amount": 15000,
        },
        {
            "name": "Coffee",
            "quantity": "6",
            "rate": "229.00",
            "discount": 74,
            "tax": "15",
            "amount": 1300,
        },
    ],
    "orderSummary": {
        "subTotal": "13194.78",
        "totalTax": "3179.22",
        "totalDiscount": "74.00",
        "grandTotal": "16300.00",
    },
}

WRONG = {
    "amount": (
        {"products.0.amount": 15000.01, "orderSummary.grandTotal": "16300.01"},
        "The products.0.amount must be quantity x rate - discount:"
        " expected 15000.00, received 15000.01.",
    ),
    "sum of amounts": (
        {"orderSummary.grandTotal": "16300.01", "orderSummary.subTotal": "13194.79"},
        "The order summary.grand total must be the sum of the products' amounts:"
        " expected 16300.00, received 16300.01.",
    ),
    "summary": (
        {"orderSummary.subTotal": "13194.79"},
        "The order summary.grand total must be sub total + total tax - total discount:"
        " expected 16300.01, received 16300.00.",
    ),
    "discount": (
        {"orderSummary.totalDiscount": "0", "orderSummary.subTotal": "13120.78"},
        "The order summary.total discount must be the sum of the products' discounts:"
        " expected 74.00, received 0.",
    ),
    "vat": (
        {"orderSummary.totalTax": "3179.47", "orderSummary.subTotal": "13194.53"},
        "The order summary.total tax must be the VAT inside the products' rates:"
        " expected 3179.22, received 3179.47.",
    ),
    "decimals of a rate": (
        {"products.1.rate": 229.001},
        "The products.1.rate must not have more than two decimals.",
    ),
    "decimals of a total": (
        {"orderSummary.totalTax": "3179.217"},
        "The order summary.total tax must not have more than two decimals.",
    ),
}


def test_right_sums_are_taken(sandbox):
    assert sandbox.submit(RIGHT).status_code == 201


def test_wrong_sums_are_refused(sandbox):
    for changes, sentence in WRONG.values():
        assert sentence in sandbox.errors({**RIGHT, **changes})


def test_sums_are_exact_where_floats_are_not(sandbox):
    product = {"name": "Pin", "quantity": 1, "tax": 0, "discount": 0}
    rates = [0.1, 0.2, 0.7]
    sandbox.new_order(
        {
            "products": [{**product, "rate": rate, "amount": rate} for rate in rates],
            "orderSummary": {
                "subTotal": 1,
                "totalTax": 0,
                "totalDiscount": 0,
                "grandTotal": "1.00",
            },
        }
    )


def test_each_product_may_round_its_vat_by_a_cent(sandbox):
    taken = {"orderSummary.totalTax": "3179.23", "orderSummary.subTotal": "13194.77"}
    assert sandbox.submit({**RIGHT, **taken}).status_code == 201


def test_sums_are_looked_at_only_when_the_rules_hold(sandbox):
    changes = {"orderSummary.subTotal": "1", "customerDetails.name": ""}
    assert sandbox.errors({**RIGHT, **changes}) == [
        "The customer details.name field is required."
    ]
