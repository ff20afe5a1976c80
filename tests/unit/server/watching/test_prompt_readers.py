"""Readers that have room at once: what is live reaches them without waking a task, under the same rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.watching.pacer import Pacer
from milepost.server.watching.running_estimates import FilterEstimates
from milepost.server.watching.signals import Served, Signal, Waiter
from milepost.server.watching.status_estimates import StatusEstimates
from milepost.server.watching.subscriber import COUNTED_RESPONSE
from milepost.v1 import EventFilter, JobEnded, JobFilter, JobState, Update
from tests.support.prompt_readers import ALL, OFFERS, followed_again, followers, have_all, report
from tests.support.rpc import eventually
from tests.support.validators import EventView
from tests.support.world import Subscriber, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A server."""
    made = World(tmp_path, memory=1 << 20)
    yield made
    await made.log.close()


async def test_live_events_need_no_task(world: World) -> None:
    """What is live is offered, of one job as of many, as soon as it is durable."""
    interval = Duration(seconds=600)  # a status wakes the task
    of_one = Subscriber(world, "j", ALL, takes_offers=True, status_interval=interval)
    of_many = Subscriber(
        world, "", ALL, takes_offers=True, status_interval=interval, filter=JobFilter(job_ids=["j"])
    )
    by_task = Subscriber(world, "j", ALL)
    await followers(world, of_one, of_many, by_task)
    await followed_again(world, of_one)
    await followed_again(world, of_many)
    before = of_one.offered, of_many.offered
    for number in range(5):
        await report(world, str(number))
    await have_all(world, of_one, of_many, by_task)

    assert (of_one.offered - before[0], of_many.offered - before[1], by_task.offered) == (5, 5, 0)


@OFFERS
async def test_a_reader_without_room(world: World, offers: dict[str, Any]) -> None:
    """Whoever takes no offer gets the events by its task, once it reads, and then by offers again."""
    reader = Subscriber(world, "j", ALL, **offers)
    await followers(world, reader)
    reader.flowing.clear()
    for number in range(3):
        await report(world, str(number))

    async def is_stalled() -> bool:
        return reader.is_stalled

    await eventually(is_stalled)
    reader.flowing.set()
    await have_all(world, reader)
    await followed_again(world, reader)


async def test_readers_who_share_offers(world: World) -> None:
    """They are served together, as long as they are at the same event, have one filter, and room.

    Whoever has none gets the events by its task, once it reads. The others do not wait, and later it is with them
    again.
    """
    long = Duration(seconds=600)
    readers = [Subscriber(world, "j", ALL, shares_offers=True, status_interval=long) for _ in range(40)]
    stalled, others = readers[0], readers[1:]
    of_logs = EventView(events=lambda event: event.HasField("log_written"))
    logs = EventFilter(payloads=["log_written"])
    filtered = Subscriber(world, "j", of_logs, shares_offers=True, status_interval=long, filter=logs)
    await followers(world, *readers, filtered)
    await followed_again(world, *readers)
    shared = [reader.shared for reader in readers]
    stalled.flowing.clear()
    for number in range(5):
        await report(world, str(number))
    await have_all(world, *others)

    assert [reader.shared for reader in readers] == [shared[0], *(count + 5 for count in shared[1:])]
    stalled.flowing.set()
    await report(world, "it reads")
    await have_all(world, stalled)
    await followed_again(world, stalled)
    events = [event.log_written.text for event in filtered.recording.events]
    assert events == [event.log_written.text for event in stalled.recording.events[2:]]
    await readers[1].cut()
    await report(world, "one has left")
    await have_all(world, *readers[2:], stalled)


@OFFERS
async def test_large_events_are_counted(world: World, offers: dict[str, Any]) -> None:
    """What counts as unread until it is sent goes through the task, which waits for room."""
    reader = Subscriber(world, "j", ALL, **offers)
    await followers(world, reader)
    await report(world, "x" * COUNTED_RESPONSE)
    await have_all(world, reader)

    assert reader.offered == 0


@pytest.mark.parametrize(
    ("estimates", "job_id"),
    [pytest.param(StatusEstimates, "j", id="one job"), pytest.param(FilterEstimates, "", id="many")],
)
@OFFERS
async def test_events_go_before_looks(
    world: World, monkeypatch: pytest.MonkeyPatch, estimates: type, job_id: str, offers: dict[str, Any]
) -> None:
    """Where it is time to look at an estimate, which may take a task, the readers have the event first."""
    reader = Subscriber(world, job_id, ALL, **offers)
    offered_before_looks: list[int] = []

    def may_be_worth_status(_: object, *, is_due: bool) -> bool:
        offered_before_looks.append(reader.offered)
        return True

    async def has_changed(_: object) -> bool:
        offered_before_looks.append(reader.offered)
        return False

    await followers(world, reader)
    monkeypatch.setattr(estimates, "is_look_due", True)
    monkeypatch.setattr(estimates, "may_be_worth_status", may_be_worth_status, raising=False)
    monkeypatch.setattr(estimates, "has_changed", has_changed)
    await followed_again(world, reader)

    async def has_looked() -> bool:
        return reader.offered in offered_before_looks

    await eventually(has_looked)


