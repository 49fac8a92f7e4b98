"""Moments as the reader's screen shows them."""

from odoo.tools import babel_locale_parse, format_datetime, get_lang, posix_to_ldml


def local_time(env, moment):
    """Write a moment in the reader's time zone and format, without seconds.

    :param env: of the one who reads it; a cron names the time zone in the context
    :param datetime moment: UTC without a zone
    """
    lang = get_lang(env)
    pattern = f"{lang.date_format} {lang.time_format}".replace(":%S", "")
    locale = babel_locale_parse(lang.code)
    return format_datetime(
        env,
        moment,
        tz=env.context.get("tz"),
        dt_format=posix_to_ldml(pattern, locale=locale),
    )
