"""``python -m sandbox``: the command line and the server."""

import argparse
import contextlib
import logging
import signal
import sqlite3
import sys

from werkzeug.serving import WSGIRequestHandler, make_server

from .app import create_app
from .callbacks import is_loopback
from .settings import Settings


class RequestHandler(WSGIRequestHandler):
    """Answers without delay and leaves the log to the application."""

    disable_nagle_algorithm = True

    def log_request(self, *_args: object) -> None:
        pass

    def version_string(self) -> str:
        return "sandbox"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sandbox", description="A Front Payment of your own on this machine."
    )
    parser.add_argument("--port", type=_port, default=8700, help="0: any free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--db", default=":memory:", help="a file that keeps the orders")
    parser.add_argument("--token", default=Settings.token)
    parser.add_argument("--secret", default=Settings.secret)
    parser.add_argument("--merchant", default=Settings.merchant)
    parser.add_argument("--rate-limit", type=_count, default=Settings.rate_limit)
    return parser.parse_args()


def _port(text: str) -> int:
    return _integer(text, 0, 65535)


def _count(text: str) -> int:
    return _integer(text, 1, 10**9)


def _integer(text: str, low: int, high: int) -> int:
    if not text.isdecimal() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"not a whole number from {low} to {high}")
    return int(text)


def main() -> None:
    arguments = _arguments()
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("sandbox").setLevel(logging.INFO)
    settings = Settings(
        token=arguments.token,
        secret=arguments.secret,
        merchant=arguments.merchant,
        rate_limit=arguments.rate_limit,
    )
    try:
        app = create_app(settings, arguments.db)
    except sqlite3.Error as error:
        sys.exit(f"The database {arguments.db} cannot be used: {error}.")
    server = make_server(
        arguments.host,
        arguments.port,
        app,
        threaded=True,
        request_handler=RequestHandler,
    )
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    settings.base_url = f"http://{host}:{server.port}"
    if is_loopback(settings.base_url):
        # A page whose name was made to point here (DNS rebinding) is turned away.
        app.config["TRUSTED_HOSTS"] = ["localhost", arguments.host]
    # As Ctrl-C does: the server closes its socket and returns.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"Front Payment sandbox on {settings.base_url}/", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
