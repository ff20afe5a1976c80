"""Requests that arrive together with SIGTERM are logged and answered, or neither."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc.aio
import pytest

from milepost.v1 import Dispatch, GetJobRequest, Job, ReportJobRequest
from tests.support.rpc import Rpc, StreamEnded, WorkSession, connect, log_line, state_name
from tests.support.server import ServerProcess

_Answer = TypeVar("_Answer")

# Reports of one session, and calls of each kind, per round.
REPORTS = 30
CALLS = 5

ROUNDS = pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.nightly)])


async def answered(call: Awaitable[_Answer]) -> _Answer | None:
    """The answer, or None if the server stops first."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.UNAVAILABLE:
            raise
        return None


async def last_acknowledged(session: WorkSession) -> int | None:
    """Read until the server ends the session; return the last acknowledged report.

    None if grpc.aio itself ended the call: a write that fails as the stream ends loses what this client was sent.
    """
    acknowledged = 0
    while True:
        try:
            response = await session.call.read()
        except grpc.aio.AioRpcError as error:
            return None if error.code() == grpc.StatusCode.INTERNAL else acknowledged
        if response is grpc.aio.EOF:
            return acknowledged
        if response.HasField("acknowledged"):
            acknowledged = response.acknowledged.report_sequence


async def say(session: WorkSession, job: Job, token: str) -> None:
    """Send reports until the server ends the session."""
    try:
        for number in range(1, REPORTS + 1):
            await session.report(job.job_id, token, number, log_line(str(number)))
    except (grpc.aio.AioRpcError, StreamEnded):
        return


async def logged(rpc: Rpc, job_id: str) -> int:
    """The number of lines in the job's log."""
    return sum(event.HasField("log_written") for event in await rpc.log(job_id))


@ROUNDS
async def test_reports_on_a_session(server: ServerProcess, rounds: int) -> None:
    """The last acknowledged report is the last one in the log (rule 12)."""
    chance = random.Random(1)
    while rounds:
        async with connect(server.address) as rpc, rpc.session() as session:
            await rpc.submit()
            job, token = await session.take()
            reading = asyncio.create_task(last_acknowledged(session))
            saying = asyncio.create_task(say(session, job, token))
            await asyncio.sleep(chance.choice((0.0, 0.0005, 0.002, 0.004)))
            status = await asyncio.to_thread(server.stop)
            acknowledged, _ = await asyncio.gather(reading, saying)
        server.restart()
        async with connect(server.address) as rpc:
            lines = await logged(rpc, job.job_id)
            assert status == 0
            if acknowledged is not None:
                assert lines == acknowledged
                rounds -= 1


@ROUNDS
async def test_calls(server: ServerProcess, rounds: int) -> None:
    """``ReportJob``, ``SubmitJob`` and ``CancelJob`` are logged exactly if they were answered with OK."""
    chance = random.Random(2)

    async def soon(call: Callable[[], Awaitable[_Answer]]) -> bool:
        await asyncio.sleep(chance.choice((0.0, 0.001, 0.003, 0.01, 0.03)))
        return await answered(call()) is not None

    def report(rpc: Rpc, job: Job, token: str) -> Callable[[], Awaitable[object]]:
        request = ReportJobRequest(
            job_id=job.job_id, lease_token=token, first_report_sequence=1, updates=[log_line("x")]
        )
        return lambda: rpc.workers.ReportJob(request)

    def submit(rpc: Rpc, job_id: str) -> Callable[[], Awaitable[object]]:
        return lambda: rpc.submit(job_id=job_id, dispatch=Dispatch.DISPATCH_EXTERNAL)

    def cancel(rpc: Rpc, job: Job) -> Callable[[], Awaitable[object]]:
        return lambda: rpc.cancel(job.job_id)

    for _ in range(rounds):
        new = [uuid.uuid4().hex for _ in range(CALLS)]
        async with connect(server.address) as rpc, rpc.session() as session:
            queued = [await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL) for _ in new]
            for _ in new:
                await rpc.submit()
            running = [await session.take() for _ in new]
            calls = [
                *(report(rpc, job, token) for job, token in running),
                *(submit(rpc, job_id) for job_id in new),
                *(cancel(rpc, job) for job in queued),
            ]
            calling = [asyncio.create_task(soon(call)) for call in calls]
            await asyncio.sleep(0)
            assert await asyncio.to_thread(server.stop) == 0
            answers = await asyncio.gather(*calling)
        server.restart()
        async with connect(server.address) as rpc:
            assert answers == [
                *[await logged(rpc, job.job_id) == 1 for job, _ in running],
                *[await exists(rpc, job_id) for job_id in new],
                *[state_name(await rpc.get(job.job_id)) == "CANCELLED" for job in queued],
            ]


async def exists(rpc: Rpc, job_id: str) -> bool:
    """Whether the job exists."""
    try:
        await rpc.jobs.GetJob(GetJobRequest(job_id=job_id))
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.NOT_FOUND:
            raise
        return False
    return True
