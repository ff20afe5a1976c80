"""The real command, as it is installed, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.server import MILEPOST

__all__ = [
    "WITH_JOB_CONTROL",
    "Outcome",
    "Running",
    "Terminal",
    "environment",
    "milepost",
    "started",
    "terminal",
]

_GUARD: Final = 60.0
"""Seconds; against hangs only."""
_ESCAPE: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Its output, one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Running:
    """A command that runs; what it has written to stderr so far can be waited for."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._out = bytearray()
        self._err = bytearray()
        self._changed = asyncio.Condition()
        assert process.stdout is not None
        assert process.stderr is not None
        self._reading = [
            asyncio.create_task(self._read(process.stdout, self._out)),
            asyncio.create_task(self._read(process.stderr, self._err)),
        ]

    async def says(self, text: str) -> None:
        """Waits until stdout or stderr have the text."""
        async with asyncio.timeout(_GUARD), self._changed:
            await self._changed.wait_for(lambda: text.encode() in self._err or text.encode() in self._out)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal."""
        self.process.send_signal(number)

    async def end(self) -> Outcome:
        """Waits until it ends."""
        async with asyncio.timeout(_GUARD):
            status = await self.process.wait()
            await asyncio.gather(*self._reading)
        return Outcome(status, self._out.decode(), self._err.decode())

    async def _read(self, stream: asyncio.StreamReader, into: bytearray) -> None:
        while data := await stream.read(65_536):
            async with self._changed:
                into += data
                self._changed.notify_all()


def environment(address: str | None, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of the command: none of this machine's settings, the server's address, and more."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("MILEPOST_")}
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        settings.pop(name, None)
    settings["TZ"] = "UTC"
    if address is not None:
        settings["MILEPOST_ADDRESS"] = address
    return settings | dict(more or {})


@asynccontextmanager
async def started(
    *arguments: str | Path,
    address: str | None = None,
    stdin: bytes = b"",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Running]:
    """Runs ``milepost`` with the arguments, off a terminal; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        MILEPOST,
        *map(str, arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env=environment(address, env),
    )
    assert process.stdin is not None
    running = Running(process)
    with contextlib.suppress(ConnectionError):
        process.stdin.write(stdin)
        await process.stdin.drain()
    process.stdin.close()
    try:
        yield running
    finally:
        if process.returncode is None:
            process.kill()
            await running.end()


async def milepost(*arguments: str | Path, **options: Any) -> Outcome:
    """Runs ``milepost`` to its end; see `started`."""
    async with started(*arguments, **options) as running:
        return await running.end()


WITH_JOB_CONTROL: Final = (
    sys.executable,
    "-c",
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])",
)
"""Runs the program that follows with the terminal as its controlling one, so that keys such as Ctrl-Z are signals."""


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, process: asyncio.subprocess.Process, columns: int, ours: int) -> None:
        self.process = process
        self.columns = columns
        self.raw = ""
        self._ours = ours
        self._changed = asyncio.Condition()

    @property
    def text(self) -> str:
        """All that was written, without control sequences: one picture below the other."""
        return _ESCAPE.sub("", self.raw).replace("\r\n", "\n").replace("\r", "\n")

    def type(self, keys: bytes) -> None:
        """Presses keys."""
        os.write(self._ours, keys)

    def settings(self) -> list[Any]:
        """How the terminal is set: whether it echoes, and reads by lines."""
        return termios.tcgetattr(self._ours)

    async def shows(self, condition: Callable[[str], object]) -> None:
        """Waits until the text is as it should be."""
        async with asyncio.timeout(_GUARD), self._changed:
            await self._changed.wait_for(lambda: condition(self.text))

    async def take(self, data: bytes) -> None:
        """Something was written."""
        async with self._changed:
            self.raw += data.decode(errors="replace")
            self._changed.notify_all()


@asynccontextmanager
async def terminal(
    *arguments: str | Path,
    address: str | None = None,
    columns: int = 80,
    lines: int = 24,
    env: Mapping[str, str] | None = None,
    program: Sequence[str | Path] = (MILEPOST,),
) -> AsyncIterator[Terminal]:
    """Runs ``milepost`` with stdin, stdout and stderr on a terminal of its own; killed at the end if it still runs."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *map(str, program),
        *map(str, arguments),
        stdin=its,
        stdout=its,
        stderr=its,
        env=environment(address, {"TERM": "xterm-256color", **(env or {})}),
        start_new_session=True,
    )
    os.close(its)
    shown = Terminal(process, columns, ours)
    reading = asyncio.create_task(_read_terminal(ours, shown))
    try:
        yield shown
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading
        os.close(ours)


async def _read_terminal(ours: int, shown: Terminal) -> None:
    while True:
        try:
            data = await asyncio.to_thread(os.read, ours, 65_536)
        except OSError:  # that is how a terminal says that nobody writes any more
            return
        if not data:
            return
        await shown.take(data)
