"""What the addon's tests stand on: a company that may send, customers, a sandbox."""

import hashlib
import json
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import ClassVar
from unittest import SkipTest
from unittest.mock import patch
from urllib.parse import urlsplit

import requests

from odoo import SUPERUSER_ID, Command, fields
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import BaseCase, new_test_user

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.frontpay_odoo.connect import errors
from odoo.addons.frontpay_odoo.connect.client import Client

ROOT = Path(__file__).resolve().parents[2]
API_TOKEN = "token-of-the-tests"
SECRET = "SECRET"
PATH_TOKEN = "Path-token_of_an_order-012345678"
PERSONAL_NUMBER = "17858410193"  # synthetic: month + 80
ORGANIZATION_NUMBER = "310000019"
NOBODY = "http://127.0.0.1:9/api/v1/"  # the discard port: nobody listens there

send_request = requests.Session.send


def neutralize(env):
    """What Odoo does with the addon's data in a copy of a database."""
    env.flush_all()
    for query in get_neutralization_queries(["frontpay_odoo"]):
        env.cr.execute(query)
    env.invalidate_all()


class LoopbackCase(BaseCase):
    """Lets the addon's client talk to servers on this machine as it does in earnest.

    Odoo's own gate compares a request's time-out with a number and raises small ones;
    the client's is a pair, and the tests of time-outs need them small.
    """

    @classmethod
    def _request_handler(cls, session, request, /, **options):
        if urlsplit(request.url).hostname == "127.0.0.1":
            return send_request(session, request, **options)
        return super()._request_handler(session, request, **options | {"timeout": None})


class FrontpayCommon(LoopbackCase, AccountTestInvoicingCommon):
    """A Norwegian company with Odoo's generic chart, so that ``l10n_no`` isn't needed,
    and a customer of each type. Nothing listens at its Front Payment."""

    @classmethod
    @AccountTestInvoicingCommon.setup_country("no")
    @AccountTestInvoicingCommon.setup_chart_template("generic_coa")
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.company_data["company"]
        cls.company.write(
            {
                "name": "Fjordnett Prøve AS",
                "frontpay_environment": "custom",
                "frontpay_custom_url": NOBODY,
                "frontpay_api_token": API_TOKEN,
                "frontpay_callback_secret": SECRET,
                "frontpay_public_url": "https://odoo.example.com",
            }
        )
        cls.company.action_frontpay_create_journal()
        cls.taxes = cls.env["account.tax"].create(
            [
                {"name": f"{rate} %", "amount": rate, "type_tax_use": "sale"}
                for rate in (0, 12, 15, 25)
            ]
        )
        cls.private = cls._customer("Kari Prøvebruker")
        cls.private.frontpay_personal_number = PERSONAL_NUMBER
        cls.corporate = cls._customer("Bakeriet Prøve AS", is_company=True)
        cls.corporate.company_registry = ORGANIZATION_NUMBER

    @classmethod
    def _customer(cls, name, **values):
        return cls.env["res.partner"].create(
            {
                "name": name,
                "email": "post@example.com",
                "phone": "+47 46567468",
                "street": "Prøvegata 14",
                "zip": "7030",
                "city": "Trondheim",
                "country_id": cls.env.ref("base.no").id,
                "lang": "en_US",
                **values,
            }
        )

    @classmethod
    def tax(cls, rate):
        """The company's sales tax of that percentage, not included in the price."""
        return cls.taxes.filtered(lambda tax: tax.amount == rate)

    @classmethod
    def line(cls, price=100.00, rate=25, **values):
        """An invoice line's values; ``rate`` is its VAT in percent.

        Without a name or a product, it is a router.
        """
        if "product_id" not in values:
            values.setdefault("name", "Router")
        return {
            "price_unit": price,
            "tax_ids": [Command.set(cls.tax(rate).ids)],
            **values,
        }

    @classmethod
    def invoice(cls, *lines, customer=None, post=True, **values):
        """A customer invoice of today, of one router if no lines are given."""
        move = cls.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": (customer or cls.private).id,
                "invoice_date": fields.Date.today(),
                "invoice_line_ids": [
                    Command.create(values) for values in lines or [cls.line()]
                ],
                **values,
            }
        )
        if post:
            move.action_post()
        return move

    @classmethod
    def order(cls, move, state="sent", **values):
        """An order as if the invoice had been sent; see :const:`PATH_TOKEN`."""
        return (
            cls.env["frontpay.order"]
            .sudo()
            .create(
                {
                    "move_id": move.id,
                    "state": state,
                    "channel": "session",
                    "reference": move.name,
                    "token": PATH_TOKEN,
                    "amount": move.amount_total,
                    "order_uuid": "ODR1",
                    **move.company_id._frontpay_destination(),
                    **values,
                }
            )
        )

    @classmethod
    def refund(cls, order, state="pending", price=None):
        """A posted credit note's refund, as if it had been handed over.

        :param float price: of its one line; without it, the whole invoice is credited
        """
        note = order.move_id._reverse_moves([{"invoice_date": fields.Date.today()}])
        if price:
            note.invoice_line_ids.price_unit = price
        note.action_post()
        return (
            cls.env["frontpay.refund"]
            .sudo()
            .create(
                {
                    "move_id": note.id,
                    "order_id": order.id,
                    "company_id": note.company_id.id,
                    "state": state,
                    "effect": "refund",
                    "amount": note.amount_total,
                }
            )
        )

    @classmethod
    def online_payment(cls, move, state="draft"):
        """What the customer's click on *Pay* in the portal makes."""
        provider = cls.env["payment.provider"].create(
            {"name": "Kortbetaling", "company_id": cls.company.id}
        )
        payment = cls.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": cls.env.ref("payment.payment_method_card").id,
                "reference": f"{move.name}-{provider.id}",
                "amount": move.amount_residual,
                "currency_id": move.currency_id.id,
                "partner_id": move.partner_id.id,
                "invoice_ids": [Command.set(move.ids)],
            }
        )
        payment.flush_recordset()
        payment._write({"state": state})  # this provider couldn't authorize it
        payment.invalidate_recordset()
        return payment

    def undone(self):
        """A context whose writes are taken back at its end."""
        return closing(self.env.cr.savepoint())


