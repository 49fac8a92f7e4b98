import base64
import binascii
from datetime import timedelta
from decimal import Decimal

from odoo import Command, fields, models
from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

from ..mapping.problem import localized
from ..models.frontpay_order import INVOICED_STATES
from ..tools import transaction, vat_report

_lt = LazyTranslate(__name__)

MAX_FAULTS = 20  # that are told; the rest is counted
REASONS = {
    "large": _lt("it is larger than 5 MB."),
    "lines": _lt("it has more than 50,000 lines."),
    "text": _lt("it is no CSV file. Download the report as CSV."),
    "empty": _lt("it is empty, or was refused before and isn't kept. Choose it anew."),
    "columns": _lt("line %(line)s has to name the columns. Missing: %(details)s."),
    "csv": _lt("line %(line)s: %(details)s."),
}
KINDS = [
    ("differs", "Differs"),
    ("unknown", "Unknown in Odoo"),
    ("missing", "Missing in the Report"),
    ("same", "Same Amount"),
]


class FrontpayVatReport(models.TransientModel):
    """Compare Front Payment's VAT report with Odoo, order by order.

    The file has names of customers, so it isn't kept, whether or not it can be read.
    """

    _name = "frontpay.vat.report"
    _description = "Front Payment: Compare VAT Report"

    file = fields.Binary(
        string="CSV File", attachment=False, help="Front Payment's VAT report."
    )
    filename = fields.Char(string="File Name")
    row_ids = fields.One2many(
        "frontpay.vat.report.row", inverse_name="report_id", string="Orders"
    )

    def action_compare(self):
        """Read the file, all of it or nothing, and show what it and Odoo have.

        :return: an action that lists the orders
        :raises UserError: the file can't be read; the sentence names the lines
        """
        self.ensure_one()
        self.check_access("write")
        entries = self._entries(self._take_file())
        self.row_ids = [
            Command.clear(),
            *map(Command.create, self._rows_of(entries)),
        ]
        return {
            "type": "ir.actions.act_window",
            "name": self.filename or self.env._("VAT Report"),
            "res_model": "frontpay.vat.report.row",
            "view_mode": "list",
            "domain": [("report_id", "=", self.id)],
        }

    def _take_file(self):
        """:return: the file as it was uploaded; committed, it is gone, whatever is said
        of it then"""
        if transaction.is_untouched(self.env, self._name):
            return transaction.run(self.env, self._pop_file)
        return self._pop_file()

    def _pop_file(self):
        file, self.file = self.file, False
        return file

    def _entries(self, file):
        """:return: list of ``vat_report.Entry``, at least one"""
        try:
            content = base64.b64decode(file or b"", validate=True)
            entries, faults = vat_report.read(content)
            if not entries and not faults:
                raise vat_report.Unreadable("empty")
        except binascii.Error:
            raise self._unreadable(vat_report.Unreadable("text")) from None
        except vat_report.Unreadable as error:
            raise self._unreadable(error) from error
        if faults:
            raise self._faulty(faults)
        return entries

    def _unreadable(self, error):
        reason = localized(self.env, REASONS[error.reason])
        return UserError(
            self.env._(
                "The VAT report can't be read: %s",
                reason % {"line": error.line, "details": error.details},
            )
        )

    def _faulty(self, faults):
        """:param faults: list of ``vat_report.Fault``"""
        sentences = [self._fault_sentence(fault) for fault in faults[:MAX_FAULTS]]
        if len(faults) > MAX_FAULTS:
            rest = len(faults) - MAX_FAULTS
            sentences.append(self.env._("and %s more.", rest))
        return UserError(
            "\n".join([self.env._("Nothing of the VAT report was read:"), *sentences])
        )

    def _fault_sentence(self, fault):
        if not fault.column:
            return self.env._(
                "Line %(line)s has %(count)s columns, not as many as the first line.",
                line=fault.line,
                count=fault.value,
            )
        return self.env._(
            "Line %(line)s: “%(value)s” isn't a valid %(column)s.",
            line=fault.line,
            value=fault.value,
            column=fault.column,
        )

    def _rows_of(self, entries):
        """The rows of a comparison.

        :return: yields values of rows
        """
        told = {}
        for entry in entries:
            told.setdefault(entry.order_uuid, []).append(entry)
        orders = {order.order_uuid: order for order in self._orders_in(told)}
        for order_uuid, lines in told.items():
            yield self._row(order_uuid, lines, orders.get(order_uuid))
        days = [entry.day for entry in entries]
        for order in self._orders_between(min(days), max(days)):
            if order.order_uuid not in told:
                yield {
                    "kind": "missing",
                    "order_uuid": order.order_uuid,
                    "order_id": order.id,
                    "amount_here": order.amount,
                }

    def _row(self, order_uuid, lines, order):
        there = sum((line.amount for line in lines), Decimal(0))
        values = {
            "order_uuid": order_uuid,
            "status": lines[-1].status,
            "day": min(line.day for line in lines),
            "amount_there": float(there),
        }
        if not order:
            return values | {"kind": "unknown"}
        here = self._amount_here(order, values["amount_there"])
        is_same = not order.currency_id.compare_amounts(here, values["amount_there"])
        return values | {
            "kind": "same" if is_same else "differs",
            "order_id": order.id,
            "amount_here": here,
        }

    def _amount_here(self, order, there):
        """The order's amount, or what refunds have left of it; whether the report has
        them isn't known."""
        left = order.currency_id.round(order.amount - order.refunded_amount)
        is_left = not order.currency_id.compare_amounts(left, there)
        return left if is_left else order.amount

    def _own_orders(self, *domain):
        company = self.env.company
        return self.env["frontpay.order"].search(
            [
                ("company_id", "=", company.id),
                ("base_url", "=", company.sudo()._frontpay_api_url()),
                *domain,
            ],
            order="sent_at, id",
        )

    def _orders_in(self, order_uuids):
        return self._own_orders(("order_uuid", "in", list(order_uuids)))

    def _orders_between(self, first, last):
        """Those that were invoiced, of these days where the company is."""
        day = timedelta(days=1)
        orders = self._own_orders(
            ("order_uuid", "!=", False),
            ("state", "in", tuple(INVOICED_STATES)),
            ("sent_at", ">=", first - day),
            ("sent_at", "<", last + 2 * day),
        )
        company = self.env.company
        return orders.filtered(
            lambda order: first <= company._frontpay_day(order.sent_at) <= last
        )


