"""A customer in Odoo and at Front Payment, side by side and brought up to date."""

from contextlib import contextmanager
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, new_test_user, tagged

from odoo.addons.frontpay_odoo.connect import errors, responses, rules
from odoo.addons.frontpay_odoo.connect.client import Client
from odoo.addons.frontpay_odoo.connect.customer import compared, update_json
from odoo.addons.frontpay_odoo.connect.order import Address, Customer
from odoo.addons.frontpay_odoo.mapping.customer import customer_of_partner
from odoo.addons.frontpay_odoo.tools import transaction

from .common import ORGANIZATION_NUMBER, PERSONAL_NUMBER, SandboxCase

DETAILS = "GET connect/customers/details/"
UPDATE = "PUT connect/customers/update/"
OTHER_NUMBER = "17458410100"
HUGE = "A" * 300
CUSTOMER = Customer(
    type="private",
    name="Kari Prøvebruker",
    email="post@example.com",
    country_code="+47",
    msisdn="46567468",
    language="en",
    address=Address("Prøvegata 14", "7030", "Trondheim", "NO"),
    personal_number=PERSONAL_NUMBER,
)
# What Front Payment may answer, and what is read of it.
ANSWERS = (
    ({"name": " Kari "}, "name", "Kari"),
    ({"name": "Ka\0ri\ud800"}, "name", "Kari?"),
    ({"name": HUGE}, "name", ""),
    ({"name": ["Kari"]}, "name", ""),
    ({"name": None}, "name", ""),
    ({"type": "Private"}, "type", "private"),
    ({"type": None}, "type", ""),
    ({"msisdn": 46567468}, "msisdn", "46567468"),
    ({"personalNumber": PERSONAL_NUMBER}, "personal_number", PERSONAL_NUMBER),
    ({"personalNumber": int(PERSONAL_NUMBER)}, "personal_number", PERSONAL_NUMBER),
    ({"organizationId": True}, "organization_id", "True"),
    ({"addresses": None}, "address", Address("", "", "", "")),
    ({"addresses": []}, "address", Address("", "", "", "")),
    ({"addresses": {"billing": "Oslo"}}, "address", Address("", "", "", "")),
    (
        {"addresses": {"billing": {"uuid": "ADRS1", "city": "Oslo", "zip": 150}}},
        "address",
        Address("", "150", "Oslo", ""),
    ),
    ({"color": "blue"}, "email", "kari@example.com"),
)
NO_CUSTOMERS = (None, [], "Kari", {}, {"status": "Active"}, {"name": HUGE})
# A field, what Odoo has and what Front Payment has, and how they compare.
COMPARED = (
    ("name", {"name": "Kari"}, {"name": "Kari"}, "same"),
    ("name", {"name": "Kari"}, {"name": "kari"}, "differs"),
    ("email", {"email": "Kari@x.no"}, {"email": "kari@X.NO"}, "same"),
    ("phone", {"msisdn": "46567468"}, {"msisdn": "465 67 468"}, "same"),
    ("phone", {"country_code": "+47"}, {"country_code": "+46"}, "differs"),
    ("type", {"type": "private"}, {"type": ""}, "differs"),
    (
        "personal_number",
        {"personal_number": PERSONAL_NUMBER},
        {"personal_number": OTHER_NUMBER},
        "differs",
    ),
    (
        "personal_number",
        {"personal_number": ""},
        {"personal_number": OTHER_NUMBER},
        "kept",
    ),
    (
        "organization_id",
        {"organization_id": "GB12"},
        {"organization_id": "GB13"},
        "kept",
    ),
    (
        "organization_id",
        {"organization_id": "310000019"},
        {"organization_id": "310 000 019"},
        "same",
    ),
)
# What breaks a rule of the update.
BROKEN = (
    ({"email": "kari@"}, [("email", "email")]),
    ({"addresses": {}}, [("addresses", "required")]),
    ({"personalNumber": "1234"}, [("personalNumber", "personal_number")]),
    ({"personalNumber": None}, []),
    ({"preferredLanguage": ""}, [("preferredLanguage", "required")]),
    ({"organizationId": "GB12"}, []),  # of no interest for a private customer
)


def customer_with(**changes):
    return Customer(**{**vars(CUSTOMER), **changes})


