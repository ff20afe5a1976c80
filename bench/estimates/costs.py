"""What estimates cost a server: the memory of many kinds. What they add to the end of a job is measured by ``ends``."""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection
from typing import Any, Final

import psutil

from bench.processes import child
from milepost.server.estimation.histories import Histories
from milepost.server.forecasting.pace_curve import PaceCurve
from milepost.server.forecasting.past_run import StageRun, past_run
from milepost.server.forecasting.run_encoding import encode
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.server.log.memory.memory_log import MemoryEventLog
from milepost.server.log.stored_runs import KIND_LIMIT, OWNER_KIND_LIMIT, RUN_LIMIT, StoredRun
from milepost.server.scheduling.slices import Slices

_READ_KINDS: Final = 400
"""Kinds that are read: several times as many as their bound holds."""

_STAGES: Final = ("load", "work", "store")


def costs() -> dict[str, Any]:
    """All figures. A new process shows what histories take, and not what it had of memory already."""
    with child(_measure_memory) as (_, pipe):
        return {f"memory of {KIND_LIMIT:,} kinds, {_READ_KINDS} of them read": pipe.recv()}


def _measure_memory(pipe: Connection) -> None:
    pipe.send(asyncio.run(_memory()))


async def _memory() -> dict[str, float]:
    """In MB: what the server counts, and what its process grew by."""
    knots = tuple(float(knot) for knot in range(12))
    stages = [
        StageRun(name, 11.0 * number, 11.0 * (number + 1), PaceCurve(knots, knots), True)
        for number, name in enumerate(_STAGES)
    ]
    run = encode(past_run(33.0, stages, ended=1))
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
