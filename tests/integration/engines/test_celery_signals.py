"""Signals that raise in Celery tasks: soft time limits, and what ends a process."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from celery import Celery

import milepost.client
from milepost.client import Client
from milepost.client.engines.celery import MilepostTask
from tests.support.celery_jobs import ended_job, exists, pids_in
from tests.support.celery_tasks import studio
from tests.support.celery_worker import CeleryWorker
from tests.support.redis_server import RedisServer
from tests.support.rpc import eventually, state_name
from tests.support.server import Server

CLIENT = f"{Path(milepost.client.__file__).parent}{os.sep}"


@pytest.fixture
def eager(shared_server: Server) -> Iterator[Celery[Any]]:
    """An application whose tasks run in this process, in its main thread."""
    application = studio("memory://", "cache+memory://", shared_server.address, task_always_eager=True)
    yield application
    application.close()


@pytest.fixture(params=["late", "early"])
def task(request: pytest.FixtureRequest, eager: Celery[Any]) -> MilepostTask[[], str]:
    """A task that waits for the acknowledgement of its end, or does not."""

    @eager.task(
        shared=False,
        name=f"signalled-{uuid.uuid4().hex[:8]}",
        base=MilepostTask,
        acks_late=request.param == "late",
    )
    def run() -> str:
        return "done"

    signalled: MilepostTask[[], str] = run
    return signalled


def soft_time_limit(number: int, frame: FrameType | None) -> NoReturn:
    """Raise what Celery raises in a process of its pool."""
    raise SoftTimeLimitExceeded


def exit_process(number: int, frame: FrameType | None) -> NoReturn:
    """Raise what Celery raises in a process of its pool, and have the next signal end the process."""
    signal.signal(number, signal.SIG_DFL)
    sys.exit(1)


@pytest.mark.parametrize(
    ("number", "handler"),
    [(signal.SIGUSR1, soft_time_limit), (signal.SIGTERM, exit_process)],
    ids=["soft time limit", "SIGTERM"],
)
async def test_a_signal_anywhere_leaves_no_running_job(
    client: Client, task: MilepostTask[[], str], number: signal.Signals, handler: Callable[..., object]
) -> None:
    """It raises in the task, or after the end of its job is reported; whatever it ends, the job is not RUNNING."""
    before = signal.getsignal(number)
    point = 0
    try:
        while True:
            point += 1
            signal.signal(number, handler)
            with (
                contextlib.suppress(SystemExit, SoftTimeLimitExceeded),
                signalled_at(point, number) as was_signalled,
            ):
                task.apply()
            assert signal.getsignal(number) in (handler, signal.SIG_DFL)
            if not was_signalled():
                break
    finally:
        signal.signal(number, before)

    async def states() -> list[str]:
        found = [state_name(job.proto) async for job in client.list(kinds=[str(task.name)])]
        return [] if "RUNNING" in found else found

    settled = await eventually(states)
    assert point > 50
    # A task that SIGTERM ends is given back: only the parent of its pool knows what is to become of it.
    ends = {"SUCCEEDED", "FAILED"} if number == signal.SIGUSR1 else {"SUCCEEDED", "QUEUED"}
    assert set(settled) == ends


@contextlib.contextmanager
def signalled_at(number: int, signal_number: int) -> Iterator[Callable[[], bool]]:
    """Send this process a signal at the so many-th point in the SDK's code where Python would look for signals.

    It does so when a function begins, and after one that is written in C. Gives whether there was such a point.
    """
    left = number

    def trace(frame: FrameType, event: str, _: object) -> None:
        nonlocal left
        if event in ("call", "c_return") and frame.f_code.co_filename.startswith(CLIENT):
            left -= 1
            if left == 0:
                sys.setprofile(None)
                os.kill(os.getpid(), signal_number)

    sys.setprofile(trace)
    try:
        yield lambda: left <= 0
    finally:
        sys.setprofile(None)


async def test_a_cancel_ends_a_task_whose_process_ignores_sigterm(
    broker: RedisServer, shared_server: Server, client: Client, started: Path, tmp_path: Path
) -> None:
    """With REMAP_SIGTERM another signal ends it, and the SIGTERM that it ignores would not: the end would be forced."""
    url, cleaned = f"{broker.url}/11", tmp_path / "cleaned"
    environment = {
        "CELERY_BROKER": url,
        "CELERY_RESULTS": url,
        "MILEPOST_ADDRESS": shared_server.address,
        "REMAP_SIGTERM": "SIGQUIT",
    }
    app = studio(url, url, shared_server.address)
    with CeleryWorker("tests.support.celery_tasks", tmp_path / "remapped.log", environment=environment):
        result = app.tasks["sleep"].delay(str(started), str(cleaned), 600)
        await pids_in(started)
        # One second of these is left to report the end: the maximum, which a busy machine may need.
        await client.cancel(str(result.id), grace_period=4)
        job = await ended_job(client, result)
        was_cleaned = exists(cleaned)
    app.close()

    assert (state_name(job), job.cancellation.forced, was_cleaned) == ("CANCELLED", False, True)
