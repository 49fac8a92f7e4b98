"""The six channels: whom they serve, what they answer, what becomes of the order."""

import re

import pytest

from sandbox.rules import RULES

from .conftest import (
    BODIES,
    COMPANY,
    MISSING,
    PERSONAL_NUMBER,
    order_with,
    uuid_of,
    wait_until,
)

DIRECT = ("invoice/create", "faktura/create", "ehf/create")
LINK = "payment-link/create"
# What is optional because something else isn't there, or isn't so.
NO_ORGANIZATION = {"customerDetails.organizationId": MISSING}
OPTIONAL_WITHOUT = {
    "invoice/submit": NO_ORGANIZATION,
    "regular/submit": NO_ORGANIZATION | {"dueDateForPaymentLink": MISSING},
    "invoice/create": NO_ORGANIZATION,
    LINK: NO_ORGANIZATION,
}


def test_a_full_body_is_taken_and_kept_as_it_came(sandbox):
    for channel, body in BODIES.items():
        stored = sandbox.stored(sandbox.new_order(channel=channel))
        assert stored["endpoint"] == f"connect/orders/{channel}"
        assert stored["payload"] == body


def test_a_body_without_any_optional_field_is_taken(sandbox):
    for channel in BODIES:
        optional = {
            path.replace("*", "0"): MISSING
            for path, rules in RULES[f"connect/orders/{channel}"].items()
            if not rules.startswith("required")
        }
        uuid = sandbox.new_order(optional | OPTIONAL_WITHOUT.get(channel, {}), channel)
        assert sandbox.api("GET", f"details/{uuid}").status_code == 200, channel
        for page in ("/", f"/orders/{uuid}"):
            assert sandbox.page(page).status_code == 200, channel


# channel, changes, and the names and the status that its answer leads to
ANSWERS = [
    ("invoice/submit", {}, "orderId", "bankIdUrl", "SENT"),
    ("invoice/submit", COMPANY, "orderId", "bankIdUrl", "INVOICED"),
    ("regular/submit", {}, "orderUuid", "paymentUrl", "SENT"),
    ("invoice/create", {}, "orderUuid", None, "INVOICED"),
    ("invoice/create", COMPANY, "orderUuid", None, "INVOICED"),
    ("faktura/create", {}, "orderUuid", None, "INVOICED"),
    ("ehf/create", {}, "orderUuid", None, "INVOICED"),
    (LINK, {}, "orderUuid", None, "SENT"),
    (LINK, COMPANY, "orderUuid", None, "SENT"),
]


def test_the_answer_of_each_channel(sandbox):
    for channel, changes, uuid, url, status in ANSWERS:
        answer = sandbox.submit(changes, channel)
        assert answer.status_code == 201, channel
        data = answer.json()["data"]
        assert list(data) == [uuid, "customerUuid", *([url] if url else [])], channel
        assert re.fullmatch(r"ODR\d{10}", data[uuid])
        assert re.fullmatch(r"CSRT\d{10}", data["customerUuid"])
        assert sandbox.status(data[uuid]) == status, channel
        bankid_url = data[url] if url and status == "SENT" else ""
        assert sandbox.stored(data[uuid])["bankIdUrl"] == bankid_url
        if bankid_url:
            assert bankid_url.startswith(f"{sandbox.url}/bankid/precheck/auth?")


def test_a_regular_order_is_answered_with_the_recorded_words(sandbox):
    body = sandbox.submit(channel="regular/submit").json()
    del body["data"]
    assert body == {
        "status_code": 201,
        "status_message": "OK",
        "message": "Order Submitted Successfully",
        "is_data": True,
    }


