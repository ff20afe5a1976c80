"""Watches that are polled: each wait for an item is cancelled after a while, and the next one goes on."""

from __future__ import annotations

import asyncio
import gc
import itertools
import weakref
from collections.abc import Awaitable, Callable

import grpc
import pytest

from milepost.client import Client, Connection, Watch
from milepost.client._watch import stream_reader, watch_cursor
from milepost.client.errors import PermissionDenied
from milepost.v1 import Event, GetJobRequest, GetJobResponse, Job, JobState
from tests.support.rpc import eventually
from tests.support.scripted import (
    Context,
    ScriptedServer,
    Step,
    Stream,
    away_for_an_hour,
    scripted,
    serving,
)


async def at_the_head(stream: Stream) -> None:
    """A log of five events, all of which the client has."""
    await stream.open(head=5)
    await stream.caught_up(5)


async def idle(stream: Stream) -> None:
    """A job with nothing new."""
    await stream.open(head=1)
    await stream.events(1)
    await stream.hang()


class Slow(ScriptedServer):
    """A server that answers GetJob once it may."""

    def __init__(self, *script: Step) -> None:
        super().__init__(script)
        self.job = Job(job_id="j", epoch="e", state=JobState.JOB_STATE_SUCCEEDED, last_sequence=5)
        self.calls = 0
        self.may_answer = asyncio.Event()

    async def GetJob(self, request: GetJobRequest, context: Context) -> GetJobResponse:
        """Wait."""
        self.calls += 1
        await self.may_answer.wait()
        return await super().GetJob(request, context)

    async def is_called(self) -> bool:
        """Whether a call waits."""
        return self.calls > 0


async def poll(watch: Watch, until: Callable[[], Awaitable[bool]]) -> None:
    """Give up one wait after another, in which nothing comes, until this is so."""

    async def give_up() -> bool:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(watch), 0.01)
        return await until()

    await eventually(give_up)


async def rest(watch: Watch) -> list[int]:
    """The sequences of all further events, with a short wait for each."""
    sequences: list[int] = []
    async with asyncio.timeout(120):
        while True:
            try:
                sequences.append((await asyncio.wait_for(anext(watch), 0.05)).sequence)
            except TimeoutError:
                continue
            except StopAsyncIteration:
                return sequences


async def test_silence_is_a_lost_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of a read runs on from one wait to the next."""
    monkeypatch.setattr(watch_cursor, "_SILENT_MARGIN", -1.5)  # leaves a timeout of a second

    async def others(stream: Stream) -> None:
        await stream.open(head=2)
        await stream.events(*range(stream.request.after_sequence + 1, 3), end=True)

    async with scripted(idle, others) as server, Client(server.address) as client:
        states: list[Connection] = []
        assert await rest(client.watch("j", status_interval=1.0, on_state=states.append)) == [1, 2]
    assert [state.state for state in states] == ["connecting", "live", "reconnecting", "live"]
    assert "nothing was received" in states[2].error


async def test_what_arrived_while_nobody_waited_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that does not let its loop run for long has what came meanwhile, and no lost connection."""
    monkeypatch.setattr(stream_reader, "_LATE_READ_TIMEOUT", 120.0)
    may_go_on = asyncio.Event()

    async def speaks(stream: Stream) -> None:
        await stream.open(head=1)
        await stream.events(1)
        await may_go_on.wait()
        await stream.events(2, end=True)

    async with scripted(speaks) as server, Client(server.address) as client:
        watch = client.watch("j")
        assert (await anext(watch)).sequence == 1
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(watch), 0.01)
        watch._reader._read_until = 0.0  # long ago
        may_go_on.set()
        assert await rest(watch) == [2]
        assert watch.reconnects == 0


async def test_what_a_step_has_begun_is_not_begun_anew() -> None:
    """Whether the job has ended is asked once, by a call that takes longer than each wait."""
    async with serving(Slow(at_the_head)) as server, Client(server.address) as client:
        watch = client.watch("j", after=5, epoch="e")
        await poll(watch, server.is_called)
        for _ in range(10):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(watch), 0.01)
        server.may_answer.set()
        assert await rest(watch) == []
    assert (len(server.requests), server.calls) == (1, 1)


