from odoo.tests import tagged

from .test_queue import QueueCase

# What the journal says, what the customer says, and whether the invoice is queued.
CHOICES = (
    (False, False, False),
    (True, False, "queued"),
    (True, "no", False),
    (True, "yes", "queued"),
    (False, "yes", "queued"),
)


@tagged("post_install", "-at_install", "frontpay")
class TestSendOnPosting(QueueCase):
    """Where somebody wants it, an invoice goes out as soon as it is confirmed."""

    def setUp(self):
        super().setUp()
        self.journal = self.invoice(post=False).journal_id
        self.journal.frontpay_send_on_posting = True

    def test_the_customer_decides_else_the_journal(self):
        for journal, customer, state in CHOICES:
            with self.subTest(journal=journal, customer=customer):
                self.journal.frontpay_send_on_posting = journal
                self.private.frontpay_send_on_posting = customer
                self.assertEqual(self.invoice().frontpay_state, state)

    def test_a_person_of_a_company_follows_the_company(self):
        self.journal.frontpay_send_on_posting = False
        self.corporate.frontpay_send_on_posting = "yes"
        person = self.env["res.partner"].create(
            {"name": "Ola Prøvebruker", "parent_id": self.corporate.id}
        )
        self.assertEqual(self.invoice(customer=person).frontpay_state, "queued")

    def test_it_goes_out_by_itself_once(self):
        move = self.invoice()
        self.run_queue()
        self.assertEqual(move.frontpay_state, "sent")
        self.run_queue()
        self.assertEqual(len(self.sandbox.orders()), 1)

    def test_what_cannot_be_sent_says_so_to_somebody(self):
        self.private.zip = False
        move = self.invoice()
        self.run_queue()
        self.assertEqual(move.frontpay_state, "failed")
        self.assertIn("ZIP code", move.frontpay_error)
        self.assertTrue(self.attention(move))

    def test_what_is_no_claim_on_a_customer_stays_here(self):
        company, move = self.company, self.invoice(post=False)
        bill = self.invoice(move_type="in_invoice")
        note = self.invoice(move_type="out_refund")
        nothing = self.invoice(self.line(price_unit=0))
        company.frontpay_api_token = False
        move.action_post()
        for each in (bill, note, nothing, move):
            self.assertFalse(each.frontpay_state)

    def test_what_the_customer_is_just_paying_stays_here(self):
        for state in ("pending", "authorized", "done"):
            with self.subTest(state):
                move = self.invoice(post=False)
                self.online_payment(move, state)
                move.action_post()
                self.assertFalse(move.frontpay_state)
