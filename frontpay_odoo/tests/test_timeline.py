from datetime import date, datetime

from freezegun import freeze_time

from odoo import fields
from odoo.tests import Form, tagged

from odoo.addons.frontpay_odoo.connect.responses import OrderStatus
from odoo.addons.frontpay_odoo.tools.local_time import local_day

from .common import FrontpayCommon

URL = "https://bankid.example.com/1"
STEPS = (  # state, channel, address of the link, what the next step has
    ("queued", "session", False, "automatically"),
    ("unknown", "session", False, "Odoo looks for it"),
    ("failed", "session", False, "Send the invoice again"),
    ("sent", "session", URL, "Give them the link"),
    ("sent", "session", False, "Fetch a new link"),
    ("sent", "regular", URL, "Give them the link"),
    ("sent", "regular", False, "The customer confirms"),
    ("sent", "payment_link", False, "Front Payment has sent"),
    ("sent", "efaktura", False, "Front Payment invoices"),
    ("invoiced", "session", False, "pays Front Payment's invoice"),
    ("collection", "session", False, "Don't remind from Odoo"),
    ("expired", "session", False, "before the customer had confirmed"),
)
PLANS = (  # channel, fee, what the plan has
    ("session", False, ("Kari Prøvebruker", "BankID", "no invoice fee")),
    ("invoice", True, ("without confirmation", "with invoice fee")),
    ("efaktura", False, ("eFaktura to Kari Prøvebruker's bank", "due Dec 1,")),
    ("payment_link", False, ("a link to pay",)),
)


