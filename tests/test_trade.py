"""A month of trade: invoices are sent, confirmed, reminded, paid, credited and
refunded, while Front Payment fails at random and programs are killed.

In the end Odoo's journal holds what Front Payment owes, to the øre; every credit note
that was handed over was refunded, taken off the claim, or cancelled its order, once;
and what Front Payment says of each order, Odoo says as well.
"""

import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal

import pytest

from .actors import Actor, Bookkeeper, Customers, Time
from .chaos import (
    LOST_CALLBACKS,
    RATE,
    break_things,
    faults,
    hurry,
    make_invoices,
    told,
)
from .helpers import IS_LONG, happens
from .processes import invoice_name_of

CENT = Decimal("0.01")
# What the sandbox says of an order, and how Odoo says it.
STATES = {
    "SENT": "sent",
    "INVOICED": "invoiced",
    "Purring": "reminded",
    "Inkasso": "collection",
    "PAID": "paid",
    "PARTIAL REFUNDED": "partially_refunded",
    "REFUNDED": "refunded",
    "CANCELLED": "cancelled",
    "EXPIRED": "expired",
}
OVER = ("cancelled", "expired", "refunded")
# Nothing is open of these.
SETTLED = ("paid", "partially_refunded", "refunded")
CLAIMED = ("invoiced", "reminded", "collection", "paid", "partially_refunded")
# How an invoice is credited: net amounts of the credit notes (None: the whole invoice),
# and in which states that begins; how many of a hundred invoices.
WISHES = {
    "nothing": ((), (), 40),
    "a part": ((8,), CLAIMED, 20),
    "two parts": ((8, 11), CLAIMED, 10),
    "all of it": ((None,), CLAIMED, 15),
    "a part before the customer confirms": ((9,), ("sent",), 5),
    "all before the customer confirms": ((None,), ("sent",), 5),
    "cancelled": ((), ("sent",), 5),
}


@dataclass(frozen=True)
class Plan:
    """As for the chaos; everything in seconds."""

    invoices: int
    batch: int
    kills: int
    outages: int
    seeds: tuple
    delay: float = 2
    pause: float = 2
    minute: float = 6
    patience: float = 600


SHORT = Plan(24, 12, kills=1, outages=1, seeds=(11,))
MONTH = Plan(300, 50, kills=4, outages=2, seeds=(11, 12, 13), patience=2400, pause=6)
YEAR = Plan(2000, 100, kills=8, outages=4, seeds=(14,), patience=9000, pause=12)
PLANS = (MONTH, YEAR) if IS_LONG else (SHORT,)


