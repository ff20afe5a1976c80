"""Invalid input at the wire gets a status, a reason and the field."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import Message

from milepost.contract import limits
from milepost.v1 import (
    CancelJobRequest,
    Custom,
    DeleteJobRequest,
    GetJobRequest,
    JobFilter,
    ListJobsRequest,
    ReportJobRequest,
    SubmitJobRequest,
    Update,
    WatchJobRequest,
    WatchJobsRequest,
)
from tests.support.bad_requests import REQUESTS, Bad, struct
from tests.support.bad_updates import BEFORE, UPDATES
from tests.support.refused import Refused, refused
from tests.support.rpc import Rpc, log_line


def call(rpc: Rpc, request: Message) -> Any:
    """Call the method of a request."""
    method = request.DESCRIPTOR.name.removesuffix("Request")
    return getattr(rpc.workers if method == "ReportJob" else rpc.jobs, method)(request)


async def answer(rpc: Rpc, request: Message) -> list[Any]:
    """The whole answer."""
    if isinstance(request, WatchJobRequest | WatchJobsRequest):
        return [frame async for frame in call(rpc, request)]
    return [await call(rpc, request)]


def assert_names(field: str, reason: str, refusal: Refused) -> None:
    """Check that a refusal names exactly the invalid field."""
    assert ("INVALID_ARGUMENT", reason, (field,)) == refusal.brief
    assert ("milepost.v1", field) == (refusal.domain, refusal.metadata["field"])
    assert refusal.message.startswith(field)


# --- JobService -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", REQUESTS.values(), ids=REQUESTS)
async def test_a_field_out_of_its_bound_is_named(rpc: Rpc, bad: Bad) -> None:
    """INVALID_ARGUMENT with BadRequest, for every bound of the contract."""
    assert_names(bad.field, bad.reason, await refused(answer(rpc, bad.message)))


@pytest.mark.parametrize(
    "request_",
    [
        GetJobRequest(job_id="nowhere"),
        DeleteJobRequest(job_id="nowhere"),
        CancelJobRequest(job_id="nowhere"),
        WatchJobRequest(job_id="nowhere"),
        WatchJobRequest(job_id="nowhere", from_snapshot=True),
        ReportJobRequest(job_id="nowhere", lease_token="x"),
        ReportJobRequest(job_id="nowhere", lease_token="x", first_report_sequence=1, updates=[log_line("x")]),
        SubmitJobRequest(kind="k", parent_job_id="nowhere"),
    ],
    ids=lambda request: request.DESCRIPTOR.name,
)
async def test_an_unknown_job_is_not_found(rpc: Rpc, request_: Message) -> None:
    """The refusal names the job."""
    refusal = await refused(answer(rpc, request_))

    assert refusal.brief == ("NOT_FOUND", "JOB_NOT_FOUND", ())
    assert (refusal.domain, refusal.metadata) == ("milepost.v1", {"job_id": "nowhere"})


async def test_an_existing_job_id_is_refused(rpc: Rpc) -> None:
    """Also with the same content, without a request_id."""
    job = await rpc.submit(job_id=f"{rpc.kind}-taken")

    refusal = await refused(rpc.submit(job_id=job.job_id))
    assert refusal.brief == ("ALREADY_EXISTS", "JOB_ALREADY_EXISTS", ())
    assert {"job_id": job.job_id} == refusal.metadata


async def test_the_same_request_gives_the_same_job(rpc: Rpc) -> None:
    """With the same content; other content is refused, whichever field differs."""
    content: dict[str, Any] = {"request_id": rpc.kind, "input": struct({"x": [1]}), "labels": {"a": "b"}}
    job = await rpc.submit(**content)
    assert job == await rpc.submit(**content)

    others: tuple[dict[str, Any], ...] = (
        {"input": struct({"x": [2]})},
        {"labels": {}},
        {"kind": "other"},
        {"job_id": "another-id"},
        {"workload": 1.0},
    )
    for other in others:
        refusal = await refused(rpc.submit(**{**content, **other}))
        assert refusal.brief == ("ALREADY_EXISTS", "JOB_ALREADY_EXISTS", ())
        assert {"job_id": job.job_id} == refusal.metadata


async def test_request_ids_are_per_owner(rpc: Rpc) -> None:
    """Two owners may use the same one."""
    mine, yours = [await rpc.submit(request_id=rpc.kind, owner=owner) for owner in ("mine", "yours")]

    assert mine.job_id != yours.job_id


async def test_a_child_of_a_job_that_has_ended_is_refused(rpc: Rpc) -> None:
    """A parent that has ended takes no more children."""
    parent = await rpc.submit()
    await rpc.jobs.CancelJob(CancelJobRequest(job_id=parent.job_id))

    refusal = await refused(rpc.submit(parent_job_id=parent.job_id))
    assert refusal.brief == ("FAILED_PRECONDITION", "JOB_ENDED", ())
    assert {"job_id": parent.job_id, "state": "CANCELLED"} == refusal.metadata


async def test_a_job_that_has_not_ended_is_not_deleted(rpc: Rpc) -> None:
    """It must be cancelled first."""
    job = await rpc.submit()

    refusal = await refused(rpc.jobs.DeleteJob(DeleteJobRequest(job_id=job.job_id)))
    assert refusal.brief == ("FAILED_PRECONDITION", "JOB_NOT_ENDED", ())
    assert {"job_id": job.job_id, "state": "QUEUED"} == refusal.metadata


async def test_a_page_token_is_valid_for_its_query_only(rpc: Rpc) -> None:
    """Another filter or another order is another query; another page size is not."""
    for _ in range(2):
        await rpc.submit()
    mine = JobFilter(kinds=[rpc.kind])
    page = await rpc.jobs.ListJobs(ListJobsRequest(filter=mine, page_size=1))
    token = page.next_page_token
    assert token

    for other in (
        ListJobsRequest(page_token=token),
        ListJobsRequest(page_token=token, filter=JobFilter(kinds=[rpc.kind, "k"])),
        ListJobsRequest(page_token=token, filter=mine, order_by="submit_time"),
        ListJobsRequest(page_token=token[:-1], filter=mine),
    ):
        refusal = await refused(rpc.jobs.ListJobs(other))
        assert refusal.brief == ("INVALID_ARGUMENT", "INVALID_FIELD", ("page_token",))
    rest = await rpc.jobs.ListJobs(ListJobsRequest(filter=mine, page_size=1000, page_token=token))
    assert (len(rest.jobs), rest.next_page_token) == (1, "")


async def test_a_large_page_size_is_clipped(rpc: Rpc) -> None:
    """AIP-158: a larger page size than the limit is no error."""
    await rpc.submit()
    page = await rpc.jobs.ListJobs(ListJobsRequest(filter=JobFilter(kinds=[rpc.kind]), page_size=2**31 - 1))

    assert len(page.jobs) == 1


async def test_a_page_is_no_larger_than_a_message_may_be(rpc: Rpc) -> None:
    """Jobs with large inputs come in several pages, each below gRPC's default of 4 MiB."""
    large = struct({"x": "x" * 1_000_000})
    ids = [(await rpc.submit(input=large)).job_id for _ in range(6)]

    found: list[str] = []
    request = ListJobsRequest(filter=JobFilter(kinds=[rpc.kind]), order_by="submit_time")
    while True:
        page = await rpc.jobs.ListJobs(request)
        assert page.ByteSize() < limits.REQUEST_SIZE
        found += [job.job_id for job in page.jobs]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert ids == found


