"""A posted invoice becomes an order, or a list of what has to be mended first."""

from datetime import UTC, datetime

from odoo import fields
from odoo.tools import float_compare

from ..connect.order import InvoiceTerms, Order
from .customer import customer_of
from .lines import products_of
from .problem import Problem

CURRENCY = "NOK"  # section 3.3: no other currency is documented


def order_of(move, callbacks):
    """Read an invoice.

    :param move: one ``account.move``
    :param callbacks: the order's :class:`CallbackAddresses`
    :return: (Order, list of :class:`Problem`). With problems, the order is None.
    """
    problems = [*_setting_problems(move.company_id), *_invoice_problems(move)]
    if not _is_mappable(move):
        return None, problems
    products, summary = products_of(move, problems)
    customer = customer_of(move, problems)
    if problems:
        return None, problems
    order = Order(
        products=products,
        summary=summary,
        customer=customer,
        terms=_terms(move),
        callbacks=callbacks,
        ordered_at=datetime.now(UTC),
        reference=move.name,
        customer_reference=move.ref or "",
    )
    return order, []


def _terms(move):
    company = move.company_id
    today = fields.Date.context_today(move)
    days = (move.invoice_date_due - today).days if move.invoice_date_due else 0
    return InvoiceTerms(
        interval=int(company.frontpay_invoice_interval),
        separate=company.frontpay_separate_invoices,
        fee=company.frontpay_invoice_fee,
        maturity=max(days, company.frontpay_min_maturity),
        secure_details=company.frontpay_secure_details,
    )


def _is_mappable(move):
    return move.move_type == "out_invoice" and move.partner_id


def _setting_problems(company):
    """What is missing in the company's Front Payment settings."""
    _ = company.env._
    secret_settings = company.sudo()
    has_address = (
        company.frontpay_environment != "custom" or company.frontpay_custom_url
    )
    missing = [
        label
        for label, value in (
            (_("Address"), has_address),
            (_("API token"), secret_settings.frontpay_api_token),
            (_("Callback secret"), secret_settings.frontpay_callback_secret),
            (_("Front Payment journal"), company.frontpay_journal_id),
        )
        if not value
    ]
    if not missing:
        return []
    return [
        Problem(
            company,
            _(
                "%(company)s lacks these Front Payment settings: %(settings)s. Fill"
                " them in under Invoicing / Configuration / Settings / Front Payment.",
                company=company.name,
                settings=", ".join(missing),
            ),
        )
    ]


def _invoice_problems(move):
    """What is wrong with the invoice as a whole."""
    _ = move.env._
    place = {"invoice": move.display_name}
    checks = (
        (
            move.move_type == "out_invoice",
            _("%(invoice)s is no customer invoice: only those can be sent.", **place),
        ),
        (
            move.state == "posted",
            _("%(invoice)s isn't posted yet: confirm it first.", **place),
        ),
        (
            move.partner_id,
            _("%(invoice)s has no customer: choose one.", **place),
        ),
        (
            move.currency_id.name == CURRENCY,
            _(
                "%(invoice)s is in %(currency)s. Front Payment takes invoices in NOK"
                " only.",
                **place,
                currency=move.currency_id.name,
            ),
        ),
        (
            float_compare(
                move.amount_total,
                0,
                precision_rounding=move.currency_id.rounding or 0.01,
            )
            > 0,
            _("%(invoice)s has nothing to pay: its total is 0.", **place),
        ),
        (
            move.payment_state in ("not_paid", False),
            _(
                "%(invoice)s is paid already, wholly or in part: Front Payment would"
                " claim the whole amount once more.",
                **place,
            ),
        ),
    )
    return [Problem(move, message) for good, message in checks if not good]
