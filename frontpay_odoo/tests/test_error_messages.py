from odoo.tests import TransactionCase, tagged

from odoo.addons.frontpay_odoo.connect import errors
from odoo.addons.frontpay_odoo.mapping.remedy import settings_remedy
from odoo.addons.frontpay_odoo.tools import error_messages
from odoo.addons.frontpay_odoo.tools.error_messages import (
    connection_message,
    outcome_message,
)

# Front Payment's sentence, and what the bookkeeper reads: the model and the field whose
# label is named, and the rest. The first six are recorded.
SENTENCES = (
    (
        "The customer details.email must be a valid email address.",
        ("res.partner", "email", "“%s” of the customer isn't a valid e-mail address."),
    ),
    (
        "The customer details.personal number field is required when submit payment.via"
        " is invoice.",
        (
            "res.partner",
            "frontpay_personal_number",
            "“%s” of the customer is missing.",
        ),
    ),
    (
        "The products.0.rate field is required.",
        ("account.move.line", "price_unit", "“%s” of line 1 is missing."),
    ),
    ("The order date does not match the format d M, Y.", None),
    ("The order summary.shipping cost field is required.", None),
    ("payloadValidationErrors", None),
    (
        "The products.11.product id field is required.",
        (
            "product.product",
            "default_code",
            "“%s” of the product in line 12 is missing.",
        ),
    ),
    (
        "The selected products.1.tax is invalid.",
        (
            "account.move.line",
            "tax_ids",
            "“%s” of line 2 has a value that isn't accepted.",
        ),
    ),
    (
        "The order summary.grand total must be a number.",
        ("account.move", "amount_total", "“%s” of the invoice isn't a number."),
    ),
    (
        "The customer details.organization id format is invalid.",
        (
            "res.partner",
            "frontpay_organization_id",
            "“%s” of the customer has a form that isn't accepted.",
        ),
    ),
    (
        "The callback.success must be a valid URL.",
        (
            "res.config.settings",
            "frontpay_public_url",
            "“%s” in the Front Payment settings has a form that isn't accepted.",
        ),
    ),
    (
        "The customer details.msisdn field is required",
        ("res.partner", "phone", "“%s” of the customer is missing."),
    ),
    (
        "The customer details.personal number must be 11 characters.",
        (
            "res.partner",
            "frontpay_personal_number",
            "“%s” of the customer hasn't the right length.",
        ),
    ),
    (
        "The products.0.product id may not be greater than 25 characters.",
        (
            "product.product",
            "default_code",
            "“%s” of the product in line 1 is too long.",
        ),
    ),
    (
        "The due date for payment link field is required when invoice interval is 0.",
        ("account.move", "invoice_date_due", "“%s” of the invoice is missing."),
    ),
    (
        "The invoice fee applicable field must be true or false.",
        (
            "res.config.settings",
            "frontpay_invoice_fee",
            "“%s” in the Front Payment settings has a value that isn't accepted.",
        ),
    ),
    (
        "The selected invoice interval is invalid.",
        (
            "res.config.settings",
            "frontpay_invoice_interval",
            "“%s” in the Front Payment settings has a value that isn't accepted.",
        ),
    ),
    ("The invoice references.reference no must be a string.", None),
    ("The products.0.colour field is required.", None),
    ("The products.x.rate field is required.", None),
    ("<b>The order date</b> is invalid.", None),
    ("", None),
)
REJECTED = (
    "Front Payment rejected the invoice. Correct the following, then send it again:"
)
# An error, what it tells of a sending, and what of the connection.
MESSAGES = (
    (errors.Unreachable("refused"), "can't be reached", "Nobody answers"),
    (
        errors.Unauthorized("HTTP 401", http_status=401),
        "doesn't accept the token",
        "doesn't accept the token",
    ),
    (
        errors.NotFrontPayment("HTTP 302", http_status=302),
        "isn't Front Payment",
        "isn't Front Payment",
    ),
    (errors.NotFound("HTTP 404"), "doesn't know this order", "doesn't know this order"),
    (
        errors.RateLimited("HTTP 429", http_status=429),
        "Too many calls",
        "Try again in a minute",
    ),
    (
        errors.Rejected("HTTP 400", ["No."], 400),
        REJECTED,
        "didn't give a usable answer",
    ),
    (errors.Rejected("HTTP 400"), "didn't say why", "didn't give a usable answer"),
    (
        errors.UnknownOutcome("time-out"),
        "isn't sent again until",
        "didn't give a usable answer",
    ),
)


