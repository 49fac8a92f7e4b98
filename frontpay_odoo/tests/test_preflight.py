from odoo import Command
from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import tagged

from .common import SandboxCase

# What is wrong with the customer, and what the message says of it.
CUSTOMER_PROBLEMS = (
    ({"email": False}, "has no e-mail address"),
    ({"email": "kari@"}, "e-mail address isn't a valid one"),
    ({"phone": False}, "has no phone number"),
    ({"phone": "by telephone"}, "phone number can't be read"),
    ({"phone": "+47 123"}, "no such phone number can exist"),
    ({"street": False}, "has no street"),
    ({"zip": False}, "has no ZIP code"),
    ({"city": False}, "has no city"),
    ({"street": " "}, "has no street"),
    ({"zip": "\t"}, "has no ZIP code"),
    ({"city": "  "}, "has no city"),
    ({"email": " "}, "has no e-mail address"),
    ({"country_id": False}, "has no country"),
    ({"frontpay_personal_number": False}, "has no personal number"),
)
# Columns, since no form takes them: who installs the addon may have them already.
NUMBER_PROBLEMS = (
    ("17858410194", "last two digits don't fit the others"),
    ("1785841019", "must have exactly 11 digits"),
    ("30828410101", "doesn't begin with a date of birth"),
)
SETTINGS = (
    "frontpay_api_token",
    "frontpay_callback_secret",
    "frontpay_journal_id",
    "frontpay_custom_url",
)
# The environment, Odoo's own address, and what is wrong with it, if anything.
PUBLIC_ADDRESSES = (
    ("custom", "https://odoo.example.com", None),
    ("custom", "http://localhost:8069", None),
    ("custom", "http://127.0.0.1:8069", None),
    ("custom", "http://odoo.example.com", "doesn't begin with https://"),
    ("custom", "http://192.168.1.10:8069", "doesn't begin with https://"),
    ("custom", "https://odoo.example.com/?db=odoo", "isn't a complete address"),
    ("production", "https://localhost:8069", "leads to this machine only"),
    ("production", "http://127.0.0.1:8069", "leads to this machine only"),
    ("production", "http://[::1]:8069", "leads to this machine only"),
)


