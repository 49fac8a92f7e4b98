"""The client: HTTP to Front Payment, and its answers or exceptions back."""

import ssl
import time
from dataclasses import dataclass, field
from urllib.parse import quote

import requests
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from . import answers, endpoints, errors
from .masking import masked_json, masked_text

CONNECT_TIMEOUT = 5  # seconds
READ_TIMEOUT = 30  # seconds
MAX_ANSWER = 2 * 1024 * 1024  # bytes
# Characters of an answer that the log keeps: a list of all orders comes often.
MAX_KEPT = 20_000
MAX_KEPT_TEXT = 2_000
NO_ORDER = "ODR0"
# Seconds: the limit's window isn't stated (question 44), nor is there a Retry-After
# with every 429.
LIMIT_WINDOW = 60
LIMITED_PAUSE = 10
# From urllib3 2.2 on. With older ones, an answer is read byte by byte, which takes
# about 2 seconds a megabyte.
TELLS_WHAT_IS_THERE = hasattr(HTTPResponse, "read1")

ERRORS = {
    401: errors.NotAuthorised,
    403: errors.NotAuthorised,
    404: errors.NotFound,
    405: errors.WrongAddress,
    408: errors.UnknownOutcome,
    429: errors.Limited,
}
ERRORS_BY_HUNDRED = {
    3: errors.WrongAddress,
    4: errors.Refused,
    5: errors.UnknownOutcome,
}


@dataclass
class Exchange:
    """One request and its answer as they may be kept: masked.

    :param int http_status: None when no answer came
    :param str error: what went wrong, in technical words
    :param int duration: milliseconds
    """

    method: str
    path: str
    request: str
    http_status: int | None = None
    answer: str = ""
    error: str = ""
    duration: int = 0
    started: float = field(default_factory=time.monotonic, repr=False)

    def close(self):
        self.duration = round((time.monotonic() - self.started) * 1000)


