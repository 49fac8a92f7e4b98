"""Two months of the demo's company, told by Odoo and by the sandbox alike.

Each invoice is really sent, and the sandbox plays customers and Front Payment; only the
clock is wound back, for both of them, in this one process. *Queued* and *sending* are
missing: nothing stays so.

``python -m devtools.demo_history DATABASE ODOO_PORT SANDBOX_PORT ORDERS`` plays it
once, while neither server runs; ORDERS is the sandbox's file.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as dt_time
from operator import itemgetter
from unittest.mock import patch

import freezegun
from werkzeug.serving import WSGIRequestHandler, make_server

from odoo import SUPERUSER_ID, Command, api, fields
from odoo.exceptions import UserError
from odoo.http import root
from odoo.modules.registry import Registry
from odoo.service.server import load_server_wide_modules
from odoo.sql_db import BaseCursor
from odoo.tools import config

from sandbox.app import create_app
from sandbox.settings import Settings

from .mailbox import mailbox
from .servers import DEMO_COMPANY

CALLBACK_TIMEOUT = 10  # seconds
LIMIT = "frontpay_odoo.calls_per_minute"
CALLS_PER_MINUTE = 100_000  # nobody waits in the past
OPENING = dt_time(7)  # UTC, when the first thing of a day happens
# Each customer has a time of the day.
STEP = timedelta(minutes=37)
MONTHLY = ("Fiber 500, per måned", 1, 699.0)
DECODER = ("Leie av ekstra dekoder", 1, 199.0)


@dataclass(frozen=True)
class Sale:
    """An invoice, and what becomes of it.

    :param age: days ago that it was sent
    :param customer: of the demo data, without its prefix
    :param line: text, quantity, price in NOK without VAT
    :param then: what happens next, each as days ago and what: an action of the
        sandbox's, or one of :class:`Progress`
    :param fault: of the sandbox's, that meets its sending
    """

    age: float
    customer: str
    line: tuple
    then: tuple = ()
    fault: str = ""


SALES = (
    Sale(60, "lars", ("Installasjon", 1, 2490.0), ((59, "confirm"), (48, "pay"))),
    Sale(58, "bakeri", ("Fiber bedrift, per måned", 1, 1790.0), ((44, "pay"),)),
    Sale(
        55,
        "ingrid",
        ("Fiber 500, to måneder", 2, 699.0),
        ((54, "confirm"), (46, "pay"), (38, "credit"), (37, "refund")),
    ),
    Sale(52, "mona", DECODER, ((22, "expire"),)),
    Sale(
        50,
        "ola",
        ("Feilsøking, timer", 3, 890.0),
        ((49, "confirm"), (28, "remind"), (10, "collection")),
    ),
    Sale(
        47,
        "borettslag",
        ("Fiber til leilighet, per måned", 24, 349.0),
        ((33, "pay"), (20, "credit_one"), (19, "refund")),
    ),
    Sale(45, "kari", ("Ruter", 1, 40.0), ((43, "cancel_here"),)),
    Sale(40, "nordfjord", ("Fiber bedrift, per måned", 1, 1790.0), ((25, "pay"),)),
    Sale(35, "lars", MONTHLY, ((34.9, "confirm"), (30, "pay"))),
    Sale(30, "ingrid", MONTHLY, ((29, "confirm"), (6, "remind"))),
    Sale(
        24,
        "bakeri",
        ("Fiber bedrift, per måned", 2, 1790.0),
        ((9, "pay"), (2, "credit_one")),
    ),
    Sale(18, "ola", MONTHLY, ((17, "confirm"), (7, "pay"))),
    Sale(14, "borettslag", ("Fiber til leilighet, per måned", 24, 349.0)),
    Sale(12, "mona", MONTHLY, ((11, "confirm"),)),
    Sale(6, "lars", MONTHLY),
    Sale(2, "kari", MONTHLY),
    Sale(1, "nordfjord", ("Statiske IP-adresser", 8, 59.9), fault="refuse"),
    # Two that look alike, whose answers were lost: a person decides which is which.
    Sale(1, "mona", DECODER, fault="lose the answer"),
    Sale(1, "mona", DECODER, fault="lose the answer"),
)
FAULTS = {
    "refuse": {"kind": "status", "status": 417},
    "lose the answer": {"kind": "drop", "when": "after"},
}
DAYS = 61
PAYOUT = 21  # days ago
LATER = 0.5  # days ago: Odoo looks for what became of the lost answers


class Quiet(WSGIRequestHandler):
    def log_request(self, *_arguments) -> None:
        pass


@contextlib.contextmanager
def served(application, port: int) -> Iterator[None]:
    """A web application on 127.0.0.1, in a thread of its own."""
    server = make_server(
        "127.0.0.1", port, application, threaded=True, request_handler=Quiet
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


class History:
    """What happens, on whichever day the clock shows."""

    def __init__(self, env, sandbox, clock, now: datetime):
        self.env = env
        self.sandbox = sandbox
        self._clock = clock
        self._now = now
        self._opening = datetime.combine(now.date(), OPENING)

    def play(self) -> None:
        self._welcome_visitors()
        # Or the web client asks a server far away what it knows of the company.
        self.env.company.iap_enrich_auto_done = True
        # Their numbers shall follow those of the days before.
        new = self.env["account.move"].search([("move_type", "=", "out_invoice")])
        new.button_draft()
        new.name = False
        for moment, happens in sorted(self._events(), key=itemgetter(0)):
            self._clock.move_to(moment)
            happens()
            self._catch_up()
        self._clock.move_to(self._now)
        new.action_post()
        self.env.cr.commit()

    def _welcome_visitors(self) -> None:
        """Customers' pages show the logo of the demo's company."""
        company = self.env.company.id
        visitor = self.env.ref("base.public_user").sudo()
        visitor.write({"company_ids": [Command.link(company)], "company_id": company})

    def _events(self) -> Iterator[tuple[datetime, Callable]]:
        """What happens, and when, in UTC."""
        customers = sorted({sale.customer for sale in SALES})
        for sale in SALES:
            progress = Progress(self, sale)
            day = self._opening + customers.index(sale.customer) * STEP
            yield day - timedelta(days=sale.age), progress.send
            for age, what in sale.then:
                happens = getattr(progress, what, None) or progress.acted(what)
                yield day - timedelta(days=age), happens
        yield self._opening - timedelta(days=PAYOUT), self._pay_out
        recover = self.env["frontpay.order"].sudo()._cron_recover
        yield self._opening - timedelta(days=LATER), recover

    def _catch_up(self) -> None:
        """What Odoo's scheduled actions do after it."""
        self.env.cr.commit()
        deadline = time.monotonic() + CALLBACK_TIMEOUT
        while self._is_calling_back() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.env["frontpay.order"].sudo()._cron_poll()
        self.env["mail.mail"].sudo().process_email_queue()
        self.env.cr.commit()

    def _is_calling_back(self) -> bool:
        orders = self.sandbox.orders
        return any(
            order.status != "SENT"
            and [each["status"] for each in orders.callbacks(order.uuid)][-1:]
            != [order.status]
            for order in orders.all()
        )

    def _pay_out(self) -> None:
        paid = self.sandbox.payouts.pay_out()
        values = {
            "amount": float(paid.amount),
            "fee": float(paid.fee),
            "fee_account_id": self._fee_account().id,
            "tax_id": False,
        }
        payout = self.env["frontpay.payout"].create(values)
        payout.action_propose()
        payout.action_post()
        self.env["account.bank.statement.line"].sudo().create(
            {
                "journal_id": payout.bank_journal_id.id,
                "date": payout.date,
                "payment_ref": "Front Payment",
                "amount": payout.amount,
            }
        )
        payout.action_match()

    def _fee_account(self):
        """Bank and card charges, in Norway's chart of accounts."""
        return self.env["account.account"].search([("code", "=like", "777%")], limit=1)


