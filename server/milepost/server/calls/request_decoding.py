"""Decode requests: what cannot be one becomes a refusal, and a large one is decoded in slices."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final, TypeAlias

from google.protobuf.message import DecodeError, Message

from milepost.contract import limits
from milepost.server.access.current_principal import current_caller
from milepost.server.base.refusal import Refusal, malformed, request_too_large
from milepost.server.calls.update_decoding import Deserializer
from milepost.server.scheduling.sliced_decoding import SLICED_FROM, decode_in_slices
from milepost.server.scheduling.slices import Slices
from milepost.server.scheduling.steps import Steps

PUBLIC_REQUEST_SIZE: Final = 4 << 10
"""Bytes of a request of a method that needs no credential, which are names. Responses of reflection repeat it, and a
watch of health keeps it."""

Decoded: TypeAlias = "Message | Refusal | Steps[Message | Refusal]"
"""A request, the refusal of one that cannot be decoded, or the work that returns either."""


def decoder(
    decode: Callable[[bytes], Message], limit: int = limits.REQUEST_SIZE
) -> Callable[[bytes], Decoded]:
    """A deserializer that never raises: a malformed or too large request becomes a Refusal, a large one Steps.

    A request may have ``limit`` bytes. Unknown fields are dropped, so that the server stores nothing that it has not
    validated.
    """

    def decoded(request: bytes) -> Decoded:
        if len(request) > limit:
            return request_too_large(len(request), limit)
        if len(request) >= SLICED_FROM and isinstance(decode, Deserializer):
            return _decode_in_slices(decode.message, request)
        try:
            message = decode(request)
        except DecodeError:
            return malformed()
        message.DiscardUnknownFields()
        return message

    return decoded


async def finish_decoding(decoded: Decoded, slices: Slices) -> Message:
    """The request; a large one is decoded now, in slices. Raises the Refusal that it became."""
    if isinstance(decoded, Generator):
        decoded = await slices.run(decoded, current_caller())
    if isinstance(decoded, Refusal):
        raise decoded
    return decoded


def _decode_in_slices(message: type[Message], request: bytes) -> Steps[Message | Refusal]:
    try:
        return (yield from decode_in_slices(message, request))
    except DecodeError:
        return malformed()
