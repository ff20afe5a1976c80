"""Forecasts of remaining times: pure, from past runs."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from milepost.server.decide.stage_weights import learn_weights
from milepost.server.forecasting.calibration import CHECKPOINTS, POOL_SIZE, Pool, percentile, upper_bound
from milepost.server.forecasting.forecast import RUN_LIMIT, forecast, since_change
from milepost.server.forecasting.job_progress import JobProgress, StageProgress
from milepost.server.forecasting.kind_history import NO_HINDSIGHT, Basis, KindHistory
from milepost.server.forecasting.pace_curve import KNOT_LIMIT, CurveBuilder
from milepost.server.forecasting.past_progress import progress_at
from milepost.server.forecasting.past_run import PastRun
from milepost.server.forecasting.queue_schedule import NO_TIME, Span, end_of, start_of
from milepost.server.forecasting.workload import scales_of
from milepost.server.scheduling.steps import finish
from milepost.v1 import Stage
from tests.unit.server.estimates.past_runs import counted, known, staged

COVERED = (True,) * len(CHECKPOINTS)


def left(progress: JobProgress, *runs: PastRun) -> float:
    """The remaining time that is forecast."""
    found = forecast(progress, runs)
    assert found is not None
    return found.remaining


def test_without_runs_there_is_no_forecast() -> None:
    """No evidence, no estimate."""
    assert forecast(JobProgress(1.0, {}), ()) is None
    assert known().remaining(JobProgress(1.0, {})) is None


def test_a_job_goes_on_like_the_runs_before_it() -> None:
    """Without stages, what is left of the median run."""
    runs = [PastRun(duration, 0.0, (), duration) for duration in (10.0, 11.0, 30.0)]
    assert left(JobProgress(4.0, {}), *runs) == 7.0


def test_overlapping_stages_take_as_long_as_the_critical_path() -> None:
    """Not as long as all of them together."""
    run = staged(("a", 0, 4), ("b", 0, 10), ("c", 10, 13), duration=13)
    now = {"a": StageProgress(start=0.0), "b": StageProgress(start=0.0), "c": StageProgress()}
    assert left(JobProgress(1.0, now), run) == 12.0


def test_a_stage_that_ended_early_moves_what_follows_it() -> None:
    """What waited for it begins earlier, and a gap between the two is kept."""
    run = staged(("a", 0, 10), ("b", 12, 20), duration=20)
    now = {"a": StageProgress(start=0.0, end=5.0), "b": StageProgress()}
    assert left(JobProgress(5.0, now), run) == 10.0


def test_the_pace_of_this_run_counts_more_the_more_of_it_is_seen() -> None:
    """A job that runs at half the pace is forecast between both paces, and comes near its own."""
    run = counted(100, 1.0)

    def at(units: int) -> float:
        now = StageProgress(0.0, None, 100.0, float(units), 1.0, 2.0, 2.0 * units, units)
        return left(JobProgress(2.0 * units, {"s": now}), run)

    assert 98 < at(2) < 196
    assert 0.9 < at(50) / 100 < 1.0


def test_a_late_unit_moves_the_end_only_beyond_what_units_differ_by() -> None:
    """It is due after 51 s. Until it is late by a tenth of what comes after it, 4.9 s, the end stays where it was."""

    def end(elapsed: float) -> float:
        stage = StageProgress(0.0, None, 100.0, 50.0, 1.0, 1.0, 50.0, 50)
        return elapsed + left(JobProgress(elapsed, {"s": stage}), counted(100, 1.0))

    assert [end(elapsed) for elapsed in (50.0, 51.0, 55.0, 60.0)] == pytest.approx([100, 100, 100, 104.1])


def test_a_late_stage_moves_the_end_only_beyond_what_stages_differ_by() -> None:
    """One that counts no units and runs alone: due after 10 s, with 90 s after it. What is late takes twice as long
    again, so that it is three times as late at its end: up to 9 s, a tenth of what comes after it, the end stays.
    """
    run = staged(("load", 0, 10), ("work", 10, 100), duration=100)

    def end(elapsed: float, **others: StageProgress) -> float:
        now = {"load": StageProgress(0.0), "work": StageProgress(), **others}
        return elapsed + left(JobProgress(elapsed, now), run)

    assert [end(elapsed) for elapsed in (9.0, 10.0, 10.2)] == pytest.approx([100, 100, 100])
    assert end(30.0) > 110.0
    assert end(10.2, work=StageProgress(0.0)) == pytest.approx(90)


def test_the_end_does_not_jump_while_nothing_happens() -> None:
    """A job that outlasts the run before it: its end moves away little by little, and by 9 % of that at most."""

    def end(elapsed: float) -> float:
        return elapsed + left(JobProgress(elapsed, {}), PastRun(100.0, 0.0, (), 100.0))

    ends = [end(float(elapsed)) for elapsed in range(90, 121)]
    assert ends[:11] == [100.0] * 11
    assert max(after - before for before, after in pairwise(ends)) == pytest.approx(3)
    assert ends[-1] == pytest.approx(120 * 1.09)


def test_other_units_than_before_take_as_much_longer() -> None:
    """Twice the units take twice the time, before any was done."""
    pending = {"s": StageProgress(total=200.0)}
    assert left(JobProgress(0.0, pending), counted(100, 1.0)) == pytest.approx(200)


def test_workloads_beyond_the_range_of_numbers() -> None:
    """Any positive number may be one, and what grows by a power of their ratio: there is an estimate nevertheless."""
    least, most = 5e-324, 1e30
    runs = [staged(("s", 0.0, n * n), duration=float(n * n), workload=float(n)) for n in range(1, 8)]
    kinds = [known(*runs), known(*(run._replace(workload=run.workload * least) for run in runs))]
    found = [kind.whole(workload) for kind in kinds for workload in (least, most)]

    assert [each is not None and math.isfinite(each.p50 + each.p90) for each in found] == [True] * 4


def test_durations_grow_with_the_workload() -> None:
    """By the power that the runs show, from five runs of three workloads; fewer show none."""
    runs = [PastRun(2 * w, w, (), 2 * w) for w in (1.0, 2.0, 4.0, 8.0, 16.0)]
    assert scales_of(runs).job == pytest.approx(1)
    assert scales_of(runs[:4]).job == 0
    whole = known(*runs).whole(workload=32.0)
    assert whole is not None
    assert whole.p50 == pytest.approx(64)
    assert whole.basis is Basis.WORKLOAD


def test_a_kind_that_became_faster_is_right_within_five_runs() -> None:
    """Runs from before the change do not count then."""
    slow, fast = (
        [PastRun(100.0 + n % 3, 0.0, (), 100.0 + n % 3) for n in range(20)],
        PastRun(50.0, 0.0, (), 50.0),
    )
    history = known(*slow, *[fast] * 5)
    whole = history.whole()
    assert whole is not None
    assert whole.p50 == 50.0
    assert len(since_change([*slow, *[fast] * 3])) == 23


def test_runs_that_differ_much_are_no_change() -> None:
    """Four that were a little faster than all before come by chance; those that are clearly faster do not, even after
    one that was odd.
    """

    def counted_after(*after: float) -> int:
        before = (100.0, 120.0, 140.0, 160.0, 180.0, 1000.0)
        return len(since_change([PastRun(taken, 0.0, (), taken) for taken in (*before, *after)]))

    assert counted_after(90.0, 95.0, 85.0, 98.0) == 10
    assert counted_after(50.0, 45.0, 54.0, 40.0) == 4


def test_a_job_is_overdue_after_three_times_the_longest_run() -> None:
    """Then its remaining time is unknown."""
    history = known(*[PastRun(10.0, 0.0, (), 10.0)] * 3)
    assert (history.is_overdue(JobProgress(30.0, {})), history.is_overdue(JobProgress(30.1, {}))) == (
        False,
        True,
    )
    assert history.remaining(JobProgress(30.0, {})) is not None
    assert history.remaining(JobProgress(30.1, {})) is None


def test_a_job_is_overdue_by_its_workload() -> None:
    """One that is larger than all before may take as much longer as these tell; a small one no less than they took."""
    history = known(*[PastRun(0.3 * n, 99.0 + n, (), 0.3 * n) for n in range(1, 6)])
    large, small = JobProgress(5.5, {}, 2000.0), JobProgress(4.6, {}, 50.0)
    assert [history.is_overdue(job) for job in (large, small, large._replace(elapsed=2000.0))] == [
        False,
        True,
        True,
    ]
    remaining = history.remaining(large)
    assert remaining is not None
    assert remaining.p50 > 100.0


def test_a_large_job_after_a_small_one_is_estimated_from_its_own_pace() -> None:
    """A run or two do not make a job overdue that counts its units: they are no more than the sizes that came first."""
    small = counted(100, 0.1)
    large = JobProgress(100.0, {"s": StageProgress(0.0, None, 1000.0, 250.0, 1.0, 0.4, 100.0, 250)})
    assert [known(*[small] * runs).is_overdue(large) for runs in (1, 2, 3)] == [False, False, True]
    found = known(small).remaining(large)
    assert found is not None
    assert found.p50 == pytest.approx(300.0, rel=0.05)
    assert found.basis == Basis.PACE
    # Units that the runs before did not count tell nothing of the pace.
    assert known(PastRun(10.0, 0.0, (), 10.0)).is_overdue(large)


def test_a_pace_of_another_order_counts_at_once() -> None:
    """A run of 30 ms says nothing of a job that takes 3 s for each unit, from before the first of them is done: it had
    0.03 s left, or was overdue.
    """
    history = known(counted(10, 0.003))

    def ratio(units: int, later: float) -> float:
        elapsed = 3.0 * units + later
        first = (1.0, 3.0) if units else (0.0, 0.0)
        now = StageProgress(0.0, None, 10.0, float(units), *first, 3.0 * units, units)
        found = history.remaining(JobProgress(elapsed, {"s": now}))
        assert found is not None
        return found.p50 / (30.0 - elapsed)

    assert all(0.6 < ratio(units, later) < 1.1 for units in range(1, 9) for later in (0.0, 1.0, 2.9))
    assert 0.6 < ratio(0, 2.9) < 1.1


def test_the_first_job_of_a_kind_is_estimated_from_its_own_pace() -> None:
    """From three updates and 5 % on."""
    history = known()

    def at(units: int, total: float) -> JobProgress:
        now = StageProgress(0.0, None, total, float(units), 1.0, 1.0, float(units), units)
        return JobProgress(float(units), {"s": now}, 0.0, units / total)

    assert history.remaining(at(2, 20)) is None
    assert history.remaining(at(3, 100)) is None
    found = history.remaining(at(4, 20))
    assert found is not None
    assert (found.p50, found.basis, found.sample_size) == (16.0, Basis.PACE, 4)


def test_hindsight_follows_from_the_runs_that_are_kept() -> None:
    """Not from runs before them, nor from other kinds: so a server that read them from the store says the same."""
    pool = Pool()
    for position in range(POOL_SIZE):
        pool.add((3.0,) * len(CHECKPOINTS), COVERED, 2, -1 - position)
    seen = KindHistory(pool)
    for position in range(RUN_LIMIT + 8):
        seen.add(PastRun(10.0 + position % 7, 0.0, (), 10.0 + position % 7), position)
    found = finish(seen.hindsight())

    assert found == finish(known(*seen.runs).hindsight())
    assert (found.runs, found.median_error > 0, 0.5 < found.coverage <= 1) == (RUN_LIMIT - 1, True, True)
    seen.add(PastRun(99.0, 0.0, (), 99.0), RUN_LIMIT + 8)
    assert finish(seen.hindsight()).mean_error > found.mean_error
    assert finish(known().hindsight()) == NO_HINDSIGHT


def test_learned_weights_are_the_durations_of_the_stages() -> None:
    """Their medians, in the order in which they start."""
    runs = [staged(("a", 0, d), ("b", d, 20), duration=20) for d in (4.0, 5.0, 9.0)]
    assert list(known(*runs).weights().items()) == [("a", 5.0), ("b", 15.0)]


# Calibration.


def test_the_90th_percentile_covers_nine_of_ten() -> None:
    """Ten errors: the rank of n + 1; fewer have none of their own."""
    errors = [n / 10 for n in range(1, 11)]
    assert percentile(errors) == pytest.approx(0.99)
    assert percentile([0.1, 0.2]) == math.log(2)


def test_the_bound_is_not_below_the_forecast() -> None:
    """Also where forecasts were always too high."""
    assert upper_bound(10.0, 10.0, (-1.0,) * len(CHECKPOINTS)) == 10.0
    assert upper_bound(10.0, 10.0, (math.log(2),) * len(CHECKPOINTS)) == pytest.approx(20.0, rel=0.05)


@pytest.mark.parametrize("taken", [10.0, 0.0])
def test_a_job_that_has_just_started_has_an_estimate(taken: float) -> None:
    """In the same instant, too, as by a clock that was set back, and where runs took no time."""
    history = known(*[PastRun(taken, 0.0, (), taken)] * 3)
    found = history.remaining(JobProgress(0.0, {}))
    assert found is not None
    assert (found.p50, found.p90 >= taken) == (taken, True)


def test_a_pool_has_each_run_once() -> None:
    """However often its history is read, and the latest of them, whatever their order."""
    pool, again = Pool(), Pool()
    errors = {n: (n / 1000,) * len(CHECKPOINTS) for n in range(POOL_SIZE + 10)}
    for n, each in errors.items():
        pool.add(each, COVERED, 2, n)
    for n, each in reversed(errors.items()):
        again.add(each, COVERED, 2, n)
        again.add(each, COVERED, 2, n)
    assert pool.bounds(2) == again.bounds(2)


def test_the_level_adapts_to_what_was_covered() -> None:
    """Where a tenth of the bounds do not cover it stays, where more do not, bounds widen; each run counts once."""

    def bound(missed: int, times: int = 1) -> float:
        pool = Pool()
        for n in range(100):
            for _ in range(times):
                pool.add((n / 100,) * len(CHECKPOINTS), (n % 10 >= missed,) * len(CHECKPOINTS), 6, n)
        return pool.bounds(6)[0]

    assert bound(1) == pytest.approx(0.899)
    assert bound(0) < bound(1) < bound(2) < 1
    assert bound(2, times=3) == bound(2)


def test_bounds_of_a_kind_that_changed_are_of_runs_after_it() -> None:
    """The errors of forecasts from fast runs for slow ones, by a factor of ten, say nothing of what comes after."""
    fast = [PastRun(10.0 + n / 10, 0.0, (), 10.0 + n / 10) for n in range(12)]
    slow = [PastRun(100.0 + n, 0.0, (), 100.0 + n) for n in range(4)]
    whole = known(*fast, *slow).whole()
    assert whole is not None
    assert 100 < whole.p50 <= whole.p90 < 300


def test_runs_are_judged_from_those_that_had_ended_when_they_started() -> None:
    """Ten that start together end in the order of their durations: none of them has one of the others before it."""
    before = [PastRun(10.0, 0.0, (), 10.0, (n + 1) * 10**10) for n in range(3)]
    together = [PastRun(10.0 + n, 0.0, (), 10.0 + n, round((40 + n) * 1e9)) for n in range(10)]
    judged = known(*before, *together).judgements
    assert [each.relative[0] for each in list(judged)[2:]] == pytest.approx([n / (10 + n) for n in range(10)])

    unknown = known(*(run._replace(ended=0) for run in (*before, *together))).judgements
    assert unknown[-1].relative[0] < judged[-1].relative[0]


# Curves.


def test_a_curve_keeps_where_the_pace_changes() -> None:
    """A thousand updates in a few knots."""
    builder = CurveBuilder()
    for unit in range(1, 1001):
        builder.add(unit, unit if unit <= 500 else 500 + 3 * (unit - 500))
    curve = builder.curve()
    assert curve is not None
    assert len(curve.units) <= KNOT_LIMIT
    found = [curve.at(units) for units in (250, 500, 1000)]
    assert found == pytest.approx([250, 500, 2000], rel=0.02)


def test_a_run_in_hindsight_is_as_it_was() -> None:
    """At half of its time half of its units are done."""
    now = progress_at(counted(10, 1.0), 5.0).stages["s"]
    assert (now.units, now.total, now.updates, now.last_update) == (5.0, 10.0, 5, 5.0)


# Queues.


def test_a_job_starts_when_a_slot_is_free_after_those_before_it() -> None:
    """Each slot takes the next job when it is free."""
    run = Span(10.0, 2.0)
    assert start_of([NO_TIME, Span(3.0, 0.0)], 0, run) == NO_TIME
    assert start_of([Span(5.0, 1.0), Span(3.0, 0.0)], 1, run) == Span(5.0, 1.0)
    assert start_of([Span(3.0, 0.0)], 4, run) == Span(43.0, 4.0)


def test_the_last_child_ends_a_parent() -> None:
    """Those that wait follow, as many at once as run."""
    run = Span(10.0, 0.0)
    assert end_of([Span(4.0, 1.0), Span(7.0, 0.0)], [], 2) == Span(7.0, 0.0)
    assert end_of([Span(4.0, 0.0), Span(7.0, 0.0)], [run, run], 2).p50 == 17.0


# Weights.


def test_weights_that_nobody_gave_are_learned() -> None:
    """Relative to the mean of their siblings; a given one stays, an unknown one counts as the mean, and a stage that
    contains others as all of them.
    """
    plan = [
        Stage(stage_id="a"),
        Stage(stage_id="b", weight=7),
        Stage(stage_id="c"),
        Stage(stage_id="c/x", parent_stage_id="c"),
        Stage(stage_id="c/y", parent_stage_id="c"),
        Stage(stage_id="new"),
    ]
    learn_weights(plan, {"a": 2.0, "b": 3.0, "c/x": 5.0, "c/y": 1.0})
    found = {stage.stage_id: stage.weight for stage in plan if stage.HasField("weight")}
    assert found == pytest.approx({"a": 0.5, "b": 7, "c": 1.5, "c/x": 5 / 3, "c/y": 1 / 3})


def test_stages_that_are_planned_later_weigh_as_those_before_them() -> None:
    """By the same scale, so that the bar runs on as straight. Planned again, they have the weights that they had."""
    first = [Stage(stage_id="a"), Stage(stage_id="b")]
    seconds = {"a": 2.0, "b": 6.0, "c": 12.0, "c/x": 1.0, "d": 4.0}
    learn_weights(first, seconds)
    again = [Stage(stage_id=name) for name in ("a", "b", "c", "unknown")]
    again.append(Stage(stage_id="c/x", parent_stage_id="c"))
    learn_weights(again, seconds, first)
    late = [Stage(stage_id="d")]
    learn_weights(late, seconds, again)

    weights = {stage.stage_id: stage.weight for stage in (*again, *late) if stage.HasField("weight")}
    assert weights == pytest.approx({"a": 0.5, "b": 1.5, "c": 3.25, "c/x": 1, "d": 1})
