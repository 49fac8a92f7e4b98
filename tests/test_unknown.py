"""An invoice goes out and no answer comes back: what Odoo and its people make of it."""

import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import requests
from playwright.sync_api import expect

from .browser import opened
from .databases import rows
from .helpers import (
    NOBODY,
    TIMEOUT,
    at_once,
    call_back,
    wait_until,
)
from .rpc import Refusal

CROWD = 6  # people at once
LINK = ("frontpay.resolve.candidate", "action_link")
SUBMIT = "connect/orders/invoice/submit"


@pytest.fixture
def desk(browser, office, request):
    """The browser window of the bookkeeper."""
    with opened(browser, office.server.url, request.node.name) as desk:
        desk.sit_down(office.bookkeeper)
        yield desk


def lose_answer(office, sandbox, invoice, when="after"):
    """Send an invoice so that Odoo never learns what became of it."""
    sandbox.fail_next("drop", when=when)
    office.send(invoice)
    assert office.state(invoice) == "unknown"


def check_outcome(office, invoice):
    return office.bookkeeper.click("account.move", "action_frontpay_resolve", invoice)


def let_pass(office, minutes):
    """As if everything had gone out and been seen that much earlier."""
    age = f"- interval '{minutes} minutes'"
    for table, *columns in (
        ("frontpay_order", "sending_at"),
        ("frontpay_remote_order", "ordered_at", "create_date"),
    ):
        changes = ", ".join(f"{column} = {column} {age}" for column in columns)
        rows(office.server.database, f"UPDATE {table} SET {changes}")


def hand_over(sandbox, order, **changes):
    """A webshop hands over an order like another one, but for these values.

    :return: its number
    """
    payload = {
        name: value
        for name, value in (order["payload"] | changes).items()
        if value is not None
    }
    answer = requests.post(
        sandbox.api_url + SUBMIT,
        json=payload,
        headers={"Authorization": f"Bearer {sandbox.token}"},
        timeout=30,
    )
    answer.raise_for_status()
    return answer.json()["data"]["orderId"]


def test_an_order_that_never_came_is_sent_again(office, sandbox):
    office.send(office.invoice())  # Front Payment's list is complete if it has this one
    invoice = office.invoice()
    lose_answer(office, sandbox, invoice, when="before")
    let_pass(office, 20)
    office.run_cron("cron_recover")
    assert office.state(invoice) == "failed"
    assert told(office, invoice, "never got") == 1

    office.send(invoice)

    assert [order["state"] for order in office.orders(invoice)] == ["failed", "sent"]
    assert len(sandbox.orders()) == 2


def test_an_empty_list_does_not_prove_that_an_order_never_came(office, sandbox):
    invoice = office.invoice()
    lose_answer(office, sandbox, invoice, when="before")
    let_pass(office, 20)
    office.run_cron("cron_recover")
    assert office.state(invoice) == "unknown"
    assert told(office, invoice, "proves nothing") == 1


def test_whoever_still_sends_is_left_alone(office, sandbox):
    invoice = office.invoice()
    sandbox.fail_next("delay", when="before", seconds=3)
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(office.send, invoice)
        wait_until(lambda: office.state(invoice) == "sending", "it is being sent")
        action = check_outcome(office, invoice)
        office.run_cron("cron_recover")
        assert "Being Sent" in action["params"]["message"]
        assert office.state(invoice) == "sending"
        assert not sending.done()
        assert sending.result(TIMEOUT)["params"]["type"] == "success"
    assert [order["state"] for order in office.orders(invoice)] == ["sent"]
    assert len(sandbox.orders()) == 1


def test_many_who_check_at_once_find_one_order(office, sandbox):
    invoice = office.invoice()
    lose_answer(office, sandbox, invoice)
    people = [office.person("bookkeeper") for _number in range(CROWD)]
    for person in people:  # all have come in and look at it
        assert person.read("account.move", invoice, "frontpay_state")

    results = at_once(
        [
            lambda person=person: person.click(
                "account.move", "action_frontpay_resolve", invoice
            )
            for person in people
        ]
    )

    assert all(isinstance(result, dict) for result in results), results
    [order] = office.orders(invoice)
    assert order["state"] == "sent"
    assert order["order_uuid"] == sandbox.order(office.name(invoice))["orderUuid"]
    assert told(office, invoice, "Handed to Front Payment as order") == 1


def test_a_callback_and_the_list_at_once_lose_nothing(office, sandbox):
    sandbox.set_callbacks(False)
    invoice = office.invoice()
    lose_answer(office, sandbox, invoice)
    order = sandbox.order(office.name(invoice))
    sandbox.act(order["orderUuid"], "pay")
    another = office.person("bookkeeper")
    assert another.read("account.move", invoice, "frontpay_state")

    at_once(
        [
            lambda: call_back(sandbox, order, "PAID"),
            lambda: check_outcome(office, invoice),
            lambda: another.click("account.move", "action_frontpay_resolve", invoice),
            lambda: call_back(sandbox, order, "PAID"),
        ]
    )

    assert office.state(invoice) == "paid"
    assert len(office.payments(invoice)) == 1


