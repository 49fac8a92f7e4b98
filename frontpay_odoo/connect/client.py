"""The client: HTTP to Front Payment, and its answers or exceptions back."""

import codecs
import time
from contextlib import contextmanager, suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from http.client import HTTPException
from urllib.parse import quote

import requests
from urllib3.exceptions import HTTPError

from . import endpoints, errors, responses
from .json_rows import JsonRows
from .masking import Exchange, masked_json, masked_text
from .transport import Transport

MAX_ANSWER = 2 * 1024 * 1024  # bytes
PIECE = 16 * 1024  # bytes
# The list of all orders: room for a million, and less than the two minutes after which
# Odoo ends a scheduled action.
MAX_LIST = 200 * 1024 * 1024  # bytes
LIST_TIMEOUT = (5, 85)  # seconds
# Characters of an answer that are kept.
MAX_KEPT = 20_000
MAX_KEPT_TEXT = 2_000  # of one that isn't JSON
NO_ORDER = "ODR0"
# Seconds: the limit's window isn't stated (question 44), nor is there a Retry-After
# with every 429.
RATE_LIMIT_WINDOW = 60
USUAL_RETRY_AFTER = 10
LONGEST_RETRY_AFTER = 60 * 60

ERRORS = {
    401: errors.Unauthorized,
    403: errors.Unauthorized,
    404: errors.NotFound,
    405: errors.NotFrontPayment,
    408: errors.UnknownOutcome,
    429: errors.RateLimited,
}
ERRORS_BY_HUNDRED = {
    3: errors.NotFrontPayment,
    4: errors.Rejected,
    5: errors.UnknownOutcome,
}
BAD_URL = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)
BAD_TOKEN = (requests.exceptions.InvalidHeader, UnicodeError)


