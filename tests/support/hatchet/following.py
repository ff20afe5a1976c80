"""What tests look at in both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from milepost.client import Client, JobSnapshot
from milepost.v1 import Event
from tests.support.hatchet.dispatcher import HatchetServer
from tests.support.hatchet.runs import ENDS, WorkflowRun
from tests.support.rpc import eventually, state_name

__all__ = ["children_of", "ended", "ended_job", "job_of", "lines_of", "log_of", "waiting"]


async def ended(hatchet: HatchetServer, run: WorkflowRun) -> WorkflowRun:
    """Wait until a run has ended."""
    await asyncio.to_thread(hatchet.engine.wait_for, lambda: run.state in ENDS)
    return run


async def ended_job(client: Client, job_id: str) -> str:
    """Wait until a job has ended; return its state."""
    *_, job = [job async for job in client.follow(job_id)]
    return state_name(job)


async def job_of(client: Client, run: WorkflowRun) -> JobSnapshot:
    """The job of the only task of a run."""
    return await client.get(run.only.id)


async def log_of(client: Client, job_id: str) -> list[Event]:
    """All events of a job."""
    return [event async for event in client.watch(job_id, follow=False)]


def lines_of(events: Iterable[Event]) -> list[tuple[int, str]]:
    """The lines of a log: (attempt, text)."""
    return [(event.attempt, event.log_written.text) for event in events if event.HasField("log_written")]


async def children_of(client: Client, job_id: str) -> list[JobSnapshot]:
    """The children of a job."""
    return [job async for job in client.list(parent_job_id=job_id) if job.job_id != job_id]


async def waiting(client: Client, hatchet: HatchetServer, run: WorkflowRun, job_id: str = "") -> str:
    """Wait until the task of a run is in its stage ``wait``; return the id of its job, by default that of the task."""
    job_id = job_id or run.only.id
    await asyncio.to_thread(hatchet.engine.wait_for, lambda: run.only.state == "RUNNING")

    async def is_waiting() -> bool:
        jobs = [job async for job in client.list(job_ids=[job_id])]
        return any(state_name(job) == "RUNNING" and bool(job.stages) for job in jobs)

    await eventually(is_waiting)
    return job_id
