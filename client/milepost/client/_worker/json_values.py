"""Lossy conversion of Python values to JSON: values without a JSON form become text, large ones truncated (rule 15).

Nothing here raises, since the work is done by the time its result is reported. `to_struct` is the strict counterpart.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import math
import operator
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence, Set, ValuesView
from typing import Any, Final, TypeAlias

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import NULL_VALUE, Struct, Value

from milepost.client._conversion import EXACT_INTEGER_MAX, from_value
from milepost.client._worker.truncation import text_of, truncate_bytes, unicode_text
from milepost.contract.limits import STRUCT_DEPTH

__all__ = ["Warn", "to_lossy_struct"]

# Maximum number of values in one struct; the bound on its size is reached long before.
_VALUE_LIMIT: Final = 300_000
# Values that the excerpt of a value that nests too deeply counts for.
_EXCERPT_COST: Final = 1000
# Bytes of a text field besides its key and its text.
_FIELD_OVERHEAD: Final = 24
# Minimum bytes of a truncated field: fewer would hold only the truncation mark.
_TRUNCATED_SIZE_MIN: Final = 64
# Characters of a value that a warning quotes.
_QUOTE_LENGTH_LIMIT: Final = 100

Warn: TypeAlias = Callable[[str, str], None]
"""Called for each value that was not reported exactly as given, with its path and a sentence."""


def to_lossy_struct(values: object, name: str, size: int, warn: Warn) -> Struct:
    """Convert values to a Struct of at most `size` bytes; a value that is not a mapping gets the key ``value``.

    Args:
        values: Anything. Values without a JSON form, such as NaN, an int beyond 2^53, a date or a path, become text.
        name: The name of the values in warnings.
        size: Maximum size in bytes. A larger struct keeps its small fields, and the beginning of the largest, as text.
        warn: Called for each value that is not reported exactly as given.
    """
    struct = _Conversion(warn).convert(values, name)
    if struct.ByteSize() > size:
        text = f"{name} is {struct.ByteSize():,} bytes, and at most {size:,} are allowed: it is cut. "
        warn(f"{name}: size", text + "Register large data as an artifact.")
        return _truncate_struct(struct, size)
    return struct


class _Conversion:
    """The conversion of one struct."""

    def __init__(self, warn: Warn) -> None:
        self._warn = warn
        self._remaining = _VALUE_LIMIT

    def convert(self, values: object, name: str) -> Struct:
        """All values; the text of what cannot be read, as of a value in it."""
        struct = Struct()
        try:
            mapping = _mapping(values)
            if mapping is None:
                kind = type(values).__name__
                self._warn(
                    name, f'{name} is of type {kind}, not a mapping: it is reported as {{"value": …}}.'
                )
                mapping = {"value": values}
            self._fill(struct, mapping, name, 0)
        except Exception as error:  # noqa: BLE001 - a class may break its protocol
            struct.Clear()
            self._unreadable(struct.fields["value"], values, name, error)
        return struct

    def _fill(self, struct: Struct, values: Mapping[Any, object], path: str, depth: int) -> None:
        """Add the values; `depth` is the number of objects and lists around them."""
        fields = struct.fields
        # Those of a dict all at once: another thread may go on to change it.
        items = list(values.items()) if isinstance(values, dict) else values.items()
        for key, value in items:
            if depth == 0:
                self._remaining = _VALUE_LIMIT  # a large field leaves its siblings their share
            name = self._key(key, path)
            while name in fields:
                name += "_"
            self._set(fields[name], value, f"{path}.{name}", depth)

    def _key(self, key: object, path: str) -> str:
        name = unicode_text(text_of(key))
        if not isinstance(key, str) or name != key:
            kind = type(key).__name__  # its `repr` may fail
            self._warn(
                path, f"{path} has a key of type {kind}, and JSON has only Unicode text: it is {name!r:.100}."
            )
        return name

    def _set(self, target: Value, value: object, path: str, depth: int) -> None:
        self._remaining -= 1
        try:
            self._convert(target, value, path, depth)
        except Exception as error:  # noqa: BLE001 - a class may break its protocol
            self._unreadable(target, value, path, error)

    def _unreadable(self, target: Value, value: object, path: str, error: Exception) -> None:
        why = f"{type(error).__name__}: {text_of(error):.{_QUOTE_LENGTH_LIMIT}}"
        self._text(target, text_of(value), path, f"is a {type(value).__name__} that cannot be read ({why})")

    def _convert(self, target: Value, value: object, path: str, depth: int) -> None:
        match value:
            case str():
                target.string_value = text = unicode_text(value)
                if text != value:
                    self._text(target, text, path, "holds what is not Unicode (a lone surrogate)")
            case bool():
                target.bool_value = value
            case None:
                target.null_value = NULL_VALUE
            case int() if -EXACT_INTEGER_MAX <= value <= EXACT_INTEGER_MAX:
                target.number_value = value
            case int():
                self._text(
                    target, text_of(value), path, "is an integer that a JSON number cannot hold exactly"
                )
            case float() if math.isfinite(value):
                target.number_value = value
            case float():
                # The names of the protobuf JSON mapping.
                name = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
                self._text(target, name, path, f"is {value}, which JSON does not have")
            case bytes() | bytearray() | memoryview():
                text = bytes(value).decode(errors="backslashreplace")
                self._text(target, text, path, "holds bytes, which JSON does not have")
            case datetime.date() | datetime.time():
                self._text(
                    target, value.isoformat(), path, f"is a {type(value).__name__}, which JSON does not have"
                )
            case _ if (plain := _plain(value)) is not value:
                self._convert(target, plain, path, depth)
            case _:
                self._convert_container(target, value, path, depth)

    def _convert_container(self, target: Value, value: object, path: str, depth: int) -> None:
        mapping, items = _mapping(value), _items(value)
        if mapping is None and items is None:
            self._text(target, text_of(value), path, f"is a {type(value).__name__}, which JSON does not have")
        elif self._remaining <= 0:
            target.string_value = "…"  # after so many values the struct is too large, and gets truncated
        elif depth + 1 >= STRUCT_DEPTH:
            self._remaining -= _EXCERPT_COST
            self._text(target, reprlib.repr(value), path, f"nests more than {STRUCT_DEPTH} deep")
        elif mapping is not None:
            target.struct_value.SetInParent()
            self._fill(target.struct_value, mapping, path, depth + 1)
        else:
            target.list_value.SetInParent()
            for index, item in enumerate(items or ()):
                if self._remaining <= 0:
                    break
                self._set(target.list_value.values.add(), item, f"{path}[{index}]", depth + 1)

    def _text(self, target: Value, text: str, path: str, why: str) -> None:
        target.string_value = text = unicode_text(text)
        quote = text if len(text) <= _QUOTE_LENGTH_LIMIT else f"{text[:_QUOTE_LENGTH_LIMIT]}…"
        self._warn(path, f"{path} {why}: it is reported as the text {quote!r}.")


def _mapping(value: object) -> Mapping[Any, object] | None:
    """The fields of a mapping, dataclass or message; None for any other value."""
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    return MessageToDict(value) if isinstance(value, Message) else None


def _items(value: object) -> Iterable[object] | None:
    """The items of a collection that can be iterated repeatedly; None for any other value, such as a generator."""
    if isinstance(value, Set):
        try:
            return sorted(value)  # a deterministic order
        except TypeError:
            return value
    return value if isinstance(value, Sequence | ValuesView) else None


def _plain(value: object) -> object:
    """The plain value of an enum, or of a scalar or array as of numpy; any other value itself."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, type):
        return value
    if hasattr(value, "dtype") and callable(to_list := getattr(value, "tolist", None)):
        return to_list()
    return operator.index(value) if hasattr(value, "__index__") else value


def _truncate_struct(struct: Struct, size: int) -> Struct:
    """As much of the struct as fits: equal shares of bytes for all fields; large ones get what small ones leave."""
    truncated = Struct()
    by_size = sorted((_size_of(key, value), key) for key, value in struct.fields.items())
    for done, (needed, key) in enumerate(by_size):
        share = size // (len(by_size) - done)
        value = struct.fields[key]
        if needed <= share:
            truncated.fields[key].CopyFrom(value)
            size -= needed
        elif (available := share - len(key.encode()) - _FIELD_OVERHEAD) > _TRUNCATED_SIZE_MIN:
            if value.HasField("struct_value"):
                truncated.fields[key].struct_value.CopyFrom(_truncate_struct(value.struct_value, available))
            else:
                truncated.fields[key].string_value = truncate_bytes(_json(value), available)
            size -= _size_of(key, truncated.fields[key])
    return truncated


def _size_of(key: str, value: Value) -> int:
    field = Struct()
    field.fields[key].CopyFrom(value)
    return field.ByteSize()


def _json(value: Value) -> str:
    plain = from_value(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, sort_keys=True)
