from odoo import Command, fields, models
from odoo.exceptions import UserError

from ..mapping.part_credit import missing_amount, part_lines
from ..tools import transaction
from .account_move import READERS


class AccountMove(models.Model):
    """What Front Payment has refunded by itself is credited with one click."""

    # In a file of its own, above the one that hands credit notes over.
    _inherit = "account.move"  # pylint: disable=consider-merging-classes-inherited

    frontpay_is_refunded = fields.Boolean(
        string="Refunded Already",
        readonly=True,
        copy=False,
        groups=READERS,
        help="It was made for what Front Payment had refunded by itself: posting it"
        " books that, and nothing is sent.",
    )

    def action_frontpay_make_credit_note(self):
        """Open the credit note for what Front Payment has refunded by itself; without
        one, a draft is filled in.

        :return: an action
        :raises UserError: there is nothing to credit, or it doesn't fit
        """
        self.ensure_one()
        self._frontpay_check_rights()
        transaction.lock(self)
        drafts = self.reversal_move_ids.filtered(
            lambda note: note.state == "draft" and note.sudo().frontpay_is_refunded
        )
        note = drafts[:1] or self._frontpay_draft_credit_note()
        return note._get_records_action()

    def _frontpay_draft_credit_note(self):
        order = self.sudo().frontpay_order_id.with_company(self.company_id)
        refusal = order._why_not_credited()
        if refusal:
            raise UserError(refusal)
        amount = order._refunded_rest()
        day = self.company_id._frontpay_day()
        reason = self.env._("Refunded by Front Payment, order %s", order.order_uuid)
        note = self._reverse_moves([{"invoice_date": day, "ref": reason}])
        is_whole = order._is_equal(amount, self.amount_total)
        if not is_whole:
            lines = part_lines(self, amount, reason)
            commands = [Command.create(line) for line in lines]
            note.invoice_line_ids = [Command.clear(), *commands]
            missing, tax_line = missing_amount(note, amount)
            tax_line.amount_currency += missing
        if not order._is_equal(note.amount_total, amount):
            raise UserError(
                self.env._(
                    "A credit note over exactly %s can't be filled in by itself. Make"
                    " it yourself and send it to Front Payment: nothing is paid back"
                    " twice.",
                    self.currency_id.format(amount),
                )
            )
        note.sudo().frontpay_is_refunded = True
        note.message_post(body=note._frontpay_filled_sentence(is_whole))
        return note

    def _frontpay_filled_sentence(self, is_whole):
        details = {"amount": self.currency_id.format(self.amount_total)}
        if is_whole:
            return self.env._(
                "Front Payment has refunded %(amount)s by itself: the whole invoice."
                " Confirming this books it, and pays nothing back.",
                **details,
            )
        return self.env._(
            "Front Payment has refunded %(amount)s by itself, and doesn't say of what:"
            " there is one line for each VAT rate, in the invoice's proportions."
            " Change them as you know better, but for the total. Confirming this books"
            " it, and pays nothing back.",
            **details,
        )
