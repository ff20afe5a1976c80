"""The API says what a queued job waits for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.v1 import (
    Dispatch,
    GetJobRequest,
    JobFilter,
    JobWaiting,
    ListJobsRequest,
    ListJobsResponse,
    Waiting,
    WaitingFor,
    WatchJobResponse,
    WatchJobsRequest,
)
from tests.support.forking import Forkery
from tests.support.nats import NatsServer
from tests.support.nodes import Nodes
from tests.support.rpc import Rpc, WatchCall, connect, eventually, succeeded
from tests.support.server import ServerProcess

TURN = WaitingFor.WAITING_FOR_TURN
WORKER = WaitingFor.WAITING_FOR_WORKER
RECONNECT = WaitingFor.WAITING_FOR_RECONNECT
CLAIM = WaitingFor.WAITING_FOR_CLAIM
CONCURRENCY = WaitingFor.WAITING_FOR_CONCURRENCY

# After half of it missing workers no longer count as reconnecting.
LEASE_TTL = "4"

HOUR = Duration(seconds=3600)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, forkery: Forkery) -> Iterator[ServerProcess]:
    """A server with a short grace period for workers to reconnect."""
    data = tmp_path_factory.mktemp("waiting") / "data"
    with ServerProcess(data, "--lease-ttl", LEASE_TTL, forkery=forkery) as started:
        yield started


@pytest.fixture
async def rpc(server: ServerProcess) -> AsyncIterator[Rpc]:
    """A client of the server's services."""
    async with connect(server.address) as connected:
        yield connected


async def waiting(rpc: Rpc, job_id: str) -> Waiting | None:
    """What the job waits for, from GetJob; None if unset."""
    response = await rpc.jobs.GetJob(GetJobRequest(job_id=job_id))
    return response.waiting if response.HasField("waiting") else None


async def waits_for(rpc: Rpc, job_id: str, reason: WaitingFor.ValueType) -> Waiting:
    """Wait until the job waits for this reason; return it."""

    async def current() -> Waiting | None:
        now = await waiting(rpc, job_id)
        return now if now is not None and now.waiting_for == reason else None

    found: Waiting = await eventually(current)
    return found


async def next_status(watch: WatchCall) -> Waiting | None:
    """What the job waits for, from the next status of the stream."""
    async with asyncio.timeout(120):
        while True:
            frame = await watch.read()
            assert isinstance(frame, WatchJobResponse), frame
            if frame.HasField("status"):
                return frame.status.waiting if frame.status.HasField("waiting") else None


async def test_a_kind_that_no_worker_takes(rpc: Rpc) -> None:
    """The answer has the nearest kinds that workers do take."""
    job = await rpc.submit(kind="archve")
    assert (await waits_for(rpc, job.job_id, WORKER)).nearest_kinds == []
    async with rpc.session(kinds=["archive", "archives", "transcribe"]):
        near = await eventually(lambda: _near(rpc, job.job_id))

    assert near == Waiting(waiting_for=WORKER, nearest_kinds=["archive", "archives"], jobs_waiting=1)


async def _near(rpc: Rpc, job_id: str) -> Waiting | None:
    found = await waiting(rpc, job_id)
    return found if found is not None and found.nearest_kinds else None


async def test_a_job_that_waits_for_its_turn(rpc: Rpc) -> None:
    """Workers take its kind, and none has capacity. Once it has started, it waits for nothing."""
    first, second = await rpc.submit(), await rpc.submit()
    async with rpc.session(max_concurrency=1) as session, rpc.session(max_concurrency=0):
        _, token = await session.take()
        reasons = [await waiting(rpc, first.job_id), await waiting(rpc, second.job_id)]
        await session.report(first.job_id, token, 1, succeeded())
        await session.acknowledged(1)
        await session.take()
        reasons += [await waiting(rpc, first.job_id), await waiting(rpc, second.job_id)]

    assert reasons == [None, Waiting(waiting_for=TURN, workers=2, jobs_waiting=1), None, None]


