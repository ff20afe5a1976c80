"""Identity checks of an open store's files: whether each is still the file at its path.

SQLite goes on writing to a file that somebody deleted, moved or replaced, so an unchecked store would acknowledge what
nobody can ever read (https://www.sqlite.org/howtocorrupt.html). An open file is identified by device and inode, which
no other file can have meanwhile, rather than by its path.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from milepost.server.log.log_errors import StoreDisplaced


class _File(NamedTuple):
    """A file's identity, and what looks up the file that is at its path now.

    ``look_up`` has the path as text: each commit looks up all files, and ``Path.stat`` takes half as long again.
    """

    look_up: Callable[[], os.stat_result]
    device: int
    inode: int


class StoreFiles:
    """The files that a store depends on. Any thread may check them."""

    def __init__(self) -> None:
        self._known: dict[Path, _File] = {}
        self._database: Path | None = None
        self._wal: Path | None = None
        self._known_wal: Sequence[tuple[Path, _File]] = ()
        self.wal_size = 0
        """Size in bytes of the database's write-ahead log at the last check."""

    def watch(self, path: Path, descriptor: int | None = None) -> None:
        """Require that the file at the path, or the one open as ``descriptor``, stays at the path.

        Raises OSError if there is none.
        """
        found = path.stat() if descriptor is None else os.fstat(descriptor)
        self._known[path] = _File(partial(os.stat, os.fspath(path)), found.st_dev, found.st_ino)

    def watch_database(self, path: Path) -> None:
        """Watch a database in WAL mode that a connection has open, with its two auxiliary files.

        SQLite follows symbolic links, so the auxiliary files are beside the database itself.
        """
        database = path.resolve()
        wal, shm = (database.with_name(database.name + suffix) for suffix in ("-wal", "-shm"))
        for each in (path, wal, shm):
            self.watch(each)
        self._database, self._wal = path, wal
        self._known_wal = ((wal, self._known[wal]),)

    def check(self) -> None:
        """Raise StoreDisplaced if a file is no longer in its place. It takes about 20 µs, most of it the kernel's."""
        self._check(self._known.items())

    def check_wal(self) -> None:
        """As ``check``, of the database's write-ahead log only."""
        try:
            self._check(self._known_wal)
        except StoreDisplaced:
            self.check()  # reports the database itself, if that is gone as well
            raise

    def _check(self, files: Iterable[tuple[Path, _File]]) -> None:
        # One loop and no function for each file, since each commit looks at five.
        for path, (look_up, device, inode) in files:
            try:
                found = look_up()
            except (FileNotFoundError, NotADirectoryError):
                raise _displaced(path, "is gone: it was deleted, or its directory was moved") from None
            except OSError as error:
                raise _displaced(path, f"cannot be examined: {error.strerror}") from error
            if found.st_ino != inode or found.st_dev != device:
                raise _displaced(path, "is another file: it was replaced")
            if path is self._wal:
                self.wal_size = found.st_size
            elif path is self._database and not found.st_size:
                raise _displaced(path, "was truncated")

    def opening(self, connect: Callable[[], sqlite3.Connection]) -> sqlite3.Connection:
        """Open another connection, and verify that it is one to these files. Raises StoreDisplaced, sqlite3.Error."""
        self.check()
        try:
            connection = connect()
        except sqlite3.Error:
            self.check()  # a file that has gone since is the reason
            raise
        try:
            self.check()
        except StoreDisplaced:
            connection.close()
            raise
        return connection


def create(path: Path) -> None:
    """Create an empty database file, unless it exists, that only its owner can read. Raises OSError.

    SQLite gives the auxiliary files of a database the permissions of the database.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def connect(path: Path, pragmas: Sequence[str]) -> sqlite3.Connection:
    """Open an existing database with these pragmas. The connection may be used by one thread at a time."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=30,
    )
    for pragma in pragmas:
        connection.execute(pragma)
    return connection


def wal_truncated(database: Path) -> StoreDisplaced:
    """The error for a write-ahead log that lacks commits that the database lacks, too."""
    path = database.resolve()
    return _displaced(path.with_name(f"{path.name}-wal"), "was truncated")


def _displaced(path: Path, what: str) -> StoreDisplaced:
    return StoreDisplaced(
        path,
        f"The store's file {str(path)!r} {what} while the server ran. The server stops, since writes to it could be "
        "lost. Put the data directory back in its place, or start the server where it is now.",
    )
