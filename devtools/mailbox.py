"""A mail server on this machine, for the demo and the tests: it takes every mail and
delivers none."""

import contextlib
import email
import email.policy
import re
import socketserver
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path


class _Conversation(socketserver.StreamRequestHandler):
    """As much of SMTP as Odoo speaks."""

    def handle(self) -> None:
        self._say("220 mailbox")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self._say("354 go on")
                self.server.take(b"".join(iter(self.rfile.readline, b".\r\n")))
            self._say("221 bye" if verb == b"QUIT" else "250 fine")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class Mailbox(socketserver.ThreadingTCPServer):
    """What was sent to it, oldest first, in ``mails``.

    :param folder: where each is written as a page for the browser, if anywhere
    """

    daemon_threads = True

    def __init__(self, folder: Path | None = None):
        super().__init__(("127.0.0.1", 0), _Conversation)
        self._folder = folder
        self.mails: list[EmailMessage] = []

    @property
    def port(self) -> int:
        return self.server_address[1]

    def mails_to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if address in mail["To"]]

    def take(self, content: bytes) -> None:
        # A line that begins with a dot comes with one more.
        content = content.replace(b"\r\n..", b"\r\n.")
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        self.mails.append(parsed)
        page = parsed.get_body(["html"])
        if self._folder and page:
            self._write(parsed["To"].addresses[0].addr_spec, page.get_content())

    def _write(self, address: str, page: str) -> None:
        """Named after the address, and numbered on from what lies there already."""
        self._folder.mkdir(exist_ok=True)
        number = len(list(self._folder.iterdir())) + 1
        name = re.sub(r"[^\w.@+-]", "_", address)
        (self._folder / f"{number:03}-{name}.html").write_text(page)


@contextlib.contextmanager
def mailbox(folder: Path | None = None) -> Iterator[Mailbox]:
    with Mailbox(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
