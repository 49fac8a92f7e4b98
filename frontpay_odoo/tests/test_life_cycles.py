"""What becomes of invoices, from the hand-over to the ledger; the bookkeeping guide
shows the same tables.

``docs/bookkeeping.rst`` is written from these ledgers: with ``FRONTPAY_WRITE_GUIDE`` in
the environment the test writes it anew, else it fails where the guide says otherwise.
"""

import os
from textwrap import fill, indent
from typing import NamedTuple
from unittest import SkipTest

from odoo import Command
from odoo.tests import tagged

from odoo.addons.frontpay_odoo.connect.responses import OrderStatus

from .common import ROOT, run_cron
from .test_refund import ATTENTION, RefundCase

GUIDE = ROOT / "docs" / "bookkeeping.rst"
INTRODUCTION = """\
===========
Bookkeeping
===========

What stands in the ledger in the end, case by case. The invoice has two lines, NOK
125.00 and NOK 250.00 with 25 % VAT in them. Every table is taken from the ledger of a
test (``frontpay_odoo/tests/test_life_cycles.py``): an invoice that went through the
sandbox as it says above the table. The names of the accounts are those of Odoo's
generic chart; *Front Payment* is the account of the journal that the settings name,
and its balance is what Front Payment owes the company.
"""
NOTHING_LEFT = "Nobody has anything to do."


class Cycle(NamedTuple):
    """What happens to an invoice.

    :param steps: keys of :const:`STEPS`, some with an amount in NOK
    :param settle_on: the company's setting
    """

    steps: tuple
    settle_on: str = "paid"


# What each step is, for the guide.
STEPS = {
    "send": "the invoice is sent to Front Payment",
    "confirm": "the customer confirms with BankID",
    "pay": "the customer pays",
    "remind": "Front Payment reminds",
    "collection": "Front Payment hands the claim to debt collection",
    "expire": "the customer doesn't confirm in time",
    "cancel": "the bookkeeper cancels the order at Front Payment",
    "comes back": "Front Payment gives the claim back",
    "credit": "a credit note over NOK {} is sent to Front Payment",
    "credit all": "a credit note over the whole invoice is sent to Front Payment",
    "limit": "Front Payment refunds more than NOK {} with approval only",
    "approve": "the bookkeeper asks for approval",
    "refunded": "Front Payment confirms the refund",
    "rejected": "Front Payment rejects the refund",
    "again": "the credit note is sent again",
    "refund there": "Front Payment refunds by itself",
    "credit note for it": "the bookkeeper makes the credit note for it with one click",
    "paid here": "the customer pays to the company's own bank account",
    "change": "the invoice is reset, its first line costs NOK {} without VAT, and it is"
    " sent again",
    "refused": "Front Payment refuses the invoice",
    "lost": "the invoice is sent, and the answer gets lost",
    "found": "polling finds the order",
    "pay-out": "NOK {} comes on the bank: what is open, less a fee of NOK 20.00 with"
    " 25 % VAT; the pay-out is posted and matched",
}
CYCLES = {
    "Sent": Cycle(("send",)),
    "Refused, and sent again": Cycle(("refused", "send")),
    "No answer, and found": Cycle(("lost", "found")),
    "Confirmed": Cycle(("send", "confirm")),
    "Sold and paid": Cycle(("send", "confirm", "pay")),
    "Paid without confirming": Cycle(("send", "pay")),
    "Reminded and paid": Cycle(("send", "confirm", "remind", "pay")),
    "In debt collection": Cycle(("send", "confirm", "remind", "collection")),
    "Paid in debt collection": Cycle(
        ("send", "confirm", "remind", "collection", "pay")
    ),
    "Expired": Cycle(("send", "expire")),
    "Cancelled": Cycle(("send", "cancel")),
    "Changed while it waits, and paid": Cycle(("send", "change 200", "pay")),
    "Credited before the customer confirms": Cycle(("send", "credit all")),
    "Lowered before the customer confirms": Cycle(("send", "credit 50", "pay")),
    "The claim is credited": Cycle(("send", "confirm", "credit all", "refunded")),
    "The claim is lowered, and the rest is paid": Cycle(
        ("send", "confirm", "credit 50", "refunded", "pay")
    ),
    "A part is refunded": Cycle(("send", "confirm", "pay", "credit 50", "refunded")),
    "All of it is refunded": Cycle(
        ("send", "confirm", "pay", "credit all", "refunded")
    ),
    "Reminded, paid, refunded in two parts": Cycle(
        (
            *("send", "confirm", "remind", "pay"),
            *("credit 125", "refunded", "credit 250", "refunded"),
        )
    ),
    "A refund waits": Cycle(("send", "confirm", "pay", "credit 50")),
    "A refund is rejected": Cycle(("send", "confirm", "pay", "credit 50", "rejected")),
    "A refund is rejected, and sent again": Cycle(
        ("send", "confirm", "pay", "credit 50", "rejected", "again", "refunded")
    ),
    "A refund with approval": Cycle(
        ("send", "confirm", "pay", "limit 300", "credit all", "approve", "refunded")
    ),
    "Front Payment refunds by itself": Cycle(
        ("send", "confirm", "pay", "refund there")
    ),
    "Front Payment refunds by itself, and it is credited": Cycle(
        ("send", "confirm", "pay", "refund there", "credit note for it")
    ),
    "Paid here, and cancelled there": Cycle(("send", "paid here", "cancel")),
    "Paid here and there": Cycle(("send", "paid here", "pay")),
    "The claim is assigned": Cycle(("send", "confirm"), "invoiced"),
    "The claim is assigned, and the customer pays": Cycle(
        ("send", "confirm", "pay"), "invoiced"
    ),
    "The claim is assigned, and comes back": Cycle(
        ("send", "confirm", "remind", "comes back"), "invoiced"
    ),
    "The claim is assigned, and a part is credited": Cycle(
        ("send", "confirm", "credit 50", "refunded"), "invoiced"
    ),
    "Paid out": Cycle(("send", "confirm", "pay", "pay-out 350")),
    "Refunded and paid out": Cycle(
        ("send", "confirm", "pay", "credit 50", "refunded", "pay-out 300")
    ),
    "Paid out, and then refunded: Front Payment takes it back": Cycle(
        (
            *("send", "confirm", "pay", "pay-out 350"),
            *("credit 125", "refunded", "pay-out -150"),
        )
    ),
}
# Steps that the sandbox does when it is told so.
ACTIONS = ("confirm", "pay", "remind", "collection", "expire")


