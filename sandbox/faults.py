"""Faults on demand: what goes wrong with the next requests to the API.

=============  ===========================================================
``status``     answers with ``status`` (400 to 599)
``delay``      takes ``seconds`` longer (at most 120)
``drop``       closes the connection without an answer
``garbage``    answers 200 with something that is no JSON
``limited``    answers 429 with ``Retry-After: retry_after``
=============  ===========================================================

``when`` says whether that happens ``before`` (the default) or ``after`` the request was
carried out; ``path`` keeps a fault for requests whose path contains that text, or one
of several with ``|`` between them.
:class:`Faults` strike the next requests, :class:`Chaos` strikes at random.
"""

import random
import threading
from dataclasses import asdict, dataclass, fields

LONGEST_DELAY = 120  # seconds
LARGEST_COUNT = 10_000


@dataclass(kw_only=True)
class Fault:
    kind: str
    when: str = "before"
    path: str = ""
    status: int = 500
    seconds: float = 0
    retry_after: int = 1

    def is_meant_for(self, path: str) -> bool:
        return any(part in path for part in self.path.split("|"))


@dataclass(kw_only=True)
class NextFault(Fault):
    """Strikes the next ``count`` requests."""

    count: int = 1


@dataclass(kw_only=True)
class RandomFault(Fault):
    """Strikes this share of all requests, ``rate`` from 0 to 1."""

    rate: float


def _is_integer(low: int, high: int):
    return lambda value: type(value) is int and low <= value <= high


def _is_number(low: float, high: float):
    return lambda value: type(value) in (int, float) and low <= value <= high


KINDS = ("status", "delay", "drop", "garbage", "limited")
FIELDS = {
    "kind": ("one of " + ", ".join(KINDS), lambda value: value in KINDS),
    "when": ("before or after", lambda value: value in ("before", "after")),
    "count": (f"a whole number, 1 to {LARGEST_COUNT}", _is_integer(1, LARGEST_COUNT)),
    "path": ("a text", lambda value: isinstance(value, str)),
    "status": ("a whole number, 400 to 599", _is_integer(400, 599)),
    "seconds": (f"a number, 0 to {LONGEST_DELAY}", _is_number(0, LONGEST_DELAY)),
    "retry_after": ("a whole number, 0 to 3600", _is_integer(0, 3600)),
    "rate": ("a number, 0 to 1", _is_number(0, 1)),
}


class Faults:
    """The faults that wait, in the order in which they were added."""

    def __init__(self):
        self._lock = threading.Lock()
        self._waiting: list[NextFault] = []

    def add(self, wanted: object) -> None:
        """Let the faults of ``{"faults": [...]}`` wait for their requests.

        :raises ValueError: with a sentence; then none of them is taken
        """
        faults = _read_all(wanted, "faults", NextFault)
        with self._lock:
            self._waiting += faults

    def take(self, path: str) -> Fault | None:
        """The first fault that is meant for a request to ``path``; None if none is."""
        with self._lock:
            for fault in self._waiting:
                if fault.is_meant_for(path):
                    fault.count -= 1
                    if not fault.count:
                        self._waiting.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[dict]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting]


class Chaos:
    """Faults at random, the same ones for a seed and the same order of requests."""

    def __init__(self):
        self._lock = threading.Lock()
        self.end()

    def begin(self, wanted: object) -> None:
        """Let the faults of ``{"seed": N, "rates": [...]}`` strike from now on.

        ``"lost_callbacks"`` is the share of callbacks that are never sent.

        :raises ValueError: with a sentence; then everything stays as it was
        """
        faults = _read_all(wanted, "rates", RandomFault)
        if sum(fault.rate for fault in faults) > 1:
            raise ValueError("The rates together must not be above 1.")
        seed, lost = wanted.get("seed"), wanted.get("lost_callbacks", 0)
        if type(seed) is not int:
            raise ValueError("The 'seed' must be a whole number.")
        expected, fits = FIELDS["rate"]
        if not fits(lost):
            raise ValueError(f"The 'lost_callbacks' must be {expected}.")
        with self._lock:
            self._set(seed, faults, lost)

    def end(self) -> None:
        with self._lock:
            self._set(None, [], 0)

    def _set(self, seed: int | None, faults: list[RandomFault], lost: float) -> None:
        self._seed = seed
        self._faults = faults
        self._struck = [0] * len(faults)
        self._requests = 0
        self._lost = lost
        self._lost_callbacks = 0
        # Two series, so that callbacks don't change which requests are struck.
        self._draw = random.Random(seed).random
        self._draw_callback = random.Random(seed).random

    def take(self, path: str) -> Fault | None:
        """What strikes this request to ``path``, if anything does."""
        with self._lock:
            self._requests += 1
            left = self._draw()
            for position, fault in enumerate(self._faults):
                if left < fault.rate:
                    if not fault.is_meant_for(path):
                        return None
                    self._struck[position] += 1
                    return fault
                left -= fault.rate
        return None

    def loses_callback(self) -> bool:
        """Whether the next callback is never sent."""
        with self._lock:
            is_lost = self._draw_callback() < self._lost
            self._lost_callbacks += is_lost
            return is_lost

    def counts(self) -> dict:
        """The requests since it began, and how often each fault struck."""
        with self._lock:
            return {
                "seed": self._seed,
                "requests": self._requests,
                "lost_callbacks": self._lost_callbacks,
                "rates": [
                    {**asdict(fault), "struck": struck}
                    for fault, struck in zip(self._faults, self._struck, strict=True)
                ],
            }


def _read_all(wanted: object, name: str, form: type[Fault]) -> list:
    rows = wanted.get(name) if isinstance(wanted, dict) else None
    if not isinstance(rows, list):
        raise ValueError(f'Send {{"{name}": [...]}}, a list of faults.')
    return [_read(row, position, form) for position, row in enumerate(rows)]


def _read(row: object, position: int, form: type[Fault]) -> Fault:
    if not isinstance(row, dict) or "kind" not in row:
        raise ValueError(f"Fault {position} must be an object with a 'kind'.")
    known = [field.name for field in fields(form)]
    for name, value in row.items():
        if name not in known:
            raise ValueError(
                f"Fault {position} has an unknown field {name!r}; "
                f"known are {', '.join(known)}."
            )
        wanted, fits = FIELDS[name]
        if not fits(value):
            raise ValueError(f"The {name!r} of fault {position} must be {wanted}.")
    if form is RandomFault and "rate" not in row:
        raise ValueError(f"Fault {position} must have a 'rate'.")
    return form(**row)