class Progress:
    """One sale as it goes."""

    def __init__(self, history: History, sale: Sale):
        self._history = history
        self._sale = sale
        self._env = history.env

    def send(self) -> None:
        text, quantity, price = self._sale.line
        tax = self._env["account.chart.template"]._frontpay_find_tax("25")
        line = {
            "name": text,
            "quantity": quantity,
            "price_unit": price,
            "tax_ids": [Command.set(tax.ids)],
        }
        customer = self._env.ref(f"frontpay_odoo.demo_{self._sale.customer}")
        today = fields.Date.today()
        self.invoice = self._env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": customer.id,
                "invoice_user_id": self._env.ref("base.user_demo_frontpay").id,
                "invoice_date": today,
                "invoice_date_due": today + timedelta(days=14),
                "invoice_line_ids": [Command.create(line)],
            }
        )
        self.invoice.action_post()
        self._env.cr.commit()
        if self._sale.fault:
            fault = FAULTS[self._sale.fault]
            self._history.sandbox.faults.add({"faults": [fault]})
        with contextlib.suppress(UserError):
            self.invoice.action_frontpay_send()

    def acted(self, what: str) -> Callable:
        """What the sandbox does with its order."""
        return lambda: self._history.sandbox.act(self.invoice.frontpay_order_uuid, what)

    def cancel_here(self) -> None:
        values = {"move_ids": self.invoice.ids, "note": "Bestilt ved en feil"}
        dialog = self._env["frontpay.cancel"].create(values)
        self._env.cr.commit()
        dialog.action_confirm()

    def credit(self) -> None:
        self._credit()

    def credit_one(self) -> None:
        self._credit(quantity=1)

    def _credit(self, **changes) -> None:
        """A credit note for the whole, or with a change of its line, sent."""
        values = {
            "move_ids": self.invoice.ids,
            "journal_id": self.invoice.journal_id.id,
            "reason": "Sagt opp",
        }
        made = self._env["account.move.reversal"].create(values).reverse_moves()
        note = self._env["account.move"].browse(made["res_id"])
        if changes:
            note.invoice_line_ids.write(changes)
        note.action_post()
        self._env.cr.commit()
        note.action_frontpay_send()

    def refund(self) -> None:
        """Front Payment pays back what the credit note asks for."""
        *_others, newest = self._history.sandbox.refunds.of(
            self.invoice.frontpay_order_uuid
        )
        self._history.sandbox.decide(newest.id, "confirm")


