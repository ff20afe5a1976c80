"""Broken connections, stopped servers and leaving workers: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from milepost.client import Client, Connection, JobContext, Watch
from milepost.client._watch import watch_cursor
from milepost.v1 import Event, JobState, RetryPolicy
from tests.support.proxy import CuttableProxy
from tests.support.server import ServerProcess
from tests.support.working import working

KIND = "test"
COUNT = 300


@pytest.fixture
async def client(server: ServerProcess) -> AsyncIterator[Client]:
    """A client with a direct connection."""
    async with Client(server.address) as connected:
        yield connected


@pytest.fixture
def proxy(server: ServerProcess) -> Iterator[CuttableProxy]:
    """The network between client and server."""
    with CuttableProxy(server.address) as network:
        yield network


class Steps:
    """A job that counts on request."""

    def __init__(self, count: int = COUNT) -> None:
        self.count = count
        self.attempts: list[int] = []
        self._allowed = asyncio.Semaphore(0)

    def allow(self, count: int) -> None:
        """Allow it this many more steps."""
        for _ in range(count):
            self._allowed.release()

    async def __call__(self, job: JobContext) -> dict[str, object]:
        """Emit one numbered event per step."""
        self.attempts.append(job.attempt)
        for number in range(1, self.count + 1):
            await self._allowed.acquire()
            job.emit("step", {"number": number})
        return {"count": self.count}

    async def handler(self, job: JobContext) -> dict[str, object]:
        """The handler as a coroutine function."""
        return await self(job)


def steps_of(events: list[Event]) -> list[int]:
    """The numbers that a job has emitted."""
    return [
        int(event.custom.json.fields["number"].number_value) for event in events if event.HasField("custom")
    ]


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(120):
        while not condition():  # noqa: ASYNC110 - what it asks for lies in other threads and processes
            await asyncio.sleep(0.005)


async def reported(watch: Watch, events: list[Event], count: int) -> None:
    """Read events until there are this many steps."""
    while len(steps_of(events)) < count:
        events.append(await anext(watch))


async def test_a_watch_survives_cuts(client: Client, proxy: CuttableProxy) -> None:
    """Cut off ten times in the middle of traffic, it yields each event once, in order."""
    steps = Steps()
    states: list[Connection] = []
    events: list[Event] = []
    async with working(client.address, **{KIND: steps.handler}), Client(proxy.address) as far:
        job = await client.submit(KIND)
        watch = far.watch(job.job_id, on_state=states.append)
        for cut in range(10):
            steps.allow(COUNT // 10)
            await reported(watch, events, cut * COUNT // 10 + COUNT // 20)
            await asyncio.to_thread(proxy.cut)
        events += [event async for event in watch]
    assert list(range(1, COUNT + 4)) == [event.sequence for event in events]
    assert list(range(1, COUNT + 1)) == steps_of(events)
    assert watch.reconnects >= 9
    assert proxy.accepted >= 10
    resumed = [state.resumed_at for state in states if state.state == "live"]
    assert resumed[0] is None
    assert all(at is not None for at in resumed[1:])


async def test_a_watch_waits_for_a_network_that_is_down(client: Client, proxy: CuttableProxy) -> None:
    """Its connection state says so, with the delay; it resumes when the network is back."""
    steps = Steps(10)
    states: list[Connection] = []
    events: list[Event] = []
    timeout = 2.0
    async with (
        working(client.address, **{KIND: steps.handler}),
        Client(proxy.address, timeout=timeout) as far,
    ):
        job = await client.submit(KIND)
        watch = far.watch(job.job_id, on_state=states.append)
        steps.allow(4)
        await reported(watch, events, 4)
        proxy.refuse()
        await asyncio.to_thread(proxy.cut)
        down = time.monotonic()
        rest = asyncio.create_task(_rest(watch))
        steps.allow(6)
        await client.result(job.job_id)
        # For longer than the timeout of a first connection.
        await until(lambda: time.monotonic() > down + timeout)
        await until(lambda: len([state for state in states if state.state == "reconnecting"]) >= 4)
        proxy.allow()
        events += await rest
    assert list(range(1, 11)) == steps_of(events)
    assert (states[-1].state, states[-1].resumed_at) == ("live", events[-1].sequence - 7)
    assert watch.reconnects == 1
    assert 0 < max(state.retry_in for state in states) <= 10


async def _rest(watch: Watch) -> list[Event]:
    return [event async for event in watch]


async def test_a_watch_finds_a_network_that_swallows_everything(
    client: Client, proxy: CuttableProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No connection breaks, but nothing arrives: the watch notices the silence, and resumes afterwards."""
    monkeypatch.setattr(watch_cursor, "_SILENT_MARGIN", -1.5)
    steps = Steps(10)
    states: list[Connection] = []
    events: list[Event] = []
    async with working(client.address, **{KIND: steps.handler}), Client(proxy.address) as far:
        job = await client.submit(KIND)
        watch = far.watch(job.job_id, on_state=states.append, status_interval=1.0)
        steps.allow(4)
        await reported(watch, events, 4)
        proxy.stall()
        rest = asyncio.create_task(_rest(watch))
        steps.allow(6)
        await until(lambda: any("nothing was received" in state.error for state in states))
        proxy.allow()
        events += await rest
    assert list(range(1, 11)) == steps_of(events)


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_a_restarted_server_is_taken_up_again(client: Client, server: ServerProcess, how: str) -> None:
    """Watch and worker come back to the same job, whether the server said goodbye or not; nothing that was said while
    it was away is missing.
    """
    steps = Steps()
    events: list[Event] = []
    async with working(client.address, **{KIND: steps.handler}):
        job = await client.submit(KIND)
        watch = client.watch(job.job_id)
        for part in (1, 2, 3):
            steps.allow(COUNT // 4)
            await reported(watch, events, part * COUNT // 4 - COUNT // 8)
            await asyncio.to_thread(server.stop if how == "stop" else server.kill)
            steps.allow(COUNT // 12)  # reports without a server, for now
            await asyncio.to_thread(server.restart)
        events += await _rest(watch)
        assert await client.result(job.job_id) == {"count": COUNT}
    assert list(range(1, COUNT + 1)) == steps_of(events)
    assert list(range(1, COUNT + 4)) == [event.sequence for event in events]
    assert steps.attempts == [1]
    assert watch.reconnects >= 3


@pytest.mark.parametrize("cuts", [1, 12])
async def test_a_worker_survives_cuts(client: Client, proxy: CuttableProxy, cuts: int) -> None:
    """It continues its job after the last durable report: each is in the log once, in order (rule 14)."""
    steps = Steps(COUNT * 4)
    events: list[Event] = []
    async with working(proxy.address, **{KIND: steps.handler}):
        job = await client.submit(KIND)
        watch = client.watch(job.job_id)
        for cut in range(cuts):
            steps.allow(steps.count // cuts)
            await reported(watch, events, cut * steps.count // cuts + 1)
            await asyncio.to_thread(proxy.cut)
        events += await _rest(watch)
        assert {"count": steps.count} == await client.result(job.job_id)
    assert list(range(1, steps.count + 1)) == steps_of(events)
    assert steps.attempts == [1]
    assert proxy.accepted >= cuts


async def test_a_cut_worker_is_given_no_more_than_it_can_do(client: Client, proxy: CuttableProxy) -> None:
    """Its resumed jobs take their capacity before new ones are assigned."""
    steps = Steps(5)
    running, most = 0, 0

    async def handler(job: JobContext) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await steps(job)
        running -= 1

    async with working(proxy.address, max_concurrency=2, **{KIND: handler}):
        jobs = [await client.submit(KIND) for _ in range(6)]
        for done in (0, 2, 4):
            await until(lambda: running == 2 and len(steps.attempts) == done + 2)  # noqa: B023
            await asyncio.to_thread(proxy.cut)
            await until(lambda: proxy.open >= 1)
            steps.allow(10)
        for job in jobs:
            await client.result(job.job_id)
    assert most <= 2


async def test_a_cancellation_reaches_a_worker_that_was_away(client: Client, proxy: CuttableProxy) -> None:
    """It gets the cancellation when it reconnects."""
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def handler(job: JobContext) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with working(proxy.address, **{KIND: handler}):
        job = await client.submit(KIND)
        await started.wait()
        proxy.refuse()
        await asyncio.to_thread(proxy.cut)
        await client.cancel(job.job_id, grace_period=60)
        assert not cancelled.is_set()
        proxy.allow()
        await cancelled.wait()
        events = [event async for event in client.watch(job.job_id)]
    assert [event.WhichOneof("payload") for event in events[-3:]] == [
        "cancel_requested",
        "cancel_acknowledged",
        "job_ended",
    ]


async def test_a_forced_cancellation_frees_the_worker_when_the_handler_stops(client: Client) -> None:
    """The job ends with the grace period; the capacity is free when the handler has stopped."""
    started, stuck = threading.Event(), threading.Event()

    def handler(job: JobContext) -> None:
        started.set()
        stuck.wait(120)
        job.log("nobody hears this any more")

    async def other(job: JobContext) -> None:
        """A handler of later jobs."""

    async with working(client.address, **{KIND: handler, "other": other}):
        job = await client.submit(KIND)
        await asyncio.to_thread(started.wait)
        ended = await client.cancel(job.job_id, grace_period=0)
        assert (ended.state, ended.cancellation.forced) == (JobState.JOB_STATE_CANCELLED, True)
        waiting = await client.submit("other")
        assert (await client.get(waiting.job_id)).state == JobState.JOB_STATE_QUEUED
        stuck.set()
        assert await client.result(waiting.job_id) == {}
    assert ended == await client.get(job.job_id)


async def test_a_worker_that_stays_away_loses_its_job(tmp_path: Path) -> None:
    """Another worker gets it; the first one's handler stops when it reconnects, and its late reports are refused."""
    interrupted, started = asyncio.Event(), asyncio.Event()

    async def lost(job: JobContext) -> None:
        job.emit("step", {"number": 1})
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            job.emit("step", {"number": 2})
            interrupted.set()

    async def found(job: JobContext) -> dict[str, object]:
        return {"attempt": job.attempt}

    with (
        ServerProcess(tmp_path / "data", "--lease-ttl", "3") as server,
        CuttableProxy(server.address) as proxy,
    ):
        async with Client(server.address) as client, working(proxy.address, **{KIND: lost}):
            job = await client.submit(KIND, retry_policy=RetryPolicy(max_attempts=2))
            await started.wait()
            events: list[Event] = []
            await reported(client.watch(job.job_id), events, 1)
            proxy.refuse()
            await asyncio.to_thread(proxy.cut)
            async with working(server.address, **{KIND: found}):
                assert await client.result(job.job_id) == {"attempt": 2.0}
            assert not interrupted.is_set()
            proxy.allow()
            await interrupted.wait()
            events = [event async for event in client.watch(job.job_id)]
    assert steps_of(events) == [1]


async def test_a_worker_that_stops_finishes_what_it_has(client: Client) -> None:
    """It accepts no more jobs, and returns when its jobs have ended."""
    steps = Steps(3)
    async with working(client.address, drain_timeout=120.0, **{KIND: steps.handler}) as worker:
        first = await client.submit(KIND)
        await until(lambda: steps.attempts == [1])
        second = await client.submit(KIND)
        worker.stop()
        steps.allow(6)
    assert await client.result(first.job_id) == {"count": 3}
    assert (await client.get(second.job_id)).state == JobState.JOB_STATE_QUEUED
