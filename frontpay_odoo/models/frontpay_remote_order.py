from contextlib import suppress
from datetime import UTC, timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.misc import hmac

from ..connect import errors
from ..connect.channels import CHANNELS, customer_json
from ..connect.responses import contacts_of
from ..mapping.customer import customer_of
from ..tools import transaction

# How far the order's time may be from the time when the request went out: our clock
# wrote both, but mapping and queueing lie between them.
TOLERANCE = timedelta(minutes=10)
MAX_FAILURES = 3  # then Front Payment has other troubles than with one order


class FrontpayRemoteOrder(models.Model):
    """An order at Front Payment that nobody here knew when it was read.

    Others may make orders with the same agreement, a webshop for one, so the details
    of each are read once. Whose order it is can be compared, but not read from here.
    """

    _name = "frontpay.remote.order"
    _description = "Order Known Only at Front Payment"
    _order = "id desc"
    _rec_name = "order_uuid"

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    base_url = fields.Char(string="API Base URL", required=True)
    order_uuid = fields.Char(string="Order Number", required=True)
    order_id = fields.Many2one(
        "frontpay.order",
        index="btree_not_null",
        ondelete="set null",
        help="The order that it turned out to be.",
    )
    status = fields.Char(help="As it was when the order was read.")
    references = fields.Text(help="One in each line.")
    amount = fields.Float(digits=(16, 2), help="NOK; 0 if unknown.")
    ordered_at = fields.Datetime()
    lines = fields.Json(help="What it is about, and NOK with VAT, of each line.")
    customer_uuid = fields.Char(string="Customer Number")
    contacts = fields.Char(
        help="Digests of the customer's e-mail address, phone number and organization "
        "number."
    )

    _stored_once = models.UniqueIndex("(company_id, base_url, order_uuid)")

    @api.model
    def _unknown_uuids(self, company, base_url, order_uuids):
        """The orders that nobody here has read yet.

        :param base_url: of the Front Payment that lists them
        :param dict order_uuids: what Front Payment lists
        :return: list of order numbers, the last of the list first: an order that has
            just been made stands at one of its ends
        """
        known = set()
        for model in (self, self.env["frontpay.order"]):
            # Of a million records, no more is read than their numbers.
            query = model._search(
                [("company_id", "=", company.id), ("base_url", "=", base_url)]
            )
            number = model._field_to_sql(model._table, "order_uuid", query)
            known.update(row[0] for row in self.env.execute_query(query.select(number)))
        return [number for number in reversed(order_uuids) if number not in known]

    @api.model
    def _stored(self, company, base_url, *order_uuids):
        """Those of the orders whose details are stored."""
        return self.search(
            [
                ("company_id", "=", company.id),
                ("base_url", "=", base_url),
                ("order_uuid", "in", order_uuids),
            ]
        )

    @api.model
    def _fetch_details(self, company, client, order_uuids, deadline):
        """Read orders' details and store what they are recognised by.

        :param tools.deadline.Deadline deadline: no further one is read after it
        :return: how many were read, and how many couldn't be read
        """
        read = failed = 0
        for order_uuid in order_uuids:
            if not deadline.left():
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
                self._store_details(company, client.base_url, order_uuid, details)
            read += 1
        return read, failed

    @api.model
    def _store_details(self, company, base_url, order_uuid, details):
        """Store an order's details at once, unless they are stored already.

        :param base_url: of the Front Payment that told them
        :param connect.responses.OrderDetails details: what Front Payment told
        """
        ordered_at = details.ordered_at
        if ordered_at:
            ordered_at = ordered_at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        values = {
            "company_id": company.id,
            "base_url": base_url,
            "order_uuid": order_uuid,
            "status": details.status,
            "references": "\n".join(details.references),
            "amount": float(details.amount or 0),
            "ordered_at": ordered_at,
            "lines": [[line.name, float(line.amount)] for line in details.lines],
            "customer_uuid": details.customer_uuid,
            "contacts": " ".join(self._digests(details.contacts)),
        }

        def store():
            known = self._stored(company, base_url, order_uuid)
            return known or self.create(values)

        return transaction.run(self.env, store)

    @api.model
    def _digests(self, contacts):
        """Contacts in a form that can be compared and that nobody can read."""
        scope = "frontpay_odoo.contact"
        return {hmac(self.env, scope, contact) for contact in contacts}

    @api.model
    def _contact_digests(self, order):
        """How the customer of an order of ours can be recognised."""
        channel = CHANNELS[order.channel]
        customer, _problems, _notes = customer_of(order.move_id, channel)
        return self._digests(contacts_of(customer_json(customer)))

    def _is_known(self):
        """Whether it turned out to be an order of ours after it was seen."""
        orders = self.env["frontpay.order"]
        return bool(
            orders._with_number(self.company_id, self.base_url, self.order_uuid)
        )

    def _has_reference_of(self, order):
        """Whether it carries the order's reference."""
        return order.reference in (self.references or "").splitlines()

    def _matches(self, order):
        """Whether nothing that is told of it speaks against it being that order.

        A reference does: every order of ours has one, so another one is another's.
        """
        return (
            not self.references
            and self._matches_amount(order)
            and self._matches_time(order)
            and self._matches_customer(order)
        )

    def _is_conclusive(self):
        """Whether enough is told of it to say that it is an order, not just may be."""
        return bool(self.amount and self.contacts)

    def _matches_amount(self, order):
        return not self.amount or order._is_equal(self.amount, order.amount)

    def _matches_time(self, order):
        request_sent_at = order._request_sent_at()
        if self.create_date < request_sent_at - TOLERANCE:  # it was there before
            return False
        return (
            not self.ordered_at or abs(self.ordered_at - request_sent_at) <= TOLERANCE
        )

    def _matches_customer(self, order):
        contacts = set((self.contacts or "").split())
        return not contacts or bool(contacts & self._contact_digests(order))
