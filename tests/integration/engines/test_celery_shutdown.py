"""Each way to shut a worker down, in each pool: the job ends as its task, and none stays RUNNING."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from subprocess import TimeoutExpired

import pytest
from redis import Redis

from milepost.client import Client
from tests.support.celery_jobs import events_of, pids_in, touch
from tests.support.celery_tasks import studio
from tests.support.celery_worker import CeleryWorker
from tests.support.redis_server import RedisServer
from tests.support.rpc import eventually, kinds, state_name
from tests.support.server import Server

pytestmark = pytest.mark.nightly

# Seconds after which a worker that waits for its task gets that; no test depends on their length.
_PATIENCE = 3.0

COLD = {"hold": ("FAILED", "INTERRUPTED"), "hold-late": ("QUEUED", "RELEASED")}
"""Of a pool of processes, which end their tasks."""
DONE = {"hold": ("SUCCEEDED", ""), "hold-late": ("SUCCEEDED", "")}
"""Of a warm shutdown, and of threads, which nobody can end: the worker waits for them."""
BROKEN = {"hold": ("FAILED", "NotImplementedError"), "hold-late": ("FAILED", "NotImplementedError")}
"""Celery raises that in the task that the main thread runs, and stores it as the task's own failure."""


@pytest.mark.parametrize("task", ["hold", "hold-late"])
@pytest.mark.parametrize(
    ("pool", "ends"),
    [("prefork", COLD), ("threads", DONE), ("solo", BROKEN)],
    ids=["prefork", "threads", "solo"],
)
@pytest.mark.parametrize(
    ("signals", "remapped"),
    [
        ([signal.SIGQUIT], ""),
        ([signal.SIGINT, signal.SIGINT], ""),
        ([signal.SIGTERM], "SIGQUIT"),
        ([signal.SIGTERM, signal.SIGTERM], ""),
    ],
    ids=["SIGQUIT", "SIGINT twice", "SIGTERM remapped", "SIGTERM twice"],
)
async def test_a_shutdown(
    broker: RedisServer,
    shared_server: Server,
    client: Client,
    started: Path,
    released: Path,
    tmp_path: Path,
    task: str,
    pool: str,
    ends: dict[str, tuple[str, str]],
    signals: Sequence[int],
    remapped: str,
) -> None:
    """Whoever is told to stop at once reports that; to Celery a second SIGTERM is no more than the first."""
    url = f"{broker.url}/10"
    environment = {
        "CELERY_BROKER": url,
        "CELERY_RESULTS": url,
        "MILEPOST_ADDRESS": shared_server.address,
        **({"REMAP_SIGTERM": remapped} if remapped else {}),
    }
    app = studio(url, url, shared_server.address)
    log = tmp_path / f"{pool}.log"
    with CeleryWorker("tests.support.celery_tasks", log, environment=environment, pool=pool) as worker:
        result = app.tasks[task].delay(str(started), str(released))
        await pids_in(started)
        for number in signals:
            worker.send(number)
            await asyncio.sleep(0.5)  # the handler of the next one is there once that of this one has run
        try:
            await asyncio.to_thread(worker.wait, _PATIENCE)
        except TimeoutExpired:
            touch(released)
            await asyncio.to_thread(worker.wait)
    is_warm = list(signals) == [signal.SIGTERM] * 2
    expected = DONE[task] if is_warm else ends[task]

    async def is_settled() -> bool:
        job = (await client.get(str(result.id))).proto
        return (state_name(job), job.failure.code) == expected

    await eventually(is_settled)
    assert kinds(await events_of(client, result)).count("job_ended") == (expected[0] != "QUEUED")
    with Redis.from_url(url) as redis:
        redis.flushdb()  # of a message that would come again, to the worker of the next test
    app.close()
