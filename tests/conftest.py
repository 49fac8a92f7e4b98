"""A company that uses Front Payment: Odoo, the sandbox and a browser, all real.

``./dev test`` starts PostgreSQL, makes the template database and names it.
"""

import contextlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from .browser import Desk, chromium
from .databases import column, copied
from .people import Person
from .processes import DEV, LOGS, OdooServer, Program, SandboxServer, python, tail

TABLES = pytest.StashKey[dict[str, dict]]()
SETUP = Path(__file__).with_name("company_setup.py")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what the browser shows and how the logs end at that moment."""
    report = yield
    if report.failed:
        for desk in item.funcargs.values():
            if isinstance(desk, Desk):
                report.sections.append(("picture", str(desk.picture("failed"))))
        for program in Program.running:
            report.sections.append((f"log of {program.name}", tail(program.log)))
    return report


def pytest_terminal_summary(terminalreporter, config):
    """The tables that tests made, below the results."""
    for title, table in config.stash.get(TABLES, {}).items():
        terminalreporter.section(title)
        for name, value in table.items():
            terminalreporter.write_line(f"{name:.<32} {value}")


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
    """A company at work: its server, its people and the sandbox that it talks to."""

    def __init__(self, company: Company, server: OdooServer, sandbox: SandboxServer):
        self.company = company
        self.server = server
        self.sandbox = sandbox
        self.admin = self.person("admin")
        self.bookkeeper = self.person("bookkeeper")
        self.configure(
            frontpay_custom_url=sandbox.api_url,
            frontpay_api_token=sandbox.token,
            frontpay_callback_secret=sandbox.secret,
            frontpay_public_url=server.url,
        )

    def person(self, login: str) -> Person:
        """Somebody who logs in; every password is the login."""
        return Person(self.server.url, self.server.database, login, login)

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

    def name(self, invoice: int) -> str:
        return self.bookkeeper.read("account.move", invoice, "name")["name"]

    def send(self, invoice: int) -> dict:
        return self.bookkeeper.click("account.move", "action_frontpay_send", invoice)

    def run_cron(self, name: str) -> None:
        """Let one of the addon's crons run now, and wait until it is done."""
        code = f"model._{name}()"
        [cron] = self.admin.call("ir.cron", "search", [["code", "=", code]])
        self.admin.call("ir.cron", "method_direct_trigger", [cron])

    def state(self, invoice: int) -> str | bool:
        return self._read(invoice, "frontpay_state")["frontpay_state"]

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


@pytest.fixture(scope="session", autouse=True)
def clear_old_logs():
    """The logs of a run stay until the next one."""
    databases = column("postgres", "SELECT datname FROM pg_database")
    for folder in LOGS.parent.glob("*"):
        if folder.name not in databases:
            shutil.rmtree(folder)


@pytest.fixture
def show(pytestconfig):
    """Show a table, a dict of names and values, below the results of the run."""
    tables = pytestconfig.stash.setdefault(TABLES, {})
    return tables.__setitem__


@pytest.fixture(scope="session")
def data_dir():
    with tempfile.TemporaryDirectory(prefix="data-tests-", dir=DEV) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def prepared_company():
    """A company in a database of its own, which nobody uses but to copy it."""
    with copied(os.environ["FRONTPAY_TEMPLATE_DB"], "company") as database:
        done = python(
            *("-m", "odoo", "shell", "--no-http", "--database", database),
            *("--log-level", "warn"),
            input=SETUP.read_text(),
        )
        assert done.returncode == 0, tail(done.stdout)
        yield Company(database, **json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="session")
def sandbox_server():
    server = SandboxServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def open_office(prepared_company, sandbox_server, data_dir):
    """Open an office with a server and a database of its own, as a context manager.

    Its options are those of the server.
    """

    @contextlib.contextmanager
    def opened(name: str, **options):
        port = options.get("database_port")
        with copied(prepared_company.database, name, port) as database:
            server = OdooServer(name, database, data_dir, **options)
            try:
                server.start()
                yield Office(prepared_company, server, sandbox_server)
            finally:
                server.stop()

    return opened


@pytest.fixture(scope="session")
def shared_office(open_office):
    with open_office("office") as office:
        yield office


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def sandbox(sandbox_server):
    """The sandbox, empty and without faults."""
    sandbox_server.reset()
    return sandbox_server


@pytest.fixture
def office(shared_office, sandbox):
    """The office of all tests; each makes its own invoices."""
    return shared_office
