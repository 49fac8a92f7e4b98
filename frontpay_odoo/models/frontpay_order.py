import re

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import retrying

from ..connect import statuses
from ..connect.channels import CHANNELS

########################################################################################
# STATE DIAGRAM
#
#   queued <─> sending ──┬──> failed
#                        ├──> unknown ──┐         (settled by a callback or a question)
#                        └──> sent <────┤
#                              │        │
#            ┌─────────────────┼────────┼──────> cancelled
#            │                 v        v
#            ├──────────────> invoiced ──> reminded ──> collection
#            │                 │            │            │
#            v                 v            v            v
#         expired             paid <─────────────────────┘
#                              │
#                              └──> partially_refunded ──> refunded
#
# What Front Payment reports moves an order forward, over skipped states too, and never
# back: SOURCES names the states from which each state can be reached. One exception: an
# order that was given up after an unknown outcome, and shows up all the same.
########################################################################################
STATES = [
    ("queued", "Queued"),
    ("sending", "Being Sent"),
    ("unknown", "Outcome Unknown"),
    ("failed", "Not Sent"),
    ("sent", "Sent"),
    ("invoiced", "Invoiced"),
    ("reminded", "Reminded"),
    ("collection", "Debt Collection"),
    ("paid", "Paid"),
    ("partially_refunded", "Partially Refunded"),
    ("refunded", "Refunded"),
    ("cancelled", "Cancelled"),
    ("expired", "Expired"),
]
_SUBMITTED = {"sending", "unknown"}
CLAIMED_STATES = {"invoiced", "reminded", "collection"}
SOURCES = {
    "queued": {"sending"},
    "sending": {"queued"},
    "unknown": {"sending"},
    "failed": {"queued", "sending", "unknown"},
    "sent": _SUBMITTED,
    "invoiced": _SUBMITTED | {"sent"},
    "reminded": _SUBMITTED | {"sent", "invoiced"},
    "collection": _SUBMITTED | {"sent", "invoiced", "reminded"},
    "paid": _SUBMITTED | {"sent"} | CLAIMED_STATES,
    "partially_refunded": _SUBMITTED | {"sent", "paid"} | CLAIMED_STATES,
    "refunded": _SUBMITTED | {"sent", "paid", "partially_refunded"} | CLAIMED_STATES,
    "cancelled": _SUBMITTED | {"sent"} | CLAIMED_STATES,
    "expired": _SUBMITTED | {"sent"} | CLAIMED_STATES,
}
# States in which Front Payment's invoice has a number (section 15b).
INVOICED_STATES = CLAIMED_STATES | {"paid", "partially_refunded", "refunded"}
TOKEN = re.compile(r"[\w-]{32}", re.ASCII)
# After these, the invoice may be sent anew; in all others it has its one order.
ENDED_STATES = ("failed", "cancelled", "expired")
# Nothing more is expected of the customer.
FINAL_STATES = (*ENDED_STATES, "paid", "partially_refunded", "refunded")


