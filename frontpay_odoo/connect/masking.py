"""What may be kept of a request or an answer: no identity number, no secret.

A personal number keeps its first six digits (the birth date), a URL into
somebody's session loses its query, and our own callback URLs their token.
"""

import json
import re
import time
from dataclasses import dataclass

from .responses import VERIFICATION_URL_KEYS

MASK = "*****"
PERSONAL_NUMBER = re.compile(r"(?<!\d)(\d{6})[ .-]?\d{5}(?!\d)")
PERSONAL_KEYS = {"personalNumber", "personalId"}
CALLBACK_KEYS = {"callbackUrl", "success", "failure"}
PATH_TOKEN = re.compile(r"(?<=/)[\w-]{22,}(?=/|$)")


@dataclass
class Exchange:
    """One request and its answer as they may be kept: masked.

    :param int http_status: None when no answer came
    :param str error: what went wrong, in technical words
    :param int duration: milliseconds
    """

    method: str
    path: str
    request: str = ""
    http_status: int | None = None
    answer: str = ""
    error: str = ""
    duration: int = 0

    def __post_init__(self):
        self.started = time.monotonic()

    def close(self):
        self.duration = round((time.monotonic() - self.started) * 1000)


def masked_json(document, secrets=()):
    """Write a JSON document for the exchange log.

    :param document: what was or will be ``json.dumps``-ed
    :param secrets: strings that must not appear (tokens)
    :return: indented JSON text
    """
    text = json.dumps(_masked(document), indent=2, ensure_ascii=False)
    return masked_text(text, secrets)


def masked_text(text, secrets=()):
    """Mask whatever looks like a personal number, and the given secrets."""
    for secret in filter(None, secrets):
        text = text.replace(secret, MASK)
    return PERSONAL_NUMBER.sub(rf"\1{MASK}", text)


def masked_number(number):
    """A personal number as it may be shown to anybody who may see the customer.

    :return: the birth date and asterisks
    """
    return f"{str(number)[:6]}{MASK}"


def _masked(value, key=None):
    if isinstance(value, dict):
        return {name: _masked(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, key) for item in value]
    if key in PERSONAL_KEYS and value:
        return masked_number(value)
    if key in VERIFICATION_URL_KEYS and isinstance(value, str):
        return value.partition("?")[0]
    if key in CALLBACK_KEYS and isinstance(value, str):
        return PATH_TOKEN.sub(MASK, value)
    return value
