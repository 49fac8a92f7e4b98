"""What can be set on the command line and changed while the sandbox runs."""

from dataclasses import dataclass, field

from .ratelimit import WINDOWS


@dataclass
class Settings:
    """``rate_limit`` is in requests a minute, counted in a ``rate_window``;
    ``details_references``: whether an order's details show the merchant's references;
    ``line_ids``: whether they show the ids of the lines; ``refund_outcome``: whether
    the status tells that a refund was paid back or rejected; ``refund_amount_limit`` in
    NOK and ``refund_week_limit``: what goes without approval, and how often a week;
    ``payout_fee_per_order`` in NOK and ``payout_fee_percent``: what is kept of a
    pay-out, both without tax; ``merchant``: whom the customer buys from, which no
    order says; ``base_url`` ends without a slash.
    """

    token: str = field(default="sandbox-token", repr=False)
    secret: str = field(default="sandbox-secret", repr=False)
    merchant: str = "Example Merchant AS"
    callbacks: bool = True
    rate_limit: int = 240
    rate_window: str = "fixed"
    details_references: bool = False
    line_ids: bool = True
    refund_outcome: bool = True
    refund_amount_limit: int = 5000
    refund_week_limit: int = 3
    payout_fee_per_order: float = 5
    payout_fee_percent: float = 1
    base_url: str = "http://127.0.0.1:8700"

    def change(self, changes: object) -> None:
        """Take over ``changes``, a dict of some of :data:`CHANGEABLE`.

        :raises ValueError: with a sentence; then nothing is changed
        """
        if not isinstance(changes, dict):
            raise ValueError("Settings are a JSON object, such as {'callbacks': true}.")
        for name, value in changes.items():
            if name not in CHANGEABLE:
                known = ", ".join(CHANGEABLE)
                raise ValueError(f"There is no setting {name!r}; there are {known}.")
            wanted, fits = CHANGEABLE[name]
            if not fits(value):
                raise ValueError(f"The setting {name!r} must be {wanted}.")
        for name, value in changes.items():
            setattr(self, name, value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_positive_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


CHANGEABLE = {
    "token": ("a text", _is_text),
    "secret": ("a text", _is_text),
    "callbacks": ("true or false", _is_boolean),
    "rate_limit": ("a whole number above 0", _is_positive_integer),
    "rate_window": ("one of " + ", ".join(WINDOWS), lambda value: value in WINDOWS),
    "details_references": ("true or false", _is_boolean),
    "line_ids": ("true or false", _is_boolean),
    "refund_outcome": ("true or false", _is_boolean),
    "refund_amount_limit": ("a whole number above 0", _is_positive_integer),
    "refund_week_limit": ("a whole number above 0", _is_positive_integer),
    "payout_fee_per_order": ("a number, 0 or above", _is_amount),
    "payout_fee_percent": ("a number, 0 or above", _is_amount),
}
