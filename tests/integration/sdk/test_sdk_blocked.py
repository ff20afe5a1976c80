"""If a proxy passes calls but no streams, the SDK falls back, and says so."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from milepost.client import Client, Connection, JobContext, JobSnapshot
from milepost.client._watch import reconnecting_stream, transport_fallback
from milepost.client._watch.job_watch import JobWatch
from milepost.client.errors import StreamsBlocked
from milepost.v1 import Event, Job, JobState
from tests.support.gateway import Gateway
from tests.support.rpc import eventually
from tests.support.server import ServerProcess
from tests.support.working import working


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short timeouts and poll intervals."""
    monkeypatch.setattr(reconnecting_stream, "_POLL_INTERVAL", 0.05)
    monkeypatch.setattr(transport_fallback, "_BLOCKED_OPENING_TIMEOUT", 0.5)


@pytest.fixture
def patient(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long timeouts."""
    monkeypatch.setattr(transport_fallback, "_BLOCKED_OPENING_TIMEOUT", 1.0)


@pytest.fixture
async def far(between: Gateway) -> AsyncIterator[Client]:
    """A client behind the proxy."""
    async with Client(between.address, timeout=2.0) as connected:
        yield connected


class Stepwise:
    """A job that advances on request."""

    def __init__(self) -> None:
        self.kind = f"test-{uuid.uuid4().hex}"
        self.go_on = asyncio.Semaphore(0)

    async def handler(self, job: JobContext) -> dict[str, object]:
        """Run three steps."""
        for number in range(3):
            await self.go_on.acquire()
            job.emit("step", {"number": number})
        return {"done": True}


@pytest.mark.usefixtures("patient")
async def test_buffered_streams_are_read_as_finite_ones(
    client: Client, between: Gateway, far: Client
) -> None:
    """Finite streams get through: every event comes once and in order, to the job's end."""
    job = Stepwise()
    states: list[Connection] = []
    between.mode = "hold"
    async with working(client.address, **{job.kind: job.handler}):
        submitted = await client.submit(job.kind)
        events: list[Event] = []
        async for event in far.watch(submitted.job_id, on_state=states.append):
            events.append(event)
            job.go_on.release()
    assert list(range(1, 7)) == [event.sequence for event in events]
    assert events[-1].HasField("job_ended")
    assert states[-1].state == "polling"
    assert "long-lived streams do not get through" in states[-1].error


@pytest.mark.parametrize("mode", ["swallow", "cut"])
async def test_without_streams_the_watch_polls(
    client: Client, between: Gateway, far: Client, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Calls still return the state of a job, but not its events; the watch says so."""
    job = Stepwise()
    states: list[Connection] = []
    between.mode = "swallow" if mode == "swallow" else "cut"
    async with working(client.address, **{job.kind: job.handler}):
        submitted = await client.submit(job.kind)
        results: list[JobSnapshot] = []
        async for current in far.follow(submitted.job_id, on_state=states.append):
            results.append(current)
            job.go_on.release()
        assert results[-1].state == JobState.JOB_STATE_SUCCEEDED
        assert sorted({current.last_sequence for current in results}) == [c.last_sequence for c in results]
        assert await far.result(submitted.job_id) == {"done": True}
    assert states[-1].state == "polling"
    assert any("polling" in record.message for record in caplog.records)
    assert max(record.levelno for record in caplog.records) == logging.WARNING
    with pytest.raises(StreamsBlocked, match="no stream gets through"):
        await anext(far.watch(submitted.job_id))
    with pytest.raises(StreamsBlocked):
        await anext(far.watch_jobs(kinds=[job.kind]))

    async def all_left() -> bool:
        return between.open == 0

    await eventually(all_left)


async def test_a_watch_falls_back_and_recovers(
    client: Client, between: Gateway, far: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a watch; when streams get through again, it becomes live again."""
    job = Stepwise()
    states: list[Connection] = []
    async with working(client.address, **{job.kind: job.handler}):
        submitted = await client.submit(job.kind)
        between.frames, between.then = 3, "hold"
        async with far.watch(submitted.job_id, on_state=states.append) as watch:
            assert (await anext(watch)).sequence == 1
            assert (await anext(watch)).sequence == 2
            job.go_on.release()
            assert (await anext(watch)).sequence == 3
            assert watch.connection.state == "polling"
            between.mode, between.frames = "pass", None
            monkeypatch.setattr(transport_fallback, "_STREAM_RETRY_INTERVAL", 0.0)
            monkeypatch.setattr(transport_fallback, "_BLOCKED_OPENING_TIMEOUT", 30.0)  # long timeouts
            job.go_on.release()
            assert (await anext(watch)).sequence == 4
            job.go_on.release()
            assert [event.sequence async for event in watch] == [5, 6]
    assert states[-1].state == "live"


async def test_a_watch_of_many_jobs(
    client: Client, between: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By finite streams, too."""
    # No stream here is slow: a proxy that cuts them off says so at once, and those that get through have their time.
    monkeypatch.setattr(transport_fallback, "_BLOCKED_OPENING_TIMEOUT", 120.0)
    kind = f"test-{uuid.uuid4().hex}"
    between.mode = "finite"
    async with (
        Client(between.address, timeout=120.0) as far,
        far.watch_jobs(kinds=[kind], snapshot=True) as watch,
    ):
        first = asyncio.create_task(anext(watch))
        submitted = await client.submit(kind)
        assert submitted.job_id == getattr(await first, "job_id", "")
        await client.cancel(submitted.job_id)
        assert [getattr(await anext(watch), "sequence", 0) for _ in range(2)] == [2, 3]
        assert watch.connection.state == "polling"


@pytest.mark.usefixtures("patient")
async def test_a_server_that_is_away_is_not_asked_in_another_way(server: ServerProcess) -> None:
    """A server that was away serves streams again: an outage is no reason to poll."""
    states: list[Connection] = []
    async with Client(server.address) as client:
        job = await client.submit("test")
        watch = client.watch(job.job_id, on_state=states.append)
        await anext(watch)
        await asyncio.to_thread(server.kill)
        waiting = asyncio.create_task(anext(watch))

        async def is_lost() -> bool:
            return states[-1].fruitless >= 5

        await eventually(is_lost)
        await asyncio.to_thread(server.restart)
        await client.cancel(job.job_id)
        assert (await waiting).sequence == 2
        await watch.aclose()
    assert {state.state for state in states} == {"connecting", "live", "reconnecting"}
    assert max(state.fruitless for state in states) >= 5


async def test_a_server_that_comes_back_at_the_last_moment(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls are repeated by gRPC, and the stream that failed is not: the watch opens another one, and does not poll."""
    monkeypatch.setattr(transport_fallback, "_BLOCKED_OPENING_TIMEOUT", 120.0)
    call_server = JobWatch._call_server
    states: list[Connection] = []

    async def restart_and_call(watch: JobWatch[Any], timeout: float) -> Job:
        await asyncio.to_thread(server.restart)
        monkeypatch.setattr(JobWatch, "_call_server", call_server)
        return await call_server(watch, 120.0)

    async with Client(server.address) as client:
        job = await client.submit("test")
    await asyncio.to_thread(server.kill)
    monkeypatch.setattr(JobWatch, "_call_server", restart_and_call)
    async with Client(server.address, timeout=0.01) as late:
        watch = late.watch(job.job_id, on_state=states.append)
        assert (await anext(watch)).sequence == 1
        await watch.aclose()
    assert states[-1].state == "live"
    assert "polling" not in {state.state for state in states}


async def test_without_streams_a_watch_that_does_not_follow_ends(
    client: Client, between: Gateway, far: Client
) -> None:
    """With the state of the job as it is: no call has more to say until the job goes on."""
    job = await client.submit(f"test-{uuid.uuid4().hex}")
    between.mode = "cut"
    watch = far.watch(job.job_id, snapshot=True, on_gap="snapshot", follow=False)
    assert [item.last_sequence async for item in watch if isinstance(item, Job)] == [1]
    assert (watch.caught_up, watch.cursor) == (True, 1)
    await client.cancel(job.job_id)


async def test_without_streams_a_watch_from_the_end_of_a_job_ends(
    client: Client, between: Gateway, far: Client
) -> None:
    """The state of the job is no news to it, and says that nothing more comes."""
    job_id = (await client.submit(f"test-{uuid.uuid4().hex}")).job_id
    await client.cancel(job_id)
    job = await client.get(job_id)
    between.mode = "cut"
    watch = far.watch(job_id, after=job.last_sequence, epoch=job.epoch, on_gap="snapshot")
    assert [item async for item in watch] == []
