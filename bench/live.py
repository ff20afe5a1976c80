"""Live: latency of one event from the reporting worker to the subscribers of the job."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple, TypeAlias

from bench import work
from bench.bare import Script, bare
from bench.figures import OURS, Figure, Round, Settings, percentile, rounds
from bench.processes import Load, MeasurementFailed, Server, milepost
from milepost.v1 import WatchJobRequest, WatchJobResponse

__all__ = ["EVENTS_BEFORE", "Size", "measure", "run_round"]


class Size(NamedTuple):
    """The size of a round."""

    subscribers: int
    events: int
    gap: float
    """Seconds between two events; long enough that each is delivered before the next."""


Follow: TypeAlias = Callable[[str, str, int], AsyncGenerator[list[list[tuple[int, int]]] | None]]
"""Follows a job by so many subscribers, at a URL; yields once they are there, and at its end like ``receive``."""

Report: TypeAlias = Callable[[str, str, int, float], AsyncGenerator[list[int]]]
"""Reports so many events, so many seconds apart, at a URL; yields like ``publish``."""

# Enough events that the work at the end of a stream hardly counts.
_SIZES = (Size(1, 500, 0.005), Size(10, 250, 0.01), Size(100, 250, 0.025), Size(1000, 100, 0.12))

# The row of jobs with an estimate beside jobs without one.
_ESTIMATES = "live with estimates, 100 subscribers"
_ESTIMATED = _SIZES[2]

# Maximum connections of a process; each carries an equal share of the streams.
_CONNECTIONS = 100

# Events before the timed ones: the job's submission, its start and the start of its first stage.
EVENTS_BEFORE = 3


def measure(settings: Settings) -> list[Figure]:
    """Publish to receipt, and the server's CPU time per message, with 1 to 1,000 subscribers."""
    figures = []
    with ExitStack() as stack:
        servers = {
            checkout.name: stack.enter_context(
                milepost(settings.directory / f"live-{number}", checkout=checkout)
            )
            for number, checkout in enumerate(settings.checkouts)
        }
        worker, *loads = (stack.enter_context(Load.start()) for _ in range(3))
        for size in _SIZES:
            what = f"live, {size.subscribers:,} subscriber{'s' * (size.subscribers > 1)}"
            if settings.includes(what):
                figures += _measure(what, size, servers, worker, loads, settings)
        if settings.includes(_ESTIMATES):
            figures += _measure_estimates(servers[OURS], worker, loads, settings)
    return figures


def _measure_estimates(
    server: Server, worker: Load, loads: Sequence[Load], settings: Settings
) -> list[Figure]:
    """What estimates add: at one server, jobs of a kind that has run before, and jobs that have no estimate."""
    run_at_server = partial(run_round, worker, loads[:1], _ESTIMATED, server)

    def run_estimated() -> Round:
        return run_at_server(work.submit(server.address))

    def run_silent() -> Round:
        return run_at_server(work.submit(server.address, kind=str(uuid.uuid4())), has_total=False)

    return rounds(_ESTIMATES, {OURS: run_estimated, "jobs without an estimate": run_silent}, settings)


def _measure(
    what: str,
    size: Size,
    servers: Mapping[str, Server],
    worker: Load,
    loads: Sequence[Load],
    settings: Settings,
) -> list[Figure]:
    def run_at_milepost(server: Server) -> Round:
        return run_at(server, work.submit(server.address))

    run_at = partial(run_round, worker, loads if size.subscribers > _CONNECTIONS else loads[:1], size)
    server = servers[OURS]
    job_id = work.submit(server.address)
    run_at(server, job_id)
    script = _script(server, loads[0], job_id, size)
    committing_script = replace(script, database=settings.directory / f"live-{size.subscribers}.db")
    with ExitStack() as stack:
        others = {"bare": script, "bare + commit": committing_script}
        if size.subscribers == 1:
            # What Milepost's store costs an event, which only here is much of the figure.
            others["bare + log"] = replace(script, log=settings.directory / "live-log")
        contestants = {name: stack.enter_context(bare(other)) for name, other in others.items()}
        return rounds(
            what,
            {
                **{name: partial(run_at_milepost, server) for name, server in servers.items()},
                **{name: partial(run_at, contestant) for name, contestant in contestants.items()},
            },
            settings,
        )