@contextlib.contextmanager
def wound_back(start: datetime) -> Iterator:
    """The clock, which begins at a moment and can be moved on.

    In all threads, and for Odoo's transactions as well, whose clock is PostgreSQL's;
    but who waits some seconds, waits for real ones.
    """
    freezegun.configure(default_ignore_list=["freezegun"])
    really = time.monotonic
    with (
        freezegun.freeze_time(start, tick=True) as clock,
        patch.object(time, "monotonic", really),
        patch.object(BaseCursor, "now", lambda _cursor: fields.Datetime.now()),
    ):
        yield clock


def play(database: str, odoo_port: int, sandbox_port: int, orders: str) -> None:
    settings = Settings(
        merchant=DEMO_COMPANY,
        rate_limit=CALLS_PER_MINUTE,
        base_url=f"http://127.0.0.1:{sandbox_port}",
    )
    application = create_app(settings, orders)
    with (
        mailbox() as post,
        served(application, sandbox_port),
        served(root, odoo_port),
        Registry(database).cursor() as cr,
    ):
        config["smtp_server"], config["smtp_port"] = "127.0.0.1", post.port
        env = environment(cr)
        now = fields.Datetime.now()
        sandbox = application.extensions["sandbox"]
        with unlimited(env), wound_back(now - timedelta(days=DAYS)) as clock:
            History(env, sandbox, clock, now).play()


def environment(cr) -> api.Environment:
    """The administrator's, in the demo's company."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    company = env.ref("base.demo_company_frontpay")
    return env(
        user=env.ref("base.user_admin"),
        context={"allowed_company_ids": company.ids, "lang": "en_US"},
    )


@contextlib.contextmanager
def unlimited(env) -> Iterator[None]:
    """Calls to Front Payment don't wait for one another, until the block ends."""
    parameters = env["ir.config_parameter"].sudo()
    usual = parameters.get_param(LIMIT)
    parameters.set_param(LIMIT, CALLS_PER_MINUTE)
    env.cr.commit()
    yield
    parameters.set_param(LIMIT, usual)
    env.cr.commit()


if __name__ == "__main__":
    database, odoo_port, sandbox_port, orders = sys.argv[1:]
    config.parse_config(["--database", database, "--db-filter", f"^{database}$"])
    load_server_wide_modules()
    play(database, int(odoo_port), int(sandbox_port), orders)
