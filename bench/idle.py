"""Idle: the memory of a subscriber that has caught up and receives nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack
from functools import partial

from bench import work
from bench.bare import Script, bare
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.processes import Load, Server, milepost
from milepost.v1 import WatchJobRequest

__all__ = ["measure"]

_LOADS = 2
_STREAMS = 100
"""Streams per connection."""


def measure(settings: Settings) -> list[Figure]:
    """Memory of the server per subscriber, with 10,000 subscribers at a fresh server."""
    subscribers = 10_000 if settings.full else 2000
    with ExitStack() as stack:
        loads = [stack.enter_context(Load.start()) for _ in range(_LOADS)]

        def run_ours() -> Round:
            with milepost(settings.directory / "idle") as server:
                return run_round(server, work.submit(server.address))

        def run_bare() -> Round:
            with bare(Script(opening=[b"opened", b"caught up"], updates=[b"never"])) as server:
                return run_round(server, "any")

        run_round = partial(_run_round, loads, subscribers)
        contestants = {OURS: run_ours, "bare": run_bare}
        return rounds(f"idle, {subscribers:,} subscribers", contestants, settings, warm=False)


def _run_round(loads: Sequence[Load], subscribers: int, server: Server, job_id: str) -> Round:
    channels = subscribers // _STREAMS // len(loads)
    # The first subscriber allocates what all share; it does not count.
    _subscribe_all(loads, 1, server.address, job_id)
    before = server.memory()
    _subscribe_all(loads, channels, server.address, job_id)
    grown = server.memory() - before
    for load in loads:
        load.begin(_leave)
        load.step()
    return {"server memory, KB/subscriber": grown / subscribers / 1024}


def _subscribe_all(loads: Sequence[Load], channels: int, address: str, job_id: str) -> None:
    for load in loads:
        load.begin(_subscribe, address, job_id, channels)
        load.go()
    for load in loads:
        load.result()


# --- In the load processes ----------------------------------------------------------------------------------


async def _subscribe(address: str, job_id: str, count: int) -> AsyncGenerator[None]:
    """Open ``count`` connections with ``_STREAMS`` watches each; return once all have caught up."""
    request = WatchJobRequest(job_id=job_id)
    request.status_interval.FromSeconds(600)
    request.from_latest = True
    async with work.connections(address, count) as channels:
        streams = []
        for channel in channels:
            opened = [work.watch(channel, request.SerializeToString()) for _ in range(_STREAMS)]
            for _ in range(2):
                await asyncio.gather(*(anext(stream) for stream in opened))
            streams += opened
        yield


async def _leave() -> AsyncGenerator[None]:
    yield
