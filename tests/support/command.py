"""Run the `milepost` command in a child process: the installed one on a terminal, else a fork that starts fast."""

from __future__ import annotations

import asyncio
import codecs
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

from tests.support.forking import ForkedCommand, shared_forkery
from tests.support.ports import free_port, give_back
from tests.support.server import MILEPOST

__all__ = [
    "WITH_JOB_CONTROL",
    "Outcome",
    "Running",
    "Terminal",
    "environment",
    "milepost",
    "shown_server",
    "started",
    "terminal",
]

_GUARD: Final = 150.0
"""Time limit in seconds; only against hangs."""
_FORKED_STDIN: Final = 65_536
"""What a fork can get on its stdin, in bytes."""
# What is read before the command begins: a fork would not see it.
_READ_AT_START: Final = ("PYTHON", "LANG", "LC_", "MILEPOST_DEBUG")
_ESCAPE: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Outcome:
    """The exit status and output of a command."""

    status: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Its output, parsed as one JSON object per line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def complaints(self) -> list[str]:
        """The lines on stderr but those of what a queued job waits for, as JSON: a fast worker leaves none."""
        return [line for line in self.err.splitlines() if not line.startswith('{"waiting":')]


class Running:
    """A running command, whose output a test can wait for."""

    def __init__(self, process: asyncio.subprocess.Process | ForkedCommand) -> None:
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

    async def says(self, text: str) -> str:
        """Wait until stdout or stderr contain the text; return it with what follows it on its line."""
        wanted = text.encode()
        async with asyncio.timeout(_GUARD), self._changed:
            await self._changed.wait_for(lambda: wanted in self._err or wanted in self._out)
        output = self._err if wanted in self._err else self._out
        return output[output.index(wanted) :].partition(b"\n")[0].decode(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    async def end(self) -> Outcome:
        """Wait until the command ends."""
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
    """The environment of the command: the server's address and ``more``, without this machine's settings."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("MILEPOST_")}
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        settings.pop(name, None)
    settings["TZ"] = "UTC"
    # Many servers run on one machine at a time; those that serve HTTP get an address.
    settings["MILEPOST_HTTP"] = "off"
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
    """Run ``milepost`` with the arguments, without a terminal; kill it at the end if it still runs."""
    words, settings = [*map(str, arguments)], environment(address, env)
    if len(stdin) > _FORKED_STDIN or any(name.startswith(_READ_AT_START) for name in env or {}):
        running = await _installed(words, stdin, cwd, settings)
    else:
        running = Running(await shared_forkery().start_command(words, stdin, settings, cwd))
    try:
        yield running
    finally:
        if running.process.returncode is None:
            running.process.kill()
            await running.end()


async def _installed(
    arguments: list[str], stdin: bytes, cwd: Path | None, settings: Mapping[str, str]
) -> Running:
    process = await asyncio.create_subprocess_exec(
        MILEPOST,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env=settings,
    )
    assert process.stdin is not None
    running = Running(process)
    with contextlib.suppress(ConnectionError):
        process.stdin.write(stdin)
        await process.stdin.drain()
    process.stdin.close()
    return running


async def milepost(*arguments: str | Path, **options: Any) -> Outcome:
    """Run ``milepost`` to its end; see `started`."""
    async with started(*arguments, **options) as running:
        return await running.end()


WITH_JOB_CONTROL: Final = (
    sys.executable,
    "-c",
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])",
)
"""A prefix that runs a program with the terminal as its controlling terminal, so that Ctrl-Z and such are signals."""


class Terminal:
    """A command on a pseudo-terminal of its own."""

    def __init__(self, process: asyncio.subprocess.Process, columns: int, ours: int) -> None:
        self.process = process
        self.columns = columns
        self.raw = ""
        # A read may end within a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._ours = ours
        self._changed = asyncio.Condition()

    @property
    def text(self) -> str:
        """All output without control sequences: the pictures one below the other."""
        return _ESCAPE.sub("", self.raw).replace("\r\n", "\n").replace("\r", "\n")

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._ours, keys)

    def settings(self) -> list[Any]:
        """The terminal attributes, such as echo and canonical mode."""
        return termios.tcgetattr(self._ours)

    async def shows(self, condition: Callable[[str], object]) -> None:
        """Wait until the condition holds of the text."""
        async with asyncio.timeout(_GUARD), self._changed:
            await self._changed.wait_for(lambda: condition(self.text))

    async def feed(self, data: bytes) -> None:
        """Add output of the command."""
        async with self._changed:
            self.raw += self._decoder.decode(data)
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
    """Run ``milepost`` on a pseudo-terminal of its own; kill it at the end if it still runs."""
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


@asynccontextmanager
async def shown_server(
    address_option: str, *options: str | Path, columns: int
) -> AsyncIterator[tuple[Terminal, str]]:
    """Run ``milepost serve`` on a terminal; ``address_option`` is given a loopback address, which is yielded, too."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    try:
        async with terminal("serve", address_option, address, *options, columns=columns) as shown:
            yield shown, address
    finally:
        give_back(port)


async def _read_terminal(ours: int, shown: Terminal) -> None:
    while True:
        try:
            data = await asyncio.to_thread(os.read, ours, 65_536)
        except OSError:  # no process has the terminal open any more
            return
        if not data:
            return
        await shown.feed(data)
