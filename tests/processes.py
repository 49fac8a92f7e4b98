"""The programs under test, each in a process of its own on a free port."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

from devtools.servers import DEV, ROOT, OdooServer, SandboxServer, Server, tail

# Where the machine can't print, a stand-in does; a real program comes first.
os.environ["PATH"] += os.pathsep + str(Path(__file__).parent / "bin")
# pytest-xdist runs the tests in several processes, its workers.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
# Each run has a folder of its own: two may run at once.
RUN = DEV / "log" / "tests" / os.environ.get("FRONTPAY_TEMPLATE_DB", "")
LOGS = RUN / WORKER

USUAL_SETTINGS = {
    "callbacks": True,
    "rate_limit": 240,
    "rate_window": "fixed",
    "details_references": False,
    "line_ids": True,
    "refund_outcome": True,
    "refund_amount_limit": 5000,
    "refund_week_limit": 3,
}
COMPLAINT = re.compile(r"^\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) ")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def python(*arguments: str | Path, **options) -> subprocess.CompletedProcess:
    """Run this Python to its end; what it says is in ``stdout``, stderr included."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=options.pop("cwd", ROOT),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=options.pop("timeout", 180),
        check=False,
        **options,
    )


def odoo(*arguments: str | Path, **options) -> str:
    """Run Odoo's command line to its end.

    :return: its log
    :raises AssertionError: it failed; the text is the end of its log
    """
    done = python("-m", "odoo", *arguments, **options)
    assert done.returncode == 0, tail(done.stdout)
    return done.stdout


def complaints(log: str) -> list[str]:
    """The log's lines of level warning and above."""
    return [line for line in log.splitlines() if COMPLAINT.match(line)]


def odoo_server(
    name: str,
    database: str,
    data_dir: Path,
    crons: int = 0,
    database_port: int | None = None,
    further: tuple[str, ...] = (),
) -> OdooServer:
    """Odoo on a free port.

    :param crons: how many scheduled actions may run at once. With any, all run in
        worker processes, as in production; else there are none, and threads serve HTTP
    :param database_port: another PostgreSQL server's
    :param further: more of Odoo's options
    """
    return OdooServer(
        LOGS / f"{name}.log",
        database,
        free_port(),
        *("--data-dir", str(data_dir)),
        *("--max-cron-threads", str(crons)),
        *(("--workers", "2", "--gevent-port", str(free_port())) if crons else ()),
        *(("--db_port", str(database_port)) if database_port else ()),
        *further,
    )


