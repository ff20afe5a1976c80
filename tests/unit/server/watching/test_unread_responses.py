"""What watches hold in memory: responses that nobody reads, and what is kept for whoever asks the same."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from milepost.contract.reasons import reason_name
from milepost.server.base.refusal import Refusal
from milepost.server.budgets import response_room
from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.log.event_log import Commit, JobAttributes
from milepost.server.log.frames import Chunk
from milepost.server.messages.event_encoding import event_frame
from milepost.server.watching import replay_cache
from milepost.server.watching.batches import BATCH_BYTES, Batch, BatchRequest, SharedBatches
from milepost.server.watching.feeds import RecentEntries
from milepost.server.watching.job_criteria import FeedEntry
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.server.watching.pacer import Pacer
from milepost.server.watching.subscriber import COUNTED_RESPONSE, NoRoom, Subscriber
from milepost.server.watching.tails import Tail
from milepost.v1 import (
    Event,
    EventFilter,
    JobEnded,
    JobFilter,
    JobState,
    LogWritten,
    Update,
)
from tests.support.rpc import eventually
from tests.support.validators import EventView, check, missing
from tests.support.world import Subscriber as Watching
from tests.support.world import World

RUNNING = JobState.JOB_STATE_RUNNING
ALL = EventView()


class Reader:
    """Somebody who reads when told."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()

    async def send(self, response: bytes) -> None:
        """See ``Send``."""
        await self.reads.wait()


