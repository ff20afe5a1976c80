"""Which requests of browsers are served, and with whose credential."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple

from google.rpc import code_pb2
from starlette.datastructures import Headers
from starlette.types import Scope

from milepost.web.callers import peer_of
from milepost.web.http_errors import service_error
from milepost.web.security import session_cookie
from milepost.web.security.browser_requests import SAFE_METHODS, is_foreign, is_known_host, value_of
from milepost.web.service import Caller, ServiceError

ANY_ORIGIN: Final = "*"
"""Allows pages of all sites, which then have to bring a token: cookies are not taken from them."""


async def _record_nothing(scope: Scope, message: str) -> None:
    """Leave the refusals of an application to its own log."""


class BrowserPolicy(NamedTuple):
    """The policy for browsers. Other clients are not affected: they run no pages of other sites."""

    allowed_origins: frozenset[str] = frozenset()
    """Origins of other sites whose pages may do what this server's own may, such as ``https://app.example.com``."""
    allowed_hosts: frozenset[str] | None = None
    """Names by which pages reach the server, besides addresses and ``localhost``; None for any.

    A server that needs no credential has to be told its names. Else a page of any site could have the name of its own
    server bound to the address of this one, and would be of the same origin (DNS rebinding).
    """
    takes_cookies: bool = False
    """Whether a cookie may stand for the header ``Authorization``."""
    on_refusal: Callable[[Scope, str], Awaitable[None]] = _record_nothing
    """Called with each request that is refused, and why, before it is answered."""

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

    async def caller_of(self, scope: Scope) -> Caller:
        """Who makes a request. Raises ServiceError PERMISSION_DENIED for one that another site's page makes."""
        headers = Headers(scope=scope)
        refusal = self._refusal(scope["method"], headers)
        if refusal is not None:
            await self.on_refusal(scope, refusal.status.message)
            raise refusal
        authorization = value_of(headers, "authorization") or ""
        token = session_cookie.token_of(headers) if self.takes_cookies and not authorization else ""
        return Caller(peer_of(scope), f"Bearer {token}" if token else authorization, scope)

    def _refusal(self, method: str, headers: Headers) -> ServiceError | None:
        host = value_of(headers, "host") or ""
        if self.allowed_hosts is not None and not is_known_host(host, self.allowed_hosts):
            return _denied(
                f"This server does not know itself as {host!r}, and takes calls without a credential. "
                "Reach it by its address, allow the name with --http-allow-host, or configure credentials."
            )
        # A page has to send this header, not empty. The browser adds everything else by itself, for pages of any site.
        is_ambient = not value_of(headers, "authorization")
        if is_ambient and method not in SAFE_METHODS and is_foreign(headers, self.allowed_origins):
            origin = headers.get("origin", "another site")
            return _denied(
                f"A page of {origin!r} may change nothing here without a token of its own. "
                "Allow its origin with --http-allow-origin, or send the token in the header Authorization."
            )
        return None


def _denied(message: str) -> ServiceError:
    return service_error(code_pb2.PERMISSION_DENIED, message, reason="PERMISSION_DENIED")
