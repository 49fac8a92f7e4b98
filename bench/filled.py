"""Databases with many invoices and orders, filled in SQL."""

import json
import os
import subprocess
import sys

from odoo.sql_db import db_connect
from odoo.tools import SQL

# One of each, which Odoo makes itself; the others are copied from it.
FIRST = """
customer = env["res.partner"].create({"name": "Kari Demokunde"})
line = (0, 0, {"name": "Router", "price_unit": 40})
env["account.move"].create(
    {"move_type": "out_invoice", "partner_id": customer.id, "invoice_line_ids": [line]}
).action_post()
env.cr.commit()
"""
COLUMNS = """
    SELECT string_agg(quote_ident(column_name), ', ')
      FROM information_schema.columns
     WHERE table_name = %s AND column_name NOT IN ('id', 'name', 'complete_name')
"""
COPIES = """
    INSERT INTO {table} (name, {columns})
    SELECT '{table}/' || number, {columns}
      FROM {table}, generate_series(1, {count}) AS number
     WHERE {table}.id = (SELECT max(id) FROM {table})
"""
ORDERS = """
    INSERT INTO frontpay_order (
        move_id, company_id, state, channel, reference, token, environment, base_url,
        order_uuid, sent_at, next_poll_at, tries, update_queued, create_date)
    SELECT id, company_id, state, 'session', name, md5(id::text), 'demo',
           'https://demo/', 'ODR' || id, sent_at,
           CASE WHEN state = 'sent' THEN now() + id * interval '1 minute' END,
           0, false, sent_at
      FROM (SELECT id, company_id, name,
                   now() AT TIME ZONE 'UTC' - id * interval '2 minutes' AS sent_at,
                   CASE WHEN id % 100 = 0 THEN 'sent'
                        WHEN id % 1000 = 1 THEN 'queued'
                        WHEN id % 10000 = 3 THEN 'unknown'
                        ELSE 'paid' END AS state
              FROM account_move WHERE move_type = 'out_invoice') AS invoice
"""
# An invoice's tables, and what has to be another one in each copy.
INVOICE = ("account_move", "account_move_line", "account_move_line_account_tax_rel")
NAMES = {"account_move": {"name"}, "account_move_line": {"move_name"}}
TYPES = """
    SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s
"""
FOREIGN_KEYS = """
    SELECT attname, confrelid::regclass::text
      FROM pg_constraint
      JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
     WHERE contype = 'f' AND conrelid = %s::regclass
"""


def row(what, result, by=""):
    return {"what": what, "result": result, "by": by}


def odoo(*arguments, **options):
    """Run Odoo's command line in a process of its own."""
    command = [sys.executable, "-m", "odoo", *arguments, "--no-http"]
    command += ["--log-level", "warn"]
    return subprocess.run(command, check=True, text=True, **options)


def told_by(database, script, **options):
    """Run a script in Odoo's shell, in a process of its own.

    :return: what it prints at its end, as JSON
    """
    options = {"input": script, "stdout": subprocess.PIPE, **options}
    done = odoo("shell", "--database", database, **options)
    return json.loads(done.stdout.splitlines()[-1])


def rows_of(database, query, *parameters):
    with db_connect(database).cursor() as cursor:
        cursor.execute(query, parameters or None)
        return cursor.fetchall() if cursor.description else []


def vacuum(database):
    """Count anew, as PostgreSQL does by itself after a while."""
    subprocess.run(["vacuumdb", "--quiet", "--analyze", database], check=True)


def fill(name, count):
    """Make a database with accounting, and so many invoices and customers."""
    subprocess.run(
        ["createdb", "--template", os.environ["FRONTPAY_BARE_DB"], name], check=True
    )
    odoo("shell", "--database", name, input=FIRST)
    for table in ("account_move", "res_partner"):
        [[columns]] = rows_of(name, COLUMNS, table)
        rows_of(name, COPIES.format(table=table, columns=columns, count=count))
    vacuum(name)


def copy(env, times, tables=INVOICE, names=NAMES, apart="0 s"):
    """Copy all rows of some tables so many times; copies belong to each other as the
    first ones do.

    :param names: of each table, the columns with names that no two rows share
    :param apart: how long before the copy before it each copy is dated
    """
    env.flush_all()
    # Those of two tables may belong to each other.
    env.cr.execute("SET LOCAL session_replication_role = 'replica'")
    types = {table: dict(env.execute_query(SQL(TYPES, table))) for table in tables}
    last = {
        table: env.execute_query(SQL("SELECT max(id) FROM %s", SQL.identifier(table)))
        for table in tables
        if "id" in types[table]
    }
    for table in tables:
        keys = {"id": table, "res_id": "account_move"}  # messages are about invoices
        keys |= dict(env.execute_query(SQL(FOREIGN_KEYS, table)))
        values = [
            _copied(column, last.get(keys.get(column)), kind, names.get(table, ()))
            for column, kind in types[table].items()
        ]
        env.execute_query(
            SQL(
                "INSERT INTO %(table)s (%(columns)s) SELECT %(values)s FROM %(table)s,"
                " (SELECT copy, copy * %(apart)s::interval AS age"
                " FROM generate_series(1, %(times)s) AS copy) AS copies",
                table=SQL.identifier(table),
                columns=SQL(", ").join(map(SQL.identifier, types[table])),
                values=SQL(", ").join(values),
                apart=apart,
                times=times,
            )
        )
    for table, [[number]] in last.items():
        sequence = f"{table}_id_seq"
        env.execute_query(SQL("SELECT setval(%s, %s)", sequence, number * (times + 1)))
    env.cr.execute("SET LOCAL session_replication_role = 'origin'")
    env.invalidate_all()


def _copied(name, last, kind, names):
    """What a column has in a copy.

    :param last: the highest id of the table that the column counts, if it is copied
    """
    column = SQL.identifier(name)
    if last:
        return SQL("%s + copy * %s", column, last[0][0])
    if name in names:
        return SQL("%s || '/' || copy", column)
    if kind in ("date", "timestamp without time zone"):
        return SQL("%s - age", column)
    return column
