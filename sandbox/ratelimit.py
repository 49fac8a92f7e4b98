"""One bucket of requests a minute for the whole API (section 2)."""

import threading
import time

WINDOW = 60  # seconds; the real one is not stated, this is Laravel's default


class RateLimit:
    def __init__(self, clock=time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        self._ends = 0.0
        self._used = 0

    def hit(self, limit: int) -> tuple[bool, int, int]:
        """Count one request: is it allowed, how many are left, seconds to the next."""
        with self._lock:
            now = self._clock()
            if now >= self._ends:
                self._ends = now + WINDOW
                self._used = 0
            allowed = self._used < limit
            self._used += allowed
            return allowed, limit - self._used, max(1, round(self._ends - now))
