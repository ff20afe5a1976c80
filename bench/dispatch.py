"""Dispatch: how long a job takes to a worker that waits, and whether order and memory hold with many of both."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from itertools import product
from typing import TypeAlias

import grpc
import grpc.aio

from bench import work
from bench.bare import Script, bare
from bench.figures import OURS, Figure, Round, Settings, percentile, rounds
from bench.processes import Load, MeasurementFailed, Server, milepost
from milepost.v1 import (
    Capacity,
    Hello,
    JobEnded,
    JobFilter,
    JobState,
    Report,
    SubmitJobRequest,
    SubmitJobResponse,
    Update,
    WatchJobsRequest,
    WatchJobsResponse,
    WorkRequest,
    WorkResponse,
)

__all__ = ["measure"]

# Jobs that are submitted one after the other in a round.
_TIMES = 400

# What a job costs at the least: it is accepted, and it is started.
_COMMITS = 2

_OWNERS = 5
_PRIORITIES = (3, 2, 1, 0)
# Streams on each connection, and submissions that are under way.
_STREAMS = 50
_ABREAST = 50

# A cycle of the crowd, in seconds at the most.
_PATIENCE = 600.0

_END = Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))

_Call: TypeAlias = grpc.aio.StreamStreamCall[bytes, bytes]


def measure(settings: Settings) -> list[Figure]:
    """One worker that waits; then many workers, and ten jobs for each of them in the queue."""
    return [*_waiting(settings), *_crowd(settings)]


def _waiting(settings: Settings) -> list[Figure]:
    script = Script(
        replies=[b"x" * 200] * (1 + _COMMITS * _TIMES),
        updates=[b"x" * 200] * (_COMMITS * _TIMES),
        database=settings.directory / "bare.db",
    )
    with milepost(settings.directory / "dispatch") as server, bare(script) as plain, Load.start() as load:
        return rounds(
            "submit to assignment, worker waiting",
            {
                OURS: partial(_play, load, _submit_and_take, server),
                "bare echo + commit, twice": partial(_play, load, _echo, plain),
            },
            settings,
        )


def _play(load: Load, generator: Callable[[str], AsyncGenerator[list[int]]], server: Server) -> Round:
    load.begin(generator, server.address)
    taken: Sequence[int] = sorted(load.step())
    return {"p50, ms": percentile(taken, 0.5) / 1e6, "p99, ms": percentile(taken, 0.99) / 1e6}


def _crowd(settings: Settings) -> list[Figure]:
    workers = 1000 if settings.full else 200
    jobs = workers * 10
    queued: list[int] = []
    with milepost(settings.directory / "crowd") as server, Load.start() as load:
        load.begin(_work_off, server.address, workers, jobs)

        def play() -> Round:
            load.step(_PATIENCE)
            queued.append(server.memory())
            seconds = load.step(_PATIENCE)
            return {"jobs/s": jobs / seconds, "server memory, MB": server.memory() / 1e6}

        return rounds(
            f"{workers:,} workers connected, {jobs:,} queued jobs, in order",
            {OURS: play, "before, all queued": lambda: {"server memory, MB": queued[-1] / 1e6}},
            settings,
        )


# --- In the process that makes the load ---------------------------------------------------------------------


async def _submit_and_take(address: str) -> AsyncGenerator[list[int]]:
    """From just before each submission to its assignment, at a worker that has nothing else to do."""
    kind = f"bench-{uuid.uuid4().hex}"
    request = SubmitJobRequest(kind=kind).SerializeToString()
    taken = []
    async with work.connections(address, 2) as (submitting, working):
        submit = _submission(submitting)
        call = await _connect(working, kind, 1)
        for _ in range(_TIMES):
            begun = time.perf_counter_ns()
            submitted = asyncio.ensure_future(submit(request))
            response = await _hear(call)
            taken.append(time.perf_counter_ns() - begun)
            await submitted
            await call.write(_end(response))
            await _hear(call)
    yield taken


async def _echo(address: str) -> AsyncGenerator[list[int]]:
    """The least that could do as much: a message each way and a commit between, as often as a job is committed."""
    taken = []
    async with work.connections(address, 1) as (channel,):
        call = _open(channel)
        await call.write(b"hello")
        await call.read()
        for _ in range(_TIMES):
            begun = time.perf_counter_ns()
            for _ in range(_COMMITS):
                await call.write(b"x" * 200)
                await call.read()
            taken.append(time.perf_counter_ns() - begun)
    yield taken


async def _work_off(address: str, workers: int, jobs: int) -> AsyncGenerator[float]:
    """Again and again: connects the workers and queues the jobs; then has the workers take and end them all.

    Tells the seconds of each, while the workers are connected. Raises MeasurementFailed where the jobs were not
    started in the order of the queue.
    """
    async with work.connections(address, workers // _STREAMS) as channels:
        while True:
            kind = f"bench-{uuid.uuid4().hex}"
            begun = time.perf_counter()
            each = [channel for channel in channels for _ in range(_STREAMS)]
            calls = await asyncio.gather(*(_connect(channel, kind, 0) for channel in each))
            expected = await _queue(channels[0], kind, jobs)
            yield time.perf_counter() - begun
            ended = asyncio.Semaphore(0)
            begun = time.perf_counter()
            serving = [asyncio.create_task(_serve(call, ended)) for call in calls]
            for _ in range(jobs):
                await ended.acquire()
            seconds = time.perf_counter() - begun
            if expected != await _started(channels[0], kind):
                raise MeasurementFailed("the jobs were not started in the order of the queue")
            yield seconds
            for call in calls:
                call.cancel()
            await asyncio.gather(*serving, return_exceptions=True)


async def _queue(channel: grpc.aio.Channel, kind: str, jobs: int) -> list[str]:
    """Submits as many of each priority for each owner; the order in which they are to be started."""
    submit = _submission(channel)
    lines: dict[tuple[int, int], list[tuple[int, str]]]
    lines = {line: [] for line in product(_PRIORITIES, range(_OWNERS))}

    async def one(priority: int, owner: int) -> None:
        request = SubmitJobRequest(kind=kind, owner=f"owner-{owner}", priority=priority)
        job = SubmitJobResponse.FromString(await submit(request.SerializeToString())).job
        lines[priority, owner].append((job.submit_time.ToNanoseconds(), job.job_id))

    for line in lines:  # one after the other, since owners take turns in the order in which they came
        await one(*line)
    rest = [line for _ in range(jobs // len(lines) - 1) for line in lines]
    for first in range(0, len(rest), _ABREAST):
        await asyncio.gather(*(one(*line) for line in rest[first : first + _ABREAST]))
    return [
        job_id
        for priority in _PRIORITIES
        for turn in zip(*(sorted(lines[priority, owner]) for owner in range(_OWNERS)), strict=True)
        for _, job_id in turn
    ]


async def _serve(call: _Call, ended: asyncio.Semaphore) -> None:
    """Takes one job after the other, and ends each at once."""
    await call.write(WorkRequest(capacity=Capacity(max_concurrency=1)).SerializeToString())
    while True:
        response = await _hear(call)
        if response.HasField("assignment"):
            await call.write(_end(response))
        else:
            ended.release()


async def _started(channel: grpc.aio.Channel, kind: str) -> list[str]:
    """The jobs of the kind, in the order in which they were started."""
    request = WatchJobsRequest(filter=JobFilter(kinds=[kind]), no_follow=True)
    request.event_filter.payloads.append("job_started")
    method: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(
        "/milepost.v1.JobService/WatchJobs"
    )
    return [
        event.job_id
        async for message in method(request.SerializeToString())
        for event in WatchJobsResponse.FromString(message).events.events
    ]


def _submission(channel: grpc.aio.Channel) -> grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]:
    return channel.unary_unary("/milepost.v1.JobService/SubmitJob")


def _open(channel: grpc.aio.Channel) -> _Call:
    method: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(
        "/milepost.v1.WorkerService/Work"
    )
    return method()


async def _connect(channel: grpc.aio.Channel, kind: str, max_concurrency: int) -> _Call:
    """A worker, welcomed."""
    call = _open(channel)
    hello = Hello(kinds=[kind], max_concurrency=max_concurrency, sdk="bench")
    await call.write(WorkRequest(hello=hello).SerializeToString())
    await _hear(call)
    return call


async def _hear(call: _Call) -> WorkResponse:
    message = await call.read()
    if not isinstance(message, bytes):
        raise MeasurementFailed(f"the session ended: {await call.details()}")
    response = WorkResponse.FromString(message)
    if response.HasField("rejected"):
        raise MeasurementFailed(f"refused: {response.rejected.message}")
    return response


def _end(response: WorkResponse) -> bytes:
    """The end of the job that was assigned."""
    assignment = response.assignment
    report = Report(
        job_id=assignment.job.job_id,
        lease_token=assignment.lease_token,
        first_report_sequence=1,
        updates=[_END],
    )
    return WorkRequest(report=report).SerializeToString()
