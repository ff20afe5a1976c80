"""A store whose files are deleted, moved or replaced while it is open acknowledges nothing that is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from milepost.server import failpoints
from milepost.server.log.jetstream import projection
from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.nats_access import NatsAccess
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.log_errors import StoreDisplaced, StoreFailed
from milepost.server.log.sqlite import epoch_mark, writer
from milepost.server.log.sqlite.epoch_mark import EpochMark
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.store_errors import refusal_of
from tests.support.commits import Author, put, read
from tests.support.nats import NatsServer
from tests.support.rpc import eventually

Harm = Callable[[Path], object]


def move(directory: Path) -> Path:
    """Move the directory; return its new path."""
    return directory.rename(directory.with_name("moved"))


def lose(name: str) -> Harm:
    """Delete one file of the directory."""
    return lambda directory: (directory / name).unlink()


def put_back(backup: Path, directory: Path) -> None:
    """Replace the database by a backup."""
    backup.rename(directory / "milepost.db")


def renew(directory: Path) -> None:
    """Create the directory again, empty."""
    delete(directory)
    directory.mkdir()


def delete(directory: Path) -> None:
    """Delete the directory, although the store may be about to renew its mark."""
    while directory.exists():
        shutil.rmtree(directory, ignore_errors=True)


def names(directory: Path) -> list[str]:
    """The content of the directory."""
    return [path.name for path in directory.iterdir()]


def replace(directory: Path) -> None:
    """Replace the database by a copy."""
    shutil.copy(directory / "milepost.db", directory / "copy")
    (directory / "copy").rename(directory / "milepost.db")


def truncate(name: str) -> Harm:
    """Cuts all of one file off."""
    return lambda directory: os.truncate(directory / name, 0)


HARMS = [
    pytest.param(delete, id="directory deleted"),
    pytest.param(move, id="directory moved"),
    pytest.param(lose("milepost.db"), id="database deleted"),
    pytest.param(replace, id="database replaced"),
    pytest.param(lose("milepost.db-wal"), id="wal deleted"),
    pytest.param(lose("milepost.db-shm"), id="shm deleted"),
    pytest.param(truncate("milepost.db"), id="database truncated"),
    pytest.param(truncate("milepost.db-wal"), id="wal truncated"),
]


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the interval at which idle writers check their files."""
    for module in (writer, projection):
        monkeypatch.setattr(module, "CHECK_INTERVAL", 0.02)
    monkeypatch.setattr(epoch_mark, "_RENEWAL_INTERVAL", 0.02)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory for the test."""
    path = tmp_path / "data"
    path.mkdir()
    return path


async def started(directory: Path) -> tuple[SqliteEventLog, Author]:
    """A store with a job in it."""
    log, author = SqliteEventLog(directory), Author("j")
    await put(log, author.submit(), author.start())
    return log, author


@pytest.mark.parametrize("harm", HARMS)
async def test_a_displaced_store_refuses_writes(directory: Path, harm: Harm) -> None:
    """The first append fails, and all later ones; the store's `failed` has the reason."""
    log, author = await started(directory)
    harm(directory)

    for _ in range(2):
        with pytest.raises(StoreDisplaced, match=str(directory)) as error:
            await log.append(author.lines("a"))
        refusal = refusal_of(error.value)
        assert refusal is not None
        assert "moved, deleted or replaced" in refusal.message
        # The caller must not learn where the server stores its data.
        assert str(directory) not in refusal.message
    assert isinstance(await log.failed, StoreDisplaced)
    await log.close()


@pytest.mark.parametrize("harm", HARMS)
async def test_an_idle_displaced_store_fails(directory: Path, harm: Harm) -> None:
    """An idle store notices it as well."""
    log, _ = await started(directory)
    harm(directory)

    assert isinstance(await log.failed, StoreDisplaced)
    await log.close()


