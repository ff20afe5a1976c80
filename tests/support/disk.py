"""A small disk, which a test can enlarge."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

__all__ = ["Disk", "FileLimit", "Tmpfs", "small_disk"]

_SMALL = 2 << 20
_LARGE = 64 << 20


class RunningServer(Protocol):
    """A server of any kind."""

    @property
    def pid(self) -> int:
        """Its process id."""


class Disk(Protocol):
    """The disk of a server's data; ``path`` is a directory on it."""

    path: Path

    def narrow(self, server: RunningServer) -> None:
        """Limit the space of a running server."""

    def give_room(self, server: RunningServer | None) -> None:
        """Enlarge the disk, also for the server if it still runs."""


class Tmpfs:
    """A file system of 2 MB in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _mount("mount", "-t", "tmpfs", "-o", f"size={_SMALL}", "milepost-test", path)

    def narrow(self, server: RunningServer) -> None:
        """Nothing to do: the file system is small from the start."""

    def give_room(self, server: RunningServer | None) -> None:
        """See ``Disk``."""
        _mount("mount", "-o", f"remount,size={_LARGE}", self.path)

    def close(self) -> None:
        """Unmount it."""
        _mount("umount", "--lazy", self.path)


class FileLimit:
    """A directory with a limit of 2 MB per file for the server; writes beyond it fail."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def narrow(self, server: RunningServer) -> None:
        """See ``Disk``."""
        _, hard_limit = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (_SMALL, hard_limit))

    def give_room(self, server: RunningServer | None) -> None:
        """See ``Disk``."""
        if server is not None:
            _, hard_limit = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard_limit, hard_limit))


@contextmanager
def small_disk(path: Path) -> Iterator[Disk]:
    """A tmpfs if this process may mount one, else a directory with a limit per file."""
    path.mkdir()
    try:
        disk = Tmpfs(path)
    except (OSError, subprocess.CalledProcessError):
        yield FileLimit(path)
        return
    try:
        yield disk
    finally:
        disk.close()


def _mount(*arguments: str | Path) -> None:
    subprocess.run(arguments, check=True, capture_output=True)
