"""Certificates, keys and tokens are rotated while streams, workers and submitters run over them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from milepost.client import Client, JobContext, Worker
from milepost.v1 import Event, JobFilter, WatchJobsRequest
from tests.support.forking import Forkery
from tests.support.generations import Generations
from tests.support.issuer import Issuer
from tests.support.rotating import until
from tests.support.rpc import connect, state_name
from tests.support.server import ServerProcess
from tests.support.validators import History, Recording, check

WORKERS = 8
READERS = 5
SUBMITTERS = 2

# Of each reader: so many streams of one job, and so many of all short ones.
WATCHES = FEEDS = 5


class Load:
    """Workers, each with a long job and short ones; readers with 50 streams in all; submitters of short jobs.

    A failed call of any of them fails the test, through its task.
    """

    def __init__(self, address: str, credentials: Generations) -> None:
        self._address, self._credentials = address, credentials
        self.written: dict[str, int] = {}
        self.submitted: list[str] = []
        self.watches: list[Any] = []
        self.seen: list[tuple[str, list[Event]]] = []
        self.fed: list[list[Event]] = []
        self._stopping = asyncio.Event()
        self._submitting = True

    async def run(self, group: asyncio.TaskGroup, stack: AsyncExitStack) -> None:
        """Start all, and wait until each job of a worker's own is watched and runs."""
        tls = self._credentials.client.options
        submitters = [
            await stack.enter_async_context(Client(self._address, token=self._credentials.token, **tls))
            for _ in range(SUBMITTERS)
        ]
        long = [(await submitters[0].submit("long")).job_id for _ in range(WORKERS)]
        self._workers = [self._worker(tls) for _ in range(WORKERS)]
        self._running = [group.create_task(worker.run()) for worker in self._workers]
        await until(lambda: len(self.written) == WORKERS)
        self._submitters = [group.create_task(self._submit(client)) for client in submitters]
        self._watching: list[asyncio.Task[None]] = []
        self._feeding: list[asyncio.Task[None]] = []
        for number in range(READERS):
            reader = await stack.enter_async_context(
                Client(self._address, token=self._credentials.json_web_token, **tls)
            )
            for index in range(WATCHES):
                job_id = long[(number * WATCHES + index) % WORKERS]
                self.seen.append((job_id, []))
                watch = reader.watch(job_id)
                self._watching.append(group.create_task(self._collect(watch, self.seen[-1][1])))
                feed = reader.watch_jobs(kinds=["short"])
                self.fed.append([])
                self._feeding.append(group.create_task(self._collect(feed, self.fed[-1])))
                self.watches += [watch, feed]
        await until(lambda: all(watch.caught_up for watch in self.watches))

    async def reconnected(self, times: int) -> None:
        """Wait until each stream has reconnected so often."""
        await until(lambda: all(watch.reconnects >= times for watch in self.watches))

    async def goes_on(self) -> None:
        """Wait until further jobs are submitted."""
        done = len(self.submitted)
        await until(lambda: len(self.submitted) > done + SUBMITTERS)

    async def stop(self) -> None:
        """End the jobs and then the streams, once they have everything; then the workers."""
        self._submitting = False
        await asyncio.gather(*self._submitters)
        self._stopping.set()
        await asyncio.gather(*self._watching)
        total = len(self.submitted)
        await until(
            lambda: all(sum(event.HasField("job_ended") for event in fed) == total for fed in self.fed)
        )
        for feeding in self._feeding:
            feeding.cancel()
        for worker in self._workers:
            worker.stop()
        await asyncio.gather(*self._running)

    def _worker(self, tls: dict[str, Any]) -> Worker:
        worker = Worker(self._address, max_concurrency=3, **tls)

        @worker.job("long")
        async def write(job: JobContext) -> None:
            while not self._stopping.is_set():
                job.log(str(self.written.get(job.id, 0)))
                self.written[job.id] = self.written.get(job.id, 0) + 1
                await asyncio.sleep(0.05)

        @worker.job("short")
        async def echo(job: JobContext) -> dict[str, object]:
            job.log("begun")
            job.log("done")
            return job.input

        return worker

    async def _submit(self, client: Client) -> None:
        while self._submitting:
            given = {"number": len(self.submitted)}
            job = await client.submit("short", given)
            self.submitted.append(job.job_id)
            assert await client.result(job.job_id) == given

    @staticmethod
    async def _collect(watch: AsyncIterator[Any], into: list[Event]) -> None:
        async for event in watch:
            assert isinstance(event, Event)
            into.append(event)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer of JSON Web Tokens."""
    made = Issuer()
    yield made
    made.close()


@pytest.mark.parametrize(
    "turns", [3, pytest.param(50, marks=[pytest.mark.nightly, pytest.mark.timeout(1800)])]
)
@pytest.mark.parametrize("keys_in_file", [True, False], ids=["file", "url"])
async def test_rotations(
    tmp_path: Path, forkery: Forkery, issuer: Issuer, turns: int, keys_in_file: bool
) -> None:
    """No legitimate call fails; each report is in the log once; each stream has each event once."""
    credentials = Generations(tmp_path, issuer, keys_in_file=keys_in_file)
    with ServerProcess(tmp_path / "data", *credentials.options, forkery=forkery) as server:
        load = Load(server.address, credentials)
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            await load.run(group, stack)
            for turn in range(turns):
                await credentials.publish(server.address)
                # Streams have the credential before this one, which the next turn revokes.
                await load.reconnected(turn)
                credentials.use()
                await load.goes_on()
            await load.stop()
        await credentials.check_the_last(server.address)
        async with connect(
            server.address, token=credentials.token(), tls=credentials.client.channel_credentials()
        ) as rpc:
            logs = {job_id: await rpc.log(job_id) for job_id in load.written}
            wanted = JobFilter(kinds=["short"])
            request = WatchJobsRequest(filter=wanted, no_follow=True, max_batch_events=1)
            history = History.of_feed([frame async for frame in rpc.jobs.WatchJobs(request)])
            short = [await rpc.get(job_id) for job_id in load.submitted]
            long = [await rpc.get(job_id) for job_id in load.written]
        assert server.stop() == 0
    # A short one that is assigned to a session as that ends is assigned again, which starts another attempt.
    assert {state_name(job) for job in short} == {"SUCCEEDED"}
    assert {(state_name(job), job.attempt) for job in long} == {("SUCCEEDED", 1)}
    for job_id, log in logs.items():
        lines = [event.log_written.text for event in log if event.HasField("log_written")]
        assert lines == [str(number) for number in range(load.written[job_id])]
    for job_id, events in load.seen:
        assert events == logs[job_id]
        check(Recording.of_batches([events]), History.of_log(logs[job_id]))
    everything = [event for commit in history.commits for event in commit.events]
    assert sum(event.HasField("log_written") for event in everything) == 2 * len(load.submitted)
    assert [fed == everything for fed in load.fed] == [True] * READERS * FEEDS
    # Those with a revoked credential, and those that ask whether a new one is known by now.
    assert refusals(server) <= {"TOKEN_EXPIRED", "UNAUTHENTICATED"}


def refusals(server: ServerProcess) -> set[str]:
    """The reasons for which calls were refused."""
    lines = [line for line in server.log_path.read_text().splitlines() if line.startswith("{")]
    return {line["reason"] for line in map(json.loads, lines) if line["event"] == "call" and "reason" in line}
