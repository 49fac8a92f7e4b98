"""What stands under *Front Payment*: orders and refunds by what is to be done."""

import json
from types import SimpleNamespace

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from odoo.addons.frontpay_odoo.models.frontpay_order import STATES

from .common import RightsCase

SOON = fields.Datetime.add(fields.Datetime.now(), hours=1)
# The orders that each filter finds: by state, without anything being wrong.
FILTERS = {
    "needs_you": {"unknown", "expired"},
    "to_send": {"queued", "sending", "failed"},
    "waiting": {"sent"},
    "three_days": set(),
    "claimed": {"invoiced", "reminded", "collection"},
    "overdue": {"reminded", "collection"},
    "paid": {"paid"},
    "refunded": {"partially_refunded", "refunded"},
    "ended": {"cancelled", "expired"},
    "production": set(),
    "test": {state for state, _label in STATES},
}
REFUND_FILTERS = {
    "needs_you": {"unknown", "needs_approval", "rejected"},
    "to_send": {"queued", "sending", "failed"},
    "pending": {"pending"},
    "running": {"queued", "sending", "unknown", "pending", "needs_approval"},
    "refunded": {"refunded"},
}


class OverviewCase(RightsCase):
    groups = {
        "reader": "account.group_account_readonly",
        "invoicing": "account.group_account_invoice",
        "employee": "base.group_user",
        "portal": "base.group_portal",
        "stranger": "account.group_account_manager",
    }

    def as_user(self, login, record):
        user = self.users[login]
        companies = user.company_ids.ids
        return record.with_user(user).with_context(allowed_company_ids=companies)

    def orders(self, login="invoicing"):
        return self.as_user(login, self.env["frontpay.order"])

    def found(self, model, name):
        """What a filter of the search view finds."""
        records = self.as_user("invoicing", self.env[model])
        arch = etree.fromstring(records.get_view(view_type="search")["arch"])
        [node] = arch.xpath(f"//filter[@name='{name}']")
        return records.search(safe_eval(node.get("domain")))


