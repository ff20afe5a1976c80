"""The jobs of the measurements, and a minimal worker and subscriber on the wire."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

import grpc
import grpc.aio

from bench.processes import MeasurementFailed
from milepost.v1 import (
    Acknowledged,
    Assignment,
    Claim,
    Dispatch,
    GetJobRequest,
    Hello,
    Job,
    JobEnded,
    JobState,
    LogWritten,
    Report,
    Severity,
    Stage,
    StageProgressed,
    StageStarted,
    SubmitJobRequest,
    Update,
    Welcome,
    WorkRequest,
    WorkResponse,
)
from milepost.v1.job_service_pb2_grpc import JobServiceStub
from tests.support.bearer import bearer_interceptors

__all__ = [
    "START",
    "Session",
    "Stream",
    "WorkCall",
    "connections",
    "echo",
    "get",
    "open_work",
    "progress",
    "receive",
    "record",
    "replies",
    "start",
    "submit",
    "watch",
    "write",
]

Stream: TypeAlias = AsyncIterator[bytes]
"""The messages of a call, serialised."""

WorkCall: TypeAlias = "grpc.aio.StreamStreamCall[bytes, bytes]"
"""A stream of `WorkerService.Work`, with serialised messages."""

_STAGES = [Stage(stage_id=name, unit="bytes") for name in ("scan", "hash", "pack", "verify", "report")]

_UNIT = 65536.0


def start(events: int | None) -> list[Update]:
    """The job's first report: a stage with a total of so many updates of ``progress``; None for no total."""
    total = None if events is None else events * _UNIT
    return [Update(stage_started=StageStarted(stage=Stage(stage_id="hash", total=total)))]


START = start(10_000_000)
"""The same, of a stage that has far more to do than any measurement does."""

_END = [Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))]


def progress(first: int, count: int) -> list[Update]:
    """``count`` updates of a running stage from the ``first``-th on: nine of ten are progress, one is a log line."""
    updates = []
    for number in range(first, first + count):
        if number % 10:
            progressed = StageProgressed(
                stage_id="hash", current=number * _UNIT, message=f"lib/module_{number}.py"
            )
            updates.append(Update(stage_progressed=progressed))
        else:
            text = f"lib/module_{number}.py has 65,536 bytes, and was read in one piece"
            line = LogWritten(stage_id="hash", severity=Severity.SEVERITY_INFO, text=text)
            updates.append(Update(log_written=line))
    return updates


def submit(address: str, kind: str = "bench") -> str:
    """Submit an external job of five stages, to be claimed; return its id."""
    request = SubmitJobRequest(
        job_id=str(uuid.uuid4()), kind=kind, stages=_STAGES, dispatch=Dispatch.DISPATCH_EXTERNAL
    )
    with grpc.insecure_channel(address) as channel:
        return JobServiceStub(channel).SubmitJob(request, timeout=10).job.job_id


def get(address: str, job_id: str) -> Job:
    """Get the job."""
    with grpc.insecure_channel(address) as channel:
        return JobServiceStub(channel).GetJob(GetJobRequest(job_id=job_id), timeout=10).job


@asynccontextmanager
async def connections(
    address: str, count: int, options: Sequence[tuple[str, int]] = (), token: str = ""
) -> AsyncIterator[list[grpc.aio.Channel]]:
    """Open ``count`` channels, each with its own connection; with a token each call has it."""
    options = [("grpc.use_local_subchannel_pool", 1), *options]
    bearers = bearer_interceptors(token) if token else None
    channels = [
        grpc.aio.insecure_channel(address, options=options, interceptors=bearers) for _ in range(count)
    ]
    try:
        await asyncio.gather(*(channel.channel_ready() for channel in channels))
        yield channels
    finally:
        await asyncio.gather(*(channel.close() for channel in channels))


def watch(channel: grpc.aio.Channel, request: bytes) -> Stream:
    """Start a WatchJob; return the iterator of its messages."""
    method: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(
        "/milepost.v1.JobService/WatchJob"
    )
    return aiter(method(request))


async def record(address: str, request: bytes) -> AsyncGenerator[list[bytes]]:
    """Yield all messages of a WatchJob that ends; for a ``Load``."""
    async with connections(address, 1) as (channel,):
        messages = [message async for message in watch(channel, request)]
    yield messages


