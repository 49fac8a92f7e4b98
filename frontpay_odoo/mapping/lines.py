"""Invoice lines become products, to the øre.

The amounts are Odoo's own rounded ones (``_get_rounded_base_and_tax_lines``), so they
hold with rounding per line and with global rounding, taxes included or not.
"""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from functools import reduce

from odoo.tools import formatLang

from ..connect.order import Product, Summary
from ..connect.refund import DoesNotFit, OrderLine, allocated
from .negative_lines import (
    amounts,
    decimal,
    percentage,
    with_one_tax_per_rate,
    without_negative_lines,
)
from .problem import Problem
from .remedy import settings_remedy

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
# States of a credit note's refund in which the order is less, or is about to be.
LOWERING_STATES = ("sending", "refunded")
HUNDRED = Decimal(100)
# A negative rounding lies on lines with VAT (see negative_lines) and takes less than a
# krone, of which a fifth is VAT at 25 %. Each line adds the øre of its own rounding.
VAT_TOLERANCE = Decimal("0.20")


def products_of(move):
    """The invoice's products and totals.

    :param move: a posted customer invoice
    :return: (tuple of Product, Summary, list of :class:`Problem`); with problems, the
        rest is of no use
    """
    lines, problems = _lines_of(move)
    notes = lowering_notes(move)
    if notes and not problems:
        lines, problems = _lowered(move, lines, notes)
    products = tuple(line.product() for line in lines)
    summary = _summary(lines, products)
    problems = (
        problems
        or _rounded_vat(move)
        or _difference(move, lines, notes)
        or _wrong_vat(move, products, summary)
    )
    return products, summary, problems


def _lines_of(move):
    """The lines of an invoice or credit note on their way to products.

    :return: (list of lines, list of :class:`Problem`)
    """
    sound, problems = _checked_taxes(move, _base_lines(move))
    visible = _without_hidden_lines(move, with_one_tax_per_rate(sound))
    base_lines, too_much = without_negative_lines(visible, move.company_id)
    if too_much:
        problems.append(_too_much_problem(move, too_much))
    return [_Line(move, base_line) for base_line in base_lines], problems


def _base_lines(move):
    """Odoo's rounded amounts, in the order of the invoice."""
    # For all invoices of the batch at once: Odoo's method would ask for each of them.
    taxes = move.line_ids.mapped("tax_ids")
    taxes.invoice_repartition_line_ids.mapped("factor_percent")
    move.line_ids.mapped("tax_tag_ids")
    base_lines, _tax_lines = move._get_rounded_base_and_tax_lines()
    return sorted(base_lines, key=_position)


def _position(base_line):
    line = base_line["record"]
    return line.display_type != "product", line.sequence, line.id


def _checked_taxes(move, base_lines):
    """Tell the lines whose VAT can be sent from the problems of the others.

    :return: (list of base lines, list of :class:`Problem`)
    """
    sound, problems = [], []
    for base_line in base_lines:
        if message := _Line(move, base_line).tax_problem():
            problems.append(Problem(move, message))
        else:
            sound.append(base_line)
    return sound, problems


def _summary(lines, products):
    totals = [
        line.totals(product) for line, product in zip(lines, products, strict=True)
    ]
    return Summary(
        sub_total=sum((sub_total for sub_total, _vat in totals), ZERO),
        total_tax=sum((vat for _sub_total, vat in totals), ZERO),
        total_discount=sum((product.discount for product in products), ZERO),
        grand_total=sum((product.amount for product in products), ZERO),
    )


# === WHAT WAS CREDITED BEFORE THE CUSTOMER CONFIRMED === #


def lowering_notes(move):
    """The credit notes of an invoice by which its order is less."""
    return move.reversal_move_ids.filtered(
        lambda note: (
            note.state == "posted"
            and note.sudo().frontpay_refund_id.effect == "update"
            and note.sudo().frontpay_refund_id.state in LOWERING_STATES
        )
    )


