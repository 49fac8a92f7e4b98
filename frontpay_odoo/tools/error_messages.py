"""What a failed call means, in sentences for the bookkeeper.

They say what happened and what to do; the technical detail stands in the API log.
A rejected order (417) comes back with a flat list of English sentences that name the
fields by path (section 2): ``The customer details.email must be a valid email
address.`` What is known is told with the labels of Odoo's forms, the rest is quoted.
"""

import re

from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

from ..connect import errors
from ..connect.masking import masked_text
from ..mapping.problem import field_label, localized
from ..mapping.remedy import settings_remedy
from .sentence import in_each_language

_lt = LazyTranslate(__name__)

# What became of a sending.
SENDING_MESSAGES = {
    errors.Unreachable: _lt(
        "Front Payment can't be reached, so nothing was sent. Check the server's"
        " network."
    ),
    errors.Unauthorized: _lt(
        "Front Payment doesn't accept the token, so nothing was sent."
    ),
    errors.NoToken: _lt("No usable token is entered, so nothing was sent."),
    errors.NotFrontPayment: _lt(
        "What answers at the address isn't Front Payment, so nothing was sent."
    ),
    errors.NotFound: _lt("Front Payment doesn't know this order."),
    errors.RateLimited: _lt(
        "Too many calls to Front Payment at the moment, so nothing was sent."
    ),
    errors.Rejected: _lt(
        "Front Payment rejected the invoice. Correct the following, then send it again:"
    ),
    errors.UnknownOutcome: _lt(
        "The invoice went out, but no clear answer came back. Front Payment may have"
        " it, so it isn't sent again until its outcome is known."
    ),
}
UPDATE_UNKNOWN = _lt(
    "The update went out, but no clear answer came back. Send it once more, which makes"
    " no second order."
)
# Why a refund isn't taken, by Front Payment's codes (sections 2, 12b and 25).
REFUND_MESSAGES = {
    "refundRejectionForWeeklyThresholdExceed": _lt(
        "Front Payment refunds an order three times a week at most without approval."
        " Ask for approval, or send the credit note again in a week."
    ),
    "refundRejectionForRequestAmountThresholdExceed": _lt(
        "Front Payment refunds such an amount with approval only, which takes up to two"
        " working days. Ask for approval."
    ),
    "refundRejectionForOutOfRunwayParam": _lt(
        "Front Payment has less of this order left than the credit note's total. Look"
        " at the order in Front Payment's own pages."
    ),
    "refundRejectionForRefundRequestGreaterThanOrderAmount": _lt(
        "The credit note's total is more than Front Payment's order."
    ),
    "refundRejectionForProductAmountExceed": _lt(
        "The credit note credits more of a line than Front Payment has left of it. Look"
        " at the order in Front Payment's own pages, and correct the credit note."
    ),
    "requestProductIdNotAvailable": _lt(
        "Front Payment's order has other lines than it told. Send the credit note"
        " again."
    ),
    "orderProductsNotFound": _lt(
        "Front Payment's order has other lines than it told. Send the credit note"
        " again."
    ),
}
# Why an order isn't taken or changed, by Front Payment's codes (section 2).
ORDER_MESSAGES = {
    "organizationNotFound": _lt(
        "Front Payment finds no company with the customer's organization number."
        " Correct it on the customer."
    ),
    "personCurrentStatusIsWrong": _lt(
        "Front Payment says that the customer's current status as a person is wrong."
        " Check name and personal number with the customer."
    ),
    "customerNotFound": _lt("Front Payment doesn't know this customer."),
    "orderStatusAlreadyPaid": _lt("The customer has paid the order already."),
    "orderStatusAlreadyCancelled": _lt("The order is cancelled already."),
    "orderStatusAlreadyInvoiced": _lt("The order is invoiced already."),
    "orderStatusAlreadyPaidOrCancelled": _lt("The order is paid or cancelled already."),
    "paymentLinkAlreadyOpened": _lt("The customer has opened the link already."),
}
# A parameter may follow a code.
CODE = re.compile(r"(\w+)(?:[:#].*)?")
# The code goes on with the order's status.
REFUND_REFUSED_BY_STATUS = "refundRejectionForRefundedCancelledInvoicedOrderParam"
REFUND_WRONG_STATUS = _lt(
    "Front Payment doesn't refund an order in the status that this one has now: %s."
    " Update its status, and look at it in Front Payment's own pages."
)
REFUND_REFUSED = _lt("Front Payment doesn't take the refund: %s")
REFUND_UNKNOWN = _lt(
    "The refund went out, but no clear answer came back. Front Payment may have it, so"
    " it isn't sent again until its outcome is known."
)
REJECTED_WITHOUT_REASON = _lt(
    "Front Payment rejected the invoice and didn't say why. Show the API log to Front"
    " Payment's support."
)
# What a failed question says of the connection.
CONNECTION_MESSAGES = {
    errors.Unreachable: _lt(
        "Nobody answers at that address. Check the address, and whether this server"
        " may reach the internet."
    ),
    errors.Unauthorized: _lt(
        "Front Payment answers, but doesn't accept the token: it isn't complete, or"
        " doesn't belong to the chosen environment."
    ),
    errors.NoToken: _lt("No usable token is entered."),
    errors.NotFrontPayment: _lt(
        "Somebody answers at that address, but it isn't Front Payment: its address"
        " usually ends with /api/v1/."
    ),
    errors.NotFound: _lt("Front Payment doesn't know this order."),
    errors.RateLimited: _lt(
        "Too many calls to Front Payment at the moment. Try again in a minute."
    ),
}
UNUSABLE_ANSWER = _lt(
    "Front Payment didn't give a usable answer. Try again later; if it stays so, show"
    " the API log to Front Payment's support."
)
CUSTOMER_NOT_FOUND = _lt(
    "Front Payment doesn't know this customer's number any more. The next invoice that"
    " you send tells the customer there anew, and brings the new number."
)
CUSTOMER_REJECTED = _lt(
    "Front Payment doesn't take the customer's data. Correct the following, then update"
    " it again:"
)
# The settings that are wrong when a call fails in such a way.
WRONG_SETTINGS = {
    errors.Unauthorized: ("frontpay_api_token", "frontpay_environment"),
    errors.NoToken: ("frontpay_api_token",),
    errors.NotFrontPayment: ("frontpay_environment", "frontpay_custom_url"),
}

