"""Connections that end in time, and know whether a request was begun.

``requests`` tells neither: its time-outs are for a silence, not for the whole call, and
errors on the way through a proxy are the proxy's, also after the request was read.
"""

import io
import time

from requests.adapters import HTTPAdapter


class Transport(HTTPAdapter):
    """For one call at a time; :meth:`start` comes before each.

    ``has_begun`` tells whether a byte of the call's own request was written: opening
    the connection, a proxy's CONNECT and the TLS handshake don't count.
    """

    def start(self, seconds):
        """Begin a call that ends as a whole after so many seconds."""
        self.deadline = time.monotonic() + seconds
        self.has_begun = False

    def time_left(self):
        """Seconds, or a TimeoutError when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def init_poolmanager(self, *args, **kwargs):
        result = super().init_poolmanager(*args, **kwargs)
        self._use_own_connections(self.poolmanager)
        return result

    def proxy_manager_for(self, proxy, **kwargs):
        is_known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not is_known:
            self._use_own_connections(manager)
        return manager

    def _use_own_connections(self, manager):
        pools = {}
        for scheme, pool in manager.pool_classes_by_scheme.items():
            bases = (_Connection, pool.ConnectionCls)
            connection = type("Connection", bases, {"transport": self})
            pools[scheme] = type("Pool", (pool,), {"ConnectionCls": connection})
        manager.pool_classes_by_scheme = pools


class _Connection:
    """What is put before each of urllib3's connection classes."""

    is_connecting = False

    def connect(self):
        self.is_connecting = True
        try:
            return super().connect()
        finally:
            self.is_connecting = False

    def send(self, data):
        if self.sock is None:
            self.connect()
        if self.is_connecting:  # through a proxy
            return super().send(data)
        unsent = memoryview(data)
        while unsent:
            self.sock.settimeout(self.transport.time_left())
            unsent = unsent[self.sock.send(unsent) :]
            self.transport.has_begun = True

    def response_class(self, sock, *args, **kwargs):
        response = super().response_class(sock, *args, **kwargs)
        reader = _Reader(response.fp.detach(), sock, self.transport)
        response.fp = io.BufferedReader(reader)
        return response


class _Reader(io.RawIOBase):
    """A socket's incoming bytes, as long as there is time left."""

    def __init__(self, raw, sock, transport):
        self._raw, self._sock, self._transport = raw, sock, transport

    def readable(self):
        return True

    def readinto(self, buffer):
        left = self._transport.time_left()
        self._sock.settimeout(min(left, self._sock.gettimeout()))
        return self._raw.readinto(buffer)

    def close(self):
        self._raw.close()
        return super().close()
