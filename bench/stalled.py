"""Stalled: the effect of subscribers that never read on others, and on the server's memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from functools import partial

import grpc.aio

from bench import live, work
from bench.bare import Script, bare
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.processes import Load, Server, milepost
from milepost.v1 import LogWritten, Update, WatchJobRequest

__all__ = ["measure"]

_STALLED = 200
_STREAMS = 10
"""Stalled streams per connection."""

_READING = live.Size(subscribers=50, events=100, gap=0.02)

_EVENTS = 100_000
"""Events in the log of the stalled streams: far more than they and their connections buffer."""

_LARGE_EVENTS = 1500
"""Log lines of 20 KB in another job's log, 30 in each report: a report is larger than a batch of a stream."""

# Seconds until the buffers of newly opened stalled streams are full.
_FILL_TIME = 2.0

_APART = 5
"""Large events between the places of two streams that each stop at their own."""

_SETTLE_TIME = 50.0
"""Seconds until the server has dropped what it has of replays, which is bounded by itself, and has trimmed its heap."""

_REPLAYS = 8
"""At once, so that each of the server's readers takes part."""


def measure(settings: Settings) -> list[Figure]:
    """50 live subscribers beside 200 stalled ones and alone; then the memory per stalled stream."""
    what = f"stalled, {_STALLED} beside {_READING.subscribers} live"
    with milepost(settings.directory / "stalled") as server, Load.start() as stalled:
        with Load.start() as worker, Load.start() as subscribers:
            job_id = work.submit(server.address)
            worker.begin(work.write, server.address, job_id, _EVENTS)
            worker.step()
            run_round = partial(_run_round, worker, subscribers, stalled, server, job_id)
            figures = rounds(
                what, {OURS: partial(run_round, _STALLED), "none stalled": partial(run_round, 0)}, settings
            )
            large_id = work.submit(server.address)
            worker.begin(_write_large, server.address, large_id)
            worker.step()
        request = WatchJobRequest(job_id=job_id, no_follow=True).SerializeToString()
        stalled.begin(work.record, server.address, request)
        script = Script(opening=stalled.step())
    with Load.start() as stalled:

        def run_ours(job_id: str) -> Round:
            with milepost(settings.directory / "stalled") as server:
                return _memory(stalled, server, job_id)

        def run_bare() -> Round:
            with bare(script) as server:
                return _memory(stalled, server, job_id)

        contestants: dict[str, Callable[[], Round]] = {
            OURS: partial(run_ours, job_id),
            "bare": run_bare,
            "events of 20 KB": partial(run_ours, large_id),
        }
        figures += rounds(what, contestants, settings, warm=False)

        def run_apart() -> Round:
            with milepost(settings.directory / "stalled", "--tail-memory", "2") as server:
                stalled.begin(_replay, server.address, large_id)
                stalled.step()
                return _memory(stalled, server, large_id, apart=_APART, settle=_SETTLE_TIME)

        apart: dict[str, Callable[[], Round]] = {OURS: run_apart}
        return [
            *figures,
            *rounds("stalled, each at its own place, events of 20 KB", apart, settings, warm=False),
        ]


def _run_round(
    worker: Load, subscribers: Load, stalled: Load, server: Server, job_id: str, count: int
) -> Round:
    _stall(stalled, server, job_id, count)
    name = work.submit(server.address)
    return live.run_round(worker, [subscribers], _READING, server, name)


def _memory(stalled: Load, server: Server, job_id: str, apart: int = 0, settle: float = 0.0) -> Round:
    _stall(stalled, server, job_id, _STREAMS, apart)
    before = server.memory()
    _stall(stalled, server, job_id, _STALLED, apart)
    time.sleep(settle)
    grown = server.memory() - before
    _stall(stalled, server, job_id, 0)
    return {"server memory, KB/stalled stream": grown / (_STALLED - _STREAMS) / 1024}


def _stall(stalled: Load, server: Server, job_id: str, count: int, apart: int = 0) -> None:
    stalled.begin(_open, server.address, job_id, count, apart)
    stalled.step()
    if count:
        time.sleep(_FILL_TIME)


# --- In the load process ------------------------------------------------------------------------------------


async def _write_large(address: str, job_id: str) -> AsyncGenerator[None]:
    updates = [Update(log_written=LogWritten(text="x" * 20_000))] * 30
    async with work.connections(address, 1) as (channel,):
        session = await work.Session.open(channel, job_id)
        for _ in range(0, _LARGE_EVENTS, len(updates)):
            await session.send(session.encode(updates))
            await session.acknowledged(session.reported)
    yield


async def _replay(address: str, job_id: str) -> AsyncGenerator[None]:
    """Read the log, so that the server's caches are as full as they become."""
    request = WatchJobRequest(job_id=job_id, no_follow=True).SerializeToString()

    async def read(channel: grpc.aio.Channel) -> None:
        async for _ in work.watch(channel, request):
            pass

    async with work.connections(address, _REPLAYS) as channels:
        await asyncio.gather(*map(read, channels))
    yield


async def _open(address: str, job_id: str, count: int, apart: int) -> AsyncGenerator[None]:
    """Open ``count`` streams, each so many events after the one before, and read only the first message of each."""
    async with work.connections(address, count // _STREAMS) as channels:
        streams = [
            work.watch(
                channels[number // _STREAMS],
                WatchJobRequest(job_id=job_id, after_sequence=apart * number).SerializeToString(),
            )
            for number in range(count)
        ]
        for stream in streams:
            await anext(stream)
        yield
