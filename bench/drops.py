"""Drops: the cost of recording deleted jobs: for retention, for concurrent appends, and for resumed watches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack
from functools import partial

from bench import stores, work
from bench.figures import OURS, Figure, Round, Settings, percentile, rounds
from bench.processes import Load
from bench.stores import Opened, Store
from milepost.server.base.clock import SystemClock
from milepost.server.followers.retention import Retention, RetentionPolicy
from milepost.server.log.event_log import Query
from milepost.v1 import JobState, SubmitJobRequest

__all__ = ["measure"]

_QUERIES = {
    "all jobs": Query(),
    "owner": Query(owners=["owner-7"]),
    "owner and state": Query(owners=["owner-7"], states=[JobState.JOB_STATE_RUNNING]),
    "kind": Query(kinds=["kind-3"]),
    "label": Query(labels={"team": "7"}),
    "label of all jobs": Query(labels={"env": "prod"}),
    "one job": Query(job_ids=["job-77"]),
}

# Time limit in seconds of the deletion of all jobs.
_DELETE_TIMEOUT = 900.0


def measure(settings: Settings) -> list[Figure]:
    """Delete all ended jobs while another job reports; then look up what resumed watches would miss."""
    found = stores.largest(settings)
    with ExitStack() as stack:
        contestants: dict[str, Callable[[], Round]] = {}
        for name, store in found.items():
            load = stack.enter_context(Load.start())
            load.begin(_measure, store)
            load.step(timeout=_DELETE_TIMEOUT)
            contestants[name] = partial(load.step, timeout=_DELETE_TIMEOUT)
        return rounds(f"drops, {found[OURS].name} deleted", contestants, settings)


# --- In a process for each store ------------------------------------------------------------------------------


async def _measure(store: Store) -> AsyncGenerator[Round]:
    parts = Opened.at(store.path)
    retention = Retention(parts.log, parts.journal, SystemClock(), RetentionPolicy(jobs=0.0), 3600.0)
    started = time.perf_counter()
    sweeping = asyncio.create_task(retention.sweep())
    appends = await _appends_while(parts, sweeping)
    swept = time.perf_counter() - started
    yield {}
    while True:
        looked_up = {name: await _first_lookup(parts, query) for name, query in _QUERIES.items()}
        yield {
            "deletion of a job, with its rest between steps, ms": swept / store.jobs * 1000,
            "append meanwhile, p50, ms": percentile(appends, 0.5) / 1e6,
            "append meanwhile, p99, ms": percentile(appends, 0.99) / 1e6,
            **{
                f"what a filter misses, first time: {name}, ms": milliseconds
                for name, milliseconds in looked_up.items()
            },
        }


async def _appends_while(parts: Opened, sweeping: asyncio.Task[None]) -> Sequence[int]:
    """Return the sorted latencies in nanoseconds of appends of one event during the sweep."""
    job = await parts.run(SubmitJobRequest(job_id="reporting", kind="bench"))
    latencies: list[int] = []
    while not sweeping.done() or not latencies:
        started = time.perf_counter_ns()
        await parts.append(job, work.progress(1, 1))
        latencies.append(time.perf_counter_ns() - started)
        await asyncio.sleep(0.005)
    await sweeping
    return sorted(latencies)


async def _first_lookup(parts: Opened, query: Query) -> float:
    started = time.perf_counter_ns()
    await parts.log.dropped(query)
    return (time.perf_counter_ns() - started) / 1e6
