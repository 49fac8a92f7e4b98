"""A callback that we send to ourselves, to see whether callbacks arrive.

It looks like Front Payment's own (section 17), is signed with the same secret, and goes
to the same public address: so it takes the same way through proxies and database
filters. What is answered proves nothing, for anybody may answer there; whoever asks
looks at what arrived.
"""

import time

import requests
from urllib3.exceptions import HTTPError

from .callback import checksum
from .transport import Transport

TIMEOUT = 10  # seconds, for the call as a whole
# How a call can fail.
BAD_CERTIFICATE = "certificate"
NO_ANSWER = "unreachable"


def signed_pairs(secret):
    """The parameters of a test callback, signed now.

    :param str secret: the callback secret
    :return: list of (name, value)
    """
    now = str(int(time.time()))
    pairs = [
        ("orderUuid", "ODR0"),  # no order's number
        ("status", "TEST"),
        ("paymentMethod", ""),
        ("amount", "0.00"),
        ("createdAt", now),
        ("timestamp", now),
    ]
    return [*pairs, ("checksum", checksum(pairs, secret))]


def call(url, secret, user_agent):
    """Call a callback address as Front Payment does.

    :param str url: without a query
    :param str secret: the callback secret
    :param str user_agent: who is calling
    :return: (HTTP status or None, why there is none or an empty string)
    """
    transport = Transport()
    transport.start(TIMEOUT)
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, transport)
        try:
            answer = session.get(
                url,
                params=signed_pairs(secret),
                headers={"User-Agent": user_agent},
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
            )
        except requests.exceptions.SSLError:
            return None, BAD_CERTIFICATE
        except (OSError, HTTPError, ValueError):
            return None, NO_ANSWER
        return answer.status_code, ""
