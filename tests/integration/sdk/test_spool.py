"""The end of a job while the server is away: spooled, and delivered by the next worker (rules 11 and 15)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from milepost.client import Client, JobContext, Worker
from milepost.client._worker.spool.spool_directory import SpoolDirectory
from milepost.v1 import Event, JobState, Report, Stage
from tests.support.command import started
from tests.support.rpc import Rpc, connect, eventually, kinds, log_line, succeeded
from tests.support.server import ServerProcess
from tests.support.working import working


@pytest.fixture
async def rpc(server: ServerProcess) -> AsyncIterator[Rpc]:
    """A client of a server of the test's own."""
    async with connect(server.address) as rpc:
        yield rpc


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The spool of the workers."""
    return tmp_path / "spool"


def kept(directory: Path) -> list[Path]:
    """The spooled files."""
    return list(directory.glob("*.report"))


def nothing_in(directory: Path) -> bool:
    """Whether the spool is empty, also of locks."""
    return not any(directory.iterdir())


def lines(events: Sequence[Event]) -> list[str]:
    """The log lines of the job."""
    return [event.log_written.text for event in events if event.HasField("log_written")]


@asynccontextmanager
async def idle(address: str, directory: Path) -> AsyncIterator[None]:
    """A worker without jobs, with the spool."""
    worker = Worker(address, spool=directory, drain_timeout=0.0)
    worker.job("nothing")(lambda job: None)
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await running


async def delivered(address: str, job_id: str, directory: Path) -> list[Event]:
    """Have a new worker deliver the spool, and check that it is empty then; return the job's log."""
    async with connect(address) as rpc, idle(address, directory):
        events = await rpc.ended(job_id)
        await empty(directory)
    assert nothing_in(directory)
    return events


async def empty(directory: Path) -> None:
    """Wait until the spool is empty."""

    async def condition() -> bool:
        return not kept(directory)

    await eventually(condition)


async def full(directory: Path) -> None:
    """Wait until the spool has a report."""

    async def condition() -> bool:
        return bool(kept(directory))

    await eventually(condition)


async def begun(rpc: Rpc, job_id: str) -> None:
    """Wait until the job's handler runs."""

    async def condition() -> bool:
        return "before" in lines(await rpc.log(job_id))

    await eventually(condition)


class Held:
    """A worker with a running job that ends on request, with further reports."""

    def __init__(self, rpc: Rpc, address: str, **options: Any) -> None:
        self.worker = Worker(address, flush_timeout=0.0, drain_timeout=120.0, **options)
        self.worker.job(rpc.kind)(self._work)
        self.job_id = ""
        self._rpc = rpc
        self._job: JobContext | None = None
        self._may_end = asyncio.Event()

    async def begin(self) -> None:
        """Submit the job, and wait until its first line is acknowledged."""
        self.job_id = (await self._rpc.submit()).job_id
        self._running = asyncio.create_task(self.worker.run())

        async def is_acknowledged() -> bool:
            return self._job is not None and self._job._control.reporter.is_empty

        await eventually(is_acknowledged)

    def end(self) -> None:
        """Let the job end."""
        self._may_end.set()

    async def stop(self) -> None:
        """Stop the worker."""
        self.worker.stop()
        await self._running

    async def _work(self, job: JobContext) -> dict[str, int]:
        job.log("before")
        self._job = job
        await self._may_end.wait()
        for number in range(1000):
            job.log(str(number))
        return {"n": 42}