class RightsCase(FrontpayCommon):
    """People with different rights, in ``users`` by login.

    The portal user is the customer, and a stranger works for another company.
    """

    groups: ClassVar[dict[str, str]]  # of each login

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.setup_other_company(name="Elvenett Prøve AS")["company"]
        cls.users = {
            login: cls._user(login, groups) for login, groups in cls.groups.items()
        }

    @classmethod
    def _user(cls, login, groups):
        company = cls.other_company if login == "stranger" else cls.company
        values = {"partner_id": cls.private.id} if login == "portal" else {}
        return new_test_user(
            cls.env,
            f"frontpay_{login}",
            groups=groups,
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
            **values,
        )


class SandboxCase(FrontpayCommon):
    """The company's Front Payment is the project's sandbox, a process of its own.

    It calls nobody back: the tests deliver callbacks themselves.
    """

    @classmethod
    def setUpClass(cls):
        if not (ROOT / "sandbox" / "__main__.py").exists():
            raise SkipTest("The project's sandbox isn't part of an installed addon.")
        super().setUpClass()
        cls.sandbox = Sandbox()
        cls.addClassCleanup(cls.sandbox.stop)
        cls.sandbox.control("POST", "settings", {"callbacks": False})
        cls.company.frontpay_custom_url = f"{cls.sandbox.url}/api/v1/"

    def setUp(self):
        super().setUp()
        for resource in ("orders", "faults", "requests"):
            self.sandbox.control("DELETE", resource)
        self.nobody = None
        self.addCleanup(self.come_back)

    def other_company(self):
        """Another company at the same Front Payment."""
        company = self.setup_other_company(name="Elvenett Prøve AS")["company"]
        company.write(
            {
                name: self.company[name]
                for name in (
                    "frontpay_environment",
                    "frontpay_custom_url",
                    "frontpay_public_url",
                    "frontpay_api_token",
                    "frontpay_callback_secret",
                )
            }
        )
        company.action_frontpay_create_journal()
        return company

    def go_away(self):
        """Nobody listens at Front Payment's address any more."""
        if not self.nobody:
            error = errors.Unreachable("nobody listens")
            self.nobody = patch.object(Client, "_send", side_effect=error)
            self.nobody.start()

    def come_back(self):
        if self.nobody:
            self.nobody.stop()
            self.nobody = None


class Sandbox:
    """A sandbox process, and what tests control it by."""

    def __init__(self):
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "sandbox", "--port", "0"),
                *("--token", API_TOKEN, "--secret", SECRET, "--rate-limit", "100000"),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        first_line = self.process.stdout.readline()
        self.url = first_line.rpartition(" ")[2].strip().rstrip("/")
        if not self.url:
            self.stop()
            raise RuntimeError("The sandbox didn't start.")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def control(self, method, resource, document=None):
        answer = requests.request(
            method, f"{self.url}/sandbox/{resource}", json=document, timeout=10
        )
        answer.raise_for_status()
        return answer.json()

    def orders(self):
        """What it has stored, oldest first."""
        return self.control("GET", "orders")

    def requests(self):
        """The requests that reached its API, oldest first, as ``POST path``."""
        return [
            f"{request['method']} {request['path'].removeprefix('/api/v1/')}"
            for request in self.control("GET", "requests")
        ]

    def fault(self, kind, **details):
        """Let something go wrong with the next request."""
        self.control("POST", "faults", {"faults": [{"kind": kind, **details}]})

    def act(self, order_uuid, action):
        """Play the customer, or time."""
        return self.control("POST", f"orders/{order_uuid}/{action}")


def run_cron(env, name):
    """Let one of the addon's crons do its work, as the scheduler would.

    :param str name: ``send``, ``poll``, ``recover`` or ``compare``
    """
    getattr(env(user=SUPERUSER_ID)["frontpay.order"], f"_cron_{name}")()


def callback_pairs(secret=SECRET, **changes):
    """A callback's parameters in the documented order, signed, sent just now.

    :param changes: values in place of the usual ones; None takes a parameter out
    :return: list of (name, value)
    """
    values = {
        "orderUuid": "ODR1",
        "status": "PAID",
        "paymentMethod": "Visa",
        "amount": "125.00",
        "createdAt": "1755764131",
        "timestamp": str(int(time.time())),
    } | changes
    pairs = [(name, value) for name, value in values.items() if value is not None]
    if "checksum" not in values:
        pairs.append(("checksum", signature(pairs, secret)))
    return pairs


def signature(pairs, secret=SECRET):
    """The checksum by section 17.3, written down anew: a fault of the addon's own must
    not hide behind itself."""
    text = "".join(value for _name, value in pairs) + secret
    return hashlib.sha256(text.encode()).hexdigest()


def golden(name):
    """A document of ``golden/``."""
    return json.loads((Path(__file__).parent / "golden" / f"{name}.json").read_text())
