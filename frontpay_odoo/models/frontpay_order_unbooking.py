from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date
from odoo.tools.translate import LazyTranslate

from ..mapping.problem import localized
from ..tools.sentence import in_each_language
from .frontpay_order import CLAIMED_STATES, GRACE_MINUTES

_lt = LazyTranslate(__name__)

LIVE_PAYMENT_STATES = ("in_process", "paid")
RECEIVABLE = "asset_receivable"
# Where a claim that counted as paid is when it comes back, and what somebody does then.
CLAIM_LOST = {
    "sent": _lt(
        "Order %(order)s waits for its customer again at Front Payment, who has to"
        " confirm it once more. The %(amount)s that counted as paid on %(day)s was"
        " taken back (%(entry)s), and the invoice is open again."
    ),
    "cancelled": _lt(
        "Order %(order)s was cancelled at Front Payment, so nobody pays the %(amount)s"
        " that counted as paid on %(day)s. That was taken back (%(entry)s), and the"
        " invoice is open again: send it again, collect it yourself, or make a credit"
        " note."
    ),
    "expired": _lt(
        "Order %(order)s has expired at Front Payment, so nobody pays the %(amount)s"
        " that counted as paid on %(day)s. That was taken back (%(entry)s), and the"
        " invoice is open again: send it again, collect it yourself, or make a credit"
        " note."
    ),
}


class FrontpayOrder(models.Model):
    """A claim that counted as paid, because Front Payment had taken it over, comes
    back: what was booked for it is taken back."""

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    def _is_claim_lost(self):
        """Whether something is booked for a claim that nobody pays."""
        is_booked = self.payment_id.state in LIVE_PAYMENT_STATES
        return is_booked and self.state in CLAIM_LOST

    def _follow_return(self, state):
        """Let an order that was invoiced, and counts as paid, wait for its customer
        again.

        An answer that is late says so too. So it counts once it is repeated a while
        later, with no other in between.

        :param str state: what Front Payment says
        :return: whether the order went back
        """
        is_claimed = self.state in CLAIMED_STATES and self.payment_id
        if state != "sent" or not is_claimed:
            self._forget_return()
            return False
        now = fields.Datetime.now()
        if not self.returned_at:
            self.returned_at = now
        if now - self.returned_at < timedelta(minutes=GRACE_MINUTES):
            return False
        self.write({"state": "sent", "returned_at": False})
        self.move_id._detach_attachments()
        return True

    def _forget_return(self):
        self.filtered("returned_at").returned_at = False

    # === THE BOOKS === #

    def _unbook_claim(self):
        """Take back what was booked for the claim, and set off against the invoice what
        was credited meanwhile: it only lowered a claim that nobody had paid.

        :raises UserError: it can't be taken back
        """
        booked = self.refund_ids.filtered("payment_id")
        payment, refunds = self.payment_id, booked.payment_id
        # First: whoever watches the books looks here as soon as they move.
        booked.payment_id = False
        self.write({"payment_id": False, "settled_on": False})
        for each in payment | refunds:
            if each.state in LIVE_PAYMENT_STATES:
                self._take_back(each)
        if booked:
            moves = self.move_id | booked.move_id
            moves.line_ids.filtered(is_open_receivable).reconcile()
        self._tell_unbooked(payment)

    def _take_back(self, payment):
        """Undo a payment, and keep its history: reverse its entry, on the company's day
        or the first one that is open; one without an entry is rejected.

        :param payment: ``account.payment``
        :raises UserError: it pays other invoices as well
        """
        if len(payment.reconciled_invoice_ids) > 1:
            raise UserError(
                self.env._("It pays other invoices as well: %s.", payment.display_name)
            )
        if not payment.move_id and payment.state == "paid":
            raise UserError(
                self.env._("%s is matched with a bank statement.", payment.display_name)
            )
        if not payment.move_id:
            payment.action_reject()
            return
        entry = payment.move_id
        lines = entry.line_ids.filtered(is_receivable)
        lines.remove_move_reconcile()
        values = {"date": self.company_id._frontpay_day(), "ref": self._lost_sentence()}
        # What isn't reconciled is with what reverses it, once that is posted.
        entry._reverse_moves([values]).action_post()

    def _lost_sentence(self):
        return self.env._(
            "Order %(order)s is “%(state)s” at Front Payment.",
            order=self.order_uuid,
            state=self._state_label(self.state),
        )

    def _tell_unbooked(self, payment):
        sentence = self._unbooked_claim_sentence(payment)
        self._clear_problem()
        self.move_id.message_post(body=sentence)
        self._notify_responsible(sentence)

    @in_each_language
    def _unbooked_claim_sentence(self, payment):
        reversal = payment.move_id.reversal_move_ids
        return localized(self.env, CLAIM_LOST[self.state]) % {
            "order": self.order_uuid,
            "amount": self.currency_id.format(payment.amount),
            "day": format_date(self.env, payment.date),
            "entry": (reversal[-1:] or payment).display_name,
        }


def is_receivable(line):
    return line.account_id.account_type == RECEIVABLE


def is_open_receivable(line):
    return is_receivable(line) and not line.reconciled
