"""A customer as plain data: identity from the company, contact from the person.

Type, name and numbers come from the commercial partner, address, e-mail and phone
from the invoice's contact; what the contact lacks, the commercial partner gives.
"""

from odoo.tools.translate import LazyTranslate

from ..connect import validation
from ..connect.order import Address, Customer
from ..connect.validation import InvalidValue
from .problem import Problem, localized

_lt = LazyTranslate(__name__)

FIELDS = {
    "name": _lt("name"),
    "email": _lt("e-mail address"),
    "phone": _lt("phone number"),
    "street": _lt("street"),
    "zip": _lt("ZIP code"),
    "city": _lt("city"),
    "country_id": _lt("country"),
    "frontpay_personal_number": _lt("personal number"),
    "frontpay_organization_id": _lt("organization number"),
}
# Why a value isn't taken, by the reason of connect.validation.
REASONS = {
    "email": _lt(
        "%(customer)s: the e-mail address isn't a valid one. Correct it on the"
        " customer."
    ),
    "calling_code": _lt(
        "%(customer)s: the phone number doesn't tell its country. Write it with the"
        " country's code, such as +47, or choose the customer's country."
    ),
    "phone_format": _lt(
        "%(customer)s: the phone number can't be read as one. Write digits only, with"
        " the country's code in front, such as +47."
    ),
    "phone_number": _lt(
        "%(customer)s: no such phone number can exist. Look for a mistyped or missing"
        " digit."
    ),
    "country": _lt(
        "%(customer)s: the country isn't one of the ISO list that Front Payment uses."
        " Choose another one on the customer."
    ),
    "missing": _lt("%(customer)s: the number is missing."),
    "eleven_digits": _lt(
        "%(customer)s: the personal number must have exactly 11 digits. "
        "Count them again."
    ),
    "check_digits": _lt(
        "%(customer)s: the personal number can't be right, its last two digits "
        "don't fit the others. Look for a mistyped digit."
    ),
    "birth_date": _lt(
        "%(customer)s: the personal number can't be right, it doesn't begin "
        "with a date of birth. Look for a mistyped digit."
    ),
    "synthetic": _lt(
        "%(customer)s: this personal number was made for testing and belongs "
        "to nobody. In production, Front Payment takes real numbers only."
    ),
    "nine_digits": _lt(
        "%(customer)s: a Norwegian organization number must have exactly 9 "
        "digits. Look it up at Brønnøysundregistrene."
    ),
    "check_digit": _lt(
        "%(customer)s: the organization number can't be right, its last digit "
        "doesn't fit the others. Look it up at Brønnøysundregistrene."
    ),
    "alphanumeric": _lt(
        "%(customer)s: an organization number may hold letters and digits only."
    ),
}
NOTES = {
    "emails": _lt(
        "%(customer)s has several e-mail addresses in one field. Front Payment takes"
        " one and gets %(email)s."
    ),
    "landline": _lt(
        "%(customer)s has a phone number that isn't a mobile's: no SMS can reach it."
    ),
}


def customer_of(move, channel):
    """Whom the order goes to.

    :param move: a posted customer invoice
    :param connect.channels.Channel channel: how the order reaches the customer
    :return: (Customer, in which is empty what a problem is about; list of
        :class:`Problem`; list of notes: what is worth knowing and keeps nothing from
        being sent, as sentences in the user's language)
    """
    reader = _CustomerReader(
        move.partner_id,
        move.commercial_partner_id,
        move.company_id,
        needs_personal_number=channel.needs_personal_number,
    )
    return reader.data(), reader.problems, reader.notes


def customer_of_partner(contact, company, needs_personal_number=False):
    """A customer without an invoice.

    :param contact: the ``res.partner`` to whom invoices would go
    :param company: the ``res.company`` whose customer it is
    :param needs_personal_number: of a private customer; without it, it is read if
        there is one
    :return: (Customer, list of :class:`Problem`), both as of :func:`customer_of`
    """
    customer = contact.commercial_partner_id
    is_read = needs_personal_number or bool(customer.frontpay_personal_number)
    reader = _CustomerReader(contact, customer, company, needs_personal_number=is_read)
    return reader.data(), reader.problems


