"""Celery workers as processes of their own, each ended by its process id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.support.reaping import forget, reap_later

_ROOT: Final = Path(__file__).parents[2]
# Seconds for a worker to stop by itself.
_STOP_TIMEOUT: Final = 120.0


class CeleryWorker:
    """``celery worker`` on an application module; ``with`` starts it, and ends it by its process id.

    Its output goes to ``log_path``. It leads a process group, so that `kill` ends it with its children.
    """

    def __init__(
        self,
        application: str,
        log_path: Path,
        *options: str,
        environment: Mapping[str, str],
        pool: str = "prefork",
        concurrency: int = 1,
    ) -> None:
        self.log_path = log_path
        self._environment = environment
        self._arguments = [
            sys.executable,
            *("-m", "celery", "-A", application, "worker"),
            *("-P", pool, "-c", str(concurrency), "-l", "info"),
            *("--without-gossip", "--without-mingle", "-n", f"{log_path.stem}@%h"),
            *options,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id: that of the parent of the pool."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """Its output."""
        return self.log_path.read_text()

    def start(self) -> CeleryWorker:
        """Start it, without waiting: the broker keeps tasks until it is ready."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONFAULTHANDLER": "1", **self._environment},
                cwd=_ROOT,
                start_new_session=True,
            )
        reap_later(self._process.pid)
        return self

    def wait(self, timeout: float = _STOP_TIMEOUT) -> int:
        """Wait for its end; return its exit status."""
        assert self._process is not None
        return self._process.wait(timeout)

    def send(self, number: int) -> None:
        """Send the parent a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it with its children, as a machine that loses its power."""
        os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """End it as a service manager does, with SIGTERM; return its exit status."""
        self.send(signal.SIGTERM)
        return self.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        assert process is not None
        try:
            if process.poll() is None:
                self.stop()
        except subprocess.TimeoutExpired as hang:
            os.killpg(self.pid, signal.SIGABRT)  # its processes write their stacks
            process.wait()
            raise AssertionError(f"the worker does not stop:\n{self.log}") from hang
        finally:
            forget(process.pid)
