"""Messages with hostile text in every field: control sequences, and characters that reorder or hide text."""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

__all__ = ["HOSTILE", "filled", "obeyed"]

_Message = TypeVar("_Message", bound=Message)

HOSTILE: Final = (
    "a\x1b[77;77H\x1b]0;title\x07b\x1bP$q\x1b\\\x9b7;7H\x9d0;title\x9c\x7f\x08\x0b\x0c\x00\r\t\n"
    "\u061c\u200b\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
    "\xad\U000e0041z"
)
"""Control sequences of C0 and C1, directional marks and overrides, separators, and zero-width characters."""

# The command's own sequences: colors, moving up and clearing lines.
_OWN: Final = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|\d*[AGK]|2K)")
_OBEYED: Final = re.compile("[^\t\n\\x20-\\x7e\\xa0-\\xac\\xae-\\u0600]")
_DEPTH: Final = 5


def obeyed(output: str, *, drawn: bool = False) -> list[str]:
    """The characters that a terminal would interpret or hide; with ``drawn``, except the command's own sequences."""
    text = _OWN.sub("", output).replace("\r\n", "\n").replace("\r", "\n") if drawn else output
    return [found for found in _OBEYED.findall(text) if not found.isprintable()]


def filled(message: _Message, *, depth: int = _DEPTH, **fixed: Any) -> _Message:
    """Set every field of the message, each text to hostile text, except the ``fixed`` ones."""
    for field in message.DESCRIPTOR.fields:
        if field.name in fixed or field.name == "parent_stage_id":  # it would name the stage itself
            continue
        union = field.containing_oneof
        if union is not None and message.WhichOneof(union.name) is not None:
            continue
        if field.message_type is not None:
            if depth:
                _fill(message, field, depth - 1)
        elif field.is_repeated:
            getattr(message, field.name).extend([_value(field)] * 2)
        else:
            setattr(message, field.name, _value(field))
    for name, value in fixed.items():
        if isinstance(value, Message):
            getattr(message, name).CopyFrom(value)
        else:
            setattr(message, name, value)
    return message


def _fill(message: Message, field: Any, depth: int) -> None:
    held = getattr(message, field.name)
    kind = field.message_type

    if kind.full_name == "google.protobuf.Timestamp":
        held.FromSeconds(1_700_000_000)
    elif kind.full_name == "google.protobuf.Duration":
        held.FromSeconds(20)
    elif kind.full_name == "google.protobuf.Struct":
        held.update({HOSTILE: HOSTILE, "list": [HOSTILE, {HOSTILE: HOSTILE}]})
    elif kind.full_name == "google.protobuf.Any":
        held.type_url, held.value = f"types/{HOSTILE}", b"x"
    elif kind.GetOptions().map_entry:
        value = kind.fields_by_name["value"]
        if value.message_type is None:
            held[HOSTILE] = _value(value)
        else:
            filled(held[HOSTILE], depth=depth)
    elif field.is_repeated:
        filled(held.add(), depth=depth)
    else:
        held.SetInParent()
        filled(held, depth=depth)


def _value(field: Any) -> object:
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return HOSTILE
        case FieldDescriptor.TYPE_BYTES:
            return HOSTILE.encode()
        case FieldDescriptor.TYPE_BOOL:
            return True
        case FieldDescriptor.TYPE_DOUBLE:
            return 0.5
        case _:
            return 2