PERSON = {
    "customerDetails.type": "private",
    "customerDetails.personalNumber": PERSONAL_NUMBER,
    "customerDetails.organizationId": None,
}
NO_TYPE = {"customerDetails.type": MISSING}
NO_NUMBER = {
    "customerDetails.personalNumber": None,
    "customerDetails.organizationId": None,
}
WRONG_TYPE = "The selected customer details.type is invalid."
WRONG_CUSTOMERS = [
    ("faktura/create", {"customerDetails.type": "corporate"}, WRONG_TYPE),
    (
        "faktura/create",
        {**NO_TYPE, **NO_NUMBER},
        "The customer details.personal number field is required.",
    ),
    ("ehf/create", {"customerDetails.type": "private"}, WRONG_TYPE),
    (
        "ehf/create",
        {**NO_TYPE, **NO_NUMBER},
        "The customer details.organization id field is required.",
    ),
    (
        "regular/submit",
        COMPANY,
        "The customer details.personal number field is required"
        " when submit payment.via is invoice.",
    ),
    *(
        (channel, {**who, **NO_NUMBER}, f"The customer details.{sentence}.")
        for channel in ("invoice/submit", "invoice/create")
        for who, sentence in (
            (
                PERSON,
                "personal number field is required"
                " when customer details.type is private",
            ),
            (
                COMPANY,
                "organization id field is required"
                " when customer details.type is corporate",
            ),
        )
    ),
    (
        LINK,
        {**COMPANY, **NO_NUMBER},
        "The customer details.organization id field is required"
        " when customer details.type is corporate.",
    ),
]


def test_a_customer_that_does_not_fit_is_refused(sandbox):
    for channel, changes, sentence in WRONG_CUSTOMERS:
        assert sandbox.errors(changes, channel) == [sentence], channel
    assert sandbox.control("GET", "orders").json() == []


def test_the_same_customer_has_one_number_in_all_channels(sandbox):
    for changes, channels in (
        (PERSON, set(BODIES) - {"ehf/create"}),
        ({**COMPANY, "customerDetails.personalNumber": MISSING}, {"ehf/create"}),
        (COMPANY, {"invoice/submit", "invoice/create", LINK}),
    ):
        for channel in channels:
            sandbox.new_order(changes, channel)
    numbers = {
        order["customerUuid"] for order in sandbox.control("GET", "orders").json()
    }
    assert len(numbers) == 2


def test_people_without_a_personal_number_are_told_apart_by_their_addresses(sandbox):
    emails = ("kari@example.com", "kari@example.com", "ola@example.com")
    numbers = [
        sandbox.submit({**NO_NUMBER, "customerDetails.email": email}, LINK).json()[
            "data"
        ]["customerUuid"]
        for email in emails
    ]
    assert numbers[0] == numbers[1] != numbers[2]


@pytest.mark.parametrize("channel", DIRECT)
def test_a_direct_invoice_is_called_back_and_goes_on(sandbox, merchant, channel):
    to = {"callback.callbackUrl": f"{merchant.url}/callback/token"}
    uuid = sandbox.new_order(to, channel)
    merchant.wait_for(1)
    stored = sandbox.stored(uuid)
    assert [step["note"] for step in stored["statuses"]] == [
        "Received",
        "Sent without the customer",
    ]
    assert re.fullmatch(r"999\d{5}", stored["invoiceNumber"])
    assert stored["actions"] == ["pay", "remind", "callback"]
    sandbox.act(uuid, "remind", "pay", "refund")
    told = [re.search(r"status=(\w+)", path)[1] for path in merchant.wait_for(4)]
    assert told == ["INVOICED", "Purring", "PAID", "REFUNDED"]


def test_a_payment_link_is_paid_at_once_and_has_no_invoice(sandbox):
    uuid = sandbox.new_order(channel=LINK)
    assert sandbox.stored(uuid)["actions"] == ["pay", "expire", "cancel"]
    assert sandbox.act(uuid, "confirm").status_code == 409
    assert sandbox.stored(uuid)["paymentMethod"] == "Visa"
    stored = sandbox.act(uuid, "pay").json()
    assert stored["status"] == "PAID"
    assert stored["paymentMethod"] == "Visa"
    assert stored["invoiceNumber"] is None
    details = sandbox.api("GET", f"details/{uuid}").json()["data"]
    assert details["type"] == "regular"
    assert details["paymentLinkDueDate"] == "1755750488"


def test_details_of_a_regular_order_are_those_of_an_invoice(sandbox):
    uuid = sandbox.new_order(channel="regular/submit")
    details = sandbox.api("GET", f"details/{uuid}").json()["data"]
    assert details["type"] == "invoice"
    assert details["orderDate"] == "02 Aug, 2023"


