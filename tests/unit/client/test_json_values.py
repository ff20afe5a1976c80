"""Lossy conversion of Python values to JSON (rule 15)."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import math
import uuid
from collections import OrderedDict, deque, namedtuple
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any, Final

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from milepost.client._conversion import from_struct, to_struct
from milepost.client._worker.json_values import to_lossy_struct
from milepost.client._worker.report_warnings import ReportWarnings
from milepost.client._worker.reporter import Reporter
from milepost.v1 import Severity, Stage
from tests.unit.client.stages import said
from tests.unit.client.values import VALUES

SIZE: Final = 1_000_000


def converted(values: object, size: int = SIZE) -> tuple[dict[str, Any], list[str]]:
    """The converted values, and the paths of the warnings."""
    paths: list[str] = []
    struct = to_lossy_struct(values, "result", size, lambda path, text: paths.append(path))
    assert struct.ByteSize() <= size
    assert Struct.FromString(struct.SerializeToString()) == struct
    return from_struct(struct), paths


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_json_values_are_unchanged(values: dict[str, object]) -> None:
    """As the strict conversion, without a warning."""
    struct = to_lossy_struct(values, "result", SIZE, lambda path, text: pytest.fail(text))
    assert struct == to_struct(values, "result")


class Colour(enum.Enum):
    """An enum of text."""

    RED = "red"


class Level(enum.IntEnum):
    """An enum of integers."""

    HIGH = 3


Point = namedtuple("Point", "x y")


@dataclasses.dataclass
class Score:
    """A dataclass with a mapping."""

    name: str
    by: dict[str, float]


class Scalar:
    """An object with the interface of numpy's scalars and arrays."""

    dtype = "float32"

    def __init__(self, value: object) -> None:
        self.value = value

    def tolist(self) -> object:
        """The plain value."""
        return self.value


class Index:
    """An object with `__index__`."""

    def __index__(self) -> int:
        return 7


