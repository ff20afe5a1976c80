"""Invalid updates, each with one violation, and the field and reason of its refusal.

They are reported in a job after ``BEFORE``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from milepost.contract import limits
from milepost.v1 import (
    Artifact,
    ArtifactAdded,
    CancelAcknowledged,
    Custom,
    Failure,
    JobEnded,
    JobState,
    LogWritten,
    Severity,
    Stage,
    StageEnded,
    StageProgressed,
    StagesPlanned,
    StageStarted,
    StageState,
    Update,
)
from tests.support.bad_requests import BAD_AMOUNTS, BAD_STRUCTS, INVALID, TOO_LARGE, struct

__all__ = ["BEFORE", "UPDATES", "BadUpdate"]

BEFORE = [
    Update(
        stages_planned=StagesPlanned(
            stages=[Stage(stage_id="pending"), Stage(stage_id="pending/1", parent_stage_id="pending")]
        )
    ),
    Update(stage_started=StageStarted(stage=Stage(stage_id="running"))),
    Update(stage_started=StageStarted(stage=Stage(stage_id="ended"))),
    Update(stage_ended=StageEnded(stage_id="ended", state=StageState.STAGE_STATE_SUCCEEDED)),
]
"""Earlier updates of the worker, which declare the stages."""


class BadUpdate(NamedTuple):
    """An update with one violation: the field, and the reason of the refusal."""

    message: Update
    field: str
    reason: str = INVALID


def _plan(field: str, reason: str = INVALID, /, *stages: Stage) -> BadUpdate:
    path = f"stages_planned.stages{field}"
    return BadUpdate(Update(stages_planned=StagesPlanned(stages=stages)), path, reason)


def _start(field: str, reason: str = INVALID, /, **fields: Any) -> BadUpdate:
    stage = Stage(**{"stage_id": "new", **fields})
    return BadUpdate(Update(stage_started=StageStarted(stage=stage)), f"stage_started.stage.{field}", reason)


def _progress(field: str, reason: str = INVALID, /, **fields: Any) -> BadUpdate:
    progressed = StageProgressed(**{"stage_id": "running", **fields})
    return BadUpdate(Update(stage_progressed=progressed), f"stage_progressed.{field}", reason)


def _end(field: str, reason: str = INVALID, /, **fields: Any) -> BadUpdate:
    ended = StageEnded(**{"stage_id": "running", "state": StageState.STAGE_STATE_FAILED, **fields})
    return BadUpdate(Update(stage_ended=ended), f"stage_ended.{field}", reason)


def _log(field: str, reason: str = INVALID, /, **fields: Any) -> BadUpdate:
    return BadUpdate(Update(log_written=LogWritten(**fields)), f"log_written.{field}", reason)


def _artifact(field: str, reason: str = INVALID, /, **fields: Any) -> BadUpdate:
    artifact = Artifact(**{"name": "a", "uri": "file:///a", **fields})
    return BadUpdate(
        Update(artifact_added=ArtifactAdded(artifact=artifact)), f"artifact_added.artifact.{field}", reason
    )


def _custom(field: str, reason: str = INVALID, /, **fields: Any) -> BadUpdate:
    return BadUpdate(Update(custom=Custom(**{"type": "t", **fields})), f"custom{field}", reason)


def _job_end(field: str, reason: str = INVALID, /, **fields: Any) -> BadUpdate:
    ended = JobEnded(**{"state": JobState.JOB_STATE_SUCCEEDED, **fields})
    return BadUpdate(Update(job_ended=ended), f"job_ended.{field}", reason)


_BAD_FAILURES: Mapping[str, tuple[str, str, Failure]] = {
    "without a code": ("code", INVALID, Failure(message="m")),
    "code": ("code", INVALID, Failure(code="not found")),
    "code too long": ("code", INVALID, Failure(code="X" * 65)),
    "message too long": ("message", TOO_LARGE, Failure(code="X", message="é" * 4097)),
    "detail too large": (
        "detail",
        TOO_LARGE,
        Failure(code="X", detail="é" * (limits.FAILURE_DETAIL_SIZE // 2 + 1)),
    ),
}
_LARGE = struct({"x": "x" * limits.LOG_FIELDS_SIZE})

UPDATES: Mapping[str, BadUpdate] = {
    "nothing": BadUpdate(Update(), "update"),
    # Plans
    "plan of too many": _plan("", TOO_LARGE, *(Stage(stage_id=f"s{number}") for number in range(1001))),
    "plan beside what there is too many": _plan(
        "", TOO_LARGE, *(Stage(stage_id=f"s{number}") for number in range(999))
    ),
    "plan of a stage twice": _plan("[1].stage_id", INVALID, Stage(stage_id="a"), Stage(stage_id="a")),
    "plan with an unknown parent": _plan(
        "[0].parent_stage_id", INVALID, Stage(stage_id="a", parent_stage_id="b")
    ),
    "plan with a parent that it drops": _plan(
        "[0].parent_stage_id", INVALID, Stage(stage_id="a", parent_stage_id="pending")
    ),
    "plan with a bad stage": _plan("[0].weight", INVALID, Stage(stage_id="a", weight=-1)),
    # Stages that start
    "start without an id": _start("stage_id", stage_id=""),
    "start of a bad id": _start("stage_id", stage_id="a b"),
    "start of one that runs": _start("stage_id", stage_id="running"),
    "start of one that has ended": _start("stage_id", stage_id="ended"),
    "start in an unknown parent": _start("parent_stage_id", parent_stage_id="nowhere"),
    "start in itself": _start("parent_stage_id", parent_stage_id="new"),
    "start in another parent than planned": _start(
        "parent_stage_id", stage_id="pending/1", parent_stage_id="running"
    ),
    "start with a long title": _start("title", TOO_LARGE, title="é" * 257),
    "start with a long unit": _start("unit", TOO_LARGE, unit="é" * 33),
    "start with a long message": _start("message", TOO_LARGE, message="é" * 4097),
    **{
        f"start with {field} {what}": _start(field, **{field: value})
        for field in ("weight", "total", "current", "fraction")
        for what, value in BAD_AMOUNTS.items()
    },
    "start with a fraction over 1": _start("fraction", fraction=1.001),
    # Stages that move on
    "progress of no stage": _progress("stage_id", stage_id=""),
    "progress of an unknown stage": _progress("stage_id", stage_id="nowhere"),
    "progress of one that has not started": _progress("stage_id", stage_id="pending"),
    "progress of one that has ended": _progress("stage_id", stage_id="ended"),
    **{
        f"progress with {field} {what}": _progress(field, **{field: value})
        for field in ("current", "total", "fraction", "job_fraction")
        for what, value in BAD_AMOUNTS.items()
    },
    "progress with a fraction over 1": _progress("fraction", fraction=1.001),
    "progress with a job_fraction over 1": _progress("job_fraction", job_fraction=1.001),
    "progress with a long unit": _progress("unit", TOO_LARGE, unit="é" * 33),
    "progress with a long message": _progress("message", TOO_LARGE, message="é" * 4097),
    # Stages that end
    "end of an unknown stage": _end("stage_id", stage_id="nowhere"),
    "end of one that has ended": _end("stage_id", stage_id="ended"),
    "end in no state": _end("state", state=StageState.STAGE_STATE_UNSPECIFIED),
    "end in a state that is none": _end("state", state=StageState.STAGE_STATE_RUNNING),
    "end in an unknown state": _end("state", state=StageState.ValueType(99)),
    "end with a long message": _end("message", TOO_LARGE, message="é" * 4097),
    "end with a job_fraction over 1": _end("job_fraction", job_fraction=1.001),
    "end with a job_fraction NaN": _end("job_fraction", job_fraction=BAD_AMOUNTS["NaN"]),
    **{
        f"end with a failure {what}": _end(f"failure.{field}", reason, failure=value)
        for what, (field, reason, value) in _BAD_FAILURES.items()
    },
    # Log lines
    "line of an unknown stage": _log("stage_id", stage_id="nowhere"),
    "line of an unknown severity": _log("severity", severity=Severity.ValueType(99)),
    "line too long": _log("text", TOO_LARGE, text="é" * (limits.LOG_TEXT_SIZE // 2 + 1)),
    "fields too large": _log("fields", TOO_LARGE, fields=_LARGE),
    **{
        f"fields {what}": _log("fields", reason, fields=value)
        for what, (value, reason) in BAD_STRUCTS.items()
    },
    # Artifacts
    "artifact without a name": _artifact("name", name=""),
    "artifact with a long name": _artifact("name", TOO_LARGE, name="é" * 257),
    "artifact without a uri": _artifact("uri", uri=""),
    "artifact with a long uri": _artifact("uri", TOO_LARGE, uri="é" * 2049),
    "artifact with a long media_type": _artifact("media_type", TOO_LARGE, media_type="é" * 257),
    "artifact of a negative size": _artifact("size_bytes", size_bytes=-1),
    "artifact with a sha256 in capitals": _artifact("sha256", sha256="A" * 64),
    "artifact with a short sha256": _artifact("sha256", sha256="a" * 63),
    "artifact of an unknown stage": _artifact("stage_id", stage_id="nowhere"),
    # An application's own
    "custom without a type": _custom(".type", type=""),
    "custom of a bad type": _custom(".type", type="1x"),
    "custom of a long type": _custom(".type", type="x" * 129),
    "custom too large": _custom("", TOO_LARGE, json=struct({"x": "x" * limits.CUSTOM_SIZE})),
    **{
        f"custom {what}": _custom(".json", reason, json=value)
        for what, (value, reason) in BAD_STRUCTS.items()
    },
    # The end
    "acknowledged what nobody asked": BadUpdate(
        Update(cancel_acknowledged=CancelAcknowledged()), "cancel_acknowledged"
    ),
    "job ended in no state": _job_end("state", state=JobState.JOB_STATE_UNSPECIFIED),
    "job ended RUNNING": _job_end("state", state=JobState.JOB_STATE_RUNNING),
    "job ended LOST": _job_end("state", state=JobState.JOB_STATE_LOST),
    "job ended in an unknown state": _job_end("state", state=JobState.ValueType(99)),
    "job ended CANCELLED unasked": _job_end("state", state=JobState.JOB_STATE_CANCELLED),
    "job ended FAILED without a failure": _job_end("failure", state=JobState.JOB_STATE_FAILED),
    **{
        f"job ended with a failure {what}": _job_end(f"failure.{field}", reason, failure=value)
        for what, (field, reason, value) in _BAD_FAILURES.items()
    },
    "job ended with a long message": _job_end("message", TOO_LARGE, message="é" * 4097),
    "result too large": _job_end("result", TOO_LARGE, result=struct({"x": "x" * limits.RESULT_SIZE})),
    **{
        f"result {what}": _job_end("result", reason, result=value)
        for what, (value, reason) in BAD_STRUCTS.items()
    },
}
"""By violation."""
