"""A worker that reports as fast as its reports become durable."""

from __future__ import annotations

import asyncio

from milepost.v1 import Claim, JobEnded, JobState, Update
from tests.support.rpc import Rpc, log_line

__all__ = ["LINES", "report_until"]


LINES = 10
"""Of one report."""


async def report_until(rpc: Rpc, job_id: str, stop: asyncio.Event) -> None:
    """Claim the job, report lines as fast as they become durable, and then its end."""
    async with rpc.session(kinds=[]) as session:
        await session.send(claim=Claim(job_id=job_id))
        _, token = await session.take()
        said = 0
        while not stop.is_set():
            lines = [log_line(f"line {said + number} {'.' * 80}") for number in range(LINES)]
            await session.report(job_id, token, said + 1, *lines)
            said += LINES
            await session.acknowledged(said)
            await asyncio.sleep(0.01)  # the pace of a worker
        end = Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))
        await session.report(job_id, token, said + 1, end)
        await session.acknowledged(said + 1)
