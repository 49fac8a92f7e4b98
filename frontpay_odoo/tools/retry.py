"""How long to wait before a call is tried again."""

import random
from datetime import timedelta

FIRST_DELAY = 60  # seconds
MAX_DELAY = 60 * 60  # seconds
JITTER = 0.25  # so that calls which failed together don't come back together


def pause(tries, error=None):
    """The time to wait after a number of tries that failed: doubled with each.

    :param int tries: how many failed so far, 1 or more
    :param error: the :class:`connect.errors.FrontPaymentError` of the last one; what
        Front Payment asked for (``Retry-After``) counts if it is longer
    :rtype: timedelta
    """
    usual = min(FIRST_DELAY * 2 ** (tries - 1), MAX_DELAY)
    seconds = usual * random.uniform(1 - JITTER, 1 + JITTER)
    at_least = getattr(error, "retry_after", None) or 0
    return timedelta(seconds=round(max(seconds, at_least)))
