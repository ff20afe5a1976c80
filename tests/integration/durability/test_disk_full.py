"""A full or failing disk: everything acknowledged is durable, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest

from milepost.v1 import Claim, Dispatch, JobState, ListJobsRequest, Resume, SubmitJobRequest
from tests.support.bad_requests import struct
from tests.support.disk import Disk, FileLimit, small_disk
from tests.support.forking import Forkery
from tests.support.refused import refused
from tests.support.reporting import Reporter
from tests.support.rpc import Rpc, StreamEnded, WorkSession, connect, eventually, kinds, log_line, succeeded
from tests.support.server import ServerProcess

LINE = "x" * 1_000
BATCH = 20


class Reporting:
    """A worker that reports until it is refused, and records the acknowledgements and the refusal."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self.job_id = ""
        self.token = ""
        self.said = self.acknowledged = 0
        self.refusal = ""

    async def until_refused(self) -> None:
        """Claim a job and report."""
        async with self._rpc.session(kinds=[]) as session:
            self.job_id = (await self._rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id
            await session.send(claim=Claim(job_id=self.job_id))
            _, self.token = await session.take()
            try:
                while True:
                    await self._say(session)
            except (grpc.aio.AioRpcError, StreamEnded):
                self.refusal = (await refused(session.call.read())).reason

    async def _say(self, session: WorkSession) -> None:
        lines = [log_line(f"{number} {LINE}") for number in range(self.said + 1, self.said + 1 + BATCH)]
        await session.report(self.job_id, self.token, self.said + 1, *lines)
        self.said += BATCH
        while self.acknowledged < self.said:
            response = await session.next()
            if response.HasField("drain"):  # the server stops: the stream's status says why
                continue
            assert response.HasField("acknowledged"), response
            self.acknowledged = response.acknowledged.report_sequence

    async def go_on(self) -> None:
        """Resume, repeat the refused reports, and end the job."""
        async with self._rpc.session(kinds=[], wait_for_ready=True) as session:
            await session.send(resume=Resume(job_id=self.job_id, lease_token=self.token))
            stands = (await session.receive("resumed")).resumed.acknowledged_report_sequence
            assert self.acknowledged <= stands <= self.said
            self.said = stands
            await self._say(session)
            await session.report(self.job_id, self.token, self.said + 1, succeeded())
            await session.acknowledged(self.said + 1)


async def lines(rpc: Rpc, job_id: str) -> list[str]:
    """The numbers of the lines in the job's log."""
    log = await rpc.log(job_id)
    return [event.log_written.text.split()[0] for event in log if event.HasField("log_written")]


def counted(number: int) -> list[str]:
    """The numbers of this many lines."""
    return [str(each) for each in range(1, number + 1)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk that is soon full."""
    with small_disk(tmp_path / "disk") as found:
        yield found


async def test_a_full_disk(tmp_path: Path, disk: Disk, forkery: Forkery) -> None:
    """Writes are refused with STORE_FULL, or the server stops; reads go on; with room again nothing is missing."""
    with ServerProcess(disk.path, forkery=forkery) as server:
        epoch = server.epoch
        disk.narrow(server)
        async with connect(server.address) as rpc:
            reporting = Reporting(rpc)
            await reporting.until_refused()
            assert reporting.acknowledged > 0
            if reporting.refusal == "STORE_FULL":
                await is_refused_but_read(rpc, reporting)
                server.kill()
                server.restart()
                await eventually(lambda: is_there(rpc))
                await is_refused_but_read(rpc, reporting)
                disk.give_room(server)
            else:
                assert await asyncio.to_thread(server.wait) > 0
                disk.give_room(None)
                server.restart()
            await reporting.go_on()
            await is_whole(rpc, server, reporting, epoch)
    print(f"{type(disk).__name__}: {reporting.acknowledged} reports, then {reporting.refusal}")


async def is_refused_but_read(rpc: Rpc, reporting: Reporting) -> None:
    """Check that refused writes are absent, and everything else is readable."""
    request = SubmitJobRequest(kind=rpc.kind, input=struct({"x": LINE * 100}), job_id="large", request_id="r")
    for _ in range(3):
        refusal = await refused(rpc.jobs.SubmitJob(request))
        assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "STORE_FULL")
        assert counted(reporting.acknowledged) == await lines(rpc, reporting.job_id)
    assert (await rpc.get(reporting.job_id)).state == JobState.JOB_STATE_RUNNING
    assert (await refused(rpc.get("large"))).reason == "JOB_NOT_FOUND"


async def is_whole(rpc: Rpc, server: ServerProcess, reporting: Reporting, epoch: str) -> None:
    """Check that everything is there once, also after a crash, with the same epoch."""
    for _ in range(2):
        log = await rpc.log(reporting.job_id)
        assert counted(reporting.said) == await lines(rpc, reporting.job_id)
        assert kinds(log) == ["job_submitted", "job_started", *["log_written"] * reporting.said, "job_ended"]
        assert list(range(1, len(log) + 1)) == [event.sequence for event in log]
        server.kill()
        server.restart()
        assert epoch == server.epoch
        await eventually(lambda: is_there(rpc))


async def is_there(rpc: Rpc) -> bool:
    """Whether the server answers."""
    try:
        await rpc.jobs.ListJobs(ListJobsRequest())
    except grpc.aio.AioRpcError:
        return False
    return True


async def test_workers_retry_until_there_is_room(disk: Disk, forkery: Forkery) -> None:
    """Rules 11 and 12: they repeat refused reports while the disk is full and after; all are in the log once."""
    with ServerProcess(disk.path, forkery=forkery) as server:
        async with AsyncExitStack() as stack:
            rpcs = [await stack.enter_async_context(connect(server.address)) for _ in range(4)]
            reporters = [Reporter(rpc, seed) for seed, rpc in enumerate(rpcs)]
            for reporter in reporters:
                await reporter.claim(2)
            before = [reporter.acknowledged for reporter in reporters]
            disk.narrow(server)

            async def all_were_refused() -> bool:
                return all(reporter.refused >= 3 for reporter in reporters) or not server.runs

            async def all_got_on() -> bool:
                return all(reporter.acknowledged > b for reporter, b in zip(reporters, before, strict=True))

            async with asyncio.TaskGroup() as group:
                for reporter in reporters:
                    group.create_task(reporter.run())
                await eventually(all_got_on)
                await eventually(all_were_refused)
                if server.runs:
                    disk.give_room(server)
                else:
                    disk.give_room(None)
                    server.wait()
                    server.restart()
                before = [reporter.acknowledged for reporter in reporters]
                await eventually(all_got_on)
                for task in [task for reporter in reporters for task in reporter.tasks]:
                    task.finish()
            for reporter in reporters:
                for task in reporter.tasks:
                    log = await rpcs[0].log(task.job_id)
                    assert task.lines == [e.log_written.text for e in log if e.HasField("log_written")]
                    assert list(range(1, len(log) + 1)) == [event.sequence for event in log]
                    assert [len(log)] == [event.sequence for event in log if event.HasField("job_ended")]


@pytest.mark.parametrize("fault", ["a write", "commit.before=error:9", "commit.after=error:9"])
async def test_an_error_of_the_disk(tmp_path: Path, forkery: Forkery, fault: str) -> None:
    """Rule 12: nothing is acknowledged after it; the server logs it and exits; after a restart the store is whole."""
    data = tmp_path / "data"
    with ServerProcess(data, forkery=forkery) as server:
        epoch = server.epoch
        if fault == "a write":
            FileLimit(data).narrow(server)
        else:
            server.kill()
            server.failpoints = fault
            server.restart()
        async with connect(server.address) as rpc:
            reporting = Reporting(rpc)
            await reporting.until_refused()
            assert reporting.acknowledged > 0
            assert reporting.refusal in ("STORE_UNAVAILABLE", "DRAINING")
            status = await asyncio.to_thread(server.wait)
            server.failpoints = ""
            server.restart()
            await reporting.go_on()
            await is_whole(rpc, server, reporting, epoch)
    assert status > 0
    assert "disk I/O error" in server.log_path.read_text()
