"""Sandbox strictness: do the totals of an order add up?

Whether the real server recomputes or cross-checks anything is unknown (section 24,
question 29 of the API reference). The sandbox is strict on purpose: an order that adds
up here is right whichever way the real server answers that question. Nothing is known
of sentences either, these are ours.

``shippingCost``, which only ``regular/submit`` knows, is taken for a part of the total
that is no product.

Looked at only when every documented rule holds, so all values are numbers here.
"""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from .payload import number, rows
from .rules import RULES, field_words

CENT = Decimal("0.01")
HALF_CENT = Decimal("0.005")
# What the VAT may differ from that of the rates, besides an øre a product: a negative
# rounding to whole kroner is a part of lines with VAT, and so are the øre of negative
# lines that were taken off others.
VAT_TOLERANCE = Decimal("0.20")

PRODUCT_MONEY = ("rate", "discount", "amount")
SUMMARY = "orderSummary"


def money(value: object) -> Decimal:
    """NOK as Decimal; an optional field that is absent counts as 0."""
    return number(value) or Decimal(0)


def check_totals(endpoint: str, payload: dict) -> list[str]:
    """The sentences for every sum of ``payload`` that is not right (section 3.4)."""
    products = list(rows(payload["products"]))
    summary = {
        name: money(payload[SUMMARY][name])
        for parent, _dot, name in (path.partition(".") for path in RULES[endpoint])
        if parent == SUMMARY
    }
    return [
        *_check_decimals(products, summary),
        *_check_products(products),
        *_check_summary([product for _key, product in products], summary),
    ]


def check_refund(payload: dict) -> Iterator[str]:
    """The sentences for what is not right in the sums of a refund."""
    lines = list(rows(payload["products"]))
    amounts = [(f"products.{key}.amount", line["amount"]) for key, line in lines]
    for field, value in [("grandTotal", payload["grandTotal"]), *amounts]:
        amount = money(value)
        if amount <= 0 or amount != amount.quantize(CENT):
            yield (
                f"The {field_words(field)} must be above 0, with at most two decimals."
            )
    expected = sum(money(value) for _field, value in amounts)
    if expected != money(payload["grandTotal"]):
        yield _differs(
            "grandTotal",
            "the sum of the products' amounts",
            expected,
            payload["grandTotal"],
        )


def _check_decimals(products: list, summary: dict[str, Decimal]) -> Iterator[str]:
    values = [(f"{SUMMARY}.{name}", amount) for name, amount in summary.items()]
    for key, product in products:
        values += [(f"products.{key}.{n}", product.get(n)) for n in PRODUCT_MONEY]
    for field, value in values:
        amount = money(value)
        if amount != amount.quantize(CENT):
            yield f"The {field_words(field)} must not have more than two decimals."


def _check_products(products: list) -> Iterator[str]:
    for key, product in products:
        expected = _gross(product) - money(product.get("discount"))
        if abs(expected - money(product["amount"])) > HALF_CENT:
            yield _differs(
                f"products.{key}.amount",
                "quantity x rate - discount",
                expected,
                product["amount"],
            )


def _check_summary(products: list, total: dict[str, Decimal]) -> Iterator[str]:
    shipping = total.get("shippingCost", Decimal(0))
    expected = sum(money(product["amount"]) for product in products) + shipping
    if expected != total["grandTotal"]:
        yield _differs(
            "orderSummary.grandTotal",
            "the sum of the products' amounts",
            expected,
            total["grandTotal"],
        )
    expected = total["subTotal"] + total["totalTax"] - total["totalDiscount"] + shipping
    if expected != total["grandTotal"]:
        yield _differs(
            "orderSummary.grandTotal",
            "sub total + total tax - total discount",
            expected,
            total["grandTotal"],
        )
    expected = sum(money(product.get("discount")) for product in products)
    if expected != total["totalDiscount"]:
        yield _differs(
            "orderSummary.totalDiscount",
            "the sum of the products' discounts",
            expected,
            total["totalDiscount"],
        )
    expected = sum(_vat_inside(product) for product in products)
    if abs(expected - total["totalTax"]) > VAT_TOLERANCE + CENT * len(products):
        yield _differs(
            "orderSummary.totalTax",
            "the VAT inside the products' rates",
            expected,
            total["totalTax"],
        )


def _gross(product: dict) -> Decimal:
    return money(product["quantity"]) * money(product["rate"])


def _vat_inside(product: dict) -> Decimal:
    tax = money(product["tax"])
    return _gross(product) * tax / (100 + tax)


def _differs(field: str, what: str, expected: Decimal, received: object) -> str:
    expected = expected.quantize(CENT, ROUND_HALF_UP)
    return (
        f"The {field_words(field)} must be {what}: "
        f"expected {expected}, received {money(received)}."
    )
