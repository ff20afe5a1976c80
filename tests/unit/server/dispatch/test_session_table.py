"""Which worker holds a job, and what it is told of it."""

from __future__ import annotations

import asyncio

from milepost.server.dispatch.session_table import SessionTable
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.dispatch.worker_session import Session
from milepost.v1 import Hello, Job, JobState
from tests.support.clock import FakeClock
from tests.support.responses import decoded


async def test_a_job_that_moves_leaves_nothing_behind() -> None:
    """Where it comes back, its worker is told of an end by somebody else, as if it had never ended the job itself."""
    clock = FakeClock()
    table = SessionTable(clock, WorkerRegistry(clock))
    first, second = Session(Hello()), Session(Hello())
    for session in (first, second):
        table.add(session)
    table.hold(first, "j", "token 1")
    first.ending.add("j")
    table.hold(second, "j", "token 1")
    table.hold(first, "j", "token 2")
    table.on_transition(Job(job_id="j", attempt=2, state=JobState.JOB_STATE_FAILED))

    async with asyncio.timeout(120):
        response = await first.responses.get()
    assert response is not None
    assert decoded(response).rejected.job_id == "j"
