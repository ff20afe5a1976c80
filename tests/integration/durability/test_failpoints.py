"""The server killed between any two steps: each report is in the log once, and each job has one end."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing

import grpc
import pytest

from milepost.client import Client, JobContext
from milepost.client.errors import Unreachable
from milepost.server import failpoints
from milepost.v1 import Event, JobState, RetryPolicy, SubmitJobRequest
from tests.support.command import milepost
from tests.support.following import follow
from tests.support.forking import Forkery
from tests.support.reporting import Reporter
from tests.support.rpc import connect, eventually, kinds
from tests.support.server import ServerProcess
from tests.support.validators import History, Recording, check
from tests.support.working import working

LINES = [str(number) for number in range(1, 21)]

# A worker reports up to five lines at once, with up to ten unacknowledged: this is in the middle.
LATER = 15


async def test_failpoints_are_off_by_default(server: ServerProcess) -> None:
    """A server logs that they are on; without the variable they are off."""
    async with connect(server.address) as rpc:
        await rpc.submit()

    assert server.failpoints == ""
    assert failpoints.armed() == []
    assert [line for line in server.log() if "failpoint" in line["event"]] == []


@pytest.mark.parametrize(
    "settings",
    [
        "commit.before",
        "commit.middle=kill",
        "commit.after=kill:0",
        "welcome.before=error",
        "commit.after=sleep",
    ],
)
def test_an_unknown_failpoint_is_refused(settings: str) -> None:
    """An unknown failpoint is refused."""
    with pytest.raises(ValueError, match="is not a failpoint"):
        failpoints.arm(f"commit.before=kill,{settings}")
    assert failpoints.armed() == []


async def test_a_server_with_an_unknown_failpoint_does_not_start() -> None:
    """The server does not start."""
    outcome = await milepost("serve", env={failpoints.VARIABLE: "commit.middle=kill"})

    assert (outcome.status, outcome.out) == (2, "")
    assert "'commit.middle=kill' is not a failpoint" in outcome.err


class Falling:
    """A server that crashes at a failpoint, and is then restarted."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self.commits = 0
        """How many there were when it fell."""

    async def arm(self, settings: str) -> None:
        """Start the server again with these failpoints."""
        self._server.kill()
        self._server.failpoints = settings
        await asyncio.to_thread(self._server.restart)

    async def fall(self, then: str = "") -> None:
        """Wait until it has crashed, and start it again, perhaps with another failpoint."""
        assert await asyncio.to_thread(self._server.wait) == -signal.SIGKILL
        with closing(sqlite3.connect(self._server.data / "milepost.db")) as database:
            (self.commits,) = database.execute("SELECT count(*) FROM log").fetchone()
        self._server.failpoints = then
        await asyncio.to_thread(self._server.restart)


@asynccontextmanager
async def falling(forkery: Forkery, server: ServerProcess) -> AsyncIterator[Falling]:
    """A server that has run a job."""
    async with connect(server.address) as rpc:
        reporter = Reporter(rpc, 0)
        await reporter.claim(1)
        for task in reporter.tasks:
            task.finish()
        await reporter.run()
        assert kinds(await rpc.log(reporter.tasks[0].job_id)) == ["job_submitted", "job_started", "job_ended"]
    yield Falling(server)


@pytest.fixture
async def server_to_fall(forkery: Forkery, server: ServerProcess) -> AsyncIterator[Falling]:
    """See `falling`."""
    async with falling(forkery, server) as found:
        yield found


@pytest.mark.parametrize(
    "point",
    [
        f"{what}.{side}=kill:{passage}"
        for what in ("commit", "acknowledged")
        for side in ("before", "after")
        for passage in (1, LATER)
    ],
)
async def test_a_worker_who_reports(server: ServerProcess, server_to_fall: Falling, point: str) -> None:
    """Rules 11 and 12: what was acknowledged is there, what was not is said again, and nothing is there twice.

    Rule 2: what was shown is there, too.
    """
    async with connect(server.address) as rpc:
        reporter = Reporter(rpc, 1)
        await reporter.claim(1)
        (task,) = reporter.tasks
        seen = Recording(breaks=True)
        await server_to_fall.arm(point)
        async with asyncio.TaskGroup() as group:
            group.create_task(follow(rpc, task.job_id, seen))
            group.create_task(reporter.run())
            await server_to_fall.fall()
            said = task.made
            task.finish()
        log = await rpc.log(task.job_id)

    assert said > 0
    assert reporter.sessions == 2
    assert server_to_fall.commits > 3 or point.endswith(":1")
    assert kinds(log) == ["job_submitted", "job_started", *["log_written"] * len(task.lines), "job_ended"]
    assert task.lines == [event.log_written.text for event in log if event.HasField("log_written")]
    assert log == seen.events
    check(seen, History.of_log(log))


