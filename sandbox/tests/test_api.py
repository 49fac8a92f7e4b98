"""The endpoints answer as documented and as recorded."""

import base64
import json
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from .conftest import BODIES, COMPANY, order_with

NO_DATA = {"is_data": False, "data": None}


def test_a_private_order_waits_for_bankid(sandbox):
    answer = sandbox.submit()
    body = answer.json()
    data = body.pop("data")
    assert answer.status_code == 201
    assert body == {
        "status_code": 201,
        "status_message": "OK",
        "message": "orderCreatedSuccessfully",
        "is_data": True,
    }
    assert re.fullmatch(r"ODR\d{10}", data["orderId"])
    assert re.fullmatch(r"CSRT\d{10}", data["customerUuid"])
    assert data["bankIdUrl"].startswith(f"{sandbox.url}/bankid/precheck/auth?")
    (state,) = parse_qs(urlsplit(data["bankIdUrl"]).query)["state"]
    content = json.loads(base64.b64decode(state))
    assert content == {"orderUuid": data["orderId"], "connect": "yes"}
    assert sandbox.status(data["orderId"]) == "SENT"


def test_a_company_is_invoiced_at_once(sandbox):
    data = sandbox.submit(COMPANY).json()["data"]
    assert data["bankIdUrl"] == ""
    assert sandbox.status(data["orderId"]) == "INVOICED"


def test_the_same_customer_keeps_its_number(sandbox):
    first, again = (sandbox.submit().json()["data"] for _ in range(2))
    other = sandbox.submit({"customerDetails.personalNumber": "02819012345"})
    company = sandbox.submit(COMPANY)
    assert first["orderId"] != again["orderId"]
    assert first["customerUuid"] == again["customerUuid"]
    numbers = {r.json()["data"]["customerUuid"] for r in (other, company)}
    assert len(numbers | {first["customerUuid"]}) == 3


WRONG_AUTHORIZATIONS = (
    "",
    "Bearer wrong",
    "Bearer sandbox-token-2",
    "Bearer",
    "Basic sandbox-token",
    "sandbox-token",
    "Bearer é",
)


def test_without_the_token_nothing_is_answered(sandbox):
    for authorization in WRONG_AUTHORIZATIONS:
        headers = {"Authorization": authorization.encode()} if authorization else {}
        answer = sandbox.api("GET", "status", headers=headers)
        assert answer.status_code == 401, authorization
        assert answer.json() == {
            "status_code": 401,
            "status_message": "Unauthorized",
            "message": "unauthenticated",
            **NO_DATA,
        }


UNKNOWN = {
    ("GET", "status/ODR1"): "Order Not Found",
    ("GET", "status"): "Order Not Found",
    ("GET", "status?type=Paid"): "Order Not Found",
    ("GET", "details/ODR1"): "orderNotFound",
    ("GET", "invoice-number/ODR1"): "orderNotFound",
    ("POST", "cancel/ODR1"): "orderNotFound",
    ("GET", "nothing/here"): "routeNotFound",
}


def test_what_is_unknown_is_a_404_in_the_envelope(sandbox):
    for (method, path), message in UNKNOWN.items():
        answer = sandbox.api(method, path)
        assert answer.status_code == 404, path
        assert answer.json() == {
            "status_code": 404,
            "status_message": "Not Found",
            "message": message,
            **NO_DATA,
        }


def test_a_wrong_method_and_a_huge_body_wear_the_envelope_too(sandbox):
    assert sandbox.api("GET", "invoice/submit").json()["status_code"] == 405
    huge = sandbox.api("POST", "invoice/submit", data=b" " * (2 * 1024 * 1024 + 1))
    assert huge.json()["status_code"] == 413


def test_the_status_tells_what_was_paid_back(sandbox):
    uuid = sandbox.new_order()
    sandbox.act(uuid, "pay")
    sandbox.act(uuid, "refund", amount=12.5)
    assert sandbox.api("GET", f"status/{uuid}").json()["data"] == {
        "uuid": uuid,
        "status": "PARTIAL REFUNDED",
        "orderAmount": 40,
        "refundedAmount": 12.5,
    }


def test_statuses_are_filtered_in_any_case(sandbox):
    sandbox.new_order()
    paid = sandbox.new_order()
    sandbox.act(paid, "pay")
    for wanted in ("PAID", "Paid", "paid"):
        answer = sandbox.api("GET", f"status?type={wanted}").json()
        assert answer["data"] == [{"uuid": paid, "status": "PAID"}], wanted
    assert len(sandbox.api("GET", "status").json()["data"]) == 2


