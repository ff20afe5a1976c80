"""Workers with misbehaving servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.client import JobContext, Worker
from milepost.client.errors import PermissionDenied, ProtocolError, Unauthenticated, Unimplemented
from milepost.v1 import (
    Acknowledged,
    Assignment,
    Drain,
    ErrorReason,
    Hello,
    Job,
    Rejected,
    ReportJobRequest,
    ReportJobResponse,
    Resumed,
    Welcome,
    WorkRequest,
    WorkResponse,
)
from milepost.v1.worker_service_pb2_grpc import WorkerServiceServicer, add_WorkerServiceServicer_to_server

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


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, Unauthenticated),
        (grpc.StatusCode.PERMISSION_DENIED, PermissionDenied),
        (grpc.StatusCode.UNIMPLEMENTED, Unimplemented),
    ],
)
async def test_what_trying_again_does_not_help_against_is_raised(
    code: grpc.StatusCode, error: type[Exception]
) -> None:
    """A permanent refusal is raised rather than retried forever."""

    async def refuse(stream: Stream) -> None:
        await stream.context.abort(code, "no")

    async with scripted(refuse) as server:
        with pytest.raises(error):
            await worker_at(server).run()


async def test_a_session_begins_with_welcome() -> None:
    """Any other first message violates the contract."""

    async def wrong(stream: Stream) -> None:
        await stream.says(drain=Drain())
        await stream.ends()

    async with scripted(wrong) as server:
        with pytest.raises(ProtocolError, match="welcome"):
            await worker_at(server).run()


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        None,
    ],
)
async def test_everything_else_passes(code: grpc.StatusCode | None) -> None:
    """A worker reconnects with its jobs after any transient error, and continues after the server's last report."""
    done = asyncio.Event()

    async def troubled(stream: Stream) -> None:
        await stream.welcomes()
        await stream.says(assignment=assignment())
        await stream.hears("report")
        if code is not None:
            await stream.context.abort(code, "trouble")

    async def good(stream: Stream) -> None:
        assert (await stream.welcomes()).max_concurrency == 0  # its capacity is used
        resume = (await stream.hears("resume")).resume
        assert (resume.job_id, resume.lease_token) == ("j", "t")
        await stream.says(resumed=Resumed(job_id="j", acknowledged_report_sequence=1))
        capacity = await stream.hears("capacity")
        assert capacity.capacity.max_concurrency == 1
        report = (await stream.hears("report")).report
        assert (
            report.first_report_sequence,
            [update.WhichOneof("update") for update in report.updates],
        ) == (2, ["job_ended"])
        await stream.says(acknowledged=Acknowledged(job_id="j", report_sequence=2))
        done.set()
        await stream.ends()

    async with scripted(troubled, good) as server:
        worker = worker_at(server)
        running = asyncio.create_task(worker.run())
        await done.wait()
        worker.stop()
        await running
    assert server.sessions == 2


async def test_a_store_in_trouble_is_come_back_to() -> None:
    """A refusal by the store uses up no number: the same report is sent again on a new session."""
    done = asyncio.Event()
    reports: list[int] = []

    async def full(stream: Stream) -> None:
        await stream.welcomes()
        await stream.says(assignment=assignment())
        reports.append((await stream.hears("report")).report.first_report_sequence)
        await stream.says(rejected=Rejected(job_id="j", reason=ErrorReason.ERROR_REASON_STORE_FULL))
        await stream.ends()

    async def emptied(stream: Stream) -> None:
        await stream.welcomes()
        await stream.hears("resume")
        await stream.says(resumed=Resumed(job_id="j"))
        await stream.hears("capacity")
        reports.append((await stream.hears("report")).report.first_report_sequence)
        await stream.says(acknowledged=Acknowledged(job_id="j", report_sequence=2))
        done.set()
        await stream.ends()

    async with scripted(full, emptied) as server:
        worker = worker_at(server)
        running = asyncio.create_task(worker.run())
        await done.wait()
        worker.stop()
        await running
    assert reports == [1, 1]


