import copy
from decimal import Decimal
from pathlib import Path

import requests

from odoo.tests import BaseCase, tagged

from odoo.addons.frontpay_odoo.connect import rules
from odoo.addons.frontpay_odoo.connect.channels import CHANNELS

from .common import API_TOKEN, SandboxCase, golden

GOLDEN = Path(__file__).parent / "golden"
GOOD = {
    "session": ("session_private", "session_corporate"),
    "regular": ("regular_private",),
    "invoice": ("invoice_private", "invoice_corporate"),
    "efaktura": ("efaktura_private",),
    "ehf": ("ehf_corporate",),
    "payment_link": ("payment_link_private", "payment_link_corporate"),
}
# What the pages require, of a private customer and of a corporate one; ``p`` stands for
# the products' fields and so on.
PREFIXES = {
    "p": "products.0",
    "s": "orderSummary",
    "c": "customerDetails",
    "a": "customerDetails.address",
    "b": "sendOrderBy",
    "k": "callback",
}
ALWAYS = """
    products p.name p.quantity p.rate p.tax p.amount
    orderSummary s.subTotal s.totalTax s.totalDiscount s.grandTotal orderDate
    customerDetails c.countryCode c.msisdn c.email c.name
    customerDetails.address a.street a.zip a.city a.country callback k.callbackUrl
"""
REQUIRED = {
    "session_private": "c.type c.personalNumber invoiceFeeApplicable k.success"
    " k.failure",
    "session_corporate": "c.type c.organizationId invoiceFeeApplicable k.success"
    " k.failure",
    "regular_private": "s.shippingCost dueDateForPaymentLink sendOrderBy b.sms b.email"
    " b.invoice isCreditCheckAvailable invoiceAsPaymentOption c.type"
    " c.preferredLanguage c.personalNumber submitPayment submitPayment.via k.success"
    " k.failure",
    "invoice_private": "c.type c.personalNumber invoiceFeeApplicable",
    "invoice_corporate": "c.type c.organizationId invoiceFeeApplicable",
    "efaktura_private": "c.personalNumber invoiceFeeApplicable",
    "ehf_corporate": "c.organizationId invoiceFeeApplicable",
    "payment_link_private": "sendOrderBy b.sms b.email c.type",
    "payment_link_corporate": "sendOrderBy b.sms b.email c.type c.organizationId",
}
# We always send all three addresses; the older page knows of two (question 24).
CHOSEN = {("regular_private", "callback.callbackUrl")}
# What else asks for a field: a channel, changes to its first good document, the field.
CONDITIONS = (
    ("session", {"fpgoUuid": "ODR1"}, "orderFrom"),
    (
        "regular",
        {"customerDetails.type": "corporate"},
        "customerDetails.organizationId",
    ),
)
# A path, a value that no channel with that path takes, what the rule is called, and
# whether the documentation says so itself; without that, it is our own choice where the
# documentation leaves one (section 24).
WRONG = (
    ("products", {"0": {}}, "list", False),
    ("products", [], "required", True),
    ("products.0.name", 7, "string", True),
    ("products.0.productId", "X" * 26, "at most 25 characters", True),
    ("products.0.quantity", "two", "whole", True),
    ("products.0.quantity", 2.5, "whole", False),
    ("products.0.quantity", 0, "whole", False),
    ("products.0.rate", "1.123,75", "amount", True),
    ("products.0.rate", True, "amount", True),
    ("products.0.rate", 1123.755, "amount", False),
    ("products.0.rate", float("inf"), "amount", False),
    ("products.0.discount", "none", "amount", True),
    ("products.0.discount", -1, "amount", False),
    ("products.0.tax", 20, "in the agreement's rates", True),
    ("products.0.tax", "25 %", "in the agreement's rates", True),
    ("products.0.amount", [1], "amount", True),
    ("products.1.amount", "1e3", "amount", False),
    ("orderSummary", "1466.45", "object", True),
    ("orderSummary.subTotal", "1 197.00", "amount", True),
    ("orderSummary.totalTax", "269,45", "amount", True),
    ("orderSummary.totalDiscount", "-", "amount", True),
    ("orderSummary.grandTotal", "NOK 1466.45", "amount", True),
    ("orderSummary.shippingCost", "free", "amount", True),
    ("orderDate", 1754346600, "string", True),
    ("orderDate", "2025-08-05", r"like .+", True),
    ("orderDate", "5 Aug, 2025", r"like .+", True),
    ("dueDateForPaymentLink", 1755295199, "string", True),
    ("dueDateForPaymentLink", "15 Aug, 2025", r"like .+", False),
    ("sendOrderBy", True, "object", True),
    ("sendOrderBy.sms", "no", "boolean", True),
    ("sendOrderBy.email", "yes", "boolean", True),
    ("sendOrderBy.invoice", "maybe", "boolean", True),
    ("isCreditCheckAvailable", "no", "boolean", True),
    ("invoiceAsPaymentOption", "no", "boolean", True),
    ("customerDetails", "Kari", "object", True),
    ("customerDetails.type", "person", "one of private, corporate", True),
    ("customerDetails.countryCode", 47, "string", True),
    ("customerDetails.countryCode", "47", r"like .+", False),
    ("customerDetails.msisdn", 46567468, "string", True),
    ("customerDetails.msisdn", "465 67 468", r"like .+", False),
    ("customerDetails.email", "kari@", "email", True),
    ("customerDetails.email", "kari@example.com, ola@example.com", "email", True),
    ("customerDetails.name", ["Kari"], "string", True),
    ("customerDetails.preferredLanguage", "nb", "one of en, no, sv, da, de", True),
    ("customerDetails.personalNumber", "178584 10193", r"like .+", True),
    ("customerDetails.personalNumber", "1785841019", r"like .+", True),
    ("customerDetails.organizationId", "310 000 019", r"like .+", True),
    ("customerDetails.organizationId", 310000019, "string", True),
    ("customerDetails.address", "Prøvegata 14", "object", True),
    ("customerDetails.address.street", 14, "string", True),
    ("customerDetails.address.zip", 7030, "string", True),
    ("customerDetails.address.city", ["Oslo"], "string", True),
    ("customerDetails.address.country", "XK", "country", True),
    ("customerDetails.address.country", "Norway", "country", True),
    ("customerDetails.address.country", "no", "country", False),
    ("referenceNo", 4711, "string", True),
    ("customerReference", 4711, "string", True),
    ("invoiceReferences", "PO 4711", "object", True),
    ("invoiceReferences.referenceNo", 4711, "string", True),
    ("invoiceReferences.customerReference", 4711, "string", True),
    ("internalReferences", "PO 4711", "object", True),
    ("internalReferences.referenceNo", 4711, "string", True),
    ("submitPayment", "invoice", "object", True),
    ("submitPayment.via", "card", "one of invoice", True),
    ("submitPayment.currency", "EUR", "one of NOK", False),
    ("invoiceInterval", 3, "one of 0, 1, 2", True),
    ("invoiceInterval", "daily", "number", True),
    ("separateInvoices", "yes", "boolean", True),
    ("invoiceFeeApplicable", "yes", "boolean", True),
    ("invoiceMaturity", "ten days", "number", True),
    ("settings", True, "object", False),
    ("settings.secureDetails", "yes", "boolean", True),
    ("secureDetails", "yes", "boolean", True),
    ("fpgoUuid", 4711, "string", True),
    ("orderFrom", "DAMP", "one of PARTNER", True),
    ("callback", "https://odoo.example.com/", "object", True),
    ("callback.callbackUrl", "odoo.example.com/frontpay", "address", True),
    ("callback.callbackUrl", "https://odoo.example.com/?db=odoo", "address", False),
    ("callback.success", 7, "address", True),
    ("callback.failure", True, "address", True),
    ("callback.success", "success", "address", False),
    ("callback.success", "http://odoo.example.com/success", "address", False),
    ("callback.failure", "ftp://odoo.example.com/failure", "address", False),
)
# Changes after which the amounts no longer belong together.
WRONG_SUMS = (
    (
        {"products.0.rate": 1123.74},
        ("products.0.amount", "quantity × rate − discount"),
    ),
    (
        {"products.1.discount": 0.01},
        ("products.1.amount", "quantity × rate − discount"),
    ),
    (
        {"products.0.rate": 1123.74, "products.0.amount": 1123.74},
        ("orderSummary.grandTotal", "sum of the amounts"),
    ),
    (
        {"orderSummary.totalTax": "269.44"},
        (
            "orderSummary.subTotal",
            "subTotal + totalTax − totalDiscount = grandTotal",
        ),
    ),
)


