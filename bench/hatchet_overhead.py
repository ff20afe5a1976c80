"""Hatchet: what a job costs a task, beside the same task without one and with the stream of Hatchet itself.

The engine is the one of the tests, since Hatchet's own cannot be had as a package. A task does not wait for it.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from bench.celery_application import STEPS
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.processes import MeasurementFailed, milepost, running
from tests.support.hatchet.dispatcher import HatchetServer
from tests.support.hatchet.runs import ENDS, WorkflowRun

__all__ = ["measure"]

# Tasks that do nothing in a round.
_SHORT_TASKS: Final = 30
_TIMEOUT: Final = 120.0


def measure(settings: Settings) -> list[Figure]:
    """Milliseconds of a task in its worker, around everything that Milepost adds there.

    Those of the processor are of all threads, and depend little on what else runs on the machine.
    """
    directory = settings.directory / "hatchet"
    directory.mkdir()
    with (
        milepost(directory / "data") as server,
        HatchetServer() as hatchet,
        _worker(directory, hatchet, server.address),
    ):
        run = partial(_tasks, hatchet)
        for name in ("milepost", "plain"):
            run(name, 1, 1)  # the connections are open
        figures = rounds(
            f"a Hatchet task with {STEPS:,} updates",
            {
                OURS: partial(run, "milepost", 1, STEPS),
                "without Milepost": partial(run, "plain", 1, STEPS),
                "put_stream": partial(run, "put_stream", 1, STEPS),
            },
            settings,
        )
        return figures + rounds(
            "a Hatchet task that does nothing",
            {
                OURS: partial(run, "milepost-nothing", _SHORT_TASKS, 0),
                "without Milepost": partial(run, "plain", _SHORT_TASKS, 0),
            },
            settings,
        )


def _tasks(hatchet: HatchetServer, name: str, count: int, steps: int) -> Round:
    """The median of tasks that run one after the other."""
    outputs: list[dict[str, float]] = []
    for _ in range(count):
        run = hatchet.engine.trigger(name, {"steps": steps})
        hatchet.engine.wait_for(partial(_has_ended, run), seconds=_TIMEOUT)
        if run.state != "COMPLETED":
            raise MeasurementFailed(f"the task {name} is {run.state}: {run.only.error}")
        outputs.append(json.loads(run.only.output))
    return {
        "ms in the worker": statistics.median(output["wall"] for output in outputs) * 1e3,
        "ms of its processor": statistics.median(output["processor"] for output in outputs) * 1e3,
    }


def _has_ended(run: WorkflowRun) -> bool:
    return run.state in ENDS


@contextmanager
def _worker(directory: Path, hatchet: HatchetServer, address: str) -> Iterator[None]:
    """A worker with one slot, once it listens."""
    environment = {**os.environ, **hatchet.environment, "MILEPOST_ADDRESS": address}
    command = [sys.executable, "-m", "bench.hatchet_application"]
    with (
        (directory / "worker.log").open("w") as log,
        running(command, stdout=log, stderr=log, env=environment) as process,
    ):
        try:
            hatchet.engine.wait_for(lambda: bool(hatchet.engine.workers), seconds=_TIMEOUT)
            yield
        finally:
            process.terminate()
            process.wait()
