"""Invoices that are sent from inside somebody else's transaction, or many at once."""

import pytest

from .people import Refusal
from .test_concurrency import wait_until

BATCH = 8


@pytest.fixture
def automation(office):
    """Let an administrator's code run on invoices, as an automation does."""
    admin = office.admin
    [model] = admin.call("ir.model", "search", [["model", "=", "account.move"]])

    def run(code: str, *invoices: int):
        action = admin.call(
            "ir.actions.server",
            "create",
            {"name": "Automation", "model_id": model, "state": "code", "code": code},
        )
        context = {"active_model": "account.move", "active_ids": list(invoices)}
        return admin.call("ir.actions.server", "run", [action], context=context)

    return run


def test_the_first_click_of_a_session_sends_at_once(office, sandbox):
    """Although Odoo notes in the same request which device the person works on."""
    invoice = office.invoice()
    newcomer = office.person("colleague")

    newcomer.click("account.move", "action_frontpay_send", invoice)

    assert office.state(invoice) == "sent"


def test_an_automation_sends_once_its_transaction_is_committed(
    office, sandbox, automation
):
    invoice = office.invoice()

    automation("records.write({'ref': '7'}); records.action_frontpay_send()", invoice)

    assert office.state(invoice) == "queued"
    assert not sandbox.orders()
    office.run_cron("cron_send")
    assert office.state(invoice) == "sent"
    order = sandbox.order(office.name(invoice))
    assert order["payload"]["customerReference"] == "7"


def test_an_automation_that_is_rolled_back_sends_nothing(office, sandbox, automation):
    invoice = office.invoice()

    with pytest.raises(Refusal, match="No, after all"):
        automation(
            "records.write({'ref': '7'})\n"
            "records.action_frontpay_send()\n"
            "raise UserError('No, after all')",
            invoice,
        )

    office.run_cron("cron_send")
    assert not office.state(invoice)
    assert not office.orders(invoice)
    assert not sandbox.orders()


def test_an_invoice_that_is_posted_and_sent_in_one_transaction(
    office, sandbox, automation
):
    invoice = office.invoice()
    office.bookkeeper.click("account.move", "button_draft", invoice)

    automation("records.action_post(); records.action_frontpay_send()", invoice)

    assert office.state(invoice) == "queued"
    office.run_cron("cron_send")
    assert len(sandbox.orders_of(office.name(invoice))) == 1


def test_an_automation_asks_once_its_transaction_is_committed(
    office, sandbox, automation
):
    sandbox.set_callbacks(False)
    invoice = office.invoice(office.company.private)
    office.send(invoice)
    sandbox.act(sandbox.order(office.name(invoice))["orderUuid"], "pay")

    with pytest.raises(Refusal, match="No, after all"):
        automation(
            "records.write({'ref': '7'})\n"
            "records.action_frontpay_refresh()\n"
            "raise UserError('No, after all')",
            invoice,
        )
    assert office.bookkeeper.read("account.move", invoice, "ref")["ref"] is False

    automation(
        "records.write({'ref': '7'}); records.action_frontpay_refresh()", invoice
    )
    office.run_cron("cron_ask")
    assert office.state(invoice) == "paid"


def test_a_batch_is_sent_by_itself(open_office, sandbox):
    """With Odoo's own crons, which are woken up at once."""
    with open_office("batch", crons=2) as office:
        customer = office.company.private
        invoices = office.invoices([(customer, 100.0 + n) for n in range(BATCH)])

        told = office.bookkeeper.click(
            "account.move", "action_frontpay_send", *invoices
        )["params"]

        assert told["type"] == "success"
        assert f"{BATCH} invoice(s) are queued" in told["message"]
        wait_until(
            lambda: {office.state(invoice) for invoice in invoices} == {"sent"},
            "the batch is sent",
        )
        sent = [order["orderAmount"] for order in sandbox.orders()]
        assert sent == [f"{(100 + n) * 1.25:.2f}" for n in range(BATCH)]
