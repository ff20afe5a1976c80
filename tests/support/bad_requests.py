"""Invalid requests to JobService, each with one violation, and the field and reason of its refusal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value

from milepost.contract import limits
from milepost.v1 import (
    CancelJobRequest,
    DeleteJobRequest,
    Delivery,
    Dispatch,
    EventFilter,
    GetJobRequest,
    JobFilter,
    JobState,
    ListJobsRequest,
    OnGap,
    Retention,
    RetryPolicy,
    Stage,
    SubmitJobRequest,
    WatchJobRequest,
    WatchJobsRequest,
)

__all__ = [
    "BAD_AMOUNTS",
    "BAD_DURATIONS",
    "BAD_STRUCTS",
    "INVALID",
    "REQUESTS",
    "TOO_LARGE",
    "Bad",
    "nested",
    "struct",
]

INVALID = "INVALID_FIELD"
TOO_LARGE = "TOO_LARGE"

BAD_AMOUNTS = {"NaN": math.nan, "infinite": math.inf, "negative": -0.5, "over 1e30": 1.1e30}
BAD_DURATIONS = {
    "negative": Duration(seconds=-1),
    "just negative": Duration(nanos=-1),
    "of too many nanoseconds": Duration(seconds=60, nanos=10**9),
    "of two signs": Duration(seconds=60, nanos=-1),
    "over 10,000 years": Duration(seconds=315_576_000_001),
}


class Bad(NamedTuple):
    """A message with one violation: the field, and the reason of the refusal."""

    message: Message
    field: str
    reason: str = INVALID


def struct(value: Mapping[str, Any]) -> Struct:
    """A JSON object as a message."""
    message = Struct()
    message.update(value)
    return message


def nested(depth: int) -> Struct:
    """A JSON object with ``depth`` levels."""
    value: dict[str, Any] = {"leaf": True}
    for _ in range(depth - 1):
        value = {"x": value}
    return struct(value)


BAD_STRUCTS = {
    "of NaN": (struct({"x": [1, {"y": math.nan}]}), INVALID),
    "of infinity": (struct({"x": -math.inf}), INVALID),
    "of a value of no kind": (Struct(fields={"x": Value()}), INVALID),
    "too deep": (nested(limits.STRUCT_DEPTH + 1), TOO_LARGE),
    "of lists too deep": (struct({"x": [nested(limits.STRUCT_DEPTH - 1)]}), TOO_LARGE),
}


def _submit(field: str, reason: str = INVALID, /, **fields: Any) -> Bad:
    return Bad(SubmitJobRequest(**{"kind": "k", **fields}), field, reason)


def _stage(field: str, reason: str = INVALID, /, **fields: Any) -> Bad:
    return _submit(
        f"stages[1].{field}", reason, stages=[Stage(stage_id="a"), Stage(**{"stage_id": "b", **fields})]
    )


def _retry(field: str, reason: str = INVALID, /, **fields: Any) -> Bad:
    return _submit(f"retry_policy.{field}", reason, retry_policy=RetryPolicy(**fields))


def _retention(field: str, /, **fields: Any) -> Bad:
    return _submit(f"retention.{field}", retention=Retention(**fields))


def _cancel(field: str, reason: str = INVALID, /, **fields: Any) -> Bad:
    return Bad(CancelJobRequest(**{"job_id": "j", **fields}), field, reason)


def _watch(field: str, reason: str = INVALID, /, **fields: Any) -> Bad:
    return Bad(WatchJobRequest(**{"job_id": "j", **fields}), field, reason)


def _watch_jobs(field: str, reason: str = INVALID, /, **fields: Any) -> Bad:
    return Bad(WatchJobsRequest(**fields), field, reason)


def _of_many(bad: Bad) -> Bad:
    """Convert a request of WatchJob to WatchJobs, whose filter of events has another name."""
    request = WatchJobsRequest()
    for field, value in bad.message.ListFields():
        if field.name == "filter":
            request.event_filter.CopyFrom(value)
        elif field.name == "status_interval":
            request.status_interval.CopyFrom(value)
        elif field.name != "job_id":
            setattr(request, field.name, value)
    return Bad(request, bad.field.replace("filter.", "event_filter."), bad.reason)


def _filter(field: str, reason: str = INVALID, /, **fields: Any) -> Bad:
    return Bad(ListJobsRequest(filter=JobFilter(**fields)), f"filter.{field}", reason)


_BAD_IDS = {"of spaces": "a b", "with a line's end": "a\n", "not ASCII": "é", "too long": "x" * 129}
_LONG_NAME = "ü" * (limits.NAME_LENGTH + 1)
_LABELS = {f"l{number}": "" for number in range(limits.LABELS + 1)}
_MANY = limits.FILTER_VALUES + 1

_SUBMIT = {
    **{f"job_id {what}": _submit("job_id", job_id=value) for what, value in _BAD_IDS.items()},
    "request_id too long": _submit("request_id", TOO_LARGE, request_id=_LONG_NAME),
    "kind empty": _submit("kind", kind=""),
    "kind in capitals": _submit("kind", kind="Archive"),
    "kind with a dash first": _submit("kind", kind="-a"),
    "kind too long": _submit("kind", kind="k" * 65),
    "owner too long": _submit("owner", TOO_LARGE, owner=_LONG_NAME),
    "labels too many": _submit("labels", TOO_LARGE, labels=_LABELS),
    "label without a name": _submit("labels['']", labels={"": "x"}),
    "label's name": _submit("labels['A b']", labels={"A b": "x"}),
    "label's name too long": _submit(f"labels['{'x' * 64}']", labels={"x" * 64: "x"}),
    "label's value too long": _submit("labels['x']", TOO_LARGE, labels={"x": "é" * 257}),
    "parent_job_id": _submit("parent_job_id", parent_job_id="a b"),
    "parent_job_id its own": _submit("parent_job_id", job_id="j", parent_job_id="j"),
    "input too large": _submit("input", TOO_LARGE, input=struct({"x": "x" * limits.INPUT_SIZE})),
    **{
        f"input {what}": _submit("input", reason, input=value)
        for what, (value, reason) in BAD_STRUCTS.items()
    },
    "stages too many": _submit(
        "stages", TOO_LARGE, stages=[Stage(stage_id=f"s{number}") for number in range(limits.STAGES + 1)]
    ),
    "stage without an id": _stage("stage_id", stage_id=""),
    "stage_id": _stage("stage_id", stage_id="a b"),
    "stage_id too long": _stage("stage_id", stage_id="x" * 129),
    "stage_id twice": _stage("stage_id", stage_id="a"),
    "parent_stage_id unknown": _stage("parent_stage_id", parent_stage_id="c"),
    "parent_stage_id its own": _stage("parent_stage_id", parent_stage_id="b"),
    "parent_stage_id of a later stage": _submit(
        "stages[0].parent_stage_id", stages=[Stage(stage_id="a", parent_stage_id="b"), Stage(stage_id="b")]
    ),
    "stages in a circle": _submit(
        "stages[0].parent_stage_id",
        stages=[Stage(stage_id="a", parent_stage_id="b"), Stage(stage_id="b", parent_stage_id="a")],
    ),
    "title too long": _stage("title", TOO_LARGE, title="é" * 257),
    "unit too long": _stage("unit", TOO_LARGE, unit="é" * 33),
    "message too long": _stage("message", TOO_LARGE, message="é" * 4097),
    **{
        f"{field} {what}": _stage(field, **{field: value})
        for field in ("weight", "total", "current", "fraction")
        for what, value in BAD_AMOUNTS.items()
    },
    "fraction over 1": _stage("fraction", fraction=1.001),
    **{f"workload {what}": _submit("workload", workload=value) for what, value in BAD_AMOUNTS.items()},
    "workload_unit too long": _submit("workload_unit", TOO_LARGE, workload_unit="é" * 33),
    **{f"timeout {what}": _submit("timeout", timeout=value) for what, value in BAD_DURATIONS.items()},
    "timeout of nothing": _submit("timeout", timeout=Duration()),
    "timeout too short": _submit("timeout", timeout=Duration(nanos=999_999_999)),
    "attempt_timeout too short": _submit("attempt_timeout", attempt_timeout=Duration(nanos=999_999_999)),
    "start_deadline too short": _submit("start_deadline", start_deadline=Duration(nanos=999_999_999)),
    "planned_children negative": _submit("planned_children", planned_children=-1),
    "planned_children too many": _submit("planned_children", planned_children=1_000_000_001),
    "priority too low": _submit("priority", priority=-1001),
    "priority too high": _submit("priority", priority=1001),
    "concurrency_key too long": _submit("concurrency_key", TOO_LARGE, concurrency_key="é" * 129),
    "concurrency_limit negative": _submit("concurrency_limit", concurrency_key="k", concurrency_limit=-1),
    "concurrency_limit too high": _submit("concurrency_limit", concurrency_key="k", concurrency_limit=10_001),
    "concurrency_limit of no key": _submit("concurrency_limit", concurrency_limit=1),
    "max_attempts negative": _retry("max_attempts", max_attempts=-1),
    "max_attempts too many": _retry("max_attempts", max_attempts=limits.ATTEMPTS + 1),
    **{
        f"{field} {what}": _retry(field, **{field: value})
        for field in ("initial_backoff", "max_backoff")
        for what, value in BAD_DURATIONS.items()
    },
    **{f"multiplier {what}": _retry("multiplier", multiplier=value) for what, value in BAD_AMOUNTS.items()},
    "multiplier under 1": _retry("multiplier", multiplier=0.99),
    "multiplier over 100": _retry("multiplier", multiplier=100.1),
    "retryable_codes too many": _retry("retryable_codes", TOO_LARGE, retryable_codes=["A"] * 65),
    "retryable_codes": _retry("retryable_codes[1]", retryable_codes=["A", "b c"]),
    "final_codes too many": _retry("final_codes", TOO_LARGE, final_codes=["A"] * 65),
    "final_codes": _retry("final_codes[1]", final_codes=["A", "b c"]),
    **{
        f"{field} {what}": _retention(field, **{field: value})
        for field in ("keep_events", "keep_job")
        for what, value in BAD_DURATIONS.items()
    },
    "max_events negative": _retention("max_events", max_events=-1),
    "max_events too few": _retention("max_events", max_events=99),
    "dispatch": _submit("dispatch", dispatch=Dispatch.ValueType(99)),
}

_CANCEL = {
    "job_id empty": _cancel("job_id", job_id=""),
    **{f"job_id {what}": _cancel("job_id", job_id=value) for what, value in _BAD_IDS.items()},
    "reason too long": _cancel("reason", TOO_LARGE, reason="é" * 4097),
    "request_id too long": _cancel("request_id", TOO_LARGE, request_id=_LONG_NAME),
    **{
        f"grace_period {what}": _cancel("grace_period", grace_period=value)
        for what, value in BAD_DURATIONS.items()
    },
    "grace_period over a day": _cancel("grace_period", grace_period=Duration(seconds=86_400, nanos=1)),
}

_WATCH = {
    "job_id empty": _watch("job_id", job_id=""),
    **{f"job_id {what}": _watch("job_id", job_id=value) for what, value in _BAD_IDS.items()},
    "after_sequence": _watch("after_sequence", after_sequence=-1),
}

# For both kinds of watches; converted for WatchJobs by `_of_many`.
_STREAM: dict[str, Bad] = {
    "epoch too long": _watch("epoch", TOO_LARGE, epoch=_LONG_NAME),
    "on_gap": _watch("on_gap", on_gap=OnGap.ValueType(99)),
    "delivery": _watch("delivery", delivery=Delivery.ValueType(99)),
    **{
        f"status_interval {what}": _watch("status_interval", status_interval=d)
        for what, d in BAD_DURATIONS.items()
    },
    "status_interval too short": _watch("status_interval", status_interval=Duration(nanos=999_999_999)),
    "status_interval too long": _watch("status_interval", status_interval=Duration(seconds=3601)),
    "max_batch_events negative": _watch("max_batch_events", max_batch_events=-1),
    "max_batch_events too many": _watch("max_batch_events", max_batch_events=limits.BATCH_EVENTS + 1),
    "payloads too many": _watch(
        "filter.payloads", TOO_LARGE, filter=EventFilter(payloads=["job_ended"] * _MANY)
    ),
    "payloads": _watch("filter.payloads[1]", filter=EventFilter(payloads=["job_ended", "job_paused"])),
    "stage_ids too many": _watch("filter.stage_ids", TOO_LARGE, filter=EventFilter(stage_ids=["s"] * _MANY)),
    "stage_ids": _watch("filter.stage_ids[0]", filter=EventFilter(stage_ids=["a b"])),
}

_LIST = {
    "owner too long": _filter("owner", TOO_LARGE, owner=_LONG_NAME),
    "kinds too many": _filter("kinds", TOO_LARGE, kinds=["k"] * _MANY),
    "kinds": _filter("kinds[1]", kinds=["k", "K"]),
    "labels too many": _filter("labels", TOO_LARGE, labels=_LABELS),
    "label's name": _filter("labels['A b']", labels={"A b": "x"}),
    "label's value too long": _filter("labels['x']", TOO_LARGE, labels={"x": "é" * 257}),
    "parent_job_id": _filter("parent_job_id", parent_job_id="a b"),
    "job_ids too many": _filter("job_ids", TOO_LARGE, job_ids=["j"] * _MANY),
    "job_ids": _filter("job_ids[1]", job_ids=["j", ""]),
    "states too many": _filter("states", TOO_LARGE, states=[JobState.JOB_STATE_QUEUED] * _MANY),
    "states": _filter("states[0]", states=[JobState.ValueType(99)]),
    "page_size": Bad(ListJobsRequest(page_size=-1), "page_size"),
    "order_by": Bad(ListJobsRequest(order_by="kind"), "order_by"),
    **{
        f"page_token {what}": Bad(ListJobsRequest(page_token=token), "page_token")
        for what, token in {
            "made up": "made-up",
            "not ASCII": "é",
            "too long": "A" * 100_000,
            "too deep": "W1tb" * 20_000,  # [[[[…
            "of no numbers": "WyJhIiwgImIiXQ",  # ["a", "b"]
            "of nothing": "bnVsbA",  # null
        }.items()
    },
}

_WATCH_JOBS = {
    "after_position": _watch_jobs("after_position", after_position=-1),
    "kinds": _watch_jobs("filter.kinds[0]", filter=JobFilter(kinds=["K"])),
    **{what: _of_many(bad) for what, bad in _STREAM.items()},
}

_GET = {
    "job_id empty": Bad(GetJobRequest(), "job_id"),
    **{f"job_id {what}": Bad(GetJobRequest(job_id=value), "job_id") for what, value in _BAD_IDS.items()},
}

_DELETE = {
    "job_id empty": Bad(DeleteJobRequest(), "job_id"),
    **{f"job_id {what}": Bad(DeleteJobRequest(job_id=value), "job_id") for what, value in _BAD_IDS.items()},
}

REQUESTS: Mapping[str, Bad] = {
    f"{method}: {name}": bad
    for method, table in {
        "SubmitJob": _SUBMIT,
        "GetJob": _GET,
        "ListJobs": _LIST,
        "CancelJob": _CANCEL,
        "DeleteJob": _DELETE,
        "WatchJob": {**_WATCH, **_STREAM},
        "WatchJobs": _WATCH_JOBS,
    }.items()
    for name, bad in table.items()
}
"""By method and violation."""
