"""A second implementation of the fold, as for another language: written from docs/events.md, over plain JSON.

It shares no code with ``milepost.fold``, and works differently: it recomputes all stages after each event. If the two
disagree about a log, one of them or the docs is wrong.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any, Final

__all__ = ["second_fold"]

Json = dict[str, Any]

_OPEN: Final = ("STAGE_STATE_PENDING", "STAGE_STATE_RUNNING")
_DONE: Final = ("STAGE_STATE_SUCCEEDED", "STAGE_STATE_SKIPPED")


def second_fold(events: Iterable[Json], job: Json | None = None) -> Json:
    """Fold events into a job, all in ProtoJSON; fields at their default are absent."""
    job = {} if job is None else copy.deepcopy(job)
    for event in events:
        if int(event.get("sequence", 0)) <= int(job.get("lastSequence", 0)):
            continue
        for payload, apply in _ARMS.items():
            if payload in event:
                apply(job, event, event[payload])
                _mark_known(job, payload)
        job["lastSequence"] = event["sequence"]
    return _without_defaults(job)


def _job_submitted(job: Json, event: Json, payload: Json) -> None:
    job.clear()
    job.update(copy.deepcopy(payload.get("job", {})))
    _all_planned(job)


def _job_started(job: Json, event: Json, payload: Json) -> None:
    job["state"] = "JOB_STATE_RUNNING"
    job["attempt"] = event.get("attempt", 0)
    job["workerId"] = payload.get("workerId", "")
    job["workerInstance"] = payload.get("instance", "")
    job["startTime"] = event["time"]
    job.setdefault("firstStartTime", event["time"])
    for name in ("message", "failure", "retryTime", "fraction"):
        job.pop(name, None)
    for stage in _stages(job):
        for name in ("message", "failure", "startTime", "endTime", "current", "fraction"):
            stage.pop(name, None)
        stage["state"] = "STAGE_STATE_PENDING"


def _stages_planned(job: Json, event: Json, payload: Json) -> None:
    by_id = {stage["stageId"]: stage for stage in _stages(job)}
    kept = set()
    for stage in _stages(job):
        around: Json | None = stage if stage.get("state") != "STAGE_STATE_PENDING" else None
        while around is not None:
            kept.add(around["stageId"])
            around = by_id.get(around.get("parentStageId", ""))
    outline = ("stageId", "parentStageId", "title", "weight", "total", "unit")
    job["stages"] = [stage for stage in _stages(job) if stage["stageId"] in kept]
    for declared in payload.get("stages", []):
        if declared["stageId"] not in kept:
            stage = {"state": "STAGE_STATE_PENDING"} | {
                name: declared[name] for name in outline if name in declared
            }
            _append(job, stage)
    _all_planned(job)
    if payload.get("plannedChildren"):
        job["plannedChildren"] = payload["plannedChildren"]


def _stage_started(job: Json, event: Json, payload: Json) -> None:
    declared = payload.get("stage", {})
    stage = _find(job, declared["stageId"])
    if stage is None:
        stage = {"stageId": declared["stageId"], "parentStageId": declared.get("parentStageId", "")}
        _append(job, stage)
    # In ProtoJSON an empty text is absent, and so is a number that is not set.
    for name in ("title", "weight", "total", "unit", "message"):
        if name in declared:
            stage[name] = declared[name]
    stage["state"] = "STAGE_STATE_RUNNING"
    stage["startTime"] = event["time"]


def _stage_progressed(job: Json, event: Json, payload: Json) -> None:
    job["fraction"] = payload.get("jobFraction", 0.0)
    stage = _find(job, payload["stageId"])
    if stage is not None:
        stage["current"] = payload.get("current", 0.0)
        stage["fraction"] = payload.get("fraction", 0.0)
        for name in ("total", "unit", "message"):
            if name in payload:
                stage[name] = payload[name]
        _carry_up(job, stage)


def _stage_ended(job: Json, event: Json, payload: Json) -> None:
    job["fraction"] = payload.get("jobFraction", 0.0)
    stage = _find(job, payload["stageId"])
    if stage is not None:
        stage["state"] = payload["state"]
        stage["endTime"] = event["time"]
        for name in ("message", "failure"):
            if name in payload:
                stage[name] = payload[name]
        if stage["state"] == "STAGE_STATE_SUCCEEDED":
            stage["fraction"] = 1.0
        _end([inner for inner in _stages(job) if stage in _around(job, inner)], payload["state"], event)
        _carry_up(job, stage)


def _artifact_added(job: Json, event: Json, payload: Json) -> None:
    artifacts = job.setdefault("artifacts", [])
    for index, artifact in enumerate(artifacts):
        if artifact["name"] == payload["artifact"]["name"]:
            artifacts[index] = payload["artifact"]
            return
    artifacts.append(payload["artifact"])


def _cancel_requested(job: Json, event: Json, payload: Json) -> None:
    job["state"] = "JOB_STATE_CANCELLING"
    job["cancellation"] = dict(payload.get("cancellation", {}))


def _cancel_acknowledged(job: Json, event: Json, payload: Json) -> None:
    job.setdefault("cancellation", {})["acknowledgeTime"] = event["time"]


def _attempt_ended(job: Json, event: Json, payload: Json) -> None:
    failure = payload.get("failure", {})
    job["state"] = "JOB_STATE_QUEUED"
    job["failure"] = failure
    job["message"] = failure.get("message", "")
    if "retryTime" in payload:
        job["retryTime"] = payload["retryTime"]
    unharmed = failure.get("code") == "RELEASED"
    if not unharmed:
        job["failedAttempts"] = job.get("failedAttempts", 0) + 1
    for stage in _stages(job):
        if stage.get("state") == "STAGE_STATE_RUNNING":
            stage["state"] = "STAGE_STATE_CANCELLED" if unharmed else "STAGE_STATE_FAILED"
            stage["endTime"] = event["time"]


def _job_ended(job: Json, event: Json, payload: Json) -> None:
    state = payload.get("state")
    if state in ("JOB_STATE_FAILED", "JOB_STATE_LOST") and job.get("state") != "JOB_STATE_QUEUED":
        job["failedAttempts"] = job.get("failedAttempts", 0) + 1
    job["state"] = state
    job["message"] = payload.get("message", "")
    job["endTime"] = event["time"]
    for name in ("retryTime", "failure"):
        job.pop(name, None)
    for name in ("failure", "result"):
        if name in payload:
            job[name] = payload[name]
    if payload.get("forced"):
        job.setdefault("cancellation", {})["forced"] = True
    if state == "JOB_STATE_SUCCEEDED":
        job["fraction"] = 1.0
        job["fractionKnown"] = True
    ends = {
        "JOB_STATE_SUCCEEDED": "STAGE_STATE_SUCCEEDED",
        "JOB_STATE_FAILED": "STAGE_STATE_FAILED",
        "JOB_STATE_LOST": "STAGE_STATE_FAILED",
    }
    _end(_stages(job), ends.get(str(state), "STAGE_STATE_CANCELLED"), event)


def _children_progressed(job: Json, event: Json, payload: Json) -> None:
    job["fraction"] = payload.get("jobFraction", 0.0)
    if not _stages(job):
        job["fractionKnown"] = 0 < payload.get("total", 0) <= job.get("plannedChildren", 0)


def _nothing(job: Json, event: Json, payload: Json) -> None:
    """No effect on the job."""


_ARMS: Final[dict[str, Callable[[Json, Json, Json], None]]] = {
    "jobSubmitted": _job_submitted,
    "jobStarted": _job_started,
    "stagesPlanned": _stages_planned,
    "stageStarted": _stage_started,
    "stageProgressed": _stage_progressed,
    "stageEnded": _stage_ended,
    "logWritten": _nothing,
    "artifactAdded": _artifact_added,
    "custom": _nothing,
    "cancelRequested": _cancel_requested,
    "cancelAcknowledged": _cancel_acknowledged,
    "attemptEnded": _attempt_ended,
    "jobEnded": _job_ended,
    "childrenProgressed": _children_progressed,
}


def _end(stages: Iterable[Json], state: str, event: Json) -> None:
    for stage in stages:
        if stage.get("state") in _OPEN:
            takes_it = stage["state"] == "STAGE_STATE_RUNNING" or state == "STAGE_STATE_CANCELLED"
            stage["state"] = state if takes_it else "STAGE_STATE_SKIPPED"
            stage["endTime"] = event["time"]
            if stage["state"] == "STAGE_STATE_SUCCEEDED":
                stage["fraction"] = 1.0


def _carry_up(job: Json, stage: Json) -> None:
    for outer in _around(job, stage):
        inner = [stage for stage in _own(job, outer["stageId"]) if _weight(stage) > 0]
        mean = 0.0
        if inner:
            done = math.fsum(_weight(stage) * _share(stage) for stage in inner)
            mean = min(done / math.fsum(_weight(stage) for stage in inner), 1.0)
        if not all(stage.get("planned") for stage in inner):
            mean = mean * len(inner) / (len(inner) + 1)
        outer["fraction"] = max(outer.get("fraction", 0.0), mean)


def _mark_known(job: Json, payload: str) -> None:
    """Recompute all stages, the innermost first."""
    for stage in sorted(_stages(job), key=lambda stage: -len(_around(job, stage))):
        if stage.get("state") == "STAGE_STATE_SUCCEEDED":
            stage["fractionKnown"] = True
        elif stage.get("state") in _OPEN:
            own = _own(job, stage["stageId"])
            stage["fractionKnown"] = _known(job, own) if own else "total" in stage
    if payload == "jobEnded":
        return
    if _stages(job):
        job["fractionKnown"] = _known(job, _own(job, ""))
    elif payload in ("jobSubmitted", "jobStarted", "stagesPlanned", "attemptEnded"):
        job["fractionKnown"] = False


def _known(job: Json, stages: list[Json]) -> bool:
    weighty = [stage for stage in stages if _weight(stage) > 0]
    return bool(weighty) and not any(_hides(job, stage) for stage in weighty)


def _hides(job: Json, stage: Json) -> bool:
    unknown_within = (
        stage.get("state") in _OPEN and _own(job, stage["stageId"]) and not stage["fractionKnown"]
    )
    return not stage.get("planned") or bool(unknown_within)


def _all_planned(job: Json) -> None:
    for stage in _stages(job):
        stage["planned"] = True


def _weight(stage: Json) -> float:
    return float(stage.get("weight", 1.0))


def _share(stage: Json) -> float:
    return 1.0 if stage.get("state") in _DONE else float(stage.get("fraction", 0.0))


def _stages(job: Json) -> list[Json]:
    return list(job.get("stages", []))


def _append(job: Json, stage: Json) -> None:
    """Make a stage outermost if it would otherwise be within itself."""
    around = _find(job, stage.get("parentStageId", ""))
    if around is not None and stage["stageId"] in [
        outer.get("parentStageId", "") for outer in (around, *_around(job, around))
    ]:
        stage["parentStageId"] = ""
    job.setdefault("stages", []).append(stage)


def _find(job: Json, stage_id: str) -> Json | None:
    return next((stage for stage in _stages(job) if stage["stageId"] == stage_id), None)


def _own(job: Json, stage_id: str) -> list[Json]:
    return [stage for stage in _stages(job) if stage.get("parentStageId", "") == stage_id]


def _around(job: Json, stage: Json) -> list[Json]:
    """The stages around a stage, innermost first."""
    outer = _find(job, stage.get("parentStageId", ""))
    return [] if outer is None else [outer, *_around(job, outer)]


def _without_defaults(job: Json) -> Json:
    """Normalise to ProtoJSON: fields with presence (`optional`, messages) are there only if they were set."""
    kept = {
        name: value for name, value in job.items() if value or name in ("failure", "cancellation", "result")
    }
    if "stages" in kept:
        kept["stages"] = [
            {name: value for name, value in stage.items() if value or name in ("weight", "total", "failure")}
            for stage in kept["stages"]
        ]
    return kept
