"""Negative lines are taken off the positive ones that they belong to.

Front Payment takes no negative lines (section 3.4 leaves them open, so none are sent).
Returned goods lower the quantity of the same product at the same price; whatever else
is negative (coupons, down payments, the rest of a return) is distributed over the lines
of the same VAT rate in proportion to their amounts; a negative rounding over those of
one rate, with the VAT unchanged. It is done by Odoo's own helpers for that
(``_dispatch_return_of_merchandise_lines``, ``_dispatch_global_discount_lines``).
"""

from collections import defaultdict
from decimal import Decimal

from odoo.tools import float_repr, float_round

ZERO = Decimal("0.00")
SUFFIXES = ("_currency", "")


def without_negative_lines(base_lines, company):
    """Take the negative lines off the positive ones.

    :param list base_lines: rounded base lines as :func:`with_one_tax_per_rate` gives
        them
    :return: (base lines, none of them negative; negative base lines that are more than
        there is of their rate). What a line carries of negative ones stands in its
        ``_reductions``, a list of base lines. The lines received aren't changed.
    """
    if not any(sum(amounts(line)) < 0 for line in base_lines):
        return base_lines, []
    positive, negative = _signed(base_lines)
    positive, negative = _take_returns(positive, negative, company)
    _give_rounding_a_rate(positive, negative)
    too_much = _too_much(positive, negative)
    if too_much:
        return positive, too_much
    # An øre of rounding can make a small line negative: that is distributed once more.
    # Each time there is one line less.
    for _line in base_lines:
        if not negative:
            break
        positive, negative = _signed(_distributed_by_rate(positive, negative, company))
    return _in_order(positive, base_lines), negative


def with_one_tax_per_rate(base_lines):
    """Copies in which every VAT rate has one tax, and nothing is left to be added.

    Odoo's helpers tell lines apart by their taxes, not by the rate (25 % included in
    the price and 25 % on top are two), and lose a negative line's rounding difference.

    :param list base_lines: rounded base lines, each with at most one percentage tax
    :return: list of base lines
    """
    taxes = {percentage(line): line["tax_ids"] for line in base_lines}
    return [_with_tax(line, taxes[percentage(line)]) for line in base_lines]


def _with_tax(line, tax):
    details = dict(line["tax_details"])
    for suffix in SUFFIXES:
        details[f"total_excluded{suffix}"] += details[f"delta_total_excluded{suffix}"]
        details[f"delta_total_excluded{suffix}"] = 0.0
    details["taxes_data"] = [
        tax_data | {"tax": tax} for tax_data in details["taxes_data"] if tax.amount
    ]
    return line | {"tax_details": details}


def amounts(base_line):
    """Return a base line's amount without VAT and its VAT, in NOK as Odoo rounded it.

    :rtype: (Decimal, Decimal)
    """
    details = base_line["tax_details"]
    sub_total = decimal(details["total_excluded_currency"])
    sub_total += decimal(details["delta_total_excluded_currency"])
    vat = (decimal(tax["tax_amount_currency"]) for tax in details["taxes_data"])
    return sub_total, sum(vat, ZERO)


def percentage(base_line):
    """A base line's VAT in percent.

    :rtype: Decimal
    """
    return Decimal(str(sum(base_line["tax_ids"].mapped("amount"))))


def decimal(amount):
    """An amount in NOK as Odoo rounded it."""
    return Decimal(float_repr(amount, 2))


def _signed(base_lines):
    signed = {False: [], True: []}
    for line in base_lines:
        signed[sum(amounts(line)) < 0].append(line)
    return signed[False], signed[True]


def _take_returns(positive, negative, company):
    """Lower the quantities of what was returned.

    One return at a time: with several, Odoo 19.0's helper can mix up the shares.
    """
    account_tax = company.env["account.tax"]
    digits = company.env["decimal.precision"].precision_get("Product Unit")
    left = []
    for line in negative:
        lines = account_tax._dispatch_return_of_merchandise_lines(
            [*positive, line], company
        )
        account_tax._squash_return_of_merchandise_lines(lines, company)
        if len(lines) > len(positive):
            left.append(lines.pop())
        for kept in lines:
            kept["quantity"] = float_round(kept["quantity"], precision_digits=digits)
        positive, more = _signed(line for line in lines if not _is_all_returned(line))
        left += more
    return positive, left


def _is_all_returned(line):
    returned = line["return_of_merchandise_base_lines"]
    return returned and not line["quantity"] and amounts(line) == (ZERO, ZERO)


def _give_rounding_a_rate(positive, negative):
    """A negative rounding goes where it distorts least: to lines without VAT if they
    can bear it beside the other negative ones, else to the rate with the highest sum.
    """
    models = {percentage(line): line for line in positive}
    others = [line for line in negative if not _is_rounding(line)]
    sums = _sums_by_rate([*positive, *others])
    for line in filter(_is_rounding, negative if models else ()):
        without_vat = Decimal(0) in models and sums[Decimal(0)] >= -sum(amounts(line))
        chosen = Decimal(0) if without_vat else max(models, key=sums.get)
        model = models[chosen]
        line["tax_ids"] = model["tax_ids"]
        taxes_data = model["tax_details"]["taxes_data"]
        line["tax_details"] = line["tax_details"] | {
            "taxes_data": [data | _NO_TAX for data in taxes_data]
        }


def _is_rounding(line):
    return line["special_type"] == "cash_rounding"


_NO_TAX = {
    f"{raw}{amount}_amount{suffix}": 0.0
    for raw in ("raw_", "")
    for amount in ("base", "tax")
    for suffix in SUFFIXES
}


def _too_much(positive, negative):
    """The negative lines of those rates that come out below zero."""
    sums = _sums_by_rate([*positive, *negative])
    return [line for line in negative if sums[percentage(line)] < 0]


def _sums_by_rate(base_lines):
    sums = defaultdict(Decimal)
    for line in base_lines:
        sums[percentage(line)] += sum(amounts(line))
    return sums


def _distributed_by_rate(positive, negative, company):
    """Distribute the negative lines over the positive ones of their rates.

    The highest amounts come first: for any other order, Odoo 19.0's helper mixes up
    the shares of VAT.
    """
    account_tax = company.env["account.tax"]
    highest_first = sorted(
        positive,
        key=lambda line: line["tax_details"]["raw_total_excluded_currency"],
        reverse=True,
    )
    discounts = [line | {"special_type": "global_discount"} for line in negative]
    lines = account_tax._dispatch_global_discount_lines(
        [*highest_first, *discounts], company
    )
    account_tax._squash_global_discount_lines(lines, company)
    for line in lines:
        line["_reductions"] = [
            *line.get("_reductions", ()),
            *line["discount_base_lines"],
        ]
    return lines


def _in_order(base_lines, model):
    positions = {line["record"]: number for number, line in enumerate(model)}
    return sorted(base_lines, key=lambda line: positions[line["record"]])