@pytest.mark.parametrize("harm", HARMS)
async def test_commits_to_a_lost_file_are_not_acknowledged(
    directory: Path, harm: Harm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are checked after a commit, too."""
    log, author = await started(directory)

    def reach(point: str) -> None:
        if point == "commit.after":
            harm(directory)

    monkeypatch.setattr(failpoints, "reach", reach)
    with pytest.raises(StoreDisplaced):
        await log.append(author.lines("a"))
    await log.close()


async def test_a_directory_that_was_moved_has_everything(directory: Path) -> None:
    """Opened at its new path it has everything that was acknowledged, and the same epoch."""
    log, author = await started(directory)
    moved = move(directory)
    with pytest.raises(StoreDisplaced):
        await log.append(Author("late").submit())
    await log.close()

    again = SqliteEventLog(moved)
    assert await read(again, "j") == author.events
    assert await again.find("late") is None
    assert again.epoch == log.epoch
    await again.close()


@pytest.mark.parametrize("name", ["milepost.db-wal", "milepost.db-shm"])
async def test_a_file_beside_the_database_that_was_deleted_costs_nothing(directory: Path, name: str) -> None:
    """Acknowledged data is checkpointed into the database before the store ends."""
    log, author = await started(directory)
    lose(name)(directory)
    assert isinstance(await log.failed, StoreDisplaced)
    await log.close()

    again = SqliteEventLog(directory)
    assert await read(again, "j") == author.events
    assert again.epoch == log.epoch
    await again.close()


async def test_a_backup_that_is_put_back_under_a_running_store(directory: Path, tmp_path: Path) -> None:
    """The next store is the backup, without anything of the former write-ahead log."""
    log, author = await started(directory)
    await log.close()
    backup = Path(shutil.copy(directory / "milepost.db", tmp_path))
    log = SqliteEventLog(directory)
    other = Author("other")
    await put(log, other.submit(), other.start())

    put_back(backup, directory)
    assert isinstance(await log.failed, StoreDisplaced)
    await log.close()

    again = SqliteEventLog(directory)
    assert await read(again, "j") == author.events
    assert await again.find("other") is None
    assert again.epoch != log.epoch
    await again.close()


async def test_a_checkpoint_of_another_process_is_no_loss(directory: Path) -> None:
    """It shortens the write-ahead log as well; the store goes on."""
    log, author = await started(directory)
    with closing(sqlite3.connect(directory / "milepost.db")) as other:
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
    await put(log, author.lines("a"))
    assert await read(log, "j") == author.events
    assert not log.failed.done()
    await log.close()


async def test_a_truncated_write_ahead_log_leaves_the_database_whole(directory: Path) -> None:
    """What was in it is lost; opened again the store is as of its last checkpoint, and another one."""
    log, author = await started(directory)
    await log.close()
    kept = list(author.events)
    log = SqliteEventLog(directory)
    await put(log, author.lines("a"))
    truncate("milepost.db-wal")(directory)
    with pytest.raises(StoreDisplaced, match=r"milepost\.db-wal' was truncated"):
        await log.append(author.lines("b"))
    await log.close()

    again = SqliteEventLog(directory)
    assert await read(again, "j") == kept
    assert again.epoch != log.epoch
    await again.close()


async def test_another_store_at_the_old_path_is_left_alone(directory: Path) -> None:
    """A store that was moved away ends without touching the new one at its path."""
    log, _ = await started(directory)
    move(directory)
    renew(directory)
    other, author = await started(directory)
    assert isinstance(await log.failed, StoreDisplaced)
    await log.close()

    await put(other, author.lines("a"))
    await other.close()
    again = SqliteEventLog(directory)
    assert await read(again, "j") == author.events
    assert again.epoch == other.epoch
    await again.close()


async def test_first_reads_after_the_displacement_are_refused(directory: Path) -> None:
    """A late connection neither opens another file nor creates one."""
    log, _ = await started(directory)
    renew(directory)

    with pytest.raises(StoreDisplaced):
        await log.find("j")
    await log.close()
    assert names(directory) == []


async def test_a_mark_that_was_deleted_is_written_again(directory: Path) -> None:
    """So that the epoch stays after a crash."""
    log, _ = await started(directory)
    lose("epoch.json")(directory)

    async def is_there() -> bool:
        return "epoch.json" in names(directory)

    await eventually(is_there)
    assert not log.failed.done()
    mark = EpochMark(directory / "epoch.json", directory / "milepost.db")
    assert mark.resolve_epoch(log.epoch, log.position) == log.epoch
    await log.close()


# --- The projection of a node ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(delete, id="directory deleted"),
        pytest.param(move, id="directory moved"),
        pytest.param(lose("projection.db"), id="database deleted"),
        pytest.param(lose("projection.db-wal"), id="wal deleted"),
    ],
)
async def test_a_projection(directory: Path, nats_server: NatsServer, harm: Harm) -> None:
    """The node fails, with or without writes; pending calls fail, and the stream has its appends."""
    access, names = NatsAccess((nats_server.url,)), StreamNames(f"test-{uuid.uuid4().hex}")
    log, author = JetStreamEventLog(directory, access, names), Author("j")
    await log.start()
    await put(log, author.submit(), author.start())
    harm(directory)

    with pytest.raises(StoreFailed):
        await log.append(author.lines("a"))
    assert isinstance(await log.failed, StoreDisplaced)
    await log.close()

    renew(directory)
    again = JetStreamEventLog(directory, access, names)
    await again.start()
    assert (await read(again, "j"))[:2] == author.events[:2]
    await again.close()


async def test_a_projection_while_nobody_writes(directory: Path, nats_server: NatsServer) -> None:
    """An idle node fails as well."""
    log = JetStreamEventLog(
        directory, NatsAccess((nats_server.url,)), StreamNames(f"test-{uuid.uuid4().hex}")
    )
    await log.start()
    delete(directory)

    assert isinstance(await log.failed, StoreDisplaced)
    await log.close()
