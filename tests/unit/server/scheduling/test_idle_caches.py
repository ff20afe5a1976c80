"""Caches have a bound in time: what nobody used for a while is evicted, and read again when it is needed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from milepost.contract.sized_cache import SizedCache
from milepost.server.budgets.idle_caches import CHECK_INTERVAL, IDLE_TIME, IdleCaches
from milepost.server.estimation.histories import Histories
from milepost.server.log.jetstream.fold_cache import FoldCache
from milepost.server.log.jetstream.records import Part
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.scheduling.slices import Slices
from milepost.server.scheduling.steps import finish
from milepost.server.watching.batches import BatchRequest
from milepost.server.watching.feeds import Feeds
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.server.watching.tails import Tails
from milepost.v1 import JobFilter
from tests.support.clock import FakeClock
from tests.support.commits import Author
from tests.unit.server.core import Core
from tests.unit.server.watching.feed_entries import commit, criteria_of


async def pass_time(idle: IdleCaches, clock: FakeClock, seconds: float) -> None:
    """Let time pass, with the looks of a server that runs."""
    for _ in range(round(seconds / CHECK_INTERVAL)):
        clock.advance(CHECK_INTERVAL)
        await idle.check()


async def test_what_is_not_used_for_a_while_is_dropped() -> None:
    """Each cache has its time; what is used within it stays, however old it is."""
    clock = FakeClock()
    idle = IdleCaches(clock, Slices())
    short: SizedCache[str, int] = SizedCache(100)
    long: SizedCache[str, int] = SizedCache(100)
    idle.add(short.evict_idle, 60)
    idle.add(long.evict_idle)
    for cache in (short, long):
        cache.put("unused", 1, 1)
        cache.put("used", 2, 1)
    for _ in range(round(IDLE_TIME / 20)):
        assert (short.get("used"), long.get("used")) == (2, 2)
        await pass_time(idle, clock, 20)
        if clock.monotonic() - 100_000 == 60:
            assert (len(short), len(long)) == (1, 2)
    assert (len(short), len(long)) == (1, 1)
    await pass_time(idle, clock, IDLE_TIME)
    assert (short.size, long.size) == (0, 0)


async def test_what_is_unused_can_be_dropped_early() -> None:
    """Of all caches, whatever their times: what was not used between two requests."""
    idle = IdleCaches(FakeClock(), Slices())
    caches: list[SizedCache[str, int]] = [SizedCache(100), SizedCache(100)]
    for cache, idle_time in zip(caches, (60, IDLE_TIME), strict=True):
        idle.add(cache.evict_idle, idle_time)
        cache.put("unused", 1, 1)
        cache.put("used", 2, 1)
    await idle.evict()
    assert [cache.get("used") for cache in caches] == [2, 2]
    await idle.evict()
    assert [(len(cache), cache.get("used")) for cache in caches] == [(1, 2), (1, 2)]


async def test_much_is_dropped_in_slices() -> None:
    """Tens of thousands of values at once would keep everybody waiting."""
    clock, slices = FakeClock(), Slices()
    idle = IdleCaches(clock, slices)
    cache: SizedCache[int, int] = SizedCache(1 << 30)
    idle.add(cache.evict_idle)
    for number in range(5000):
        cache.put(number, number, 1)
    await pass_time(idle, clock, IDLE_TIME)
    assert (len(cache), slices.count >= 5000 // 50 - 1) == (0, True)


async def test_jobs_between_decisions(core: Core) -> None:
    """The journal drops those that nobody decides about, but none with an append under way, and reads them again."""
    for job_id in ("idle", "busy"):
        await core.submit(job_id)
        await core.start(job_id)
    core.log.hold(1)
    cancelling = asyncio.ensure_future(core.cancel(10, "busy"))
    await core.log.holds(1)
    opened = [core.journal.open_nowait(job_id) is not None for job_id in ("idle", "busy")]
    for _ in range(2):
        finish(core.journal.evict_idle())
    left = [core.journal.open_nowait(job_id) is not None for job_id in ("idle", "busy")]
    core.log.let_go()
    await cancelling
    assert (opened, left) == ([True, True], [False, True])
    assert (await core.journal.open("idle")).job.last_sequence == 2


async def test_entries_and_dropped_positions_of_feeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A feed drops what it has of the log, and the drops that are known of a filter that nobody uses."""
    log = SqliteEventLog(tmp_path)
    monkeypatch.setattr(log, "_position", 1)  # drops of an empty log are not worth keeping
    memory = MemoryBudget(1 << 30)
    feeds = Feeds(log, memory)
    with feeds.watching(criteria_of(JobFilter(owner="o"))) as unused:
        await feeds.load_drops(unused, "")
    with feeds.watching(criteria_of(JobFilter())) as feed:
        feeds.on_entries([commit(2, "j")])
        finish(feeds.evict_idle())
        feeds.on_entries([commit(3, "j")])
        kept = [(feed.since, memory.used > 0, len(feeds._known_drops))]
        finish(feeds.evict_idle())
        kept.append((feed.since, memory.used > 0, len(feeds._known_drops)))
        finish(feeds.evict_idle())
        kept.append((feed.since, memory.used > 0, len(feeds._known_drops)))
    await log.close()
    assert kept == [(1, True, 1), (2, True, 0), (3, False, 0)]