async def test_a_frame_is_no_larger_than_a_message_may_be(rpc: Rpc) -> None:
    """A large report comes in several frames, each below gRPC's default of 4 MiB."""
    job_id, token = await lease(rpc)
    large = struct({"x": "x" * (limits.CUSTOM_SIZE - 100)})
    small = [log_line("x" * 1000)] * 200
    parts = (small, [Update(custom=Custom(type="t", json=large))] * 15 + small, small)
    first = len(BEFORE) + 1
    for part in parts:
        await rpc.workers.ReportJob(
            ReportJobRequest(job_id=job_id, lease_token=token, first_report_sequence=first, updates=part)
        )
        first += len(part)
    sizes = []
    sequences: list[int] = []
    async for frame in rpc.watch(job_id, no_follow=True):
        sizes.append(frame.ByteSize())
        sequences += [event.sequence for event in frame.events.events]

    assert max(sizes) < limits.REQUEST_SIZE
    assert sequences == [*range(1, 2 + first)]


# --- WorkerService: ReportJob -----------------------------------------------------------------------------------


async def lease(rpc: Rpc) -> tuple[str, str]:
    """A running job after the reports ``BEFORE``, and its lease token."""
    async with rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
    request = ReportJobRequest(job_id=job.job_id, lease_token=token, first_report_sequence=1, updates=BEFORE)
    await rpc.workers.ReportJob(request)
    return job.job_id, token


