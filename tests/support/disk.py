"""A disk with little room, which can be given more."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.support.server import ServerProcess

__all__ = ["Disk", "FileLimit", "Tmpfs", "small_disk"]

_SMALL = 2 << 20
_LARGE = 64 << 20


class Disk(Protocol):
    """Where a server keeps its data; ``path`` is a directory on it."""

    path: Path

    def narrow(self, server: ServerProcess) -> None:
        """A server that has started finds little room from now on."""

    def give_room(self, server: ServerProcess | None) -> None:
        """From now on there is plenty, also for that server if it still runs."""


class Tmpfs:
    """A file system of 2 MB in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _mount("mount", "-t", "tmpfs", "-o", f"size={_SMALL}", "milepost-test", path)

    def narrow(self, server: ServerProcess) -> None:
        """It is narrow already."""

    def give_room(self, server: ServerProcess | None) -> None:
        """See ``Disk``."""
        _mount("mount", "-o", f"remount,size={_LARGE}", self.path)

    def close(self) -> None:
        """Takes it away."""
        _mount("umount", "--lazy", self.path)


class FileLimit:
    """A directory whose files the server may not let grow over 2 MB; what is more is an error of the write."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def narrow(self, server: ServerProcess) -> None:
        """See ``Disk``."""
        _, most = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (_SMALL, most))

    def give_room(self, server: ServerProcess | None) -> None:
        """See ``Disk``."""
        if server is not None:
            _, most = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (most, most))


@contextmanager
def small_disk(path: Path) -> Iterator[Disk]:
    """A tmpfs where this process may mount one, else a directory with a limit for its files."""
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