async def test_events_of_tails(tmp_path: Path) -> None:
    """A tail drops old events, and its watches read those from the log."""
    memory = MemoryBudget(1 << 30)
    tails, author = Tails(memory), Author("j")
    first, second = author.submit(), author.start()
    with tails.watching("j") as tail:
        tail.push(first)
        finish(tails.evict_idle())
        tail.push(second)
        since = [tail.since]
        finish(tails.evict_idle())
        since.append(tail.since)
        batch = tail.batch(BatchRequest(1, 0, None))
        assert (batch is not None, tail.batch(BatchRequest(0, 0, None))) == (True, None)
        finish(tails.evict_idle())
        since.append(tail.since)
    assert (since, memory.used) == ([0, 1, None], 0)


async def test_histories(tmp_path: Path) -> None:
    """A history that nobody asks for is evicted."""
    log = SqliteEventLog(tmp_path)
    histories = Histories(log, Slices())
    await histories.get("o", "k")
    sizes = [histories.memory > 0]
    for _ in range(2):
        finish(histories.evict_idle())
        sizes.append(histories.memory > 0)
    await log.close()
    assert sizes == [True, True, False]


async def test_folds_of_other_nodes() -> None:
    """A job that another node appends to is folded on from memory, and after a while from the projection."""
    author = Author("j")
    author.submit()
    author.start()
    stored = author.job.SerializeToString()
    loaded: list[bytes] = []

    def load(_: str) -> bytes:
        loaded.append(stored)
        return stored

    folds = FoldCache(load)
    found = []
    for text, drops in (("a", 0), ("b", 1), ("c", 2)):
        for _ in range(drops):
            folds.evict_idle()
        commit = author.lines(text)
        restored = folds.commit("j", Part(commit.chunk, commit.state_before, commit.state, 1, commit.time))
        found.append((None if restored is None else restored.job == commit.job, len(loaded)))
        stored = author.job.SerializeToString()
    assert found == [(True, 1), (True, 1), (True, 2)]


@pytest.mark.parametrize("is_used", [False, True])
def test_a_dict_that_was_large_goes(is_used: bool) -> None:
    """CPython's dicts keep the room for all that they ever had."""
    cache: SizedCache[int, int] = SizedCache(1 << 30)
    for number in range(10_000):
        cache.put(number, number, 1)
    for _ in range(2):
        if is_used:
            cache.get(0)
        finish(cache.evict_idle())
    room = sys.getsizeof(cache._older) + sys.getsizeof(cache._recent)
    assert (len(cache), room < 1000) == (is_used, True)
