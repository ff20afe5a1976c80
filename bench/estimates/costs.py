"""What estimates cost a server: the end of a job with and without its run, and the memory of many kinds."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil

from milepost.server import decide
from milepost.server.base.clock import SystemClock
from milepost.server.base.slices import Slices
from milepost.server.estimates.pace_curve import PaceCurve
from milepost.server.estimates.past_run import StageRun, past_run
from milepost.server.estimates.run_encoding import encode
from milepost.server.estimation.histories import Histories
from milepost.server.estimation.running_jobs import RunningJobs
from milepost.server.journal import Journal
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.server.log.memory.memory_log import MemoryEventLog
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.log.stored_runs import KIND_LIMIT, OWNER_KIND_LIMIT, RUN_LIMIT, StoredRun
from milepost.v1 import (
    Event,
    Job,
    JobEnded,
    JobState,
    Stage,
    StageEnded,
    StageProgressed,
    StageStarted,
    StageState,
    SubmitJobRequest,
    Update,
)

_ROUNDS: Final = 6
_JOBS: Final = 100
_READ_KINDS: Final = 400
"""Kinds that are read: several times as many as their bound holds."""

_STAGES: Final = ("load", "work", "store")


def costs() -> dict[str, Any]:
    """All figures."""
    return asyncio.run(_costs())


async def _costs() -> dict[str, Any]:
    times: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as directory:
        for number in range(_ROUNDS):
            # In both orders, so that neither has the warmer disk.
            for remembers in (False, True) if number % 2 else (True, False):
                took = await _ends(_new(directory, number, remembers=remembers), remembers=remembers)
                times[remembers].append(took / _JOBS * 1e6)
    without, with_runs = median(times[False]), median(times[True])
    return {
        "ending a job, microseconds of processor time": {
            "without its run": round(without, 1),
            "with it": round(with_runs, 1),
            "more": round(with_runs / without - 1, 4),
        },
        f"memory of {KIND_LIMIT:,} kinds, {_READ_KINDS} of them read": await _memory(),
    }


def _new(parent: str, number: int, *, remembers: bool) -> Path:
    directory = Path(parent) / f"{number}-{remembers}"
    directory.mkdir()
    return directory


async def _ends(directory: Path, *, remembers: bool) -> float:
    """Processor time in seconds of running and ending jobs that wait for the disk together."""
    log, clock = SqliteEventLog(directory), SystemClock()
    running = RunningJobs(clock)
    if remembers:
        log.add_listener(running.on_entries)
        journal = Journal(log, clock, run_of=running.run_of)
    else:
        journal = Journal(log, clock)
    log.add_listener(journal.on_entries)
    await asyncio.gather(*(_start(journal, f"job-{number}") for number in range(_JOBS)))
    begun = time.process_time()
    await asyncio.gather(*(_end(journal, f"job-{number}") for number in range(_JOBS)))
    took = time.process_time() - begun
    await log.close()
    return took


async def _start(journal: Journal, job_id: str) -> None:
    request = SubmitJobRequest(kind="k", stages=[Stage(stage_id=name, total=10) for name in _STAGES])
    await journal.create(decide.submit(request, job_id, SystemClock().now()))
    await journal.commit(job_id, lambda job, now: [decide.start(job, "w", now)])
    for name in _STAGES:
        await _report(journal, job_id, Update(stage_started=StageStarted(stage=Stage(stage_id=name))))
        await _report(journal, job_id, Update(stage_progressed=StageProgressed(stage_id=name, current=10)))
        end = StageEnded(stage_id=name, state=StageState.STAGE_STATE_SUCCEEDED)
        await _report(journal, job_id, Update(stage_ended=end))


async def _end(journal: Journal, job_id: str) -> None:
    await _report(journal, job_id, Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED)))


async def _report(journal: Journal, job_id: str, update: Update) -> None:
    def decision(job: Job, now: int) -> list[Event]:
        opened = journal.opened(job_id)
        assert opened is not None
        return [decide.report(opened.fold, update, now)]

    await journal.commit(job_id, decision)


async def _memory() -> dict[str, float]:
    """In MB: what the server counts, and what its process grew by."""
    knots = tuple(float(knot) for knot in range(12))
    stages = [
        StageRun(name, 11.0 * number, 11.0 * (number + 1), PaceCurve(knots, knots), True)
        for number, name in enumerate(_STAGES)
    ]
    run = encode(past_run(33.0, stages))
    disk = MemoryDisk()
    runs = [StoredRun(position, run) for position in range(RUN_LIMIT)]
    kinds = [(f"owner-{number // OWNER_KIND_LIMIT}", f"kind-{number}") for number in range(KIND_LIMIT)]
    disk.runs = dict.fromkeys(kinds, runs)
    histories = Histories(MemoryEventLog(disk), Slices())
    before = psutil.Process().memory_info().rss
    for owner, kind in kinds[:_READ_KINDS]:
        await histories.get(owner, kind)
    grown = psutil.Process().memory_info().rss - before
    return {"encoded run, bytes": len(run), "counted, MB": histories.memory / 1e6, "process, MB": grown / 1e6}
