"""Claims that meet faults: a session that is lost between two of them, a client that is closed, an answer at the end of
the time for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial

import grpc
import pytest

from milepost.client import Client, JobSnapshot
from milepost.client._attach import attachment, claimed_job_table
from milepost.client._attach.attached_job import AttachedJob
from milepost.client._transport.backoff import Backoff
from milepost.client._transport.unexplained_errors import UNEXPLAINED_LIMIT
from milepost.client._worker import session_loop
from milepost.client._worker.job_context import JobContext
from milepost.client.errors import ServiceError
from milepost.v1 import Acknowledged, Drain, ErrorReason, Job, JobEnded, Rejected, SubmitJobRequest
from tests.support.rpc import eventually
from tests.support.scripted_sessions import Stream, assignment, scripted

HELD = Rejected(job_id="j", reason=ErrorReason.ERROR_REASON_LEASE_LOST, message="held")


async def hears_the_end(stream: Stream, job_id: str = "j") -> JobEnded:
    """Acknowledge what the block reports, up to its end."""
    while True:
        report = (await stream.hears("report")).report
        last = report.first_report_sequence + len(report.updates) - 1
        await stream.says(acknowledged=Acknowledged(job_id=job_id, lease_token="t", report_sequence=last))
        if report.updates[-1].HasField("job_ended"):
            await stream.ends()
            return report.updates[-1].job_ended


async def test_a_claim_is_repeated_once_on_the_next_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where its time comes before the welcome: a second one would be refused because of the first one's job."""
    monkeypatch.setattr(claimed_job_table, "_RETRY_INTERVAL", 1.0)  # longer than connecting takes

    async def refuse(stream: Stream) -> None:
        await stream.welcomes()
        await stream.hears("claim")
        await stream.says(rejected=HELD)

    async def was_due() -> bool:
        retry = block.attachment._jobs._retry_timer
        assert retry is not None
        return retry.cancelled() or retry.when() < asyncio.get_running_loop().time()

    async def assign(stream: Stream) -> None:
        await eventually(was_due)
        await stream.welcomes()
        await stream.hears("claim")
        await stream.says(assignment=assignment())
        await hears_the_end(stream)

    async with scripted(refuse, assign) as server, Client(server.address) as client:
        block = client.attach("j", wait=60)
        async with block:
            pass


async def test_giving_a_job_back_may_be_cancelled() -> None:
    """It leaves no task that waits for an answer of the server: asyncio would complain once that is garbage."""

    async def assign(stream: Stream) -> None:
        await stream.welcomes()
        await stream.hears("claim")
        await stream.says(assignment=assignment())
        await asyncio.Event().wait()

    async with scripted(assign) as server, Client(server.address) as client:
        before = asyncio.all_tasks()
        attachment = client.attach("j").attachment
        await attachment.claim()
        abandoning = asyncio.ensure_future(attachment.abandon())
        await asyncio.sleep(0)
        abandoning.cancel()
        await asyncio.wait((abandoning,))
        left = [task for task in asyncio.all_tasks() - before if "JobTable.empty" in repr(task)]

    assert left == []