class Client:
    """Calls Front Payment's API over one connection that is kept open.

    A context manager::

        with Client(base_url, token, "frontpay_odoo/19.0.1.1.0") as client:
            client.submit(channel, document)

    ``exchanges`` lists the :class:`Exchange` of every call, also of a failed one;
    whoever stores them clears the list. ``clock_ahead`` is by how many seconds this
    machine's clock is ahead of Front Payment's, None before the first answer.

    :param str base_url: up to and with ``/api/v1/``
    :param str token: the bearer token
    :param str user_agent: who is calling
    :param timeout: seconds to wait for a connection, and for the answer; a call as a
        whole ends after their sum
    :param rate_limiter: says when to call: ``acquire()`` waits for a slot or raises
        :class:`errors.RateLimited`, ``block(seconds)`` keeps everybody from calling
    :param deadline: of all calls together: ``left()`` tells how many seconds are left
    """

    def __init__(
        self,
        base_url,
        token,
        user_agent,
        timeout=(5, 30),
        rate_limiter=None,
        deadline=None,
    ):
        self.base_url = base_url
        self.exchanges = []
        self.clock_ahead = None
        self._token = token
        self._timeout = timeout
        self._rate_limiter = rate_limiter
        self._deadline = deadline
        self._has_slot = False
        self._transport = Transport()
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, self._transport)
        self._session.headers.update(
            {"Accept": "application/json", "User-Agent": user_agent}
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._session.close()

    def wait_for_slot(self):
        """Wait until the next call may go out, before anything depends on it.

        :raises RateLimited: that would take too long
        """
        if self._rate_limiter and not self._has_slot:
            self._rate_limiter.acquire()
            self._has_slot = True

    def submit(self, channel, document):
        """Hand over an order.

        :param channels.Channel channel: the way it goes
        :param dict document: the order as the channel's JSON
        :rtype: responses.SubmittedOrder
        :raises FrontPaymentError: see :meth:`_call`, so with all of these methods
        """
        read = responses.submitted_order
        return self._call(channel.endpoint, read, document=document)

    def status(self, order_uuid):
        """Fetch an order's status (section 14).

        :rtype: responses.OrderStatus
        """
        return self._call(endpoints.STATUS, responses.order_status, order_uuid)

    def statuses(self, order_uuids=None):
        """Fetch the statuses of all orders (section 13), however many there are.

        :param order_uuids: a set of the numbers that are wanted; all without it
        :return: {order number: status as Front Payment spells it}
        """
        read = partial(responses.order_statuses, order_uuids=order_uuids)
        try:
            return self._call(endpoints.STATUSES, read)
        except errors.NotFound:  # how an empty list is told (question 9)
            return {}

    def details(self, order_uuid):
        """Fetch what an order is about (section 15).

        :rtype: responses.OrderDetails
        """
        return self._call(endpoints.DETAILS, responses.order_details, order_uuid)

    def invoice_number(self, order_uuid):
        """Fetch the number of an order's invoice (section 15b).

        :return: the number, or an empty string while there is none
        """
        read = responses.invoice_number
        return self._call(endpoints.INVOICE_NUMBER, read, order_uuid)

    def cancel(self, order_uuid, note):
        """Cancel an order (section 11).

        :param str note: why, at most :const:`MAX_NOTE` characters
        """
        document = {"cancellationNote": note}
        self._call(endpoints.CANCEL, responses.nothing, order_uuid, document)

    def resend(self, order_uuid, email="", phone=None):
        """Have Front Payment send its link to a customer once more (section 10).

        :param str email: where to
        :param validation.Phone phone: where to, by SMS
        """
        document = {
            "countryCode": phone and phone.country_code,
            "msisdn": phone and phone.msisdn,
            "email": email or None,
        }
        self._call(endpoints.RESEND, responses.nothing, order_uuid, document)

    def refund(self, order_uuid, document):
        """Have a part of an order, or all of it, paid back or taken off the claim
        (section 12). Front Payment takes it and decides later.

        :param dict document: of :func:`refund.refund_json`
        """
        self._call(endpoints.REFUND, responses.nothing, order_uuid, document)

    def request_approval(self, order_uuid, document):
        """Ask for a refund that is beyond Front Payment's limits (section 12b).

        :param dict document: of :func:`refund.approval_json`
        """
        self._call(endpoints.APPROVAL, responses.nothing, order_uuid, document)

    def customer(self, customer_uuid):
        """Fetch what Front Payment knows of a customer (section 18).

        :rtype: order.Customer
        """
        return self._call(endpoints.CUSTOMER, responses.customer_details, customer_uuid)

    def update_customer(self, customer_uuid, customer_type, document):
        """Replace what Front Payment knows of a customer (section 18). Doing it twice
        does no harm.

        :param str customer_type: ``private`` or ``corporate``
        :param dict document: of :func:`customer.update_json`
        """
        endpoint = endpoints.CUSTOMER_UPDATES[customer_type]
        self._call(endpoint, responses.nothing, customer_uuid, document)

    def check_connection(self):
        """Show that address and token are right, without touching any order."""
        with suppress(errors.NotFound):
            self.status(NO_ORDER)

    def _call(self, endpoint, read, uuid="", document=None):
        """Send one request and return what ``read`` makes of the envelope's ``data``:
        of its rows, one after the other, where the endpoint answers with a list.

        :raises Unreachable: nothing was sent
        :raises Unauthorized: the token isn't accepted
        :raises NotFrontPayment: what answers there isn't Front Payment's API
        :raises NotFound: no such order or customer
        :raises Rejected: the request is not accepted; ``sentences`` say why
        :raises RateLimited: too many calls
        :raises UnknownOutcome: the request may have been carried out
        """
        path = endpoint.path.format(uuid=quote(uuid, safe=""))
        exchange = Exchange(endpoint.method, path)
        if document is not None:
            exchange.request = masked_json(document, [self._token])
        self.wait_for_slot()
        self._has_slot = False
        timeout = LIST_TIMEOUT if endpoint.is_list else self._timeout
        try:
            with (
                self._transport_errors(),
                self._send(exchange, document, timeout) as response,
            ):
                if endpoint.is_list and 200 <= response.status_code < 300:
                    return self._read_list(exchange, response, read)
                text = "".join(_pieces(response, MAX_ANSWER))
            answer = self._answer(endpoint, exchange, text)
            data = _data(endpoint, response, answer)
            responses.check_uuid(data, uuid, endpoint.uuid_keys)
            return read(data)
        except errors.FrontPaymentError as error:
            exchange.error = masked_text(str(error), [self._token])
            raise
        finally:
            exchange.close()
            self.exchanges.append(exchange)

    def _send(self, exchange, document, timeout):
        """Send a request, and return the response without having read its body."""
        seconds = sum(timeout)
        if self._deadline:
            seconds = min(seconds, self._deadline.left())
        self._transport.start(seconds)
        response = self._session.request(
            exchange.method,
            self.base_url + exchange.path,
            json=document,
            auth=self._authorize,
            timeout=timeout,
            allow_redirects=False,
            stream=True,
        )
        exchange.http_status = response.status_code
        self.clock_ahead = _clock_ahead(response)
        self._apply_rate_limit_headers(response)
        return response

    def _read_list(self, exchange, response, read):
        """What ``read`` makes of a list's rows, of which one is held at a time."""
        body = JsonRows(_pieces(response, MAX_LIST))
        try:
            result = read(body.rows("data"))
        except ValueError:
            exchange.answer = responses.storable(self._masked(body.unread, None))
            raise errors.NotFrontPayment("the answer is not JSON") from None
        if body.count is None:
            raise errors.UnknownOutcome("the answer is no list of orders")
        kept = body.envelope | {"data": f"a list of {body.count}"}
        exchange.answer = responses.storable(self._masked("", kept))
        return result

    @contextmanager
    def _transport_errors(self):
        """Tell by an error of ours what became of the request."""
        try:
            yield
        except (OSError, HTTPError, HTTPException, UnicodeError) as error:
            raise self._transport_error(error) from None

    def _authorize(self, request):
        # As a hook, so that no .netrc of the server replaces it; but then nobody else
        # checks the header, and http.client would quote the token in its complaint.
        if not self._token:  # as in a copied database: nothing goes out
            raise requests.exceptions.InvalidHeader
        header = ("Authorization", f"Bearer {self._token}")
        requests.utils.check_header_validity(header)
        request.headers.update([header])
        return request

    def _transport_error(self, error):
        """Tell a request that never left from one whose fate isn't known."""
        name = type(error).__name__
        if self._transport.has_begun:
            return errors.UnknownOutcome(name)
        if isinstance(error, BAD_URL):
            return errors.NotFrontPayment(name)
        if isinstance(error, BAD_TOKEN):
            return errors.NoToken(name)
        return errors.Unreachable(name)

    def _apply_rate_limit_headers(self, response):
        """Block all calls when Front Payment says that there were too many.

        The limit's headers are those that were recorded (section 2).
        """
        if not self._rate_limiter:
            return
        if response.status_code == 429:
            self._rate_limiter.block(_retry_after(response) or USUAL_RETRY_AFTER)
        elif response.headers.get("x-ratelimit-remaining") == "0":
            self._rate_limiter.block(RATE_LIMIT_WINDOW)

    def _answer(self, endpoint, exchange, text):
        """Parse an answer, and keep of it what may be kept.

        :return: the JSON object, or None if it is anything else
        """
        try:
            answer = responses.parse_json(text)
            is_good = exchange.http_status < 400
            if not (endpoint.returns_personal_data and is_good):
                exchange.answer = responses.storable(self._masked(text, answer))
        except RecursionError:  # nested deeper than any answer of theirs
            return None
        return answer

    def _masked(self, text, answer):
        if answer is None:
            return masked_text(text, [self._token])[:MAX_KEPT_TEXT]
        return masked_json(answer, [self._token])[:MAX_KEPT]


def _pieces(response, most):
    """The text of a response, piece by piece.

    :param most: bytes
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
    length = 0
    for piece in response.iter_content(PIECE):
        length += len(piece)
        if length > most:
            raise errors.UnknownOutcome("the answer is too long")
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _data(endpoint, response, answer):
    """The ``data`` of a good answer, whatever ``is_data`` says (question 8)."""
    status = response.status_code
    if answer is None and 200 <= status < 300:
        kind = errors.UnknownOutcome if endpoint.changes else errors.NotFrontPayment
        raise kind("the answer is not JSON", http_status=status)
    if 200 <= status < 300:
        return responses.data_of(answer)
    kind = ERRORS.get(status) or ERRORS_BY_HUNDRED.get(
        status // 100, errors.UnknownOutcome
    )
    if answer is None and kind in (errors.NotFound, errors.Rejected):
        kind = errors.NotFrontPayment
    details = {"http_status": status}
    if kind is errors.RateLimited:
        details["retry_after"] = _retry_after(response)
    sentences = responses.sentences_of(answer) if answer else []
    raise kind(f"HTTP {status}", sentences, **details)


def _clock_ahead(response):
    """By how many seconds our clock is ahead of the answer's; None without a date."""
    moment = _moment(response.headers.get("Date", ""))
    return moment and round(time.time() - moment)


def _moment(text):
    """A date of HTTP (RFC 9110, 5.6.7) in Unix seconds; None if it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    # Without a zone ("-0000") it is UTC.
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _retry_after(response):
    """Seconds to wait, at most an hour; None when they aren't told.

    The header is a number of seconds or a date (RFC 9110, 10.2.3).
    """
    text = response.headers.get("Retry-After", "")
    if text.isascii() and text.isdigit():
        seconds = int(text[:10])
    else:
        moment = _moment(text)
        if moment is None:
            return None
        seconds = round(moment - time.time())
    return max(0, min(seconds, LONGEST_RETRY_AFTER))
