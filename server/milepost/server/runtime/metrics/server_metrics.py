"""The metrics of a server: counters that it keeps anyway, read when they are asked for.

No label has a job, an owner or a caller: these have no bound, and are nobody's business who may only monitor.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from heapq import nlargest
from importlib.metadata import version
from operator import itemgetter
from pathlib import Path
from typing import Final

from milepost.server.calls.call_counts import CallCounts
from milepost.server.log.store import Store
from milepost.server.runtime.core import Core
from milepost.server.runtime.metrics.exposition import Metric, Sample
from milepost.server.scheduling.loop_lag import LoopLag
from milepost.v1 import JobState

KINDS_LIMIT: Final = 100
"""Kinds that have a sample of their own, those with the most waiting jobs: each is a time series."""

_START: Final = time.time()


class ServerMetrics:
    """Reads the metrics. The core is there once the log has been read; until then its metrics are left out."""

    def __init__(self, store: Store, directory: Path | None, calls: CallCounts, loop_lag: LoopLag) -> None:
        self._store = store
        self._directory = directory
        self._calls = calls
        self._loop_lag = loop_lag
        self.core: Core | None = None

    def read(self) -> Iterator[Metric]:
        """All of them, as of now."""
        yield Metric("milepost_info", "The version.", [Sample(1, {"version": version("milepost-server")})])
        if self.core is not None:
            yield from self._of_jobs(self.core)
        # INTERNAL from 0 on, since a rate is between two samples: the first fault is to be seen.
        ended = {(method, "INTERNAL"): 0 for method, _ in self._calls.ended} | self._calls.ended
        yield Metric(
            "milepost_calls_total",
            "Calls that ended, by method and status, but for those of gRPC that are refused since their caller makes "
            "too many.",
            [Sample(n, {"method": method, "code": code}) for (method, code), n in ended.items()],
        )
        yield from self._of_the_store()
        yield from self._of_the_process()

    def _of_jobs(self, core: Core) -> Iterator[Metric]:
        most = nlargest(KINDS_LIMIT, core.waiting_jobs.items(), key=itemgetter(1))
        yield Metric(
            "milepost_jobs_waiting",
            "Jobs in the queue, by kind.",
            [Sample(number, {"kind": kind}) for kind, number in most],
        )
        yield Metric(
            "milepost_kind_workers",
            "Workers of all nodes that take the kind, for each kind with waiting jobs.",
            [Sample(core.takers(kind), {"kind": kind}) for kind, _ in most],
        )
        yield Metric("milepost_jobs_running", "Jobs under a lease.", [Sample(core.deadlines.leased)])
        yield Metric(
            "milepost_jobs_ended_total",
            "Jobs that ended, by state.",
            [
                Sample(number, {"state": JobState.Name(state).removeprefix("JOB_STATE_")})
                for state, number in core.job_ends.by_state.items()
            ],
        )
        workers = core.local_workers
        yield Metric("milepost_workers", "Workers connected to this node.", [Sample(len(workers))])
        yield Metric(
            "milepost_worker_slots",
            "Jobs that they can run at once.",
            [Sample(sum(worker.max_concurrency for worker in workers))],
        )
        yield Metric(
            "milepost_worker_jobs",
            "Jobs that they run.",
            [Sample(sum(len(worker.jobs) for worker in workers))],
        )
        yield Metric("milepost_watches", "Open watches.", [Sample(core.open_watches)])

    def _of_the_store(self) -> Iterator[Metric]:
        yield Metric("milepost_store_up", "Whether the store can be reached.", [Sample(self._store.up)])
        yield Metric(
            "milepost_log_position", "Position of the newest commit.", [Sample(self._store.position)]
        )
        size = None if self._directory is None else _size(self._directory)
        if size is not None:
            yield Metric("milepost_store_bytes", "Size of the data directory.", [Sample(size)])

    def _of_the_process(self) -> Iterator[Metric]:
        lag = self._loop_lag
        yield Metric("milepost_loop_passes_total", "Passes of the event loop.", [Sample(lag.passes)])
        yield Metric("milepost_loop_held_total", "Those over 20 ms.", [Sample(lag.held)])
        usage = resource.getrusage(resource.RUSAGE_SELF)
        yield Metric(
            "process_cpu_seconds_total", "Processor time.", [Sample(usage.ru_utime + usage.ru_stime)]
        )
        yield Metric("process_start_time_seconds", "Start, in seconds since 1970.", [Sample(_START)])
        if (resident := _resident_bytes()) is not None:
            yield Metric("process_resident_memory_bytes", "Resident memory.", [Sample(resident)])


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


def _resident_bytes() -> int | None:
    """None where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * resource.getpagesize()
