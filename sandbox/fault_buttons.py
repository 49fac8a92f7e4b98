"""The faults that a person can ask for on a page, and what each does, in words."""

from dataclasses import asdict

from . import rules
from .channels import CHANNELS
from .faults import NextFault

# What a fault waits for, and the paths of those requests.
OCCASIONS = {
    "order": ("The next invoice that is sent", "|".join(CHANNELS)),
    "refund": (
        "The next refund that is asked for",
        f"{rules.REFUND}/|{rules.APPROVAL}/",
    ),
    "status": ("The next time that a status is asked for", rules.STATUS),
    "any": ("The next request, whatever it is", ""),
}
LATE = 45  # seconds; most clients have gone by then

# The button, what becomes of the request, and the fault.
BUTTONS = {
    "refuse": (
        "Refuse it",
        "Answers 417 with a reason. Nothing is stored.",
        {"kind": "status", "status": 417},
    ),
    "late": (
        "Let it time out",
        f"Stores it, and answers only after {LATE} seconds.",
        {"kind": "delay", "seconds": LATE, "when": "after"},
    ),
    "silent": (
        "Store it, and don't answer",
        "The connection breaks before the answer: the sender can't know.",
        {"kind": "drop", "when": "after"},
    ),
    "lost": (
        "Lose it",
        "The connection breaks before anything is stored. The sender can't know.",
        {"kind": "drop"},
    ),
    "wrong": (
        "Answer nonsense",
        "Stores it, and answers with a web page instead of JSON.",
        {"kind": "garbage", "when": "after"},
    ),
    "limit": (
        "Exceed the rate limit",
        "Answers 429: come back in 30 seconds. Nothing is stored.",
        {"kind": "limited", "retry_after": 30},
    ),
}


def fault_of(button: str, occasion: str) -> dict:
    """What :meth:`Faults.add` takes.

    :raises KeyError: there is no such button or occasion
    """
    _label, _text, fault = BUTTONS[button]
    _label, path = OCCASIONS[occasion]
    return {"faults": [{**fault, "path": path}]}


def sentence(fault: dict) -> str:
    """What a fault that waits will do, whoever asked for it.

    :param fault: as :meth:`Faults.waiting` tells it
    """
    occasions = {path: label for label, path in OCCASIONS.values()}
    occasion = occasions.get(fault["path"], f"The next request to {fault['path']}")
    times = f", {fault['count']} times" if fault["count"] > 1 else ""
    return f"{occasion}{times}: {_what_happens(fault)}"


def _what_happens(fault: dict) -> str:
    same = {"path": fault["path"], "count": fault["count"]}
    for label, _text, wanted in BUTTONS.values():
        if asdict(NextFault(**wanted, **same)) == fault:
            return f"{label[0].lower()}{label[1:]}"
    return f"{fault['kind']}, {fault['when']} it is carried out"
