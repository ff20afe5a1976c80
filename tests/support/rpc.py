"""Call the services with the generated stubs, without the SDK."""

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
from tests.support.bearer import bearer_interceptors
from tests.support.spread import spread

WatchCall: TypeAlias = "grpc.aio.UnaryStreamCall[WatchJobRequest, WatchJobResponse]"


class Rpc:
    """All services over one channel, with a kind of its own, so that tests can share a server.

    With ``awaits_leaving`` a session waits for its server to end it, so that the next call may go to another node.
    """

    def __init__(self, channel: grpc.aio.Channel, *, awaits_leaving: bool = False) -> None:
        self.channel = channel
        self._awaits_leaving = awaits_leaving
        self.kind = f"test-{uuid.uuid4().hex}"
        self.jobs = job_service_pb2_grpc.JobServiceStub(channel)
        self.workers = worker_service_pb2_grpc.WorkerServiceStub(channel)
        self.admin = admin_service_pb2_grpc.AdminServiceStub(channel)

    async def submit(self, **fields: Any) -> Job:
        """Submit a job."""
        response = await self.jobs.SubmitJob(SubmitJobRequest(**{"kind": self.kind, **fields}))
        return response.job

    async def get(self, job_id: str) -> Job:
        """Get the job."""
        response = await self.jobs.GetJob(GetJobRequest(job_id=job_id))
        return response.job

    async def cancel(self, job_id: str, grace: float | None = None) -> Job:
        """Request cancellation, with a grace period in seconds."""
        request = CancelJobRequest(job_id=job_id, reason="enough")
        if grace is not None:
            request.grace_period.CopyFrom(Duration(seconds=int(grace), nanos=round(grace % 1 * 1e9)))
        response = await self.jobs.CancelJob(request)
        return response.job

    async def ended(self, job_id: str) -> list[Event]:
        """Wait for the end of a job; return its log."""
        async for _ in self.watch(job_id):
            pass
        return await self.log(job_id)

    async def log(self, job_id: str) -> list[Event]:
        """Read the present events of a job."""
        frames = [frame async for frame in self.jobs.WatchJob(WatchJobRequest(job_id=job_id, no_follow=True))]
        return [event for frame in frames for event in frame.events.events]

    def watch(self, job_id: str, **fields: Any) -> WatchCall:
        """Watch a job."""
        return self.jobs.WatchJob(WatchJobRequest(job_id=job_id, **fields))

    @asynccontextmanager
    async def session(self, *, wait_for_ready: bool = False, **hello: Any) -> AsyncIterator[WorkSession]:
        """Open a worker's session; cancel it at the end. ``wait_for_ready`` waits for the server."""
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
async def connect(
    address: str, *, spreads: bool = True, token: str = "", tls: grpc.ChannelCredentials | None = None
) -> AsyncIterator[Rpc]:
    """Open a channel to the server, which reconnects soon after a restart.

    With several nodes each call goes to another one or, with ``spreads`` False, all to the first reachable one. With a
    ``token`` or over ``tls`` all go to one node; each call has the token.
    """
    options = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 200),
    ]
    if token or tls is not None:
        calls = bearer_interceptors(token) if token else []
        channel = (
            grpc.aio.insecure_channel(address, options=options, interceptors=calls)
            if tls is None
            else grpc.aio.secure_channel(address, tls, options=options, interceptors=calls)
        )
        async with channel:
            yield Rpc(channel)
        return
    nodes = address.removeprefix("ipv4:").split(",")
    whole = len(nodes) == 1 or not spreads
    opened = grpc.aio.insecure_channel(address, options=options) if whole else spread(nodes, options)
    async with opened as channel:
        yield Rpc(channel, awaits_leaving=not whole)


class StreamEnded(Exception):
    """The stream ended before the awaited message; ``code`` is its status."""

    def __init__(self, awaited: str, code: grpc.StatusCode) -> None:
        super().__init__(f"the stream ended before {awaited}: {code}")
        self.code = code


class WorkSession:
    """One Work stream, message by message."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.welcome = WorkResponse()

    async def send(self, **message: Any) -> None:
        """Send one message of the oneof."""
        try:
            await self.call.write(WorkRequest(**message))
        except asyncio.InvalidStateError:  # the stream has ended
            raise StreamEnded("it could be written to", await self.call.code()) from None

    async def leave(self) -> None:
        """Half-close the stream, and wait until the server has ended it, with any status."""
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
        """Receive the next assignment."""
        assignment = (await self.receive("assignment")).assignment
        return assignment.job, assignment.lease_token

    async def acknowledged(self, report_sequence: int) -> None:
        """Read acknowledgements up to this report; no other message may come."""
        while (await self.receive("acknowledged")).acknowledged.report_sequence < report_sequence:
            pass


def log_line(text: str) -> Update:
    """A log line, which any running job may report."""
    return Update(log_written=LogWritten(text=text))


def succeeded() -> Update:
    """The end of a job."""
    return Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))


def state_name(job: Job | JobSnapshot) -> str:
    """The job's state, as ``"RUNNING"``."""
    return JobState.Name(job.state).removeprefix("JOB_STATE_")


def kinds(events: Sequence[Event]) -> list[str | None]:
    """The names of the payloads."""
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


async def eventually(condition: Any, *, seconds: float = 120.0) -> Any:
    """Wait until the awaitable condition is true, and return it; the time limit is only against hangs."""
    async with asyncio.timeout(seconds):
        while True:
            value = await condition()
            if value:
                return value
            await asyncio.sleep(0.01)
