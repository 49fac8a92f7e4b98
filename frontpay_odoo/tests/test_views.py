from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError
from odoo.fields import NO_ACCESS
from odoo.tests import Form, new_test_user, tagged
from odoo.tools.safe_eval import safe_eval
from odoo.tools.view_validation import get_expression_field_names

from .common import FrontpayCommon

FIRST = "Send to Front Payment"
AGAIN = "Send to Front Payment Again"
UPDATE = "Update at Front Payment"
CHECK = "Check Outcome"
NOW = "Send to Front Payment Now"
# Which of the buttons an invoice shows by its order's state.
BUTTONS = {
    None: FIRST,
    "queued": NOW,
    "sending": CHECK,
    "unknown": CHECK,
    "failed": AGAIN,
    "sent": UPDATE,
    "invoiced": None,
    "reminded": None,
    "collection": None,
    "paid": None,
    "partially_refunded": None,
    "refunded": None,
    "cancelled": AGAIN,
    "expired": AGAIN,
}
# The states of the orders that each filter of the invoices finds, None for no order.
FILTERS = {
    "frontpay_not_sent": {None, "failed", "cancelled", "expired"},
    "frontpay_open": {
        "queued",
        "sending",
        "sent",
        "invoiced",
        "reminded",
        "collection",
    },
    # What failed without an error was taken out of the queue.
    "frontpay_trouble": {"unknown", "expired"},
}


