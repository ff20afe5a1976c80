"""Checks of arguments: an unknown one, or one of a wrong type, raises an error that names it."""

from __future__ import annotations

import inspect
import math
import operator
import os
from collections.abc import Callable, Iterable
from numbers import Real
from pathlib import Path
from typing import Any, Final, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from milepost.v1 import JobState

__all__ = [
    "build_request",
    "check_callbacks",
    "check_flags",
    "check_list",
    "check_names",
    "check_seconds",
    "check_text",
    "is_async",
    "to_job_states",
    "to_path",
    "to_whole",
]

_Request = TypeVar("_Request", bound=Message)

_VALUES: Final = {
    FieldDescriptor.CPPTYPE_STRING: "text",
    FieldDescriptor.CPPTYPE_BOOL: "True or False",
    FieldDescriptor.CPPTYPE_DOUBLE: "a number",
}
_PREFIX: Final = "JOB_STATE_"
# Arguments that have other names than their fields.
_ARGUMENTS: Final = {"after_sequence": "after", "after_position": "after", "stage_ids": "stages"}


def build_request(request_type: type[_Request], **arguments: Any) -> _Request:
    """Make a message of its fields.

    Raises:
        TypeError: One of them is not of the field's type.
    """
    fields: dict[str, Any] = {field.name: field for field in request_type.DESCRIPTOR.fields}
    for name, value in arguments.items():
        if isinstance(value, str) and _takes_list(fields[name]):
            raise TypeError(f"{_argument(name)} is the text {value!r}, and takes a list: [{value!r}].")
    try:
        return request_type(**arguments)
    except (TypeError, ValueError) as error:
        # protobuf's error does not say which field it is about.
        for name, value in arguments.items():
            try:
                request_type(**{name: value})
            except (TypeError, ValueError):
                text = f"{_argument(name)} is {value!r:.200}, and takes {_taken(fields[name])}."
                raise TypeError(text) from error
        raise


def _argument(field: str) -> str:
    return _ARGUMENTS.get(field, field)


def check_names(given: Iterable[str], options: type[Any], purpose: str) -> None:
    """Check that these are options of a TypedDict.

    Raises:
        TypeError: One does not exist; the text lists those that do.
    """
    names = options.__annotations__
    if unknown := set(given) - names.keys():
        raise TypeError(f"There is no option {min(unknown)!r} for {purpose}: use {', '.join(sorted(names))}.")


def check_text(**arguments: object) -> None:
    """Check that these are texts. A message would take None for an empty text, which the server refuses.

    Raises:
        TypeError: One is not a text.
    """
    for name, value in arguments.items():
        if not isinstance(value, str):
            raise TypeError(f"{name} is {value!r:.200}, and takes text.")


def to_whole(value: Any, name: str) -> int:
    """Convert a whole number, such as one of numpy's, to an int.

    Raises:
        TypeError: It is not a whole number; the error calls it ``name``.
    """
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise TypeError(f"{name} is {value!r:.200}, and takes a whole number.")


def check_flags(**arguments: object) -> None:
    """Check that these equal True or False, as numpy's flags do. Others, such as ``"no"``, would count as true.

    Raises:
        TypeError: One equals neither.
    """
    for name, value in arguments.items():
        try:
            is_flag = value in (True, False)
        except Exception:  # noqa: BLE001 - an array or a tensor compares its elements, and raises what it likes
            is_flag = False
        if not is_flag:
            raise TypeError(f"{name} is {value!r:.200}, and takes True or False.")


def check_callbacks(**arguments: object) -> None:
    """Check that these are plain functions, or None.

    Raises:
        TypeError: One cannot be called, or is async, and nobody would await it.
    """
    for name, value in arguments.items():
        if value is not None and (not callable(value) or is_async(value)):
            raise TypeError(f"{name} is {value!r:.200}, and takes a plain function.")


def is_async(function: Callable[..., object]) -> bool:
    """Whether this is an async function, a partial of one, or an object with an async ``__call__``."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def check_list(values: object, name: str, taken: str) -> None:
    """Check that these can be iterated over. A text is refused, since its letters would be taken one by one.

    Raises:
        TypeError: They cannot, or this is a text; the error says that ``taken`` is taken.
    """
    if isinstance(values, str):
        raise TypeError(f"{name} is the text {values!r}, and takes a list: [{values!r}].")
    if not isinstance(values, Iterable):
        raise TypeError(f"{name} is {values!r:.200}, and takes {taken}.")


def to_path(path: str | os.PathLike[str], name: str) -> Path:
    """The path of a file.

    Raises:
        TypeError: It is not a path; the error calls it ``name``.
    """
    try:
        return Path(path)
    except TypeError as error:
        raise TypeError(f"{name} is {path!r:.200}, and takes the path of a file.") from error


def check_seconds(**arguments: object) -> None:
    """Check that these are numbers of seconds.

    Raises:
        TypeError: One is no number.
        ValueError: One is negative, or not finite.
    """
    for name, value in arguments.items():
        if not isinstance(value, Real) or isinstance(value, bool):
            raise TypeError(f"{name} is {value!r}, and takes a number of seconds.")
        if not 0 <= float(value) < math.inf:
            raise ValueError(f"{name} is {value!r}, and takes a number of seconds of at least 0.")


def to_job_states(states: Iterable[JobState.ValueType | str]) -> list[JobState.ValueType]:
    """Convert names of states, such as ``"failed"``; numbers pass unchanged.

    Raises:
        TypeError: This is no list, such as a single text.
        ValueError: There is no such state.
    """
    check_list(states, "states", 'a list of names such as "failed"')
    return [_to_job_state(state) if isinstance(state, str) else state for state in states]


def _to_job_state(name: str) -> JobState.ValueType:
    label = _PREFIX + name.upper().removeprefix(_PREFIX)
    if label not in JobState.keys():
        names = ", ".join(known.removeprefix(_PREFIX).lower() for known in JobState.keys()[1:])
        raise ValueError(f"There is no state {name!r}: use {names}.")
    return JobState.Value(label)


def _takes_list(field: FieldDescriptor) -> bool:
    return field.is_repeated and not _is_map(field)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _taken(field: FieldDescriptor) -> str:
    """What the field takes, for people."""
    if _is_map(field):
        return "a mapping from text to text"
    if field.message_type is not None:
        value = f"a {field.message_type.name}"
    elif field.enum_type is not None:
        value = f"a {field.enum_type.name}, such as {field.enum_type.name}.{field.enum_type.values[-1].name}"
    else:
        value = _VALUES.get(field.cpp_type, "a whole number")
    return f"a list, each {value}" if field.is_repeated else value
