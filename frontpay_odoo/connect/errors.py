"""What can go wrong between here and Front Payment, told apart.

Section 2 of the API reference lists the answers; section 24 (10, 11) decides what
they mean. The text of an exception is technical and goes to the exchange log; the
sentence for the bookkeeper is made where the exception is caught.
"""


class FrontPaymentError(Exception):
    """A call that brought no usable answer.

    :param reason: what happened, in technical words, free of personal data
    :param sentences: Front Payment's own sentences, if it sent any
    :param http_status: status code of the answer, or None when there was none
    :param retry_after: seconds to wait, or None when Front Payment didn't say
    """

    # Whether the company's other calls would fail in the same way.
    affects_all = False
    # Whether the very same may be sent again later: nothing was stored there.
    retryable = False

    def __init__(self, reason, sentences=(), http_status=None, retry_after=None):
        super().__init__(reason)
        self.sentences = list(sentences)
        self.http_status = http_status
        self.retry_after = retry_after


class Unreachable(FrontPaymentError):
    """Not a byte of the request was written, so nothing is stored."""

    affects_all = True
    retryable = True


class Unauthorized(FrontPaymentError):
    """The bearer token is missing, wrong or not allowed (401, 403)."""

    affects_all = True


class NoToken(Unauthorized):
    """There is no token, or none that could go out: nobody was called."""


class NotFrontPayment(FrontPaymentError):
    """The address is none, or somebody else than Front Payment's API answers there.

    That concerns this call: a proxy or firewall may answer for a single one.
    """


class Rejected(FrontPaymentError):
    """Front Payment read the request and says no (400, 417, 422 and other 4xx)."""


class NotFound(FrontPaymentError):
    """The order or customer asked for doesn't exist there (404)."""


class RateLimited(FrontPaymentError):
    """Too many calls (429)."""

    retryable = True

    @property
    def is_own(self):
        """Whether our own rate limiter says so: Front Payment wasn't called at all."""
        return self.http_status is None

    # After Front Payment's own 429, the rate limiter lets the other calls wait.
    affects_all = is_own


class UnknownOutcome(FrontPaymentError):
    """The request went out, but what became of it isn't known.

    A time-out, a dropped connection, a fault of the server (5xx) or an answer that
    can't be read. After a call that changes something it must not be sent again
    before that is known (section 24, questions 11 and 43).
    """
