"""The types of application events: their descriptors, and what can be compared of a message without one."""

from __future__ import annotations

import base64
import json
from typing import Final

from google.protobuf import descriptor_pool
from google.protobuf.any_pb2 import Any
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from milepost.client._json import Json
from milepost.client._message_json import to_json

__all__ = ["add_descriptors", "typed_json"]

# Messages within messages of an unknown type: deeper ones are bytes.
_DEPTH: Final = 20


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
    author has encoded the fields does not count; so do those of messages within it. What could be a map, pairs with
    distinct keys, is in the order of the keys.
    """
    if _is_known(packed):
        return to_json(packed)
    fields = _parsed(packed.value)
    return to_json(packed) if fields is None else {"@type": packed.type_url, **_values(fields, 0)}


def _is_known(packed: Any) -> bool:
    try:
        descriptor_pool.Default().FindMessageTypeByName(packed.TypeName())
    except KeyError:
        return False
    return True


def _parsed(encoded: bytes) -> UnknownFieldSet | None:
    """The fields of a message of any type; None if it is none."""
    message = Empty()
    try:
        message.MergeFromString(encoded)
    except DecodeError:
        return None
    return UnknownFieldSet(message)


def _values(fields: UnknownFieldSet, depth: int) -> dict[str, Json]:
    """The values of the fields by their numbers."""
    found: dict[str, list[Json]] = {}
    for field in (fields[index] for index in range(len(fields))):
        found.setdefault(str(field.field_number), []).append(_value(field.data, depth))
    return {number: _sorted_map(values) for number, values in found.items()}


def _value(data: int | bytes | UnknownFieldSet, depth: int) -> Json:
    """A value: a number, text, a message or a group of before proto3, or bytes in base64.

    An encoding does not tell text, bytes and messages apart: text is what people could have written.
    """
    if isinstance(data, int):
        return data
    if not isinstance(data, bytes):
        return _values(data, depth + 1)
    text = _decoded(data)
    if text is not None and all(character.isprintable() or character in "\t\n\r" for character in text):
        return text
    if depth < _DEPTH and (fields := _parsed(data)) is not None:
        return _values(fields, depth + 1)
    return text if text is not None else {"base64": base64.b64encode(data).decode()}


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _sorted_map(values: list[Json]) -> list[Json]:
    """The values of a field, by key if they could be the entries of a map; one without a key has the default."""
    keys = [_map_key(value) for value in values]
    if None in keys or len({*keys}) < len(keys):
        return values
    return [value for _, value in sorted(zip(keys, values, strict=True), key=lambda pair: pair[0] or "")]


def _map_key(value: Json) -> str | None:
    """The key of what could be an entry of a map, as text; None for anything else."""
    if not isinstance(value, dict) or not value.keys() <= {"1", "2"}:
        return None
    match value.get("1", [""]):
        case [str() | int() as key]:
            return json.dumps(key)
    return None