def _lowered(move, lines, notes):
    """The lines that are left of an invoice.

    :return: (list of lines, list of :class:`Problem`)
    """
    vat = sum(line.vat for line in lines)
    for note in notes:
        credited, problems = _lines_of(note)
        if problems:
            return lines, problems
        products = [line.product() for line in credited]
        try:
            taken = allocated(products, _order_lines(lines), {})
        except DoesNotFit:
            return lines, [_unfitting_problem(move, note)]
        for position, amount in taken.items():
            lines[position].lower(amount)
        vat -= sum(line.vat for line in credited)
    lines = [line for line in lines if line.amount]
    # What rounding makes of each part is Odoo's own in all.
    largest = max(lines, key=lambda line: line.amount, default=None)
    if largest:
        difference = vat - sum(line.vat for line in lines)
        largest.vat += difference
        largest.sub_total -= difference
    return lines, []


def _order_lines(lines):
    products = [line.product() for line in lines]
    return [
        OrderLine(position, each.name, each.product_id, each.tax, each.amount)
        for position, each in enumerate(products)
    ]


def _unfitting_problem(move, note):
    message = move.env._(
        "%(note)s credits more at one of its VAT rates than %(invoice)s has. Correct"
        " the lines of the credit note.",
        note=note.display_name,
        invoice=move.display_name,
    )
    return Problem(note, message)


# === WHAT ODOO HIDES ON THE INVOICE === #


def _without_hidden_lines(move, base_lines):
    """Make one line per VAT rate of each section whose composition or prices Odoo
    doesn't print (*Hide Composition*, *Hide Prices*)."""
    if not any(map(_hides, move.line_ids)):
        return base_lines
    groups = defaultdict(list)
    for line in base_lines:
        section = _hiding_section(line["record"])
        groups[section, percentage(line) if section else line["record"]].append(line)
    return [
        _as_one_line(move, section, lines) if section else lines[0]
        for (section, _rate), lines in groups.items()
    ]


def _hiding_section(line):
    """The outermost section around an invoice line that hides something."""
    sections = line.parent_id.parent_id + line.parent_id
    return sections.filtered(_hides)[:1]


def _hides(line):
    return line.collapse_composition or line.collapse_prices


def _as_one_line(move, section, base_lines):
    """One piece at the amounts of several lines, where the first of them stood."""
    merge = move.env["account.tax"]._merge_tax_details
    details = reduce(merge, (line["tax_details"] for line in base_lines))
    return base_lines[0] | {
        "product_id": move.env["product.product"],
        "price_unit": details["raw_total_excluded_currency"],
        "quantity": 1.0,
        "discount": 0.0,
        "tax_details": details,
        "_name": _section_name(move, section, base_lines),
    }


def _section_name(move, section, base_lines):
    """The section's own text; where only the prices are hidden, with its lines."""
    name = _one_line(section.name)
    if section.collapse_composition:
        return name
    parts = dict.fromkeys(_name_in_section(move, line) for line in base_lines)
    return f"{name}: {', '.join(parts)}"


def _name_in_section(move, base_line):
    """What is printed of a line without its price: its quantity and its text, or the
    text of the subsection that hides it."""
    parent = base_line["record"].parent_id
    if parent.collapse_composition:
        return _one_line(parent.name)
    line = _Line(move, base_line)
    if line.quantity == 1:
        return line.name()
    return f"{_plain(line.env, line.quantity)} × {line.name()}"


def _one_line(text):
    parts = (part.strip() for part in (text or "").splitlines())
    return ", ".join(filter(None, parts))


# === PROBLEMS === #


def _too_much_problem(move, base_lines):
    lines = [_Line(move, base_line) for base_line in base_lines]
    message = move.env._(
        "%(lines)s of %(invoice)s: these negative lines (%(amount)s) are more than the"
        " other lines with the same VAT. Front Payment takes no negative amounts:"
        " correct the VAT of these lines, or make a credit note.",
        lines=", ".join(f"“{line.name()}”" for line in lines),
        invoice=move.name,
        amount=_money(move, sum(line.amount for line in lines)),
    )
    return Problem(move, message)


def _difference(move, lines, notes):
    """What differs between the lines and the invoice, less its credit notes: a last
    look, nothing should."""
    total = decimal(move.amount_total - sum(notes.mapped("amount_total")))
    tax = decimal(move.amount_tax - sum(notes.mapped("amount_tax")))
    found = sum((line.amount for line in lines), ZERO)
    if found == total and sum(line.vat for line in lines) == tax:
        return []
    message = move.env._(
        "The lines of %(invoice)s add up to %(sum)s, but its total is %(total)s. Reset"
        " it to draft, correct the lines and post it again.",
        invoice=move.name,
        sum=_money(move, found),
        total=_money(move, total),
    )
    return [Problem(move, message)]


