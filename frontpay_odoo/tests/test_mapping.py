import re
from decimal import Decimal
from pathlib import Path

import requests

from odoo import Command
from odoo.tests import freeze_time, tagged

from odoo.addons.frontpay_odoo.connect.channels import CHANNELS
from odoo.addons.frontpay_odoo.connect.order import CallbackAddresses
from odoo.addons.frontpay_odoo.mapping import order_of

from .common import API_TOKEN, PATH_TOKEN, SandboxCase, golden

GOLDEN = Path(__file__).parent / "golden"
TODAY = "2025-08-14 05:48:08"  # as in the vendor's example
IN_TEN_DAYS = "2025-08-24"
CALLBACKS = CallbackAddresses(
    callback=f"https://odoo.example.com/frontpay/callback/{PATH_TOKEN}",
    success=f"https://odoo.example.com/frontpay/return/{PATH_TOKEN}/success",
    failure=f"https://odoo.example.com/frontpay/return/{PATH_TOKEN}/failure",
)
SUMMARY = ("subTotal", "totalTax", "totalDiscount", "grandTotal")
# The vendor writes numbers now as numbers, now as texts.
NUMBERS = {"quantity", "rate", "discount", "tax", "amount", *SUMMARY}

# What Odoo hides of the lines below a section.
NO_COMPOSITION = {"collapse_composition": True}
NO_PRICES = {"collapse_prices": True}
# Each is an invoice: its lines (as ``line()`` takes them, with the code of the product,
# the unit, and ``included`` for a tax that is part of the price), its customer, what is
# different in the company's settings, its number and reference, the decimals of its
# prices, and how its total is rounded to whole kroner.
CASES = {
    # The newer specification page's example, own names and addresses aside.
    "vendor_example": {
        "lines": [{"price": 40, "rate": 0, "code": "R_1"}],
        "settings": {"frontpay_invoice_fee": True},
        "number": "Dhaka",
        "ref": "3500",
    },
    "mixed_rates": {
        "lines": [
            {"name": "Installation", "price": 1200, "rate": 25},
            {"name": "Lunch for the installers", "price": 149, "rate": 15},
            {"name": "Bus tickets", "price": 42, "rate": 12, "quantity": 3},
            {"name": "Insurance", "price": 310.50, "rate": 0},
        ],
    },
    "tax_included": {
        "lines": [
            {"name": "Telephone", "price": 2490, "included": True},
            {"name": "Case", "price": 99.90, "included": True, "quantity": 2},
        ],
    },
    "rounded_per_line": {
        "lines": [{"name": name, "price": 10.11} for name in ("Nut", "Bolt", "Washer")],
        "settings": {"tax_calculation_rounding_method": "round_per_line"},
    },
    "rounded_globally": {
        "lines": [{"name": name, "price": 10.11} for name in ("Nut", "Bolt", "Washer")],
        "settings": {"tax_calculation_rounding_method": "round_globally"},
    },
    "three_for_a_hundred": {
        "lines": [{"name": "Lamp", "price": 33.33333, "rate": 0, "quantity": 3}],
        "decimals": 5,
    },
    "two_and_a_half_hours": {
        "lines": [
            {"name": "Support", "price": 933.33, "quantity": 2.5, "unit": "hour"}
        ],
    },
    "discount_in_the_price": {
        "lines": [
            {"name": "Subscription", "price": 499, "quantity": 12, "discount": 15}
        ],
    },
    "discount_on_the_line": {
        "lines": [
            {"name": "Subscription", "price": 499, "quantity": 12, "discount": 15},
            {"name": "Telephone", "price": 2490, "included": True, "discount": 10},
            {"name": "Router", "price": 899},
        ],
        "settings": {"frontpay_discount_mode": "line"},
    },
    "wholly_discounted_line": {
        "lines": [
            {"name": "Router", "price": 899},
            {"name": "Set-up", "price": 490, "discount": 100},
        ],
    },
    "sections_and_notes": {
        "lines": [
            {"name": "Fiber", "display_type": "line_section"},
            {"name": "Digging", "price": 4200},
            {"name": "Ducts", "display_type": "line_subsection"},
            {"name": "Splicing", "price": 1750},
            {"name": "Guaranteed for two years", "display_type": "line_note"},
        ],
    },
    "hidden_composition": {
        "lines": [
            {"name": "Fiber", "display_type": "line_section", **NO_COMPOSITION},
            {"name": "Digging", "price": 4200.10},
            {"name": "Ducts", "display_type": "line_subsection"},
            {"name": "Splicing", "price": 583.33, "quantity": 3, "discount": 10},
            {"name": "Neighbour's share", "price": -900},
            {"name": "Lunch for the installers", "price": 149, "rate": 15},
            {"name": "Equipment", "display_type": "line_section"},
            {"name": "Router", "price": 899, "code": "ROUTER", "quantity": 2},
        ],
    },
    "hidden_prices": {
        "lines": [
            {"name": "Office package", "display_type": "line_section", **NO_PRICES},
            {"name": "Router", "price": 749.17, "code": "ROUTER", "quantity": 2},
            {"name": "Cable", "price": 79, "included": True, "quantity": 2.5},
            {"name": "Lunch", "price": 149, "rate": 15},
            {
                "name": "Installation",
                "display_type": "line_subsection",
                **NO_COMPOSITION,
            },
            {"name": "Digging", "price": 420},
            {"name": "Splicing", "price": 175, "discount": 15},
        ],
    },
    "description_of_several_lines": {
        "lines": [
            {
                "name": "Fiber connection for the cabin\n"
                "  Includes digging and ducts  \n\nExcludes flower beds",
                "price": 12500,
                "code": "FIBER",
            }
        ],
    },
    "product_without_code": {
        "lines": [{"name": "Router", "code": ""}],
    },
    "overlong_code": {
        "lines": [{"name": "Router", "code": "ROUTER-WIFI-7-WHITE-EU-PLUG-2026"}],
    },
    "corporate_customer": {
        "customer": "corporate",
        "lines": [{"name": "Static IP address", "price": 59.90, "quantity": 8}],
    },
    "contact_of_a_company": {
        "customer": "contact",
        "lines": [{"name": "Hosting", "price": 3200}],
    },
    "price_of_five_decimals": {
        "lines": [
            {"name": "Electricity", "price": 0.84625, "quantity": 1234, "unit": "kwh"}
        ],
        "decimals": 5,
    },
    "rounded_up_to_whole_kroner": {
        "lines": [{"name": "Cable", "price": 79.37}],
        "rounded": "UP",
    },
    "rounded_down_to_whole_kroner": {
        "lines": [{"name": "Cable", "price": 79.30}, {"name": "Plug", "price": 12}],
        "rounded": "DOWN",
    },
    "returned_goods": {
        "lines": [
            {"name": "Router", "code": "ROUTER", "price": 899, "quantity": 5},
            {"name": "Cable", "code": "CABLE", "price": 79, "quantity": 10},
            {"name": "Router", "code": "ROUTER", "price": 899, "quantity": -2},
        ],
    },
    "coupon_and_down_payment": {
        "lines": [
            {"name": "Digging", "price": 4200},
            {"name": "Splicing", "price": 1800, "quantity": 2},
            {"name": "Lunch for the installers", "price": 149, "rate": 15},
            {"name": "Coupon SUMMER", "price": -100, "included": True},
            {"name": "Down payment", "price": -2000},
            {"name": "Lunch paid in advance", "price": -49, "rate": 15},
        ],
    },
    "coupon_beside_a_discount_on_the_line": {
        "lines": [
            {"name": "Subscription", "price": 499, "quantity": 12, "discount": 15},
            {"name": "Telephone", "price": 2490, "rate": 15, "discount": 10},
            {"name": "Coupon", "price": -249, "rate": 15},
        ],
        "settings": {"frontpay_discount_mode": "line"},
    },
    "lines_without_price_or_quantity": {
        "lines": [
            {"name": "Router", "price": 899},
            {"name": "Set-up", "price": 0},
            {"name": "Option", "price": 99, "quantity": 0},
        ],
    },
    # A combo is a section with its products below, at their shares of its price.
    "combo_and_kit": {
        "lines": [
            {"name": "Office package x 2", "display_type": "line_section"},
            {"name": "Router", "code": "ROUTER", "price": 749.17, "quantity": 2},
            {"name": "Cable", "code": "CABLE", "price": 0, "quantity": 2},
            {"name": "Mounting kit", "code": "KIT", "price": 120, "quantity": 2},
        ],
    },
    "lines_in_another_order": {
        "lines": [
            {"name": "Second", "price": 100, "sequence": 20},
            {"name": "Third", "price": 100, "sequence": 30},
            {"name": "First", "price": 100, "sequence": 10},
        ],
    },
    "norwegian_customer": {
        "customer": "norwegian",
        "lines": [{"name": "Ruter", "price": 899}],
    },
    "settings_of_the_company": {
        "lines": [{"name": "Router", "price": 899}],
        "settings": {
            "frontpay_invoice_interval": "2",
            "frontpay_separate_invoices": False,
            "frontpay_secure_details": True,
            "frontpay_min_maturity": 21,
        },
    },
}


