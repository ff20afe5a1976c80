"""Live: how long one event takes from the worker that reports it to those who follow the job."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple

from bench import work
from bench.bare import Script, bare
from bench.figures import OURS, Figure, Round, Settings, percentile, rounds
from bench.processes import Load, MeasurementFailed, Server, milepost
from milepost.v1 import WatchJobRequest, WatchJobResponse

__all__ = ["Size", "measure", "play"]


class Size(NamedTuple):
    """A round."""

    subscribers: int
    events: int
    gap: float
    """Between one event and the next, in seconds; long enough for the one to have gone before the next comes."""


# Long enough that the work at the end of a stream does not count for much.
_SIZES = (Size(1, 500, 0.005), Size(10, 250, 0.01), Size(100, 250, 0.025), Size(1000, 100, 0.12))

# How many connections a process makes at the most; each has as many streams.
_CONNECTIONS = 100

# Before the events that are timed come those of the job's submission, its start and its first stage's start.
_EARLIER = 3


def measure(settings: Settings) -> list[Figure]:
    """Publish to receipt, and the server's CPU time for each message, with 1 to 1,000 subscribers."""
    figures = []
    with (
        milepost(settings.directory / "live") as server,
        Load.start() as worker,
        Load.start() as first,
        Load.start() as second,
    ):
        for size in _SIZES:
            figures += _measure(size, server, worker, [first, second], settings)
    return figures


def _measure(
    size: Size, server: Server, worker: Load, loads: Sequence[Load], settings: Settings
) -> list[Figure]:
    def play_ours() -> Round:
        return played(server, work.submit(server.address))

    played = partial(play, worker, loads if size.subscribers > _CONNECTIONS else loads[:1], size)
    job_id = work.submit(server.address)
    played(server, job_id)
    script = _script(server, loads[0], job_id, size)
    kept = replace(script, database=settings.directory / f"live-{size.subscribers}.db")
    with bare(script) as plain, bare(kept) as keeping:
        return rounds(
            f"live, {size.subscribers:,} subscriber{'s' * (size.subscribers > 1)}",
            {OURS: play_ours, "bare": partial(played, plain), "bare + commit": partial(played, keeping)},
            settings,
        )


def _script(server: Server, subscribers: Load, job_id: str, size: Size) -> Script:
    """What a round at Milepost looked like: its events as they are sent when they are sent one by one."""
    request = WatchJobRequest(job_id=job_id, after_sequence=1, max_batch_events=1, no_follow=True)
    subscribers.begin(work.record, server.address, request.SerializeToString())
    opened, *updates, caught_up = subscribers.step()
    return Script([opened, caught_up], updates, work.replies([1] * (size.events + 2)))


def play(
    worker: Load,
    loads: Sequence[Load],
    size: Size,
    server: Server,
    job_id: str | None = None,
    *,
    reports_to: Server | None = None,
) -> Round:
    """A round at this server, with the subscribers spread over the loads; at Milepost with a job of its own.

    The worker ``reports_to`` another node where that is given.
    """
    name = job_id or str(uuid.uuid4())
    for load in loads:
        load.begin(_receive, server.address, name, size.subscribers // len(loads))
        load.go()
    for load in loads:
        load.result()
    worker.begin(_publish, (reports_to or server).address, name, size.events, size.gap)
    before = server.cpu()
    for load in loads:
        load.go()
    published: list[int] = worker.step()
    received: list[list[tuple[int, int]]] = [receipts for load in loads for receipts in load.result()]
    used = server.cpu() - before
    for receipts in received:
        if [sequence for sequence, _ in receipts] != list(range(2, _EARLIER + size.events + 2)):
            raise MeasurementFailed("a subscriber was not sent each event once, and in order")
    latencies = sorted(
        instant - published[sequence - _EARLIER - 1]
        for receipts in received
        for sequence, instant in receipts[_EARLIER - 1 : -1]
    )
    return {
        "p50, ms": percentile(latencies, 0.5) / 1e6,
        "p99, ms": percentile(latencies, 0.99) / 1e6,
        "server CPU, µs/message": used / sum(map(len, received)) * 1e6,
    }


# --- In the processes that make the load --------------------------------------------------------------------
# What they compare is CLOCK_MONOTONIC, which is one for all processes of a machine.


async def _publish(address: str, job_id: str, events: int, gap: float) -> AsyncGenerator[list[int]]:
    """Reports one event at a time, at a steady pace whatever comes back. When each was sent."""
    async with work.connections(address, 1) as (channel,):
        session = await work.Session.open(channel, job_id)
        await session.send(session.encode(work.START))
        await session.acknowledged(1)
        requests = [session.encode(work.progress(number, 1)) for number in range(1, events + 1)]
        published = []
        begun = time.monotonic()
        for number, request in enumerate(requests):
            await asyncio.sleep(begun + number * gap - time.monotonic())
            published.append(time.monotonic_ns())
            await session.send(request)
        await session.end()
    yield published


async def _receive(
    address: str, job_id: str, subscribers: int
) -> AsyncGenerator[list[list[tuple[int, int]]] | None]:
    """Follows the job to its end. For each subscriber the sequence of each event, and when it came."""
    request = WatchJobRequest(job_id=job_id, from_latest=True)
    request.status_interval.FromSeconds(600)
    count = min(subscribers, _CONNECTIONS)
    async with work.connections(address, count) as channels:
        streams = [
            work.watch(channels[number % count], request.SerializeToString()) for number in range(subscribers)
        ]
        for stream in streams:  # which are open once they have caught up
            await anext(stream)
            await anext(stream)
        yield None
        arrivals = await asyncio.gather(*(_arrivals(stream) for stream in streams))
    sequences = cache(_sequences)
    yield [
        [(sequence, instant) for instant, message in arrived for sequence in sequences(message)]
        for arrived in arrivals
    ]


async def _arrivals(stream: work.Stream) -> list[tuple[int, bytes]]:
    return [(time.monotonic_ns(), message) async for message in stream]


def _sequences(message: bytes) -> list[int]:
    return [event.sequence for event in WatchJobResponse.FromString(message).events.events]