def changed(document, changes):
    """A copy of a document with other values; None takes a field out."""
    document = copy.deepcopy(document)
    for path, value in changes.items():
        *parents, name = path.split(".")
        place = document
        for parent in parents:
            place = place[int(parent) if isinstance(place, list) else parent]
        if value is None:
            del place[name]
        else:
            place[name] = value
    return document


def rows():
    """(channel, name of a good document, path, wrong value, rule, documented) of every
    row of the table in every channel that lists its path."""
    for channel, names in GOOD.items():
        for path, value, rule, is_documented in WRONG:
            if general(path) not in _listed(channel):
                continue
            for name in names:
                if _has_place(golden(name), path):
                    yield channel, name, path, value, rule, is_documented


@tagged("post_install", "-at_install", "frontpay")
class TestRules(BaseCase):
    def test_good_documents_break_no_rule(self):
        for channel, names in GOOD.items():
            for name in names:
                with self.subTest(name):
                    self.assertEqual(rules.broken(channel, golden(name)), [])

    def test_no_invoice_that_was_ever_mapped_breaks_a_rule(self):
        names = {path.stem for path in GOLDEN.glob("*.json")}
        for name in sorted(names - {name for names in GOOD.values() for name in names}):
            with self.subTest(name):
                self.assertEqual(rules.broken("session", golden(name)), [])

    def test_what_the_pages_require_must_be_there_and_nothing_else(self):
        for channel, names in GOOD.items():
            for name in names:
                document = golden(name)
                for path in _paths(document):
                    with self.subTest(name, path=path):
                        found = rules.broken(channel, changed(document, {path: None}))
                        is_told = (path, "required") in found
                        self.assertEqual(is_told, path in required_in(name))

    def test_an_empty_value_counts_as_left_out(self):
        for value in ("", "  ", [], {}):
            with self.subTest(value):
                document = changed(golden("session_private"), {"orderDate": value})
                found = rules.broken("session", document)
                self.assertEqual(found, [("orderDate", "required")])

    def test_wrong_values_are_found_at_their_place(self):
        for channel, name, path, value, rule, _documented in rows():
            with self.subTest(name, path=path, value=value):
                found = dict(
                    rules.broken(channel, changed(golden(name), {path: value}))
                )
                self.assertRegex(found.get(path, ""), f"^{rule}$")

    def test_every_rule_of_every_channel_is_broken_here(self):
        broken = {(channel, general(path)) for channel, _name, path, *_rest in rows()}
        for channel in CHANNELS:
            with self.subTest(channel):
                paths = {path for name, path in broken if name == channel}
                self.assertEqual(paths, _listed(channel))

    def test_what_is_found_quotes_no_value(self):
        for channel, name, path, value, _rule, _documented in rows():
            if len(str(value)) < 8:
                continue
            with self.subTest(name, path=path, value=value):
                found = rules.broken(channel, changed(golden(name), {path: value}))
                self.assertNotIn(str(value), str(found))

    def test_amounts_that_dont_belong_together_are_found(self):
        for changes, expected in WRONG_SUMS:
            for channel, names in GOOD.items():
                with self.subTest(channel, **changes):
                    document = changed(golden(names[0]), changes)
                    self.assertIn(expected, rules.broken(channel, document))

    def test_the_companys_agreement_says_which_rates_there_are(self):
        document = changed(golden("session_private"), {"products.0.tax": 11.11})
        self.assertEqual(
            rules.broken("session", document),
            [("products.0.tax", "in the agreement's rates")],
        )
        rates = {Decimal("11.11"), Decimal(15)}
        self.assertEqual(rules.broken("session", document, rates), [])

    def test_the_payment_links_due_date_is_required_with_daily_invoices_only(self):
        for interval, is_required in ((0, True), (1, False), (2, False)):
            with self.subTest(interval):
                document = changed(
                    golden("regular_private"),
                    {"invoiceInterval": interval, "dueDateForPaymentLink": None},
                )
                self.assertEqual(bool(rules.broken("regular", document)), is_required)

    def test_a_field_may_be_required_because_of_another_one(self):
        for channel, changes, path in CONDITIONS:
            with self.subTest(channel, path=path):
                document = golden(GOOD[channel][0])
                self.assertNotIn((path, "required"), rules.broken(channel, document))
                document = changed(document, changes)
                self.assertIn((path, "required"), rules.broken(channel, document))

    def test_an_update_says_where_it_comes_from(self):
        update = {"fpgoUuid": "ODR1", "orderFrom": "PARTNER"}
        document = golden("session_private") | update
        self.assertEqual(rules.broken("session", document), [])

    def test_what_is_no_document_at_all_is_found(self):
        for document in ({}, {"products": [None]}, {"products": ["Router"]}):
            with self.subTest(document):
                found = rules.broken("session", document)
                self.assertIn(("orderDate", "required"), found)


