"""Hypothesis strategies for any message of the contract."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

__all__ = ["messages"]

_Message = TypeVar("_Message", bound=Message)
_Values = dict[int, st.SearchStrategy[Any]]

_DEPTH = 4
"""Maximum depth of nested messages."""

_TEXTS = ["", "a/1", "submit_time", "stage_ended", "a b", "é", "\x00", "\U0001f600", "x" * 129, "x" * 5000]
_INTEGERS = [0, 1, 2, 3, 100, -1, 2**31 - 1, -(2**31)]
_LONG = [*_INTEGERS, 2**63 - 1, -(2**63), 315_576_000_000]
_REALS = [0.0, 0.5, 1.0, 100.0, 1e308, 5e-324, -1.0, math.nan, math.inf, -math.inf]


@st.composite
def messages(draw: st.DrawFn, kind: type[_Message], names: Sequence[str]) -> _Message:
    """A message of this kind with any fields set: half of the messages to plausible values, the others to anything.

    ``names`` are texts that the receiver knows, such as ids.
    """
    message = kind()
    _fill(draw, message, draw(st.sampled_from([_plausible(names), _arbitrary(names)])), _DEPTH)
    return message


def _plausible(names: Sequence[str]) -> _Values:
    whole = st.integers(0, 3)
    return {
        FieldDescriptor.TYPE_BOOL: st.booleans(),
        FieldDescriptor.TYPE_BYTES: st.binary(max_size=20),
        FieldDescriptor.TYPE_DOUBLE: st.sampled_from([0.0, 0.5, 1.0]),
        FieldDescriptor.TYPE_ENUM: whole,
        FieldDescriptor.TYPE_INT32: whole,
        FieldDescriptor.TYPE_INT64: whole,
        FieldDescriptor.TYPE_STRING: st.sampled_from(names),
    }


def _arbitrary(names: Sequence[str]) -> _Values:
    return {
        FieldDescriptor.TYPE_BOOL: st.booleans(),
        FieldDescriptor.TYPE_BYTES: st.binary(max_size=20),
        FieldDescriptor.TYPE_DOUBLE: st.sampled_from(_REALS) | st.floats(),
        FieldDescriptor.TYPE_ENUM: st.integers(0, 5) | st.sampled_from([99, -1]),
        FieldDescriptor.TYPE_INT32: st.sampled_from(_INTEGERS) | st.integers(-(2**31), 2**31 - 1),
        FieldDescriptor.TYPE_INT64: st.sampled_from(_LONG) | st.integers(-(2**63), 2**63 - 1),
        FieldDescriptor.TYPE_STRING: st.sampled_from([*names, *_TEXTS]) | st.text(max_size=10),
    }


def _fill(draw: st.DrawFn, message: Message, values: _Values, depth: int) -> None:
    chosen = {union.name: draw(st.sampled_from([None, *union.fields])) for union in message.DESCRIPTOR.oneofs}
    for field in message.DESCRIPTOR.fields:
        union = field.containing_oneof
        if chosen[union.name] is not field if union is not None else draw(st.integers(0, 2)) == 0:
            continue
        if field.message_type is not None:
            if depth:
                _fill_message(draw, getattr(message, field.name), field, values, depth - 1)
        elif field.is_repeated:
            getattr(message, field.name).extend(draw(st.lists(values[field.type], max_size=3)))
        else:
            setattr(message, field.name, draw(values[field.type]))


def _fill_message(draw: st.DrawFn, held: Any, field: Any, values: _Values, depth: int) -> None:
    if field.message_type.GetOptions().map_entry:
        value = field.message_type.fields_by_name["value"]
        for key in draw(st.lists(values[FieldDescriptor.TYPE_STRING], max_size=2)):
            if value.message_type is not None:
                _fill(draw, held[key], values, depth)
            else:
                held[key] = draw(values[value.type])
    elif field.is_repeated:
        for _ in range(draw(st.integers(0, 3))):
            _fill(draw, held.add(), values, depth)
    else:
        held.SetInParent()
        _fill(draw, held, values, depth)
