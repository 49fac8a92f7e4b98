"""``python -m bench DATABASE [NAME]``: measure, show a table, write JSON."""

import importlib
import json
import os
import sys
from pathlib import Path

import odoo
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

# By its name, the module here and its function, which takes an environment.
NAMES = {
    "mapping": ("mapping", "measure"),
    "mapping-growth": ("mapping_growth", "measure"),
    "send": ("send", "measure"),
    "callback": ("callback", "measure"),
    "callback-forged": ("callback", "measure_forged"),
    "install": ("install", "measure"),
    "polling": ("polling", "measure"),
    "queue": ("queue", "measure"),
    "memory": ("memory", "measure"),
    "other-requests": ("other_requests", "measure"),
    "year": ("year", "measure"),
}
FOLDER = Path(os.environ.get("FRONTPAY_DEV_DIR", ".dev")) / "bench"


def main(database, *names):
    unknown = set(names) - NAMES.keys()
    if unknown:
        known = ", ".join(NAMES)
        sys.exit(f"No such measurement: {', '.join(unknown)}. There are: {known}.")
    odoo.tools.config.parse_config(["--no-http"], setup_logging=False)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with Registry(database).cursor() as cursor:
        for name in names or NAMES:
            env = api.Environment(cursor, SUPERUSER_ID, {})
            module, function = NAMES[name]
            # The addons can't be imported before the registry is there.
            rows = getattr(importlib.import_module(f"bench.{module}"), function)(env)
            cursor.rollback()
            (FOLDER / f"{name}.json").write_text(json.dumps(rows, indent=2) + "\n")
            print(_table(rows))


def _table(rows):
    table = [list(rows[0]), *([str(cell) for cell in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in table
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
