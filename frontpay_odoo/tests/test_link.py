"""The customer gets the link: by e-mail, by SMS, as QR code, once more."""

from datetime import timedelta
from unittest.mock import patch

from lxml import etree, html

from odoo import Command, fields
from odoo.exceptions import AccessError, LockError, RedirectWarning, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.frontpay_odoo.connect.channels import CHANNELS
from odoo.addons.frontpay_odoo.connect.responses import SubmittedOrder
from odoo.addons.frontpay_odoo.models.account_move_link import MAX_EMAILED_AT_ONCE
from odoo.addons.frontpay_odoo.models.frontpay_handover import (
    ATTENTION,
    INVOICE_CHANNEL,
)
from odoo.addons.frontpay_odoo.tools import transaction

from .common import PERSONAL_NUMBER, FrontpayCommon, SandboxCase

LINK = "https://id.example.com/confirm?session=abc&order=ODR1"
NEW_LINK = "https://id.example.com/confirm?session=def&order=ODR1"
DAY = timedelta(days=1)
GROUP = "account.group_account_invoice"


class LinkCase(FrontpayCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"email": "post@example.com", "phone": "+47 22 22 22 22"})
        cls.mails_before = cls.env["mail.mail"].search([])

    def waiting(self, days=0, number=1, customer=None, **values):
        """An order that waits for its customer since some days."""
        values = {
            "order_uuid": f"ODR{number}",
            "token": f"token {number}",
            "verification_url": LINK,
            "sent_at": fields.Datetime.now() - days * DAY,
            **values,
        }
        return self.order(self.invoice(customer=customer), **values)

    def emailed(self, days, **values):
        """The same, and the customer has the e-mail since then."""
        order = self.waiting(days, **values)
        order._email_link()
        order.link_emailed_at -= days * DAY
        return order

    def mails(self):
        """The mails that were written in this test, oldest first."""
        return (self.env["mail.mail"].search([]) - self.mails_before).sorted("id")

    def chatter(self, move):
        return " ".join(move.message_ids.mapped("body"))

    def attention(self, move):
        return move.activity_search([ATTENTION])

    def run_cron(self, name):
        with self.enter_registry_test_mode():
            self.env.ref(f"frontpay_odoo.{name}").method_direct_trigger()
        self.env.invalidate_all()

    def refuse(self, mails, reason="Connection refused"):
        """Odoo can't hand mails to the mail server."""
        Server = type(self.env["ir.mail_server"])
        with (
            patch.object(Server, "_connect__", side_effect=OSError(reason)),
            mute_logger("odoo.addons.mail.models.mail_mail"),
        ):
            mails.sudo().send()

    def deliver(self, mails):
        """Odoo hands mails to the mail server."""
        Server = type(self.env["ir.mail_server"])
        with (
            patch.object(Server, "_disable_send", return_value=False),
            patch.object(Server, "_connect__", return_value=None),
            patch.object(Server, "send_email", return_value="<1@example.com>"),
        ):
            mails.sudo().send()

    def bounce(self, mail):
        """A mail was sent and comes back."""
        notification = mail.mail_message_id.sudo().notification_ids
        mail.sudo()._postprocess_sent_message(self.private, [])
        notification.write(
            {"notification_status": "bounce", "failure_type": "mail_bounce"}
        )


