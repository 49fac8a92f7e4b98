"""The addresses that anybody may call: whatever comes in, nothing breaks, and it is
Front Payment's own answer that moves an order, whatever a callback says.

FRONTPAY_LONG=1 (``./dev test --long``) sends 10,000 requests, made up anew in every
run.
"""

import hashlib
import http.client
import json
import random
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .actors import NOW
from .databases import rows
from .helpers import (
    IS_LONG,
    NOBODY,
    call_back,
    is_untouched,
    send_in_silence,
    signed_callback,
)

REQUESTS = 10_000 if IS_LONG else 600
TIMEOUT = 30  # seconds
THREADS = 8
LONG_LINE = b"too long"  # sent many times over
PAST = f"{NOW} - interval '1 second'"  # Odoo looks at whole seconds

made_up = settings(
    max_examples=REQUESTS // 3 + 1,
    derandomize=not IS_LONG,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@dataclass
class RawClient:
    """Somebody who isn't logged in, over one connection that is kept open."""

    url: str
    answers: Counter = field(default_factory=Counter)

    def __post_init__(self):
        self._place = urlsplit(self.url).netloc
        self._connection = http.client.HTTPConnection(self._place, timeout=TIMEOUT)

    def request(self, method: str, path: str, body=None, headers=()) -> int:
        """Send one request; the path and the headers go out as they are."""
        try:
            self._connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers:
                self._connection.putheader(name, value)
            if body is not None:
                self._connection.putheader("Content-Length", str(len(body)))
            self._connection.endheaders(body)
            answer = self._connection.getresponse()
            answer.read()
        except (http.client.HTTPException, ConnectionError):
            self._connection.close()
            return self._count(0)
        return self._count(answer.status)

    def raw(self, text: bytes) -> int:
        """Send bytes as they are, on a connection of their own.

        :return: the answer's code; 0 if the server only closed the connection
        """
        host, port = self._place.split(":")
        with socket.create_connection((host, int(port)), TIMEOUT) as connection:
            answer = b""
            try:
                connection.sendall(text.replace(LONG_LINE, LONG_LINE * 10_000))
                connection.shutdown(socket.SHUT_WR)
                while chunk := connection.recv(65536):
                    answer += chunk
            except OSError:
                pass  # closed at once
        words = answer[:200].split()
        is_http = len(words) > 1 and words[0].startswith(b"HTTP/")
        return self._count(int(words[1]) if is_http else 0)

    def _count(self, code: int) -> int:
        self.answers[code] += 1
        return code


@pytest.fixture
def order(office, sandbox):
    """An order that waits for its customer, as the sandbox has it."""
    invoice, order = send_in_silence(office, sandbox)
    return order | {"invoice": invoice}


def path_of(order: dict) -> str:
    return urlsplit(order["payload"]["callback"]["callbackUrl"]).path


def is_signed(pairs: list, secret: str) -> bool:
    """By section 17.3, written down anew."""
    text = "".join(value for name, value in pairs if name != "checksum") + secret
    right = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return any(name == "checksum" and value.lower() == right for name, value in pairs)


# === WHAT IS SENT === #

TEXTS = st.text(max_size=30)
VALUES = st.one_of(
    TEXTS,
    st.sampled_from(
        [
            *("", "0", "-1", "1e9", "NaN", "125.00", "9" * 400, "x" * 5000),
            *("PAID", "paid", "success", "PARTIAL REFUNDED", "ODR1", "ODR١"),
            *(
                "\x00",
                "\r\nX: y",
                "' OR 1=1 --",
                "{{7*7}}",
                "../../etc",
                "%00",
                "ø" * 99,
            ),
        ]
    ),
)
NAMES = st.one_of(
    st.sampled_from(
        [
            *("orderUuid", "status", "paymentMethod", "amount", "createdAt"),
            *("timestamp", "checksum", "self", "token", "debug", "lang", "db"),
            *("csrf_token", "context", "params", "args", "_parameters", "outcome"),
            *("session_id", "redirect", "orderUuid[]", "utm_source", "cids", "fw"),
        ]
    ),
    TEXTS,
)
# What fits the form, and is another thing than what was signed.
LIKELY = {
    "orderUuid": ("ODR1", "ODR2", "ODR12345678901234567890"),
    "status": ("PAID", "INVOICED", "REFUNDED", "CANCELLED", "success", "Purring"),
    "paymentMethod": ("", "Visa", "vipps"),
    "amount": ("0", "1", "1250.00", "1250", "125000", "999999999999.99"),
    "createdAt": ("1000000000", "1755764131"),
    "timestamp": ("1000000000", "9999999999", str(int(time.time()))),
    "checksum": ("0" * 64, "f" * 64, "x"),
}
SPOILS = st.sampled_from(
    [*["likely"] * 5, *["swap"] * 2, "value", "letter", "name", "drop", "double", "add"]
)
WAYS = st.sampled_from(["query", "query", "latin-1", "form", "json", "multipart"])
METHODS = st.sampled_from(
    [*["GET"] * 6, *["POST"] * 4, "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "BREW"]
)
HEADERS = st.lists(
    st.sampled_from(
        [
            ("Cookie", "session_id=x"),
            ("Cookie", "session_id=" + "A" * 84),
            ("Cookie", "frontend_lang=xx_YY; session_id=../../x; cids=a,b"),
            ("Cookie", 'tz="\\000"; ;;=; color_scheme=\xff'),
            ("Accept-Language", "xx;q=a,,*;q=0.1,nb-NO"),
            ("Authorization", "Bearer x"),
            ("Authorization", "Basic ////"),
            ("X-Forwarded-For", "1.2.3.4, ::::"),
            ("X-Forwarded-Host", "[::1"),
            ("X-Odoo-Database", "nobody"),
            ("Content-Type", "application/json"),
            ("Content-Type", "application/json; charset=utf-7"),
            ("Content-Type", "application/x-www-form-urlencoded; charset=nonsense"),
            ("Content-Type", "multipart/form-data"),
            ("Content-Type", "multipart/form-data; boundary=" + "b" * 300),
            ("Content-Type", "\xff\xfe"),
            ("Content-Encoding", "gzip"),
            ("Range", "bytes=9-1"),
            ("If-Modified-Since", "yesterday"),
            ("If-None-Match", '"'),
            ("Origin", "null"),
            ("User-Agent", ""),
            ("X-Nonsense", "x" * 8000),
        ]
    ),
    max_size=4,
)
PATHS = st.one_of(
    st.text(max_size=40).map(lambda text: quote(text, safe="/")),
    st.binary(max_size=20).map(quote),
    st.sampled_from(
        [
            *("", "/", "//", "%00", "a%00b", "%0A%00", "%", "%zz", "%C3%28", "..", "."),
            *("../../web", ";x=y", "?", "#", "a" * 3000, "%2F", "%252F", "\\", "[::"),
        ]
    ),
)
NOISE = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from(
            [
                *(
                    b"GET ",
                    b"POST ",
                    b" HTTP/1.1\r\nHost: x\r\n",
                    b" HTTP/9.9\r\n",
                    b"\r\n",
                ),
                *(b"\r\n\r\n", b"\n", b"\x00", b"\xff", b": ", b"?", b"&=", b"%00"),
                *(b"Host: x\r\n", b"Host: [::\r\n", b"Content-Length: -1\r\n"),
                *(b"Content-Length: 99999999999\r\n", b"Content-Length: x\r\n"),
                *(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n", b"zz\r\n"),
                *(b"Expect: 100-continue\r\n", b"Connection: upgrade\r\n"),
                *(b"X: " + LONG_LINE + b"\r\n", b"/frontpay/return/%00/success"),
            ]
        ),
        max_size=12,
    ).map(b"".join),
)


def spoiled(draw, pairs: list) -> list:
    """A callback's parameters with one thing changed, or several."""
    pairs = list(pairs)
    for _time in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(pairs) - 1))
        name, value = pairs[place]
        match draw(SPOILS):
            case "likely":
                pairs[place] = name, draw(st.sampled_from(LIKELY.get(name, ("x",))))
            case "value":
                pairs[place] = name, draw(VALUES)
            case "letter":
                pairs[place] = name, value[:-1] + draw(st.characters())
            case "name":
                pairs[place] = draw(NAMES), value
            case "drop" if len(pairs) > 1:
                del pairs[place]
            case "double":
                pairs.append((name, value))
            case "swap":
                pairs.append(pairs.pop(place))
            case _:
                pairs.insert(place, (draw(NAMES), draw(VALUES)))
    return pairs


