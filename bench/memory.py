"""Memory of the process that works a queue off, by the length of the queue.

As in ``send``, the addon's limit is lifted and the sandbox answers at once. Odoo would
end each run of the scheduled action after ten seconds; here one run sends all.
"""

import os
import subprocess
from collections import Counter

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

from devtools.servers import SandboxServer

from . import filled, mapping, send

QUEUES = (1_000, 10_000)
FIRST = 50  # invoices that Odoo makes itself, each of another customer
QUEUED_AT_ONCE = 500
TIMEOUT = 1800  # seconds
WORK = """
import json, resource

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

before = peak()
env["frontpay.order"]._cron_send()
print(json.dumps([before, peak()]))
"""


def measure(_env):
    """Queue some invoices and send them in a process of its own; then more of them.

    :return: list of rows: invoices, MB before and at most, and how many more at most
        than with the fewest
    :raises RuntimeError: not all were sent
    """
    name = f"{os.environ['FRONTPAY_TEMPLATE_DB']}_memory"
    subprocess.run(
        ["createdb", "--template", os.environ["FRONTPAY_TEMPLATE_DB"], name], check=True
    )
    sandbox = SandboxServer(send.LOG, 0, "--rate-limit", send.MANY)
    sandbox.start()
    try:
        with Registry(name).cursor() as cursor:
            env = api.Environment(cursor, SUPERUSER_ID, {})
            mapping.invoices(send.company_at(env, sandbox), FIRST)
            filled.copy(env, sum(QUEUES) // FIRST - 1)
            cursor.commit()
            told = {count: _worked_off(env, count) for count in QUEUES}
    finally:
        sandbox.stop()
    _before, fewest = told[min(QUEUES)]
    return [
        {
            "invoices": count,
            "MB before": before,
            "MB at most": most,
            "more than the fewest": most - fewest,
        }
        for count, (before, most) in told.items()
    ]


def _worked_off(env, count):
    """:return: MB before and at most, of the process that sends so many invoices"""
    unsent = [("move_type", "=", "out_invoice"), ("frontpay_order_ids", "=", False)]
    queued = env["account.move"].search(unsent, limit=count)
    for start in range(0, count, QUEUED_AT_ONCE):
        queued[start : start + QUEUED_AT_ONCE].with_prefetch().action_frontpay_send()
        env.cr.commit()
        env.invalidate_all()
    told = filled.told_by(env.cr.dbname, WORK, timeout=TIMEOUT)
    env.cr.commit()  # or what the other process has written isn't seen
    orders = env["frontpay.order"].search([("move_id", "in", queued.ids)])
    states = Counter(orders.mapped("state"))
    if states != {"sent": count}:
        raise RuntimeError(f"Not all were sent: {dict(states)}")
    return told