@tagged("post_install", "-at_install", "frontpay")
class TestEmail(LinkCase):
    def test_it_says_who_sells_what_for_how_much_and_has_one_link(self):
        order = self.waiting()
        order._email_link()
        [mail] = self.mails()
        self.assertEqual(mail.recipient_ids, self.private)
        self.assertIn("post@example.com", mail.email_from)
        self.assertIn(self.company.name, mail.subject)
        self.assertIn(order.move_id.name, mail.subject)
        body = html.fromstring(mail.body_html)
        text = " ".join(body.text_content().split())
        for part in (
            self.company.name,
            self.private.name,
            order.move_id.name,
            "Router",
            "125.00",
            "What happens next",
            "+47 22 22 22 22",
        ):
            self.assertIn(part, text)
        links = [
            link
            for link in body.xpath("//a/@href")
            if not link.startswith(("mailto:", "https://www.odoo.com"))
        ]
        self.assertEqual(links, [LINK])
        self.assertNotIn(PERSONAL_NUMBER, mail.body_html)
        self.assertNotIn("Internal communication", mail.body_html)

    def test_it_says_whom_to_ask_as_far_as_that_is_known(self):
        email, phone = "post@example.com", "+47 22 22 22 22"
        for known in ((), (email,), (phone,), (email, phone)):
            with self.subTest(known), self.undone():
                self.company.write(
                    {
                        "email": email in known and email,
                        "phone": phone in known and phone,
                    }
                )
                self.waiting()._email_link()
                text = html.fromstring(self.mails().body_html).text_content()
                self.assertEqual("Questions?" in text, bool(known))
                told = " ".join(text.partition("Contact us:")[2].split())
                self.assertTrue(told.startswith(" or ".join(known)))

    def test_odoos_own_queue_sends_it(self):
        queue = self.env.ref("mail.ir_cron_mail_scheduler_action")
        triggers = self.env["ir.cron.trigger"].search_count
        before = triggers([("cron_id", "=", queue.id)])
        self.waiting()._email_link()
        self.assertEqual(self.mails().state, "outgoing")
        self.assertEqual(triggers([("cron_id", "=", queue.id)]), before + 1)

    def test_it_is_in_the_customers_language(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        template = self.env.ref("frontpay_odoo.mail_template_link").sudo()
        body = template.body_html.replace("Confirm with BankID", "Bekreft med BankID")
        template.with_context(lang="nb_NO").write(
            {
                "body_html": body,
                "subject": "{{ object.company_id.name }}: bekreft faktura",
            }
        )
        self.private.lang = "nb_NO"
        self.env.flush_all()  # Odoo reads the recipients' languages by SQL
        self.waiting()._email_link()
        [mail] = self.mails()
        self.assertIn("Bekreft med BankID", mail.body_html)
        self.assertNotIn("Confirm with BankID", mail.body_html)
        self.assertEqual(mail.subject, f"{self.company.name}: bekreft faktura")
        self.assertIn('lang="nb_NO"', mail.body_html)

    def test_only_the_recipient_reads_the_link(self):
        order = self.waiting()
        follower = self._customer("Ola Følger")
        order.move_id.message_subscribe(follower.ids)
        order._email_link()
        [mail] = self.mails()
        self.assertEqual(mail.recipient_ids, self.private)
        self.assertIn("e-mailed to post@example.com", self.chatter(order.move_id))
        self.assertNotIn("id.example.com", self.chatter(order.move_id))
        colleague = new_test_user(
            self.env, "colleague", "account.group_account_invoice"
        )
        with self.assertRaises(AccessError):
            mail.mail_message_id.with_user(colleague).read(["body"])

    def test_it_goes_to_the_invoices_contact_or_else_to_the_customer(self):
        contact = self._customer("Per Kontakt", parent_id=self.corporate.id)
        contact.email = "per@example.com"
        self.corporate.email = "firma@example.com"
        for email, expected in (("per@example.com", "per"), (False, "firma")):
            with self.subTest(email), self.undone():
                contact.email = email
                order = self.waiting(customer=contact)
                order._email_link()
                self.assertEqual(order.link_emailed_to, f"{expected}@example.com")

    def test_in_demo_it_says_that_it_is_a_test(self):
        for environment in ("demo", "custom"):
            with self.subTest(environment), self.undone():
                self.waiting(environment=environment)._email_link()
                is_test = "This is a test" in self.mails().body_html
                self.assertEqual(is_test, environment == "demo")

    def test_it_says_the_due_date_that_front_payment_was_given(self):
        for due_date, told in (("2026-12-06", "12/06/2026"), (False, "")):
            with self.subTest(told), self.undone():
                self.waiting(due_date=due_date)._email_link()
                body = self.mails().body_html
                self.assertEqual("Due date" in body, bool(told))
                self.assertIn(told, body)

    def test_a_reminder_says_so(self):
        order = self.emailed(days=3)
        order._email_link()
        first, second = self.mails()
        self.assertNotIn("before", first.body_html)
        self.assertIn("We wrote to you about this invoice before", second.body_html)
        self.assertTrue(second.subject.startswith("Reminder: "))
        self.assertEqual(order.link_reminders, 1)

    def test_of_many_lines_some_are_named(self):
        lines = [self.line(name=f"Router {number}\nBlack") for number in range(7)]
        move = self.invoice(*lines)
        self.order(move, verification_url=LINK)._email_link()
        body = self.mails().body_html
        self.assertIn("Router 4", body)
        self.assertNotIn("Router 5", body)
        self.assertNotIn("Black", body)

    def test_an_sms_goes_where_odoo_has_sms_and_the_company_wants_it(self):
        if "sms.sms" not in self.env:
            self.skipTest("Odoo's sms isn't installed.")
        self.waiting(number=1)._email_link()
        self.assertFalse(self.env["sms.sms"].search([]))
        self.company.frontpay_sms_link = True
        order = self.waiting(number=2)
        other = self.setup_other_company(name="Elvenett Prøve AS")["company"]
        order.with_company(other)._email_link()
        sms = self.env["sms.sms"].search([])
        self.assertEqual(sms.number, "+4746567468")
        self.assertTrue(sms.body.startswith(f"{self.company.name}: "))
        self.assertIn(LINK, sms.body)
        self.assertIn(order.move_id.name, sms.body)
        self.assertNotIn("id.example.com", self.chatter(order.move_id))

    def test_without_a_phone_number_there_is_no_sms(self):
        if "sms.sms" not in self.env:
            self.skipTest("Odoo's sms isn't installed.")
        self.company.frontpay_sms_link = True
        self.private.phone = False
        self.waiting()._email_link()
        self.assertEqual(len(self.mails()), 1)
        self.assertFalse(self.env["sms.sms"].search([]))


@tagged("post_install", "-at_install", "frontpay")
class TestAutomaticEmail(LinkCase, SandboxCase):
    def test_a_click_on_send_e_mails_the_link(self):
        move = self.invoice()
        move.action_frontpay_send()
        [order] = self.sandbox.orders()
        self.assertIn(order["bankIdUrl"].replace("&", "&amp;"), self.mails().body_html)
        self.assertIn("Due date", self.mails().body_html)
        self.assertTrue(move.frontpay_link_emailed_at)
        self.run_cron("cron_email_links")
        self.assertEqual(len(self.mails()), 1)

    def test_a_queued_invoice_gets_it_by_the_cron(self):
        move = self.invoice()
        self.env["frontpay.order"]._enqueue(move)
        self.run_cron("cron_send")
        self.assertEqual(move.frontpay_state, "sent")
        self.assertFalse(self.mails())
        self.run_cron("cron_email_links")
        self.run_cron("cron_email_links")
        self.assertEqual(len(self.mails()), 1)

    def test_an_update_that_brings_a_new_link_e_mails_that(self):
        move = self.invoice()
        move.action_frontpay_send()
        first = move.frontpay_verification_url
        move.ref = "PO 7"
        move.action_frontpay_send()
        links = {first, move.frontpay_verification_url}
        self.assertEqual(len(self.mails()), len(links))

    def test_companies_that_do_not_want_it_e_mail_nothing(self):
        self.company.frontpay_email_link = False
        move = self.invoice()
        move.action_frontpay_send()
        self.run_cron("cron_email_links")
        self.assertTrue(move.frontpay_verification_url)
        self.assertFalse(self.mails())

    def test_a_sender_killed_before_the_e_mail_leaves_it_to_the_cron(self):
        move = self.invoice()
        Order = type(self.env["frontpay.order"])
        with patch.object(Order, "_email_new_link", lambda *_a, **_k: None):
            move.action_frontpay_send()
        self.assertFalse(self.mails())
        self.run_cron("cron_email_links")
        self.assertEqual(len(self.mails()), 1)

    def test_a_broken_template_keeps_no_invoice_from_being_sent(self):
        template = self.env.ref("frontpay_odoo.mail_template_link")
        template.subject = "{{ object.no_such_field }}"
        move = self.invoice()
        with mute_logger(
            "odoo.addons.frontpay_odoo.models.frontpay_order_link",
            "odoo.addons.mail.models.mail_render_mixin",
        ):
            move.action_frontpay_send()
        self.assertEqual(move.frontpay_state, "sent")
        self.assertIn("couldn't be written", move.frontpay_link_error)
        self.assertTrue(self.attention(move))

    def test_a_recovered_order_fetches_a_new_link_which_is_e_mailed(self):
        move = self.invoice()
        self.sandbox.fault("drop", when="after")
        move.action_frontpay_send()
        self.assertEqual(move.frontpay_state, "unknown")
        self.run_cron("cron_recover")
        self.assertEqual(move.frontpay_state, "sent")
        self.assertFalse(move.frontpay_verification_url)
        self.assertIn("a new one is fetched", str(move._get_alerts()["frontpay_link"]))
        self.run_cron("cron_send")
        self.assertTrue(move.frontpay_verification_url)
        self.assertEqual(len(self.sandbox.orders()), 1)
        self.assertNotIn("frontpay_link", move._get_alerts())
        self.run_cron("cron_email_links")
        self.assertEqual(len(self.mails()), 1)


@tagged("post_install", "-at_install", "frontpay")
class TestChangeTold(LinkCase, SandboxCase):
    """The invoice was changed after its customer got the link."""

    def setUp(self):
        super().setUp()
        self.move = self.invoice()
        self.move.action_frontpay_send()
        self.sent = self.move.sudo().frontpay_order_id

    def change(self, **values):
        self.move.action_frontpay_change()
        self.move.invoice_line_ids.write(values)
        self.move.action_post()

    def run_crons(self):
        for name in ("cron_send", "cron_email_links", "cron_email_links"):
            self.run_cron(name)

    def test_the_customer_gets_the_link_again_with_what_it_costs_now(self):
        self.change(price_unit=500)
        self.assertEqual(len(self.mails()), 1)
        self.run_crons()
        [first, mail] = self.mails()
        self.assertIn("We have changed this invoice", mail.body_html)
        self.assertNotIn("We have changed this invoice", first.body_html)
        self.assertIn("625.00", mail.body_html)
        self.assertTrue(mail.subject.startswith("Changed: "), mail.subject)
        self.assertIn("was changed, so the link", self.chatter(self.move))
        self.assertFalse(self.sent.is_change_untold)
        self.assertFalse(self.sent.link_reminders)

    def test_it_is_told_only_where_something_to_pay_changed_and_links_are_e_mailed(
        self,
    ):
        later = {"invoice_date_due": self.move.invoice_date_due + 40 * DAY}
        for name, values, terms, is_automatic, is_told in (
            ("amount", {"price_unit": 500}, {}, True, True),
            ("due date", {}, later, True, True),
            ("wording", {"name": "Better router"}, {}, True, False),
            ("by hand", {"price_unit": 500}, {}, False, False),
        ):
            with self.subTest(name), self.undone():
                self.company.frontpay_email_link = is_automatic
                self.move.action_frontpay_change()
                self.move.invoice_line_ids.write(values)
                self.move.write({"invoice_payment_term_id": False, **terms})
                self.move.action_post()
                document = self.document_of_update()
                answer = SubmittedOrder(
                    self.sent.order_uuid, "", self.sent.verification_url
                )
                self.sent._record_update(document, answer)
                self.sent._email_due_link()
                self.assertEqual(len(self.mails()) - 1, int(is_told))

    def document_of_update(self):
        order, problems = self.sent._prepare(self.move, self.sent._plan(self.move))
        self.assertFalse(problems)
        return CHANNELS[self.sent.channel].to_json(order)

    def test_an_update_that_was_refused_tells_nothing(self):
        self.sandbox.fault("status", status=417, path="invoice/submit")
        self.change(price_unit=500)
        self.run_crons()
        self.assertIn("doesn't have that yet", self.sent.error)
        told = self.mails().filtered(lambda mail: mail.recipient_ids == self.private)
        self.assertEqual(len(told), 1)

    def test_what_is_being_changed_once_more_is_told_once_it_is_confirmed(self):
        self.sent.write({"is_change_untold": True, "is_link_due": True})
        self.move.action_frontpay_change()
        self.run_cron("cron_email_links")
        self.assertEqual(len(self.mails()), 1)
        self.move.action_post()
        self.run_crons()
        self.assertEqual(len(self.mails()), 2)

    def test_where_links_are_e_mailed_by_hand_the_next_one_says_it(self):
        self.company.frontpay_email_link = False
        self.change(price_unit=500)
        self.run_crons()
        self.assertTrue(self.sent.is_change_untold)
        self.move.action_frontpay_email_link()
        self.assertIn("We have changed this invoice", self.mails()[-1].body_html)

    def test_what_was_credited_stands_in_it(self):
        note = self.move._reverse_moves([{"invoice_date": self.move.invoice_date}])
        note.invoice_line_ids.price_unit = 40
        note.action_post()
        note.action_frontpay_send()
        self.assertEqual(note.frontpay_refund_state, "refunded")
        [_first, mail] = self.mails()
        text = " ".join(html.fromstring(mail.body_html).text_content().split())
        self.assertRegex(text, r"Credited .*-.?50\.00 .*Total, VAT included .*75\.00")

    def test_the_sms_says_it_too(self):
        self.assertIn("was changed to", self.sent._sms_text("change"))
        self.assertNotIn("was changed", self.sent._sms_text("reminder"))


@tagged("post_install", "-at_install", "frontpay")
class TestOnce(LinkCase):
    def test_a_new_link_is_due_where_the_customer_would_wait_for_it(self):
        cases = (
            ("the first", {}, LINK, True, True),
            ("the first, by hand", {}, LINK, False, False),
            ("the same", {"verification_url": LINK}, LINK, True, False),
            (
                "another, by hand, after an e-mail",
                {"verification_url": LINK, "link_emailed_at": "2026-01-01 12:00:00"},
                NEW_LINK,
                False,
                True,
            ),
            ("none any more", {"verification_url": LINK}, "", True, False),
            (
                "Front Payment sends it itself",
                {"channel": "payment_link"},
                LINK,
                True,
                False,
            ),
        )
        for name, values, link, is_automatic, is_due in cases:
            with self.subTest(name), self.undone():
                self.company.frontpay_email_link = is_automatic
                order = self.waiting(**{"verification_url": False} | values)
                order._keep_link(link)
                self.assertEqual(order.is_link_due, is_due)
                self.assertEqual(order.verification_url, link or False)

    def test_a_new_link_is_no_reminder_of_the_former(self):
        order = self.emailed(days=3)
        order._keep_link(NEW_LINK)
        self.assertFalse(order.link_emailed_at)
        order._email_due_link()
        [_former, mail] = self.mails()
        self.assertIn("session=def", mail.body_html)
        self.assertNotIn("Reminder", mail.subject)
        self.assertFalse(order.link_reminders)

    def test_a_new_link_may_be_e_mailed_right_after_the_former(self):
        self.company.frontpay_email_link = False
        order = self.waiting()
        order.move_id.action_frontpay_email_link()
        order._keep_link(NEW_LINK)
        order.move_id.action_frontpay_email_link()
        self.assertEqual(len(self.mails()), 2)

    def test_a_link_that_is_of_no_use_any_more_is_not_e_mailed(self):
        cases = (
            ("confirmed", {"state": "invoiced"}),
            ("paid", {"state": "paid"}),
            ("expired", {"state": "expired"}),
            ("no link", {"verification_url": False}),
        )
        for name, values in cases:
            with self.subTest(name), self.undone():
                order = self.waiting(is_link_due=True)
                order.write(values)
                self.run_cron("cron_email_links")
                self.assertFalse(self.mails())
                self.assertFalse(order.is_link_due)

    def test_a_customer_who_confirms_while_the_mail_is_written_gets_none(self):
        order = self.waiting(is_link_due=True)
        order._apply_status("INVOICED")
        order._email_due_link()
        self.assertFalse(self.mails())

    def test_what_somebody_e_mailed_meanwhile_is_not_e_mailed_again(self):
        order = self.waiting(is_link_due=True)
        order.is_link_due = False
        order._email_due_link()
        self.assertFalse(self.mails())

    def test_what_is_paid_in_odoo_is_not_asked_for(self):
        order = self.waiting(is_link_due=True)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=order.move_id.ids
        ).create({}).action_create_payments()
        self.run_cron("cron_email_links")
        self.assertFalse(self.mails())
        with self.assertRaisesRegex(UserError, "is paid in Odoo"):
            order.move_id.action_frontpay_email_link()

    def test_an_invoice_that_somebody_holds_is_tried_again(self):
        order = self.waiting(is_link_due=True)
        busy = LockError("busy")
        with patch.object(transaction, "lock", side_effect=busy):
            self.run_cron("cron_email_links")
        self.assertFalse(self.mails())
        self.run_cron("cron_email_links")
        self.assertEqual(len(self.mails()), 1)
        self.assertFalse(order.is_link_due)

    def test_a_copy_of_the_database_e_mails_nothing(self):
        self.waiting(is_link_due=True)
        self.emailed(days=9, number=2)
        self.company.write({"frontpay_reminder_days": 3})
        before = self.mails()
        credentials = self.company.sudo().frontpay_credential_ids
        credentials.database_uuid = "another"
        self.run_cron("cron_email_links")
        self.run_cron("cron_remind")
        self.assertEqual(self.mails(), before)

    def test_a_customer_without_an_address_is_told_to_somebody(self):
        order = self.waiting(is_link_due=True)
        self.private.email = False
        self.run_cron("cron_email_links")
        self.assertIn("has no e-mail address", order.link_error)
        self.assertTrue(self.attention(order.move_id))