async def test_an_undelivered_end_is_delivered_by_the_next_worker(
    server: ServerProcess, rpc: Rpc, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The worker stops without the server; each line and the result arrive exactly once."""
    held = Held(rpc, server.address, spool=directory)
    await held.begin()
    server.kill()
    held.end()
    await held.stop()
    assert len(kept(directory)) == 1
    assert f"job {held.job_id}: 1001 updates with the end of the job are not delivered yet" in caplog.text

    server.restart()
    events = await delivered(server.address, held.job_id, directory)
    assert lines(events) == ["before", *map(str, range(1000))]
    last = events[-1]
    assert (
        last.attempt,
        last.job_ended.state,
        last.job_ended.result["n"],
    ) == (1, JobState.JOB_STATE_SUCCEEDED, 42.0)


async def test_a_server_that_is_silent_holds_nobody_up(
    server: ServerProcess, rpc: Rpc, directory: Path
) -> None:
    """The server may have the reports although it did not acknowledge them: repeats are in the log once."""
    held = Held(rpc, server.address, spool=directory)
    await held.begin()
    os.kill(server.pid, signal.SIGSTOP)
    held.end()
    await held.stop()
    assert len(kept(directory)) == 1

    os.kill(server.pid, signal.SIGCONT)
    events = await delivered(server.address, held.job_id, directory)
    assert lines(events) == ["before", *map(str, range(1000))]
    assert events[-1].job_ended.result["n"] == 42.0


async def test_a_killed_worker_has_spooled_its_reports(
    server: ServerProcess, rpc: Rpc, directory: Path, tmp_path: Path
) -> None:
    """After the flush timeout the report is spooled, while the worker still retries; a killed worker loses nothing."""
    (tmp_path / "jobs.py").write_text(
        dedent(
            """
            import pathlib, time
            from milepost.client import Worker

            worker = Worker(flush_timeout=0.1)

            @worker.job("k")
            def handler(job):
                job.log("before")
                while not pathlib.Path("may-end").exists():
                    time.sleep(0.01)
                return {"n": 42}
            """
        )
    )
    job_id = (await rpc.submit(kind="k")).job_id
    async with started(
        "worker", "jobs:worker", address=server.address, cwd=tmp_path, env={"MILEPOST_SPOOL": str(directory)}
    ) as worker:
        await begun(rpc, job_id)
        server.kill()
        (tmp_path / "may-end").touch()
        await full(directory)
        worker.signal(signal.SIGKILL)
        await worker.end()
    server.restart()
    events = await delivered(server.address, job_id, directory)
    assert (lines(events), events[-1].job_ended.result["n"]) == (["before"], 42.0)


async def test_acknowledged_reports_leave_the_spool(server: ServerProcess, rpc: Rpc, directory: Path) -> None:
    """Spooled reports are removed when the server is back and has acknowledged them."""
    held = Held(rpc, server.address, spool=directory)
    await held.begin()
    server.kill()
    held.end()
    await full(directory)
    server.restart()
    events = await rpc.ended(held.job_id)
    await empty(directory)
    await held.stop()
    assert lines(events) == ["before", *map(str, range(1000))]
    assert nothing_in(directory)


async def test_delivered_reports_are_not_sent_twice(shared_server: ServerProcess, directory: Path) -> None:
    """Whichever part was accepted without an acknowledgement: also the end, and all of it."""
    updates = [log_line("1"), log_line("2"), log_line("3"), succeeded()]
    async with connect(shared_server.address) as rpc, rpc.session() as session:
        jobs = []
        for taken in range(len(updates) + 1):
            await rpc.submit()
            job, token = await session.take()
            if taken:
                await session.report(job.job_id, token, 1, *updates[:taken])
                await session.acknowledged(taken)
            spool = SpoolDirectory(directory)
            for report in spool.recovered:
                spool.write(report)
            spool.write(
                Report(job_id=job.job_id, lease_token=token, first_report_sequence=1, updates=updates)
            )
            spool.close()
            jobs.append(job.job_id)
        async with idle(shared_server.address, directory):
            for job_id in jobs:
                assert lines(await rpc.ended(job_id)) == ["1", "2", "3"]
            await empty(directory)
            job = await rpc.submit(kind="nothing")  # it has a free slot again
            assert kinds(await rpc.ended(job.job_id))[-1] == "job_ended"


async def test_undeliverable_reports_are_removed_with_a_warning(
    shared_server: ServerProcess, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """If the lease expired, the job was deleted, or earlier entries are missing: a warning names what is lost."""
    async with connect(shared_server.address) as rpc, rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        spool = SpoolDirectory(directory)
        for job_id, lease_token, first in (
            (job.job_id, "of an earlier attempt", 1),
            ("no-such-job", "t", 1),
            (job.job_id, token, 7),
        ):
            spool.write(
                Report(
                    job_id=job_id,
                    lease_token=lease_token,
                    first_report_sequence=first,
                    updates=[log_line("late"), succeeded()],
                )
            )
        spool.close()
        async with idle(shared_server.address, directory):
            await empty(directory)
        await session.report(job.job_id, token, 1, succeeded())
        assert lines(await rpc.ended(job.job_id)) == []
    assert caplog.text.count("2 updates with the end SUCCEEDED") == 3
    for reason in (
        "LEASE_LOST",
        "JOB_NOT_FOUND",
        "the server expects report 1, which the spool does not have",
    ):
        assert reason in caplog.text


async def test_without_a_spool_losses_are_logged(
    server: ServerProcess, rpc: Rpc, caplog: pytest.LogCaptureFixture
) -> None:
    """The worker stops, and the job's lease expires."""
    held = Held(rpc, server.address)
    await held.begin()
    server.kill()
    held.end()
    await held.stop()
    assert (
        f"job {held.job_id}: 1001 updates with the end of the job were not delivered and are lost"
        in caplog.text
    )


async def test_an_idle_worker_that_stops_with_its_server_does_not_look_for_another(
    server: ServerProcess, tmp_path: Path
) -> None:
    """It does not log anything about running jobs either."""
    (tmp_path / "jobs.py").write_text(
        dedent(
            """
            from milepost.client import Worker

            worker = Worker()
            worker.job("k")(lambda job: None)
            """
        )
    )
    async with started("worker", "jobs:worker", address=server.address, cwd=tmp_path) as worker:
        await worker.says("is connected to")
        worker.signal(signal.SIGTERM)
        server.kill()
        outcome = await worker.end()
    assert outcome.status == 0
    assert "the worker is stopping" in outcome.err
    assert "running jobs" not in outcome.err


async def test_the_server_accepts_every_update_of_the_sdk(
    shared_server: ServerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    """Texts are clipped where it can be seen, and what is refused is refused where it is given. So the server takes
    each update, however near to its bounds, and each report with as many of them as may be in one.
    """
    wide = "ä€😀\udcff"

    async def handler(job: JobContext) -> dict[str, str]:
        job.plan([Stage(stage_id="s", title=wide[:3] * 1000, unit="u" * 99, message="m" * 9999)])
        async with job.stage("t" * 128, title=wide * 500, unit=wide * 50) as stage:
            stage.update(1, total=2, message=wide * 5000)
            for size in (65_535, 65_536, 65_537, 300_000):
                job.log("x" * size, stage=stage)
                job.log(wide * (size // 9), **{wide: "y" * (size // 2), "z": "y" * (size // 3)})
            for size in (262_000, 262_100, 262_129, 262_130):
                for _ in range(5):
                    with contextlib.suppress(ValueError):
                        job.emit("e" * 6, {"x": "y" * size})
            for number in range(200):
                job.log(str(number) + "w" * 30_000)
            job.artifact("n" * 256, "u" * 2048, media_type="m" * 256)
            deep: dict[str, object] = {}
            for _ in range(29):
                deep = {"d": deep}
            with contextlib.suppress(ValueError):
                job.emit("deep", deep)
            job.log("deep", deep={"d": {"d": deep}})
            stage.skip(wide * 5000)
        job.stage("after").update(message="done")
        return {"x": "y" * 1_048_000}

    async with Client(shared_server.address) as client, working(client.address, limits=handler):
        job = await client.submit("limits")
        await client.result(job.job_id)
        events = [event async for event in client.watch(job.job_id)]
    assert [record.getMessage() for record in caplog.records if "refused" in record.getMessage()] == []
    assert events[-1].job_ended.state == JobState.JOB_STATE_SUCCEEDED
    texts = [event.log_written.text for event in events if event.HasField("log_written")]
    # With four warnings: a key that is not Unicode, truncated fields and event, and one nested too deeply.
    assert len(texts) == 213
    clipped = [text for text in texts if text.endswith("characters]")]
    assert {text[0] for text in clipped} == {"x", "ä"}
    assert 65_536 >= max(len(text.encode()) for text in texts) > 65_500
    assert 1 + 256 * 1024 > max(event.custom.ByteSize() for event in events) > 256 * 1024 - 100
