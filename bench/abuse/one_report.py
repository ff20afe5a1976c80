"""Reports that take long to decide: four jobs of a thousand stages, each within the one before, and many plans."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING

from bench import work
from bench.abuse.attack import Attack
from milepost.v1 import (
    Dispatch,
    Stage,
    StageProgressed,
    StagesPlanned,
    StageStarted,
    SubmitJobRequest,
    Update,
)
from milepost.v1.job_service_pb2_grpc import JobServiceStub

if TYPE_CHECKING:
    import grpc.aio

    from milepost.v1.job_service_pb2_grpc import JobServiceAsyncStub

__all__ = ["ATTACK"]

_JOBS = 4
_STAGES = 1000
_PLANS = 20


async def _run(address: str, seconds: float) -> AsyncGenerator[None]:
    async with work.connections(address, _JOBS) as channels:
        sessions = [await _open(channel) for channel in channels]
        yield
        until = time.monotonic() + seconds
        await asyncio.gather(*(_report_until(until, session) for session in sessions))
        yield


async def _open(channel: grpc.aio.Channel) -> work.Session:
    """A worker with a job whose innermost stages run."""
    stub: JobServiceAsyncStub = JobServiceStub(channel)
    chain = _chain()
    request = SubmitJobRequest(kind="deep", stages=chain, dispatch=Dispatch.DISPATCH_EXTERNAL)
    session = await work.Session.open(channel, (await stub.SubmitJob(request)).job.job_id)
    await _report(session, [Update(stage_started=StageStarted(stage=stage)) for stage in chain[-2:]])
    return session


async def _report_until(until: float, session: work.Session) -> None:
    """Move the two innermost stages in turn, then plan again and again; each report follows the one before."""
    plan = StagesPlanned(stages=_chain())
    current = 0
    while time.monotonic() < until:
        moves = []
        for _ in range(1000):
            current += 1
            progress = StageProgressed(stage_id=f"s{_STAGES - 1 - current % 2}", current=current)
            moves.append(Update(stage_progressed=progress))
        await _report(session, moves)
        if time.monotonic() < until:
            await _report(session, [Update(stages_planned=plan)] * _PLANS)


def _chain() -> list[Stage]:
    return [
        Stage(stage_id=f"s{n}", parent_stage_id=f"s{n - 1}" if n else "", total=1e6) for n in range(_STAGES)
    ]


async def _report(session: work.Session, updates: Sequence[Update]) -> None:
    await session.send(session.encode(updates))
    await session.acknowledged(session.reported)


ATTACK = Attack(_run)
