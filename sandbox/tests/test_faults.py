"""Faults on demand: each one hits the request it was meant for, or one at random."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from .conftest import COMPANY


def count(sandbox) -> int:
    return len(sandbox.control("GET", "orders").json())


def test_a_status_is_answered_once_and_nothing_stored(sandbox):
    for status in (400, 404, 417, 429, 500, 503, 510):
        sandbox.faults({"kind": "status", "status": status})
        answer = sandbox.submit()
        assert answer.status_code == status
        assert answer.json()["status_code"] == status
    assert count(sandbox) == 0
    assert sandbox.submit().status_code == 201


def test_an_internal_error_looks_as_documented(sandbox):
    sandbox.faults({"kind": "status", "status": 500})
    body = sandbox.submit().json()
    assert body["status_message"] == "Internal Dependency Error"
    assert set(body["errors"]) == {"happenedAt", "internalErrorDetails"}


@pytest.mark.parametrize(("when", "stored"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_leaves_no_answer(sandbox, when, stored):
    sandbox.faults({"kind": "drop", "when": when})
    with pytest.raises(requests.ConnectionError):
        sandbox.submit()
    assert count(sandbox) == stored
    (row,) = sandbox.control("GET", "requests").json()
    assert row["status"] == "dropped"


@pytest.mark.parametrize(("when", "stored"), [("before", 0), ("after", 1)])
def test_garbage_is_a_200_without_json(sandbox, when, stored):
    sandbox.faults({"kind": "garbage", "when": when})
    answer = sandbox.submit()
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert count(sandbox) == stored


def test_a_delay_comes_before_the_answer(sandbox):
    sandbox.faults({"kind": "delay", "seconds": 0.4})
    started = time.monotonic()
    assert sandbox.submit().status_code == 201
    assert 0.4 <= time.monotonic() - started < 0.8


def test_a_client_that_gives_up_may_have_its_order_stored(sandbox):
    sandbox.faults({"kind": "delay", "seconds": 0.6, "when": "after"})
    with pytest.raises(requests.Timeout):
        sandbox.submit(timeout=0.3)
    assert count(sandbox) == 1


def test_limited_says_how_long_to_wait(sandbox):
    sandbox.faults({"kind": "limited", "retry_after": 2})
    answer = sandbox.submit()
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "2"


def test_faults_come_in_turn_and_as_often_as_asked(sandbox):
    sandbox.faults(
        {"kind": "status", "status": 510, "count": 2}, {"kind": "status", "status": 500}
    )
    codes = [sandbox.submit().status_code for _ in range(4)]
    assert codes == [510, 510, 500, 201]


def test_a_fault_waits_for_the_path_it_is_meant_for(sandbox):
    uuid = sandbox.new_order()
    sandbox.faults({"kind": "status", "status": 500, "path": "/status/"})
    assert sandbox.submit().status_code == 201
    assert sandbox.api("GET", f"status/{uuid}").status_code == 500


def test_faults_can_be_seen_and_cleared(sandbox):
    sandbox.faults({"kind": "drop", "count": 3})
    (waiting,) = sandbox.control("GET", "faults").json()["faults"]
    assert (waiting["kind"], waiting["count"]) == ("drop", 3)
    sandbox.control("DELETE", "faults")
    assert sandbox.submit().status_code == 201


def test_pages_and_the_control_have_no_faults(sandbox):
    sandbox.faults({"kind": "status", "status": 500})
    assert sandbox.page().status_code == 200
    assert sandbox.submit().status_code == 500


BAD = {
    "no object": [],
    "no list": {"faults": {}},
    "no kind": {"faults": [{"status": 500}]},
    "an unknown kind": {"faults": [{"kind": "fire"}]},
    "an unknown field": {"faults": [{"kind": "drop", "colour": "red"}]},
    "a success": {"faults": [{"kind": "status", "status": 200}]},
    "an endless delay": {"faults": [{"kind": "delay", "seconds": 1e9}]},
    "a strange moment": {"faults": [{"kind": "drop", "when": "during"}]},
    "no count": {"faults": [{"kind": "drop", "count": 0}]},
    "the second is wrong": {"faults": [{"kind": "drop"}, {"kind": "x"}]},
}


def test_faults_that_make_no_sense_are_refused(sandbox):
    for what, wanted in BAD.items():
        answer = sandbox.control("POST", "faults", wanted)
        assert answer.status_code == 400, what
        assert answer.json()["error"].endswith(".")
        assert sandbox.control("GET", "faults").json() == {"faults": []}, what


# Chaos: the seven ways in which the real one might fail

RATES = [
    {"kind": "drop", "rate": 0.05},
    {"kind": "drop", "when": "after", "rate": 0.05},
    {"kind": "status", "status": 500, "rate": 0.05},
    {"kind": "status", "status": 510, "rate": 0.05},
    {"kind": "limited", "rate": 0.05},
    {"kind": "garbage", "rate": 0.05},
    {"kind": "delay", "seconds": 0.01, "rate": 0.05},
]


def begin_chaos(sandbox, *rates: dict, seed: int = 7, **more) -> None:
    answer = sandbox.control(
        "POST", "chaos", {"seed": seed, "rates": list(rates), **more}
    )
    assert answer.status_code == 201, answer.text


def outcomes(sandbox, count: int) -> list:
    """The codes of so many submissions, ``garbage`` and ``dropped`` by name."""

    def outcome():
        try:
            answer = sandbox.submit()
        except requests.ConnectionError:
            return "dropped"
        return answer.status_code if "{" in answer.text else "garbage"

    return [outcome() for _ in range(count)]


def test_chaos_is_the_same_for_a_seed_and_another_for_another(sandbox):
    runs = []
    for seed in (7, 7, 8):
        begin_chaos(sandbox, *RATES, seed=seed)
        runs.append(outcomes(sandbox, 30))
    assert runs[0] == runs[1] != runs[2]


def test_chaos_counts_how_often_each_fault_struck(sandbox):
    begin_chaos(sandbox, *RATES)
    seen = outcomes(sandbox, 200)
    counts = sandbox.control("DELETE", "chaos").json()
    before, after, *codes, _delays = [rate["struck"] for rate in counts["rates"]]
    assert (counts["seed"], counts["requests"]) == (7, 200)
    assert before + after == seen.count("dropped")
    assert codes == [seen.count(kind) for kind in (500, 510, 429, "garbage")]
    # A fair die strikes 10 times in 200, and hardly ever less than 2 or more than 22.
    assert all(2 <= rate["struck"] <= 22 for rate in counts["rates"])
    assert count(sandbox) == seen.count(201) + after
    assert outcomes(sandbox, 20) == [201] * 20


def test_chaos_strikes_only_the_path_it_is_meant_for(sandbox):
    uuid = sandbox.new_order()
    begin_chaos(
        sandbox, {"kind": "status", "status": 500, "rate": 1, "path": "/status/"}
    )
    assert sandbox.submit().status_code == 201
    assert sandbox.api("GET", f"status/{uuid}").status_code == 500


def test_a_fault_on_demand_comes_before_chaos(sandbox):
    begin_chaos(sandbox, {"kind": "status", "status": 500, "rate": 1})
    sandbox.faults({"kind": "status", "status": 510})
    assert [sandbox.submit().status_code for _ in range(2)] == [510, 500]


def test_chaos_loses_callbacks(sandbox, merchant):
    to_merchant = COMPANY | {"callback.callbackUrl": merchant.url}
    begin_chaos(sandbox, lost_callbacks=0.5)
    for _ in range(40):
        sandbox.new_order(to_merchant)
    lost = sandbox.control("DELETE", "chaos").json()["lost_callbacks"]
    assert 10 <= lost <= 30
    merchant.wait_for(40 - lost)
    time.sleep(0.2)
    assert len(merchant.received) == 40 - lost


def test_eight_clients_at_once_are_served_in_the_midst_of_chaos(sandbox):
    begin_chaos(sandbox, *RATES)
    with ThreadPoolExecutor(8) as pool:
        clients = [pool.submit(outcomes, sandbox, 25) for _ in range(8)]
        seen = [code for client in clients for code in client.result()]
    counts = sandbox.control("GET", "chaos").json()
    after = counts["rates"][1]["struck"]
    assert counts["requests"] == len(seen) == 200
    assert count(sandbox) == seen.count(201) + after


BAD_CHAOS = {
    "no object": [],
    "no rates": {"seed": 7},
    "no seed": {"rates": []},
    "a rate above 1": {"seed": 7, "rates": [{"kind": "drop", "rate": 1.1}]},
    "rates above 1 together": {"seed": 7, "rates": [{"kind": "drop", "rate": 0.6}] * 2},
    "no rate": {"seed": 7, "rates": [{"kind": "drop"}]},
    "a count": {"seed": 7, "rates": [{"kind": "drop", "rate": 0.1, "count": 2}]},
    "a strange share of callbacks": {"seed": 7, "rates": [], "lost_callbacks": "all"},
}


def test_chaos_that_makes_no_sense_is_refused(sandbox):
    none = {"seed": None, "requests": 0, "lost_callbacks": 0, "rates": []}
    for what, wanted in BAD_CHAOS.items():
        answer = sandbox.control("POST", "chaos", wanted)
        assert answer.status_code == 400, what
        assert answer.json()["error"].endswith(".")
        assert sandbox.control("GET", "chaos").json() == none, what
