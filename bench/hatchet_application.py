"""The tasks that `bench hatchet` measures, and as a module their worker: the same work with Milepost and without it."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable
from typing import Any, Final

from hatchet_sdk import Context, Hatchet
from pydantic import BaseModel

from milepost.client import JobContext
from milepost.client.engines.hatchet import HatchetJobs

__all__ = ["Steps"]

# Bytes that a task hashes between two updates, which is about a millisecond.
_BYTES: Final = bytes(2_000_000)

hatchet = Hatchet()
milepost = HatchetJobs()


class Steps(BaseModel):
    """Input of a task."""

    steps: int


_Function = Callable[..., dict[str, float]]


def measured(function: Callable[..., object]) -> _Function:
    """The seconds of a call become its result: by the clock, and of the processor."""

    @functools.wraps(function)
    def measure(values: Steps, context: Context) -> dict[str, float]:
        wall, processor = time.perf_counter(), time.process_time()
        function(values, context)
        return {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}

    return measure


@hatchet.task(name="milepost", input_validator=Steps)
@measured
@milepost.job("milepost", stages=["work"])
def reports(values: Steps, context: Context, job: JobContext) -> None:
    with job.stage("work", total=values.steps) as stage:
        for _ in stage.track(range(values.steps)):
            hashlib.sha256(_BYTES)


@hatchet.task(name="milepost-nothing", input_validator=Steps)
@measured
@milepost.job("milepost-nothing")
def reports_nothing(values: Steps, context: Context) -> None:
    return


@hatchet.task(name="plain", input_validator=Steps)
@measured
def plain(values: Steps, context: Context) -> None:
    for _ in range(values.steps):
        hashlib.sha256(_BYTES)


@hatchet.task(name="put_stream", input_validator=Steps)
@measured
def own_stream(values: Steps, context: Context) -> None:
    for step in range(values.steps):
        hashlib.sha256(_BYTES)
        context.put_stream(f"{step} of {values.steps}")


if __name__ == "__main__":
    tasks: list[Any] = [reports, reports_nothing, plain, own_stream]
    hatchet.worker("bench", slots=1, workflows=tasks).start()
