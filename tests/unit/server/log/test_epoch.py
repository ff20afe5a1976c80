"""The epoch: how the loss or the replacement of a store is noticed."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from milepost.server.log.sqlite.epoch_mark import EpochMark


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file that stands for a database."""
    path = tmp_path / "milepost.db"
    path.touch()
    return path


def mark(database: Path) -> EpochMark:
    """The mark beside it."""
    return EpochMark(database.with_name("epoch.json"), database)


def opened(database: Path, epoch: str | None, position: int) -> str:
    """The epoch of a database, as it says of itself, that ends at the position; the mark is renewed."""
    found = mark(database)
    settled = found.resolve_epoch(epoch, position)
    found.renew(position, now=True)
    return settled


def test_a_new_store_has_a_new_epoch(database: Path) -> None:
    """Each its own."""
    assert opened(database, None, 0) != opened(database, None, 0)


@pytest.mark.parametrize("position", [7, 8, 1000])
def test_a_store_that_lost_nothing_keeps_its_epoch(database: Path, position: int) -> None:
    """It may have more than the mark says, which is renewed now and then only."""
    epoch = opened(database, None, 7)

    assert epoch == opened(database, epoch, position)


def test_a_store_that_lost_positions_gets_a_new_epoch(database: Path) -> None:
    """An older copy was put in its place."""
    epoch = opened(database, None, 7)

    assert epoch != opened(database, epoch, 6)


def test_a_copied_store_gets_a_new_epoch(database: Path, tmp_path: Path) -> None:
    """It and the original could go on side by side, with different events of the same numbers."""
    epoch = opened(database, None, 7)
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in (database, database.with_name("epoch.json")):
        shutil.copy(path, copy)

    assert epoch != opened(copy / database.name, epoch, 7)
    assert epoch == opened(database, epoch, 7)


def test_a_moved_store_keeps_its_epoch(database: Path, tmp_path: Path) -> None:
    """It is the same file."""
    epoch = opened(database, None, 7)
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in (database, database.with_name("epoch.json")):
        path.rename(moved / path.name)

    assert epoch == opened(moved / database.name, epoch, 7)


def test_a_restored_database_of_another_epoch_gets_a_new_one(database: Path) -> None:
    """The mark is of another store."""
    epoch = opened(database, None, 7)

    assert opened(database, "another", 7) not in (epoch, "another")


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "null",
        "[]",
        "{}",
        '{"epoch": "e"}',
        '{"epoch": 1, "inode": 2, "position": 3, "x": 4}',
        "\xff",
    ],
)
def test_a_mark_that_is_missing_or_damaged_gives_a_new_epoch(database: Path, text: str | None) -> None:
    """What was lost is unknown; subscribers start over."""
    epoch = opened(database, None, 7)
    path = database.with_name("epoch.json")
    if text is not None:
        path.write_text(text, encoding="latin-1")
    else:
        path.unlink()

    assert epoch != opened(database, epoch, 7)


def test_the_mark_is_renewed_now_and_then(database: Path) -> None:
    """Not with every commit; at once where it is asked for."""
    found = mark(database)
    found.resolve_epoch(None, 0)
    path = database.with_name("epoch.json")
    found.renew(1, now=True)
    found.renew(2)
    assert json.loads(path.read_text())["position"] == 1

    found.renew(3, now=True)
    assert json.loads(path.read_text())["position"] == 3


def test_a_mark_that_cannot_be_written_stops_nothing(database: Path) -> None:
    """The log goes on; an older mark says less, and nothing wrong."""
    epoch = opened(database, None, 7)
    database.with_name("epoch.new").mkdir()

    assert epoch == opened(database, epoch, 9)
    assert json.loads(database.with_name("epoch.json").read_text())["position"] == 7


def test_a_mark_that_cannot_be_renewed_is_logged_once(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it could be renewed meanwhile; of a directory that was deleted the store itself says so."""
    found = mark(database)
    found.resolve_epoch(None, 0)

    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with capture_logs() as logged:
        for position in (1, 2):
            with monkeypatch.context() as patch:
                patch.setattr(os, "replace", full)
                found.renew(position, now=True)
                found.renew(position, now=True)
            found.renew(position, now=True)
        shutil.rmtree(database.parent)
        found.renew(3, now=True)

    assert [entry["event"] for entry in logged] == ["epoch mark not renewed"] * 2
