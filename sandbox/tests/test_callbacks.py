"""Callbacks: signed by the current formula, sent beside the request, tried again."""

import hashlib
import time
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from sandbox.callbacks import checksum, is_loopback

from .conftest import COMPANY, wait_until


def test_the_checksum_is_that_of_the_documented_example():
    values = ["ODR123", "success", "Visa", "100", "1755764131", "1755764131"]
    assert checksum(values, "SECRET") == (
        "feb34fcc5f2f67842600a155fed47095253ca50ab7e8443bf6ca6382fd500f03"
    )


def to(merchant, **changes) -> dict:
    return {"callback.callbackUrl": f"{merchant.url}/callback/token", **changes}


def statuses(paths: list[str]) -> list[str]:
    return [dict(parse_qsl(urlsplit(path).query))["status"] for path in paths]


def test_a_callback_has_the_documented_parameters_in_their_order(sandbox, merchant):
    uuid = sandbox.new_order(to(merchant))
    sandbox.act(uuid, "pay")
    (path,) = merchant.wait_for(1)
    assert urlsplit(path).path == "/callback/token"
    parameters = parse_qsl(urlsplit(path).query)
    assert [name for name, _value in parameters] == [
        "orderUuid",
        "status",
        "paymentMethod",
        "amount",
        "createdAt",
        "timestamp",
        "checksum",
    ]
    values = dict(parameters)
    assert values["orderUuid"] == uuid
    assert values["status"] == "PAID"
    assert values["paymentMethod"] == "Visa"
    assert values["amount"] == "40.00"
    assert int(values["createdAt"]) == sandbox.stored(uuid)["createdAt"]
    assert abs(int(values["timestamp"]) - time.time()) < 10


def test_the_checksum_covers_the_decoded_values_in_received_order(sandbox, merchant):
    sandbox.control("POST", "settings", {"secret": "another secret"})
    uuid = sandbox.new_order(to(merchant))
    sandbox.act(uuid, "pay")
    sandbox.act(uuid, "refund", amount=10)
    path = merchant.wait_for(2)[1]
    assert "status=PARTIAL+REFUNDED&" in path
    pairs = [pair.split("=") for pair in urlsplit(path).query.split("&")]
    text = "".join(unquote_plus(value) for name, value in pairs if name != "checksum")
    expected = hashlib.sha256(f"{text}another secret".encode()).hexdigest()
    assert dict(pairs)["checksum"] == expected


def test_each_status_but_the_first_is_told_in_turn(sandbox, merchant):
    uuid = sandbox.new_order(to(merchant))
    sandbox.act(uuid, "confirm", "remind", "collection", "pay", "refund")
    assert statuses(merchant.wait_for(5)) == [
        "INVOICED",
        "Purring",
        "Inkasso",
        "PAID",
        "REFUNDED",
    ]


def test_the_end_of_an_order_is_told(sandbox, merchant):
    for action in ("expire", "cancel"):
        sandbox.act(sandbox.new_order(to(merchant)), action)
    assert statuses(merchant.wait_for(2)) == ["EXPIRED", "CANCELLED"]


def test_a_company_is_told_of_its_invoice_at_once(sandbox, merchant):
    sandbox.new_order(to(merchant, **COMPANY))
    (path,) = merchant.wait_for(1)
    assert "status=INVOICED&paymentMethod=Invoice&" in path


def test_a_url_with_a_query_keeps_it(sandbox, merchant):
    url = f"{merchant.url}/callback?id=7"
    sandbox.act(sandbox.new_order({"callback.callbackUrl": url}), "pay")
    (path,) = merchant.wait_for(1)
    assert path.startswith("/callback?id=7&orderUuid=ODR")


def test_a_slow_merchant_does_not_hold_up_the_request(sandbox, merchant):
    merchant.pause = 1.0
    uuid = sandbox.new_order(to(merchant))
    started = time.monotonic()
    sandbox.act(uuid, "pay")
    assert time.monotonic() - started < 0.5
    wait_until(lambda: sandbox.stored(uuid)["callbacks"])


def test_a_refused_callback_is_tried_again(sandbox, merchant):
    merchant.answers = [503]
    uuid = sandbox.new_order(to(merchant))
    sandbox.act(uuid, "pay")
    merchant.wait_for(2)
    attempts = wait_until(
        lambda: len(c := sandbox.stored(uuid)["callbacks"]) == 2 and c
    )
    assert [(a["attempt"], a["answer"], a["error"]) for a in attempts] == [
        (1, 503, None),
        (2, 200, None),
    ]
    assert 0.9 < attempts[1]["at"] - attempts[0]["at"] < 2


def test_a_redirect_is_no_acceptance_and_not_followed(sandbox, merchant):
    merchant.answers = [302]
    uuid = sandbox.new_order(to(merchant))
    sandbox.act(uuid, "pay")
    (attempt,) = wait_until(lambda: sandbox.stored(uuid)["callbacks"])
    assert attempt["answer"] == 302
    assert "/elsewhere" not in merchant.received


def test_a_merchant_that_is_away_is_told_so(sandbox):
    uuid = sandbox.new_order()
    sandbox.act(uuid, "pay")
    attempt = wait_until(lambda: sandbox.stored(uuid)["callbacks"])[0]
    assert attempt["answer"] is None
    assert attempt["error"] == "Nobody answers at this URL."


def test_the_last_callback_can_be_sent_again(sandbox, merchant):
    uuid = sandbox.new_order(to(merchant))
    assert sandbox.act(uuid, "callback").status_code == 409
    sandbox.act(uuid, "pay", "callback")
    assert statuses(merchant.wait_for(2)) == ["PAID", "PAID"]


def test_only_this_machine_is_called(sandbox):
    url = "http://merchant.example/callback"
    uuid = sandbox.new_order({"callback.callbackUrl": url})
    sandbox.act(uuid, "pay")
    (attempt,) = wait_until(lambda: sandbox.stored(uuid)["callbacks"])
    assert attempt["answer"] is None
    assert attempt["error"].startswith("Not sent:")
    assert "will not call it" in sandbox.page(f"/orders/{uuid}").text


LOOPBACK = {
    "http://127.0.0.1:8069/x": True,
    "http://127.8.9.1/x": True,
    "http://[::1]:8069/x": True,
    "https://localhost/x": True,
    "http://localhost.example/x": False,
    "http://127.0.0.1.example/x": False,
    "http://127.0.0.1@10.0.0.1/x": False,
    "http://10.0.0.1/x": False,
    "http://0.0.0.0/x": False,
    "https://merchant.example/?host=127.0.0.1": False,
}


def test_which_urls_are_this_machine():
    assert {url: is_loopback(url) for url in LOOPBACK} == LOOPBACK


def test_switched_off_nothing_is_sent(sandbox, merchant):
    sandbox.control("POST", "settings", {"callbacks": False})
    uuid = sandbox.new_order(to(merchant))
    sandbox.act(uuid, "confirm")
    sandbox.control("POST", "settings", {"callbacks": True})
    sandbox.act(uuid, "pay")
    assert statuses(merchant.wait_for(1)) == ["PAID"]
    assert len(sandbox.stored(uuid)["statuses"]) == 3
