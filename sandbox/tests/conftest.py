"""A real sandbox process on a free port, and a real merchant that is called back."""

import copy
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]

PERSONAL_NUMBER = "01819012345"  # synthetic (month + 80)

# Section 4.3's example
EXAMPLE = {
    "products": [
        {
            "name": "Router",
            "productId": "R_1",
            "quantity": "1",
            "rate": 40,
            "discount": 0,
            "tax": "0",
            "amount": 40,
        }
    ],
    "orderSummary": {
        "subTotal": "40",
        "totalTax": "0",
        "totalDiscount": "0.00",
        "grandTotal": "40",
    },
    "orderDate": "1755150488",
    "customerDetails": {
        "type": "private",
        "countryCode": "+47",
        "msisdn": "46567468",
        "email": "kari@example.com",
        "name": "Kari Prøvebruker",
        "preferredLanguage": "en",
        "personalNumber": PERSONAL_NUMBER,
        "organizationId": "",
        "address": {
            "street": "Prøvegata 14",
            "zip": "7030",
            "city": "Trondheim",
            "country": "NO",
        },
    },
    "referenceNo": "INV/2026/00012",
    "customerReference": "3500",
    "invoiceInterval": 0,
    "separateInvoices": True,
    "invoiceFeeApplicable": True,
    "invoiceMaturity": 10,
    "callback": {
        "callbackUrl": "http://127.0.0.1:9/callback/AbCdEfGhIjKlMnOpQrStUvWx",
        "success": "http://127.0.0.1:9/return/AbCdEfGhIjKlMnOpQrStUvWx/success",
        "failure": "http://127.0.0.1:9/return/AbCdEfGhIjKlMnOpQrStUvWx/failure",
    },
}

# The other channels' bodies, with every field that their pages list.
_INVOICE = {
    **{name: value for name, value in EXAMPLE.items() if name != "callback"},
    "callback": {"callbackUrl": EXAMPLE["callback"]["callbackUrl"]},
}
_PERSON = EXAMPLE["customerDetails"]
BODIES = {
    "invoice/submit": EXAMPLE,
    "regular/submit": {
        "products": EXAMPLE["products"],
        "orderSummary": {**EXAMPLE["orderSummary"], "shippingCost": "0.00"},
        "orderDate": "02 Aug, 2023",
        "dueDateForPaymentLink": "1691125906",
        "sendOrderBy": {"sms": False, "email": False, "invoice": True},
        "invoiceAsPaymentOption": True,
        "isCreditCheckAvailable": False,
        "customerDetails": _PERSON,
        "invoiceReferences": {
            "referenceNo": "INV/2026/00012",
            "customerReference": "3500",
            "receiptNo": "7",
            "customerNotes": "Ring the bell",
            "tnc": "Ours",
        },
        "internalReferences": {"referenceNo": "S00012", "notes": "Paid in May"},
        "invoiceInterval": 0,
        "separateInvoices": True,
        "submitPayment": {"via": "invoice", "currency": "NOK"},
        "callback": EXAMPLE["callback"],
    },
    "invoice/create": _INVOICE,
    "faktura/create": _INVOICE,
    "ehf/create": {
        **_INVOICE,
        "customerDetails": {
            **_PERSON,
            "type": "corporate",
            "personalNumber": None,
            "organizationId": "999999999",
        },
        "sendOrderBy": {"sms": False, "email": False, "invoice": True},
        "invoiceAsPaymentOption": True,
        "isCreditCheckAvailable": False,
    },
    "payment-link/create": {
        "products": EXAMPLE["products"],
        "orderSummary": EXAMPLE["orderSummary"],
        "sendOrderBy": {"sms": True, "email": False},
        "orderDate": "1755150488",
        "dueDateForPaymentLink": "1755750488",
        "customerDetails": {**_PERSON, "firstName": "Kari"},
        "invoiceAsPaymentOption": False,
        "isCreditCheckAvailable": False,
        "referenceNo": "INV/2026/00012",
        "customerReference": "3500",
        "secureDetails": True,
        "callback": _INVOICE["callback"],
    },
}
COMPANY = {
    "customerDetails.type": "corporate",
    "customerDetails.personalNumber": None,
    "customerDetails.organizationId": "999999999",
}
# What updates a customer, by type, with every field that their pages list.
_UPDATE = {
    **{
        name: _PERSON[name]
        for name in ("name", "email", "countryCode", "msisdn", "preferredLanguage")
    },
    "addresses": {
        "billing": {**_PERSON["address"], "street": "Prøvegata 2"},
        "shipping": _PERSON["address"],
    },
}
CUSTOMER_UPDATES = {
    "private": {**_UPDATE, "personalNumber": PERSONAL_NUMBER},
    "corporate": {
        **_UPDATE,
        "organizationId": "999999999",
        "additionalContact": [
            {
                "name": "Berit Prøvebaker",
                "designation": "Accountant",
                "countryCode": "+47",
                "msisdn": "40612345",
                "email": "berit@example.com",
                "note": "In the mornings",
            }
        ],
    },
}
MISSING = "(missing)"


