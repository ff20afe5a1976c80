"""A full or failed store."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from milepost.server import failpoints
from milepost.server.log.log_errors import StoreFailed, StoreFull
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.store_errors import refusal_of
from tests.support.bad_requests import struct
from tests.support.commits import Author, put, read


class SmallLog(SqliteEventLog):
    """A log on a small disk that can be enlarged."""

    def __init__(self, directory: Path) -> None:
        self._connections: list[sqlite3.Connection] = []
        super().__init__(directory)

    def _open(self) -> sqlite3.Connection:
        connection = super()._open()
        connection.execute("PRAGMA max_page_count = 40")
        self._connections.append(connection)
        return connection

    def give_room(self) -> None:
        """Enlarge the disk."""
        for connection in self._connections:
            connection.execute("PRAGMA max_page_count = 100000")

    def break_down(self) -> None:
        """Make all writes fail."""
        self._connections[0].close()


@pytest.fixture(autouse=True)
def said() -> Iterator[list[structlog.typing.EventDict]]:
    """The log lines."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[SmallLog]:
    """A log on a small disk."""
    log = SmallLog(tmp_path)
    yield log
    await log.close()


async def test_a_store_without_room_refuses_and_goes_on(
    small: SmallLog, said: list[structlog.typing.EventDict]
) -> None:
    """Refused appends are absent, and the log says so once; reads continue; with room again appends succeed."""
    author = Author("j")
    await put(small, author.submit(), author.start())
    large = Author("large", input=struct({"x": "x" * 120_000}))
    submission = large.submit()
    for _ in range(2):
        with pytest.raises(StoreFull):
            await small.append(submission)
    assert await small.find("large") is None
    assert author.events == await read(small, "j")
    assert small.position == 2

    small.give_room()
    await put(small, submission, author.lines("a"))
    assert large.events == await read(small, "large")
    assert author.events == await read(small, "j")
    assert small.position == 4
    assert not small.failed.done()
    assert [(line["event"], line["fatal"]) for line in said] == [("commit failed", False)]


async def test_a_group_without_room_is_refused_as_one(small: SmallLog) -> None:
    """A commit is durable or absent, also if another one took the space."""
    authors = [Author(f"j{number}", input=struct({"x": "x" * 20_000})) for number in range(20)]
    commits = [author.submit() for author in authors]
    outcomes = await asyncio.gather(*map(small.append, commits), return_exceptions=True)
    assert {StoreFull} <= {type(outcome) for outcome in outcomes} <= {StoreFull, type(None)}

    for author, outcome in zip(authors, outcomes, strict=True):
        kept = await small.find(author.job.job_id) is not None
        assert kept is (outcome is None)


async def test_a_store_that_fails_takes_nothing_more(
    tmp_path: Path, said: list[structlog.typing.EventDict]
) -> None:
    """After an error the content of the disk is unknown; the store's `failed` resolves."""
    log = SqliteEventLog(tmp_path)
    author = Author("j")
    await put(log, author.submit())
    with closing(sqlite3.connect(tmp_path / "milepost.db")) as other:
        other.execute("ALTER TABLE log RENAME TO elsewhere")
    start = author.start()
    with pytest.raises(StoreFailed):
        await log.append(start)
    with closing(sqlite3.connect(tmp_path / "milepost.db")) as other:
        other.execute("ALTER TABLE elsewhere RENAME TO log")

    with pytest.raises(StoreFailed):
        await log.append(start)
    assert isinstance(await log.failed, StoreFailed)
    assert author.events[:1] == await read(log, "j")
    assert [(line["event"], line["fatal"]) for line in said] == [("commit failed", True)]
    await log.close()


@pytest.mark.parametrize("column", ["log.frames", "jobs.job"])
async def test_a_write_that_meets_damage_fails_the_store(
    tmp_path: Path, said: list[structlog.typing.EventDict], column: str
) -> None:
    """Whatever its error is: otherwise the writer ended without a word, and all that was written later hung."""
    log = SqliteEventLog(tmp_path)
    author = Author("j")
    await put(log, author.submit(), author.start(), author.succeed())
    table, _, name = column.partition(".")
    with closing(sqlite3.connect(tmp_path / "milepost.db")) as other:
        other.execute(f"UPDATE {table} SET {name} = x'0aff'")
        other.commit()
    async with asyncio.timeout(120):
        with pytest.raises(StoreFailed):
            await log.thin("j")
        assert isinstance(await log.failed, StoreFailed)
    assert [(line["event"], line["fatal"]) for line in said] == [("commit failed", True)]
    await log.close()


def _told(error: Exception) -> str:
    """What a caller is told about the outcome of a call that ends with this error."""
    refusal = refusal_of(error)
    assert refusal is not None
    (told,) = re.findall("whether this was done is not known|nothing was changed", refusal.message)
    return str(told)


@pytest.fixture
def disarmed() -> Iterator[None]:
    """Reset failpoints after each test."""
    yield
    failpoints.arm("")


@pytest.mark.parametrize(
    ("point", "kept"),
    [pytest.param("commit.before", 1, id="before"), pytest.param("commit.after", 2, id="after")],
)
@pytest.mark.usefixtures("disarmed")
async def test_an_error_at_commit(
    tmp_path: Path, said: list[structlog.typing.EventDict], point: str, kept: int
) -> None:
    """Rule 12: the commit is not acknowledged, whatever its outcome; reads continue; the reopened store is whole.

    The caller is told that the outcome is unknown. What comes later is refused, and nothing of it is appended.
    """
    log = SqliteEventLog(tmp_path)
    author = Author("j")
    failpoints.arm(f"{point}=error:2")
    await put(log, author.submit())
    with pytest.raises(StoreFailed, match="disk I/O error") as failed:
        await log.append(author.start())
    assert isinstance(await log.failed, StoreFailed)
    assert author.events[:kept] == await read(log, "j")
    with pytest.raises(StoreFailed) as later:
        await log.append(author.lines("a"))
    told = [_told(error.value) for error in (failed, later)]
    assert told == ["whether this was done is not known", "nothing was changed"]
    await log.close()
    assert [(line["event"], line["fatal"]) for line in said if "fatal" in line] == [("commit failed", True)]

    again = SqliteEventLog(tmp_path)
    assert author.events[:kept] == await read(again, "j")
    assert (log.epoch, kept) == (again.epoch, again.position)
    await again.close()


async def test_an_error_without_a_code_is_fatal(tmp_path: Path) -> None:
    """Pending appends fail rather than wait."""
    log = SmallLog(tmp_path)
    log.give_room()
    author = Author("j")
    await put(log, author.submit())
    await read(log, "j")  # an open reader keeps the files when the writer's connection closes
    log.break_down()
    with pytest.raises(StoreFailed, match="closed database"):
        await log.append(author.start())
    assert isinstance(await log.failed, StoreFailed)
    await log.close()
