"""Invoices go through the queue, beside Odoo's own Send & Print of as many, and beside
a bare loop that posts the same JSON.

The addon's limit is lifted, the sandbox answers at once: what is left is the work.
"""

import os
import subprocess
import time
from io import BytesIO
from pathlib import Path
from statistics import median
from unittest.mock import patch

import requests
from reportlab.pdfgen.canvas import Canvas

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

from devtools.servers import SandboxServer

from . import mapping

ROUNDS = 5
BATCH = 100  # invoices a round
LOG = Path(os.environ.get("FRONTPAY_DEV_DIR", ".dev")) / "log" / "bench_sandbox.log"
MANY = "1000000"  # calls a minute
SUBMIT = "/api/v1/connect/orders/invoice/submit"


def measure(_env):
    """Send as many invoices in each way, in turn.

    :return: list of rows: what was measured, queries and milliseconds an invoice (the
        median of the rounds)
    """
    name = f"{os.environ['FRONTPAY_TEMPLATE_DB']}_send"
    subprocess.run(
        ["createdb", "--template", os.environ["FRONTPAY_TEMPLATE_DB"], name], check=True
    )
    sandbox = SandboxServer(LOG, 0, "--rate-limit", MANY)
    sandbox.start()
    try:
        with Registry(name).cursor() as cursor:
            env = api.Environment(cursor, SUPERUSER_ID, {})
            moves = mapping.invoices(company_at(env, sandbox), 2 * BATCH * ROUNDS)
            cursor.commit()
            return _rounds(moves, sandbox)
    finally:
        sandbox.stop()


def company_at(env, sandbox):
    """A company that uses a sandbox, without the addon's limit."""
    company = mapping.company_of(env)
    company.write(
        {
            "frontpay_custom_url": f"{sandbox.url}/api/v1/",
            "frontpay_api_token": "sandbox-token",
        }
    )
    parameters = env["ir.config_parameter"]
    parameters.set_param("frontpay_odoo.calls_per_minute", MANY)
    return company


def _rounds(moves, sandbox):
    ways = {
        "through the queue": _through_queue,
        "Odoo's Send & Print by e-mail, without PDF": _by_email,
    }
    rounds = {name: [] for name in (*ways, "posted by a bare loop")}
    for start in range(0, len(moves), 2 * BATCH):
        for number, (name, way) in enumerate(ways.items()):
            first = start + number * BATCH
            rounds[name].append(_measured(moves[first : first + BATCH], way))
        posted = moves[start : start + BATCH]
        rounds["posted by a bare loop"].append((0, _posted_again(posted, sandbox)))
    return [
        {
            "what": name,
            "invoices": BATCH * ROUNDS,
            "queries": round(median(queries for queries, _spent in measured), 1),
            "milliseconds": round(median(spent for _queries, spent in measured), 1),
        }
        for name, measured in rounds.items()
    ]


def _measured(moves, way):
    """Queries and milliseconds an invoice, with nothing of them in the cache."""
    moves.env.invalidate_all()
    cursor = moves.env.cr
    queries, started = cursor.sql_log_count, time.perf_counter()
    way(moves)
    cursor.commit()
    spent = time.perf_counter() - started
    return (cursor.sql_log_count - queries) / len(moves), 1000 * spent / len(moves)


def _through_queue(moves):
    """From the click on many invoices until all have gone."""
    orders = moves.env["frontpay.order"]
    moves.action_frontpay_send()
    moves.env.cr.commit()
    orders._cron_send()
    states = set(moves.mapped("frontpay_state"))
    if states != {"sent"}:
        raise RuntimeError(f"{states}: {moves.filtered('frontpay_error')[:1]}")


def _by_email(moves):
    sending = moves.env["account.move.send"]
    with patch.object(type(sending), "_prepare_invoice_pdf_report", _without_printing):
        sending._generate_and_send_invoices(
            moves, sending_methods=["email"], invoice_edi_format=False
        )


def _without_printing(_sending, moves_data):
    page = BytesIO()
    Canvas(page).save()
    for move, move_data in moves_data.items():
        move_data["pdf_attachment_values"] = {
            "name": "invoice.pdf",
            "raw": page.getvalue(),
            "res_model": move._name,
            "res_id": move.id,
            "res_field": "invoice_pdf_report_file",
        }


def _posted_again(moves, sandbox):
    """Milliseconds an invoice of posting the same JSON, and nothing else."""
    bodies = [mapping.json_of(move).encode() for move in moves]
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer sandbox-token"
        session.headers["Content-Type"] = "application/json"
        started = time.perf_counter()
        for body in bodies:
            session.post(f"{sandbox.url}{SUBMIT}", body).raise_for_status()
        return 1000 * (time.perf_counter() - started) / len(bodies)
