"""Permissions that are removed, and those that stay."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from milepost.contract import private_files


def mode(path: Path) -> int:
    """The permissions of a file itself."""
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize(
    ("before", "after"), [(0o644, 0o600), (0o666, 0o600), (0o640, 0o600), (0o400, 0o400)]
)
def test_a_file(tmp_path: Path, before: int, after: int) -> None:
    """The owner keeps his permissions."""
    path = tmp_path / "file"
    path.touch()
    path.chmod(before)

    assert (private_files.tighten(path), mode(path)) == (True, after)


def test_a_directory_by_way_of_a_link(tmp_path: Path) -> None:
    """The directory itself is changed."""
    (tmp_path / "there").mkdir(mode=0o755)
    (tmp_path / "here").symlink_to(tmp_path / "there")

    assert (private_files.make_directory(tmp_path / "here"), mode(tmp_path / "there")) == (True, 0o700)


def test_a_link_to_a_file(tmp_path: Path) -> None:
    """Others may have created the link, so its target stays unchanged."""
    (tmp_path / "there").touch()
    (tmp_path / "there").chmod(0o644)
    (tmp_path / "here").symlink_to(tmp_path / "there")

    assert (private_files.tighten(tmp_path / "here"), mode(tmp_path / "there")) == (False, 0o644)


def test_a_directory_for_all(tmp_path: Path) -> None:
    """A directory such as /tmp stays open."""
    tmp_path.chmod(0o1777)

    assert (private_files.make_directory(tmp_path), mode(tmp_path)) == (False, 0o1777)


def test_a_directory_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a mounted volume may be: it can be used, with a warning."""
    tmp_path.chmod(0o775)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)

    assert (private_files.make_directory(tmp_path), mode(tmp_path)) == (False, 0o775)


def test_a_missing_file_is_no_error(tmp_path: Path) -> None:
    """A missing file is no error."""
    assert private_files.tighten(tmp_path / "file")
