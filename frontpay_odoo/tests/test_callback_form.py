import hashlib
from datetime import UTC, datetime

from odoo.tests import BaseCase, tagged

from odoo.addons.frontpay_odoo.connect import callback

from .common import SECRET, callback_pairs

# What is different from the usual callback, and whether it can be read all the same.
READABLE = (
    {},
    {"status": "success"},
    {"status": "Purring"},
    {"status": "PARTIAL REFUNDED"},
    {"status": "PARTIALLY_REFUNDED"},
    {"status": "P" * 32},
    {"paymentMethod": ""},
    {"paymentMethod": None},
    {"paymentMethod": "Google Pay"},
    {"paymentMethod": "American Express & Co."},
    {"amount": "0"},
    {"amount": "100"},
    {"amount": "100.5"},
    {"amount": "123456789012.99"},
    {"createdAt": "1000000000"},
    {"timestamp": "9999999999"},
    {"orderUuid": "ODR" + "9" * 20},
    {"checksum": "F" * 64},
    {"checksum": "~"},
    {"terminal": "blåbær"},
)
# And the parameter that the log names where it can't.
MALFORMED = (
    ({"orderUuid": None}, "orderUuid"),
    ({"orderUuid": ""}, "orderUuid"),
    ({"orderUuid": "ODR"}, "orderUuid"),
    ({"orderUuid": "odr1"}, "orderUuid"),
    ({"orderUuid": "ODR1 "}, "orderUuid"),
    ({"orderUuid": "ODR1.5"}, "orderUuid"),
    ({"orderUuid": "ODR١"}, "orderUuid"),
    ({"orderUuid": "ODR" + "9" * 21}, "orderUuid"),
    ({"orderUuid": "CSRT1"}, "orderUuid"),
    ({"orderUuid": "../ODR1"}, "orderUuid"),
    ({"orderUuid": "ODR1' OR '1'='1"}, "orderUuid"),
    ({"status": None}, "status"),
    ({"status": ""}, "status"),
    ({"status": " PAID"}, "status"),
    ({"status": "PAID!"}, "status"),
    ({"status": "<b>PAID</b>"}, "status"),
    ({"status": "PÅID"}, "status"),
    ({"status": "P" * 33}, "status"),
    ({"paymentMethod": "V" * 65}, "paymentMethod"),
    ({"paymentMethod": "<script>"}, "paymentMethod"),
    ({"amount": None}, "amount"),
    ({"amount": ""}, "amount"),
    ({"amount": "-125.00"}, "amount"),
    ({"amount": "+125.00"}, "amount"),
    ({"amount": "125,00"}, "amount"),
    ({"amount": "125.001"}, "amount"),
    ({"amount": "125."}, "amount"),
    ({"amount": ".50"}, "amount"),
    ({"amount": "1e3"}, "amount"),
    ({"amount": "NaN"}, "amount"),
    ({"amount": "Infinity"}, "amount"),
    ({"amount": "0x7D"}, "amount"),
    ({"amount": "1_000"}, "amount"),
    ({"amount": "١٢٥"}, "amount"),
    ({"amount": "1" * 13}, "amount"),
    ({"createdAt": None}, "createdAt"),
    ({"createdAt": "yesterday"}, "createdAt"),
    ({"createdAt": "-1"}, "createdAt"),
    ({"createdAt": "0"}, "createdAt"),
    ({"createdAt": "999999999"}, "createdAt"),
    ({"createdAt": "1755764131.5"}, "createdAt"),
    ({"timestamp": None}, "timestamp"),
    ({"timestamp": ""}, "timestamp"),
    ({"timestamp": "1" * 11}, "timestamp"),
    ({"checksum": None}, "checksum"),
    ({"checksum": ""}, "checksum"),
    ({"checksum": "f" * 129}, "checksum"),
    ({"checksum": "a b"}, "checksum"),
    ({"status": "PAID\n"}, "a parameter is no plain text"),
    ({"terminal": "\x00"}, "a parameter is no plain text"),
    ({"terminal": "7\r\nPAID"}, "a parameter is no plain text"),
    ({"terminal": "\ud800"}, "a parameter is no plain text"),
    ({"term\x1bnal": "7"}, "a parameter is no plain text"),
)
# Query strings and form bodies as they come, and their parameters in their order.
PAIRS = (
    (b"", []),
    (b"b=2&a=1", [("b", "2"), ("a", "1")]),
    (b"a=&b=1", [("a", ""), ("b", "1")]),
    (b"a=1&a=2", [("a", "1"), ("a", "2")]),
    (b"a=Google+Pay", [("a", "Google Pay")]),
    (b"a=Google%20Pay", [("a", "Google Pay")]),
    (b"a=bl%C3%A5b%C3%A6r", [("a", "blåbær")]),
    ("a=blåbær".encode(), [("a", "blåbær")]),
    (b"a=1%2B1", [("a", "1+1")]),
    (b"a=100.00", [("a", "100.00")]),
)
JSON_PAIRS = (
    (b'{"b": "2", "a": "1"}', [("b", "2"), ("a", "1")]),
    # A number keeps the text that it was written with: that is what was hashed.
    (b'{"a": 100.00, "b": 1755764131}', [("a", "100.00"), ("b", "1755764131")]),
)

