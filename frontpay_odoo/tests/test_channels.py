from datetime import UTC, date, datetime
from unittest.mock import patch

from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import freeze_time, tagged

from odoo.addons.frontpay_odoo.connect import rules
from odoo.addons.frontpay_odoo.connect.channels import CHANNELS, due_date
from odoo.addons.frontpay_odoo.connect.order import CallbackAddresses
from odoo.addons.frontpay_odoo.mapping import order_of

from .common import PATH_TOKEN, PERSONAL_NUMBER, SandboxCase, golden

NOW = "2025-08-04 22:30:00"  # UTC; in Norway, the fifth has begun
DUE = "2025-08-15"
CALLBACKS = CallbackAddresses(
    callback=f"https://odoo.example.com/frontpay/callback/{PATH_TOKEN}",
    success=f"https://odoo.example.com/frontpay/return/{PATH_TOKEN}/success",
    failure=f"https://odoo.example.com/frontpay/return/{PATH_TOKEN}/failure",
)
# Where an order of each channel is posted, and what becomes of it at once, by the type
# of the customers that the channel is for.
SENT = {
    "session": (
        "connect/orders/invoice/submit",
        {"private": "sent", "corporate": "invoiced"},
    ),
    "regular": ("connect/orders/regular/submit", {"private": "sent"}),
    "invoice": (
        "connect/orders/invoice/create",
        {"private": "invoiced", "corporate": "invoiced"},
    ),
    "efaktura": ("connect/orders/faktura/create", {"private": "invoiced"}),
    "ehf": ("connect/orders/ehf/create", {"corporate": "invoiced"}),
    "payment_link": (
        "connect/orders/payment-link/create",
        {"private": "sent", "corporate": "sent"},
    ),
}
CONFIRMED = {"session", "regular"}  # by private customers, with BankID
ROWS = [(name, kind) for name, (_path, kinds) in SENT.items() for kind in kinds]
# A channel, the customer's type and country, for whom the channel is, and which fit.
UNAVAILABLE = (
    (
        ("regular", "corporate", "no"),
        "private customers only",
        "Session with BankID, Invoice without confirmation, EHF, Payment link.",
    ),
    (
        ("efaktura", "corporate", "no"),
        "private customers only",
        "Session with BankID, Invoice without confirmation, EHF, Payment link.",
    ),
    (
        ("ehf", "private", "no"),
        "organizations in Norway only",
        "Session with BankID, Session with BankID (older form), Invoice without"
        " confirmation, eFaktura, Payment link.",
    ),
    (
        ("ehf", "corporate", "se"),
        "organizations in Norway only",
        "Session with BankID, Invoice without confirmation, Payment link.",
    ),
)
# The moment of the order in UTC, and the day as the older page has it.
PRINTED_DAYS = (
    (datetime(2025, 8, 2, 10, tzinfo=UTC), "02 Aug, 2025"),
    (datetime(2025, 12, 31, 22, 59, tzinfo=UTC), "31 Dec, 2025"),
    (datetime(2025, 12, 31, 23, tzinfo=UTC), "01 Jan, 2026"),
    (datetime(2026, 5, 16, 22, tzinfo=UTC), "17 May, 2026"),
    (datetime(2026, 10, 9, 0, tzinfo=UTC), "09 Oct, 2026"),
)


