"""The invoice's customer: identity from the company, contact from the person.

Type, name and numbers come from the commercial partner, address, e-mail and phone
from the invoice's contact; what the contact lacks, the commercial partner gives.
"""

from odoo.tools.translate import LazyTranslate

from ..connect import contact, identity
from ..connect.invalid import Invalid
from ..connect.order import Address, Customer
from .problem import Problem
from .words import in_words

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
    "frontpay_organization_id": _lt("organisation number"),
}
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


def customer_of(move, channel, problems, notes):
    """Whom the order goes to.

    :param move: a posted customer invoice
    :param connect.channels.Channel channel: the way it goes
    :param list problems: every :class:`Problem` found is added
    :param list notes: everything worth knowing that keeps nothing from being sent is
        added, as sentences in the user's language
    :rtype: Customer; of no use when problems were added
    """
    reader = _CustomerReader(move, channel, problems, notes)
    phone = reader.phone()
    return Customer(
        type=reader.company.frontpay_customer_type,
        name=reader.name(),
        email=reader.email(),
        country_code=phone.country_code if phone else "",
        msisdn=phone.msisdn if phone else "",
        language=reader.company.frontpay_language or "no",
        address=reader.address(),
        personal_number=reader.personal_number(),
        organization_id=reader.organization_id(),
        mobile=bool(phone) and phone.mobile,
    )


class _CustomerReader:
    """Reads one customer and notes what is missing or wrong."""

    def __init__(self, move, channel, problems, notes):
        self.move = move
        self.channel = channel
        self.contact = move.partner_id
        self.company = move.commercial_partner_id
        self.problems = problems
        self.notes = notes

    def name(self):
        return _stripped(self.company, "name") or self._missing("name")

    def email(self):
        email = self._checked("email", contact.email)
        if email and self._text("email").count("@") > 1:
            self._note("emails", email=email)
        return email

    def phone(self):
        phone = self._checked("phone", contact.phone, self._country_code())
        if phone and not phone.mobile:
            self._note("landline")
        return phone

    def address(self):
        """The address of one and the same partner: a street of one and the city of
        the other would lead nowhere."""
        is_own = _stripped(self.contact, "street")
        partner = self.contact if is_own else self.company
        streets = [_stripped(partner, "street"), _stripped(partner, "street2")]
        return Address(
            street=", ".join(filter(None, streets)) or self._missing("street"),
            zip=_stripped(partner, "zip") or self._missing("zip"),
            city=_stripped(partner, "city") or self._missing("city"),
            country=self._country(partner),
        )

    def personal_number(self):
        is_private = self.company.frontpay_customer_type == "private"
        if not is_private or not self.channel.identifies:
            return ""
        allowed = self.move.company_id._frontpay_synthetic_allowed()
        return self._checked(
            "frontpay_personal_number", identity.personal_number, allowed
        )

    def organization_id(self):
        if self.company.frontpay_customer_type != "corporate":
            return ""
        return self._checked(
            "frontpay_organization_id", self.company._frontpay_organization_number
        )

    def _country(self, partner):
        if not partner.country_id:
            return self._missing("country_id")
        try:
            return contact.country(partner.country_id.code)
        except Invalid as invalid:
            return self._invalid("country_id", invalid)

    def _country_code(self):
        partner = self.contact if self.contact.country_id else self.company
        return partner.country_id.code or ""

    def _checked(self, field, check, *arguments):
        text = self._text(field)
        if not text:
            return self._missing(field)
        try:
            return check(text, *arguments)
        except Invalid as invalid:
            return self._invalid(field, invalid)

    def _text(self, field):
        return _stripped(self.contact, field) or _stripped(self.company, field)

    def _note(self, name, **details):
        sentence = in_words(self.move.env, NOTES[name])
        place = {"customer": self._called(self.contact)}
        self.notes.append(sentence % (place | details))

    def _missing(self, field):
        partner = self._partner(field)
        message = self.move.env._(
            "%(customer)s has no %(field)s. Front Payment needs it: fill it in on the"
            " customer.",
            customer=self._called(partner),
            field=in_words(self.move.env, FIELDS[field]),
        )
        self.problems.append(Problem(partner, message))
        return ""

    def _invalid(self, field, invalid):
        partner = self._partner(field)
        if field.startswith("frontpay_"):
            message = partner._frontpay_number_sentence(invalid)
        else:
            sentence = in_words(self.move.env, REASONS[invalid.reason])
            message = sentence % {"customer": self._called(partner)}
        self.problems.append(Problem(partner, message))
        return ""

    def _partner(self, field):
        """Where the field is mended: identity stands on the commercial partner."""
        is_identity = field == "name" or field.startswith("frontpay_")
        return self.company if is_identity else self.contact

    def _called(self, partner):
        return partner.name or self.company.name or partner.display_name


def _stripped(partner, field):
    return (partner[field] or "").strip()
