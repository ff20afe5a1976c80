"""The bounds of requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.contract import limits
from milepost.contract.printable import escape
from milepost.contract.reasons import reason_name
from milepost.server.base.refusal import Refusal
from milepost.server.scheduling.steps import finish
from milepost.server.service import validation
from milepost.v1 import (
    CancelJobRequest,
    Capacity,
    Dispatch,
    EventFilter,
    Hello,
    JobFilter,
    JobState,
    ListJobsRequest,
    Report,
    Retention,
    RetryPolicy,
    Stage,
    SubmitJobRequest,
    Update,
    WatchJobRequest,
    WatchJobsRequest,
    WorkRequest,
)
from tests.support.bad_requests import BAD_DURATIONS, INVALID, REQUESTS, TOO_LARGE, Bad, nested, struct


def check(request: Any) -> None:
    """Validate a request."""
    checks: dict[str, Callable[[Any], object]] = {
        "SubmitJobRequest": lambda request: finish(validation.submit(request)),
        "GetJobRequest": lambda request: validation.job_id(request.job_id),
        "ListJobsRequest": validation.list_jobs,
        "CancelJobRequest": validation.cancel,
        "WatchJobRequest": validation.watch_job,
        "WatchJobsRequest": validation.watch_jobs,
        "DeleteJobRequest": lambda request: validation.job_id(request.job_id),
        "WorkRequest": validation.hello,
        "Capacity": validation.capacity,
        "Report": validation.report,
    }
    checks[request.DESCRIPTOR.name](request)


def refused(request: Any) -> tuple[str, str]:
    """The field and the reason of a request's refusal."""
    with pytest.raises(Refusal) as caught:
        check(request)
    (violation,) = caught.value.violations
    assert violation.field == caught.value.metadata["field"]
    return violation.field, reason_name(caught.value.reason)


@pytest.mark.parametrize("bad", REQUESTS.values(), ids=REQUESTS)
def test_a_field_out_of_its_bound_is_named(bad: Bad) -> None:
    """The refusal names only the invalid field, and the reason."""
    assert (bad.field, bad.reason) == refused(bad.message)


HELLO = {
    "worker_id too long": (Hello(worker_id="é" * 129), "worker_id", TOO_LARGE),
    "sdk too long": (Hello(sdk="é" * 129), "sdk", TOO_LARGE),
    "kinds too many": (Hello(kinds=["k"] * 101), "kinds", TOO_LARGE),
    "kinds": (Hello(kinds=["k", ""]), "kinds[1]", INVALID),
    "max_concurrency negative": (Hello(max_concurrency=-1), "max_concurrency", INVALID),
    "max_concurrency too many": (Hello(max_concurrency=10_001), "max_concurrency", INVALID),
}


@pytest.mark.parametrize(("hello", "field", "reason"), HELLO.values(), ids=HELLO)
def test_a_hello_out_of_bounds_is_refused(hello: Hello, field: str, reason: str) -> None:
    """The refusal names only the invalid field, and the reason."""
    assert (f"hello.{field}", reason) == refused(WorkRequest(hello=hello))


@pytest.mark.parametrize(
    "request_", [WorkRequest(), WorkRequest(capacity=Capacity())], ids=["empty", "other"]
)
def test_hello_comes_first(request_: WorkRequest) -> None:
    """A session that opens with anything else is refused."""
    assert refused(request_) == ("message", INVALID)


@pytest.mark.parametrize("capacity", [-1, 10_001])
def test_a_capacity_out_of_bounds_is_refused(capacity: int) -> None:
    """0 to 10,000."""
    assert refused(Capacity(max_concurrency=capacity)) == ("capacity.max_concurrency", INVALID)


REPORTS = {
    "job_id": (Report(job_id="a b"), "job_id", INVALID),
    "first_report_sequence": (Report(job_id="j", updates=[Update()]), "first_report_sequence", INVALID),
    "updates": (
        Report(job_id="j", first_report_sequence=1, updates=[Update()] * 1001),
        "updates",
        TOO_LARGE,
    ),
}


@pytest.mark.parametrize(("report", "field", "reason"), REPORTS.values(), ids=REPORTS)
def test_a_report_out_of_bounds_is_refused(report: Report, field: str, reason: str) -> None:
    """The refusal names only the invalid field, and the reason."""
    assert (field, reason) == refused(report)


NAME = "é" * limits.NAME_LENGTH
LABELS = {f"{number:02}{'x' * 61}": "é" * 256 for number in range(64)}

