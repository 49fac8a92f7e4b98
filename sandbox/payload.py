"""What was received: JSON read without floats, and cleaned as Laravel cleans it."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal

# Far beyond any invoice. Keeps numbers such as 1e999999 out of the totals.
EXPONENT_LIMIT = 12
DEEPEST = 16  # levels

ABSENT = object()  # the value of a field that was not sent

NUMERIC = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def read(text: str) -> object:
    """JSON text to cleaned data, numbers as Decimal.

    :raises ValueError: for anything that is no JSON (NaN and Infinity are none), or is
        nested deeper than any order
    """
    try:
        data = json.loads(
            text,
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_refuse_constant,
        )
    except RecursionError as error:
        raise ValueError("The JSON is nested too deeply.") from error
    return _clean(data)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON.")


def _clean(value: object, depth: int = 0) -> object:
    """Texts trimmed, empty ones to None.

    This is what Laravel's TrimStrings and ConvertEmptyStringsToNull do before any rule
    is looked at; it is why the documented example may send ``"organizationId": ""``.
    """
    if depth > DEEPEST:
        raise ValueError("The JSON is nested too deeply.")
    if isinstance(value, dict):
        return {_text(key): _clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    return _text(value) or None if isinstance(value, str) else value


def _text(text: str) -> str:
    """Trimmed, and without lone surrogates: legal in JSON, but not on a page."""
    return text.encode("utf-8", "replace").decode().strip()


def value_at(payload: object, path: str) -> object:
    """What stands at a path such as ``orderSummary.subTotal``, or ABSENT."""
    for name in path.split("."):
        payload = payload.get(name, ABSENT) if isinstance(payload, dict) else ABSENT
    return payload


def rows(value: object) -> Iterator[tuple[str, object]]:
    """Key and row of a list, or of an object with keys "0", "1" (section 3.1)."""
    if isinstance(value, list):
        return ((str(index), row) for index, row in enumerate(value))
    if isinstance(value, dict):
        return iter(value.items())
    return iter(())


def products(payload: dict) -> list[dict]:
    """The products of a checked order."""
    return [product for _key, product in rows(payload["products"])]


def number(value: object) -> Decimal | None:
    """A JSON number or a text that is one, as Decimal; None for anything else."""
    if isinstance(value, str) and NUMERIC.fullmatch(value):
        value = Decimal(value)
    if not isinstance(value, Decimal):
        return None
    if value == 0:
        return Decimal(0)
    is_usable = -EXPONENT_LIMIT < value.adjusted() < EXPONENT_LIMIT
    return value if is_usable else None


def as_json(value: Decimal) -> int | float:
    """The shortest JSON number for a Decimal, for answers only."""
    return int(value) if value == value.to_integral_value() else float(value)
