from odoo.tests import tagged

from odoo.addons.frontpay_odoo.connect.channels import CHANNELS
from odoo.addons.frontpay_odoo.connect.order import CallbackAddresses
from odoo.addons.frontpay_odoo.mapping import channel_of, order_of
from odoo.addons.frontpay_odoo.mapping.customer import customer_of

from .common import ORGANIZATION_NUMBER, FrontpayCommon

CALLBACKS = CallbackAddresses(callback="", success="", failure="")
# Fields of the customer, those of its contact, and what the order has of them.
CUSTOMERS = (
    ({"lang": "nb_NO"}, None, {"language": "no"}),
    ({"lang": "nn_NO"}, None, {"language": "no"}),
    ({"lang": "sv_SE"}, None, {"language": "sv"}),
    ({"lang": "fr_FR"}, None, {"language": "en"}),
    ({"zip": " 0010 "}, None, {"address.zip": "0010"}),
    ({"zip": "SW1A 1AA"}, None, {"address.zip": "SW1A 1AA"}),
    ({"street2": "H0201"}, None, {"address.street": "Prøvegata 14, H0201"}),
    (
        {"street2": "H0201"},
        {"street": False, "city": "Oslo"},
        {"address.street": "Prøvegata 14, H0201", "address.city": "Trondheim"},
    ),
    (
        {},
        {"name": "Berit Prøvebaker", "email": "berit@example.com"},
        {"name": "Bakeriet Prøve AS", "email": "berit@example.com"},
    ),
    (
        {"phone": "+47 406 12 345"},
        {"phone": False, "email": False},
        {"msisdn": "40612345", "email": "post@example.com", "type": "corporate"},
    ),
    (
        {},
        {"street": "Provgatan 3", "zip": "411 01", "city": "Göteborg"},
        {"address.zip": "411 01", "organization_id": ORGANIZATION_NUMBER},
    ),
    ({"frontpay_language": "sv"}, {"lang": "en_US"}, {"language": "sv"}),
    (
        {"email": "kari@; post@example.com, ola@example.com"},
        None,
        {"email": "post@example.com"},
    ),
)
# Fields of the customer, and the note that the order gets of them, if any.
NOTES = (
    ({"email": "Kari Prøvebruker <kari@example.com>"}, None),
    (
        {"email": "kari@example.com; ola@example.com"},
        "Kari Prøvebruker has several e-mail addresses in one field. Front Payment"
        " takes one and gets kari@example.com.",
    ),
    (
        {"email": "kari@; ola@example.com"},
        "Kari Prøvebruker has several e-mail addresses in one field. Front Payment"
        " takes one and gets ola@example.com.",
    ),
    ({"phone": "406 12 345"}, None),
    ({"phone": "+1 202 555 0123"}, None),  # may be either
    (
        {"phone": "22 12 34 56"},
        "Kari Prøvebruker has a phone number that isn't a mobile's: no SMS can reach"
        " it.",
    ),
)
# The company's setting, the customer's own, and what holds.
AGREEMENTS = (
    ("interval", "frontpay_invoice_interval", "0", False, 0),
    ("interval", "frontpay_invoice_interval", "0", "2", 2),
    ("interval", "frontpay_invoice_interval", "1", "0", 0),
    ("separate", "frontpay_separate_invoices", True, False, True),
    ("separate", "frontpay_separate_invoices", True, "no", False),
    ("separate", "frontpay_separate_invoices", False, False, False),
    ("separate", "frontpay_separate_invoices", False, "yes", True),
    ("fee", "frontpay_invoice_fee", False, False, False),
    ("fee", "frontpay_invoice_fee", False, "yes", True),
    ("fee", "frontpay_invoice_fee", True, False, True),
    ("fee", "frontpay_invoice_fee", True, "no", False),
)