@st.composite
def deliveries(draw, pairs: list, secret: str):
    """(method, query, headers, body) by which somebody sends a spoiled callback."""
    pairs = spoiled(draw, pairs)
    if is_signed(pairs, secret):
        pairs.append(("x", "not signed"))
    method, headers = draw(METHODS), draw(HEADERS)
    query = urlencode(pairs, errors="replace")
    match draw(WAYS):
        case "query":
            return method, query, headers, None
        case "latin-1":
            query = urlencode(pairs, encoding="latin-1", errors="replace")
            return method, query, headers, None
        case "form":
            kind, body = "application/x-www-form-urlencoded", query
        case "json":
            kind, body = "application/json", json.dumps(dict(pairs))
        case "multipart":
            kind = "multipart/form-data; boundary=b"
            parts = [
                f'--b\r\nContent-Disposition: form-data; name="{quote(name)}"\r\n'
                f"\r\n{value}\r\n"
                for name, value in pairs
            ]
            body = "".join(parts) + "--b--"
    body = body.encode(errors="replace")
    return method, "", [("Content-Type", kind), *headers], body


# === WHAT MUST NOT HAPPEN === #


def everything(office) -> list:
    """All that somebody could have changed."""
    database = office.server.database
    return [
        rows(database, "SELECT * FROM frontpay_order ORDER BY id"),
        rows(database, "SELECT * FROM account_move ORDER BY id"),
        rows(database, "SELECT * FROM account_payment ORDER BY id"),
    ]


