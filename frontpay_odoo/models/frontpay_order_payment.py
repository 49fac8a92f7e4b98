import logging
from datetime import date
from typing import NamedTuple

from psycopg2 import OperationalError

from odoo import models
from odoo.exceptions import RedirectWarning, UserError
from odoo.tools import format_date

from ..mapping.invoice import journal_problems
from ..mapping.lines import lowering_notes
from ..mapping.remedy import settings_remedy
from ..tools.sentence import in_each_language, joined
from .frontpay_order import OPEN_STATES, PAYMENT_STATES, REFUNDED_STATES
from .frontpay_order_unbooking import LIVE_PAYMENT_STATES, is_receivable
from .frontpay_refund import UNSETTLED_STATES

_logger = logging.getLogger(__name__)

# States of a credit note's refund in which Front Payment has it.
HANDED = (*UNSETTLED_STATES, "refunded")


class Settlement(NamedTuple):
    """Something in Odoo's books that settles an invoice, wholly or in part.

    :param amount: in the invoice's currency
    :param payment: ``account.payment``; none for a bank statement's line, a credit note
        or another entry
    """

    amount: float
    date: date
    journal: models.BaseModel
    payment: models.BaseModel
    is_credit_note: bool


class FrontpayOrder(models.Model):
    """The payment is registered, and whoever has to act is told where Front Payment's
    money and Odoo's books part."""

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    def _settle_payment(self, day=None, contradiction="", *, moved=False):
        """Register the payment that is due, and tell what a person has to settle.

        What is told is worked out anew each time, so it goes once it is settled.

        :param day: on which day the order's state came about; the company's today
            without it
        :param str contradiction: what Front Payment said that can't be followed
        :param bool moved: whether the order just came to its state, or the books moved
        """
        is_due = self._is_due()
        if is_due and not self.settled_on:
            self.settled_on = day or self.company_id._frontpay_day()
        lost = self._unbook_lost_claim()
        unregistered = self._register_due_payment()
        problems = [
            contradiction,
            self._change_problem(),
            self._other_amount_problem(),
            unregistered,
            self._refund_problem(),
            lost,
            self._still_claimed_problem(),
        ]
        sentence = joined(problems)
        if sentence and sentence != self.error:
            self._report_problem(sentence)
        elif not sentence and (moved or is_due or self.payment_id):
            self._clear_problem()

    def _follow_books(self):
        """Somebody paid or credited the invoice in Odoo, or undid it."""
        if self._is_unpaid_there():
            self._settle_payment(moved=True)

    def _is_unpaid_there(self):
        """Whether Front Payment claims what Odoo counts as open."""
        return self.state in OPEN_STATES and not self._is_due()

    def _is_due(self):
        """Whether the order is in a state that asks for its payment."""
        return self.state in PAYMENT_STATES[self.company_id.frontpay_settle_on]

    def _counts_as_received(self):
        """Whether the journal has the money, or should: somebody may have chosen since
        that only what the customer has paid is registered."""
        return self._is_due() or self.payment_id.state in LIVE_PAYMENT_STATES

    # === REGISTERING === #

    def _register_due_payment(self):
        """Register the payment, or find the one that somebody registered by hand.

        It is registered only while the invoice is as open as it was when it was sent.

        :return: what keeps it from being registered, as a sentence for the bookkeeper,
            or an empty string
        """
        if self.payment_id or not self._is_due() or self._is_just_lowered():
            return ""
        in_journal, elsewhere = self._settlements()
        by_memo = self._payments_in_memo()
        if in_journal or by_memo:
            return self._find_registered(in_journal, by_memo)
        if elsewhere:
            is_back = self._is_equal(self._amount_kept(), 0)
            return "" if is_back else self._paid_twice_sentence(elsewhere)
        if self._has_other_amount():
            return ""  # that is told already
        due = self._amount_due()
        if not self._is_equal(self.move_id.amount_residual, due):
            return self._unregistered_sentence(self._other_residual_sentence())
        if self._is_equal(due, 0):
            return ""
        if self._is_payment_unsure():
            return self._unsure_sentence(due)
        return self._try_to_register()

    def _find_registered(self, in_journal, by_memo):
        """Take what somebody registered in the journal for the order's payment.

        :param in_journal: list of :class:`Settlement`
        :param by_memo: ``account.payment`` that name the order
        :return: as :meth:`_register_due_payment`
        """
        payments = by_memo.union(*(each.payment for each in in_journal))
        # A payment may be more than what it settles: it overpays, or pays others too.
        settled = self._sum_of(in_journal)
        paid = sum(payments.mapped("amount")) + sum(
            each.amount for each in in_journal if not each.payment
        )
        if not self._is_kept(settled) and not self._is_kept(paid):
            return self._partly_registered_sentence(paid)
        if len(payments) == 1 and self._is_kept(payments.amount):
            self.payment_id = payments
        journals = payments.journal_id.union(*(each.journal for each in in_journal))
        self.journal_id = journals[:1]
        return ""

    def _try_to_register(self):
        """:return: as :meth:`_register_due_payment`"""
        reason = self._why_not_booked(self._register_payment)
        return self._unregistered_sentence(reason) if reason else ""

    def _register_payment(self):
        """Register what the customer has paid.

        :raises UserError: as :meth:`_pay` does
        """
        self.payment_id = self._pay(
            self.move_id, self._amount_due(), self.settled_on, self.reference
        )
        self.journal_id = self.payment_id.journal_id

    def _why_not_booked(self, book):
        """Book something, all of it or nothing.

        :param book: books it, or raises UserError
        :return: why it couldn't be booked, or an empty string
        """
        try:
            with self.env.cr.savepoint():
                book()
        except (UserError, RedirectWarning) as error:
            return error.args[0]
        except OperationalError:  # for the transaction to be tried again
            raise
        except Exception:
            _logger.exception("A payment of order %s couldn't be registered", self.id)
            return self._odoos_error_sentence()
        return ""

    @in_each_language
    def _odoos_error_sentence(self):
        return self.env._("Odoo had an error, see the server's log.")

    def _pay(self, move, amount, day, reference, journal=None):
        """Register the payment of the invoice, or of a credit note for it, with Odoo's
        own wizard.

        :param journal: ``account.journal``; that of the settings without it
        :param str reference: what goes into the memo beside Front Payment's numbers
        :return: ``account.payment``
        :raises UserError: it can't be registered, or not as it should be
        """
        currency = self.currency_id
        journal = journal or self._payment_journal()
        wizard = (
            self.env["account.payment.register"]
            .with_company(self.company_id)
            .with_context(active_model="account.move", active_ids=move.ids)
            .create(
                {
                    "journal_id": journal.id,
                    "currency_id": currency.id,
                    "amount": amount,
                    "payment_date": day,
                    "payment_difference_handling": "open",
                    "communication": self._memo(reference),
                }
            )
        )
        payment = wizard._create_payments()
        sign = 1 if move.move_type == "out_refund" else -1
        if not self._is_as_asked(payment, amount, sign):
            raise UserError(self._something_else_sentence(currency, amount))
        return payment

    @in_each_language
    def _something_else_sentence(self, currency, amount):
        return self.env._(
            "Odoo would have registered something else than %s.",
            currency.format(amount),
        )

    def _payment_journal(self):
        """That of the settings.

        :raises UserError: there is none, or it can't be used
        """
        sentence = self._journal_sentence()
        if sentence:
            raise UserError(sentence)
        return self.company_id.frontpay_journal_id

    @in_each_language
    def _journal_sentence(self):
        company = self.company_id
        if not company.frontpay_journal_id:
            sentence = self.env._("The Front Payment settings have no payment journal.")
            remedy = settings_remedy(company, "frontpay_journal_id")
            return " ".join([sentence, remedy])
        problems = journal_problems(company)
        return problems[0].message if problems else ""

    def _memo(self, reference):
        """By which a payment and its journal items are found: Odoo's number, and Front
        Payment's of the order and of its invoice."""
        numbers = (reference, self.order_uuid, self.invoice_number)
        return " ".join(filter(None, numbers))

    def _is_as_asked(self, payment, asked, sign):
        """Whether the customer's debt changed by the amount, in the order's currency
        and by nothing else.

        :param sign: -1 if it goes down, 1 if it goes up
        """
        if len(payment) != 1:
            return False
        amount = payment.amount
        if payment.move_id:
            lines = payment.move_id.line_ids.filtered(is_receivable)
            amount = sign * sum(lines.mapped("amount_currency"))
        is_same_currency = payment.currency_id == self.currency_id
        return is_same_currency and self._is_equal(amount, asked)

    # === WHAT STANDS IN THE BOOKS === #

    def _settlements(self):
        """What settles the invoice in Odoo, apart from the order's own payment and from
        credit notes that Front Payment has.

        :return: (list of :class:`Settlement` in Front Payment's journal, list of the
            others)
        """
        found = [*self._reconciled(), *self._payments_without_entry()]
        in_journal, elsewhere = [], []
        for each in found:
            if each.payment and each.payment == self.payment_id:
                continue
            is_here = each.journal in self._frontpay_journals()
            is_free = not each.payment or not self._is_taken(each.payment)
            (in_journal if is_here and is_free else elsewhere).append(each)
        return in_journal, elsewhere

    def _frontpay_journals(self):
        """Front Payment's: that of the settings, and the one in which this order's
        money was registered before they were changed."""
        return self.company_id.frontpay_journal_id | self.journal_id

    def _sum_of(self, settlements):
        """:param settlements: list of :class:`Settlement`"""
        return self.currency_id.round(sum(each.amount for each in settlements))

    def _paid_and_credited(self, elsewhere):
        """What of the invoice was paid and what was credited in Odoo.

        A credit note counts from its posting, reconciled with the invoice or not, until
        Front Payment has it.

        :param elsewhere: as of :meth:`_settlements`
        :return: two amounts
        """
        payments = [each for each in elsewhere if not each.is_credit_note]
        notes = [each for each in elsewhere if each.is_credit_note]
        unsent = self._amount_of(self._unsent_credit_notes())
        return self._sum_of(payments), max(self._sum_of(notes), unsent)

    def _reconciled(self):
        for partial in self.move_id._get_all_reconciled_invoice_partials():
            line = partial["aml"]
            if partial["is_exchange"] or _is_handed(line.move_id):
                continue
            yield Settlement(
                partial["amount"],
                line.date,
                line.journal_id,
                line.move_id.origin_payment_id,
                line.move_id.move_type == "out_refund",
            )

    def _payments_without_entry(self):
        """Those that wait for the bank, where there is no outstanding account."""
        for payment in self.move_id.matched_payment_ids:
            if not payment.move_id and payment.state in LIVE_PAYMENT_STATES:
                yield Settlement(
                    payment.amount, payment.date, payment.journal_id, payment, False
                )

    def _payments_in_memo(self):
        """The customer's payments in the journal whose memo has the order's number."""
        payments = self.env["account.payment"].search(
            [
                ("partner_id", "child_of", self.partner_id.id),
                ("journal_id", "in", self._frontpay_journals().ids),
                ("payment_type", "=", "inbound"),
                ("state", "in", LIVE_PAYMENT_STATES),
                ("memo", "ilike", self.order_uuid),
            ]
        )
        return payments.filtered(
            lambda payment: (
                self.order_uuid in payment.memo.split()
                and not payment.move_id.reversal_move_ids
                and not self._is_taken(payment)
            )
        )

    def _is_taken(self, payment):
        """Whether it is another order's."""
        domain = [("payment_id", "=", payment.id), ("id", "!=", self.id)]
        return bool(self.search_count(domain, limit=1))

    def _set_off(self, states):
        """What credit notes that Front Payment has took off the invoice.

        :param states: of their refunds; those that lowered the order itself don't count
        """
        notes = self.refund_ids.filtered(
            lambda refund: refund.state in states and refund.effect == "refund"
        ).move_id
        if not notes:
            return 0.0
        return self.currency_id.round(
            sum(
                partial["amount"]
                for partial in self.move_id._get_all_reconciled_invoice_partials()
                if partial["aml"].move_id in notes
            )
        )

    def _is_just_lowered(self):
        """Whether a credit note was taken off the invoice, and Front Payment hasn't
        said yet that it was taken off the claim."""
        return bool(self._set_off(UNSETTLED_STATES))

    def _amount_due(self):
        """What the customer has to pay: less what was credited before that."""
        return self.currency_id.round(self.amount - self._set_off(["refunded"]))

    def _is_payment_unsure(self):
        """Whether all that was refunded was taken off a claim, so that it doesn't show
        that the rest was paid."""
        lowered = self._set_off(["refunded"])
        return (
            self.state == "partially_refunded"
            and not {"paid"} & (self.state_times or {}).keys()
            and bool(lowered)
            and self._is_equal(self.refunded_amount, lowered)
        )

    def _has_other_amount(self):
        amounts = (self.amount, self._amount_due())
        return not any(self._is_equal(self.reported_amount, each) for each in amounts)

    def _amount_refunded(self):
        """What went back to the customer; a refund without an amount is the whole."""
        is_whole = self.state == "refunded" and not self.refunded_amount
        return self.reported_amount if is_whole else self.refunded_amount

    def _amount_kept(self):
        return self.currency_id.round(self.reported_amount - self._amount_refunded())

    def _is_kept(self, amount):
        """Whether it is what the journal may show: the whole, or what a refund left."""
        amounts = (self.reported_amount, self._amount_kept())
        return any(self._is_equal(amount, each) for each in amounts)

    def _is_equal(self, amount, other):
        return self.currency_id.compare_amounts(amount, other) == 0

    # === WHAT IS TOLD === #

    @in_each_language
    def _other_amount_problem(self):
        is_booked = self.payment_id and self._is_kept(self.payment_id.amount)
        if is_booked or not self._has_other_amount():
            return ""
        return self.env._(
            "Front Payment reports %(reported)s for order %(order)s, but the invoice"
            " was sent with %(amount)s. No payment is registered automatically: ask"
            " Front Payment what the customer owes, and register what was paid in"
            " the payment journal of the Front Payment settings.",
            reported=self.currency_id.format(self.reported_amount),
            order=self.order_uuid,
            amount=self.currency_id.format(self.amount),
        )

    @in_each_language
    def _other_residual_sentence(self):
        return self.env._(
            "%(open)s is open on the invoice, not %(amount)s.",
            open=self.currency_id.format(self.move_id.amount_residual),
            amount=self.currency_id.format(self._amount_due()),
        )

    @in_each_language
    def _unregistered_sentence(self, reason):
        return self.env._(
            "The payment from Front Payment couldn't be registered: %s Register it"
            " manually in the payment journal of the Front Payment settings.",
            reason,
        )

    @in_each_language
    def _unsure_sentence(self, due):
        return self.env._(
            "Front Payment reports “%(state)s” for order %(order)s, which doesn't tell"
            " whether the customer has paid the remaining %(due)s. Look at it in Front"
            " Payment's own pages, and register the payment in the payment journal of"
            " the Front Payment settings.",
            state=self._state_label(self.state),
            order=self.order_uuid,
            due=self.currency_id.format(due),
        )

    @in_each_language
    def _partly_registered_sentence(self, registered):
        return self.env._(
            "%(amount)s was paid at Front Payment on %(day)s, but %(registered)s is"
            " registered in journal %(journal)s. Register the difference there, or"
            " correct the payment.",
            amount=self.currency_id.format(self._amount_kept()),
            day=format_date(self.env, self.settled_on),
            registered=self.currency_id.format(registered),
            journal=self.company_id.frontpay_journal_id.display_name,
        )

    @in_each_language
    def _paid_twice_sentence(self, others):
        """The customer gets money back.

        :param others: list of :class:`Settlement`
        """
        other = self._sum_of(others)
        details = {
            "amount": self.currency_id.format(self.reported_amount),
            "day": format_date(self.env, self.settled_on),
            "other": self.currency_id.format(other),
            "other_day": format_date(self.env, max(each.date for each in others)),
            "journal": self.company_id.frontpay_journal_id.display_name or "",
            "order": self.order_uuid,
        }
        if all(each.is_credit_note for each in others):
            return self.env._(
                "Paid and credited: %(amount)s was paid at Front Payment on %(day)s,"
                " and %(other)s credited in Odoo on %(other_day)s. The customer gets"
                " %(other)s back: send the credit note to Front Payment. If you pay it"
                " back yourself, register the payment at Front Payment in journal"
                " “%(journal)s” with %(order)s as memo.",
                **details,
            )
        return self.env._(
            "Paid twice: %(amount)s at Front Payment on %(day)s and %(other)s in Odoo"
            " on %(other_day)s. The customer gets %(other)s back: ask Front Payment to"
            " refund it. If you pay it back yourself, register the payment at Front"
            " Payment in journal “%(journal)s” with %(order)s as memo.",
            **details,
        )

    def _amount_refunded_unasked(self, refund=None):
        """What went back without a credit note that was sent; while one has no end,
        nobody knows.

        :param refund: one that is about to be sent (once more)
        """
        others = self.refund_ids - refund if refund else self.refund_ids
        if any(other._waits_for_figures() for other in others):
            return 0
        asked = self.refund_ids.filtered(
            lambda refund: refund.state == "refunded" and refund.effect == "refund"
        )
        amount = self._amount_refunded() - sum(asked.mapped("amount"))
        return self.currency_id.round(amount)

    @in_each_language
    def _refund_problem(self):
        """What to do about a refund, until the books have it."""
        is_refunded = self.state in REFUNDED_STATES or self.refunded_amount
        if not is_refunded or self._is_refund_booked():
            return ""
        unasked = self._amount_refunded_unasked()
        if self.refund_ids and unasked <= 0:
            return ""
        details = {
            "order": self.order_uuid,
            "refunded": self.currency_id.format(unasked),
            "amount": self.currency_id.format(self.reported_amount),
        }
        if not self._amount_refunded():
            return self.env._(
                "Front Payment refunded a part of order %(order)s to the customer. Ask"
                " Front Payment for the amount, then make a credit note for it and"
                " register its payment in the payment journal of the Front Payment"
                " settings.",
                **details,
            )
        note = self._note_to_send(unasked)
        if note:
            return self.env._(
                "Front Payment refunded %(refunded)s of %(amount)s for order %(order)s"
                " to the customer. Send %(note)s to Front Payment: that books it, and"
                " pays nothing back twice.",
                note=note.display_name,
                **details,
            )
        return self.env._(
            "Front Payment refunded %(refunded)s of %(amount)s for order %(order)s to"
            " the customer. Choose “Make the Credit Note”, and confirm the credit note:"
            " that books it, and pays nothing back twice.",
            **details,
        )

    def _is_refund_booked(self):
        """Whether a refund is credited, or what it gave back was never booked."""
        refunded, kept = self._amount_refunded(), self._amount_kept()
        if not self.payment_id:
            in_journal, elsewhere = self._settlements()
            return bool(elsewhere and not in_journal and self._is_equal(kept, 0))
        # One that is open and wasn't sent hasn't given anything back yet; one that
        # lowered the order gives nothing back at all.
        open_notes = self._unsent_credit_notes().filtered("amount_residual")
        others = open_notes | lowering_notes(self.move_id)
        credited = self._amount_of(self._credit_notes() - others)
        is_credited = self.currency_id.compare_amounts(credited, refunded) >= 0
        is_net = self._is_equal(self.payment_id.amount, kept)
        return bool(refunded) and (is_credited or is_net)

    def _credit_notes(self):
        return self.move_id.reversal_move_ids.filtered(
            lambda note: note.state == "posted"
        )

    def _amount_of(self, notes):
        return self.currency_id.round(sum(notes.mapped("amount_total")))

    def _note_to_send(self, amount):
        """A credit note over what was refunded, which only has to be sent."""
        return self._unsent_credit_notes().filtered(
            lambda note: (
                note.amount_residual and self._is_equal(note.amount_total, amount)
            )
        )[:1]

    def _unsent_credit_notes(self):
        """Those that Front Payment doesn't have."""
        return self._credit_notes().filtered(lambda note: not _is_handed(note))

    def _unbook_lost_claim(self):
        """Unbook what Front Payment gives up.

        :return: what keeps it from being unbooked, as a sentence for the bookkeeper, or
            an empty string
        """
        reason = self._is_claim_lost() and self._why_not_booked(self._unbook_claim)
        return self._kept_claim_sentence(reason) if reason else ""

    @in_each_language
    def _kept_claim_sentence(self, reason):
        payment = self.payment_id
        return self.env._(
            "%(lost)s But %(amount)s was registered on %(day)s, and that couldn't be"
            " taken back: %(reason)s Nobody pays it: cancel payment %(payment)s, so"
            " that the invoice is open again.",
            lost=self._lost_sentence(),
            amount=self.currency_id.format(payment.amount),
            day=format_date(self.env, payment.date),
            reason=reason,
            payment=payment.display_name,
        )

    @in_each_language
    def _still_claimed_problem(self):
        """What to do about an invoice that was paid or credited in Odoo, and not at
        Front Payment."""
        if not self._is_unpaid_there():
            return ""
        _in_journal, elsewhere = self._settlements()
        paid, credited = self._paid_and_credited(elsewhere)
        details = {
            "order": self.order_uuid or self.reference,
            "amount": self.currency_id.format(self.amount),
            "paid": self.currency_id.format(paid),
            "credited": self.currency_id.format(credited),
            "ending": self._ending_sentence(),
        }
        if not self.currency_id.is_zero(paid):
            return self.env._(
                "Paid here, still claimed by Front Payment: %(paid)s is registered in"
                " Odoo, and order %(order)s claims %(amount)s. %(ending)s Otherwise the"
                " customer pays twice.",
                **details,
            )
        if not self.currency_id.is_zero(credited):
            return self.env._(
                "Credited here, still claimed by Front Payment: %(credited)s is"
                " credited in Odoo, and order %(order)s claims %(amount)s. Send the"
                " credit note to Front Payment. Otherwise the customer pays too much.",
                **details,
            )
        return ""

    def _ending_sentence(self):
        """How the claim is ended: here only while the customer hasn't confirmed."""
        if self.state == "sent":
            return self.env._("Choose “Cancel at Front Payment”.")
        return self.env._("Cancel the order in Front Payment's own pages.")


def _is_handed(note):
    """Whether Front Payment has a credit note, or had refunded it before there was
    one."""
    return note.frontpay_refund_state in HANDED or note.frontpay_is_refunded