async def test_a_job_that_waits_to_be_claimed(rpc: Rpc) -> None:
    """Workers do not matter; a watch says so as soon as it has caught up."""
    job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    watch = rpc.watch(job.job_id)
    reasons = [await waiting(rpc, job.job_id), await next_status(watch)]
    watch.cancel()

    assert reasons == [Waiting(waiting_for=CLAIM)] * 2


async def test_a_job_that_waits_for_one_of_its_concurrency_key(rpc: Rpc) -> None:
    """GetJob says so, and the next status of a watch, until the other job has ended. A missing worker goes first."""
    key = {"concurrency_key": "room-blue", "concurrency_limit": 1}
    first = await rpc.submit(**key)
    async with rpc.session(max_concurrency=2) as session:
        _, token = await session.take()
        second = await rpc.submit(**key)
        limited = await waits_for(rpc, second.job_id, CONCURRENCY)
        watch = rpc.watch(second.job_id, status_interval=Duration(seconds=1))
        reasons = [await next_status(watch)]
        watch.cancel()
        await session.report(first.job_id, token, 1, succeeded())
        await session.acknowledged(1)
        await session.take()
        reasons.append(await waiting(rpc, second.job_id))
    third = await rpc.submit(**key)
    await waits_for(rpc, third.job_id, WORKER)

    assert [limited, *reasons] == [Waiting(waiting_for=CONCURRENCY, workers=1, jobs_waiting=1)] * 2 + [None]


async def test_a_list_says_what_its_queued_jobs_wait_for(rpc: Rpc) -> None:
    """One answer has it for all of them, without those that run."""
    one, two, three = [await rpc.submit() for _ in range(3)]
    claimed = await rpc.submit(kind=rpc.kind, dispatch=Dispatch.DISPATCH_EXTERNAL)
    mistyped = await rpc.submit(kind=f"{rpc.kind}s")
    await waits_for(rpc, mistyped.job_id, WORKER)  # no longer for workers of before a restart
    ids = [job.job_id for job in (one, two, three, claimed, mistyped)]
    async with rpc.session(max_concurrency=1) as session:
        await session.take()
        request = ListJobsRequest(filter=JobFilter(job_ids=ids), order_by="submit_time")
        listed = await rpc.jobs.ListJobs(request)
        request.waiting_only = True
        without_jobs = await rpc.jobs.ListJobs(request)

    assert [len(listed.jobs), without_jobs] == [len(ids), ListJobsResponse(waiting=listed.waiting)]
    assert list(listed.waiting) == [
        JobWaiting(job_id=job_id, waiting=waiting)
        for job_id, waiting in [
            (two.job_id, Waiting(waiting_for=TURN, workers=1, jobs_waiting=2)),
            (three.job_id, Waiting(waiting_for=TURN, workers=1, jobs_ahead=1, jobs_waiting=2)),
            (claimed.job_id, Waiting(waiting_for=CLAIM)),
            (mistyped.job_id, Waiting(waiting_for=WORKER, nearest_kinds=[rpc.kind], jobs_waiting=1)),
        ]
    ]


async def test_a_watch_soon_shows_what_its_job_waits_for(rpc: Rpc) -> None:
    """A status comes at once when no worker takes the kind, when one connects, and when it leaves."""
    job = await rpc.submit()
    await waits_for(rpc, job.job_id, WORKER)
    watch = rpc.watch(job.job_id, status_interval=HOUR)
    statuses = [await next_status(watch)]
    async with rpc.session(max_concurrency=0):
        statuses.append(await next_status(watch))
    statuses.append(await next_status(watch))
    async with rpc.session(max_concurrency=1) as session:
        await session.take()
        started = await next_status(watch)
    watch.cancel()

    assert statuses == [
        Waiting(waiting_for=WORKER, jobs_waiting=1),
        Waiting(waiting_for=TURN, workers=1, jobs_waiting=1),
        Waiting(waiting_for=WORKER, jobs_waiting=1),
    ]
    assert started is None


