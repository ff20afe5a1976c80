"""Storm: the server is killed under thousands of subscribers, and started again."""

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
"""On each connection."""

_EVENTS = 100
_MISSED = 50
"""Of these, how many each has not seen when it comes back."""


def measure(settings: Settings) -> list[Figure]:
    """From the ready line of the second server until each subscriber has what it had missed."""
    subscribers = 5000 if settings.full else 1000
    with ExitStack() as stack:
        loads = [stack.enter_context(Load.start()) for _ in range(_LOADS)]

        def play() -> Round:
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
            with milepost(data, address=server.address):  # the one before was killed
                ready = time.monotonic_ns()
                instants = sorted(instant for load in loads for instant in load.result())
            half, last = instants[len(instants) // 2], instants[-1]
            return {"half caught up, s": (half - ready) / 1e9, "all caught up, s": (last - ready) / 1e9}

        return rounds(f"storm, {subscribers:,} subscribers", {OURS: play}, settings, warm=False)


# --- In the processes that make the load --------------------------------------------------------------------


async def _follow(address: str, job_id: str, count: int, seed: int) -> AsyncGenerator[list[int] | None]:
    """Catches up; then, when the server has gone, comes back and catches up again. When that was, of each."""
    source = random.Random(seed)
    async with work.connections(address, count) as channels:
        each = [channel for channel in channels for _ in range(_STREAMS)]
        streams = [work.watch(channel, _request(job_id, 0)) for channel in each]
        heads = await asyncio.gather(*(_catch_up(stream, 0) for stream in streams))
        yield None
        yield await asyncio.gather(
            *(
                _come_back(channel, stream, job_id, head, source)
                for channel, stream, head in zip(each, streams, heads, strict=True)
            )
        )


async def _come_back(
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
    """The sequence that it was caught up at, with each event once and in order."""
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
