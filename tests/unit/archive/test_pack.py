"""Packing a tree into one file, and verifying the archive."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from milepost.examples.archive.errors import ArchiveError
from milepost.examples.archive.formats import FORMATS, Format
from milepost.examples.archive.hashing import hash_files
from milepost.examples.archive.pack import pack
from milepost.examples.archive.scan import Note, scan
from milepost.examples.archive.verify import verify
from tests.unit.archive.trees import EVERYTHING, ZSTD, as_nobody, found, grow, ignore, packed

each_format = pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.suffix)


@each_format
def test_an_archive_gives_back_what_went_in(tmp_path: Path, form: Format) -> None:
    """Names, contents, links and the executable bit are preserved."""
    root = grow(tmp_path / "root")
    (root / "pkg" / "link").symlink_to("../empty")
    (root / "empty").chmod(0o755)
    tree, _ = found(root)

    path = packed(tree, tmp_path / "a", form)
    with (
        path.open("rb") as file,
        form.decompressing(file) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        # Python 3.11 has filters from 3.11.4 on, and warns without one.
        filters: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(tmp_path / "back", **filters)

    back, _ = found(tmp_path / "back")
    assert list(tree.entries) == list(back.entries)
    for name, content in EVERYTHING.items():
        assert content is None or content == (tmp_path / "back" / name).read_bytes()
    assert (tmp_path / "back" / "pkg" / "link").readlink() == Path("../empty")
    assert os.access(tmp_path / "back" / "empty", os.X_OK)


@each_format
def test_the_same_contents_give_the_same_bytes(tmp_path: Path, form: Format) -> None:
    """The archive is independent of the files' path, times, order, owner and group."""
    one = grow(tmp_path / "one")
    two = grow(tmp_path / "elsewhere" / "two", dict(reversed(list(EVERYTHING.items()))))
    for n, path in enumerate(two.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (n, n))

    archives = [packed(found(root)[0], tmp_path / f"{root.name}.a", form) for root in (one, two)]

    assert archives[0].read_bytes() == archives[1].read_bytes()


@each_format
def test_other_contents_give_other_bytes(tmp_path: Path, form: Format) -> None:
    """The executable bit is archived, too."""
    root = grow(tmp_path / "root")
    before = packed(found(root)[0], tmp_path / "a", form).read_bytes()
    (root / "empty").chmod(0o755)

    after = packed(found(root)[0], tmp_path / "a", form).read_bytes()

    assert before != after


@each_format
def test_a_good_archive_is_verified(tmp_path: Path, form: Format) -> None:
    """Every byte of content is compared, and counted."""
    tree, digests = found(grow(tmp_path / "root"))
    path = packed(tree, tmp_path / "a", form)
    counts: list[int] = []

    verify(path, form, tree, digests, counts.append)

    assert tree.size == sum(counts)


@each_format
@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 0.9])
def test_a_damaged_archive_is_found_out(tmp_path: Path, form: Format, place: float) -> None:
    """A single wrong byte anywhere is detected."""
    tree, digests = found(grow(tmp_path / "root", {"random": os.urandom(300_000)}))
    path = packed(tree, tmp_path / "a", form)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 0x55
    path.write_bytes(content)

    with pytest.raises(ArchiveError) as caught:
        verify(path, form, tree, digests, ignore)

    assert caught.value.code in {"ARCHIVE_DAMAGED", "VERIFY_MISMATCH"}


