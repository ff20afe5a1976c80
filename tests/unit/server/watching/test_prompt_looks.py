"""Readers that have room at once: looks at the estimate of their job, and statuses, wake no task either."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.log.log_errors import StoreFailed
from milepost.server.watching.job_stream import JobStream
from milepost.server.watching.stream_step import Step
from tests.support.estimated import Estimated
from tests.support.prompt_readers import ALL, OFFERS, followed_again, followers, have_all, report
from tests.support.rpc import eventually
from tests.support.world import Subscriber, World

LONG = Duration(seconds=600)


async def have_said(estimated: Estimated, readers: Sequence[Subscriber]) -> None:
    """Wait until all have said the estimate."""

    async def have() -> bool:
        return all(estimated.samples in samples_said(reader) for reader in readers)

    await eventually(have)


async def have_looked(world: World, estimated: Estimated, readers: Sequence[Subscriber]) -> None:
    """Have them follow the job until they have looked at its estimate once, and take offers."""
    await followers(world, *readers)
    await report(world, "the first look")
    await have_said(estimated, readers)
    await followed_again(world, *readers)


def count_steps(monkeypatch: pytest.MonkeyPatch) -> list[JobStream]:
    """The streams whose tasks read from now on."""
    tasks: list[JobStream] = []
    send_next = JobStream._send_next

    def count(stream: JobStream) -> Awaitable[Step]:
        tasks.append(stream)
        return send_next(stream)

    monkeypatch.setattr(JobStream, "_send_next", count)
    return tasks


def kinds(reader: Subscriber) -> list[str | None]:
    """Which frames its stream has."""
    return [frame.WhichOneof("frame") for frame in reader.recording.streams[-1].frames]


def samples_said(reader: Subscriber) -> list[int]:
    """The estimates in the statuses of a reader's stream."""
    frames = reader.recording.streams[-1].frames
    return [frame.status.estimate.sample_size for frame in frames if frame.HasField("status")]


@OFFERS
async def test_looks_need_no_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offers: dict[str, Any]
) -> None:
    """Streams look at the estimate of their job, which is refreshed once for all of them, while they wait.

    One that has changed makes each send a status, although no further event comes.
    """
    estimated = Estimated(monkeypatch)
    world = World(tmp_path, memory=1 << 20, estimators=estimated.make)
    readers = [Subscriber(world, "j", ALL, status_interval=LONG, **offers) for _ in range(40)]
    await have_looked(world, estimated, readers)
    before = estimated.refreshes, [samples_said(reader) for reader in readers]
    estimated.tasks_asked = 0
    estimated.pass_time(20)
    await report(world, "nothing new")
    await have_all(world, *readers)

    async def has_refreshed() -> bool:
        return estimated.refreshes > before[0]

    await eventually(has_refreshed)
    await followed_again(world, *readers)
    assert (estimated.refreshes, estimated.tasks_asked) == (before[0] + 1, 0)
    assert [samples_said(reader) for reader in readers] == before[1]

    estimated.samples = 2
    estimated.pass_time(20)
    await report(world, "much happened")
    await have_said(estimated, readers)
    assert [samples_said(reader) for reader in readers] == [[*said, 2] for said in before[1]]
    assert estimated.refreshes == before[0] + 2

    # At hand when the event comes: the status waits until that is sent.
    estimated.samples = 3
    estimated.pass_time(20)
    await estimated.refresh(world)
    await report(world, "somebody has asked already")
    await have_said(estimated, readers)
    assert [samples_said(reader) for reader in readers] == [[*said, 2, 3] for said in before[1]]
    assert (estimated.refreshes, estimated.tasks_asked) == (before[0] + 3, 0)
    await world.log.close()


