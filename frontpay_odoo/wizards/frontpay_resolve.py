from operator import methodcaller

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..connect import statuses
from ..connect.answers import ORDER_UUID


class FrontpayResolve(models.TransientModel):
    """The question what became of an invoice, and a person's answer to it."""

    _name = "frontpay.resolve"
    _description = "Front Payment: What Became of an Invoice"

    move_id = fields.Many2one("account.move", required=True, readonly=True)
    sentence = fields.Text(readonly=True)
    may_be_absent = fields.Boolean(
        readonly=True, help="Whether it would be in Front Payment's list by now."
    )
    candidate_ids = fields.One2many(
        "frontpay.resolve.candidate", "resolve_id", readonly=True
    )
    order_uuid = fields.Char(string="Order Number")

    @api.model
    def _of(self, order, failure=""):
        """Make the question about an order.

        :param order: one ``frontpay.order`` in state ``unknown``
        :param str failure: why Front Payment couldn't be asked, if it couldn't
        """
        candidates = order._candidates()
        return self.create(
            {
                "move_id": order.move_id.id,
                "sentence": order._question_sentence(candidates, failure),
                "may_be_absent": not order._is_in_grace(),
                "candidate_ids": [
                    Command.create(self.candidate_ids._values(order, sighting))
                    for sighting in candidates
                ],
            }
        )

    def _open(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Has Front Payment Got %s?", self.move_id.name),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def action_take_typed(self):
        """Look whether the typed number can be this invoice, and believe it if so.

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
        return self._answer(methodcaller("_take", order_uuid))

    def action_absent(self):
        """Somebody knows that Front Payment doesn't have the invoice."""
        self.ensure_one()
        return self._answer(methodcaller("_take_for_absent"))

    def _answer(self, answer):
        """Give a person's answer.

        :param answer: called with the order; raises UserError where it can't be
        :return: an action that tells what the invoice's state is now
        """
        move = self.move_id
        move.check_access("write")
        order = move.sudo().frontpay_order_id
        if order.state == "unknown":
            answer(order)
        return move._frontpay_tell_states()


class FrontpayResolveCandidate(models.TransientModel):
    """An order at Front Payment that may be the invoice."""

    _name = "frontpay.resolve.candidate"
    _description = "Front Payment: Order That May Be an Invoice"
    _order = "ordered_at, id"

    resolve_id = fields.Many2one(
        "frontpay.resolve", required=True, readonly=True, ondelete="cascade"
    )
    order_uuid = fields.Char(string="Order Number", readonly=True)
    status = fields.Char(readonly=True)
    currency_id = fields.Many2one(related="resolve_id.move_id.currency_id")
    amount = fields.Monetary(readonly=True)
    ordered_at = fields.Datetime(string="Time", readonly=True)

    @api.model
    def _values(self, order, sighting):
        """What a person has to know of a sighting to say whether it is the order."""
        state = statuses.state_of(sighting.status or "")
        return {
            "order_uuid": sighting.order_uuid,
            "status": order._state_label(state) if state else sighting.status,
            "amount": sighting.amount,
            "ordered_at": sighting.ordered_at,
        }

    def action_take(self):
        """It is this one.

        :raises UserError: it can't be
        """
        self.ensure_one()
        return self.resolve_id._answer(methodcaller("_take", self.order_uuid))
