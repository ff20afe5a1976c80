"""Envelopes: how messages stand in the body of a streaming call.

Each is one byte of flags, four bytes of length, and the message. The last one of a response has ``END_STREAM``, and
JSON that says whether the stream was complete; a body that ends without it was cut.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

_PREFIX: Final = Struct(">BI")

COMPRESSED: Final = 1
"""Flag of a compressed message."""

END_STREAM: Final = 2
"""Flag of the last envelope of a response."""


class MalformedEnvelope(Exception):
    """The body of a request is malformed; the message says why, for people."""


def envelope(message: bytes, flags: int = 0) -> bytes:
    """Wrap a message in an envelope."""
    return _PREFIX.pack(flags, len(message)) + message


def only_message(body: bytes) -> tuple[bytes, bool]:
    """The message of a body of exactly one envelope, as a request has it, and whether it is compressed.

    Raises MalformedEnvelope.
    """
    if len(body) < _PREFIX.size:
        raise MalformedEnvelope("The body has no message. Send one envelope: flags, length, message.")
    flags, length = _PREFIX.unpack_from(body)
    if flags & ~COMPRESSED:
        raise MalformedEnvelope(f"The envelope has the flags {flags:#x}; only that of compression is known.")
    message = body[_PREFIX.size :]
    if len(message) < length:
        raise MalformedEnvelope(f"The envelope promises {length} bytes, and the body has {len(message)}.")
    if len(message) > length:
        raise MalformedEnvelope("The body has more than one message; each method takes one.")
    return message, bool(flags)
