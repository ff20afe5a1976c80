"""Messages as JSON text, by the protobuf JSON mapping (https://protobuf.dev/programming-guides/json).

Names are in lowerCamelCase, 64-bit integers are strings, times are RFC 3339, enums are names, and fields with a zero or
empty value are absent. Unlike the mapping, whole numbers within a Struct become ints, and nothing fails: an ``Any`` of
an unknown type, or with a malformed value, becomes ``{"@type": …, "value": …}`` with its value in base64.

How each field of a type is written is looked up once, since a server writes each event for everyone who watches it.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from json.encoder import encode_basestring  # does not escape letters beyond ASCII
from typing import Any, Final, TypeAlias

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pool import Default
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

__all__ = ["json_text", "json_writer"]

_Write: TypeAlias = Callable[[Any], str]
"""Writes a value as JSON."""

_Fields: TypeAlias = dict[FieldDescriptor, tuple[str, _Write]]
"""The fields of a type: what each begins with in JSON, and how its value is written."""

_EXACT: Final = 2**53
"""Largest magnitude up to which a double represents every whole number."""

_ANY_LEVELS: Final = 4
"""How many levels of an ``Any`` within an ``Any`` are decoded: its author decides how deep they go."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def json_text(message: Message, *, always_print: bool = False) -> str:
    """Write a message as one line of JSON.

    Args:
        message: Any message.
        always_print: Include fields with a zero or empty value, except fields with presence, such as messages.
    """
    writer = _PRINTING_ALL if always_print else _PRINTING_SET
    return writer.of_message(message.DESCRIPTOR)(message)


def json_writer(message: type[Message]) -> Callable[[Message], str]:
    """Look up how messages of a type are written, for whoever writes many."""
    return _PRINTING_SET.of_message(message.DESCRIPTOR)


class _Writer:
    """Writers for the values of all types. ``any_levels`` bounds how deeply an ``Any`` is decoded."""

    def __init__(self, always_print: bool, any_levels: int) -> None:
        self._always_print = always_print
        self._within_any = _Writer(always_print, any_levels - 1) if any_levels else None
        self._of_messages: dict[str, _Write] = {
            "google.protobuf.Struct": _struct,
            "google.protobuf.Value": _value,
            "google.protobuf.ListValue": _list_value,
            "google.protobuf.Any": self._any,
            "google.protobuf.Timestamp": _timestamp,
        }

    def of_message(self, descriptor: Any) -> _Write:
        """How messages of a type are written. ``descriptor`` is of any of protobuf's implementations."""
        write = self._of_messages.get(descriptor.full_name)
        if write is None:
            if descriptor.file.package == "google.protobuf":  # others with JSON forms of their own
                write = _well_known
            else:
                # Entered before its fields are looked at, since messages may contain each other.
                fields: _Fields = {}
                write = _all_fields(fields) if self._always_print else _set_fields(fields)
                self._of_messages[descriptor.full_name] = write
                for field in descriptor.fields:
                    fields[field] = f"{encode_basestring(field.json_name)}:", self._of_field(field)
        return write

    def _of_field(self, field: FieldDescriptor) -> _Write:
        if not field.is_repeated:
            return self._of_single(field)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return _map(self._of_single(field.message_type.fields_by_name["value"]))
        write = self._of_single(field)
        return lambda values: f"[{','.join(map(write, values))}]"

    def _of_single(self, field: FieldDescriptor) -> _Write:
        if field.message_type is not None:
            return self.of_message(field.message_type)
        if field.enum_type is not None:
            return _enum(field.enum_type)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return _bytes
        return _SCALARS[field.cpp_type]

    def _any(self, message: AnyMessage) -> str:
        if not message.type_url and not message.value:
            return "{}"
        head = f'{{"@type":{encode_basestring(message.type_url)}'
        inner = self._inner(message)
        if inner is None:
            return f'{head},"value":{_bytes(message.value)}}}'
        is_well_known = message.TypeName().startswith("google.protobuf.")
        if is_well_known:
            return f'{head},"value":{inner}}}'
        return f"{head}}}" if inner == "{}" else f"{head},{inner[1:]}"

    def _inner(self, message: AnyMessage) -> str | None:
        """The message within an Any; None if it is not known here, or malformed."""
        if self._within_any is None:
            return None
        try:
            descriptor = Default().FindMessageTypeByName(message.TypeName())
            return self._within_any.of_message(descriptor)(
                GetMessageClass(descriptor).FromString(message.value)
            )
        except (KeyError, DecodeError, ValueError):
            return None


