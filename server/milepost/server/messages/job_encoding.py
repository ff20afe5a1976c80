"""Encode messages with a job in them, whose input may be large, without copying it.

protobuf copies a message that is put into another one, and builds its maps again: of a MiB of small entries that takes
the event loop 50 ms, and encoding it takes two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from google.protobuf.message import Message

from milepost.server.messages.event_encoding import tag, varint
from milepost.v1 import Job

__all__ = ["JobResponse", "encode_with", "field"]


class JobResponse(NamedTuple):
    """A response ``message`` with a job in the field at ``path``, which is not set in the message itself."""

    message: Message
    job: Job
    path: Sequence[str] = ("job",)

    def encode(self) -> bytes:
        """The response as bytes."""
        return encode_with(self.message, self.path, self.job.SerializeToString())


def encode_with(message: Message, path: Sequence[str], value: bytes) -> bytes:
    """Encode a message with ``value``, an encoded message, in the field at this path, which is not set in it.

    The messages that the path leads through are copied without it.
    """
    name, *inner = path
    if inner:
        value = encode_with(getattr(message, name), inner, value)
        rest = type(message)()
        rest.CopyFrom(message)
        rest.ClearField(name)
        message = rest
    return message.SerializeToString() + field(message, name, value)


def field(message: Message, name: str, value: bytes) -> bytes:
    """The field of a message, encoded, with an encoded message as its value."""
    return b"".join((tag(message.DESCRIPTOR.fields_by_name[name].number), varint(len(value)), value))
