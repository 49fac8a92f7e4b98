"""What the tests of a run share, and what they show below its results."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _one_set_up_for_all(request):
    """Let Odoo's tests begin with the records of one set-up; see there."""
    if request.config.pluginmanager.hasplugin("odoo"):
        from devtools.odoo_set_up import share

        share()


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
