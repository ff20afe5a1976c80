"""Projections that were set aside: copies of streams that are gone, from which those can be restored.

A projection that belongs to another epoch than the stream may hold what the stream has lost. So it is renamed rather
than deleted; ``milepost migrate`` copies it into a stream.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from milepost.server.log.log_errors import StoreFailed

LIMIT: Final = 5
"""Maximum number of projections set aside in one directory; each may be as large as the log."""


def new_path(projection: Path, epoch: str) -> Path:
    """Return the path for a projection of this epoch. Raises StoreFailed if ``LIMIT`` are set aside already."""
    there = sorted(projection.parent.glob(f"{projection.stem}-*{projection.suffix}"))
    if len(there) >= LIMIT:
        raise StoreFailed(
            f"The stream has another epoch than this node's projection, and {str(projection.parent)!r} already has "
            f"{len(there)} projections set aside. Move those elsewhere, or delete them, and start again."
        )
    time_of_day = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return projection.with_name(f"{projection.stem}-{time_of_day}-{epoch[:8]}{projection.suffix}")


def rename(projection: Path, path: Path) -> None:
    """Rename a closed database with what SQLite may have left beside it, durably."""
    for suffix in ("-wal", "-shm", ""):
        beside = projection.with_name(projection.name + suffix)
        if beside.exists():
            beside.rename(path.with_name(path.name + suffix))
    directory = os.open(projection.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def delete(projection: Path) -> None:
    """Delete a closed database."""
    for suffix in ("", "-wal", "-shm"):
        projection.with_name(projection.name + suffix).unlink(missing_ok=True)
