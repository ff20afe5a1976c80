"""A server that plays a script to workers, session by session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
from google.protobuf.duration_pb2 import Duration

from milepost.client import JobContext, Worker
from milepost.v1 import (
    Assignment,
    Hello,
    Job,
    ReportJobRequest,
    ReportJobResponse,
    Welcome,
    WorkRequest,
    WorkResponse,
)
from milepost.v1.worker_service_pb2_grpc import WorkerServiceServicer, add_WorkerServiceServicer_to_server

__all__ = ["Context", "Play", "ScriptedServer", "Stream", "assignment", "scripted", "worker_at"]


Context = grpc.aio.ServicerContext[Any, Any]


class Stream:
    """One session at the server."""

    def __init__(self, incoming: AsyncIterator[WorkRequest], context: Context) -> None:
        self._incoming = incoming
        self.context = context

    async def hears(self, name: str) -> WorkRequest:
        """The worker's next message besides heartbeats, which must be of this kind."""
        async for request in self._incoming:
            if not request.HasField("heartbeat"):
                assert name == request.WhichOneof("message")
                return request
        raise AssertionError(f"the worker ended the stream before {name}")

    async def says(self, **message: Any) -> None:
        """Send a response."""
        await self.context.write(WorkResponse(**message))

    async def welcomes(self, heartbeat: float = 60.0) -> Hello:
        """Welcome the worker; return its hello."""
        hello = await self.hears("hello")
        interval = Duration()
        interval.FromNanoseconds(int(heartbeat * 1e9))
        await self.says(welcome=Welcome(session_id="s", heartbeat_interval=interval))
        return hello.hello

    async def beats(self) -> None:
        """Wait for a heartbeat, after which the worker has processed the welcome."""
        async for request in self._incoming:
            if request.HasField("heartbeat"):
                return
        raise AssertionError("the worker ended the stream before a heartbeat")

    async def ends(self) -> None:
        """Wait until the worker has half-closed the stream."""
        async for _ in self._incoming:
            pass


Play = Callable[[Stream], Awaitable[None]]


class ScriptedServer(WorkerServiceServicer):
    """Runs one step of the script for each session, and the last one for all later ones."""

    def __init__(self, script: tuple[Play, ...]) -> None:
        self.address = ""
        self.sessions = 0
        self.failures: list[BaseException] = []
        self._script = script

    async def Work(self, incoming: AsyncIterator[WorkRequest], context: Context) -> None:  # type: ignore[override]
        """Run the next step."""
        self.sessions += 1
        play = self._script[min(self.sessions, len(self._script)) - 1]
        try:
            await play(Stream(incoming, context))
        except AssertionError as failure:
            self.failures.append(failure)
            raise

    async def ReportJob(self, request: ReportJobRequest, context: Context) -> ReportJobResponse:
        """Not supported."""
        raise NotImplementedError


@asynccontextmanager
async def scripted(*script: Play) -> AsyncIterator[ScriptedServer]:
    """Run the script on a free loopback port."""
    servicer = ScriptedServer(script)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_WorkerServiceServicer_to_server(servicer, server)
    servicer.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield servicer
    finally:
        await server.stop(None)
    assert servicer.failures == []


def worker_at(server: ScriptedServer, **options: Any) -> Worker:
    """A worker whose jobs report one event, and end on request."""
    worker = Worker(server.address, worker_id="w", **options)

    @worker.job("k")
    async def handler(job: JobContext) -> dict[str, object]:
        job.log("hello")
        return {}

    return worker


def assignment(job_id: str = "j", kind: str = "k", token: str = "t") -> Assignment:
    """A job for the worker."""
    return Assignment(job=Job(job_id=job_id, kind=kind, attempt=1), lease_token=token)
