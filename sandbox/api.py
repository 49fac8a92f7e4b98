"""Front Payment's API under /api/v1/, as documented and as recorded."""

import hmac
import socket
import time
from decimal import Decimal

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from . import rules, totals
from .bankid import bankid_url
from .channels import CHANNELS
from .customers import NAMES, Ambiguous, Customer, CustomerNotFound
from .envelope import MESSAGES, accepted, failed, refused
from .faults import Fault
from .orders import Conflict, Order, OrderNotFound
from .payload import ABSENT, as_json, number, read, value_at
from .refunds import Refused
from .state import sandbox

PREFIX = "/api/v1/"
DROPPED = "dropped"  # instead of an HTTP status

# Nobody has seen what the real server says to requests that fit no endpoint.
ROUTE_MESSAGES = {404: "routeNotFound", 405: "methodNotAllowed", 413: "payloadTooLarge"}

blueprint = Blueprint("api", __name__, url_prefix=PREFIX)


# Around every request


def _is_api() -> bool:
    return request.path.startswith(PREFIX)


def receive() -> Response | None:
    """The rate limit, then a fault that waits for this request, then the token."""
    if not _is_api():
        return None
    g.received = time.time()
    settings = sandbox.settings
    limit = sandbox.rate_limits[settings.rate_window]
    allowed, g.left, wait = limit.hit(settings.rate_limit)
    if not allowed:
        return _limited(wait)
    path = request.path
    g.fault = sandbox.faults.take(path) or sandbox.chaos.take(path)
    if g.fault and g.fault.when == "before":
        response = FAULTS[g.fault.kind](g.fault)
        if response:
            return response
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    expected = sandbox.settings.token
    if scheme.lower() != "bearer" or not _is_same(token.strip(), expected):
        return refused(401)
    return None


def answer(response: Response) -> Response:
    if not _is_api() or "left" not in g:
        return response
    fault = g.get("fault")
    if fault and fault.when == "after":
        response = FAULTS[fault.kind](fault) or response
    response.headers["x-ratelimit-limit"] = str(sandbox.settings.rate_limit)
    response.headers["x-ratelimit-remaining"] = str(g.left)
    sandbox.requests.append(
        {
            "at": g.received,
            "method": request.method,
            "path": request.path,
            "status": g.get("outcome", response.status_code),
        }
    )
    if g.get("outcome") == DROPPED:
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return response


def _is_same(received: str, expected: str) -> bool:
    return hmac.compare_digest(received.encode(), expected.encode())


def http_error(error: HTTPException) -> Response:
    """Unknown paths, wrong methods and faults of our own wear the envelope too."""
    if error.code == 500:
        return failed(500, _internal_error())
    return refused(error.code, ROUTE_MESSAGES.get(error.code, "badRequest"))


def _internal_error() -> dict:
    return {
        "happenedAt": time.strftime("%Y-%m-%d %H:%M:%S"),
        "internalErrorDetails": [],
    }


# Faults


def _fail(fault: Fault) -> Response:
    if fault.status == 500:
        return failed(500, _internal_error())
    if fault.status in MESSAGES and fault.status not in (417, 510):
        return refused(fault.status)
    return failed(fault.status, ["This answer was asked for in the sandbox."])


def _delay(fault: Fault) -> None:
    time.sleep(fault.seconds)


def _drop(_fault: Fault) -> Response:
    g.outcome = DROPPED
    return Response(status=204)  # nobody is left to read it


def _garbage(_fault: Fault) -> Response:
    return Response("<html><body>Bad Gateway, come back later", mimetype="text/html")


def _limited_by(fault: Fault) -> Response:
    return _limited(fault.retry_after)


def _limited(seconds: int) -> Response:
    response = refused(429)
    response.headers["Retry-After"] = str(seconds)
    return response


FAULTS = {
    "status": _fail,
    "delay": _delay,
    "drop": _drop,
    "garbage": _garbage,
    "limited": _limited_by,
}


# Endpoints


@blueprint.errorhandler(OrderNotFound)
def _order_not_found(_error: OrderNotFound) -> Response:
    is_status = request.path.startswith(f"{PREFIX}{rules.STATUS}")
    return refused(404, "Order Not Found" if is_status else "")


@blueprint.errorhandler(Conflict)
def _conflict(error: Conflict) -> Response:
    return refused(400, error.code)


@blueprint.errorhandler(Refused)
def _refused(error: Refused) -> Response:
    return refused(400, str(error))


@blueprint.errorhandler(CustomerNotFound)
def _customer_not_found(_error: CustomerNotFound) -> Response:
    return refused(404, "customerNotFound")


