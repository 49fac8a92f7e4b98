"""Databases with many invoices and orders, filled in SQL."""

import os
import subprocess
import sys

from odoo.sql_db import db_connect

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


def row(what, result, by=""):
    return {"what": what, "result": result, "by": by}


def odoo(*arguments, **options):
    """Run Odoo's command line in a process of its own."""
    command = [sys.executable, "-m", "odoo", *arguments, "--no-http"]
    command += ["--log-level", "warn"]
    subprocess.run(command, check=True, text=True, **options)


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