async def test_a_watch_soon_shows_a_nearer_kind(rpc: Rpc) -> None:
    """A status comes at once when a worker takes a kind with a similar name, and when none does any more."""
    name = rpc.kind
    job = await rpc.submit(kind=f"{name}-archve")
    await waits_for(rpc, job.job_id, WORKER)
    watch = rpc.watch(job.job_id, status_interval=HOUR)
    statuses = [await next_status(watch)]
    async with rpc.session(kinds=[f"{name}-archives"]):
        statuses.append(await next_status(watch))
        async with rpc.session(kinds=[f"{name}-archive", "transcribe"]):
            statuses.append(await next_status(watch))
        statuses.append(await next_status(watch))
    statuses.append(await next_status(watch))
    watch.cancel()

    assert [list(status.nearest_kinds) if status else None for status in statuses] == [
        [],
        [f"{name}-archives"],
        [f"{name}-archive", f"{name}-archives"],
        [f"{name}-archives"],
        [],
    ]


async def test_an_idle_stream_says_it_with_each_status(rpc: Rpc) -> None:
    """A change of the number of workers alone sends no status; each status has the number."""
    job = await rpc.submit()
    async with rpc.session(max_concurrency=0), rpc.session(max_concurrency=0):
        watch = rpc.watch(job.job_id, status_interval=Duration(seconds=1))
        statuses = await next_status(watch)
        watch.cancel()

    assert statuses == Waiting(waiting_for=TURN, workers=2, jobs_waiting=1)


async def test_a_feed_does_not_say_it(rpc: Rpc) -> None:
    """A status of WatchJobs has no reason, since it is about many jobs."""
    job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    watch = rpc.jobs.WatchJobs(
        WatchJobsRequest(filter=JobFilter(job_ids=[job.job_id]), status_interval=Duration(seconds=1))
    )
    status = await anext(frame.status async for frame in watch if frame.HasField("status"))
    watch.cancel()
    assert not status.HasField("waiting")


async def test_workers_may_be_reconnecting_after_a_start(tmp_path: Path, forkery: Forkery) -> None:
    """For a while after each start the server says that workers may be reconnecting, not that there are none.

    With the nearest kinds of the workers that are connected already.
    """
    with ServerProcess(tmp_path / "data", "--lease-ttl", "1h", forkery=forkery) as server:
        async with connect(server.address) as rpc:
            job = await rpc.submit()
            watch = rpc.watch(job.job_id, status_interval=HOUR)
            reasons = [await waiting(rpc, job.job_id), await next_status(watch)]
            watch.cancel()
        server.kill()
        server.restart()
        async with connect(server.address) as rpc:
            reasons.append(await waiting(rpc, job.job_id))
            async with rpc.session(kinds=[f"{job.kind}s"]):
                near = await eventually(lambda: _near(rpc, job.job_id))

    assert reasons == [Waiting(waiting_for=RECONNECT, jobs_waiting=1)] * 3
    assert near == Waiting(waiting_for=RECONNECT, nearest_kinds=[f"{job.kind}s"], jobs_waiting=1)


async def test_workers_of_all_nodes_count(tmp_path: Path, nats_server: NatsServer, forkery: Forkery) -> None:
    """A node announces workers that connect or leave to the other nodes at once."""
    stores = [nats_server.url] * 2
    options = ("--lease-ttl", LEASE_TTL)
    with Nodes(tmp_path, stores, *options, stream="waiting", forkery=forkery) as nodes:
        async with nodes.connected() as (a, b):
            job = await a.submit()
            results = [await waits_for(a, job.job_id, WORKER)]
            watch = a.watch(job.job_id, status_interval=HOUR)
            results.append(await next_status(watch) or Waiting())
            async with b.session(max_concurrency=0):
                results.append(await next_status(watch) or Waiting())
                results.append(await waits_for(a, job.job_id, TURN))
            results.append(await next_status(watch) or Waiting())
            watch.cancel()

    none = Waiting(waiting_for=WORKER, jobs_waiting=1)
    one = Waiting(waiting_for=TURN, workers=1, jobs_waiting=1)
    assert results == [none, none, one, one, none]
