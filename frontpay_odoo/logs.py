"""Keeps secrets out of what Odoo itself logs.

The access log holds the addresses that were called, and ours carry an order's token.
The SQL log (switched on with ``--log-sql``, and always where a query failed) holds the
values that were written.
"""

import logging
import re

from .connect.masking import MASK

OUR_ADDRESS = re.compile(r"(/frontpay/(?:callback|return)/)[^/?#\s\"]+")
SECRETS_IN_SQL = re.compile(
    r"frontpay_(personal_number|api_token|callback_secret)"
    r"|frontpay_order\b.*\btoken\b",
    re.DOTALL,
)
SQL_LITERAL = re.compile(r"'(?:[^']|'')*'")
# PostgreSQL quotes the query, and the row that it refused.
QUOTED_BY_POSTGRESQL = re.compile(r"\n(LINE \d+|DETAIL):.*", re.DOTALL)


def mask_our_addresses(record):
    """A logging filter for the access log."""
    message = record.getMessage()
    if OUR_ADDRESS.search(message):
        record.msg, record.args = OUR_ADDRESS.sub(rf"\1{MASK}", message), ()
    return True


def mask_secret_values(record):
    """A logging filter for SQL: no values where a secret may be among them."""
    if isinstance(record.args, tuple):
        record.args = tuple(map(_decoded, record.args))
    record.msg = _decoded(record.msg)
    message = record.getMessage()
    if SECRETS_IN_SQL.search(message):
        message = QUOTED_BY_POSTGRESQL.sub("", message)
        record.msg, record.args = SQL_LITERAL.sub(f"'{MASK}'", message), ()
    return True


def _decoded(value):
    """A failed query comes as bytes, whose quotes would be written in another way."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


logging.getLogger("werkzeug").addFilter(mask_our_addresses)
logging.getLogger("odoo.sql_db").addFilter(mask_secret_values)