@tagged("post_install", "-at_install")
class TestTimeline(FrontpayCommon):
    def test_what_happened_is_told_in_its_order(self):
        order = self.order(self.invoice(), state="sending", order_uuid=False)
        for moment, status, number in (
            ("2026-11-20 08:00:00", "SENT", ""),
            ("2026-11-20 09:00:00", "INVOICED", "99900001"),
            ("2026-11-21 10:00:00", "PAID", "99900001"),
        ):
            with freeze_time(moment):
                order._assign_order_uuid("ODR1")
                day = datetime.fromisoformat(moment).date()
                order._apply_response(OrderStatus(status), number, day)
        with freeze_time("2026-12-31"):
            self.assertEqual(
                str(order.timeline),
                "handed over Nov 20, 8:00 AM"
                " · invoiced Nov 20, 9:00 AM (no. 99900001) · paid Nov 21",
            )
        order.invalidate_recordset()
        with freeze_time("2027-01-01"):
            self.assertIn("handed over Nov 20, 2026, 8:00 AM", order.timeline)
            self.assertIn("paid Nov 21, 2026", order.timeline)
        self.assertEqual(order.move_id.frontpay_timeline, order.timeline)
        self.assertFalse(order.move_id.frontpay_next_step)

    def test_what_happened_at_one_moment_is_told_in_its_order(self):
        """The database keeps the states by the length of their names."""
        order = self.order(self.invoice())
        names = ("refunded", "paid", "invoiced", "sent")
        order.state_times = dict.fromkeys(names, "2026-11-20 08:00:00")
        words = [event.split()[0] for event in order.timeline.split(" · ")]
        self.assertEqual(words, ["handed", "invoiced", "paid", "refunded"])

    def test_the_next_step_says_whose_turn_it_is(self):
        order = self.order(self.invoice())
        for state, channel, url, words in STEPS:
            with self.subTest(state=state, channel=channel, link=bool(url)):
                order.write(
                    {"state": state, "channel": channel, "verification_url": url}
                )
                self.assertIn(words, order.move_id.frontpay_next_step)

    def test_a_link_that_goes_out_by_itself_is_not_left_to_somebody(self):
        order = self.order(self.invoice(), verification_url=URL, is_link_due=True)
        self.assertIn("Odoo e-mails", order.next_step)
        order.state = "unknown"
        order.needs_decision = True
        self.assertIn("you have to say", order.next_step)

    def test_what_is_sent_anew_says_when_it_would_be_due(self):
        move = self.invoice(invoice_date_due="2026-01-01")
        for state in ("failed", "expired", "cancelled"):
            with self.subTest(state), self.undone(), freeze_time("2026-11-20"):
                step = self.order(move, state).move_id.frontpay_next_step
                self.assertIn("again", step)
                self.assertIn("due Nov 30", step)

    def test_an_invoice_tells_of_a_refund_under_way(self):
        for price, has_own_step in ((10, True), (100, False)):
            with self.subTest(price), self.undone():
                order = self.order(self.invoice(), "invoiced")
                note = self.refund(order, price=price).move_id
                step = order.move_id.frontpay_next_step
                self.assertIn(f"{note.name} over", step)
                self.assertIn("decides about the refund", step)
                self.assertEqual("The customer pays" in step, has_own_step)

    def test_what_a_credit_note_did_to_an_order_that_waited_is_told(self):
        for effect, told in (
            ("refund", ""),
            ("update", "lowered"),
            ("cancel", "ended"),
        ):
            with self.subTest(effect), self.undone():
                refund = self.refund(self.order(self.invoice()), "refunded")
                refund.effect = effect
                self.assertIn(told, refund.next_step or "")
                self.assertEqual(bool(refund.next_step), bool(told))

    def test_what_went_wrong_goes_before_the_next_step(self):
        order = self.order(self.invoice())
        self.assertEqual(order.to_do, order.next_step)
        order.state = "expired"
        self.assertIn("nobody collects it", order.to_do)
        order.link_error = "The customer didn't get the link."
        self.assertEqual(order.to_do, order.link_error)
        order.error = "Somebody has to look at it."
        self.assertEqual(order.to_do, order.error)

    @freeze_time("2026-11-21 12:00:00")
    def test_before_sending_the_invoice_says_what_will_happen(self):
        move = self.invoice()
        for channel, fee, words in PLANS:
            with self.subTest(channel=channel):
                self.company.frontpay_channel = channel
                self.company.frontpay_invoice_fee = fee
                move.invalidate_recordset()
                for word in words:
                    self.assertIn(word, move.frontpay_next_step)

    @freeze_time("2026-11-21 12:00:00")
    def test_times_are_those_of_who_reads(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        order = self.order(self.invoice())
        order.state_times = {"sent": "2026-11-20 23:30:00"}
        for lang, zone, words in (
            ("en_US", "UTC", "Nov 20, 11:30 PM"),
            ("en_US", "Europe/Oslo", "Nov 21, 12:30 AM"),
            ("nb_NO", "Europe/Oslo", "21. nov., 00:30"),
        ):
            with self.subTest(lang=lang, zone=zone):
                reader = order.with_context(lang=lang, tz=zone)
                reader.invalidate_recordset()
                self.assertIn(words, reader.timeline)

    @freeze_time("2026-11-21 12:00:00")
    @freeze_time("2026-11-03")
    def test_a_day_of_another_year_has_its_year(self):
        for day, told in (
            (date(2026, 1, 31), "Jan 31"),
            (date(2025, 12, 31), "Dec 31, 2025"),
            (date(2027, 1, 1), "Jan 1, 2027"),
        ):
            with self.subTest(told):
                self.assertEqual(local_day(self.env, day), told)

    def test_whether_the_customer_has_the_link_is_told(self):
        order = self.order(self.invoice(), verification_url=URL)
        order.link_emailed_at = "2026-11-21 10:00:00"
        self.assertIn("link e-mailed Nov 21, 10:00 AM", order.timeline)
        self.assertIn("has the link by e-mail", order.next_step)
        order.link_error = "Nobody there."
        self.assertIn("E-mail the link again", order.next_step)

    def test_an_invoice_that_nobody_collects_says_so(self):
        order = self.order(self.invoice())
        move = order.move_id
        self.assertNotIn("frontpay_uncollected", move._get_alerts())
        for state in ("expired", "cancelled"):
            with self.subTest(state):
                order.write({"state": state, "cancel_reason": False})
                alert = move._get_alerts()["frontpay_uncollected"]["message"]
                self.assertIn("nobody collects it", alert)
                self.assertIn("rder ODR1", alert)
        order.cancel_reason = "Ordered by mistake"
        self.assertNotIn("frontpay_uncollected", move._get_alerts())

    def test_a_company_has_nothing_to_confirm(self):
        move = self.invoice(customer=self.corporate)
        self.assertIn("without confirmation", move.frontpay_next_step)
        self.order(move)
        self.assertIn("Front Payment invoices", move.frontpay_next_step)

    def test_a_bill_has_no_next_step(self):
        bill = self.invoice(move_type="in_invoice")
        self.assertFalse(bill.frontpay_next_step)
        self.assertFalse(bill.frontpay_environment)
        self.assertFalse(bill.frontpay_is_ready)

    def test_a_draft_says_whether_it_is_ready_and_what_will_happen(self):
        draft = self.invoice(post=False)
        self.assertEqual(self.readiness(draft), (True, "", ""))
        self.assertIn("gets a link", draft.frontpay_next_step)
        self.assertFalse(draft.frontpay_can_send)

    def test_a_draft_says_what_is_missing_and_what_is_to_be_corrected(self):
        draft = self.invoice(post=False)
        euro = self.env.ref("base.EUR")
        for change, missing, obstacles in (
            (lambda: self.private.write({"email": False}), "E-mail address", ""),
            (
                lambda: self.private.write({"zip": False}),
                "E-mail address, ZIP code",
                "",
            ),
            (
                lambda: draft.write({"currency_id": euro.id}),
                "E-mail address, ZIP code",
                "not in NOK",
            ),
        ):
            with self.subTest(missing=missing, obstacles=obstacles):
                change()
                draft.invalidate_recordset()
                self.assertEqual(self.readiness(draft), (False, missing, obstacles))

    def test_a_draft_opens_whatever_is_typed_so_far(self):
        huge = self.line(price=10**9, quantity=10**3)
        for lines in (
            [self.line(price=0)],
            [self.line(price=-100)],
            [self.line(quantity=0)],
            [self.line(discount=100)],
            [self.line(discount=150)],
            [self.line(name=False)],
            [self.line(name="\n")],
            [{"display_type": "line_section", "name": "Only a heading"}],
            [{"name": "Without VAT", "price_unit": 33.333}],
            [self.line(rate=12), self.line(price=-300)],
            [huge],
        ):
            with self.subTest(lines):
                draft = self.invoice(*lines, post=False, invoice_date=False)
                self.readiness(draft)
                self.assertTrue(draft.frontpay_next_step)
        nobody = self.invoice(post=False)
        nobody.partner_id = False
        self.assertEqual(self.readiness(nobody), (False, "", ""))

    def test_nothing_is_said_of_a_draft_that_nobody_could_send(self):
        draft = self.invoice(post=False)
        self.company.frontpay_api_token = False
        draft.invalidate_recordset()
        self.assertEqual(self.readiness(draft), (False, "", ""))
        self.assertFalse(draft.frontpay_next_step)

    def test_an_invoice_that_is_typed_just_now_opens(self):
        invoices = self.env["account.move"].with_context(
            default_move_type="out_invoice"
        )
        with Form(invoices) as form:
            self.assertFalse(form.frontpay_is_ready)
            form.partner_id = self.private
        self.assertFalse(form.record.frontpay_is_ready)
        self.assertIn("nothing to pay", form.record.frontpay_obstacles)

    def readiness(self, move):
        return move.frontpay_is_ready, move.frontpay_missing, move.frontpay_obstacles

    def test_the_environment_is_the_orders_else_the_settings(self):
        move = self.invoice()
        self.company.frontpay_environment = "demo"
        self.assertEqual(move.frontpay_environment, "demo")
        self.order(move)
        self.company.frontpay_environment = "production"
        self.assertEqual(move.frontpay_environment, "demo")

    def test_a_business_without_an_e_invoice_is_told_before_sending(self):
        for channel, country, is_told in (
            ("session", "base.no", True),
            ("session", "base.se", False),
            ("ehf", "base.no", False),
            ("invoice", "base.no", False),
        ):
            with self.subTest(channel=channel, country=country):
                self.corporate.country_id = self.env.ref(country)
                self.company.frontpay_corporate_channel = channel
                move = self.invoice(customer=self.corporate)
                told = "structured e-invoices" in move.frontpay_next_step
                self.assertEqual(told, is_told)
        private = self.invoice()
        self.assertNotIn("structured", private.frontpay_next_step)

    def test_the_note_about_e_invoices_stays_with_the_invoice(self):
        move = self.invoice(customer=self.corporate)
        order, problems = self.env["frontpay.order"]._prepare(
            move, self.env["frontpay.order"]._plan(move)
        )
        self.assertFalse(problems)
        self.assertIn("structured e-invoices", "".join(order.notes))

    def test_when_it_came_to_a_state_is_kept(self):
        order = self.order(self.invoice(), state="sending", order_uuid=False)
        before = fields.Datetime.now()
        order._assign_order_uuid("ODR1")
        self.assertGreaterEqual(
            fields.Datetime.to_datetime(order.state_times["sent"]), before
        )