class _CustomerReader:
    """Reads one customer and collects what is missing, wrong or worth knowing.

    :param contact: the ``res.partner`` that is written to
    :param customer: the ``res.partner`` that is invoiced
    :param company: the ``res.company`` whose customer it is
    """

    def __init__(self, contact, customer, company, *, needs_personal_number):
        self.env = contact.env
        self.contact = contact
        self.customer = customer
        self.company = company
        self.needs_personal_number = needs_personal_number
        self.problems = []
        self.notes = []

    def data(self):
        phone = self.phone()
        return Customer(
            type=self.customer.frontpay_customer_type,
            name=self.name(),
            email=self.email(),
            country_code=phone.country_code if phone else "",
            msisdn=phone.msisdn if phone else "",
            language=self.customer.frontpay_language or "no",
            address=self.address(),
            personal_number=self.personal_number(),
            organization_id=self.organization_id(),
            mobile=bool(phone) and phone.mobile,
        )

    def name(self):
        return _stripped(self.customer, "name") or self._missing("name")

    def email(self):
        text = self._text("email")
        email = self._checked("email", text, validation.email)
        if email and text.count("@") > 1:
            self._note("emails", email=email)
        return email

    def phone(self):
        partner = self.contact if self.contact.country_id else self.customer
        country_code = partner.country_id.code or ""
        text = self._text("phone")
        phone = self._checked("phone", text, validation.phone, country_code)
        if phone and not phone.mobile:
            self._note("landline")
        return phone

    def address(self):
        """The address of one and the same partner: a street of one and the city of
        the other would lead nowhere."""
        is_own = _stripped(self.contact, "street")
        partner = self.contact if is_own else self.customer
        streets = [_stripped(partner, "street"), _stripped(partner, "street2")]
        return Address(
            street=", ".join(filter(None, streets)) or self._missing("street"),
            zip=_stripped(partner, "zip") or self._missing("zip"),
            city=_stripped(partner, "city") or self._missing("city"),
            country=self._checked(
                "country_id", partner.country_id.code, validation.country
            ),
        )

    def personal_number(self):
        is_private = self.customer.frontpay_customer_type == "private"
        if not is_private or not self.needs_personal_number:
            return ""
        allowed = self.company._frontpay_synthetic_allowed()
        field = "frontpay_personal_number"
        check = validation.personal_number
        return self._checked(field, self._text(field), check, allowed)

    def organization_id(self):
        if self.customer.frontpay_customer_type != "corporate":
            return ""
        field = "frontpay_organization_id"
        check = self.customer._frontpay_organization_number
        return self._checked(field, self._text(field), check)

    def _checked(self, field, text, check, *arguments):
        if not text:
            return self._missing(field)
        try:
            return check(text, *arguments)
        except InvalidValue as invalid:
            return self._invalid(field, invalid)

    def _text(self, field):
        return _stripped(self.contact, field) or _stripped(self.customer, field)

    def _note(self, name, **details):
        details["customer"] = self._name_of(self.contact)
        self.notes.append(localized(self.env, NOTES[name]) % details)

    def _missing(self, field):
        partner = self._partner(field)
        label = localized(self.env, FIELDS[field])
        message = self.env._(
            "%(customer)s has no %(field)s. Front Payment needs it: fill it in on the"
            " customer.",
            customer=self._name_of(partner),
            field=label,
        )
        brief = self.env._("no %s", label)
        self.problems.append(Problem(partner, message, field, brief))
        return ""

    def _invalid(self, field, invalid):
        partner = self._partner(field)
        sentence = localized(self.env, REASONS[invalid.reason])
        message = sentence % {"customer": self._name_of(partner)}
        label = localized(self.env, FIELDS[field])
        brief = self.env._("%s isn't valid", label)
        self.problems.append(Problem(partner, message, field, brief))
        return ""

    def _partner(self, field):
        """Where the field is corrected: identity stands on the commercial partner."""
        is_identity = field == "name" or field.startswith("frontpay_")
        return self.customer if is_identity else self.contact

    def _name_of(self, partner):
        return partner.name or self.customer.name or partner.display_name


def _stripped(partner, field):
    return (partner[field] or "").strip()
