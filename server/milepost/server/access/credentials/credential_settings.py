"""Which credentials a server knows.

The command loads this for help and shell completion, so the verifiers are imported only when they are created.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.server.access.credentials.claim_names import ClaimNames

if TYPE_CHECKING:
    from milepost.server.access.authenticator import Authenticator
    from milepost.server.access.credentials.jwt_tokens import JwtTokens
    from milepost.server.access.credentials.shares import Shares
    from milepost.server.base.clock import Clock


@dataclass(frozen=True)
class JwtSettings:
    """An issuer of tokens, the audience that they must be for, and where its public keys are: a file or a URL."""

    issuer: str
    audience: str
    jwks: str
    claims: ClaimNames = field(default_factory=ClaimNames)

    def open(self, clock: Clock) -> JwtTokens:
        """Create the verifier of the tokens. Raises ImportError without the extra ``milepost-server[jwt]``."""
        from milepost.server.access.credentials.jwks import KeySet
        from milepost.server.access.credentials.jwt_tokens import JwtTokens

        return JwtTokens(KeySet(self.jwks), self.issuer, self.audience, self.claims, clock)


@dataclass(frozen=True)
class CredentialSettings:
    """The credentials that callers may have; without any, every caller may do everything."""

    tokens: Path | None = None
    """A token file."""
    jwt: JwtSettings | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return self == CredentialSettings()

    def open(self, clock: Clock, shares: Shares | None = None) -> Authenticator:
        """Create the authenticator of calls. Raises TokenFileError."""
        from milepost.server.access.authenticator import Authenticator
        from milepost.server.access.credentials.token_store import TokenStore

        return Authenticator(
            clock,
            None if self.tokens is None else TokenStore(self.tokens),
            None if self.jwt is None else self.jwt.open(clock),
            shares,
        )
