"""A server that does to its subscribers what a script says, for faults that a good server does not have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio

from milepost.v1 import (
    CaughtUp,
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
Play = Callable[["Stream"], Awaitable[None]]


class Stream:
    """One watch, as the server sees it."""

    def __init__(self, request: WatchJobRequest, context: Context) -> None:
        self.request = request
        self.context = context

    async def open(self, *, cursor: int | None = None, epoch: str = "e", head: int = 0) -> None:
        """The first frame."""
        cursor = self.request.after_sequence if cursor is None else cursor
        opened = Opened(epoch=epoch, first_sequence=1, head_sequence=head, cursor=cursor)
        await self.context.write(WatchJobResponse(opened=opened))

    async def events(self, *sequences: int, end: bool = False) -> None:
        """Events; with `end` the last one ends the job."""
        events = [Event(job_id=self.request.job_id, sequence=sequence) for sequence in sequences]
        if end:
            events[-1].job_ended.CopyFrom(JobEnded(state=JobState.JOB_STATE_SUCCEEDED))
        await self.context.write(WatchJobResponse(events=Events(events=events)))

    async def caught_up(self, sequence: int) -> None:
        """The head is reached."""
        await self.context.write(WatchJobResponse(caught_up=CaughtUp(sequence=sequence)))

    async def status(self, sequence: int) -> None:
        """Nothing happens."""
        await self.context.write(WatchJobResponse(status=Status(cursor=sequence, head_sequence=sequence)))

    async def snapshot(self, sequence: int, state: JobState.ValueType = JobState.JOB_STATE_RUNNING) -> None:
        """The job as it stands."""
        job = Job(job_id=self.request.job_id, state=state, last_sequence=sequence, epoch="e")
        await self.context.write(WatchJobResponse(snapshot=Snapshot(job=job)))

    async def fail(self, code: grpc.StatusCode, text: str = "") -> None:
        """Ends with a bare status."""
        await self.context.abort(code, text)

    async def hang(self) -> None:
        """Says nothing more."""
        await asyncio.Event().wait()


class ScriptedServer(JobServiceServicer):
    """Plays one part of the script for each watch; the last part for all that follow.

    ``requests`` are the watches that came; ``cancelled`` is set when a subscriber has cancelled one; ``job`` is what
    GetJob tells; ``metadata`` is what calls carried.
    """

    def __init__(self, script: Sequence[Play]) -> None:
        self.address = ""
        self.requests: list[WatchJobRequest] = []
        self.cancelled = asyncio.Event()
        self.job = Job(job_id="j")
        self.metadata: list[dict[str, str | bytes]] = []
        self._script = script
        self._came = asyncio.Condition()

    async def came(self, count: int) -> None:
        """Waits until so many watches have come."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.requests) >= count)

    async def WatchJob(self, request: WatchJobRequest, context: Context) -> None:  # type: ignore[override]
        """Plays the next part."""
        self._note(context)
        async with self._came:
            self.requests.append(request)
            self._came.notify_all()
        play = self._script[min(len(self.requests), len(self._script)) - 1]
        try:
            await play(Stream(request, context))
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def GetJob(self, request: GetJobRequest, context: Context) -> GetJobResponse:
        """The job as it is said to stand."""
        self._note(context)
        return GetJobResponse(job=self.job)

    async def SubmitJob(self, request: Any, context: Any) -> Any:
        """Not played."""
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "")

    ListJobs = SubmitJob
    CancelJob = SubmitJob
    DeleteJob = SubmitJob

    def WatchJobs(self, request: Any, context: Any) -> AsyncIterator[WatchJobsResponse]:
        """Not played."""
        raise NotImplementedError

    def _note(self, context: Context) -> None:
        self.metadata.append(dict(context.invocation_metadata() or ()))


@asynccontextmanager
async def scripted(*script: Play) -> AsyncIterator[ScriptedServer]:
    """Serves the script on a free loopback port."""
    servicer = ScriptedServer(script)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_JobServiceServicer_to_server(servicer, server)
    servicer.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield servicer
    finally:
        await server.stop(None)
