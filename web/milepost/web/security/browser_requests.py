"""Detect cross-site requests, to which a browser adds cookies by itself. Pure decisions over headers.

A browser sends cookies, and reaches servers that need no credential, whichever site's page asks it to. It does not add
the header ``Authorization``, and says where a request comes from.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing. What they return is hidden from pages of other sites, unless CORS allows them."""

_HOST: Final = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[^\[\]:@/\\\s]+))(?::[0-9]*)?")


def value_of(headers: Headers, name: str) -> str | None:
    """The value of a header, None if there is none.

    One that is repeated has all of its values, as HTTP has it (RFC 9110, 5.3), and so none that is good: a proxy may
    have looked at another one of them.
    """
    values = headers.getlist(name)
    return ", ".join(values) if values else None


def is_foreign(headers: Headers, allowed_origins: Collection[str]) -> bool:
    """Whether the page of another site, which is not allowed to, makes this request.

    Clients other than browsers send neither header, and are never foreign.
    """
    origin = value_of(headers, "origin")
    if origin in allowed_origins:
        return False
    site = value_of(headers, "sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    # An older browser, or one that came by plain HTTP from elsewhere. A proxy may have ended TLS: schemes may differ.
    return (
        origin is not None and origin.partition("://")[2].lower() != (value_of(headers, "host") or "").lower()
    )


def is_known_host(host: str, allowed_hosts: Collection[str]) -> bool:
    """Whether a page that was loaded from this host is of this server, and not of a name that was bound to its address.

    ``host`` is the header, with or without a port. Addresses are known, and so are ``localhost`` and names below it.
    """
    if not host:
        return True  # HTTP/1.0 has none, which no browser speaks
    matched = _HOST.fullmatch(host.lower())
    if matched is None:
        return False
    name = matched["address"] or matched["name"].rstrip(".")
    if name in allowed_hosts or name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
