"""Faults by buttons: what a person presses, what is armed, and what then happens."""

import re

import pytest
import requests

from .conftest import COMPANY

ARMED = re.compile(r"<li>(The next [^<]*)</li>")
# The button, the answer's status (None: there is none) and whether the order is stored.
OUTCOMES = {
    "refuse": (417, False),
    "silent": (None, True),
    "lost": (None, False),
    "wrong": (200, True),
    "limit": (429, False),
}
# What it waits for, and what meets it: a method, a path behind connect/orders/.
OTHERS = {
    "refund": ("POST", "refund/{}"),
    "status": ("GET", "status/{}"),
    "any": ("GET", "details/{}"),
}


def arm(sandbox, button: str, occasion: str = "order"):
    answer = sandbox.press("/faults", button=button, occasion=occasion)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/faults"


def armed(sandbox, path: str = "/") -> list[str]:
    """What the page says is armed."""
    return ARMED.findall(sandbox.page(path).text)


def status_of(send) -> int | None:
    try:
        return send().status_code
    except requests.ConnectionError:
        return None


def test_each_button_does_once_what_it_says(sandbox):
    for button, (status, is_stored) in OUTCOMES.items():
        sandbox.control("DELETE", "orders")
        arm(sandbox, button)
        assert status_of(sandbox.submit) == status, button
        stored = sandbox.control("GET", "orders").json()
        assert bool(stored) == is_stored, button
        assert sandbox.submit().status_code == 201, button


def test_the_one_that_times_out_is_stored_and_answered_too_late(sandbox):
    arm(sandbox, "late")
    with pytest.raises(requests.Timeout):
        sandbox.submit(timeout=0.3)
    assert len(sandbox.control("GET", "orders").json()) == 1


@pytest.mark.parametrize("channel", ["invoice/submit", "payment-link/create"])
def test_a_fault_waits_for_an_invoice_by_any_channel(sandbox, channel):
    uuid = sandbox.new_order(COMPANY)
    arm(sandbox, "refuse")
    assert sandbox.api("GET", f"status/{uuid}").status_code == 200
    assert sandbox.submit(channel=channel).status_code == 417


def test_a_fault_can_wait_for_something_else(sandbox):
    uuid = sandbox.new_order()
    for occasion, (method, path) in OTHERS.items():
        arm(sandbox, "limit", occasion)
        if occasion != "any":
            assert sandbox.submit().status_code == 201
        assert sandbox.api(method, path.format(uuid)).status_code == 429, occasion


def test_every_page_of_the_merchants_says_what_is_armed(sandbox):
    uuid = sandbox.new_order()
    assert armed(sandbox) == []
    arm(sandbox, "silent")
    for path in ("/", "/faults", "/payouts", f"/orders/{uuid}"):
        (sentence,) = armed(sandbox, path)
        assert sentence.startswith("The next invoice that is sent: store it"), path
    status_of(sandbox.submit)
    assert armed(sandbox) == []


def test_what_a_test_has_asked_for_is_told_as_well(sandbox):
    sandbox.faults({"kind": "status", "status": 503, "count": 3, "path": "details"})
    assert armed(sandbox) == [
        "The next request to details, 3 times: status, before it is carried out"
    ]


def test_disarmed_nothing_happens(sandbox):
    arm(sandbox, "refuse")
    arm(sandbox, "lost", "any")
    assert len(armed(sandbox)) == len(("refuse", "lost"))
    assert sandbox.press("/faults/disarm").status_code == 303
    assert armed(sandbox) == []
    assert sandbox.submit().status_code == 201


def test_the_customer_reads_nothing_of_it(sandbox):
    arm(sandbox, "refuse", "status")
    url = sandbox.submit().json()["data"]["bankIdUrl"]
    assert armed(sandbox, url.removeprefix(sandbox.url)) == []


def test_a_button_that_does_not_exist_is_explained(sandbox):
    for form in ({}, {"button": "burn", "occasion": "order"}, {"button": "refuse"}):
        answer = sandbox.press("/faults", **form)
        assert answer.status_code == 400
        assert "Nothing chosen" in answer.text
    assert armed(sandbox) == []


def test_the_page_shows_the_last_requests_newest_first(sandbox):
    uuid = sandbox.new_order()
    arm(sandbox, "lost", "status")
    status_of(lambda: sandbox.api("GET", f"status/{uuid}"))
    rows = re.findall(
        r'<span class="answer (\w+)">(\w+)</span>\s*<code>(\w+ \S+)</code>',
        sandbox.page("/faults").text,
    )
    assert rows == [
        ("bad", "dropped", f"GET connect/orders/status/{uuid}"),
        ("good", "201", "POST connect/orders/invoice/submit"),
    ]