def test_two_people_cannot_link_the_same_order(office, sandbox):
    """Both look at it before either has said so."""
    invoices = [office.invoice(), office.invoice()]
    for invoice in invoices:
        lose_answer(office, sandbox, invoice)
    order = sandbox.order(office.name(invoices[0]))["orderUuid"]
    clicks = []
    for invoice, login in zip(invoices, ("bookkeeper", "colleague"), strict=True):
        person = office.person(login)
        question = person.click("account.move", "action_frontpay_resolve", invoice)
        [candidate] = person.call(
            "frontpay.resolve.candidate",
            "search",
            [["resolve_id", "=", question["res_id"]], ["order_uuid", "=", order]],
        )
        clicks.append(partial(person.click, *LINK, candidate))
    for seconds in (1, 3):
        sandbox.fail_next("delay", path="orders/status", seconds=seconds)

    results = at_once(clicks)

    [refusal] = [str(result) for result in results if isinstance(result, Refusal)]
    assert f"Order {order} belongs to" in refusal
    states = [office.state(invoice) for invoice in invoices]
    assert sorted(states) == ["sent", "unknown"]


def told(office, invoice, text):
    """In how many notes of the invoice's chatter a text stands."""
    return office.admin.call(
        "mail.message",
        "search_count",
        [
            ["model", "=", "account.move"],
            ["res_id", "=", invoice],
            ["body", "like", text],
        ],
    )


def test_an_order_that_is_there_is_found_with_one_click(desk, office, sandbox):
    invoice = office.invoice()
    sandbox.fail_next("drop", when="after")
    desk.open_invoice(invoice)
    desk.button("Send to Front Payment").click()
    expect(desk.notification("danger")).to_contain_text("no clear answer came back")
    check = desk.button("Check Outcome")
    expect(check).to_have_class(re.compile("btn-primary"))
    expect(desk.button("Send")).not_to_have_class(re.compile("btn-primary"))
    expect(desk.button("Send to Front Payment Again")).to_be_hidden()
    desk.picture("unknown")

    check.click()

    expect(desk.notification("success")).to_contain_text("Waiting for Customer")
    expect(check).to_be_hidden()
    expect(desk.page.locator(".alert-danger")).to_be_hidden()
    desk.tab("Front Payment").click()
    expect(desk.field("frontpay_order_uuid")).to_contain_text(
        sandbox.order(office.name(invoice))["orderUuid"]
    )
    desk.picture("found")


def test_the_bookkeeper_decides(desk, office, sandbox):
    """The customer has bought the same in the webshop, minutes apart."""
    invoice = office.invoice()
    name = office.name(invoice)
    sandbox.fail_next("drop", when="after")
    desk.open_invoice(invoice)
    desk.button("Send to Front Payment").click()
    expect(desk.notification("danger")).to_contain_text("no clear answer came back")
    order = sandbox.order(name)
    another = hand_over(sandbox, order, referenceNo=None)
    sandbox.act(another, "pay")

    desk.button("Check Outcome").click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Outcome of {name}")
    expect(dialog).to_contain_text(f"orders that may be {name} (2)")
    expect(dialog.get_by_role("button", name="Not Received")).to_be_hidden()
    desk.picture("too early to say")
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    expect(dialog).to_be_hidden()

    let_pass(office, 20)
    office.run_cron("cron_recover")
    desk.open_invoice(invoice)
    alert = desk.page.locator(".alert-danger")
    expect(alert).to_contain_text("2 orders that may be this invoice")
    expect(desk.page.locator(".o-mail-Activity")).to_contain_text("2 orders")
    desk.picture("decision needed")

    alert.get_by_text("Decide").click()
    candidates = dialog.locator(".o_data_row")
    expect(candidates).to_have_count(2)
    expect(candidates.filter(has_text=another)).to_contain_text("Paid")
    desk.picture("answers")
    mine = candidates.filter(has_text=order["orderUuid"])
    mine.get_by_role("button", name="Link This Order").click()

    expect(desk.notification("success")).to_contain_text("Waiting for Customer")
    expect(dialog).to_be_hidden()
    expect(alert).to_be_hidden()
    desk.tab("Front Payment").click()
    expect(desk.field("frontpay_order_uuid")).to_contain_text(order["orderUuid"])
    desk.picture("settled")
    assert told(office, invoice, "Berit Bokholder said that this invoice is") == 1


def test_the_bookkeeper_knows_that_front_payment_has_not_received_it(
    desk, office, sandbox
):
    invoice = office.invoice()
    lose_answer(office, sandbox, invoice, when="before")
    let_pass(office, 70)
    office.configure(frontpay_custom_url=NOBODY)
    try:
        desk.open_invoice(invoice)
        desk.button("Check Outcome").click()
        dialog = desk.page.get_by_role("dialog")
        expect(dialog).to_contain_text("can't be updated")
        desk.picture("down")
        dialog.get_by_role("button", name="Not Received").click()
        warning = desk.page.get_by_role("dialog").filter(has_text="invoiced twice")
        expect(warning).to_be_visible()
        desk.picture("warning")
        warning.get_by_role("button", name="Not Received").click()
        expect(desk.notification("success")).to_contain_text("Not Sent")
        expect(desk.page.get_by_role("dialog")).to_have_count(0)
    finally:
        office.configure(frontpay_custom_url=sandbox.api_url)
    send = desk.button("Send to Front Payment Again")
    expect(send).to_be_visible()
    desk.picture("may be sent again")
    send.click()
    expect(desk.notification("success").last).to_contain_text("1 invoice handed")
    assert len(sandbox.orders()) == 1
