"""Pay-outs: what is paid out, what is kept, and what the VAT report tells."""

import csv
import io

import pytest

from .conftest import COMPANY

# What happens to orders of NOK 40 before one pay-out after the other, with a fee of
# NOK 2 an order and 10 %: (steps before it, total, fee).
COURSES = {
    "an order is paid": [([("pay", None)], "40.00", "6.00")],
    "it is paid back in the next": [
        ([("pay", None)], "40.00", "6.00"),
        ([("refund", 15.5)], "-15.50", "0.00"),
        ([("refund", None)], "-24.50", "0.00"),
    ],
    "a part is paid back before": [([("pay", None), ("refund", 30)], "10.00", "3.00")],
    "paid late": [
        ([("remind", None), ("pay", None)], "40.00", "6.00"),
    ],
}


@pytest.fixture(autouse=True)
def fees(sandbox):
    document = {"payout_fee_per_order": 2, "payout_fee_percent": 10}
    assert sandbox.control("POST", "settings", document).status_code == 200


def pay_out(sandbox):
    return sandbox.control("POST", "payouts")


def owed(sandbox):
    return sandbox.control("GET", "payouts").json()["owed"]


@pytest.mark.parametrize("course", COURSES)
def test_what_was_collected_and_paid_back_is_paid_out_less_a_fee(sandbox, course):
    uuid = sandbox.new_order(COMPANY)
    for steps, total, fee in COURSES[course]:
        for action, amount in steps:
            sandbox.act(uuid, action, amount=amount)
        assert owed(sandbox) == total
        answer = pay_out(sandbox)
        assert answer.status_code == 201
        payout = answer.json()
        assert (payout["total"], payout["fee"]) == (total, fee)
        assert payout["amount"] == f"{float(total) - float(fee):.2f}"
        assert payout["items"] == [{"orderUuid": uuid, "amount": total}]
        assert owed(sandbox) == "0.00"
    assert len(sandbox.control("GET", "payouts").json()["payouts"]) == len(
        COURSES[course]
    )


def test_nobody_pays_out_twice_or_what_was_not_collected(sandbox):
    sandbox.new_order()
    paid = sandbox.new_order(COMPANY)
    assert pay_out(sandbox).status_code == 409
    sandbox.act(paid, "pay")
    assert pay_out(sandbox).status_code == 201
    answer = pay_out(sandbox)
    assert answer.status_code == 409
    assert "Nothing was collected" in answer.json()["error"]


def test_what_came_back_and_was_paid_back_between_is_no_item(sandbox):
    uuid = sandbox.new_order(COMPANY)
    sandbox.act(uuid, "pay", "refund")
    assert owed(sandbox) == "0.00"
    assert pay_out(sandbox).status_code == 409


def test_the_page_pays_out_and_shows_it(sandbox):
    uuid = sandbox.new_order(COMPANY)
    assert "NOK 0.00 of 0 orders" in sandbox.page("/payouts").text
    refused = sandbox.press("/payouts")
    assert refused.status_code == 409
    assert "Nothing was collected" in refused.text
    sandbox.act(uuid, "pay")
    assert (
        "NOK 40.00 of 1 orders, less a fee of NOK 6.00" in sandbox.page("/payouts").text
    )
    answer = sandbox.press("/payouts")
    assert answer.headers["Location"] == "/payouts"
    page = sandbox.page("/payouts").text
    assert "NOK 34.00" in page
    assert uuid in page
    assert "/payouts" in sandbox.page().text


def test_the_vat_report_has_a_line_for_each_product_and_refund(sandbox):
    name = 'Råd; og "dåd"'
    products = [
        {"name": name, "quantity": 1, "rate": 100, "tax": 25, "amount": 100},
        {"name": "Cable", "quantity": 1, "rate": 50, "tax": 0, "amount": 50},
    ]
    summary = {
        "orderSummary.subTotal": 130,
        "orderSummary.totalTax": 20,
        "orderSummary.grandTotal": 150,
    }
    sandbox.new_order()  # waits for the customer, so it is no claim yet
    uuid = sandbox.new_order({"products": products} | summary | COMPANY)
    sandbox.act(uuid, "pay")
    sandbox.act(uuid, "refund", amount=30)
    answer = sandbox.page("/payouts/vat.csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    text = answer.content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert {row["Order id"] for row in rows} == {uuid}
    told = [(row["Description"], row["Amount with VAT"], row["VAT %"]) for row in rows]
    assert told == [
        (name, "100,00", "25"),
        ("Cable", "50,00", "0"),
        ("Refund", "-30,00", ""),
    ]


@pytest.mark.parametrize("name", ["payout_fee_per_order", "payout_fee_percent"])
@pytest.mark.parametrize("value", [-1, "5", None, True])
def test_a_fee_is_a_number(sandbox, name, value):
    answer = sandbox.control("POST", "settings", {name: value})
    assert answer.status_code == 400
    assert "a number, 0 or above" in answer.json()["error"]
