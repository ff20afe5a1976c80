"""The cookie of a browser's session: it holds the token, where no script can read it."""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers

COOKIE: Final = "__Host-milepost"
"""Browsers take it only with ``Secure`` and for the whole host, so that no other host or plain page can set it."""

TOKEN_LENGTH: Final = 3800
"""Characters of a token that a cookie holds: browsers drop cookies of more than 4 KiB."""

_ATTRIBUTES: Final = "Path=/; Secure; HttpOnly; SameSite=Strict"

# What may stand in a header of a bearer token (RFC 6750), and in a cookie.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def token_of(headers: Headers) -> str:
    """The token in the cookie of a request; empty for none.

    Only spaces and tabs are stripped from a name: with any other byte before the prefix, the name is one that any host
    may set. A cookie that is there twice counts as malformed.
    """
    values = []
    for each in ";".join(headers.getlist("cookie")).split(";"):
        name, _, value = each.partition("=")
        if name.strip(" \t") == COOKIE:
            values.append(value.strip(" \t"))
    return ", ".join(values)


def can_hold(token: str) -> bool:
    """Whether the cookie can hold a token."""
    return len(token) <= TOKEN_LENGTH and _TOKEN.fullmatch(token) is not None


def set_cookie(token: str) -> str:
    """The header that gives a browser its session.

    It ends with the browser. It has no lifetime of its own, so that an expired token is refused as such.
    """
    return f"{COOKIE}={token}; {_ATTRIBUTES}"


def clear_cookie() -> str:
    """The header that ends a browser's session."""
    return f"{COOKIE}=; {_ATTRIBUTES}; Max-Age=0"
