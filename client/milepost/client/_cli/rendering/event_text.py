"""What each payload of an event says, in a line for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from milepost.client._cli.rendering import json_line, text
from milepost.client._message_json import to_json
from milepost.fold import Fold
from milepost.v1 import Event, JobState, Stage, StageState

__all__ = ["PAYLOADS", "describe"]

_STAGE_NAME_LIMIT = 8
_TEXT_LIMIT = 200


def describe(event: Event, fold: Fold) -> str:
    """What ``event`` says; ``fold`` is the job with the event, or further.

    One line, but for the text of a log line that has more. Empty for a payload that this version does not know.
    """
    name = event.WhichOneof("payload")
    return "" if name is None else PAYLOADS[name](event, fold)


def _job_submitted(event: Event, fold: Fold) -> str:
    job = event.job_submitted.job
    owner = f" by {text.clean(job.owner)}" if job.owner else ""
    return f"{text.label(job.kind)} {text.label(job.job_id)} submitted{owner}"


def _job_started(event: Event, fold: Fold) -> str:
    attempt = f", attempt {event.attempt}" if event.attempt > 1 else ""
    return f"started by worker {text.clean(event.job_started.worker_id)}{attempt}"


def _stages_planned(event: Event, fold: Fold) -> str:
    stages = event.stages_planned.stages
    names = [text.stage_name(stage) for stage in stages[:_STAGE_NAME_LIMIT]]
    if len(stages) > _STAGE_NAME_LIMIT:
        names.append(f"and {len(stages) - _STAGE_NAME_LIMIT:,} more")
    return f"planned {text.count(len(stages), 'stage')}: {', '.join(names)}"


def _stage_started(event: Event, fold: Fold) -> str:
    told = event.stage_started.stage
    stage = fold.stages.get(told.stage_id, told)
    size = text.amount(told.total, None, told.unit or stage.unit) if told.HasField("total") else ""
    return _joined(f"{text.stage_name(stage)}: started", size)


def _stage_progressed(event: Event, fold: Fold) -> str:
    told = event.stage_progressed
    stage = fold.stages.get(told.stage_id, Stage(stage_id=told.stage_id))
    if told.HasField("total"):
        total: float | None = told.total
    else:
        total = stage.total if stage.HasField("total") else None
    known = stage.fraction_known if told.stage_id in fold.stages else total is not None
    done = text.percent(told.fraction) if known else ""
    numbers = text.amount(told.current, total, told.unit or stage.unit)
    remark = text.truncate(text.clean(told.message), _TEXT_LIMIT)
    return f"{text.stage_name(stage)}: {_joined(done, numbers, remark)}"


def _stage_ended(event: Event, fold: Fold) -> str:
    told = event.stage_ended
    stage = fold.stages.get(told.stage_id, Stage(stage_id=told.stage_id))
    line = f"{text.stage_name(stage)}: {text.stage_state(told.state)}"
    if told.state == StageState.STAGE_STATE_SUCCEEDED:
        done = text.amount(stage.current, None, stage.unit)
        took = (
            text.took(text.seconds_between(stage.start_time, event.time))
            if stage.HasField("start_time")
            else ""
        )
        line = f"{_joined(line, done)} in {took}" if took else _joined(line, done)
    if told.HasField("failure"):
        line = f"{line}: {text.failure_text(told.failure)}"
    return _joined(line, text.truncate(text.clean(told.message), _TEXT_LIMIT))


def _log_written(event: Event, fold: Fold) -> str:
    told = event.log_written
    stage = fold.stages.get(told.stage_id)
    name = text.stage_name(stage) if stage is not None else text.clean(told.stage_id)
    grade = text.severity(told.severity)
    words = text.clean(told.text) if grade == "info" else f"{grade}: {text.clean(told.text)}"
    return f"{name} | {words}".lstrip()


def _artifact_added(event: Event, fold: Fold) -> str:
    return f"artifact {text.artifact(event.artifact_added.artifact)}"


def _custom(event: Event, fold: Fold) -> str:
    custom = event.custom
    data = custom.proto.type_url if custom.HasField("proto") else json_line.dump_json(to_json(custom.json))
    return f"event {text.label(custom.type)} {text.truncate(text.clean(data), _TEXT_LIMIT)}"


def _cancel_requested(event: Event, fold: Fold) -> str:
    told = event.cancel_requested.cancellation
    who = f" by {text.clean(told.requested_by)}" if told.requested_by else ""
    why = f": {text.truncate(text.clean(told.reason), _TEXT_LIMIT)}" if told.reason else ""
    grace = text.seconds_between(event.time, told.deadline) if told.HasField("deadline") else 0.0
    within = f", to stop within {text.minutes(grace)}" if grace >= 1 else ""
    return f"cancellation requested{who}{within}{why}"


def _cancel_acknowledged(event: Event, fold: Fold) -> str:
    return "the worker has heard of the cancellation, and is stopping"


def _attempt_ended(event: Event, fold: Fold) -> str:
    told = event.attempt_ended
    wait = text.seconds_between(event.time, told.retry_time) if told.HasField("retry_time") else 0.0
    then = f"the next one in {text.minutes(wait)}" if wait >= 1 else "back in the queue"
    why = f": {text.failure_text(told.failure)}" if told.HasField("failure") else ""
    return f"attempt {event.attempt} ended, {then}{why}"


def _job_ended(event: Event, fold: Fold) -> str:
    told = event.job_ended
    line = text.job_state(told.state)
    if told.failure.code == "TIMEOUT":
        line = "timed out"
    if fold.job.HasField("start_time"):
        took = text.took(text.seconds_between(fold.job.start_time, event.time))
        line = f"{line} {'in' if told.state == JobState.JOB_STATE_SUCCEEDED else 'after'} {took}"
    message = text.truncate(text.clean(told.message), _TEXT_LIMIT)
    if told.HasField("failure"):
        return _joined(f"{line}: {text.failure_text(told.failure)}", message)
    if told.forced and not message:
        return f"{line}, without its worker, which did not stop in time"
    return f"{line}: {message}" if message else line


def _children_progressed(event: Event, fold: Fold) -> str:
    told = event.children_progressed
    ended = f"{told.ended:,} of {text.count(told.total, 'part')} ended"
    if not fold.job.fraction_known:
        return f"{ended}, and there may be more"
    return f"{ended}, {text.percent(told.job_fraction)} of the job is done"


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


PAYLOADS: Final[Mapping[str, Callable[[Event, Fold], str]]] = {
    "job_submitted": _job_submitted,
    "job_started": _job_started,
    "stages_planned": _stages_planned,
    "stage_started": _stage_started,
    "stage_progressed": _stage_progressed,
    "stage_ended": _stage_ended,
    "log_written": _log_written,
    "artifact_added": _artifact_added,
    "custom": _custom,
    "cancel_requested": _cancel_requested,
    "cancel_acknowledged": _cancel_acknowledged,
    "attempt_ended": _attempt_ended,
    "job_ended": _job_ended,
    "children_progressed": _children_progressed,
}
