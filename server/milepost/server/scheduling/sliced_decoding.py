"""Decode large messages in slices: protobuf decodes a message in one go, which for a million small ones takes long.

A message is the merge of its parts: bytes cut between two of its fields decode to two messages that merge to it, and
the parts of a large message within it merge in the same way. So this cuts the bytes into chunks, decodes each, and
merges them. Unknown fields are dropped, and so are entries of a list far beyond its bound, by which a request is
refused in any case.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from milepost.contract import limits
from milepost.server.scheduling.steps import Steps, finish

__all__ = ["SLICED_FROM", "decode_in_slices", "merge_stored"]

_Field: TypeAlias = Any
"""The descriptor of a field, of any of protobuf's implementations."""

SLICED_FROM: Final = 128 * limits.KIB
"""Size in bytes from which on a message is decoded in slices."""

_CHUNK: Final = 16 * limits.KIB
"""Bytes that are decoded in one go, unless a single text or number list is larger."""

_FIELDS_PER_SLICE: Final = 2000
"""Fields that are looked at in one slice, at most."""

_DEPTH_LIMIT: Final = 100
"""Messages within each other; protobuf's own limit."""

_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5

# Bounds of lists, by which a longer list is refused once it is decoded.
_COUNTS: Final = {
    "milepost.v1.SubmitJobRequest.stages": limits.STAGES,
    "milepost.v1.StagesPlanned.stages": limits.STAGES,
    "milepost.v1.Report.updates": limits.UPDATES,
    "milepost.v1.ReportJobRequest.updates": limits.UPDATES,
}

# A malformed entry of these becomes an empty one; see ``update_decoding``.
_UPDATES: Final = frozenset({"milepost.v1.Report.updates", "milepost.v1.ReportJobRequest.updates"})


def decode_in_slices(message: type[Message], data: bytes) -> Steps[Message]:
    """Decode a message without unknown fields. Raises DecodeError."""
    decoded = message()
    yield from _merge(decoded, memoryview(data), 1)
    return decoded


def merge_stored(message: Message, data: bytes) -> None:
    """Merge a message of this server's own, without unknown fields, on a thread that is not the event loop's.

    protobuf keeps the interpreter to itself while it decodes, so of a large message the thread decodes one chunk at a
    time, and others run in between.
    """
    if len(data) < SLICED_FROM:
        message.MergeFromString(data)
    else:
        finish(_merge(message, memoryview(data), 1))


def _merge(message: Message, data: memoryview, depth: int) -> Steps[None]:
    """Merge the fields in ``data`` into the message."""
    if depth > _DEPTH_LIMIT:
        raise DecodeError("messages are too deep within each other")
    fields = message.DESCRIPTOR.fields_by_number
    counts: dict[int, int] = {}
    begin = position = walked = 0
    while position < len(data):
        number, wire_type, content, end = _next_field(data, position)
        field = fields.get(number)
        is_dropped = field is None
        if field is not None and field.full_name in _COUNTS:
            counts[number] = counts.get(number, 0) + 1
            is_dropped = counts[number] > _COUNTS[field.full_name] + 1
        is_cut = end - content > _CHUNK and wire_type == _DELIMITED and _holds_messages(field)
        if is_dropped or is_cut:
            _merge_chunk(message, data[begin:position])
            begin = end
        if is_cut and not is_dropped:
            yield from _merge_field(message, field, data[content:end], depth)
        elif end - begin > _CHUNK:
            _merge_chunk(message, data[begin:end])
            begin = end
            yield
        walked += 1
        if walked % _FIELDS_PER_SLICE == 0:
            yield
        position = end
    _merge_chunk(message, data[begin:])


def _merge_field(message: Message, field: _Field, data: memoryview, depth: int) -> Steps[None]:
    """Merge the bytes of a message into this field, or append it there."""
    holder: Any = getattr(message, field.name)
    parts = [data]
    if _is_map(field):
        key, parts = _map_entry(data)
        holder = holder[key]
        holder.Clear()
    elif hasattr(holder, "add"):  # a list
        holder = holder.add()
    else:
        holder.SetInParent()
    try:
        for part in parts:
            yield from _merge(holder, part, depth + 1)
    except DecodeError:
        if field.full_name not in _UPDATES:
            raise
        holder.Clear()


def _merge_chunk(message: Message, data: memoryview) -> None:
    """Merge whole fields, which are few enough to be decoded in one go."""
    if not data:
        return
    try:
        _merge_bytes(message, data)
    except DecodeError:
        for part, field in _fields(message, data):
            try:
                _merge_bytes(message, part)
            except DecodeError:
                if field is None or field.full_name not in _UPDATES:
                    raise
                getattr(message, field.name).add()


def _merge_bytes(message: Message, data: memoryview) -> None:
    part = type(message).FromString(bytes(data))
    part.DiscardUnknownFields()
    message.MergeFrom(part)


def _fields(message: Message, data: memoryview) -> list[tuple[memoryview, _Field | None]]:
    """Each field's bytes, with its tag, and what it is."""
    found = []
    position = 0
    while position < len(data):
        number, _, _, end = _next_field(data, position)
        found.append((data[position:end], message.DESCRIPTOR.fields_by_number.get(number)))
        position = end
    return found


def _map_entry(data: memoryview) -> tuple[str, list[memoryview]]:
    """The key of a map's entry, and the bytes of its value, which may come in parts."""
    key, parts = "", []
    position = 0
    while position < len(data):
        number, _, content, position = _next_field(data, position)
        if number == 1:
            try:
                key = str(data[content:position], "utf-8")
            except UnicodeDecodeError as error:
                raise DecodeError(str(error)) from error
        elif number == 2:
            parts.append(data[content:position])
    return key, parts


def _holds_messages(field: _Field | None) -> bool:
    """Whether the field has messages that can be decoded in parts."""
    if field is None or field.message_type is None:
        return False
    if not _is_map(field):
        return True
    entry = field.message_type.fields_by_name
    return entry["key"].type == FieldDescriptor.TYPE_STRING and entry["value"].message_type is not None


def _is_map(field: _Field) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _next_field(data: memoryview, position: int) -> tuple[int, int, int, int]:
    """The number and wire type of the field at ``position``, where its content begins, and where it ends."""
    tag, content = _varint(data, position)
    wire_type = tag & 7
    if wire_type == _DELIMITED:
        length, content = _varint(data, content)
        end = content + length
    elif wire_type == _VARINT:
        _, end = _varint(data, content)
    elif wire_type in (_FIXED64, _FIXED32):
        end = content + (8 if wire_type == _FIXED64 else 4)
    else:
        raise DecodeError("groups are not supported")
    if end > len(data):
        raise DecodeError("a field is cut off")
    return tag >> 3, wire_type, content, end


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    """The number at ``position`` in base 128, and where it ends."""
    value = shift = 0
    while position < len(data) and shift < 70:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise DecodeError("a number is cut off or too long")
