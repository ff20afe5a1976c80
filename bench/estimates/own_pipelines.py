"""Runs of the multitrack example, under Milepost's worker and under Celery; what was estimated beside what they took.

A real server, a real engine, and recordings of several lengths, one job after the other. An engine is chosen by the
environment when the pipeline is imported, so each has a process.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from bench.estimates.own_runs import Look, looks_at, until_end
from bench.processes import MeasurementFailed, child
from examples.multitrack.processes import engine_environment, engine_process, server_process
from examples.multitrack.sample import LONG, make_recording
from milepost.client import Client

ENGINES: Final = ("worker", "celery")
ROUNDS: Final = 3
"""Runs of each recording."""

_LINES: Final = (3, 4, 5, 6)
"""Of the long recording, what is said in each: 15 to 25 seconds of it."""

_SEED: Final = 15


def measure_pipelines(directory: Path, rounds: int = ROUNDS) -> dict[str, list[Look]]:
    """Run everything in ``directory``; the looks by engine."""
    recordings = []
    for lines in _LINES:
        recordings.append(directory / f"recording-{lines}")
        make_recording(recordings[-1], LONG[:lines])
    found: dict[str, list[Look]] = {}
    for engine in ENGINES:
        scratch = directory / engine
        scratch.mkdir()
        with child(_measure, engine, scratch, recordings, rounds) as (_, pipe):
            try:
                found[engine] = pipe.recv()
            except EOFError:
                raise MeasurementFailed(f"the pipeline under {engine} did not end; see {scratch}") from None
    return found


def _measure(pipe: Connection, engine: str, scratch: Path, recordings: Sequence[Path], rounds: int) -> None:
    os.environ["MILEPOST_ENGINE"] = engine
    pipe.send(asyncio.run(_runs(engine, scratch, recordings, rounds)))


async def _runs(engine: str, scratch: Path, recordings: Sequence[Path], rounds: int) -> list[Look]:
    module = importlib.import_module("examples.multitrack.pipeline")
    chance = random.Random(_SEED)
    order = [recording for _ in range(rounds) for recording in chance.sample(recordings, len(recordings))]
    looks: list[Look] = []
    async with AsyncExitStack() as stack:
        ready = await stack.enter_async_context(server_process(scratch))
        leading, wait_until_ready = await stack.enter_async_context(engine_environment(engine, scratch))
        os.environ.update(leading, MILEPOST_ADDRESS=ready["address"])
        environment = {"MILEPOST_ADDRESS": ready["address"], **leading}
        await stack.enter_async_context(engine_process(engine, scratch, environment))
        await asyncio.to_thread(wait_until_ready, len(module.pipeline.kinds))
        client = await stack.enter_async_context(Client(ready["address"]))
        for before, recording in enumerate(order):
            job = await module.submit_recording(recording, scratch / "runs")
            last = looks[-1].took if looks else 0.0
            looks += looks_at(await until_end(client, job), before, last, loaded=False)
    return looks
