"""Front Payment's own sentences, in the words of Odoo's forms.

A refused order (417) comes back with a flat list of English sentences that name the
fields by path (section 2): ``The customer details.email must be a valid email
address.`` What is known is told in the bookkeeper's words, the rest is quoted.
"""

import re

from odoo.tools.translate import LazyTranslate

from ..connect.masking import masked_text
from .words import in_words

_lt = LazyTranslate(__name__)

FIELDS = {
    "customer details.type": _lt("Customer type"),
    "customer details.name": _lt("Customer's name"),
    "customer details.email": _lt("Customer's e-mail address"),
    "customer details.msisdn": _lt("Customer's phone number"),
    "customer details.country code": _lt("Country code of the customer's phone number"),
    "customer details.personal number": _lt("Customer's personal number"),
    "customer details.organization id": _lt("Customer's organisation number"),
    "customer details.preferred language": _lt("Customer's language"),
    "customer details.address.street": _lt("Customer's street"),
    "customer details.address.zip": _lt("Customer's ZIP code"),
    "customer details.address.city": _lt("Customer's city"),
    "customer details.address.country": _lt("Customer's country"),
    "order date": _lt("Order date"),
    "due date for payment link": _lt("Due date"),
    "reference no": _lt("Invoice number"),
    "customer reference": _lt("Customer's reference"),
    "invoice references.reference no": _lt("Invoice number"),
    "invoice references.customer reference": _lt("Customer's reference"),
    "internal references.reference no": _lt("Invoice number"),
    "order summary.sub total": _lt("Untaxed amount"),
    "order summary.total tax": _lt("VAT"),
    "order summary.total discount": _lt("Discount"),
    "order summary.grand total": _lt("Total"),
    "invoice maturity": _lt("Due date"),
    "invoice interval": _lt("Invoice interval (Front Payment settings)"),
    "separate invoices": _lt("One invoice per order (Front Payment settings)"),
    "invoice fee applicable": _lt("Invoice fee (Front Payment settings)"),
    "callback.callback url": _lt("Public address (Front Payment settings)"),
    "callback.success": _lt("Public address (Front Payment settings)"),
    "callback.failure": _lt("Public address (Front Payment settings)"),
}
PRODUCT_FIELDS = {
    "name": _lt("Line %s: description"),
    "product id": _lt("Line %s: internal reference of the product"),
    "quantity": _lt("Line %s: quantity"),
    "rate": _lt("Line %s: price"),
    "discount": _lt("Line %s: discount"),
    "tax": _lt("Line %s: tax"),
    "amount": _lt("Line %s: amount"),
}
RULES = {
    r"field is required.*": _lt("is missing."),
    r"must be a valid email address": _lt("isn't a valid e-mail address."),
    r"must be a valid (?i:url)|format is invalid": _lt(
        "has a form that isn't accepted."
    ),
    r"must be a number": _lt("isn't a number."),
    r"must be \d+ (?:characters|digits)": _lt("hasn't the right length."),
    r"(?:may|must) not be greater than \d+ characters": _lt("is too long."),
    r"is invalid": _lt("has a value that isn't accepted."),
}
SENTENCE = r"The (?:selected )?(?P<field>[a-z0-9. ]+?) (?P<rule>%s)\.?"
PRODUCT_PATH = re.compile(r"products\.(\d+)\.(.+)")


def translated(sentence, env):
    """Tell one of Front Payment's sentences in the words of Odoo's forms.

    :param str sentence: as received
    :return: a sentence in the user's language, or the masked original in quotes
    """
    for rule, words in RULES.items():
        match = re.fullmatch(SENTENCE % rule, sentence)
        label = match and _label(match["field"], env)
        if label:
            return f"{label} {in_words(env, words)}"
    return f"“{masked_text(sentence)}”"


def _label(field, env):
    product = PRODUCT_PATH.fullmatch(field)
    if product and product[2] in PRODUCT_FIELDS:
        return in_words(env, PRODUCT_FIELDS[product[2]]) % (int(product[1]) + 1)
    return in_words(env, FIELDS[field]) if field in FIELDS else None