def test_details_name_the_type_that_was_not_sent(sandbox):
    for channel, expected in (
        ("faktura/create", "private"),
        ("ehf/create", "corporate"),
    ):
        uuid = sandbox.new_order(NO_TYPE, channel)
        details = sandbox.api("GET", f"details/{uuid}").json()["data"]
        assert details["customerDetails"]["type"] == expected


def test_without_a_callback_url_nobody_is_called(sandbox):
    no_address = {"callback.callbackUrl": MISSING}
    silent = sandbox.new_order(no_address, "regular/submit")
    stored = sandbox.act(silent, "pay").json()
    assert stored["actions"] == ["refund"]
    assert sandbox.act(silent, "callback").status_code == 409
    # Callbacks leave in the order of what happened: once this one is noted, one of
    # the silent order would have been noted too.
    told = sandbox.new_order(channel="invoice/create")
    wait_until(lambda: sandbox.stored(told)["callbacks"])
    assert sandbox.stored(silent)["callbacks"] == []


def test_shipping_is_a_part_of_the_total_of_a_regular_order(sandbox):
    shipped = {"orderSummary.shippingCost": "10", "orderSummary.grandTotal": "50"}
    sandbox.new_order(shipped, "regular/submit")
    assert sandbox.errors({"orderSummary.shippingCost": "10"}, "regular/submit") == [
        "The order summary.grand total must be the sum of the products' amounts:"
        " expected 50.00, received 40.",
        "The order summary.grand total must be sub total + total tax - total discount:"
        " expected 50.00, received 40.",
    ]
    assert sandbox.submit({"orderSummary.shippingCost": "10"}).status_code == 201


# Updating (fpgoUuid), which only invoice/submit documents


def test_an_update_replaces_what_was_received_and_keeps_order_and_customer(sandbox):
    first = sandbox.submit().json()["data"]
    line = sandbox.api("GET", f"details/{first['orderId']}").json()["data"]
    update = {
        "fpgoUuid": first["orderId"],
        "orderFrom": "PARTNER",
        "products.0.rate": 60,
        "products.0.amount": 60,
        "orderSummary.subTotal": "60",
        "orderSummary.grandTotal": "60",
    }
    answer = sandbox.submit(update)
    assert answer.status_code == 201
    assert answer.json()["data"] == first
    (stored,) = sandbox.control("GET", "orders").json()
    assert stored["payload"] == order_with(update)
    assert stored["orderAmount"] == "60.00"
    assert stored["status"] == "SENT"
    assert [step["note"] for step in stored["statuses"]] == ["Received", "Updated"]
    updated = sandbox.api("GET", f"details/{first['orderId']}").json()["data"]
    assert updated["productList"][0]["amount"] == 60
    assert updated["productList"][0]["id"] != line["productList"][0]["id"]


def test_an_update_can_name_another_customer(sandbox):
    first = sandbox.submit().json()["data"]
    update = {"fpgoUuid": first["orderId"], "orderFrom": "PARTNER", **COMPANY}
    again = sandbox.submit(update).json()["data"]
    assert again["orderId"] == first["orderId"]
    assert again["customerUuid"] != first["customerUuid"]
    assert sandbox.status(first["orderId"]) == "INVOICED"


def test_an_update_keeps_the_invoice_number_unused(sandbox):
    uuid = sandbox.new_order()
    for _ in range(2):
        sandbox.new_order({"fpgoUuid": uuid, "orderFrom": "PARTNER"})
    first = sandbox.act(uuid, "confirm").json()["invoiceNumber"]
    other = sandbox.act(sandbox.new_order(), "confirm").json()["invoiceNumber"]
    assert int(other) == int(first) + 1


@pytest.mark.parametrize("channel", [c for c in BODIES if c != "invoice/submit"])
def test_other_channels_make_a_new_order_of_an_update(sandbox, channel):
    earlier = sandbox.new_order()
    for fpgo_uuid in (earlier, "ODR1"):
        update = {"fpgoUuid": fpgo_uuid, "orderFrom": "PARTNER"}
        answer = sandbox.submit(update, channel)
        assert answer.status_code == 201
        assert uuid_of(answer.json()["data"]) != earlier
    assert sandbox.stored(earlier)["payload"] == order_with()
    assert len(sandbox.control("GET", "orders").json()) == 3
