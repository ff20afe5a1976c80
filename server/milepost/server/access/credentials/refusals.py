"""Refusals of credentials. No text quotes a credential: refusals are logged."""

from __future__ import annotations

from milepost.server.access.principal import Principal
from milepost.server.base.refusal import Refusal
from milepost.v1 import ErrorReason


class CredentialRefused(Refusal):
    """A credential is refused. ``principal`` is whose it is, for the logs; None where that is not proved."""

    def __init__(self, reason: ErrorReason.ValueType, message: str, principal: Principal | None) -> None:
        super().__init__(reason, message)
        self.principal = principal


def unauthenticated(text: str, principal: Principal | None = None) -> CredentialRefused:
    """The call has no credential, or one that the server does not know."""
    return CredentialRefused(ErrorReason.ERROR_REASON_UNAUTHENTICATED, text, principal)


def token_expired(text: str, principal: Principal) -> CredentialRefused:
    """The credential was in force, and is no longer."""
    return CredentialRefused(ErrorReason.ERROR_REASON_TOKEN_EXPIRED, text, principal)
