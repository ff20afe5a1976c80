"""A worker of the real Hatchet SDK in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tests.support.hatchet.dispatcher import HatchetServer

__all__ = ["HatchetWorker"]


class HatchetWorker:
    """A process that runs a worker of the tasks of a module or script; ``with`` starts and ends it."""

    def __init__(
        self,
        server: HatchetServer,
        milepost: str,
        log: Path,
        target: str | Path = "tests.support.hatchet.tasks",
        **environment: str,
    ) -> None:
        """`milepost` is the address of its server, `target` a module or the path of a script."""
        self._server = server
        self._arguments = [str(target)] if isinstance(target, Path) else ["-m", target]
        self._environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("MILEPOST_", "HATCHET_"))
            },
            "MILEPOST_ADDRESS": milepost,
            **server.environment,
            **environment,
        }
        self.log_path = log
        self._process: subprocess.Popen[bytes] | None = None
        self._listeners: list[psutil.Process] = []
        self.worker_id = ""

    @property
    def log(self) -> str:
        """What it has logged."""
        return self.log_path.read_text()

    def start(self) -> Self:
        """Start it, and wait until it listens."""
        before = set(self._server.engine.workers)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._arguments], stdout=log, stderr=log, env=self._environment
            )
        process = self._process

        def listens() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"the worker did not start:\n{self.log}")
            return bool(set(self._server.engine.workers) - before)

        try:
            self._server.engine.wait_for(listens)
        except BaseException:
            self.kill()
            raise
        (self.worker_id,) = set(self._server.engine.workers) - before
        self._listeners = psutil.Process(process.pid).children(recursive=True)
        return self

    def kill(self) -> None:
        """Send SIGKILL to it and to its listener, which otherwise sends its heartbeats on for a second."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        for listener in self._listeners:
            if listener.is_running():
                listener.kill()

    def stop(self) -> None:
        """Let it finish its tasks, and wait for its end."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(120)
            finally:
                self.kill()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
