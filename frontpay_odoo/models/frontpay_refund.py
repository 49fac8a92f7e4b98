from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_repr

from ..tools import timeline
from .frontpay_handover import ATTENTION, grouped_in_order
from .frontpay_order import CLAIMED_STATES, ENDED_STATES

########################################################################################
# STATE DIAGRAM
#
#   queued <─> sending ──┬──> failed ─────────────> (sending, once more)
#                        ├──> needs_approval ─────> (sending, to ask for it)
#                        ├──> unknown ──┬──> failed  (only a person says so)
#                        │              v
#                        └──────────> pending ──> rejected ──> (sending, once more)
#                                       │
#                                       v
#                                    refunded
#
# Front Payment takes a refund and decides later, and no call tells what became of one:
# only how much of the order was refunded in all. So a refund is ``refunded`` once that
# figure, or the order's status, says so, whatever state it was in before. Nothing is
# sent once more by itself but what certainly never arrived.
########################################################################################
STATES = [
    ("queued", "Queued"),
    ("sending", "Being Sent"),
    ("unknown", "Outcome Unknown"),
    ("failed", "Not Sent"),
    ("pending", "Waiting for Front Payment"),
    ("needs_approval", "Needs Approval"),
    ("refunded", "Refunded"),
    ("rejected", "Rejected"),
]
# It was handed over, and may go out or has gone out: its credit note stays as it is.
RUNNING_STATES = ("queued", "sending", "unknown", "pending", "needs_approval")
# The request went out, and the money may move at any time.
UNSETTLED_STATES = ("sending", "unknown", "pending")
# It may be handed over (once more).
WAITING_STATES = ("queued", "failed", "needs_approval", "rejected")
SOURCES = {
    "queued": {"sending", "failed", "rejected"},
    "sending": set(WAITING_STATES),
    "unknown": {"sending"},
    "failed": {"queued", "sending", "unknown", "needs_approval"},
    "pending": {"sending", "unknown"},
    "needs_approval": {"sending"},
    "refunded": {"queued", *UNSETTLED_STATES, *WAITING_STATES},
    "rejected": {"unknown", "pending"},
}
EFFECTS = [
    ("refund", "Refund"),
    ("cancel", "Cancel the Order"),
    ("update", "Lower the Order"),
]
TYPES = [("invoiced", "Invoiced"), ("regular", "Regular")]