@tagged("post_install", "-at_install", "frontpay")
class TestCustomerData(BaseCase):
    """Without Odoo: what is read, compared and sent."""

    def test_what_is_read_of_a_customer(self):
        for changes, name, expected in ANSWERS:
            with self.subTest(changes):
                data = {"email": "kari@example.com"} | changes
                read = responses.customer_details(data)
                self.assertEqual(getattr(read, name), expected)

    def test_what_tells_nothing_of_a_customer_is_none(self):
        for data in NO_CUSTOMERS:
            with self.subTest(data), self.assertRaises(errors.UnknownOutcome):
                responses.customer_details(data)

    def test_how_two_customers_compare(self):
        for field, here, there, kind in COMPARED:
            with self.subTest(field, here=here, there=there):
                rows = compared(customer_with(**here), customer_with(**there))
                found = {row.field: row.kind for row in rows}
                self.assertEqual(found.pop(field), kind)
                self.assertEqual(set(found.values()), {"same"})

    def test_what_neither_has_is_not_compared(self):
        rows = compared(CUSTOMER, CUSTOMER)
        self.assertNotIn("organization_id", [row.field for row in rows])

    def test_what_an_update_sends(self):
        self.assertEqual(
            update_json(CUSTOMER),
            {
                "name": "Kari Prøvebruker",
                "email": "post@example.com",
                "countryCode": "+47",
                "msisdn": "46567468",
                "preferredLanguage": "en",
                "personalNumber": PERSONAL_NUMBER,
                "addresses": {
                    "billing": {
                        "street": "Prøvegata 14",
                        "zip": "7030",
                        "city": "Trondheim",
                        "country": "NO",
                    }
                },
            },
        )
        without = update_json(customer_with(personal_number="", organization_id="GB1"))
        self.assertFalse({"personalNumber", "organizationId"} & without.keys())

    def test_the_rules_of_an_update(self):
        document = update_json(CUSTOMER)
        self.assertEqual(rules.customer_violations("private", document), [])
        for changes, expected in BROKEN:
            with self.subTest(changes):
                found = rules.customer_violations("private", document | changes)
                self.assertEqual([each for each in found if each in expected], expected)
                self.assertEqual(bool(found), bool(expected))
        found = rules.customer_violations("corporate", {"organizationId": "GB12"})
        self.assertIn(("organizationId", "digits"), found)


class ComparisonCase(SandboxCase):
    def setUp(self):
        super().setUp()
        self.send(self.private)

    def send(self, customer):
        """The customer gets a number at Front Payment, with the data as they are."""
        self.invoice(customer=customer).action_frontpay_send()
        self.sandbox.control("DELETE", "requests")

    def open(self, partner=None, user=None):
        """Click on *Compare*."""
        partner = (partner or self.private).with_user(user or self.env.user)
        action = partner.action_frontpay_compare_customer()
        return (
            self.env[action["res_model"]]
            .with_user(partner.env.user)
            .browse(action["res_id"])
        )

    def kinds(self, dialog):
        """How each field compares, by its label."""
        return {line.name: line.kind for line in dialog.line_ids}

    def differing(self, dialog):
        kinds = self.kinds(dialog)
        return sorted(name for name in kinds if kinds[name] == "differs")

    def known(self, customer=None):
        """What Front Payment has of a customer."""
        number = (customer or self.private).frontpay_customer_uuid
        customers = self.sandbox.control("GET", "customers")
        return next(each for each in customers if each["customerUuid"] == number)[
            "details"
        ]

    def calls(self, path):
        return [call for call in self.sandbox.requests() if call.startswith(path)]

    def note(self):
        """The customer's newest message."""
        return self.private.message_ids[:1].body or ""

    def assert_no_number(self, dialog):
        """Nowhere stands a whole personal number."""
        texts = [dialog.sentence, *self.private.message_ids.mapped("body")]
        texts += dialog.line_ids.mapped("here") + dialog.line_ids.mapped("there")
        for exchange in self.env["frontpay.exchange"].sudo().search([]):
            texts += [exchange.request, exchange.answer, exchange.error, exchange.path]
        text = " ".join(filter(None, texts))
        for number in (PERSONAL_NUMBER, OTHER_NUMBER):
            self.assertNotIn(number, text)


