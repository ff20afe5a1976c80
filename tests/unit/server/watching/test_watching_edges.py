"""Races in watching that no test at the wire can produce."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from milepost.server.log.event_log import Entry, EventPage, FeedPage, Query
from milepost.server.log.sqlite.writer import Outcome
from milepost.server.watching.pacer import Pacer
from milepost.server.watching.tails import Tails
from milepost.v1 import (
    Event,
    EventFilter,
    Events,
    JobEnded,
    JobFilter,
    JobState,
    LogWritten,
    Stage,
    StageProgressed,
    StageStarted,
    Update,
)
from tests.support.rpc import eventually
from tests.support.validators import EventView, History, check, missing
from tests.support.world import Subscriber, World

ALL = EventView()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A server with little memory for tails, so that the store is read."""
    made = World(tmp_path, memory=400)
    yield made
    await made.log.close()


def line(text: str) -> Update:
    """A log line."""
    return Update(log_written=LogWritten(text=text))


async def ended(world: World, job_id: str, *updates: Update) -> None:
    """Run a job with these reports to its end."""
    await world.submit(job_id)
    await (await world.start(job_id))
    for update in updates:
        await (await world.report(job_id, update))
    await (await world.report(job_id, Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))))


async def names(subscriber: Subscriber, *expected: str) -> None:
    """Wait for the first frames of its last stream; return their names."""

    async def have_come() -> bool:
        frames = subscriber.recording.streams[-1].frames[: len(expected)]
        return list(expected) == [frame.WhichOneof("frame") for frame in frames]

    await eventually(have_come)


async def stalled(subscriber: Subscriber) -> None:
    """Wait until a frame waits to be read."""

    async def waits() -> bool:
        return subscriber.is_stalled

    await eventually(waits)


async def over(subscriber: Subscriber) -> None:
    """Wait until its stream has ended."""

    async def has_ended() -> bool:
        return not subscriber.is_watching

    await eventually(has_ended)


async def test_a_job_of_a_deleted_ones_name(world: World) -> None:
    """A stalled subscriber does not disturb a new job with the id of a deleted one."""
    await ended(world, "j", line("old"))
    old = Subscriber(world, "j", ALL, stalls_at=1, max_batch_events=1)
    old.watch()
    await stalled(old)
    await world.log.delete("j")
    await world.submit("j")
    fresh = Subscriber(world, "j", ALL, no_follow=True)
    fresh.watch()
    await over(fresh)
    assert [fresh.reason, *(e.WhichOneof("payload") for e in fresh.recording.events)] == ["", "job_submitted"]
    old.flowing.set()
    await over(old)
    assert old.reason == "JOB_NOT_FOUND"


async def test_a_deletion_after_the_end_was_sent(world: World) -> None:
    """Rule 6: who has `job_ended` gets OK after it, although the job is deleted before the stream goes on."""
    await ended(world, "j")
    subscriber = Subscriber(world, "j", ALL, stalls_at=1)
    subscriber.watch()
    await stalled(subscriber)
    await world.log.delete("j")
    subscriber.flowing.set()
    await over(subscriber)
    kinds = [event.WhichOneof("payload") for event in subscriber.recording.events]
    assert (kinds, subscriber.reason) == (["job_submitted", "job_started", "job_ended"], "")


