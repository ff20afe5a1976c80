"""``kill -9`` of the server at any moment loses no acknowledged report, and no event that was sent."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from pathlib import Path

import grpc
import pytest

from milepost.v1 import JobFilter, JobState, Resume, WatchJobsRequest
from tests.support.following import follow, follow_all
from tests.support.reporting import Reporter, Task
from tests.support.rpc import Rpc, connect, eventually
from tests.support.server import ServerProcess
from tests.support.validators import History, Recording, check

WORKERS = 8
JOBS = 2
"""Of each worker; all but the last end between the kills."""

# The long form.
KILLS = 1_000
REPORTS = 1_000_000
ROUNDS = 50


class Killing:
    """``kill -9`` of a server under eight workers, at moments that nobody chose.

    ``ready`` is how many seconds it took after each kill until the server said that it was ready.
    """

    def __init__(self, server: ServerProcess, seed: int, *, kills: int, reports: int) -> None:
        """At least ``reports`` reports are acknowledged between two kills."""
        self._server = server
        self._random = random.Random(seed)
        self._kills = kills
        self._reports = reports
        self.ready: list[float] = []
        self.total = 0

    async def run(self) -> None:
        """Kill the server ``times`` times; the workers' jobs end in between, and the last one after that."""
        async with contextlib.AsyncExitStack() as stack:
            rpcs = [await stack.enter_async_context(connect(self._server.address)) for _ in range(WORKERS)]
            watching = await stack.enter_async_context(connect(self._server.address))
            for rpc in rpcs:
                rpc.kind = watching.kind
            reporters = [Reporter(rpc, self._random.getrandbits(32)) for rpc in rpcs]
            for reporter in reporters:
                await reporter.claim(JOBS)
            tasks = [task for each in zip(*(r.tasks for r in reporters), strict=True) for task in each]
            ending = tasks[:-WORKERS]
            seen = [Recording(breaks=True) for _ in tasks]
            of_all = Recording(breaks=True)
            async with asyncio.TaskGroup() as group:
                for reporter in reporters:
                    group.create_task(reporter.run())
                for task, recording in zip(tasks, seen, strict=True):
                    group.create_task(follow(watching, task.job_id, recording))
                group.create_task(follow_all(watching, len(tasks), of_all))
                for number in range(1, self._kills + 1):
                    await self._traffic(reporters)
                    for task in ending[: len(ending) * number // self._kills]:
                        task.finish()
                    await self._kill()
                for task in tasks:
                    task.finish()
            self.total += sum(reporter.acknowledged for reporter in reporters)
            assert all(reporter.sessions > 1 for reporter in reporters)
            assert sum(reporter.repeated for reporter in reporters) > 0
            assert sum(reporter.in_doubt for reporter in reporters) > 0
            await self._check(watching, tasks, seen, of_all)

    async def _traffic(self, reporters: Sequence[Reporter]) -> None:
        """Wait until every worker has progressed, and all together by ``reports`` reports."""
        before = [reporter.acknowledged for reporter in reporters]

        async def flowed() -> bool:
            moved = [reporter.acknowledged - b for reporter, b in zip(reporters, before, strict=True)]
            return all(moved) and sum(moved) >= self._reports

        await eventually(flowed)

    async def _kill(self) -> None:
        await asyncio.sleep(self._random.uniform(0.0, 0.02))  # any moment
        self._server.kill()
        if self._random.random() < 0.2:  # and while it recovers
            self._server.begin()
            await asyncio.sleep(self._random.uniform(0.0, 0.03))
            self._server.kill()
        before = time.monotonic()
        await asyncio.to_thread(self._server.restart)
        self.ready.append(time.monotonic() - before)

    async def _check(
        self, rpc: Rpc, tasks: Sequence[Task], seen: Sequence[Recording], of_all: Recording
    ) -> None:
        for task, recording in zip(tasks, seen, strict=True):
            log = await rpc.log(task.job_id)
            lines = [event.log_written.text for event in log if event.HasField("log_written")]
            assert task.lines == lines
            assert list(range(1, len(log) + 1)) == [event.sequence for event in log]
            assert [len(log)] == [event.sequence for event in log if event.HasField("job_ended")]
            assert log == recording.events
            check(recording, History.of_log(log))
        whole = WatchJobsRequest(filter=JobFilter(kinds=[rpc.kind]), max_batch_events=1, no_follow=True)
        check(of_all, History.of_feed([frame async for frame in rpc.jobs.WatchJobs(whole)]))


async def test_kill_at_random_moments(server: ServerProcess) -> None:
    """Each report is in the log exactly once and in order, and subscribers saw exactly that log."""
    killing = Killing(server, 1, kills=30, reports=200)
    await killing.run()
    assert len(killing.ready) == 30
    print(f"{killing.total} reports, ready again within {max(killing.ready):.2f} s")


async def test_epoch_survives_a_crash(server: ServerProcess) -> None:
    """A crash loses nothing, so that the epoch and all cursors stay valid."""
    epoch = server.epoch
    async with connect(server.address) as rpc:
        job = await rpc.submit()
    server.kill()
    server.restart()
    assert epoch == server.epoch
    async with connect(server.address) as rpc:
        assert [event.sequence for event in await rpc.log(job.job_id)] == [1]


async def test_restored_copy_has_a_new_epoch(server: ServerProcess) -> None:
    """Rule 4: a store that was restored to an earlier state has another epoch."""
    epoch = server.epoch
    async with connect(server.address) as rpc:
        await rpc.submit()
    assert server.stop() == 0
    backup = (server.data / "milepost.db").read_bytes()
    server.restart()
    assert epoch == server.epoch
    async with connect(server.address) as rpc:
        await rpc.submit()
    assert server.stop() == 0
    (server.data / "milepost.db").write_bytes(backup)
    server.restart()
    assert epoch != server.epoch


async def test_queue_survives_a_crash(server: ServerProcess) -> None:
    """After a restart queued jobs are dispatched in the order of their submission."""
    async with connect(server.address) as rpc:
        submitted = [(await rpc.submit()).job_id for _ in range(5)]
        server.kill()
        server.restart()

        async def taken() -> list[str]:
            try:
                async with rpc.session() as session:
                    return [(await session.take())[0].job_id for _ in submitted]
            except grpc.aio.AioRpcError:
                return []

        assert submitted == await eventually(taken)


async def test_an_acknowledged_cancel_survives_a_crash(server: ServerProcess) -> None:
    """The server is killed right after it: the worker gets the cancellation when it is back (rule 16)."""
    async with connect(server.address) as rpc:
        async with rpc.session() as session:
            await rpc.submit()
            job, token = await session.take()
        acknowledged = await rpc.cancel(job.job_id)
        server.kill()
        server.restart()
        async with rpc.session(wait_for_ready=True) as session:
            found = await rpc.get(job.job_id)
            await session.send(resume=Resume(job_id=job.job_id, lease_token=token))
            result = (await session.receive("resumed")).resumed

    assert acknowledged.state == JobState.JOB_STATE_CANCELLING
    assert acknowledged == found
    assert (job.job_id, acknowledged.cancellation) == (result.job_id, result.cancellation)


@pytest.mark.nightly
@pytest.mark.timeout(4 * 3600)
async def test_kill_a_thousand_times(tmp_path: Path) -> None:
    """The long form with the installed command and a growing log: 1,000 kills, and a million reports."""
    total = 0
    ready: list[float] = []
    with ServerProcess(tmp_path / "data") as server:
        for seed in range(ROUNDS):
            killing = Killing(server, seed, kills=KILLS // ROUNDS, reports=REPORTS // KILLS)
            await killing.run()
            total += killing.total
            ready += killing.ready
            print(f"{len(ready)} kills, {total} reports, ready again within {max(killing.ready):.2f} s")
    assert len(ready) == KILLS
    assert total >= REPORTS