@tagged("post_install", "-at_install", "frontpay")
class TestComparing(ComparisonCase):
    def test_its_title_is_the_customers_name_alone(self):
        partner = self.private.with_context(show_address=True)
        partner.street = "Eksempelveien 1"
        action = partner.action_frontpay_compare_customer()
        self.assertEqual(action["name"], f"{self.private.name} at Front Payment")

    def test_what_is_the_same_is_told(self):
        for customer in (self.private, self.corporate):
            with self.subTest(customer.name):
                if customer == self.corporate:
                    self.send(customer)
                dialog = self.open(customer)
                self.assertEqual((dialog.kind, dialog.can_update), ("success", False))
                self.assertEqual(set(self.kinds(dialog).values()), {"same"})
                self.assert_no_number(dialog)
                self.assertFalse(self.calls(UPDATE))

    def test_what_differs_is_marked_and_nothing_is_changed(self):
        self.private.write(
            {"street": "Nygata 2", "phone": "+47 40612345", "lang": "en_US"}
        )
        before = self.known()
        dialog = self.open()
        self.assertEqual((dialog.kind, dialog.can_update), ("info", True))
        self.assertEqual(self.differing(dialog), ["Phone", "Street"])
        dialog.invalidate_recordset()
        first = dialog.line_ids[:2].mapped("kind")
        self.assertEqual(first, ["differs", "differs"])
        [street] = dialog.line_ids.filtered(lambda line: line.name == "Street")
        self.assertEqual((street.here, street.there), ("Nygata 2", "Prøvegata 14"))
        self.assertEqual(self.known(), before)
        self.assertEqual(len(self.calls(DETAILS)), 1)

    def test_words_and_not_codes_are_shown(self):
        dialog = self.open()
        shown = {line.name: line.there for line in dialog.line_ids}
        self.assertEqual(shown["Country"], "Norway")
        self.assertEqual(shown["Customer Type"], "Private person")
        self.assertEqual(shown["Language at Front Payment"], "English")
        self.assertEqual(shown["Phone"], "+47 46567468")
        self.assertEqual(shown["Personal Number"], "178584*****")

    def test_what_odoo_has_no_words_for_is_shown_as_it_is(self):
        customer = responses.customer_details(
            {"name": "Kari", "preferredLanguage": "xx"}
        )
        with patch.object(Client, "customer", return_value=customer):
            dialog = self.open()
        shown = {line.name: line.there for line in dialog.line_ids}
        self.assertEqual(shown["Language at Front Payment"], "xx")

    def test_a_number_that_stands_elsewhere_is_masked_as_well(self):
        data = {"name": f"Kari {OTHER_NUMBER}", "organizationId": OTHER_NUMBER}
        customer = responses.customer_details(data)
        with patch.object(Client, "customer", return_value=customer):
            dialog = self.open()
        self.assertIn("Name", self.differing(dialog))
        self.assert_no_number(dialog)

    def test_another_personal_number_differs_and_is_masked(self):
        self.private.frontpay_personal_number = OTHER_NUMBER
        dialog = self.open()
        self.assertEqual(self.differing(dialog), ["Personal Number"])
        self.assert_no_number(dialog)

    def test_an_erased_number_is_nothing_to_update(self):
        self.private.frontpay_personal_number = False
        dialog = self.open()
        self.assertEqual((dialog.kind, dialog.can_update), ("success", False))
        self.assertEqual(self.kinds(dialog)["Personal Number"], "kept")

    def test_what_is_wrong_in_odoo_is_told_first(self):
        self.private.write({"email": "kari@", "street": "Nygata 2"})
        dialog = self.open()
        self.assertEqual((dialog.kind, dialog.can_update), ("warning", False))
        self.assertIn("e-mail address", dialog.sentence)
        with self.assertRaisesRegex(UserError, "e-mail address"):
            dialog.action_update()
        self.assertFalse(self.calls(UPDATE))

    def test_another_type_cannot_be_updated(self):
        self.private.frontpay_customer_type = "corporate"
        self.private.company_registry = ORGANIZATION_NUMBER
        dialog = self.open()
        self.assertEqual((dialog.kind, dialog.can_update), ("warning", False))
        self.assertIn("another type", dialog.sentence)

    def test_the_contact_that_gets_the_invoices_is_compared(self):
        contact = self._customer(
            "Berit Prøvebaker",
            type="invoice",
            parent_id=self.corporate.id,
            email="berit@example.com",
        )
        self.send(self.corporate)
        for partner in (self.corporate, contact):
            dialog = self.open(partner)
            self.assertEqual(self.differing(dialog), ["Email"])

    def test_what_a_move_has_and_a_partner_has_is_the_same(self):
        here, problems = customer_of_partner(self.private, self.company)
        self.assertEqual((here, problems), (CUSTOMER, []))

    def test_why_front_payment_did_not_tell(self):
        for fault, words in (
            ({"kind": "status", "status": 401}, "doesn't accept the token"),
            ({"kind": "status", "status": 404}, "any more"),
            ({"kind": "status", "status": 417}, "usable answer"),
            ({"kind": "limited"}, "Too many calls"),
            ({"kind": "status", "status": 510}, "usable answer"),
            ({"kind": "garbage"}, "isn't Front Payment"),
            ({"kind": "drop"}, "usable answer"),
        ):
            with self.subTest(fault):
                self.env["frontpay.rate.limit"].sudo().search([]).unlink()
                self.sandbox.fault(**fault, path="customers")
                dialog = self.open()
                self.assertEqual((dialog.kind, dialog.can_update), ("danger", False))
                self.assertIn(words, dialog.sentence)
                self.assertFalse(dialog.line_ids)

    def test_nobody_there(self):
        self.go_away()
        self.assertIn("Nobody answers", self.open().sentence)

    def test_every_call_stands_in_the_log_without_the_answer(self):
        self.open()
        [exchange] = self.env["frontpay.exchange"].search(
            [("path", "like", "customers/details")]
        )
        self.assertEqual((exchange.http_status, exchange.answer), (200, ""))
        self.assertEqual(exchange.company_id, self.company)

    def test_only_of_the_front_payment_that_the_settings_lead_to(self):
        order = self.private.invoice_ids.frontpay_order_id.sudo()
        order.base_url = "https://elsewhere.example.com/api/v1/"
        with self.assertRaisesRegex(UserError, "settings of"):
            self.open()
        self.assertFalse(self.sandbox.requests())

    def test_whoever_never_got_an_invoice_has_no_number(self):
        with self.assertRaisesRegex(UserError, "first invoice"):
            self.open(self.corporate)

    def test_in_the_middle_of_other_changes_nobody_is_called(self):
        with (
            patch.object(transaction, "is_untouched", return_value=False),
            self.assertRaisesRegex(UserError, "other changes"),
        ):
            self.open()
        self.assertFalse(self.sandbox.requests())

    def test_another_company_has_a_number_of_its_own(self):
        other = self.other_company()
        self.env.user.company_ids |= other
        elsewhere = self.private.with_company(other)
        with self.assertRaisesRegex(UserError, "no customer number"):
            elsewhere.action_frontpay_compare_customer()
        # Not even with the number of the first.
        elsewhere.frontpay_customer_uuid = self.private.frontpay_customer_uuid
        with self.assertRaisesRegex(UserError, "no customer number"):
            elsewhere.action_frontpay_compare_customer()


