"""What a page may show of personal numbers and of tokens in addresses."""

import json
import re
from decimal import Decimal

from .payload import as_json

SHOWN_DIGITS = 6  # the date of birth
LONGEST_SEGMENT = 16  # longer parts of an address are taken for tokens


def mask_number(personal_number: str) -> str:
    """``28038712383`` as ``280387*****``."""
    hidden = len(personal_number) - SHOWN_DIGITS
    return personal_number[:SHOWN_DIGITS] + "*" * max(hidden, 0)


def shorten(url: str) -> str:
    """An address whose long parts (tokens, checksums) are cut after six letters."""
    longer = rf"[^/?&=#:]{{{LONGEST_SEGMENT + 1},}}"
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    shortened = re.sub(longer, lambda found: f"{found[0][:6]}…", path)
    return f"{scheme}{separator}{host}{slash}{shortened}"


def masked_json(payload: dict) -> str:
    """The received data as indented JSON, fit to be looked at."""
    number = payload["customerDetails"].get("personalNumber")
    text = json.dumps(_masked(payload), indent=2, ensure_ascii=False, default=_plain)
    # It may stand in a name or a reference as well.
    return text.replace(number, mask_number(number)) if number else text


def _masked(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return {key: _masked(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if name == "personalNumber" and value:
        return mask_number(str(value))
    if name in ("callbackUrl", "success", "failure") and value:
        return shorten(str(value))
    return value


def _plain(value: Decimal) -> int | float:
    return as_json(value)
