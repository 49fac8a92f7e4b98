"""What keeps an invoice from being sent, and the words to say so."""

from dataclasses import dataclass

from odoo import models


@dataclass(frozen=True)
class Problem:
    """One thing to correct before the invoice can be sent.

    :param record: where it is corrected: a customer, an invoice or a company
    :param str message: what is wrong, where, and what to do, in the user's language
    :param str field: of the record, if it is a single one that is to be corrected
    :param str brief: what is wrong, in two or three words
    """

    record: models.BaseModel
    message: str
    field: str = ""
    brief: str = ""


def localized(env, text):
    """Translate a text that stands in a table.

    :param text: a ``LazyTranslate`` text; its placeholders are left to the caller
    :return: the text in the environment's language
    """
    # The text itself is marked where it stands; test_lint of Odoo asks for a literal.
    return env._(text)  # pylint: disable=unknown-option-value,gettext-variable


def field_label(model, name):
    """Return a field's label as the screens show it, in the environment's language.

    :param model: a recordset of the field's model
    :param str name: the field
    """
    return model._fields[name]._description_string(model.env)
