from datetime import date
from unittest.mock import MagicMock, patch

from lxml import etree

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import html2plaintext
from odoo.tools.safe_eval import safe_eval
from odoo.tools.view_validation import get_expression_field_names

from odoo.addons.base.models.ir_actions_report import IrActionsReport
from odoo.addons.frontpay_odoo.models import frontpay_order
from odoo.addons.frontpay_odoo.models.frontpay_handover import ATTENTION

from .common import FrontpayCommon

LINK = "https://bankid.example.com/ODR1"
# Of each state: whether the invoice reached the customer, whether anything else may
# ask for the money, and what the printed invoice says.
STATES = {
    None: (False, True, "Payment Communication"),
    "queued": (False, False, "You pay this to Front Payment"),
    "unknown": (False, False, "You pay this to Front Payment"),
    "failed": (False, True, "Payment Communication"),
    "sent": (True, False, "Scan the code"),
    "invoiced": (True, False, "invoice no. *99900001* from Front Payment"),
    "reminded": (True, False, "They have reminded you"),
    "collection": (True, False, "debt collection"),
    "paid": (True, False, "Paid, thank you"),
    "refunded": (True, False, "back to you"),
    "cancelled": (False, True, "Payment Communication"),
    "expired": (False, True, "Payment Communication"),
}
# By which the order comes there.
PATHS = {
    "cancelled": ("sent",),
    "expired": ("sent",),
    "failed": ("unknown",),
}


class CollectionCase(FrontpayCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.move = cls.invoice()
        cls.bank = cls.company_data["default_journal_bank"]
        cls.bank_account = cls.env["res.partner.bank"].create(
            {"acc_number": "8601 11 17947", "partner_id": cls.company.partner_id.id}
        )

    def bring_to(self, state):
        """The order comes to a state on its usual way; None for no order."""
        if not state:
            return self.env["frontpay.order"]
        order = self.order(self.move, "queued", invoice_number="99900001")
        for step in ("sending", *PATHS.get(state, ()), state):
            if state == "queued":
                break
            order._set_state(step)
            order.verification_url = step == "sent" and LINK
        return order

    def printed(self, **context):
        """The text of the printed invoice, and its source."""
        reports = self.env["ir.actions.report"].with_context(**context)
        html, _kind = reports._render_qweb_html(
            "account.account_invoices", self.move.ids
        )
        return " ".join(html2plaintext(html.decode()).split()), html.decode()

    def print_pdf(self):
        """Attach a PDF, as printing the invoice does."""
        self.env["ir.attachment"].create(
            {
                "name": "invoice.pdf",
                "raw": b"%PDF-1.4",
                "res_model": self.move._name,
                "res_id": self.move.id,
                "res_field": "invoice_pdf_report_file",
            }
        )

    def register_payment(self, amount=None, journal=None):
        wizards = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.move.ids
        )
        return wizards.create(
            {
                "journal_id": (journal or self.bank).id,
                "amount": amount or self.move.amount_residual,
                "payment_date": date(2025, 8, 20),
            }
        )

    def to_do(self, move=None):
        return (move or self.move).activity_search([ATTENTION])


