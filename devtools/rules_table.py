"""Writes down the documented rules, with the places where each is checked and broken.

``python -m devtools.rules_table DOCUMENT [--fix]`` in the project's folder, with Odoo
and its configuration at hand. Without ``--fix`` it ends with 1 if the document isn't
what the code says.

The addon and the sandbox don't know each other; only here their rules meet. A rule
without its counterpart, without a place in the mapping or without a test that breaks
it raises :class:`ValueError`.
"""
# ruff: noqa: E402

import argparse
import json
import sys
from operator import attrgetter
from pathlib import Path

import odoo.tools

odoo.tools.config.parse_config(["--no-http"], setup_logging=False)

# Only now the addons can be found.
from odoo.addons import frontpay_odoo as addon
from odoo.addons.frontpay_odoo.connect import channels, rules
from odoo.addons.frontpay_odoo.tests import test_channels, test_preflight, test_rules

from sandbox import arithmetic
from sandbox import rules as sandbox_rules
from sandbox.tests import test_arithmetic
from sandbox.tests import test_rules as sandbox_tests

TOP = """\
====================================
The rules and where each is checked
====================================

.. Written by devtools/rules_table.py; ./dev lint --fix writes it anew.

What Front Payment's documentation asks of an order is checked three times, by code
that was written independently:

1. **Pre-flight** (``frontpay_odoo/mapping/``): reads the invoice and tells the
   bookkeeper what to mend, before anything is sent. For what nobody could mend, because
   the addon itself writes it, the tables say *written by*.
2. **Rule table** (``frontpay_odoo/connect/rules.py``): the last look at the JSON right
   before it is sent. What it finds is a fault of the addon; nothing is sent.
3. **Sandbox** (``sandbox/rules.py``; ``python -m sandbox.rules`` prints its rules):
   refuses what breaks a rule, as Front Payment would.

Sections (§) are those of the API reference that the project was written from; 24.x is
question x of its list of open questions.

Every rule is broken by a test:

* *Broken with* are the rows of ``frontpay_odoo/tests/test_rules.py``. The rule table
  must find each of them at its place
  (``test_wrong_values_are_found_at_their_place``,
  ``test_what_the_pages_require_must_be_there_and_nothing_else``), and the sandbox,
  given the same document directly, must refuse it
  (``test_the_sandbox_refuses_what_the_documentation_forbids``,
  ``test_the_sandbox_requires_what_the_pages_require``). The addon
  alone forbids those after *ours alone*, where the documentation leaves a choice.
* Behind each rule of the *sandbox* stands the value by which
  ``sandbox/tests/test_rules.py`` breaks it (``test_a_broken_rule_is_named``;
  ``test_there_is_a_case_for_every_rule_of_every_channel``).
* Behind *pre-flight* stands the test in ``frontpay_odoo/tests/``.

.. contents:: In this file
   :local:
   :depth: 1
"""
SUMS = """\
Nobody knows whether Front Payment computes anything anew (§ 24.29). The rule table
looks at these sums when every field is right
(``test_amounts_that_dont_belong_together_are_found``), the sandbox
(``sandbox/arithmetic.py``, ``sandbox/tests/test_arithmetic.py``) at more: it adds up
the discounts, counts decimals and holds the VAT against the rates.

That real invoices come out right is shown by ``frontpay_odoo/tests/test_amounts.py``
with made-up ones, and by the documents in ``frontpay_odoo/tests/golden/``, whose README
lists them.
"""
NOT_SENT = """\
Older pages or the demo system know them; the sandbox looks at them where somebody sends
them. That the addon sends none is checked by
``test_no_document_has_a_field_that_the_pages_dont_list``.
"""
PARTS = {
    "products": "Products",
    "orderSummary": "Totals",
    "customerDetails": "Customer",
    "callback": "Addresses",
    "": "The order as a whole",
}
REQUIREMENTS = {True: "required", False: "optional"}
KINDS = {
    "string": "text",
    "boolean": "true or false",
    "object": "object",
    "list": "list",
    "number": "number",
    "amount": "amount in NOK, not negative, two decimals at most",
    "whole": "whole number above 0",
    "tax": "a VAT rate of the agreement, 0, 12, 15 or 25",
    "email": "one e-mail address",
    "country": "ISO 3166 alpha-2 code",
    "address": "absolute address without query, https or on this machine",
}
# What in mapping/ tells the bookkeeper, the test that makes it tell, and the fields.
PREFLIGHT = (
    (
        ("invoice.INVOICE_RULES",),
        "test_an_invoice_with_nothing_to_pay",
        "products orderSummary.grandTotal",
    ),
    (
        ("invoice.INVOICE_RULES",),
        "test_an_invoice_in_another_currency",
        "submitPayment.currency",
    ),
    (
        ("lines._Line.tax_problems",),
        "test_taxes_that_front_payment_does_not_know",
        "products.*.tax",
    ),
    (
        ("lines._too_much_problem",),
        "test_negative_lines_that_are_more_than_there_is_of_their_vat",
        "products.*.amount",
    ),
    (
        ("lines._rounded_vat", "lines._wrong_vat"),
        "test_a_rounding_that_changes_the_vat",
        "orderSummary.totalTax",
    ),
    (
        ("invoice._channel_problems",),
        "test_a_channel_that_doesnt_reach_the_customer_names_those_that_do",
        "customerDetails.type",
    ),
    (
        ("customer._CustomerReader.phone",),
        "test_a_phone_number_of_no_country",
        "customerDetails.countryCode",
    ),
    (
        ("customer._CustomerReader.phone",),
        "test_what_the_customer_lacks",
        "customerDetails.msisdn",
    ),
    (
        ("customer._CustomerReader.email",),
        "test_what_the_customer_lacks",
        "customerDetails.email",
    ),
    (
        ("customer._CustomerReader.name",),
        "test_a_customer_without_a_name",
        "customerDetails.name",
    ),
    (
        ("customer._CustomerReader.personal_number",),
        "test_a_personal_number_that_is_none",
        "customerDetails.personalNumber",
    ),
    (
        ("customer._CustomerReader.organization_id",),
        "test_a_company_with_a_wrong_number",
        "customerDetails.organizationId",
    ),
    (
        ("customer._CustomerReader.address",),
        "test_what_the_customer_lacks",
        "customerDetails.address customerDetails.address.street"
        " customerDetails.address.zip customerDetails.address.city",
    ),
    (
        ("customer._CustomerReader.address",),
        "test_a_country_that_is_none_of_isos",
        "customerDetails.address.country",
    ),
    (
        ("invoice._public_url_problems",),
        "test_addresses_at_which_front_payment_could_not_reach_odoo",
        "callback.callbackUrl callback.success callback.failure",
    ),
)
# What in the addon writes the other fields, so that nobody has to mend them; without
# a name, the channel's own function does. A field may be that of one channel.
WRITTEN_BY = (
    ("lines._Line.name", "products.*.name"),
    (
        "lines._Line.product",
        "products.*.quantity products.*.rate products.*.discount",
    ),
    ("lines._Line.totals", "orderSummary.subTotal"),
    ("lines.products_of", "orderSummary.totalDiscount"),
    ("customer.customer_of", "customerDetails.preferredLanguage"),
    (
        "invoice._terms",
        "invoiceInterval separateInvoices invoiceFeeApplicable invoiceMaturity",
    ),
    ("channels._product", "products.*.productId"),
    ("channels._summary", "orderSummary"),
    ("channels._printed_day", "regular:orderDate"),
    ("channels._timestamp", "orderDate"),
    ("channels._end_of_last_day", "dueDateForPaymentLink"),
    ("channels._details", "customerDetails"),
    (
        "channels._references",
        "referenceNo customerReference invoiceReferences"
        " invoiceReferences.referenceNo invoiceReferences.customerReference",
    ),
    ("channels._callback", "callback"),
    (
        "",
        "orderSummary.shippingCost sendOrderBy sendOrderBy.sms sendOrderBy.email"
        " sendOrderBy.invoice isCreditCheckAvailable invoiceAsPaymentOption"
        " internalReferences internalReferences.referenceNo submitPayment"
        " submitPayment.via settings settings.secureDetails secureDetails",
    ),
    ("channels.updating", "fpgoUuid orderFrom"),
)
# Why the sandbox doesn't ask for what the addon asks for.
DIFFERENCES = {
    ("regular", "callback.callbackUrl"): (
        "The older page knows no such address; the addon always sends one (24.24)."
    ),
    ("regular", "submitPayment.currency"): (
        "In the page's example, in none of its rules; the addon sends NOK (3.3)."
    ),
}
BY_ITS_FIELDS = "by the fields in it"
# The addon's sums: the sandbox's check, and the row of its tests that breaks it.
SANDBOX_SUMS = {
    "products.*.amount": ("_check_products", "amount"),
    "orderSummary.grandTotal": ("_check_summary", "sum of amounts"),
    "orderSummary.subTotal": ("_check_summary", "summary"),
}


