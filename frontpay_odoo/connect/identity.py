"""Who the customer is: personal numbers and organisation numbers.

What the numbers must look like for Front Payment stands in section 3.5 of the API
reference; how they are built, in Skatteetaten's description of the national identity
number and Brønnøysundregistrene's of the organisation number.
"""

import datetime
import re

from stdnum import exceptions
from stdnum.no import fodselsnummer, orgnr

from .invalid import Invalid

# Test systems add this to the month, so that no number belongs to a person:
# Skatteetaten (Tenor) 80, NAV's older test data 40.
SYNTHETIC_MONTH_OFFSETS = (80, 40)


def compact_personal_number(text: str) -> str:
    """Take spaces, dashes and colons out of a personal number, check nothing."""
    return re.sub(r"\s", "", fodselsnummer.compact(text or ""))


def personal_number(text: str, synthetic_allowed: bool) -> str:
    """Return the eleven digits of a national identity number or D-number.

    :param text: the number as typed, with or without spaces and dashes
    :param synthetic_allowed: whether numbers made for test systems are taken
    :raises Invalid: ``missing``, ``eleven_digits``, ``check_digits``, ``birth_date``
        or ``synthetic``
    """
    number = compact_personal_number(text)
    if not number:
        raise Invalid("missing")
    if not re.fullmatch(r"[0-9]{11}", number):
        raise Invalid("eleven_digits")
    first, second = number[-2:]
    if (
        fodselsnummer.calc_check_digit1(number) != first
        or fodselsnummer.calc_check_digit2(number) != second
    ):
        raise Invalid("check_digits")
    offset = _synthetic_offset(number)
    _check_birth_date(number, offset)
    if offset and not synthetic_allowed:
        raise Invalid("synthetic")
    return number


def organisation_number(text: str, country_code: str) -> str:
    """Return an organisation's number as Front Payment wants it.

    Norwegian: nine digits, without ``NO`` in front and ``MVA`` behind. Elsewhere:
    letters and digits, without spaces, dots and dashes.

    :param text: the number as typed
    :param country_code: ISO 3166 alpha-2 code of the organisation's country
    :raises Invalid: ``missing``, ``nine_digits``, ``check_digit`` or ``alphanumeric``
    """
    number = re.sub(r"[\s.-]", "", text or "").upper()
    if not number:
        raise Invalid("missing")
    if (country_code or "").upper() != "NO":
        if not re.fullmatch(r"[A-Z0-9]+", number):
            raise Invalid("alphanumeric")
        return number
    number = number.removeprefix("NO").removesuffix("MVA")
    if not re.fullmatch(r"[0-9]{9}", number):
        raise Invalid("nine_digits")
    if not orgnr.is_valid(number):
        raise Invalid("check_digit")
    return number


def _synthetic_offset(number):
    """Return what a test system added to the month: 0 for a real number."""
    month = int(number[2:4])
    return next((offset for offset in SYNTHETIC_MONTH_OFFSETS if month > offset), 0)


def _check_birth_date(number, offset):
    """Raise ``birth_date`` unless the number, less the offset, names a past day."""
    month = int(number[2:4]) - offset
    try:
        # Takes the 40 off the day of a D-number, and finds the century.
        born = fodselsnummer.get_birth_date(f"{number[:2]}{month:02}{number[4:]}")
    except exceptions.ValidationError:
        raise Invalid("birth_date") from None
    if born > datetime.date.today():
        raise Invalid("birth_date")
