"""The jobs of Celery tasks, as tests look at them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery.result import AsyncResult

from milepost.client import Client
from milepost.v1 import Event, Job
from tests.support.celery_worker import CeleryWorker
from tests.support.rpc import eventually

__all__ = ["ended_job", "events_of", "exists", "logged", "native_threads", "pids_in", "touch"]


async def ended_job(client: Client, result: AsyncResult[Any]) -> Job:
    """The job of a task, once it has ended."""
    job = Job()
    async for snapshot in client.follow(str(result.id)):
        job = snapshot.proto
    return job


async def events_of(client: Client, result: AsyncResult[Any]) -> list[Event]:
    """The events of its job but progress, which is as often as time allows."""
    async with client.watch(str(result.id), follow=False) as watch:
        return [event async for event in watch if event.WhichOneof("payload") != "stage_progressed"]


async def pids_in(path: Path, count: int = 1) -> list[int]:
    """The process ids in a file, once there are as many."""

    async def pids() -> list[int]:
        lines = _lines(path)
        return [int(line) for line in lines] if len(lines) >= count else []

    found: list[int] = await eventually(pids)
    return found


async def logged(worker: CeleryWorker, text: str) -> None:
    """Wait until the worker's log has this."""

    async def found() -> bool:
        return text in worker.log

    await eventually(found)


def native_threads(pid: int) -> list[str]:
    """The names of the threads of a process."""
    return [(thread / "comm").read_text().strip() for thread in Path(f"/proc/{pid}/task").iterdir()]


def exists(path: Path) -> bool:
    """Whether there is such a file."""
    return path.exists()


def touch(path: Path) -> None:
    """Make the file."""
    path.touch()


def _lines(path: Path) -> list[str]:
    text = path.read_text() if path.exists() else ""
    return text.splitlines() if text.endswith("\n") else []
