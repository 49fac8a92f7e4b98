"""Where Front Payment's API answers (sections 1, 4 to 15 and 18 of the API
reference)."""

from typing import NamedTuple

from .responses import CUSTOMER_UUID_KEYS, ORDER_UUID_KEYS

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
    length. ``uuid_keys`` are what an answer may call the number that was asked for.
    """

    method: str
    path: str
    changes: bool = False
    returns_personal_data: bool = False
    is_list: bool = False
    uuid_keys: tuple[str, ...] = ORDER_UUID_KEYS


STATUSES = Endpoint("GET", "connect/orders/status", is_list=True)
STATUS = Endpoint("GET", "connect/orders/status/{uuid}")
DETAILS = Endpoint("GET", "connect/orders/details/{uuid}", returns_personal_data=True)
CANCEL = Endpoint("POST", "connect/orders/cancel/{uuid}", changes=True)
RESEND = Endpoint("POST", "connect/orders/resend/{uuid}", changes=True)
REFUND = Endpoint("POST", "connect/orders/refund/{uuid}", changes=True)
# The only one that isn't below "connect".
APPROVAL = Endpoint("POST", "orders/refund/request/approval/{uuid}", changes=True)
INVOICE_NUMBER = Endpoint("GET", "connect/orders/invoice-number/{uuid}")
CUSTOMER = Endpoint(
    "GET",
    "connect/customers/details/{uuid}",
    returns_personal_data=True,
    uuid_keys=CUSTOMER_UUID_KEYS,
)
# By the customer's type. What they answer isn't known.
CUSTOMER_UPDATES = {
    customer_type: Endpoint(
        "PUT",
        f"connect/customers/update/{customer_type}/{{uuid}}",
        changes=True,
        returns_personal_data=True,
        uuid_keys=CUSTOMER_UUID_KEYS,
    )
    for customer_type in ("private", "corporate")
}
