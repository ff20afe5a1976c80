"""Servers that start fast: forked from a process that has imported everything.

A test that kills its server many times would otherwise spend its time on imports. Each fork runs ``milepost`` with its
arguments from the beginning.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

__all__ = ["Forked", "Forkery"]

_MESSAGE = 65_536


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


class Forkery:
    """The preloaded process; ``with`` starts and ends it."""

    def __init__(self) -> None:
        self._line, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.forking", str(its.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[its.fileno()],
                cwd=Path(__file__).parents[2],
            )

    def start(
        self, arguments: list[str], log: IO[str], environment: Mapping[str, str], cwd: Path | None = None
    ) -> Forked:
        """Run ``milepost`` with these arguments; its stderr goes to ``log``."""
        order = {"arguments": arguments, "environment": dict(environment), "cwd": str(cwd or Path.cwd())}
        out, its_out = os.pipe()
        status, its_status = os.pipe()
        socket.send_fds(self._line, [json.dumps(order).encode()], [its_out, log.fileno(), its_status])
        os.close(its_out)
        os.close(its_status)
        return Forked(int(self._line.recv(_MESSAGE)), os.fdopen(out), status)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.close()
        self._process.wait()


def _serve(line: socket.socket) -> None:
    """Main loop of the preloaded process: fork a child for each order."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        order, descriptors, _, _ = socket.recv_fds(line, _MESSAGE, 3)
        if not order:
            return
        if os.fork() == 0:
            _supervise(line, json.loads(order), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _supervise(line: socket.socket, order: dict[str, Any], out: int, log: int, status_pipe: int) -> None:
    """In a child: fork the command, report its exit status, and kill it if the tests end first."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        line.close()
        os.close(status_pipe)
        _become(order, out, log)
    os.close(out)
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


def _become(order: dict[str, Any], out: int, log: int) -> None:
    """In a child of that child: run the command."""
    os.chdir(order["cwd"])
    os.dup2(out, 1)
    os.dup2(log, 2)
    os.close(out)
    os.close(log)
    # The present ones have cached properties of their former files.
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["milepost", *order["arguments"]]
    main()


if __name__ == "__main__":
    import milepost.client._worker
    import milepost.server.cli.serve
    import milepost.server.cli.server_process  # noqa: F401 - all that a command loads when it runs, before anything is forked
    from milepost.client._cli.main import main

    _serve(socket.socket(fileno=int(sys.argv[1])))
