"""Passing on what a command writes: unchanged to where this process writes, and line by line to the job."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import threading
from collections.abc import Callable
from typing import Final

from milepost.client.execution.lines import Line, Lines

__all__ = ["Passing"]

_SIZE: Final = 65_536
# Seconds without a word after which what a command has left behind in the background is not listened to any more.
_SILENCE: Final = 0.5


class Passing:
    """One stream of a command's output, carried by a thread of its own.

    So it is the command that waits for a slow reader, as it would without us, and not the event loop, which has the
    lease to keep up.

    Attributes:
        end: Where the command is to write.
    """

    def __init__(self, to: int, take: Callable[[Line], None]) -> None:
        """For the running loop. `to` is where the bytes go, and `take` gets the lines."""
        self._from, self.end = os.pipe()
        self._over, self._tell_over = os.pipe()
        self._to = to
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        # A daemon, so that a reader who does not read cannot keep this process alive.
        threading.Thread(target=self._carry, name="output", daemon=True).start()

    def close_end(self) -> None:
        """The command, if it was started, has an end of its own."""
        if self.end >= 0:
            os.close(self.end)
            self.end = -1

    async def finish(self, timeout: float | None) -> None:
        """Waits until all is passed on, once the command has ended, but not for longer than the timeout."""
        os.close(self._tell_over)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._done.wait()

    def _carry(self) -> None:
        lines = Lines()
        try:
            while data := self._read():
                self._write(data)
                for line in lines.feed(data):
                    self._take(line)
        except OSError:
            pass  # whoever read it is gone; the command finds out as it would without us
        finally:
            os.close(self._from)
            os.close(self._over)
        for line in lines.end():
            self._take(line)
        with contextlib.suppress(RuntimeError):  # nobody waits any more
            self._loop.call_soon_threadsafe(self._done.set)

    def _read(self) -> bytes:
        """What comes next; nothing at the end, which may be kept open by what the command has left behind."""
        ready, _, _ = select.select((self._from, self._over), (), ())
        if self._from not in ready and not select.select((self._from,), (), (), _SILENCE)[0]:
            return b""
        return os.read(self._from, _SIZE)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            with contextlib.suppress(BlockingIOError):
                rest = rest[os.write(self._to, rest) :]
                continue
            select.select((), (self._to,), ())
