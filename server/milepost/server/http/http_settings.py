"""Settings of HTTP."""

from __future__ import annotations

from typing import NamedTuple


class HttpSettings(NamedTuple):
    """The address that HTTP is served at, and the pages that may use it."""

    address: str
    """``host:port``, with port 0 for a free one."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of other sites whose pages may call; ``*`` for any that brings a token."""
    allowed_hosts: tuple[str, ...] = ()
    """Names by which pages may reach a server that needs no credential, besides addresses and ``localhost``."""
