"""Bearer tokens: 256 random bits behind the prefix ``mp_``, with a checksum so that secret scanners find them."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from milepost.contract.token_checksums import CHECKSUM_LENGTH, PREFIX, base62, checksum

_BODY_LENGTH: Final = 43
"""Digits of base 62 that 256 bits take."""


def new_token() -> str:
    """A new token: the prefix, 43 characters of randomness, and 6 of checksum."""
    body = base62(secrets.randbits(256), _BODY_LENGTH)
    return PREFIX + body + checksum(body)


def is_token(text: str) -> bool:
    """Whether the text has the form and the checksum of a token: a truncated or mistyped one has not."""
    body, last = text[len(PREFIX) : -CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    return text.startswith(PREFIX) and len(body) == _BODY_LENGTH and last == checksum(body)


def digest(token: str) -> str:
    """What the token file keeps of a token: its SHA-256 in hexadecimal.

    A fast hash is enough, since nobody can try 256 random bits.
    """
    return hashlib.sha256(token.encode()).hexdigest()
