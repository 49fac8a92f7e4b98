"""On OCA's queue_job, with its real job runner: two Odoo servers share one database."""

import contextlib
import os
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from .chaos import Plan, endure, told
from .databases import column, copied
from .helpers import IS_LONG, wait_until
from .office import Office
from .processes import odoo_server, python, tail

ADDON = "frontpay_odoo_queue_job"
SEED = 11
BATCH = 8
# What a job says whose connection the test has cut: another one follows it.
CUT = ("closed the connection", "terminating connection", "already closed")
RUN_JOB = "asking Odoo to run job"
SHORT = Plan(40, 20, kills=2, outages=1, delay=2, pause=2, minute=6, patience=240)
LONG = Plan(500, 100, kills=10, outages=2, delay=10, pause=5, minute=60, patience=3600)
RUNNER = """
[queue_job]
channels = root:4,root.frontpay:2
"""


@pytest.fixture(scope="module")
def installed(prepared_company):
    """A company where queue_job was installed; and Odoo's log of that, in which the
    tests of our addon on it were run too."""
    with copied(prepared_company.database, "jobs") as database:
        done = python(
            *("-m", "odoo", "--no-http", "--database", database),
            *("--init", "queue_job", "--stop-after-init"),
            *("--test-tags", f"/{ADDON}"),
            timeout=900,
        )
        query = "SELECT state FROM ir_module_module WHERE name = 'queue_job'"
        assert column(database, query) == ["installed"], tail(done.stdout)
        yield replace(prepared_company, database=database), done.stdout


def test_the_addon_installs_itself_with_queue_job(installed):
    company, _log = installed
    query = f"SELECT state FROM ir_module_module WHERE name = '{ADDON}'"
    assert column(company.database, query) == ["installed"]


def test_the_addons_own_tests_pass(installed):
    _company, log = installed
    counts = r" (\d+) failed, (\d+) error\(s\) of (\d+) tests "
    [(failed, broken, run)] = re.findall(counts, log)
    assert (failed, broken) == ("0", "0"), tail(log)
    assert int(run) > 10


@pytest.fixture(scope="module")
def runner_config(tmp_path_factory):
    """Odoo's configuration with that of the job runner, which has no options."""
    path = tmp_path_factory.mktemp("config") / "odoo.conf"
    path.write_text(Path(os.environ["ODOO_RC"]).read_text() + RUNNER)
    return path


@pytest.fixture(scope="module")
def servers(installed, runner_config, data_dir):
    """Two of one database, each with a job runner."""
    company, _log = installed
    options = ("--config", str(runner_config), "--load", "base,rpc,web,queue_job")
    names = ("jobs-first", "jobs-second")
    pair = [
        odoo_server(name, company.database, data_dir, crons=2, further=options)
        for name in names
    ]
    with contextlib.ExitStack() as stack:
        for server in pair:
            stack.callback(server.stop)
            server.start()
        yield pair


@pytest.fixture
def office(installed, servers, sandbox):
    company, _log = installed
    office = Office(company, servers[0], sandbox)
    office.reset()
    sandbox.set(rate_limit=100_000)
    return office


def test_what_a_killed_server_was_sending_is_not_sent_again(office, servers, sandbox):
    """The other server's runner goes on with the jobs, the dead one's included."""
    first, second = servers
    invoices = office.batch(BATCH)
    sandbox.fail_next("delay", when="after", seconds=60)
    office.bookkeeper.click("account.move", "action_frontpay_send", *invoices)
    wait_until(lambda: len(sandbox.orders()) == BATCH, "all are at the sandbox")
    wait_until(lambda: office.states(invoices)["sent"] == BATCH - 1, "all but one")
    assert office.states(invoices)["sending"] == 1
    assert RUN_JOB in first.log
    assert RUN_JOB not in second.log

    first.kill()  # back before that, it may be the one that goes on
    wait_until(lambda: "Re-queued dead job" in second.log, "the job is found dead", 90)
    first.start()
    wait_until(lambda: not sending_jobs(office), "and done")
    assert len(sandbox.orders()) == BATCH
    office.run_cron("cron_recover")
    wait_until(lambda: office.states(invoices)["sent"] == BATCH, "it is found")
    assert len(sandbox.orders()) == BATCH


def sending_jobs(office) -> list[str]:
    """Those of invoices that aren't done."""
    query = "SELECT state FROM queue_job WHERE method_name = '_job_send'"
    return [state for state in column(office.server.database, query) if state != "done"]


def test_every_invoice_has_one_order_and_is_paid_once(office, servers, sandbox, show):
    """Whichever of the two servers is killed, and whatever else goes wrong."""

    def show_with_jobs(table):
        states = "SELECT method_name || ' ' || state FROM queue_job"
        jobs = Counter(column(office.server.database, states))
        pids = set(column(office.server.database, "SELECT worker_pid FROM queue_job"))
        show("Chaos with queue_job", table | {"jobs": told(jobs), "workers": len(pids)})

    plan = LONG if IS_LONG else SHORT
    endure(plan, SEED, office, sandbox, show_with_jobs, others=servers[1:])
    failed = "SELECT exc_info FROM queue_job WHERE state = 'failed'"
    faults = [
        said
        for said in column(office.server.database, failed)
        if not any(cut in said for cut in CUT)
    ]
    assert faults == []