@pytest.mark.parametrize(
    ("value", "reported"),
    [
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset(), []),
        (range(3), [0, 1, 2]),
        (deque([1, "x"]), [1, "x"]),
        ({"a": 1}.values(), [1]),
        ({"b": 1, "a": 2}.keys(), ["a", "b"]),
        (OrderedDict(a=1), {"a": 1}),
        (Point(1, 2), [1, 2]),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (Score("f1", {"a": 0.5}), {"name": "f1", "by": {"a": 0.5}}),
        (Stage(stage_id="s", total=2), {"stageId": "s", "total": 2}),
        (Scalar(1.5), 1.5),
        (Scalar([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (Index(), 7),
    ],
)
def test_values_with_an_exact_json_form_use_it(value: object, reported: object) -> None:
    """Values of other types with an exact JSON form; without a warning."""
    assert converted({"x": value}) == ({"x": reported}, [])


class Broken:
    """An object whose methods all raise."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class BrokenMapping(Mapping[str, int]):
    """A mapping whose methods raise."""

    def __getitem__(self, key: str) -> int:
        raise RuntimeError("no item")

    def __iter__(self) -> Iterator[str]:
        return iter(["a"])

    def __len__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "a broken mapping"


class Nameless:
    """A key that cannot be shown."""

    def __str__(self) -> str:
        return "k"

    def __repr__(self) -> str:
        raise RuntimeError("no text")


class Growing:
    """A value that adds to its mapping when it is read, as another thread may at that moment."""

    def __init__(self, values: dict[str, object]) -> None:
        self._values = values

    def __str__(self) -> str:
        self._values["added"] = len(self._values)
        return "grown"


UNKNOWN: Final = AnyMessage(type_url="type.googleapis.com/not.Known", value=b"x")
"""A message that has no JSON form in a process that does not know its type."""


def numbers() -> Iterator[int]:
    """An infinite generator."""
    number = 0
    while True:
        yield number
        number += 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (2**53 + 1, "9007199254740993"),
        (Scalar(math.nan), "NaN"),
        ("file\udcff", "file\\udcff"),
        (b"done\n", "done\n"),
        (b"\xff\x00", "\\xff\x00"),
        (bytearray(b"x"), "x"),
        (PurePosixPath("/srv/a"), "/srv/a"),
        (datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC), "2026-01-02T03:00:00+00:00"),
        (datetime.timedelta(seconds=90), "0:01:30"),
        (decimal.Decimal("1.10"), "1.10"),
        (Fraction(1, 3), "1/3"),
        (1 + 2j, "(1+2j)"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (ValueError("boo"), "boo"),
        (Colour, "<enum 'Colour'>"),
        (Broken(), "<Broken>"),
        (BrokenMapping(), "a broken mapping"),
    ],
)
def test_other_values_become_text(value: object, text: str) -> None:
    """At any depth, with a warning; its neighbours are unchanged."""
    reported, paths = converted({"deep": [{"x": value, "y": 1}]})
    assert reported == {"deep": [{"x": text, "y": 1}]}
    assert paths == ["result.deep[0].x"]


def test_an_integer_of_any_size_is_text() -> None:
    """Python limits the number of decimal digits."""
    assert converted({"x": 10**5000}) == ({"x": hex(10**5000)}, ["result.x"])


def test_a_generator_is_not_used_up() -> None:
    """It may be infinite, and may have side effects."""
    endless = numbers()
    reported, paths = converted({"x": endless})
    assert reported["x"].startswith("<generator object numbers")
    assert paths == ["result.x"]
    assert next(endless) == 0


def test_keys_are_text() -> None:
    """Different keys stay different."""
    reported, paths = converted({1: "a", "1": "b", None: "c", "\udc80": "d"})
    assert reported == {"1": "a", "1_": "b", "None": "c", "\\udc80": "d"}
    assert set(paths) == {"result"}


def test_a_key_of_any_class_is_text() -> None:
    """Its values are kept, whatever the class breaks."""
    reported, paths = converted({Nameless(): 1, 10**5000: 2})
    assert reported == {"k": 1, hex(10**5000): 2}
    assert paths == ["result", "result"]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (BrokenMapping(), "a broken mapping"),
        (UNKNOWN, str(UNKNOWN)),
        ({"m": UNKNOWN}, {"m": str(UNKNOWN)}),
    ],
    ids=["mapping", "message", "message within"],
)
def test_what_cannot_be_read_is_text(values: object, text: object) -> None:
    """Also as the whole: the job succeeded, and its log has the reason."""
    said: list[str] = []
    struct = to_lossy_struct(values, "result", SIZE, lambda path, why: said.append(why))
    assert from_struct(struct) == (text if isinstance(text, dict) else {"value": text})
    assert [
        ("cannot be read (TypeError: Can not" in why or "(RuntimeError: no item)" in why) for why in said
    ] == [True]


@pytest.mark.parametrize("depth", [0, 1])
def test_a_dict_may_change_meanwhile(depth: int) -> None:
    """It is reported as it was when its turn came."""
    values: dict[str, object] = {}
    values |= {"first": Growing(values), "second": 2}
    reported, paths = converted({"deep": values} if depth else values)

    assert (reported["deep"] if depth else reported) == {"first": "grown", "second": 2}
    assert paths == ["result.deep.first" if depth else "result.first"]


@pytest.mark.parametrize("values", [[1, 2], "text", 3.5, (1, 2), True])
def test_a_result_that_is_no_mapping_is_wrapped(values: object) -> None:
    """The job succeeded, whatever it returned."""
    expected = list(values) if isinstance(values, tuple) else values
    assert converted(values) == ({"value": expected}, ["result"])


def test_recursive_values_are_cut_off_as_text() -> None:
    """Recursive, very deep or very repetitive values."""
    itself: list[object] = []
    itself.append(itself)
    twice: list[object] = [1]
    for _ in range(60):
        twice = [twice, twice]
    deep: dict[str, object] = {}
    for _ in range(50):
        deep = {"in": deep}
    for value in (itself, twice, deep):
        reported, paths = converted({"x": value, "n": 1})
        assert reported["n"] == 1
        assert paths


def test_large_fields_are_truncated() -> None:
    """Small fields stay whole; large ones share the space, and say how much is missing."""
    rows = [{"id": number, "text": "x" * 20} for number in range(60_000)]
    reported, paths = converted(
        {"rows": rows, "log": "y" * 600_000, "count": 3, "deep": {"big": rows, "n": 1}}
    )

    assert paths == ["result: size"]
    assert (reported["count"], reported["deep"]["n"]) == (3, 1)
    for text in (reported["rows"], reported["log"], reported["deep"]["big"]):
        assert 300_000 < len(text) < 340_000
        assert text.endswith("characters]")
    assert reported["rows"].startswith('[{"id": 0, "text": "xxx')


def test_too_many_fields_are_cut() -> None:
    """As many as fit are kept."""
    reported, paths = converted({f"key-{number:06}": "x" * 100 for number in range(20_000)}, 100_000)
    assert paths == ["result: size"]
    assert len(reported) > 700


def test_huge_fields_do_not_crowd_out_others() -> None:
    """Nor are they traversed as a whole, which would take long."""
    reported, _ = converted({"huge": range(10**12), "after": [1, {"a": 2}]})
    assert reported["after"] == [1, {"a": 2}]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.binary(max_size=20)
    | st.dates()
    | st.decimals()
    | st.complex_numbers(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(), max_size=5) | st.integers(), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(ANYTHING, st.integers(200, 1000))
def test_anything_is_reported_within_the_bound(values: object, size: int) -> None:
    """Any value becomes a struct that the contract allows."""
    converted(values, size)


@given(st.dictionaries(st.text(st.characters(), max_size=5), ANYTHING, max_size=5))
def test_no_field_is_lost(values: dict[str, object]) -> None:
    """If it fits."""
    reported, _ = converted(values)
    assert len(reported) == len(values)


def test_warnings_are_limited(reporter: Reporter) -> None:
    """Warnings are limited per value and in number."""
    remarks = ReportWarnings("j", reporter)
    for number in range(100):
        to_lossy_struct({"losses": [math.nan] * 3, f"x{number}": math.nan}, "fields", SIZE, remarks.add)
    lines = [update.log_written for update in said(reporter)]

    assert len(lines) == 51
    assert (
        lines[0].text
        == "fields.losses[0] is nan, which JSON does not have: it is reported as the text 'NaN'."
    )
    assert lines[-1].text.startswith("More could not be reported")
    assert {line.severity for line in lines} == {Severity.SEVERITY_WARNING}
