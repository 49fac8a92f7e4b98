"""The ways an order can reach the customer, and its JSON for each of them.

Where the API reference leaves a choice, it is made as in its section 24, else as on
the current page of the documentation.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

import pytz

from .endpoints import Endpoint
from .order import Order, Product

# What differs from one day to the next, or from a new order to an update.
VARYING_FIELDS = {
    *("orderDate", "invoiceMaturity", "dueDateForPaymentLink", "fpgoUuid", "orderFrom"),
}
# What of an invoice a field tells; all others tell its terms.
PARTS = {
    "products": "lines",
    "orderSummary": "lines",
    "customerDetails": "customer",
    "referenceNo": "references",
    "customerReference": "references",
    "internalReferences": "references",
    "invoiceReferences": "references",
    "callback": "callback",
}
CURRENCY = "NOK"  # section 3.3: no other currency is documented
PRODUCT_ID_LENGTH = 25  # section 24, question 25
NORWAY = pytz.timezone("Europe/Oslo")
# English whatever the server's locale is.
MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


class Channel(NamedTuple):
    """One way to hand over an order: where it is posted, and how it is written.

    :param path: below ``connect/orders/``
    :param customer_types: whom it is for
    :param country: of the customers that it is for; without it, any
    :param supports_update: whether an order that waits for its customer can be changed
    :param needs_personal_number: whether Front Payment must know a private customer's
    :param confirmed_by: whom Front Payment asks to confirm with BankID
    :param is_e_invoice: whether a business gets a structured e-invoice
    :param tells_customer: whether Front Payment sends the customer the link itself
    """

    label: str
    path: str
    to_json: Callable[[Order], dict]
    customer_types: tuple[str, ...] = ("private", "corporate")
    country: str = ""
    needs_personal_number: bool = True
    supports_update: bool = False
    confirmed_by: tuple[str, ...] = ()
    is_e_invoice: bool = False
    tells_customer: bool = False

    @property
    def endpoint(self):
        return Endpoint("POST", f"connect/orders/{self.path}", changes=True)

    def is_available_for(self, customer_type, country_code):
        """Whether such customers can be invoiced this way."""
        return customer_type in self.customer_types and (
            not self.country or self.country == country_code
        )

    def is_confirmed_by(self, customer_type):
        """Whether such customers confirm the order before they are invoiced."""
        return customer_type in self.confirmed_by


def updating(document, order_uuid):
    """Make a document change an order instead of making a new one.

    Source: section 4.1; section 24, questions 1, 2 and 43.
    """
    return document | {"fpgoUuid": order_uuid, "orderFrom": "PARTNER"}


def fingerprint(document, due_date):
    """What an invoice said when it was handed over, to tell what changed since.

    Without what differs from one day to the next; the due date stands in for the days
    that are left until then.

    :param dict document: the order's JSON
    :param due_date: the invoice's
    :return: {part of the invoice: 64 hexadecimal digits}; a part is one of
        :const:`PARTS`, ``terms`` or ``due_date``
    """
    parts = {"due_date": str(due_date)}
    for name in document.keys() - VARYING_FIELDS:
        parts.setdefault(PARTS.get(name, "terms"), {})[name] = document[name]
    return {part: _digest(content) for part, content in parts.items()}


def due_date(document):
    """The last day to pay that Front Payment is given.

    :param dict document: the order's JSON
    :return: a date by Norwegian clocks; None where none is given, or the order is
        invoiced later, together with others (``invoiceInterval``, section 3.8)
    """
    if document.get("invoiceInterval"):
        return None
    if "dueDateForPaymentLink" in document:
        return _norwegian_day(document["dueDateForPaymentLink"])
    if "invoiceMaturity" not in document:
        return None
    ordered_on = _norwegian_day(document["orderDate"])
    return ordered_on + timedelta(days=document["invoiceMaturity"])


def _norwegian_day(timestamp):
    return datetime.fromtimestamp(int(timestamp), NORWAY).date()


def _digest(content):
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def session_json(order):
    """Write an order for *Create Session for Invoice Order*.

    :param Order order: the order
    :return: what is posted, ready for ``json.dumps``; so with all of these functions
    :rtype: dict

    Source: section 4 of the API reference; numbers and strings as in question 32.
    """
    document = _invoice(order) | {"callback": _callbacks(order)}
    if order.terms.secure_details:
        document["settings"] = {"secureDetails": True}
    return document


def regular_json(order):
    """Write an order for the older page of *Create Session for Invoice Order*.

    It knows neither invoice fee nor maturity; the due date goes as the payment link's.
    ``shippingCost`` and the form of the date are what the demo system demanded.

    Source: section 5, with section 3.8 for the references; the switches as in the
    page's example.
    """
    customer = order.customer
    return {
        "products": _products(order),
        "orderSummary": _summary(order) | {"shippingCost": _amount(Decimal(0))},
        "orderDate": _printed_day(order.ordered_at),
        "dueDateForPaymentLink": _timestamp(_end_of_last_day(order)),
        "sendOrderBy": {"sms": False, "email": False, "invoice": True},
        "isCreditCheckAvailable": False,
        "invoiceAsPaymentOption": True,
        "customerDetails": _details(
            customer, type=customer.type, personalNumber=customer.personal_number
        ),
        "invoiceReferences": _references(order),
        "internalReferences": {"referenceNo": order.reference},
        "submitPayment": {"via": "invoice", "currency": CURRENCY},
        "invoiceInterval": order.terms.interval,
        "separateInvoices": order.terms.separate,
        "callback": _callbacks(order),
    }


def invoice_json(order):
    """Write an order for *Send Invoice* (section 6): nobody's browser comes back."""
    return _invoice(order) | {"callback": _callback(order)}


