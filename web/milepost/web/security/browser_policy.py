"""Which browsers' requests are served, and in whose name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from google.rpc import code_pb2
from starlette.datastructures import Headers
from starlette.types import Scope

from milepost.web.callers import peer_of
from milepost.web.http_errors import service_error
from milepost.web.security import session_cookie
from milepost.web.security.browser_requests import SAFE_METHODS, is_foreign, is_known_host
from milepost.web.service import Caller, ServiceError

ANY_ORIGIN: Final = "*"
"""Allows pages of all sites, which then have to bring a token: cookies are not taken from them."""


class BrowserPolicy(NamedTuple):
    """What browsers may do. Other clients are not concerned: they have no pages that somebody else wrote."""

    allowed_origins: frozenset[str] = frozenset()
    """Origins of other sites whose pages may do what this server's own may, such as ``https://app.example.com``."""
    allowed_hosts: frozenset[str] | None = None
    """Names by which pages reach the server, besides addresses and ``localhost``; None for any.

    A server that needs no credential has to be told its names. Else a page of any site could have the name of its own
    server bound to the address of this one, and would be of the same origin (DNS rebinding).
    """
    takes_cookies: bool = False
    """Whether a cookie may stand for the header ``Authorization``."""

    @classmethod
    def of(
        cls, origins: Iterable[str], hosts: Iterable[str] | None, *, takes_cookies: bool = False
    ) -> BrowserPolicy:
        """The policy with these origins and hosts."""
        return cls(
            frozenset(origins),
            None if hosts is None else frozenset(host.lower() for host in hosts),
            takes_cookies,
        )

    def caller_of(self, scope: Scope) -> Caller:
        """Who makes a request. Raises ServiceError PERMISSION_DENIED for one that another site's page makes."""
        headers = Headers(scope=scope)
        authorization = headers.get("authorization", "")
        self._check_host(headers)
        if not authorization:
            # The browser adds the rest by itself, whoever's page asks it to.
            if scope["method"] not in SAFE_METHODS and is_foreign(headers, self.allowed_origins):
                raise _foreign(headers)
            token = session_cookie.token_of(headers) if self.takes_cookies else ""
            authorization = token and f"Bearer {token}"
        return Caller(peer_of(scope), authorization, scope)

    def _check_host(self, headers: Headers) -> None:
        host = headers.get("host", "")
        if self.allowed_hosts is not None and not is_known_host(host, self.allowed_hosts):
            raise service_error(
                code_pb2.PERMISSION_DENIED,
                f"This server does not know itself as {host!r}, and takes calls without a credential. "
                "Reach it by its address, allow the name with --http-allow-host, or configure credentials.",
                reason="PERMISSION_DENIED",
            )


def _foreign(headers: Headers) -> ServiceError:
    origin = headers.get("origin", "another site")
    return service_error(
        code_pb2.PERMISSION_DENIED,
        f"A page of {origin!r} may change nothing here without a token of its own. "
        "Allow its origin with --http-allow-origin, or send the token in the header Authorization.",
        reason="PERMISSION_DENIED",
    )
