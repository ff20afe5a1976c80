"""Which credentials a server knows.

The command loads this for help and shell completion, so it imports what verifies credentials when it creates that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from milepost.server.access.authenticator import Authenticator
    from milepost.server.access.jwt_tokens import JwtTokens
    from milepost.server.access.shares import Shares
    from milepost.server.base.clock import Clock


class ClaimNames(NamedTuple):
    """Which claims a principal is made of; dots lead into nested claims."""

    subject: str = "sub"
    owners: str = "owners"
    scopes: str = "scope"
    kinds: str = "kinds"
    limits: str = "limits"

    @classmethod
    def parse(cls, text: str) -> ClaimNames:
        """Parse ``owners=org.teams,scopes=permissions``. Raises ValueError."""
        names = cls()
        for part in filter(None, text.split(",")):
            field, separator, claim = part.partition("=")
            if not separator or not claim or field not in cls._fields:
                raise ValueError(
                    f"{part!r} is not one of {', '.join(cls._fields)}, '=' and the name of a claim"
                )
            names = names._replace(**{field: claim})
        return names


@dataclass(frozen=True)
class JwtSettings:
    """An issuer of tokens, the audience that they must be for, and where its public keys are: a file or a URL."""

    issuer: str
    audience: str
    jwks: str
    claims: ClaimNames = field(default_factory=ClaimNames)

    def open(self, clock: Clock) -> JwtTokens:
        """Create what verifies the tokens. Raises ImportError without the extra ``milepost-server[jwt]``."""
        from milepost.server.access.jwks import KeySet
        from milepost.server.access.jwt_tokens import JwtTokens

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
        """Create what authenticates calls. Raises TokenFileError."""
        from milepost.server.access.authenticator import Authenticator
        from milepost.server.access.token_store import TokenStore

        return Authenticator(
            clock,
            None if self.tokens is None else TokenStore(self.tokens),
            None if self.jwt is None else self.jwt.open(clock),
            shares,
        )