@pytest.mark.parametrize("start", ["after_sequence", "from_snapshot"])
async def test_a_later_job_that_is_read_before_the_notice_of_the_deletion(
    world: World, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    """A read may be ahead of the listeners: nothing of a later job with the id reaches a watch of the earlier one."""
    await ended(world, "j", line("old"))
    old = Subscriber(world, "j", ALL, stalls_at=1, max_batch_events=1)
    old.watch()
    await stalled(old)
    notices: list[Sequence[Entry]] = []
    on_entries = Tails.on_entries
    monkeypatch.setattr(Tails, "on_entries", lambda _, entries: notices.append(entries))
    await world.log.delete("j")
    await ended(world, "j", *[line("new")] * 5)
    fresh = Subscriber(world, "j", ALL, no_follow=True)
    fresh.watch(**{start: True} if start == "from_snapshot" else {})
    for subscriber in (fresh, old):
        subscriber.flowing.set()
        await over(subscriber)
        assert subscriber.reason == "STORE_UNAVAILABLE"
    assert [event.sequence for event in old.recording.events] == [1]
    monkeypatch.setattr(Tails, "on_entries", on_entries)
    for entries in notices:
        world.watching.on_entries(entries)
    fresh.watch()
    await over(fresh)
    assert [event.sequence for event in fresh.recording.events] == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_what_was_read_before_it_was_dropped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read during the deletion is not mistaken for the log of a later job with that id."""
    await ended(world, "j", line("old"), line("old"))
    read, gate = asyncio.Event(), asyncio.Event()
    reading = world.log.read

    async def late(job_id: str, cursor: int, max_bytes: int, *, caller: str) -> EventPage | None:
        page = await reading(job_id, cursor, max_bytes, caller=caller)
        if max_bytes:
            read.set()
            await gate.wait()
        return page

    monkeypatch.setattr(world.log, "read", late)
    first = Subscriber(world, "j", ALL, max_batch_events=1)
    first.watch()
    await read.wait()
    await world.log.delete("j")
    gate.set()
    await over(first)
    await ended(world, "j", line("new"), line("new"))
    second = Subscriber(world, "j", ALL, max_batch_events=1)
    second.watch()
    await over(second)
    page = await reading("j", 0, 1 << 20)
    assert page is not None
    log = [event for chunk in page.chunks for event in Events.FromString(chunk.frames).events]
    assert log == second.recording.events


async def test_thinned_under_way(world: World) -> None:
    """A watch that has not read a log when it is thinned ends; the next one learns of the gaps from `opened`."""
    progress = [Update(stage_progressed=StageProgressed(stage_id="s", current=n)) for n in range(1, 9)]
    await ended(world, "j", Update(stage_started=StageStarted(stage=Stage(stage_id="s"))), *progress)
    subscriber = Subscriber(world, "j", ALL, stalls_at=4, max_batch_events=1)
    subscriber.watch()
    await stalled(subscriber)
    await world.log.thin("j")
    subscriber.flowing.set()
    await over(subscriber)
    assert subscriber.reason == "STORE_UNAVAILABLE"
    subscriber.watch()
    await over(subscriber)
    assert subscriber.reason == ""
    check(subscriber.recording, world.history("j"))


async def test_others_that_are_dropped(world: World) -> None:
    """Rule 3: drops of other jobs do not end a live stream."""
    subscriber = Subscriber(world, "", ALL, filter=JobFilter(kinds=["wanted"]))
    subscriber.watch()
    await names(subscriber, "opened", "caught_up")
    subscriber.flowing.clear()
    await ended(world, "other")
    await world.log.delete("other")
    await world.submit("j", kind="wanted")
    subscriber.flowing.set()

    async def is_shown() -> bool:
        return not subscriber.is_watching or bool(subscriber.recording.events)

    await eventually(is_shown)
    assert subscriber.reason == ""
    await subscriber.cut()


async def test_snapshots_of_what_is_not_yet_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot may include durable events that the feed does not have yet; they are not sent again."""
    for job_id in ("a", "b"):
        await world.submit(job_id)
        await (await world.start(job_id))
    untold: list[Outcome] = []
    with monkeypatch.context() as patched:
        patched.setattr(world.log._deliveries, "put", untold.extend)
        pending = [await world.report(job_id, line("untold")) for job_id in ("a", "b")]

        async def are_durable() -> bool:
            jobs = [await world.log.find(job_id) for job_id in ("a", "b")]
            return len(untold) == 2 and all(job is not None and job.last_sequence == 3 for job in jobs)

        await eventually(are_durable)
        subscriber = Subscriber(world, "", ALL, max_batch_events=1)
        subscriber.watch(from_snapshot=True)
        await names(subscriber, "opened", "snapshot", "snapshot", "caught_up")
    world.log._deliveries.put(untold)
    await asyncio.gather(*pending)
    for job_id in ("a", "b"):
        await (await world.report(job_id, line("told")))

    async def has_all() -> bool:
        return not missing(subscriber.recording, world.history())

    await eventually(has_all)
    await subscriber.cut()
    assert [event.log_written.text for event in subscriber.recording.events] == ["told", "told"]
    check(subscriber.recording, world.history())


async def test_resuming_at_what_is_not_yet_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch that resumes at the head of the feed, while the log already has more."""
    await world.submit("j")
    live = Subscriber(world, "j", ALL)
    live.watch()
    await names(live, "opened", "events", "caught_up")
    await (await world.start("j"))
    untold: list[Outcome] = []
    with monkeypatch.context() as patched:
        patched.setattr(world.log._deliveries, "put", untold.extend)
        pending = await world.report("j", line("untold"))

        async def is_durable() -> bool:
            return bool(untold)

        await eventually(is_durable)
        late = Subscriber(world, "j", ALL)
        late.watch(after_sequence=2)
        await names(late, "opened", "events", "caught_up")
    world.log._deliveries.put(untold)
    await pending
    await (await world.report("j", Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))))
    for subscriber in (live, late):
        await over(subscriber)
        assert subscriber.reason == ""
    assert [event.sequence for event in late.recording.events] == [3, 4]
    check(live.recording, world.history("j"))


async def test_a_replayed_job_of_a_deleted_ones_name(tmp_path: Path) -> None:
    """Cached batches of a deleted job are not sent for a later job with that id."""
    world = World(tmp_path, memory=1 << 20)
    for text in ("old", "new"):
        await ended(world, "j", *(line(f"{text} {number}") for number in range(5)))
        subscriber = Subscriber(world, "j", ALL, max_batch_events=1)
        subscriber.watch()
        await over(subscriber)
        check(
            subscriber.recording, world.history("j") if text == "old" else History.of_log(await log_of(world))
        )
        events = [e.log_written.text for e in subscriber.recording.events if e.HasField("log_written")]
        assert events == [f"{text} {number}" for number in range(5)]
        await world.log.delete("j")
    await world.log.close()


async def log_of(world: World) -> list[Event]:
    """The stored log of job "j"."""
    page = await world.log.read("j", 0, 1 << 20)
    assert page is not None
    return [event for chunk in page.chunks for event in Events.FromString(chunk.frames).events]


async def test_a_drop_may_be_read_before_its_notice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 3: a watch that reads a log before the notice of a drop has come is refused as well."""
    await ended(world, "j", line("1"), line("2"))
    reading_all = world.log.read_feed
    untold: list[Outcome] = []
    dropping: list[asyncio.Future[None]] = []

    async def is_durable() -> bool:
        return bool(untold)

    async def late_all(query: Query, after: int, max_bytes: int, known: int, *, caller: str) -> FeedPage:
        if not dropping:
            monkeypatch.setattr(world.log._deliveries, "put", untold.extend)
            dropping.append(world.log.trim("j", 4))
            await eventually(is_durable)
        return await reading_all(query, after, max_bytes, known, caller=caller)

    monkeypatch.setattr(world.log, "read_feed", late_all)
    subscriber = Subscriber(world, "", ALL)
    subscriber.watch(after_position=1)

    async def is_answered() -> bool:
        return not subscriber.is_watching or bool(subscriber.recording.events)

    await eventually(is_answered)
    assert (subscriber.reason, subscriber.recording.events) == ("SEQUENCE_TRIMMED", [])
    monkeypatch.undo()
    world.log._deliveries.put(untold)
    assert dropping[0].done()


@pytest.mark.parametrize("job_id", ["j", ""])
async def test_dropped_just_before_it_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch, job_id: str
) -> None:
    """Rule 3: a drop between the check and the read is not missed."""
    await ended(world, "j", line("1"), line("2"))
    reading, reading_all = world.log.read, world.log.read_feed

    async def late(job_id: str, cursor: int, max_bytes: int, *, caller: str) -> EventPage | None:
        if max_bytes:
            await world.log.trim("j", 4)
        return await reading(job_id, cursor, max_bytes, caller=caller)

    async def late_all(query: Query, after: int, max_bytes: int, known: int, *, caller: str) -> FeedPage:
        await world.log.trim("j", 4)
        return await reading_all(query, after, max_bytes, known, caller=caller)

    monkeypatch.setattr(world.log, "read", late)
    monkeypatch.setattr(world.log, "read_feed", late_all)
    subscriber = Subscriber(world, job_id, ALL)
    subscriber.watch(**{"after_sequence" if job_id else "after_position": 1})

    async def is_answered() -> bool:
        return not subscriber.is_watching or bool(subscriber.recording.events)

    await eventually(is_answered)
    assert (subscriber.reason, subscriber.recording.events) == ("SEQUENCE_TRIMMED", [])


