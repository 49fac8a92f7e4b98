"""An order as plain data: what every channel turns into its own JSON.

All amounts are NOK with two decimals (section 3.3 of the API reference).
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Product:
    """One line of the order (section 3.1).

    :param rate: unit price including VAT
    :param discount: for the whole line, including VAT
    :param tax: VAT in percent
    :param amount: the line's total including VAT, after discount
    """

    name: str
    quantity: Decimal
    rate: Decimal
    tax: Decimal
    amount: Decimal
    discount: Decimal = Decimal("0.00")
    product_id: str = ""


@dataclass(frozen=True)
class Summary:
    """The order's totals: sub_total + total_tax - total_discount = grand_total."""

    sub_total: Decimal
    total_tax: Decimal
    total_discount: Decimal
    grand_total: Decimal


@dataclass(frozen=True)
class Address:
    street: str
    zip: str
    city: str
    country: str


@dataclass(frozen=True)
class Customer:
    """Who gets the order (section 3.5).

    :param type: ``private`` or ``corporate``
    :param country_code: of the phone number, with plus: ``+47``
    :param msisdn: national phone number, digits only
    :param mobile: whether an SMS can reach that number
    :param personal_number: 11 digits; for private customers
    :param organization_id: for corporate customers
    """

    type: str
    name: str
    email: str
    country_code: str
    msisdn: str
    language: str
    address: Address
    personal_number: str = field(default="", repr=False)
    organization_id: str = ""
    mobile: bool = True


@dataclass(frozen=True)
class CallbackAddresses:
    """Where Front Payment reports to, and where it sends the customer's browser."""

    callback: str = field(repr=False)
    success: str = field(repr=False)
    failure: str = field(repr=False)


@dataclass(frozen=True)
class InvoiceTerms:
    """How Front Payment invoices the order (section 3.8).

    :param interval: 0 daily, 1 once a month, 2 twice a month
    :param separate: an invoice of its own instead of a collective one
    :param fee: whether the invoice fee is added
    :param maturity: days until the invoice is due
    """

    interval: int
    separate: bool
    fee: bool
    maturity: int
    secure_details: bool = False


@dataclass(frozen=True)
class Order:
    """What is handed over.

    :param notes: what the sender should know of it, in the sender's language; told
        to nobody else
    """

    products: tuple[Product, ...]
    summary: Summary
    customer: Customer
    terms: InvoiceTerms
    callbacks: CallbackAddresses
    ordered_at: datetime
    reference: str
    customer_reference: str = ""
    notes: tuple[str, ...] = ()