CUSTOMER_FIELDS = {
    "type": "frontpay_customer_type",
    "name": "name",
    "email": "email",
    "msisdn": "phone",
    "country code": "phone",
    "personal number": "frontpay_personal_number",
    "organization id": "frontpay_organization_id",
    "preferred language": "frontpay_language",
}
ADDRESS_FIELDS = {
    "street": "street",
    "zip": "zip",
    "city": "city",
    "country": "country_id",
}


def _partner_fields(prefix, names):
    return {f"{prefix}{path}": ("res.partner", name) for path, name in names.items()}


# Front Payment's paths: where the value stands in Odoo.
FIELDS = {
    **_partner_fields("customer details.", CUSTOMER_FIELDS),
    **_partner_fields("customer details.address.", ADDRESS_FIELDS),
    **_partner_fields("", CUSTOMER_FIELDS),  # of a customer's update
    **_partner_fields("addresses.billing.", ADDRESS_FIELDS),
    "due date for payment link": ("account.move", "invoice_date_due"),
    "reference no": ("account.move", "name"),
    "customer reference": ("account.move", "ref"),
    "invoice references.reference no": ("account.move", "name"),
    "invoice references.customer reference": ("account.move", "ref"),
    "internal references.reference no": ("account.move", "name"),
    "order summary.sub total": ("account.move", "amount_untaxed"),
    "order summary.total tax": ("account.move", "amount_tax"),
    "order summary.grand total": ("account.move", "amount_total"),
    "invoice maturity": ("account.move", "invoice_date_due"),
    "invoice interval": ("res.company", "frontpay_invoice_interval"),
    "separate invoices": ("res.company", "frontpay_separate_invoices"),
    "invoice fee applicable": ("res.company", "frontpay_invoice_fee"),
    "callback.callback url": ("res.company", "frontpay_public_url"),
    "callback.success": ("res.company", "frontpay_public_url"),
    "callback.failure": ("res.company", "frontpay_public_url"),
}
# The same below ``products.0.``, ``products.1.`` and so on.
PRODUCT_FIELDS = {
    "name": ("account.move.line", "name"),
    "product id": ("product.product", "default_code"),
    "quantity": ("account.move.line", "quantity"),
    "rate": ("account.move.line", "price_unit"),
    "discount": ("account.move.line", "discount"),
    "tax": ("account.move.line", "tax_ids"),
    "amount": ("account.move.line", "price_total"),
}
PRODUCT_PATH = re.compile(r"products\.(\d+)\.(.+)")
SUBJECTS = {
    "res.partner": _lt("“%(field)s” of the customer"),
    "account.move": _lt("“%(field)s” of the invoice"),
    "res.company": _lt("“%(field)s” in the Front Payment settings"),
    "account.move.line": _lt("“%(field)s” of line %(line)s"),
    "product.product": _lt("“%(field)s” of the product in line %(line)s"),
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
    r"is invalid|field must be true or false": _lt("has a value that isn't accepted."),
}
SENTENCE = r"The (?:selected )?(?P<field>[a-z0-9. ]+?) (?P<rule>%s)\.?"


