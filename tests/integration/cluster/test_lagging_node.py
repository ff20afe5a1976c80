"""A node that has not read yet what another one acknowledged: what it refuses, or leaves alone, rests on the stream."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import grpc
import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.log.jetstream import jetstream_log
from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.nats_access import NatsAccess
from milepost.server.log.store import NatsStore
from milepost.server.runtime.server import Server, Settings
from milepost.v1 import (
    Claim,
    DeleteJobRequest,
    Dispatch,
    ErrorReason,
    Failure,
    JobEnded,
    JobState,
    ReportJobRequest,
    Resume,
    RetryPolicy,
    Update,
)
from tests.support.nats import NatsServer
from tests.support.proxy import CuttableProxy
from tests.support.rpc import Rpc, connect, error_info, eventually, state_name, succeeded


class Pair(NamedTuple):
    """Two nodes on one stream; from ``lag()`` on the second one reads the stream only once it waits for something.

    ``network`` is between the second one and NATS.
    """

    ahead: Rpc
    late: Rpc
    lag: Callable[[], None]
    network: CuttableProxy

    def cut_off(self) -> None:
        """Cut the second node off from NATS, until ``network.allow()``."""
        self.network.refuse()
        self.network.cut()

    async def know(self, job_id: str, state: str) -> None:
        """Wait until the second node has the job in this state."""

        async def is_known() -> bool:
            return state_name(await self.late.get(job_id)) == state

        await eventually(is_known)


def hold_back(log: JetStreamEventLog) -> None:
    """Hold the messages of the stream back until the log waits for one of them."""
    consumer = log._consumer
    assert consumer is not None
    deliver, held = consumer._deliver, list[tuple[int, str, bytes]]()

    async def reached(sequence: int) -> None:
        del log.reached
        consumer._deliver = deliver
        for message in held:
            deliver(*message)
        await log.reached(sequence)

    consumer._deliver = lambda *message: held.append(message)
    log.reached = reached  # type: ignore[method-assign]


@pytest.fixture
async def pair(
    tmp_path: Path, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Pair]:
    """Both within the test's own loop; they wait for NATS, and workers may be silent, for longer than a test takes."""
    monkeypatch.setattr(jetstream_log, "_CATCH_UP_TIMEOUT", 120.0)
    stream = f"test-{uuid.uuid4().hex}"

    def node(name: str, url: str) -> Server:
        store = NatsStore(NatsAccess((url,)), stream, synced=True)
        return Server(Settings("127.0.0.1:0", tmp_path / name, lease_ttl=600.0, nats=store))

    with CuttableProxy(f"127.0.0.1:{nats_server.port}") as network:
        async with AsyncExitStack() as stack:
            ahead, late = node("a", nats_server.url), node("b", f"nats://{network.address}")
            for server in (ahead, late):
                await server.start()
                stack.push_async_callback(server.stop)
            log = late._store
            assert isinstance(log, JetStreamEventLog)
            async with connect(ahead.address) as to_ahead, connect(late.address) as to_late:
                yield Pair(to_ahead, to_late, lambda: hold_back(log), network)


async def test_a_job_is_deleted_whose_end_another_node_acknowledged(pair: Pair) -> None:
    """It is not refused as one that has not ended."""
    job = await pair.ahead.submit()
    async with pair.ahead.session() as session:
        _, token = await session.take()
        await pair.know(job.job_id, "RUNNING")
        pair.lag()
        await session.report(job.job_id, token, 1, succeeded())
        await session.acknowledged(1)
    await pair.late.jobs.DeleteJob(DeleteJobRequest(job_id=job.job_id))


async def test_a_cancellation_that_comes_too_late_has_the_end_for_an_answer(pair: Pair) -> None:
    """Also where it changes nothing, since the job was being cancelled before (rule 17)."""
    job = await pair.ahead.submit()
    async with pair.ahead.session() as session:
        _, token = await session.take()
        await pair.ahead.cancel(job.job_id, grace=3600)
        await pair.know(job.job_id, "CANCELLING")
        pair.lag()
        await session.receive("cancel")
        await session.report(job.job_id, token, 1, succeeded())
        await session.acknowledged(1)

    assert state_name(await pair.late.cancel(job.job_id, grace=3600)) == "SUCCEEDED"


async def test_the_next_attempt_is_claimed_where_the_last_one_seems_to_run(pair: Pair) -> None:
    """As by an engine that runs a failed task again at once, in a process that is connected to another node."""
    policy = RetryPolicy(max_attempts=2, initial_backoff=Duration())
    failure = Failure(code="FLAKY", retryable=True)
    failed = Update(job_ended=JobEnded(state=JobState.JOB_STATE_FAILED, failure=failure))
    job = await pair.ahead.submit(dispatch=Dispatch.DISPATCH_EXTERNAL, retry_policy=policy)
    async with pair.ahead.session(kinds=[]) as first, pair.late.session(kinds=[]) as second:
        await first.send(claim=Claim(job_id=job.job_id))
        _, token = await first.take()
        await pair.know(job.job_id, "RUNNING")
        pair.lag()
        await first.report(job.job_id, token, 1, failed)
        await first.acknowledged(1)
        await second.send(claim=Claim(job_id=job.job_id))
        again, _ = await second.take()

    assert (again.job_id, again.attempt) == (job.job_id, 2)


async def test_the_id_of_a_job_that_another_node_deleted_is_free(pair: Pair) -> None:
    """Its submission is not refused for the job that was."""
    before = await pair.ahead.submit()
    await pair.ahead.cancel(before.job_id)
    await pair.know(before.job_id, "CANCELLED")
    pair.lag()
    await pair.ahead.jobs.DeleteJob(DeleteJobRequest(job_id=before.job_id))
    job = await pair.late.submit(job_id=before.job_id, input={"another": True})

    assert (job.job_id, state_name(job)) == (before.job_id, "QUEUED")


async def test_a_node_that_is_cut_off_refuses_nothing_for_what_it_could_not_read(pair: Pair) -> None:
    """A worker that comes to it keeps its job, and nobody takes a job for missing: they try again, here or there."""
    await asyncio.to_thread(pair.cut_off)
    job = await pair.ahead.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    async with pair.ahead.session(kinds=[]) as session:
        await session.send(claim=Claim(job_id=job.job_id))
        _, token = await session.take()

    async def is_resumed() -> bool:
        async with pair.late.session(kinds=[]) as session:
            await session.send(resume=Resume(job_id=job.job_id, lease_token=token))
            answer = await session.next("an answer")
        assert answer.rejected.reason in (0, ErrorReason.ERROR_REASON_STORE_UNAVAILABLE)
        return answer.HasField("resumed")

    assert not await is_resumed()
    async with pair.late.session(kinds=[]) as session:
        await session.send(claim=Claim(job_id=job.job_id))
        rejected = (await session.receive("rejected")).rejected
        assert rejected.reason == ErrorReason.ERROR_REASON_STORE_UNAVAILABLE
    report = ReportJobRequest(
        job_id=job.job_id, lease_token=token, first_report_sequence=1, updates=[succeeded()]
    )
    for call in (
        pair.late.get(job.job_id),
        pair.late.log(job.job_id),
        pair.late.cancel(job.job_id),
        pair.late.jobs.DeleteJob(DeleteJobRequest(job_id=job.job_id)),
        pair.late.workers.ReportJob(report),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert error_info(refused.value).reason == "STORE_UNAVAILABLE"

    pair.network.allow()
    await eventually(is_resumed)