@pytest.mark.parametrize(
    "point", ["commit.before", "commit.after", "acknowledged.before", "acknowledged.after"]
)
async def test_the_end_of_a_job(server: ServerProcess, server_to_fall: Falling, point: str) -> None:
    """Rule 11: a worker without an acknowledgement repeats the end, and the job has one end."""
    async with connect(server.address) as rpc:
        reporter = Reporter(rpc, 1)
        await reporter.claim(2)
        ending, other = reporter.tasks
        ending.finish()  # with the very first report; the other job keeps the worker connected
        await server_to_fall.arm(f"{point}=kill")
        async with asyncio.TaskGroup() as group:
            group.create_task(reporter.run())
            await server_to_fall.fall()
            other.finish()
        log = await rpc.log(ending.job_id)

    assert server_to_fall.commits > 3
    assert reporter.sessions == 2
    assert kinds(log) == ["job_submitted", "job_started", "job_ended"]


@pytest.mark.parametrize(
    ("point", "kept"),
    [pytest.param("commit.before", 0, id="before"), pytest.param("commit.after", 1, id="after")],
)
async def test_a_submission(server: ServerProcess, server_to_fall: Falling, point: str, kept: int) -> None:
    """A client without an answer submits again, and there is one job."""
    request = SubmitJobRequest(kind="k", job_id="j", request_id="r")
    async with connect(server.address) as rpc:
        before = await rpc.submit()
        await server_to_fall.arm(f"{point}=kill")
        submitting = asyncio.ensure_future(rpc.jobs.SubmitJob(request, wait_for_ready=True))
        await server_to_fall.fall()
        with pytest.raises(grpc.aio.AioRpcError):
            await submitting
        assert server_to_fall.commits == 4 + kept
        job = (await rpc.jobs.SubmitJob(request, wait_for_ready=True)).job
        log = await rpc.log("j")

    assert (job.job_id, job.state) == ("j", JobState.JOB_STATE_QUEUED)
    assert before.state == JobState.JOB_STATE_QUEUED
    assert kinds(log) == ["job_submitted"]


@pytest.mark.parametrize(
    ("point", "then"),
    [
        ("commit.before=kill:2", ""),
        ("commit.after=kill:2", ""),
        ("assignment.before=kill", ""),
        ("assignment.after=kill", ""),
        ("acknowledged.before=kill:3", ""),
        ("acknowledged.after=kill:3", ""),
        ("acknowledged.before=kill:3", "resumed.before=kill"),
        ("acknowledged.before=kill:3", "resumed.after=kill"),
        ("acknowledged.before=kill:3", "welcome.before=kill"),
    ],
)
async def test_a_worker_of_the_sdk(
    tmp_path_factory: pytest.TempPathFactory, forkery: Forkery, point: str, then: str
) -> None:
    """It continues its jobs; a job whose assignment was lost runs all the same."""
    attempts: list[int] = []
    has_fallen = asyncio.Event()

    async def steps(job: JobContext) -> dict[str, object]:
        attempts.append(job.attempt)
        for line in LINES:
            job.log(line)
            await asyncio.sleep(0.001)  # so that it takes more than one report
        if then:
            await has_fallen.wait()  # so that there is a job to go on with
        return {}

    data = tmp_path_factory.mktemp("falling") / "data"
    with ServerProcess(data, forkery=forkery) as server:
        async with falling(forkery, server) as server_to_fall, Client(server.address) as client:
            await server_to_fall.arm(point)
            async with working(server.address, steps=steps, max_concurrency=3 if then else 2):
                async with asyncio.TaskGroup() as group:
                    jobs = [group.create_task(submitted(client, f"j{number}")) for number in range(3)]
                    await server_to_fall.fall(then)
                    if then:
                        await server_to_fall.fall()
                    has_fallen.set()
                logs = [await ended(client, job.result()) for job in jobs]
            commits = server_to_fall.commits

    assert commits > 3
    assert len(attempts) >= 3
    for log in logs:
        last = max(event.attempt for event in log)
        assert [e.log_written.text for e in log if e.attempt == last and e.HasField("log_written")] == LINES
        assert [("job_ended", len(log))] == [
            (kind, event.sequence) for kind, event in zip(kinds(log), log, strict=True) if kind == "job_ended"
        ]
        assert log[-1].job_ended.state == JobState.JOB_STATE_SUCCEEDED
        assert list(range(1, len(log) + 1)) == [event.sequence for event in log]


async def submitted(client: Client, job_id: str) -> str:
    """Submit a job until the call succeeds."""

    async def submit() -> str:
        try:
            policy = RetryPolicy(max_attempts=3)
            policy.initial_backoff.FromMilliseconds(10)
            job = await client.submit("steps", job_id=job_id, request_id=job_id, retry_policy=policy)
        except Unreachable:
            return ""
        return job.job_id

    return str(await eventually(submit))


async def ended(client: Client, job_id: str) -> Sequence[Event]:
    """Wait for the end of a job; return its log."""
    return [event async for event in client.watch(job_id)]
