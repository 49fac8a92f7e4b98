"""What sending an invoice would do, in words."""

from datetime import UTC, datetime, timedelta

from odoo.tools.translate import LazyTranslate

from ..connect.channels import CHANNELS
from ..mapping.invoice import channel_of, e_invoice_note, terms_of
from ..mapping.problem import localized
from .local_time import local_day

_lt = LazyTranslate(__name__)

# What sending an invoice would do.
PLANS = {
    "session": _lt(
        "%(customer)s gets a link, confirms with BankID and is invoiced by Front"
        " Payment, due %(due)s, %(fee)s."
    ),
    "regular": _lt(
        "%(customer)s gets a link, confirms with BankID and is invoiced by Front"
        " Payment, due %(due)s."
    ),
    "invoice": _lt(
        "Front Payment invoices %(customer)s without confirmation, due %(due)s,"
        " %(fee)s."
    ),
    "efaktura": _lt("Goes as eFaktura to %(customer)s's bank, due %(due)s, %(fee)s."),
    "ehf": _lt("Goes as EHF to %(customer)s, due %(due)s, %(fee)s."),
    "payment_link": _lt(
        "Front Payment sends %(customer)s a link to pay, by e-mail or SMS."
    ),
}
FEES = {True: _lt("with invoice fee"), False: _lt("no invoice fee")}


def plan_of(move):
    """What sending an invoice would do.

    :param move: an ``account.move`` that may be sent
    :return: a sentence or two
    """
    name = channel_of(move)
    terms = terms_of(move, datetime.now(UTC))
    due = move.company_id._frontpay_day() + timedelta(days=terms.maturity)
    sentence = localized(move.env, PLANS[_kind(move, name)]) % {
        "customer": move.commercial_partner_id.name,
        "due": local_day(move.env, due),
        "fee": localized(move.env, FEES[terms.fee]),
    }
    return " ".join(filter(None, (sentence, e_invoice_note(move, name))))


def _kind(move, name):
    """:return: a key of :const:`PLANS`"""
    customer_type = move.commercial_partner_id.frontpay_customer_type
    is_confirmed = CHANNELS[name].is_confirmed_by(customer_type)
    # A company has nothing to confirm: its session is invoiced at once (question 5).
    return "invoice" if name == "session" and not is_confirmed else name
