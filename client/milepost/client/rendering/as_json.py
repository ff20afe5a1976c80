"""Messages as JSON: one object a line, by the protobuf JSON mapping."""

from __future__ import annotations

import base64

from google.protobuf.any_pb2 import Any
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from google.protobuf.struct_pb2 import Struct, Value

from milepost.client.rendering.json_line import Json, line
from milepost.v1 import Event, Waiting

__all__ = ["Json", "event_line", "line", "message_line", "values", "waiting_line"]

_LARGEST_EXACT = 2**53


def message_line(message: Message) -> str:
    """A message on one line."""
    return line(MessageToDict(message))


def waiting_line(waiting: Waiting) -> str:
    """What a job waits for, on one line."""
    return line({"waiting": MessageToDict(waiting)})


def event_line(event: Event) -> str:
    """An event on one line.

    An application's message whose type is not known here stands as ``{"@type": …, "value": …}``, its value in base64:
    the mapping has no form for it, and the other events matter all the same.
    """
    data = event.custom.WhichOneof("data")
    if data is None:
        return message_line(event)
    bare = Event()
    bare.CopyFrom(event)
    bare.custom.ClearField("data")
    mapped = MessageToDict(bare)
    mapped["custom"][data] = values(event.custom.json) if data == "json" else _any(event.custom.proto)
    return line(mapped)


def values(struct: Struct) -> dict[str, Json]:
    """What a struct holds, by the names of its fields. Whole numbers are integers; what is no JSON number is text."""
    return {key: _value(value) for key, value in sorted(struct.fields.items())}


def _value(value: Value) -> Json:
    match value.WhichOneof("kind"):
        case "struct_value":
            return values(value.struct_value)
        case "list_value":
            return [_value(item) for item in value.list_value.values]
        case "number_value":
            number = value.number_value
            if number.is_integer() and abs(number) <= _LARGEST_EXACT:
                return int(number)
            return number if abs(number) < float("inf") else str(number)
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _any(message: Any) -> Json:
    try:
        mapped: Json = MessageToDict(message)
    except (TypeError, DecodeError):
        return {"@type": message.type_url, "value": base64.b64encode(message.value).decode()}
    return mapped
