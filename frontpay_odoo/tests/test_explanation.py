"""Each call of the API log is told in words that a bookkeeper knows."""

import json

from odoo.tests import tagged

from odoo.addons.frontpay_odoo.connect import endpoints
from odoo.addons.frontpay_odoo.connect.channels import CHANNELS
from odoo.addons.frontpay_odoo.connect.masking import Exchange
from odoo.addons.frontpay_odoo.tools.explanation import CALLS, SENT

from .common import FrontpayCommon

STATUS = "connect/orders/status/ODR1"
NUMBER = "connect/orders/invoice-number/ODR1"
SESSION = f"connect/orders/{CHANNELS['session'].path}"
CALLS_OUT = (  # path, request, HTTP status, answer, error, what is told
    (SESSION, "{}", 201, '{"data": {"orderUuid": "1"}}', "", "invoice was handed"),
    (SESSION, '{"fpgoUuid": "1"}', 201, "{}", "", "An update of the order was"),
    (SESSION, "{}", 400, "{}", "amount", "to Front Payment. It refused."),
    (SESSION, "{}", 429, "{}", "", "too many calls"),
    (SESSION, "{}", 510, "{}", "", "It had an error."),
    (SESSION, "{}", None, "", "ReadTimeout", "No answer came."),
    (SESSION, "{}", 201, "{}", "no number", "Its answer can't be used."),
    (SESSION, "{}", 403, "<html>", "no JSON", "Its answer can't be used."),
    (STATUS, "", 200, '{"data": {"status": "PAID"}}', "", "status. It says: Paid."),
    (
        NUMBER,
        "",
        200,
        '{"data": {"status": "PAID"}}',
        "",
        "number of its invoice. It a",
    ),
    (STATUS, "", 200, '{"data": {"status": "NEW_ONE"}}', "", "It says: NEW_ONE."),
    (STATUS, "", 200, "[]", "", "Its answer can't be used."),
    (STATUS, "", 200, '{"data": []}', "", "It answered."),
    (STATUS, "", 404, "{}", "404", "It doesn't know it."),
    (STATUS, "", 401, "{}", "401", "It doesn't accept the token."),
    ("connect/orders/status/ODR0", "", 404, "{}", "404", "tested. It works."),
    ("connect/orders/status/ODR0", "", 401, "{}", "", "tested. It doesn't accept"),
    ("connect/orders/status/ODR0", "", 404, "<html>", "", "answer can't be used."),
    ("connect/orders/status", "", 200, "{}", "", "all orders' statuses. It answered."),
)
CALLBACKS = (  # HTTP status, request, what is told
    (200, "orderUuid: ODR1\nstatus: PAID", "Front Payment called back: Paid."),
    (400, "", "can't be read"),
    (403, "status: PAID", "without Front Payment's signature"),
)


@tagged("post_install", "-at_install")
class TestExplanation(FrontpayCommon):
    def explained(self, exchange, direction="out", order=None):
        log = self.env["frontpay.exchange"].sudo()
        log._log(self.company, [exchange], order, direction)
        return log.search([], limit=1)

    def test_a_call_says_what_it_was_for_and_what_came_of_it(self):
        for path, request, http_status, answer, error, told in CALLS_OUT:
            with self.subTest(path=path, http_status=http_status, told=told):
                call = self.explained(
                    Exchange("GET", path, request, http_status, answer, error)
                )
                self.assertIn(told, call.explanation)
                # Nobody looks after an error that shows that all is well.
                self.assertEqual(call.is_fine, "It works." in told)

    def test_each_endpoint_has_words_of_its_own(self):
        known = [
            each
            for each in vars(endpoints).values()
            if isinstance(each, endpoints.Endpoint)
        ]
        known += endpoints.CUSTOMER_UPDATES.values()
        self.assertGreater(len(known), 10)
        for endpoint in known:
            with self.subTest(endpoint.path):
                self.assertIn(endpoint.path, CALLS)
                path = endpoint.path.format(uuid="ODR1")
                call = self.explained(Exchange(endpoint.method, path))
                self.assertIn(str(CALLS[endpoint.path]), call.explanation)
                self.assertNotIn(str(SENT), call.explanation)

    def test_a_callback_says_what_was_heard_and_what_follows(self):
        order = self.order(self.invoice(), state="sent")
        for http_status, request, told in CALLBACKS:
            with self.subTest(http_status):
                call = Exchange("GET", "frontpay/callback", request, http_status)
                self.assertIn(told, self.explained(call, "in", order).explanation)
        test = Exchange("GET", "frontpay/callback", http_status=200)
        self.assertIn("test of", self.explained(test, "in").explanation)

    def test_the_words_are_the_readers_and_tell_nothing_that_the_call_carried(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        answer = json.dumps({"data": {"status": "PAID", "name": "Kari Prøvebruker"}})
        call = self.explained(Exchange("GET", STATUS, "", 200, answer))
        told = call.with_context(lang="nb_NO").explanation
        self.assertNotEqual(told, call.explanation)
        self.assertIn("Front Payment ble spurt", told)
        self.assertNotIn("Kari", told)
