"""A part of an invoice, by amount: what a credit note over it says."""

from odoo import Command
from odoo.tools import groupby


def part_lines(move, amount, name):
    """Lines over a part of an invoice: one for each set of taxes, in the invoice's own
    proportions.

    Odoo rounds each line's VAT, so their total may miss the amount by some øre, see
    :func:`missing_amount`.

    :param move: one ``account.move``
    :param float amount: with VAT, in the invoice's currency
    :param str name: what each line says
    :return: list of line values
    """
    groups = [
        (taxes, move.invoice_line_ids.browse([line.id for line in lines]))
        for taxes, lines in groupby(
            move.invoice_line_ids.filtered(lambda line: line.display_type == "product"),
            lambda line: line.tax_ids,
        )
    ]
    currency, left, lines = move.currency_id, amount, []
    for position, (taxes, group) in enumerate(groups, start=1):
        total = sum(group.mapped("price_total"))
        part = currency.round(amount * total / move.amount_total)
        if position == len(groups):
            part = left
        left = currency.round(left - part)
        if currency.is_zero(part):
            continue
        main = group.sorted(lambda line: abs(line.price_total))[-1]
        lines.append(
            {
                "name": name,
                "account_id": main.account_id.id,
                "analytic_distribution": main.analytic_distribution,
                "quantity": 1,
                "price_unit": _price(taxes, group, part, total),
                "tax_ids": [Command.set(taxes.ids)],
            }
        )
    return lines


def _price(taxes, group, part, total):
    """The unit price by which a line's total is nearest to its part."""
    if all(tax.price_include for tax in taxes):
        return part
    net = sum(group.mapped("price_subtotal"))
    return group.currency_id.round(part * net / total)


def missing_amount(note, amount):
    """What rounding took off a draft, and the tax line that can bear it.

    :param note: one ``account.move``, a draft
    :param float amount: what its total should be
    :return: (amount, ``account.move.line``)
    """
    missing = note.currency_id.round(amount - note.amount_total)
    taxes = note.line_ids.filtered(lambda line: line.display_type == "tax")
    return missing, taxes.sorted(lambda line: abs(line.balance))[-1:]
