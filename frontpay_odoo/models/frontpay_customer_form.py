from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import hash_sign, verify_hash_signed
from odoo.tools.translate import LazyTranslate

from ..connect import validation
from ..connect.validation import InvalidValue
from ..mapping.problem import localized
from .frontpay_handover import ATTENTION

_lt = LazyTranslate(__name__)

SCOPE = "frontpay_odoo.customer_form"  # of the signature
VALID_FOR = timedelta(days=14)
KEPT_FOR = timedelta(days=90)
MAX_TRIES = 10
MAX_LENGTH = 200  # characters of what is typed
TEMPLATE = "frontpay_odoo.mail_template_customer_form"
# What a customer can be asked for, in the order of the form.
ASKED = {
    "email": _lt("E-mail address"),
    "street": _lt("Street and number"),
    "zip": _lt("ZIP code"),
    "city": _lt("City"),
    "country_id": _lt("Country"),
    "phone": _lt("Mobile number"),
    "frontpay_personal_number": _lt("National identity number (11 digits)"),
}
MISTAKES = {
    "missing": _lt("Please fill this in."),
    "email": _lt("This isn't a valid e-mail address."),
    "phone": _lt("This isn't a valid number. Write it with the country's code: +47 …"),
    "country_id": _lt("Please choose a country."),
    "frontpay_personal_number": _lt("This number can't be right. Please check it."),
    "refused": _lt(
        "This can't be stored. Please check it, and type it instead of pasting it."
    ),
}

# What a text is stored as, if it isn't the text itself; called with the company, the
# customer and the text, they raise InvalidValue.
CHECKS = {
    "email": lambda _company, _partner, text: validation.email(text),
    "country_id": lambda _company, partner, text: _country(partner.env, text),
    "phone": lambda _company, partner, text: _phone(partner, text),
    "frontpay_personal_number": lambda company, _partner, text: (
        validation.personal_number(text, company._frontpay_synthetic_allowed())
    ),
}


def _country(env, text):
    country = env["res.country"].search([("code", "=", text)])
    return validation.country(country.code or "") and country


def _phone(partner, text):
    validation.phone(text, partner.country_id.code or "")
    return text