@each_format
def test_a_truncated_archive_is_found_out(tmp_path: Path, form: Format) -> None:
    """A truncated end is detected."""
    tree, digests = found(grow(tmp_path / "root", {"random": os.urandom(300_000)}))
    path = packed(tree, tmp_path / "a", form)
    os.truncate(path, path.stat().st_size // 2)

    with pytest.raises(ArchiveError, match="cannot be read back") as caught:
        verify(path, form, tree, digests, ignore)

    assert caught.value.code == "ARCHIVE_DAMAGED"


def test_an_archive_of_something_else_is_found_out(tmp_path: Path) -> None:
    """Missing entries and additional ones are detected."""
    tree, digests = found(grow(tmp_path / "root", {"a": b"a", "b": b"b", "d": None}))
    other, _ = found(grow(tmp_path / "other", {"a": b"a", "c": b"b", "d": b""}))
    path = packed(other, tmp_path / "archive")

    with pytest.raises(ArchiveError, match=r"b, c, d changed meanwhile") as caught:
        verify(path, ZSTD, tree, digests, ignore)

    assert caught.value.code == "VERIFY_MISMATCH"
    assert caught.value.retryable


def test_a_file_that_cannot_be_read_is_left_out(open_path: Path) -> None:
    """It is recorded as skipped when it is hashed; the archive is valid without it."""
    root = grow(open_path / "root", {"closed": b"c", "open": b"o"})
    (root / "closed").chmod(0)

    with as_nobody():
        tree, digests = found(root)

    assert tree.notes == [Note("closed", "permission denied")]
    verify(packed(tree, open_path / "a"), ZSTD, tree, digests, ignore)


def test_a_file_that_vanishes_before_it_is_hashed_is_left_out(tmp_path: Path) -> None:
    """It is recorded as skipped; the archive is valid without it."""
    tree = scan(grow(tmp_path / "root", {"a": b"a", "b": b"b"}))
    (tree.root / "b").unlink()

    digests = hash_files(tree, ignore)

    assert list(digests) == ["a"]
    assert tree.notes == [Note("b", "no such file or directory")]
    verify(packed(tree, tmp_path / "archive"), ZSTD, tree, digests, ignore)


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("change", [Path.unlink, _fifo, _link, _directory])
def test_a_file_that_is_none_any_more_is_left_out(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """Anything that has replaced a file is neither opened nor followed; the archive is valid without it."""
    tree, digests = found(grow(tmp_path / "root", {"a": b"a", "b": b"b"}))
    change(tree.root / "b")

    path = packed(tree, tmp_path / "archive")

    assert list(tree.entries) == ["a"]
    assert [note.name for note in tree.left_out] == ["b"]
    verify(path, ZSTD, tree, digests, ignore)


@pytest.mark.parametrize("content", [b"", b"shorter", b"longer than it was before"])
def test_a_file_that_changes_its_size_is_noted_and_found_out(tmp_path: Path, content: bytes) -> None:
    """The archive is complete, but differs from the hashes."""
    tree, digests = found(grow(tmp_path / "root", {"a": b"a", "b": b"as it was"}))
    (tree.root / "b").write_bytes(content)

    path = packed(tree, tmp_path / "archive")

    assert tree.notes == [Note("b", "changed while it was being archived", left_out=False)]
    with pytest.raises(ArchiveError, match="b changed meanwhile"):
        verify(path, ZSTD, tree, digests, ignore)


def test_a_file_that_changes_its_content_is_found_out(tmp_path: Path) -> None:
    """Even if its size is unchanged."""
    tree, digests = found(grow(tmp_path / "root", {"a": b"a", "b": b"before"}))
    (tree.root / "b").write_bytes(b"behind")

    path = packed(tree, tmp_path / "archive")

    with pytest.raises(ArchiveError, match="b changed meanwhile"):
        verify(path, ZSTD, tree, digests, ignore)


def test_a_file_that_becomes_shorter_while_it_is_read_is_noted(tmp_path: Path) -> None:
    """The archive remains readable."""
    content = os.urandom(500_000)
    tree, digests = found(grow(tmp_path / "root", {"a": content, "b": b"b"}))

    def shorten(n: int) -> None:
        if n > 1:
            os.truncate(tree.root / "a", 1000)

    with (tmp_path / "archive").open("wb") as output:
        pack(tree, output, ZSTD, shorten)

    assert tree.notes == [Note("a", "changed while it was being archived", left_out=False)]
    with pytest.raises(ArchiveError, match="a changed meanwhile"):
        verify(tmp_path / "archive", ZSTD, tree, digests, ignore)


def test_packing_can_be_stopped(tmp_path: Path) -> None:
    """An exception of the callback propagates."""
    tree, _ = found(grow(tmp_path / "root"))

    def stop(n: int) -> None:
        raise InterruptedError

    with (tmp_path / "archive").open("wb") as output, pytest.raises(InterruptedError):
        pack(tree, output, ZSTD, stop)


def test_a_full_disk_is_an_error_of_the_output(tmp_path: Path) -> None:
    """It is not attributed to the file that is being packed."""
    tree, _ = found(grow(tmp_path / "root", {"random": os.urandom(1_000_000)}))

    with Path("/dev/full").open("wb", buffering=0) as output, pytest.raises(OSError, match="No space left"):
        pack(tree, output, ZSTD, ignore)

    assert tree.notes == []


def test_a_copy_of_a_tree_gives_the_same_archive(tmp_path: Path) -> None:
    """As made by other tools."""
    root = grow(tmp_path / "root")
    shutil.copytree(root, tmp_path / "copy", symlinks=True)

    archives = [packed(found(tmp_path / name)[0], tmp_path / f"{name}.a") for name in ("root", "copy")]

    assert archives[0].read_bytes() == archives[1].read_bytes()
