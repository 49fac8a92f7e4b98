import json
from http import HTTPStatus

from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import html2plaintext, mute_logger

from .common import PATH_TOKEN
from .test_collection import LINK, CollectionCase

CONFIRM = "Confirm with BankID"
# What the customer reads in the list and on the page, and whether there is the button.
PAGES = {
    "queued": ("Handed to Front Payment", "who will contact you", False),
    "sent": ("Waits for your confirmation", "Confirm it with BankID first", True),
    "invoiced": ("Invoiced by Front Payment", "invoice no. *99900001*", False),
    "reminded": ("Reminded by Front Payment", "They have reminded you", False),
    "collection": ("In debt collection", "pay what the last letter says", False),
    "paid": ("Paid", "Paid, thank you", False),
    "refunded": ("Paid back", "Front Payment has paid", False),
}
# What the page after Front Payment's own says, whichever of its two addresses it is.
RETURNS = {
    "unknown": ("Thank you", "Thank you"),
    "sent": ("Thank you", "Not finished yet?"),
    "invoiced": ("Confirmed, thank you", "Confirmed, thank you"),
    "collection": ("Confirmed, thank you", "Confirmed, thank you"),
    "paid": ("Paid, thank you", "Paid, thank you"),
    "refunded": ("Paid back", "Paid back"),
    "cancelled": ("Nothing to do here", "Nothing to do here"),
    "failed": ("Nothing to do here", "Nothing to do here"),
}


class PageCase(CollectionCase, HttpCase):
    def page(self, address):
        """The text of a page and its source."""
        answer = self.url_open(address)
        self.assertEqual(answer.status_code, HTTPStatus.OK)
        return " ".join(html2plaintext(answer.text).split()), answer.text


