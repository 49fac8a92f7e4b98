"""What is listed under *To Send* and *Needs You*, and what isn't any more."""

from odoo.fields import Domain
from odoo.tools import SQL


def is_told(name):
    """What says something in a translated field, in whatever language.

    Odoo's own condition looks at one language, which no index knows.

    :param str name: of the field
    """
    return Domain.custom(
        to_sql=lambda model, alias, _query: SQL(
            "%s IS NOT NULL",
            SQL.identifier(alias, name, to_flush=model._fields[name]),
        ),
        predicate=lambda record: bool(record[name]),
    )


# Its invoice still waits for money, and no other order of the invoice's has followed.
IS_CURRENT = (
    Domain("current_move_ids", "!=", False)
    & Domain("move_id.state", "=", "posted")
    & Domain("move_id.payment_state", "in", ("not_paid", "partial"))
)
# Nobody has said that it is collected in another way.
IS_LEFT = IS_CURRENT & Domain("is_collected_elsewhere", "=", False)
# Front Payment has ended it, or never had it.
NOT_CLAIMED = Domain("state", "in", ("expired", "cancelled")) | (
    Domain("state", "=", "failed") & Domain("order_uuid", "=", False)
)
HAS_ERROR = is_told("error")
GOES_BY_ITSELF = Domain("state", "=", "queued") & Domain("retry_at", "!=", False)

TO_SEND = Domain("state", "in", ("queued", "sending")) | (
    Domain("state", "=", "failed") & IS_LEFT
)
# An order without a number was never at Front Payment: what went wrong with it is over
# once the invoice was sent anew, or paid in another way.
ORDER_NEEDS_YOU = (
    Domain("state", "=", "unknown")
    | Domain("needs_decision", "=", True)
    | Domain("difference", "!=", False)
    | (HAS_ERROR & Domain("state", "!=", "failed") & ~GOES_BY_ITSELF)
    | (HAS_ERROR & Domain("state", "=", "failed") & Domain("order_uuid", "!=", False))
    | (HAS_ERROR & Domain("state", "=", "failed") & IS_LEFT)
    | (Domain("state", "=", "expired") & IS_LEFT)
    | (Domain("state", "=", "sent") & is_told("link_error") & IS_CURRENT)
)
REFUND_NEEDS_YOU = Domain("move_id.state", "=", "posted") & (
    Domain("state", "in", ("unknown", "needs_approval", "rejected"))
    | (HAS_ERROR & ~GOES_BY_ITSELF)
)
NEEDS_YOU = {"frontpay.order": ORDER_NEEDS_YOU, "frontpay.refund": REFUND_NEEDS_YOU}