@tagged("post_install", "-at_install", "frontpay")
class TestCustomer(FrontpayCommon):
    """What becomes of the customer's fields on the way to the order."""

    def test_identity_comes_from_the_company_and_contact_from_the_person(self):
        for values, contact_values, expected in CUSTOMERS:
            with self.subTest(values, contact=contact_values), self.undone():
                if values.get("lang"):
                    self.env["res.lang"]._activate_lang(values["lang"])
                customer = self.corporate
                customer.write(values)
                if contact_values is not None:
                    contact_values = {"parent_id": customer.id} | contact_values
                    contact_values = {"name": "Berit Prøvebaker"} | contact_values
                    customer = self._customer(type="invoice", **contact_values)
                order = self._order(self.invoice(customer=customer))
                for path, value in expected.items():
                    found = order.customer
                    for name in path.split("."):
                        found = getattr(found, name)
                    self.assertEqual(found, value)

    def test_what_is_worth_knowing_is_kept_with_the_order(self):
        move = self.invoice()
        for values, note in NOTES:
            with self.subTest(values), self.undone():
                self.private.write(values)
                self.assertEqual(self._order(move).notes, (note,) if note else ())
                move.action_frontpay_send()
                self.assertEqual(move.frontpay_order_ids.note or None, note)
                told = "".join(move.message_ids.mapped("body"))
                self.assertEqual("SMS" in told or "several" in told, bool(note))

    def test_a_customers_agreement_goes_before_the_companys_setting(self):
        move = self.invoice()
        for term, field, setting, own, expected in AGREEMENTS:
            with self.subTest(field, setting=setting, own=own), self.undone():
                self.company[field] = setting
                self.private.with_company(self.company)[field] = own
                self.assertEqual(getattr(self._order(move).terms, term), expected)

    def test_a_customers_channel_goes_before_the_companys(self):
        move = self.invoice()
        self.assertEqual(channel_of(move), "session")
        self.company.frontpay_channel = "invoice"
        self.assertEqual(channel_of(move), "invoice")
        for channel, kinds in CHANNELS.items():
            self.private.with_company(self.company).frontpay_channel = channel
            with self.subTest(channel):
                self.assertEqual(channel_of(move), channel)
                if "private" not in kinds.customer_types:
                    continue
                with self.undone():
                    move.action_frontpay_send()
                    self.assertEqual(move.frontpay_order_ids.channel, channel)

    def test_a_companys_own_channel_goes_before_the_one_for_companies(self):
        move = self.invoice(customer=self.corporate)
        self.company.frontpay_corporate_channel = "ehf"
        self.assertEqual(channel_of(move), "ehf")
        self.assertEqual(channel_of(self.invoice()), "session")
        self.corporate.with_company(self.company).frontpay_channel = "invoice"
        self.assertEqual(channel_of(move), "invoice")

    def test_an_order_is_written_for_the_channel_that_is_asked_for(self):
        """An update goes by its order's channel, whatever the customer has now."""
        self.private.frontpay_personal_number = False
        move = self.invoice()
        for own, asked, problem in (
            ("session", "payment_link", None),
            ("payment_link", "session", "has no personal number"),
            ("session", "ehf", "can't be reached by the channel “EHF”"),
            ("ehf", "payment_link", None),
        ):
            self.private.with_company(self.company).frontpay_channel = own
            with self.subTest(own=own, asked=asked):
                order, problems = order_of(move, asked, CALLBACKS, move.name)
                self.assertEqual(bool(order), not problem)
                if problem:
                    self.assertIn(problem, problems[0].message)

    def test_what_is_wrong_is_told_and_empty_in_the_customer(self):
        self.private.write({"email": "kari@", "phone": "22 12 34 56"})
        customer, problems, notes = customer_of(self.invoice(), CHANNELS["session"])
        self.assertEqual((customer.email, customer.msisdn), ("", "22123456"))
        self.assertEqual([problem.record for problem in problems], [self.private])
        self.assertEqual(len(notes), 1)

    def test_the_agreement_is_that_with_the_invoices_company(self):
        move = self.invoice()
        other = self.env["res.company"].create({"name": "Fjordlys Test"})
        self.env.user.company_ids += other
        self.private.with_company(other).frontpay_channel = "efaktura"
        companies = (other + self.company).ids
        move = move.with_context(allowed_company_ids=companies)
        self.assertEqual(move.env.company, other)
        self.assertEqual(channel_of(move), "session")

    def _order(self, move):
        order, problems = order_of(move, channel_of(move), CALLBACKS, move.name)
        self.assertFalse(problems)
        return order
