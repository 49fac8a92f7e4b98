from odoo import Command
from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import new_test_user, tagged

from .test_refund import PAID, RefundCase

# What was done with the credit note before, and what the label says of it.
LABELS = (
    (lambda note: None, "by Front Payment"),
    (lambda note: note.action_frontpay_send(), "by Front Payment (waiting for"),
    (lambda note: note.write({"reversed_entry_id": False}), "by Front Payment (see"),
)


class SendNotesCase(RefundCase):
    def setUp(self):
        super().setUp()
        self.private.invoice_sending_method = "frontpay"
        self.bookkeeper = new_test_user(
            self.env,
            "frontpay_bookkeeper",
            groups="account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def wizard(self, moves, **values):
        """Odoo's *Send*, for one document or for several."""
        kind = "wizard" if len(moves) == 1 else "batch.wizard"
        wizards = self.env[f"account.move.send.{kind}"].with_user(self.bookkeeper)
        context = {"active_model": "account.move", "active_ids": moves.ids}
        return wizards.with_context(**context).create(values)

    def run_crons(self, *names):
        for name in names:
            cron = self.env.ref(name)
            with self.enter_registry_test_mode():
                cron.method_direct_trigger()
        self.env.invalidate_all()


@tagged("post_install", "-at_install", "frontpay")
class TestSendCreditNotes(SendNotesCase):
    """Odoo's *Send* hands credit notes over as well."""

    def test_a_credit_note_is_queued_and_then_refunded(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        wizard = self.wizard(note)
        self.assertTrue(wizard.sending_method_checkboxes["frontpay"]["checked"])
        self.assertFalse([key for key in wizard.alerts or {} if "frontpay" in key])
        wizard.action_send_and_print()
        refund = note.frontpay_refund_id.sudo()
        self.assertEqual(refund.state, "queued")
        self.assertEqual(refund.create_uid, self.bookkeeper)
        refund._cron_refund()
        self.assertEqual(self.refunds(), [("PENDING", "125.00")])

    def test_the_label_says_why_it_cannot_be_chosen(self):
        self.happens(self.sent, *PAID)
        for happens, label in LABELS:
            with self.subTest(label), self.undone():
                note = self.credit(100)
                happens(note)
                box = self.wizard(note).sending_method_checkboxes["frontpay"]
                self.assertTrue(box["label"].startswith(label), box["label"])
                self.assertEqual(box.get("readonly", False), "(" in label)

    def test_what_cannot_be_handed_over_is_told_and_refused(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        note.reversed_entry_id = False
        wizard = self.wizard(note, sending_methods=["frontpay"])
        alert = wizard.alerts["frontpay_account_move"]
        self.assertIn("names no invoice", alert["message"])
        with self.assertRaisesRegex(UserError, "names no invoice"):
            wizard.action_send_and_print()
        self.assertFalse(note.frontpay_refund_state)

    def test_one_that_is_there_already_is_e_mailed_and_not_refunded_again(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        note.action_frontpay_send()
        wizard = self.wizard(note, sending_methods=["email", "frontpay"])
        self.assertFalse([key for key in wizard.alerts or {} if "frontpay" in key])
        wizard.action_send_and_print()
        self.assertEqual(self.refunds(), [("PENDING", "125.00")])
        self.assertEqual(note.frontpay_refund_state, "pending")

    def test_its_e_mail_does_not_ask_for_a_payment(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        wizard = self.wizard(note, sending_methods=["email", "frontpay"])
        self.assertEqual(wizard.template_id, note._get_mail_template())
        self.assertNotEqual(wizard.template_id, self.move._frontpay_mail_template())

    def test_a_batch_of_invoices_and_credit_notes_goes_as_far_as_it_can(self):
        self.happens(self.sent, *PAID)
        note, wrong = self.credit(100), self.credit(50)
        wrong.reversed_entry_id = False
        invoice = self.invoice()
        moves = note | wrong | invoice
        wizard = self.wizard(moves)
        self.assertEqual(wizard.summary_data["frontpay"]["count"], 2)
        self.assertIn(
            "names no invoice", wizard.alerts["frontpay_account_move"]["message"]
        )
        wizard.action_send_and_print()
        self.run_crons("account.ir_cron_account_move_send")
        self.assertEqual(note.frontpay_refund_state, "queued")
        self.assertEqual(invoice.frontpay_state, "queued")
        self.assertFalse(wrong.frontpay_refund_state)

    def test_twice_in_a_row_it_is_refunded_once(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        for _click in range(2):
            self.wizard(note, sending_methods=["frontpay"]).action_send_and_print()
        note.frontpay_refund_id.sudo()._cron_refund()
        note.frontpay_refund_id.sudo()._cron_refund()
        self.assertEqual(len(self.refunds()), 1)


@tagged("post_install", "-at_install", "frontpay")
class TestCheckCreditNotes(RefundCase):
    """*Check* looks at credit notes as at invoices, and sends nothing."""

    def checked(self, moves):
        told = moves.action_frontpay_check()["params"]
        self.assertEqual(told["type"], "success")
        self.assertFalse(self.sandbox.requests())
        return told["message"]

    def test_it_says_what_sending_would_do(self):
        cases = (
            (PAID, (100,), "for Front Payment to refund"),
            (("confirm",), (100,), "for Front Payment to refund"),
            ((), (100,), "lowers an order"),
            ((), (), "cancels an order"),
        )
        for actions, amounts, words in cases:
            with self.subTest(words, actions=actions):
                move, _order = self.sold(*actions)
                note = self.credit(*amounts, move=move)
                self.assertIn(words, self.checked(note))
                self.assertFalse(note.frontpay_refund_state)

    def test_invoices_and_credit_notes_are_checked_together(self):
        self.happens(self.sent, *PAID)
        self.sandbox.control("DELETE", "requests")
        note, invoice = self.credit(100), self.invoice()
        message = self.checked(note | invoice)
        self.assertIn("1 invoice ", message)
        self.assertIn("1 credit note ", message)

    def test_everything_to_correct_is_told_at_once(self):
        self.happens(self.sent, *PAID)
        note = self.credit(100)
        draft = self.credit(50, post=False)
        self.private.phone = False
        invoice = self.invoice()
        note.reversed_entry_id = False
        with self.assertRaises(RedirectWarning) as caught:
            (note | draft | invoice).action_frontpay_check()
        message = caught.exception.args[0]
        for words in ("names no invoice", "isn't posted yet", "has no phone number"):
            self.assertIn(words, message)
