"""Child processes: the measured servers, and the processes that put load on them."""

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
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import grpc
import psutil

from bench.checkouts import HERE, Checkout
from tests.support.reaping import forget, reap_later

__all__ = [
    "Load",
    "MeasurementFailed",
    "Server",
    "child",
    "free_port",
    "milepost",
    "nats",
    "running",
    "serve",
]

# Long enough that no job loses its worker on a slow machine, which would change the job's log.
_LEASE_TTL = "1h"

# Below the ephemeral ports, which a client may get for its own end while a killed server is down; that server could not
# bind it again.
_PORTS = range(20_000, 30_000)

# Default time limit of a step in seconds, against hangs: on a quiet machine no round of any measurement takes 6 s.
_STEP_TIMEOUT = 120.0

_spawn = multiprocessing.get_context("spawn")


class MeasurementFailed(Exception):
    """A measurement could not be made, or its result is wrong; the message says why."""


class Server:
    """A running server: its ``address``, the ``url`` of its HTTP, and its CPU time and memory so far."""

    def __init__(self, address: str, pid: int, url: str = "") -> None:
        self.address = address
        self.url = url
        self.pid = pid

    def cpu(self) -> float:
        """CPU time of all its threads, in seconds."""
        return _cpu(self.pid)

    def memory(self) -> int:
        """Resident memory, in bytes."""
        return int(psutil.Process(self.pid).memory_info().rss)


def _cpu(pid: int) -> float:
    if sys.platform == "linux":
        # The clock of clock_getcpuclockid(3), in nanoseconds; the figures in /proc have steps of 10 ms.
        return time.clock_gettime(~pid << 3 | 2)
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


@contextmanager
def running(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a command, with options of ``Popen``; kill it at the end, and also if this process is killed before."""
    # In a process group of its own, so that Ctrl-C does not reach it.
    with subprocess.Popen(command, process_group=0, text=True, **options) as process:
        reap_later(process.pid)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            forget(process.pid)


@contextmanager
def milepost(data: Path, *options: str, address: str = "", checkout: Checkout = HERE) -> Iterator[Server]:
    """Run a checkout's ``milepost serve`` on ``data``, at ``address`` or a free loopback port; kill it at the end."""
    command: list[str | Path] = [checkout.command]
    command += ["serve", "--address", address or f"127.0.0.1:{free_port()}", "--data", data]
    command += ["--lease-ttl", _LEASE_TTL, *checkout.options, *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MILEPOST_")}
    log = data.with_name(f"{data.name}.log")
    with (
        log.open("w") as stderr,
        running(command, stdout=subprocess.PIPE, stderr=stderr, env=environment) as process,
    ):
        assert process.stdout is not None
        ready = process.stdout.readline()
        if not ready:
            raise MeasurementFailed(f"milepost serve did not start:\n{log.read_text()}")
        said = json.loads(ready)
        yield Server(said["address"], process.pid, said.get("http", ""))


@contextmanager
def nats(directory: Path) -> Iterator[Server]:
    """Run a ``nats-server`` with its store in ``directory``, synced before it acknowledges; its address is a URL."""
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
    """Run any other server; yield its process id once it listens on the loopback port, and kill it at the end."""
    with log.open("w") as output, running(command, stdout=output, stderr=output) as process:
        until = time.monotonic() + _STEP_TIMEOUT
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                raise MeasurementFailed(f"{Path(command[0]).name} did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield process.pid


def free_port() -> int:
    """Find a loopback port that nobody listens on."""
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
    """Run ``function(pipe, *arguments)`` in a process; yield its id and the other end of the pipe.

    The function must return when its pipe is closed.
    """
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=_enter, args=(function, theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    assert process.pid is not None
    reap_later(process.pid)
    try:
        yield process.pid, ours
    finally:
        ours.close()
        process.join(5)
        process.kill()
        process.join()
        forget(process.pid)


def _enter(function: Callable[..., None], *arguments: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    function(*arguments)


class Load:
    """A process that runs asynchronous generators, one after the other, step by step on request.

    A step runs a generator to its next ``yield``, whose value is the result.
    """

    def __init__(self, pid: int, pipe: Connection) -> None:
        self.pid = pid
        self._pipe = pipe

    @classmethod
    @contextmanager
    def start(cls) -> Iterator[Load]:
        """Start the process."""
        with child(_run) as (pid, pipe):
            yield cls(pid, pipe)

    def begin(self, generator: Callable[..., AsyncGenerator[Any]], *arguments: object) -> None:
        """Create the generator, without running its first step."""
        self._pipe.send((generator, arguments))

    def go(self) -> None:
        """Start the next step, without waiting for its end."""
        self._pipe.send(None)

    def result(self, timeout: float = _STEP_TIMEOUT) -> Any:
        """Wait for the result of the started step. Raises MeasurementFailed, also after ``timeout`` seconds."""
        try:
            if not self._pipe.poll(timeout):
                raise MeasurementFailed(f"a step took over {timeout:g} s")
            result = self._pipe.recv()
        except (EOFError, ConnectionError):
            raise MeasurementFailed("a load process ended; its error is above") from None
        if isinstance(result, MeasurementFailed):
            raise result
        return result

    def ready(self) -> bool:
        """Whether the started step has ended, so that ``result`` returns at once."""
        return self._pipe.poll(0)

    def step(self, timeout: float = _STEP_TIMEOUT) -> Any:
        """Run the next step; wait up to ``timeout`` seconds for its result. Raises MeasurementFailed."""
        self.go()
        return self.result(timeout)

    def cpu(self) -> float:
        """See ``Server.cpu``."""
        return _cpu(self.pid)


def _run(pipe: Connection) -> None:
    asyncio.run(_run_steps(pipe))


async def _run_steps(pipe: Connection) -> None:
    steps: AsyncGenerator[Any] | None = None
    while True:
        try:
            order = await asyncio.to_thread(pipe.recv)
        except (EOFError, ConnectionError):
            if steps is not None:
                await steps.aclose()
            return
        if order is not None:
            function, arguments = order
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
            with suppress(ConnectionError):  # the measurement has given up; the next order is its end
                pipe.send(result)
