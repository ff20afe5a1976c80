"""Codecs: how messages are encoded in bodies, as the Content-Type of a call names it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from google.protobuf.message import Message

from milepost.web.json_reading import read_json
from milepost.web.proto_json import json_pieces
from milepost.web.service import Arrived, Steps


class Codec(NamedTuple):
    """One encoding of messages."""

    name: str
    """Its name in content types."""
    decode: Callable[[bytes, type[Message], Arrived], Steps[Message | bytes]]
    """Decode a request, or leave it to the backend. Raises ServiceError INVALID_FIELD, TOO_LARGE."""
    encode: Callable[[Message], Iterable[bytes]]
    """Encode a response, in pieces that take about a millisecond each."""


def _from_json(body: bytes, message: type[Message], arrived: Arrived) -> Steps[Message | bytes]:
    request = message()
    # A client may be newer than the server.
    yield from read_json(body, request, arrived, ignore_unknown_fields=True)
    return request


def _as_it_is(body: bytes, message: type[Message], arrived: Arrived) -> Steps[Message | bytes]:
    yield from ()
    return body


BINARY: Final = Codec("proto", decode=_as_it_is, encode=lambda message: (message.SerializeToString(),))
"""Serialised frames of a stream are what it encodes already."""

JSON: Final = Codec(
    "json", decode=_from_json, encode=lambda message: (piece.encode() for piece in json_pieces(message))
)

_CODECS: Final = (BINARY, JSON)


def content_type(codec: Codec, *, streaming: bool) -> str:
    """The content type of bodies with this codec."""
    return f"application/connect+{codec.name}" if streaming else f"application/{codec.name}"


def codec_of(requested: str, *, streaming: bool) -> Codec | None:
    """The codec of a content type, which may have parameters such as a charset; None if there is no such codec."""
    plain = requested.partition(";")[0].strip().lower()
    return next((codec for codec in _CODECS if content_type(codec, streaming=streaming) == plain), None)


def accepted(*, streaming: bool) -> str:
    """The content types that there are codecs for, as a header lists them."""
    return ", ".join(content_type(codec, streaming=streaming) for codec in _CODECS)
