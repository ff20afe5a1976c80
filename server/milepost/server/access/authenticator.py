"""Authentication: which principal a call comes from, and whether its credential is still in force."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from milepost.server.access import tokens
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.access.token_file import TokenEntry
from milepost.server.access.token_store import TokenStore
from milepost.server.base.clock import Clock
from milepost.server.base.refusal import Refusal
from milepost.v1 import ErrorReason

_AUTHORIZATION: Final = "authorization"
_SCHEME: Final = "bearer "


class Authenticator:
    """Knows the credentials of a server. Without any, every caller is ``ANONYMOUS``."""

    def __init__(self, clock: Clock, store: TokenStore | None = None) -> None:
        self._clock = clock
        self._store = store

    def authenticate(self, metadata: Iterable[tuple[str, str | bytes]]) -> Principal:
        """The principal of a call with this metadata. Raises UNAUTHENTICATED, TOKEN_EXPIRED.

        No text quotes the credential: refusals are logged.
        """
        if self._store is None:
            return ANONYMOUS
        values = [value for key, value in metadata if key == _AUTHORIZATION]
        if not values:
            raise _unauthenticated(
                "The call has no token. Send one as the metadata 'authorization: Bearer mp_...'."
            )
        value = values[0]
        if len(values) > 1 or not isinstance(value, str) or value[: len(_SCHEME)].lower() != _SCHEME:
            raise _unauthenticated("The metadata 'authorization' is not one 'Bearer' and a token.")
        token = value[len(_SCHEME) :].strip()
        if not tokens.is_token(token):
            raise _unauthenticated(
                "The token is malformed: its form or its checksum is wrong. Was it truncated?"
            )
        entry = self._store.by_digest(tokens.digest(token))
        if entry is None:
            raise _unauthenticated(
                "The server does not know the token. Is it for another server, or deleted?"
            )
        self._check(entry)
        return entry.principal

    def check(self, principal: Principal) -> None:
        """Check that the credential of an open call is still in force. Raises TOKEN_EXPIRED."""
        if self._store is None or principal is ANONYMOUS:
            return
        entry = self._store.by_id(principal.credential_id)
        if entry is None or entry.principal != principal:
            # Changed rights count as a revocation: the client authenticates again, and gets what it has now.
            raise _expired("The token was revoked or changed. Authenticate again.")
        self._check(entry)

    def refresh(self) -> None:
        """Read changed files of credentials again."""
        if self._store is not None:
            self._store.refresh()

    def _check(self, entry: TokenEntry) -> None:
        expire_time = entry.principal.expire_time
        if entry.revoked:
            raise _expired("The token was revoked. Authenticate with another one.")
        if expire_time is not None and self._clock.now() >= expire_time:
            raise _expired("The token has expired. Authenticate with another one.")


def _unauthenticated(text: str) -> Refusal:
    return Refusal(ErrorReason.ERROR_REASON_UNAUTHENTICATED, text)


def _expired(text: str) -> Refusal:
    return Refusal(ErrorReason.ERROR_REASON_TOKEN_EXPIRED, text)
