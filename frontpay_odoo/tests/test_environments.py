"""No order crosses from one Front Payment to another, or from a database to a copy."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.frontpay_odoo.connect.endpoints import ENVIRONMENTS
from odoo.addons.frontpay_odoo.models.frontpay_order_submission import SendingPaused

from .common import (
    API_TOKEN,
    PATH_TOKEN,
    Sandbox,
    SandboxCase,
    neutralize,
    run_cron,
)

BATCH = 6
ATTENTION = ["frontpay_odoo.activity_attention"]


class EnvironmentCase(SandboxCase):
    """Demo, Production and a custom URL are a sandbox each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.demo, cls.real, cls.other = cls.sandbox, Sandbox(), Sandbox()
        for sandbox in (cls.real, cls.other):
            cls.addClassCleanup(sandbox.stop)
            sandbox.control("POST", "settings", {"callbacks": False})
        urls = {
            "demo": f"{cls.demo.url}/api/v1/",
            "production": f"{cls.real.url}/api/v1/",
        }
        environments = patch.dict(ENVIRONMENTS, urls)
        environments.start()
        cls.addClassCleanup(environments.stop)
        # The customer's number is synthetic, which production minds.
        synthetic = patch.object(
            type(cls.company), "_frontpay_synthetic_allowed", return_value=True
        )
        synthetic.start()
        cls.addClassCleanup(synthetic.stop)
        cls.company.frontpay_custom_url = f"{cls.other.url}/api/v1"

    def setUp(self):
        super().setUp()
        self.forget()
        self.use("demo")

    def forget(self):
        for sandbox in (self.demo, self.real, self.other):
            for resource in ("orders", "faults", "requests"):
                sandbox.control("DELETE", resource)

    def use(self, environment):
        self.company.frontpay_environment = environment
        self.env.invalidate_all()

    def sent(self, environment):
        """An invoice that was sent there, and changed since."""
        self.use(environment)
        move = self.invoice(ref="3500")
        move.action_frontpay_send()
        move.ref = "3501"
        return move

    def batch(self):
        moves = self.env["account.move"].union(*(self.invoice() for _n in range(BATCH)))
        moves.action_frontpay_send()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"queued"})
        return moves

    def run_queue(self):
        with self.enter_registry_test_mode():
            self.env.ref("frontpay_odoo.cron_send").method_direct_trigger()
        self.env.invalidate_all()

    def posted(self, sandbox):
        return [each for each in sandbox.requests() if each.startswith("POST")]


