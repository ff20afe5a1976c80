"""Watches whose streams end with INTERNAL or UNKNOWN and no reason: they resume, and end once nothing comes between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest

from milepost.client import Client, SyncClient
from milepost.client._transport.backoff import Backoff
from milepost.client._transport.unexplained_errors import UNEXPLAINED_LIMIT
from milepost.client._watch import reconnecting_stream
from milepost.client._watch.reconnecting_stream import ReconnectingStream
from milepost.client.errors import ServiceError
from milepost.v1 import Event, Events, Job, JobState, Opened, WatchJobsResponse
from tests.support.scripted import Context, ScriptedServer, Stream, scripted, serving

RESET = grpc.StatusCode.INTERNAL


def without_delays(watch: ReconnectingStream[Any, Any, Any]) -> None:
    """Have a watch open its next stream at once."""
    watch._backoff = Backoff(initial=0.0)


async def whole_log(stream: Stream) -> None:
    """A correct server with a log of five events."""
    await stream.open(head=5)
    await stream.events(*range(stream.request.after_sequence + 1, 6), end=True)


async def opens_and_fails(stream: Stream) -> None:
    """A fault that comes back with each stream, after everything but an event."""
    await stream.open(head=5)
    await stream.caught_up(stream.request.after_sequence)
    await stream.fail(RESET, "error id 7")


async def fails(stream: Stream) -> None:
    """A fault that comes back, before anything."""
    await stream.fail(RESET, "error id 7")


@pytest.mark.parametrize("fault", [fails, opens_and_fails])
@pytest.mark.parametrize("was_good", [False, True])
async def test_a_fault_that_comes_back_is_raised(
    fault: Callable[[Stream], Awaitable[None]], *, was_good: bool
) -> None:
    """Once it has come many times in a row: a stream that only opens, or has nothing to send, is no progress."""

    async def good(stream: Stream) -> None:
        await stream.open(head=5)
        await stream.events(1)
        await stream.fail(grpc.StatusCode.UNAVAILABLE)

    script = [good, fault] if was_good else [fault]
    async with scripted(*script) as server, Client(server.address) as client:
        watch = client.watch("j")
        without_delays(watch)
        got = [(await anext(watch)).sequence for _ in range(was_good)]
        with pytest.raises(ServiceError, match="error id 7"):
            await anext(watch)
        assert [event.sequence async for event in watch] == []

    assert got == [1] * was_good
    assert len(server.requests) == was_good + UNEXPLAINED_LIMIT


@pytest.mark.parametrize("comes", ["event", "status"])
async def test_a_watch_goes_on_while_anything_comes(comes: str) -> None:
    """However often its streams are reset: each event comes once and in order."""
    resets = UNEXPLAINED_LIMIT + 2

    async def reset(stream: Stream) -> None:
        after = stream.request.after_sequence
        await stream.open(head=resets)
        if comes == "event":
            await stream.events(after + 1)
        else:
            await stream.status(after)
        await stream.fail(RESET)

    async def rest(stream: Stream) -> None:
        await stream.open(head=resets)
        await stream.events(*range(stream.request.after_sequence + 1, resets + 2), end=True)

    async with scripted(*[reset] * resets, rest) as server, Client(server.address) as client:
        watch = client.watch("j")
        without_delays(watch)
        assert [event.sequence async for event in watch] == [*range(1, resets + 2)]

    assert len(server.requests) == resets + 1


async def test_a_server_that_is_away_is_waited_for_all_the_same() -> None:
    """UNAVAILABLE is not counted, nor does it begin a new row."""

    async def away(stream: Stream) -> None:
        await stream.fail(grpc.StatusCode.UNAVAILABLE)

    async def opened(stream: Stream) -> None:
        await stream.open(head=5)
        await stream.fail(grpc.StatusCode.UNAVAILABLE)

    resets = UNEXPLAINED_LIMIT - 1
    script = [opened, *[opens_and_fails] * resets, *[opened] * 2 * UNEXPLAINED_LIMIT, whole_log]
    async with scripted(*script) as server, Client(server.address) as client:
        watch = client.watch("j")
        without_delays(watch)
        assert [event.sequence async for event in watch] == [1, 2, 3, 4, 5]
    script = [opened, *[opens_and_fails] * resets, away, opens_and_fails]
    async with scripted(*script) as server, Client(server.address) as client:
        watch = client.watch("j")
        without_delays(watch)
        with pytest.raises(ServiceError, match="error id 7"):
            await anext(watch)
    assert len(server.requests) == len(script)


async def test_a_call_beside_a_failed_stream_may_fail_so_too() -> None:
    """It only says that the server does not answer now; the watch goes on."""

    async def away(stream: Stream) -> None:
        await stream.fail(grpc.StatusCode.UNAVAILABLE)

    async with scripted(*[away] * 4, whole_log) as server, Client(server.address) as client:
        server.job_errors = [RESET] * 9
        watch = client.watch("j")
        without_delays(watch)
        assert [event.sequence async for event in watch] == [1, 2, 3, 4, 5]
        assert len(server.job_errors) < 9


@pytest.fixture
def polls_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time between two polls."""
    monkeypatch.setattr(reconnecting_stream, "_POLL_INTERVAL", 0.0)


