"""Front Payment lies about one customer's data; see :mod:`test_lies`.

Whatever the lie was, afterwards

* nothing was raised but a sentence, and the dialog says how it went;
* the dialog says that Front Payment has what Odoo has only if that is so, or was told;
* the other customer that went through the same calls is up to date;
* no whole personal number stands in the dialog, the chatter or the API log;
* once Front Payment is honest again, one click brings the customer up to date.
"""

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import PERSONAL_NUMBER
from .test_lies import SentCase, data

NOTHING = data()
CUSTOMER = data(
    *("uuid", "type", "name", "email", "countryCode", "msisdn", "preferredLanguage"),
    *("personalNumber", "organizationId", "addresses", "addresses.billing"),
    *("addresses.billing.street", "addresses.billing.zip", "addresses.billing.country"),
)
STREET = "Nygata 2"


@tagged("post_install", "-at_install", "frontpay")
class TestLiesAboutCustomers(SentCase):
    """Two customers; the truth is whether Odoo has another street than Front
    Payment."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls._customer("Ola Prøvebruker", email="ola@example.com")
        cls.other.frontpay_personal_number = "17458410100"
        move = cls.invoice(customer=cls.other)
        move.action_frontpay_send()
        number = cls._orders(cls.victim).customer_uuid
        cls.private.frontpay_customer_uuid = number

    def _make_true(self, truth):
        if truth == "moved":
            (self.private | self.other).street = STREET

    def _let_days_pass(self):
        """Nothing happens by itself."""

    def compare(self):
        self.dialogs = {
            partner: self._dialog(partner) for partner in (self.private, self.other)
        }

    def update(self):
        self.compare()
        for dialog in self.dialogs.values():
            self._update(dialog)

    def _dialog(self, partner):
        action = partner.action_frontpay_compare_customer()
        return self.env[action["res_model"]].browse(action["res_id"])

    def _update(self, dialog):
        """Click, whether or not the button is there."""
        try:
            dialog.action_update()
        except UserError as error:
            self.assertTrue(str(error))

    def _is_same(self, partner):
        number = partner.frontpay_customer_uuid.removeprefix("CSRT")
        known = self.liar.orders[number]["customer"]
        return known["address"]["street"] == partner.street

    def _is_lied_about_data(self):
        return "customer" in self.liar.lies

    def _problems_now(self, case):
        innocent = self.dialogs[self.other]
        kind = "success" if self._is_same(self.other) else "info"
        if innocent.kind != kind:
            yield f"the innocent customer is {innocent.kind}: {innocent.sentence}"
        for dialog in self.dialogs.values():
            if not dialog.sentence:
                yield "the dialog says nothing"
        victim = self.dialogs[self.private]
        is_told = self._is_same(self.private) or self._is_lied_about_data()
        if victim.kind == "success" and not is_told:
            yield "success is told, and Front Payment has other data"
        if not self._is_lied_about_data() and victim.kind == "info":
            yield f"after an update: {victim.sentence}"
        yield from self._problems_of_secrets()

    def _problems_of_secrets(self):
        texts = []
        for dialog in self.dialogs.values():
            texts += [dialog.sentence, *dialog.line_ids.mapped("here")]
            texts += dialog.line_ids.mapped("there")
        for exchange in self.env["frontpay.exchange"].sudo().search([]):
            texts += [exchange.request, exchange.answer, exchange.error]
        texts += self.private.message_ids.mapped("body")
        text = " ".join(filter(None, texts))
        for number in (PERSONAL_NUMBER, "17458410100"):
            if number in text:
                yield "a whole personal number stands somewhere"

    def _problems_in_the_end(self, _case):
        self.env["frontpay.rate.limit"].sudo().search([]).unlink()
        for partner in (self.private, self.other):
            dialog = self._dialog(partner)
            if dialog.can_update:
                self._update(dialog)
            if dialog.kind != "success" or not self._is_same(partner):
                yield f"{partner.name} in the end: {dialog.kind}, {dialog.sentence}"

    def test_comparing(self):
        self.check("customer", CUSTOMER, ("same", "moved"), self.compare)

    def test_what_it_is_after_an_update(self):
        self.check("customer", CUSTOMER, ("moved",), self.update)

    def test_updating(self):
        self.check("customer update", NOTHING, ("same", "moved"), self.update)
