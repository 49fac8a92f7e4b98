from contextlib import suppress
from unittest.mock import patch

from odoo import SUPERUSER_ID, Command
from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.frontpay_odoo.connect import errors
from odoo.addons.frontpay_odoo.connect.client import Client
from odoo.addons.frontpay_odoo.mapping import remedy
from odoo.addons.frontpay_odoo.mapping.remedy import administrator_of, settings_remedy
from odoo.addons.frontpay_odoo.models import res_company_setup
from odoo.addons.frontpay_odoo.models.res_company_setup import SETUP_ACTIVITY

from .common import API_TOKEN, FrontpayCommon

INVOICING = "account.group_account_invoice"
ADMINISTRATOR = "base.group_system"
# What is wrong in the settings, and the block of the settings where it stands.
WRONG_SETTINGS = (
    ("frontpay_api_token", False, "frontpay_connection"),
    ("frontpay_journal_id", False, "frontpay_connection"),
    ("frontpay_public_url", "http://127.0.0.1:8069", "frontpay_callbacks"),
)


@tagged("post_install", "-at_install", "frontpay")
class TestRemedy(FrontpayCommon):
    """Whoever may change the settings is led there; whoever may not is told whom to
    ask, and that person gets something to do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls._user("ada", f"{ADMINISTRATOR},{INVOICING}")
        cls.company.frontpay_responsible_id = cls.ada
        cls.berit = cls._user("berit", f"{INVOICING},base.group_partner_manager")
        cls.move = cls.invoice()

    @classmethod
    def _user(cls, login, groups):
        return new_test_user(
            cls.env,
            f"frontpay_{login}",
            groups=groups,
            name=login.capitalize(),
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def activities(self):
        return self.company.sudo().partner_id.activity_search([SETUP_ACTIVITY])

    def refusal(self, user, kind=UserError):
        with self.assertRaises(kind) as caught:
            self.move.with_user(user).action_frontpay_send()
        return caught.exception

    def test_an_administrator_is_led_to_the_place_in_the_settings(self):
        for name, value, place in WRONG_SETTINGS:
            with self.subTest(name), self.undone():
                self.company.frontpay_environment = "production"
                self.company[name] = value
                refusal = self.refusal(self.ada, RedirectWarning)
                self.assertEqual(refusal.args[1]["url"], f"/odoo/settings#{place}")
                self.assertIn("under Invoicing / Configuration", refusal.args[0])
                self.assertFalse(self.activities())

    def test_a_bookkeeper_is_told_whom_to_ask_and_led_nowhere(self):
        for name, value, _place in WRONG_SETTINGS:
            with self.subTest(name), self.undone():
                self.company.frontpay_environment = "production"
                self.company[name] = value
                refusal = self.refusal(self.berit)
                self.assertIn("Ask Ada to correct", str(refusal))
                self.assertNotIn("Invoicing / Configuration", str(refusal))

    def test_the_administrator_gets_one_activity_until_the_settings_change(self):
        self.company.frontpay_api_token = False
        company = self.company.with_user(self.berit)
        for sentence in ("The token <b>lacks</b>.", "It still does."):
            company._frontpay_ask_administrator(sentence)
        [activity] = self.activities()
        self.assertEqual(activity.user_id, self.ada)
        self.assertIn("It still does.", activity.note)
        self.assertIn("/odoo/frontpay-setup", activity.note)
        self.company.frontpay_api_token = API_TOKEN
        self.assertFalse(self.activities())

    def test_what_is_sent_together_asks_the_administrator_too(self):
        self.company.frontpay_api_token = False
        moves = (self.move | self.invoice()).with_user(self.berit)
        action = moves.action_frontpay_send_batch()
        batch = self.env["frontpay.batch"].with_user(self.berit)
        [line] = batch.browse(action["res_id"]).line_ids
        self.assertFalse(line.can_open)
        self.assertIn("Ask Ada", line.reason)
        self.assertEqual(self.activities().user_id, self.ada)

    def test_a_refused_token_asks_the_administrator(self):
        def refuse(_client, _channel, _document):
            raise errors.Unauthorized("HTTP 401", http_status=401)

        with patch.object(Client, "submit", refuse):
            self.move.with_user(self.berit).action_frontpay_send()
        error = self.move.sudo().frontpay_error
        self.assertIn("Ask Ada to correct “API Token”, “Environment”", error)
        self.assertEqual(self.activities().user_id, self.ada)

    def dialog(self, action):
        dialogs = self.env[action["res_model"]].with_user(self.berit)
        return dialogs.with_context(**action["context"])

    def cancel(self, move):
        action = move.action_frontpay_cancel()
        return self.dialog(action).create({"note": "By mistake"}).action_confirm()

    def resend(self, move):
        action = move.action_frontpay_resend()
        return self.dialog(action).create({"email": "a@example.com"}).action_confirm()

    def poll(self, move):
        move.env["frontpay.order"].sudo().with_user(SUPERUSER_ID)._cron_poll()

    def test_a_token_refused_later_asks_the_administrator_too(self):
        def refuse(*_arguments, **_options):
            raise errors.Unauthorized("HTTP 401", http_status=401)

        order = self.order(self.move)
        for call, step in (
            ("cancel", self.cancel),
            ("resend", self.resend),
            ("status", lambda move: move.action_frontpay_refresh()),
            ("status", self.poll),
        ):
            with self.subTest(call), self.undone(), patch.object(Client, call, refuse):
                order.next_poll_at = "2026-01-01"
                with suppress(UserError):
                    step(self.move.with_user(self.berit))
                self.assertEqual(self.activities().user_id, self.ada)
                self.assertIn("token", self.activities().note)

    def test_what_the_queue_meets_asks_the_administrator(self):
        queue = self.env["frontpay.order"].with_user(self.berit)
        order = queue.sudo()._enqueue(self.move.with_user(self.berit))
        order = order.with_user(SUPERUSER_ID)  # as whom a cron runs
        order._record_pause(UserError("The token is missing."))
        self.assertEqual(self.activities().user_id, self.ada)
        self.assertIn("The token is missing.", self.activities().note)
        remedy = settings_remedy(order._with_creator_env().company_id)
        self.assertIn("Ask Ada to correct", remedy)

    def test_the_responsible_is_asked_first_and_nobody_from_elsewhere(self):
        eve = self._user("eve", ADMINISTRATOR)
        self.company.frontpay_responsible_id = eve
        self.assertEqual(administrator_of(self.company), eve)
        for nobody in (self.berit, self.env["res.users"]):
            self.company.frontpay_responsible_id = nobody
            found = administrator_of(self.company)
            self.assertTrue(found.has_group(ADMINISTRATOR))
            self.assertIn(self.company, found.company_ids)

    def test_where_nobody_is_an_administrator_nobody_gets_an_activity(self):
        self.company.frontpay_api_token = False

        def nobody(_company):
            return self.env["res.users"]

        with (
            patch.object(remedy, "administrator_of", nobody),
            patch.object(res_company_setup, "administrator_of", nobody),
        ):
            self.assertIn("Ask an administrator", str(self.refusal(self.berit)))
        self.assertFalse(self.activities())
