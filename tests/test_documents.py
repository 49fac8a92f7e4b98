"""Documents that are written from the code say what it says."""

from devtools.servers import ROOT, tail

from .processes import python


def test_the_table_of_rules():
    done = python("-m", "devtools.rules_table", ROOT / "docs" / "rules.rst")
    assert done.returncode == 0, tail(done.stdout)
