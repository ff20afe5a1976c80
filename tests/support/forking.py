"""Servers and commands that start fast: forked from a process that has imported everything.

A test that kills its server many times, or runs many commands, would otherwise spend its time on imports. Each fork
runs ``milepost`` with its arguments from the beginning.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

__all__ = ["Forked", "ForkedCommand", "Forkery", "shared_forkery"]

_MESSAGE = 65_536

# A server imports HTTP once it starts, and its libraries while they start. A fork would do so each time.
_ROOTS: Final = (
    "milepost.client._cli",
    "milepost.client._worker",
    "milepost.server",
    "milepost.web",
    "encodings.idna",
    "uvicorn.protocols.http.httptools_impl",
)

# Few commands need it, and Redis' client with it.
_LEFT_OUT: Final = ("milepost.client._cli.commands.bridge_runner",)


class Forked:
    """A forked process, with the part of ``subprocess.Popen`` that tests use."""

    def __init__(self, pid: int, stdout: IO[str], status: int) -> None:
        self.pid = pid
        self.stdout = stdout
        self._status = status
        self.returncode: int | None = None

    def send_signal(self, number: signal.Signals) -> None:
        """Sends a signal."""
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""
        readable, _, _ = select.select([self._status], [], [], 0) if self.returncode is None else ([], [], [])
        return self.wait() if readable else self.returncode

    def wait(self) -> int:
        """Wait until it has ended; return its exit status, or the negative number of the signal that ended it."""
        if self.returncode is None:
            self.returncode = int(os.read(self._status, _MESSAGE))
            os.close(self._status)
        return self.returncode


class ForkedCommand:
    """A forked process with pipes, with the part of ``asyncio.subprocess.Process`` that tests use."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.stdout = asyncio.StreamReader()
        self.stderr = asyncio.StreamReader()
        self.returncode: int | None = None
        self._status = asyncio.StreamReader()
        self._ended = asyncio.create_task(self._end())

    async def read(self, stdout: int, stderr: int, status: int) -> None:
        """Begin to read these pipes."""
        loop = asyncio.get_running_loop()
        for stream, pipe in ((self.stdout, stdout), (self.stderr, stderr), (self._status, status)):
            protocol = asyncio.StreamReaderProtocol(stream)
            await loop.connect_read_pipe(lambda protocol=protocol: protocol, os.fdopen(pipe, "rb", 0))  # type: ignore[misc]

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait until it has ended; return its exit status, or the negative number of the signal that ended it."""
        return await asyncio.shield(self._ended)

    async def _end(self) -> int:
        self.returncode = status = int(await self._status.read())
        return status


class Forkery:
    """The preloaded process; ``with`` starts and ends it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.forking", str(its.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[its.fileno()],
                cwd=Path(__file__).parents[2],
                env={
                    **os.environ,
                    "GRPC_VERBOSITY": "NONE",
                },  # as the command has it, which sets it before its imports
            )

    def start(
        self, arguments: list[str], log: IO[str], environment: Mapping[str, str], cwd: Path | None = None
    ) -> Forked:
        """Run ``milepost`` with these arguments; its stderr goes to ``log``."""
        out, its_out = os.pipe()
        pid, status = self._fork(arguments, environment, cwd, its_out, log.fileno())
        os.close(its_out)
        return Forked(pid, os.fdopen(out), status)

    async def start_command(
        self, arguments: list[str], stdin: bytes, environment: Mapping[str, str], cwd: Path | None = None
    ) -> ForkedCommand:
        """Run ``milepost`` with these arguments and this on its stdin, which has to fit into a pipe."""
        (its_in, given), (out, its_out), (err, its_err) = (os.pipe() for _ in range(3))
        os.write(given, stdin)
        os.close(given)
        pid, status = self._fork(arguments, environment, cwd, its_out, its_err, its_in)
        for descriptor in (its_in, its_out, its_err):
            os.close(descriptor)
        command = ForkedCommand(pid)
        await command.read(out, err, status)
        return command

    def close(self) -> None:
        """End the process, once its forks have ended."""
        self._line.close()
        self._process.wait()

    def _fork(
        self, arguments: list[str], environment: Mapping[str, str], cwd: Path | None, *descriptors: int
    ) -> tuple[int, int]:
        """Fork a process with these files as stdout, stderr and stdin; return its id and the pipe of its status."""
        order = {"arguments": arguments, "environment": dict(environment), "cwd": str(cwd or Path.cwd())}
        status, its_status = os.pipe()
        with self._lock:
            socket.send_fds(self._line, [json.dumps(order).encode()], [its_status, *descriptors])
            pid = int(self._line.recv(_MESSAGE))
        os.close(its_status)
        return pid, status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@functools.cache
def shared_forkery() -> Forkery:
    """The one of this process, which ends with it."""
    forkery = Forkery()
    atexit.register(forkery.close)
    return forkery


def _serve(line: socket.socket) -> None:
    """Main loop of the preloaded process: fork a child for each order."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        order, descriptors, _, _ = socket.recv_fds(line, _MESSAGE, 4)
        if not order:
            return
        if os.fork() == 0:
            _supervise(line, json.loads(order), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _supervise(line: socket.socket, order: dict[str, Any], status_pipe: int, *streams: int) -> None:
    """In a child: fork the command, report its exit status, and kill it if the tests end first."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        line.close()
        os.close(status_pipe)
        _become(order, *streams)
    for stream in streams:
        os.close(stream)
    line.send(str(pid).encode())
    line.close()
    either = select.poll()
    either.register(os.pidfd_open(pid), select.POLLIN)
    either.register(status_pipe, 0)
    if status_pipe in dict(either.poll()):  # the tests have ended
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(BrokenPipeError):
        os.write(status_pipe, str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(order: dict[str, Any], *streams: int) -> None:
    """In a child of that child: run the command, with these files as stdout, stderr and, perhaps, stdin."""
    os.chdir(order["cwd"])
    for number, stream in zip((1, 2, 0), streams, strict=False):
        os.dup2(stream, number)
        os.close(stream)
    # The present ones have cached properties of their former files.
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.argv = ["milepost", *order["arguments"]]
    main()


def _import_all() -> None:
    """Import all that commands load when they run, before anything is forked."""
    for name in _ROOTS:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(getattr(package, "__path__", []), f"{name}."):
            if module.name not in _LEFT_OUT:
                importlib.import_module(module.name)
    # Each fork would look for garbage among the modules when it ends, and copy their pages for that.
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    _import_all()
    from milepost.client._cli.main import main

    _serve(socket.socket(fileno=int(sys.argv[1])))