@tagged("post_install", "-at_install", "frontpay")
class TestOneWayToPay(CollectionCase):
    def test_odoo_knows_what_was_sent(self):
        for state, (is_sent, _is_free, _text) in STATES.items():
            with self.subTest(state), self.undone():
                self.bring_to(state)
                self.assertEqual(self.move.is_move_sent, is_sent)
                is_posted_only = not is_sent and self.move.payment_state == "not_paid"
                self.assertEqual(
                    self.move.status_in_payment, "posted" if is_posted_only else "sent"
                )
                not_sent = [("id", "=", self.move.id), ("is_move_sent", "=", False)]
                found = self.env["account.move"].search(not_sent)
                self.assertEqual(bool(found), not is_sent)

    def test_what_was_printed_as_well_stays_sent_when_its_order_ends(self):
        order = self.bring_to("sent")
        self.print_pdf()
        self.move.invalidate_recordset()
        order._set_state("expired")
        self.assertTrue(self.move.is_move_sent)

    def test_nothing_of_a_test_that_is_closed_is_left(self):
        order = self.bring_to("sent")
        self.print_pdf()
        self.assertTrue(self.move.invoice_pdf_report_id)
        order._close_test()
        self.move.invalidate_recordset()
        self.assertFalse(self.move.invoice_pdf_report_id)
        self.assertFalse(order.verification_url)

    def test_a_test_that_is_closed_was_not_sent(self):
        self.bring_to("sent")._close_test()
        self.assertFalse(self.move.is_move_sent)

    def test_the_printed_invoice_names_one_way_to_pay(self):
        self.move.partner_bank_id = self.bank_account
        self.move.payment_reference = "000004426000107"
        self.company.write({"qr_code": True, "link_qr_code": True})
        self.patch(IrActionsReport, "barcode", lambda *_args, **_options: b"picture")
        for state, (_is_sent, is_free, expected) in STATES.items():
            with self.subTest(state), self.undone():
                self.bring_to(state)
                text, html = self.printed()
                self.assertIn(expected, text)
                self.assertEqual("8601 11 17947" in text, is_free)
                self.assertEqual(self.move.payment_reference in text, is_free)
                self.assertEqual("payment_link_qrcode" in html, is_free)
                self.assertEqual(self.move.display_qr_code, is_free)
                self.assertEqual(f'href="{LINK}"' in html, state == "sent")

    def test_the_link_is_in_no_address_of_our_own(self):
        self.bring_to("sent")
        _text, html = self.printed()
        self.assertIn('src="data:image/png;base64,', html)
        self.assertNotIn("/report/barcode", html)

    def test_a_handed_over_invoice_is_no_proforma(self):
        for state, is_proforma in ((None, True), ("sent", False), ("cancelled", True)):
            with self.subTest(state), self.undone():
                self.bring_to(state)
                text, _html = self.printed(proforma_invoice=True)
                self.assertEqual("Proforma" in text, is_proforma)
                name = self.move._get_invoice_proforma_pdf_report_filename()
                self.assertEqual("proforma" in name, is_proforma)

    def test_a_pdf_of_another_way_to_pay_is_put_aside(self):
        for former, state, is_kept in (
            (None, "queued", False),
            ("queued", "sent", True),
            ("sent", "invoiced", False),
            ("invoiced", "reminded", True),
            ("invoiced", "paid", True),
            ("sent", "cancelled", False),
        ):
            with self.subTest(state, former=former), self.undone():
                order = self.bring_to(former)
                self.print_pdf()
                if order and former == "queued":
                    order._set_state("sending")
                if order:
                    order._set_state(state)
                else:
                    self.bring_to(state)
                self.move.invalidate_recordset()
                self.assertEqual(bool(self.move.invoice_pdf_report_id), is_kept)

    def test_no_payment_begins_online(self):
        for state, (_is_sent, is_free, _text) in STATES.items():
            with self.subTest(state), self.undone():
                self.bring_to(state)
                self.assertEqual(self.move._has_to_be_paid(), is_free)
                if is_free:
                    self.online_payment(self.move)
                    continue
                self.assertIn(
                    "Front Payment collects", self.move._get_online_payment_error()
                )
                with self.assertRaisesRegex(ValidationError, "can't be paid here"):
                    self.online_payment(self.move)

    def test_no_link_to_pay_here_is_made(self):
        for state in (None, "sent"):
            with self.subTest(state), self.undone():
                self.bring_to(state)
                wizard = (
                    self.env["payment.link.wizard"]
                    .with_context(active_model="account.move", active_id=self.move.id)
                    .create({})
                )
                is_told = "Front Payment collects" in (wizard.warning_message or "")
                self.assertEqual(is_told, bool(state))

    def test_a_link_to_pay_something_else_has_no_warning(self):
        self.bring_to("sent")
        wizard = self.env["payment.link.wizard"].new(
            {"res_model": "res.partner", "res_id": self.move.id, "amount": 100}
        )
        self.assertNotIn("Front Payment", wizard.warning_message or "")

    def test_pay_is_primary_only_where_front_payment_neither_collects_nor_may(self):
        form = etree.fromstring(self.move.get_view(view_type="form")["arch"])
        buttons = form.xpath("//header/button[@name='action_register_payment']")
        conditions = [button.get("invisible") for button in buttons]
        names = set().union(*map(get_expression_field_names, conditions))
        for state, is_set_up in (
            (None, True),
            (None, False),
            ("sent", True),
            ("cancelled", True),
            ("cancelled", False),
        ):
            with self.subTest(state, is_set_up=is_set_up), self.undone():
                if not is_set_up:
                    self.company.frontpay_api_token = False
                self.bring_to(state)
                values = self.move.read(names)[0]
                shown = [
                    "oe_highlight" in button.get("class", "")
                    for button, condition in zip(buttons, conditions, strict=True)
                    if not safe_eval(condition, values)
                ]
                self.assertEqual(shown, [not is_set_up])


