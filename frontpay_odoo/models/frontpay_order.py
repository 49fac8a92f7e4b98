import re
import secrets
from datetime import datetime, timedelta
from decimal import Decimal

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import float_repr

from ..connect import statuses
from ..connect.channels import CHANNELS
from ..connect.endpoints import ENVIRONMENTS as API_URLS
from ..tools import credit_control, differences, timeline, transaction
from .frontpay_handover import ATTENTION, grouped_in_order

########################################################################################
# STATE DIAGRAM
#
#   queued <─> sending ──┬──> failed
#                        ├──> unknown ──┐       (settled by polling, or by a person)
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
# What Front Payment says moves an order forward, over skipped states too, and never
# back: SOURCES names the states from which each state can be reached. Three exceptions:
# an order that was given up or waits to be sent, and reappears all the same; a test
# order, which is cancelled when its invoice is sent for real; and a claim that counts
# as paid, which goes back to "sent" when Front Payment says so twice.
########################################################################################
STATES = [
    ("queued", "Queued"),
    ("sending", "Being Sent"),
    ("unknown", "Outcome Unknown"),
    ("failed", "Not Sent"),
    ("sent", "Waiting for Customer"),
    ("invoiced", "Invoiced"),
    ("reminded", "Reminded"),
    ("collection", "Debt Collection"),
    ("paid", "Paid"),
    ("partially_refunded", "Partially Refunded"),
    ("refunded", "Refunded"),
    ("cancelled", "Cancelled"),
    ("expired", "Expired"),
]
# The request went out, and what became of it isn't known.
IN_DOUBT_STATES = {"sending", "unknown"}
CLAIMED_STATES = {"invoiced", "reminded", "collection"}
# Front Payment has it, and it may still change there.
OPEN_STATES = {"sent"} | CLAIMED_STATES
# An invoice with nothing left to pay.
PAID_IN_ODOO = ("in_payment", "paid", "reversed")
REFUNDED_STATES = {"partially_refunded", "refunded"}
# Front Payment's invoice has a number (section 15b).
INVOICED_STATES = CLAIMED_STATES | {"paid"} | REFUNDED_STATES
# It has reached the customer, by Front Payment's own account.
ARRIVED_STATES = OPEN_STATES | INVOICED_STATES
# After these, the invoice may be sent anew; in all others it has its one order.
ENDED_STATES = ("failed", "cancelled", "expired")
# Nothing more is expected of the customer.
FINAL_STATES = (*ENDED_STATES, "paid", "partially_refunded", "refunded")
# The payment is registered in these, by the company's ``frontpay_settle_on``: what was
# refunded was paid before.
PAYMENT_STATES = {
    "paid": {"paid"} | REFUNDED_STATES,
    "invoiced": CLAIMED_STATES | {"paid"} | REFUNDED_STATES,
}
SOURCES = {
    "queued": {"sending"},
    "sending": {"queued"},
    "unknown": {"sending"},
    "failed": {"queued"} | IN_DOUBT_STATES,
    "sent": IN_DOUBT_STATES,
    "invoiced": IN_DOUBT_STATES | {"sent"},
    "reminded": IN_DOUBT_STATES | {"sent", "invoiced"},
    "collection": IN_DOUBT_STATES | {"sent", "invoiced", "reminded"},
    "paid": IN_DOUBT_STATES | OPEN_STATES,
    "partially_refunded": IN_DOUBT_STATES | OPEN_STATES | {"paid"},
    "refunded": IN_DOUBT_STATES | OPEN_STATES | {"paid", "partially_refunded"},
    "cancelled": IN_DOUBT_STATES | OPEN_STATES,
    "expired": IN_DOUBT_STATES | OPEN_STATES,
}
ENVIRONMENTS = [
    ("demo", "Demo"),
    ("production", "Production"),
    ("custom", "Custom URL"),
]
DIFFERENCES = [
    ("paid_there", "Paid there, open here"),
    ("paid_here", "Paid here, claimed there"),
    ("credited_here", "Credited here, claimed there"),
    ("paid_twice", "Paid twice"),
    ("refunded_there", "Refunded there, not booked"),
    ("ended_there", "Ended there, paid here"),
    ("other_amount", "Another amount there"),
    ("unknown_there", "Unknown there"),
]
# What keeps reminders of Odoo's and of OCA's Credit Control away from an invoice: the
# field, where some addon has it, and its value.
NO_DUNNING = {
    "no_followup": lambda _move: True,
    "credit_policy_id": lambda move: (
        credit_control.is_installed(move.env)
        and credit_control.policy_of_doing_nothing(move.company_id).id
    ),
}
# Reminders of Credit Control's that haven't gone out.
UNSENT_REMINDERS = ("draft", "to_be_sent", "email_error")
# How many days an order took from its hand-over until it came to one of these.
DAYS_UNTIL = {"days_to_confirm": INVOICED_STATES, "days_to_pay": {"paid"}}
TOKEN = re.compile(r"[\w-]{32}", re.ASCII)
# What taking a callback asks of an order.
CALLBACK_FIELDS = ("company_id", "order_uuid", "state", "base_url", "last_poll_at")
# How long something at Front Payment may take to show.
GRACE_MINUTES = 15
# How long after a poll an order is polled again, by how long ago it was sent.
POLL_PAUSES = (
    (timedelta(hours=1), timedelta(minutes=5)),
    (timedelta(days=1), timedelta(minutes=30)),
    (timedelta(days=14), timedelta(hours=6)),
    (timedelta.max, timedelta(days=1)),
)
# An order that came to its end is looked at once a day, all of a company at one time,
# so that Front Payment's list serves them: money may move back, or come after all.
WATCHED_STATES = {"paid", "partially_refunded", *ENDED_STATES}
WATCHED_FOR = timedelta(days=90)