@tagged("post_install", "-at_install", "frontpay")
class TestButton(LinkCase):
    def click(self, moves):
        params = moves.action_frontpay_email_link()["params"]
        return params["type"], params["message"]

    def test_it_e_mails_and_says_to_whom(self):
        order = self.waiting()
        kind, message = self.click(order.move_id)
        self.assertEqual(kind, "success")
        self.assertEqual(message, "The link was e-mailed to post@example.com.")
        self.assertEqual(len(self.mails()), 1)

    def test_it_names_the_address_that_was_e_mailed(self):
        """The customer's, where the invoice's contact has none."""
        contact = self._customer("Per Kontakt", parent_id=self.corporate.id)
        contact.email = False
        self.corporate.email = "firma@example.com"
        _kind, message = self.click(self.waiting(customer=contact).move_id)
        self.assertEqual(message, "The link was e-mailed to firma@example.com.")

    def test_a_second_click_at_once_e_mails_nothing(self):
        order = self.waiting()
        self.click(order.move_id)
        with self.assertRaisesRegex(UserError, "again in a few minutes"):
            self.click(order.move_id)
        self.assertEqual(len(self.mails()), 1)

    def test_of_two_who_click_at_once_one_e_mails_it(self):
        order = self.waiting()

        def locked(_move):
            order._email_link()  # by whoever had the invoice until now

        with patch.object(transaction, "lock", locked):
            kind, message = self.click(order.move_id)
        self.assertEqual(kind, "warning")
        self.assertTrue(message.startswith("Not e-mailed: 1."))
        self.assertIn("again in a few minutes", message)
        self.assertEqual(len(self.mails()), 1)

    def test_what_somebody_is_working_on_is_e_mailed_nothing(self):
        order = self.waiting()
        with patch.object(transaction, "lock", side_effect=LockError("Busy.")):
            kind, message = self.click(order.move_id)
        self.assertEqual((kind, message), ("warning", "Not e-mailed: 1. Busy."))
        self.assertFalse(self.mails())

    def test_an_archived_customer_is_e_mailed_nothing(self):
        order = self.waiting()
        self.private.active = False
        with self.assertRaisesRegex(RedirectWarning, "is archived"):
            self.click(order.move_id)
        self.assertFalse(self.mails())

    def test_a_corrected_address_gets_it_at_once(self):
        order = self.waiting()
        self.click(order.move_id)
        self.private.email = "kari@example.com"
        self.click(order.move_id)
        self.assertEqual(order.link_emailed_to, "kari@example.com")

    def test_what_cannot_be_e_mailed_says_why(self):
        sentences = {
            "failed": "doesn't wait for its customer",
            "queued": "doesn't wait for its customer",
            "paid": "doesn't wait for its customer",
        }
        for state, sentence in sentences.items():
            with self.subTest(state), self.undone():
                order = self.waiting(state=state)
                with self.assertRaisesRegex(UserError, sentence):
                    self.click(order.move_id)
        with self.assertRaisesRegex(UserError, "wasn't sent to Front Payment"):
            self.click(self.invoice())
        with self.assertRaisesRegex(UserError, "“Update at Front Payment” creates"):
            self.click(self.waiting(verification_url=False).move_id)
        self.assertFalse(self.mails())

    def test_a_missing_address_leads_to_the_customer(self):
        cases = ((False, "has no e-mail address"), ("nonsense", "isn't a valid one"))
        for email, sentence in cases:
            with self.subTest(email), self.undone():
                order = self.waiting()
                self.private.email = email
                with self.assertRaisesRegex(RedirectWarning, sentence) as caught:
                    self.click(order.move_id)
                self.assertEqual(caught.exception.args[1]["res_id"], self.private.id)

    def test_of_a_selection_each_is_e_mailed_on_its_own(self):
        orders = [self.waiting(number=number) for number in (1, 2)]
        unsent = self.invoice()
        moves = self.env["account.move"].union(*(each.move_id for each in orders))
        kind, message = self.click(moves + unsent)
        self.assertEqual(kind, "warning")
        self.assertIn("2 links were e-mailed.", message)
        self.assertIn("Not e-mailed: 1", message)
        self.assertEqual(len(self.mails()), 2)

    def test_of_many_the_cron_e_mails_the_rest(self):
        count = MAX_EMAILED_AT_ONCE + 2
        orders = [self.waiting(number=number) for number in range(count)]
        moves = self.env["account.move"].union(*(each.move_id for each in orders))
        _kind, message = self.click(moves)
        self.assertIn("2 links are e-mailed in the background.", message)
        self.assertEqual(len(self.mails()), MAX_EMAILED_AT_ONCE)
        self.run_cron("cron_email_links")
        self.assertEqual(len(self.mails()), count)

    def test_a_lost_link_is_fetched_by_those_who_may_invoice(self):
        move = self.waiting(verification_url=False).move_id
        for groups, may in ((GROUP, True), ("account.group_account_readonly", False)):
            values = {"company_ids": [Command.set(self.company.ids)]}
            user = new_test_user(
                self.env, groups, groups, company_id=self.company.id, **values
            )
            with self.subTest(groups):
                alert = move.with_user(user)._get_alerts()["frontpay_link"]
                self.assertIn("link was lost", alert["message"])
                self.assertEqual("action" in alert, may)

    def test_only_those_who_may_invoice_can(self):
        order = self.waiting()
        reader = new_test_user(self.env, "reader", "account.group_account_readonly")
        with self.assertRaises(AccessError):
            self.click(order.move_id.with_user(reader))
        self.assertFalse(self.mails())

    def test_a_bookkeeper_can(self):
        order = self.waiting()
        values = {"company_ids": [Command.set(self.company.ids)]}
        bookkeeper = new_test_user(
            self.env, "bookkeeper", GROUP, company_id=self.company.id, **values
        )
        self.click(order.move_id.with_user(bookkeeper))
        self.assertEqual(len(self.mails()), 1)