@tagged("post_install", "-at_install", "frontpay")
class TestBooks(CollectionCase):
    def assertStillClaimed(self, word="Paid"):
        sentence = f"{word} here, still claimed by Front Payment"
        self.assertIn(sentence, self.move.frontpay_error or "")
        self.assertIn(sentence, self.move._get_alerts()["frontpay"]["message"])
        self.assertIn(sentence, html2plaintext(self.to_do().note))

    def assertNothingTold(self):
        self.assertFalse(self.move.frontpay_error)
        self.assertFalse(self.to_do())

    def pay(self, **options):
        self.register_payment(**options)._create_payments()

    def pay_by_bank_statement(self):
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.bank.id,
                "date": "2025-08-20",
                "payment_ref": self.move.name,
                "partner_id": self.private.id,
                "amount": self.move.amount_total,
            }
        )
        receivable = self.move.line_ids.filtered(
            lambda each: each.account_type == "asset_receivable"
        )
        _liquidity, suspense, _other = line._seek_for_lines()
        suspense.account_id = receivable.account_id
        (suspense + receivable).reconcile()

    def test_the_wizards_warn_before(self):
        for state, is_warned in ((None, False), ("sent", True), ("cancelled", False)):
            with self.subTest(state), self.undone():
                self.bring_to(state)
                errors = self.register_payment().actionable_errors or {}
                self.assertEqual("frontpay_collects" in errors, is_warned)
                context = {"active_model": "account.move", "active_ids": self.move.ids}
                reversals = self.env["account.move.reversal"].with_context(**context)
                reversal = reversals.create({"journal_id": self.move.journal_id.id})
                self.assertEqual(bool(reversal.frontpay_alerts), is_warned)

    def test_of_several_the_warning_opens_those_that_are_claimed(self):
        moves = self.move | self.invoice()
        for move in moves:
            self.order(move, token=move.name, order_uuid=move.name)
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=(moves | self.invoice()).ids
        )
        alert = wizard.create({}).actionable_errors["frontpay_collects"]
        self.assertEqual(moves.search(alert["action"]["domain"]), moves)

    def test_what_is_paid_here_is_told_until_the_claim_ends(self):
        for name, pay in (
            ("wizard", self.pay),
            ("a part", lambda: self.pay(amount=25.00)),
            ("bank statement", self.pay_by_bank_statement),
        ):
            with self.subTest(name), self.undone():
                order = self.bring_to("invoiced")
                pay()
                self.assertStillClaimed()
                order.cancel_reason = "It was paid to us."
                order._apply_status("CANCELLED")
                self.assertNothingTold()

    def test_a_payment_that_waits_for_the_bank_counts(self):
        # It has no entry, where all of Odoo's accounting is installed.
        name = "_get_invoice_in_payment_state"
        self.patch(type(self.env["account.move"]), name, lambda _move: "in_payment")
        lines = self.bank.inbound_payment_method_line_ids
        lines.payment_account_id = False
        self.bring_to("sent")
        self.pay()
        self.assertStillClaimed()
        payment = self.move.matched_payment_ids
        self.assertFalse(payment.move_id)
        payment.action_cancel()
        self.assertNothingTold()

    def test_what_is_undone_is_no_longer_told(self):
        self.bring_to("sent")
        self.pay()
        self.move.line_ids.remove_move_reconcile()
        self.assertNothingTold()

    def test_a_credit_note_is_told_on_both(self):
        order = self.bring_to("invoiced")
        note = self.move._reverse_moves([{"invoice_date": self.move.invoice_date}])
        alert = note._get_alerts()["frontpay_credited"]
        self.assertEqual(alert["level"], "warning")
        self.assertNothingTold()
        note.action_post()
        self.assertStillClaimed("Credited")
        alert = self.move._get_alerts()["frontpay"]
        self.assertEqual(alert["action_text"], f"Open {note.display_name}")
        self.assertEqual(alert["action"]["res_id"], note.id)
        alert = note._get_alerts()["frontpay_credited"]
        self.assertEqual(alert["level"], "danger")
        self.assertIn(self.move.name, alert["message"])
        order._apply_status("CANCELLED")
        self.assertNotIn("frontpay_credited", note._get_alerts())
        self.assertNothingTold()

    def test_a_credit_note_that_was_cancelled_is_not_warned_of(self):
        self.bring_to("invoiced")
        note = self.move._reverse_moves([{"invoice_date": self.move.invoice_date}])
        self.assertIn("frontpay_credited", note._get_alerts())
        note.button_cancel()
        self.assertNotIn("frontpay_credited", note._get_alerts())

    def test_a_credit_note_that_is_not_set_off_is_told_while_it_is_posted(self):
        self.bring_to("invoiced")
        note = self.move._reverse_moves([{"invoice_date": self.move.invoice_date}])
        receivable = note.line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        receivable.account_id = receivable.account_id.copy({"code": "121999"})
        note.action_post()
        self.assertEqual(self.move.payment_state, "not_paid")
        self.assertStillClaimed("Credited")
        note.button_draft()
        self.assertNothingTold()

    def test_credits_that_could_be_added_are_warned_of(self):
        self.invoice(move_type="out_refund")
        for state, is_warned in ((None, False), ("sent", True)):
            with self.subTest(state), self.undone():
                self.bring_to(state)
                alerts = self.move._get_alerts()
                self.assertEqual("frontpay_outstanding" in alerts, is_warned)

    def test_what_is_credited_after_it_was_paid_there_is_not_claimed(self):
        self.bring_to("sent")._apply_status("PAID")
        note = self.move._reverse_moves([{"invoice_date": self.move.invoice_date}])
        note.action_post()
        self.assertNotIn("frontpay_credited", note._get_alerts())
        self.assertNothingTold()

    def test_front_payments_own_payment_is_no_other(self):
        for settle_on, state in (("paid", "PAID"), ("invoiced", "INVOICED")):
            with self.subTest(settle_on), self.undone():
                self.company.frontpay_settle_on = settle_on
                self.bring_to("sent")._apply_status(state)
                self.assertIn(self.move.payment_state, ("paid", "in_payment"))
                self.assertNothingTold()

    def test_it_is_no_other_either_once_the_settings_changed(self):
        """The claim isn't assigned any more, nor is that the journal."""
        self.company.frontpay_settle_on = "invoiced"
        order = self.bring_to("sent")
        order._apply_status("INVOICED")
        self.assertTrue(order.payment_id)
        self.company.frontpay_settle_on = "paid"
        self.company.frontpay_journal_id = self.bank
        order._follow_books()
        self.assertNothingTold()


