"""Track: the cost of progress reporting in a loop, beside tqdm and beside a loop without reporting."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TextIO

from tqdm import tqdm

from bench.figures import OURS, Figure, Round, Settings, rounds
from milepost.client import JobContext
from milepost.client._worker.job_context import JobControl
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.send_queue import SendQueue
from milepost.v1 import Job, Report, WorkRequest

__all__ = ["measure"]

# Iterations in a round.
_COUNT = 2_000_000

_QUANTITY = "ns/iteration"


def measure(settings: Settings) -> list[Figure]:
    """Nanoseconds per iteration. The stage reports to a session's send queue, which another thread empties."""
    with open(os.devnull, "w") as nowhere, _job() as job:  # noqa: PTH123 - devnull is no path
        return [
            *rounds(
                "stage.track(range(…))",
                {
                    OURS: partial(_track, job),
                    "tqdm": partial(_tqdm, nowhere),
                    "a loop without reports": lambda: _iterate(range(_COUNT)),
                },
                settings,
            ),
            *rounds(
                "stage.advance()",
                {OURS: partial(_advance, job), "tqdm.update()": partial(_update, nowhere)},
                settings,
            ),
        ]


def _track(job: JobContext) -> Round:
    with job.stage("track") as stage:
        return _iterate(stage.track(range(_COUNT)))


def _tqdm(nowhere: TextIO) -> Round:
    return _iterate(tqdm(range(_COUNT), file=nowhere, disable=False))


def _advance(job: JobContext) -> Round:
    with job.stage("advance", total=_COUNT) as stage:
        return _call(stage.advance)


def _update(nowhere: TextIO) -> Round:
    with tqdm(total=_COUNT, file=nowhere, disable=False) as bar:
        return _call(bar.update)


def _iterate(items: Iterable[int]) -> Round:
    started = time.perf_counter_ns()
    for _ in items:
        pass
    return {_QUANTITY: (time.perf_counter_ns() - started) / _COUNT}


def _call(function: Callable[[], object]) -> Round:
    started = time.perf_counter_ns()
    for _ in range(_COUNT):
        function()
    return {_QUANTITY: (time.perf_counter_ns() - started) / _COUNT}


@contextmanager
def _job() -> Iterator[JobContext]:
    """A job whose reports another thread acknowledges, as for a plain handler."""
    made: list[_JobSession] = []
    ready = threading.Event()

    async def run() -> None:
        made.append(_JobSession())
        ready.set()
        await made[0].empty()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    ready.wait()
    (session,) = made
    try:
        yield session.job
    finally:
        session.close()
        thread.join()


class _JobSession:
    """The session of one job, without its stream: it serialises the reports, and acknowledges them."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._send_queue = SendQueue()
        self._reporter = Reporter(lambda: self._send_queue.schedule(self))
        self.job = JobContext(JobControl(Job(job_id="job", attempt=1), self._reporter))

    def next_request(self, now: float) -> WorkRequest | None:
        batch = self._reporter.next_batch(now)
        if batch is None:
            return None
        return WorkRequest(report=Report(first_report_sequence=batch.first, updates=batch.updates))

    def due(self, now: float) -> float | None:
        return self._reporter.due(now)

    async def empty(self) -> None:
        while (request := await self._send_queue.next()) is not None:
            request.SerializeToString()
            self._reporter.acknowledge(self._reporter.last)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._send_queue.close)
