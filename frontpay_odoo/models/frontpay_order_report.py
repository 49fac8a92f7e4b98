from odoo import fields, models
from odoo.exceptions import RedirectWarning, UserError

from ..connect import statuses
from .frontpay_order import CLAIMED_STATES, ENDED_STATES, INVOICED_STATES

# The states on which the payment is registered, by ``frontpay_settle_on``.
SETTLING_STATES = {
    "paid": {"paid"},
    "invoiced": CLAIMED_STATES | {"paid"},
}


class FrontpayOrder(models.Model):
    """What Front Payment reports of an order, called back or asked, and the payment."""

    _inherit = "frontpay.order"

    def _report(self, status, date=None):
        """Follow a status that Front Payment reported, in a callback or when asked.

        Repeated and late reports, and statuses that say nothing about an invoice,
        move nothing (section 17.4, questions 12 and 13 of section 24).

        :param str status: as Front Payment spells it
        :param date: on which day it came about; today without it
        :return: whether the order moved
        """
        state = statuses.state_of(status)
        if not state or state == self.state:
            return False
        if not self._move_to(state):
            self._record_contradiction(state)
            return False
        self.error = False
        self._plan_question()
        if state != "sent":
            self.verification_url = False
            self.move_id.message_post(
                body=self.env._(
                    "Front Payment: %(state)s", state=self._state_label(state)
                )
            )
        self._settle(date)
        return True

    def _settle(self, date=None):
        """Register the payment once the order is in a state that settles the claim.

        The payment goes through Odoo's own register-payment wizard. Where it can't be
        made (no journal, an invoice paid by hand), the order keeps its state and tells
        what is left to do.
        """
        settling = SETTLING_STATES[self.company_id.frontpay_settle_on]
        if self.state not in settling or self.payment_id:
            return
        try:
            with self.env.cr.savepoint():
                self.payment_id = self._register_payment(date)
        except (UserError, RedirectWarning) as error:
            self._record_unsettled(error.args[0])
        else:
            self.error = False

    def _record_contradiction(self, state):
        """Tell of a claim or payment for an order that counts as ended here."""
        is_claimed = state in INVOICED_STATES or (state, self.state) == (
            "sent",
            "failed",
        )
        if self.state not in ENDED_STATES or not is_claimed:
            return
        sentence = self.env._(
            "Front Payment reports “%(reported)s” for order %(order)s, which is"
            " “%(state)s” here. Look it up at Front Payment before you send the"
            " invoice again or register a payment.",
            reported=self._state_label(state),
            order=self.order_uuid or self.reference,
            state=self._state_label(self.state),
        )
        self._record_error(sentence)
        self._ask_responsible(sentence)

    def _record_unsettled(self, reason):
        self._record_error(
            self.env._(
                "Front Payment has settled this invoice, but the payment couldn't be"
                " registered: %s Register it by hand in the Front Payment journal.",
                reason,
            )
        )

    def _register_payment(self, date=None):
        journal = self.company_id.frontpay_journal_id
        if not journal:
            raise UserError(
                self.env._("The settings name no Front Payment journal any more.")
            )
        wizard = (
            self.env["account.payment.register"]
            .with_company(self.company_id)
            .with_context(active_model="account.move", active_ids=self.move_id.ids)
            .create(
                {
                    "journal_id": journal.id,
                    "amount": self.amount,
                    "payment_date": date or fields.Date.context_today(self),
                    "communication": f"{self.reference} {self.order_uuid or ''}",
                }
            )
        )
        return wizard._create_payments()
