"""Scanning a directory."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from milepost.examples.archive.errors import ArchiveError
from milepost.examples.archive.scan import Note, printable, scan
from tests.unit.archive.trees import EVERYTHING, as_nobody, grow


def test_everything_is_found_in_the_order_of_names(tmp_path: Path) -> None:
    """Entries are ordered by the bytes of their names; a directory's content comes right after it."""
    tree = scan(grow(tmp_path, dict(reversed(list(EVERYTHING.items())))))

    assert list(tree.entries) == [
        "empty",
        "long" * 30,
        f"{'long' * 30}/{'name' * 30}",
        "no files",
        os.fsdecode(b"not-utf8-\xff\xfe"),
        "pkg",
        "pkg/__init__.py",
        "pkg/data",
        "pkg/data/large.bin",
        "pkg/data/ünïcode ☃.txt",
        "pkg-2",
    ]
    assert tree.notes == []


def test_sizes_are_counted(tmp_path: Path) -> None:
    """The size of a tree is that of its files, in bytes."""
    tree = scan(grow(tmp_path))

    assert sum(len(content) for content in EVERYTHING.values() if content is not None) == tree.size
    assert sum(content is not None for content in EVERYTHING.values()) == len(tree.files)


def test_links_within_the_directory_are_kept_and_noted(tmp_path: Path) -> None:
    """A symbolic link is its own entry; its target is found once, at its path."""
    grow(tmp_path, {"pkg/module.py": b"1"})
    (tmp_path / "again").symlink_to("pkg")
    (tmp_path / "pkg" / "loop").symlink_to("..")
    (tmp_path / "pkg" / "nowhere").symlink_to("missing.py")

    tree = scan(tmp_path)

    assert list(tree.entries) == ["again", "pkg", "pkg/loop", "pkg/module.py", "pkg/nowhere"]
    assert [entry.target for entry in tree.links] == ["pkg", "..", "missing.py"]
    assert [(note.name, note.left_out) for note in tree.notes] == [
        ("again", False),
        ("pkg/loop", False),
        ("pkg/nowhere", False),
    ]


@pytest.mark.parametrize("target", ["/etc", "../outside", "pkg/../../outside", "../root-2/file"])
def test_links_out_of_the_directory_are_left_out(tmp_path: Path, target: str) -> None:
    """Nothing outside of the directory is read or linked to."""
    grow(tmp_path / "outside", {"secret": b"s"})
    grow(tmp_path / "root-2", {"file": b"f"})
    root = grow(tmp_path / "root", {"pkg/module.py": b"1"})
    (root / "link").symlink_to(target)

    tree = scan(root)

    assert list(tree.entries) == ["pkg", "pkg/module.py"]
    assert tree.notes == [Note("link", f"is a symbolic link out of the directory, to {target}")]


def test_what_is_neither_file_nor_directory_is_left_out(tmp_path: Path) -> None:
    """Pipes and sockets are recorded as skipped and not opened, which could block."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        directory = os.open(tmp_path, os.O_RDONLY)
        try:
            listening.bind(f"/proc/self/fd/{directory}/socket")
        finally:
            os.close(directory)

    tree = scan(tmp_path)

    assert tree.entries == {}
    assert [note.name for note in tree.left_out] == ["pipe", "socket"]


def test_a_directory_that_cannot_be_read_is_noted(open_path: Path) -> None:
    """The rest of the tree is found."""
    grow(open_path, {"closed/secret": b"s", "open/file": b"f"})
    (open_path / "closed").chmod(0)

    with as_nobody():
        tree = scan(open_path)

    assert list(tree.entries) == ["open", "open/file"]
    assert tree.notes == [Note("closed", "permission denied")]


def test_a_root_that_cannot_be_read_is_an_error(open_path: Path) -> None:
    """Nothing can be archived."""
    closed = grow(open_path / "closed", {})
    closed.chmod(0)

    with as_nobody(), pytest.raises(ArchiveError, match="permission denied") as caught:
        scan(closed)

    assert caught.value.code == "PATH_NOT_READABLE"


@pytest.mark.parametrize(("name", "code"), [("missing", "PATH_NOT_FOUND"), ("file", "NOT_A_DIRECTORY")])
def test_a_root_that_is_no_directory_is_an_error(tmp_path: Path, name: str, code: str) -> None:
    """The error says which path, and why."""
    grow(tmp_path, {"file": b"f"})

    with pytest.raises(ArchiveError, match=str(tmp_path / name)) as caught:
        scan(tmp_path / name)

    assert code == caught.value.code


def test_excluded_paths_are_not_recorded(tmp_path: Path) -> None:
    """The archive does not contain itself."""
    grow(tmp_path, {"a": b"a", "out/a.tar.zst": b"old", "out/b": b"b"})

    tree = scan(tmp_path, leave_out={tmp_path / "out" / "a.tar.zst"})

    assert list(tree.entries) == ["a", "out", "out/b"]
    assert tree.notes == []


def test_excluded_patterns_apply_at_any_depth(tmp_path: Path) -> None:
    """An excluded directory is skipped with its content."""
    grow(tmp_path, {"site-packages/x": b"", "pkg/a.py": b"", "pkg/a.pyc": b"", "pkg/__pycache__/a": b""})

    tree = scan(tmp_path, exclude=["site-packages", "*.pyc", "__pycache__"])

    assert list(tree.entries) == ["pkg", "pkg/a.py"]


def test_the_walk_can_be_stopped(tmp_path: Path) -> None:
    """An exception of the callback propagates."""
    grow(tmp_path)

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        scan(tmp_path, on_entry=stop)


def test_names_become_text() -> None:
    """Any name can be displayed and sent."""
    assert printable(os.fsdecode("ü-".encode() + b"\xff")) == "ü-\\xff"
