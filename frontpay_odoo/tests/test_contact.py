from odoo.tests import BaseCase, tagged

from odoo.addons.frontpay_odoo.connect import contact
from odoo.addons.frontpay_odoo.connect.invalid import Invalid

# Text, country of the customer, and (calling code, number, mobile) or the reason.
PHONES = (
    ("40612345", "NO", ("+47", "40612345", True)),
    ("406 12 345", "NO", ("+47", "40612345", True)),
    ("+47 406 12 345", "NO", ("+47", "40612345", True)),
    ("+4740612345", None, ("+47", "40612345", True)),
    ("+47 406 12 345", "SE", ("+47", "40612345", True)),
    ("0047 406 12 345", "NO", ("+47", "40612345", True)),
    ("tel:+47-406-12-345", "NO", ("+47", "40612345", True)),
    ("\N{NO-BREAK SPACE}406\N{NO-BREAK SPACE}12\N{NO-BREAK SPACE}345", "no",
     ("+47", "40612345", True)),
    ("21 23 45 67", "NO", ("+47", "21234567", False)),
    ("+46 70 174 06 05", "NO", ("+46", "701740605", True)),
    ("070-174 06 05", "SE", ("+46", "701740605", True)),
    ("+45 34 41 23 45", "NO", ("+45", "34412345", True)),
    ("+49 1512 3456789", "NO", ("+49", "15123456789", True)),
    ("+44 7400 123456", "NO", ("+44", "7400123456", True)),
    ("020 7946 0018", "GB", ("+44", "2079460018", False)),
    ("041 2345678", "FI", ("+358", "412345678", True)),
    ("+358 9 1234567", "NO", ("+358", "91234567", False)),
    ("611 1234", "IS", ("+354", "6111234", True)),
    ("+31 6 12345678", "NO", ("+31", "612345678", True)),
    ("06 12 34 56 78", "FR", ("+33", "612345678", True)),
    ("512 345 678", "PL", ("+48", "512345678", True)),
    ("+370 612 34567", "NO", ("+370", "61234567", True)),
    ("(201) 555-0123", "US", ("+1", "2015550123", True)),
    ("40612345", None, "calling_code"),
    ("40612345", "", "calling_code"),
    ("40612345", "??", "calling_code"),
    ("+999 12345678", "NO", "calling_code"),
    ("4061234", "NO", "phone_number"),
    ("406123456", "NO", "phone_number"),
    ("+47 11 11 11 11", "NO", "phone_number"),
    ("112", "NO", "phone_number"),
    ("ring Kari", "NO", "phone_format"),
    ("-", "NO", "phone_format"),
    ("4", "NO", "phone_format"),
    ("4" * 300, "NO", "phone_format"),
    ("", "NO", "missing"),
    ("  ", "NO", "missing"),
    (None, "NO", "missing"),
    (False, "NO", "missing"),
)  # fmt: skip
EMAILS = (
    ("kari@example.com", "kari@example.com"),
    (" kari@example.com ", "kari@example.com"),
    (
        "Kari.Nordmann+faktura@mail.example.com",
        "Kari.Nordmann+faktura@mail.example.com",
    ),
    ("o'brien@example.com", "o'brien@example.com"),
    ("kari@EXAMPLE.com", "kari@EXAMPLE.com"),
    ("Kari <kari@example.com>", "kari@example.com"),
    ('"Demokunde, Kari" <kari@example.com>', "kari@example.com"),
    ("kari@example.com, ola@example.com", "kari@example.com"),
    ("kari@example.com;ola@example.com", "kari@example.com"),
    ("kari@example.com\nola@example.com", "kari@example.com"),
    ("kari@, ola@example.com", "ola@example.com"),
    ("post@blåbær.example.com", "post@xn--blbr-roah.example.com"),
    ("kari", "email"),
    ("kari@", "email"),
    ("@example.com", "email"),
    ("kari@example", "email"),
    ("kari@example..com", "email"),
    ("kari@-example.com", "email"),
    ("kari@example.com.", "email"),
    (".kari@example.com", "email"),
    ("ka..ri@example.com", "email"),
    ("kåre@example.com", "email"),
    ("kari@ola@example.com", "email"),
    ("kari@[127.0.0.1]", "email"),
    (f"kari@{'a' * 64}.example.com", "email"),
    (f"{'a' * 250}@example.com", "email"),
    ("", "missing"),
    (" \t", "missing"),
    (None, "missing"),
    (False, "missing"),
)
COUNTRIES = (
    ("NO", "NO"),
    ("no", "NO"),
    (" se ", "SE"),
    ("GB", "GB"),
    ("SJ", "SJ"),
    ("XK", "country"),  # Kosovo in Odoo
    ("XI", "country"),  # Northern Ireland in Odoo
    ("UK", "country"),
    ("EU", "country"),
    ("N", "country"),
    ("NOR", "country"),
    ("47", "country"),
    ("", "missing"),
    (None, "missing"),
    (False, "missing"),
)


@tagged("post_install", "-at_install", "frontpay")
class TestContact(BaseCase):
    def test_a_phone_number_is_taken_apart_or_refused_with_its_reason(self):
        for text, country, expected in PHONES:
            with self.subTest(text=text, country=country):
                self.assertEqual(_found(contact.phone, text, country), expected)

    def test_the_first_valid_email_address_is_found(self):
        for text, expected in EMAILS:
            with self.subTest(text=text):
                self.assertEqual(_found(contact.email, text), expected)

    def test_a_country_is_an_iso_code_or_refused(self):
        for code, expected in COUNTRIES:
            with self.subTest(code=code):
                self.assertEqual(_found(contact.country, code), expected)

    def test_the_reason_never_holds_what_was_typed(self):
        for check, text in ((contact.email, "kari@"), (contact.country, "Kari")):
            with self.subTest(text=text), self.assertRaises(Invalid) as caught:
                check(text)
            self.assertNotIn("ari", str(caught.exception))


def _found(check, *arguments):
    """What the check returns, or its reason for refusing."""
    try:
        return check(*arguments)
    except Invalid as invalid:
        return invalid.reason
