"""Personal numbers and keys move from the customer's and the company's row into tables
of their own."""

from odoo.tools import SQL, sql

# From which table and columns, to which.
MOVES = (
    (
        "res_partner",
        ("frontpay_personal_number",),
        "frontpay_personal_number",
        ("partner_id", "number"),
    ),
    (
        "res_company",
        ("frontpay_api_token", "frontpay_callback_secret"),
        "frontpay_keys",
        ("company_id", "api_token", "callback_secret"),
    ),
)


def migrate(cr, version):
    for table, columns, target, target_columns in MOVES:
        if sql.column_exists(cr, table, columns[0]):
            _move(cr, table, columns, target, target_columns)


def _move(cr, table, columns, target, target_columns):
    names = [SQL.identifier(column) for column in columns]
    cr.execute(
        SQL(
            "INSERT INTO %s (%s) SELECT id, %s FROM %s WHERE COALESCE(%s) IS NOT NULL",
            SQL.identifier(target),
            SQL(", ").join(map(SQL.identifier, target_columns)),
            SQL(", ").join(names),
            SQL.identifier(table),
            SQL(", ").join(names),
        )
    )
    for name in names:
        cr.execute(SQL("ALTER TABLE %s DROP COLUMN %s", SQL.identifier(table), name))
