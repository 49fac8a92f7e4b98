from math import ceil

from odoo import api, fields, models

from ..mapping.remedy import may_set_up
from ..models.account_move import MAX_SENT_AT_ONCE

NAMED = 5  # records of a reason; of more, it says how many


class FrontpayBatch(models.TransientModel):
    """What happens when many invoices and credit notes are sent together."""

    _name = "frontpay.batch"
    _description = "Front Payment: Send Several"

    move_ids = fields.Many2many(
        "account.move", "frontpay_batch_move", string="Chosen", readonly=True
    )
    ready_ids = fields.Many2many(
        "account.move", "frontpay_batch_ready", string="Can Be Sent", readonly=True
    )
    line_ids = fields.One2many(
        "frontpay.batch.line", "batch_id", string="Can't Be Sent", readonly=True
    )
    ready_count = fields.Integer(compute="_compute_counts")
    left_count = fields.Integer(compute="_compute_counts")
    duration = fields.Char(compute="_compute_duration")
    scheduler_warning = fields.Char(compute="_compute_duration")

    @api.model_create_multi
    def create(self, vals_list):
        batches = super().create(vals_list)
        for batch, values in zip(batches, vals_list, strict=True):
            if "ready_ids" not in values:
                batch._fill_in(*batch.move_ids._frontpay_check_batch())
        return batches

    @api.model
    def _prepared(self, moves, ready, problems):
        """A batch that was checked just now; see :meth:`_frontpay_check_batch`."""
        batch = self.create({"move_ids": moves.ids, "ready_ids": False})
        batch._fill_in(ready, problems)
        return batch

    def _fill_in(self, ready, problems):
        self.ready_ids = ready
        reasons = {}
        for move, problem in problems:
            if problem.record == move.company_id:
                move.company_id._frontpay_ask_administrator(problem.message)
            key = (problem.record._name, problem.brief or _general(problem))
            reasons.setdefault(key, []).append((move, problem))
        lines = [self._line(brief, found) for (_model, brief), found in reasons.items()]
        lines.sort(key=lambda line: -len(line["move_ids"]))
        self.env["frontpay.batch.line"].create(lines)

    def _line(self, brief, found):
        """:param list found: pairs of :meth:`_frontpay_check_batch`, of one reason"""
        first = found[0][1].record
        records = first.union(*(problem.record for _move, problem in found))
        messages = {problem.message for _move, problem in found}
        is_one = len(records) == len(messages) == 1
        return {
            "batch_id": self.id,
            "reason": messages.pop() if is_one else _capitalized(brief),
            "record_model": records._name,
            "record_ids": records.ids,
            "names": self._names(records),
            "move_ids": list({move.id for move, _problem in found}),
        }

    def _names(self, records):
        names = ", ".join(map(_shown_name, records[:NAMED]))
        left = len(records) - NAMED
        if left <= 0:
            return names
        return self.env._("%(names)s and %(count)s more", names=names, count=left)

    @api.depends("move_ids", "ready_ids")
    def _compute_counts(self):
        for batch in self:
            batch.ready_count = len(batch.ready_ids)
            batch.left_count = len(batch.move_ids) - len(batch.ready_ids)

    @api.depends("ready_ids")
    def _compute_duration(self):
        orders = self.env["frontpay.order"]
        for batch in self:
            is_queued = len(batch.ready_ids) > MAX_SENT_AT_ONCE
            batch.duration = is_queued and batch._duration()
            batch.scheduler_warning = is_queued and orders._scheduler_warning()

    def _duration(self):
        """How long it takes by the rate limit, which each company has for itself."""
        orders, limits = self.env["frontpay.order"], self.env["frontpay.rate.limit"]
        waiting = {
            company: orders._queue_length(company) + len(moves)
            for company, moves in self.ready_ids.grouped("company_id").items()
        }
        minutes = ceil(max(waiting.values()) / limits._pace())
        if minutes == 1:
            return self.env._("They go out one after the other, in about a minute.")
        return self.env._(
            "They go out one after the other, in about %s minutes.", minutes
        )

    def _batch_dialog(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send to Front Payment"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_move_ids": self.move_ids.ids},
        }

    def action_confirm(self):
        """Send those that can go.

        :return: a notification
        """
        self.ensure_one()
        return self.ready_ids.action_frontpay_send()


class FrontpayBatchLine(models.TransientModel):
    """A reason why some can't be sent, and where that is corrected."""

    _name = "frontpay.batch.line"
    _description = "Front Payment: Why Several Can't Be Sent"

    batch_id = fields.Many2one("frontpay.batch", ondelete="cascade", index=True)
    reason = fields.Text(readonly=True)
    names = fields.Text(string="To Correct", readonly=True)
    move_ids = fields.Many2many("account.move", "frontpay_batch_line_move")
    move_count = fields.Integer(string="Invoices", compute="_compute_move_count")
    record_model = fields.Char(readonly=True)
    record_ids = fields.Json(readonly=True)
    can_open = fields.Boolean(compute="_compute_can_open")

    @api.depends("move_ids")
    def _compute_move_count(self):
        for line in self:
            line.move_count = len(line.move_ids)

    @api.depends("record_model")
    def _compute_can_open(self):
        for line in self:
            is_setting = line.record_model == "res.company"
            line.can_open = not is_setting or may_set_up(self.env)

    def action_open_records(self):
        """Open what is to be corrected."""
        self.ensure_one()
        records = self.env[self.record_model].browse(self.record_ids).exists()
        if self.record_model == "res.company":
            return records[:1]._frontpay_settings_action()
        action = records._get_records_action(name=self.reason)
        if len(records) > 1 and records._name == "account.move":
            invoices = self.env.ref("account.view_out_invoice_tree").id
            action["views"] = [(invoices, "list"), (False, "form")]
        return action


def _shown_name(record):
    """A draft has no number, so an invoice is named by its customer as well."""
    if record._name != "account.move":
        return record.display_name
    return f"{record.display_name} ({record.partner_id.display_name})"


def _general(problem):
    """What a message says of more than this record."""
    return problem.message.replace(problem.record.display_name, "…")


def _capitalized(brief):
    return brief[:1].upper() + brief[1:]
