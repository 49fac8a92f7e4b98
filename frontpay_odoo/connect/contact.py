"""How the customer is reached: telephone, e-mail and country."""

import re
from typing import NamedTuple

import phonenumbers
import pycountry
from phonenumbers import PhoneNumberType

from .invalid import Invalid

# What HTML calls a valid e-mail address (WHATWG, input type=email), with a domain of
# two labels or more: an address inside one's own network reaches no customer.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(
    rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+)*"
    rf"@{_LABEL}(?:\.{_LABEL})+"
)
_EMAIL_MAX_LENGTH = 254  # RFC 5321, 4.5.3.1.3

_MOBILE_TYPES = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


class Phone(NamedTuple):
    """A telephone number in the two parts that Front Payment asks for.

    ``country_code`` is the calling code with a plus (``+47``), ``msisdn`` the national
    number without it; ``mobile`` is true where the number can be a mobile.
    """

    country_code: str
    msisdn: str
    mobile: bool


def phone(text: str, country_code: str) -> Phone:
    """Take a telephone number apart.

    :param text: the number as typed, with or without calling code
    :param country_code: ISO 3166 alpha-2 code of the customer's country, for numbers
        without calling code
    :raises Invalid: ``missing``, ``calling_code`` (none given, and none known for the
        country), ``phone_format`` or ``phone_number`` (no such number can exist)
    """
    if not (text or "").strip():
        raise Invalid("missing")
    try:
        number = phonenumbers.parse(text, (country_code or "").upper() or None)
    except phonenumbers.NumberParseException as error:
        calling_code = error.error_type == error.INVALID_COUNTRY_CODE
        raise Invalid("calling_code" if calling_code else "phone_format") from None
    if not phonenumbers.is_valid_number(number):
        raise Invalid("phone_number")
    return Phone(
        country_code=f"+{number.country_code}",
        msisdn=phonenumbers.national_significant_number(number),
        mobile=phonenumbers.number_type(number) in _MOBILE_TYPES,
    )


def email(text: str) -> str:
    """Return the first valid address of a field that may hold several.

    Addresses are taken apart at spaces, commas, semicolons and brackets, so that
    ``Kari Nordmann <kari@example.com>; post@example.com`` gives ``kari@example.com``.
    A domain with letters such as ``ø`` is returned in the ASCII form that mail uses.

    :raises Invalid: ``missing`` or ``email``
    """
    if not (text or "").strip():
        raise Invalid("missing")
    for word in re.split(r"[\s,;<>()\[\]\"]+", text):
        address = _ascii_domain(word)
        if len(address) <= _EMAIL_MAX_LENGTH and _EMAIL.fullmatch(address):
            return address
    raise Invalid("email")


def country(code: str) -> str:
    """Return an ISO 3166 alpha-2 code in capitals.

    Odoo's own list holds two codes that aren't ISO's (``XK``, ``XI``): refused.

    :raises Invalid: ``missing`` or ``country``
    """
    code = (code or "").strip().upper()
    if not code:
        raise Invalid("missing")
    if len(code) != 2 or not pycountry.countries.get(alpha_2=code):
        raise Invalid("country")
    return code


def _ascii_domain(address):
    name, at, domain = address.rpartition("@")
    try:
        return name + at + domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
