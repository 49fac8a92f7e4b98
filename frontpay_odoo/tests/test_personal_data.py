"""Personal numbers: shown to whoever asks and may, in no other place, and erased."""

import json
import logging
import re
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.http import Request
from odoo.tests import Form, HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import PATH_TOKEN, PERSONAL_NUMBER, FrontpayCommon

NUMBER = "frontpay_personal_number"
MASKED = "178584*****"
OTHER_NUMBER = "17458410100"
# Settings of the company in days, how long ago each order was closed (None: open), and
# whether the number goes.
ERASURES = {
    "off": (0, [400], False),
    "long over": (30, [400], True),
    "over today": (30, [30], True),
    "not over yet": (30, [29], False),
    "the last order counts": (30, [400, 29], False),
    "an open order": (30, [400, None], False),
    "never an order": (30, [], False),
}
# The same with a second company: (days of the first, of the second), closed how long
# ago at the first, at the second.
ERASURES_OF_TWO = {
    "both over": ((30, 60), 100, 100, True),
    "not over at the second": ((30, 60), 100, 50, False),
    "the second erases nothing": ((30, 0), 100, 100, False),
    "open at the second": ((30, 60), 100, None, False),
    "the second had no order": ((30, 0), 100, ..., True),
}


class PersonalDataCase(FrontpayCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bookkeeper = cls._bookkeeper("frontpay_bookkeeper")
        cls.salesperson = new_test_user(
            cls.env,
            "frontpay_salesperson",
            "base.group_user,base.group_partner_manager,base.group_allow_export",
        )

    @classmethod
    def _bookkeeper(cls, login):
        return new_test_user(
            cls.env,
            login,
            "account.group_account_invoice,base.group_partner_manager,"
            "base.group_allow_export",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )

    def _as(self, user, record=None):
        self.env.flush_all()
        self.env.invalidate_all()
        return (self.private if record is None else record).with_user(user)

    def _bodies(self, partner):
        return str(partner.message_ids.mapped("body"))


@tagged("post_install", "-at_install", "frontpay")
class TestPersonalNumber(PersonalDataCase):
    def test_the_form_is_given_the_masked_number_only(self):
        partner = self._as(self.bookkeeper)
        view = partner.get_view(view_type="form")
        names = set(view["models"]["res.partner"])
        self.assertIn("frontpay_masked_number", names)
        self.assertNotIn(NUMBER, names)
        form = Form(partner)
        self.assertEqual(form.frontpay_masked_number, MASKED)
        self.assertNotIn(PERSONAL_NUMBER, str(form._values))

    def test_the_mask_follows_the_number(self):
        self.assertEqual(self.private.frontpay_masked_number, MASKED)
        self.private[NUMBER] = OTHER_NUMBER
        self.assertEqual(self.private.frontpay_masked_number, "174584*****")

    def test_saving_the_form_leaves_the_number(self):
        with Form(self._as(self.bookkeeper)) as form:
            form.frontpay_masked_number = "178584 10193"
            form.frontpay_masked_number = MASKED
            form.name = "Kari Prøvebruker Nilsen"
        self.assertEqual(self.private[NUMBER], PERSONAL_NUMBER)

    def test_a_number_is_entered_changed_and_taken_away_on_the_form(self):
        partner = self._as(self.bookkeeper)
        for typed, stored in (
            ("174584 10100", OTHER_NUMBER),
            (PERSONAL_NUMBER, PERSONAL_NUMBER),
            (False, False),
            (OTHER_NUMBER, OTHER_NUMBER),
        ):
            with self.subTest(typed):
                with Form(partner) as form:
                    form.frontpay_masked_number = typed
                self.assertEqual(partner[NUMBER], stored)

    def test_a_saved_form_is_given_back_the_mask(self):
        partner = self._as(self.bookkeeper)
        values = {"frontpay_masked_number": OTHER_NUMBER}
        wanted = {"frontpay_masked_number": {}}
        [saved] = partner.web_save(values, wanted)
        self.assertEqual(saved["frontpay_masked_number"], "174584*****")

    def test_a_number_typed_into_the_mask_is_refused_without_being_shown(self):
        with self.assertRaises(ValidationError) as caught:
            self._as(self.bookkeeper).frontpay_masked_number = f"{MASKED}10194"
        self.assertIn("exactly 11 digits", str(caught.exception))
        self.assertNotIn("10194", str(caught.exception))
        self.assertEqual(self.private[NUMBER], PERSONAL_NUMBER)

    def test_several_numbers_are_written_at_once(self):
        second = self._customer("Ola Prøvebruker")
        both = self._as(self.bookkeeper, self.private + second)
        for name in ("frontpay_masked_number", NUMBER):
            for number in (OTHER_NUMBER, False, PERSONAL_NUMBER):
                with self.subTest(name, number=number):
                    both.write({name: number})
                    self.assertEqual(both.mapped(NUMBER), [number, number])
                    self.env.invalidate_all()
                    self.assertEqual(both.mapped(NUMBER), [number, number])

    def test_a_customer_is_made_with_a_number(self):
        values = {"name": "Ola Prøvebruker", "frontpay_masked_number": OTHER_NUMBER}
        partner = self.env["res.partner"].with_user(self.bookkeeper).create(values)
        self.assertEqual(partner[NUMBER], OTHER_NUMBER)
        self.assertEqual(partner.frontpay_masked_number, "174584*****")

    def test_the_number_is_shown_to_whoever_asks_for_it(self):
        partner = self._as(self.bookkeeper)
        with self.assertLogs("odoo.addons.frontpay_odoo", logging.INFO) as log:
            told = partner.action_frontpay_show_number()["params"]
        self.assertEqual(told["message"], f"Kari Prøvebruker: {PERSONAL_NUMBER}")
        self.assertTrue(told["sticky"])
        self.assertIn(f"customer {partner.id} was shown to user", log.output[0])
        self.assertNotIn(PERSONAL_NUMBER, log.output[0])

    def test_from_an_invoice_the_customers_name_alone_is_told_with_it(self):
        partner = self._as(self.bookkeeper).with_context(show_address=True)
        partner.street = "Eksempelveien 1"
        told = partner.action_frontpay_show_number()["params"]
        self.assertEqual(told["message"], f"Kari Prøvebruker: {PERSONAL_NUMBER}")
        with self.assertRaises(ValidationError) as refused:
            partner.frontpay_personal_number = "12345678901"
        self.assertNotIn("Eksempelveien", str(refused.exception))

    def test_the_number_is_neither_shown_to_others_nor_erased_by_them(self):
        for action in ("action_frontpay_show_number", "action_frontpay_erase_number"):
            with self.subTest(action), self.assertRaises(AccessError):
                getattr(self._as(self.salesperson), action)()
        self.assertEqual(self.private[NUMBER], PERSONAL_NUMBER)

    def test_who_may_not_change_customers_has_no_button_and_reads_whom_to_ask(self):
        clerk = new_test_user(self.env, "clerk", "account.group_account_invoice")
        self.company.frontpay_responsible_id = administrator = new_test_user(
            self.env,
            "administrator",
            "base.group_system",
            company_ids=[(4, self.company.id)],
        )
        for user, is_there in ((clerk, False), (self.bookkeeper, True)):
            arch = self._as(user).get_view(view_type="form")["arch"]
            self.assertEqual("action_frontpay_erase_number" in arch, is_there)
        own = self._as(clerk).with_context(allowed_company_ids=self.company.ids)
        sentence = f"You may not change customers.* Ask {re.escape(administrator.name)}"
        with self.assertRaisesRegex(AccessError, sentence):
            own.action_frontpay_erase_number()
        self.assertEqual(self.private[NUMBER], PERSONAL_NUMBER)

    def test_nobody_finds_a_customer_by_number_but_in_its_field(self):
        partners = self._as(self.bookkeeper, self.env["res.partner"])
        for text in (PERSONAL_NUMBER, PERSONAL_NUMBER[:6], "178584 10193"):
            with self.subTest(text):
                self.assertFalse(partners.name_search(text))
                self.assertFalse(partners.search([("display_name", "ilike", text)]))
        view = self.env["res.partner"].get_view(view_type="search")
        self.assertNotIn("frontpay", view["arch"])
        domain = [(NUMBER, "=", PERSONAL_NUMBER)]
        self.assertEqual(partners.search(domain), self.private)
        for model, searched in (
            ("res.partner", domain),
            ("res.partner", [("child_ids", "any", domain)]),
            ("res.partner", ["!", *domain]),
            ("res.users", domain),
            ("res.users", [(f"partner_id.{NUMBER}", "=", PERSONAL_NUMBER)]),
        ):
            with self.subTest(model, domain=searched), self.assertRaises(AccessError):
                self._as(self.salesperson, self.env[model]).search(searched)

    def test_nobody_sorts_by_number(self):
        for user, error in (
            (self.salesperson, AccessError),
            (self.bookkeeper, ValueError),
        ):
            with self.subTest(user.login), self.assertRaises(error):
                self._as(user, self.env["res.partner"]).search([], order=NUMBER)

    def test_customers_are_found_by_having_a_number(self):
        partners = self._as(self.bookkeeper, self.env["res.partner"])
        both = Domain("id", "in", (self.private + self.corporate).ids)
        for operator, value, found in (
            ("=", False, self.corporate),
            ("!=", False, self.private),
            ("=", PERSONAL_NUMBER, self.private),
            ("!=", PERSONAL_NUMBER, self.corporate),
            ("in", [PERSONAL_NUMBER, False], self.private + self.corporate),
            ("not in", [PERSONAL_NUMBER, False], partners),
            ("=like", "1785%", self.private),
            ("not like", "1785", self.corporate),
        ):
            with self.subTest(operator=operator, value=value):
                domain = both & Domain(NUMBER, operator, value)
                self.assertEqual(partners.search(domain), found)

    def test_the_table_of_numbers_is_nobodys(self):
        manager = self.env.ref("account.group_account_manager")
        self.bookkeeper.group_ids += manager + self.env.ref("base.group_system")
        table = self._as(self.bookkeeper, self.env["frontpay.personal.number"])
        for operation in ("read", "write", "create", "unlink"):
            with self.subTest(operation):
                self.assertFalse(table.has_access(operation))
        domain = [("frontpay_number_ids.number", "=", PERSONAL_NUMBER)]
        with self.assertRaises(AccessError):
            self._as(self.bookkeeper).search(domain)

    def test_a_deleted_customers_number_is_deleted(self):
        number = self.private.sudo().frontpay_number_ids
        self.private.unlink()
        self.assertFalse(number.exists())

    def test_nobody_groups_by_number(self):
        partners = self._as(self.bookkeeper, self.env["res.partner"])
        moves = self._as(self.bookkeeper, self.env["account.move"])
        for model, groupby, aggregates in (
            (partners, [NUMBER], ["__count"]),
            (partners, [], [f"{NUMBER}:max"]),
            (partners, [], [f"{NUMBER}:array_agg"]),
            (moves, [f"partner_id.{NUMBER}"], ["__count"]),
        ):
            with (
                self.subTest(groupby=groupby, aggregates=aggregates),
                self.assertRaises(ValueError),
            ):
                model.formatted_read_group([], groupby, aggregates)
        for model in ("res.partner", "res.users"):
            description = self.env[model].fields_get([NUMBER])[NUMBER]
            for ability in ("groupable", "sortable", "exportable"):
                with self.subTest(model, ability=ability):
                    self.assertFalse(description[ability])

    def test_an_export_has_the_masked_number(self):
        user = (
            self.env["res.users"]
            .sudo()
            .create({"name": "Kari", "login": "kari", "partner_id": self.private.id})
        )
        for record, path in (
            (self.private, NUMBER),
            (self.private, "frontpay_masked_number"),
            (self.invoice(), f"partner_id/{NUMBER}"),
            (user, f"partner_id/{NUMBER}"),
            (user, NUMBER),
        ):
            with self.subTest(record._name, path=path):
                self.assertEqual(record.export_data([path])["datas"], [[MASKED]])
        with self.assertRaises(AccessError):
            self._as(self.salesperson).export_data([NUMBER])

    def test_an_exported_number_doesnt_come_back(self):
        result = self.private.load([".id", NUMBER], [[str(self.private.id), MASKED]])
        self.assertIn("exactly 11 digits", result["messages"][0]["message"])
        self.assertEqual(self.private[NUMBER], PERSONAL_NUMBER)

    def test_a_number_leaves_nothing_in_the_chatter_and_in_the_name(self):
        messages = self.private.message_ids
        self.private[NUMBER] = OTHER_NUMBER
        self.private.frontpay_masked_number = PERSONAL_NUMBER
        self.flush_tracking()
        self.assertEqual(self.private.message_ids, messages)
        for text in (self.private.display_name, self.private.contact_address):
            self.assertNotIn(PERSONAL_NUMBER, text)

    def flush_tracking(self):
        self.env.flush_all()
        self.env.cr.precommit.run()

    def test_a_copy_and_a_vcard_have_no_number(self):
        self.assertFalse(self.private.copy()[NUMBER])
        vcard = self.private._get_vcard_file()
        self.assertIn(b"Kari", vcard)
        for digits in (PERSONAL_NUMBER, PERSONAL_NUMBER[:6]):
            self.assertNotIn(digits.encode(), vcard)

    def test_merging_customers_tells_their_number_to_nobody(self):
        self.bookkeeper.group_ids += self.env.ref("base.group_erp_manager")
        target = self._customer("Ola Prøvebruker")
        source = self._customer("Ola Prøvebruker")
        source[NUMBER] = OTHER_NUMBER
        wizard = self._as(
            self.bookkeeper, self.env["base.partner.merge.automatic.wizard"]
        )
        with self.assertLogs("odoo.addons.base.partner.merge", "DEBUG") as log:
            wizard._merge((source + target).ids, target)
        self.assertEqual(target[NUMBER], OTHER_NUMBER)
        self.assertIn("merged", str(log.output))
        self.assertIn("Merged", self._bodies(target))
        for text in (str(log.output), self._bodies(target)):
            self.assertNotIn(OTHER_NUMBER, text)

    def test_a_merged_customer_keeps_its_own_number(self):
        source = self._customer("Ola Prøvebruker")
        source[NUMBER] = OTHER_NUMBER
        wizard = self.env["base.partner.merge.automatic.wizard"]
        wizard._merge((source + self.private).ids, self.private)
        self.assertEqual(self.private[NUMBER], PERSONAL_NUMBER)


@tagged("post_install", "-at_install", "frontpay")
class TestErasure(PersonalDataCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.setup_other_company(name="Elvenett Prøve AS")["company"]

    def test_a_number_goes_when_it_isnt_needed_any_more(self):
        for what, (days, closed, erased) in ERASURES.items():
            with self.subTest(what), self.undone():
                self.company.frontpay_erase_after_days = days
                for ago in closed:
                    self._order_closed(ago)
                self._run_cron()
                self.assertEqual(not self.private[NUMBER], erased)

    def test_each_company_with_an_order_has_a_say(self):
        for what, (days, first, second, erased) in ERASURES_OF_TWO.items():
            with self.subTest(what), self.undone():
                self.company.frontpay_erase_after_days = days[0]
                self.other_company.frontpay_erase_after_days = days[1]
                self._order_closed(first)
                if second is not ...:
                    self._order_closed(second, self.other_company)
                self._run_cron()
                self.assertEqual(not self.private[NUMBER], erased)

    def test_the_chatter_tells_that_a_number_was_erased(self):
        self.company.frontpay_erase_after_days = 30
        self._order_closed(31)
        messages = self.private.message_ids
        self._run_cron()
        self._run_cron()
        message = self.private.message_ids - messages
        self.assertEqual(
            message.mapped("body"), ["<span>Personal number erased.</span>"]
        )

    def test_a_customers_other_addresses_and_archived_ones_lose_it_too(self):
        cabin = self._customer("Cabin", parent_id=self.private.id, type="invoice")
        self.assertEqual(cabin[NUMBER], PERSONAL_NUMBER)
        self.private.active = False
        self.company.frontpay_erase_after_days = 30
        self._order_closed(31)
        self._run_cron()
        self.assertFalse(self.private[NUMBER])
        self.assertFalse(cabin[NUMBER])

    def test_an_order_that_ends_tells_when(self):
        order = self.order(self.invoice())
        self.assertFalse(order.closed_at)
        order._set_state("paid")
        self.assertTrue(order.closed_at)

    def test_the_button_erases_at_once(self):
        self._order_closed(None)
        cabin = self._customer("Cabin", parent_id=self.private.id, type="invoice")
        self._as(self.bookkeeper, cabin).action_frontpay_erase_number()
        self.assertFalse(self.private[NUMBER])
        self.assertFalse(cabin[NUMBER])
        self.assertIn("Personal number erased.", self._bodies(self.private))
        self.assertNotIn(PERSONAL_NUMBER, self._bodies(self.private))

    def test_days_before_today_are_refused(self):
        with self.assertRaises(ValidationError) as caught:
            self.company.frontpay_erase_after_days = -1
        self.assertIn("Enter 0 to keep the numbers", str(caught.exception))

    def _order_closed(self, days_ago, company=None):
        move = self.invoice() if company is None else self._invoice_of(company)
        number, token = f"ODR{move.id}", f"{PATH_TOKEN[:-5]}{move.id:05}"
        if days_ago is None:
            return self.order(move, token=token, order_uuid=number)
        closed_at = fields.Datetime.now() - timedelta(days=days_ago)
        return self.order(
            move, "paid", token=token, order_uuid=number, closed_at=closed_at
        )

    def _invoice_of(self, company):
        return (
            self.env["account.move"]
            .with_company(company)
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.private.id,
                    "company_id": company.id,
                    "name": "FREMMED/1",
                    "invoice_line_ids": [(0, 0, {"name": "Router", "price_unit": 9})],
                }
            )
        )

    def _run_cron(self):
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.ref("frontpay_odoo.cron_erase").method_direct_trigger()
        self.env.invalidate_all()


