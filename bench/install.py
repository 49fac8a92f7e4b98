"""Installing the addon on many invoices and customers, and what PostgreSQL makes of its
searches among as many orders."""

import os
import time
from statistics import median

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.sql_db import close_db
from odoo.tools import SQL

from .filled import ORDERS, fill, odoo, row, rows_of, vacuum

INVOICES = CUSTOMERS = 300_000
ROUNDS = 5
CALLS = 2  # in the log, of each order
LOG = f"""
    INSERT INTO frontpay_exchange (order_id, company_id, direction, create_date)
    SELECT id, company_id, 'out', sent_at
      FROM frontpay_order, generate_series(1, {CALLS})
"""
# It isn't looked at what is refunded: each invoice stands for its credit note.
REFUNDS = """
    INSERT INTO frontpay_refund (move_id, order_id, company_id, state, effect)
    SELECT move_id, id, company_id,
           CASE WHEN id % 1000 = 0 THEN 'pending' ELSE 'refunded' END, 'refund'
      FROM frontpay_order WHERE id % 5 = 0
"""
CALLBACKS = """
    INSERT INTO frontpay_callback (order_id, order_uuid, poll_at)
    SELECT id, order_uuid, now() + interval '1 hour' FROM frontpay_order LIMIT 20000
"""
WRITTEN = """
    SELECT sum(n_tup_upd), array_agg(pg_relation_filenode(relid))
      FROM pg_stat_user_tables WHERE relname IN ('account_move', 'res_partner')
"""


def measure(_env):
    """Install on no invoices and on many, start Odoo, then ask for the plans.

    :return: list of rows: what was measured, and what came out
    :raises RuntimeError: a search reads a table as a whole
    """
    template = os.environ["FRONTPAY_TEMPLATE_DB"]
    few, many = f"{template}_few", f"{template}_many"
    rows = []
    # The first one finds nothing in any cache.
    for name, count in ((f"{few}er", 0), (few, 0), (many, INVOICES)):
        fill(name, count)
        [[updated, files]] = rows_of(name, WRITTEN)
        spent = _seconds(name, "--init", "frontpay_odoo")
        rows.append(row(f"installed on {count} invoices", f"{spent:.1f} s"))
    [[now_updated, now_files]] = rows_of(name, WRITTEN)
    rows.append(row("their rows updated", now_updated - updated))
    rows.append(row("their tables rewritten", "no" if files == now_files else "yes"))
    return [*rows[1:], _start(few), *_plans(many)]


def _seconds(database, *options):
    started = time.monotonic()
    odoo("--database", database, *options, "--stop-after-init")
    return time.monotonic() - started


def _start(database):
    """Start Odoo and load its registry, with the addon and without, in turn."""
    spent = {database: [], os.environ["FRONTPAY_BARE_DB"]: []}
    for _round in range(ROUNDS):
        for name, seconds in spent.items():
            seconds.append(_seconds(name))
    with_addon, without = map(median, spent.values())
    return row("Odoo's start, times without", round(with_addon / without, 3))


def _plans(database):
    """How PostgreSQL searches among as many orders as invoices."""
    rows_of(database, ORDERS)
    rows_of(database, LOG)
    rows_of(database, REFUNDS)
    rows_of(database, CALLBACKS)
    vacuum(database)
    # The addon can't be imported before the registry is there.
    with Registry(database).cursor() as cursor:
        from odoo.addons.frontpay_odoo.tests.test_indexes import plan_of, searches

        env = api.Environment(cursor, SUPERUSER_ID, {})
        rows = []
        for what, query in searches(env).items():
            indexes, whole = plan_of(env, query)
            started = time.perf_counter()
            env.execute_query(SQL("EXPLAIN ANALYZE %s", query))
            spent = 1000 * (time.perf_counter() - started)
            rows.append(row(what, f"{spent:.1f} ms", ", ".join(indexes)))
            if whole:
                raise RuntimeError(f"{what}: all of {', '.join(whole)} is read")
    close_db(database)
    return rows
