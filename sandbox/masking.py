"""What a page may show of personal numbers and of tokens in URLs."""

import json
import re

from .payload import as_json

SHOWN_DIGITS = 6  # the date of birth
LONGEST_SEGMENT = 16  # longer parts of a URL are taken for tokens


def masked_number(personal_number: str) -> str:
    """``01819012345`` as ``018190*****``."""
    shown = personal_number[:SHOWN_DIGITS]
    return shown.ljust(len(personal_number), "*")


def shorten(url: str) -> str:
    """A URL, or a part of one, its tokens and checksums cut after six letters."""
    start = re.match(r"(\w+://[^/?#]*)?", url)[0]
    token = rf"[^/?&=#]{{{LONGEST_SEGMENT + 1},}}"
    return start + re.sub(token, lambda it: f"{it[0][:6]}…", url[len(start) :])


def masked(payload: dict) -> dict:
    """The received data as a page may show it.

    The personal number is masked wherever it stands: a merchant may have written it
    into a name or a reference as well.
    """
    return _masked(payload, payload["customerDetails"].get("personalNumber"))


def json_text(payload: dict) -> str:
    """Received data as indented JSON."""
    return json.dumps(payload, indent=2, ensure_ascii=False, default=as_json)


def _masked(value: object, secret: str | None) -> object:
    if isinstance(value, dict):
        return {key: _masked(item, secret) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, secret) for item in value]
    if not isinstance(value, str):
        return value
    if secret:
        value = value.replace(secret, masked_number(secret))
    return shorten(value) if "://" in value else value