@tagged("post_install", "-at_install", "frontpay")
class TestLifeCycles(RefundCase):
    @classmethod
    def setUpClass(cls):
        if not GUIDE.parent.exists():
            raise SkipTest("The project's docs aren't part of an installed addon.")
        super().setUpClass()
        cls.fee_tax = cls.env["account.tax"].create(
            {"name": "25 % in", "amount": 25, "type_tax_use": "purchase"}
        )
        # As every chart has it: the tests' own taxes have no accounts.
        cls._book_vat(cls.taxes, "VAT", "259999", "liability_current")
        cls._book_vat(cls.fee_tax, "Input VAT", "159999", "asset_current")

    @classmethod
    def _book_vat(cls, taxes, name, code, account_type):
        account = cls.env["account.account"].create(
            {"name": name, "code": code, "account_type": account_type}
        )
        lines = taxes.invoice_repartition_line_ids | taxes.refund_repartition_line_ids
        lines.filtered(lambda line: line.repartition_type == "tax").account_id = account

    def test_each_case_ends_as_the_guide_says(self):
        sections = [INTRODUCTION]
        for title, cycle in CYCLES.items():
            with self.subTest(title), self.undone():
                self.live(cycle)
                self.assert_balance()
                sections.append(self.section(title, cycle))
        guide = "\n".join(sections)
        if "FRONTPAY_WRITE_GUIDE" in os.environ:
            GUIDE.write_text(guide)
        self.maxDiff = None
        self.assertEqual(guide, GUIDE.read_text())

    # --- what happens

    def live(self, cycle):
        self.env.invalidate_all(flush=False)
        self.sandbox.control("DELETE", "orders")
        self.usual_settings()
        self.company.frontpay_settle_on = cycle.settle_on
        self.move = self.invoice(
            self.line(), self.line(price=200, name="Cable"), customer=self.private
        )
        self.notes = self.env["account.move"]
        for step in cycle.steps:
            name, _space, amount = step.rpartition(" ")
            if amount.lstrip("-").isdigit():
                getattr(self, f"do_{name}".replace("-", "_"))(int(amount))
            elif step in ACTIONS:
                self.happens(self.sent, step)
            else:
                getattr(self, f"do_{step}".replace(" ", "_").replace("-", "_"))()

    @property
    def sent(self):
        return self.move.sudo().frontpay_order_id

    @sent.setter
    def sent(self, _order):
        """It follows from the invoice."""

    def do_send(self):
        self.move.action_frontpay_send()
        self.assertEqual(self.sent.state, "sent")

    def do_refused(self):
        self.sandbox.fault("status", status=400)
        self.move.action_frontpay_send()
        self.assertEqual(self.sent.state, "failed")

    def do_lost(self):
        self.sandbox.control("POST", "settings", {"details_references": True})
        self.sandbox.fault("drop", when="after")
        self.move.action_frontpay_send()
        self.assertEqual(self.sent.state, "unknown")

    def do_found(self):
        self.env.cr.execute(
            "UPDATE frontpay_order SET sending_at = sending_at - interval '1 hour',"
            " retry_at = NULL"
        )
        self.env.invalidate_all()
        run_cron(self.env, "recover")

    def do_cancel(self):
        dialog = self.env["frontpay.cancel"]
        values = {"move_ids": [Command.set(self.move.ids)], "note": "A mistake"}
        dialog.create(values).action_confirm()

    def do_comes_back(self):
        self.sent._apply_response(OrderStatus("CANCELLED"), self.sent.invoice_number)

    def do_change(self, price):
        self.move.action_frontpay_change()
        self.move.invoice_line_ids[0].price_unit = price
        self.move.action_post()
        self.move.action_frontpay_send()

    def do_credit(self, amount):
        self._hand_over(self.credit(amount / 1.25, post=False))

    def do_credit_all(self):
        self._hand_over(self.credit(post=False))

    def _hand_over(self, note):
        note.action_post()
        self.notes |= note
        note.action_frontpay_send()

    def do_limit(self, amount):
        self.sandbox.control("POST", "settings", {"refund_amount_limit": amount})

    def do_approve(self):
        action = self.notes[-1].action_frontpay_request_approval()
        dialog = self.env["frontpay.approval"].with_context(**action["context"])
        dialog.create({"note": "Returned goods"}).action_confirm()

    def do_refunded(self):
        self.decide("confirm", order=self.sent)

    def do_rejected(self):
        self.decide("reject", order=self.sent)

    def do_again(self):
        self.notes[-1].action_frontpay_send()

    def do_refund_there(self):
        self.happens(self.sent, "refund")

    def do_credit_note_for_it(self):
        action = self.move.action_frontpay_make_credit_note()
        note = self.env["account.move"].browse(action["res_id"])
        self.notes |= note
        note.action_post()

    def do_paid_here(self):
        register = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.move.ids
        )
        bank = self.company_data["default_journal_bank"]
        register.create({"journal_id": bank.id}).action_create_payments()

    def do_pay_out(self, amount):
        payout = self.env["frontpay.payout"].create(
            {
                "bank_journal_id": self.company_data["default_journal_bank"].id,
                "amount": amount,
                "fee": 20,
                "fee_account_id": self.company_data["default_account_expense"].id,
                "tax_id": self.fee_tax.id,
            }
        )
        payout.action_propose()
        payout.action_post()
        self.env["account.bank.statement.line"].create(
            {
                "journal_id": payout.bank_journal_id.id,
                "date": payout.date,
                "amount": amount,
                "payment_ref": "FRONT PAYMENT AS",
            }
        )
        payout.action_match()

    # --- what is in the books

    def assert_balance(self):
        """What Front Payment owes is what its account says, or somebody is told."""
        if self.is_collecting() and not self.activities():
            self.assertEqual(self.clearing(), self.owed())

    def is_collecting(self):
        """Whether Front Payment has what customers paid, and no claim of its own."""
        return self.company.frontpay_settle_on == "paid" and not self.payouts()

    def activities(self):
        return (self.move | self.notes).activity_search([ATTENTION])

    def payouts(self):
        return self.env["frontpay.payout"].search([("state", "=", "posted")])

    def section(self, title, cycle):
        """A part of the guide, as reStructuredText."""
        story = f"{self.story(cycle)}."
        if cycle.settle_on == "invoiced":
            story = f"*Front Payment takes over the claim.* {story}"
        head = [title, "-" * len(title), "", fill(story, 88), ""]
        result = "\n".join(f"* {each}" for each in self.results())
        return "\n".join([*head, "::", "", self.ledger(), "", result, ""])

    def story(self, cycle):
        told = []
        for step in cycle.steps:
            name, _space, amount = step.rpartition(" ")
            is_number = amount.lstrip("-").isdigit()
            words = STEPS[name if is_number else step]
            told.append(words.format(f"{int(amount):.2f}" if is_number else ""))
        text = "; ".join(told)
        return text[0].upper() + text[1:]

    def ledger(self):
        """A T-account for each account that was used."""
        entries = self.documents()
        lines = self.env["account.move.line"].browse()
        for entry in entries:
            lines |= entry.line_ids.sorted("id")
        accounts = [
            self._account(account, own.grouped("move_id"), entries)
            for account, own in lines.grouped("account_id").items()
        ]
        return indent("\n\n".join(accounts), "    ")

    def _account(self, account, items_of, entries):
        """
        :param items_of: {entry: its items in the account}
        :param entries: {entry: what the guide calls it}
        """
        width, rows, total = 54, [], 0
        for entry, items in items_of.items():
            for amount in (sum(items.mapped("debit")), -sum(items.mapped("credit"))):
                if amount:
                    rows.append((entries[entry], *self._sides(amount)))
                    total += amount
        rows.append(("  Balance", *self._sides(total)))
        head = [self._name(account).center(width).rstrip(), "-" * width]
        return "\n".join([*head, *map(self._row, rows)])

    def _row(self, row):
        return "{:<30}{:>11} |{:>11}".format(*row).rstrip()

    def _sides(self, balance):
        if not round(balance, 2):
            return "0.00", ""
        return (f"{balance:.2f}", "") if balance > 0 else ("", f"{-balance:.2f}")

    def _name(self, account):
        journal = self.company.frontpay_journal_id
        return (
            "Front Payment" if account == journal.default_account_id else account.name
        )

    def documents(self):
        """{entry: what the guide calls it}, in the order of their making."""
        payments = self.env["account.payment"].search(
            [("partner_id", "=", self.private.id)], order="id"
        )
        journal = self.company.frontpay_journal_id
        names = {self.move: "Invoice"}
        names |= dict.fromkeys(self.notes, "Credit note")
        for payment in payments:
            is_own = payment.journal_id != journal
            kind = "Payment" if payment.payment_type == "inbound" else "Refund"
            names[payment.move_id] = f"{kind} on the bank" if is_own else kind
            for reversal in payment.move_id.reversal_move_ids:
                names[reversal] = "Reversal"
        for payout in self.payouts().sorted("id"):
            names[payout.move_id] = "Pay-out"
            names[payout.statement_line_id.move_id] = "Bank statement"
        return {entry: name for entry, name in names.items() if entry}

    def results(self):
        """What the screen says in the end."""
        yield (
            f"The invoice: *{self._label(self.move, 'payment_state')}*, NOK"
            f" {self.move.amount_residual:.2f} open; at Front Payment"
            f" *{self._label(self.move, 'frontpay_state')}*."
        )
        for note in self.notes:
            told = self._label(note, "frontpay_refund_state")
            yield (
                f"The credit note: *{self._label(note, 'payment_state')}*, NOK"
                f" {note.amount_residual:.2f} open; its refund: *{told}*."
            )
        if self.is_collecting() and self.clearing() != self.owed():
            yield (
                f"Front Payment owes NOK {self.owed():.2f}, and its account says NOK"
                f" {self.clearing():.2f}."
            )
        if not self.activities():
            yield NOTHING_LEFT
        for activity in self.activities():
            what = "credit note" if activity.res_id in self.notes.ids else "invoice"
            yield f"Somebody has an activity on the {what}."

    def _label(self, record, name):
        field = record.fields_get([name])[name]
        return dict(field["selection"]).get(record[name], "not sent")