def _rounded_vat(move):
    """Odoo's cash rounding “Modify tax amount”, where it changed anything."""
    if not any(
        line.display_type == "rounding" and line.tax_repartition_line_id
        for line in move.line_ids
    ):
        return []
    message = move.env._(
        "The cash rounding “%(rounding)s” changes the VAT of %(invoice)s, which would"
        " no longer be that of its rates. Reset it to draft and choose a cash rounding"
        " that adds a rounding line, or none.",
        rounding=move.invoice_cash_rounding_id.name,
        invoice=move.name,
    )
    return [Problem(move, message)]


def _wrong_vat(move, products, summary):
    """VAT that isn't that of the rates: entered by hand, by a large rounding, or by
    that of very many lines that are one product.

    Front Payment may compute it anew (section 24, question 29).
    """
    by_rates = sum(
        product.rate * product.quantity * product.tax / (HUNDRED + product.tax)
        for product in products
    )
    tolerance = VAT_TOLERANCE + CENT * len(products)
    if abs(by_rates - summary.total_tax) <= tolerance:
        return []
    message = move.env._(
        "The VAT of %(invoice)s is %(vat)s, but by the rates of its lines it would be"
        " %(expected)s. Reset it to draft, leave the VAT as Odoo computes it, round to"
        " whole kroner at most, and hide fewer lines below one section.",
        invoice=move.name,
        vat=_money(move, summary.total_tax),
        expected=_money(move, by_rates),
    )
    return [Problem(move, message)]


def _rounded(amount):
    return amount.quantize(CENT, ROUND_HALF_UP)


def _money(move, amount):
    return formatLang(move.env, float(amount), currency_obj=move.currency_id)


def _plain(env, number):
    """A number in the environment's language, with the decimals that it has."""
    exponent = number.normalize().as_tuple().exponent
    return formatLang(env, float(number), digits=max(0, -exponent))