async def test_a_field_of_an_update_out_of_its_bound_is_named(rpc: Rpc) -> None:
    """With its path in the request, which is refused as a whole: earlier updates are not appended either."""
    job_id, token = await lease(rpc)
    before = await rpc.log(job_id)

    for bad in UPDATES.values():
        updates = [log_line("x"), bad.message]
        request = ReportJobRequest(
            job_id=job_id, lease_token=token, first_report_sequence=len(BEFORE) + 1, updates=updates
        )
        refusal = await refused(rpc.workers.ReportJob(request))
        assert_names(f"updates[1].{bad.field}", bad.reason, refusal)
    assert before == await rpc.log(job_id)


async def test_a_report_out_of_its_own_bounds_is_refused(rpc: Rpc) -> None:
    """Its job id, its number, and its number of updates; a valid report is accepted afterwards."""
    job_id, token = await lease(rpc)
    good: dict[str, Any] = {
        "job_id": job_id,
        "lease_token": token,
        "first_report_sequence": len(BEFORE) + 1,
        "updates": [log_line("x")],
    }

    for field, reason, value in (
        ("job_id", "INVALID_FIELD", "a b"),
        ("first_report_sequence", "INVALID_FIELD", 0),
        ("updates", "TOO_LARGE", [log_line("x")] * 1001),
    ):
        request = ReportJobRequest(**{**good, field: value})
        assert_names(field, reason, await refused(rpc.workers.ReportJob(request)))
    response = await rpc.workers.ReportJob(ReportJobRequest(**{**good, "updates": [log_line("x")] * 1000}))
    assert response.report_sequence == len(BEFORE) + 1000


async def test_a_report_out_of_order_or_without_the_lease_is_refused(rpc: Rpc) -> None:
    """With its reason and the data that the worker needs; nothing is appended."""
    job_id, token = await lease(rpc)
    before = await rpc.log(job_id)
    good: dict[str, Any] = {
        "job_id": job_id,
        "lease_token": token,
        "first_report_sequence": len(BEFORE) + 1,
        "updates": [log_line("x")],
    }
    gap = {"job_id": job_id, "expected": str(len(BEFORE) + 1), "received": "99"}
    lost = {"job_id": job_id, "attempt": "1"}

    for reason, metadata, field, value in (
        ("REPORT_GAP", gap, "first_report_sequence", 99),
        ("LEASE_LOST", lost, "lease_token", token[::-1]),
        ("LEASE_LOST", lost, "lease_token", ""),
        ("LEASE_LOST", lost, "lease_token", "é" * 100_000),
    ):
        request = ReportJobRequest(**{**good, field: value})
        refusal = await refused(rpc.workers.ReportJob(request))
        assert (("FAILED_PRECONDITION", reason, ()), metadata) == (refusal.brief, refusal.metadata)
    assert before == await rpc.log(job_id)
