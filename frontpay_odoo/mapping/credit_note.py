"""A posted credit note becomes a refund, or a list of what to correct first."""

from itertools import islice

from odoo.tools.translate import LazyTranslate

from ..connect.channels import CURRENCY
from ..connect.refund import DoesNotFit, Refund, allocated
from .invoice import journal_problems, setting_problems
from .lines import products_of
from .negative_lines import decimal
from .problem import Problem, localized
from .remedy import settings_remedy

_lt = LazyTranslate(__name__)

NOT_THERE_STATES = (False, "queued", "failed", "cancelled", "expired")
IN_DOUBT_STATES = ("sending", "unknown")


def _counterparts(note):
    """What a credit note is set off against, or paid by."""
    lines = note.line_ids.matched_debit_ids.debit_move_id
    return lines.move_id


def _is_open(note):
    return (
        note.currency_id.compare_amounts(note.amount_residual, note.amount_total) == 0
    )


def _is_paid_back(note):
    """Whether somebody has paid it back already, where payments have no entry."""
    return any(
        payment.state in ("in_process", "paid") for payment in note.matched_payment_ids
    )


# The sentence, and when it isn't so, of the credit note and its invoice's order.
NOTE_RULES = (
    (
        _lt("%(note)s isn't posted yet: confirm it first."),
        lambda note, _order: note.state == "posted",
    ),
    (
        _lt(
            "%(note)s names no invoice that it credits. Make the credit note from the"
            " invoice that was sent to Front Payment."
        ),
        lambda note, _order: note.reversed_entry_id.move_type == "out_invoice",
    ),
    (
        _lt(
            "%(note)s is in %(currency)s. Front Payment refunds in NOK only, and in the"
            " invoice's currency."
        ),
        lambda note, _order: (
            note.currency_id.name == CURRENCY
            and note.reversed_entry_id.currency_id in (note.currency_id, False)
        ),
    ),
    (
        _lt("%(note)s has nothing to refund: its total is 0."),
        lambda note, _order: note.currency_id.compare_amounts(note.amount_total, 0) > 0,
    ),
    (
        _lt("%(note)s has another customer than %(invoice)s, which it credits."),
        lambda note, _order: (
            note.commercial_partner_id == note.reversed_entry_id.commercial_partner_id
        ),
    ),
    (
        _lt("%(invoice)s isn't at Front Payment, so nothing can be refunded there."),
        lambda _note, order: order.state not in NOT_THERE_STATES,
    ),
    (
        _lt(
            "Nobody knows yet what became of %(invoice)s at Front Payment. Choose"
            " “Check Outcome” on the invoice first."
        ),
        lambda _note, order: order.state not in IN_DOUBT_STATES and order.order_uuid,
    ),
    (
        _lt(
            "%(invoice)s is at %(url)s, and the settings lead to another environment"
            " now. To have %(note)s refunded, the former one has to be chosen:"
            " %(remedy)s"
        ),
        lambda _note, order: order._is_of_this_environment(),
    ),
    (
        _lt(
            "%(note)s is set off against other invoices than %(invoice)s, or paid back"
            " already. Undo that first."
        ),
        lambda note, _order: (
            _counterparts(note) <= note.reversed_entry_id and not _is_paid_back(note)
        ),
    ),
    (
        _lt(
            "%(note)s is set off against %(invoice)s in part only. Make one credit note"
            " for what is open on the invoice, and one for what was paid."
        ),
        lambda note, _order: (
            _is_open(note) or note.currency_id.is_zero(note.amount_residual)
        ),
    ),
    (
        _lt(
            "The customer hasn't paid %(invoice)s, and %(note)s isn't set off against"
            " it. Add it to the invoice under its outstanding credits first."
        ),
        lambda note, order: not _is_open(note) or order._counts_as_received(),
    ),
)


def note_problems(note, order):
    """What keeps a credit note from being handed over, whatever Front Payment says.

    :param note: one ``account.move``
    :param order: its invoice's ``frontpay.order``, or none
    :return: list of :class:`Problem`: the first thing to correct, and the settings
    """
    values = {
        "note": note.display_name,
        "invoice": note.reversed_entry_id.display_name,
        "currency": note.currency_id.name,
        "url": order.base_url,
    }
    company = note.company_id
    # Each rule relies on those before it.
    broken = (message for message, is_good in NOTE_RULES if not is_good(note, order))
    first = []
    for text in islice(broken, 1):
        values["remedy"] = settings_remedy(company, "frontpay_environment")
        first.append(Problem(note, localized(note.env, text) % values))
    return [*setting_problems(company), *journal_problems(company), *first]


def refund_of(note, refund_type, lines, used):
    """Read a credit note.

    :param note: one ``account.move`` that :func:`note_problems` has nothing against
    :param refund_type: ``invoiced`` or ``regular``
    :param lines: the order's lines, of :class:`connect.responses.OrderDetails`
    :param dict used: {line's id: what was refunded of it before}
    :return: (:class:`connect.refund.Refund` or None, list of :class:`Problem`)
    """
    products, _summary, problems = products_of(note)
    if problems:
        return None, problems
    try:
        parts = allocated(products, lines, used)
    except DoesNotFit:
        return None, [_unfitting_problem(note)]
    return Refund(refund_type, decimal(note.amount_total), parts), []


def has_line_ids(lines):
    """Whether a refund can name the lines (section 24, question 38)."""
    ids = {line.id for line in lines}
    return bool(lines) and None not in ids and len(ids) == len(lines)


def _unfitting_problem(note):
    message = note.env._(
        "%(note)s credits more at one of its VAT rates than Front Payment's order for"
        " %(invoice)s has left at that rate. Correct the lines of the credit note.",
        note=note.display_name,
        invoice=note.reversed_entry_id.display_name,
    )
    return Problem(note, message)
