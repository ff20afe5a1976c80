"""The files of an open store: whether each is still the one at its path.

SQLite goes on writing to a file that somebody deleted, moved or replaced, so a store that did not look would
acknowledge what nobody will ever read again (https://www.sqlite.org/howtocorrupt.html). The path of an open file says
nothing about it; its device and inode do, and no other file can have those while it is open.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from milepost.server.log.event_log import StoreDisplaced


class _Identity(NamedTuple):
    device: int
    inode: int


class StoreFiles:
    """The files that a store depends on. Any thread may check them."""

    def __init__(self) -> None:
        self._known: dict[Path, _Identity] = {}

    def watch(self, path: Path, descriptor: int | None = None) -> None:
        """Remember the file at the path, or the one that is open as ``descriptor``, as the one that has to stay there.

        Raises OSError where there is none.
        """
        found = path.stat() if descriptor is None else os.fstat(descriptor)
        self._known[path] = _Identity(found.st_dev, found.st_ino)

    def watch_database(self, path: Path) -> None:
        """Remember a database in WAL mode that a connection has open, with the two files that belong to it."""
        for suffix in ("", "-wal", "-shm"):
            self.watch(path.with_name(path.name + suffix))

    def check(self) -> None:
        """Raise StoreDisplaced, for the first of the files that is not where it was; takes a few microseconds."""
        for path, known in self._known.items():
            try:
                found = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                raise _displaced(path, "is gone: it was deleted, or its directory was moved") from None
            except OSError as error:
                raise _displaced(path, f"cannot be looked at: {error.strerror}") from error
            if _Identity(found.st_dev, found.st_ino) != known:
                raise _displaced(path, "is another one: it was replaced")

    def opening(self, connect: Callable[[], sqlite3.Connection]) -> sqlite3.Connection:
        """A further connection, which is certainly one to these files. Raises StoreDisplaced, sqlite3.Error."""
        self.check()
        connection = connect()
        try:
            self.check()
        except StoreDisplaced:
            connection.close()
            raise
        return connection


def create(path: Path) -> None:
    """Make an empty file for a database that is not there yet, which nobody but its owner can read.

    SQLite gives the files beside a database the permissions that it has. Raises OSError.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def connect(path: Path, pragmas: Sequence[str]) -> sqlite3.Connection:
    """Open a database that is there, with these pragmas. One thread at a time may use the connection."""
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


def _displaced(path: Path, what: str) -> StoreDisplaced:
    return StoreDisplaced(
        path,
        f"The store's file {str(path)!r} {what} while the server ran. The server writes no more, since what it "
        "acknowledged could be lost. Put the data directory back in its place, or start the server where it is now.",
    )
