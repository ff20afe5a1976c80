"""Processes of their own: the servers that are measured, and those that put a load on them."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import grpc
import psutil

__all__ = ["Load", "MeasurementFailed", "Server", "child", "free_port", "milepost", "nats", "serve"]

# Long enough that no job loses its worker because the machine is slow: the log of a job would be another one.
_LEASE_TTL = "1h"

# Below the ports that systems give to whoever connects. A server that is killed and started again would not get one of
# those back for sure: a client that tries to connect meanwhile may be given it.
_PORTS = range(20_000, 30_000)

# How long anything may take before the run gives up, in seconds. No round of any measurement takes a tenth of it.
_PATIENCE = 60.0

_spawn = multiprocessing.get_context("spawn")


class MeasurementFailed(Exception):
    """A measurement could not be made, or came to something else than it must; the message says what."""


class Server:
    """A running server: its ``address``, and what it has cost so far."""

    def __init__(self, address: str, pid: int) -> None:
        self.address = address
        self._pid = pid

    def cpu(self) -> float:
        """The CPU time that it has used, of all its threads, in seconds."""
        return _cpu(self._pid)

    def memory(self) -> int:
        """What it has in memory, in bytes."""
        return int(psutil.Process(self._pid).memory_info().rss)


def _cpu(pid: int) -> float:
    if sys.platform == "linux":
        # What clock_getcpuclockid(3) gives, by nanoseconds; the figures in /proc go by steps of 10 ms.
        return time.clock_gettime(~pid << 3 | 2)
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


@contextmanager
def milepost(data: Path, *options: str, address: str = "") -> Iterator[Server]:
    """``milepost serve`` on a free loopback port or at ``address``, with its store in ``data``; killed at the end."""
    command: list[str | Path] = [Path(sys.executable).with_name("milepost")]
    command += ["serve", "--address", address or f"127.0.0.1:{free_port()}", "--data", data]
    command += ["--lease-ttl", _LEASE_TTL, *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MILEPOST_")}
    log = data.with_name(f"{data.name}.log")
    with log.open("w") as stderr:  # in a group of its own, so that Ctrl-C is for the one who started it
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=stderr, env=environment, text=True, process_group=0
        )
    with process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            if not ready:
                raise MeasurementFailed(f"milepost serve did not start:\n{log.read_text()}")
            yield Server(json.loads(ready)["address"], process.pid)
        finally:
            process.kill()


@contextmanager
def nats(directory: Path) -> Iterator[Server]:
    """A ``nats-server`` with its store in ``directory``, on disk before it acknowledges; its address is a URL."""
    directory.mkdir()
    port = free_port()
    configuration = directory / "nats.conf"
    store = json.dumps(str(directory.resolve()))
    configuration.write_text(
        f"listen: 127.0.0.1:{port}\nmax_payload: 8MB\n"
        f"jetstream {{ store_dir: {store}, sync_interval: always }}\n"
    )
    command: list[str | Path] = [Path(sys.executable).with_name("nats-server"), "-c", configuration]
    with serve(command, port, directory / "log") as pid:
        yield Server(f"nats://127.0.0.1:{port}", pid)


@contextmanager
def serve(command: Sequence[str | Path], port: int, log: Path) -> Iterator[int]:
    """Any other server, once it listens on the port of loopback; gives its process id, and kills it at the end."""
    with (
        log.open("w") as output,
        subprocess.Popen(command, stdout=output, stderr=output, process_group=0) as process,
    ):
        try:
            until = time.monotonic() + _PATIENCE
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > until:
                    raise MeasurementFailed(f"{Path(command[0]).name} did not start:\n{log.read_text()}")
                time.sleep(0.05)
            yield process.pid
        finally:
            process.kill()


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as trying:
            trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trying.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise MeasurementFailed(f"no free port was found from {_PORTS.start} to {_PORTS.stop - 1}")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


@contextmanager
def child(function: Callable[..., None], *arguments: object) -> Iterator[tuple[int, Connection]]:
    """Runs ``function(pipe, *arguments)`` in a process; gives its id and the other end of the pipe.

    The function returns when its pipe is closed.
    """
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=_enter, args=(function, theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        assert process.pid is not None
        yield process.pid, ours
    finally:
        ours.close()
        process.join(5)
        process.kill()
        process.join()


def _enter(function: Callable[..., None], *arguments: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who started this process ends it
    function(*arguments)


class Load:
    """A process that runs asynchronous generators, one after the other, step by step as it is told to.

    A step is what a generator does up to its next ``yield``, whose value comes back.
    """

    def __init__(self, pid: int, pipe: Connection) -> None:
        self._pid = pid
        self._pipe = pipe

    @classmethod
    @contextmanager
    def start(cls) -> Iterator[Load]:
        """Starts the process."""
        with child(_run) as (pid, pipe):
            yield cls(pid, pipe)

    def begin(self, generator: Callable[..., AsyncGenerator[Any]], *arguments: object) -> None:
        """Makes the generator; its first step is still to be taken."""
        self._pipe.send((generator, arguments))

    def go(self) -> None:
        """Has the next step taken, without waiting for its end."""
        self._pipe.send(None)

    def result(self, patience: float = _PATIENCE) -> Any:
        """What came of the step that was begun. Raises MeasurementFailed."""
        try:
            if not self._pipe.poll(patience):
                raise MeasurementFailed(f"a step took over {patience:g} s")
            result = self._pipe.recv()
        except (EOFError, ConnectionError):
            raise MeasurementFailed("a process that makes load ended; it says why above") from None
        if isinstance(result, MeasurementFailed):
            raise result
        return result

    def ready(self) -> bool:
        """Whether the step that was begun has ended, so that ``result`` returns at once."""
        return self._pipe.poll(0)

    def step(self, patience: float = _PATIENCE) -> Any:
        """Has the next step taken, and waits for its end, ``patience`` seconds at the most."""
        self.go()
        return self.result(patience)

    def cpu(self) -> float:
        """See ``Server.cpu``."""
        return _cpu(self._pid)


def _run(pipe: Connection) -> None:
    asyncio.run(_take_steps(pipe))


async def _take_steps(pipe: Connection) -> None:
    steps: AsyncGenerator[Any] | None = None
    while True:
        try:
            told = await asyncio.to_thread(pipe.recv)
        except (EOFError, ConnectionError):
            if steps is not None:
                await steps.aclose()
            return
        if told is not None:
            function, arguments = told
            if steps is not None:
                await steps.aclose()
            steps = function(*arguments)
        elif steps is not None:
            try:
                result = await anext(steps)
            except MeasurementFailed as error:
                result = error
            except (grpc.RpcError, OSError) as error:
                result = MeasurementFailed(f"{type(error).__name__}: {error}")
            pipe.send(result)
