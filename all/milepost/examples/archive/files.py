"""Open and read files that others may change meanwhile."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO, Final

__all__ = ["CHUNK", "OnBytes", "chunks", "open_file"]

CHUNK: Final = 256 * 1024
"""Bytes per read: few enough to stop soon, and enough to be fast."""

OnBytes = Callable[[int], None]
"""Called with the number of further bytes that are done. May raise, to stop."""


def open_file(path: Path) -> BinaryIO:
    """Open a regular file for reading, and nothing that has taken its place, such as a link or a pipe.

    Raises:
        OSError: It cannot be read, or is not a regular file (any more).
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(descriptor, "rb", buffering=0)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError("is not a regular file any more")
    return file


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """Read the file chunk by chunk."""
    while chunk := file.read(CHUNK):
        yield chunk
