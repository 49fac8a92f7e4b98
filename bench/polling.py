"""Polling many open orders with one list of all orders."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .filled import ORDERS, fill, odoo, row, rows_of, vacuum

OPEN = 100_000
LISTED = 1_000_000
ALL_DUE = """
    UPDATE frontpay_order
       SET state = 'sent', environment = 'custom', base_url = '{url}', closed_at = NULL,
           next_poll_at = now() AT TIME ZONE 'UTC' - interval '1 minute'
"""
POLL = """
import json, resource, time

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

env.company.write({{
    "frontpay_environment": "custom",
    "frontpay_custom_url": "{url}",
    "frontpay_api_token": "token",
}})
env.cr.commit()
before, started = peak(), time.monotonic()
env["frontpay.order"]._cron_poll()
env.cr.commit()
print(json.dumps([round(time.monotonic() - started, 1), before, peak()]))
"""


class FrontPayment(BaseHTTPRequestHandler):
    """Lists all orders, and knows nothing else."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status_code": 200, "is_data": true, "data": [')
        for start in range(0, LISTED, 1000):
            rows = (
                f'{{"uuid":"ODR{number}","status":"SENT"}}'
                for number in range(start, start + 1000)
            )
            end = "," if start + 1000 < LISTED else "]}"
            self.wfile.write((",".join(rows) + end).encode())

    def log_message(self, *_arguments):
        pass


def measure(_env):
    """Poll all of the open orders, which are due.

    :return: list of rows: what was measured, and what came out
    """
    name = f"{os.environ['FRONTPAY_TEMPLATE_DB']}_polling"
    fill(name, OPEN - 1)
    odoo("--database", name, "--init", "frontpay_odoo", "--stop-after-init")
    rows_of(name, ORDERS)
    server = ThreadingHTTPServer(("127.0.0.1", 0), FrontPayment)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/api/v1/"
    rows_of(name, ALL_DUE.format(url=url))
    vacuum(name)
    command = [sys.executable, "-m", "odoo", "shell", "--database", name, "--no-http"]
    told = subprocess.run(
        [*command, "--log-level", "warn"],
        input=POLL.format(url=url),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    server.shutdown()
    seconds, before, after = json.loads(told.splitlines()[-1])
    [[polled]] = rows_of(
        name, "SELECT count(*) FROM frontpay_order WHERE last_poll_at IS NOT NULL"
    )
    return [
        row("orders in the list", LISTED),
        row("open orders polled", polled),
        row("seconds", seconds),
        row("memory before, MB", before),
        row("memory at most, MB", after),
    ]