def changed(document: dict, changes: dict) -> dict:
    """A copy with fields changed, named by path; MISSING takes one out."""
    document = copy.deepcopy(document)
    for path, value in copy.deepcopy(changes).items():
        *parents, name = [int(p) if p.isdigit() else p for p in path.split(".")]
        parent = document
        for step in parents:
            is_list = isinstance(parent, list)
            parent = parent[step] if is_list else parent.setdefault(step, {})
        if value == MISSING:
            parent.pop(name, None)
        else:
            parent[name] = value
    return document


def order_with(changes: dict | None = None, channel: str = "invoice/submit") -> dict:
    """A channel's body with fields changed."""
    return changed(BODIES[channel], changes or {})


def uuid_of(data: dict) -> str:
    """The order's id in an answer's data, under either of its names."""
    return data.get("orderId") or data["orderUuid"]


class Process:
    """A sandbox process and the ways to talk to it."""

    def __init__(self, *arguments: str):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--port", "0", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.first_line = self.process.stdout.readline()
        self.url = self.first_line.rpartition(" ")[2].strip().rstrip("/")
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        self.session = requests.Session()
        self.session.trust_env = False
        self.token = "sandbox-token"

    def _read_log(self) -> None:
        self.log.extend(self.process.stderr)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        code = self.process.wait(timeout=10)
        self._reader.join(timeout=10)
        self.rest_of_output = self.process.stdout.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def api(self, method: str, path: str, **kwargs) -> requests.Response:
        kwargs.setdefault("headers", {"Authorization": f"Bearer {self.token}"})
        kwargs.setdefault("timeout", 10)
        url = f"{self.url}/api/v1/connect/orders/{path}"
        return self.session.request(method, url, **kwargs)

    def submit(
        self, changes: dict | None = None, channel: str = "invoice/submit", **kwargs
    ) -> requests.Response:
        return self.api("POST", channel, json=order_with(changes, channel), **kwargs)

    def new_order(
        self, changes: dict | None = None, channel: str = "invoice/submit"
    ) -> str:
        answer = self.submit(changes, channel)
        assert answer.status_code == 201, answer.text
        return uuid_of(answer.json()["data"])

    def errors(self, changes: dict, channel: str = "invoice/submit") -> list[str]:
        answer = self.submit(changes, channel)
        assert answer.status_code == 417, answer.text
        return answer.json()["errors"]

    def status(self, uuid: str) -> str:
        return self.api("GET", f"status/{uuid}").json()["data"]["status"]

    def control(self, method: str, path: str, json: object = None) -> requests.Response:
        url = f"{self.url}/sandbox/{path}"
        return self.session.request(method, url, json=json, timeout=10)

    def act(self, uuid: str, *actions: str, amount=None) -> requests.Response | None:
        """Let these actions happen one after the other; the last one's answer."""
        body = {"amount": amount} if amount is not None else None
        answer = None
        for action in actions:
            answer = self.control("POST", f"orders/{uuid}/{action}", body)
        return answer

    def stored(self, uuid: str) -> dict:
        orders = self.control("GET", "orders").json()
        return next(order for order in orders if order["orderUuid"] == uuid)

    def faults(self, *faults: dict) -> None:
        answer = self.control("POST", "faults", {"faults": list(faults)})
        assert answer.status_code == 201, answer.text

    def page(self, path: str = "/") -> requests.Response:
        return self.session.get(self.url + path, timeout=10, allow_redirects=False)

    def press(self, path: str, headers=None, **form: str) -> requests.Response:
        return self.session.post(
            self.url + path,
            data=form,
            headers=headers,
            timeout=10,
            allow_redirects=False,
        )


@pytest.fixture(scope="session")
def running_sandbox():
    process = Process()
    yield process
    process.stop()


@pytest.fixture
def sandbox(running_sandbox):
    """The sandbox, emptied, with its settings as they are at the start."""
    settings = {
        "token": "sandbox-token",
        "secret": "sandbox-secret",
        "callbacks": True,
        "rate_limit": 10_000,
        "rate_window": "fixed",
        "details_references": False,
        "line_ids": True,
        "refund_outcome": True,
        "refund_amount_limit": 5000,
        "payout_fee_per_order": 5,
        "payout_fee_percent": 1,
        "refund_week_limit": 3,
    }
    for path in ("faults", "chaos", "orders", "requests"):
        running_sandbox.control("DELETE", path)
    running_sandbox.control("POST", "settings", settings)
    return running_sandbox


class Merchant:
    """Takes callbacks; answers with ``answers`` in turn, then 200."""

    def __init__(self):
        self.received: list[str] = []
        self.answers: list[int] = []
        self.pause = 0.0
        merchant = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                merchant.received.append(self.path)
                time.sleep(merchant.pause)
                code = merchant.answers.pop(0) if merchant.answers else 200
                self.send_response(code)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(
            target=self.server.serve_forever, args=[0.05], daemon=True
        ).start()

    def wait_for(self, count: int, seconds: float = 5) -> list[str]:
        """The paths called, once there are ``count`` of them."""
        return wait_until(
            lambda: self.received if len(self.received) >= count else None, seconds
        )


def wait_until(condition, seconds: float = 5):
    """What ``condition`` returns as soon as that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.02)
    raise AssertionError(f"still waiting after {seconds} seconds")


@pytest.fixture
def merchant():
    merchant = Merchant()
    yield merchant
    merchant.server.shutdown()
    merchant.server.server_close()