def test_a_status_that_does_not_exist_is_refused(sandbox):
    answer = sandbox.api("GET", "status?type=Lost")
    assert answer.status_code == 417
    assert answer.json()["errors"] == ["The selected type is invalid."]


def test_details_use_the_names_of_the_answer_not_of_the_request(sandbox):
    data = sandbox.submit().json()["data"]
    details = sandbox.api("GET", f"details/{data['orderId']}").json()["data"]
    (product,) = details.pop("productList")
    assert isinstance(product.pop("id"), int)
    assert product == {
        "name": "Router",
        "productId": "R_1",
        "quantity": 1,
        "rate": 40.0,
        "discount": 0.0,
        "tax": 0.0,
        "amount": 40.0,
    }
    sent = order_with()["customerDetails"]
    assert details == {
        "type": "invoice",
        "orderUuid": data["orderId"],
        "invoiceNumber": None,
        "status": "SENT",
        "orderDate": "1755150488",
        "paymentLinkDueDate": None,
        "orderSummary": {"subTotal": 40, "tax": 0, "discount": 0, "grandTotal": 40},
        "customerDetails": {
            **sent,
            "uuid": data["customerUuid"],
            "organizationId": None,
        },
    }


REFERENCES = {
    "invoice/submit": (
        {"referenceNo": "INV/2026/00012", "customerReference": "3500"},
        None,
    ),
    "regular/submit": (
        BODIES["regular/submit"]["invoiceReferences"],
        BODIES["regular/submit"]["internalReferences"],
    ),
}


@pytest.mark.parametrize(("channel", "references"), REFERENCES.items())
def test_details_tell_the_references_as_the_older_list_did(
    sandbox, channel, references
):
    uuid = sandbox.new_order(channel=channel)
    without = sandbox.api("GET", f"details/{uuid}").json()["data"]
    sandbox.control("POST", "settings", {"details_references": True})
    data = sandbox.api("GET", f"details/{uuid}").json()["data"]
    told = data.pop("invoiceReferences"), data.pop("internalReferences")
    assert told == references
    assert data == without


def test_line_ids_are_never_used_twice(sandbox):
    ids = [
        sandbox.api("GET", f"details/{sandbox.new_order()}").json()["data"][
            "productList"
        ][0]["id"]
        for _ in range(3)
    ]
    assert len(set(ids)) == 3


def test_the_invoice_number_comes_with_the_invoice(sandbox):
    uuid = sandbox.new_order()
    path = f"invoice-number/{uuid}"
    assert sandbox.api("GET", path).json()["data"]["invoiceNumber"] is None
    sandbox.act(uuid, "confirm")
    data = sandbox.api("GET", path).json()["data"]
    assert data["orderUuid"] == uuid
    assert data["status"] == "INVOICED"
    assert re.fullmatch(r"999\d{5}", data["invoiceNumber"])
    sandbox.act(uuid, "pay")
    number = sandbox.api("GET", path).json()["data"]["invoiceNumber"]
    assert number == data["invoiceNumber"]


def test_a_link_is_sent_again_by_e_mail_or_sms(sandbox):
    uuid = sandbox.new_order()
    for body, sentences in (
        ({}, 2),
        ({"email": "kari@"}, 1),
        ({"msisdn": "46567468"}, 1),
        ({"email": "kari@example.com", "msisdn": None, "countryCode": None}, 0),
        ({"countryCode": "+47", "msisdn": "46567468"}, 0),
    ):
        answer = sandbox.api("POST", f"resend/{uuid}", json=body)
        assert answer.status_code == (417 if sentences else 202)
        assert len(answer.json().get("errors") or []) == sentences


def test_an_order_that_is_sent_can_be_cancelled(sandbox):
    uuid = sandbox.new_order()
    for body, sentence in (
        ({}, "The cancellation note field is required."),
        ({"cancellationNote": 7}, "The cancellation note must be a string."),
    ):
        refused = sandbox.api("POST", f"cancel/{uuid}", json=body)
        assert refused.status_code == 417
        assert refused.json()["errors"] == [sentence]
    answer = sandbox.api("POST", f"cancel/{uuid}", json={"cancellationNote": "Wrong"})
    assert answer.json() == {
        "status_code": 202,
        "status_message": "OK",
        "message": "cancelledOrderSuccessfully",
        "is_data": False,
        "data": None,
    }
    assert sandbox.status(uuid) == "CANCELLED"


