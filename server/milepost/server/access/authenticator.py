"""Authentication: which principal a call comes from, and whether its credential is still in force."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from milepost.server.access import tokens
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.access.refusals import token_expired, unauthenticated
from milepost.server.access.token_file import TokenEntry
from milepost.server.access.token_store import TokenStore
from milepost.server.base.clock import Clock

if TYPE_CHECKING:  # PyJWT is installed only where it is needed
    from milepost.server.access.jwt_tokens import JwtTokens

_AUTHORIZATION: Final = "authorization"
_SCHEME: Final = "bearer "
_JWT_DOTS: Final = 2


class Authenticator:
    """Knows the credentials of a server. Without any, every caller is ``ANONYMOUS``."""

    def __init__(self, clock: Clock, store: TokenStore | None = None, jwts: JwtTokens | None = None) -> None:
        self._clock = clock
        self._store = store
        self._jwts = jwts

    @property
    def is_open(self) -> bool:
        """Whether there are no credentials: everyone may do everything."""
        return self._store is None and self._jwts is None

    async def authenticate(self, metadata: Iterable[tuple[str, str | bytes]]) -> Principal:
        """The principal of a call with this metadata. Raises UNAUTHENTICATED, TOKEN_EXPIRED."""
        if self.is_open:
            return ANONYMOUS
        values = [value for key, value in metadata if key == _AUTHORIZATION]
        if not values:
            raise unauthenticated(
                "The call has no token. Send one as the metadata 'authorization: Bearer mp_...'."
            )
        value = values[0]
        if len(values) > 1 or not isinstance(value, str) or value[: len(_SCHEME)].lower() != _SCHEME:
            raise unauthenticated("The metadata 'authorization' is not one 'Bearer' and a token.")
        token = value[len(_SCHEME) :].strip()
        if self._jwts is not None and token.count(".") == _JWT_DOTS:
            return await self._jwts.principal(token)
        return self._of_token_file(token)

    def check(self, principal: Principal) -> None:
        """Check that the credential of an open call is still in force. Raises TOKEN_EXPIRED."""
        if principal is ANONYMOUS:
            return
        if self._jwts is not None and principal.credential_id.startswith("jwt:"):
            self._jwts.check(principal)
            return
        entry = None if self._store is None else self._store.by_id(principal.credential_id)
        if entry is None or entry.principal != principal:
            # Changed rights count as a revocation: the client authenticates again, and gets what it has now.
            raise token_expired("The token was revoked or changed. Authenticate again.")
        self._check(entry)

    async def refresh(self) -> None:
        """Read changed files of credentials, and keys that are due, again."""
        if self._store is not None:
            await asyncio.to_thread(self._store.refresh)
        if self._jwts is not None:
            await self._jwts.refresh()

    def _of_token_file(self, token: str) -> Principal:
        if not tokens.is_token(token):
            raise unauthenticated(
                "The token is malformed: its form or its checksum is wrong. Was it truncated?"
            )
        entry = None if self._store is None else self._store.by_digest(tokens.digest(token))
        if entry is None:
            raise unauthenticated("The server does not know the token. Is it for another server, or deleted?")
        self._check(entry)
        return entry.principal

    def _check(self, entry: TokenEntry) -> None:
        expire_time = entry.principal.expire_time
        if entry.revoked:
            raise token_expired("The token was revoked. Authenticate with another one.")
        if expire_time is not None and self._clock.now() >= expire_time:
            raise token_expired("The token has expired. Authenticate with another one.")