class _Line:
    """One base line of Odoo's tax computation on its way to a product."""

    def __init__(self, move, base_line):
        self.move = move
        # What the customer reads is in the customer's language.
        self.env = move.with_context(lang=move.partner_id.lang or move.env.lang).env
        self.record = base_line["record"]
        self.product_record = base_line["product_id"]
        self.own_name = base_line.get("_name")
        self.is_lowered = False
        self.is_rounding = self.record.display_type == "rounding"
        self.unit_price = Decimal(str(base_line["price_unit"]))
        self.discount_percent = Decimal(str(base_line["discount"]))
        self.quantity = Decimal(str(base_line["quantity"]))
        self.sub_total, self.vat = amounts(base_line)
        self.amount = self.sub_total + self.vat
        self.taxes = base_line["tax_ids"]
        self.tax = percentage(base_line)
        self.reductions = base_line.get("_reductions", ())

    def product(self):
        """The line as a product whose quantity, rate, discount and amount agree."""
        return self._with_discount() or self._with_rate() or self._as_one()

    def lower(self, amount):
        """Take off what was credited of it.

        Whole pieces are fewer then, at the same price; else it is one at what is left.
        """
        left = self.amount - amount
        pieces = left * self.quantity / self.amount
        self.is_lowered = pieces != int(pieces)
        self.quantity = Decimal(1) if self.is_lowered else pieces
        self.amount = left
        self.vat = _rounded(left * self.tax / (HUNDRED + self.tax))
        self.sub_total = left - self.vat

    def totals(self, product):
        """What the line adds to ``subTotal`` and ``totalTax`` (section 3.4).

        Odoo's own amounts; with a discount, the vendor's formula, which takes both
        from the price before the discount.
        """
        if not product.discount:
            return self.sub_total, self.vat
        full = product.rate * product.quantity
        sub_total = _rounded(full * HUNDRED / (HUNDRED + self.tax))
        return sub_total, full - sub_total

    def _with_discount(self):
        """Rate before discount and the discount with VAT (mode ``line``).

        What negative lines took off isn't a discount: its VAT must go with it.
        """
        if self.move.company_id.frontpay_discount_mode != "line" or self.reductions:
            return None
        if not self.discount_percent or not self._is_countable() or self.is_lowered:
            return None
        rate = self.unit_price
        if not self.taxes.price_include:
            rate = rate * (HUNDRED + self.tax) / HUNDRED
        rate = _rounded(rate)
        full = rate * self.quantity
        if full < self.amount:
            return None
        return self._product(self.name(), self.quantity, rate, full - self.amount)

    def _with_rate(self):
        """Quantity and rate as on the invoice, where they give the amount exactly."""
        if not self._is_countable():
            return None
        rate = _rounded(self.amount / self.quantity)
        if rate * self.quantity != self.amount:
            return None
        return self._product(self.name(*self._remarks()), self.quantity, rate)

    def _as_one(self):
        """One piece at the line's amount; the name tells what it really is."""
        name = self.name(self._quantity_text(), *self._remarks())
        return self._product(name, Decimal(1), self.amount)

    def _is_countable(self):
        return self.quantity > 0 and self.quantity == int(self.quantity)

    def _product(self, name, quantity, rate, discount=ZERO):
        product = self.product_record
        return Product(
            name=name,
            quantity=quantity,
            rate=rate,
            tax=self.tax,
            amount=self.amount,
            discount=discount,
            product_id=product.default_code or product.barcode or "",
        )

    def name(self, *remarks):
        """What the customer reads: the line's text, and remarks in parentheses."""
        remarks = ", ".join(filter(None, remarks))
        name = self.own_name or self._text() or self._substitute()
        return f"{name} ({remarks})" if remarks else name

    def _text(self):
        product = self.record.product_id
        text = self.record.name or product.display_name or ""
        return _one_line(text.removeprefix(f"[{product.default_code}] "))

    def _substitute(self):
        if self.is_rounding:
            return self.env._("Rounding")
        return self.move.name

    def _remarks(self):
        return self._discount_text(), self._reduction_text()

    def _discount_text(self):
        if not self.discount_percent:
            return ""
        return self.env._("%s %% discount", _plain(self.env, self.discount_percent))

    def _reduction_text(self):
        if not self.reductions:
            return ""
        # Each is a part of a negative line, which is its record.
        lines = [_Line(self.move, part["record"]) for part in self.reductions]
        reduced = sum(sum(amounts(part)) for part in self.reductions)
        return self.env._(
            "less %(amount)s: %(lines)s",
            amount=formatLang(self.env, -float(reduced)),
            lines=", ".join(dict.fromkeys(line.name() for line in lines)),
        )

    def _quantity_text(self):
        if self.is_rounding or self.is_lowered:
            return ""
        unit = self.record.with_env(self.env).product_uom_id.name
        return self.env._(
            "%(quantity)s at %(price)s",
            quantity=" ".join(filter(None, (_plain(self.env, self.quantity), unit))),
            price=formatLang(self.env, float(self.unit_price), dp="Product Price"),
        )

    def tax_problem(self):
        """What is wrong with the line's VAT, for the user; None if nothing is."""
        names = {"line": self.name(), "invoice": self.move.name}
        if not self._has_one_percentage():
            return self.move.env._(
                "“%(line)s” of %(invoice)s has the taxes %(taxes)s. Front Payment"
                " takes exactly one VAT rate in percent: choose one tax.",
                **names,
                taxes=", ".join(self.taxes.flatten_taxes_hierarchy().mapped("name")),
            )
        if self.tax not in self.move.company_id._frontpay_tax_rates():
            company = self.move.company_id
            return self.move.env._(
                "“%(line)s” of %(invoice)s has %(rate)s %% VAT. Front Payment"
                " takes %(rates)s %%: choose another tax. If your agreement has the"
                " rate: %(remedy)s",
                **names,
                rate=_plain(self.move.env, self.tax),
                rates=company.frontpay_tax_rates,
                remedy=settings_remedy(company, "frontpay_tax_rates"),
            )
        return None

    def _has_one_percentage(self):
        return len(self.taxes) < 2 and all(
            tax.amount_type == "percent" and not tax.has_negative_factor
            for tax in self.taxes
        )
