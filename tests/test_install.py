"""The addon comes, is updated and goes, and leaves nothing behind."""

import os

import pytest

from .databases import column, copied, rows
from .processes import complaints, odoo

# What is there before it comes.
INVOICE = """
customer = env["res.partner"].create({"name": "Ola Demokunde"})
line = (0, 0, {"name": "Router", "price_unit": 40})
env["account.move"].create(
    {"move_type": "out_invoice", "partner_id": customer.id, "invoice_line_ids": [line]}
).action_post()
env.cr.commit()
"""
# Somebody works with it before it goes.
WORK = """
company = env.company
company.action_frontpay_create_journal()
customer = env["res.partner"].create(
    {"name": "Kari Demokunde", "frontpay_personal_number": "17858410193"}
)
invoice = env["account.move"].create(
    {
        "move_type": "out_invoice",
        "partner_id": customer.id,
        "invoice_line_ids": [(0, 0, {"name": "Router", "price_unit": 40})],
    }
)
invoice.action_post()
env["frontpay.order"].create(
    {
        "move_id": invoice.id,
        "channel": "session",
        "reference": invoice.name,
        "token": "A" * 32,
        "state": "sent",
        "order_uuid": "ODR1",
    }
)
env.cr.commit()
"""
UNINSTALL = """
env["ir.module.module"]._get("frontpay_odoo").button_immediate_uninstall()
"""
# What remains is asked by name, of everything that has one.
TRACES = {
    "tables": """
        SELECT table_name FROM information_schema.tables
         WHERE table_name LIKE 'frontpay%'""",
    "columns": """
        SELECT table_name || '.' || column_name FROM information_schema.columns
         WHERE column_name LIKE '%frontpay%'""",
    "indexes": """
        SELECT indexname FROM pg_indexes
         WHERE schemaname = 'public' AND indexname LIKE '%frontpay%'""",
    "models": "SELECT model FROM ir_model WHERE model LIKE 'frontpay%'",
    "fields": "SELECT name FROM ir_model_fields WHERE name LIKE '%frontpay%'",
    "views": "SELECT name FROM ir_ui_view WHERE name ILIKE '%frontpay%'",
    "parameters": "SELECT key FROM ir_config_parameter WHERE key LIKE '%frontpay%'",
    "external ids": """
        SELECT name FROM ir_model_data
         WHERE module = 'frontpay_odoo' OR name LIKE '%frontpay%'
           AND name NOT LIKE 'module_frontpay_odoo%'""",
    "menus": """
        SELECT name->>'en_US' FROM ir_ui_menu
         WHERE name->>'en_US' ILIKE '%front payment%'""",
    "actions": """
        SELECT name->>'en_US' FROM ir_actions
         WHERE name->>'en_US' ILIKE '%front payment%'""",
    "jobs": "SELECT cron_name FROM ir_cron WHERE cron_name ILIKE '%front payment%'",
}


def traces(database: str) -> dict[str, list[str]]:
    """What is named after the addon, by where it was found."""
    found = {place: column(database, query) for place, query in TRACES.items()}
    return {place: names for place, names in found.items() if names}


@pytest.fixture(scope="module")
def database():
    """Accounting, and no country's: neither l10n_no nor any other."""
    with copied(os.environ["FRONTPAY_BARE_DB"], "install") as name:
        yield name


def test_install_update_and_uninstall_without_a_complaint(database):
    assert "l10n_no" not in installed(database)
    assert traces(database) == {}

    odoo("shell", *command(database), input=INVOICE)
    before = versions(database)
    log = odoo(*command(database), "--init", "frontpay_odoo", "--stop-after-init")
    assert complaints(log) == []
    assert versions(database) == before
    assert "frontpay_odoo" in installed(database)
    assert {"tables", "columns", "models", "views", "menus"} <= set(traces(database))

    odoo("shell", *command(database), input=WORK)
    log = odoo(*command(database), "--update", "frontpay_odoo", "--stop-after-init")
    assert complaints(log) == []
    assert column(database, "SELECT order_uuid FROM frontpay_order") == ["ODR1"]

    log = odoo("shell", *command(database), input=UNINSTALL)
    assert complaints(log) == []
    assert "frontpay_odoo" not in installed(database)
    assert traces(database) == {}
    states = column(database, "SELECT state FROM account_move WHERE name LIKE 'INV/%'")
    assert states == ["posted", "posted"]


def versions(database: str) -> list[tuple]:
    """PostgreSQL's versions of the rows that there may be very many of.

    Nothing is computed for them when the addon is installed: it would take long, and
    nobody could post an invoice meanwhile.
    """
    return rows(
        database,
        "SELECT id, xmin::text, ctid::text FROM account_move"
        " UNION ALL SELECT id, xmin::text, ctid::text FROM res_partner ORDER BY 1, 2",
    )


def command(database: str) -> list[str]:
    return ["--no-http", "--database", database]


def installed(database: str) -> list[str]:
    return column(
        database, "SELECT name FROM ir_module_module WHERE state = 'installed'"
    )
