"""The ways an order can reach the customer, and its JSON for each of them."""

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from . import endpoints
from .order import Order, Product

PRODUCT_ID_LENGTH = 25  # section 24, question 25


class Channel(NamedTuple):
    """One way to hand over an order: where it is posted, and how it is written."""

    label: str
    endpoint: endpoints.Endpoint
    to_json: Callable[[Order], dict]


def session_json(order):
    """Write an order for *Create Session for Invoice Order*.

    :param Order order: the order
    :return: what is posted, ready for ``json.dumps``
    :rtype: dict

    Source: section 4 of the API reference; numbers and strings as in question 32.
    """
    document = {
        "products": [_product(product) for product in order.products],
        "orderSummary": {
            "subTotal": _amount(order.summary.sub_total),
            "totalTax": _amount(order.summary.total_tax),
            "totalDiscount": _amount(order.summary.total_discount),
            "grandTotal": _amount(order.summary.grand_total),
        },
        "orderDate": str(int(order.ordered_at.timestamp())),
        "customerDetails": _customer(order.customer),
        "referenceNo": order.reference,
        "customerReference": order.customer_reference,
        "invoiceInterval": order.terms.interval,
        "separateInvoices": order.terms.separate,
        "invoiceFeeApplicable": order.terms.fee,
        "invoiceMaturity": order.terms.maturity,
        "callback": {
            "callbackUrl": order.callbacks.callback,
            "success": order.callbacks.success,
            "failure": order.callbacks.failure,
        },
    }
    if not order.customer_reference:
        del document["customerReference"]
    if order.terms.secure_details:
        document["settings"] = {"secureDetails": True}
    return document


def _product(product: Product):
    document = {
        "name": product.name,
        "productId": product.product_id[:PRODUCT_ID_LENGTH],
        "quantity": _number(product.quantity),
        "rate": _number(product.rate),
        "discount": _number(product.discount),
        "tax": _number(product.tax),
        "amount": _number(product.amount),
    }
    if not product.product_id:
        del document["productId"]
    return document


def _customer(customer):
    document = {
        "type": customer.type,
        "countryCode": customer.country_code,
        "msisdn": customer.msisdn,
        "email": customer.email,
        "name": customer.name,
        "preferredLanguage": customer.language,
        "personalNumber": customer.personal_number,
        "organizationId": customer.organization_id,
        "address": {
            "street": customer.address.street,
            "zip": customer.address.zip,
            "city": customer.address.city,
            "country": customer.address.country,
        },
    }
    if not customer.personal_number:
        del document["personalNumber"]
    return document


def _amount(amount: Decimal):
    return f"{amount:.2f}"


def _number(number: Decimal):
    """A JSON number: whole as int, else the float that prints as these two decimals."""
    return int(number) if number == int(number) else float(round(number, 2))


CHANNELS = {
    "session": Channel("Session with BankID", endpoints.SUBMIT_SESSION, session_json),
}