class FrontpayVatReportRow(models.TransientModel):
    """One order of the comparison."""

    _name = "frontpay.vat.report.row"
    _description = "Front Payment: Order in a VAT Report"
    _order = "kind, order_uuid"

    report_id = fields.Many2one(
        "frontpay.vat.report", required=True, readonly=True, ondelete="cascade"
    )
    kind = fields.Selection(KINDS, string="Comparison", required=True, readonly=True)
    order_uuid = fields.Char(string="Order Number", readonly=True)
    order_id = fields.Many2one("frontpay.order", readonly=True)
    move_id = fields.Many2one(related="order_id.move_id")
    partner_id = fields.Many2one(related="order_id.partner_id")
    day = fields.Date(string="Order Date", readonly=True)
    status = fields.Char(string="Status in the Report", readonly=True)
    amount_there = fields.Monetary(string="In the Report", readonly=True)
    amount_here = fields.Monetary(string="In Odoo", readonly=True)
    difference = fields.Monetary(compute="_compute_difference")
    currency_id = fields.Many2one(
        "res.currency", default=lambda self: self.env.company.currency_id
    )

    def _compute_difference(self):
        for row in self:
            row.difference = row.currency_id.round(row.amount_there - row.amount_here)

    def action_open_invoice(self):
        """Show the order's invoice."""
        return self.move_id._get_records_action()
