"""The data directory, which one server has at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from milepost.server.log.store_files import StoreFiles


class DirectoryInUse(Exception):
    """Another server has the data directory."""


class DataDirectory:
    """A locked data directory; made if it is not there. Raises DirectoryInUse, or OSError where it cannot be written.

    The lock ends with the process, however it ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
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
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)

    def watch(self, files: StoreFiles) -> None:
        """Have a store depend on the lock, too: without the file at its path another server would get in."""
        files.watch(self.path / "lock", self._descriptor)

    def close(self) -> None:
        """Lets go of the directory."""
        os.close(self._descriptor)
