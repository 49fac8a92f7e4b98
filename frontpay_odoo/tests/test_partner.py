from lxml import etree

from odoo.exceptions import AccessError, ValidationError
from odoo.http import Request
from odoo.tests import Form, HttpCase, TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

SYNTHETIC = "17858410193"
FIELDS = [
    "frontpay_customer_type",
    "frontpay_personal_number",
    "frontpay_masked_number",
    "frontpay_organization_id",
    "frontpay_language",
    "frontpay_customer_uuid",
    "frontpay_channel",
    "frontpay_invoice_interval",
    "frontpay_separate_invoices",
    "frontpay_invoice_fee",
]
OVERRIDES = {
    "frontpay_channel": "ehf",
    "frontpay_invoice_interval": "2",
    "frontpay_separate_invoices": "no",
    "frontpay_invoice_fee": "yes",
}
LANGUAGES = (
    ("nb_NO", "no"),
    ("sv_SE", "sv"),
    ("da_DK", "da"),
    ("de_DE", "de"),
    ("de_CH", "de"),
    ("en_US", "en"),
    ("fr_FR", "en"),
    (False, "no"),
)
# Country, the fields filled in, and the organization number taken from them.
ORGANIZATIONS = (
    ("NO", {"company_registry": "310 000 019"}, "310000019"),
    ("NO", {"vat": "NO310000019MVA"}, "310000019"),
    ("NO", {"company_registry": "313131319", "vat": "NO310000019MVA"}, "313131319"),
    ("NO", {"company_registry": "Avd. 7", "vat": "NO310000019MVA"}, "310000019"),
    ("NO", {"company_registry": "310000018"}, False),
    ("NO", {}, False),
    ("SE", {"company_registry": "555555-5555"}, "5555555555"),
    (None, {"company_registry": "555 555"}, "555555"),
)
# A number that nobody could have, and what the bookkeeper is told.
WRONG_PERSONAL_NUMBERS = (
    ("1785841019", "exactly 11 digits"),
    ("17858410194", "last two digits don't fit"),
    ("30828410101", "doesn't begin with a date of birth"),
)
WRONG_ORGANIZATIONS = (
    ("NO", "31000001", "exactly 9 digits"),
    ("NO", "310000018", "last digit doesn't fit"),
    ("SE", "55/55", "letters and digits only"),
)


