"""A copy of the log for a backup: compact, consistent, and made while others read and write.

``VACUUM INTO`` reads from one snapshot, so writes neither wait for it nor make it begin again, as they do SQLite's
backup API; and the copy has nothing of what was deleted.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from milepost.server.log.log_errors import NoRoomForCopy, StoreFull
from milepost.server.log.sqlite import statements
from milepost.server.log.store_files import create

# Bytes of the disk that a copy leaves free, so that the log can be written meanwhile.
_RESERVE: Final = 64 << 20

# Steps of SQLite's virtual machine between checks for a cancellation; a fraction of a millisecond.
_STEPS: Final = 10_000

_PREPARE: Final = ("PRAGMA query_only = OFF", "PRAGMA cache_size = -8192")
_SIZE: Final = """
    SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size
"""
# Whoever has the copy must not be able to forge lease tokens of the running store, and a store opened on it must
# not pass for that one. A store without a secret or an epoch makes one.
_REMOVE_IDENTITY: Final = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA secure_delete = ON",
    "DELETE FROM meta WHERE name IN ('epoch', 'lease_secret')",
)


class LogCopy(NamedTuple):
    """A copy of a log: the size of its file in bytes, and the position of its newest entry."""

    size: int
    position: int


async def copy_log(connect: Callable[[], sqlite3.Connection], path: Path) -> LogCopy:
    """Copy the database that ``connect`` opens to ``path``, where nothing is yet. A cancellation stops it.

    Whoever calls it removes the file, also after an error. Raises NoRoomForCopy, StoreFull, sqlite3.Error.
    """
    cancelled = threading.Event()
    copying = asyncio.ensure_future(asyncio.to_thread(_copy, connect, path, cancelled))
    try:
        return await asyncio.shield(copying)
    except asyncio.CancelledError:
        cancelled.set()
        await asyncio.gather(copying, return_exceptions=True)
        raise


def _copy(connect: Callable[[], sqlite3.Connection], path: Path, cancelled: threading.Event) -> LogCopy:
    with closing(connect()) as connection:
        for pragma in _PREPARE:
            connection.execute(pragma)
        (needed,) = connection.execute(_SIZE).fetchone()
        free = shutil.disk_usage(path.parent).free
        if free < needed + _RESERVE:
            raise NoRoomForCopy(needed, _RESERVE, free)
        create(path)
        connection.set_progress_handler(cancelled.is_set, _STEPS)
        try:
            connection.execute("VACUUM INTO ?", (str(path),))
        except sqlite3.Error as error:
            if statements.primary_code(error) == sqlite3.SQLITE_FULL:
                raise StoreFull(str(error)) from error
            raise
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        for statement in _REMOVE_IDENTITY:
            copy.execute(statement)
        (position,) = copy.execute(statements.LAST_POSITION).fetchone()
    return LogCopy(path.stat().st_size, position)
