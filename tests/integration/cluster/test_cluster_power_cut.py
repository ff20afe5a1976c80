"""Power cuts of NATS servers: only synced data survives. The tests need root."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import nats.js.errors
import pytest
from nats.js import api

from milepost.server.log.jetstream.nats_access import ConnectionLost, NatsAccess
from milepost.server.log.jetstream.nats_connection import NatsConnection
from tests.support.fault_run import FaultRun
from tests.support.forking import Forkery
from tests.support.nats import NatsCluster
from tests.support.nodes import Nodes
from tests.support.power import PoweredDisk

pytestmark = pytest.mark.nightly

CUTS = 3
REPORTS = 200
"""Acknowledgements before each cut."""


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[list[PoweredDisk]]:
    """Three disks for the test."""
    with ExitStack() as stack:
        yield [stack.enter_context(PoweredDisk(tmp_path / f"disk-{number}")) for number in range(3)]


def cut(cluster: NatsCluster, disks: list[PoweredDisk], count: int, chance: random.Random) -> None:
    """Cut and restore the power of this many servers at once."""
    struck = chance.sample(list(zip(cluster.servers, disks, strict=True)), count)
    for server, disk in struck:
        disk.cut(server.pid)
    for server, disk in struck:
        server.kill()
        disk.restore()
        server.start()
    for server, _ in struck:
        server.ready()


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_nothing_acknowledged_is_lost(
    tmp_path: Path, disks: list[PoweredDisk], forkery: Forkery, count: int
) -> None:
    """If servers sync before they acknowledge, however many lose power at once."""
    with (
        NatsCluster(*(disk.path for disk in disks), sync_always=True) as cluster,
        Nodes(tmp_path, [cluster.url] * 3, forkery=forkery) as nodes,
    ):

        async def fault(chance: random.Random) -> None:
            await asyncio.to_thread(cut, cluster, disks, count, chance)

        await FaultRun(nodes, count).run(fault, CUTS, reports=REPORTS)


@pytest.mark.parametrize("sync_always", [True, False])
async def test_unsynced_writes_are_lost(disks: list[PoweredDisk], sync_always: bool) -> None:
    """The control: servers that sync periodically lose acknowledged writes, so the test above can fail."""
    config = api.StreamConfig(
        name="control", subjects=["control"], num_replicas=3, storage=api.StorageType.FILE
    )
    with NatsCluster(*(disk.path for disk in disks), sync_always=sync_always) as cluster:
        access = NatsAccess(tuple(cluster.url.split(",")))
        async with connected(access) as connection:
            await connection.ask(lambda jetstream: jetstream.add_stream(config))
            for number in range(500):
                reply = await connection.publish("control", b"x" * 100, number, 10)
                assert reply.sequence == number + 1
        await asyncio.to_thread(cut, cluster, disks, 3, random.Random(1))
        async with connected(access) as connection:
            kept = await asyncio.wait_for(messages(connection), 120)
    assert sync_always == (kept == 500)


@asynccontextmanager
async def connected(access: NatsAccess) -> AsyncIterator[NatsConnection]:
    """Connect to NATS."""
    connection = NatsConnection(access, lambda up: None)
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


async def messages(connection: NatsConnection) -> int:
    """The number of messages once the stream has a leader; 0 if it is gone."""
    while True:
        try:
            return (await connection.ask(lambda jetstream: jetstream.stream_info("control"))).state.messages
        except nats.js.errors.NotFoundError:
            return 0
        except (ConnectionLost, nats.js.errors.APIError):
            await asyncio.sleep(0.1)