@tagged("post_install", "-at_install", "frontpay")
class TestPortal(PageCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal = new_test_user(
            cls.env,
            "frontpay_portal",
            groups="base.group_portal",
            partner_id=cls.private.id,
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.address = cls.move.get_portal_url()

    def test_an_invoice_of_odoos_own_is_as_before(self):
        for state in (None, "cancelled"):
            with self.subTest(state), self.undone():
                self.bring_to(state)
                text, _html = self.page(self.address)
                self.assertIn("Pay Now", text)
                self.assertNotIn("Front Payment", text)

    def test_the_page_says_who_is_paid_and_how(self):
        for state, (title, sentence, has_button) in PAGES.items():
            with self.subTest(state), self.undone():
                self.bring_to(state)
                text, html = self.page(self.address)
                self.assertIn(title, text)
                self.assertIn(sentence, text)
                self.assertEqual(CONFIRM in text, has_button)
                self.assertEqual(f'href="{LINK}"' in html, has_button)
                for word in ("Pay Now", "Waiting for Payment", "Due in"):
                    self.assertNotIn(word, text)

    def test_the_list_says_the_same(self):
        self.authenticate("frontpay_portal", "frontpay_portal")
        for state, (title, _sentence, has_button) in PAGES.items():
            with self.subTest(state), self.undone():
                self.bring_to(state)
                text, _html = self.page("/my/invoices")
                self.assertIn(title, text)
                self.assertEqual(CONFIRM in text, has_button)
                self.assertNotIn("Pay Now", text)

    def test_what_was_credited_is_not_asked_for(self):
        for state in ("sent", "invoiced", "reminded", "collection"):
            with self.subTest(state), self.undone():
                self.refund(self.bring_to(state))
                text, html = self.page(self.address)
                self.assertIn("This was credited", text)
                self.assertNotIn("You pay this", text)
                self.assertNotIn(LINK, html)

    def test_what_was_credited_in_part_is_told(self):
        order = self.bring_to("invoiced")
        refund = self.refund(order, price=10)
        text, _html = self.page(self.address)
        self.assertIn("You pay this", text)
        self.assertIn("of it was credited", text)
        refund.state = "rejected"
        text, _html = self.page(self.address)
        self.assertNotIn("credited", text)

    def test_what_was_paid_in_another_way_is_not_asked_for(self):
        self.bring_to("invoiced")
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.move.ids
        ).create({})._create_payments()
        text, _html = self.page(self.address)
        self.assertIn("There is nothing left to pay. Should", text)

    def test_the_day_to_pay_is_front_payments(self):
        self.authenticate("frontpay_portal", "frontpay_portal")
        for state, is_told in (("invoiced", True), ("sent", True), ("paid", False)):
            with self.subTest(state), self.undone():
                self.move.invoice_date_due = "2026-01-30"
                self.bring_to(state).due_date = "2031-05-17"
                text, _html = self.page(self.address)
                self.assertEqual("Due 05/17/2031" in text, is_told)
                listed, html = self.page("/my/invoices")
                self.assertIn("05/17/2031", listed)
                self.assertNotIn("01/30/2026", listed)
                self.assertNotIn("text-danger", html)

    def test_a_payment_link_has_a_button_to_pay(self):
        self.bring_to("sent").channel = "payment_link"
        text, html = self.page(self.address)
        self.assertNotIn(CONFIRM, text)
        self.assertIn(f'href="{LINK}"', html)

    def test_the_customers_form_keeps_how_invoices_are_sent(self):
        self.private.invoice_sending_method = "frontpay"
        self.authenticate("frontpay_portal", "frontpay_portal")
        _text, html = self.page("/my/account")
        self.assertIn('value="frontpay"', html)

    def test_paying_what_is_overdue_leaves_it_out(self):
        self.move.line_ids.date_maturity = "2025-01-01"
        self.move.invoice_date_due = "2025-01-01"
        later = self.invoice(invoice_date_due="2031-01-01")
        self.authenticate("frontpay_portal", "frontpay_portal")
        for state, is_offered in ((None, True), ("sent", False)):
            with self.subTest(state), self.undone():
                self.bring_to(state)
                text, _html = self.page("/my/invoices?filterby=overdue_invoices")
                self.assertEqual(self.move.name in text, is_offered)
                self.assertNotIn(later.name, text)

    def test_no_call_begins_a_payment(self):
        self.bring_to("sent")
        provider = self.env["payment.provider"].create(
            {"name": "Kortbetaling", "company_id": self.company.id}
        )
        with mute_logger("odoo.http"):
            answer = self.url_open(
                f"/invoice/transaction/{self.move.id}",
                data=json.dumps(
                    {
                        "params": {
                            "access_token": self.move._portal_ensure_token(),
                            "provider_id": provider.id,
                            "payment_method_id": self.env.ref(
                                "payment.payment_method_card"
                            ).id,
                            "token_id": None,
                            "amount": 125.00,
                            "flow": "redirect",
                            "tokenization_requested": False,
                            "landing_route": "/my",
                        }
                    }
                ),
                headers={"Content-Type": "application/json"},
            )
        self.assertIn(
            "Front Payment collects", answer.json()["error"]["data"]["message"]
        )
        self.assertFalse(self.move.transaction_ids)


@tagged("post_install", "-at_install", "frontpay")
class TestReturnPage(PageCase):
    def returned(self, outcome):
        return self.page(f"/frontpay/return/{PATH_TOKEN}/{outcome}")

    def test_the_page_tells_what_the_order_says(self):
        for state, titles in RETURNS.items():
            for outcome, title in zip(("success", "failure"), titles, strict=True):
                with self.subTest(state, outcome=outcome), self.undone():
                    order = self.bring_to(state)
                    text, _html = self.returned(outcome)
                    self.assertIn(title, text)
                    self.assertIn(self.move.name, text)
                    amount = order.currency_id.format(order.amount)
                    self.assertIn(amount.split()[-1], text)

    def test_whoever_comes_back_has_the_order_polled(self):
        inbox = self.env["frontpay.callback"].sudo()
        for state, outcome, is_polled in (
            ("sent", "success", True),
            ("sent", "failure", False),
            ("paid", "success", False),
            ("unknown", "success", True),
        ):
            with self.subTest(state, outcome=outcome), self.undone():
                order = self.bring_to(state)
                for _reload in range(3):
                    self.returned(outcome)
                waiting = inbox.search([("order_id", "=", order.id)])
                self.assertEqual(len(waiting), is_polled)
                self.assertFalse(waiting.is_signed)
                self.assertEqual(order.state, state)

    def test_front_payments_invoice_number_stands_there_once_it_is_known(self):
        for state in ("invoiced", "reminded", "collection", "paid"):
            for number, is_told in (("99900753", True), (False, False)):
                with self.subTest(state, number=number), self.undone():
                    self.bring_to(state).invoice_number = number
                    text, _html = self.returned("success")
                    told = "no. *99900753* from Front Payment" in text
                    self.assertEqual(told, is_told)
                    self.assertEqual("no. " in text, is_told)

    def test_there_is_a_way_to_try_again_while_the_address_lives(self):
        for state, is_offered in (
            ("sent", True),
            ("invoiced", False),
            ("expired", False),
        ):
            for outcome in ("success", "failure"):
                with self.subTest(state, outcome=outcome), self.undone():
                    self.bring_to(state)
                    _text, html = self.returned(outcome)
                    self.assertEqual(f'href="{LINK}"' in html, is_offered)

    def test_after_a_callback_the_address_is_offered_no_more(self):
        order = self.bring_to("sent")
        self.env["frontpay.callback"].sudo().create(
            {
                "order_id": order.id,
                "order_uuid": "ODR1",
                "status": "SENT",
                "is_signed": True,
            }
        )
        text, html = self.returned("failure")
        self.assertNotIn(LINK, html)
        self.assertIn("Thank you", text)
