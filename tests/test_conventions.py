"""What a reader relies on in every file, and no other test would miss."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stdnum.no import fodselsnummer

from devtools.servers import ROOT

ADDON = ROOT / "frontpay_odoo"
NETWORK = {"requests", "urllib3", "urllib.request", "http.client", "socket", "smtplib"}
# folder: what nothing in it may import, whatever is below these names
FORBIDDEN = {
    "frontpay_odoo/connect": {"odoo", "frontpay_odoo.models", "frontpay_odoo.mapping"},
    "frontpay_odoo/mapping": {*NETWORK, "frontpay_odoo.connect.client"},
    "frontpay_odoo/controllers": {*NETWORK, "frontpay_odoo.connect.client"},
    "sandbox": {"odoo", "frontpay_odoo"},
}
# A dot is written [.] so that this file doesn't break its own rule.
NEVER_WRITTEN = {
    "a package registry or mirror": re.compile(
        r"(deb|ftp|security|snapshot)[.]debian[.]org|pypi[.](org|python)"
        r"|pythonhosted[.]org|npmjs[.](org|com)|npmmirror[.]com|crates[.]io|ghcr[.]io"
    ),
    "a path of somebody's machine": re.compile(
        rf"{re.escape(str(ROOT))}/|/home/\w|/Users/\w|(?<![\w.])/root[/]"
    ),
}
PERSONAL_NUMBER = re.compile(r"(?<!\d)\d{6} ?\d{5}(?!\d)")
NOT_OURS = (".git", ".dev", ".hypothesis")
MAX_PICTURE = 150_000  # bytes


def own_files() -> list[Path]:
    """The files of the project, as git knows them or, without git, as they lie here."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = [
            "git",
            "-C",
            str(ROOT),
            "-c",
            f"safe.directory={ROOT}",
            "ls-files",
            "-z",
        ]
        listed = subprocess.run(command, capture_output=True, text=True, check=True)
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
        return [path for path in paths if path.is_file()]
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and path.relative_to(ROOT).parts[0] not in NOT_OURS
        and "__pycache__" not in path.parts
    ]


def texts() -> Iterator[tuple[str, str]]:
    """(path in the project, text) of every file that is text."""
    for path in own_files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield str(path.relative_to(ROOT)), content.decode()


def imports(path: Path) -> Iterator[str]:
    """The full names of what a Python file imports."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*start, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_folders_import_only_what_they_may(folder):
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / folder).rglob("*.py")
        if "tests" not in path.parts
        for name in imports(path)
        for forbidden in FORBIDDEN[folder]
        if f"{name}.".startswith(f"{forbidden}.")
    ]
    assert found == []


def test_connect_works_where_no_odoo_is():
    script = """
import importlib, pkgutil, sys
sys.modules["odoo"] = None  # whoever imports it fails
import connect
for module in pkgutil.walk_packages(connect.__path__, "connect."):
    importlib.import_module(module.name)
    print(module.name)
"""
    environment = {**os.environ, "PYTHONPATH": str(ADDON)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "connect.client" in done.stdout.split()


@pytest.mark.parametrize("what", NEVER_WRITTEN)
def test_no_file_names(what):
    pattern = NEVER_WRITTEN[what]
    found = [
        f"{name}: {match[0]}"
        for name, text in texts()
        for match in pattern.finditer(text)
    ]
    assert found == []


def test_no_file_holds_a_personal_number_that_somebody_may_have():
    found = [
        f"{name}: {match[0]}"
        for name, text in texts()
        for match in PERSONAL_NUMBER.finditer(text)
        if may_be_somebodys(match[0])
    ]
    assert found == []


def may_be_somebodys(number: str) -> bool:
    """Whether it is neither made for tests (month + 40 or + 80) nor of the dead."""
    number = fodselsnummer.compact(number)
    if not fodselsnummer.is_valid(number) or int(number[2:4]) > 12:
        return False
    return fodselsnummer.get_birth_date(number).year >= 1900


KEPT_BY = {
    "_record_error",
    "_report_problem",
    "_report_link_error",
    "_notify_responsible",
    "_request_decision",
    "_request_refund_decision",
    "_escalate_if_overdue",
    "_record_unsendable",
    "_record_unsendable_note",
    "_frontpay_ask_administrator",
}


def said_in_one_language(source: str) -> list[int]:
    """The lines that keep a sentence which is made in the writer's language alone."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        if getattr(call.func, "attr", "") in KEPT_BY
        for made in call.args
        if isinstance(made, ast.JoinedStr)
        or (isinstance(made, ast.Call) and getattr(made.func, "attr", "") == "_")
    ]


def test_what_is_kept_for_others_is_said_in_each_language():
    found = {
        path.name: said_in_one_language(path.read_text())
        for path in (ADDON / "models").glob("*.py")
    }
    assert not {name: lines for name, lines in found.items() if lines}


@pytest.mark.parametrize("said", ["self.env._('no')", "f'{reason}'"])
def test_a_sentence_in_one_language_is_seen(said):
    assert said_in_one_language(f"self._report_problem({said})") == [1]


def test_manifest_names_every_data_file_and_no_other():
    manifest = ast.literal_eval((ADDON / "__manifest__.py").read_text())
    named = {*manifest["data"], *manifest["demo"]}
    loaded_by_name = {"data/neutralize.sql"}
    there = {
        str(path.relative_to(ADDON))
        for folder in ("data", "demo", "security", "views", "wizards")
        for path in (ADDON / folder).glob("*")
        if path.suffix in (".xml", ".csv", ".sql")
    }
    assert named == there - loaded_by_name


def test_pictures_are_small():
    pictures = [path for path in own_files() if path.suffix == ".png"]
    assert pictures
    too_big = [path.name for path in pictures if path.stat().st_size > MAX_PICTURE]
    assert too_big == []


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["--nonsense"]])
def test_dev_refuses_what_it_does_not_know(arguments):
    done = dev(*arguments)
    assert done.returncode == 2
    assert "Usage: ./dev COMMAND" in done.stderr
    assert done.stdout == ""


def test_dev_tells_its_commands():
    done = dev("--help")
    assert done.returncode == 0
    for command in ("demo", "test", "setup", "lint", "sandbox", "odoo", "clean"):
        assert re.search(rf"^  {command}\b", done.stdout, re.MULTILINE)


def dev(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [ROOT / "dev", *arguments], capture_output=True, text=True, timeout=30
    )
