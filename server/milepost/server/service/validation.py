"""Validate requests: one function for each, which raises a Refusal with all invalid fields.

Updates in reports depend on the job, so that ``decide.reporting`` validates them, with the same ``field_checks``.
"""

from __future__ import annotations

from milepost.contract import limits
from milepost.server.messages import field_checks
from milepost.server.messages.field_checks import Check
from milepost.server.scheduling.steps import Steps
from milepost.server.service import paging
from milepost.v1 import (
    CancelJobRequest,
    Capacity,
    Claim,
    Delivery,
    Dispatch,
    Event,
    EventFilter,
    GetHistoryRequest,
    JobFilter,
    JobState,
    ListJobsRequest,
    ListWorkersRequest,
    OnGap,
    Report,
    ReportJobRequest,
    ShareJobRequest,
    SubmitJobRequest,
    WatchJobRequest,
    WatchJobsRequest,
    WorkRequest,
)

NEWEST_FIRST = "submit_time desc"
OLDEST_FIRST = "submit_time"


def job_id(value: str) -> None:
    """A request with nothing but a job id."""
    check = Check()
    check.pattern("job_id", value, limits.JOB_ID)
    check.refuse()


def submit(request: SubmitJobRequest) -> Steps[None]:
    """SubmitJob, apart from conditions on other jobs; in slices, since its input may be large."""
    check = Check()
    check.pattern("job_id", request.job_id, limits.JOB_ID, optional=True)
    check.length("request_id", request.request_id, limits.NAME_LENGTH)
    check.pattern("kind", request.kind, limits.KIND)
    check.length("owner", request.owner, limits.NAME_LENGTH)
    field_checks.labels(check, "labels", request.labels)
    check.pattern("parent_job_id", request.parent_job_id, limits.JOB_ID, optional=True)
    if request.parent_job_id and request.parent_job_id == request.job_id:
        check.wrong("parent_job_id", "a job cannot be its own parent")
    if check.size("input", request.input, limits.INPUT_SIZE):
        yield from check.struct("input", request.input)
    field_checks.stage_plan(check, "stages", request.stages, {})
    check.between("planned_children", request.planned_children, 0, limits.CHILDREN)
    check.amount("workload", request.workload)
    check.length("workload_unit", request.workload_unit, limits.UNIT_LENGTH)
    for name in ("timeout", "attempt_timeout", "start_deadline"):
        if request.HasField(name):
            check.duration(name, getattr(request, name), minimum=limits.TIMEOUT_MIN)
    check.between("priority", request.priority, -limits.PRIORITY, limits.PRIORITY)
    check.length("concurrency_key", request.concurrency_key, limits.NAME_LENGTH)
    check.amount("concurrency_limit", request.concurrency_limit, maximum=limits.CONCURRENCY)
    if request.concurrency_limit and not request.concurrency_key:
        check.wrong("concurrency_limit", f"is {request.concurrency_limit}, without a concurrency_key")
    if request.HasField("retry_policy"):
        field_checks.retry_policy(check, "retry_policy", request.retry_policy)
    if request.HasField("retention"):
        field_checks.retention(check, "retention", request.retention)
    check.known("dispatch", request.dispatch, Dispatch.DESCRIPTOR.values_by_number)
    check.refuse()


def cancel(request: CancelJobRequest) -> None:
    """CancelJob."""
    check = Check()
    check.pattern("job_id", request.job_id, limits.JOB_ID)
    check.length("reason", request.reason, limits.MESSAGE_LENGTH)
    check.length("request_id", request.request_id, limits.NAME_LENGTH)
    check.duration("grace_period", request.grace_period, maximum=limits.GRACE_PERIOD_MAX)
    check.refuse()


def share(request: ShareJobRequest) -> None:
    """ShareJob."""
    check = Check()
    check.pattern("job_id", request.job_id, limits.JOB_ID)
    if request.HasField("ttl"):
        check.duration("ttl", request.ttl, minimum=limits.SHARE_TTL_MIN, maximum=limits.SHARE_TTL_MAX)
    for index, scope in enumerate(request.scopes):
        if scope not in limits.SHARE_SCOPES:
            check.wrong(f"scopes[{index}]", f"{scope[:200]!r} is not one of {', '.join(limits.SHARE_SCOPES)}")
            break
    check.refuse()


def list_jobs(request: ListJobsRequest) -> None:
    """ListJobs. As in AIP-158 a page size over the maximum is valid, a negative one is not."""
    check = Check()
    _job_filter(check, "filter", request.filter)
    _page_size(check, request.page_size)
    _page_token(check, request)
    if request.order_by not in ("", NEWEST_FIRST, OLDEST_FIRST):
        check.wrong("order_by", f"{request.order_by!r} is neither {NEWEST_FIRST!r} nor {OLDEST_FIRST!r}")
    check.refuse()


def history(request: GetHistoryRequest) -> None:
    """GetHistory."""
    check = Check()
    check.pattern("kind", request.kind, limits.KIND)
    check.length("owner", request.owner, limits.NAME_LENGTH)
    check.refuse()


def list_workers(request: ListWorkersRequest) -> None:
    """ListWorkers."""
    check = Check()
    check.pattern("kind", request.kind, limits.KIND, optional=True)
    _page_size(check, request.page_size)
    _page_token(check, request)
    check.refuse()