@tagged("post_install", "-at_install", "frontpay")
class TestRulesAtTheSandbox(SandboxCase):
    """Two who read the same documentation, on their own, agree."""

    def test_the_sandbox_refuses_what_the_documentation_forbids(self):
        for channel, name, path, value, _rule, is_documented in rows():
            if not is_documented:
                continue
            with self.subTest(name, path=path, value=value):
                document = changed(golden(name), {path: value})
                self.assertEqual(self._status(channel, document), 417)

    def test_the_sandbox_requires_what_the_pages_require(self):
        for channel, names in GOOD.items():
            for name in names:
                for path in required_in(name):
                    if (name, path) in CHOSEN:
                        continue
                    with self.subTest(name, path=path):
                        document = changed(golden(name), {path: None})
                        self.assertEqual(self._status(channel, document), 417)

    def test_the_sandbox_asks_a_company_for_its_number_on_the_older_page(self):
        document = changed(
            golden("regular_private"), {"customerDetails.type": "corporate"}
        )
        self.assertEqual(self._status("regular", document), 417)

    def test_the_older_page_takes_no_company(self):
        """Unlike the newer ones, it wants a personal number whoever the customer is."""
        document = changed(
            golden("regular_private"),
            {
                "customerDetails.type": "corporate",
                "customerDetails.organizationId": "310000019",
                "customerDetails.personalNumber": None,
            },
        )
        self.assertEqual(
            rules.broken("regular", document),
            [("customerDetails.personalNumber", "required")],
        )
        self.assertEqual(self._status("regular", document), 417)

    def _status(self, channel, document):
        answer = requests.post(
            f"{self.sandbox.url}/api/v1/{CHANNELS[channel].endpoint.path}",
            json=document,
            headers={"Authorization": f"Bearer {API_TOKEN}"},
            timeout=10,
        )
        return answer.status_code


def _listed(channel):
    return {rule.path for rule in rules.RULES[channel]}


def general(path):
    """The path with a ``*`` for the number of a product."""
    return path.replace(".0", ".*").replace(".1", ".*")


def _has_place(document, path):
    """Whether the document has a place where the field stands, or would stand."""
    parent = path.rpartition(".")[0]
    return not parent or any(
        value for _place, value in rules.places(document, general(parent))
    )


def required_in(name):
    """The paths that the table names for a good document."""
    return {
        f"{PREFIXES[prefix]}.{field}" if prefix in PREFIXES else path
        for path in f"{ALWAYS} {REQUIRED[name]}".split()
        for prefix, _dot, field in [path.partition(".")]
    }


def _paths(value, path=""):
    """The paths of all fields of a document, of the first item for a list."""
    if isinstance(value, list):
        yield from _paths(value[0], f"{path}.0")
        return
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        place = f"{path}.{name}".removeprefix(".")
        yield place
        yield from _paths(item, place)
