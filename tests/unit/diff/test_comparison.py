"""Two runs side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from milepost.client._diff.paths import format_path
from milepost.client._diff.run import Run
from milepost.client._diff.tolerance import Tolerance, parse_ratio
from milepost.v1 import Artifact, Event, Failure, JobState, StageState
from tests.unit.diff.runs import compared, differing, run, stage


def whole_run(job_id: str) -> Run:
    """A run with everything that is compared, and with all that differs between equal runs."""
    return run(
        job_id,
        result={
            "title": "The sea",
            "job": job_id,
            "mail": f"see /jobs/{job_id}.",
            "tracks": [f"{job_id}-track-1"],
        },
        stages=[stage("scan", total=3, current=3, unit="pages"), stage("scan/1", parent_stage_id="scan")],
        artifacts=[Artifact(name="log", uri=f"file:///{job_id}/log", size_bytes=3, sha256="a" * 64)],
        events=[("TOPIC", {"of": job_id}), ("TOPIC", {"of": "sea"}), ("TITLE", {"title": "The sea"})],
        children=[
            run(f"{job_id}-track-{n}", kind="track", result={"n": n, "parent": job_id}) for n in (1, 2)
        ],
        worker_id=f"worker of {job_id}",
        labels={"id": job_id},
    )


def test_equal_runs() -> None:
    """Ids of the jobs, places of artifacts, times and workers make no difference."""
    assert differing(whole_run("11111111-aaaa"), whole_run("22222222-bbbb")) == []


def test_ids_of_other_jobs_differ() -> None:
    """Only ids of compared jobs are the same: a result that names a wrong job is found."""
    a, b = whole_run("11111111-aaaa"), whole_run("22222222-bbbb")
    b.job.result["job"] = "11111111-aaaa"
    assert differing(a, b) == ["result.job changed"]


@pytest.mark.parametrize("job_id", ["x", "seven77"])
def test_a_short_id_may_be_a_word(job_id: str) -> None:
    """It is left as it is, so that it equals the same word in the other run."""
    assert differing(run("other-id-1", result={"word": job_id}), run(job_id, result={"word": job_id})) == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ({"result": {"title": "A sea"}}, ["result.title changed"]),
        ({"result": {}}, ["result.title missing"]),
        ({"result": {"title": "The sea", "n": 1}}, ["result.n added"]),
        ({"result": {"title": True}}, ["result.title changed"]),
        ({"result": None}, ["result missing"]),
        ({"stages": []}, ["stages.scan missing"]),
        ({"stages": [stage("scan"), stage("more")]}, ["stages.more added"]),
        (
            {"stages": [stage("scan", state=StageState.STAGE_STATE_SKIPPED)]},
            ["stages.scan.state changed"],
        ),
        ({"stages": [stage("scan", current=5)]}, ["stages.scan.current added"]),
        ({"artifacts": []}, ["artifacts.log missing"]),
        ({"artifacts": [Artifact(name="log", uri="u", sha256="b" * 64)]}, ["artifacts.log.sha256 changed"]),
        ({"events": [("TOPIC", {"of": "sea"})]}, ["events.TOPIC[1] missing"]),
        (
            {"events": [("TOPIC", {"of": "sea"}), ("TOPIC", {"of": "earth"})]},
            ["events.TOPIC[1].of changed"],
        ),
        (
            {"events": [("TOPIC", {"of": "sea"}), ("TOPIC", {"of": "sky"}), ("END", {})]},
            ["events.END[0] added"],
        ),
        ({"children": []}, ["children.track[0] missing"]),
        (
            {"children": [run("child-of-test", kind="track", result={"n": 2})]},
            ["children.track[0].result.n changed"],
        ),
        (
            {"children": [run("child-of-test", kind="page")]},
            ["children.track[0] missing", "children.page[0] added"],
        ),
        (
            {
                "state": JobState.JOB_STATE_FAILED,
                "failure": Failure(code="NO_DISK", message="m"),
                "result": None,
            },
            ["state changed", "failure added", "result missing"],
        ),
    ],
)
def test_each_planted_difference_is_found(planted: Mapping[str, Any], found: list[str]) -> None:
    """And nothing else; the comparison the other way round finds it, too."""
    plain: dict[str, Any] = {
        "result": {"title": "The sea"},
        "stages": [stage("scan")],
        "artifacts": [Artifact(name="log", uri="u", sha256="a" * 64)],
        "events": [("TOPIC", {"of": "sea"}), ("TOPIC", {"of": "sky"})],
        "children": [run("child-of-test", kind="track", result={"n": 1})],
    }
    a, b = run(**plain), run(**{**plain, **planted})
    assert sorted(differing(a, b)) == sorted(found)
    assert len(differing(b, a)) == len(found)


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        ([1, 2, 3], [1, 2, 3], []),
        ([1, 2, 3], [1, 9, 2, 3], ["result.x[1] added"]),
        ([1, 2, 3], [1, 3], ["result.x[1] missing"]),
        ([1, 2, 3], [1, 5, 3], ["result.x[1] changed"]),
        ([{"a": 1, "b": 2}], [{"a": 1, "b": 3}], ["result.x[0].b changed"]),
        ([1, 1], [1], ["result.x[1] missing"]),
        ([1], [True], ["result.x[0] changed"]),
        ([], {}, ["result.x changed"]),
    ],
)
def test_lists(a: object, b: object, found: list[str]) -> None:
    """An element that was put in or taken out does not make those after it differ."""
    assert differing(run(result={"x": a}), run(result={"x": b})) == found


def test_amounts_are_sums() -> None:
    """Whoever adds the same parts in another order has done as much."""
    a, b, c = (run(stages=[stage("scan", current=amount, total=2)]) for amount in (0.1 + 0.2, 0.3, 0.300001))
    assert (differing(a, b), differing(a, c)) == ([], ["stages.scan.current changed"])


def test_events_of_a_type_come_in_any_order() -> None:
    """Stages that run at once report in an order of chance."""
    events = [("TOPIC", {"n": 1}), ("TOPIC", {"n": 2}), ("END", {})]
    assert differing(run(events=events), run(events=[*events[1:], events[0]])) == []


def test_events_of_earlier_attempts_do_not_count() -> None:
    """They are of the attempt that failed, as are its stages, which the job no longer has."""
    retried = run(events=[("TOPIC", {"n": 1})])
    retried.job.attempt = 2
    again = Event(attempt=2, custom=retried.events[0].custom)
    assert differing(run(events=[("TOPIC", {"n": 1})]), Run(retried.job, [*retried.events, again])) == []


def test_events_that_the_server_dropped() -> None:
    """Where some may be missing nobody knows whether they are the same; that is a difference, which may be ignored."""
    assert differing(run(), run(first_sequence=7)) == ["events unknown"]
    assert differing(run(), run(first_sequence=7), "events") == []


def test_ignored() -> None:
    """What is ignored is nowhere: not in matches of events, not in elements of lists, not in rows."""
    a = run(
        result={"id": 1, "x": [{"id": 1, "n": 1}]},
        events=[("T", {"id": 1, "n": 1}), ("T", {"id": 2, "n": 2})],
        stages=[stage("scan")],
        children=[run("child-of-test-1", kind="track", result={"id": 1})],
    )
    b = run(
        result={"id": 2, "x": [{"id": 2, "n": 1}]},
        events=[("T", {"id": 3, "n": 2}), ("T", {"id": 4, "n": 1})],
        stages=[stage("more")],
        children=[run("child-of-test-2", kind="track", result={"id": 2})],
    )
    assert differing(a, b, "**.id", "stages") == []
    assert [format_path(row.path) for row in compared(a, b, "stages", "children").rows] == [""]


def test_inputs() -> None:
    """That they differ explains other differences, and is none itself."""
    a, b = run(), run()
    b.job.input["path"] = "/other"
    found = compared(a, b)
    assert ([format_path(each.path) for each in found.inputs], found.differences) == (["input.path"], [])


def test_rows() -> None:
    """The job, its stages in the order of A, then what only B has; the same of each child."""
    a = run(
        stages=[stage("x"), stage("y")], children=[run("child-of-test-1", kind="track", stages=[stage("z")])]
    )
    b = run(stages=[stage("new"), stage("y")], children=[run("child-of-test-2", kind="track")])
    assert [(format_path(row.path), row.a is not None, row.b is not None) for row in compared(a, b).rows] == [
        ("", True, True),
        ("stages.x", True, False),
        ("stages.y", True, True),
        ("stages.new", False, True),
        ("children.track[0]", True, True),
        ("children.track[0].stages.z", True, False),
    ]


def test_durations() -> None:
    """They differ beyond the ratio, in both directions, and by more than the slack."""
    a = run(took=10, stages=[stage("slow", 4), stage("fast", 9), stage("near", 4), stage("tiny", 0.1)])
    b = run(took=10, stages=[stage("slow", 8), stage("fast", 3), stage("near", 5.9), stage("tiny", 1)])
    tolerance = Tolerance(ratio=1.5, slack=1)
    expected = ["stages.slow.duration slower", "stages.fast.duration faster"]
    assert differing(a, b) == []
    assert differing(a, b, tolerance=tolerance) == expected
    assert differing(a, b, "stages.slow.duration", tolerance=tolerance) == expected[1:]
    assert differing(a, b, "**.duration", tolerance=tolerance) == []


def test_a_part_that_did_not_run_has_no_duration() -> None:
    """A stage that was not reached, or whose end is not known, differs by its state alone."""
    never = stage("scan", state=StageState.STAGE_STATE_SKIPPED)
    never.ClearField("start_time")
    a, b = run(stages=[stage("scan", 100)]), run(stages=[never])
    assert differing(a, b, tolerance=Tolerance(1, 0)) == ["stages.scan.state changed"]


@pytest.mark.parametrize(("a", "b"), [(0.0, 5.0), (5.0, 0.0), (1.0, 5000.0)])
def test_without_a_tolerance_no_durations_differ(a: float, b: float) -> None:
    """Nor where one of them is nothing."""
    assert Tolerance().judge(a, b) is None


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("20%", 1.2),
        ("0%", 1),
        ("150%", 2.5),
        ("1", 1),
        ("1.5", 1.5),
        ("1.5x", 1.5),
        ("2 ×", 2),
        (" 12.5 % ", 1.125),
    ],
)
def test_tolerances(text: str, ratio: float) -> None:
    """A percentage or a ratio."""
    assert parse_ratio(text) == pytest.approx(ratio)


@pytest.mark.parametrize("text", ["", "x", "-20%", "0.2", "nan", "inf", "1e3", "20%%", "1.5.2"])
def test_no_tolerance(text: str) -> None:
    """Anything else is refused; a ratio below 1 with the percentage that was meant."""
    with pytest.raises(ValueError, match=r"neither a percentage|write 20%"):
        parse_ratio(text)


def test_children_pair_by_the_labels_that_both_runs_have() -> None:
    """Those of one kind and equal labels pair in order; a label with new values in each run does not count."""

    def track(number: int, of: str, n: int | None = None) -> Run:
        labels = {"track": str(number), "task": f"{of}-{number}"}
        return run(
            f"{of}-in-a-test-{number}", kind="track", labels=labels, result={"n": number if n is None else n}
        )

    a = run(children=[track(1, "a"), track(2, "a"), track(3, "a")])
    assert differing(a, run(children=[track(3, "b"), track(1, "b"), track(2, "b")])) == []
    assert differing(a, run(children=[track(1, "b"), track(3, "b")])) == ["children.track[1] missing"]
    assert differing(a, run(children=[track(1, "b"), track(3, "b", n=9), track(2, "b"), track(7, "b")])) == [
        "children.track[2].result.n changed",
        "children.track[3] added",
    ]


def test_of_children_with_the_same_labels_the_last_ones_pair() -> None:
    """The ones before may be tries that failed, which only one of the runs has."""

    def track(of: str, number: int) -> Run:
        labels = {"track": "1"}
        return run(f"{of}-in-a-test-{number}", kind="track", labels=labels, result={"n": number})

    a, b = run(children=[track("a", 1), track("a", 2)]), run(children=[track("b", 2)])
    assert (differing(a, b), differing(b, a)) == (["children.track[0] missing"], ["children.track[0] added"])


def test_a_child_that_a_pipeline_has_replaced_does_not_count() -> None:
    """Under a name only the last try is compared, as of a job only its last attempt is."""

    def track(of: str, number: int, name: str) -> Run:
        labels = {"milepost.dev/child": name}
        return run(f"{of}-in-a-test-{name}-{number}", kind="track", labels=labels, result={"n": number})

    a = run(children=[track("a", 1, "x"), track("a", 2, "y"), track("a", 2, "x")])
    b = run(children=[track("b", 2, "x"), track("b", 2, "y")])
    c = run(children=[track("c", 2, "x"), track("c", 3, "y")])
    assert (differing(a, b), differing(b, a)) == ([], [])
    assert differing(a, c) == ["children.track[0].result.n changed"]


def test_children_without_labels_pair_in_order() -> None:
    """The n-th of a kind with the n-th, whatever other kinds come between."""

    def child(kind: str, number: int) -> Run:
        return run(f"{kind}-in-a-test-{number}", kind=kind, result={"n": number})

    a = run(children=[child("x", 1), child("y", 1), child("x", 2)])
    b = run(children=[child("y", 1), child("x", 1), child("x", 3)])
    assert differing(a, b) == ["children.x[1].result.n changed"]


def test_children_of_children() -> None:
    """Each level is compared as the first one is."""

    def tree(title: str, of: str) -> Run:
        page = run(f"{of}-in-a-test-page", kind="page", result={"title": title})
        return run(children=[run(f"{of}-in-a-test-track", kind="track", children=[page])])

    assert differing(tree("x", "a"), tree("y", "b")) == [
        "children.track[0].children.page[0].result.title changed"
    ]
