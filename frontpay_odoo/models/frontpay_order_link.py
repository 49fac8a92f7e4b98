import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import LockError
from odoo.fields import Domain
from odoo.tools import email_normalize

from ..connect.channels import CHANNELS
from ..mapping import Problem
from ..mapping.remedy import administrator_name
from ..tools import transaction
from ..tools.local_time import local_time
from ..tools.notification import notification
from ..tools.sentence import in_each_language, keep
from .frontpay_handover import ATTENTION
from .frontpay_order import PAID_IN_ODOO

_logger = logging.getLogger(__name__)

TEMPLATE = "frontpay_odoo.mail_template_link"
LAYOUT = "mail.mail_notification_layout"
# E-mailed again so soon, it is a second click, or somebody else's.
AGAIN_AFTER = timedelta(minutes=5)
# Whose last e-mail is younger isn't reminded from the list.
REMIND_AFTER = timedelta(days=3)
# Until a link is e-mailed whose invoice somebody works on.
LINK_PAUSE = timedelta(minutes=1)
FAILED = ("bounce", "exception")  # of mail.notification


class FrontpayOrder(models.Model):
    """The customer gets the link: where to confirm, or to pay.

    The link is ``due`` in the transaction that stores it, and due no more in the one
    that writes the e-mail: whatever breaks in between, it is e-mailed once.
    """

    # Each part of an order's life has a file; calls run downwards only.
    _inherit = "frontpay.order"  # pylint: disable=consider-merging-classes-inherited

    def _keep_link(self, url):
        """Store the link; a new one is due to be e-mailed.

        Nothing in here can fail.

        :param str url: as Front Payment answered, or empty
        """
        url = url or False
        if url == self.verification_url:
            return
        # Who has got the former link has to know that there is another one.
        was_told = self.is_link_due or self.link_emailed_at
        is_due = bool(url) and bool(was_told or self._is_told_automatically())
        self.write(
            {"verification_url": url, "link_emailed_at": False, "is_link_due": is_due}
        )

    def _keep_change(self, values):
        """Store what Front Payment has of the invoice now; whoever was told another
        amount or due date is to be told.

        :param dict values: of the order's fields
        """
        is_told = bool(self.link_emailed_at)
        is_other = self.due_date != values["due_date"] or not self._is_equal(
            self.amount, values["amount"]
        )
        self.write({**values, "is_changing": False})
        if is_told and is_other:
            self.is_change_untold = True
            self.is_link_due = self.is_link_due or self._is_told_automatically()

    def _is_told_automatically(self):
        is_told_there = CHANNELS[self.channel].tells_customer
        return self.company_id.sudo().frontpay_email_link and not is_told_there

    def _email_new_link(self, *, at_once):
        """Have a link e-mailed that was just stored.

        :param bool at_once: while somebody waits for it; else by the cron
        """
        if not self.is_link_due:
            return
        if at_once:
            self._with_creator_env()._email_locked("_email_due_link")
        else:
            self._trigger_cron("cron_email_links")

    @api.model
    def _cron_email_links(self):
        """E-mail the links that are due."""
        self.search([("is_link_due", "=", True)])._email_each("_email_due_link")

    @api.model
    def _cron_remind(self):
        """Remind the customers who haven't confirmed, as the companies want it."""
        reminding = Domain("frontpay_reminder_days", ">", 0)
        for company in self.env["res.company"].search(reminding):
            orders = self.search(self._reminder_domain(company))
            orders._email_each("_email_reminder")

    @api.model
    def _reminder_domain(self, company):
        """Orders whose customer has had the link for long enough."""
        pause = timedelta(days=company.frontpay_reminder_days)
        return (
            Domain("company_id", "=", company.id)
            & Domain("state", "=", "sent")
            & Domain("is_changing", "=", False)
            & Domain("verification_url", "!=", False)
            & Domain("link_emailed_at", "<=", fields.Datetime.now() - pause)
            & Domain("link_reminders", "<", company.frontpay_reminder_count)
            & Domain("link_error", "=", False)
        )

    def _email_each(self, step):
        """Run a step for each of the orders in a transaction of its own, those of a
        copied database left out; one that fails stops no other.

        :param str step: the method's name
        """
        left = len(self)
        for order in map(type(self)._alone, self):
            left -= 1
            if not order.company_id._frontpay_is_copy():
                order._with_creator_env()._email_locked(step)
            if not self._has_time(1, left):
                return  # Odoo calls the cron once more

    def _email_locked(self, step):
        def locked():
            transaction.lock(self.move_id)
            getattr(self, step)()

        try:
            transaction.run(self.env, locked)
        except LockError:
            self._trigger_cron("cron_email_links", LINK_PAUSE)
        except Exception:
            _logger.exception("The link of order %s couldn't be e-mailed", self.id)
            transaction.rollback(self.env)
            with transaction.contained(self):
                transaction.run(self.env, self._record_unwritten_email)

    def _email_due_link(self):
        """E-mail the link unless somebody did so meanwhile, or it is of no use now."""
        if not self.is_link_due or self._is_being_changed():
            return
        self.is_link_due = False
        if self._is_link_of_use():
            self._email_or_tell()

    def _email_reminder(self):
        """Remind the customer, unless something happened meanwhile."""
        domain = self._reminder_domain(self.company_id)
        if self._is_link_of_use() and self.filtered_domain(domain):
            self._email_or_tell()

    def _email_or_tell(self):
        sentence = self._recipient_sentence()
        if sentence:
            self._report_link_error(sentence)
        else:
            self._email_link()

    @in_each_language
    def _recipient_sentence(self):
        problem = self._recipient_problem()
        return problem.message if problem else ""

    def _is_link_of_use(self):
        is_open = self.state == "sent" and self.verification_url
        return bool(is_open and self.move_id.payment_state not in PAID_IN_ODOO)

    def action_remind(self):
        """Remind the customers of these orders; see :meth:`action_frontpay_remind`."""
        return self.move_id.action_frontpay_remind()

    def action_remind_old(self):
        """The same of the chosen orders, or else of all that have waited for some
        days."""
        orders = self or self.search(self._old_domain())
        if not orders:
            return notification(
                "success",
                self.env._(
                    "No customer has had the link for %s days.", REMIND_AFTER.days
                ),
            )
        return orders.action_remind()

    @api.model
    def _old_domain(self):
        since = fields.Datetime.now() - REMIND_AFTER
        was_told = Domain("link_emailed_at", "!=", False)
        return (
            Domain("state", "=", "sent")
            & Domain("verification_url", "!=", False)
            & (
                (was_told & Domain("link_emailed_at", "<=", since))
                | (~was_told & Domain("sent_at", "<=", since))
            )
        )

    # === WHAT SPEAKS AGAINST IT === #

    def _link_problem(self):
        """Why the link can't be e-mailed now.

        :return: :class:`mapping.Problem`, or None
        """
        sentence = self._useless_link_sentence() or self._just_emailed_sentence()
        if sentence:
            return Problem(self.move_id, sentence)
        return self._recipient_problem()

    def _useless_link_sentence(self):
        invoice = self.move_id.display_name
        if self._is_being_changed():
            return self.env._(
                "%s is being changed. Confirm it first, then e-mail the link.", invoice
            )
        if self._is_link_of_use():
            return ""
        if self.state != "sent":
            return self.env._(
                "%(invoice)s doesn't wait for its customer (%(state)s), so there is no"
                " link to e-mail.",
                invoice=invoice,
                state=self._state_label(self.state),
            )
        if self.verification_url:
            return self.env._(
                "%s is paid in Odoo, so its customer isn't asked to confirm it at Front"
                " Payment.",
                invoice,
            )
        if self._can_be_updated():
            return self.env._(
                "%s has no link. “Update at Front Payment” creates a new one.", invoice
            )
        return self.env._("Front Payment gave no link for %s.", invoice)

    def _just_emailed_sentence(self):
        """That the customer has got it a moment ago, at the same address."""
        emailed_at = self.link_emailed_at
        is_recent = emailed_at and emailed_at > fields.Datetime.now() - AGAIN_AFTER
        is_same = self.link_emailed_to == self._link_recipient().email
        is_news = self.link_error or self.is_change_untold
        if not is_recent or not is_same or is_news:
            return ""
        return self.env._(
            "The link of %(invoice)s was e-mailed to %(email)s at %(time)s already. It"
            " can be e-mailed again in a few minutes.",
            invoice=self.move_id.display_name,
            email=self.link_emailed_to,
            time=local_time(self.env, emailed_at),
        )

    def _link_recipient(self):
        """Whom Front Payment's order names: the invoice's contact, or the customer
        itself while the contact has no e-mail address."""
        contact = self.move_id.partner_id
        return contact if (contact.email or "").strip() else self.partner_id

    def _recipient_problem(self):
        recipient = self._link_recipient()
        name = recipient.name or self.partner_id.name
        if not (recipient.email or "").strip():
            sentence = self.env._(
                "%s has no e-mail address for the link. Fill it in on the customer.",
                name,
            )
        elif not email_normalize(recipient.email, strict=False):
            sentence = self.env._(
                "%s: the e-mail address isn't a valid one, so the link can't be"
                " e-mailed. Correct it on the customer.",
                name,
            )
        elif not recipient.active:
            sentence = self.env._(
                "%s is archived, so Odoo sends no e-mail. Restore the customer first.",
                name,
            )
        else:
            return None
        return Problem(recipient, sentence)

    # === THE E-MAIL === #

    def _email_link(self):
        """Write the e-mail, which Odoo's own queue then sends.

        Only the recipient can read it: the invoice's messages tell when it went to
        whom, and not the link.
        """
        kind = self._kind_of_email()
        recipient = self._link_recipient()
        if kind == "reminder":
            self.link_reminders += 1
        self._cancel_unsent_email()
        message = self._post_email(recipient, kind)
        self._clear_link_error()
        self.write(
            {
                "is_link_due": False,
                "link_emailed_at": fields.Datetime.now(),
                "link_emailed_to": recipient.email,
                "link_message_id": message.id,
            }
        )
        self.move_id.message_post(body=self._emailed_sentence(kind))
        self._send_sms(recipient, kind)
        self.is_change_untold = False

    def _kind_of_email(self):
        """:return: ``first``, ``change`` or ``reminder``"""
        if self.is_change_untold:
            return "change"
        return "reminder" if self.link_emailed_at and not self.link_error else "first"

    def _post_email(self, recipient, kind):
        """:return: the ``mail.message``, which isn't shown on the invoice"""
        template = self.env.ref(TEMPLATE).sudo()
        parts = ("subject", "body_html", "email_from")
        written = template._generate_template(self.ids, parts)[self.id]
        subject = written["subject"]
        wording = self.with_context(lang=recipient.lang).env
        if kind == "reminder":
            subject = wording._("Reminder: %s", subject)
        elif kind == "change":
            subject = wording._("Changed: %s", subject)
        # The mail's one button is the link, not Odoo's own.
        move = self.move_id.with_context(
            email_notification_allow_header=False, email_notification_force_footer=True
        )
        message = move.message_notify(
            partner_ids=recipient.ids,
            subject=subject,
            body=written["body_html"],
            email_from=written["email_from"],
            subtype_xmlid="mail.mt_comment",  # or it would call itself internal
            author_id=(self._responsible() or self.env.user).partner_id.id,
            email_layout_xmlid=template.email_layout_xmlid or LAYOUT,
            email_add_signature=False,
            force_email_company=self.company_id,
            force_email_lang=recipient.lang,
            force_send=False,
        )
        mails = self.env.ref("mail.ir_cron_mail_scheduler_action", False)
        if mails:
            mails.sudo()._trigger()
        return message

    def _cancel_unsent_email(self):
        """What Odoo couldn't send yet isn't sent beside the new e-mail."""
        written = Domain("mail_message_id", "=", self.link_message_id.id)
        unsent = Domain("state", "in", ("outgoing", "exception"))
        mails = self.link_message_id and self.env["mail.mail"].search(written & unsent)
        if mails:
            mails.cancel()

    def _emailed_sentence(self, kind):
        if kind == "change":
            return self.env._(
                "The invoice was changed, so the link was e-mailed to %s again.",
                self.link_emailed_to,
            )
        if kind == "reminder":
            return self.env._(
                "Reminder %(number)s: the link was e-mailed to %(email)s again.",
                number=self.link_reminders,
                email=self.link_emailed_to,
            )
        return self.env._("The link was e-mailed to %s.", self.link_emailed_to)

    def _send_sms(self, recipient, kind):
        """Send the link by SMS as well, where Odoo's ``sms`` is installed."""
        company = self.company_id.sudo()
        if "sms.sms" not in self.env or not company.frontpay_sms_link:
            return
        number = recipient._phone_format(fname="phone", force_format="E164")
        if not number:
            return
        body = self.with_context(lang=recipient.lang)._sms_text(kind)
        self.env["sms.sms"].sudo().create(
            {"partner_id": recipient.id, "number": number, "body": body}
        )
        self.move_id.message_post(body=self.env._("SMS with the link to %s.", number))

    def _sms_text(self, kind):
        details = {
            "company": self.company_id.sudo().name,
            "invoice": self.move_id.name,
            "amount": self.currency_id.format(self.amount),
            "link": self.verification_url,
        }
        if kind == "change":
            return self.env._(
                "%(company)s: invoice %(invoice)s was changed to %(amount)s. Please"
                " confirm it with BankID: %(link)s",
                **details,
            )
        return self.env._(
            "%(company)s: please confirm invoice %(invoice)s (%(amount)s) with BankID:"
            " %(link)s",
            **details,
        )

    # === WHAT FAILED === #

    def _report_link_error(self, sentence):
        """Tell on the invoice, and a person, why the customer has no link; once."""
        if sentence == self.link_error:
            return
        keep(self, "link_error", sentence)
        self.move_id.message_post(body=sentence)
        self._notify_responsible(sentence)

    def _record_unwritten_email(self):
        """An error of ours, or in the template: not tried again by itself."""
        self.is_link_due = False
        self._report_link_error(self._unwritten_email_sentence())

    @in_each_language
    def _unwritten_email_sentence(self):
        return self.env._(
            "The e-mail with the link of %(invoice)s couldn't be written. Ask"
            " %(administrator)s to look at its template, or at the server's log, then"
            " e-mail the link again.",
            invoice=self.move_id.display_name,
            administrator=administrator_name(self.company_id),
        )

    @api.model
    def _follow_emails(self, messages):
        """Tell which of the e-mails didn't reach the customer.

        :param messages: ``mail.message`` of mails that were sent, or came back
        """
        written = Domain("link_message_id", "in", messages.ids)
        for order in messages and self.search(written):
            order._with_creator_env()._follow_email()

    def _follow_email(self):
        notification = self.link_message_id.notification_ids[:1]
        if notification.notification_status == "sent":
            self._clear_link_error()
        elif notification.notification_status in FAILED and self._is_link_of_use():
            self._report_link_error(self._failed_email_sentence(notification))

    @in_each_language
    def _failed_email_sentence(self, notification):
        reason = notification.with_env(self.env).format_failure_reason()
        return self.env._(
            "The e-mail to the customer failed: %(reason)s. %(email)s didn't get the"
            " link of %(invoice)s. Correct the address, or the mail server, then e-mail"
            " the link again.",
            reason=reason.rstrip("."),
            email=self.link_emailed_to,
            invoice=self.move_id.display_name,
        )

    def _clear_link_error(self):
        if self.link_error:
            self.link_error = False
            self.move_id.activity_unlink([ATTENTION])
