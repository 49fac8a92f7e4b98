from odoo import models


class MailMail(models.Model):
    _inherit = "mail.mail"

    def _postprocess_sent_message(self, *arguments, **options):
        """What became of the e-mails with customers' links is followed."""
        messages = self.sudo().mail_message_id  # a mail may be gone afterwards
        result = super()._postprocess_sent_message(*arguments, **options)
        self.env["frontpay.order"].sudo()._follow_emails(messages)
        return result
