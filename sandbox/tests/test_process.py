"""The process: its one line, its log, its end, and what outlives it."""

import re
import sqlite3

import pytest

from sandbox.__main__ import main

from .conftest import PERSONAL_NUMBER, Process


def test_it_says_one_line_logs_quietly_and_ends_on_sigterm(tmp_path):
    database = str(tmp_path / "sandbox.sqlite")
    process = Process("--token", "my-token", "--rate-limit", "7", "--db", database)
    assert re.fullmatch(
        r"Front Payment sandbox on http://127\.0\.0\.1:\d+/\n", process.first_line
    )
    process.token = "my-token"
    answer = process.submit()
    assert answer.headers["x-ratelimit-limit"] == "7"
    uuid = answer.json()["data"]["orderId"]
    process.page(f"/orders/{uuid}")
    process.act(uuid, "confirm")
    assert process.stop() == 0
    assert process.rest_of_output == ""
    log = "".join(process.log)
    assert len(process.log) == 3, log
    assert "POST /api/v1/connect/orders/invoice/submit 201" in log
    assert PERSONAL_NUMBER not in log
    assert "my-token" not in log

    again = Process("--db", database)
    assert again.status(uuid) == "INVOICED"
    assert again.act(uuid, "pay").json()["status"] == "PAID"
    assert again.stop() == 0


def test_a_file_of_another_version_is_not_used(tmp_path, monkeypatch):
    database = str(tmp_path / "sandbox.sqlite")
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE orders (uuid)")
    monkeypatch.setattr("sys.argv", ["sandbox", "--db", database])
    with pytest.raises(SystemExit, match="another version of the sandbox"):
        main()


WRONG_ARGUMENTS = {
    "--port x": "not a whole number from 0 to 65535",
    "--port 70000": "not a whole number from 0 to 65535",
    "--rate-limit 0": "not a whole number from 1",
    "--db /nowhere/at/all.sqlite": "cannot be used",
    "--port {taken}": "Port {taken} is in use",
}


@pytest.mark.parametrize(("arguments", "message"), WRONG_ARGUMENTS.items())
def test_wrong_arguments_are_explained(
    running_sandbox, monkeypatch, capsys, arguments, message
):
    taken = running_sandbox.url.rpartition(":")[2]
    argv = ["sandbox", *arguments.format(taken=taken).split()]
    monkeypatch.setattr("sys.argv", argv)
    monkeypatch.setattr("werkzeug.serving.BaseWSGIServer.serve_forever", id)
    with pytest.raises(SystemExit) as ended:
        main()
    said = f"{ended.value}{capsys.readouterr().err}"
    assert message.format(taken=taken) in said
    assert ended.value.code
