"""What keeps an invoice from being sent, told to the person who can mend it."""

from dataclasses import dataclass

from odoo import models


@dataclass(frozen=True)
class Problem:
    """One thing to mend before the invoice can go.

    :param record: where it is mended: a customer, an invoice or a company
    :param str message: what is wrong, where, and what to do, in the user's language
    """

    record: models.BaseModel
    message: str
