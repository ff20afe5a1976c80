"""A database locked by another process: writes are refused as long as the lock is held."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from milepost.server.log.log_errors import StoreLocked
from milepost.server.log.node_presence import NoPeers
from milepost.server.log.sqlite import writer
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.store_errors import refusal_of
from milepost.v1 import ErrorReason
from tests.support.commits import Author, put, read
from tests.support.rpc import eventually


@contextmanager
def write_lock(database: Path) -> Iterator[None]:
    """Hold the write lock, as a shell with an open transaction does."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.fixture
def states() -> list[bool]:
    """The reported states of the store."""
    return []


@pytest.fixture
async def log(
    tmp_path: Path, states: list[bool], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SqliteEventLog]:
    """A store with a short lock timeout."""
    for name, wait in (("LOCK_WAIT", 50), ("_LOCKED_WAIT", 10), ("CHECK_INTERVAL", 0.02)):
        monkeypatch.setattr(writer, name, wait)
    opened = SqliteEventLog(tmp_path, on_state=states.append)
    yield opened
    await opened.close()


async def test_writes_are_refused_and_reads_continue(
    log: SqliteEventLog, tmp_path: Path, states: list[bool]
) -> None:
    """Refused writes are absent; the log reports the lock once; the store reports that it is down."""
    author, late = Author("j"), Author("late")
    await put(log, author.submit())
    submission = late.submit()
    with write_lock(tmp_path / "milepost.db"), capture_logs() as lines:
        for _ in range(2):
            with pytest.raises(StoreLocked):
                await log.append(submission)
            assert not log.up
        assert author.events == await read(log, "j")
        assert await log.find("late") is None
    refusal = refusal_of(StoreLocked())
    assert refusal is not None
    assert (refusal.reason, refusal.retry_delay) == (ErrorReason.ERROR_REASON_STORE_UNAVAILABLE, 1.0)
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("database locked by another process; reads continue, writes fail", "error")
    ]

    await put(log, submission)
    assert late.events == await read(log, "late")
    assert log.up
    assert states == [False, True]
    assert not log.failed.done()


async def test_a_write_waits_for_a_lock_that_is_soon_free(
    tmp_path: Path, states: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write succeeds."""
    monkeypatch.setattr(writer, "LOCK_WAIT", 30_000)
    waiting = SqliteEventLog(tmp_path, on_state=states.append)
    author = Author("j")
    with write_lock(tmp_path / "milepost.db"):
        appended = asyncio.ensure_future(waiting.append(author.submit()))
        await waiting.find("j")
        assert not appended.done()
    await appended
    assert states == []
    await waiting.close()


async def test_a_store_that_nobody_writes_to_notices_that_the_lock_is_free(
    log: SqliteEventLog, tmp_path: Path, states: list[bool]
) -> None:
    """So the health recovers by itself."""
    with write_lock(tmp_path / "milepost.db"), pytest.raises(StoreLocked):
        await log.append(Author("j").submit())

    async def is_up() -> bool:
        return log.up

    await eventually(is_up)
    assert states == [False, True]


async def test_silence_of_workers_counts_from_the_last_refusal(log: SqliteEventLog, tmp_path: Path) -> None:
    """Rule 14: a worker whose report was refused keeps its lease until it can retry."""
    peers = await log.share_presence(NoPeers(), 1.0)
    before = peers.contact()
    assert before is not None
    assert before.began == float("inf")
    with write_lock(tmp_path / "milepost.db"), pytest.raises(StoreLocked):
        await log.append(Author("j").submit())
    contact = peers.contact()
    assert contact is not None
    assert 0 <= contact.began < before.began
    assert contact.proved == 0
