"""Versions of files, to detect that one has changed since it was read."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

FileVersion: TypeAlias = tuple[int, int, int] | None


def file_version(path: Path) -> FileVersion:
    """A value that changes with the file, links followed; None where it is missing."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