class FrontpayOrder(models.Model):
    """One submission of an invoice to Front Payment.

    Its life has a file for each part, and each calls only those below it: the queue,
    the submission, polling, recovery; the status that Front Payment tells; this file.
    Nobody has the right to write one: it says what went out, and what was answered.
    """

    _name = "frontpay.order"
    _inherit = ["frontpay.handover"]
    _description = "Front Payment Order"
    _order = "id desc"
    _rec_name = "reference"

    move_id = fields.Many2one(
        "account.move", string="Invoice", required=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(
        related="move_id.company_id", store=True, index=True, precompute=True
    )
    currency_id = fields.Many2one(related="move_id.currency_id")
    partner_id = fields.Many2one(
        related="move_id.commercial_partner_id", string="Customer"
    )
    state = fields.Selection(
        STATES,
        string="Status",
        required=True,
        default="queued",
        group_expand=grouped_in_order(STATES),
    )
    channel = fields.Selection(
        [(name, channel.label) for name, channel in CHANNELS.items()], required=True
    )
    reference = fields.Char(required=True)
    token = fields.Char(
        string="Callback Token",
        required=True,
        copy=False,
        groups="base.group_system",
        help="The part of the callback URL that only Front Payment knows.",
    )
    environment = fields.Selection(
        ENVIRONMENTS, help="The company's Front Payment environment when it was sent."
    )
    base_url = fields.Char(
        string="API Base URL",
        help="The Front Payment that it was sent to, or is queued for.",
    )
    database_uuid = fields.Char(
        string="Database",
        groups="base.group_system",
        help="The database in which it was last queued or sent: a copy of it doesn't"
        " send what waits here.",
    )
    amount = fields.Monetary()
    reported_amount = fields.Monetary(
        compute="_compute_reported_amount",
        store=True,
        precompute=True,
        help="What the order amounts to by Front Payment's own account.",
    )
    due_date = fields.Date(
        help="The last day to pay that Front Payment was given. Empty: none was, or it"
        " invoices the order later, together with others.",
    )
    sent_parts = fields.Json(
        groups="base.group_system", help="What was sent, each part of it hashed."
    )
    order_uuid = fields.Char(string="Order Number", index=True)
    customer_uuid = fields.Char(string="Customer Number")
    verification_url = fields.Char(
        string="BankID Link",
        help="Where the customer confirms the order. It can be used only once.",
    )
    is_link_lost = fields.Boolean(
        string="Link Lost",
        compute="_compute_is_link_lost",
        help="The customer has to confirm, and Odoo has no link for that. An update of"
        " the order fetches a new one.",
    )
    is_link_due = fields.Boolean(
        string="Link Is Due", help="The customer is about to get it."
    )
    link_emailed_at = fields.Datetime(
        string="Link E-mailed",
        help="When the customer last got this link by e-mail.",
    )
    days_waiting = fields.Integer(
        compute="_compute_days_waiting",
        help="Since it was sent, while the customer hasn't confirmed.",
    )
    link_emailed_to = fields.Char(string="Link E-mailed To")
    link_message_id = fields.Many2one(
        "mail.message",
        string="Last E-mail",
        index="btree_not_null",
        groups="base.group_system",
    )
    link_reminders = fields.Integer(
        string="Reminders", help="How often the customer was reminded."
    )
    is_change_untold = fields.Boolean(
        string="Change Is Untold",
        help="Front Payment has another amount or due date than the customer was told.",
    )
    link_error = fields.Text(
        string="E-mail Failed",
        translate=True,
        help="Why the customer didn't get the link.",
    )
    invoice_number = fields.Char(string="Front Payment Invoice Number")
    refunded_amount = fields.Monetary()
    refund_ids = fields.One2many("frontpay.refund", "order_id", string="Refunds")
    accounted_amount = fields.Monetary(
        string="Refunds Accounted For",
        help="What was refunded before anything was asked for, and what came of that.",
    )
    note = fields.Text(help="What was worth knowing when the order was sent.")
    cancel_reason = fields.Char(
        string="Reason for Cancelling",
        help="Why somebody here asked Front Payment to cancel it.",
    )
    sending_at = fields.Datetime(
        string="Request Sent", help="When the request went out, whatever became of it."
    )
    sent_at = fields.Datetime(string="Sent")
    update_queued = fields.Boolean()
    former_dunning = fields.Json(
        string="Follow-Up Before",
        help="What the invoice said of reminders before Front Payment had it.",
    )
    is_changing = fields.Boolean(
        string="Being Changed",
        help="The invoice was reset to be changed, and Front Payment doesn't have the"
        " change yet.",
    )
    change_refusal = fields.Text(
        string="Change Not Sent",
        translate=True,
        help="What keeps the change from being sent.",
    )
    is_collected_elsewhere = fields.Boolean(
        string="Collected Otherwise",
        help="Somebody has said that the invoice is collected without Front Payment, so"
        " that nobody has to look at its order.",
    )
    sender_id = fields.Many2one(
        "res.users",
        string="Queued By",
        index="btree_not_null",
        help="Who is told what became of it, once nothing of theirs waits any more.",
    )
    tries = fields.Integer(
        string="Failed Attempts",
        default=0,
        help="How often sending had to be postponed.",
    )
    retry_at = fields.Datetime(
        string="Next Attempt", help="Not sent again before that."
    )
    last_poll_at = fields.Datetime(
        string="Last Status Update",
        help="When Front Payment was last asked for the status.",
    )
    next_poll_at = fields.Datetime(string="Next Status Update", index="btree_not_null")
    poll_failures = fields.Integer(
        string="Failed Status Updates",
        help="How often in a row the status couldn't be updated.",
    )
    is_missing = fields.Boolean(
        string="Missing at Front Payment",
        help="Front Payment doesn't know it any more.",
    )
    needs_decision = fields.Boolean(
        help="Somebody has to say what became of the order."
    )
    can_be_closed = fields.Boolean(
        compute="_compute_can_be_closed",
        help="It is at a custom URL that the settings don't lead to any more.",
    )
    closed_at = fields.Datetime(string="Closed", help="When it reached its last state.")
    days_to_confirm = fields.Integer(
        string="Days to Confirmation",
        aggregator="avg",
        help="From the hand-over until Front Payment had invoiced the customer.",
    )
    days_to_pay = fields.Integer(
        string="Days to Payment",
        aggregator="avg",
        help="From the hand-over until Front Payment had the money.",
    )
    state_times = fields.Json(
        help="When it came to each state: UTC, by the state's name."
    )
    timeline = fields.Html(
        compute="_compute_timeline", compute_sudo=True, sanitize=False
    )
    next_step = fields.Char(
        compute="_compute_timeline",
        compute_sudo=True,
        help="Whose turn it is, and to do what.",
    )
    settled_on = fields.Date(
        string="Payment Date",
        help="On which day the customer's payment, or the assignment of the claim, was"
        " reported: the payment's date.",
    )
    payment_id = fields.Many2one("account.payment", index="btree_not_null")
    journal_id = fields.Many2one(
        "account.journal",
        string="Payment Journal",
        index="btree_not_null",
        help="In which its payment was registered, by hand or automatically: the"
        " settings may name another one by now.",
    )
    returned_at = fields.Datetime(
        string="Waits Again Since",
        help="When Front Payment first said that an order which counts as paid waits"
        " for its customer again.",
    )
    difference = fields.Selection(
        DIFFERENCES,
        index="btree_not_null",
        help="Where Odoo and Front Payment part.",
    )
    difference_amount = fields.Monetary()
    difference_remedy = fields.Char(
        string="What to Do", compute="_compute_difference_remedy"
    )
    compared_at = fields.Datetime(string="Compared", help="When it was last compared.")
    exchange_ids = fields.One2many("frontpay.exchange", "order_id", string="API Log")
    callback_ids = fields.One2many(
        "frontpay.callback",
        "order_id",
        string="Waiting Callbacks",
        groups="base.group_system",
    )

    _unique_token = models.UniqueIndex("(token)")
    # The last wall against sending twice, whatever the code above it does.
    _one_order_per_invoice = models.UniqueIndex(
        "(move_id) WHERE state NOT IN ('failed', 'cancelled', 'expired')",
        "This invoice has been handed to Front Payment already.",
    )
    _one_order_per_number = models.UniqueIndex(
        "(company_id, base_url, order_uuid) WHERE order_uuid IS NOT NULL",
        "This order of Front Payment's belongs to another invoice already.",
    )
    # PostgreSQL takes it for the very words that Odoo writes.
    _queue_index = models.Index(
        "(company_id) WHERE state = 'queued' OR update_queued IS TRUE"
    )
    _in_doubt_index = models.Index("(company_id) WHERE state IN ('sending', 'unknown')")
    _open_index = models.Index(
        "(company_id) WHERE order_uuid IS NOT NULL"
        " AND state IN ('sent', 'invoiced', 'reminded', 'collection')"
    )
    _to_send_index = models.Index(
        "(company_id) WHERE state IN ('queued', 'sending', 'failed')"
    )
    _needs_you_index = models.Index(
        "(company_id) WHERE error IS NOT NULL OR needs_decision IS TRUE"
        " OR difference IS NOT NULL OR link_error IS NOT NULL"
        " OR state IN ('unknown', 'expired')"
    )
    _link_index = models.Index("(company_id) WHERE is_link_due IS TRUE")
    _sent_index = models.Index("(company_id, sent_at) WHERE order_uuid IS NOT NULL")

    @api.depends("amount")
    def _compute_reported_amount(self):
        for order in self:
            order.reported_amount = order.amount

    @api.depends("state", "sent_at")
    def _compute_days_waiting(self):
        now = fields.Datetime.now()
        for order in self:
            is_waiting = order.state == "sent" and order.sent_at
            order.days_waiting = is_waiting and (now - order.sent_at).days

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        # A PDF from before asks the customer to pay elsewhere.
        orders.move_id._detach_attachments()
        for order in orders:
            order._follow_dunning()
        return orders

    @api.ondelete(at_uninstall=False)
    def _unlink_if_never_sent(self):
        """Once anything went out, the order stays with its log and its invoice."""
        for order in self:
            if order.sending_at or order.state not in ("queued", "failed"):
                raise UserError(
                    self.env._(
                        "%s was sent to Front Payment, so it can't be deleted, nor can"
                        " its order and the API log.",
                        order.move_id.display_name,
                    )
                )

    @api.depends(
        *("state", "state_times", "channel", "verification_url"),
        *("invoice_number", "refunded_amount", "settled_on"),
        *("link_emailed_at", "link_error", "is_changing", "move_id.state"),
        *("is_link_due", "is_link_lost", "needs_decision"),
        *("refund_ids.next_step", "move_id.payment_state"),
    )
    @api.depends_context("lang", "tz")
    def _compute_timeline(self):
        for order in self:
            order.timeline = timeline.events(order)
            order.next_step = timeline.next_step(order)

    @api.depends("state", "verification_url", "channel")
    def _compute_is_link_lost(self):
        for order in self:
            customer_type = order.partner_id.frontpay_customer_type
            order.is_link_lost = (
                not order.verification_url
                and order._can_be_updated()
                and CHANNELS[order.channel].is_confirmed_by(customer_type)
            )

    @api.depends("difference")
    @api.depends_context("lang")
    def _compute_difference_remedy(self):
        for order in self:
            order.difference_remedy = differences.remedy(order)

    def _compute_can_be_closed(self):
        for order in self:
            order.can_be_closed = (
                order.environment == "custom"
                and order.base_url != API_URLS["production"]
                and order.state not in ("queued", *ENDED_STATES)
                and not order._is_of_this_environment()
            )

    # === STATE === #

    def _set_state(self, state):
        """Take a state if it lies ahead, and do what follows from it.

        :return: whether the state was taken
        """
        if self.state not in SOURCES[state] and not self._reappears(state):
            return False
        now = fields.Datetime.now()
        former = self.state
        self.state = state
        self._update_invoice(former)
        self.state_times = (self.state_times or {}) | {
            state: fields.Datetime.to_string(now)
        }
        self.closed_at = state in FINAL_STATES and now
        self.is_collected_elsewhere = False
        self._count_days(state, now)
        if state not in ("queued", *IN_DOUBT_STATES):
            # Whoever was asked to do something need not do it any more.
            self.needs_decision = False
            self.move_id.activity_unlink([ATTENTION])
        return True

    def _count_days(self, state, now):
        """Keep how long the order took to come here, the first time that it does."""
        for name, states in DAYS_UNTIL.items():
            was_there = states & (self.state_times or {}).keys() - {state}
            if state in states and self.sent_at and not was_there:
                self[name] = (now - self.sent_at).days

    def _update_invoice(self, former):
        """Let the invoice say that it was sent, and be printed anew when its PDF names
        another way to pay."""
        move = self._move_beside_amounts()
        if self.state in ARRIVED_STATES and not move.is_move_sent:
            move.is_move_sent = True
        elif former in ARRIVED_STATES and self.state in ENDED_STATES:
            self._take_back_sent()
        if _way_to_pay(former) != _way_to_pay(self.state):
            move._detach_attachments()
        if (former in ENDED_STATES) != (self.state in ENDED_STATES):
            self._follow_dunning()

    def _take_back_sent(self):
        """Nobody has got anything that still counts, unless the invoice was printed or
        e-mailed as well."""
        move = self._move_beside_amounts()
        move.is_move_sent = bool(move.invoice_pdf_report_id)

    def _move_beside_amounts(self):
        """The invoice, for what has nothing to do with the amounts of its lines: Odoo
        needn't compute and check them anew."""
        return self.move_id.with_context(
            skip_invoice_sync=True, check_move_validity=False
        )

    def _follow_dunning(self):
        """Nobody else reminds the customer while Front Payment has the invoice, or may
        have it; afterwards it is as it was."""
        move = self._move_beside_amounts()
        if not self._keeps_invoice():
            for name, value in (self.former_dunning or {}).items():
                move[name] = value
            self.former_dunning = False
            return
        for name, value_of in NO_DUNNING.items():
            value = name in move._fields and value_of(move)
            former = value and move._fields[name].convert_to_write(move[name], move)
            if value and former != value:
                self.former_dunning = {name: former} | (self.former_dunning or {})
                move[name] = value
        _ignore_reminders(move)

    def _reappears(self, state):
        """Whether an order that was taken for lost, or is to be sent again, shows up at
        Front Payment, with a number, before the invoice was sent anew."""
        is_there = self.state in ("queued", "failed") and self.order_uuid
        is_told = state in statuses.STATE_OF_STATUS.values()
        return is_there and is_told and not self._living_order(self.move_id) - self

    @api.model
    def _living_order(self, move):
        """The invoice's order that hasn't ended, of which there is one at most."""
        domain = [("move_id", "=", move.id), ("state", "not in", ENDED_STATES)]
        return self.search(domain, limit=1)

    def _is_queued(self):
        return self.state == "queued" or self.update_queued

    def _waits(self):
        """Whether it is to be sent, or polled again."""
        return self._is_queued() or self.state in OPEN_STATES

    def _can_be_updated(self):
        """Whether sending the invoice again changes this order.

        It does while the customer hasn't confirmed, on the channels whose page knows
        ``fpgoUuid`` (section 4.1).
        """
        return bool(
            self.state == "sent"
            and self.order_uuid
            and CHANNELS[self.channel].supports_update
            and self._is_of_this_environment()
        )

    def _is_being_changed(self):
        """Whether the invoice was reset, and its order still waits for the customer."""
        return (
            self.is_changing and self.state == "sent" and self.move_id.state == "draft"
        )

    def _keeps_invoice(self):
        """Whether the invoice can't be sent anew, because Front Payment has it or may
        have it."""
        return bool(
            self and self.state not in ENDED_STATES and not self._is_left_in_demo()
        )

    def _collects(self):
        """Whether Front Payment claims it from the customer, or is about to."""
        return self._keeps_invoice() and self.state not in FINAL_STATES

    def _may_be_there(self):
        """Whether a callback told a number that polling hasn't looked at yet."""
        is_told = any(callback.is_signed for callback in self.callback_ids)
        return is_told and self._is_of_this_environment()

    def _is_left_in_demo(self):
        """Whether it was a test, and the settings lead elsewhere now.

        No customer gets anything from Demo, so the invoice may be sent for real. Of a
        custom URL nobody but a person knows what it is.
        """
        return (
            self.base_url == API_URLS["demo"]
            and self.state not in ("queued", *ENDED_STATES)
            and not self._is_of_this_environment()
        )

    def _close_test(self):
        """Make room for an order at another Front Payment."""
        self.write(
            {
                "state": "cancelled",
                "closed_at": fields.Datetime.now(),
                "needs_decision": False,
                "error": False,
                "verification_url": False,
                "update_queued": False,
                "next_poll_at": False,
            }
        )
        self.flush_recordset()
        self._follow_dunning()
        self._take_back_sent()
        self.move_id._detach_attachments()
        self.move_id.activity_unlink([ATTENTION])
        self.move_id.message_post(
            body=self.env._(
                "Order %(order)s at %(url)s was a test. It is closed, so that the"
                " invoice can be sent for real.",
                order=self.order_uuid or self.reference,
                url=self.base_url,
            )
        )

    def action_close_test(self):
        """Somebody says that the order was a test, at another Front Payment than the
        one in the settings.

        :raises UserError: it isn't, or may be real
        """
        self.ensure_one()
        self.move_id.check_access("write")
        order = self.sudo()
        transaction.lock(order.move_id)
        if not order.can_be_closed:
            raise UserError(
                self.env._(
                    "Only an order at a custom URL that the settings don't lead to any"
                    " more can be closed as a test."
                )
            )
        order._close_test()

    # === IDENTITY === #

    @api.model
    def _by_token(self, token):
        """The order whose callback and return addresses carry this token.

        :param str token: from the address, whatever somebody typed there
        :return: one ``frontpay.order`` as system user with its company, or none
        """
        if not TOKEN.fullmatch(token):
            return self.browse()
        order = self.search_fetch([("token", "=", token)], CALLBACK_FIELDS)
        return order.with_user(SUPERUSER_ID).with_company(order.company_id)

    @api.model
    def _new_token(self):
        return secrets.token_urlsafe(24)

    @api.model
    def _reference_of(self, move):
        """What Front Payment knows the invoice by, over all attempts to send it.

        Readable for people, and different from what another database or a copy of
        this one could make of an invoice of the same name: an order that is found by
        it is this invoice's.
        """
        known = move.sudo().frontpay_order_id.reference
        return known or f"{move.name}-{secrets.token_hex(4)}"

    def _is_of_this_environment(self):
        """Whether the order is at the Front Payment that the company uses now."""
        return self.base_url == self.company_id.sudo()._frontpay_api_url()

    def _may_have_number(self, order_uuid):
        """Whether a number is this order's, or may be while it knows none."""
        if self.order_uuid:
            return self.order_uuid == order_uuid
        return not self._with_number(self.company_id, self.base_url, order_uuid)

    @api.model
    def _with_number(self, company, base_url, *order_uuids):
        """The company's orders that Front Payment knows by these numbers.

        :param base_url: at which Front Payment
        """
        return self.search(
            [
                ("company_id", "=", company.id),
                ("base_url", "=", base_url),
                ("order_uuid", "in", order_uuids),
            ]
        )

    def _assign_order_uuid(self, order_uuid):
        """Keep the number by which Front Payment knows the order.

        :return: whether it is this order's
        """
        if not self._may_have_number(order_uuid):
            return False
        if not self.order_uuid:
            sent_at = self.sent_at or self.sending_at or fields.Datetime.now()
            self.write({"order_uuid": order_uuid, "sent_at": sent_at})
        # It is there, whatever its status says: it isn't sent once more.
        if self._set_state("sent"):
            self.write({"error": False, "retry_at": False})
        return True

    def _is_own_amount(self, amount):
        """Whether an amount is this order's.

        :param Decimal amount: NOK
        """
        return amount == Decimal(float_repr(self.amount, 2))

    def _request_sent_at(self):
        return self.sending_at or self.create_date

    # === POLLING, CRONS, LOG === #

    @api.model
    def _open_domain(self):
        """Orders that may still change and can be polled."""
        return Domain("order_uuid", "!=", False) & Domain("state", "in", OPEN_STATES)

    def _schedule_next_poll(self):
        """Say when the orders are polled again, if no callback wakes polling."""
        for order in self:
            order.next_poll_at = order.order_uuid and order._next_poll_time()

    def _next_poll_time(self):
        """When an order that has a number is polled again; False: never."""
        now = fields.Datetime.now()
        if self.returned_at:
            return now + timedelta(minutes=GRACE_MINUTES)
        asked_at = self._refunds_asked_at()
        if asked_at:
            return now + next(
                pause for limit, pause in POLL_PAUSES if now - asked_at <= limit
            )
        if self.state in OPEN_STATES:
            age = now - (self.sent_at or self.create_date)
            return now + next(pause for limit, pause in POLL_PAUSES if age <= limit)
        is_watched = (
            self.state in WATCHED_STATES
            and (self.closed_at or self.create_date) + WATCHED_FOR > now
        )
        # A time of day that differs from database to database.
        time = self.company_id.create_date.time()
        return is_watched and datetime.combine(now + timedelta(days=1), time)

    def _refunds_asked_at(self):
        """When the newest refund was asked for of which nobody knows the end; False
        without one."""
        asked = self.refund_ids.filtered(
            lambda refund: refund.state in ("sending", "unknown", "pending")
        )
        return max(filter(None, asked.mapped("requested_at")), default=False)

    def _save_exchanges(self, client, record=None, *arguments):
        """Store what was exchanged and what follows from it, at once.

        :param connect.client.Client client: its exchanges are stored and emptied
        :param record: writes the outcome, if there is one; called with the arguments
        :return: what it returns
        """
        log = self.env["frontpay.exchange"]
        return log._save(self.company_id, client, self, record, *arguments)


def _way_to_pay(state):
    """What a printed invoice says, by the order's state."""
    if state in ENDED_STATES:
        return "account"
    return "number" if state in INVOICED_STATES else "link"


def _ignore_reminders(move):
    """What OCA's addon is about to send stays unsent; it writes them anew if it may."""
    if "credit.control.line" not in move.env:
        return
    unsent = [("invoice_id", "=", move.id), ("state", "in", UNSENT_REMINDERS)]
    move.env["credit.control.line"].sudo().search(unsent).write({"state": "ignored"})
