"""Watches with LATEST delivery, which rest between two batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from milepost.v1 import Delivery, LogWritten, Update
from tests.support.rpc import eventually
from tests.support.validators import EventView
from tests.support.world import Subscriber, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A server without a network."""
    made = World(tmp_path, memory=1 << 20)
    yield made
    await made.log.close()


def line(text: str) -> Update:
    """A log line."""
    return Update(log_written=LogWritten(text=text))


@pytest.mark.parametrize("job_id", ["j", ""])
async def test_a_stream_of_the_latest_that_is_never_idle(world: World, job_id: str) -> None:
    """It catches up, however steadily events come, since it rests before a batch and not after it."""
    await world.submit("j")
    await (await world.start("j"))
    await (await world.report("j", line("first")))

    async def keep_reporting() -> None:
        while True:
            await (await world.report("j", line("on")))

    subscriber = Subscriber(world, job_id, EventView(latest=True), delivery=Delivery.DELIVERY_LATEST)
    subscriber.watch()
    reporting = asyncio.create_task(keep_reporting())

    def frames() -> list[str | None]:
        return [frame.WhichOneof("frame") for frame in subscriber.recording.streams[-1].frames]

    async def has_several() -> bool:
        return len(frames()) >= 5

    try:
        await eventually(has_several)
    finally:
        reporting.cancel()
        await subscriber.cut()
    assert "caught_up" in frames()[:5]
