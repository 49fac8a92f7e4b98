"""docs/limits.rst says what the code says."""

import importlib
import re
from datetime import timedelta
from unittest import SkipTest

from docutils import nodes
from docutils.core import publish_doctree

from odoo.tests import BaseCase

from .common import ROOT

DOCUMENT = ROOT / "docs" / "limits.rst"
UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "KB": 1024,
    "MB": 1024 * 1024,
    "": 1,
}


class TestLimits(BaseCase):
    def test_each_is_as_it_is_documented(self):
        if not DOCUMENT.is_file():
            raise SkipTest("The project's docs aren't part of an installed addon.")
        rows = publish_doctree(DOCUMENT.read_text()).findall(nodes.row)
        cells = [list(row.findall(nodes.entry)) for row in rows]
        limits = [row for row in cells[1:] if row[2].astext()]
        self.assertGreater(len(limits), 40)
        for what, how_much, where in limits:
            path, name = [each.astext() for each in where.findall(nodes.literal)]
            with self.subTest(what.astext(), limit=name):
                documented = self._amount(how_much.astext())
                self.assertEqual(self._in_code(path, name, documented), documented)

    def _amount(self, text):
        number, unit = re.fullmatch(r"(\d+) ?(\w*?)s?", text).groups()
        return int(number) * UNITS[unit]

    def _in_code(self, path, name, documented):
        """Where it isn't a ``timedelta``, the name or a comment tells the unit."""
        module = path.removesuffix(".py").replace("/", ".")
        value = getattr(importlib.import_module(f"..{module}", __package__), name)
        if isinstance(documented, timedelta) and isinstance(value, int):
            return UNITS["minute" if name.endswith("MINUTES") else "second"] * value
        return value
