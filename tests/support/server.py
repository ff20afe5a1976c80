"""A real ``milepost serve`` in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from tests.support.forking import Forked, Forkery
from tests.support.ports import free_port, give_back

MILEPOST = Path(sys.executable).with_name("milepost")
"""The command, as it is installed beside this Python."""


class Server(Protocol):
    """What tests need of a server, however many processes it is; ``with`` starts and ends it."""

    @property
    def address(self) -> str:
        """Where it is, for one client; the next one may be told another way."""

    @property
    def epoch(self) -> str:
        """The epoch of its log."""

    def kill(self) -> None:
        """``kill -9``, and waits until it is gone."""

    def stop(self) -> int:
        """SIGTERM; its exit status."""

    def restart(self) -> None:
        """Starts it again on the same data and at the same address."""

    def log(self) -> list[dict[str, Any]]:
        """What it has logged."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Serve(Protocol):
    """Makes servers."""

    def __call__(self, data: Path, *options: str, forkery: Forkery | None = None) -> Server:
        """One with these options and its data there; see ``ServerProcess``."""


class ServerProcess:
    """A server on a free loopback port; ``with`` starts it, and ends it by its own process id.

    ``data`` outlives it, so that another one can be started upon it. ``address`` and ``epoch`` are what it said when
    it was ready. Its log goes to ``log_path``. What it logs as a fault of its own fails the test, but where that has
    set ``may_be_at_fault``. ``failpoints`` says where it is to fail when it is started the next time. With a
    ``forkery`` it is forked from that, and ready soon. ``umask`` is this process's where it is negative.
    """

    def __init__(
        self,
        data: Path,
        *options: str,
        address: str = "",
        forkery: Forkery | None = None,
        umask: int = -1,
    ) -> None:
        self.data = data
        self.log_path = data.parent / f"{data.name}.log"
        self.address = ""
        self.epoch = ""
        self.may_be_at_fault = False
        self.failpoints = ""
        self._forkery = forkery
        self._umask = umask
        # Its own also while it is being restarted: nobody else gets it in between.
        self._port = 0 if address else free_port()
        address = address or f"127.0.0.1:{self._port}"
        self._arguments = ["serve", "--address", address, "--data", str(data), *options]
        self._process: subprocess.Popen[str] | Forked | None = None

    def start(self) -> ServerProcess:
        """Starts it, and waits until it says that it is ready."""
        self.begin()
        return self.ready()

    def ready(self) -> ServerProcess:
        """Waits until it says that it is ready."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server did not start:\n{self.log_path.read_text()}")
        ready: dict[str, Any] = json.loads(line)
        self.address, self.epoch = ready["address"], ready["epoch"]
        self._arguments[2] = self.address  # clients know it by now
        return self

    def begin(self) -> None:
        """Starts it, and does not wait."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MILEPOST_")}
        if self.failpoints:
            environment["MILEPOST_FAILPOINTS"] = self.failpoints
        with self.log_path.open("a") as log:
            if self._forkery is not None:
                self._process = self._forkery.start(self._arguments, log, environment)
            else:
                self._process = subprocess.Popen(
                    [MILEPOST, *self._arguments],
                    stdout=subprocess.PIPE,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    text=True,
                    env=environment,
                    umask=self._umask,
                )

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended by itself."""
        assert self._process is not None
        return self._process.poll() is None

    def kill(self) -> None:
        """``kill -9``, and waits until it is gone."""
        assert self._process is not None
        self._process.kill()
        self._reap()

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._reap()

    def wait(self) -> int:
        """Waits until it has ended by itself; its exit status."""
        return self._reap()

    def restart(self) -> None:
        """Starts it again on the same data and at the same address."""
        self.start()

    def log(self) -> list[dict[str, Any]]:
        """What it has logged."""
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.kill()
        give_back(self._port)
        if error is None and not self.may_be_at_fault:
            assert self.faults() == []

    def faults(self) -> list[dict[str, Any]]:
        """What it has logged as a fault of its own: a call or a task that ended with anything but a refusal."""
        # gRPC's core has lines of its own, which are no JSON.
        lines = (line for line in self.log_path.read_text().splitlines() if line.startswith("{"))
        return [line for line in map(json.loads, lines) if line["event"] in ("call failed", "task failed")]

    def _reap(self) -> int:
        assert self._process is not None
        status = self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        return status
