"""Stops of workers that do not run yet, without a server."""

from __future__ import annotations

import asyncio
import threading

import pytest

from milepost.client import Worker
from milepost.client.engines import Pipeline
from milepost.client.engines._worker_engine import WorkerEngine

NOBODY = "127.0.0.1:1"
LIMIT = 120.0
"""Maximum seconds for what does not stop otherwise."""


@pytest.fixture
def worker() -> Worker:
    """A worker whose server is away."""
    made = Worker(NOBODY)
    made.job("k")(lambda job: None)
    return made


@pytest.fixture
def engine() -> WorkerEngine:
    """The engine of a pipeline whose server is away."""
    pipeline = Pipeline(NOBODY, engine="worker")
    pipeline.job("k")(lambda job: None)
    made = pipeline.running_engine()
    assert isinstance(made, WorkerEngine)
    return made


async def test_a_worker_that_was_stopped_before_it_runs(worker: Worker) -> None:
    """It connects to nothing; its next run is another one."""
    worker.stop()
    await asyncio.wait_for(worker.run(), LIMIT)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0)

    assert worker._jobs is not None
    worker.stop()
    await asyncio.wait_for(running, LIMIT)


def test_a_worker_that_another_thread_stops_as_it_starts(worker: Worker) -> None:
    """A stop that comes before the first step of the worker counts."""
    thread = threading.Thread(target=worker.main, daemon=True)
    worker.stop()
    thread.start()
    thread.join(LIMIT)

    assert not thread.is_alive()


async def test_a_worker_that_is_stopped_after_its_end_runs_again(worker: Worker) -> None:
    """As where a finally stops it."""
    for _ in range(2):
        running = asyncio.create_task(worker.run())
        await asyncio.sleep(0)

        assert worker._jobs is not None
        worker.stop()
        await asyncio.wait_for(running, LIMIT)
        worker.stop()


async def test_an_engine_that_is_stopped_after_its_end_runs_again(engine: WorkerEngine) -> None:
    """As a worker does."""
    for _ in range(2):
        running = asyncio.create_task(engine.run())
        for _ in range(2):
            await asyncio.sleep(0)

        assert [worker._jobs is not None for worker in engine._workers] == [True]
        engine.stop()
        await asyncio.wait_for(running, LIMIT)
        engine.stop()


@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_an_engine_that_is_stopped_as_it_starts(engine: WorkerEngine, steps: int) -> None:
    """Before it has begun, and before its workers have, as on a signal at that moment."""
    running = asyncio.create_task(engine.run())
    for _ in range(steps):
        await asyncio.sleep(0)
    engine.stop()

    await asyncio.wait_for(running, LIMIT)
