"""Pay-outs booked at once: no item is settled twice."""

import re

import pytest
from playwright.sync_api import expect

from .browser import opened
from .databases import rows
from .helpers import at_once
from .rpc import Refusal

CROWD = 6
KNOWN_REFUSALS = (
    "are just being handled by somebody else",
    "isn't open in the journal",
)


@pytest.fixture
def item(office) -> int:
    """A payment's item in the clearing account."""
    payment = office.admin.call(
        "account.payment",
        "create",
        {
            "payment_type": "inbound",
            "partner_type": "customer",
            "partner_id": office.company.private,
            "journal_id": office.company.journal,
            "amount": 1250,
        },
    )
    office.admin.click("account.payment", "action_post", payment)
    [item] = office.admin.call(
        "account.move.line",
        "search",
        [["payment_id", "=", payment], ["account_type", "=", "asset_cash"]],
    )
    return item


@pytest.fixture
def desk(browser, office, request):
    with opened(browser, office.server.url, request.node.name) as desk:
        desk.sit_down(office.person("accountant"))
        yield desk


@pytest.mark.usefixtures("item")
def test_an_accountant_books_what_came_on_the_bank(desk, office):
    [bank] = office.admin.call(
        "account.journal",
        "search",
        [["type", "=", "bank"], ["id", "!=", office.company.journal]],
        limit=1,
    )
    line = {"journal_id": bank, "payment_ref": "Front Payment", "amount": 1200}
    accountant = office.person("accountant")
    accountant.call("account.bank.statement.line", "create", line)

    desk.open("frontpay-payouts")
    desk.page.get_by_role("button", name="New", exact=True).click()
    for name, amount in (("amount", "1200"), ("fee", "50")):
        desk.field(name).locator("input").fill(amount)
        desk.page.keyboard.press("Tab")
    # Until Odoo has answered about the amounts, it may take the account off again.
    expect(desk.field("difference")).to_have_text(re.compile(r"^kr\s-1,250\.00$"))
    account = desk.field("fee_account_id").locator("input")
    account.fill("bank")
    desk.page.get_by_role("option", name=re.compile("bank", re.I)).first.click()
    expect(account).to_have_value(re.compile("bank", re.I))
    desk.button("Propose").click()
    expect(desk.field("difference")).to_have_text(re.compile(r"^kr\s0\.00$"))
    desk.picture("proposed")
    desk.button("Post").click()
    desk.button("Match Bank Statement").click()
    expect(desk.field("is_matched").locator("input")).to_be_checked()
    desk.picture("matched")

    assert rows(
        office.server.database,
        "SELECT DISTINCT amount_residual FROM account_move_line WHERE id IN"
        " (SELECT move_line_id FROM frontpay_payout_line WHERE payout_id ="
        " (SELECT max(id) FROM frontpay_payout))",
    ) == [(0,)]


def payout_of(office, item: int) -> int:
    values = {"amount": 1250, "line_ids": [[0, 0, {"move_line_id": item}]]}
    return office.admin.call("frontpay.payout", "create", values)


def test_payouts_of_one_item_at_once_book_it_once(office, item):
    payouts = [payout_of(office, item) for _each in range(CROWD)]
    people = [office.person("admin") for _each in payouts]
    results = at_once(
        [
            lambda person=person, payout=payout: person.click(
                "frontpay.payout", "action_post", payout
            )
            for person, payout in zip(people, payouts, strict=True)
        ]
    )
    refusals = [str(result) for result in results if isinstance(result, Refusal)]
    assert len(refusals) == CROWD - 1, results
    for refusal in refusals:
        assert any(known in refusal for known in KNOWN_REFUSALS), refusal
    booked = rows(
        office.server.database,
        f"SELECT state, move_id IS NOT NULL FROM frontpay_payout"
        f" WHERE id IN ({', '.join(map(str, payouts))}) ORDER BY state",
    )
    assert [tuple(row) for row in booked] == [
        *[("draft", False)] * (CROWD - 1),
        ("posted", True),
    ]


def test_one_payout_clicked_at_once_is_booked_once(office, item):
    payout = payout_of(office, item)
    people = [office.person("admin") for _each in range(CROWD)]
    results = at_once(
        [
            lambda person=person: person.click("frontpay.payout", "action_post", payout)
            for person in people
        ]
    )
    refusals = [str(result) for result in results if isinstance(result, Refusal)]
    assert len(refusals) == CROWD - 1, results
    [(count,)] = rows(
        office.server.database,
        "SELECT count(*) FROM account_partial_reconcile"
        f" WHERE {item} IN (debit_move_id, credit_move_id)",
    )
    assert count == 1
