import time
from contextlib import suppress
from datetime import UTC, timedelta
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.misc import hmac

from ..connect import errors

# How far the order's time may be from the time when the request went out: our clock
# wrote both, but mapping and queueing lie between them.
TOLERANCE = timedelta(minutes=10)
MAX_FAILURES = 3  # then Front Payment has other troubles than with one order
LONGEST = 45  # seconds, so that a slow Front Payment doesn't outlast Odoo's time limit


class FrontpaySighting(models.Model):
    """An order that was seen at Front Payment and that nobody here knew by then.

    Others may make orders with the same agreement, a webshop for one, so the details
    of each are read once. Whose order it is can be compared, but not read from here.
    """

    _name = "frontpay.sighting"
    _description = "Front Payment Sighting"
    _order = "id desc"
    _rec_name = "order_uuid"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    environment = fields.Char(required=True, readonly=True)
    order_uuid = fields.Char(string="Order Number", required=True, readonly=True)
    order_id = fields.Many2one(
        "frontpay.order",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The order that it turned out to be.",
    )
    status = fields.Char(readonly=True, help="As it was when the order was seen.")
    references = fields.Text(readonly=True, help="One in each line.")
    amount = fields.Float(digits=(16, 2), readonly=True, help="NOK; 0 if not told.")
    ordered_at = fields.Datetime(readonly=True)
    customer_uuid = fields.Char(readonly=True)
    contacts = fields.Char(
        readonly=True,
        help="Digests of the customer's e-mail address, telephone and organisation "
        "number.",
    )

    _seen_once = models.UniqueIndex("(company_id, environment, order_uuid)")

    @api.model
    def _strangers(self, company, order_uuids):
        """The orders that nobody here has seen yet.

        :param order_uuids: what Front Payment lists
        :return: list of order numbers, the last of the list first: an order that has
            just been made stands at one of its ends
        """
        numbers = list(order_uuids)
        orders = self.env["frontpay.order"].search([("order_uuid", "in", numbers)])
        seen = self._seen(company, *numbers)
        known = {*orders.mapped("order_uuid"), *seen.mapped("order_uuid")}
        return [number for number in reversed(numbers) if number not in known]

    @api.model
    def _seen(self, company, *order_uuids):
        """Those of the orders that have been looked at."""
        return self.search(
            [
                ("company_id", "=", company.id),
                ("environment", "=", company.frontpay_environment),
                ("order_uuid", "in", order_uuids),
            ]
        )

    @api.model
    def _look_at(self, company, client, order_uuids):
        """Read orders' details and keep what they are recognised by.

        :return: how many were read, and how many couldn't be read
        """
        orders = self.env["frontpay.order"]
        deadline = time.monotonic() + LONGEST
        seen = failed = 0
        for order_uuid in order_uuids:
            if time.monotonic() > deadline:
                break
            try:
                details = client.details(order_uuid)
            except errors.FrontPaymentError:
                failed += 1
                if failed == MAX_FAILURES:
                    break
                continue
            # Another run may have been quicker with it.
            with suppress(ValidationError):
                orders._in_transaction(
                    partial(self._keep_sight, company, order_uuid, details)
                )
            seen += 1
        return seen, failed

    @api.model
    def _keep_sight(self, company, order_uuid, details):
        """Keep an order's details, unless they are kept already.

        :param connect.answers.OrderDetails details: what Front Payment told
        """
        ordered_at = details.ordered_at
        if ordered_at:
            ordered_at = ordered_at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        return self._seen(company, order_uuid) or self.create(
            {
                "company_id": company.id,
                "environment": company.frontpay_environment,
                "order_uuid": order_uuid,
                "status": details.status,
                "references": "\n".join(details.references),
                "amount": float(details.amount or 0),
                "ordered_at": ordered_at,
                "customer_uuid": details.customer_uuid,
                "contacts": " ".join(self._digests(details.contacts)),
            }
        )

    @api.model
    def _digests(self, contacts):
        """Contacts in a form that can be compared and that nobody can read."""
        env = self.sudo().env
        return {hmac(env, "frontpay_odoo.contact", contact) for contact in contacts}

    def _is_known(self):
        """Whether it turned out to be an order of ours after it was seen."""
        return bool(
            self.env["frontpay.order"].search_count(
                [("order_uuid", "=", self.order_uuid)], limit=1
            )
        )

    def _names(self, order):
        """Whether it carries the order's reference."""
        return order.reference in (self.references or "").splitlines()

    def _may_be(self, order):
        """Whether nothing that is told of it speaks against it being that order.

        A reference does: every order of ours has one, so another one is another's.
        """
        return (
            not self.references
            and self._is_of_amount(order)
            and self._is_of_time(order)
            and self._is_of_customer(order)
        )

    def _is_told(self):
        """Whether enough is told of it to say that it is an order, not just may be."""
        return bool(self.amount and self.contacts)

    def _is_of_amount(self, order):
        currency = order.currency_id
        return (
            not self.amount or currency.compare_amounts(self.amount, order.amount) == 0
        )

    def _is_of_time(self, order):
        went_out_at = order._went_out_at()
        if self.create_date < went_out_at - TOLERANCE:  # it was there before
            return False
        return not self.ordered_at or abs(self.ordered_at - went_out_at) <= TOLERANCE

    def _is_of_customer(self, order):
        contacts = set((self.contacts or "").split())
        return not contacts or bool(contacts & order._contact_digests())
