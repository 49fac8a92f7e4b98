"""Money goes back once, whoever clicks at the same time and whatever dies half-way."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from playwright.sync_api import expect

from .browser import opened
from .helpers import TIMEOUT, at_once, wait_until
from .rpc import Refusal

KNOWN_REFUSALS = (
    "is just being handled by somebody else",
    "has been handed to Front Payment already",
)


def sold(office, sandbox) -> int:
    """An invoice over NOK 1,250 that its customer has paid."""
    invoice = office.invoice()
    office.send(invoice)
    order = sandbox.order(office.name(invoice))["orderUuid"]
    sandbox.set_callbacks(False)
    for action in ("confirm", "pay"):
        sandbox.act(order, action)
    refresh(office, invoice)
    assert office.state(invoice) == "paid"
    return invoice


def refresh(office, invoice: int) -> None:
    office.bookkeeper.click("account.move", "action_frontpay_refresh", invoice)


@pytest.fixture
def desk(browser, office, request):
    with opened(browser, office.server.url, request.node.name) as desk:
        desk.sit_down(office.bookkeeper)
        yield desk


def test_a_bookkeeper_credits_what_was_paid(desk, office, sandbox):
    invoice = sold(office, sandbox)
    desk.open_invoice(invoice)
    desk.button("Credit Note").click()
    dialog = desk.page.get_by_role("dialog")
    dialog.locator("[name='reason'] input").fill("Varen kom i retur")
    dialog.get_by_role("button", name="Reverse", exact=True).click()
    desk.button("Confirm").click()
    desk.button("Send to Front Payment").click()
    state = desk.field("frontpay_refund_state").first
    expect(state).to_have_text("Waiting for Front Payment")
    desk.picture("waiting")

    [refund] = sandbox.refunds()
    sandbox.decide(refund, "confirm")
    office.run_cron("cron_poll")
    refresh(office, invoice)

    expect(state).to_have_text("Refunded")
    expect(desk.page.locator(".o-mail-Thread")).to_contain_text(
        "Front Payment has refunded"
    )
    desk.picture("refunded")
    [note] = office.bookkeeper.call(
        "account.move", "search", [["reversed_entry_id", "=", invoice]]
    )
    assert [payment["amount"] for payment in office.payments(note)] == [1250.0]
    assert office.admin.read("account.move", note, "amount_residual") == {
        "id": note,
        "amount_residual": 0,
    }


def test_many_who_click_at_once_refund_once(office, sandbox):
    invoice = sold(office, sandbox)
    note = office.credit(invoice)
    people = [office.person(login) for login in ["bookkeeper", "colleague"] * 3]
    sandbox.fail_next("delay", seconds=1.5, path="refund")

    results = at_once(
        [
            lambda person=person: person.click(
                "account.move", "action_frontpay_send", note
            )
            for person in people
        ]
    )

    refusals = [str(result) for result in results if isinstance(result, Refusal)]
    assert len(refusals) == len(people) - 1, results
    for refusal in refusals:
        assert any(known in refusal for known in KNOWN_REFUSALS), refusal
    [refund] = sandbox.refunds()
    assert office.refund_state(note) == "pending"
    sandbox.decide(refund, "confirm")
    at_once([lambda: refresh(office, invoice), lambda: office.run_cron("cron_poll")])
    refresh(office, invoice)
    assert office.refund_state(note) == "refunded"
    assert [payment["amount"] for payment in office.payments(note)] == [1250.0]


def test_credit_notes_of_one_invoice_never_refund_more_than_is_left(office, sandbox):
    invoice = sold(office, sandbox)
    notes = [office.credit(invoice, net=400.0) for _number in range(4)]

    at_once([lambda note=note: office.send(note) for note in notes])
    for note in notes:
        if not office.refund_state(note):
            at_once([lambda note=note: office.send(note)])

    refunded = sum(float(refund["amount"]) for refund in sandbox.refunds())
    assert refunded == 1000.0  # two of NOK 500; a third would be too much
    states = sorted(str(office.refund_state(note)) for note in notes)
    assert states == ["False", "False", "pending", "pending"]


@pytest.fixture(scope="module")
def mortal_office(open_office):
    with open_office("mortal") as office:
        yield office


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_server_killed_while_refunding_forgets_and_repeats_nothing(
    mortal_office, sandbox, when
):
    office = mortal_office
    office.reset()
    invoice = sold(office, sandbox)
    note = office.credit(invoice)
    sandbox.fail_next("delay", when=when, seconds=8, path="orders/refund")

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(office.send, note)
        wait_until(sandbox.has_failed, "its request has gone out")
        office.server.kill()
        assert isinstance(sending.exception(TIMEOUT), requests.ConnectionError)
    office.server.start()

    with pytest.raises(Refusal, match="handed to Front Payment already"):
        office.send(note)
    wait_until(sandbox.refunds, "the request that was under way arrives")
    office.run_cron("cron_refund")
    assert office.refund_state(note) == "unknown"
    with pytest.raises(Refusal, match="being refunded"):
        office.bookkeeper.call("account.move", "button_draft", [note])

    [refund] = sandbox.refunds()
    sandbox.decide(refund, "confirm")
    refresh(office, invoice)
    assert office.refund_state(note) == "refunded"
    assert [payment["amount"] for payment in office.payments(note)] == [1250.0]
    assert len(sandbox.refunds()) == 1
