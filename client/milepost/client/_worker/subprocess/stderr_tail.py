"""What the process of a handler writes to stderr: passed through, and the end of it kept."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import threading
from typing import Final

__all__ = ["Stderr"]

# What is kept, in bytes, and the lines that are shown of it.
_SIZE: Final = 16 * 1024
_LINES: Final = 50
_STDERR: Final = 2


class Stderr:
    """Reads in a thread, so that a terminal that takes nothing stops nobody but this process.

    Attributes:
        done: Done when nobody can write to it any more.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Begins to read."""
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self._loop.create_future()
        self._kept = b""
        threading.Thread(target=self._read, args=(process,), name="stderr of a handler", daemon=True).start()

    def tail(self) -> str:
        """The last lines."""
        lines = self._kept.decode(errors="replace").splitlines()
        return "\n".join(lines[-_LINES:])

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        with process.stderr as pipe:
            while data := os.read(pipe.fileno(), 64 * 1024):
                self._kept = (self._kept + data)[-_SIZE:]
                _pass_on(data)
        with contextlib.suppress(RuntimeError):  # the loop may be gone by now
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


def _pass_on(data: bytes) -> None:
    with contextlib.suppress(OSError):  # there may be no stderr
        while data:
            data = data[os.write(_STDERR, data) :]