@blueprint.errorhandler(Ambiguous)
def _ambiguous(_error: Ambiguous) -> Response:
    return refused(400, "ambiguousRequestExistsWithSameParameters")


def submit() -> Response:
    """Sections 4 to 9: an order comes in by one of the channels."""
    endpoint = request.path.removeprefix(PREFIX)
    received = _body()
    payload = _read(received)
    orders = sandbox.orders
    errors = rules.check(endpoint, payload, orders.exists)
    errors = errors or totals.check_totals(endpoint, payload)
    if errors:
        return failed(417, errors)
    order = orders.submit(endpoint, received)
    channel = order.channel
    data = {channel.uuid_name: order.uuid, "customerUuid": order.customer_uuid}
    if channel.has_bankid:
        data[channel.bankid_name] = _bankid_url(order)
    return accepted(201, channel.message, data)


for _endpoint in CHANNELS:
    blueprint.add_url_rule(_endpoint, view_func=submit, methods=["POST"])


@blueprint.get("connect/orders/status")
def all_statuses() -> Response:
    """Section 13. Recorded: nothing found is a 404, not an empty list."""
    status = request.args.get("type", "").strip().upper() or None
    errors = rules.check(rules.STATUS, {"type": status}, sandbox.orders.exists)
    if errors:
        return failed(417, errors)
    found = sandbox.orders.uuids(status)
    if not found:
        raise OrderNotFound
    rows = [{"uuid": uuid, "status": status} for uuid, status in found]
    return accepted(200, "Order Status Retrieved Successfully", rows)


@blueprint.get("connect/orders/status/<uuid>")
def status(uuid: str) -> Response:
    """Section 14. How a refund ended stands outside of ``data`` (section 25)."""
    order = sandbox.orders.get(uuid)
    data = {
        "uuid": order.uuid,
        "status": order.status,
        "orderAmount": as_json(order.total),
        "refundedAmount": as_json(order.refunded),
    }
    outcome = sandbox.settings.refund_outcome and sandbox.refunds.outcome(uuid)
    beside = {"refundStatus": outcome} if outcome else {}
    return accepted(200, "Order Status Retrieved Successfully", data, **beside)


@blueprint.get("connect/orders/details/<uuid>")
def details(uuid: str) -> Response:
    """Section 15, with the numeric ``id`` of each line that a refund needs, unless the
    setting ``line_ids`` is off.

    The current list has no reference of the merchant's, the older one has: the setting
    ``details_references`` chooses.
    """
    order = sandbox.orders.get(uuid)
    summary = order.payload["orderSummary"]
    data = {
        # Which types there are is not said; a refund knows these two.
        "type": "invoice" if order.channel.is_invoice else "regular",
        "orderUuid": order.uuid,
        "invoiceNumber": order.invoice_number,
        "status": order.status,
        "orderDate": order.payload["orderDate"],
        "paymentLinkDueDate": order.payload.get("dueDateForPaymentLink"),
        "productList": _product_list(order),
        "orderSummary": {
            "subTotal": _amount(summary["subTotal"]),
            "tax": _amount(summary["totalTax"]),
            "discount": _amount(summary["totalDiscount"]),
            "grandTotal": _amount(summary["grandTotal"]),
        },
        "customerDetails": _customer_details(order),
    }
    if sandbox.settings.details_references:
        data |= _references(order)
    return accepted(200, "orderRetrievedSuccessfully", data)


@blueprint.get("connect/orders/invoice-number/<uuid>")
def invoice_number(uuid: str) -> Response:
    """Section 15b. What an order without a number gets is not said: here null."""
    order = sandbox.orders.get(uuid)
    data = {
        "orderUuid": order.uuid,
        "invoiceNumber": order.invoice_number,
        "status": order.status,
    }
    return accepted(200, "orderInvoiceNoRetrievedSuccessfully", data)


@blueprint.post("connect/orders/cancel/<uuid>")
def cancel(uuid: str) -> Response:
    """Section 11: only while the order is SENT."""
    payload = _read(_body())
    sandbox.orders.get(uuid)
    errors = rules.check(rules.CANCEL, payload, sandbox.orders.exists)
    if errors:
        return failed(417, errors)
    sandbox.orders.apply(uuid, "cancel", note=payload["cancellationNote"])
    return accepted(202, "cancelledOrderSuccessfully")


@blueprint.post("connect/orders/resend/<uuid>")
def resend(uuid: str) -> Response:
    """Section 10: not once it is paid or cancelled."""
    payload = _read(_body())
    sandbox.orders.get(uuid)
    errors = rules.check(rules.RESEND, payload, sandbox.orders.exists)
    if errors:
        return failed(417, errors)
    ways = ["SMS"] if payload.get("msisdn") else []
    ways += ["e-mail"] if payload.get("email") else []
    sandbox.orders.resend(uuid, " and ".join(ways))
    return accepted(202, "resentOrderSuccessfully")


