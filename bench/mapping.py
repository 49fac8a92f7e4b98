"""Invoices become orders: queries and milliseconds an invoice, beside Odoo's own
export of the same invoices to the format of EHF (``account.edi.xml.ubl_bis3``)."""

import json
import time
from statistics import median

from odoo import Command, fields

from odoo.addons.frontpay_odoo.connect.channels import CHANNELS
from odoo.addons.frontpay_odoo.connect.order import CallbackAddresses
from odoo.addons.frontpay_odoo.mapping import order_of

INVOICES = 300
CUSTOMERS = 60
ROUNDS = 5
CREATED_AT_ONCE = 50
LINES = (  # of each invoice: price, VAT in percent, quantity, discount in percent
    (899.00, 25, 1, 0),
    (33.333, 25, 3, 0),
    (149.50, 15, 12, 10),
    (59.90, 12, 2.5, 0),
    (310.50, 0, 1, 0),
)
SETTINGS = {
    "frontpay_environment": "custom",
    "frontpay_custom_url": "http://127.0.0.1:9/api/v1/",
    "frontpay_api_token": "token",
    "frontpay_callback_secret": "secret",
    "frontpay_public_url": "https://odoo.example.com",
}
CALLBACKS = CallbackAddresses(
    callback="https://odoo.example.com/frontpay/callback/token",
    success="https://odoo.example.com/frontpay/return/token/success",
    failure="https://odoo.example.com/frontpay/return/token/failure",
)


def measure(env):
    """Map and export the same invoices, in turn.

    :param env: of a database with ``frontpay_odoo``, ``account_edi_ubl_cii`` and
        ``l10n_no``, which is dropped afterwards
    :return: list of rows: what was measured, queries and milliseconds an invoice
        (the median of the rounds)
    """
    moves = invoices(company_of(env), INVOICES)
    export = env["account.edi.xml.ubl_bis3"]._export_invoice
    ways = {
        "frontpay_odoo": json_of,
        "account.edi.xml.ubl_bis3": export,
    }
    rounds = {name: [] for name in ways}
    for _round in range(ROUNDS):
        for name, way in ways.items():
            rounds[name].append(_measured(moves, way))
    return [
        {
            "what": name,
            "invoices": len(moves),
            "lines": len(LINES),
            "queries": round(median(queries for queries, _ in measured), 2),
            "milliseconds": round(median(spent for _, spent in measured), 2),
        }
        for name, measured in rounds.items()
    ]


def json_of(move):
    """What would be posted for an invoice."""
    order, problems = order_of(move, "session", CALLBACKS, move.name)
    if problems:
        raise RuntimeError(problems[0].message)
    return json.dumps(CHANNELS["session"].to_json(order))


def _measured(moves, way):
    """Queries and milliseconds an invoice, with nothing of them in the cache."""
    moves.env.invalidate_all()
    cursor = moves.env.cr
    queries, started = cursor.sql_log_count, time.perf_counter()
    for move in moves:
        way(move)
    spent = time.perf_counter() - started
    return (cursor.sql_log_count - queries) / len(moves), 1000 * spent / len(moves)


def company_of(env):
    """A company in Norway that uses Front Payment, at nobody's address."""
    company = norwegian_company(env)
    set_up(company)
    return company


def set_up(company):
    """Let it use Front Payment."""
    company.write(SETTINGS)
    company.action_frontpay_create_journal()


def norwegian_company(env):
    """A company in Norway, also where the addon isn't installed."""
    # Odoo would install what else there is for its country, and commit in between.
    companies = env["res.company"].with_context(install_mode=True)
    company = companies.create(
        {
            "name": "Fjordnett Prøve AS",
            "country_id": env.ref("base.no").id,
            "currency_id": env.ref("base.NOK").id,
            "company_registry": "310000019",
            "vat": "NO310000019MVA",
            "street": "Prøvegata 1",
            "zip": "7030",
            "city": "Trondheim",
            "email": "faktura@example.com",
            "phone": "+47 46567468",
        }
    )
    company = company.with_env(env)
    users = env.user + env.ref("base.user_admin")
    users.write({"company_ids": [Command.link(company.id)]})
    company = company.with_company(company).with_context(
        allowed_company_ids=company.ids, tracking_disable=True
    )
    company.env["account.chart.template"].try_loading("no", company, install_demo=False)
    company.env.ref("base.NOK").active = True
    return company


def invoices(company, count):
    """Posted invoices to companies."""
    env = company.env
    customers = env["res.partner"].create(
        [
            {
                "name": f"Prøvebedrift {number} AS",
                "is_company": True,
                "company_registry": "310000019",
                "vat": "NO310000019MVA",
                "email": f"post{number}@example.com",
                "phone": "+47 46567468",
                "street": "Prøvegata 14",
                "zip": "7030",
                "city": "Trondheim",
                "country_id": env.ref("base.no").id,
            }
            for number in range(CUSTOMERS)
        ]
    )
    products = env["product.product"].create(
        [{"name": f"Vare {place}", "default_code": f"V{place}"} for place in range(5)]
    )
    taxes = [_tax(company, rate) for _price, rate, _quantity, _discount in LINES]
    moves = env["account.move"]
    for start in range(0, count, CREATED_AT_ONCE):
        moves += moves.create(
            [
                _invoice(customers[number % CUSTOMERS], products, taxes)
                for number in range(start, min(start + CREATED_AT_ONCE, count))
            ]
        )
    moves.action_post()
    return moves


def _invoice(customer, products, taxes):
    lines = zip(products, LINES, taxes, strict=True)
    return {
        "move_type": "out_invoice",
        "partner_id": customer.id,
        "invoice_date": fields.Date.today(),
        "invoice_line_ids": [
            Command.create(
                {
                    "product_id": product.id,
                    "price_unit": price,
                    "quantity": quantity,
                    "discount": discount,
                    "tax_ids": [Command.set(tax.ids)],
                }
            )
            for product, (price, _rate, quantity, discount), tax in lines
        ],
    }


def _tax(company, rate):
    return company.env["account.tax"].search(
        [
            ("company_id", "=", company.id),
            ("type_tax_use", "=", "sale"),
            ("amount_type", "=", "percent"),
            ("amount", "=", rate),
        ],
        limit=1,
    )
