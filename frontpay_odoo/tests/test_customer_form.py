from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, LockError, UserError, ValidationError
from odoo.tests import HttpCase, freeze_time, new_test_user, tagged
from odoo.tools import html2plaintext

from .common import PERSONAL_NUMBER, FrontpayCommon

GOOD = {
    "email": "kari@example.com",
    "street": "Prøvegata 14",
    "zip": "7030",
    "city": "Trondheim",
    "country_id": "NO",
    "phone": "465 67 468",
    "frontpay_personal_number": PERSONAL_NUMBER,
}
WRONG = (  # a field, and what can't be right in it
    ("email", "kari@"),
    ("country_id", "ZZ"),
    ("country_id", "' OR 1=1"),
    ("phone", "12"),
    ("phone", "Kari"),
    ("frontpay_personal_number", "17858410194"),
    ("frontpay_personal_number", "1" * 11),
    ("street", "   "),
    ("street", "\N{NO-BREAK SPACE}"),
)
# What can't be stored, or wouldn't be seen by whoever reads it.
UNPRINTABLE = ("\x07", "\x7f", "\u200b", "\u202e", "\ud800")


@tagged("post_install", "-at_install")
class TestCustomerForm(FrontpayCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.empty = cls.env["res.partner"].create({"name": "Tom <b>Mangel</b>"})
        cls.move = cls.invoice(customer=cls.empty)
        cls.asker = cls.person("frontpay_asker", "account.group_account_invoice")

    @classmethod
    def person(cls, login, groups):
        company = cls.company
        return new_test_user(
            cls.env,
            login,
            groups=groups,
            company_id=company.id,
            company_ids=company.ids,
        )

    def form(self, **values):
        forms = self.env["frontpay.customer.form"].with_user(self.asker).sudo()
        return forms.create({"move_id": self.move.id, **values})

    def path(self, form):
        return form._form_url().partition("odoo.example.com")[2]

    def page(self, form):
        return self.url_open(self.path(form))

    def send_in(self, form, **typed):
        """What the customer types, over HTTP and with the page's own token."""
        shown = self.page(form).text
        token = shown.partition('name="csrf_token" value="')[2].partition('"')[0]
        return self.url_open(self.path(form), data=typed | {"csrf_token": token})

    def activities(self):
        return self.move.activity_search(["frontpay_odoo.activity_attention"])

    def test_it_asks_for_what_is_missing_and_shows_nothing_that_is_known(self):
        self.empty.write({"email": "tom@example.com", "city": "Hemmelig"})
        shown = self.page(self.form())
        self.assertEqual(shown.status_code, 200)
        self.assertEqual(shown.headers["Cache-Control"], "no-store")
        self.assertEqual(shown.headers["Referrer-Policy"], "no-referrer")
        self.assertIn(f"/logo.png?company={self.company.id}", shown.text)
        for name in GOOD.keys() - {"email", "city"}:
            self.assertIn(f'name="{name}"', shown.text)
        for secret in ('name="email"', "tom@example.com", "Hemmelig", "Mangel"):
            self.assertNotIn(secret, shown.text)

    def test_what_is_right_is_stored_and_the_asker_is_told(self):
        form = self.form()
        shown = self.send_in(form, **GOOD)
        self.assertIn("Thank you", shown.text)
        for name in GOOD.keys() - {"country_id"}:
            self.assertEqual(self.empty[name], GOOD[name])
        self.assertEqual(self.empty.country_id.code, "NO")
        self.assertTrue(form.answered_at)
        [activity] = self.activities()
        self.assertEqual(activity.user_id, self.asker)
        self.assertIn("can be sent to Front Payment", activity.note)
        told = self.move.message_ids[0]
        self.assertIn(self.asker.partner_id, told.partner_ids)
        self.assertIn("E-mail address", told.body)
        self.assertIn("&lt;b&gt;Mangel", told.body)

    def test_no_personal_number_reaches_a_message_or_the_page(self):
        form = self.form()
        shown = self.send_in(form, **GOOD | {"email": "wrong"})
        messages = self.move.message_ids | self.empty.message_ids
        bodies = " ".join(messages.mapped("body"))
        for text in (shown.text, bodies, form._form_url()):
            self.assertNotIn(PERSONAL_NUMBER, text)
        other = self.form()
        self.empty.frontpay_personal_number = False
        again = self.send_in(other, frontpay_personal_number="17858410194")
        self.assertIn("This number", again.text)
        self.assertNotIn("17858410194", again.text)

    def test_if_wanted_the_invoice_is_queued_by_whoever_asked(self):
        self.send_in(self.form(is_sent_when_complete=True), **GOOD)
        self.assertEqual(self.move.frontpay_state, "queued")
        self.assertEqual(self.move.frontpay_order_id.create_uid, self.asker)
        self.assertFalse(self.activities())

    def test_for_who_may_not_any_more_the_responsible_goes_on(self):
        responsible = self.person(
            "frontpay_responsible", "account.group_account_invoice"
        )
        self.company.frontpay_responsible_id = responsible
        visitor = self.env.ref("base.public_user")
        auditor = self.env.ref("account.group_account_readonly")
        elsewhere = self.env["res.company"].create({"name": "Elvenett Prøve AS"})
        for name, change in (
            ("archived", {"active": False}),
            ("may only read", {"group_ids": [Command.set(auditor.ids)]}),
            (
                "in another company",
                {
                    "company_id": elsewhere.id,
                    "company_ids": [Command.set(elsewhere.ids)],
                },
            ),
        ):
            for is_sent in (True, False):
                with self.subTest(name, is_sent=is_sent), self.undone():
                    form = self.form(is_sent_when_complete=is_sent)
                    self.asker.write(change)
                    form.with_user(visitor).sudo()._receive_answer(GOOD)
                    self.assertGoesOn(responsible, is_sent)
                self.env.invalidate_all()

    def assertGoesOn(self, person, is_sent):
        """That person has the invoice in hand, and nobody else."""
        self.assertEqual(self.move.message_ids[0].partner_ids, person.partner_id)
        if is_sent:
            self.assertEqual(self.move.frontpay_order_id.create_uid, person)
        else:
            self.assertEqual(self.activities().user_id, person)

    def test_without_anybody_who_may_nothing_is_sent(self):
        form = self.form(is_sent_when_complete=True)
        nobody = self.env["res.users"]
        Order = type(self.env["frontpay.order"])
        with patch.object(Order, "_person_for", return_value=nobody):
            form._receive_answer(GOOD)
        self.assertFalse(self.move.frontpay_state)
        self.assertTrue(self.activities())
        self.assertTrue(form.answered_at)

    def test_what_else_is_wrong_with_the_invoice_is_told(self):
        self.company.frontpay_custom_url = False
        self.send_in(self.form(is_sent_when_complete=True), **GOOD)
        self.assertFalse(self.move.frontpay_state)
        [activity] = self.activities()
        self.assertIn("settings", activity.note)

    def test_what_is_wrong_is_told_and_the_rest_is_stored(self):
        for name, text in WRONG:
            with self.subTest(name=name, text=text), self.undone():
                form = self.form()
                mistakes = form._receive_answer(GOOD | {name: text})
                self.assertIn(name, mistakes)
                self.assertFalse(self.empty[name])
                self.assertFalse(form.answered_at)
            self.empty.invalidate_recordset()

    def test_what_cannot_be_stored_is_told_and_the_rest_is_stored(self):
        good = GOOD | {"phone": "+47 465 67 468"}  # right without the country as well
        zero = [(name, "\x00") for name in good]
        for name, character in zero + [("street", each) for each in UNPRINTABLE]:
            with self.subTest(name=name, character=repr(character)), self.undone():
                typed = good | {name: good[name] + character}
                mistakes = self.form()._receive_answer(typed)
                self.assertEqual(mistakes.keys(), {name})
                self.assertIn("can't be stored", mistakes[name])
                self.assertFalse(self.empty[name])
            self.empty.invalidate_recordset()

    def test_the_page_tells_what_cannot_be_stored(self):
        shown = self.send_in(self.form(), **GOOD | {"street": "Prøvegata\x00 14"})
        self.assertEqual(shown.status_code, 200)
        self.assertIn("can't be stored", html2plaintext(shown.text))
        self.assertFalse(self.empty.street)
        self.assertEqual(self.empty.city, GOOD["city"])

    def test_what_odoo_refuses_is_told_and_the_rest_is_stored(self):
        Partner = type(self.empty)
        write = Partner.write
        for error in (UserError, ValidationError, AccessError):

            def refuse(partner, values, error=error):
                if "street" in values:
                    raise error("No")
                return write(partner, values)

            patched = patch.object(Partner, "write", refuse)
            with self.subTest(error.__name__), self.undone(), patched:
                mistakes = self.form()._receive_answer(GOOD)
                self.assertEqual(mistakes.keys(), {"street"})
                self.assertIn("can't be stored", mistakes["street"])
                self.assertEqual(self.empty.city, GOOD["city"])
            self.empty.invalidate_recordset()

    def test_pasted_spaces_become_usual_ones(self):
        self.form()._receive_answer({"street": " Prøvegata\N{NO-BREAK SPACE}\t14\n"})
        self.assertEqual(self.empty.street, "Prøvegata 14")

    def test_a_file_is_no_answer(self):
        form = self.form()
        token = self.page(form).text.partition('name="csrf_token" value="')[2]
        shown = self.url_open(
            self.path(form),
            data={"csrf_token": token.partition('"')[0]},
            files={"street": ("street.txt", b"Other street 1")},
        )
        self.assertEqual(shown.status_code, 200)
        self.assertIn("Please fill this in", shown.text)
        self.assertFalse(self.empty.street)

    def test_what_is_known_is_not_overwritten(self):
        self.empty.email = "tom@example.com"
        self.form()._receive_answer(GOOD)
        self.assertEqual(self.empty.email, "tom@example.com")

    def test_it_is_answered_once(self):
        form = self.form()
        form._receive_answer(GOOD)
        self.empty.email = False
        self.assertEqual(form._receive_answer(GOOD), {})
        self.assertFalse(self.empty.email)
        self.assertIn("Thank you", self.page(form).text)

    def test_it_is_open_for_two_weeks(self):
        now = fields.Datetime.now()
        with freeze_time(now):
            form = self.form()
        self.assertEqual(form.expires_at, now + timedelta(days=14))

    def test_there_is_nothing_left_to_ask_once_somebody_else_has_filled_it_in(self):
        form = self.form()
        self.empty.write(dict(GOOD, country_id=self.env.ref("base.no").id))
        self.assertEqual(form._form_status(), "answered")

    def test_it_expires(self):
        form = self.form(expires_at=fields.Datetime.now() - timedelta(seconds=1))
        self.assertEqual(form._receive_answer(GOOD), {})
        self.assertFalse(self.empty.email)
        self.assertIn("This form is closed", self.page(form).text)

    def test_after_ten_tries_it_is_closed(self):
        for answer in ({"frontpay_personal_number": "17858410194"}, {}):
            with self.subTest(answer):
                form = self.form()
                for _number in range(10):
                    form._receive_answer(answer)
                self.assertEqual(form._receive_answer(GOOD), {})
                self.assertFalse(self.empty.email)
                self.assertIn("This form is closed", self.page(form).text)

    def test_two_at_once_are_told_to_wait(self):
        form = self.form()
        with patch.object(type(form), "lock_for_update", side_effect=LockError("busy")):
            self.assertIn("just being stored", self.send_in(form, **GOOD).text)

    def test_nobody_finds_another_form(self):
        path = self.path(self.form())
        for address in (
            path[:40] + ("A" if path[40] != "A" else "B") + path[41:],
            path[:-3],
            "/frontpay/customer/1",
            "/frontpay/customer/%C3%A6",
            "/frontpay/customer/" + "A" * 80,
        ):
            with self.subTest(address=address):
                self.assertEqual(self.url_open(address).status_code, 404)

    def test_without_the_pages_token_nothing_is_taken(self):
        self.url_open(self.path(self.form()), data=GOOD)
        self.assertFalse(self.empty.email)

    def test_the_page_is_in_the_customers_language(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        self.empty.lang = "nb_NO"
        self.assertIn('lang="nb-NO"', self.page(self.form()).text)

    def test_whoever_asked_is_told_in_the_own_language(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        addon = self.env["ir.module.module"]._get("frontpay_odoo")
        addon._update_translations(["nb_NO"])
        self.asker.lang = "nb_NO"
        self.form().with_context(lang="en_US")._receive_answer(GOOD)
        told = " ".join(self.move.message_ids.mapped("body"))
        self.assertIn("har fylt ut: ", told)

    def test_a_text_is_stored_in_a_sensible_length(self):
        self.form()._receive_answer(GOOD | {"street": "x" * 1000})
        self.assertEqual(len(self.empty.street), 200)

    def test_it_is_kept_for_a_while(self):
        now = fields.Datetime.now()
        old = self.form(expires_at=now - timedelta(days=91))
        new = self.form(expires_at=now - timedelta(days=89))
        new._gc_expired()
        self.assertFalse(old.exists())
        self.assertTrue(new.exists())

    # === THE DIALOG === #

    def ask(self):
        action = self.move.with_user(self.asker).action_frontpay_ask_customer()
        wizards = self.env[action["res_model"]].with_user(self.asker)
        return wizards.browse(action["res_id"])

    def test_the_form_goes_by_e_mail(self):
        self.empty.email = "tom@example.com"
        self.ask().action_confirm()
        [form] = (
            self.env["frontpay.customer.form"]
            .sudo()
            .search([("move_id", "=", self.move.id)])
        )
        [mail] = (
            self.env["mail.mail"]
            .sudo()
            .search([("model", "=", form._name), ("res_id", "=", form.id)])
        )
        self.assertIn("/frontpay/customer/", mail.body_html)
        self.assertIn("&lt;b&gt;Mangel", mail.body_html)
        told = self.move.message_ids[0].body
        self.assertIn("is asked for", told)
        self.assertNotIn("/frontpay/customer/", told)

    def test_whoever_may_not_change_the_invoice_has_nobody_asked(self):
        wizard = self.ask()
        self.env["ir.rule"].create(
            {
                "name": "Somebody else's invoice",
                "model_id": self.env["ir.model"]._get_id("account.move"),
                "domain_force": [("id", "!=", self.move.id)],
                "perm_read": False,
            }
        )
        with self.assertRaises(AccessError):
            wizard.action_confirm()

    def test_without_an_e_mail_address_there_is_a_link_to_hand_over(self):
        wizard = self.ask()
        wizard.action_confirm()
        self.assertIn("https://odoo.example.com/frontpay/customer/", wizard.url)

    def test_the_invoice_says_what_is_missing(self):
        self.assertIn("E-mail address", self.move.frontpay_missing)
        self.assertFalse(self.invoice().frontpay_missing)

    def test_who_lacks_nothing_is_not_asked(self):
        with self.assertRaises(UserError):
            self.invoice().with_user(self.asker).action_frontpay_ask_customer()

    def test_only_who_may_invoice_asks(self):
        reader = self.person("frontpay_reader", "account.group_account_readonly")
        with self.assertRaises(AccessError):
            self.move.with_user(reader).action_frontpay_ask_customer()
