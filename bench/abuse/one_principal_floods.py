"""One principal floods: calls, submissions, watches and reports beyond its limits, from the host of everybody else.

It ignores how long it is told to wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Final

import grpc
import grpc.aio

from bench import work
from bench.abuse.attack import Attack
from milepost.v1 import Dispatch, ListJobsRequest, SubmitJobRequest, WatchJobRequest, WatchJobResponse
from milepost.v1.job_service_pb2_grpc import JobServiceStub

if TYPE_CHECKING:
    from milepost.v1.job_service_pb2_grpc import JobServiceAsyncStub

__all__ = ["ATTACK", "LIMITS"]

LIMITS: Final = ("requests=100/s", "events=1000/s", "jobs=100", "watches=50", "input=1MiB")
"""What the flooding principal may use."""

_CONNECTIONS = 8
_CALLERS = 64
_SESSIONS = 4
_KEPT_WATCHES = 100


async def _run(address: str, seconds: float, token: str) -> AsyncGenerator[None]:
    async with work.connections(address, _CONNECTIONS, token=token) as channels:
        stubs: list[JobServiceAsyncStub] = [JobServiceStub(channel) for channel in channels]
        sessions = []
        opened: list[grpc.aio.UnaryStreamCall[WatchJobRequest, WatchJobResponse]] = []
        for number in range(_SESSIONS):
            request = SubmitJobRequest(
                job_id=str(uuid.uuid4()), kind="flood", dispatch=Dispatch.DISPATCH_EXTERNAL
            )
            job = (await stubs[0].SubmitJob(request)).job
            session = await work.Session.open(channels[number % _CONNECTIONS], job.job_id)
            await session.send(session.encode(work.START))
            sessions.append(session)
        yield
        until = time.monotonic() + seconds

        async def repeat(call: Callable[[JobServiceAsyncStub], Awaitable[object]], number: int) -> None:
            while time.monotonic() < until:
                with contextlib.suppress(grpc.aio.AioRpcError):
                    await call(stubs[number % _CONNECTIONS])

        async def call_list(stub: JobServiceAsyncStub) -> None:
            await stub.ListJobs(ListJobsRequest())

        async def submit(stub: JobServiceAsyncStub) -> None:
            await stub.SubmitJob(SubmitJobRequest(kind="flood", dispatch=Dispatch.DISPATCH_EXTERNAL))

        async def watch(stub: JobServiceAsyncStub) -> None:
            opened.append(stub.WatchJob(WatchJobRequest(job_id=job.job_id)))
            await opened[-1].read()
            del opened[:-_KEPT_WATCHES]

        async def report(session: work.Session) -> None:
            while time.monotonic() < until:
                await session.send(session.encode(work.progress(1, 1000)))

        floods: list[Awaitable[None]] = [report(session) for session in sessions]
        calls = (call_list, submit, watch)
        floods += [repeat(calls[number % len(calls)], number) for number in range(_CALLERS)]
        flooding = asyncio.gather(*floods)
        await asyncio.wait((flooding,), timeout=seconds + 1)
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
        yield


ATTACK = Attack(_run, processes=2, limits=LIMITS)
