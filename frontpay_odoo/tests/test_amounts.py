"""Whatever an invoice looks like, its order is right to the øre.

Hypothesis makes up invoices, a real Odoo posts them, and a real sandbox takes them.
FRONTPAY_LONG=1 (``./dev test --long``) makes up more of them, anew in every run; with
``-s --odoo-log-level=info`` the run tells how many were sent.
"""

import logging
import os
from collections import Counter, defaultdict
from decimal import Decimal

import requests
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from odoo import Command
from odoo.tests import tagged
from odoo.tools import float_repr

from odoo.addons.frontpay_odoo.connect.channels import CHANNELS
from odoo.addons.frontpay_odoo.connect.order import CallbackAddresses
from odoo.addons.frontpay_odoo.mapping import order_of

from .common import API_TOKEN, PATH_TOKEN, SandboxCase

_logger = logging.getLogger(__name__)

IS_LONG = bool(os.environ.get("FRONTPAY_LONG"))
MADE_UP = 2500 if IS_LONG else 40
CALLBACKS = CallbackAddresses(
    callback=f"https://odoo.example.com/frontpay/callback/{PATH_TOKEN}",
    success=f"https://odoo.example.com/frontpay/return/{PATH_TOKEN}/success",
    failure=f"https://odoo.example.com/frontpay/return/{PATH_TOKEN}/failure",
)
RATES = (0, 12, 15, 25)
ROUNDINGS = ("round_per_line", "round_globally")


def numbers(low, high, decimals):
    """Decimals with up to so many decimals, as the floats that Odoo's forms give."""
    unit = 10**decimals
    return st.integers(low * unit, high * unit).map(lambda number: number / unit)


PRICES = numbers(0, 5000, 2) | numbers(0, 100, 5) | st.sampled_from([0.0, 33.33333])
QUANTITIES = st.integers(1, 30).map(float) | numbers(0, 40, 2)
DISCOUNTS = st.just(0.0) | numbers(0, 100, 2)
TAXES = st.tuples(st.sampled_from(RATES), st.booleans())  # percent, in the price
PRODUCTS = st.none() | st.integers(0, 2)
LINES = st.fixed_dictionaries(
    {
        "price_unit": PRICES,
        "quantity": QUANTITIES,
        "discount": DISCOUNTS,
        "tax": TAXES,
        "product": PRODUCTS,
    }
)
# What is taken off: so much of the price of the line at that place, or, as a return,
# so much of its quantity.
NEGATIVE_LINES = st.fixed_dictionaries(
    {
        "place": st.integers(0, 9),
        "share": numbers(0, 1, 3),
        "kind": st.sampled_from(("return", "coupon", "coupon_tax_included")),
    }
)
# Before which line one stands, and what Odoo hides below it.
SECTIONS = st.tuples(
    st.integers(0, 5), st.sampled_from(("collapse_composition", "collapse_prices"))
)
INVOICES = st.fixed_dictionaries(
    {
        "lines": st.lists(LINES, min_size=1, max_size=6),
        "negative_lines": st.lists(NEGATIVE_LINES, max_size=3),
        "rounding_method": st.sampled_from(ROUNDINGS),
        "discount_mode": st.sampled_from(("net", "line")),
        "section": st.none() | SECTIONS,
        "whole_kroner": st.none() | st.sampled_from(("UP", "DOWN", "HALF-UP")),
    }
)


