"""What a handler says of its stages, as the server will hear it."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncIterator
from fractions import Fraction

import pytest

from milepost.client import Cancelled, JobContext, JobFailure
from milepost.client.worker.reporter import Reporter
from milepost.v1 import (
    Failure,
    Job,
    Severity,
    Stage,
    StageEnded,
    StageProgressed,
    StageStarted,
    StageState,
    Update,
)


@pytest.fixture
def reporter() -> Reporter:
    """Wakes nobody."""
    return Reporter(lambda: None)


@pytest.fixture
def job(reporter: Reporter) -> JobContext:
    """A job whose updates are read from the reporter."""
    return JobContext(Job(job_id="j", kind="k", attempt=1), reporter)


def said(reporter: Reporter, now: float = 1e9) -> list[Update]:
    """Everything that was said, with the progress that waits."""
    updates = []
    while (batch := reporter.take(now)) is not None:
        updates += batch.updates
        reporter.acknowledge(reporter.last)
    return updates


def started(stage_id: str, **fields: float | str) -> Update:
    """A stage starts."""
    stage = Stage(stage_id=stage_id)
    for name, value in fields.items():
        setattr(stage, name, value)
    return Update(stage_started=StageStarted(stage=stage))


def progressed(stage_id: str, current: float, total: float | None = None, message: str = "") -> Update:
    """A stage moves on."""
    return Update(
        stage_progressed=StageProgressed(stage_id=stage_id, current=current, total=total, message=message)
    )


def ended(stage_id: str, state: str, message: str = "", failure: Failure | None = None) -> Update:
    """A stage ends."""
    return Update(
        stage_ended=StageEnded(
            stage_id=stage_id,
            state=StageState.Value(f"STAGE_STATE_{state}"),
            message=message,
            failure=failure,
        )
    )


def test_a_stage_starts_when_entered_and_succeeds_when_left(job: JobContext, reporter: Reporter) -> None:
    """With all that is known of it beforehand."""
    with job.stage("hash", total=10, unit="bytes", title="Hashing", weight=3, parent="all"):
        pass
    start = started("hash", total=10.0, unit="bytes", title="Hashing", weight=3.0, parent_stage_id="all")
    assert [start, ended("hash", "SUCCEEDED")] == said(reporter)


def test_the_last_value_comes_before_the_end(job: JobContext, reporter: Reporter) -> None:
    """However progress is thinned, the last value is told."""
    with job.stage("s") as stage:
        for _ in range(1234):
            stage.advance()
    assert [started("s"), progressed("s", 1234.0), ended("s", "SUCCEEDED")] == said(reporter)


def test_progress_is_told_each_half_percent_without_a_tick(job: JobContext, reporter: Reporter) -> None:
    """A fast stage is told of each time it is 0.5 % further, however many items that is."""
    with job.stage("s", total=100_000) as stage:
        told = []
        for _ in range(100_000):
            stage.advance()
            told += [update for update in said(reporter, now=0.0) if update.HasField("stage_progressed")]
    assert [progressed("s", 1.0 + 500.0 * n) for n in range(200)] == told


def test_progress_waits_for_the_tick_where_the_connection_is_slow(
    job: JobContext, reporter: Reporter
) -> None:
    """While updates pile up, progress is not added to the pile: the newest value stands for those before."""
    with job.stage("s", total=1000) as stage:
        for number in range(150):
            job.log(str(number))
        for _ in range(999):
            stage.advance()
        updates = said(reporter)
    assert [progressed("s", 999.0)] == [update for update in updates if update.HasField("stage_progressed")]


def test_a_stage_that_does_not_move_says_nothing(job: JobContext, reporter: Reporter) -> None:
    """Between two ticks without a change there is nothing to tell."""
    with job.stage("s") as stage:
        stage.advance()
        assert [started("s"), progressed("s", 1.0)] == said(reporter, 1.0)
        assert [] == said(reporter, 2.0)


def test_update_sets_what_is_given(job: JobContext, reporter: Reporter) -> None:
    """What is not given stays; a total and a message are told once."""
    with job.stage("s", total=5) as stage:
        stage.update(2, total=20, message="half of it")
        assert [started("s", total=5.0), progressed("s", 2.0, 20.0, "half of it")] == said(reporter, 1.0)
        stage.update(message="half of it")
        stage.advance(3)
        assert [progressed("s", 5.0)] == said(reporter, 2.0)
        assert (5.0, 20.0) == (stage.current, stage.total)


def test_an_exception_fails_the_stage_and_goes_on(job: JobContext, reporter: Reporter) -> None:
    """Each stage that an exception leaves has failed with it; the innermost first."""
    with pytest.raises(JobFailure), job.stage("outer") as outer, outer.stage("inner"):
        raise JobFailure("NO_DISK", "The disk is gone.", retryable=True)
    failure = Failure(code="NO_DISK", message="The disk is gone.", retryable=True)
    assert [
        started("outer"),
        started("inner", parent_stage_id="outer"),
        ended("inner", "FAILED", failure=failure),
        ended("outer", "FAILED", failure=failure),
    ] == said(reporter)


@pytest.mark.parametrize("cancellation", [asyncio.CancelledError, Cancelled])
async def test_a_cancellation_cancels_the_stage(
    job: JobContext, reporter: Reporter, cancellation: type[BaseException]
) -> None:
    """Both the one that asyncio raises and the one that is asked for."""
    with pytest.raises(cancellation):
        async with job.stage("s"):
            raise cancellation
    assert [started("s"), ended("s", "CANCELLED")] == said(reporter)


def test_a_skipped_stage_stays_skipped(job: JobContext, reporter: Reporter) -> None:
    """What is told of it afterwards is ignored."""
    with job.stage("s") as stage:
        stage.skip("nothing to do")
        stage.advance()
    assert [started("s"), ended("s", "SKIPPED", "nothing to do")] == said(reporter)
    with pytest.raises(RuntimeError, match="can be entered only once"):
        stage.__enter__()


def test_a_stage_starts_by_itself(job: JobContext, reporter: Reporter) -> None:
    """Progress of a stage that nobody entered starts it."""
    job.stage("s").advance(2)
    assert [started("s"), progressed("s", 2.0)] == said(reporter)


def test_track_counts_what_was_dealt_with(job: JobContext, reporter: Reporter) -> None:
    """An item counts when the next one is asked for; the total is what can be counted."""
    with job.stage("s") as stage:
        for item in stage.track([1, 2, 3]):
            assert item - 1 == stage.current
        assert (3.0, 3.0) == (stage.current, stage.total)


def test_track_tells_of_a_slow_item_with_the_next_tick(job: JobContext, reporter: Reporter) -> None:
    """However fast the loop was before: the count is right whenever it is asked for, and moving asks for it."""
    pace = [1, 1, 5000, 1, 30_000, 1, 1]
    with job.stage("s") as stage:
        items = stage.track(iter(range(sum(pace) + 1)))
        next(items)
        counted = 0
        for tick, count in enumerate(pace):
            for _ in range(count):
                next(items)
            counted += count
            assert [float(counted)] == [
                update.stage_progressed.current
                for update in said(reporter, now=float(tick))
                if update.HasField("stage_progressed")
            ]
            assert counted == stage.current
            assert [] == said(reporter, now=tick + 0.5)


def test_a_loop_tells_at_most_each_half_percent(job: JobContext, reporter: Reporter) -> None:
    """And no more than that between two ticks, whatever the total was said to be."""
    for stage_id, total in (("as-said", 30_000), ("far-beyond", 1), ("none", 0)):
        with job.stage(stage_id, total=total) as stage:
            for _ in stage.track(range(30_000)):
                pass
        updates = [update.stage_progressed.current for update in said(reporter)[1:-1]]
        assert sorted(set(updates)) == updates
        assert 30_000.0 == updates[-1]
        assert (101 if total == 30_000 else 2) >= len(
            updates
        )  # while nobody takes them, no more than 100 wait


@pytest.mark.parametrize("way", ["advance", "track"])
def test_no_step_is_overlooked(job: JobContext, reporter: Reporter, way: str) -> None:
    """What is counted while progress is asked for is told with this tick or the next, though nothing moves any more."""
    with job.stage("s") as stage:

        def work() -> None:
            if way == "track":
                for _ in stage.track(range(1000)):
                    pass
            else:
                for _ in range(1000):
                    stage.advance()

        now = 0.0
        for round_ in range(1, 51):
            thread = threading.Thread(target=work)
            thread.start()
            told: list[Update] = []
            while thread.is_alive():
                told += said(reporter, now := now + 1.0)
            told += said(reporter, now := now + 1.0)
            assert 1000.0 * round_ == told[-1].stage_progressed.current


def test_steps_are_any_real_number(job: JobContext, reporter: Reporter) -> None:
    """Also backwards; what no number can be is refused where it is given, and a sum that none can be is left out."""
    with job.stage("s") as stage:
        stage.advance(2.5)
        stage.advance(Fraction(1, 2))  # type: ignore[arg-type]
        stage.advance(True)
        stage.advance(-1)
        assert 3.0 == stage.current
        stage.advance(10**400)
        stage.advance(1e308)
        stage.advance(1e308)
        assert 3.0 <= stage.current < math.inf
        for wrong in (None, 1j):
            with pytest.raises(TypeError):
                stage.advance(wrong)  # type: ignore[arg-type]


def test_a_finalizer_may_log_at_any_moment(job: JobContext, reporter: Reporter) -> None:
    """It runs in whichever thread is at it, and that one may have the lock."""
    with reporter.lock:
        job.log("last words")
        job.stage("s").advance()
    assert ["log_written", "stage_started", "stage_progressed"] == [
        update.WhichOneof("update") for update in said(reporter)
    ]


async def test_track_takes_async_iterables(job: JobContext, reporter: Reporter) -> None:
    """The same for what is iterated with ``async for``."""

    async def items() -> AsyncIterator[int]:
        for number in range(4):
            yield number

    async with job.stage("s", total=8) as stage:
        assert [0, 1, 2, 3] == [item async for item in stage.track(items())]
        assert (4.0, 8.0) == (stage.current, stage.total)


def test_track_looks_for_the_cancellation(job: JobContext, reporter: Reporter) -> None:
    """A plain handler that only iterates can be cancelled."""
    got = []

    def handler() -> None:
        with job.stage("s") as stage:
            for item in stage.track(range(10)):
                got.append(item)
                if item == 2:
                    job.interrupt()

    with pytest.raises(Cancelled):
        handler()
    assert [0, 1, 2] == got
    assert ended("s", "CANCELLED") == said(reporter)[-1]


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_are_finite(job: JobContext, number: float) -> None:
    """A number that is none is refused where it is given, and changes nothing."""
    with job.stage("s") as stage:
        stage.advance(5)
        with pytest.raises(ValueError, match="cannot be"):
            stage.advance(number)
        with pytest.raises(ValueError, match="cannot be"):
            stage.update(number)
        with pytest.raises(ValueError, match="cannot be"):
            stage.update(total=number)
        assert 5.0 == stage.current
    with pytest.raises(ValueError, match="total of stage"):
        job.stage("t", total=number)


def test_a_stage_needs_a_name(job: JobContext) -> None:
    """Stage ids are checked where they are given."""
    with pytest.raises(ValueError, match="cannot be called"):
        job.stage("no spaces")


def test_there_are_at_most_a_thousand_stages(job: JobContext) -> None:
    """The bound of the contract is told to the handler, rather than refused by the server later."""
    for number in range(1000):
        job.stage(f"s{number}")
    job.stage("s5")
    with pytest.raises(ValueError, match="at most 1000 stages"):
        job.stage("one-more")


def test_stages_are_told_of_from_any_thread(job: JobContext, reporter: Reporter) -> None:
    """Nothing is lost where several threads advance the same stage."""
    with job.stage("s") as stage:

        def work() -> None:
            for _ in range(20_000):
                stage.advance()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert 80_000.0 == said(reporter)[-2].stage_progressed.current


def test_a_plan_is_told(job: JobContext, reporter: Reporter) -> None:
    """As ids, or as messages with more."""
    job.plan(["scan", Stage(stage_id="hash", weight=4)])
    assert [Stage(stage_id="scan"), Stage(stage_id="hash", weight=4)] == list(
        said(reporter)[0].stages_planned.stages
    )


def test_a_log_line_never_fails_the_job(job: JobContext, reporter: Reporter) -> None:
    """What JSON cannot say is said as text, what is too long is cut, and file names may be any bytes."""
    job.log("plain", severity="warning", stage="hash", size=3, path={1, 2}, name="\udcff")
    job.log("x" * 100_000)
    job.log("a\udcffb", severity=Severity.SEVERITY_ERROR, blob="y" * 100_000)
    first, second, third = (update.log_written for update in said(reporter))
    assert ("plain", Severity.SEVERITY_WARNING, "hash") == (first.text, first.severity, first.stage_id)
    assert {"size": 3.0, "path": "{1, 2}", "name": "\\udcff"} == dict(first.fields.items())
    assert 64 * 1024 >= len(second.text.encode())
    assert second.text.endswith("characters]")
    assert "a\\udcffb" == third.text
    assert {"clipped": "[clipped 100018 bytes]"} == dict(third.fields.items())
    with pytest.raises(ValueError, match="no severity 'loud'"):
        job.log("x", severity="loud")


def test_an_artifact_is_registered(job: JobContext, reporter: Reporter) -> None:
    """With what is known of it; what is out of its bounds is refused where it is given."""
    with job.stage("pack") as stage:
        job.artifact(
            "a.tar",
            "file:///a.tar",
            media_type="application/x-tar",
            size_bytes=7,
            sha256="0" * 64,
            stage=stage,
        )
    artifact = said(reporter)[1].artifact_added.artifact
    assert ("a.tar", "file:///a.tar", 7, "pack") == (
        artifact.name,
        artifact.uri,
        artifact.size_bytes,
        artifact.stage_id,
    )
    for name, uri, sha256 in (("", "u", ""), ("n", "", ""), ("n", "u", "F" * 64)):
        with pytest.raises(ValueError, match="artifact"):
            job.artifact(name, uri, sha256=sha256)
    with pytest.raises(ValueError, match="size of artifact"):
        job.artifact("n", "u", size_bytes=-1)


def test_an_event_of_ones_own(job: JobContext, reporter: Reporter) -> None:
    """As JSON, or as a message; too large or misnamed it is refused where it is given."""
    job.emit("topic.found", {"topic": "weather", "at": [1, 2.5, None, True]})
    job.emit("stage", Stage(stage_id="s"))
    first, second = (update.custom for update in said(reporter))
    assert ("topic.found", "weather") == (first.type, first.json["topic"])
    stage = Stage()
    assert second.proto.Unpack(stage)
    assert "s" == stage.stage_id
    with pytest.raises(ValueError, match="cannot be called"):
        job.emit("no spaces", {})
    with pytest.raises(ValueError, match="at most 262144"):
        job.emit("large", {"x": "y" * 300_000})
    with pytest.raises(TypeError, match=r"data\.when"):
        job.emit("t", {"when": object()})


def test_the_job_is_what_was_submitted(reporter: Reporter) -> None:
    """Input and labels as plain values."""
    message = Job(job_id="j", kind="k", attempt=3, labels={"a": "b"})
    message.input.update({"n": 1, "deep": {"list": [1, "x"]}})
    job = JobContext(message, reporter)
    assert ("j", "k", 3, {"a": "b"}) == (job.id, job.kind, job.attempt, job.labels)
    assert {"n": 1.0, "deep": {"list": [1.0, "x"]}} == job.input
    assert message is job.message
    assert not job.cancelled
    job.raise_if_cancelled()
    job.interrupt()
    assert job.cancelled
    with pytest.raises(Cancelled):
        job.raise_if_cancelled()
