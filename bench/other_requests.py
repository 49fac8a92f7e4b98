"""Odoo's own requests, where the addon is installed and where it isn't.

Two real servers with the same invoices, asked in turn, as Odoo's web client asks them.
"""

import os
import re
import subprocess
import time
from statistics import median

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.sql_db import close_db

from devtools.servers import DEV
from tests.processes import odoo_server
from tests.rpc import Person

from . import filled, mapping
from .web_client import specifications

LISTED = 100  # posted invoices
ROUNDS = 50  # of each request, on either side; the first one of all isn't counted
MOVES, PAYMENTS = "account.move", "account.payment.register"
INVOICES = [["move_type", "in", ["out_invoice", "out_refund", "out_receipt"]]]
PAGE = {"limit": 80, "count_limit": 10_001}
QUERIES = re.compile(r'" \d{3} - (\d+) ')  # of a request, in Odoo's log
CONTEXT = {"bin_size": True, "default_move_type": "out_invoice"}


class Bookkeeper:
    """Somebody who works on one of the servers.

    :param moves: ids of posted invoices
    :param drafts: ids of those that are still to be posted
    """

    def __init__(self, server, lists, moves, drafts):
        self.server = server
        self._moves, self._drafts = moves, iter(drafts)
        self._posted = []
        self.log_in()
        self._read = self._views(MOVES, [lists, "list"], [False, "form"])
        self._dialog = self._views(PAYMENTS, [False, "form"])["form"]

    def _views(self, model, *views):
        return specifications(
            self._person.call(model, "get_views", views=views, options={})
        )

    def log_in(self):
        database = self.server.database
        self._person = Person(self.server.url, database, "admin", "admin")
        for page in ("/odoo", "/web/webclient/load_menus"):
            self._person.get(page).raise_for_status()

    def open_list(self):
        read = {"domain": INVOICES, "specification": self._read["list"], **PAGE}
        self._person.call(MOVES, "web_search_read", **read, context=CONTEXT)

    def open_form(self):
        read = {"specification": self._read["form"], "context": CONTEXT}
        self._person.call(MOVES, "web_read", self._moves[:1], **read)

    def post(self):
        self._posted.append(next(self._drafts))
        self._person.click(MOVES, "action_post", self._posted[-1])

    def pay(self):
        move = self._posted.pop()
        opened = self._person.click(MOVES, "action_register_payment", move)
        context, read = opened["context"], self._dialog
        self._person.call(PAYMENTS, "onchange", [], {}, [], read, context=context)
        [dialog] = self._person.call(
            *(PAYMENTS, "web_save", [], {}), specification=read, context=context
        )
        self._person.click(PAYMENTS, "action_create_payments", dialog["id"])


REQUESTS = {
    "log in, and the page": Bookkeeper.log_in,
    "list of invoices": Bookkeeper.open_list,
    "form of an invoice": Bookkeeper.open_form,
    "post an invoice": Bookkeeper.post,
    "register a payment": Bookkeeper.pay,
}


def measure(_env):
    """Ask both servers the same, in turn.

    :return: list of rows: what was asked, milliseconds without and with the addon (the
        medians of the rounds), how many times as many, and queries of both
    """
    template = os.environ["FRONTPAY_TEMPLATE_DB"]
    names = {name: f"{template}_{name}" for name in ("without", "with")}
    records = _without_addon(names["without"])
    _with_addon(names["without"], names["with"])
    servers = {
        name: odoo_server(name, database, DEV / "data")
        for name, database in names.items()
    }
    try:
        for server in servers.values():
            server.start()
        return _rounds([Bookkeeper(server, *records) for server in servers.values()])
    finally:
        for server in servers.values():
            server.stop()


def _rounds(both):
    rows = []
    for what, request in REQUESTS.items():
        sides = [[] for _bookkeeper in both]
        for _round in range(ROUNDS + 1):
            for side, bookkeeper in zip(sides, both, strict=True):
                side.append(_measured(request, bookkeeper))
        [(ms_without, without), (ms_with, with_addon)] = map(_medians, sides)
        rows.append(
            {
                "what": what,
                "queries without": without,
                "queries with": with_addon,
                "ms without": round(ms_without, 1),
                "ms with": round(ms_with, 1),
                "times without": round(ms_with / ms_without, 3),
            }
        )
    return rows


def _medians(side):
    return [median(measured) for measured in zip(*side[1:], strict=True)]


def _measured(request, bookkeeper):
    """:return: milliseconds, and queries as the server's log tells them"""
    server = bookkeeper.server
    told, started = len(server.log), time.perf_counter()
    request(bookkeeper)
    spent = 1000 * (time.perf_counter() - started)
    return spent, sum(map(int, QUERIES.findall(server.log[told:])))


def _without_addon(name):
    """Make a database with invoices.

    :return: id of the list's view, ids of posted invoices, and of drafts
    """
    bare = os.environ["FRONTPAY_BARE_DB"]
    subprocess.run(["createdb", "--template", bare, name], check=True)
    filled.odoo("--database", name, "--init", "l10n_no", "--stop-after-init")
    with Registry(name).cursor() as cursor:
        env = api.Environment(cursor, SUPERUSER_ID, {})
        company = mapping.norwegian_company(env)
        env.ref("base.user_admin").company_id = company
        moves = mapping.invoices(company, LISTED)
        drafts = moves.browse()
        while len(drafts) <= ROUNDS:
            drafts += moves[: ROUNDS + 1 - len(drafts)].copy()
        cursor.commit()
        lists = env.ref("account.view_out_invoice_tree").id
        records = lists, moves.ids, drafts.ids
    close_db(name)
    return records


def _with_addon(template, name):
    """Make a copy of that in which Front Payment is set up."""
    subprocess.run(["createdb", "--template", template, name], check=True)
    filled.odoo("--database", name, "--init", "frontpay_odoo", "--stop-after-init")
    with Registry(name).cursor() as cursor:
        env = api.Environment(cursor, SUPERUSER_ID, {})
        company = env.ref("base.user_admin").company_id
        mapping.set_up(company.with_company(company))
        cursor.commit()
    close_db(name)
