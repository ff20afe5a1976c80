"""Workers with misbehaving servers."""

from __future__ import annotations

import asyncio

import grpc.aio
import pytest

from milepost.client import Worker
from milepost.client.errors import PermissionDenied, ProtocolError, Unauthenticated, Unimplemented
from milepost.v1 import (
    Acknowledged,
    Drain,
    ErrorReason,
    Rejected,
    Resumed,
    Welcome,
)
from tests.support.scripted_sessions import (
    Stream,
    assignment,
    scripted,
    worker_at,
)


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
    with pytest.raises(ValueError, match=r"cannot be called .*: a kind is 1 to 64 "):
        worker.job("No Kind")
    with pytest.raises(ValueError, match="max_concurrency"):
        Worker(max_concurrency=0)
    with pytest.raises(ValueError, match="worker_id"):
        Worker(worker_id="")


async def test_a_job_that_the_store_cannot_tell_of_is_kept() -> None:
    """The worker hears what the server says of its others, and then resumes it on another session."""
    done = asyncio.Event()
    kept: list[list[str]] = []
    over = ErrorReason.ERROR_REASON_JOB_ENDED

    async def assigns(stream: Stream) -> None:
        await stream.welcomes()
        for job_id in ("j", "k"):
            await stream.says(assignment=assignment(job_id))
        await stream.hears("report")
        await stream.context.abort(grpc.StatusCode.UNAVAILABLE, "trouble")

    async def is_behind(stream: Stream) -> None:
        kept.append([*(await stream.welcomes()).job_ids])
        for _ in range(2):
            await stream.hears("resume")
        unknown = ErrorReason.ERROR_REASON_STORE_UNAVAILABLE
        await stream.says(rejected=Rejected(job_id="j", lease_token="t", reason=unknown))
        await stream.says(rejected=Rejected(job_id="k", lease_token="t", reason=over))
        await stream.ends()

    async def is_not(stream: Stream) -> None:
        kept.append([*(await stream.welcomes()).job_ids])
        await stream.hears("resume")
        await stream.says(rejected=Rejected(job_id="j", lease_token="t", reason=over))
        done.set()
        await stream.ends()

    async with scripted(assigns, is_behind, is_not) as server:
        worker = worker_at(server, max_concurrency=2)
        running = asyncio.create_task(worker.run())
        await done.wait()
        worker.stop()
        await running
    assert kept == [["j", "k"], ["j"]]
