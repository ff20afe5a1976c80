"""Idle: what a subscriber costs that has caught up and to whom nothing happens."""

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
"""On each connection."""


def measure(settings: Settings) -> list[Figure]:
    """Memory of the server for each of 10,000, at a server that was started for them."""
    subscribers = 10_000 if settings.full else 2000
    with ExitStack() as stack:
        loads = [stack.enter_context(Load.start()) for _ in range(_LOADS)]

        def play_ours() -> Round:
            with milepost(settings.directory / "idle") as server:
                return play(server, work.submit(server.address))

        def play_bare() -> Round:
            with bare(Script(opening=[b"opened", b"caught up"], updates=[b"never"])) as server:
                return play(server, "any")

        play = partial(_play, loads, subscribers)
        contestants = {OURS: play_ours, "bare": play_bare}
        return rounds(f"idle, {subscribers:,} subscribers", contestants, settings, warm=False)


def _play(loads: Sequence[Load], subscribers: int, server: Server, job_id: str) -> Round:
    channels = subscribers // _STREAMS // len(loads)
    _all(
        loads, 1, server.address, job_id
    )  # what the first subscriber costs is no matter of how many there are
    before = server.memory()
    _all(loads, channels, server.address, job_id)
    grown = server.memory() - before
    for load in loads:
        load.begin(_leave)
        load.step()
    return {"server memory, KB/subscriber": grown / subscribers / 1024}


def _all(loads: Sequence[Load], channels: int, address: str, job_id: str) -> None:
    for load in loads:
        load.begin(_subscribe, address, job_id, channels)
        load.go()
    for load in loads:
        load.result()


# --- In the processes that make the load --------------------------------------------------------------------


async def _subscribe(address: str, job_id: str, count: int) -> AsyncGenerator[None]:
    """Connects so often, and opens that many streams on each connection, until all have caught up."""
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
