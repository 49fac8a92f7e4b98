"""docs/: whoever cites docs/api.rst can be followed, and the tests that are said to
hold a decision, or a promise, exist."""

import ast
import re
from functools import cache

import pytest
from docutils import nodes
from docutils.core import publish_doctree

from .processes import ROOT

NUMBER = r"\d+[a-z]?(?:\.\d+)?"
NUMBERS = rf"{NUMBER}(?:(?:,? and|,? to|,)\s+{NUMBER})*"
CITATIONS = (
    ("section", re.compile(rf"(?<!\w)(?:sections?\s+|§\s*)({NUMBERS})\b", re.I)),
    ("section", re.compile(r"(?<!\w)\((24\.\d+)\)")),
    ("question", re.compile(rf"(?<!\w)questions?\s+({NUMBERS})\b", re.I)),
)
# How the codes end that aren't about success, nor names of fields.
FAILURE = re.compile(
    r"^\w*(NotFound|Failed|IsWrong|Errors|Exceed|Available|NotExportable|Submitted|Opened"
    r"|Already\w+|Wrong|Parameters|Param|GreaterThanOrderAmount|unauthenticated)$"
)
# Of terminals, subscriptions and settings, which the addon doesn't use.
OF_OTHERS = {"isCreditCheckAvailable", "someCyclesFailedToPassValidation"}


@cache
def document(name: str) -> nodes.document:
    """One of docs/; what docutils would only warn of fails."""
    text = (ROOT / "docs" / name).read_text()
    return publish_doctree(text, settings_overrides={"halt_level": 2})


@cache
def held(name: str) -> dict[str, list[str]]:
    """What tests hold, by the first column of a document's table of four columns, whose
    last one names the tests."""
    rows = [list(row.findall(nodes.entry)) for row in document(name).findall(nodes.row)]
    _head, *rows = [row for row in rows if len(row) == 4]
    return {
        row[0].astext(): [test.astext() for test in row[-1].findall(nodes.literal)]
        for row in rows
    }


def decisions() -> dict[str, list[str]]:
    """The tests that hold the decision on each question: the table of section 24."""
    return held("api.rst")


def dead_ends(text: str) -> list[str]:
    """The citations in a text, also across ends of lines, that lead nowhere."""
    text = re.sub(r"\s*\n[\s#]*", " ", text)
    titles = [title.astext() for title in document("api.rst").findall(nodes.title)]
    sections = {title.split()[0].removesuffix(".") for title in titles}
    sections |= {f"24.{question}" for question in decisions()}
    return [
        f"{kind} {number}"
        for kind, pattern in CITATIONS
        for match in pattern.finditer(text)
        for number in re.findall(NUMBER, match[1])
        if number not in (sections if kind == "section" else decisions())
    ]


def codes(name: str) -> set[str]:
    """Front Payment's codes for what failed, of all that a document names."""
    words = {word.astext() for word in document(name).findall(nodes.literal)}
    return {word for word in words if FAILURE.search(word)}


def found(path: str, kind: type) -> list[ast.AST]:
    """The nodes of a kind in a Python file; none if there is no such file."""
    text = (ROOT / path).read_text() if (ROOT / path).is_file() else ""
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, kind)]


def test_every_citation_leads_somewhere():
    paths = [path for top in ROOT.glob("[!.]*") for path in (top, *top.rglob("*"))]
    citing = [path for path in paths if path.suffix in (".py", ".rst", ".sh", ".xml")]
    ends = {str(path): dead_ends(path.read_text()) for path in citing}
    assert {path: wrong for path, wrong in ends.items() if wrong} == {}


# What is there, and was once said to be missing.
PRESENT = ("channel", "queue", "polling", "refund", "credit note", "payout", "fee")


def test_what_isnt_there_is_told_alike_wherever_it_is_told():
    page = (ROOT / "frontpay_odoo/static/description/index.html").read_text()
    told = page.partition("What isn't there yet</h2>")[2].partition("</ul>")[0]
    items = re.findall("(?s)<li>(.*?)</li>", told)
    of_page = [" ".join(item.split()) for item in items]
    assert of_page == bullets("frontpay_odoo/readme/ROADMAP.rst")
    assert of_page == bullets("frontpay_odoo/README.rst", "Known issues")
    # README has the last one as a section of its own.
    assert of_page[:-1] == bullets("README.rst", "What isn't there yet")
    assert not [word for word in PRESENT if word in " ".join(of_page).lower()]


def bullets(path: str, title: str = "") -> list[str]:
    """The items of the first list of a document, or of the section of that title."""
    tree = publish_doctree((ROOT / path).read_text())
    section = next(
        part
        for part in (tree, *tree.findall(nodes.section))
        if not title or part.next_node(nodes.title).astext() == title
    )
    items = section.next_node(nodes.bullet_list).findall(nodes.list_item)
    return [" ".join(item.astext().split()) for item in items]


DOCUMENTS = [*ROOT.glob("*.rst"), *ROOT.glob("[!.]*/**/*.rst")]


@pytest.mark.parametrize("path", [str(path.relative_to(ROOT)) for path in DOCUMENTS])
def test_each_document_is_read_without_a_warning(path):
    text = (ROOT / path).read_text()
    publish_doctree(text, settings_overrides={"halt_level": 2})


def test_every_question_is_decided():
    assert list(decisions()) == [str(number) for number in range(1, 48)]


@pytest.mark.parametrize("name", ["api.rst", "one_way_to_pay.rst"])
def test_whatever_is_promised_is_held_by_tests_that_exist(name):
    assert held(name)
    for promise, tests in held(name).items():
        assert tests, promise
        for held_by in tests:
            path, test = held_by.split("::")
            path = path if "/" in path else f"frontpay_odoo/tests/{path}"
            assert test in {node.name for node in found(path, ast.FunctionDef)}, held_by


def test_each_known_code_has_its_remedy():
    assert codes("api.rst") - OF_OTHERS == codes("troubleshooting.rst")
