"""Which addresses may be called or shown: complete ones, safe on their way."""

import ipaddress
import re
from urllib.parse import urlsplit


def is_complete(url):
    """Whether it is an http(s) address with a host, and no more than a path."""
    try:
        parts = urlsplit(url)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        port_is_right
        and url.isascii()
        and not re.search(r"[\s?#@\\]", url)
        and parts.scheme in ("http", "https")
        and bool(parts.hostname)
    )


def is_safe(url):
    """Whether what goes there can't be read on its way: https, or this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and _is_loopback(parts.hostname)


def is_local(url):
    """Whether it leads to this machine, so that nobody outside can follow it."""
    try:
        return _is_loopback(urlsplit(url).hostname)
    except ValueError:
        return False


def _is_loopback(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
