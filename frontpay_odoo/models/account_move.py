from odoo import api, fields, models
from odoo.exceptions import AccessError, RedirectWarning, UserError

from ..mapping import Problem
from ..mapping.problem import field_label
from ..mapping.remedy import may_set_up
from ..tools import timeline, transaction
from ..tools.counted import counted
from ..tools.deadline import Deadline
from ..tools.local_time import local_time
from ..tools.notification import notification, outcome
from ..tools.overview import GOES_BY_ITSELF
from ..tools.plan import plan_of
from .frontpay_handover import READERS, grouped_in_order
from .frontpay_order import (
    ENDED_STATES,
    ENVIRONMENTS,
    IN_DOUBT_STATES,
    OPEN_STATES,
    STATES,
)

# States of an online payment that has begun, or is made.
PAYING = ("pending", "authorized", "done")
# More would keep the person waiting, so they are queued.
MAX_SENT_AT_ONCE = 5


class AccountMove(models.Model):
    _inherit = "account.move"

    frontpay_order_ids = fields.One2many(
        "frontpay.order",
        "move_id",
        string="Front Payment Orders",
        readonly=True,
        groups=READERS,
    )
    frontpay_order_id = fields.Many2one(
        "frontpay.order",
        string="Front Payment Order",
        compute="_compute_frontpay_order_id",
        store=True,
        index="btree_not_null",
        groups=READERS,
    )
    # The current order's values.
    frontpay_state = fields.Selection(
        related="frontpay_order_id.state",
        string="Front Payment",
        store=True,
        index="btree_not_null",
        group_expand=grouped_in_order(STATES),
        groups=READERS,
    )
    frontpay_order_uuid = fields.Char(
        related="frontpay_order_id.order_uuid",
        string="Front Payment Order Number",
        groups=READERS,
    )
    frontpay_customer_uuid = fields.Char(
        related="frontpay_order_id.customer_uuid",
        string="Front Payment Customer Number",
        groups=READERS,
    )
    frontpay_verification_url = fields.Char(
        related="frontpay_order_id.verification_url", groups=READERS
    )
    frontpay_invoice_number = fields.Char(
        related="frontpay_order_id.invoice_number",
        groups=READERS,
    )
    frontpay_sent_at = fields.Datetime(
        related="frontpay_order_id.sent_at",
        string="Sent to Front Payment",
        groups=READERS,
    )
    frontpay_refunded_amount = fields.Monetary(
        related="frontpay_order_id.refunded_amount",
        string="Refunded by Front Payment",
        groups=READERS,
    )
    frontpay_channel = fields.Selection(
        related="frontpay_order_id.channel",
        string="Front Payment Channel",
        groups=READERS,
    )
    frontpay_environment = fields.Selection(
        ENVIRONMENTS,
        string="Front Payment Environment",
        compute="_compute_frontpay_environment",
        groups=READERS,
        help="Where its order is, or would be sent.",
    )
    frontpay_timeline = fields.Html(
        related="frontpay_order_id.timeline", groups=READERS
    )
    frontpay_next_step = fields.Char(
        string="Next Step",
        compute="_compute_frontpay_next_step",
        compute_sudo=True,
        groups=READERS,
    )
    frontpay_missing = fields.Char(
        string="Missing",
        compute="_compute_frontpay_readiness",
        groups=READERS,
        help="What the customer could fill in for the invoice to be sent.",
    )
    frontpay_obstacles = fields.Char(
        string="To Correct",
        compute="_compute_frontpay_readiness",
        groups=READERS,
        help="What else keeps the invoice from being sent.",
    )
    frontpay_is_ready = fields.Boolean(
        string="Ready for Front Payment",
        compute="_compute_frontpay_readiness",
        groups=READERS,
        help="It can be sent as it is, once it is confirmed.",
    )
    frontpay_can_send = fields.Boolean(
        string="Can Be Sent to Front Payment",
        compute="_compute_frontpay_choices",
        groups=READERS,
    )
    frontpay_can_cancel = fields.Boolean(
        string="Can Be Cancelled at Front Payment",
        compute="_compute_frontpay_choices",
        groups=READERS,
    )
    frontpay_can_update = fields.Boolean(
        string="Can Be Updated at Front Payment",
        compute="_compute_frontpay_changes",
        compute_sudo=True,
        groups=READERS,
    )
    frontpay_changes = fields.Char(
        string="Changes",
        compute="_compute_frontpay_changes",
        compute_sudo=True,
        groups=READERS,
        help="What Front Payment doesn't have yet as it is now.",
    )
    frontpay_can_change = fields.Boolean(
        string="Can Be Changed",
        compute="_compute_frontpay_choices",
        groups=READERS,
    )

    @api.model
    def _check_field_access(self, field, operation):
        """What became of an invoice at Front Payment is told by its orders alone.

        ``_has_field_access`` would be asked at every reading of every field.
        """
        is_ours = operation == "write" and field.name.startswith("frontpay_")
        if is_ours and not self.env.su:
            raise AccessError(
                self.env._(
                    "“%s” follows from what Front Payment says, and can't be written.",
                    field_label(self, field.name),
                )
            )
        return super()._check_field_access(field, operation)

    @api.depends("frontpay_order_ids.state")
    def _compute_frontpay_order_id(self):
        for move in self:
            # The one that lives, of which there is one at most; else the newest.
            move.frontpay_order_id = move.frontpay_order_ids.sorted(
                lambda order: (order.state not in ENDED_STATES, order.id)
            )[-1:]

    @api.depends("state", "move_type", "payment_state", "frontpay_state", "company_id")
    def _compute_frontpay_choices(self):
        for move in self:
            order = move.sudo().frontpay_order_id
            is_posted = move.state == "posted"
            move.frontpay_can_cancel = not order._why_not_waiting()
            move.frontpay_can_change = is_posted and order._is_changeable()
            move.frontpay_can_send = (
                move.move_type == "out_invoice"
                and is_posted
                and move.payment_state == "not_paid"
                and (order.state == "queued" or not order._keeps_invoice())
                and bool(move.company_id.sudo().frontpay_api_token)
            )

    @api.depends("state", "frontpay_state", "frontpay_order_id.sent_parts")
    @api.depends_context("lang")
    def _compute_frontpay_changes(self):
        for move in self:
            order = move.frontpay_order_id
            is_open = move.state == "posted" and order._can_be_updated()
            difference = order._difference() if is_open else (False, "")
            move.frontpay_can_update, move.frontpay_changes = difference

    @api.depends("frontpay_order_id.environment", "frontpay_can_send")
    def _compute_frontpay_environment(self):
        for move in self:
            company = move.frontpay_can_send and move.company_id.sudo()
            move.frontpay_environment = move.sudo().frontpay_order_id.environment or (
                company and company.frontpay_environment
            )

    @api.depends(
        *("frontpay_order_id.next_step", "frontpay_can_send", "partner_id"),
        *("frontpay_refund_id.next_step", "frontpay_can_refund", "amount_total"),
    )
    @api.depends_context("lang", "tz")
    def _compute_frontpay_next_step(self):
        for move in self:
            handed = move.frontpay_order_id or move.frontpay_refund_id
            is_over = not handed or move.frontpay_state in ENDED_STATES
            plan = is_over and move._frontpay_plan()
            move.frontpay_next_step = " ".join(filter(None, (handed.next_step, plan)))

    def _frontpay_plan(self):
        """What sending it to Front Payment would do; empty, if it never can be."""
        if self._frontpay_may_be_sent():
            return plan_of(self)
        if self.frontpay_can_refund:
            order = self.reversed_entry_id.frontpay_order_id
            return timeline.refund_plan(order, self.amount_total)
        return ""

    @api.depends("frontpay_can_send", "partner_id", "invoice_line_ids")
    @api.depends_context("lang")
    def _compute_frontpay_readiness(self):
        Order, form = self.env["frontpay.order"], self.env["frontpay.customer.form"]
        for move in self:
            saved = move._origin
            may_be_sent = saved._frontpay_may_be_sent()
            found = Order.sudo()._preflight(saved.sudo()) if may_be_sent else []
            problems = [each for each in found if each.field != "state"]
            missing = form._askable(problems)
            others = [
                each.brief or each.message
                for each in problems
                if each.field not in missing
            ]
            move.frontpay_missing = ", ".join(form._labels(missing).values())
            move.frontpay_obstacles = ", ".join(dict.fromkeys(others))
            move.frontpay_is_ready = may_be_sent and not problems

    def _frontpay_may_be_sent(self):
        """Whether it is to be told what sending the invoice would do, and what keeps it
        from being sent: also of a draft, before it is too late."""
        is_draft = (
            self.move_type == "out_invoice"
            and self.state == "draft"
            and self.partner_id
            and not self.sudo().frontpay_order_id._keeps_invoice()
            and self.company_id.sudo().frontpay_api_token
        )
        return bool(is_draft) or self.frontpay_can_send

    @api.depends("frontpay_can_send", "frontpay_pays_back", "frontpay_state")
    def _compute_highlight_send_button(self):
        """One primary button at a time: ours comes first while there is a choice."""
        result = super()._compute_highlight_send_button()
        for move in self.sudo():
            is_ours = move.frontpay_can_send or move.frontpay_pays_back
            if is_ours or move._frontpay_has_order():
                move.highlight_send_button = False
        return result

    @api.depends("frontpay_state", "frontpay_refund_state")
    def _compute_show_reset_to_draft_button(self):
        result = super()._compute_show_reset_to_draft_button()
        for move in self.filtered(lambda move: move._frontpay_why_kept()):
            move.show_reset_to_draft_button = False
        return result

    def write(self, vals):
        """An invoice that Front Payment claims from the customer stays as it is, and a
        credit note that it is refunding."""
        if vals.get("state") in ("draft", "cancel"):
            for move in self:
                move._frontpay_guard(vals["state"])
        result = super().write(vals)
        if vals.keys() & {"state", "matched_payment_ids"}:
            self._frontpay_follow_books()
        return result

    def _post(self, soft=True):
        """What was refunded already is booked out as soon as it is credited, what was
        changed goes out as an update, and what is to be sent at once is queued."""
        posted = super()._post(soft)
        for move in posted.sudo():
            if move.frontpay_is_refunded and not move.frontpay_refund_id:
                self.env["frontpay.refund"].sudo()._record_unasked(move)
            if move.frontpay_order_id.is_changing:
                move.frontpay_order_id.with_company(move.company_id)._follow_change()
        wanted = posted.filtered(lambda move: move._frontpay_is_sent_on_posting())
        if wanted:
            self.env["frontpay.order"]._enqueue(wanted)
        return posted

    def _frontpay_is_sent_on_posting(self):
        """Whether the invoice goes to Front Payment without a click.

        Not if the customer has begun to pay in the portal, where Odoo itself posts it.
        """
        self.ensure_one()
        move = self.sudo()
        if move.move_type != "out_invoice":
            return False
        customer = move.commercial_partner_id.with_company(move.company_id)
        choice = customer.frontpay_send_on_posting
        is_wanted = (
            choice == "yes" if choice else move.journal_id.frontpay_send_on_posting
        )
        return (
            is_wanted
            and bool(move.company_id.frontpay_api_token)
            and move.payment_state == "not_paid"
            and not move.currency_id.is_zero(move.amount_total)
            and not move.transaction_ids.filtered(lambda each: each.state in PAYING)
            and not move._frontpay_has_order()
        )

    def unlink(self):
        for move in self:
            if move.sudo().frontpay_order_id.state in OPEN_STATES:
                move._frontpay_guard("deleted")
        # Those that were sent refuse, and stay with their invoice or credit note.
        self.sudo().frontpay_refund_ids.unlink()
        self.sudo().frontpay_order_ids.unlink()
        return super().unlink()

    def _invoice_paid_hook(self):
        """A payment that somebody registers as told settles what was told."""
        result = super()._invoice_paid_hook()
        for order in self.sudo().frontpay_order_id.filtered("error"):
            order._settle_payment()
        self.sudo().frontpay_refund_id.filtered("error").order_id._book_refunds()
        return result

    def _get_alerts(self):
        alerts = super()._get_alerts()
        if not self.env.user.has_groups(READERS):
            return alerts
        order = self.sudo().frontpay_order_id
        if order.error and not order.is_collected_elsewhere:
            alerts["frontpay"] = {
                "level": "warning" if order.state == "queued" else "danger",
                "message": order.error,
            }
            if self.env.user.has_group("account.group_account_invoice"):
                alerts["frontpay"] |= self._frontpay_way_out(order)
        uncollected = order._nobody_collects_sentence()
        if uncollected:
            alerts["frontpay_uncollected"] = {
                "level": "warning",
                "message": uncollected,
            }
        refund = self.sudo().frontpay_refund_id
        if refund.error:
            alerts["frontpay_refund"] = {
                "level": "warning" if refund.state == "queued" else "danger",
                "message": refund.error,
            }
        change_alert = self._frontpay_change_alert(order)
        if change_alert:
            alerts["frontpay_change"] = change_alert
        link_alert = order.state == "sent" and self._frontpay_link_alert(order)
        if link_alert:
            alerts["frontpay_link"] = link_alert
        if self.frontpay_changes and not (order.error or order.update_queued):
            alerts["frontpay_update"] = {
                "level": "warning",
                "message": self.frontpay_changes,
                **self._frontpay_update_link(),
            }
        alerts |= self._frontpay_claim_alerts()
        outage = order._waited_for_outage()
        if outage:
            alerts["frontpay_outage"] = {
                "level": "warning",
                "message": self.env._(
                    "Front Payment has called back about this invoice, but its status"
                    " can't be updated since %s. It is tried again every minute.",
                    local_time(self.env, outage.since),
                ),
            }
        return alerts

    def _frontpay_way_out(self, order):
        """The link to what settles an order's error, if there is one."""
        note = order._unsent_credit_notes().filtered("frontpay_can_refund")[:1]
        text = action = ""
        if order.needs_decision:
            text = self.env._("Decide")
            action = self._frontpay_server_action("account_move_action_resolve")
        elif not order._why_not_credited():
            text = self.env._("Make the Credit Note")
            name = "account_move_action_make_credit_note"
            action = self._frontpay_server_action(name)
        elif note:
            text = self.env._("Open %s", note.display_name)
            action = note._get_records_action()
        return {"action_text": text, "action": action} if action else {}

    def _frontpay_link_alert(self, order):
        """Why the customer has no link, or None.

        :param order: the ``frontpay.order``, which waits for its customer
        """
        if order.link_error:
            return {"level": "danger", "message": order.link_error}
        if not order.is_link_lost:
            return None
        if order.update_queued:
            message = self.env._("The customer's link was lost; a new one is fetched.")
            return {"level": "info", "message": message}
        message = self.env._("The customer's link was lost.")
        link = self._frontpay_update_link(self.env._("Fetch a New Link"))
        return {"level": "warning", "message": message, **link}

    def _frontpay_update_link(self, text=""):
        """What an alert needs to offer an update, to those who may send one."""
        if not self.env.user.has_group("account.group_account_invoice"):
            return {}
        return {
            "action_text": text or self.env._("Update at Front Payment"),
            "action": self._frontpay_server_action("account_move_action_send"),
        }

    def _frontpay_server_action(self, name):
        """One of the addon's server actions, on this invoice."""
        return {
            "type": "ir.actions.server",
            "id": self.env.ref(f"frontpay_odoo.{name}").id,
            "context": {
                "active_model": self._name,
                "active_id": self.id,
                "active_ids": self.ids,
            },
        }

    def _frontpay_has_order(self):
        """Whether Front Payment has this invoice, or may have it."""
        return self.sudo().frontpay_order_id._keeps_invoice()

    # === ACTIONS === #

    def _frontpay_send_invoices(self):
        """Hand the invoices to Front Payment, each on its own.

        Everything is checked before the first request goes out. What can't be sent is
        told with its reasons, and keeps nothing else from being sent.

        :raises UserError: none of them can be sent
        """
        deadline = Deadline()
        is_untouched = transaction.is_untouched(self.env)
        updated = self.sudo().frontpay_order_id.filtered(
            lambda order: order._can_be_updated()
        )
        ready, problems = self._frontpay_preflight()
        if not ready:
            raise self._frontpay_warning(problems)
        if len(ready) <= MAX_SENT_AT_ONCE and is_untouched:
            orders, refused = self._frontpay_send_now(ready, deadline)
        else:
            orders, refused = self._frontpay_enqueue(ready)
        problems += refused
        if not orders:
            raise self._frontpay_warning(problems)
        return self._frontpay_send_notification(orders, updated, problems)

    def _frontpay_enqueue(self, moves):
        """Have invoices sent by the cron.

        :return: (their orders, a :class:`Problem` for each that isn't queued)
        """
        orders = self.env["frontpay.order"]._enqueue(moves)
        return orders, [
            Problem(move, str(transaction.busy(move)))
            for move in moves - orders.move_id
        ]

    def _frontpay_send_now(self, moves, deadline):
        """Send invoices while somebody waits for it; queue those that there is no time
        for.

        :return: (their orders, a :class:`Problem` for each that wasn't sent)
        """
        Order = self.env["frontpay.order"]
        orders, problems, late = Order.browse(), [], self.browse()
        for company, own_moves in moves.grouped("company_id").items():
            with company._frontpay_client(deadline=deadline) as client:
                for move in own_moves:
                    if not deadline.allows_submission():
                        late += move
                        continue
                    try:
                        orders += Order._send(move, client, interactive=True)[0]
                    except UserError as error:
                        problems.append(Problem(move, str(error)))
        queued, refused = self._frontpay_enqueue(late)
        return orders + queued, problems + refused

    def action_frontpay_change(self):
        """Reset invoices whose orders wait for their customers. Posted again, they go
        out as updates of the same orders.

        :raises UserError: one of them can't be changed at Front Payment any more
        """
        self._frontpay_check_rights()
        for move in self:
            refusal = move.sudo().frontpay_order_id._why_not_changeable()
            if refusal:
                raise UserError(refusal)
        self.with_context(frontpay_change=True).button_draft()

    def action_frontpay_cancel(self):
        """Open the dialog that cancels the invoices' orders at Front Payment.

        :raises UserError: none of them can be cancelled
        """
        name = self.env._("Cancel at Front Payment")
        return self._frontpay_open_dialog("frontpay.cancel", name)

    def action_frontpay_resend(self):
        """Open the dialog in which Front Payment sends its link again.

        :raises UserError: none of them waits for its customer
        """
        name = self.env._("Have Front Payment Send Its Link Again")
        return self._frontpay_open_dialog("frontpay.resend", name)

    def _frontpay_open_dialog(self, model, name):
        """A dialog for those invoices whose order waits for its customer."""
        self._frontpay_check_rights()
        orders = self.sudo().frontpay_order_id
        refusals = {order: order._why_not_waiting() for order in orders}
        waiting = orders.filtered(lambda order: not refusals[order])
        if not waiting:
            said = dict.fromkeys(refusals.values()) or [orders._why_not_waiting()]
            raise UserError("\n".join(said))
        return {
            "type": "ir.actions.act_window",
            "res_model": model,
            "view_mode": "form",
            "target": "new",
            "name": name,
            "context": {"default_move_ids": waiting.move_id.ids},
        }

    def _frontpay_each_order(self, step, name, dialog):
        """Do something with each invoice's order at Front Payment while somebody waits.

        :param step: called with the order and the client; returns a sentence about what
            went wrong, or raises UserError
        :param str name: of the sentence about those that went well, a key of
            :const:`tools.counted.SENTENCES`
        :param str dialog: the model of the dialog that was confirmed
        :return: a notification
        :raises UserError: none went well
        """
        self._frontpay_check_rights()
        deadline = Deadline()
        if not transaction.is_untouched(self.env, dialog):
            raise UserError(
                self.env._(
                    "Front Payment can't be called in the middle of other changes. Save"
                    " them first."
                )
            )
        outcomes = []
        for company, moves in self.grouped("company_id").items():
            with company._frontpay_client(deadline=deadline) as client:
                outcomes += [
                    move._frontpay_try_step(step, client, deadline) for move in moves
                ]
        problems = list(filter(None, outcomes))
        done = len(outcomes) - len(problems)
        if not done:
            raise UserError("\n".join(problems))
        kind = "warning" if problems else "success"
        return notification(
            kind, "\n".join([counted(self.env, name, done), *problems]), reload=True
        )

    def _frontpay_try_step(self, step, client, deadline):
        """Do something with one invoice's order, in the invoice's company.

        :param step: as of :meth:`_frontpay_each_order`
        :return: a sentence about what went wrong, or an empty string
        """
        if not deadline.allows_submission():
            return self.env._(
                "%s: Front Payment is slow to answer. Try again later.",
                self.display_name,
            )
        order = self.sudo().frontpay_order_id.with_company(self.company_id)
        try:
            return step(order, client)
        except UserError as error:
            return str(error)

    def action_frontpay_open_orders(self):
        """Open the invoices' orders; of one that was sent once, its page."""
        return self.frontpay_order_ids._get_records_action(name=self.env._("Orders"))

    def action_frontpay_ask_customer(self):
        """Open the dialog that asks the customer for what the invoice lacks."""
        self.ensure_one()
        self._frontpay_check_rights()
        return self.env["frontpay.ask.customer"]._open_for(self)

    def _frontpay_withdraw_invoices(self):
        """Take invoices out of the queue, those that are in it.

        :raises UserError: none of them is, or one is just being sent
        """
        self._frontpay_check_rights()
        queued = self.filtered(lambda move: move.sudo().frontpay_state == "queued")
        if not queued:
            raise UserError(self.env._("None of these invoices is in the queue."))
        for move in queued:
            self.env["frontpay.order"]._cancel_queued(move)

    def _frontpay_refresh_invoices(self):
        """Ask Front Payment for the current state of the invoices' orders.

        :return: a notification that tells how it went
        """
        self._frontpay_check_rights()
        return self.sudo().frontpay_order_id._refresh_or_schedule()

    def _frontpay_resolve_invoices(self):
        """Find out what became of invoices whose sending had no clear outcome.

        :return: an action that tells what is known now; for a single invoice that
            isn't settled, the dialog in which a person decides
        """
        self._frontpay_check_rights()
        deadline = Deadline()
        orders = self.sudo().frontpay_order_id
        in_doubt = orders.filtered(lambda order: order.state in IN_DOUBT_STATES)
        told = []
        if transaction.is_untouched(self.env):
            told = list(in_doubt._recover(deadline=deadline).values())
            if not deadline.left():
                told.append(
                    self.env._(
                        "Front Payment is slow to answer. What is left is checked"
                        " automatically in a moment."
                    )
                )
            if len(self) == 1 and in_doubt.state == "unknown":
                return self.env["frontpay.resolve"]._open(in_doubt, "\n".join(told))
        else:
            in_doubt._trigger_cron("cron_recover")
        is_settled = not any(order.state in IN_DOUBT_STATES for order in orders)
        return notification(
            "success" if is_settled else "warning",
            "\n".join([*told, *orders._outcome_lines()]),
            reload=True,
        )

    def _frontpay_preflight(self):
        """Tell the invoices that can be sent from those that can't.

        :return: (invoices, list of :class:`mapping.Problem`)
        """
        self._frontpay_check_rights()
        ready = self.browse()
        problems = []
        for move in self:
            found = self.env["frontpay.order"]._preflight(move)
            ready += move if not found else self.browse()
            problems += found
        return ready, problems

    def _frontpay_warning(self, problems):
        """All problems in one message, with a way to the first record to correct."""
        message = self._frontpay_problem_text(problems)
        record = problems[0].record
        if record == self:
            return UserError(message)
        if record._name == "res.company":
            return self._frontpay_settings_warning(record, problems[0], message)
        return RedirectWarning(
            message,
            record._get_records_action(),
            self.env._("Open %s", record.display_name),
        )

    def _frontpay_settings_warning(self, company, problem, message):
        """The way to the settings for those who may change them. For all others, an
        administrator gets an activity, which the error to come doesn't take back."""
        if may_set_up(self.env):
            action = company._frontpay_settings_action(problem.field)
            return RedirectWarning(message, action, self.env._("Open Settings"))
        transaction.run_apart(company, "_frontpay_ask_administrator", message)
        return UserError(message)

    def _frontpay_problem_text(self, problems):
        return "\n".join(dict.fromkeys(problem.message for problem in problems))

    def _frontpay_send_notification(self, orders, updated, problems):
        """Tell what became of the invoices that were to be sent.

        :param orders: those that went out, or were to
        :param updated: those that Front Payment had before
        """
        waiting = orders.filtered(lambda order: order._is_queued() and not order.error)
        sent = (orders - waiting).filtered(
            lambda order: not order.error and order.state not in ("failed", "unknown")
        )
        left = orders - waiting - sent
        lines = [
            counted(self.env, "queued", len(waiting)),
            counted(self.env, "sent", len(sent - updated)),
            counted(self.env, "updated", len(sent & updated)),
            *(f"{order.move_id.display_name}: {order.error}" for order in left),
            self._frontpay_problem_text(problems),
            *(
                f"{order.move_id.display_name}: {order.note}"
                for order in sent.filtered("note")
            ),
        ]
        well = sent + waiting
        tried_again = left.filtered_domain(GOES_BY_ITSELF)
        return outcome(
            "\n".join(filter(None, lines)),
            records=self,
            is_done=len(well) == len(self),
            heals=len(well + tried_again) == len(self),
        )
