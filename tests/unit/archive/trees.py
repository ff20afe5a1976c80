"""Directories to archive."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from milepost.examples.archive.formats import FORMATS, Format
from milepost.examples.archive.hashing import Digest, hash_files
from milepost.examples.archive.pack import pack
from milepost.examples.archive.scan import Tree, scan

__all__ = ["EVERYTHING", "ZSTD", "as_nobody", "found", "grow", "ignore", "packed"]

ZSTD = FORMATS[0]

_NOBODY = 65534

EVERYTHING: Mapping[str, bytes | None] = {
    "empty": b"",
    "no files": None,
    "pkg": None,
    "pkg/__init__.py": b"'''A package.'''\n",
    "pkg/data": None,
    "pkg/data/large.bin": bytes(range(256)) * 4000,
    "pkg/data/ünïcode ☃.txt": "Schnee ☃\n".encode(),
    "pkg-2": b"sorts before what is in pkg, and behind pkg itself",
    f"{'long' * 30}/{'name' * 30}": b"longer than the header has room for",
    os.fsdecode(b"not-utf8-\xff\xfe"): b"bytes in a name",
}
"""The content of a directory by name; None for a directory."""


def grow(root: Path, contents: Mapping[str, bytes | None] = EVERYTHING) -> Path:
    """Create a directory."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        path = root / name
        if content is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return root


def ignore(n: int) -> None:
    """Ignore progress."""


def found(root: Path) -> tuple[Tree, dict[str, Digest]]:
    """Scan and hash a directory."""
    tree = scan(root)
    return tree, hash_files(tree, ignore)


def packed(tree: Tree, path: Path, form: Format = ZSTD) -> Path:
    """Pack the archive of a tree."""
    with path.open("wb") as output:
        pack(tree, output, form, ignore)
    return path


@contextmanager
def as_nobody() -> Iterator[None]:
    """Run as another user, since root ignores permissions."""
    user = os.geteuid()
    if user != 0:
        yield
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
