"""The statements of docs/clients.md about the wire that no other test shows."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.contract.reasons import reason_name
from milepost.v1 import (
    Claim,
    Dispatch,
    ErrorReason,
    Heartbeat,
    JobFilter,
    JobState,
    Report,
    Resume,
    Update,
    WatchJobsRequest,
)
from tests.support.forking import Forkery
from tests.support.proxy import CuttableProxy
from tests.support.refused import refused
from tests.support.rpc import Rpc, WorkSession, connect, log_line, succeeded
from tests.support.server import Server, ServerProcess

DOC: Final = Path(__file__).parents[3] / "docs" / "clients.md"


def table(heading: str) -> set[str]:
    """The reasons in the first column of the table with that heading."""
    rows = DOC.read_text(encoding="utf-8").partition(f"\n| reason | {heading} |")[2].partition("\n\n")[0]
    return {name for row in rows.splitlines() for name in re.findall(r"`([A-Z_]+)`", row[: row.find(" | ")])}


def test_every_reason_is_explained() -> None:
    """The page names every reason."""
    reasons = {reason_name(reason) for reason in ErrorReason.values()} - {"UNSPECIFIED"}
    assert table("means") == reasons


async def test_what_rejected_means(rpc: Rpc) -> None:
    """Each reason occurs where the table says, and the session goes on; the others are those of claims."""
    seen: set[str] = set()

    async def rejected(session: WorkSession, number: int = 0, **message: Any) -> None:
        await session.send(**message)
        rejected_found = (await session.receive("rejected")).rejected
        assert (rejected_found.report_sequence > 0, rejected_found.report_sequence) == (number > 0, number)
        seen.add(reason_name(rejected_found.reason))

    def report(first: int, *updates: Update, token: str = "") -> Report:
        return Report(job_id=job.job_id, lease_token=token, first_report_sequence=first, updates=updates)

    async with rpc.session(kinds=[]) as session:
        external: dict[str, Any] = {
            "dispatch": Dispatch.DISPATCH_EXTERNAL,
            "concurrency_key": rpc.kind,
        }
        job, other = await rpc.submit(**external), await rpc.submit(**external)
        await session.send(claim=Claim(job_id=job.job_id))
        _, token = await session.take()

        await rejected(session, claim=Claim(job_id="no-such-job"))
        await rejected(session, claim=Claim(job_id=other.job_id))  # LIMIT_REACHED
        await rejected(session, report=report(5, log_line("x"), token=token))  # REPORT_GAP
        await rejected(session, report=report(1, log_line("x"), token="stale"))  # LEASE_LOST
        await rejected(session, 1, report=report(1, Update(), token=token))  # INVALID_FIELD
        await session.acknowledged(1)
        await rejected(session, report=report(2, *[log_line("x")] * 1001, token=token))  # TOO_LARGE
        await session.report(job.job_id, token, 2, succeeded())
        await session.acknowledged(2)
        await rejected(session, resume=Resume(job_id=job.job_id, lease_token=token))  # JOB_ENDED

    assert table("where") - seen == {"DRAINING", "STORE_UNAVAILABLE", "STORE_FULL"}
    assert seen <= table("where")


async def test_a_worker_that_does_not_read_loses_its_jobs(tmp_path: Path, forkery: Forkery) -> None:
    """Once its queue is full the server reads none of its requests, heartbeats included, so that its leases expire."""
    with ServerProcess(tmp_path / "data", "--lease-ttl", "1", forkery=forkery) as server:
        # A small window, so that unread responses fill it soon; by default gRPC buffers some MiB.
        options = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 64 * 1024)]
        async with (
            grpc.aio.insecure_channel(server.address, options) as channel,
            Rpc(channel).session(kinds=["k"]) as session,
            connect(server.address) as rpc,
        ):
            await rpc.submit(kind="k", job_id="j" * 128)
            job, token = await session.take()

            async def talk() -> None:
                for first in range(1, 10_000, 1000):  # all are refused, and none of the refusals is read
                    await session.report(job.job_id, token, first, *[Update()] * 1000)
                while True:
                    await session.send(heartbeat=Heartbeat())
                    await asyncio.sleep(0.1)

            talking = asyncio.create_task(talk())
            lost = (await rpc.ended(job.job_id))[-1].job_ended
            talking.cancel()

    assert (lost.state, lost.failure.code) == (JobState.JOB_STATE_LOST, "WORKER_LOST")


async def test_a_snapshot_is_ahead_of_the_stream_and_may_match_no_more(rpc: Rpc) -> None:
    """A resumed stream repeats events of the snapshot, which the client skips by the job's last_sequence."""
    job = await rpc.submit()
    async with rpc.session() as session:
        _, token = await session.take()
        await session.report(job.job_id, token, 1, log_line("x"), succeeded())
        await session.acknowledged(2)
    running = JobFilter(kinds=[rpc.kind], states=[JobState.JOB_STATE_RUNNING])

    request = WatchJobsRequest(filter=running, no_follow=True)
    frames = [frame async for frame in rpc.jobs.WatchJobs(request)]
    (snapshot,) = [frame.snapshot for frame in frames if frame.HasField("snapshot")]
    assert (snapshot.job.state, snapshot.job.last_sequence) == (JobState.JOB_STATE_SUCCEEDED, 4)
    assert [event for frame in frames for event in frame.events.events] == []

    resumed = WatchJobsRequest(filter=running, no_follow=True, after_position=snapshot.position)
    frames = [frame async for frame in rpc.jobs.WatchJobs(resumed)]
    again = [event.sequence for frame in frames for event in frame.events.events]
    assert again == [3, 4]
    assert [sequence for sequence in again if sequence > snapshot.job.last_sequence] == []


async def test_a_cut_is_unavailable_and_has_no_reason(rpc: Rpc, shared_server: Server) -> None:
    """In grpcio, whether the stream was cut or the server is unreachable."""
    job = await rpc.submit()

    async def read_to_the_end(watch: Any) -> None:
        while await watch.read() is not grpc.aio.EOF:
            pass

    with CuttableProxy(shared_server.address) as proxy:
        async with connect(proxy.address) as through:
            watch = through.watch(job.job_id)
            await watch.read()
            proxy.refuse()
            proxy.cut()
            cut = await refused(read_to_the_end(watch))
            away = await refused(through.get(job.job_id))

    assert [(result.code, result.reason) for result in (cut, away)] == [("UNAVAILABLE", "")] * 2


@pytest.mark.nightly
async def test_pings_more_often_than_every_ten_seconds_end_the_connection(
    rpc: Rpc, shared_server: Server
) -> None:
    """If nothing else is sent for a while. A ping every eleven seconds is allowed."""
    job = await rpc.submit()
    statuses = 2  # the first comes at once, to say what the job waits for

    async def end(milliseconds: int, status_interval: int) -> str:
        options = [
            ("grpc.keepalive_time_ms", milliseconds),
            ("grpc.http2.max_pings_without_data", 0),
            ("grpc.use_local_subchannel_pool", 1),
        ]
        async with grpc.aio.insecure_channel(shared_server.address, options=options) as channel:
            watch = Rpc(channel).watch(job.job_id, status_interval=Duration(seconds=status_interval))
            seen = 0
            try:
                async for frame in watch:
                    seen += frame.HasField("status")
                    if seen == statuses:
                        return "a status"
            except grpc.aio.AioRpcError as error:
                return f"{error.code().name}: {error.details()}"
        return "OK"

    assert await end(2_000, 3600) == "UNAVAILABLE: Too many pings"
    assert await end(11_000, 50) == "a status"
