"""The service as a bare client sees it: generated stubs, no SDK."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias, cast

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from milepost.client import JobSnapshot
from milepost.v1 import (
    CancelJobRequest,
    Event,
    GetJobRequest,
    Hello,
    Job,
    JobEnded,
    JobState,
    LogWritten,
    Report,
    SubmitJobRequest,
    Update,
    WatchJobRequest,
    WatchJobResponse,
    WorkRequest,
    WorkResponse,
    admin_service_pb2_grpc,
    job_service_pb2_grpc,
    worker_service_pb2_grpc,
)
from tests.support.spread import spread

WatchCall: TypeAlias = "grpc.aio.UnaryStreamCall[WatchJobRequest, WatchJobResponse]"


class Rpc:
    """All services over one channel; with a kind of job of its own, so that tests can share a server.

    With ``awaits_leaving`` a session is over when its server has seen that, whichever node the next call goes to.
    """

    def __init__(self, channel: grpc.aio.Channel, *, awaits_leaving: bool = False) -> None:
        self.channel = channel
        self._awaits_leaving = awaits_leaving
        self.kind = f"test-{uuid.uuid4().hex}"
        self.jobs = job_service_pb2_grpc.JobServiceStub(channel)
        self.workers = worker_service_pb2_grpc.WorkerServiceStub(channel)
        self.admin = admin_service_pb2_grpc.AdminServiceStub(channel)

    async def submit(self, **fields: Any) -> Job:
        """Submits a job."""
        response = await self.jobs.SubmitJob(SubmitJobRequest(**{"kind": self.kind, **fields}))
        return response.job

    async def get(self, job_id: str) -> Job:
        """The job."""
        response = await self.jobs.GetJob(GetJobRequest(job_id=job_id))
        return response.job

    async def cancel(self, job_id: str, grace: float | None = None) -> Job:
        """Asks for the job to be cancelled, with so many seconds of grace."""
        request = CancelJobRequest(job_id=job_id, reason="enough")
        if grace is not None:
            request.grace_period.CopyFrom(Duration(seconds=int(grace), nanos=round(grace % 1 * 1e9)))
        response = await self.jobs.CancelJob(request)
        return response.job

    async def ended(self, job_id: str) -> list[Event]:
        """The log of a job, once it has ended."""
        async for _ in self.watch(job_id):
            pass
        return await self.log(job_id)

    async def log(self, job_id: str) -> list[Event]:
        """All events that the job has now."""
        frames = [frame async for frame in self.jobs.WatchJob(WatchJobRequest(job_id=job_id, no_follow=True))]
        return [event for frame in frames for event in frame.events.events]

    def watch(self, job_id: str, **fields: Any) -> WatchCall:
        """A watch."""
        return self.jobs.WatchJob(WatchJobRequest(job_id=job_id, **fields))

    @asynccontextmanager
    async def session(self, *, wait_for_ready: bool = False, **hello: Any) -> AsyncIterator[WorkSession]:
        """A worker's session, welcomed; cancelled at the end. With ``wait_for_ready`` the server need not be there."""
        session = WorkSession(self.workers.Work(wait_for_ready=wait_for_ready))
        await session.send(hello=Hello(**{"kinds": [self.kind], "max_concurrency": 10, **hello}))
        welcome = await session.receive("welcome")
        session.welcome = welcome
        try:
            yield session
        finally:
            if self._awaits_leaving:
                await session.leave()
            session.call.cancel()


@asynccontextmanager
async def connect(address: str, *, spreads: bool = True) -> AsyncIterator[Rpc]:
    """A channel of its own to the server; it is soon there again when that was restarted.

    Of an address of several nodes each call goes to another one, or, with ``spreads`` False, all to the first that is
    there.
    """
    options = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 200),
    ]
    nodes = address.removeprefix("ipv4:").split(",")
    whole = len(nodes) == 1 or not spreads
    opened = grpc.aio.insecure_channel(address, options=options) if whole else spread(nodes, options)
    async with opened as channel:
        yield Rpc(channel, awaits_leaving=not whole)


class StreamEnded(Exception):
    """The stream ended while a message was waited for; ``code`` is its status."""

    def __init__(self, awaited: str, code: grpc.StatusCode) -> None:
        super().__init__(f"the stream ended before {awaited}: {code}")
        self.code = code


class WorkSession:
    """One Work stream, spoken by hand."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.welcome = WorkResponse()

    async def send(self, **message: Any) -> None:
        """Sends one message of the oneof."""
        try:
            await self.call.write(WorkRequest(**message))
        except asyncio.InvalidStateError:  # it has ended already
            raise StreamEnded("it could be written to", await self.call.code()) from None

    async def leave(self) -> None:
        """Says that there is no more to say, and waits until the server has ended the stream, however it does."""
        with suppress(StreamEnded, grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await self.call.done_writing()
            while True:
                await self.next()

    async def report(self, job_id: str, token: str, first: int, *updates: Update) -> None:
        """Sends a report."""
        await self.send(
            report=Report(job_id=job_id, lease_token=token, first_report_sequence=first, updates=updates)
        )

    async def receive(self, kind: str) -> WorkResponse:
        """The next message, which is to be of that kind."""
        response = await self.next(kind)
        assert kind == response.WhichOneof("message"), response
        return response

    async def next(self, awaited: str = "a message") -> WorkResponse:
        """The next message."""
        response = await self.call.read()
        if response is grpc.aio.EOF:
            raise StreamEnded(awaited, await self.call.code())
        return cast("WorkResponse", response)

    async def take(self) -> tuple[Job, str]:
        """The next assignment."""
        assignment = (await self.receive("assignment")).assignment
        return assignment.job, assignment.lease_token

    async def acknowledged(self, report_sequence: int) -> None:
        """Reads until that report is acknowledged; nothing else may come."""
        while (await self.receive("acknowledged")).acknowledged.report_sequence < report_sequence:
            pass


def log_line(text: str) -> Update:
    """An update that any running job may make."""
    return Update(log_written=LogWritten(text=text))


def succeeded() -> Update:
    """The end of a job."""
    return Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))


def state_name(job: Job | JobSnapshot) -> str:
    """The job's state, as ``"RUNNING"``."""
    return JobState.Name(job.state).removeprefix("JOB_STATE_")


def kinds(events: Sequence[Event]) -> list[str | None]:
    """The payloads' names."""
    return [event.WhichOneof("payload") for event in events]


def error_info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    """The ``ErrorInfo`` of a refused call."""
    status = rpc_status.from_call(cast("grpc.Call", error))
    assert status is not None
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
            return info
    raise AssertionError(f"no ErrorInfo in {status}")


async def eventually(condition: Any, *, seconds: float = 30.0) -> Any:
    """Waits until the awaitable condition gives something true; ``seconds`` is a guard against hangs only."""
    async with asyncio.timeout(seconds):
        while True:
            value = await condition()
            if value:
                return value
            await asyncio.sleep(0.01)
