"""Callbacks come in, beside a bare public route that does one search and one insert,
and beside the webhook of one of Odoo's own payment providers.

A real server, without scheduled actions; eight clients at a time.
"""

import hashlib
import hmac
import http.client
import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode, urlsplit

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

from devtools.servers import OdooServer

from . import filled, mapping

CLIENTS = 8
ROUNDS = 5
REQUESTS = 400  # a round
ORDERS = 500
SECRET = "secret"
DEV = Path(os.environ.get("FRONTPAY_DEV_DIR", ".dev"))
PORT = int(os.environ["FRONTPAY_ODOO_PORT"])
BARE = "frontpay_bench_route"
BARE_ADDON = {
    "__manifest__.py": f"{{'name': '{BARE}', 'author': 'bench', 'license': 'LGPL-3'}}",
    "__init__.py": """
from odoo import http
from odoo.http import request

class Bare(http.Controller):
    @http.route("/frontpay_bench/<string:name>", auth="public", save_session=False)
    def take(self, name, **parameters):
        parameter = request.env["ir.config_parameter"].sudo()
        found = parameter.search([("key", "=", name)])
        request.env["ir.logging"].sudo().create(
            {
                "name": str(found.id),
                "type": "server",
                "message": str(parameters),
                "path": "",
                "func": "",
                "line": "",
            }
        )
        return ""
""",
}
# Payments that the provider has yet to tell of, one for each request.
PAYMENTS = f"""
provider = env.ref("payment.payment_provider_stripe")
provider.write({{"state": "test", "stripe_webhook_secret": "{SECRET}",
    "stripe_publishable_key": "public", "stripe_secret_key": "secret"}})
currency = env.ref("base.NOK")
currency.active = True
env["payment.transaction"].create([
    {{
        "provider_id": provider.id,
        "payment_method_id": env.ref("payment.payment_method_card").id,
        "reference": f"PAY-{{number}}",
        "amount": 100,
        "currency_id": currency.id,
        "partner_id": env.company.partner_id.id,
        "operation": "online_direct",
    }}
    for number in range({ROUNDS * REQUESTS})
])
env.cr.commit()
"""


@dataclass(frozen=True)
class Request:
    path: str
    status: int = 200
    body: str | None = None
    headers: dict = field(default_factory=dict)

    @property
    def method(self):
        return "POST" if self.body else "GET"


def measure(_env):
    """Signed callbacks, each about another order; and signed notifications of Stripe
    that each a payment is being processed, which books nothing either.

    :return: list of rows: what was measured, requests a second (the median of the
        rounds), milliseconds of the median and of the slowest hundredth, and how many
        times as many as the bare route takes
    """
    return _measured("signed", _signed, {"Odoo's webhook for Stripe": _of_stripe})


def measure_forged(_env):
    """Callbacks that somebody else has made up; see :func:`measure`."""
    return _measured("forged", _forged)


def _measured(kind, request_of, others=None):
    name = f"{os.environ['FRONTPAY_TEMPLATE_DB']}_callback"
    subprocess.run(
        ["createdb", "--template", os.environ["FRONTPAY_TEMPLATE_DB"], name], check=True
    )
    tokens = _orders(name)
    addons = _write_bare_addon()
    installed = f"{BARE},payment_stripe" if others else BARE
    filled.odoo("-d", name, *addons, "-i", installed, "--stop-after-init")
    if others:
        filled.odoo("shell", "-d", name, *addons, input=PAYMENTS)
    server = OdooServer(
        *(DEV / "log" / "bench_odoo.log", name, PORT),
        *("--max-cron-threads", "0", *addons),
    )
    server.start()
    try:
        ways = {"bare route": _bare, kind: request_of, **(others or {})}
        return _rounds(server.url, ways, tokens)
    finally:
        server.stop()


def _write_bare_addon():
    """:return: Odoo's options with which it is found"""
    folder = DEV / "bench" / "addons"
    (folder / BARE).mkdir(parents=True, exist_ok=True)
    for name, text in BARE_ADDON.items():
        (folder / BARE / name).write_text(text)
    [line] = [
        line
        for line in (DEV / "odoo.conf").read_text().splitlines()
        if line.startswith("addons_path")
    ]
    return ("--addons-path", f"{line.partition('=')[2].strip()},{folder.resolve()}")


