"""Compare JSON objects in slices: protobuf compares them in one go, which for a MiB of small values takes long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.struct_pb2 import Struct, Value

from milepost.server.scheduling.steps import SLICE_STEPS, Steps

__all__ = ["are_equal"]

_VALUES_PER_SLICE: Final = SLICE_STEPS // 2


def are_equal(one: Struct, other: Struct) -> Steps[bool]:
    """Whether the objects are equal."""
    if len(one.fields) != len(other.fields):
        return False
    count = 0
    # What is left to compare at each depth; iterators, since lists of them would take much memory.
    left: list[Iterator[tuple[Value, Value | None]]] = [_entries(one, other)]
    while left:
        pair = next(left[-1], None)
        if pair is None:
            left.pop()
            continue
        count += 1
        if count % _VALUES_PER_SLICE == 0:
            yield
        value, counterpart = pair
        if counterpart is None:
            return False
        match value.WhichOneof("kind"), counterpart.WhichOneof("kind"):
            case "struct_value", "struct_value":
                if len(value.struct_value.fields) != len(counterpart.struct_value.fields):
                    return False
                left.append(_entries(value.struct_value, counterpart.struct_value))
            case "list_value", "list_value":
                if len(value.list_value.values) != len(counterpart.list_value.values):
                    return False
                left.append(zip(value.list_value.values, counterpart.list_value.values, strict=True))
            case kind, same if kind != same or _scalar(value, kind) != _scalar(counterpart, kind):
                return False
    return True


def _entries(one: Struct, other: Struct) -> Iterator[tuple[Value, Value | None]]:
    """The values of an object, each with that of the same name in the other one."""
    for name, value in one.fields.items():
        yield value, other.fields.get(name)


def _scalar(value: Value, kind: str | None) -> Any:
    return None if kind is None else getattr(value, kind)
