"""Query parameters as fields of a request: ``filter.owner=team-a&filter.states=RUNNING&page_size=10``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Final, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import Parse, ParseError
from google.protobuf.message import Message

from milepost.web.http_errors import invalid_field

_Field: TypeAlias = Any
"""The descriptor of a field, of any of protobuf's implementations."""

SCALAR_NAMES: Final = {
    FieldDescriptor.CPPTYPE_STRING: "a text",
    FieldDescriptor.CPPTYPE_BOOL: "true or false",
    FieldDescriptor.CPPTYPE_DOUBLE: "a number",
    FieldDescriptor.CPPTYPE_INT32: "a whole number of 32 bits",
    FieldDescriptor.CPPTYPE_INT64: "a whole number of 64 bits",
}
"""What the scalars of the contract's requests are, for people."""

_SIMILARITY: Final = 0.75
"""How alike, 0 to 1, a name has to be to one that is not known."""

_NAME_LENGTH: Final = 64
"""Characters of a name that are compared at most."""

_BOOLS = {"true": True, "false": False, "1": True, "0": False}


def set_fields(request: Message, parameters: Iterable[tuple[str, str]]) -> None:
    """Set the field that each parameter names by its path. Raises ServiceError for one that cannot be set.

    A list takes a parameter for each element, a map one for each key (``filter.labels.room=blue``). Names are those of
    the contract, or their lowerCamelCase; enums are names, with or without their prefix.
    """
    seen: set[str] = set()
    for path, text in parameters:
        try:
            _set(request, path, path.split("."), text, seen)
        except _UnknownParameter:
            nearest = _nearest(path, request.DESCRIPTOR)
            hint = f": did you mean {nearest}?" if nearest else ""
            raise invalid_field(path, f"is not a parameter of this call{hint}") from None


def set_path_field(request: Message, name: str, value: str) -> None:
    """Set a field, such as the job id, that the path has. Raises ServiceError where the request has another value."""
    named = getattr(request, name, "")
    if named not in ("", value):
        raise invalid_field(name, f"is {value!r} in the path, and {named!r} in the request")
    _set(request, name, [name], value, set())


class _UnknownParameter(Exception):
    """The request has no field of this name."""


def _nearest(path: str, request: Any) -> str:
    """The parameter whose last name is most like that of ``path``; empty if none is like it."""
    known = {field.name: field.name for field in request.fields}
    for field in request.fields:
        if field.message_type is not None and field.message_type.full_name.startswith("milepost."):
            for inner in field.message_type.fields:
                known.setdefault(inner.name, f"{field.name}.{inner.name}")
    name = path.rpartition(".")[2][:_NAME_LENGTH]
    return next((known[like] for like in get_close_matches(name, known, 1, _SIMILARITY)), "")


def _set(message: Any, path: str, names: list[str], text: str, seen: set[str]) -> None:
    name, *rest = names
    field = find_field(message, name)
    if field is None:
        raise _UnknownParameter
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        _once(seen, ".".join([field.full_name, *rest]), path)
        getattr(message, field.name)[".".join(rest)] = text
    elif rest:
        if field.message_type is None or field.is_repeated:
            raise _UnknownParameter
        holder = getattr(message, field.name)
        holder.SetInParent()
        _set(holder, path, rest, text, seen)
    elif field.is_repeated:
        getattr(message, field.name).append(_value(field, path, text))
    elif field.message_type is not None:
        _once(seen, field.full_name, path)
        only_one_of(field, message, path)
        try:
            Parse(json.dumps(text), getattr(message, field.name))
        except ParseError as error:
            raise invalid_field(
                path, f"cannot be {text!r}: it is {message_name(field.message_type)}"
            ) from error
    else:
        _once(seen, field.full_name, path)
        only_one_of(field, message, path)
        setattr(message, field.name, _value(field, path, text))


def _once(seen: set[str], field: str, path: str) -> None:
    """Note that a parameter sets this field, by whichever of its names. Raises ServiceError where another one has."""
    if field in seen:
        raise invalid_field(path, "is given more than once")
    seen.add(field)


def only_one_of(field: _Field, message: Message, path: str) -> None:
    """Raise ServiceError where a field has a value of which only one may be set: the later one would replace it."""
    other = message.WhichOneof(field.containing_oneof.name) if field.containing_oneof else None
    if other not in (None, field.name):
        raise invalid_field(path, f"is given beside {other}, and only one of them can be")


def message_name(message: Any) -> str:
    """The name of a message type in texts for people, from its descriptor."""
    name: str = message.name
    return "a time in seconds, such as '1.5s'" if name == "Duration" else f"a {name}"


def find_field(message: Message, name: str) -> _Field | None:
    """The field with this name, as in the contract or in lowerCamelCase; None if there is none."""
    if not name.isascii():  # it may have half of a character, which protobuf cannot look up
        return None
    fields = message.DESCRIPTOR.fields_by_name
    if name in fields:
        return fields[name]
    return next((field for field in fields.values() if field.json_name == name), None)


def _value(field: _Field, path: str, text: str) -> Any:
    if field.enum_type is not None:
        return _enum(field.enum_type, path, text)
    try:
        match field.cpp_type:
            case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_STRING:
                return text
            case FieldDescriptor.CPPTYPE_BOOL:
                return _BOOLS[text.lower()]
            case FieldDescriptor.CPPTYPE_DOUBLE:
                return float(text)
            case FieldDescriptor.CPPTYPE_INT32 | FieldDescriptor.CPPTYPE_INT64 as kind:
                bits = 31 if kind == FieldDescriptor.CPPTYPE_INT32 else 63
                if text.removeprefix("-").isdecimal() and text.isascii() and len(text) <= 20:
                    number = int(text)
                    if -(1 << bits) <= number < 1 << bits:
                        return number
    except (KeyError, ValueError):
        pass
    raise invalid_field(path, f"cannot be {text!r}: it is {SCALAR_NAMES[field.cpp_type]}")


def _enum(enum: Any, path: str, text: str) -> int:
    names = {value.name: value.number for value in enum.values}
    prefix = enum.values[0].name.removesuffix("UNSPECIFIED")
    number = names.get(text.upper(), names.get(prefix + text.upper()))
    if number is None:
        known = ", ".join(name.removeprefix(prefix) for name in names if names[name])
        raise invalid_field(path, f"cannot be {text!r}: it is one of {known}")
    return int(number)
