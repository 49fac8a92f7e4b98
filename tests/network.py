"""A network on 127.0.0.1: wires that break at a byte, TLS and a proxy's tunnels."""

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path

Address = tuple[str, int]

DELAY = 0.05  # seconds
PATIENCE = 30  # seconds without a byte
OUT, BACK = "on the way out", "on the way back"
NO_LINGER = struct.pack("ii", 1, 0)  # close with a reset


class Broken(Exception):
    """A wire came to its break."""


class Relay:
    """Listens, and passes on what it gets to ``target``, and the answer back."""

    def __init__(self, target: Address | None):
        self.target = target
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: Address = self._listener.getsockname()

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception):
        # Shut down, it wakes whoever waits for it; closed alone, it doesn't.
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection = self._listener.accept()[0]
                threading.Thread(
                    target=self._serve, args=(connection,), daemon=True
                ).start()

    def _serve(self, connection: socket.socket):
        ends = {connection}
        with contextlib.suppress(Broken, OSError):
            near, far = self.connect(connection)
            ends |= {near, far}
            self._open |= ends
            self._relay(near, far)
        self._open -= ends
        for end in ends:
            end.close()

    def connect(self, connection: socket.socket):
        """Both ends: the one that was accepted, and the one to the target."""
        return connection, socket.create_connection(self.target)

    def _relay(self, near: socket.socket, far: socket.socket):
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            for source in readable(near, far):
                data = source.recv(64 * 1024)
                if not data:
                    return
                if source is near:
                    self.forward(OUT, data, near, far)
                else:
                    self.forward(BACK, data, near, far)

    def forward(self, direction: str, data: bytes, near, far):
        (far if direction == OUT else near).sendall(data)


def readable(*ends: socket.socket) -> list[socket.socket]:
    """Those of which something can be read; waits for it."""
    pending = [end for end in ends if isinstance(end, ssl.SSLSocket) and end.pending()]
    return pending or select.select(ends, [], [], PATIENCE)[0]


@dataclass
class Break:
    """What happens once so many bytes went through in one direction."""

    kind: str
    direction: str
    position: int

    def __str__(self):
        return f"{self.kind} {self.direction}, after byte {self.position}"


class Wire(Relay):
    """Breaks where it is told to, or is whole; ``passed`` counts the bytes."""

    def __init__(self, target: Address, at: Break | None = None):
        super().__init__(target)
        self.at = at
        self.passed = {OUT: 0, BACK: 0}

    def forward(self, direction, data, near, far):
        passed = self.passed[direction]
        self.passed[direction] += len(data)
        at = self.at
        is_here = at and at.direction == direction and passed <= at.position
        if not is_here or at.position > passed + len(data):
            super().forward(direction, data, near, far)
            return
        until = at.position - passed
        if until:
            super().forward(direction, data[:until], near, far)
        BREAKS[at.kind](self, near, far)
        if data[until:]:
            super().forward(direction, data[until:], near, far)

    def cut(self, near, far):
        raise Broken

    def reset(self, near, far):
        for end in (near, far):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        raise Broken

    def stall(self, near, far):
        """Until whoever waits on this side gives up."""
        while near.recv(64 * 1024):
            pass
        raise Broken

    def delay(self, near, far):
        time.sleep(DELAY)


BREAKS = {
    "cut": Wire.cut,
    "reset": Wire.reset,
    "stalled": Wire.stall,
    "delayed": Wire.delay,
}


class Tls(Relay):
    """Speaks TLS, in front of a server that doesn't.

    :param certificate: a file with a key and a certificate for 127.0.0.1
    """

    def __init__(self, target: Address, certificate: Path):
        super().__init__(target)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)

    def connect(self, connection):
        secured = self._context.wrap_socket(connection, server_side=True)
        return super().connect(secured)


class Tunnel(Relay):
    """A proxy that connects to wherever it is told to (CONNECT)."""

    def __init__(self):
        super().__init__(None)

    def connect(self, connection):
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            data = connection.recv(4096)
            if not data:
                raise Broken
            request += data
        host, _colon, port = request.split()[1].decode().partition(":")
        far = socket.create_connection((host, int(port)))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return connection, far
