"""A disk whose power can be cut: unsynced data is lost.

It is a file system in a file, which the kernel shuts down without writing its journal (``FS_IOC_SHUTDOWN``,
https://man7.org/linux/man-pages/man2/ioctl_fs.2.html; ext4 has it as XFS does). Data in memory never reaches the file;
mounting it again recovers what a disk would have held. It needs root and a loop device.
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
_NO_LOG_FLUSH = 2

_SIZE = 256 << 20


class PoweredDisk:
    """A disk mounted at ``path``; ``with`` creates and removes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._image = path.with_name(f"{path.name}.img")

    def cut(self, *users: int) -> None:
        """Cut the power of the disk, and stop the processes with these ids; the caller kills them.

        They are stopped first: the kernel may tell a running process that a file was synced although its journal was
        shut down meanwhile, which no power cut does.
        """
        for pid in users:
            _stop(pid)
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def restore(self) -> None:
        """Restore the power. No file on the disk may be open."""
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
    """Stop a process; return when none of its threads runs."""
    os.kill(pid, signal.SIGSTOP)
    tasks = Path(f"/proc/{pid}/task")
    # The state follows the name, which is in parentheses: proc_pid_stat(5).
    while any(state.read_text().rpartition(")")[2].split()[0] not in "TD" for state in tasks.glob("*/stat")):
        time.sleep(0.001)


def _run(*arguments: str | Path) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{arguments[0]} failed, which needs root and a loop device: {done.stderr.strip()}")
