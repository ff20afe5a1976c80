"""Nothing acknowledged is lost, and nothing shown is taken back, by ``kill -9`` of the server at any moment."""

from __future__ import annotations

import asyncio
import random

import grpc
import pytest

from milepost.v1 import Claim, Dispatch, JobFilter, JobState, Resume, WatchJobsRequest
from tests.support.rpc import Rpc, StreamEnded, WorkSession, connect, eventually, log_line, succeeded
from tests.support.server import ServerProcess
from tests.support.validators import History, Recording, check

WORKERS = 4
KILLS = 12
BATCH = 5

# INTERNAL is the client's own word for a write to a stream that has just broken ("Failed execute_batch").
BROKEN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL)


class Reporter:
    """A worker that numbers what it says, keeps what is not acknowledged, and comes back after each crash."""

    def __init__(self, rpc: Rpc, job_id: str) -> None:
        self._rpc = rpc
        self.job_id = job_id
        self._token = ""
        self.said = 0
        self.acknowledged = 0
        self.stopping = False

    async def run(self) -> None:
        """Reports until it is stopped, then ends the job."""
        while not (self.stopping and self.acknowledged == self.said):
            try:
                async with self._rpc.session(kinds=[]) as session:
                    await self._converse(session)
            except grpc.aio.AioRpcError as error:
                if error.code() not in BROKEN:
                    raise
            except StreamEnded as ended:
                if ended.code not in BROKEN:
                    raise

    async def _converse(self, session: WorkSession) -> None:
        if self._token:
            await session.send(resume=Resume(job_id=self.job_id, lease_token=self._token))
            stands = (await session.receive("resumed")).resumed.acknowledged_report_sequence
            # More may be durable than was acknowledged, but never less (rule 12).
            assert self.acknowledged <= stands <= self.said
            self.acknowledged = stands
        else:
            await session.send(claim=Claim(job_id=self.job_id))
            _, self._token = await session.take()
        while True:
            first = self.acknowledged + 1
            fresh = self.said if self.stopping else max(self.said, first + BATCH - 1)
            updates = [log_line(str(number)) for number in range(first, fresh + 1)]
            if not updates:
                return
            self.said = fresh
            await session.report(self.job_id, self._token, first, *updates)
            await session.acknowledged(self.said)
            self.acknowledged = self.said

    async def finish(self) -> None:
        """Ends the job."""
        async with self._rpc.session(kinds=[]) as session:
            await session.send(resume=Resume(job_id=self.job_id, lease_token=self._token))
            await session.receive("resumed")
            await session.report(self.job_id, self._token, self.said + 1, succeeded())
            await session.acknowledged(self.said + 1)


async def subscribe(rpc: Rpc, job_id: str, seen: Recording) -> None:
    """Follows a job to its end through every crash, from the last sequence that it has."""
    while not any(event.HasField("job_ended") for event in seen.events[-1:]):
        cursor = seen.cursor or 0
        code = await seen.record(rpc.watch(job_id, after_sequence=cursor), cursor)
        assert code in (grpc.StatusCode.OK, *BROKEN)


async def subscribe_to_all(rpc: Rpc, jobs: int, seen: Recording) -> None:
    """Follows all jobs until so many have ended, from the last position that it has."""
    ended = False
    while not ended:
        cursor = seen.cursor or 0
        request = WatchJobsRequest(
            filter=JobFilter(kinds=[rpc.kind]), after_position=cursor, max_batch_events=1, no_follow=True
        )
        code = await seen.record(rpc.jobs.WatchJobs(request), cursor, follows=False)
        assert code in (grpc.StatusCode.OK, *BROKEN)
        frames = seen.streams[-1].frames
        caught_up = bool(frames) and frames[-1].HasField("caught_up")
        ended = caught_up and jobs == sum(event.HasField("job_ended") for event in seen.events)


@pytest.mark.parametrize("seed", [1])
async def test_kill_at_random_moments(server: ServerProcess, seed: int) -> None:
    """Each report is in the log exactly once and in order, and subscribers saw that log and no other."""
    randomness = random.Random(seed)
    async with connect(server.address) as rpc:
        jobs = [await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL) for _ in range(WORKERS)]
        reporters = [Reporter(rpc, job.job_id) for job in jobs]
        seen = [Recording(breaks=True) for _ in jobs]
        of_all = Recording(breaks=True)
        async with asyncio.TaskGroup() as group:
            working = [group.create_task(reporter.run()) for reporter in reporters]
            for job, recording in zip(jobs, seen, strict=True):
                group.create_task(subscribe(rpc, job.job_id, recording))
            group.create_task(subscribe_to_all(rpc, len(jobs), of_all))
            for _ in range(KILLS):
                until = [reporter.acknowledged + randomness.randint(1, 40) for reporter in reporters]

                async def traffic_flowed(until: list[int] = until) -> bool:
                    return all(r.acknowledged >= most for r, most in zip(reporters, until, strict=True))

                await eventually(traffic_flowed, seconds=60)
                server.kill()
                server.restart()
            for reporter in reporters:
                reporter.stopping = True
            await asyncio.gather(*working)
            for reporter in reporters:
                await reporter.finish()
        for reporter, recording in zip(reporters, seen, strict=True):
            log = await rpc.log(reporter.job_id)
            texts = [event.log_written.text for event in log if event.HasField("log_written")]
            assert [str(number) for number in range(1, reporter.said + 1)] == texts
            assert list(range(1, len(log) + 1)) == [event.sequence for event in log]
            assert JobState.JOB_STATE_SUCCEEDED == log[-1].job_ended.state
            assert log == recording.events
            check(recording, History.of_log(log))
            assert reporter.said >= KILLS
        whole = WatchJobsRequest(filter=JobFilter(kinds=[rpc.kind]), max_batch_events=1, no_follow=True)
        check(of_all, History.of_feed([frame async for frame in rpc.jobs.WatchJobs(whole)]))


async def test_epoch_survives_a_crash(server: ServerProcess) -> None:
    """A crash loses nothing, so that the epoch, and with it every cursor, stays good."""
    epoch = server.epoch
    async with connect(server.address) as rpc:
        job = await rpc.submit()
        server.kill()
        server.restart()
        assert epoch == server.epoch
        assert [1] == [event.sequence for event in await rpc.log(job.job_id)]


async def test_restored_copy_has_a_new_epoch(server: ServerProcess) -> None:
    """Rule 4: a store that went back to an earlier state is told apart from what it was."""
    epoch = server.epoch
    async with connect(server.address) as rpc:
        await rpc.submit()
        assert 0 == server.stop()
        backup = (server.data / "milepost.db").read_bytes()
        server.restart()
        assert epoch == server.epoch
        await rpc.submit()
        assert 0 == server.stop()
        (server.data / "milepost.db").write_bytes(backup)
        server.restart()
        assert epoch != server.epoch


async def test_queue_survives_a_crash(server: ServerProcess) -> None:
    """Jobs that wait are given out after a restart, in the order in which they were submitted."""
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
