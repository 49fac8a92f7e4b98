"""Odoo and the sandbox, each as a server in a process of its own: for the tests and
for ``./dev demo``, which is this module's command line."""

import os
import re
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import requests

from .mailbox import mailbox

ROOT = Path(__file__).resolve().parents[1]
DEV = Path(os.environ.get("FRONTPAY_DEV_DIR", ROOT / ".dev"))
MAILS = DEV / "mails"
START_TIMEOUT = 60  # seconds
STOP_TIMEOUT = 30  # seconds
DEMO_COMPANY = "Fjordlys Demo AS"


class ServerEnded(Exception):
    """A server ended, or didn't start in time; the text is how its log ends."""


def tail(log: str, lines: int = 40) -> str:
    """The end of a log, without the requests that Odoo answered well."""
    told = [line for line in log.splitlines() if " INFO " not in line]
    return "\n".join(told[-lines:])


class Server(ABC):
    """A running process. It ends with this one, even if this one is killed.

    In a process group of its own, so that Ctrl-C reaches only this process.

    :param log_path: where its output goes; begun anew
    """

    running: ClassVar[list["Server"]] = []

    def __init__(self, log_path: Path, *command: str):
        log_path.parent.mkdir(parents=True, exist_ok=True)
        log_path.write_text("")
        self.log_path = log_path
        self._command = command

    @property
    def name(self) -> str:
        return self.log_path.stem

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    @property
    def _log_since_start(self) -> str:
        return self.log_path.read_bytes()[self._started_at :].decode(errors="replace")

    def start(self) -> None:
        """Start it and wait until it can be used; again after :meth:`kill` too.

        :raises ServerEnded: it can't be used
        """
        with self.log_path.open("a") as log:
            self._started_at = log.tell()
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *self._command],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        self.running.append(self)
        deadline = time.monotonic() + START_TIMEOUT
        while not self._is_ready():
            if self.has_ended():
                raise ServerEnded(f"{self.name} ended:\n{tail(self.log)}")
            if time.monotonic() > deadline:
                raise ServerEnded(f"{self.name} is late:\n{tail(self.log)}")
            time.sleep(0.1)

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether it can be used by now."""

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def stop(self) -> None:
        self._end(self._process.send_signal, signal.SIGTERM)

    def kill(self) -> None:
        """As a power cut: no clean-up, no rollback by the program itself."""
        self._end(self._kill_group, signal.SIGKILL)

    def _kill_group(self, sign: int) -> None:
        """The workers that it started too."""
        os.killpg(self._process.pid, sign)

    def _end(self, send, sign: int) -> None:
        if self not in self.running:
            return
        self.running.remove(self)
        send(sign)
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT)
            raise


class OdooServer(Server):
    """Odoo's HTTP server for one database."""

    def __init__(self, log_path: Path, database: str, port: int, *options: str):
        self.database = database
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(
            log_path,
            *(sys.executable, str(ROOT / "devtools" / "odoo_server.py")),
            *("--database", database, "--db-filter", f"^{database}$"),
            *("--http-port", str(port)),
            *options,
        )

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/web/health", timeout=30).ok
        except requests.ConnectionError:
            return False


class SandboxServer(Server):
    """The sandbox; ``url`` is there once it has started.

    :param port: 0 for any free one, at each start another
    """

    def __init__(self, log_path: Path, port: int, *options: str):
        command = (sys.executable, "-m", "sandbox", "--port", str(port))
        super().__init__(log_path, *command, *options)

    def _is_ready(self) -> bool:
        told = re.search(r"sandbox on (http://\S+)/\n", self._log_since_start)
        self.url = told and told[1]
        return bool(told)


def run_demo(database: str, odoo_port: int, sandbox_port: int, smtp_port: int) -> None:
    """Run both until this process is asked to end.

    :param smtp_port: of the mail server that Odoo uses

    :raises ServerEnded: one of them ended by itself
    """
    logs = DEV / "log"
    sandbox_file = str(DEV / "sandbox.sqlite")
    servers = {
        "the sandbox": SandboxServer(
            logs / "demo-sandbox.log",
            sandbox_port,
            *("--db", sandbox_file, "--merchant", DEMO_COMPANY),
        ),
        "Odoo": OdooServer(
            logs / "demo-odoo.log",
            database,
            odoo_port,
            *("--smtp", "127.0.0.1", "--smtp-port", str(smtp_port)),
        ),
    }
    try:
        for name, server in servers.items():
            started = time.monotonic()
            print(f"Starting {name} ... ", end="", file=sys.stderr, flush=True)
            server.start()
            print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
        print(f"""
  Odoo     http://127.0.0.1:{odoo_port}    login admin, password admin
  Sandbox  http://127.0.0.1:{sandbox_port}
  Mails    {MAILS}: what customers get, as pages for the browser

Ctrl-C stops both. What they say is in .dev/log/demo-odoo.log and
.dev/log/demo-sandbox.log.""")
        sys.stdout.flush()
        while not any(server.has_ended() for server in servers.values()):
            time.sleep(0.5)
        raise ServerEnded("Odoo or the sandbox ended by itself; its log tells why.")
    finally:
        for server in list(Server.running):
            server.stop()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with mailbox(MAILS) as post:
            run_demo(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), post.port)
    except ServerEnded as trouble:
        sys.exit(f"\n{trouble}")
    except KeyboardInterrupt:
        sys.exit(130)
