"""The processes of the example, each ended by its own process id."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

__all__ = ["engine_process", "server_process"]

_READY_TIMEOUT: Final = 30.0
_STOP_TIMEOUT: Final = 15.0


@asynccontextmanager
async def server_process(directory: Path) -> AsyncIterator[dict[str, str]]:
    """Run a server with pages on free ports; yield its ready line.

    Raises:
        RuntimeError: It does not start.
    """
    arguments = (
        "serve",
        "--address",
        "127.0.0.1:0",
        "--http",
        "127.0.0.1:0",
        "--data",
        str(directory / "data"),
    )
    async with _process("milepost.client", *arguments, log=directory / "server.log") as process:
        assert process.stdout is not None
        async with asyncio.timeout(_READY_TIMEOUT):
            ready = await process.stdout.readline()
        if not ready:
            raise RuntimeError(f"The server did not start; {directory / 'server.log'} says why.")
        yield json.loads(ready)


@asynccontextmanager
async def engine_process(
    engine: str, directory: Path, environment: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the pipeline's jobs under an engine."""
    async with _process(
        "examples.multitrack.work",
        log=directory / f"{engine}.log",
        environment={**environment, "MILEPOST_ENGINE": engine},
    ) as process:
        yield process


@asynccontextmanager
async def _process(
    module: str, *arguments: str, log: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if environment is None else file,
            stderr=file,
            env={**_others(), **(environment or {})},
            start_new_session=True,  # Ctrl-C reaches the command, which then ends this process
        )
    try:
        yield process
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_TIMEOUT):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)  # with the processes that it has started
        await process.wait()


def _others() -> dict[str, str]:
    """The environment without settings for other servers."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MILEPOST_")}