# Section 17.3 of the API reference: the documentation's example with secret SECRET.
EXAMPLE = (
    ("orderUuid", "ODR123"),
    ("status", "success"),
    ("paymentMethod", "Visa"),
    ("amount", "100"),
    ("createdAt", "1755764131"),
    ("timestamp", "1755764131"),
)
CURRENT = "feb34fcc5f2f67842600a155fed47095253ca50ab7e8443bf6ca6382fd500f03"
NAMED_ORDER = "e3cf1d061dee032df06d1125634d74753f0cf0eaf1696d59ac4e269c92c43fa5"
WITHOUT_AMOUNT = "c97111e652d281272bb3db056cfa017581567df062b32ecacaa07ff57f516de2"


@tagged("post_install", "-at_install", "frontpay")
class TestCallbackForm(BaseCase):
    def test_what_a_callback_tells(self):
        pairs = callback_pairs(timestamp="1755764131")
        parsed = callback.parse(pairs)
        self.assertEqual(parsed.order_uuid, "ODR1")
        self.assertEqual(parsed.status, "PAID")
        self.assertEqual(parsed.sent_at, datetime(2025, 8, 21, 8, 15, 31, tzinfo=UTC))
        self.assertEqual(list(parsed.pairs), pairs)

    def test_what_can_be_read(self):
        for changes in READABLE:
            with self.subTest(**changes):
                pairs = callback_pairs(**{"checksum": "f" * 64} | changes)
                self.assertEqual(list(callback.parse(pairs).pairs), pairs)

    def test_what_is_malformed(self):
        for changes, told in MALFORMED:
            with (
                self.subTest(**changes),
                self.assertRaises(callback.Malformed) as caught,
            ):
                callback.parse(callback_pairs(**{"checksum": "f" * 64} | changes))
            self.assertEqual(str(caught.exception), told)

    def test_no_parameter_may_come_twice(self):
        for pair in callback_pairs():
            with self.subTest(pair[0]), self.assertRaises(callback.Malformed):
                callback.parse([*callback_pairs(), pair])

    def test_parameters_are_decoded_and_keep_their_order(self):
        for raw, pairs in PAIRS:
            with self.subTest(raw):
                self.assertEqual(callback.parse_pairs(raw), pairs)
        for raw, pairs in JSON_PAIRS:
            with self.subTest(raw):
                self.assertEqual(callback.parse_json(raw), pairs)

    def test_what_is_no_query_string(self):
        for raw in (b"a=%ff", b"a=%C3%28", b"a=\xff", b"a=" + b"1" * 4095):
            with self.subTest(raw[:20]), self.assertRaises(callback.Malformed):
                callback.parse_pairs(raw)

    def test_what_is_no_json_object(self):
        for raw in (
            b"",
            b"{",
            b"null",
            b'"PAID"',
            b'["PAID"]',
            b'{"status": null}',
            b'{"status": true}',
            b'{"status": ["PAID"]}',
            b'{"status": {"a": "PAID"}}',
            b'{"amount": NaN}',
            b'{"a": "\xff"}',
            b"[" * 4000,
            b'{"a": "' + b"1" * 4096 + b'"}',
        ):
            with self.subTest(raw[:30]), self.assertRaises(callback.Malformed):
                callback.parse_json(raw)


@tagged("post_install", "-at_install", "frontpay")
class TestChecksum(BaseCase):
    def test_the_documented_example_has_its_checksum(self):
        self.assertEqual(callback.checksum(EXAMPLE, SECRET), CURRENT)
        self.assertTrue(callback.is_signed(EXAMPLE, CURRENT, SECRET))

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
                self.assertFalse(callback.is_signed(EXAMPLE, received, SECRET))

    def test_capitals_fit_too(self):
        self.assertTrue(callback.is_signed(EXAMPLE, CURRENT.upper(), SECRET))

    def test_the_order_of_the_parameters_matters(self):
        turned = EXAMPLE[::-1]
        self.assertFalse(callback.is_signed(turned, CURRENT, SECRET))
        self.assertTrue(
            callback.is_signed(turned, callback.checksum(turned, SECRET), SECRET)
        )

    def test_every_value_matters(self):
        for index, (name, value) in enumerate(EXAMPLE):
            with self.subTest(name):
                changed = list(EXAMPLE)
                changed[index] = (name, value + "0")
                self.assertFalse(callback.is_signed(changed, CURRENT, SECRET))

    def test_the_checksum_itself_is_left_out_wherever_it_stands(self):
        for index in range(len(EXAMPLE) + 1):
            with self.subTest(index):
                pairs = list(EXAMPLE)
                pairs.insert(index, ("checksum", CURRENT))
                self.assertTrue(callback.is_signed(pairs, CURRENT, SECRET))

    def test_a_parameter_unknown_to_us_is_hashed_like_the_others(self):
        pairs = [*EXAMPLE, ("terminal", "7")]
        self.assertFalse(callback.is_signed(pairs, CURRENT, SECRET))
        text = "ODR123successVisa100175576413117557641317SECRET"
        received = hashlib.sha256(text.encode()).hexdigest()
        self.assertTrue(callback.is_signed(pairs, received, SECRET))

    def test_letters_are_hashed_as_utf_8(self):
        received = hashlib.sha256(b"bl\xc3\xa5b\xc3\xa6rSECRET").hexdigest()
        self.assertTrue(callback.is_signed([("x", "blåbær")], received, SECRET))

    def test_without_a_secret_nothing_fits(self):
        for secret in ("", None, False):
            with self.subTest(secret=secret):
                received = callback.checksum(EXAMPLE, "")
                self.assertFalse(callback.is_signed(EXAMPLE, received, secret))
