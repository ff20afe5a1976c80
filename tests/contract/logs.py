"""Logs for property tests: whatever a worker may say and the server accept."""

from __future__ import annotations

from hypothesis import strategies as st

from milepost.fold import Fold
from milepost.server import decide
from milepost.server.refusal import Refusal
from milepost.v1 import (
    CancelAcknowledged,
    Event,
    Failure,
    JobEnded,
    JobState,
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

__all__ = ["logs"]

# Few, so that they meet. What is before the last "/" names the parent.
_IDS = ["a", "b", "a/1", "a/2", "b/1", "a/1/x", "a/1/y"]

_amounts = st.integers(0, 8).map(lambda n: n / 4)
_maybe_amounts = st.one_of(st.none(), _amounts)

# What befalls a job that runs, the common before the rare.
_STEPS = (
    ["progress"] * 6
    + ["start"] * 4
    + ["end"] * 2
    + ["plan", "acknowledge", "release", "cancel", "lose", "finish"]
)


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """A log as the server authors it. What it refuses to a worker is left out."""
    state = Fold()
    log = []
    stages = draw(_plans().filter(_is_sound))
    request = SubmitJobRequest(kind="k", stages=stages, retry_policy=RetryPolicy(max_attempts=3))
    events = [decide.submit(request, "j", 0)]
    for now in range(1, draw(st.integers(2, 40))):
        for event in events:
            state.apply(event)
            log.append(event)
        if decide.is_final(state.job):
            break
        if state.job.state == JobState.JOB_STATE_QUEUED:
            events = [decide.start(state.job, "w", now)]
        else:
            events = draw(_happenings(state, now))
    return log


@st.composite
def _happenings(draw: st.DrawFn, state: Fold, now: int) -> list[Event]:
    match draw(st.sampled_from(_STEPS)):
        case "cancel":
            return decide.cancel(state.job, reason="", requested_by="", grace_period=10**12, now=now)
        case "release":
            return decide.release(state.job, now)
        case "lose":
            return decide.due(state.job, now, lease_is_out=True)
        case step:
            try:
                return [decide.report(state, draw(_updates(step, state)), now)]
            except Refusal:
                return []


@st.composite
def _updates(draw: st.DrawFn, step: str, state: Fold) -> Update:
    match step:
        case "plan":
            return Update(stages_planned=StagesPlanned(stages=draw(_plans())))
        case "start":
            return Update(stage_started=StageStarted(stage=draw(_stages(draw(st.sampled_from(_IDS))))))
        case "progress":
            progress = StageProgressed(
                stage_id=draw(_ids(state)), current=draw(_amounts), total=draw(_maybe_amounts)
            )
            return Update(stage_progressed=progress)
        case "end":
            end = draw(st.sampled_from(StageState.values()[3:]))
            return Update(stage_ended=StageEnded(stage_id=draw(_ids(state)), state=end))
        case "acknowledge":
            return Update(cancel_acknowledged=CancelAcknowledged())
        case _:
            failure = Failure(code="BROKEN", retryable=draw(st.booleans()))
            return Update(
                job_ended=JobEnded(state=draw(st.sampled_from(JobState.values()[4:])), failure=failure)
            )


def _ids(state: Fold) -> st.SearchStrategy[str]:
    """The ids of stages that run; of any where none does."""
    running = [stage.stage_id for stage in state.job.stages if stage.state == StageState.STAGE_STATE_RUNNING]
    return st.sampled_from(running or _IDS)


@st.composite
def _plans(draw: st.DrawFn) -> list[Stage]:
    """Some of the stages, parents first; of some the parent may be missing."""
    return [draw(_stages(stage_id)) for stage_id in _IDS if draw(st.booleans())]


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
