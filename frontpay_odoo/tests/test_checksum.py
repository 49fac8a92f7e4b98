import hashlib

from odoo.tests import BaseCase, tagged

from odoo.addons.frontpay_odoo.connect.checksum import checksum, is_signed

# Section 17.3 of the API reference: the documentation's example with secret SECRET.
EXAMPLE = (
    ("orderUuid", "ODR123"),
    ("status", "success"),
    ("paymentMethod", "Visa"),
    ("amount", "100"),
    ("createdAt", "1755764131"),
    ("timestamp", "1755764131"),
)
SECRET = "SECRET"
CURRENT = "feb34fcc5f2f67842600a155fed47095253ca50ab7e8443bf6ca6382fd500f03"
NAMED_ORDER = "e3cf1d061dee032df06d1125634d74753f0cf0eaf1696d59ac4e269c92c43fa5"
WITHOUT_AMOUNT = "c97111e652d281272bb3db056cfa017581567df062b32ecacaa07ff57f516de2"


@tagged("post_install", "-at_install", "frontpay")
class TestChecksum(BaseCase):
    def test_the_documented_example_has_its_checksum(self):
        self.assertEqual(checksum(EXAMPLE, SECRET), CURRENT)
        self.assertTrue(is_signed(EXAMPLE, CURRENT, SECRET))

    def test_what_does_not_fit(self):
        values = "".join(value for _name, value in EXAMPLE)
        for reason, received in (
            ("the formula before r1179", NAMED_ORDER),
            ("the formula of r936", WITHOUT_AMOUNT),
            ("nothing", ""),
            ("one digit more", CURRENT + "0"),
            ("one digit less", CURRENT[:-1]),
            ("another last digit", CURRENT[:-1] + "4"),
            ("an asterisk", "*"),
            ("letters beyond ASCII", "ø" * 64),
            ("no secret", hashlib.sha256(values.encode()).hexdigest()),
            ("SHA-1", hashlib.sha1((values + SECRET).encode()).hexdigest()),
        ):
            with self.subTest(reason):
                self.assertFalse(is_signed(EXAMPLE, received, SECRET))

    def test_capitals_fit_too(self):
        self.assertTrue(is_signed(EXAMPLE, CURRENT.upper(), SECRET))

    def test_the_order_of_the_parameters_matters(self):
        turned = EXAMPLE[::-1]
        self.assertFalse(is_signed(turned, CURRENT, SECRET))
        self.assertTrue(is_signed(turned, checksum(turned, SECRET), SECRET))

    def test_every_value_matters(self):
        for place, (name, value) in enumerate(EXAMPLE):
            with self.subTest(name):
                changed = list(EXAMPLE)
                changed[place] = (name, value + "0")
                self.assertFalse(is_signed(changed, CURRENT, SECRET))

    def test_the_checksum_itself_is_left_out_wherever_it_stands(self):
        for place in range(len(EXAMPLE) + 1):
            with self.subTest(place):
                pairs = list(EXAMPLE)
                pairs.insert(place, ("checksum", CURRENT))
                self.assertTrue(is_signed(pairs, CURRENT, SECRET))

    def test_a_parameter_unknown_to_us_is_hashed_like_the_others(self):
        pairs = [*EXAMPLE, ("terminal", "7")]
        self.assertFalse(is_signed(pairs, CURRENT, SECRET))
        text = "ODR123successVisa100175576413117557641317SECRET"
        received = hashlib.sha256(text.encode()).hexdigest()
        self.assertTrue(is_signed(pairs, received, SECRET))

    def test_letters_are_hashed_as_utf_8(self):
        received = hashlib.sha256(b"bl\xc3\xa5b\xc3\xa6rSECRET").hexdigest()
        self.assertTrue(is_signed([("x", "blåbær")], received, SECRET))

    def test_without_a_secret_nothing_fits(self):
        for secret in ("", None, False):
            with self.subTest(secret=secret):
                received = checksum(EXAMPLE, "")
                self.assertFalse(is_signed(EXAMPLE, received, secret))
