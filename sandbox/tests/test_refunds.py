"""Refunds: what is taken, what is refused with which code, and how they end."""

import pytest

from .conftest import COMPANY, changed

WEEK = "refundRejectionForWeeklyThresholdExceed"
AMOUNT = "refundRejectionForRequestAmountThresholdExceed"
BY_STATUS = "refundRejectionForRefundedCancelledInvoicedOrderParam"
# An order of two lines, over 5,000 in all.
ORDER = {
    "products": [
        {"name": "Router", "quantity": 1, "rate": 6000, "tax": 0, "amount": 6000},
        {"name": "Cable", "quantity": 2, "rate": 50, "tax": 0, "amount": 100},
    ],
    "orderSummary.subTotal": 6100,
    "orderSummary.grandTotal": 6100,
}


@pytest.fixture
def uuid(sandbox):
    """A paid invoice order."""
    uuid = sandbox.new_order(ORDER | COMPANY)
    sandbox.act(uuid, "pay")
    return uuid


def line_ids(sandbox, uuid) -> list[int]:
    lines = sandbox.api("GET", f"details/{uuid}").json()["data"]["productList"]
    return [line["id"] for line in lines]


def body(sandbox, uuid, amount, line=1, **changes) -> dict:
    document = {
        "type": "invoiced",
        "grandTotal": amount,
        "products": [{"id": line_ids(sandbox, uuid)[line], "amount": amount}],
    }
    return changed(document, changes)


def refund(sandbox, uuid, amount, line=1, **changes):
    document = body(sandbox, uuid, amount, line, **changes)
    return sandbox.api("POST", f"refund/{uuid}", json=document)


def ask_for_approval(sandbox, uuid, amount, line=1):
    url = f"{sandbox.url}/api/v1/orders/refund/request/approval/{uuid}"
    return sandbox.session.post(
        url,
        json=body(sandbox, uuid, amount, line) | {"message": AMOUNT},
        headers={"Authorization": f"Bearer {sandbox.token}"},
        timeout=10,
    )


def told(sandbox, uuid) -> tuple:
    """Status, refunded amount and how the newest refund ended."""
    answer = sandbox.api("GET", f"status/{uuid}").json()
    data = answer["data"]
    return data["status"], data["refundedAmount"], answer.get("refundStatus")


def decide(sandbox, decision):
    """The newest refund's end."""
    newest = sandbox.control("GET", "refunds").json()[-1]
    return sandbox.control("POST", f"refunds/{newest['id']}/{decision}")


def test_a_refund_is_taken_and_pending_and_then_paid_back(sandbox, uuid):
    answer = refund(sandbox, uuid, 60)
    assert answer.status_code == 202
    assert answer.json() == {
        "status_code": 202,
        "status_message": "OK",
        "message": "orderRefundedSuccessfully",
        "is_data": True,
        "data": None,
    }
    assert told(sandbox, uuid) == ("PAID", 0, None)
    assert decide(sandbox, "confirm").status_code == 200
    assert told(sandbox, uuid) == ("PARTIAL REFUNDED", 60, "REFUNDED")


def test_a_rejected_refund_moves_no_money(sandbox, uuid):
    refund(sandbox, uuid, 60)
    decide(sandbox, "reject")
    assert told(sandbox, uuid) == ("PAID", 0, "REJECTED")
    assert decide(sandbox, "confirm").status_code == 409
    assert told(sandbox, uuid)[1] == 0


def test_how_it_ended_is_told_only_where_that_is_switched_on(sandbox, uuid):
    sandbox.control("POST", "settings", {"refund_outcome": False})
    refund(sandbox, uuid, 60)
    decide(sandbox, "reject")
    assert told(sandbox, uuid) == ("PAID", 0, None)


def test_the_whole_in_parts(sandbox, uuid):
    sandbox.control("POST", "settings", {"refund_amount_limit": 10_000})
    for amount, line in ((100, 1), (6000, 0)):
        assert refund(sandbox, uuid, amount, line).status_code == 202
        decide(sandbox, "confirm")
    assert told(sandbox, uuid) == ("REFUNDED", 6100, "REFUNDED")


def test_a_claim_that_nobody_has_paid_is_lowered(sandbox):
    uuid = sandbox.new_order(ORDER | COMPANY)
    refund(sandbox, uuid, 60)
    decide(sandbox, "confirm")
    assert told(sandbox, uuid)[:2] == ("INVOICED", 60)
    sandbox.act(uuid, "pay")
    assert told(sandbox, uuid)[:2] == ("PAID", 60)


