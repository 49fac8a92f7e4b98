from odoo import api, models

from ..models.account_move_send import METHOD


class AccountMoveSendWizard(models.TransientModel):
    _inherit = "account.move.send.wizard"

    def _compute_sending_method_checkboxes(self):
        result = super()._compute_sending_method_checkboxes()
        for wizard in self:
            boxes = wizard.sending_method_checkboxes
            if METHOD in boxes:
                box = wizard._frontpay_checkbox(boxes[METHOD])
                wizard.sending_method_checkboxes = boxes | {METHOD: box}
        return result

    def _frontpay_checkbox(self, box):
        """Say why it can't be chosen, and where it leads if that isn't the real one.

        :param dict box: as Odoo made it
        """
        move = self.move_id
        reason = self._frontpay_reason(move)
        label = box["label"]
        if move.company_id.sudo().frontpay_environment == "demo":
            label = self.env._("%s (Demo)", label)
        if not reason and move.sudo().frontpay_order_id._can_be_updated():
            return box | {"label": self.env._("%s: update", label)}
        if not reason:
            return box | {"label": label}
        label = self.env._("%(label)s (%(reason)s)", label=label, reason=reason)
        return box | {"label": label, "readonly": True, "checked": False}

    def _frontpay_reason(self, move):
        problems = self._frontpay_problems(move, {})
        handed = move.sudo().frontpay_order_id or move.sudo().frontpay_refund_id
        if problems and self._frontpay_is_there(move):
            return handed._state_label(handed.state).lower()
        return problems and (problems[0].brief or self.env._("see the invoice"))

    def _compute_template_id(self):
        result = super()._compute_template_id()
        for wizard in self:
            if wizard._frontpay_collects():
                ours = wizard.move_id._frontpay_mail_template()
                wizard.template_id = ours or wizard.template_id
        return result

    @api.onchange("sending_method_checkboxes")
    def _onchange_frontpay(self):
        """The e-mail beside Front Payment tells to pay there; a template that somebody
        chose stays."""
        own = self.move_id._get_mail_template()
        ours = self.move_id._frontpay_mail_template() or own
        wanted = ours if self._frontpay_collects() else own
        if self.template_id in own | ours and self.template_id != wanted:
            self.template_id = wanted

    def _frontpay_collects(self):
        """Whether what is sent now is an invoice that Front Payment gets as well."""
        is_chosen = METHOD in (self.sending_methods or [])
        return is_chosen and self.move_id.move_type != "out_refund"
