"""Documents that are written from the code say what it says."""

from .processes import ROOT, python, tail


def test_the_table_of_rules():
    done = python("-m", "devtools.rules_table", ROOT / "docs" / "rules.rst")
    assert done.returncode == 0, tail(done.stdout)