@tagged("post_install", "-at_install", "frontpay")
class TestPreflight(SandboxCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.move = cls.invoice()
        cls.euro = cls.env.ref("base.EUR")
        cls.euro.active = True
        cls.fixed_tax, cls.tax_20 = cls.env["account.tax"].create(
            [
                {"name": "Per piece", "amount_type": "fixed", "amount": 5},
                {"name": "20 %", "amount": 20},
            ]
        )
        cls.group_tax = cls.env["account.tax"].create(
            {
                "name": "Both",
                "amount_type": "group",
                "children_tax_ids": [Command.set((cls.tax(12) + cls.tax(15)).ids)],
            }
        )

    def test_a_journal_that_changed_since_it_was_chosen(self):
        journal = self.company.frontpay_journal_id
        for values, words in (
            ({"active": False}, "the journal is archived"),
            ({"currency_id": self.euro.id}, "journal in NOK"),
            (
                {"inbound_payment_method_line_ids": [Command.clear()]},
                "no payment method for incoming payments",
            ),
        ):
            with self.subTest(words), self.undone():
                journal.write(values)
                self.assertNotSent(self.move, "Payment Journal", words)

    def assertNotSent(self, move, *words):
        """Neither action sends it; both say why. Returns what was raised."""
        orders = move.frontpay_order_ids
        for action in (move.action_frontpay_check, move.action_frontpay_send):
            problem = self._problem_of(action)
            for word in words:
                self.assertIn(word, problem.args[0])
        self.assertEqual(move.frontpay_order_ids, orders)
        self.assertFalse(self.sandbox.requests())
        return problem

    def _problem_of(self, action):
        try:
            action()
        except (UserError, RedirectWarning) as problem:
            return problem
        self.fail("It went without a problem.")

    def assertLeadsTo(self, warning, record):
        self.assertIsInstance(warning, RedirectWarning)
        action = warning.args[1]
        self.assertEqual(
            (action["res_model"], action["res_id"]), (record._name, record.id)
        )

    def test_an_invoice_without_a_problem(self):
        self.assertEqual(self.move.action_frontpay_check()["params"]["type"], "success")
        self.assertFalse(self.move.frontpay_state)
        self.assertFalse(self.sandbox.requests())

    def test_what_the_customer_lacks(self):
        for values, sentence in CUSTOMER_PROBLEMS:
            with self.subTest(sentence), self.undone():
                self.private.write(values)
                warning = self.assertNotSent(self.move, self.private.name, sentence)
                self.assertLeadsTo(warning, self.private)

    def test_a_customer_without_a_name(self):
        for values in ({"name": False, "type": "invoice"}, {"name": " "}):
            with self.subTest(values), self.undone():
                self.private.write(values)
                warning = self.assertNotSent(self.move, "has no name")
                self.assertLeadsTo(warning, self.private)

    def test_a_country_that_is_none_of_isos(self):
        self.private.country_id = self.env["res.country"].search([("code", "=", "XK")])
        warning = self.assertNotSent(self.move, self.private.name, "ISO list")
        self.assertLeadsTo(warning, self.private)

    def test_a_phone_number_of_no_country(self):
        self.private.write({"phone": "46567468", "country_id": False})
        self.assertNotSent(self.move, "phone number doesn't tell its country")

    def test_a_personal_number_that_is_none(self):
        for number, sentence in NUMBER_PROBLEMS:
            with self.subTest(sentence), self.undone():
                self._store(self.private, "frontpay_personal_number", number)
                warning = self.assertNotSent(self.move, self.private.name, sentence)
                self.assertLeadsTo(warning, self.private)
                self.assertNotIn(number, warning.args[0])

    def test_a_synthetic_number_in_earnest(self):
        self.company.frontpay_environment = "production"
        self.assertNotSent(self.move, self.private.name, "made for testing")

    def test_a_company_without_its_number(self):
        move = self.invoice(customer=self.corporate)
        self.corporate.write(
            {"company_registry": False, "frontpay_organization_id": False}
        )
        warning = self.assertNotSent(
            move, self.corporate.name, "has no organization number"
        )
        self.assertLeadsTo(warning, self.corporate)

    def test_a_company_with_a_wrong_number(self):
        contact = self._customer("Berit Prøvebaker", parent_id=self.corporate.id)
        self._store(self.corporate, "frontpay_organization_id_store", "310000018")
        for customer in (self.corporate, contact):
            with self.subTest(customer.name):
                move = self.invoice(customer=customer)
                warning = self.assertNotSent(
                    move, self.corporate.name, "last digit doesn't fit"
                )
                self.assertLeadsTo(warning, self.corporate)

    def test_a_contacts_number_is_looked_for_on_the_company(self):
        contact = self._customer("Berit Prøvebaker", parent_id=self.corporate.id)
        self.corporate.write(
            {"company_registry": False, "frontpay_organization_id": False}
        )
        move = self.invoice(customer=contact)
        warning = self.assertNotSent(move, self.corporate.name)
        self.assertLeadsTo(warning, self.corporate)

    def test_what_the_settings_lack(self):
        labels = self.env["res.config.settings"].fields_get(SETTINGS, ["string"])
        for name in SETTINGS:
            with self.subTest(name), self.undone():
                self.company[name] = False
                sentence = f"settings: {labels[name]['string']}."
                self.assertNotSent(self.move, self.company.name, sentence)

    def test_addresses_at_which_front_payment_could_not_reach_odoo(self):
        self.company.frontpay_public_url = False
        field = self.env["res.config.settings"]._fields["frontpay_public_url"]
        label = f"“{field.string}”"
        for environment, url, sentence in PUBLIC_ADDRESSES:
            with self.subTest(url, environment=environment), self.undone():
                self.company.frontpay_environment = environment
                self.env["ir.config_parameter"].set_param("web.base.url", url)
                if sentence:
                    self.assertNotSent(self.move, self.company.name, sentence, label)
                    continue
                result = self.move.action_frontpay_check()
                self.assertEqual(result["params"]["type"], "success")

    def test_taxes_that_front_payment_does_not_know(self):
        for taxes, sentence in (
            (self.tax_20, "has 20 % VAT"),
            (self.tax(25) + self.tax(12), "has the taxes 12 %, 25 %"),
            (self.fixed_tax, "has the taxes Per piece"),
            (self.group_tax, "has the taxes 12 %, 15 %"),
        ):
            with self.subTest(sentence):
                line = self.line(name="Lamp", tax_ids=[Command.set(taxes.ids)])
                move = self.invoice(self.line(), line)
                self.assertNotSent(move, move.name, "Lamp", sentence)

    def test_a_rate_of_the_companys_own_agreement(self):
        self.company.frontpay_tax_rates = "0,12,15,20,25"
        move = self.invoice(self.line(tax_ids=[Command.set(self.tax_20.ids)]))
        self.assertEqual(move.action_frontpay_check()["params"]["type"], "success")

    def test_a_tax_of_reverse_charge(self):
        """It is 25 % by its name, and the customer pays none of them."""
        tax = self.tax(25).copy(
            {
                "name": "Reverse charge",
                "invoice_repartition_line_ids": [
                    Command.clear(),
                    Command.create({"repartition_type": "base"}),
                    Command.create({"repartition_type": "tax"}),
                    Command.create({"repartition_type": "tax", "factor_percent": -100}),
                ],
                "refund_repartition_line_ids": [
                    Command.clear(),
                    Command.create({"repartition_type": "base"}),
                    Command.create({"repartition_type": "tax"}),
                    Command.create({"repartition_type": "tax", "factor_percent": -100}),
                ],
            }
        )
        line = self.line(name="Lamp", tax_ids=[Command.set(tax.ids)])
        self.assertNotSent(self.invoice(line), "Lamp", "has the taxes Reverse charge")

    def test_negative_lines_that_are_more_than_there_is_of_their_vat(self):
        move = self.invoice(
            self.line(), self.line(30, 15), self.line(-40, 15, name="Rebate")
        )
        self.assertNotSent(move, move.name, "“Rebate”", "negative", "46.00")

    def test_a_rounding_that_changes_the_vat(self):
        rounding = self.cash_rounding_b
        rounding.write({"name": "Whole kroner", "rounding": 1})
        move = self.invoice(
            self.line(100.16, name="Lamp"), invoice_cash_rounding_id=rounding.id
        )
        self.assertNotSent(
            move, move.name, "“Whole kroner” changes the VAT", "adds a rounding line"
        )
        whole = self.invoice(self.line(100), invoice_cash_rounding_id=rounding.id)
        self.assertEqual(whole.action_frontpay_check()["params"]["type"], "success")

    def test_a_rounding_too_large_for_the_lines_that_bear_it(self):
        self.cash_rounding_a.write({"rounding": 10, "rounding_method": "DOWN"})
        move = self.invoice(
            self.line(103.99), invoice_cash_rounding_id=self.cash_rounding_a.id
        )
        self.assertNotSent(move, move.name, "The VAT of", "26.00", "24.00", "kroner")

    def test_a_vat_that_was_entered_by_hand(self):
        for vat, is_right in ((25.00, True), (25.26, True), (25.27, False)):
            with self.subTest(vat), self.undone():
                move = self.invoice(post=False)
                tax_line = move.line_ids.filtered("tax_line_id")
                tax_line.amount_currency = -vat
                move.action_post()
                self.assertEqual(move.amount_tax, vat)
                if not is_right:
                    self.assertNotSent(move, move.name, "25.27", "25.05")
                    continue
                result = move.action_frontpay_check()
                self.assertEqual(result["params"]["type"], "success")

    def test_an_invoice_with_nothing_to_pay(self):
        self.assertNotSent(self.invoice(self.line(price=0)), "its total is 0")

    def test_an_invoice_in_another_currency(self):
        move = self.invoice(currency_id=self.euro.id)
        self.assertNotSent(move, move.name, "is in EUR")

    def test_an_invoice_that_is_a_draft(self):
        self.assertNotSent(self.invoice(post=False), "isn't posted yet")

    def test_a_draft_that_has_no_customer_yet(self):
        draft = self.invoice(post=False)
        draft.partner_id = False
        problem = self.assertNotSent(draft, "isn't posted yet")
        self.assertNotIn("e-mail", problem.args[0])

    def test_a_cancelled_invoice(self):
        self.move.button_draft()
        self.move.button_cancel()
        self.assertNotSent(self.move, "isn't posted")

    def test_what_is_no_customer_invoice(self):
        for move_type in ("out_receipt", "in_invoice", "entry"):
            with self.subTest(move_type):
                move = self.env["account.move"].create(
                    {"move_type": move_type, "partner_id": self.private.id}
                )
                self.assertNotSent(move, "is no customer invoice")

    def test_an_invoice_that_is_paid_already(self):
        for amount in (125.00, 25.00):
            with self.subTest(amount), self.undone():
                self._pay(self.move, amount)
                self.assertNotSent(self.move, self.move.name, "is paid already")

    def test_an_invoice_that_is_just_being_paid_online(self):
        for state, is_open in (
            ("draft", False),
            ("pending", True),
            ("authorized", True),
            ("done", False),
            ("cancel", False),
            ("error", False),
        ):
            with self.subTest(state), self.undone():
                self.online_payment(self.move, state)
                if is_open:
                    self.assertNotSent(self.move, "is just being paid online")
                else:
                    self.move.action_frontpay_check()

    def test_an_invoice_that_was_sent_already(self):
        self.order(self.move, "invoiced")
        error = self.assertNotSent(self.move, self.move.name, "already (Invoiced)")
        self.assertIsInstance(error, UserError)

    def test_everything_is_told_at_once(self):
        self.private.write({"email": False, "phone": False, "zip": False})
        self.company.frontpay_api_token = False
        lines = (
            self.line(name="Lamp", tax_ids=[Command.set(self.tax_20.ids)]),
            self.line(name="Rebate", price=-20),
        )
        self.assertNotSent(
            self.invoice(*lines),
            "settings:",
            "Lamp",
            "Rebate",
            "e-mail address",
            "phone number",
            "ZIP code",
        )

    def test_the_problems_of_all_invoices_are_told(self):
        moves = self.invoice(self.line(-1, 15, name="Lamp"), self.line())
        moves += self.invoice(post=False)
        warning = self.assertNotSent(moves, "Lamp", "isn't posted yet")
        self.assertLeadsTo(warning, moves[0])

    def test_no_personal_number_in_a_message(self):
        self._store(self.private, "frontpay_personal_number", "17858410194")
        warning = self.assertNotSent(self.move, self.private.name)
        self.assertNotRegex(warning.args[0], r"\d{6}")

    def _store(self, partner, column, value):
        """Write past the checks of the form."""
        table, key = "res_partner", "id"
        if column == "frontpay_personal_number":
            table, key, column = "frontpay_personal_number", "partner_id", "number"
        self.env.flush_all()
        self.env.cr.execute(
            f"UPDATE {table} SET {column} = %s WHERE {key} = %s", (value, partner.id)
        )
        self.env.invalidate_all()

    def _pay(self, move, amount):
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        )
        wizard.create({"amount": amount})._create_payments()
