"""Progress of a stage: counted in any loop, thinned at the source, and exact."""

from __future__ import annotations

import math
import threading
from collections.abc import AsyncIterator
from fractions import Fraction
from itertools import pairwise

import pytest

from milepost.client import Cancelled, JobContext
from milepost.client._worker.reporter import Reporter
from milepost.v1 import Stage, Update
from tests.unit.client.stages import ended, progressed, said, started


def test_the_last_value_comes_before_the_end(job: JobContext, reporter: Reporter) -> None:
    """However progress is thinned, the last value is reported."""
    with job.stage("s") as stage:
        for _ in range(1234):
            stage.advance()
    assert [started("s"), progressed("s", 1234.0), ended("s", "SUCCEEDED")] == said(reporter)


def test_progress_is_reported_each_half_percent_without_a_tick(job: JobContext, reporter: Reporter) -> None:
    """However many items that is; a stage that is faster than twenty of these a second may do so twenty times."""
    with job.stage("s", total=100_000) as stage:
        results = []
        for _ in range(100_000):
            stage.advance()
            results += [update for update in said(reporter, now=0.0) if update.HasField("stage_progressed")]
    assert results == [progressed("s", 1.0 + 500.0 * n) for n in range(1 + 20)]


@pytest.mark.parametrize(("seconds", "least", "most"), [(0.9, 45, 50), (5.0, 145, 155)])
def test_a_fast_stage_reports_twenty_times_a_second_beside_its_ticks(
    job: JobContext, reporter: Reporter, seconds: float, least: int, most: int
) -> None:
    """And twenty times at its start: nobody sees more, and each report costs its worker and the server."""
    with job.stage("s", total=1_000) as stage:
        results = []
        for item in stage.track(range(1_000)):
            results += [
                (item, update.stage_progressed.current)
                for update in said(reporter, item / 1_000 * seconds)
                if update.HasField("stage_progressed")
            ]
    assert results == [(item, float(item)) for item, _ in results]
    assert least <= len(results) <= most
    assert max(later - item for (item, _), (later, _) in pairwise(results)) <= max(100 / seconds + 1, 5)


def test_progress_waits_for_the_tick_where_the_connection_is_slow(
    job: JobContext, reporter: Reporter
) -> None:
    """While updates are pending, progress is not queued: the newest value supersedes earlier ones."""
    with job.stage("s", total=1000) as stage:
        for number in range(150):
            job.log(str(number))
        for _ in range(999):
            stage.advance()
        updates = said(reporter)
    assert [progressed("s", 999.0)] == [update for update in updates if update.HasField("stage_progressed")]


def test_a_stage_that_does_not_move_says_nothing(job: JobContext, reporter: Reporter) -> None:
    """Without a change there is no report."""
    with job.stage("s") as stage:
        stage.advance()
        assert [started("s"), progressed("s", 1.0)] == said(reporter, 1.0)
        assert said(reporter, 2.0) == []


def test_track_counts_what_was_dealt_with(job: JobContext, reporter: Reporter) -> None:
    """An item counts when the next one is requested; the total is the length, if known."""
    with job.stage("s") as stage:
        for item in stage.track([1, 2, 3]):
            assert stage.current == item - 1
        assert (stage.current, stage.total) == (3.0, 3.0)


def test_track_tells_of_a_slow_item_with_the_next_tick(job: JobContext, reporter: Reporter) -> None:
    """However fast the loop was before, the next tick has the exact count."""
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
            assert said(reporter, now=tick + 0.5) == []


def test_a_loop_tells_at_most_each_half_percent(job: JobContext, reporter: Reporter) -> None:
    """And not more often between two ticks, whatever the total."""
    for stage_id, total in (("as-said", 30_000), ("far-beyond", 1), ("none", 0)):
        with job.stage(stage_id, total=total) as stage:
            for _ in stage.track(range(30_000)):
                pass
        updates = [update.stage_progressed.current for update in said(reporter)[1:-1]]
        assert sorted(set(updates)) == updates
        assert updates[-1] == 30_000.0
        # Without a reader at most 100 updates are pending.
        assert len(updates) <= (101 if total == 30_000 else 2)


@pytest.mark.parametrize("way", ["advance", "track"])
def test_no_step_is_overlooked(job: JobContext, reporter: Reporter, way: str) -> None:
    """Items counted during a tick are reported with it or the next one, even if the stage moves no more."""
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
            updates: list[Update] = []
            while thread.is_alive():
                updates += said(reporter, now := now + 1.0)
            updates += said(reporter, now := now + 1.0)
            assert updates[-1].stage_progressed.current == 1000.0 * round_