@blueprint.post(f"{rules.REFUND}/<uuid>")
def refund(uuid: str) -> Response:
    """Section 12: taken, and pending until somebody decides."""
    return _take_refund(rules.REFUND, uuid) or accepted(
        202, "orderRefundedSuccessfully", is_data=True
    )


@blueprint.post(f"{rules.APPROVAL}/<uuid>")
def request_approval(uuid: str) -> Response:
    """Section 12b: the same for a refund beyond the limits."""
    return _take_refund(rules.APPROVAL, uuid) or accepted(
        201, "requestedOrderRefundSuccessfully"
    )


@blueprint.get("connect/customers/details/<uuid>")
def customer_details(uuid: str) -> Response:
    """Section 18."""
    customer = sandbox.customers.get(uuid)
    data = _customer(customer)
    return accepted(200, "customerDetailsRetrievedSuccessfully", data)


@blueprint.put("connect/customers/update/<customer_type>/<uuid>")
def update_customer(customer_type: str, uuid: str) -> Response:
    """Section 18. Its answer is on no page."""
    if customer_type not in rules.CUSTOMER_UPDATES:
        return refused(404, ROUTE_MESSAGES[404])
    payload = _read(_body())
    sandbox.customers.get(uuid)
    endpoint = rules.CUSTOMER_UPDATES[customer_type]
    errors = rules.check(endpoint, payload, sandbox.orders.exists)
    if errors:
        return failed(417, errors)
    sandbox.customers.update(uuid, customer_type, payload)
    return accepted(200, "customerUpdatedSuccessfully")


def _take_refund(endpoint: str, uuid: str) -> Response | None:
    received = _body()
    payload = _read(received)
    sandbox.orders.get(uuid)
    errors = rules.check(endpoint, payload, sandbox.orders.exists)
    errors = errors or list(totals.check_refund(payload))
    if errors:
        return failed(417, errors)
    is_request = endpoint == rules.APPROVAL
    sandbox.refunds.request(uuid, received, is_request=is_request)
    return None


def _body() -> str:
    return request.get_data().decode("utf-8", "replace")


def _read(received: str) -> object:
    """Laravel takes a body that is no JSON for an empty one: every field is missing."""
    try:
        return read(received)
    except ValueError:
        return {}


def _bankid_url(order: Order) -> str:
    """Empty for whoever need not confirm."""
    if not order.waits_for_bankid:
        return ""
    return bankid_url(sandbox.settings.base_url, order.uuid)


def _references(order: Order) -> dict:
    """The two blocks of the older list, by the names that ``regular/submit`` uses."""
    payload = order.payload
    references = {
        "referenceNo": _text(order, order.channel.reference),
        "customerReference": _text(order, order.channel.customer_reference),
    }
    return {
        "invoiceReferences": references | (payload.get("invoiceReferences") or {}),
        "internalReferences": payload.get("internalReferences"),
    }


def _text(order: Order, path: str) -> str | None:
    value = value_at(order.payload, path)
    return None if value is ABSENT else value


def _amount(value: object) -> float:
    return float(number(value) or Decimal(0))


def _product_list(order: Order) -> list[dict]:
    ids = sandbox.orders.product_ids(order.uuid)
    return [
        {
            **({"id": line_id} if sandbox.settings.line_ids else {}),
            "name": product["name"],
            "productId": product.get("productId"),
            "quantity": as_json(number(product["quantity"])),
            **{
                name: _amount(product.get(name))
                for name in ("rate", "discount", "tax", "amount")
            },
        }
        for line_id, product in zip(ids, order.products, strict=True)
    ]


def _customer_details(order: Order) -> dict:
    names = (
        "countryCode",
        "msisdn",
        "email",
        "name",
        "preferredLanguage",
        "personalNumber",
        "organizationId",
        "address",
    )
    customer = {name: order.customer.get(name) for name in names}
    customer["preferredLanguage"] = customer["preferredLanguage"] or "no"
    return {"type": order.customer_type, "uuid": order.customer_uuid, **customer}


def _customer(customer: Customer) -> dict:
    known = customer.known
    address = {"uuid": f"ADRS{customer.uuid.removeprefix('CSRT')}", **known["address"]}
    return {
        "uuid": customer.uuid,
        "type": customer.type.capitalize(),
        **{name: known.get(name) for name in NAMES},
        "status": "Active",
        "addresses": {"billing": address, "shipping": known.get("shipping")},
    }
