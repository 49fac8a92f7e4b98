import json

from odoo.tests import BaseCase, tagged

from odoo.addons.frontpay_odoo.connect.masking import masked_json, masked_text
from odoo.addons.frontpay_odoo.connect.responses import VERIFICATION_URL_KEYS

from .common import PATH_TOKEN

TEXTS = (
    ("The number 17858410193 is wrong.", "The number 178584***** is wrong."),
    ("178584 10193", "178584*****"),
    ("178584-10193", "178584*****"),
    ("178584.10193,", "178584*****,"),
    ('"personalNumber":"17858410193"', '"personalNumber":"178584*****"'),
    ("57858410187 and 17458410100", "578584***** and 174584*****"),
    # Other numbers stay what they are.
    ("ODR4286244937", "ODR4286244937"),
    ("310000019", "310000019"),
    ("1755150488", "1755150488"),
    ("178584101930", "178584101930"),
    ("", ""),
)
DOCUMENTS = (
    (
        {"customerDetails": {"personalNumber": "17858410193", "name": "Kari"}},
        {"customerDetails": {"personalNumber": "178584*****", "name": "Kari"}},
    ),
    ({"personalNumber": ""}, {"personalNumber": ""}),
    ({"personalNumber": None}, {"personalNumber": None}),
    # Wrong ones are masked as well: they may be right but for one digit.
    ({"personalNumber": "1785841019"}, {"personalNumber": "178584*****"}),
    ({"personalNumber": 17858410193}, {"personalNumber": "178584*****"}),
    ({"personalId": "17858410193"}, {"personalId": "178584*****"}),
    ({"personalId": "1785841019"}, {"personalId": "178584*****"}),
    ({"referenceNo": "17858410193"}, {"referenceNo": "178584*****"}),
    ({"errors": ["17858410193 is taken"]}, {"errors": ["178584***** is taken"]}),
    (
        {"bankIdUrl": "https://bankid.example.com/auth?state=abc&code=def"},
        {"bankIdUrl": "https://bankid.example.com/auth"},
    ),
    *(
        (
            {"data": {key: "https://bankid.example.com/auth?state=abc"}},
            {"data": {key: "https://bankid.example.com/auth"}},
        )
        for key in VERIFICATION_URL_KEYS
    ),
    (
        {"callbackUrl": f"https://odoo.example.com/frontpay/callback/{PATH_TOKEN}"},
        {"callbackUrl": "https://odoo.example.com/frontpay/callback/*****"},
    ),
    (
        {"success": f"https://odoo.example.com/frontpay/return/{PATH_TOKEN}/success"},
        {"success": "https://odoo.example.com/frontpay/return/*****/success"},
    ),
    ({"message": "the token is s3cret"}, {"message": "the token is *****"}),
    ({"amount": 40, "list": [1, None, True]}, {"amount": 40, "list": [1, None, True]}),
)


@tagged("post_install", "-at_install", "frontpay")
class TestMasking(BaseCase):
    def test_personal_numbers_in_texts(self):
        for text, masked in TEXTS:
            with self.subTest(text):
                self.assertEqual(masked_text(text), masked)

    def test_what_is_masked_in_a_document(self):
        for document, masked in DOCUMENTS:
            with self.subTest(document):
                self.assertEqual(json.loads(masked_json(document, ["s3cret"])), masked)

    def test_an_empty_secret_masks_nothing(self):
        self.assertEqual(masked_text("nothing", ["", None]), "nothing")
