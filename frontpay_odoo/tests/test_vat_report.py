import base64
import random
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from unittest.mock import patch

import requests

from odoo.exceptions import UserError
from odoo.tests import BaseCase, tagged

from odoo.addons.frontpay_odoo.tools import transaction, vat_report
from odoo.addons.frontpay_odoo.tools.vat_report import COLUMNS, Fault, Unreadable

from .common import FrontpayCommon, SandboxCase

AMOUNTS = {
    "125": "125",
    "125,5": "125.5",
    "125.50": "125.50",
    "1 234,50": "1234.50",
    "1\N{NO-BREAK SPACE}234,50": "1234.50",
    "1.234,50": "1234.50",
    "1,234,567.89": "1234567.89",
    "kr 99,00": "99.00",
    "NOK -99": "-99",
    "\N{MINUS SIGN}99,00": "-99.00",
    # Not clear, or no amount.
    "1.234": None,
    "1,234": None,
    "12,34,56": None,
    "1e5": None,
    "٣": None,
    "": None,
    "-": None,
    "nan": None,
    "9" * 13: None,
}
DAYS = {
    "2026-11-21": date(2026, 11, 21),
    "2026-11-21 04:00:05": date(2026, 11, 21),
    "21.11.2026": date(2026, 11, 21),
    "21.11.2026 04:00": date(2026, 11, 21),
    "07 Apr, 2024": date(2024, 4, 7),
    "1755150488": date(2025, 8, 14),
    "31.02.2026": None,
    "31.12.9999": None,
    "01.01.0001": None,
    "11/21/2026": None,
    "": None,
    "yesterday": None,
}
ROW = {
    "Status": "PAID",
    "Order id": "ODR1",
    "Order date": "21.11.2026",
    "Due date": "05.12.2026",
    "Customer": "Kåre Prøvebruker",
    "Customer id": "CSRT1",
    "Account": "3000",
    "Amount with VAT": "125,00",
    "VAT %": "25",
    "VAT code": "3",
    "Payment type": "Invoice",
    "Description": "Router",
    "Product number": "R_1",
    "Credit check": "No",
}
# Whole files that are none, and why.
UNREADABLE = {
    "nothing": (b"", "empty"),
    "blank lines": (b"\n \n;;;\n", "empty"),
    "a spreadsheet": (b"PK\x03\x04\0\0", "text"),
    "too much": (b"x" * (vat_report.MAX_BYTES + 1), "large"),
    "something else": (b"Name;Amount\nKari;5\n", "columns"),
    "no line with titles": (b"PAID;ODR1;21.11.2026\n", "columns"),
}


def csv_of(*rows, delimiter=";", encoding="utf-8", titles=None):
    """A file as it is downloaded.

    :param rows: what differs from :const:`ROW` in each
    """
    titles = titles or list(ROW)
    lines = [delimiter.join(f'"{title}"' for title in titles)]
    for changes in rows:
        values = ROW | changes
        lines.append(delimiter.join(f'"{values[title]}"' for title in titles))
    return "\r\n".join(lines).encode(encoding)


