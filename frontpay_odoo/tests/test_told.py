from datetime import date
from decimal import Decimal

from odoo import SUPERUSER_ID
from odoo.tests import tagged
from odoo.tools import html2plaintext

from odoo.addons.frontpay_odoo.connect.responses import OrderStatus

from .test_payment import NBSP, PaymentCase

DAY = date(2025, 8, 21)
# What is said, with what amounts, and what the chatter then tells.
LINES = (
    ("INVOICED", None, "Invoiced (kr 125.00, 08/21/2025, invoice no. 99900753)"),
    ("Purring", None, "Reminded (kr 125.00, 08/21/2025, invoice no. 99900753)"),
    ("Inkasso", None, "Debt Collection (kr 125.00, 08/21/2025, invoice no. 99900753)"),
    ("PAID", None, "Paid (kr 125.00, 08/21/2025, invoice no. 99900753)"),
    (
        "PARTIAL REFUNDED",
        "25",
        "Partially Refunded (kr 25.00, 08/21/2025, invoice no. 99900753)",
    ),
    # How much isn't told.
    (
        "PARTIAL REFUNDED",
        None,
        "Partially Refunded (08/21/2025, invoice no. 99900753)",
    ),
    ("REFUNDED", "125", "Refunded (kr 125.00, 08/21/2025, invoice no. 99900753)"),
    ("REFUNDED", None, "Refunded (kr 125.00, 08/21/2025, invoice no. 99900753)"),
    ("EXPIRED", None, "Expired (kr 125.00, 08/21/2025, invoice no. 99900753)"),
    ("CANCELLED", None, "Cancelled (kr 125.00, 08/21/2025, invoice no. 99900753)"),
)


@tagged("post_install", "-at_install", "frontpay")
class TestTold(PaymentCase):
    """Each status of Front Payment's is told where the person looks."""

    def says(self, status, refunded=None, day=DAY):
        """Front Payment's answer comes in."""
        cron = self.env(user=SUPERUSER_ID, context={})
        report = OrderStatus(status, refunded and Decimal(refunded))
        self.sent.with_env(cron)._apply_response(report, "99900753", day)

    def lines(self):
        """What the chatter tells of statuses, oldest first."""
        bodies = self.move.message_ids.sorted("id").mapped("body")
        texts = [html2plaintext(body).replace(NBSP, " ").strip() for body in bodies]
        return [
            text.removeprefix("Front Payment: ")
            for text in texts
            if text.startswith("Front Payment: ")
        ]

    def test_each_status_has_one_line_with_amount_day_and_number(self):
        for status, refunded, line in LINES:
            with self.subTest(status, refunded=refunded), self.undone():
                self.says(status, refunded)
                self.says(status, refunded)
                self.assertEqual(self.lines(), [line])

    def test_without_a_number_the_line_has_none(self):
        self.told("EXPIRED")
        self.assertEqual(self.lines(), ["Expired (kr 125.00, 08/21/2025)"])

    def test_a_refund_that_grows_is_told_again(self):
        self.says("PAID")
        for refunded in ("25", "25", "75"):
            self.says("PARTIAL REFUNDED", refunded)
        amounts = [line.partition(",")[0] for line in self.lines()[1:]]
        self.assertEqual(
            amounts,
            ["Partially Refunded (kr 25.00", "Partially Refunded (kr 75.00"],
        )

    def test_whatever_comes_in_between_nothing_is_told_twice(self):
        for status in ("Purring", "INVOICED", "SENT", "Purring", "PAID", "Inkasso"):
            self.says(status)
        self.assertEqual(
            [line.partition(" ")[0] for line in self.lines()], ["Reminded", "Paid"]
        )

    def test_an_order_that_ends_by_itself_is_for_somebody_to_follow(self):
        for status, word in (("EXPIRED", "has expired"), ("CANCELLED", "nobody here")):
            for before in ((), ("INVOICED", "Inkasso")):
                with self.subTest(status, before=before), self.undone():
                    for each in (*before, status, status):
                        self.says(each)
                    [activity] = self.attention()
                    self.assertTrue(activity.user_id)
                    note = html2plaintext(activity.note).replace(NBSP, " ")
                    self.assertIn(word, note)
                    self.assertIn("kr 125.00 of", note)

    def test_of_what_is_paid_in_part_the_rest_is_for_somebody_to_collect(self):
        self.pay_by_hand(25)
        self.says("EXPIRED")
        [activity] = self.attention()
        note = html2plaintext(activity.note).replace(NBSP, " ")
        self.assertIn("kr 100.00 of", note)

    def test_nobody_is_asked_where_nothing_is_left_to_do(self):
        cases = {
            "asked for": lambda: self.sent.write({"cancel_reason": "By mistake"}),
            "paid here": lambda: self.pay_by_hand(125),
            "credited": self.credit,
        }
        for reason, happens in cases.items():
            with self.subTest(reason), self.undone():
                happens()
                self.says("CANCELLED")
                self.assertFalse(self.attention())

    def test_sending_it_again_is_an_answer(self):
        self.says("EXPIRED")
        self.sent.flush_recordset()
        anew = self.order(self.move, "sending", token="B" * 32, order_uuid="ODR2")
        anew._set_state("sent")
        self.assertFalse(self.attention())
