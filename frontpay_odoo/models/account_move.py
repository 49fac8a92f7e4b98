from odoo import api, fields, models
from odoo.exceptions import RedirectWarning, UserError
from odoo.tools import SQL

from ..mapping import Problem
from .frontpay_order import ENDED_STATES, STATES
from .frontpay_order_recovery import UNSETTLED

AT_ONCE = 5  # invoices; more would keep the person waiting, so they are queued
READERS = "account.group_account_readonly,account.group_account_invoice"


class AccountMove(models.Model):
    _inherit = "account.move"

    frontpay_order_ids = fields.One2many(
        "frontpay.order", "move_id", string="Front Payment Orders", groups=READERS
    )
    frontpay_order_id = fields.Many2one(
        "frontpay.order",
        string="Front Payment Order",
        compute="_compute_frontpay_order_id",
        store=True,
        copy=False,
        groups=READERS,
    )
    # The current order's values.
    frontpay_state = fields.Selection(
        STATES,
        string="Front Payment",
        compute="_compute_frontpay_state",
        store=True,
        copy=False,
        index="btree_not_null",
        groups=READERS,
    )
    frontpay_order_uuid = fields.Char(
        related="frontpay_order_id.order_uuid", groups=READERS
    )
    frontpay_customer_uuid = fields.Char(
        related="frontpay_order_id.customer_uuid", groups=READERS
    )
    frontpay_verification_url = fields.Char(
        related="frontpay_order_id.verification_url", groups=READERS
    )
    frontpay_invoice_number = fields.Char(
        related="frontpay_order_id.invoice_number",
        string="Front Payment Invoice Number",
        groups=READERS,
    )
    frontpay_error = fields.Text(related="frontpay_order_id.error", groups=READERS)
    frontpay_sent_at = fields.Datetime(
        related="frontpay_order_id.sent_at",
        string="Handed to Front Payment",
        groups=READERS,
    )
    frontpay_refunded_amount = fields.Monetary(
        related="frontpay_order_id.refunded_amount", groups=READERS
    )
    frontpay_can_send = fields.Boolean(
        compute="_compute_frontpay_can_send", groups=READERS
    )

    frontpay_can_update = fields.Boolean(
        compute="_compute_frontpay_can_update", groups=READERS
    )

    @api.model
    def _has_field_access(self, field, operation):
        """What became of an invoice at Front Payment is told by its orders alone."""
        if (
            operation == "write"
            and field.name.startswith("frontpay_")
            and not self.env.su
        ):
            return False
        return super()._has_field_access(field, operation)

    @api.depends("frontpay_order_ids.state")
    def _compute_frontpay_order_id(self):
        for move in self:
            # The one that lives, of which there is one at most; else the newest.
            move.frontpay_order_id = move.frontpay_order_ids.sorted(
                lambda order: (order.state not in ENDED_STATES, order.id)
            )[-1:]

    @api.depends("frontpay_order_id.state")
    def _compute_frontpay_state(self):
        for move in self:
            move.frontpay_state = move.frontpay_order_id.state

    @api.depends("state", "move_type", "payment_state", "frontpay_state", "company_id")
    def _compute_frontpay_can_send(self):
        for move in self:
            move.frontpay_can_send = (
                move.move_type == "out_invoice"
                and move.state == "posted"
                and move.payment_state == "not_paid"
                and (move.frontpay_state == "queued" or not move._frontpay_has_order())
                and bool(move.company_id.sudo().frontpay_api_token)
            )

    @api.depends("state", "frontpay_state")
    def _compute_frontpay_can_update(self):
        for move in self:
            order = move.sudo().frontpay_order_id
            move.frontpay_can_update = move.state == "posted" and (
                order._can_be_updated()
            )

    @api.depends("frontpay_can_send", "frontpay_state")
    def _compute_highlight_send_button(self):
        """One primary button at a time: ours comes first while there is a choice."""
        result = super()._compute_highlight_send_button()
        for move in self.sudo():
            if move.frontpay_can_send or move.frontpay_state in UNSETTLED:
                move.highlight_send_button = False
        return result

    @api.depends("frontpay_state")
    def _compute_show_reset_to_draft_button(self):
        result = super()._compute_show_reset_to_draft_button()
        for move in self.filtered(lambda move: move._frontpay_has_order()):
            move.show_reset_to_draft_button = False
        return result

    def _check_draftable(self):
        """An invoice that Front Payment claims from the customer stays as it is."""
        for move in self:
            if move._frontpay_has_order():
                raise UserError(move._frontpay_has_order_message())
        return super()._check_draftable()

    def _get_alerts(self):
        alerts = super()._get_alerts()
        if self.env.user.has_groups(READERS) and self.frontpay_error:
            alerts["frontpay"] = {
                "level": "warning" if self.frontpay_state == "queued" else "danger",
                "message": self.frontpay_error,
            }
            may_answer = self.env.user.has_group("account.group_account_invoice")
            if may_answer and self.sudo().frontpay_order_id.asks_person:
                alerts["frontpay"] |= self._frontpay_answer_link()
        return alerts

    def _frontpay_answer_link(self):
        return {
            "action_text": self.env._("Answer"),
            "action": {
                "type": "ir.actions.server",
                "id": self.env.ref("frontpay_odoo.account_move_action_resolve").id,
                "context": {
                    "active_model": self._name,
                    "active_id": self.id,
                    "active_ids": self.ids,
                },
            },
        }

    def _frontpay_has_order(self):
        """Whether Front Payment has this invoice, or may have it."""
        self.ensure_one()
        state = self.sudo().frontpay_state
        return bool(state) and state not in ENDED_STATES

    def _frontpay_has_order_message(self):
        order = self.sudo().frontpay_order_id
        return self.env._(
            "%(invoice)s has been handed to Front Payment already (%(state)s).",
            invoice=self.display_name,
            state=order._state_label(order.state),
        )

    def _frontpay_unchanged_message(self):
        return self.env._(
            "%(invoice)s hasn't changed since it was handed to Front Payment, so it"
            " isn't sent again.",
            invoice=self.display_name,
        )

    # === ACTIONS === #

    def action_frontpay_check(self):
        """Look whether the invoices can be sent, and send nothing.

        :raises UserError: with everything that has to be mended first
        """
        ready, problems = self._frontpay_preflight()
        if problems:
            raise self._frontpay_warning(problems)
        return self._frontpay_notification(
            "success",
            self.env._("%s invoice(s) can be sent to Front Payment.", len(ready)),
        )

    def action_frontpay_send(self):
        """Hand the invoices to Front Payment, each on its own.

        Everything is checked before the first request goes out. What can't be sent is
        told with its reasons, and keeps nothing else from being sent.

        :raises UserError: none of them can be sent
        """
        may_commit = self._frontpay_may_commit()
        ready, problems = self._frontpay_preflight()
        if not ready:
            raise self._frontpay_warning(problems)
        if len(ready) > AT_ONCE or not may_commit:
            orders = self.env["frontpay.order"]._queue(ready)
            problems += [
                Problem(move, orders._busy_message(move))
                for move in ready - orders.move_id
            ]
        else:
            orders = self._frontpay_send_now(ready, problems)
        if not orders:
            raise self._frontpay_warning(problems)
        return self._frontpay_report(orders, problems)

    def _frontpay_may_commit(self):
        """Whether this transaction has nothing to commit but what comes of sending.

        In an automation, an import or another addon's method it isn't over yet: what
        is written so far must stay with what comes after.
        """
        self.env.flush_all()
        [[transaction]] = self.env.execute_query(
            SQL("SELECT pg_current_xact_id_if_assigned()::text")
        )
        return not (transaction and self._can_commit())

    def _frontpay_send_now(self, moves, problems):
        """Send invoices while somebody waits for it.

        :param list problems: where to add why one wasn't sent
        :return: their orders
        """
        Order = self.env["frontpay.order"]
        orders = Order.browse()
        for company, own_moves in moves.grouped("company_id").items():
            exchanges = []
            with company._frontpay_client(exchanges.append) as client:
                for move in own_moves:
                    try:
                        orders += Order._send(move, client, exchanges)[0]
                    except UserError as error:
                        problems.append(Problem(move, str(error)))
        return orders

    def action_frontpay_withdraw(self):
        """Take invoices out of the queue, those that are in it.

        :raises UserError: none of them is, or one is just being sent
        """
        self.check_access("write")
        queued = self.filtered(lambda move: move.sudo().frontpay_state == "queued")
        if not queued:
            raise UserError(
                self.env._("None of these invoices is in Front Payment's queue.")
            )
        for move in queued:
            self.env["frontpay.order"]._withdraw(move)

    def action_frontpay_refresh(self):
        """Ask Front Payment for the current state of the invoices' orders."""
        self.check_access("write")
        return self._frontpay_ask(self.sudo().frontpay_order_id)

    @api.model
    def _frontpay_ask(self, orders):
        """Ask Front Payment for orders, now or once this transaction is over.

        :return: a notification that tells how it went
        """
        if not self._frontpay_may_commit():
            orders._ask_soon()
            return self._frontpay_notification(
                "success", self.env._("Front Payment will be asked in a moment.")
            )
        failures = orders._refresh()
        if not failures:
            return self._frontpay_notification(
                "success", self.env._("Asked Front Payment: the state is up to date.")
            )
        return self._frontpay_notification("danger", "\n".join(set(failures.values())))

    def action_frontpay_resolve(self):
        """Find out what became of invoices whose sending had no clear outcome.

        :return: an action that tells what is known now; for a single invoice that
            isn't settled, the question for a person
        """
        self.check_access("write")
        orders = self.sudo().frontpay_order_id
        orders = orders.filtered(lambda order: order.state in UNSETTLED)
        if not self._frontpay_may_commit():
            orders._trigger_cron("cron_resolve")
            return self._frontpay_tell_states()
        failures = orders._resolve()
        if len(self) == 1 and orders.state == "unknown":
            failure = failures.get(self.company_id, "")
            return self.env["frontpay.resolve"]._of(orders, failure)._open()
        return self._frontpay_tell_states(failures.values())

    def _frontpay_tell_states(self, failures=()):
        """Say what states the invoices' orders have.

        :param failures: sentences about what couldn't be asked
        """
        orders = self.sudo().frontpay_order_id
        lines = [
            self.env._(
                "%(invoice)s: %(state)s",
                invoice=order.move_id.display_name,
                state=order._state_label(order.state),
            )
            for order in orders
        ]
        is_settled = not any(order.state in UNSETTLED for order in orders)
        kind = "success" if is_settled else "warning"
        return self._frontpay_notification(kind, "\n".join([*failures, *lines]))

    def action_frontpay_open_verification(self):
        """Open the customer's BankID address in a new tab."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_url",
            "url": self.frontpay_verification_url,
            "target": "new",
        }

    def action_frontpay_exchanges(self):
        """Show what was exchanged with Front Payment about these invoices."""
        return {
            "type": "ir.actions.act_window",
            "res_model": "frontpay.exchange",
            "view_mode": "list,form",
            "domain": [("order_id.move_id", "in", self.ids)],
            "name": self.env._("Front Payment Exchanges"),
        }

    def _frontpay_preflight(self):
        """Tell the invoices that can be sent from those that can't.

        :return: (invoices, list of :class:`mapping.Problem`)
        """
        self.check_access("write")
        ready = self.browse()
        problems = []
        for move in self:
            found = self.env["frontpay.order"]._check(move)
            ready += move if not found else self.browse()
            problems += found
        return ready, problems

    def _frontpay_warning(self, problems):
        """All problems in one message, with a way to the first record to mend."""
        message = self._frontpay_problem_text(problems)
        record = problems[0].record
        if record == self:
            return UserError(message)
        if record._name == "res.company":
            action = self.env.ref("account.action_account_config").id
            return RedirectWarning(message, action, self.env._("Open the settings"))
        return RedirectWarning(
            message,
            record._get_records_action(),
            self.env._("Open %s", record.display_name),
        )

    def _frontpay_problem_text(self, problems):
        return "\n".join(dict.fromkeys(problem.message for problem in problems))

    def _frontpay_report(self, orders, problems):
        """Tell what became of the invoices that were to be sent."""
        waiting = orders.filtered(
            lambda order: order.update_queued or order.state == "queued"
        )
        waiting = waiting.filtered(lambda order: not order.error)
        gone = (orders - waiting).filtered(
            lambda order: not order.error and order.state not in ("failed", "unknown")
        )
        lines = [
            f"{order.move_id.display_name}: {order.error}"
            for order in orders - waiting - gone
        ]
        if problems:
            lines.append(self._frontpay_problem_text(problems))
        if gone:
            lines.insert(
                0, self.env._("%s invoice(s) handed to Front Payment.", len(gone))
            )
        lines += [
            f"{order.move_id.display_name}: {order.note}"
            for order in gone
            if order.note
        ]
        if waiting:
            lines.insert(
                0,
                self.env._(
                    "%s invoice(s) are queued and go out by themselves, one after the"
                    " other.",
                    len(waiting),
                ),
            )
        kind = "success" if len(gone + waiting) == len(self) else "danger"
        return self._frontpay_notification(kind, "\n".join(lines))

    def _frontpay_notification(self, kind, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "message": message,
                "sticky": kind != "success",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
