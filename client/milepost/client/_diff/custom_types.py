"""The types of application events: their descriptors, and what can be compared of a message without one."""

from __future__ import annotations

import base64

from google.protobuf import descriptor_pool
from google.protobuf.any_pb2 import Any
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from milepost.client._json import Json
from milepost.client._message_json import to_json

__all__ = ["add_descriptors", "typed_json"]


def add_descriptors(encoded: bytes) -> None:
    """Make the types of an encoded FileDescriptorSet known in this process. Files that are known already stay.

    Raises:
        ValueError: It is none, a file that it imports is missing, or a type has the name of a known one.
    """
    pool = descriptor_pool.Default()
    try:
        for file in FileDescriptorSet.FromString(encoded).file:
            try:
                pool.FindFileByName(file.name)
            except KeyError:
                pool.AddSerializedFile(file.SerializeToString())
    except (DecodeError, TypeError) as error:
        raise ValueError(f"It is no FileDescriptorSet with all that its files import: {error}") from error


def typed_json(packed: Any) -> dict[str, Json]:
    """A message as JSON.

    Of an unknown type the values stand under the numbers of their fields, in lists, so that the order in which its
    author has encoded the fields does not count; messages within it are compared by their bytes.
    """
    if _is_known(packed):
        return to_json(packed)
    message = Empty()
    try:
        message.MergeFromString(packed.value)
    except DecodeError:
        return to_json(packed)
    return {"@type": packed.type_url, **_values(UnknownFieldSet(message))}


def _is_known(packed: Any) -> bool:
    try:
        descriptor_pool.Default().FindMessageTypeByName(packed.TypeName())
    except KeyError:
        return False
    return True


def _values(fields: UnknownFieldSet) -> dict[str, Json]:
    """The values of the fields by their numbers."""
    found: dict[str, list[Json]] = {}
    for field in (fields[index] for index in range(len(fields))):
        found.setdefault(str(field.field_number), []).append(_value(field.data))
    return {**found}


def _value(data: int | bytes | UnknownFieldSet) -> Json:
    """A value as its encoding has it: a number, text, what is no text in base64, or a group of before proto3."""
    if isinstance(data, int):
        return data
    if isinstance(data, bytes):
        try:
            return data.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(data).decode()}
    return _values(data)