@tagged("post_install", "-at_install", "frontpay")
class TestEnvironments(EnvironmentCase):
    def test_an_invoice_that_was_tried_in_demo_is_sent_for_real(self):
        for lost in (False, True):
            with self.subTest(lost=lost), self.undone():
                if lost:
                    self.demo.fault("drop", path="submit")
                move = self.sent("demo")
                trial = move.sudo().frontpay_order_id
                self.assertFalse(move.frontpay_can_send)
                self.use("production")
                self.assertTrue(move.frontpay_can_send)
                self.assertFalse(trial._can_be_updated())
                self.assertTrue(move.show_reset_to_draft_button)
                move.action_frontpay_send()
                self.assertEqual((trial.state, trial.error), ("cancelled", False))
                self.assertFalse(trial.next_poll_at)
                [stored] = self.real.orders()
                self.assertEqual(move.frontpay_order_uuid, stored["orderUuid"])
                self.assertNotIn("fpgoUuid", stored["payload"])
                self.assertEqual(len(self.posted(self.demo)), 1)
            self.forget()

    def test_nobody_is_asked_about_what_got_lost_in_demo(self):
        for environment, is_asked in (("demo", False), ("custom", True)):
            with self.subTest(environment), self.undone():
                sandbox = {"demo": self.demo, "custom": self.other}[environment]
                sandbox.fault("drop", path="submit")
                order = self.sent(environment).sudo().frontpay_order_id
                self.assertEqual(order.state, "unknown")
                self.use("production")
                run_cron(self.env, "recover")
                self.assertEqual(order.needs_decision, is_asked)
            self.forget()

    def test_many_that_were_tried_in_demo_are_sent_for_real(self):
        moves = self.batch()
        self.run_queue()
        self.use("production")
        moves.action_frontpay_send()
        self.run_queue()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"sent"})
        self.assertEqual(len(moves.frontpay_order_ids), 2 * BATCH)
        self.assertEqual(len(self.real.orders()), BATCH)

    def test_no_other_order_is_left_behind(self):
        """Production is real, and what a custom URL is nobody but a person knows."""
        for first, second, here, away in (
            ("production", "demo", self.real, self.demo),
            ("custom", "demo", self.other, self.demo),
            ("custom", "production", self.other, self.real),
        ):
            with self.subTest(first, second=second), self.undone():
                move = self.sent(first)
                self.use(second)
                order = move.sudo().frontpay_order_id
                self.assertFalse(move.frontpay_can_send or order._can_be_updated())
                with self.assertRaisesRegex(UserError, "lead to another environment"):
                    move.action_frontpay_send()
                self.assertFalse(away.requests())
                self.use(first)
                move.action_frontpay_send()
                [stored] = here.orders()
                self.assertEqual(stored["payload"]["customerReference"], "3501")
            self.forget()

    def test_somebody_knows_that_a_custom_url_was_a_test_system(self):
        move = self.sent("custom")
        order = move.frontpay_order_id
        with self.assertRaisesRegex(UserError, "Only an order at a custom URL"):
            order.action_close_test()
        self.use("demo")
        self.assertTrue(order.can_be_closed)
        reader = new_test_user(
            self.env, "reader", groups="account.group_account_readonly"
        )
        reader.write({"company_ids": self.company.ids, "company_id": self.company.id})
        with self.assertRaises(AccessError):
            order.with_user(reader).action_close_test()
        order.sudo().needs_decision = True
        order.action_close_test()
        self.assertEqual(order.state, "cancelled")
        self.assertFalse(order.needs_you)
        move.action_frontpay_send()
        self.assertEqual(len(self.demo.orders()), 1)

    def test_nobody_closes_an_order_of_production(self):
        for environment in ("production", "custom"):
            with self.subTest(environment), self.undone():
                order = self.sent("production").frontpay_order_id
                order.sudo().environment = environment
                self.use("demo")
                with self.assertRaisesRegex(UserError, "Only an order at a custom URL"):
                    order.action_close_test()

    def test_what_waits_does_not_cross(self):
        for first, second, away in (
            ("demo", "production", self.real),
            ("production", "demo", self.demo),
        ):
            with self.subTest(first), self.undone():
                self.use(first)
                moves = self.batch()
                self.use(second)
                for _time in range(2):
                    self.run_queue()
                self.assertFalse(away.requests())
                self.assertEqual(set(moves.mapped("frontpay_state")), {"queued"})
                for move in moves:
                    self.assertIn("lead to another environment", move.frontpay_error)
                self.assertEqual(len(moves.activity_search(ATTENTION)), 1)

                self.use(first)
                self.run_queue()
                self.assertEqual(set(moves.mapped("frontpay_state")), {"sent"})
                self.assertFalse(any(moves.mapped("frontpay_error")))
                self.assertFalse(away.requests())
            self.forget()

    def test_what_waits_elsewhere_asks_somebody_once(self):
        moves = self.batch()
        self.use("production")
        self.run_queue()
        moves.activity_search(ATTENTION).action_feedback()
        self.run_queue()
        self.assertFalse(moves.activity_search(ATTENTION))

    def test_what_waits_goes_where_somebody_sends_it_now(self):
        moves = self.batch()
        self.use("production")
        self.run_queue()
        moves.action_frontpay_send()
        self.assertFalse(any(moves.mapped("frontpay_error")))
        self.run_queue()
        self.assertEqual(set(moves.mapped("frontpay_state")), {"sent"})
        self.assertEqual(len(moves.frontpay_order_ids), BATCH)
        self.assertFalse(self.demo.requests())

    def test_settings_that_change_in_the_midst_of_a_run_stop_it(self):
        order = self.batch()[0].sudo().frontpay_order_id
        with self.company._frontpay_client() as client:
            self.use("production")
            with self.assertRaises(SendingPaused):
                order._send_queued(client)
        self.assertEqual(order.state, "queued")
        self.assertFalse(self.demo.requests() or self.real.requests())

    def test_a_number_of_another_environment_is_no_ones_here(self):
        self.order(self.invoice(), order_uuid="ODR1")
        self.use("production")
        order = self.order(self.invoice(), order_uuid=False, token="another")
        self.assertTrue(order._may_have_number("ODR1"))

    def test_the_settings_say_how_many_orders_they_leave_behind(self):
        self.sent("demo")
        self.env.user.write(
            {"company_ids": [(4, self.company.id)], "company_id": self.company.id}
        )
        settings = self.env["res.config.settings"].with_company(self.company)
        for name, value, is_left in (
            ("frontpay_api_token", "another", False),
            ("frontpay_api_token", False, True),
            ("frontpay_environment", "production", True),
        ):
            with self.subTest(name, value=value):
                form = Form(settings)
                form[name] = value
                told = form.frontpay_left_behind or ""
                self.assertEqual("1 order is still open" in told, is_left)
                self.assertEqual(bool(told), is_left)

    def test_an_address_is_the_same_with_and_without_a_slash(self):
        move = self.sent("custom")
        self.company.frontpay_custom_url = f"{self.other.url}/api/v1/"
        self.assertTrue(move.sudo().frontpay_order_id._can_be_updated())


