"""Dispatch: latency from submission to assignment, and the order and memory with many workers and queued jobs."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from itertools import product

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

# Jobs submitted in a round, one after the other.
_JOBS = 400

# The commits of a dispatched job: submission and start.
_COMMITS = 2

_OWNERS = 5
_PRIORITIES = (3, 2, 1, 0)
# Streams per connection, and submissions in flight.
_STREAMS = 50
_SUBMISSIONS = 50

# Time limit in seconds of a round with many workers.
_ROUND_TIMEOUT = 600.0

_END = Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))


def measure(settings: Settings) -> list[Figure]:
    """One waiting worker; then many workers, with ten queued jobs for each of them."""
    return [*_one_worker(settings), *_many_workers(settings)]


def _one_worker(settings: Settings) -> list[Figure]:
    script = Script(
        replies=[b"x" * 200] * (1 + _COMMITS * _JOBS),
        updates=[b"x" * 200] * (_COMMITS * _JOBS),
        database=settings.directory / "bare.db",
    )
    with milepost(settings.directory / "dispatch") as server, bare(script) as plain, Load.start() as load:
        return rounds(
            "submit to assignment, worker waiting",
            {
                OURS: partial(_run_round, load, server, _submit_and_take),
                "bare echo + commit, twice": partial(_run_round, load, plain, work.echo, _JOBS, _COMMITS),
            },
            settings,
        )


def _run_round(
    load: Load, server: Server, generator: Callable[..., AsyncGenerator[list[int]]], *arguments: int
) -> Round:
    load.begin(generator, server.address, *arguments)
    latencies: Sequence[int] = sorted(load.step())
    return {"p50, ms": percentile(latencies, 0.5) / 1e6, "p99, ms": percentile(latencies, 0.99) / 1e6}


def _many_workers(settings: Settings) -> list[Figure]:
    workers = 1000 if settings.full else 200
    jobs = workers * 10
    queued: list[int] = []
    with milepost(settings.directory / "crowd") as server, Load.start() as load:
        load.begin(_run_queue, server.address, workers, jobs)

        def run_round() -> Round:
            load.step(_ROUND_TIMEOUT)
            queued.append(server.memory())
            seconds = load.step(_ROUND_TIMEOUT)
            return {"jobs/s": jobs / seconds, "server memory, MB": server.memory() / 1e6}

        return rounds(
            f"{workers:,} workers connected, {jobs:,} queued jobs, in order",
            {OURS: run_round, "before, all queued": lambda: {"server memory, MB": queued[-1] / 1e6}},
            settings,
        )


# --- In the load process ------------------------------------------------------------------------------------


async def _submit_and_take(address: str) -> AsyncGenerator[list[int]]:
    """Yield the latencies from each submission to its assignment at an idle worker, in nanoseconds."""
    kind = f"bench-{uuid.uuid4().hex}"
    request = SubmitJobRequest(kind=kind).SerializeToString()
    latencies = []
    async with work.connections(address, 2) as (submitting, working):
        submit = _submission(submitting)
        call = await _connect(working, kind, 1)
        for _ in range(_JOBS):
            started = time.perf_counter_ns()
            submitted = asyncio.ensure_future(submit(request))
            response = await work.receive(call)
            latencies.append(time.perf_counter_ns() - started)
            await submitted
            await call.write(_end(response))
            await work.receive(call)
    yield latencies


async def _run_queue(address: str, workers: int, jobs: int) -> AsyncGenerator[float]:
    """Repeat: connect the workers and queue the jobs; then run them all. Yields the seconds of each step.

    Raises MeasurementFailed if the jobs did not start in the order of the queue.
    """
    async with work.connections(address, workers // _STREAMS) as channels:
        while True:
            kind = f"bench-{uuid.uuid4().hex}"
            started = time.perf_counter()
            each = [channel for channel in channels for _ in range(_STREAMS)]
            calls = await asyncio.gather(*(_connect(channel, kind, 0) for channel in each))
            expected = await _queue(channels[0], kind, jobs)
            yield time.perf_counter() - started
            ended = asyncio.Semaphore(0)
            started = time.perf_counter()
            serving = [asyncio.create_task(_serve(call, ended)) for call in calls]
            for _ in range(jobs):
                await ended.acquire()
            seconds = time.perf_counter() - started
            if expected != await _start_order(channels[0], kind):
                raise MeasurementFailed("the jobs were not started in the order of the queue")
            yield seconds
            for call in calls:
                call.cancel()
            await asyncio.gather(*serving, return_exceptions=True)


async def _queue(channel: grpc.aio.Channel, kind: str, jobs: int) -> list[str]:
    """Submit equally many jobs of each priority and owner; return the order in which they must start."""
    submit = _submission(channel)
    queues: dict[tuple[int, int], list[tuple[int, str]]]
    queues = {key: [] for key in product(_PRIORITIES, range(_OWNERS))}

    async def submit_one(priority: int, owner: int) -> None:
        request = SubmitJobRequest(kind=kind, owner=f"owner-{owner}", priority=priority)
        job = SubmitJobResponse.FromString(await submit(request.SerializeToString())).job
        queues[priority, owner].append((job.submit_time.ToNanoseconds(), job.job_id))

    for key in queues:  # one after the other, since owners take turns in the order of their first jobs
        await submit_one(*key)
    rest = [key for _ in range(jobs // len(queues) - 1) for key in queues]
    for first in range(0, len(rest), _SUBMISSIONS):
        await asyncio.gather(*(submit_one(*key) for key in rest[first : first + _SUBMISSIONS]))
    return [
        job_id
        for priority in _PRIORITIES
        for turn in zip(*(sorted(queues[priority, owner]) for owner in range(_OWNERS)), strict=True)
        for _, job_id in turn
    ]


async def _serve(call: work.WorkCall, ended: asyncio.Semaphore) -> None:
    """Run one job after the other; end each at once."""
    await call.write(WorkRequest(capacity=Capacity(max_concurrency=1)).SerializeToString())
    while True:
        response = await work.receive(call)
        if response.HasField("assignment"):
            await call.write(_end(response))
        else:
            ended.release()


async def _start_order(channel: grpc.aio.Channel, kind: str) -> list[str]:
    """Return the jobs of the kind in the order of their starts."""
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


async def _connect(channel: grpc.aio.Channel, kind: str, max_concurrency: int) -> work.WorkCall:
    """Connect a worker; return its welcomed stream."""
    call = work.open_work(channel)
    hello = Hello(kinds=[kind], max_concurrency=max_concurrency, sdk="bench")
    await call.write(WorkRequest(hello=hello).SerializeToString())
    await work.receive(call)
    return call


def _end(response: WorkResponse) -> bytes:
    """Encode the report that ends the assigned job."""
    assignment = response.assignment
    report = Report(
        job_id=assignment.job.job_id,
        lease_token=assignment.lease_token,
        first_report_sequence=1,
        updates=[_END],
    )
    return WorkRequest(report=report).SerializeToString()
