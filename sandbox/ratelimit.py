"""One bucket of requests a minute for the whole API (section 2).

How the real one counts is not stated. ``fixed`` is Laravel's way: the minute begins
with the first request, and is followed by a new one. ``sliding`` is the strictest way:
the limit holds for any 60 seconds.
"""

import math
import threading
import time
from collections import deque

WINDOW = 60  # seconds; not stated either, this is Laravel's default


class FixedWindow:
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


class SlidingWindow:
    def __init__(self, clock=time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        self._hits: deque[float] = deque()

    def hit(self, limit: int) -> tuple[bool, int, int]:
        """Count one request: is it allowed, how many are left, seconds to the next."""
        with self._lock:
            now = self._clock()
            while self._hits and self._hits[0] <= now - WINDOW:
                self._hits.popleft()
            allowed = len(self._hits) < limit
            if allowed:
                self._hits.append(now)
            wait = self._hits[0] + WINDOW - now
            return allowed, max(0, limit - len(self._hits)), max(1, math.ceil(wait))


WINDOWS = {"fixed": FixedWindow, "sliding": SlidingWindow}
