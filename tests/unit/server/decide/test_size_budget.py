"""The size budget of a job."""

from __future__ import annotations

from typing import Any

import pytest

from milepost.contract import limits
from milepost.contract.reasons import reason_name
from milepost.fold import Fold
from milepost.server import decide
from milepost.server.base.refusal import Refusal
from milepost.server.decide.size_budget import OMITTED
from milepost.v1 import (
    Artifact,
    ArtifactAdded,
    Cancellation,
    Custom,
    Failure,
    JobEnded,
    JobState,
    Stage,
    StageEnded,
    StageProgressed,
    StagesPlanned,
    StageStarted,
    StageState,
    Update,
)
from tests.support.bad_requests import struct
from tests.unit.server.states import NOW, apply, log_line, run

FAILED = StageState.STAGE_STATE_FAILED
TEXT = "m" * limits.MESSAGE_LENGTH


def running(*stage_ids: str) -> Fold:
    """A running job with these running stages."""
    state = run()
    for stage_id in stage_ids:
        update = Update(stage_started=StageStarted(stage=Stage(stage_id=stage_id)))
        apply(state, [decide.report(state, update, NOW)])
    return state


def say(state: Fold, update: Update, size: int) -> int:
    """Decide the update within the budget, and fold it in; return the size of the job after it."""
    event = decide.report(state, update, NOW)
    size = decide.fit(state, event, size)
    apply(state, [event])
    return size


def end(stage_id: str, **fields: Any) -> Update:
    """The end of a stage."""
    return Update(
        stage_ended=StageEnded(stage_id=stage_id, **{"state": StageState.STAGE_STATE_SUCCEEDED, **fields})
    )


def fail(stage_id: str, message: str = "", detail: str = "") -> Update:
    """The failed end of a stage."""
    return end(stage_id, state=FAILED, failure=Failure(code="X", message=message, detail=detail))


def progress(stage_id: str, **fields: Any) -> Update:
    """Progress of a stage."""
    return Update(stage_progressed=StageProgressed(stage_id=stage_id, current=1, total=2, **fields))


NEW = {
    "stages_planned.stages": Update(
        stages_planned=StagesPlanned(stages=[Stage(stage_id="p", title="t" * 99)])
    ),
    "stage_started.stage": Update(stage_started=StageStarted(stage=Stage(stage_id="n", title="t" * 99))),
    "artifact_added.artifact": Update(
        artifact_added=ArtifactAdded(artifact=Artifact(name="a", uri="file:///" + "a" * 99))
    ),
}

ALWAYS = {
    "a log line": log_line("x" * limits.LOG_TEXT_SIZE),
    "an event of the application's own": Update(
        custom=Custom(type="t", json=struct({"text": "x" * 100_000}))
    ),
    "progress": progress("s"),
    "the end of a stage": end("s"),
    "a failure": Update(
        job_ended=JobEnded(
            state=JobState.JOB_STATE_FAILED,
            failure=Failure(code="X", message=TEXT, detail="d" * limits.FAILURE_DETAIL_SIZE),
        )
    ),
    "a result": Update(
        job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED, result=struct({"text": "x" * 1_000_000}))
    ),
}


@pytest.mark.parametrize("field", NEW)
def test_new_content_needs_room(field: str) -> None:
    """Beyond the budget it is refused as TOO_LARGE, with the bound."""
    say(running("s"), NEW[field], limits.JOB_SIZE - 250)
    with pytest.raises(Refusal) as caught:
        say(running("s"), NEW[field], limits.JOB_SIZE - 50)

    (violation,) = caught.value.violations
    assert ("TOO_LARGE", field) == (reason_name(caught.value.reason), violation.field)
    assert f"{limits.JOB_SIZE:,} bytes" in violation.description


@pytest.mark.parametrize("what", ALWAYS)
def test_updates_that_do_not_grow_the_job_need_no_room(what: str) -> None:
    """The ends of stages and of the job are always within the budget."""
    state = running("s")
    event = decide.report(state, ALWAYS[what], NOW)

    assert decide.fit(state, event, limits.JOB_SIZE) == limits.JOB_SIZE
    assert decide.report(state, ALWAYS[what], NOW) == event


