from operator import methodcaller

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..connect import statuses
from ..connect.responses import ORDER_UUID
from ..models.frontpay_order import IN_DOUBT_STATES
from ..tools.local_time import local_time
from ..tools.notification import notification


class FrontpayResolve(models.TransientModel):
    """What became of an invoice, decided by a person."""

    _name = "frontpay.resolve"
    _description = "Front Payment: Outcome of an Invoice"

    move_id = fields.Many2one(
        "account.move", string="Invoice", required=True, readonly=True
    )
    sentence = fields.Text(readonly=True)
    invoice_details = fields.Text(
        readonly=True, help="What to compare the orders with."
    )
    may_be_absent = fields.Boolean(
        readonly=True, help="Whether it would be in Front Payment's list by now."
    )
    candidate_ids = fields.One2many(
        "frontpay.resolve.candidate", "resolve_id", readonly=True
    )
    order_uuid = fields.Char(string="Order Number")

    @api.model
    def _open(self, order, failure=""):
        """Have a person decide about an order.

        :param order: one ``frontpay.order`` in state ``unknown``
        :param str failure: why Front Payment couldn't be asked, if it couldn't
        :return: the action that opens the dialog
        """
        candidates = order._candidates()
        wizard = self.create(
            {
                "move_id": order.move_id.id,
                "sentence": self._sentence(order, candidates, failure),
                "invoice_details": self._details(order),
                "may_be_absent": not order._is_in_grace(),
                "candidate_ids": [
                    Command.create(self.candidate_ids._values(order, candidate))
                    for candidate in candidates
                ],
            }
        )
        name = self.env._("Outcome of %s", order.move_id.name)
        context = {**self.env.context, "dialog_size": "extra-large"}
        return wizard._get_records_action(name=name, target="new", context=context)

    def action_check_and_link(self):
        """Look whether the typed number can be this invoice, and link it if so.

        :raises UserError: it can't be
        """
        self.ensure_one()
        order_uuid = (self.order_uuid or "").strip().upper()
        if not ORDER_UUID.fullmatch(order_uuid):
            raise UserError(
                self.env._(
                    "Type the order's number as it stands in Front Payment's pages,"
                    " such as ODR1649249709."
                )
            )
        return self._decide(methodcaller("_link_manually", order_uuid))

    def action_not_received(self):
        """Somebody knows that Front Payment doesn't have the invoice."""
        self.ensure_one()
        return self._decide(methodcaller("_mark_not_received"))

    def _decide(self, decision):
        """Carry out a person's decision.

        :param decision: called with the order; raises UserError where it can't be
        :return: a notification that tells what the invoice's state is now
        """
        move = self.move_id
        move.check_access("write")
        order = move.sudo().frontpay_order_id
        if order.state == "unknown":
            decision(order)
        kind = "warning" if order.state in IN_DOUBT_STATES else "success"
        return notification(kind, "\n".join(order._outcome_lines()), reload=True)

    # === WHAT IS TOLD === #

    @api.model
    def _details(self, order):
        """What the invoice would be at Front Payment."""
        return self.env._(
            "%(invoice)s for %(customer)s over %(amount)s, sent %(time)s with reference"
            " %(reference)s.",
            invoice=order.move_id.name,
            customer=order.partner_id.name,
            amount=order.currency_id.format(order.amount),
            time=local_time(self.env, order._request_sent_at()),
            reference=order.reference,
        )

    @api.model
    def _sentence(self, order, candidates, failure):
        """What a person has to know who decides now.

        :param candidates: the ``frontpay.remote.order`` that may be it
        """
        if order.needs_decision:
            return order.error
        if failure:
            return failure
        if not order._is_in_grace():
            return self.env._(
                "Front Payment has orders that aren't known here. They are read"
                " automatically, one after the other. Come back in some minutes."
            )
        details = {
            "invoice": order.move_id.name,
            "time": local_time(self.env, order._grace_ends_at()),
        }
        if candidates:
            return self.env._(
                "Front Payment has orders that may be %(invoice)s (%(count)s), and"
                " another one may still appear until %(time)s. It is checked again"
                " automatically. Link one now only if you know that it is this"
                " invoice.",
                count=len(candidates),
                **details,
            )
        return self.env._(
            "Front Payment doesn't show %(invoice)s so far, but it may still appear."
            " It is looked for automatically; if it isn't there by %(time)s, it can be"
            " sent again.",
            **details,
        )


class FrontpayResolveCandidate(models.TransientModel):
    """An order at Front Payment that may be the invoice."""

    _name = "frontpay.resolve.candidate"
    _description = "Front Payment: Order That May Be an Invoice"
    _order = "ordered_at, id"

    resolve_id = fields.Many2one(
        "frontpay.resolve", required=True, readonly=True, ondelete="cascade"
    )
    order_uuid = fields.Char(string="Order Number", readonly=True)
    status = fields.Text(readonly=True)
    currency_id = fields.Many2one(related="resolve_id.move_id.currency_id")
    amount = fields.Monetary(readonly=True)
    ordered_at = fields.Datetime(string="Time", readonly=True)
    reference = fields.Text(readonly=True)
    customer = fields.Text(readonly=True)
    lines = fields.Text(readonly=True)

    @api.model
    def _values(self, order, remote_order):
        """What a person has to know of it to say whether it is the order."""
        state = statuses.state_of(remote_order.status or "")
        return {
            "order_uuid": remote_order.order_uuid,
            "status": order._state_label(state) if state else remote_order.status,
            "amount": remote_order.amount,
            "ordered_at": remote_order.ordered_at,
            "reference": ", ".join((remote_order.references or "").splitlines()),
            "customer": self._customer(order, remote_order),
            "lines": self._lines(order, remote_order),
        }

    @api.model
    def _lines(self, order, remote_order):
        """What it is about, a line each, amounts as the reader writes them."""
        return "\n".join(
            ": ".join(filter(None, (name, order.currency_id.format(amount))))
            for name, amount in remote_order.lines or ()
        )

    @api.model
    def _customer(self, order, remote_order):
        """Whose it is: e-mail, phone and organization number can be compared, but
        aren't kept."""
        if not remote_order.contacts:
            return ""
        if remote_order._matches_customer(order):
            return order.partner_id.name
        return self.env._("Not %s", order.partner_id.name)

    def action_link(self):
        """It is this one.

        :raises UserError: it can't be
        """
        self.ensure_one()
        return self.resolve_id._decide(methodcaller("_link_manually", self.order_uuid))