class Accountant(Actor):
    """Credits what was sold, and hands each credit note over until it is settled; where
    Odoo can't tell what became of it, by looking at Front Payment's pages."""

    def __init__(self, plan: Plan, seed: int, office, sandbox, invoices: list[int]):
        super().__init__(plan.pause)
        chance = random.Random(seed)
        weights = [weight for *_wish, weight in WISHES.values()]
        self.wishes = {
            invoice: chance.choices(list(WISHES), weights)[0] for invoice in invoices
        }
        self.places = {invoice: place for place, invoice in enumerate(invoices)}
        self._office, self._sandbox = office, sandbox
        self._person = office.person("colleague")
        self.decisions = Counter()
        self._seen = None

    def round(self) -> None:
        fields = ["name", "frontpay_state"]
        invoices = self._call("account.move", "read", list(self.wishes), fields)
        notes = self._notes()
        self._seen = Pages(self._sandbox)
        for invoice in invoices or []:
            if notes is not None:
                self._serve(invoice, notes[invoice["id"]])

    def _call(self, *arguments, **options):
        return self.attempt(lambda: self._person.call(*arguments, **options))

    def _click(self, method: str, *records: int, model: str = "account.move"):
        return self.attempt(self._person.click, model, method, *records)

    def _notes(self) -> dict[int, list[dict]] | None:
        """The credit notes by invoice, the oldest first; None if Odoo is away."""
        known = [["reversed_entry_id", "in", list(self.wishes)]]
        names = ["name", "state", "frontpay_refund_state", "amount_total"]
        names.append("reversed_entry_id")
        options = {"order": "id", "load": None}
        found = self._call("account.move", "search_read", known, names, **options)
        if found is None:
            return None
        notes = defaultdict(list)
        for note in found:
            notes[note["reversed_entry_id"]].append(note)
        return notes

    def _serve(self, invoice: dict, notes: list[dict]) -> None:
        number, state = invoice["id"], invoice["frontpay_state"]
        wish = self.wishes[number]
        amounts, states, _weight = WISHES[wish]
        if wish == "cancelled" and state == "sent":
            self._cancel(number)
        if not amounts:
            return
        if len(notes) < len(amounts) and (notes or state in states):
            self._credit(number)
            return
        for note, net in zip(notes, amounts, strict=False):
            if note["state"] == "draft":
                self._post(number, note, net)
            elif state not in OVER or note["frontpay_refund_state"]:
                self._hand_over(invoice, note)

    def _cancel(self, invoice: int) -> None:
        values = {"move_ids": [[6, 0, [invoice]]], "note": "Bestilt ved en feil"}
        dialog = self._call("frontpay.cancel", "create", values)
        if dialog:
            self._click("action_confirm", dialog, model="frontpay.cancel")

    def _credit(self, invoice: int) -> None:
        journal = self._call("account.move", "read", [invoice], ["journal_id"])
        if not journal:
            return
        values = {
            "move_ids": [[6, 0, [invoice]]],
            "journal_id": journal[0]["journal_id"][0],
        }
        wizard = self._call("account.move.reversal", "create", values)
        if wizard:
            self._click("reverse_moves", wizard, model="account.move.reversal")

    def _post(self, invoice: int, note: dict, net: float | None) -> None:
        """Each part has an amount of its own, by which it is known at Front Payment."""
        if net is not None:
            lines = self._call(
                "account.move.line",
                "search",
                [["move_id", "=", note["id"]], ["display_type", "=", "product"]],
            )
            if not lines:
                return
            price = {"price_unit": net + self.places[invoice] * 0.04}
            change = {"invoice_line_ids": [[1, lines[0], price]]}
            if not self._call("account.move", "write", [note["id"]], change):
                return
        self._call("account.move", "action_post", [note["id"]])

    def _hand_over(self, invoice: dict, note: dict) -> None:
        state = note["frontpay_refund_state"]
        if state in (False, "failed", "rejected"):
            self._click("action_frontpay_send", note["id"])
        elif state == "needs_approval":
            self._ask_for_approval(note["id"])
        elif state in ("unknown", "pending"):
            self._resolve(invoice, note, state)

    def _ask_for_approval(self, note: int) -> None:
        action = self._click("action_frontpay_request_approval", note)
        if action and action.get("res_model") == "frontpay.approval":
            values = {"note": "Varen kom i retur"}
            context = action["context"]
            dialog = self._call("frontpay.approval", "create", values, context=context)
            if dialog:
                self._click("action_confirm", dialog, model="frontpay.approval")

    def _resolve(self, invoice: dict, note: dict, state: str) -> None:
        """What is pending settles itself, but for rejections that nobody is told of.
        Decided is by pages that are looked at anew."""
        if state == "pending" and not self._seen.hides_rejection(invoice, note):
            return
        latest = Pages(self._sandbox).latest(invoice, note)
        if state == "pending" and latest != "REJECTED":
            return
        action = self._click("action_frontpay_resolve", note["id"])
        if not action or action.get("res_model") != "frontpay.refund.resolve":
            return
        methods = {"REFUNDED": "action_refunded", "REJECTED": "action_not_refunded"}
        if latest in methods:
            model = "frontpay.refund.resolve"
            if self._click(methods[latest], action["res_id"], model=model):
                self.decisions[methods[latest].removeprefix("action_")] += 1


