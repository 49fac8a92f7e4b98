"""A refund as plain data, its JSON, and the refusals that mean something of their own.

All amounts are NOK with two decimals (section 3.3 of the API reference).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

# By what a part of a refund is put on a line of the order, the surest first: a line of
# another VAT rate is never taken.
KEYS = (
    ("product_id", "name", "tax"),
    ("name", "tax"),
    ("product_id", "tax"),
    ("tax",),
)
# The refund is beyond a limit; asking for approval can help (section 12b).
NEEDS_APPROVAL = (
    "refundRejectionForWeeklyThresholdExceed",
    "refundRejectionForRequestAmountThresholdExceed",
)
# Front Payment has the very same already (section 2).
ALREADY_THERE = (
    "orderRefundRequestAlreadySubmitted",
    "ambiguousRequestExistsWithSameParameters",
)


@dataclass(frozen=True)
class OrderLine:
    """A line of an order by its details (section 15).

    :param id: what a refund names it by; None where Front Payment doesn't tell it
    :param amount: of the whole line, VAT included
    """

    id: int | None
    name: str
    product_id: str
    tax: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Refund:
    """What is paid back, or taken off a claim.

    :param type: ``invoiced`` if the order was invoiced, else ``regular``
    :param lines: what each line of the order gets of it, by the line's id
    """

    type: str
    amount: Decimal
    lines: dict[int, Decimal]


class DoesNotFit(Exception):
    """The products of a refund can't be put on the lines of the order."""


def allocated(products, lines, used):
    """Put what is credited on the lines of the order.

    :param products: :class:`connect.order.Product` that are credited
    :param lines: list of :class:`OrderLine`, each with an id
    :param dict used: {line's id: what was refunded of it before}
    :return: {line's id: amount}, which adds up to the products' amounts
    :raises DoesNotFit: the order has not so much left at those VAT rates
    """
    room = {line.id: line.amount - used.get(line.id, Decimal(0)) for line in lines}
    amount = sum(product.amount for product in products)
    if amount == sum(room.values()):  # all that is left
        return {line_id: left for line_id, left in room.items() if left}
    missing = [product.amount for product in products]
    found: dict[int, Decimal] = {}
    for names in KEYS:
        for position, product in enumerate(products):
            for line in lines:
                if _key(line, names) != _key(product, names):
                    continue
                part = min(missing[position], room[line.id])
                if part > 0:
                    missing[position] -= part
                    room[line.id] -= part
                    found[line.id] = found.get(line.id, Decimal(0)) + part
    if any(missing):
        raise DoesNotFit
    return found


def _key(record, names):
    return [getattr(record, name) for name in names]


def refund_json(refund):
    """Write a refund for *Refund Order* (section 12).

    :return: what is posted, ready for ``json.dumps``
    """
    return {
        "type": refund.type,
        "grandTotal": float(refund.amount),
        "products": [
            {"id": line_id, "amount": float(amount)}
            for line_id, amount in refund.lines.items()
        ],
    }


def approval_json(refund, code):
    """Write a refund for *Request Refund Approval* (section 12b).

    :param str code: by which it was refused, exactly
    """
    return refund_json(refund) | {"message": code}


def code_of(sentences: Iterable[str]) -> str:
    """The code of a refusal without its parameter, which follows ``:`` or ``#``."""
    for sentence in sentences:
        code = sentence.partition(":")[0].partition("#")[0].strip()
        if code.isalnum():
            return code
    return ""
