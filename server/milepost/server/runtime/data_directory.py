"""The data directory: locked by one server at a time, readable only by its owner."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

import structlog

from milepost.contract import private_files
from milepost.server.log.store_files import StoreFiles

_logger = structlog.get_logger("milepost.store")

# Files of the server in its data directory.
_SERVER_FILES = re.compile(
    r"lock|epoch\.(json|new)|backup\.partial|(milepost|projection(-[^.]+)?)\.db(-wal|-shm|-journal)?"
)


class DirectoryInUse(Exception):
    """Another server has locked the data directory."""


class DataDirectory:
    """A locked data directory, created if missing. Raises DirectoryInUse, or OSError if it cannot be written.

    Files that an earlier version made readable for others become private. The lock ends with the process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not private_files.make_directory(path):
            _logger.warning(
                "data directory is accessible to other users, and this user cannot change that",
                path=str(path),
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
            if _SERVER_FILES.fullmatch(file.name) and not private_files.tighten(file):
                _logger.warning("file in the data directory is readable by other users", path=str(file))
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)

    def watch(self, files: StoreFiles) -> None:
        """Add the lock file to the files that the store watches: if it is replaced, another server could start."""
        files.watch(self.path / "lock", self._descriptor)

    def close(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)