def _all_fields(fields: _Fields) -> _Write:
    def write(message: Message) -> str:
        parts = []
        for field, (name, write_field) in fields.items():
            if not field.has_presence or message.HasField(field.name):
                parts.append(name + write_field(getattr(message, field.name)))
        return f"{{{','.join(parts)}}}"

    return write


def _set_fields(fields: _Fields) -> _Write:
    def write(message: Message) -> str:
        parts = [(entry := fields[field])[0] + entry[1](value) for field, value in message.ListFields()]
        return f"{{{','.join(parts)}}}"

    return write


def _map(write: _Write) -> _Write:
    def write_map(values: Any) -> str:
        entries = (f"{_key(key)}:{write(value)}" for key, value in sorted(values.items()))
        return f"{{{','.join(entries)}}}"

    return write_map


def _key(key: str | int | bool) -> str:
    return encode_basestring(str(key).lower() if isinstance(key, bool) else str(key))


def _enum(enum: EnumDescriptor) -> _Write:
    names = {value.number: encode_basestring(value.name) for value in enum.values}

    def write(number: int) -> str:
        return names.get(number) or str(number)

    return write


def _bytes(value: bytes) -> str:
    return f'"{base64.b64encode(value).decode()}"'


def _double(number: float) -> str:
    if number - number == 0.0:  # whether it is finite
        return repr(number)
    return '"NaN"' if math.isnan(number) else '"Infinity"' if number > 0 else '"-Infinity"'


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _quoted(number: int) -> str:
    return f'"{number}"'


_SCALARS: Final[dict[int, _Write]] = {
    FieldDescriptor.CPPTYPE_INT32: repr,
    FieldDescriptor.CPPTYPE_UINT32: repr,
    FieldDescriptor.CPPTYPE_INT64: _quoted,
    FieldDescriptor.CPPTYPE_UINT64: _quoted,
    FieldDescriptor.CPPTYPE_DOUBLE: _double,
    FieldDescriptor.CPPTYPE_FLOAT: _double,
    FieldDescriptor.CPPTYPE_BOOL: _bool,
    FieldDescriptor.CPPTYPE_STRING: encode_basestring,
}


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    """The part of a time that events of the same second share. Raises ValueError for one that RFC 3339 has not."""
    try:
        return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]
    except OverflowError as error:
        raise ValueError(f"{seconds} s after 1970 is not within the years 1 to 9999.") from error


def _timestamp(message: Timestamp) -> str:
    nanos = message.nanos
    if not nanos:
        return f'"{_second(message.seconds)}Z"'
    if not nanos % 1_000_000:
        return f'"{_second(message.seconds)}.{nanos // 1_000_000:03}Z"'
    if not nanos % 1_000:
        return f'"{_second(message.seconds)}.{nanos // 1_000:06}Z"'
    return f'"{_second(message.seconds)}.{nanos:09}Z"'


def _well_known(message: Message) -> str:
    return json.dumps(MessageToDict(message), ensure_ascii=False, separators=(",", ":"))


def _struct(message: Struct) -> str:
    entries = (f"{encode_basestring(key)}:{_value(value)}" for key, value in sorted(message.fields.items()))
    return f"{{{','.join(entries)}}}"


def _list_value(message: ListValue) -> str:
    return f"[{','.join(map(_value, message.values))}]"


def _value(message: Value) -> str:
    match message.WhichOneof("kind"):
        case "string_value":
            return encode_basestring(message.string_value)
        case "number_value":
            number = message.number_value
            return str(int(number)) if number.is_integer() and abs(number) <= _EXACT else _double(number)
        case "bool_value":
            return _bool(message.bool_value)
        case "struct_value":
            return _struct(message.struct_value)
        case "list_value":
            return _list_value(message.list_value)
        case _:
            return "null"


_PRINTING_SET: Final = _Writer(always_print=False, any_levels=_ANY_LEVELS)
_PRINTING_ALL: Final = _Writer(always_print=True, any_levels=_ANY_LEVELS)
