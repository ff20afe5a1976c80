"""Python values as JSON, as near as can be: what JSON cannot say is said as text, what is too large is cut (rule 15).

The work is done by the time its result is reported, so nothing here raises. `to_struct` is the strict counterpart.
"""

from __future__ import annotations

import contextlib
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

from milepost.client._conversion import EXACT, from_value
from milepost.client._worker.truncation import clip_bytes, text_of, unicode_text
from milepost.contract.limits import STRUCT_DEPTH

__all__ = ["Remark", "nearest"]

# Values of one struct that are converted; the bound on its size is reached long before.
_VALUES: Final = 300_000
# How many values the excerpt of one that nests too deep may have.
_EXCERPT: Final = 1000
# What a text field takes besides its key and its text.
_OVERHEAD: Final = 24
# Of a field that is cut, in bytes: less would be nothing but the mark that says so.
_LEAST: Final = 64
# Of a text, in a remark.
_SHOWN: Final = 100

Remark: TypeAlias = Callable[[str, str], None]
"""Hears of each value that could not be said as it was given: its path, and a sentence."""


def nearest(values: object, name: str, size: int, remark: Remark) -> Struct:
    """The values as a Struct of at most `size` bytes; one that is no mapping stands under the key ``value``.

    Args:
        values: Anything. What has no form in JSON, such as NaN, an int beyond 2^53, a date or a path, becomes text.
        name: How to call the values in remarks.
        size: What is larger is cut: small fields are kept whole, of the largest ones the beginning is kept, as text.
        remark: Hears of what is not said as it was given.
    """
    mapping = _mapping(values)
    if mapping is None:
        remark(name, f'{name} is a {type(values).__name__}, not a mapping: it is reported as {{"value": …}}.')
        mapping = {"value": values}
    struct = Struct()
    _Conversion(remark).fill(struct, mapping, name, 0)
    if struct.ByteSize() > size:
        text = f"{name} is {struct.ByteSize():,} bytes, and at most {size:,} are allowed: it is cut. "
        remark(f"{name}: size", text + "Register an artifact for what is large.")
        return _fitted(struct, size)
    return struct


class _Conversion:
    """Of one struct."""

    def __init__(self, remark: Remark) -> None:
        self._remark = remark
        self._left = _VALUES

    def fill(self, struct: Struct, values: Mapping[Any, object], path: str, depth: int) -> None:
        """Adds the values; `depth` is how many objects and lists they are within."""
        fields = struct.fields
        for key, value in values.items():
            if depth == 0:
                self._left = _VALUES  # a large field takes nothing from its siblings
            name = self._key(key, path)
            while name in fields:
                name += "_"
            self._set(fields[name], value, f"{path}.{name}", depth)

    def _key(self, key: object, path: str) -> str:
        name = unicode_text(text_of(key))
        if name != key:
            self._remark(
                path, f"{path} has the key {key!r:.100}, and JSON has only text as keys: it is {name!r:.100}."
            )
        return name

    def _set(self, target: Value, value: object, path: str, depth: int) -> None:
        self._left -= 1
        with contextlib.suppress(Exception):  # of a class that is not what it seems to be
            self._say(target, value, path, depth)
            return
        self._text(target, text_of(value), path, f"is a {type(value).__name__} that cannot be read")

    def _say(self, target: Value, value: object, path: str, depth: int) -> None:
        match value:
            case str():
                target.string_value = text = unicode_text(value)
                if text != value:
                    self._text(target, text, path, "holds what is not Unicode (a lone surrogate)")
            case bool():
                target.bool_value = value
            case None:
                target.null_value = NULL_VALUE
            case int() if -EXACT <= value <= EXACT:
                target.number_value = value
            case int():
                self._text(
                    target, text_of(value), path, "is an integer that a JSON number cannot hold exactly"
                )
            case float() if math.isfinite(value):
                target.number_value = value
            case float():
                # By the names that the JSON mapping of protobuf has for them.
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
                self._say(target, plain, path, depth)
            case _:
                self._contain(target, value, path, depth)

    def _contain(self, target: Value, value: object, path: str, depth: int) -> None:
        mapping, items = _mapping(value), _items(value)
        if mapping is None and items is None:
            self._text(target, text_of(value), path, f"is a {type(value).__name__}, which JSON does not have")
        elif self._left <= 0:
            target.string_value = "…"  # with so many before it the whole is too large, and is going to be cut
        elif depth + 1 >= STRUCT_DEPTH:
            self._left -= _EXCERPT
            self._text(target, reprlib.repr(value), path, f"nests more than {STRUCT_DEPTH} deep")
        elif mapping is not None:
            target.struct_value.SetInParent()
            self.fill(target.struct_value, mapping, path, depth + 1)
        else:
            target.list_value.SetInParent()
            for index, item in enumerate(items or ()):
                if self._left <= 0:
                    break
                self._set(target.list_value.values.add(), item, f"{path}[{index}]", depth + 1)

    def _text(self, target: Value, text: str, path: str, why: str) -> None:
        target.string_value = text = unicode_text(text)
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        self._remark(path, f"{path} {why}: it is reported as the text {shown!r}.")


def _mapping(value: object) -> Mapping[Any, object] | None:
    """What is a mapping, or has names for all that it consists of."""
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    return MessageToDict(value) if isinstance(value, Message) else None


def _items(value: object) -> Iterable[object] | None:
    """What consists of items that can be looked at without using them up, as those of a generator would be."""
    if isinstance(value, Set):
        try:
            return sorted(value)  # so that it is the same each time
        except TypeError:
            return value
    return value if isinstance(value, Sequence | ValuesView) else None


def _plain(value: object) -> object:
    """What it stands for: the scalars and arrays of numpy and the like, enums; the value itself where it is neither."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, type):
        return value
    if hasattr(value, "dtype") and callable(to_list := getattr(value, "tolist", None)):
        return to_list()
    return operator.index(value) if hasattr(value, "__index__") else value


def _fitted(struct: Struct, size: int) -> Struct:
    """As much of it as fits: fields have equal shares of the room, and what one does not need goes to larger ones."""
    fitted = Struct()
    by_size = sorted((_size_of(key, value), key) for key, value in struct.fields.items())
    for done, (needed, key) in enumerate(by_size):
        share = size // (len(by_size) - done)
        value = struct.fields[key]
        if needed <= share:
            fitted.fields[key].CopyFrom(value)
            size -= needed
        elif (room := share - len(key.encode()) - _OVERHEAD) > _LEAST:
            if value.HasField("struct_value"):
                fitted.fields[key].struct_value.CopyFrom(_fitted(value.struct_value, room))
            else:
                fitted.fields[key].string_value = clip_bytes(_json(value), room)
            size -= _size_of(key, fitted.fields[key])
    return fitted


def _size_of(key: str, value: Value) -> int:
    field = Struct()
    field.fields[key].CopyFrom(value)
    return field.ByteSize()


def _json(value: Value) -> str:
    plain = from_value(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, sort_keys=True)
