"""A posted invoice becomes an order, or a list of what has to be mended first."""

from datetime import UTC, datetime

from odoo import fields
from odoo.tools.translate import LazyTranslate

from ..connect.order import InvoiceTerms, Order
from .customer import customer_of
from .lines import products_of
from .problem import Problem

_lt = LazyTranslate(__name__)

CURRENCY = "NOK"  # section 3.3: no other currency is documented
SETTINGS = (
    (
        _lt("Address"),
        lambda company: (
            company.frontpay_environment != "custom" or company.frontpay_custom_url
        ),
    ),
    (_lt("Token"), lambda company: company.frontpay_api_token),
    (_lt("Callback secret"), lambda company: company.frontpay_callback_secret),
    (_lt("Journal"), lambda company: company.frontpay_journal_id),
)
INVOICE_RULES = (
    (
        _lt("%(invoice)s is no customer invoice: only those can be sent."),
        lambda move: move.move_type == "out_invoice",
    ),
    (
        _lt("%(invoice)s isn't posted yet: confirm it first."),
        lambda move: move.state == "posted",
    ),
    (
        _lt("%(invoice)s has no customer: choose one."),
        lambda move: move.partner_id,
    ),
    (
        _lt(
            "%(invoice)s is in %(currency)s. Front Payment takes invoices in NOK only."
        ),
        lambda move: move.currency_id.name == CURRENCY,
    ),
    (
        _lt("%(invoice)s has nothing to pay: its total is 0."),
        lambda move: move.currency_id.compare_amounts(move.amount_total, 0) > 0,
    ),
    (
        _lt(
            "%(invoice)s is paid already, wholly or in part: Front Payment would claim"
            " the whole amount once more."
        ),
        lambda move: move.payment_state in ("not_paid", False),
    ),
)


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
    env = company.env
    missing = [
        str(env._(label)) for label, is_set in SETTINGS if not is_set(company.sudo())
    ]
    if not missing:
        return []
    message = env._(
        "%(company)s lacks these Front Payment settings: %(settings)s. Fill them in"
        " under Invoicing / Configuration / Settings / Front Payment.",
        company=company.name,
        settings=", ".join(missing),
    )
    return [Problem(company, message)]


def _invoice_problems(move):
    """What is wrong with the invoice as a whole."""
    place = {"invoice": move.display_name, "currency": move.currency_id.name}
    rules = ((move.env._(message), is_good) for message, is_good in INVOICE_RULES)
    return [
        Problem(move, sentence % place)
        for sentence, is_good in rules
        if not is_good(move)
    ]
