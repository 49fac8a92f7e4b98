"""Sandbox strictness: do the sums of an order add up?

Whether the real server recomputes or cross-checks anything is unknown (section 24,
question 29 of the API reference). The sandbox is strict on purpose: an order that adds
up here is right whichever way the real server answers that question. Nothing is known
of sentences either, these are ours.

Looked at only when every documented rule holds, so all values are numbers here.
"""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from .payload import number, rows
from .rules import field_words

CENT = Decimal("0.01")
HALF_CENT = Decimal("0.005")

PRODUCT_MONEY = ("rate", "discount", "amount")
SUMMARY_MONEY = ("subTotal", "totalTax", "totalDiscount", "grandTotal")


def money(value: object) -> Decimal:
    """NOK as Decimal; an optional field that is absent counts as 0."""
    return number(value) or Decimal(0)


def check_sums(payload: dict) -> list[str]:
    """The sentences for every sum of ``payload`` that is not right (section 3.4)."""
    products = list(rows(payload["products"]))
    summary = payload["orderSummary"]
    return [
        *_check_decimals(products, summary),
        *_check_products(products),
        *_check_summary([product for _key, product in products], summary),
    ]


def _check_decimals(products: list, summary: dict) -> Iterator[str]:
    values = [(f"orderSummary.{name}", summary[name]) for name in SUMMARY_MONEY]
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


def _check_summary(products: list, summary: dict) -> Iterator[str]:
    total = {name: money(summary[name]) for name in SUMMARY_MONEY}
    expected = sum(money(product["amount"]) for product in products)
    if expected != total["grandTotal"]:
        yield _differs(
            "orderSummary.grandTotal",
            "the sum of the products' amounts",
            expected,
            summary["grandTotal"],
        )
    expected = total["subTotal"] + total["totalTax"] - total["totalDiscount"]
    if expected != total["grandTotal"]:
        yield _differs(
            "orderSummary.grandTotal",
            "sub total + total tax - total discount",
            expected,
            summary["grandTotal"],
        )
    expected = sum(money(product.get("discount")) for product in products)
    if expected != total["totalDiscount"]:
        yield _differs(
            "orderSummary.totalDiscount",
            "the sum of the products' discounts",
            expected,
            summary["totalDiscount"],
        )
    expected = sum(_vat_inside(product) for product in products)
    if abs(expected - total["totalTax"]) > CENT * len(products):
        yield _differs(
            "orderSummary.totalTax",
            "the VAT inside the products' rates",
            expected,
            summary["totalTax"],
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
