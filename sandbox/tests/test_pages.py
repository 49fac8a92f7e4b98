"""The pages: what a person sees, what the buttons do, and what is never shown."""

import base64
import json
import re
from urllib.parse import urlencode

import pytest

from .conftest import COMPANY, MISSING, PERSONAL_NUMBER, Process, wait_until

PATH_TOKEN = "AbCdEfGhIjKlMnOpQrStUvWx"


def buttons(page: str) -> list[str]:
    return re.findall(r'name="action" value="(\w+)"', page)


def bankid_path(sandbox, changes=None) -> tuple[str, str]:
    """The id of a new order and the path of its BankID page."""
    data = sandbox.submit(changes).json()["data"]
    return data["orderId"], data["bankIdUrl"].removeprefix(sandbox.url)


def test_an_empty_list_says_where_to_send_orders(sandbox):
    page = sandbox.page().text
    assert "No orders yet" in page
    assert f"{sandbox.url}/api/v1/" in page


def test_the_list_shows_the_newest_order_first(sandbox):
    sandbox.new_order({"customerDetails.name": "Ola Testmann"})
    sandbox.new_order({"customerDetails.name": "Siri Skinn"})
    page = sandbox.page().text
    assert page.index("Siri Skinn") < page.index("Ola Testmann")
    assert "INV/2026/00012" in page
    assert "40.00" in page


def test_the_list_finds_orders_by_what_people_call_them(sandbox):
    kari = sandbox.new_order({"referenceNo": "INV/2026/00777"})
    sandbox.new_order({"customerDetails.name": "Siri Skinn", "customerReference": "9"})
    sandbox.act(kari, "confirm")
    number = sandbox.stored(kari)["invoiceNumber"]
    for text in ("kari prøve", "KARI", kari, "00777", "3500", number):
        page = sandbox.page(f"/?{urlencode({'q': text})}").text
        assert "Kari" in page, text
        assert "Siri" not in page, text
    page = sandbox.page("/?q=nobody").text
    assert "No order goes by “nobody”" in page
    assert "Kari" not in page


def test_the_list_finds_nobody_by_personal_number(sandbox):
    sandbox.new_order()
    assert "No order goes by" in sandbox.page(f"/?q={PERSONAL_NUMBER}").text


def test_moments_are_plain_without_a_script_and_readable_by_one(sandbox):
    page = sandbox.page(f"/orders/{sandbox.new_order()}").text
    assert re.search(
        r'<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ">'
        r"\d\d \w{3} \d{4} \d\d:\d\d:\d\d UTC</time>",
        page,
    )


def test_names_are_text_not_markup(sandbox):
    name = "<script>alert(1)</script>"
    uuid = sandbox.new_order({"customerDetails.name": name, "products.0.name": name})
    for path in ("/", f"/orders/{uuid}"):
        assert "<script>alert" not in sandbox.page(path).text


BUTTONS = {
    (): ["confirm", "pay", "expire", "cancel"],
    ("confirm",): ["pay", "remind", "callback"],
    ("confirm", "remind"): ["pay", "collection", "callback"],
    ("confirm", "remind", "collection"): ["pay", "callback"],
    ("pay",): ["refund", "callback"],
    ("pay", "refund"): ["callback"],
    ("cancel",): ["callback"],
    ("expire",): ["callback"],
}


def test_the_page_offers_what_the_status_allows(sandbox):
    seen = {}
    for actions in BUTTONS:
        uuid = sandbox.new_order()
        sandbox.act(uuid, *actions)
        seen[actions] = buttons(sandbox.page(f"/orders/{uuid}").text)
    assert seen == BUTTONS


def test_a_button_moves_the_order_and_shows_it(sandbox):
    uuid = sandbox.new_order()
    answer = sandbox.press(f"/orders/{uuid}/pay", action="pay")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/orders/{uuid}"
    assert "The customer has paid." in sandbox.page(f"/orders/{uuid}").text


def test_a_part_can_be_paid_back(sandbox):
    uuid = sandbox.new_order()
    sandbox.act(uuid, "pay")
    sandbox.press(f"/orders/{uuid}/refund", amount="15.50")
    assert "NOK 15.50 of it paid back." in sandbox.page(f"/orders/{uuid}").text
    refused = sandbox.press(f"/orders/{uuid}/refund", amount="30")
    assert refused.status_code == 400
    assert "Only NOK 24.50 of this order can be refunded." in refused.text


def test_a_button_that_came_too_late_is_explained(sandbox):
    uuid = sandbox.new_order()
    sandbox.act(uuid, "cancel")
    answer = sandbox.press(f"/orders/{uuid}/pay")
    assert answer.status_code == 409
    assert "not possible while the order is CANCELLED" in answer.text