async def test_an_error_that_came_between_two_waits_is_raised() -> None:
    """Once, by the next wait; then the watch is over."""
    async with serving(Slow(at_the_head)) as server, Client(server.address) as client:
        server.job_errors = [grpc.StatusCode.PERMISSION_DENIED]
        watch = client.watch("j", after=5, epoch="e")
        await poll(watch, server.is_called)
        server.may_answer.set()

        async def has_failed() -> bool:
            return watch._done

        await eventually(has_failed)
        with pytest.raises(PermissionDenied):
            await anext(watch)
        assert await anext(watch, None) is None


@pytest.mark.parametrize("passes", [1, 2, 3, 5, 8])
async def test_each_event_comes_once(passes: int) -> None:
    """In whichever pass of the loop a wait is cancelled, also across reconnects; and the cursor is that of the last."""

    async def interrupted(stream: Stream) -> None:
        after = stream.request.after_sequence
        await stream.open(head=40)
        for first in range(after + 1, min(after + 9, 40), 2):
            await stream.events(first, first + 1, end=first == 39)
        if after < 32:
            await stream.fail(grpc.StatusCode.UNAVAILABLE)

    got: list[Event] = []
    cursors: list[int] = []
    async with scripted(interrupted) as server, Client(server.address) as client, asyncio.timeout(120):
        watch = client.watch("j")
        for further in itertools.count():
            waiting = asyncio.ensure_future(anext(watch, None))
            for _ in range(passes + further % 3):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait((waiting,))
            if not waiting.cancelled():
                if (event := waiting.result()) is None:
                    break
                got.append(event)
            cursors.append(watch.cursor - (got[-1].sequence if got else 0))
    assert [event.sequence for event in got] == list(range(1, 41))
    assert set(cursors) == {0}


@pytest.fixture
def logged() -> list[object]:
    """What asyncio logs."""
    return []


@pytest.mark.parametrize("script", [idle, away_for_an_hour])
async def test_a_watch_that_is_dropped_after_a_wait_is_free(script: Step, logged: list[object]) -> None:
    """At once, where it waits for an event or to reconnect; its stream is cancelled at the server."""
    asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))
    async with scripted(script) as server, Client(server.address) as client:
        watch = client.watch("j")
        if script is idle:
            await anext(watch)

        async def has_come() -> bool:
            return len(server.requests) == 1

        await poll(watch, has_come)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(watch), 0.1)
        dropped = weakref.ref(watch)
        del watch

        async def is_free() -> bool:
            gc.collect()
            return dropped() is None and (script is not idle or server.cancelled.is_set())

        await eventually(is_free)
    gc.collect()
    assert len(server.requests) == 1
    assert logged == []


@pytest.mark.parametrize("error", [[], [grpc.StatusCode.PERMISSION_DENIED]])
async def test_a_watch_that_is_dropped_during_a_call_is_free_after_it(
    error: list[grpc.StatusCode], logged: list[object]
) -> None:
    """And nobody gets the error of the call, nor the log."""
    asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))
    async with serving(Slow(at_the_head)) as server, Client(server.address) as client:
        server.job_errors = error
        watch = client.watch("j", after=5, epoch="e")
        await poll(watch, server.is_called)
        dropped = weakref.ref(watch)
        del watch
        server.may_answer.set()

        async def is_free() -> bool:
            gc.collect()
            return dropped() is None

        await eventually(is_free)
    assert logged == []


async def test_closing_a_watch_cancels_what_a_step_has_begun(logged: list[object]) -> None:
    """And waits for it: nothing is left in the loop."""
    asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))
    async with serving(Slow(at_the_head)) as server, Client(server.address) as client:
        watch = client.watch("j", after=5, epoch="e")
        await poll(watch, server.is_called)
        await watch.aclose()
        assert not [task for task in asyncio.all_tasks() if "_advance" in repr(task)]
        assert await anext(watch, None) is None
    assert logged == []
