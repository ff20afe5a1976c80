"""Feeds: which of them an entry of the log is announced to, and how much is done for it at a time."""

from __future__ import annotations

import asyncio
import gc
import pickle
import tracemalloc
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from milepost.server.log.event_log import Drop, DropNotice, JobAttributes, Query
from milepost.server.log.frames import Chunk
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.scheduling.callers import SERVER
from milepost.server.watching import feeds as feeds_module
from milepost.server.watching.batches import BATCH_BYTES, Batch, BatchRequest
from milepost.server.watching.feed_index import FeedIndex
from milepost.server.watching.feeds import ANNOUNCED_PER_STEP, SCAN_LIMIT, UNANNOUNCED_LIMIT, Feed, Feeds
from milepost.server.watching.job_criteria import FeedEntry, JobCriteria
from milepost.server.watching.memory_budget import ENTRY_OVERHEAD, MemoryBudget
from milepost.server.watching.pacer import Pacer
from milepost.server.watching.signals import Waiter
from milepost.v1 import JobFilter
from tests.support.rpc import eventually
from tests.unit.server.watching.feed_entries import RUNNING, commit, criteria_of

_NAMES = st.sampled_from(["", "a", "b"])
_FILTERS = st.builds(
    JobFilter,
    owner=_NAMES,
    kinds=st.sets(st.sampled_from("ab")),
    labels=st.dictionaries(st.sampled_from("ab"), st.sampled_from("ab")),
    parent_job_id=_NAMES,
    job_ids=st.sets(st.sampled_from("ab")),
)
_ATTRIBUTES = st.builds(
    JobAttributes,
    job_id=st.sampled_from("abc"),
    owner=_NAMES,
    kind=st.sampled_from("abc"),
    parent_job_id=_NAMES,
    labels=st.dictionaries(st.sampled_from("ab"), st.sampled_from("ab")),
).filter(lambda attributes: attributes.job_id != attributes.parent_job_id)


@given(filters=st.lists(_FILTERS, max_size=12), leaving=st.integers(0, 12), jobs=st.lists(_ATTRIBUTES))
def test_the_index_finds_every_feed_that_matches(
    filters: list[JobFilter], leaving: int, jobs: list[JobAttributes]
) -> None:
    """All feeds whose filters match are candidates, each once, and those that have left are not."""
    index: FeedIndex[int] = FeedIndex()
    criteria = {number: criteria_of(wanted) for number, wanted in enumerate(filters)}
    for number, wanted in criteria.items():
        index.add(wanted, number)
    for number in range(min(leaving, len(filters))):
        index.discard(criteria.pop(number), number)
    for attributes in jobs:
        found = list(index.candidates(attributes))
        assert len(found) == len(set(found))
        assert (
            {n for n, wanted in criteria.items() if wanted.matches(attributes)} <= set(found) <= set(criteria)
        )
        assert index.has_candidates(attributes) == bool(found)


_STATES = st.integers(1, 2)
_ENTRIES = st.builds(
    FeedEntry,
    position=st.just(1),
    attributes=_ATTRIBUTES,
    chunk=st.just(Chunk(2, 2, b"x")),
    state_before=_STATES,
    state=_STATES,
    notice=st.none(),
) | st.builds(
    lambda attributes: FeedEntry.of(DropNotice(attributes, first_sequence=0, position=1)), _ATTRIBUTES
)


@given(wanted=st.just(JobFilter()) | _FILTERS, states=st.sets(_STATES), entry=_ENTRIES)
def test_whether_there_is_an_item(wanted: JobFilter, states: set[int], entry: FeedEntry) -> None:
    """Is told without making it, as for those who are woken."""
    criteria = criteria_of(wanted)._replace(states=frozenset(states))
    assert criteria.has_item(entry) == (criteria.item(entry) is not None)


def test_the_index_gives_its_memory_back() -> None:
    """The ids of 1,000 filters that are gone leave nothing behind, though a dict keeps the room of those it had."""
    index: FeedIndex[object] = FeedIndex()
    filters = {
        object(): criteria_of(JobFilter(job_ids=[f"{n}-{i}" for i in range(100)])) for n in range(1000)
    }
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for feed, criteria in filters.items():
            index.add(criteria, feed)
        _, peak = tracemalloc.get_traced_memory()
        for feed, criteria in filters.items():
            index.discard(criteria, feed)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak - before > 2_000_000
    assert after - before < 20_000


@pytest.fixture
async def feeds(tmp_path: Path) -> AsyncIterator[Feeds]:
    """Feeds of an empty log."""
    log = SqliteEventLog(tmp_path)
    yield Feeds(log, MemoryBudget(1 << 30))
    await log.close()


def open_feed(feeds: Feeds, stack: ExitStack, **fields: Any) -> Feed:
    """The feed of a filter with these fields."""
    return stack.enter_context(feeds.watching(criteria_of(JobFilter(**fields))))