class TestReading(BaseCase):
    def test_amounts(self):
        for text, amount in AMOUNTS.items():
            with self.subTest(text):
                expected = amount and Decimal(amount)
                self.assertEqual(vat_report.amount_of(text), expected)

    def test_days(self):
        for text, day in DAYS.items():
            with self.subTest(text):
                self.assertEqual(vat_report.day_of(text), day)

    def test_the_file_is_read_however_it_was_saved(self):
        names = list(ROW)
        for name, content in {
            "semicolons": csv_of({}, {}),
            "commas": csv_of({}, {}, delimiter=","),
            "a byte order mark": csv_of({}, {}, encoding="utf-8-sig"),
            "Latin-1": csv_of({}, {}, encoding="latin-1"),
            "another order": csv_of({}, {}, titles=names[::-1]),
            "blank lines": csv_of({}, {}).replace(b"\r\n", b"\r\n\r\n;;\r\n"),
            "other capitals": csv_of({}, {}).replace(b"Order id", b"ORDER-ID"),
            "a column more": csv_of({}, {}).replace(b"\r\n", b";x\r\n") + b";x",
        }.items():
            with self.subTest(name):
                entries, faults = vat_report.read(content)
                self.assertFalse(faults)
                told = [(each.order_uuid, each.day, each.amount) for each in entries]
                one = ("ODR1", date(2026, 11, 21), Decimal("125.00"))
                self.assertEqual(told, [one, one])

    def test_what_is_no_report_is_refused_as_a_whole(self):
        for name, (content, reason) in UNREADABLE.items():
            with self.subTest(name), self.assertRaises(Unreadable) as caught:
                vat_report.read(content)
            self.assertEqual(caught.exception.reason, reason)
        with self.assertRaises(Unreadable) as caught:
            vat_report.read(csv_of({}) + b'\r\n"PAID')
        self.assertEqual((caught.exception.reason, caught.exception.line), ("csv", 3))
        with self.assertRaises(Unreadable) as caught:
            vat_report.read(csv_of({}) + b"\r\n" * vat_report.MAX_LINES + b"x")
        self.assertEqual(caught.exception.reason, "lines")

    def test_every_line_is_checked(self):
        for column, value in (
            ("Order id", ""),
            ("Order id", "ODR 1"),
            ("Order date", ""),
            ("Order date", "soon"),
            ("Due date", "soon"),
            ("Amount with VAT", ""),
            ("Amount with VAT", "much"),
            ("VAT %", "101"),
            ("VAT %", "-1"),
            ("VAT %", "some"),
        ):
            with self.subTest(column, value=value):
                entries, faults = vat_report.read(csv_of({}, {column: value}, {}))
                self.assertEqual(faults, [Fault(3, column, value)])
                self.assertEqual(len(entries), 2)
        for column in ("Status", "Due date", "Customer", "VAT %", "Description"):
            with self.subTest(column, value=""):
                self.assertFalse(vat_report.read(csv_of({column: ""}))[1])
        short = csv_of({}) + b"\r\nPAID;ODR1"
        self.assertEqual(vat_report.read(short)[1], [Fault(3, "", "2")])

    def test_every_column_of_the_report_is_known(self):
        self.assertEqual(list(COLUMNS.values()), list(ROW))

    def test_no_bytes_bring_it_down(self):
        chance = random.Random(25)
        good = csv_of(*[{}] * 5)
        for _case in range(2000):
            broken = bytearray(good)
            for _each in range(chance.randint(1, 20)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            try:
                vat_report.read(bytes(broken))
            except Unreadable as error:
                self.assertTrue(error.reason)


@tagged("post_install", "-at_install", "frontpay")
class TestVatReport(FrontpayCommon):
    def compare(self, content):
        """:return: {order number: (kind, in the report, in Odoo)}"""
        report = self.env["frontpay.vat.report"].create(
            {"file": base64.b64encode(content), "filename": "vat.csv"}
        )
        action = report.action_compare()
        self.assertFalse(report.file)
        rows = self.env[action["res_model"]].search(action["domain"])
        return {
            row.order_uuid: (row.kind, row.amount_there, row.amount_here)
            for row in rows
        }

    def sent(self, number, state="paid", sent_at=datetime(2026, 11, 21, 9), **values):
        return self.order(
            self.invoice(),
            state,
            order_uuid=f"ODR{number}",
            token=f"Path-token_of_an_order-{number:09}",
            sent_at=sent_at,
            **values,
        )

    def test_each_order_is_compared(self):
        self.sent(1)
        self.sent(2)
        self.sent(3, "invoiced")
        content = csv_of(
            {"Amount with VAT": "100,00"},
            {"Amount with VAT": "25,00"},
            {"Order id": "odr2", "Amount with VAT": "124,99"},
            {"Order id": "ODR9"},
        )
        self.assertEqual(
            self.compare(content),
            {
                "ODR1": ("same", 125, 125),
                "ODR2": ("differs", 124.99, 125),
                "ODR9": ("unknown", 125, 0),
                "ODR3": ("missing", 0, 125),
            },
        )

    def test_what_was_refunded_may_be_taken_off_or_not(self):
        for number, amount, kind in ((1, "125", "same"), (2, "95", "same")):
            self.sent(number, "partially_refunded", refunded_amount=30)
            row = {"Order id": f"ODR{number}", "Amount with VAT": amount}
            self.assertEqual(self.compare(csv_of(row))[f"ODR{number}"][0], kind)

    def test_missing_are_only_invoices_of_these_days(self):
        """By the day where the company is."""
        company = self.company._frontpay_destination()
        for number, state, sent_at, values in (
            (1, "paid", datetime(2026, 11, 20, 22, 59), {}),
            (2, "paid", datetime(2026, 11, 20, 23, 1), {}),
            (3, "paid", datetime(2026, 11, 21, 22, 59), {}),
            (4, "paid", datetime(2026, 11, 21, 23, 1), {}),
            (5, "sent", datetime(2026, 11, 21, 12), {}),
            (6, "cancelled", datetime(2026, 11, 21, 12), {}),
            (7, "paid", datetime(2026, 11, 21, 12), {"base_url": "https://x.example/"}),
        ):
            self.sent(number, state, sent_at, **(company | values))
        told = self.compare(csv_of({"Order id": "ODR9"}))
        self.assertEqual(set(told), {"ODR9", "ODR2", "ODR3"})

    def test_orders_of_other_companies_and_systems_are_unknown(self):
        self.sent(1)
        other = self.setup_other_company(name="Elvenett Prøve AS")["company"]
        self.sent(2, base_url="https://demo.example.com/")
        for company, number in ((other, "ODR1"), (self.company, "ODR2")):
            both = (company + other + self.company).ids  # are active
            reports = self.env["frontpay.vat.report"].with_context(
                allowed_company_ids=list(dict.fromkeys(both))
            )
            report = reports.create(
                {"file": base64.b64encode(csv_of({"Order id": number}))}
            )
            report.action_compare()
            [row] = report.row_ids.filtered(
                lambda row, uuid=number: row.order_uuid == uuid
            )
            with self.subTest(number):
                self.assertEqual(row.kind, "unknown")
                self.assertFalse(row.order_id)

    def test_a_bad_line_is_told_and_nothing_is_read(self):
        bad = csv_of({}, {"Amount with VAT": "much"}, {"Order date": "soon"})
        report = self.env["frontpay.vat.report"].create({"file": base64.b64encode(bad)})
        with self.assertRaises(UserError) as caught:
            report.action_compare()
        sentence = str(caught.exception)
        for words in (
            "Nothing of the VAT report was read",
            "Line 3: “much” isn't a valid Amount with VAT.",
            "Line 4: “soon” isn't a valid Order date.",
        ):
            self.assertIn(words, sentence)
        self.assertFalse(report.row_ids)
        many = csv_of(*[{"Order id": ""}] * 50)
        report.file = base64.b64encode(many)
        with self.assertRaisesRegex(UserError, "and 30 more"):
            report.action_compare()

    def test_what_is_no_report_is_told(self):
        for name, (content, _reason) in UNREADABLE.items():
            if name == "too much":
                continue
            report = self.env["frontpay.vat.report"].create(
                {"file": base64.b64encode(content)}
            )
            with (
                self.subTest(name),
                self.assertRaisesRegex(UserError, "The VAT report can't be read: "),
            ):
                report.action_compare()

    def test_a_refused_file_is_not_kept_either(self):
        for content in (csv_of({"Amount with VAT": "much"}), b"\0"):
            report = self.env["frontpay.vat.report"].create(
                {"file": base64.b64encode(content)}
            )
            # Not assertRaises, which takes back what was written.
            with self.subTest(content), suppress(UserError):
                report.action_compare()
                self.fail("it was read")
            self.assertFalse(report.file)

    def test_an_error_does_not_take_the_erasing_back(self):
        """It is committed on its own, where nothing else would be with it."""
        report = self.env["frontpay.vat.report"].create({"file": b"AA=="})
        with (
            patch.object(transaction, "is_untouched", return_value=True),
            patch.object(transaction, "run", return_value=b"AA==") as run,
            self.assertRaises(UserError),
        ):
            report.action_compare()
        run.assert_called_once_with(report.env, report._pop_file)

    def test_in_the_middle_of_other_changes_nothing_is_committed(self):
        report = self.env["frontpay.vat.report"].create({"file": b"AA=="})
        with (
            patch.object(transaction, "is_untouched", return_value=False),
            patch.object(transaction, "run") as run,
            self.assertRaises(UserError),
        ):
            report.action_compare()
        run.assert_not_called()

    def test_no_name_is_kept(self):
        self.sent(1)
        report = self.env["frontpay.vat.report"].create(
            {"file": base64.b64encode(csv_of({}))}
        )
        report.action_compare()
        self.assertNotIn("Kåre", str(report.row_ids.read()))

    def test_an_order_leads_to_its_invoice(self):
        order = self.sent(1)
        report = self.env["frontpay.vat.report"].create(
            {"file": base64.b64encode(csv_of({}))}
        )
        report.action_compare()
        shown = report.row_ids.action_open_invoice()
        self.assertEqual(shown["res_id"], order.move_id.id)


@tagged("post_install", "-at_install", "frontpay")
class TestVatReportOfTheSandbox(SandboxCase):
    def test_what_front_payment_has_is_what_odoo_has(self):
        """Until something is different there."""
        moves = self.invoice() + self.invoice(self.line(80), self.line(33.33, rate=15))
        moves.action_frontpay_send()
        for move in moves:
            self.sandbox.act(move.frontpay_order_uuid, "pay")
        moves.action_frontpay_refresh()
        self.assertEqual(self._kinds(), ["same", "same"])
        self.sandbox.act(moves[0].frontpay_order_uuid, "refund")
        self.assertEqual(self._kinds(), ["differs", "same"])
        moves.action_frontpay_refresh()
        self.assertEqual(self._kinds(), ["same", "same"])

    def _kinds(self):
        answer = requests.get(f"{self.sandbox.url}/payouts/vat.csv", timeout=10)
        report = self.env["frontpay.vat.report"].create(
            {"file": base64.b64encode(answer.content)}
        )
        report.action_compare()
        return report.row_ids.mapped("kind")