@tagged("post_install", "-at_install", "frontpay")
class TestUpdating(ComparisonCase):
    def setUp(self):
        self.private.street = "Prøvegata 14"
        super().setUp()
        self.private.street = "Nygata 2"

    def update(self, dialog=None):
        dialog = dialog or self.open()
        action = dialog.action_update()
        self.assertEqual(action["res_id"], dialog.id)
        return dialog

    def assert_updated(self, dialog):
        self.assertEqual((dialog.kind, dialog.can_update), ("success", False))
        self.assertFalse(self.differing(dialog))
        shown = dialog.line_ids.mapped("name")
        self.assertEqual(len(shown), len(set(shown)))
        self.assertEqual(self.known()["address"]["street"], "Nygata 2")
        self.assertIn("updated at Front Payment", self.note())
        self.assert_no_number(dialog)

    def test_front_payment_has_what_odoo_has(self):
        self.private.frontpay_personal_number = OTHER_NUMBER
        self.assert_updated(self.update())
        self.assertEqual(self.known()["personalNumber"], OTHER_NUMBER)
        self.assertEqual(len(self.calls(f"{UPDATE}private/")), 1)

    def test_of_a_company_as_well(self):
        self.send(self.corporate)
        self.corporate.email = "new@example.com"
        dialog = self.update(self.open(self.corporate))
        self.assertEqual(dialog.kind, "success")
        self.assertEqual(self.known(self.corporate)["email"], "new@example.com")
        self.assertEqual(len(self.calls(f"{UPDATE}corporate/")), 1)

    def test_what_was_corrected_while_the_dialog_was_open_is_sent(self):
        dialog = self.open()
        self.private.email = "new@example.com"
        self.assert_updated(self.update(dialog))
        self.assertEqual(self.known()["email"], "new@example.com")

    def test_a_lost_answer_is_settled_by_asking(self):
        for kind in ("drop", "garbage"):
            for when in ("before", "after"):
                with self.subTest(kind, when=when):
                    self.setUp()
                    self.sandbox.fault(kind, when=when, path="customers/update")
                    dialog = self.update()
                    if when == "after":
                        self.assert_updated(dialog)
                        continue
                    self.assertEqual(dialog.kind, "warning")
                    self.assertIn("No clear answer", dialog.sentence)
                    self.assertEqual(self.differing(dialog), ["Street"])
                    self.assertIn("isn't known", self.note())
                    self.assert_updated(self.update(dialog))

    def test_without_any_answer_nobody_knows(self):
        for failure, words, note in (
            (errors.UnknownOutcome("drop"), "isn't known", "isn't known"),
            (None, "has taken the update", "updated at Front Payment"),
        ):
            with self.subTest(failure):
                self.setUp()
                dialog = self.open()
                with (
                    patch.object(
                        Client, "customer", side_effect=errors.UnknownOutcome("drop")
                    ),
                    patch.object(Client, "update_customer", side_effect=[failure]),
                ):
                    self.update(dialog)
                self.assertEqual((dialog.kind, dialog.can_update), ("warning", True))
                self.assertIn(words, dialog.sentence)
                self.assertFalse(dialog.line_ids)
                self.assertIn(note, self.note())
                self.assert_updated(self.update(dialog))

    def test_what_was_taken_and_not_done_is_told(self):
        with patch.object(Client, "update_customer", return_value=None):
            dialog = self.update()
        self.assertEqual((dialog.kind, dialog.can_update), ("warning", True))
        self.assertIn("still different", dialog.sentence)
        self.assertEqual(self.differing(dialog), ["Street"])

    def test_a_refusal_is_told_with_the_names_of_odoos_fields(self):
        sentences = [
            "The addresses.billing.street field is required.",
            f"The number {OTHER_NUMBER} is taken.",
        ]
        refusal = errors.Rejected("HTTP 417", sentences, http_status=417)
        with patch.object(Client, "update_customer", side_effect=refusal):
            dialog = self.update()
        self.assertEqual((dialog.kind, dialog.can_update), ("danger", True))
        self.assertIn("“Street” of the customer is missing.", dialog.sentence)
        self.assertNotIn("updated", self.note())
        self.assert_no_number(dialog)
        self.assertEqual(self.differing(dialog), ["Street"])

    def test_a_number_that_is_another_customers_is_refused(self):
        other = self._customer("Ola Prøvebruker", email="ola@example.com")
        other.frontpay_personal_number = OTHER_NUMBER
        self.send(other)
        self.private.frontpay_personal_number = OTHER_NUMBER
        dialog = self.update()
        self.assertEqual((dialog.kind, dialog.can_update), ("danger", True))
        self.assertIn("ambiguousRequestExists", dialog.sentence)
        self.assertEqual(self.known()["personalNumber"], PERSONAL_NUMBER)
        self.assert_no_number(dialog)

    def test_what_else_goes_wrong(self):
        for fault, words in (
            ({"kind": "status", "status": 401}, "doesn't accept the token"),
            ({"kind": "status", "status": 404}, "any more"),
            ({"kind": "limited"}, "Too many calls"),
        ):
            with self.subTest(fault):
                self.env["frontpay.rate.limit"].sudo().search([]).unlink()
                dialog = self.open()
                self.sandbox.fault(**fault, path="customers/update")
                self.update(dialog)
                self.assertEqual(dialog.kind, "danger")
                self.assertIn(words, dialog.sentence)
                self.assertNotIn("pdated", self.note())

    def test_without_a_connection_it_is_not_asked_again(self):
        dialog = self.open()
        self.go_away()
        self.update(dialog)
        self.assertIn("Nobody answers", dialog.sentence)
        self.assertEqual(self.nobody.target._send.call_count, 1)

    def test_another_environment_gets_nothing(self):
        dialog = self.open()
        order = self.private.invoice_ids.frontpay_order_id.sudo()
        order.base_url = "https://elsewhere.example.com/api/v1/"
        with self.assertRaisesRegex(UserError, "no customer number"):
            dialog.action_update()
        self.assertFalse(self.calls(UPDATE))

    def test_what_breaks_a_rule_is_a_fault_of_ours_and_stays_here(self):
        dialog = self.open()
        broken = [("email", "email")]
        with (
            patch.object(rules, "customer_violations", return_value=broken),
            self.assertLogs("odoo.addons.frontpay_odoo", "ERROR"),
            self.assertRaisesRegex(UserError, "email: email"),
        ):
            dialog.action_update()
        self.assertFalse(self.calls(UPDATE))


