"""Where Front Payment's API answers (sections 1 and 4 to 15 of the API reference)."""

from typing import NamedTuple

ENVIRONMENTS = {
    "demo": "https://demo-api.frontpayment.no/api/v1/",
    "production": "https://apigo.frontpayment.no/api/v1/",
}


class Endpoint(NamedTuple):
    """One call of the API.

    ``changes`` tells calls that store something at Front Payment: when their answer
    is lost, the outcome is unknown and they must not be repeated blindly.
    """

    method: str
    path: str
    changes: bool = False


SUBMIT_SESSION = Endpoint("POST", "connect/orders/invoice/submit", changes=True)
STATUS = Endpoint("GET", "connect/orders/status/{order_uuid}")
INVOICE_NUMBER = Endpoint("GET", "connect/orders/invoice-number/{order_uuid}")