@tagged("post_install", "-at_install", "frontpay")
class TestPartner(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.norway = cls.env.ref("base.no")
        cls.person = cls.env["res.partner"].create(
            {"name": "Kari Demokunde", "country_id": cls.norway.id}
        )
        cls.organization = cls.env["res.partner"].create(
            {
                "name": "Demobedrift AS",
                "is_company": True,
                "country_id": cls.norway.id,
                "company_registry": "310000019",
            }
        )
        cls.accountant = new_test_user(
            cls.env, "frontpay_accountant", "account.group_account_invoice"
        )
        cls.salesperson = new_test_user(
            cls.env,
            "frontpay_salesperson",
            "base.group_user,base.group_partner_manager",
        )

    def test_the_customer_type_follows_odoos_until_it_is_set(self):
        self.assertEqual(self.person.frontpay_customer_type, "private")
        self.assertEqual(self.organization.frontpay_customer_type, "corporate")
        self.person.frontpay_customer_type = "corporate"
        self.person.name = "Kari Demokunde ENK"
        self.assertEqual(self.person.frontpay_customer_type, "corporate")
        self.person.is_company = True
        self.person.is_company = False
        self.assertEqual(self.person.frontpay_customer_type, "corporate")
        self.person.frontpay_customer_type = "private"
        self.person.is_company = True
        self.assertEqual(self.person.frontpay_customer_type, "corporate")

    def test_the_language_is_taken_from_the_customers_own(self):
        for lang, expected in LANGUAGES:
            with self.subTest(lang=lang):
                if lang:
                    self.env["res.lang"]._activate_lang(lang)
                self.person.lang = lang
                self.assertEqual(self.person.frontpay_language, expected)

    def test_a_language_set_by_hand_stays(self):
        self.person.frontpay_language = "sv"
        self.person.name = "Karin Demokund"
        self.assertEqual(self.person.frontpay_language, "sv")

    def test_what_follows_from_odoos_fields_is_not_stored(self):
        """Also if a form sends it back as it was shown."""
        for name in (
            "frontpay_customer_type",
            "frontpay_organization_id",
            "frontpay_language",
        ):
            with self.subTest(field=name):
                self.organization[name] = self.organization[name]
                self.assertFalse(self.organization.sudo()[f"{name}_store"])

    def test_the_organization_number_is_taken_from_where_it_stands(self):
        for country, values, expected in ORGANIZATIONS:
            with self.subTest(country=country, **values):
                partner = self.env["res.partner"].create(
                    {
                        "name": "Demobedrift AS",
                        "is_company": True,
                        "country_id": country and self._country(country).id,
                        **values,
                    }
                )
                self.assertEqual(partner.frontpay_organization_id, expected)

    def test_the_number_at_bronnoysund_goes_before_the_vat_number(self):
        if "l10n_no_bronnoysund_number" not in self.organization._fields:
            self.skipTest("Odoo's Norwegian localisation isn't installed")
        self.organization.company_registry = False
        self.organization.l10n_no_bronnoysund_number = "313131319"
        self.organization.vat = "NO310000019MVA"
        self.assertEqual(self.organization.frontpay_organization_id, "313131319")

    def test_an_organization_number_set_by_hand_outlives_an_empty_source(self):
        self.organization.company_registry = False
        self.organization.frontpay_organization_id = "313131319"
        self.organization.vat = False
        self.organization.country_id = self._country("SE")
        self.assertEqual(self.organization.frontpay_organization_id, "313131319")

    def test_a_private_customers_vat_number_isnt_taken(self):
        self.person.country_id = self._country("SE")
        self.person.company_registry = "555555-5555"
        self.assertFalse(self.person.frontpay_organization_id)

    def test_a_wrong_organization_number_is_refused(self):
        for country, number, words in WRONG_ORGANIZATIONS:
            with self.subTest(number=number):
                self.organization.country_id = self._country(country)
                with self.assertRaises(ValidationError) as caught:
                    self.organization.frontpay_organization_id = number
                self.assertIn(words, str(caught.exception))
                self.assertIn("Demobedrift AS", str(caught.exception))

    def test_a_personal_number_is_kept_as_bare_digits(self):
        self.person.frontpay_personal_number = "178584 10193"
        self.assertEqual(self.person.frontpay_personal_number, SYNTHETIC)
        other = self.person.create(
            {"name": "Ola", "frontpay_personal_number": "178584-10193"}
        )
        self.assertEqual(other.frontpay_personal_number, SYNTHETIC)
        other.frontpay_personal_number = ""
        self.assertFalse(other.frontpay_personal_number)

    def test_a_wrong_personal_number_is_refused_without_being_shown(self):
        for number, words in WRONG_PERSONAL_NUMBERS:
            with self.subTest(words=words):
                with self.assertRaises(ValidationError) as caught:
                    self.person.frontpay_personal_number = number
                self.assertIn(words, str(caught.exception))
                self.assertIn("Kari Demokunde", str(caught.exception))
                self.assertNotIn(number[:6], str(caught.exception))
                self.assertFalse(self.person.frontpay_personal_number)

    def test_a_synthetic_number_is_refused_in_production_only(self):
        # The customer's company, the current one, and whether the number is taken.
        test, production = self.env["res.company"].create(
            [
                {"name": "Fjordlys Test", "frontpay_environment": "demo"},
                {"name": "Fjordlys Produksjon", "frontpay_environment": "production"},
            ]
        )
        nobody = self.env["res.company"]
        cases = (
            (test, test, True),
            (test, production, True),
            (nobody, test, True),
            (nobody, production, False),
            (production, test, False),
        )
        for owner, current, taken in cases:
            with self.subTest(owner=owner.name, current=current.name):
                partner = self.env["res.partner"].with_company(current)
                values = {
                    "name": "Kari Demokunde",
                    "company_id": owner.id,
                    "frontpay_personal_number": SYNTHETIC,
                }
                if taken:
                    partner.create(values)
                    continue
                with self.assertRaises(ValidationError) as caught:
                    partner.create(values)
                self.assertIn("made for testing", str(caught.exception))

    def test_a_synthetic_number_cant_move_into_production(self):
        production = self.env["res.company"].create(
            {"name": "Fjordlys Produksjon", "frontpay_environment": "production"}
        )
        self.person.frontpay_personal_number = SYNTHETIC
        with self.assertRaises(ValidationError) as caught:
            self.person.company_id = production
        self.assertIn("made for testing", str(caught.exception))

    def test_a_copy_has_no_customer_number(self):
        self.person.frontpay_customer_uuid = "CSRT1"
        self.assertFalse(self.person.copy().frontpay_customer_uuid)

    def test_contacts_show_what_their_commercial_partner_has(self):
        self.organization.frontpay_customer_uuid = "CSRT1"
        self.organization.frontpay_send_on_posting = "yes"
        contact = self.env["res.partner"].create(
            {"name": "Ola Prøvesen", "parent_id": self.organization.id}
        )
        self.assertEqual(contact.frontpay_customer_type, "corporate")
        self.assertEqual(contact.frontpay_organization_id, "310000019")
        self.assertEqual(contact.frontpay_customer_uuid, "CSRT1")
        self.assertEqual(contact.frontpay_send_on_posting, "yes")
        self.organization.frontpay_organization_id = "313131319"
        self.organization.frontpay_customer_type = "private"
        self.assertEqual(contact.frontpay_organization_id, "313131319")
        self.assertEqual(contact.frontpay_customer_type, "private")

    def test_a_private_customers_addresses_have_the_same_personal_number(self):
        self.person.frontpay_personal_number = SYNTHETIC
        cabin = self.env["res.partner"].create(
            {"name": "Cabin", "type": "invoice", "parent_id": self.person.id}
        )
        self.assertEqual(cabin.frontpay_personal_number, SYNTHETIC)
        self.person.frontpay_personal_number = False
        self.assertFalse(cabin.frontpay_personal_number)

    def test_a_number_entered_on_an_address_is_the_customers(self):
        cabin = self._contact("Cabin", self.person)
        cabin.frontpay_personal_number = SYNTHETIC
        self.assertEqual(self.person.frontpay_personal_number, SYNTHETIC)
        cabin.frontpay_personal_number = False
        self.assertFalse(self.person.frontpay_personal_number)

    def test_whoever_leaves_a_household_has_no_number(self):
        self.person.frontpay_personal_number = SYNTHETIC
        for values in ({"parent_id": False}, {"is_company": True}):
            with self.subTest(values):
                contact = self._contact("Ola Prøvesen", self.person)
                contact.write(values)
                self.assertFalse(contact.frontpay_personal_number)
        self.assertEqual(self.person.frontpay_personal_number, SYNTHETIC)

    def test_whoever_joins_a_household_brings_no_number(self):
        for values in ({"parent_id": self.person.id}, {"is_company": False}):
            with self.subTest(values):
                contact = self._contact("Ola Prøvesen", False)
                if "is_company" in values:
                    contact.write({"parent_id": self.person.id, "is_company": True})
                contact.frontpay_personal_number = SYNTHETIC
                contact.write(values)
                self.assertFalse(contact.frontpay_personal_number)
                self.assertFalse(self._numbers())
                contact.write({"parent_id": False})
                self.assertFalse(contact.frontpay_personal_number)

    def test_an_address_brings_no_number_along_with_its_household(self):
        contact = self._contact("Ola Prøvesen", False)
        contact.frontpay_personal_number = SYNTHETIC
        cabin = self._contact("Cabin", contact)
        contact.parent_id = self.person
        self.assertFalse(cabin.frontpay_personal_number)
        self.assertFalse(self._numbers())

    def test_addresses_are_found_by_their_customers_number(self):
        self.person.frontpay_personal_number = SYNTHETIC
        cabin = self._contact("Cabin", self.person)
        both = self.person + cabin
        domain = [("id", "in", both.ids)]
        for operator, value, found in (
            ("=", SYNTHETIC, both),
            ("!=", False, both),
            ("=", False, both - both),
        ):
            with self.subTest(operator, value=value):
                leaf = ("frontpay_personal_number", operator, value)
                self.assertEqual(both.search([*domain, leaf], order="id"), found)

    def _contact(self, name, parent):
        return self.env["res.partner"].create(
            {"name": name, "parent_id": parent and parent.id}
        )

    def _numbers(self):
        return self.env["frontpay.personal.number"].sudo().search([])

    def test_a_customer_has_a_number_of_its_own_at_each_company(self):
        company = self.env["res.company"].create({"name": "Fjordlys Test"})
        self.person.frontpay_customer_uuid = "CSRT1"
        self.assertFalse(self.person.with_company(company).frontpay_customer_uuid)

    def test_contacts_have_their_commercial_partners_agreement(self):
        contact = self.env["res.partner"].create(
            {"name": "Ola Prøvesen", "parent_id": self.organization.id}
        )
        self.organization.write(OVERRIDES)
        for name, value in OVERRIDES.items():
            with self.subTest(field=name):
                self.assertEqual(contact[name], value)

    def test_an_agreement_holds_for_one_company(self):
        company = self.env["res.company"].create({"name": "Fjordlys Test"})
        self.organization.write(OVERRIDES)
        for name in OVERRIDES:
            with self.subTest(field=name):
                self.assertFalse(self.organization.with_company(company)[name])
                self.assertFalse(self.organization.copy()[name])

    def test_an_accountant_enters_it_all_on_the_form(self):
        self.accountant.group_ids += self.env.ref("base.group_partner_manager")
        with Form(self.person.with_user(self.accountant)) as form:
            form.frontpay_masked_number = "178584 10193"
            form.frontpay_language = "sv"
            form.frontpay_channel = "efaktura"
            form.frontpay_invoice_interval = "1"
            form.frontpay_separate_invoices = "no"
            form.frontpay_invoice_fee = "yes"
        self.assertEqual(self.person.frontpay_personal_number, SYNTHETIC)
        self.assertEqual(self.person.frontpay_language, "sv")
        self.assertEqual(self.person.frontpay_channel, "efaktura")
        self.assertEqual(self.person.frontpay_invoice_interval, "1")
        self.assertEqual(self.person.frontpay_separate_invoices, "no")
        self.assertEqual(self.person.frontpay_invoice_fee, "yes")

    def test_others_see_none_of_it_on_the_form(self):
        for user, expected in (
            (self.accountant, set(FIELDS) - {"frontpay_personal_number"}),
            (self.salesperson, set()),
        ):
            view = self.env["res.partner"].with_user(user).get_view(view_type="form")
            names = {node.get("name") for node in etree.fromstring(view["arch"]).iter()}
            with self.subTest(user=user.login):
                self.assertEqual(names & set(FIELDS), expected)

    def test_others_can_neither_read_search_nor_write_it(self):
        portal = new_test_user(self.env, "frontpay_portal", "base.group_portal")
        for user in (self.salesperson, portal):
            partner = user.partner_id.with_user(user)
            for name in FIELDS:
                with self.subTest(user=user.login, field=name):
                    with self.assertRaises(AccessError):
                        partner.read([name])
                    with self.assertRaises(AccessError):
                        partner.search([(name, "!=", False)])
                    with self.assertRaises(AccessError):
                        partner.write({name: False})
                    self.assertNotIn(name, partner.fields_get())

    def test_others_go_on_with_their_customers_all_the_same(self):
        self.person.frontpay_personal_number = SYNTHETIC
        person = self.person.with_user(self.salesperson)
        contact = person.create({"name": "Ola", "parent_id": self.organization.id})
        contact.parent_id = person
        person.company_id = self.env.company
        person.write({"name": "Kari", "lang": "en_US", "country_id": self.norway.id})
        person.copy()
        self.assertEqual(contact.sudo().frontpay_personal_number, SYNTHETIC)

    def _country(self, code):
        return self.env["res.country"].search([("code", "=", code)])


@tagged("post_install", "-at_install", "frontpay")
class TestPartnerPortal(HttpCase):
    def test_the_portals_address_form_writes_nothing_here(self):
        user = new_test_user(self.env, "frontpay_portal", "base.group_portal")
        user.partner_id.sudo().frontpay_personal_number = SYNTHETIC
        self.authenticate(user.login, user.login)
        answer = self.url_open(
            "/my/address/submit",
            data={
                "csrf_token": Request.csrf_token(self),
                "partner_id": user.partner_id.id,
                "name": user.name,
                "email": user.email,
                "phone": "+47 406 12 345",
                "street": "Testveien 2",
                "city": "Oslo",
                "zip": "0150",
                "country_id": self.env.ref("base.no").id,
                "frontpay_customer_type": "corporate",
                "frontpay_personal_number": "17458410100",
                "frontpay_organization_id": "310000019",
                "frontpay_language": "da",
                "frontpay_customer_uuid": "CSRT1",
                **OVERRIDES,
            },
        )
        self.assertNotIn("invalid_fields", answer.json())
        partner = user.partner_id.sudo()
        self.assertEqual(partner.city, "Oslo")
        self.assertEqual(partner.frontpay_customer_type, "private")
        self.assertEqual(partner.frontpay_personal_number, SYNTHETIC)
        self.assertFalse(partner.frontpay_organization_id)
        self.assertNotEqual(partner.frontpay_language, "da")
        self.assertFalse(partner.frontpay_customer_uuid)
        for name in OVERRIDES:
            self.assertFalse(partner[name])

    @mute_logger("odoo.http")
    def test_a_portal_user_reads_nothing_over_the_api(self):
        user = new_test_user(self.env, "frontpay_portal", "base.group_portal")
        self.authenticate(user.login, user.login)
        answer = self.url_open(
            "/web/dataset/call_kw/res.partner/read",
            json={
                "params": {
                    "model": "res.partner",
                    "method": "read",
                    "args": [user.partner_id.ids, ["frontpay_personal_number"]],
                    "kwargs": {},
                }
            },
        ).json()
        self.assertEqual(answer["error"]["data"]["name"], "odoo.exceptions.AccessError")
