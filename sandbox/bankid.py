"""The URL of the customer's BankID step and what it carries."""

import base64
import binascii
import json
from urllib.parse import urlencode

PATH = "/bankid/precheck/auth"


def bankid_url(base_url: str, order_uuid: str) -> str:
    """The customer's BankID URL, with the real one's parameters (section 5)."""
    content = {"orderUuid": order_uuid, "connect": "yes"}
    state = json.dumps(content, separators=(",", ":"))
    parameters = {
        "client_id": "front_payment-bankid-sandbox",
        "redirect_uri": f"{base_url}/bankid/",
        "response_type": "code",
        "scope": "openid profile nnin",
        "state": base64.b64encode(state.encode()).decode(),
    }
    return f"{base_url}{PATH}?{urlencode(parameters)}"


def order_uuid(state: str) -> str | None:
    """The order that a ``state`` names; None if it is damaged."""
    try:
        content = json.loads(base64.b64decode(state, validate=True))
    except (binascii.Error, ValueError):
        return None
    uuid = content.get("orderUuid") if isinstance(content, dict) else None
    return uuid if isinstance(uuid, str) else None
