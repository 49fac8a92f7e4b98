"""Control for tests: everything the sandbox has seen, and what goes wrong next.

Orders show here all that was received, personal numbers too: tests compare it.
"""

import json

from flask import Blueprint, jsonify, request

from .bankid import bankid_url
from .orders import BadAmount, Conflict, Order, OrderNotFound
from .payouts import NothingToPayOut, Payout
from .refunds import DECISIONS, NotPending, Refund, RefundNotFound
from .settings import CHANGEABLE
from .state import sandbox

blueprint = Blueprint("control", __name__, url_prefix="/sandbox")


@blueprint.errorhandler(ValueError)
def _bad_input(error: ValueError):
    return {"error": str(error)}, 400


@blueprint.errorhandler(BadAmount)
def _bad_amount(error: BadAmount):
    return {"error": str(error)}, 400


@blueprint.errorhandler(OrderNotFound)
def _not_found(error: OrderNotFound):
    return {"error": f"There is no order {error}."}, 404


@blueprint.errorhandler(RefundNotFound)
def _refund_not_found(error: RefundNotFound):
    return {"error": f"There is no refund {error}."}, 404


@blueprint.errorhandler(NotPending)
@blueprint.errorhandler(Conflict)
@blueprint.errorhandler(NothingToPayOut)
def _conflict(error: Exception):
    return {"error": str(error)}, 409


@blueprint.get("/faults")
def faults():
    return {"faults": sandbox.faults.waiting()}


@blueprint.post("/faults")
def add_faults():
    sandbox.faults.add(_json())
    return faults(), 201


@blueprint.delete("/faults")
def clear_faults():
    sandbox.faults.clear()
    return faults()


@blueprint.get("/chaos")
def chaos():
    return sandbox.chaos.counts()


@blueprint.post("/chaos")
def begin_chaos():
    sandbox.chaos.begin(_json())
    return chaos(), 201


@blueprint.delete("/chaos")
def end_chaos():
    """Tells once more how often each fault struck, then it is over."""
    counts = sandbox.chaos.counts()
    sandbox.chaos.end()
    return counts


@blueprint.get("/orders")
def orders():
    """All orders, oldest first."""
    return jsonify([_order(order) for order in sandbox.orders.all()])


@blueprint.delete("/orders")
def delete_orders():
    sandbox.orders.delete_all()
    return jsonify([])


@blueprint.post("/orders/<uuid>/<action>")
def act(uuid: str, action: str):
    """What a button of the order's page does; body ``{"amount": NOK}`` for a refund."""
    body = _json() or {}
    if not isinstance(body, dict):
        raise ValueError('Send {"amount": ...} or nothing.')
    return _order(sandbox.act(uuid, action, body.get("amount")))


@blueprint.get("/customers")
def customers():
    """All customers, the one that came first at the top."""
    return jsonify(
        [
            {
                "customerUuid": customer.uuid,
                "type": customer.type,
                "details": json.loads(customer.details),
            }
            for customer in sandbox.customers.all()
        ]
    )


@blueprint.get("/refunds")
def refunds():
    """All refunds, oldest first."""
    return jsonify([_refund(refund) for refund in sandbox.refunds.all()])


@blueprint.post("/refunds/<int:refund_id>/<decision>")
def decide(refund_id: int, decision: str):
    """What the buttons beside a pending refund do."""
    if decision not in DECISIONS:
        raise ValueError(f"Decide one of {', '.join(DECISIONS)}.")
    return _order(sandbox.decide(refund_id, decision))


@blueprint.get("/payouts")
def payouts():
    """All pay-outs, oldest first, and what is owed since the last one."""
    return {
        "owed": f"{sandbox.payouts.owed():.2f}",
        "payouts": [_payout(payout) for payout in sandbox.payouts.all()],
    }


@blueprint.post("/payouts")
def pay_out():
    """What the page's button does."""
    return _payout(sandbox.payouts.pay_out()), 201


@blueprint.get("/requests")
def requests():
    """The requests to the API in the order of their answers; ``at``: when they came in,
    in Unix seconds; ``status`` may be ``dropped``."""
    return jsonify(list(sandbox.requests))


@blueprint.delete("/requests")
def clear_requests():
    sandbox.requests.clear()
    return requests()


@blueprint.post("/settings")
def change_settings():
    """A limit or a window that is set begins anew, also with the value it had."""
    changes = _json()
    sandbox.settings.change(changes)
    if changes.keys() & {"rate_limit", "rate_window"}:
        for limit in sandbox.rate_limits.values():
            limit.reset()
    return {
        name: getattr(sandbox.settings, name)
        for name in CHANGEABLE
        if name not in ("token", "secret")
    }


def _json() -> object:
    """The body as JSON, None if there is none."""
    body = request.get_data(as_text=True)
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError as error:
        raise ValueError("The body is no JSON.") from error


def _order(order: Order) -> dict:
    orders = sandbox.orders
    url = bankid_url(sandbox.settings.base_url, order.uuid)
    return {
        "orderUuid": order.uuid,
        "customerUuid": order.customer_uuid,
        "endpoint": order.endpoint,
        "status": order.status,
        "invoiceNumber": order.invoice_number,
        "bankIdUrl": url if order.waits_for_bankid else "",
        "orderAmount": f"{order.total:.2f}",
        "refundedAmount": f"{order.refunded:.2f}",
        "paymentMethod": order.payment_method,
        "createdAt": order.created_at,
        "actions": order.actions,
        "payload": json.loads(order.received),
        "statuses": orders.statuses(order.uuid),
        "callbacks": orders.callbacks(order.uuid),
    }


def _refund(refund: Refund) -> dict:
    return {
        "id": refund.id,
        "orderUuid": refund.order_uuid,
        "status": refund.status,
        "amount": f"{refund.amount:.2f}",
        "isRequest": bool(refund.is_request),
        "at": refund.at,
        "payload": json.loads(refund.received),
    }


def _payout(payout: Payout) -> dict:
    return {
        "id": payout.id,
        "at": payout.at,
        "total": f"{payout.total:.2f}",
        "fee": f"{payout.fee:.2f}",
        "amount": f"{payout.amount:.2f}",
        "items": [
            {"orderUuid": uuid, "amount": f"{amount:.2f}"}
            for uuid, amount in payout.items
        ],
    }
