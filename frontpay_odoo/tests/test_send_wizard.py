from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import html2plaintext

from odoo.addons.frontpay_odoo.mapping.problem import Problem

from .common import FrontpayCommon, SandboxCase

ODOOS_CRON = "account.ir_cron_account_move_send"
OUR_CRON = "frontpay_odoo.cron_send"
# What is changed, and what the label says for it.
REASONS = (
    (
        lambda case: case.private.write({"frontpay_personal_number": False}),
        "no personal number",
    ),
    (lambda case: case.private.write({"email": "kari@"}), "e-mail address isn't valid"),
    (
        lambda case: case.company.write({"frontpay_callback_secret": False}),
        "not set up",
    ),
    (lambda case: case.order(case.move, "queued", order_uuid=False), None),
    (lambda case: case.order(case.move, "invoiced"), "invoiced"),
    (lambda case: case.online_payment(case.move, "pending"), "just being paid online"),
    (lambda case: None, None),
)


class SendCase(FrontpayCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.private.invoice_sending_method = "frontpay"
        cls.move = cls.invoice()
        cls.bookkeeper = new_test_user(
            cls.env,
            "frontpay_bookkeeper",
            groups="account.group_account_invoice",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def wizard(self, moves=None, user=None, **values):
        """Odoo's *Send*, for one invoice or for several."""
        moves = self.move if moves is None else moves
        kind = "wizard" if len(moves) == 1 else "batch.wizard"
        wizards = self.env[f"account.move.send.{kind}"]
        return (
            wizards.with_user(user or self.bookkeeper)
            .with_context(active_model="account.move", active_ids=moves.ids)
            .create(values)
        )

    def box(self, **options):
        return self.wizard(**options).sending_method_checkboxes["frontpay"]

    def run_crons(self, *names):
        with self.enter_registry_test_mode():
            for name in names:
                self.env.ref(name).method_direct_trigger()
        self.env.invalidate_all()

    def emails(self, move):
        return "\n".join(
            html2plaintext(message.body)
            for message in move.message_ids
            if message.message_type == "comment"
        )


@tagged("post_install", "-at_install", "frontpay")
class TestSendWizard(SendCase):
    def test_it_is_chosen_for_customers_who_want_it(self):
        for method, is_chosen in (("frontpay", True), ("email", False), (False, False)):
            with self.subTest(method):
                self.private.invoice_sending_method = method
                self.assertEqual(self.box()["checked"], is_chosen)

    def test_the_label_says_why_it_cannot_be_chosen(self):
        for change, reason in REASONS:
            with self.subTest(reason), self.undone():
                change(self)
                box = self.box()
                self.assertEqual(box.get("readonly", False), bool(reason))
                self.assertEqual(box["checked"], not reason)
                expected = (
                    f"by Front Payment ({reason})" if reason else "by Front Payment"
                )
                self.assertEqual(box["label"], expected)

    def test_the_label_tells_what_is_an_update(self):
        self.order(self.move)  # of another content
        self.assertEqual(self.box()["label"], "by Front Payment: update")

    def test_the_label_tells_demo(self):
        self.company.frontpay_environment = "demo"
        self.assertEqual(self.box()["label"], "by Front Payment (Demo)")

    def test_a_company_without_front_payment_has_no_such_way(self):
        self.company.frontpay_api_token = False
        self.assertNotIn("frontpay", self.wizard().sending_method_checkboxes)

    def test_everything_to_correct_is_an_alert_with_its_records(self):
        self.private.write({"email": False, "frontpay_personal_number": False})
        self.company.frontpay_callback_secret = False
        alerts = self.wizard().alerts
        partner, company = (
            alerts["frontpay_res_partner"],
            alerts["frontpay_res_company"],
        )
        self.assertIn("has no e-mail address", partner["message"])
        self.assertIn("has no personal number", partner["message"])
        self.assertEqual(partner["action"]["res_id"], self.private.id)
        self.assertIn("lacks these Front Payment settings", company["message"])
        self.assertNotIn("action", company)  # a bookkeeper has no settings

    def test_a_batch_names_those_that_do_not_go_and_sends_the_others(self):
        other = self.invoice(customer=self.corporate)
        self.corporate.write({"invoice_sending_method": "frontpay", "phone": False})
        wizard = self.wizard(self.move + other)
        self.assertEqual(wizard.summary_data["frontpay"]["count"], 1)
        self.assertEqual(wizard.alerts["frontpay_res_partner"]["level"], "warning")
        wizard.action_send_and_print()
        self.run_crons(ODOOS_CRON)
        self.assertEqual(self.move.frontpay_state, "queued")
        self.assertEqual(self.move.frontpay_order_id.create_uid, self.bookkeeper)
        self.assertFalse(other.frontpay_state)
        self.assertIn("has no phone number", html2plaintext(other.message_ids[0].body))

    def test_an_alert_names_each_thing_once_and_ten_at_most(self):
        for count, more in ((1, []), (10, []), (11, ["and 1 more"])):
            with self.subTest(count):
                things = [f"Thing {number}" for number in range(count)]
                problems = [Problem(self.move, thing) for thing in things * 2]
                told = self.env["account.move.send"]._frontpay_lines(problems)
                self.assertEqual(told.splitlines(), things[:10] + more)

    def test_only_one_that_was_chosen_all_the_same_is_a_red_alert(self):
        self.private.phone = False
        for methods, level in ((["frontpay"], "danger"), (["email"], "warning")):
            with self.subTest(methods):
                alerts = self.wizard(sending_methods=methods).alerts
                self.assertEqual(alerts["frontpay_res_partner"]["level"], level)

    def test_what_front_payment_has_already_is_e_mailed_all_the_same(self):
        self.order(self.move, "invoiced", invoice_number="99900001")
        methods = ["email", "frontpay"]
        self.wizard(sending_methods=methods).action_send_and_print()
        self.assertIn("99900001", self.emails(self.move))
        self.assertEqual(len(self.move.frontpay_order_ids), 1)

    def test_the_order_is_queued_in_the_same_transaction(self):
        self.wizard().action_send_and_print()
        order = self.move.frontpay_order_id
        self.assertEqual((order.state, order.create_uid), ("queued", self.bookkeeper))
        self.assertTrue(self.move.is_move_sent)

    def test_what_cannot_go_is_refused_with_its_reasons(self):
        self.private.phone = False
        wizard = self.wizard(sending_methods=["frontpay"])
        with self.assertRaisesRegex(UserError, "has no phone number"):
            wizard.action_send_and_print()
        self.assertFalse(self.move.frontpay_state)

    def test_what_somebody_else_is_handling_is_not_said_to_be_handed_over(self):
        Order = type(self.env["frontpay.order"])
        with (
            patch.object(Order, "_enqueue", lambda orders, _moves: orders.browse()),
            self.assertRaisesRegex(UserError, "handled by somebody else"),
        ):
            self.wizard(sending_methods=["frontpay"]).action_send_and_print()

    def test_whoever_has_no_invoicing_rights_hands_nothing_over(self):
        reader = new_test_user(
            self.env,
            "frontpay_reader",
            groups="account.group_account_readonly",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        data = {"author_user_id": reader.id, "sending_methods": ["frontpay"]}
        error = self.env["account.move.send"]._frontpay_hand_over(
            self.move.sudo(), data
        )
        self.assertIn("invoicing rights", error["errors"][0])
        self.assertFalse(self.move.frontpay_state)

    def test_the_email_names_no_account_once_front_payment_collects(self):
        link = "https://bankid.example.com/ODR1"
        # Without Norway's accounting, Odoo takes the invoice's own number.
        self.move.payment_reference = "000000012345"
        for state, methods, expected in (
            (None, ["email"], "Payment Communication"),
            (None, ["email", "frontpay"], "pay it to Front Payment"),
            ("sent", ["email"], link),
            ("invoiced", ["email"], "99900001"),
            ("cancelled", ["email"], "Payment Communication"),
        ):
            with self.subTest(state=state, methods=methods), self.undone():
                if state:
                    self.order(
                        self.move,
                        state,
                        verification_url=state == "sent" and link,
                        invoice_number=state == "invoiced" and "99900001",
                    )
                self.wizard(sending_methods=methods).action_send_and_print()
                told = self.emails(self.move)
                is_ours = expected != "Payment Communication"
                self.assertEqual(self.move.payment_reference in told, not is_ours)
                self.assertTrue(not is_ours or expected in told, told)

    def test_the_form_changes_the_template_and_keeps_a_chosen_one(self):
        ours = self.env.ref("frontpay_odoo.mail_template_invoice")
        odoos = self.env.ref("account.email_template_edi_invoice")
        self.private.invoice_sending_method = "email"
        with Form(self.wizard()) as form:
            self.assertEqual(form.template_id, odoos)
            boxes = form.sending_method_checkboxes
            form.sending_method_checkboxes = boxes | {
                "frontpay": boxes["frontpay"] | {"checked": True}
            }
            self.assertEqual(form.template_id, ours)
            form.sending_method_checkboxes = boxes
            self.assertEqual(form.template_id, odoos)

    def test_without_our_template_the_email_is_odoos(self):
        self.env.ref("frontpay_odoo.mail_template_invoice").unlink()
        odoos = self.env.ref("account.email_template_edi_invoice")
        wizard = self.wizard(sending_methods=["email", "frontpay"])
        self.assertEqual(wizard.template_id, odoos)
        wizard.action_send_and_print()
        self.assertEqual(self.move.frontpay_state, "queued")
        self.assertIn(self.move.name, self.emails(self.move))

    def test_an_electronic_invoice_beside_it_is_warned_of(self):
        for is_claimed, methods, is_warned in (
            (False, ["peppol"], False),
            (False, ["peppol", "frontpay"], True),
            (True, ["email"], False),
            (True, ["snailmail"], False),
            (True, ["peppol"], True),
        ):
            with self.subTest(methods, claimed=is_claimed), self.undone():
                if is_claimed:
                    self.order(self.move)
                data = {"sending_methods": methods}
                alerts = self.env["account.move.send"]._frontpay_claimed_alerts(
                    self.move, {self.move: data}
                )
                self.assertEqual("frontpay_claimed" in alerts, is_claimed)
                self.assertEqual("frontpay_claimed_elsewhere" in alerts, is_warned)

    def test_no_electronic_credit_note_is_warned_of(self):
        note = self.move._reverse_moves()
        data = {"sending_methods": ["peppol", "frontpay"]}
        send = self.env["account.move.send"]
        self.assertFalse(send._frontpay_claimed_alerts(note, {note: data}))


@tagged("post_install", "-at_install", "frontpay")
class TestSentOnce(SendCase, SandboxCase):
    def test_whichever_way_is_taken_it_is_sent_once(self):
        """The wizard, the batch by Odoo's cron, the list and the button, mixed."""
        other = self.invoice()
        both = self.move + other
        batch, single = self.wizard(both), self.wizard()
        batch.action_send_and_print()
        single.action_send_and_print()
        both.with_user(self.bookkeeper).action_frontpay_send()
        self.run_crons(ODOOS_CRON, OUR_CRON, ODOOS_CRON, OUR_CRON)
        self.assertEqual(both.mapped("frontpay_state"), ["sent", "sent"])
        self.assertEqual(len(self.sandbox.orders()), 2)
        self.assertEqual(len(both.frontpay_order_ids), 2)
