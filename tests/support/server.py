"""Run ``milepost serve`` in a child process."""

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
from tests.support.reaping import forget, reap_later

_FAULTS = ("call failed", "task failed", "HTTP request failed")

MILEPOST = Path(sys.executable).with_name("milepost")
"""The command, installed beside this Python."""


class Server(Protocol):
    """A server of one or several processes; ``with`` starts and ends it."""

    @property
    def address(self) -> str:
        """The address for one client; of several nodes each client gets them in another order."""

    @property
    def epoch(self) -> str:
        """The epoch of its log."""

    def kill(self) -> None:
        """Send SIGKILL, and wait for the end."""

    def stop(self) -> int:
        """Send SIGTERM; return the exit status."""

    def restart(self) -> None:
        """Start it again on the same data and at the same address."""

    def log(self) -> list[dict[str, Any]]:
        """Its log lines."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Serve(Protocol):
    """Creates servers."""

    def __call__(self, data: Path, *options: str, forkery: Forkery | None = None) -> Server:
        """Create a server with these options and its data in ``data``; see ``ServerProcess``."""


class ServerProcess:
    """A server on a free loopback port; ``with`` starts it, and ends it by its process id.

    ``data`` outlives it, so that another server can start on it. ``address`` and ``epoch`` come from its ready line.
    Its log goes to ``log_path``; a fault of its own in there fails the test, unless its line has ``expected_fault``.
    ``failpoints`` and further ``environment`` are those of the next start. With a ``forkery`` it is forked from that,
    and starts fast. A negative ``umask`` is that of this process. With ``http`` it serves HTTP, at ``url``, also after
    a restart.
    """

    def __init__(
        self,
        data: Path,
        *options: str,
        address: str = "",
        forkery: Forkery | None = None,
        umask: int = -1,
        http: bool = False,
    ) -> None:
        self.data = data
        self.log_path = data.parent / f"{data.name}.log"
        self.address = self.health_address = self.url = self.metrics = ""
        self.epoch = ""
        self.expected_fault = ""
        self.failpoints = ""
        self.environment: dict[str, str] = {}
        self._forkery = forkery
        self._umask = umask
        # Reserved also during restarts.
        self._port = 0 if address else free_port()
        address = address or f"127.0.0.1:{self._port}"
        self._http_port = free_port() if http else 0
        http_address = f"127.0.0.1:{self._http_port}" if http else "off"
        self._arguments = [
            "serve",
            "--address",
            address,
            "--http",
            http_address,
            "--data",
            str(data),
            *options,
        ]
        self._process: subprocess.Popen[str] | Forked | None = None

    def start(self) -> ServerProcess:
        """Start the server, and wait for its ready line."""
        self.begin()
        return self.ready()

    def ready(self) -> ServerProcess:
        """Wait for its ready line."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server did not start:\n{self.log_path.read_text()}")
        ready: dict[str, Any] = json.loads(line)
        self.address, self.epoch = ready["address"], ready["epoch"]
        self.health_address, self.url = ready.get("health_address", ""), ready.get("http", "")
        self.metrics = ready.get("metrics", "")
        self._arguments[2] = self.address  # clients know it now
        return self

    def begin(self) -> None:
        """Start the server without waiting for it."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MILEPOST_")}
        # On a busy machine any pass of the event loop may take long; tests compare what else the log says.
        environment["MILEPOST_LOOP_WARNING"] = "1h"
        # Most tests send no heartbeats, and no job is to be lost on a busy machine; a test about leases has its own.
        environment["MILEPOST_LEASE_TTL"] = "10m"
        environment |= self.environment
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
                reap_later(self._process.pid)

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it still runs."""
        assert self._process is not None
        return self._process.poll() is None

    def kill(self) -> None:
        """Send SIGKILL, and wait for the end."""
        assert self._process is not None
        self._process.kill()
        self._reap()

    def stop(self) -> int:
        """Send SIGTERM; return the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._reap()

    def wait(self) -> int:
        """Wait until it ends by itself; return the exit status."""
        return self._reap()

    def restart(self) -> None:
        """Start it again on the same data and at the same address."""
        self.start()

    def log(self) -> list[dict[str, Any]]:
        """Its log lines."""
        return [json.loads(line) for line in self._whole_lines()]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.kill()
        give_back(self._port)
        give_back(self._http_port)
        if error is None:
            assert self.faults() == []

    def faults(self) -> list[dict[str, Any]]:
        """Its log lines of faults: calls or tasks that failed with anything but a refusal, or the expected fault."""
        # Lines of gRPC's core are not JSON.
        lines = (line for line in self._whole_lines() if line.startswith("{"))
        if self.expected_fault:
            lines = (line for line in lines if self.expected_fault not in line)
        return [line for line in map(json.loads, lines) if line["event"] in _FAULTS]

    def _whole_lines(self) -> list[str]:
        # SIGKILL may have cut the last one.
        return self.log_path.read_text().rpartition("\n")[0].splitlines()

    def _reap(self) -> int:
        assert self._process is not None
        status = self._process.wait()
        if self._forkery is None:
            forget(self._process.pid)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        return status
