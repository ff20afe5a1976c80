"""Cancel: latency until the handler is notified, and until the process of a handler is gone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncGenerator
from functools import partial
from multiprocessing.connection import Connection

from bench import work
from bench.bare import Script, bare
from bench.figures import OURS, Figure, Round, Settings, percentile, rounds
from bench.processes import Load, MeasurementFailed, Server, child, milepost
from milepost.client import Cancelled, Client, JobContext, Watch, Worker
from milepost.v1 import Event

__all__ = ["measure"]

# Jobs cancelled in a round, one after the other; fewer with handlers in processes, which take a while to start.
_JOBS = 200
_PROCESS_JOBS = 10

# The commits of a cancellation: the request and the acknowledgement.
_COMMITS = 2

# Grace period of handlers that do not stop, in seconds.
_GRACE = 1.0

# Time limit in seconds of a round with processes.
_ROUND_TIMEOUT = 120.0


def measure(settings: Settings) -> list[Figure]:
    """From the cancel call to `cancel_acknowledged` at a subscriber, and to the end of the handler's process."""
    script = Script(
        replies=[b"x" * 200] * (1 + _COMMITS * _JOBS),
        updates=[b"x" * 200] * (_COMMITS * _JOBS),
        database=settings.directory / "bare.db",
    )
    with (
        milepost(settings.directory / "cancel") as server,
        bare(script) as plain,
        Load.start() as load,
        child(_run_worker, server.address),
    ):
        return [
            *rounds(
                "cancel to cancel_acknowledged",
                {
                    OURS: partial(_acknowledged, load, server),
                    "bare echo + commit, twice": partial(_echoed, load, plain),
                },
                settings,
            ),
            *rounds(
                "cancel to a process handler gone",
                {OURS: partial(_gone, load, server, "bench-sleeping", 30.0)},
                settings,
            ),
            *rounds(
                f"the same, of one that does not stop, with {_GRACE:g} s of grace",
                {OURS: partial(_gone, load, server, "bench-stubborn", _GRACE)},
                settings,
                warm=False,
            ),
        ]


def _acknowledged(load: Load, server: Server) -> Round:
    load.begin(_cancel, server.address)
    return _in_ms(load.step())


def _echoed(load: Load, server: Server) -> Round:
    load.begin(work.echo, server.address, _JOBS, _COMMITS)
    return _in_ms(load.step())


def _gone(load: Load, server: Server, kind: str, grace: float) -> Round:
    load.begin(_end, server.address, kind, grace)
    return _in_ms(load.step(_ROUND_TIMEOUT))


def _in_ms(latencies: list[int]) -> Round:
    latencies.sort()
    return {"p50, ms": percentile(latencies, 0.5) / 1e6, "p99, ms": percentile(latencies, 0.99) / 1e6}


# --- In the load process ------------------------------------------------------------------------------------


async def _cancel(address: str) -> AsyncGenerator[list[int]]:
    """Yield the latencies from each call to the acknowledgement at a subscriber, in nanoseconds."""
    latencies = []
    async with Client(address) as client:
        for _ in range(_JOBS):
            job = await client.submit("bench-waiting")
            async with client.watch(job.job_id) as events:
                await _next(events, "log_written")
                started = time.perf_counter_ns()
                cancelling = asyncio.create_task(client.cancel(job.job_id))
                await _next(events, "cancel_acknowledged")
                latencies.append(time.perf_counter_ns() - started)
                await cancelling
                await _next(events, "job_ended")
    yield latencies


async def _end(address: str, kind: str, grace: float) -> AsyncGenerator[list[int]]:
    """Yield the latencies from each call to the end of the handler's process, in nanoseconds."""
    latencies = []
    async with Client(address) as client:
        for _ in range(_PROCESS_JOBS):
            job = await client.submit(kind)
            async with client.watch(job.job_id) as events:
                line = await _next(events, "log_written")
                pid = int(line.log_written.fields.fields["pid"].number_value)
                started = time.perf_counter_ns()
                await client.cancel(job.job_id, grace_period=grace)
                await asyncio.to_thread(_wait_until_gone, pid)
                latencies.append(time.perf_counter_ns() - started)
                ended = await _next(events, "job_ended")
                if ended.job_ended.forced:
                    raise MeasurementFailed("the server ended a job before its worker did")
    yield latencies


async def _next(events: Watch, payload: str) -> Event:
    async for event in events:
        if event.WhichOneof("payload") == payload:
            return event
    raise MeasurementFailed(f"the job ended before {payload}")


def _wait_until_gone(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.kill(pid, 0)
            time.sleep(0.0005)


# --- In the process of the worker, and those of its handlers ------------------------------------------------


def _run_worker(pipe: Connection, address: str) -> None:
    logging.getLogger("milepost.client").setLevel(logging.ERROR)  # it logs each killed process otherwise
    asyncio.run(_serve(pipe, address))


async def _serve(pipe: Connection, address: str) -> None:
    worker = Worker(address, max_concurrency=2, drain_timeout=0.0)
    worker.job("bench-waiting")(_waiting)
    worker.job("bench-sleeping", run="process")(_sleeping)
    worker.job("bench-stubborn", run="process")(_stubborn)
    running = asyncio.create_task(worker.run())
    await asyncio.to_thread(pipe.poll, None)
    worker.stop()
    await running


async def _waiting(job: JobContext) -> None:
    job.log("at work")
    await asyncio.Event().wait()


def _sleeping(job: JobContext) -> None:
    job.log("at work", pid=os.getpid())
    time.sleep(3600)


def _stubborn(job: JobContext) -> None:
    job.log("at work", pid=os.getpid())
    while True:
        with contextlib.suppress(Cancelled):
            time.sleep(3600)
