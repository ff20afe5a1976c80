"""Replays in a queue: 3,000 watches of a log of 1,000,000 events, each from a place of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from bench import work
from bench.abuse.attack import Attack
from milepost.v1 import WatchJobRequest

__all__ = ["ATTACK"]

_EVENTS = 1_000_000
_REPLAYS = 3000
_CONNECTIONS = 30


async def _run(address: str, seconds: float) -> AsyncGenerator[None]:
    job_id = await asyncio.to_thread(work.submit, address)
    async with work.connections(address, 1) as (channel,):
        session = await work.Session.open(channel, job_id)
        await session.send(session.encode(work.START))
        for first in range(1, _EVENTS + 1, 50):
            await session.send(session.encode(work.progress(first, 50)))
            await session.acknowledged(session.reported - 1000)
        await session.acknowledged(session.reported)
    async with work.connections(address, _CONNECTIONS) as channels:
        yield
        replays = []
        for number in range(_REPLAYS):
            request = WatchJobRequest(job_id=job_id, after_sequence=number * (_EVENTS // _REPLAYS))
            watch = work.watch(channels[number % _CONNECTIONS], request.SerializeToString())
            replays.append(asyncio.create_task(_read(watch)))
        await asyncio.sleep(seconds)
        for replay in replays:
            replay.cancel()
        yield


async def _read(watch: work.Stream) -> None:
    async for _ in watch:
        pass


ATTACK = Attack(_run)
