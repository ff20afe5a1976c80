"""The process of a server that a test starts beside Milepost."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.reaping import forget, reap_later

__all__ = ["PeerProcess"]


class PeerProcess:
    """A process whose output goes to ``log_path``. It is ended by its process id, and killed once this process ends."""

    def __init__(self, log_path: Path) -> None:
        self._log_path = log_path
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running.pid

    @property
    def log(self) -> str:
        """Its output, of all runs."""
        return self._log_path.read_text()

    @property
    def is_running(self) -> bool:
        """Whether it was started, and nobody has waited for its end."""
        return self._process is not None

    @property
    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._running.poll() is not None

    def kill(self) -> None:
        """Send SIGKILL, and wait for the end."""
        self.send(signal.SIGKILL)
        self.reap()

    def pause(self) -> None:
        """Send SIGSTOP: its connections stay open, and nothing answers."""
        self.send(signal.SIGSTOP)

    def go_on(self) -> None:
        """Send SIGCONT."""
        self.send(signal.SIGCONT)

    def run(self, command: Sequence[str | Path]) -> None:
        """Start it, without waiting for anything."""
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        reap_later(self._process.pid)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._running.send_signal(number)

    def reap(self) -> None:
        """Wait for its end."""
        process = self._running
        process.wait()
        forget(process.pid)
        self._process = None

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process
