"""What has become durable reaches the followers of the log in slices, in its order."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from milepost.server.log.deliveries import DELIVERED_STEPS, ENTRY_STEPS, Deliveries, entry_steps
from milepost.server.log.event_log import DurableCommit, Entry
from milepost.server.log.jetstream import job_publisher
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from tests.support.commits import Author, put
from tests.support.jetstream_node import node
from tests.support.nats import NatsServer
from tests.support.rpc import eventually

ENTRIES_PER_SLICE = DELIVERED_STEPS // ENTRY_STEPS
"""Small entries in a slice."""


async def test_a_slice_in_each_pass() -> None:
    """What comes meanwhile is delivered after what waits; what fits into one slice is delivered at once."""
    delivered: list[list[int]] = []
    deliveries: Deliveries[int] = Deliveries(
        lambda _: DELIVERED_STEPS // 2, lambda items: delivered.append(list(items))
    )
    deliveries.put([1, 2])
    assert (delivered, deliveries.count) == ([[1, 2]], 0)

    deliveries.put([3, 4, 5])
    deliveries.put([6])
    passes = [len(delivered)]
    while sum(map(len, delivered)) < 6:
        await asyncio.sleep(0)
        passes.append(len(delivered))
    assert (delivered, passes, deliveries.count) == ([[1, 2], [3, 4], [5, 6]], [2, 3], 1)


async def test_nothing_waits_after_a_flush() -> None:
    """A log that closes delivers all there is; afterwards it goes on as before."""
    delivered: list[int] = []
    deliveries: Deliveries[int] = Deliveries(lambda _: DELIVERED_STEPS, delivered.extend)
    deliveries.put([1, 2, 3])
    deliveries.flush()
    assert delivered == [1, 2, 3]
    await asyncio.sleep(0)
    deliveries.put([4])
    assert delivered == [1, 2, 3, 4]


async def test_an_error_of_a_follower_keeps_nothing_from_the_others() -> None:
    """Later slices come all the same."""
    delivered: list[int] = []

    def deliver(items: Sequence[int]) -> None:
        delivered.extend(items)
        if 2 in items:
            raise KeyError("a fault")

    deliveries: Deliveries[int] = Deliveries(lambda _: DELIVERED_STEPS, deliver)
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    deliveries.put([1, 2, 3])

    async def are_all() -> bool:
        return delivered == [1, 2, 3]

    await eventually(are_all)


async def test_what_is_decoded_counts() -> None:
    """Followers decode the events of a commit, and the whole job where its state has changed."""
    author = Author("j", labels={"key": "v" * 200})
    author.submit()
    transition, line = author.start(), author.lines("x" * 10_000)
    steps = [entry_steps(DurableCommit(commit, 1)) for commit in (transition, line)]
    assert steps == [
        ENTRY_STEPS + (len(transition.job) + len(transition.chunk.frames)) // 256,
        ENTRY_STEPS + len(line.chunk.frames) // 256,
    ]


async def test_commits_of_a_transaction(tmp_path: Path) -> None:
    """Followers of the log get a bounded number at once, each commit before its future resolves, and all in order."""
    log = SqliteEventLog(tmp_path)
    heard: list[Sequence[Entry]] = []
    known_at_ends: list[bool] = []
    log.add_listener(heard.append)
    commits = [Author(f"{number}").submit() for number in range(400)]

    def note(number: int, _: object) -> None:
        known_at_ends.append(sum(map(len, heard)) > number)

    appends = [log.append(commit) for commit in commits]
    for number, durable in enumerate(appends):
        durable.call_back(partial(note, number))
    await appends[-1]
    await log.close()
    jobs = [entry.commit.job_id for entries in heard for entry in entries if isinstance(entry, DurableCommit)]
    assert jobs == [commit.job_id for commit in commits]
    assert known_at_ends == [True] * 400
    assert (max(map(len, heard)) <= ENTRIES_PER_SLICE, log._deliveries.count > 0) == (True, True)


async def test_a_large_batch_of_a_stream(
    tmp_path: Path, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that catches up lets others go on, both where it decodes messages and where it tells followers of them."""
    monkeypatch.setattr(job_publisher, "APPEND_TIMEOUT", 60.0)  # of a busy disk
    names = StreamNames(f"test-{uuid.uuid4().hex}")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    async with node(tmp_path / "a", nats_server.url, names) as writing:
        await put(writing, *(Author(f"{number}").submit() for number in range(500)))
        async with node(tmp_path / "b", nats_server.url, names) as catching_up:
            assert catching_up.position == writing.position
            consumer = catching_up._consumer
            assert consumer is not None
            assert consumer.pauses > 500 * 25 // 1000 - 2


async def test_followers_know_of_a_commit_before_any_of_its_acknowledgements(tmp_path: Path) -> None:
    """Of appends that became one commit, the last has the entry: no slice ends before it."""
    log, author = SqliteEventLog(tmp_path), Author("j")
    await put(log, author.submit(), author.start())
    known: list[int] = []
    early: list[int] = []
    log.add_listener(lambda entries: known.extend(map(_last_sequence, entries)))

    def note(sequence: int, _: object) -> None:
        if not known or known[-1] < sequence:
            early.append(sequence)

    commits = [author.lines(f"{number}") for number in range(2 * ENTRIES_PER_SLICE)]
    appends = [log.append(commit) for commit in commits]
    for commit, durable in zip(commits, appends, strict=True):
        durable.call_back(partial(note, commit.chunk.last))
    await asyncio.gather(*appends)
    await log.close()
    assert early == []
    assert len(known) < len(commits) - ENTRIES_PER_SLICE


def _last_sequence(entry: Entry) -> int:
    assert isinstance(entry, DurableCommit)
    return entry.commit.chunk.last
