"""The six ways to hand over an order (sections 4 to 9 of the API reference).

========================  ============  ============================================
endpoint                  for           what becomes of the order
========================  ============  ============================================
``invoice/submit``        everybody     SENT until a private customer confirms with
                                        BankID; a company's is INVOICED at once
``regular/submit``        everybody     the same, by the older page's names
``invoice/create``        everybody     INVOICED at once
``faktura/create``        private       INVOICED at once
``ehf/create``            corporate     INVOICED at once
``payment-link/create``   everybody     SENT until the customer pays; no invoice
========================  ============  ============================================
"""

from dataclasses import dataclass

from . import rules

EVERYBODY = ("private", "corporate")


@dataclass(frozen=True)
class Channel:
    """One endpoint, as far as its rules don't say it already.

    ``customers`` are the types it serves, ``waiting`` those of them whose order stays
    SENT at first. ``uuid_name`` and ``bankid_name`` are what the answer calls the
    order's id and the BankID URL; without ``bankid_name`` there is no BankID.
    ``reference`` and ``customer_reference`` are paths in what is received.
    """

    title: str
    customers: tuple[str, ...] = EVERYBODY
    waiting: tuple[str, ...] = ()
    waits_for: str = ""
    at_once: str = "Sent without the customer"
    is_invoice: bool = True
    uuid_name: str = "orderUuid"
    bankid_name: str = ""
    # The answers of the four endpoints that create are not visible on their pages.
    message: str = "orderCreatedSuccessfully"
    reference: str = "referenceNo"
    customer_reference: str = "customerReference"

    @property
    def has_bankid(self) -> bool:
        return bool(self.bankid_name)

    def customer_type(self, customer: dict) -> str:
        """What ``customerDetails`` says; eFaktura and EHF customers need not say it."""
        return customer.get("type") or self.customers[0]


BANKID = "Waiting for the customer to confirm with BankID."

CHANNELS: dict[str, Channel] = {
    rules.INVOICE_SUBMIT: Channel(
        "Invoice session",
        waiting=("private",),
        waits_for=BANKID,
        at_once="No BankID for companies",
        uuid_name="orderId",
        bankid_name="bankIdUrl",
    ),
    # Answers as recorded in July 2025.
    rules.REGULAR_SUBMIT: Channel(
        "Regular order",
        waiting=("private",),
        waits_for=BANKID,
        at_once="No BankID for companies",
        bankid_name="paymentUrl",
        message="Order Submitted Successfully",
        reference="invoiceReferences.referenceNo",
        customer_reference="invoiceReferences.customerReference",
    ),
    rules.INVOICE_CREATE: Channel("Invoice"),
    rules.FAKTURA_CREATE: Channel("eFaktura", customers=("private",)),
    rules.EHF_CREATE: Channel("EHF invoice", customers=("corporate",)),
    rules.PAYMENT_LINK_CREATE: Channel(
        "Payment link",
        waiting=EVERYBODY,
        waits_for="Waiting for the customer to open the payment link and pay.",
        is_invoice=False,
    ),
}
