"""Whether a value may go to Front Payment: who the customer is, how the customer is
reached, and which URLs may be called or shown.

What a personal number must look like for Front Payment stands in section 3.5 of the
API reference; how it is built, in Skatteetaten's description of the national identity
number, and an organization's in Brønnøysundregistrene's.
"""

import datetime
import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

import phonenumbers
import pycountry
from phonenumbers import PhoneNumberType
from stdnum import exceptions
from stdnum.no import fodselsnummer, orgnr

# Test systems add this to the month, so that no number belongs to a person:
# Skatteetaten (Tenor) 80, NAV's older test data 40.
SYNTHETIC_MONTH_OFFSETS = (80, 40)
# What HTML calls a valid e-mail address (WHATWG, input type=email), with a domain of
# two labels or more: an address inside one's own network reaches no customer.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(
    rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+)*"
    rf"@{_LABEL}(?:\.{_LABEL})+"
)
_EMAIL_MAX_LENGTH = 254  # RFC 5321, 4.5.3.1.3
_MOBILE_TYPES = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


class InvalidValue(ValueError):
    """A value that Front Payment wouldn't take, with a reason for programs.

    The value itself never becomes part of the exception: it may be a personal number.

    :param reason: a key of the reasons named by the function that raises it, e.g.
        ``check_digits``; the sentence for people is made where it is caught
    """

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class Phone(NamedTuple):
    """A telephone number in the two parts that Front Payment asks for.

    ``country_code`` is the calling code with a plus (``+47``), ``msisdn`` the national
    number without it; ``mobile`` is true where the number can be a mobile.
    """

    country_code: str
    msisdn: str
    mobile: bool


def compact_personal_number(text: str) -> str:
    """Take spaces, dashes and colons out of a personal number, check nothing."""
    return re.sub(r"\s", "", fodselsnummer.compact(text or ""))


def personal_number(text: str, synthetic_allowed: bool) -> str:
    """Return the eleven digits of a national identity number or D-number.

    :param text: the number as typed, with or without spaces and dashes
    :param synthetic_allowed: whether numbers made for test systems are taken
    :raises InvalidValue: ``missing``, ``eleven_digits``, ``check_digits``,
        ``birth_date`` or ``synthetic``
    """
    number = compact_personal_number(text)
    if not number:
        raise InvalidValue("missing")
    if not re.fullmatch(r"[0-9]{11}", number):
        raise InvalidValue("eleven_digits")
    first = fodselsnummer.calc_check_digit1(number)
    second = fodselsnummer.calc_check_digit2(number)
    if not number.endswith(first + second):
        raise InvalidValue("check_digits")
    month = int(number[2:4])
    offset = next((offset for offset in SYNTHETIC_MONTH_OFFSETS if month > offset), 0)
    try:
        # Takes the 40 off the day of a D-number, and finds the century.
        born = fodselsnummer.get_birth_date(
            f"{number[:2]}{month - offset:02}{number[4:]}"
        )
    except exceptions.ValidationError:
        raise InvalidValue("birth_date") from None
    if born > datetime.date.today():
        raise InvalidValue("birth_date")
    if offset and not synthetic_allowed:
        raise InvalidValue("synthetic")
    return number


def organization_number(text: str, country_code: str) -> str:
    """Return an organization's number as Front Payment wants it.

    Norwegian: nine digits, without ``NO`` in front and ``MVA`` behind. Elsewhere:
    letters and digits, without spaces, dots and dashes.

    :param text: the number as typed
    :param country_code: ISO 3166 alpha-2 code of the organization's country
    :raises InvalidValue: ``missing``, ``nine_digits``, ``check_digit`` or
        ``alphanumeric``
    """
    number = re.sub(r"[\s.-]", "", text or "").upper()
    if not number:
        raise InvalidValue("missing")
    if (country_code or "").upper() != "NO":
        if not re.fullmatch(r"[A-Z0-9]+", number):
            raise InvalidValue("alphanumeric")
        return number
    number = number.removeprefix("NO").removesuffix("MVA")
    if not re.fullmatch(r"[0-9]{9}", number):
        raise InvalidValue("nine_digits")
    if not orgnr.is_valid(number):
        raise InvalidValue("check_digit")
    return number


def phone(text: str, country_code: str) -> Phone:
    """Take a telephone number apart.

    :param text: the number as typed, with or without calling code
    :param country_code: ISO 3166 alpha-2 code of the customer's country, for numbers
        without calling code
    :raises InvalidValue: ``calling_code`` (none given, and none known for the country),
        ``phone_format`` or ``phone_number`` (no such number can exist)
    """
    try:
        number = phonenumbers.parse(text, country_code.upper() or None)
    except phonenumbers.NumberParseException as error:
        calling_code = error.error_type == error.INVALID_COUNTRY_CODE
        raise InvalidValue("calling_code" if calling_code else "phone_format") from None
    if not phonenumbers.is_valid_number(number):
        raise InvalidValue("phone_number")
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

    :raises InvalidValue: ``email``
    """
    for word in re.split(r"[\s,;<>()\[\]\"]+", text):
        address = _ascii_domain(word)
        if len(address) <= _EMAIL_MAX_LENGTH and _EMAIL.fullmatch(address):
            return address
    raise InvalidValue("email")


def country(code: str) -> str:
    """Return an ISO 3166 alpha-2 code in capitals.

    Odoo's own list holds two codes that aren't ISO's (``XK``, ``XI``): refused.

    :raises InvalidValue: ``country``
    """
    code = code.upper()
    if len(code) != 2 or not pycountry.countries.get(alpha_2=code):
        raise InvalidValue("country")
    return code


def is_complete_url(url):
    """Whether it is an http(s) address with a host, and no more than a path."""
    parts = _split(url)
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and url.isascii()
        and not re.search(r"[\s?#@\\]", url)
    )


def is_safe_url(url):
    """Whether what goes there can't be read on its way: https, or this machine."""
    parts = _split(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and _is_loopback(parts.hostname)


def is_local_url(url):
    """Whether it leads to this machine, so that nobody outside can follow it."""
    return _is_loopback(_split(url).hostname)


def _ascii_domain(address):
    name, at, domain = address.rpartition("@")
    try:
        return name + at + domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _split(url):
    """A URL's parts, all empty if it is none."""
    try:
        parts = urlsplit(url)
        return urlsplit("") if parts.port == 0 else parts
    except ValueError:
        return urlsplit("")


def _is_loopback(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