class FrontpayOrder(models.Model):
    _name = "frontpay.order"
    _description = "Front Payment Order"
    _order = "id desc"
    _rec_name = "reference"

    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(
        related="move_id.company_id", store=True, index=True, precompute=True
    )
    currency_id = fields.Many2one(related="move_id.currency_id")
    partner_id = fields.Many2one(
        related="move_id.commercial_partner_id", string="Customer"
    )
    state = fields.Selection(STATES, required=True, readonly=True, default="queued")
    channel = fields.Selection(
        [(name, channel.label) for name, channel in CHANNELS.items()],
        required=True,
        readonly=True,
    )
    reference = fields.Char(required=True, readonly=True)
    token = fields.Char(
        string="Address Token",
        required=True,
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="The part of the callback address that only Front Payment knows.",
    )
    environment = fields.Char(
        readonly=True, help="The company's Front Payment environment when it was sent."
    )
    amount = fields.Monetary(readonly=True)
    fingerprint = fields.Char(
        readonly=True, groups="base.group_system", help="What was handed over, hashed."
    )
    order_uuid = fields.Char(string="Order Number", readonly=True, index=True)
    customer_uuid = fields.Char(string="Customer Number", readonly=True)
    verification_url = fields.Char(
        string="BankID Address",
        readonly=True,
        help="Where the customer confirms the order. It is of no use afterwards.",
    )
    invoice_number = fields.Char(readonly=True)
    refunded_amount = fields.Monetary(readonly=True)
    error = fields.Text(readonly=True)
    note = fields.Text(
        readonly=True, help="What was worth knowing when the order was made."
    )
    sending_at = fields.Datetime(
        readonly=True, help="When the request went out, whatever became of it."
    )
    sent_at = fields.Datetime(readonly=True)
    update_queued = fields.Boolean(readonly=True)
    tries = fields.Integer(
        readonly=True, default=0, help="How often sending had to be put off."
    )
    retry_at = fields.Datetime(readonly=True, help="Not sent again before that.")
    asked_at = fields.Datetime(readonly=True, help="When the state was last asked for.")
    ask_at = fields.Datetime(
        readonly=True, index="btree_not_null", help="When it is asked for again."
    )
    closed_at = fields.Datetime(readonly=True, help="When it reached its last state.")
    payment_id = fields.Many2one(
        "account.payment", readonly=True, index="btree_not_null"
    )
    exchange_ids = fields.One2many("frontpay.exchange", "order_id", readonly=True)

    _unique_token = models.UniqueIndex("(token)")
    # The last wall against sending twice, whatever the code above it does.
    _one_order_per_invoice = models.UniqueIndex(
        "(move_id) WHERE state NOT IN ('failed', 'cancelled', 'expired')",
        "This invoice has been handed to Front Payment already.",
    )

    @api.ondelete(at_uninstall=False)
    def _unlink_if_never_stored(self):
        if any(order.state != "failed" for order in self):
            raise UserError(
                self.env._("An order that Front Payment knows can't be deleted.")
            )

    def _move_to(self, state):
        """Take a state if it lies ahead.

        :return: whether the state was taken
        """
        self.ensure_one()
        if self.state not in SOURCES[state] and not self._turns_up(state):
            return False
        self.state = state
        self.closed_at = state in FINAL_STATES and fields.Datetime.now()
        return True

    def _turns_up(self, state):
        """Whether an order that was taken for lost shows up at Front Payment, with a
        number, before the invoice was sent anew."""
        is_lost = self.state == "failed" and self.order_uuid
        is_reported = state in statuses.STATES.values()
        return is_lost and is_reported and not self.move_id._frontpay_has_order()

    def _state_label(self, state):
        return dict(self._fields["state"]._description_selection(self.env))[state]

    def _record_error(self, sentence):
        """Tell what a person has to look at, once."""
        if sentence != self.error:
            self.error = sentence
            self.move_id.message_post(body=sentence)

    @api.model
    def _by_token(self, token):
        """The order whose callback and return addresses carry this token.

        :param str token: from the address, whatever somebody typed there
        :return: one ``frontpay.order`` as system user with its company, or none
        """
        if not TOKEN.fullmatch(token):
            return self.browse()
        order = self.search([("token", "=", token)])
        return order.with_user(SUPERUSER_ID).with_company(order.company_id)

    def _keep(self, exchanges, record=None):
        """Store what was exchanged and what follows from it, at once.

        :param list exchanges: what the client logged since the last time; emptied
        :param record: writes the outcome, if there is one
        """

        def outcome():
            self.env["frontpay.exchange"]._log(self.company_id, exchanges, self)
            if record:
                record()

        self._in_transaction(outcome)
        exchanges.clear()

    def _in_transaction(self, step):
        """Run a step in a transaction of its own, committed when this returns.

        A serialisation failure runs the step again, as Odoo does with a request, so
        the step calls nothing outside. In Odoo's tests it runs in the test's own
        transaction.
        """
        if self.env["account.move"]._can_commit():
            return retrying(step, self.env)
        result = step()
        self.env.flush_all()
        return result
