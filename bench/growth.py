"""Growth: the cost of an append, of a page of a log and of a page of jobs, in stores of few and of many jobs."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import ExitStack

from bench import stores, work
from bench.figures import OURS, Figure, Round, Settings, percentile, rounds
from bench.processes import Load
from bench.stores import EVENTS, Opened, Store
from milepost.server.access.narrowing import narrow
from milepost.server.access.principal import ANONYMOUS
from milepost.server.service import job_listing
from milepost.v1 import JobFilter, JobState, ListJobsRequest, SubmitJobRequest

__all__ = ["measure"]

_ITERATIONS = 300


def measure(settings: Settings) -> list[Figure]:
    """The median of each, measured at the server's parts without gRPC."""
    found = stores.growing(settings)
    with ExitStack() as stack:
        contestants: dict[str, Callable[[], Round]] = {}
        for name, store in found.items():
            load = stack.enter_context(Load.start())
            load.begin(_measure, store)
            contestants[name] = load.step
        largest = found[OURS]
        return rounds(f"growth, {largest.name} of {EVENTS} events", contestants, settings)


# --- In a process for each store ------------------------------------------------------------------------------


async def _measure(store: Store) -> AsyncGenerator[Round]:
    parts = Opened.at(store.path)
    source = random.Random(0)
    wanted = JobFilter(kinds=["kind-3"], states=[JobState.JOB_STATE_SUCCEEDED])
    request = ListJobsRequest(filter=wanted, page_size=10)
    job = await parts.run(SubmitJobRequest(job_id=str(uuid.uuid4()), kind="bench"))
    while True:
        yield {
            "append of one event, p50, ms": await _median(lambda: parts.append(job, work.progress(1, 1))),
            "page of a log, p50, ms": await _median(
                lambda: parts.log.read(f"job-{source.randrange(store.jobs)}", 0, 1 << 18)
            ),
            "page of 10 jobs, p50, ms": await _median(
                lambda: job_listing.page(parts.log, request, narrow(ANONYMOUS, request.filter))
            ),
        }


async def _median(call: Callable[[], Awaitable[object]]) -> float:
    durations = []
    for _ in range(_ITERATIONS):
        started = time.perf_counter_ns()
        await call()
        durations.append(time.perf_counter_ns() - started)
    return percentile(sorted(durations), 0.5) / 1e6
