"""Invoices that are sent from inside somebody else's transaction, or many at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from .databases import column
from .helpers import TIMEOUT, happens, invoice_held
from .rpc import Refusal

BATCH = 8


@pytest.fixture
def automation(office):
    """Let an administrator's code run on invoices, as an automation does."""
    admin = office.admin
    [model] = admin.call("ir.model", "search", [["model", "=", "account.move"]])

    def run(code: str, *invoices: int, by=admin):
        action = admin.call(
            "ir.actions.server",
            "create",
            {"name": "Automation", "model_id": model, "state": "code", "code": code},
        )
        context = {"active_model": "account.move", "active_ids": list(invoices)}
        return by.call("ir.actions.server", "run", [action], context=context)

    return run


def test_odoos_own_dialog_puts_invoices_into_the_same_queue(office, sandbox):
    invoice = office.invoice()
    dialog = office.bookkeeper.call(
        "account.move.send.wizard",
        "create",
        {"move_id": invoice, "sending_methods": ["frontpay"]},
    )

    office.bookkeeper.click("account.move.send.wizard", "action_send_and_print", dialog)

    assert office.state(invoice) == "queued"
    office.run_cron("cron_send")
    assert office.state(invoice) == "sent"
    assert len(sandbox.orders_of(office.name(invoice))) == 1
    assert office.bookkeeper.read("account.move", invoice, "is_move_sent")[
        "is_move_sent"
    ]


def test_the_first_click_of_a_session_sends_at_once(office, sandbox):
    """Although Odoo notes in the same request which device the person works on."""
    invoice = office.invoice()
    newcomer = office.person("colleague")

    newcomer.click("account.move", "action_frontpay_send", invoice)

    assert device_notes(office, newcomer) == 1
    assert office.state(invoice) == "sent"


def test_nothing_is_committed_in_the_midst_of_a_request_that_is_not_ours(
    office, automation
):
    """Neither what the request wrote, nor what Odoo noted before it began."""
    customer = office.customer("Uferdig Endring")
    change = f"env['res.partner'].browse({customer}).write({{'ref': '7'}})"
    ref = ("res.partner", customer, "ref")
    newcomer = office.person("admin")

    with pytest.raises(Refusal, match="No, after all"):
        automation(f"{change}\nraise UserError('No, after all')", by=newcomer)
    assert office.admin.read(*ref)["ref"] is False
    assert device_notes(office, newcomer) == 0

    another = office.person("admin")
    automation(change, by=another)
    assert office.admin.read(*ref)["ref"] == "7"
    assert device_notes(office, another) == 1


def device_notes(office, person) -> int:
    """How often Odoo noted a session's device: made by its first request, together
    with what else the request does."""
    [count] = column(
        office.server.database,
        "SELECT count(*) FROM res_device_log"
        f" WHERE session_identifier = '{person.session_identifier}'",
    )
    return count


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


@pytest.mark.parametrize(
    ("dialog", "values", "state"),
    [
        ("cancel", {"note": "Ordered by mistake"}, "cancelled"),
        ("resend", {"email": "kari@example.com"}, "sent"),
    ],
)
def test_an_automation_may_confirm_a_dialog_if_it_does_nothing_else(
    office, automation, dialog, values, state
):
    """What it wrote before must not be committed, but for the dialog itself."""
    invoice = office.invoice()
    office.send(invoice)
    confirm = (
        f"action = records.action_frontpay_{dialog}()\n"
        "dialogs = env[action['res_model']].with_context(action['context'])\n"
        f"dialogs.create({values}).action_confirm()"
    )

    with pytest.raises(Refusal, match="in the middle of other changes"):
        automation(f"records.write({{'ref': '7'}})\n{confirm}", invoice)
    assert office.bookkeeper.read("account.move", invoice, "ref")["ref"] is False
    assert office.state(invoice) == "sent"

    automation(confirm, invoice)
    assert office.state(invoice) == state


def test_an_automation_polls_once_its_transaction_is_committed(
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
    office.run_cron("cron_poll")
    assert office.state(invoice) == "paid"


def while_held(office, invoice, click):
    """What a click returns while somebody changes one of its invoices. It may not wait
    for that."""
    with ThreadPoolExecutor(1) as pool, invoice_held(office, invoice):
        clicked = pool.submit(click)
        assert happens(clicked.done, TIMEOUT), "it waits"
    return clicked.result()


def test_a_batch_is_queued_but_for_what_somebody_else_handles(office):
    """As when two queue the same batch at once."""
    others = office.batch(BATCH)
    busy = others.pop(3)

    told = while_held(
        office,
        busy,
        lambda: office.bookkeeper.click(
            "account.move", "action_frontpay_send", *others, busy
        ),
    )

    assert "is just being handled by somebody else" in str(told)
    assert office.name(busy) in str(told)
    assert {office.state(invoice) for invoice in others} == {"queued"}
    assert not office.state(busy)


def test_what_somebody_else_handles_stays_in_the_queue(office):
    invoices = office.batch(BATCH)
    office.bookkeeper.click("account.move", "action_frontpay_send", *invoices)

    with pytest.raises(Refusal, match="is just being handled by somebody else"):
        while_held(
            office,
            invoices[0],
            lambda: office.bookkeeper.click(
                "account.move", "action_frontpay_withdraw", invoices[0]
            ),
        )

    assert office.state(invoices[0]) == "queued"