@pytest.mark.parametrize(
    ("expected", "result", "room"),
    [
        (end("s", message="m" * 900), end("s", message="m" * 900), 900),
        (end("s", message=OMITTED), end("s", message="m" * 900), 899),
        (progress("s", message="m" * 900), progress("s", message="m" * 900), 900),
        (progress("s", message=OMITTED), progress("s", message="m" * 900), 899),
        (fail("s", message="m", detail="d" * 900), fail("s", message="m", detail="d" * 900), 1000),
        (fail("s", message="m", detail=OMITTED), fail("s", message="m", detail="d" * 900), 900),
        (fail("s", message=OMITTED, detail=OMITTED), fail("s", message=TEXT, detail="d" * 900), 900),
        (fail("s", message=OMITTED), fail("s", message=TEXT), 900),
    ],
    ids=range(8),
)
def test_texts_of_a_stage_are_left_out(expected: Update, result: Update, room: int) -> None:
    """Texts beyond the budget are left out; the stage progresses all the same."""
    state = running("s")
    event = decide.report(state, result, NOW)
    decide.fit(state, event, limits.JOB_SIZE - room)

    assert decide.report(state, expected, NOW) == event


def test_a_planned_stage_may_always_start() -> None:
    """Texts of its start are left out if they do not fit."""
    state = running()
    say(state, Update(stages_planned=StagesPlanned(stages=[Stage(stage_id="s", title="T", unit="u")])), 0)
    stage = Stage(stage_id="s", title="t" * 99, unit="u", message="m" * 99, total=3)
    say(state, Update(stage_started=StageStarted(stage=stage)), limits.JOB_SIZE)

    (found,) = state.job.stages
    assert (found.title, found.unit, found.message, found.total) == ("T", "u", OMITTED, 3)


def test_replacements_need_room_for_the_difference() -> None:
    """Messages and plans replace earlier ones, so that their number is unlimited."""
    state = running("s")
    size = state.job.ByteSize()
    plan = StagesPlanned(stages=[Stage(stage_id=f"p{number}", title="t" * 250) for number in range(900)])

    for _ in range(2 * limits.JOB_SIZE // limits.MESSAGE_LENGTH):
        size = say(state, progress("s", message=TEXT), size)
    for _ in range(20):
        size = say(state, Update(stages_planned=plan), size)

    assert state.job.stages[0].message == TEXT
    assert abs(size - state.job.ByteSize()) < 5_000


def test_a_job_stays_below_what_grpc_takes() -> None:
    """With everything at its bound: stages, input, result, cancellation and failure."""
    state = running()
    ids = [f"{number:0128}" for number in range(limits.STAGES)]
    size = state.job.ByteSize()
    for stage_id in ids:
        stage = Stage(stage_id=stage_id, weight=0.1, total=3.3, message="m" * 900)
        size = say(state, Update(stage_started=StageStarted(stage=stage)), size)
        size = say(state, progress(stage_id), size)
    for stage_id in ids:
        size = say(state, fail(stage_id, message=TEXT, detail="d" * 600), size)
    assert {stage.failure.detail for stage in state.job.stages} == {"d" * 600, OMITTED}
    result = JobEnded(state=JobState.JOB_STATE_SUCCEEDED, result=struct({"text": "x" * 1_048_500}))
    say(state, Update(job_ended=result), size)

    job = state.job
    job.input.CopyFrom(job.result)
    job.message = "é" * limits.MESSAGE_LENGTH
    job.failure.CopyFrom(Failure(code="X", message=job.message, detail="d" * limits.FAILURE_DETAIL_SIZE))
    job.cancellation.CopyFrom(Cancellation(reason=job.message, requested_by="é" * limits.NAME_LENGTH))
    assert job.ByteSize() < limits.REQUEST_SIZE - 16 * limits.KIB
