"""A Front Payment that lies: it keeps orders as the real one does, and what it answers
about one of them, the victim, is changed on the way out."""

import json
import re
import threading
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = "/api/v1/connect/orders/"
# path: (what the answer calls the order's number and link, its first status)
CHANNELS = {
    "invoice/submit": ("orderId", "bankIdUrl", "SENT"),
    "regular/submit": ("orderUuid", "paymentUrl", "SENT"),
    "invoice/create": ("orderUuid", None, "INVOICED"),
    "faktura/create": ("orderUuid", None, "INVOICED"),
    "ehf/create": ("orderUuid", None, "INVOICED"),
    "payment-link/create": ("orderUuid", None, "SENT"),
}
# The calls that a lie can be told in answer to.
OPERATIONS = {
    "submit": re.compile("POST (.+/(?:submit|create))"),
    "status": re.compile("GET status/(.+)"),
    "list": re.compile("GET status()"),
    "details": re.compile("GET details/(.+)"),
    "invoice number": re.compile("GET invoice-number/(.+)"),
    "cancel": re.compile("POST cancel/(.+)"),
    "resend": re.compile("POST resend/(.+)"),
    "refund": re.compile("POST refund/(.+)"),
    "approval": re.compile("POST /api/v1/orders/refund/request/approval/(.+)"),
    "customer": re.compile("GET /api/v1/connect/customers/details/CSRT(.+)"),
    "customer update": re.compile(
        "PUT /api/v1/connect/customers/update/(?:private|corporate)/CSRT(.+)"
    ),
}
NEEDS_APPROVAL = "refundRejectionForRequestAmountThresholdExceed"
NOBODYS_ORDER = "ODR0"  # what is asked for to check the connection


@dataclass
class Answer:
    """What goes back: the JSON in ``document``, until there is a ``body``.

    :param raw: everything, from the status line on, in place of all that
    """

    code: int
    document: object
    headers: dict = field(default_factory=dict)
    body: bytes | None = None
    raw: bytes | None = None
    # By which JSON the places in the document are to be filled that are no Python.
    texts: dict = field(default_factory=dict)

    def put(self, text):
        """Something for the document that becomes exactly this JSON."""
        place = f"place {len(self.texts)} of the document"
        self.texts[f'"{place}"'] = text
        return place

    def content(self):
        if self.body is not None:
            return self.body
        text = json.dumps(self.document)
        for place, replacement in self.texts.items():
            text = text.replace(place, replacement)
        return text.encode("utf-8", "surrogatepass")


class Liar:
    """Its ``orders`` are those it has, by number; ``posts`` the references of all
    orders that were ever sent as new ones and stored.

    :param victim: the name of the invoice that is lied about
    :param lies: {operation: function that changes an :class:`Answer`}

    An order's ``refunds`` are the amounts that it took, ``refunded`` what it has paid
    back of them: all at once, unless ``is_slow``. With ``is_strict`` it takes refunds
    only after approval was asked for.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.orders, self.posts, self.lies, self.victim = {}, [], {}, ""
        self.is_slow = self.is_strict = False
        self.told = []  # the answers that were lies
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("H", (Handler,), {}))
        server.RequestHandlerClass.liar = self
        server.daemon_threads = True
        self.server = server
        self.url = f"http://127.0.0.1:{server.server_port}/api/v1/"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def memory(self):
        return deepcopy((self.orders, self.posts))

    def remember(self, memory):
        """Be as it was, and honest."""
        self.orders, self.posts = deepcopy(memory)
        self.lies, self.told = {}, []

    def orders_of(self, name):
        """The numbers of an invoice's orders."""
        return [
            number for number, order in self.orders.items() if order["invoice"] == name
        ]

    def answer(self, method, path, document):
        """Carry a request out, and tell the truth or a lie."""
        with self.lock:
            for operation, pattern in OPERATIONS.items():
                match = pattern.fullmatch(f"{method} {path.removeprefix(PREFIX)}")
                if match:
                    return self._carry_out(operation, match[1], document)
        return refusal(404)

    def _carry_out(self, operation, name, document):
        if operation == "submit":
            return self._submit(CHANNELS[name], document)
        if name == NOBODYS_ORDER:
            return self._tell("connection", refusal(404), self.victim)
        if operation == "list":
            rows = [
                {"uuid": number, "status": order["status"]}
                for number, order in self.orders.items()
            ]
            return self._tell(operation, envelope(200, rows), self.victim)
        if name not in self.orders:
            return refusal(404)
        order = self.orders[name]
        if operation in CHANGES:
            return self._change(operation, order, document)
        data = {
            "status": status_data,
            "details": details_data,
            "invoice number": number_data,
            "customer": customer_data,
        }[operation](name, order)
        return self._tell(operation, envelope(200, data), order["invoice"])

    def _change(self, operation, order, document):
        truth = envelope(202, None)
        if operation == "refund" and self.is_strict:
            truth = refusal(400)
            truth.document["message"] = NEEDS_APPROVAL
        elif operation == "cancel" and order["status"] != "SENT":
            truth = refusal(400)
        answer = self._tell(operation, truth, order["invoice"])
        if is_stored(answer) and truth.code != 400:
            CHANGES[operation](order, document)
            if not self.is_slow:
                self.pay_back()
        return answer

    def pay_back(self):
        """Have every refund paid back that was taken."""
        for order in self.orders.values():
            if order["refunds"]:
                order["refunded"] = sum(order["refunds"])
                order["status"] = "PARTIAL REFUNDED"

    def _submit(self, channel, document):
        uuid_name, link_name, status = channel
        blocks = (document, document.get("invoiceReferences") or {})
        reference = next(filter(None, (each.get("referenceNo") for each in blocks)))
        invoice = reference.rpartition("-")[0]
        is_update = bool(document.get("fpgoUuid"))
        number = document.get("fpgoUuid") or f"ODR{1001 + len(self.posts)}"
        data = {uuid_name: number, "customerUuid": f"CSRT{number}"}
        if link_name:
            data[link_name] = f"https://bankid.example.com/?order={number}"
        truth = envelope(201, data)
        answer = self._tell("update" if is_update else "submit", truth, invoice)
        if is_stored(answer):
            new = {"status": status, "refunds": [], "refunded": 0, "links": 1}
            self.orders.setdefault(number, new)
            self.orders[number] |= {
                "invoice": invoice,
                "reference": reference,
                "total": document["orderSummary"]["grandTotal"],
                "customer": document["customerDetails"],
                "ordered_at": document["orderDate"],
                "products": document["products"],
            }
            if not is_update:
                self.posts.append(reference)
        return answer

    def _tell(self, operation, answer, invoice):
        lie = self.lies.get(operation)
        if lie and invoice == self.victim:
            lie(answer)
            self.told.append(answer)
        return answer


