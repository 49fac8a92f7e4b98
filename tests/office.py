"""A company at work: its server, its users and the sandbox that it talks to."""

import contextlib
import time
from collections import Counter
from dataclasses import dataclass

from psycopg2.errors import ForeignKeyViolation

from .databases import rows
from .processes import OdooServer, Sandbox
from .rpc import Person

# What is forgotten between two tests; what hangs on it goes with it.
FORGOTTEN = (
    "frontpay_exchange",
    "frontpay_refund",
    "frontpay_order",
    "frontpay_outage",
    "frontpay_remote_order",
    "frontpay_rate_limit",
    "bus_bus",  # a page opened within a minute would still tell it
)


@dataclass
class Company:
    """A database with a set-up company; the numbers are ids of its records."""

    database: str
    company: int
    journal: int
    norway: int
    private: int
    corporate: int
    tax: int


class Office:
    """A company at work; made, it uses the sandbox."""

    def __init__(self, company: Company, server: OdooServer, sandbox: Sandbox):
        self.company = company
        self.server = server
        self.sandbox = sandbox
        self.admin = self.person("admin")
        self.bookkeeper = self.person("bookkeeper")
        self.use(sandbox)

    def person(self, login: str) -> Person:
        """Somebody who logs in; every password is the login."""
        return Person(self.server.url, self.server.database, login, login)

    def use(self, sandbox: Sandbox) -> None:
        """Take a sandbox for Front Payment."""
        self.configure(
            frontpay_custom_url=sandbox.api_url,
            frontpay_api_token=sandbox.token,
            frontpay_callback_secret=sandbox.secret,
            frontpay_public_url=self.server.url,
        )

    def set_parameter(self, name: str, value: int) -> None:
        """Set one of the addon's system parameters."""
        key = f"frontpay_odoo.{name}"
        self.admin.call("ir.config_parameter", "set_param", key, str(value))

    def reset(self) -> None:
        """Forget all orders, as the sandbox does: no test meets another one's."""
        for _attempt in range(20):
            # A scheduled action may just be writing what hangs on an order.
            with contextlib.suppress(ForeignKeyViolation):
                for table in FORGOTTEN:
                    rows(self.server.database, f"DELETE FROM {table}")
                return
            time.sleep(0.5)
        raise AssertionError("Orders come and go, and can't be forgotten.")

    def configure(self, **settings) -> None:
        self.admin.call("res.company", "write", [self.company.company], settings)

    def customer(self, name: str, **values) -> int:
        """A private customer like the company's own, but for these values."""
        private = self.company.private
        [customer] = self.admin.call("res.partner", "copy", [private])
        # A copy is another person to Odoo, so it has no personal number yet.
        number = self.admin.read("res.partner", private, "frontpay_personal_number")
        del number["id"]
        values = {"name": name} | number | values
        self.admin.call("res.partner", "write", [customer], values)
        return customer

    def invoice(self, customer: int | None = None, price: float = 1000.0) -> int:
        """A posted invoice of one line with 25 % VAT; ``price`` in NOK without it."""
        [invoice] = self.invoices([(customer or self.company.private, price)])
        return invoice

    def invoices(self, wanted: list[tuple[int, float]]) -> list[int]:
        """Posted invoices as :meth:`invoice` makes one, of customers and prices."""
        values = [
            {
                "move_type": "out_invoice",
                "partner_id": customer,
                "invoice_line_ids": [
                    [
                        *(0, 0),
                        {
                            "name": "Fiber connection",
                            "quantity": 1,
                            "price_unit": price,
                            "tax_ids": [[6, 0, [self.company.tax]]],
                        },
                    ]
                ],
            }
            for customer, price in wanted
        ]
        invoices = self.bookkeeper.call("account.move", "create", values)
        self.bookkeeper.call("account.move", "action_post", invoices)
        return invoices

    def batch(self, count: int) -> list[int]:
        """Posted invoices of one customer, over NOK 100, 101 … without VAT."""
        return self.invoices([(self.company.private, 100.0 + n) for n in range(count)])

    def credit(self, invoice: int, net: float | None = None) -> int:
        """A posted credit note for an invoice, or for a part without its VAT."""
        wizard = self.bookkeeper.call(
            "account.move.reversal",
            "create",
            {"move_ids": [[6, 0, [invoice]]], "journal_id": self._journal_of(invoice)},
        )
        made = self.bookkeeper.call("account.move.reversal", "reverse_moves", [wizard])
        note = made["res_id"]
        if net is not None:
            [line] = self._read(note, "invoice_line_ids")["invoice_line_ids"]
            change = {"invoice_line_ids": [[1, line, {"price_unit": net}]]}
            self.bookkeeper.call("account.move", "write", [note], change)
        self.bookkeeper.call("account.move", "action_post", [note])
        return note

    def _journal_of(self, invoice: int) -> int:
        return self._read(invoice, "journal_id")["journal_id"]

    def refund_state(self, note: int) -> str | bool:
        return self._read(note, "frontpay_refund_state")["frontpay_refund_state"]

    def name(self, invoice: int) -> str:
        return self.bookkeeper.read("account.move", invoice, "name")["name"]

    def send(self, invoice: int) -> dict:
        return self.bookkeeper.click("account.move", "action_frontpay_send", invoice)

    def run_cron(self, name: str) -> None:
        """Let one of the addon's crons run now, and wait until it is done."""
        self.run_cron_of("frontpay_odoo", name)

    def run_cron_of(self, module: str, name: str) -> None:
        """The same of any addon."""
        known = [["module", "=", module], ["name", "=", name]]
        [found] = self.admin.call("ir.model.data", "search_read", known, ["res_id"])
        self.admin.call("ir.cron", "method_direct_trigger", [found["res_id"]])

    def portal_address(self, invoice: int) -> str:
        """Where the customer sees the invoice, without logging in."""
        preview = self.bookkeeper.click("account.move", "preview_invoice", invoice)
        return self.server.url + preview["url"]

    def send_mails(self) -> None:
        """Let Odoo's own queue send what was written."""
        self.run_cron_of("mail", "ir_cron_mail_scheduler_action")

    def pretend_age(self, invoice: int, days: int) -> None:
        """As if an invoice had been sent, and its link e-mailed, so many days ago."""
        age = f"interval '{days} days'"
        rows(
            self.server.database,
            f"UPDATE frontpay_order SET sent_at = sent_at - {age},"
            f" link_emailed_at = link_emailed_at - {age} WHERE move_id = {invoice}",
        )

    def state(self, invoice: int) -> str | bool:
        return self._read(invoice, "frontpay_state")["frontpay_state"]

    def states(self, invoices: list[int]) -> Counter:
        """How many invoices are in each state."""
        fields = ["frontpay_state"]
        read = self.bookkeeper.call("account.move", "read", invoices, fields)
        return Counter(invoice["frontpay_state"] for invoice in read)

    def orders(self, invoice: int) -> list[dict]:
        """All ``frontpay.order`` of an invoice, oldest first."""
        return self.admin.call(
            "frontpay.order",
            "search_read",
            [["move_id", "=", invoice]],
            [
                *("state", "order_uuid", "customer_uuid", "reference", "token"),
                *("amount", "payment_id"),
            ],
            order="id",
            load=None,
        )

    def payments(self, invoice: int) -> list[dict]:
        """The payments that are reconciled with an invoice."""
        return self.admin.call(
            "account.payment",
            "search_read",
            [["reconciled_invoice_ids", "in", [invoice]]],
            ["amount", "journal_id", "state", "is_reconciled", "partner_id"],
            load=None,
        )

    def money(self, invoice: int) -> dict:
        return self._read(
            invoice, "payment_state", "amount_residual", "amount_total", "currency_id"
        )

    def _read(self, invoice: int, *fields: str) -> dict:
        return self.bookkeeper.read("account.move", invoice, *fields)