@tagged("post_install", "-at_install", "frontpay")
class TestViews(FrontpayCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoicing = cls._user("invoicing", "account.group_account_invoice")
        cls.reader = cls._user("reader", "account.group_account_readonly")
        cls.adviser = cls._user("adviser", "account.group_account_manager")
        cls.clerk = cls._user("clerk", "base.group_user")
        # As Odoo's sales app does for its own people.
        cls.env["ir.model.access"].sudo().create(
            {
                "name": "clerks read invoices",
                "model_id": cls.env["ir.model"]._get_id("account.move"),
                "group_id": cls.env.ref("base.group_user").id,
                "perm_read": True,
            }
        )
        cls.moves = {state: cls.invoice() for state in BUTTONS}
        for number, state in enumerate(filter(None, BUTTONS)):
            move = cls.moves[state]
            cls.order(move, state, token=state, order_uuid=f"ODR{number}")

    @classmethod
    def _user(cls, login, groups):
        return new_test_user(
            cls.env,
            f"frontpay_{login}",
            groups=groups,
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def _arch(self, model, view_type, user):
        view = self.env[model].with_user(user).get_view(view_type=view_type)
        return etree.fromstring(view["arch"])

    def _filters(self, model, user, view=None):
        view_id = view and self.env.ref(view).id
        views = self.env[model].with_user(user)
        arch = etree.fromstring(views.get_view(view_id, "search")["arch"])
        return {node.get("name"): node for node in arch.iter("filter")}

    def test_the_invoices_form_opens(self):
        for user in (self.invoicing, self.reader, self.adviser):
            for state, move in self.moves.items():
                with self.subTest(user.login, state=state):
                    form = Form(move.with_user(user))
                    self.assertEqual(form.frontpay_state, state or False)

    def test_a_new_invoice_can_be_written(self):
        moves = self.env["account.move"].with_user(self.invoicing)
        with Form(moves.with_context(default_move_type="out_invoice")) as form:
            form.partner_id = self.private
        self.assertFalse(form.record.frontpay_can_send)

    def _shown(self, move, nodes):
        """Those of the form's nodes that an invoice shows."""
        names = set().union(
            *(get_expression_field_names(node.get("invisible") or "") for node in nodes)
        )
        values = move.read(names - {"id"})[0]
        return [
            node
            for node in nodes
            if not safe_eval(node.get("invisible") or "False", values)
        ]

    def test_a_ribbon_tells_where_it_goes_unless_that_is_production(self):
        arch = self._arch("account.move", "form", self.invoicing)
        ribbons = arch.xpath(
            "//widget[@name='web_ribbon'][@bg_color='text-bg-warning']"
        )
        for environment, expected in (
            ("demo", ["Demo"]),
            ("custom", ["Custom URL"]),
            ("production", []),
        ):
            with self.subTest(environment), self.undone():
                self.company.frontpay_environment = environment
                self.moves["sent"].sudo().frontpay_order_id.environment = environment
                for state in (None, "sent"):
                    shown = self._shown(self.moves[state], ribbons)
                    titles = [node.get("title") for node in shown]
                    self.assertEqual(titles, expected, state)

    def test_one_button_at_a_time(self):
        buttons = self._arch("account.move", "form", self.invoicing).xpath(
            "//button[@name='action_frontpay_send' or @name='action_frontpay_resolve']"
            "[not(starts-with(@id, 'frontpay_refund'))]"
        )
        self.assertEqual(
            [button.get("string") for button in buttons],
            [FIRST, AGAIN, NOW, CHECK, UPDATE],
        )
        for state, label in BUTTONS.items():
            with self.subTest(state):
                values = self.moves[state].read(
                    ["frontpay_can_send", "frontpay_can_update", "frontpay_state"]
                )
                shown = [
                    button.get("string")
                    for button in buttons
                    if not safe_eval(button.get("invisible"), values[0])
                ]
                self.assertEqual(shown, [label] if label else [])

    def test_odoos_own_button_is_not_primary_beside_ours(self):
        """Nor once the invoice was sent."""
        for move in self.moves.values():
            with self.subTest(move.frontpay_state):
                self.assertFalse(move.highlight_send_button)

    def test_one_button_is_primary_at_most(self):
        arch = self._arch("account.move", "form", self.invoicing)
        buttons = arch.xpath("//form/header//button")
        for state, move in self.moves.items():
            with self.subTest(state):
                shown = self._shown(move, buttons)
                primary = [
                    node.get("string")
                    for node in shown
                    if {"oe_highlight", "btn-primary"}
                    & set(node.get("class", "").split())
                ]
                self.assertLessEqual(len(primary), 1, primary)
                names = [node.get("name") for node in shown]
                self.assertEqual(names.count("action_print_pdf"), 1)
                is_open = move.payment_state in ("not_paid", "partial", "in_payment")
                self.assertEqual(names.count("action_register_payment"), int(is_open))

    def test_odoos_own_button_is_primary_where_front_payment_is_not_set_up(self):
        self.company.frontpay_api_token = False
        for state in (None, "failed", "cancelled", "expired"):
            with self.subTest(state):
                self.assertTrue(self.moves[state].highlight_send_button)

    def test_readers_and_clerks_have_no_button(self):
        for user in (self.reader, self.clerk):
            with self.subTest(user.login):
                arch = self._arch("account.move", "form", user)
                self.assertFalse(arch.xpath("//button[@name='action_frontpay_send']"))

    def test_clerks_see_nothing_of_front_payment(self):
        for view_type in ("form", "list", "search"):
            with self.subTest(view_type):
                arch = self._arch("account.move", view_type, self.clerk)
                self.assertNotIn("frontpay", etree.tostring(arch).decode())
        fields = ["highlight_send_button", "show_reset_to_draft_button", "alerts"]
        for state, move in self.moves.items():
            with self.subTest(state):
                self.env.invalidate_all()
                values = move.with_user(self.clerk).read(fields)[0]
                self.assertNotIn("frontpay", str(values["alerts"]))

    def test_what_can_be_sent(self):
        refund = self.invoice()._reverse_moves()
        refund.action_post()
        cancelled = self.invoice(post=False)
        cancelled.button_cancel()
        for what, move, may in (
            ("a posted invoice", self.moves[None], True),
            ("a draft", self.invoice(post=False), False),
            ("a cancelled invoice", cancelled, False),
            ("a credit note", refund, False),
            ("an invoice of nothing", self.invoice(self.line(price=0)), False),
        ):
            with self.subTest(what):
                self.assertEqual(move.frontpay_can_send, may)
        move = self.invoice()
        self._register_payment(move)
        self.assertFalse(move.frontpay_can_send)
        move = self.invoice()
        self._register_payment(move, amount=25)
        self.assertEqual(move.payment_state, "partial")
        self.assertFalse(move.frontpay_can_send)

    def test_nothing_can_be_sent_before_the_settings_are_made(self):
        self.company.frontpay_api_token = False
        self.assertFalse(self.moves[None].frontpay_can_send)
        self.assertTrue(self.moves[None].highlight_send_button)

    def test_the_filters_of_the_invoices(self):
        filters = self._filters(
            "account.move", self.invoicing, "account.view_account_invoice_filter"
        )
        for name, states in FILTERS.items():
            with self.subTest(name):
                domain = safe_eval(filters[name].get("domain"))
                self.assertEqual(self._found("account.move", domain), states)

    def test_an_error_needs_attention_in_every_state(self):
        self.moves["paid"].frontpay_order_id.sudo().error = "No journal"
        filters = self._filters(
            "account.move", self.invoicing, "account.view_account_invoice_filter"
        )
        domain = safe_eval(filters["frontpay_trouble"].get("domain"))
        self.assertIn("paid", self._found("account.move", domain))

    def _found(self, model, domain):
        """The states of this company's records that a domain finds."""
        field = "frontpay_state" if model == "account.move" else "state"
        records = self.env[model].with_user(self.invoicing)
        return {
            record[field] or None
            for record in records.search(
                [*domain, ("company_id", "=", self.company.id)]
            )
        }

    def test_invoices_are_grouped_by_state(self):
        groups = (
            self.env["account.move"]
            .with_user(self.invoicing)
            .formatted_read_group(
                [("company_id", "=", self.company.id)], ["frontpay_state"], ["__count"]
            )
        )
        self.assertEqual(
            {group["frontpay_state"] or None for group in groups}, set(BUTTONS)
        )

    def test_a_badge_colours_every_state(self):
        for model, name in (
            ("account.move", "frontpay_state"),
            ("frontpay.order", "state"),
        ):
            for view_type in ("list", "form"):
                arch = self._arch(model, view_type, self.invoicing)
                for badge in arch.xpath(f"//field[@name='{name}'][@widget='badge']"):
                    colours = [
                        condition
                        for attribute, condition in badge.attrib.items()
                        if attribute.startswith("decoration-")
                    ]
                    for state in filter(None, BUTTONS):
                        with self.subTest(model, view_type=view_type, state=state):
                            matching = [
                                condition
                                for condition in colours
                                if safe_eval(condition, {name: state})
                            ]
                            self.assertEqual(len(matching), 1)

    def test_orders_and_the_api_log_open(self):
        for model, users in (
            ("frontpay.order", (self.reader, self.invoicing, self.adviser)),
            ("frontpay.refund", (self.reader, self.invoicing, self.adviser)),
            ("frontpay.exchange", (self.adviser,)),
        ):
            is_log = model == "frontpay.exchange"
            more = () if is_log else ("kanban", "pivot", "graph")
            for user in users:
                for view_type in ("list", "form", "search", *more):
                    with self.subTest(model, user=user.login, view_type=view_type):
                        self.assertTrue(len(self._arch(model, view_type, user)))

    def test_an_orders_form_shows_no_path_token(self):
        order = self.moves["sent"].frontpay_order_id
        form = Form(order.with_user(self.adviser))
        self.assertEqual(form.state, "sent")
        with self.assertRaises(AssertionError):
            _ = form.token

    def test_an_invoice_leads_to_its_orders(self):
        for user in (self.invoicing, self.reader):
            arch = self._arch("account.move", "form", user)
            self.assertTrue(arch.xpath("//button[@name='action_frontpay_open_orders']"))
        move = self.moves["failed"].with_user(self.reader)
        order = move.frontpay_order_id
        self.assertEqual(move.action_frontpay_open_orders()["res_id"], order.id)
        again = self.order(move.sudo(), "sent", token="again", order_uuid="ODR99")
        found = move.action_frontpay_open_orders()["domain"]
        self.assertEqual(self.env["frontpay.order"].search(found), again + order)

    def test_an_order_leads_to_its_log(self):
        order = self.moves["sent"].frontpay_order_id
        own, _other = (
            self.env["frontpay.exchange"]
            .sudo()
            .create(
                [
                    {"direction": "in", "company_id": self.company.id, "order_id": id}
                    for id in (order.id, self.moves["paid"].frontpay_order_id.id)
                ]
            )
        )
        action = order.with_user(self.adviser).action_open_log()
        log = self.env[action["res_model"]].with_user(self.adviser)
        self.assertEqual(log.search(action["domain"]), own)

    def test_every_label_is_written_for_people(self):
        for model in self.env.values():
            for name, field in model._fields.items():
                if field._module != "frontpay_odoo" or field.groups == NO_ACCESS:
                    continue
                with self.subTest(model._name, field=name):
                    words = set(field._description_string(self.env).split())
                    self.assertFalse(words & {"Frontpay", "Uuid", "Ids"})

    def test_each_setting_has_one_label(self):
        view = self.env.ref("frontpay_odoo.res_config_settings_view_form")
        labels = etree.fromstring(view.arch).iter("label")
        self.assertEqual(
            [label.get("for") for label in labels if label.get("string")], []
        )

    def test_what_went_wrong_stands_above_the_invoice(self):
        move = self.moves["failed"]
        move.frontpay_order_id.sudo().error = "Line 1: price is missing."
        for user, told in ((self.invoicing, True), (self.clerk, False)):
            with self.subTest(user.login):
                self.env.invalidate_all()
                alerts = move.with_user(user).read(["alerts"])[0]["alerts"] or {}
                self.assertEqual("frontpay" in alerts, told)

    def test_what_goes_by_itself_is_no_red_alert(self):
        for state, level in (("queued", "warning"), ("failed", "danger")):
            move = self.moves[state]
            move.frontpay_order_id.sudo().error = "It is sent again later."
            with self.subTest(state):
                self.assertEqual(move._get_alerts()["frontpay"]["level"], level)

    def test_lists_have_buttons_and_no_actions(self):
        """An action of the model would stand on vendor bills as well."""
        bindings = self.env["ir.actions.actions"].get_bindings("account.move")
        names = [action["name"] for kind in bindings.values() for action in kind]
        self.assertNotIn("Send to Front Payment", names)
        buttons = (
            "//header/button[@name='action_frontpay_send_batch']",
            "//header/button[@name='action_frontpay_refresh']",
        )
        for view, user, is_there in (
            ("view_out_invoice_tree", self.invoicing, True),
            ("view_out_credit_note_tree", self.invoicing, True),
            ("view_in_invoice_tree", self.invoicing, False),
            ("view_out_invoice_tree", self.reader, False),
        ):
            with self.subTest(view, user=user.login):
                moves = self.env["account.move"].with_user(user)
                view_id = self.env.ref(f"account.{view}", raise_if_not_found=False)
                arch = moves.get_view(view_id and view_id.id, "list")["arch"]
                for button in buttons:
                    found = etree.fromstring(arch).xpath(button)
                    self.assertEqual(bool(found), is_there)

    def test_the_phones_list_has_no_buttons_on_vendor_bills(self):
        arch = self._arch("account.move", "kanban", self.invoicing)
        self.assertTrue(
            arch.xpath("//t[@t-name='card']//field[@name='frontpay_state']")
        )
        [send] = arch.xpath("//header/button[@name='action_frontpay_send_batch']")
        for kind, is_hidden in (("out_invoice", False), ("in_invoice", True)):
            values = {"context": {"default_move_type": kind}}
            self.assertEqual(safe_eval(send.get("invisible"), values), is_hidden)

    def test_a_server_action_sends_one_invoice(self):
        """The alert's, where a link was lost."""
        action = self.env.ref("frontpay_odoo.account_move_action_send")
        move = self.moves[None]
        context = {"active_model": "account.move", "active_ids": move.ids}
        # Nobody listens there: the request is made, and fails.
        answer = action.with_user(self.invoicing).with_context(**context).run()
        self.assertEqual(answer["params"]["type"], "warning")
        self.assertEqual(move.frontpay_state, "queued")
        with self.assertRaises(AccessError):
            action.with_user(self.reader).with_context(**context).run()
