from odoo import fields, models
from odoo.exceptions import UserError

from .account_move import READERS
from .frontpay_handover import ATTENTION
from .frontpay_order_payment import HANDED


class AccountMove(models.Model):
    """An invoice that Front Payment collects asks for money nowhere else."""

    # In a file of its own, below the one that hands invoices over.
    _inherit = "account.move"  # pylint: disable=consider-merging-classes-inherited

    frontpay_collects = fields.Boolean(
        string="Collected by Front Payment",
        compute="_compute_frontpay_collects",
        groups=READERS,
    )
    frontpay_customer_step = fields.Selection(
        related="frontpay_order_id.customer_step", groups=READERS
    )
    frontpay_due_date = fields.Date(
        related="frontpay_order_id.due_date",
        string="Due at Front Payment",
        groups=READERS,
    )

    def _compute_frontpay_collects(self):
        for move in self:
            move.frontpay_collects = move.sudo().frontpay_order_id._collects()

    def _compute_display_qr_code(self):
        result = super()._compute_display_qr_code()
        self._frontpay_claimed().display_qr_code = False
        return result

    def _compute_display_link_qr_code(self):
        result = super()._compute_display_link_qr_code()
        self._frontpay_claimed().display_link_qr_code = False
        return result

    def _frontpay_claimed(self):
        """Those that Front Payment has, or may have: who pays one, pays there."""
        return self.filtered(
            lambda move: move.sudo().frontpay_order_id._keeps_invoice()
        )

    def _frontpay_due_date(self):
        """The day by which the customer pays: Front Payment's, if it collects."""
        claimed = self._frontpay_claimed().sudo()
        return claimed.frontpay_due_date or self.invoice_date_due

    def _frontpay_claimed_sentence(self):
        """Why these invoices can't be paid here as well."""
        return self.env._(
            "Front Payment collects %s from the customer, so it can't be paid here as"
            " well.",
            ", ".join(self.mapped("display_name")),
        )

    def _frontpay_collected_alert(self, message):
        """What to mind before these invoices are paid or credited in Odoo.

        :param str message: with %s for their names
        """
        names = ", ".join(self.mapped("display_name"))
        alert = {"level": "warning", "message": message % names}
        if len(self) > 1:  # else it is the one behind the dialog
            alert["action_text"] = self.env._("View Invoices")
            alert["action"] = self._get_records_action()
        return alert

    def action_frontpay_collect_elsewhere(self):
        """Take invoices out of *Needs You* that are collected in another way.

        :raises UserError: Front Payment has one of them, or may have it
        """
        self._frontpay_check_rights()
        orders = self.sudo().frontpay_order_id
        for move in self - orders.filtered("can_be_left").move_id:
            raise UserError(
                self.env._(
                    "%s can't be collected otherwise: Front Payment has its order, or"
                    " it is settled already.",
                    move.display_name,
                )
            )
        orders.is_collected_elsewhere = True
        self.activity_unlink([ATTENTION])
        for move in self:
            move.message_post(
                body=self.env._("The invoice is collected without Front Payment.")
            )

    # === PORTAL === #

    def _has_to_be_paid(self):
        return super()._has_to_be_paid() and not self._frontpay_claimed()

    def _get_online_payment_error(self):
        claimed = self._frontpay_claimed()
        if claimed:
            return claimed._frontpay_claimed_sentence()
        return super()._get_online_payment_error()

    # === PDF AND E-MAIL === #

    def _get_invoice_proforma_pdf_report_filename(self):
        if self._frontpay_claimed():  # its title is "Invoice"
            return self._get_invoice_report_filename()
        return super()._get_invoice_proforma_pdf_report_filename()

    def _get_mail_template(self):
        """Whoever pays Front Payment isn't told the company's own account."""
        template = super()._get_mail_template()
        if self and self == self._frontpay_claimed():
            return self._frontpay_mail_template() or template
        return template

    def _frontpay_mail_template(self):
        """What accompanies an invoice that Front Payment collects; none where somebody
        deleted it."""
        templates = self.env["mail.template"]
        name = "frontpay_odoo.mail_template_invoice"
        return self.env.ref(name, raise_if_not_found=False) or templates

    # === BOOKS === #

    def _frontpay_follow_books(self):
        """Tell what was paid or credited here and is claimed there, or no more."""
        for order in (self | self.reversed_entry_id).sudo().frontpay_order_id:
            order._follow_books()

    def _frontpay_claim_alerts(self):
        """What to mind before something is booked, for :meth:`_get_alerts`."""
        if self.invoice_has_outstanding and self.sudo().frontpay_order_id._collects():
            return {
                "frontpay_outstanding": {
                    "level": "warning",
                    "message": self.env._(
                        "The customer has outstanding credits, and Front Payment"
                        " collects this invoice. If you add one, Front Payment goes on"
                        " claiming the whole amount."
                    ),
                }
            }
        origin = self.reversed_entry_id
        order = origin.sudo().frontpay_order_id
        is_handed = self.frontpay_refund_state in HANDED
        if self.state == "cancel" or is_handed or not order._collects():
            return {}
        return {
            "frontpay_credited": {
                "level": "danger" if self.state == "posted" else "warning",
                "message": self.env._(
                    "Front Payment still claims %(amount)s for %(invoice)s (order"
                    " %(order)s) until this credit note is sent there.",
                    amount=order.currency_id.format(order.amount),
                    invoice=origin.display_name,
                    order=order.order_uuid or order.reference,
                ),
                "action_text": self.env._("Open %s", origin.display_name),
                "action": origin._get_records_action(),
            }
        }
