"""What ``./dev demo`` lives through before anybody looks: both sides tell the same."""

import contextlib
import os
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from .databases import column, copied, rows
from .processes import complaints, free_port, python, tail

# Odoo's states and the sandbox's; what isn't here never got there, or nobody knows.
STATUSES = {
    "sent": "SENT",
    "invoiced": "INVOICED",
    "reminded": "Purring",
    "collection": "Inkasso",
    "paid": "PAID",
    "partially_refunded": "PARTIAL REFUNDED",
    "refunded": "REFUNDED",
    "cancelled": "CANCELLED",
    "expired": "EXPIRED",
}
PREPARE = """
from odoo.tools import convert_file
demo = "demo/frontpay_demo.xml"
convert_file(env, "frontpay_odoo", demo, {{}}, mode="init", noupdate=True)
company = env.ref("base.demo_company_frontpay")
company.frontpay_custom_url = "http://127.0.0.1:{sandbox}/api/v1/"
env["ir.config_parameter"].set_param("web.base.url", "http://127.0.0.1:{odoo}")
env.cr.commit()
"""


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """The database that has two months behind it, and the sandbox's."""
    ports = {"odoo": free_port(), "sandbox": free_port()}
    orders = tmp_path_factory.mktemp("history") / "sandbox.sqlite"
    with copied(os.environ["FRONTPAY_TEMPLATE_DB"], "history") as database:
        prepared = python(
            *("-m", "odoo", "shell", "--no-http", "--database", database),
            input=PREPARE.format(**ports),
        )
        assert prepared.returncode == 0, tail(prepared.stdout)
        done = python(
            *("-m", "devtools.demo_history", database),
            *(str(port) for port in ports.values()),
            orders,
        )
        assert done.returncode == 0, tail(done.stdout)
        assert complaints(done.stdout) == []
        with contextlib.closing(sqlite3.connect(orders)) as sandbox:
            yield database, sandbox


def test_an_invoice_is_in_every_state_in_which_one_stays(lived):
    database, _sandbox = lived
    states = set(column(database, "SELECT state FROM frontpay_order"))
    assert states == {*STATUSES, "failed", "unknown"}
    refunds = set(column(database, "SELECT state FROM frontpay_refund"))
    assert refunds == {"refunded", "pending"}


def test_both_sides_tell_the_same_of_each_order(lived):
    database, sandbox = lived
    here = rows(
        database,
        "SELECT order_uuid, state, amount, sent_at FROM frontpay_order"
        " WHERE order_uuid IS NOT NULL",
    )
    query = (
        "SELECT uuid, status, json_extract(received, '$.orderSummary.grandTotal'),"
        " created_at FROM orders"
    )
    there = {uuid: order for uuid, *order in sandbox.execute(query)}
    for uuid, state, amount, sent_at in here:
        status, total, created_at = there.pop(uuid)
        assert status == STATUSES[state], uuid
        assert float(total) == float(amount), uuid
        created_at = datetime.fromtimestamp(created_at, UTC).replace(tzinfo=None)
        assert abs(created_at - sent_at) < timedelta(minutes=1), uuid
    unknown = column(database, "SELECT amount FROM frontpay_order WHERE needs_decision")
    assert [float(total) for _status, total, _at in there.values()] == unknown


def test_it_was_two_months_and_all_of_it_is_over(lived):
    database, sandbox = lived
    [(first, last)] = rows(
        database, "SELECT min(create_date), max(create_date) FROM frontpay_exchange"
    )
    now = datetime.now(UTC).replace(tzinfo=None)
    assert timedelta(days=55) < now - first < timedelta(days=65)
    assert last < now
    callbacks = sandbox.execute("SELECT DISTINCT answer FROM callbacks").fetchall()
    assert callbacks == [(200,)]
    assert column(database, "SELECT count(*) FROM mail_mail") == [0]


def test_a_pay_out_is_booked_and_matched_and_another_one_can_be_made(lived):
    database, sandbox = lived
    [(state, amount, is_matched)] = rows(
        database,
        "SELECT payout.state, payout.amount, bool_and(line.reconciled)"
        "  FROM frontpay_payout payout"
        "  JOIN account_move_line line ON line.move_id = payout.move_id"
        "  JOIN account_account account ON account.id = line.account_id"
        " WHERE account.reconcile GROUP BY payout.id",
    )
    assert (state, is_matched) == ("posted", True)
    paid = sandbox.execute("SELECT sum(amount) FROM payout_items").fetchone()
    fee = sandbox.execute("SELECT sum(fee) FROM payouts").fetchone()
    assert float(amount) == pytest.approx(paid[0] - fee[0])
    open_payments = column(
        database,
        "SELECT count(*) FROM frontpay_order WHERE state = 'paid'"
        " AND settled_on > (SELECT date FROM frontpay_payout)",
    )
    assert open_payments[0] > 0


def test_the_newest_invoices_wait_for_whoever_tries_the_demo(lived):
    database, _sandbox = lived
    newest = rows(
        database,
        "SELECT move.frontpay_state, move.invoice_date = current_date"
        "  FROM account_move move JOIN res_company company"
        "    ON company.id = move.company_id AND company.name = 'Fjordlys Demo AS'"
        " WHERE move_type = 'out_invoice' AND move.state = 'posted'"
        " ORDER BY sequence_number DESC LIMIT 9",
    )
    assert newest == [(None, True)] * 8 + [("failed", False)]


def test_calls_are_limited_as_usual_again(lived):
    database, _sandbox = lived
    query = "SELECT value FROM ir_config_parameter WHERE key = '{}'"
    key = "frontpay_odoo.calls_per_minute"
    assert column(database, query.format(key)) == ["240"]
