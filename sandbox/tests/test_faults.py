"""Faults on demand: each one hits the request it was meant for."""

import time

import pytest
import requests


def count(sandbox) -> int:
    return len(sandbox.door("GET", "orders").json())


@pytest.mark.parametrize("status", [400, 404, 417, 429, 500, 503, 510])
def test_a_status_is_answered_once_and_nothing_stored(sandbox, status):
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
    (row,) = sandbox.door("GET", "requests").json()
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
    (waiting,) = sandbox.door("GET", "faults").json()["faults"]
    assert (waiting["kind"], waiting["count"]) == ("drop", 3)
    sandbox.door("DELETE", "faults")
    assert sandbox.submit().status_code == 201


def test_pages_and_the_door_have_no_faults(sandbox):
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


@pytest.mark.parametrize("wanted", BAD.values(), ids=BAD)
def test_faults_that_make_no_sense_are_refused(sandbox, wanted):
    answer = sandbox.door("POST", "faults", wanted)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert sandbox.door("GET", "faults").json() == {"faults": []}