class Pages:
    """Front Payment's pages about refunds, as they were when they were opened."""

    def __init__(self, sandbox):
        names = {
            order["orderUuid"]: invoice_name_of(order) for order in sandbox.orders()
        }
        self._refunds = defaultdict(list)  # by invoice, oldest first
        for refund in sandbox.refunds():
            self._refunds[names.get(refund["orderUuid"])].append(refund)

    def latest(self, invoice: dict, note: dict) -> str:
        """How the last refund of the credit note's amount stands."""
        found = [
            refund["status"]
            for refund in self._refunds[invoice["name"]]
            if Decimal(refund["amount"]) == money(note["amount_total"])
        ]
        return found[-1] if found else "REJECTED"

    def hides_rejection(self, invoice: dict, note: dict) -> bool:
        """Whether polling doesn't learn of a rejection: Front Payment tells how an
        order's last refund ended, and that one was rejected, not which."""
        statuses = [each["status"] for each in self._refunds[invoice["name"]]]
        is_told = statuses[-1:] == ["REJECTED"] and statuses.count("REJECTED") == 1
        return self.latest(invoice, note) == "REJECTED" and not is_told


class Provider(Actor):
    """Front Payment's own people: they decide about refunds, remind, hand claims to
    debt collection, and let what nobody confirms expire."""

    def __init__(self, pause: float, seed: int, sandbox):
        super().__init__(pause)
        self._chance = random.Random(seed)
        self._sandbox = sandbox

    def round(self) -> None:
        for refund in self._sandbox.refunds():
            if refund["status"] == "PENDING":
                decisions, weights = ("confirm", "reject"), (4, 1)
                [decision] = self._chance.choices(decisions, weights)
                self.attempt(self._sandbox.decide, refund, decision)
        for order in self._sandbox.orders():
            for action, share in {
                "remind": 0.05,
                "collection": 0.05,
                "expire": 0.01,
            }.items():
                if action in order["actions"] and self._chance.random() < share:
                    # The customer may have been quicker.
                    self.attempt(self._sandbox.act, order["orderUuid"], action)
                    break


def money(amount: float) -> Decimal:
    return Decimal(amount).quantize(CENT)


class Ledgers:
    """Both sides at one moment."""

    def __init__(self, office, sandbox, accountant: Accountant):
        self._accountant = accountant
        self.orders, self.refunds = sandbox.orders(), sandbox.refunds()
        call = office.admin.call
        names = ["name", "frontpay_state", "frontpay_order_uuid", "amount_residual"]
        ids = list(accountant.wishes)
        self.invoices = call("account.move", "read", ids, names)
        self.notes = call(
            "account.move",
            "search_read",
            [["reversed_entry_id", "in", ids], ["state", "=", "posted"]],
            [
                *("name", "frontpay_refund_state", "amount_total", "amount_residual"),
                *("reversed_entry_id", "frontpay_error"),
            ],
            load=None,
        )
        payments = call(
            "account.payment",
            "search_read",
            [
                ["journal_id", "=", office.company.journal],
                ["state", "in", ["in_process", "paid"]],
            ],
            ["amount", "payment_type"],
        )
        self.collected = sum(
            money(each["amount"])
            for each in payments
            if each["payment_type"] == "inbound"
        )
        self.paid_back = sum(
            money(each["amount"])
            for each in payments
            if each["payment_type"] == "outbound"
        )

    @property
    def owed(self) -> Decimal:
        """What Front Payment has of the company's money."""
        return sum(
            Decimal(order["orderAmount"]) - Decimal(order["refundedAmount"])
            for order in self.orders
            if any(each["status"] == "PAID" for each in order["statuses"])
        )

    def unsettled(self) -> list[str]:
        """What isn't the same on both sides yet, or isn't done."""
        state_of = {
            order["orderUuid"]: STATES[order["status"]] for order in self.orders
        }
        problems = [
            f"{each['name']} is {each['frontpay_state']}"
            for each in self.invoices
            if state_of.get(each["frontpay_order_uuid"]) != each["frontpay_state"]
        ]
        states = {each["id"]: each["frontpay_state"] for each in self.invoices}
        problems += [
            f"{note['name']} is {note['frontpay_refund_state']}:"
            f" {note['frontpay_error']}"
            for note in self.notes
            if not self._is_over(note, states[note["reversed_entry_id"]])
        ]
        problems += [
            f"{invoice} waits for: {wish}"
            for invoice, wish in self._accountant.wishes.items()
            if states[invoice] in WISHES[wish][1] and not self._is_done(invoice)
        ]
        settled = [each for each in self.invoices if each["frontpay_state"] in SETTLED]
        settled += [
            note for note in self.notes if note["frontpay_refund_state"] == "refunded"
        ]
        problems += [
            f"{each['name']} is open by {each['amount_residual']}"
            for each in settled
            if each["amount_residual"]
        ]
        if self.owed != self.collected - self.paid_back:
            problems += [f"owed {self.owed}, {self.collected} - {self.paid_back}"]
        return problems

    def _is_done(self, invoice: int) -> bool:
        """Whether all that was wished for an invoice has begun."""
        wish = self._accountant.wishes[invoice]
        notes = [each for each in self.notes if each["reversed_entry_id"] == invoice]
        return wish != "cancelled" and len(notes) == len(WISHES[wish][0])

    def _is_over(self, note: dict, state: str) -> bool:
        if note["frontpay_refund_state"] == "refunded":
            return True
        # Nothing is left to refund of what was never claimed.
        return state in ("cancelled", "expired") and not note["frontpay_refund_state"]

    def made_of(self, note: dict) -> list[dict]:
        """The refunds at Front Payment that weren't rejected and are this note's."""
        uuids = {each["id"]: each["frontpay_order_uuid"] for each in self.invoices}
        return [
            refund
            for refund in self.refunds
            if refund["status"] != "REJECTED"
            and refund["orderUuid"] == uuids[note["reversed_entry_id"]]
            and Decimal(refund["amount"]) == money(note["amount_total"])
        ]


