"""A posted invoice becomes an order, or a list of what has to be mended first."""

from datetime import UTC, datetime

from odoo.tools.translate import LazyTranslate

from ..connect.addresses import is_complete, is_local, is_safe
from ..connect.channels import CHANNELS, CURRENCY, NORWAY
from ..connect.order import InvoiceTerms, Order
from .customer import customer_of
from .lines import products_of
from .problem import Problem
from .words import in_words

_lt = LazyTranslate(__name__)

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
# What makes the address useless at which Front Payment reaches us.
PUBLIC_URL_RULES = (
    (
        _lt(
            "%(company)s: Odoo's address for Front Payment, %(url)s, isn't complete."
            " Enter one such as https://odoo.example.com under Invoicing /"
            " Configuration / Settings / Front Payment."
        ),
        lambda _company, url: is_complete(url),
    ),
    (
        _lt(
            "%(company)s: Odoo's address for Front Payment, %(url)s, doesn't begin with"
            " https://. Enter one that does under Invoicing / Configuration / Settings"
            " / Front Payment."
        ),
        lambda _company, url: not is_complete(url) or is_safe(url),
    ),
    (
        _lt(
            "%(company)s: Odoo's address for Front Payment, %(url)s, leads to this"
            " machine only, so no report of a payment would ever arrive. Enter the"
            " address on the internet under Invoicing / Configuration / Settings /"
            " Front Payment."
        ),
        lambda company, url: (
            company.frontpay_environment != "production" or not is_local(url)
        ),
    ),
)
# Whom the channels reach that don't reach everybody.
REACH = {
    "regular": _lt("private customers only"),
    "efaktura": _lt("private customers only"),
    "ehf": _lt("organisations in Norway only"),
}
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


def order_of(move, callbacks, reference=""):
    """Read an invoice.

    :param move: one ``account.move``
    :param callbacks: the order's :class:`CallbackAddresses`
    :param reference: what the order is called by us; without it, the invoice's name
    :return: (Order, list of :class:`Problem`). With problems, the order is None.
    """
    problems = [
        *_setting_problems(move.company_id),
        *_public_url_problems(move.company_id),
        *_invoice_problems(move),
    ]
    if not _is_mappable(move):
        return None, problems
    problems += _channel_problems(move)
    notes = []
    products, summary = products_of(move, problems)
    customer = customer_of(move, CHANNELS[channel_of(move)], problems, notes)
    if problems:
        return None, problems
    ordered_at = datetime.now(UTC)
    order = Order(
        products=products,
        summary=summary,
        customer=customer,
        terms=_terms(move, ordered_at),
        callbacks=callbacks,
        ordered_at=ordered_at,
        reference=reference or move.name,
        customer_reference=move.ref or "",
        notes=tuple(notes),
    )
    return order, []


def channel_of(move):
    """The channel by which an invoice goes: the customer's own, or the company's.

    :return: a key of :const:`connect.channels.CHANNELS`
    """
    return _customer(move).frontpay_channel or move.company_id.frontpay_channel


def _customer(move):
    """Whose agreement it is: the commercial partner as the invoice's company has it."""
    return move.commercial_partner_id.with_company(move.company_id)


def _terms(move, ordered_at):
    """How the order is invoiced: as the customer has it, or as the company has."""
    company = move.company_id
    customer = _customer(move)
    interval = customer.frontpay_invoice_interval or company.frontpay_invoice_interval
    separate = customer.frontpay_separate_invoices
    fee = customer.frontpay_invoice_fee
    # Front Payment counts the days by Norwegian clocks.
    today = ordered_at.astimezone(NORWAY).date()
    days = (move.invoice_date_due - today).days if move.invoice_date_due else 0
    return InvoiceTerms(
        interval=int(interval),
        separate=separate == "yes" if separate else company.frontpay_separate_invoices,
        fee=fee == "yes" if fee else company.frontpay_invoice_fee,
        maturity=max(days, company.frontpay_min_maturity),
        secure_details=company.frontpay_secure_details,
    )


def _is_mappable(move):
    return move.move_type == "out_invoice" and move.partner_id


def _setting_problems(company):
    """What is missing in the company's Front Payment settings."""
    env = company.env
    missing = [
        in_words(env, label) for label, is_set in SETTINGS if not is_set(company.sudo())
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


def _public_url_problems(company):
    """Why Front Payment couldn't report to us."""
    env = company.env
    place = {"company": company.name, "url": company._frontpay_public_url()}
    rules = ((in_words(env, message), is_good) for message, is_good in PUBLIC_URL_RULES)
    return [
        Problem(company, sentence % place)
        for sentence, is_good in rules
        if not is_good(company, place["url"])
    ]


def _channel_problems(move):
    """Whether the invoice's channel reaches such customers, and which ones do."""
    customer = move.commercial_partner_id
    kind = (customer.frontpay_customer_type, customer.country_id.code)
    name = channel_of(move)
    if CHANNELS[name].reaches(*kind):
        return []
    env = move.env
    labels = dict(
        move.company_id._fields["frontpay_channel"]._description_selection(env)
    )
    fitting = [
        labels[other] for other, channel in CHANNELS.items() if channel.reaches(*kind)
    ]
    message = env._(
        "%(customer)s can't be reached by the channel “%(channel)s”, which is for"
        " %(reach)s. Choose another one on the customer or in the Front Payment"
        " settings. These fit: %(channels)s.",
        customer=customer.name,
        channel=labels[name],
        reach=in_words(env, REACH[name]),
        channels=", ".join(fitting),
    )
    return [Problem(customer, message)]


def _invoice_problems(move):
    """What is wrong with the invoice as a whole."""
    place = {"invoice": move.display_name, "currency": move.currency_id.name}
    rules = (
        (in_words(move.env, message), is_good) for message, is_good in INVOICE_RULES
    )
    return [
        Problem(move, sentence % place)
        for sentence, is_good in rules
        if not is_good(move)
    ]
