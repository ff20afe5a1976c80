"""Read a request from JSON in slices, and name the field of what cannot be one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, Final, NoReturn, TypeAlias

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message
from google.rpc import code_pb2

from milepost.contract import limits
from milepost.web.http_errors import invalid_field, service_error
from milepost.web.query_parameters import SCALAR_NAMES, find_field, message_name, only_one_of
from milepost.web.request_body import malformed
from milepost.web.service import Arrived, Steps

__all__ = ["read_json"]

VALUES: Final = limits.INPUT_SIZE // 4 + 40_000
"""Values in a body, at most: more than there can be in the largest input, each of which takes four bytes, and in
everything else. So few are parsed in some ten milliseconds, by a parser that does it in one go."""

PAIRS: Final = limits.INPUT_SIZE // 8 + 10_000
"""Pairs of names and values among them, likewise: each takes eight bytes of an input."""

VALUE_COST, PAIR_COST = 32, 160
"""Bytes of memory that a value, and a pair, take once they are parsed; they count as if they had arrived."""

COUNTED_PER_STEP: Final = 512 << 10
"""Bytes in which values are counted in one go: half a millisecond, and a whole one where they are separators only."""

_VALUES_PER_SLICE: Final = 500

_Field: TypeAlias = Any
"""The descriptor of a field, of any of protobuf's implementations."""

_TEXT: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)

_STRUCT: Final = "google.protobuf.Struct"


class _Object(tuple[tuple[str, Any], ...]):
    """An object of JSON as its pairs, in which a name may occur more than once."""

    __slots__ = ()


