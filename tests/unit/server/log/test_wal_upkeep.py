"""The write-ahead log is truncated after an outside reader made it grow."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from milepost.server.log.sqlite import statements, wal_reserve, wal_upkeep, writer
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from tests.support.commits import Author, put
from tests.support.rpc import eventually

LIMIT = 100_000


@contextmanager
def reading(database: Path) -> Iterator[None]:
    """Read the database for a while, as an outside tool does."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM log").fetchone()
        yield
        other.execute("ROLLBACK")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that a few commits exceed, and upkeep at every turn."""
    monkeypatch.setattr(statements, "WAL_SIZE_LIMIT", LIMIT)
    monkeypatch.setattr(statements, "PRAGMAS", (*statements.PRAGMAS, f"PRAGMA journal_size_limit = {LIMIT}"))
    for interval in ("_INTERVAL", "_LONG_INTERVAL"):
        monkeypatch.setattr(wal_upkeep, interval, 0.0)
    monkeypatch.setattr(writer, "CHECK_INTERVAL", 0.02)
    monkeypatch.setattr(wal_reserve, "RESERVE_SIZE", 0)


def size(directory: Path) -> int:
    """The size of the write-ahead log."""
    return (directory / "milepost.db-wal").stat().st_size


async def grown(log: SqliteEventLog, directory: Path, author: Author) -> None:
    """Write until the write-ahead log is well beyond its limit."""
    while size(directory) < 5 * LIMIT:
        await put(log, author.lines("x" * 10_000))


async def test_the_wal_is_truncated_after_a_long_reader(tmp_path: Path) -> None:
    """By itself, also without further writes; all data is there."""
    log, author = SqliteEventLog(tmp_path), Author("j")
    await put(log, author.submit(), author.start())
    with reading(tmp_path / "milepost.db"):
        await grown(log, tmp_path, author)

    async def is_short() -> bool:
        return size(tmp_path) <= LIMIT

    await eventually(is_short)
    page = await log.read("j", 0, 1 << 30)
    assert page is not None
    assert page.head == len(author.events)
    await log.close()


async def test_writes_go_on_under_a_reader_and_the_log_says_why_the_file_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log reports it at each doubling, not at each turn. A backup of the server's own reads for as long."""
    monkeypatch.setattr(wal_upkeep, "_REPORTED_SIZE", 2 * LIMIT)
    monkeypatch.setattr(wal_upkeep, "_TRUNCATE_WAIT", 1)
    log, author = SqliteEventLog(tmp_path), Author("j")
    await put(log, author.submit(), author.start())
    with capture_logs() as lines, reading(tmp_path / "milepost.db"):
        await grown(log, tmp_path, author)
        while not reported(lines):
            await put(log, author.lines("a"))
        for _ in range(50):
            await put(log, author.lines("x" * 10_000))
    await log.close()
    sizes = reported(lines)
    assert sizes[0] >= 2 * LIMIT
    assert all(later >= 2 * earlier for earlier, later in itertools.pairwise(sizes))
    assert lines[0]["event"].startswith("another process, or a backup, has been reading")


def reported(lines: list[structlog.typing.EventDict]) -> list[int]:
    """The sizes that the log has reported."""
    return [line["bytes"] for line in lines if "write-ahead log grows" in line["event"]]


async def test_commits_do_not_move_a_long_log(tmp_path: Path) -> None:
    """A thread of its own does, so that no commit takes as long as that; afterwards they move a short one again."""
    log, author = SqliteEventLog(tmp_path), Author("j")
    connection = log._connection
    await put(log, author.submit(), author.start())
    with reading(tmp_path / "milepost.db"):
        await grown(log, tmp_path, author)

        async def is_left_to_a_thread() -> bool:
            return pages_to_move(connection) == 0

        await eventually(is_left_to_a_thread)

    async def is_as_before() -> bool:
        return pages_to_move(connection) == statements.WAL_PAGES

    await eventually(is_as_before)
    assert size(tmp_path) <= LIMIT
    await log.close()


def pages_to_move(connection: sqlite3.Connection) -> int:
    """The length of the log in pages at which a commit moves it into the database; 0 for never."""
    (pages,) = connection.execute("PRAGMA wal_autocheckpoint").fetchone()
    return int(pages)


async def test_the_wal_is_truncated_after_a_moment_without_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the checkpoint nor the truncation fails the store. sqlite3 has no error of its own for it."""
    log, author = SqliteEventLog(tmp_path), Author("j")
    upkeep = log._writer._upkeep
    connect, truncate = upkeep._connect, statements.CHECKPOINT_WAL

    def cannot_connect() -> sqlite3.Connection:
        monkeypatch.setattr(upkeep, "_connect", connect)
        raise MemoryError

    def no_memory() -> None:
        monkeypatch.setattr(statements, "CHECKPOINT_WAL", truncate)
        raise MemoryError

    monkeypatch.setattr(upkeep, "_connect", cannot_connect)
    log._connection.create_function("no_memory", 0, no_memory)
    monkeypatch.setattr(statements, "CHECKPOINT_WAL", "SELECT no_memory()")
    await put(log, author.submit(), author.start())
    with reading(tmp_path / "milepost.db"):
        await grown(log, tmp_path, author)

    async def is_short() -> bool:
        return size(tmp_path) <= LIMIT

    await eventually(is_short)
    assert (upkeep._connect, statements.CHECKPOINT_WAL) == (connect, truncate)
    await log.close()
    assert not log.failed.done()


async def test_a_short_log_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No write waits for an unnecessary checkpoint."""

    def truncate(_: object) -> bool:
        raise AssertionError("truncated")

    monkeypatch.setattr(wal_upkeep.WalUpkeep, "_truncate", truncate)
    monkeypatch.setattr(statements, "WAL_SIZE_LIMIT", 1 << 30)
    log, author = SqliteEventLog(tmp_path), Author("j")
    await put(log, author.submit(), author.start(), author.lines("a"))
    await log.close()
    assert not log.failed.done()
