"""Keeps secrets out of what Odoo itself logs.

The access log holds the addresses that were called, and ours carry an order's token.
With ``--log-level=debug``, every call over the API is logged with its arguments. The
SQL log (switched on with ``--log-sql``, and always where a query failed) holds the
values that were written.
"""

import contextlib
import logging
import re

from ..connect.masking import MASK, masked_text

OUR_ADDRESS = re.compile(r"(/frontpay/(?:callback|return|customer)/)[^/?#\s\"']+")
SECRETS_IN_CALL = re.compile(
    r"frontpay_(personal_number|masked_number|api_token|callback_secret)"
)
ARGUMENTS = re.compile(r"(?<=\)\.)(\w+)\(.*", re.DOTALL)
SECRETS_IN_SQL = re.compile(
    r"frontpay_(personal_number|credential)\b|frontpay_order\b.*\btoken\b", re.DOTALL
)
SQL_LITERAL = re.compile(r"'(?:[^']|'')*'")
# PostgreSQL quotes the query, and the row that it refused.
QUOTED_BY_POSTGRESQL = re.compile(r"\n(LINE \d+|DETAIL):.*", re.DOTALL)


def mask_addresses(message):
    return OUR_ADDRESS.sub(rf"\1{MASK}", message)


def mask_call(message):
    """A call with one of our secret fields loses its arguments."""
    if SECRETS_IN_CALL.search(message):
        return ARGUMENTS.sub(rf"\1({MASK})", message)
    return masked_text(message)


def mask_query(message):
    """A query with one of our secret columns loses its values."""
    if SECRETS_IN_SQL.search(message):
        message = QUOTED_BY_POSTGRESQL.sub("", message)
        return SQL_LITERAL.sub(f"'{MASK}'", message)
    return masked_text(message)


def masked_by(mask):
    """A logging filter that lets every record pass, with its message masked.

    :param mask: takes a message and gives it back without secrets
    """

    def masked(record):
        if isinstance(record.args, tuple):
            record.args = tuple(map(_decoded, record.args))
        # A message that can't be put together is for the log's own handler to tell.
        with contextlib.suppress(TypeError, ValueError):
            record.msg, record.args = mask(record.getMessage()), ()
        return True

    return masked


def _decoded(value):
    """A failed query comes as bytes, whose quotes would be written in another way."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


for name, mask in (
    ("werkzeug", mask_addresses),
    ("odoo.addons.http_routing.models.ir_http", mask_addresses),
    ("odoo.service.model", mask_call),
    ("odoo.sql_db", mask_query),
):
    logging.getLogger(name).addFilter(masked_by(mask))