@tagged("post_install", "-at_install", "frontpay")
@freeze_time(TODAY)
class TestMapping(SandboxCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("nb_NO")
        cls.decimals = cls.env.ref("product.decimal_price")
        cls.tax_included = cls.tax(25).copy(
            {"name": "25 % included", "price_include_override": "tax_included"}
        )
        cls.cash_rounding_a.write({"name": "Whole kroner", "rounding": 1})
        cls.norwegian = cls._customer("Ola Prøvebruker", lang="nb_NO")
        cls.norwegian.frontpay_personal_number = cls.private.frontpay_personal_number
        cls.contact = cls._customer(
            "Berit Prøvebaker",
            parent_id=cls.corporate.id,
            type="invoice",
            email="berit@example.com",
            phone="+46 70 123 45 67",
            street="Provgatan 3",
            street2="2 tr",
            zip="411 01",
            city="Göteborg",
            country_id=cls.env.ref("base.se").id,
        )
        cls.products = {}  # by code
        cls.moves = {}
        cls.orders = {}
        for name, case in CASES.items():
            cls.moves[name], cls.orders[name] = cls._mapped(name, **case)
        cls.documents = {
            name: CHANNELS["session"].to_json(order)
            for name, order in cls.orders.items()
        }

    @classmethod
    def _mapped(
        cls,
        name,
        lines,
        customer="private",
        settings=None,
        number=None,
        ref=False,
        decimals=2,
        rounded=None,
    ):
        """One of the cases: its invoice, and the order that becomes of it."""
        usual = {field: cls.company[field] for field in settings or {}}
        cls.company.write(settings or {})
        cls.decimals.digits = decimals
        cls.cash_rounding_a.rounding_method = rounded or "UP"
        move = cls.invoice(
            *(cls._line_of(**line) for line in lines),
            customer=getattr(cls, customer),
            name=number or name,
            ref=ref,
            invoice_date_due=IN_TEN_DAYS,
            invoice_cash_rounding_id=rounded and cls.cash_rounding_a.id,
        )
        order, problems = order_of(move, "session", CALLBACKS, move.name)
        cls.company.write(usual)
        if problems:
            raise AssertionError(f"{name}: {problems}")
        return move, order

    @classmethod
    def _line_of(cls, code=None, unit=None, included=False, **values):
        if "display_type" in values:
            return values
        if code is not None:
            if code not in cls.products:
                cls.products[code] = cls._create_product(
                    name="Router", default_code=code
                )
            values["product_id"] = cls.products[code].id
        if unit:
            values["product_uom_id"] = cls.env.ref(f"uom.product_uom_{unit}").id
        if included:
            values["tax_ids"] = [Command.set(cls.tax_included.ids)]
        return cls.line(**values)

    def test_each_invoice_becomes_its_golden_document(self):
        for name, document in self.documents.items():
            with self.subTest(name):
                self.assertEqual(_normalised(document), _normalised(golden(name)))

    def test_every_golden_document_is_listed(self):
        names = {path.stem for path in GOLDEN.glob("*.json")}
        listed = re.findall(r"\* - (\w+)\n", (GOLDEN / "README.rst").read_text())
        self.assertEqual(sorted(listed), sorted(names | {"File"}))

    def test_the_sandbox_takes_every_document(self):
        for name, document in self.documents.items():
            with self.subTest(name):
                answer = requests.post(
                    f"{self.sandbox.url}/api/v1/connect/orders/invoice/submit",
                    json=document,
                    headers={"Authorization": f"Bearer {API_TOKEN}"},
                    timeout=10,
                )
                self.assertEqual(answer.status_code, 201, answer.text)
        self.assertEqual(len(self.sandbox.orders()), len(CASES))

    def test_the_amounts_of_the_lines_add_up_to_the_invoice(self):
        for name, document in self.documents.items():
            with self.subTest(name):
                total = sum(_number(line["amount"]) for line in document["products"])
                self.assertEqual(total, _number(document["orderSummary"]["grandTotal"]))
                self.assertEqual(total, _kroner(self.moves[name].amount_total))

    def test_the_summary_adds_up(self):
        for name, document in self.documents.items():
            with self.subTest(name):
                sub_total, tax, discount, total = (
                    _number(document["orderSummary"][field]) for field in SUMMARY
                )
                self.assertEqual(sub_total + tax - discount, total)

    def test_each_line_multiplies(self):
        for name, document in self.documents.items():
            for line in document["products"]:
                with self.subTest(name, line=line["name"]):
                    full = _number(line["quantity"]) * _number(line["rate"])
                    discount = _number(line["discount"])
                    self.assertEqual(full - discount, _number(line["amount"]))

    def test_the_tax_is_the_invoices(self):
        for name, document in self.documents.items():
            if "discount_on_the_line" in name:  # there, it is that of the full price
                continue
            with self.subTest(name):
                tax = _number(document["orderSummary"]["totalTax"])
                self.assertEqual(tax, _kroner(self.moves[name].amount_tax))

    def test_no_amount_has_more_than_two_decimals(self):
        for name, document in self.documents.items():
            for line in document["products"]:
                for field in ("rate", "discount", "amount"):
                    with self.subTest(name, field=field, value=line[field]):
                        number = _number(line[field])
                        self.assertEqual(number, number.quantize(Decimal("0.01")))

    def test_remarks_are_written_in_the_customers_language(self):
        line = self.line(933.33, name="Rådgivning", quantity=2.5)
        move = self.invoice(line, customer=self.norwegian)
        order, _problems = order_of(move, "session", CALLBACKS, move.name)
        self.assertIn("2,5", order.products[0].name)
        self.assertIn("933,33", order.products[0].name)

    def test_the_customer_has_at_least_the_companys_days_to_pay(self):
        for due, days in (
            ("2025-07-14", 10),  # due before today
            ("2025-08-14", 10),
            ("2025-08-23", 10),
            ("2025-08-25", 11),
            ("2025-10-13", 60),
        ):
            with self.subTest(due):
                move = self.invoice(invoice_date="2025-07-01", invoice_date_due=due)
                order, _problems = order_of(move, "session", CALLBACKS, move.name)
                self.assertEqual(order.terms.maturity, days)

    def test_the_order_tells_nobody_the_personal_number_by_its_repr(self):
        order = self.orders["vendor_example"]
        self.assertTrue(order.customer.personal_number)
        self.assertNotIn(order.customer.personal_number, repr(order))
        self.assertNotIn(PATH_TOKEN, repr(order))


def _number(value):
    return Decimal(str(value))


def _kroner(amount):
    return Decimal(f"{amount:.2f}")


def _normalised(value, name=None):
    """The same document with numbers as numbers, however they were written."""
    if isinstance(value, dict):
        return {name: _normalised(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_normalised(item) for item in value]
    return _number(value) if name in NUMBERS else value
