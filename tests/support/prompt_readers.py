"""Readers of one job that are served without their tasks, or mostly are."""

from __future__ import annotations

import pytest

from milepost.v1 import LogWritten, Update
from tests.support.rpc import eventually
from tests.support.validators import EventView, check
from tests.support.world import Subscriber, World

__all__ = ["ALL", "OFFERS", "followed_again", "followers", "have_all", "report"]

ALL = EventView()

OFFERS = pytest.mark.parametrize(
    "offers",
    [
        pytest.param({"takes_offers": True}, id="alone"),
        pytest.param({"shares_offers": True}, id="shared"),
        pytest.param({"delays_offers": True}, id="delayed"),
        pytest.param({"shares_offers": True, "delays_offers": True}, id="shared and delayed"),
    ],
)


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
        newest = [subscriber.recording.events[-1:] for subscriber in subscribers]
        return all(events and events[0].sequence >= expected for events in newest)

    await eventually(have)
    for subscriber in subscribers:
        check(subscriber.recording, world.history("j"))


async def followed_again(world: World, *readers: Subscriber) -> None:
    """Report until they take offers again."""
    before = [reader.offered for reader in readers]

    async def take_one() -> bool:
        await report(world, "again")
        return all(reader.offered > count for reader, count in zip(readers, before, strict=True))

    await eventually(take_one)
    await have_all(world, *readers)
