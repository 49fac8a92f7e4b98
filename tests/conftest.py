"""A company that uses Front Payment: Odoo, the sandbox and a browser, all real.

``./dev test`` starts PostgreSQL, makes the template database and names it.
"""

import contextlib
import fcntl
import importlib
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

from devtools.mailbox import mailbox
from devtools.servers import ROOT, Server

from .browser import PHONE, Desk, chromium, opened
from .databases import copied, create_copy, rows
from .office import Company, Office
from .processes import DEV, RUN, Sandbox, odoo_server, python, tail

SETUP = Path(__file__).with_name("company_setup.py")
# Odoo's own scheduler sets their pace, so their tests wait most of the time.
WAITING_FILES = ("test_limit.py", "test_scheduler.py", "test_servers.py")


class OneProcessWaits(LoadFileScheduling):
    """Each file's tests go to one process, and all that wait to the same one: the
    others have the machine for themselves meanwhile."""

    def _split_scope(self, nodeid):
        file = super()._split_scope(nodeid)
        return "waiting" if file.endswith(WAITING_FILES) else file


def pytest_xdist_make_scheduler(config, log):
    return OneProcessWaits(config, log)


def pytest_collection_modifyitems(config, items):
    """In several processes, those tests that wait begin, then those that take long."""
    if hasattr(config, "workerinput"):
        items.sort(
            key=lambda item: (
                item.path.name not in WAITING_FILES,
                item.path.parent != SETUP.parent,
            )
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what the browser shows and how the logs end at that moment."""
    report = yield
    if report.failed:
        for desk in item.funcargs.values():
            if isinstance(desk, Desk):
                report.sections.append(("picture", str(desk.picture("failed"))))
        for server in Server.running:
            report.sections.append((f"log of {server.name}", tail(server.log)))
    return report


@pytest.fixture
def show(record_property):
    """Show a table, a dict of names and values, below the results of the run."""
    return record_property


@pytest.fixture(scope="session")
def data_dir():
    with tempfile.TemporaryDirectory(prefix="data-tests-", dir=DEV) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def prepared_company():
    """A company in a database of its own, which nobody uses but to copy it.

    Made once for all processes of a run; ``./dev test`` drops it.
    """
    RUN.mkdir(parents=True, exist_ok=True)
    made = RUN / "company.json"
    with (RUN / "company.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            made.write_text(json.dumps(make_company()))
    return Company(**json.loads(made.read_text()))


def make_company() -> dict:
    template = os.environ["FRONTPAY_TEMPLATE_DB"]
    database = f"{template}_company"
    create_copy(template, database)
    done = python(
        *("-m", "odoo", "shell", "--no-http", "--database", database),
        *("--log-level", "warn"),
        input=SETUP.read_text(),
    )
    assert done.returncode == 0, tail(done.stdout)
    return {"database": database, **json.loads(done.stdout.splitlines()[-1])}


@pytest.fixture(scope="session")
def sandbox_server():
    server = Sandbox("sandbox")
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
            server = odoo_server(name, database, data_dir, **options)
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


@pytest.fixture(scope="session")
def scheduled_office(open_office):
    with open_office("scheduled", crons=2) as office:
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
    """An office without scheduled actions: nothing happens but what a test does."""
    shared_office.reset()
    return shared_office


@pytest.fixture
def busy_office(scheduled_office, sandbox):
    """An office whose scheduled actions run by themselves, in worker processes."""
    scheduled_office.reset()
    yield scheduled_office
    # Or what still waits there goes out in another office's test: they share a sandbox.
    scheduled_office.reset()


@pytest.fixture
def post(office):
    """The mail server that Odoo uses, while customers get their links by e-mail."""
    rows(office.server.database, "DELETE FROM mail_mail")  # what others left
    with mailbox() as post:
        values = {"name": "Mailbox", "smtp_host": "127.0.0.1", "smtp_port": post.port}
        server = office.admin.call("ir.mail_server", "create", [values])
        office.configure(frontpay_email_link=True)
        yield post
        office.configure(frontpay_email_link=False)
        office.admin.call("ir.mail_server", "unlink", server)


@pytest.fixture
def phone(browser, office, request):
    """The customer's, who isn't logged in anywhere."""
    with opened(browser, office.server.url, f"{request.node.name}-phone") as phone:
        phone.page.set_viewport_size(PHONE)
        yield phone


@pytest.fixture(scope="module")
def connect():
    """Imports from the addon's ``connect``, which needs no Odoo."""
    file = ROOT / "frontpay_odoo" / "connect" / "__init__.py"
    spec = importlib.util.spec_from_file_location("connect", file)
    sys.modules["connect"] = importlib.util.module_from_spec(spec)
    yield importlib.import_module
    for name in [name for name in sys.modules if f"{name}.".startswith("connect.")]:
        del sys.modules[name]
