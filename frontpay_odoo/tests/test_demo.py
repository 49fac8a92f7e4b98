from base64 import b64decode

from odoo import fields
from odoo.exceptions import AccessDenied, RedirectWarning
from odoo.tests import TransactionCase, tagged
from odoo.tools import convert_file, file_open, mute_logger

from odoo.addons.frontpay_odoo.connect import validation
from odoo.addons.frontpay_odoo.connect.validation import InvalidValue
from odoo.addons.frontpay_odoo.demo.account_demo import INVOICES


@tagged("post_install", "-at_install", "frontpay")
class TestDemo(TransactionCase):
    """The demo data, loaded into a database that was made without."""

    @classmethod
    @mute_logger("odoo.models.unlink")
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("nb_NO")
        cls._load()
        cls.company = cls.env.ref("base.demo_company_frontpay")
        cls.invoices = cls.env["account.move"].search(
            [("company_id", "=", cls.company.id), ("move_type", "=", "out_invoice")]
        )
        cls.customers = cls.env["res.partner"].search(
            [
                ("company_id", "=", cls.company.id),
                ("email", "!=", cls.company.email),
                ("user_ids", "=", False),
            ]
        )

    @classmethod
    def _load(cls):
        demo = ("frontpay_odoo", "demo/frontpay_demo.xml", {})
        convert_file(cls.env, *demo, mode="init", noupdate=True)

    def test_the_company_is_norwegian_and_talks_to_the_sandbox(self):
        self.assertEqual(self.company.country_id.code, "NO")
        self.assertEqual(self.company.currency_id.name, "NOK")
        self.assertEqual(
            self.company._frontpay_base_url(), "http://127.0.0.1:8700/api/v1/"
        )
        self.assertEqual(self.company.frontpay_api_token, "sandbox-token")
        self.assertEqual(self.company.frontpay_callback_secret, "sandbox-secret")
        self.assertEqual(self.company.frontpay_journal_id.code, "FPGO")

    def test_the_chart_is_norways_where_it_is_installed(self):
        l10n_no = self.env["ir.module.module"]._get("l10n_no")
        expected = "no" if l10n_no.state == "installed" else "generic_coa"
        self.assertEqual(self.company.chart_template, expected)

    def test_the_administrator_works_in_it_at_once(self):
        self.assertEqual(self.env.ref("base.user_admin").company_id, self.company)

    def test_norwegian_customers_read_norwegian_where_odoo_knows_it(self):
        for customer in self.customers:
            with self.subTest(customer=customer.name):
                is_norwegian = customer.country_id.code == "NO"
                self.assertEqual(customer.lang == "nb_NO", is_norwegian)

    def test_customers_meet_the_companys_logo_and_its_seller(self):
        with file_open("frontpay_odoo/demo/logo.png", "rb") as logo:
            self.assertEqual(b64decode(self.company.logo), logo.read())
        seller = self.invoices.invoice_user_id
        self.assertEqual(seller.name, "Sunniva Demoselger")
        self.assertEqual((seller.city, seller.country_id.code), ("Bergen", "NO"))
        self.assertEqual(seller.company_ids, self.company)
        with self.assertRaises(AccessDenied):
            seller.with_user(seller)._check_credentials(
                {"type": "password", "password": seller.login}, {"interactive": True}
            )

    def test_the_invoices_are_posted_and_due_in_the_future(self):
        self.assertEqual(len(self.invoices), len(INVOICES))
        self.assertEqual(set(self.invoices.mapped("state")), {"posted"})
        self.assertGreater(
            min(self.invoices.mapped("invoice_date_due")), fields.Date.today()
        )
        rates = self.invoices.invoice_line_ids.tax_ids.mapped("amount")
        self.assertEqual(set(rates), {0, 12, 15, 25})

    def test_all_invoices_can_be_sent_but_those_without_an_email_address(self):
        without_email = self.invoices.filtered(lambda move: not move.partner_id.email)
        self.assertEqual(len(without_email), 1)
        (self.invoices - without_email).action_frontpay_check()
        with self.assertRaises(RedirectWarning) as caught:
            without_email.action_frontpay_check()
        self.assertIn("Astrid Utenpost has no e-mail address", str(caught.exception))

    def test_the_customers_exist_nowhere_else(self):
        for customer in self.customers:
            with self.subTest(customer=customer.name):
                if customer.frontpay_customer_type == "private":
                    with self.assertRaises(InvalidValue) as caught:
                        validation.personal_number(
                            customer.frontpay_personal_number, synthetic_allowed=False
                        )
                    self.assertEqual(caught.exception.reason, "synthetic")
                else:
                    # The test registers' range, and Sweden's number of fives.
                    self.assertRegex(customer.frontpay_organization_id, r"^(3|5{10})")
                if customer.email:
                    address = validation.email(customer.email)
                    self.assertTrue(address.endswith("example.com"), address)
                phone = validation.phone(customer.phone, customer.country_id.code)
                self.assertIn(phone.msisdn, ("40612345", "701740605"))

    def test_loading_it_again_makes_no_doubles(self):
        self._load()
        again = self.env["account.move"].search(
            [("company_id", "=", self.company.id), ("move_type", "=", "out_invoice")]
        )
        self.assertEqual(again, self.invoices)