@tagged("post_install", "-at_install", "frontpay")
class TestFailedEmail(LinkCase):
    def test_it_is_told_on_the_invoice_and_to_somebody(self):
        for fail in (self.refuse, self.bounce):
            with self.subTest(fail.__name__), self.undone():
                order = self.waiting()
                order._email_link()
                fail(self.mails())
                alert = order.move_id._get_alerts()["frontpay_link"]
                self.assertIn("The e-mail to the customer failed", alert["message"])
                self.assertIn("post@example.com", alert["message"])
                self.assertEqual(len(self.attention(order.move_id)), 1)

    def test_what_arrives_is_no_failure(self):
        order = self.waiting()
        order._email_link()
        self.deliver(self.mails())
        self.assertFalse(order.link_error)
        self.assertFalse(self.attention(order.move_id))

    def test_a_mail_that_odoo_sends_later_makes_it_good(self):
        order = self.waiting()
        order._email_link()
        self.refuse(self.mails())
        self.assertTrue(order.link_error)
        self.mails().sudo().mark_outgoing()
        self.deliver(self.mails())
        self.assertFalse(order.link_error)
        self.assertFalse(self.attention(order.move_id))

    def test_the_next_e_mail_makes_it_good(self):
        order = self.waiting()
        order._email_link()
        first = self.mails()
        self.refuse(first)
        self.waiting(number=2)._email_link()
        others = self.mails() - first
        order.move_id.action_frontpay_email_link()
        self.assertEqual(first.state, "cancel")
        self.assertEqual(others.state, "outgoing")
        self.assertFalse(order.link_error)
        self.assertFalse(self.attention(order.move_id))
        self.assertEqual(order.link_reminders, 0)

    def test_it_is_told_once(self):
        order = self.waiting()
        order._email_link()
        self.refuse(self.mails())
        self.mails().sudo().mark_outgoing()
        self.refuse(self.mails())
        self.assertEqual(self.chatter(order.move_id).count("customer failed"), 1)

    def test_what_fails_after_the_customer_confirmed_bothers_nobody(self):
        order = self.waiting()
        order._email_link()
        order._apply_status("INVOICED")
        self.refuse(self.mails())
        self.assertFalse(order.link_error)
        self.assertFalse(self.attention(order.move_id))


