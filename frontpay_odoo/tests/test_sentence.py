import re

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import html2plaintext

from odoo.addons.frontpay_odoo.connect import errors
from odoo.addons.frontpay_odoo.tools.sentence import (
    Sentence,
    in_each_language,
    joined,
    keep,
    said_in,
)

from .test_payment import NBSP, PaymentCase

NORWEGIAN = "nb_NO"
# Words of the other language that no name or number contains.
ENGLISH = re.compile(r"\b(?:the|is|was|isn't|doesn't|Front Payment has)\b")
NORSK = re.compile(r"\b(?:og|er|ikke|ble|har|det|som)\b")


def _paid_twice(test):
    test.pay_by_hand(125)
    test.told()


def _paid_here(test):
    test.pay_by_hand(125)


def _paid_without_journal(test):
    test.company.frontpay_journal_id = False
    test.told()


def _unreachable(test):
    test.sent.state = "sending"
    test.sent._record_failure(errors.Unreachable("no route"))


def _unauthorized(test):
    test.sent.state = "sending"
    test.sent._record_failure(errors.Unauthorized("401", http_status=401))


def _rejected(test):
    test.sent.state = "sending"
    said = ["The customer details.email must be a valid email address."]
    test.sent._record_failure(errors.Rejected("417", said, 417))


def _unknown(test):
    test.sent.state = "sending"
    test.sent._record_failure(errors.UnknownOutcome("cut"))


def _absent(test):
    test.sent.state = "unknown"
    test.sent._record_absent()


def _undecided(test):
    test.sent.state = "unknown"
    test.sent._request_decision(test.sent._unproved_sentence())


def _unsendable(test):
    """The customer's address was removed while the invoice waited in the queue."""
    test.private.email = False
    test.sent.write({"state": "queued", "order_uuid": False})
    move = test.move.with_env(test.sent.env)
    test.sent._record_unsendable(test.sent._preflight_sentence(move))


def _contradicted(test):
    test.told("EXPIRED")
    test.told("INVOICED")


# How something comes to be wrong, and what Norwegians read of amounts and the like.
CASES = (
    (_paid_twice, "125,00"),
    (_paid_here, "125,00"),
    (_paid_without_journal, "mangler en betalingsjournal"),
    (_unreachable, ""),
    (_unauthorized, ""),
    (_rejected, "på kunden"),
    (_unknown, ""),
    (_absent, ""),
    (_undecided, ""),
    (_unsendable, ""),
    (_contradicted, "«Utløpt»"),
    (lambda test: test.sent._record_missing(), ""),
    (lambda test: test.sent._record_wrong_number(_Answer("ODR2")), "ODR2"),
    (lambda test: test.sent._record_fault(), ""),
    (lambda test: test.sent._record_pause(UserError("Stille")), "Stille"),
)


class _Answer:
    def __init__(self, order_uuid):
        self.order_uuid = order_uuid


@tagged("post_install", "-at_install", "frontpay")
class TestSentence(PaymentCase):
    """Who finds out what is wrong, and who reads it, may speak different languages."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang(NORWEGIAN)
        addon = cls.env["ir.module.module"].search([("name", "=", "frontpay_odoo")])
        addon._update_translations([NORWEGIAN])

    def read_in(self, language):
        text = self.sent.with_context(lang=language).error
        self.assertEqual(self.move.with_context(lang=language).frontpay_error, text)
        return text.replace(NBSP, " ")

    def test_what_is_wrong_is_read_in_the_readers_language(self):
        for happens, detail in CASES:
            with self.subTest(happens), self.undone():
                happens(self)
                self.env.flush_all()
                self.env.invalidate_all()
                english, norwegian = self.read_in("en_US"), self.read_in(NORWEGIAN)
                self.assertRegex(english, ENGLISH)
                self.assertRegex(norwegian, NORSK)
                self.assertNotRegex(norwegian, ENGLISH)
                self.assertIn(detail, norwegian)

    def test_whoever_finds_it_again_in_another_language_tells_nobody_twice(self):
        _paid_twice(self)
        told = len(self.move.message_ids)
        self.sent.with_context(lang=NORWEGIAN)._settle_payment()
        self.sent.with_context(lang="en_US")._settle_payment()
        self.assertEqual(len(self.move.message_ids), told)

    def test_an_activity_is_in_the_language_of_whoever_has_it(self):
        self.env.user.lang = NORWEGIAN
        self.sent.with_context(lang="en_US")._record_missing()
        activity = self.attention()
        self.assertEqual(activity.user_id, self.env.user)
        self.assertRegex(html2plaintext(activity.note), NORSK)

    def test_what_was_said_before_is_gone_in_all_languages(self):
        keep(self.sent, "error", Sentence("one", {NORWEGIAN: "en", "en_US": "one"}))
        keep(self.sent, "error", "said by Odoo")
        for language in (NORWEGIAN, "en_US"):
            self.assertEqual(self.read_in(language), "said by Odoo")
        keep(self.sent, "error", "")
        for language in (NORWEGIAN, "en_US"):
            self.assertFalse(self.sent.with_context(lang=language).error)

    def test_sentences_that_are_joined_are_so_in_each_language(self):
        one = Sentence("one", {NORWEGIAN: "en", "en_US": "one"})
        text = joined([one, "", None, "ODR1"])
        self.assertEqual(text, "one\nODR1")
        self.assertEqual(said_in(text, NORWEGIAN), "en\nODR1")
        self.assertEqual(said_in("ODR1", NORWEGIAN), "ODR1")

    def test_a_sentence_within_another_is_in_its_language(self):
        @in_each_language
        def outer(record, reason):
            return f"{record.env.lang}: {reason}"

        reason = Sentence("why", {NORWEGIAN: "hvorfor", "en_US": "why"})
        text = outer(self.move, reason)
        self.assertEqual(said_in(text, NORWEGIAN), "nb_NO: hvorfor")
        self.assertEqual(said_in(text, "en_US"), "en_US: why")

    def test_nothing_to_say_is_nothing(self):
        self.assertEqual(in_each_language(lambda record: "")(self.move), "")
