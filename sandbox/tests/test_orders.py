"""The state machine: what may happen in each status, and nothing else."""

import pytest

from .conftest import COMPANY

# How to get into a status, and where each action leads from there.
MACHINE = {
    "SENT": (
        [],
        {
            "confirm": "INVOICED",
            "pay": "PAID",
            "expire": "EXPIRED",
            "cancel": "CANCELLED",
        },
    ),
    "INVOICED": (["confirm"], {"pay": "PAID", "remind": "Purring"}),
    "Purring": (["confirm", "remind"], {"pay": "PAID", "collection": "Inkasso"}),
    "Inkasso": (["confirm", "remind", "collection"], {"pay": "PAID"}),
    "PAID": (["pay"], {"refund": "REFUNDED"}),
    "REFUNDED": (["pay", "refund"], {}),
    "CANCELLED": (["cancel"], {}),
    "EXPIRED": (["expire"], {}),
}
ACTIONS = ("confirm", "pay", "remind", "collection", "expire", "cancel", "refund")


@pytest.mark.parametrize("status", MACHINE)
def test_each_action_in_each_status(sandbox, status):
    way, expected = MACHINE[status]
    reached = {}
    for action in ACTIONS:
        uuid = sandbox.new_order()
        sandbox.act(uuid, *way)
        answer = sandbox.act(uuid, action)
        if answer.status_code == 200:
            reached[action] = answer.json()["status"]
        else:
            assert answer.status_code == 409, action
            assert f"not possible while the order is {status}" in answer.json()["error"]
        assert sandbox.status(uuid) == reached.get(action, status)
    assert reached == expected


def test_every_status_is_kept_with_its_time(sandbox):
    uuid = sandbox.new_order(COMPANY)
    stored = sandbox.act(uuid, "remind", "pay").json()
    assert [step["status"] for step in stored["statuses"]] == [
        "SENT",
        "INVOICED",
        "Purring",
        "PAID",
    ]
    times = [step["at"] for step in stored["statuses"]]
    assert times == sorted(times)


def test_refunds_add_up_to_the_whole(sandbox):
    uuid = sandbox.new_order()
    sandbox.act(uuid, "pay")
    first = sandbox.act(uuid, "refund", amount="0.10").json()
    assert (first["status"], first["refundedAmount"]) == ("PARTIAL REFUNDED", "0.10")
    second = sandbox.act(uuid, "refund", amount=0.2).json()
    assert second["refundedAmount"] == "0.30"
    last = sandbox.act(uuid, "refund").json()
    assert (last["status"], last["refundedAmount"]) == ("REFUNDED", "40.00")


def test_an_amount_that_cannot_be_paid_back_is_refused(sandbox):
    uuid = sandbox.new_order()
    sandbox.act(uuid, "pay")
    for amount in (0, -1, "x", "0.001", 40.01, True, [1]):
        answer = sandbox.act(uuid, "refund", amount=amount)
        assert answer.status_code == 400, amount
        assert answer.json()["error"].endswith(".")
    assert sandbox.stored(uuid)["refundedAmount"] == "0.00"


def test_an_unknown_order_or_action_is_told(sandbox):
    assert sandbox.act("ODR1", "pay").status_code == 404
    assert sandbox.act(sandbox.new_order(), "dance").status_code == 409
