"""The data directory, which one server has at a time, and nobody but its owner can read."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

import structlog

from milepost.contract import private_files
from milepost.server.log.store_files import StoreFiles

_log = structlog.get_logger("milepost.store")

# What a server keeps in its directory.
_OURS = re.compile(r"lock|epoch\.(json|new)|(milepost|projection)\.db(-wal|-shm|-journal)?")


class DirectoryInUse(Exception):
    """Another server has the data directory."""


class DataDirectory:
    """A locked data directory; made if it is not there. Raises DirectoryInUse, or OSError where it cannot be written.

    Earlier versions let others read it, which ends here. The lock ends with the process, however it ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not private_files.make_directory(path):
            _log.warning(
                "others may list the data directory, and this user cannot change that", path=str(path)
            )
        self._descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise DirectoryInUse(
                f"The data directory {str(path)!r} is in use by another milepost serve "
                f"(process {holder or 'unknown'}). Stop that one, or give this one another directory with --data."
            ) from None
        for file in path.iterdir():
            if _OURS.fullmatch(file.name) and not private_files.tighten(file):
                _log.warning("others may read a file of the data directory", path=str(file))
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)

    def watch(self, files: StoreFiles) -> None:
        """Have a store depend on the lock, too: without the file at its path another server would get in."""
        files.watch(self.path / "lock", self._descriptor)

    def close(self) -> None:
        """Lets go of the directory."""
        os.close(self._descriptor)