def test_personal_numbers_and_path_tokens_are_never_shown(sandbox):
    # A merchant may have written it where it does not belong.
    text = f"for {PERSONAL_NUMBER}"
    misplaced = {
        "referenceNo": text,
        "customerReference": text,
        "products.0.name": text,
        "customerDetails.name": text,
        "customerDetails.address.street": text,
    }
    uuid, path = bankid_path(sandbox, misplaced)
    sandbox.act(uuid, "confirm")
    wait_until(lambda: sandbox.stored(uuid)["callbacks"])
    for page in ("/", f"/orders/{uuid}", path):
        text = sandbox.page(page).text
        assert PERSONAL_NUMBER not in text
        assert PATH_TOKEN not in text
    assert "018190*****" in sandbox.page(f"/orders/{uuid}").text


def test_other_sites_cannot_press_buttons(sandbox):
    uuid = sandbox.new_order()
    paths = (f"/orders/{uuid}/pay", f"/bankid/{uuid}", f"/sandbox/orders/{uuid}/pay")
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1", "x"):
        for path in paths:
            answer = sandbox.press(path, headers={"Origin": origin}, action="pay")
            assert answer.status_code == 403, (origin, path)
    assert sandbox.status(uuid) == "SENT"


def test_a_page_of_its_own_may(sandbox):
    uuid = sandbox.new_order()
    sandbox.press(f"/orders/{uuid}/pay", headers={"Origin": sandbox.url})
    assert sandbox.status(uuid) == "PAID"


def test_a_name_that_was_made_to_point_here_is_turned_away(sandbox):
    headers = {"Host": "evil.example"}
    answer = sandbox.session.get(f"{sandbox.url}/sandbox/orders", headers=headers)
    assert answer.status_code == 400


def test_pages_load_nothing_from_elsewhere(sandbox):
    answer = sandbox.page(f"/orders/{sandbox.new_order()}")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'")
    links = re.findall(r'(?:src|href)="([^"#]+)"', answer.text)
    assert links
    assert all(link.startswith("/") for link in links)
    for link in set(links):
        assert sandbox.page(link.replace("&amp;", "&")).status_code == 200


def test_what_is_not_there_has_a_page_of_its_own(sandbox):
    for path in (
        "/orders/ODR1",
        "/nothing",
        "/bankid/precheck/auth?state=eyJvcmRlclV1aWQiOiJPRFIxIn0=",
    ):
        answer = sandbox.page(path)
        assert answer.status_code == 404, path
        assert "All orders" in answer.text


def test_a_damaged_bankid_url_is_explained(sandbox):
    for state in ("", "x", "e30=", "WzFd", "bnVsbA==", "%C3%A9"):
        answer = sandbox.page(f"/bankid/precheck/auth?state={state}")
        assert answer.status_code == 400, state
        assert "names no order" in answer.text


def test_the_customer_confirms_and_pays(sandbox):
    uuid, path = bankid_path(sandbox)
    first = sandbox.page(path).text
    assert "This is a sandbox." in first
    assert buttons(first) == ["confirm", "abort"]
    second = sandbox.press(f"/bankid/{uuid}", action="confirm").text
    assert "This is a sandbox." in second
    assert buttons(second) == ["pay", "later", "abort"]
    assert sandbox.status(uuid) == "INVOICED"
    last = sandbox.press(f"/bankid/{uuid}", action="pay")
    assert last.status_code == 303
    assert last.headers["Location"].endswith("/success")
    assert sandbox.status(uuid) == "PAID"
    assert "nothing left to confirm" in sandbox.page(path).text


def test_the_customer_reads_who_the_seller_is():
    process = Process("--merchant", "Fjordlys Demo AS")
    _uuid, path = bankid_path(process)
    page = process.page(path).text
    assert process.stop() == 0
    assert "<dt>Seller</dt><dd>Fjordlys Demo AS</dd>" in page


def test_the_customer_pays_later(sandbox):
    uuid, path = bankid_path(sandbox)
    sandbox.press(f"/bankid/{uuid}", action="confirm")
    assert buttons(sandbox.page(path).text) == ["pay", "later", "abort"]
    answer = sandbox.press(f"/bankid/{uuid}", action="later")
    assert answer.headers["Location"].endswith("/success")
    assert sandbox.status(uuid) == "INVOICED"


def test_the_customer_walks_away(sandbox):
    uuid, _path = bankid_path(sandbox)
    answer = sandbox.press(f"/bankid/{uuid}", action="abort")
    assert answer.headers["Location"].endswith("/failure")
    assert sandbox.status(uuid) == "SENT"