@tagged("post_install", "-at_install", "frontpay")
class TestReminders(LinkCase):
    def setUp(self):
        super().setUp()
        self.company.write({"frontpay_reminder_days": 3, "frontpay_reminder_count": 2})

    def test_who_is_reminded(self):
        cases = (
            ("it is time", {}, {}, True),
            ("too early", {"days": 2}, {}, False),
            ("often enough", {}, {"link_reminders": 2}, False),
            ("confirmed", {}, {"state": "invoiced"}, False),
            ("expired", {}, {"state": "expired"}, False),
            ("no link any more", {}, {"verification_url": False}, False),
            ("the last e-mail failed", {}, {"link_error": "It came back."}, False),
        )
        for name, given, values, is_reminded in cases:
            with self.subTest(name), self.undone():
                order = self.emailed(**{"days": 3} | given)
                order.write(values)
                before = self.mails()
                self.run_cron("cron_remind")
                self.run_cron("cron_remind")
                self.assertEqual(len(self.mails() - before), is_reminded)

    def test_who_has_paid_in_odoo_is_not_reminded(self):
        order = self.emailed(days=3)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=order.move_id.ids
        ).create({}).action_create_payments()
        before = self.mails()
        self.run_cron("cron_remind")
        self.assertEqual(self.mails(), before)

    def test_whom_somebody_reminds_meanwhile_is_not_reminded_again(self):
        order = self.emailed(days=3)
        before = self.mails()
        order._email_link()
        order._email_reminder()
        self.assertEqual(len(self.mails() - before), 1)

    def test_a_customer_who_never_got_it_is_not_reminded(self):
        self.waiting(days=9)
        self.run_cron("cron_remind")
        self.assertFalse(self.mails())

    def test_another_companys_reminders_are_for_its_own_customers(self):
        other = self.setup_other_company(name="Elvenett Prøve AS")["company"]
        other.frontpay_reminder_days = 3
        self.company.frontpay_reminder_days = 0
        self.emailed(days=9)
        before = self.mails()
        self.run_cron("cron_remind")
        self.assertEqual(self.mails(), before)

    def test_a_reminders_subject_is_in_the_customers_language(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        addon = self.env["ir.module.module"]._get("frontpay_odoo")
        addon._update_translations(["nb_NO"])
        self.private.lang = "nb_NO"
        self.emailed(days=3)._email_reminder()
        [_first, reminder] = self.mails()
        self.assertTrue(reminder.subject.startswith("Påminnelse: "))

    def test_zero_days_remind_nobody(self):
        self.company.frontpay_reminder_days = 0
        self.emailed(days=9)
        before = self.mails()
        self.run_cron("cron_remind")
        self.assertEqual(self.mails(), before)

    def test_they_are_counted_and_end(self):
        order = self.emailed(days=3)
        for _time in range(4):
            self.run_cron("cron_remind")
            order.link_emailed_at -= 3 * DAY
        self.assertEqual(order.link_reminders, 2)
        self.assertEqual(len(self.mails()), 3)

    def test_from_the_list_those_are_reminded_who_have_had_it_for_three_days(self):
        old = self.emailed(days=4, number=1)
        young = self.emailed(days=1, number=2)
        never = self.waiting(days=5, number=3)
        confirmed = self.emailed(days=1, number=4)
        confirmed.state = "invoiced"
        before = self.mails()
        params = (old + young + never + confirmed).action_remind()["params"]
        self.assertEqual(len(self.mails() - before), 2)
        self.assertIn("2 links were e-mailed.", params["message"])
        self.assertIn("Not e-mailed: 2", params["message"])
        self.assertIn("3 days haven't passed", params["message"])
        self.assertEqual(young.link_reminders, 0)
        self.assertIn("doesn't wait for its customer", params["message"])

    def test_without_choosing_any_all_are_reminded_that_have_waited_for_some_days(self):
        Order = self.env["frontpay.order"]
        self.assertIn("No customer", Order.action_remind_old()["params"]["message"])
        old = self.emailed(days=4, number=1)
        young = self.emailed(days=1, number=2)
        never = self.waiting(days=5, number=3)
        self.waiting(days=5, number=4, verification_url=False)
        self.waiting(days=1, number=5)
        before = self.mails()
        told = Order.action_remind_old()["params"]
        self.assertEqual(
            (told["type"], told["message"]), ("success", "2 links were e-mailed.")
        )
        self.assertEqual(len(self.mails() - before), 2)
        self.assertEqual((old.link_reminders, young.link_reminders), (1, 0))
        self.assertTrue(never.link_emailed_at)
        arch = etree.fromstring(
            self.env["frontpay.order"].get_view(
                self.env.ref("frontpay_odoo.frontpay_order_view_list_waiting").id
            )["arch"]
        )
        [button] = arch.xpath("//header/button[@name='action_remind_old']")
        self.assertEqual(button.get("display"), "always")

    def test_of_those_that_are_chosen_no_other_is_reminded(self):
        chosen = self.emailed(days=4, number=1)
        other = self.emailed(days=4, number=2)
        chosen.action_remind_old()
        self.assertEqual((chosen.link_reminders, other.link_reminders), (1, 0))

    def test_what_waits_for_the_customer_is_listed_with_its_age(self):
        waiting = self.waiting(days=4)
        invoiced = self.waiting(days=4, number=2, state="invoiced")
        self.waiting(days=4, number=3, channel="ehf")
        action = self.env.ref("frontpay_odoo.frontpay_order_action_waiting")
        domain = action._get_action_dict()["domain"]
        listed = self.env["frontpay.order"].search(eval(domain))
        self.assertEqual(listed & waiting, waiting)
        self.assertEqual(len(listed), 1)
        self.assertEqual((waiting.days_waiting, invoiced.days_waiting), (4, 0))


@tagged("post_install", "-at_install", "frontpay")
class TestQrCode(LinkCase):
    def test_it_is_there_while_there_is_a_link(self):
        order = self.waiting()
        picture = order.move_id.frontpay_link_qr
        self.assertTrue(picture.startswith(b"iVBOR"))  # a PNG
        order._apply_status("PAID")
        self.assertFalse(order.move_id.frontpay_link_qr)

    def test_only_those_who_may_read_the_link_see_it(self):
        order = self.waiting()
        employee = new_test_user(self.env, "employee", "base.group_user")
        with self.assertRaises(AccessError):
            order.move_id.with_user(employee).read(["frontpay_link_qr"])


@tagged("post_install", "-at_install", "frontpay")
class TestLiveInvoice(LinkCase):
    def channels(self, user, move):
        websocket = self.env["ir.websocket"].with_user(user)
        names = [f"frontpay_odoo.invoice:{move.id}", "frontpay_odoo.invoice:0"]
        Websocket = "odoo.addons.bus.models.ir_websocket.IrWebsocket"
        with patch(f"{Websocket}._build_bus_channel_list", lambda _self, names: names):
            listed = websocket._build_bus_channel_list(names)
        return [
            channel
            for channel in listed
            if isinstance(channel, tuple) and channel[1] == INVOICE_CHANNEL
        ]

    def test_only_those_who_may_read_the_invoice_listen_to_it(self):
        move = self.waiting().move_id
        self.assertEqual(self.channels(self.env.user, move), [(move, INVOICE_CHANNEL)])
        stranger = new_test_user(self.env, "stranger", "base.group_user")
        self.assertEqual(self.channels(stranger, move), [])
        self.assertEqual(self.channels(self.env.ref("base.public_user"), move), [])
        portal = new_test_user(
            self.env, "portal", "base.group_portal", partner_id=self.private.id
        )
        self.assertTrue(move.with_user(portal).has_access("read"))
        self.assertEqual(self.channels(portal, move), [])

    def told(self, step, *arguments):
        """What open forms are told by a step."""
        self.env.flush_all()
        self.env["bus.bus"]._ensure_hooks()
        values = self.env.cr.precommit.data["bus.bus.values"]
        values.clear()
        step(*arguments)
        return [each for each in values if "frontpay_odoo.invoice" in each["message"]]

    def test_a_change_is_told_and_polling_alone_is_not(self):
        order = self.waiting()
        self.assertEqual(self.told(order._record_unchanged), [])
        told = self.told(order._apply_status, "INVOICED")
        self.assertTrue(told)
        self.assertNotIn("example.com", str(told))

    def test_each_change_that_a_form_shows_is_told_on_its_own(self):
        order = self.waiting()
        for change in (
            {"state": "reminded"},
            {"error": "The journal is archived."},
            {"verification_url": False},
            {"link_emailed_at": fields.Datetime.now()},
            {"link_error": "No such address."},
        ):
            with self.subTest(change):
                self.assertEqual(len(self.told(order.write, change)), 1)
