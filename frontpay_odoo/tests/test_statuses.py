from odoo.tests import BaseCase, tagged

from odoo.addons.frontpay_odoo.connect.statuses import state_of

# Section 17.4 of the API reference, and question 12 of section 24.
STATES = {
    "SENT": "sent",
    "INVOICED": "invoiced",
    "Invoiced": "invoiced",
    "Purring": "reminded",
    "PURRING": "reminded",
    "Inkasso": "collection",
    "debt collection": "collection",
    "PAID": "paid",
    "Paid": "paid",
    " paid ": "paid",
    "PARTIAL REFUNDED": "partially_refunded",
    "PARTIAL_REFUNDED": "partially_refunded",
    "partially  refunded": "partially_refunded",
    "REFUNDED": "refunded",
    "CANCELLED": "cancelled",
    "EXPIRED": "expired",
    # These say nothing about an invoice.
    "": None,
    "success": None,
    "failed": None,
    "RESERVED": None,
    "RESEVRED": None,
    "CAPTURED": None,
    "CHARGED": None,
    "ongoing": None,
    "completed": None,
    "REFUND PENDING": None,
    "PAIDOUT": None,
    "UNPAID": None,
}


@tagged("post_install", "-at_install", "frontpay")
class TestStatuses(BaseCase):
    def test_each_spelling_has_its_state(self):
        for status, state in STATES.items():
            with self.subTest(status):
                self.assertEqual(state_of(status), state)