class FrontpayCustomerForm(models.Model):
    """A form in which a customer fills in what an invoice lacks.

    Whoever has its address can open it, so it shows nothing of what is known already
    and takes only what is missing. It ends when that is complete, after two weeks, or
    after too many tries.
    """

    _name = "frontpay.customer.form"
    _description = "Front Payment Customer Form"
    _rec_name = "move_id"

    move_id = fields.Many2one(
        "account.move", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="move_id.company_id")
    partner_id = fields.Many2one(related="move_id.partner_id")
    expires_at = fields.Datetime(
        required=True, default=lambda self: fields.Datetime.now() + VALID_FOR
    )
    tries = fields.Integer(string="Attempts", help="How often it was sent in.")
    answered_at = fields.Datetime(string="Answered")
    is_sent_when_complete = fields.Boolean(
        string="Send When Complete",
        help="The invoice goes to Front Payment once nothing is missing any more.",
    )

    # === THE ADDRESS === #

    def _form_url(self):
        """Where the customer opens it; nothing of the customer stands in it."""
        signed = hash_sign(self.sudo().env, SCOPE, self.id)
        return f"{self.company_id._frontpay_public_url()}/frontpay/customer/{signed}"

    @api.model
    def _by_signature(self, signed):
        """:return: the form, or none if nobody here signed the address"""
        try:
            number = verify_hash_signed(self.sudo().env, SCOPE, signed)
        except ValueError:
            return self.browse()
        return self.browse(number).exists() if number else self.browse()

    def _email_form(self):
        """Have the address e-mailed to the customer, in the customer's language."""
        self.env.ref(TEMPLATE).sudo().send_mail(
            self.id, email_layout_xmlid="mail.mail_notification_layout"
        )

    def _form_status(self):
        """:return: ``open``, ``answered``, ``expired`` or ``locked``"""
        if self.answered_at or not self._asked():
            return "answered"
        if self.expires_at < fields.Datetime.now():
            return "expired"
        return "locked" if self.tries >= MAX_TRIES else "open"

    # === WHAT IS ASKED === #

    def _asked(self):
        """What is missing or wrong now.

        :return: {field: ``res.partner`` that lacks it}, in the form's order
        """
        return self._missing_of(self.move_id)

    @api.model
    def _missing_of(self, move):
        """What a customer could fill in for an invoice to be sent, as ``_asked``."""
        return self._askable(self.env["frontpay.order"].sudo()._preflight(move.sudo()))

    @api.model
    def _askable(self, problems):
        """Those of the :class:`mapping.Problem` that a customer could solve.

        :return: as ``_asked``
        """
        lacking = {each.field: each.record for each in problems if each.field in ASKED}
        return {name: lacking[name] for name in ASKED if name in lacking}

    @api.model
    def _labels(self, names):
        """:return: {field: label} in the environment's language"""
        return {name: localized(self.env, ASKED[name]) for name in names}

    # === WHAT IS ANSWERED === #

    def _receive_answer(self, typed):
        """Take what the customer typed; what is right is stored, the rest told.

        :param dict typed: {field: text}
        :return: {field: sentence} of what has to be typed again
        :raises LockError: the same form is being sent in just now
        """
        self.lock_for_update()
        if self._form_status() != "open":
            return {}
        self.tries += 1
        asked = self._asked()
        mistakes = {
            name: self._take(partner, name, typed.get(name) or "")
            for name, partner in asked.items()
        }
        taken = [name for name, mistake in mistakes.items() if not mistake]
        if taken:
            self._record_answer(taken)
        return {
            name: localized(self.env, MISTAKES[mistake])
            for name, mistake in mistakes.items()
            if mistake
        }

    def _take(self, partner, name, text):
        """Store one value on the customer.

        :return: a key of :const:`MISTAKES`, or None
        """
        text = " ".join(text.split())  # pasted, it may hold other spaces and tabs
        if not text:
            return "missing"
        if not text.isprintable():
            return "refused"
        text = text[:MAX_LENGTH]
        try:
            check = CHECKS.get(name)
            value = check(self.company_id, partner, text) if check else text
            with self.env.cr.savepoint():
                partner[name] = value
                partner.flush_recordset()
        except InvalidValue:
            return name
        except UserError:
            return "refused"
        return None

    def _record_answer(self, taken):
        """Tell whoever asked, and send the invoice if that was wanted.

        Two weeks later, that person may not be there, nor have the rights any more.

        :param taken: the fields that are filled in now
        """
        orders = self.env["frontpay.order"].sudo()
        person = orders._person_for(self.move_id, self.create_uid, "write")
        move = self.move_id.with_context(lang=person.lang, tz=person.tz)
        labels = move.env["frontpay.customer.form"]._labels(taken)
        lines = [
            move.env._(
                "%(customer)s has filled in: %(fields)s.",
                customer=self.partner_id.name,
                fields=", ".join(labels.values()),
            )
        ]
        if not self._asked():
            self.answered_at = fields.Datetime.now()
            lines.append(self._go_on(move, person))
        move.message_post(
            body=Markup("<br/>").join(lines), partner_ids=person.partner_id.ids
        )

    def _go_on(self, move, person):
        """:param person: ``res.users``, or none
        :return: a sentence about what happens to the invoice now
        """
        order = self.env["frontpay.order"].sudo()
        problems = order._preflight(move)
        queued = order.browse()
        if person and self.is_sent_when_complete and not problems:
            # As if that person had sent it, who is responsible for it from now on.
            own = move.with_user(person).with_company(move.company_id)
            queued = own.env["frontpay.order"]._enqueue(own)
        if queued:
            return move.env._("The invoice is queued for Front Payment.")
        sentence = move.env._("%s can be sent to Front Payment now.", move.name)
        if problems:
            sentence = "\n".join(problem.message for problem in problems)
        move.activity_schedule(
            ATTENTION,
            note=Markup("<br/>").join(sentence.splitlines()),
            user_id=person.id,
        )
        return sentence

    # === THE END === #

    @api.autovacuum
    def _gc_expired(self):
        ended = fields.Datetime.now() - KEPT_FOR
        self.search([("expires_at", "<", ended)]).unlink()
