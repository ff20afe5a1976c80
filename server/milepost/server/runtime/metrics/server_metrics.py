"""The metrics of a server: what it counts anyway, read when they are asked for.

No label has a job, an owner or a caller: these have no bound, and are nobody's business who may only monitor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from heapq import nlargest
from importlib.metadata import version
from operator import itemgetter
from pathlib import Path
from typing import Final

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.calls.call_counts import CallCounts
from milepost.server.log.commit_times import BOUNDS
from milepost.server.log.store import Store
from milepost.server.runtime.core import Core
from milepost.server.scheduling.loop_lag import LoopLag
from milepost.v1 import JobState

KINDS_LIMIT: Final = 100
"""Kinds that have a sample of their own, those with the most waiting jobs: each is a time series."""


class ServerMetrics(Collector):
    """Reads the metrics, on the thread of the server. The core is there once the log has been read; until then its
    metrics are left out. ``unread`` is the budget of responses.
    """

    def __init__(
        self, store: Store, directory: Path | None, calls: CallCounts, loop_lag: LoopLag, unread: ByteBudget
    ) -> None:
        self._store = store
        self._directory = directory
        self._calls = calls
        self._loop_lag = loop_lag
        self._unread = unread
        self.core: Core | None = None

    def collect(self) -> Iterator[Metric]:
        """See ``Collector``: all of them, as of now."""
        yield InfoMetricFamily("milepost", "The version.", {"version": version("milepost-server")})
        if self.core is not None:
            yield from _of_jobs(self.core)
            yield from _of_workers(self.core)
            yield from _of_watches(self.core, self._unread)
        yield from self._of_calls()
        yield from self._of_the_store()
        lag = self._loop_lag
        yield CounterMetricFamily("milepost_loop_passes", "Passes of the event loop.", lag.passes)
        yield CounterMetricFamily("milepost_loop_held", "Those over 20 ms.", lag.long_passes)

    def _of_calls(self) -> Iterator[Metric]:
        ended = CounterMetricFamily(
            "milepost_calls",
            "Calls that ended, by method and status, but for those of gRPC that are refused since their caller makes "
            "too many.",
            labels=["method", "code"],
        )
        # INTERNAL from 0 on, since a rate is between two samples: the first fault is to be seen.
        faults = {(method, "INTERNAL"): 0 for method, _ in self._calls.ended}
        for (method, code), number in (faults | self._calls.ended).items():
            ended.add_metric([method, code], number)
        yield ended

    def _of_the_store(self) -> Iterator[Metric]:
        store = self._store
        yield GaugeMetricFamily("milepost_store_up", "Whether the store can be reached.", store.up)
        yield GaugeMetricFamily("milepost_log_position", "Position of the newest commit.", store.position)
        counts = store.commit_times.up_to()
        buckets = [(str(bound), count) for bound, count in zip((*BOUNDS, "+Inf"), counts, strict=True)]
        yield HistogramMetricFamily(
            "milepost_commit_seconds",
            "Time until commits of this node were durable.",
            buckets,
            store.commit_times.seconds,
        )
        size = None if self._directory is None else _size(self._directory)
        if size is not None:
            yield GaugeMetricFamily("milepost_store_bytes", "Size of the data directory.", size)


def _of_jobs(core: Core) -> Iterator[Metric]:
    most = nlargest(KINDS_LIMIT, core.waiting_jobs.items(), key=itemgetter(1))
    kinds = [kind for kind, _ in most]
    yield _by_kind("milepost_jobs_waiting", "Jobs in the queue, by kind.", most)
    yield _by_kind(
        "milepost_jobs_waiting_seconds",
        "Time since the submission of the oldest of these jobs.",
        [(kind, core.waiting_for(kind)) for kind in kinds],
    )
    yield _by_kind(
        "milepost_kind_workers",
        "Workers of all nodes that take the kind, for each kind with waiting jobs.",
        [(kind, core.takers(kind)) for kind in kinds],
    )
    yield GaugeMetricFamily("milepost_jobs_running", "Jobs under a lease.", core.deadlines.leased)
    ended = CounterMetricFamily("milepost_jobs_ended", "Jobs that ended, by state.", labels=["state"])
    for state, number in core.job_ends.by_state.items():
        ended.add_metric([JobState.Name(state).removeprefix("JOB_STATE_")], number)
    yield ended
    yield CounterMetricFamily(
        "milepost_leases_lost", "Leases that this node ended for silence.", core.deadlines.leases_lost
    )


def _of_workers(core: Core) -> Iterator[Metric]:
    workers = core.local_workers
    slots = sum(worker.max_concurrency for worker in workers)
    jobs = sum(len(worker.jobs) for worker in workers)
    yield GaugeMetricFamily("milepost_workers", "Workers connected to this node.", len(workers))
    yield GaugeMetricFamily("milepost_worker_slots", "Jobs that they can run at once.", slots)
    yield GaugeMetricFamily("milepost_worker_jobs", "Jobs that they run.", jobs)


def _of_watches(core: Core, unread: ByteBudget) -> Iterator[Metric]:
    yield GaugeMetricFamily("milepost_watches", "Open watches.", core.open_watches)
    yield GaugeMetricFamily(
        "milepost_watches_waiting", "Those that wait for a turn to send.", core.waiting_watches
    )
    yield GaugeMetricFamily(
        "milepost_unread_bytes", "Memory of responses that clients have not read yet.", unread.used
    )


def _by_kind(name: str, text: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["kind"])
    for kind, value in values:
        family.add_metric([kind], value)
    return family


def _size(directory: Path) -> int | None:
    """Bytes of its files; None where the directory cannot be read."""
    size = 0
    try:
        for file in directory.iterdir():
            with suppress(FileNotFoundError):  # it was deleted meanwhile
                size += file.stat().st_size
    except OSError:
        return None
    return size
