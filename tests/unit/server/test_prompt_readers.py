"""Readers that have room at once: what is live reaches them without waking a task, under the same rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.base.callers import SERVER
from milepost.server.base.slices import Slices
from milepost.server.watching.pacer import Pacer
from milepost.server.watching.running_estimates import FilterEstimates
from milepost.server.watching.signals import Signal, Waiter
from milepost.server.watching.status_estimates import StatusEstimates
from milepost.server.watching.subscriber import COUNTED_RESPONSE
from milepost.v1 import JobFilter, LogWritten, Update
from tests.support.rpc import eventually
from tests.support.validators import EventView, check
from tests.support.world import Subscriber, World

ALL = EventView()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A server."""
    made = World(tmp_path, memory=1 << 20)
    yield made
    await made.log.close()


async def report(world: World, text: str) -> None:
    """Report a line of a log; return once it is durable."""
    await (await world.report("j", Update(log_written=LogWritten(text=text))))


async def followers(world: World, *subscribers: Subscriber) -> None:
    """Start the job, and have them follow it."""
    await world.submit("j")
    await (await world.start("j"))
    for subscriber in subscribers:
        subscriber.watch()

    async def have_caught_up() -> bool:
        frames = [subscriber.recording.streams[-1].frames for subscriber in subscribers]
        return all(any(frame.HasField("caught_up") for frame in each) for each in frames)

    await eventually(have_caught_up)


async def have_all(world: World, *subscribers: Subscriber) -> None:
    """Wait until they have all events, each once and in order."""
    expected = world.history("j").head

    async def have() -> bool:
        return all(len(subscriber.recording.events) >= expected for subscriber in subscribers)

    await eventually(have)
    for subscriber in subscribers:
        check(subscriber.recording, world.history("j"))


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


async def test_a_reader_without_room(world: World) -> None:
    """Whoever takes no offer gets the events by its task, once it reads, and then by offers again."""
    reader = Subscriber(world, "j", ALL, takes_offers=True)
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


async def followed_again(world: World, reader: Subscriber) -> None:
    """Report until it takes offers again."""
    before = reader.offered

    async def takes_one() -> bool:
        await report(world, "again")
        return reader.offered > before

    await eventually(takes_one)
    await have_all(world, reader)


async def test_large_events_are_counted(world: World) -> None:
    """What counts as unread until it is sent goes through the task, which waits for room."""
    reader = Subscriber(world, "j", ALL, takes_offers=True)
    await followers(world, reader)
    await report(world, "x" * COUNTED_RESPONSE)
    await have_all(world, reader)

    assert reader.offered == 0


@pytest.mark.parametrize(
    ("estimates", "job_id"),
    [pytest.param(StatusEstimates, "j", id="one job"), pytest.param(FilterEstimates, "", id="many")],
)
async def test_events_go_before_looks(
    world: World, monkeypatch: pytest.MonkeyPatch, estimates: type, job_id: str
) -> None:
    """Where it is time to look at an estimate, which takes a task, the readers have the event first."""
    reader = Subscriber(world, job_id, ALL, takes_offers=True)
    offered_before_looks: list[int] = []

    async def has_changed(_: object) -> bool:
        offered_before_looks.append(reader.offered)
        return False

    await followers(world, reader)
    monkeypatch.setattr(estimates, "is_look_due", True)
    monkeypatch.setattr(estimates, "has_changed", has_changed)
    await followed_again(world, reader)

    async def has_looked() -> bool:
        return reader.offered in offered_before_looks

    await eventually(has_looked)


async def test_the_server_stops(world: World) -> None:
    """A stream that needed no task ends with DRAINING as any other."""
    reader = Subscriber(world, "j", ALL, takes_offers=True)
    await followers(world, reader)
    await followed_again(world, reader)
    await Slices().run(world.watching.close(), SERVER)

    async def has_ended() -> bool:
        return not reader.is_watching

    await eventually(has_ended)
    assert reader.reason == "DRAINING"


@pytest.mark.parametrize("is_served", [True, False])
async def test_a_wait_that_serving_cancels(is_served: bool) -> None:
    """It ends as cancelled, and whoever notifies goes on."""
    signal = Signal()
    waiter = Waiter(signal, 60.0, Pacer(), "a")

    def serve() -> bool:
        waiting.cancel()
        return is_served

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

    def serve() -> bool:
        served.append(signal.version)
        return True

    waiting = asyncio.create_task(waiter.wait(signal.version, serve))
    await asyncio.sleep(0)
    signal.notify()
    signal.notify()

    assert [served, waiting.done()] == [[1, 2], False]
    assert not await waiting
    waiter.close()


async def test_what_cannot_be_served_ends_the_wait() -> None:
    """The task goes on where `serve` declines, or raises."""
    signal = Signal()
    waiter = Waiter(signal, 60.0, Pacer(), "a")
    waiting = asyncio.create_task(waiter.wait(signal.version, lambda: False))
    await asyncio.sleep(0)
    signal.notify()
    assert await waiting

    def fail() -> bool:
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

    def serve() -> bool:
        served.append(signal.version)
        return True

    waiting = asyncio.create_task(waiter.wait(signal.version, serve))
    await asyncio.sleep(0)
    waiting.cancel()
    signal.notify()
    await asyncio.wait([waiting])

    assert served == []
    waiter.close()
