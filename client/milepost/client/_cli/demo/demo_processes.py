"""The server and the worker of the demo as subprocesses."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from milepost.client._cli.commands.outcome import CommandFailed

__all__ = ["DemoFailed", "DemoProcess", "server", "worker"]

_READY_TIMEOUT = 30.0
_STOP_TIMEOUT = 10.0
_LOG_LINES = 5


class DemoFailed(CommandFailed):
    """A process of the demo failed."""


class DemoProcess:
    """A subprocess and the path of its log."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    async def ended(self) -> DemoFailed:
        """Wait until it ends, and return the error, since it should not end by itself."""
        status = await self.process.wait()
        return DemoFailed(f"The {self.name} ended with the status {status}. {self._log_tail()}")

    def not_ready(self, seconds: float) -> DemoFailed:
        """The error for a process that was not ready within ``seconds``."""
        return DemoFailed(f"The {self.name} was not ready within {seconds:g} s. {self._log_tail()}")

    def _log_tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        return f"The end of its log, {self.log}: {' | '.join(lines) or 'nothing'}"


@asynccontextmanager
async def server(data: Path, log: Path, *, web: bool) -> AsyncIterator[tuple[DemoProcess, str, str]]:
    """Run a server on a free loopback port with the data directory ``data``.

    Yield the process, its address, and the URL of its pages; that is empty without ``web``.
    """
    http = "127.0.0.1:0" if web else "off"
    arguments = ("serve", "--address", "127.0.0.1:0", "--http", http, "--data", str(data))
    async with _started("server", arguments, log) as running:
        assert running.process.stdout is not None
        try:
            async with asyncio.timeout(_READY_TIMEOUT):
                ready = await running.process.stdout.readline()
                if not ready:
                    raise await running.ended()
        except TimeoutError:
            raise running.not_ready(_READY_TIMEOUT) from None
        values = json.loads(ready)
        yield running, str(values["address"]), str(values.get("http", ""))


@asynccontextmanager
async def worker(target: str, address: str, log: Path) -> AsyncIterator[DemoProcess]:
    """Run the worker ``target`` (``MODULE:NAME``) for the server at ``address``."""
    async with _started("worker", ("worker", target, "--address", address), log) as running:
        yield running


@asynccontextmanager
async def _started(name: str, arguments: Sequence[str], log: Path) -> AsyncIterator[DemoProcess]:
    with _private(log) as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "milepost.client", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if name == "server" else file,
            stderr=file,
            env=_environment(),
            # Ctrl-C must reach only the demo, which then stops this process.
            start_new_session=True,
        )
    try:
        yield DemoProcess(name, process, log)
    finally:
        await _end(process)


def _private(log: Path) -> IO[bytes]:
    """Create a file that only this user can read."""
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_TIMEOUT):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _environment() -> dict[str, str]:
    """The environment without settings for other servers."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MILEPOST_")}
