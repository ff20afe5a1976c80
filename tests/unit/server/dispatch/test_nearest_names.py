"""Names similar to a mistyped one."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from milepost.server.dispatch import nearest_names
from milepost.server.dispatch.nearest_names import distance, nearest

NAMES = st.text("abc", max_size=7)


def edits(one: str, other: str) -> int:
    """The optimal string alignment distance by its recurrence."""
    if not one or not other:
        return len(one) + len(other)
    least = min(
        edits(one[:-1], other) + 1,
        edits(one, other[:-1]) + 1,
        edits(one[:-1], other[:-1]) + (one[-1] != other[-1]),
    )
    if len(one) > 1 and len(other) > 1 and one[-2:] == other[:-3:-1]:
        least = min(least, edits(one[:-2], other[:-2]) + 1)
    return least


@given(one=st.text("abc", max_size=5), other=st.text("abc", max_size=5), bound=st.integers(0, 6))
@example(one="ab", other="ba", bound=1)
@example(one="abcc", other="bacc", bound=0)
def test_a_distance_counts_edits_up_to_its_bound(one: str, other: str, bound: int) -> None:
    """Insert, delete, replace, swap; distances over the bound are the bound plus 1."""
    assert distance(one, other, bound) == min(edits(one, other), bound + 1)


@given(one=NAMES, other=NAMES)
def test_a_distance_is_the_same_both_ways(one: str, other: str) -> None:
    """The distance is symmetric."""
    assert distance(one, other, 9) == distance(other, one, 9)


@pytest.mark.parametrize(
    ("name", "names", "near"),
    [
        ("archve", ["archive", "transcribe"], ["archive"]),
        ("acrhive", ["archive"], ["archive"]),
        ("archive", ["archives", "archiv", "archive"], ["archiv", "archives"]),
        ("archive", ["archive.v2", "zip", "a"], ["archive.v2"]),
        ("ab", ["abc", "b", "xyz"], ["abc", "b"]),
        ("resize", ["a", "resise", "resizer", "re-size", "resized"], ["re-size", "resise", "resized"]),
        ("x", [], []),
        ("a" * 30, ["a" * 26, "a" * 25], ["a" * 26]),
    ],
)
def test_the_nearest_names(name: str, names: list[str], near: list[str]) -> None:
    """At most three, the nearest first, then alphabetically; never the name itself, and no distant one."""
    assert nearest(name, names, 3) == near


@given(one=NAMES, others=st.lists(NAMES, max_size=15))
def test_names_that_differ_too_much_are_not_near(one: str, others: list[str]) -> None:
    """A name whose letters differ too much is not compared, and would not be near."""
    bounds = {other: min(max(max(len(one), len(other)) // 3, 1), 4) for other in others}
    edits_of = {other: distance(one, other, bound) for other, bound in bounds.items()}
    near = sorted((count, other) for other, count in edits_of.items() if 0 < count <= bounds[other])

    assert nearest(one, dict.fromkeys(others), 3) == [other for _, other in near[:3]]


def test_of_very_many_similar_names_few_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fleet with a thousand kinds that are nearly the same does not make a lookup long."""
    compared: list[str] = []

    def counted(one: str, other: str, bound: int) -> int:
        compared.append(other)
        return distance(one, other, bound)

    monkeypatch.setattr(nearest_names, "distance", counted)
    names = [f"{'a' * 30}{number:04}{'a' * 26}" for number in range(1000)]

    assert len(nearest("a" * 60, names, 3)) == 3
    assert len(compared) == 20
