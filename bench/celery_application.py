"""The tasks that `bench celery` measures: the same work with Milepost, without it, and with Celery's own states."""

from __future__ import annotations

import hashlib
import os
import time
from typing import Any, Final

from celery import Celery, Task, signals
from redis import Redis

from milepost.client.engines.celery import MilepostTask, install

__all__ = ["STEPS", "WORK", "app", "application"]

STEPS: Final = 1_000
"""Updates of a task that works."""
WORK: Final = 2_000_000
"""Bytes that such a task hashes between two updates, which is about a millisecond."""

_BYTES: Final = bytes(WORK)


def application(broker: str, milepost: str) -> Celery[Any]:
    """The application on these servers."""
    made: Celery[Any] = Celery("bench", broker=broker, backend=broker, set_as_current=False)
    made.conf.update(broker_connection_retry_on_startup=True, worker_prefetch_multiplier=1)
    install(made, milepost)

    @made.task(shared=False, name="milepost", base=MilepostTask, bind=True, job_options={"stages": ["work"]})
    def reports(self: Any, steps: int) -> None:
        with self.job.stage("work", total=steps) as stage:
            for _ in stage.track(range(steps)):
                hashlib.sha256(_BYTES)

    @made.task(shared=False, name="milepost-nothing", base=MilepostTask)
    def reports_nothing(steps: int) -> None:
        return

    @made.task(shared=False, name="plain")
    def plain(steps: int) -> None:
        for _ in range(steps):
            hashlib.sha256(_BYTES)

    @made.task(shared=False, name="update_state", bind=True)
    def own_states(self: Task[..., Any], steps: int) -> None:
        for step in range(steps):
            hashlib.sha256(_BYTES)
            self.update_state(state="PROGRESS", meta={"current": step, "total": steps})

    return made


_started: Final[dict[str, tuple[float, float]]] = {}


def _begin(task_id: str, **_: object) -> None:
    _started[task_id] = time.perf_counter(), time.process_time()


def _end(task_id: str, **_: object) -> None:
    ended = time.perf_counter(), time.process_time()
    wall, processor = (now - before for now, before in zip(ended, _started.pop(task_id), strict=True))
    with Redis.from_url(os.environ["BENCH_BROKER"]) as redis:
        redis.rpush(f"seconds:{task_id}", f"{wall} {processor}")


if "BENCH_BROKER" in os.environ:
    signals.task_prerun.connect(_begin)
    signals.task_postrun.connect(_end)
    app = application(os.environ["BENCH_BROKER"], os.environ["MILEPOST_ADDRESS"])