async def test_a_refusal_that_comes_after_the_assignment_is_of_no_attempt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It has no lease token, as that of a claim: the block goes on, and keeps its job."""

    async def refuse_late(stream: Stream) -> None:
        await stream.welcomes()
        await stream.hears("claim")
        await stream.says(assignment=assignment())
        await stream.says(rejected=HELD)
        await stream.says(drain=Drain())  # which is logged
        await hears_the_end(stream)

    async def has_read_all() -> bool:
        return "is stopping" in caplog.text

    caplog.set_level(logging.INFO, "milepost.client")
    async with (
        scripted(refuse_late) as server,
        Client(server.address) as client,
        client.attach("j") as job,
    ):
        await eventually(has_read_all)
        assert not job.cancelled


async def test_a_client_that_is_closed_during_a_claim() -> None:
    """Entering the block raises that, and not later that the server has not answered."""
    claimed = asyncio.Event()

    async def keep_silent(stream: Stream) -> None:
        await stream.welcomes()
        await stream.hears("claim")
        claimed.set()
        await stream.ends()

    async with scripted(keep_silent) as server:
        client = Client(server.address)
        entering = asyncio.create_task(client.attach("j").__aenter__())
        await claimed.wait()
        await client.close()
        with pytest.raises(RuntimeError, match="The client is closed"):
            await entering


async def test_a_client_that_is_closed_while_a_block_runs(caplog: pytest.LogCaptureFixture) -> None:
    """The log says so at once, and not only at the end of the block that its reports are lost."""

    async def assign(stream: Stream) -> None:
        await stream.welcomes()
        await stream.hears("claim")
        await stream.says(assignment=assignment())
        await stream.ends()

    async def has_ended() -> bool:
        return block.attachment._connection.done()

    with caplog.at_level(logging.WARNING, "milepost.client"):
        async with scripted(assign) as server:
            client = Client(server.address)
            block = client.attach("j")
            async with block:
                await client.close()
                await eventually(has_ended)
                assert caplog.messages == ["job j: the connection ended: The client is closed."]


async def test_an_assignment_that_comes_as_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The block has the job that was assigned, so that its result is reported, and does not go on without it."""
    timeout = 1.0
    ends: list[JobEnded] = []

    async def assign(stream: Stream) -> None:
        await stream.welcomes()
        await stream.hears("claim")
        await stream.says(assignment=assignment())
        ends.append(await hears_the_end(stream))

    def late(context: JobContext) -> AttachedJob:
        time.sleep(timeout)  # the loop is held up until the time is over
        return AttachedJob(context)

    monkeypatch.setattr(attachment, "AttachedJob", late)
    async with (
        scripted(assign) as server,
        Client(server.address, timeout=timeout) as client,
        client.attach("j", on_unreachable="go on") as job,
    ):
        job.result = {"n": 1}

    assert [dict(end.result) for end in ends] == [{"n": 1.0}]


async def fails(stream: Stream) -> None:
    """A fault of the server, or a proxy that resets the stream: nothing tells one from the other."""
    await stream.welcomes()
    await stream.hears("claim")
    await stream.context.abort(grpc.StatusCode.INTERNAL, "error id 7")


async def test_a_claim_that_meets_a_fault_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the fault has come as often in a row as ends a watch."""
    monkeypatch.setattr(session_loop, "Backoff", partial(Backoff, initial=0.0))

    async def assign(stream: Stream) -> None:
        await stream.welcomes()
        await stream.hears("claim")
        await stream.says(assignment=assignment())
        await hears_the_end(stream)

    async with (
        scripted(*[fails] * (UNEXPLAINED_LIMIT - 1), assign) as server,
        Client(server.address) as client,
        client.attach("j"),
    ):
        pass
    async with scripted(fails) as server, Client(server.address) as client:
        with pytest.raises(ServiceError, match="error id 7"):
            await client.attach("j").__aenter__()
        assert server.sessions == UNEXPLAINED_LIMIT


async def test_a_block_that_goes_on_without_its_server_outlasts_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of the submission, and of the claim: its result is reported by the session after that."""
    monkeypatch.setattr(session_loop, "Backoff", partial(Backoff, initial=0.0))
    ends: list[JobEnded] = []
    submitted: list[str] = []

    async def assign(stream: Stream) -> None:
        await stream.welcomes()
        job_id = (await stream.hears("claim")).claim.job_id
        await stream.says(assignment=assignment(job_id))
        ends.append(await hears_the_end(stream, job_id))

    async def submit(request: SubmitJobRequest) -> JobSnapshot:
        submitted.append(request.job_id)
        if len(submitted) == 1:
            raise ServiceError("error id 7", code=grpc.StatusCode.INTERNAL)
        return JobSnapshot(Job(job_id=request.job_id))

    async with scripted(fails, assign) as server, Client(server.address) as client:
        monkeypatch.setattr(client._calls, "submit", submit)
        async with client.start("k", on_unreachable="go on") as job:
            job.result = {"n": 1}

    assert [dict(end.result) for end in ends] == [{"n": 1.0}]
    assert submitted == [job.id, job.id]