class FrontpayRefund(models.Model):
    """A credit note that was handed to Front Payment: one for each.

    Nobody has the right to write one: it says what went out, and what came of it.
    """

    _name = "frontpay.refund"
    _inherit = ["frontpay.handover"]
    _description = "Front Payment Refund"
    _order = "id desc"
    _rec_name = "move_id"

    move_id = fields.Many2one(
        "account.move", string="Credit Note", required=True, ondelete="restrict"
    )
    order_id = fields.Many2one(
        "frontpay.order", required=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(
        related="move_id.company_id", store=True, index=True, precompute=True
    )
    currency_id = fields.Many2one(related="move_id.currency_id")
    partner_id = fields.Many2one(
        related="move_id.commercial_partner_id", string="Customer"
    )
    invoice_id = fields.Many2one(related="order_id.move_id")
    state = fields.Selection(
        STATES,
        string="Status",
        required=True,
        default="queued",
        group_expand=grouped_in_order(STATES),
    )
    effect = fields.Selection(
        EFFECTS,
        required=True,
        help="A credit note cancels or lowers an order that still waits for its"
        " customer; afterwards it is refunded.",
    )
    amount = fields.Monetary(help="The credit note's total.")
    refund_type = fields.Selection(
        TYPES, string="Type", help="Whether the order was invoiced."
    )
    lines = fields.Json(
        string="Order Lines", help="What each of the order's lines gets of it, by id."
    )
    order_state = fields.Char(
        string="Order Status Before", help="The order's status when it went out."
    )
    was_rejected = fields.Boolean(
        string="Rejected Before",
        help="Front Payment told of a rejected refund already when it went out.",
    )
    is_by_hand = fields.Boolean(
        string="By Hand",
        help="It has to be made in Front Payment's own pages.",
    )
    database_uuid = fields.Char(
        string="Database",
        groups="base.group_system",
        help="The database in which it was last queued or sent: a copy of it doesn't"
        " send what waits here.",
    )
    refusal_code = fields.Char(help="By which Front Payment refused it.")
    requested_at = fields.Datetime(
        string="Request Sent", help="When the request went out, whatever became of it."
    )
    tries = fields.Integer(
        string="Failed Attempts", help="How often sending had to be postponed."
    )
    retry_at = fields.Datetime(
        string="Next Attempt", help="Not sent again before that."
    )
    needs_decision = fields.Boolean(help="Somebody has to say what became of it.")
    next_step = fields.Char(
        compute="_compute_next_step",
        compute_sudo=True,
        help="Whose turn it is, and to do what.",
    )
    closed_at = fields.Datetime(string="Refunded On")
    is_booked = fields.Boolean(
        string="Booked", help="The books have what was paid back."
    )
    payment_id = fields.Many2one("account.payment", index="btree_not_null")

    _one_refund_per_credit_note = models.UniqueIndex(
        "(move_id)", "This credit note has been handed to Front Payment already."
    )
    _running_index = models.Index(
        "(company_id) WHERE state IN"
        " ('queued', 'sending', 'unknown', 'pending', 'needs_approval')"
    )

    @api.depends("state", "effect", "is_by_hand", "move_id.state", "order_id.state")
    @api.depends_context("lang")
    def _compute_next_step(self):
        for refund in self:
            refund.next_step = timeline.refund_step(refund)

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_it_went_out(self):
        """Once anything went out, the refund stays with its credit note."""
        for refund in self:
            is_unsent = refund.state in ("queued", "failed")
            if refund.requested_at or not (is_unsent or refund._is_of_ended_order()):
                raise UserError(
                    self.env._(
                        "%s was sent to Front Payment, so it can't be deleted.",
                        refund.move_id.display_name,
                    )
                )

    # === BUTTONS === #

    def action_send(self):
        """See :meth:`action_frontpay_send_batch` of the credit notes."""
        return self.move_id.action_frontpay_send_batch()

    def action_withdraw(self):
        """See :meth:`action_frontpay_withdraw` of the credit notes."""
        return self.move_id.action_frontpay_withdraw()

    def action_request_approval(self):
        """See :meth:`action_frontpay_request_approval` of the credit notes."""
        return self.move_id.action_frontpay_request_approval()

    def action_resolve(self):
        """See :meth:`action_frontpay_resolve` of the credit notes."""
        return self.move_id.action_frontpay_resolve()

    def action_refresh(self):
        """See :meth:`action_frontpay_refresh` of the credit notes."""
        return self.move_id.action_frontpay_refresh()

    def action_open_note(self):
        return self.move_id._get_records_action()

    def action_open_order(self):
        return self.order_id._get_records_action()

    # === STATE === #

    def _set_refund_state(self, state):
        """Take a state if it lies ahead.

        :return: whether the state was taken
        """
        if self.state not in SOURCES[state]:
            return False
        self.state = state
        self.needs_decision = False
        if state != "sending":
            self.retry_at = False
        if state not in ("queued", "sending", "unknown"):
            # Whoever was asked to do something need not do it any more.
            self.error = False
            self.move_id.activity_unlink([ATTENTION])
        return True

    def _is_of_ended_order(self):
        """Whether it cancelled or lowered an order that has ended since, and nothing
        was ever asked to be paid back."""
        has_ended = self.order_id.state in ENDED_STATES and not self.requested_at
        return has_ended and self.effect != "refund" and self.state == "refunded"

    def _is_running(self):
        return self.state in RUNNING_STATES

    def _may_pay_back(self):
        """Whether the customer may still get the money from Front Payment."""
        return self._is_running() or self._waits_for_figures()

    def _waits_for_figures(self):
        """Whether what Front Payment refunds in all tells what became of it."""
        is_posted = self.move_id.state == "posted"
        is_by_hand = self.state == "failed" and self.is_by_hand and is_posted
        is_refund = self.effect == "refund"
        return is_refund and (self.state in UNSETTLED_STATES or is_by_hand)

    def _running_message(self):
        """Why its credit note has to stay as it is."""
        return self.env._(
            "%(note)s is being refunded by Front Payment (%(state)s), so it can't be"
            " changed, cancelled or deleted until that has ended.",
            note=self.move_id.display_name,
            state=self._state_label(self.state),
        )

    # === WHAT IT SAYS === #

    @api.model
    def _effect_on(self, order, amount):
        """What a credit note does to an order in the state that it has now.

        :param float amount: the credit note's total
        :return: a key of :const:`EFFECTS`
        """
        if order.state != "sent":
            return "refund"
        is_less = order.currency_id.compare_amounts(amount, order.amount) < 0
        return "update" if is_less else "cancel"

    @api.model
    def _type_for(self, order):
        """What kind of refund an order takes (section 24, question 40)."""
        was_claimed = CLAIMED_STATES & {order.state, *(order.state_times or {})}
        return "invoiced" if was_claimed or order.invoice_number else "regular"

    def _decimal_amount(self):
        return Decimal(float_repr(self.amount, 2))
