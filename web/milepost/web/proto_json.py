"""Messages as JSON: whole, or in pieces that are made one after the other while others are served."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from json.encoder import encode_basestring
from typing import Any, Final

from google.protobuf.message import Message

from milepost.contract.message_json import json_text

__all__ = ["json_body", "json_pieces", "to_json"]

PIECE_SIZE: Final = 16 << 10
"""Approximate bytes of a message that become JSON in one piece."""


def to_json(message: Message) -> str:
    """The message as one line of JSON."""
    return json_text(message)


def json_body(text: str) -> str:
    """JSON as the body of a response: a line, so that a terminal's prompt does not stand behind it."""
    return f"{text}\n"


def json_pieces(message: Message) -> Generator[str, None, None]:
    """The message as one line of JSON, in pieces: each takes about a millisecond, unless one text in it is larger."""
    waiting: list[str] = []
    size = 0
    for part in _parts(message):
        waiting.append(part)
        size += len(part)
        if size >= PIECE_SIZE:
            yield "".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield "".join(waiting)


def _parts(message: Any) -> Iterable[str]:
    if message.ByteSize() <= PIECE_SIZE:
        yield json_text(message)
        return
    match message.DESCRIPTOR.full_name:
        case "google.protobuf.Struct":
            yield from _object(message.fields)
        case "google.protobuf.ListValue":
            yield from _list(message.values)
        case "google.protobuf.Value" if message.WhichOneof("kind") == "struct_value":
            yield from _parts(message.struct_value)
        case "google.protobuf.Value" if message.WhichOneof("kind") == "list_value":
            yield from _parts(message.list_value)
        case "google.protobuf.Value" | "google.protobuf.Any":
            yield json_text(message)
        case _:
            yield from _fields(message)


def _fields(message: Any) -> Iterable[str]:
    """The small fields together, then the large ones by themselves."""
    small = type(message)()
    large = []
    for field, value in message.ListFields():
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        if field.message_type is None or is_map:
            if field.is_repeated:
                getattr(small, field.name).MergeFrom(value)
            else:
                setattr(small, field.name, value)
        elif field.is_repeated:
            large.append((field.json_name, _list(value)))
        elif value.ByteSize() <= PIECE_SIZE:
            getattr(small, field.name).CopyFrom(value)
        else:
            large.append((field.json_name, _parts(value)))
    text = json_text(small)[:-1]
    yield text
    separator = "" if text == "{" else ","
    for name, parts in large:
        yield f'{separator}"{name}":'
        yield from parts
        separator = ","
    yield "}"


def _object(values: Any) -> Iterable[str]:
    separator = "{"
    for key in sorted(values):
        yield f"{separator}{encode_basestring(key)}:"
        yield from _parts(values[key])
        separator = ","
    yield "{}" if separator == "{" else "}"


def _list(values: Iterable[Any]) -> Iterable[str]:
    separator = "["
    for value in values:
        yield separator
        yield from _parts(value)
        separator = ","
    yield "[]" if separator == "[" else "]"
