"""Opening and reading files that others may change meanwhile."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO, Final

__all__ = ["CHUNK", "OnBytes", "chunks", "open_file"]

CHUNK: Final = 256 * 1024
"""Bytes that are read at once: few enough to stop soon, and enough to be fast."""

OnBytes = Callable[[int], None]
"""Is told how many bytes more are done. May raise, to stop."""


def open_file(path: Path) -> BinaryIO:
    """Opens a file for reading that is surely a regular one: not a link, nor a pipe that has taken its place.

    Raises:
        OSError: It cannot be read, or is not such a file (any more).
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(descriptor, "rb", buffering=0)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError("is not a regular file any more")
    return file


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """What is in the file, piece by piece."""
    while chunk := file.read(CHUNK):
        yield chunk
