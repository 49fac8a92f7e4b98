"""The process: its one line, its log, its end, and what outlives it."""

import re
import subprocess
import sys

import pytest

from .conftest import ROOT, Process

PERSONAL_NUMBER = "01819012345"


def test_it_says_one_line_logs_quietly_and_ends_on_sigterm():
    process = Process("--token", "my-token")
    assert re.fullmatch(
        r"Front Payment sandbox on http://127\.0\.0\.1:\d+/\n", process.first_line
    )
    process.token = "my-token"
    uuid = process.new_order()
    process.page(f"/orders/{uuid}")
    process.control("GET", "orders")
    assert process.stop() == 0
    assert process.rest_of_output == ""
    log = "".join(process.log)
    assert len(process.log) == 3, log
    assert "POST /api/v1/connect/orders/invoice/submit 201" in log
    assert PERSONAL_NUMBER not in log
    assert "my-token" not in log


def test_orders_in_a_file_outlive_the_process(tmp_path):
    database = str(tmp_path / "sandbox.sqlite")
    first = Process("--db", database)
    uuid = first.new_order()
    first.act(uuid, "confirm")
    first.stop()
    second = Process("--db", database)
    assert second.status(uuid) == "INVOICED"
    assert second.act(uuid, "pay").json()["status"] == "PAID"
    assert second.stop() == 0


def test_the_rate_limit_can_be_set():
    process = Process("--rate-limit", "7")
    assert process.api("GET", "status").headers["x-ratelimit-limit"] == "7"
    process.stop()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "x"], "not a whole number from 0 to 65535"),
        (["--port", "70000"], "not a whole number from 0 to 65535"),
        (["--rate-limit", "0"], "not a whole number from 1"),
        (["--db", "/nowhere/at/all.sqlite"], "cannot be used"),
    ],
)
def test_wrong_arguments_are_explained(arguments, message):
    result = subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_that_is_taken_is_told(sandbox):
    port = sandbox.url.rpartition(":")[2]
    result = subprocess.run(
        [sys.executable, "-m", "sandbox", "--port", port],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert result.returncode != 0
    assert f"Port {port} is in use" in result.stderr
