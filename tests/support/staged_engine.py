"""An engine that runs the multitrack example, whose jobs a test stops at a point: it holds them, or kills them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from tests.support.hatchet.dispatcher import HatchetServer
from tests.support.running_engine import (
    engine_process,
    engine_services,
    stop_process,
    wait_for_workers,
)

__all__ = ["StagedEngine", "staged_engine"]

_KINDS: Final = 2


class StagedEngine:
    """A running engine.

    Attributes:
        name: Its name.
        environment: What leads to it.
    """

    def __init__(
        self,
        name: str,
        directory: Path,
        environment: dict[str, str],
        hatchet: HatchetServer | None,
        stack: contextlib.ExitStack,
    ) -> None:
        self.name = name
        self.environment = environment
        self._directory = directory
        self._hatchet = hatchet
        self._stack = stack
        self._process = self._start()

    def hold(self, point: str) -> None:
        """Hold jobs at a point, until `release`."""
        (self._directory / point).touch()

    def kill(self, point: str) -> None:
        """Kill the process of the first job that comes to a point."""
        (self._directory / point).write_text("kill")

    async def has_reached(self, point: str) -> bool:
        """Whether a job is held at a point."""
        return (self._directory / f"{point}.reached").exists()

    async def has_killed(self, point: str) -> bool:
        """Whether a process was killed at a point."""
        return not (self._directory / point).exists()

    def release(self, point: str) -> None:
        """Let jobs go on."""
        (self._directory / point).unlink()
        (self._directory / f"{point}.reached").unlink()

    def recover(self) -> None:
        """After a kill: Celery starts another process by itself; Hatchet's workers end, and are started again."""
        if self._hatchet is None:
            return
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for worker in self._workers:
            self._hatchet.engine.lose(worker)
        self._process = self._start()

    def processes(self) -> int:
        """The number of its processes."""
        return len(psutil.Process(self._process.pid).children(recursive=True))

    def stop(self) -> None:
        """End it."""
        stop_process(self._process)

    def _start(self) -> subprocess.Popen[bytes]:
        command = ("tests.support.staged_worker", str(self._directory))
        log = self._directory / "engine.log"
        process = self._stack.enter_context(engine_process(command, log, self.environment))
        wait_for_workers(self._hatchet, _KINDS)
        self._workers = [] if self._hatchet is None else self._hatchet.engine.workers
        return process


@contextlib.contextmanager
def staged_engine(name: str, directory: Path, address: str) -> Iterator[StagedEngine]:
    """Run an engine; `directory` is its own."""
    with engine_services(name, directory, address) as (environment, hatchet), contextlib.ExitStack() as stack:
        engine = StagedEngine(name, directory, environment, hatchet, stack)
        yield engine
        engine.stop()
