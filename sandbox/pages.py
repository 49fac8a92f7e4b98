"""The web pages: the orders, one order to play with, and the customer's BankID step."""

from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from . import bankid, fault_buttons
from .callbacks import is_loopback
from .masking import json_text, masked, shorten
from .orders import INVOICED, SENT, BadAmount, Conflict, Order, OrderNotFound
from .payload import ABSENT, number, products, value_at
from .payouts import NothingToPayOut
from .refunds import DECISIONS, PENDING, NotPending, RefundNotFound
from .state import sandbox

blueprint = Blueprint("pages", __name__)

SHOWN_ORDERS = 100
SHOWN_REQUESTS = 12

# action: what its button says, and who does it in real life
ACTIONS = {
    "confirm": ("Confirm with BankID", "customer"),
    "pay": ("Pay", "customer"),
    "remind": ("Remind", "provider"),
    "collection": ("Send to debt collection", "provider"),
    "expire": ("Expire", "provider"),
    "cancel": ("Cancel", "provider"),
    "refund": ("Refund", "provider"),
    "callback": ("Send last callback again", "provider"),
}
# What else they say of a payment link.
LINK_ACTIONS = {"pay": ("Open the payment link and pay", "customer")}
PLAYERS = {"customer": "As the customer", "provider": "As Front Payment"}

# What a status means, for the one who plays. What SENT waits for says the channel.
MEANINGS = {
    "INVOICED": "The invoice is out, the customer owes the money.",
    "Purring": "The due date has passed, a reminder was sent.",
    "Inkasso": "The claim is with the debt collectors.",
    "PAID": "The customer has paid.",
    "PARTIAL REFUNDED": "Some of the money went back to the customer.",
    "REFUNDED": "All of the money went back to the customer.",
    "CANCELLED": "The merchant took the order back.",
    "EXPIRED": "The customer never answered.",
}


@blueprint.after_request
def _lock_down(response):
    """Nothing from elsewhere is loaded, and no other page may frame ours."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.app_template_filter("nok")
def _nok(amount: object) -> str:
    """``4500`` as ``4 500.00``, with a space that does not break."""
    value = amount if isinstance(amount, Decimal) else number(amount) or Decimal(0)
    return f"{value:,.2f}".replace(",", "\N{NO-BREAK SPACE}")


@blueprint.app_template_filter("meaning")
def _meaning(order: Order) -> str:
    return MEANINGS.get(order.status, order.channel.waits_for)


@blueprint.app_template_filter("at")
def _at(payload: dict, path: str) -> object:
    """What stands at a path of the received data, None if nothing does."""
    value = value_at(payload, path)
    return None if value is ABSENT else value


@blueprint.app_template_filter("date")
def _date(text: str) -> str:
    """An order date: Unix seconds as a date, the older page's dates as they came."""
    return f"{datetime.fromtimestamp(int(text)):%d %b, %Y}" if text.isdigit() else text


@blueprint.app_template_filter("clock")
def _clock(seconds: float) -> str:
    """For whoever has no script: with one, the page shows the browser's own time."""
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %Y %H:%M:%S} UTC"