def test_whoever_asks_how_far_it_is_hides_no_step(job: JobContext, reporter: Reporter) -> None:
    """Also between the step and the check whether to report it."""

    class Asked(list[float]):
        """A list that reads the progress during `append`, as another thread may."""

        def append(self, step: float) -> None:
            """Read the progress of the stage."""
            super().append(step)
            asked.append(stage.current)

    asked: list[float] = []
    with job.stage("s") as stage:
        stage._steps = Asked()
        stage.advance()
        assert asked == [1.0]
        assert progressed("s", 1.0) == said(reporter)[-1]


def test_steps_are_any_real_number(job: JobContext, reporter: Reporter) -> None:
    """Also negative ones; NaN and overflowing sums are left out."""
    with job.stage("s") as stage:
        stage.advance(2.5)
        stage.advance(Fraction(1, 2))  # type: ignore[arg-type]
        stage.advance(True)
        stage.advance(-1)
        assert stage.current == 3.0
        stage.advance(10**400)
        stage.advance(1e308)
        stage.advance(1e308)
        assert stage.current == 1e308
        for wrong in (None, 1j):
            stage.advance(wrong)  # type: ignore[arg-type]
        assert stage.current == 1e308


async def test_track_takes_async_iterables(job: JobContext, reporter: Reporter) -> None:
    """With ``async for``, too."""

    async def items() -> AsyncIterator[int]:
        for number in range(4):
            yield number

    async with job.stage("s", total=8) as stage:
        assert [item async for item in stage.track(items())] == [0, 1, 2, 3]
        assert (stage.current, stage.total) == (4.0, 8.0)


def test_track_looks_for_the_cancellation(job: JobContext, reporter: Reporter) -> None:
    """A plain handler that only iterates notices the cancellation."""
    got = []

    def handler() -> None:
        with job.stage("s") as stage:
            for item in stage.track(range(10)):
                got.append(item)
                if item == 2:
                    job._control.cancel_signal.set()

    with pytest.raises(Cancelled):
        handler()
    assert got == [0, 1, 2]
    assert ended("s", "CANCELLED") == said(reporter)[-1]


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_are_finite(job: JobContext, reporter: Reporter, number: float) -> None:
    """NaN changes nothing, is logged once per kind, and never fails the job."""
    with job.stage("s") as stage:
        stage.advance(5)
        for _ in range(3):
            stage.advance(number)
            stage.update(number, total=number)
        stage.update(10**400, total=-1)
        assert (stage.current, stage.total) == (5.0, None)
    with job.stage("t", total=number, weight=number) as other:
        assert other.total is None
    job.plan([Stage(stage_id="u", total=number, weight=number)])
    updates = said(reporter)
    warnings = [update.log_written.text for update in updates if update.HasField("log_written")]

    assert warnings == [
        f"Stage 's' cannot advance by {number}: it stays as it is.",
        f"Stage 's' cannot have a total of {number}: it stays as it is.",
        f"Stage 's' cannot be at {number}: it stays as it is.",
        f"The weight of stage 't' cannot be {number}: it is left unknown.",
        f"The total of stage 't' cannot be {number}: it is left unknown.",
        f"The weight of stage 'u' cannot be {number}: it is left unknown.",
        f"The total of stage 'u' cannot be {number}: it is left unknown.",
    ]
    assert list(updates[-1].stages_planned.stages) == [Stage(stage_id="u")]


def test_stages_are_reported_from_any_thread(job: JobContext, reporter: Reporter) -> None:
    """No step is lost when several threads advance the same stage."""
    with job.stage("s") as stage:

        def work() -> None:
            for _ in range(20_000):
                stage.advance()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert said(reporter)[-2].stage_progressed.current == 80_000.0


def test_no_number_is_sent_that_the_server_refuses(job: JobContext, reporter: Reporter) -> None:
    """The contract's bound is 1e30: larger amounts leave the stage unchanged, or are reported as the bound."""
    with job.stage("s", total=1.1e30) as stage:
        assert stage.total is None
        stage.update(total=1e31)
        stage.update(1e31)
        stage.advance(5e29)
        stage.advance(5e300)
    updates = [update.stage_progressed for update in said(reporter) if update.HasField("stage_progressed")]
    assert [(progress.current, progress.HasField("total")) for progress in updates] == [(1e30, False)]


def test_children_that_cannot_be_planned_are_left_unknown(job: JobContext, reporter: Reporter) -> None:
    """With a warning, as for every invalid value."""
    job.plan(children=-1)
    plans = [update.stages_planned for update in said(reporter) if update.HasField("stages_planned")]
    assert [plan.planned_children for plan in plans] == [0]
