"""A long queue under the limit, worked off by Odoo's own scheduler in real time.

The test of that measures it, with 500 invoices and with ten minutes of them.
"""

import os

import pytest

TEST = "tests/test_limit.py::test_a_batch_uses_the_limit"


class Listener:
    """Keeps the tables that tests show, and prints why one fails."""

    def __init__(self):
        self.tables = []

    def pytest_runtest_logreport(self, report):
        if report.failed:
            print(report.longreprtext)
        if report.when == "teardown":
            self.tables += [table for _title, table in report.user_properties]


def measure(_env):
    """Run the test; nothing of it runs in this process but what asks the servers.

    :return: list of rows: what was measured, and what came out for each queue
    """
    os.environ["FRONTPAY_LONG"] = "1"
    listener = Listener()
    # Only the table is shown.
    options = ("-p", "no:odoo", "-p", "no:terminal", "-o", "addopts=")
    pytest.main([*options, TEST], [listener])
    first, *_others = listener.tables
    return [
        {
            "what": what,
            **{str(table["invoices"]): table[what] for table in listener.tables},
        }
        for what in first
    ]
