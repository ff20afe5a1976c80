"""Keeping the write-ahead log (WAL) short.

SQLite writes the WAL from its beginning again once a checkpoint has moved all of it into the database and nobody reads
it any more. While somebody does, for example another process in a long transaction, it grows; and afterwards its file
keeps that size, since it is reused rather than truncated (https://www.sqlite.org/wal.html).
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Final

import structlog

from milepost.server.log.sqlite import statements

_log = structlog.get_logger("milepost.store")

# Interval in seconds at which the size of the file is checked.
_INTERVAL: Final = 5.0

# Longest time in milliseconds that truncating it waits for readers; writes wait meanwhile.
_TRUNCATE_WAIT: Final = 100

# Size in bytes from which the log reports that a reader keeps the WAL from being truncated, then at each doubling.
_REPORTED_SIZE: Final = 512 << 20


class WalUpkeep:
    """Truncates the WAL of the database at ``path`` when it is larger than ``statements.WAL_SIZE_LIMIT``.

    It uses the writing connection, between transactions.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        database = path.resolve()
        self._connection = connection
        self._wal = database.with_name(f"{database.name}-wal")
        self._next = time.monotonic() + _INTERVAL
        self._reported = _REPORTED_SIZE

    def run(self) -> None:
        """Check the size if it is time to. Raises sqlite3.Error after an error of the disk."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _INTERVAL
        size = self._size()
        if size <= statements.WAL_SIZE_LIMIT:
            self._reported = _REPORTED_SIZE
        elif not self._truncate() and size >= self._reported:
            self._reported = 2 * size
            _log.warning(
                "another process has been reading the database for long, so its write-ahead log grows",
                bytes=size,
            )

    def _truncate(self) -> bool:
        """Whether all of the WAL could be moved into the database, and the file be truncated."""
        connection = self._connection
        (wait,) = connection.execute(statements.BUSY_TIMEOUT).fetchone()
        connection.execute(statements.set_busy_timeout(_TRUNCATE_WAIT))
        try:
            (busy, _, _) = connection.execute(statements.CHECKPOINT_WAL).fetchone()
        except sqlite3.Error as error:
            if statements.primary_code(error) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL):
                raise
            return False
        finally:
            connection.execute(statements.set_busy_timeout(wait))
        return not busy

    def _size(self) -> int:
        try:
            return self._wal.stat().st_size
        except OSError:  # the writer's check of its files reports that
            return 0