@tagged("post_install", "-at_install", "frontpay")
class TestWhoMayCompare(ComparisonCase):
    def person(self, login, groups, company=None):
        company = company or self.company
        return new_test_user(
            self.env,
            f"frontpay_{login}",
            groups=groups,
            company_id=company.id,
            company_ids=company.ids,
        )

    def test_whoever_invoices_may_without_editing_contacts(self):
        clerk = self.person("clerk", "account.group_account_invoice")
        self.private.street = "Nygata 2"
        dialog = self.open(user=clerk)
        dialog.action_update()
        self.assertEqual(dialog.kind, "success")
        message = self.private.message_ids[0]
        self.assertIn("updated at Front Payment", message.body)
        self.assertEqual(message.author_id, clerk.partner_id)

    def test_nobody_else_may(self):
        self.private.street = "Nygata 2"
        dialog = self.open()
        for login, groups in (
            ("reader", "account.group_account_readonly"),
            ("seller", "base.group_user,base.group_partner_manager"),
            ("portal", "base.group_portal"),
        ):
            user = self.person(login, groups)
            with self.subTest(login):
                with self.assertRaises(AccessError):
                    self.private.with_user(user).action_frontpay_compare_customer()
                with self.assertRaises(AccessError):
                    dialog.with_user(user).action_update()
        self.assertFalse(self.calls(UPDATE))

    def test_another_ones_dialog_is_closed(self):
        dialog = self.open()
        clerk = self.person("clerk", "account.group_account_invoice")
        dialog.invalidate_recordset()
        with self.assertRaises(AccessError):
            dialog.with_user(clerk).action_update()
        dialog.line_ids.invalidate_recordset()
        with self.assertRaises(AccessError):
            dialog.line_ids.with_user(clerk).mapped("there")

    def test_a_customer_that_one_may_not_see_is_not_compared(self):
        clerk = self.person("clerk", "account.group_account_invoice")
        dialogs = self.env["frontpay.customer.comparison"].with_user(clerk)
        dialog = dialogs.create({"partner_id": self.private.id})
        self.env["ir.rule"].create(
            {
                "name": "Somebody else's customer",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": [("id", "!=", self.private.id)],
            }
        )
        with self.assertRaises(AccessError):
            self.open(user=clerk)
        with self.assertRaises(AccessError):
            dialog.action_update()
        self.assertFalse(self.sandbox.requests())

    def test_another_companys_users_get_nothing(self):
        other = self.other_company()
        stranger = self.person("stranger", "account.group_account_manager", other)
        dialogs = self.env["frontpay.customer.comparison"].with_user(stranger)
        dialog = dialogs.create({"partner_id": self.private.id})
        with self.assertRaises(UserError):
            dialog.action_update()
        with self.assertRaises(UserError):
            self.open(user=stranger)
        self.assertFalse(self.sandbox.requests())

    @contextmanager
    def view(self, user):
        self.env.invalidate_all()
        yield self.private.with_user(user).get_view(view_type="form")["arch"]

    def test_the_button_is_there_for_whoever_invoices(self):
        clerk = self.person("clerk", "account.group_account_invoice")
        seller = self.person("seller", "base.group_user,base.group_partner_manager")
        for user, is_there in ((clerk, True), (seller, False)):
            with self.subTest(user.login), self.view(user) as arch:
                self.assertEqual("action_frontpay_compare_customer" in arch, is_there)
