"""Conversion between Python values and messages of the contract."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import NULL_VALUE, Struct, Value

from milepost.client._arguments import check_list
from milepost.contract.limits import STRUCT_DEPTH
from milepost.v1 import Stage

__all__ = [
    "EXACT_INTEGER_MAX",
    "finite",
    "from_struct",
    "from_value",
    "to_duration",
    "to_stages",
    "to_struct",
]

_JSON: Final = "None, bool, int, float, str, lists, tuples, and mappings with text as keys"
EXACT_INTEGER_MAX: Final = 2**53
"""Largest magnitude up to which a double represents every whole number."""


def to_struct(values: Mapping[str, object], name: str) -> Struct:
    """Convert values to a Struct. JSON has one type of number, a double, which also carries ints.

    Args:
        values: Values made of None, bool, int, float, str, lists or tuples, and mappings with str keys.
        name: Name of the values in errors.

    Raises:
        TypeError: A value has another type; the message has its path, such as ``input.tracks[2].path``.
        ValueError: A number is NaN, infinite or an int that a double cannot hold; or values nest too deep.
    """
    if not isinstance(values, Mapping):
        raise TypeError(f"{name} must be a mapping, not {type(values).__name__}.")
    struct = Struct()
    _fill(struct, values, name, 0)
    return struct


def from_struct(struct: Struct) -> dict[str, Any]:
    """Convert a Struct to Python values. Numbers that are whole and exact become ints, others floats."""
    return {key: from_value(value) for key, value in struct.fields.items()}


def finite(value: float) -> float | None:
    """Convert a number to a float; None if it is not finite, too large for a float, or not a number."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def to_duration(value: float | timedelta, name: str) -> Duration:
    """Convert seconds, or a timedelta, to a Duration; errors call it `name`.

    Raises:
        TypeError: It is neither.
        ValueError: The number is not finite, or too large.
    """
    duration = Duration()
    try:
        duration.FromTimedelta(value if isinstance(value, timedelta) else timedelta(seconds=value))
    except TypeError as error:
        raise TypeError(f"{name} is {value!r}, and takes seconds or a timedelta.") from error
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{name} cannot be {value} s.") from error
    return duration


def to_stages(stages: Iterable[Stage | str]) -> list[Stage]:
    """Convert ids to stages; messages pass unchanged.

    Raises:
        TypeError: This is no list, such as a single text, or has anything else.
    """
    check_list(stages, "stages", "a list of ids or messages of the type Stage")
    return [stage if isinstance(stage, Stage) else _to_stage(stage) for stage in stages]


def _to_stage(stage_id: object) -> Stage:
    if not isinstance(stage_id, str):
        raise TypeError(f"stages has {stage_id!r:.200}, and takes ids or messages of the type Stage.")
    return Stage(stage_id=stage_id)


def _fill(struct: Struct, values: Mapping[str, object], path: str, depth: int) -> None:
    _check_depth(path, depth)
    fields = struct.fields
    for key, value in values.items():
        if not isinstance(key, str):
            raise TypeError(f"{path} has the key {key!r}, and JSON has only text as keys.")
        _set(fields[_text(key, path)], value, f"{path}.{key}", depth)


def _set(target: Value, value: object, path: str, depth: int) -> None:
    if isinstance(value, str):
        target.string_value = _text(value, path)
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int):
        if not -EXACT_INTEGER_MAX <= value <= EXACT_INTEGER_MAX:
            raise ValueError(f"{path} is {value}, which a JSON number cannot hold exactly; pass it as text.")
        target.number_value = value
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{path} is {value}, which JSON does not have.")
        target.number_value = value
    elif value is None:
        target.null_value = NULL_VALUE
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        _fill(target.struct_value, value, path, depth + 1)
    elif isinstance(value, list | tuple):
        _check_depth(path, depth + 1)
        target.list_value.SetInParent()
        for index, item in enumerate(value):
            _set(target.list_value.values.add(), item, f"{path}[{index}]", depth + 1)
    else:
        raise TypeError(f"{path} is of type {type(value).__name__}, which is not JSON: use {_JSON}.")


def _check_depth(path: str, depth: int) -> None:
    if depth >= STRUCT_DEPTH:
        raise ValueError(f"{path[:100]}… nests more than {STRUCT_DEPTH} deep.")


def _text(text: str, path: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{path} holds text that is not Unicode (a lone surrogate): {text!r}.") from None
    return text


def from_value(value: Value) -> object:
    """Convert one value of a Struct; see `from_struct`."""
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() and abs(number) <= EXACT_INTEGER_MAX else number
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return from_struct(value.struct_value)
        case "list_value":
            return [from_value(item) for item in value.list_value.values]
        case _:
            return None
