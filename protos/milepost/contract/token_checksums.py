"""The checksums of tokens, by which secret scanners find them, and by which all see that one is truncated."""

from __future__ import annotations

import string
import zlib
from typing import Final

PREFIX: Final = "mp_"
"""Of tokens of the token file."""

SHARE_PREFIX: Final = "mps_"
"""Of share tokens."""

CHECKSUM_LENGTH: Final = 6
"""Digits of base 62 that a CRC-32 takes."""

_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase


def checksum(body: str) -> str:
    """The checksum of what stands between the prefix of a token and its checksum."""
    return base62(zlib.crc32(body.encode()), CHECKSUM_LENGTH)


def is_truncated(text: str) -> bool:
    """Whether the text begins as a token does, or is such a beginning, and has not the checksum of one.

    Tokens of other issuers are never truncated, as far as one can see.
    """
    for prefix in (PREFIX, SHARE_PREFIX):
        if prefix.startswith(text):
            return True
        if text.startswith(prefix):
            body, last = text[len(prefix) : -CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
            return last != checksum(body)
    return False


def base62(number: int, length: int) -> str:
    """The number in so many digits and letters."""
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
