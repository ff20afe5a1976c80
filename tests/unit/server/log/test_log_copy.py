"""Copies of a log: complete, compact, and only if the disk has room."""

from __future__ import annotations

import asyncio
import gc
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from milepost.contract import limits
from milepost.server.base.refusal import Refusal
from milepost.server.log.log_errors import NoRoomForCopy
from milepost.server.log.sqlite import log_copy
from milepost.server.log.sqlite.log_copy import LogCopy
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.rpc.backups import Backups
from milepost.server.store_errors import refusal_of
from milepost.v1 import BackUpResponse, ErrorReason
from tests.support.bad_requests import struct
from tests.support.commits import Author, put, read


async def test_a_copy_is_a_store_with_all_that_was_there(tmp_path: Path) -> None:
    """The copy is another store with its own secret."""
    log, author = SqliteEventLog(tmp_path), Author("j", input=struct({"x": "y"}))
    await put(log, author.submit(), author.start(), author.lines("a"))
    other = tmp_path / "other"
    other.mkdir()
    copy = await log.copy_to(other / "milepost.db")
    assert copy == ((other / "milepost.db").stat().st_size, log.position)

    copied = SqliteEventLog(other)
    assert author.events == await read(copied, "j")
    assert await copied.find_request("", "") is None
    assert copied.epoch != log.epoch
    assert copied.lease_secret != log.lease_secret
    for each in (copied, log):
        await each.close()


async def test_a_copy_in_the_place_of_its_original_is_another_store(tmp_path: Path) -> None:
    """Also in the same file, with nothing written since: the leases of the original do not hold in it."""
    log, author = SqliteEventLog(tmp_path), Author("j")
    await put(log, author.submit(), author.start())
    await log.copy_to(tmp_path / "copy.db")
    await log.close()
    inode = (tmp_path / "milepost.db").stat().st_ino
    shutil.copyfile(tmp_path / "copy.db", tmp_path / "milepost.db")
    assert (tmp_path / "milepost.db").stat().st_ino == inode

    restored = SqliteEventLog(tmp_path)
    assert author.events == await read(restored, "j")
    assert restored.epoch != log.epoch
    await restored.close()


async def test_a_copy_has_nothing_of_what_was_deleted(tmp_path: Path) -> None:
    """It has only the remaining data."""
    log, author = SqliteEventLog(tmp_path), Author("j", input=struct({"x": "deleted" * 100_000}))
    await put(log, author.submit(), author.start(), author.succeed())
    await log.delete("j")
    copy = await log.copy_to(tmp_path / "copy.db")
    assert copy.size < 200_000
    assert b"deleteddeleted" not in (tmp_path / "copy.db").read_bytes()
    await log.close()


async def test_a_disk_without_room_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Space for the log stays free; the refusal says how much."""
    monkeypatch.setattr(log_copy, "_RESERVE", 1 << 60)
    log = SqliteEventLog(tmp_path)
    with pytest.raises(NoRoomForCopy) as error:
        await log.copy_to(tmp_path / "copy.db")
    refusal = refusal_of(error.value)
    assert refusal is not None
    assert refusal.reason == ErrorReason.ERROR_REASON_STORE_FULL
    assert f"{1 << 60:,}" in refusal.message
    assert not (tmp_path / "copy.db").exists()
    await log.close()


async def test_a_copy_that_is_cancelled_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The copy stops at the next step; the store continues."""
    monkeypatch.setattr(log_copy, "_STEPS", 1)
    log, author = SqliteEventLog(tmp_path), Author("j")
    await put(log, author.submit(), author.start())
    for _ in range(100):
        await put(log, author.lines("x" * 10_000))
    ends: list[str] = []
    copy_file = log_copy._copy

    def copy(*arguments: Any) -> LogCopy:
        try:
            return copy_file(*arguments)
        except sqlite3.Error as error:
            ends.append(error.sqlite_errorname)
            raise

    monkeypatch.setattr(log_copy, "_copy", copy)
    copying = asyncio.create_task(log.copy_to(tmp_path / "copy.db"))
    await asyncio.sleep(0)
    copying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    assert ends == ["SQLITE_INTERRUPT"]
    gc.collect()
    assert caplog.messages == []
    await put(log, author.lines("a"))
    await log.close()


async def test_a_server_that_stops_interrupts_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is told why, and the next one as well."""
    log = SqliteEventLog(tmp_path)
    made = Backups(log, tmp_path)
    copying = asyncio.Event()

    async def copy_to(_: Path) -> LogCopy:
        copying.set()
        never: asyncio.Future[LogCopy] = asyncio.get_running_loop().create_future()
        return await never

    async def send(_: BackUpResponse) -> None:
        raise AssertionError("sent")

    monkeypatch.setattr(log, "copy_to", copy_to)
    sending = asyncio.create_task(made.send(send))
    await copying.wait()
    made.close()
    with pytest.raises(Refusal) as refused:
        await sending
    assert refused.value.reason == ErrorReason.ERROR_REASON_DRAINING
    await log.close()


async def test_a_caller_that_reads_slowly_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it never stops for long: the time that it has grows with what it has read."""
    monkeypatch.setattr(limits, "BACKUP_STALL", 0.5)
    monkeypatch.setattr(limits, "BACKUP_CHUNK", 4096)
    log = SqliteEventLog(tmp_path)
    made = Backups(log, tmp_path)
    loop = asyncio.get_running_loop()
    now = loop.time()

    async def read_slowly(part: BackUpResponse) -> None:
        nonlocal now
        now += 0.4
        monkeypatch.setattr(loop, "time", lambda: now)
        await asyncio.sleep(0)

    with pytest.raises(Refusal) as refused:
        await made.send(read_slowly)
    assert refused.value.reason == ErrorReason.ERROR_REASON_LIMIT_REACHED
    monkeypatch.undo()
    await log.close()


async def test_a_caller_that_reads_nothing_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends after a timeout with an explanation; the next caller gets a backup."""
    monkeypatch.setattr(limits, "BACKUP_STALL", 0.01)
    (tmp_path / "backup.partial").write_text("of a server that was killed")
    log = SqliteEventLog(tmp_path)
    made = Backups(log, tmp_path)
    assert not (tmp_path / "backup.partial").exists()

    async def stall(_: BackUpResponse) -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Refusal) as refused:
        await made.send(stall)
    assert refused.value.reason == ErrorReason.ERROR_REASON_LIMIT_REACHED

    parts: list[BackUpResponse] = []

    async def keep(part: BackUpResponse) -> None:
        parts.append(part)

    await made.send(keep)
    assert [part.WhichOneof("part") for part in (parts[0], parts[-1])] == ["header", "sha256"]
    assert sum(len(part.data) for part in parts) == parts[0].header.size_bytes
    assert not (tmp_path / "backup.partial").exists()
    await log.close()
