from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.frontpay_odoo.models import frontpay_order_comparison

from .common import RightsCase, SandboxCase, run_cron
from .test_payment import NBSP, PaymentCase

LOGGER = "odoo.addons.frontpay_odoo"  # of whatever has logged it


@tagged("post_install", "-at_install")
class TestDifferences(PaymentCase):
    """Where the books and Front Payment part, whatever brought it about."""

    def compared(self):
        """What the nightly comparison of the books finds: the kind and its amount."""
        self.env.flush_all()
        self.sent.compared_at = False
        run_cron(self.env, "compare")
        return self.sent.difference, self.sent.difference_amount

    def test_what_agrees_is_no_difference(self):
        self.assertEqual(self.compared(), (False, 0))
        self.told("PAID")
        self.assertEqual(self.compared(), (False, 0))

    def test_paid_there_and_open_here(self):
        self.company.frontpay_journal_id = False
        self.told("PAID")
        self.assertEqual(self.compared(), ("paid_there", 125))

    def test_paid_there_and_registered_here_in_parts(self):
        """What is left is the difference, and none once nothing is."""
        self.company.frontpay_journal_id = False
        self.told("PAID")
        self.company.frontpay_journal_id = self.journal
        for amount, difference in ((100, ("paid_there", 25)), (25, (False, 0))):
            self.pay_by_hand(amount, self.journal)
            self.assertEqual(self.compared(), difference)

    def test_paid_there_and_the_payment_was_cancelled_here(self):
        self.told("PAID")
        self.cancel_payments()
        self.assertEqual(self.compared(), ("paid_there", 125))

    def cancel_payments(self):
        self.payments().action_draft()
        self.payments().action_cancel()

    def test_paid_there_and_the_payment_was_undone_here(self):
        self.told("PAID")
        entry = self.payments().move_id
        for undo in (
            self.move.line_ids.remove_move_reconcile,
            lambda: entry._reverse_moves([{}], cancel=True),
        ):
            with self.subTest(undo), self.undone():
                undo()
                self.assertEqual(self.compared(), ("paid_there", 125))
                self.assertIn("once more", self.sent.difference_remedy)

    def test_refunded_there_and_the_refund_was_undone_here(self):
        self.told("PAID")
        note = self.move._reverse_moves()
        note.action_post()
        refund = self.env["frontpay.refund"].sudo()._enqueue_notes(note)
        self.sent.refunded_amount = 125
        self.told("REFUNDED")
        refund._set_refund_state("refunded")
        self.sent._book_refunds()
        self.assertEqual(self.compared(), (False, 0))
        entry = refund.payment_id.move_id
        for undo in (
            note.line_ids.remove_move_reconcile,
            lambda: entry._reverse_moves([{}], cancel=True),
            self.cancel_payments,
        ):
            with self.subTest(undo), self.undone():
                undo()
                self.assertEqual(self.compared(), ("refunded_there", 125))

    def test_a_refund_that_is_not_booked_yet_was_not_undone(self):
        self.told("PAID")
        note = self.move._reverse_moves()
        note.action_post()
        self.env["frontpay.refund"].sudo()._enqueue_notes(note)
        self.assertEqual(self.compared(), (False, 0))

    def test_what_is_to_do_about_a_difference_stands_in_the_list(self):
        self.told("PAID")
        self.cancel_payments()
        self.assertEqual(self.compared(), ("paid_there", 125))
        self.assertEqual(self.sent.to_do, self.sent.difference_remedy)

    def test_paid_here_and_claimed_there(self):
        self.told("INVOICED")
        self.pay_by_hand(125)
        self.assertEqual(self.compared(), ("paid_here", 125))

    def test_credited_here_and_claimed_there(self):
        self.told("INVOICED")
        self.credit()
        self.assertEqual(self.compared(), ("credited_here", 125))

    def test_credited_here_in_part_and_claimed_there(self):
        self.told("INVOICED")
        note = self.move._reverse_moves()
        note.invoice_line_ids.price_unit = 20
        note.action_post()
        self.assertEqual(self.compared(), ("credited_here", 25))
        self.assertIn("kr 25.00 is credited", self.sent.error.replace(NBSP, " "))

    def test_a_credit_note_counts_though_it_settles_nothing_yet(self):
        self.told("INVOICED")
        self.credit().line_ids.remove_move_reconcile()
        self.assertEqual(self.move.payment_state, "not_paid")
        self.assertEqual(self.compared(), ("credited_here", 125))
        self.assertIn("kr 125.00 is credited", self.sent.error.replace(NBSP, " "))

    def test_paid_and_credited_here_is_named_as_on_the_invoice(self):
        self.told("INVOICED")
        self.pay_by_hand(50)
        self.move._reverse_moves().action_post()
        self.assertEqual(self.compared(), ("paid_here", 50))
        self.assertIn("Paid here", self.sent.error)

    def test_what_was_paid_in_parts_is_added_to_the_øre(self):
        for amount in (0.1, 0.2):
            self.pay_by_hand(amount)
        _in_journal, elsewhere = self.sent._settlements()
        self.assertEqual(self.sent._paid_and_credited(elsewhere), (0.3, 0))

    def test_paid_twice(self):
        self.pay_by_hand(125)
        self.told("PAID")
        self.assertEqual(self.compared(), ("paid_twice", 125))

    def test_paid_with_others_in_the_journal_that_the_settings_named_then(self):
        """Whatever they name since, it is the same money."""
        other = self.invoice(self.line())
        register = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=(self.move | other).ids
        )
        register.create(
            {"journal_id": self.journal.id, "group_payment": True}
        )._create_payments()
        self.told("PAID")
        self.assertEqual(self.compared(), (False, 0))
        for name in ("Front Payment 2", "Front Payment 3"):
            self.company.frontpay_journal_id = self.journal.copy({"name": name})
            self.assertEqual(self.compared(), (False, 0))
            self.sent._settle_payment(moved=True)
            self.assertFalse(self.sent.error)

    def test_refunded_there_and_not_booked(self):
        self.told("PAID")
        self.sent.refunded_amount = 25
        self.told("PARTIAL REFUNDED")
        self.assertEqual(self.compared(), ("refunded_there", 25))

    def test_ended_there_and_paid_here(self):
        self.company.frontpay_settle_on = "invoiced"
        self.told("INVOICED")
        refusal = UserError("The period is closed.")
        with patch.object(type(self.sent), "_unbook_claim", side_effect=refusal):
            self.told("CANCELLED")
        self.assertEqual(self.compared(), ("ended_there", 125))
        self.assertIn("The period is closed.", self.sent.error)
        self.sent._settle_payment()
        self.assertEqual(self.compared(), (False, 0))
        self.assertFalse(self.sent.error)
        self.assertIn("open again", self.attention().note)

    def test_another_amount_there(self):
        self.sent.reported_amount = 40
        self.told("PAID")
        self.assertEqual(self.compared(), ("other_amount", -85))

    def test_unknown_there(self):
        self.sent.is_missing = True
        self.assertEqual(self.compared(), ("unknown_there", 125))

    def test_a_difference_goes_once_it_is_settled(self):
        self.company.frontpay_journal_id = False
        self.told("PAID")
        self.compared()
        self.company.frontpay_journal_id = self.journal
        self.told("PAID")
        self.assertEqual(self.compared(), (False, 0))

    def test_a_new_difference_is_told_to_a_person_once(self):
        self.told("INVOICED")
        self.pay_by_hand(125)
        self.compared()
        [activity] = self.attention()
        self.assertIn("still claimed by Front Payment", activity.note)
        activity.unlink()
        self.compared()
        self.assertFalse(self.attention())

    def test_what_was_compared_tonight_is_not_compared_again(self):
        self.pay_by_hand(125)
        run_cron(self.env, "compare")
        self.assertEqual(self.sent.difference, "paid_here")
        self.sent.difference = False
        run_cron(self.env, "compare")
        self.assertFalse(self.sent.difference)
        self.sent.compared_at -= timedelta(hours=13)
        run_cron(self.env, "compare")
        self.assertEqual(self.sent.difference, "paid_here")

    @mute_logger(LOGGER)
    def test_an_order_that_cannot_be_compared_keeps_no_other_from_it(self):
        other = self.order(
            self.invoice(), token="B" * 32, order_uuid="ODR2", is_missing=True
        )
        self.sent.is_missing = True
        Order = type(self.sent)
        find = Order._find_difference

        def fail(order):
            if order == self.sent:
                order.env.cr.execute("SELECT FROM no_such_table")
            return find(order)

        is_quiet = mute_logger("odoo.sql_db")
        with patch.object(Order, "_find_difference", fail), is_quiet:
            run_cron(self.env, "compare")
        self.assertFalse(self.sent.difference)
        self.assertEqual(other.difference, "unknown_there")


