"""Storm: kill the server under thousands of subscribers, and start it again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack, suppress

import grpc
import grpc.aio

from bench import work
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.processes import Load, MeasurementFailed, milepost
from milepost.v1 import WatchJobRequest, WatchJobResponse

__all__ = ["measure"]

_LOADS = 2
_STREAMS = 50
"""Streams per connection."""

_EVENTS = 100
_MISSED = 50
"""Events of these that each subscriber lacks when it reconnects."""


def measure(settings: Settings) -> list[Figure]:
    """From the ready line of the second server until each subscriber has its missed events."""
    subscribers = 5000 if settings.full else 1000
    with ExitStack() as stack:
        loads = [stack.enter_context(Load.start()) for _ in range(_LOADS)]

        def run_round() -> Round:
            data = settings.directory / "storm"
            with milepost(data) as server:
                job_id = work.submit(server.address)
                loads[0].begin(work.write, server.address, job_id, _EVENTS, False)
                loads[0].step()
                for number, load in enumerate(loads):
                    channels = subscribers // _STREAMS // _LOADS
                    load.begin(_follow, server.address, job_id, channels, number)
                    load.go()
                for load in loads:
                    load.result()
                for load in loads:
                    load.go()
            with milepost(data, address=server.address):  # `milepost` has killed the first one
                ready = time.monotonic_ns()
                instants = sorted(instant for load in loads for instant in load.result())
            half, last = instants[len(instants) // 2], instants[-1]
            return {"half caught up, s": (half - ready) / 1e9, "all caught up, s": (last - ready) / 1e9}

        return rounds(f"storm, {subscribers:,} subscribers", {OURS: run_round}, settings, warm=False)


# --- In the load processes ----------------------------------------------------------------------------------


async def _follow(address: str, job_id: str, count: int, seed: int) -> AsyncGenerator[list[int] | None]:
    """Catch up; once the server is gone, reconnect and catch up again. Yields the instants of the second catch-up."""
    source = random.Random(seed)
    async with work.connections(address, count) as channels:
        each = [channel for channel in channels for _ in range(_STREAMS)]
        streams = [work.watch(channel, _request(job_id, 0)) for channel in each]
        heads = await asyncio.gather(*(_catch_up(stream, 0) for stream in streams))
        yield None
        yield await asyncio.gather(
            *(
                _reconnect(channel, stream, job_id, head, source)
                for channel, stream, head in zip(each, streams, heads, strict=True)
            )
        )


async def _reconnect(
    channel: grpc.aio.Channel, stream: work.Stream, job_id: str, head: int, source: random.Random
) -> int:
    with suppress(grpc.aio.AioRpcError):
        async for _ in stream:
            pass
    wait = 0.1
    while True:
        await asyncio.sleep(source.uniform(0.0, wait))
        try:
            if head != await _catch_up(work.watch(channel, _request(job_id, head - _MISSED)), head - _MISSED):
                raise MeasurementFailed("the log is another one")
            return time.monotonic_ns()
        except grpc.aio.AioRpcError:
            wait = min(wait * 2, 2.0)


async def _catch_up(stream: work.Stream, cursor: int) -> int:
    """Read until caught up; return that sequence. Raises MeasurementFailed unless each event comes once, in order."""
    async for message in stream:
        response = WatchJobResponse.FromString(message)
        for event in response.events.events:
            cursor += 1
            if event.sequence != cursor:
                raise MeasurementFailed("a subscriber was not sent each event once, and in order")
        if response.HasField("caught_up"):
            return cursor
    raise MeasurementFailed("the stream ended")


def _request(job_id: str, cursor: int) -> bytes:
    return WatchJobRequest(job_id=job_id, after_sequence=cursor).SerializeToString()
