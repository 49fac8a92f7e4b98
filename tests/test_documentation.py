"""docs/api.rst: whoever cites it can be followed, and tests hold its decisions."""

import ast
import re
from functools import cache

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


@cache
def reference() -> nodes.document:
    """The document; what docutils would only warn of fails."""
    text = (ROOT / "docs" / "api.rst").read_text()
    return publish_doctree(text, settings_overrides={"halt_level": 2})


@cache
def decisions() -> dict[str, str]:
    """The tests that hold the decision on each question: the table of section 24."""
    rows = [list(row.findall(nodes.entry)) for row in reference().findall(nodes.row)]
    _head, *rows = [row for row in rows if len(row) == 4]
    return {row[0].astext(): row[-1].astext() for row in rows}


def dead_ends(text: str) -> list[str]:
    """The citations in a text, also across ends of lines, that lead nowhere."""
    text = re.sub(r"\s*\n[\s#]*", " ", text)
    titles = [title.astext() for title in reference().findall(nodes.title)]
    sections = {title.split()[0].removesuffix(".") for title in titles}
    sections |= {f"24.{question}" for question in decisions()}
    return [
        f"{kind} {number}"
        for kind, pattern in CITATIONS
        for match in pattern.finditer(text)
        for number in re.findall(NUMBER, match[1])
        if number not in (sections if kind == "section" else decisions())
    ]


def found(path: str, kind: type) -> list[ast.AST]:
    """The nodes of a kind in a Python file; none if there is no such file."""
    text = (ROOT / path).read_text() if (ROOT / path).is_file() else ""
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, kind)]


def test_every_citation_leads_somewhere():
    paths = [path for top in ROOT.glob("[!.]*") for path in (top, *top.rglob("*"))]
    citing = [path for path in paths if path.suffix in (".py", ".rst", ".sh", ".xml")]
    ends = {str(path): dead_ends(path.read_text()) for path in citing}
    assert {path: wrong for path, wrong in ends.items() if wrong} == {}


def test_every_question_is_decided_and_held_by_tests_that_exist():
    assert list(decisions()) == [str(number) for number in range(1, 48)]
    names = {name for held_by in decisions().values() for name in held_by.split(", ")}
    for name in names:
        path, test = name.split("::")
        path = path if "/" in path else f"frontpay_odoo/tests/{path}"
        assert test in {node.name for node in found(path, ast.FunctionDef)}, name
