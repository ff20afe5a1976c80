"""Subscribers over HTTP get exactly the log, whatever the network and the server do to them."""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.v1 import Dispatch, JobFilter, WatchJobRequest, WatchJobsRequest
from tests.support.chaos import FAULTS, Chaos, Weather
from tests.support.connect_watch import ConnectHttpJobs
from tests.support.following import follow_all
from tests.support.forking import Forkery
from tests.support.http_watch import FRAMINGS, HttpJobs
from tests.support.reporting import Reporter
from tests.support.rpc import connect, eventually
from tests.support.server import ServerProcess
from tests.support.steady_reports import report_until
from tests.support.validators import History, Recording, check

# Seconds without a word after which a subscriber gives a connection up; there is a status each second.
_SILENCE = 3.0


SURFACES = (*FRAMINGS, "proto", "json")
"""Server-sent events, lines, and the codecs of Connect."""


class HttpSubscriber:
    """A subscriber that comes back where it was until it has the end."""

    def __init__(self, url: str, surface: str) -> None:
        make = HttpJobs if surface in FRAMINGS else ConnectHttpJobs
        self._jobs = make(url, surface, None, _SILENCE)
        self.recording = Recording(breaks=True)
        self.codes: list[grpc.StatusCode] = []

    @property
    def statuses(self) -> Sequence[int]:
        """The HTTP statuses of its streams."""
        return self._jobs.statuses

    async def follow(self, job_id: str) -> None:
        """Follow the job to its end."""
        epoch = ""
        while grpc.StatusCode.OK not in self.codes:
            cursor = self.recording.cursor or 0
            request = WatchJobRequest(
                job_id=job_id, after_sequence=cursor, epoch=epoch, status_interval=Duration(seconds=1)
            )
            self.codes.append(await self.recording.record(self._jobs.WatchJob(request), cursor))
            stream = self.recording.streams[-1]
            epoch = stream.opened.epoch or epoch
            if not stream.frames:
                self.recording.streams.pop()  # it did not open
                await asyncio.sleep(0.05)

    def validate(self, history: History) -> None:
        """Compare what it saw with the log."""
        check(self.recording, history)
        assert set(self.codes) <= {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}


async def chaos(server: ServerProcess, url: str, seed: int) -> None:
    """One run at a URL: every fault strikes somebody, and some strike more than once."""
    source = random.Random(seed)
    faults = [*FAULTS, *source.choices(FAULTS, k=3)]
    source.shuffle(faults)
    weathers = [Weather(fault, source.randrange(2_000, 40_000)) for fault in faults]
    stop = asyncio.Event()
    async with connect(server.address) as rpc, Chaos(url.removeprefix("http://"), weathers, seed) as network:
        job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
        subscribers = [HttpSubscriber(f"http://{network.address}", surface) for surface in SURFACES * 2]
        async with asyncio.TaskGroup() as group:
            group.create_task(report_until(rpc, job.job_id, stop))
            for subscriber in subscribers:
                group.create_task(subscriber.follow(job.job_id))

            async def all_struck() -> bool:
                if network.struck.total() >= len(subscribers):
                    network.reset_the_dead()
                return network.struck.total() == len(weathers)

            await eventually(all_struck, seconds=200)
            stop.set()
            network.reset_the_dead()
        history = History.of_log(await rpc.log(job.job_id))
    assert set(network.struck) == set(FAULTS)
    assert sum(len(subscriber.codes) - 1 for subscriber in subscribers) > 0
    for subscriber in subscribers:
        subscriber.validate(history)


async def test_chaos(web_server: ServerProcess, url: str) -> None:
    """Delayed, cut within an event, half open, one-way or byte by byte: each subscriber gets the identical log."""
    await chaos(web_server, url, 1)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 160))
async def test_chaos_at_length(web_server: ServerProcess, url: str, seed: int) -> None:
    """The long form."""
    await chaos(web_server, url, seed)


async def crashes(server: ServerProcess, number: int) -> None:
    """A job is watched, alone and among all, while its server is killed, or stopped, and started again."""
    subscribers = [HttpSubscriber(server.url, surface) for surface in SURFACES]
    of_all = {framing: Recording(breaks=True) for framing in FRAMINGS}
    async with connect(server.address) as rpc:
        reporter = Reporter(rpc, 1)
        await reporter.claim(1)
        (task,) = reporter.tasks
        async with asyncio.TaskGroup() as group:
            group.create_task(reporter.run())
            for subscriber in subscribers:
                group.create_task(subscriber.follow(task.job_id))
            for framing, recording in of_all.items():
                watching = copy.copy(rpc)
                watching.jobs = cast("Any", HttpJobs(server.url, framing, rpc.jobs, _SILENCE))
                group.create_task(follow_all(watching, 1, recording))
            for crash in range(number):
                await _all_advance(subscribers)
                await asyncio.to_thread(server.kill if crash % 2 else server.stop)
                await asyncio.to_thread(server.restart)
            await _all_advance(subscribers)
            task.finish()
        history = History.of_log(await rpc.log(task.job_id))
        whole = WatchJobsRequest(filter=JobFilter(kinds=[rpc.kind]), max_batch_events=1, no_follow=True)
        feed = History.of_feed([frame async for frame in rpc.jobs.WatchJobs(whole)])
    for recording in of_all.values():
        check(recording, feed)
        assert len(recording.streams) > number
    for subscriber in subscribers:
        subscriber.validate(history)
        assert len(subscriber.codes) > number
    # EventSource gives up for good on any other.
    assert {status for each in subscribers[::2] for status in each.statuses} == {200}


async def _all_advance(subscribers: Sequence[HttpSubscriber]) -> None:
    """Wait until each has got events that it did not have."""
    seen = [each.recording.cursor or 0 for each in subscribers]

    async def advanced() -> bool:
        return all(
            (each.recording.cursor or 0) > before + 20 for each, before in zip(subscribers, seen, strict=True)
        )

    await eventually(advanced)


async def test_a_server_that_stops_and_one_that_is_killed(tmp_path: Path, forkery: Forkery) -> None:
    """Subscribers come back by themselves and get the identical log; who reads server-sent events sees no 5xx."""
    with ServerProcess(tmp_path / "data", forkery=forkery, http=True) as server:
        await crashes(server, 2)


@pytest.mark.nightly
async def test_many_that_stop_or_are_killed(tmp_path: Path, forkery: Forkery) -> None:
    """The long form."""
    with ServerProcess(tmp_path / "data", forkery=forkery, http=True) as server:
        await crashes(server, 40)
