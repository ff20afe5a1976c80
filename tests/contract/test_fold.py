"""The effect of each event on a job."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from milepost.fold import Fold, fold, job_fraction_after, share
from milepost.v1 import (
    Event,
    Job,
    JobEnded,
    JobState,
    Stage,
    StageEnded,
    StageProgressed,
    StagesPlanned,
    StageStarted,
    StageState,
)
from tests.contract.vectors import Vector, vectors

VECTORS = vectors()

each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
each_whole_vector = pytest.mark.parametrize(
    "vector", [vector for vector in VECTORS if vector.is_whole], ids=lambda vector: vector.name
)


@each_vector
def test_folding_a_vector_gives_its_job(vector: Vector) -> None:
    """The description of the vector is the rule."""
    assert vector.job == fold(vector.events), vector.description


@each_vector
def test_the_fold_continues_from_any_snapshot(vector: Vector) -> None:
    """The fold can continue from a stored or sent job, at any point of the log."""
    for cut in range(len(vector.events)):
        snapshot = Job.FromString(fold(vector.events[:cut]).SerializeToString())

        assert vector.job == fold(vector.events[cut:], snapshot)


@each_vector
def test_folding_events_again_changes_nothing(vector: Vector) -> None:
    """Folding events again has no effect."""
    assert vector.job == fold(vector.events, fold(vector.events))


@each_whole_vector
def test_the_job_fraction_is_the_weighted_mean_of_its_stages(vector: Vector) -> None:
    """The fractions that the server authors equal the weighted means of the fold."""
    for before, event in _steps(vector):
        if event.HasField("stage_progressed"):
            stage = before.stages[event.stage_progressed.stage_id]
            stage_share = event.stage_progressed.fraction
            result = event.stage_progressed.job_fraction
        elif event.HasField("stage_ended"):
            stage = before.stages[event.stage_ended.stage_id]
            stage_share = share(Stage(state=event.stage_ended.state, fraction=stage.fraction))
            result = event.stage_ended.job_fraction
        else:
            continue

        assert result == job_fraction_after(before, stage, stage_share)


def test_every_payload_is_in_a_vector() -> None:
    """Every case of the fold has a vector."""
    expected = {field.name for field in Event.DESCRIPTOR.oneofs_by_name["payload"].fields}

    assert {event.WhichOneof("payload") for vector in VECTORS for event in vector.events} - {None} == expected


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "CANCELLED", "LOST"])
def test_every_end_meets_stages_in_every_state(state: str) -> None:
    """The vectors cover, for each end of a job, stages that are pending, running and ended."""
    end = JobState.Value(f"JOB_STATE_{state}")
    expected = {
        StageState.STAGE_STATE_PENDING,
        StageState.STAGE_STATE_RUNNING,
        StageState.STAGE_STATE_SUCCEEDED,
    }

    assert any(
        expected == {stage.state for stage in before.job.stages}
        for vector in VECTORS
        for before, event in _steps(vector)
        if event.HasField("job_ended") and event.job_ended.state == end
    )


def test_a_payload_of_a_later_version_only_counts() -> None:
    """An unknown payload only advances the sequence (rule 9)."""
    field_99 = bytes([0x9A, 0x06, 0x02, 0x08, 0x01])
    event = Event.FromString(Event(job_id="j", sequence=1).SerializeToString() + field_99)

    assert fold([event]) == Job(last_sequence=1)


@pytest.mark.parametrize("payload", ["job_ended", "stage_ended"])
def test_stages_may_nest_as_deep_as_there_are_stages(payload: str) -> None:
    """A chain of the maximum number of stages ends like any other."""
    running = StageState.STAGE_STATE_RUNNING
    inner = (Stage(stage_id=f"{n}", parent_stage_id=f"{n - 1}", state=running) for n in range(1, 1000))
    stages = [Stage(stage_id="0", state=running), *inner]
    event = Event(sequence=1)
    if payload == "job_ended":
        event.job_ended.state = JobState.JOB_STATE_SUCCEEDED
    else:
        event.stage_ended.stage_id = "0"
        event.stage_ended.state = StageState.STAGE_STATE_SUCCEEDED

    job = fold([event], Job(stages=stages))

    assert [stage.state for stage in job.stages] == [StageState.STAGE_STATE_SUCCEEDED] * 1000


@pytest.mark.parametrize("parents", [{"a": "a"}, {"a": "b", "b": "a"}])
def test_stages_that_are_part_of_each_other_do_not_hang_the_fold(parents: dict[str, str]) -> None:
    """No server authors this; a client that receives it continues with the next event."""
    running = StageState.STAGE_STATE_RUNNING
    stages = [Stage(stage_id=key, parent_stage_id=value, state=running) for key, value in parents.items()]
    events = [
        Event(sequence=1, stage_progressed=StageProgressed(stage_id="a", current=1, total=2, fraction=0.5)),
        Event(sequence=2, stage_started=StageStarted(stage=Stage(stage_id="c", parent_stage_id="c"))),
        Event(sequence=3, stages_planned=StagesPlanned(stages=[Stage(stage_id="d", parent_stage_id="d")])),
        Event(sequence=4, stage_ended=StageEnded(stage_id="a", state=StageState.STAGE_STATE_SUCCEEDED)),
        Event(sequence=5, job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED)),
    ]

    job = fold(events, Job(stages=stages))

    assert job.last_sequence == 5
    assert all(stage.HasField("end_time") for stage in job.stages if stage.stage_id != "d")


def _steps(vector: Vector) -> Iterator[tuple[Fold, Event]]:
    """Each event with the job before it."""
    state = Fold()
    for event in vector.events:
        yield state, event
        state.apply(event)
