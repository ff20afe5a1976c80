"""Replays read ahead: fewer reads of the log, and the same batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from milepost.server.log.event_log import EventPage
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.scheduling.callers import SERVER
from milepost.server.watching.batches import BATCH_BYTES, Batch, BatchRequest
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.server.watching.replay_cache import READ_AHEAD, READ_AHEAD_READS, ReplayCache
from milepost.server.watching.tails import Tail
from tests.support.commits import Author, put_in_turn

COMMITS = 40
"""Of 10 KB each, so that a batch has two."""


class CountingLog(SqliteEventLog):
    """A log that notes how much is read."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.sizes: list[int] = []

    async def read(
        self, job_id: str, cursor: int, max_bytes: int, *, caller: str = SERVER, short: bool = False
    ) -> EventPage | None:
        """See ``EventLog``."""
        self.sizes.append(max_bytes)
        return await super().read(job_id, cursor, max_bytes, caller=caller, short=short)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[CountingLog]:
    """The log of a job that has reported a lot."""
    log = CountingLog(tmp_path)
    author = Author("j")
    await put_in_turn(log, author.submit(), author.start())
    await put_in_turn(log, *(author.lines(*["x" * 1000] * 10) for _ in range(COMMITS)))
    yield log
    await log.close()


def replays_of(log: CountingLog) -> tuple[ReplayCache, Tail]:
    """The cache, and the job's tail."""
    memory = MemoryBudget(1 << 30)
    tail = Tail(memory)
    tail.head = 2 + 10 * COMMITS
    return ReplayCache(log, memory), tail


async def replayed(log: CountingLog, max_events: int = 0) -> list[Batch]:
    """All batches, one after the other."""
    replays, tail = replays_of(log)
    batches: list[Batch] = []
    cursor = 0
    while cursor < tail.head:
        batch = await replays.batch("j", tail, BatchRequest(cursor, max_events, None), "caller")
        assert batch is not None
        batches.append(batch)
        cursor = batch.last
    return batches


async def one_by_one(log: CountingLog) -> list[Batch]:
    """The batches of a reader that finds nothing in the cache."""
    batches: list[Batch] = []
    cursor = 0
    while cursor < 2 + 10 * COMMITS:
        replays, tail = replays_of(log)
        batch = await replays.batch("j", tail, BatchRequest(cursor, 0, None), "caller")
        assert batch is not None
        batches.append(batch)
        cursor = batch.last
    return batches


async def test_a_replay_reads_several_batches_at_a_time(log: CountingLog) -> None:
    """From the second batch on; they are those that it would have read one by one."""
    batches = await replayed(log)
    sizes = list(log.sizes)

    assert batches == await one_by_one(log)
    assert sizes[:2] == [BATCH_BYTES, READ_AHEAD * BATCH_BYTES]
    assert len(sizes) <= 1 + -(-len(batches) // (READ_AHEAD - 1))


async def test_the_next_read_begins_before_it_is_waited_for(log: CountingLog) -> None:
    """When the last batch that is there is asked for."""
    replays, tail = replays_of(log)
    cursor = 0
    for _ in range(2):
        batch = await replays.batch("j", tail, BatchRequest(cursor, 0, None), "caller")
        assert batch is not None
        cursor = batch.last
    reads = len(log.sizes)
    while len(log.sizes) == reads:
        batch = await replays.batch("j", tail, BatchRequest(cursor, 0, None), "caller")
        assert batch is not None
        cursor = batch.last
        assert len(log.sizes) == reads  # it was there
        await asyncio.sleep(0)

    assert log.sizes[reads:] == [READ_AHEAD * BATCH_BYTES]


async def test_few_events_at_a_time_are_not_read_ahead(log: CountingLog) -> None:
    """A subscriber that asks for small batches takes them one by one."""
    await replayed(log, max_events=100)

    assert set(log.sizes) == {BATCH_BYTES}


async def test_nothing_is_read_ahead_while_many_read(log: CountingLog) -> None:
    """Then other batches would evict what is read ahead before it is asked for."""
    memory = MemoryBudget(1 << 30)
    replays = ReplayCache(log, memory)
    tails = [Tail(memory) for _ in range(READ_AHEAD_READS + 2)]
    for cursor in (0, 22):
        await asyncio.gather(
            *(replays.batch("j", tail, BatchRequest(cursor, 0, None), "caller") for tail in tails)
        )

    assert set(log.sizes) == {BATCH_BYTES}
