"""A posted invoice becomes an order, or a list of what to correct first."""

from datetime import UTC, datetime

from odoo.tools.translate import LazyTranslate

from ..connect.channels import CHANNELS, CURRENCY, NORWAY
from ..connect.order import InvoiceTerms, Order
from ..connect.validation import is_complete_url, is_local_url, is_safe_url
from .customer import customer_of, customer_of_partner
from .lines import lowering_notes, products_of
from .problem import Problem, field_label, localized
from .remedy import settings_remedy

_lt = LazyTranslate(__name__)

SETTINGS = ("frontpay_api_token", "frontpay_callback_secret", "frontpay_journal_id")
# What makes the address useless at which Front Payment calls back.
PUBLIC_URL_RULES = (
    (
        _lt(
            "%(company)s: Front Payment can't reach Odoo at %(url)s, which isn't a"
            " complete address such as https://odoo.example.com."
        ),
        lambda _company, url: is_complete_url(url),
    ),
    (
        _lt(
            "%(company)s: Front Payment isn't allowed to reach Odoo at %(url)s, which"
            " doesn't begin with https://."
        ),
        lambda _company, url: not is_complete_url(url) or is_safe_url(url),
    ),
    (
        _lt(
            "%(company)s: Front Payment can't reach Odoo at %(url)s, which leads to"
            " this machine only and not to one on the internet."
        ),
        lambda company, url: (
            company.frontpay_environment != "production" or not is_local_url(url)
        ),
    ),
)
# Whom the channels reach that don't reach everybody.
REACH = {
    "regular": _lt("private customers only"),
    "efaktura": _lt("private customers only"),
    "ehf": _lt("organizations in Norway only"),
}
# The sentence, the same in two or three words, the field, and when it isn't so.
INVOICE_RULES = (
    (
        _lt("%(invoice)s is no customer invoice: only those can be sent."),
        _lt("no customer invoice"),
        "move_type",
        lambda move: move.move_type == "out_invoice",
    ),
    (
        _lt("%(invoice)s isn't posted yet: confirm it first."),
        _lt("not posted"),
        "state",
        lambda move: move.state == "posted",
    ),
    (
        _lt("%(invoice)s has no customer: choose one."),
        _lt("no customer"),
        "partner_id",
        lambda move: move.partner_id,
    ),
    (
        _lt(
            "%(invoice)s is in %(currency)s. Front Payment takes invoices in NOK only."
        ),
        _lt("not in NOK"),
        "currency_id",
        lambda move: move.currency_id.name == CURRENCY,
    ),
    (
        _lt("%(invoice)s has nothing to pay: its total is 0."),
        _lt("nothing to pay"),
        "amount_total",
        lambda move: move.currency_id.compare_amounts(move.amount_total, 0) > 0,
    ),
    (
        _lt(
            "%(invoice)s is paid already, wholly or in part: Front Payment would claim"
            " the whole amount once more."
        ),
        _lt("paid already"),
        "payment_state",
        lambda move: move.payment_state in ("not_paid", False) or _is_lowered(move),
    ),
    (
        _lt(
            "%(invoice)s is just being paid online: a payment of its customer's is"
            " pending or authorized. Wait until it is confirmed, or cancel it first."
        ),
        _lt("just being paid online"),
        "transaction_ids",
        lambda move: not _has_open_transaction(move),
    ),
)
OPEN_TRANSACTION_STATES = ("pending", "authorized")


def _is_lowered(move):
    """Whether nothing was paid, and all that was credited is credited at Front Payment
    too."""
    credited = sum(lowering_notes(move).mapped("amount_total"))
    due = move.amount_total - credited
    is_open = move.currency_id.compare_amounts(move.amount_residual, due) == 0
    return bool(credited) and is_open


def _has_open_transaction(move):
    """Whether the customer has begun to pay in the portal."""
    return any(
        transaction.state in OPEN_TRANSACTION_STATES
        for transaction in move.sudo().transaction_ids
    )


def order_of(move, channel_name, callbacks, reference):
    """Read an invoice.

    :param move: one ``account.move``
    :param channel_name: how the order is to reach the customer, a key of
        :const:`connect.channels.CHANNELS`
    :param callbacks: the order's :class:`CallbackAddresses`
    :param reference: what the order is called by us
    :return: (Order, list of :class:`Problem`). With problems, the order is None.
    """
    problems = [
        *setting_problems(move.company_id),
        *journal_problems(move.company_id),
        *public_url_problems(move.company_id),
        *_invoice_problems(move),
    ]
    if move.move_type != "out_invoice" or not move.partner_id:
        return None, problems
    products, summary, line_problems = products_of(move)
    customer, customer_problems, notes = customer_of(move, CHANNELS[channel_name])
    reached = move.commercial_partner_id
    problems += _channel_problems(reached, move.company_id, channel_name)
    problems += line_problems + customer_problems
    if problems:
        return None, problems
    ordered_at = datetime.now(UTC)
    order = Order(
        products=products,
        summary=summary,
        customer=customer,
        terms=terms_of(move, ordered_at),
        callbacks=callbacks,
        ordered_at=ordered_at,
        reference=reference,
        customer_reference=move.ref or "",
        notes=tuple(filter(None, [*notes, e_invoice_note(move, channel_name)])),
    )
    return order, []


