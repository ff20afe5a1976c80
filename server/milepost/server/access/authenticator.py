"""Authentication: which principal a call comes from, and whether its credential is still in force."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from milepost.contract.token_checksums import SHARE_PREFIX
from milepost.server.access.credentials import tokens
from milepost.server.access.credentials.client_certificates import AuthContext, client_certificate
from milepost.server.access.credentials.refusals import token_expired, unauthenticated
from milepost.server.access.credentials.shares import CREDENTIAL_PREFIX, Shares
from milepost.server.access.credentials.token_file import TokenEntry, certificate_key, token_key
from milepost.server.access.credentials.token_store import TokenStore
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.base.clock import Clock
from milepost.server.base.refusal import Refusal

if TYPE_CHECKING:  # PyJWT is installed only where it is needed
    from milepost.server.access.credentials.jwt_tokens import JwtTokens

_AUTHORIZATION: Final = "authorization"
_SCHEME: Final = "bearer "
_JWT_DOTS: Final = 2
_JWT: Final = "jwt:"
"""Prefix of ``Principal.key`` for JSON Web Tokens; no key of the token file has it. See ``JwtTokens``."""


class Authenticator:
    """Authenticate calls by the server's credentials. Without any, every caller is ``ANONYMOUS``."""

    def __init__(
        self,
        clock: Clock,
        store: TokenStore | None = None,
        jwts: JwtTokens | None = None,
        shares: Shares | None = None,
    ) -> None:
        self._clock = clock
        self._store = store
        self._jwts = jwts
        self._shares = shares

    @property
    def is_open(self) -> bool:
        """Whether there are no credentials: everyone may do everything."""
        return self._store is None and self._jwts is None

    async def authenticate(
        self, metadata: Iterable[tuple[str, str | bytes]], connection: Callable[[], AuthContext] = dict
    ) -> Principal:
        """The principal of a call with this metadata over this connection. Raises UNAUTHENTICATED, TOKEN_EXPIRED.

        The token takes precedence over the connection's certificate, and a bad token is refused even where the
        certificate is good: a proxy has one connection for many principals, and a token for each of them.
        """
        if self.is_open:
            return ANONYMOUS
        values = [value for key, value in metadata if key == _AUTHORIZATION]
        if not values:
            return self._of_certificate(connection())
        value = values[0]
        if len(values) > 1 or not isinstance(value, str) or value[: len(_SCHEME)].lower() != _SCHEME:
            raise unauthenticated("The metadata 'authorization' is not one 'Bearer' and a token.")
        token = value[len(_SCHEME) :].strip()
        if not token.isascii():
            raise unauthenticated("The token has characters that no token has.")
        if self._jwts is not None and token.count(".") == _JWT_DOTS:
            return await self._jwts.principal(token)
        if self._shares is not None and token.startswith(SHARE_PREFIX):
            return await self._shares.principal(token)
        return self._of_token_file(token)

    def check(self, principal: Principal) -> None:
        """Check that the credential of an open call is still in force. Raises TOKEN_EXPIRED."""
        if principal is ANONYMOUS:
            return
        if self._jwts is not None and principal.key.startswith(_JWT):
            self._jwts.check(principal)
            return
        if self._shares is not None and principal.credential_id.startswith(CREDENTIAL_PREFIX):
            self._shares.check(principal)
            return
        entry = None if self._store is None else self._store.by_id(principal.credential_id)
        # A certificate may expire before its entry.
        unchanged = (
            entry is not None
            and entry.key == principal.key
            and replace(entry.principal, expire_time=principal.expire_time) == principal
        )
        if entry is None or not unchanged:
            # Changed rights count as a revocation: the client authenticates again, and gets what it has now.
            raise token_expired("The credential was revoked or changed. Authenticate again.", principal)
        self._check(entry, principal)

    async def start(self) -> None:
        """Fetch the issuer's keys; until then its tokens are refused."""
        if self._jwts is not None:
            await self._jwts.refresh()

    async def refresh(self, principals: Iterable[Principal] = ()) -> None:
        """Reload changed credential files and the shared jobs of these principals, and start to fetch keys.

        It does not wait for the keys: a slow issuer must not keep revoked tokens in force.
        """
        if self._store is not None:
            await asyncio.to_thread(self._store.refresh)
        if self._jwts is not None:
            self._jwts.refresh_soon()
        if self._shares is not None:
            with contextlib.suppress(Refusal):  # while the store is away, shares stay as they were
                await self._shares.refresh(principals)

    def _of_token_file(self, token: str) -> Principal:
        if not tokens.is_token(token):
            raise unauthenticated(
                "The token is malformed: its form or its checksum is wrong. Was it truncated?"
            )
        entry = None if self._store is None else self._store.by_key(token_key(tokens.digest(token)))
        if entry is None:
            raise unauthenticated("The server does not know the token. Is it for another server, or deleted?")
        return self._check(entry, entry.principal)

    def _of_certificate(self, connection: AuthContext) -> Principal:
        try:
            certificate = client_certificate(connection)
        except ValueError:
            raise unauthenticated("The client's certificate cannot be read.") from None
        if certificate is None or self._store is None:
            raise unauthenticated(
                "The call has no token. Send one as the metadata 'authorization: Bearer mp_...'."
            )
        for name in certificate.names:
            entry = self._store.by_key(certificate_key(name))
            if entry is not None:
                ends = [certificate.expire_time, entry.principal.expire_time or certificate.expire_time]
                return self._check(entry, replace(entry.principal, expire_time=min(ends)))
        raise unauthenticated(
            "The server knows none of the names in the client's certificate, and the call has no token. "
            "`milepost token create --certificate NAME` adds one."
        )

    def _check(self, entry: TokenEntry, principal: Principal) -> Principal:
        """Return the principal of the entry while both are in force. Raises TOKEN_EXPIRED."""
        if entry.revoked:
            raise token_expired("The credential was revoked. Authenticate with another one.", principal)
        ends = [end for end in (entry.principal.expire_time, principal.expire_time) if end is not None]
        if ends and self._clock.now() >= min(ends):
            raise token_expired("The credential has expired. Authenticate with another one.", principal)
        return principal
