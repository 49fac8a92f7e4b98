from odoo import api, fields, models
from odoo.exceptions import RedirectWarning, UserError
from odoo.fields import Domain

from ..connect import errors
from ..mapping import Problem
from ..tools import transaction
from ..tools.counted import counted
from ..tools.deadline import Deadline
from ..tools.notification import notification, outcome
from ..tools.overview import GOES_BY_ITSELF
from .account_move import MAX_SENT_AT_ONCE, READERS
from .frontpay_refund import WAITING_STATES

NOT_SENT_STATES = ("failed", "unknown", "needs_approval", "rejected")


class AccountMove(models.Model):
    """Credit notes are handed to Front Payment."""

    # In a file of its own, above the one that hands invoices over.
    _inherit = "account.move"  # pylint: disable=consider-merging-classes-inherited

    frontpay_refund_ids = fields.One2many(
        "frontpay.refund",
        "move_id",
        string="Front Payment Refunds",
        readonly=True,
        groups=READERS,
    )
    frontpay_refund_id = fields.Many2one(
        "frontpay.refund",
        string="Front Payment Refund",
        compute="_compute_frontpay_refund_id",
        store=True,
        index="btree_not_null",
        groups=READERS,
    )
    frontpay_refund_state = fields.Selection(
        related="frontpay_refund_id.state",
        string="Refund",
        store=True,
        index="btree_not_null",
        groups=READERS,
    )
    # An invoice has an order, a credit note a refund.
    frontpay_error = fields.Text(
        string="Front Payment Error",
        compute="_compute_frontpay_error",
        search="_search_frontpay_error",
        groups=READERS,
    )
    frontpay_can_refund = fields.Boolean(
        string="Can Be Refunded by Front Payment",
        compute="_compute_frontpay_can_refund",
        groups=READERS,
    )
    frontpay_pays_back = fields.Boolean(
        string="Paid Back by Front Payment",
        compute="_compute_frontpay_can_refund",
        groups=READERS,
        help="Or it can be.",
    )
    frontpay_refund_count = fields.Integer(
        string="Number of Refunds",
        compute="_compute_frontpay_refund_count",
        groups=READERS,
        help="The credit note's own, or those of the invoice.",
    )
    frontpay_refund_open = fields.Boolean(
        string="Refund Without an End",
        compute="_compute_frontpay_can_refund",
        groups=READERS,
        help="Front Payment's figures may tell what becomes of it.",
    )

    @api.depends("frontpay_refund_ids")
    def _compute_frontpay_refund_id(self):
        for move in self:
            move.frontpay_refund_id = move.frontpay_refund_ids  # one at most

    @api.depends("frontpay_refund_ids", "frontpay_order_ids.refund_ids")
    def _compute_frontpay_refund_count(self):
        for move in self:
            move.frontpay_refund_count = len(move._frontpay_refunds())

    def _frontpay_refunds(self):
        return self.frontpay_refund_ids | self.frontpay_order_ids.refund_ids

    @api.depends("frontpay_order_id.error", "frontpay_refund_id.error")
    @api.depends_context("lang")
    def _compute_frontpay_error(self):
        for move in self:
            move.frontpay_error = (
                move.frontpay_order_id.error or move.frontpay_refund_id.error
            )

    @api.model
    def _search_frontpay_error(self, operator, value):
        # Neither the order nor the refund has one; most invoices have neither.
        if operator == "in" and False in value:
            return ~self._search_frontpay_error("not in", value)
        return Domain.OR(
            Domain(f"{name}.error", operator, value)
            for name in ("frontpay_order_id", "frontpay_refund_id")
        )

    @api.depends(
        "move_type",
        "state",
        "frontpay_refund_state",
        "reversed_entry_id.frontpay_state",
    )
    def _compute_frontpay_can_refund(self):
        for move in self:
            order = move.reversed_entry_id.sudo().frontpay_order_id
            move.frontpay_can_refund = (
                move.move_type == "out_refund"
                and move.state == "posted"
                and order._keeps_invoice()
                and move.sudo().frontpay_refund_state in (False, *WAITING_STATES)
            )
            refund = move.sudo().frontpay_refund_id
            move.frontpay_refund_open = refund._waits_for_figures()
            move.frontpay_pays_back = move.frontpay_can_refund or refund._is_running()

    # === ACTIONS === #

    def action_frontpay_check(self):
        """Look whether invoices and credit notes can be sent, and send nothing.

        :raises UserError: with everything that has to be corrected first
        """
        notes = self.filtered(lambda move: move.move_type == "out_refund")
        ready, problems = (self - notes)._frontpay_preflight()
        notes, found = notes._frontpay_note_preflight()
        if problems or found:
            raise self._frontpay_warning(problems + found)
        lines = [counted(self.env, "ready", len(ready))]
        for effect, some in notes.grouped(lambda note: note._frontpay_effect()).items():
            lines.append(counted(self.env, f"notes_{effect}", len(some)))
        message = "\n".join(filter(None, lines))
        return notification("success", message, reload=True)

    def _frontpay_note_preflight(self):
        """:return: (credit notes that can be sent, list of :class:`Problem`)"""
        refunds = self.env["frontpay.refund"]
        found = {note: refunds._note_preflight(note) for note in self}
        ready = self.filtered(lambda note: not found[note])
        return ready, [problem for problems in found.values() for problem in problems]

    def _frontpay_effect(self):
        order = self.reversed_entry_id.sudo().frontpay_order_id
        return self.env["frontpay.refund"]._effect_on(order, self.amount_total)

    def action_frontpay_send(self):
        """Hand invoices and credit notes to Front Payment: orders, and refunds or
        changes of orders that still wait for their customers.

        :raises UserError: none of them can be handed over
        """
        notes = self.filtered(lambda move: move.move_type == "out_refund")
        if not notes:
            return self._frontpay_send_invoices()
        invoices = self - notes
        if not invoices:
            return notes._frontpay_send_notes()
        told = []
        for send in (invoices._frontpay_send_invoices, notes._frontpay_send_notes):
            try:
                told.append(send()["params"])
            except (UserError, RedirectWarning) as error:
                told.append({"type": "danger", "message": error.args[0]})
        kinds = {each["type"] for each in told}
        return outcome(
            "\n".join(each["message"] for each in told),
            records=self,
            is_done=kinds == {"success"},
            heals="danger" not in kinds,
        )

    def _frontpay_check_batch(self):
        """Tell those that can go from those that can't.

        :return: (invoices and credit notes, [(one of them, its :class:`Problem`)])
        """
        self._frontpay_check_rights()
        refunds = self.env["frontpay.refund"]
        orders = self.env["frontpay.order"]
        ready, problems = self.browse(), []
        for move in self:
            is_note = move.move_type == "out_refund"
            found = (
                refunds._note_preflight(move) if is_note else orders._preflight(move)
            )
            ready += move if not found else self.browse()
            problems += [(move, problem) for problem in found]
        return ready, problems

    def action_frontpay_open_refunds(self):
        """Open the credit notes' refunds, or those of the invoices."""
        refunds = self._frontpay_refunds()
        return refunds._get_records_action(name=self.env._("Refunds"))

    def _frontpay_send_notes(self):
        """Hand credit notes to Front Payment, each on its own.

        :raises UserError: none of them can be handed over
        """
        self._frontpay_check_rights()
        deadline = Deadline()
        is_untouched = transaction.is_untouched(self.env)
        ready, problems = self._frontpay_note_preflight()
        if ready and is_untouched and len(ready) <= MAX_SENT_AT_ONCE:
            sent, refused = ready._frontpay_refund_now(deadline)
        else:
            sent, refused = ready._frontpay_enqueue_notes()
        problems += refused
        if not sent:
            raise self._frontpay_warning(problems)
        return self._frontpay_refund_notification(sent, problems)

    def _frontpay_refund_now(self, deadline, *, is_request=False):
        """Hand credit notes over while somebody waits for it.

        :return: (their refunds, a :class:`Problem` for each that isn't handed over)
        """
        refunds = self.env["frontpay.refund"].sudo()
        done, problems, late = refunds.browse(), [], self.browse()
        for company, notes in self.grouped("company_id").items():
            with company._frontpay_client(deadline=deadline) as client:
                for note in notes:
                    if not deadline.allows_submission():
                        late += note
                        continue
                    try:
                        refund, _error = refunds._hand_over(
                            note, client, interactive=True, is_request=is_request
                        )
                        done += refund
                    except errors.FrontPaymentError as error:
                        sentence = company._frontpay_failure_sentence(error)
                        problems.append(Problem(note, sentence))
                    except UserError as error:
                        problems.append(Problem(note, str(error)))
        queued, refused = late._frontpay_enqueue_notes()
        return done + queued, problems + refused

    def _frontpay_enqueue_notes(self):
        """:return: as :meth:`_frontpay_refund_now`"""
        queued = self.env["frontpay.refund"]._enqueue_notes(self)
        return queued, [
            Problem(note, str(transaction.busy(note))) for note in self - queued.move_id
        ]

    def _frontpay_refund_notification(self, refunds, problems):
        """Tell what became of the credit notes that were to be handed over."""
        waiting = refunds.filtered(
            lambda refund: refund.state == "queued" and not refund.error
        )
        left = refunds.filtered(
            lambda refund: refund.state in NOT_SENT_STATES or refund.error
        )
        sent = refunds - waiting - left
        lines = [
            counted(self.env, "notes_queued", len(waiting)),
            counted(self.env, "notes_sent", len(sent)),
            *(f"{refund.move_id.display_name}: {refund.error}" for refund in left),
            self._frontpay_problem_text(problems),
        ]
        for_somebody = left - left.filtered_domain(GOES_BY_ITSELF)
        return outcome(
            "\n".join(filter(None, lines)),
            records=self,
            is_done=not left and not problems,
            heals=not for_somebody and not problems,
        )

    def action_frontpay_request_approval(self):
        """Open the dialog that asks Front Payment to approve a refund.

        :raises UserError: it needs none
        """
        self._frontpay_check_rights()
        waiting = self.filtered(
            lambda move: move.sudo().frontpay_refund_state == "needs_approval"
        )
        if not waiting:
            raise UserError(self.env._("None of these refunds needs approval."))
        return {
            "type": "ir.actions.act_window",
            "res_model": "frontpay.approval",
            "view_mode": "form",
            "target": "new",
            "name": self.env._("Ask Front Payment for Approval"),
            "context": {"default_move_ids": waiting.ids},
        }

    def action_frontpay_withdraw(self):
        """Take invoices and credit notes out of the queue, and refunds that need
        approval.

        :raises UserError: none of them is there, or one is just being sent
        """
        notes = self.filtered(
            lambda move: (
                move.sudo().frontpay_refund_state in ("queued", "needs_approval")
            )
        )
        if not notes:
            return self._frontpay_withdraw_invoices()
        self._frontpay_check_rights()
        for note in notes:
            note.sudo().frontpay_refund_id._withdraw()
        invoices = self - notes
        return invoices and invoices._frontpay_withdraw_invoices()

    def action_frontpay_refresh(self):
        """Ask Front Payment for the current state of the orders: the invoices' own, and
        those that credit notes lower.

        :return: a notification that tells how it went
        """
        notes = self.filtered(lambda move: move.sudo().frontpay_refund_id)
        invoices = (self - notes) | notes.sudo().frontpay_refund_id.order_id.move_id
        return invoices._frontpay_refresh_invoices()

    def action_frontpay_resolve(self):
        """Find out what became of invoices, or of a refund, whose sending had no clear
        outcome.

        :return: an action that tells what is known now; for a single one that isn't
            settled, the dialog in which a person decides
        """
        refund = self.sudo().frontpay_refund_id
        if len(self) > 1 or not refund:
            return self._frontpay_resolve_invoices()
        told = self.action_frontpay_refresh()
        if refund._waits_for_figures():
            return self.env["frontpay.refund.resolve"]._open_dialog(refund)
        return told
