"""What tests show below the results of a run."""

import pytest


@pytest.fixture(autouse=True)
def _show_what_odoo_tests_show(request, record_property):
    """Odoo's tests have no fixtures: a method ``show`` becomes the fixture."""
    if hasattr(request.instance, "show"):
        request.instance.show = record_property


def pytest_terminal_summary(terminalreporter):
    """The tables that tests made, below the results."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") != "teardown":
                continue
            for title, table in report.user_properties:
                terminalreporter.section(title)
                for name, value in table.items():
                    terminalreporter.write_line(f"{name:.<32} {value}")
