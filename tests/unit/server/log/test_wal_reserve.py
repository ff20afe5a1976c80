"""The room in a young write-ahead log, and what waits for the syncs of a commit."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from milepost.server.log.log_errors import StoreDisplaced
from milepost.server.log.sqlite import wal_reserve, writer
from milepost.server.log.sqlite.epoch_mark import EpochMark
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.log.sqlite.wal_reserve import WalReserve
from milepost.server.log.store_files import StoreFiles
from tests.support.commits import Author, put, put_in_turn, read
from tests.support.rpc import eventually

RESERVE = 500_000


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little room, which an idle writer makes at once."""
    monkeypatch.setattr(wal_reserve, "RESERVE_SIZE", RESERVE)
    monkeypatch.setattr(wal_reserve, "_STEP", RESERVE // 4)
    monkeypatch.setattr(writer, "CHECK_INTERVAL", 0.02)


def size(directory: Path) -> int:
    """The size of the write-ahead log."""
    return (directory / "milepost.db-wal").stat().st_size


async def reserved(directory: Path) -> None:
    """Wait for the room."""

    async def is_there() -> bool:
        return size(directory) >= RESERVE

    await eventually(is_there)


async def test_commits_overwrite_what_an_idle_store_has_reserved(tmp_path: Path) -> None:
    """The file does not grow with the commits, and has all of them."""
    log, author = SqliteEventLog(tmp_path), Author("j")
    await put(log, author.submit(), author.start())
    await reserved(tmp_path)

    await put_in_turn(log, *(author.lines("x" * 1000) for _ in range(10)))

    assert size(tmp_path) == RESERVE
    assert await read(log, "j") == author.events
    await log.close()


async def test_a_store_that_was_killed_reads_to_the_last_commit(tmp_path: Path) -> None:
    """SQLite recovers a write-ahead log with zeros at its end."""
    (tmp_path / "data").mkdir()
    log, author = SqliteEventLog(tmp_path / "data"), Author("j")
    await put(log, author.submit(), author.start())
    await reserved(tmp_path / "data")
    await put(log, author.lines("the last one"))
    (tmp_path / "killed").mkdir()
    for name in ("milepost.db", "milepost.db-wal"):
        shutil.copy(tmp_path / "data" / name, tmp_path / "killed" / name)
    await log.close()

    again = SqliteEventLog(tmp_path / "killed")
    assert size(tmp_path / "killed") >= RESERVE
    assert await read(again, "j") == author.events
    await again.close()


async def test_a_full_disk_ends_the_reserve_and_not_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be reserved is given back, and is not asked for again."""
    refused: list[int] = []

    def pwrite(descriptor: int, data: bytes, offset: int) -> int:
        refused.append(offset)
        os.ftruncate(descriptor, offset + len(data) // 2)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", pwrite)
    log, author = SqliteEventLog(tmp_path), Author("j")
    await put(log, author.submit(), author.start())

    async def is_given_back() -> bool:
        return refused == [size(tmp_path)]

    await eventually(is_given_back)
    await put_in_turn(log, *(author.lines("x") for _ in range(3)))
    assert await read(log, "j") == author.events
    assert len(refused) == 1
    await log.close()


async def test_a_log_that_cannot_be_opened_ends_the_reserve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process without free descriptors asks once, and goes on checking its files."""
    opened: list[str] = []
    checks: list[str] = []
    opening, checking = os.open, StoreFiles.check

    def refuse(path: str | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if str(path).endswith("-wal"):
            opened.append(str(path))
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return opening(path, flags, mode, dir_fd=dir_fd)

    def check(files: StoreFiles) -> None:
        checks.append("")
        checking(files)

    monkeypatch.setattr(os, "open", refuse)
    log, author = SqliteEventLog(tmp_path), Author("j")
    await put(log, author.submit())
    monkeypatch.setattr(StoreFiles, "check", check)

    async def is_checked() -> bool:
        return len(checks) >= 3

    await eventually(is_checked)
    await log.close()
    assert len(opened) == 1


async def test_the_log_may_change_before_the_lock_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may have written more than the room until then: the store goes on."""
    sizes: list[int] = []
    wanted = vars(WalReserve)["is_wanted"].fget

    def is_wanted(reserve: WalReserve) -> bool:
        """Answer, and have another process write before the answer is used."""
        answer: bool = wanted(reserve)
        if answer and not sizes:
            with closing(sqlite3.connect(tmp_path / "milepost.db", isolation_level=None)) as other:
                other.execute("CREATE TABLE of_another AS SELECT zeroblob(?) AS data", (2 * RESERVE,))
                sizes.append(size(tmp_path))
        return answer

    monkeypatch.setattr(WalReserve, "is_wanted", property(is_wanted))
    log, author = SqliteEventLog(tmp_path), Author("j")
    await put(log, author.submit(), author.start())

    async def has_changed() -> bool:
        return bool(sizes) or log.failed.done()

    await eventually(has_changed)
    await put(log, author.lines("x"))
    assert await read(log, "j") == author.events
    assert sizes[0] > RESERVE
    assert not log.failed.done()
    await log.close()


async def test_nothing_is_written_to_another_log_at_the_same_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may have moved the store away between two steps, and put its own in its place."""
    log, author = SqliteEventLog(tmp_path), Author("j")
    wal = tmp_path / "milepost.db-wal"
    extending = WalReserve.extend

    def replace(reserve: WalReserve) -> None:
        extending(reserve)
        wal.rename(tmp_path / "moved")
        wal.write_bytes(b"of another")

    monkeypatch.setattr(WalReserve, "extend", replace)
    await put(log, author.submit())
    assert isinstance(await log.failed, StoreDisplaced)
    assert wal.read_bytes() == b"of another"
    await log.close()


async def test_a_commit_waits_for_its_own_sync_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark is renewed, with two syncs of its own, once who waits for the commit has been told."""
    log, author = SqliteEventLog(tmp_path), Author("j")
    may_go_on = threading.Event()

    def renew(mark: EpochMark, position: int, *, now: bool = False) -> None:
        if position:  # an idle writer renews it, too, perhaps before the commit
            may_go_on.wait()

    monkeypatch.setattr(EpochMark, "renew", renew)

    await put(log, author.submit())

    assert await read(log, "j") == author.events
    may_go_on.set()
    await log.close()
