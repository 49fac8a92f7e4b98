"""A JSON object with a long list in it, read piece by piece: the list of all orders has
a row for each, and a company may have a million."""

import json
import re
from contextlib import suppress

# Characters of a row, or of another value of the object.
MAX_VALUE = 100_000
SPACE = re.compile(r"[ \t\n\r]*")
AFTER_VALUE = tuple(" \t\n\r,:]}")
DECODER = json.JSONDecoder()


class JsonRows:
    """Reads an object such as ``{"data": [row, row, …], …}``, one piece of text at a
    time. (ijson would need gigabytes for a hundred kilobytes of brackets.)

    Once :meth:`rows` has come to its end, ``envelope`` has the object's other values,
    and ``count`` the number of rows; None if there was no such list.

    :param pieces: an iterable of the text's pieces
    """

    def __init__(self, pieces):
        self.envelope = {}
        self.count = None
        self._pieces = iter(pieces)
        self._text = ""
        self._position = 0

    @property
    def unread(self):
        """What stands behind the last value that was read, as far as it came."""
        return self._text[self._position :]

    def rows(self, name):
        """Yield the rows of the list of that name.

        :raises ValueError: the text isn't one JSON object, or too long in one place
        """
        self._expect("{")
        separator = self._expect("}") if self._next() == "}" else ","
        while separator == ",":
            key = self._value()
            self._expect(":")
            if key in self.envelope or not isinstance(key, str):
                raise ValueError("no name, or one that comes twice")
            if key == name and self._next() == "[":
                self.envelope[key] = None
                yield from self._list()
            else:
                self.envelope[key] = self._value()
            separator = self._expect(",}")
        if self._next():
            raise ValueError("more than one value")

    def _list(self):
        self.count = 0
        self._expect("[")
        separator = self._expect("]") if self._next() == "]" else ","
        while separator == ",":
            yield self._value()
            self.count += 1
            separator = self._expect(",]")

    def _expect(self, characters):
        """Pass one of the characters, and return it."""
        character = self._next()
        if not character or character not in characters:
            raise ValueError(f"{character!r} where one of {characters!r} belongs")
        self._position += 1
        return character

    def _next(self):
        """The next character that isn't a space; an empty string at the end."""
        while True:
            self._position = SPACE.match(self._text, self._position).end()
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._read_on():
                return ""

    def _value(self):
        self._next()
        while True:
            with suppress(ValueError, RecursionError):  # cut off, perhaps
                value, end = DECODER.raw_decode(self._text, self._position)
                # A number may go on in the next piece.
                if self._text[end : end + 1] in AFTER_VALUE:
                    self._position = end
                    return value
            is_too_long = len(self._text) - self._position > MAX_VALUE
            if is_too_long or not self._read_on():
                raise ValueError("a value is too long, cut off or none")

    def _read_on(self):
        """Take the next piece, and forget what was read.

        :return: whether there was one
        """
        piece = next(self._pieces, None)
        if piece is None:
            return False
        self._text = self.unread + piece
        self._position = 0
        return True