def states(office) -> list:
    database = office.server.database
    return rows(
        database, "SELECT id, state, payment_id FROM frontpay_order ORDER BY id"
    )


def poll(office) -> None:
    """Ask Front Payment, also for what was put off."""
    rows(office.server.database, f"UPDATE frontpay_callback SET poll_at = {PAST}")
    rows(office.server.database, f"UPDATE frontpay_outage SET retry_at = {PAST}")
    office.run_cron("cron_poll")


def test_nothing_breaks_and_nobody_moves_an_order_without_a_signature(
    office, sandbox, order, show
):
    client = RawClient(office.server.url)
    path = path_of(order)
    token = path.rpartition("/")[2]
    right = signed_callback(sandbox, order, "PAID")
    assert client.request("GET", f"/frontpay/return/{token}/success") == 200
    before, states_before = everything(office), states(office)
    started = time.monotonic()

    @made_up
    @given(deliveries(list(right.items()), sandbox.secret))
    def spoiled_callbacks(delivery):
        method, query, headers, body = delivery
        place = f"{path}?{query}" if query else path
        assert client.request(method, place, body, headers) < 500

    @made_up
    @given(
        METHODS,
        st.sampled_from(["callback/", "return/", "", f"return/{token}/"]),
        st.one_of(PATHS, st.sampled_from(["success", "failure", token])),
        st.lists(st.tuples(NAMES, VALUES), max_size=6),
        HEADERS,
    )
    def addresses(method, folder, rest, parameters, headers):
        query = urlencode(parameters, errors="replace")
        place = f"/frontpay/{folder}{rest}" + (f"?{query}" if query else "")
        assert client.request(method, place, None, headers) < 500

    @made_up
    @given(
        st.sampled_from(["GET", "POST"]), st.sampled_from([path, "/frontpay/"]), NOISE
    )
    def noise(method, place, text):
        text = f"{method} {place}".encode() + text
        code = client.raw(text)
        # Without Host, Odoo fails on any address, before it asks an addon.
        assert code < 500 or (code == 500 and b"host:" not in text.lower())

    for make_up in (spoiled_callbacks, addresses, noise):
        make_up()
    seconds = time.monotonic() - started

    assert everything(office) == before
    poll(office)
    moved = sum(map(lambda new, old: new != old, states(office), states_before))
    show(
        "Callbacks",
        {"requests": client.answers.total()}
        | {
            f"answered {code or 'by closing'}": count
            for code, count in sorted(client.answers.items())
        }
        | {"state changes without signature": moved, "seconds": round(seconds)},
    )
    assert moved == 0
    assert client.answers.total() >= REQUESTS
    assert set(client.answers) >= {200, 400, 403, 404, 405}
    # Or all of this would prove nothing: with its signature the callback is followed.
    sandbox.act(order["orderUuid"], "pay")
    assert call_back(sandbox, order, "PAID") == 200
    poll(office)
    assert office.state(order["invoice"]) == "paid"


