import time
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models

from ..tools.local_time import local_time
from ..tools.overview import NEEDS_YOU
from ..tools.sentence import in_each_language, keep, said_in

ATTENTION = "frontpay_odoo.activity_attention"
INVOICING = "account.group_account_invoice"
READERS = f"account.group_account_readonly,{INVOICING}"
# Whoever has an invoice's, or a credit note's, form open listens to this channel of it,
# see static/src; and what that form shows.
INVOICE_CHANNEL = "frontpay_odoo.invoice"
SHOWN_FIELDS = {"state", "error", "verification_url", "link_emailed_at", "link_error"}


def grouped_in_order(states):
    """For a field's ``group_expand``: a list's or kanban's groups in the order of its
    states, without those that nothing is in.

    :param list states: [(state, its label)]
    """

    def in_order(_records, found, _domain):
        return [state for state, _label in states if state in found]

    return in_order


class FrontpayHandover(models.AbstractModel):
    """What is handed to Front Payment for one ``account.move``, ``move_id``: whom it is
    told that something went wrong with it."""

    _name = "frontpay.handover"
    _description = "Front Payment: Handed Over"

    error = fields.Text(translate=True)
    needs_you = fields.Boolean(
        compute="_compute_needs_you",
        search="_search_needs_you",
        help="Somebody has to do something about it.",
    )

    def write(self, vals):
        """Open forms of what was handed over are told, and read it anew."""
        result = super().write(vals)
        # While it is being sent, the next state is a moment away.
        if SHOWN_FIELDS & vals.keys() and vals.get("state") != "sending":
            for move in self.move_id:
                channel = (move, INVOICE_CHANNEL)
                self.env["bus.bus"]._sendone(channel, INVOICE_CHANNEL, move.id)
        return result

    def _compute_needs_you(self):
        found = self.filtered_domain(NEEDS_YOU[self._name])
        for handover in self:
            handover.needs_you = handover in found

    @api.model
    def _search_needs_you(self, operator, _value):
        return NEEDS_YOU[self._name] if operator == "in" else NotImplemented

    def _trigger_cron(self, name, delay=timedelta()):
        """Let one of the addon's crons run, soon or after a while.

        The one place where work is left to somebody else, for addons that know others
        than Odoo's scheduler.

        :param self: what it is for; none for whatever the cron finds
        :param str name: the cron's, without the addon's
        """
        cron_id = self.env["ir.model.data"]._xmlid_to_res_id(f"frontpay_odoo.{name}")
        crons = self.env["ir.cron"].sudo().with_context(active_test=False)
        # Whether it is there, and what Odoo asks of it, in one query.
        cron = crons.search_fetch([("id", "=", cron_id)], ["active"])
        if cron:  # an administrator may have deleted it
            cron._trigger(at=fields.Datetime.now() + delay)

    @api.model
    def _is_run_over(self):
        """Whether a cron is called only because Odoo calls ten times what its ten
        seconds weren't enough for. Whoever does nothing then has ten of its own at
        once, instead of beginning anew for one order at a time.
        """
        ends_at = self.env.context.get("cron_end_time")
        if not ends_at or time.monotonic() < ends_at:
            return False
        self.env["ir.cron"]._commit_progress(remaining=1)
        return True

    def _state_label(self, state):
        return dict(self._fields["state"]._description_selection(self.env))[state]

    def _record_error(self, sentence):
        """Tell what a person has to look at, once."""
        if sentence != self.error:
            keep(self, "error", sentence)
            # Whoever clicked didn't say it.
            robot = self.env.ref("base.partner_root")
            self.move_id.message_post(body=sentence, author_id=robot.id)

    def _report_problem(self, sentence):
        """Tell what somebody has to act upon: on the invoice, and to a person.

        :param str sentence: what happened and what to do about it
        """
        self._record_error(sentence)
        self._notify_responsible(sentence)

    @in_each_language
    def _retry_sentence(self):
        return self.env._(
            "It will be sent again automatically at %s.",
            local_time(self.env, self.retry_at),
        )

    def _clear_problem(self):
        """What was told is so no more."""
        if self.error:
            self.error = False
            self.move_id.activity_unlink([ATTENTION])

    def _notify_responsible(self, sentence):
        """Give somebody something to do; who has it already is given the news.

        :param str sentence: what happened and what to do about it
        """
        known = self.move_id.activity_search([ATTENTION])
        person = known.user_id[:1] or self._responsible()
        # Joined to markup, what stands in the sentence is escaped.
        note = Markup("<br/>").join(said_in(sentence, person.sudo().lang).splitlines())
        if known:
            known.note = note
            return
        self.move_id.activity_schedule(ATTENTION, note=note, user_id=person.id)

    def _responsible(self):
        """Who looks after the order: whoever sent it, or who stands in for that person;
        nobody who may not open the invoice.

        :return: ``res.users``, or none
        """
        return self._person_for(self.move_id, self.create_uid, "read")

    @api.model
    def _person_for(self, move, person, operation):
        """Who goes on with an invoice: the person who began, else the company's
        responsible, else somebody who keeps the books; nobody who may not, any more.

        :param str operation: what is to be allowed: ``read``, or ``write`` with
            invoicing rights
        :return: ``res.users``, or none
        """
        for user in person | move.company_id.sudo().frontpay_responsible_id:
            if _is_allowed(user, operation, move):
                return user
        bookkeepers = self.env.ref(INVOICING).sudo().all_user_ids.sorted("id")
        return bookkeepers.filtered(lambda user: _is_allowed(user, operation, move))[:1]

    def _alone(self):
        """For work that commits: Odoo forgets then what was read, and would read the
        others as well each time this one is looked at."""
        return self.with_prefetch()

    def _with_creator_env(self):
        """The order as a cron handles it, in the words of the person who sent it."""
        person = self.create_uid
        # As a login does it, and kept by Odoo: an order forgets with each commit.
        wanted = self.env["res.users"].with_user(person).sudo().context_get()
        return self.with_company(self.company_id).with_context(
            lang=wanted.get("lang"), tz=wanted.get("tz"), frontpay_reader=person.id
        )


def _is_allowed(user, operation, move):
    """Whether somebody may ``read`` or ``write`` an invoice; without invoicing rights,
    nobody writes one."""
    if not user.active or user.share or move.company_id not in user.company_ids:
        return False
    if operation == "write" and not user.has_group(INVOICING):
        return False
    own = move.with_user(user).with_context(allowed_company_ids=move.company_id.ids)
    return own.has_access(operation)
