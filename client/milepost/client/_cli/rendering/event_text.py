"""Describe each event payload in a line for people."""

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
    """Describe ``event``; ``fold`` is the job with the event applied, or later.

    One line, except for log text with several. Empty for a payload unknown to this version.
    """
    name = event.WhichOneof("payload")
    return "" if name is None else PAYLOADS[name](event, fold)


def _job_submitted(event: Event, fold: Fold) -> str:
    job = event.job_submitted.job
    submitter = f" by {text.escaped(job.submitted_by)}" if job.submitted_by else ""
    owner = f", owner {text.escaped(job.owner)}" if job.owner else ""
    return f"{text.one_line(job.kind)} {text.one_line(job.job_id)} submitted{submitter}{owner}"


def _job_started(event: Event, fold: Fold) -> str:
    attempt = f", attempt {event.attempt}" if event.attempt > 1 else ""
    return f"started by worker {text.escaped(event.job_started.worker_id)}{attempt}"


def _stages_planned(event: Event, fold: Fold) -> str:
    stages, children = event.stages_planned.stages, event.stages_planned.planned_children
    names = [text.stage_name(stage) for stage in stages[:_STAGE_NAME_LIMIT]]
    if len(stages) > _STAGE_NAME_LIMIT:
        names.append(f"and {len(stages) - _STAGE_NAME_LIMIT:,} more")
    plan = [f"{text.count(len(stages), 'stage')}: {', '.join(names)}"] if stages or not children else []
    if children:
        plan.append(_children_count(children))
    return f"planned {'; '.join(plan)}"


def _stage_started(event: Event, fold: Fold) -> str:
    started = event.stage_started.stage
    stage = fold.stages.get(started.stage_id, started)
    size = text.amount(started.total, None, started.unit or stage.unit) if started.HasField("total") else ""
    return _joined(f"{text.stage_name(stage)}: started", size)


def _stage_progressed(event: Event, fold: Fold) -> str:
    progress = event.stage_progressed
    stage = fold.stages.get(progress.stage_id, Stage(stage_id=progress.stage_id))
    if progress.HasField("total"):
        total: float | None = progress.total
    else:
        total = stage.total if stage.HasField("total") else None
    known = stage.fraction_known if progress.stage_id in fold.stages else total is not None
    done = text.percent(progress.fraction) if known else ""
    numbers = text.amount(progress.current, total, progress.unit or stage.unit)
    message = text.one_line(progress.message, _TEXT_LIMIT)
    return f"{text.stage_name(stage)}: {_joined(done, numbers, message)}"


def _stage_ended(event: Event, fold: Fold) -> str:
    end = event.stage_ended
    stage = fold.stages.get(end.stage_id, Stage(stage_id=end.stage_id))
    line = f"{text.stage_name(stage)}: {text.stage_state(end.state)}"
    if end.state == StageState.STAGE_STATE_SUCCEEDED:
        done = text.amount(stage.current, None, stage.unit)
        took = (
            text.elapsed(text.seconds_between(stage.start_time, event.time), tenths=True)
            if stage.HasField("start_time")
            else ""
        )
        line = f"{_joined(line, done)} in {took}" if took else _joined(line, done)
    if end.HasField("failure"):
        line = f"{line}: {text.failure_text(end.failure)}"
    return _joined(line, text.one_line(end.message, _TEXT_LIMIT))


def _log_written(event: Event, fold: Fold) -> str:
    log = event.log_written
    stage = fold.stages.get(log.stage_id)
    name = text.stage_name(stage) if stage is not None else text.escaped(log.stage_id)
    severity = text.severity(log.severity)
    words = text.escaped(log.text) if severity == "info" else f"{severity}: {text.escaped(log.text)}"
    return f"{name} | {words}".lstrip()


def _artifact_added(event: Event, fold: Fold) -> str:
    return f"artifact {text.artifact(event.artifact_added.artifact)}"


def _custom(event: Event, fold: Fold) -> str:
    custom = event.custom
    data = custom.proto.type_url if custom.HasField("proto") else json_line.dump_json(to_json(custom.json))
    return f"event {text.one_line(custom.type)} {text.one_line(data, _TEXT_LIMIT)}"


def _cancel_requested(event: Event, fold: Fold) -> str:
    cancel = event.cancel_requested.cancellation
    who = f" by {text.escaped(cancel.requested_by)}" if cancel.requested_by else ""
    why = f": {text.one_line(cancel.reason, _TEXT_LIMIT)}" if cancel.reason else ""
    grace = text.seconds_between(event.time, cancel.deadline) if cancel.HasField("deadline") else 0.0
    within = f", to stop within {text.elapsed(grace)}" if grace >= 1 else ""
    return f"cancellation requested{who}{within}{why}"


def _cancel_acknowledged(event: Event, fold: Fold) -> str:
    return "the worker has heard of the cancellation, and is stopping"


def _attempt_ended(event: Event, fold: Fold) -> str:
    end = event.attempt_ended
    wait = text.seconds_between(event.time, end.retry_time) if end.HasField("retry_time") else 0.0
    then = f"the next one in {text.elapsed(wait)}" if wait >= 1 else "back in the queue"
    why = f": {text.failure_text(end.failure)}" if end.HasField("failure") else ""
    return f"attempt {event.attempt} ended, {then}{why}"


def _job_ended(event: Event, fold: Fold) -> str:
    end = event.job_ended
    line = text.job_state(end.state)
    if end.failure.code == "TIMEOUT":
        line = "timed out"
    if fold.job.HasField("start_time"):
        took = text.elapsed(text.seconds_between(fold.job.start_time, event.time), tenths=True)
        line = f"{line} {'in' if end.state == JobState.JOB_STATE_SUCCEEDED else 'after'} {took}"
    message = text.one_line(end.message, _TEXT_LIMIT)
    if end.HasField("failure"):
        return _joined(f"{line}: {text.failure_text(end.failure)}", message)
    if end.forced and not message:
        return f"{line}, without its worker, which did not stop in time"
    return f"{line}: {message}" if message else line


def _children_progressed(event: Event, fold: Fold) -> str:
    children = event.children_progressed
    ended = f"{children.ended:,} of {_children_count(children.total)} ended"
    if not fold.job.fraction_known:
        return f"{ended}, and there may be more"
    return f"{ended}, {text.percent(children.job_fraction)} of the job is done"


def _children_count(number: int) -> str:
    return "1 child" if number == 1 else f"{number:,} children"


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
