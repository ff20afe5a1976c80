"""The stderr of a handler process: passed through, with its tail kept for failures."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import threading
from typing import Final

__all__ = ["StderrTail"]

# Bytes to keep, and lines of them to show.
_SIZE_LIMIT: Final = 16 * 1024
_LINE_LIMIT: Final = 50
_STDERR_DESCRIPTOR: Final = 2


class StderrTail:
    """Reads stderr in a thread, so that a blocked terminal blocks only this handler.

    Attributes:
        done: Resolves when the pipe is closed.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Start reading."""
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self._loop.create_future()
        self._tail = b""
        threading.Thread(target=self._read, args=(process,), name="stderr of a handler", daemon=True).start()

    def tail(self) -> str:
        """The last lines."""
        lines = self._tail.decode(errors="replace").splitlines()
        return "\n".join(lines[-_LINE_LIMIT:])

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        with process.stderr as pipe:
            while data := os.read(pipe.fileno(), 64 * 1024):
                self._tail = (self._tail + data)[-_SIZE_LIMIT:]
                _pass_through(data)
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


def _pass_through(data: bytes) -> None:
    with contextlib.suppress(OSError):  # stderr may be closed
        while data:
            data = data[os.write(_STDERR_DESCRIPTOR, data) :]