class ChannelCase(SandboxCase):
    """An invoice of two lines for each type of customer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write(
            {"frontpay_invoice_fee": True, "frontpay_secure_details": True}
        )
        cls.moves = {
            kind: cls.invoice(
                cls.line(name="Router", price=899),
                cls.line(name="Lunch", price=149, rate=15, quantity=2),
                customer=getattr(cls, kind),
                name=f"INV/{kind}",
                ref="PO 4711",
                invoice_date="2025-08-05",
                invoice_date_due=DUE,
            )
            for kind in ("private", "corporate")
        }

    def document(self, channel, kind):
        """The JSON that becomes of the invoice to such a customer."""
        move = self.moves[kind]
        order, problems = order_of(move, channel, CALLBACKS, move.name)
        self.assertFalse(problems)
        return CHANNELS[channel].to_json(order)


@tagged("post_install", "-at_install", "frontpay")
@freeze_time(NOW)
class TestChannels(ChannelCase):
    def test_every_channel_has_rows_here_and_rules(self):
        self.assertEqual(SENT.keys(), CHANNELS.keys())
        self.assertEqual(SENT.keys(), rules.RULES.keys())
        for name, channel in CHANNELS.items():
            self.assertEqual(set(channel.customer_types), set(SENT[name][1]), name)

    def test_each_invoice_becomes_the_golden_document_of_its_channel(self):
        for channel, kind in ROWS:
            with self.subTest(channel, customer=kind):
                document = self.document(channel, kind)
                self.assertEqual(document, golden(f"{channel}_{kind}"))

    def test_no_document_has_a_field_that_the_pages_dont_list(self):
        for channel, kind in ROWS:
            with self.subTest(channel, customer=kind):
                paths = set(_paths(self.document(channel, kind)))
                self.assertFalse(paths - rules.RULES[channel].keys())

    def test_a_document_holds_a_number_of_its_customer_only_where_it_is_needed(self):
        for channel, kind in ROWS:
            with self.subTest(channel, customer=kind):
                details = self.document(channel, kind)["customerDetails"]
                is_known = channel != "payment_link" and kind == "private"
                self.assertEqual(bool(details.get("personalNumber")), is_known)
                is_corporate = kind == "corporate"
                self.assertEqual(bool(details.get("organizationId")), is_corporate)

    def test_a_channel_that_isnt_for_the_customer_names_those_that_are(self):
        for (channel, kind, country), audience, fitting in UNAVAILABLE:
            with self.subTest(channel, customer=kind, country=country), self.undone():
                self.company.frontpay_channel = channel
                customer = getattr(self, kind)
                customer.country_id = self.env.ref(f"base.{country}")
                with self.assertRaises(RedirectWarning) as caught:
                    self.moves[kind].action_frontpay_send()
                text = caught.exception.args[0]
                self.assertIn(f"{customer.name} can't be reached by", text)
                self.assertIn(f"which is for {audience}.", text)
                self.assertIn(f"These fit: {fitting}", text)
                self.assertEqual(caught.exception.args[1]["res_id"], customer.id)
                self.assertFalse(self.sandbox.requests())

    def test_a_payment_link_asks_for_no_personal_number(self):
        self.private.frontpay_personal_number = False
        for channel in SENT:
            with self.subTest(channel):
                move = self.moves["private"]
                _order, problems = order_of(move, channel, CALLBACKS, move.name)
                texts = "".join(problem.message for problem in problems)
                is_missing = "has no personal number" in texts
                self.assertEqual(is_missing, channel != "payment_link")

    def test_a_payment_link_goes_by_sms_to_mobiles_only(self):
        for phone, is_mobile in (("+47 406 12 345", True), ("+47 22 12 34 56", False)):
            with self.subTest(phone):
                self.private.phone = phone
                document = self.document("payment_link", "private")
                self.assertEqual(
                    document["sendOrderBy"], {"sms": is_mobile, "email": True}
                )

    def test_the_older_page_gets_the_norwegian_day_in_english(self):
        for moment, day in PRINTED_DAYS:
            with self.subTest(day), freeze_time(moment):
                document = self.document("regular", "private")
                self.assertEqual(document["orderDate"], day)

    def test_the_older_pages_due_date_is_the_end_of_the_norwegian_day(self):
        self.company.frontpay_min_maturity = 0
        for due, end in (
            ("2025-08-05", "2025-08-05T23:59:59+02:00"),
            ("2025-10-25", "2025-10-25T23:59:59+02:00"),
            ("2025-10-26", "2025-10-26T23:59:59+01:00"),  # the clocks went back
            ("2025-08-01", "2025-08-05T23:59:59+02:00"),  # overdue: today
        ):
            with self.subTest(due), self.undone():
                self.moves["private"].invoice_date_due = due
                document = self.document("regular", "private")
                self.assertEqual(
                    int(document["dueDateForPaymentLink"]),
                    int(datetime.fromisoformat(end).timestamp()),
                )

    def test_the_due_date_is_known_where_front_payment_is_given_one(self):
        given = date(2025, 10, 26)
        for channel, interval, expected in (
            ("session", "0", given),
            ("regular", "0", given),
            ("invoice", "0", given),
            ("session", "1", None),  # invoiced later, with others
            ("payment_link", "0", None),
        ):
            with self.subTest(channel, interval=interval), self.undone():
                self.company.frontpay_invoice_interval = interval
                self.moves["private"].invoice_date_due = given
                document = self.document(channel, "private")
                self.assertEqual(due_date(document), expected)


@tagged("post_install", "-at_install", "frontpay")
class TestSending(ChannelCase):
    def test_every_channel_is_sent_and_its_answer_stored(self):
        for channel, kind in ROWS:
            path, states = SENT[channel]
            with self.subTest(channel, customer=kind), self.undone():
                self.company.frontpay_channel = channel
                move = self.moves[kind]
                move.action_frontpay_send()
                order = move.frontpay_order_id
                self.assertEqual(order.error, False)
                self.assertEqual(order.channel, channel)
                self.assertEqual(order.state, states[kind])
                self.assertRegex(order.order_uuid, r"ODR\d+")
                self.assertRegex(order.customer_uuid, r"CSRT\d+")
                is_asked = channel in CONFIRMED and kind == "private"
                self.assertEqual(bool(order.verification_url), is_asked)
                exchange = order.exchange_ids.sorted("id")[0]
                self.assertEqual((exchange.path, exchange.http_status), (path, 201))
                self.assertIn(order.order_uuid, exchange.answer)
                self.assertNotIn(PERSONAL_NUMBER, exchange.request)


@tagged("post_install", "-at_install", "frontpay")
class TestLastCheck(ChannelCase):
    """What the rules find right before sending is a fault of the addon."""

    def test_a_document_that_breaks_a_rule_isnt_sent(self):
        def faulty(order):
            document = channel.to_json(order)
            document["products"][0].pop("rate")
            document["customerDetails"]["personalNumber"] += "1"
            return document

        channel = CHANNELS["session"]
        faulty_channel = channel._replace(to_json=faulty)
        move = self.moves["private"]
        with (
            patch.dict(CHANNELS, session=faulty_channel),
            self.assertLogs("odoo.addons.frontpay_odoo", "ERROR") as log,
            self.assertRaises(UserError) as caught,
        ):
            move.action_frontpay_send()
        for text in (str(caught.exception), log.output[0]):
            self.assertIn("products.0.rate: required", text)
            self.assertIn("customerDetails.personalNumber: personal_number", text)
            self.assertNotIn(PERSONAL_NUMBER, text)
        self.assertIn("error in the Front Payment addon", str(caught.exception))
        self.assertIn(move.name, str(caught.exception))
        self.assertFalse(move.frontpay_order_ids)
        self.assertFalse(self.sandbox.requests())

    def test_a_rate_of_the_companys_agreement_breaks_no_rule(self):
        tax = self.tax(25).copy({"name": "11.11 %", "amount": 11.11})
        self.company.frontpay_tax_rates = "0,11.11,25"
        move = self.invoice(self.line(tax_ids=tax.ids))
        move.action_frontpay_send()
        # What the sandbox, which has no such agreement, says to it doesn't matter here.
        [request] = move.frontpay_order_id.exchange_ids
        self.assertIn('"tax": 11.11', request.request)
        self.assertEqual(self.sandbox.requests(), [f"POST {SENT['session'][0]}"])


def _paths(value, path=""):
    """The paths of all fields of a document, with ``*`` for every item of a list."""
    if isinstance(value, list):
        for item in value:
            yield from _paths(item, f"{path}.*")
        return
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        item_path = f"{path}.{name}".removeprefix(".")
        yield item_path
        yield from _paths(item, item_path)
