"""Codecs: how messages are encoded in bodies, as the Content-Type of a call names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from google.protobuf.message import Message

from milepost.web.json_reading import read_json
from milepost.web.proto_json import to_json
from milepost.web.service import Steps


class Codec(NamedTuple):
    """One encoding of messages."""

    name: str
    """Its name in content types."""
    decode: Callable[[bytes, type[Message]], Steps[Message | bytes]]
    """Decode a request, or leave it to the backend. Raises ServiceError INVALID_FIELD."""
    encode: Callable[[Message], bytes]
    encode_frame: Callable[[bytes, type[Message]], bytes]
    """Encode a response of a stream, which is serialised already."""


def _from_json(body: bytes, message: type[Message]) -> Steps[Message | bytes]:
    request = message()
    # A client may be newer than the server.
    yield from read_json(body, request, ignore_unknown_fields=True)
    return request


def _as_it_is(body: bytes, message: type[Message]) -> Steps[Message | bytes]:
    yield from ()
    return body


def _to_json(message: Message) -> bytes:
    return to_json(message).encode()


_BINARY: Final = Codec(
    "proto",
    decode=_as_it_is,
    encode=lambda message: message.SerializeToString(),
    encode_frame=lambda frame, _: frame,
)

_JSON: Final = Codec(
    "json",
    decode=_from_json,
    encode=_to_json,
    encode_frame=lambda frame, message: _to_json(message.FromString(frame)),
)

_CODECS: Final = (_BINARY, _JSON)


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