def watch_jobs(request: WatchJobsRequest) -> None:
    """WatchJobs, apart from conditions on the log."""
    check = Check()
    _job_filter(check, "filter", request.filter)
    if request.after_position < 0:
        check.wrong("after_position", f"is {request.after_position}; it must not be negative")
    _watch(check, request, "event_filter", request.event_filter)
    check.refuse()


def watch_job(request: WatchJobRequest) -> None:
    """WatchJob, apart from conditions on the log."""
    check = Check()
    check.pattern("job_id", request.job_id, limits.JOB_ID)
    if request.after_sequence < 0:
        check.wrong("after_sequence", f"is {request.after_sequence}; it must not be negative")
    _watch(check, request, "filter", request.filter)
    check.refuse()


def _page_size(check: Check, value: int) -> None:
    if value < 0:
        check.wrong("page_size", f"is {value}; it must not be negative")


def _page_token(check: Check, request: ListJobsRequest | ListWorkersRequest) -> None:
    try:
        if isinstance(request, ListJobsRequest):
            paging.after_job(request)
        else:
            paging.after_worker(request)
    except paging.InvalidPageToken as error:
        check.wrong("page_token", str(error))


def _watch(
    check: Check, request: WatchJobRequest | WatchJobsRequest, filter_path: str, events: EventFilter
) -> None:
    """The fields that both watches have."""
    check.length("epoch", request.epoch, limits.NAME_LENGTH)
    check.known("on_gap", request.on_gap, OnGap.DESCRIPTOR.values_by_number)
    check.known("delivery", request.delivery, Delivery.DESCRIPTOR.values_by_number)
    if request.HasField("status_interval"):
        check.duration(
            "status_interval",
            request.status_interval,
            limits.STATUS_INTERVAL_MIN,
            limits.STATUS_INTERVAL_MAX,
        )
    check.amount("max_batch_events", request.max_batch_events, maximum=limits.BATCH_EVENTS)
    check.count(f"{filter_path}.payloads", events.payloads, limits.FILTER_VALUES)
    payloads = Event.DESCRIPTOR.oneofs_by_name["payload"].fields
    for index, name in enumerate(events.payloads[: limits.FILTER_VALUES]):
        if name not in {payload.name for payload in payloads}:
            check.wrong(f"{filter_path}.payloads[{index}]", f"{name[:200]!r} is not a payload of Event")
    check.patterns(f"{filter_path}.stage_ids", events.stage_ids, limits.STAGE_ID, limits.FILTER_VALUES)


def hello(request: WorkRequest) -> None:
    """The first message of a session."""
    check = Check()
    if not request.HasField("hello"):
        check.wrong("message", "is not hello, which comes first in a session")
        check.refuse()
        return
    value = request.hello
    check.length("hello.worker_id", value.worker_id, limits.NAME_LENGTH)
    check.length("hello.sdk", value.sdk, limits.NAME_LENGTH)
    check.patterns("hello.kinds", value.kinds, limits.KIND, limits.FILTER_VALUES)
    check.amount("hello.max_concurrency", value.max_concurrency, maximum=limits.CONCURRENCY)
    check.length("hello.instance", value.instance, limits.NAME_LENGTH)
    check.patterns("hello.job_ids", value.job_ids, limits.JOB_ID, limits.CONCURRENCY)
    check.refuse()


def claim(value: Claim) -> None:
    """A worker's claim of a job."""
    check = Check()
    check.pattern("job_id", value.job_id, limits.JOB_ID)
    check.length("claim.instance", value.instance, limits.NAME_LENGTH)
    check.refuse()


def unexpected_message(message: str | None) -> None:
    """Refuse a later message of a session that is not valid there; this ends the session."""
    check = Check()
    check.wrong(
        "message",
        "hello comes once" if message == "hello" else "is empty, or of a kind unknown to this server",
    )
    check.refuse()


def capacity(value: Capacity) -> None:
    """A worker's new capacity."""
    check = Check()
    check.amount("capacity.max_concurrency", value.max_concurrency, maximum=limits.CONCURRENCY)
    check.refuse()


def report(value: Report | ReportJobRequest) -> None:
    """A report, apart from its updates and from conditions on the job."""
    check = Check()
    check.pattern("job_id", value.job_id, limits.JOB_ID)
    if value.updates and value.first_report_sequence < 1:
        check.wrong("first_report_sequence", f"is {value.first_report_sequence}; reports are numbered from 1")
    check.count("updates", value.updates, limits.UPDATES)
    check.refuse()


def _job_filter(check: Check, path: str, value: JobFilter) -> None:
    check.length(f"{path}.owner", value.owner, limits.NAME_LENGTH)
    check.patterns(f"{path}.kinds", value.kinds, limits.KIND, limits.FILTER_VALUES)
    field_checks.labels(check, f"{path}.labels", value.labels)
    check.pattern(f"{path}.parent_job_id", value.parent_job_id, limits.JOB_ID, optional=True)
    check.patterns(f"{path}.job_ids", value.job_ids, limits.JOB_ID, limits.FILTER_VALUES)
    if check.count(f"{path}.states", value.states, limits.FILTER_VALUES):
        for index, state in enumerate(value.states):
            check.known(f"{path}.states[{index}]", state, JobState.DESCRIPTOR.values_by_number)