def efaktura_json(order):
    """Write an order for *Send E-Faktura* (section 7): the page has no type."""
    number = order.customer.personal_number
    details = _details(order.customer, personalNumber=number)
    return invoice_json(order) | {"customerDetails": details}


def ehf_json(order):
    """Write an order for *Send EHF Invoice* (section 8).

    The page has no type, nor the switches that the demo system asked for in 2025.
    """
    number = order.customer.organization_id
    details = _details(order.customer, organizationId=number)
    return invoice_json(order) | {"customerDetails": details}


def payment_link_json(order):
    """Write an order for *Send Payment Link* (section 9).

    The link is paid and not invoiced, so no personal number goes along. The latest
    example has neither a due date nor a credit check.
    """
    customer = order.customer
    details = _details(customer, type=customer.type)
    if customer.organization_id:
        details["organizationId"] = customer.organization_id
    document = {
        **_products_and_totals(order),
        "sendOrderBy": {"sms": customer.mobile, "email": True},
        "customerDetails": details,
        "invoiceAsPaymentOption": False,
        **_references(order),
        "callback": _callback(order),
    }
    if order.terms.secure_details:
        document["secureDetails"] = True
    return document


def _invoice(order):
    """What the channels of the current pages share (sections 4 and 6 to 8)."""
    terms = order.terms
    return {
        **_products_and_totals(order),
        "customerDetails": customer_json(order.customer),
        **_references(order),
        "invoiceInterval": terms.interval,
        "separateInvoices": terms.separate,
        "invoiceFeeApplicable": terms.fee,
        "invoiceMaturity": terms.maturity,
    }


def _products_and_totals(order):
    return {
        "products": _products(order),
        "orderSummary": _summary(order),
        "orderDate": _timestamp(order.ordered_at),
    }


def _products(order):
    return [_product(product) for product in order.products]


def _product(product: Product):
    numbers = ("quantity", "rate", "discount", "tax", "amount")
    document = {name: _number(getattr(product, name)) for name in numbers}
    document["name"] = product.name
    if product.product_id:
        document["productId"] = product.product_id[:PRODUCT_ID_LENGTH]
    return document


def _summary(order):
    return {
        "subTotal": _amount(order.summary.sub_total),
        "totalTax": _amount(order.summary.total_tax),
        "totalDiscount": _amount(order.summary.total_discount),
        "grandTotal": _amount(order.summary.grand_total),
    }


def customer_json(customer):
    """The customer with type and the number that belongs to it (section 3.5)."""
    identity = {"type": customer.type, "organizationId": customer.organization_id}
    if customer.personal_number:
        identity["personalNumber"] = customer.personal_number
    return _details(customer, **identity)


def _details(customer, **identity):
    """The customer with what tells who it is, which each page asks for in its way."""
    return {
        **identity,
        "countryCode": customer.country_code,
        "msisdn": customer.msisdn,
        "email": customer.email,
        "name": customer.name,
        "preferredLanguage": customer.language,
        "address": asdict(customer.address),
    }


def _references(order):
    references = {"referenceNo": order.reference}
    if order.customer_reference:
        references["customerReference"] = order.customer_reference
    return references


def _callback(order):
    return {"callbackUrl": order.callbacks.callback}


def _callbacks(order):
    return _callback(order) | {
        "success": order.callbacks.success,
        "failure": order.callbacks.failure,
    }


def _end_of_last_day(order):
    """The last second of the last day to pay, by Norwegian clocks."""
    day = order.ordered_at.astimezone(NORWAY).date()
    last_day = day + timedelta(days=order.terms.maturity)
    return NORWAY.localize(datetime.combine(last_day, time(23, 59, 59)))


def _timestamp(moment):
    """Unix seconds as a string (section 3.7)."""
    return str(int(moment.timestamp()))


def _printed_day(moment):
    """PHP's ``d M, Y`` with a zero-padded day (section 3.7), by Norwegian clocks."""
    day = moment.astimezone(NORWAY)
    return f"{day:%d} {MONTHS[day.month - 1]}, {day.year}"


def _amount(amount: Decimal):
    return f"{amount:.2f}"


def _number(number: Decimal):
    """A JSON number: whole as int, else the float that prints as these two decimals."""
    return int(number) if number == int(number) else float(round(number, 2))


CHANNELS = {
    "session": Channel(
        "Session with BankID",
        "invoice/submit",
        session_json,
        supports_update=True,
        confirmed_by=("private",),
    ),
    # It demands a personal number of everybody, and companies have none (section 5).
    "regular": Channel(
        "Session with BankID (older form)",
        "regular/submit",
        regular_json,
        customer_types=("private",),
        confirmed_by=("private",),
    ),
    # Front Payment chooses between EHF, e-mail and post.
    "invoice": Channel(
        "Invoice without confirmation",
        "invoice/create",
        invoice_json,
        is_e_invoice=True,
    ),
    # The present paths of these two, not those of 2025 (question 36 of section 24).
    "efaktura": Channel(
        "eFaktura", "faktura/create", efaktura_json, customer_types=("private",)
    ),
    # Addressed by the number of the Norwegian register.
    "ehf": Channel(
        "EHF",
        "ehf/create",
        ehf_json,
        customer_types=("corporate",),
        country="NO",
        is_e_invoice=True,
    ),
    "payment_link": Channel(
        "Payment link",
        "payment-link/create",
        payment_link_json,
        needs_personal_number=False,
        tells_customer=True,
    ),
}
