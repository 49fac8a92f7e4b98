"""A year of 1,000,000 invoices: what its tables take, and how PostgreSQL finds in them
what a day needs.

Some invoices go to the sandbox for real, and are paid or wait; they are copied in SQL
over the year. ``FRONTPAY_BENCH_INVOICES`` says how many there shall be.
"""

import os
import subprocess
import time
from ast import literal_eval
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

from lxml import etree

from odoo import SUPERUSER_ID, api, fields
from odoo.modules.registry import Registry
from odoo.sql_db import Cursor, close_db

from tests.processes import Sandbox

from . import filled, mapping, send
from .web_client import specifications

INVOICES = int(os.environ.get("FRONTPAY_BENCH_INVOICES", "1000000"))
FIRST = 100  # invoices of which the others are copies
PAID = 93  # of them
DAYS = 365
TABLES = (
    *filled.INVOICE,
    *("account_payment", "account_move__account_payment"),
    *("account_partial_reconcile", "account_full_reconcile"),
    *("frontpay_order", "frontpay_exchange", "mail_message"),
)
NAMES = filled.NAMES | {"frontpay_order": {"token", "order_uuid", "reference"}}
# What isn't like the first ones: who hasn't confirmed, a queue, open questions, when
# what waits is polled, and weekly pay-outs.
DIFFERENT = (
    "UPDATE frontpay_order SET state = 'sent' WHERE state = 'invoiced' AND id % 2 = 0",
    """
    UPDATE frontpay_order
       SET state = CASE WHEN id % 10 = 3 THEN 'unknown' ELSE 'queued' END
     WHERE id % 1000 = 1 OR id % 10000 = 3
    """,
    """
    UPDATE frontpay_order
       SET next_poll_at = now() AT TIME ZONE 'UTC' + id % 1440 * interval '1 minute'
     WHERE next_poll_at IS NOT NULL
    """,
    """
    UPDATE account_move SET frontpay_state = frontpay_order.state
      FROM frontpay_order WHERE frontpay_order.id = frontpay_order_id
    """,
    """
    UPDATE account_move_line SET reconciled = TRUE, amount_residual = 0,
                                 amount_residual_currency = 0
     WHERE date < CURRENT_DATE - 7
       AND account_id IN (SELECT default_account_id FROM account_journal
                           JOIN res_company ON frontpay_journal_id = account_journal.id)
    """,
    """
    INSERT INTO frontpay_callback (order_id, order_uuid, poll_at)
    SELECT id, order_uuid, now() AT TIME ZONE 'UTC' FROM frontpay_order
     WHERE order_uuid IS NOT NULL ORDER BY id LIMIT 1000
    """,
)
SEARCHES = ("SELECT", "WITH")
MANY_ROWS = 1000  # fewer are soon read, without an index too
SIZES = """
    SELECT relname, n_live_tup, pg_total_relation_size(relid) / 1024 ^ 2
      FROM pg_stat_user_tables
     WHERE n_live_tup > 0 AND (relname = ANY(%s) OR relname LIKE 'frontpay\\_%%')
     ORDER BY 3 DESC
"""


def measure(_env):
    """Fill a database, then ask what a day needs.

    :return: list of rows: a table with its rows and MB; or what was asked for, with
        its queries and milliseconds, and of the slowest query the milliseconds, the
        pages of 8 kB it read, and the indexes it took or the tables it read as a whole
    """
    name = f"{os.environ['FRONTPAY_TEMPLATE_DB']}_year"
    subprocess.run(
        ["createdb", "--template", os.environ["FRONTPAY_TEMPLATE_DB"], name], check=True
    )
    with Registry(name).cursor() as cursor:
        env = api.Environment(cursor, SUPERUSER_ID, {})
        company = _first_ones(env)
        times = INVOICES // FIRST - 1
        seconds = DAYS * 86_400 // (times + 1)
        filled.copy(env, times, TABLES, NAMES, f"{seconds} s")
        for query in DIFFERENT:
            cursor.execute(query)
        cursor.commit()
        filled.vacuum(name)
        rows = [
            _row(table, count, f"{size:.0f} MB")
            for table, count, size in filled.rows_of(name, SIZES, list(TABLES))
        ]
        rows += [_asked(env, *asked) for asked in _day(company).items()]
        cursor.rollback()
    close_db(name)
    return rows


