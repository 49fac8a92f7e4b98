"""Pay-outs booked at once: no item is settled twice."""

import pytest

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
