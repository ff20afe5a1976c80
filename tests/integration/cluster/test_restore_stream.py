"""A stream that is purged under its nodes, and restored from a node's copy."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from milepost.v1 import DeleteJobRequest, Dispatch, ListJobsRequest, WatchJobRequest
from tests.support.command import milepost
from tests.support.forking import Forkery
from tests.support.nats import NatsServer, administering
from tests.support.nodes import Nodes
from tests.support.refused import refused
from tests.support.rpc import Rpc, connect, eventually, succeeded
from tests.support.server import ServerProcess
from tests.support.staged_runs import RUN, history, run
from tests.support.varied_log import SWEEPING, kept_events, varied_log

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def health(address: str, service: str) -> int:
    """The health of the node; 0 while it does not answer."""
    async with connect(address) as rpc:
        stub: Any = health_pb2_grpc.HealthStub(rpc.channel)
        with contextlib.suppress(grpc.aio.AioRpcError):
            return int((await stub.Check(health_pb2.HealthCheckRequest(service=service))).status)
    return 0


async def administer(server: NatsServer, what: str) -> None:
    """Purge or delete the stream."""
    async with administering(server.url) as jetstream:
        await getattr(jetstream, what)("milepost")


async def logs_of(rpc: Rpc) -> tuple[list[Any], dict[str, list[object]]]:
    """Read all jobs with their events."""
    jobs = list((await rpc.jobs.ListJobs(ListJobsRequest())).jobs)
    for job in jobs:
        job.epoch = ""
        job.ClearField("estimate")  # it changes with time
    return jobs, {job.job_id: await kept_events(rpc, job.job_id) for job in jobs}


def is_waiting(node: ServerProcess) -> bool:
    """Whether a starting node has logged that it waits for an operator."""
    lines = [line for line in node.log() if line["event"] == "waiting for an operator"]
    return any(line["level"] == "error" and "purged" in line["fault"] for line in lines)


async def test_a_purged_stream_is_restored_from_a_node(tmp_path: Path, forkery: Forkery) -> None:
    """No node creates another epoch or loses its copy; every acknowledged job is restored with its sequences."""
    with (
        NatsServer(tmp_path) as server,
        Nodes(tmp_path, [server.url] * 2, *SWEEPING, forkery=forkery) as nodes,
    ):
        first, second = nodes.servers
        epoch = nodes.epoch
        async with nodes.connected() as (rpc, other):
            await varied_log(rpc)
            before = await logs_of(rpc)
            await administer(server, "purge_stream")
            for node in nodes.servers:
                await eventually(partial(is_in_health, node, NOT_SERVING))
                assert await health(node.address, "milepost.v1.JobService") == SERVING
            for each in (rpc, other):
                refusal = await refused(each.submit(dispatch=Dispatch.DISPATCH_EXTERNAL))
                assert (refusal.code, refusal.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
                assert "before an operator has mended it" in refusal.message
            assert await logs_of(rpc) == before

        second.kill()
        shutil.rmtree(second.data)
        second.begin()

        async def is_waiting_for_an_operator() -> bool:
            return is_waiting(second)

        await eventually(is_waiting_for_an_operator)
        second.kill()
        first.stop()
        await administer(server, "delete_stream")
        outcome = await milepost("migrate", "--from", first.data, "--to", server.url)
        assert outcome.status == 0, outcome.err
        assert outcome.objects[0]["jobs"] == len(before[0])
        await asyncio.to_thread(nodes.restart)

        assert nodes.epoch != epoch
        async with nodes.connected() as rpcs:
            for rpc in rpcs:
                assert await logs_of(rpc) == before
            gone = await refused(
                anext(aiter(rpc.jobs.WatchJob(WatchJobRequest(job_id="done-1", epoch=epoch))))
            )
            assert gone.reason == "EPOCH_CHANGED"
            await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
        assert len(list(first.data.glob("projection-*.db"))) == 1


async def is_in_health(node: ServerProcess, status: int) -> bool:
    """Whether the node's WorkerService has this health."""
    return await health(node.address, "milepost.v1.WorkerService") == status


async def test_a_stream_is_restored_from_a_copy_that_was_set_aside(tmp_path: Path, forkery: Forkery) -> None:
    """While a node runs on the later stream: into another stream; and from a node's backup. With it come the runs that
    estimates rest on, in their order, and that of a deleted job between those before and after it.
    """
    with NatsServer(tmp_path) as server, Nodes(tmp_path, [server.url], *SWEEPING, forkery=forkery) as nodes:
        (node,) = nodes.servers
        async with connect(node.address) as rpc:
            async with rpc.session() as session:
                await run(rpc, session, *RUN, succeeded())
                gone = await run(rpc, session, *RUN, succeeded())
            await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=gone))
            await varied_log(rpc)
            before, known, kind = await logs_of(rpc), await history(rpc), rpc.kind
            assert known.runs == 5
        backup = tmp_path / "backup.db"
        outcome = await milepost("backup", backup, address=node.address)
        assert outcome.status == 0, outcome.err
        node.stop()
        await administer(server, "delete_stream")
        await asyncio.to_thread(nodes.restart)
        (aside,) = node.data.glob("projection-*.db")
        for number, source in enumerate((aside, backup)):
            to = ("--to", server.url, "--nats-stream", f"restored-{number}")
            outcome = await milepost("migrate", "--from", source, *to)
            assert outcome.status == 0, outcome.err
            stream = f"restored-{number}"
            (tmp_path / stream).mkdir()
            with Nodes(
                tmp_path / stream, [server.url], *SWEEPING, stream=stream, forkery=forkery
            ) as restored:
                async with connect(restored.servers[0].address) as rpc:
                    assert await logs_of(rpc) == before
                    assert await history(rpc, kind) == known
