"""SHA-256 digests of files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from milepost.examples.archive.files import OnBytes, chunks, open_file
from milepost.examples.archive.scan import Tree

__all__ = ["Digest", "hash_bytes", "hash_content", "hash_file", "hash_files"]


@dataclass(frozen=True, slots=True)
class Digest:
    """Size and digest of a file's content.

    Attributes:
        size: In bytes.
        sha256: In hexadecimal.
    """

    size: int
    sha256: str


def hash_files(tree: Tree, on_bytes: OnBytes) -> dict[str, Digest]:
    """The digests of all files by name. Drops files from the tree that cannot be read, with a note."""
    digests: dict[str, Digest] = {}
    for entry in tree.files:
        try:
            digests[entry.name] = hash_file(tree.root / entry.name, on_bytes)
        except OSError as error:
            tree.drop(entry, error)
    return digests


def hash_file(path: Path, on_bytes: OnBytes = lambda n: None) -> Digest:
    """The digest of one file."""
    with open_file(path) as file:
        return hash_content(file, on_bytes)


def hash_content(file: IO[bytes], on_bytes: OnBytes = lambda n: None) -> Digest:
    """The digest of the rest of an open file."""
    digest = hashlib.sha256()
    size = 0
    for chunk in chunks(file):
        digest.update(chunk)
        size += len(chunk)
        on_bytes(len(chunk))
    return Digest(size, digest.hexdigest())


def hash_bytes(content: bytes) -> Digest:
    """The digest of bytes."""
    return Digest(len(content), hashlib.sha256(content).hexdigest())