@tagged("post_install", "-at_install", "frontpay")
class TestOverview(OverviewCase):
    def test_what_is_collected_otherwise_needs_nobody(self):
        for state, number, error in (("failed", False, "No."), ("expired", "ODR1", "")):
            with self.subTest(state):
                order = self.order(
                    self.invoice(), state, order_uuid=number, token=state, error=error
                )
                seen = self.as_user("invoicing", order)
                self.assertTrue(seen.needs_you and seen.can_be_left)
                self.assertTrue(seen.move_id._get_alerts())
                seen.action_collect_elsewhere()
                self.env.invalidate_all()
                self.assertFalse(seen.needs_you or seen.is_to_send or seen.can_be_left)
                self.assertFalse(seen.move_id._get_alerts())
                self.assertTrue(seen.move_id.frontpay_can_send)

    def test_what_is_to_be_sent_can_be_searched_for_and_left_out(self):
        waits = self.order(self.invoice(), "queued", token="waits", order_uuid=False)
        is_sent = self.order(self.invoice(), token="sent")
        self.assertTrue(waits.is_to_send and not is_sent.is_to_send)
        for wanted, found in ((True, waits), (False, is_sent)):
            domain = [("is_to_send", "=", wanted), ("id", "in", (waits | is_sent).ids)]
            self.assertEqual(self.orders().search(domain).ids, found.ids)

    def test_what_front_payment_may_claim_is_not_collected_otherwise(self):
        for number, state in enumerate(("sent", "invoiced", "unknown", "queued")):
            order = self.order(
                self.invoice(), state, order_uuid=f"ODR{number}", token=state
            )
            with self.subTest(state), self.assertRaises(UserError):
                self.as_user("invoicing", order).action_collect_elsewhere()
        with self.assertRaises(AccessError):
            self.as_user("reader", order).action_collect_elsewhere()

    def test_the_filters_of_the_orders(self):
        for number, (state, _label) in enumerate(STATES):
            self.order(self.invoice(), state, token=state, order_uuid=f"ODR{number}")
        for name, states in FILTERS.items():
            with self.subTest(name):
                self.assertEqual(
                    set(self.found("frontpay.order", name).mapped("state")), states
                )

    def test_how_late_the_customer_is_with_what_front_payment_claims(self):
        today = self.company._frontpay_day()
        for state, days, expected in (
            ("reminded", 9, 9),
            ("invoiced", 1, 1),
            ("invoiced", 0, 0),
            ("invoiced", -3, 0),
            ("sent", 9, 0),
            ("paid", 9, 0),
        ):
            with self.subTest(state, days=days), self.undone():
                due_date = fields.Date.subtract(today, days=days)
                order = self.order(self.invoice(), state, due_date=due_date)
                self.assertEqual(order.days_late, expected)
        self.assertFalse(self.order(self.invoice(), "reminded").days_late)

    def test_the_filters_of_the_refunds(self):
        model = self.env["frontpay.refund"]
        order = self.order(self.invoice(), "paid")
        states = [state for state, _label in model._fields["state"].selection]
        for state in states:
            note = order.move_id._reverse_moves()
            note.action_post()
            model.sudo().create(
                {
                    "move_id": note.id,
                    "order_id": order.id,
                    "state": state,
                    "effect": "refund",
                }
            )
        for name, wanted in REFUND_FILTERS.items():
            with self.subTest(name):
                self.assertEqual(
                    set(self.found("frontpay.refund", name).mapped("state")), wanted
                )

    def test_what_was_settled_since_needs_nobody(self):
        """An attempt that failed is over once the invoice was sent or paid, or is no
        claim any more; not when Front Payment has it after all."""
        for what, values, follow, is_left in (
            ("failed", {}, lambda move: None, True),
            ("sent since", {}, lambda move: self.order(move, token="t2"), False),
            ("paid in another way", {}, self._register_payment, False),
            ("reset to draft", {}, lambda move: move.button_draft(), False),
            (
                "at Front Payment all the same",
                {"order_uuid": "ODR7"},
                lambda move: self.order(move, token="t2"),
                True,
            ),
        ):
            with self.subTest(what), self.undone():
                move = self.invoice()
                values = {"order_uuid": False, "error": "Rejected.", **values}
                order = self.order(move, "failed", token="t1", **values)
                self.assertTrue(order.needs_you)
                follow(move)
                self.env.invalidate_all()
                self.assertEqual(order.needs_you, is_left)
                found = self.found("frontpay.order", "needs_you")
                self.assertEqual(found, order if is_left else order.browse())

    def test_what_goes_by_itself_needs_nobody(self):
        for state, values, is_needed in (
            ("queued", {}, False),
            ("queued", {"error": "Busy.", "retry_at": SOON}, False),
            ("queued", {"error": "Queued elsewhere."}, True),
            ("failed", {}, False),
            ("sent", {"link_error": "Bounced."}, True),
            ("paid", {"error": "No journal."}, True),
            ("sending", {"needs_decision": True}, True),
            ("invoiced", {"difference": "credited_here"}, True),
        ):
            with self.subTest(state, **values), self.undone():
                order = self.order(self.invoice(), state, **values)
                self.assertEqual(order.needs_you, is_needed)
                self.assertEqual(
                    bool(self.found("frontpay.order", "needs_you")), is_needed
                )

    def test_orders_are_grouped_as_they_live(self):
        for number, state in enumerate(("paid", "queued", "invoiced")):
            self.order(self.invoice(), state, token=state, order_uuid=f"ODR{number}")
        orders = self.orders().with_context(read_group_expand=True)
        groups = orders.web_read_group([], ["state"], ["__count"])["groups"]
        self.assertEqual(
            [group["state"] for group in groups], ["queued", "invoiced", "paid"]
        )

    def test_orders_are_grouped_by_what_the_menu_offers(self):
        self.order(self.invoice())
        arch = etree.fromstring(self.orders().get_view(view_type="search")["arch"])
        for node in arch.xpath("//filter[contains(@context, 'group_by')]"):
            with self.subTest(node.get("name")):
                name = safe_eval(node.get("context"))["group_by"]
                groups = self.orders().formatted_read_group([], [name], ["__count"])
                self.assertEqual([group["__count"] for group in groups], [1])

    def test_days_from_hand_over_to_confirmation_and_payment(self):
        sent_at = fields.Datetime.subtract(fields.Datetime.now(), days=4)
        order = self.order(self.invoice(), "sent", sent_at=sent_at)
        self.assertFalse(order.days_to_confirm)
        order._set_state("invoiced")
        self.assertEqual((order.days_to_confirm, order.days_to_pay), (4, 0))
        order.sent_at = fields.Datetime.subtract(sent_at, days=5)
        order._set_state("paid")
        self.assertEqual((order.days_to_confirm, order.days_to_pay), (4, 9))
        days = ("days_to_confirm", "days_to_pay")
        for field in order.fields_get(days, ["aggregator"]).values():
            self.assertEqual(field["aggregator"], "avg")

    def test_the_card_counts_what_its_links_open(self):
        journal = self.company.frontpay_journal_id
        card = self._card(journal, "invoicing")
        self.assertEqual(card["waiting"]["count"], 0)
        for number, state in enumerate(("queued", "sent", "sent", "paid", "unknown")):
            self.order(
                self.invoice(), state, token=f"t{number}", order_uuid=f"O{number}"
            )
        card = self._card(journal, "reader")
        self.assertEqual(card["environment"], self.company.frontpay_environment)
        for name in ("to_send", "waiting", "claimed", "needs_you"):
            found = self.found("frontpay.order", name)
            amount = journal.company_id.currency_id.format(sum(found.mapped("amount")))
            with self.subTest(name):
                self.assertEqual(card[name], {"count": len(found), "amount": amount})
        self.assertEqual(card["refunds"]["count"], 0)

    def test_the_card_says_which_system_it_is_unless_that_is_production(self):
        for environment, badges in (
            ("production", []),
            ("demo", ["Demo"]),
            ("custom", ["Custom URL"]),
        ):
            card = {"environment": environment, "connection": "good"}
            dashboard = SimpleNamespace(frontpay=SimpleNamespace(**card))
            shown = [
                badge.text
                for badge in self._card_arch().xpath("//span[@t-if]")
                if "frontpay" in badge.get("t-if")
                and "badge" in badge.get("class")
                and safe_eval(badge.get("t-if"), {"dashboard": dashboard})
            ]
            self.assertEqual(shown, badges)

    def test_what_needs_somebody_by_the_card_opens_the_list_with_what_to_do(
        self,
    ):
        action = self.env.ref("frontpay_odoo.frontpay_order_action_needs_you")
        [link] = self._card_arch().xpath(f"//a[@type='action'][@name='{action.id}']")
        self.assertIn("Need You", "".join(link.itertext()))
        self.assertIn("to_do", action.view_id._get_combined_arch().xpath("//@name"))

    def _card_arch(self):
        view = self.env.ref("account.account_journal_dashboard_kanban_view")
        return etree.fromstring(self.env["account.journal"].get_view(view.id)["arch"])

    def _card(self, journal, login):
        self.env.flush_all()
        journal = self.as_user(login, journal)
        journal.invalidate_recordset()
        return json.loads(journal.kanban_dashboard).get("frontpay")

    def test_the_card_costs_the_same_for_many_orders(self):
        journal = self.as_user("invoicing", self.company.frontpay_journal_id)
        companies = journal.frontpay_company_ids
        self.order(self.invoice(), token="first", order_uuid="ODR0")
        self.env.flush_all()
        journal._frontpay_card_rows(companies)
        with self.assertQueryCount(5):
            journal._frontpay_card_rows(companies)

    def test_whoever_sees_no_orders_sees_no_card(self):
        journal = self.company.frontpay_journal_id
        for login in ("employee", "stranger"):
            with self.subTest(login):
                self.env.invalidate_all()
                data = {journal.id: {}}
                own = self.as_user(login, journal)
                with mute_logger("odoo.addons.base.models.ir_rule"):
                    try:
                        card = own._get_journal_dashboard_data_batched()[journal.id]
                    except AccessError:
                        continue
                self.assertNotIn("frontpay", card, data)

    def test_a_customer_leads_to_the_orders_of_the_whole_company(self):
        contact = self.env["res.partner"].create(
            {"name": "Innkjøp", "parent_id": self.corporate.id}
        )
        order = self.order(self.invoice(customer=self.corporate))
        for login, count in (("reader", 1), ("invoicing", 1), ("stranger", 0)):
            with self.subTest(login):
                self.env.invalidate_all()
                partner = self.as_user(login, contact)
                self.assertEqual(partner.frontpay_order_count, count)
                found = self.orders(login).search(
                    partner.action_frontpay_open_orders()["domain"]
                )
                self.assertEqual(found, order if count else order.browse())
        with self.assertRaises(AccessError):
            self.as_user("employee", contact).read(["frontpay_order_count"])

    def test_an_invoice_and_its_credit_note_lead_to_the_refund(self):
        order = self.order(self.invoice(), "paid")
        note = order.move_id._reverse_moves()
        note.action_post()
        values = {"move_id": note.id, "order_id": order.id, "effect": "refund"}
        refund = self.env["frontpay.refund"].sudo().create(values)
        for move in (order.move_id, note):
            action = self.as_user("reader", move).action_frontpay_open_refunds()
            self.assertEqual(action["res_id"], refund.id)
            self.assertEqual(move.frontpay_refund_count, 1)
        self.assertEqual(order.refund_count, 1)
        self.assertEqual(refund.invoice_id, order.move_id)

    def test_buttons_of_an_order_need_invoicing_rights(self):
        order = self.order(self.invoice())
        for name in ("send", "refresh", "resolve", "cancel", "withdraw"):
            for login in ("reader", "employee", "portal"):
                with self.subTest(name, login=login), self.assertRaises(AccessError):
                    getattr(self.as_user(login, order), f"action_{name}")()

    def test_buttons_of_an_order_that_was_sent_anew_do_nothing_to_the_newer_one(self):
        move = self.invoice()
        former = self.order(move, "cancelled", token="former", order_uuid="ODR8")
        self.order(move)
        for name in ("send", "refresh", "resolve", "cancel", "withdraw"):
            with self.subTest(name), self.assertRaisesRegex(UserError, "newer orders"):
                getattr(self.as_user("invoicing", former), f"action_{name}")()

    def test_beside_others_an_order_that_was_sent_anew_is_left_alone(self):
        anew, other = self.invoice(), self.invoice()
        former = self.order(anew, "cancelled", token="former", order_uuid="ODR8")
        newer = self.order(anew, "queued", order_uuid=False)
        waiting = self.order(other, "queued", token="other", order_uuid=False)
        self.as_user("invoicing", former + waiting).action_withdraw()
        self.assertEqual((newer.state, waiting.state), ("queued", "failed"))

    def test_nobody_else_opens_the_lists(self):
        self.order(self.invoice())
        self.assertFalse(self.orders("stranger").search([]))
        for login in ("employee", "portal"):
            for model in ("frontpay.order", "frontpay.refund"):
                with self.subTest(login, model=model), self.assertRaises(AccessError):
                    self.as_user(login, self.env[model]).search([])

    def test_the_menu_is_theirs_who_keep_the_books(self):
        menu = self.env.ref("frontpay_odoo.menu_frontpay")
        self.assertEqual(menu.parent_id, self.env.ref("account.menu_finance"))
        report = self.env.ref("frontpay_odoo.menu_frontpay_settlement_report")
        menus = self.env["ir.ui.menu"]
        for login, is_there in (
            ("reader", True),
            ("invoicing", True),
            ("employee", False),
        ):
            with self.subTest(login):
                visible = self.as_user(login, menus)._visible_menu_ids()
                self.assertEqual(menu.id in visible, is_there)
                self.assertEqual(report.id in visible, is_there)
        log = self.env.ref("frontpay_odoo.menu_frontpay_exchanges")
        self.assertIn(
            self.env.ref("account.menu_finance_configuration"), log.parent_id.parent_id
        )
