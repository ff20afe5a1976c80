"""Writing a file that is there complete or not at all, and never replaces another."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["NewFile"]


class NewFile:
    """The file ``path`` while it is written; ``finish`` gives it its name, once all of it is on the disk.

    A context manager: without ``finish`` nothing stays. Only the owner can read it. Raises OSError, FileExistsError
    also where somebody else made the file meanwhile.
    """

    def __init__(self, path: Path) -> None:
        if os.path.lexists(path):
            raise FileExistsError(path)
        self._path = path
        self._partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file = os.fdopen(os.open(self._partial, flags, 0o600), "wb")

    @property
    def free(self) -> int:
        """Free bytes of its disk."""
        return shutil.disk_usage(self._partial).free

    def write(self, data: bytes) -> None:
        """Append to it."""
        self._file.write(data)

    def finish(self) -> None:
        """Sync it, and give it its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        try:
            os.link(self._partial, self._path)
        except PermissionError:  # a file system without hard links
            if os.path.lexists(self._path):
                raise FileExistsError(self._path) from None
            self._partial.rename(self._path)
        directory = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._partial.unlink(missing_ok=True)
            os.fsync(directory)
        finally:
            os.close(directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # the disk is full: nothing more can be written
            self._file.close()
        self._partial.unlink(missing_ok=True)