@tagged("post_install", "-at_install", "frontpay")
class TestCopies(EnvironmentCase):
    """Odoo gives a copy of a database an identity of its own."""

    def copy_database(self):
        parameters = self.env["ir.config_parameter"].sudo()
        parameters.set_param("database.uuid", "of-the-copy")

    def setUp(self):
        super().setUp()
        self.open = self.sent("demo")
        self.lost = self.order(
            self.invoice(), "sending", order_uuid=False, token=PATH_TOKEN[::-1]
        )
        self.moves = self.batch()
        self.open.sudo().frontpay_order_id.next_poll_at = self.open.create_date
        self.demo.control("DELETE", "requests")

    def run_all(self):
        self.run_queue()
        for name in ("poll", "recover"):
            run_cron(self.env, name)

    def test_nothing_goes_out(self):
        self.copy_database()
        self.lost.sending_at = fields.Datetime.now() - timedelta(hours=2)
        for _time in range(3):
            self.run_all()
        self.assertFalse(self.lost.needs_decision)
        for call in (
            self.open.action_frontpay_send,
            self.company.action_frontpay_test_connection,
        ):
            with self.assertRaisesRegex(UserError, "this database is a copy"):
                call()
        params = self.open.action_frontpay_refresh()["params"]
        self.assertEqual(params["type"], "danger")
        self.assertFalse(self.demo.requests())
        self.assertEqual(set(self.moves.mapped("frontpay_state")), {"queued"})
        for moves in (self.moves, self.open):
            [activity] = moves.activity_search(ATTENTION)
            self.assertIn("this database is a copy", activity.note)

    def test_what_waited_in_the_original_stays_unsent(self):
        self.copy_database()
        self.run_all()
        self.company.action_frontpay_confirm_database()
        self.run_all()
        self.assertEqual(self.posted(self.demo), [])
        self.assertEqual(set(self.moves.mapped("frontpay_state")), {"queued"})
        for move in self.moves:
            self.assertIn("queued in another database", move.frontpay_error)
        self.assertTrue(self.open.sudo().frontpay_order_id.last_poll_at)

        self.moves.action_frontpay_send()
        self.run_all()
        self.assertEqual(set(self.moves.mapped("frontpay_state")), {"sent"})

    def test_what_waits_in_a_neutralized_copy_is_told_to_be_unsent(self):
        neutralize(self.env)
        self.assertEqual(set(self.moves.mapped("frontpay_state")), {"failed"})
        orders = self.moves.sudo().frontpay_order_id
        self.assertEqual(set(orders.mapped("state")), {"failed"})
        self.assertEqual(
            set(self.moves.mapped("frontpay_error")),
            {"Not sent: this database is a copy."},
        )

    def test_what_is_changed_in_a_confirmed_copy_is_updated(self):
        self.copy_database()
        self.company.action_frontpay_confirm_database()
        order = self.open.sudo().frontpay_order_id
        self.env["frontpay.order"].sudo()._enqueue(self.open)
        self.assertTrue(order.update_queued)
        self.run_queue()
        self.assertFalse(order.update_queued or order.error)
        self.assertEqual(len(self.posted(self.demo)), 1)

    def test_only_administrators_confirm(self):
        self.copy_database()
        manager = new_test_user(
            self.env, "manager", groups="account.group_account_manager"
        )
        manager.write({"company_ids": self.company.ids, "company_id": self.company.id})
        company = self.company.with_user(manager)
        with self.assertRaises(AccessError):
            company.action_frontpay_confirm_database()
        self.assertTrue(self.company._frontpay_is_copy())

    def test_saving_the_settings_confirms_nothing_and_a_new_token_does(self):
        self.copy_database()
        self.env["res.config.settings"].create({}).execute()
        self.company.frontpay_api_token = API_TOKEN
        self.company.frontpay_callback_secret = "another"
        self.assertTrue(self.company._frontpay_is_copy())
        self.company.frontpay_api_token = "another"
        self.assertFalse(self.company._frontpay_is_copy())