@pytest.mark.parametrize(
    ("plan", "seed"),
    [
        pytest.param(plan, seed, id=f"{plan.invoices}-{seed}")
        for plan in PLANS
        for seed in plan.seeds
    ],
)
def test_after_a_month_of_trade_both_sides_agree(
    open_office, sandbox, plan, seed, show
):
    with open_office(f"trade{seed}", crons=2) as office:
        hurry(office)
        sandbox.set(
            rate_limit=100_000,
            line_ids=True,
            refund_outcome=True,
            refund_amount_limit=200,
            refund_week_limit=100,
        )
        invoices = make_invoices(office, plan.invoices)
        bookkeeper = Bookkeeper(plan, seed, office, sandbox, invoices)
        accountant = Accountant(plan, seed, office, sandbox, invoices)
        customers = Customers(plan.pause, sandbox)
        provider = Provider(plan.pause, seed, sandbox)
        hours = Time(plan.pause, office.server.database, None, plan.minute)
        rates = [fault | {"rate": RATE} for fault in faults(plan.delay).values()]
        sandbox.begin_chaos(seed, rates, LOST_CALLBACKS)
        started = time.monotonic()
        with bookkeeper, accountant, customers, provider, hours:
            break_things(plan, seed, [office.server], sandbox, None)
            happens(
                lambda: not Ledgers(office, sandbox, accountant).unsettled(),
                plan.patience,
                plan.pause,
            )
        ledgers = Ledgers(office, sandbox, accountant)
        by_note = {note["name"]: ledgers.made_of(note) for note in ledgers.notes}
        twice = [name for name, made in by_note.items() if len(made) > 1]
        made = [refund for found in by_note.values() for refund in found]
        asked_for = [each for each in ledgers.refunds if each["status"] != "REJECTED"]
        show(
            f"Trade, seed {seed}",
            {
                "invoices": plan.invoices,
                "credit notes": len(ledgers.notes),
                "refunds at Front Payment": len(asked_for),
                "refunds of no credit note": len(asked_for) - len(made),
                "rejected and sent again": len(ledgers.refunds) - len(asked_for),
                "asked to approve": sum(each["isRequest"] for each in ledgers.refunds),
                "refunded twice": len(twice),
                "collected": str(ledgers.collected),
                "paid back": str(ledgers.paid_back),
                "owed by Front Payment": str(ledgers.owed),
                "difference": str(ledgers.owed - ledgers.collected + ledgers.paid_back),
                "requests": sandbox.chaos()["requests"],
                "decisions": told(accountant.decisions),
                "clicks that failed": told(accountant.troubles),
                "unsettled": "; ".join(ledgers.unsettled()) or "nothing",
                "seconds": round(time.monotonic() - started),
            },
        )
        assert not ledgers.unsettled()
        assert not twice
        assert len(made) == len(asked_for)
