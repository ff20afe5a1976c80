"""Watches with LATEST delivery, which rest between two batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.v1 import Delivery, LogWritten, Stage, StageProgressed, StageStarted, Update
from tests.support.estimated import Estimated
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

    async def has_several() -> bool:
        return len(kinds(subscriber)) >= 5

    try:
        await eventually(has_several)
    finally:
        reporting.cancel()
        await subscriber.cut()
    assert "caught_up" in kinds(subscriber)[:5]


async def progressed(world: World, job_id: str) -> None:
    """A job in which two stages have advanced beside each other, with a line of the log in between."""
    await world.submit(job_id)
    await (await world.start(job_id))
    for stage_id in ("a", "b"):
        await (await world.report(job_id, Update(stage_started=StageStarted(stage=Stage(stage_id=stage_id)))))
    for update in (progress("a", 1), progress("b", 1), progress("a", 2), line("on"), progress("a", 3)):
        await (await world.report(job_id, update))


def progress(stage_id: str, current: float) -> Update:
    """Progress of a stage."""
    return Update(stage_progressed=StageProgressed(stage_id=stage_id, current=current))


async def has_ended(subscriber: Subscriber) -> bool:
    """Whether the server has ended the stream."""
    return not subscriber.is_watching


def kinds(subscriber: Subscriber) -> list[str | None]:
    """Which frames its stream has."""
    return [frame.WhichOneof("frame") for frame in subscriber.recording.streams[-1].frames]


def sequences(subscriber: Subscriber) -> list[list[int]]:
    """The events of each batch."""
    frames = subscriber.recording.streams[-1].frames
    return [[event.sequence for event in frame.events.events] for frame in frames if frame.HasField("events")]


@pytest.mark.parametrize("job_id", ["j", ""])
async def test_a_replay_of_the_latest_ends_at_the_head(world: World, job_id: str) -> None:
    """It has the newest progress of each stage, every other event, and no status, and ends with OK."""
    await progressed(world, "j")
    subscriber = Subscriber(
        world,
        job_id,
        EventView(latest=True),
        delivery=Delivery.DELIVERY_LATEST,
        no_follow=True,
        status_interval=None,
    )
    subscriber.watch()
    await eventually(lambda: has_ended(subscriber))

    # 1 and 2 are the submission and the start; 5, 7 and 9 are progress of one stage, and 6 of the other one.
    assert sequences(subscriber) == [[1, 2, 3, 4, 6, 8, 9]]
    assert kinds(subscriber) == ["opened", "events", "caught_up"]
    assert subscriber.recording.streams[-1].code == grpc.StatusCode.OK


@pytest.mark.parametrize("job_id", ["j", ""])
async def test_the_latest_of_each_batch(world: World, job_id: str) -> None:
    """What a later batch supersedes has been sent by then: whoever has all batches has the state as of the head."""
    await progressed(world, "j")
    subscriber = Subscriber(
        world,
        job_id,
        EventView(latest=True),
        delivery=Delivery.DELIVERY_LATEST,
        no_follow=True,
        max_batch_events=4,
    )
    subscriber.watch(after_sequence=3) if job_id else subscriber.watch(after_position=3)
    await eventually(lambda: has_ended(subscriber))

    assert sequences(subscriber) == [[4, 6, 7], [8, 9]]


@pytest.mark.parametrize("job_id", ["j", ""])
@pytest.mark.parametrize("asks", [True, False])
async def test_a_replay_of_the_latest_ends_with_the_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job_id: str, asks: bool
) -> None:
    """In a status, for clients that ask at intervals, and say so by setting one."""
    estimated = Estimated(monkeypatch)
    world = World(tmp_path, memory=1 << 20, estimators=estimated.make)
    await progressed(world, "j")
    subscriber = Subscriber(
        world,
        job_id,
        EventView(latest=True),
        delivery=Delivery.DELIVERY_LATEST,
        no_follow=True,
        status_interval=Duration(seconds=10) if asks else None,
    )
    subscriber.watch()
    await eventually(lambda: has_ended(subscriber))
    await world.log.close()

    assert samples(subscriber) == ([1] if asks else [])


@pytest.mark.parametrize("job_id", ["j", ""])
async def test_a_reader_of_the_latest_is_told_another_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job_id: str
) -> None:
    """Beside the events, of which it has the latest."""
    estimated = Estimated(monkeypatch)
    world = World(tmp_path, memory=1 << 20, estimators=estimated.make)
    await progressed(world, "j")
    subscriber = Subscriber(world, job_id, EventView(latest=True), delivery=Delivery.DELIVERY_LATEST)
    subscriber.watch()

    async def has_said(expected: int, last: int) -> bool:
        return expected in samples(subscriber) and sequences(subscriber)[-1][-1] == last

    estimated.pass_time(20)
    await eventually(lambda: has_said(1, 9))
    estimated.samples = 2
    estimated.pass_time(20)
    await (await world.report("j", progress("a", 4)))
    await eventually(lambda: has_said(2, 10))
    await subscriber.cut()
    await world.log.close()

    assert (sequences(subscriber), set(samples(subscriber))) == ([[1, 2, 3, 4, 6, 8, 9], [10]], {1, 2})


def samples(subscriber: Subscriber) -> list[int]:
    """The estimates in the statuses of a stream, of one job or of all."""
    statuses = [frame.status for frame in subscriber.recording.streams[-1].frames if frame.HasField("status")]
    return [
        estimate.sample_size
        for status in statuses
        for estimate in (status.estimate, *(each.estimate for each in status.job_estimates))
        if estimate.sample_size
    ]


@pytest.mark.parametrize("no_follow", [False, True])
async def test_a_replay_does_not_rest(world: World, no_follow: bool) -> None:
    """Its next batch is there already; a rest before each would take the interval as often as the log has batches."""
    await world.submit("j")
    await (await world.start("j"))
    for number in range(8):
        await (await world.report("j", *(line(f"{number} {'x' * 1000}") for _ in range(20))))
    subscriber = Subscriber(
        world,
        "j",
        EventView(latest=True),
        delivery=Delivery.DELIVERY_LATEST,
        no_follow=no_follow,
        status_interval=Duration(seconds=36_000),
    )
    subscriber.watch()

    async def has_caught_up() -> bool:
        return "caught_up" in kinds(subscriber)

    await eventually(has_caught_up)
    await subscriber.cut()
    assert kinds(subscriber).count("events") > 2
