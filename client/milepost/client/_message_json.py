"""Convert messages to JSON by the protobuf JSON mapping."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from typing import Any, Final, cast

from google.protobuf import any_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pool import Default
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import ListValue, Struct, Value

from milepost.client._conversion import EXACT
from milepost.client._job_snapshot import JobSnapshot

__all__ = ["to_json"]


def to_json(message: Message | JobSnapshot, *, always_print: bool = False) -> dict[str, Any]:
    """Convert a message to a dict for `json.dumps`: the JSON mapping of https://protobuf.dev/programming-guides/json.

    Names are in lowerCamelCase, 64-bit integers are strings, times are RFC 3339, enums are names, and fields with a
    zero or empty value are absent. Unlike the mapping, whole numbers within a Struct become ints, and nothing fails: an
    `Any` of an unknown type, or with a malformed value, becomes ``{"@type": …, "value": …}`` with its value in base64.

    Args:
        message: Any message, or a job that `Client.get` returned.
        always_print: Include fields with a zero or empty value, except fields with presence, such as messages.
    """
    proto = message.proto if isinstance(message, JobSnapshot) else message
    mapped: dict[str, Any] = _message(proto, always_print)
    return mapped


def _message(message: Message, always: bool) -> Any:
    match message:
        case Struct():
            return {key: _value(value) for key, value in sorted(message.fields.items())}
        case Value():
            return _value(message)
        case ListValue():
            return [_value(value) for value in message.values]
        case any_pb2.Any():
            return _any(message, always)
    descriptor = cast("Descriptor", message.DESCRIPTOR)
    if (
        descriptor.file.package == "google.protobuf"
    ):  # well-known types such as times have their own JSON forms
        return MessageToDict(message)
    mapped: dict[str, Any] = {}
    for field in descriptor.fields:
        value = getattr(message, field.name)
        if field.has_presence:
            if message.HasField(field.name):
                mapped[field.json_name] = _single(field, value, always)
        elif value or always or _is_negative_zero(value):
            mapped[field.json_name] = _field(field, value, always)
    return mapped


def _field(field: FieldDescriptor, value: Any, always: bool) -> Any:
    if not field.is_repeated:
        return _single(field, value, always)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        value_field = field.message_type.fields_by_name["value"]
        return {_key(key): _single(value_field, item, always) for key, item in sorted(value.items())}
    return [_single(field, item, always) for item in value]


def _single(field: FieldDescriptor, value: Any, always: bool) -> Any:
    if field.message_type is not None:
        return _message(value, always)
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return value if known is None else known.name
    return _SCALARS.get(field.cpp_type, _plain_scalar)(value)


def _any(message: any_pb2.Any, always: bool) -> Any:
    try:
        inner = GetMessageClass(Default().FindMessageTypeByName(message.TypeName())).FromString(message.value)
    except (KeyError, DecodeError):
        if not message.type_url and not message.value:
            return {}
        return {"@type": message.type_url, "value": base64.b64encode(message.value).decode()}
    mapped = _message(inner, always)
    is_well_known = inner.DESCRIPTOR.file.package == "google.protobuf"
    return {"@type": message.type_url, **({"value": mapped} if is_well_known else mapped)}


def _value(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return _message(value.struct_value, False)
        case "list_value":
            return _message(value.list_value, False)
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() and abs(number) <= EXACT else _double(number)
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _key(key: str | int | bool) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _is_negative_zero(value: object) -> bool:
    return isinstance(value, float) and value == 0 and math.copysign(1, value) < 0


def _double(number: float) -> Any:
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _plain_scalar(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


_SCALARS: Final[dict[int, Callable[[Any], Any]]] = {
    FieldDescriptor.CPPTYPE_INT64: str,
    FieldDescriptor.CPPTYPE_UINT64: str,
    FieldDescriptor.CPPTYPE_DOUBLE: _double,
    FieldDescriptor.CPPTYPE_FLOAT: _double,
}
