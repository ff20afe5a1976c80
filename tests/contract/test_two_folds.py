"""Two independent folds, the second written from docs/events.md alone, give the same job for any log.

What they differ in is what the docs leave open. Each difference that was found is a vector now.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from milepost.fold import fold
from milepost.v1 import (
    Artifact,
    AttemptEnded,
    Cancellation,
    ChildrenProgressed,
    Event,
    Failure,
    Job,
    JobEnded,
    JobState,
    Stage,
    StageEnded,
    StageProgressed,
    StageState,
)
from tests.contract.logs import IDS, logs, parts, unhurried
from tests.contract.second_fold import second_fold
from tests.contract.vectors import Vector, vectors


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector.name)
def test_the_second_fold_passes_the_vectors(vector: Vector) -> None:
    """The documentation agrees with the vectors."""
    assert _second(vector.events) == vector.job


@unhurried
@given(logs())
def test_both_folds_agree_on_server_logs(log: list[Event]) -> None:
    """Both folds have the same job after every event."""
    for length in range(1, len(log) + 1):
        assert fold(log[:length]) == _second(log[:length])


@unhurried
@given(parts())
def test_both_folds_agree_on_filtered_and_repeated_events(part: list[Event]) -> None:
    """Both folds have the same job if a filter excluded events, or some are repeated."""
    assert fold(part) == _second(part)


def _texts() -> st.SearchStrategy[str]:
    return st.sampled_from(["", "m", "n"])


_T = TypeVar("_T")


def _maybe(strategy: st.SearchStrategy[_T]) -> st.SearchStrategy[_T | None]:
    return st.one_of(st.none(), strategy)


_fractions = st.integers(0, 4).map(lambda quarters: quarters / 4)
_failures = st.builds(
    Failure, code=st.sampled_from(["", "BROKEN", "RELEASED"]), message=_texts(), retryable=st.booleans()
)


@st.composite
def _events(draw: st.DrawFn, sequence: int) -> Event:
    """Any events, including ones that the server would not author."""
    stage_id = draw(st.sampled_from(IDS))
    event = Event(job_id="j", sequence=sequence, attempt=draw(st.integers(0, 2)))
    event.time.FromSeconds(sequence)
    match draw(st.sampled_from([field.name for field in Event.DESCRIPTOR.oneofs_by_name["payload"].fields])):
        case "job_submitted":
            event.job_submitted.job.CopyFrom(
                Job(job_id="j", state=JobState.JOB_STATE_QUEUED, stages=_plan(draw))
            )
        case "job_started":
            event.job_started.worker_id, event.job_started.instance = draw(_texts()), draw(_texts())
        case "stages_planned":
            event.stages_planned.stages.extend(_plan(draw))
            event.stages_planned.planned_children = draw(st.integers(0, 2))
        case "stage_started":
            stage = _stage(draw, stage_id)
            stage.message = draw(_texts())
            event.stage_started.stage.CopyFrom(stage)
        case "stage_progressed":
            event.stage_progressed.CopyFrom(
                StageProgressed(
                    stage_id=stage_id,
                    current=draw(_fractions),
                    total=draw(_maybe(_fractions)),
                    unit=draw(_texts()),
                    message=draw(_texts()),
                    fraction=draw(_fractions),
                    job_fraction=draw(_fractions),
                )
            )
        case "stage_ended":
            event.stage_ended.CopyFrom(
                StageEnded(
                    stage_id=stage_id,
                    state=draw(st.sampled_from([*StageState.values()[3:], StageState.ValueType(99)])),
                    message=draw(_texts()),
                    failure=draw(_maybe(_failures)),
                    job_fraction=draw(_fractions),
                )
            )
        case "artifact_added":
            event.artifact_added.artifact.CopyFrom(
                Artifact(name=draw(st.sampled_from("pq")), uri=draw(_texts()))
            )
        case "cancel_requested":
            event.cancel_requested.cancellation.CopyFrom(Cancellation(reason=draw(_texts())))
        case "attempt_ended":
            event.attempt_ended.CopyFrom(AttemptEnded(failure=draw(_maybe(_failures))))
            if draw(st.booleans()):
                event.attempt_ended.retry_time.FromSeconds(sequence + 1)
        case "job_ended":
            event.job_ended.CopyFrom(
                JobEnded(
                    state=draw(st.sampled_from([*JobState.values()[4:], JobState.ValueType(99)])),
                    message=draw(_texts()),
                    failure=draw(_maybe(_failures)),
                    forced=draw(st.booleans()),
                )
            )
        case "children_progressed":
            event.children_progressed.CopyFrom(
                ChildrenProgressed(total=draw(st.integers(0, 3)), job_fraction=draw(_fractions))
            )
        case payload:
            getattr(event, payload).SetInParent()
    return event


def _plan(draw: st.DrawFn) -> list[Stage]:
    return [_stage(draw, stage_id) for stage_id in IDS if draw(st.booleans())]


def _stage(draw: st.DrawFn, stage_id: str) -> Stage:
    return Stage(
        stage_id=stage_id,
        parent_stage_id=stage_id.rpartition("/")[0],
        title=draw(_texts()),
        weight=draw(_maybe(_fractions)),
        total=draw(_maybe(_fractions)),
        unit=draw(_texts()),
    )


@st.composite
def _any_logs(draw: st.DrawFn) -> list[Event]:
    log: list[Event] = []
    for sequence in range(1, draw(st.integers(2, 20))):
        log.append(draw(_events(sequence)))
        if log[-1].HasField("job_ended"):
            break
    return log


@unhurried
@given(_any_logs())
def test_both_folds_agree_on_arbitrary_events(log: list[Event]) -> None:
    """Both folds have the same job even for logs that this server never authors."""
    assert fold(log) == _second(log)


def _second(events: Sequence[Event]) -> Job:
    job = Job()
    json_format.ParseDict(second_fold([json_format.MessageToDict(event) for event in events]), job)
    return job
