"""Room in the write-ahead log (WAL), so that a commit overwrites and does not append.

A sync of what was appended to a file waits for the file system's own journal, which has the file's new length in it
and what every other process has changed: with a busy disk, the slowest of a hundred commits took three times as long.
SQLite writes the WAL from its beginning again after each complete checkpoint, so only a young one grows.

SQLite reads a WAL up to the first frame that is not valid, so zeros after its end mean nothing to it. Whoever writes
them holds the write lock: nobody else appends meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import Final

import structlog

from milepost.server.log.sqlite import statements

_logger = structlog.get_logger("milepost.store")

RESERVE_SIZE: Final = statements.WAL_PAGES * (4096 + 24)
"""Bytes that the WAL has until a commit moves it into the database."""

_STEP: Final = 1 << 20
"""Bytes of one ``extend``: some milliseconds, for which a commit may have to wait."""


class WalReserve:
    """The room in the WAL of the database at ``path``."""

    def __init__(self, path: Path) -> None:
        database = path.resolve()
        self._wal = database.with_name(f"{database.name}-wal")
        self._is_refused = False

    @property
    def is_wanted(self) -> bool:
        """Whether the WAL is shorter than it will become."""
        if self._is_refused:
            return False
        try:
            return 0 < self._wal.stat().st_size < RESERVE_SIZE
        except OSError:  # the writer's check of its files reports that
            return False

    def extend(self) -> None:
        """Make the WAL longer, by ``_STEP`` at most; the caller holds the write lock. An error, as of a full disk, ends
        it for good.
        """
        try:
            # SQLite has no POSIX lock on this file that closing it would release.
            descriptor = os.open(self._wal, os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            self._refuse(error)
            return
        try:
            self._extend(descriptor)
        finally:
            os.close(descriptor)

    def _extend(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        # Whoever had the write lock meanwhile may have made it longer, or truncated it.
        if not 0 < size < RESERVE_SIZE:
            return
        try:
            step = bytes(min(_STEP, RESERVE_SIZE - size))
            if os.pwrite(descriptor, step, size) < len(step):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        except OSError as error:
            self._refuse(error)
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)

    def _refuse(self, error: OSError) -> None:
        self._is_refused = True
        _logger.info("no room reserved in the write-ahead log", error=str(error))
