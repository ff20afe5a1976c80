"""Files that are whole or absent: each is written under another name, and renamed at the end."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

__all__ = ["half_written", "is_half_written", "read_json", "replacing", "sha256_of", "write_json"]

_PARTIAL_SUFFIX: Final = ".part"


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to; the file is durable under `path` once the block has ended, and gone if that raised.

    Its directory has to exist: whoever writes for a job whose directory was removed must not make it again.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}{_PARTIAL_SUFFIX}")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def is_half_written(path: Path) -> bool:
    """Whether a file is being written, or was by a process that was killed."""
    return path.suffix == _PARTIAL_SUFFIX


def half_written(directory: Path) -> list[Path]:
    """The half written files in a directory, at any depth."""
    return sorted(path for path in directory.rglob(f"*{_PARTIAL_SUFFIX}") if path.is_file())


def write_json(path: Path, value: Any) -> None:
    """Write JSON, the same bytes for the same value."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON; None if there is no such file."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