async def test_a_stream_that_is_shown_nothing_takes_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream whose filter hides all of a long tail takes a turn for each batch, so that the loop serves others."""
    world = World(tmp_path, memory=1 << 20)
    await world.submit("j")
    live = Subscriber(world, "j", ALL)
    live.watch()
    await names(live, "opened", "events", "caught_up")
    await (await world.start("j"))
    await (await world.report("j", *(line(str(number)) for number in range(100))))
    turns = 0
    use_turn, turn = Pacer.use_turn, Pacer.turn

    def count_used(self: Pacer) -> bool:
        nonlocal turns
        is_used = use_turn(self)
        turns += is_used
        return is_used

    async def count_waited(self: Pacer, caller: str) -> None:
        nonlocal turns
        turns += 1
        await turn(self, caller)

    monkeypatch.setattr(Pacer, "use_turn", count_used)
    monkeypatch.setattr(Pacer, "turn", count_waited)
    hidden = Subscriber(
        world,
        "j",
        ALL,
        no_follow=True,
        max_batch_events=1,
        filter=EventFilter(payloads=["artifact_added"]),
    )
    hidden.watch(after_sequence=2)
    await over(hidden)
    assert [frame.WhichOneof("frame") for frame in hidden.recording.streams[-1].frames] == [
        "opened",
        "caught_up",
    ]
    assert turns == 99
    await live.cut()
    await world.log.close()
