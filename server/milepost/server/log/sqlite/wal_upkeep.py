"""Keeping the write-ahead log (WAL) short.

SQLite writes the WAL from its beginning again once a checkpoint has moved all of it into the database and nobody reads
it any more. While somebody does, for example another process in a long transaction, it grows; and afterwards its file
keeps that size, since it is reused rather than truncated (https://www.sqlite.org/wal.html).

To move a GB takes seconds. So while the WAL is long, a thread of its own moves it, which lets others write, instead of
the commit that happens to come next; the writer only truncates the file at the end.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from milepost.server.log.log_errors import StoreDisplaced
from milepost.server.log.sqlite import statements

_logger = structlog.get_logger("milepost.store")

# Intervals in seconds of the checks of its size: while it is short, and while it is long.
_INTERVAL: Final = 5.0
_LONG_INTERVAL: Final = 1.0

# Longest time in milliseconds that truncating it waits for readers; writes wait meanwhile.
_TRUNCATE_WAIT: Final = 100

# Size in bytes from which the log reports that a reader keeps the WAL from being truncated, then at each doubling.
_REPORTED_SIZE: Final = 512 << 20


class WalUpkeep:
    """Truncates the WAL of the database at ``path`` when it is longer than ``statements.WAL_SIZE_LIMIT``.

    The owner of the writing ``connection`` calls it between transactions. ``connect`` opens another connection.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path, connect: Callable[[], sqlite3.Connection]
    ) -> None:
        database = path.resolve()
        self._connection = connection
        self._wal = database.with_name(f"{database.name}-wal")
        self._connect = connect
        self._next = time.monotonic() + _INTERVAL
        self._reported = _REPORTED_SIZE
        self._long = False
        self._checkpoint: _Checkpoint | None = None

    def run(self) -> None:
        """Check the size if it is time to. Raises sqlite3.Error after an error of the disk."""
        now = time.monotonic()
        if now < self._next:
            return
        size = self._size()
        long = size > statements.WAL_SIZE_LIMIT and not self._try_shorten(size)
        if long != self._long:
            self._long = long
            self._connection.execute(statements.set_autocheckpoint(0 if long else statements.WAL_PAGES))
        self._next = now + (_LONG_INTERVAL if long else _INTERVAL)

    def close(self) -> None:
        """End the checkpoint under way."""
        if self._checkpoint is not None:
            self._checkpoint.close()

    def _try_shorten(self, size: int) -> bool:
        """Whether the WAL is truncated; if not, a checkpoint is under way that is a step towards it."""
        checkpoint = self._checkpoint
        if checkpoint is not None and not checkpoint.done:
            return False
        self._checkpoint = None
        if checkpoint is not None and checkpoint.is_complete() and self._truncate():
            self._reported = _REPORTED_SIZE
            return True
        if checkpoint is not None and size >= self._reported:
            self._reported = 2 * size
            _logger.warning(
                "another process, or a backup, has been reading the database for long, so its write-ahead log grows",
                bytes=size,
            )
        self._checkpoint = _Checkpoint(self._connect)
        return False

    def _truncate(self) -> bool:
        """Whether the rest of the WAL could be moved into the database, and the file be truncated."""
        connection = self._connection
        (wait,) = connection.execute(statements.BUSY_TIMEOUT).fetchone()
        connection.execute(statements.set_busy_timeout(_TRUNCATE_WAIT))
        try:
            (busy, _, _) = connection.execute(statements.CHECKPOINT_WAL).fetchone()
        except MemoryError:  # SQLITE_NOMEM
            return False
        except sqlite3.Error as error:
            _raise_unless_transient(error)
            return False
        finally:
            connection.execute(statements.set_busy_timeout(wait))
        return not busy

    def _size(self) -> int:
        try:
            return self._wal.stat().st_size
        except OSError:  # the writer's check of its files reports that
            return 0


class _Checkpoint:
    """A checkpoint in a thread of its own, as far as readers allow; writers go on meanwhile."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._complete = False
        self._error: sqlite3.Error | None = None
        self._thread = threading.Thread(target=self._run, name="milepost-checkpoint", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return not self._thread.is_alive()

    def is_complete(self) -> bool:
        """Whether it has moved all of the WAL that there was. Raises sqlite3.Error after an error of the disk."""
        if self._error is not None:
            _raise_unless_transient(self._error)
        return self._complete

    def close(self) -> None:
        """Interrupt it, and wait for its end."""
        while self._thread.is_alive():
            if self._connection is not None:
                with contextlib.suppress(sqlite3.ProgrammingError):  # the connection has just been closed
                    self._connection.interrupt()
            self._thread.join(0.01)

    def _run(self) -> None:
        try:
            with contextlib.closing(self._connect()) as connection:
                self._connection = connection
                (_, pages, moved) = connection.execute(statements.CHECKPOINT_WAL_PASSIVELY).fetchone()
                self._complete = pages == moved
        except StoreDisplaced:  # the writer's check of its files reports that
            pass
        except MemoryError:  # SQLITE_NOMEM: the next checkpoint may have some
            pass
        except sqlite3.Error as error:
            self._error = error.with_traceback(None)  # that has this frame, and so the checkpoint


def _raise_unless_transient(error: sqlite3.Error) -> None:
    if statements.primary_code(error) not in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
    ):
        raise error