class Sandbox(SandboxServer):
    """The sandbox as tests control it.

    :param path: of a file that keeps the orders; else they end with the process
    """

    token = "token-of-the-tests"
    secret = "secret-of-the-tests"

    def __init__(self, name: str, port: int = 0, path: Path | None = None):
        super().__init__(
            LOGS / f"{name}.log",
            port,
            *("--token", self.token, "--secret", self.secret),
            *(("--db", str(path)) if path else ()),
        )
        self._session = requests.Session()
        self._session.trust_env = False

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/v1/"

    def orders(self) -> list[dict]:
        return self._control("GET", "orders")

    def order(self, invoice_name: str) -> dict:
        """The one order of an invoice."""
        [order] = self.orders_of(invoice_name)
        return order

    def orders_of(self, invoice_name: str) -> list[dict]:
        return [
            order for order in self.orders() if invoice_name_of(order) == invoice_name
        ]

    def invoice_names(self) -> list[str]:
        """The name of the invoice of each order."""
        return [invoice_name_of(order) for order in self.orders()]

    def act(self, order_uuid: str, action: str) -> None:
        """Play the customer or the provider: ``confirm``, ``pay``, ``remind`` …"""
        self._control("POST", f"orders/{order_uuid}/{action}")

    def fail_next(self, kind: str, **details) -> None:
        """Let the next submission of an order fail in this way."""
        fault = {"kind": kind, "path": "invoice/submit", **details}
        self._control("POST", "faults", {"faults": [fault]})

    def has_failed(self) -> bool:
        """Whether every fault that was asked for has met its request."""
        return not self._control("GET", "faults")["faults"]

    def customers(self) -> list[dict]:
        """All customers that it knows, the one that came first at the top."""
        return self._control("GET", "customers")

    def refunds(self) -> list[dict]:
        """All refunds that it took, oldest first."""
        return self._control("GET", "refunds")

    def decide(self, refund: dict, decision: str) -> None:
        """Play the provider: ``confirm`` or ``reject`` a refund."""
        self._control("POST", f"refunds/{refund['id']}/{decision}")

    def begin_chaos(self, seed: int, rates: list[dict], lost_callbacks: float) -> None:
        """Fail at random from now on; shares from 0 to 1."""
        chaos = {"seed": seed, "rates": rates, "lost_callbacks": lost_callbacks}
        self._control("POST", "chaos", chaos)

    def chaos(self) -> dict:
        """How many requests came since it began, and how often each fault struck."""
        return self._control("GET", "chaos")

    def requests(self) -> list[dict]:
        """The requests to the API: ``at`` in Unix seconds, ``path``, ``status``."""
        return self._control("GET", "requests")

    def set(self, **settings) -> None:
        self._control("POST", "settings", settings)

    def set_callbacks(self, on: bool) -> None:
        self.set(callbacks=on)

    def reset(self) -> None:
        """Forget all orders, requests and faults."""
        for what in ("faults", "chaos", "orders", "requests"):
            self._control("DELETE", what)
        self.set(**USUAL_SETTINGS)

    def _control(self, method: str, path: str, body=None):
        answer = self._session.request(
            method,
            f"{self.url}/sandbox/{path}",
            data=json.dumps(body) if body is not None else None,
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json()


def invoice_name_of(order: dict) -> str:
    """The name of an order's invoice: the first part of its ``referenceNo``."""
    return order["payload"]["referenceNo"].rpartition("-")[0]


class PostgresServer(Server):
    """A PostgreSQL of its own, which a test may restart. Its data is thrown away."""

    def __init__(self, name: str):
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-tests-"))
        self._as_owner = ()
        if os.geteuid() == 0:  # as whom PostgreSQL refuses to run
            shutil.chown(self._folder, "postgres", "postgres")
            self._as_owner = (
                *("setpriv", "--pdeathsig", "INT", "--reuid", "postgres"),
                *("--regid", "postgres", "--clear-groups"),
            )
        super().__init__(
            LOGS / f"{name}.log",
            *(*self._as_owner, postgres_program("postgres"), "-D", self._folder),
            *("-p", str(self.port), "-h", "127.0.0.1"),
            *("-c", "unix_socket_directories="),
            *("-c", "fsync=off"),
        )

    def create(self) -> None:
        """Make the cluster, whose only user is the one of all tests."""
        subprocess.run(
            [
                *(*self._as_owner, postgres_program("initdb")),
                *("--pgdata", self._folder, "--username", os.environ["PGUSER"]),
                *("--encoding", "UTF8", "--locale", "C.UTF-8"),
                *("--auth", "trust", "--no-sync"),
            ],
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
        )
        self.start()

    def _is_ready(self) -> bool:
        command = ["pg_isready", "--quiet", "--host", "127.0.0.1"]
        done = subprocess.run([*command, "--port", str(self.port)], check=False)
        return done.returncode == 0

    def restart(self) -> None:
        """As an administrator does: whoever is connected is thrown out."""
        self._end(self._process.send_signal, signal.SIGINT)
        self.start()

    def remove(self) -> None:
        self._end(self._process.send_signal, signal.SIGINT)
        shutil.rmtree(self._folder)


def postgres_program(name: str) -> str:
    """The newest installed version's."""
    versions = Path("/usr/lib/postgresql").iterdir()
    return str(max(versions, key=lambda path: float(path.name)) / "bin" / name)
