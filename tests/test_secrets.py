"""Token, secret and personal number go to Front Payment and nowhere else."""

import pytest

from .conftest import Office


@pytest.fixture
def traces(office, sandbox):
    """What an invoice leaves behind that was refused once, then sent and paid."""
    invoice = office.invoice()
    sandbox.fail_next("status", status=417)
    office.send(invoice)
    office.send(invoice)
    order = sandbox.order(office.name(invoice))
    assert order["payload"]["customerDetails"]["personalNumber"] == number_of(office)
    sandbox.act(order["orderUuid"], "pay")
    office.run_cron("cron_ask")
    office.bookkeeper.click("account.move", "action_frontpay_refresh", invoice)
    assert office.state(invoice) == "paid"
    exchanges = office.admin.call(
        "frontpay.exchange", "search_read", [["order_id.move_id", "=", invoice]]
    )
    assert len(exchanges) >= 4
    messages = office.admin.call(
        "mail.message",
        "search_read",
        [["model", "=", "account.move"], ["res_id", "=", invoice]],
        ["body", "preview"],
    )
    return {
        "the log of the server": office.server.log,
        "the exchange log": str(exchanges),
        "the chatter": str(messages),
    }


def number_of(office: Office) -> str:
    customer = office.admin.read(
        "res.partner", office.company.private, "frontpay_personal_number"
    )
    return customer["frontpay_personal_number"]


def test_no_secret_is_left_behind(office, sandbox, traces):
    secrets = {
        "token": sandbox.token,
        "callback secret": sandbox.secret,
        "personal number": number_of(office),
    }
    found = [
        f"{what} in {where}"
        for where, text in traces.items()
        for what, secret in secrets.items()
        if secret in text
    ]
    assert found == []


def test_the_traces_are_those_of_this_invoice(traces):
    """Or the test above would find nothing for the wrong reason."""
    assert "/frontpay/callback/" in traces["the log of the server"]
    assert "invoice/submit" in traces["the exchange log"]
    assert "Front Payment refused" in traces["the chatter"]
