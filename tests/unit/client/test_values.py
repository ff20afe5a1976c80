"""Strict conversion of Python values to JSON, with the path in errors."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from milepost.client._conversion import from_struct, to_duration, to_stages, to_struct
from milepost.v1 import Stage
from tests.unit.client.values import VALUES


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_json_values_survive_a_round_trip(values: dict[str, object]) -> None:
    """A round trip through Struct preserves values (1 equals 1.0), as protobuf's own mapping does."""
    struct = to_struct(values, "input")
    assert values == from_struct(struct)
    assert struct == ParseDict(values, Struct())
    assert from_struct(struct) == MessageToDict(struct)


def test_whole_numbers_come_back_as_ints() -> None:
    """JSON has one kind of number; exact whole numbers become ints."""
    values = {"a": 1, "b": 2.0, "c": -(2**53), "d": 1.5, "e": 1e300}
    expected = {"a": int, "b": int, "c": int, "d": float, "e": float}
    assert {key: type(value) for key, value in from_struct(to_struct(values, "input")).items()} == expected


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"a": {1, 2}}, TypeError, r"input\.a is of type set"),
        ({"a": [1, {"b": b"x"}]}, TypeError, r"input\.a\[1\]\.b is of type bytes"),
        ({1: "x"}, TypeError, "input has the key 1"),
        ({"a": math.nan}, ValueError, r"input\.a is nan"),
        ({"a": [math.inf]}, ValueError, r"input\.a\[0\] is inf"),
        ({"a": 2**53 + 1}, ValueError, r"input\.a is 9007199254740993"),
        ({"a": "\udcff"}, ValueError, r"input\.a holds text that is not Unicode"),
        ([1], TypeError, "input must be a mapping, not list"),
    ],
)
def test_values_without_json_form_are_named(
    values: dict[str, object], error: type[Exception], text: str
) -> None:
    """The error has the path of the value."""
    with pytest.raises(error, match=text):
        to_struct(values, "input")


def test_recursive_values_are_refused() -> None:
    """It is not followed forever."""
    loop: dict[str, object] = {}
    loop["again"] = [loop]
    with pytest.raises(ValueError, match="nests more than 30 deep"):
        to_struct(loop, "input")


def test_durations_and_stages() -> None:
    """Seconds or a timedelta; an id or a message."""
    assert to_duration(1.5, "ttl") == to_duration(timedelta(milliseconds=1500), "ttl")
    assert (to_duration(1.5, "ttl").seconds, to_duration(1.5, "ttl").nanos) == (1, 500_000_000)
    assert to_stages(["a", Stage(stage_id="b", weight=2)]) == [
        Stage(stage_id="a"),
        Stage(stage_id="b", weight=2),
    ]
