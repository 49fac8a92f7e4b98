"""Faults on demand: what goes wrong with the next requests to the API.

=============  ===========================================================
``status``     answers with ``status`` (400 to 599)
``delay``      takes ``seconds`` longer (at most 120)
``drop``       closes the connection without an answer
``garbage``    answers 200 with something that is no JSON
``limited``    answers 429 with ``Retry-After: retry_after``
=============  ===========================================================

``when`` says whether that happens ``before`` (the default) or ``after`` the request was
carried out; ``count`` repeats a fault, ``path`` keeps it for requests whose path
contains that text.
"""

import threading
from dataclasses import asdict, dataclass, fields

LONGEST_DELAY = 120  # seconds
LARGEST_COUNT = 10_000


@dataclass
class Fault:
    kind: str
    when: str = "before"
    count: int = 1
    path: str = ""
    status: int = 500
    seconds: float = 0
    retry_after: int = 1


def _is_whole(low: int, high: int):
    return lambda value: type(value) is int and low <= value <= high


KINDS = ("status", "delay", "drop", "garbage", "limited")
FIELDS = {
    "kind": ("one of " + ", ".join(KINDS), lambda value: value in KINDS),
    "when": ("before or after", lambda value: value in ("before", "after")),
    "count": (f"a whole number, 1 to {LARGEST_COUNT}", _is_whole(1, LARGEST_COUNT)),
    "path": ("a text", lambda value: isinstance(value, str)),
    "status": ("a whole number, 400 to 599", _is_whole(400, 599)),
    "seconds": (
        f"a number, 0 to {LONGEST_DELAY}",
        lambda value: type(value) in (int, float) and 0 <= value <= LONGEST_DELAY,
    ),
    "retry_after": ("a whole number, 0 to 3600", _is_whole(0, 3600)),
}


class Faults:
    """The faults that wait, in the order in which they were asked for."""

    def __init__(self):
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, wanted: object) -> None:
        """Let the faults of ``{"faults": [...]}`` wait for their requests.

        :raises ValueError: with a sentence; then none of them is taken
        """
        rows = wanted.get("faults") if isinstance(wanted, dict) else None
        if not isinstance(rows, list):
            raise ValueError('Send {"faults": [...]}, a list of faults.')
        faults = [_read(row, place) for place, row in enumerate(rows)]
        with self._lock:
            self._waiting += faults

    def take(self, path: str) -> Fault | None:
        """The first fault that is meant for a request to ``path``; None if none is."""
        with self._lock:
            for fault in self._waiting:
                if fault.path in path:
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


def _read(row: object, place: int) -> Fault:
    if not isinstance(row, dict) or "kind" not in row:
        raise ValueError(f"Fault {place} must be an object with a 'kind'.")
    known = [field.name for field in fields(Fault)]
    for name, value in row.items():
        if name not in known:
            raise ValueError(
                f"Fault {place} has an unknown field {name!r}; "
                f"known are {', '.join(known)}."
            )
        wanted, fits = FIELDS[name]
        if not fits(value):
            raise ValueError(f"The {name!r} of fault {place} must be {wanted}.")
    return Fault(**row)
