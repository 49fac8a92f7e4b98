"""Front Payment's VAT report, a CSV file that a person fetches there, is read.

Its columns are those of section 25; what the vendor's file calls them exactly isn't
known, so upper and lower case and punctuation don't matter, nor does their order.
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

MAX_BYTES = 5 * 1024 * 1024
MAX_LINES = 50_000
COLUMNS = {
    "status": "Status",
    "orderid": "Order id",
    "orderdate": "Order date",
    "duedate": "Due date",
    "customer": "Customer",
    "customerid": "Customer id",
    "account": "Account",
    "amountwithvat": "Amount with VAT",
    "vat": "VAT %",
    "vatcode": "VAT code",
    "paymenttype": "Payment type",
    "description": "Description",
    "productnumber": "Product number",
    "creditcheck": "Credit check",
}
ORDER_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
# A point or comma before one or two digits parts the øre, before three the thousands.
AMOUNTS = (
    (re.compile(r"-?\d{1,12}([.,]\d{1,2})?"), lambda text: text.replace(",", ".")),
    (
        re.compile(r"-?\d{1,3}(\.\d{3}){1,3},\d{1,2}"),
        lambda text: text.replace(".", "").replace(",", "."),
    ),
    (
        re.compile(r"-?\d{1,3}(,\d{3}){1,3}\.\d{1,2}"),
        lambda text: text.replace(",", ""),
    ),
)
DATES = (
    *("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"),
    *("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d %b, %Y"),
)
UNIX_SECONDS = re.compile(r"\d{10}")


class Unreadable(Exception):
    """The file can't be read.

    :param str reason: ``large``, ``lines``, ``text``, ``empty``, ``columns`` or ``csv``
    :param str details: what it is about
    :param int line: where, counted from 1; 0 for the whole file
    """

    def __init__(self, reason, details="", line=0):
        super().__init__(reason)
        self.reason, self.details, self.line = reason, details, line


class Fault(NamedTuple):
    """What is wrong in one line; ``column`` is empty if the line as a whole is."""

    line: int
    column: str
    value: str


class Entry(NamedTuple):
    """What one line tells; ``amount`` in NOK with VAT, below 0 for a refund."""

    line: int
    order_uuid: str
    status: str
    day: date
    amount: Decimal


def read(content):
    """Read the file, every line of it.

    :param bytes content: UTF-8 with or without a byte order mark, or Latin-1
    :return: (list of :class:`Entry`, list of :class:`Fault`)
    :raises Unreadable: it is no such file
    """
    lines = _lines(_text(content))
    first, titles = next(lines, (0, []))
    if not first:
        raise Unreadable("empty")
    names = [re.sub(r"[^a-z]", "", title.lower()) for title in titles]
    missing = [title for name, title in COLUMNS.items() if name not in names]
    if missing:
        raise Unreadable("columns", ", ".join(missing), first)
    entries, faults = [], []
    for line, values in lines:
        found = list(_faults(line, names, values))
        faults += found
        if not found:
            entries.append(_entry(line, dict(zip(names, values, strict=True))))
    return entries, faults


def _text(content):
    if len(content) > MAX_BYTES:
        raise Unreadable("large")
    if b"\0" in content:
        raise Unreadable("text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _lines(text) -> Iterator[tuple[int, list[str]]]:
    """Yield each line that isn't empty, with its number."""
    head = text.lstrip().partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for values in reader:
            if reader.line_num > MAX_LINES:
                raise Unreadable("lines")
            if any(value.strip() for value in values):
                yield reader.line_num, [value.strip() for value in values]
    except csv.Error as error:
        raise Unreadable("csv", str(error), reader.line_num) from error


def _faults(line, names, values):
    if len(values) != len(names):
        yield Fault(line, "", str(len(values)))
        return
    row = dict(zip(names, values, strict=True))
    is_good = {
        "orderid": bool(ORDER_ID.fullmatch(row["orderid"])),
        "orderdate": day_of(row["orderdate"]) is not None,
        "duedate": not row["duedate"] or day_of(row["duedate"]) is not None,
        "amountwithvat": amount_of(row["amountwithvat"]) is not None,
        "vat": not row["vat"] or _is_rate(row["vat"]),
    }
    for name, good in is_good.items():
        if not good:
            yield Fault(line, COLUMNS[name], row[name][:40])


def _entry(line, row):
    return Entry(
        line,
        row["orderid"].upper(),
        row["status"][:40],
        day_of(row["orderdate"]),
        amount_of(row["amountwithvat"]),
    )


def _is_rate(text):
    rate = amount_of(text.rstrip("% "))
    return rate is not None and 0 <= rate <= 100


def amount_of(text):
    """An amount as Decimal, None if it isn't clear which."""
    text = re.sub(r"\s|kr|nok", "", text.lower()).replace("\N{MINUS SIGN}", "-")
    for pattern, normal in AMOUNTS:
        if pattern.fullmatch(text) and text.isascii():
            return Decimal(normal(text))
    return None


def day_of(text):
    """A day of this century, None if the text is none."""
    day = _any_day_of(text)
    return day if day and day.year // 100 == 20 else None


def _any_day_of(text):
    if UNIX_SECONDS.fullmatch(text) and text.isascii():
        return datetime.fromtimestamp(int(text), UTC).date()
    for form in DATES:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None