@tagged("post_install", "-at_install")
class TestComparison(SandboxCase):
    """The list of all orders shows what no callback told."""

    def test_orders_that_the_list_contradicts_are_asked_for(self):
        moves = self.invoice() + self.invoice()
        moves.action_frontpay_send()
        for order in self.sandbox.orders():
            self.sandbox.act(order["orderUuid"], "pay")
        orders = moves.frontpay_order_ids.sudo()
        later = fields.Datetime.now() + timedelta(days=1)
        orders.next_poll_at = later
        self.sandbox.control("DELETE", "requests")

        run_cron(self.env, "compare")

        self.assertEqual(self.sandbox.requests(), ["GET connect/orders/status"])
        self.assertTrue(all(order.next_poll_at < later for order in orders))
        self.assertTrue(self.company.frontpay_compared_at)
        run_cron(self.env, "poll")
        self.assertEqual(moves.mapped("frontpay_state"), ["paid"] * 2)

    def test_what_agrees_is_not_asked_for(self):
        move = self.invoice()
        move.action_frontpay_send()
        order = move.frontpay_order_ids.sudo()
        before = order.next_poll_at
        run_cron(self.env, "compare")
        self.assertEqual(order.next_poll_at, before)

    def test_what_ended_long_ago_is_not_compared(self):
        order = self.order(self.invoice(), "paid")
        for days, is_compared in ((399, True), (401, False)):
            with self.subTest(days):
                order.closed_at = fields.Datetime.now() - timedelta(days=days)
                compared = order._compared_with_list(self.company)
                self.assertEqual(compared, order if is_compared else order.browse())

    def test_another_companys_order_is_not_looked_for_in_the_list(self):
        order = self.order(self.invoice())
        self.assertFalse(order._compared_with_list(self.other_company()))

    def test_an_order_that_the_list_lacks_is_asked_for(self):
        move = self.invoice()
        move.action_frontpay_send()
        order = move.frontpay_order_ids.sudo()
        self.sandbox.control("DELETE", "orders")
        run_cron(self.env, "compare")
        run_cron(self.env, "poll")
        order.compared_at = False
        run_cron(self.env, "compare")
        self.assertEqual(order.difference, "unknown_there")

    def test_of_many_that_the_list_lacks_the_longest_unasked_come_first(self):
        moves = self.invoice() + self.invoice()
        moves.action_frontpay_send()
        now = fields.Datetime.now()
        longest, other = moves.frontpay_order_ids.sudo().sorted("id")
        for order, days in ((longest, 2), (other, 1)):
            order.last_poll_at = now - timedelta(days=days)
            order.next_poll_at = now + timedelta(days=1)
        self.sandbox.control("DELETE", "orders")
        with patch.object(frontpay_order_comparison, "ABSENT_A_NIGHT", 1):
            run_cron(self.env, "compare")
        self.assertLess(longest.next_poll_at, other.next_poll_at)

    @mute_logger(LOGGER)
    def test_without_an_answer_the_page_keeps_its_time(self):
        self.invoice().action_frontpay_send()
        self.go_away()
        run_cron(self.env, "compare")
        self.assertFalse(self.company.frontpay_compared_at)

    @mute_logger(LOGGER)
    def test_a_company_that_cannot_be_compared_keeps_no_other_from_it(self):
        companies = self.company | self.other_company()
        order = self.order(self.invoice(), is_missing=True)
        Order = type(order)
        ask = Order._ask_for_differences
        for broken in companies:

            def fail(orders, company, broken=broken):
                if company == broken:
                    raise ZeroDivisionError
                ask(orders, company)

            patched = patch.object(Order, "_ask_for_differences", fail)
            with self.subTest(broken.name), self.undone(), patched:
                run_cron(self.env, "compare")
                compared = companies.filtered("frontpay_compared_at")
                self.assertEqual(compared, companies - broken)
                self.assertEqual(order.difference, "unknown_there")

    def test_another_environments_orders_are_left_alone(self):
        move = self.invoice()
        move.action_frontpay_send()
        order = move.frontpay_order_ids.sudo()
        order.base_url = "https://elsewhere.example.com/api/v1/"
        order.next_poll_at = later = fields.Datetime.now() + timedelta(days=1)
        self.sandbox.control("DELETE", "orders")
        run_cron(self.env, "compare")
        self.assertEqual(order.next_poll_at, later)


