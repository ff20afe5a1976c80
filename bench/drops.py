"""Drops: what it costs that a store remembers deleted jobs, for retention, for appends meanwhile, and for a resume."""

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
    "owner": Query(owner="owner-7"),
    "owner and state": Query(owner="owner-7", states=[JobState.JOB_STATE_RUNNING]),
    "kind": Query(kinds=["kind-3"]),
    "label": Query(labels={"team": "7"}),
    "label of all jobs": Query(labels={"env": "prod"}),
    "one job": Query(job_ids=["job-77"]),
}

# How long the deletion of all jobs may take, in seconds.
_PATIENCE = 900.0


def measure(settings: Settings) -> list[Figure]:
    """All jobs that have ended are deleted while another one reports; then resumes are looked up."""
    found = stores.largest(settings)
    with ExitStack() as stack:
        plays: dict[str, Callable[[], Round]] = {}
        for name, store in found.items():
            load = stack.enter_context(Load.start())
            load.begin(_measure, store)
            load.step(patience=_PATIENCE)
            plays[name] = partial(load.step, patience=_PATIENCE)
        return rounds(f"drops, {found[OURS].name} deleted", plays, settings)


# --- In a process for each store ------------------------------------------------------------------------------


async def _measure(store: Store) -> AsyncGenerator[Round]:
    parts = Opened.at(store.path)
    retention = Retention(parts.log, parts.journal, SystemClock(), RetentionPolicy(jobs=0.0), 3600.0)
    begun = time.perf_counter()
    sweeping = asyncio.create_task(retention.sweep())
    appends = await _appends_while(parts, sweeping)
    swept = time.perf_counter() - begun
    yield {}
    while True:
        looked_up = {name: await _first(parts, query) for name, query in _QUERIES.items()}
        yield {
            "deletion of a job, with its rest between steps, ms": swept / store.jobs * 1000,
            "append meanwhile, p50, ms": percentile(appends, 0.5) / 1e6,
            "append meanwhile, p99, ms": percentile(appends, 0.99) / 1e6,
            **{f"what a filter misses, first time: {name}, ms": taken for name, taken in looked_up.items()},
        }


async def _appends_while(parts: Opened, sweeping: asyncio.Task[None]) -> Sequence[int]:
    """What appends of one event take while it lasts, in nanoseconds, in order of their length."""
    job = await parts.run(SubmitJobRequest(job_id="reporting", kind="bench"))
    taken: list[int] = []
    while not sweeping.done() or not taken:
        begun = time.perf_counter_ns()
        await parts.append(job, work.progress(1, 1))
        taken.append(time.perf_counter_ns() - begun)
        await asyncio.sleep(0.005)
    await sweeping
    return sorted(taken)


async def _first(parts: Opened, query: Query) -> float:
    begun = time.perf_counter_ns()
    await parts.log.dropped(query)
    return (time.perf_counter_ns() - begun) / 1e6