def test_replays_in_any_order_from_eight_threads_are_followed_once(
    office, sandbox, order
):
    """An old and a new callback of each kind, each many times, mixed up."""
    now = int(time.time())
    urls = [
        f"{path_of(order)}?{urlencode(signed_callback(sandbox, order, status, moment))}"
        for status in ("SENT", "INVOICED", "Purring", "Inkasso", "PAID", "success")
        for moment in (now, now - 5, now - 3600, now + 3600)
    ]
    requested = urls * (20 if IS_LONG else 4)
    random.Random(4).shuffle(requested)
    sandbox.act(order["orderUuid"], "pay")
    asked = len(sandbox.requests())

    with ThreadPoolExecutor(THREADS) as pool:
        answers = Counter(
            pool.map(
                lambda url: RawClient(office.server.url).request("GET", url), requested
            )
        )

    assert answers == {200: len(requested)}
    assert office.state(order["invoice"]) == "sent"
    for _time in range(2):
        poll(office)
    assert office.state(order["invoice"]) == "paid"
    assert len(office.payments(order["invoice"])) == 1
    assert office.money(order["invoice"])["amount_residual"] == 0
    polls = [request["path"] for request in sandbox.requests()[asked:]]
    assert sum(f"/status/{order['orderUuid']}" in path for path in polls) == 1
    kept = rows(
        office.server.database,
        "SELECT count(*) FROM frontpay_exchange WHERE direction = 'in' AND order_id ="
        f" (SELECT id FROM frontpay_order WHERE move_id = {order['invoice']})",
    )
    assert kept[0][0] <= 50 + THREADS + 12  # the log's bound, and what was news


def test_a_signed_callback_moves_nothing_that_front_payment_denies(
    office, sandbox, order
):
    """It says PAID, and Front Payment says SENT when it is asked."""
    for _time in range(3):
        assert call_back(sandbox, order, "PAID") == 200
        poll(office)

    assert is_untouched(office, order["invoice"])
    # It isn't for want of asking.
    sandbox.act(order["orderUuid"], "pay")
    assert call_back(sandbox, order, "PAID") == 200
    poll(office)
    assert office.state(order["invoice"]) == "paid"


def test_a_signed_callback_moves_nothing_while_front_payment_cannot_be_asked(
    office, sandbox, order
):
    sandbox.act(order["orderUuid"], "pay")
    office.configure(frontpay_custom_url=NOBODY)
    try:
        for _time in range(5):
            assert call_back(sandbox, order, "PAID") == 200
            poll(office)
            assert is_untouched(office, order["invoice"])
    finally:
        office.use(sandbox)
    poll(office)
    assert office.state(order["invoice"]) == "paid"