def _script(server: Server, subscribers: Load, job_id: str, size: Size) -> Script:
    """Record a round at Milepost as the script of a bare server, with one event in each message."""
    request = WatchJobRequest(job_id=job_id, after_sequence=1, max_batch_events=1, no_follow=True)
    subscribers.begin(work.record, server.address, request.SerializeToString())
    opened, *updates, caught_up = subscribers.step()
    return Script([opened, caught_up], updates, work.replies([1] * (size.events + 2)))


def run_round(
    worker: Load,
    loads: Sequence[Load],
    size: Size,
    server: Server,
    job_id: str | None = None,
    *,
    reports_to: Server | None = None,
    follow: Follow | None = None,
    report: Report | None = None,
    has_total: bool = True,
) -> Round:
    """Run a round at ``server``, with the subscribers spread over the loads. At Milepost ``job_id`` is a new job.

    With ``reports_to`` the worker reports to another node than the subscribers'. ``follow`` and ``report`` are what
    subscribers and the worker do, by default over gRPC.
    """
    name = job_id or str(uuid.uuid4())
    for load in loads:
        subscribers = size.subscribers // len(loads)
        if follow is None:
            load.begin(receive, server.address, name, subscribers)
        else:
            load.begin(follow, server.url, name, subscribers)
        load.go()
    for load in loads:
        load.result()
    if report is None:
        worker.begin(publish, (reports_to or server).address, name, size.events, size.gap, has_total)
    else:
        worker.begin(report, server.url, name, size.events, size.gap)
    before = server.cpu()
    for load in loads:
        load.go()
    published: list[int] = worker.step()
    received: list[list[tuple[int, int]]] = [receipts for load in loads for receipts in load.result()]
    used = server.cpu() - before
    for receipts in received:
        if [sequence for sequence, _ in receipts] != list(range(2, EVENTS_BEFORE + size.events + 2)):
            raise MeasurementFailed("a subscriber was not sent each event once, and in order")
    latencies = sorted(
        instant - published[sequence - EVENTS_BEFORE - 1]
        for receipts in received
        for sequence, instant in receipts[EVENTS_BEFORE - 1 : -1]
    )
    return {
        "p50, ms": percentile(latencies, 0.5) / 1e6,
        "p99, ms": percentile(latencies, 0.99) / 1e6,
        "server CPU, µs/message": used / sum(map(len, received)) * 1e6,
    }


# --- In the load processes ----------------------------------------------------------------------------------
# They compare CLOCK_MONOTONIC, which all processes of a machine share.


async def publish(
    address: str, job_id: str, events: int, gap: float, has_total: bool = True
) -> AsyncGenerator[list[int]]:
    """Report one event at a time, at a steady pace whatever comes back; yield the instants of sending."""
    async with work.connections(address, 1) as (channel,):
        session = await work.Session.open(channel, job_id)
        await session.send(session.encode(work.start(events if has_total else None)))
        await session.acknowledged(1)
        requests = [session.encode(work.progress(number, 1)) for number in range(1, events + 1)]
        published = []
        started = time.monotonic()
        for number, request in enumerate(requests):
            await asyncio.sleep(started + number * gap - time.monotonic())
            published.append(time.monotonic_ns())
            await session.send(request)
        await session.end()
    yield published


async def receive(
    address: str, job_id: str, subscribers: int
) -> AsyncGenerator[list[list[tuple[int, int]]] | None]:
    """Follow the job to its end; yield, for each subscriber, the sequence and arrival of each event."""
    request = WatchJobRequest(job_id=job_id, from_latest=True)
    request.status_interval.FromSeconds(600)
    count = min(subscribers, _CONNECTIONS)
    async with work.connections(address, count) as channels:
        streams = [
            work.watch(channels[number % count], request.SerializeToString()) for number in range(subscribers)
        ]
        for stream in streams:  # caught up after `opened` and `caught_up`
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
