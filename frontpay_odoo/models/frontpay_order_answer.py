from functools import partial
from operator import methodcaller

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import format_time

from ..connect import errors


class FrontpayOrder(models.Model):
    """What a person says became of an order, where Front Payment gives no answer."""

    _inherit = "frontpay.order"

    def _take(self, order_uuid):
        """Somebody says that it is this order of Front Payment's.

        :raises UserError: it can't be, or nobody can tell now
        """
        self._refuse_known(order_uuid)
        sighting, status = self._looked_up(order_uuid)
        refusal = self._refusal_of(sighting)
        if refusal:
            raise UserError(refusal)
        self._answered(methodcaller("_record_taken", sighting, status))

    def _take_for_absent(self):
        """Somebody says that Front Payment doesn't have it.

        :raises UserError: it may still appear there
        """
        if self.order_uuid:
            raise UserError(
                self.env._("Front Payment has it as order %s.", self.order_uuid)
            )
        if self._is_in_grace():
            raise UserError(self._grace_sentence())
        self._answered(methodcaller("_record_denied"))

    def _answered(self, step):
        if not self._alone(step):
            raise UserError(self._busy_message(self.move_id))

    def _looked_up(self, order_uuid):
        """What Front Payment says of an order that a person named.

        :return: (``frontpay.sighting``, the status now or an empty string)
        :raises UserError: nothing is known of it, and it can't be asked for
        """
        company = self.company_id
        sightings = self.env["frontpay.sighting"]
        sighting = sightings._seen(company, order_uuid)
        exchanges = []
        with company._frontpay_client(exchanges.append) as client:
            try:
                details = None if sighting else client.details(order_uuid)
                status = client.status(order_uuid).status
            except errors.FrontPaymentError as error:
                if not sighting or isinstance(error, errors.NotFound):
                    raise UserError(self._untold_sentence(order_uuid, error)) from None
                status = ""  # it is asked for again by itself
            finally:
                self._keep(exchanges)
        if not sighting:
            keep = partial(sightings._keep_sight, company, order_uuid, details)
            sighting = self._in_transaction(keep)
        return sighting, status

    def _refuse_known(self, order_uuid):
        known = self.search([("order_uuid", "=", order_uuid)], limit=1)
        if known:
            raise UserError(
                self.env._(
                    "Order %(order)s belongs to %(invoice)s already.",
                    order=order_uuid,
                    invoice=known.move_id.display_name,
                )
            )

    def _refusal_of(self, sighting):
        """Why an order can't be this invoice, whatever anybody says."""
        if sighting.references and not sighting._names(self):
            return self.env._(
                "Order %(order)s carries the reference %(other)s. The one of this"
                " invoice would be %(reference)s.",
                order=sighting.order_uuid,
                other=", ".join(sighting.references.splitlines()),
                reference=self.reference,
            )
        if not sighting._is_of_amount(self):
            return self.env._(
                "Order %(order)s is over %(other)s, but this invoice over %(amount)s.",
                order=sighting.order_uuid,
                other=self.currency_id.format(sighting.amount),
                amount=self.currency_id.format(self.amount),
            )
        return ""

    def _record_taken(self, sighting, status):
        if self.state != "unknown":
            return
        self._refuse_known(sighting.order_uuid)
        self.move_id.message_post(
            body=self.env._(
                "%(person)s said that this invoice is Front Payment's order %(order)s.",
                person=self.env.user.name,
                order=sighting.order_uuid,
            )
        )
        self._record_found(sighting, status)

    def _record_denied(self):
        if not self._move_to("failed"):
            return
        self.error = False
        self.move_id.message_post(
            body=self.env._(
                "%s said that Front Payment doesn't have this invoice. It can be sent"
                " again.",
                self.env.user.name,
            )
        )

    # === WHAT IS TOLD === #

    def _untold_sentence(self, order_uuid, error):
        if isinstance(error, errors.NotFound):
            return self.env._("Front Payment doesn't know order %s.", order_uuid)
        return self.env._(
            "Front Payment doesn't tell what order %(order)s is. %(reason)s",
            order=order_uuid,
            reason=self._unanswered_sentence(self.company_id, error),
        )

    def _question_sentence(self, candidates, failure):
        """What a person has to know who says now what became of the order.

        :param candidates: the ``frontpay.sighting`` that may be it
        :param str failure: why Front Payment couldn't be asked, if it couldn't
        """
        if self.asks_person:
            return self.error
        if failure:
            return failure
        if not self._is_in_grace():
            return self._reading_sentence()
        return (
            self._early_sentence(candidates) if candidates else self._grace_sentence()
        )

    def _reading_sentence(self):
        return self.env._(
            "Front Payment has orders that nobody here knows. They are looked at by"
            " themselves, one after the other. Come back in some minutes."
        )

    def _early_sentence(self, candidates):
        return self.env._(
            "Front Payment has %(count)s order(s) that may be %(invoice)s, and another"
            " one may still appear until %(time)s. It is looked at again by itself."
            " Take one now only if you know that it is this invoice.",
            count=len(candidates),
            invoice=self.move_id.name,
            time=self._printed_grace_end(),
        )

    def _grace_sentence(self):
        return self.env._(
            "Front Payment doesn't show %(invoice)s so far, but it may still appear."
            " It is looked for by itself; if it isn't there by %(time)s, it can be"
            " sent again.",
            invoice=self.move_id.name,
            time=self._printed_grace_end(),
        )

    def _printed_grace_end(self):
        return format_time(self.env, self._grace_ends_at(), time_format="short")