def channel_of(move):
    """The channel by which an invoice goes: the customer's own, or the company's for
    such customers.

    :return: a key of :const:`connect.channels.CHANNELS`
    """
    return _channel_for(_customer(move), move.company_id)


def _channel_for(customer, company):
    is_corporate = customer.frontpay_customer_type == "corporate"
    usual = is_corporate and company.frontpay_corporate_channel
    return customer.frontpay_channel or usual or company.frontpay_channel


def customer_problems(contact, company):
    """What keeps every invoice to a customer from being sent.

    :param contact: the ``res.partner`` to whom invoices would go
    :param company: the ``res.company`` that invoices
    :rtype: list of :class:`Problem`
    """
    customer = contact.commercial_partner_id
    name = _channel_for(customer, company)
    needs_number = CHANNELS[name].needs_personal_number
    _customer, problems = customer_of_partner(contact, company, needs_number)
    return problems + _channel_problems(customer, company, name)


def e_invoice_note(move, channel_name):
    """What a business in Norway has to get from 2027 on, if this channel isn't it.

    Source: the duty of Norwegian businesses to send each other structured e-invoices,
    from 1 January 2027.

    :return: a sentence, or an empty string
    """
    customer = _customer(move)
    is_business = customer.frontpay_customer_type == "corporate"
    is_norwegian = customer.country_id.code == "NO"
    if not (is_business and is_norwegian) or CHANNELS[channel_name].is_e_invoice:
        return ""
    return move.env._(
        "From 1 January 2027, businesses in Norway send each other structured"
        " e-invoices. Choose EHF as channel on the customer."
    )


def _customer(move):
    """Whose agreement it is: the commercial partner as the invoice's company has it."""
    return move.commercial_partner_id.with_company(move.company_id)


def terms_of(move, ordered_at):
    """How the order is invoiced: as the customer has it, or as the company has.

    :param datetime ordered_at: when the order is sent, with a zone
    :rtype: InvoiceTerms
    """
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


def setting_problems(company):
    """What is missing in the company's Front Payment settings."""
    names = SETTINGS
    if company.frontpay_environment == "custom":
        names = ("frontpay_custom_url", *names)
    missing = [field_label(company, name) for name in names if not company.sudo()[name]]
    if not missing:
        return []
    message = company.env._(
        "%(company)s lacks these Front Payment settings: %(settings)s.",
        company=company.name,
        settings=", ".join(missing),
    )
    message = f"{message} {settings_remedy(company)}"
    return [Problem(company, message, brief=company.env._("not set up"))]


def journal_problems(company):
    """What keeps a payment from being registered: the journal may have changed since
    it was chosen."""
    name = "frontpay_journal_id"
    return [
        Problem(company, f"{sentence} {settings_remedy(company, name)}", field=name)
        for sentence in company.sudo()._frontpay_setting_problems([name])
    ]


def public_url_problems(company):
    """Why Front Payment's callbacks couldn't reach us."""
    url, name = company._frontpay_public_url(), "frontpay_public_url"
    values = {"company": company.name, "url": url}
    sentences = [
        localized(company.env, message) % values
        for message, is_good in PUBLIC_URL_RULES
        if not is_good(company, url)
    ]
    return [
        Problem(company, f"{sentence} {settings_remedy(company, name)}", field=name)
        for sentence in sentences
    ]


def _channel_problems(customer, company, name):
    """Whether the channel reaches such customers, and which ones do."""
    kind = (customer.frontpay_customer_type, customer.country_id.code)
    if CHANNELS[name].is_available_for(*kind):
        return []
    env = customer.env
    labels = dict(company._fields["frontpay_channel"]._description_selection(env))
    fitting = [
        labels[other]
        for other, channel in CHANNELS.items()
        if channel.is_available_for(*kind)
    ]
    message = env._(
        "%(customer)s can't be reached by the channel “%(channel)s”, which is for"
        " %(reach)s. Choose another one on the customer. These fit: %(channels)s.",
        customer=customer.name,
        channel=labels[name],
        reach=localized(env, REACH[name]),
        channels=", ".join(fitting),
    )
    brief = env._("not reached by this channel")
    return [Problem(customer, message, brief=brief)]


def _invoice_problems(move):
    """What is wrong with the invoice as a whole."""
    values = {"invoice": move.display_name, "currency": move.currency_id.name}
    return [
        Problem(
            move,
            localized(move.env, message) % values,
            field,
            localized(move.env, brief),
        )
        for message, brief, field, is_good in INVOICE_RULES
        if not is_good(move)
    ]
