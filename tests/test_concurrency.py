"""Many at once: nothing is sent or booked twice."""

import time
from concurrent.futures import ThreadPoolExecutor

from .databases import column, rows
from .helpers import (
    TIMEOUT,
    at_once,
    call_back,
    happens,
    held,
    invoice_held,
    pay_in_silence,
    wait_until,
)
from .rpc import Refusal

CROWD = 8  # people, or callbacks, at once
CHANGE_ORDERS = "UPDATE frontpay_order SET write_date = now()"

KNOWN_REFUSALS = (
    "is just being handled by somebody else",
    "has been handed to Front Payment already",
    "may be at Front Payment already",
    "hasn't changed since it was handed to Front Payment",
)


def test_many_who_click_at_once_make_one_order(office, sandbox):
    invoice = office.invoice()
    logins = ["bookkeeper", "colleague"] * (CROWD // 2)
    people = [office.person(login) for login in logins]
    for person in people:  # looks at it first
        person.read("account.move", invoice, "name")
    sandbox.fail_next("delay", seconds=1.5)

    results = at_once(
        [
            lambda person=person: person.click(
                "account.move", "action_frontpay_send", invoice
            )
            for person in people
        ]
    )

    refusals = [str(result) for result in results if isinstance(result, Refusal)]
    done = [result for result in results if isinstance(result, dict)]
    assert [action["params"]["type"] for action in done] == ["success"], results
    assert len(refusals) == CROWD - 1
    for refusal in refusals:
        assert office.name(invoice) in refusal
        assert any(known in refusal for known in KNOWN_REFUSALS), refusal
    assert len(sandbox.orders_of(office.name(invoice))) == 1
    assert [order["state"] for order in office.orders(invoice)] == ["sent"]


def test_every_way_to_send_at_once_makes_one_order(office, sandbox):
    """The button, the dialogs of Odoo's *Send* for one and for many, and the crons."""
    customer = office.customer("Siv Sendemåte", invoice_sending_method="frontpay")
    invoice = office.invoice(customer)
    colleague = office.person("colleague")
    single = office.bookkeeper.call(
        "account.move.send.wizard",
        "create",
        {"move_id": invoice, "sending_methods": ["frontpay"]},
    )
    many = colleague.call(
        "account.move.send.batch.wizard", "create", {"move_ids": [[6, 0, [invoice]]]}
    )
    send = "action_send_and_print"
    sandbox.fail_next("delay", seconds=1.5)

    results = at_once(
        [
            lambda: office.send(invoice),
            lambda: office.bookkeeper.click("account.move.send.wizard", send, single),
            lambda: colleague.click("account.move.send.batch.wizard", send, many),
            lambda: office.run_cron("cron_send"),
            lambda: office.run_cron_of("account", "ir_cron_account_move_send"),
        ]
    )
    for _time in range(2):
        office.run_cron_of("account", "ir_cron_account_move_send")
        office.run_cron("cron_send")

    assert len(sandbox.orders_of(office.name(invoice))) == 1, results
    assert [order["state"] for order in office.orders(invoice)] == ["sent"], results


def test_an_invoice_that_somebody_changes_is_not_sent(office, sandbox):
    """Whoever sends it is told so at once."""
    invoice = office.invoice()

    with ThreadPoolExecutor(1) as pool, invoice_held(office, invoice):
        sending = pool.submit(office.send, invoice)
        error = sending.exception(TIMEOUT)

    assert "is just being handled by somebody else" in str(error)
    assert office.name(invoice) in str(error)
    assert not sandbox.orders()
    assert not office.orders(invoice)


def test_the_same_callback_many_times_at_once_is_paid_once(office, sandbox):
    invoice, order = pay_in_silence(office, sandbox)

    answers = at_once([lambda: call_back(sandbox, order, "PAID")] * CROWD)

    assert answers == [200] * CROWD
    office.run_cron("cron_poll")
    assert office.state(invoice) == "paid"
    assert len(office.payments(invoice)) == 1
    assert office.money(invoice)["amount_residual"] == 0


def test_callbacks_that_overtake_each_other_end_as_paid(office, sandbox):
    invoice, order = pay_in_silence(office, sandbox)
    statuses = ["INVOICED", "PAID", "Purring", "SENT"] * 2

    answers = at_once(
        [lambda status=status: call_back(sandbox, order, status) for status in statuses]
    )

    assert answers == [200] * len(statuses)
    assert [call_back(sandbox, order, status) for status in ("SENT", "Purring")] == [
        200
    ] * 2
    office.run_cron("cron_poll")
    assert office.state(invoice) == "paid"
    assert len(office.payments(invoice)) == 1


def test_callbacks_while_the_order_is_locked_are_answered_at_once(office, sandbox):
    """Somebody changes the order at the same time, and takes long."""
    invoice, order = pay_in_silence(office, sandbox)

    with held(office.server.database, CHANGE_ORDERS) as commit:
        started = time.monotonic()
        answers = at_once(
            [
                lambda status=status: call_back(sandbox, order, status)
                for status in ("INVOICED", "PAID", "success")
            ]
        )
        assert time.monotonic() - started < 5
        commit()

    assert answers == [200] * 3
    office.run_cron("cron_poll")
    assert office.state(invoice) == "paid"
    assert len(office.payments(invoice)) == 1


def test_an_answer_that_meets_another_change_is_followed_once(office, sandbox):
    """PostgreSQL refuses the first attempt; the second one pays no second time."""
    invoice, order = pay_in_silence(office, sandbox)
    assert call_back(sandbox, order, "PAID") == 200
    sandbox.fail_next("delay", path="orders/status", seconds=3)

    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(office.run_cron, "cron_poll")
        time.sleep(1.5)  # the poll is on its way
        with held(office.server.database, CHANGE_ORDERS) as commit:
            commit()
        polling.result(TIMEOUT)

    assert "could not serialize access" in office.server.log
    assert office.state(invoice) == "paid"
    assert len(office.payments(invoice)) == 1


def test_many_who_refresh_at_once_while_the_cron_polls_pay_once(office, sandbox):
    invoice, order = pay_in_silence(office, sandbox)
    assert call_back(sandbox, order, "PAID") == 200
    people = [office.person(login) for login in ("bookkeeper", "colleague") * 3]
    refreshing = [
        lambda person=person: person.click(
            "account.move", "action_frontpay_refresh", invoice
        )
        for person in people
    ]

    at_once([*refreshing, lambda: office.run_cron("cron_poll")])

    office.run_cron("cron_poll")
    assert office.state(invoice) == "paid"
    assert len(office.payments(invoice)) == 1
    assert office.money(invoice)["amount_residual"] == 0


def test_callbacks_before_the_answer_lose_nothing(office, sandbox):
    """The customer is quicker than the answer to the sender (question 22)."""
    invoice = office.invoice()
    name = office.name(invoice)
    sandbox.fail_next("delay", when="after", seconds=4)

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(office.send, invoice)
        wait_until(lambda: sandbox.orders_of(name), "the sandbox has the order")
        order = sandbox.order(name)
        sandbox.act(order["orderUuid"], "confirm")
        sandbox.act(order["orderUuid"], "pay")
        wait_until(
            lambda: sandbox.order(name)["callbacks"][1:], "both callbacks are sent"
        )
        office.run_cron("cron_poll")
        assert not sending.done()
        assert office.state(invoice) == "paid"
        result = sending.result(TIMEOUT)

    assert result["params"]["type"] == "success"
    answers = [callback["answer"] for callback in sandbox.order(name)["callbacks"]]
    assert answers == [200, 200]
    [stored] = office.orders(invoice)
    assert stored["state"] == "paid"
    assert stored["order_uuid"] == order["orderUuid"]
    assert stored["customer_uuid"] == order["customerUuid"]
    assert len(office.payments(invoice)) == 1


def test_a_customer_who_is_edited_keeps_no_other_number_from_being_erased(
    office, sandbox
):
    database = office.server.database
    edited, other = (office.customer(name) for name in ("Eva Endres", "Ole Over"))
    for customer in (edited, other):
        office.send(office.invoice(customer))
    rows(
        database,
        "UPDATE frontpay_order SET state = 'paid',"
        " closed_at = now() - interval '9 days'",
    )
    office.configure(frontpay_erase_after_days=1)
    edit = f"SELECT FROM res_partner WHERE id = {edited} FOR UPDATE"

    try:
        with ThreadPoolExecutor(1) as pool, held(database, edit):
            erasing = pool.submit(office.run_cron, "cron_erase")
            assert happens(erasing.done, TIMEOUT), "it waits"
        erasing.result()
    finally:
        office.configure(frontpay_erase_after_days=0)

    kept = column(
        database,
        "SELECT partner_id FROM frontpay_personal_number"
        f" WHERE partner_id IN ({edited}, {other})",
    )
    assert kept == [edited]