@blueprint.app_template_filter("iso")
def _iso(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


@blueprint.app_template_filter("slug")
def _slug(status: str) -> str:
    return status.lower().replace(" ", "-")


@blueprint.app_template_filter("parameters")
def _parameters(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


blueprint.add_app_template_filter(masked, "masked")
blueprint.add_app_template_filter(products, "products")
blueprint.add_app_template_filter(shorten, "shorten")


@blueprint.app_context_processor
def _template_context() -> dict:
    waiting = sandbox.faults.waiting()
    return {
        "settings": sandbox.settings,
        "armed": [fault_buttons.sentence(fault) for fault in waiting],
    }


@blueprint.app_errorhandler(OrderNotFound)
def _order_not_found(_error: OrderNotFound):
    return _message("No such order", "It may have been deleted by a test.", 404)


@blueprint.app_errorhandler(RefundNotFound)
def _refund_not_found(_error: RefundNotFound):
    return _message("No such refund", "It may have been deleted by a test.", 404)


def http_error(error: HTTPException):
    return _message(error.name, error.description, error.code)


# The orders


@blueprint.get("/")
def orders():
    wanted = request.args.get("q", "").strip()
    counts = sandbox.orders.count()
    total = sum(counts.values())
    if wanted:
        found = sandbox.orders.found(wanted)
        shown, total = found[:SHOWN_ORDERS], len(found)
    else:
        shown = sandbox.orders.newest(SHOWN_ORDERS)
    return render_template(
        "orders.html", wanted=wanted, orders=shown, counts=counts, total=total
    )


@blueprint.get("/orders/<uuid>")
def order(uuid: str, problem: str = ""):
    order = sandbox.orders.get(uuid)
    return render_template(
        "order.html",
        order=order,
        problem=problem,
        players=_players(order),
        left=order.total - order.refunded,
        refunds=sandbox.refunds.of(uuid),
        pending=PENDING,
        bankid_url=bankid.bankid_url("", uuid) if order.waits_for_bankid else "",
        statuses=sandbox.orders.statuses(uuid),
        callbacks=sandbox.orders.callbacks(uuid),
        calls_back=is_loopback(order.callback.get("callbackUrl")),
        received=json_text(masked(order.payload)),
    )


@blueprint.post("/orders/<uuid>/<action>")
def act(uuid: str, action: str):
    try:
        sandbox.act(uuid, action, request.form.get("amount"))
    except BadAmount as error:
        return order(uuid, str(error)), 400
    except Conflict as error:
        return order(uuid, str(error)), 409
    return redirect(url_for("pages.order", uuid=uuid), 303)


@blueprint.post("/refunds/<int:refund_id>/<decision>")
def decide(refund_id: int, decision: str):
    uuid = sandbox.refunds.get(refund_id).order_uuid
    if decision not in DECISIONS:
        return _message("Nothing chosen", "Go back and press one of the buttons.", 400)
    try:
        sandbox.decide(refund_id, decision)
    except NotPending as error:
        return order(uuid, str(error)), 409
    return redirect(url_for("pages.order", uuid=uuid), 303)


# The pay-outs


@blueprint.get("/payouts")
def payouts(problem: str = ""):
    open_items = sandbox.payouts.open_items()
    return render_template(
        "payouts.html",
        problem=problem,
        open_items=open_items,
        owed=sandbox.payouts.owed(),
        fee=sandbox.payouts.fee_of(open_items),
        payouts=sandbox.payouts.all()[::-1],
    )


@blueprint.post("/payouts")
def pay_out():
    try:
        sandbox.payouts.pay_out()
    except NothingToPayOut as error:
        return payouts(str(error)), 409
    return redirect(url_for("pages.payouts"), 303)


@blueprint.get("/payouts/vat.csv")
def vat_report():
    """As UTF-8 with a byte order mark, as spreadsheets like it."""
    return Response(
        sandbox.payouts.vat_report().encode("utf-8-sig"),
        mimetype="text/csv",
        headers={"Content-Disposition": "attachment; filename=vat.csv"},
    )


# The faults


@blueprint.get("/faults")
def faults():
    return render_template(
        "faults.html",
        occasions=fault_buttons.OCCASIONS,
        buttons=fault_buttons.BUTTONS,
        requests=list(sandbox.requests)[: -SHOWN_REQUESTS - 1 : -1],
    )


@blueprint.post("/faults")
def arm():
    button, occasion = (request.form.get(name, "") for name in ("button", "occasion"))
    try:
        sandbox.faults.add(fault_buttons.fault_of(button, occasion))
    except KeyError:
        return _message("Nothing chosen", "Go back and press one of the buttons.", 400)
    return redirect(url_for("pages.faults"), 303)


@blueprint.post("/faults/disarm")
def disarm():
    sandbox.faults.clear()
    return redirect(url_for("pages.faults"), 303)


def _players(order: Order) -> list[tuple[str, list[tuple[str, str]]]]:
    """For each player the actions that the order's status allows, with their labels."""
    actions = {**ACTIONS, **({} if order.channel.is_invoice else LINK_ACTIONS)}
    possible = [(action, *actions[action]) for action in order.actions]
    played = [
        (title, [(action, label) for action, label, who in possible if who == player])
        for player, title in PLAYERS.items()
    ]
    return [(title, actions) for title, actions in played if actions]


# The customer's own step

STEPS = {SENT: "identify", INVOICED: "pay"}


@blueprint.get(bankid.PATH)
def identify():
    uuid = bankid.order_uuid(request.args.get("state", ""))
    if not uuid:
        return _message("No order", "The state of this URL names no order.", 400)
    order = sandbox.orders.get(uuid)
    if not order.channel.has_bankid:
        return _no_bankid(order)
    step = STEPS.get(order.status, "closed")
    return render_template("bankid.html", order=order, step=step)


@blueprint.post("/bankid/<uuid>")
def answer(uuid: str):
    """What the customer chose: ``confirm``, then ``pay`` or ``later``; or ``abort``."""
    choice = request.form.get("action")
    order = sandbox.orders.get(uuid)
    if choice not in CHOICES:
        return _message("Nothing chosen", "Go back and press one of the buttons.", 400)
    if not order.channel.has_bankid:
        return _no_bankid(order)
    action, leads_to = CHOICES[choice]
    try:
        order = sandbox.act(uuid, action) if action else order
    except Conflict:
        return render_template("bankid.html", order=order, step="closed"), 409
    if leads_to:
        return _return(order, leads_to)
    return render_template("bankid.html", order=order, step="pay")


# choice: the action it stands for, and the URL the browser then goes to
CHOICES = {
    "confirm": ("confirm", None),
    "pay": ("pay", "success"),
    "later": (None, "success"),
    "abort": (None, "failure"),
}


def _no_bankid(order: Order):
    text = f"This order came by the channel {order.channel.title!r}, without BankID."
    return _message("Nothing to confirm", text, 404)


def _return(order: Order, leads_to: str):
    url = order.callback[leads_to]
    if is_loopback(url):
        return redirect(url, 303)
    return _message(
        "Back to the shop",
        f"The customer's browser would now go to {shorten(url)}, which is not on this "
        "machine. The sandbox stays here.",
        200,
    )


def _message(title: str, text: str, code: int):
    return render_template("message.html", title=title, text=text), code
