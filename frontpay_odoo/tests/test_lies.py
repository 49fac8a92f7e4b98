"""Front Payment lies about one invoice: in every field of every answer, one at a time
and in pairs, and with answers that are none.

Each case is a lie told in answer to one call. Then Front Payment is honest again and
time passes. Whatever the lie was, afterwards

* Front Payment has at most one order of the invoice, and no second one was sent
  without proof that the first one wasn't stored;
* a payment is booked only if PAID was told of this very order and its amount, once,
  and with the invoice's amount;
* another invoice that went through the same call in the same run came out right;
* the invoice is as it should be, or tells of an error and somebody has an activity;
* nothing was raised, and nothing logged as an error of ours.

The lies are tables: :const:`VALUES` stand in for each of an operation's ``fields``,
:const:`ANSWERS` for its whole answer. A short run takes a sample, the same each time;
``./dev test --long`` all of them, and other pairs each time.
"""

import json
import logging
import os
import random
import re
import time
from decimal import Decimal, InvalidOperation
from itertools import product
from typing import NamedTuple
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.base.models.ir_cron import IrCron
from odoo.addons.frontpay_odoo.connect import callback

from .common import FrontpayCommon, callback_pairs, run_cron
from .liar import Liar

_logger = logging.getLogger(__name__)

IS_LONG = bool(os.environ.get("FRONTPAY_LONG"))
# Cases of each operation: single lies and pairs. A long run draws others each time.
SINGLES, PAIRS = (100, 40) if IS_LONG else (4, 2)
MEGABYTE = "A" * 1_000_000
MISSING = object()
ATTENTION = "frontpay_odoo.activity_attention"
# What may be told of an order any time, by the state that it has then.
BELIEVABLE = {
    "paid": b"PAID",
    "partially_refunded": b"PARTIAL_REFUNDED",
    "cancelled": b"CANCELLED",
    "expired": b"EXPIRED",
    "collection": b"Inkasso",
}
PAID = {"PAID", "PARTIAL REFUNDED", "PARTIALLY REFUNDED", "REFUNDED"}

# === THE LIES === #


def text(value):
    return json.dumps(value)


def like(change):
    """The truth as a text, changed."""
    return lambda truth: text(change(str(truth)))


def is_always(json_text):
    return lambda _truth: json_text


# What stands in a field: JSON, made of the truth there.
VALUES = {
    "missing": lambda _truth: MISSING,
    "null": is_always("null"),
    "empty": is_always('""'),
    "spaces": is_always('"   "'),
    "another word": is_always('"Kvittering"'),
    "another order's number": is_always('"ODR1002"'),  # the innocent invoice's
    "nobody's number": is_always('"ODR9"'),
    "PAID": is_always('"PAID"'),
    "refunded": is_always('"PARTIAL_REFUNDED"'),
    "cancelled": is_always('"CANCELLED"'),
    "expired": is_always('"EXPIRED"'),
    "in collection": is_always('"Inkasso"'),
    "yes": is_always("true"),
    "no": is_always("false"),
    "zero": is_always("0"),
    "minus one": is_always("-1"),
    "forty": is_always("40"),
    "an øre more": is_always('"125.01"'),
    "a fraction of an øre": is_always("125.000000001"),
    "twelve digits": is_always("999999999999"),
    "10**400": is_always("1" + "0" * 400),
    "5,000 digits": is_always("1" * 5000),
    "1e400": is_always("1e400"),
    "-1e400": is_always("-1e400"),
    "1e-400": is_always("1e-400"),
    "1e400 as a text": is_always('"1e400"'),
    "NaN": is_always("NaN"),
    "a list": is_always("[]"),
    "a list of it": lambda truth: text([truth]),
    "an object": is_always("{}"),
    "an object of it": lambda truth: text({"value": truth}),
    "a megabyte": is_always(text(MEGABYTE)),
    "it and a megabyte": like(lambda truth: truth + MEGABYTE),
    "it as a text": like(str),
    "it in small letters": like(str.lower),
    "it between spaces": like(lambda truth: f" \t{truth}\n"),
    "it twice": like(lambda truth: truth * 2),
    "it with a zero byte": like(lambda truth: f"{truth}\0"),
    "zero bytes": is_always(r'"\u0000\u0000"'),
    "it with a lone surrogate": like(lambda truth: f"{truth}\ud800"),
    "a lone surrogate": is_always(r'"\udfff"'),
    "it with a BOM": like(lambda truth: f"\ufeff{truth}"),
    "it from right to left": like(lambda truth: f"\u202e{truth}"),
    "it in wide letters": like(
        lambda truth: "".join(
            chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in truth
        )
    ),
    "markup": like(
        lambda truth: f'<a href="https://x.example.com">{truth}</a><script>'
    ),
    "a script's URL": is_always('"javascript:alert(1)"'),
    "formatting": is_always('"%s %(order)s {0} {order}"'),
    "SQL": is_always('"\'; DELETE FROM frontpay_order; --"'),
}

