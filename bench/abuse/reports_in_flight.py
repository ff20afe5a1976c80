"""Reports in flight: 4 sessions that send reports of close to 4 MB, as fast as the server takes them."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from bench import work
from bench.abuse.attack import Attack
from milepost.v1 import Dispatch, LogWritten, SubmitJobRequest, Update
from milepost.v1.job_service_pb2_grpc import JobServiceStub

if TYPE_CHECKING:
    from milepost.v1.job_service_pb2_grpc import JobServiceAsyncStub

__all__ = ["ATTACK"]

_SESSIONS = 4
_LINE = Update(log_written=LogWritten(text="x" * 60_000))
_LINES = 65


async def _run(address: str, seconds: float) -> AsyncGenerator[None]:
    async with work.connections(address, _SESSIONS) as channels:
        stub: JobServiceAsyncStub = JobServiceStub(channels[0])
        sessions = []
        for channel in channels:
            request = SubmitJobRequest(
                job_id=str(uuid.uuid4()), kind="flood", dispatch=Dispatch.DISPATCH_EXTERNAL
            )
            job = (await stub.SubmitJob(request)).job
            sessions.append(await work.Session.open(channel, job.job_id))
        yield
        until = time.monotonic() + seconds

        async def flood(session: work.Session) -> None:
            while time.monotonic() < until:
                await session.send(session.encode([_LINE] * _LINES))

        flooding = asyncio.gather(*(flood(session) for session in sessions))
        await asyncio.wait((flooding,), timeout=seconds + 1)
        flooding.cancel()
        yield


ATTACK = Attack(_run)