def document():
    """The whole document.

    :raises ValueError: a rule has no counterpart, no place or no test
    """
    return "\n".join([TOP, *_channels(), *_parts(), *_sums(), *_not_sent()])


def _channels():
    yield _heading("Channels")
    yield _table(
        ("Channel", 20),
        ("Endpoint", 50),
        ("For", 30),
        rows=[
            (
                _code(name),
                _code(f"POST {channel.endpoint.path}"),
                ", ".join(channel.customer_types),
            )
            for name, channel in channels.CHANNELS.items()
        ],
    )


def _parts():
    paths = dict.fromkeys(rule.path for table in rules.RULES.values() for rule in table)
    for part, title in PARTS.items():
        yield _heading(title)
        yield _table(
            ("Field", 20),
            ("Channels", 10),
            ("Rule", 20),
            ("Pre-flight", 18),
            ("Broken with", 14),
            ("Sandbox, broken with", 18),
            rows=[
                row for path in paths if _part_of(path) == part for row in _rows(path)
            ],
        )


def _part_of(path):
    part = path.partition(".")[0]
    return part if part in PARTS else ""


def _rows(path):
    """The rows of a field: channels that say the same of it share one."""
    names = {}
    for channel, table in rules.RULES.items():
        for rule in table:
            if rule.path == path:
                cells = (
                    _rule_cell(rule),
                    _preflight_cell(channel, path),
                    _broken_cell(channel, rule),
                    _sandbox_cell(channel, rule),
                )
                names.setdefault(cells, []).append(channel)
    for cells, channel_names in names.items():
        is_all = len(channel_names) == len(rules.RULES)
        yield (_code(path), "all" if is_all else _codes(channel_names), *cells)


