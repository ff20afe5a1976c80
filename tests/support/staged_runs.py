"""Runs of jobs in stages, over the wire."""

from __future__ import annotations

from typing import Any

from milepost.v1 import (
    GetHistoryRequest,
    GetHistoryResponse,
    GetJobRequest,
    GetJobResponse,
    Stage,
    StageEnded,
    StageProgressed,
    StageStarted,
    StageState,
    Update,
)
from tests.support.rpc import Rpc, WorkSession

__all__ = ["RUN", "ended", "get", "history", "progressed", "run", "started"]


def started(stage_id: str, total: float | None = None) -> Update:
    """The start of a stage."""
    return Update(stage_started=StageStarted(stage=Stage(stage_id=stage_id, total=total)))


def progressed(stage_id: str, current: float) -> Update:
    """Progress of a stage."""
    return Update(stage_progressed=StageProgressed(stage_id=stage_id, current=current))


def ended(stage_id: str) -> Update:
    """The end of a stage."""
    return Update(stage_ended=StageEnded(stage_id=stage_id, state=StageState.STAGE_STATE_SUCCEEDED))


RUN = (
    started("load"),
    ended("load"),
    started("work", total=4),
    *(progressed("work", n) for n in (1, 2, 3, 4)),
)
"""The updates of a run with two stages."""


async def run(rpc: Rpc, session: WorkSession, *updates: Update, **fields: Any) -> str:
    """Run a job to its end."""
    job_id = (await rpc.submit(**fields)).job_id
    job, token = await session.take()
    assert job.job_id == job_id
    for number, update in enumerate(updates, 1):
        await session.report(job_id, token, number, update)
        await session.acknowledged(number)
    return job_id


async def history(rpc: Rpc, kind: str = "", owner: str = "") -> GetHistoryResponse:
    """What is known of a kind."""
    return await rpc.jobs.GetHistory(GetHistoryRequest(kind=kind or rpc.kind, owner=owner))


async def get(rpc: Rpc, job_id: str) -> GetJobResponse:
    """The job, and what it waits for."""
    return await rpc.jobs.GetJob(GetJobRequest(job_id=job_id))