@tagged("post_install", "-at_install", "frontpay")
class TestErrorMessages(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company

    def test_each_error_says_what_happened_and_what_to_do(self):
        for error, outcome, connection in MESSAGES:
            with self.subTest(repr(error)):
                self.assertIn(outcome, outcome_message(self.company, error))
                self.assertIn(connection, connection_message(self.company, error))

    def test_no_kind_of_error_is_without_its_message(self):
        for kind in errors.FrontPaymentError.__subclasses__():
            with self.subTest(kind.__name__):
                self.assertTrue(outcome_message(self.company, kind("reason", ["No."])))
                self.assertTrue(connection_message(self.company, kind("reason")))

    def test_when_it_is_sent_again_is_left_to_the_caller(self):
        for error in (errors.RateLimited("429"), errors.Unreachable("refused")):
            with self.subTest(repr(error)):
                message = outcome_message(self.company, error)
                self.assertIn("nothing was sent", message)
                self.assertNotIn("again", message)

    def test_without_a_token_nobody_is_said_to_have_answered(self):
        label = f"correct “{self._label('res.config.settings', 'frontpay_api_token')}”"
        error = errors.NoToken("no token")  # nothing went out: no status code
        for message in (outcome_message, connection_message):
            told = message(self.company, error)
            self.assertIn(label, told)
            self.assertNotIn("Front Payment answers", told)
            self.assertNotIn("doesn't accept", told)

    def test_settings_are_named_as_on_the_screen(self):
        error = errors.NotFrontPayment("HTTP 302")
        for name in ("frontpay_environment", "frontpay_custom_url"):
            label = f"“{self._label('res.config.settings', name)}”"
            self.assertIn(label, outcome_message(self.company, error))

    def test_known_sentences_name_the_field_and_others_are_quoted(self):
        for sentence, expected in SENTENCES:
            with self.subTest(sentence):
                told = f"“{sentence}”"
                if expected:
                    model, name, text = expected
                    told = text % self._label(model, name)
                    if model == "res.config.settings":
                        told = f"{told} {settings_remedy(self.company)}"
                self.assertEqual(self._told(sentence), [told])

    def test_all_sentences_are_told_each_on_its_own_line(self):
        told = self._told("One.", "The order summary.grand total must be a number.")
        self.assertEqual(told, ["“One.”", "“Total” of the invoice isn't a number."])

    def test_every_field_that_can_be_named_exists_and_has_a_subject(self):
        fields = {**error_messages.FIELDS, **error_messages.PRODUCT_FIELDS}
        for path, (model, name) in fields.items():
            with self.subTest(path):
                self.assertIn(name, self.env[model]._fields)
                self.assertIn(model, error_messages.SUBJECTS)

    def test_a_field_is_named_in_the_language_of_the_reader(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        phone = self.env["ir.model.fields"]._get("res.partner", "phone")
        phone.with_context(lang="nb_NO").field_description = "Telefonnummer"
        company = self.company.with_context(lang="nb_NO")
        sentence = "The customer details.msisdn field is required."
        message = outcome_message(company, errors.Rejected("HTTP 417", [sentence]))
        self.assertIn("«Telefonnummer»", message)

    def test_front_payments_own_words_hold_no_personal_number(self):
        error = errors.Rejected("HTTP 400", ["17858410193 is taken", "No."])
        told = error_messages.quoted(error)
        self.assertEqual(told, "“178584***** is taken” “No.”")

    def test_a_known_code_is_told_in_a_sentence_whatever_follows_it(self):
        sentence = "The order is cancelled already."
        for said in ("", ":ODR1", "#cycle1", ": Cancelled"):
            told = self._told(f"orderStatusAlreadyCancelled{said}")
            self.assertEqual(told, [sentence])
        self.assertEqual(self._told("orderFellOver:7"), ["“orderFellOver:7”"])

    def test_a_quoted_sentence_holds_no_personal_number(self):
        told = self._told("The number 17858410193 is taken.")
        self.assertEqual(told, ["“The number 178584***** is taken.”"])

    def _told(self, *sentences):
        """What is told below the first line."""
        message = outcome_message(self.company, errors.Rejected("HTTP 417", sentences))
        first, *lines = message.split("\n")
        self.assertEqual(first, REJECTED)
        return lines

    def _label(self, model, name):
        return self.env[model].fields_get([name], ["string"])[name]["string"]