@tagged("post_install", "-at_install", "frontpay")
class TestDunning(CollectionCase):
    """Nobody else reminds the customer of what Front Payment collects."""

    def receivable(self):
        return self.move.line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )

    def test_odoos_follow_up_leaves_alone_what_front_payment_has(self):
        for state, (_is_sent, is_free, _text) in STATES.items():
            with self.subTest(state), self.undone():
                self.bring_to(state)
                self.assertEqual(self.move.no_followup, not is_free)
                self.assertEqual(self.receivable().no_followup, not is_free)

    def test_what_somebody_excluded_stays_excluded(self):
        self.move.no_followup = True
        self.bring_to("cancelled")
        self.assertTrue(self.move.no_followup)

    def test_a_closed_test_is_followed_up_again(self):
        self.bring_to("sent")._close_test()
        self.assertFalse(self.move.no_followup)

    def test_in_a_closed_period_as_well(self):
        order = self.bring_to("sent")
        self.company.fiscalyear_lock_date = self.move.date
        order._set_state("expired")
        self.assertFalse(self.move.no_followup)

    def test_credit_control_has_a_policy_of_doing_nothing(self):
        """OCA's addon isn't there: another field stands in for its own."""
        mine, nothing = self.env["res.users"].browse([self.env.uid, 1])
        self.move.invoice_user_id = mine
        table = {
            "invoice_user_id": lambda _move: nothing.id,
            "credit_policy_id": frontpay_order.NO_DUNNING["credit_policy_id"],
        }
        with patch.object(frontpay_order, "NO_DUNNING", table):
            order = self.bring_to("invoiced")
            self.assertEqual(self.move.invoice_user_id, nothing)
            order._set_state("reminded")
            self.assertEqual(order.former_dunning, {"invoice_user_id": mine.id})
            order._set_state("cancelled")
            self.assertEqual(self.move.invoice_user_id, mine)

    def test_which_of_credit_controls_policies_it_is(self):
        move, policies = MagicMock(), MagicMock()
        policies.sudo().search.return_value.id = 7
        move.env = move.company_id.env = {"credit.control.policy": policies}
        policy_of = frontpay_order.NO_DUNNING["credit_policy_id"]
        self.assertEqual(policy_of(move), 7)
        own = ("company_id", "in", (False, move.company_id.id))
        domain = [("do_nothing", "=", True), own]
        policies.sudo().search.assert_called_with(domain, limit=1)
        self.assertFalse(policy_of(self.move))

    def test_what_credit_control_is_about_to_send_stays_unsent(self):
        move, reminders = MagicMock(), MagicMock()
        move.env = {"credit.control.line": reminders}
        frontpay_order._ignore_reminders(move)
        [domain] = reminders.sudo().search.call_args.args
        self.assertIn(("invoice_id", "=", move.id), domain)
        reminders.sudo().search().write.assert_called_with({"state": "ignored"})
        with patch.object(frontpay_order, "_ignore_reminders") as ignore:
            self.bring_to("queued")
        ignore.assert_called_with(self.move)