def _row(what, count, spent, slowest="", pages="", by=""):
    """A table's number of rows and size, or an action's queries and time."""
    return {
        "what": what,
        "rows or queries": count,
        "size or time": spent,
        "slowest query": slowest,
        "pages": pages,
        "by": by,
    }


def _first_ones(env):
    """Send the first invoices, and let customers pay.

    :return: their company
    """
    sandbox = Sandbox("bench")
    sandbox.start()
    try:
        sandbox.set(callbacks=False, rate_limit=int(send.MANY))
        company = send.company_at(env, sandbox)
        company.frontpay_api_token = sandbox.token
        mapping.invoices(company, FIRST).action_frontpay_send()
        orders = company.env["frontpay.order"]
        orders._cron_send()
        sent = orders.search([])
        for order in sent[:PAID]:
            sandbox.act(order.order_uuid, "pay")
        sent.next_poll_at = fields.Datetime.now()
        orders._cron_poll()
        return company
    finally:
        sandbox.stop()


def _day(company):
    """:return: {what for: its action}"""
    # The addon can't be imported before the registry is there.
    from odoo.addons.frontpay_odoo.tests.test_indexes import searches

    env = company.env(user=company.env.ref("base.user_admin"))
    orders, report = env["frontpay.order"], env["frontpay.settlement.report"]
    amounts = ["__count", "amount:sum"]
    return {
        **{
            what: partial(env.execute_query, query)
            for what, query in searches(env).items()
        },
        **_lists(orders, ""),
        **_lists(env["account.move"], "frontpay_"),
        "orders by state": partial(orders.formatted_read_group, [], ["state"], amounts),
        "settlement report": partial(
            report.formatted_read_group, [], ["date:month"], ["balance_change:sum"]
        ),
        "a pay-out's proposal": partial(_propose, env),
    }


def _lists(records, prefix):
    """The first page of each filter whose name begins so."""
    views = records.get_views([[False, "list"], [False, "search"]])
    read = specifications(views)["list"]
    search = etree.fromstring(views["views"]["search"]["arch"])
    filters = search.iterfind(".//filter[@domain]")
    return {
        f"{records._description}: {each.get('string')}": partial(
            records.web_search_read,
            literal_eval(each.get("domain")),
            read,
            limit=80,
            count_limit=10_001,
        )
        for each in filters
        if each.get("name").startswith(prefix)
    }


def _propose(env):
    company = env.company
    others = [("type", "=", "bank"), ("id", "!=", company.frontpay_journal_id.id)]
    bank = env["account.journal"].search([("company_id", "=", company.id), *others])
    values = {"amount": 100_000, "bank_journal_id": bank[:1].id}
    env["frontpay.payout"].create(values).action_propose()


def _asked(env, what, action):
    """Do what is asked for, and explain its queries.

    :return: a row; of the slowest query, how it was found
    """
    env.flush_all()
    env.invalidate_all()
    started = time.perf_counter()
    with _recorded() as queries:
        action()
    spent = 1000 * (time.perf_counter() - started)
    plans = [_plan(env, query) for query in queries if query.startswith(SEARCHES)]
    slowest = max(plans, key=lambda plan: plan["Execution Time"])
    top = slowest["Plan"]
    return _row(
        what,
        len(queries),
        f"{spent:.0f} ms",
        f"{slowest['Execution Time']:.1f} ms",
        top["Shared Hit Blocks"] + top["Shared Read Blocks"],
        _ways(top),
    )


@contextmanager
def _recorded():
    """:return: the queries that are made meanwhile, with their parameters"""
    queries, execute = [], Cursor.execute

    def record(cursor, query, params=None, log_exceptions=True):
        queries.append(cursor.mogrify(query, params).decode().strip())
        return execute(cursor, query, params, log_exceptions)

    with patch.object(Cursor, "execute", record):
        yield queries


def _plan(env, query):
    env.cr.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}")
    [[[plan]]] = env.cr.fetchall()
    return plan


def _ways(plan):
    """The indexes that were taken, and the tables of which many rows were passed by."""
    nodes, ways = [plan], set()
    for node in nodes:
        nodes += node.get("Plans", [])
        ways.add(node.get("Index Name"))
        read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        if node["Node Type"] == "Seq Scan" and read > MANY_ROWS:
            ways.add(f"all of {node['Relation Name']}")
    return ", ".join(sorted(filter(None, ways)))