@OFFERS
async def test_the_status_at_the_start_of_a_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offers: dict[str, Any]
) -> None:
    """Whoever was told what a queued job waits for has a status once it runs, after its events, without its task."""
    estimated = Estimated(monkeypatch)
    world = World(tmp_path, memory=1 << 20, estimators=estimated.make)
    readers = [Subscriber(world, "j", ALL, status_interval=LONG, **offers) for _ in range(40)]
    await world.submit("j")
    for reader in readers:
        reader.watch()

    async def are_waiting() -> bool:
        return all(kinds(reader)[-1:] == ["status"] for reader in readers)

    await eventually(are_waiting)
    offered = [reader.offered for reader in readers]
    await (await world.start("j"))
    await have_said(estimated, readers)

    assert [kinds(reader)[-3:] for reader in readers] == [["status", "events", "status"]] * 40
    assert [reader.offered for reader in readers] == [count + 2 for count in offered]
    tasks = count_steps(monkeypatch)
    await report(world, "live")
    await have_all(world, *readers)
    await report(world, "still live")
    await have_all(world, *readers)
    assert tasks == []
    assert {reader.shared for reader in readers} == {2 * ("shares_offers" in offers)}
    await world.log.close()


@OFFERS
async def test_an_estimate_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offers: dict[str, Any]
) -> None:
    """Each stream ends with the error; the refresh is repeated once, for the tasks that meet it, and for no event.

    Those of one pass of the event loop meet it: there are turns for all of them in one.
    """
    estimated = Estimated(monkeypatch)
    world = World(tmp_path, memory=1 << 20, estimators=estimated.make)
    readers = [Subscriber(world, "j", ALL, status_interval=LONG, **offers) for _ in range(20)]
    await have_looked(world, estimated, readers)
    before = estimated.refreshes
    estimated.failure = StoreFailed("no")
    estimated.pass_time(20)
    await report(world, "one event")

    async def have_ended() -> bool:
        return not any(reader.is_watching for reader in readers)

    await eventually(have_ended)
    for reader in readers:
        with pytest.raises(StoreFailed):
            await reader.cut()
    assert estimated.refreshes == before + 2
    await world.log.close()


async def test_a_look_that_waits_wakes_no_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was put off since an event was on its way; the next event does not take the task of the stream."""
    estimated = Estimated(monkeypatch)
    world = World(tmp_path, memory=1 << 20, estimators=estimated.make)
    reader = Subscriber(world, "j", ALL, status_interval=LONG, delays_offers=True)
    await have_looked(world, estimated, [reader])
    tasks = count_steps(monkeypatch)
    estimated.samples = 2
    estimated.pass_time(20)
    await estimated.refresh(world)
    sending = reader.delayed
    assert sending is not None
    reader.arriving.clear()
    await report(world, "on its way")
    await passes()
    await report(world, "another one")
    sending.arrive()
    await passes()
    said = samples_said(reader)[-1]
    reader.arriving.set()
    sending.arrive()
    await have_said(estimated, [reader])
    await have_all(world, reader)
    assert (said, tasks) == (1, [])
    await world.log.close()


async def test_a_status_beside_events_without_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes also where the next event is always there before the last one is sent."""
    estimated = Estimated(monkeypatch)
    world = World(tmp_path, memory=1 << 20, estimators=estimated.make)
    reader = Subscriber(world, "j", ALL, status_interval=LONG, delays_offers=True)
    await have_looked(world, estimated, [reader])
    estimated.samples = 2
    estimated.pass_time(20)
    await estimated.refresh(world)
    sending = reader.delayed
    assert sending is not None
    reader.arriving.clear()
    await report(world, "on its way")
    for number in range(5):
        await passes()
        await report(world, str(number))
        await passes()
        sending.arrive()
        await passes()

    assert samples_said(reader)[-1] == 2
    reader.arriving.set()
    sending.arrive()
    await have_all(world, reader)
    await world.log.close()


async def passes() -> None:
    """Let the event loop do what it can."""
    for _ in range(20):
        await asyncio.sleep(0)
