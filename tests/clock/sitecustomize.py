"""The clock of a machine that is off by ``CLOCK_OFFSET`` seconds, for the Python that
finds this folder first. Only what Odoo asks for the time of day; no timers."""

import datetime
import os
import time

OFFSET = float(os.environ["CLOCK_OFFSET"])
_datetime, _time = datetime.datetime, time.time


class AlsoTheUsual(type):
    """What the database driver makes is a datetime too."""

    def __instancecheck__(cls, value):
        return isinstance(value, _datetime)


class Datetime(_datetime, metaclass=AlsoTheUsual):
    @classmethod
    def now(cls, tz=None):
        return _datetime.fromtimestamp(_time() + OFFSET, tz)

    @classmethod
    def utcnow(cls):
        return cls.now(datetime.UTC).replace(tzinfo=None)


datetime.datetime = Datetime
time.time = lambda: _time() + OFFSET
