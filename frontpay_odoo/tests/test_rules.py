import copy
import re
from decimal import Decimal
from pathlib import Path

from odoo.tests import BaseCase, tagged

from odoo.addons.frontpay_odoo.connect import rules

from .common import golden

GOLDEN = Path(__file__).parent / "golden"
GOOD = {
    "session": ("session_private", "session_corporate"),
    "regular": ("regular_private",),
    "invoice": ("invoice_private", "invoice_corporate"),
    "efaktura": ("efaktura_private",),
    "ehf": ("ehf_corporate",),
    "payment_link": ("payment_link_private", "payment_link_corporate"),
}
# What the rules of each field are called, and a value that breaks each of them in every
# channel that has the field. None: left out.
REQUIRED = {"required": None}
STRING = {"string": 7}
BOOLEAN = {"boolean": "yes"}
NUMBER = {"number": "ten"}
AMOUNT = {"amount": -1}
OBJECT = {"object": "text"}
URL = {"url": "success"}
WRONG = {
    "products": REQUIRED | {"list": {"0": {}}},
    "products.0.name": REQUIRED | STRING,
    "products.0.productId": STRING | {"max:25": "X" * 26},
    "products.0.quantity": REQUIRED | {"positive_integer": 0},
    "products.0.rate": REQUIRED | AMOUNT,
    "products.0.discount": AMOUNT,
    "products.0.tax": REQUIRED | {"number": "25 %", "agreed_rate": 24},
    "products.1.amount": REQUIRED | AMOUNT,
    "orderSummary": REQUIRED | OBJECT,
    "orderSummary.subTotal": REQUIRED | AMOUNT,
    "orderSummary.totalTax": REQUIRED | AMOUNT,
    "orderSummary.totalDiscount": REQUIRED | AMOUNT,
    "orderSummary.grandTotal": REQUIRED | AMOUNT,
    "orderSummary.shippingCost": REQUIRED | AMOUNT,
    "orderDate": REQUIRED | STRING | {"(unix_seconds|printed_day)": "5 Aug, 2025"},
    "dueDateForPaymentLink": REQUIRED | STRING | {"unix_seconds": "5 Aug, 2025"},
    "sendOrderBy": REQUIRED | OBJECT,
    "sendOrderBy.sms": REQUIRED | BOOLEAN,
    "sendOrderBy.email": REQUIRED | BOOLEAN,
    "sendOrderBy.invoice": REQUIRED | BOOLEAN,
    "isCreditCheckAvailable": REQUIRED | BOOLEAN,
    "invoiceAsPaymentOption": BOOLEAN,
    "customerDetails": REQUIRED | OBJECT,
    "customerDetails.type": REQUIRED | STRING | {"in:private,corporate": "person"},
    "customerDetails.countryCode": REQUIRED | STRING | {"calling_code": "47"},
    "customerDetails.msisdn": REQUIRED | STRING | {"msisdn": "465 67 468"},
    "customerDetails.email": REQUIRED | {"email": "kari@"},
    "customerDetails.name": REQUIRED | STRING,
    "customerDetails.preferredLanguage": STRING | {"in:en,no,sv,da,de": "nb"},
    "customerDetails.personalNumber": STRING | {"personal_number": "178584 10193"},
    "customerDetails.organizationId": STRING | {"organization_id": "310 000 019"},
    "customerDetails.address": REQUIRED | OBJECT,
    "customerDetails.address.street": REQUIRED | STRING,
    "customerDetails.address.zip": REQUIRED | STRING,
    "customerDetails.address.city": REQUIRED | STRING,
    "customerDetails.address.country": REQUIRED | {"country": "Norway"},
    "referenceNo": STRING,
    "customerReference": STRING,
    "invoiceReferences": OBJECT,
    "invoiceReferences.referenceNo": STRING,
    "invoiceReferences.customerReference": STRING,
    "internalReferences": OBJECT,
    "internalReferences.referenceNo": STRING,
    "submitPayment": REQUIRED | OBJECT,
    "submitPayment.via": REQUIRED | STRING | {"in:invoice": "card"},
    "submitPayment.currency": STRING | {"in:NOK": "EUR"},
    "invoiceInterval": NUMBER | {"in:0,1,2": 3},
    "separateInvoices": BOOLEAN,
    "invoiceFeeApplicable": REQUIRED | BOOLEAN,
    "invoiceMaturity": NUMBER,
    "settings": OBJECT,
    "settings.secureDetails": BOOLEAN,
    "secureDetails": BOOLEAN,
    "fpgoUuid": STRING,
    "orderFrom": STRING | {"in:PARTNER": "DAMP"},
    "callback": REQUIRED | OBJECT,
    "callback.callbackUrl": REQUIRED | URL,
    "callback.success": REQUIRED | URL,
    "callback.failure": REQUIRED | URL,
}
# What else is none of a kind.
NOT_OF_KIND = {
    "positive_integer": ("two", True, 2.5, -1),
    "number": ("daily", "1e3", True, [1], float("inf")),
    "amount": ("1.123,75", "1 197.00", "1e3", True, [1], 1123.755, float("inf")),
    "email": ("kari@example.com, ola@example.com", 7),
    "country": ("XK", "no", 47),
    "url": (
        *("odoo.example.com/frontpay", "https://odoo.example.com/?db=odoo"),
        *("http://odoo.example.com/success", "ftp://odoo.example.com/failure", 7),
    ),
}
# A channel, changes to its first good document, a field, and whether it is required.
COMPANY = {"customerDetails.type": "corporate"}
CONDITIONS = (
    ("session", {}, "customerDetails.personalNumber", True),
    ("session", {}, "customerDetails.organizationId", False),
    ("session", COMPANY, "customerDetails.personalNumber", False),
    ("session", COMPANY, "customerDetails.organizationId", True),
    ("session", {}, "orderFrom", False),
    ("session", {"fpgoUuid": "ODR1"}, "orderFrom", True),
    # Of companies, too: so the older page says.
    ("regular", COMPANY, "customerDetails.personalNumber", True),
    ("regular", COMPANY, "customerDetails.organizationId", True),
    ("regular", {}, "customerDetails.preferredLanguage", True),
    ("regular", {}, "invoiceAsPaymentOption", True),
    ("regular", {"invoiceInterval": 0}, "dueDateForPaymentLink", True),
    ("regular", {"invoiceInterval": 1}, "dueDateForPaymentLink", False),
    ("regular", {"invoiceInterval": 2}, "dueDateForPaymentLink", False),
    ("efaktura", {}, "customerDetails.personalNumber", True),
    ("ehf", {}, "customerDetails.organizationId", True),
    ("payment_link", {}, "invoiceAsPaymentOption", False),
)
# Changes after which the amounts no longer belong together.
WRONG_SUMS = (
    (
        {"products.0.rate": 1123.74},
        ("products.0.amount", "quantity × rate − discount"),
    ),
    (
        {"products.0.rate": 1123.76},
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
        parent = document
        for step in parents:
            is_list = isinstance(parent, list)
            parent = parent[int(step)] if is_list else parent.setdefault(step, {})
        if value is None:
            parent.pop(name, None)
        else:
            parent[name] = value
    return document


def general(path):
    """The path with a ``*`` for the number of a product."""
    return re.sub(r"\.\d", ".*", path)


def documents():
    """(channel, a good document) of each."""
    for channel, names in GOOD.items():
        for name in names:
            yield channel, golden(name)


@tagged("post_install", "-at_install", "frontpay")
class TestRules(BaseCase):
    """That the sandbox refuses the same is shown in the project's ``tests``."""

    def test_good_documents_break_no_rule(self):
        for channel, document in documents():
            with self.subTest(channel):
                self.assertEqual(rules.violations(channel, document), [])

    def test_no_invoice_that_was_ever_mapped_breaks_a_rule(self):
        names = {path.stem for path in GOLDEN.glob("*.json")}
        for name in sorted(names - {name for names in GOOD.values() for name in names}):
            with self.subTest(name):
                self.assertEqual(rules.violations("session", golden(name)), [])

    def test_each_broken_rule_is_found_at_its_place(self):
        for channel, document in documents():
            listed = rules.RULES[channel]
            for path, broken in WRONG.items():
                if general(path) not in listed:
                    continue
                for name, value in broken.items():
                    with self.subTest(channel, path=path, value=value):
                        wrong = changed(document, {path: value})
                        found = dict(rules.violations(channel, wrong))
                        self.assertRegex(found.get(path, ""), f"^{name}$")
                        if len(str(value)) > 7:
                            self.assertNotIn(str(value), str(found))

    def test_every_rule_of_every_channel_is_broken_here(self):
        broken = {(general(path), name) for path in WRONG for name in WRONG[path]}
        broken |= {("orderDate", name) for name in ("unix_seconds", "printed_day")}
        required = {path for _, _, path, is_required in CONDITIONS if is_required}
        for channel, table in rules.RULES.items():
            for path, names in table.items():
                for name in names.split("|"):
                    with self.subTest(channel, path=path, rule=name):
                        if name.startswith("required") and path in required:
                            continue
                        self.assertIn((path, name), broken)

    def test_what_only_looks_like_its_kind_is_none(self):
        for kind, values in NOT_OF_KIND.items():
            for value in values:
                with self.subTest(kind, value=value):
                    self.assertFalse(rules.CHECKS[kind](value))

    def test_an_empty_value_counts_as_left_out(self):
        for value in ("", "  ", [], {}):
            with self.subTest(value):
                document = changed(golden("session_private"), {"orderDate": value})
                found = rules.violations("session", document)
                self.assertEqual(found, [("orderDate", "required")])

    def test_a_field_may_be_required_because_of_another_one(self):
        for channel, changes, path, is_required in CONDITIONS:
            with self.subTest(channel, path=path):
                document = golden(GOOD[channel][0])
                found = rules.violations(
                    channel, changed(document, changes | {path: None})
                )
                self.assertEqual((path, "required") in found, is_required)

    def test_amounts_that_dont_belong_together_are_found(self):
        for changes, expected in WRONG_SUMS:
            for channel, names in GOOD.items():
                with self.subTest(channel, **changes):
                    document = changed(golden(names[0]), changes)
                    self.assertIn(expected, rules.violations(channel, document))

    def test_the_companys_agreement_says_which_rates_there_are(self):
        document = changed(golden("session_private"), {"products.0.tax": 11.11})
        self.assertEqual(
            rules.violations("session", document),
            [("products.0.tax", "agreed_rate")],
        )
        rates = {Decimal("11.11"), Decimal(15)}
        self.assertEqual(rules.violations("session", document, rates), [])

    def test_an_update_says_where_it_comes_from(self):
        update = {"fpgoUuid": "ODR1", "orderFrom": "PARTNER"}
        document = golden("session_private") | update
        self.assertEqual(rules.violations("session", document), [])

    def test_what_is_no_document_at_all_is_found(self):
        for document in ({}, {"products": [None]}, {"products": ["Router"]}):
            with self.subTest(document):
                found = rules.violations("session", document)
                self.assertIn(("orderDate", "required"), found)
