"""Subscribers that never read, beside others that do: they delay nobody and cost little memory (rule 7)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import grpc.aio
import psutil
import pytest

from milepost.v1 import (
    Claim,
    Dispatch,
    Event,
    JobFilter,
    WatchJobRequest,
    WatchJobResponse,
    WatchJobsRequest,
)
from milepost.v1.job_service_pb2_grpc import JobServiceStub
from tests.support.many_subscribers import many_subscribers, raise_open_files
from tests.support.rpc import Rpc, WatchCall, connect, eventually, log_line, succeeded
from tests.support.server import ServerProcess
from tests.support.validators import History, check

# A client that does not read buffers at most this, in bytes; gRPC's default would be some MiB.
_WINDOW = 64 * 1024
_OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", _WINDOW),
]
_STREAMS = 10

# Allowed memory of a stalled stream, in bytes, as docs/performance.md promises: a batch of 28 KiB or one larger event,
# once in the stream and once in gRPC, and what the call itself takes.
_HELD = 64 * 1024

_BATCH = 28 * 1024

# The log is much larger than the flow-control windows and the server's cache of it.
_REPORTS = 80
_LINES = 50
_LINE = "x" * 2_000


async def stalled(data: Path, stalling: int, reading: int) -> None:
    """Reading subscribers receive everything; the others do as soon as they read."""
    raise_open_files()
    async with AsyncExitStack() as stack:
        server = stack.enter_context(ServerProcess(data, "--tail-memory", "2"))
        rpc = await stack.enter_async_context(connect(server.address))
        job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
        session = await stack.enter_async_context(rpc.session(kinds=[]))
        await session.send(claim=Claim(job_id=job.job_id))
        _, token = await session.take()
        calls: list[WatchCall] = []
        for _ in range(0, stalling, _STREAMS):
            channel = grpc.aio.insecure_channel(server.address, _OPTIONS)
            stub = JobServiceStub(await stack.enter_async_context(channel))
            calls += [stub.WatchJob(WatchJobRequest(job_id=job.job_id)) for _ in range(_STREAMS)]
        for call in calls:
            assert isinstance(await call.read(), WatchJobResponse)  # and nothing more
        async with many_subscribers(server.address, job.job_id, reading) as subscribers:
            for number in range(_REPORTS):
                await session.report(job.job_id, token, number * _LINES + 1, *[log_line(_LINE)] * _LINES)
                await session.acknowledged((number + 1) * _LINES)
            await session.report(job.job_id, token, _REPORTS * _LINES + 1, succeeded())
        log = await rpc.log(job.job_id)
        history = History.of_log(log)
        assert len(log) == _REPORTS * _LINES + 3
        for subscriber in subscribers:
            assert len(subscriber.recording.streams) == 1
            check(subscriber.recording, history)
            assert log == subscriber.recording.events
        size = sum(event.ByteSize() for event in log)
        assert size > 100 * _WINDOW
        assert not any(call.done() for call in calls)
        # Whoever reads again after all has missed nothing.
        for call in calls[:3]:
            events: list[Event] = []
            while isinstance(frame := await call.read(), WatchJobResponse):
                events.extend(frame.events.events)
            assert log == events


async def test_stalled(tmp_path: Path) -> None:
    """A few of each."""
    await stalled(tmp_path / "data", 40, 10)


@pytest.mark.nightly
@pytest.mark.timeout(1200)
async def test_stalled_at_length(tmp_path: Path) -> None:
    """200 subscribers that never read, beside 50 that do."""
    await stalled(tmp_path / "data", 200, 50)


def is_running(process: psutil.Process) -> bool:
    """Whether one of its threads has work, for which it may wait long for a processor; only Linux says so."""
    for stat in Path(f"/proc/{process.pid}/task").glob("*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            if stat.read_text().rpartition(")")[2].split()[0] == "R":
                return True
    return False


async def resting(process: psutil.Process) -> int:
    """The memory of the idle server in bytes."""
    used = [-1.0, -2.0, -3.0]

    async def is_idle() -> bool:
        times = process.cpu_times()
        used.append(times.user + times.system)
        await asyncio.sleep(0.05)
        return len({*used[-3:]}) == 1 and not is_running(process)

    await eventually(is_idle)
    return int(process.memory_info().rss)


async def stall(rpc: Rpc, job_id: str, address: str, count: int, stack: AsyncExitStack) -> None:
    """Open `count` streams of the job and as many of all jobs; only the first frame is read."""
    for _ in range(0, count, _STREAMS):
        channel = grpc.aio.insecure_channel(address, _OPTIONS)
        stub = JobServiceStub(await stack.enter_async_context(channel))
        of_all = JobFilter(kinds=[rpc.kind])
        of_one = [stub.WatchJob(WatchJobRequest(job_id=job_id)) for _ in range(_STREAMS)]
        of_many = [stub.WatchJobs(WatchJobsRequest(filter=of_all)) for _ in range(_STREAMS)]
        frames = [await call.read() for call in of_one] + [await call.read() for call in of_many]
        assert grpc.aio.EOF not in frames


@pytest.mark.parametrize("together", [1, 30])
async def test_a_stalled_stream_holds_one_batch(
    tmp_path: Path, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For events of any size, reported in batches of any size (rule 7).

    The server bounds what a caller has not read, so larger batches would take no more memory, but the room of others.
    """
    raise_open_files()
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "0")  # memory that is free belongs to no stream
    async with AsyncExitStack() as stack:
        server = stack.enter_context(ServerProcess(tmp_path / "data", "--tail-memory", "2"))
        rpc = await stack.enter_async_context(connect(server.address))
        job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
        session = await stack.enter_async_context(rpc.session(kinds=[]))
        await session.send(claim=Claim(job_id=job.job_id))
        _, token = await session.take()
        for first in range(1, 301, together):
            await session.report(job.job_id, token, first, *[log_line("x" * 20_000)] * together)
            await session.acknowledged(first + together - 1)
        request = WatchJobsRequest(filter=JobFilter(kinds=[rpc.kind]), no_follow=True)
        sizes = [frame.ByteSize() async for frame in rpc.jobs.WatchJobs(request)]
        process = psutil.Process(server.pid)
        await stall(rpc, job.job_id, server.address, 20, stack)  # what is needed once
        before = await resting(process)
        await stall(rpc, job.job_id, server.address, 150, stack)
        after = await resting(process)
    assert len(sizes) > 300
    assert max(sizes) <= _BATCH
    assert after - before < 300 * _HELD