def _rule_cell(rule):
    parts = [_requirement(rule.required), KINDS[rule.kind]]
    if rule.allowed:
        parts.append(f"one of {_codes(rule.allowed)}")
    if rule.pattern:
        parts.append(f"like {_code(rule.pattern)}")
    if rule.length:
        parts.append(f"at most {rule.length} characters")
    return f"{', '.join(parts)} (§ {rule.source})"


def _requirement(required):
    if not isinstance(required, rules.When):
        return REQUIREMENTS[required]
    if required.value is None:
        return f"required with {_code(required.path)}"
    return f"required where {_code(required.path)} is {_code(required.value)}"


def _preflight_cell(channel, path):
    for places, test, paths in PREFLIGHT:
        if path in paths.split():
            tests = (test_preflight.TestPreflight, test_channels.TestChannels)
            if not any(hasattr(test_class, test) for test_class in tests):
                raise ValueError(f"There is no {test}.")
            return f"{_codes(map(_existing, places))}; {_code(test)}"
    own = f"channels.{channels.CHANNELS[channel].to_json.__name__}"
    for place, paths in WRITTEN_BY:
        if {path, f"{channel}:{path}"} & set(paths.split()):
            place = place or own
            return f"written by {_code(_existing(place))}"
    raise ValueError(f"Where in the addon is {path} looked at?")


def _existing(place):
    """A place in the addon, such as ``lines.products_of``.

    :raises AttributeError: it is no more
    """
    package = addon.connect if place.startswith("channels.") else addon.mapping
    attrgetter(place)(package)
    return place


def _broken_cell(channel, rule):
    path = rule.path
    documented, own = [], []
    if (channel, path.replace("*", "0")) in _left_out():
        documented.append("left out")
    elif rule.required:
        raise ValueError(f"No test leaves {path} of {channel} out.")
    for row_channel, _name, row_path, value, _rule, is_documented in test_rules.rows():
        if row_channel == channel and test_rules.general(row_path) == path:
            values = documented if is_documented else own
            values.append(_value(value))
    told = ", ".join(dict.fromkeys(documented))
    if own:
        told = f"{told}; ours alone: {', '.join(dict.fromkeys(own))}".lstrip("; ")
    return told