async def test_only_feeds_that_may_match_are_asked(feeds: Feeds) -> None:
    """A commit costs nothing for feeds of other ids, parents, owners, kinds or labels."""
    with ExitStack() as stack:
        of_a = open_feed(feeds, stack, job_ids=["a"])
        others = [
            *(open_feed(feeds, stack, job_ids=[f"other-{number}"]) for number in range(50)),
            open_feed(feeds, stack, owner="o"),
            open_feed(feeds, stack, parent_job_id="p"),
            open_feed(feeds, stack, kinds=["other"]),
            open_feed(feeds, stack, labels={"x": "y"}),
        ]
        everything = open_feed(feeds, stack)
        feeds.on_entries([commit(1, "a")])
        asked = [feed for feed in (of_a, *others, everything) if feed.signal.version]
        assert asked == [of_a, everything]


async def test_the_labels_of_a_job_count_with_its_entries(feeds: Feeds) -> None:
    """A commit keeps them in memory, however small it is, when nothing else does any more."""
    labels = {f"name-{number}": f"{number}".rjust(100, "v") for number in range(64)}
    with ExitStack() as stack:
        open_feed(feeds, stack)
        feeds.on_entries([commit(1, "a", labels=labels), commit(2, "b", labels=labels)])
        gc.collect()
        tracemalloc.start()
        taken = pickle.loads(pickle.dumps(labels))
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert labels == taken
        assert 2 * size <= feeds._memory.used <= 4 * size


async def test_entries_without_a_matching_feed_are_not_kept(feeds: Feeds) -> None:
    """Entries take memory once, however many feeds they match, and none where they match no feed."""
    memory = feeds._memory
    with ExitStack() as stack:
        for number in range(20):
            open_feed(feeds, stack, job_ids=["a", f"other-{number}"])
        feeds.on_entries([commit(1, "b", size=1000), commit(2, "a", size=1000)])
        assert memory.used == 1000 + ENTRY_OVERHEAD
    assert memory.used == 0


async def test_announcing_is_done_in_slices(feeds: Feeds, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many feeds an entry matches, they are woken for a slice of time in each pass of the event loop."""
    clock = [0.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock[0])

    def notify(self: object) -> None:
        clock[0] += 0.7 * feeds_module.ANNOUNCING_TIME / ANNOUNCED_PER_STEP
        woken.append(self)

    woken: list[object] = []
    monkeypatch.setattr("milepost.server.watching.signals.Signal.notify", notify)
    with ExitStack() as stack:
        for number in range(5 * ANNOUNCED_PER_STEP):
            open_feed(feeds, stack, job_ids=["a", f"other-{number}"])
        feeds.on_entries([commit(1, "a")])
        counts = [len(woken)]
        while len(woken) < 5 * ANNOUNCED_PER_STEP:
            await asyncio.sleep(0)
            counts.append(len(woken))
    assert counts == [2 * ANNOUNCED_PER_STEP, 4 * ANNOUNCED_PER_STEP, 5 * ANNOUNCED_PER_STEP]


async def test_what_waits_to_be_announced_is_bounded(feeds: Feeds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where too many entries wait, each feed is woken once instead, also one that none of them matches."""
    # All within one slice of time.
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 0.0)
    with ExitStack() as stack:
        of_a = open_feed(feeds, stack, job_ids=["a"])
        of_b = open_feed(feeds, stack, job_ids=["b"])
        feeds.on_entries([commit(number, "a") for number in range(1, UNANNOUNCED_LIMIT + 2)])
        assert (of_a.signal.version, of_b.signal.version) == (1, 1)


async def test_a_stream_that_waits_is_woken_by_what_matches(feeds: Feeds) -> None:
    """No feed is woken for a candidate that does not match; all are for one that does."""
    with ExitStack() as stack:
        feed = open_feed(feeds, stack, job_ids=["a"], labels={"x": "y"})
        waiter = Waiter(feed.signal, 60.0, Pacer(), "caller")
        waiting = asyncio.create_task(waiter.wait(feed.signal.version))
        await asyncio.sleep(0)
        feeds.on_entries([commit(1, "a")])
        await asyncio.sleep(0)
        assert not waiting.done()
        feeds.on_entries([commit(2, "a", labels={"x": "y"})])
        assert await waiting
        waiter.close()


async def test_a_read_looks_at_a_bounded_number_of_entries(feeds: Feeds) -> None:
    """A filter that matches little reads what others match in steps, and misses nothing."""
    with ExitStack() as stack:
        open_feed(feeds, stack)
        feed = open_feed(feeds, stack, job_ids=["a"])
        last = 3 * SCAN_LIMIT
        feeds.on_entries([commit(number, "b") for number in range(1, last)])
        feeds.on_entries([commit(last, "a")])
        reads = []
        cursor = 0
        while cursor < last:
            found = feed.after(cursor, 0)
            assert found is not None
            items, cursor = found
            reads.append((len(items), cursor))
    assert reads == [(0, SCAN_LIMIT), (0, 2 * SCAN_LIMIT), (1, last)]