@OFFERS
async def test_the_end_of_a_job(world: World, offers: dict[str, Any]) -> None:
    """Readers have the last event of a job before any task ends a stream."""
    readers = [
        Subscriber(world, "j", ALL, status_interval=Duration(seconds=600), **offers) for _ in range(40)
    ]
    await followers(world, *readers)
    await followed_again(world, *readers)
    before = [reader.offered for reader in readers]
    ended = Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))
    await (await world.report("j", ended))

    async def have_ended() -> bool:
        return not any(reader.is_watching for reader in readers)

    await eventually(have_ended)
    await have_all(world, *readers)
    assert [reader.offered for reader in readers] == [count + 1 for count in before]
    assert {
        (reader.reason, reader.recording.streams[-1].frames[-1].WhichOneof("frame")) for reader in readers
    } == {("", "events")}


@OFFERS
async def test_the_server_stops(
    world: World, monkeypatch: pytest.MonkeyPatch, offers: dict[str, Any]
) -> None:
    """A stream that needed no task ends with DRAINING as any other, also where a status would come just then."""
    reader = Subscriber(world, "j", ALL, status_interval=Duration(seconds=600), **offers)
    await followers(world, reader)
    await followed_again(world, reader)
    loop = asyncio.get_running_loop()
    time = loop.time
    monkeypatch.setattr(loop, "time", lambda: time() + 700)
    for _ in world.watching.close():
        pass

    async def has_ended() -> bool:
        return not reader.is_watching

    await eventually(has_ended)
    last = reader.recording.streams[-1].frames[-1]
    assert (reader.reason, last.WhichOneof("frame")) == ("DRAINING", "events")


@pytest.mark.parametrize("outcome", Served)
async def test_a_wait_that_serving_cancels(outcome: Served) -> None:
    """It ends as cancelled, and whoever notifies goes on."""
    signal = Signal()
    waiter = Waiter(signal, 60.0, Pacer(), "a")

    def serve() -> Served:
        waiting.cancel()
        return outcome

    waiting = asyncio.create_task(waiter.wait(signal.version, serve))
    await asyncio.sleep(0)
    signal.notify()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not signal.is_awaited
    waiter.close()


async def test_a_wait_goes_on_while_it_is_served() -> None:
    """A notification that is served does not end the wait; the next one is not lost, and the interval still counts."""
    signal = Signal()
    waiter = Waiter(signal, 0.01, Pacer(), "a")
    served: list[int] = []

    def serve() -> Served:
        served.append(signal.version)
        return Served.ALL

    waiting = asyncio.create_task(waiter.wait(signal.version, serve))
    await asyncio.sleep(0)
    signal.notify()
    signal.notify()

    assert [served, waiting.done()] == [[1, 2], False]
    assert not await waiting
    waiter.close()


async def test_a_wait_that_a_group_serves() -> None:
    """Notifications are the group's, which wakes whom it has to. The interval counts from what it sent."""
    signal = Signal()
    waiter = Waiter(signal, 0.02, Pacer(), "a")
    loop = asyncio.get_running_loop()
    group = SimpleNamespace(version=signal.version, served_at=loop.time() + 0.1)
    waiting = asyncio.create_task(waiter.wait(signal.version, group=group))
    await asyncio.sleep(0)
    signal.notify()
    group.version = signal.version
    await asyncio.sleep(0)
    assert not waiting.done()
    assert not await waiting
    assert loop.time() >= group.served_at + 0.02

    waiting = asyncio.create_task(waiter.wait(signal.version, group=group))
    await asyncio.sleep(0)
    waiter.wake()
    assert await waiting
    waiter.close()


async def test_what_cannot_be_served_ends_the_wait() -> None:
    """The task goes on where `serve` declines, or raises."""
    signal = Signal()
    waiter = Waiter(signal, 60.0, Pacer(), "a")
    waiting = asyncio.create_task(waiter.wait(signal.version, lambda: Served.TASK))
    await asyncio.sleep(0)
    signal.notify()
    assert await waiting

    def fail() -> Served:
        raise LookupError

    waiting = asyncio.create_task(waiter.wait(signal.version, fail))
    await asyncio.sleep(0)
    signal.notify()
    assert await waiting
    waiter.close()


async def test_a_stream_that_left_is_not_served() -> None:
    """Between the cancellation and the end of its task nothing is sent."""
    signal = Signal()
    waiter = Waiter(signal, 60.0, Pacer(), "a")
    served: list[int] = []

    def serve() -> Served:
        served.append(signal.version)
        return Served.ALL

    waiting = asyncio.create_task(waiter.wait(signal.version, serve))
    await asyncio.sleep(0)
    waiting.cancel()
    signal.notify()
    await asyncio.wait([waiting])

    assert served == []
    waiter.close()
