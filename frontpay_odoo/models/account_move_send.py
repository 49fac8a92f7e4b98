from odoo import api, models

from ..mapping import Problem
from ..mapping.remedy import may_set_up
from ..tools import transaction
from .frontpay_refund import WAITING_STATES

METHOD = "frontpay"
# They send the PDF, which names Front Payment once it has the invoice. All others send
# a document that names the company's own account.
PDF_METHODS = {"email", "manual", "snailmail", METHOD}
MAX_LINES = 10  # of one alert
RECORD_LABELS = {
    "account.move": lambda env: env._("View Invoices"),
    "res.partner": lambda env: env._("View Customers"),
}


class AccountMoveSend(models.AbstractModel):
    """Front Payment as one of the ways in which Odoo sends invoices.

    It queues them, as the list's action does, and credit notes of what it has; the
    cron hands them over right after this transaction. So the PDF and the e-mail of the
    same click know of it.
    """

    _inherit = "account.move.send"

    @api.model
    def _is_applicable_to_company(self, method, company):
        if method == METHOD:
            return bool(company.sudo().frontpay_api_token)
        return super()._is_applicable_to_company(method, company)

    @api.model
    def _is_applicable_to_move(self, method, move, **move_data):
        if method == METHOD:
            return not self._frontpay_problems(move, move_data)
        return super()._is_applicable_to_move(method, move, **move_data)

    @api.model
    def _frontpay_problems(self, move, move_data):
        """What keeps an invoice or a credit note from being handed over by whoever
        sends it.

        :return: list of :class:`mapping.Problem`
        """
        if not self._frontpay_is_allowed(self._frontpay_author(move_data)):
            sentence = self.env._(
                "Only users with invoicing rights can hand invoices to Front Payment."
            )
            brief = self.env._("no invoicing rights")
            return [Problem(move, sentence, brief=brief)]
        if move.move_type == "out_refund":
            return self.env["frontpay.refund"]._note_preflight(move.sudo())
        return self.env["frontpay.order"]._preflight(move.sudo())

    @api.model
    def _frontpay_author(self, move_data):
        """Whoever sends: the cron does it for somebody."""
        return self.env["res.users"].browse(
            move_data.get("author_user_id") or self.env.uid
        )

    @api.model
    def _frontpay_is_allowed(self, user):
        return user._is_superuser() or user.has_group("account.group_account_invoice")

    @api.model
    def _frontpay_is_there(self, move):
        """Whether Front Payment has it, or may have it."""
        state = move.sudo().frontpay_refund_state
        return bool(move._frontpay_claimed()) or state not in (False, *WAITING_STATES)

    # === ALERTS === #

    @api.model
    def _get_alerts(self, moves, moves_data):
        return (
            super()._get_alerts(moves, moves_data)
            | self._frontpay_problem_alerts(moves, moves_data)
            | self._frontpay_claimed_alerts(moves, moves_data)
        )

    @api.model
    def _frontpay_problem_alerts(self, moves, moves_data):
        """Everything to correct first, with a way to where it is corrected."""
        problems = {}
        for move in moves.filtered(lambda move: not self._frontpay_is_there(move)):
            methods = self._get_default_sending_methods(move)
            if METHOD not in {*methods, *moves_data[move]["sending_methods"]}:
                continue
            for problem in self._frontpay_problems(move, moves_data[move]):
                problems.setdefault(problem.record._name, []).append(problem)
        # One that was chosen all the same isn't sent; of many, the others are.
        is_single = len(moves) == 1
        is_chosen = is_single and METHOD in moves_data[moves]["sending_methods"]
        level = "danger" if is_chosen else "warning"
        return {
            f"frontpay_{model.replace('.', '_')}": {
                "level": level,
                "message": self._frontpay_lines(found),
                **self._frontpay_way_to(found),
            }
            for model, found in problems.items()
        }

    @api.model
    def _frontpay_lines(self, problems):
        lines = list(dict.fromkeys(problem.message for problem in problems))
        left = len(lines) - MAX_LINES
        if left > 0:
            lines = [*lines[:MAX_LINES], self.env._("and %s more", left)]
        return "\n".join(lines)

    @api.model
    def _frontpay_way_to(self, problems):
        """The link to the records, for those who can use it."""
        records = problems[0].record.union(*(each.record for each in problems))
        if records._name in RECORD_LABELS:
            label = RECORD_LABELS[records._name](self.env)
            return {"action_text": label, "action": records._get_records_action()}
        if not may_set_up(self.env):
            return {}
        action = records[0]._frontpay_settings_action(problems[0].field)
        return {"action_text": self.env._("Open Settings"), "action": action}

    @api.model
    def _frontpay_claimed_alerts(self, moves, moves_data):
        """What is sent now isn't the only one that asks for the money."""
        claimed = moves._frontpay_claimed()
        alerts = {}
        if claimed:
            alerts["frontpay_claimed"] = {
                "level": "info",
                "message": self.env._(
                    "Front Payment collects %s. What you send now tells the customer to"
                    " pay there.",
                    self._frontpay_names(claimed),
                ),
            }
        elsewhere = moves.filtered(
            lambda move: (
                move.move_type != "out_refund"
                and set(moves_data[move]["sending_methods"]) - PDF_METHODS
                and (move in claimed or METHOD in moves_data[move]["sending_methods"])
            )
        )
        if elsewhere:
            alerts["frontpay_claimed_elsewhere"] = {
                "level": "warning",
                "message": self.env._(
                    "Front Payment collects %s, but the electronic invoice tells the"
                    " customer to pay to your own account. Choose one of the two, or"
                    " the customer may pay twice.",
                    self._frontpay_names(elsewhere),
                ),
            }
        return alerts

    @api.model
    def _frontpay_names(self, moves):
        names = moves[:MAX_LINES].mapped("display_name")
        left = len(moves) - MAX_LINES
        return ", ".join([*names, self.env._("%s more", left)] if left > 0 else names)

    # === SENDING === #

    @api.model
    def _call_web_service_before_invoice_pdf_render(self, invoices_data):
        result = super()._call_web_service_before_invoice_pdf_render(invoices_data)
        for invoice, invoice_data in invoices_data.items():
            if METHOD in invoice_data["sending_methods"]:
                error = self._frontpay_hand_over(invoice, invoice_data)
                if error:
                    invoice_data["error"] = error
        return result

    @api.model
    def _frontpay_hand_over(self, invoice, invoice_data):
        """Queue an invoice or a credit note, in the name of whoever sends it.

        One that Front Payment has already is left as it is, unless it changed.

        :return: what keeps it from being queued, as Odoo has its errors, or None
        """
        problems = self._frontpay_problems(invoice, invoice_data)
        if problems and self._frontpay_is_there(invoice):
            return None
        if problems:
            if problems[0].record == invoice.company_id:
                # What single sending raises takes back what is written here.
                ask = (invoice.company_id, "_frontpay_ask_administrator")
                transaction.run_apart(*ask, problems[0].message)
            return {
                "error_title": self.env._("Not handed to Front Payment:"),
                "errors": [problem.message for problem in problems],
            }
        move = invoice.with_user(self._frontpay_author(invoice_data))
        if not self._frontpay_enqueue_one(move):
            return {"error_title": str(transaction.busy(invoice))}
        return None

    @api.model
    def _frontpay_enqueue_one(self, move):
        """:return: its order or refund; none if somebody else is handling it"""
        if move.move_type == "out_refund":
            return self.env["frontpay.refund"].with_env(move.env)._enqueue_notes(move)
        return self.env["frontpay.order"].with_env(move.env)._enqueue(move)