@in_each_language
def outcome_message(company, error):
    """Say what an error means for an invoice that was being sent.

    Whether it will be sent again by itself is for the caller to add.

    :param company: whose invoice it is, in the environment of the one who reads it
    :param connect.errors.FrontPaymentError error: what the client raised
    :return: text of one or more lines
    """
    if isinstance(error, errors.Rejected) and not error.sentences:
        return localized(company.env, REJECTED_WITHOUT_REASON)
    lines = [_with_remedy(company, SENDING_MESSAGES[type(error)], error)]
    if isinstance(error, errors.Rejected):
        lines += [_reason(company, sentence) for sentence in error.sentences]
    return "\n".join(lines)


@in_each_language
def update_message(company, error):
    """Say what an error means for an order that was being updated.

    :param company: whose order it is, in the environment of the one who reads it
    :param connect.errors.FrontPaymentError error: what the client raised
    :return: text of one or more lines
    """
    if isinstance(error, errors.UnknownOutcome):
        return localized(company.env, UPDATE_UNKNOWN)
    return outcome_message(company, error)


@in_each_language
def refund_message(company, error, code):
    """Say what an error means for a credit note that was being sent.

    :param company: whose it is, in the environment of the one who reads it
    :param connect.errors.FrontPaymentError error: what the client raised
    :param str code: of the refusal, if it was one and had any
    :return: text of one line
    """
    env = company.env
    if isinstance(error, errors.UnknownOutcome):
        return localized(env, REFUND_UNKNOWN)
    if not isinstance(error, errors.Rejected):
        return _with_remedy(company, SENDING_MESSAGES[type(error)], error)
    if code in REFUND_MESSAGES:
        return localized(env, REFUND_MESSAGES[code])
    if code.startswith(REFUND_REFUSED_BY_STATUS):
        status = code.removeprefix(REFUND_REFUSED_BY_STATUS)
        return localized(env, REFUND_WRONG_STATUS) % status
    return localized(env, REFUND_REFUSED) % quoted(error)


def blames_settings(error):
    """Whether a call failed because of the settings."""
    return type(error) in WRONG_SETTINGS


def quoted(error):
    """Front Payment's own words, masked and in quotes.

    :param connect.errors.FrontPaymentError error: what the client raised
    """
    said = error.sentences or [str(error)]
    return " ".join(f"“{masked_text(sentence)}”" for sentence in said)


@in_each_language
def connection_message(company, error):
    """Say what a failed question, or test of the connection, means.

    :param company: whose connection it is, in the environment of the one who reads it
    :param error: the :class:`connect.errors.FrontPaymentError` that the client raised,
        or the UserError that there is no client
    :return: text of one line
    """
    if isinstance(error, UserError):
        return error.args[0]
    message = CONNECTION_MESSAGES.get(type(error), UNUSABLE_ANSWER)
    return _with_remedy(company, message, error)


def customer_message(company, error):
    """Say what it means that Front Payment couldn't be asked about a customer.

    :param company: whose settings were used
    :param connect.errors.FrontPaymentError error: what the client raised
    :return: text of one line
    """
    if isinstance(error, errors.NotFound):
        return localized(company.env, CUSTOMER_NOT_FOUND)
    return connection_message(company, error)


def customer_update_message(company, error):
    """Say why a customer wasn't updated.

    :param company: whose settings were used
    :param connect.errors.FrontPaymentError error: what the client raised
    :return: text of one or more lines
    """
    if not isinstance(error, errors.Rejected):
        return customer_message(company, error)
    said = error.sentences or [str(error)]
    reasons = [_reason(company, sentence) for sentence in said]
    return "\n".join([localized(company.env, CUSTOMER_REJECTED), *reasons])


def _with_remedy(company, message, error):
    """A message, and who corrects the settings if they are to blame."""
    sentence = localized(company.env, message)
    names = WRONG_SETTINGS.get(type(error))
    return f"{sentence} {settings_remedy(company, *names)}" if names else sentence


def _reason(company, sentence):
    """What one of Front Payment's codes means, or one of its sentences with the labels
    of Odoo's forms; or itself, masked and in quotes."""
    env = company.env
    code = CODE.fullmatch(sentence.strip())
    if code and code[1] in ORDER_MESSAGES:
        return localized(env, ORDER_MESSAGES[code[1]])
    for rule, words in RULES.items():
        match = re.fullmatch(SENTENCE % rule, sentence)
        subject = match and _subject(env, match["field"])
        if subject:
            told = f"{subject} {localized(env, words)}"
            is_setting = FIELDS.get(match["field"], "")[:1] == ("res.company",)
            return f"{told} {settings_remedy(company)}" if is_setting else told
    return f"“{masked_text(sentence)}”"


def _subject(env, path):
    """Where the value of one of Front Payment's paths stands; None if nowhere."""
    product = PRODUCT_PATH.fullmatch(path)
    found = PRODUCT_FIELDS.get(product[2]) if product else FIELDS.get(path)
    if not found:
        return None
    model, name = found
    return localized(env, SUBJECTS[model]) % {
        "field": field_label(env[model], name),
        "line": product and int(product[1]) + 1,
    }
