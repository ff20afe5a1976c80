"""What a worker may say of its job, and the event that it becomes."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.descriptor import EnumDescriptor

from milepost.contract import limits
from milepost.fold import Fold, job_fraction_after, planned
from milepost.server.decide.ending import failed_attempt
from milepost.server.decide.next_event import next_event
from milepost.server.rpc import field_checks
from milepost.server.rpc.field_checks import Check
from milepost.v1 import Event, JobState, LogWritten, Severity, Stage, StageState, Update

_STAGE_ENDS = frozenset(
    {
        StageState.STAGE_STATE_SUCCEEDED,
        StageState.STAGE_STATE_FAILED,
        StageState.STAGE_STATE_SKIPPED,
        StageState.STAGE_STATE_CANCELLED,
    }
)
_JOB_ENDS = frozenset({JobState.JOB_STATE_SUCCEEDED, JobState.JOB_STATE_FAILED, JobState.JOB_STATE_CANCELLED})
_SEVERITIES = frozenset(Severity.values())
_DONE = frozenset({StageState.STAGE_STATE_SUCCEEDED, StageState.STAGE_STATE_SKIPPED})


def report(state: Fold, update: Update, now: int) -> Event:
    """The event that an update becomes. Raises INVALID_FIELD or TOO_LARGE, naming the field within the update.

    The caller holds the job's lease. What the server authors in the update is ignored (rule 13).
    """
    name = update.WhichOneof("update")
    if name is None:
        check = Check()
        check.wrong(
            "update",
            "is empty, is of a kind that this server does not know, or cannot be decoded; texts are UTF-8",
        )
        check.refuse()
    assert name is not None
    return _ARMS[name](state, update, now)


def _stages_planned(state: Fold, update: Update, now: int) -> Event:
    check = Check()
    plan = update.stages_planned.stages
    settled = {stage_id: state.stages[stage_id] for stage_id in state.fixed_stage_ids()}
    field_checks.stage_plan(check, "stages_planned.stages", plan, settled)
    if len(plan) <= limits.STAGES < len({*settled, *(stage.stage_id for stage in plan)}):
        check.too_large("stages_planned.stages", f"would give the job more than {limits.STAGES:,} stages")
    children = update.stages_planned.planned_children
    check.between("stages_planned.planned_children", children, 0, limits.CHILDREN)
    check.refuse()
    event = next_event(state.job, now)
    event.stages_planned.stages.extend(planned(stage) for stage in plan)
    event.stages_planned.planned_children = children
    return event


def _stage_started(state: Fold, update: Update, now: int) -> Event:
    check = Check()
    told = update.stage_started.stage
    path = "stage_started.stage"
    field_checks.stage_fields(check, path, told)
    stage = state.stages.get(told.stage_id)
    if stage is None:
        if len(state.stages) >= limits.STAGES:
            check.too_large(f"{path}.stage_id", f"the job has {limits.STAGES:,} stages already")
        if told.parent_stage_id and told.parent_stage_id not in state.stages:
            check.wrong(f"{path}.parent_stage_id", f"{told.parent_stage_id!r} is not a stage of the job")
    elif stage.state != StageState.STAGE_STATE_PENDING:
        check.wrong(
            f"{path}.stage_id", f"{told.stage_id!r} is {_state(stage)}; a stage starts once in an attempt"
        )
    elif told.parent_stage_id and told.parent_stage_id != stage.parent_stage_id:
        check.wrong(
            f"{path}.parent_stage_id", f"{told.stage_id!r} was planned within {stage.parent_stage_id!r}"
        )
    check.refuse()
    event = next_event(state.job, now)
    started = event.stage_started.stage
    started.CopyFrom(planned(told))
    started.state = StageState.STAGE_STATE_RUNNING
    started.message = told.message
    started.parent_stage_id = told.parent_stage_id if stage is None else stage.parent_stage_id
    return event


def _stage_progressed(state: Fold, update: Update, now: int) -> Event:
    told = update.stage_progressed
    stage = state.stages.get(told.stage_id)
    if stage is None or stage.state != StageState.STAGE_STATE_RUNNING or not _plain_progress(update):
        check = Check()
        _stage_is(check, "stage_progressed.stage_id", told.stage_id, stage, running=True)
        check.amount("stage_progressed.current", told.current)
        check.amount("stage_progressed.total", told.total)
        check.amount("stage_progressed.fraction", told.fraction, maximum=1.0)
        check.amount("stage_progressed.job_fraction", told.job_fraction, maximum=1.0)
        check.length("stage_progressed.unit", told.unit, limits.UNIT_LENGTH)
        check.length("stage_progressed.message", told.message, limits.MESSAGE_LENGTH)
        check.refuse()
    assert stage is not None
    event = next_event(state.job, now)
    progress = event.stage_progressed
    progress.stage_id = told.stage_id
    progress.current = told.current
    total = told.total if told.HasField("total") else stage.total
    if told.HasField("total") or stage.HasField("total"):
        progress.total = total
    progress.unit = told.unit
    progress.message = told.message
    fraction = stage.fraction
    if total > 0 and not state.children[stage.stage_id]:
        fraction = max(fraction, min(told.current / total, 1.0))
    progress.fraction = fraction
    progress.job_fraction = job_fraction_after(state, stage, fraction)
    return event


def _plain_progress(update: Update) -> bool:
    """Whether an update is within all bounds, found out at once: progress is most of what there is."""
    told = update.stage_progressed
    return (
        0 <= told.current <= limits.AMOUNT
        and 0 <= told.total <= limits.AMOUNT
        and 0 <= told.fraction <= 1
        and 0 <= told.job_fraction <= 1
        and len(told.unit) <= limits.UNIT_LENGTH
        and len(told.message) <= limits.MESSAGE_LENGTH
    )


def _stage_ended(state: Fold, update: Update, now: int) -> Event:
    check = Check()
    told = update.stage_ended
    stage = state.stages.get(told.stage_id)
    _stage_is(check, "stage_ended.stage_id", told.stage_id, stage, running=False)
    if told.state not in _STAGE_ENDS:
        check.wrong(
            "stage_ended.state", f"{_value(StageState.DESCRIPTOR, told.state)} is not an end of a stage"
        )
    check.length("stage_ended.message", told.message, limits.MESSAGE_LENGTH)
    check.amount("stage_ended.job_fraction", told.job_fraction, maximum=1.0)
    if told.HasField("failure"):
        field_checks.failure(check, "stage_ended.failure", told.failure)
    check.refuse()
    assert stage is not None
    event = next_event(state.job, now)
    event.stage_ended.CopyFrom(told)
    stage_share = 1.0 if told.state in _DONE else stage.fraction
    event.stage_ended.job_fraction = job_fraction_after(state, stage, stage_share)
    return event


def is_plain_line(state: Fold, line: LogWritten) -> bool:
    """Whether a log line is within all bounds, found out at once; one with fields is looked at more closely."""
    return (
        (not line.stage_id or line.stage_id in state.stages)
        and line.severity in _SEVERITIES
        and len(line.text) * 4 <= limits.LOG_TEXT_SIZE
        and not line.HasField("fields")
    )


def _log_written(state: Fold, update: Update, now: int) -> Event:
    check = Check()
    told = update.log_written
    _stage_exists(check, "log_written.stage_id", told.stage_id, state)
    check.known("log_written.severity", told.severity, Severity.DESCRIPTOR.values_by_number)
    if len(told.text) * 4 > limits.LOG_TEXT_SIZE and len(told.text.encode()) > limits.LOG_TEXT_SIZE:
        check.too_large("log_written.text", f"is over {limits.LOG_TEXT_SIZE:,} bytes")
    if told.HasField("fields"):
        check.struct("log_written.fields", told.fields, limits.LOG_FIELDS_SIZE)
    check.refuse()
    event = next_event(state.job, now)
    event.log_written.CopyFrom(told)
    return event


def _artifact_added(state: Fold, update: Update, now: int) -> Event:
    check = Check()
    told = update.artifact_added.artifact
    field_checks.artifact(check, "artifact_added.artifact", told)
    _stage_exists(check, "artifact_added.artifact.stage_id", told.stage_id, state)
    artifacts = state.job.artifacts
    if len(artifacts) >= limits.ARTIFACTS and all(artifact.name != told.name for artifact in artifacts):
        check.too_large("artifact_added.artifact", f"the job has {limits.ARTIFACTS:,} artifacts already")
    check.refuse()
    event = next_event(state.job, now)
    event.artifact_added.artifact.CopyFrom(told)
    return event


def _custom(state: Fold, update: Update, now: int) -> Event:
    check = Check()
    check.pattern("custom.type", update.custom.type, limits.CUSTOM_TYPE)
    if check.size("custom", update.custom, limits.CUSTOM_SIZE) and update.custom.HasField("json"):
        check.struct("custom.json", update.custom.json, limits.CUSTOM_SIZE)
    check.refuse()
    event = next_event(state.job, now)
    event.custom.CopyFrom(update.custom)
    return event


def _cancel_acknowledged(state: Fold, update: Update, now: int) -> Event:
    check = Check()
    if state.job.state != JobState.JOB_STATE_CANCELLING:
        check.wrong("cancel_acknowledged", "nobody has asked for the job to be cancelled")
    elif state.job.cancellation.HasField("acknowledge_time"):
        check.wrong("cancel_acknowledged", "the cancellation was acknowledged before")
    check.refuse()
    event = next_event(state.job, now)
    event.cancel_acknowledged.SetInParent()
    return event


def _job_ended(state: Fold, update: Update, now: int) -> Event:
    """The end that the worker tells; a failure may be retried instead."""
    check = Check()
    told = update.job_ended
    if told.state not in _JOB_ENDS:
        state_told = _value(JobState.DESCRIPTOR, told.state)
        check.wrong("job_ended.state", f"{state_told} is not an end that a worker may tell")
    if told.state == JobState.JOB_STATE_CANCELLED and state.job.state != JobState.JOB_STATE_CANCELLING:
        check.wrong("job_ended.state", "nobody has asked for the job to be cancelled")
    check.length("job_ended.message", told.message, limits.MESSAGE_LENGTH)
    if told.HasField("result"):
        check.struct("job_ended.result", told.result, limits.RESULT_SIZE)
    if told.HasField("failure"):
        field_checks.failure(check, "job_ended.failure", told.failure)
    elif told.state == JobState.JOB_STATE_FAILED:
        check.wrong("job_ended.failure", "must be set when the job FAILED")
    check.refuse()
    if told.state == JobState.JOB_STATE_FAILED:
        event = failed_attempt(state.job, told.failure, now, otherwise=JobState.JOB_STATE_FAILED)
        if event.HasField("attempt_ended"):
            return event
    else:
        event = next_event(state.job, now)
        event.job_ended.state = told.state
    event.job_ended.message = told.message
    if told.HasField("result") and told.state == JobState.JOB_STATE_SUCCEEDED:
        event.job_ended.result.CopyFrom(told.result)
    return event


def _stage_is(check: Check, field: str, stage_id: str, stage: Stage | None, *, running: bool) -> None:
    if stage is None:
        check.wrong(field, f"{stage_id!r} is not a stage of the job; stage_started declares one")
    elif stage.state in _STAGE_ENDS:
        check.wrong(field, f"{stage_id!r} has ended: it is {_state(stage)}")
    elif running and stage.state != StageState.STAGE_STATE_RUNNING:
        check.wrong(field, f"{stage_id!r} has not started; report stage_started first")


def _stage_exists(check: Check, field: str, stage_id: str, state: Fold) -> None:
    if stage_id and stage_id not in state.stages:
        check.wrong(field, f"{stage_id!r} is not a stage of the job")


def _state(stage: Stage) -> str:
    return StageState.Name(stage.state).removeprefix("STAGE_STATE_")


def _value(enum: EnumDescriptor, number: int) -> str:
    known = enum.values_by_number.get(number)
    return str(number) if known is None else str(known.name)


_ARMS: dict[str, Callable[[Fold, Update, int], Event]] = {
    "stages_planned": _stages_planned,
    "stage_started": _stage_started,
    "stage_progressed": _stage_progressed,
    "stage_ended": _stage_ended,
    "log_written": _log_written,
    "artifact_added": _artifact_added,
    "custom": _custom,
    "cancel_acknowledged": _cancel_acknowledged,
    "job_ended": _job_ended,
}