def _orders(database):
    """:return: the tokens of orders that wait for their customers"""
    with Registry(database).cursor() as cursor:
        env = api.Environment(cursor, SUPERUSER_ID, {})
        company = mapping.company_of(env)
        company.frontpay_callback_secret = SECRET
        moves = mapping.invoices(company, ORDERS)
        orders = env["frontpay.order"].create(
            [
                {
                    "move_id": move.id,
                    "state": "sent",
                    "channel": "session",
                    "reference": move.name,
                    "token": env["frontpay.order"]._new_token(),
                    "amount": move.amount_total,
                    "order_uuid": f"ODR{move.id}",
                    **company._frontpay_destination(),
                }
                for move in moves
            ]
        )
        return orders.mapped(lambda order: (order.token, order.order_uuid))


def _rounds(url, ways, tokens):
    """In turn, so that what else the machine does meets them alike."""
    spent = {name: [] for name in ways}
    rates = {name: [] for name in ways}
    for number in range(0, ROUNDS * REQUESTS, REQUESTS):
        for name, request_of in ways.items():
            some = [request_of(tokens, number + each) for each in range(REQUESTS)]
            started = time.perf_counter()
            spent[name] += _requested(url, some)
            rates[name].append(REQUESTS / (time.perf_counter() - started))
    bare = median(rates["bare route"])
    return [
        {
            "what": name,
            "requests": len(spent[name]),
            "a second": round(median(rates[name]), 1),
            "median ms": round(1000 * median(spent[name]), 1),
            "p99 ms": round(1000 * quantiles(spent[name], n=100)[98], 1),
            "times the bare": round(median(rates[name]) / bare, 2),
        }
        for name in ways
    ]


def _requested(url, requests):
    """Request all, some at a time, over connections that are kept open.

    :return: the seconds of each
    """
    with ThreadPoolExecutor(CLIENTS) as clients:
        parts = [requests[start::CLIENTS] for start in range(CLIENTS)]
        spent = clients.map(lambda part: _one_after_the_other(url, part), parts)
        return list(chain.from_iterable(spent))


def _one_after_the_other(url, requests):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    spent = []
    for request in requests:
        started = time.perf_counter()
        connection.request(
            request.method, request.path, request.body, headers=request.headers
        )
        answer = connection.getresponse()
        answer.read()
        spent.append(time.perf_counter() - started)
        if answer.status != request.status:
            path = request.path.partition("?")[0]
            raise RuntimeError(f"{path}: HTTP {answer.status}")
    connection.close()
    return spent


def _bare(tokens, number):
    parameters = urlencode(_parameters(tokens, number))
    return Request(f"/frontpay_bench/{number}?{parameters}")


def _signed(tokens, number):
    return Request(_path(tokens, number, SECRET))


def _forged(tokens, number):
    return Request(_path(tokens, number, "guessed"), 403)


def _of_stripe(_tokens, number):
    event = {
        "type": "payment_intent.processing",
        "data": {
            "object": {
                "id": f"pi_{number}",
                "description": f"PAY-{number}",
                "amount": 10000,
                "currency": "nok",
                "status": "processing",
            }
        },
    }
    body = json.dumps(event)
    now = int(time.time())
    signed = f"{now}.{body}".encode()
    signature = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Stripe-Signature": f"t={now},v1={signature}",
    }
    return Request("/payment/stripe/webhook", body=body, headers=headers)


def _path(tokens, number, secret):
    token, _order_uuid = tokens[number % len(tokens)]
    parameters = _parameters(tokens, number)
    signed = "".join([*parameters.values(), secret])
    checksum = hashlib.sha256(signed.encode()).hexdigest()
    return f"/frontpay/callback/{token}?{urlencode(parameters)}&checksum={checksum}"


def _parameters(tokens, number):
    _token, order_uuid = tokens[number % len(tokens)]
    return {
        "orderUuid": order_uuid,
        "status": "INVOICED",
        "paymentMethod": "invoice",
        "amount": "100.00",
        "createdAt": "1780000000",
        "timestamp": str(1_780_000_000 + number),
    }
