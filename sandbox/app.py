"""Puts the parts together into one web application."""

import logging
import time
from urllib.parse import urlsplit

from flask import Flask, g, request
from werkzeug.exceptions import HTTPException

from . import api, control, pages
from .callbacks import Callbacks
from .customers import Customers
from .orders import Orders
from .payouts import Payouts
from .refunds import Refunds
from .settings import Settings
from .state import Sandbox

LARGEST_BODY = 2 * 1024 * 1024  # bytes

logger = logging.getLogger("sandbox")


def create_app(settings: Settings, database: str = ":memory:") -> Flask:
    """The sandbox as a WSGI application, with its state in the SQLite ``database``."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.json.sort_keys = False
    orders = Orders(database)
    sandbox = Sandbox(
        settings,
        orders,
        Customers(orders),
        Refunds(orders, settings),
        Payouts(orders, settings),
        Callbacks(orders, settings),
    )
    orders.on_status = sandbox.call_back
    app.extensions["sandbox"] = sandbox

    app.before_request(_start_clock)
    app.before_request(_refuse_foreign_pages)
    # Registered first, so called last: it sees the answer as it goes out.
    app.after_request(_log)
    app.before_request(api.receive)
    app.after_request(api.answer)
    for blueprint in (api.blueprint, control.blueprint, pages.blueprint):
        app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, _http_error)
    return app


def _start_clock() -> None:
    g.started = time.perf_counter()


def _refuse_foreign_pages():
    """A page from elsewhere, open in the same browser, must not press our buttons."""
    origin = request.headers.get("Origin")
    if request.method in ("GET", "HEAD", "OPTIONS") or not origin:
        return None
    if urlsplit(origin).netloc == request.host:
        return None
    return {"error": "Requests from other sites' pages are refused."}, 403


def _http_error(error: HTTPException):
    """An unknown path or a fault of our own, in the form that fits the path."""
    if request.path.startswith(api.PREFIX):
        return api.http_error(error)
    if request.path.startswith("/sandbox/"):
        return {"error": error.description}, error.code
    return pages.http_error(error)


def _log(response):
    # An open page asks for news every other second; nobody wants to read that.
    if "X-Live" not in request.headers and request.endpoint != "static":
        duration = (time.perf_counter() - g.started) * 1000
        answered = g.get("outcome", response.status_code)
        logger.info("%s %s %s %d ms", request.method, request.path, answered, duration)
    return response
