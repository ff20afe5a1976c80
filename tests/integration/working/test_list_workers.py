"""AdminService.ListWorkers: the connected workers."""

from __future__ import annotations

import uuid
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest

from milepost.v1 import Capacity, ConnectedWorker, Heartbeat, ListWorkersRequest
from tests.support.forking import Forkery
from tests.support.nats import NatsServer
from tests.support.nodes import Nodes
from tests.support.rpc import Rpc, error_info, eventually


async def listed(rpc: Rpc) -> list[ConnectedWorker]:
    """The workers that take the test's kind."""
    return list((await rpc.admin.ListWorkers(ListWorkersRequest(kind=rpc.kind))).workers)


async def test_a_worker_is_listed_while_it_is_connected(rpc: Rpc) -> None:
    """With its hello, its address, its jobs, and the time of its last message."""
    job = await rpc.submit()
    instance = str(uuid.uuid4())
    async with rpc.session(worker_id="w", sdk="test/1", instance=instance, max_concurrency=3) as session:
        await session.take()
        (worker,) = await listed(rpc)
        session_id = session.welcome.welcome.session_id
    gone = await eventually(lambda: _none(rpc))

    assert (worker.worker_id, worker.sdk, worker.instance) == ("w", "test/1", instance)
    assert (worker.session_id, list(worker.kinds), worker.max_concurrency) == (session_id, [rpc.kind], 3)
    assert (worker.job_count, list(worker.job_ids)) == (1, [job.job_id])
    assert worker.peer.startswith(("ipv4:127.0.0.1:", "ipv6:"))
    assert worker.node.rpartition(":")[2].isdecimal()
    assert worker.last_heard_time.ToNanoseconds() >= worker.connect_time.ToNanoseconds() > 0
    assert gone


async def _none(rpc: Rpc) -> bool:
    return not await listed(rpc)


async def test_heartbeats_and_changes_of_capacity_are_listed(rpc: Rpc) -> None:
    """Heartbeats and changes of its capacity are listed."""
    async with rpc.session(max_concurrency=3) as session:
        (before,) = await listed(rpc)
        await session.send(heartbeat=Heartbeat())
        await session.send(capacity=Capacity(max_concurrency=0))

        async def heard() -> ConnectedWorker | None:
            (worker,) = await listed(rpc)
            return worker if worker.max_concurrency == 0 else None

        after = await eventually(heard)

    assert after.last_heard_time.ToNanoseconds() > before.last_heard_time.ToNanoseconds()
    assert after.connect_time == before.connect_time


async def test_pages(rpc: Rpc) -> None:
    """By worker_id, then by session_id, each once; a token is valid for its kind only."""
    async with AsyncExitStack() as stack:
        for name in ("b", "a", "c", "a"):
            await stack.enter_async_context(rpc.session(worker_id=name))
        every = await listed(rpc)
        paged: list[ConnectedWorker] = []
        token = ""
        while True:
            page = await rpc.admin.ListWorkers(
                ListWorkersRequest(kind=rpc.kind, page_size=1, page_token=token)
            )
            paged += page.workers
            if not page.next_page_token:
                break
            token = page.next_page_token
        refused = [
            await _refusal(rpc, ListWorkersRequest(page_token=token, kind="another")),
            await _refusal(rpc, ListWorkersRequest(page_token=token[:-3], kind=rpc.kind)),
            await _refusal(rpc, ListWorkersRequest(page_token="WzEsMl0", kind=rpc.kind)),
            await _refusal(rpc, ListWorkersRequest(page_size=-1)),
            await _refusal(rpc, ListWorkersRequest(kind="No Kind")),
        ]

    assert [worker.worker_id for worker in every] == ["a", "a", "b", "c"]
    assert every == sorted(every, key=lambda worker: (worker.worker_id, worker.session_id))
    assert [worker.session_id for worker in paged] == [worker.session_id for worker in every]
    assert refused == ["page_token", "page_token", "page_token", "page_size", "kind"]


async def _refusal(rpc: Rpc, request: ListWorkersRequest) -> str:
    """The field of the refusal."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await rpc.admin.ListWorkers(request)
    return error_info(caught.value).metadata["field"]


async def test_workers_of_all_nodes_are_listed(
    tmp_path: Path, nats_server: NatsServer, forkery: Forkery
) -> None:
    """The same at each node, with the node of each worker; also workers that connected before a node started."""
    with Nodes(tmp_path, [nats_server.url] * 3, stream="listed", forkery=forkery) as nodes:
        nodes.servers[2].kill()
        async with nodes.connected() as (a, b, c), a.session(worker_id="x"), b.session(worker_id="y"):
            nodes.servers[2].restart()
            for rpc in (a, b, c):
                workers = await eventually(lambda rpc=rpc: _two(rpc))
                ports = [worker.node.rpartition(":")[2] for worker in workers]
                assert [worker.worker_id for worker in workers] == ["x", "y"]
                assert ports == [server.address.rpartition(":")[2] for server in nodes.servers[:2]]


async def _two(rpc: Rpc) -> list[ConnectedWorker] | None:
    workers = await listed(rpc)
    return workers if len(workers) == 2 else None
