"""A node that was cut off from the others does not count that time as silence (rule 14)."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest

from milepost.v1 import Dispatch, Heartbeat, Job
from tests.support.forking import Forkery
from tests.support.nats import NatsServer
from tests.support.nodes import Nodes
from tests.support.partitioned_cluster import PartitionedCluster
from tests.support.proxy import CuttableProxy
from tests.support.rpc import Rpc, StreamEnded, WorkSession, eventually, kinds, state_name, succeeded

# Lease duration and heartbeat interval, in seconds.
LEASE = 3.0
HEARTBEAT = LEASE / 3

# Heartbeats in about two leases.
LONG = 6


@pytest.fixture
def parted(tmp_path: Path, forkery: Forkery) -> Iterator[tuple[Nodes, CuttableProxy]]:
    """Two nodes with short leases, the second of which can be cut off."""
    with (
        NatsServer(tmp_path) as nats,
        CuttableProxy(f"127.0.0.1:{nats.port}") as proxy,
        Nodes(
            tmp_path, [nats.url, f"nats://{proxy.address}"], "--lease-ttl", f"{LEASE:g}", forkery=forkery
        ) as nodes,
    ):
        yield nodes, proxy


class Worker:
    """A worker with a job that only sends heartbeats."""

    def __init__(self, session: WorkSession, job: Job, token: str, heartbeat: float) -> None:
        self.job = job
        self._heartbeat = heartbeat
        self._session = session
        self._token = token
        self._beats = 0
        self._beaten = asyncio.Condition()

    async def beat(self) -> None:
        """Send heartbeats until the session ends."""
        with contextlib.suppress(grpc.aio.AioRpcError, StreamEnded):
            while True:
                await self._session.send(heartbeat=Heartbeat())
                async with self._beaten:
                    self._beats += 1
                    self._beaten.notify_all()
                await asyncio.sleep(self._heartbeat)

    async def beats(self, times: int) -> None:
        """Wait for this many heartbeats."""
        last = self._beats + times
        async with self._beaten:
            await self._beaten.wait_for(lambda: self._beats >= last)

    async def succeeds(self) -> None:
        """End the job, which the server must accept."""
        await self._session.report(self.job.job_id, self._token, 1, succeeded())
        await self._session.acknowledged(1)


@asynccontextmanager
async def working(rpc: Rpc, heartbeat: float = HEARTBEAT) -> AsyncIterator[Worker]:
    """Connect a worker to this node, with `heartbeat` seconds between two heartbeats."""
    async with rpc.session() as session:
        await rpc.submit()
        worker = Worker(session, *await session.take(), heartbeat)
        beating = asyncio.create_task(worker.beat())
        try:
            yield worker
        finally:
            beating.cancel()
            await asyncio.wait([beating])


def cut(proxy: CuttableProxy) -> None:
    """Break the connection, and refuse new ones."""
    proxy.refuse()
    proxy.cut()


@pytest.mark.parametrize(
    "part", [pytest.param(cut, id="cut"), pytest.param(CuttableProxy.stall, id="stalled")]
)
async def test_a_healthy_worker_elsewhere_keeps_its_job(
    parted: tuple[Nodes, CuttableProxy], part: Callable[[CuttableProxy], None]
) -> None:
    """Also if the node was cut off for longer than a lease, whether it noticed or not."""
    nodes, proxy = parted
    async with nodes.connected() as (whole, cut_off), working(whole) as worker:
        await eventually(lambda: knows(cut_off, worker.job))
        part(proxy)
        await worker.beats(LONG)
        proxy.allow()
        other = await whole.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
        await eventually(lambda: knows(cut_off, other))
        await worker.beats(LONG)
        await worker.succeeds()
        log = await whole.log(worker.job.job_id)

    assert kinds(log) == ["job_submitted", "job_started", "job_ended"]


@pytest.mark.nightly
@pytest.mark.parametrize(
    "part", [pytest.param(cut, id="cut"), pytest.param(CuttableProxy.stall, id="stalled")]
)
async def test_one_of_three_nodes_is_cut_off_for_longer_than_a_lease(
    tmp_path: Path, forkery: Forkery, part: Callable[[CuttableProxy], None]
) -> None:
    """A worker at a keeps its job while b is cut off for 5 s, with leases of 2 s, and when b is back: so says each."""
    lease, away = 2.0, 5.0
    heartbeat = lease / 3
    with (
        NatsServer(tmp_path) as nats,
        CuttableProxy(f"127.0.0.1:{nats.port}") as proxy,
        Nodes(
            tmp_path,
            [nats.url, f"nats://{proxy.address}", nats.url],
            *("--lease-ttl", f"{lease:g}"),
            forkery=forkery,
        ) as nodes,
    ):
        async with nodes.connected() as (a, b, c), working(a, heartbeat) as worker:
            await eventually(lambda: knows(b, worker.job))
            part(proxy)
            await worker.beats(math.ceil(away / heartbeat))
            proxy.allow()
            other = await a.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
            await eventually(lambda: knows(b, other))
            # Twice as long as b needs to be sure that it has heard for a whole lease.
            await worker.beats(6)
            await worker.succeeds()
            ended = await a.get(worker.job.job_id)
            await eventually(lambda: knows(b, ended))
            logs = [await rpc.log(worker.job.job_id) for rpc in (a, b, c)]

    assert [kinds(log) for log in logs] == [["job_submitted", "job_started", "job_ended"]] * 3
    assert state_name(ended) == "SUCCEEDED"


async def test_a_node_that_is_back_ends_leases_again(parted: tuple[Nodes, CuttableProxy]) -> None:
    """After a lease duration of contact: a worker that is gone loses its job, with no other node left."""
    nodes, proxy = parted
    async with nodes.connected() as (whole, cut_off):
        async with working(whole) as worker:
            await eventually(lambda: knows(cut_off, worker.job))
            cut(proxy)
            await worker.beats(LONG)
            nodes.servers[0].kill()
        proxy.allow()
        await eventually(lambda: is_lost(cut_off, worker.job))


@pytest.mark.nightly
@pytest.mark.parametrize("beats", [LONG, 10 * LONG])
@pytest.mark.parametrize("leads", [False, True])
async def test_a_partitioned_nats_server(tmp_path: Path, forkery: Forkery, leads: bool, beats: int) -> None:
    """Its node stays connected without contact to the others; also if it leads the stream until another one does."""
    lease = ("--lease-ttl", f"{LEASE:g}")
    with (
        PartitionedCluster(tmp_path) as cluster,
        Nodes(tmp_path, [server.url for server in cluster.servers], *lease, forkery=forkery) as nodes,
    ):
        leader = cluster.servers.index(cluster.leader("milepost"))
        lonely = leader if leads else (leader + 1) % 3
        async with nodes.connected() as rpcs, working(rpcs[lonely - 1]) as worker:
            await eventually(lambda: knows(rpcs[lonely], worker.job))
            await asyncio.to_thread(cluster.cut_off, cluster.servers[lonely])
            await worker.beats(beats)
            cluster.join(cluster.servers[lonely])
            await eventually(lambda: is_told(rpcs[lonely - 1], rpcs[lonely]))
            await worker.beats(LONG)
            await worker.succeeds()
            log = await rpcs[lonely - 1].log(worker.job.job_id)

    assert kinds(log) == ["job_submitted", "job_started", "job_ended"]


async def is_told(rpc: Rpc, other: Rpc) -> bool:
    """Whether a submission at one node reaches another."""
    try:
        return await knows(other, await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL))
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.UNAVAILABLE:
            raise
        return False


async def knows(rpc: Rpc, job: Job) -> bool:
    """Whether the node has the job's current state."""
    try:
        return (await rpc.get(job.job_id)).last_sequence >= job.last_sequence
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.UNAVAILABLE:
            raise
        return False


async def is_lost(rpc: Rpc, job: Job) -> bool:
    """Whether the job is LOST."""
    return state_name(await rpc.get(job.job_id)) == "LOST"