class Client:
    """Calls Front Payment's API over one connection that is kept open.

    A context manager::

        with Client(base_url, token, "frontpay_odoo/19.0.1.1.0") as client:
            client.submit(channel, document)

    :param str base_url: up to and with ``/api/v1/``
    :param str token: the bearer token
    :param str user_agent: who is calling
    :param log: called with the :class:`Exchange` of every call, also of a failed one
    :param timeout: seconds to wait for a connection, and for the answer
    :param pace: who says when to call: ``take()`` waits for a place or raises
        :class:`errors.Limited`, ``hold(seconds)`` keeps everybody from calling
    """

    def __init__(
        self,
        base_url,
        token,
        user_agent,
        log=None,
        timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
        pace=None,
    ):
        self.base_url = base_url
        self._token = token
        self._log = log
        self._timeout = timeout
        self._pace = pace
        self._has_place = False
        self._session = requests.Session()
        self._session.headers.update(
            {
                "Accept": "application/json",
                "User-Agent": user_agent,
            }
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._session.close()

    def await_place(self):
        """Wait until the next call may go out, before anything depends on it.

        :raises Limited: that would take too long
        """
        if self._pace and not self._has_place:
            self._pace.take()
            self._has_place = True

    def submit(self, channel, document):
        """Hand over an order.

        :param channels.Channel channel: the way it goes
        :param dict document: the order as the channel's JSON
        :rtype: answers.SubmittedOrder
        :raises FrontPaymentError: see :meth:`_call`
        """
        return self._call(channel.endpoint, answers.submitted_order, document)

    def status(self, order_uuid):
        """Ask for an order's status (section 14).

        :rtype: answers.OrderStatus
        :raises FrontPaymentError: see :meth:`_call`
        """
        return self._call(endpoints.STATUS, answers.order_status, order_uuid=order_uuid)

    def statuses(self):
        """Ask for the statuses of all orders (section 13).

        :return: {order number: status as Front Payment spells it}
        :raises FrontPaymentError: see :meth:`_call`
        """
        try:
            return self._call(endpoints.STATUSES, answers.order_statuses)
        except errors.NotFound:  # how an empty list is told (question 9)
            return {}

    def details(self, order_uuid):
        """Ask what an order is about (section 15).

        :rtype: answers.OrderDetails
        :raises FrontPaymentError: see :meth:`_call`
        """
        return self._call(
            endpoints.DETAILS, answers.order_details, order_uuid=order_uuid
        )

    def invoice_number(self, order_uuid):
        """Ask for the number of an order's invoice (section 15b).

        :return: the number, or an empty string while there is none
        :raises FrontPaymentError: see :meth:`_call`
        """
        return self._call(
            endpoints.INVOICE_NUMBER, answers.invoice_number, order_uuid=order_uuid
        )

    def check_connection(self):
        """Show that address and token are right, without touching any order.

        :raises FrontPaymentError: see :meth:`_call`
        """
        try:
            self.status(NO_ORDER)
        except errors.NotFound:
            return

    def _call(self, endpoint, read, document=None, **path):
        """Send one request and return what ``read`` makes of the envelope's ``data``.

        :raises Unreachable: nothing was sent
        :raises NotAuthorised: the token isn't accepted
        :raises WrongAddress: what answers there isn't Front Payment's API
        :raises NotFound: no such order or customer
        :raises Refused: the request is not accepted; ``sentences`` say why
        :raises Limited: too many calls
        :raises UnknownOutcome: the request may have been carried out
        """
        place = endpoint.path.format(
            **{name: quote(value, safe="") for name, value in path.items()}
        )
        exchange = Exchange(endpoint.method, place, "")
        if document is not None:
            exchange.request = masked_json(document, [self._token])
        self.await_place()
        self._has_place = False
        try:
            return read(self._exchange(endpoint, place, document, exchange))
        except errors.FrontPaymentError as error:
            exchange.error = masked_text(str(error), [self._token])
            raise
        finally:
            exchange.close()
            if self._log:
                self._log(exchange)

    def _authorise(self, request):
        # As a hook, so that no .netrc of the server replaces it; but then nobody else
        # checks the header, and http.client would quote the token in its complaint.
        if not self._token:  # as in a copied database: nothing goes out
            raise requests.exceptions.InvalidHeader
        header = ("Authorization", f"Bearer {self._token}")
        requests.utils.check_header_validity(header)
        request.headers.update([header])
        return request

    def _exchange(self, endpoint, place, document, exchange):
        try:
            response = self._session.request(
                endpoint.method,
                self.base_url + place,
                json=document,
                auth=self._authorise,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
            exchange.http_status = response.status_code
            self._heed(response)
            text = self._text(response)
        except (requests.RequestException, HTTPError, UnicodeError) as error:
            raise _transport_error(error) from None
        try:
            answer = answers.document_of(text)
            if not (endpoint.tells_people and response.ok):
                exchange.answer = self._masked_answer(text, answer)
        except RecursionError:  # nested deeper than any answer of theirs
            answer = None
        return _data(endpoint, response, answer)

    def _heed(self, response):
        """Hold all calls when Front Payment says that there were too many.

        The limit's headers are those that were recorded (section 2).
        """
        if not self._pace:
            return
        if response.status_code == 429:
            self._pace.hold(_retry_after(response) or LIMITED_PAUSE)
        elif response.headers.get("x-ratelimit-remaining") == "0":
            self._pace.hold(LIMIT_WINDOW)

    def _text(self, response):
        """The answer's text, cut off at two megabytes and at the read time-out."""
        deadline = time.monotonic() + self._timeout[1]
        content = bytearray()
        with response:
            for piece in _pieces(response):
                content += piece
                if len(content) > MAX_ANSWER:
                    raise errors.UnknownOutcome("the answer is too long")
                if time.monotonic() > deadline:
                    raise errors.UnknownOutcome("the answer takes too long")
        return content.decode(errors="replace")

    def _masked_answer(self, text, answer):
        if answer is None:
            return masked_text(text, [self._token])[:MAX_KEPT_TEXT]
        return masked_json(answer, [self._token])[:MAX_KEPT]


def _pieces(response):
    """The answer's bytes, each piece as soon as it is there.

    Waiting for a piece to be full would let an answer that drips outlast its deadline.
    """
    if TELLS_WHAT_IS_THERE:
        return iter(lambda: response.raw.read1(64 * 1024, decode_content=True), b"")
    return response.iter_content(1)


def _data(endpoint, response, answer):
    """The ``data`` of a good answer, whatever ``is_data`` says (question 8)."""
    status = response.status_code
    if answer is None and 200 <= status < 300:
        kind = errors.UnknownOutcome if endpoint.changes else errors.WrongAddress
        raise kind("the answer is not JSON", http_status=status)
    if 200 <= status < 300:
        return answer.get("data")
    kind = ERRORS.get(status) or ERRORS_BY_HUNDRED.get(
        status // 100, errors.UnknownOutcome
    )
    if answer is None and kind in (errors.NotFound, errors.Refused):
        kind = errors.WrongAddress
    details = {"http_status": status}
    if kind is errors.Limited:
        details["retry_after"] = _retry_after(response)
    raise kind(
        f"HTTP {status}", answers.sentences_of(answer) if answer else [], **details
    )


def _retry_after(response):
    """Seconds to wait, at most an hour; None without a number of them."""
    text = response.headers.get("Retry-After", "")
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    return min(int(text), 3600) if is_number else None


BAD_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)
BAD_TOKEN = (requests.exceptions.InvalidHeader, UnicodeError)
NO_CONNECTION = (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)


def _transport_error(error):
    """Tell a request that never left from one whose fate isn't known."""
    name = type(error).__name__
    if isinstance(error, BAD_ADDRESS):
        return errors.WrongAddress(name)
    if isinstance(error, BAD_TOKEN):
        return errors.NotAuthorised(name)
    if isinstance(error, NO_CONNECTION) or _before_sending(error):
        return errors.Unreachable(name)
    return errors.UnknownOutcome(name)


def _before_sending(error):
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    if isinstance(reason, NewConnectionError):
        return True
    return bool(reason and reason.args) and isinstance(
        reason.args[0], ssl.SSLCertVerificationError
    )
