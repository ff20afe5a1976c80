"""Decide one update of a worker: the event that it becomes, or why it is refused."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.descriptor import EnumDescriptor

from milepost.contract import limits
from milepost.fold import Fold, planned, set_end_fraction, set_progress_fractions
from milepost.server.decide.ending import failed_attempt
from milepost.server.decide.next_event import next_event
from milepost.server.messages import field_checks
from milepost.server.messages.field_checks import Check
from milepost.server.scheduling.steps import Steps, finish
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
# What a planned stage costs to check, in stages that are walked.
_PLANNED_STEPS = 4

_SEVERITIES = frozenset(Severity.values())


def report(fold: Fold, update: Update, now: int) -> Event:
    """The event of an update. Raises INVALID_FIELD or TOO_LARGE, naming the field within the update.

    The caller has checked the lease. Fields that the server authors are ignored in the update (rule 13).
    """
    return finish(report_steps(fold, update, now))


def report_steps(fold: Fold, update: Update, now: int) -> Steps[Event]:
    """Do as ``report``, in slices."""
    name = update.WhichOneof("update")
    if name is None:
        check = Check()
        check.wrong(
            "update",
            "is empty, is of a kind that this server does not know, or cannot be decoded; texts are UTF-8",
        )
        check.refuse()
    assert name is not None
    event = _DECISIONS[name](fold, update, now)
    yield from _struct_checks(update)
    return event


def _struct_checks(update: Update) -> Steps[None]:
    """Check the values of the JSON object that an update may have; decisions check only its size."""
    check = Check()
    if update.HasField("custom") and update.custom.HasField("json"):
        yield from check.struct("custom.json", update.custom.json)
    elif update.HasField("log_written") and update.log_written.HasField("fields"):
        yield from check.struct("log_written.fields", update.log_written.fields)
    elif update.HasField("job_ended") and update.job_ended.HasField("result"):
        yield from check.struct("job_ended.result", update.job_ended.result)
    check.refuse()


def _stages_planned(fold: Fold, update: Update, now: int) -> Event:
    check = Check()
    plan = update.stages_planned.stages
    fixed = {stage_id: fold.stages[stage_id] for stage_id in fold.fixed_stage_ids()}
    field_checks.stage_plan(check, "stages_planned.stages", plan, fixed)
    if len(plan) <= limits.STAGES < len({*fixed, *(stage.stage_id for stage in plan)}):
        check.too_large("stages_planned.stages", f"would give the job more than {limits.STAGES:,} stages")
    children = update.stages_planned.planned_children
    check.between("stages_planned.planned_children", children, 0, limits.CHILDREN)
    check.refuse()
    fold.steps += _PLANNED_STEPS * len(plan)
    event = next_event(fold.job, now)
    event.stages_planned.stages.extend(planned(stage) for stage in plan)
    event.stages_planned.planned_children = children
    return event


def _stage_started(fold: Fold, update: Update, now: int) -> Event:
    check = Check()
    reported = update.stage_started.stage
    path = "stage_started.stage"
    field_checks.stage_fields(check, path, reported)
    stage = fold.stages.get(reported.stage_id)
    if stage is None:
        if len(fold.stages) >= limits.STAGES:
            check.too_large(f"{path}.stage_id", f"the job has {limits.STAGES:,} stages already")
        if reported.parent_stage_id and reported.parent_stage_id not in fold.stages:
            check.wrong(f"{path}.parent_stage_id", f"{reported.parent_stage_id!r} is not a stage of the job")
    elif stage.state != StageState.STAGE_STATE_PENDING:
        check.wrong(
            f"{path}.stage_id", f"{reported.stage_id!r} is {_state(stage)}; a stage starts once in an attempt"
        )
    elif reported.parent_stage_id and reported.parent_stage_id != stage.parent_stage_id:
        check.wrong(
            f"{path}.parent_stage_id", f"{reported.stage_id!r} was planned within {stage.parent_stage_id!r}"
        )
    check.refuse()
    event = next_event(fold.job, now)
    started = event.stage_started.stage
    started.CopyFrom(planned(reported))
    started.state = StageState.STAGE_STATE_RUNNING
    started.message = reported.message
    started.parent_stage_id = reported.parent_stage_id if stage is None else stage.parent_stage_id
    return event


def _stage_progressed(fold: Fold, update: Update, now: int) -> Event:
    reported = update.stage_progressed
    stage = fold.stages.get(reported.stage_id)
    if stage is None or stage.state != StageState.STAGE_STATE_RUNNING or not _plain_progress(update):
        check = Check()
        _stage_is(check, "stage_progressed.stage_id", reported.stage_id, stage, running=True)
        check.amount("stage_progressed.current", reported.current)
        check.amount("stage_progressed.total", reported.total)
        check.amount("stage_progressed.fraction", reported.fraction, maximum=1.0)
        check.amount("stage_progressed.job_fraction", reported.job_fraction, maximum=1.0)
        check.length("stage_progressed.unit", reported.unit, limits.UNIT_LENGTH)
        check.length("stage_progressed.message", reported.message, limits.MESSAGE_LENGTH)
        check.refuse()
    assert stage is not None
    event = next_event(fold.job, now)
    progress = event.stage_progressed
    progress.stage_id = reported.stage_id
    progress.current = reported.current
    if reported.HasField("total") or stage.HasField("total"):
        progress.total = reported.total if reported.HasField("total") else stage.total
    progress.unit = reported.unit
    progress.message = reported.message
    set_progress_fractions(fold, progress)
    return event


def _plain_progress(update: Update) -> bool:
    """Whether progress is within all bounds: a quick check, since most updates are progress."""
    reported = update.stage_progressed
    return (
        0 <= reported.current <= limits.AMOUNT
        and 0 <= reported.total <= limits.AMOUNT
        and 0 <= reported.fraction <= 1
        and 0 <= reported.job_fraction <= 1
        and len(reported.unit) <= limits.UNIT_LENGTH
        and len(reported.message) <= limits.MESSAGE_LENGTH
    )


def _stage_ended(fold: Fold, update: Update, now: int) -> Event:
    check = Check()
    reported = update.stage_ended
    stage = fold.stages.get(reported.stage_id)
    _stage_is(check, "stage_ended.stage_id", reported.stage_id, stage, running=False)
    if reported.state not in _STAGE_ENDS:
        check.wrong(
            "stage_ended.state", f"{_value(StageState.DESCRIPTOR, reported.state)} is not an end of a stage"
        )
    check.length("stage_ended.message", reported.message, limits.MESSAGE_LENGTH)
    check.amount("stage_ended.job_fraction", reported.job_fraction, maximum=1.0)
    if reported.HasField("failure"):
        field_checks.failure(check, "stage_ended.failure", reported.failure)
    check.refuse()
    assert stage is not None
    event = next_event(fold.job, now)
    event.stage_ended.CopyFrom(reported)
    set_end_fraction(fold, event.stage_ended)
    return event


def is_plain_line(fold: Fold, line: LogWritten) -> bool:
    """Whether a log line is within all bounds: a quick check, which lines with fields never pass."""
    return (
        (not line.stage_id or line.stage_id in fold.stages)
        and line.severity in _SEVERITIES
        and len(line.text) * 4 <= limits.LOG_TEXT_SIZE
        and not line.HasField("fields")
    )


def _log_written(fold: Fold, update: Update, now: int) -> Event:
    check = Check()
    reported = update.log_written
    _stage_exists(check, "log_written.stage_id", reported.stage_id, fold)
    check.known("log_written.severity", reported.severity, Severity.DESCRIPTOR.values_by_number)
    if len(reported.text) * 4 > limits.LOG_TEXT_SIZE and len(reported.text.encode()) > limits.LOG_TEXT_SIZE:
        check.too_large("log_written.text", f"is over {limits.LOG_TEXT_SIZE:,} bytes")
    check.size("log_written.fields", reported.fields, limits.LOG_FIELDS_SIZE)
    check.refuse()
    event = next_event(fold.job, now)
    event.log_written.CopyFrom(reported)
    return event


def _artifact_added(fold: Fold, update: Update, now: int) -> Event:
    check = Check()
    reported = update.artifact_added.artifact
    field_checks.artifact(check, "artifact_added.artifact", reported)
    _stage_exists(check, "artifact_added.artifact.stage_id", reported.stage_id, fold)
    artifacts = fold.job.artifacts
    if len(artifacts) >= limits.ARTIFACTS and all(artifact.name != reported.name for artifact in artifacts):
        check.too_large("artifact_added.artifact", f"the job has {limits.ARTIFACTS:,} artifacts already")
    check.refuse()
    event = next_event(fold.job, now)
    event.artifact_added.artifact.CopyFrom(reported)
    return event


def _custom(fold: Fold, update: Update, now: int) -> Event:
    check = Check()
    check.pattern("custom.type", update.custom.type, limits.CUSTOM_TYPE)
    check.size("custom", update.custom, limits.CUSTOM_SIZE)
    check.refuse()
    event = next_event(fold.job, now)
    event.custom.CopyFrom(update.custom)
    return event


def _cancel_acknowledged(fold: Fold, update: Update, now: int) -> Event:
    check = Check()
    if fold.job.state != JobState.JOB_STATE_CANCELLING:
        check.wrong("cancel_acknowledged", "nobody has asked for the job to be cancelled")
    elif fold.job.cancellation.HasField("acknowledge_time"):
        check.wrong("cancel_acknowledged", "the cancellation was acknowledged before")
    check.refuse()
    event = next_event(fold.job, now)
    event.cancel_acknowledged.SetInParent()
    return event


def _job_ended(fold: Fold, update: Update, now: int) -> Event:
    """The end of the job, or of the attempt where its failure is retried."""
    check = Check()
    reported = update.job_ended
    if reported.state not in _JOB_ENDS:
        state_name = _value(JobState.DESCRIPTOR, reported.state)
        check.wrong("job_ended.state", f"{state_name} is not an end that a worker may report")
    if reported.state == JobState.JOB_STATE_CANCELLED and fold.job.state != JobState.JOB_STATE_CANCELLING:
        check.wrong("job_ended.state", "nobody has asked for the job to be cancelled")
    check.length("job_ended.message", reported.message, limits.MESSAGE_LENGTH)
    check.size("job_ended.result", reported.result, limits.RESULT_SIZE)
    if reported.HasField("failure"):
        field_checks.failure(check, "job_ended.failure", reported.failure)
    elif reported.state == JobState.JOB_STATE_FAILED:
        check.wrong("job_ended.failure", "must be set when the job FAILED")
    check.refuse()
    if reported.state == JobState.JOB_STATE_FAILED:
        event = failed_attempt(fold.job, reported.failure, now, otherwise=JobState.JOB_STATE_FAILED)
        if event.HasField("attempt_ended"):
            return event
    else:
        event = next_event(fold.job, now)
        event.job_ended.state = reported.state
    event.job_ended.message = reported.message
    if reported.HasField("result") and reported.state == JobState.JOB_STATE_SUCCEEDED:
        event.job_ended.result.CopyFrom(reported.result)
    return event


def _stage_is(check: Check, field: str, stage_id: str, stage: Stage | None, *, running: bool) -> None:
    if stage is None:
        check.wrong(field, f"{stage_id!r} is not a stage of the job; stage_started declares one")
    elif stage.state in _STAGE_ENDS:
        check.wrong(field, f"{stage_id!r} has ended: it is {_state(stage)}")
    elif running and stage.state != StageState.STAGE_STATE_RUNNING:
        check.wrong(field, f"{stage_id!r} has not started; report stage_started first")


def _stage_exists(check: Check, field: str, stage_id: str, fold: Fold) -> None:
    if stage_id and stage_id not in fold.stages:
        check.wrong(field, f"{stage_id!r} is not a stage of the job")


def _state(stage: Stage) -> str:
    return StageState.Name(stage.state).removeprefix("STAGE_STATE_")


def _value(enum: EnumDescriptor, number: int) -> str:
    known = enum.values_by_number.get(number)
    return str(number) if known is None else str(known.name)


_DECISIONS: dict[str, Callable[[Fold, Update, int], Event]] = {
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
