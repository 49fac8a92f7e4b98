from odoo import models


class MailNotification(models.Model):
    _inherit = "mail.notification"

    def write(self, vals):
        """An e-mail with a customer's link that comes back is told."""
        result = super().write(vals)
        if vals.get("notification_status") == "bounce":
            messages = self.sudo().mail_message_id
            self.env["frontpay.order"].sudo()._follow_emails(messages)
        return result