def is_stored(answer):
    """Whoever refuses something doesn't store it; whoever fails may have."""
    return not 300 <= answer.code < 500 or answer.code == 408


def cancel(order, _document):
    order["status"] = "CANCELLED"


def resend(order, _document):
    order["links"] += 1


def refund(order, document):
    order["refunds"].append(document["grandTotal"])


def update_customer(order, document):
    """Each order has a customer of its own, called by the order's number."""
    order["customer"] |= document | {"address": document["addresses"]["billing"]}


CHANGES = {
    "cancel": cancel,
    "resend": resend,
    "refund": refund,
    "approval": refund,
    "customer update": update_customer,
}


def envelope(code, data):
    return Answer(
        code,
        {
            "status_code": code,
            "status_message": "OK",
            "message": "done",
            "is_data": True,
            "data": data,
        },
    )


def refusal(code):
    answer = envelope(code, None)
    answer.document |= {"is_data": False, "message": "Order Not Found"}
    return answer


def status_data(number, order):
    return {
        "uuid": number,
        "status": order["status"],
        "orderAmount": order["total"],
        "refundedAmount": f"{order['refunded']:.2f}",
    }


def details_data(number, order):
    return {
        "type": "invoice",
        "orderUuid": number,
        "invoiceNumber": None,
        "status": order["status"],
        "orderDate": order["ordered_at"],
        "productList": [
            {"id": line_id, **product}
            for line_id, product in enumerate(order["products"], 1)
        ],
        "orderSummary": {"grandTotal": order["total"]},
        "customerDetails": {"uuid": f"CSRT{number}", **order["customer"]},
        "invoiceReferences": {"referenceNo": order["reference"]},
    }


def customer_data(number, order):
    return {
        **order["customer"],
        "uuid": f"CSRT{number}",
        "type": "Private",
        "addresses": {"billing": order["customer"]["address"], "shipping": {}},
    }


def number_data(number, order):
    is_sent = order["status"] == "SENT"
    return {
        "orderUuid": number,
        "invoiceNumber": None if is_sent else f"9{number[3:]}",
        "status": order["status"],
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle(self):
        with suppress(OSError):  # whoever asked has gone
            return super().handle()

    def do_GET(self):
        self.respond(None)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.respond(json.loads(body))

    do_PUT = do_POST

    def respond(self, document):
        answer = self.liar.answer(self.command, self.path, document)
        if answer.raw is not None:
            self.wfile.write(answer.raw)
            self.close_connection = True
            return
        content = answer.content()
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
        } | answer.headers
        head = [f"HTTP/1.1 {answer.code} Told"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        text = "\r\n".join([*head, "", ""]).encode()
        self.wfile.write(text + (b"" if answer.code == 204 else content))
        self.close_connection = bool(answer.headers)

    def log_message(self, *args):
        pass
