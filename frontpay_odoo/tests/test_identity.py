from odoo.tests import BaseCase, tagged

from odoo.addons.frontpay_odoo.connect import identity
from odoo.addons.frontpay_odoo.connect.invalid import Invalid

# Nobody has these numbers: they are synthetic, or name a birth date before 1900, when
# no numbers were given out. Text, digits where test numbers are allowed, and where
# they aren't; a word instead of digits is the reason for refusing.
PERSONAL_NUMBERS = (
    ("17858410193", "17858410193", "synthetic"),  # Skatteetaten: month + 80
    ("57858410187", "57858410187", "synthetic"),  # the same with a D-number
    ("17458410100", "17458410100", "synthetic"),  # NAV: month + 40
    ("57458410285", "57458410285", "synthetic"),  # the same with a D-number
    ("01850050089", "01850050089", "synthetic"),  # born in 2000
    ("01015560041", "01015560041", "01015560041"),  # 1 January 1855
    ("41015560035", "41015560035", "41015560035"),  # the same as a D-number
    ("29025660097", "29025660097", "29025660097"),  # 29 February of a leap year
    ("178584 10193", "17858410193", "synthetic"),
    ("178584-10193", "17858410193", "synthetic"),
    (" 17 85 84 101 93\t", "17858410193", "synthetic"),
    ("178584\N{NO-BREAK SPACE}10193", "17858410193", "synthetic"),
    ("178584\N{EN DASH}10193", "17858410193", "synthetic"),
    ("", "missing", "missing"),
    (" - ", "missing", "missing"),
    (None, "missing", "missing"),
    (False, "missing", "missing"),
    ("1785841019", "eleven_digits", "eleven_digits"),
    ("178584101930", "eleven_digits", "eleven_digits"),
    ("1785841019x", "eleven_digits", "eleven_digits"),
    ("+17858410193", "eleven_digits", "eleven_digits"),
    ("١٧٨٥٨٤١٠١٩٣", "eleven_digits", "eleven_digits"),
    ("17858410183", "check_digits", "check_digits"),  # first check digit wrong
    ("17858410194", "check_digits", "check_digits"),  # second check digit wrong
    ("17858401193", "check_digits", "check_digits"),  # two digits swapped
    ("00000000000", "birth_date", "birth_date"),
    ("30828410101", "birth_date", "birth_date"),  # 30 February
    ("29025560076", "birth_date", "birth_date"),  # 29 February, no leap year
    ("01938410166", "birth_date", "birth_date"),  # month 13 + 80
    ("01808410067", "birth_date", "birth_date"),  # month 0 + 80
    ("01408410084", "birth_date", "birth_date"),  # month 0 + 40
    ("01005560051", "birth_date", "birth_date"),  # month 0
    ("00015560002", "birth_date", "birth_date"),  # day 0
    ("32015560184", "birth_date", "birth_date"),  # day 32
    ("40015560187", "birth_date", "birth_date"),  # day 0 of a D-number
    ("81015560029", "birth_date", "birth_date"),  # a hospital's number for a patient
    ("31923990073", "birth_date", "birth_date"),  # not born yet
    ("17854560034", "birth_date", "birth_date"),  # no century has that serial number
)
# Text, country, and the number or the reason for refusing.
ORGANISATION_NUMBERS = (
    ("310000019", "NO", "310000019"),
    ("310 000 019", "NO", "310000019"),
    ("310.000.019", "NO", "310000019"),
    ("NO310000019MVA", "NO", "310000019"),
    ("NO 310 000 019 MVA", "NO", "310000019"),
    ("310000019mva", "NO", "310000019"),
    ("no-310000019", "no", "310000019"),
    ("310000019\N{NO-BREAK SPACE}MVA", "NO", "310000019"),
    ("310000018", "NO", "check_digit"),
    ("310000091", "NO", "check_digit"),
    ("31000001", "NO", "nine_digits"),
    ("3100000190", "NO", "nine_digits"),
    ("SE310000019", "NO", "nine_digits"),
    ("MVA", "NO", "nine_digits"),
    ("٣١٠٠٠٠٠١٩", "NO", "nine_digits"),
    ("", "NO", "missing"),
    (" .-", "NO", "missing"),
    (None, "NO", "missing"),
    (False, "SE", "missing"),
    ("555555-5555", "SE", "5555555555"),
    ("SE555555555501", "SE", "SE555555555501"),
    ("de 123.456.789", "DE", "DE123456789"),
    ("310000018", "SE", "310000018"),
    ("NO310000019MVA", "", "NO310000019MVA"),
    ("NO310000019MVA", None, "NO310000019MVA"),
    ("5555/5555", "SE", "alphanumeric"),
    ("5555_5555", "SE", "alphanumeric"),
    ("ÅÄÖ5555", "SE", "alphanumeric"),
    ("5555\n<b>", "SE", "alphanumeric"),
)


@tagged("post_install", "-at_install", "frontpay")
class TestIdentity(BaseCase):
    def test_a_personal_number_is_taken_or_refused_with_its_reason(self):
        for text, with_synthetic, without in PERSONAL_NUMBERS:
            for allowed, expected in ((True, with_synthetic), (False, without)):
                with self.subTest(text=text, synthetic_allowed=allowed):
                    found = _found(identity.personal_number, text, allowed)
                    self.assertEqual(found, expected)

    def test_every_single_mistyped_digit_is_noticed(self):
        number = "17858410193"
        for place in range(11):
            for digit in "0123456789".replace(number[place], ""):
                mistyped = number[:place] + digit + number[place + 1 :]
                with self.subTest(place=place, digit=digit):
                    self.assertEqual(
                        _found(identity.personal_number, mistyped, True), "check_digits"
                    )

    def test_an_organisation_number_is_taken_or_refused_with_its_reason(self):
        for text, country, expected in ORGANISATION_NUMBERS:
            with self.subTest(text=text, country=country):
                found = _found(identity.organisation_number, text, country)
                self.assertEqual(found, expected)

    def test_the_exception_never_holds_the_number(self):
        for text in ("17858410194", "178584 10194", "1785841019"):
            with self.subTest(text=text), self.assertRaises(Invalid) as caught:
                identity.personal_number(text, True)
            self.assertNotIn("1785", f"{caught.exception!r} {caught.exception}")
            self.assertIsNone(caught.exception.__cause__)


def _found(check, *arguments):
    """What the check returns, or its reason for refusing."""
    try:
        return check(*arguments)
    except Invalid as invalid:
        return invalid.reason