AT_THE_BOUND = {
    "a job": SubmitJobRequest(
        job_id="x" * 128,
        request_id=NAME,
        kind="0" + "a._-" * 15 + "xxx",
        owner=NAME,
        labels=LABELS,
        parent_job_id="-",
        input=nested(limits.STRUCT_DEPTH),
        stages=[
            Stage(
                stage_id=f"A._/-{number}",
                parent_stage_id=f"A._/-{number - 1}" if number else "",
                title="é" * 256,
                weight=1e30,
                total=1e30,
                unit="é" * 32,
                message="é" * 4096,
                fraction=1.0,
            )
            for number in range(limits.STAGES)
        ],
        workload=1e30,
        workload_unit="é" * 32,
        timeout=Duration(seconds=1),
        retry_policy=RetryPolicy(
            max_attempts=1000,
            initial_backoff=Duration(),
            max_backoff=Duration(seconds=315_576_000_000),
            multiplier=100,
            retryable_codes=["0" + "A._-" * 15 + "xxx"] * 64,
            final_codes=["0" + "A._-" * 15 + "xxx"] * 64,
        ),
        dispatch=Dispatch.DISPATCH_EXTERNAL,
        retention=Retention(
            keep_events=Duration(), keep_job=Duration(seconds=315_576_000_000), max_events=100
        ),
    ),
    "a job of almost nothing": SubmitJobRequest(kind="k"),
    "a large input": SubmitJobRequest(kind="k", input=struct({"x": "x" * (limits.INPUT_SIZE - 17)})),
    "a cancellation": CancelJobRequest(
        job_id="j", reason="é" * 4096, request_id=NAME, grace_period=Duration(seconds=86_400)
    ),
    "a cancellation at once": CancelJobRequest(job_id="j", grace_period=Duration()),
    "a list": ListJobsRequest(
        filter=JobFilter(
            owner=NAME,
            kinds=["k"] * 100,
            labels=LABELS,
            parent_job_id="x" * 128,
            job_ids=["j"] * 100,
            states=[JobState.JOB_STATE_LOST] * 100,
        ),
        page_size=2**31 - 1,
        order_by="submit_time desc",
    ),
    "a watch of many jobs": WatchJobsRequest(
        filter=JobFilter(job_ids=["j"] * 100),
        after_position=2**63 - 1,
        event_filter=EventFilter(payloads=["job_ended"] * 100, stage_ids=["s"] * 100),
        status_interval=Duration(seconds=1),
        max_batch_events=1,
    ),
    "a watch": WatchJobRequest(
        job_id="j",
        after_sequence=2**63 - 1,
        epoch=NAME,
        status_interval=Duration(seconds=3600),
        max_batch_events=10_000,
    ),
    "a worker": WorkRequest(hello=Hello(worker_id=NAME, sdk=NAME, kinds=["k"] * 100, max_concurrency=10_000)),
    "a capacity": Capacity(max_concurrency=10_000),
    "a report": Report(job_id="j", first_report_sequence=2**63 - 1, updates=[Update()] * 1000),
    "a report of nothing": Report(job_id="j"),
}


@pytest.mark.parametrize("request_", AT_THE_BOUND.values(), ids=AT_THE_BOUND)
def test_bounds_are_inclusive(request_: Any) -> None:
    """Bounds are inclusive."""
    check(request_)


def test_all_violations_are_reported_at_once() -> None:
    """The refusal lists all violations; the first one gives the reason."""
    request = SubmitJobRequest(kind="", owner="x" * 129, timeout=BAD_DURATIONS["negative"])

    with pytest.raises(Refusal) as caught:
        finish(validation.submit(request))

    assert [violation.field for violation in caught.value.violations] == ["kind", "owner", "timeout"]
    assert reason_name(caught.value.reason) == INVALID


def test_a_refusal_stays_small_whatever_it_quotes() -> None:
    """It is sent in headers, which gRPC limits to 8 KiB."""
    request = SubmitJobRequest(
        kind="\U0001f600" * 10_000, labels={f"\U0001f600{'é' * 10_000}{number}": "" for number in range(60)}
    )

    with pytest.raises(Refusal) as caught:
        finish(validation.submit(request))

    result = caught.value
    texts = [text for violation in result.violations for text in violation]
    # gRPC sends the message percent-encoded (PROTOCOL-HTTP2.md, Status-Message), and the details as bytes.
    size = len(quote(result.message)) + sum(
        len(text.encode()) for text in [*result.metadata.values(), *texts]
    )
    assert size < 6000
    assert [escape(text) for text in texts] == texts
