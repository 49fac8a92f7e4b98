from odoo.tests import TransactionCase, tagged

from odoo.addons.frontpay_odoo.mapping.refusal import translated

# Front Payment's sentence, and what the bookkeeper reads. The first six are recorded.
SENTENCES = (
    (
        "The customer details.email must be a valid email address.",
        "Customer's e-mail address isn't a valid e-mail address.",
    ),
    (
        "The customer details.personal number field is required when submit payment.via"
        " is invoice.",
        "Customer's personal number is missing.",
    ),
    ("The products.0.rate field is required.", "Line 1: price is missing."),
    ("The order date does not match the format d M, Y.", None),
    ("The order summary.shipping cost field is required.", None),
    ("payloadValidationErrors", None),
    (
        "The products.11.product id field is required.",
        "Line 12: internal reference of the product is missing.",
    ),
    (
        "The selected products.1.tax is invalid.",
        "Line 2: tax has a value that isn't accepted.",
    ),
    ("The order summary.grand total must be a number.", "Total isn't a number."),
    (
        "The customer details.organization id format is invalid.",
        "Customer's organisation number has a form that isn't accepted.",
    ),
    (
        "The callback.success must be a valid URL.",
        "Public address (Front Payment settings) has a form that isn't accepted.",
    ),
    ("The customer details.msisdn field is required", "Customer's phone number is"),
    (
        "The customer details.personal number must be 11 characters.",
        "Customer's personal number hasn't the right length.",
    ),
    (
        "The products.0.product id may not be greater than 25 characters.",
        "Line 1: internal reference of the product is too long.",
    ),
    (
        "The due date for payment link field is required when invoice interval is 0.",
        "Due date is missing.",
    ),
    (
        "The invoice references.reference no must be a string.",
        None,
    ),
    ("The products.0.colour field is required.", None),
    ("The products.x.rate field is required.", None),
    ("<b>The order date</b> is invalid.", None),
    ("", None),
)


@tagged("post_install", "-at_install", "frontpay")
class TestRefusal(TransactionCase):
    def test_known_sentences_are_told_in_odoos_words_and_others_quoted(self):
        for sentence, told in SENTENCES:
            with self.subTest(sentence):
                self.assertIn(told or f"“{sentence}”", translated(sentence, self.env))

    def test_a_quoted_sentence_holds_no_personal_number(self):
        sentence = translated("The number 17858410193 is taken.", self.env)
        self.assertEqual(sentence, "“The number 178584***** is taken.”")
