"""A mail server on this machine: it takes every mail and delivers none."""

import contextlib
import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from email.message import EmailMessage


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
    """What was sent to it, oldest first, in ``mails``."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Conversation)
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


@contextlib.contextmanager
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