@tagged("post_install", "-at_install", "frontpay")
class TestAmounts(SandboxCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("product.decimal_price").digits = 5
        cls.included = cls.taxes.browse()
        for tax in cls.taxes:
            cls.included += tax.copy(
                {
                    "name": f"{tax.name} included",
                    "price_include_override": "tax_included",
                }
            )
        cls.cash_rounding_a.rounding = 1
        cls.products = [
            cls._create_product(name=name, default_code=name.upper())
            for name in ("Router", "Cable", "Switch")
        ]
        cls.session = requests.Session()
        cls.session.headers["Authorization"] = f"Bearer {API_TOKEN}"
        cls.addClassCleanup(cls.session.close)
        cls.counts = Counter()

    def test_every_invoice_is_right_to_the_øre(self):
        self._check_invoices_made_up()
        _logger.info("Invoices made up: %s", dict(self.counts))
        self.assertGreaterEqual(self.counts["sent"], MADE_UP * 0.8)

    @settings(
        max_examples=MADE_UP,
        derandomize=not IS_LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(INVOICES)
    def _check_invoices_made_up(self, invoice):
        with self.undone():
            move = self._move_of(**invoice)
            assume(move.amount_total > 0)
            move.action_post()
            self._check(move)

    def test_a_coupon_takes_its_own_vat_off_each_line(self):
        """Odoo 19.0's helper gives the big line's VAT to the small one, if the small
        one comes first."""
        products = self._products(
            self.line(10, name="Cable"),
            self.line(90, name="Router"),
            self.line(-50, name="Coupon"),
        )
        self.assertEqual(
            [(product.amount, product.tax) for product in products],
            [(Decimal("6.25"), 25), (Decimal("56.25"), 25)],
        )

    def test_a_coupon_is_distributed_whether_its_tax_is_in_the_price_or_not(self):
        products = self._products(
            self.line(100),
            self.line(-25, tax_ids=[Command.set(self._tax(25, True).ids)]),
        )
        self.assertEqual([product.amount for product in products], [Decimal("100.00")])

    def test_a_coupon_reduces_only_the_lines_of_its_rate(self):
        products = self._products(
            self.line(100), self.line(100, 15), self.line(-10, 15, name="Coupon")
        )
        self.assertEqual(
            [product.amount for product in products],
            [Decimal("125.00"), Decimal("103.50")],
        )

    def test_a_coupon_may_take_off_all_that_there_is_of_its_rate(self):
        products = self._products(
            self.line(60, name="Router"),
            self.line(40, name="Cable"),
            self.line(50, 0, name="Postage"),
            self.line(-100, name="Coupon"),
        )
        self.assertEqual(
            [product.amount for product in products], [0, 0, Decimal("50.00")]
        )

    def test_a_discount_that_the_rounded_price_eats_up_is_none(self):
        """1,000 at 0.00375 with VAT: rounded, they would cost nothing."""
        self.company.frontpay_discount_mode = "line"
        [product] = self._products(self.line(0.003, quantity=1000, discount=1))
        self.assertEqual((product.amount, product.discount), (Decimal("3.71"), 0))

    def test_a_discount_on_a_line_starts_from_the_price_with_vat(self):
        self.company.frontpay_discount_mode = "line"
        for price, is_included in ((100, False), (125, True)):
            with self.subTest(included=is_included), self.undone():
                taxes = [Command.set(self._tax(25, is_included).ids)]
                [product] = self._products(
                    self.line(price, quantity=2, discount=10, tax_ids=taxes)
                )
                self.assertEqual(
                    (product.rate, product.discount, product.amount), (125, 25, 225)
                )

    def test_a_coupon_is_no_discount_and_takes_its_vat_with_it(self):
        self.company.frontpay_discount_mode = "line"
        [product] = self._products(
            self.line(100, discount=10), self.line(-10, name="Coupon")
        )
        self.assertEqual((product.amount, product.discount), (100, 0))
        self.assertIn("less", product.name)

    def test_what_was_returned_lowers_the_quantity(self):
        router = {"product_id": self.products[0].id, "price": 16}
        for quantities, left in (
            ((10, -2), [8]),
            ((10, -10, 5), [5]),
            ((10, 10, -12), [8]),
            ((10, 10, 10, -19, -8), [1, 2]),
            ((1.3, -0.3), [1]),
        ):
            with self.subTest(quantities), self.undone():
                lines = [self.line(quantity=number, **router) for number in quantities]
                products = self._products(*lines)
                self.assertEqual([product.quantity for product in products], left)

    def test_what_was_returned_beyond_is_taken_off_the_other_lines(self):
        router = {"product_id": self.products[0].id, "price": 100}
        products = self._products(
            self.line(quantity=2, **router),
            self.line(1000, name="Digging"),
            self.line(quantity=-3, **router),
        )
        self.assertEqual([product.amount for product in products], [Decimal("1125.00")])
        self.assertIn("Digging (less", products[0].name)
        self.assertIn("Router", products[0].name)

    def test_a_down_payment_is_taken_off_as_odoo_computed_it(self):
        account_tax = self.env["account.tax"]
        lines = [self.line(333.33, quantity=3), self.line(59.90, 15, quantity=7)]
        invoice = self.invoice(*lines, post=False)
        base_lines, _tax_lines = invoice._get_rounded_base_and_tax_lines()
        for down_payment in account_tax._prepare_down_payment_lines(
            base_lines, self.company, "percent", 33, computation_key="down_payment"
        ):
            lines.append(
                {
                    "name": "Down payment",
                    "quantity": -1,
                    "price_unit": down_payment["price_unit"],
                    "tax_ids": [Command.set(down_payment["tax_ids"].ids)],
                    "extra_tax_data": (
                        account_tax._reverse_quantity_base_line_extra_tax_data(
                            account_tax._export_base_line_extra_tax_data(down_payment)
                        )
                    ),
                }
            )
        products = self._products(*lines)
        self.assertEqual(len(products), 2)
        for product in products:
            self.assertIn("Down payment", product.name)

    def test_a_negative_rounding_goes_to_lines_without_vat_first(self):
        for lines, amounts in (
            ((self.line(100.16), self.line(50, 0)), ["125.20", "49.80"]),
            ((self.line(100.16), self.line(0.10, 0)), ["124.90", "0.10"]),
            (
                (self.line(100.16), self.line(0.50, 0), self.line(-0.38, 0)),
                ["124.88", "0.12"],
            ),
            (
                (self.line(100.16), self.line(1, 0), self.line(-0.80, 0)),
                ["124.80", "0.20"],
            ),
        ):
            with self.subTest(amounts), self.undone():
                products = self._products(*lines, **self._rounded("DOWN"))
                self.assertEqual([str(product.amount) for product in products], amounts)

    def test_a_positive_rounding_is_a_product_without_vat(self):
        for price, amounts in (
            (100.16, [("125.20", 25), ("0.80", 0)]),
            (100, [("125.00", 25)]),
        ):
            with self.subTest(price), self.undone():
                products = self._products(self.line(price), **self._rounded("UP"))
                self.assertEqual(
                    [(str(product.amount), product.tax) for product in products],
                    amounts,
                )

    def test_a_rounding_that_leaves_the_vat_alone_may_be_a_large_one(self):
        for method, lines, amounts in (
            ("UP", [self.line(100.16)], ["125.20", "4.80"]),
            ("DOWN", [self.line(100.16), self.line(20, 0)], ["125.20", "14.80"]),
        ):
            with self.subTest(method), self.undone():
                self.cash_rounding_a.rounding = 10
                products = self._products(*lines, **self._rounded(method))
                self.assertEqual([str(product.amount) for product in products], amounts)

    def test_the_products_come_in_the_order_of_the_invoice(self):
        products = self._products(
            self.line(name="Last", sequence=30),
            self.line(name="First", sequence=10),
            self.line(-10, name="Coupon", sequence=20),
        )
        self.assertEqual(
            [product.name.split()[0] for product in products], ["First", "Last"]
        )

    def test_lines_without_price_quantity_product_or_text(self):
        products = self._products(
            self.line(100),
            self.line(0, name="Set-up"),
            self.line(70, quantity=0, name="Option"),
            {"price_unit": 5, "name": False, "tax_ids": [Command.clear()]},
        )
        self.assertEqual(
            [str(product.amount) for product in products],
            ["125.00", "0.00", "0.00", "5.00"],
        )
        self.assertTrue(all(product.name for product in products))

    def test_a_discount_for_early_payment_leaves_the_total(self):
        """Computed “mixed”, it lowers the VAT at once: Odoo adds lines for that."""
        products = self._products(
            self.line(1000), self.line(200, 15), **self._early_payment()
        )
        self.assertEqual(
            [(str(product.amount), product.tax) for product in products],
            [("1225.00", 25), ("225.40", 15), ("24.00", 0)],
        )

    def test_a_discount_for_early_payment_goes_with_any_other(self):
        values = self._early_payment() | self._rounded("DOWN")
        for mode in ("net", "line"):
            for is_included in (False, True):
                with self.subTest(mode, included=is_included), self.undone():
                    self.company.frontpay_discount_mode = mode
                    taxes = [Command.set(self._tax(25, is_included).ids)]
                    self._products(
                        self.line(333.33, quantity=3, discount=15, tax_ids=taxes),
                        self.line(149, 15, quantity=1.5),
                        self.line(-50, name="Coupon", tax_ids=taxes),
                        **values,
                    )

    def _early_payment(self):
        """An invoice's values: 2 % less if it is paid within 10 days."""
        terms = self.env["account.payment.term"].create(
            {
                "name": "2 % within 10 days",
                "early_discount": True,
                "early_pay_discount_computation": "mixed",
                "discount_percentage": 2,
                "discount_days": 10,
            }
        )
        return {"invoice_payment_term_id": terms.id}

    def test_what_odoo_hides_of_a_section_is_one_product_per_rate(self):
        for hidden, name in (
            ("collapse_composition", "Package"),
            ("collapse_prices", "Package: Router, 2 × Cable"),
        ):
            for method in ROUNDINGS:
                with self.subTest(hidden, method=method), self.undone():
                    self.company.tax_calculation_rounding_method = method
                    products = self._products(
                        self.line(10.11, name="Set-up"),
                        self._section(**{hidden: True}),
                        self.line(10.11),
                        self.line(10.11, name="Cable", quantity=2),
                        self.line(49, 15, name="Lunch"),
                        self._section("Visible"),
                        self.line(10.11, name="Switch"),
                    )
                    names = [product.name for product in products]
                    self.assertEqual(names[:2], ["Set-up", name])
                    self.assertTrue(names[2].startswith("Package"), names)
                    self.assertEqual(names[3:], ["Switch"])
                    self.assertEqual(products[1].quantity, 1)
                    self.assertIn(str(products[1].amount), ("37.91", "37.92"))
                    self.assertEqual(products[2].amount, Decimal("56.35"))

    def test_how_much_there_is_of_what_is_hidden_is_told_unless_it_is_one(self):
        for quantity, name in ((1, "Router"), (2, "2 × Router"), (0.5, "0.5 × Router")):
            with self.subTest(quantity), self.undone():
                [product] = self._products(
                    self._section(collapse_prices=True),
                    self.line(10, quantity=quantity),
                )
                self.assertEqual(product.name, f"Package: {name}")

    def test_a_hidden_section_keeps_its_own_negative_lines(self):
        products = self._products(
            self.line(100),
            self._section(collapse_composition=True),
            self.line(100, name="Cable", product_id=self.products[1].id),
            self.line(-20, name="Partner's rebate"),
            self.line(-10, 15, name="Voucher"),
            self._section("Visible"),
            self.line(80, 15, name="Lunch"),
        )
        self.assertEqual(
            [(product.name, str(product.amount)) for product in products],
            [
                ("Router", "125.00"),
                ("Package", "100.00"),
                ("Lunch (less 11.50: Package)", "80.50"),
            ],
        )
        self.assertFalse(products[1].product_id)

    def test_the_outermost_section_that_hides_something_counts(self):
        for outer, inner, names in (
            ({}, {}, ["Router", "Cable"]),
            ({}, {"collapse_composition": True}, ["Router", "Inner"]),
            ({}, {"collapse_prices": True}, ["Router", "Inner: Cable"]),
            ({"collapse_composition": True}, {}, ["Outer"]),
            (
                {"collapse_composition": True},
                {"collapse_prices": True},
                ["Outer"],
            ),
            ({"collapse_prices": True}, {}, ["Outer: Router, Cable"]),
            (
                {"collapse_prices": True},
                {"collapse_composition": True},
                ["Outer: Router, Inner"],
            ),
        ):
            with self.subTest(outer=outer, inner=inner), self.undone():
                products = self._products(
                    self._section("Outer", **outer),
                    self.line(),
                    self._section("Inner", "line_subsection", **inner),
                    self.line(name="Cable"),
                )
                self.assertEqual([product.name for product in products], names)

    def test_a_hidden_section_whose_vat_is_no_longer_that_of_its_rate_is_refused(self):
        """Rounded on each line, the VAT of very many cheap lines is not that of their
        sum."""
        self.company.tax_calculation_rounding_method = "round_per_line"
        for number, is_right in ((40, True), (60, False)):
            lines = [self.line(10.02, name="Nut") for _nut in range(number)]
            lines.insert(0, self._section(collapse_composition=True))
            with self.subTest(number), self.undone():
                if is_right:
                    self.assertEqual(len(self._products(*lines)), 1)
                    continue
                move = self.invoice(*lines)
                _order, problems = order_of(move, "session", CALLBACKS, move.name)
                self.assertEqual(len(problems), 1)
                self.assertIn("hide fewer lines", problems[0].message)

    def test_a_batch_is_mapped_with_a_few_queries(self):
        lines = [self.line(10 * place, rate) for place, rate in enumerate(RATES, 1)]
        moves = sum(
            (self.invoice(*lines) for _number in range(10)), self.env["account.move"]
        )
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        for move in moves:
            order_of(move, "session", CALLBACKS, move.name)
        self.assertLess(self.env.cr.sql_log_count - before, 45)

    def _products(self, *lines, **values):
        """The products of an invoice, which was found to be right."""
        move = self.invoice(*lines, **values)
        order, problems = order_of(move, "session", CALLBACKS, move.name)
        self.assertFalse(problems)
        self._check_order(move, order)
        self._submit(order)
        return order.products

    def _move_of(
        self,
        lines,
        negative_lines,
        rounding_method,
        discount_mode,
        section,
        whole_kroner,
    ):
        self.company.tax_calculation_rounding_method = rounding_method
        self.company.frontpay_discount_mode = discount_mode
        values = [self._line_of(**line) for line in lines]
        for line in negative_lines:
            values.append(self._negative_line_of(lines, **line))
        if section:
            place, hides = section
            values.insert(place, self._section(**{hides: True}))
        return self.invoice(*values, post=False, **self._rounded(whole_kroner))

    def _rounded(self, method):
        """An invoice's values, with its total rounded if a method is given."""
        if not method:
            return {}
        self.cash_rounding_a.rounding_method = method
        return {"invoice_cash_rounding_id": self.cash_rounding_a.id}

    def _section(self, name="Package", display_type="line_section", **values):
        return {"name": name, "display_type": display_type, **values}

    def _line_of(self, price_unit, quantity, discount, tax, product):
        return {
            "name": f"{tax[0]} %",
            "price_unit": price_unit,
            "quantity": quantity,
            "discount": discount,
            "tax_ids": [Command.set(self._tax(*tax).ids)],
            "product_id": product is not None and self.products[product].id,
        }

    def _negative_line_of(self, lines, place, share, kind):
        line = lines[place % len(lines)]
        if kind == "return":
            returned = round(line["quantity"] * share, 2)
            return self._line_of(**line | {"quantity": -returned})
        price = line["price_unit"] * line["quantity"] * (1 - line["discount"] / 100)
        rate, included = line["tax"]
        return self._line_of(
            price_unit=-round(price * share, 2),
            quantity=1,
            discount=0,
            tax=(rate, included or kind == "coupon_tax_included"),
            product=None,
        )

    def _tax(self, rate, is_included):
        taxes = self.included if is_included else self.taxes
        return taxes.filtered(lambda tax: tax.amount == rate)

    def _check(self, move):
        order, problems = order_of(move, "session", CALLBACKS, move.name)
        if problems:
            self.assertTrue(_has_a_negative_rate(move), problems)
            self.counts["refused"] += 1
            return
        self._check_order(move, order)
        self._check_rates(move, order)
        self._submit(order)
        self.counts["sent"] += 1

    def _submit(self, order):
        """Hand it over to the sandbox, which computes everything anew."""
        document = CHANNELS["session"].to_json(order)
        answer = self.session.post(
            f"{self.sandbox.url}/api/v1/connect/orders/invoice/submit",
            json=document,
            timeout=10,
        )
        self.assertEqual(answer.status_code, 201, answer.text)

    def _check_order(self, move, order):
        summary = order.summary
        self.assertEqual(
            sum(product.amount for product in order.products), summary.grand_total
        )
        self.assertEqual(summary.grand_total, _kroner(move.amount_total))
        self.assertEqual(
            summary.sub_total + summary.total_tax - summary.total_discount,
            summary.grand_total,
        )
        if not summary.total_discount:
            self.assertEqual(summary.total_tax, _kroner(move.amount_tax))
        for product in order.products:
            self.assertEqual(product.quantity, int(product.quantity))
            self.assertGreater(product.quantity, 0)
            self.assertGreaterEqual(product.amount, 0)
            for amount in (product.rate, product.discount, product.amount):
                self.assertEqual(amount, round(amount, 2))
            self.assertEqual(
                product.quantity * product.rate - product.discount, product.amount
            )

    def _check_rates(self, move, order):
        """What the products of a rate come to is what the invoice's lines come to.

        Rounding to whole kroner, and Odoo's own of each line, may stand between.
        """
        sums = defaultdict(Decimal)
        for product in order.products:
            sums[product.tax] += product.amount
        for line in move.invoice_line_ids:
            sums[Decimal(str(line.tax_ids.amount))] -= _kroner(line.price_total)
        tolerance = Decimal("0.01") * len(move.invoice_line_ids)
        if move.invoice_cash_rounding_id:
            tolerance += 1
        for rate, difference in sums.items():
            self.assertLessEqual(abs(difference), tolerance, rate)


def _has_a_negative_rate(move):
    """Whether the lines of a rate come out below zero, so that there is nothing to
    take them off."""
    sums = defaultdict(Decimal)
    for line in move.invoice_line_ids:
        sums[line.tax_ids.amount] += _kroner(line.price_total)
    return any(amount < 0 for amount in sums.values())


def _kroner(amount):
    return Decimal(float_repr(amount, 2))
