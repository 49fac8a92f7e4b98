"""Days and moments as Odoo's own screens show them: "Nov 21, 3:59 PM", with the year
only if it isn't this one."""

from datetime import UTC, datetime

from babel.dates import format_skeleton, format_time, get_datetime_format

from odoo.tools import babel_locale_parse, get_lang

# What CLDR puts before AM and PM; not every font has it.
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


def local_time(env, moment):
    """Write a moment in the reader's time zone and language.

    :param env: of the one who reads it; a cron names the time zone in the context
    :param datetime moment: UTC without a zone
    """
    there = moment.replace(tzinfo=UTC).astimezone(env.tz)
    locale = _locale(env)
    time = format_time(there, "short", locale=locale).replace(NARROW_SPACE, " ")
    pattern = get_datetime_format("medium", locale=locale)
    return pattern.format(time, local_day(env, there.date()))


def local_day(env, day):
    """Write a date in the reader's language.

    :param env: of the one who reads it
    :param date day: not a moment, which :func:`local_time` writes
    """
    is_this_year = day.year == datetime.now(env.tz).year
    return format_skeleton(
        "MMMd" if is_this_year else "yMMMd", day, locale=_locale(env)
    )


def _locale(env):
    return babel_locale_parse(get_lang(env).code)
