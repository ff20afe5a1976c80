"""Three nodes and three NATS servers, any of which is killed, stopped or cut off, under load."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration
from grpc_health.v1 import health_pb2, health_pb2_grpc

from milepost.v1 import DeleteJobRequest, JobFilter, WatchJobsRequest, WatchJobsResponse
from tests.support.fault_run import WORKERS, FaultRun
from tests.support.forking import Forkery
from tests.support.nats import NatsCluster, NatsServer
from tests.support.nodes import Nodes
from tests.support.partitioned_cluster import PartitionedCluster
from tests.support.proxy import CuttableProxy
from tests.support.refused import refused
from tests.support.rpc import Rpc, connect, eventually, kinds, log_line, state_name, succeeded
from tests.support.server import ServerProcess

# No lease ends here: on a busy machine a node may take longer than the usual one to find another server of NATS, and
# its workers, whom the other nodes do not hear meanwhile, would lose their jobs (rule 14).
LEASE = ("--lease-ttl", "10m")


@pytest.fixture
def cluster(tmp_path: Path) -> Any:
    """Three NATS servers."""
    with NatsCluster(*[tmp_path] * 3) as nats:
        yield nats


@pytest.fixture
def nodes(tmp_path: Path, cluster: NatsCluster, forkery: Forkery) -> Any:
    """Three nodes, each with the addresses of all three NATS servers."""
    with Nodes(tmp_path, [cluster.url] * 3, *LEASE, forkery=forkery) as nodes:
        yield nodes


@pytest.mark.parametrize("times", [2, pytest.param(100, marks=pytest.mark.nightly)])
async def test_any_node_may_be_killed(nodes: Nodes, times: int) -> None:
    """Its workers and subscribers resume at another node; nothing is lost or doubled."""

    async def kill(chance: random.Random) -> None:
        server = chance.choice(nodes.servers)
        server.kill()
        await asyncio.to_thread(server.restart)

    faults = FaultRun(nodes, 1)
    await faults.run(kill, times, reports=200)
    assert sum(reporter.sessions for reporter in faults.reporters) > WORKERS


@pytest.mark.parametrize("times", [1, pytest.param(20, marks=pytest.mark.nightly)])
async def test_the_leader_of_the_stream_may_be_killed(nodes: Nodes, cluster: NatsCluster, times: int) -> None:
    """Reports wait for another leader, and no acknowledged one is lost (rule 12)."""

    async def kill(_: random.Random) -> None:
        leader = cluster.leader("milepost")
        await asyncio.to_thread(leader.kill)
        await asyncio.to_thread(leader.restart)

    await FaultRun(nodes, 2).run(kill, times, reports=200)


@pytest.mark.nightly
async def test_the_leader_of_the_stream_may_stop_for_a_while(nodes: Nodes, cluster: NatsCluster) -> None:
    """Its connections stay open and silent; when it resumes it is no longer the leader."""

    async def pause(_: random.Random) -> None:
        leader = cluster.leader("milepost")
        leader.pause()
        try:

            async def is_another() -> bool:
                with contextlib.suppress(LookupError, OSError):
                    others = [server for server in cluster.servers if server is not leader]
                    return await asyncio.to_thread(others[0].leads, "milepost") not in ("", leader.name)
                return False

            await eventually(is_another)
        finally:
            leader.go_on()

    await FaultRun(nodes, 3).run(pause, 20, reports=200)


@pytest.mark.nightly
async def test_a_server_of_nats_may_be_cut_off_from_the_others(tmp_path: Path, forkery: Forkery) -> None:
    """Its clients reach it, but writes fail. Its nodes connect to another server."""
    with (
        PartitionedCluster(tmp_path) as cluster,
        Nodes(tmp_path, [cluster.url] * 3, *LEASE, forkery=forkery) as nodes,
    ):

        def at(node: ServerProcess) -> str:
            return str([line["server"] for line in node.log() if line["event"] == "connected to NATS"][-1])

        async def part(chance: random.Random) -> None:
            address = at(chance.choice(nodes.servers))
            server = next(server for server in cluster.servers if server.url == f"nats://{address}")
            await asyncio.to_thread(cluster.cut_off, server)
            try:

                async def nobody_is_at_it() -> bool:
                    return address not in map(at, nodes.servers)

                await eventually(nobody_is_at_it)
            finally:
                cluster.join(server)

        await FaultRun(nodes, 4).run(part, 5, reports=200)


@pytest.mark.nightly
async def test_a_lost_nats_quorum_stops_writes_until_it_is_back(nodes: Nodes, cluster: NatsCluster) -> None:
    """Nothing is acknowledged until they are back, but reads work; then everything continues."""
    async with nodes.connected() as rpcs:
        job = await rpcs[0].submit()
        for rpc in rpcs:
            assert job.job_id == (await rpc.get(job.job_id)).job_id
        for server in cluster.servers[1:]:
            server.kill()
        for rpc in rpcs:
            refusal = await refused(rpc.submit())
            assert (refusal.code, refusal.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
            assert state_name(await rpc.get(job.job_id)) == "QUEUED"
        for server in cluster.servers[1:]:
            server.start()

        async def goes_on() -> bool:
            with contextlib.suppress(grpc.aio.AioRpcError):
                return state_name(await rpcs[1].cancel(job.job_id)) == "CANCELLED"
            return False

        await eventually(goes_on)
        assert state_name(await rpcs[2].cancel(job.job_id)) == "CANCELLED"


# --- A node that is cut off ---------------------------------------------------------------------------------------


async def _health(address: str, service: str) -> int:
    async with connect(address) as rpc:
        health: Any = health_pb2_grpc.HealthStub(rpc.channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
        return int(answer.status)


SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
async def parted(tmp_path: Path, forkery: Forkery) -> AsyncIterator[tuple[Nodes, CuttableProxy, NatsServer]]:
    """Two nodes, the second of which can be cut off."""
    with (
        NatsServer(tmp_path) as nats,
        CuttableProxy(f"127.0.0.1:{nats.port}") as proxy,
        Nodes(tmp_path, [nats.url, f"nats://{proxy.address}"], forkery=forkery) as nodes,
    ):
        yield nodes, proxy, nats


async def test_a_node_that_is_cut_off_goes_on_reading_and_heals(
    parted: tuple[Nodes, CuttableProxy, NatsServer],
) -> None:
    """It serves reads, refuses writes with a retry delay, reports it in its health, and catches up afterwards."""
    nodes, proxy, _ = parted
    address = nodes.servers[1].address
    async with nodes.connected() as (whole, cut_off):
        job = await whole.submit()
        frames = aiter(cut_off.watch(job.job_id, status_interval=Duration(seconds=1)))
        while not (status := await anext(frames)).HasField("status"):
            pass
        assert not status.status.store_away
        proxy.refuse()
        proxy.cut()

        async def is_away() -> bool:
            return await _health(address, "milepost.v1.WorkerService") == NOT_SERVING

        await eventually(is_away)
        assert (
            await _health(address, ""),
            await _health(address, "milepost.v1.JobService"),
        ) == (SERVING, SERVING)
        assert state_name(await cut_off.get(job.job_id)) == "QUEUED"
        while not (await anext(frames)).status.store_away:
            pass
        refusal = await refused(cut_off.submit())
        assert (refusal.code, refusal.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
        assert refusal.retry_delay is not None
        assert state_name(await whole.cancel(job.job_id)) == "CANCELLED"
        assert state_name(await cut_off.get(job.job_id)) == "QUEUED"

        proxy.allow()
        seen = [event async for frame in frames for event in frame.events.events]
        assert kinds(seen) == ["cancel_requested", "job_ended"]

        async def is_back() -> bool:
            return await _health(address, "milepost.v1.WorkerService") == SERVING

        await eventually(is_back)
        again = await cut_off.submit()
        assert again.job_id == (await whole.get(again.job_id)).job_id


async def test_a_node_that_starts_empty_catches_up(
    parted: tuple[Nodes, CuttableProxy, NatsServer], tmp_path: Path
) -> None:
    """Its health says when it has caught up; until then it refuses calls. Then it has the same state as the others."""
    nodes, proxy, _ = parted
    async with nodes.connected() as (rpc, _), rpc.session() as session:
        job = await rpc.submit()
        _, token = await session.take()
        for number in range(1, 51):
            await session.report(job.job_id, token, number, log_line(str(number)))
        await session.report(job.job_id, token, 51, succeeded())
        await session.acknowledged(51)
        expected = await rpc.ended(job.job_id)

        proxy.refuse()
        port = nodes.servers[1].address.rpartition(":")[2]
        nodes.servers[1].kill()
        empty = ServerProcess(
            tmp_path / "empty", "--store", f"nats://{proxy.address}", address=f"127.0.0.1:{port}"
        )
        empty.begin()
        try:

            async def is_up() -> bool:
                with contextlib.suppress(Exception):
                    return await _health(f"127.0.0.1:{port}", "") == NOT_SERVING
                return False

            await eventually(is_up)
            async with connect(f"127.0.0.1:{port}") as early:
                refusal = await refused(early.get(job.job_id))
                assert (refusal.code, refusal.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
            proxy.allow()

            async def is_ready() -> bool:
                return await _health(f"127.0.0.1:{port}", "") == SERVING

            await eventually(is_ready)
            async with connect(f"127.0.0.1:{port}") as late:
                assert await late.log(job.job_id) == expected
                assert await rpc.get(job.job_id) == await late.get(job.job_id)
        finally:
            empty.kill()


async def test_a_node_that_missed_purged_messages_restarts(
    parted: tuple[Nodes, CuttableProxy, NatsServer],
) -> None:
    """It cannot recover purged messages while it serves: after a restart it has the same state as the others."""
    nodes, proxy, nats = parted
    late = nodes.servers[1]
    async with nodes.connected() as (whole, cut_off):
        job, other = await whole.submit(), await whole.submit()
        for submitted in (job, other):
            assert submitted == await cut_off.get(submitted.job_id)
        (position,) = {frame.events.position for frame in await shown(cut_off, 0) if frame.HasField("events")}
        proxy.refuse()
        proxy.cut()
        await whole.cancel(job.job_id)
        await whole.jobs.DeleteJob(DeleteJobRequest(job_id=job.job_id))

        async def is_purged() -> bool:  # except the identity, the other job, and the deletion of this one
            return nats.messages("milepost") == 3

        await eventually(is_purged)
        proxy.allow()
        assert await asyncio.to_thread(late.wait) != 0
        assert "Restart it: it catches up" in late.log_path.read_text()

        await asyncio.to_thread(late.restart)
        for rpc in (whole, cut_off):
            refusal = await refused(rpc.get(job.job_id))
            assert refusal.reason == "JOB_NOT_FOUND"
            refusal = await refused(shown(rpc, position))
            assert refusal.reason == "SEQUENCE_TRIMMED"
            assert other == await rpc.get(other.job_id)
        assert state_name(await cut_off.cancel(other.job_id)) == "CANCELLED"


async def shown(rpc: Rpc, position: int) -> list[WatchJobsResponse]:
    """All later events."""
    request = WatchJobsRequest(filter=JobFilter(kinds=[rpc.kind]), after_position=position, no_follow=True)
    return [frame async for frame in rpc.jobs.WatchJobs(request, wait_for_ready=True)]


@pytest.mark.nightly
async def test_a_node_waits_for_the_nats_cluster_to_form(tmp_path: Path, forkery: Forkery) -> None:
    """It logs what it waits for, and needs no restart."""
    cluster = NatsCluster(*[tmp_path] * 3)
    node = ServerProcess(tmp_path / "data", "--store", cluster.url, forkery=forkery)
    with contextlib.ExitStack() as stack:
        for server in cluster.servers[:2]:
            server.start()
            stack.callback(server.kill)
        node.begin()
        stack.callback(node.kill)

        async def says_so() -> bool:
            return "stream not available yet" in node.log_path.read_text()

        await eventually(says_so)
        cluster.servers[2].start()
        stack.callback(cluster.servers[2].kill)

        async def serves() -> bool:
            return '"event": "serving"' in node.log_path.read_text()

        await eventually(serves)
