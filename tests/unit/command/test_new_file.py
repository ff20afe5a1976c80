"""A file that exists either completely or not at all, and replaces nothing."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from milepost.client._cli.commands.new_file import NewFile


def test_a_file_has_its_name_once_it_is_finished(tmp_path: Path) -> None:
    """It does not exist before; only its owner can read it."""
    path = tmp_path / "x"
    with NewFile(path) as new:
        new.write(b"one ")
        new.write(b"two")
        assert not path.exists()
        new.finish()
    assert path.read_bytes() == b"one two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    """Also after an error."""

    def fail() -> None:
        with NewFile(tmp_path / "x") as new:
            new.write(b"one")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_somebody_made_meanwhile_is_kept(tmp_path: Path) -> None:
    """An existing file is noticed when the new one gets its name, at the last moment."""
    path = tmp_path / "x"
    with NewFile(path) as new:
        path.write_text("theirs")
        with pytest.raises(FileExistsError):
            new.finish()
    assert path.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is renamed there, and still replaces nothing."""

    def link(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", link)
    for path in (tmp_path / "x", tmp_path / "y"):
        with NewFile(path) as new:
            new.write(b"ours")
            new.finish()
    path.unlink()
    with NewFile(path) as new:
        path.write_text("theirs")
        with pytest.raises(FileExistsError):
            new.finish()
    assert (path.read_text(), (tmp_path / "x").read_text()) == ("theirs", "ours")
