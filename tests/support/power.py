"""A disk whose power can be cut: what was not synced to it by then is gone.

A file system of its own, in a file, shut down by the kernel without its journal being written out
(``FS_IOC_SHUTDOWN``, https://man7.org/linux/man-pages/man2/ioctl_fs.2.html; ext4 has it as XFS does). Nothing that was
only in memory reaches the file any more; mounting it again recovers what a disk would have held. It takes root and a
loop device.
"""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import time
from pathlib import Path
from types import TracebackType

__all__ = ["PoweredDisk"]

_SHUTDOWN = 0x8004587D
_WITHOUT_THE_JOURNAL = 2

_SIZE = 256 << 20


class PoweredDisk:
    """Mounted at ``path``; ``with`` makes it and takes it away."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._image = path.with_name(f"{path.name}.img")

    def cut(self, *users: int) -> None:
        """The power goes off, for the processes with these ids as for the disk: they are stopped, and to be killed.

        Stopped first, since a process that outlives its disk is no power cut: the kernel may tell it that a file was
        synced whose journal was shut down meanwhile.
        """
        for pid in users:
            _stop(pid)
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _WITHOUT_THE_JOURNAL))
        finally:
            os.close(descriptor)

    def restore(self) -> None:
        """The power is back. Nobody may have anything open on it."""
        _run("umount", self.path)
        self._mount()

    def __enter__(self) -> PoweredDisk:
        self.path.mkdir(parents=True)
        with self._image.open("wb") as image:
            image.truncate(_SIZE)
        _run("mkfs.ext4", "-q", self._image)
        self._mount()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _run("umount", "--lazy", self.path)
        self._image.unlink()

    def _mount(self) -> None:
        _run("mount", "-o", "loop", self._image, self.path)


def _stop(pid: int) -> None:
    """Returns when no thread of it can do anything more in its own code."""
    os.kill(pid, signal.SIGSTOP)
    tasks = Path(f"/proc/{pid}/task")
    # The state follows the name, which is in parentheses: proc_pid_stat(5).
    while any(state.read_text().rpartition(")")[2].split()[0] not in "TD" for state in tasks.glob("*/stat")):
        time.sleep(0.001)


def _run(*arguments: str | Path) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{arguments[0]} failed, which takes root and a loop device: {done.stderr.strip()}")