def _left_out():
    """(channel, path) of whatever the addon's tests miss when it is left out."""
    for channel, names in test_rules.GOOD.items():
        for name in names:
            yield from ((channel, path) for path in test_rules.required_in(name))
    yield from ((channel, path) for channel, _changes, path in test_rules.CONDITIONS)


def _sandbox_cell(channel, rule):
    endpoint = channels.CHANNELS[channel].endpoint.path
    table = sandbox_rules.RULES[endpoint]
    difference = DIFFERENCES.get((channel, rule.path), "")
    field = table.get(rule.path)
    if not field:
        if any(path.startswith(f"{rule.path}.") for path in table):
            return BY_ITS_FIELDS
        if not difference:
            raise ValueError(f"The sandbox has no rule for {rule.path} of {channel}.")
        return difference
    is_asked_for = field.rules.startswith("required")
    if bool(rule.required) != is_asked_for and not difference:
        raise ValueError(f"Who asks for {rule.path} of {channel}?")
    told = _sandbox_rules(endpoint, rule.path, field)
    return f"{told}. {difference}" if difference else told


def _sandbox_rules(endpoint, path, field):
    """Every rule of a field and the value by which the sandbox's tests break it."""
    broken = sandbox_tests.BROKEN[endpoint.removeprefix("connect/orders/")]
    values = broken[path.replace("*", "0")]
    told = "; ".join(
        f"{_code(rule)}: {_value(values[rule])}" for rule in field.rules.split("|")
    )
    # Before the section of the field's object stands that of the endpoint.
    return f"{told} (§ {field.source.rpartition(', ')[2]})"


def _sums():
    rows = []
    broken = {test_rules.general(path) for _, (path, _) in test_rules.WRONG_SUMS}
    for path, name, source, _agrees in rules.SUMS:
        check, test = SANDBOX_SUMS[path]
        if path not in broken:
            raise ValueError(f"No test breaks the sum of {path}.")
        attrgetter(check)(arithmetic)
        _changes, sentence = test_arithmetic.WRONG[test]
        rows.append((_code(path), f"{name} (§ {source})", _code(check), sentence))
    yield _heading("Sums")
    yield SUMS
    yield _table(
        ("Amount", 20),
        ("Rule", 30),
        ("Sandbox", 15),
        ("What it says when broken", 35),
        rows=rows,
    )


def _not_sent():
    """Rules of the sandbox for what the addon never writes."""
    rows = []
    for channel, table in rules.RULES.items():
        endpoint = channels.CHANNELS[channel].endpoint.path
        ours = {rule.path for rule in table}
        rows += [
            (
                _code(path),
                _code(channel),
                _sandbox_rules(endpoint, path, field),
            )
            for path, field in sandbox_rules.RULES[endpoint].items()
            if path not in ours
        ]
    yield _heading("Fields that the addon doesn't send")
    yield NOT_SENT
    yield _table(
        ("Field", 35), ("Channel", 15), ("Sandbox, broken with", 50), rows=rows
    )


def _heading(title):
    return f"\n{title}\n{'=' * len(title)}\n"


def _table(*columns, rows):
    """A list-table: one cell a line, so that a change shows where it is."""
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        f"   :widths: {' '.join(str(width) for _title, width in columns)}",
        "",
    ]
    for first, *others in [[title for title, _width in columns], *rows]:
        lines.append(f"   * - {first}")
        lines += [f"     - {cell}" for cell in others]
    return "\n".join([*lines, ""])


def _value(value):
    if value is sandbox_tests.MISSING:
        return "left out"
    return _code(json.dumps(value, ensure_ascii=False))


def _codes(values):
    return ", ".join(map(_code, values))


def _code(text):
    return f"``{text}``"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("document", type=Path)
    parser.add_argument("--fix", action="store_true", help="write it anew")
    arguments = parser.parse_args()
    text = document()
    path = arguments.document
    if path.exists() and path.read_text() == text:
        return
    if not arguments.fix:
        sys.exit(f"{path}: out of date; ./dev lint --fix writes it anew")
    path.write_text(text)


if __name__ == "__main__":
    main()