REFUSALS = {
    # code: (what came before, amount, line, further changes)
    "refundRejectionForRefundRequestGreaterThanOrderAmount": ((), 6100.01, 0, {}),
    "refundRejectionForOutOfRunwayParam:6050.00": ((50,), 6060, 0, {}),
    "refundRejectionForProductAmountExceed": ((), 100.01, 1, {}),
    "requestProductIdNotAvailable": ((), 10, 1, {"products.0.id": 0}),
    AMOUNT: ((), 5000.01, 0, {}),
    WEEK: ((10, 10, 10), 10, 1, {}),
    f"{BY_STATUS}Invoiced": ((), 10, 1, {"type": "regular"}),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_what_is_refused(sandbox, uuid, code):
    earlier, amount, line, changes = REFUSALS[code]
    for each in earlier:
        assert refund(sandbox, uuid, each).status_code == 202
    answer = refund(sandbox, uuid, amount, line, **changes)
    assert (answer.status_code, answer.json()["message"]) == (400, code)
    assert len(sandbox.control("GET", "refunds").json()) == len(earlier)


@pytest.mark.parametrize("actions", [[], ["cancel"], ["expire"]])
def test_an_order_without_a_claim_is_not_refunded(sandbox, actions):
    uuid = sandbox.new_order()
    sandbox.act(uuid, *actions)
    answer = refund(sandbox, uuid, 10, line=0)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(BY_STATUS)


def test_sums_that_are_not_right_are_refused(sandbox, uuid):
    for changes in ({"grandTotal": 10.01}, {"products.0.amount": 0}):
        answer = refund(sandbox, uuid, 10, **changes)
        assert answer.status_code == 417


def test_approval_lifts_the_limits_and_is_asked_for_once(sandbox, uuid):
    assert refund(sandbox, uuid, 5500, line=0).json()["message"] == AMOUNT
    answer = ask_for_approval(sandbox, uuid, 5500, line=0)
    assert answer.status_code == 201
    assert answer.json()["message"] == "requestedOrderRefundSuccessfully"
    again = ask_for_approval(sandbox, uuid, 5500, line=0)
    assert again.json()["message"] == "orderRefundRequestAlreadySubmitted"
    first = sandbox.control("GET", "refunds").json()[0]
    assert first["isRequest"] is True
    sandbox.control("POST", f"refunds/{first['id']}/confirm")
    assert told(sandbox, uuid)[:2] == ("PARTIAL REFUNDED", 5500)


def test_line_ids_are_shown_unless_switched_off(sandbox, uuid):
    assert all(line_ids(sandbox, uuid))
    sandbox.control("POST", "settings", {"line_ids": False})
    with pytest.raises(KeyError):
        line_ids(sandbox, uuid)


def test_faults_strike_refunds_before_and_after(sandbox, uuid):
    for when, stored in (("before", 0), ("after", 1)):
        document = body(sandbox, uuid, 10)
        sandbox.faults({"kind": "garbage", "when": when, "path": "refund"})
        answer = sandbox.api("POST", f"refund/{uuid}", json=document)
        assert "Bad Gateway" in answer.text
        assert len(sandbox.control("GET", "refunds").json()) == stored


def test_the_page_has_the_buttons_that_decide(sandbox, uuid):
    assert "Refunds asked for" not in sandbox.page(f"/orders/{uuid}").text
    refund(sandbox, uuid, 60)
    refund(sandbox, uuid, 30)
    first, second = (each["id"] for each in sandbox.control("GET", "refunds").json())
    page = sandbox.page(f"/orders/{uuid}").text
    assert f'id="confirm-{first}"' in page
    assert sandbox.press(f"/refunds/{first}/confirm").status_code == 303
    assert sandbox.press(f"/refunds/{second}/reject").status_code == 303
    page = sandbox.page(f"/orders/{uuid}").text
    assert f'id="confirm-{first}"' not in page
    assert "NOK 60.00 of it paid back." in page
    assert "Refund of NOK 30.00 rejected" in page
    assert sandbox.press(f"/refunds/{second}/confirm").status_code == 409
    assert sandbox.press("/refunds/999999/confirm").status_code == 404
    assert sandbox.press(f"/refunds/{second}/shrug").status_code == 400
    assert sandbox.control("POST", f"refunds/{second}/shrug").status_code == 400
    assert sandbox.control("POST", "refunds/999999/confirm").status_code == 404
