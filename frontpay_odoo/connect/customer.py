"""A customer here and at Front Payment, compared and updated (section 18)."""

from dataclasses import asdict
from typing import NamedTuple

# What both have, as text.
FIELDS = {
    "type": lambda customer: customer.type,
    "name": lambda customer: customer.name,
    "email": lambda customer: customer.email,
    "phone": lambda customer: f"{customer.country_code} {customer.msisdn}".strip(),
    "language": lambda customer: customer.language,
    "personal_number": lambda customer: customer.personal_number,
    "organization_id": lambda customer: customer.organization_id,
    "street": lambda customer: customer.address.street,
    "zip": lambda customer: customer.address.zip,
    "city": lambda customer: customer.address.city,
    "country": lambda customer: customer.address.country,
}
# Where a space or a capital makes no difference.
LOOSE = {
    *("type", "email", "phone", "language", "personal_number"),
    *("organization_id", "zip", "country"),
}
# What an update may leave out, and whether it has the text: an organization's number
# has to be digits there, which foreign ones aren't always.
OPTIONAL = {
    "personal_number": bool,
    "organization_id": str.isdecimal,
}


class Row(NamedTuple):
    """One field of a comparison.

    :param field: a key of :data:`FIELDS`
    :param kind: ``same``, ``differs``, or ``kept`` if it differs and no update changes
        it, as ours isn't sent
    """

    field: str
    here: str
    there: str
    kind: str


def compared(here, there):
    """Compare a customer with what Front Payment has of it.

    :param order.Customer here: as it would be sent
    :param order.Customer there: as Front Payment has it
    :return: list of :class:`Row`, of what one of them has at least
    """
    texts = {name: (read(here), read(there)) for name, read in FIELDS.items()}
    return [
        Row(name, *pair, _kind(name, *pair))
        for name, pair in texts.items()
        if any(pair)
    ]


def update_json(customer):
    """Write a customer for *Update private* or *Update corporate customer*.

    :param order.Customer customer: the customer
    :return: what is put, ready for ``json.dumps``
    """
    document = {
        "name": customer.name,
        "email": customer.email,
        "countryCode": customer.country_code,
        "msisdn": customer.msisdn,
        "preferredLanguage": customer.language,
        "addresses": {"billing": asdict(customer.address)},
    }
    if OPTIONAL["personal_number"](customer.personal_number):
        document["personalNumber"] = customer.personal_number
    if OPTIONAL["organization_id"](customer.organization_id):
        document["organizationId"] = customer.organization_id
    return document


def _kind(name, here, there):
    if _comparable(name, here) == _comparable(name, there):
        return "same"
    is_sent = OPTIONAL.get(name, lambda _text: True)
    return "differs" if is_sent(here) else "kept"


def _comparable(name, text):
    return "".join(text.split()).casefold() if name in LOOSE else text
