"""Front Payment's statuses and the state that an order has with each of them.

Section 17.4 of the API reference lists the spellings; question 12 of section 24 says
how to read them: trim, upper-case, spaces for underscores, keep the raw text.
"""

STATE_OF_STATUS = {
    "SENT": "sent",
    "INVOICED": "invoiced",
    "PURRING": "reminded",
    "INKASSO": "collection",
    "DEBT COLLECTION": "collection",
    "PAID": "paid",
    "PARTIAL REFUNDED": "partially_refunded",
    "PARTIALLY REFUNDED": "partially_refunded",
    "REFUNDED": "refunded",
    "CANCELLED": "cancelled",
    "EXPIRED": "expired",
}


def state_of(status):
    """The state for one of Front Payment's statuses.

    :param str status: as received
    :return: the state's technical name, or None for a status that says nothing about
        an invoice order (``success``, ``RESERVED``, anything new)
    """
    return STATE_OF_STATUS.get(" ".join(status.replace("_", " ").split()).upper())
