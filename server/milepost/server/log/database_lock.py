"""The lock on a database file itself: one server at a time, by whatever path it reaches the file.

The lock file of a data directory holds only as long as nobody deletes it, and not where the database is reached through
another directory, by a symbolic or a hard link. This lock belongs to the inode of the database.

It is an open file description lock (fcntl(2)) on one byte that SQLite never locks (https://www.sqlite.org/lockingv3.html
names its bytes). Unlike the POSIX locks of SQLite it survives that another descriptor of the file is closed; unlike
flock(2) it does not become a lock on the whole file on NFS. Only Linux has such locks; elsewhere the lock file is all.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from pathlib import Path
from typing import Final

import structlog

if sys.platform == "linux":
    import fcntl

_logger = structlog.get_logger("milepost.store")

# Far beyond the bytes that SQLite locks, which follow the first GiB.
_BYTE: Final = 1 << 62

# C's struct flock: type, whence, start, length, pid.
_FLOCK: Final = struct.Struct("hhqqi4x")

# What file systems and kernels without such locks answer.
_UNSUPPORTED: Final = frozenset({errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})


class DatabaseInUse(Exception):
    """Another server has the database."""


class DatabaseLock:
    """The lock on the database at ``path``; it ends with ``close``, and with the process.

    Raises DatabaseInUse, or OSError if the file cannot be opened.

    Close it only after all connections to the database: closing any descriptor of a file also ends the locks that
    SQLite has on it in this process.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            _lock(self._descriptor)
        except (BlockingIOError, PermissionError):
            os.close(self._descriptor)
            raise DatabaseInUse(
                f"The database {str(path)!r} is in use by another milepost serve: it has reached the same file by "
                "another path, or its lock file was deleted. Stop that one, or use another data directory."
            ) from None
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                os.close(self._descriptor)
                raise
            _logger.warning(
                "database cannot be locked here; only the lock file protects it", error=str(error)
            )

    def close(self) -> None:
        """Release the lock. It may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _lock(descriptor: int) -> None:
    if sys.platform == "linux":
        wanted = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, _BYTE, 1, 0)
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, wanted)
