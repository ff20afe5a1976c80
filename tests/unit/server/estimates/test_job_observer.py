"""What estimates know of a running job, from its events."""

from __future__ import annotations

from milepost.server.forecasting.job_observer import STAGE_LIMIT, JobObserver
from milepost.server.messages.timestamps import SECOND, timestamp
from milepost.v1 import Event, Job, JobStarted, JobSubmitted, Stage, StageEnded, StageProgressed, StageStarted


def observed(*events: tuple[float, Event]) -> JobObserver:
    """An observer of these events, each with its time in seconds."""
    observer = JobObserver()
    for at, event in events:
        event.time.CopyFrom(timestamp(round(at * SECOND)))
        observer.observe(event)
    return observer


def submitted(*stages: Stage) -> Event:
    """The submission of a job with these stages."""
    return Event(job_submitted=JobSubmitted(job=Job(stages=stages)))


def started() -> Event:
    """The start of an attempt."""
    return Event(job_started=JobStarted())


def begins(stage_id: str) -> Event:
    """The start of a stage."""
    return Event(stage_started=StageStarted(stage=Stage(stage_id=stage_id)))


def does(stage_id: str, current: float) -> Event:
    """Progress."""
    return Event(stage_progressed=StageProgressed(stage_id=stage_id, current=current))


def ends(stage_id: str) -> Event:
    """The end of a stage."""
    return Event(stage_ended=StageEnded(stage_id=stage_id))


def test_times_count_from_the_start_of_the_attempt() -> None:
    """Time in the queue does not count."""
    observer = observed((0, submitted()), (100, started()), (101, begins("s")), (103, does("s", 2)))
    progress = observer.progress(104 * SECOND, None)
    assert progress is not None
    stage = progress.stages["s"]
    assert (progress.elapsed, stage.start, stage.units, stage.last_update) == (4.0, 1.0, 2.0, 3.0)


def test_a_retry_begins_again() -> None:
    """Neither failed attempts nor the time between them count."""
    events = (
        (0, submitted(Stage(stage_id="s", total=5))),
        (1, started()),
        (2, begins("s")),
        (3, does("s", 4)),
        (60, started()),
        (61, begins("s")),
        (63, does("s", 1)),
        (64, ends("s")),
    )
    run = observed(*events).run(70 * SECOND)
    assert run is not None
    (step,) = run.steps
    assert (run.duration, step.stage.start, step.stage.end, run.closing) == (10.0, 1.0, 4.0, 6.0)
    assert step.stage.curve is not None
    assert step.stage.curve.units[-1] == 1.0


def test_a_stage_that_repeats_is_the_last_one() -> None:
    """Its first pass counts as what goes before it."""
    observer = observed(
        (0, started()),
        (0, begins("s")),
        (2, does("s", 2)),
        (3, ends("s")),
        (5, begins("s")),
        (6, does("s", 1)),
    )
    progress = observer.progress(7 * SECOND, None)
    assert progress is not None
    stage = progress.stages["s"]
    assert (stage.start, stage.end, stage.units) == (5.0, None, 1.0)


def test_a_stage_that_contains_others_is_none_itself() -> None:
    """Its time is theirs."""
    plan = (Stage(stage_id="p"), Stage(stage_id="p/a", parent_stage_id="p"))
    progress = observed((0, submitted(*plan)), (0, started())).progress(SECOND, None)
    assert progress is not None
    assert set(progress.stages) == {"p/a"}


def test_the_stages_that_are_followed_are_bounded() -> None:
    """And so is the memory."""
    observer = observed((0, started()))
    few = observer.memory
    for number in range(10 * STAGE_LIMIT):
        for event in (begins(f"s{number}"), does(f"s{number}", 1)):
            event.time.CopyFrom(timestamp(SECOND))
            observer.observe(event)
    progress = observer.progress(SECOND, None)
    assert progress is not None
    assert len(progress.stages) == STAGE_LIMIT
    assert observer.memory < few + STAGE_LIMIT * 6000


def test_a_job_without_its_events_is_one_straight_line() -> None:
    """From the job itself, as after a restart; and what it has beyond the events is added."""
    job = Job(start_time=timestamp(10 * SECOND))
    job.stages.add(
        stage_id="a", start_time=timestamp(11 * SECOND), end_time=timestamp(13 * SECOND), current=8
    )
    job.stages.add(stage_id="b", start_time=timestamp(13 * SECOND), current=3, total=9)
    progress = JobObserver.of(job, 16 * SECOND).progress(16 * SECOND, None)
    assert progress is not None
    a, b = progress.stages["a"], progress.stages["b"]
    assert (a.start, a.end, a.units) == (1.0, 3.0, 8.0)
    assert (b.start, b.end, b.units, b.total, b.last_update) == (3.0, None, 3.0, 9.0, 6.0)