@tagged("post_install", "-at_install")
class TestDifferencePage(RightsCase):
    groups = {
        "bookkeeper": "account.group_account_invoice",
        "reader": "account.group_account_readonly",
        "employee": "base.group_user",
    }

    def page(self, login):
        Order = self.env["frontpay.order"].with_user(self.users[login])
        return Order.with_company(self.company).action_differences()

    @freeze_time("2026-11-22")
    def test_the_empty_page_says_when_was_compared(self):
        never = self.page("bookkeeper")["help"]
        self.assertIn("compared yet", never)
        self.assertNotIn("agree", never)
        self.company.frontpay_compared_at = "2026-11-21 02:00:00"
        self.assertIn("Nov 21, 2:00 AM", self.page("reader")["help"])

    @freeze_time("2026-11-22")
    def test_the_empty_page_of_several_companies_names_the_oldest_time(self):
        companies = self.company | self.other_company
        self.users["reader"].company_ids = companies
        orders = self.env["frontpay.order"].with_user(self.users["reader"])
        orders = orders.with_context(allowed_company_ids=companies.ids)
        self.company.frontpay_compared_at = "2026-11-21 02:00:00"
        self.assertIn("compared yet", orders.action_differences()["help"])
        self.other_company.frontpay_compared_at = "2026-11-20 02:00:00"
        self.assertIn("Nov 20, ", orders.action_differences()["help"])

    def test_who_may_not_see_invoices_does_not_see_the_page(self):
        with self.assertRaises(AccessError):
            self.page("employee")

    def test_only_who_may_invoice_compares_now(self):
        order = self.order(self.invoice(), order_uuid=False)
        as_reader = order.with_user(self.users["reader"])
        with self.assertRaises(AccessError):
            as_reader.action_compare()
        order.with_user(self.users["bookkeeper"]).action_compare()
        self.assertTrue(order.compared_at)