async def test_a_batch_of_a_feed_is_bounded(feeds: Feeds) -> None:
    """By bytes and by events; a commit that is too large by itself comes alone."""
    with ExitStack() as stack:
        feed = open_feed(feeds, stack)
        sizes = [BATCH_BYTES // 2, BATCH_BYTES // 2, 10, 2 * BATCH_BYTES, 10, 10]
        feeds.on_entries([commit(number, "a", size) for number, size in enumerate(sizes, 1)])
        batches = {}
        for max_events in (0, 1):
            cursor, batches[max_events] = 0, list[int]()
            while cursor < len(sizes):
                found = feed.after(cursor, max_events)
                assert found is not None
                items, cursor = found
                batches[max_events].append(len(items))
    assert batches == {0: [2, 1, 1, 2], 1: [1] * 6}


async def test_equal_batches_from_the_log_are_one_in_memory(feeds: Feeds) -> None:
    """So those who stop reading at the same place hold one response. What the log has by now is never hidden by it."""
    request = BatchRequest(0, 0, None)
    first, equal, changed = (Batch(bytes(size), 1) for size in (20, 20, 30))
    with ExitStack() as stack:
        feed = open_feed(feeds, stack)
        assert feed.share(request, first) is first
        assert feed.share(request, equal) is equal  # alone it shares with nobody, and nothing is kept
        open_feed(feeds, stack)
        assert feed.share(request, first) is first
        assert feed.share(request, equal) is first
        assert feed.share(request, changed) is changed
        assert feed.evict() == changed.size


async def test_drops_are_looked_up_by_who_reads(feeds: Feeds, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notice costs nothing for each of the feeds that it matches: whoever reads asks the log, once for all drops."""
    asked: list[int] = []

    async def dropped(query: Query, known: int = 0, *, caller: str = SERVER) -> Mapping[int, int]:
        asked.append(known)
        return {1: 4 + len(asked)}

    log = feeds._log
    monkeypatch.setattr(log, "dropped", dropped)
    attributes = JobAttributes("a", "", "kind", "", {})
    with ExitStack() as stack:
        others = [open_feed(feeds, stack, job_ids=["a", f"other-{n}"]) for n in range(10)]
        feed = open_feed(feeds, stack, job_ids=["a"])
        await feeds.load_drops(feed, SERVER)
        for position in (5, 6):
            monkeypatch.setattr(log, "_position", position)
            feeds.on_entries([DropNotice(attributes, 3, position, [Drop(1 << RUNNING, 1, position)])])
        for _ in range(2):
            await feeds.load_drops(feed, SERVER)
        assert (asked, feed.drops.newest, feed.drops_position) == ([0], 5, 6)
        assert [other.drops.newest for other in others] == [0] * 10

        monkeypatch.setattr(log, "_position", 8)
        feeds.on_entries([commit(7, "a"), DropNotice(attributes, 3, 8)])
        await feeds.load_drops(feed, SERVER)
        assert (asked, feed.drops.newest, feed.drops_position) == ([0, 6], 6, 8)


async def test_feeds_are_woken_after_an_error(feeds: Feeds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one entry, such as a damaged one: who watches that meets the error, and all others get theirs, also later."""
    has_item = JobCriteria.has_item

    def failing(criteria: JobCriteria, entry: FeedEntry) -> bool:
        if entry.attributes.job_id == "damaged":
            raise ValueError("a damaged frame")
        return has_item(criteria, entry)

    monkeypatch.setattr(JobCriteria, "has_item", failing)
    with ExitStack() as stack:
        of_damaged, of_a = (open_feed(feeds, stack, job_ids=[job_id]) for job_id in ("damaged", "a"))
        for feed in (of_damaged, of_a):
            waiter = Waiter(feed.signal, 3600.0, Pacer(), "caller")
            stack.callback(waiter.close)
            feed.signal.add(waiter)
        with capture_logs() as lines:
            feeds.on_entries([commit(1, "damaged"), commit(2, "a")])
            feeds.on_entries([commit(3, "a")])
        assert (of_damaged.signal.version, of_a.signal.version) == (1, 2)
    assert [line["event"] for line in lines] == ["entry not announced"]


async def test_announcing_goes_on_after_an_error(feeds: Feeds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would be woken any more for as long as the server runs."""
    candidates, failures = FeedIndex.candidates, [KeyError("a fault")]

    def failing(index: FeedIndex[Feed], attributes: JobAttributes) -> Iterator[Feed]:
        if failures:
            raise failures.pop()
        return candidates(index, attributes)

    monkeypatch.setattr(FeedIndex, "has_candidates", lambda index, attributes: True)
    monkeypatch.setattr(FeedIndex, "candidates", failing)
    with ExitStack() as stack:
        feed = open_feed(feeds, stack, job_ids=["a"])
        feeds.on_entries([commit(1, "b"), commit(2, "a")])

        async def woken() -> bool:
            return feed.signal.version == 1

        await eventually(woken)
