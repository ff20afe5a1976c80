"""ListJobs: the first page of 50 jobs for several filters, in a store of many jobs."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack
from functools import partial

import grpc.aio

from bench import stores, work
from bench.figures import OURS, Figure, Round, Settings, percentile, rounds
from bench.processes import Load, milepost
from bench.stores import Opened, Store
from milepost.server.access.narrowing import narrow
from milepost.server.access.principal import ANONYMOUS
from milepost.server.service import job_listing
from milepost.v1 import JobFilter, JobState, ListJobsRequest

__all__ = ["measure"]

_ITERATIONS = 200

_ENDED = [JobState.JOB_STATE_SUCCEEDED, JobState.JOB_STATE_FAILED, JobState.JOB_STATE_CANCELLED]
_RUNNING = [JobState.JOB_STATE_RUNNING]
_FILTERS = {
    "all": JobFilter(),
    "owner": JobFilter(owner="owner-7"),
    "kind": JobFilter(kinds=["kind-3"]),
    "two kinds": JobFilter(kinds=["kind-3", "kind-4"]),
    "running": JobFilter(states=_RUNNING),
    "ended, in any way": JobFilter(states=_ENDED),
    "owner and kind, of which there are": JobFilter(owner="owner-3", kinds=["kind-3"]),
    "owner and kind, of which there are none": JobFilter(owner="owner-7", kinds=["kind-3"]),
    "owner, kind and state, of which there are none": JobFilter(
        owner="owner-0", kinds=["kind-0"], states=_ENDED
    ),
    "label of one job in 50": JobFilter(labels={"team": "7"}),
    "label of all jobs": JobFilter(labels={"env": "prod"}),
    "label of one job in 50 and running": JobFilter(labels={"team": "7"}, states=_RUNNING),
    "label of all jobs and running": JobFilter(labels={"env": "prod"}, states=_RUNNING),
}


def measure(settings: Settings) -> list[Figure]:
    """The 99th percentile for each filter: at the server's parts without gRPC, then at a client."""
    found = stores.largest(settings)
    what = f"ListJobs, {found[OURS].name}"
    with Load.start() as load, ExitStack() as stack:
        figures = rounds(
            what, {name: partial(_run_inside, load, store) for name, store in found.items()}, settings
        )
        contestants = {}
        for name, store in found.items():
            server = stack.enter_context(milepost(store.path))
            contestants[name] = partial(_run_round, load, server.address)
        return [*figures, *rounds(f"{what}, over gRPC", contestants, settings)]


def _run_inside(load: Load, store: Store) -> Round:
    load.begin(_list_inside, store)
    return _quantities(load.step())


def _run_round(load: Load, address: str) -> Round:
    load.begin(_list, address)
    return _quantities(load.step())


def _quantities(durations: Sequence[Sequence[int]]) -> Round:
    return {
        f"{name}, p99, ms": percentile(sorted(times), 0.99) / 1e6
        for name, times in zip(_FILTERS, durations, strict=True)
    }


# --- In the load process ------------------------------------------------------------------------------------


async def _list_inside(store: Store) -> AsyncGenerator[list[list[int]]]:
    parts = Opened.at(store.path)
    durations = []
    for wanted in _FILTERS.values():
        request = ListJobsRequest(filter=wanted)
        await job_listing.page(parts.log, request, narrow(ANONYMOUS, request.filter))
        times = []
        for _ in range(_ITERATIONS):
            started = time.perf_counter_ns()
            await job_listing.page(parts.log, request, narrow(ANONYMOUS, request.filter))
            times.append(time.perf_counter_ns() - started)
        durations.append(times)
    await parts.log.close()
    yield durations


async def _list(address: str) -> AsyncGenerator[list[list[int]]]:
    durations = []
    async with work.connections(address, 1) as (channel,):
        method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/milepost.v1.JobService/ListJobs"
        )
        for wanted in _FILTERS.values():
            request = ListJobsRequest(filter=wanted).SerializeToString()
            await method(request)
            times = []
            for _ in range(_ITERATIONS):
                started = time.perf_counter_ns()
                await method(request)
                times.append(time.perf_counter_ns() - started)
            durations.append(times)
    yield durations
