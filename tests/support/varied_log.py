"""A log with all sorts of jobs in it, as a move or a restore has to keep them."""

from __future__ import annotations

from milepost.v1 import (
    DeleteJobRequest,
    Dispatch,
    Stage,
    StageEnded,
    StageProgressed,
    StageStarted,
    StageState,
    Update,
    WatchJobRequest,
)
from tests.support.bad_requests import struct
from tests.support.rpc import Rpc, eventually, log_line, succeeded

__all__ = ["SWEEPING", "kept_events", "varied_log"]

SWEEPING = ("--max-events", "200", "--keep-progress", "0.1s", "--sweep-interval", "0.2s")
"""Options of a server that trims and thins at once."""


def _started() -> Update:
    """A stage of ten starts."""
    return Update(stage_started=StageStarted(stage=Stage(stage_id="s", total=10)))


def _progressed(current: int) -> Update:
    """It gets so far."""
    return Update(stage_progressed=StageProgressed(stage_id="s", current=current))


async def varied_log(rpc: Rpc) -> tuple[str, str]:
    """All sorts of jobs; the one that a worker still has, and its lease."""
    parent = await rpc.submit(job_id="parent", kind="parent", dispatch=Dispatch.DISPATCH_EXTERNAL)
    async with rpc.session() as session:
        for number in range(3):
            await rpc.submit(
                job_id=f"done-{number}",
                request_id=f"r-{number}",
                parent_job_id=parent.job_id,
                labels={"number": str(number)},
                input=struct({"path": f"/x/{number}"}),
            )
            job, token = await session.take()
            stage = Update(stage_ended=StageEnded(stage_id="s", state=StageState.STAGE_STATE_SUCCEEDED))
            await session.report(job.job_id, token, 1, _started(), _progressed(1), _progressed(5))
            await session.report(job.job_id, token, 4, _progressed(7), log_line("x"), stage, succeeded())
            await session.acknowledged(7)
        await rpc.jobs.DeleteJob(DeleteJobRequest(job_id="done-0"))
        await rpc.submit(job_id="long")
        job, token = await session.take()
        for first in range(1, 500, 50):
            await session.report(
                job.job_id, token, first, *[log_line(str(n)) for n in range(first, first + 50)]
            )
            await session.acknowledged(first + 49)

        async def is_swept() -> bool:
            long, *done = [await rpc.get(job_id) for job_id in ("long", "done-1", "done-2")]
            return long.first_sequence == 303 and all(job.thinned_sequence for job in done)

        await eventually(is_swept)
    return job.job_id, token


async def kept_events(rpc: Rpc, job_id: str) -> list[object]:
    """The events that the job still has."""
    job = await rpc.get(job_id)
    request = WatchJobRequest(job_id=job_id, after_sequence=job.first_sequence - 1, no_follow=True)
    return [event async for frame in rpc.jobs.WatchJob(request) for event in frame.events.events]
