"""The archive's path and its manifest."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from milepost.examples.archive.errors import ArchiveError
from milepost.examples.archive.hashing import Digest, hash_bytes
from milepost.examples.archive.manifest import manifest, manifest_path
from milepost.examples.archive.partial import Partial
from milepost.examples.archive.request import parse
from tests.unit.archive.trees import as_nobody, found, grow


def test_a_file_has_its_name_once_it_is_committed(tmp_path: Path) -> None:
    """Before, only the partial file exists; after, only the complete one."""
    target = tmp_path / "a.tar.zst"
    with Partial(target) as partial:
        partial.file.write(b"whole")
        assert [partial.path] == list(tmp_path.iterdir())
        partial.commit()

    assert [target] == list(tmp_path.iterdir())
    assert target.read_bytes() == b"whole"


def test_a_file_that_is_not_committed_leaves_no_trace(tmp_path: Path) -> None:
    """An older file of that name is unchanged."""
    target = grow(tmp_path, {"a": b"old"}) / "a"

    def interrupted() -> None:
        with Partial(target) as partial:
            partial.file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert [target] == list(tmp_path.iterdir())
    assert target.read_bytes() == b"old"


def test_a_file_that_was_just_made_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interruption at that moment leaves no archive."""

    def interrupted(path: Path, mode: str) -> None:
        path.touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Partial(tmp_path / "a").__enter__()

    assert list(tmp_path.iterdir()) == []


def test_a_committed_file_replaces_an_older_one(tmp_path: Path) -> None:
    """At no moment are both files missing."""
    target = grow(tmp_path, {"a": b"old"}) / "a"
    with Partial(target) as partial:
        partial.file.write(b"new")
        partial.commit()

    assert target.read_bytes() == b"new"


def test_a_new_file_has_the_rights_that_others_have(tmp_path: Path) -> None:
    """Not only its writer may read it, if the umask says so."""
    umask = os.umask(0o022)
    try:
        with Partial(tmp_path / "a") as partial:
            partial.commit()
    finally:
        os.umask(umask)

    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", ["missing/a", "file/a", "directory", "n" * 300])
def test_an_output_that_cannot_be_written_is_an_error(tmp_path: Path, name: str) -> None:
    """The error comes at once, not when the work is done."""
    grow(tmp_path, {"file": b"", "directory": None})

    with (
        pytest.raises(ArchiveError, match=str(tmp_path / name)) as caught,
        Partial(tmp_path / name) as partial,
    ):
        partial.commit()

    assert caught.value.code == "OUTPUT_NOT_WRITABLE"
    assert {path.name for path in tmp_path.iterdir()} == {"file", "directory"}


def test_a_directory_that_may_not_be_written_is_an_error(open_path: Path) -> None:
    """The error says why."""
    open_path.chmod(0o555)

    with (
        as_nobody(),
        pytest.raises(ArchiveError, match="permission denied") as caught,
        Partial(open_path / "a"),
    ):
        pass

    assert caught.value.code == "OUTPUT_NOT_WRITABLE"


def test_a_request_is_resolved(tmp_path: Path) -> None:
    """Links in the path are resolved once, so that the archive is left out of itself."""
    grow(tmp_path, {"real": None})
    (tmp_path / "link").symlink_to("real")

    request = parse(
        {"path": f"{tmp_path}/link", "output": f"{tmp_path}/link/../real/a.tar.xz", "exclude": ["*.o"]}
    )

    assert request.root == tmp_path.resolve() / "real"
    assert request.output == tmp_path.resolve() / "real" / "a.tar.xz"
    assert request.form.suffix == ".tar.xz"
    assert request.exclude == ("*.o",)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "path is None"),
        ({"path": "/x"}, "output is None"),
        ({"path": 5.0, "output": "/a.tar.zst"}, "path is 5.0"),
        ({"path": "", "output": "/a.tar.zst"}, "path is ''"),
        ({"path": "/x\0y", "output": "/a.tar.zst"}, "path is"),
        ({"path": "/x", "output": ["/a.tar.zst"]}, "output is"),
        ({"path": "/x", "output": "/a.zip"}, r"must end with \.tar\.zst or \.tar\.xz"),
        ({"path": "/x", "output": "/.tar.zst"}, "must end with"),
        ({"path": "/x", "output": "/a.tar.zst", "exclude": "*.o"}, "exclude is"),
        ({"path": "/x", "output": "/a.tar.zst", "exclude": [1.0]}, "exclude is"),
    ],
)
def test_bad_input_is_an_error(values: dict[str, object], text: str) -> None:
    """The error names the value and the possible ones."""
    with pytest.raises(ArchiveError, match=text) as caught:
        parse(values)

    assert caught.value.code == "BAD_INPUT"


def test_a_path_in_a_circle_is_an_error(tmp_path: Path) -> None:
    """A symbolic link that leads to itself."""
    (tmp_path / "loop").symlink_to("loop")

    with pytest.raises(ArchiveError) as caught:
        parse({"path": str(tmp_path / "loop" / "x"), "output": str(tmp_path / "a.tar.zst")})

    assert caught.value.code == "BAD_INPUT"


def test_the_manifest_says_what_is_in_the_archive_and_what_is_not(tmp_path: Path) -> None:
    """Each file with its size and hash, each link, and each entry that was left out, with the reason."""
    root = grow(tmp_path / "root", {"d/a": b"abc", os.fsdecode(b"\xff"): b""})
    (root / "in").symlink_to("d")
    (root / "out").symlink_to("/etc")
    tree, digests = found(root)
    path = tmp_path / "a.tar.zst"

    content = json.loads(manifest(path, Digest(7, "ab" * 32), tree, digests))

    assert manifest_path(path) == tmp_path / "a.tar.zst.manifest.json"
    assert {
        "archive": {"path": str(path), "bytes": 7, "sha256": "ab" * 32},
        "root": str(root),
        "directories": 1,
        "files": [
            {"path": "d/a", "bytes": 3, "sha256": hash_bytes(b"abc").sha256},
            {"path": "\\xff", "bytes": 0, "sha256": hash_bytes(b"").sha256},
        ],
        "links": [{"path": "in", "target": "d"}],
        "left_out": [{"path": "out", "reason": "is a symbolic link out of the directory, to /etc"}],
    } == content
