"""Hypothesis strategies for logs: everything that a worker may report and the server accepts."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from milepost.contract.job_states import has_ended
from milepost.fold import Fold
from milepost.server import decide
from milepost.server.base.refusal import Refusal
from milepost.v1 import (
    Artifact,
    ArtifactAdded,
    CancelAcknowledged,
    Event,
    Failure,
    JobEnded,
    JobState,
    LogWritten,
    RetryPolicy,
    Stage,
    StageEnded,
    StageProgressed,
    StagesPlanned,
    StageStarted,
    StageState,
    SubmitJobRequest,
    Update,
)

__all__ = ["IDS", "logs", "parts", "unhurried"]

# A machine may be slow; that proves nothing.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Few ids, so that they collide. The part before the last "/" is the parent.
IDS = ["a", "b", "a/1", "a/2", "b/1", "a/1/x", "a/1/y"]

# Quarters, which are often equal, and sevenths, whose sums depend on the order of rounding.
_amounts = st.builds(lambda n, parts: n / parts, st.integers(0, 8), st.sampled_from([4, 7]))
_maybe_amounts = st.one_of(st.none(), _amounts)

# Events of a running job, the common before the rare.
_STEPS = (
    ["progress"] * 6
    + ["start"] * 4
    + ["end"] * 2
    + ["plan", "acknowledge", "release", "cancel", "lose", "finish", "wait", "children", "artifact", "log"]
)

_SECOND = 10**9
_remarks = st.sampled_from(["", "", "m", "n"])


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """A log as the server authors it, without refused updates."""
    state = Fold()
    log = []
    stages = draw(_plans().filter(_is_sound))
    request = SubmitJobRequest(
        kind="k",
        stages=stages,
        planned_children=draw(st.integers(0, 3)),
        retry_policy=RetryPolicy(max_attempts=3),
        timeout=Duration(seconds=10) if draw(st.booleans()) else None,
        start_deadline=Duration(seconds=10) if draw(st.booleans()) else None,
    )
    events = [decide.submit(request, "j", 0)]
    for now in range(1, draw(st.integers(2, 40))):
        for event in events:
            state.apply(event)
            log.append(event)
        if has_ended(state.job):
            break
        if state.job.state == JobState.JOB_STATE_QUEUED:
            events = draw(_waits(state, now))
        else:
            events = draw(_happenings(state, now))
    return log


@st.composite
def parts(draw: st.DrawFn) -> list[Event]:
    """A part of a log, as a filter may leave it, with some events repeated."""
    log = draw(logs())
    shown = [event for event in log if draw(st.integers(0, 4))]
    again = draw(st.integers(0, len(shown)))
    return shown[:again] + shown


@st.composite
def _waits(draw: st.DrawFn, state: Fold, now: int) -> list[Event]:
    match draw(st.integers(0, 9)):
        case 0:
            return decide.cancel(state.job, reason="r", requested_by="o", grace_period=0, now=now)
        case 1:
            return decide.due(state.job, now + 20 * _SECOND, lease_is_out=False)
        case _:
            return [decide.start(state.job, "w", now, instance=draw(_remarks))]


@st.composite
def _happenings(draw: st.DrawFn, state: Fold, now: int) -> list[Event]:
    match draw(st.sampled_from(_STEPS)):
        case "cancel":
            grace = draw(st.sampled_from([0, 1, 10**12]))
            return decide.cancel(state.job, reason="", requested_by="", grace_period=grace, now=now)
        case "release":
            return decide.release(state.job, now)
        case "lose":
            return decide.due(state.job, now, lease_is_out=True)
        case "wait":
            return decide.due(state.job, now + 20 * _SECOND, lease_is_out=False)
        case "children":
            ended = draw(st.integers(0, 2))
            return decide.children_progressed(
                state.job, now, total=draw(st.integers(ended, 4)), ended=ended, fraction=0.5
            )
        case step:
            try:
                return [decide.report(state, draw(_updates(step, state)), now)]
            except Refusal:
                return []


@st.composite
def _updates(draw: st.DrawFn, step: str, state: Fold) -> Update:
    match step:
        case "plan":
            return Update(
                stages_planned=StagesPlanned(
                    stages=draw(_plans()), planned_children=draw(st.sampled_from([0, 0, 2]))
                )
            )
        case "start":
            stage = draw(_stages(draw(st.sampled_from(IDS))))
            stage.title, stage.unit, stage.message = draw(_remarks), draw(_remarks), draw(_remarks)
            return Update(stage_started=StageStarted(stage=stage))
        case "progress":
            progress = StageProgressed(
                stage_id=draw(_ids(state)),
                current=draw(_amounts),
                total=draw(_maybe_amounts),
                unit=draw(_remarks),
                message=draw(_remarks),
            )
            return Update(stage_progressed=progress)
        case "end":
            state_then = draw(st.sampled_from(StageState.values()[3:]))
            failure = Failure(code="BROKEN") if draw(st.booleans()) else None
            ended = StageEnded(
                stage_id=draw(_ids(state)), state=state_then, message=draw(_remarks), failure=failure
            )
            return Update(stage_ended=ended)
        case "acknowledge":
            return Update(cancel_acknowledged=CancelAcknowledged())
        case "artifact":
            artifact = Artifact(name=draw(st.sampled_from("pq")), uri=draw(st.sampled_from("uv")))
            return Update(artifact_added=ArtifactAdded(artifact=artifact))
        case "log":
            return Update(log_written=LogWritten(text="t"))
        case _:
            failure = Failure(code="BROKEN", message=draw(_remarks), retryable=draw(st.booleans()))
            end = JobEnded(
                state=draw(st.sampled_from(JobState.values()[4:])), failure=failure, message=draw(_remarks)
            )
            if draw(st.booleans()):
                end.result.update({"n": 1})
            return Update(job_ended=end)


def _ids(state: Fold) -> st.SearchStrategy[str]:
    """Ids of running stages; of any stages if none run."""
    running = [stage.stage_id for stage in state.job.stages if stage.state == StageState.STAGE_STATE_RUNNING]
    return st.sampled_from(running or IDS)


@st.composite
def _plans(draw: st.DrawFn) -> list[Stage]:
    """Some of the stages, parents first; parents may be missing."""
    return [draw(_stages(stage_id)) for stage_id in IDS if draw(st.booleans())]


def _is_sound(plan: list[Stage]) -> bool:
    return {stage.parent_stage_id for stage in plan} <= {"", *(stage.stage_id for stage in plan)}


def _stages(stage_id: str) -> st.SearchStrategy[Stage]:
    parent = stage_id.rpartition("/")[0]
    return st.builds(
        Stage,
        stage_id=st.just(stage_id),
        parent_stage_id=st.just(parent),
        weight=_maybe_amounts,
        total=_maybe_amounts,
    )
