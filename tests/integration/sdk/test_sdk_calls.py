"""The SDK's calls: repeated submissions, lists, deletions, and refusals."""

from __future__ import annotations

import uuid

import pytest

from milepost.client import Client
from milepost.client.errors import (
    InvalidField,
    JobAlreadyExists,
    JobNotEnded,
    JobNotFound,
    TooLarge,
)
from milepost.contract.limits import MIB
from milepost.v1 import Dispatch, JobState, RetryPolicy, Stage
from tests.support.server import ServerProcess


@pytest.fixture
def kind() -> str:
    """A kind of job of the test's own."""
    return f"test-{uuid.uuid4().hex}"


async def test_a_submission_may_be_repeated(client: Client, kind: str) -> None:
    """With the same request_id it returns the same job; without one, each call creates a job."""
    first = await client.submit(kind, {"n": 1}, request_id=kind)
    assert first.job_id == (await client.submit(kind, {"n": 1}, request_id=kind)).job_id
    with pytest.raises(JobAlreadyExists):
        await client.submit(kind, {"n": 2}, request_id=kind)
    assert first.job_id != (await client.submit(kind, {"n": 1})).job_id


async def test_everything_that_may_be_submitted(client: Client, kind: str) -> None:
    """Each argument is a field of the job."""
    parent = await client.submit(kind)
    job = await client.submit(
        kind,
        job_id=f"{kind}-1",
        parent_job_id=parent.job_id,
        stages=["a", Stage(stage_id="b", weight=2)],
        workload=12.5,
        workload_unit="MB",
        timeout=90,
        retry_policy=RetryPolicy(max_attempts=2),
        dispatch=Dispatch.DISPATCH_EXTERNAL,
    )
    assert (
        job.job_id,
        job.parent_job_id,
        job.workload,
        job.workload_unit,
        job.timeout.seconds,
        job.retry_policy.max_attempts,
        job.dispatch,
    ) == (f"{kind}-1", parent.job_id, 12.5, "MB", 90, 2, Dispatch.DISPATCH_EXTERNAL)
    assert [(stage.stage_id, stage.HasField("weight")) for stage in job.stages] == [("a", False), ("b", True)]


async def test_listing_goes_through_all_pages(client: Client, kind: str) -> None:
    """Each job once, newest first or oldest first, however small the pages are."""
    ids = [(await client.submit(kind, labels={"n": str(number % 2)})).job_id for number in range(5)]
    assert ids[::-1] == [job.job_id async for job in client.list(kinds=[kind], page_size=2)]
    assert ids == [job.job_id async for job in client.list(kinds=[kind], order_by="submit_time", page_size=1)]
    assert [ids[3], ids[1]] == [job.job_id async for job in client.list(kinds=[kind], labels={"n": "1"})]
    assert [ids[2]] == [job.job_id async for job in client.list(kinds=[kind], job_ids=[ids[2]])]
    assert [job async for job in client.list(kinds=[kind], states=[JobState.JOB_STATE_FAILED])] == []


async def test_refusals_are_distinguished(client: Client, kind: str) -> None:
    """By error classes with their attributes."""
    with pytest.raises(JobNotFound) as not_found:
        await client.get("no-such-job")
    assert not_found.value.metadata == {"job_id": "no-such-job"}
    with pytest.raises(JobNotFound):
        await anext(client.watch("no-such-job"))
    with pytest.raises(JobNotFound):
        await client.result("no-such-job")
    with pytest.raises(InvalidField) as invalid:
        await client.submit("No Kind")
    assert [field for field, _ in invalid.value.violations] == ["kind"]
    with pytest.raises(TypeError, match=r"input\.x is of type set"):
        await client.submit(kind, {"x": {1}})


async def test_a_job_that_has_ended_can_be_deleted(client: Client, kind: str) -> None:
    """Only an ended job can be deleted."""
    job = await client.submit(kind)
    with pytest.raises(JobNotEnded):
        await client.delete(job.job_id)
    await client.cancel(job.job_id)
    await client.delete(job.job_id)
    with pytest.raises(JobNotFound):
        await client.get(job.job_id)


async def test_a_request_that_is_too_large_names_the_bound(client: Client, kind: str) -> None:
    """The SDK refuses requests beyond the limit itself; the server checks the others."""
    results = []
    for size in (5, 2):
        with pytest.raises(TooLarge) as caught:
            await client.submit(kind, {"text": "x" * size * MIB})
        results.append(caught.value)

    whole, field = results
    assert (whole.violations, field.violations[0][0]) == ((), "input")
    assert (whole.code, whole.metadata["limit"]) == (field.code, "4194304")
    assert str(whole).endswith(" bytes; at most 4,194,304 (4 MiB) are accepted.")


async def test_a_connection_is_replaced_while_a_call_waits_for_its_token(
    shared_server: ServerProcess,
) -> None:
    """As by a fork, which closes connections without calls: the call is made on the next one."""

    async def token() -> str:
        caller._channel.release_if_idle()
        return ""

    async with Client(shared_server.address, token=token) as caller:
        job = await caller.submit("nobody-does-this")
        cancelled = await caller.cancel(job.job_id)

    assert (cancelled.job_id, cancelled.state) == (job.job_id, JobState.JOB_STATE_CANCELLED)