# What stands in fields that nobody reads.
POISONS = (
    *("missing", "null", "an object of it", "1e400", "5,000 digits", "a megabyte"),
    *("zero bytes", "a lone surrogate", "markup", "formatting"),
)

PAGE = b"<!DOCTYPE html><html><body><h1>Just a moment</h1></body></html>"


def code(number, body=None):
    """Another status code, with the honest body or another one."""

    def lie(answer):
        answer.code = number
        if body is not None:
            answer.body = body
        elif number >= 400:
            answer.document |= {"data": None, "errors": ["No."], "message": "No."}

    return lie


def body(change):
    """Another body, made of the honest one."""

    def lie(answer):
        answer.body = change(answer.content())

    return lie


def headers(**changes):
    def lie(answer):
        answer.headers |= {
            name.replace("_", "-"): value for name, value in changes.items()
        }

    return lie


def raw(change):
    """Everything from the status line on."""

    def lie(answer):
        answer.raw = change(b"%d" % answer.code, answer.content())

    return lie


def limited(retry_after):
    def lie(answer):
        code(429)(answer)
        answer.headers["Retry-After"] = retry_after

    return lie


CODES = (
    *(200, 201, 202, 203, 204, 206, 207, 226, 299),
    *(300, 301, 302, 303, 304, 307, 308, 399),
    *(400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415),
    *(416, 417, 418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499),
    *(500, 501, 502, 503, 504, 505, 507, 508, 510, 511, 520, 599, 600, 999),
)
ANSWERS = {
    **{f"{number}": code(number) for number in CODES},
    **{f"{number} with a page": code(number, PAGE) for number in CODES},
    **{f"{number} with nothing": code(number, b"") for number in CODES[::4]},
    **{f"{number} with a list": code(number, b"[]") for number in CODES[2::4]},
    "a page and then the answer": body(lambda honest: PAGE + honest),
    "the answer and then a page": body(lambda honest: honest + PAGE),
    "the answer twice": body(lambda honest: honest * 2),
    "null": body(lambda _honest: b"null"),
    "a text": body(lambda _honest: b'"PAID"'),
    "a number": body(lambda _honest: b"1e400"),
    "an empty object": body(lambda _honest: b"{}"),
    "a list of the answer": body(lambda honest: b"[%s]" % honest),
    "a BOM": body(lambda honest: b"\xef\xbb\xbf" + honest),
    "two BOMs": body(lambda honest: b"\xef\xbb\xbf" * 2 + honest),
    "UTF-16": body(lambda honest: honest.decode().encode("utf-16")),
    "bytes that are no UTF-8": body(lambda honest: honest.replace(b"done", b"d\xe5")),
    "zero bytes in between": body(lambda honest: honest.replace(b"done", b"d\0ne")),
    "zero bytes at the end": body(lambda honest: honest + b"\0\0"),
    "spaces around it": body(lambda honest: b"\r\n\t " + honest + b" \n"),
    "three megabytes of spaces": body(lambda honest: b" " * 3_000_000 + honest),
    "a hundred thousand brackets": body(lambda _honest: b"[" * 100_000),
    "objects within objects": body(lambda _honest: b'{"data":' * 100_000),
    "data that comes twice": body(lambda honest: honest[:-1] + b',"data":{}}'),
    "single quotes": body(lambda honest: honest.replace(b'"', b"'")),
    **{
        f"cut after {percent} %": body(
            lambda honest, percent=percent: honest[: len(honest) * percent // 100]
        )
        for percent in (1, 25, 50, 75, 99)
    },
    "gzip that is none": headers(Content_Encoding="gzip"),
    "an encoding that nobody knows": headers(Content_Encoding="zstd, br, x"),
    "a type that is none": headers(Content_Type="text/html; charset=nonsense"),
    "a length that is too long": headers(Content_Length="100000"),
    "a length that is too short": headers(Content_Length="10"),
    "a length that is none": headers(Content_Length="-1"),
    "chunks that are none": headers(Transfer_Encoding="chunked"),
    "a limit that is used up": headers(x_ratelimit_remaining="0"),
    "a limit that is none": headers(x_ratelimit_remaining="\xbd", Retry_After="\xbd"),
    "two hundred headers": headers(**{f"X_{number}": "y" for number in range(200)}),
    "a header of a megabyte": headers(X_Y=MEGABYTE),
    "a cookie": headers(Set_Cookie="a=b; Domain=127.0.0.1"),
    "elsewhere": headers(Location="http://127.0.0.1:9/", Refresh="0; url=/"),
    **{
        f"429 and then {retry_after!r}": limited(retry_after)
        for retry_after in (
            *("0", "-1", "1e400", "9" * 400, "soon", ""),
            *("Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"),
        )
    },
    "nothing at all": raw(lambda _code, _body: b""),
    "no HTTP": raw(lambda _code, _body: b"SSH-2.0-OpenSSH_9.2\r\n"),
    "half a status line": raw(lambda _code, _body: b"HTTP/1.1 20"),
    "a code that is none": raw(lambda _code, body: b"HTTP/1.1 ok\r\n\r\n" + body),
    "a code of nine digits": raw(
        lambda _code, body: b"HTTP/1.1 200200200 OK\r\n\r\n" + body
    ),
    "HTTP of 1996": raw(lambda code, body: b"HTTP/1.0 " + code + b" OK\r\n\r\n" + body),
    "HTTP without headers": raw(lambda _code, body: body),
    "headers without an end": raw(lambda code, _body: b"HTTP/1.1 " + code + b" OK\r\n"),
    "an informational answer only": raw(
        lambda _code, _body: b"HTTP/1.1 100 Continue\r\n\r\n"
    ),
    "a body that ends early": raw(
        lambda code, body: (
            b"HTTP/1.1 %s OK\r\nContent-Length: %d\r\n\r\n%s"
            % (code, len(body), body[:-1])
        )
    ),
}
LIST_ANSWERS = {
    "no rows": "[]",
    "only nobody's rows": '[{"uuid": "ODR9", "status": "PAID"}]',
    "null as a row": "[null]",
    "an object": '{"ODR1001": "PAID"}',
    "an object of rows": '{"0": {"uuid": "ODR1001", "status": "PAID"}}',
    "a page of rows": '{"data": [], "total": 0}',
    "ten thousand rows": text(
        [{"uuid": f"X{n}", "status": "SENT"} for n in range(10_000)]
    ),
}


def field_lie(path, make):
    """Put something else in one field; where it isn't, nothing happens."""

    def lie(answer):
        place = answer.document
        *parents, name = (int(key) if key.isdigit() else key for key in path.split("."))
        try:
            for key in parents:
                place = place[key]
            truth = place[name]
        except (KeyError, TypeError, IndexError):
            return
        value = make(truth)
        if value is not MISSING:
            place[name] = answer.put(value)
        else:
            del place[name]

    return lie


def list_lie(rows):
    def lie(answer):
        answer.document["data"] = answer.put(rows)

    return lie


# === THE OPERATIONS === #

ENVELOPE = ("status_code", "status_message", "message", "is_data")


def data(*names):
    return ("data", *(f"data.{name}" for name in names))


# By channel.
SUBMITTED = {
    "session": data("orderId", "customerUuid", "bankIdUrl"),
    "regular": data("orderUuid", "customerUuid", "paymentUrl"),
    "invoice": data("orderUuid", "customerUuid"),
    "efaktura": data("orderUuid", "customerUuid"),
    "ehf": data("orderUuid", "customerUuid"),
    "payment_link": data("orderUuid", "customerUuid"),
}
STATUS = data("uuid", "status", "orderAmount", "refundedAmount")
LIST = data("0", "0.uuid", "0.status")
NUMBER = data("orderUuid", "invoiceNumber", "status")
DETAILS = data(
    *("type", "orderUuid", "status", "orderDate", "orderSummary"),
    *("orderSummary.grandTotal", "customerDetails", "customerDetails.uuid"),
    *("customerDetails.email", "customerDetails.msisdn", "customerDetails.countryCode"),
    *("invoiceReferences", "invoiceReferences.referenceNo"),
)


class Case(NamedTuple):
    """One lie, or two at once.

    :param truth: the status that the orders really have, or the channel they go by
    :param lies: names of the lies, for people; ``tell`` are the lies themselves
    """

    truth: str
    lies: tuple
    tell: tuple

    def __str__(self):
        return f"{' and '.join(self.lies)} ({self.truth})"


class LyingCase(FrontpayCommon):
    """Two invoices: the victim that is lied about, and an innocent one."""

    is_watched = False  # whether somebody looks at the invoices anyway

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.liar = Liar()
        cls.addClassCleanup(cls.liar.stop)
        cls.company.frontpay_custom_url = cls.liar.url
        cls.victim = cls.invoice(ref="Victim")
        cls.innocent = cls.invoice(cls.line(200), ref="Innocent")
        cls.neighbours = [cls.invoice(cls.line(10 + each)) for each in range(3)]
        cls.liar.victim = cls.victim.name
        # Odoo's tests have one transaction for all: there is nothing to commit.
        progress = patch.object(IrCron, "_commit_progress", return_value=1)
        cls.startClassPatcher(progress)

    # --- cases

    def check(self, operation, fields, truths, run, answers=ANSWERS, within=None):
        """Tell every lie in answer to an operation, and see that nothing goes wrong.

        :param operation: as the :class:`Liar` calls it
        :param run: does in Odoo what leads to the call
        :param within: further lies that are told all the time, {operation: lie}
        """
        started, breaches, count = time.monotonic(), [], 0
        memory = self.liar.memory()
        for case in self._cases(fields, truths, answers):
            count += 1
            self.liar.remember(memory)
            with self.undone():
                problems = self._problems(operation, case, run, within or {})
            self.env.invalidate_all(flush=False)
            breaches += [f"{operation}: {case}: {problem}" for problem in problems]
        self.liar.remember(memory)
        table = {
            "cases": count,
            "breaches": len(breaches),
            "seconds": round(time.monotonic() - started),
        }
        self.show(f"lies: {self._testMethodName}, {' or '.join(truths)}", table)
        self.assertFalse(breaches, "\n".join(["", *breaches[:200]]))

    def show(self, title, table):
        """Tell how many cases there were; pytest shows it below its results."""
        _logger.info("%s: %s", title, table)

    def _cases(self, fields, truths, answers):
        """Single lies and pairs, of both a sample."""
        chosen = random.Random(None if IS_LONG else self._testMethodName)
        places = [
            *product(ENVELOPE, ((name, VALUES[name]) for name in POISONS)),
            *product(fields, VALUES.items()),
        ]
        lies = [
            (f"{path}: {name}", field_lie(path, make)) for path, (name, make) in places
        ]
        lies += answers.items()
        single = [(lie,) for lie in lies]
        single = chosen.sample(single, min(SINGLES, len(single)))
        pairs = [chosen.sample(lies, 2) for _each in range(PAIRS)]
        for told in single + pairs:
            names, tell = zip(*told, strict=True)
            yield Case(chosen.choice(truths), names, tell)

    def _problems(self, operation, case, run, within):
        """What went wrong in a case, as sentences."""

        def lie(answer):
            for tell in case.tell:
                tell(answer)

        self._make_true(case.truth)
        self.liar.lies = {**within, operation: lie}
        problems = []
        try:
            with self.assertNoLogs("odoo.addons.frontpay_odoo", "ERROR"):
                run()
                problems += self._problems_now(case)
                self.liar.lies = {}
                self._let_days_pass()
                problems += self._problems_in_the_end(case)
        except Exception as error:  # noqa: BLE001
            problems.append(f"raised {type(error).__name__}: {str(error)[:300]}")
        return problems

    def _make_true(self, truth):
        """Have Front Payment's orders come to a status."""
        for order in self.liar.orders.values():
            is_victim = order["invoice"] == self.victim.name
            # Only the victim's customer pays.
            order["status"] = "INVOICED" if truth == "PAID" and not is_victim else truth

    # --- what is done

    def _let_days_pass(self):
        for _day in range(2):
            self._let_pass(hours=26)
            self._run_crons()
            if self._is_right(self.victim) and self._is_right(self.innocent):
                return

    def _run_crons(self):
        for name in ("send", "poll", "recover", "send", "poll"):
            run_cron(self.env, name)

    def _let_pass(self, hours):
        """As if everything had happened that much earlier."""
        self.env.flush_all()
        for table, columns in {
            "frontpay_order": (
                *("sending_at", "sent_at", "retry_at", "last_poll_at"),
                *("next_poll_at", "closed_at", "create_date"),
            ),
            "frontpay_refund": ("requested_at", "retry_at", "closed_at"),
            "frontpay_outage": ("since", "failed_at", "retry_at"),
            "frontpay_callback": ("poll_at", "create_date"),
            "frontpay_remote_order": ("ordered_at", "create_date"),
        }.items():
            changes = SQL(", ").join(
                SQL(
                    "%s = %s - make_interval(hours => %s)",
                    SQL.identifier(column),
                    SQL.identifier(column),
                    hours,
                )
                for column in columns
            )
            self.env.cr.execute(SQL("UPDATE %s SET %s", SQL.identifier(table), changes))
        self.env.invalidate_all()

    @staticmethod
    def _orders(moves):
        return moves.sudo().frontpay_order_ids

    def _payments(self, move):
        memo = [("memo", "like", f"{move.name}-")]
        return self.env["account.payment"].search(memo)

    # --- what must hold

    def _problems_now(self, case):
        """While Front Payment still lies."""
        yield from self._problems_of_money(self.victim)
        yield from self._problems_of_money(self.innocent)
        # Whatever is told elsewhere, the order's own status counts.
        is_lied_about = "status" in self.liar.lies
        is_paid = self._is_told_paid() if is_lied_about else case.truth == "PAID"
        if self._payments(self.victim) and not is_paid:
            yield "booked without a PAID of this order and amount"
        innocent = self._orders(self.innocent)[:1]
        if innocent.state in ("failed", "unknown") and not self._may_be_in_doubt():
            yield f"the innocent invoice is {innocent.state}: {innocent.error}"
        victim = self._orders(self.victim)[:1]
        if victim.state in ("failed", "unknown") and not victim.error:
            yield f"the invoice is {victim.state} and says nothing"

    def _may_be_in_doubt(self):
        """Whether the lie gave the victim the very number that came next, before it
        was the innocent one's: nobody can tell."""
        innocent = self._orders(self.innocent)[:1]
        is_unknown = innocent.state == "unknown" and self._is_told(self.innocent)
        return is_unknown and self._is_number_of(self.victim, self.innocent)

    def _is_number_of(self, move, other):
        """Whether an invoice has the number of the other's order."""
        number = self._orders(move)[:1].order_uuid
        return number in self.liar.orders_of(other.name)

    def _problems_in_the_end(self, case):
        """Once Front Payment has been honest for two days."""
        for move in (self.victim, self.innocent):
            yield from self._problems_of_money(move)
            count = len(self.liar.orders_of(move.name))
            if count > 1:
                yield f"{move.ref} has {count} orders at Front Payment"
            if not self._is_right(move) and not self._is_told(move):
                order = self._orders(move)[:1]
                yield (
                    f"{move.ref} is {order.state} as {order.order_uuid}, error"
                    f" {order.error}, and nobody is told"
                )
        if not self._is_right(self.innocent) and not self._may_be_in_doubt():
            order = self._orders(self.innocent)[:1]
            yield f"the innocent invoice is {order.state} in the end: {order.error}"
        yield from self._problems_of_sending_again()

    def _problems_of_sending_again(self):
        """Somebody clicks on whatever was not sent."""
        order = self._orders(self.victim)[:1]
        if order.state != "failed" or self._is_absence_proved():
            return
        self.victim.action_frontpay_send()
        count = len(self.liar.orders_of(self.victim.name))
        if count != 1:
            yield f"sent again, the invoice has {count} orders at Front Payment"

    def _is_absence_proved(self):
        """Whether Front Payment lied in a way that proves that an order isn't there."""
        return False

    def _problems_of_money(self, move):
        payments = self._payments(move)
        if len(payments) > 1:
            yield f"{len(payments)} payments of {move.ref}"
        if any(payment.amount != move.amount_total for payment in payments):
            yield f"{payments.mapped('amount')} booked for {move.ref}"
        order = self._orders(move)[:1]
        if payments and payments != order.payment_id:
            yield f"the payment of {move.ref} isn't its order's"
        if move == self.innocent and self._is_number_of(move, self.victim):
            yield f"Innocent took the number {order.order_uuid} of Victim"

    def _is_right(self, move):
        """Whether Odoo shows what is so at Front Payment."""
        order, numbers = self._orders(move)[:1], self.liar.orders_of(move.name)
        if not numbers or order.order_uuid not in numbers:
            return False
        status = self.liar.orders[order.order_uuid]["status"]
        states = {"SENT": "sent", "INVOICED": "invoiced", "PAID": "paid"}
        is_booked = len(self._payments(move)) == (status == "PAID")
        is_so = order.state == states[status] and is_booked
        return is_so or (move == self.victim and self._is_believed(order.state))

    def _is_believed(self, state):
        """Whether a lie was a status that could be true."""
        word = BELIEVABLE.get(state)
        return bool(word) and any(word in each.content() for each in self.liar.told)

    def _is_told(self, move):
        """Whether the invoice says what is wrong, and somebody looks at it or has an
        activity."""
        is_seen = self.is_watched or move.activity_search([ATTENTION])
        return bool(self._orders(move)[:1].error and is_seen)

    def _is_told_paid(self):
        """Whether one of the lies could be believed: PAID, of this order and amount."""
        return any(map(self._names_payment, self.liar.told))

    def _names_payment(self, answer):
        try:
            data = json.loads(answer.content().decode("utf-8-sig", "replace"))["data"]
            status = data["status"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return False
        letters = re.sub("[^A-Z ]", "", str(status).upper().replace("_", " ")).strip()
        number = data.get("uuid")
        own = ("", *self.liar.orders_of(self.victim.name))
        is_own = re.sub(r"\W", "", str("" if number is None else number)) in own
        is_good = 200 <= answer.code < 300
        return is_good and letters in PAID and is_own and self._may_be_amount(data)

    def _may_be_amount(self, data):
        """Whether an amount is the invoice's, or no number at all."""
        try:
            amount = Decimal(str(data.get("orderAmount")).strip(" \t\n\0\ufeff"))
        except InvalidOperation:
            return True
        is_equal = not amount.is_nan() and abs(amount - 125) < Decimal("0.005")
        return amount.is_nan() or is_equal


@tagged("post_install", "-at_install", "frontpay")
class TestLiesAboutSubmissions(LyingCase):
    """Nothing was sent before. The truth is the channel."""

    def _make_true(self, truth):
        self.company.frontpay_channel = truth
        if truth == "ehf":
            self.private.write(
                {
                    "is_company": True,
                    "frontpay_customer_type": "corporate",
                    "company_registry": "310000019",
                }
            )

    def send_from_queue(self):
        self.is_watched = False
        moves = self.victim | self.innocent
        self.env["frontpay.order"].sudo()._enqueue(moves)
        run_cron(self.env, "send")

    def send_now(self):
        self.is_watched = True
        try:
            (self.victim | self.innocent).action_frontpay_send()
        except UserError as error:
            self.assertTrue(str(error))

    def test_submitting_from_the_queue(self):
        for channel, names in SUBMITTED.items():
            answers = ANSWERS if channel == "session" else {}
            self.check("submit", names, (channel,), self.send_from_queue, answers)

    def test_submitting_while_somebody_waits(self):
        self.check("submit", SUBMITTED["session"], ("session",), self.send_now)

    def test_the_status_right_after_the_submission(self):
        self.check("status", STATUS, ("invoice",), self.send_now)

    def test_the_connection_check_after_a_page(self):
        submission = {"submit": code(403, PAGE)}
        for run in (self.send_from_queue, self.send_now):
            self.check("connection", (), ("session",), run, within=submission)


class SentCase(LyingCase):
    """All were sent, and wait for their customers. The truth is their status."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for move in (cls.victim, cls.innocent, *cls.neighbours):
            move.action_frontpay_send()

    def _has_come(self, *moves):
        """It is time to poll these orders, and no others."""
        orders = self.env["frontpay.order"].sudo().search([])
        orders.next_poll_at = False
        chosen = orders.filtered(lambda order: order.move_id in moves)
        chosen.next_poll_at = fields.Datetime.now()


@tagged("post_install", "-at_install", "frontpay")
class TestLiesAboutOrders(SentCase):
    def poll(self):
        self._has_come(self.victim, self.innocent)
        run_cron(self.env, "poll")

    def refresh(self):
        (self.victim | self.innocent).action_frontpay_refresh()

    def poll_many(self):
        self._has_come(self.victim, self.innocent, *self.neighbours)
        run_cron(self.env, "poll")

    def call_back(self):
        status = self.liar.orders["ODR1001"]["status"]
        pairs = callback_pairs(orderUuid="ODR1001", status=status)
        callbacks = self.env["frontpay.callback"].sudo()
        callbacks._receive(self._orders(self.victim), callback.parse(pairs))
        self._has_come(self.innocent)
        run_cron(self.env, "poll")

    def update(self):
        self.is_watched = True
        try:
            self._changed().action_frontpay_send()
        except UserError as error:
            self.assertTrue(str(error))

    def update_from_queue(self):
        self.env["frontpay.order"].sudo()._enqueue(self._changed())
        run_cron(self.env, "send")

    def _changed(self):
        """Both invoices, due later than they were when they were sent."""
        moves = self.victim | self.innocent
        moves.invoice_date_due = fields.Date.add(fields.Date.today(), days=40)
        return moves

    def test_the_status_when_polling(self):
        self.check("status", STATUS, ("SENT", "INVOICED", "PAID"), self.poll)

    def test_the_status_when_somebody_asks(self):
        self.check("status", STATUS, ("SENT", "PAID"), self.refresh)

    def test_the_status_after_a_callback(self):
        self.check("status", STATUS, ("SENT", "PAID"), self.call_back)

    def test_the_invoice_number(self):
        self.check("invoice number", NUMBER, ("INVOICED", "PAID"), self.poll)

    def test_the_list_when_polling(self):
        answers = ANSWERS | {name: list_lie(row) for name, row in LIST_ANSWERS.items()}
        truths = ("SENT", "INVOICED", "PAID")
        self.check("list", LIST, truths, self.poll_many, answers)

    def test_updating_while_somebody_waits(self):
        self.check("update", SUBMITTED["session"], ("SENT",), self.update)

    def test_updating_from_the_queue(self):
        self.check("update", SUBMITTED["session"], ("SENT",), self.update_from_queue)


@tagged("post_install", "-at_install", "frontpay")
class TestLiesAboutTheUnknown(SentCase):
    """The answers to the submissions of both got lost."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        orders = cls._orders(cls.victim | cls.innocent)
        orders.write(
            {"order_uuid": False, "state": "unknown", "sent_at": False, "error": "?"}
        )

    def recover(self):
        self._let_pass(hours=1)
        self._has_come(*self.neighbours)
        run_cron(self.env, "recover")

    def call_back(self):
        for number, move in (("ODR1001", self.victim), ("ODR1002", self.innocent)):
            received = callback.parse(callback_pairs(orderUuid=number, status="SENT"))
            order = self._orders(move)
            self.env["frontpay.callback"].sudo()._receive(order, received)
        run_cron(self.env, "poll")

    def _may_be_in_doubt(self):
        # As long as orders can't be told apart, a person decides.
        return self._orders(self.innocent)[:1].state == "unknown"

    def _is_absence_proved(self):
        return True

    def test_the_list_when_recovering(self):
        answers = ANSWERS | {name: list_lie(row) for name, row in LIST_ANSWERS.items()}
        self.check("list", LIST, ("SENT", "INVOICED", "PAID"), self.recover, answers)

    def test_the_details_when_recovering(self):
        self.check("details", DETAILS, ("SENT", "PAID"), self.recover)

    def test_the_details_after_a_callback(self):
        self.check("details", DETAILS, ("SENT", "PAID"), self.call_back)

    def test_the_status_after_a_callback(self):
        self.check("status", STATUS, ("SENT", "PAID"), self.call_back)