def test_the_customer_cannot_pay_what_was_cancelled(sandbox):
    uuid, path = bankid_path(sandbox)
    sandbox.act(uuid, "cancel")
    assert buttons(sandbox.page(path).text) == []
    assert sandbox.press(f"/bankid/{uuid}", action="confirm").status_code == 409
    assert sandbox.press(f"/bankid/{uuid}", action="dance").status_code == 400


def test_the_browser_is_not_sent_to_other_machines(sandbox):
    changes = {"callback.success": "https://shop.example/thanks"}
    uuid, _path = bankid_path(sandbox, changes)
    sandbox.press(f"/bankid/{uuid}", action="confirm")
    answer = sandbox.press(f"/bankid/{uuid}", action="pay")
    assert answer.status_code == 200
    assert "shop.example/thanks" in answer.text


def test_a_company_has_no_bankid_step(sandbox):
    uuid = sandbox.new_order(COMPANY)
    page = sandbox.page(f"/orders/{uuid}").text
    assert "Open the BankID page" not in page
    assert "No BankID for companies" in page


def test_the_list_and_the_order_name_the_channel(sandbox):
    titles = {
        "invoice/submit": "Invoice session",
        "regular/submit": "Regular order",
        "invoice/create": "Invoice",
        "faktura/create": "eFaktura",
        "ehf/create": "EHF invoice",
        "payment-link/create": "Payment link",
    }
    for channel, title in titles.items():
        uuid = sandbox.new_order(channel=channel)
        row = f'<td class="channel">{title}</td>'
        assert row in sandbox.page().text
        page = sandbox.page(f"/orders/{uuid}").text
        assert f"<span>{title}</span>" in page
        assert f"connect/orders/{channel}" in page
        assert "INV/2026/00012" in page


def test_a_regular_order_shows_its_date_and_goes_through_bankid(sandbox):
    data = sandbox.submit(channel="regular/submit").json()["data"]
    uuid = data["orderUuid"]
    page = sandbox.page(f"/orders/{uuid}").text
    assert "02 Aug, 2023" in page
    assert "Open the BankID page" in page
    path = data["paymentUrl"].removeprefix(sandbox.url)
    assert buttons(sandbox.page(path).text) == ["confirm", "abort"]
    sandbox.press(f"/bankid/{uuid}", action="confirm")
    assert sandbox.press(f"/bankid/{uuid}", action="pay").status_code == 303
    assert sandbox.status(uuid) == "PAID"


def test_a_regular_order_may_lead_back_to_no_url_at_all(sandbox):
    for success in ("thanks", "http://[::1", "javascript://127.0.0.1"):
        changes = {"callback.success": success, "callback.callbackUrl": MISSING}
        uuid = sandbox.new_order(changes, "regular/submit")
        assert "No callback URL was given" in sandbox.page(f"/orders/{uuid}").text
        sandbox.press(f"/bankid/{uuid}", action="confirm")
        answer = sandbox.press(f"/bankid/{uuid}", action="pay")
        assert answer.status_code == 200, success
        assert "Back to the shop" in answer.text


def test_a_payment_link_is_opened_and_paid_without_bankid(sandbox):
    uuid = sandbox.new_order(channel="payment-link/create")
    page = sandbox.page(f"/orders/{uuid}").text
    assert buttons(page) == ["pay", "expire", "cancel"]
    assert "Open the payment link and pay" in page
    assert "Waiting for the customer to open the payment link" in page
    assert "BankID" not in page
    sandbox.press(f"/orders/{uuid}/pay", action="pay")
    page = sandbox.page(f"/orders/{uuid}").text
    assert "The customer has paid." in page
    assert "Invoice number" not in page


@pytest.mark.parametrize("channel", ["invoice/create", "payment-link/create"])
def test_a_made_up_bankid_url_confirms_nothing(sandbox, channel):
    uuid = sandbox.new_order(channel=channel)
    status = sandbox.status(uuid)
    state = base64.b64encode(json.dumps({"orderUuid": uuid}).encode()).decode()
    answers = [
        sandbox.page(f"/bankid/precheck/auth?{urlencode({'state': state})}"),
        sandbox.press(f"/bankid/{uuid}", action="confirm"),
        sandbox.press(f"/bankid/{uuid}", action="pay"),
        sandbox.press(f"/bankid/{uuid}", action="abort"),
    ]
    for answer in answers:
        assert answer.status_code == 404
        assert "Nothing to confirm" in answer.text
    assert sandbox.status(uuid) == status
