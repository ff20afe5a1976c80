"""Workers and jobs for tests of handler processes, and the state of those processes."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

from milepost.client import Client, JobSnapshot, Worker
from milepost.client._worker.handlers import Handler, RunMode
from milepost.v1 import Event
from tests.support.isolated import PIDS
from tests.support.rpc import eventually

__all__ = ["Bench", "all_gone", "at_bench", "is_gone", "lines", "pids_in", "pids_of"]


class Bench:
    """A worker in this process with one handler, and a client for its jobs."""

    def __init__(self, client: Client, worker: Worker, kind: str) -> None:
        self.client = client
        self.worker = worker
        self.kind = kind

    async def submit(self, values: dict[str, Any] | None = None, **fields: Any) -> JobSnapshot:
        """Submit a job for the handler."""
        return await self.client.submit(self.kind, values, **fields)

    async def run(
        self, values: dict[str, Any] | None = None, **fields: Any
    ) -> tuple[JobSnapshot, list[Event]]:
        """Submit a job; return it at its end, with its log."""
        job = await self.submit(values, **fields)
        return await self.end(job.job_id)

    async def end(self, job_id: str) -> tuple[JobSnapshot, list[Event]]:
        """Wait for the end of a job; return it with its log."""
        events = [event async for event in self.client.watch(job_id)]
        return await self.client.get(job_id), events

    async def pids(self, job_id: str) -> list[int]:
        """Wait until the handler has reported its process ids."""
        return await pids_of(self.client, job_id)


@asynccontextmanager
async def at_bench(
    address: str, handler: Handler, run: RunMode | None = "process", **options: Any
) -> AsyncIterator[Bench]:
    """Run a worker with the handler for a kind of its own; stop it at the end."""
    kind = f"isolated-{uuid.uuid4().hex}"
    worker = Worker(address, **{"drain_timeout": 0.0, **options})
    worker.job(kind, run=run)(handler)
    running = asyncio.create_task(worker.run())
    try:
        async with Client(address) as client:
            yield Bench(client, worker, kind)
    finally:
        worker.stop()
        await running


async def pids_of(client: Client, job_id: str) -> list[int]:
    """Wait until the handler of the job has reported its process ids."""
    async for event in client.watch(job_id):
        if event.HasField("log_written") and event.log_written.text == PIDS:
            values = event.log_written.fields.fields["pids"].list_value.values
            return [int(value.number_value) for value in values]
    raise AssertionError("the job ended before its handler had reported its process ids")


async def pids_in(path: Path) -> list[int]:
    """Wait until the handler has written its process ids to the file, from native code."""

    async def written() -> bool:
        return path.exists() and path.stat().st_size > 0  # noqa: ASYNC240 - it takes no time

    await eventually(written)
    return list(json.loads(path.read_bytes()))  # noqa: ASYNC240


def lines(events: Sequence[Event]) -> list[str]:
    """The texts of the log lines, in order."""
    return [event.log_written.text for event in events if event.HasField("log_written")]


def is_gone(pid: int) -> bool:
    """Whether the process has ended. In a container it may remain as a zombie."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def all_gone(pids: Sequence[int]) -> None:
    """Wait until all of the processes have ended."""

    async def gone() -> bool:
        return all(map(is_gone, pids))

    await eventually(gone)