async def write(address: str, job_id: str, events: int, end: bool = True) -> AsyncGenerator[None]:
    """Write a log of ``events`` events, 50 in a report, besides those of its start and end; for a ``Load``."""
    async with connections(address, 1) as (channel,):
        session = await Session.open(channel, job_id)
        await session.send(session.encode(START))
        for first in range(1, events + 1, 50):
            await session.send(session.encode(progress(first, min(50, events + 1 - first))))
            await session.acknowledged(session.reported - 1000)
        await session.acknowledged(session.reported)
        if end:
            await session.end()
    yield


def open_work(channel: grpc.aio.Channel) -> WorkCall:
    """Open a stream of `WorkerService.Work`."""
    method: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(
        "/milepost.v1.WorkerService/Work"
    )
    return method()


async def echo(address: str, times: int, commits: int) -> AsyncGenerator[list[int]]:
    """The baseline of a measurement with commits: a request, a commit and a response, ``commits`` times.

    For a ``Load``; yields the latencies of ``times`` such sequences, in nanoseconds.
    """
    latencies = []
    async with connections(address, 1) as (channel,):
        call = open_work(channel)
        await call.write(b"hello")
        await call.read()
        for _ in range(times):
            started = time.perf_counter_ns()
            for _ in range(commits):
                await call.write(b"x" * 200)
                await call.read()
            latencies.append(time.perf_counter_ns() - started)
    yield latencies


class Session:
    """A worker with one job. ``reported`` is the number of its last report.

    Callers encode requests beforehand, so that sending costs as little as possible.
    """

    def __init__(self, call: WorkCall, job_id: str, lease_token: str) -> None:
        self._call = call
        self._job_id = job_id
        self._lease_token = lease_token
        self.reported = 0
        self._acknowledged = 0

    @classmethod
    async def open(cls, channel: grpc.aio.Channel, job_id: str) -> Session:
        """Connect, and claim the job."""
        call = open_work(channel)
        await call.write(WorkRequest(hello=Hello(sdk="bench")).SerializeToString())
        await receive(call)
        await call.write(WorkRequest(claim=Claim(job_id=job_id)).SerializeToString())
        assignment = (await receive(call)).assignment
        return cls(call, job_id, assignment.lease_token)

    def encode(self, updates: Sequence[Update]) -> bytes:
        """Encode the next report as a request."""
        first = self.reported + 1
        self.reported += len(updates)
        report = Report(
            job_id=self._job_id,
            lease_token=self._lease_token,
            first_report_sequence=first,
            updates=updates,
        )
        return WorkRequest(report=report).SerializeToString()

    async def send(self, request: bytes) -> None:
        """Send a request."""
        await self._call.write(request)

    @property
    def last_acknowledged(self) -> int:
        """The number of the last report that is acknowledged."""
        return self._acknowledged

    async def acknowledged(self, report_sequence: int) -> None:
        """Wait until the reports up to this one are acknowledged."""
        while self._acknowledged < report_sequence:
            self._acknowledged = (await receive(self._call)).acknowledged.report_sequence

    async def end(self) -> None:
        """End the job, then the session."""
        await self.send(self.encode(_END))
        await self.acknowledged(self.reported)
        await self._call.done_writing()


async def receive(call: WorkCall) -> WorkResponse:
    """The next response of a session. Raises MeasurementFailed if it is a rejection, or if the session ended."""
    message = await call.read()
    if not isinstance(message, bytes):
        raise MeasurementFailed(f"the session ended: {await call.details()}")
    response = WorkResponse.FromString(message)
    if response.HasField("rejected"):
        raise MeasurementFailed(f"refused: {response.rejected.message}")
    return response


def replies(reports: Sequence[int]) -> list[bytes]:
    """The answers to a session whose reports have these numbers of updates, one for each request."""
    job_id = str(uuid.uuid4())
    answers = [
        WorkResponse(welcome=Welcome(session_id=uuid.uuid4().hex)),
        WorkResponse(assignment=Assignment(job=Job(job_id=job_id), lease_token=uuid.uuid4().hex)),
    ]
    total = 0
    for count in reports:
        total += count
        acknowledged = Acknowledged(job_id=job_id, report_sequence=total, last_sequence=total + 2)
        answers.append(WorkResponse(acknowledged=acknowledged))
    return [answer.SerializeToString() for answer in answers]
