"""Large JSON objects are compared in slices, as protobuf compares them in one go."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from hypothesis import example, given
from hypothesis import strategies as st

from milepost.server.scheduling.sliced_comparing import are_equal
from milepost.server.scheduling.steps import SLICE_STEPS, finish

_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.sampled_from([0.0, 1.0, 0.5]) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
_objects = st.dictionaries(st.sampled_from("ab"), _values, max_size=2)


def _struct(value: dict[str, Any]) -> Struct:
    made = Struct()
    made.update(value)
    return made


@given(_objects, _objects)
@example({"a": [1.0, {"b": None}]}, {"a": [1.0, {"b": None}]})
@example({"a": [1.0, {"b": None}]}, {"a": [1.0, {"b": False}]})
@example({"a": {"b": 1.0}}, {"a": {"a": 1.0}})
@example({"a": [0.0]}, {"a": [0.0, 0.0]})
def test_objects_are_equal_where_protobuf_says_so(one: dict[str, Any], other: dict[str, Any]) -> None:
    """At whatever depth they differ."""
    assert finish(are_equal(_struct(one), _struct(other))) == (_struct(one) == _struct(other))
    assert finish(are_equal(_struct(one), _struct(one)))


@pytest.mark.parametrize(
    "value", [{"a": [None] * 20 * SLICE_STEPS}, {f"{number}": None for number in range(20 * SLICE_STEPS)}]
)
def test_it_takes_slices(value: dict[str, Any]) -> None:
    """Others may go first after some hundred values, of lists and of objects."""
    assert len(list(are_equal(_struct(value), _struct(value)))) >= 20
