"""Replay: how fast subscribers are sent a long log that lies there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from functools import partial

import grpc.aio

from bench import work
from bench.bare import Script, bare
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.processes import Load, Server, milepost
from milepost.v1 import WatchJobRequest

__all__ = ["measure"]

_EVENTS = 100_000
# How the log was written: so many events a report, so many reports under way.
_BATCH = 50
_WINDOW = 20

# How many subscribers, and how often each of them replays the log in a round: long enough to be timed.
_SIZES = {1: 10, 20: 1}


def measure(settings: Settings) -> list[Figure]:
    """Events a second, and the server's CPU time for each, with 1 and with 20 subscribers."""
    figures = []
    with milepost(settings.directory / "replay") as server, Load.start() as load:
        job_id = work.submit(server.address)
        load.begin(_write, server.address, job_id)
        load.step()
        request = WatchJobRequest(job_id=job_id, no_follow=True).SerializeToString()
        load.begin(work.record, server.address, request)
        messages: list[bytes] = load.step()
        with bare(Script(opening=messages)) as plain:
            for subscribers, times in _SIZES.items():
                play = partial(_play, load, request, subscribers, times, _size(messages))
                figures += rounds(
                    f"replay of {_EVENTS:,} events, {subscribers} subscriber{'s' * (subscribers > 1)}",
                    {OURS: partial(play, server), "bare": partial(play, plain)},
                    settings,
                )
    return figures


def _size(messages: Sequence[bytes]) -> int:
    """The bytes of all messages but the first, which tells the time and so is not always as long."""
    return sum(len(message) for message in messages[1:])


def _play(load: Load, request: bytes, subscribers: int, times: int, size: int, server: Server) -> Round:
    load.begin(_replay, server.address, request, subscribers, times)
    load.step()
    before = server.cpu()
    seconds, sizes = load.step()
    used = server.cpu() - before
    if set(sizes) != {size}:
        raise RuntimeError(f"subscribers were sent {sorted(set(sizes))} bytes instead of {size}")
    events = _EVENTS * subscribers * times
    return {"events/s": events / seconds, "server CPU, µs/event": used / events * 1e6}


# --- In the process that makes the load ---------------------------------------------------------------------


async def _write(address: str, job_id: str) -> AsyncGenerator[None]:
    """Writes a log of so many events, all counted: three begin it, and one ends it."""
    async with work.connections(address, 1) as (channel,):
        session = await work.Session.open(channel, job_id)
        await session.send(session.encode(work.START))
        left = _EVENTS - 4
        while left:
            count = min(left, _BATCH)
            await session.send(session.encode(work.progress(left, count)))
            left -= count
            await session.acknowledged(session.reported - _WINDOW * _BATCH)
        await session.end()
    yield


async def _replay(
    address: str, request: bytes, subscribers: int, times: int
) -> AsyncGenerator[tuple[float, list[int]] | None]:
    """Connects; then replays, decoding nothing. How long it took, and how many bytes came in each replay."""
    sizes: list[int] = []
    async with work.connections(address, subscribers) as channels:
        yield None
        begun = time.perf_counter()
        for _ in range(times):
            sizes += await asyncio.gather(*(_receive(channel, request) for channel in channels))
        seconds = time.perf_counter() - begun
    yield seconds, sizes


async def _receive(channel: grpc.aio.Channel, request: bytes) -> int:
    stream = work.watch(channel, request)
    await anext(stream)
    return sum([len(message) async for message in stream])