@tagged("post_install", "-at_install", "frontpay")
class TestPersonalNumberOverHttp(PersonalDataCase, HttpCase):
    def test_a_customers_vcard_has_no_number(self):
        self.authenticate(self.bookkeeper.login, self.bookkeeper.login)
        answer = self.url_open(f"/web/partner/vcard?partner_ids={self.private.id}")
        self.assertIn("Kari", answer.text)
        self.assertNotIn(PERSONAL_NUMBER, answer.text)

    @mute_logger("odoo.http")
    def test_a_file_has_the_masked_number(self):
        self.authenticate(self.bookkeeper.login, self.bookkeeper.login)
        data = {
            "model": "res.partner",
            "fields": [{"name": NUMBER, "label": "Number", "type": "char"}],
            "ids": self.private.ids,
            "domain": [],
            "import_compat": False,
            "groupby": [],
        }
        form = {"data": json.dumps(data), "csrf_token": Request.csrf_token(self)}
        answer = self.url_open("/web/export/csv", data=form)
        self.assertIn(MASKED, answer.text)
        self.assertNotIn(PERSONAL_NUMBER, answer.text)

    @mute_logger("odoo.http", "odoo.sql_db")
    def test_a_write_that_the_database_refuses_tells_no_number(self):
        self.authenticate(self.salesperson.login, self.salesperson.login)
        params = {
            "model": "res.partner",
            "method": "write",
            "args": [self.private.ids, {"name": False}],
            "kwargs": {},
        }
        answer = self.url_open(
            "/web/dataset/call_kw/res.partner/write", json={"params": params}
        )
        self.assertIn("error", answer.json())
        self.assertIn("Failing row contains", answer.text)
        self.assertNotIn(PERSONAL_NUMBER, answer.text)