async def test_jobs_that_nobody_wants_are_given_back() -> None:
    """A job of a kind without a handler is released at once."""
    done = asyncio.Event()

    async def wrong(stream: Stream) -> None:
        await stream.welcomes()
        await stream.says(assignment=assignment(kind="other"))
        release = (await stream.hears("release")).release
        assert (release.job_id, release.lease_token) == ("j", "t")
        done.set()
        await stream.ends()

    async with scripted(wrong) as server:
        worker = worker_at(server)
        running = asyncio.create_task(worker.run())
        await done.wait()
        worker.stop()
        await running


async def test_a_worker_that_stops_before_it_is_welcome() -> None:
    """It waits for the welcome, since a job may come with it; after such a job it connects once more."""
    hellos = []

    async def give_at_once(stream: Stream) -> None:
        hellos.append((await stream.hears("hello")).hello)
        worker.stop()
        for _ in range(100):
            await asyncio.sleep(0)
        await stream.says(welcome=Welcome(session_id="s"))
        await stream.says(assignment=assignment())
        await stream.ends()

    async def listen(stream: Stream) -> None:
        hellos.append(await stream.welcomes())
        await stream.ends()

    async with scripted(give_at_once, listen) as server:
        worker = worker_at(server)
        await worker.run()

    first, last = hellos
    assert (last.instance, last.max_concurrency, list(last.job_ids)) == (first.instance, 0, [])


async def test_a_newer_attempt_replaces_an_older_one() -> None:
    """If a worker gets the same job again, only the new lease counts."""
    done = asyncio.Event()

    async def again(stream: Stream) -> None:
        await stream.welcomes()
        await stream.says(assignment=assignment(token="old"))
        assert (await stream.hears("report")).report.lease_token == "old"
        await stream.says(assignment=assignment(token="new"))
        while True:
            request = await stream.hears("report")
            if request.report.lease_token == "new":
                break
        assert request.report.first_report_sequence == 1
        await stream.says(acknowledged=Acknowledged(job_id="j", report_sequence=2))
        done.set()
        await stream.ends()

    async with scripted(again) as server:
        worker = worker_at(server, max_concurrency=2)
        running = asyncio.create_task(worker.run())
        await done.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_heartbeats_are_as_often_as_the_server_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each session uses the heartbeat interval of its welcome."""
    sleep, slept = asyncio.sleep, []
    intervals = [3601.0, 7203.0]  # no other sleep is as long

    async def skip(seconds: float) -> None:
        if seconds in intervals:
            slept.append(seconds)
        await sleep(0 if seconds in intervals else seconds)

    monkeypatch.setattr(asyncio, "sleep", skip)
    done = asyncio.Event()

    async def listens(stream: Stream) -> None:
        await stream.welcomes(heartbeat=intervals[0])
        for _ in range(3):
            await stream.beats()

    async def listens_again(stream: Stream) -> None:
        slept.clear()
        await stream.welcomes(heartbeat=intervals[1])
        for _ in range(3):
            await stream.beats()
        done.set()
        await stream.ends()

    async with scripted(listens, listens_again) as server:
        worker = worker_at(server)
        running = asyncio.create_task(worker.run())
        await done.wait()
        worker.stop()
        await running
    assert set(slept) == {intervals[1]}
    assert len(slept) >= 3


async def test_a_worker_can_be_stopped_while_nobody_is_there() -> None:
    """A disconnected worker can stop, and may run again afterwards."""
    async with scripted() as server:
        worker = worker_at(server)
    for _ in range(2):
        running = asyncio.create_task(worker.run())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="runs already"):
            await worker.run()
        worker.stop()
        await running
    worker.stop()


async def test_a_worker_without_handlers_is_a_mistake() -> None:
    """It is an error at once, as are invalid and duplicate kinds."""
    worker = Worker("127.0.0.1:1")
    with pytest.raises(RuntimeError, match="no handlers"):
        await worker.run()
    worker.job("k")(lambda job: None)
    assert worker.kinds == ("k",)
    with pytest.raises(ValueError, match="already"):
        worker.job("k")
    with pytest.raises(ValueError, match="cannot be called"):
        worker.job("No Kind")
    with pytest.raises(ValueError, match="max_concurrency"):
        Worker(max_concurrency=0)
    with pytest.raises(ValueError, match="worker_id"):
        Worker(worker_id="")
