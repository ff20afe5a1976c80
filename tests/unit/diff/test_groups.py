"""Two groups of runs side by side."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from milepost.client._diff.groups import Group, GroupComparison, compare_groups
from milepost.client._diff.paths import PathPatterns, format_path
from milepost.client._diff.run import Run
from milepost.client._diff.sample import Sample, sample
from milepost.client._diff.tolerance import Tolerance
from milepost.v1 import Artifact, Failure, JobState
from tests.unit.diff.runs import run, stage

FAILED = JobState.JOB_STATE_FAILED


def compared(
    a: Sequence[Run], b: Sequence[Run], *ignored: str, tolerance: Tolerance | None = None
) -> GroupComparison:
    """The comparison of two groups, whose runs pair by the label "pair"."""
    return compare_groups(
        Group("a", a), Group("b", b), "pair", PathPatterns(ignored), tolerance or Tolerance()
    )


def presences(found: GroupComparison) -> list[tuple[str, str, int, int]]:
    """What one group has and the other one has not, with the numbers of runs."""
    return [(format_path(each.path), each.value, each.a, each.b) for each in found.presences]


def test_equal_groups_with_different_values() -> None:
    """Without pairs the inputs may differ, and so may values and numbers of elements."""
    a = [run(result={"title": f"a {n}", "x": [1] * n}, events=[("T", {"n": n})] * n) for n in range(1, 5)]
    b = [run(result={"title": f"b {n}", "x": [2] * n}, events=[("T", {"n": -n})] * n) for n in range(1, 4)]
    assert compared(a, b).is_same


def test_what_one_group_has_and_the_other_one_has_not() -> None:
    """Only where all runs of a group agree; a missing part is told without all that is in it."""
    a = [
        run(result={"title": "x", "more": {"deep": 1}}, stages=[stage("scan")], events=[("T", {})]),
        run(result={"title": "y", "more": {"deep": 1}}, stages=[stage("scan")], events=[("T", {})]),
    ]
    b = [run(result={"title": "x"}), run(result={"title": "y", "sometimes": 1})]
    assert presences(compared(a, b)) == [
        ("events.T", "", 2, 0),
        ("result.more", "", 2, 0),
        ("result.sometimes", "", 0, 1),
        ("stages.scan", "", 2, 0),
    ]
    assert compared(a, b, "stages", "events", "result.more", "result.sometimes").is_same


def test_states_and_codes_are_counted() -> None:
    """A group in which some fail differs from one in which none does, and not from one in which others do."""

    def failed() -> Run:
        return run(state=FAILED, failure=Failure(code="NO_DISK"))

    found = compared([run(), run()], [run(), failed()], "failure")
    assert presences(found) == [("state", "FAILED", 0, 1), ("state", "SUCCEEDED", 2, 1)]
    assert compared([run(), run(), failed()], [run(), failed()]).is_same


def test_dropped_events_are_told() -> None:
    """Nobody knows then which events there were."""
    a, b = [run(events=[("T", {})])], [run(first_sequence=9)]
    assert presences(compared(a, b)) == [("events", "dropped", 0, 1)]
    assert compared(a, b, "events").is_same


def pair(number: int, *, title: str = "t", took: float = 1.0) -> tuple[Run, Run]:
    """A run, and the one that its label pairs with it."""
    a = run(f"run-in-a-test-{number}", result={"title": "t", "n": number}, stages=[stage("scan", 2)])
    shadow = run(
        f"shadow-in-a-test-{number}",
        result={"title": title, "n": number},
        stages=[stage("scan", 2 * took)],
        labels={"pair": a.job.job_id},
    )
    return a, shadow


def test_equal_pairs() -> None:
    """Each run is compared with its own shadow, in whatever order they come, and others are left out."""
    pairs = [pair(n) for n in range(4)]
    found = compared([*(a for a, _ in pairs), run("alone-in-a-test")], [b for _, b in pairs[::-1]])
    assert (found.pairs, found.is_same) == (4, True)
    back = compared([b for _, b in pairs], [a for a, _ in pairs])
    assert (back.pairs, back.is_same) == (4, True)


def test_pairs_that_differ() -> None:
    """Told with how many pairs differ there, and the newest of them."""
    pairs = [pair(0), pair(1, title="x"), pair(2, title="y"), pair(3)]
    found = compared([a for a, _ in pairs], [b for _, b in pairs])
    assert [
        (format_path(each.path), each.pairs, [run.job.job_id for run in each.example], each.difference.b)
        for each in found.recurring
    ] == [("result.title", 2, ["run-in-a-test-1", "shadow-in-a-test-1"], "x")]
    assert (
        found.is_same,
        compared([a for a, _ in pairs], [b for _, b in pairs], "result.title").is_same,
    ) == (
        False,
        True,
    )


def test_the_newest_shadow_counts() -> None:
    """A run may have several."""
    a, newer = pair(1, title="x")
    _, older = pair(1)
    assert [each.difference.b for each in compared([a], [newer, older]).recurring] == ["x"]


def test_medians() -> None:
    """They are judged, and one slow run is not; children of a kind are taken together."""
    slow = [pair(n, took=4) for n in range(3)] + [pair(9, took=1)]
    found = compared([a for a, _ in slow], [b for _, b in slow], tolerance=Tolerance(1.5, 1))
    assert [(format_path(row.path), row.judged and row.judged.value) for row in found.medians] == [
        ("", None),
        ("stages.scan", "slower"),
    ]
    assert not found.is_same
    one = [pair(0, took=40), pair(1), pair(2)]
    assert compared([a for a, _ in one], [b for _, b in one], tolerance=Tolerance(1.5, 1)).is_same
    children = [run(f"track-in-a-test-{n}", kind="track", took=n) for n in range(1, 4)]
    medians = compared([run(children=children)], [run(children=children)]).medians
    assert [(format_path(row.path), row.a) for row in medians] == [
        ("", Sample(1, 10, 10, 10)),
        ("children.track", Sample(3, 2, 1.5, 2.5)),
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], None),
        ([3.0], Sample(1, 3, 3, 3)),
        ([1.0, 3.0], Sample(2, 2, 1.5, 2.5)),
        ([5.0, 1.0, 3.0, 2.0, 4.0], Sample(5, 3, 2, 4)),
    ],
)
def test_samples(values: Sequence[float], expected: Sample | None) -> None:
    """The median, and the quartiles around it."""
    assert sample(values) == expected


def test_artifacts_with_the_name_of_a_state() -> None:
    """A name of the application is no enumeration of ours."""
    a = [run(result={"state": "x"}, artifacts=[Artifact(name="state", sha256="a" * 64)])]
    b = [run(result={"state": "y"}, artifacts=[Artifact(name="state", sha256="b" * 64)])]
    assert compared(a, b).is_same
