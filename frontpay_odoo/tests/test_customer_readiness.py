from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import FrontpayCommon

# What a customer lacks, and how the list of those who aren't ready says it.
LACKS = (
    ("private", {"email": False}, "no e-mail address"),
    ("private", {"phone": ""}, "no phone number"),
    ("private", {"street": False, "city": False}, "no street, no city"),
    ("private", {"country_id": False}, "no country"),
    ("private", {"frontpay_personal_number": False}, "no personal number"),
    ("corporate", {"company_registry": False}, "no organization number"),
    ("private", {"frontpay_customer_type": "corporate"}, "no organization number"),
    ("corporate", {"zip": False}, "no ZIP code"),
    ("corporate", {"frontpay_customer_type": "private"}, "no personal number"),
)


@tagged("post_install", "-at_install")
class TestCustomerReadiness(FrontpayCommon):
    """Who can't be invoiced is known before there is an invoice."""

    def not_ready(self):
        customers = self.private | self.corporate
        return customers.search(
            [("frontpay_problems", "!=", False), ("id", "in", customers.ids)]
        )

    def test_a_customer_who_lacks_something_says_it_and_is_listed(self):
        self.assertFalse(self.not_ready())
        for name, change, told in LACKS:
            with self.subTest(told), self.undone():
                customer = getattr(self, name)
                customer.write(change)
                customer.invalidate_recordset()
                self.assertEqual(customer.frontpay_problems, told)
                self.assertEqual(self.not_ready(), customer)

    def test_those_who_are_ready_can_be_searched_for(self):
        self.private.email = False
        customers = self.private | self.corporate
        ready = customers.search(
            [("frontpay_problems", "=", False), ("id", "in", customers.ids)]
        )
        self.assertEqual(ready, self.corporate)

    def test_a_channel_that_does_not_reach_the_customer_is_told(self):
        self.private.frontpay_channel = "ehf"
        told = self.private.frontpay_problems
        self.assertEqual(told, "not reached by this channel")

    def test_without_personal_numbers_nobody_lacks_one(self):
        self.company.frontpay_channel = "payment_link"
        self.private.frontpay_personal_number = False
        self.assertFalse(self.private.frontpay_problems)
        self.assertFalse(self.not_ready())

    def test_who_does_not_invoice_cannot_search_for_what_is_missing(self):
        employee = new_test_user(self.env, "employee", "base.group_user")
        with self.assertRaises(AccessError):
            self.private.with_user(employee).search([("frontpay_problems", "=", False)])
