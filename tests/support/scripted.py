"""A server that follows a script in each watch, for faults that a correct server does not have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from milepost.v1 import (
    CaughtUp,
    Estimate,
    Event,
    Events,
    GetJobRequest,
    GetJobResponse,
    Job,
    JobEnded,
    JobState,
    Opened,
    Snapshot,
    Status,
    WatchJobRequest,
    WatchJobResponse,
    WatchJobsResponse,
)
from milepost.v1.job_service_pb2_grpc import JobServiceServicer, add_JobServiceServicer_to_server

Context = grpc.aio.ServicerContext[Any, Any]
Step = Callable[["Stream"], Awaitable[None]]


class Stream:
    """One watch at the server."""

    def __init__(self, request: WatchJobRequest, context: Context) -> None:
        self.request = request
        self.context = context

    async def open(self, *, cursor: int | None = None, epoch: str = "e", head: int = 0) -> None:
        """Send `opened`."""
        cursor = self.request.after_sequence if cursor is None else cursor
        opened = Opened(epoch=epoch, first_sequence=1, head_sequence=head, cursor=cursor)
        await self.context.write(WatchJobResponse(opened=opened))

    async def events(self, *sequences: int, end: bool = False) -> None:
        """Send events; with `end` the last one ends the job."""
        events = [Event(job_id=self.request.job_id, sequence=sequence) for sequence in sequences]
        if end:
            events[-1].job_ended.CopyFrom(JobEnded(state=JobState.JOB_STATE_SUCCEEDED))
        await self.context.write(WatchJobResponse(events=Events(events=events)))

    async def caught_up(self, sequence: int) -> None:
        """Send `caught_up`."""
        await self.context.write(WatchJobResponse(caught_up=CaughtUp(sequence=sequence)))

    async def status(self, sequence: int, estimate: Estimate | None = None) -> None:
        """Send a status."""
        status = Status(cursor=sequence, head_sequence=sequence, estimate=estimate)
        await self.context.write(WatchJobResponse(status=status))

    async def snapshot(self, sequence: int, state: JobState.ValueType = JobState.JOB_STATE_RUNNING) -> None:
        """Send a snapshot of the job."""
        job = Job(job_id=self.request.job_id, state=state, last_sequence=sequence, epoch="e")
        await self.context.write(WatchJobResponse(snapshot=Snapshot(job=job)))

    async def fail(self, code: grpc.StatusCode, text: str = "") -> None:
        """End the stream with a status without details."""
        await self.context.abort(code, text)

    async def hang(self) -> None:
        """Send nothing more."""
        await asyncio.Event().wait()


async def away_for_an_hour(stream: Stream) -> None:
    """A server that says when to come again."""
    detail = AnyMessage()
    detail.Pack(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=3600)))
    status = status_pb2.Status(code=code_pb2.CANCELLED, message="come again", details=[detail])
    await stream.context.abort_with_status(rpc_status.to_status(status))


class ScriptedServer(JobServiceServicer):
    """Runs one step of the script for each watch, and the last step for all later ones.

    ``requests`` are those of the watches; ``cancelled`` is set when a subscriber has cancelled one; ``job`` is the
    answer of GetJob, after a failure of one call for each of ``job_errors``; ``metadata`` has that of all calls.
    """

    def __init__(self, script: Sequence[Step]) -> None:
        self.address = ""
        self.requests: list[WatchJobRequest] = []
        self.cancelled = asyncio.Event()
        self.job = Job(job_id="j")
        self.job_errors: list[grpc.StatusCode] = []
        self.metadata: list[dict[str, str | bytes]] = []
        self._script = script
        self._arrived = asyncio.Condition()

    async def came(self, count: int) -> None:
        """Wait until this many watches have started."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)

    async def WatchJob(self, request: WatchJobRequest, context: Context) -> None:  # type: ignore[override]
        """Run the next step."""
        self._note(context)
        async with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()
        step = self._script[min(len(self.requests), len(self._script)) - 1]
        try:
            await step(Stream(request, context))
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def GetJob(self, request: GetJobRequest, context: Context) -> GetJobResponse:
        """Return ``job``, or fail."""
        self._note(context)
        if self.job_errors:
            await context.abort(self.job_errors.pop(0), "no")
        return GetJobResponse(job=self.job)

    async def SubmitJob(self, request: Any, context: Any) -> Any:
        """Not supported."""
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "")

    ListJobs = SubmitJob
    CancelJob = SubmitJob
    DeleteJob = SubmitJob
    WhoAmI = ShareJob = RevokeShares = GetHistory = SubmitJob

    def WatchJobs(self, request: Any, context: Any) -> AsyncIterator[WatchJobsResponse]:
        """Not supported."""
        raise NotImplementedError

    def _note(self, context: Context) -> None:
        self.metadata.append(dict(context.invocation_metadata() or ()))


_Servicer = TypeVar("_Servicer", bound=ScriptedServer)


@asynccontextmanager
async def scripted(*script: Step) -> AsyncIterator[ScriptedServer]:
    """Run the script on a free loopback port."""
    async with serving(ScriptedServer(script)) as servicer:
        yield servicer


@asynccontextmanager
async def serving(servicer: _Servicer) -> AsyncIterator[_Servicer]:
    """Serve on a free loopback port."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_JobServiceServicer_to_server(servicer, server)
    servicer.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield servicer
    finally:
        await server.stop(None)
