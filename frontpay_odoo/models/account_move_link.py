import base64
import io

import qrcode

from odoo import api, fields, models
from odoo.exceptions import LockError

from ..mapping import Problem
from ..tools import transaction
from ..tools.notification import notification
from .account_move import READERS
from .frontpay_order_link import REMIND_AFTER

# More would keep the person waiting, so the cron e-mails them.
MAX_EMAILED_AT_ONCE = 20


class AccountMove(models.Model):
    """The link for the customer, as the bookkeeper meets it."""

    _inherit = "account.move"  # pylint: disable=consider-merging-classes-inherited

    frontpay_link_emailed_at = fields.Datetime(
        related="frontpay_order_id.link_emailed_at", groups=READERS
    )
    frontpay_link_due = fields.Boolean(
        related="frontpay_order_id.is_link_due", groups=READERS
    )
    frontpay_link_emailed_to = fields.Char(
        related="frontpay_order_id.link_emailed_to", groups=READERS
    )
    frontpay_link_reminders = fields.Integer(
        related="frontpay_order_id.link_reminders", groups=READERS
    )
    frontpay_link_error = fields.Text(
        related="frontpay_order_id.link_error", groups=READERS
    )
    frontpay_link_qr = fields.Binary(
        string="QR Code",
        compute="_compute_frontpay_link_qr",
        groups=READERS,
        help="For the customer to scan with the phone.",
    )

    @api.depends("frontpay_order_id.verification_url")
    def _compute_frontpay_link_qr(self):
        """Made here: with Odoo's address for barcodes, the link would be in its log."""
        for move in self:
            url = move.sudo().frontpay_verification_url
            move.frontpay_link_qr = url and _qr_code(url)

    # === ACTIONS === #

    def action_frontpay_email_link(self):
        """E-mail the BankID or payment address to the invoices' customers.

        :return: a notification that tells whose link was e-mailed and whose wasn't
        :raises UserError: none could be
        """
        self._frontpay_check_rights()
        moves, problems = self._frontpay_emailable()
        if not moves:
            raise self._frontpay_warning(problems)
        return self._frontpay_email_links(moves, problems)

    def action_frontpay_remind(self):
        """E-mail the link once more to customers who have had it for some days.

        :return: a notification that tells who was reminded, who wasn't and why
        """
        self._frontpay_check_rights()
        early = self.filtered(lambda move: move._frontpay_has_young_link())
        moves, problems = (self - early)._frontpay_emailable()
        sentence = self.env._(
            "%s days haven't passed since the last e-mail.", REMIND_AFTER.days
        )
        problems += [Problem(move, sentence) for move in early]
        return self._frontpay_email_links(moves, problems)

    def _frontpay_has_young_link(self):
        order = self.sudo().frontpay_order_id
        since = order.link_emailed_at or order.sent_at
        is_young = since and since > fields.Datetime.now() - REMIND_AFTER
        return is_young and order._is_link_of_use()

    def _frontpay_emailable(self):
        """Tell the invoices whose link can be e-mailed from the others.

        :return: (invoices, list of :class:`mapping.Problem`)
        """
        moves, problems = self.browse(), []
        for move in self:
            order = move.sudo().frontpay_order_id
            problem = order._link_problem() if order else move._frontpay_no_order()
            if problem:
                problems.append(problem)
            else:
                moves += move
        return moves, problems

    def _frontpay_no_order(self):
        sentence = self.env._("%s wasn't sent to Front Payment.", self.display_name)
        return Problem(self, sentence)

    def _frontpay_email_links(self, moves, problems):
        """E-mail links within this transaction; of many, most by the cron.

        :param list problems: of the other invoices, to be told as well
        :return: a notification
        """
        emailed = self.browse()
        for move in moves[:MAX_EMAILED_AT_ONCE]:
            try:
                transaction.lock(move)
            except LockError as error:
                problems.append(Problem(move, str(error)))
                continue
            order = move.sudo().frontpay_order_id
            problem = order._link_problem()
            if problem:  # somebody was quicker
                problems.append(problem)
                continue
            order._email_link()
            emailed += move
        later = moves[MAX_EMAILED_AT_ONCE:]
        if later:
            orders = later.sudo().frontpay_order_id
            orders.is_link_due = True
            orders._trigger_cron("cron_email_links")
        return self._frontpay_emailed_notification(emailed, later, problems)

    def _frontpay_emailed_notification(self, emailed, later, problems):
        lines = []
        if len(emailed) == 1:
            email = emailed.frontpay_link_emailed_to
            lines.append(self.env._("The link was e-mailed to %s.", email))
        elif emailed:
            lines.append(self.env._("%s links were e-mailed.", len(emailed)))
        if later:
            lines.append(
                self.env._("%s links are e-mailed in the background.", len(later))
            )
        if problems:
            lines.append(
                self.env._(
                    "Not e-mailed: %(count)s. %(reasons)s",
                    count=len(problems),
                    reasons=self._frontpay_problem_text(problems),
                )
            )
        kind = "warning" if problems else "success"
        return notification(kind, "\n".join(lines), reload=True)


def _qr_code(url):
    """A picture to scan, as base64 of a PNG."""
    picture = io.BytesIO()
    qrcode.make(url, box_size=4).save(picture, format="PNG")
    return base64.b64encode(picture.getvalue())