def subscriber(reader: Reader, unread: ByteBudget, caller: str = "a") -> Subscriber:
    """A stream of this caller, which has half of the budget."""
    return Subscriber(caller, reader.send, Pacer(), unread.child(caller, unread.limit // 2))


async def test_a_response_is_charged_until_it_is_read() -> None:
    """Twice, since gRPC has a copy of it."""
    unread, reader = ByteBudget(1 << 20), Reader()
    stream = subscriber(reader, unread)
    sending = asyncio.create_task(stream.send(b"x" * 10_000, b"y" * 5_000))
    await asyncio.sleep(0)
    used = unread.used
    reader.reads.set()
    await sending
    assert (used, unread.used) == (30_000, 0)


async def test_the_room_of_a_part_is_kept_for_the_next() -> None:
    """Until the stream pauses."""
    unread, reader = ByteBudget(1 << 20), Reader()
    stream = subscriber(reader, unread)
    used = []
    for size in (10_000, 8_000, 12_000, 4_000, COUNTED_RESPONSE - 1):
        reader.reads.clear()
        sending = asyncio.ensure_future(stream.send_part(b"x" * size))
        await asyncio.sleep(0)
        used.append(unread.used)
        reader.reads.set()
        await sending
        used.append(unread.used)
    stream.pause()
    # More than twice what is needed is given back, and all of it where the next one is not charged at all.
    assert (used, unread.used) == ([size for size in (20_000, 20_000, 24_000, 8_000, 0) for _ in range(2)], 0)


async def test_a_part_that_has_no_room() -> None:
    """The stream gives back what it kept, and waits for all it needs, as for any response."""
    unread, reader = ByteBudget(100_000), Reader()
    reader.reads.set()
    stream, other = subscriber(reader, unread), ByteBudget(60_000, unread)
    await stream.send_part(b"x" * 10_000)
    assert other.try_acquire(60_000)
    with pytest.raises(NoRoom):
        await stream.send_part(b"x" * 24_000)
    waiting = asyncio.create_task(stream.wait_for_room())
    await asyncio.sleep(0)
    assert (waiting.done(), unread.used) == (False, 60_000)
    other.release(60_000)
    await waiting
    await stream.send_part(b"x" * 24_000)
    stream.pause()
    assert unread.used == 0


async def test_small_responses_are_not_charged() -> None:
    """The number of watches bounds them, and a live event costs no more for it."""
    unread, reader = ByteBudget(1), Reader()
    reader.reads.set()
    await subscriber(reader, unread).send(b"x" * (COUNTED_RESPONSE - 1))
    assert unread.used == 0


async def test_a_caller_that_does_not_read_has_no_room_and_others_have() -> None:
    """What does not fit is dropped until what was sent before is read; another caller has a share of its own."""
    unread, slow, fast = ByteBudget(100_000), Reader(), Reader()
    fast.reads.set()
    response = b"x" * 15_000
    first = asyncio.create_task(subscriber(slow, unread).send(response))
    await asyncio.sleep(0)
    second = subscriber(fast, unread)
    with pytest.raises(NoRoom):
        await second.send(response)
    await subscriber(fast, unread, "b").send(response)
    waiting = asyncio.create_task(second.wait_for_room())
    await asyncio.sleep(0)
    assert not waiting.done()
    slow.reads.set()
    await asyncio.gather(first, waiting)
    assert unread.used == 2 * len(response)  # the room that is charged for it
    await second.send(response)
    assert unread.used == 0


async def test_who_waits_too_long_for_room_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal names the option, and nothing stays charged for the one who was refused."""
    monkeypatch.setattr(response_room, "RESPONSE_TIMEOUT", 0.0)
    unread, slow = ByteBudget(100_000), Reader()
    first = asyncio.create_task(subscriber(slow, unread).send(b"x" * 20_000))
    await asyncio.sleep(0)
    second = subscriber(slow, unread)
    with pytest.raises(NoRoom):
        await second.send(b"x" * 20_000)
    with pytest.raises(Refusal) as refused:
        await second.wait_for_room()
    assert reason_name(refused.value.reason) == "LIMIT_REACHED"
    assert refused.value.metadata == {"limit": "response-memory"}
    assert refused.value.retry_delay
    assert unread.used == 40_000
    slow.reads.set()
    await first


@pytest.mark.parametrize("start", [{}, {"from_snapshot": True}])
async def test_what_stalled_watches_hold_is_bounded(tmp_path: Path, start: dict[str, Any]) -> None:
    """However many there are, of one job or of many, and however they ask; whoever reads again misses nothing."""
    unread = ByteBudget(600_000)
    world = World(tmp_path, memory=200_000, responses=unread)
    await world.submit("j", input={"text": "x" * 20_000})
    await (await world.start("j"))
    for _ in range(5):
        await (await world.report("j", *(line(20_000) for _ in range(2))))
    watches = [
        *(Watching(world, "j", ALL, stalls_at=1, max_batch_events=number % 5) for number in range(15)),
        *(
            Watching(world, "", ALL, stalls_at=1, filter=JobFilter(kinds=["k", f"other-{number}"]))
            for number in range(15)
        ),
    ]
    for watch in watches:
        watch.watch(**start)
    peak = 0

    async def are_stalled() -> bool:
        nonlocal peak
        peak = max(peak, unread.used)
        return sum(watch.is_stalled for watch in watches) >= 5

    await eventually(are_stalled)
    await (await world.report("j", Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))))
    histories = {job_id: world.history(job_id) for job_id in ("j", "")}

    async def have_all() -> bool:
        nonlocal peak
        peak = max(peak, unread.used)
        for watch in watches:  # also those that had no room to stall before
            watch.flowing.set()
        return not any(missing(watch.recording, histories[watch.job_id]) for watch in watches)

    await eventually(have_all)
    for watch in watches:
        await watch.cut()
        assert watch.reason == ""
        check(watch.recording, histories[watch.job_id])
    assert 0 < peak <= unread.limit // 2
    assert unread.used == 0
    await world.log.close()


async def test_what_is_kept_of_replays_is_bounded_also_where_it_is_empty(tmp_path: Path) -> None:
    """Batches whose filter hides everything take room, too; so there are only as many as the bound allows."""
    limit = 20_000
    world = World(tmp_path, memory=limit)
    await world.submit("j")
    await (await world.start("j"))
    for _ in range(100):
        await (await world.report("j", line(1)))
    await (await world.report("j", Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))))
    for number in range(5):
        hiding = EventFilter(payloads=["artifact_added"], stage_ids=[f"stage-{number}"])
        watch = Watching(world, "j", ALL, filter=hiding, max_batch_events=1, no_follow=True)
        watch.watch()

        async def is_over(watch: Watching = watch) -> bool:
            return not watch.is_watching

        await eventually(is_over)
        assert watch.reason == ""
    kept = sum(len(batches) for batches in world.watching._replays._batches.values())
    assert 0 < kept <= limit / Batch(b"", 0).size
    await world.log.close()


def test_a_batch_that_nobody_shares_is_not_kept() -> None:
    """It would only take the room of those that are shared."""
    memory = MemoryBudget(1 << 20)
    tail = Tail(memory)
    tail.push(commit(1, 1000))
    before = memory.used
    for watchers in (1, 2):
        tail.watchers = watchers
        tail.batch(BatchRequest(0, watchers, None))
        assert (memory.used > before) == (watchers > 1)


def test_shared_batches_are_bounded_in_bytes() -> None:
    """One that is larger than the bound is kept alone."""
    batches = SharedBatches()
    sizes = []
    for number in range(20):
        batches.put(BatchRequest(number, 0, None), Batch(b"x" * BATCH_BYTES, number))
        sizes.append(batches.size)
    assert max(sizes) <= 4 * BATCH_BYTES
    batches.put(BatchRequest(0, 1, None), Batch(b"x" * 10 * BATCH_BYTES, 0))
    assert (batches.size, batches.get(BatchRequest(19, 0, None))) == (
        Batch(b"x" * 10 * BATCH_BYTES, 0).size,
        None,
    )


def of_a_tail(memory: MemoryBudget, count: int) -> object:
    """A tail of so many commits."""
    tail = Tail(memory)
    for number in range(1, count + 1):
        tail.push(commit(number, 20))
    return tail


def of_a_feed(memory: MemoryBudget, count: int) -> object:
    """The newest entries of the log, as all feeds share them."""
    recent = RecentEntries(memory)
    attributes = JobAttributes("job", "", "kind", "", {})
    recent.extend(
        [
            FeedEntry(1000 + number, attributes, commit(1000 + number, 20).chunk, 2, 2, None)
            for number in range(count)
        ]
    )
    return recent


@pytest.mark.parametrize("fill", [of_a_tail, of_a_feed])
def test_no_less_is_counted_than_is_used(fill: Callable[[MemoryBudget, int], object]) -> None:
    """Of many small events the objects are larger than the events, and are counted as well."""
    memory = MemoryBudget(1 << 30)
    gc.collect()
    tracemalloc.start()
    try:
        kept = fill(memory, 5000)
        gc.collect()
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept is not None
    assert used <= memory.used <= 2 * used


def line(size: int) -> Update:
    """A log line."""
    return Update(log_written=LogWritten(text="x" * size))


def commit(number: int, size: int) -> Commit:
    """A commit of one event."""
    frame = event_frame(Event(job_id="job", sequence=number, log_written=LogWritten(text="x" * size)))
    return Commit(
        attributes=JobAttributes("job", "", "kind", "", {}),
        chunk=Chunk(number, number, frame),
        job=b"",
        state_before=RUNNING,
        state=RUNNING,
        fraction_before=0.0,
        fraction=0.0,
        report_sequence=0,
        time=0,
        is_transition=False,
        ends=False,
        payloads=0,
    )


async def test_what_was_kept_of_replays_is_dropped_when_nobody_replays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that was busy once does not stay as large, and drops a bounded number of batches in a pass."""
    monkeypatch.setattr(replay_cache, "EVICTED_PER_STEP", 10)
    world = World(tmp_path, memory=1 << 20)
    await world.submit("j")
    await (await world.start("j"))
    await (await world.report("j", *(line(1) for _ in range(100))))
    await (await world.report("j", Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))))
    watch = Watching(world, "j", ALL, max_batch_events=1, no_follow=True)
    watch.watch()

    async def is_over() -> bool:
        return not watch.is_watching

    await eventually(is_over)
    replays, memory = world.watching._replays, world.watching._replays._memory
    kept = memory.used
    slices = sum(1 for _ in replays.evict_idle())
    assert (slices, memory.used) == (0, kept)
    slices = sum(1 for _ in replays.evict_idle())
    assert (slices >= 100 // 10, memory.used, len(replays._batches)) == (True, 0, 0)
    await world.log.close()