TOO_LATE = {
    ("confirm",): "orderStatusAlreadyInvoiced",
    ("confirm", "remind", "collection"): "orderStatusAlreadyInvoiced",
    ("pay",): "orderStatusAlreadyPaid",
    ("pay", "refund"): "orderStatusAlreadyPaid",
    ("cancel",): "orderStatusAlreadyCancelled",
    ("expire",): "orderUpdateFailed",
}


def test_later_it_can_neither_be_cancelled_nor_updated(sandbox):
    for actions, code in TOO_LATE.items():
        uuid = sandbox.new_order()
        status = sandbox.act(uuid, *actions).json()["status"]
        update = {"fpgoUuid": uuid, "orderFrom": "PARTNER"}
        for answer in (
            sandbox.api("POST", f"cancel/{uuid}", json={"cancellationNote": "x"}),
            sandbox.submit(update),
        ):
            assert answer.json() == {
                "status_code": 400,
                "status_message": "Conflict of Business Logic",
                "message": code,
                **NO_DATA,
            }
        assert sandbox.status(uuid) == status


def test_the_control_lists_requests_without_their_bodies(sandbox):
    sandbox.new_order()
    sandbox.submit({"orderDate": ""})
    rows = sandbox.control("GET", "requests").json()
    times = [row.pop("at") for row in rows]
    assert times == sorted(times)
    path = "/api/v1/connect/orders/invoice/submit"
    assert rows == [
        {"method": "POST", "path": path, "status": 201},
        {"method": "POST", "path": path, "status": 417},
    ]


BAD_SETTINGS = {
    "an unknown name": {"colour": "blue"},
    "no object": ["token"],
    "a token that is no text": {"token": 7},
    "an empty secret": {"secret": ""},
    "callbacks neither on nor off": {"callbacks": "yes"},
    "no rate limit": {"rate_limit": 0},
    "a boolean rate limit": {"rate_limit": True},
    "an unknown window": {"rate_window": "open"},
    "references neither told nor not": {"details_references": 1},
}


def test_settings_that_do_not_fit_change_nothing(sandbox):
    for what, changes in BAD_SETTINGS.items():
        answer = sandbox.control("POST", "settings", changes)
        assert answer.status_code == 400, what
        assert answer.json()["error"].endswith(".")
        assert sandbox.submit().status_code == 201, what


def test_the_token_can_be_changed_while_it_runs(sandbox):
    sandbox.control("POST", "settings", {"token": "another"})
    assert sandbox.submit().status_code == 401
    headers = {"Authorization": "Bearer another"}
    assert sandbox.submit(headers=headers).status_code == 201


def test_requests_are_counted_down_for_all_endpoints(sandbox):
    sandbox.control("POST", "settings", {"rate_limit": 240})
    answers = [sandbox.submit(), sandbox.api("GET", "status")]
    left = [answer.headers["x-ratelimit-remaining"] for answer in answers]
    assert left == ["239", "238"]
    assert answers[0].headers["X-RateLimit-Limit"] == "240"
    assert "Retry-After" not in answers[0].headers


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_over_the_limit_one_has_to_wait(sandbox, window):
    sandbox.control("POST", "settings", {"rate_limit": 2, "rate_window": window})
    answers = [sandbox.submit() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 60
    assert answers[2].headers["x-ratelimit-remaining"] == "0"
    assert len(sandbox.control("GET", "orders").json()) == 2


def test_only_a_new_limit_begins_a_new_minute(sandbox):
    sandbox.control("POST", "settings", {"rate_limit": 2})
    sandbox.submit()
    sandbox.control("POST", "settings", {"callbacks": True})
    assert sandbox.submit().headers["x-ratelimit-remaining"] == "0"
    sandbox.control("POST", "settings", {"rate_limit": 2})
    assert sandbox.submit().headers["x-ratelimit-remaining"] == "1"


def test_requests_tell_when_they_came_in_and_not_when_they_were_answered(sandbox):
    sandbox.faults({"kind": "delay", "seconds": 0.5})
    started = time.time()
    sandbox.new_order()
    [row] = sandbox.control("GET", "requests").json()
    assert started <= row["at"] < started + 0.4
