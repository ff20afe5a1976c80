"""A watch of the SDK over an unreliable network yields exactly the log."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Sequence
from typing import Any

import pytest

from milepost.client import Client
from milepost.v1 import Dispatch, Event
from tests.support.chaos import FAULTS, Chaos, Weather
from tests.support.rpc import connect, eventually
from tests.support.server import ServerProcess
from tests.support.steady_reports import report_until
from tests.support.validators import History, Recording, check

SUBSCRIBERS = 8


class Subscriber:
    """A subscriber with its own client and connection."""

    def __init__(self) -> None:
        self.batches: list[Sequence[Event]] = []
        self.reconnects = 0

    async def follow(self, address: str, job_id: str) -> None:
        """Follow the job to its end."""
        async with Client(address) as client, client.watch(job_id, status_interval=1.0) as watch:
            async for batch in watch.batches():
                self.batches.append(batch)
                self.reconnects = watch.reconnects


@pytest.mark.parametrize("passes", range(5))
async def test_a_network_that_ends_while_it_accepts(passes: int) -> None:
    """It leaves no connection open, whichever step of being accepted that has come to."""
    loop = asyncio.get_running_loop()
    errors: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: errors.append(context))
    async with Chaos("127.0.0.1:1", [], 1) as network:
        host, _, port = network.address.rpartition(":")
        clients = [socket.create_connection((host, int(port))) for _ in range(20)]
        for _ in range(passes):
            await asyncio.sleep(0)
    for client in clients:
        client.setblocking(False)
        with contextlib.suppress(ConnectionResetError):
            assert await loop.sock_recv(client, 1) == b""
        client.close()

    assert errors == []


async def chaos(server: ServerProcess, seed: int, *, resets: bool) -> None:
    """One run: every fault strikes somebody, and some strike more than once.

    With ``resets`` connections that are dead without a word are reset in the end, without it the clients have to find
    out by themselves.
    """
    source = random.Random(seed)
    faults = [*FAULTS, *source.choices(FAULTS, k=6)]
    source.shuffle(faults)
    weathers = [Weather(fault, source.randrange(500, 20_000)) for fault in faults]
    subscribers = [Subscriber() for _ in range(SUBSCRIBERS)]
    stop = asyncio.Event()
    async with connect(server.address) as rpc, Chaos(server.address, weathers, seed) as network:
        job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
        async with asyncio.TaskGroup() as group:
            group.create_task(report_until(rpc, job.job_id, stop))
            for subscriber in subscribers:
                group.create_task(subscriber.follow(network.address, job.job_id))

            async def all_struck() -> bool:
                if resets and network.struck.total() >= SUBSCRIBERS:
                    network.reset_the_dead()
                return network.struck.total() == len(weathers)

            await eventually(all_struck, seconds=200)
            before = network.carried
            stop.set()
            if resets:
                network.reset_the_dead()
        log = await rpc.log(job.job_id)
    assert sum(weather.after for weather in weathers) <= before, "traffic flowed before the faults"
    assert set(network.struck) == set(FAULTS)
    assert sum(subscriber.reconnects for subscriber in subscribers) > 0
    for subscriber in subscribers:
        recording = Recording.of_batches(subscriber.batches)
        check(recording, History.of_log(log))
        assert log == recording.events


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_chaos(shared_server: ServerProcess, seed: int) -> None:
    """Delayed, cut within a frame, half open, one-way or byte by byte: each subscriber gets the identical log."""
    await chaos(shared_server, seed, resets=True)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 200))
async def test_chaos_at_length(shared_server: ServerProcess, seed: int) -> None:
    """The long form; every tenth time dead connections are not reset."""
    await chaos(shared_server, seed, resets=seed % 10 != 0)