def polling(watch: ReconnectingStream[Any, Any, Any]) -> None:
    """Have a watch poll, as where no stream gets through, and without delays."""
    without_delays(watch)
    now = asyncio.get_running_loop().time()
    for _ in range(4):
        watch._fallback.probed(answered=True, now=now)


@pytest.mark.usefixtures("polls_at_once")
async def test_a_watch_that_polls() -> None:
    """Goes on polling after such an error, and ends with one once no poll between them has succeeded."""
    async with scripted(whole_log) as server, Client(server.address) as client:
        server.job = Job(job_id="j", last_sequence=1, epoch="e", state=JobState.JOB_STATE_RUNNING)
        server.job_errors = [RESET] * (UNEXPLAINED_LIMIT - 1)
        watch = client.watch("j", snapshot=True, on_gap="snapshot")
        polling(watch)
        got = [await anext(watch)]
        server.job = Job(job_id="j", last_sequence=2, epoch="e", state=JobState.JOB_STATE_RUNNING)
        server.job_errors = [RESET] * (UNEXPLAINED_LIMIT - 1)
        got.append(await anext(watch))
        server.job_errors = [RESET] * UNEXPLAINED_LIMIT
        with pytest.raises(ServiceError):
            await anext(watch)

    assert [item.last_sequence for item in got if isinstance(item, Job)] == [1, 2]
    assert (server.requests, server.job_errors) == ([], [])


async def test_a_watch_of_a_program_without_asyncio() -> None:
    """Resumes, too, and raises the error at the same point."""
    async with scripted(*[opens_and_fails] * (UNEXPLAINED_LIMIT - 1), whole_log, fails) as server:
        with SyncClient(server.address) as client:
            good, bad = client.watch("j"), client.watch("j")
            for watch in (good, bad):
                without_delays(watch._stream)
            events = await asyncio.to_thread(list, good)
            with pytest.raises(ServiceError, match="error id 7"):
                await asyncio.to_thread(next, bad)

    assert [event.sequence for event in events] == [1, 2, 3, 4, 5]
    assert len(server.requests) == 2 * UNEXPLAINED_LIMIT


class Jobs(ScriptedServer):
    """A server whose watches of many jobs deliver one event each, and are then reset; from the end on, none."""

    def __init__(self, events: int) -> None:
        super().__init__(())
        self.events = events
        self.positions: list[int] = []

    async def WatchJobs(self, request: Any, context: Context) -> None:  # type: ignore[override]
        """Deliver the next event, if there is one."""
        after = request.after_position
        self.positions.append(after)
        opened = Opened(epoch="e", first_sequence=1, head_sequence=self.events, cursor=after)
        await context.write(WatchJobsResponse(opened=opened))
        if after < self.events:
            event = Event(job_id="j", sequence=after + 1)
            await context.write(WatchJobsResponse(events=Events(events=[event], position=after + 1)))
        await context.abort(RESET, "error id 7")


async def test_a_watch_of_many_jobs() -> None:
    """Resumes at its position, and ends with the error once nothing comes any more."""
    events = UNEXPLAINED_LIMIT + 2
    async with serving(Jobs(events)) as server, Client(server.address) as client:
        watch = client.watch_jobs()
        without_delays(watch)
        got = [getattr(await anext(watch), "sequence", 0) for _ in range(events)]
        with pytest.raises(ServiceError, match="error id 7"):
            await anext(watch)

    assert got == [*range(1, events + 1)]
    # The reset after the last event is the first of the row.
    assert server.positions == [*range(events + 1), *[events] * (UNEXPLAINED_LIMIT - 2)]