def read_json(
    body: bytes, request: Message, arrived: Arrived, *, ignore_unknown_fields: bool = False
) -> Steps[None]:
    """Merge a body of JSON into the request; an empty one leaves it as it is.

    Raises ServiceError INVALID_FIELD, TOO_LARGE, and what ``arrived`` raises.
    """
    if not body.strip():
        return
    arrived((yield from _cost(body)))
    try:
        # Windows writes a byte order mark before UTF-8.
        values = _DECODER.decode(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise malformed("The body is not UTF-8, which JSON is (RFC 8259), whatever its charset.") from error
    except (ValueError, RecursionError) as error:
        raise malformed(f"The body is not JSON: {error}.") from error
    if not isinstance(values, _Object):
        raise malformed("The body is not a JSON object.")
    if len(body) > limits.KIB * 16:
        yield
    yield from _read_message(values, request, "", ignore_unknown_fields)


def _cost(body: bytes) -> Steps[int]:
    """What the values of a body take in memory. Raises ServiceError TOO_LARGE for more than a request can have."""
    values = pairs = 0
    for start in range(0, len(body), COUNTED_PER_STEP):
        if start:
            yield
        more_values, more_pairs = _counted(body[start : start + COUNTED_PER_STEP])
        values, pairs = values + more_values, pairs + more_pairs
    if values > VALUES or pairs > PAIRS:
        # Texts may have as many commas and colons as they like.
        values = pairs = 0
        for number, part in enumerate(_structure(body)):
            if number % _VALUES_PER_SLICE == 0 or len(part) == COUNTED_PER_STEP:
                yield
            more_values, more_pairs = _counted(part)
            values, pairs = values + more_values, pairs + more_pairs
            if values > VALUES or pairs > PAIRS:
                break
    if values > VALUES or pairs > PAIRS:
        limit = f"{VALUES:,} values, {PAIRS:,} of them with names"
        raise service_error(
            code_pb2.INVALID_ARGUMENT,
            f"The body has more than {limit}, which no request can have.",
            reason="TOO_LARGE",
            metadata={"limit": limit},
        )
    return values * VALUE_COST + pairs * PAIR_COST


def _structure(body: bytes) -> Iterator[bytes]:
    """What is before each text and after the last one, in parts."""
    position = 0
    for start, end in chain((text.span() for text in _TEXT.finditer(body)), [(len(body), len(body))]):
        for first in range(position, max(start, position + 1), COUNTED_PER_STEP):
            yield body[first : min(first + COUNTED_PER_STEP, start)]
        position = end


def _counted(structure: bytes) -> tuple[int, int]:
    """The values and the pairs of JSON, if no text in it has what separates them."""
    return structure.count(b",") + structure.count(b"[") + structure.count(b"{"), structure.count(b":")


def _read_message(values: _Object, message: Message, path: str, ignore_unknown_fields: bool) -> Steps[None]:
    seen: set[str] = set()
    for name, value in values:
        field = find_field(message, name)
        inner = f"{path}.{name}" if path else name
        # Also by its other name: `job_id` is `jobId`.
        _once(name if field is None else field.name, seen, inner)
        if field is None:
            if not ignore_unknown_fields:
                raise invalid_field(inner, f"is not a field of {message.DESCRIPTOR.name}")
            continue
        if value is None:
            continue
        only_one_of(field, message, inner)
        if not _has_fields(field):
            yield from _read_value(field, value, message, inner)
        elif field.is_repeated:
            for number, each in enumerate(_checked(value, list, inner)):
                element = f"{inner}[{number}]"
                yield from _read_message(
                    _checked(each, _Object, element),
                    getattr(message, field.name).add(),
                    element,
                    ignore_unknown_fields,
                )
                if number % _VALUES_PER_SLICE == _VALUES_PER_SLICE - 1:
                    yield
        else:
            holder = getattr(message, field.name)
            holder.SetInParent()
            yield from _read_message(_checked(value, _Object, inner), holder, inner, ignore_unknown_fields)


def _read_value(field: _Field, value: Any, message: Message, path: str) -> Steps[None]:
    """Read a value other than a plain message: a scalar, a map, or a message whose JSON form is special."""
    try:
        if field.message_type is not None and field.message_type.full_name == _STRUCT:
            struct = getattr(message, field.name)
            struct.SetInParent()
            yield from _read_struct(_checked(value, _Object, path), struct, path)
        elif field.is_repeated:
            # Parsed in parts, since a parse replaces the list, and goes through all of it at once.
            for part in _parts(_checked(value, list if field.message_type is None else _Object, path), path):
                _check_enums(field, part)
                parsed = type(message)()
                ParseDict({field.name: part}, parsed)
                message.MergeFrom(parsed)
                yield
        else:
            _check_enums(field, (value,))
            ParseDict({field.name: _plain(value)}, message)
    except (ParseError, ValueError, OverflowError) as error:
        text = json.dumps(_plain(value))
        shown = text if len(text) <= 100 else f"{text[:100]}…"
        raise invalid_field(path, f"cannot be {shown}: it is {_type(field)}") from error


def _check_enums(field: _Field, values: Iterable[Any]) -> None:
    """Raise ValueError for what is neither a name nor a whole number: protobuf would make one of it, 1 of true."""
    if field.enum_type is not None:
        for value in values:
            if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
                raise ValueError("is no value of an enum")


def _read_struct(values: _Object, struct: Any, path: str) -> Steps[None]:
    """Fill a Struct. Raises ValueError, OverflowError for a text or a number that it cannot have."""
    waiting: list[tuple[Any, Any]] = [(struct, values)]
    count = 0
    while waiting:
        holder, content = waiting.pop()
        if isinstance(content, _Object):
            pairs = _fields_of(holder, content, path)
        else:
            pairs = ((holder.values.add(), value) for value in content)
        for target, value in pairs:
            match value:
                case _Object():
                    target.struct_value.SetInParent()
                    waiting.append((target.struct_value, value))
                case list():
                    target.list_value.SetInParent()
                    waiting.append((target.list_value, value))
                case str():
                    target.string_value = value
                case bool():
                    target.bool_value = value
                case None:
                    target.null_value = 0
                case _:
                    target.number_value = float(value)
            count += 1
            if count % _VALUES_PER_SLICE == 0:
                yield


def _fields_of(struct: Any, content: _Object, path: str) -> Iterator[tuple[Any, Any]]:
    """Each value of an object, with the Value of the Struct that it goes into."""
    seen: set[str] = set()
    for key, value in content:
        _once(key, seen, f"{path}: {key!r}")
        yield struct.fields[key], value


def _once(name: str, seen: set[str], path: str) -> None:
    """Note that a name is there. Raises ServiceError where it was before: readers differ in which of both they take."""
    if name in seen:
        raise invalid_field(path, "is given more than once")
    seen.add(name)


def _plain(value: Any) -> Any:
    """A value as the parser of protobuf takes it: none of those that come here has objects in it that count."""
    return dict(value) if isinstance(value, _Object) else value


def _parts(values: Any, path: str) -> Iterator[Any]:
    """A list, or an object, in parts."""
    if isinstance(values, _Object):
        seen: set[str] = set()
        pairs = iter(values)
        while part := list(islice(pairs, _VALUES_PER_SLICE)):
            for key, _ in part:
                _once(key, seen, f"{path}.{key}")
            yield dict(part)
    else:
        for start in range(0, len(values), _VALUES_PER_SLICE):
            yield values[start : start + _VALUES_PER_SLICE]


def _has_fields(field: _Field) -> bool:
    """Whether it is a message, or a list of messages, that JSON has as an object of its fields."""
    kind = field.message_type
    return kind is not None and not kind.GetOptions().map_entry and kind.file.package != "google.protobuf"


def _checked(value: Any, expected: type, path: str) -> Any:
    if not isinstance(value, expected):
        raise invalid_field(path, f"has to be {'a list' if expected is list else 'an object'}")
    return value


def _type(field: _Field) -> str:
    """The type of a field in texts for people."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return "a map of texts"
    if field.message_type is not None:
        name = message_name(field.message_type)
    elif field.enum_type is not None:
        name = "one of " + ", ".join(value.name for value in field.enum_type.values if value.number)
    else:
        name = SCALAR_NAMES[field.cpp_type]
    return f"a list, each {name}" if field.is_repeated else name


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_no_number, object_pairs_hook=_Object)
