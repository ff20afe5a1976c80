"""Refusals of credentials. No text quotes a credential: refusals are logged."""

from __future__ import annotations

from milepost.server.base.refusal import Refusal
from milepost.v1 import ErrorReason


def unauthenticated(text: str) -> Refusal:
    """The call has no credential, or one that the server does not know."""
    return Refusal(ErrorReason.ERROR_REASON_UNAUTHENTICATED, text)


def token_expired(text: str) -> Refusal:
    """The credential was in force, and is no longer."""
    return Refusal(ErrorReason.ERROR_REASON_TOKEN_EXPIRED, text)
