"""Polling many open orders with one list of all orders."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .filled import ORDERS, fill, odoo, row, rows_of, told_by, vacuum

OPEN = 100_000
LISTED = 1_000_000
ALL_DUE = """
    UPDATE frontpay_order
       SET state = 'sent', environment = 'custom', base_url = '{url}', closed_at = NULL,
           next_poll_at = now() AT TIME ZONE 'UTC' - interval '1 minute'
"""
ROUNDS = 5
POLL = """
import json, resource, time
from statistics import median
from urllib.request import urlopen

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

def seconds(action):
    started = time.monotonic()
    action()
    env.cr.commit()
    return time.monotonic() - started

env.company.write({{
    "frontpay_environment": "custom",
    "frontpay_custom_url": "{url}",
    "frontpay_api_token": "token",
}})
env.cr.commit()
before, peaks, polls, parses = peak(), [], [], []
for _round in range({rounds}):
    polls.append(seconds(env["frontpay.order"]._cron_poll))
    peaks.append(peak())
    parses.append(seconds(lambda: json.loads(urlopen("{url}").read())))
    env.cr.execute("UPDATE frontpay_order SET next_poll_at = last_poll_at")
    env.cr.commit()
print(json.dumps([median(polls), median(parses), before, peaks[0]]))
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
    """Poll all of the open orders, which are due, and fetch the list alone, in turn.

    :return: list of rows: what was measured, and what came out; of the times, the
        median of the rounds
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
    script = POLL.format(url=url, rounds=ROUNDS)
    polling, parsing, before, after = told_by(name, script)
    server.shutdown()
    [[polled]] = rows_of(
        name, "SELECT count(*) FROM frontpay_order WHERE last_poll_at IS NOT NULL"
    )
    return [
        row("orders in the list", LISTED),
        row("open orders polled", polled),
        row("seconds", round(polling, 1)),
        row("times the list's request and parsing alone", round(polling / parsing, 2)),
        row("memory before, MB", before),
        row("memory at most, MB", after),
    ]
