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
    ``returns_personal_data`` tells calls whose answers aren't kept: whose data they
    hold isn't known before. ``is_list`` tells the one that answers with a list of any
    length.
    """

    method: str
    path: str
    changes: bool = False
    returns_personal_data: bool = False
    is_list: bool = False


STATUSES = Endpoint("GET", "connect/orders/status", is_list=True)
STATUS = Endpoint("GET", "connect/orders/status/{order_uuid}")
DETAILS = Endpoint(
    "GET", "connect/orders/details/{order_uuid}", returns_personal_data=True
)
CANCEL = Endpoint("POST", "connect/orders/cancel/{order_uuid}", changes=True)
RESEND = Endpoint("POST", "connect/orders/resend/{order_uuid}", changes=True)
REFUND = Endpoint("POST", "connect/orders/refund/{order_uuid}", changes=True)
# The only one that isn't below "connect".
APPROVAL = Endpoint("POST", "orders/refund/request/approval/{order_uuid}", changes=True)
INVOICE_NUMBER = Endpoint("GET", "connect/orders/invoice-number/{order_uuid}")
